//! A request before anybody has decided about it, and the id that joins its answer, its history row and the identity
//! provider's log.

use std::time::Instant;

use axum::extract::Request;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use jiff::Timestamp;
use uuid::Uuid;

/// The header in which the id comes and goes.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// A request as it came in. [`Observe`](crate::operate::observe::Observe) leaves it in the request's extensions.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The client's own id of the request if it has a harmless one, else the sequence as text.
    pub(crate) id: String,
    /// Sorts the history row of the request.
    pub(crate) sequence: Uuid,
    pub(crate) method: Method,
    /// The URL, whose query may name people.
    pub(crate) uri: Uri,
    pub(crate) time: Timestamp,
    pub(crate) began: Instant,
}

impl Asked {
    pub(crate) fn of(request: &Request) -> Self {
        let sequence = Uuid::now_v7();
        Self {
            id: clients_id(request.headers()).map_or_else(|| sequence.to_string(), str::to_owned),
            sequence,
            method: request.method().clone(),
            uri: request.uri().clone(),
            time: Timestamp::now(),
            began: Instant::now(),
        }
    }

    /// Says the id in the answer.
    pub(crate) fn put_id(&self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_str(&self.id) {
            headers.insert(HEADER, value);
        }
    }
}

fn clients_id(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get(HEADER)?.to_str().ok()?;
    is_harmless(id).then_some(id)
}

fn is_harmless(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    (1..=128).contains(&id.len()) && id.bytes().all(allowed) && !id.contains("scimp_")
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn with(id: &str) -> Asked {
        let request = Request::get("/").header(HEADER, id).body(Body::empty());
        Asked::of(&request.unwrap())
    }

    #[test]
    fn a_clients_id_is_kept_if_it_is_harmless() {
        assert_eq!(with("req-1.2:3_X").id, "req-1.2:3_X");
        for bad in ["", "a b", "<script>", &"x".repeat(129), "scimp_0123"] {
            assert_ne!(with(bad).id, bad);
        }
    }

    /// One id is made for a request, and not two.
    #[test]
    fn a_request_without_an_id_is_called_by_its_sequence() {
        let (one, two) = (with(""), with(""));
        assert_eq!(one.id, one.sequence.to_string());
        assert_ne!(one.id, two.id);
    }
}
