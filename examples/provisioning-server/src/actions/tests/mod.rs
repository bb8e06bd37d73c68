//! Tests over all actions.

mod authority;
mod demands;
mod escalating;
mod listing;

use super::*;

/// Feature row 86: an action is known by its name, and has one.
#[test]
fn no_two_actions_have_one_name() {
    let mut names: Vec<_> = ALL.iter().map(|action| action.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(names.iter().all(|name| name.contains('.')), "{names:?}");
}
