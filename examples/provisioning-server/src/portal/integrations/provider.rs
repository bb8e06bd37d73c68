//! Identity providers as people call them, and what they call our values.

use crate::domain::guide;
use crate::domain::settings::IdentityProvider;

/// Returns the full name.
pub(in crate::portal) const fn name(idp: IdentityProvider) -> &'static str {
    match idp {
        IdentityProvider::Other => "Other (any SCIM 2.0 provider)",
        known => known.display(),
    }
}

/// Returns the name within a sentence, where it may be its first word.
pub(in crate::portal) const fn called(idp: IdentityProvider) -> &'static str {
    match idp {
        IdentityProvider::Other => "The identity provider",
        known => guide::called(known),
    }
}

/// Returns the name after other words of a sentence.
pub(in crate::portal) const fn called_within(idp: IdentityProvider) -> &'static str {
    match idp {
        IdentityProvider::Other => "the identity provider",
        _ => called(idp),
    }
}

/// What a provider calls the URL and the token, where that is known.
#[derive(Debug, Clone, Copy)]
pub(in crate::portal) struct Fields {
    pub(in crate::portal) url: &'static str,
    pub(in crate::portal) token: &'static str,
}

/// Returns the names of a provider's fields.
pub(in crate::portal) const fn fields(idp: IdentityProvider) -> Option<Fields> {
    match idp {
        IdentityProvider::Entra => Some(Fields {
            url: "Tenant URL",
            token: "Secret token",
        }),
        IdentityProvider::Okta => Some(Fields {
            url: "SCIM connector base URL",
            token: "Authorization",
        }),
        IdentityProvider::JumpCloud => Some(Fields {
            url: "Base URL",
            token: "Token Key",
        }),
        IdentityProvider::OneLogin => Some(Fields {
            url: "SCIM Base URL",
            token: "SCIM Bearer Token",
        }),
        IdentityProvider::Authentik => Some(Fields {
            url: "URL",
            token: "Token",
        }),
        IdentityProvider::Google | IdentityProvider::Ping | IdentityProvider::Other => None,
    }
}
