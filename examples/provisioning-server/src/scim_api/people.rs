//! The account of each person, which follows what the identity provider says of them.

use jiff::Timestamp;
use scim::store::database::Transaction;
use scim::store::documents::row_of;
use scim::store::{Event, Transition};
use scim::{Error, Result};
use uuid::Uuid;

use super::rules::OfOrganization;
use crate::database::effective::Members;
use crate::database::{
    accounts, adoptions, bindings, entries, grants, local_groups, losses, sign_in_names, waiting,
};
use crate::domain::account::{Account, ManagedBy, Person};
use crate::domain::adoption::{Candidate, Meeting, meet};
use crate::domain::entry::Entry;
use crate::domain::grant::Holder;
use crate::domain::mass_change::{Loss, LossKind};
use crate::domain::organization::Organization;
use crate::domain::settings::OnDelete;
use crate::domain::user::User;

/// Follows a change of a person, in the transaction that makes it.
pub(super) fn follow<C: OfOrganization>(tx: &Transaction<'_>, cx: &C, event: &Event<User>) -> Result<()> {
    let organization = cx.organization();
    let now = Timestamp::now();
    match &event.transition {
        Transition::Created { after } => create(tx, cx, &event.id, after, now),
        Transition::Changed { before, after } => {
            let repeats = |user: &User| (Person::of(user), external_id(user));
            match after.as_ref().map(repeats) {
                Some((person, external_id))
                    if before.as_ref().map(repeats) != Some((person.clone(), external_id.clone())) =>
                {
                    change(tx, organization, &event.id, person, external_id.as_deref(), now)
                }
                _ => Ok(()),
            }
        }
        Transition::Deleted { .. } => delete(tx, organization, &event.id, now),
    }
}

fn create<C: OfOrganization>(
    tx: &Transaction<'_>,
    cx: &C,
    id: &str,
    user: &User,
    now: Timestamp,
) -> Result<()> {
    let organization = cx.organization();
    let person = Person::of(user);
    let external_id = external_id(user);
    let row = row_of::<User>(tx, &organization.id.to_string(), id)?;
    let row = row.ok_or_else(|| Error::internal("a person who was just created has no row"))?;
    let account = match accounts::by_name(tx, organization.id, &person.name)? {
        Some(holder) => adopt(
            tx,
            organization,
            &holder,
            row,
            person,
            external_id.as_deref(),
            now,
        )?,
        None => match former(tx, organization, id, &person.name, external_id.as_deref())? {
            Some(former) => come_back(tx, cx, &former, row, person, now)?,
            None => {
                let account = Account::provisioned(Uuid::now_v7(), row, person, now);
                accounts::insert(tx, organization.id, &account, entry(cx, &account))?;
                account
            }
        },
    };
    take_name(tx, organization, &account)?;
    let source = organization
        .source
        .as_ref()
        .map_or(organization.id, |source| source.id);
    bindings::insert(
        tx,
        organization.id,
        source,
        id,
        external_id.as_deref(),
        account.id,
        now,
    )
}

/// Returns the way in of somebody who comes, or comes back. Only whom a provider sends is new: people in a file that is
/// imported are not invited.
fn entry<C: OfOrganization>(cx: &C, account: &Account) -> Entry {
    let setting = cx.organization().settings.first_login;
    match cx.request().is_some() {
        true => Entry::of_new(account, setting),
        false => Entry::of_carried_over(account, setting),
    }
}

/// Binds a person to a manual account of the same name, if an administrator has confirmed that.
fn adopt(
    tx: &Transaction<'_>,
    organization: &Organization,
    holder: &Account,
    row: i64,
    person: Person,
    external_id: Option<&str>,
    now: Timestamp,
) -> Result<Account> {
    let permissions = Members::of(tx, organization)?.potential(tx, holder)?.permitted();
    let candidate = Candidate {
        account: holder,
        permissions: &permissions,
        is_break_glass: grants::is_break_glass(tx, organization.id, holder.id)?,
    };
    let confirmed = adoptions::find(tx, organization.id, &person.name)?;
    let setting = organization.settings.existing_account;
    let meeting = meet(
        setting,
        &candidate,
        (&person, external_id),
        confirmed.as_ref(),
        now,
    );
    if meeting != Meeting::Adopted {
        return Err(taken(holder));
    }
    adoptions::remove(tx, organization.id, &person.name)?;
    grants::take_roles(tx, organization.id, Holder::Account(holder.id))?;
    let account = holder.adopted(row, person, now);
    accounts::update(tx, organization.id, holder, &account)?;
    Ok(account)
}

/// Returns the account that a person had before they were deleted. Only a file that is imported brings an id back.
fn former(
    tx: &Transaction<'_>,
    organization: &Organization,
    id: &str,
    name: &str,
    external_id: Option<&str>,
) -> Result<Option<Account>> {
    match (accounts::by_scim_id(tx, organization.id, id)?, external_id) {
        (Some(former), _) => Ok(Some(former)),
        (None, Some(external_id)) => accounts::former(tx, organization.id, name, external_id),
        (None, None) => Ok(None),
    }
}

/// Binds a person to the account that they had.
fn come_back<C: OfOrganization>(
    tx: &Transaction<'_>,
    cx: &C,
    former: &Account,
    row: i64,
    person: Person,
    now: Timestamp,
) -> Result<Account> {
    let organization = cx.organization();
    let account = former.rebound(row, person, now);
    accounts::update(tx, organization.id, former, &account)?;
    entries::begin(tx, organization.id, account.id, entry(cx, &account))?;
    waiting::begin(tx, organization.id, &account, now, cx.request())?;
    Ok(account)
}

fn change(
    tx: &Transaction<'_>,
    organization: &Organization,
    id: &str,
    person: Person,
    external_id: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    let before = account_of(tx, organization, id)?;
    let account = before.changed(person, now);
    if account.name_key() != before.name_key() {
        sign_in_names::release(tx, organization.id, &before.name, account.id)?;
        take_name(tx, organization, &account)?;
    }
    if account != before {
        accounts::update(tx, organization.id, &before, &account)?;
    }
    if before.has_access() && !account.has_access() {
        lose(
            tx,
            organization,
            &account,
            "the identity provider deactivated people",
            now,
        )?;
    }
    bindings::update(tx, organization.id, id, external_id)
}

fn delete(tx: &Transaction<'_>, organization: &Organization, id: &str, now: Timestamp) -> Result<()> {
    let before = account_of(tx, organization, id)?;
    let how = organization.settings.on_delete;
    let after = before.deleted(how, now);
    accounts::update(tx, organization.id, &before, &after)?;
    waiting::settle(tx, organization.id, &after)?;
    if before.has_access() {
        lose(
            tx,
            organization,
            &before,
            "the identity provider removed people",
            now,
        )?;
    }
    sign_in_names::release(tx, organization.id, &before.name, before.id)?;
    if how == OnDelete::Remove {
        grants::take_permissions(tx, organization.id, before.id)?;
    }
    local_groups::leave_all(tx, organization.id, before.id)?;
    bindings::end(tx, organization.id, id, now)
}

/// Notes that somebody cannot sign in any more.
fn lose(
    tx: &Transaction<'_>,
    organization: &Organization,
    account: &Account,
    cause: &str,
    now: Timestamp,
) -> Result<()> {
    let loss = Loss {
        time: now,
        kind: LossKind::Deactivation,
        cause: cause.to_owned(),
        account: Some(account.id),
        people: 1,
    };
    losses::insert(tx, organization.id, &loss)
}

fn account_of(tx: &Transaction<'_>, organization: &Organization, id: &str) -> Result<Account> {
    let account = accounts::by_scim_id(tx, organization.id, id)?;
    account.ok_or_else(|| Error::internal(format!("the person {id} has no account")))
}

/// Gives an account its name, unless another account has it.
fn take_name(tx: &Transaction<'_>, organization: &Organization, account: &Account) -> Result<()> {
    if sign_in_names::take(tx, organization.id, &account.name, account.id)? {
        return Ok(());
    }
    match accounts::by_name(tx, organization.id, &account.name)? {
        Some(holder) => Err(taken(&holder)),
        None => Err(Error::internal("a name is taken by nobody")),
    }
}

/// Makes the refusal of a name that an account has.
fn taken(holder: &Account) -> Error {
    let why = match holder.managed_by {
        ManagedBy::Hand => {
            "is taken by an account that is managed by hand, which SCIM neither shows nor takes over: rename or remove \
             that account in the portal, or leave this person out at the identity provider"
        }
        ManagedBy::Scim => "is taken by another person of the organization",
    };
    Error::uniqueness(why).at("userName")
}

fn external_id(user: &User) -> Option<String> {
    user.external_id.as_ref().map(|id| id.as_str().to_owned())
}
