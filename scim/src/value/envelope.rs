//! The `schemas` of a message, which say what message it is (RFC 7644 section 3.1).

use crate::error::{Error, Result};
use crate::schema::SCHEMAS;
use crate::value::{Cx, Json, Leniency, Meaning, Position};

/// Checks that the `schemas` of a message name it. A tolerance takes the endpoint's word for it where they are missing or
/// name something else; what is not a list of URIs is coerced like any attribute, or refused.
///
/// # Errors
/// 400 `invalidSyntax`.
pub(crate) fn check_message(schemas: Option<Json<'_>>, urn: &str, cx: &mut Cx<'_>) -> Result<()> {
    let name = urn.rsplit(':').next().unwrap_or(urn);
    let schemas = schemas.filter(|json| cx.meaning(*json, Position::Body, &SCHEMAS.shape) == Meaning::Value);
    let mut is_named = false;
    if let Some(schemas) = schemas {
        let fitted = cx.fit(schemas, &SCHEMAS.shape);
        let schemas = fitted.json();
        let wrong = |found: String| {
            Error::invalid_syntax(format!(
                "The schemas of a {name} must be a list of URIs, but {found}."
            ))
        };
        if !schemas.is_array() {
            return Err(wrong(format!("are {}", schemas.describe_shape())));
        }
        for element in schemas.elements() {
            let text = element
                .as_str()
                .ok_or_else(|| wrong(format!("hold {}", element.describe())))?;
            is_named |= text.eq_ignore_ascii_case(urn);
        }
    }
    if is_named {
        return Ok(());
    }
    match cx.allows(Leniency::MissingSchemas) {
        Some(tolerance) => {
            cx.fire(tolerance, name);
            Ok(())
        }
        None => Err(Error::invalid_syntax(format!(
            "The schemas of a {name} must name {urn}."
        ))),
    }
}
