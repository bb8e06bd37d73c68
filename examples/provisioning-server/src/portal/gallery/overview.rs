//! The first page of an organization, and the help.

use super::scim::rhythm;
use super::{Sample, halden, hold_to_promises, sample, shell};
use crate::domain::activity::Counts;
use crate::portal::chart::changes::Changes;
use crate::portal::chart::changes::tests::week;
use crate::portal::integrations::card::{Connection, Note};
use crate::portal::moment::Shown;
use crate::portal::overview::help::{Help, Tick};
use crate::portal::overview::needs::Need;
use crate::portal::overview::{Beginning, Overview, Recent};
use crate::portal::shell::Section;

fn at(text: &str) -> Shown {
    Shown {
        iso: "2026-11-24T10:41:22Z".to_owned(),
        text: text.to_owned(),
    }
}

fn connection() -> Connection {
    Connection {
        tone: "ok",
        label: "Connected",
        is_live: true,
        provider: "Microsoft Entra ID",
        first: Some(at("on 4 May 2026")),
        last: Some(at("38 seconds ago")),
        rhythm: rhythm(),
        hint: "",
        users: 391,
        groups: 23,
        requests: 1_204,
        errors: 5,
        unattributed: 0,
        overflow: 0,
        notes: Vec::<Note>::new(),
        reasons: Vec::new(),
        not_kept: Vec::new(),
        tolerances: Vec::new(),
        offered: Vec::new(),
    }
}

fn need(tone: &'static str, title: &str, hint: &str) -> Need {
    Need {
        tone,
        title: title.to_owned(),
        hint: hint.to_owned(),
        link: Some(("Show them", "users".to_owned())),
        can_be_seen: tone == "bad",
    }
}

fn recent(tone: &'static str, sentence: &str, by: &str) -> Recent {
    Recent {
        tone,
        sentence: sentence.to_owned(),
        by: by.to_owned(),
        at: at("2 minutes ago"),
    }
}

fn overview() -> Overview {
    let busy = |place: usize| {
        let place = u64::try_from(place).unwrap_or(0);
        Counts {
            created: place * 7 % 5,
            updated: place * 13 % 17,
            ended: place % 3,
            errors: u64::from(place % 9 == 4),
        }
    };
    Overview {
        frame: halden(),
        shell: shell(Section::Overview),
        today: "Tuesday, 24 November 2026, 10:42 UTC".to_owned(),
        beginning: None,
        needs: vec![
            need(
                "bad",
                "31 people were deactivated within an hour, more than the 20 that are expected",
                "Nothing was held back: if it was not meant, disable the integration.",
            ),
            need(
                "warn",
                "The token ending 9fRd expires in 7 days",
                "Generate another with an overlap.",
            ),
            need(
                "info",
                "6 people have no role: they can sign in and see nothing.",
                "",
            ),
        ],
        connection: Some(connection()),
        chart: Some(Changes::of(&week(busy))),
        recent: vec![
            recent("idp", "Added 3 members to Platform Operations", "Entra ID"),
            recent("bad", "Rejected: create a user", "Entra ID"),
            recent(
                "info",
                "Token rotated: …7Kq2",
                "ida.sorensen@haldenfreight.example",
            ),
        ],
    }
}

fn tick(tone: &'static str, title: &'static str, hint: &str, is_linked: bool) -> Tick {
    Tick {
        tone,
        title,
        hint: hint.to_owned(),
        link: is_linked.then_some(("Show them", "integrations/scim/history")),
    }
}

/// Feature rows 38, 74: what all pages promise, of the first page.
#[tokio::test]
async fn the_first_page_keeps_its_promises() {
    let nothing = Changes::of(&week(|_| Counts::default()));
    let samples: Vec<Sample> = vec![
        sample("overview", &overview()),
        sample(
            "overview-calm",
            &Overview {
                needs: Vec::new(),
                chart: Some(nothing),
                ..overview()
            },
        ),
        sample(
            "overview-empty",
            &Overview {
                beginning: Some(Beginning::NotConfigured),
                needs: Vec::new(),
                connection: Some(Connection {
                    tone: "",
                    label: "Not configured",
                    is_live: false,
                    last: None,
                    ..connection()
                }),
                chart: None,
                recent: Vec::new(),
                ..overview()
            },
        ),
        sample(
            "overview-little",
            &Overview {
                needs: Vec::new(),
                connection: None,
                chart: None,
                recent: Vec::new(),
                ..overview()
            },
        ),
    ];
    hold_to_promises(samples).await;
}

/// Feature rows 16, 17, 65: what all pages promise, of the help.
#[tokio::test]
async fn the_help_keeps_its_promises() {
    let help = Help {
        frame: halden(),
        shell: shell(Section::Help),
        instance: "admin.example.net".to_owned(),
        organization: "halden-freight".to_owned(),
        id: "0191b2c4-70aa-7000-8000-000000000000".to_owned(),
        url_label: "API Url",
        scim_url: "https://admin.example.net/scim/halden-freight/v2".to_owned(),
        acs_url:
            "https://admin.example.net/portalApi/halden-freight/AuthenticationSAML/AssertionConsumerService"
                .to_owned(),
        sign_in_url: "https://admin.example.net/o/halden-freight/sign-in".to_owned(),
        ticks: vec![
            tick(
                "ok",
                "URL and token",
                "The last request came 38 seconds ago.",
                false,
            ),
            tick(
                "bad",
                "Attributes",
                "A value was refused: 4 requests in the last 24 hours.",
                true,
            ),
            tick("warn", "Accounts and names", "1 conflict.", true),
            tick(
                "info",
                "Assignment",
                "Is the person assigned to the application?",
                false,
            ),
        ],
    };
    hold_to_promises(vec![sample("help", &help)]).await;
}
