//! Google Workspace, which sends people and no groups.

use super::provider::GOOGLE;
use super::{Block, Guide, Stage, Step, Value};
use crate::domain::settings::{Assignment, IdentityProvider, Settings};

pub(super) fn guide(settings: &Settings) -> Guide {
    Guide {
        provider: IdentityProvider::Google,
        before: vec![
            "Google offers automatic provisioning for the SAML applications of its catalogue that support it. Where an \
             application has no section *Auto-provisioning*, Google cannot send anybody.",
            "Google sends people, and no groups.",
        ],
        steps: vec![
            Step::new(
                Stage::Application,
                "Open the application in the Admin console",
                vec![Block::Text(
                    "Open *Apps*, *Web and mobile apps* and the application, and switch it on for the people who are to come.",
                )],
            ),
            Step::new(
                Stage::Connection,
                "Connect Google to this server",
                vec![
                    Block::Text(
                        "In the section *Auto-provisioning*, choose *Configure auto-provisioning* and enter:",
                    ),
                    Block::Fields(vec![(GOOGLE.token, Value::Token), (GOOGLE.url, Value::Url)]),
                    Block::Text("Google asks for one after the other. Choose *Continue* after each."),
                    Block::Attempt,
                ],
            ),
            Step::new(
                Stage::People,
                "Choose what is sent",
                vec![
                    Block::Text(
                        "Check that every mandatory attribute is mapped: the e-mail address to *userName*, and given and family \
                         name. Choose *Continue*, and, if you like, groups whose members alone are sent.",
                    ),
                    Block::Text(
                        "Choose how long Google waits before it deletes or suspends somebody who has left: until then they keep \
                         their access here.",
                    ),
                    Block::Text("Finish, and switch auto-provisioning on."),
                ],
            ),
            roles(settings),
        ],
        start: "In the section *Auto-provisioning* of the application, switch it on.",
    }
}

/// Returns the step after people have come: no group of Google's says what they may do.
fn roles(settings: &Settings) -> Step {
    let text = match settings.assignment {
        Assignment::LocalGroups => {
            "New people have no role. Here, open *Unassigned users*, and put each into a group that is kept here and has roles."
        }
        Assignment::MappedOnly => {
            "New people have no role, and without groups none is mapped. Here, open *Unassigned users*, and give each the \
             permissions that they need."
        }
    };
    Step::new(
        Stage::Roles,
        "Give people what they may do",
        vec![
            Block::Text(text),
            Block::Page("users?show=unassigned", "Open Unassigned users"),
        ],
    )
}
