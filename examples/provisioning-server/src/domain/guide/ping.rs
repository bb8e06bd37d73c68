//! PingOne and PingFederate.

use super::provider::PING;
use super::{Block, Guide, Stage, Step, Value, roles};
use crate::domain::settings::{IdentityProvider, Settings};

pub(super) fn guide(settings: &Settings) -> Guide {
    Guide {
        provider: IdentityProvider::Ping,
        before: Vec::new(),
        steps: vec![
            Step::new(
                Stage::Application,
                "Create the connection in PingOne",
                vec![
                    Block::Text(
                        "Open *Integrations* and *Provisioning*, choose *+* and *New connection*, at *Identity Store* choose \
                         *Select*, then *SCIM Outbound*, and give it a name.",
                    ),
                    Block::Text(
                        "In PingFederate, create an SP connection with *Outbound Provisioning* by the SCIM provisioner, and open its \
                         target.",
                    ),
                ],
            ),
            Step::new(
                Stage::Connection,
                "Connect Ping Identity to this server",
                vec![
                    Block::Text("Enter:"),
                    Block::Fields(vec![
                        (PING.url, Value::Url),
                        ("Users resource", Value::Choice("/Users", "")),
                        ("SCIM version", Value::Choice("2.0", "")),
                        ("Groups resource", Value::Choice("/Groups", "")),
                        ("Authentication method", Value::Choice("OAuth 2 Bearer Token", "")),
                        (PING.token, Value::Token),
                        ("Auth Type Header", Value::Choice("Bearer", "")),
                    ]),
                    Block::Text(
                        "PingFederate calls the first of these *SCIM URL* and the token *Access Token*, and knows the paths by itself.",
                    ),
                    Block::Text("Choose *Test connection*, then save, and switch the connection on."),
                    Block::Attempt,
                ],
            ),
            Step::new(
                Stage::People,
                "Choose what is sent",
                vec![
                    Block::Text(
                        "Let it create, update and disable people. In PingOne, make a rule under *Rules* that leads to this \
                         connection, choose its *User Filter*, and switch it on.",
                    ),
                    Block::Points(vec![
                        "The attribute mapping has to fill *userName*, best with the e-mail address.",
                        "*name.givenName* and *name.familyName* are shown here.",
                    ]),
                ],
            ),
            Step::new(
                Stage::Groups,
                "Choose the groups",
                vec![Block::Text(
                    "In the same rule or channel, choose the groups whose members are to come with their membership.",
                )],
            ),
            roles(settings),
        ],
        start: "Ping Identity sends as soon as the connection and its rule are switched on.",
    }
}
