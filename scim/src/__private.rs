//! What the code written by the derives names. No part of the public interface.

pub use crate::error::Result;
pub use crate::path::{AttrPath, PathNode};
pub use crate::record::{
    Place, Record, ScimResource, apply_to_record, decode_record, decode_resource, missing,
};
pub use crate::schema::{
    Attribute, Mutability, ResourceType, Returned, Role, Schema, Shape, Type, Uniqueness,
};
pub use crate::value::{
    Change, Cx, Edit, ExternalId, Extra, Handler, Json, Meta, Multiple, Native, Optional, ResourceId, Scalar,
    ScimValue, View,
};
pub use std::borrow::Cow;
pub use std::marker::PhantomData;
pub use std::option::Option::{self, None, Some};
pub use std::result::Result::{Err, Ok};
pub use std::string::String;
