//! A network that behaves as networks do.

use std::time::Duration;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderValue, Method, StatusCode};

use super::random::Random;
use super::transport::{NoAnswer, Request, Response, Transport};

/// How often the network misbehaves, each in cases of a thousand requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Misbehaviour {
    /// The request never arrives.
    pub lost: u16,
    /// The server does what it is asked, and its answer never arrives.
    pub unanswered: u16,
    /// The request arrives twice; the second answer is the one that is seen.
    pub repeated: u16,
    /// A copy of a change arrives again later, behind other requests.
    pub late: u16,
    /// Something before the server asks for patience, with 429 or 503.
    pub throttled: u16,
}

impl Misbehaviour {
    /// Returns a network that does what it is told.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            lost: 0,
            unanswered: 0,
            repeated: 0,
            late: 0,
            throttled: 0,
        }
    }

    /// Returns a network in which every sixth request meets something.
    #[must_use]
    pub const fn rough() -> Self {
        Self {
            lost: 30,
            unanswered: 40,
            repeated: 30,
            late: 40,
            throttled: 20,
        }
    }
}

/// How often the network has misbehaved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NetworkCounts {
    /// Requests that never arrived.
    pub lost: u64,
    /// Answers that never arrived.
    pub unanswered: u64,
    /// Requests that arrived twice at once.
    pub repeated: u64,
    /// Requests that arrived a second time later.
    pub late: u64,
    /// Requests that were sent away with 429 or 503.
    pub throttled: u64,
}

impl NetworkCounts {
    pub(super) fn add(&mut self, more: Self) {
        self.lost += more.lost;
        self.unanswered += more.unanswered;
        self.repeated += more.repeated;
        self.late += more.late;
        self.throttled += more.throttled;
    }
}

/// Marks answers that are not the server's.
#[derive(Debug, Clone)]
pub(super) struct NotTheServers;

pub(super) struct Network<'t, T> {
    transport: &'t mut T,
    rates: Misbehaviour,
    random: Random,
    held: Option<Request>,
    pub(super) counts: NetworkCounts,
}

impl<'t, T: Transport> Network<'t, T> {
    pub(super) fn new(transport: &'t mut T, rates: Misbehaviour, random: Random) -> Self {
        Self {
            transport,
            rates,
            random,
            held: None,
            counts: NetworkCounts::default(),
        }
    }

    /// Takes its chances from another sequence.
    pub(super) fn turn_to(&mut self, random: Random) {
        self.random = random;
    }

    /// Calms the network: from now on it does what it is told; what it still holds arrives.
    pub(super) async fn calm(&mut self) {
        self.rates = Misbehaviour::none();
        self.release().await;
    }

    pub(super) async fn pause(&mut self, duration: Duration) {
        self.transport.pause(duration).await;
    }

    pub(super) async fn send(&mut self, request: Request) -> Result<Response, NoAnswer> {
        if self
            .held
            .as_ref()
            .is_some_and(|held| must_come_first(held, &request))
            || self.random.chance(100)
        {
            self.release().await;
        }
        if self.random.chance(self.rates.lost) {
            self.counts.lost += 1;
            return Err(NoAnswer("the request timed out".into()));
        }
        if self.random.chance(self.rates.throttled) {
            self.counts.throttled += 1;
            return Ok(self.throttle());
        }
        // Nothing on the way repeats what is not idempotent, but where the server can tell a second creation from the
        // first: two groups may have one name, two people not.
        let is_group = *request.method() == Method::POST && request.uri().path() != "/Users";
        let is_change = request.method() != Method::GET && !is_group;
        if is_change && self.random.chance(self.rates.repeated) {
            self.counts.repeated += 1;
            _ = self.transport.send(request.clone()).await;
        }
        if is_change
            && request.method() != Method::DELETE
            && self.held.is_none()
            && self.random.chance(self.rates.late)
        {
            self.held = Some(request.clone());
        }
        let answer = self.transport.send(request).await?;
        if self.random.chance(self.rates.unanswered) {
            self.counts.unanswered += 1;
            return Err(NoAnswer("the answer timed out".into()));
        }
        Ok(answer)
    }

    /// Lets everything arrive that the network still holds.
    pub(super) async fn release(&mut self) {
        if let Some(request) = self.held.take() {
            self.counts.late += 1;
            _ = self.transport.send(request).await;
        }
    }

    fn throttle(&mut self) -> Response {
        let mut response = Response::new(Bytes::from_static(b"slow down"));
        *response.status_mut() = if self.random.chance(500) {
            StatusCode::TOO_MANY_REQUESTS
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static("3"));
        response.extensions_mut().insert(NotTheServers);
        response
    }
}

/// Returns whether a late copy has to arrive before `next`. An old state that arrives behind a newer one, or a creation behind a
/// deletion, would be the network's lie: no server can tell it from a wish.
fn must_come_first(held: &Request, next: &Request) -> bool {
    if next.method() == Method::GET {
        return false;
    }
    let creates_or_deletes = |request: &Request| matches!(*request.method(), Method::POST | Method::DELETE);
    creates_or_deletes(held) || creates_or_deletes(next) || held.uri().path() == next.uri().path()
}
