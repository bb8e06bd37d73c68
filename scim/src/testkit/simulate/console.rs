//! The console of a provider.

/// Where a provider shows its administrator what happened.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Console {
    /// Where a test of the connection fails.
    pub(super) test: &'static str,
    /// Where failures of people and groups are listed.
    pub(super) failures: &'static str,
    /// What becomes of them.
    pub(super) retry: &'static str,
}
