//! Attribute values: what stands in a JSON document, the types it becomes, and how they are read and changed.

pub(crate) mod base_urls;
mod binary;
mod common;
mod complex;
mod context;
mod date_time;
mod edges;
mod edit;
mod external;
mod extra;
mod handler;
pub mod json;
mod multiple;
mod no_value;
mod option;
mod reference;
mod scalars;
mod scim_value;
pub(crate) mod view;

pub use base_urls::BaseUrls;
pub use binary::Binary;
pub use common::{ExternalId, Meta, MetaPaths, ResourceId};
pub use complex::{Place, Record, apply_to_record, decode_record, missing};
pub(crate) use complex::{decode_members, position_of};
pub use context::{Coerce, Coerced, Cx, Fired, Fitted, Intent, Leniency, NOT_KEPT, Prohibition, Strict};
pub use date_time::DateTime;
pub use edges::Edges;
pub use edit::{Action, Change, Edit, Op, Select};
pub use extra::Extra;
pub use handler::{Handler, Multiple, Native, Optional};
pub use json::{Json, JsonBuf};
pub(crate) use multiple::{can_have_value, is_label, is_value, omits_valueless};
pub use no_value::{Meaning, NoValue, Position};
pub use reference::Reference;
pub use scim_value::{Scalar, ScimValue};
pub use view::{Multi, View};
