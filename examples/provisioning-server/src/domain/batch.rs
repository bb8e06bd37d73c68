//! What the history gathers between two writes, in bounded memory.

use std::collections::HashMap;
use std::mem;

use jiff::Timestamp;
use uuid::Uuid;

use super::request_row::RequestRow;

/// How many rows wait at most. What comes on top is counted, not kept.
const CAPACITY: usize = 4_096;

/// What happened since the last batch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    /// Requests, in their order.
    pub(crate) rows: Vec<RequestRow>,
    /// What was only counted, per organization.
    pub(crate) counts: HashMap<Uuid, Counts>,
    /// When each token was last used, with its organization.
    pub(crate) uses: HashMap<Uuid, (Uuid, Timestamp)>,
}

/// What is counted for an organization and not kept as rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Requests that no token of the organization could be attributed to.
    pub(crate) unattributed: u64,
    /// Requests whose row found no place.
    pub(crate) overflow: u64,
}

impl Batch {
    /// Whether nothing happened.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.counts.is_empty() && self.uses.is_empty()
    }

    /// Adds a request, or counts it if there is no place. Returns how many rows found no place: 0 or 1.
    pub(crate) fn add_row(&mut self, row: RequestRow) -> u64 {
        if self.rows.len() < CAPACITY {
            self.rows.push(row.bounded());
            return 0;
        }
        self.counts.entry(row.organization).or_default().overflow += 1;
        1
    }

    /// Takes back a batch that could not be written: it is older than what is in `self`. Returns how many rows found no
    /// place any more.
    pub(crate) fn take_back(&mut self, mut older: Self) -> u64 {
        let newer = mem::take(&mut self.rows);
        mem::swap(&mut self.rows, &mut older.rows);
        let lost = newer.into_iter().map(|row| self.add_row(row)).sum();
        for (organization, counts) in older.counts {
            let sum = self.counts.entry(organization).or_default();
            sum.unattributed += counts.unattributed;
            sum.overflow += counts.overflow;
        }
        for (token, used) in older.uses {
            self.uses.entry(token).or_insert(used);
        }
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::settings::IdentityProvider;

    fn row(n: usize) -> RequestRow {
        RequestRow {
            organization: Uuid::nil(),
            sequence: Uuid::from_u128(n as u128),
            time: Timestamp::UNIX_EPOCH,
            method: "GET".into(),
            path: "/scim/acme/v2/Users".to_owned(),
            status: 200,
            scim_type: None,
            duration_us: 1,
            operation: Some("query"),
            total: Some(0),
            sentence: None,
            resource_type: None,
            resource_id: None,
            external_id: None,
            token: None,
            request_id: n.to_string(),
            idp: IdentityProvider::Other,
            notes: None,
            error: None,
        }
    }

    #[test]
    fn memory_is_bounded_and_an_overflow_is_counted() {
        // Feature row 75.
        let mut batch = Batch::default();
        for n in 0..CAPACITY + 7 {
            batch.add_row(row(n));
        }
        assert_eq!(batch.rows.len(), CAPACITY);
        assert_eq!(batch.counts[&Uuid::nil()].overflow, 7);
    }

    #[test]
    fn a_batch_that_could_not_be_written_comes_before_what_followed() {
        let mut newer = Batch::default();
        newer.add_row(row(2));
        newer.counts.insert(
            Uuid::nil(),
            Counts {
                unattributed: 1,
                overflow: 0,
            },
        );
        let mut older = Batch::default();
        older.add_row(row(1));
        older.counts.insert(
            Uuid::nil(),
            Counts {
                unattributed: 2,
                overflow: 3,
            },
        );
        newer.take_back(older);
        let order: Vec<&str> = newer.rows.iter().map(|row| row.request_id.as_str()).collect();
        assert_eq!(order, ["1", "2"]);
        assert_eq!(
            newer.counts[&Uuid::nil()],
            Counts {
                unattributed: 3,
                overflow: 3
            }
        );
    }
}
