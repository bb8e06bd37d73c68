//! Taking in what [`DocumentStore::export`] has written.

use std::sync::Arc;

use super::core::Core;
use super::edges::Moves;
use super::import_line::{Edges, ImportLine, Line, Resource, check_members, limits, read_edges, text};
use super::kind::{ByOthers, Kind};
use super::layout::Layout;
use super::rows::{self, StoredRow};
use super::store::DocumentStore;
use super::write::Job;
use crate::Result;
use crate::error::{Error, quoted};
use crate::limits::Limits;
use crate::policy::{FREE_CERTIFICATES, FREE_FORMATS, Policy};
use crate::store::database::Transaction;
use crate::store::{Cause, Hooks};
use crate::value::Json;

/// Takes in the lines of an export, one by one, in transactions of the application. Cheap to clone.
///
/// It is apart from its store so that it can go into jobs of the database: it does not keep the database open.
pub struct Import<C> {
    core: Arc<Core<C>>,
    policy: Policy,
    limits: Limits,
    hooks: Hooks<C>,
}

impl<C> Clone for Import<C> {
    fn clone(&self) -> Self {
        Self {
            core: Arc::clone(&self.core),
            policy: self.policy.clone(),
            limits: self.limits.clone(),
            hooks: self.hooks.clone(),
        }
    }
}

impl<C: Send + Sync + 'static> DocumentStore<C> {
    /// Takes in what [`DocumentStore::export`] has written, of this store or of another one.
    ///
    /// Lines are read as strictly as requests under [`Policy::strict`], except that what only a service sets (`id`,
    /// `meta`, read-only attributes) is taken as it is, and that formats which no provider keeps to are not checked. Of
    /// `policy` counts which attributes are kept, and nothing else: the others are left out.
    ///
    /// ```
    /// use scim::policy::Policy;
    /// use scim::resources::User;
    /// use scim::store::{Store, Write};
    /// use scim::store::database::Transaction;
    /// use scim::store::documents::DocumentStore;
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let store: DocumentStore<String> = DocumentStore::in_memory()?.resource::<User>().build()?;
    /// let acme = "acme".to_owned().into();
    /// store.write(Write::create(&acme, "2819", User::new("bjensen"))).await?;
    /// // Of one line, as there is but one person.
    /// let chunk = store.export("acme").next().await.unwrap()?;
    ///
    /// let import = store.import(&Policy::default());
    /// let line = import.read(&chunk)?;
    /// let apply = move |tx: &Transaction<'_>| import.apply(tx, &"other".to_owned(), &line);
    /// assert_eq!(store.database().write(apply).await?, 1);
    /// assert_eq!(store.count::<User>("other").await?, 1);
    /// # Ok::<_, scim::Error>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn import(&self, policy: &Policy) -> Import<C> {
        let letter = Policy::strict().with(&FREE_FORMATS).with(&FREE_CERTIFICATES);
        Import {
            core: Arc::clone(self.core()),
            policy: policy.all_kept().cloned().fold(letter, Policy::keeping),
            limits: limits(&Limits::DEFAULT),
            hooks: Hooks::default(),
        }
    }
}

impl<C: Send + Sync + 'static> Import<C> {
    /// Puts the import under the application's rules: they are [asked](Hooks::before_write) of each resource that is new,
    /// and may change or refuse it. Whatever is to be told after a commit is not told: only the application knows when it
    /// has committed.
    #[must_use]
    pub fn hooks(mut self, hooks: Hooks<C>) -> Self {
        self.hooks = hooks;
        self
    }

    /// Sets other limits for the import than the defaults: how long values and resources may be. Whatever was written under
    /// wider limits, or before there were any, is taken in under those.
    #[must_use]
    pub fn limits(mut self, requests: &Limits) -> Self {
        self.limits = limits(requests);
        self
    }

    /// Reads a line, without a look at the database.
    ///
    /// # Errors
    /// 400, with what is wrong with the line.
    pub fn read(&self, line: &[u8]) -> Result<ImportLine> {
        let line = line.trim_ascii();
        if line.is_empty() {
            return Err(Error::invalid_syntax("The line is empty."));
        }
        let json = Json::parse(line, &self.limits)?;
        if !json.is_object() {
            return Err(Error::invalid_syntax(format!(
                "The line must be a JSON object, but is {}.",
                json.describe()
            )));
        }
        let (layout, kind) = self.kind(json)?;
        if let Some(resource) = json.get("resource") {
            check_members(json, &["type", "resource"])?;
            let resource = (kind.read)(layout, resource, &self.policy, &self.limits)?;
            return Ok(ImportLine(Line::Resource(Box::new(resource))));
        }
        check_members(json, &["type", "id", "version", "attribute", "add"])?;
        read_edges(layout, json).map(|edges| ImportLine(Line::Edges(edges)))
    }

    fn kind(&self, json: Json<'_>) -> Result<&(Arc<Layout>, Kind<C>)> {
        let name = text(json, "type")?;
        let mut known = self.core.kinds.iter();
        let known = known.find(|(layout, _)| layout.resource_type.name == name);
        known.ok_or_else(|| {
            let names: Vec<_> = self
                .core
                .in_order()
                .map(|layout| layout.resource_type.name)
                .collect();
            let name = quoted(&name);
            Error::invalid_value(format!("must be {}, but is {name}", names.join(" or "))).at("type")
        })
    }

    /// Writes what the line says into the tenant of `cx`, and answers how many resources or edges are new by that: none
    /// if everything is there already just as the line says. Ids, times and versions are those of the line. The hooks
    /// [in the transaction](crate::store::documents::Builder::in_transaction) are told. If it fails, it has changed nothing.
    ///
    /// Edges are added to a resource that is there. If the resource has the version that the line names, this completes
    /// the state of that version; otherwise it is a change, with another version and time.
    ///
    /// # Errors
    /// 409 if a value that must be unique is taken or another state of the resource is there, 400 if edges lead from or
    /// to nothing, what a hook returns, and those of the database.
    pub fn apply(&self, tx: &Transaction<'_>, cx: &C, line: &ImportLine) -> Result<u64> {
        tx.nested(|tx| {
            let job = Job {
                tx,
                core: &self.core,
                layout: line.layout(),
                tenant: self.core.tenant_for_write(tx, &self.core.tenant_of(cx)?)?,
                cx,
            };
            match &line.0 {
                Line::Resource(resource) => self.apply_resource(&job, resource),
                Line::Edges(edges) => self.apply_edges(&job, edges),
            }
        })
    }

    fn apply_resource(&self, job: &Job<'_, C>, new: &Resource) -> Result<u64> {
        let kind = self.core.numbered(job.layout)?;
        let asked = (kind.ask)(new, &self.hooks, job.cx, &self.policy)?;
        let new = asked.as_ref().unwrap_or(new);
        let (tx, layout, tenant, id) = (job.tx, job.layout, job.tenant, new.id.as_str());
        if let Some(row) = rows::find(tx, layout, tenant, id)? {
            return match row.stamp == new.stamp && row.documents == new.documents {
                true => Ok(0),
                false => Err(other_state(layout, id)),
            };
        }
        job.insert(id, new.stamp, &new.documents, &new.keys)?;
        (kind.imported)(&job.telling(), new)?;
        Ok(1)
    }

    fn apply_edges(&self, job: &Job<'_, C>, line: &Edges) -> Result<u64> {
        let (tx, layout, tenant, id) = (job.tx, job.layout, job.tenant, line.id.as_str());
        let row = rows::find(tx, layout, tenant, id)?;
        let row = row.ok_or_else(|| nothing_there(layout, id))?;
        let Some(edges) = layout.edges.get(line.at) else {
            return Ok(0);
        };
        let mut moves = Moves::new(tx, Some(tx), tenant, row.rid, edges);
        for id in &line.add {
            moves.add_id(id, None)?;
        }
        let moved = moves.moved();
        if moved.is_none() {
            return Ok(0);
        }
        let count = i64::try_from(moved.added).unwrap_or(i64::MAX);
        let next = self.with_edges(layout, &row, line, count)?;
        rows::restamp(tx, tenant, &next)?;
        let told = ByOthers {
            id,
            before: &row,
            after: &next,
            edges: vec![moved],
            cause: &Cause::Write,
            consequences: None,
        };
        (self.core.numbered(layout)?.moved)(&job.telling(), told)?;
        Ok(count.unsigned_abs())
    }

    /// Returns the row with more edges.
    fn with_edges(&self, layout: &Layout, row: &StoredRow, line: &Edges, more: i64) -> Result<StoredRow> {
        let completes = line.version.as_ref() == Some(&row.stamp.version());
        let stamp = match completes {
            true => row.stamp,
            false => row.stamp.next(self.core.now())?,
        };
        row.restamped(layout, &line.id, stamp, row.edges + more)
    }
}

fn other_state(layout: &Layout, id: &str) -> Error {
    let (name, id) = (layout.resource_type.name, quoted(id));
    Error::new(
        http::StatusCode::CONFLICT,
        format!("There is a {name} {id} already, in another state than the line says."),
    )
}

fn nothing_there(layout: &Layout, id: &str) -> Error {
    let (name, id) = (layout.resource_type.name, quoted(id));
    Error::invalid_value(format!(
        "names {id}, but there is no {name} with this id: resources stand before their edges"
    ))
    .at("id")
}
