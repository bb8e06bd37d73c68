//! `{var}` in the texts of a trace.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

/// The variables of one replay.
#[derive(Debug, Default)]
pub(super) struct Variables {
    values: BTreeMap<String, String>,
    known: BTreeSet<String>,
}

/// Why a step cannot be played.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Blocked(String);

impl Blocked {
    pub(super) fn missing(name: &str) -> Self {
        Self(format!("blocked: {{{name}}} was never captured"))
    }

    pub(super) fn not_an_object(name: &str) -> Self {
        Self(format!("blocked: {{{name}}} is not a JSON object"))
    }
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Variables {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    pub(super) fn set(&mut self, name: &str, value: String) {
        self.announce(name);
        self.values.insert(name.to_owned(), value);
    }

    /// Makes a name known before it has a value: using it then blocks the step, instead of sending `{name}`.
    pub(super) fn announce(&mut self, name: &str) {
        self.known.insert(name.to_owned());
    }

    /// Replaces each `{name}` whose name is known by its encoded value, and leaves every other brace alone.
    pub(super) fn fill(&self, text: &str, encode: impl Fn(&str) -> String) -> Result<String, Blocked> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            match after
                .split_once('}')
                .filter(|(name, _)| self.known.contains(*name))
            {
                Some((name, tail)) => {
                    out.push_str(&encode(self.get(name).ok_or_else(|| Blocked::missing(name))?));
                    rest = tail;
                }
                None => {
                    out.push('{');
                    rest = after;
                }
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    /// Fills in every string and every member name of a JSON value.
    pub(super) fn fill_value(&self, value: &Value) -> Result<Value, Blocked> {
        Ok(match value {
            Value::String(text) => Value::String(self.fill(text, str::to_owned)?),
            Value::Array(items) => Value::Array(
                items
                    .iter()
                    .map(|item| self.fill_value(item))
                    .collect::<Result<_, _>>()?,
            ),
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| Ok((self.fill(name, str::to_owned)?, self.fill_value(value)?)))
                .collect::<Result<_, _>>()?,
            other => other.clone(),
        })
    }
}

/// Returns a text as it stands between the quotation marks of a JSON string.
pub(super) fn json_escape(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn variables() -> Variables {
        let mut variables = Variables::default();
        variables.set("run", "0a".to_owned());
        variables.announce("later");
        variables
    }

    #[test]
    fn only_known_names_are_replaced() {
        let filled = variables().fill("a{run}b{RUN}{x{run}}{", str::to_owned);
        assert_eq!(filled.unwrap(), "a0ab{RUN}{x0a}{");
    }

    #[test]
    fn a_name_without_a_value_blocks() {
        let blocked = variables().fill("/Users/{later}", str::to_owned);
        assert_eq!(blocked, Err(Blocked::missing("later")));
    }

    #[test]
    fn strings_and_member_names_of_a_value_are_filled() {
        let filled = variables().fill_value(&json!({"k{run}": ["{run}", 1, null]}));
        assert_eq!(filled.unwrap(), json!({"k0a": ["0a", 1, null]}));
    }

    proptest! {
        #[test]
        fn any_value_filled_into_raw_json_is_read_back_unchanged(value in ".*") {
            let mut variables = variables();
            variables.set("v", value.clone());
            let json = variables.fill(r#"{"a":"<{v}>"}"#, json_escape).unwrap();
            let read: Value = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(read["a"].as_str().unwrap(), format!("<{value}>"));
        }
    }
}
