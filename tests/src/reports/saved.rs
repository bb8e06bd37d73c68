//! `{{name}}` in the texts of a case.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Failure;

/// The texts that the steps of a case have saved so far.
#[derive(Debug, Default)]
pub(super) struct Saved(BTreeMap<String, String>);

impl Saved {
    pub(super) fn set(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), value);
    }

    /// Returns a text with each `{{name}}` replaced; fails if nothing was saved under a name.
    pub(super) fn fill_text(&self, text: &str) -> Result<String, Failure> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((name, behind)) = after.split_once("}}") else {
                break;
            };
            let value = self.0.get(name);
            out.push_str(before);
            out.push_str(value.ok_or_else(|| Failure::new(format!("nothing was saved as {name}")))?);
            rest = behind;
        }
        out.push_str(rest);
        Ok(out)
    }

    /// Returns a value with every text and every member name filled in.
    pub(super) fn fill(&self, value: &Value) -> Result<Value, Failure> {
        Ok(match value {
            Value::String(text) => self.fill_text(text)?.into(),
            Value::Array(items) => items
                .iter()
                .map(|item| self.fill(item))
                .collect::<Result<_, _>>()?,
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| Ok((self.fill_text(name)?, self.fill(value)?)))
                .collect::<Result<_, Failure>>()?,
            other => other.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_filled_in_everywhere_or_the_step_cannot_be_played() {
        let mut saved = Saved::default();
        saved.set("u", "1".to_owned());
        let filled = saved.fill(&json!({"{{u}}": ["a{{u}}b{{u}}", "{u}", "{{", 7]}));
        assert_eq!(filled, Ok(json!({"1": ["a1b1", "{u}", "{{", 7]})));
        assert!(saved.fill(&json!("{{v}}")).is_err());
    }
}
