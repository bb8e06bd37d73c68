//! Everything that an administrator can do: one file a noun, one function an action.
//!
//! An action asks its [`Action`](crate::domain::actor::Action) of the actor first. Then it does everything in one
//! transaction: the rule, the change, its audit row and its events.

pub(crate) mod event;

/// Every action of the product.
#[cfg(test)]
pub(crate) const ALL: &[crate::domain::actor::Action] = &[event::LIST];

#[cfg(test)]
mod tests {
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
}
