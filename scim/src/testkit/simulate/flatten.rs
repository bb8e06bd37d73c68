//! Documents as flat lists of attributes, so that two can be compared whatever the order of what is in them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Attributes by names such as `emails[work].value`.
pub(super) type Attributes = BTreeMap<String, Value>;

/// Returns what a document says of a resource: without what the server makes itself, without what is never shown, and with the
/// one spelling for what may be spelled in several ways.
pub(super) fn flatten(document: &Value) -> Attributes {
    let mut attributes = Attributes::new();
    for (name, value) in document.as_object().into_iter().flatten() {
        match name.as_str() {
            "id" | "meta" | "schemas" | "groups" | "members" | "password" => {}
            urn if urn.starts_with("urn:") => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    let name = format!("{urn}:{name}");
                    match value {
                        Value::String(id) if name.ends_with(":manager") => {
                            put(
                                &mut attributes,
                                format!("{name}.value"),
                                &Value::from(id.as_str()),
                            );
                        }
                        value => put(&mut attributes, name, value),
                    }
                }
            }
            _ => put(&mut attributes, name.clone(), value),
        }
    }
    attributes
}

fn put(attributes: &mut Attributes, name: String, value: &Value) {
    match value {
        Value::Null => {}
        Value::String(text) if text.is_empty() => {}
        Value::Object(members) => put_members(attributes, &name, members),
        Value::Array(elements) => {
            for element in elements {
                put_element(attributes, &name, element);
            }
        }
        value if is_flag(&name) => put_flag(attributes, name, value),
        value => _ = attributes.insert(name, value.clone()),
    }
}

fn put_members(attributes: &mut Attributes, name: &str, members: &Map<String, Value>) {
    for (sub, value) in members {
        let is_computed = matches!(sub.as_str(), "$ref" | "display" | "displayName") && name != "name";
        if !is_computed {
            put(attributes, format!("{name}.{sub}"), value);
        }
    }
}

/// Elements are told apart by their types; one without is known by being the primary.
fn put_element(attributes: &mut Attributes, name: &str, element: &Value) {
    let Value::Object(members) = element else {
        return put(attributes, format!("{name}[{element}]"), element);
    };
    let label = match members.get("type").and_then(Value::as_str) {
        Some(kind) => kind.to_ascii_lowercase(),
        None if is_true(members.get("primary")) => "primary".to_owned(),
        None => "untyped".to_owned(),
    };
    let prefix = |number: usize| match number {
        1 => format!("{name}[{label}]"),
        _ => format!("{name}[{label} {number}]"),
    };
    let is_taken = |number: &usize| {
        let prefix = prefix(*number);
        attributes.keys().any(|key| key.starts_with(&prefix))
    };
    let number = (1..).find(|number| !is_taken(number)).unwrap_or(1);
    let mut members = members.clone();
    members.remove("type");
    put_members(attributes, &prefix(number), &members);
}

fn is_true(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(value)) => *value,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

fn is_flag(name: &str) -> bool {
    name == "active" || name.ends_with(".primary")
}

/// Puts a flag among the attributes. An element that is not the primary need not say so.
fn put_flag(attributes: &mut Attributes, name: String, value: &Value) {
    let flag = is_true(Some(value));
    if flag || name == "active" {
        attributes.insert(name, Value::Bool(flag));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn spellings_of_the_same_are_the_same() {
        let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let sent = json!({
            "schemas": ["x"], "id": "1", "userName": "ann", "active": "True", "groups": [], "title": "",
            "nickName": null, "password": "x",
            "emails": [{"type": "work", "value": "a", "primary": true}, {"value": "b", "type": "home"}],
            "roles": [{"primary": "True", "value": "User"}],
            urn: {"manager": "7", "department": "R&D"},
        });
        let kept = json!({
            "schemas": [], "meta": {"version": "1"}, "userName": "ann", "active": true,
            "emails": [{"value": "b", "type": "home", "primary": false}, {"value": "a", "type": "work", "primary": true}],
            "roles": [{"primary": true, "value": "User"}],
            urn: {"manager": {"value": "7", "$ref": "Users/7", "displayName": "Bo"}, "department": "R&D"},
        });
        assert_eq!(flatten(&sent), flatten(&kept));
        let names: Vec<_> = flatten(&kept).into_keys().collect();
        assert!(names.contains(&"emails[work].value".to_owned()), "{names:?}");
        assert!(names.contains(&"roles[primary].value".to_owned()), "{names:?}");
    }

    #[test]
    fn what_is_there_twice_is_seen_twice() {
        let twice = json!({"emails": [{"type": "work", "value": "a"}, {"type": "work", "value": "a"}]});
        assert_eq!(flatten(&twice).len(), 2);
    }
}
