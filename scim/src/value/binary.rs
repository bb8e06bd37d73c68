//! stub
/// stub
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Binary(Vec<u8>);
impl Binary {
    /// stub
    pub fn parse(_: &str) -> crate::Result<Self> {
        Ok(Self(vec![]))
    }
    /// stub
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
