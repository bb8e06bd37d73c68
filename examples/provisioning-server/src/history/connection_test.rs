//! Requests that are only there to test the connection.

use scim::service::Operation;
use url::form_urlencoded;
use uuid::Uuid;

/// A request that was answered, as far as it tells that somebody tests the connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered<'a> {
    /// The operation, if the request got that far.
    pub(crate) operation: Option<Operation>,
    /// The path of the URL.
    pub(crate) path: &'a str,
    /// The query of the URL, which is looked at and not kept.
    pub(crate) query: Option<&'a str>,
    /// How many resources a list has found.
    pub(crate) total: Option<u64>,
}

/// Returns whether it is what a provider sends when its administrator tests the connection. `is_first_use` says whether the token
/// was used for the first time.
pub(crate) fn is_connection_test(answered: Answered<'_>, is_first_use: impl FnOnce() -> bool) -> bool {
    match answered.operation {
        Some(Operation::Query) => is_test_list(answered),
        Some(Operation::Discover) => is_configuration(answered.path) && is_first_use(),
        _ => false,
    }
}

fn is_test_list(answered: Answered<'_>) -> bool {
    let Some(query) = answered.query else { return false };
    let mut filter = None;
    let mut start = None;
    let mut count = None;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match name.to_ascii_lowercase().as_str() {
            "filter" => filter = Some(value),
            "startindex" => start = value.parse::<i64>().ok(),
            "count" => count = value.parse::<i64>().ok(),
            _ => {}
        }
    }
    match filter {
        // Microsoft Entra ID looks for somebody who cannot exist.
        Some(filter) => answered.total == Some(0) && asks_for_a_guid(&filter),
        // Okta asks for the first two users.
        None => start.unwrap_or(1) == 1 && count.is_some_and(|count| count <= 2),
    }
}

fn is_configuration(path: &str) -> bool {
    let last = path.trim_end_matches('/').rsplit('/').next();
    last.is_some_and(|last| last.eq_ignore_ascii_case("ServiceProviderConfig"))
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

    const LIST: Answered<'static> = Answered {
        operation: Some(Operation::Query),
        path: "/scim/acme/v2/Users",
        query: None,
        total: Some(0),
    };

    /// Providers test a connection before an administrator may switch it on: the history says so.
    #[test]
    fn a_connection_test_is_recognised() {
        let entra = Some("filter=userName+eq+%22cbdc8aa1-a1f1-4a55-a2a5-3e6b8f4b1a6e%22");
        let is_test = |answered| is_connection_test(answered, || false);
        assert!(is_test(Answered { query: entra, ..LIST }));
        assert!(is_test(Answered {
            query: Some("startIndex=1&count=2"),
            total: Some(7),
            ..LIST
        }));
        for query in [
            "filter=userName+eq+%22a@x%22",
            "startIndex=1&count=100",
            "startIndex=3&count=2",
            "",
        ] {
            let query = Some(query);
            assert!(!is_test(Answered { query, ..LIST }), "{query:?}");
        }
        assert!(!is_test(LIST));
        assert!(!is_test(Answered {
            query: entra,
            total: Some(1),
            ..LIST
        }));
    }

    #[test]
    fn the_configuration_is_a_test_when_a_token_is_new() {
        let config = |path| Answered {
            operation: Some(Operation::Discover),
            path,
            total: None,
            ..LIST
        };
        for path in [
            "/scim/acme/v2/ServiceProviderConfig",
            "/scim/acme/serviceproviderconfig/",
        ] {
            assert!(is_connection_test(config(path), || true), "{path}");
            assert!(!is_connection_test(config(path), || false), "{path}");
        }
        let schemas = config("/scim/serviceproviderconfig/v2/Schemas");
        assert!(!is_connection_test(schemas, || true));
    }
}
