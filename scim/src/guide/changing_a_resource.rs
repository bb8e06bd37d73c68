//! Changing a resource that is already stored: what may change in a struct, and what becomes of the rows that are there.
//!
//! A row of the document store (`scim::store::documents`, feature `sqlite`) knows by which layout it was written: names, types, `returned`, what is
//! required, canonical values. A row of today's layout is handed out as it is. Any other is read and rendered anew, so
//! that nothing is shown that may not be shown any more. It gets today's layout when it is next written; nothing rewrites
//! rows on its own, and a program that goes back to the struct before finds what has not been written since.
//!
//! | change of the struct | rows that are there |
//! |---|---|
//! | a new attribute that is not required (`Option`, `Vec`), a new extension | do not have it |
//! | a new attribute that is required | do not show it; a PATCH is 400 and names it, until a PUT gives it |
//! | an attribute is gone, or an extension | do not show it any more |
//! | an attribute has another name | as if one were gone and another new: the value stays behind |
//! | another type (text becomes a number, one value a list, `Vec` becomes `Edges`) | do not show a value that does not fit; a PATCH is 400 and names it, until a PUT gives it. A list does not become edges: it has to be written again |
//! | a variant of an enum is gone | the same |
//! | another `returned`, `transient` | are shown by the new rule at once |
//! | `indexed`, `case_exact`, `fold` | get their keys when the store is opened |
//! | `unique` | the same; where two rows have one value, `build()` fails and says so |
//! | another URN of the schema, another endpoint | are shown with it at once |
//! | another `name` of the resource type | are of another type, and not found |
//!
//! A DELETE always works, and so does a PUT that gives all that is required. A 400 of this kind says: "Attribute seats is
//! missing or not valid in the resource as it is stored, which an earlier version of this service has written: replace the
//! whole resource with PUT." Okta sends PUTs of people anyway; for Entra ID and others that PATCH, give a new attribute a type that
//! need not be there.
//!
//! # A new attribute with a default
//!
//! An attribute that every resource must have begins as an `Option`; a [rule](crate::store::Hooks::before_write) fills it in
//! on the next write of each:
//!
//! ```
//! use scim::ScimResource;
//! use scim::store::Hooks;
//! use scim::value::{Meta, ResourceId};
//!
//! #[derive(Debug, Clone, PartialEq, ScimResource)]
//! #[scim(schema = "urn:example:2.0:License")]
//! struct License {
//!     id: ResourceId,
//!     meta: Meta,
//!     name: String,
//!     /// New in this version.
//!     seats: Option<u32>,
//! }
//!
//! let hooks = Hooks::<()>::new().before_write::<License>(|_, proposed| {
//!     if let Some(license) = proposed.after_mut() {
//!         license.seats.get_or_insert(1);
//!     }
//!     Ok(())
//! });
//! # _ = hooks;
//! ```
//!
//! # Another name, another type
//!
//! Keep the old field beside the new one for a while, marked `#[scim(returned = "never")]`, and have a rule take the value
//! over. Or give the attribute the old name with `#[scim(rename = "…")]`: only the field in Rust has the new one.
//!
//! # Other stores
//!
//! Over [own tables](crate::store::table) the columns are yours, and so are their migrations. [`Memory`](crate::store::Memory)
//! begins empty.
