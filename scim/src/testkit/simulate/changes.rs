//! The changes to be made to a person, attribute by attribute, and the meaning of the refusal of such a PATCH.

use serde_json::Value;

use super::flatten::Attributes;
use super::job::{Job, Refusal, Trouble};
use super::report::Fault;
use super::transport::Transport;

pub(super) const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";

/// One attribute that is to change.
pub(super) struct Change {
    pub(super) name: String,
    /// None for what is to be unassigned.
    pub(super) value: Option<Value>,
    /// Whether the server holds nothing under this name.
    pub(super) is_new: bool,
    /// Whether the server does not hold the element that the name leads into.
    pub(super) is_new_element: bool,
}

/// Returns what differs between what the server holds and what it is to hold. Whatever is to be unassigned is not sent, but for
/// the manager.
pub(super) fn changes(held: &Attributes, wanted: &Attributes) -> Vec<Change> {
    let mut changes: Vec<_> = wanted
        .iter()
        .filter(|(name, value)| held.get(*name) != Some(value))
        // Elements are made by what they hold: that one of them is the primary was said when it was made.
        .filter(|(name, _)| !name.ends_with(".primary"))
        .map(|(name, value)| Change {
            name: name.clone(),
            value: Some(value.clone()),
            is_new: !held.contains_key(name),
            is_new_element: element(name)
                .is_some_and(|element| !held.keys().any(|key| key.starts_with(element))),
        })
        .collect();
    let manager = format!("{MANAGER}.value");
    if held.contains_key(&manager) && !wanted.contains_key(&manager) {
        changes.push(Change {
            name: manager,
            value: None,
            is_new: false,
            is_new_element: false,
        });
    }
    changes
}

/// Returns `emails[work]` of `emails[work].value`.
pub(super) fn element(name: &str) -> Option<&str> {
    name.find(']').and_then(|end| name.get(..=end))
}

/// Returns the path of an attribute: `emails[type eq "work"].value`.
pub(super) fn path(name: &str) -> String {
    if name.strip_suffix(".value") == Some(MANAGER) {
        return MANAGER.to_owned();
    }
    match name
        .split_once('[')
        .and_then(|(list, rest)| Some((list, rest.split_once(']')?)))
    {
        // Roles are told apart by the one that is the primary, and the boolean is text.
        Some((list, ("primary", sub))) => format!("{list}[primary eq \"True\"]{sub}"),
        Some((list, (kind, sub))) => format!("{list}[type eq \"{kind}\"]{sub}"),
        None => name.to_owned(),
    }
}

/// Finds out what the server does not understand. A provider only says that the PATCH was refused; so every operation is tried
/// alone, and if that is refused, with its value out of its wrapping; each is a part of what was wanted anyway.
pub(super) async fn explain<T: Transport>(
    job: &mut Job<'_, T>,
    path: &str,
    changes: &[Change],
    operations: Vec<Value>,
    refusal: &Refusal,
) {
    for operation in operations {
        let text = sentence(&operation);
        let Err(Trouble::Refused(alone)) = job.patch(path, vec![operation.clone()]).await else {
            continue;
        };
        let name = operation.get("path").and_then(Value::as_str).unwrap_or_default();
        let makes = changes
            .iter()
            .any(|change| change.is_new_element && self::path(&change.name) == name);
        let example = format!("{text}: {alone}");
        if is_taken_unwrapped(job, path, &operation).await {
            job.report.fault(Fault::WrappedValueRefused, example);
        } else if makes {
            job.report.fault(Fault::ElementNotMade, example);
        } else if name == MANAGER && operation.get("value").is_some_and(Value::is_string) {
            job.report.fault(Fault::ManagerRefused, example);
        } else {
            let kind = format!("operation on {name}: {} {}", refusal.status, refusal.keyword);
            job.report.refusal(kind, example);
        }
    }
}

/// Finds out whether it was only the wrapping of a value that was refused.
async fn is_taken_unwrapped<T: Transport>(job: &mut Job<'_, T>, path: &str, operation: &Value) -> bool {
    let Some(value) = operation.get("value").and_then(unwrapped) else {
        return false;
    };
    let mut operation = operation.clone();
    if let Some(members) = operation.as_object_mut() {
        members.insert("value".into(), value.clone());
    }
    job.patch(path, vec![operation]).await.is_ok()
}

/// Returns `x` of `[x]` and of `[{"$ref": null, "value": x}]`; an object with anything else in it is an element of a list.
fn unwrapped(value: &Value) -> Option<&Value> {
    match value.as_array()?.as_slice() {
        [Value::Object(members)] => {
            let is_bare = members
                .keys()
                .all(|name| matches!(name.as_str(), "$ref" | "value"));
            members.get("value").filter(|_| is_bare)
        }
        [Value::Array(_)] => None,
        [single] => Some(single),
        _ => None,
    }
}

/// Writes an operation as an administrator can read it: `Replace title with "Counsel"`.
fn sentence(operation: &Value) -> String {
    let text = |name| operation.get(name).and_then(Value::as_str);
    let op = text("op").unwrap_or_default();
    match (text("path"), operation.get("value")) {
        (Some(path), Some(value)) => format!("{op} {path} with {value}"),
        (Some(path), None) => format!("{op} {path}"),
        (None, Some(Value::Object(values))) => {
            let names: Vec<_> = values.keys().map(String::as_str).collect();
            format!("{op} {}", names.join(", "))
        }
        _ => op.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_wrapped_is_unwrapped() {
        for (value, single) in [
            (json!(["x"]), Some(json!("x"))),
            (json!([false]), Some(json!(false))),
            (json!([{"$ref": null, "value": "x"}]), Some(json!("x"))),
            (json!([{"value": "x", "type": "work"}]), None),
            (json!([{"type": "work"}]), None),
            (json!(["x", "y"]), None),
            (json!([["x"]]), None),
            (json!([]), None),
            (json!("x"), None),
        ] {
            assert_eq!(unwrapped(&value), single.as_ref(), "{value}");
        }
    }
}
