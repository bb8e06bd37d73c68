//! Filters and the paths of PATCH operations: syntax, meaning, evaluation (RFC 7644 sections 3.4.2.2 and 3.5.2).

mod ast;
mod display;
mod evaluate;
mod expression;
mod numeric;
mod parse;
mod patch_path;
mod reference;
mod resolve;
#[cfg(test)]
pub(crate) mod sample;
mod typed;

pub use ast::{Comparison, Filter, Literal, Number, Operator, ValuePath};
pub use expression::{Compare, Expression, Operand};
pub use numeric::Numeric;
pub use parse::Syntax;
pub use patch_path::PathExpression;
pub use reference::{PathTest, ReferenceOperand};
pub use resolve::{Resolve, ResolvedFilter, Unknown};
pub use typed::{ComparableTo, Text, TypedFilter};
