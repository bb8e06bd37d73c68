//! The decisions of the demonstration's administrators, by actions.

use crate::actions::account::{self, ByHand};
use crate::actions::{group, mapping, role};
use crate::database::Product;
use crate::database::accounts::Shown;
use crate::database::page::Page;
use crate::domain::account::{Account, ManagedBy};
use crate::domain::actor::Actor;
use crate::domain::fault::Result;
use crate::domain::organization::Name;
use crate::domain::permission::{Permission, Permissions};
use crate::domain::role::Draft;

use super::{MAPPED, MIRRORED};

/// A manual account, which SCIM can neither see nor take over.
pub(super) const MANUAL: &str = "root@example.com";

/// The roles of the mapped groups, one after the other.
const MAPPINGS: [&[&str]; 10] = [
    &["Administrator"],
    &["Operator"],
    &["Read only"],
    &["Help desk"],
    &["Auditor"],
    &["Operator", "Auditor"],
    &["Read only"],
    &["Help desk", "Read only"],
    &["Auditor"],
    &["Read only"],
];

/// Roles that the organization has made itself.
const ROLES: [(&str, &str, &[&str]); 2] = [
    (
        "Help desk",
        "Answers questions about people",
        &["users:read", "groups:read", "app:tickets"],
    ),
    (
        "Auditor",
        "Reads what has happened",
        &["history:read", "audit:read", "app:reports"],
    ),
];

/// The permissions of roles that mirror groups; the other roles wait for somebody to say so.
const MIRRORED_ROLES: [&[&str]; 3] = [
    &["users:read", "groups:read"],
    &["app:reports"],
    &["users:write", "app:deploy"],
];

/// Returns the operator, under the name that the audit log shows.
pub(super) fn actor() -> Actor {
    Actor::operator("demo".to_owned())
}

/// Makes all decisions.
pub(super) async fn make(product: &Product) -> Result<()> {
    let mapped = Name::parse(MAPPED)?;
    for (name, description, allowed) in ROLES {
        let draft = Draft {
            name: name.to_owned(),
            description: description.to_owned(),
            permissions: permissions(allowed)?,
        };
        role::create(product, &actor(), &mapped, draft).await?;
    }
    map_groups(product, &mapped).await?;
    decide_about_people(product, &mapped).await?;
    allow_mirrored(product, &Name::parse(MIRRORED)?).await
}

async fn map_groups(product: &Product, organization: &Name) -> Result<()> {
    let shown = group::Shown {
        page: page(),
        unmapped: true,
    };
    let groups = group::list(product, &actor(), organization, shown).await?;
    for (group, roles) in groups.iter().zip(MAPPINGS) {
        let roles = roles.iter().map(ToString::to_string).collect();
        mapping::set(product, &actor(), organization, &group.id, roles).await?;
    }
    Ok(())
}

async fn decide_about_people(product: &Product, organization: &Name) -> Result<()> {
    let roles = ByHand {
        roles: vec!["Administrator".to_owned()],
        permissions: permissions(&["app:reports"])?,
    };
    account::grant(product, &actor(), organization, MANUAL, roles).await?;
    let people = some_people(product, organization).await?;
    let (given, suspended) = people.split_at(people.len().saturating_sub(1));
    for person in given {
        let by_hand = ByHand {
            permissions: permissions(&["app:reports", "history:read"])?,
            ..ByHand::default()
        };
        account::grant(product, &actor(), organization, &person.id.to_string(), by_hand).await?;
    }
    for person in suspended {
        let id = person.id.to_string();
        account::suspend(product, &actor(), organization, &id, "Laptop lost").await?;
    }
    Ok(())
}

/// Returns some people of the provider, whose names need no quotes on a command line.
async fn some_people(product: &Product, organization: &Name) -> Result<Vec<Account>> {
    let shown = Shown {
        managed_by: Some(ManagedBy::Scim),
        ..Shown::default()
    };
    let page = Page {
        prefix: "user.".to_owned(),
        size: 8,
        ..Page::default()
    };
    Ok(account::list(product, &actor(), organization, shown, None, page)
        .await?
        .accounts)
}

/// Returns the name of somebody with many reasons for what they may do.
pub(super) async fn whom_to_explain(product: &Product) -> Result<String> {
    let organization = Name::parse(MAPPED)?;
    let mut found = (0, MANUAL.to_owned());
    for person in some_people(product, &organization).await? {
        let detail = account::show(product, &actor(), &organization, &person.id.to_string()).await?;
        let roles = detail.effective.roles.len();
        if roles > found.0 {
            found = (roles, person.name);
        }
    }
    Ok(found.1)
}

async fn allow_mirrored(product: &Product, organization: &Name) -> Result<()> {
    let roles = role::list(product, &actor(), organization, page()).await?;
    let mirrored = roles.iter().filter(|role| role.mirrors.is_some());
    for (role, allowed) in mirrored.zip(MIRRORED_ROLES) {
        let changes = role::Changes {
            permissions: Some(permissions(allowed)?),
            ..role::Changes::default()
        };
        role::change(product, &actor(), organization, &role.id.to_string(), changes).await?;
    }
    Ok(())
}

/// Returns the first page of a list.
fn page() -> Page<i64> {
    Page {
        size: 100,
        ..Page::default()
    }
}

fn permissions(texts: &[&str]) -> Result<Permissions> {
    let mut permissions = Permissions::NONE;
    for text in texts {
        permissions.insert(Permission::parse(text)?);
    }
    Ok(permissions)
}
