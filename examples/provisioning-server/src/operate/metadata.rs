//! Reads the metadata of identity providers again every day, so that new certificates arrive before they are used.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::actions::saml;
use crate::database::Product;
use crate::fetch::Fetcher;

/// How often it looks whose metadata are old.
const INTERVAL: Duration = Duration::from_secs(3_600);

/// Looks until the process ends.
pub(crate) async fn run(product: Arc<Product>, fetcher: Fetcher) {
    let mut interval = tokio::time::interval(INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        if let Err(fault) = saml::refresh_old(&product, &fetcher, Timestamp::now()).await {
            tracing::error!(
                "The metadata of identity providers could not be read again: {}",
                fault.with_causes()
            );
        }
    }
}
