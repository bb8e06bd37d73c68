//! The things that an operator needs: connections with TLS, health, metrics, an orderly end, a log, traces.

mod answering;
pub(crate) mod certificates;
pub(crate) mod connections;
pub(crate) mod guard;
pub(crate) mod health;
mod lingering;
pub(crate) mod log;
pub(crate) mod metadata;
pub(crate) mod metrics;
pub(crate) mod observe;
mod open;
mod page;
pub(crate) mod peer;
mod process;
pub(crate) mod reload;
pub(crate) mod service_manager;
pub(crate) mod shutdown;
pub(crate) mod traces;
