//! The end of what is kept no longer, while a server runs.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::database::Product;

/// How often it is looked.
const INTERVAL: Duration = Duration::from_secs(3_600);

/// Removes what organizations keep no longer, for as long as the server runs.
pub(crate) async fn run(product: Arc<Product>) {
    loop {
        if let Err(fault) = product.purge_old(Timestamp::now()).await {
            tracing::warn!(
                "What is kept no longer could not be removed: {}",
                fault.with_causes()
            );
        }
        tokio::time::sleep(INTERVAL).await;
    }
}
