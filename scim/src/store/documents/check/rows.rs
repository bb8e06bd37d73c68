//! Everything that lies between resources: edges, counters, and rows that belong to nothing.

use std::collections::HashMap;

use super::{Check, Finding};
use crate::Result;
use crate::store::database::Row;
use crate::store::documents::rows::id_of;

impl<C: 'static> Check<'_, C> {
    pub(super) fn rows(&mut self) -> Result<()> {
        self.edges()?;
        self.leftovers()?;
        self.unknown_types()?;
        self.counters()
    }

    /// Checks that every edge starts from a resource that may have it and leads to one that it may lead to, of the same
    /// tenant.
    fn edges(&mut self) -> Result<()> {
        let sql = "SELECT e.src, e.attr, e.dst, s.type, e.tenant, s.id, d.type
                   FROM scim_edge e LEFT JOIN scim_resource s ON s.tenant = e.tenant AND s.rid = e.src
                                    LEFT JOIN scim_resource d ON d.tenant = e.tenant AND d.rid = e.dst";
        let reader = self.reader;
        reader.query(sql, &[], |row| {
            self.checked.edges += 1;
            if let Some(what) = self.wrong_edge(row)? {
                let finding = self.of_edge(row, what)?;
                self.finding(finding);
            }
            Ok(())
        })
    }

    fn wrong_edge(&self, row: &Row<'_>) -> Result<Option<&'static str>> {
        let Some(source) = row.optional_integer(3)? else {
            return Ok(Some("an edge starts from a resource that does not exist"));
        };
        let Some(target) = row.optional_integer(6)? else {
            return Ok(Some("an edge leads to a resource that does not exist"));
        };
        let Some((layout, _)) = self.core.numbered.get(&source) else {
            // The type as a whole is a finding.
            return Ok(None);
        };
        let number = row.integer(1)?;
        let Some(edges) = layout.edges.iter().find(|edges| edges.number == number) else {
            return Ok(Some("an edge belongs to no attribute"));
        };
        let fits = edges.targets.iter().any(|end| end.number == target);
        Ok((!fits).then_some("an edge leads to a resource of a type that it may not lead to"))
    }

    fn of_edge(&self, row: &Row<'_>, what: &str) -> Result<Finding> {
        let Some(source) = row.optional_integer(3)? else {
            return Ok(Finding::new(what));
        };
        let finding = self.of_tenant(row.integer(4)?, what);
        Ok(match (self.type_name(source), id_of(row, 5)) {
            (Some(name), Ok(id)) => finding.about(name, id),
            _ => finding,
        })
    }

    /// Finds indexed and unique values whose resource is gone, or is another's.
    fn leftovers(&mut self) -> Result<()> {
        for (sql, what) in [
            (
                "SELECT count(*) FROM scim_value v
                 LEFT JOIN scim_resource r ON r.tenant = v.tenant AND r.rid = v.rid WHERE r.rid IS NULL",
                "indexed values belong to no resource of their tenant",
            ),
            (
                "SELECT count(*) FROM scim_unique u
                 WHERE NOT EXISTS(SELECT 1 FROM scim_resource r
                                  WHERE r.rid = u.rid AND (u.tenant = 0 OR r.tenant = u.tenant))",
                "unique values are held by resources that do not exist",
            ),
        ] {
            let count = self.reader.query_one(sql, &[], |row| row.integer(0))?;
            if let Some(count) = count.filter(|count| *count > 0) {
                self.finding(Finding::new(format!("{count} {what}")));
            }
        }
        Ok(())
    }

    /// Reports the rows that this build cannot read: they were not looked at.
    fn unknown_types(&mut self) -> Result<()> {
        let counts = self.reader.query_all(
            "SELECT r.type, t.name, count(*) FROM scim_resource r LEFT JOIN scim_type t ON t.id = r.type
             WHERE r.tenant >= 0 GROUP BY r.type",
            &[],
            |row| {
                Ok((
                    row.integer(0)?,
                    row.optional_text(1)?.map(str::to_owned),
                    row.integer(2)?,
                ))
            },
        )?;
        for (number, name, count) in counts {
            if !self.core.numbered.contains_key(&number) {
                let name = name.unwrap_or_else(|| format!("number {number}"));
                self.finding(Finding::new(format!(
                    "{count} resources of the type {name} were not looked at: this build does not know the type"
                )));
            }
        }
        Ok(())
    }

    /// Checks that the total that lists tell is the number of rows.
    fn counters(&mut self) -> Result<()> {
        let read = |row: &Row<'_>| Ok(((row.integer(0)?, row.integer(1)?), row.integer(2)?));
        let counted = self.reader.query_all(
            "SELECT tenant, type, sum(n) FROM scim_counter GROUP BY tenant, type",
            &[],
            read,
        )?;
        let there = self.reader.query_all(
            "SELECT tenant, type, count(*) FROM scim_resource GROUP BY tenant, type",
            &[],
            read,
        )?;
        let mut there: HashMap<(i64, i64), i64> = there.into_iter().collect();
        let counted = counted.into_iter().map(|(key, count)| {
            let found = there.remove(&key).unwrap_or(0);
            (key, count, found)
        });
        let mut wrong: Vec<_> = counted.filter(|(_, count, found)| count != found).collect();
        wrong.extend(there.into_iter().map(|(key, found)| (key, 0, found)));
        wrong.sort_unstable();
        for ((tenant, number), count, found) in wrong {
            let name = self.type_name(number).unwrap_or("an unknown type");
            let what = format!("there are {found} resources of the type {name}, and {count} are counted");
            let finding = self.of_tenant(tenant, what);
            self.finding(finding);
        }
        Ok(())
    }
}
