//! A list of resources, written while they come (RFC 7644 section 3.4.2).

use std::io::Write;

/// Writes a list response around resources that are already documents.
///
/// `Resources`, `startIndex` and `itemsPerPage` are always there, also in an empty list: clients rely on them.
///
/// ```
/// use scim::message::ListWriter;
///
/// let mut body = Vec::new();
/// let mut list = ListWriter::begin(&mut body, 7, 3, 1);
/// list.item(&mut body);
/// body.extend_from_slice(br#"{"id":"1"}"#);
/// list.end(&mut body);
/// assert_eq!(
///     String::from_utf8(body)?,
///     r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":7,"startIndex":3,"itemsPerPage":1,"Resources":[{"id":"1"}]}"#
/// );
/// # Ok::<(), std::string::FromUtf8Error>(())
/// ```
#[derive(Debug)]
pub struct ListWriter {
    is_empty: bool,
}

impl ListWriter {
    /// Begins a list: how many resources match in all, which of them is the first of this page (counted from 1), and
    /// how many are on this page.
    pub fn begin(out: &mut Vec<u8>, total_results: u64, start_index: u64, items_per_page: usize) -> Self {
        // Writing to memory cannot fail.
        _ = write!(
            out,
            "{{\"schemas\":[\"{}\"],\"totalResults\":{total_results},\"startIndex\":{start_index},\
             \"itemsPerPage\":{items_per_page},\"Resources\":[",
            super::LIST_RESPONSE
        );
        Self { is_empty: true }
    }

    /// Makes room for the next resource, whose document the caller writes after it.
    pub fn item(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.is_empty, false) {
            out.push(b',');
        }
    }

    /// Ends the list.
    pub fn end(self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"]}");
    }
}

/// Writes a whole list of documents, all of them on one page.
pub fn write_list<D: AsRef<[u8]>>(out: &mut Vec<u8>, documents: &[D]) {
    let count = documents.len();
    let mut list = ListWriter::begin(out, count as u64, 1, count);
    for document in documents {
        list.item(out);
        out.extend_from_slice(document.as_ref());
    }
    list.end(out);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P-3.4.2-03 to P-3.4.2-07, A-25.
    #[test]
    fn an_empty_list_has_every_member() {
        let mut out = Vec::new();
        ListWriter::begin(&mut out, 12, 20, 0).end(&mut out);
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&out).unwrap(),
            serde_json::json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
                "totalResults": 12, "startIndex": 20, "itemsPerPage": 0, "Resources": [],
            })
        );
    }

    #[test]
    fn documents_are_separated_by_commas() {
        let mut out = Vec::new();
        write_list(&mut out, &["{}", "{\"id\":\"2\"}", "{}"]);
        let list: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(list["Resources"], serde_json::json!([{}, {"id": "2"}, {}]));
        assert_eq!(
            (&list["totalResults"], &list["itemsPerPage"]),
            (&3.into(), &3.into())
        );
    }
}
