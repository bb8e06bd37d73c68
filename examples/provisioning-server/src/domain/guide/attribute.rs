//! Which attributes of people arrive: under which names providers have them, and what they are called here.

use crate::domain::settings::IdentityProvider;

/// An attribute of a person, and its sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attribute {
    /// Its name in SCIM 2.0.
    pub(crate) path: &'static str,
    /// Its name here.
    pub(crate) ours: &'static str,
    okta: &'static str,
    jumpcloud: &'static str,
    entra: &'static str,
}

impl Attribute {
    /// Returns the name of its source at a provider; none where the provider has no fixed one.
    pub(crate) fn source(&self, provider: IdentityProvider) -> Option<&'static str> {
        let source = match provider {
            IdentityProvider::Okta => self.okta,
            IdentityProvider::JumpCloud => self.jumpcloud,
            IdentityProvider::Entra => self.entra,
            _ => "",
        };
        Some(source).filter(|source| !source.is_empty())
    }
}

const fn attribute(
    path: &'static str,
    ours: &'static str,
    okta: &'static str,
    jumpcloud: &'static str,
    entra: &'static str,
) -> Attribute {
    Attribute {
        path,
        ours,
        okta,
        jumpcloud,
        entra,
    }
}

/// Every attribute that a page shows.
pub(crate) const ATTRIBUTES: &[Attribute] = &[
    attribute(
        "userName",
        "Username",
        "userName",
        "username",
        "userPrincipalName",
    ),
    attribute(
        "name.givenName",
        "First Name",
        "firstName",
        "firstname",
        "givenName",
    ),
    attribute("name.familyName", "Last Name", "lastName", "lastname", "surname"),
    attribute("emails[type=\"work\"].value", "Email", "", "", ""),
    attribute(
        "phoneNumbers[type=\"mobile\"].value",
        "Mobile Number",
        "mobilePhone",
        "mobile",
        "mobilePhone",
    ),
    attribute(
        "phoneNumbers[type=\"work\"].value",
        "Work Number",
        "",
        "phone",
        "businessPhones",
    ),
    attribute("title", "Position", "title", "jobTitle", "jobTitle"),
    attribute(
        "addresses[type=\"work\"].streetAddress",
        "Street Address",
        "streetAddress",
        "address.streetAddress",
        "streetAddress",
    ),
    attribute(
        "addresses[type=\"work\"].locality",
        "City",
        "city",
        "address.locality",
        "city",
    ),
    attribute(
        "addresses[type=\"work\"].region",
        "State",
        "state",
        "address.region",
        "state",
    ),
    attribute(
        "addresses[type=\"work\"].postalCode",
        "Postal Code",
        "zipCode",
        "address.postalCode",
        "postalCode",
    ),
    attribute(
        "addresses[type=\"work\"].country",
        "Country",
        "countryCode",
        "address.country",
        "country",
    ),
    attribute("active", "Status", "active", "activated", "accountEnabled"),
];

/// An attribute that Microsoft Entra ID maps for people unless somebody changes that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntraDefault {
    pub(crate) path: &'static str,
    pub(crate) source: &'static str,
    pub(crate) is_kept: bool,
    /// A remark worth knowing; empty without one.
    pub(crate) remark: &'static str,
}

const fn entra(
    path: &'static str,
    source: &'static str,
    is_kept: bool,
    remark: &'static str,
) -> EntraDefault {
    EntraDefault {
        path,
        source,
        is_kept,
        remark,
    }
}

/// The default mappings of people in Microsoft Entra ID, in its order.
pub(crate) const ENTRA_DEFAULTS: &[EntraDefault] = &[
    entra(
        "userName",
        "userPrincipalName",
        true,
        "An e-mail address, and unique",
    ),
    entra(
        "active",
        "Switch([IsSoftDeleted], …)",
        false,
        "Without it, a person counts as active",
    ),
    entra("displayName", "displayName", false, ""),
    entra("title", "jobTitle", false, ""),
    entra("emails[type eq \"work\"].value", "mail", false, ""),
    entra("preferredLanguage", "preferredLanguage", false, ""),
    entra("name.givenName", "givenName", true, ""),
    entra("name.familyName", "surname", true, ""),
    entra("name.formatted", "Join(\" \", [givenName], [surname])", false, ""),
    entra(
        "addresses[type eq \"work\"].…",
        "city, state, postalCode, country",
        false,
        "",
    ),
    entra(
        "phoneNumbers[type eq \"…\"].value",
        "telephoneNumber, mobile",
        false,
        "",
    ),
    entra("externalId", "mailNickname", false, ""),
    entra(
        "urn:…:enterprise:2.0:User:…",
        "employeeId, department, manager",
        false,
        "",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Feature row 69: three attributes are kept.
    #[test]
    fn three_attributes_of_entra_are_kept() {
        let kept: Vec<_> = ENTRA_DEFAULTS
            .iter()
            .filter(|row| row.is_kept)
            .map(|row| row.path)
            .collect();
        assert_eq!(kept, ["userName", "name.givenName", "name.familyName"]);
    }

    /// Feature row 51: the sources of the three providers that have fixed ones; the others map as they like.
    #[test]
    fn sources_are_known_for_three_providers() {
        let of = |provider| {
            let sources = ATTRIBUTES.iter().filter_map(move |row| row.source(provider));
            sources.count()
        };
        assert_eq!(of(IdentityProvider::Okta), 11);
        assert_eq!(of(IdentityProvider::JumpCloud), 12);
        assert_eq!(of(IdentityProvider::Entra), 12);
        assert_eq!(of(IdentityProvider::Google), 0);
    }
}
