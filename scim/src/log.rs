//! The destination of events that nobody listens to: a subscriber of `tracing`, or else standard error.

/// Returns whether a subscriber of `tracing` hears what is told.
#[cfg(feature = "tracing")]
pub(crate) fn is_heard() -> bool {
    tracing::dispatcher::get_default(|subscriber| !subscriber.is::<tracing::subscriber::NoSubscriber>())
}

/// Writes a line to standard error, the last resort where nothing else was set up.
pub(crate) fn to_standard_error(line: &str) {
    use std::io::Write as _;
    // There is nobody to tell that even this failed.
    _ = std::io::stderr().write_all(format!("scim: {line}\n").as_bytes());
}
