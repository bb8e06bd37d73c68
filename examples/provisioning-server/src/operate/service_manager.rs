//! What the service manager is told, where there is one: systemd, with `Type=notify`.

#[cfg(target_os = "linux")]
use sd_notify::{NotifyState, notify};

/// The server answers from now on.
#[cfg(target_os = "linux")]
pub(crate) fn ready() {
    tell(NotifyState::Ready);
}

/// The server ends.
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

/// Nobody listens elsewhere.
#[cfg(not(target_os = "linux"))]
pub(crate) fn ready() {}

/// Nobody listens elsewhere.
#[cfg(not(target_os = "linux"))]
pub(crate) fn stopping() {}
