//! Hides secrets in JSON that others wrote: values of password-like attributes and tokens.

use std::collections::HashMap;
use std::sync::LazyLock;

use scim::ScimResource;
use scim::resources::Group;
use scim::schema::{Attribute, Type};
use serde_json::{Map, Value};

use super::redact;
use super::user::User;

/// The text in place of a secret.
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

/// How deep a value may be nested. Anything deeper is hidden as a whole.
const DEPTH: usize = 32;

/// The longest body that is kept, in bytes.
const BODY_MAX: usize = 16 << 10;

/// Returns what is kept of the body of a request, cut: the values of attributes that the schemas know, where they belong.
/// Whatever else a client has sent may be a secret, so only its name is kept; and of what is not an object, its length.
pub(crate) fn body(bytes: &[u8]) -> String {
    let Ok(Value::Object(mut object)) = serde_json::from_slice(bytes) else {
        return format!("({} bytes that are not a JSON object)", bytes.len());
    };
    keep_known(&mut object, DEPTH);
    let mut value = Value::Object(object);
    mask(&mut value);
    let mut text = value.to_string();
    if text.len() > BODY_MAX {
        let end = (0..=BODY_MAX).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
        text.push_str(HIDDEN);
    }
    text
}

/// The kinds of value that may stand at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Texts and numbers.
    Simple,
    /// Objects.
    Complex,
    /// Of an attribute that is not known.
    Unknown,
}

/// The attributes of people, groups and messages, by their names in small letters.
static KNOWN: LazyLock<HashMap<String, Place>> = LazyLock::new(|| {
    let mut known = HashMap::new();
    for resource_type in [User::RESOURCE_TYPE, Group::RESOURCE_TYPE] {
        collect(resource_type.schema.attributes, &mut known);
    }
    for name in ["schemas", "op", "path", "value"] {
        known.insert(name.to_owned(), Place::Simple);
    }
    known.insert("operations".to_owned(), Place::Complex);
    known
});

fn collect(attributes: &[Attribute], known: &mut HashMap<String, Place>) {
    for attribute in attributes {
        let place = match attribute.shape.kind {
            Type::Complex => Place::Complex,
            _ => Place::Simple,
        };
        known.insert(attribute.name.to_ascii_lowercase(), place);
        collect(attribute.shape.sub_attributes, known);
    }
}

/// Returns the place of the values of an attribute, by its name or by a path to it, with or without the URN of its schema.
fn place(path: &str) -> Place {
    let known = |name: &str| KNOWN.get(&name.to_ascii_lowercase()).copied();
    if let Some(place) = known(path) {
        return place;
    }
    let head = path.find('[').and_then(|at| path.get(..at)).unwrap_or(path);
    let tail = path
        .rfind(']')
        .and_then(|at| path.get(at + 1..))
        .unwrap_or_default();
    let name = head.rsplit(':').next().unwrap_or_default();
    let mut names = name
        .split('.')
        .chain(tail.split('.'))
        .filter(|name| !name.is_empty());
    let Some(first) = names.next().and_then(known) else {
        return Place::Unknown;
    };
    names.fold(first, |_, name| known(name).unwrap_or(Place::Unknown))
}

fn keep_known(object: &mut Map<String, Value>, depth: usize) {
    let text_of = |wanted: &str| {
        let found = object.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.as_str().unwrap_or_default().to_owned())
    };
    let is_step = text_of("op").is_some();
    // A step without a path has an object of attributes as its value.
    let target = text_of("path").map_or(Place::Complex, |path| place(&path));
    for (name, value) in object.iter_mut() {
        let is_of_step = |known: &str| is_step && name.eq_ignore_ascii_case(known);
        match value {
            Value::String(path) if is_of_step("path") => {
                if target == Place::Unknown {
                    cut_filter(path);
                }
            }
            value if is_of_step("value") => keep_at(value, target, depth),
            value => keep_at(value, place(name), depth),
        }
    }
}

/// Keeps what belongs to a place, and hides anything else.
fn keep_at(value: &mut Value, at: Place, depth: usize) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Array(items) if at != Place::Unknown => {
            items.iter_mut().for_each(|item| match item {
                Value::Array(_) => hide(item),
                item => keep_at(item, at, depth),
            });
        }
        Value::Object(object) if at == Place::Complex && depth > 0 => keep_known(object, depth - 1),
        Value::String(_) | Value::Number(_) if at == Place::Simple => {}
        value => hide(value),
    }
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

/// Hides a value. One that is not there is told apart from one that is hidden.
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

/// Returns whether an attribute of this name, or a path to one, holds a secret.
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
        for text in ["password=p", "[\"p\"]", "\"p\"", "7"] {
            let kept = format!("({} bytes that are not a JSON object)", text.len());
            assert_eq!(body(text.as_bytes()), kept);
        }
        let many = serde_json::to_vec(&json!({ "schemas": vec!["é"; 50_000] })).unwrap();
        assert!(body(&many).len() <= BODY_MAX + HIDDEN.len());
    }

    /// Feature row 75: whatever the schemas do not know, or a text where an object belongs, may be a secret.
    #[test]
    fn only_what_is_known_is_kept_of_a_body() {
        const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        const GIVEN_NAME: &str = "urn:ietf:params:scim:schemas:core:2.0:User:name.givenName";
        for (sent, kept) in [
            (
                json!({ "passwort": "p", "geheim": { "x": ["p"] }, "userName": "a" }),
                json!({ "passwort": "…", "geheim": "…", "userName": "a" }),
            ),
            (
                json!({ "name": "p", "userName": { "value": "p" }, "emails": ["p", { "value": "a", "x": "p" }] }),
                json!({ "name": "…", "userName": "…", "emails": ["…", { "value": "a", "x": "…" }] }),
            ),
            (
                json!({ ENTERPRISE: { "department": "d", "pin": 7 }, "urn:x": "p" }),
                json!({ ENTERPRISE: { "department": "d", "pin": "…" }, "urn:x": "…" }),
            ),
            (
                json!({ "Operations": [
                    "p",
                    { "op": "replace", "value": "p" },
                    { "op": "replace", "value": { "title": "t", "passwort": "p" } },
                    { "op": "replace", "path": "name", "value": "p" },
                    { "op": "Replace", "Path": GIVEN_NAME, "Value": "Ann" },
                    { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "a" },
                    { "op": "add", "path": "members", "value": [{ "value": "1" }] },
                    { "op": "remove", "path": "members[value eq \"1\"]" },
                    { "op": "replace", "path": "passwort[x eq \"p\"]", "value": "p" },
                ] }),
                json!({ "Operations": [
                    "…",
                    { "op": "replace", "value": "…" },
                    { "op": "replace", "value": { "title": "t", "passwort": "…" } },
                    { "op": "replace", "path": "name", "value": "…" },
                    { "op": "Replace", "Path": GIVEN_NAME, "Value": "Ann" },
                    { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "a" },
                    { "op": "add", "path": "members", "value": [{ "value": "1" }] },
                    { "op": "remove", "path": "members[value eq \"1\"]" },
                    { "op": "replace", "path": "passwort…", "value": "…" },
                ] }),
            ),
        ] {
            assert_eq!(body(sent.to_string().as_bytes()), kept.to_string());
        }
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
