use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

use http_body::Frame;

use super::*;
use crate::limits::exceeded;
use crate::service::under_way::UnderWay;
use crate::store::withdrawal::{Label, Withdrawals};

/// The next step of a client.
enum Next {
    Sends(&'static [u8]),
    /// Sends nothing until this much time has passed.
    Waits(u64),
}
use Next::{Sends, Waits};

/// A client that sends by the clock of the test, and counts how many pieces were taken.
struct Client {
    script: VecDeque<Next>,
    taken: usize,
    clock: Clock,
}

impl http_body::Body for Client {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.script.pop_front() {
            Some(Waits(seconds)) => {
                self.clock.pass(seconds as usize);
                Poll::Pending
            }
            Some(Sends(bytes)) => {
                self.taken += 1;
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(bytes)))))
            }
            None => Poll::Ready(None),
        }
    }
}

/// A clock that is moved by hand.
#[derive(Clone, Default)]
struct Clock(Arc<AtomicUsize>);

impl Clock {
    fn pass(&self, seconds: usize) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Timer for Clock {
    fn sleep(&self, length: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let clock = self.clone();
        let mut end = None;
        Box::pin(poll_fn(move |_| {
            let now = clock.0.load(Ordering::Relaxed);
            let end = *end.get_or_insert(now + length.as_secs() as usize);
            match now >= end {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        }))
    }
}

/// The outcome of a body.
struct Read {
    outcome: Result<Bytes>,
    /// How many pieces were taken until it was decided.
    taken: usize,
    /// Whether nothing is left after what could be discarded was.
    is_read: bool,
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

const HUNDRED: BodyLimit = BodyLimit {
    bytes: 100,
    exceeded: exceeded::body,
};

fn limits() -> Limits {
    Limits {
        body_time: Duration::from_secs(25),
        body_rate: 2,
        discarded_body: 100,
        ..Limits::default()
    }
}

/// Reads a body of at most a hundred bytes, and discards what is left.
fn read(headers: &[(&'static str, &'static str)], script: impl IntoIterator<Item = Next>) -> Read {
    let clock = Clock::default();
    let mut client = pin!(Client {
        script: script.into_iter().collect(),
        taken: 0,
        clock: clock.clone(),
    });
    let headers = headers
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
        .collect();
    let limits = limits();
    let under_way = UnderWay::new(&limits);
    let (outcome, taken, is_read) = block_on(async {
        let mut sent = Incoming::new(client.as_mut(), &headers, &limits, &clock);
        let outcome = sent.read(HUNDRED, &mut under_way.begin(None)).await;
        let taken = sent.body.taken;
        sent.discard().await;
        (outcome, taken, sent.is_read())
    });
    Read {
        outcome,
        taken,
        is_read,
    }
}

const TEN: &[u8] = b"0123456789";

fn tens(count: usize) -> impl Iterator<Item = Next> {
    (0..count).map(|_| Sends(TEN))
}

#[test]
fn a_body_of_exactly_the_limit_is_read_however_it_comes() {
    let whole = read(&[("content-length", "100")], tens(10));
    assert_eq!(whole.outcome.unwrap().len(), 100);
    assert!(whole.is_read);
    let one = read(&[], [Sends(TEN)]).outcome.unwrap();
    assert_eq!(one, TEN);
    let pieces = read(&[], [Sends(b"01"), Sends(b"234"), Waits(1), Sends(b"56789")]);
    assert_eq!(pieces.outcome.unwrap(), TEN);
}

/// RFC 7644 section 3.7.4: the limit is named, and nothing beyond it is kept.
#[test]
fn a_body_without_a_length_is_refused_at_the_limit() {
    let read = read(&[], tens(15));
    let error = read.outcome.unwrap_err();
    assert_eq!(error.status(), 413);
    assert!(error.to_string().contains("100 bytes"), "{error}");
    assert_eq!(read.taken, 11);
    assert!(read.is_read, "a client that sends before it listens sees why");
}

/// F8: what is announced is refused before any of it is kept, and then thrown away, so that the answer arrives.
#[test]
fn what_is_refused_is_discarded_as_far_as_that_is_bounded() {
    let announced = ("content-length", "101");
    assert!(!read(&[announced], tens(12)).is_read, "the bound counts");
    let short = read(&[], tens(20));
    assert_eq!(short.outcome.unwrap_err().status(), 413);
    assert!(short.is_read);
    let endless = read(&[], tens(1_000));
    assert_eq!(endless.outcome.unwrap_err().status(), 413);
    assert!(!endless.is_read);
}

/// RFC 9110 section 10.1.1: a client that waits to be told to go on is not told so for what is thrown away.
#[test]
fn a_client_that_waits_for_permission_is_not_asked_for_its_body() {
    let read = read(&[("content-length", "101"), ("expect", "100-continue")], tens(12));
    assert_eq!(read.outcome.unwrap_err().status(), 413);
    assert_eq!((read.taken, read.is_read), (0, false));
}

/// F4: a body at less than the least rate is 408 after the first ten seconds, and not waited for any longer.
#[test]
fn a_body_that_comes_too_slowly_is_408() {
    let slow = (0..60).flat_map(|_| [Sends(b"x"), Waits(1)]);
    let slow = read(&[], slow);
    let error = slow.outcome.unwrap_err();
    assert_eq!(error.status(), 408);
    let said = "10 bytes in 10 seconds; expected at least 2 bytes a second";
    assert!(error.to_string().contains(said), "{error}");
    assert!(!slow.is_read);
    let silent = read(&[], [Sends(b"x"), Waits(10), Waits(10), Sends(b"y")]);
    assert_eq!(silent.outcome.unwrap_err().status(), 408);
}

/// F4: however fast it comes, a body has its time.
#[test]
fn a_body_that_takes_too_long_is_408() {
    let steady = (0..40).flat_map(|_| [Sends(b"xx"), Waits(1)]);
    let error = read(&[], steady).outcome.unwrap_err();
    assert_eq!(error.status(), 408);
    assert!(error.to_string().contains("longer than 25 seconds"), "{error}");
    let in_time = (0..24).flat_map(|_| [Sends(b"xx"), Waits(1)]);
    assert_eq!(read(&[], in_time).outcome.unwrap().len(), 48);
}

/// Issue 9: a body whose tenant loses its access is 503, whether it is waited for or keeps coming; of the rest, nothing is
/// thrown away.
#[test]
fn a_body_ends_with_the_access_of_its_tenant() {
    for next in [Waits(1), Sends(TEN)] {
        let withdrawals = Arc::new(Withdrawals::default());
        let (clock, limits, headers) = (Clock::default(), limits(), HeaderMap::new());
        let under_way = UnderWay::new(&limits);
        let mut client = pin!(Client {
            script: [Sends(TEN), Waits(1), next].into_iter().chain(tens(5)).collect(),
            taken: 0,
            clock: clock.clone(),
        });
        let mut sent = Incoming::new(client.as_mut(), &headers, &limits, &clock);
        sent.end_with(Some(withdrawals.grant(Label::of("acme"))));
        let mut charge = under_way.begin(Some("acme"));
        let mut reading = Box::pin(sent.read(HUNDRED, &mut charge));
        let mut poll = || reading.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(poll().is_pending());
        withdrawals.withdraw("other");
        withdrawals.withdraw("acme");
        let Poll::Ready(Err(error)) = poll() else {
            panic!("the body goes on");
        };
        assert_eq!(error.status(), 503);
        drop(reading);
        block_on(sent.discard());
        assert!(!sent.is_read());
    }
}
