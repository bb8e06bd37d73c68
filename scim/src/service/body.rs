//! Bodies of answers.

use std::fmt::{self, Debug, Formatter};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::vec;

use bytes::Bytes;
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
    /// Pieces that are all there, none of them empty.
    Pieces(vec::IntoIter<Bytes>),
    /// Parts with holes, which are filled with the base URL on the way out.
    Parts(crate::store::Body, Arc<str>),
    /// A list that is too long for one piece.
    List(Box<ListParts>),
}

impl Body {
    /// Makes an empty body.
    #[must_use]
    pub fn empty() -> Self {
        Self(Kind::Empty)
    }

    /// Makes a body in one piece.
    #[must_use]
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        Self(Kind::Whole(bytes.into()))
    }

    /// Makes a body in pieces, none of them empty.
    pub(super) fn pieces(pieces: Vec<Bytes>) -> Self {
        Self(Kind::Pieces(pieces.into_iter()))
    }

    /// Makes a body of a store's document, with its holes filled.
    pub(super) fn of_document(document: Document, base: &str) -> Self {
        match document {
            Document::Whole(bytes) => Self::whole(filled(&bytes, base)),
            Document::Parts(parts) => Self(Kind::Parts(parts, base.into())),
        }
    }

    /// Makes a body of a list that is written while it is sent.
    pub(super) fn list(parts: ListParts) -> Self {
        Self(Kind::List(Box::new(parts)))
    }

    /// Returns the length, if it is known before the body is sent.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        http_body::Body::size_hint(self).exact()
    }

    /// Reads everything, for whoever cannot stream.
    ///
    /// # Errors
    /// Those of the store that makes the document while it is read.
    pub async fn into_bytes(self) -> Result<Bytes> {
        Ok(self.collect().await?.to_bytes())
    }
}

/// Returns the document with the base URL in its holes.
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
            Kind::Pieces(pieces) => Poll::Ready(pieces.next().map(|piece| Ok(Frame::data(piece)))),
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
            Kind::Pieces(pieces) => pieces.as_slice().is_empty(),
            Kind::Parts(parts, _) => parts.is_end_stream(),
            Kind::List(parts) => parts.is_end(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Pieces(pieces) => {
                SizeHint::with_exact(pieces.as_slice().iter().map(|piece| piece.len() as u64).sum())
            }
            Kind::Parts(..) | Kind::List(_) => SizeHint::default(),
        }
    }
}

impl Debug for Body {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Kind::Empty => "Body::Empty",
            Kind::Whole(_) => "Body::Whole",
            Kind::Pieces(_) => "Body::Pieces",
            Kind::Parts(..) => "Body::Parts",
            Kind::List(_) => "Body::List",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pieces = Vec<std::result::Result<Frame<Bytes>, Error>>;

    /// A body in pieces.
    struct Pieced(vec::IntoIter<std::result::Result<Frame<Bytes>, Error>>);

    impl http_body::Body for Pieced {
        type Data = Bytes;
        type Error = Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
            Poll::Ready(self.0.next())
        }
    }

    /// RFC 9110 section 8.6: the length is that of all pieces, and of those that are left once some are sent.
    #[tokio::test]
    async fn a_body_in_pieces_knows_its_length() {
        let mut body = Body::pieces(vec![Bytes::from_static(b"ab"), Bytes::from_static(b"c")]);
        assert_eq!(
            (body.length(), http_body::Body::is_end_stream(&body)),
            (Some(3), false)
        );
        body.frame().await.unwrap().unwrap();
        assert_eq!(
            (body.length(), http_body::Body::is_end_stream(&body)),
            (Some(1), false)
        );
        assert_eq!(
            body.frame().await.unwrap().unwrap().into_data().unwrap(),
            Bytes::from_static(b"c")
        );
        assert!(http_body::Body::is_end_stream(&body) && body.frame().await.is_none());
    }

    /// A stream of parts has holes, too.
    #[tokio::test]
    async fn holes_are_filled_while_parts_are_sent() {
        let parts = [&b"[\"\x01Users/1\","[..], b"\"\x01Users/2\"]"];
        let parts: Pieces = parts.map(|part| Ok(Frame::data(Bytes::from_static(part)))).into();
        let parts = Pieced(parts.into_iter());
        let document = Document::Parts(crate::store::Body::new(parts));
        let body = Body::of_document(document, "https://example.com/v2");
        assert_eq!(body.length(), None);
        assert_eq!(
            body.into_bytes().await.unwrap(),
            br#"["https://example.com/v2/Users/1","https://example.com/v2/Users/2"]"#[..]
        );
    }
}
