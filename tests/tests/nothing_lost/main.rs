//! Nothing is lost that was not named: after a PATCH, whatever is gone was named by a path without a selector, or by a
//! selector or value that matches it; after a PUT, an attribute sent as a list of which nothing is left is unchanged,
//! and an omitted one goes, but for edges.
//!
//! For every multi-valued attribute of the resources below, in memory and in SQLite.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod law;
mod matrix;
mod peer;
mod resource;
