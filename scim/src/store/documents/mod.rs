//! A document store for every derived resource.

mod carry_over;
mod check;
mod column;
mod composed;
mod core;
mod dialect;
mod document;
mod edges;
mod export;
mod import;
mod import_line;
mod in_transaction;
mod joins;
mod key;
mod keys;
mod kind;
mod layout;
mod open;
mod page_rows;
mod pages;
mod plan;
mod prepared;
mod purge;
mod query;
mod row_key;
mod rows;
mod selection;
mod sequence;
mod show;
mod store;
mod tables;
mod weight;
mod write;

#[cfg(test)]
mod tests;

pub use check::{Checked, Finding, Inspected, Inspector};
pub use export::{Export, Tally};
pub use import::Import;
pub use import_line::ImportLine;
pub use joins::{EdgeRows, row_of};
pub use open::Builder;
pub use store::DocumentStore;
