//! Table `organization`.

use std::ops::ControlFlow;

use jiff::Timestamp;
use scim::store::database::{Reader, Row, Transaction};
use uuid::Uuid;

use super::{Stop, mail, read_id, read_time, roles, sources, tokens};
use crate::domain::fault::{Fault, Result};
use crate::domain::organization::{Name, Organization, Source};
use crate::domain::role::{Role, RoleId, first_roles};
use crate::domain::settings::{Attributes, Settings};
use crate::domain::token::Token;

/// Adds an organization with its first roles, and with its first token if there is one.
///
/// # Errors
/// Another organization has the name, or the database fails.
pub(crate) fn create(
    tx: &Transaction<'_>,
    organization: &Organization,
    token: Option<&Token>,
) -> Result<(), Stop> {
    create_empty(tx, organization)?;
    for draft in first_roles() {
        let role = Role::new(RoleId(Uuid::now_v7()), draft, organization.created);
        roles::insert(tx, organization.id, &role)?;
    }
    if let Some(token) = token {
        tokens::insert(tx, organization.id, token)?;
    }
    Ok(())
}

/// Adds an organization without any roles.
///
/// # Errors
/// Another organization has the name, or the database fails.
pub(super) fn create_empty(tx: &Transaction<'_>, organization: &Organization) -> Result<(), Stop> {
    if find(tx, &organization.name)?.is_some() {
        return Err(Fault::conflict(format!(
            "There is an organization {:?} already: choose another name.",
            organization.name.as_str()
        ))
        .into());
    }
    Ok(insert(tx, organization)?)
}

pub(super) fn insert(tx: &Transaction<'_>, organization: &Organization) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO organization (id, name, display, settings, created) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[
            organization.id.as_bytes().into(),
            organization.name.as_str().into(),
            (&organization.display).into(),
            (&settings(organization)?).into(),
            organization.created.as_microsecond().into(),
        ],
    )?;
    match &organization.source {
        Some(source) => sources::insert(tx, organization.id, source),
        None => Ok(()),
    }
}

pub(crate) fn update(tx: &Transaction<'_>, organization: &Organization) -> scim::Result<()> {
    tx.execute(
        "UPDATE organization SET display = ?2, settings = ?3 WHERE id = ?1",
        &[
            organization.id.as_bytes().into(),
            (&organization.display).into(),
            (&settings(organization)?).into(),
        ],
    )?;
    sources::update(tx, organization)
}

/// Ends an organization, its source and its tokens. The row stays, so that the history keeps its name and the id is never used again.
pub(crate) fn delete(tx: &Transaction<'_>, id: Uuid, now: Timestamp) -> scim::Result<()> {
    tokens::revoke_all(tx, id, now)?;
    mail::cancel_waiting(tx, id)?;
    tx.execute(
        "UPDATE organization SET deleted = ?2 WHERE id = ?1",
        &[id.as_bytes().into(), now.as_microsecond().into()],
    )?;
    sources::end(tx, id, now)
}

/// Notes that nothing of a deleted organization is left but its history.
pub(super) fn purged(tx: &Transaction<'_>, id: Uuid, now: Timestamp) -> scim::Result<()> {
    tx.execute(
        "UPDATE organization SET purged = ?2 WHERE id = ?1",
        &[id.as_bytes().into(), now.as_microsecond().into()],
    )?;
    Ok(())
}

/// Returns the deleted organizations that may have left something behind.
pub(super) fn to_purge(reader: &Reader<'_>) -> scim::Result<Vec<Uuid>> {
    reader.query_all(
        "SELECT id FROM organization WHERE deleted IS NOT NULL AND purged IS NULL",
        &[],
        |row| read_id(row.blob(0)?),
    )
}

/// Returns whether an organization exists in the state that a transaction sees.
pub(crate) fn exists(tx: &Transaction<'_>, id: Uuid) -> scim::Result<bool> {
    let found = tx.query_one(
        "SELECT 1 FROM organization WHERE id = ?1 AND deleted IS NULL",
        &[id.as_bytes().into()],
        |row| row.integer(0),
    )?;
    Ok(found.is_some())
}

/// The state that a request which was admitted a moment ago must still find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) source: Option<Uuid>,
    pub(crate) attributes: Attributes,
}

/// Returns how an organization stands in the state that a transaction sees; `None` if it was deleted.
pub(crate) fn standing(tx: &Transaction<'_>, id: Uuid) -> scim::Result<Option<Standing>> {
    /// Of the settings, only this is read.
    #[derive(serde::Deserialize)]
    struct Kept {
        attributes: Attributes,
    }
    let sql =
        "SELECT o.settings, s.id FROM organization o LEFT JOIN source s ON s.org = o.id AND s.ended IS NULL
        WHERE o.id = ?1 AND o.deleted IS NULL";
    tx.query_one(sql, &[id.as_bytes().into()], |row| {
        let kept: Kept = serde_json::from_str(row.text(0)?).map_err(scim::Error::internal)?;
        Ok(Standing {
            source: row.optional_blob(1)?.map(read_id).transpose()?,
            attributes: kept.attributes,
        })
    })
}

/// Notes that attributes that are not kept any more are to be erased, of all people.
pub(crate) fn begin_erasing(tx: &Transaction<'_>, id: Uuid) -> scim::Result<()> {
    erased_up_to(tx, id, Some(Uuid::nil()))
}

/// Notes up to which account that is done; `None` once it is done.
pub(crate) fn erased_up_to(tx: &Transaction<'_>, id: Uuid, account: Option<Uuid>) -> scim::Result<()> {
    tx.execute(
        "UPDATE organization SET erasing = ?2 WHERE id = ?1",
        &[
            id.as_bytes().into(),
            account.as_ref().map(|account| &account.as_bytes()[..]).into(),
        ],
    )?;
    Ok(())
}

/// Returns the account up to which attributes of an organization's people were erased, while that goes on.
pub(crate) fn erasing(reader: &Reader<'_>, id: Uuid) -> scim::Result<Option<Uuid>> {
    let found = reader.query_one(
        "SELECT erasing FROM organization WHERE id = ?1",
        &[id.as_bytes().into()],
        |row| row.optional_blob(0)?.map(read_id).transpose(),
    )?;
    Ok(found.flatten())
}

/// Returns the organizations of whose people attributes are being erased.
pub(crate) fn all_erasing(reader: &Reader<'_>) -> scim::Result<Vec<Uuid>> {
    reader.query_all(
        "SELECT id FROM organization WHERE erasing IS NOT NULL AND deleted IS NULL",
        &[],
        |row| read_id(row.blob(0)?),
    )
}

/// Notes that everybody whom the identity provider has sent gets the way in of the settings, or that nobody does any more.
pub(crate) fn begin_converting(tx: &Transaction<'_>, id: Uuid, is_for_all: bool) -> scim::Result<()> {
    converted_up_to(tx, id, is_for_all.then_some(Uuid::nil()))
}

/// Notes up to which account that is done; `None` once it is done.
pub(crate) fn converted_up_to(tx: &Transaction<'_>, id: Uuid, account: Option<Uuid>) -> scim::Result<()> {
    tx.execute(
        "UPDATE organization SET converting = ?2 WHERE id = ?1",
        &[
            id.as_bytes().into(),
            account.as_ref().map(|account| &account.as_bytes()[..]).into(),
        ],
    )?;
    Ok(())
}

/// Returns the account up to which that is done, while it goes on.
pub(crate) fn converting(reader: &Reader<'_>, id: Uuid) -> scim::Result<Option<Uuid>> {
    let found = reader.query_one(
        "SELECT converting FROM organization WHERE id = ?1",
        &[id.as_bytes().into()],
        |row| row.optional_blob(0)?.map(read_id).transpose(),
    )?;
    Ok(found.flatten())
}

/// Returns the organizations whose people get another way in.
pub(crate) fn all_converting(reader: &Reader<'_>) -> scim::Result<Vec<Uuid>> {
    reader.query_all(
        "SELECT id FROM organization WHERE converting IS NOT NULL AND deleted IS NULL",
        &[],
        |row| read_id(row.blob(0)?),
    )
}

/// The columns of an organization that exists, and of its live source.
const COLUMNS: &str = "SELECT o.id, o.name, o.display, o.settings, o.created, s.id, s.enabled, s.created
    FROM organization o LEFT JOIN source s ON s.org = o.id AND s.ended IS NULL WHERE o.deleted IS NULL";

pub(crate) fn find(reader: &Reader<'_>, name: &Name) -> scim::Result<Option<Organization>> {
    let sql = format!("{COLUMNS} AND o.name = ?1");
    reader.query_one(&sql, &[name.as_str().into()], read)
}

/// Returns the one with this id.
pub(crate) fn by_id(reader: &Reader<'_>, id: Uuid) -> scim::Result<Option<Organization>> {
    let sql = format!("{COLUMNS} AND o.id = ?1");
    reader.query_one(&sql, &[id.as_bytes().into()], read)
}

/// Returns the first of those whose names have a text in them, behind a name, in the order of names. `asked` is a key of names.
/// It goes through those that it does not show, which are as many as there are organizations.
pub(crate) fn list(
    reader: &Reader<'_>,
    asked: &str,
    behind: &str,
    most: usize,
) -> scim::Result<Vec<Organization>> {
    let sql = format!("{COLUMNS} AND o.name > ?1 ORDER BY o.name");
    let mut found = Vec::new();
    reader.visit(&sql, &[behind.into()], |row| {
        let organization = read(row)?;
        if organization.is_called(asked) {
            found.push(organization);
        }
        Ok(match found.len() < most {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        })
    })?;
    Ok(found)
}

/// Returns how many there are.
pub(crate) fn count(reader: &Reader<'_>) -> scim::Result<u64> {
    super::count(
        reader,
        "SELECT count(*) FROM organization WHERE deleted IS NULL",
        &[],
    )
}

/// Returns some of those that were deleted and are still being cleared, with what people called them.
pub(crate) fn ending(reader: &Reader<'_>) -> scim::Result<Vec<(Uuid, String)>> {
    reader.query_all(
        "SELECT id, display FROM organization WHERE deleted IS NOT NULL AND purged IS NULL LIMIT 20",
        &[],
        |row| Ok((read_id(row.blob(0)?)?, row.text(1)?.to_owned())),
    )
}

/// Returns all of them, without looking at their settings.
pub(super) fn names(reader: &Reader<'_>) -> scim::Result<Vec<(Uuid, String)>> {
    reader.query_all(
        "SELECT id, name FROM organization WHERE deleted IS NULL",
        &[],
        |row| Ok((read_id(row.blob(0)?)?, row.text(1)?.to_owned())),
    )
}

pub(crate) fn all(reader: &Reader<'_>) -> scim::Result<Vec<Organization>> {
    let sql = format!("{COLUMNS} ORDER BY o.name");
    reader.query_all(&sql, &[], read)
}

/// Returns the settings of every organization, also of those that were deleted: their history is kept as they say.
pub(super) fn all_settings(reader: &Reader<'_>) -> scim::Result<Vec<(Uuid, Settings)>> {
    reader.query_all("SELECT id, settings FROM organization", &[], |row| {
        let settings = serde_json::from_str(row.text(1)?).map_err(scim::Error::internal)?;
        Ok((read_id(row.blob(0)?)?, settings))
    })
}

fn read(row: &Row<'_>) -> scim::Result<Organization> {
    let source = match row.optional_blob(5)? {
        None => None,
        Some(id) => Some(Source {
            id: read_id(id)?,
            enabled: row.boolean(6)?,
            created: read_time(row.integer(7)?)?,
        }),
    };
    Ok(Organization {
        id: read_id(row.blob(0)?)?,
        name: Name::parse(row.text(1)?).map_err(scim::Error::internal)?,
        display: row.text(2)?.to_owned(),
        source,
        settings: serde_json::from_str(row.text(3)?).map_err(scim::Error::internal)?,
        created: read_time(row.integer(4)?)?,
    })
}

fn settings(organization: &Organization) -> scim::Result<String> {
    serde_json::to_string(&organization.settings).map_err(scim::Error::internal)
}
