//! What an operator needs: health, an orderly end, a log.

pub(crate) mod health;
pub(crate) mod log;
pub(crate) mod shutdown;
