//! Actions against the rules of escalation: what they refuse, on a database, is what the rules refuse on a picture of it.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use uuid::Uuid;

use crate::actions::*;
use crate::database::Product;
use crate::database::effective::tests::product_of;
use crate::domain::actor::{Action, Actor, Who};
use crate::domain::effective::Picture;
use crate::domain::effective::tests::picture;
use crate::domain::escalation::Deed;
use crate::domain::escalation::tests::deed;
use crate::domain::fault::{Fault, Kind, Result};
use crate::domain::grant::Holder;
use crate::domain::organization::{Name, Organization};
use crate::domain::permission::Permissions;
use crate::domain::permission::tests::permissions;
use crate::domain::role::Draft;

/// Makes an administrator who has these permissions and that of the action.
fn actor(organization: &Organization, mut permissions: Permissions, action: &Action, fresh: bool) -> Actor {
    permissions.insert(action.permission.clone());
    Actor {
        who: Who::Account {
            organization: organization.id,
            id: Uuid::from_u128(4_711),
            name: "eve@x.example".to_owned(),
        },
        permissions,
        fresh,
        address: None,
    }
}

/// Returns the action that does a deed; `None` if there is none yet.
fn action(deed: &Deed) -> Option<&'static Action> {
    match deed {
        Deed::EditAccount { .. } => Some(&account::SUSPEND),
        Deed::GiveRole {
            holder: Holder::Account(_),
            ..
        }
        | Deed::GivePermission { .. } => Some(&account::GRANT),
        Deed::TakeRole {
            holder: Holder::Account(_),
            ..
        }
        | Deed::TakePermission { .. } => Some(&account::REVOKE),
        Deed::GiveRole { .. } | Deed::TakeRole { .. } => Some(&local_group::CHANGE),
        Deed::JoinLocalGroup { .. } | Deed::LeaveLocalGroup { .. } => Some(&local_group::ASSIGN),
        Deed::CreateRole { .. } => Some(&role::CREATE),
        Deed::EditRole { .. } => Some(&role::CHANGE),
        Deed::DeleteRole { .. } => Some(&role::DELETE),
        Deed::Map(_) => Some(&mapping::SET),
        Deed::SetGroups(_) | Deed::SetAssignment(_) | Deed::ActAsProvider | Deed::Adopt { .. } => None,
    }
}

/// Carries out a deed by its action.
async fn carry_out(product: &Product, eve: &Actor, org: &Name, deed: &Deed) -> Result<()> {
    let roles = |role: &crate::domain::role::RoleId| account::ByHand {
        roles: vec![role.to_string()],
        permissions: Permissions::NONE,
    };
    let single = |permission: &crate::domain::permission::Permission| account::ByHand {
        roles: Vec::new(),
        permissions: Permissions::from_iter([permission.clone()]),
    };
    let allow = |role: &crate::domain::role::RoleId| local_group::Changes {
        allow: vec![role.to_string()],
        ..local_group::Changes::default()
    };
    let deny = |role: &crate::domain::role::RoleId| local_group::Changes {
        deny: vec![role.to_string()],
        ..local_group::Changes::default()
    };
    match deed {
        Deed::EditAccount { account: id } => {
            let id = id.to_string();
            account::suspend(product, eve, org, &id, "Laptop lost")
                .await
                .map(drop)
        }
        Deed::GiveRole { holder, role } => match holder {
            Holder::Account(id) => account::grant(product, eve, org, &id.to_string(), roles(role))
                .await
                .map(drop),
            Holder::LocalGroup(id) => local_group::change(product, eve, org, &id.to_string(), allow(role))
                .await
                .map(drop),
        },
        Deed::TakeRole { holder, role } => match holder {
            Holder::Account(id) => account::revoke(product, eve, org, &id.to_string(), roles(role))
                .await
                .map(drop),
            Holder::LocalGroup(id) => local_group::change(product, eve, org, &id.to_string(), deny(role))
                .await
                .map(drop),
        },
        Deed::GivePermission {
            account: id,
            permission,
        } => account::grant(product, eve, org, &id.to_string(), single(permission))
            .await
            .map(drop),
        Deed::TakePermission {
            account: id,
            permission,
        } => account::revoke(product, eve, org, &id.to_string(), single(permission))
            .await
            .map(drop),
        Deed::JoinLocalGroup { account: id, group } => {
            let (id, group) = (id.to_string(), group.to_string());
            let how = local_group::Assign::Join;
            local_group::assign(product, eve, org, &group, vec![id], how)
                .await
                .map(drop)
        }
        Deed::LeaveLocalGroup { account: id, group } => {
            let (id, group) = (id.to_string(), group.to_string());
            let how = local_group::Assign::Leave;
            local_group::assign(product, eve, org, &group, vec![id], how)
                .await
                .map(drop)
        }
        Deed::CreateRole { permissions } => {
            let draft = Draft {
                name: "A role of Eve's".to_owned(),
                description: String::new(),
                permissions: permissions.clone(),
            };
            role::create(product, eve, org, draft).await.map(drop)
        }
        Deed::EditRole {
            role: id,
            permissions,
        } => {
            let changes = role::Changes {
                permissions: Some(permissions.clone()),
                ..role::Changes::default()
            };
            role::change(product, eve, org, &id.to_string(), changes)
                .await
                .map(drop)
        }
        Deed::DeleteRole { role: id } => role::delete(product, eve, org, &id.to_string()).await.map(drop),
        Deed::Map(change) => {
            let roles = change.roles.iter().map(ToString::to_string).collect();
            mapping::set(product, eve, org, &change.group.to_string(), roles)
                .await
                .map(drop)
        }
        Deed::SetGroups(_) | Deed::SetAssignment(_) | Deed::ActAsProvider | Deed::Adopt { .. } => Ok(()),
    }
}

async fn compare(
    picture: &Picture,
    deed: &Deed,
    permissions: Permissions,
    fresh: bool,
) -> std::result::Result<(), TestCaseError> {
    let Some(asked) = action(deed) else {
        return Ok(());
    };
    let (product, organization, _folder) = product_of(picture).await;
    let eve = actor(&organization, permissions, asked, fresh);
    let ruled = match eve.demand(asked) {
        Ok(()) => picture.needs(deed).demand(&eve, "This"),
        refused => refused,
    };
    let done = carry_out(&product, &eve, &organization.name, deed).await;
    product.close().await;
    let done = done.map_err(|fault: Fault| fault.kind());
    match (ruled.map_err(|fault| fault.kind()), done) {
        // Whatever cannot be done at all is refused to everybody, for its own reason.
        (_, Err(Kind::Conflict | Kind::NotFound | Kind::Invalid)) => {}
        (ruled, done) => prop_assert_eq!(done, ruled, "{:?} by {}", deed, eve.permissions),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Feature row 87: an action asks of an actor, on a database, exactly what the rules ask on a picture of it: so what is
    /// proved of the rules holds for the product.
    #[test]
    fn actions_refuse_what_the_rules_refuse(
        picture in picture(), deed in deed(), permissions in permissions(), most: bool, fresh: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let permissions = match most {
            true => Permissions::catalogue().union(&permissions),
            false => permissions,
        };
        runtime.block_on(compare(&picture, &deed, permissions, fresh))?;
    }
}
