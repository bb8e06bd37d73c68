//! Taking in what [`Sqlite::export`] has written.

use std::sync::Arc;

use super::core::Core;
use super::document::{self, Documents, Stamp};
use super::edges::Done;
use super::keys::Keys;
use super::layout::Layout;
use super::rows::{self, Kept};
use super::store::Sqlite;
use super::tables;
use crate::Result;
use crate::error::{Error, quoted};
use crate::limits::Limits;
use crate::path::AttrPath;
use crate::policy::{FREE_FORMATS, Policy};
use crate::record::{Record, ScimResource};
use crate::schema::ResourceType;
use crate::store::sqlite::Transaction;
use crate::store::{HasTenant, Version, Write};
use crate::value::json::Kind;
use crate::value::{Cx, Intent, Json, ResourceId};

/// Edges that one line may hold: each line is one step of a transaction that others wait for.
const MOST_EDGES: usize = 10_000;
/// Bytes of an identifier.
const LONGEST_ID: usize = 1_024;

/// Takes in the lines of an export, one by one, in transactions of the application. Cheap to clone.
///
/// It is apart from its store so that it can go into jobs of the database: it does not keep the database open.
pub struct Import<C> {
    core: Arc<Core<C>>,
    policy: Policy,
}

impl<C> Clone for Import<C> {
    fn clone(&self) -> Self {
        Self {
            core: Arc::clone(&self.core),
            policy: self.policy.clone(),
        }
    }
}

/// A line that was read and found well-formed: a resource, or edges of one.
pub struct ImportLine(Line);

enum Line {
    Resource(Box<Resource>),
    Edges(Edges),
}

/// A resource with everything that its row needs.
pub(super) struct Resource {
    layout: Arc<Layout>,
    id: String,
    stamp: Stamp,
    documents: Documents,
    keys: Keys,
    record: Box<dyn Record + Send + Sync>,
}

struct Edges {
    layout: Arc<Layout>,
    /// Which attribute of edges, by its place in the layout.
    at: usize,
    id: String,
    /// The version that the resource had with all its edges.
    version: Option<Version>,
    add: Vec<String>,
}

/// Reads a resource of a type that is not known where it is needed.
pub(super) type ReadResource = fn(&Arc<Layout>, Json<'_>, &Policy) -> Result<Resource>;

impl ImportLine {
    /// The type of the resource that the line is about.
    #[must_use]
    pub fn resource_type(&self) -> &'static ResourceType {
        match &self.0 {
            Line::Resource(resource) => resource.layout.resource_type,
            Line::Edges(edges) => edges.layout.resource_type,
        }
    }

    /// How many edges the line has; `None` if it is a resource.
    #[must_use]
    pub fn edges(&self) -> Option<usize> {
        match &self.0 {
            Line::Resource(_) => None,
            Line::Edges(edges) => Some(edges.add.len()),
        }
    }
}

impl<C: HasTenant + Clone + Send + Sync + 'static> Sqlite<C> {
    /// Takes in what [`Sqlite::export`] has written, of this store or of another one.
    ///
    /// Lines are read as strictly as requests under [`Policy::strict`], except that what only a service sets (`id`,
    /// `meta`, read-only attributes) is taken as it is, and that formats which no provider keeps to are not checked. Of
    /// `policy` counts which attributes are kept, and nothing else: the others are left out.
    ///
    /// ```
    /// use scim::policy::Policy;
    /// use scim::resources::User;
    /// use scim::store::Store;
    /// use scim::store::sqlite::{Sqlite, Transaction};
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let store: Sqlite<String> = Sqlite::in_memory()?.resource::<User>().build()?;
    /// store.create(&"acme".to_owned(), User::new("bjensen")).await?;
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
        let letter = Policy::strict().with(&FREE_FORMATS);
        Import {
            core: Arc::clone(self.core()),
            policy: policy.all_kept().cloned().fold(letter, Policy::keeping),
        }
    }
}

impl<C: HasTenant + 'static> Import<C> {
    /// Reads a line, without a look at the database.
    ///
    /// # Errors
    /// 400, with what is wrong with the line.
    pub fn read(&self, line: &[u8]) -> Result<ImportLine> {
        let line = line.trim_ascii();
        if line.is_empty() {
            return Err(Error::invalid_syntax("The line is empty."));
        }
        let json = Json::parse(line, &limits())?;
        if !json.is_object() {
            return Err(Error::invalid_syntax(format!(
                "The line must be a JSON object, but is {}.",
                json.describe()
            )));
        }
        let (layout, read) = self.kind(json)?;
        if let Some(resource) = json.get("resource") {
            check_members(json, &["type", "resource"])?;
            let resource = read(layout, resource, &self.policy)?;
            return Ok(ImportLine(Line::Resource(Box::new(resource))));
        }
        check_members(json, &["type", "id", "version", "attribute", "add"])?;
        read_edges(layout, json).map(|edges| ImportLine(Line::Edges(edges)))
    }

    fn kind(&self, json: Json<'_>) -> Result<(&Arc<Layout>, ReadResource)> {
        let name = text(json, "type")?;
        let known = self.core.kinds.iter();
        let known = known
            .map(|(layout, read)| (layout, *read))
            .find(|(layout, _)| layout.resource_type.name == name);
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
    /// if everything is there already just as the line says. Ids, times and versions are those of the line. Who has
    /// joined the store's writes is told. If it fails, it has changed nothing.
    ///
    /// Edges are added to a resource that is there. If the resource has the version that the line names, this completes
    /// the state of that version; otherwise it is a change, with another version and time.
    ///
    /// # Errors
    /// 409 if a value that must be unique is taken or another state of the resource is there, 400 if edges lead from or
    /// to nothing, what a [`Joined`](crate::store::sqlite::Joined) returns, and those of the database.
    pub fn apply(&self, tx: &Transaction<'_>, cx: &C, line: &ImportLine) -> Result<u64> {
        tx.nested(|tx| {
            let tenant = self.core.tenant_for_write(tx, cx.tenant())?;
            match &line.0 {
                Line::Resource(resource) => self.apply_resource(tx, cx, tenant, resource),
                Line::Edges(edges) => self.apply_edges(tx, cx, tenant, edges),
            }
        })
    }

    fn apply_resource(&self, tx: &Transaction<'_>, cx: &C, tenant: i64, new: &Resource) -> Result<u64> {
        let (layout, id) = (&*new.layout, new.id.as_str());
        if let Some(row) = rows::find(tx, layout, tenant, id)? {
            return match row.stamp == new.stamp && row.documents == new.documents {
                true => Ok(0),
                false => Err(other_state(layout, id)),
            };
        }
        rows::insert(tx, layout, tenant, id, new.stamp, &new.documents, &new.keys)?;
        tables::counted(tx, tenant, layout.number, 1)?;
        if self.core.is_joined() {
            let after = Write::Created { after: &*new.record };
            self.core.tell(tx, cx, layout, id, &after)?;
        }
        Ok(1)
    }

    fn apply_edges(&self, tx: &Transaction<'_>, cx: &C, tenant: i64, line: &Edges) -> Result<u64> {
        let (layout, id) = (&*line.layout, line.id.as_str());
        let row = rows::find(tx, layout, tenant, id)?;
        let row = row.ok_or_else(|| nothing_there(layout, id))?;
        let Some(edges) = layout.edges.get(line.at) else {
            return Ok(0);
        };
        let mut done = Done::new(tx, tenant, row.rid, edges);
        for id in &line.add {
            done.add_id(id)?;
        }
        let (added, _) = done.finish();
        if added.is_empty() {
            return Ok(0);
        }
        let count = i64::try_from(added.len()).unwrap_or(i64::MAX);
        let next = self.with_edges(layout, &row, line, count)?;
        rows::restamp(tx, &next)?;
        if let Some((_, decode)) = self.core.numbered.get(&layout.number)
            && self.core.is_joined()
        {
            let before = decode(layout, &row.documents)?;
            let after = decode(layout, &next.documents)?;
            let write = Write::Changed {
                before: &*before,
                after: &*after,
                added: &added,
                removed: &[],
            };
            self.core.tell(tx, cx, layout, id, &write)?;
        }
        Ok(count.unsigned_abs())
    }

    /// The row with more edges.
    fn with_edges(&self, layout: &Layout, row: &Kept, line: &Edges, more: i64) -> Result<Kept> {
        let completes = line.version.as_ref() == Some(&row.stamp.version());
        let stamp = match completes {
            true => row.stamp,
            false => row.stamp.next(self.core.now()),
        };
        Ok(Kept {
            rid: row.rid,
            stamp,
            edges: row.edges + more,
            documents: Documents {
                visible: Documents::stamped(&row.documents.visible, layout, &line.id, stamp)?,
                hidden: row.documents.hidden.clone(),
            },
        })
    }
}

/// What has been kept may be larger than what one request may send, by as much as the file that holds it allows.
fn limits() -> Limits {
    let requests = Limits::default();
    Limits {
        // A line is an object around the resource.
        json_depth: requests.json_depth + 1,
        operation_values: usize::MAX,
        ..requests
    }
}

/// Reads a resource and makes ready what its row needs.
pub(super) fn read_resource<R: ScimResource>(
    layout: &Arc<Layout>,
    json: Json<'_>,
    policy: &Policy,
) -> Result<Resource> {
    let limits = limits();
    let mut cx = Cx::new(Intent::Import, policy, &limits);
    let mut resource = R::decode(json, &mut cx)?;
    policy.strip(R::RESOURCE_TYPE.schema.id, &mut resource, &mut cx)?;
    policy.check(&resource)?;
    check_apart(layout, &resource)?;
    let id = id(resource.id())?;
    let stamp = stamp(layout, &resource)?;
    *resource.meta_mut() = stamp.meta(layout, &id);
    Ok(Resource {
        documents: Documents::of(layout, &resource)?,
        keys: Keys::of(layout, &resource),
        layout: Arc::clone(layout),
        id,
        stamp,
        record: Box::new(resource),
    })
}

/// Refuses what a resource is not imported with: edges, which have lines of their own, what the store derives, and what
/// nobody keeps.
fn check_apart(layout: &Layout, record: &dyn Record) -> Result<()> {
    let derived = layout.derived.iter().map(|derived| derived.path);
    for path in derived {
        if carries(record, path) {
            return Err(
                Error::invalid_value("is derived from others and cannot be imported").at(layout.name(path)),
            );
        }
    }
    for edges in &layout.edges {
        if super::edges::ids_in(record, edges).is_some_and(|ids| !ids.is_empty()) {
            return Err(Error::invalid_value(
                "belongs into lines of its own: {\"type\":…,\"id\":…,\"attribute\":…,\"add\":[…]}",
            )
            .at(layout.name(edges.path)));
        }
    }
    match document::has_transient(layout, record) {
        true => Err(Error::invalid_value(
            "The line has a value that is handed on and never kept, such as a password: take it out.",
        )),
        false => Ok(()),
    }
}

fn carries(record: &dyn Record, path: AttrPath) -> bool {
    super::keys::at(record, path, &|view| view.is_present().then_some(())).is_some()
}

fn id(id: &ResourceId) -> Result<String> {
    check_id(id.as_str()).map_err(|error| error.at("id"))?;
    Ok(id.as_str().to_owned())
}

/// RFC 7643 section 3.1: an identifier is never empty, and never `bulkId`.
fn check_id(id: &str) -> Result<()> {
    let why = match id {
        "" => "is required, but missing or empty",
        "bulkId" => "must not be the keyword bulkId",
        _ if id.len() > LONGEST_ID => "is longer than 1,024 bytes",
        _ if id.chars().any(char::is_control) => "has a control character",
        _ => return Ok(()),
    };
    Err(Error::invalid_value(why))
}

fn stamp<R: ScimResource>(layout: &Layout, resource: &R) -> Result<Stamp> {
    let meta = resource.meta();
    let required = |name: &'static str| {
        Error::invalid_value("is required, but missing")
            .at(name)
            .at("meta")
    };
    let name = layout.resource_type.name;
    if meta.resource_type.as_deref().is_some_and(|found| found != name) {
        let why = format!("must be {name}, as the type of the line");
        return Err(Error::invalid_value(why).at("resourceType").at("meta"));
    }
    let created = meta.created.ok_or_else(|| required("created"))?;
    let modified = meta.last_modified.ok_or_else(|| required("lastModified"))?;
    if modified < created {
        let why = "is before meta.created";
        return Err(Error::invalid_value(why).at("lastModified").at("meta"));
    }
    let tag = meta.version.as_deref().ok_or_else(|| required("version"))?;
    let version: Option<i64> = Version::of_entity_tag(tag).as_str().parse().ok();
    let version = version.filter(|version| (1..i64::MAX / 2).contains(version));
    let version = version.ok_or_else(|| {
        let tag = quoted(tag);
        let why = format!("must be a version of this store, such as W/\"3\", but is {tag}");
        Error::invalid_value(why).at("version").at("meta")
    })?;
    Ok(Stamp {
        version,
        created: created.as_unix_micros(),
        modified: modified.as_unix_micros(),
    })
}

fn read_edges(layout: &Arc<Layout>, json: Json<'_>) -> Result<Edges> {
    let name = text(json, "attribute")?;
    let at = layout
        .edges
        .iter()
        .position(|edges| layout.name(edges.path) == name);
    let at = at.ok_or_else(|| {
        let (name, of) = (quoted(&name), layout.resource_type.name);
        Error::invalid_value(format!(
            "must be an attribute of {of} that is kept as edges, but is {name}"
        ))
        .at("attribute")
    })?;
    let id = text(json, "id")?;
    check_id(&id).map_err(|error| error.at("id"))?;
    let version = match json.get("version") {
        Some(_) => Some(Version::of_entity_tag(&text(json, "version")?)),
        None => None,
    };
    let list = json.get("add").filter(|list| list.is_array());
    let list = list.ok_or_else(|| Error::invalid_value("must be an array of identifiers").at("add"))?;
    let mut add = Vec::new();
    for (index, element) in list.elements().enumerate() {
        if index == MOST_EDGES {
            return Err(Error::invalid_value("has more than 10,000 values: write several lines").at("add"));
        }
        let id = element.as_str().ok_or_else(|| {
            let why = format!("must be an identifier, but is {}", element.describe());
            Error::invalid_value(why).at_index(index).at("add")
        })?;
        add.push(id.into_owned());
    }
    let layout = Arc::clone(layout);
    Ok(Edges {
        layout,
        at,
        id,
        version,
        add,
    })
}

fn text(json: Json<'_>, name: &'static str) -> Result<String> {
    let value = json.get(name).unwrap_or(Json::NULL);
    match (value.as_str(), value.kind()) {
        (Some(text), _) => Ok(text.into_owned()),
        (None, Kind::Null) => Err(Error::invalid_value("is required, but missing").at(name)),
        (None, _) => {
            let why = format!("must be a string, but is {}", value.describe());
            Err(Error::invalid_value(why).at(name))
        }
    }
}

fn check_members(json: Json<'_>, known: &[&str]) -> Result<()> {
    let unknown = json.members().find(|(name, _)| !known.contains(&&**name));
    unknown.map_or(Ok(()), |(name, _)| {
        let (name, known) = (quoted(&name), known.join(", "));
        Err(Error::invalid_syntax(format!(
            "The line has the member {name}; such a line has only {known}."
        )))
    })
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
