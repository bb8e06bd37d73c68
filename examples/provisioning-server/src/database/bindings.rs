//! Table `binding`: which person of SCIM an account is, and was.

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use super::read_time;

/// Binds a person to an account. An import brings a person back under the same id.
pub(crate) fn insert(
    tx: &Transaction<'_>,
    organization: Uuid,
    source: Uuid,
    scim_id: &str,
    external_id: Option<&str>,
    account: Uuid,
    now: Timestamp,
) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO binding (org, source, scim_id, account, external_id, since) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (org, scim_id) DO UPDATE SET source = excluded.source, account = excluded.account,
             external_id = excluded.external_id, until = NULL",
        &[
            organization.as_bytes().into(),
            source.as_bytes().into(),
            scim_id.into(),
            account.as_bytes().into(),
            external_id.into(),
            now.as_microsecond().into(),
        ],
    )?;
    Ok(())
}

/// Writes the identifier that the provider has for a person.
pub(crate) fn update(
    tx: &Transaction<'_>,
    organization: Uuid,
    scim_id: &str,
    external_id: Option<&str>,
) -> scim::Result<()> {
    tx.execute(
        "UPDATE binding SET external_id = ?3 WHERE org = ?1 AND scim_id = ?2",
        &[organization.as_bytes().into(), scim_id.into(), external_id.into()],
    )?;
    Ok(())
}

/// Notes with which token a person was named last. Mostly that is known: then nothing is written. Ids of tokens are in the
/// order in which tokens were made, and an older one takes nothing back.
pub(crate) fn touch(
    tx: &Transaction<'_>,
    organization: Uuid,
    scim_id: &str,
    token: Uuid,
) -> scim::Result<()> {
    tx.execute(
        "UPDATE binding SET token = ?3 WHERE org = ?1 AND scim_id = ?2 AND (token IS NULL OR token < ?3)",
        &[
            organization.as_bytes().into(),
            scim_id.into(),
            token.as_bytes().into(),
        ],
    )?;
    Ok(())
}

/// Ends the binding of a person who is deleted.
pub(crate) fn end(
    tx: &Transaction<'_>,
    organization: Uuid,
    scim_id: &str,
    now: Timestamp,
) -> scim::Result<()> {
    tx.execute(
        "UPDATE binding SET until = ?3 WHERE org = ?1 AND scim_id = ?2 AND until IS NULL",
        &[
            organization.as_bytes().into(),
            scim_id.into(),
            now.as_microsecond().into(),
        ],
    )?;
    Ok(())
}

/// Brings a former binding back, unless there is one of this person.
pub(crate) fn restore(
    tx: &Transaction<'_>,
    organization: Uuid,
    source: Uuid,
    account: Uuid,
    binding: &Binding,
) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO binding (org, source, scim_id, account, external_id, since, until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (org, scim_id) DO NOTHING",
        &[
            organization.as_bytes().into(),
            source.as_bytes().into(),
            (&binding.scim_id).into(),
            account.as_bytes().into(),
            binding.external_id.as_ref().into(),
            binding.since.into(),
            binding.until.into(),
        ],
    )?;
    Ok(())
}

/// One binding of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) scim_id: String,
    pub(crate) external_id: Option<String>,
    pub(crate) since: i64,
    /// `None` as long as the person is there.
    pub(crate) until: Option<i64>,
}

impl Binding {
    /// Returns when the person was bound.
    pub(crate) fn since(&self) -> scim::Result<Timestamp> {
        read_time(self.since)
    }

    /// Returns when the person was deleted.
    pub(crate) fn until(&self) -> scim::Result<Option<Timestamp>> {
        self.until.map(read_time).transpose()
    }
}

/// Returns the bindings of an account, the newest first.
pub(crate) fn of_account(
    reader: &Reader<'_>,
    organization: Uuid,
    account: Uuid,
) -> scim::Result<Vec<Binding>> {
    reader.query_all(
        "SELECT scim_id, external_id, since, until FROM binding
         WHERE org = ?1 AND account = ?2 ORDER BY since DESC LIMIT 100",
        &[organization.as_bytes().into(), account.as_bytes().into()],
        |row| {
            Ok(Binding {
                scim_id: row.text(0)?.to_owned(),
                external_id: row.optional_text(1)?.map(str::to_owned),
                since: row.integer(2)?,
                until: row.optional_integer(3)?,
            })
        },
    )
}
