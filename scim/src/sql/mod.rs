//! Filters and sorting as SQL, for applications whose resources are rows of their own tables.
//!
//! An application says with [`Columns`] which expression holds which attribute. [`Columns::compile`] makes a condition
//! with parameters of a resolved filter, or says by type what it cannot: see [`NotTranslatable`]. The condition selects
//! exactly the rows whose resources the filter [matches](crate::filter::ResolvedFilter::matches).
//!
//! ```
//! use scim::ScimResource;
//! use scim::sort::{Sort, SortOrder};
//! use scim::sql::{Column, Columns, Dialect, SqlValue};
//! use scim::value::{Meta, ResourceId};
//!
//! #[derive(Debug, Clone, PartialEq, ScimResource)]
//! #[scim(schema = "urn:example:2.0:Room", endpoint = "/Rooms")]
//! struct Room {
//!     id: ResourceId,
//!     meta: Meta,
//!     name: String,
//!     seats: Option<i64>,
//! }
//!
//! let rooms = Room::paths();
//! let columns = Columns::new(Dialect::Sqlite)
//!     .column(rooms.name(), Column::key("name_key"))
//!     .column(rooms.seats(), Column::integer("seats"));
//! let filter = rooms.name().starts_with("Al").and(!rooms.seats().eq(12)).resolve()?;
//! let sql = columns.compile(filter.expression())?;
//! assert_eq!(sql.condition, "(name_key >= ?1 AND name_key < ?2) AND (seats = ?3) IS NOT TRUE");
//! assert_eq!(sql.parameters, [SqlValue::Text("al".into()), SqlValue::Text("am".into()), SqlValue::Integer(12)]);
//!
//! let sort = Sort::resolve(&"name".parse()?, SortOrder::Ascending, Room::RESOURCE_TYPE.schema)?;
//! assert_eq!(columns.order_by(&sort)?, "(name_key IS NULL), name_key");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Of a [table](Columns::table) whose rows are resources, the same columns make the statements that read and write it:
//! [`store::table`](crate::store::table) has a whole store of that.

mod column;
mod columns;
mod comparison;
mod compile;
mod content;
mod dialect;
#[cfg(any(feature = "rusqlite", test))]
mod driver;
mod edge_table;
mod edges;
#[cfg(feature = "sqlite")]
mod key_range;
mod range;
mod row_table;
mod statement;
#[cfg(test)]
mod table_tests;
#[cfg(test)]
mod tests;
mod value;

pub use column::{Column, Rows};
pub use columns::Columns;
pub use compile::{NotTranslatable, SqlFilter};
pub(crate) use content::Content;
pub use dialect::Dialect;
pub use edge_table::EdgeTable;
pub(crate) use edge_table::ReachedRow;
pub(crate) use edges::EdgeChanges;
#[cfg(feature = "sqlite")]
pub(crate) use key_range::KeyRange;
#[cfg(feature = "sqlite")]
pub(crate) use range::{Bound, IS_NOT_TRUE, Range, Sink};
pub use statement::{Statement, Window};
pub use value::SqlValue;
