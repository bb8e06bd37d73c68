//! Everything that is known of a person.

use scim::ScimResource;
use scim::resources::{
    Address, Email, EnterpriseUser, Entitlement, GroupMembership, Im, Name, PhoneNumber, Photo, Role,
    X509Certificate,
};
use scim::value::{ExternalId, Meta, Reference, ResourceId};

/// A person who has an account: the User of RFC 7643 section 4.1 with the enterprise extension and without `password`,
/// which this product never takes from a provider. Sent all the same, as Okta does, it is an attribute that nobody knows.
#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(
    schema = "urn:ietf:params:scim:schemas:core:2.0:User",
    description = "A person who has an account"
)]
pub(crate) struct User {
    /// The identifier that the service gives.
    pub(crate) id: ResourceId,
    /// The identifier that the client has for the person.
    #[scim(indexed)]
    pub(crate) external_id: Option<ExternalId>,
    /// The facts that the service keeps of the resource itself.
    pub(crate) meta: Meta,
    /// The name under which the person signs in. No two people have the same one, whatever its case.
    #[scim(unique = "server", fold = "user_name", indexed)]
    pub(crate) user_name: String,
    /// The parts of the person's real name.
    pub(crate) name: Option<Name>,
    /// The name by which the person is shown to others.
    #[scim(indexed)]
    pub(crate) display_name: Option<String>,
    /// The name of the person among friends, such as Bob for Robert.
    pub(crate) nick_name: Option<String>,
    /// The URL of a page about the person.
    #[scim(reference_types("external"))]
    pub(crate) profile_url: Option<Reference>,
    /// The person's position, such as Vice President.
    pub(crate) title: Option<String>,
    /// How the person stands to the organization, such as Employee or Contractor.
    pub(crate) user_type: Option<String>,
    /// The languages the person prefers to read, written as in the HTTP header Accept-Language.
    pub(crate) preferred_language: Option<String>,
    /// The language tag by which dates, numbers and currencies are shown, such as en-US.
    #[scim(format = "language_tag")]
    pub(crate) locale: Option<String>,
    /// The time zone by its IANA name, such as Europe/Berlin.
    #[scim(format = "time_zone")]
    pub(crate) timezone: Option<String>,
    /// Whether the account can be used.
    #[scim(indexed)]
    pub(crate) active: Option<bool>,
    /// E-mail addresses.
    pub(crate) emails: Vec<Email>,
    /// Telephone numbers.
    pub(crate) phone_numbers: Vec<PhoneNumber>,
    /// Addresses for instant messages.
    pub(crate) ims: Vec<Im>,
    /// URLs of pictures of the person.
    pub(crate) photos: Vec<Photo>,
    /// Postal addresses.
    pub(crate) addresses: Vec<Address>,
    /// The groups that the person belongs to; changed through the groups only.
    #[scim(mutability = "readOnly")]
    pub(crate) groups: Vec<GroupMembership>,
    /// Things that the person is entitled to.
    pub(crate) entitlements: Vec<Entitlement>,
    /// Roles of the person, such as Student or Faculty.
    pub(crate) roles: Vec<Role>,
    /// Certificates of the person.
    pub(crate) x509_certificates: Vec<X509Certificate>,
    /// The enterprise extension.
    #[scim(extension)]
    pub(crate) enterprise: Option<EnterpriseUser>,
}

#[cfg(test)]
mod tests {
    use scim::resources;
    use scim::schema::Attribute;

    use super::*;

    /// AL-17, feature row 85: no schema of the product has a password, and nothing else is missing.
    #[test]
    fn a_user_is_the_one_of_the_library_without_password() {
        let described = |attributes: &[Attribute]| -> Vec<String> {
            let known = attributes.iter().filter(|attribute| attribute.name != "password");
            known.map(|attribute| format!("{attribute:?}")).collect()
        };
        let ours = User::RESOURCE_TYPE;
        let theirs = resources::User::RESOURCE_TYPE;
        assert_eq!(
            described(ours.schema.attributes),
            described(theirs.schema.attributes)
        );
        assert_eq!(ours.schema.attributes.len() + 1, theirs.schema.attributes.len());
        assert_eq!(
            (
                ours.name,
                ours.endpoint,
                ours.description,
                ours.schema.id,
                ours.schema.name
            ),
            (
                theirs.name,
                theirs.endpoint,
                theirs.description,
                theirs.schema.id,
                theirs.schema.name
            )
        );
    }
}
