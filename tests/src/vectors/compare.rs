//! When two resources are the same for a PATCH vector.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Attributes that are the server's own.
const IGNORED: [&str; 3] = ["id", "meta", "groups"];

/// Returns the attributes in which a resource differs from the one wanted, or nothing.
///
/// Ignored are `id`, `meta`, `groups`, every `$ref`, a member's `display` and `type`, and the order of values. `null`,
/// `[]` and absence are one; so are `primary: false` and no `primary`.
pub fn difference(wanted: &Value, found: &Value) -> Option<String> {
    let (wanted, found) = (canonical(wanted), canonical(found));
    if wanted == found {
        return None;
    }
    let nothing = Map::new();
    let (wanted, found) = (
        wanted.as_object().unwrap_or(&nothing),
        found.as_object().unwrap_or(&nothing),
    );
    let names: BTreeSet<&String> = wanted.keys().chain(found.keys()).collect();
    let shown = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
    let different = names
        .into_iter()
        .filter(|name| wanted.get(*name) != found.get(*name));
    let lines = different.map(|name| {
        format!(
            "{name}: wanted {}, got {}",
            shown(wanted.get(name)),
            shown(found.get(name))
        )
    });
    Some(lines.collect::<Vec<_>>().join("; "))
}

/// Returns a resource in the one form that all equal resources have.
pub fn canonical(resource: &Value) -> Value {
    let Value::Object(attributes) = resource else {
        return resource.clone();
    };
    let kept = attributes
        .iter()
        .filter(|(name, _)| !IGNORED.contains(&name.as_str()));
    let kept = kept.map(|(name, value)| {
        let value = if name == "members" {
            without_display(value)
        } else {
            value.clone()
        };
        (name.clone(), canonical_value(&value))
    });
    kept.filter(|(_, value)| !value.is_null()).collect()
}

/// Returns a value in that form: `Null` stands for every way to say that a value is unassigned.
fn canonical_value(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items
                .iter()
                .map(canonical_value)
                .filter(|item| !item.is_null())
                .collect();
            items.sort_by_cached_key(Value::to_string);
            if items.is_empty() {
                Value::Null
            } else {
                Value::Array(items)
            }
        }
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, _)| *name != "$ref");
            let kept = kept.filter(|(name, value)| *name != "primary" || **value != Value::Bool(false));
            let kept = kept.map(|(name, value)| (name.clone(), canonical_value(value)));
            let kept: Map<String, Value> = kept.filter(|(_, value)| !value.is_null()).collect();
            if kept.is_empty() {
                Value::Null
            } else {
                Value::Object(kept)
            }
        }
        other => other.clone(),
    }
}

fn without_display(members: &Value) -> Value {
    let mut members = members.clone();
    for member in members
        .as_array_mut()
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        member.retain(|name, _| name != "display" && name != "type");
    }
    members
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_vectors_do_not_say_is_ignored() {
        let wanted = json!({"userName": "a", "emails": [{"value": "1"}, {"value": "2", "primary": true}], "members": [{"value": "x"}]});
        let found = json!({"id": "7", "meta": {"version": "1"}, "groups": [{"value": "g"}], "userName": "a", "title": null,
            "roles": [], "emails": [{"value": "2", "primary": true}, {"value": "1", "primary": false}],
            "members": [{"value": "x", "$ref": "http://h/x", "display": "X", "type": "User"}]});
        assert_eq!(difference(&wanted, &found), None);
    }

    #[test]
    fn every_other_difference_is_found_and_named() {
        let wanted = json!({"userName": "a", "emails": [{"value": "1", "type": "work"}]});
        for found in [
            json!({"userName": "A", "emails": [{"value": "1", "type": "work"}]}),
            json!({"userName": "a", "emails": [{"value": "1"}]}),
            json!({"userName": "a", "emails": [{"value": "1", "type": "work"}, {"value": "1", "type": "work"}]}),
            json!({"userName": "a", "emails": [{"value": "1", "type": "work", "primary": true}]}),
            json!({"userName": "a"}),
            json!({"userName": "a", "emails": [{"value": "1", "type": "work"}], "title": "x"}),
        ] {
            let difference = difference(&wanted, &found).unwrap();
            assert!(
                ["userName:", "emails:", "title:"]
                    .iter()
                    .any(|name| difference.starts_with(name)),
                "{difference}"
            );
        }
    }
}
