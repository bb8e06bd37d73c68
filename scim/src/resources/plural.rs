//! The values of a user's multi-valued attributes (RFC 7643 section 4.1.2).

use crate::ScimComplex;
use crate::value::{Binary, Reference};

/// Constructors of values that have `value`, `type` and `primary`.
macro_rules! value_and_type {
    ($($name:ident: $value:ty,)*) => {$(
        impl $name {
            /// Makes a value without a type.
            #[must_use]
            pub fn new(value: impl Into<$value>) -> Self {
                Self { value: Some(value.into()), ..Self::default() }
            }

            /// Adds a type, such as `work`.
            #[must_use]
            pub fn with_kind(mut self, kind: impl Into<String>) -> Self {
                self.kind = Some(kind.into());
                self
            }

            /// Marks the value as preferred to the others.
            #[must_use]
            pub fn primary(mut self) -> Self {
                self.primary = Some(true);
                self
            }
        }
    )*};
}

value_and_type! {
    Email: String,
    PhoneNumber: String,
    Im: String,
    Photo: Reference,
    Entitlement: String,
    Role: String,
    X509Certificate: Binary,
}

/// An e-mail address of a user.
#[derive(Debug, Clone, PartialEq, Eq, Default, ScimComplex)]
pub struct Email {
    /// The address, such as bjensen@example.com.
    #[scim(indexed)]
    pub value: Option<String>,
    /// The address as it is shown to people.
    pub display: Option<String>,
    /// The purpose of the address.
    #[scim(rename = "type", canonical("work", "home", "other"))]
    pub kind: Option<String>,
    /// Whether this address is preferred to the others.
    pub primary: Option<bool>,
}

/// A telephone number of a user.
#[derive(Debug, Clone, PartialEq, Eq, Default, ScimComplex)]
pub struct PhoneNumber {
    /// The number, at best as a tel URI such as tel:+1-201-555-0123.
    pub value: Option<String>,
    /// The number as it is shown to people.
    pub display: Option<String>,
    /// The purpose of the number.
    #[scim(rename = "type", canonical("work", "home", "mobile", "fax", "pager", "other"))]
    pub kind: Option<String>,
    /// Whether this number is preferred to the others.
    pub primary: Option<bool>,
}

/// An address of a user for instant messages.
#[derive(Debug, Clone, PartialEq, Eq, Default, ScimComplex)]
pub struct Im {
    /// The address within the messaging service.
    pub value: Option<String>,
    /// The address as it is shown to people.
    pub display: Option<String>,
    /// The messaging service.
    #[scim(
        rename = "type",
        canonical("aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo", "other")
    )]
    pub kind: Option<String>,
    /// Whether this address is preferred to the others.
    pub primary: Option<bool>,
}

/// A picture of a user.
#[derive(Debug, Clone, PartialEq, Eq, Default, ScimComplex)]
pub struct Photo {
    /// The URL of the picture itself, not of a page that shows it.
    #[scim(reference_types("external"))]
    pub value: Option<Reference>,
    /// The name of the picture.
    pub display: Option<String>,
    /// The size of the picture.
    #[scim(rename = "type", canonical("photo", "thumbnail"))]
    pub kind: Option<String>,
    /// Whether this picture is preferred to the others.
    pub primary: Option<bool>,
}

/// A postal address of a user.
#[derive(Debug, Clone, PartialEq, Eq, Default, ScimComplex)]
pub struct Address {
    /// The whole address as it stands on a label, with line breaks.
    pub formatted: Option<String>,
    /// Street, house number and whatever else stands above the city.
    pub street_address: Option<String>,
    /// The city.
    pub locality: Option<String>,
    /// The state, province or region.
    pub region: Option<String>,
    /// The postal code.
    pub postal_code: Option<String>,
    /// The country by its two letters of ISO 3166-1, such as DE.
    #[scim(format = "country")]
    pub country: Option<String>,
    /// The purpose of the address.
    #[scim(rename = "type", canonical("work", "home", "other"))]
    pub kind: Option<String>,
    /// Whether this address is preferred to the others.
    pub primary: Option<bool>,
}

/// A group that a user belongs to, as the service computes it.
#[derive(Debug, Clone, PartialEq, Eq, Default, ScimComplex)]
pub struct GroupMembership {
    /// The id of the group.
    #[scim(case_exact, mutability = "readOnly")]
    pub value: Option<String>,
    /// The URI of the group.
    #[scim(rename = "$ref", reference_types("Group"), mutability = "readOnly")]
    pub reference: Option<Reference>,
    /// The name of the group.
    #[scim(mutability = "readOnly")]
    pub display: Option<String>,
    /// Whether the user is a member of the group itself or of a group within it.
    #[scim(rename = "type", canonical("direct", "indirect"), mutability = "readOnly")]
    pub kind: Option<String>,
}

/// Something that a user is entitled to.
#[derive(Debug, Clone, PartialEq, Eq, Default, ScimComplex)]
pub struct Entitlement {
    /// The entitlement.
    pub value: Option<String>,
    /// The entitlement as it is shown to people.
    pub display: Option<String>,
    /// A label for the kind of entitlement. RFC 7643 has no values for it; these are suggestions of this library.
    #[scim(rename = "type", canonical("license", "permission", "other"))]
    pub kind: Option<String>,
    /// Whether this entitlement is preferred to the others.
    pub primary: Option<bool>,
}

/// A role of a user.
#[derive(Debug, Clone, PartialEq, Eq, Default, ScimComplex)]
pub struct Role {
    /// The role.
    pub value: Option<String>,
    /// The role as it is shown to people.
    pub display: Option<String>,
    /// A label for the kind of role. RFC 7643 has no values for it; these are suggestions of this library.
    #[scim(rename = "type", canonical("application", "directory", "other"))]
    pub kind: Option<String>,
    /// Whether this role is preferred to the others.
    pub primary: Option<bool>,
}

/// A certificate of a user.
#[derive(Debug, Clone, PartialEq, Eq, Default, ScimComplex)]
pub struct X509Certificate {
    /// One X.509 certificate in DER.
    #[scim(format = "certificate")]
    pub value: Option<Binary>,
    /// The name of the certificate.
    pub display: Option<String>,
    /// A label for the kind of certificate. RFC 7643 has no values for it; these are suggestions of this library.
    #[scim(
        rename = "type",
        canonical("authentication", "signature", "encryption", "other")
    )]
    pub kind: Option<String>,
    /// Whether this certificate is preferred to the others.
    pub primary: Option<bool>,
}
