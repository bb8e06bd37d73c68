//! The tolerances for their whole kind: every attribute of every resource below, every way in, in memory and in SQLite,
//! beside the answers of the strict policy.
//!
//! The first of them is that nothing is lost that was not named: after a PATCH, whatever is gone was named by a path
//! without a selector, or by a selector or value that matches it; after a PUT, an attribute sent as a list of which
//! nothing is left is unchanged, and an omitted one goes, but for edges.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod names;
mod no_value;
mod nothing_lost;
mod nothing_lost_law;
mod peer;
mod resource;
mod schemas;
mod switch;
mod wrapped;
