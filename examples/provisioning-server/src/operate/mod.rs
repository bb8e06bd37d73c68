//! What an operator needs: health, metrics, an orderly end, a log.

pub(crate) mod health;
pub(crate) mod log;
pub(crate) mod metrics;
pub(crate) mod observe;
pub(crate) mod shutdown;
