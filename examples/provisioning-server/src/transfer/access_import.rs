//! Taking in who has access to what, under the rules of the organization: nothing is granted that the file does not say,
//! and nothing is taken over that was here under the same id or name and is something else.

use http::StatusCode;
use jiff::Timestamp;
use scim::store::database::Transaction;
use scim::{Error, Result};
use serde_json::json;
use uuid::Uuid;

use crate::database::bindings::Binding;
use crate::database::{
    accounts, bindings, event, grants, groups, imports, local_groups, mappings, roles, sign_in_names, waiting,
};
use crate::domain::access_line::{
    AccessLine, AccountLine, LocalGroupLine, LocalMembersLine, MappingLine, MirroredRoleLine,
    PermissionGrantLine, RoleGrantLine, RoleLine,
};
use crate::domain::account::{Account, AccountState, ManagedBy};
use crate::domain::entry::Entry;
use crate::domain::event::{EventKind, EventRow};
use crate::domain::fault::{Fault, Kind};
use crate::domain::grant::{Holder, Origin, PermissionGrant, RoleGrant, demand_roles_by_hand};
use crate::domain::group::ProvisionedGroup;
use crate::domain::local_group::LocalGroup;
use crate::domain::mapping::demand_role_to_give;
use crate::domain::naming;
use crate::domain::organization::Organization;
use crate::domain::permission::Permissions;
use crate::domain::role::{self, Draft, Role, RoleId};

/// Applies lines inside a transaction.
pub(super) struct Access<'t> {
    pub(super) tx: &'t Transaction<'t>,
    pub(super) organization: &'t Organization,
    /// Whether no other organization can have what the file has under the same ids.
    pub(super) keeps_ids: bool,
    pub(super) now: Timestamp,
}

impl Access<'_> {
    /// Writes what a line says. Answers with whether anything is new by that. If it fails, it has changed nothing.
    pub(super) fn apply(&self, line: &AccessLine) -> Result<bool> {
        self.tx.nested(|_| match line {
            AccessLine::Account(line) => self.account(line),
            AccessLine::Role(line) => self.role(line),
            AccessLine::MirroredRole(line) => self.mirrored_role(line),
            AccessLine::LocalGroup(line) => self.local_group(line),
            AccessLine::LocalMembers(line) => self.local_members(line),
            AccessLine::Mapping(line) => self.mapping(line),
            AccessLine::RoleGrant(line) => self.role_grant(line),
            AccessLine::PermissionGrant(line) => self.permission_grant(line),
        })
    }

    fn id(&self) -> Uuid {
        self.organization.id
    }

    /// Returns the id here of something that has another one in the file.
    fn id_of(&self, of_file: Uuid) -> Result<Uuid> {
        imports::id(self.tx, self.id(), of_file)
    }

    /// Says which id here stands for one of the file.
    fn note(&self, of_file: Uuid, here: Uuid) -> Result<()> {
        match of_file == here {
            true => Ok(()),
            false => imports::put_id(self.tx, self.id(), of_file, here),
        }
    }

    /// Returns the id for something new: that of the file, unless it is elsewhere or used here.
    fn new_id(&self, of_file: Uuid, is_used: bool) -> Result<Uuid> {
        let id = match self.keeps_ids && !is_used {
            true => of_file,
            false => Uuid::now_v7(),
        };
        self.note(of_file, id)?;
        Ok(id)
    }

    fn account(&self, line: &AccountLine) -> Result<bool> {
        if let Some(here) = accounts::by_id(self.tx, self.id(), self.id_of(line.id)?)? {
            return self.known_account(line, &here);
        }
        for person in &line.people {
            if let Some(here) = accounts::by_scim_id(self.tx, self.id(), &person.id)? {
                self.note(line.id, here.id)?;
                return self.known_account(line, &here);
            }
        }
        let account = self.checked_account(line)?;
        let entry = Entry::of_carried_over(&account, self.organization.settings.first_login);
        accounts::insert(self.tx, self.id(), &account, entry)?;
        // An insertion knows of no suspension.
        accounts::update(self.tx, self.id(), &account, &account)?;
        if account.managed_by == ManagedBy::Hand && account.state != AccountState::Removed {
            if !sign_in_names::take(self.tx, self.id(), &account.name, account.id)? {
                return Err(conflict(format!(
                    "The name {:?} is taken in this organization by another account.",
                    account.name
                )));
            }
            self.tell(
                EventKind::UserCreated,
                "account",
                account.id.to_string(),
                1,
                json!({ "name": account.name, "managed_by": "hand" }),
            )?;
        }
        self.bind(line, account.id)?;
        Ok(true)
    }

    /// Makes the account of a line under the rules for accounts of its kind.
    fn checked_account(&self, line: &AccountLine) -> Result<Account> {
        let account = line.account(self.new_id(line.id, false)?);
        if account.managed_by == ManagedBy::Scim {
            if line.people.is_empty() {
                return Err(Error::invalid_syntax(
                    "An account that is managed by SCIM must name a person that it is or was.",
                ));
            }
            return Ok(account);
        }
        let names = self.organization.settings.username;
        let display = Some(account.display.as_str());
        let made = match account.state {
            AccountState::Removed => return Ok(account),
            _ => Account::by_hand(account.id, &account.name, display, names, account.created),
        };
        let made = made.map_err(refused)?;
        Ok(Account {
            name: made.name,
            display: made.display,
            address: made.address,
            ..account
        })
    }

    fn bind(&self, line: &AccountLine, account: Uuid) -> Result<()> {
        let source = self.organization.source.as_ref();
        let source = source.map_or(self.id(), |source| source.id);
        for person in &line.people {
            let since = person.since.as_microsecond();
            let binding = Binding {
                scim_id: person.id.clone(),
                external_id: person.external_id.clone(),
                since,
                // Bound again as soon as the person comes.
                until: Some(person.until.map_or(since, Timestamp::as_microsecond)),
            };
            bindings::restore(self.tx, self.id(), source, account, &binding)?;
        }
        Ok(())
    }

    /// Checks that an account that is here already is the same. A suspension is never lifted by a file.
    fn known_account(&self, line: &AccountLine, here: &Account) -> Result<bool> {
        let is_bound = line.is_there_over_scim();
        let is_same = here.managed_by == line.managed_by
            && (is_bound || (here.name == line.name && here.state == line.state));
        if !is_same {
            return Err(conflict(format!(
                "The account {:?} is here already, in another state.",
                here.name
            )));
        }
        match (&line.suspended, &here.suspended) {
            (Some(lock), None) => {
                let after = Account {
                    suspended: Some(lock.clone().suspension()),
                    changed: self.now,
                    ..here.clone()
                };
                accounts::update(self.tx, self.id(), here, &after)?;
                self.tell(
                    EventKind::PersonSuspended,
                    "account",
                    here.id.to_string(),
                    1,
                    json!({ "name": here.name, "suspended": true }),
                )?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn role(&self, line: &RoleLine) -> Result<bool> {
        let draft = Draft {
            name: role::name(&line.name).map_err(refused)?,
            description: role::description(&line.description).map_err(refused)?,
            permissions: line.permissions.clone(),
        };
        let by_id = roles::by_id(self.tx, self.id(), RoleId(self.id_of(line.id.0)?))?;
        let by_name = roles::by_name(self.tx, self.id(), &draft.name)?;
        if let Some(here) = &by_name {
            if !line.permissions.covers(&here.permissions) {
                let more = line.permissions.lacking(&here.permissions);
                return Err(conflict(format!(
                    "The role {:?} is here already and permits more than that of the file: {more}. Rename one of them, \
                     or make them equal.",
                    here.name
                )));
            }
            self.note(line.id.0, here.id.0)?;
            return Ok(false);
        }
        if let Some(here) = by_id
            .as_ref()
            .filter(|here| here.id.0 != line.id.0 || self.keeps_ids)
        {
            return Err(conflict(format!(
                "The role {:?} of the file is here already under another name, {:?}.",
                draft.name, here.name
            )));
        }
        let id = RoleId(self.new_id(line.id.0, by_id.is_some())?);
        let role = Role {
            changed: line.changed,
            ..Role::new(id, draft, line.created)
        };
        roles::insert(self.tx, self.id(), &role)?;
        self.tell(
            EventKind::RoleCreated,
            "role",
            id.to_string(),
            0,
            json!({ "name": role.name }),
        )?;
        Ok(true)
    }

    fn mirrored_role(&self, line: &MirroredRoleLine) -> Result<bool> {
        let group = self.group(&line.group)?;
        let role = roles::mirroring(self.tx, self.id(), group.row)?;
        let mut role = role.ok_or_else(|| Error::internal("a group has no role that mirrors it"))?;
        if role.permissions == line.permissions {
            return Ok(false);
        }
        if role.permissions != Permissions::NONE {
            return Err(conflict(format!(
                "The role that mirrors the group {:?} permits something else here.",
                group.name
            )));
        }
        role.description = role::description(&line.description).map_err(refused)?;
        role.permissions.clone_from(&line.permissions);
        role.changed = self.now;
        roles::update(self.tx, self.id(), &role)?;
        self.tell(
            EventKind::RoleChanged,
            "role",
            role.id.to_string(),
            0,
            json!({ "name": role.name }),
        )?;
        Ok(true)
    }

    fn local_group(&self, line: &LocalGroupLine) -> Result<bool> {
        let name = naming::name("a local group", &line.name).map_err(refused)?;
        let by_id = local_groups::by_id(self.tx, self.id(), self.id_of(line.id)?)?;
        if by_id.as_ref().is_some_and(|here| here.name == name) {
            return Ok(false);
        }
        // Whoever is in a group of the same name would have what the file gives to others.
        if by_id.is_some() || local_groups::by_name(self.tx, self.id(), &name)?.is_some() {
            return Err(conflict(format!(
                "There is a local group {name:?} already, or one of the same id has another name: rename one of them."
            )));
        }
        let group = LocalGroup {
            id: self.new_id(line.id, false)?,
            name,
            description: naming::description("a group", &line.description).map_err(refused)?,
            created: line.created,
        };
        local_groups::insert(self.tx, self.id(), &group)?;
        self.tell_of_local_group(&group)?;
        Ok(true)
    }

    fn local_members(&self, line: &LocalMembersLine) -> Result<bool> {
        let group = self.local_group_of(line.group)?;
        let mut joined = false;
        for id in &line.add {
            let account = self.account_of(*id)?;
            joined |= local_groups::join(self.tx, self.id(), group.id, account.id, self.now)?;
        }
        if joined {
            self.tell_of_local_group(&group)?;
        }
        Ok(joined)
    }

    fn mapping(&self, line: &MappingLine) -> Result<bool> {
        let group = self.group(&line.group)?;
        let role = self.role_of(line.role)?;
        if mappings::roles_of(self.tx, self.id(), group.row)?.contains(&role.id.0) {
            return Ok(false);
        }
        let mapping = mappings::Mapping {
            group: group.row,
            role: role.id,
            created: line.created,
            by: line.by.clone(),
        };
        mappings::insert(self.tx, self.id(), &mapping)?;
        self.tell(
            EventKind::MappingChanged,
            "group",
            group.id,
            0,
            json!({ "name": group.name, "added": [role.name] }),
        )?;
        Ok(true)
    }

    fn role_grant(&self, line: &RoleGrantLine) -> Result<bool> {
        demand_kept(line.origin)?;
        let role = self.role_of(line.role)?;
        let holder = match line.holder {
            Holder::Account(id) => {
                let account = self.account_of(id)?;
                demand_roles_by_hand(&account).map_err(refused)?;
                Holder::Account(account.id)
            }
            Holder::LocalGroup(id) => Holder::LocalGroup(self.local_group_of(id)?.id),
        };
        let grant = RoleGrant {
            holder,
            role: role.id,
            origin: line.origin,
            created: line.created,
            by: line.by.clone(),
        };
        let is_new = grants::give_role(self.tx, self.id(), &grant)?;
        if is_new {
            self.tell_of_grant(holder, &role.name)?;
        }
        Ok(is_new)
    }

    fn permission_grant(&self, line: &PermissionGrantLine) -> Result<bool> {
        demand_kept(line.origin)?;
        let account = self.account_of(line.account)?;
        let held = grants::permissions_of(self.tx, self.id(), account.id)?;
        let is_same =
            |grant: &&PermissionGrant| (&grant.permission, grant.origin) == (&line.permission, line.origin);
        // One that waits here goes on waiting.
        if held.iter().find(is_same).is_some() {
            return Ok(false);
        }
        let grant = PermissionGrant {
            account: account.id,
            permission: line.permission.clone(),
            origin: line.origin,
            waiting: line.waiting,
            created: line.created,
            by: line.by.clone(),
        };
        grants::give_permission(self.tx, self.id(), &grant)?;
        if grant.waiting {
            let held = grants::permissions_of(self.tx, self.id(), account.id)?;
            let waiting = held.iter().filter(|grant| grant.waiting).count();
            let waiting = u64::try_from(waiting).unwrap_or(u64::MAX);
            waiting::tell(self.tx, self.id(), &account, waiting, self.now, None)?;
        }
        self.tell_of_grant(Holder::Account(account.id), &line.permission.to_string())?;
        Ok(true)
    }

    fn group(&self, id: &str) -> Result<ProvisionedGroup> {
        let found = groups::by_id(self.tx, self.id(), id)?;
        found.ok_or_else(|| missing("group", id))
    }

    fn role_of(&self, of_file: RoleId) -> Result<Role> {
        let id = RoleId(self.id_of(of_file.0)?);
        let role = roles::by_id(self.tx, self.id(), id)?.ok_or_else(|| missing("role", of_file))?;
        demand_role_to_give(&role).map_err(refused)?;
        Ok(role)
    }

    fn local_group_of(&self, of_file: Uuid) -> Result<LocalGroup> {
        let found = local_groups::by_id(self.tx, self.id(), self.id_of(of_file)?)?;
        found.ok_or_else(|| missing("local group", of_file))
    }

    /// Returns an account that is not removed.
    fn account_of(&self, of_file: Uuid) -> Result<Account> {
        let found = accounts::by_id(self.tx, self.id(), self.id_of(of_file)?)?;
        found
            .filter(|account| account.state != AccountState::Removed)
            .ok_or_else(|| missing("account", of_file))
    }

    fn tell_of_local_group(&self, group: &LocalGroup) -> Result<()> {
        self.tell(
            EventKind::LocalGroupChanged,
            "local-group",
            group.id.to_string(),
            0,
            json!({ "name": group.name }),
        )
    }

    fn tell_of_grant(&self, holder: Holder, given: &str) -> Result<()> {
        let (kind, subject, people) = match holder {
            Holder::Account(_) => (EventKind::PersonRolesChanged, "account", 1),
            Holder::LocalGroup(_) => (EventKind::LocalGroupChanged, "local-group", 0),
        };
        self.tell(
            kind,
            subject,
            holder.id().to_string(),
            people,
            json!({ "given": [given] }),
        )
    }

    fn tell(
        &self,
        kind: EventKind,
        subject_type: &'static str,
        subject: String,
        people: u64,
        data: serde_json::Value,
    ) -> Result<()> {
        let row = EventRow {
            kind,
            subject_type: subject_type.into(),
            subject,
            people,
            data,
        };
        event::insert(self.tx, self.id(), self.now, [row])
    }
}

/// Checks that only what was given by hand is in a file; what follows from groups comes with the groups.
fn demand_kept(origin: Origin) -> Result<()> {
    match origin.is_kept() {
        true => Ok(()),
        false => Err(Error::invalid_syntax(
            "Only grants by hand and those of owners stand in a file: the others follow from groups.",
        )),
    }
}

fn missing(thing: &str, id: impl std::fmt::Display) -> Error {
    Error::invalid_syntax(format!(
        "The line names the {thing} {id}, but there is none, or it is removed."
    ))
}

fn conflict(sentence: String) -> Error {
    Error::new(StatusCode::CONFLICT, sentence)
}

/// Returns a rule of the domain as the import tells of it.
#[allow(clippy::needless_pass_by_value, reason = "it stands behind map_err")]
fn refused(fault: Fault) -> Error {
    let status = match fault.kind() {
        Kind::Conflict => StatusCode::CONFLICT,
        _ => StatusCode::BAD_REQUEST,
    };
    Error::new(status, fault.to_string())
}
