//! `Option<T>`: an attribute that may be unassigned.

use crate::error::Result;
use crate::schema::Shape;
use crate::value::handler::{Handler, Native, Optional};
use crate::value::{Change, Cx, Edit, Json, Op, ScimValue, View};

impl<T: 'static, H: Handler<T>> Handler<Option<T>> for Optional<H> {
    const SHAPE: Shape = H::SHAPE.optional();

    type Paths<R: 'static> = H::Paths<R>;

    fn view(value: &Option<T>) -> View<'_> {
        value.as_ref().map_or(View::Absent, H::view)
    }

    fn decode(json: Json<'_>, cx: &mut Cx<'_>) -> Result<Option<T>> {
        if cx.is_absent(json) {
            Ok(None)
        } else {
            H::decode(json, cx).map(Some)
        }
    }

    fn absent() -> Option<Option<T>> {
        Some(None)
    }

    fn apply(value: &mut Option<T>, edit: Edit<'_>, cx: &mut Cx<'_>) -> Result<Change> {
        if edit.clears() || (edit.is_whole() && edit.value.is_some_and(|json| cx.is_absent(json))) {
            // Adding nothing takes nothing away.
            return Ok(Change::when(edit.op != Op::Add && value.take().is_some()));
        }
        match value {
            Some(held) => {
                let change = H::apply(held, edit, cx)?;
                if edit.op != Op::Add && !H::view(held).is_present() {
                    *value = None;
                }
                Ok(change)
            }
            None if edit.op == Op::Remove => Ok(Change::None),
            None => {
                let document = edit.materialise(H::SHAPE.sub_attributes)?;
                *value = Some(H::decode(document.as_json(), cx)?).filter(|made| H::view(made).is_present());
                Ok(Change::when(value.is_some()))
            }
        }
    }
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
