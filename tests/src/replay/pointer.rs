//! Pointers into an answer: `/Resources/0/id`, `/emails/[type=work]/value`.

use serde_json::Value;

/// Finds the value a pointer leads to. Member names match in any case, an exact match first; `~1` stands for `/`.
pub(super) fn lookup<'v>(document: &'v Value, pointer: &str) -> Option<&'v Value> {
    pointer
        .split('/')
        .filter(|part| !part.is_empty())
        .try_fold(document, |value, part| {
            let part = part.replace("~1", "/");
            match value {
                Value::Array(items) => element(items, &part),
                Value::Object(members) => members.get(&part).or_else(|| {
                    members
                        .iter()
                        .find(|(name, _)| name.eq_ignore_ascii_case(&part))
                        .map(|(_, value)| value)
                }),
                _ => None,
            }
        })
}

/// Finds an element by its index (from the end if negative), or the first whose attribute has the value in brackets.
fn element<'v>(items: &'v [Value], part: &str) -> Option<&'v Value> {
    if let Some((key, wanted)) = part
        .strip_prefix('[')
        .and_then(|p| p.strip_suffix(']'))
        .and_then(|p| p.split_once('='))
    {
        return items
            .iter()
            .find(|item| item.is_object() && lookup(item, key).is_some_and(|found| text(found) == wanted));
    }
    let index: isize = part.parse().ok()?;
    match usize::try_from(index) {
        Ok(index) => items.get(index),
        Err(_) => items.get(items.len().checked_sub(index.unsigned_abs())?),
    }
}

/// Returns a scalar as it is written within brackets.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pointers_reach_members_elements_and_selected_elements() {
        let document = json!({"Resources": [{"id": "a"}, {"id": "b"}], "a/b": 1,
            "emails": [{"type": "home", "value": "h"}, {"type": "work", "primary": true, "value": "w"}]});
        let found = |pointer| lookup(&document, pointer);
        assert_eq!(found("/"), Some(&document));
        assert_eq!(found("/resources/0/ID"), Some(&json!("a")));
        assert_eq!(found("/Resources/-1/id"), Some(&json!("b")));
        assert_eq!(found("/emails/[type=work]/value"), Some(&json!("w")));
        assert_eq!(found("/emails/[primary=true]/value"), Some(&json!("w")));
        assert_eq!(found("/a~1b"), Some(&json!(1)));
        for nothing in [
            "/Resources/2/id",
            "/Resources/-3",
            "/emails/[type=x]/value",
            "/emails/value",
            "/Resources/0/id/x",
        ] {
            assert_eq!(found(nothing), None, "{nothing}");
        }
    }
}
