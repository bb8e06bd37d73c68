//! The form that every refusal has to have (RFC 7644 section 3.12).

use crate::http::Response;
use crate::{Failure, check};

/// The schema URN of an error body.
pub const ERROR_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// Checks that the answer is a SCIM error: one of the statuses; the media type of SCIM; `schemas`; `status` as a
/// string equal to the status line; a `detail`; and, if any are named, one of the values of `scimType`.
pub fn expect(response: &Response, statuses: &[u16], types: &[&str]) -> Result<(), Failure> {
    check(statuses.contains(&response.status), || {
        format!("wanted status {statuses:?}, got {response}")
    })?;
    let media = response.header("content-type").unwrap_or_default();
    check(media.starts_with("application/scim+json"), || {
        format!("an error of type {media:?}: {response}")
    })?;
    let body = response.json()?;
    check(body["schemas"] == serde_json::json!([ERROR_SCHEMA]), || {
        format!("no error schema: {response}")
    })?;
    let status = body["status"].as_str().unwrap_or_default();
    check(status == response.status.to_string(), || {
        format!("`status` is not the string of it: {response}")
    })?;
    let detail = body["detail"].as_str().unwrap_or_default();
    check(!detail.is_empty(), || format!("no detail: {response}"))?;
    let found = body["scimType"].as_str().unwrap_or_default();
    check(types.is_empty() || types.contains(&found), || {
        format!("wanted scimType {types:?}, got {response}")
    })
}
