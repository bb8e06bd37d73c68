//! Everything that a tenant has, as lines of JSON.
//!
//! A line is a resource, or some edges of one. The edges come behind all resources, so that whoever reads the lines in
//! their order knows every resource by the time an edge leads to it, whatever leads to what.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::core::Core;
use super::document::push_extra;
use super::kind::Decode;
use super::layout::{EdgeAttribute, Layout};
use super::rows::{self, COLUMNS, StoredRow};
use super::store::DocumentStore;
use crate::Result;
use crate::projection::{Base, Projection, fill_holes, push_string, write_resource};
use crate::store::database::{Reader, Sender, Stream};

/// The most edges that one line holds.
pub(super) const EDGES_IN_A_LINE: usize = 1_000;
/// Bytes of a chunk, unless one line is larger.
const CHUNK: usize = 64 << 10;

/// How many resources of each type, and how many edges.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// By the name of the resource type; every type of the store is there.
    pub resources: BTreeMap<&'static str, u64>,
    /// The values of attributes marked `edges`, such as the members of groups.
    pub edges: u64,
}

/// The lines of an export, in chunks. Dropping it ends the export.
#[must_use = "the export ends when this is dropped"]
pub struct Export {
    stream: Stream,
    tally: Arc<Mutex<Tally>>,
}

impl Export {
    /// Returns the next chunk, some ten KiB of whole lines; an error if the export failed; `None` at its end.
    pub async fn next(&mut self) -> Option<Result<Bytes>> {
        self.stream.next().await
    }

    /// Returns the count of what has been written into chunks so far; exact once [`Export::next`] has answered `None`.
    #[must_use]
    pub fn tally(&self) -> Tally {
        lock(&self.tally).clone()
    }
}

impl<C: Send + Sync + 'static> DocumentStore<C> {
    /// Exports everything that a tenant has, as lines of JSON that [`DocumentStore::import`] takes in.
    ///
    /// * First the resources, type by type as they were registered and by age within a type:
    ///   `{"type":"User","resource":{…}}`. The resource is there with everything that is kept of it, also what is never
    ///   returned, with `id`, times and version; references to others of its service are relative.
    /// * Then the edges, in lines of at most 1,000:
    ///   `{"type":"Group","id":"…","version":"W/\"3\"","attribute":"members","add":["…"]}`.
    ///
    /// All of it is one state: the export has a snapshot of its own, and two exports of one state are the same byte by
    /// byte. It takes the memory of the largest resource, however many there are and however many edges they have.
    ///
    /// The snapshot keeps the log of the database from being reset. It may last for as long as chunks are taken:
    /// [`Options::stream_limit`](crate::store::database::Options::stream_limit) counts from chunk to chunk.
    ///
    /// An export cannot be resumed. Whatever was exported before a point may have changed or gone by the time that
    /// somebody goes on, and the parts would not fit together. Whoever wants to go on exports again, compares with what
    /// is there, and writes from the first difference on.
    ///
    /// ```
    /// use scim::resources::User;
    /// use scim::store::{Store, Write};
    /// use scim::store::documents::DocumentStore;
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let store: DocumentStore<String> = DocumentStore::in_memory()?.resource::<User>().build()?;
    /// let tenant = "acme".to_owned();
    /// store.write(Write::create(&tenant.into(), "2819", User::new("bjensen"))).await?;
    /// let mut export = store.export("acme");
    /// let chunk = export.next().await.unwrap()?;
    /// assert!(chunk.starts_with(br#"{"type":"User","resource":{"schemas":["#) && chunk.ends_with(b"}}\n"));
    /// assert!(export.next().await.is_none());
    /// assert_eq!(export.tally().resources["User"], 1);
    /// # Ok::<_, scim::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn export(&self, tenant: &str) -> Export {
        self.export_between(tenant, |_, _| Ok(()), |_, _| Ok(()))
    }

    /// Exports as [`DocumentStore::export`] does, between lines of the application's own, which are read under the same
    /// snapshot: what `before` sends comes first, and what `after` sends comes last. Both send whole lines, and renew the
    /// sender's time before each chunk. [`DocumentStore::import`] does not know these lines: whoever reads the file tells
    /// them apart.
    pub fn export_between(
        &self,
        tenant: &str,
        before: impl FnOnce(&Reader<'_>, &mut Sender) -> Result<()> + Send + 'static,
        after: impl FnOnce(&Reader<'_>, &mut Sender) -> Result<()> + Send + 'static,
    ) -> Export {
        let (core, tenant) = (Arc::clone(self.core()), tenant.to_owned());
        let tally = Arc::new(Mutex::new(Tally::default()));
        let shared = Arc::clone(&tally);
        let stream = self.database().stream(move |reader, sender| {
            before(reader, sender)?;
            let tenant = core.tenant(reader, &tenant)?;
            let mut lines = Lines::new(sender, &shared);
            write_all(reader, &core, tenant, &mut lines)?;
            lines.flush()?;
            after(reader, sender)
        });
        Export { stream, tally }
    }
}

fn write_all<C: 'static>(
    reader: &Reader<'_>,
    core: &Core<C>,
    tenant: Option<i64>,
    lines: &mut Lines<'_>,
) -> Result<()> {
    for layout in core.in_order() {
        lines.tally.resources.insert(layout.resource_type.name, 0);
    }
    let Some(tenant) = tenant else { return Ok(()) };
    for layout in core.in_order() {
        let decode = core.decode(layout)?;
        each_of_type(reader, layout, tenant, |_, row| {
            lines.resource(layout, decode, &row)
        })?;
    }
    for layout in core.in_order().filter(|layout| !layout.edges.is_empty()) {
        each_of_type(reader, layout, tenant, |id, row| {
            if row.edges == 0 {
                return Ok(());
            }
            layout
                .edges
                .iter()
                .try_for_each(|edges| write_edges(reader, layout, edges, tenant, id, &row, lines))
        })?;
    }
    Ok(())
}

/// Visits the resources of a type that a tenant has, in the order in which they came.
fn each_of_type(
    reader: &Reader<'_>,
    layout: &Layout,
    tenant: i64,
    mut visit: impl FnMut(&str, StoredRow) -> Result<()>,
) -> Result<()> {
    reader.query(
        &format!(
            "SELECT {COLUMNS}, r.id FROM scim_resource r WHERE r.tenant = ?1 AND r.type = ?2 ORDER BY r.rid"
        ),
        &[tenant.into(), layout.number.into()],
        |row| visit(&rows::id_of(row, 8)?, StoredRow::read(row)?),
    )
}

/// Writes the edges of one attribute, those that lead to a type together: then their order does not depend on the order
/// in which resources of different types came.
fn write_edges(
    reader: &Reader<'_>,
    layout: &Layout,
    edges: &EdgeAttribute,
    tenant: i64,
    id: &str,
    row: &StoredRow,
    lines: &mut Lines<'_>,
) -> Result<()> {
    let mut left = row.edges;
    for target in &edges.targets {
        if left == 0 {
            break;
        }
        let mut ids = Vec::new();
        let sql = "SELECT r.id
                   FROM scim_edge e CROSS JOIN scim_resource r ON r.tenant = e.tenant AND r.rid = e.dst
                   WHERE e.tenant = ?1 AND e.src = ?2 AND e.attr = ?3 AND r.type = ?4 ORDER BY e.dst";
        let params = [
            tenant.into(),
            row.rid.into(),
            edges.number.into(),
            target.number.into(),
        ];
        reader.query(sql, &params, |found| {
            left -= 1;
            ids.push(rows::id_of(found, 0)?);
            match ids.len() < EDGES_IN_A_LINE {
                true => Ok(()),
                false => lines.edges(layout, edges, id, row, &mut ids),
            }
        })?;
        if !ids.is_empty() {
            lines.edges(layout, edges, id, row, &mut ids)?;
        }
    }
    Ok(())
}

/// Gathers lines into chunks.
struct Lines<'s> {
    sender: &'s mut Sender,
    shared: &'s Mutex<Tally>,
    tally: Tally,
    chunk: Vec<u8>,
}

impl<'s> Lines<'s> {
    fn new(sender: &'s mut Sender, shared: &'s Mutex<Tally>) -> Self {
        Self {
            sender,
            shared,
            tally: Tally::default(),
            chunk: Vec::with_capacity(CHUNK + CHUNK / 8),
        }
    }

    fn resource(&mut self, layout: &Layout, decode: Decode, row: &StoredRow) -> Result<()> {
        let name = layout.resource_type.name;
        self.begin(name);
        self.chunk.extend_from_slice(b",\"resource\":");
        push_state(layout, decode, row, &mut self.chunk)?;
        *self.tally.resources.entry(name).or_default() += 1;
        self.end()
    }

    fn edges(
        &mut self,
        layout: &Layout,
        edges: &EdgeAttribute,
        id: &str,
        row: &StoredRow,
        ids: &mut Vec<String>,
    ) -> Result<()> {
        self.begin(layout.resource_type.name);
        for (name, value) in [
            (",\"id\":", id),
            (",\"version\":", &row.stamp.version().entity_tag()),
            (",\"attribute\":", &layout.name(edges.shape.path)),
        ] {
            self.chunk.extend_from_slice(name.as_bytes());
            push_string(&mut self.chunk, value);
        }
        self.chunk.extend_from_slice(b",\"add\":");
        for (position, id) in ids.drain(..).enumerate() {
            self.chunk.push(if position == 0 { b'[' } else { b',' });
            push_string(&mut self.chunk, &id);
            self.tally.edges += 1;
        }
        self.chunk.push(b']');
        self.end()
    }

    fn begin(&mut self, resource_type: &str) {
        self.chunk.extend_from_slice(b"{\"type\":");
        push_string(&mut self.chunk, resource_type);
    }

    fn end(&mut self) -> Result<()> {
        self.chunk.extend_from_slice(b"}\n");
        match self.chunk.len() < CHUNK {
            true => Ok(()),
            false => self.flush(),
        }
    }

    fn flush(&mut self) -> Result<()> {
        lock(self.shared).clone_from(&self.tally);
        let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK + CHUNK / 8));
        self.sender.renew();
        self.sender.send(chunk)
    }
}

/// Appends the whole state of a resource but its edges, as far as the schema of today goes.
fn push_state(layout: &Layout, decode: Decode, row: &StoredRow, out: &mut Vec<u8>) -> Result<()> {
    if row.layout == layout.documents {
        fill_holes(row.documents.joined("").as_bytes(), Base::Relative, out);
        return Ok(());
    }
    let state = decode(&row.documents)?;
    let everything = Projection::everything(layout.resource_type);
    write_resource(out, &*state.record, &everything, Base::Relative);
    push_extra(&state.extra, out);
    Ok(())
}

fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}
