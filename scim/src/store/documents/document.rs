//! The two documents of a resource: how they are made, stamped and read.

use std::any::Any;
use std::borrow::Cow;
use std::ops::Range;

use super::layout::Layout;
use crate::Result;
use crate::error::Error;
use crate::limits::Limits;
use crate::projection::{Base, fill_holes, join_stored, push_string, write_resource, write_value};
use crate::record::{Record, ScimResource, unload_edges};
use crate::schema::Attribute;
use crate::store::untyped::{Untyped, view_member};
use crate::store::{Stamp, Version};
use crate::value::json;
use crate::value::{Change, Cx, DateTime, Edit, Extra, Intent, Json, Meta, Strict, View};

/// The documents as they stand in a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Documents {
    /// The default projection without edges and derived attributes, with holes for the base URL.
    pub(super) visible: String,
    /// The part that the other lacks; `None` if there is none.
    pub(super) hidden: Option<String>,
}

/// The stamp of a resource as it stands in a row: a number, and times in microseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RowStamp {
    pub(super) version: i64,
    pub(super) created: i64,
    pub(super) modified: i64,
}

impl RowStamp {
    pub(super) fn version(self) -> Version {
        Self::version_of(self.version)
    }

    /// Returns the version with a number.
    pub(super) fn version_of(number: i64) -> Version {
        Version::from(number.unsigned_abs())
    }

    /// Returns the stamp as others see it.
    pub(super) fn stamp(self) -> Stamp {
        Stamp {
            version: self.version(),
            created: Some(DateTime::from_unix_micros(self.created)),
            modified: Some(DateTime::from_unix_micros(self.modified)),
        }
    }

    /// Returns the row's form of a stamp that this store has made.
    pub(super) fn of(stamp: &Stamp) -> Result<Self> {
        let version = stamp.version.as_str().parse().map_err(Error::internal)?;
        let micros = |time: Option<DateTime>| time.map_or(0, DateTime::as_unix_micros);
        Ok(Self {
            version,
            created: micros(stamp.created),
            modified: micros(stamp.modified),
        })
    }

    /// Returns the stamp of the next state.
    pub(super) fn next(self, now: DateTime) -> Result<Self> {
        Self::of(&self.stamp().next(now))
    }

    pub(super) fn meta(self, layout: &Layout, id: &str) -> Meta {
        self.stamp().meta(layout.resource_type, id)
    }
}

/// The state that a row holds of a resource, as its struct or as far as its schema goes.
pub(super) enum State<R> {
    /// It fits the struct.
    Fit(R),
    /// The struct was changed since it was written.
    Unfit(Remains),
}

/// A record that knows which type it is.
pub(super) trait AnyRecord: Record + Any {}

impl<T: Record + Any> AnyRecord for T {}

/// State of a type that is not known where it is needed.
pub(super) struct UntypedState {
    pub(super) record: Box<dyn AnyRecord>,
    /// The attributes that no schema knows.
    pub(super) extra: Extra,
    /// The attribute that does not fit the struct any more, where one does not.
    pub(super) unfit: Option<String>,
}

/// State that does not fit the struct any more.
pub(super) struct Remains {
    /// The whole state as one document, with holes.
    text: String,
    table: &'static [Attribute],
    /// The fault.
    pub(super) fault: Error,
}

impl<R: ScimResource> State<R> {
    pub(super) fn record(&self) -> &dyn Record {
        match self {
            Self::Fit(resource) => resource,
            Self::Unfit(remains) => remains,
        }
    }

    /// Returns the resource, if it fits the struct.
    pub(super) fn as_fit(&self) -> Option<&R> {
        match self {
            Self::Fit(resource) => Some(resource),
            Self::Unfit(_) => None,
        }
    }

    /// Returns the resource, if it fits the struct.
    pub(super) fn fit(self) -> Option<R> {
        match self {
            Self::Fit(resource) => Some(resource),
            Self::Unfit(_) => None,
        }
    }

    /// Returns the same with its type forgotten.
    pub(super) fn untyped(self) -> UntypedState {
        match self {
            Self::Fit(resource) => UntypedState {
                extra: resource.extra().cloned().unwrap_or_default(),
                record: Box::new(resource),
                unfit: None,
            },
            Self::Unfit(remains) => UntypedState {
                extra: Extra::default(),
                unfit: Some(remains.fault.attribute().unwrap_or_default()),
                record: Box::new(remains),
            },
        }
    }
}

impl Remains {
    fn untyped(&self) -> Untyped<'_> {
        Untyped {
            table: self.table,
            json: Json::from_checked(&self.text),
        }
    }
}

impl Record for Remains {
    fn attributes(&self) -> &'static [Attribute] {
        self.table
    }

    fn view(&self, index: usize) -> View<'_> {
        match self.table.get(index) {
            Some(attribute) => view_member(Json::from_checked(&self.text), attribute),
            None => View::Absent,
        }
    }

    fn apply(&mut self, index: usize, edit: Edit<'_>, cx: &mut Cx<'_>) -> Result<Change> {
        self.untyped().apply(index, edit, cx)
    }
}

impl Documents {
    pub(super) fn of<R: ScimResource>(layout: &Layout, resource: &R) -> Result<Self> {
        let mut visible = Vec::with_capacity(1024);
        write_resource(&mut visible, resource, &layout.visible, Base::Hole);
        let mut hidden = Vec::new();
        write_resource(&mut hidden, resource, &layout.hidden, Base::Hole);
        if let Some(extra) = resource.extra() {
            push_extra(extra, &mut hidden);
        }
        let hidden = (hidden != b"{}").then_some(hidden);
        Ok(Self {
            visible: utf8(visible)?,
            hidden: hidden.map(utf8).transpose()?,
        })
    }

    /// Returns how many bytes both have.
    pub(super) fn bytes(&self) -> usize {
        self.visible.len() + self.hidden.as_ref().map_or(0, String::len)
    }

    /// Returns the visible document with another stamp.
    pub(super) fn stamped(visible: &str, layout: &Layout, id: &str, stamp: RowStamp) -> Result<String> {
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

    /// Returns the state of a resource without its edges.
    pub(super) fn state<R: ScimResource>(&self) -> Result<State<R>> {
        let mut state = self.decode("")?;
        if let State::Fit(resource) = &mut state {
            unload_edges(resource, &|_| true)?;
        }
        Ok(state)
    }

    /// Returns the state of a resource; `rows` holds members of its document that are kept as rows. Edges that are not
    /// among them are left unassigned.
    pub(super) fn decode<R: ScimResource>(&self, rows: &str) -> Result<State<R>> {
        json::count_decoded();
        let text = utf8(relative(&self.joined(rows)))?;
        let limits = Limits::default();
        let mut cx = Cx::new(Intent::Stored, &Strict, &limits);
        Ok(match R::decode(Json::from_checked(&text), &mut cx) {
            Ok(resource) => State::Fit(resource),
            Err(fault) => State::Unfit(Remains {
                text: self.joined(rows).into_owned(),
                table: R::RESOURCE_TYPE.schema.attributes,
                fault,
            }),
        })
    }

    /// Returns both documents as one, with holes.
    pub(super) fn joined(&self, rows: &str) -> Cow<'_, str> {
        let mut text = match &self.hidden {
            Some(hidden) => {
                let joined = join_stored(Json::from_checked(&self.visible), Json::from_checked(hidden));
                Cow::Owned(joined.text().to_owned())
            }
            None => Cow::Borrowed(&*self.visible),
        };
        if !rows.is_empty() {
            let text = text.to_mut();
            text.pop();
            text.push_str(rows);
            text.push('}');
        }
        text
    }
}

/// Appends what no schema knows to a document.
pub(super) fn push_extra(extra: &Extra, document: &mut Vec<u8>) {
    for (name, value) in extra.iter() {
        document.pop();
        if document.last() != Some(&b'{') {
            document.push(b',');
        }
        push_string(document, name);
        document.push(b':');
        document.extend_from_slice(value.text().as_bytes());
        document.push(b'}');
    }
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
