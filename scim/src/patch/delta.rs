//! Deltas: what a PATCH does to one multi-valued attribute, for a store that keeps its values as rows.

use crate::error::Result;
use crate::filter::ResolvedFilter;
use crate::patch::{Operation, Patch};
use crate::path::{AttrPath, MultiPath, PathNode};
use crate::record::{Record, ScimResource, apply_to_record};
use crate::schema::Mutability;
use crate::value::{Cx, Edit, Json, Op, ScimValue};

/// One change of a multi-valued attribute. `V` holds values: a `Vec` of them, or a resource that has no others.
#[derive(Debug, Clone)]
pub struct Delta<V> {
    /// Which of the request's operations it comes from, counted from 0.
    pub operation: usize,
    /// What it does.
    pub change: DeltaChange<V>,
}

/// What a delta does.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum DeltaChange<V> {
    /// Adds those values that are not there yet.
    Add(V),
    /// Makes these the only values.
    Set(V),
    /// Takes all values away.
    Clear,
    /// Takes these values away; those that are not there are no error.
    RemoveValues(V),
    /// Takes away what the filter selects; nothing selected is no error.
    RemoveWhere(ResolvedFilter),
}

/// A PATCH in two parts: what it does to one attribute, and the rest.
#[derive(Debug)]
pub struct Split<R, V> {
    /// The changes of the attribute, in order.
    pub deltas: Vec<Delta<V>>,
    /// The PATCH without them.
    pub rest: Patch<R>,
}

impl<R: ScimResource> Patch<R> {
    /// Splits off what the PATCH does to one multi-valued attribute. Every value is decoded, so that nothing can fail
    /// any more once a store begins to write.
    ///
    /// `None` if an operation reaches into the attribute in another way than whole values, or contains it: then the
    /// PATCH must be applied to the whole resource.
    ///
    /// # Errors
    /// 400 `invalidValue` for a value that does not fit.
    pub fn split<T: ScimValue, N: PathNode>(
        &self,
        at: MultiPath<R, T, N>,
    ) -> Result<Option<Split<R, Vec<T>>>> {
        self.split_with(at.path(), |op, json, cx| {
            let mut values = Vec::new();
            _ = ScimValue::apply(&mut values, Edit::whole(op, Some(json)), cx)?;
            Ok(values)
        })
    }

    /// The same for a store that knows the attribute by its path alone. The values come in copies of `blank`, a
    /// resource in which the attribute is unassigned.
    ///
    /// # Errors
    /// 400 `invalidValue` for a value that does not fit.
    pub fn split_at(&self, at: AttrPath, blank: &R) -> Result<Option<Split<R, R>>> {
        self.split_with(at, |op, json, cx| {
            let mut values = blank.clone();
            let edit = Edit {
                op,
                select: None,
                rest: at.steps(),
                value: Some(json),
            };
            _ = apply_to_record(&mut values as &mut dyn Record, edit, cx)?;
            Ok(values)
        })
    }

    fn split_with<V>(
        &self,
        at: AttrPath,
        mut decode: impl FnMut(Op, Json<'_>, &mut Cx<'_>) -> Result<V>,
    ) -> Result<Option<Split<R, V>>> {
        let attribute = at.attribute(R::RESOURCE_TYPE.schema.attributes);
        if !attribute.is_some_and(|attribute| attribute.shape.mutability == Mutability::ReadWrite) {
            return Ok(None);
        }
        let mut cx = self.context();
        let result = self.split_in(at, &mut |op, json| decode(op, json, &mut cx));
        self.note(&cx.take_fired());
        result
    }

    fn split_in<V>(
        &self,
        at: AttrPath,
        decode: &mut dyn FnMut(Op, Json<'_>) -> Result<V>,
    ) -> Result<Option<Split<R, V>>> {
        let mut deltas = Vec::new();
        let mut rest = Vec::new();
        for operation in self.operations() {
            let path = operation.target.path;
            if path != at {
                if path.starts_with(at) || at.starts_with(path) {
                    return Ok(None);
                }
                rest.push(operation.clone());
                continue;
            }
            let change = change_of(operation, &self.text, &mut *decode);
            let Some(change) = change.map_err(|error| error.in_operation(operation.index))? else {
                return Ok(None);
            };
            deltas.push(Delta {
                operation: operation.index,
                change,
            });
        }
        Ok(Some(Split {
            deltas,
            rest: self.with_operations(rest),
        }))
    }
}

fn change_of<V>(
    operation: &Operation,
    text: &str,
    mut read: impl FnMut(Op, Json<'_>) -> Result<V>,
) -> Result<Option<DeltaChange<V>>> {
    let value = operation.value.json(text).filter(|json| !json.is_null());
    Ok(match (operation.op, &operation.target.select, value) {
        (Op::Add, None, Some(json)) => Some(DeltaChange::Add(read(Op::Add, json)?)),
        (Op::Replace, None, Some(json)) => Some(DeltaChange::Set(read(Op::Replace, json)?)),
        (Op::Replace | Op::Remove, None, None) => Some(DeltaChange::Clear),
        (Op::Remove, None, Some(json)) => Some(DeltaChange::RemoveValues(read(Op::Add, json)?)),
        (Op::Remove, Some(filter), _) => Some(DeltaChange::RemoveWhere(filter.clone())),
        _ => None,
    })
}
