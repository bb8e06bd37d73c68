//! Pages of groups and roles.

use uuid::Uuid;

use super::{Sample, halden, hold_to_promises, sample, shell, some};
use crate::domain::keyword::Keyword;
use crate::domain::permission::Area;
use crate::portal::groups::list::{Choice as KindChoice, Kind, List as Groups, Row as Group};
use crate::portal::groups::local::{Choice, Local, New};
use crate::portal::groups::provisioned::{Member, Provisioned};
use crate::portal::moment::Shown;
use crate::portal::people::badge::Badge;
use crate::portal::roles::list::{List as Roles, Row as Role};
use crate::portal::roles::role::{Cell, Holders, Line, RolePage};
use crate::portal::shell::Section;

const PROVIDER: &str = "Microsoft Entra ID";

fn when(said: &str) -> Shown {
    Shown {
        iso: "2026-11-29T10:41:00Z".to_owned(),
        text: said.to_owned(),
    }
}

fn group(name: &str, below: &str, people: &str, roles: &str) -> Group {
    Group {
        page: "groups/x".to_owned(),
        name: name.to_owned(),
        below: below.to_owned(),
        people: people.to_owned(),
        roles: roles.to_owned(),
    }
}

fn groups(kind: Kind, groups: Vec<Group>) -> Groups {
    let choice = |kind, label, count| KindChoice {
        kind,
        label,
        count,
        path: "/o/halden-freight/groups".to_owned(),
    };
    Groups {
        frame: halden(),
        shell: shell(Section::Groups),
        provider: PROVIDER,
        summary: "23 groups come from Microsoft Entra ID, 2 are kept here.".to_owned(),
        synchronised: Some(when("3 minutes ago")),
        kind,
        choices: vec![
            choice(Kind::Provisioned, "From the provider", Some(23)),
            choice(Kind::Unmapped, "Not mapped", None),
            choice(Kind::Local, "Kept here", Some(2)),
        ],
        prefix: String::new(),
        said: "4 groups, by name".to_owned(),
        first: None,
        next: some("/o/halden-freight/groups?behind=7"),
        groups,
        is_mirrored: false,
        has_local_groups: true,
        may_add: true,
    }
}

fn member(display: &str, name: &str, states: &[Badge], side: Badge) -> Member {
    Member {
        id: Uuid::nil().to_string(),
        display: display.to_owned(),
        name: name.to_owned(),
        states: states.to_vec(),
        side,
    }
}

fn members() -> Vec<Member> {
    vec![
        member(
            "Grace Mbeki",
            "grace.mbeki@haldenfreight.example",
            &[Badge::Active],
            Badge::Scim,
        ),
        member(
            "Hugo Castellanos",
            "hugo.castellanos@haldenfreight.example",
            &[Badge::Disabled],
            Badge::Scim,
        ),
        member(
            "Elif Kaya",
            "elif.kaya@haldenfreight.example",
            &[Badge::Active, Badge::Suspended],
            Badge::Manual,
        ),
    ]
}

fn finance() -> Provisioned {
    Provisioned {
        frame: halden(),
        shell: shell(Section::Groups),
        provider: PROVIDER,
        name: "Finance Leads".to_owned(),
        id: Uuid::from_u128(0x0191_b2c4).to_string(),
        external_id: some("e77a3b10-0c4d"),
        created: when("4 May 2026"),
        synchronised: Some(when("3 minutes ago")),
        people: "14 people".to_owned(),
        members: members(),
        said: "3 of 14".to_owned(),
        first: None,
        next: some("/o/halden-freight/groups/x?behind=7"),
        roles: vec![
            ("Billing viewer".to_owned(), "x".to_owned()),
            ("Approver".to_owned(), "y".to_owned()),
        ],
        is_mirrored: false,
    }
}

fn choice(name: &str, is_held: bool, can_be_given: bool) -> Choice {
    Choice {
        id: name.to_owned(),
        name: name.to_owned(),
        is_held,
        can_be_given,
    }
}

fn weekend() -> Local {
    Local {
        frame: halden(),
        shell: shell(Section::Groups),
        trouble: some("Nobody here is called \"jon\"."),
        provider: PROVIDER,
        page: "groups/local/x".to_owned(),
        heading: "Weekend cover".to_owned(),
        name: "Weekend cover".to_owned(),
        description: "Whoever is on call from Friday evening".to_owned(),
        synchronised: Some(when("3 minutes ago")),
        people: "5 people".to_owned(),
        members: members(),
        said: "3 of 5".to_owned(),
        first: some("/o/halden-freight/groups/local/x"),
        next: None,
        choices: vec![
            choice("Administrator", false, false),
            choice("Auditor", false, true),
            choice("Service desk", true, true),
        ],
        person: "jon".to_owned(),
        meant: Vec::new(),
        has_effect: true,
        may_change: true,
        may_assign: true,
    }
}

fn of_groups() -> Vec<Sample> {
    let rows = vec![
        group("Approvals Europe", "", "22", "Approver"),
        group("IT Service Desk", "a81f03", "41", "Service desk"),
        group("IT Service Desk", "c2d79e", "1 000+", "Service desk, Approver"),
        group(
            "Warehouse Supervisors and their deputies in all countries",
            "",
            "57",
            "",
        ),
    ];
    vec![
        sample("groups", &groups(Kind::Provisioned, rows)),
        sample("groups-all-mapped", &groups(Kind::Unmapped, Vec::new())),
        sample("group", &finance()),
        sample(
            "group-empty",
            &Provisioned {
                members: Vec::new(),
                roles: Vec::new(),
                people: "0 people".to_owned(),
                ..finance()
            },
        ),
        sample("group-local", &weekend()),
        sample(
            "group-local-several-meant",
            &Local {
                trouble: None,
                meant: members(),
                ..weekend()
            },
        ),
        sample(
            "group-local-without-effect",
            &Local {
                trouble: None,
                members: Vec::new(),
                has_effect: false,
                may_assign: false,
                may_change: false,
                ..weekend()
            },
        ),
        sample(
            "group-new",
            &New {
                frame: halden(),
                shell: shell(Section::Groups),
                trouble: some("A group \"Weekend cover\" is kept here already."),
                provider: PROVIDER,
                name: "Weekend cover".to_owned(),
                description: String::new(),
            },
        ),
    ]
}

fn role(name: &str, description: &str, people: &str) -> Role {
    Role {
        id: Uuid::nil().to_string(),
        name: name.to_owned(),
        description: description.to_owned(),
        people: people.to_owned(),
        permissions: 4,
        is_mirrored: false,
        needs_permissions: false,
        escalates: false,
    }
}

fn roles() -> Roles {
    Roles {
        frame: halden(),
        shell: shell(Section::Roles),
        provider: PROVIDER,
        is_mirrored: false,
        synchronised: Some(when("3 minutes ago")),
        roles: vec![
            Role {
                escalates: true,
                permissions: 24,
                ..role("Administrator", "Can change everything in this organization", "2")
            },
            role("Approver", "", "43"),
            role("Service desk", "Helps people to sign in", "1 000+"),
        ],
        prefix: String::new(),
        said: "3 roles".to_owned(),
        first: None,
        next: None,
        may_add: true,
    }
}

fn lines() -> Vec<Line> {
    let line = |area: &Area| {
        let cell = |right: &str, is_own| Cell {
            permission: format!("{}:{right}", area.word()),
            label: format!("{}: {right}", area.word()),
            is_ticked: matches!(area, Area::Users | Area::Groups),
            is_own,
        };
        Line {
            area: "Bodies of requests",
            hint: "Masked bodies in the history",
            cells: vec![cell("read", true), cell("write", *area != Area::Organization)],
        }
    };
    Area::ALL.iter().map(line).collect()
}

fn desk() -> RolePage {
    RolePage {
        frame: halden(),
        shell: shell(Section::Roles),
        trouble: None,
        provider: PROVIDER,
        page: "roles/x".to_owned(),
        id: "x".to_owned(),
        is_new: false,
        is_mirrored: false,
        heading: "Service desk".to_owned(),
        name: "Service desk".to_owned(),
        description: "Helps people to sign in".to_owned(),
        lines: lines(),
        applications: ["app:tickets.assign", "app:devices.unlock"]
            .map(|permission| Cell {
                permission: permission.to_owned(),
                label: permission.to_owned(),
                is_ticked: true,
                is_own: false,
            })
            .to_vec(),
        gives_any: false,
        application: String::new(),
        lacking: "organization:write".to_owned(),
        may_change: true,
        may_delete: true,
        holders: Holders {
            people: "48 people have it".to_owned(),
            has_any: true,
            first: vec![
                ("users/x".to_owned(), "Grace Mbeki".to_owned()),
                ("users/y".to_owned(), "Priya Raman".to_owned()),
            ],
            has_more: true,
            groups: vec![("groups/x".to_owned(), "IT Service Desk".to_owned())],
            synchronised: Some(when("3 minutes ago")),
        },
    }
}

fn of_roles() -> Vec<Sample> {
    vec![
        sample("roles", &roles()),
        sample(
            "roles-mirrored",
            &Roles {
                is_mirrored: true,
                roles: vec![Role {
                    is_mirrored: true,
                    needs_permissions: true,
                    permissions: 0,
                    ..role("Warehouse Supervisors", "", "0")
                }],
                next: some("/o/halden-freight/roles?behind=1"),
                ..roles()
            },
        ),
        sample(
            "roles-none",
            &Roles {
                roles: Vec::new(),
                ..roles()
            },
        ),
        sample("role", &desk()),
        sample(
            "role-new",
            &RolePage {
                trouble: some("\"reports\" is not a valid permission; expected an area and a right."),
                is_new: true,
                heading: "Add a role".to_owned(),
                gives_any: true,
                application: "reports".to_owned(),
                applications: Vec::new(),
                lacking: String::new(),
                ..desk()
            },
        ),
        sample(
            "role-read-only",
            &RolePage {
                is_mirrored: true,
                may_change: false,
                may_delete: false,
                applications: Vec::new(),
                holders: Holders {
                    people: "Nobody has it".to_owned(),
                    ..Holders::default()
                },
                ..desk()
            },
        ),
    ]
}

#[tokio::test]
async fn pages_of_groups_keep_what_all_pages_promise() {
    hold_to_promises(of_groups()).await;
}

#[tokio::test]
async fn pages_of_roles_keep_what_all_pages_promise() {
    hold_to_promises(of_roles()).await;
}
