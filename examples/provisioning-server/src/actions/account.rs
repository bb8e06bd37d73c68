//! Accounts: who has one, what they may do and why, and what is given and taken by hand.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::act::{Act, Subject, View, carry_out, look};
use super::{event_row, role};
use crate::database::accounts::Shown;
use crate::database::bindings::Binding;
use crate::database::effective::Members;
use crate::database::page::Page;
use crate::database::search::{self, Found};
use crate::database::{
    Product, Stop, accounts, bindings, grants, groups, local_groups, roles, sign_in_names, waiting,
};
use crate::domain::account::{Account, AccountState};
use crate::domain::actor::{Action, Actor};
use crate::domain::effective::{Effective, Path};
use crate::domain::entry::Entry;
use crate::domain::escalation::Needs;
use crate::domain::event::EventKind;
use crate::domain::fault::{Fault, Remedy, Result};
use crate::domain::grant::{Holder, Origin, PermissionGrant, RoleGrant, demand_roles_by_hand};
use crate::domain::group::ProvisionedGroup;
use crate::domain::local_group::LocalGroup;
use crate::domain::mapping::demand_role_to_give;
use crate::domain::organization::Name;
use crate::domain::permission::{Permission, Permissions};
use crate::domain::role::{Role, RoleId};

/// Shows accounts, and what they may do.
pub(crate) static LIST: Action = Action {
    name: "user.list",
    permission: Permission::USERS_READ,
    fresh: false,
};

/// Makes a manual account.
pub(crate) static CREATE: Action = Action {
    name: "user.create",
    permission: Permission::USERS_WRITE,
    fresh: false,
};

/// Changes a manual account: its name, and whether its person can sign in.
pub(crate) static CHANGE: Action = Action {
    name: "user.change",
    permission: Permission::USERS_WRITE,
    fresh: false,
};

/// Locks the sign-in of an account at once.
pub(crate) static SUSPEND: Action = Action {
    name: "user.suspend",
    permission: Permission::USERS_WRITE,
    fresh: false,
};

/// Locks the sign-in of all people whom the identity provider has not named with its newest token.
pub(crate) static SUSPEND_UNCONFIRMED: Action = Action {
    name: "user.suspend-unconfirmed",
    permission: Permission::USERS_WRITE,
    fresh: true,
};

/// Lifts that lock.
pub(crate) static RESUME: Action = Action {
    name: "user.resume",
    permission: Permission::USERS_WRITE,
    fresh: false,
};

/// Gives roles and permissions by hand.
pub(crate) static GRANT: Action = Action {
    name: "user.grant",
    permission: Permission::USERS_WRITE,
    fresh: false,
};

/// Takes roles and permissions that were given by hand.
pub(crate) static REVOKE: Action = Action {
    name: "user.revoke",
    permission: Permission::USERS_WRITE,
    fresh: false,
};

/// The most accounts that are counted.
const COUNTED: u32 = 10_000;

/// An account with everything that is known of it.
#[derive(Debug, Clone)]
pub(crate) struct Detail {
    pub(crate) account: Account,
    /// The people of SCIM that it is and was, the newest first.
    pub(crate) bindings: Vec<Binding>,
    /// The roles and permissions that it has now.
    pub(crate) effective: Effective,
    /// Those that it has as soon as its person can sign in.
    pub(crate) potential: Effective,
    pub(crate) known: Known,
    pub(crate) local_groups: Vec<LocalGroup>,
    /// Permissions that it holds by itself, those that wait too.
    pub(crate) held: Vec<PermissionGrant>,
}

/// The names of what leads to roles and permissions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) roles: BTreeMap<RoleId, Role>,
    pub(crate) groups: BTreeMap<i64, ProvisionedGroup>,
    pub(crate) local_groups: BTreeMap<Uuid, LocalGroup>,
}

/// The roles and permissions to give or take by hand.
#[derive(Debug, Clone, Default)]
pub(crate) struct ByHand {
    /// By their names or ids.
    pub(crate) roles: Vec<String>,
    pub(crate) permissions: Permissions,
}

/// The changes that are asked for of a manual account; whatever is `None` stays.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    pub(crate) name: Option<String>,
    pub(crate) display: Option<String>,
    pub(crate) state: Option<AccountState>,
}

/// Returns accounts in the order of their names: those who have a role, where one is named.
pub(crate) async fn list(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    shown: Shown,
    role: Option<&str>,
    page: Page<Uuid>,
) -> Result<Found> {
    let role = role.map(str::to_owned);
    look(product, actor, &LIST, organization, move |view| {
        let role = role.as_deref().map(|role| role::find(view, role)).transpose()?;
        let shown = Shown {
            role: role.map(|role| role.id).or(shown.role),
            ..shown
        };
        let members = Members::of(view.reader, view.organization)?;
        Ok(search::people(view.reader, &members, shown, &page, COUNTED)?)
    })
    .await
}

/// Returns one account, what it may do, and why.
pub(crate) async fn show(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    account: &str,
) -> Result<Detail> {
    let account = account.to_owned();
    look(product, actor, &LIST, organization, move |view| {
        let account = find(view, &account)?;
        Ok(detail(view, account)?)
    })
    .await
}

fn detail(view: &View<'_>, account: Account) -> scim::Result<Detail> {
    let (reader, organization) = (view.reader, view.organization.id);
    let potential = Members::of(reader, view.organization)?.potential(reader, &account)?;
    Ok(Detail {
        bindings: bindings::of_account(reader, organization, account.id)?,
        known: Known::of(view, &potential)?,
        local_groups: local_groups::of_account(reader, organization, account.id)?,
        held: grants::permissions_of(reader, organization, account.id)?,
        effective: match account.has_access() {
            true => potential.clone(),
            false => Effective::default(),
        },
        potential,
        account,
    })
}

impl Known {
    fn of(view: &View<'_>, effective: &Effective) -> scim::Result<Self> {
        let (reader, organization) = (view.reader, view.organization.id);
        let mut known = Self::default();
        for (id, paths) in &effective.roles {
            if let Some(role) = roles::by_id(reader, organization, *id)? {
                known.roles.insert(*id, role);
            }
            for path in paths {
                match path {
                    Path::Mapping { group } | Path::MirroredGroup { group } => {
                        let found = groups::by_row(reader, organization, *group)?;
                        known.groups.extend(found.map(|found| (*group, found)));
                    }
                    Path::LocalGroup { group } => {
                        let found = local_groups::by_id(reader, organization, *group)?;
                        known.local_groups.extend(found.map(|found| (*group, found)));
                    }
                    Path::Held(_) => {}
                }
            }
        }
        Ok(known)
    }
}

/// Makes a manual account.
pub(crate) async fn create(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    name: &str,
    display: Option<&str>,
) -> Result<Detail> {
    let id = Uuid::now_v7();
    let (name, display) = (name.to_owned(), display.map(str::to_owned));
    carry_out(product, actor, &CREATE, organization, move |act| {
        let names = act.organization.settings.username;
        let account = Account::by_hand(id, &name, display.as_deref(), names, act.now)?;
        take_name(act, &account)?;
        let entry = Entry::of_new(&account, act.organization.settings.first_login);
        accounts::insert(act.tx, act.organization.id, &account, entry)?;
        told(
            act,
            EventKind::UserCreated,
            &account,
            json!({ "managed_by": "hand" }),
        )?;
        Ok(detail(&act.view(), account)?)
    })
    .await
}

/// Changes a manual account.
pub(crate) async fn change(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    account: &str,
    changes: Changes,
) -> Result<Detail> {
    let account = account.to_owned();
    carry_out(product, actor, &CHANGE, organization, move |act| {
        let before = find_living(&act.view(), &account)?;
        demand_over(act, &before, "A change of this account")?;
        before.demand_manual()?;
        let names = act.organization.settings.username;
        let renamed = before.edited(
            changes.name.as_deref(),
            changes.display.as_deref(),
            names,
            act.now,
        )?;
        let after = match changes.state {
            Some(state) => renamed.set_by_hand(state, act.now)?,
            None => renamed,
        };
        if after == before {
            return Ok(detail(&act.view(), after)?);
        }
        let is_removed = after.state == AccountState::Removed;
        if is_removed || after.name_key() != before.name_key() {
            sign_in_names::release(act.tx, act.organization.id, &before.name, before.id)?;
        }
        if is_removed {
            grants::take_roles(act.tx, act.organization.id, Holder::Account(before.id))?;
            grants::take_permissions(act.tx, act.organization.id, before.id)?;
            waiting::settle(act.tx, act.organization.id, &after)?;
            local_groups::leave_all(act.tx, act.organization.id, before.id)?;
        } else {
            take_name(act, &after)?;
        }
        accounts::update(act.tx, act.organization.id, &before, &after)?;
        let changed = json!({ "former_name": before.name, "state": after.state });
        told(act, kind_of(&before, &after), &after, changed)?;
        Ok(detail(&act.view(), after)?)
    })
    .await
}

fn kind_of(before: &Account, after: &Account) -> EventKind {
    match (before.state, after.state) {
        (_, AccountState::Removed) => EventKind::UserRemoved,
        (AccountState::Active, AccountState::Disabled) => EventKind::UserDeactivated,
        (AccountState::Disabled, AccountState::Active) => EventKind::UserReactivated,
        _ => EventKind::UserUpdated,
    }
}

/// Locks the sign-in of an account at once, whoever manages it.
pub(crate) async fn suspend(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    account: &str,
    reason: &str,
) -> Result<Detail> {
    let (account, reason) = (account.to_owned(), reason.to_owned());
    carry_out(product, actor, &SUSPEND, organization, move |act| {
        let before = find_living(&act.view(), &account)?;
        demand_over(act, &before, "A suspension of this account")?;
        let after = before.suspend(&reason, &act.actor.name(), act.now)?;
        accounts::update(act.tx, act.organization.id, &before, &after)?;
        told(
            act,
            EventKind::PersonSuspended,
            &after,
            json!({ "suspended": true, "reason": reason }),
        )?;
        Ok(detail(&act.view(), after)?)
    })
    .await
}

/// How many accounts one transaction suspends: others who write wait for it.
const SUSPENDED: u32 = 50;

/// The result of suspending people whom the identity provider has not named.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Suspended {
    pub(crate) suspended: u64,
    /// Those who may do more than the actor, and are left alone.
    pub(crate) left: u64,
}

/// Locks the sign-in of all people whom the identity provider has not named with its newest token, in small transactions:
/// whoever is named meanwhile is left alone, and what was done before a failure stays.
pub(crate) async fn suspend_unconfirmed(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    reason: &str,
) -> Result<Suspended> {
    let mut all = Suspended::default();
    let mut behind = None;
    loop {
        let (page, reason) = (behind.clone(), reason.to_owned());
        let (next, done) = carry_out(product, actor, &SUSPEND_UNCONFIRMED, organization, move |act| {
            suspend_page(act, page.clone(), &reason)
        })
        .await?;
        all.suspended += done.suspended;
        all.left += done.left;
        match next {
            Some(next) => behind = Some(next),
            None => return Ok(all),
        }
    }
}

/// A place in the order of names: a name and an id.
type Place = (String, Uuid);

fn suspend_page(
    act: &Act<'_>,
    behind: Option<Place>,
    reason: &str,
) -> Result<(Option<Place>, Suspended), Stop> {
    let shown = Shown {
        state: Some(AccountState::Active),
        unconfirmed: true,
        ..Shown::default()
    };
    let page = Page {
        behind,
        size: SUSPENDED,
        ..Page::default()
    };
    let members = Members::of(act.tx, act.organization)?;
    let accounts = accounts::list(act.tx, &members, shown, &page)?;
    let mut done = Suspended::default();
    for before in accounts.iter().filter(|account| account.suspended.is_none()) {
        match demand_over(act, before, "A suspension of this account") {
            Ok(()) => {}
            Err(Stop::Refused(_)) => {
                done.left += 1;
                continue;
            }
            Err(failed) => return Err(failed),
        }
        let after = before.suspend(reason, &act.actor.name(), act.now)?;
        accounts::update(act.tx, act.organization.id, before, &after)?;
        let detail = json!({ "suspended": true, "reason": reason });
        told(act, EventKind::PersonSuspended, &after, detail)?;
        done.suspended += 1;
    }
    let last = accounts.last().map(|account| (account.name.clone(), account.id));
    Ok((last, done))
}

/// Lifts the lock of an account.
pub(crate) async fn resume(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    account: &str,
) -> Result<Detail> {
    let account = account.to_owned();
    carry_out(product, actor, &RESUME, organization, move |act| {
        let before = find_living(&act.view(), &account)?;
        demand_over(act, &before, "Lifting the suspension of this account")?;
        let after = before.resume(act.now)?;
        accounts::update(act.tx, act.organization.id, &before, &after)?;
        told(
            act,
            EventKind::PersonSuspended,
            &after,
            json!({ "suspended": false }),
        )?;
        Ok(detail(&act.view(), after)?)
    })
    .await
}

/// Gives roles and permissions by hand. A permission that waits has its effect again.
pub(crate) async fn grant(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    account: &str,
    given: ByHand,
) -> Result<Detail> {
    let turn = Turn {
        named: "This grant",
        verb: "given",
        role: give_role,
        permission: give_permission,
    };
    by_hand(product, actor, &GRANT, organization, account, given, turn).await
}

/// Takes roles and permissions that were given by hand.
pub(crate) async fn revoke(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    account: &str,
    taken: ByHand,
) -> Result<Detail> {
    let turn = Turn {
        named: "This revocation",
        verb: "taken",
        role: take_role,
        permission: take_permission,
    };
    by_hand(product, actor, &REVOKE, organization, account, taken, turn).await
}

/// The way in which roles and permissions are given, or taken. Each of the two functions says whether it has changed
/// anything.
#[derive(Clone, Copy)]
struct Turn {
    /// The deed, as a refusal names it.
    named: &'static str,
    /// The word under which an event lists what has changed.
    verb: &'static str,
    role: fn(&Act<'_>, &Account, &Role) -> Result<bool, Stop>,
    permission: fn(&Act<'_>, &Account, &Permission) -> Result<bool, Stop>,
}

async fn by_hand(
    product: &Product,
    actor: &Actor,
    action: &'static Action,
    organization: &Name,
    account: &str,
    asked: ByHand,
    turn: Turn,
) -> Result<Detail> {
    let account = account.to_owned();
    carry_out(product, actor, action, organization, move |act| {
        let holder = find_living(&act.view(), &account)?;
        let resolved = Resolved::of(&act.view(), &holder, &asked)?;
        Needs::of(resolved.permissions()).demand(act.actor, turn.named)?;
        let mut changed = Vec::new();
        for role in &resolved.roles {
            if (turn.role)(act, &holder, role)? {
                changed.push(role.name.clone());
            }
        }
        for permission in resolved.own.iter() {
            if (turn.permission)(act, &holder, permission)? {
                changed.push(permission.to_string());
            }
        }
        waiting::settle(act.tx, act.organization.id, &holder)?;
        told_of_roles(act, &holder, turn.verb, &changed)?;
        Ok(detail(&act.view(), holder)?)
    })
    .await
}

fn give_role(act: &Act<'_>, holder: &Account, role: &Role) -> Result<bool, Stop> {
    demand_role_to_give(role)?;
    let grant = RoleGrant {
        holder: Holder::Account(holder.id),
        role: role.id,
        origin: Origin::Hand,
        created: act.now,
        by: act.actor.name(),
    };
    Ok(grants::give_role(act.tx, act.organization.id, &grant)?)
}

fn give_permission(act: &Act<'_>, holder: &Account, permission: &Permission) -> Result<bool, Stop> {
    let grant = PermissionGrant {
        account: holder.id,
        permission: permission.clone(),
        origin: Origin::Hand,
        waiting: false,
        created: act.now,
        by: act.actor.name(),
    };
    Ok(grants::give_permission(act.tx, act.organization.id, &grant)?)
}

fn take_role(act: &Act<'_>, holder: &Account, role: &Role) -> Result<bool, Stop> {
    let of = Holder::Account(holder.id);
    Ok(grants::take_role(
        act.tx,
        act.organization.id,
        of,
        role.id,
        Origin::Hand,
    )?)
}

fn take_permission(act: &Act<'_>, holder: &Account, permission: &Permission) -> Result<bool, Stop> {
    let organization = act.organization.id;
    Ok(grants::take_permission(
        act.tx,
        organization,
        holder.id,
        permission,
        Origin::Hand,
    )?)
}

/// The roles and permissions that are given or taken by hand, looked up.
struct Resolved {
    roles: Vec<Role>,
    own: Permissions,
}

impl Resolved {
    fn of(view: &View<'_>, holder: &Account, by_hand: &ByHand) -> Result<Self, Stop> {
        if !by_hand.roles.is_empty() {
            demand_roles_by_hand(holder)?;
        }
        let roles = by_hand.roles.iter().map(|text| role::find(view, text));
        Ok(Self {
            roles: roles.collect::<Result<_, _>>()?,
            own: by_hand.permissions.clone(),
        })
    }

    /// Returns everything that can be had by it.
    fn permissions(&self) -> Permissions {
        let own = self.own.clone();
        self.roles
            .iter()
            .fold(own, |all, role| all.union(&role.permissions))
    }
}

/// Checks that the actor has whatever the account can have: nobody decides over somebody who may do more.
pub(super) fn demand_over(act: &Act<'_>, account: &Account, what: &str) -> Result<(), Stop> {
    if act.actor.is_of_instance() {
        return Ok(());
    }
    let can_have = Members::of(act.tx, act.organization)?.potential(act.tx, account)?;
    Needs::of(can_have.permitted()).demand(act.actor, what)?;
    Ok(())
}

/// Finds an account by its id, its name, or its id over SCIM.
pub(super) fn find(view: &View<'_>, text: &str) -> Result<Account, Stop> {
    let (reader, organization) = (view.reader, view.organization.id);
    let by_id = match Uuid::parse_str(text) {
        Ok(id) => accounts::by_id(reader, organization, id)?,
        Err(_) => None,
    };
    let found = match by_id {
        Some(account) => Some(account),
        None => match accounts::by_name(reader, organization, text)? {
            Some(account) => Some(account),
            None => accounts::by_scim_id(reader, organization, text)?,
        },
    };
    Ok(found.ok_or_else(|| {
        Fault::not_found(format!("The organization has no account {text:?}")).mended_by(Remedy {
            page: "the page Users lists those that it has.",
            command: "\"user list\" shows which it has.",
        })
    })?)
}

/// Finds an account that is not removed.
pub(super) fn find_living(view: &View<'_>, text: &str) -> Result<Account, Stop> {
    let account = find(view, text)?;
    if account.state != AccountState::Removed {
        return Ok(account);
    }
    Err(Fault::conflict(format!("The account {:?} is removed.", account.name)).into())
}

/// Gives an account its name, unless somebody has it, over SCIM too.
fn take_name(act: &Act<'_>, account: &Account) -> Result<(), Stop> {
    if sign_in_names::take(act.tx, act.organization.id, &account.name, account.id)? {
        return Ok(());
    }
    Err(Fault::conflict(format!(
        "The name {:?} is taken in this organization: every person has one of their own, whoever manages them.",
        account.name
    ))
    .into())
}

fn told(act: &Act<'_>, kind: EventKind, account: &Account, detail: Value) -> scim::Result<()> {
    let id = account.id.to_string();
    let subject = subject(&id, account);
    let mut data = json!({ "name": account.name });
    if let (Some(data), Some(more)) = (data.as_object_mut(), detail.as_object()) {
        data.extend(more.clone());
    }
    act.audit(&subject, detail)?;
    act.tell(event_row(kind, &subject, 1, data))
}

fn told_of_roles(act: &Act<'_>, account: &Account, verb: &str, changed: &[String]) -> scim::Result<()> {
    match changed.is_empty() {
        true => Ok(()),
        false => told(
            act,
            EventKind::PersonRolesChanged,
            account,
            json!({ verb: changed }),
        ),
    }
}

pub(super) fn subject<'s>(id: &'s str, account: &'s Account) -> Subject<'s> {
    Subject {
        kind: "account",
        id: id.into(),
        name: &account.name,
    }
}
