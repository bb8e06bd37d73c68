//! One table of the limits that protect a service from hostile input.

/// Upper bounds on what a request may ask for.
///
/// Every bound is charged while the input is read, never after. The defaults suit the identity providers in use;
/// lower them for endpoints that only ever see small resources.
///
/// ```
/// use scim::Limits;
///
/// let limits = Limits { page_size_max: 200, ..Limits::default() };
/// assert_eq!(limits.page_size, 100);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request body for an ordinary resource.
    pub body: usize,
    /// Bytes of a request body for a resource with edges (a group and its members), and for bulk.
    pub large_body: usize,
    /// Nesting of JSON arrays and objects.
    pub json_depth: usize,
    /// Bytes of a filter.
    pub filter_bytes: usize,
    /// Nesting of parentheses and brackets in a filter.
    pub filter_depth: usize,
    /// Expressions and logical operators in a filter.
    pub filter_nodes: usize,
    /// Bytes of the query string of a URL.
    pub query_bytes: usize,
    /// Operations in one PATCH request.
    pub patch_operations: usize,
    /// Elements of a multi-valued attribute that one operation may carry.
    pub operation_values: usize,
    /// Resources on a page when the client names no `count`.
    pub page_size: usize,
    /// Resources on a page whatever the client asks for.
    pub page_size_max: usize,
    /// Operations in one bulk request.
    pub bulk_operations: usize,
    /// Rows that a filter which no index serves may visit before the answer is `tooMany`.
    pub scanned_rows: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 1 << 20,
            large_body: 16 << 20,
            json_depth: 64,
            filter_bytes: 16 << 10,
            filter_depth: 64,
            filter_nodes: 512,
            query_bytes: 32 << 10,
            patch_operations: 1_000,
            operation_values: 100_000,
            page_size: 100,
            page_size_max: 1_000,
            bulk_operations: 1_000,
            scanned_rows: 100_000,
        }
    }
}
