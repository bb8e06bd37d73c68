//! The messages to the service manager, if there is one: systemd, with `Type=notify`.

#[cfg(target_os = "linux")]
use sd_notify::{NotifyState, notify};

/// Tells it that the server answers from now on.
#[cfg(target_os = "linux")]
pub(crate) fn ready() {
    tell(NotifyState::Ready);
}

/// Tells it that the server ends.
#[cfg(target_os = "linux")]
pub(crate) fn stopping() {
    tell(NotifyState::Stopping);
}

#[cfg(target_os = "linux")]
fn tell(state: NotifyState<'_>) {
    if let Err(error) = notify(&[state]) {
        tracing::warn!("The service manager cannot be told about it: {error}.");
    }
}

/// Tells nobody: elsewhere nobody listens.
#[cfg(not(target_os = "linux"))]
pub(crate) fn ready() {}

/// Tells nobody: elsewhere nobody listens.
#[cfg(not(target_os = "linux"))]
pub(crate) fn stopping() {}
