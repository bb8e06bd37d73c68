//! OneLogin.

use super::provider::ONELOGIN;
use super::{Block, Guide, Stage, Step, Value, roles};
use crate::domain::settings::{IdentityProvider, Settings};

pub(super) fn guide(settings: &Settings) -> Guide {
    Guide {
        provider: IdentityProvider::OneLogin,
        before: Vec::new(),
        steps: vec![
            Step::new(
                Stage::Application,
                "Add the application in OneLogin",
                vec![Block::Text(
                    "Open *Applications*, choose *Add App*, and search for *SCIM Provisioner with SAML*. Of those that are \
                     found, take one for *SCIM v2*, give it a name, and *Save*.",
                )],
            ),
            Step::new(
                Stage::Connection,
                "Connect OneLogin to this server",
                vec![
                    Block::Text("Open the tab *Configuration* and enter:"),
                    Block::Fields(vec![(ONELOGIN.url, Value::Url), (ONELOGIN.token, Value::Token)]),
                    Block::Text(
                        "The *SCIM JSON Template* can stay as it is. Choose *Enable*: OneLogin tries the connection. Then *Save*.",
                    ),
                    Block::Attempt,
                ],
            ),
            Step::new(
                Stage::People,
                "Switch provisioning on",
                vec![
                    Block::Text("Open the tab *Provisioning*, tick *Enable provisioning*, and *Save*."),
                    Block::Points(vec![
                        "What stands under *Require admin approval* waits until somebody approves it in OneLogin.",
                        "*Suspend* and *Delete*, below it, say what becomes of people who leave. Either ends access here at once.",
                    ]),
                ],
            ),
            Step::new(
                Stage::Groups,
                "Assign people, and send groups",
                vec![Block::Text(
                    "Assign people or roles to the application. To send groups, open the tab *Parameters*, choose *Groups* and \
                     tick *Include in User Provisioning*; a rule under *Rules* says who is in which group.",
                )],
            ),
            roles(settings),
        ],
        start: "OneLogin sends as soon as people are assigned, and what waits for approval once it is approved.",
    }
}
