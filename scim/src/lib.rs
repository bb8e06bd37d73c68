//! SCIM 2.0 for Rust (RFC 7643, RFC 7644): derive a resource, serve it, keep it.
//!
//! Identity providers push people and groups into applications over SCIM. With this crate a plain struct becomes such a
//! resource, with everything its endpoint needs:
//!
//! ```
//! use http_body_util::Full;
//! use scim::resources::{Group, User};
//! use scim::service::{NoContext, ScimService};
//! use scim::store::Memory;
//! use std::sync::Arc;
//! use tower::ServiceExt;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let store = Arc::new(Memory::new().link(Group::paths().members(), User::paths().groups()));
//! let service = ScimService::builder(NoContext)
//!     .resource::<User, _>(Arc::clone(&store))
//!     .resource::<Group, _>(store)
//!     .mount("/scim/v2")
//!     .build()?;
//!
//! let request = http::Request::post("http://id.example.com/scim/v2/Users")
//!     .body(Full::<bytes::Bytes>::from(r#"{"userName": "bjensen"}"#))?;
//! let response = service.oneshot(request).await?;
//! assert_eq!(response.status(), 201);
//! # Ok(()) }) }
//! ```
//!
//! # Complete programs
//!
//! The repository has a complete program for each case: `examples/minimal` (one struct), `examples/scim-in-your-app` (an
//! app with its own sign-in, rules, events and log), `examples/own-tables`, `examples/multi-tenant`,
//! `examples/custom-attribute`.
//!
//! **Resources**
//!
//! | to | see |
//! |---|---|
//! | make resources of your own structs, and name their attributes by typed paths | [`ScimResource`](derive@ScimResource), [`ScimComplex`](derive@ScimComplex), [`ScimEnum`](derive@ScimEnum), [`ScimExtension`](derive@ScimExtension) |
//! | know which Rust type is which SCIM type | [the table of types](derive@ScimResource#types) |
//! | use `User` and `Group`, with your extensions | [`resources`] |
//! | teach an attribute a type or a behaviour of its own | [`Scalar`], [`value::Handler`] |
//! | accept a password | [`resources::Password`] |
//! | refer to a resource, or to something outside | [`value::Reference`] |
//! | change a resource that is already stored | [`guide::changing_a_resource`] |
//!
//! **Stores**
//!
//! | to | see |
//! |---|---|
//! | keep it in memory, or in a file of its own | [`store::Memory`]; `store::documents` (feature `sqlite`) |
//! | keep it in tables that you have already | [`store::table`]; a [`store::Store`] of your own for anything else |
//! | keep some attributes only | [`policy::Kept`], given to [`Policy::keeping`](policy::Policy::keeping); [`sql::Columns::kept`] |
//! | tell tenants apart | [`store::HasTenant`] of your own context; [`tenant_by`](store::Memory::tenant_by) and [`single_tenant`](store::Memory::single_tenant) of a store for contexts of foreign types; [`service::host`] for tenants by host name |
//! | test a store of your own | `testkit::contract` (feature `testkit`) |
//!
//! **The service**
//!
//! | to | see |
//! |---|---|
//! | serve it | [`service::ScimService`], mounted by the crate `scim-axum`; without a network, [`service::Protocol`] |
//! | let requests in, with a context of your own | [`service::MakeContext`], [`service::from_parts`]; [`respond_in`](service::ScimService::respond_in) with a context that you have already |
//! | say who may do what | [`authorize`](service::Builder::authorize) |
//! | have rules of your own asked before a write, and hear of it after the commit | [`store::Hooks`], given to [`hooks`](service::Builder::hooks) |
//! | write rows of your own in the transaction of a write, such as an outbox | `store::documents::Builder::in_transaction`; [`store::table::Rows::record`] |
//! | log requests, and the causes of errors (5xx) that no client sees | [`on_outcome`](service::Builder::on_outcome) |
//! | say in your words what clients are shown of an error | [`map_error`](service::Builder::map_error) |
//! | say what clients may depart from | [`policy::Policy`] |
//! | try the service with Okta, Entra ID and others, simulated | `testkit::simulate` (feature `testkit`) |
//!
//! **Its parts**
//!
//! | to | see |
//! |---|---|
//! | filter, sort, patch and project | [`filter`], [`sort`], [`patch`], [`projection`] |
//! | make SQL of filters | [`sql`] |
//! | call another service | `client` (feature `client`) |

#![cfg_attr(docsrs, feature(doc_cfg))]

// The derives name this crate `::scim`, also where the crate uses them itself.
extern crate self as scim;

#[cfg(feature = "client")]
pub mod client;
pub mod error;
pub mod filter;
pub mod fold;
pub mod guide;
pub mod limits;
mod log;
pub mod message;
pub mod patch;
pub mod path;
pub mod policy;
pub mod projection;
pub mod record;
pub mod resources;
mod scan;
pub mod schema;
pub mod service;
pub mod sort;
pub mod sql;
pub mod store;
#[cfg(feature = "testkit")]
pub mod testkit;
mod timer;
pub mod value;

#[doc(hidden)]
pub mod __private;

pub use error::{BearerError, Error, Result, ScimType};
pub use limits::Limits;
pub use record::{ExtensionSet, Record, ScimExtension, ScimResource};
pub use value::{Scalar, ScimValue};

/// Makes a resource of a struct: it implements [`ScimResource`](trait@ScimResource), and the struct gets a function
/// `paths()` whose result has a method for every field.
///
/// ```
/// use scim::value::{ExternalId, Meta, ResourceId};
/// use scim::{ScimComplex, ScimEnum, ScimExtension, ScimResource};
///
/// /// What opens a door.
/// #[derive(Debug, Clone, PartialEq, ScimResource)]
/// #[scim(schema = "urn:example:scim:schemas:2.0:Badge", endpoint = "/Badges")]
/// pub struct Badge {
///     pub id: ResourceId,
///     pub external_id: Option<ExternalId>,
///     pub meta: Meta,
///     /// Number printed on the badge.
///     #[scim(unique = "server", case_exact)]
///     pub serial_number: String,
///     pub zones: Vec<String>,
///     pub holder: Option<Holder>,
///     pub state: State,
///     #[scim(extension)]
///     pub audit: Option<Audit>,
/// }
///
/// #[derive(Debug, Clone, PartialEq, ScimComplex)]
/// pub struct Holder {
///     #[scim(key, mutability = "immutable")]
///     pub value: String,
///     #[scim(rename = "type", canonical("person", "robot"))]
///     pub kind: Option<String>,
/// }
///
/// #[derive(Debug, Clone, PartialEq, ScimEnum)]
/// pub enum State {
///     Active,
///     #[scim(rename = "locked-out")]
///     LockedOut,
/// }
///
/// #[derive(Debug, Clone, PartialEq, ScimExtension)]
/// #[scim(schema = "urn:example:scim:schemas:2.0:Audit")]
/// pub struct Audit {
///     pub auditor: Option<String>,
/// }
///
/// assert_eq!(Badge::RESOURCE_TYPE.name, "Badge");
/// let kind = Badge::paths().holder().kind();
/// # _ = kind;
/// ```
///
/// # The struct
///
/// It has the fields `id: ResourceId` and `meta: Meta`, and perhaps `external_id: Option<ExternalId>`.
///
/// | `#[scim(…)]` | |
/// |---|---|
/// | `schema = "urn:…"` | the URN of the schema; required |
/// | `name = "…"` | the name of the resource type and the schema; by default that of the struct |
/// | `endpoint = "/…"` | by default the name in the plural: a slash in front and an `s` behind |
/// | `description = "…"` | by default the first paragraph of the documentation |
/// | `crate = "…"` | the path of this crate, if it is not `::scim` |
///
/// # The fields
///
/// A field is an attribute. Its type says what the attribute is: see [below](#types). `Option<T>` and `Vec<T>`
/// are not required, other types are. The name is the field's in camel case.
///
/// | `#[scim(…)]` | |
/// |---|---|
/// | `rename = "…"` | the name, such as `$ref` |
/// | `description = "…"` | by default the first paragraph of the documentation |
/// | `required` | the attribute is required although the field may be empty; `required = false` is the opposite |
/// | `case_exact` | comparison regards case |
/// | `mutability = "…"` | `readWrite`, `readOnly`, `immutable`, `writeOnly`; a read-only type is an `Option`, a `Vec` or a [`Default`] |
/// | `returned = "…"` | `default`, `always`, `never`, `request`; `never` if the attribute is `writeOnly` |
/// | `unique = "…"` | `none`, `server`, `global` |
/// | `canonical("…", …)` | suggested values; for a closed list use [`ScimEnum`](derive@ScimEnum) |
/// | `reference_types("…", …)` | what a reference points to: resource types, `external`, `uri` |
/// | `with = "…"` | a [`Handler`](value::Handler) of the type, or of the `T` in `Option<T>` and `Vec<T>` |
/// | `fold = "…"` | how text is compared: `exact`, `case_insensitive`, `user_name` |
/// | `format = "…"` | what a policy without tolerance for it checks: `country`, `language_tag`, `time_zone`, or, of a binary attribute, `certificate`; see [`Format`](schema::Format) |
/// | `indexed` | stores keep an index |
/// | `key` | (sub-attributes) tells the values of a multi-valued attribute apart |
/// | `edges` | there may be a million values; the type is [`Edges<T>`](value::Edges) |
/// | `transient` | the value is handed on and never stored; the type is an `Option` |
/// | `extension` | a schema extension: `T` or `Option<T>` with a `T` that derives [`ScimExtension`](derive@ScimExtension) |
/// | `flatten` | a set of extensions; see [`ExtensionSet`] |
/// | `extra` | keeps what no schema knows; the type is [`Extra`](value::Extra) |
/// | `skip` | is not an attribute; the type is a [`Default`] |
///
/// # Types
///
/// Every [`ScimValue`] can be an attribute:
///
/// | Rust | SCIM (RFC 7643 section 2.3) |
/// |---|---|
/// | `String` | string |
/// | `bool` | boolean |
/// | `i8`, `i16`, `i32`, `i64`, `u8`, `u16`, `u32` | integer; what the Rust type cannot hold is refused. There is no `u64` |
/// | `f64` | decimal |
/// | [`DateTime`](value::DateTime); `jiff::Timestamp` (feature `jiff`) | dateTime |
/// | [`Binary`](value::Binary) | binary, in base64 |
/// | [`Reference`](value::Reference); `url::Url` (feature `url`) | reference: see there what is checked of it |
/// | `uuid::Uuid` (feature `uuid`) | string |
/// | [`ExternalId`](value::ExternalId), [`ResourceId`](value::ResourceId) | string in which case counts |
/// | [`Password`](resources::Password), with `transient` | string that is never kept: see there who is handed it |
/// | an enum that derives [`ScimEnum`](derive@ScimEnum) | string with canonical values |
/// | a struct that derives [`ScimComplex`](derive@ScimComplex) | complex |
/// | `Option<T>` | as `T`, not required |
/// | `Vec<T>` | as `T`, multi-valued, not required |
/// | [`Edges<T>`](value::Edges), with `edges` | the same, for a million values |
/// | a type that implements [`Scalar`] | what it says |
/// | any other, with a [`Handler`](value::Handler) in `with` | what that says |
///
/// # Typed paths
///
/// `paths()` names attributes in filters, sort orders, projections, PATCH, links and columns. A name that does not exist does
/// not compile.
///
/// | path | attribute |
/// |---|---|
/// | `User::paths().user_name()` | `userName` |
/// | `User::paths().name().family_name()` | `name.familyName`: the sub-attribute of a complex one |
/// | `User::paths().emails()` | `emails`: all values |
/// | `User::paths().emails().value()` | `emails.value`: the sub-attribute of every value |
/// | `User::paths().extensions().enterprise()` | an extension in a set (`flatten`): the name of the field with the set, then that of the extension |
/// | `User::paths().extensions().enterprise().department()` | an attribute of it |
/// | `Badge::paths().audit().auditor()` | an attribute of an extension that is a field of the resource itself |
///
/// ```
/// use scim::resources::User;
///
/// let user = User::paths();
/// let filter = user.name().family_name().eq("Jensen")
///     .and(user.emails().value().ends_with("@example.com"))
///     .and(user.extensions().enterprise().department().is_present());
/// assert_eq!(
///     filter.to_string(),
///     "name.familyName eq \"Jensen\" and emails.value ew \"@example.com\" and \
///      urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department pr",
/// );
/// ```
///
/// A struct whose resources are stored may change: see [`guide::changing_a_resource`].
pub use scim_derive::ScimResource;

/// Makes a complex attribute of a struct (RFC 7643 section 2.3.8), with the fields of
/// [`ScimResource`](derive@ScimResource) and nothing but `crate` to say of the struct itself.
///
/// A struct of which every field is marked with `extension` becomes a set of extensions instead; see [`ExtensionSet`].
pub use scim_derive::ScimComplex;

/// Makes a schema extension of a struct (RFC 7643 section 3.3), with the fields of
/// [`ScimResource`](derive@ScimResource). Of the struct say `schema = "urn:…"`, and perhaps `name`, `description` and
/// `crate`.
pub use scim_derive::ScimExtension;

/// Makes a string attribute with canonical values of an enum. A value is read in any case, and shown as it is declared:
/// the variant's name with a small letter in front.
///
/// `#[scim(rename = "…")]` gives a variant another value. `#[scim(other)]` marks a variant that holds a `String` and
/// keeps what is not canonical; without one, other values are refused.
///
/// ```
/// use scim::ScimEnum;
///
/// #[derive(Debug, Clone, PartialEq, ScimEnum)]
/// enum Colour {
///     Red,
///     #[scim(rename = "off-white")]
///     OffWhite,
///     #[scim(other)]
///     Other(String),
/// }
/// ```
pub use scim_derive::ScimEnum;
