//! Deltas: what a PATCH does to one multi-valued attribute, for a store that keeps its values as rows.

use crate::error::Result;
use crate::filter::ResolvedFilter;
use crate::patch::{Operation, Patch};
use crate::path::{AttrPath, MultiPath, PathNode};
use crate::record::ScimResource;
use crate::schema::{Attribute, Mutability};
use crate::value::{Action, Cx, Edit, Json, Meaning, Multi, ScimValue, position_of};

/// One change of a multi-valued attribute. `V` holds values: a `Vec` of them, or values that are only walked.
#[derive(Debug, Clone)]
pub struct Delta<V> {
    /// Which of the request's operations it comes from, counted from 0.
    pub operation: usize,
    /// The change that it makes.
    pub change: DeltaChange<V>,
}

/// The change that a delta makes.
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
    /// Takes away what the filter selects; nothing selected is not an error.
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
        self.split_with(at.path(), |json, cx| {
            let mut values = Vec::new();
            let change = ScimValue::apply(&mut values, Edit::whole(Action::Add(json)), cx)?;
            Ok(change.is_done().then_some(values))
        })
    }

    /// Splits in the same way an attribute marked `edges` that is known by its path alone.
    ///
    /// # Errors
    /// As [`split`](Self::split).
    pub fn split_edges(&self, at: AttrPath) -> Result<Option<Split<R, Box<dyn Multi>>>> {
        let [index] = *at.steps() else { return Ok(None) };
        let attribute = at.attribute(R::RESOURCE_TYPE.schema.attributes);
        let Some(attribute) = attribute.filter(|attribute| attribute.edges) else {
            return Ok(None);
        };
        self.split_with(at, |json, cx| {
            R::decode_edges(usize::from(index), json, cx).map_err(|error| error.at(attribute.name))
        })
    }

    /// Splits with `decode`, which reads the values of a list; `None` if there are none.
    fn split_with<V>(
        &self,
        at: AttrPath,
        mut decode: impl FnMut(Json<'_>, &mut Cx<'_>) -> Result<Option<V>>,
    ) -> Result<Option<Split<R, V>>> {
        let attribute = at.attribute(R::RESOURCE_TYPE.schema.attributes);
        let Some(attribute) =
            attribute.filter(|attribute| attribute.shape.mutability == Mutability::ReadWrite)
        else {
            return Ok(None);
        };
        let mut cx = self.context();
        let result = self.split_in(at, attribute, &mut decode, &mut cx);
        self.note(&cx.take_fired());
        result
    }

    fn split_in<V>(
        &self,
        at: AttrPath,
        attribute: &'static Attribute,
        decode: &mut Decode<'_, V>,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Split<R, V>>> {
        let table = R::RESOURCE_TYPE.schema.attributes;
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
            cx.start_at(table, at);
            let part = part_of(operation, &self.text, attribute, decode, cx);
            match part.map_err(|error| error.in_operation(operation.index))? {
                Part::Change(change) => deltas.push(Delta {
                    operation: operation.index,
                    change,
                }),
                Part::Nothing => {}
                Part::Inseparable => return Ok(None),
            }
        }
        Ok(Some(Split {
            deltas,
            rest: self.with_operations(rest),
        }))
    }
}

type Decode<'d, V> = dyn FnMut(Json<'_>, &mut Cx<'_>) -> Result<Option<V>> + 'd;

/// The meaning of an operation on the attribute itself for a store that keeps its values as rows.
enum Part<V> {
    Change(DeltaChange<V>),
    /// It names nothing.
    Nothing,
    /// It reaches into the values.
    Inseparable,
}

fn part_of<V>(
    operation: &Operation,
    text: &str,
    attribute: &'static Attribute,
    decode: &mut Decode<'_, V>,
    cx: &mut Cx<'_>,
) -> Result<Part<V>> {
    let action = operation.act.action(text);
    let operand = match (action, &operation.target.select) {
        (Action::Remove, None) => return Ok(Part::Change(DeltaChange::Clear)),
        (Action::Remove, Some(filter)) => return Ok(Part::Change(DeltaChange::RemoveWhere(filter.clone()))),
        (Action::Add(operand) | Action::Replace(operand) | Action::RemoveNamed(operand), None) => operand,
        (_, Some(_)) => return Ok(Part::Inseparable),
    };
    match cx.meaning(operand, position_of(action), &attribute.shape) {
        Meaning::Nothing => return Ok(Part::Nothing),
        Meaning::Unassigned => return Ok(Part::Change(DeltaChange::Clear)),
        Meaning::Value => {}
    }
    let fitted = cx.fit(operand, &attribute.shape);
    let Some(values) = decode(fitted.json(), cx)? else {
        return Ok(Part::Nothing);
    };
    Ok(Part::Change(match action {
        Action::Add(_) => DeltaChange::Add(values),
        Action::Replace(_) => DeltaChange::Set(values),
        Action::Remove | Action::RemoveNamed(_) => DeltaChange::RemoveValues(values),
    }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::limits::Limits;
    use crate::policy::Policy;
    use crate::resources::{Group, Member};
    use crate::value::{Select, View};

    type Members = BTreeSet<String>;

    fn ids() -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec("[a-f]", 0..4)
    }

    fn values(ids: &[String]) -> Value {
        ids.iter().map(|id| json!({"value": id})).collect()
    }

    /// Makes operations: every way in which an operation can reach the members, beside some that do not, and one that
    /// fails.
    fn operation() -> impl Strategy<Value = Value> {
        prop_oneof![
            4 => ids().prop_map(|ids| json!({"op": "add", "path": "members", "value": values(&ids)})),
            2 => "[a-f]".prop_map(|id| json!({"op": "add", "path": "members", "value": {"value": id}})),
            4 => ids().prop_map(|ids| json!({"op": "remove", "path": "members", "value": values(&ids)})),
            3 => "[a-f]".prop_map(|id| json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")})),
            1 => "[a-f]".prop_map(|id| json!({"op": "remove", "path": format!("members[not (value eq \"{id}\")]")})),
            2 => ids().prop_map(|ids| json!({"op": "replace", "path": "members", "value": values(&ids)})),
            1 => Just(json!({"op": "remove", "path": "members"})),
            1 => Just(json!({"op": "replace", "path": "members", "value": null})),
            2 => ids().prop_map(|ids| json!({"op": "add", "value": {"members": values(&ids), "externalId": "x"}})),
            2 => "[x-z]".prop_map(|name| json!({"op": "replace", "value": {"displayName": name}})),
            1 => "[a-f]".prop_map(|id| json!({"op": "replace", "path": format!("members[value eq \"{id}\"].display"), "value": "D"})),
            1 => Just(json!({"op": "replace", "path": "id", "value": "1"})),
        ]
    }

    fn group(members: &[String]) -> Group {
        let members: Members = members.iter().cloned().collect();
        let mut group = Group::new("G");
        group.members = members.iter().map(Member::new).collect::<Vec<_>>().into();
        group
    }

    fn held(members: &[Member]) -> Members {
        members.iter().map(|member| member.value.clone()).collect()
    }

    /// Carries out the work of a store with deltas, in the fewest words.
    fn carry_out(deltas: Vec<Delta<Vec<Member>>>, members: &mut Members) {
        for delta in deltas {
            match delta.change {
                DeltaChange::Add(added) => members.extend(held(&added)),
                DeltaChange::Set(all) => *members = held(&all),
                DeltaChange::Clear => members.clear(),
                DeltaChange::RemoveValues(removed) => members.retain(|id| !held(&removed).contains(id)),
                DeltaChange::RemoveWhere(filter) => {
                    members.retain(|id| !Select::matches(&filter, &View::Complex(&Member::new(id))));
                }
            }
        }
    }

    proptest! {
        /// Deltas and rest together do what the PATCH does to the whole resource, and fail where it fails.
        #[test]
        fn deltas_do_what_the_patch_does(
            before in ids(),
            operations in prop::collection::vec(operation(), 1..6),
        ) {
            let body = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": operations,
            });
            let body = body.to_string();
            let Ok(patch) = Patch::<Group>::parse(body.as_bytes(), &Policy::tolerant(), &Limits::default()) else {
                return Ok(());
            };
            let before = group(&before);
            let whole = patch.apply(&before).map(|applied| applied.resource.unwrap_or_else(|| before.clone()));
            let Ok(Some(split)) = patch.split(Group::paths().members()) else {
                return Ok(());
            };
            let mut bare = before.clone();
            bare.members = crate::value::Edges::NotLoaded;
            let rest = split.rest.apply(&bare).map(|applied| applied.resource.unwrap_or_else(|| bare.clone()));
            let (whole, rest) = match (whole, rest) {
                (Ok(whole), Ok(rest)) => (whole, rest),
                (Err(whole), Err(rest)) => {
                    prop_assert_eq!(whole.to_string(), rest.to_string());
                    return Ok(());
                }
                (whole, rest) => return Err(TestCaseError::fail(format!("{whole:?} but {rest:?}"))),
            };
            let mut members = held(before.members.loaded().unwrap());
            carry_out(split.deltas, &mut members);
            prop_assert_eq!(members, held(whole.members.loaded().unwrap()));
            prop_assert_eq!((rest.display_name, rest.external_id), (whole.display_name, whole.external_id));
        }
    }

    /// The law above is not empty: what a provider sends of members is split, and what goes into them is not.
    #[test]
    fn whole_values_are_split_off() {
        let splits = |operations: Value| {
            let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
            let patch = Patch::<Group>::parse(
                body.to_string().as_bytes(),
                &Policy::tolerant(),
                &Limits::default(),
            );
            let split = patch.unwrap().split(Group::paths().members()).unwrap();
            split.map(|split| (split.deltas.len(), split.rest.operations().len()))
        };
        let add = json!({"op": "add", "path": "members", "value": [{"value": "1"}]});
        let all = json!({"op": "replace", "value": {"members": [{"value": "1"}], "displayName": "x", "externalId": "y"}});
        assert_eq!(splits(json!([add])), Some((1, 0)));
        assert_eq!(splits(json!([add, all])), Some((2, 2)));
        let inside = json!({"op": "replace", "path": "members[value eq \"1\"].display", "value": "D"});
        assert_eq!(splits(json!([add, inside])), None);
    }
}
