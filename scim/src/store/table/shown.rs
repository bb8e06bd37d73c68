//! A resource as it is shown: what its row holds, its edges, and what mirrors the edges of others.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::rows::End;
use crate::error::{Error, Result};
use crate::record::Record;
use crate::schema::{Attribute, ResourceType};
use crate::store::layout::{Layout, Parts};
use crate::store::reached::Reached;
use crate::value::{Change, Cx, Edit, JsonBuf, Multi, View};

/// The other ends of the edges in one attribute.
pub(super) struct Ends {
    /// The position of the attribute.
    pub(super) index: usize,
    pub(super) parts: Parts,
    /// Whether the attribute mirrors edges of others.
    pub(super) mirrors: bool,
    pub(super) ends: Vec<End>,
}

/// A resource with everything of it that was loaded.
pub(super) struct Shown<'a> {
    pub(super) record: &'a dyn Record,
    pub(super) layout: &'a Layout,
    pub(super) loaded: &'a [Ends],
}

impl Record for Shown<'_> {
    fn attributes(&self) -> &'static [Attribute] {
        self.record.attributes()
    }

    fn view(&self, index: usize) -> View<'_> {
        let is_outside = self.layout.outside.iter().any(|path| match path.steps() {
            [step] => usize::from(*step) == index,
            _ => false,
        });
        match self.loaded.iter().find(|loaded| loaded.index == index) {
            Some(loaded) if !loaded.ends.is_empty() => View::Multi(loaded),
            _ if is_outside => View::Absent,
            _ => self.record.view(index),
        }
    }

    fn apply(&mut self, _: usize, _: Edit<'_>, _: &mut Cx<'_>) -> Result<Change> {
        Err(Error::internal("an edit of what is only shown"))
    }
}

impl Multi for Ends {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn try_for_each(&self, visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        self.ends
            .iter()
            .try_for_each(|end| visit(View::Complex(&reached(self.parts, end, self.mirrors))))
    }
}

/// Returns the other end of an edge as the attribute shows it.
pub(super) fn reached(parts: Parts, end: &End, mirrors: bool) -> Reached<'_> {
    let kind = match mirrors {
        true => Some("direct"),
        false => end.resource_type.map(|known| known.name),
    };
    Reached {
        parts,
        id: Cow::Borrowed(&end.id),
        segment: end.resource_type.map(ResourceType::segment),
        kind,
        display: end.display.as_deref().map(Cow::Borrowed),
        rest: end.rest.as_ref().map(JsonBuf::as_json),
    }
}
