//! stub
/// stub
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference(String);
impl Reference {
    /// stub
    pub fn parse(_: &str) -> crate::Result<Self> {
        Ok(Self(String::new()))
    }
    /// stub
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// stub
    pub fn is_resource(&self) -> bool {
        true
    }
}
