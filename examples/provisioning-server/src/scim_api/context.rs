//! The facts that are known of a request while it is answered: the context that the library hands to policy, store and history.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use scim::store::HasTenant;
use tracing::Span;
use uuid::Uuid;

use super::asked::Asked;
use super::policies::Policies;
use super::rules::OfOrganization;
use crate::database::Access;
use crate::domain::organization::Organization;
use crate::domain::settings::Settings;
use crate::history::SentBody;

/// The context of an admitted request. Cheap to clone: a change takes it to the thread that writes.
#[derive(Debug, Clone)]
pub(crate) struct Context(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    asked: Arc<Asked>,
    /// The organization as it was when the request was admitted.
    access: Arc<Access>,
    token: Uuid,
    policies: Arc<Policies>,
    /// The body, as far as it was read.
    sent: SentBody,
    /// The span of the answer, as long as it is worked out.
    span: Span,
    /// The span of the change, from the moment it is in the transaction until it is answered.
    commit: Mutex<Option<Span>>,
    /// The status in the history row that is part of the transaction of the change; 0 without one.
    noted: AtomicU16,
}

impl Context {
    pub(super) fn new(
        asked: Arc<Asked>,
        access: Arc<Access>,
        token: Uuid,
        policies: Arc<Policies>,
        sent: SentBody,
    ) -> Self {
        Self(Arc::new(Inner {
            asked,
            access,
            token,
            policies,
            sent,
            span: tracing::info_span!("scim"),
            commit: Mutex::default(),
            noted: AtomicU16::new(0),
        }))
    }

    /// Returns the span of the answer.
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

    /// Returns the organization and its tokens as they were when the request was admitted.
    pub(super) fn access(&self) -> &Arc<Access> {
        &self.0.access
    }

    /// Returns the token that the request was admitted by.
    pub(super) fn token(&self) -> Uuid {
        self.0.token
    }

    /// Returns the body of the request, as far as it was read.
    pub(super) fn sent(&self) -> &SentBody {
        &self.0.sent
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.organization().settings
    }

    /// Returns whether the token had never been used before.
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

    /// Remembers that the history row, with this status, is part of the transaction of the change.
    pub(super) fn note(&self, status: u16) {
        self.0.noted.store(status, Ordering::Release);
    }

    /// Returns the status in that row, if there is one.
    pub(super) fn noted(&self) -> Option<u16> {
        Some(self.0.noted.load(Ordering::Acquire)).filter(|status| *status != 0)
    }
}

impl OfOrganization for Context {
    fn organization(&self) -> &Organization {
        &self.0.access.organization
    }

    fn request(&self) -> Option<Uuid> {
        Some(self.asked().sequence)
    }
}

impl HasTenant for Context {
    fn tenant(&self) -> &str {
        &self.0.access.tenant
    }
}
