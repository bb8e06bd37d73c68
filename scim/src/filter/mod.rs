//! Filters and the paths of PATCH operations: syntax, meaning, evaluation (RFC 7644 sections 3.4.2.2 and 3.5.2).

mod ast;
mod display;
mod parse;
mod patch_path;

pub use ast::{Comparison, Filter, Literal, Number, Operator, ValuePath};
pub use parse::Syntax;
pub use patch_path::PathExpression;
