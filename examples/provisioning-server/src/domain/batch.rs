//! The data that the history gathers between two writes, in bounded memory.

use std::collections::HashMap;
use std::mem;

use jiff::Timestamp;
use uuid::Uuid;

use super::activity::Requests;
use super::conflict::ConflictSeen;
use super::redact;
use super::request_row::RequestRow;
use super::token::Purpose;

/// How many rows wait at most. Anything on top is counted, not kept.
const CAPACITY: usize = 4_096;

/// How many bytes of bodies wait at most.
const BODY_BYTES: usize = 4 << 20;

/// How many conflicts, and how many successes that resolve some, wait at most. Their requests are kept all the same.
const CONFLICTS: usize = 1_000;

/// How many uses of tolerances are told apart between two writes. Beyond that, what they acted on is not named.
const TOLERANCES: usize = 1_000;

/// Everything that happened since the last batch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    /// Requests, in their order.
    pub(crate) rows: Vec<RequestRow>,
    /// The requests that were only counted, per organization.
    pub(crate) counts: HashMap<Uuid, Counts>,
    /// When each token was last used, and by whom.
    pub(crate) uses: HashMap<Uuid, Use>,
    /// How many requests came to each organization in each hour, counted since 1970.
    pub(crate) activity: HashMap<(Uuid, i64), Requests>,
    /// Bodies of requests, masked.
    pub(crate) bodies: Vec<RequestBody>,
    body_bytes: usize,
    /// How often each tolerance was needed.
    pub(crate) tolerances: HashMap<ToleranceUse, u64>,
    /// The things that went wrong because of something here, and those that went well although they may have gone wrong before.
    pub(crate) outcomes: Vec<Outcome>,
}

/// Returns the conflicts that a request tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There is one.
    Conflict(ConflictSeen),
    /// There is none about this resource of an organization.
    Success { organization: Uuid, id: String },
}

/// The last use of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) organization: Uuid,
    pub(crate) purpose: Purpose,
    pub(crate) at: Timestamp,
}

/// The body of a request, masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestBody {
    pub(crate) organization: Uuid,
    /// That of the request.
    pub(crate) sequence: Uuid,
    pub(crate) text: String,
}

/// A tolerance that was needed, for what, and in which hour.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ToleranceUse {
    pub(crate) organization: Uuid,
    /// Counted since 1970.
    pub(crate) hour: i64,
    pub(crate) tolerance: &'static str,
    pub(crate) subject: String,
}

/// The requests that are counted for an organization and not kept as rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Requests that no token of the organization could be attributed to.
    pub(crate) unattributed: u64,
    /// Requests whose row found no place.
    pub(crate) overflow: u64,
}

impl Batch {
    /// Returns whether nothing happened.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
            && self.counts.is_empty()
            && self.uses.is_empty()
            && self.activity.is_empty()
            && self.bodies.is_empty()
            && self.tolerances.is_empty()
            && self.outcomes.is_empty()
    }

    /// Adds a request, or counts it if the batch is full. Bound its texts [before](RequestRow::bounded): the batch is locked
    /// meanwhile. Returns how many rows found no place: 0 or 1.
    pub(crate) fn add_row(&mut self, row: RequestRow) -> u64 {
        if self.rows.len() < CAPACITY {
            self.rows.push(row);
            return 0;
        }
        self.counts.entry(row.organization).or_default().overflow += 1;
        1
    }

    /// Adds a body, if there is a place for it.
    pub(crate) fn add_body(&mut self, body: RequestBody) {
        let bytes = self.body_bytes.saturating_add(body.text.len());
        if bytes <= BODY_BYTES {
            self.body_bytes = bytes;
            self.bodies.push(body);
        }
    }

    /// Adds what a request tells of conflicts, if there is a place for it.
    pub(crate) fn add_outcome(&mut self, outcome: Outcome) {
        if self.outcomes.len() < CONFLICTS {
            self.outcomes.push(match outcome {
                Outcome::Conflict(seen) => Outcome::Conflict(seen.bounded()),
                success @ Outcome::Success { .. } => success,
            });
        }
    }

    /// Counts uses of a tolerance.
    pub(crate) fn add_tolerance(&mut self, mut of: ToleranceUse, count: u64) {
        redact::keep(&mut of.subject);
        if self.tolerances.len() >= TOLERANCES && !self.tolerances.contains_key(&of) {
            of.subject.clear();
        }
        *self.tolerances.entry(of).or_default() += count;
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
        let bodies = mem::take(&mut self.bodies);
        self.body_bytes = 0;
        for body in older.bodies.into_iter().chain(bodies) {
            self.add_body(body);
        }
        let outcomes = mem::take(&mut self.outcomes);
        for outcome in older.outcomes.into_iter().chain(outcomes) {
            self.add_outcome(outcome);
        }
        for (of, count) in older.tolerances {
            self.add_tolerance(of, count);
        }
        for (hour, requests) in older.activity {
            self.activity.entry(hour).or_default().add(&requests);
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
            asked_for: None,
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

    /// Feature rows 75, 79: bodies and names are kept in bounded memory, and no use of a tolerance is lost.
    #[test]
    fn bodies_and_tolerances_find_place_in_bounded_memory() {
        let mut batch = Batch::default();
        for n in 0..10_000_u64 {
            batch.add_body(RequestBody {
                organization: Uuid::nil(),
                sequence: Uuid::nil(),
                text: "x".repeat(1_024),
            });
            let of = ToleranceUse {
                organization: Uuid::nil(),
                hour: 1,
                tolerance: "unknown-names",
                subject: n.to_string(),
            };
            batch.add_tolerance(of, 1);
        }
        assert_eq!(batch.bodies.len(), BODY_BYTES / 1_024);
        assert_eq!(batch.tolerances.len(), TOLERANCES + 1);
        assert_eq!(batch.tolerances.values().sum::<u64>(), 10_000);
        let mut newer = Batch::default();
        newer.take_back(batch);
        assert_eq!(newer.bodies.len(), BODY_BYTES / 1_024);
        assert_eq!(newer.tolerances.values().sum::<u64>(), 10_000);
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
        newer.activity.insert((Uuid::nil(), 7), Requests::one(200));
        older.activity.insert((Uuid::nil(), 7), Requests::one(404));
        newer.take_back(older);
        let both = Requests {
            succeeded: 1,
            refused: 1,
        };
        assert_eq!(newer.activity[&(Uuid::nil(), 7)], both);
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
