//! stub
/// stub
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DateTime(jiff::Timestamp);
impl DateTime {
    /// stub
    pub fn parse(_: &str) -> crate::Result<Self> {
        Ok(Self(Default::default()))
    }
}
impl std::fmt::Display for DateTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
