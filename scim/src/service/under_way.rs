//! The bytes of bodies under way: how many there may be, in total and for one tenant.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Result;
use crate::limits::{Limits, exceeded};

/// Counts the bytes of bodies whose requests are not answered yet.
#[derive(Debug)]
pub(super) struct UnderWay {
    most: usize,
    most_of_tenant: usize,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    total: usize,
    /// Only tenants that have any.
    tenants: HashMap<Arc<str>, usize>,
}

impl UnderWay {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            most: limits.bodies,
            most_of_tenant: limits.tenant_bodies,
            counts: Mutex::default(),
        }
    }

    /// Begins a body. The only tenant of a store has no share of its own, nor has a request for none.
    pub(super) fn begin(&self, tenant: Option<&str>) -> Charge<'_> {
        let tenant = tenant.filter(|name| !name.is_empty());
        Charge {
            under_way: self,
            tenant: tenant.map(Arc::from),
            bytes: 0,
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes that one body is charged with, until it is dropped.
#[derive(Debug)]
pub(super) struct Charge<'u> {
    under_way: &'u UnderWay,
    tenant: Option<Arc<str>>,
    bytes: usize,
}

impl Charge<'_> {
    /// Charges bytes that have come in.
    ///
    /// # Errors
    /// 429 if the tenant has its share, 503 if there is no room for anybody, both with `Retry-After`.
    pub(super) fn add(&mut self, bytes: usize) -> Result<()> {
        let UnderWay {
            most, most_of_tenant, ..
        } = *self.under_way;
        let mut counts = self.under_way.counts();
        if let Some(tenant) = &self.tenant {
            let of_tenant = counts.tenants.get(tenant).copied().unwrap_or(0);
            if of_tenant.saturating_add(bytes) > most_of_tenant {
                return Err(exceeded::tenant_bodies(most_of_tenant, None));
            }
        }
        if counts.total.saturating_add(bytes) > most {
            return Err(exceeded::bodies(most, None));
        }
        counts.total += bytes;
        self.bytes += bytes;
        if let Some(tenant) = &self.tenant {
            *counts.tenants.entry(Arc::clone(tenant)).or_default() += bytes;
        }
        Ok(())
    }
}

impl Drop for Charge<'_> {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let mut counts = self.under_way.counts();
        counts.total = counts.total.saturating_sub(self.bytes);
        let Some(tenant) = &self.tenant else { return };
        if let Some(of_tenant) = counts.tenants.get_mut(tenant) {
            *of_tenant = of_tenant.saturating_sub(self.bytes);
            if *of_tenant == 0 {
                counts.tenants.remove(tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn under_way() -> UnderWay {
        UnderWay::new(&Limits {
            bodies: 100,
            tenant_bodies: 60,
            ..Limits::default()
        })
    }

    /// F4: a tenant that has its share is 429 while others find room; when there is none, everybody is 503.
    #[test]
    fn a_tenant_has_a_share_and_all_have_a_sum() {
        let under_way = under_way();
        let mut acme = under_way.begin(Some("acme"));
        acme.add(60).unwrap();
        let refused = under_way.begin(Some("acme")).add(1).unwrap_err();
        assert_eq!(refused.status(), 429);
        assert!(refused.retry_after().is_some());
        assert!(
            refused.to_string().contains("60 bytes") && refused.limit() == Some("tenant_bodies"),
            "{refused}"
        );
        let mut other = under_way.begin(Some("other"));
        other.add(40).unwrap();
        let refused = under_way.begin(Some("third")).add(1).unwrap_err();
        assert_eq!(refused.status(), 503);
        assert!(refused.retry_after().is_some());
        drop(acme);
        other.add(20).unwrap();
        under_way.begin(Some("acme")).add(40).unwrap();
    }

    /// The share of the only tenant is everything.
    #[test]
    fn a_store_without_tenants_knows_the_sum_alone() {
        for tenant in [None, Some("")] {
            let under_way = under_way();
            let mut all = under_way.begin(tenant);
            all.add(100).unwrap();
            assert_eq!(all.add(1).unwrap_err().status(), 503);
        }
    }

    /// A refused body is not counted, and nothing is left behind of whom it is over with.
    #[test]
    fn bytes_are_given_back() {
        let under_way = under_way();
        for _ in 0..3 {
            let mut body = under_way.begin(Some("acme"));
            body.add(50).unwrap();
            body.add(50).unwrap_err();
        }
        let counts = under_way.counts();
        assert_eq!((counts.total, counts.tenants.len()), (0, 0));
    }
}
