//! The things that the store keeps of a resource type beside its documents: key columns, values, edges.

use std::fmt::Write;

use super::tables::{self, ALL_TENANTS};
use crate::Result;
use crate::error::Error;
use crate::fold;
use crate::path::AttrPath;
use crate::projection::Projection;
use crate::schema::{Attribute, Mutability, ResourceType, Role, Type, Uniqueness, position};
use crate::store::database::Transaction;
use crate::store::layout::{self, Parts, step};

/// The places of everything of one resource type.
pub(super) struct Layout {
    pub(super) resource_type: &'static ResourceType,
    /// The number of the type in the tables.
    pub(super) number: i64,
    /// The number of the layout by which its documents are written now.
    pub(super) documents: i64,
    /// The single-valued attributes in the key columns.
    pub(super) slots: Vec<Slot>,
    /// The other indexed attributes.
    pub(super) values: Vec<Valued>,
    /// The unique attributes.
    pub(super) uniques: Vec<Unique>,
    /// The attributes that stand outside the documents.
    pub(super) shape: layout::Layout,
    /// The attributes whose values are rows.
    pub(super) edges: Vec<EdgeAttribute>,
    /// The attributes that show the edges of others.
    pub(super) derived: Vec<Derived>,
    /// The visible document.
    pub(super) visible: Projection,
    /// The document of what is not shown by default.
    pub(super) hidden: Projection,
    pub(super) meta: AttrPath,
    pub(super) id: AttrPath,
}

/// An attribute in a key column.
pub(super) struct Slot {
    /// The column, counted from 1.
    pub(super) column: usize,
    pub(super) path: AttrPath,
    pub(super) attribute: &'static Attribute,
}

/// An attribute in the value table.
pub(super) struct Valued {
    pub(super) number: i64,
    /// The attribute that has the values: a multi-valued one, or the indexed one itself.
    pub(super) holder: AttrPath,
    /// From a value to what is indexed of it.
    pub(super) within: AttrPath,
    pub(super) attribute: &'static Attribute,
    /// The sub-attribute `type` of a value.
    pub(super) kind: Option<AttrPath>,
    pub(super) kind_attribute: Option<&'static Attribute>,
}

impl Valued {
    /// Returns whether a resource has one value of it at most.
    pub(super) fn is_single(&self) -> bool {
        self.within == AttrPath::ROOT && !self.attribute.shape.multi_valued
    }
}

/// An attribute in the table of unique values.
pub(super) struct Unique {
    pub(super) number: i64,
    pub(super) holder: AttrPath,
    pub(super) within: AttrPath,
    pub(super) attribute: &'static Attribute,
    pub(super) global: bool,
}

impl Unique {
    /// Returns the tenant among whose resources the value is unique.
    pub(super) fn scope(&self, tenant: i64) -> i64 {
        match self.global {
            true => ALL_TENANTS,
            false => tenant,
        }
    }
}

/// A resource type at one end of an edge.
#[derive(Clone)]
pub(super) struct End {
    pub(super) number: i64,
    pub(super) resource_type: &'static ResourceType,
}

/// An attribute whose values are rows.
pub(super) struct EdgeAttribute {
    pub(super) shape: layout::EdgeAttribute,
    pub(super) number: i64,
    /// The types that an edge may lead to.
    pub(super) targets: Vec<End>,
}

/// An attribute that shows which edges lead here.
pub(super) struct Derived {
    pub(super) shape: layout::Derived,
    pub(super) attribute: &'static Attribute,
    /// The type that has the edges, and the number of its attribute.
    pub(super) source: End,
    pub(super) edge: i64,
}

/// Refuses an attribute of which a row of an edge says less than a value may hold.
fn check_parts(attribute: &Attribute, parts: &Parts) -> Result<()> {
    let others = parts.table.iter().enumerate();
    let other = others
        .filter(|(index, _)| *index != parts.value && !parts.is_computed(*index))
        .map(|(_, sub)| sub.name)
        .next();
    let key = parts.table.get(parts.value).filter(|sub| sub.name == "value");
    match (key, other) {
        (Some(_), None) => Ok(()),
        (_, other) => {
            let but = other
                .map(|other| format!(", but not {other}"))
                .unwrap_or_default();
            Err(Error::misconfigured(format!(
                "The attribute {} cannot be kept as edges: of each value, the store keeps value, $ref, display and \
                 type{but}.",
                attribute.name
            )))
        }
    }
}

/// Refuses an attribute that the store cannot fill without being told by a client.
fn check_derived(derived: &layout::Derived) -> Result<()> {
    let Some(attribute) = derived.link.derived().attribute() else {
        return Ok(());
    };
    let shape = &attribute.shape;
    if shape.mutability != Mutability::ReadOnly || !shape.multi_valued {
        return Err(Error::misconfigured(format!(
            "The attribute {} cannot show the edges of others: it must be read-only and multi-valued.",
            attribute.name
        )));
    }
    check_parts(attribute, &derived.parts)
}

impl Layout {
    /// Makes the layout of a type, without numbers yet and without the ends of its edges.
    pub(super) fn new(shape: layout::Layout) -> Result<Self> {
        let resource_type = shape.resource_type;
        let table = resource_type.schema.attributes;
        for edges in &shape.edges {
            check_parts(edges.attribute, &edges.parts)?;
        }
        shape.derived.iter().try_for_each(check_derived)?;
        let edges = shape.edges.iter().map(|edges| EdgeAttribute {
            shape: edges.clone(),
            number: 0,
            targets: Vec::new(),
        });
        let mut layout = Self {
            resource_type,
            number: 0,
            documents: 0,
            slots: Vec::new(),
            values: Vec::new(),
            uniques: Vec::new(),
            edges: edges.collect(),
            derived: Vec::new(),
            visible: Projection::stored_visible(resource_type, &shape.outside),
            hidden: Projection::stored_hidden(resource_type, &shape.outside),
            meta: common(table, "meta")?,
            id: common(table, "id")?,
            shape,
        };
        layout.walk(table, AttrPath::ROOT, None);
        Ok(layout)
    }

    /// Returns whether an answer shows edges.
    pub(super) fn shows_edges(&self, want: &Projection) -> bool {
        self.edges.iter().any(|edges| want.includes(edges.shape.path))
    }

    fn walk(
        &mut self,
        table: &'static [Attribute],
        above: AttrPath,
        holder: Option<(AttrPath, &'static Attribute)>,
    ) {
        for (index, attribute) in table.iter().enumerate() {
            let path = step(above, index);
            if attribute.transient
                || self.shape.outside.contains(&path)
                || path == self.meta
                || path == self.id
            {
                continue;
            }
            let holder = match attribute.shape.multi_valued {
                true => Some((path, attribute)),
                false => holder,
            };
            if attribute.is_complex() {
                self.walk(attribute.shape.sub_attributes, path, holder);
            } else {
                self.leaf(path, attribute, holder);
            }
        }
    }

    fn leaf(
        &mut self,
        path: AttrPath,
        attribute: &'static Attribute,
        holder: Option<(AttrPath, &'static Attribute)>,
    ) {
        let unique = attribute.shape.uniqueness;
        if !attribute.indexed && unique == Uniqueness::None {
            return;
        }
        let searchable = !matches!(
            attribute.shape.kind,
            Type::Reference | Type::Binary | Type::Complex
        );
        let (base, within, kind) = match holder {
            Some((base, held)) => (base, below(base, path), held.sub_attribute("type")),
            None => (path, AttrPath::ROOT, None),
        };
        if searchable {
            // Single-valued ones move to the key columns, as far as these reach.
            self.values.push(Valued {
                number: 0,
                holder: base,
                within,
                attribute,
                kind: kind.map(|(index, _)| step(AttrPath::ROOT, index)),
                kind_attribute: kind.map(|(_, kind)| kind),
            });
        }
        if unique != Uniqueness::None {
            self.uniques.push(Unique {
                number: 0,
                holder: base,
                within,
                attribute,
                global: unique == Uniqueness::Global,
            });
        }
    }

    /// Gives type and attributes their numbers, and attributes their key columns.
    pub(super) fn number(&mut self, tx: &Transaction<'_>, number: i64) -> Result<()> {
        self.number = number;
        let table = self.resource_type.schema.attributes;
        let number_of = |holder: AttrPath, within: AttrPath| {
            let name = join(holder, within).name(table);
            let name = name.map(|name| name.to_string()).unwrap_or_default();
            tables::attribute(tx, number, &name)
        };
        for mut valued in std::mem::take(&mut self.values) {
            valued.number = number_of(valued.holder, valued.within)?;
            let column = match valued.is_single() {
                true => tables::slot(tx, number, valued.number)?,
                false => None,
            };
            match column {
                Some(column) => self.slots.push(Slot {
                    column,
                    path: valued.holder,
                    attribute: valued.attribute,
                }),
                None => self.values.push(valued),
            }
        }
        for unique in &mut self.uniques {
            unique.number = number_of(unique.holder, unique.within)?;
        }
        for edges in &mut self.edges {
            edges.number = number_of(edges.shape.path, AttrPath::ROOT)?;
        }
        self.documents = tables::document_layout(tx, number, &self.document_text())?;
        Ok(())
    }

    /// Returns the basis of the documents of the type: a document that was written for another text may hold what must
    /// not be shown.
    fn document_text(&self) -> String {
        let mut text = String::from("documents 1");
        for attribute in &self.shape.outside {
            _ = write!(text, "; apart {attribute:?}");
        }
        describe(self.table(), &mut text);
        text
    }

    /// Returns the basis of the keys of the type: keys that were made for another text are rebuilt.
    pub(super) fn fingerprint(&self) -> String {
        let mut text = format!("keys 3, fold {}", fold::VERSION);
        for indexed in &self.slots {
            let (name, fold) = (self.name(indexed.path), indexed.attribute.fold());
            _ = write!(text, "; k{} {name} {fold:?}", indexed.column);
        }
        for valued in &self.values {
            let kind = valued.kind_attribute.map(Attribute::fold);
            let fold = valued.attribute.fold();
            _ = write!(text, "; value {} {fold:?} {kind:?}", valued.number);
        }
        for unique in &self.uniques {
            let fold = unique.attribute.fold();
            _ = write!(text, "; unique {} {fold:?} {}", unique.number, unique.global);
        }
        text
    }

    /// Returns whether a rewrite must know what it replaces, to find the rows that belong to it.
    pub(super) fn has_key_rows(&self) -> bool {
        !self.values.is_empty() || !self.uniques.is_empty()
    }

    /// Returns the key column of an attribute.
    pub(super) fn column(&self, path: AttrPath) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.path == path)
    }

    pub(super) fn table(&self) -> &'static [Attribute] {
        self.resource_type.schema.attributes
    }

    pub(super) fn end(&self) -> End {
        End {
            number: self.number,
            resource_type: self.resource_type,
        }
    }

    /// Returns the name of an attribute as an error says it.
    pub(super) fn name(&self, path: AttrPath) -> String {
        path.name(self.table())
            .map(|name| name.to_string())
            .unwrap_or_default()
    }
}

fn common(table: &'static [Attribute], name: &str) -> Result<AttrPath> {
    position(table, name)
        .filter(|(_, attribute)| matches!(attribute.role, Role::Common))
        .map(|(index, _)| step(AttrPath::ROOT, index))
        .ok_or_else(|| {
            Error::internal(format!(
                "a resource type without the attribute {name} cannot be stored"
            ))
        })
}

/// Writes down everything of a table that its documents depend on.
fn describe(table: &[Attribute], text: &mut String) {
    for attribute in table {
        let shape = &attribute.shape;
        let marks = [
            (shape.multi_valued, "[]"),
            (shape.required, "!"),
            (attribute.edges, " edges"),
            (attribute.transient, " transient"),
        ];
        _ = write!(text, "; {} {:?} {:?}", attribute.name, shape.kind, shape.returned);
        for (_, mark) in marks.iter().filter(|(is_set, _)| *is_set) {
            text.push_str(mark);
        }
        for value in shape.canonical_values {
            _ = write!(text, " {value:?}");
        }
        if !shape.sub_attributes.is_empty() {
            text.push_str(" {");
            describe(shape.sub_attributes, text);
            text.push('}');
        }
    }
}

/// Returns the steps of `within` behind those of `holder`.
fn join(holder: AttrPath, within: AttrPath) -> AttrPath {
    within.steps().iter().fold(holder, |path, step| path.push(*step))
}

/// Returns the steps of `path` behind those of `base`.
fn below(base: AttrPath, path: AttrPath) -> AttrPath {
    let steps = path.steps().get(base.steps().len()..).unwrap_or_default();
    steps.iter().fold(AttrPath::ROOT, |path, step| path.push(*step))
}
