//! Pages of what has happened here: the audit log, conflicts and mails.

use http::HeaderMap;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::{Sample, frames, halden, hold_to_promises, sample, shell, some};
use crate::domain::realm::Realm;
use crate::portal::logs::audit::{Asked, Audit, Change};
use crate::portal::logs::conflicts::{self, Entry, Inbox};
use crate::portal::logs::mail::{Badge, Choice, Mailbox, Message, OneMail};
use crate::portal::logs::told::{TOPICS, details};
use crate::portal::shell::Section;

fn change(day: Option<&str>, clock: &str, sentence: &str, thing: Option<&str>) -> Change {
    Change {
        day: day.map(str::to_owned),
        clock: clock.to_owned(),
        time: Timestamp::UNIX_EPOCH.to_string(),
        sentence: sentence.to_owned(),
        thing: thing.map(|thing| (thing.to_owned(), "?subject=7".to_owned())),
        details: String::new(),
        actor: (
            "ida.sorensen@haldenfreight.example".to_owned(),
            "?who=ida".to_owned(),
        ),
        address: some("203.0.113.24"),
    }
}

fn changes() -> Vec<Change> {
    let today = Some("Tuesday, 24 November 2026");
    vec![
        Change {
            details: details(&json!({ "username": { "before": "email", "after": "any" } })),
            ..change(today, "10:40", "SCIM settings changed", None)
        },
        Change {
            details: details(
                &json!({ "purpose": "scim", "ends_in": "7Kq2", "expires": "2027-05-23T00:00:00Z" }),
            ),
            ..change(None, "10:12", "Token rotated", Some("…7Kq2"))
        },
        Change {
            details: details(&json!({ "kind": "deactivation", "people": 31 })),
            actor: (
                "The server (guard on mass changes)".to_owned(),
                "?who=guard".to_owned(),
            ),
            address: None,
            ..change(None, "09:15", "Alert raised: many losses at once", None)
        },
        change(None, "08:03", "Signed in", None),
        Change {
            details: details(
                &json!({ "allowed": { "before": ["users:read"], "after": ["users:read", "audit:read"] } }),
            ),
            ..change(
                Some("Monday, 23 November 2026"),
                "09:31",
                "Role changed",
                Some("Auditor"),
            )
        },
    ]
}

fn audit() -> Audit {
    Audit {
        frame: halden(),
        shell: shell(Section::Audit),
        asked: Asked::default(),
        topics: TOPICS,
        changes: changes(),
        first: None,
        next: some("/o/halden-freight/audit?before=7"),
    }
}

fn message(subject: &str, recipient: &str, tone: &'static str, said: &str) -> Message {
    Message {
        id: Uuid::nil().to_string(),
        subject: subject.to_owned(),
        recipient: format!("{recipient}@haldenfreight.example"),
        at: "24 Nov 2026, 10:41".to_owned(),
        time: Timestamp::UNIX_EPOCH.to_string(),
        badge: Badge {
            tone,
            said: said.to_owned(),
            is_waiting: tone == "info",
        },
        error: None,
        can_be_retried: matches!(tone, "bad" | "warn"),
        can_be_cancelled: matches!(tone, "bad" | "warn" | "info"),
    }
}

fn mailbox() -> Mailbox {
    let invitation = "Set up your sign-in at Halden Freight";
    Mailbox {
        frame: halden(),
        shell: shell(Section::Mail),
        here: "/o/halden-freight/mail".to_owned(),
        sends: true,
        delay: None,
        choices: [
            ("All", true),
            ("Waiting", false),
            ("Sent", false),
            ("Failed", false),
        ]
        .map(|(title, is_chosen)| Choice {
            title,
            url: "/o/halden-freight/mail".to_owned(),
            is_chosen,
        })
        .into(),
        messages: vec![
            message(invitation, "noor.haddad", "ok", "Sent"),
            message(invitation, "dilnoza.yusupova", "info", "Next attempt 10:50"),
            Message {
                error: some("550 5.1.1 The mailbox does not exist."),
                ..message(invitation, "chiara.romano", "bad", "Failed")
            },
            message("A token ends in 7 days", "marek.dvorak", "", "Cancelled"),
        ],
        first: None,
        next: None,
    }
}

fn one_mail() -> OneMail {
    OneMail {
        frame: halden(),
        shell: shell(Section::Mail),
        trouble: some("The mail is sent: only what was not sent is cancelled."),
        message: Message {
            error: some("550 5.1.1 The mailbox does not exist."),
            ..message(
                "Set up your sign-in at Halden Freight",
                "chiara.romano",
                "bad",
                "Failed",
            )
        },
        text: "Halden Freight gave you an administrator account.\n\nSet up your sign-in:\n(hidden)\n"
            .to_owned(),
        attempts: 1,
        message_id: "<0191b2c470aa@scim.haldenfreight.example>".to_owned(),
        offers_link: true,
    }
}

fn entry(title: &str, detail: &str, remedy: &'static str) -> Entry {
    Entry {
        id: Uuid::nil().to_string(),
        title: title.to_owned(),
        detail: detail.to_owned(),
        remedy,
        seen: "3 times, last on 24 November 2026, 10:41 UTC, first on 23 November 2026, 08:00 UTC".to_owned(),
        last: Timestamp::UNIX_EPOCH.to_string(),
        external_id: some("00u1b2c470aaXyZ"),
        account: None,
        adoption: None,
        can_be_ignored: true,
        can_be_reopened: false,
    }
}

fn inbox() -> Inbox {
    Inbox {
        frame: halden(),
        shell: shell(Section::Conflicts),
        trouble: None,
        here: "/o/halden-freight/conflicts".to_owned(),
        choices: [("Open", true), ("Ignored", false), ("Resolved", false)]
            .map(|(title, is_chosen)| conflicts::Choice {
                title,
                url: "/o/halden-freight/conflicts".to_owned(),
                is_chosen,
            })
            .into(),
        is_open: true,
        entries: vec![
            Entry {
                account: some("users/7"),
                adoption: some("users/7/adopt"),
                ..entry(
                    "A manual account has the name ida.sorensen@haldenfreight.example",
                    "userName \"ida.sorensen@haldenfreight.example\" is taken by an account that is kept by hand.",
                    "Rename or remove the manual account, or let the provider adopt it, and have the provider try again.",
                )
            },
            entry(
                "A value of jdoe was refused",
                "\"jdoe\" is not a valid userName; expected an e-mail address, such as jdoe@example.com.",
                "Correct the value or its mapping at the provider; the detail says what is expected.",
            ),
        ],
        first: None,
        next: None,
    }
}

/// Feature rows 70, 81: what all pages promise, of the audit log.
#[tokio::test]
async fn the_audit_log_keeps_its_promises() {
    let samples: Vec<Sample> = vec![
        sample("audit", &audit()),
        sample(
            "audit-nothing",
            &Audit {
                asked: Asked {
                    who: "nobody".to_owned(),
                    subject: "7".to_owned(),
                    ..Asked::default()
                },
                changes: Vec::new(),
                first: some("/o/halden-freight/audit"),
                next: None,
                ..audit()
            },
        ),
    ];
    hold_to_promises(samples).await;
}

/// Feature rows 92, 99: what all pages promise, of mails and conflicts.
#[tokio::test]
async fn mails_and_conflicts_keep_their_promises() {
    let samples: Vec<Sample> = vec![
        sample("mail", &mailbox()),
        sample(
            "mail-of-instance",
            &Mailbox {
                frame: frames().of(&Realm::Instance, &HeaderMap::new()),
                sends: false,
                messages: Vec::new(),
                ..mailbox()
            },
        ),
        sample(
            "mail-waits",
            &Mailbox {
                delay: some("The mail server does not take mails at the moment."),
                ..mailbox()
            },
        ),
        sample("mail-one", &one_mail()),
        sample("conflicts", &inbox()),
        sample(
            "conflicts-none",
            &Inbox {
                entries: Vec::new(),
                trouble: some("The conflict is resolved already."),
                ..inbox()
            },
        ),
    ];
    hold_to_promises(samples).await;
}
