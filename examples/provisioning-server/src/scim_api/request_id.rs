//! The id that joins an answer, its history row and the identity provider's log.

use http::{HeaderMap, HeaderValue};
use uuid::Uuid;

/// The header in which the id comes and goes.
pub(crate) const HEADER: &str = "x-request-id";

/// The client's own id if it has a harmless one, else a new one.
pub(crate) fn of(headers: &HeaderMap) -> String {
    headers
        .get(HEADER)
        .and_then(|value| value.to_str().ok())
        .filter(|id| is_harmless(id))
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// Says the id in an answer.
pub(crate) fn put(headers: &mut HeaderMap, id: &str) {
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(HEADER, value);
    }
}

fn is_harmless(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    (1..=128).contains(&id.len()) && id.bytes().all(allowed) && !id.contains("scimp_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(id: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_str(id).unwrap());
        of(&headers)
    }

    #[test]
    fn a_clients_id_is_kept_if_it_is_harmless() {
        assert_eq!(with("req-1.2:3_X"), "req-1.2:3_X");
        for bad in ["", "a b", "<script>", &"x".repeat(129), "scimp_0123"] {
            assert_ne!(with(bad), bad);
        }
        assert_ne!(of(&HeaderMap::new()), of(&HeaderMap::new()));
    }
}
