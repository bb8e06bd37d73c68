//! Pages of people.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::{NOOR, Sample, halden, hold_to_promises, sample, shell, some};
use crate::actions::account::{Detail, Known};
use crate::domain::account::{Account, AccountState, ManagedBy};
use crate::domain::effective::{Effective, Path, Reason};
use crate::domain::grant::Origin;
use crate::domain::group::ProvisionedGroup;
use crate::domain::permission::{Permission, Permissions};
use crate::domain::role::{Draft, Role, RoleId};
use crate::portal::confirm::Confirm;
use crate::portal::moment::Shown;
use crate::portal::people::badge::Badge;
use crate::portal::people::deeds::Adopt;
use crate::portal::people::list::{Choice as SegmentChoice, List, RoleChoice, Row, Segment, Users};
use crate::portal::people::manual::Manual;
use crate::portal::people::person::{
    Browser, Choice, Controls, Entrance, HeldPermission, HeldRole, Lock, Person, Request,
};
use crate::portal::people::selected::{Partly, Selected};
use crate::portal::people::suspend::Suspend;
use crate::portal::people::why::Why;
use crate::portal::shell::{Section, Shell};

const PROVIDER: &str = "Microsoft Entra ID";

fn when(said: &str) -> Shown {
    Shown {
        iso: "2026-11-29T10:41:00Z".to_owned(),
        text: said.to_owned(),
    }
}

fn row(display: &str, name: &str, states: &[Badge], side: Badge, roles: &str) -> Row {
    Row {
        id: Uuid::nil().to_string(),
        initials: "PR".to_owned(),
        display: display.to_owned(),
        name: name.to_owned(),
        states: states.to_vec(),
        side,
        roles: roles.to_owned(),
        has_nothing: roles.is_empty() && states.contains(&Badge::Active),
    }
}

fn choices() -> Vec<SegmentChoice> {
    let choice = |segment, label, count: Option<&str>, is_pressing| SegmentChoice {
        segment,
        label,
        count: count.map(str::to_owned),
        is_pressing,
        path: "/o/halden-freight/users".to_owned(),
    };
    vec![
        choice(Segment::All, "All", Some("412"), false),
        choice(Segment::Active, "Active", Some("396"), false),
        choice(Segment::Disabled, "Disabled", Some("16"), false),
        choice(Segment::Unassigned, "Unassigned users", Some("6"), true),
        choice(Segment::Suspended, "Suspended", Some("1"), false),
        choice(Segment::Unconfirmed, "Unconfirmed", None, false),
        choice(Segment::Removed, "Removed", None, false),
    ]
}

fn list(segment: Segment, people: Vec<Row>) -> List {
    List {
        place: "Organization settings",
        provider: PROVIDER,
        summary: "412 people. 391 of them come from Microsoft Entra ID and are managed there.".to_owned(),
        synchronised: Some(when("3 minutes ago")),
        choices: choices(),
        segment,
        prefix: String::new(),
        source: String::new(),
        roles: ["Auditor", "Service desk"]
            .map(|name| RoleChoice {
                id: name.to_owned(),
                name: name.to_owned(),
                is_chosen: false,
            })
            .to_vec(),
        is_of_role: false,
        people,
        path: "/o/halden-freight/users".to_owned(),
        query: String::new(),
        said: "7 of 412 people, by name".to_owned(),
        first: None,
        next: some("/o/halden-freight/users?behind=x"),
        may_add: true,
        may_suspend: true,
        may_select: true,
        may_join: true,
    }
}

fn users(list: List) -> Users {
    Users {
        frame: halden(),
        shell: shell(Section::Users),
        list,
    }
}

fn rows() -> Vec<Row> {
    let far = "someone.with-a-very-long-name@subsidiary.haldenfreight.example";
    vec![
        row(
            "Amara Okafor",
            "amara.okafor@haldenfreight.example",
            &[Badge::Active],
            Badge::Scim,
            "Security analyst",
        ),
        row(
            "Elif Kaya",
            "elif.kaya@haldenfreight.example",
            &[Badge::Active],
            Badge::Manual,
            "Auditor",
        ),
        row(
            "Hugo Castellanos",
            "hugo.castellanos@haldenfreight.example",
            &[Badge::Disabled],
            Badge::Scim,
            "Auditor",
        ),
        row(
            "Noor Haddad",
            NOOR,
            &[Badge::Active, Badge::Invited],
            Badge::Scim,
            "",
        ),
        row(
            "Grace Mbeki",
            "grace.mbeki@haldenfreight.example",
            &[Badge::Active, Badge::Suspended],
            Badge::Scim,
            "Approver, Security analyst",
        ),
        row(
            "Somebody Withaverylongname-Andanother",
            far,
            &[Badge::Active],
            Badge::Scim,
            "Warehouse Supervisors",
        ),
        row(
            "wen.li",
            "wen.li",
            &[Badge::Active, Badge::NoAddress],
            Badge::Scim,
            "Service desk",
        ),
    ]
}

fn role(number: u128, name: &str) -> (RoleId, Role) {
    let id = RoleId(Uuid::from_u128(number));
    let draft = Draft {
        name: name.to_owned(),
        description: String::new(),
        permissions: Permissions::NONE,
    };
    (id, Role::new(id, draft, Timestamp::UNIX_EPOCH))
}

fn group(row: i64, name: &str) -> (i64, ProvisionedGroup) {
    let group = ProvisionedGroup {
        row,
        id: Uuid::from_u128(7).to_string(),
        name: name.to_owned(),
        external_id: None,
        created: Timestamp::UNIX_EPOCH,
    };
    (row, group)
}

/// Makes somebody who has one role by two groups, one by one, and a permission of their own.
fn explained() -> Detail {
    let (viewer, approver) = (RoleId(Uuid::from_u128(1)), RoleId(Uuid::from_u128(2)));
    let leads = Path::Mapping { group: 1 };
    let europe = Path::Mapping { group: 2 };
    let by = |role, path| Reason::Role { role, path };
    let permission = |text| Permission::parse(text).unwrap();
    let effective = Effective {
        roles: BTreeMap::from([(viewer, [leads].into()), (approver, [leads, europe].into())]),
        permissions: BTreeMap::from([
            (permission("users:read"), [by(viewer, leads)].into()),
            (
                permission("history:read"),
                [by(approver, leads), by(approver, europe)].into(),
            ),
            (
                permission("app:approvals.decide"),
                [by(approver, leads), by(approver, europe)].into(),
            ),
            (permission("app:approvals.override"), [by(approver, leads)].into()),
            (permission("webhooks:read"), [Reason::Held(Origin::Hand)].into()),
        ]),
    };
    let person = crate::domain::account::Person {
        name: "priya.raman@haldenfreight.example".to_owned(),
        display: "Priya Raman".to_owned(),
        address: None,
        active: None,
    };
    Detail {
        account: Account::provisioned(Uuid::nil(), 1, person, Timestamp::UNIX_EPOCH),
        bindings: Vec::new(),
        potential: effective.clone(),
        effective,
        known: Known {
            roles: [role(1, "Billing viewer"), role(2, "Approver")].into(),
            groups: [
                group(1, "Finance Leads"),
                group(2, "Approvals Europe, Middle East and Africa"),
            ]
            .into(),
            local_groups: BTreeMap::new(),
        },
        local_groups: Vec::new(),
        held: Vec::new(),
    }
}

fn priya() -> Person {
    Person {
        frame: halden(),
        shell: shell(Section::Users),
        trouble: None,
        place: "",
        provider: PROVIDER,
        page: "users/00000000-0000-0000-0000-000000000000".to_owned(),
        display: "Priya Raman".to_owned(),
        name: "priya.raman@haldenfreight.example".to_owned(),
        badges: vec![Badge::Active, Badge::Scim],
        is_provisioned: true,
        is_removed: false,
        lock: None,
        adoption: None,
        refused: None,
        fields: vec![
            ("Username", "priya.raman@haldenfreight.example".to_owned()),
            ("First Name", "Priya".to_owned()),
            ("Last Name", "Raman".to_owned()),
            ("Mobile Number", "+47 400 00 112".to_owned()),
            ("Position", "Finance lead".to_owned()),
            ("City", "Bergen".to_owned()),
            ("Status", "Active".to_owned()),
        ],
        id: Uuid::from_u128(0x0191_b2c4).to_string(),
        scim_id: Some(Uuid::from_u128(0x5f0e).to_string()),
        external_id: some("5f0e2d9a-40b9"),
        created: when("4 May 2026"),
        why: Why::of(&explained(), PROVIDER),
        without_access: String::new(),
        groups: vec![
            Choice::new(&"a", "Finance Leads"),
            Choice::new(&"b", "Approvals Europe"),
        ],
        without: "Without Finance Leads: Billing viewer would go, and with it users:read.".to_owned(),
        roles: vec![
            HeldRole {
                id: String::new(),
                name: "Approver".to_owned(),
                origins: vec![
                    "through the group Finance Leads".to_owned(),
                    "through the group Approvals Europe, Middle East and Africa".to_owned(),
                ],
                is_by_hand: false,
            },
            HeldRole {
                id: String::new(),
                name: "Billing viewer".to_owned(),
                origins: vec!["through the group Finance Leads".to_owned()],
                is_by_hand: false,
            },
        ],
        has_effect: true,
        offered_roles: Vec::new(),
        held: vec![HeldPermission {
            permission: "webhooks:read".to_owned(),
            by: "ida.sorensen@haldenfreight.example".to_owned(),
            since: when("3 September 2026"),
            is_waiting: false,
            is_by_hand: true,
        }],
        offered: Permission::CATALOGUE.iter().map(ToString::to_string).collect(),
        gives_any: true,
        has_local_groups: true,
        local_groups: vec![Choice::new(&"c", "Weekend cover")],
        offered_groups: vec![Choice::new(&"d", "Night desk")],
        entrance: Entrance {
            facts: vec![
                ("First sign-in by", "E-mail invitation".to_owned()),
                ("Signed in first", "4 May 2026".to_owned()),
                ("Password", "Since 4 May 2026".to_owned()),
                ("Second factor", "Since 5 May 2026".to_owned()),
                ("Recovery codes", "8 left".to_owned()),
            ],
            browsers: vec![Browser {
                name: "Firefox on Linux".to_owned(),
                address: "203.0.113.24".to_owned(),
                since: when("29 November 2026, 10:40 UTC"),
                used: when("1 minute ago"),
            }],
            has_factor: true,
            can_be_invited: true,
            is_invited: false,
        },
        requests: Some(vec![
            Request {
                meaning: "added 1 member to Approvals Europe".to_owned(),
                when: when("3 minutes ago"),
                has_failed: false,
            },
            Request {
                meaning: "could not change user priya.raman@haldenfreight.example".to_owned(),
                when: when("2 hours ago"),
                has_failed: true,
            },
        ]),
        synchronised: Some(when("3 minutes ago")),
        controls: Controls {
            write: true,
            suspend: true,
            ..Controls::default()
        },
        over: None,
    }
}

/// Makes somebody in a panel over the list.
fn priya_over_list() -> Person {
    Person {
        over: Some(list(Segment::All, rows())),
        shell: Shell {
            is_behind_panel: true,
            ..shell(Section::Users)
        },
        ..priya()
    }
}

fn elif() -> Person {
    Person {
        display: "Elif Kaya".to_owned(),
        name: "elif.kaya@haldenfreight.example".to_owned(),
        badges: vec![Badge::Active, Badge::Suspended, Badge::Manual],
        is_provisioned: false,
        lock: Some(Lock {
            by: NOOR.to_owned(),
            since: when("2 hours ago"),
            reason: "Laptop lost at the airport".to_owned(),
        }),
        refused: Some(when("2 hours ago")),
        adoption: Some(when("6 December 2026, 10:39 UTC")),
        fields: vec![
            ("Username", "elif.kaya@haldenfreight.example".to_owned()),
            ("Name", "Elif Kaya".to_owned()),
        ],
        scim_id: None,
        external_id: None,
        why: Why::default(),
        without_access:
            "The sign-in is suspended: roles and permissions have no effect until that is lifted.".to_owned(),
        groups: Vec::new(),
        roles: vec![HeldRole {
            id: String::new(),
            name: "Auditor".to_owned(),
            origins: vec!["given by hand".to_owned()],
            is_by_hand: true,
        }],
        has_effect: false,
        offered_roles: vec![Choice::new(&"e", "Service desk")],
        held: vec![HeldPermission {
            permission: "app:reports".to_owned(),
            by: NOOR.to_owned(),
            since: when("3 September 2026"),
            is_waiting: true,
            is_by_hand: true,
        }],
        requests: None,
        trouble: some("The account \"elif.kaya@haldenfreight.example\" is suspended already."),
        controls: Controls {
            write: true,
            resume: true,
            edit: true,
            disable: true,
            adopt: true,
            ..Controls::default()
        },
        ..priya()
    }
}

fn removed() -> Person {
    let account = Account {
        managed_by: ManagedBy::Scim,
        state: AccountState::Removed,
        row: None,
        ..explained().account
    };
    Person {
        badges: Badge::of_state(&account, false),
        is_removed: true,
        why: Why::default(),
        without_access: "The account is removed and has no access.".to_owned(),
        groups: Vec::new(),
        roles: Vec::new(),
        held: Vec::new(),
        has_local_groups: false,
        entrance: Entrance::default(),
        requests: Some(Vec::new()),
        controls: Controls {
            erase: true,
            ..Controls::default()
        },
        ..priya()
    }
}

fn lists() -> Vec<Sample> {
    vec![
        sample("users", &users(list(Segment::All, rows()))),
        sample(
            "users-unassigned-nobody",
            &users(list(Segment::Unassigned, Vec::new())),
        ),
        sample("users-unconfirmed", &users(list(Segment::Unconfirmed, rows()))),
        sample(
            "users-too-many",
            &users(List {
                prefix: "a".to_owned(),
                said: "The first 50 of at least 2 001 people: type more letters to find the others"
                    .to_owned(),
                next: None,
                ..list(Segment::All, rows())
            }),
        ),
        sample(
            "users-nobody-with-role",
            &users(List {
                is_of_role: true,
                ..list(Segment::All, Vec::new())
            }),
        ),
        sample(
            "users-nobody-found",
            &users(List {
                prefix: "zz".to_owned(),
                synchronised: None,
                place: "",
                ..list(Segment::All, Vec::new())
            }),
        ),
        sample("user", &priya()),
        sample("user-panel", &priya_over_list()),
        sample("user-manual", &elif()),
        sample("user-removed", &removed()),
    ]
}

fn selected() -> Selected {
    let people = [
        "Amara Okafor",
        "Elif Kaya",
        "Somebody Withaverylongname-Andanother",
    ];
    Selected {
        frame: halden(),
        shell: shell(Section::Users),
        trouble: some(
            "\"\" is not valid as a reason to suspend an account; expected 1 to 256 printable characters.",
        ),
        question: "Suspend the sign-in of 3 people?".to_owned(),
        consequence: "Every session of theirs ends at once.",
        people: people.map(|name| ("x".to_owned(), name.to_owned())).to_vec(),
        groups: None,
        reason: String::new(),
        button: "Suspend sign-in",
        action: "users/selected/suspend",
        list: "?show=active".to_owned(),
        back: "users?show=active".to_owned(),
    }
}

fn forms() -> Vec<Sample> {
    let manual = Manual {
        frame: halden(),
        shell: shell(Section::Users),
        trouble: None,
        of: None,
        is_address: true,
        name: "priya.raman@haldenfreight.example".to_owned(),
        display: "Priya".to_owned(),
        is_invited: true,
    };
    let suspend = Suspend {
        frame: halden(),
        shell: shell(Section::Users),
        trouble: None,
        question: "Suspend the sign-in of Priya Raman?".to_owned(),
        consequences: vec!["Every session ends at once.".to_owned()],
        reason: String::new(),
        button: "Suspend sign-in".to_owned(),
        action: "users/x/suspend".to_owned(),
        back: "users/x".to_owned(),
    };
    vec![
        sample(
            "user-new",
            &Manual {
                trouble: some(
                    "The name \"priya.raman@haldenfreight.example\" is taken in this organization: every person has one of \
                     their own, whoever manages them.",
                ),
                ..manual.clone()
            },
        ),
        sample(
            "user-edit",
            &Manual {
                of: Some(("users/x".to_owned(), "Elif Kaya".to_owned())),
                is_address: false,
                ..manual
            },
        ),
        sample("user-suspend", &suspend),
        sample("users-selected-suspend", &selected()),
        sample(
            "users-selected-join",
            &Selected {
                question: "Add 3 people to a group kept here?".to_owned(),
                consequence: "They get the roles of the group at once, whoever manages them.",
                groups: Some(vec![
                    Choice::new(&"c", "Weekend cover"),
                    Choice::new(&"d", "Night desk"),
                ]),
                button: "Add to the group",
                trouble: None,
                ..selected()
            },
        ),
        sample(
            "users-selected-partly",
            &Partly {
                frame: halden(),
                shell: shell(Section::Users),
                heading: "3 people were suspended".to_owned(),
                summary: "2 of 5 were not suspended:".to_owned(),
                refused: vec![
                    (
                        "Elif Kaya".to_owned(),
                        "The account \"elif.kaya@haldenfreight.example\" is suspended already.".to_owned(),
                    ),
                    (
                        "Noor Haddad".to_owned(),
                        "A suspension of this account needs organization:write, which you do not have."
                            .to_owned(),
                    ),
                ],
                again: vec![("person", "x".to_owned()), ("reason", "Stolen".to_owned())],
                action: "users/selected/suspend",
                back: "users?show=active".to_owned(),
            },
        ),
        sample(
            "user-adopt",
            &Adopt {
                frame: halden(),
                shell: shell(Section::Users),
                trouble: None,
                provider: PROVIDER,
                page: "users/x".to_owned(),
                display: "Elif Kaya".to_owned(),
                name: "elif.kaya@haldenfreight.example".to_owned(),
                roles: vec!["Auditor".to_owned()],
                permissions: vec!["app:reports".to_owned()],
                external_id: String::new(),
            },
        ),
        sample(
            "user-erase",
            &Confirm {
                frame: halden(),
                shell: shell(Section::Users),
                question: "Erase Priya Raman?".to_owned(),
                consequences: vec![
                    "A pseudonym stands from now on wherever the person was named.".to_owned(),
                    "This cannot be undone.".to_owned(),
                ],
                step: "Erase the person".to_owned(),
                typed: some("priya.raman@haldenfreight.example"),
                hidden: Vec::new(),
                action: "users/x/erase".to_owned(),
                back: "users/x".to_owned(),
                trouble: None,
            },
        ),
    ]
}

#[tokio::test]
async fn pages_of_people_keep_what_all_pages_promise() {
    hold_to_promises(lists()).await;
}

#[tokio::test]
async fn forms_about_people_keep_what_all_pages_promise() {
    hold_to_promises(forms()).await;
}
