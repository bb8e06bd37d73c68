//! Any provider that speaks SCIM 2.0 and has no guide of its own.

use super::{Block, Guide, Stage, Step, Value, roles};
use crate::domain::settings::{IdentityProvider, Settings};

pub(super) fn guide(settings: &Settings) -> Guide {
    Guide {
        provider: IdentityProvider::Other,
        before: Vec::new(),
        steps: vec![
            Step::new(
                Stage::Application,
                "Create an application at the identity provider",
                vec![Block::Text(
                    "Make an application that provisions by *SCIM 2.0*, or open the one that is there already and its page \
                     about provisioning.",
                )],
            ),
            Step::new(
                Stage::Connection,
                "Connect the identity provider to this server",
                vec![
                    Block::Text("Enter these values. The fields may have other names there."),
                    Block::Fields(vec![
                        ("SCIM 2.0 base URL", Value::Url),
                        (
                            "Authentication",
                            Value::Choice("Bearer token", "Also called OAuth bearer token or HTTP header"),
                        ),
                        ("Bearer token", Value::Token),
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
    }
}
