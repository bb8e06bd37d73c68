//! The console of a provider.

/// The places where a provider shows its administrator what happened.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Console {
    /// The place at which a test of the connection fails.
    pub(super) test: &'static str,
    /// The place at which failures of people and groups are listed.
    pub(super) failures: &'static str,
    /// The consequence of failures.
    pub(super) retry: &'static str,
}
