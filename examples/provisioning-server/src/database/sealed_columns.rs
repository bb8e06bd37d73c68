//! The columns whose values are sealed: one list, which everything that deals with all of them walks.

use scim::store::database::{Param, Reader, Transaction};

use super::keys::{Keys, seal};
use super::{mail, second_factors};
use crate::domain::sealed::{Column, KeyId, KeyRing};

/// All of them. Their names begin with `sealed_`; the columns of their keys are blobs.
pub(crate) const ALL: &[Column] = &[mail::LINK, second_factors::SECRET, second_factors::OFFER];

/// Returns whether anything is sealed.
pub(super) fn is_any(reader: &Reader<'_>) -> scim::Result<bool> {
    for Column { table, name, .. } in ALL {
        let sql = format!("SELECT 1 FROM {table} WHERE {name} IS NOT NULL LIMIT 1");
        if reader.query_one(&sql, &[], |_| Ok(()))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A sealed value and the key of its row.
struct Sealed {
    row: Vec<Vec<u8>>,
    value: Vec<u8>,
}

impl Sealed {
    fn row(&self) -> Vec<&[u8]> {
        self.row.iter().map(Vec::as_slice).collect()
    }
}

/// The place that a walk through a column has come to: the key of the last row that was seen.
pub(super) type Place = Option<Vec<Vec<u8>>>;

/// Returns the sealed values behind a place, in the order of their rows.
fn behind(reader: &Reader<'_>, column: &Column, place: &Place, most: u32) -> scim::Result<Vec<Sealed>> {
    let Column { table, key, name } = column;
    let keys = key.join(", ");
    let numbers: Vec<String> = (2..).take(key.len()).map(|n| format!("?{n}")).collect();
    let (is_behind, params) = match place {
        Some(row) => (
            format!("AND ({keys}) > ({})", numbers.join(", ")),
            row.iter().map(|part| Param::from(&part[..])).collect(),
        ),
        None => (String::new(), Vec::new()),
    };
    let sql = format!(
        "SELECT {keys}, {name} FROM {table} WHERE {name} IS NOT NULL {is_behind} ORDER BY {keys} LIMIT ?1"
    );
    let params: Vec<Param<'_>> = [most.into()].into_iter().chain(params).collect();
    reader.query_all(&sql, &params, |row| {
        let parts = (0..key.len()).map(|column| Ok(row.blob(column)?.to_owned()));
        Ok(Sealed {
            row: parts.collect::<scim::Result<_>>()?,
            value: row.blob(key.len())?.to_owned(),
        })
    })
}

/// Seals the next values of a column by the newest key of a ring, those that are not yet. Answers where to go on, unless
/// all were seen.
pub(super) fn seal_anew(
    tx: &Transaction<'_>,
    ring: &KeyRing,
    column: &Column,
    place: &Place,
    most: u32,
) -> scim::Result<Place> {
    let found = behind(tx, column, place, most)?;
    let newest = Some(ring.newest().id);
    for sealed in found.iter().filter(|sealed| KeyId::of(&sealed.value) != newest) {
        let row = sealed.row();
        let secret = ring
            .open(column, &row, &sealed.value)
            .map_err(scim::Error::internal)?;
        write(tx, column, &row, &seal(ring, column, &row, &secret)?)?;
    }
    let is_full = u64::try_from(found.len()).ok() == Some(u64::from(most));
    Ok(found
        .into_iter()
        .next_back()
        .map(|last| last.row)
        .filter(|_| is_full))
}

fn write(tx: &Transaction<'_>, column: &Column, row: &[&[u8]], value: &[u8]) -> scim::Result<()> {
    let Column { table, key, name } = column;
    let is_row: Vec<String> = (2..)
        .zip(*key)
        .map(|(n, part)| format!("{part} = ?{n}"))
        .collect();
    let sql = format!("UPDATE {table} SET {name} = ?1 WHERE {}", is_row.join(" AND "));
    let params: Vec<Param<'_>> = [Param::from(value)]
        .into_iter()
        .chain(row.iter().map(|part| Param::from(*part)))
        .collect();
    tx.execute(&sql, &params).map(drop)
}

/// Returns whether everything is sealed by the newest key of a ring.
pub(super) fn are_new(reader: &Reader<'_>, ring: &KeyRing) -> scim::Result<bool> {
    let newest = ring.newest().id;
    for Column { table, name, .. } in ALL {
        let sql = format!(
            "SELECT 1 FROM {table} WHERE {name} IS NOT NULL AND substr({name}, 1, {}) <> ?1 LIMIT 1",
            newest.as_bytes().len()
        );
        if reader
            .query_one(&sql, &[newest.as_bytes().into()], |_| Ok(()))?
            .is_some()
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns how many values of each column do not open, where there are any.
pub(super) fn broken(reader: &Reader<'_>, keys: &Keys) -> scim::Result<Vec<(Column, u64)>> {
    let mut broken = Vec::new();
    for column in ALL {
        let (mut place, mut count) = (None, 0);
        loop {
            let found = behind(reader, column, &place, 1_000)?;
            let wrong = found
                .iter()
                .filter(|sealed| keys.open(column, &sealed.row(), &sealed.value).is_err());
            count += u64::try_from(wrong.count()).unwrap_or(u64::MAX);
            match found.into_iter().next_back() {
                Some(last) => place = Some(last.row),
                None => break,
            }
        }
        if count > 0 {
            broken.push((*column, count));
        }
    }
    Ok(broken)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use scim::store::database::{Database, Options};

    use super::*;
    use crate::database::migrations;

    /// Feature row 94: every sealed column is in the list, by which a rotation finds it, with the key of its table.
    #[test]
    fn every_sealed_column_is_listed() {
        let database = Database::in_memory(Options::default()).unwrap();
        let made = database.blocking_write(|tx| migrations::run(tx, Timestamp::UNIX_EPOCH));
        made.unwrap().unwrap();
        let found = database.blocking_read(|reader| {
            let sql = "/* sqlite */ SELECT m.name, c.name, (SELECT group_concat(k.name, ' ') FROM
                         (SELECT name, pk FROM pragma_table_info(m.name) WHERE pk > 0 ORDER BY pk) k)
                       FROM sqlite_schema m, pragma_table_info(m.name) c
                       WHERE m.type = 'table' AND c.name LIKE 'sealed%' AND c.type = 'BLOB' ORDER BY 1, 2";
            reader.query_all(sql, &[], |row| {
                Ok([
                    row.text(0)?.to_owned(),
                    row.text(1)?.to_owned(),
                    row.text(2)?.to_owned(),
                ])
            })
        });
        let mut listed: Vec<_> = ALL
            .iter()
            .map(|column| {
                [
                    column.table.to_owned(),
                    column.name.to_owned(),
                    column.key.join(" "),
                ]
            })
            .collect();
        listed.sort();
        assert_eq!(listed, found.unwrap());
    }
}
