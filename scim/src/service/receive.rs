//! Bodies of requests: read within their limits of length, time and memory, or thrown away.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, Version};

use super::under_way::Charge;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::store::withdrawal::{Grant, Withdrawal};
use crate::timer::Timer;

/// The time over which the rate of a body is measured.
const WINDOW: Duration = Duration::from_secs(10);

/// The body of a request while it comes in.
pub(super) struct Incoming<'a, B> {
    body: Pin<&'a mut B>,
    arrival: Arrival<'a>,
    /// The length that the head of the request announces.
    announced: Option<u64>,
    /// Whether the client sends nothing before it is told to go on (RFC 9110 section 10.1.1).
    waits: bool,
    /// The last piece was read.
    ended: bool,
    /// The end of the access of its tenant.
    withdrawal: Option<Withdrawal>,
}

impl<'a, B> Incoming<'a, B>
where
    B: http_body::Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    pub(super) fn new(
        body: Pin<&'a mut B>,
        headers: &HeaderMap,
        limits: &'a Limits,
        timer: &'a dyn Timer,
    ) -> Self {
        Self {
            body,
            arrival: Arrival::new(limits, timer),
            announced: announced(headers),
            waits: headers.contains_key(EXPECT),
            ended: false,
            withdrawal: None,
        }
    }

    /// Has the body end with the access of its tenant.
    pub(super) fn end_with(&mut self, grant: Option<Grant>) {
        self.withdrawal = grant.map(Withdrawal::of);
    }

    /// Reads the body. Its length is charged before and while it is read.
    ///
    /// # Errors
    /// 413 naming the limit (RFC 7644 section 3.7.4); 408 for one that comes too slowly; 429 and 503 where `charge` has
    /// no room; 503 when the access of its tenant is withdrawn; 400 if the connection breaks.
    pub(super) async fn read(&mut self, most: BodyLimit, charge: &mut Charge<'_>) -> Result<Bytes> {
        if let Some(length) = self.announced {
            most.check(usize::try_from(length).unwrap_or(usize::MAX))?;
        }
        let mut gathered = Gathered::default();
        while let Some(mut data) = self.next().await? {
            most.check_begun(gathered.length.saturating_add(data.remaining()))?;
            charge.add(data.remaining())?;
            gathered.push(data.copy_to_bytes(data.remaining()));
        }
        Ok(gathered.into_bytes())
    }

    /// Reads what is left and keeps nothing of it: a client that sends before it listens loses the answer if the
    /// connection is closed meanwhile. A rest that is too long for that, or too slow, is not waited for.
    pub(super) async fn discard(&mut self) {
        let most = self.arrival.limits.discarded_body;
        let is_too_long = self.announced.is_some_and(|length| length > most as u64);
        if self.is_read() || self.waits || self.arrival.is_over || is_too_long {
            return;
        }
        let mut discarded: usize = 0;
        while let Ok(Some(data)) = self.next().await {
            discarded = discarded.saturating_add(data.remaining());
            if discarded > most {
                return;
            }
        }
    }

    /// Returns whether nothing is left to read, so that another request can follow on the connection.
    pub(super) fn is_read(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }

    async fn next(&mut self) -> Result<Option<B::Data>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<B::Data>>> {
        loop {
            let Poll::Ready(frame) = self.body.as_mut().poll_frame(cx) else {
                self.poll_withdrawal(cx)?;
                ready!(self.arrival.poll_window(cx))?;
                continue;
            };
            let Some(frame) = frame else {
                self.ended = true;
                return Poll::Ready(Ok(None));
            };
            match frame.map_err(broken)?.into_data() {
                Ok(data) => {
                    self.check_access()?;
                    self.waits = false;
                    self.arrival.came_in(data.remaining());
                    return Poll::Ready(Ok(Some(data)));
                }
                Err(_trailers) => {}
            }
        }
    }
}

impl<B> Incoming<'_, B> {
    /// Waits for the end of the access beside something else.
    ///
    /// # Errors
    /// That it has ended.
    fn poll_withdrawal(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let Some(withdrawal) = &mut self.withdrawal else {
            return Ok(());
        };
        match Pin::new(withdrawal).poll(cx) {
            Poll::Pending => Ok(()),
            Poll::Ready(error) => self.access_ended(error),
        }
    }

    fn check_access(&mut self) -> Result<()> {
        let access = self.withdrawal.as_ref().map(Withdrawal::grant);
        match access.map_or(Ok(()), Grant::check) {
            Ok(()) => Ok(()),
            Err(error) => self.access_ended(error),
        }
    }

    /// Ends the reading with the error: nothing more is read, and nothing thrown away either.
    fn access_ended(&mut self, error: Error) -> Result<()> {
        self.withdrawal = None;
        self.arrival.is_over = true;
        Err(error)
    }
}

/// Bytes of a segment.
const SEGMENT: usize = 64 << 10;

/// The part of a body that has come in. It takes no more memory than it has bytes, but for a part of the last segment: not the room
/// for what may never come, nor that of many tiny pieces.
#[derive(Default)]
struct Gathered {
    length: usize,
    /// Most bodies come in one piece, which need not be copied.
    only: Option<Bytes>,
    segments: Vec<BytesMut>,
}

impl Gathered {
    fn push(&mut self, piece: Bytes) {
        if self.length == 0 {
            self.length = piece.len();
            self.only = Some(piece);
            return;
        }
        self.length += piece.len();
        for piece in self.only.take().into_iter().chain([piece]) {
            self.copy(&piece);
        }
    }

    fn copy(&mut self, piece: &[u8]) {
        let room = |last: &BytesMut| last.capacity() - last.len();
        let (fits, rest) = piece.split_at(self.segments.last().map_or(0, room).min(piece.len()));
        if let Some(last) = self.segments.last_mut() {
            last.extend_from_slice(fits);
        }
        for piece in rest.chunks(SEGMENT) {
            let mut segment = BytesMut::with_capacity(SEGMENT);
            segment.extend_from_slice(piece);
            self.segments.push(segment);
        }
    }

    fn into_bytes(self) -> Bytes {
        if let Some(only) = self.only {
            return only;
        }
        let mut joined = BytesMut::with_capacity(self.length);
        for segment in self.segments {
            joined.extend_from_slice(&segment);
        }
        joined.freeze()
    }
}

/// How fast a body comes in. Time is only measured while a body keeps us waiting.
struct Arrival<'a> {
    limits: &'a Limits,
    timer: &'a dyn Timer,
    /// How much of the time is left after the present window.
    left: Duration,
    window: Option<Window>,
    is_over: bool,
}

struct Window {
    length: Duration,
    end: Pin<Box<dyn Future<Output = ()> + Send>>,
    bytes: usize,
}

impl<'a> Arrival<'a> {
    fn new(limits: &'a Limits, timer: &'a dyn Timer) -> Self {
        Self {
            limits,
            timer,
            left: limits.body_time,
            window: None,
            is_over: false,
        }
    }

    fn came_in(&mut self, bytes: usize) {
        if let Some(window) = &mut self.window {
            window.bytes = window.bytes.saturating_add(bytes);
        }
    }

    /// Waits for the end of the present window.
    ///
    /// # Errors
    /// 408 if too little came in, or if it was the last window.
    fn poll_window(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let window = match &mut self.window {
            Some(window) => window,
            None => {
                let length = self.left.min(WINDOW);
                self.left = self.left.saturating_sub(length);
                let end = self.timer.sleep(length);
                self.window.insert(Window {
                    length,
                    end,
                    bytes: 0,
                })
            }
        };
        ready!(window.end.as_mut().poll(cx));
        let (came, length) = (window.bytes, window.length);
        self.window = None;
        let outcome = self.judge(came, length);
        self.is_over = outcome.is_err();
        Poll::Ready(outcome)
    }

    fn judge(&self, came: usize, length: Duration) -> Result<()> {
        let rate = self.limits.body_rate;
        let too_slow = (came as u128) * 1_000 < (rate as u128) * length.as_millis();
        let (limit, why) = if too_slow {
            let seconds = length.as_secs_f64();
            let why = format!(
                "The body of this request came too slowly, {came} bytes in {seconds} seconds; expected at least {rate} \
                 bytes a second (limit body_rate)."
            );
            ("body_rate", why)
        } else if self.left.is_zero() {
            let most = self.limits.body_time.as_secs_f64();
            let why = format!(
                "The body of this request took longer than {most} seconds (limit body_time): send less in one request."
            );
            ("body_time", why)
        } else {
            return Ok(());
        };
        Err(Error::new(StatusCode::REQUEST_TIMEOUT, why).with_limit(limit))
    }
}

/// Returns the length of a body as its head says it (RFC 9110 section 8.6).
fn announced(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(CONTENT_LENGTH)?.to_str().ok()?;
    text.trim().parse().ok()
}

/// Says that the connection ends with an answer, where it does because the body was not read: RFC 9112 section 9.6.
/// HTTP/2 ends the stream alone.
pub(super) fn close(version: Version, answer: &mut HeaderMap) {
    if version < Version::HTTP_2 {
        answer.insert(CONNECTION, HeaderValue::from_static("close"));
    }
}

/// Says that the connection ends with an answer that comes before the body of its request.
///
/// A layer that refuses requests before they reach a service calls it with the head and the body of the request: the
/// connection can carry no other request then, and `Connection: close` tells the client of HTTP/1 (RFC 9112 section
/// 9.6). Nothing is read of the body.
///
/// ```
/// use http::{Request, Response};
/// use scim::service::close_unread;
///
/// let (head, body) = Request::post("/Users").body("{}".to_owned()).unwrap().into_parts();
/// let mut refusal = Response::new(());
/// close_unread(&head, &body, refusal.headers_mut());
/// assert_eq!(refusal.headers()["connection"], "close");
/// ```
pub fn close_unread(head: &Parts, body: &impl http_body::Body, answer: &mut HeaderMap) {
    if !body.is_end_stream() {
        close(head.version, answer);
    }
}

fn broken(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(
        StatusCode::BAD_REQUEST,
        "The body of the request ended too early.",
    )
    .with_source(cause)
}

/// How many bytes a body may have, by which limit.
#[derive(Clone, Copy)]
pub(super) struct BodyLimit {
    pub(super) bytes: usize,
    /// Makes the error of the limit.
    pub(super) exceeded: fn(usize, Option<usize>) -> Error,
}

impl BodyLimit {
    /// Refuses a body of this length if that is too long.
    pub(super) fn check(self, length: usize) -> Result<()> {
        match length > self.bytes {
            true => Err((self.exceeded)(self.bytes, Some(length))),
            false => Ok(()),
        }
    }

    /// Refuses a body of which this much has come in.
    fn check_begun(self, length: usize) -> Result<()> {
        match length > self.bytes {
            true => Err((self.exceeded)(self.bytes, None)),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
