//! The two documents of a resource: how they are made, stamped and read.

use std::ops::Range;

use super::keys;
use super::layout::Layout;
use crate::Result;
use crate::error::Error;
use crate::limits::Limits;
use crate::path::AttrPath;
use crate::projection::{Base, fill_holes, join_stored, push_string, write_resource, write_value};
use crate::record::{Record, ScimResource};
use crate::store::Version;
use crate::value::json;
use crate::value::{Action, Cx, DateTime, Edit, Intent, Json, Meta, Reference, Strict, View};

/// The documents as they stand in a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Documents {
    /// The default projection without edges and derived attributes, with holes for the base URL.
    pub(super) visible: String,
    /// What the other lacks; `None` if that is nothing.
    pub(super) hidden: Option<String>,
}

/// When a resource came to be and how often it has changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stamp {
    pub(super) version: i64,
    pub(super) created: i64,
    pub(super) modified: i64,
}

impl Stamp {
    pub(super) fn version(self) -> Version {
        Version::from(self.version.unsigned_abs())
    }

    /// The stamp of the next state. Time does not run backwards for a resource, whatever the clock does.
    pub(super) fn next(self, now: i64) -> Self {
        Self {
            version: self.version + 1,
            modified: now.max(self.modified),
            ..self
        }
    }

    pub(super) fn meta(self, layout: &Layout, id: &str) -> Meta {
        let resource_type = layout.resource_type;
        Meta {
            resource_type: Some(resource_type.name.to_owned()),
            created: Some(DateTime::from_unix_micros(self.created)),
            last_modified: Some(DateTime::from_unix_micros(self.modified)),
            location: Some(
                Reference::resource(resource_type.segment(), id)
                    .as_str()
                    .to_owned(),
            ),
            version: Some(self.version().entity_tag()),
        }
    }
}

impl Documents {
    pub(super) fn of<R: ScimResource>(layout: &Layout, resource: &R) -> Result<Self> {
        let mut visible = Vec::with_capacity(1024);
        write_resource(&mut visible, resource, &layout.visible, Base::Hole);
        let mut hidden = Vec::new();
        write_resource(&mut hidden, resource, &layout.hidden, Base::Hole);
        if let Some(extra) = resource.extra() {
            for (name, value) in extra.iter() {
                hidden.pop();
                if hidden.len() > 1 {
                    hidden.push(b',');
                }
                push_string(&mut hidden, name);
                hidden.push(b':');
                hidden.extend_from_slice(value.text().as_bytes());
                hidden.push(b'}');
            }
        }
        let hidden = (hidden != b"{}").then_some(hidden);
        Ok(Self {
            visible: utf8(visible)?,
            hidden: hidden.map(utf8).transpose()?,
        })
    }

    /// The visible document with another stamp.
    pub(super) fn stamped(visible: &str, layout: &Layout, id: &str, stamp: Stamp) -> Result<String> {
        let place = meta_of(visible)?;
        let (before, after) = around(visible, &place);
        let mut out = Vec::with_capacity(visible.len() + 64);
        out.extend_from_slice(before.as_bytes());
        let meta = stamp.meta(layout, id);
        write_value(
            &mut out,
            &View::Complex(&meta),
            &layout.visible,
            layout.meta,
            Base::Hole,
        );
        out.extend_from_slice(after.as_bytes());
        utf8(out)
    }

    /// Whether two documents say the same, whatever their stamps.
    pub(super) fn same(&self, other: &Self) -> Result<bool> {
        let (ours, theirs) = (meta_of(&self.visible)?, meta_of(&other.visible)?);
        Ok(self.hidden == other.hidden && around(&self.visible, &ours) == around(&other.visible, &theirs))
    }

    /// The state of a resource; `rows` holds members of its document that are kept as rows. Edges that are not among
    /// them are left unassigned.
    pub(super) fn decode<R: ScimResource>(&self, rows: &str) -> Result<R> {
        json::count_decoded();
        let mut text = utf8(relative(&self.visible))?;
        if let Some(hidden) = &self.hidden {
            let hidden = utf8(relative(hidden))?;
            let joined = join_stored(Json::from_checked(&text), Json::from_checked(&hidden));
            text = joined.text().to_owned();
        }
        if !rows.is_empty() {
            text.pop();
            text.push_str(rows);
            text.push('}');
        }
        let limits = Limits::default();
        let mut cx = Cx::new(Intent::Stored, &Strict, &limits);
        // What the store has written itself must be readable: anything else is no client's fault.
        R::decode(Json::from_checked(&text), &mut cx).map_err(Error::internal)
    }
}

/// Takes a top-level attribute away: a derived one, which is not for clients to set; of edges, it says that they are
/// not loaded.
pub(super) fn clear(record: &mut dyn Record, index: u16) -> Result<()> {
    let limits = Limits::default();
    let mut cx = Cx::new(Intent::Stored, &Strict, &limits);
    record
        .apply(usize::from(index), Edit::whole(Action::Remove), &mut cx)
        .map(drop)
}

/// Says of a resource that was read without its edges that they are not loaded.
pub(super) fn unload(layout: &Layout, record: &mut dyn Record) -> Result<()> {
    for edges in &layout.edges {
        if let [index] = edges.path.steps() {
            clear(record, *index)?;
        }
    }
    Ok(())
}

/// Whether a resource carries a value that is handed on and not kept: it changes something, though no document shows it.
pub(super) fn has_transient(layout: &Layout, record: &dyn Record) -> bool {
    let carries =
        |path: &AttrPath| keys::at(record, *path, &|view| view.is_present().then_some(())).is_some();
    layout.transient.iter().any(carries)
}

/// Sets a top-level attribute to what the store knows of it.
pub(super) fn set(record: &mut dyn Record, index: u16, json: &str) -> Result<()> {
    let limits = Limits::default();
    let mut cx = Cx::new(Intent::Stored, &Strict, &limits);
    let edit = Edit::whole(Action::Replace(Json::from_checked(json)));
    record.apply(usize::from(index), edit, &mut cx).map(drop)
}

pub(super) fn relative(document: &str) -> Vec<u8> {
    let mut out = Vec::new();
    fill_holes(document.as_bytes(), Base::Relative, &mut out);
    out
}

fn meta_of(visible: &str) -> Result<Range<usize>> {
    Json::from_checked(visible)
        .members()
        .find(|(name, _)| name == "meta")
        .and_then(|(_, meta)| meta.range_in(visible))
        .ok_or_else(|| Error::internal("a stored document has no meta"))
}

fn around<'d>(document: &'d str, place: &Range<usize>) -> (&'d str, &'d str) {
    (
        document.get(..place.start).unwrap_or_default(),
        document.get(place.end..).unwrap_or_default(),
    )
}

pub(super) fn utf8(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(Error::internal)
}
