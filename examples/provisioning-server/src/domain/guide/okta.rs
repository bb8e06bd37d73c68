//! Okta.

use super::provider::OKTA;
use super::{Block, Guide, Stage, Step, Value, identifier, roles};
use crate::domain::settings::{IdentityProvider, Preset, Settings};

pub(super) fn guide(settings: &Settings) -> Guide {
    let (before, steps) = match settings.words {
        Preset::LevelAccess => (
            vec![
                "SCIM is activated here, and the SCIM URL and the SCIM API key are at hand.",
                "The SAML application of this product exists in Okta: single sign-on is configured first.",
            ],
            level_access(settings),
        ),
        Preset::ThreatLocker => (Vec::new(), with_saml(settings)),
        Preset::ThirdPlatform => (
            vec!["An application of this product exists in Okta. Single sign-on is not needed."],
            without_saml(settings),
        ),
    };
    Guide {
        provider: IdentityProvider::Okta,
        before,
        steps,
        start: "Okta sends as soon as people are assigned and groups are pushed: under *Push Groups*, choose *Push now*.",
    }
}

fn with_saml(settings: &Settings) -> Vec<Step> {
    vec![
        Step::new(
            Stage::Saml,
            "Create the application in Okta",
            vec![Block::Text(
                "Open *Applications*, *Applications*, choose *Create App Integration* and *SAML 2.0*, then *Next*.",
            )],
        ),
        Step::new(
            Stage::Saml,
            "Name it",
            vec![Block::Text(
                "Under *General*, enter an *App name*. Logo and visibility are up to you. Choose *Next*.",
            )],
        ),
        Step::new(
            Stage::Saml,
            "Configure SAML",
            vec![
                Block::Text("On the page *Configure SAML*, enter:"),
                Block::Fields(vec![
                    ("Single sign-on URL", Value::Acs),
                    ("Audience URI (SP Entity ID)", Value::EntityId),
                    (
                        "Default RelayState",
                        Value::Choice("As you like", "Empty leads to the first page"),
                    ),
                    ("Name ID format", Value::Choice("EmailAddress", "")),
                    ("Application username", Value::Choice("Email", "")),
                    (
                        "Update application username on",
                        Value::Choice("Create and update", "Or as you like"),
                    ),
                ]),
                Block::Text(
                    "*Preview the SAML Assertion* shows what Okta will send. Leave the attribute statements as they are, \
                     and choose *Next*.",
                ),
            ],
        ),
        Step::new(
            Stage::Saml,
            "Finish the application",
            vec![Block::Text(
                "Okta asks for *Feedback*. Answer it, and choose *Finish*.",
            )],
        ),
        Step::new(
            Stage::Application,
            "Switch on SCIM in the application",
            vec![Block::Text(
                "In the application, open *General*. At *App Settings* choose *Edit*, set *Provisioning* to *SCIM*, and \
                 *Save*.",
            )],
        ),
        connect(
            "Open the tab *Provisioning*, then *SCIM Connection*, choose *Edit* and enter:",
            settings,
        ),
        send(),
        push_groups(),
        roles(settings),
        Step::new(
            Stage::Login,
            "Allow single sign-on",
            vec![
                Block::Text("Here, open *Login Settings* and allow SSO, once a trial sign-in has succeeded."),
                Block::Page("login-settings", "Open Login Settings"),
            ],
        ),
    ]
}

fn level_access(settings: &Settings) -> Vec<Step> {
    vec![
        Step::new(
            Stage::Application,
            "Switch on SCIM in the SAML application",
            vec![Block::Text(
                "Open *Applications*, the SAML application and *General*. At *App Settings*, set *Provisioning* to *SCIM*.",
            )],
        ),
        connect(
            "Open *Provisioning*, *Settings* and *Integration*, choose *Edit* and enter:",
            settings,
        ),
        send(),
        Step::new(
            Stage::People,
            "Assign people",
            vec![Block::Text(
                "Open *Directory*, *People* and a person, and assign the application to them. Groups can be assigned at \
                 once.",
            )],
        ),
        roles(settings),
    ]
}

fn without_saml(settings: &Settings) -> Vec<Step> {
    vec![
        Step::new(
            Stage::Application,
            "Switch on SCIM in the application",
            vec![Block::Text(
                "Open *Applications* and the application. Under *General*, at *App Settings*, choose *Edit*, set \
                 *Provisioning* to *SCIM*, and *Save*.",
            )],
        ),
        connect(
            "Open the tab *Provisioning*, then *Integration*, choose *Edit* and enter:",
            settings,
        ),
        send(),
        push_groups(),
        roles(settings),
    ]
}

fn connect(place: &'static str, settings: &Settings) -> Step {
    Step::new(
        Stage::Connection,
        "Connect Okta to this server",
        vec![
            Block::Text(place),
            Block::Fields(vec![
                (OKTA.url, Value::Url),
                (
                    "Unique identifier field for users",
                    Value::Literal(identifier(settings)),
                ),
                (
                    "Supported provisioning actions",
                    Value::Choice(
                        "Tick all of them",
                        "Import new users and profile updates, push new users, push profile updates, push groups, import \
                         groups",
                    ),
                ),
                ("Authentication Mode", Value::Choice("HTTP Header", "")),
                (OKTA.token, Value::Token),
            ]),
            Block::Text(
                "Choose *Test Connector Configuration*, which answers that the connector was configured successfully. Then \
                 *Close* and *Save*.",
            ),
            Block::Attempt,
        ],
    )
}

fn send() -> Step {
    Step::new(
        Stage::People,
        "Choose what Okta sends",
        vec![
            Block::Text("Under *Settings*, open *To App* (Provisioning to App), choose *Edit* and tick:"),
            Block::Points(vec![
                "*Create Users*",
                "*Update User Attributes*",
                "*Deactivate Users*",
            ]),
            Block::Text("Then *Save*. Leave the attribute mappings below alone."),
            Block::Warning(
                "Fill in primaryPhone.",
                "Okta itself reports an error for each person whose primaryPhone is empty. This server does not need it.",
            ),
        ],
    )
}

fn push_groups() -> Step {
    Step::new(
        Stage::Groups,
        "Push the groups",
        vec![
            Block::Text(
                "Open the tab *Push Groups*, choose groups by name or by rule, and *Save*. Assign the same groups to the \
                 application, so that their members are sent too.",
            ),
            Block::Text(
                "Groups appear here within minutes; the first synchronization can take up to an hour.",
            ),
        ],
    )
}
