//! The content that a place of an answer must have: a value, or an object with one member whose name begins with `$`.

use regex_lite::Regex;
use serde_json::Value;

use crate::Failure;

/// Returns whether what was found, if anything, is what is wanted.
pub(super) fn fits(found: Option<&Value>, wanted: &Value) -> Result<bool, Failure> {
    let Some((name, argument)) = matcher(wanted) else {
        return Ok(found == Some(wanted));
    };
    let list = found.and_then(Value::as_array);
    let text = found.and_then(Value::as_str);
    let arguments = argument.as_array();
    Ok(match name {
        "$absent" => found.is_none_or(|found| found.is_null() || is_empty_list(found)),
        "$not" => found != Some(argument),
        "$has" => list.is_some_and(|list| list.contains(argument)),
        "$set" => {
            let found = list.map(Vec::as_slice).unwrap_or_default();
            arguments.is_some_and(|wanted| sorted(found) == sorted(wanted))
        }
        "$re" => {
            let pattern = regex(argument)?;
            text.is_some_and(|text| pattern.is_match(text))
        }
        "$not_re" => {
            let pattern = regex(argument)?;
            text.is_none_or(|text| !pattern.is_match(text))
        }
        _ => return Err(Failure::new(format!("{name} is not a matcher"))),
    })
}

fn matcher(wanted: &Value) -> Option<(&str, &Value)> {
    let members = wanted.as_object().filter(|members| members.len() == 1)?;
    let (name, argument) = members.iter().next()?;
    name.starts_with('$').then_some((name, argument))
}

fn regex(pattern: &Value) -> Result<Regex, Failure> {
    let text = pattern.as_str().unwrap_or_default();
    Regex::new(text).map_err(|error| Failure::new(format!("{pattern}: {error}")))
}

fn is_empty_list(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty)
}

fn sorted(values: &[Value]) -> Vec<String> {
    let mut texts: Vec<_> = values.iter().map(Value::to_string).collect();
    texts.sort();
    texts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_matcher_holds_where_it_should_and_nowhere_else() {
        for (found, wanted, holds) in [
            (Some(json!("a")), json!("a"), true),
            (Some(json!("a")), json!("A"), false),
            (None, json!(null), false),
            (Some(json!({"a": 1})), json!({"a": 1}), true),
            (None, json!({"$absent": true}), true),
            (Some(json!(null)), json!({"$absent": true}), true),
            (Some(json!([])), json!({"$absent": true}), true),
            (Some(json!("")), json!({"$absent": true}), false),
            (Some(json!([1])), json!({"$absent": true}), false),
            (None, json!({"$not": 1}), true),
            (Some(json!(2)), json!({"$not": 1}), true),
            (Some(json!(1)), json!({"$not": 1}), false),
            (Some(json!([1, 2])), json!({"$has": 2}), true),
            (Some(json!([1, 2])), json!({"$has": 3}), false),
            (Some(json!(2)), json!({"$has": 2}), false),
            (None, json!({"$has": 2}), false),
            (Some(json!([2, 1])), json!({"$set": [1, 2]}), true),
            (Some(json!([2, 1, 1])), json!({"$set": [1, 2]}), false),
            (None, json!({"$set": []}), true),
            (Some(json!("17")), json!({"$re": "^[0-9]+$"}), true),
            (Some(json!(17)), json!({"$re": "^[0-9]+$"}), false),
            (None, json!({"$re": ""}), false),
            (Some(json!("17")), json!({"$not_re": "1"}), false),
            (Some(json!("17")), json!({"$not_re": "2"}), true),
            (None, json!({"$not_re": "1"}), true),
        ] {
            assert_eq!(fits(found.as_ref(), &wanted), Ok(holds), "{found:?} {wanted}");
        }
        assert!(fits(None, &json!({"$like": 1})).is_err());
        assert!(fits(Some(&json!("a")), &json!({"$re": "("})).is_err());
    }
}
