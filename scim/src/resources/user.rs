//! The User resource (RFC 7643 section 4.1).

use crate::resources::{
    Address, Email, Enterprise, Entitlement, GroupMembership, Im, Password, PhoneNumber, Photo, Role,
    X509Certificate,
};
use crate::value::{ExternalId, Meta, Reference, ResourceId};
use crate::{ExtensionSet, ScimComplex, ScimResource};

/// A person with the enterprise extension: what most services keep.
pub type User = UserWith<Enterprise>;

/// A person who has an account (RFC 7643 section 4.1), with the schema extensions `E`.
#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(
    schema = "urn:ietf:params:scim:schemas:core:2.0:User",
    name = "User",
    endpoint = "/Users",
    description = "A person who has an account"
)]
pub struct UserWith<E> {
    /// The identifier that the service gives.
    pub id: ResourceId,
    /// The identifier that the client has for the person.
    #[scim(indexed)]
    pub external_id: Option<ExternalId>,
    /// The facts that the service keeps of the resource itself.
    pub meta: Meta,
    /// The name under which the person signs in. No two people have the same one, whatever its case.
    #[scim(unique = "server", fold = "user_name", indexed)]
    pub user_name: String,
    /// The parts of the person's real name.
    pub name: Option<Name>,
    /// The name by which the person is shown to others.
    #[scim(indexed)]
    pub display_name: Option<String>,
    /// The name of the person among friends, such as Bob for Robert.
    pub nick_name: Option<String>,
    /// The URL of a page about the person.
    #[scim(reference_types("external"))]
    pub profile_url: Option<Reference>,
    /// The person's position, such as Vice President.
    pub title: Option<String>,
    /// How the person stands to the organization, such as Employee or Contractor.
    pub user_type: Option<String>,
    /// The languages the person prefers to read, written as in the HTTP header Accept-Language.
    pub preferred_language: Option<String>,
    /// The language tag by which dates, numbers and currencies are shown, such as en-US.
    #[scim(format = "language_tag")]
    pub locale: Option<String>,
    /// The time zone by its IANA name, such as Europe/Berlin.
    #[scim(format = "time_zone")]
    pub timezone: Option<String>,
    /// Whether the account can be used.
    #[scim(indexed)]
    pub active: Option<bool>,
    /// The password to set; it is handed on and never shown.
    #[scim(transient, mutability = "writeOnly", returned = "never")]
    pub password: Option<Password>,
    /// E-mail addresses.
    pub emails: Vec<Email>,
    /// Telephone numbers.
    pub phone_numbers: Vec<PhoneNumber>,
    /// Addresses for instant messages.
    pub ims: Vec<Im>,
    /// URLs of pictures of the person.
    pub photos: Vec<Photo>,
    /// Postal addresses.
    pub addresses: Vec<Address>,
    /// The groups that the person belongs to; changed through the groups only.
    #[scim(mutability = "readOnly")]
    pub groups: Vec<GroupMembership>,
    /// Things that the person is entitled to.
    pub entitlements: Vec<Entitlement>,
    /// Roles of the person, such as Student or Faculty.
    pub roles: Vec<Role>,
    /// Certificates of the person.
    pub x509_certificates: Vec<X509Certificate>,
    /// The schema extensions.
    #[scim(flatten)]
    pub extensions: E,
}

impl<E> UserWith<E> {
    /// Makes a person of whom no more than the user name is known.
    ///
    /// ```
    /// use scim::resources::User;
    ///
    /// let user = User { title: Some("Tour Guide".into()), ..User::new("bjensen") };
    /// assert_eq!(user.user_name, "bjensen");
    /// ```
    #[must_use]
    pub fn new(user_name: impl Into<String>) -> Self
    where
        // Here and not on the block, so that the compiler says what a set of extensions is.
        E: ExtensionSet,
    {
        Self {
            id: ResourceId::default(),
            external_id: None,
            meta: Meta::default(),
            user_name: user_name.into(),
            name: None,
            display_name: None,
            nick_name: None,
            profile_url: None,
            title: None,
            user_type: None,
            preferred_language: None,
            locale: None,
            timezone: None,
            active: None,
            password: None,
            emails: Vec::new(),
            phone_numbers: Vec::new(),
            ims: Vec::new(),
            photos: Vec::new(),
            addresses: Vec::new(),
            groups: Vec::new(),
            entitlements: Vec::new(),
            roles: Vec::new(),
            x509_certificates: Vec::new(),
            extensions: E::default(),
        }
    }
}

/// The parts of a person's real name (RFC 7643 section 4.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Default, ScimComplex)]
pub struct Name {
    /// The whole name, as it is shown.
    pub formatted: Option<String>,
    /// The family name; in most Western languages the last name.
    pub family_name: Option<String>,
    /// The given name; in most Western languages the first name.
    pub given_name: Option<String>,
    /// The names between given and family name.
    pub middle_name: Option<String>,
    /// The part before the name, such as Dr.
    pub honorific_prefix: Option<String>,
    /// The part behind the name, such as III.
    pub honorific_suffix: Option<String>,
}
