//! The end of what is kept no longer, while a server runs.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::database::Product;

/// How long after its start a server looks for the first time: until then it has other things to do.
const FIRST: Duration = Duration::from_secs(5);

/// How often it looks from then on.
const INTERVAL: Duration = Duration::from_secs(3_600);

/// Removes what organizations keep no longer, for as long as the server runs.
pub(crate) async fn run(product: Arc<Product>) {
    tokio::time::sleep(FIRST).await;
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
