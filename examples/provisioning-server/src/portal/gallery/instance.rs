//! Pages of owners of the instance.

use http::HeaderMap;

use super::{Sample, frames, hold_to_promises, sample, shell, some};
use crate::actions::organization::Clearing;
use crate::domain::connection::ConnectionState;
use crate::domain::realm::Realm;
use crate::portal::confirm::Confirm;
use crate::portal::form::Form;
use crate::portal::frame::Frame;
use crate::portal::instance::new_organization::NewOrganization;
use crate::portal::instance::organization::{OrganizationPage, Rename};
use crate::portal::instance::organizations::{Organizations, Row};
use crate::portal::instance::owners::{NewOwner, Owners, Row as OwnerRow, WayInPage};
use crate::portal::shell::{Section, Shell};

fn instance() -> Frame {
    frames().of(&Realm::Instance, &HeaderMap::new())
}

fn owner(section: Section) -> Shell {
    Shell {
        own: "/instance/".to_owned(),
        ..shell(section)
    }
}

fn row(display: &str, provider: &'static str, connection: ConnectionState, people: u64) -> Row {
    Row {
        name: display.to_lowercase().replace(' ', "-"),
        display: display.to_owned(),
        provider,
        connection,
        is_off: provider == "OneLogin",
        people,
        last: matches!(
            connection,
            ConnectionState::Connected | ConnectionState::Stale | ConnectionState::Errors
        )
        .then(|| {
            (
                "2026-11-29T10:36:00Z".to_owned(),
                "29 November 2026, 10:36 UTC".to_owned(),
            )
        }),
    }
}

fn list(rows: Vec<Row>) -> Organizations {
    Organizations {
        frame: instance(),
        shell: owner(Section::Organizations),
        asked: String::new(),
        rows,
        total: "31 organizations".to_owned(),
        first: None,
        next: some("/instance/organizations?q=&behind=sundial-press"),
        ending: Vec::new(),
    }
}

fn of_organizations() -> Vec<Sample> {
    let rows = vec![
        row(
            "Brightwater Utilities",
            "JumpCloud",
            ConnectionState::Errors,
            1_204,
        ),
        row(
            "Halden Freight",
            "Microsoft Entra ID",
            ConnectionState::Connected,
            412,
        ),
        row(
            "Lindgren Logistics",
            "OneLogin",
            ConnectionState::NotConfigured,
            58,
        ),
        row("Meridian Tours", "Google", ConnectionState::Stale, 77),
        row("Osterby Clinic", "Okta", ConnectionState::Waiting, 1),
        row("Sundial Press", "Not chosen", ConnectionState::NotConfigured, 0),
    ];
    let cleared = Clearing {
        display: "Pinnacle Glass".to_owned(),
        left: 311,
    };
    vec![
        sample("organizations", &list(rows.clone())),
        sample(
            "organizations-clearing",
            &Organizations {
                ending: vec![cleared],
                ..list(rows)
            },
        ),
        sample("organizations-none", &list(Vec::new())),
        sample(
            "organizations-found-nothing",
            &Organizations {
                asked: "zz".to_owned(),
                next: None,
                ..list(Vec::new())
            },
        ),
        sample(
            "new-organization",
            &NewOrganization::with(
                instance(),
                owner(Section::Organizations),
                &Form::parse(b"display=Halden+Freight&name=halden-freight&idp=entra"),
                some("There is an organization \"halden-freight\" already: choose another name."),
            ),
        ),
        sample(
            "organization",
            &OrganizationPage {
                frame: instance(),
                shell: owner(Section::Organizations),
                row: row(
                    "Halden Freight",
                    "Microsoft Entra ID",
                    ConnectionState::Connected,
                    412,
                ),
                words: "ThreatLocker",
                created: "3 March 2026".to_owned(),
                provisioned: "412 people, 18 groups".to_owned(),
                can_enable: false,
                can_disable: true,
            },
        ),
    ]
}

fn of_owners() -> Vec<Sample> {
    let person = |address: &str, is_self| OwnerRow {
        id: "0191b2f0-0000-7000-8000-000000000001".to_owned(),
        address: address.to_owned(),
        since: "3 March 2026".to_owned(),
        is_self,
    };
    let of = |rows| Owners {
        frame: instance(),
        shell: owner(Section::Owners),
        rows,
    };
    let first = || person("ida.sorensen@haldenfreight.example", true);
    vec![
        sample(
            "owners",
            &of(vec![first(), person("marek.dvorak@haldenfreight.example", false)]),
        ),
        sample("owners-one", &of(vec![first()])),
        sample(
            "new-owner",
            &NewOwner {
                frame: instance(),
                shell: owner(Section::Owners),
                email: String::new(),
                trouble: None,
            },
        ),
        sample(
            "owner-link",
            &WayInPage {
                frame: instance(),
                shell: owner(Section::Owners),
                address: "marek.dvorak@haldenfreight.example".to_owned(),
                url: "https://admin.example.net/instance/link/sciml_7n42DGM5Tflk9n8mt7Fhc77n42DGM5Tflk9n8mt7Fhc7aB3dE9"
                    .to_owned(),
                expires: "6 December 2026, 10:36 UTC".to_owned(),
                is_back: false,
                is_mailed: true,
            },
        ),
        sample(
            "rename-organization",
            &Rename {
                frame: instance(),
                shell: owner(Section::Organizations),
                name: "halden-freight".to_owned(),
                display: "Halden Freight".to_owned(),
                trouble: None,
            },
        ),
        sample(
            "delete-organization",
            &Confirm {
                frame: instance(),
                shell: owner(Section::Organizations),
                question: "Delete Halden Freight?".to_owned(),
                consequences: vec![
                    "412 people and 18 groups of its identity provider are removed, with all manual accounts, roles and \
                     mappings. This cannot be undone."
                        .to_owned(),
                ],
                step: "Delete the organization".to_owned(),
                typed: some("halden-freight"),
                hidden: Vec::new(),
                action: "organizations/halden-freight/delete".to_owned(),
                back: "organizations/halden-freight".to_owned(),
                trouble: None,
            },
        ),
    ]
}

/// Feature rows 15, 82: the pages about organizations.
#[tokio::test]
async fn organizations_keep_what_all_pages_promise() {
    hold_to_promises(of_organizations()).await;
}

/// Feature rows 82, 89: the pages about owners.
#[tokio::test]
async fn owners_keep_what_all_pages_promise() {
    hold_to_promises(of_owners()).await;
}
