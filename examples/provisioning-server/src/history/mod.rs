//! The API history: a row per request.
//!
//! The row of a request that changed something is inserted in the transaction of the change, by
//! [`database::history::insert`](crate::database::history::insert). Rows of reads and refusals are written behind by
//! the [`Recorder`], and so is what of a change is known only after it: a row of the same sequence is corrected.
//!
//! A change is told in words ([`change`]). Of a request that changed nothing codes are kept, and the view `history` of the
//! database makes the sentence.

mod bodies;
pub(crate) mod change;
pub(crate) mod connection_test;
mod recorder;
pub(crate) mod retention;

pub(crate) use bodies::{Sent, SentBody};
pub(crate) use recorder::Recorder;
