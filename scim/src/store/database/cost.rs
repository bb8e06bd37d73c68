//! The time that writes usually take, by tenant: those of a tenant whose writes take long get commits of their own.

use std::collections::HashMap;
use std::time::Duration;

use crate::store::withdrawal::Label;

/// A write that takes as long as this is costly: a commit takes less, and most writes a tenth of it.
const COSTLY: Duration = Duration::from_millis(1);

/// Tenants that are remembered at once.
const MOST: usize = 4_096;

/// The tenants whose writes are costly, each with the average that forgets the older half.
#[derive(Default)]
pub(super) struct Costs(HashMap<Label, Duration>);

impl Costs {
    /// Notes how long a write has taken.
    pub(super) fn note(&mut self, label: Option<Label>, time: Duration) {
        let Some(label) = label else { return };
        let before = self.0.get(&label).copied();
        let average = before.map_or(time, |before| (before + time) / 2);
        if average < COSTLY {
            self.0.remove(&label);
        } else if before.is_some() || self.0.len() < MOST {
            self.0.insert(label, average);
        }
    }

    /// Returns whether the next write of a tenant is likely to be costly. One of the application counts as ordinary.
    pub(super) fn are_high(&self, label: Option<Label>) -> bool {
        label.is_some_and(|label| self.0.contains_key(&label))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_costly_for_as_long_as_its_writes_are() {
        let (mut costs, tenant) = (Costs::default(), Some(Label::of("a")));
        costs.note(tenant, COSTLY / 2);
        assert!(!costs.are_high(tenant));
        costs.note(tenant, 4 * COSTLY);
        assert!(costs.are_high(tenant));
        assert!(!costs.are_high(Some(Label::of("b"))));
        costs.note(tenant, Duration::ZERO);
        costs.note(tenant, Duration::ZERO);
        assert!(costs.are_high(tenant));
        costs.note(tenant, Duration::ZERO);
        assert!(!costs.are_high(tenant) && costs.0.is_empty());
        costs.note(None, 100 * COSTLY);
        assert!(!costs.are_high(None), "the operator waits for nobody");
    }
}
