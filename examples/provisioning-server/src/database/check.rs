//! Whether everything that the product keeps is as it must be.

use std::collections::{HashMap, HashSet};

use scim::Result;
use scim::resources::Group;
use scim::store::database::Reader;
use scim::store::documents::{Finding, Inspected, Inspector};
use uuid::Uuid;

use super::{Product, failed, group_names, organizations};
use crate::domain;
use crate::domain::user::User;

/// Findings that are kept; the others are counted.
const KEPT: usize = 1_000;

/// Resources between two signs of progress.
const STRIDE: u64 = 500;

/// What was looked at, and what was found.
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
}

impl Inspection {
    fn find(&mut self, finding: String) {
        self.finding_count += 1;
        if self.findings.len() < KEPT {
            self.findings.push(finding);
        }
    }
}

impl Product {
    /// Looks at everything, under one snapshot; `progress` is told how many people and groups were looked at.
    pub(crate) async fn inspect(
        &self,
        progress: impl FnMut(u64) + Send + 'static,
    ) -> domain::fault::Result<Inspection> {
        let store = self.documents::<String>().build().map_err(failed)?;
        self.database
            .walk(move |reader| {
                let mut inspector = Follower {
                    reader,
                    tenants: Tenants::read(reader)?,
                    inspection: Inspection::default(),
                    names: 0,
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

    /// How many people and groups there are, roughly.
    pub(crate) async fn size(&self) -> domain::fault::Result<u64> {
        let organizations = self.read(organizations::names).await?;
        let ids: Vec<_> = organizations.into_iter().map(|(id, _)| id).collect();
        self.size_of(&ids).await
    }

    /// How many people and groups these organizations have.
    pub(crate) async fn size_of(&self, organizations: &[Uuid]) -> domain::fault::Result<u64> {
        let store = self.documents::<String>().build().map_err(failed)?;
        let mut size = 0;
        for organization in organizations {
            let tenant = organization.to_string();
            size += store.count::<User>(&tenant).await.map_err(failed)?;
            size += store.count::<Group>(&tenant).await.map_err(failed)?;
        }
        Ok(size)
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
    tenants: Tenants,
    inspection: Inspection,
    /// Names of groups that are kept and are theirs.
    names: u64,
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
            Some((organization, _)) => match resource.state::<Group>() {
                Some(group) => self.group_name(*organization, group, resource),
                None => Ok(()),
            },
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
    /// The name of a group is known where groups may have to have different names.
    fn group_name(&mut self, organization: Uuid, group: &Group, resource: &Inspected<'_>) -> Result<()> {
        let found = self.reader.query_one(
            "SELECT 1 FROM group_name WHERE org = ?1 AND name = ?2 AND id = ?3",
            &[
                organization.as_bytes().into(),
                (&*group_names::key(&group.display_name)).into(),
                resource.id.into(),
            ],
            |_| Ok(()),
        )?;
        if found.is_some() {
            self.names += 1;
        } else {
            let finding =
                Finding::new("its name is not among the names of groups").of_tenant(resource.tenant);
            self.finding(finding.about(resource.resource_type.name, resource.id));
        }
        Ok(())
    }

    /// The product's own tables, as far as SQLite does not see to them itself.
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
        self.inspection.requests = self.count("SELECT count(*) FROM history")?;
        for (sql, what) in [
            (
                "SELECT count(*) FROM history WHERE org NOT IN (SELECT id FROM organization)",
                "rows of the history belong to no organization",
            ),
            (
                "SELECT count(*) FROM history h WHERE token IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM token t WHERE t.org = h.org AND t.id = h.token)",
                "rows of the history name a token that does not exist",
            ),
            (
                "SELECT count(*) FROM history_count WHERE org NOT IN (SELECT id FROM organization)",
                "counts of the history belong to no organization",
            ),
            (
                "SELECT count(*) FROM token WHERE length(fingerprint) <> 32",
                "tokens cannot be told from others",
            ),
            (
                "SELECT count(*) FROM token t JOIN organization o ON o.id = t.org
                 WHERE o.deleted IS NOT NULL AND t.revoked IS NULL",
                "tokens of deleted organizations are not revoked",
            ),
            (
                "SELECT count(*) FROM (SELECT org FROM token
                   WHERE revoked IS NULL AND (expires IS NULL OR expires > unixepoch() * 1000000)
                   GROUP BY org HAVING count(*) > 2)",
                "organizations have more than two tokens in force",
            ),
            (
                "SELECT count(*) FROM import_position WHERE org NOT IN (SELECT id FROM organization)",
                "positions of imports belong to no organization",
            ),
        ] {
            let count = self.count(sql)?;
            if count > 0 {
                self.inspection.find(format!("{count} {what}"));
            }
        }
        let names = self.count(
            "SELECT count(*) FROM group_name
             WHERE org NOT IN (SELECT id FROM organization WHERE deleted IS NOT NULL AND purged IS NULL)",
        )?;
        if names > self.names {
            let left = names - self.names;
            self.inspection
                .find(format!("{left} names of groups are those of no group"));
        }
        Ok(())
    }

    fn count(&self, sql: &str) -> Result<u64> {
        let count = self.reader.query_one(sql, &[], |row| row.integer(0))?;
        Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
    }
}
