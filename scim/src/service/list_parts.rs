//! A list in pieces: written at once, or while it is sent where its documents come from a store in parts or are together
//! too long for that.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::vec;

use bytes::Bytes;
use http_body::Body as _;

use crate::error::Result;
use crate::message::ListWriter;
use crate::projection::{Base, Filling};
use crate::store::{Body, Document, PAGE_IN_ONE_PIECE};

/// Bytes from which on a piece is sent. Much larger ones cost more than their copy: allocators give such memory back to the
/// system each time.
const PIECE: usize = 16 << 10;
/// Bytes by which a piece may be longer without being moved: those of a usual document.
const ROOM: usize = 4 << 10;
/// Bytes of a list beside its documents.
const AROUND: usize = 160;
/// The URLs of the service itself in most documents: the resource's own, and those of a group or two.
const USUAL_HOLES: usize = 3;

/// A list response on its way out.
pub(super) struct ListParts {
    /// Bytes that are written and not sent yet.
    out: Vec<u8>,
    /// `None` once the list has ended.
    list: Option<ListWriter>,
    documents: vec::IntoIter<Document>,
    /// The document that is being sent in parts.
    current: Option<Body>,
    filling: Filling,
    /// About how many bytes are still to be written; `None` where documents come in parts.
    left: Option<usize>,
}

impl ListParts {
    /// Makes a list of these documents, whose holes are filled with the base URL. How many match in all and which of them is the
    /// first here is said in the beginning, together with the number of documents.
    pub(super) fn new(total: u64, start: u64, documents: Vec<Document>, base: &str) -> Self {
        let lengths = documents.iter().map(|document| match document {
            Document::Whole(bytes) => Some(bytes.len() + USUAL_HOLES * base.len()),
            Document::Parts(_) => None,
        });
        let left = lengths.sum::<Option<usize>>().map(|length| length + AROUND);
        let mut out = Vec::with_capacity(room_for(left));
        let list = ListWriter::begin(&mut out, total, start, documents.len());
        Self {
            left,
            out,
            list: Some(list),
            documents: documents.into_iter(),
            current: None,
            filling: Filling::of(Base::Url(base)),
        }
    }

    /// Returns whether it is short enough to be written at once, and its documents are there.
    pub(super) fn is_short(&self) -> bool {
        self.left.is_some_and(|left| left <= PAGE_IN_ONE_PIECE)
    }

    /// Returns all pieces of a list whose documents are there.
    pub(super) fn written(mut self) -> Result<Vec<Bytes>> {
        let mut pieces = Vec::new();
        while let Poll::Ready(Some(piece)) = self.poll_next(&mut Context::from_waker(Waker::noop())) {
            pieces.push(piece?);
        }
        Ok(pieces)
    }

    pub(super) fn is_end(&self) -> bool {
        self.list.is_none() && self.out.is_empty()
    }

    /// Returns the next piece; nothing follows an error.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        while self.list.is_some() && self.out.len() < PIECE {
            match self.poll_fill(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => {
                    self.list = None;
                    self.out.clear();
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Pending if self.out.is_empty() => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        self.left = self.left.map(|left| left.saturating_sub(self.out.len()));
        let room = if self.list.is_some() {
            room_for(self.left)
        } else {
            0
        };
        let piece = std::mem::replace(&mut self.out, Vec::with_capacity(room));
        Poll::Ready((!piece.is_empty()).then(|| Ok(piece.into())))
    }

    /// Writes what comes next: a document, a part of one, or the end.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if let Some(body) = &mut self.current {
            let frame = match Pin::new(body).poll_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(frame) => frame.transpose()?,
            };
            match frame.map(http_body::Frame::into_data) {
                Some(Ok(part)) => self.filling.fill(&part, &mut self.out),
                // No trailers belong to a document.
                Some(Err(_)) => {}
                None => self.current = None,
            }
            return Poll::Ready(Ok(()));
        }
        let next = self.documents.next();
        let Some(list) = &mut self.list else {
            return Poll::Ready(Ok(()));
        };
        match next {
            Some(document) => {
                list.item(&mut self.out);
                match document {
                    Document::Whole(bytes) => self.filling.fill(&bytes, &mut self.out),
                    Document::Parts(body) => self.current = Some(body),
                }
            }
            None => {
                if let Some(list) = self.list.take() {
                    list.end(&mut self.out);
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Returns for how many bytes to make room if about so many are still to be written.
fn room_for(left: Option<usize>) -> usize {
    left.map_or(PIECE + ROOM, |left| left.min(PIECE + ROOM))
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use http_body_util::{BodyExt, StreamBody};

    use super::*;
    use crate::error::Error;

    type Frames = Vec<Result<http_body::Frame<Bytes>>>;

    fn parts(frames: Frames) -> Document {
        Document::Parts(StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync())
    }

    fn frame(text: &'static str) -> Result<http_body::Frame<Bytes>> {
        Ok(http_body::Frame::data(Bytes::from_static(text.as_bytes())))
    }

    /// Returns the pieces of a list whose documents never wait.
    fn pieces(mut list: ListParts) -> Vec<Result<Bytes>> {
        let mut cx = Context::from_waker(Waker::noop());
        let mut pieces = Vec::new();
        while let Poll::Ready(Some(piece)) = list.poll_next(&mut cx) {
            pieces.push(piece);
        }
        assert!(list.is_end());
        pieces
    }

    /// RFC 7644 section 3.4.2: the envelope is the same, however its documents come.
    #[test]
    fn documents_in_parts_stand_among_whole_ones() {
        let whole = |text: &'static str| Document::Whole(Bytes::from_static(text.as_bytes()));
        let documents = vec![
            whole(r#"{"id":"1"}"#),
            parts(vec![frame("{\"id\":"), frame("\"2\",\"at\":\"\u{1}Users/2\"}")]),
            whole(r#"{"id":"3"}"#),
        ];
        let pieces = pieces(ListParts::new(7, 2, documents, "https://example.com"));
        let text: Vec<u8> = pieces.into_iter().flat_map(Result::unwrap).collect();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            concat!(
                r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":7,"startIndex":2,"#,
                r#""itemsPerPage":3,"Resources":[{"id":"1"},{"id":"2","at":"https://example.com/Users/2"},{"id":"3"}]}"#
            )
        );
    }

    /// Issue 8, fault 1: what is held is a piece, not the list.
    #[test]
    fn a_long_list_is_written_piece_by_piece() {
        let document = Bytes::from(format!("\"{}\"", "x".repeat(1_000)));
        let documents = vec![document; 1_000].into_iter().map(Document::Whole).collect();
        let pieces = pieces(ListParts::new(1_000, 1, documents, "https://example.com"));
        let lengths: Vec<usize> = pieces.into_iter().map(|piece| piece.unwrap().len()).collect();
        assert!(lengths.iter().sum::<usize>() > 1_000_000);
        assert!(
            lengths.iter().all(|length| *length < PIECE + 2_000),
            "{lengths:?}"
        );
    }

    /// A list that breaks off does not end as if it were whole.
    #[test]
    fn nothing_follows_an_error() {
        let broken = parts(vec![frame("{\"id\":"), Err(Error::internal("the disk is gone"))]);
        let rest = Document::Whole(Bytes::from_static(b"{}"));
        let pieces = pieces(ListParts::new(2, 1, vec![broken, rest], "https://example.com"));
        assert!(pieces.last().unwrap().is_err());
        assert_eq!(pieces.iter().filter(|piece| piece.is_err()).count(), 1);
    }
}
