//! Identity providers: how people and sentences call them, how they call our values, how often they come, and where they explain
//! themselves. This is the one place of these words.

use crate::domain::settings::IdentityProvider;

/// Returns the full name, as a list has it.
pub(crate) const fn name(provider: IdentityProvider) -> &'static str {
    match provider {
        IdentityProvider::Other => "Other (any SCIM 2.0 provider)",
        known => known.display(),
    }
}

/// Returns the name after other words of a sentence.
pub(crate) const fn called(provider: IdentityProvider) -> &'static str {
    match provider {
        IdentityProvider::Entra => "Entra ID",
        IdentityProvider::Google => "Google",
        IdentityProvider::Other => "the identity provider",
        known => known.display(),
    }
}

/// Returns the name at the beginning of a sentence.
pub(crate) const fn called_first(provider: IdentityProvider) -> &'static str {
    match provider {
        IdentityProvider::Other => "The identity provider",
        known => called(known),
    }
}

/// The names that a provider has for the URL and the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) url: &'static str,
    pub(crate) token: &'static str,
}

pub(super) const OKTA: Fields = Fields {
    url: "SCIM connector base URL",
    token: "Authorization",
};

pub(super) const ENTRA: Fields = Fields {
    url: "Tenant URL",
    token: "Secret token",
};

pub(super) const JUMPCLOUD: Fields = Fields {
    url: "Base URL",
    token: "Token Key",
};

pub(super) const ONELOGIN: Fields = Fields {
    url: "SCIM Base URL",
    token: "SCIM Bearer Token",
};

pub(super) const GOOGLE: Fields = Fields {
    url: "Endpoint URL",
    token: "Access token",
};

/// Of PingOne; PingFederate has shorter names.
pub(super) const PING: Fields = Fields {
    url: "SCIM base URL",
    token: "OAuth Access Token",
};

pub(super) const AUTHENTIK: Fields = Fields {
    url: "URL",
    token: "Token",
};

/// Returns the names of a provider's fields, where they are known.
pub(crate) const fn fields(provider: IdentityProvider) -> Option<Fields> {
    match provider {
        IdentityProvider::Okta => Some(OKTA),
        IdentityProvider::Entra => Some(ENTRA),
        IdentityProvider::JumpCloud => Some(JUMPCLOUD),
        IdentityProvider::OneLogin => Some(ONELOGIN),
        IdentityProvider::Google => Some(GOOGLE),
        IdentityProvider::Ping => Some(PING),
        IdentityProvider::Authentik => Some(AUTHENTIK),
        IdentityProvider::Other => None,
    }
}

/// Returns how often a provider comes, as it says itself.
pub(crate) const fn rhythm(provider: IdentityProvider) -> &'static str {
    match provider {
        IdentityProvider::Okta => {
            "Okta has no cycle: it sends within minutes whenever something changes there."
        }
        IdentityProvider::Entra => {
            "The first synchronization can take up to an hour; then Entra ID calls every 40 minutes."
        }
        IdentityProvider::JumpCloud => {
            "JumpCloud has no cycle: it sends within minutes whenever something changes there."
        }
        IdentityProvider::Google => "Google sends what has changed every few hours.",
        IdentityProvider::Authentik => "authentik sends changes at once, and everything once an hour.",
        IdentityProvider::OneLogin | IdentityProvider::Ping | IdentityProvider::Other => {
            "The first synchronization can take up to an hour; most changes arrive within minutes."
        }
    }
}

/// Returns the page on which a provider explains its side.
pub(crate) const fn documentation(provider: IdentityProvider) -> Option<&'static str> {
    match provider {
        IdentityProvider::Okta => {
            Some("https://help.okta.com/en-us/content/topics/apps/apps_app_integration_wizard_scim.htm")
        }
        IdentityProvider::Entra => Some(
            "https://learn.microsoft.com/en-us/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups",
        ),
        IdentityProvider::JumpCloud => Some(
            "https://jumpcloud.com/support/provision-and-manage-users-and-groups-in-apps-using-custom-scim-identity-management-integration",
        ),
        IdentityProvider::OneLogin => Some("https://developers.onelogin.com/scim/create-app"),
        IdentityProvider::Google => Some("https://support.google.com/a/answer/7681608"),
        IdentityProvider::Ping => {
            Some("https://docs.pingidentity.com/pingone/integrations/p1_create_scim_connection.html")
        }
        IdentityProvider::Authentik => {
            Some("https://docs.goauthentik.io/add-secure-apps/providers/scim/create-scim-provider/")
        }
        IdentityProvider::Other => None,
    }
}
