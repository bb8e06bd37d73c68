//! Adoption: an administrator lets the identity provider take over a manual account, once, for one person.

use serde_json::json;

use super::account::{find_living, subject};
use super::act::{View, carry_out, look};
use super::conflict::in_the_way;
use crate::database::effective::Members;
use crate::database::{Product, adoptions, grants, power, roles};
use crate::domain::account::Account;
use crate::domain::actor::{Action, Actor};
use crate::domain::adoption::{Adoption, Candidate, confirm};
use crate::domain::conflict::Conflict;
use crate::domain::fault::Result;
use crate::domain::grant::Holder;
use crate::domain::organization::Name;
use crate::domain::permission::{Permission, Permissions};

/// Confirms that the identity provider takes over a manual account.
pub(crate) static ADOPT: Action = Action {
    name: "user.adopt",
    permission: Permission::USERS_WRITE,
    fresh: true,
};

/// The effect of an adoption on an account.
#[derive(Debug, Clone)]
pub(crate) struct Preview {
    pub(crate) account: Account,
    /// The names of the roles that were given by hand, and go.
    pub(crate) roles: Vec<String>,
    /// The permissions that were given by hand, and stay.
    pub(crate) permissions: Permissions,
    /// The request of the provider that was refused because of the account, if one was lately.
    pub(crate) refused: Option<Conflict>,
}

/// Returns what an adoption would do to an account.
pub(crate) async fn preview(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    account: &str,
) -> Result<Preview> {
    let account = account.to_owned();
    look(product, actor, &ADOPT, organization, move |view| {
        let account = find_living(view, &account)?;
        Ok(effect(view, account)?)
    })
    .await
}

/// Confirms that the next person of this name and external id takes over a manual account, within a week.
pub(crate) async fn adopt(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    account: &str,
    external_id: Option<&str>,
) -> Result<(Preview, Adoption)> {
    let (account, external_id) = (account.to_owned(), external_id.map(str::to_owned));
    carry_out(product, actor, &ADOPT, organization, move |act| {
        let view = act.view();
        let account = find_living(&view, &account)?;
        let permissions = Members::of(act.tx, act.organization)?
            .potential(act.tx, &account)?
            .permitted();
        let candidate = Candidate {
            account: &account,
            permissions: &permissions,
            is_break_glass: grants::is_break_glass(act.tx, act.organization.id, account.id)?,
        };
        let adoption = confirm(
            act.organization.settings.existing_account,
            &candidate,
            external_id.as_deref(),
            &power::of_provider(act.tx, act.organization)?,
            act.actor,
            &act.actor.name(),
            act.now,
        )?;
        adoptions::put(act.tx, act.organization.id, &adoption)?;
        let id = account.id.to_string();
        let until = adoption.until.to_string();
        act.audit(
            &subject(&id, &account),
            json!({ "external_id": external_id, "until": until }),
        )?;
        Ok((effect(&view, account)?, adoption))
    })
    .await
}

fn effect(view: &View<'_>, account: Account) -> scim::Result<Preview> {
    let (reader, organization) = (view.reader, view.organization.id);
    let mut names = Vec::new();
    for grant in grants::roles_of(reader, organization, Holder::Account(account.id))? {
        names.extend(roles::by_id(reader, organization, grant.role)?.map(|role| role.name));
    }
    let held = grants::permissions_of(reader, organization, account.id)?;
    Ok(Preview {
        roles: names,
        permissions: held.into_iter().map(|grant| grant.permission).collect(),
        refused: in_the_way(view, account.id)?,
        account,
    })
}
