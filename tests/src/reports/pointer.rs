//! JSON pointers (RFC 6901) in which `*` stands for every element of a list.

use serde_json::Value;

/// Finds the value that a pointer leads to; behind a `*`, the list of what it leads to in each element.
pub(super) fn find(document: &Value, pointer: &str) -> Option<Value> {
    match pointer.strip_prefix('/') {
        None => Some(document.clone()),
        Some(parts) => walk(document, &parts.split('/').collect::<Vec<_>>()),
    }
}

fn walk(value: &Value, parts: &[&str]) -> Option<Value> {
    let Some((part, rest)) = parts.split_first() else {
        return Some(value.clone());
    };
    let part = part.replace("~1", "/").replace("~0", "~");
    match value {
        Value::Array(items) if part == "*" => {
            Some(items.iter().filter_map(|item| walk(item, rest)).collect())
        }
        Value::Array(items) => walk(items.get(part.parse::<usize>().ok()?)?, rest),
        Value::Object(members) => walk(members.get(&part)?, rest),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pointers_reach_members_elements_and_all_elements() {
        let document = json!({"a/b": {"~": 1}, "list": [{"x": 1}, {"y": 2}, {"x": [3]}]});
        for (pointer, found) in [
            ("", Some(document.clone())),
            ("/a~1b/~0", Some(json!(1))),
            ("/list/2/x/0", Some(json!(3))),
            ("/list/*/x", Some(json!([1, [3]]))),
            ("/list/*/z", Some(json!([]))),
            ("/list/3", None),
            ("/list/x", None),
            ("/a~1b/*", None),
            ("/nothing/*", None),
        ] {
            assert_eq!(find(&document, pointer), found, "{pointer}");
        }
    }
}
