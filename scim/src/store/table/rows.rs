//! The rows of one type of resource.

use std::future::Future;
use std::sync::Arc;

use super::tables::{Failure, Purpose, Tables};
use crate::error::{Error, Result};
use crate::path::AttrPath;
use crate::record::ScimResource;
use crate::schema::ResourceType;
use crate::sql::{Columns, SqlFilter, Window};
use crate::store::{Event, Stamp, Version};
use crate::value::{DateTime, JsonBuf};

/// A resource as a table keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<R> {
    /// The id.
    pub id: String,
    /// The version; `None` from a table that keeps none, and then a digest of the content is the version.
    pub version: Option<Version>,
    /// When it was created, if the table keeps that.
    pub created: Option<DateTime>,
    /// When it was changed last, if the table keeps that.
    pub modified: Option<DateTime>,
    /// The attributes. Neither id, `meta`, edges nor what mirrors edges is looked at.
    pub resource: R,
}

impl<R> Row<R> {
    /// Makes a row of a table without versions and times.
    #[must_use]
    pub fn new(id: impl Into<String>, resource: R) -> Self {
        Self {
            id: id.into(),
            version: None,
            created: None,
            modified: None,
            resource,
        }
    }

    /// Makes the row of the next state.
    pub(super) fn next(id: &str, stamp: &Stamp, resource: R) -> Self {
        Self {
            id: id.to_owned(),
            version: Some(stamp.version.clone()),
            created: stamp.created,
            modified: stamp.modified,
            resource,
        }
    }
}

/// The resource at the other end of an edge.
#[derive(Debug, Clone)]
pub struct End {
    /// Its id.
    pub id: String,
    /// Its type; `None` for the edges of an attribute that is not linked.
    pub resource_type: Option<&'static ResourceType>,
    /// Its name for people, if it has one: `displayName`.
    pub display: Option<String>,
    /// The other sub-attributes that were given; of a linked attribute there are none.
    pub rest: Option<JsonBuf>,
}

impl End {
    /// Makes the end that is a resource of type `R`, with its name.
    #[must_use]
    pub fn of<R: ScimResource>(id: impl Into<String>, display: Option<String>) -> Self {
        Self {
            id: id.into(),
            resource_type: Some(R::RESOURCE_TYPE),
            display,
            rest: None,
        }
    }
}

/// The rows of type `R` in the [`Tables`] of an application. With them, a [`Table`](super::Table) is a complete store.
///
/// An application whose rows are plain columns does not implement this, but [`SqlRows`](super::SqlRows).
///
/// Beyond the signatures, these must hold:
///
/// * No two resources of a tenant share an id, whatever their types: number people and groups with one sequence, or put a
///   letter before the number. If they share one, adding group 1 to a group adds person 1.
/// * An id is never given twice, not even after a delete: `AUTOINCREMENT` in SQLite, an identity column in PostgreSQL.
/// * A value that must be unique has a unique constraint, together with the tenant, on its comparison key
///   ([`Attribute::fold`](crate::schema::Attribute::fold)), and [`Tables::refusal`] knows it.
/// * Edges have a foreign key at both ends, or [`known`](Self::known) locks what it finds. The library looks whether the
///   other end exists, in this tenant and of a right type, before it adds an edge.
/// * Every statement reaches the rows of the unit's tenant alone.
///
/// Nothing else is asked: preconditions, versions, times, what changes nothing, projection, sort keys, the row budget and
/// what is evaluated in memory are the library's.
pub trait Rows<R: ScimResource, C: Send + Sync + 'static>: Tables<C> {
    /// Finds the row with this id, and locks it if the unit [writes](Purpose::Write). A row has one id: where numbers are
    /// parsed, `1` and `01` are not both its id.
    ///
    /// # Errors
    /// Those of the driver.
    fn find(
        &self,
        unit: &mut Self::Unit,
        id: &str,
        purpose: Purpose,
    ) -> impl Future<Output = Result<Option<Row<R>>, Failure>> + Send;

    /// Makes a row and returns its id: the one of `row`, which nobody has had, or one that the table makes.
    ///
    /// # Errors
    /// Those of the driver.
    fn insert(
        &self,
        unit: &mut Self::Unit,
        row: &Row<R>,
    ) -> impl Future<Output = Result<String, Failure>> + Send;

    /// Writes the next state of a row, if it has the version `expected`, and returns whether it had. A table that keeps no
    /// version does not look at it: [`find`](Self::find) has locked the row.
    ///
    /// # Errors
    /// Those of the driver.
    fn update(
        &self,
        unit: &mut Self::Unit,
        row: &Row<R>,
        expected: &Version,
    ) -> impl Future<Output = Result<bool, Failure>> + Send;

    /// Deletes a row with its own edges, if it has the version `expected`, and returns whether it had. The edges that lead
    /// to it are gone already.
    ///
    /// # Errors
    /// Those of the driver.
    fn remove(
        &self,
        unit: &mut Self::Unit,
        id: &str,
        expected: &Version,
    ) -> impl Future<Output = Result<bool, Failure>> + Send;

    /// Returns the columns by which filters and orders become SQL. By default there are none: everything is evaluated in memory,
    /// within the row budget.
    fn columns(&self) -> Option<&Columns> {
        None
    }

    /// Counts the rows that meet a condition of [`columns`](Self::columns).
    ///
    /// # Errors
    /// Those of the driver.
    fn count(
        &self,
        unit: &mut Self::Unit,
        condition: Option<&SqlFilter>,
    ) -> impl Future<Output = Result<u64, Failure>> + Send;

    /// Reads the rows in a window, in its order. Rows that compare equal, and all where it names no order, are in the order
    /// of their creation.
    ///
    /// # Errors
    /// Those of the driver.
    fn select(
        &self,
        unit: &mut Self::Unit,
        window: &Window<'_>,
    ) -> impl Future<Output = Result<Vec<Row<R>>, Failure>> + Send;

    /// Says which of these ids rows have.
    ///
    /// # Errors
    /// Those of the driver.
    fn known(
        &self,
        unit: &mut Self::Unit,
        ids: &[&str],
    ) -> impl Future<Output = Result<Vec<String>, Failure>> + Send {
        async move {
            let mut known = Vec::new();
            for id in ids {
                let row = Rows::<R, C>::find(self, unit, id, Purpose::Read).await?;
                known.extend(row.map(|row| row.id));
            }
            Ok(known)
        }
    }

    /// Returns the names of the resource types to which edges in an attribute can lead here, if that is not all that the
    /// attribute allows.
    fn edge_targets(&self, attribute: AttrPath) -> Option<Vec<&'static str>> {
        _ = attribute;
        None
    }

    /// Finds the edges that a row has in an attribute marked `edges`: all, or only those to certain resources.
    ///
    /// # Errors
    /// Those of the driver.
    fn edges(
        &self,
        unit: &mut Self::Unit,
        attribute: AttrPath,
        id: &str,
        only: Option<&[&str]>,
    ) -> impl Future<Output = Result<Vec<End>, Failure>> + Send {
        _ = (unit, attribute, id, only);
        async { Err(no_edges::<R>("edges")) }
    }

    /// Counts the edges that a row has in an attribute marked `edges`.
    ///
    /// # Errors
    /// Those of the driver.
    fn count_edges(
        &self,
        unit: &mut Self::Unit,
        attribute: AttrPath,
        id: &str,
    ) -> impl Future<Output = Result<usize, Failure>> + Send {
        async move {
            let edges = Rows::<R, C>::edges(self, unit, attribute, id, None).await?;
            Ok(edges.len())
        }
    }

    /// Finds the rows that have an edge in `attribute` to the resource with the id `target`, whatever its type.
    ///
    /// # Errors
    /// Those of the driver.
    fn leading_to(
        &self,
        unit: &mut Self::Unit,
        attribute: AttrPath,
        target: &str,
    ) -> impl Future<Output = Result<Vec<End>, Failure>> + Send {
        _ = (unit, attribute, target);
        async { Err(no_edges::<R>("leading_to")) }
    }

    /// Removes and adds edges of a row in an attribute marked `edges`. Those that are removed are there, those that are
    /// added are not, and lead to something.
    ///
    /// # Errors
    /// Those of the driver.
    fn edit_edges(
        &self,
        unit: &mut Self::Unit,
        attribute: AttrPath,
        id: &str,
        removed: &[End],
        added: &[End],
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        _ = (unit, attribute, id, removed, added);
        async { Err(no_edges::<R>("edit_edges")) }
    }

    /// Carries out the application's own statements in the transaction of a write, behind those of the store: history,
    /// outbox, rules that need SQL. The state after the write has values that are handed on and not kept, such as a password.
    /// A [`scim::Error`](Error) refuses the write. It is also told of a row that has lost an edge because the other end was
    /// deleted: see [`Event::cause`].
    ///
    /// # Errors
    /// Those of the driver and of the application.
    fn record(
        &self,
        unit: &mut Self::Unit,
        cx: &Arc<C>,
        event: &Event<R>,
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        _ = (unit, cx, event);
        async { Ok(()) }
    }

    /// Checks what can be wrong before the first request.
    ///
    /// # Errors
    /// A sentence for the programmer.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

fn no_edges<R: ScimResource>(method: &str) -> Failure {
    Failure::from(Error::misconfigured(format!(
        "{} has an attribute marked edges, but its rows keep none: implement Rows::{method}.",
        R::RESOURCE_TYPE.name
    )))
}
