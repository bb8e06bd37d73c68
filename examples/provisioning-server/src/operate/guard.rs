//! The guard on mass changes: looks once a minute whether many people have lost something at once, and says so.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::actions::alert;
use crate::database::Product;

/// How often it looks.
const INTERVAL: Duration = Duration::from_secs(60);

/// Looks until the process ends.
pub(crate) async fn run(product: Arc<Product>) {
    let mut interval = tokio::time::interval(INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        if let Err(fault) = alert::watch(&product, Timestamp::now()).await {
            tracing::error!(
                "the guard on mass changes could not look: {}",
                fault.with_causes()
            );
        }
    }
}
