//! Whether everything that the product keeps is as it must be.

mod followed;
mod logs;
mod own_tables;
mod under_way;

use std::collections::{HashMap, HashSet};

use scim::Result;
use scim::resources::Group;
use scim::store::database::Reader;
use scim::store::documents::{Finding, Inspected, Inspector};
use uuid::Uuid;

use super::keys::Keys;
use super::{Product, failed, organizations, sealed_columns, search_keys};
use crate::domain;
use crate::domain::counted::counted;
use crate::domain::user::User;

/// Findings that are kept; the others are counted.
const KEPT: usize = 1_000;

/// Resources between two signs of progress.
const STRIDE: u64 = 500;

/// The things that were looked at, and what was found.
#[derive(Debug, Default)]
pub(crate) struct Inspection {
    pub(crate) organizations: u64,
    pub(crate) people: u64,
    pub(crate) groups: u64,
    pub(crate) memberships: u64,
    /// Rows of the history.
    pub(crate) requests: u64,
    pub(crate) finding_count: u64,
    /// The first findings.
    pub(crate) findings: Vec<String>,
    /// Work of many transactions that is not done yet: how much of each kind, in words.
    pub(crate) under_way: Vec<String>,
}

impl Inspection {
    fn find(&mut self, finding: String) {
        self.finding_count += 1;
        if self.findings.len() < KEPT {
            self.findings.push(finding);
        }
    }
}

/// The statements that look for rows which must not be there.
#[cfg(test)]
pub(super) fn statements() -> impl Iterator<Item = &'static str> {
    let rules = own_tables::RULES.iter().chain(logs::WRONG);
    rules
        .map(|(sql, _)| *sql)
        .chain(under_way::KINDS.iter().map(|(sql, ..)| *sql))
}

impl Product {
    /// Looks at everything, under one snapshot; `progress` is told how many people and groups were looked at.
    pub(crate) async fn inspect(
        &self,
        progress: impl FnMut(u64) + Send + 'static,
    ) -> domain::fault::Result<Inspection> {
        let store = self.documents::<String>().build().map_err(failed)?;
        let keys = self.keys().clone();
        self.database
            .walk(move |reader| {
                let mut inspector = Follower {
                    reader,
                    keys,
                    tenants: Tenants::read(reader)?,
                    inspection: Inspection::default(),
                    living_people: 0,
                    living_groups: 0,
                    progress,
                };
                let checked = store.check(reader, &mut inspector)?;
                inspector.inspection.memberships = checked.edges;
                // Of a damaged file nothing more can be said.
                if checked.resources > 0 || inspector.inspection.finding_count == 0 {
                    inspector.own_tables()?;
                }
                Ok(inspector.inspection)
            })
            .await
            .map_err(failed)
    }

    /// Returns how many people and groups there are, roughly.
    pub(crate) async fn size(&self) -> domain::fault::Result<u64> {
        let organizations = self.read(organizations::names).await?;
        let ids: Vec<_> = organizations.into_iter().map(|(id, _)| id).collect();
        self.size_of(&ids).await
    }

    /// Returns how many people and groups these organizations have.
    pub(crate) async fn size_of(&self, organizations: &[Uuid]) -> domain::fault::Result<u64> {
        let mut size = 0;
        for organization in organizations {
            let (people, groups) = self.counts(&organization.to_string()).await?;
            size += people + groups;
        }
        Ok(size)
    }

    /// Returns how many people and how many groups a tenant has.
    pub(crate) async fn counts(&self, tenant: &str) -> domain::fault::Result<(u64, u64)> {
        let store = self.store()?;
        let people = store.count::<User>(tenant).await.map_err(failed)?;
        let groups = store.count::<Group>(tenant).await.map_err(failed)?;
        Ok((people, groups))
    }
}

/// The organizations, by the names under which the store knows them.
struct Tenants {
    /// And what people call them.
    living: HashMap<String, (Uuid, String)>,
    /// Deleted, and not yet emptied.
    ending: HashSet<String>,
}

impl Tenants {
    fn read(reader: &Reader<'_>) -> Result<Self> {
        let living = organizations::names(reader)?;
        let ending = organizations::to_purge(reader)?;
        Ok(Self {
            living: living.into_iter().map(|row| (row.0.to_string(), row)).collect(),
            ending: ending.iter().map(Uuid::to_string).collect(),
        })
    }
}

/// Follows the check of the store, and adds what the product keeps beside it.
struct Follower<'r, P> {
    reader: &'r Reader<'r>,
    keys: Keys,
    tenants: Tenants,
    inspection: Inspection,
    /// Those of organizations that exist.
    living_people: u64,
    living_groups: u64,
    progress: P,
}

impl<P: FnMut(u64)> Inspector for Follower<'_, P> {
    fn resource(&mut self, resource: &Inspected<'_>) -> Result<()> {
        let count = match resource.is_of::<Group>() {
            true => &mut self.inspection.groups,
            false => &mut self.inspection.people,
        };
        *count += 1;
        let done = self.inspection.people + self.inspection.groups;
        if done.is_multiple_of(STRIDE) {
            (self.progress)(done);
        }
        if self.tenants.ending.contains(resource.tenant) {
            return Ok(());
        }
        match self.tenants.living.get(resource.tenant) {
            Some((organization, _)) => {
                let organization = *organization;
                match resource.is_of::<Group>() {
                    true => self.living_groups += 1,
                    false => self.living_people += 1,
                }
                self.followed(organization, resource)
            }
            None => {
                let name = resource.resource_type.name;
                let finding = Finding::new("it belongs to an organization that does not exist");
                self.finding(finding.of_tenant(resource.tenant).about(name, resource.id));
                Ok(())
            }
        }
    }

    fn finding(&mut self, mut finding: Finding) {
        // An organization is known by its name, not by its id.
        if let Some((_, name)) = finding
            .tenant
            .as_ref()
            .and_then(|tenant| self.tenants.living.get(tenant))
        {
            finding.tenant = Some(name.clone());
        }
        self.inspection.find(finding.to_string());
    }
}

impl<P: FnMut(u64)> Follower<'_, P> {
    /// Compares the rows that the product keeps beside a person or group with the resource.
    fn followed(&mut self, organization: Uuid, resource: &Inspected<'_>) -> Result<()> {
        let wrong = match (resource.state::<User>(), resource.state::<Group>()) {
            (Some(user), _) => followed::person(self.reader, organization, user, resource)?,
            (_, Some(group)) => followed::group(self.reader, organization, group, resource)?,
            _ => None,
        };
        if let Some(wrong) = wrong {
            let finding = Finding::new(wrong).of_tenant(resource.tenant);
            self.finding(finding.about(resource.resource_type.name, resource.id));
        }
        Ok(())
    }

    /// Checks the product's own tables, as far as SQLite does not see to them itself.
    fn own_tables(&mut self) -> Result<()> {
        self.inspection.organizations = u64::try_from(self.tenants.living.len()).unwrap_or(0);
        for (id, name) in self.tenants.living.values() {
            if let Err(error) = organizations::by_id(self.reader, *id) {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                self.inspection.find(format!(
                    "{name}: its settings cannot be read: {}",
                    cause.unwrap_or_default()
                ));
            }
        }
        for finding in logs::findings(self.reader)? {
            self.inspection.find(finding);
        }
        self.inspection.requests = self.count("SELECT count(*) FROM request")?;
        for (sql, one, many) in under_way::KINDS {
            let count = self.count(sql)?;
            if count > 0 {
                self.inspection.under_way.push(counted(count, one, many));
            }
        }
        for (sql, what) in own_tables::RULES {
            let count = self.count(sql)?;
            if count > 0 {
                self.inspection.find(format!("{count} {what}"));
            }
        }
        let lost = search_keys::count_wrong(self.reader)?;
        if lost > 0 {
            self.inspection.find(format!(
                "{lost} accounts are not found by what their people are called"
            ));
        }
        for (column, count) in sealed_columns::broken(self.reader, &self.keys)? {
            let finding = format!(
                "{count} sealed values of {}.{} do not open",
                column.table, column.name
            );
            self.inspection.find(finding);
        }
        let sql = "SELECT count(*) FROM mail WHERE org <> ?1 AND org NOT IN (SELECT id FROM organization)";
        let astray = super::count(self.reader, sql, &[Uuid::nil().as_bytes().into()])?;
        if astray > 0 {
            self.inspection
                .find(format!("{astray} mails belong to no organization"));
        }
        let ending = "(SELECT id FROM organization WHERE deleted IS NOT NULL AND purged IS NULL)";
        for (sql, seen, what) in [
            (
                format!("SELECT count(*) FROM account WHERE row IS NOT NULL AND org NOT IN {ending}"),
                self.living_people,
                "accounts are those of no person",
            ),
            (
                format!("SELECT count(*) FROM provisioned_group WHERE org NOT IN {ending}"),
                self.living_groups,
                "groups that can be mapped do not exist",
            ),
        ] {
            let kept = self.count(&sql)?;
            if kept > seen {
                let left = kept - seen;
                self.inspection.find(format!("{left} {what}"));
            }
        }
        Ok(())
    }

    fn count(&self, sql: &str) -> Result<u64> {
        super::count(self.reader, sql, &[])
    }
}
