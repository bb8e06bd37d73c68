//! The resources of the core schema, made with the derives of this crate: [`User`], [`Group`] and the enterprise
//! extension (RFC 7643 section 4).
//!
//! ```
//! use scim::resources::{Email, EnterpriseUser, Name, User};
//!
//! let mut user = User::new("bjensen");
//! user.name = Some(Name { given_name: Some("Barbara".into()), ..Name::default() });
//! user.emails.push(Email::new("bjensen@example.com").with_kind("work").primary());
//! user.extensions.enterprise = Some(EnterpriseUser { department: Some("Sales".into()), ..EnterpriseUser::default() });
//! ```
//!
//! A service with extensions of its own takes them as the type parameter of [`UserWith`] or [`GroupWith`]:
//!
//! ```
//! use scim::resources::{EnterpriseUser, UserWith};
//! use scim::{ScimComplex, ScimExtension};
//!
//! /// What the canteen needs to know.
//! #[derive(Debug, Clone, PartialEq, ScimExtension)]
//! #[scim(schema = "urn:example:scim:schemas:extension:canteen:2.0:User")]
//! struct Canteen {
//!     /// What the person does not eat.
//!     diet: Option<String>,
//! }
//!
//! #[derive(Debug, Clone, PartialEq, Default, ScimComplex)]
//! struct Extensions {
//!     #[scim(extension)]
//!     enterprise: Option<EnterpriseUser>,
//!     #[scim(extension)]
//!     canteen: Option<Canteen>,
//! }
//!
//! type User = UserWith<Extensions>;
//!
//! let mut user = User::new("bjensen");
//! user.extensions.canteen = Some(Canteen { diet: Some("vegan".into()) });
//! ```

mod enterprise_user;
mod group;
mod password;
mod plural;
mod user;

pub use enterprise_user::{
    Enterprise, EnterprisePaths, EnterpriseUser, EnterpriseUserPaths, Manager, ManagerPaths,
};
pub use group::{Group, GroupWith, GroupWithPaths, Member, MemberPaths, NoExtensions, NoExtensionsPaths};
pub use password::Password;
pub use plural::{
    Address, AddressPaths, Email, EmailPaths, Entitlement, EntitlementPaths, GroupMembership,
    GroupMembershipPaths, Im, ImPaths, PhoneNumber, PhoneNumberPaths, Photo, PhotoPaths, Role, RolePaths,
    X509Certificate, X509CertificatePaths,
};
pub use user::{Name, NamePaths, User, UserWith, UserWithPaths};
