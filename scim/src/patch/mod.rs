//! PATCH (RFC 7644 section 3.5.2): the message, its application to a resource, and its deltas.

mod delta;
mod message;
mod operation;
pub(crate) mod path_keys;
mod typed;
mod valueless;

use std::fmt::{self, Debug, Formatter};
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Result;
use crate::limits::{Limits, Steps};
use crate::policy::Policy;
use crate::record::ScimResource;
use crate::value::{BaseUrls, Change, Cx, Fired, Intent};

pub use delta::{Delta, DeltaChange, Split};
pub use operation::{Operation, Target};
pub use typed::PatchBuilder;

/// A PATCH whose paths are resolved against the schema of `R`.
///
/// It owns its text and can be applied as often as a store needs after conflicts. An operation without a path has
/// become one operation per attribute, so that whoever looks for operations on one attribute finds them all.
///
/// ```
/// use scim::patch::Patch;
/// use scim::resources::User;
/// use scim::{Limits, policy::Policy};
///
/// let body = br#"{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
///     "Operations": [{"op": "replace", "path": "name.givenName", "value": "Babs"}]}"#;
/// let patch = Patch::<User>::parse(body, &Policy::strict(), &Limits::default())?;
/// let changed = patch.apply(&User::new("bjensen"))?.resource.expect("a change");
/// assert_eq!(changed.name.and_then(|name| name.given_name).as_deref(), Some("Babs"));
/// # Ok::<(), scim::Error>(())
/// ```
pub struct Patch<R> {
    text: Arc<str>,
    operations: Vec<Operation>,
    /// Shared with what is split off: a client is told of tolerances request by request.
    fired: Arc<Mutex<Vec<Fired>>>,
    policy: Policy,
    limits: Limits,
    base_urls: Option<Arc<BaseUrls<'static>>>,
    resource: PhantomData<fn() -> R>,
}

/// The result of a PATCH to a resource.
#[derive(Debug)]
pub struct Applied<R> {
    /// The changed resource; `None` if the PATCH changes nothing, which leaves version and time alone.
    pub resource: Option<R>,
    /// The tolerances that acted while values were read.
    pub fired: Vec<Fired>,
    /// How many steps it took, of those that [`Limits::patch_steps`] allows.
    pub steps: usize,
}

impl<R: ScimResource> Patch<R> {
    /// Reads a PatchOp message and resolves its paths.
    ///
    /// # Errors
    /// 400 `invalidSyntax` if the message is none, `invalidPath`, `invalidFilter` or `noTarget` for its paths, and 413
    /// if it has more operations than `limits` allows. Each names the operation.
    pub fn parse(body: &[u8], policy: &Policy, limits: &Limits) -> Result<Self> {
        Self::parse_at(None, body, policy, limits)
    }

    /// Reads a message that was sent to a service at these URLs: references to its own resources are read without them.
    ///
    /// # Errors
    /// Those of [`parse`](Self::parse).
    pub fn parse_at(
        base_urls: Option<BaseUrls<'_>>,
        body: &[u8],
        policy: &Policy,
        limits: &Limits,
    ) -> Result<Self> {
        let base_urls = base_urls.map(BaseUrls::into_owned).map(Arc::new);
        let mut cx = Cx::new(Intent::Patch, policy, limits).with_base_urls(base_urls.as_deref());
        let (text, operations) = message::read(body, R::RESOURCE_TYPE, policy, &mut cx)?;
        let fired = cx.take_fired();
        Ok(Self {
            text,
            operations,
            fired: Arc::new(Mutex::new(fired)),
            policy: policy.clone(),
            limits: limits.clone(),
            base_urls,
            resource: PhantomData,
        })
    }

    /// Returns a message to fill by hand, for clients and tests.
    #[must_use]
    pub fn builder() -> PatchBuilder<R> {
        PatchBuilder::default()
    }

    /// Returns the operations in order.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Returns whether an operation reaches attributes that a store keeps as rows of their own.
    #[must_use]
    pub fn touches_edges(&self) -> bool {
        let table = R::RESOURCE_TYPE.schema.attributes;
        self.operations.iter().any(|operation| {
            operation
                .target
                .path
                .attributes(table)
                .any(|attribute| attribute.edges)
        })
    }

    /// Returns whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Returns the tolerances that acted while the message was read, and whenever it was applied or split, each once.
    #[must_use]
    pub fn fired(&self) -> Vec<Fired> {
        self.fired.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers tolerances that acted on values.
    fn note(&self, fired: &[Fired]) {
        let mut known = self.fired.lock().unwrap_or_else(PoisonError::into_inner);
        for fired in fired {
            if !known.contains(fired) {
                known.push(fired.clone());
            }
        }
    }

    /// Applies all operations to a copy of `resource`, each to the result of the one before. Either all succeed or none
    /// has happened.
    ///
    /// # Errors
    /// Those of the first operation that fails (RFC 7644 section 3.5.2), naming it; 413 if it would take more steps than
    /// [`Limits::patch_steps`] allows.
    pub fn apply(&self, resource: &R) -> Result<Applied<R>> {
        self.apply_within(resource, Steps::of(&self.limits))
    }

    /// Applies all operations in the same way within another budget of steps.
    pub(crate) fn apply_within(&self, resource: &R, steps: Steps) -> Result<Applied<R>> {
        let mut cx = self.context().within_steps(steps);
        let result = self.apply_in(resource, &mut cx);
        let fired = cx.take_fired();
        self.note(&fired);
        Ok(Applied {
            resource: result?,
            fired,
            steps: cx.steps_spent(),
        })
    }

    fn apply_in(&self, resource: &R, cx: &mut Cx<'_>) -> Result<Option<R>> {
        let schema = R::RESOURCE_TYPE.schema.id;
        let mut changed = resource.clone();
        // An attribute that was kept once, and is not any more, was not sent: it goes unnoted.
        let mut stored = Cx::new(Intent::Stored, &self.policy, &self.limits);
        self.policy.strip(schema, &mut changed, &mut stored)?;
        let mut change = Change::None;
        for operation in &self.operations {
            let done = operation.apply(&mut changed, &self.text, cx);
            change = change.or(done.map_err(|error| error.in_operation(operation.index))?);
        }
        let targets = self.operations.iter().map(|operation| operation.target.path);
        valueless::remove_valueless(resource, &mut changed, targets, cx)?;
        self.policy.strip(schema, &mut changed, cx)?;
        self.policy.keep_disabled(schema, resource, &mut changed)?;
        let resource = (change.is_done() && changed != *resource).then_some(changed);
        if let Some(resource) = &resource {
            self.policy.check(resource)?;
        }
        Ok(resource)
    }

    fn context(&self) -> Cx<'_> {
        Cx::new(Intent::Patch, &self.policy, &self.limits).with_base_urls(self.base_urls.as_deref())
    }
}

impl<R> Patch<R> {
    /// Returns the same PATCH with other operations out of its own.
    fn with_operations(&self, operations: Vec<Operation>) -> Self {
        Self {
            text: self.text.clone(),
            operations,
            fired: Arc::clone(&self.fired),
            policy: self.policy.clone(),
            limits: self.limits.clone(),
            base_urls: self.base_urls.clone(),
            resource: PhantomData,
        }
    }
}

impl<R> Clone for Patch<R> {
    fn clone(&self) -> Self {
        self.with_operations(self.operations.clone())
    }
}

impl<R> Debug for Patch<R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patch")
            .field("operations", &self.operations.len())
            .field("policy", &self.policy.name())
            .finish()
    }
}

#[cfg(test)]
mod tests;
