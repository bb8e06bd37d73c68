//! Providers without a guide of their own: any that speaks SCIM 2.0.

use super::{Block, Guide, Stage, Step, Value, called, roles};
use crate::domain::settings::{IdentityProvider, Settings};

pub(super) fn guide(provider: IdentityProvider, settings: &Settings) -> Guide {
    let (url, token) = fields(provider);
    Guide {
        provider,
        before: Vec::new(),
        steps: vec![
            Step::new(
                Stage::Application,
                format!("Create an application in {}", called(provider)),
                vec![Block::Text(
                    "Make an application that provisions by *SCIM 2.0*, or open the one that is there already and its page \
                     about provisioning.",
                )],
            ),
            Step::new(
                Stage::Connection,
                format!("Connect {} to this server", called(provider)),
                vec![
                    Block::Text("Enter these values. The names of the fields may be others in your version."),
                    Block::Fields(vec![
                        (url, Value::Url),
                        (
                            "Authentication",
                            Value::Choice("Bearer token", "Also called OAuth bearer token or HTTP header"),
                        ),
                        (token, Value::Token),
                    ]),
                    Block::Text("Then let it test the connection, if it can, and save."),
                    Block::Attempt,
                ],
            ),
            Step::new(
                Stage::People,
                "Choose what is sent",
                vec![
                    Block::Text("Let it create, update and deactivate people. These attributes matter:"),
                    Block::Points(vec![
                        "*userName* names the person and is unique here; best an e-mail address.",
                        "*name.givenName* and *name.familyName*.",
                        "*active*: false ends access here at once.",
                    ]),
                ],
            ),
            Step::new(
                Stage::Groups,
                "Choose people and groups, and start",
                vec![Block::Text(
                    "Assign people and groups to the application, let it send groups with their members, and start \
                     provisioning.",
                )],
            ),
            roles(settings),
        ],
        start: "Look for “start”, “activate” or “synchronize now” on the application’s page about provisioning.",
        rhythm: match provider {
            IdentityProvider::Authentik => "authentik sends changes at once, and everything once an hour.",
            _ => "The first synchronization can take up to an hour; most changes arrive within minutes.",
        },
        documentation: documentation(provider),
    }
}

/// The provider's own names of the URL and the token.
const fn fields(provider: IdentityProvider) -> (&'static str, &'static str) {
    match provider {
        IdentityProvider::OneLogin => ("SCIM Base URL", "SCIM Bearer Token"),
        IdentityProvider::Google => ("Endpoint URL", "Access token"),
        IdentityProvider::Ping => ("SCIM BASE URL", "OAUTH ACCESS TOKEN"),
        IdentityProvider::Authentik => ("URL", "Token"),
        _ => ("SCIM 2.0 base URL", "Bearer token"),
    }
}

const fn documentation(provider: IdentityProvider) -> Option<&'static str> {
    match provider {
        IdentityProvider::OneLogin => Some("https://developers.onelogin.com/scim"),
        IdentityProvider::Google => Some("https://support.google.com/a"),
        IdentityProvider::Ping => Some("https://docs.pingidentity.com"),
        IdentityProvider::Authentik => Some("https://docs.goauthentik.io"),
        _ => None,
    }
}
