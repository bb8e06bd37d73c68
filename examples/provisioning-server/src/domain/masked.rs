//! Hides secrets in JSON that others wrote: values of password-like attributes and tokens.

use serde_json::{Map, Value};

use super::redact;

/// What stands in place of a secret.
const HIDDEN: &str = "…";

/// Parts of the names of attributes whose values are secrets, in small letters and without punctuation.
const SECRET: [&str; 9] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "credential",
    "apikey",
    "privatekey",
];

/// The end of such names.
const SECRET_END: &str = "token";

/// How deep a value may be nested. What is deeper is hidden as a whole.
const DEPTH: usize = 32;

/// The longest body that is kept, in bytes.
const BODY_MAX: usize = 16 << 10;

/// Returns what is kept of the body of a request: its JSON without secrets, cut; of anything else, how long it was.
pub(crate) fn body(bytes: &[u8]) -> String {
    let Ok(mut value) = serde_json::from_slice::<Value>(bytes) else {
        return format!("({} bytes that are not JSON)", bytes.len());
    };
    mask(&mut value);
    let mut text = value.to_string();
    if text.len() > BODY_MAX {
        let end = (0..=BODY_MAX).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
        text.push_str(HIDDEN);
    }
    text
}

/// Hides every secret in a value, also in the names of an object.
pub(crate) fn mask(value: &mut Value) {
    mask_within(value, DEPTH);
}

fn mask_within(value: &mut Value, depth: usize) {
    match value {
        Value::String(text) => redact::keep(text),
        Value::Array(_) | Value::Object(_) if depth == 0 => *value = HIDDEN.into(),
        Value::Array(items) => items.iter_mut().for_each(|item| mask_within(item, depth - 1)),
        Value::Object(object) => mask_object(object, depth - 1),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn mask_object(object: &mut Map<String, Value>, depth: usize) {
    // A step of a PATCH names its attribute in `path`, and a pair in `name` or `type`.
    let names_secret = object.iter().any(|(name, value)| {
        let is_naming = ["path", "name", "type", "key"]
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known));
        is_naming && value.as_str().is_some_and(is_secret)
    });
    let masked = std::mem::take(object).into_iter().map(|(mut name, mut value)| {
        let is_value = names_secret && name.eq_ignore_ascii_case("value");
        if is_value || is_secret(&name) {
            hide(&mut value);
        } else if let (true, Value::String(path)) = (name.eq_ignore_ascii_case("path"), &mut value) {
            // The filter of a path has values in it.
            if is_secret(path) {
                cut_filter(path);
            }
            redact::keep(path);
        } else {
            mask_within(&mut value, depth);
        }
        redact::keep(&mut name);
        (name, value)
    });
    *object = masked.collect();
}

/// A value that is not there is told apart from one that is hidden.
fn hide(value: &mut Value) {
    if !value.is_null() {
        *value = HIDDEN.into();
    }
}

fn cut_filter(path: &mut String) {
    let end = path.find(|c: char| c == '[' || c == '"' || c.is_whitespace());
    if let Some(end) = end {
        path.truncate(end);
        path.push_str(HIDDEN);
    }
}

/// Whether an attribute of this name, or a path to one, holds a secret.
fn is_secret(name: &str) -> bool {
    let name: String = name
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    name.ends_with(SECRET_END) || SECRET.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn masked(mut value: Value) -> Value {
        mask(&mut value);
        value
    }

    /// Feature row 75: bodies are kept masked.
    #[test]
    fn values_of_password_like_attributes_are_hidden() {
        let user = json!({
            "userName": "a@x.example", "password": "p", "Pass_Word": ["p"], "credentials": { "x": "p" },
            "apiKey": "p", "refreshToken": "p", "tokens": 1, "passwordHash": null,
        });
        assert_eq!(
            masked(user),
            json!({
                "userName": "a@x.example", "password": "…", "Pass_Word": "…", "credentials": "…",
                "apiKey": "…", "refreshToken": "…", "tokens": 1, "passwordHash": null,
            })
        );
        let patch = json!({ "Operations": [
            { "op": "replace", "path": "password", "value": "p" },
            { "op": "Add", "Path": "urn:ietf:params:scim:schemas:core:2.0:User:password", "Value": "p" },
            { "op": "replace", "value": { "password": "p", "title": "x" } },
            { "op": "remove", "path": "password[value eq \"p\"]" },
            { "op": "replace", "path": "title", "value": "x" },
        ] });
        assert_eq!(
            masked(patch),
            json!({ "Operations": [
                { "op": "replace", "path": "password", "value": "…" },
                { "op": "Add", "Path": "urn:ietf:params:scim:schemas:core:2.0:User:password", "Value": "…" },
                { "op": "replace", "value": { "password": "…", "title": "x" } },
                { "op": "remove", "path": "password…" },
                { "op": "replace", "path": "title", "value": "x" },
            ] })
        );
    }

    /// Feature row 75: a body is cut to a bounded size, and what is no JSON may hold a secret anywhere.
    #[test]
    fn a_body_is_kept_in_bounded_size() {
        assert_eq!(
            body(br#"{"password": "p", "title":"x"}"#),
            r#"{"password":"…","title":"x"}"#
        );
        assert_eq!(body(b"password=p"), "(10 bytes that are not JSON)");
        let many = serde_json::to_vec(&vec!["é"; 50_000]).unwrap();
        assert!(body(&many).len() <= BODY_MAX + HIDDEN.len());
    }

    /// A value as deep as a parser lets it be.
    #[test]
    fn what_is_nested_deeply_is_hidden_as_a_whole() {
        let mut value = json!({ "title": "x" });
        for _ in 0..100 {
            value = json!([value]);
        }
        let text = masked(value).to_string();
        assert!(text.contains(HIDDEN) && !text.contains('x'), "{text}");
    }

    proptest! {
        /// A secret stays hidden however its attribute is written and wherever it stands.
        #[test]
        fn a_secret_is_never_shown(
            name in "[pP][aA][sS][sS][_-]?[wW][oO][rR][dD]",
            around in "[a-z]{0,5}",
            depth in 0_usize..20,
        ) {
            let mut value = json!({ format!("{around}{name}"): "hunter2", "title": around });
            for level in 0..depth {
                value = if level % 2 == 0 { json!([value]) } else { json!({ "emails": value }) };
            }
            prop_assert!(!masked(value).to_string().contains("hunter2"));
        }
    }
}
