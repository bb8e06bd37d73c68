//! What a request that changed nothing meant.

use url::form_urlencoded;
use uuid::Uuid;

/// What the request was, as far as its meaning goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look<'a> {
    /// The operation as a word: `get`, `query`, `create`…
    pub(crate) operation: &'a str,
    /// The resource type, if the request was about one.
    pub(crate) resource_type: Option<&'a str>,
    /// The path below the organization's URL.
    pub(crate) path: &'a str,
    /// The query of the URL, which is looked at and not kept.
    pub(crate) query: Option<&'a str>,
    /// How many resources a list has found.
    pub(crate) total: Option<u64>,
    /// The status of the answer.
    pub(crate) status: u16,
    /// Whether the token was used for the first time.
    pub(crate) is_first_use: bool,
}

/// Says what it meant, in a few words.
pub(crate) fn meaning(look: Look<'_>) -> String {
    let noun = look
        .resource_type
        .map_or_else(|| "resource".to_owned(), str::to_lowercase);
    let outcome = match look.status {
        404 => Some("not found"),
        400..=499 => Some("rejected"),
        501 => Some("not supported"),
        500.. => Some("failed"),
        _ => None,
    };
    if let Some(outcome) = outcome {
        return format!("{outcome}: {}", attempt(look.operation, &noun));
    }
    if is_connection_test(&look) {
        return "connection test".to_owned();
    }
    match (look.operation, look.total) {
        ("query" | "query-all", Some(total)) => format!("looked for {noun}s: {total} found"),
        ("create" | "replace" | "patch", _) => format!("changed nothing: the {noun} was like that already"),
        (operation, _) => attempt(operation, &noun),
    }
}

fn attempt(operation: &str, noun: &str) -> String {
    match operation {
        "create" => format!("create a {noun}"),
        "get" => format!("read a {noun}"),
        "query" | "query-all" => format!("look for {noun}s"),
        "replace" => format!("replace a {noun}"),
        "patch" => format!("change a {noun}"),
        "delete" => format!("delete a {noun}"),
        "discover" => "read what the service can do".to_owned(),
        "options" => "ask what can be done".to_owned(),
        _ => "unknown request".to_owned(),
    }
}

/// Whether it is what a provider sends when its administrator tests the connection (features.md row 28).
fn is_connection_test(look: &Look<'_>) -> bool {
    let mut filter = None;
    let mut start = None;
    let mut count = None;
    for (name, value) in form_urlencoded::parse(look.query.unwrap_or_default().as_bytes()) {
        match name.to_ascii_lowercase().as_str() {
            "filter" => filter = Some(value.into_owned()),
            "startindex" => start = value.parse::<i64>().ok(),
            "count" => count = value.parse::<i64>().ok(),
            _ => {}
        }
    }
    match (look.operation, filter) {
        // Microsoft Entra ID looks for somebody who cannot exist.
        ("query", Some(filter)) => look.total == Some(0) && asks_for_a_guid(&filter),
        // Okta asks for the first two users.
        ("query", None) => start.unwrap_or(1) == 1 && count.is_some_and(|count| count <= 2),
        ("discover", _) => {
            look.is_first_use && look.path.to_ascii_lowercase().contains("/serviceproviderconfig")
        }
        _ => false,
    }
}

fn asks_for_a_guid(filter: &str) -> bool {
    let mut words = filter.split_whitespace();
    let (Some(_), Some(operator), Some(operand), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return false;
    };
    operator.eq_ignore_ascii_case("eq") && Uuid::try_parse(operand.trim_matches('"')).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: Look<'static> = Look {
        operation: "query",
        resource_type: Some("User"),
        path: "/Users",
        query: None,
        total: Some(0),
        status: 200,
        is_first_use: false,
    };

    /// features.md row 28.
    #[test]
    fn a_connection_test_is_recognised() {
        let entra = Some("filter=userName+eq+%22cbdc8aa1-a1f1-4a55-a2a5-3e6b8f4b1a6e%22");
        assert_eq!(meaning(Look { query: entra, ..LIST }), "connection test");
        assert_eq!(
            meaning(Look {
                query: Some("startIndex=1&count=2"),
                total: Some(7),
                ..LIST
            }),
            "connection test"
        );
        let config = Look {
            operation: "discover",
            path: "/ServiceProviderConfig",
            total: None,
            is_first_use: true,
            ..LIST
        };
        assert_eq!(meaning(config), "connection test");
        for query in [
            "filter=userName+eq+%22a@x%22",
            "startIndex=1&count=100",
            "startIndex=3&count=2",
            "",
        ] {
            assert_eq!(
                meaning(Look {
                    query: Some(query),
                    ..LIST
                }),
                "looked for users: 0 found",
                "{query}"
            );
        }
        let found = Look {
            query: entra,
            total: Some(1),
            ..LIST
        };
        assert_eq!(meaning(found), "looked for users: 1 found");
        assert_eq!(
            meaning(Look {
                is_first_use: false,
                ..config
            }),
            "read what the service can do"
        );
    }

    /// features.md row 33: a refused change is said to be rejected.
    #[test]
    fn a_refusal_says_what_was_tried() {
        let create = Look {
            operation: "create",
            status: 400,
            total: None,
            ..LIST
        };
        assert_eq!(meaning(create), "rejected: create a user");
        assert_eq!(
            meaning(Look {
                status: 503,
                ..create
            }),
            "failed: create a user"
        );
        assert_eq!(
            meaning(Look {
                operation: "get",
                status: 404,
                ..create
            }),
            "not found: read a user"
        );
        let same = Look {
            operation: "patch",
            status: 200,
            ..create
        };
        assert_eq!(meaning(same), "changed nothing: the user was like that already");
    }
}
