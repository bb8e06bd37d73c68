//! Microsoft Entra ID.

use super::provider::ENTRA;
use super::{Block, Guide, Stage, Step, Value, roles};
use crate::domain::settings::{IdentityProvider, Preset, Settings};

pub(super) fn guide(settings: &Settings) -> Guide {
    let (before, mut steps) = match settings.words {
        Preset::LevelAccess => (
            vec![
                "Single sign-on is configured for the application first: SCIM is for its people.",
                "User attribute groups of Entra ID are not supported, and can lead to quarantine.",
            ],
            level_access(),
        ),
        Preset::ThreatLocker => (Vec::new(), threatlocker()),
        Preset::ThirdPlatform => (Vec::new(), third_platform()),
    };
    steps.push(roles(settings));
    Guide {
        provider: IdentityProvider::Entra,
        before,
        steps,
        start: "On the application’s page *Provisioning*, choose *Start provisioning*. *Provision on demand* brings one \
                person or group at once.",
    }
}

const KEPT_WHEN_LEAVING: Block = Block::Text(
    "With its default mappings, Entra ID first deactivates a person who leaves, and deletes them later: they cannot sign in \
     here from the first of these on.",
);

fn threatlocker() -> Vec<Step> {
    vec![
        Step::new(
            Stage::Application,
            "Create an enterprise application",
            vec![Block::Text(
                "Open *Enterprise apps*, *New application* and *Create your own application*. Enter a name, choose \
                 *Integrate any other application you don't find in the gallery*, and *Create*.",
            )],
        ),
        Step::new(
            Stage::Connection,
            "Connect Entra ID to this server",
            vec![
                Block::Text(
                    "Open *Provisioning* and *Overview*, choose *Connect your application* and enter:",
                ),
                Block::Fields(vec![
                    (
                        "Authentication method",
                        Value::Choice("Bearer authentication", ""),
                    ),
                    (ENTRA.url, Value::Url),
                    (ENTRA.token, Value::Token),
                ]),
                Block::Text(
                    "Choose *Test Connection*, which fails while Enabled is off here. Then *Create*.",
                ),
                Block::Attempt,
            ],
        ),
        Step::new(
            Stage::People,
            "Trim the attributes",
            vec![
                Block::Text(
                    "Open *Attribute mapping*. Nothing needs to change for *Groups*. For *Users*, keep these three, delete \
                     the others, and *Save*. Whatever else is sent is disregarded.",
                ),
                Block::EntraAttributes,
                Block::Text(
                    "With these three alone, Entra ID says that somebody has left only by deleting them. With its default \
                     mappings it deactivates first and deletes later.",
                ),
            ],
        ),
        Step::new(
            Stage::People,
            "Assign people and groups",
            vec![
                Block::Text(
                    "Open *Users and groups*, choose *Add user/group* and *None Selected*, pick, then *Select* and *Assign*.",
                ),
                Block::Points(vec![
                    "A group brings all its direct members. Members of nested groups are not sent.",
                    "A person who is assigned alone comes without any role or permission.",
                ]),
            ],
        ),
        Step::new(
            Stage::People,
            "Switch provisioning on",
            vec![Block::Text(
                "Open *Provisioning*, set *Provisioning Status* to *On*, and *Save*.",
            )],
        ),
        Step::new(
            Stage::Groups,
            "Start provisioning",
            vec![Block::Text(
                "On the *Overview*, choose *Start provisioning*. Groups appear under Identity Provider Group here, which can \
                 take up to an hour.",
            )],
        ),
    ]
}

fn level_access() -> Vec<Step> {
    vec![
        Step::new(
            Stage::Connection,
            "Connect Entra ID to this server",
            vec![
                Block::Text(
                    "Open *Enterprise applications*, *All applications*, the application, *Provisioning* and *Provisioning* \
                     again. Enter:",
                ),
                Block::Fields(vec![("Provisioning Mode", Value::Choice("Automatic", ""))]),
                Block::Text("Under *Admin Credentials*, enter:"),
                Block::Fields(vec![(ENTRA.url, Value::Url), (ENTRA.token, Value::Token)]),
                Block::Text("Choose *Test Connection*, then *Create*."),
                Block::Attempt,
            ],
        ),
        Step::new(
            Stage::People,
            "Assign people and groups",
            vec![
                Block::Text(
                    "Choose *Assign users and groups*, then *Add user/group*, and pick whom to send.",
                ),
                KEPT_WHEN_LEAVING,
            ],
        ),
        Step::new(
            Stage::Groups,
            "Start provisioning",
            vec![Block::Text(
                "Choose *Start provisioning*: from then on Entra ID calls every 40 minutes. *Provision on demand* sends one \
                 person or group at once, and the provisioning logs show what became of each.",
            )],
        ),
        Step::new(
            Stage::Groups,
            "Know what quarantine is",
            vec![Block::Text(
                "After repeated errors Entra ID pauses provisioning, which it calls *Quarantine*; attribute groups are one \
                 cause. *Provision on demand* still works meanwhile.",
            )],
        ),
    ]
}

fn third_platform() -> Vec<Step> {
    vec![
        Step::new(
            Stage::Application,
            "Create an enterprise application",
            vec![Block::Text(
                "Open *Enterprise applications*, *New application* and *Create your own application*, or open the one that \
                 is there already.",
            )],
        ),
        Step::new(
            Stage::Connection,
            "Connect Entra ID to this server",
            vec![
                Block::Text("Open *Provisioning*, choose the mode *Automatic* and enter:"),
                Block::Fields(vec![(ENTRA.url, Value::Url), (ENTRA.token, Value::Token)]),
                Block::Text("Choose *Test Connection*, then *Save*."),
                Block::Attempt,
            ],
        ),
        Step::new(
            Stage::People,
            "Check the attribute mapping",
            vec![
                Block::Text(
                    "Open *Attribute mapping*: the defaults can stay. The table “Which fields arrive” shows where each is \
                     seen here.",
                ),
                KEPT_WHEN_LEAVING,
            ],
        ),
        Step::new(
            Stage::People,
            "Assign people and groups",
            vec![Block::Text(
                "Open *Users and groups*, choose *Add user/group*, and pick whom to send. Each group becomes a role here.",
            )],
        ),
        Step::new(
            Stage::Groups,
            "Start provisioning",
            vec![Block::Text("On the *Overview*, choose *Start provisioning*.")],
        ),
    ]
}
