//! `Option<T>`: an attribute that may be unassigned.

use crate::error::Result;
use crate::fold::Fold;
use crate::schema::Shape;
use crate::value::handler::{Handler, Native, Optional};
use crate::value::{Action, Change, Cx, Edit, Json, ScimValue, View};

impl<T: 'static, H: Handler<T>> Handler<Option<T>> for Optional<H> {
    const SHAPE: Shape = H::SHAPE.optional();

    type Paths<R: 'static> = H::Paths<R>;

    fn view(value: &Option<T>) -> View<'_> {
        value.as_ref().map_or(View::Absent, H::view)
    }

    fn decode(json: Json<'_>, cx: &mut Cx<'_>) -> Result<Option<T>> {
        if json.is_null() {
            Ok(None)
        } else {
            H::decode(json, cx).map(Some)
        }
    }

    fn absent() -> Option<Option<T>> {
        Some(None)
    }

    fn apply(value: &mut Option<T>, edit: Edit<'_>, cx: &mut Cx<'_>) -> Result<Change> {
        if edit.clears() {
            return Ok(Change::when(value.take().is_some()));
        }
        match (value.as_mut(), edit.action) {
            (Some(held), Action::RemoveNamed(json)) if edit.is_whole() && is_simple::<T, H>() => {
                let named = H::decode(json, cx)?;
                let is_meant = is_equal(&H::view(held), &H::view(&named), &H::SHAPE);
                Ok(Change::when(is_meant && value.take().is_some()))
            }
            (Some(held), action) => {
                let change = H::apply(held, edit, cx)?;
                if !matches!(action, Action::Add(_)) && !H::view(held).is_present() {
                    *value = None;
                }
                Ok(change)
            }
            (None, Action::Remove | Action::RemoveNamed(_)) => Ok(Change::None),
            (None, Action::Add(operand) | Action::Replace(operand)) => {
                let document = edit.materialise(operand, H::SHAPE.sub_attributes)?;
                *value = Some(H::decode(document.as_json(), cx)?).filter(|made| H::view(made).is_present());
                Ok(Change::when(value.is_some()))
            }
        }
    }
}

fn is_simple<T: 'static, H: Handler<T>>() -> bool {
    H::SHAPE.sub_attributes.is_empty()
}

/// Returns whether two simple values are equal by the rule of their type.
fn is_equal(a: &View<'_>, b: &View<'_>, shape: &Shape) -> bool {
    let fold = if shape.case_exact {
        Fold::Exact
    } else {
        Fold::CaseInsensitive
    };
    a.same(b) || a.key(fold).is_some_and(|key| Some(key) == b.key(fold))
}

impl<T: ScimValue> ScimValue for Option<T> {
    const SHAPE: Shape = T::SHAPE.optional();

    type Paths<R: 'static> = T::Paths<R>;

    fn view(&self) -> View<'_> {
        Optional::<Native>::view(self)
    }

    fn decode(json: Json<'_>, cx: &mut Cx<'_>) -> Result<Self> {
        Optional::<Native>::decode(json, cx)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn apply(&mut self, edit: Edit<'_>, cx: &mut Cx<'_>) -> Result<Change> {
        Optional::<Native>::apply(self, edit, cx)
    }
}
