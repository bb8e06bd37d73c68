//! How large the state of a resource may become, however it grew.
//!
//! A limit refuses growth, never a repair: what is longer already may stay as long as it is, so that a resource from
//! before the limit can be read, replaced by what was read, and made smaller.

use std::collections::HashMap;
use std::ops::ControlFlow;

use crate::error::{Error, Result};
use crate::limits::{Limits, exceeded};
use crate::path::AttrPath;
use crate::record::Record;
use crate::schema::{Attribute, Type, Uniqueness};
use crate::store::edges::{EdgeChange, EdgeEdit};
use crate::value::View;

/// Refuses the next state of a resource where it is beyond the limits, and larger than `before`. Edges are not counted: they
/// are not a part of the state.
///
/// # Errors
/// Those of the limits on strings, values and resources, naming the attribute.
pub(crate) fn check(before: Option<&dyn Record>, next: &dyn Record, limits: &Limits) -> Result<()> {
    let mut excess = Vec::new();
    let bytes = Measured::of(next, &mut |size| {
        if size.amount > size.most(limits) {
            excess.push(size);
        }
    });
    if excess.is_empty() && bytes <= limits.resource_bytes {
        return Ok(());
    }
    let mut largest = HashMap::new();
    let had = before.map_or(0, |before| {
        Measured::of(before, &mut |size| {
            let known = largest.entry((size.path, size.kind)).or_default();
            *known = size.amount.max(*known);
        })
    });
    for size in excess {
        if size.amount > largest.get(&(size.path, size.kind)).copied().unwrap_or(0) {
            return Err(size.refused(next.attributes(), limits));
        }
    }
    match bytes > limits.resource_bytes && bytes > had {
        true => Err(exceeded::resource_bytes(limits.resource_bytes, Some(bytes))),
        false => Ok(()),
    }
}

/// Refuses identifiers in edges that are longer than a name may be.
///
/// # Errors
/// 400 `invalidValue` naming the attribute and the operation.
pub(crate) fn check_edges(edits: &[EdgeEdit], limits: &Limits) -> Result<()> {
    for edit in edits {
        let (EdgeChange::Add(edges) | EdgeChange::Set(edges)) = &edit.change else {
            continue;
        };
        if let Some(edge) = edges.iter().find(|edge| edge.value.len() > limits.name_bytes) {
            let error = exceeded::name_bytes(limits.name_bytes, Some(edge.value.len()));
            return Err(match edit.operation {
                Some(operation) => error.in_operation(operation),
                None => error,
            });
        }
    }
    Ok(())
}

/// The thing that is measured of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Values,
    Name,
    Text,
    Reference,
    Bytes,
}

/// The size of one value, or of one list.
struct Size {
    path: AttrPath,
    kind: Kind,
    amount: usize,
}

impl Size {
    fn most(&self, limits: &Limits) -> usize {
        match self.kind {
            Kind::Values => limits.values,
            Kind::Name => limits.name_bytes,
            Kind::Text => limits.string_bytes,
            Kind::Reference => limits.reference_bytes,
            Kind::Bytes => limits.binary_bytes,
        }
    }

    fn refused(&self, table: &'static [Attribute], limits: &Limits) -> Error {
        let error = match self.kind {
            Kind::Values => exceeded::values,
            Kind::Name => exceeded::name_bytes,
            Kind::Text => exceeded::string_bytes,
            Kind::Reference => exceeded::reference_bytes,
            Kind::Bytes => exceeded::binary_bytes,
        };
        let error = error(self.most(limits), Some(self.amount));
        match self.path.name(table) {
            Some(name) => error.at(name.to_string()),
            None => error,
        }
    }
}

/// Returns the kind of text that an attribute holds.
fn kind_of_text(attribute: &Attribute) -> Kind {
    let is_name = attribute.indexed
        || attribute.shape.uniqueness != Uniqueness::None
        || attribute.name.eq_ignore_ascii_case("displayName");
    match attribute.shape.kind {
        Type::Reference => Kind::Reference,
        _ if is_name => Kind::Name,
        _ => Kind::Text,
    }
}

/// A walk over all values of a resource.
struct Measured<'v> {
    /// Bytes of all values with their names, about as many as their document has.
    bytes: usize,
    tell: &'v mut dyn FnMut(Size),
}

/// Bytes of a document around a value: quotation marks, a colon, a comma.
const AROUND: usize = 6;

impl<'v> Measured<'v> {
    /// Tells of each size, and returns the bytes of the whole.
    fn of(record: &dyn Record, tell: &'v mut dyn FnMut(Size)) -> usize {
        let mut measured = Self { bytes: 0, tell };
        measured.record(record, AttrPath::ROOT);
        measured.bytes
    }

    fn record(&mut self, record: &dyn Record, path: AttrPath) {
        for (step, attribute) in (0..u16::MAX).zip(record.attributes()) {
            if attribute.edges {
                continue;
            }
            let view = record.view(usize::from(step));
            if !matches!(view, View::Absent) {
                self.add(attribute.name.len());
                self.value(&view, path.push(step), attribute);
            }
        }
    }

    fn value(&mut self, view: &View<'_>, path: AttrPath, attribute: &Attribute) {
        match view {
            View::Absent => {}
            View::Str(text) | View::Relative(text) => self.text(text.len(), path, kind_of_text(attribute)),
            View::Binary(bytes) => self.text(bytes.len(), path, Kind::Bytes),
            View::Bool(_) | View::Int(_) | View::Decimal(_) => self.add(8),
            View::Time(_) => self.add(24),
            View::Complex(_) | View::Owned(_) => {
                if let Some(record) = view.record() {
                    self.record(record, path);
                }
            }
            View::Multi(_) | View::OwnedMulti(_) => {
                let Some(values) = view.values() else { return };
                (self.tell)(Size {
                    path,
                    kind: Kind::Values,
                    amount: values.len(),
                });
                _ = values.try_for_each(&mut |value| {
                    self.value(&value, path, attribute);
                    ControlFlow::Continue(())
                });
            }
        }
    }

    fn text(&mut self, amount: usize, path: AttrPath, kind: Kind) {
        self.add(amount);
        (self.tell)(Size { path, kind, amount });
    }

    fn add(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes).saturating_add(AROUND);
    }
}
