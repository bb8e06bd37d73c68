//! Pages of how people sign in: Login Settings, the SAML integration, sign-ins that failed.

use jiff::Timestamp;

use super::scim::{connected, list};
use super::{Sample, halden, hold_to_promises, sample, shell, some};
use crate::domain::saml::provider::Standing;
use crate::domain::settings::{FirstLogin, SecondFactor, Switch};
use crate::portal::confirm::Confirm;
use crate::portal::settings::failures::{Failures, Refused};
use crate::portal::settings::login::{LoginSettings, ways};
use crate::portal::settings::saml::{Certificate, Known, Saml, Typed};
use crate::portal::shell::Section;

fn login() -> LoginSettings {
    LoginSettings {
        frame: halden(),
        shell: shell(Section::Login),
        trouble: None,
        may_change: true,
        is_stale: false,
        sign_in_url: "https://admin.example.net/o/halden-freight/sign-in".to_owned(),
        standing: Standing::Tried,
        sso: Switch::On,
        idp_initiated: Switch::Off,
        second_factor: SecondFactor::Required,
        ways: ways(FirstLogin::Saml, Standing::Tried),
        is_for_all: false,
    }
}

fn saml() -> Saml {
    let mut shell = shell(Section::Integrations);
    shell.is_behind_panel = true;
    Saml {
        frame: halden(),
        shell,
        list: list(connected()),
        trouble: None,
        trial: None,
        may_change: true,
        is_stale: false,
        acs_url: "https://admin.example.net/portalApi/halden-freight/AuthenticationSAML/AssertionConsumerService"
            .to_owned(),
        entity_id: "https://admin.example.net/saml/0191b2c4-70aa-7000-8000-000000000000".to_owned(),
        metadata: "/saml/0191b2c4-70aa-7000-8000-000000000000".to_owned(),
        standing: Standing::Tried,
        is_allowed: true,
        known: Some(Known {
            entity_id: "https://sts.example.org/9f2c/".to_owned(),
            sso_url: "https://login.example.org/9f2c/saml2".to_owned(),
            read: some("24 November 2026, 04:00 UTC"),
            tried: some("4 May 2026, 09:12 UTC"),
            certificates: vec![
                Certificate {
                    fingerprint: "4A:19:0C:5D:77:20:E2:11:9B:3F:00:61:8A:AA:BC:DE:FF:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:E2"
                        .to_owned(),
                    expires: "9 December 2026".to_owned(),
                    state: ("ok", "Accepted".to_owned()),
                },
                Certificate {
                    fingerprint: "C7:03:0C:5D:77:20:E2:11:9B:3F:00:61:8A:AA:BC:DE:FF:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:5B"
                        .to_owned(),
                    expires: "9 December 2024".to_owned(),
                    state: ("warn", "Accepted until 1 December 2026".to_owned()),
                },
            ],
        }),
        typed: Typed {
            url: "https://login.example.org/9f2c/federationmetadata.xml".to_owned(),
            stable_id_attribute: "externalId".to_owned(),
            ..Typed::default()
        },
    }
}

/// Feature rows 18, 23, 90: what all pages promise, of Login Settings.
#[tokio::test]
async fn login_settings_keep_their_promises() {
    let samples: Vec<Sample> = vec![
        sample("login-settings", &login()),
        sample(
            "login-settings-stale",
            &LoginSettings {
                is_stale: true,
                standing: Standing::Untried,
                sso: Switch::Off,
                second_factor: SecondFactor::Optional,
                ways: ways(FirstLogin::Invitation, Standing::NotConfigured),
                ..login()
            },
        ),
        sample(
            "login-settings-read",
            &LoginSettings {
                may_change: false,
                standing: Standing::NotConfigured,
                trouble: some("Single sign-on can be allowed once a trial sign-in has succeeded."),
                ..login()
            },
        ),
        sample(
            "login-settings-confirm",
            &Confirm {
                frame: halden(),
                shell: shell(Section::Login),
                question: "Change how people sign in?".to_owned(),
                consequences: vec![
                    "12 people sign in at the identity provider alone from now on.".to_owned(),
                ],
                step: "Change how people sign in".to_owned(),
                typed: some("halden-freight"),
                hidden: Vec::new(),
                action: "login-settings".to_owned(),
                back: "login-settings".to_owned(),
                trouble: None,
            },
        ),
    ];
    hold_to_promises(samples).await;
}

/// Feature rows 21, 22, 102: what all pages promise, of the SAML integration.
#[tokio::test]
async fn the_saml_integration_keeps_its_promises() {
    let refused = |found: &'static str, asserted: Vec<(&'static str, String)>| Refused {
        reference: "5c1e09aa".to_owned(),
        at: "23 November 2026, 11:48 UTC".to_owned(),
        time: Timestamp::UNIX_EPOCH.to_string(),
        found,
        remedy: "Compare the entity id in the SAML settings with the issuer of the provider.",
        address: some("198.51.100.90"),
        asserted,
    };
    let asserted = vec![
        ("Person (masked)", "n…@haldenfreight.example".to_owned()),
        ("Audience", "https://admin.example.net/saml/another".to_owned()),
    ];
    let samples: Vec<Sample> = vec![
        sample("saml", &saml()),
        sample(
            "saml-new",
            &Saml {
                standing: Standing::NotConfigured,
                is_allowed: false,
                known: None,
                typed: Typed::default(),
                trouble: some("The metadata are not valid; expected an EntityDescriptor."),
                ..saml()
            },
        ),
        sample(
            "saml-stale",
            &Saml {
                standing: Standing::Untried,
                trial: some("/o/halden-freight/saml/start?link=sciml_x"),
                typed: Typed {
                    is_file: true,
                    ..Typed::default()
                },
                ..saml()
            },
        ),
        sample(
            "saml-failures",
            &Failures {
                frame: halden(),
                shell: shell(Section::Login),
                reference: String::new(),
                refused: vec![
                    refused("The assertion is made for another service.", asserted),
                    refused("The answer is larger than 256 KiB.", Vec::new()),
                ],
            },
        ),
        sample(
            "saml-failures-none",
            &Failures {
                frame: halden(),
                shell: shell(Section::Login),
                reference: "5c1e09aa".to_owned(),
                refused: Vec::new(),
            },
        ),
    ];
    hold_to_promises(samples).await;
}
