//! The attributes that a store is judged by: what a client can set, and the store keeps.

use serde_json::{Value, json};

use super::violation::Seen;
use crate::error::Result;
use crate::limits::Limits;
use crate::path::AttrPath;
use crate::policy::{Extent, Kept};
use crate::record::{Record, ScimResource, apply_to_record};
use crate::schema::{Attribute, Mutability, Returned, Role, Type, Uniqueness};
use crate::value::{Action, Cx, Edit, Intent, JsonBuf, Strict};

/// An attribute without sub-attributes, or a multi-valued one.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) path: AttrPath,
    /// The name as it stands in filters and in paths of a PATCH.
    pub(super) name: String,
    /// The keys that lead to it in a document.
    keys: Vec<&'static str>,
    pub(super) attribute: &'static Attribute,
}

impl Leaf {
    pub(super) fn is_list(&self) -> bool {
        self.attribute.shape.multi_valued
    }

    pub(super) fn is_text(&self) -> bool {
        !self.is_list() && self.attribute.shape.kind == Type::String
    }

    pub(super) fn is_unique(&self) -> bool {
        self.attribute.shape.uniqueness != Uniqueness::None && !self.is_list()
    }

    /// Returns whether a client can change it once it is set.
    pub(super) fn is_changeable(&self) -> bool {
        self.attribute.shape.mutability == Mutability::ReadWrite
    }

    /// Returns whether a resource can be without it, as far as the schema says.
    pub(super) fn is_optional(&self) -> bool {
        !self.attribute.shape.required && self.is_changeable()
    }

    /// Returns the value that a record has.
    pub(super) fn of(&self, record: &dyn Record) -> Option<Value> {
        let json = value_at(record, self.path.steps())?;
        serde_json::from_str(json.text()).ok()
    }

    /// Returns the value that a document shows.
    pub(super) fn shown<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        self.keys
            .iter()
            .try_fold(document, |object, key| object.get(*key))
    }

    /// Returns the text that a record has.
    pub(super) fn text_of(&self, record: &dyn Record) -> Option<String> {
        match self.of(record) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// Gives a record another value; `None` takes the one away. Returns whether the record took it as it is.
    pub(super) fn set(&self, record: &mut dyn Record, value: Option<&Value>) -> bool {
        set_at(record, self.path, value).is_ok() && self.of(record).as_ref() == value
    }

    /// Returns the operation of a PATCH that gives the attribute this value.
    pub(super) fn operation(&self, value: Option<&Value>) -> Value {
        match value {
            Some(value) => json!({"op": "replace", "path": self.name, "value": value}),
            None => json!({"op": "remove", "path": self.name}),
        }
    }
}

fn value_at(record: &dyn Record, steps: &[u16]) -> Option<JsonBuf> {
    let (step, rest) = steps.split_first()?;
    let view = record.view(usize::from(*step));
    if rest.is_empty() {
        return view.is_present().then(|| view.to_json());
    }
    value_at(view.record()?, rest)
}

fn set_at(record: &mut dyn Record, path: AttrPath, value: Option<&Value>) -> Result<()> {
    let limits = Limits::default();
    let mut cx = Cx::new(Intent::Stored, &Strict, &limits);
    let json = value
        .map(|value| JsonBuf::parse(value.to_string().as_bytes(), &limits))
        .transpose()?;
    let action = json
        .as_ref()
        .map_or(Action::Remove, |json| Action::Replace(json.as_json()));
    let edit = Edit {
        action,
        select: None,
        rest: path.steps(),
    };
    apply_to_record(record, edit, &mut cx).map(drop)
}

/// Gives a resource these edges, by the ids at their other ends.
pub(super) fn set_edges<R: ScimResource>(
    resource: &mut R,
    path: AttrPath,
    edges: &Value,
) -> Result<(), Seen> {
    set_at(resource, path, Some(edges)).map_err(|error| {
        Seen::of(
            "the sample does not take edges that are given by their ids",
            &error,
        )
    })
}

/// Returns the attributes that are kept of `R` and that a client can set and read back.
pub(super) fn leaves<R: ScimResource>(kept: Option<&Kept>) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    let table = R::RESOURCE_TYPE.schema.attributes;
    collect(
        table,
        AttrPath::ROOT,
        &[],
        &|path| is_kept(kept, path),
        &mut leaves,
    );
    for leaf in &mut leaves {
        leaf.name = leaf
            .path
            .name(table)
            .map(|name| name.to_string())
            .unwrap_or_default();
    }
    leaves
}

fn is_kept(kept: Option<&Kept>, path: AttrPath) -> bool {
    kept.is_none_or(|kept| kept.extent(path) != Extent::Nothing)
}

fn collect(
    table: &'static [Attribute],
    above: AttrPath,
    keys: &[&'static str],
    is_kept: &dyn Fn(AttrPath) -> bool,
    leaves: &mut Vec<Leaf>,
) {
    for (attribute, step) in table.iter().zip(0..u16::MAX) {
        let (path, shape) = (above.push(step), &attribute.shape);
        let is_common = matches!(attribute.role, Role::Common) && attribute.name != "externalId";
        let is_settable = matches!(shape.mutability, Mutability::ReadWrite | Mutability::Immutable);
        let is_hidden = attribute.edges || attribute.transient || shape.returned == Returned::Never;
        if is_common || !is_settable || is_hidden || !is_kept(path) {
            continue;
        }
        let keys = [keys, &[attribute.name]].concat();
        if attribute.is_extension() || (attribute.is_complex() && !shape.multi_valued) {
            collect(shape.sub_attributes, path, &keys, is_kept, leaves);
        } else {
            leaves.push(Leaf {
                path,
                name: String::new(),
                keys,
                attribute,
            });
        }
    }
}

/// Returns the attributes of `R` that are handed on and never kept, and are text.
pub(super) fn transient<R: ScimResource>() -> Vec<Leaf> {
    let table = R::RESOURCE_TYPE.schema.attributes.iter().zip(0..u16::MAX);
    let transient = table.filter(|(attribute, _)| {
        attribute.transient && attribute.shape.kind == Type::String && !attribute.shape.multi_valued
    });
    transient
        .map(|(attribute, step)| Leaf {
            path: AttrPath::ROOT.push(step),
            name: attribute.name.to_owned(),
            keys: vec![attribute.name],
            attribute,
        })
        .collect()
}
