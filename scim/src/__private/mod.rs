//! The items that the code written by the derives names. They are not part of the public interface.

mod assert;
mod node;
mod parts;

pub use crate::error::Result;
pub use crate::filter::Text;
pub use crate::fold::Fold;
pub use crate::path::{AttrPath, PathNode};
pub use crate::record::{
    ExtensionSet, Place, Record, ScimExtension, ScimResource, apply_to_record, decode_record,
    decode_resource, missing,
};
pub use crate::schema::{
    Attribute, Format, Mutability, ResourceType, Returned, Role, Schema, Shape, Type, Uniqueness,
};
pub use crate::value::{
    Change, Cx, Edit, ExternalId, Extra, Handler, Json, Meta, Multi, Multiple, Native, Optional, ResourceId,
    Scalar, ScimValue, View,
};
pub use assert::{assert_distinct, assert_format, assert_keyed, assert_leaf, assert_reference, assert_text};
pub use node::Node;
pub use parts::{
    Joined, edges, extension, initial, keyword, or_absent, other_keyword, put, put_some, unknown_keyword,
};
pub use std::boxed::Box;
pub use std::clone::Clone;
pub use std::cmp::PartialEq;
pub use std::default::Default;
pub use std::fmt::Debug;
pub use std::marker::{Copy, Send, Sync};
pub use std::option::Option::{self, None, Some};
pub use std::result::Result::{Err, Ok};
