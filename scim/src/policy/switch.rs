//! Attributes that absence never enables.

use crate::error::Result;
use crate::limits::Limits;
use crate::record::{Record, apply_to_record};
use crate::value::{Action, Cx, Edit, Intent, Json, Strict, View};

/// Keeps a switch off that was off, if nothing is said of it any more.
pub(super) fn keep_disabled(steps: &[u16], before: &dyn Record, after: &mut dyn Record) -> Result<()> {
    let mut was_off = false;
    look(before, steps, &mut |view| {
        was_off = matches!(view, View::Bool(false));
    });
    let mut is_said = false;
    look(after, steps, &mut |view| is_said = view.is_present());
    if !was_off || is_said {
        return Ok(());
    }
    let limits = Limits::default();
    let mut cx = Cx::new(Intent::Stored, &Strict, &limits);
    let edit = Edit {
        action: Action::Replace(Json::FALSE),
        select: None,
        rest: steps,
    };
    apply_to_record(after, edit, &mut cx).map(|_| ())
}

fn look(record: &dyn Record, steps: &[u16], at: &mut dyn FnMut(&View<'_>)) {
    let [step, rest @ ..] = steps else { return };
    let view = record.view(usize::from(*step));
    match (rest, view.record()) {
        ([], _) => at(&view),
        (rest, Some(record)) => look(record, rest, at),
        _ => {}
    }
}
