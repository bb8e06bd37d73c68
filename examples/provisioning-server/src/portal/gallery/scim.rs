//! Pages of integrations, and the side panel of SCIM.

use jiff::{SignedDuration, Timestamp};

use super::{Sample, halden, hold_to_promises, sample, shell, some};
use crate::domain::guide;
use crate::domain::permission::{Permission, Permissions};
use crate::domain::rhythm::{Next, Rhythm};
use crate::domain::settings::{Contact, IdentityProvider, Preset, Settings as Chosen};
use crate::domain::words::Words;
use crate::portal::chart::requests::tests::last;
use crate::portal::integrations::card::{Connection, Note, Reason};
use crate::portal::integrations::delete::Delete;
use crate::portal::integrations::fields::Fields;
use crate::portal::integrations::history::{Detail, Filter, History, Request, Row as RequestRow, Subject};
use crate::portal::integrations::list::{Integrations, List, Saml};
use crate::portal::integrations::mapping::{
    Choice, Editor, Effect, Gone, Mappings, Mirror, Mirrored, RoleChoice, Row, State,
};
use crate::portal::integrations::panel::{Panel, Tab, title};
use crate::portal::integrations::settings::{Make, Part, Settings, Shown};
use crate::portal::moment;
use crate::portal::rhythm;
use crate::portal::shell::{Section, Shell};

fn ago(seconds: i64) -> moment::Shown {
    let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 365 * 56);
    moment::ago(now, now - SignedDuration::from_secs(seconds))
}

pub(super) fn rhythm() -> rhythm::Shown {
    let rhythm = Rhythm {
        usual_seconds: Some(2_400),
        next: Next::At(Timestamp::UNIX_EPOCH + SignedDuration::from_mins(12)),
    };
    rhythm::Shown::of(&rhythm, Timestamp::UNIX_EPOCH)
}

pub(super) fn waiting() -> Connection {
    Connection {
        tone: "info",
        label: "Waiting for the first request",
        is_live: true,
        provider: "Microsoft Entra ID",
        first: None,
        last: None,
        rhythm: rhythm::Shown::of(
            &Rhythm {
                usual_seconds: None,
                next: Next::NotKnown,
            },
            Timestamp::UNIX_EPOCH,
        ),
        hint: "The first synchronization can take up to an hour; then Entra ID calls every 40 minutes.",
        users: 0,
        groups: 0,
        requests: 0,
        errors: 0,
        unattributed: 0,
        overflow: 0,
        notes: vec![Note {
            tone: "info",
            text: "Enter both values at Entra ID. Its first synchronisation can take up to an hour."
                .to_owned(),
            link: None,
        }],
        reasons: Vec::new(),
        not_kept: Vec::new(),
        tolerances: Vec::new(),
        offered: vec![
            ("PATCH", "yes".to_owned()),
            ("Filters", "yes, up to 1000 on a page".to_owned()),
        ],
    }
}

pub(super) fn connected() -> Connection {
    Connection {
        tone: "ok",
        label: "Connected",
        first: Some(ago(30 * 24 * 3_600)),
        last: Some(ago(38)),
        rhythm: rhythm(),
        users: 391,
        groups: 23,
        requests: 1_284,
        errors: 5,
        unattributed: 41,
        overflow: 12,
        notes: vec![Note {
            tone: "warn",
            text: "Entra ID still uses an old token. In the last 24 hours 14 requests came with the revoked token ending \
                   c1Xw, the last one 2 hours ago. Enter the current token there."
                .to_owned(),
            link: Some(("Show them", "integrations/scim/history?show=errors".to_owned())),
        }],
        reasons: vec![Reason {
            status: 400,
            count: 4,
            kind: "A value does not fit",
            detail: "userName must be an e-mail address; map it to userPrincipalName or mail.".to_owned(),
            last: ago(300),
            page: "integrations/scim/history/0191b2f0-0000-7000-8000-000000000000".to_owned(),
        }],
        not_kept: vec![("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager".to_owned(), 12)],
        tolerances: vec![("boolean-as-text".to_owned(), "active".to_owned(), 4)],
        ..waiting()
    }
}

pub(super) fn list(scim: Connection) -> List {
    List {
        words: Words::of(Preset::ThreatLocker),
        q: String::new(),
        scim: Some(scim),
        saml: Some(Saml {
            tone: "",
            label: "Not configured",
            sentence: "People sign in with their account at your identity provider.",
        }),
    }
}

pub(super) fn panel(is_set_up: bool, connection: Connection, tab: Tab) -> Panel {
    let shell = shell(Section::Integrations);
    Panel::new(title("Provisioning Server", is_set_up), connection, tab, &shell)
}

pub(super) fn behind() -> Shell {
    Shell {
        is_behind_panel: true,
        ..shell(Section::Integrations)
    }
}

fn chosen() -> Chosen {
    Chosen {
        idp: IdentityProvider::Entra,
        support_contact: Contact::parse("helpdesk@haldenfreight.example").unwrap(),
        ..Chosen::default()
    }
}

fn settings() -> Settings {
    Settings {
        frame: halden(),
        shell: behind(),
        list: list(waiting()),
        panel: panel(false, waiting(), Tab::Settings),
        trouble: None,
        asks_first: false,
        parts: vec![Part::Url, Part::Token, Part::Provider],
        url: "https://admin.example.net/scim/halden-freight/v2".to_owned(),
        named: guide::fields(IdentityProvider::Entra),
        called: "Entra ID",
        called_within: "Entra ID",
        is_on: false,
        may_switch: true,
        secret: None,
        tokens: Vec::new(),
        newest: String::new(),
        is_rotating: false,
        may_tokens: true,
        make: Make::First,
        fields: Fields::of(&chosen(), &behind()),
        lacks_saml: true,
        may_delete: None,
    }
}

fn token(last_four: &str) -> Shown {
    Shown {
        id: "0191b2f0-0000-7000-8000-000000000000".to_owned(),
        name: format!("scimp_…{last_four}"),
        tone: "ok",
        state: "In use",
        is_awaited: false,
        is_live: true,
        is_newest: false,
        created: "12 June 2026, 10:12 UTC".to_owned(),
        used: "Last used 38 seconds ago.".to_owned(),
        end: some("Expires on 1 December 2026."),
        ends_soon: true,
        is_doubted: false,
    }
}

fn edited() -> Settings {
    Settings {
        list: list(connected()),
        panel: panel(true, connected(), Tab::Settings),
        parts: vec![Part::Url, Part::Token, Part::Switch, Part::Provider],
        is_on: true,
        tokens: vec![
            token("9fRd"),
            Shown {
                tone: "info",
                state: "Waiting for first use",
                is_awaited: true,
                is_newest: true,
                used: "Not used yet.".to_owned(),
                ends_soon: false,
                is_doubted: true,
                ..token("7Kq2")
            },
        ],
        is_rotating: true,
        make: Make::Another,
        lacks_saml: false,
        may_delete: Some(376),
        ..settings()
    }
}

fn reader() -> Shell {
    let permissions: Permissions = [Permission::INTEGRATIONS_READ].into_iter().collect();
    Shell {
        permissions,
        ..behind()
    }
}

fn of_settings() -> Vec<Sample> {
    let mut wrong = Fields::of(&chosen(), &behind());
    wrong.enter(&crate::portal::form::Form::parse(
        b"history-days=0&support-contact=%07",
    ));
    vec![
        sample("scim-settings-new", &settings()),
        sample(
            "scim-settings",
            &Settings {
                secret: some("scimp_4tQz81LmXv0RbK7sYwJ2eHfN6uPdAc93iGoT5yVrEx1nZk8M0hSd7Kq2"),
                parts: vec![Part::Url, Part::Token, Part::Switch, Part::Provider],
                tokens: vec![Shown {
                    is_newest: true,
                    ends_soon: false,
                    ..token("7Kq2")
                }],
                make: Make::Another,
                ..settings()
            },
        ),
        sample("scim-settings-edit", &edited()),
        sample(
            "scim-settings-wrong",
            &Settings {
                fields: wrong,
                trouble: some("Nothing was saved. What is marked below needs a correction."),
                asks_first: true,
                ..edited()
            },
        ),
        sample(
            "scim-settings-reader",
            &Settings {
                shell: reader(),
                panel: Panel::new(
                    title("Provisioning Server", true),
                    connected(),
                    Tab::Settings,
                    &reader(),
                ),
                may_switch: false,
                may_tokens: false,
                may_delete: None,
                make: Make::Not,
                tokens: Vec::new(),
                fields: Fields::of(&chosen(), &reader()),
                ..edited()
            },
        ),
        sample(
            "scim-settings-activate-first",
            &Settings {
                list: List {
                    words: Words::of(Preset::LevelAccess),
                    ..list(waiting())
                },
                parts: vec![Part::Switch, Part::Provider],
                make: Make::AfterActivation,
                ..settings()
            },
        ),
        sample(
            "scim-settings-save-generates",
            &Settings {
                list: List {
                    words: Words::of(Preset::ThirdPlatform),
                    ..list(waiting())
                },
                parts: vec![Part::Provider, Part::Token],
                make: Make::BySaving,
                ..settings()
            },
        ),
    ]
}

fn of_lists() -> Vec<Sample> {
    let shown = |list: List| Integrations {
        frame: halden(),
        shell: shell(Section::Integrations),
        list,
    };
    vec![
        sample("integrations", &shown(list(connected()))),
        sample(
            "integrations-search",
            &shown(List {
                q: "zz".to_owned(),
                scim: None,
                saml: None,
                ..list(connected())
            }),
        ),
        sample(
            "scim-delete",
            &Delete {
                frame: halden(),
                shell: shell(Section::Integrations),
                trouble: some("The integration is deleted with its groups, mappings and tokens."),
                people: 376,
                groups: 23,
                name: "halden-freight".to_owned(),
                url: "API Url",
                choice: "disable",
            },
        ),
    ]
}

fn row(name: &str, roles: &[&str], state: State) -> Row {
    Row {
        id: format!("0191b2f0-{name}"),
        name: name.to_owned(),
        external_id: None,
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        people: "12 people".to_owned(),
        mapped: (state != State::New).then(|| ("ida.sorensen@haldenfreight.example".to_owned(), ago(7_300))),
        state,
    }
}

fn person(name: &str) -> (String, String) {
    (name.to_owned(), "/o/halden-freight/users/0191b2f0".to_owned())
}

fn editor() -> Editor {
    let role = |name: &str, description: &str| RoleChoice {
        id: format!("role-{name}"),
        name: name.to_owned(),
        description: description.to_owned(),
        is_chosen: name == "Operator",
    };
    let group = |name: &str| Choice {
        id: format!("group-{name}"),
        text: name.to_owned(),
        is_chosen: name == "Warehouse Supervisors",
    };
    Editor {
        groups: vec![group("Dock Crew"), group("Warehouse Supervisors")],
        roles: vec![
            role("Administrator", "Everything"),
            role("Operator", "Everyday work"),
            role("Read only", ""),
        ],
        q: String::new(),
        is_searched: false,
    }
}

fn mappings() -> Mappings {
    Mappings {
        frame: halden(),
        shell: behind(),
        list: list(connected()),
        panel: panel(true, connected(), Tab::Mapping),
        trouble: None,
        asks_first: false,
        is_stale: false,
        called_within: "Entra ID",
        has_groups: true,
        editor: Some(editor()),
        rows: vec![
            row("Approvals Europe", &["Operator"], State::Saved),
            row("Finance Leads", &["Read only", "Operator"], State::Saved),
            Row {
                external_id: some("c2d7b1f4-77aa-4c1b-9f0e-9e5a11b0c39e"),
                ..row("IT Service Desk", &["Operator"], State::Saved)
            },
        ],
        draft: Vec::new(),
        effects: Vec::new(),
        summary: String::new(),
        escalating: Vec::new(),
        gone: vec![Gone {
            id: "0191b2f0".to_owned(),
            name: "Night Shift".to_owned(),
            roles: vec!["Operator".to_owned()],
            people: "14 people".to_owned(),
            lost: "2 hours ago".to_owned(),
            successor: some("Night Shift"),
        }],
        next: some("integrations/scim/mapping?behind=IT&row=7"),
        first: None,
    }
}

fn of_mappings() -> Vec<Sample> {
    let drafted = Mappings {
        rows: vec![
            row("Platform Operations", &["Administrator", "Operator"], State::New),
            row("External Auditors", &["Read only"], State::Removed),
            row("Finance Leads", &["Read only"], State::Changed),
            row("Approvals Europe", &["Operator"], State::Saved),
        ],
        draft: vec!["a=b".to_owned(), "c=".to_owned(), "d=e".to_owned()],
        effects: vec![
            Effect {
                class: "gain",
                sign: "+12".to_owned(),
                sentence: "12 people gain Administrator".to_owned(),
                first: vec![
                    person("amara.okafor@haldenfreight.example"),
                    person("jonas.lindqvist@haldenfreight.example"),
                ],
                others: 10,
            },
            Effect {
                class: "lose",
                sign: "−2".to_owned(),
                sentence: "2 people lose Read only".to_owned(),
                first: Vec::new(),
                others: 2,
            },
        ],
        summary: "12 people gain Administrator, 2 people lose Read only.".to_owned(),
        escalating: vec!["Administrator".to_owned()],
        gone: Vec::new(),
        asks_first: true,
        editor: Some(Editor {
            q: "ware".to_owned(),
            is_searched: true,
            ..editor()
        }),
        ..mappings()
    };
    let mirror = Mirror {
        frame: halden(),
        shell: behind(),
        list: list(connected()),
        panel: panel(true, connected(), Tab::Mapping),
        called: "JumpCloud",
        called_within: "JumpCloud",
        roles: vec![
            Mirrored {
                id: "1".to_owned(),
                name: "Grid Operators".to_owned(),
                needs_permissions: true,
                permissions: "0 permissions".to_owned(),
                since: "24 November 2026".to_owned(),
            },
            Mirrored {
                id: "2".to_owned(),
                name: "IT Administrators".to_owned(),
                needs_permissions: false,
                permissions: "22 permissions".to_owned(),
                since: "2 March 2026".to_owned(),
            },
        ],
        next: None,
        first: None,
    };
    let empty = Mappings {
        list: list(waiting()),
        panel: panel(false, waiting(), Tab::Mapping),
        has_groups: false,
        editor: None,
        rows: Vec::new(),
        gone: Vec::new(),
        next: None,
        ..mappings()
    };
    vec![
        sample("group-mapping", &mappings()),
        sample("group-mapping-draft", &drafted),
        sample("group-mapping-empty", &empty),
        sample("group-mapping-mirror", &mirror),
    ]
}

fn request(status: u16, sentence: &str, wire: &str) -> RequestRow {
    let error = some("userName must be an e-mail address; map it to userPrincipalName or mail.");
    let failed = status >= 400;
    RequestRow {
        id: format!("0191b2f0-0000-7000-8000-000000000{status}"),
        day: None,
        time: moment::second(Timestamp::UNIX_EPOCH),
        status,
        tone: if failed { "bad" } else { "ok" },
        sentence: sentence.to_owned(),
        wire: wire.to_owned(),
        took: "3 ms".to_owned(),
        detail: Detail {
            error: error.filter(|_| failed),
            advice: some("Change the attribute mapping at Entra ID.").filter(|_| failed),
            link: failed.then_some(("Open conflicts", "conflicts")),
            facts: vec![
                ("Request ID", "0d4f7b52-9a1c-4c1b-9f0e-9e5a11b0c39e".to_owned()),
                ("Token", "scimp_…9fRd".to_owned()),
                ("Provider", "Microsoft Entra ID".to_owned()),
            ],
            subject: Some(Subject::of("0191b2f0-0000-7000-8000-000000000001")),
            external_id: Some(Subject::of("7c1e40b9")),
            not_kept: some("title, name.middleName"),
            tolerated: some("read as a boolean: active (boolean-as-text)"),
        },
    }
}

fn history() -> History {
    History {
        frame: halden(),
        shell: behind(),
        list: list(connected()),
        panel: panel(true, connected(), Tab::History),
        called_within: "Entra ID",
        trouble: None,
        filter: Filter {
            show: "all",
            subject: "priya.raman@haldenfreight.example".to_owned(),
            from: "2026-11-23".to_owned(),
            ..Filter::default()
        },
        is_silent: false,
        chart: Some(last(
            7,
            &[
                (0, 12, 1),
                (3, 40, 0),
                (30, 44, 0),
                (31, 2, 7),
                (60, 391, 0),
                (110, 23, 3),
            ],
        )),
        rows: vec![
            RequestRow {
                day: some("Today, 24 November 2026 (times in UTC)"),
                ..request(200, "Looked for users: 1 found", "GET /Users?filter")
            },
            request(
                204,
                "Added 3 members to Platform Operations",
                "PATCH /Groups/0192e6c4-1c41-7000-8000-1",
            ),
            request(
                201,
                "Created user noor.haddad@haldenfreight.example",
                "POST /Users · not kept: title",
            ),
            request(
                409,
                "Rejected: create a user: elif.kaya@haldenfreight.example exists as a manual account",
                "POST /Users · uniqueness",
            ),
        ],
        live: some("/o/halden-freight/integrations/scim/history?after=1"),
        newer: some("Show 3 new requests"),
        begin: "/o/halden-freight/integrations/scim/history".to_owned(),
        first: None,
        next: some("/o/halden-freight/integrations/scim/history?before=1"),
        exports: [
            ("CSV", "/x?format=csv".to_owned()),
            ("JSON lines", "/x?format=jsonl".to_owned()),
        ],
        kept: "Rows are kept for 90 days. Not listed: 41 requests with unknown tokens.".to_owned(),
    }
}

fn of_history() -> Vec<Sample> {
    let shown = |body: Option<String>| Request {
        frame: halden(),
        shell: behind(),
        list: list(connected()),
        panel: panel(true, connected(), Tab::History),
        row: RequestRow {
            day: some("24 November 2026, 10:38 UTC"),
            ..request(400, "Rejected: create a user", "POST /Users · invalidValue")
        },
        subjects: vec![Subject::of("0191b2f0-0000-7000-8000-000000000001")],
        more: 12,
        may_see_body: body.is_some(),
        body,
    };
    vec![
        sample("api-history", &history()),
        sample(
            "api-history-nothing",
            &History {
                trouble: some("\"soon\" is not a valid date; expected one such as 2026-01-31."),
                chart: Some(last(1, &[])),
                rows: Vec::new(),
                live: None,
                newer: None,
                next: None,
                first: some("/o/halden-freight/integrations/scim/history"),
                ..history()
            },
        ),
        sample(
            "api-history-empty",
            &History {
                list: list(waiting()),
                panel: panel(false, waiting(), Tab::History),
                is_silent: true,
                rows: Vec::new(),
                ..history()
            },
        ),
        sample(
            "api-history-request",
            &shown(some(
                "{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"userName\":\"•••\",\"name\":{\"givenName\":\"•••\"}}",
            )),
        ),
        sample("api-history-request-masked", &shown(None)),
    ]
}

#[tokio::test]
async fn the_history_keeps_what_all_pages_promise() {
    hold_to_promises(of_history()).await;
}

#[tokio::test]
async fn group_mappings_keep_what_all_pages_promise() {
    hold_to_promises(of_mappings()).await;
}

#[tokio::test]
async fn lists_of_integrations_keep_what_all_pages_promise() {
    hold_to_promises(of_lists()).await;
}

#[tokio::test]
async fn scim_settings_keep_what_all_pages_promise() {
    hold_to_promises(of_settings()).await;
}
