//! Accounts and groups for people and groups that a version before has kept without them.

use std::collections::HashMap;

use jiff::Timestamp;
use scim::Result;
use scim::resources::Group;
use scim::store::database::{Reader, Transaction};
use scim::store::documents::{DocumentStore, Finding, Inspected, Inspector, row_of};
use uuid::Uuid;

use super::{accounts, bindings, organizations, roles, sign_in_names, tokens};
use crate::domain::account::{Account, Person};
use crate::domain::entry::Entry;
use crate::domain::group::ProvisionedGroup;
use crate::domain::role::{Role, RoleId, first_roles};
use crate::domain::settings::FirstLogin;
use crate::domain::user::User;

/// The value of the instance that says that it was done.
const DONE: &str = "accounts";

/// Returns whether there is nothing to carry over any more. A database without our tables has all before it.
pub(super) fn is_done(reader: &Reader<'_>) -> bool {
    let sql = "SELECT 1 FROM instance WHERE key = ?1";
    let found = reader.query_one(sql, &[DONE.into()], |_| Ok(()));
    found.is_ok_and(|found| found.is_some())
}

/// Makes what is missing, once.
pub(super) fn run(tx: &Transaction<'_>, store: &DocumentStore<String>, now: Timestamp) -> Result<()> {
    if is_done(tx) {
        return Ok(());
    }
    let living = organizations::all(tx)?;
    for organization in &living {
        for draft in first_roles() {
            let role = Role::new(RoleId(Uuid::now_v7()), draft, now);
            roles::insert(tx, organization.id, &role)?;
        }
    }
    let mut follower = Follower {
        tx,
        now,
        organizations: living
            .iter()
            .map(|known| (known.id.to_string(), known.id))
            .collect(),
        tokens: living
            .iter()
            .filter_map(|known| {
                newest_token(tx, known.id)
                    .map(|token| Some((known.id, token?)))
                    .transpose()
            })
            .collect::<Result<_>>()?,
    };
    store.check(tx, &mut follower)?;
    Ok(())
}

/// Notes when it was last seen to.
pub(super) fn note(tx: &Transaction<'_>, now: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO instance (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        &[DONE.into(), now.to_string().as_str().into()],
    )?;
    Ok(())
}

struct Follower<'t> {
    tx: &'t Transaction<'t>,
    now: Timestamp,
    /// By the names under which the store knows them.
    organizations: HashMap<String, Uuid>,
    /// The newest token of each, with which everybody who is there has been kept so far.
    tokens: HashMap<Uuid, Uuid>,
}

fn newest_token(tx: &Transaction<'_>, organization: Uuid) -> Result<Option<Uuid>> {
    let tokens = tokens::all(tx, organization)?;
    Ok(tokens
        .iter()
        .filter(|token| token.revoked.is_none())
        .map(|token| token.id)
        .max())
}

impl Inspector for Follower<'_> {
    fn resource(&mut self, resource: &Inspected<'_>) -> Result<()> {
        // Those of organizations that are deleted are removed soon.
        let Some(organization) = self.organizations.get(resource.tenant).copied() else {
            return Ok(());
        };
        match (resource.state::<User>(), resource.state::<Group>()) {
            (Some(user), _) => self.person(organization, resource, user),
            (_, Some(group)) => self.group(organization, resource, group),
            _ => Ok(()),
        }
    }

    /// Ignores a finding: the command that checks tells it, and it is of no concern here.
    fn finding(&mut self, _: Finding) {}
}

impl Follower<'_> {
    fn person(&self, organization: Uuid, resource: &Inspected<'_>, user: &User) -> Result<()> {
        let Some(row) = row_of::<User>(self.tx, resource.tenant, resource.id)? else {
            return Ok(());
        };
        let account = Account::provisioned(Uuid::now_v7(), row, Person::of(user), self.now);
        let entry = Entry::of_carried_over(&account, FirstLogin::Invitation);
        accounts::insert(self.tx, organization, &account, entry)?;
        sign_in_names::take(self.tx, organization, &account.name, account.id)?;
        let external_id = user.external_id.as_ref().map(|id| id.as_str());
        bindings::insert(
            self.tx,
            organization,
            organization,
            resource.id,
            external_id,
            account.id,
            self.now,
        )?;
        match self.tokens.get(&organization) {
            Some(token) => bindings::touch(self.tx, organization, resource.id, *token),
            None => Ok(()),
        }
    }

    fn group(&self, organization: Uuid, resource: &Inspected<'_>, group: &Group) -> Result<()> {
        let Some(row) = row_of::<Group>(self.tx, resource.tenant, resource.id)? else {
            return Ok(());
        };
        let provisioned = ProvisionedGroup::of(row, resource.id, group, self.now);
        roles::insert_group(self.tx, organization, &provisioned)
    }
}
