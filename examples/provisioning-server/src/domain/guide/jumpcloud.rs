//! JumpCloud.

use super::provider::JUMPCLOUD;
use super::{Block, Guide, Stage, Step, Value, roles};
use crate::domain::settings::{IdentityProvider, Settings};

pub(super) fn guide(settings: &Settings) -> Guide {
    Guide {
        provider: IdentityProvider::JumpCloud,
        before: Vec::new(),
        steps: vec![
            Step::new(
                Stage::Application,
                "Create the application in JumpCloud",
                vec![Block::Text(
                    "Open *SSO Applications*, choose *Add New Application* and *Custom Application*. Tick the option to export \
                     users to this application, give it a name, and *Save Application*.",
                )],
            ),
            Step::new(
                Stage::Connection,
                "Connect JumpCloud to this server",
                vec![
                    Block::Text("Configure the application: open the tab *Identity Management* and enter:"),
                    Block::Fields(vec![
                        ("API Type", Value::Choice("SCIM API", "")),
                        ("SCIM Version", Value::Choice("SCIM 2.0", "")),
                        (JUMPCLOUD.url, Value::Url),
                        (JUMPCLOUD.token, Value::Token),
                        (
                            "Test User Email",
                            Value::Choice(
                                "An address that nobody here has",
                                "JumpCloud makes this person, and removes them again",
                            ),
                        ),
                    ]),
                    Block::Text("Choose *Test Connection*, then *Activate* and *Save*."),
                    Block::Attempt,
                ],
            ),
            Step::new(
                Stage::People,
                "Check the attributes",
                vec![Block::Text(
                    "Under *Identity Management*, the attribute mapping can stay as it is. The table “Which fields arrive” \
                     shows where each is seen here.",
                )],
            ),
            Step::new(
                Stage::Groups,
                "Choose the groups",
                vec![
                    Block::Text(
                        "Tick *Enable management of User Groups and Group Membership in this application*. Then open the tab \
                         *User Groups*, tick the groups whose members are to come, and *Save*.",
                    ),
                    Block::Points(vec![
                        "Members of these groups are sent at once.",
                        "A person who leaves all of them is deactivated here.",
                    ]),
                ],
            ),
            roles(settings),
        ],
        start: "JumpCloud sends as soon as the application is activated and a user group is bound to it.",
    }
}
