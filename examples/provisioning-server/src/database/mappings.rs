//! Tables `mapping` and `lost_mapping`: which roles the members of a group have, and had until the group was deleted.

use jiff::Timestamp;
use scim::store::database::{Reader, Row, Transaction};
use uuid::Uuid;

use super::{groups, read_id, read_time};
use crate::domain::group::ProvisionedGroup;
use crate::domain::naming;
use crate::domain::role::RoleId;

/// A mapping by the keys of its group and its role.
#[derive(Debug, Clone)]
pub(crate) struct Mapping {
    pub(crate) group: i64,
    pub(crate) role: RoleId,
    pub(crate) created: Timestamp,
    /// The maker of the mapping.
    pub(crate) by: String,
}

pub(crate) fn insert(tx: &Transaction<'_>, organization: Uuid, mapping: &Mapping) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO mapping (org, grp, role, created, by_whom) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (org, grp, role) DO NOTHING",
        &[
            organization.as_bytes().into(),
            mapping.group.into(),
            mapping.role.0.as_bytes().into(),
            mapping.created.as_microsecond().into(),
            (&mapping.by).into(),
        ],
    )?;
    Ok(())
}

pub(crate) fn remove(tx: &Transaction<'_>, organization: Uuid, group: i64, role: Uuid) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM mapping WHERE org = ?1 AND grp = ?2 AND role = ?3",
        &[
            organization.as_bytes().into(),
            group.into(),
            role.as_bytes().into(),
        ],
    )?;
    Ok(())
}

/// Returns the roles that a group is mapped to.
pub(crate) fn roles_of(reader: &Reader<'_>, organization: Uuid, group: i64) -> scim::Result<Vec<Uuid>> {
    reader.query_all(
        "SELECT role FROM mapping WHERE org = ?1 AND grp = ?2 ORDER BY role",
        &[organization.as_bytes().into(), group.into()],
        |row| read_id(row.blob(0)?),
    )
}

/// Returns the mappings of a group.
pub(crate) fn of_group(reader: &Reader<'_>, organization: Uuid, group: i64) -> scim::Result<Vec<Mapping>> {
    reader.query_all(
        "SELECT grp, role, created, by_whom FROM mapping WHERE org = ?1 AND grp = ?2 ORDER BY role",
        &[organization.as_bytes().into(), group.into()],
        read,
    )
}

/// Returns the first groups that are mapped to a role, in the order of their keys.
pub(crate) fn groups_of(
    reader: &Reader<'_>,
    organization: Uuid,
    role: RoleId,
    most: u32,
) -> scim::Result<Vec<ProvisionedGroup>> {
    reader.query_all(
        "SELECT g.row, g.id, g.name, g.external_id, g.created
         FROM mapping m CROSS JOIN provisioned_group g ON g.org = m.org AND g.row = m.grp
         WHERE m.org = ?1 AND m.role = ?2 ORDER BY m.grp LIMIT ?3",
        &[
            organization.as_bytes().into(),
            role.0.as_bytes().into(),
            most.into(),
        ],
        groups::read,
    )
}

/// Returns all mappings in the order of the names of the groups: each group with one role.
pub(crate) fn list(
    reader: &Reader<'_>,
    organization: Uuid,
) -> scim::Result<Vec<(ProvisionedGroup, Mapping)>> {
    reader.query_all(
        "SELECT g.row, g.id, g.name, g.external_id, g.created, m.role, m.created, m.by_whom
         FROM provisioned_group g CROSS JOIN mapping m ON m.org = g.org AND m.grp = g.row
         LEFT JOIN role r ON r.org = m.org AND r.id = m.role
         WHERE g.org = ?1 ORDER BY g.name_key, g.row, r.name_key, m.role",
        &[organization.as_bytes().into()],
        |row| {
            let group = groups::read(row)?;
            let mapping = Mapping {
                group: group.row,
                role: RoleId(read_id(row.blob(5)?)?),
                created: read_time(row.integer(6)?)?,
                by: row.text(7)?.to_owned(),
            };
            Ok((group, mapping))
        },
    )
}

fn read(row: &Row<'_>) -> scim::Result<Mapping> {
    Ok(Mapping {
        group: row.integer(0)?,
        role: RoleId(read_id(row.blob(1)?)?),
        created: read_time(row.integer(2)?)?,
        by: row.text(3)?.to_owned(),
    })
}

/// Returns the mappings behind one of them, in the order of their keys.
pub(crate) fn behind(
    reader: &Reader<'_>,
    organization: Uuid,
    behind: Option<&Mapping>,
    most: u32,
) -> scim::Result<Vec<Mapping>> {
    let first = Uuid::nil();
    let (group, role) = behind.map_or((i64::MIN, &first), |last| (last.group, &last.role.0));
    reader.query_all(
        "SELECT grp, role, created, by_whom FROM mapping WHERE org = ?1 AND (grp, role) > (?2, ?3)
         ORDER BY grp, role LIMIT ?4",
        &[
            organization.as_bytes().into(),
            group.into(),
            role.as_bytes().into(),
            most.into(),
        ],
        read,
    )
}

/// Takes a role that is deleted from all groups.
pub(crate) fn remove_role(tx: &Transaction<'_>, organization: Uuid, role: RoleId) -> scim::Result<()> {
    for table in ["mapping", "lost_mapping"] {
        tx.execute(
            &format!("DELETE FROM {table} WHERE org = ?1 AND role = ?2"),
            &[organization.as_bytes().into(), role.0.as_bytes().into()],
        )?;
    }
    Ok(())
}

/// Takes the mappings of a group away for good.
pub(crate) fn remove_group(tx: &Transaction<'_>, organization: Uuid, group: i64) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM mapping WHERE org = ?1 AND grp = ?2",
        &[organization.as_bytes().into(), group.into()],
    )?;
    Ok(())
}

/// Forgets all mappings that could be restored: the integration of their groups was deleted.
pub(crate) fn forget_lost(tx: &Transaction<'_>, organization: Uuid) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM lost_mapping WHERE org = ?1",
        &[organization.as_bytes().into()],
    )?;
    Ok(())
}

/// Takes the mappings of a group that is deleted away, and keeps what they were, so that they can be restored.
pub(crate) fn lose(
    tx: &Transaction<'_>,
    organization: Uuid,
    group: &ProvisionedGroup,
    members: u64,
    now: Timestamp,
) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO lost_mapping (org, grp, role, group_name, name_key, external_id, members, lost)
         SELECT org, ?3, role, ?4, ?5, ?6, ?7, ?8 FROM mapping WHERE org = ?1 AND grp = ?2",
        &[
            organization.as_bytes().into(),
            group.row.into(),
            (&group.id).into(),
            (&group.name).into(),
            (&naming::key(&group.name)).into(),
            group.external_id.as_ref().into(),
            i64::try_from(members).unwrap_or(i64::MAX).into(),
            now.as_microsecond().into(),
        ],
    )?;
    remove_group(tx, organization, group.row)
}

/// One mapping of a group that was deleted.
#[derive(Debug, Clone)]
pub(crate) struct Lost {
    /// The id of the group over SCIM.
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) external_id: Option<String>,
    pub(crate) role: RoleId,
    pub(crate) members: u64,
    pub(crate) lost: Timestamp,
}

/// Returns the mappings of deleted groups, those of one group together.
pub(crate) fn lost(reader: &Reader<'_>, organization: Uuid) -> scim::Result<Vec<Lost>> {
    reader.query_all(
        "SELECT grp, group_name, external_id, role, members, lost FROM lost_mapping WHERE org = ?1 ORDER BY grp, role",
        &[organization.as_bytes().into()],
        |row| {
            Ok(Lost {
                group: row.text(0)?.to_owned(),
                name: row.text(1)?.to_owned(),
                external_id: row.optional_text(2)?.map(str::to_owned),
                role: RoleId(read_id(row.blob(3)?)?),
                members: u64::try_from(row.integer(4)?).unwrap_or(0),
                lost: read_time(row.integer(5)?)?,
            })
        },
    )
}
