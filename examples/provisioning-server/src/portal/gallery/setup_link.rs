//! Set-up links, and the pages of whoever has one.

use super::wizard::{progress, view};
use super::{Sample, halden, hold_to_promises, sample, shell, some};
use crate::domain::settings::{IdentityProvider, Preset};
use crate::domain::setup_link::State;
use crate::domain::words::Words;
use crate::portal::setup_link::helper::{AnotherToken, Done, GuidePage, Open, Over};
use crate::portal::setup_link::links::{Links, Row};
use crate::portal::shell::Section;
use crate::portal::wizard::Choice;
use crate::portal::wizard::view::Reader;

const TOKEN: &str = "scimp_7n42DGM5Tflk9n8mt7Fhc77n42DGM5Tflk9n8mt7Fhc7aB3dE9";

fn row(made: &str, fate: &str, state: State) -> Row {
    Row {
        id: "0191b2f0-0000-7000-8000-000000000001".to_owned(),
        made: made.to_owned(),
        fate: fate.to_owned(),
        state,
    }
}

fn links(made: Option<(String, String)>, rows: Vec<Row>) -> Links {
    Links {
        frame: halden(),
        shell: shell(Section::Integrations),
        made,
        rows,
        may: true,
    }
}

fn guide(secret: Option<String>, trouble: Option<String>) -> GuidePage {
    GuidePage {
        frame: halden(),
        maker: "Ida Sørensen".to_owned(),
        expires: "30 November 2026, 10:40 UTC".to_owned(),
        guide: view(
            IdentityProvider::Entra,
            &progress(Preset::ThreatLocker),
            Reader::Linked,
            true,
        ),
        providers: Choice::all(IdentityProvider::Entra),
        has_token: true,
        secret,
        trouble,
        here: "/o/halden-freight/setup?provider=entra".to_owned(),
        open: "/o/halden-freight/setup?provider=entra&steps=all".to_owned(),
    }
}

fn samples() -> Vec<Sample> {
    let url = "https://admin.example.net/o/halden-freight/setup/scimu_7n42DGM5Tflk9n8mt7Fhc77n42DGM5Tflk9n8mt7Fhc7aB3dE9";
    let made = Some((url.to_owned(), "30 November 2026, 10:40 UTC".to_owned()));
    let rows = vec![
        row(
            "Made on 29 November 2026, 10:40 UTC by ida.sorensen@haldenfreight.example",
            "Not opened. Ends on 30 November 2026, 10:40 UTC.",
            State::New,
        ),
        row(
            "Made on 20 November 2026, 09:12 UTC by marek.dvorak@haldenfreight.example",
            "Opened on 20 November 2026, 09:30 UTC. Ended on 20 November 2026, 11:02 UTC.",
            State::Ended,
        ),
    ];
    vec![
        sample("setup-links-made", &links(made, rows)),
        sample("setup-links-none", &links(None, Vec::new())),
        sample("setup-link-open", &Open { frame: halden() }),
        sample("setup-link-over", &Over { frame: halden() }),
        sample("setup-link-done", &Done { frame: halden() }),
        sample(
            "setup-link-another-token",
            &AnotherToken {
                frame: halden(),
                words: Words::of(Preset::ThreatLocker),
            },
        ),
        sample("setup-link-guide", &guide(some(TOKEN), None)),
        sample(
            "setup-link-guide-refused",
            &guide(
                None,
                some("Two tokens are in force already: complete the rotation first."),
            ),
        ),
    ]
}

/// Feature rows 71, 82: the pages of set-up links.
#[tokio::test]
async fn setup_links_keep_what_all_pages_promise() {
    hold_to_promises(samples()).await;
}
