//! Writing who has access to what: see [`AccessLine`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use scim::Result;
use scim::store::database::{Reader, Sender};
use uuid::Uuid;

use crate::database::accounts;
use crate::database::groups;
use crate::database::page::Page;
use crate::database::{bindings, grants, local_groups, mappings, roles};
use crate::domain::access_line::{
    AccessLine, AccountLine, BindingLine, LocalMembersLine, MappingLine, MirroredRoleLine,
};
use crate::domain::grant::Holder;

/// Bytes of a chunk, unless one line is larger.
const CHUNK: usize = 64 << 10;
/// Rows that are read at once.
const PAGE: u32 = 500;
/// The most accounts in one line.
const MEMBERS_IN_A_LINE: u32 = 1_000;

/// Gathers lines into chunks.
pub(super) struct AccessLines<'s, 'r> {
    reader: &'r Reader<'r>,
    sender: &'s mut Sender,
    organization: Uuid,
    count: Arc<AtomicU64>,
    chunk: Vec<u8>,
}

impl<'s, 'r> AccessLines<'s, 'r> {
    /// Counts the lines in `count`.
    pub(super) fn new(
        reader: &'r Reader<'r>,
        sender: &'s mut Sender,
        organization: Uuid,
        count: Arc<AtomicU64>,
    ) -> Self {
        Self {
            reader,
            sender,
            organization,
            count,
            chunk: Vec::new(),
        }
    }

    /// Writes all accounts. They come before the people that they are.
    pub(super) fn accounts(mut self) -> Result<()> {
        let mut last = Uuid::nil();
        loop {
            let page = accounts::behind(self.reader, self.organization, last, PAGE)?;
            let Some(end) = page.last() else { break };
            last = end.id;
            for account in page {
                let people = self.people(account.id)?;
                self.push(&AccessLine::Account(AccountLine::of(account, people)))?;
            }
        }
        self.flush()
    }

    fn people(&self, account: Uuid) -> Result<Vec<BindingLine>> {
        let bound = bindings::of_account(self.reader, self.organization, account)?;
        let mut people = bound
            .into_iter()
            .map(|binding| {
                Ok(BindingLine {
                    since: binding.since()?,
                    until: binding.until()?,
                    id: binding.scim_id,
                    external_id: binding.external_id,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        people.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
        Ok(people)
    }

    /// Writes everything else, behind the groups that it is about.
    pub(super) fn rights(mut self) -> Result<()> {
        for role in roles::list(self.reader, self.organization)? {
            self.push(&AccessLine::Role(role.into()))?;
        }
        self.mirrored_roles()?;
        self.local_groups()?;
        self.mappings()?;
        self.role_grants()?;
        self.permission_grants()?;
        self.flush()
    }

    fn mirrored_roles(&mut self) -> Result<()> {
        let mut page = Page {
            size: PAGE,
            ..Page::default()
        };
        loop {
            let groups = groups::list(self.reader, self.organization, &page)?;
            let Some(end) = groups.last() else { break };
            page.behind = Some((end.name.clone(), end.row));
            for group in groups {
                let role = roles::mirroring(self.reader, self.organization, group.row)?;
                let told = role.filter(|role| !role.permissions.is_empty() || !role.description.is_empty());
                let Some(role) = told else { continue };
                self.push(&AccessLine::MirroredRole(MirroredRoleLine {
                    group: group.id,
                    description: role.description,
                    permissions: role.permissions,
                }))?;
            }
        }
        Ok(())
    }

    fn local_groups(&mut self) -> Result<()> {
        for group in local_groups::list(self.reader, self.organization)? {
            let id = group.id;
            self.push(&AccessLine::LocalGroup(group.into()))?;
            let mut last = None;
            loop {
                let add = local_groups::members(self.reader, self.organization, id, last, MEMBERS_IN_A_LINE)?;
                last = add.last().copied();
                if last.is_none() {
                    break;
                }
                self.push(&AccessLine::LocalMembers(LocalMembersLine { group: id, add }))?;
            }
        }
        Ok(())
    }

    fn mappings(&mut self) -> Result<()> {
        let mut last = None;
        loop {
            let page = mappings::behind(self.reader, self.organization, last.as_ref(), PAGE)?;
            if page.is_empty() {
                return Ok(());
            }
            for mapping in &page {
                let group = groups::by_row(self.reader, self.organization, mapping.group)?;
                let Some(group) = group else { continue };
                self.push(&AccessLine::Mapping(MappingLine {
                    group: group.id,
                    role: mapping.role,
                    created: mapping.created,
                    by: mapping.by.clone(),
                }))?;
            }
            last = page.into_iter().next_back();
        }
    }

    fn role_grants(&mut self) -> Result<()> {
        let mut last = Uuid::nil();
        loop {
            let holders = grants::role_holders(self.reader, self.organization, last, PAGE)?;
            let Some(end) = holders.last() else { return Ok(()) };
            last = *end;
            for id in holders {
                let local_group = local_groups::by_id(self.reader, self.organization, id)?;
                let holder = local_group.map_or(Holder::Account(id), |group| Holder::LocalGroup(group.id));
                for grant in grants::roles_of(self.reader, self.organization, holder)? {
                    self.push(&AccessLine::RoleGrant(grant.into()))?;
                }
            }
        }
    }

    fn permission_grants(&mut self) -> Result<()> {
        let mut last = Uuid::nil();
        loop {
            let holders = grants::permission_holders(self.reader, self.organization, last, PAGE)?;
            let Some(end) = holders.last() else { return Ok(()) };
            last = *end;
            for id in holders {
                for grant in grants::permissions_of(self.reader, self.organization, id)? {
                    self.push(&AccessLine::PermissionGrant(grant.into()))?;
                }
            }
        }
    }

    fn push(&mut self, line: &AccessLine) -> Result<()> {
        serde_json::to_writer(&mut self.chunk, line).map_err(scim::Error::internal)?;
        self.chunk.push(b'\n');
        self.count.fetch_add(1, Ordering::Relaxed);
        match self.chunk.len() < CHUNK {
            true => Ok(()),
            false => self.flush(),
        }
    }

    fn flush(&mut self) -> Result<()> {
        self.sender.renew();
        self.sender.send(std::mem::take(&mut self.chunk))
    }
}
