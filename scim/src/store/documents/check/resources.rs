//! Each resource by itself: its row, its documents and the keys that were made of it.

use std::sync::Arc;

use super::{Check, Finding, Inspected};
use crate::Result;
use crate::limits::Limits;
use crate::store::database::{Param, Row};
use crate::store::documents::document::{Documents, UntypedState, relative};
use crate::store::documents::key::Key;
use crate::store::documents::keys::Keys;
use crate::store::documents::kind::Decode;
use crate::store::documents::layout::Layout;
use crate::store::documents::rows::{COLUMNS, StoredRow, id_of};
use crate::store::documents::tables::SLOTS;
use crate::value::{Json, View};

/// A row, as far as it is looked at here.
struct Candidate<'a> {
    kept: StoredRow,
    tenant: i64,
    id: String,
    row: &'a Row<'a>,
}

/// How many rows of keys there must be.
#[derive(Default)]
struct KeyRows {
    values: u64,
    uniques: u64,
}

/// The places of the tenant, the id, the first key column and the label behind the columns of [`StoredRow`].
const TENANT: usize = 8;
const ID: usize = 9;
const KEYS: usize = 10;
const LABEL: usize = KEYS + SLOTS;

impl<C: 'static> Check<'_, C> {
    pub(super) fn resources(&mut self) -> Result<()> {
        let mut layouts: Vec<(Arc<Layout>, Decode)> = self
            .core
            .numbered
            .values()
            .map(|(layout, kind)| (Arc::clone(layout), kind.decode))
            .collect();
        layouts.sort_by_key(|(layout, _)| layout.number);
        for (layout, decode) in layouts {
            let values = self.resources_of(&layout, decode)?;
            self.key_rows(&layout, "scim_value", values.values)?;
            self.key_rows(&layout, "scim_unique", values.uniques)?;
        }
        Ok(())
    }

    /// Returns how many rows of keys the resources of a type must have.
    fn resources_of(&mut self, layout: &Layout, decode: Decode) -> Result<KeyRows> {
        let mut rows = KeyRows::default();
        let sql = format!(
            "SELECT {COLUMNS}, r.tenant, r.id, r.k1, r.k2, r.k3, r.k4, r.label
             FROM scim_resource r WHERE r.type = ?1"
        );
        let reader = self.reader;
        reader.query(&sql, &[layout.number.into()], |row| {
            self.checked.resources += 1;
            let tenant = row.integer(TENANT)?;
            let (id, kept) = match (id_of(row, ID), StoredRow::read(row)) {
                (Ok(id), Ok(kept)) => (id, kept),
                (Ok(id), Err(_)) => {
                    let what = self.of_tenant(tenant, "its row cannot be read: its document is no text");
                    self.finding(what.about(layout.resource_type.name, id));
                    return Ok(());
                }
                (Err(_), _) => {
                    let what = format!(
                        "a row of the type {} has no readable id",
                        layout.resource_type.name
                    );
                    let finding = self.of_tenant(tenant, what);
                    self.finding(finding);
                    return Ok(());
                }
            };
            let candidate = Candidate {
                kept,
                tenant,
                id,
                row,
            };
            let own = self.resource(layout, decode, &candidate)?;
            rows.values += own.values;
            rows.uniques += own.uniques;
            Ok(())
        })?;
        Ok(rows)
    }

    /// Returns how many rows of keys the resource must have.
    fn resource(&mut self, layout: &Layout, decode: Decode, candidate: &Candidate<'_>) -> Result<KeyRows> {
        let mut wrong = Vec::new();
        let Candidate { kept, id, row, .. } = candidate;
        if !self.tenants.contains_key(&candidate.tenant) {
            wrong.push("it belongs to a tenant that does not exist".to_owned());
        }
        if row.get(ID)? != Param::Blob(Key::id(id).as_bytes()) {
            wrong.push("its id is not kept in the form in which it is looked for".to_owned());
        }
        let record = match read(decode, &kept.documents) {
            Ok(state) => {
                wrong.extend(state.unfit.map(|attribute| match attribute.is_empty() {
                    true => "its document does not fit its schema".to_owned(),
                    false => format!("its document does not fit its schema: {attribute}"),
                }));
                state.record
            }
            Err(why) => {
                wrong.push(why);
                self.report(layout, candidate, wrong);
                return Ok(KeyRows::default());
            }
        };
        if !matches!(View::Complex(&*record).sub("id"), View::Str(found) if found == id.as_str()) {
            wrong.push("its document has another id".to_owned());
        }
        let stamped = Documents::stamped(&kept.documents.visible, layout, id, kept.stamp);
        if !stamped.is_ok_and(|stamped| stamped == kept.documents.visible) {
            wrong.push("the meta of its document is not that of its row".to_owned());
        }
        let keys = Keys::of(layout, &*record);
        self.keys(layout, candidate, &keys, &mut wrong)?;
        if !layout.edges.is_empty() && self.edges_from(candidate.tenant, kept.rid)? != kept.edges {
            wrong.push("the number of its edges is not the one in its row".to_owned());
        }
        self.report(layout, candidate, wrong);
        if let Some(tenant) = self.tenants.get(&candidate.tenant) {
            self.inspector.resource(&Inspected {
                tenant,
                resource_type: layout.resource_type,
                id,
                record: &*record,
                state: &*record,
            })?;
        }
        let count = |rows: usize| u64::try_from(rows).unwrap_or(0);
        Ok(KeyRows {
            values: count(keys.values.len()),
            uniques: count(keys.uniques.len()),
        })
    }

    fn report(&mut self, layout: &Layout, candidate: &Candidate<'_>, wrong: Vec<String>) {
        for what in wrong {
            let finding = self.of_tenant(candidate.tenant, what);
            self.finding(finding.about(layout.resource_type.name, candidate.id.clone()));
        }
    }

    /// Compares what is indexed of a resource with what must be.
    fn keys(
        &self,
        layout: &Layout,
        candidate: &Candidate<'_>,
        keys: &Keys,
        wrong: &mut Vec<String>,
    ) -> Result<()> {
        let Candidate {
            kept, tenant, row, ..
        } = candidate;
        let mut stale = |attribute: &str| wrong.push(format!("the index of {attribute} has another value"));
        for (index, expected) in keys.columns().into_iter().enumerate() {
            // A column that no attribute has today may hold keys of one that the type had.
            let slot = layout.slots.iter().find(|slot| slot.column == index + 1);
            if let Some(slot) = slot.filter(|_| row.get(KEYS + index).is_ok_and(|found| found != expected)) {
                stale(&layout.name(slot.path));
            }
        }
        if row.get(LABEL)? != keys.label() {
            stale("the display name");
        }
        for value in &keys.values {
            let is_there = self.reader.query_one(
                "SELECT 1 FROM scim_value WHERE tenant = ?1 AND attr = ?2 AND value = ?3 AND sub = ?4 AND rid = ?5",
                &value.params(*tenant, kept.rid),
                |_| Ok(()),
            )?;
            if is_there.is_none() {
                let valued = layout
                    .values
                    .iter()
                    .find(|valued| valued.number == value.attribute);
                stale(&valued.map_or_else(String::new, |valued| layout.name(valued.holder)));
            }
        }
        if !layout.uniques.is_empty() && !self.has_uniques(layout, *tenant, kept.rid, keys)? {
            wrong.push("the values that only it may have are not kept for it".to_owned());
        }
        Ok(())
    }

    fn has_uniques(&self, layout: &Layout, tenant: i64, rid: i64, keys: &Keys) -> Result<bool> {
        for (position, value) in &keys.uniques {
            let Some(unique) = layout.uniques.get(*position) else {
                continue;
            };
            let owner = self.reader.query_one(
                "SELECT rid FROM scim_unique WHERE tenant = ?1 AND attr = ?2 AND value = ?3",
                &[
                    unique.scope(tenant).into(),
                    unique.number.into(),
                    value.as_bytes().into(),
                ],
                |row| row.integer(0),
            )?;
            if owner != Some(rid) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn edges_from(&self, tenant: i64, rid: i64) -> Result<i64> {
        let sql = "SELECT count(*) FROM scim_edge WHERE tenant = ?1 AND src = ?2";
        let params = [tenant.into(), rid.into()];
        let count = self.reader.query_one(sql, &params, |row| row.integer(0))?;
        Ok(count.unwrap_or(0))
    }

    /// Reports surplus rows of keys: all keys that must be there are, so that any beyond their number belong to nothing.
    fn key_rows(&mut self, layout: &Layout, table: &str, expected: u64) -> Result<()> {
        let sql = format!(
            "SELECT count(*) FROM {table} WHERE tenant >= 0
             AND attr IN (SELECT id FROM scim_attribute WHERE type = ?1)"
        );
        let found = self
            .reader
            .query_one(&sql, &[layout.number.into()], |row| row.integer(0))?
            .and_then(|found| u64::try_from(found).ok())
            .unwrap_or(0);
        if let Some(left) = found.checked_sub(expected).filter(|left| *left > 0) {
            let name = layout.resource_type.name;
            self.finding(Finding::new(format!(
                "{left} indexed values of the type {name} ({table}) are not those of any resource"
            )));
        }
        Ok(())
    }
}

/// Returns the state in two documents, or why they cannot be read.
fn read(decode: Decode, documents: &Documents) -> Result<UntypedState, String> {
    let limits = Limits::default();
    let hidden = documents.hidden.as_deref();
    for document in [Some(documents.visible.as_str()), hidden].into_iter().flatten() {
        // The error says at which byte it is broken, and nothing of what stands there.
        if let Err(error) = Json::parse(&relative(document), &limits) {
            return Err(format!("its document is no JSON: {error}"));
        }
    }
    decode(documents).map_err(|_| "its document is no JSON".to_owned())
}
