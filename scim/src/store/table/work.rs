//! The work of a request in its transaction, as far as all requests have it in common: rows are found, their edges loaded,
//! and both rendered.

use std::any::TypeId;
use std::pin::Pin;
use std::sync::Arc;

use super::digest::digest;
use super::lost::Lost;
use super::rows::{End, Row, Rows};
use super::shown::{Ends, Shown};
use super::tables::{Failure, Purpose, Tables};
use crate::error::{Error, Result, quoted};
use crate::limits::Limits;
use crate::path::AttrPath;
use crate::projection::{Base, Projection, write_resource};
use crate::record::{ScimResource, unload_edges};
use crate::schema::ResourceType;
use crate::store::layout::Layout;
use crate::store::links::Links;
use crate::store::{Answer, Document, Freshness, Precondition, Rendered, Stamp, Stored, not_found};
use crate::value::{Action, Cx, DateTime, Edit, Intent, Json, JsonBuf, Strict, View};

/// The work that is under way, whatever it is.
pub(super) type Pending<'a, V> = Pin<Box<dyn Future<Output = V> + Send + 'a>>;

/// A type that the table serves, for what reaches from one into another.
pub(super) trait Served<T: Tables<C>, C>: Send + Sync {
    fn resource_type(&self) -> &'static ResourceType;

    fn type_id(&self) -> TypeId;

    /// Returns those of the ids that resources of this type have.
    fn known<'a>(
        &'a self,
        tables: &'a T,
        unit: &'a mut T::Unit,
        ids: &'a [&'a str],
    ) -> Pending<'a, Result<Vec<String>, Failure>>;

    /// Returns the edges of a resource of this type.
    fn edges<'a>(
        &'a self,
        tables: &'a T,
        unit: &'a mut T::Unit,
        attribute: AttrPath,
        id: &'a str,
    ) -> Pending<'a, Result<Vec<End>, Failure>>;

    /// Returns the resources of this type that have an edge to another.
    fn leading_to<'a>(
        &'a self,
        tables: &'a T,
        unit: &'a mut T::Unit,
        attribute: AttrPath,
        target: &'a str,
    ) -> Pending<'a, Result<Vec<End>, Failure>>;

    /// Takes out the edges of resources of this type that lead to one which is deleted.
    fn cut<'a>(
        &'a self,
        work: &'a mut Work<'_, T, C>,
        attribute: AttrPath,
        lost: &'a Lost<'a>,
    ) -> Pending<'a, Result<()>>;
}

/// A transaction with everything that is needed in it.
pub(super) struct Work<'a, T: Tables<C>, C> {
    pub(super) tables: &'a T,
    pub(super) types: &'a [Arc<dyn Served<T, C>>],
    pub(super) links: &'a Links,
    pub(super) cx: &'a Arc<C>,
    pub(super) unit: &'a mut T::Unit,
    pub(super) purpose: Purpose,
    /// The time of the request.
    pub(super) now: DateTime,
}

impl<T: Tables<C>, C: Send + Sync + 'static> Work<'_, T, C> {
    /// Returns the error that a failure is for the client.
    pub(super) fn error(&self, failure: Failure) -> Error {
        let somebody = |_| Error::uniqueness("Another resource has a value that must be unique.");
        failure.into_error(self.tables, somebody)
    }

    /// Returns the same for a failure while this resource was written.
    pub(super) fn error_of<R: ScimResource>(&self, failure: Failure, resource: &R) -> Error {
        failure.into_error(self.tables, |path| taken(path, resource))
    }

    pub(super) fn served(&self, type_id: TypeId) -> Option<Arc<dyn Served<T, C>>> {
        let mut types = self.types.iter();
        types.find(|served| served.type_id() == type_id).cloned()
    }

    /// Finds a resource, without its edges.
    pub(super) async fn find<R: ScimResource>(
        &mut self,
        layout: &Layout,
        id: &str,
    ) -> Result<Option<Stored<R>>>
    where
        T: Rows<R, C>,
    {
        let row = Rows::<R, C>::find(self.tables, self.unit, id, self.purpose).await;
        match row.map_err(|failure| self.error(failure))? {
            // A table that reads numbers finds 1 for the id 01 as well.
            Some(row) if row.id == id => self.found(layout, row).await.map(Some),
            _ => Ok(None),
        }
    }

    /// Makes a resource without edges of a row.
    pub(super) async fn found<R: ScimResource>(&mut self, layout: &Layout, row: Row<R>) -> Result<Stored<R>>
    where
        T: Rows<R, C>,
    {
        let Row { id, mut resource, .. } = row;
        layout.clear_derived(&mut resource)?;
        unload_edges(&mut resource, &|_| true)?;
        let version = match row.version {
            Some(version) => version,
            None => {
                let edges = self
                    .load::<R>(layout, &id, &|path| is_edges(layout, path))
                    .await?;
                digest(R::RESOURCE_TYPE, &resource, &edges)
            }
        };
        let stamp = Stamp {
            version,
            created: row.created,
            modified: row.modified,
        };
        Ok(Stored::new(&id, &stamp, resource))
    }

    /// Loads the edges of a resource, and what mirrors those of others, as far as they are wanted.
    pub(super) async fn load<R: ScimResource>(
        &mut self,
        layout: &Layout,
        id: &str,
        wanted: &(dyn Fn(AttrPath) -> bool + Sync),
    ) -> Result<Vec<Ends>>
    where
        T: Rows<R, C>,
    {
        let mut loaded: Vec<Ends> = Vec::new();
        for edges in layout.edges.iter().filter(|edges| wanted(edges.path)) {
            let ends = Rows::<R, C>::edges(self.tables, self.unit, edges.path, id, None).await;
            loaded.push(Ends {
                index: edges.index,
                parts: edges.parts,
                mirrors: false,
                ends: ends.map_err(|failure| self.error(failure))?,
            });
        }
        for derived in layout.derived.iter().filter(|derived| wanted(derived.path)) {
            let end = derived.link.edges();
            let Some(owners) = self.served(end.type_id()) else {
                continue;
            };
            let ends = owners.leading_to(self.tables, self.unit, end.path(), id).await;
            let ends = ends.map_err(|failure| self.error(failure))?;
            match loaded.iter_mut().find(|known| known.index == derived.index) {
                Some(known) => known.ends.extend(ends),
                None => loaded.push(Ends {
                    index: derived.index,
                    parts: derived.parts,
                    mirrors: true,
                    ends,
                }),
            }
        }
        Ok(loaded)
    }

    /// Returns a resource with all its edges.
    pub(super) async fn with_edges<R: ScimResource>(
        &mut self,
        layout: &Layout,
        stored: &Stored<R>,
    ) -> Result<Stored<R>>
    where
        T: Rows<R, C>,
    {
        let id = stored.resource.id().as_str();
        let loaded = self.load::<R>(layout, id, &|path| is_edges(layout, path)).await?;
        let mut whole = stored.clone();
        let limits = Limits::default();
        let mut cx = Cx::new(Intent::Stored, &Strict, &limits);
        for ends in &loaded {
            let values = match ends.ends.is_empty() {
                true => JsonBuf::array(std::iter::empty::<Json<'_>>()),
                false => View::Multi(ends).to_json(),
            };
            let edit = Edit::whole(Action::Replace(values.as_json()));
            _ = whole.resource.apply(ends.index, edit, &mut cx)?;
        }
        Ok(whole)
    }

    /// Returns the document that shows a resource.
    pub(super) async fn document<R: ScimResource>(
        &mut self,
        layout: &Layout,
        stored: &Stored<R>,
        want: &Projection,
    ) -> Result<Vec<u8>>
    where
        T: Rows<R, C>,
    {
        let id = stored.resource.id().as_str();
        let loaded = self.load::<R>(layout, id, &|path| want.includes(path)).await?;
        let shown = Shown {
            record: &stored.resource,
            layout,
            loaded: &loaded,
        };
        let mut out = Vec::new();
        write_resource(&mut out, &shown, want, Base::Hole);
        Ok(out)
    }

    pub(super) async fn get<R: ScimResource>(
        &mut self,
        id: &str,
        want: &Projection,
        precondition: &Precondition,
    ) -> Result<Answer<R>>
    where
        T: Rows<R, C>,
    {
        let layout = Layout::of::<R>(self.links)?;
        let found = self
            .find::<R>(&layout, id)
            .await?
            .ok_or_else(|| not_found::<R>(id))?;
        let version = found.version.clone();
        let freshness = precondition.check_read(&version)?;
        if freshness == Freshness::NotModified && !layout.shows_others(want) {
            return Ok(Answer::NotModified(version));
        }
        let document = self.document(&layout, &found, want).await?;
        Ok(rendered(document, &found))
    }
}

/// Returns the answer that shows a resource.
pub(super) fn rendered<R>(document: Vec<u8>, stored: &Stored<R>) -> Answer<R> {
    Answer::Rendered(Rendered {
        document: Document::Whole(document.into()),
        version: stored.version.clone(),
    })
}

/// Returns whether an attribute is marked `edges`.
pub(super) fn is_edges(layout: &Layout, path: AttrPath) -> bool {
    layout.edges.iter().any(|edges| edges.path == path)
}

/// Returns 409 for a value that another resource has.
fn taken<R: ScimResource>(path: AttrPath, resource: &R) -> Error {
    let resource_type = R::RESOURCE_TYPE;
    let value = text_at(&View::Complex(resource), path.steps());
    let value = value
        .map(|value| format!(" {}", quoted(&value)))
        .unwrap_or_default();
    let error = Error::uniqueness(format!(
        "must be unique, but another {} has the value{value}",
        resource_type.name
    ));
    let names: Vec<_> = path.attributes(resource_type.schema.attributes).collect();
    names
        .into_iter()
        .rev()
        .fold(error, |error, attribute| error.at(attribute.name))
}

fn text_at(view: &View<'_>, steps: &[u16]) -> Option<String> {
    match (steps, view.record(), view) {
        ([], _, View::Str(text)) => Some(text.clone().into_owned()),
        ([step, rest @ ..], Some(record), _) => text_at(&record.view(usize::from(*step)), rest),
        _ => None,
    }
}
