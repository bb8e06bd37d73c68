//! The log on standard error.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Begins to log; `filter` is a list such as `info,provisioning_server=debug`.
pub(crate) fn begin(filter: &str) -> Result<(), String> {
    let targets: Targets = filter
        .parse()
        .map_err(|error| format!("RUST_LOG={filter:?} is not a list of levels such as \"info\": {error}."))?;
    let quiet = targets.default_level() == Some(LevelFilter::OFF);
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_target(false)
        .with_writer(std::io::stderr);
    if quiet {
        return Ok(());
    }
    tracing_subscriber::registry()
        .with(layer)
        .with(targets)
        .try_init()
        .map_err(|error| format!("The log cannot be set up: {error}."))
}
