//! What is known of a request while it is answered: the context that the library hands to policy, store and history.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use scim::store::HasTenant;
use tracing::Span;
use uuid::Uuid;

use super::policies::Policies;
use super::rules::OfOrganization;
use crate::database::Access;
use crate::domain::organization::Organization;
use crate::domain::request_row::RequestRow;
use crate::domain::settings::Settings;

/// What is known of a request before anybody has decided about it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) id: String,
    /// Sorts the history row of the request.
    pub(super) sequence: Uuid,
    pub(super) method: http::Method,
    /// The path with the names of the query's parameters.
    pub(super) path: String,
    pub(super) time: Timestamp,
    pub(super) began: Instant,
}

impl Asked {
    /// The history row of a request that was attributed to a token; what came of it is still to be said.
    pub(super) fn row(&self, organization: &Organization, token: Uuid) -> RequestRow {
        RequestRow {
            organization: organization.id,
            sequence: self.sequence,
            time: self.time,
            method: self.method.as_str().to_owned(),
            path: self.path.clone(),
            status: 0,
            scim_type: None,
            duration_us: i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX),
            meaning: String::new(),
            resource_type: None,
            resource_id: None,
            external_id: None,
            token: Some(token),
            request_id: self.id.clone(),
            idp: organization.settings.idp,
            notes: None,
            error: None,
        }
    }
}

/// The context of an admitted request. Cheap to clone: a change takes it to the thread that writes.
#[derive(Debug, Clone)]
pub(crate) struct Context(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    asked: Asked,
    /// The organization as it was when the request was admitted.
    access: Arc<Access>,
    /// Its id, as the store tells tenants apart.
    tenant: String,
    token: Uuid,
    policies: Arc<Policies>,
    /// The span of the answer, as long as it is worked out.
    span: Span,
    /// The span of the change, from the moment it is in the transaction until it is answered.
    commit: Mutex<Option<Span>>,
    /// The status in the history row that is part of the transaction of the change; 0 without one.
    noted: AtomicU16,
}

impl Context {
    pub(super) fn new(asked: Asked, access: Arc<Access>, token: Uuid, policies: Arc<Policies>) -> Self {
        Self(Arc::new(Inner {
            tenant: access.organization.id.to_string(),
            asked,
            access,
            token,
            policies,
            span: tracing::info_span!("scim"),
            commit: Mutex::default(),
            noted: AtomicU16::new(0),
        }))
    }

    /// The span of the answer.
    pub(super) fn span(&self) -> &Span {
        &self.0.span
    }

    /// Begins the time that passes until the transaction is committed and the change is answered. A change that has
    /// consequences is told of more than once.
    pub(super) fn begin_commit(&self) {
        let begin = || tracing::info_span!(parent: &self.0.span, "commit");
        self.commit().get_or_insert_with(begin);
    }

    /// Ends that time.
    pub(super) fn end_commit(&self) {
        *self.commit() = None;
    }

    fn commit(&self) -> MutexGuard<'_, Option<Span>> {
        self.0.commit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn asked(&self) -> &Asked {
        &self.0.asked
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.organization().settings
    }

    /// Whether the token had never been used before.
    pub(super) fn is_first_use(&self) -> bool {
        let used = self
            .0
            .access
            .tokens
            .iter()
            .any(|token| token.id == self.0.token && token.last_used.is_some());
        !used
    }

    pub(super) fn policy(&self) -> scim::policy::Policy {
        self.0.policies.of(self.settings())
    }

    /// A history row of the request.
    pub(super) fn row(&self) -> RequestRow {
        self.0.asked.row(self.organization(), self.0.token)
    }

    /// Remembers that the history row, with this status, is part of the transaction of the change.
    pub(super) fn note(&self, status: u16) {
        self.0.noted.store(status, Ordering::Release);
    }

    /// The status in that row, if there is one.
    pub(super) fn noted(&self) -> Option<u16> {
        Some(self.0.noted.load(Ordering::Acquire)).filter(|status| *status != 0)
    }
}

impl OfOrganization for Context {
    fn organization(&self) -> &Organization {
        &self.0.access.organization
    }
}

impl HasTenant for Context {
    fn tenant(&self) -> &str {
        &self.0.tenant
    }
}
