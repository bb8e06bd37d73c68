//! The rate of requests of each organization, as this process has counted it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use uuid::Uuid;

use crate::domain::rate::{Meter, Rate, TooEarly};

/// Counts the requests that were admitted by token, for each organization by itself.
#[derive(Debug)]
pub(super) struct Rates {
    rate: Rate,
    began: Instant,
    meters: RwLock<HashMap<Uuid, Arc<Mutex<Meter>>>>,
}

impl Rates {
    pub(super) fn new(rate: Rate) -> Self {
        Self {
            rate,
            began: Instant::now(),
            meters: RwLock::default(),
        }
    }

    /// Returns the requests a second that are let in.
    pub(super) fn limit(&self) -> u32 {
        self.rate.limit
    }

    /// Counts a request of an organization.
    ///
    /// # Errors
    /// It comes too early.
    pub(super) fn admit(&self, organization: Uuid) -> Result<(), TooEarly> {
        let meter = self.meter(organization);
        let mut meter = meter.lock().unwrap_or_else(PoisonError::into_inner);
        self.rate.admit(&mut meter, self.began.elapsed())
    }

    fn meter(&self, organization: Uuid) -> Arc<Mutex<Meter>> {
        let meters = self.meters.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(meter) = meters.get(&organization) {
            return Arc::clone(meter);
        }
        drop(meters);
        let mut meters = self.meters.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(meters.entry(organization).or_default())
    }
}
