//! Writes: decided on what the transaction finds, carried out and answered in it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::lost::Lost;
use super::rows::{End, Row, Rows};
use super::shown::reached;
use super::tables::Tables;
use super::work::{Work, rendered};
use crate::error::{Error, Result, quoted};
use crate::filter::ResolvedFilter;
use crate::limits::Steps;
use crate::path::AttrPath;
use crate::record::ScimResource;
use crate::schema::ResourceType;
use crate::store::edge_diff::{EdgeDiff, EdgeSet, selects};
use crate::store::edges::{Edge, EdgeChange, EdgeEdit, NamedKeys};
use crate::store::layout::{EdgeAttribute, Layout};
use crate::store::{
    Cause, Current, Decision, Event, Loads, MOST_EDGES_NAMED, MovedEdges, Put, Reply, Stored, Transition,
    Version, Write, Written, not_found,
};
use crate::value::View;

/// How many ids one statement names.
const AT_ONCE: usize = 500;

/// The change of the edges of one attribute.
struct Moved<'l> {
    attribute: &'l EdgeAttribute,
    removed: Vec<End>,
    added: Vec<End>,
}

impl Moved<'_> {
    fn is_none(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty()
    }

    fn told(&self) -> MovedEdges {
        let ids = |ends: &'_ [End]| ends.iter().map(|end| end.id.clone()).collect::<Vec<_>>();
        let (added, removed) = (ids(&self.added), ids(&self.removed));
        MovedEdges::new(
            self.attribute.attribute.name,
            added.iter().map(String::as_str),
            removed.iter().map(String::as_str),
        )
    }
}

impl<T: Tables<C>, C: Send + Sync + 'static> Work<'_, T, C> {
    pub(super) async fn write<R: ScimResource>(&mut self, write: &Write<R, C>) -> Result<Written<R>>
    where
        T: Rows<R, C>,
    {
        let layout = Layout::of::<R>(self.links)?;
        let current = match write.loads() {
            Loads::Nothing => None,
            _ => self.find::<R>(&layout, write.id()).await?,
        };
        let decision = match &current {
            None => write.decide(None, self.now)?,
            Some(found) if write.loads() == Loads::ResourceWithEdges => {
                let whole = self.with_edges(&layout, found).await?;
                write.decide(Some(&whole), self.now)?
            }
            Some(found) => write.decide(Current::Stored(found), self.now)?,
        };
        let (id, changed) = match (decision, &current) {
            (Decision::Put(put), None) => (self.create(&layout, write, *put).await?, true),
            (Decision::Put(put), Some(found)) => {
                let changed = self.put(&layout, write, found, *put).await?;
                (write.id().to_owned(), changed)
            }
            (Decision::Keep, Some(_)) => (write.id().to_owned(), false),
            (Decision::Delete, Some(found)) => return self.delete(&layout, write, found).await,
            (Decision::Keep | Decision::Delete, None) => return Err(not_found::<R>(write.id())),
        };
        self.written(&layout, id, changed, &write.reply()).await
    }

    async fn create<R: ScimResource>(
        &mut self,
        layout: &Layout,
        write: &Write<R, C>,
        put: Put<R>,
    ) -> Result<String>
    where
        T: Rows<R, C>,
    {
        let resource = put
            .resource
            .ok_or_else(|| Error::internal("a new resource without state"))?;
        let mut row = Row::next(write.id(), &put.stamp, resource);
        layout.clear_derived(&mut row.resource)?;
        let moved = self.changes::<R>(layout, None, &put.edges, write.steps()).await?;
        let inserted = Rows::<R, C>::insert(self.tables, self.unit, &row).await;
        let id = inserted.map_err(|failure| self.error_of(failure, &row.resource))?;
        let told = self.edit::<R>(&id, &moved).await?;
        write.moved(told.iter().cloned());
        let after = put.handed_on.unwrap_or(row.resource);
        let stored = self.again::<R>(layout, &id).await?;
        let after = Stored::new(&id, &stored.stamp(), after).resource;
        let event = Event::new(
            &*id,
            stored.version,
            Transition::Created { after },
            told,
            Cause::Write,
        );
        self.record(write.noted(event)).await?;
        Ok(id)
    }

    /// Makes the next state of a row. Says whether it is another one.
    async fn put<R: ScimResource>(
        &mut self,
        layout: &Layout,
        write: &Write<R, C>,
        current: &Stored<R>,
        put: Put<R>,
    ) -> Result<bool>
    where
        T: Rows<R, C>,
    {
        let id = current.resource.id().as_str();
        let moved = self
            .changes::<R>(layout, Some(id), &put.edges, write.steps())
            .await?;
        if put.resource.is_none() && moved.iter().all(Moved::is_none) {
            return Ok(false);
        }
        let resource = put.resource.unwrap_or_else(|| current.resource.clone());
        let mut row = Row::next(id, &put.stamp, resource);
        layout.clear_derived(&mut row.resource)?;
        self.update(&row, &current.version).await?;
        let told = self.edit::<R>(id, &moved).await?;
        write.moved(told.iter().cloned());
        let after = put.handed_on.unwrap_or(row.resource);
        let stored = self.again::<R>(layout, id).await?;
        let transition = Transition::Changed {
            before: Some(current.resource.clone()),
            after: Some(Stored::new(id, &stored.stamp(), after).resource),
        };
        let event = Event::new(id, stored.version, transition, told, Cause::Write);
        self.record(write.noted(event)).await?;
        Ok(true)
    }

    async fn update<R: ScimResource>(&mut self, row: &Row<R>, expected: &Version) -> Result<()>
    where
        T: Rows<R, C>,
    {
        let updated = Rows::<R, C>::update(self.tables, self.unit, row, expected).await;
        match updated.map_err(|failure| self.error_of(failure, &row.resource))? {
            true => Ok(()),
            false => Err(Error::conflict()),
        }
    }

    async fn delete<R: ScimResource>(
        &mut self,
        layout: &Layout,
        write: &Write<R, C>,
        current: &Stored<R>,
    ) -> Result<Written<R>>
    where
        T: Rows<R, C>,
    {
        let id = write.id();
        let mut told = Vec::new();
        for edges in &layout.edges {
            let count = Rows::<R, C>::count_edges(self.tables, self.unit, edges.path, id).await;
            let count = count.map_err(|failure| self.error(failure))?;
            // More than are named are not loaded to name some of them.
            let ends = match count <= MOST_EDGES_NAMED {
                true => Rows::<R, C>::edges(self.tables, self.unit, edges.path, id, None).await,
                false => Ok(Vec::new()),
            };
            let ends = ends.map_err(|failure| self.error(failure))?;
            let ids = ends.into_iter().map(|end| end.id).collect();
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            told.push(MovedEdges::gone(edges.attribute.name, count, ids));
        }
        told.retain(|edges| !edges.is_none());
        write.moved(told.iter().cloned());
        self.cut_edges_to(write).await?;
        // A resource may have had an edge to itself, and is another version without it.
        let last = self.again::<R>(layout, id).await?;
        let removed = Rows::<R, C>::remove(self.tables, self.unit, id, &last.version).await;
        if !removed.map_err(|failure| self.error(failure))? {
            return Err(Error::conflict());
        }
        let transition = Transition::Deleted {
            before: Some(current.resource.clone()),
        };
        let event = Event::new(id, current.version.clone(), transition, told, Cause::Write);
        self.record(write.noted(event)).await?;
        Ok(Written {
            id: id.to_owned(),
            version: current.version.clone(),
            changed: true,
            answer: None,
        })
    }

    /// Takes out the edges that lead to a resource, which makes their owners new versions.
    async fn cut_edges_to<R: ScimResource>(&mut self, write: &Write<R, C>) -> Result<()> {
        let lost = Lost {
            end: End::of::<R>(write.id(), None),
            cause: write.as_cause(),
            consequences: write.consequences(),
        };
        for link in self.links.iter() {
            let owners = self.served(link.edges().type_id());
            let leads_here = link.targets().contains(&R::RESOURCE_TYPE.name);
            if let Some(owners) = owners.filter(|_| leads_here) {
                owners.cut(self, link.edges().path(), &lost).await?;
            }
        }
        Ok(())
    }

    /// Takes out the edges in the rows of one type in this way.
    pub(super) async fn cut_in<R: ScimResource>(&mut self, attribute: AttrPath, lost: &Lost<'_>) -> Result<()>
    where
        T: Rows<R, C>,
    {
        let layout = Layout::of::<R>(self.links)?;
        let owners = Rows::<R, C>::leading_to(self.tables, self.unit, attribute, &lost.end.id).await;
        for owner in owners.map_err(|failure| self.error(failure))? {
            if let Some(current) = self.find::<R>(&layout, &owner.id).await? {
                self.lose_edge(&layout, attribute, &current, lost).await?;
            }
        }
        Ok(())
    }

    async fn lose_edge<R: ScimResource>(
        &mut self,
        layout: &Layout,
        attribute: AttrPath,
        current: &Stored<R>,
        lost: &Lost<'_>,
    ) -> Result<()>
    where
        T: Rows<R, C>,
    {
        let id = current.resource.id().as_str();
        let row = Row::next(id, &current.stamp().next(self.now), current.resource.clone());
        self.update(&row, &current.version).await?;
        let gone = std::slice::from_ref(&lost.end);
        let edited = Rows::<R, C>::edit_edges(self.tables, self.unit, attribute, id, gone, &[]).await;
        edited.map_err(|failure| self.error(failure))?;
        let after = self.again::<R>(layout, id).await?;
        let name = attribute.attribute(R::RESOURCE_TYPE.schema.attributes);
        let name = name.map_or("", |attribute| attribute.name);
        let removed = MovedEdges::lost(name, &lost.end.id);
        let transition = Transition::Changed {
            before: Some(current.resource.clone()),
            after: Some(after.resource),
        };
        let event = Event::new(id, after.version, transition, vec![removed], lost.cause.clone());
        if let Some(consequences) = lost.consequences.filter(|others| others.are_heard::<R>()) {
            consequences.push(event.clone());
        }
        self.record(event).await
    }

    /// Finds the row that this transaction has just written.
    async fn again<R: ScimResource>(&mut self, layout: &Layout, id: &str) -> Result<Stored<R>>
    where
        T: Rows<R, C>,
    {
        let found = self.find::<R>(layout, id).await?;
        found.ok_or_else(|| {
            Error::internal(format!(
                "a transaction does not find the row {id} that it has written"
            ))
        })
    }

    /// Has the application carry out its own statements.
    async fn record<R: ScimResource>(&mut self, event: Event<R>) -> Result<()>
    where
        T: Rows<R, C>,
    {
        let cx = Arc::clone(self.cx);
        let recorded = Rows::<R, C>::record(self.tables, self.unit, &cx, &event).await;
        recorded.map_err(|failure| match event.after().or(event.before()) {
            Some(resource) => self.error_of(failure, resource),
            None => self.error(failure),
        })
    }

    async fn written<R: ScimResource>(
        &mut self,
        layout: &Layout,
        id: String,
        changed: bool,
        reply: &Reply,
    ) -> Result<Written<R>>
    where
        T: Rows<R, C>,
    {
        let stored = self.again::<R>(layout, &id).await?;
        let answer = match self.is_too_large::<R>(layout, &id, reply).await? {
            true => None,
            false => Some(rendered(
                self.document(layout, &stored, &reply.want).await?,
                &stored,
            )),
        };
        Ok(Written {
            version: stored.version,
            id,
            changed,
            answer,
        })
    }

    async fn is_too_large<R: ScimResource>(
        &mut self,
        layout: &Layout,
        id: &str,
        reply: &Reply,
    ) -> Result<bool>
    where
        T: Rows<R, C>,
    {
        let Some(most) = reply.most_edges else {
            return Ok(false);
        };
        for edges in &layout.edges {
            let count = Rows::<R, C>::count_edges(self.tables, self.unit, edges.path, id).await;
            if count.map_err(|failure| self.error(failure))? > most {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Works out what becomes of the edges of a row by some edits; of a new row, there are none yet. No edge is read that
    /// no edit names, unless an edit says which are to be all, or selects by something else.
    async fn changes<'l, R: ScimResource>(
        &mut self,
        layout: &'l Layout,
        id: Option<&str>,
        edits: &[EdgeEdit],
        mut steps: Steps,
    ) -> Result<Vec<Moved<'l>>>
    where
        T: Rows<R, C>,
    {
        let mut moved = Vec::new();
        for attribute in &layout.edges {
            let edits: Vec<_> = edits
                .iter()
                .filter(|edit| edit.attribute == attribute.path)
                .collect();
            let held = match id {
                Some(id) if !edits.is_empty() => self.held::<R>(attribute, id, &edits).await?,
                _ => Vec::new(),
            };
            let targets = targets::<R, C, T>(self.tables, attribute);
            let types = match &targets {
                Some(targets) => self.types_of(&arriving(&edits, &held), targets).await?,
                None => HashMap::new(),
            };
            let change = differ(attribute, held, &edits, &types, &mut steps)?;
            moved.push(settle(attribute, change, targets.as_deref(), &types)?);
        }
        Ok(moved)
    }

    /// Returns the edges of a row that some edits may be about.
    async fn held<R: ScimResource>(
        &mut self,
        attribute: &EdgeAttribute,
        id: &str,
        edits: &[&EdgeEdit],
    ) -> Result<Vec<End>>
    where
        T: Rows<R, C>,
    {
        let Some(named) = named(attribute, edits) else {
            let all = Rows::<R, C>::edges(self.tables, self.unit, attribute.path, id, None).await;
            return all.map_err(|failure| self.error(failure));
        };
        let mut held = Vec::new();
        for named in named.chunks(AT_ONCE) {
            let some = Rows::<R, C>::edges(self.tables, self.unit, attribute.path, id, Some(named)).await;
            held.extend(some.map_err(|failure| self.error(failure))?);
        }
        Ok(held)
    }

    /// Finds out of which of these types the resources with these ids are. Of what does not exist, nothing is found.
    async fn types_of(&mut self, ids: &[&str], targets: &[&'static str]) -> Result<Types> {
        let mut types = Types::new();
        let mut unknown = ids.to_vec();
        for served in self.types {
            if unknown.is_empty() || !targets.contains(&served.resource_type().name) {
                continue;
            }
            for some in unknown.chunks(AT_ONCE) {
                let known = served.known(self.tables, self.unit, some).await;
                let known = known.map_err(|failure| self.error(failure))?;
                types.extend(known.into_iter().map(|id| (id, served.resource_type())));
            }
            unknown.retain(|id| !types.contains_key(*id));
        }
        Ok(types)
    }

    /// Writes what becomes of the edges, and says it.
    async fn edit<R: ScimResource>(&mut self, id: &str, moved: &[Moved<'_>]) -> Result<Vec<MovedEdges>>
    where
        T: Rows<R, C>,
    {
        let mut told = Vec::new();
        for moved in moved.iter().filter(|moved| !moved.is_none()) {
            let (path, name) = (moved.attribute.path, moved.attribute.attribute.name);
            let (removed, added) = (&moved.removed, &moved.added);
            let edited = Rows::<R, C>::edit_edges(self.tables, self.unit, path, id, removed, added).await;
            edited.map_err(|failure| self.error(failure).at(name))?;
            told.push(moved.told());
        }
        Ok(told)
    }
}

/// Returns the types to which edges in an attribute may lead; `None` for one that is not linked, whose edges lead anywhere.
fn targets<R, C, T>(tables: &T, attribute: &EdgeAttribute) -> Option<Vec<&'static str>>
where
    R: ScimResource,
    C: Send + Sync + 'static,
    T: Rows<R, C>,
{
    let mut targets = attribute.link.as_ref()?.targets();
    if let Some(here) = tables.edge_targets(attribute.path) {
        targets.retain(|target| here.contains(target));
    }
    Some(targets)
}

/// The types of resources, by their ids.
type Types = HashMap<String, &'static ResourceType>;

/// Returns the ids of all edges that some edits may add to those that are held.
fn arriving<'e>(edits: &[&'e EdgeEdit], held: &[End]) -> Vec<&'e str> {
    let held: HashSet<_> = held.iter().map(|end| end.id.as_str()).collect();
    let edges = edits.iter().flat_map(|edit| match &edit.change {
        EdgeChange::Add(edges) | EdgeChange::Set(edges) => edges.as_slice(),
        EdgeChange::Remove(_) | EdgeChange::RemoveWhere(_) => &[],
    });
    let ids = edges.map(|edge| &*edge.value);
    ids.filter(|id| !held.contains(id)).collect()
}

/// Refuses new edges that lead to nothing.
fn settle<'l>(
    attribute: &'l EdgeAttribute,
    change: Difference,
    targets: Option<&[&str]>,
    types: &Types,
) -> Result<Moved<'l>> {
    if let Some(targets) = targets {
        let mut added = change.added.iter();
        if let Some((edge, operation)) = added.find(|(edge, _)| !types.contains_key(&*edge.value)) {
            return Err(leads_nowhere(attribute, edge, *operation, targets));
        }
    }
    let added = change.added.iter().map(|(edge, _)| new_end(edge, types));
    Ok(Moved {
        attribute,
        added: added.collect(),
        removed: change.removed,
    })
}

/// Makes the other end of an edge that is new.
fn new_end(edge: &Edge, types: &Types) -> End {
    End {
        id: edge.value.to_string(),
        resource_type: types.get(&*edge.value).copied(),
        display: None,
        rest: edge.rest.clone(),
    }
}

/// The difference that edits make: what goes, and what comes with the operation of a PATCH that has added it.
struct Difference {
    removed: Vec<End>,
    added: Vec<(Edge, Option<usize>)>,
}

fn differ(
    attribute: &EdgeAttribute,
    held: Vec<End>,
    edits: &[&EdgeEdit],
    types: &Types,
    steps: &mut Steps,
) -> Result<Difference> {
    let fold = attribute.fold();
    let mut base = EdgeSet::default();
    let mut ends = HashMap::new();
    for end in held {
        let key: Arc<str> = fold.key(&end.id).into();
        let edge = Edge {
            value: end.id.as_str().into(),
            rest: end.rest.clone(),
        };
        base.insert(Arc::clone(&key), edge);
        ends.insert(key, end);
    }
    let mut selected = |filter: &ResolvedFilter, edge: &Edge| {
        let end = ends.get(&*fold.key(&edge.value)).cloned();
        let end = end.unwrap_or_else(|| new_end(edge, types));
        selects(
            filter,
            &View::Complex(&reached(attribute.parts, &end, false)),
            steps,
        )
    };
    let mut diff = EdgeDiff::default();
    for edit in edits {
        diff.edit(attribute, Some(&base), edit, &mut selected)?;
    }
    let operations: HashMap<_, _> = diff
        .iter(None)
        .filter_map(|(key, _)| Some((Arc::clone(key), diff.operation(key)?)))
        .collect();
    let settled = diff.settle(Some(&base));
    let added = settled.added.into_iter();
    Ok(Difference {
        added: added
            .map(|(key, edge)| (edge, operations.get(&key).copied()))
            .collect(),
        removed: settled
            .removed
            .iter()
            .filter_map(|key| ends.remove(key))
            .collect(),
    })
}

/// Returns the ids of all edges that some edits may be about; `None` if they may be about any.
fn named<'e>(attribute: &EdgeAttribute, edits: &[&'e EdgeEdit]) -> Option<Vec<&'e str>> {
    let mut named = Vec::new();
    for edit in edits {
        match &edit.change {
            EdgeChange::Set(_) => return None,
            EdgeChange::Add(edges) | EdgeChange::Remove(edges) => {
                named.extend(edges.iter().map(|edge| &*edge.value));
            }
            EdgeChange::RemoveWhere(filter) => {
                named.extend(NamedKeys::of(filter.expression(), attribute.parts.value)?.keys);
            }
        }
    }
    // If case is ignored, an id may be written in another one than it is kept in.
    (attribute.fold() == crate::fold::Fold::Exact).then_some(named)
}

/// Returns 400 for an edge that leads to nothing: to no resource of this tenant, or to one of another type.
fn leads_nowhere(
    attribute: &EdgeAttribute,
    edge: &Edge,
    operation: Option<usize>,
    targets: &[&str],
) -> Error {
    let error = Error::invalid_value(format!(
        "names {}, but there is no {} with this id",
        quoted(&edge.value),
        targets.join(" or ")
    ));
    let error = error.at(attribute.attribute.name);
    match operation {
        Some(index) => error.in_operation(index),
        None => error,
    }
}
