//! The error message (RFC 7644 section 3.12).

use serde::Serialize;

use crate::error::Error;

#[derive(Serialize)]
struct Document<'a> {
    schemas: [&'a str; 1],
    status: &'a str,
    #[serde(rename = "scimType", skip_serializing_if = "Option::is_none")]
    scim_type: Option<&'a str>,
    detail: String,
}

/// Writes the body of an error response. It says what [`Error`] displays, and nothing of the error's source.
///
/// ```
/// let error = scim::Error::uniqueness("userName \"ann\" is taken.");
/// let mut body = Vec::new();
/// scim::message::write_error(&mut body, &error);
/// assert_eq!(
///     String::from_utf8(body)?,
///     r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"409","scimType":"uniqueness","detail":"userName \"ann\" is taken."}"#
/// );
/// # Ok::<(), std::string::FromUtf8Error>(())
/// ```
pub fn write_error(out: &mut Vec<u8>, error: &Error) {
    let status = error.status();
    let document = Document {
        schemas: [super::ERROR],
        status: status.as_str(),
        scim_type: error.scim_type().map(crate::ScimType::as_str),
        detail: error.to_string(),
    };
    // Writing text to memory cannot fail.
    _ = serde_json::to_writer(out, &document);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(error: &Error) -> serde_json::Value {
        let mut out = Vec::new();
        write_error(&mut out, error);
        serde_json::from_slice(&out).unwrap()
    }

    /// P-3.12-01, P-3.12-02, P-3.12-04.
    #[test]
    fn status_and_detail_are_strings() {
        let error = Error::invalid_value("must be a \"string\"")
            .at("value")
            .in_operation(1);
        assert_eq!(
            document(&error),
            serde_json::json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
                "status": "400",
                "scimType": "invalidValue",
                "detail": "Operation 2: Attribute value must be a \"string\".",
            })
        );
    }

    /// P-3.12-06, P-3.12-07: no scimType where the RFC has none, and nothing of the cause.
    #[test]
    fn an_internal_error_shows_nothing_of_its_cause() {
        let document = document(&Error::internal("secret.db is locked"));
        assert_eq!(
            (&document["status"], document.get("scimType")),
            (&"500".into(), None)
        );
        assert!(!document.to_string().contains("secret"), "{document}");
    }
}
