//! The documents of a page, one after the other in one stream, each read as a body of its own.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt;

use crate::error::{Error, Result};
use crate::store::Body;
use crate::store::database::Stream;

/// Stands behind each document. JSON has control characters only as escapes.
pub(super) const END: u8 = 0x1E;

/// Returns the bodies of the first `count` documents of a stream. They are read in their order; what is left of those
/// that are not read to their end is skipped. The stream ends when all of them are dropped.
pub(super) fn split(stream: Stream, count: usize) -> Vec<Body> {
    let sequence = Arc::new(Mutex::new(Sequence {
        stream,
        rest: Bytes::new(),
        at: 0,
    }));
    let part = |index| Part {
        sequence: Arc::clone(&sequence),
        index,
        ended: false,
    };
    (0..count).map(|index| part(index).boxed_unsync()).collect()
}

struct Sequence {
    stream: Stream,
    /// The bytes that the stream has sent and nobody has read.
    rest: Bytes,
    /// The document to which the rest belongs.
    at: usize,
}

/// One document of the sequence.
struct Part {
    sequence: Arc<Mutex<Sequence>>,
    index: usize,
    ended: bool,
}

impl Sequence {
    /// Returns the next bytes of the current document. `None` at its end, after which the next one is current.
    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        while self.rest.is_empty() {
            match ready!(self.stream.poll_next(cx)) {
                Some(bytes) => self.rest = bytes?,
                None => return Poll::Ready(Err(Error::internal("a stream ended within a page"))),
            }
        }
        Poll::Ready(Ok(match memchr::memchr(END, &self.rest) {
            Some(0) => {
                self.rest = self.rest.slice(1..);
                self.at += 1;
                None
            }
            Some(end) => Some(self.rest.split_to(end)),
            None => Some(std::mem::take(&mut self.rest)),
        }))
    }

    fn poll_document(&mut self, index: usize, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        while self.at < index {
            _ = ready!(self.poll_bytes(cx))?;
        }
        if self.at > index {
            let why = "the documents of a page were not read in their order";
            return Poll::Ready(Err(Error::internal(why)));
        }
        self.poll_bytes(cx)
    }
}

impl Part {
    fn lock(&self) -> MutexGuard<'_, Sequence> {
        self.sequence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl http_body::Body for Part {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let bytes = ready!(self.lock().poll_document(self.index, cx)).transpose();
        self.ended = !matches!(bytes, Some(Ok(_)));
        Poll::Ready(bytes.map(|bytes| bytes.map(Frame::data)))
    }
}
