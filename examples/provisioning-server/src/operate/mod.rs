//! What an operator needs: connections with TLS, health, metrics, an orderly end, a log, traces.

pub(crate) mod certificates;
pub(crate) mod connections;
pub(crate) mod health;
pub(crate) mod log;
pub(crate) mod metrics;
pub(crate) mod observe;
mod page;
mod process;
pub(crate) mod reload;
pub(crate) mod service_manager;
pub(crate) mod shutdown;
pub(crate) mod traces;
