//! Whose resources they are.

/// A context that says for which tenant a request is made. Stores keep tenants apart by it.
pub trait HasTenant {
    /// The tenant; an empty string where there is only one.
    fn tenant(&self) -> &str;
}

/// One tenant.
impl HasTenant for () {
    fn tenant(&self) -> &str {
        ""
    }
}

/// The tenant and nothing else.
impl HasTenant for String {
    fn tenant(&self) -> &str {
        self
    }
}
