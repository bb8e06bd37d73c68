//! The set-up guide.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{Sample, halden, hold_to_promises, sample, shell};
use crate::actions::set_up::Progress;
use crate::domain::guide::Guide;
use crate::domain::history::HistoryEntry;
use crate::domain::integration::State;
use crate::domain::organization::{Name, Organization};
use crate::domain::public_url::PublicUrl;
use crate::domain::rhythm::{Next, Rhythm};
use crate::domain::saml::provider::Standing;
use crate::domain::settings::{IdentityProvider, Preset, Settings};
use crate::portal::shell::Section;
use crate::portal::wizard::view::{Reader, View};
use crate::portal::wizard::{Choice, Wizard};

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_795_948_560 + minutes * 60).unwrap()
}

/// Makes an organization like a product, before its first request.
pub(super) fn progress(product: Preset) -> Progress {
    let settings = Settings::of(product);
    let name = Name::parse("halden-freight").unwrap();
    Progress {
        organization: Organization::new(Uuid::nil(), name, None, settings, at(0)).unwrap(),
        state: State::Enabled,
        has_token: true,
        token: None,
        first_request: None,
        last_request: None,
        rhythm: Rhythm {
            usual_seconds: None,
            next: Next::NotKnown,
        },
        refused: None,
        people: 0,
        groups: 0,
        is_mapped: Some(false),
        saml: Standing::NotConfigured,
        arrived: Vec::new(),
    }
}

fn entry(minutes: i64, meaning: &str) -> HistoryEntry {
    HistoryEntry {
        id: Uuid::nil(),
        time: at(minutes),
        method: "POST".to_owned(),
        path: "/Users".to_owned(),
        status: 201,
        scim_type: None,
        duration_us: 900,
        meaning: meaning.to_owned(),
        resource_type: None,
        resource_id: None,
        external_id: None,
        token: None,
        request_id: "r".to_owned(),
        idp: "entra".to_owned(),
        notes: None,
        error: None,
    }
}

/// Makes the same after people and groups have come.
fn connected(product: Preset) -> Progress {
    Progress {
        first_request: Some(at(1)),
        last_request: Some(at(9)),
        rhythm: Rhythm {
            usual_seconds: Some(2_400),
            next: Next::At(Timestamp::now() + SignedDuration::from_mins(12)),
        },
        people: 12,
        groups: 3,
        arrived: vec![
            entry(9, "added 12 members to Dispatch Nordics"),
            entry(8, "created group Dispatch Nordics"),
            entry(7, "created user noor.haddad@haldenfreight.example"),
        ],
        ..progress(product)
    }
}

pub(super) fn view(provider: IdentityProvider, progress: &Progress, reader: Reader, is_open: bool) -> View {
    let guide = Guide::of(provider, &progress.organization.settings);
    let base = PublicUrl::parse("https://admin.example.net").unwrap();
    View::of(guide, progress, &base, &halden(), reader, is_open)
}

fn wizard(provider: IdentityProvider, progress: &Progress, is_open: bool) -> Wizard {
    Wizard {
        frame: halden(),
        shell: shell(Section::Integrations),
        providers: Choice::all(provider),
        other: (provider == IdentityProvider::JumpCloud).then_some("Okta"),
        guide: view(provider, progress, Reader::Administrator, is_open),
        may_share: true,
        here: "/o/halden-freight/integrations/scim/wizard?provider=okta".to_owned(),
        open: "/o/halden-freight/integrations/scim/wizard?provider=okta&steps=all".to_owned(),
    }
}

fn samples() -> Vec<Sample> {
    let refused = Progress {
        refused: Some((
            400,
            "\"jdoe\" is not a valid userName; expected an e-mail address: map userPrincipalName or mail to it.".to_owned(),
        )),
        last_request: Some(at(3)),
        first_request: Some(at(1)),
        ..progress(Preset::ThreatLocker)
    };
    let unset = Progress {
        has_token: false,
        state: State::Absent,
        ..progress(Preset::ThirdPlatform)
    };
    vec![
        sample(
            "wizard-okta",
            &wizard(IdentityProvider::Okta, &progress(Preset::ThreatLocker), false),
        ),
        sample(
            "wizard-okta-all",
            &wizard(IdentityProvider::Okta, &progress(Preset::ThreatLocker), true),
        ),
        sample(
            "wizard-entra-all",
            &wizard(IdentityProvider::Entra, &connected(Preset::ThreatLocker), true),
        ),
        sample("wizard-refused", &wizard(IdentityProvider::Entra, &refused, true)),
        sample(
            "wizard-level-access",
            &wizard(IdentityProvider::Okta, &connected(Preset::LevelAccess), true),
        ),
        sample(
            "wizard-jumpcloud",
            &wizard(IdentityProvider::JumpCloud, &unset, true),
        ),
        sample("wizard-other", &wizard(IdentityProvider::Other, &unset, true)),
        sample(
            "wizard-onelogin",
            &wizard(IdentityProvider::OneLogin, &unset, true),
        ),
        sample("wizard-google", &wizard(IdentityProvider::Google, &unset, true)),
        sample("wizard-ping", &wizard(IdentityProvider::Ping, &unset, true)),
        sample(
            "wizard-authentik",
            &wizard(IdentityProvider::Authentik, &unset, true),
        ),
    ]
}

/// Feature rows 67, 82: the guides of providers.
#[tokio::test]
async fn guides_keep_what_all_pages_promise() {
    hold_to_promises(samples()).await;
}
