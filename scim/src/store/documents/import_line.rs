//! A line of an export, read without a look at the database.

use std::any::{Any, TypeId};
use std::sync::Arc;

use super::document::{Documents, RowStamp};
use super::keys::{self, Keys};
use super::layout::Layout;
use crate::Result;
use crate::error::{Error, quoted};
use crate::limits::Limits;
use crate::path::AttrPath;
use crate::policy::Policy;
use crate::record::{Record, ScimResource};
use crate::schema::ResourceType;
use crate::store::Version;
use crate::store::growth;
use crate::store::transient::carries_transient;
use crate::value::json::Kind;
use crate::value::{Cx, Intent, Json, ResourceId};

/// Edges that one line may hold: each line is one step of a transaction that others wait for.
const MOST_EDGES: usize = 10_000;
/// Bytes of an identifier.
const LONGEST_ID: usize = 1_024;

/// A line that was read and found well-formed: a resource, or edges of one.
pub struct ImportLine(pub(super) Line);

/// The subject of a line.
pub(super) enum Line {
    Resource(Box<Resource>),
    Edges(Edges),
}

/// A resource with everything that its row needs.
pub(super) struct Resource {
    pub(super) layout: Arc<Layout>,
    pub(super) id: String,
    pub(super) stamp: RowStamp,
    pub(super) documents: Documents,
    pub(super) keys: Keys,
    /// The resource itself.
    pub(super) resource: Box<dyn Any + Send + Sync>,
}

impl Resource {
    pub(super) fn new<R: ScimResource>(
        layout: &Arc<Layout>,
        id: String,
        stamp: RowStamp,
        mut resource: R,
    ) -> Result<Self> {
        *resource.meta_mut() = stamp.meta(layout, &id);
        Ok(Self {
            documents: Documents::of(layout, &resource)?,
            keys: Keys::of(layout, &resource),
            layout: Arc::clone(layout),
            id,
            stamp,
            resource: Box::new(resource),
        })
    }
}

/// Edges of a resource.
pub(super) struct Edges {
    pub(super) layout: Arc<Layout>,
    /// Which attribute of edges, by its place in the layout.
    pub(super) at: usize,
    pub(super) id: String,
    /// The version that the resource had with all its edges.
    pub(super) version: Option<Version>,
    pub(super) add: Vec<String>,
}

/// Reads a resource of a type that is not known where it is needed.
pub(super) type ReadResource = fn(&Arc<Layout>, Json<'_>, &Policy, &Limits) -> Result<Resource>;

impl ImportLine {
    /// Returns the type of the resource that the line is about.
    #[must_use]
    pub fn resource_type(&self) -> &'static ResourceType {
        self.layout().resource_type
    }

    /// Returns whether the line is about a resource of type `R`.
    #[must_use]
    pub fn is_of<R: ScimResource>(&self) -> bool {
        self.layout().shape.type_id == TypeId::of::<R>()
    }

    /// Returns the id of the resource that the line is about.
    #[must_use]
    pub fn id(&self) -> &str {
        match &self.0 {
            Line::Resource(resource) => &resource.id,
            Line::Edges(edges) => &edges.id,
        }
    }

    pub(super) fn layout(&self) -> &Layout {
        match &self.0 {
            Line::Resource(resource) => &resource.layout,
            Line::Edges(edges) => &edges.layout,
        }
    }

    /// Returns how many edges the line has; `None` if it is a resource.
    #[must_use]
    pub fn edges(&self) -> Option<usize> {
        match &self.0 {
            Line::Resource(_) => None,
            Line::Edges(edges) => Some(edges.add.len()),
        }
    }
}

/// Returns the limits for a line: whatever has been kept may be larger than what one request may send, by as much as
/// the file that holds it allows.
pub(super) fn limits(requests: &Limits) -> Limits {
    Limits {
        // A line is an object around the resource.
        json_depth: requests.json_depth + 1,
        operation_values: usize::MAX,
        ..requests.clone()
    }
}

/// Reads a resource and makes ready what its row needs.
pub(super) fn read_resource<R: ScimResource>(
    layout: &Arc<Layout>,
    json: Json<'_>,
    policy: &Policy,
    limits: &Limits,
) -> Result<Resource> {
    let mut cx = Cx::new(Intent::Import, policy, limits);
    let mut resource = R::decode(json, &mut cx)?;
    policy.strip(R::RESOURCE_TYPE.schema.id, &mut resource, &mut cx)?;
    policy.check(&resource)?;
    check_apart(layout, &resource)?;
    growth::check(None, &resource, limits)?;
    let id = id(resource.id())?;
    let stamp = stamp(layout, &resource)?;
    Resource::new(layout, id, stamp, resource)
}

/// Refuses what a resource is not imported with: edges, which have lines of their own, what the store derives, and what
/// nobody keeps.
fn check_apart(layout: &Layout, record: &dyn Record) -> Result<()> {
    let derived = layout.derived.iter().map(|derived| derived.shape.path);
    for path in derived {
        if carries(record, path) {
            return Err(
                Error::invalid_value("is derived from others and cannot be imported").at(layout.name(path)),
            );
        }
    }
    for edges in &layout.edges {
        if carries(record, edges.shape.path) {
            return Err(Error::invalid_value(
                "belongs into lines of its own: {\"type\":…,\"id\":…,\"attribute\":…,\"add\":[…]}",
            )
            .at(layout.name(edges.shape.path)));
        }
    }
    match carries_transient(record) {
        true => Err(Error::invalid_value(
            "The line has a value that is handed on and never kept, such as a password: take it out.",
        )),
        false => Ok(()),
    }
}

fn carries(record: &dyn Record, path: AttrPath) -> bool {
    keys::at(record, path, &|view| view.is_present().then_some(())).is_some()
}

fn id(id: &ResourceId) -> Result<String> {
    check_id(id.as_str()).map_err(|error| error.at("id"))?;
    Ok(id.as_str().to_owned())
}

/// Checks an identifier. RFC 7643 section 3.1: it is never empty, and never `bulkId`.
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

fn stamp<R: ScimResource>(layout: &Layout, resource: &R) -> Result<RowStamp> {
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
    Ok(RowStamp {
        version,
        created: created.as_unix_micros(),
        modified: modified.as_unix_micros(),
    })
}

pub(super) fn read_edges(layout: &Arc<Layout>, json: Json<'_>) -> Result<Edges> {
    let name = text(json, "attribute")?;
    let at = layout
        .edges
        .iter()
        .position(|edges| layout.name(edges.shape.path) == name);
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

pub(super) fn text(json: Json<'_>, name: &'static str) -> Result<String> {
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

pub(super) fn check_members(json: Json<'_>, known: &[&str]) -> Result<()> {
    let unknown = json.members().find(|(name, _)| !known.contains(&&**name));
    unknown.map_or(Ok(()), |(name, _)| {
        let (name, known) = (quoted(&name), known.join(", "));
        Err(Error::invalid_syntax(format!(
            "The line has the member {name}; such a line has only {known}."
        )))
    })
}
