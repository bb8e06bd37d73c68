//! One assertion on the body of an answer.

use std::collections::BTreeSet;

use regex_lite::Regex;
use serde::Deserialize;
use serde_json::Value;

use super::pointer::lookup;
use super::trace::Level;
use crate::Failure;

/// An assertion: the value at `path` stands in the relation `op` to `value`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) path: String,
    op: Operator,
    #[serde(default, deserialize_with = "present")]
    pub(super) value: Option<Value>,
    #[serde(default)]
    pub(super) level: Option<Level>,
}

/// Reads a member that is there as `Some`, also if it is `null`.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Operator {
    Eq,
    Ne,
    Ieq,
    In,
    Exists,
    Absent,
    Empty,
    Nonempty,
    Type,
    Len,
    LenGe,
    LenLe,
    Ge,
    Contains,
    Matches,
    HasMember,
    NoMember,
    MembersEq,
    EqLenOf,
}

impl Rule {
    /// Returns `None` if the rule holds for the document, else what was wanted and found.
    pub(super) fn check(&self, document: &Value) -> Result<Option<String>, Failure> {
        let found = lookup(document, &self.path);
        let wanted = self.value.as_ref().unwrap_or(&Value::Null);
        if self.holds(document, found, wanted)? {
            return Ok(None);
        }
        let shown: String = found
            .map_or("nothing".to_owned(), Value::to_string)
            .chars()
            .take(200)
            .collect();
        Ok(Some(format!(
            "{} {:?} {wanted}: found {shown}",
            self.path, self.op
        )))
    }

    fn holds(&self, document: &Value, found: Option<&Value>, wanted: &Value) -> Result<bool, Failure> {
        let string = found.and_then(Value::as_str);
        let list = found.and_then(Value::as_array);
        let number = found.and_then(Value::as_f64);
        let wanted_text = || wanted.as_str().map_or_else(|| wanted.to_string(), str::to_owned);
        let equals = |value: &Value| found.is_some_and(|found| same(found, value));
        let within = |fits: fn(u64, u64) -> bool| match (list, wanted.as_u64()) {
            (Some(list), Some(bound)) => fits(list.len() as u64, bound),
            _ => false,
        };
        Ok(match self.op {
            Operator::Eq => equals(wanted),
            Operator::Ne => !equals(wanted),
            Operator::Ieq => string.is_some_and(|text| text.to_lowercase() == wanted_text().to_lowercase()),
            Operator::In => wanted
                .as_array()
                .is_some_and(|choices| choices.iter().any(equals)),
            Operator::Exists => found.is_some_and(|value| !value.is_null()),
            Operator::Absent => found.is_none_or(Value::is_null),
            Operator::Empty => found.is_none_or(is_empty),
            Operator::Nonempty => !found.is_none_or(is_empty),
            Operator::Type => found.is_some_and(|value| has_type(value, wanted)),
            Operator::Len => length(found).is_some_and(|length| wanted.as_u64() == Some(length)),
            Operator::LenGe => within(|length, bound| length >= bound),
            Operator::LenLe => within(|length, bound| length <= bound),
            Operator::Ge => number
                .zip(wanted.as_f64())
                .is_some_and(|(found, bound)| found >= bound),
            Operator::Contains => match (string, list) {
                (Some(text), _) => text.to_lowercase().contains(&wanted_text().to_lowercase()),
                (_, Some(items)) => {
                    let wanted = wanted_text().to_lowercase();
                    items
                        .iter()
                        .filter_map(Value::as_str)
                        .any(|item| item.to_lowercase() == wanted)
                }
                _ => false,
            },
            Operator::Matches => {
                let pattern =
                    Regex::new(&wanted_text()).map_err(|e| Failure::new(format!("{wanted}: {e}")))?;
                string.is_some_and(|text| pattern.is_match(text))
            }
            Operator::HasMember => members(found).contains(&wanted),
            Operator::NoMember => !members(found).contains(&wanted),
            Operator::MembersEq => {
                let found = members(found);
                let distinct: BTreeSet<String> = found.iter().map(ToString::to_string).collect();
                let wanted: BTreeSet<String> = wanted
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(Value::to_string)
                    .collect();
                distinct.len() == found.len() && distinct == wanted
            }
            Operator::EqLenOf => {
                let other = lookup(document, &wanted_text()).and_then(Value::as_array);
                other.is_some_and(|other| found.and_then(Value::as_u64) == Some(other.len() as u64))
            }
        })
    }
}

/// Compares JSON values, numbers by their value.
fn same(a: &Value, b: &Value) -> bool {
    a == b || a.as_f64().is_some_and(|a| b.as_f64() == Some(a))
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || length(Some(value)) == Some(0)
}

/// Returns the length of a text, list or object; 0 for nothing; none for what has no length.
fn length(value: Option<&Value>) -> Option<u64> {
    match value {
        None | Some(Value::Null) => Some(0),
        Some(Value::String(text)) => Some(text.chars().count() as u64),
        Some(Value::Array(items)) => Some(items.len() as u64),
        Some(Value::Object(members)) => Some(members.len() as u64),
        Some(Value::Bool(_) | Value::Number(_)) => None,
    }
}

fn has_type(value: &Value, name: &Value) -> bool {
    match name.as_str() {
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some("integer") => value.is_i64() || value.is_u64(),
        _ => false,
    }
}

/// Returns the `value` of each element of a list, or the element itself if it is not an object.
fn members(value: Option<&Value>) -> Vec<&Value> {
    let items = value
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    items
        .iter()
        .map(|item| {
            if item.is_object() {
                item.get("value").unwrap_or(&Value::Null)
            } else {
                item
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(rule: Value) -> bool {
        let document = json!({"s": "Ada", "n": 2, "t": true, "nil": null, "none": [], "totalResults": 2,
            "schemas": ["urn:a", "urn:b"], "members": [{"value": "x"}, {"value": "y"}], "twice": [{"value": "x"}, {"value": "x"}]});
        let rule: Rule = serde_json::from_value(rule).unwrap();
        rule.check(&document).unwrap().is_none()
    }

    #[test]
    fn every_operator_holds_where_it_should_and_nowhere_else() {
        let cases = [
            ("s", "eq", json!("Ada"), true),
            ("s", "eq", json!("ada"), false),
            ("n", "eq", json!(2.0), true),
            ("t", "eq", json!("true"), false),
            ("x", "eq", json!(null), false),
            ("x", "ne", json!(1), true),
            ("n", "ne", json!(2), false),
            ("s", "ieq", json!("aDA"), true),
            ("n", "ieq", json!("2"), false),
            ("n", "in", json!([1, 2]), true),
            ("n", "in", json!([1, 3]), false),
            ("s", "exists", json!(null), true),
            ("nil", "exists", json!(null), false),
            ("nil", "absent", json!(null), true),
            ("none", "absent", json!(null), false),
            ("none", "empty", json!(null), true),
            ("s", "empty", json!(null), false),
            ("s", "nonempty", json!(null), true),
            ("x", "nonempty", json!(null), false),
            ("n", "type", json!("integer"), true),
            ("t", "type", json!("integer"), false),
            ("schemas", "type", json!("array"), true),
            ("s", "len", json!(3), true),
            ("x", "len", json!(0), true),
            ("t", "len", json!(0), false),
            ("schemas", "len_ge", json!(2), true),
            ("schemas", "len_ge", json!(3), false),
            ("schemas", "len_le", json!(2), true),
            ("x", "len_le", json!(2), false),
            ("n", "ge", json!(2), true),
            ("n", "ge", json!(3), false),
            ("s", "contains", json!("DA"), true),
            ("schemas", "contains", json!("URN:A"), true),
            ("schemas", "contains", json!("urn"), false),
            ("s", "matches", json!("^A"), true),
            ("s", "matches", json!("^a"), false),
            ("members", "has_member", json!("x"), true),
            ("members", "has_member", json!("z"), false),
            ("members", "no_member", json!("z"), true),
            ("members", "no_member", json!("x"), false),
            ("members", "members_eq", json!(["y", "x"]), true),
            ("members", "members_eq", json!(["x"]), false),
            ("twice", "members_eq", json!(["x"]), false),
            ("x", "members_eq", json!([]), true),
            ("totalResults", "eq_len_of", json!("/members"), true),
            ("totalResults", "eq_len_of", json!("/none"), false),
        ];
        for (path, op, value, expected) in cases {
            let rule = json!({"path": format!("/{path}"), "op": op, "value": value});
            assert_eq!(holds(rule.clone()), expected, "{rule}");
        }
    }
}
