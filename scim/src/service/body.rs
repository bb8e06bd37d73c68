//! Bodies: what the service answers with, and reading what clients send.

use std::fmt::{self, Debug, Formatter};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;

use super::list_parts::ListParts;
use crate::error::{Error, Result};
use crate::projection::{Base, fill_holes};
use crate::store::Document;

/// The body of an answer: bytes, or a document that is made while it is sent.
#[derive(Default)]
pub struct Body(Kind);

#[derive(Default)]
enum Kind {
    #[default]
    Empty,
    Whole(Bytes),
    /// Parts with holes, which are filled with the base URL on the way out.
    Parts(crate::store::Body, Arc<str>),
    /// A list that is too long for one piece.
    List(Box<ListParts>),
}

impl Body {
    /// No body.
    #[must_use]
    pub fn empty() -> Self {
        Self(Kind::Empty)
    }

    /// A body in one piece.
    #[must_use]
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        Self(Kind::Whole(bytes.into()))
    }

    /// A store's document, with its holes filled.
    pub(super) fn of_document(document: Document, base: &str) -> Self {
        match document {
            Document::Whole(bytes) => Self::whole(filled(&bytes, base)),
            Document::Parts(parts) => Self(Kind::Parts(parts, base.into())),
        }
    }

    /// A list that is written while it is sent.
    pub(super) fn list(parts: ListParts) -> Self {
        Self(Kind::List(Box::new(parts)))
    }

    /// The length, where it is known before the body is sent.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        http_body::Body::size_hint(self).exact()
    }

    /// Everything, for whoever cannot stream.
    ///
    /// # Errors
    /// Those of the store that makes the document while it is read.
    pub async fn into_bytes(self) -> Result<Bytes> {
        Ok(self.collect().await?.to_bytes())
    }
}

/// The document with the base URL in its holes.
pub(super) fn filled(document: &[u8], base: &str) -> Vec<u8> {
    let mut out = Vec::new();
    fill_holes(document, Base::Url(base), &mut out);
    out
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match &mut self.0 {
            Kind::Empty => Poll::Ready(None),
            Kind::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                self.0 = Kind::Empty;
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Kind::Parts(parts, base) => {
                let frame = ready!(Pin::new(parts).poll_frame(cx));
                Poll::Ready(
                    frame.map(|frame| frame.map(|frame| frame.map_data(|data| filled(&data, base).into()))),
                )
            }
            Kind::List(parts) => {
                let piece = ready!(parts.poll_next(cx));
                Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Whole(bytes) => bytes.is_empty(),
            Kind::Parts(parts, _) => parts.is_end_stream(),
            Kind::List(parts) => parts.is_end(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Parts(..) | Kind::List(_) => SizeHint::default(),
        }
    }
}

impl Debug for Body {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Kind::Empty => "Body::Empty",
            Kind::Whole(_) => "Body::Whole",
            Kind::Parts(..) => "Body::Parts",
            Kind::List(_) => "Body::List",
        })
    }
}

/// Reads a request's body. Its length is charged before and while it is read.
///
/// # Errors
/// 413 naming the limit (RFC 7644 section 3.7.4), 400 if the connection breaks.
pub(super) async fn read<B>(body: B, headers: &HeaderMap, limit: BodyLimit) -> Result<Bytes>
where
    B: http_body::Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let announced = announced.and_then(|text| text.trim().parse::<u64>().ok());
    if let Some(length) = announced {
        limit.check(usize::try_from(length).unwrap_or(usize::MAX))?;
    }
    let mut body = pin!(body);
    let mut first: Option<Bytes> = None;
    let mut joined = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            Error::new(
                StatusCode::BAD_REQUEST,
                "The body of the request ended too early.",
            )
            .with_source(error)
        })?;
        let Ok(mut data) = frame.into_data() else { continue };
        let length = first.as_ref().map_or(0, Bytes::len) + joined.len();
        limit.check_begun(length.saturating_add(data.remaining()))?;
        let data = data.copy_to_bytes(data.remaining());
        // Most bodies come in one piece, which need not be copied.
        match first.take() {
            None if joined.is_empty() => first = Some(data),
            None => joined.extend_from_slice(&data),
            Some(begin) => {
                joined.extend_from_slice(&begin);
                joined.extend_from_slice(&data);
            }
        }
    }
    Ok(first.unwrap_or_else(|| joined.freeze()))
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
mod tests {
    use http_body_util::Full;

    use super::*;
    use crate::limits::exceeded;

    const TEN: BodyLimit = BodyLimit {
        bytes: 10,
        exceeded: exceeded::body,
    };

    type Pieces = Vec<std::result::Result<Frame<Bytes>, Error>>;

    /// A body in pieces that counts how many were taken.
    struct Counted(
        std::vec::IntoIter<std::result::Result<Frame<Bytes>, Error>>,
        Arc<std::sync::atomic::AtomicUsize>,
    );

    impl http_body::Body for Counted {
        type Data = Bytes;
        type Error = Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
            self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Poll::Ready(self.0.next())
        }
    }

    #[tokio::test]
    async fn an_announced_length_is_refused_unread() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, http::HeaderValue::from_static("11"));
        let taken = Arc::default();
        let body = Counted(Pieces::new().into_iter(), Arc::clone(&taken));
        let error = read(body, &headers, TEN).await.unwrap_err();
        assert_eq!(error.status(), 413);
        assert!(error.to_string().contains("10 bytes"), "{error}");
        assert_eq!(taken.load(std::sync::atomic::Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_body_without_a_length_is_cut_off_at_the_limit() {
        let taken = Arc::default();
        let pieces: Pieces = (0..1_000)
            .map(|_| Ok(Frame::data(Bytes::from_static(b"xxxx"))))
            .collect();
        let error = read(
            Counted(pieces.into_iter(), Arc::clone(&taken)),
            &HeaderMap::new(),
            TEN,
        )
        .await
        .unwrap_err();
        assert_eq!(error.status(), 413);
        assert_eq!(taken.load(std::sync::atomic::Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn a_body_of_exactly_the_limit_is_read() {
        let body = read(
            Full::new(Bytes::from_static(b"0123456789")),
            &HeaderMap::new(),
            TEN,
        )
        .await
        .unwrap();
        assert_eq!(body, b"0123456789"[..]);
        let taken = Arc::default();
        let pieces: Pieces = ["01", "234", "56789"]
            .map(|piece| Ok(Frame::data(Bytes::from(piece))))
            .into();
        let body = read(Counted(pieces.into_iter(), taken), &HeaderMap::new(), TEN)
            .await
            .unwrap();
        assert_eq!(body, b"0123456789"[..]);
    }

    /// A stream of parts has holes, too.
    #[tokio::test]
    async fn holes_are_filled_while_parts_are_sent() {
        let parts = [&b"[\"\x01Users/1\","[..], b"\"\x01Users/2\"]"];
        let parts: Pieces = parts.map(|part| Ok(Frame::data(Bytes::from_static(part)))).into();
        let parts = Counted(parts.into_iter(), Arc::default());
        let document = Document::Parts(crate::store::Body::new(parts));
        let body = Body::of_document(document, "https://example.com/v2");
        assert_eq!(body.length(), None);
        assert_eq!(
            body.into_bytes().await.unwrap(),
            br#"["https://example.com/v2/Users/1","https://example.com/v2/Users/2"]"#[..]
        );
    }
}
