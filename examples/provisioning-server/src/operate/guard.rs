//! The guard: looks once a minute whether many people have lost something at once, and whether a token ends soon, and says
//! so.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::actions::{alert, token};
use crate::database::Product;

/// How often it looks.
const INTERVAL: Duration = Duration::from_secs(60);

/// Looks until the process ends.
pub(crate) async fn run(product: Arc<Product>) {
    let mut interval = tokio::time::interval(INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let now = Timestamp::now();
        let looked = alert::watch(&product, now).await;
        let looked = looked.and(token::watch(&product, now).await);
        if let Err(fault) = looked {
            tracing::error!("The guard could not look: {}", fault.with_causes());
        }
    }
}
