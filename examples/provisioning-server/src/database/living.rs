//! The contents of an organization whose settings are to change.

use jiff::{SignedDuration, Timestamp};
use scim::store::database::{Param, Reader};
use uuid::Uuid;

use super::count;
use super::{accounts, entries, groups};
use crate::domain::organization::Organization;
use crate::domain::settings::{Settings, Switch};
use crate::domain::settings_change::Living;

/// Counts what a change to these settings can concern.
pub(crate) fn of(
    reader: &Reader<'_>,
    organization: &Organization,
    after: &Settings,
    now: Timestamp,
) -> scim::Result<Living> {
    let (id, before) = (organization.id, &organization.settings);
    let of_organization = |sql| count(reader, sql, &[id.as_bytes().into()]);
    let adoptions = "SELECT count(*) FROM adoption WHERE org = ?1 AND until > ?2";
    let params: [Param<'_>; 2] = [id.as_bytes().into(), now.as_microsecond().into()];
    Ok(Living {
        people: accounts::count_bound(reader, id)?,
        groups: groups::count(reader, id)?
            + of_organization("SELECT count(*) FROM local_group WHERE org = ?1")?,
        // They are many: they are counted only where that says something.
        outdated_requests: match after.history_days < before.history_days {
            true => requests_before(reader, id, days_before(now, after.history_days.get()))?,
            false => 0,
        },
        adoptions: count(reader, adoptions, &params)?,
        by_saml_alone: match before.sso == Switch::On && after.sso == Switch::Off {
            true => entries::count_by_saml_alone(reader, id)?,
            false => 0,
        },
        converted: 0,
    })
}

fn days_before(now: Timestamp, days: u32) -> Timestamp {
    let age = SignedDuration::from_hours(24 * i64::from(days));
    now.checked_sub(age).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Counts the requests that are older: their keys begin with the time.
fn requests_before(reader: &Reader<'_>, organization: Uuid, end: Timestamp) -> scim::Result<u64> {
    let milliseconds = u128::try_from(end.as_millisecond()).unwrap_or(0);
    let first = Uuid::from_u128(milliseconds << 80);
    let sql = "SELECT count(*) FROM request WHERE org = ?1 AND sequence < ?2";
    let params: [Param<'_>; 2] = [organization.as_bytes().into(), first.as_bytes().into()];
    count(reader, sql, &params)
}
