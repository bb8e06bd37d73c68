//! Bodies of requests under way, for the history of those that fail.

use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The longest body that is remembered, in bytes.
const LONGEST: usize = 64 << 10;

/// How many bytes are remembered of all requests under way.
const ROOM: usize = 16 << 20;

/// How much room there is for bodies.
#[derive(Debug)]
pub(super) struct Room(AtomicUsize);

impl Default for Room {
    fn default() -> Self {
        Self(AtomicUsize::new(ROOM))
    }
}

impl Room {
    fn take(&self, bytes: usize) -> bool {
        let less = |left: usize| left.checked_sub(bytes);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// The bytes that a client has sent as a body so far. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct SentBody(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    room: Arc<Room>,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
enum Kept {
    Bytes(Vec<u8>),
    /// More than is remembered.
    TooMuch,
}

impl SentBody {
    pub(super) fn new(room: Arc<Room>) -> Self {
        Self(Arc::new(Inner {
            room,
            kept: Mutex::new(Kept::Bytes(Vec::new())),
        }))
    }

    /// Remembers what has come in.
    pub(crate) fn push(&self, chunk: &[u8]) {
        let mut kept = self.0.kept();
        let Kept::Bytes(bytes) = &mut *kept else { return };
        if bytes.len() + chunk.len() <= LONGEST && self.0.room.take(chunk.len()) {
            bytes.extend_from_slice(chunk);
            return;
        }
        self.0.room.give_back(bytes.len());
        *kept = Kept::TooMuch;
    }

    /// Takes what was remembered; `None` if nothing was sent.
    pub(crate) fn take(&self) -> Option<Sent> {
        let mut kept = self.0.kept();
        match &mut *kept {
            Kept::TooMuch => Some(Sent::TooMuch),
            Kept::Bytes(bytes) => {
                self.0.room.give_back(bytes.len());
                let bytes = mem::take(bytes);
                (!bytes.is_empty()).then_some(Sent::Whole(bytes))
            }
        }
    }
}

impl Inner {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Kept::Bytes(bytes) = &*self.kept() {
            self.room.give_back(bytes.len());
        }
    }
}

/// A body that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sent {
    /// All of it, as far as it was read.
    Whole(Vec<u8>),
    /// It was longer than what is remembered, or there was no room for it.
    TooMuch,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feature row 75: in bounded memory, which comes back when the requests end.
    #[test]
    fn bodies_of_requests_under_way_take_bounded_memory() {
        let room = Arc::new(Room::default());
        let chunk = vec![b'x'; LONGEST];
        let sent: Vec<_> = (0..ROOM / LONGEST + 5)
            .map(|_| {
                let sent = SentBody::new(Arc::clone(&room));
                sent.push(&chunk);
                sent
            })
            .collect();
        let kept = sent
            .iter()
            .filter(|sent| matches!(&*sent.0.kept(), Kept::Bytes(_)));
        assert_eq!(kept.count(), ROOM / LONGEST);
        assert_eq!(sent.last().unwrap().take(), Some(Sent::TooMuch));
        assert_eq!(sent[0].take(), Some(Sent::Whole(chunk.clone())));
        drop(sent);
        assert_eq!(room.0.load(Ordering::Relaxed), ROOM);

        let long = SentBody::new(Arc::clone(&room));
        long.push(&chunk);
        long.push(b"y");
        long.push(b"z");
        assert_eq!(long.take(), Some(Sent::TooMuch));
        assert_eq!(room.0.load(Ordering::Relaxed), ROOM);
        assert_eq!(SentBody::new(room).take(), None);
    }
}
