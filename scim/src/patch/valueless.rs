//! Elements that a PATCH leaves without a value.

use std::collections::HashSet;
use std::ops::ControlFlow;

use crate::error::Result;
use crate::limits::Limits;
use crate::path::AttrPath;
use crate::record::{Record, apply_to_record};
use crate::schema::position;
use crate::value::{
    Action, Cx, Edit, Intent, Json, JsonBuf, Select, Strict, View, is_value, omits_valueless,
};

/// Removes the elements that the operations have left without a value, or made without one. It is done when all
/// operations have been applied: one may name the type of an element and the next its value.
///
/// An element that had no value before stays as it was. A primary element that lost its place to one that is removed
/// here takes it back.
pub(super) fn remove_valueless(
    before: &dyn Record,
    after: &mut dyn Record,
    targets: impl Iterator<Item = AttrPath>,
    cx: &mut Cx<'_>,
) -> Result<()> {
    let mut lists: Vec<AttrPath> = Vec::new();
    for target in targets {
        if let Some(list) = list_of(target, after)
            && !lists.contains(&list)
        {
            lists.push(list);
        }
    }
    for list in lists {
        remove_in(before, after, list, cx)?;
    }
    Ok(())
}

/// Finds the list of complex values on the way to a target.
fn list_of(target: AttrPath, record: &dyn Record) -> Option<AttrPath> {
    let mut path = AttrPath::ROOT;
    for (step, attribute) in target.steps().iter().zip(target.attributes(record.attributes())) {
        path = path.push(*step);
        if attribute.shape.multi_valued {
            return attribute.is_complex().then_some(path);
        }
    }
    None
}

fn remove_in(before: &dyn Record, after: &mut dyn Record, list: AttrPath, cx: &mut Cx<'_>) -> Result<()> {
    let Some(attribute) = list.attribute(after.attributes()) else {
        return Ok(());
    };
    let Some(tolerance) = omits_valueless(&attribute.shape, cx) else {
        return Ok(());
    };
    let mut valueless = Valueless::default();
    let mut was_primary = None;
    each(before, list.steps(), &mut |element| {
        if !is_value(element) {
            valueless.kept.insert(element.to_json().text().to_owned());
        } else if element.is_primary() {
            was_primary = Some(without_primary(element));
        }
    });
    let (mut found, mut took_primary) = (false, false);
    each(after, list.steps(), &mut |element| {
        if valueless.matches(element) {
            found = true;
            took_primary |= element.is_primary();
        }
    });
    if !found {
        return Ok(());
    }
    cx.start_at(after.attributes(), list);
    cx.fire_here(tolerance);
    edit(after, Action::Remove, &valueless, list)?;
    let primary = position(attribute.shape.sub_attributes, "primary");
    match (primary, was_primary) {
        (Some((step, _)), Some(element)) if took_primary => {
            let path = list.push(u16::try_from(step).unwrap_or(u16::MAX));
            edit(after, Action::Replace(Json::TRUE), &Same(element), path)
        }
        _ => Ok(()),
    }
}

fn edit(record: &mut dyn Record, action: Action<'_>, select: &dyn Select, path: AttrPath) -> Result<()> {
    let limits = Limits::default();
    let mut cx = Cx::new(Intent::Stored, &Strict, &limits);
    let edit = Edit {
        action,
        select: Some(select),
        rest: path.steps(),
    };
    apply_to_record(record, edit, &mut cx).map(|_| ())
}

/// Visits the elements of the list at the end of the way.
fn each(record: &dyn Record, steps: &[u16], visit: &mut dyn FnMut(&View<'_>)) {
    let [step, rest @ ..] = steps else { return };
    let view = record.view(usize::from(*step));
    if let Some(record) = view.record() {
        each(record, rest, visit);
    } else if let Some(values) = view.values() {
        _ = values.try_for_each(&mut |element| {
            visit(&element);
            ControlFlow::Continue(())
        });
    }
}

/// Selects elements without a value, but for those that were there before.
#[derive(Default)]
struct Valueless {
    /// Their texts, which are equal where the elements are: both are written from the same table.
    kept: HashSet<String>,
}

impl Select for Valueless {
    fn matches(&self, element: &View<'_>) -> bool {
        !is_value(element) && !self.kept.contains(element.to_json().text())
    }

    fn template(&self) -> Option<Vec<(u16, JsonBuf)>> {
        None
    }
}

/// Selects the element that says this, whether it is the primary one or not.
struct Same(JsonBuf);

impl Select for Same {
    fn matches(&self, element: &View<'_>) -> bool {
        without_primary(element) == self.0
    }

    fn template(&self) -> Option<Vec<(u16, JsonBuf)>> {
        None
    }
}

fn without_primary(element: &View<'_>) -> JsonBuf {
    let json = element.to_json();
    let members = json.as_json().members();
    JsonBuf::object(members.filter(|(name, _)| !name.eq_ignore_ascii_case("primary")))
}
