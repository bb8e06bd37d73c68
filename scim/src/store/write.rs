//! A write as it was asked for: what a store carries out, and what it need not know.

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use crate::error::Result;
use crate::limits::{Limits, Steps};
use crate::patch::Patch;
use crate::path::AttrPath;
use crate::policy::Policy;
use crate::projection::Projection;
use crate::record::{Record, ScimResource};
use crate::store::edges::{EdgeEdit, edge_attributes};
use crate::store::event::{Cause, Event, MovedEdges, Transition};
use crate::store::hooks::{Bound, Consequences, Hooks, Seen};
use crate::store::{Precondition, Reply, Stamp, Store, Written};
use crate::value::{Fired, ResourceId};

/// A create, replace, PATCH or delete, with everything that decides what comes of it. Cheap to clone.
///
/// It is what a store is handed, and it does no I/O: the store finds what is there, asks [`decide`](Self::decide) what
/// is to be there, and writes that. A write may be decided as often as the store likes, on any thread.
///
/// ```
/// use std::sync::Arc;
///
/// use scim::resources::User;
/// use scim::store::{Decision, Write};
/// use scim::value::DateTime;
///
/// let write = Write::create(&Arc::new(()), "2819", User::new("bjensen"));
/// let Decision::Put(put) = write.decide(None, DateTime::from_unix_micros(0))? else {
///     unreachable!("a new resource is put");
/// };
/// assert_eq!(put.resource.unwrap().id.as_str(), "2819");
/// assert_eq!(put.stamp.version.as_str(), "1");
/// # Ok::<(), scim::Error>(())
/// ```
pub struct Write<R, C> {
    cx: Arc<C>,
    id: Arc<str>,
    pub(super) change: Arc<Change<R>>,
    pub(super) precondition: Precondition,
    reply: Option<Reply>,
    pub(super) policy: Policy,
    /// The limits; the defaults if `None`.
    limits: Option<Arc<Limits>>,
    /// Whether it is decided where everybody waits, in few steps or not at all.
    is_brief: bool,
    /// The tolerances that were needed to read what was sent.
    tolerances: Arc<[Fired]>,
    /// The hooks, if there are any for the type, or for others that the write may change.
    pub(super) hooks: Option<Arc<dyn Bound<R>>>,
    /// The record of what is seen of the write, where somebody wants to hear of it.
    pub(super) seen: Option<Arc<Seen<R>>>,
}

/// The action of a write.
#[allow(clippy::large_enum_variant, reason = "it stands behind a pointer of its own")]
pub(super) enum Change<R> {
    Create(R),
    Replace {
        sent: R,
        /// The attributes of which nothing was left of what was sent.
        unchanged: Vec<AttrPath>,
    },
    Patch {
        /// The edits of edges alone.
        edges: Vec<EdgeEdit>,
        /// All else.
        rest: Patch<R>,
    },
    Delete,
}

/// How much of a resource must be known to decide a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loads {
    /// Nothing: the write makes a new resource.
    Nothing,
    /// Its stamp: the write deletes it, or changes nothing but its edges.
    Stamp,
    /// All but its edges.
    Resource,
    /// All of it: a PATCH reaches into an edge.
    ResourceWithEdges,
}

impl<R: ScimResource, C> Write<R, C> {
    /// Creates a resource. The id is made before the store is asked; a store that numbers its rows gives another.
    #[must_use]
    pub fn create(cx: &Arc<C>, id: &str, resource: R) -> Self {
        Self::new(cx, id, Change::Create(resource))
    }

    /// Replaces a resource as a PUT does: what a client cannot set stays as it is, and so do edges that are not loaded
    /// (RFC 7644 section 3.5.1).
    #[must_use]
    pub fn replace(cx: &Arc<C>, id: &str, resource: R) -> Self {
        Self::new(
            cx,
            id,
            Change::Replace {
                sent: resource,
                unchanged: Vec::new(),
            },
        )
    }

    /// Applies a PATCH (RFC 7644 section 3.5.2).
    ///
    /// # Errors
    /// 400 `invalidValue` for an edge that does not fit.
    pub fn patch(cx: &Arc<C>, id: &str, patch: &Patch<R>) -> Result<Self> {
        Ok(Self::new(cx, id, split(patch)?))
    }

    /// Deletes a resource.
    #[must_use]
    pub fn delete(cx: &Arc<C>, id: &str) -> Self {
        Self::new(cx, id, Change::Delete)
    }

    fn new(cx: &Arc<C>, id: &str, change: Change<R>) -> Self {
        Self {
            cx: Arc::clone(cx),
            id: id.into(),
            change: Arc::new(change),
            precondition: Precondition::None,
            reply: None,
            policy: Policy::default(),
            limits: None,
            is_brief: false,
            tolerances: Arc::default(),
            hooks: None,
            seen: None,
        }
    }

    /// Leaves these attributes as they are in a replacement, although `resource` does not have them: a client
    /// has sent something of them that names nothing.
    #[must_use]
    pub fn leaving(mut self, attributes: Vec<AttrPath>) -> Self {
        if let Some(Change::Replace { unchanged, .. }) = Arc::get_mut(&mut self.change) {
            *unchanged = attributes;
        }
        self
    }

    /// Has the write carried out only if the resource has the version that is demanded.
    #[must_use]
    pub fn precondition(mut self, precondition: Precondition) -> Self {
        self.precondition = precondition;
        self
    }

    /// Sets another answer; the default projection otherwise.
    #[must_use]
    pub fn answered(mut self, reply: Reply) -> Self {
        self.reply = Some(reply);
        self
    }

    /// Sets another policy, whose checks the new state must pass.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets other limits than the defaults: how large the new state may be, and how many steps may lead
    /// to it.
    #[must_use]
    pub fn limits(mut self, limits: &Arc<Limits>) -> Self {
        self.limits = Some(Arc::clone(limits));
        self
    }

    /// Returns the limits.
    pub(super) fn its_limits(&self) -> &Limits {
        self.limits.as_deref().unwrap_or(&Limits::DEFAULT)
    }

    /// Returns the same write, to be decided in few steps: if it takes more, deciding ends with a conflict, so that it is
    /// decided once more where nobody waits for it.
    #[cfg(feature = "sqlite")]
    #[must_use]
    pub(crate) fn briefly(&self) -> Self {
        Self {
            is_brief: true,
            ..self.clone()
        }
    }

    /// Returns the budget for all that a store does for the write by looking at values that it does not name: the edges that a
    /// filter selects, for instance. A store charges it while it does so.
    #[must_use]
    pub fn steps(&self) -> Steps {
        match self.is_brief {
            true => Steps::brief(BRIEF),
            false => Steps::of(self.its_limits()),
        }
    }

    /// Adds the tolerances of the policy that were needed to read the write: whoever is told of the write
    /// is told of them.
    #[must_use]
    pub fn tolerances(mut self, fired: &[Fired]) -> Self {
        self.tolerances = fired.into();
        self
    }

    /// Adds the application's hooks for `R`. Those before the write are asked by
    /// [`decide`](Self::decide), those after it are told by [`submit`].
    #[must_use]
    pub fn hooks(mut self, hooks: &Hooks<C>) -> Self
    where
        C: Send + Sync + 'static,
    {
        self.hooks = hooks.bind(&self.cx, self.is_delete());
        self
    }

    /// Returns the same write in another context, for a store that stands before another one. Hooks keep the context they were
    /// given in.
    #[must_use]
    pub fn in_context<D>(&self, cx: &Arc<D>) -> Write<R, D> {
        let same = self.clone();
        Write {
            cx: Arc::clone(cx),
            id: same.id,
            change: same.change,
            precondition: same.precondition,
            reply: same.reply,
            policy: same.policy,
            limits: same.limits,
            is_brief: same.is_brief,
            tolerances: same.tolerances,
            hooks: same.hooks,
            seen: same.seen,
        }
    }

    /// Makes it a write of the resource with another id, for a store that stands before another one.
    #[must_use]
    pub fn about(mut self, id: &str) -> Self {
        self.id = id.into();
        self
    }

    /// Returns the id of the resource. Of one that is created it is what the store may give it: never empty, never given
    /// before.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the application's own context of the request.
    #[must_use]
    pub fn context(&self) -> &Arc<C> {
        &self.cx
    }

    /// Returns the answer that the write is to have.
    #[must_use]
    pub fn reply(&self) -> Reply {
        self.reply.clone().unwrap_or_else(|| Reply {
            want: Projection::default_of(R::RESOURCE_TYPE),
            most_edges: None,
        })
    }

    /// Says how much of the resource [`decide`](Self::decide) must be told.
    #[must_use]
    pub fn loads(&self) -> Loads {
        let stamp = match self.is_hooked() {
            // Whoever is asked or told sees the state.
            true => Loads::Resource,
            false => Loads::Stamp,
        };
        match &*self.change {
            Change::Create(_) => Loads::Nothing,
            Change::Delete => stamp,
            Change::Replace { .. } => Loads::Resource,
            Change::Patch { rest, .. } if rest.is_empty() => stamp,
            Change::Patch { rest, .. } if rest.touches_edges() => Loads::ResourceWithEdges,
            Change::Patch { .. } => Loads::Resource,
        }
    }

    /// Returns whether somebody is told of the write after it. If so, a store that keeps edges says which have
    /// [moved](Self::moved).
    #[must_use]
    pub fn is_observed(&self) -> bool {
        self.seen.is_some()
    }

    /// Notes which edges the write has added and removed, for whoever is told of it. A store calls this in the
    /// transaction of the write, once it has decided it for the last time.
    pub fn moved(&self, edges: impl IntoIterator<Item = MovedEdges>) {
        if let Some(seen) = &self.seen {
            seen.moved(edges.into_iter().collect());
        }
    }

    /// Returns whether somebody is told of resources of type `Q` that change because this write deletes another. If so, a store
    /// says so with [`consequence`](Self::consequence).
    #[must_use]
    pub fn is_observed_by<Q: ScimResource>(&self) -> bool {
        self.consequences().is_some_and(Consequences::are_heard::<Q>)
    }

    /// Notes that another resource has changed because this write deletes the one that its edges led to, for whoever is
    /// told of it. A store calls this in the transaction of the write; the [cause](Event::cause) is this deletion.
    pub fn consequence<Q: ScimResource>(&self, event: Event<Q>) {
        if let Some(consequences) = self.consequences() {
            consequences.push(event);
        }
    }

    pub(super) fn consequences(&self) -> Option<&Consequences> {
        self.seen.as_ref().map(|seen| &seen.others)
    }

    /// Returns the cause of what follows for others.
    pub(super) fn as_cause(&self) -> Cause {
        Cause::Deletion {
            resource_type: R::RESOURCE_TYPE.name,
            id: self.id().to_owned(),
        }
    }

    /// Returns the event of the write with the tolerances that it has needed.
    pub(super) fn noted(&self, mut event: Event<R>) -> Event<R> {
        event.tolerances = self.all_tolerances();
        event
    }

    /// Returns the tolerances that the write has needed so far.
    pub(super) fn all_tolerances(&self) -> Vec<Fired> {
        let mut all = self.tolerances.to_vec();
        all.extend(self.fired());
        all
    }

    /// Returns whether rules are asked of the write, or somebody is told of it.
    pub(super) fn is_hooked(&self) -> bool {
        self.hooks
            .as_ref()
            .is_some_and(|hooks| hooks.is_asked() || hooks.hears())
    }

    /// Returns whether the write deletes the resource, if it does anything.
    pub(crate) fn is_delete(&self) -> bool {
        matches!(*self.change, Change::Delete)
    }

    /// Returns the same write, seen apart from its other copies by whoever is told of it.
    fn observed(mut self) -> Self {
        self.seen = self.hooks.as_ref().and_then(|hooks| hooks.seen()).map(Arc::new);
        self
    }

    /// Returns the event for whoever wants to hear of the write; `None` if nobody does, or if nothing has changed.
    fn event(&self, written: &Written<R>) -> Option<Event<R>> {
        let (mut transition, edges) = self.seen.as_ref()?.take().filter(|_| written.changed)?;
        if let Transition::Created { after }
        | Transition::Changed {
            after: Some(after), ..
        } = &mut transition
        {
            // A store may have given another id or version.
            let meta = after.meta();
            let stamp = Stamp {
                version: written.version.clone(),
                created: meta.created,
                modified: meta.last_modified,
            };
            *after.id_mut() = ResourceId::new(&written.id);
            *after.meta_mut() = stamp.meta(R::RESOURCE_TYPE, &written.id);
        }
        Some(Event {
            id: written.id.clone(),
            version: written.version.clone(),
            transition,
            edges,
            cause: Cause::Write,
            tolerances: self.all_tolerances(),
        })
    }

    /// Returns the edits of edges that a PATCH asks for, without all else; empty if an operation reaches into an edge.
    #[must_use]
    pub fn edge_edits(&self) -> &[EdgeEdit] {
        match &*self.change {
            Change::Patch { edges, .. } => edges,
            Change::Create(_) | Change::Replace { .. } | Change::Delete => &[],
        }
    }

    /// Returns whether the write may say which edges are to be all: a replacement that names them may.
    #[must_use]
    pub fn sets_edges(&self) -> bool {
        match &*self.change {
            Change::Replace { sent, .. } => holds_edges(sent),
            Change::Create(_) | Change::Patch { .. } | Change::Delete => false,
        }
    }

    /// Returns the tolerances that a PATCH has needed so far: values are read where they are applied.
    #[must_use]
    pub fn fired(&self) -> Vec<Fired> {
        match &*self.change {
            Change::Patch { rest, .. } => rest.fired(),
            Change::Create(_) | Change::Replace { .. } | Change::Delete => Vec::new(),
        }
    }
}

/// Returns whether a resource says what its edges are.
pub(super) fn holds_edges(record: &dyn Record) -> bool {
    let mut table = record.attributes().iter().enumerate();
    table.any(|(index, attribute)| attribute.edges && record.view(index).values().is_some())
}

/// Splits what changes edges off a PATCH; where that cannot be, the whole is applied to the whole.
fn split<R: ScimResource>(patch: &Patch<R>) -> Result<Change<R>> {
    let mut rest = patch.clone();
    let mut edges = Vec::new();
    if patch.touches_edges() {
        for (path, attribute) in edge_attributes(R::RESOURCE_TYPE.schema.attributes) {
            let table = attribute.shape.sub_attributes;
            // One primary value makes the others none, which is more than an edit of edges says.
            let is_plain = !table.iter().any(|sub| sub.name == "primary");
            let split = if is_plain { rest.split_edges(path)? } else { None };
            let Some(split) = split else {
                return Ok(Change::Patch {
                    edges: Vec::new(),
                    rest: patch.clone(),
                });
            };
            let deltas = split.deltas.into_iter();
            edges.extend(deltas.map(|delta| EdgeEdit::of_delta(path, table, delta)));
            rest = split.rest;
        }
    }
    Ok(Change::Patch { edges, rest })
}

impl<R, C> Clone for Write<R, C> {
    fn clone(&self) -> Self {
        Self {
            cx: Arc::clone(&self.cx),
            id: Arc::clone(&self.id),
            change: Arc::clone(&self.change),
            precondition: self.precondition.clone(),
            reply: self.reply.clone(),
            policy: self.policy.clone(),
            limits: self.limits.clone(),
            is_brief: self.is_brief,
            tolerances: Arc::clone(&self.tolerances),
            hooks: self.hooks.clone(),
            seen: self.seen.clone(),
        }
    }
}

impl<R, C> Debug for Write<R, C> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let change = match &*self.change {
            Change::Create(_) => "create",
            Change::Replace { .. } => "replace",
            Change::Patch { .. } => "patch",
            Change::Delete => "delete",
        };
        f.debug_struct("Write")
            .field("change", &change)
            .field("id", &self.id)
            .field("precondition", &self.precondition)
            .finish_non_exhaustive()
    }
}

/// Steps of a write that is decided where everybody waits.
const BRIEF: usize = 10_000;

/// How often a write is tried again when somebody else was faster.
const TRIES: u32 = 6;

/// Has a store carry out a write, and again after a pause if another was faster: a client that did not ask to hear of
/// conflicts (`If-Match`) hears of none. Then tells those who [want to hear of it](Hooks::after_commit).
///
/// # Errors
/// Those of [`Store::write`]; 503 with `Retry-After` after six conflicts.
pub async fn submit<R, C, S>(store: &S, write: Write<R, C>) -> Result<Written<R>>
where
    R: ScimResource,
    C: Send + Sync + 'static,
    S: Store<R, C> + ?Sized,
{
    let write = write.observed();
    let written = attempt(store, &write).await?;
    if let (Some(hooks), Some(seen)) = (&write.hooks, &write.seen) {
        if let Some(event) = write.event(&written) {
            hooks.after(event).await;
        }
        hooks.after_others(&seen.others).await;
    }
    Ok(written)
}

async fn attempt<R, C, S>(store: &S, write: &Write<R, C>) -> Result<Written<R>>
where
    R: ScimResource,
    C: Send + Sync + 'static,
    S: Store<R, C> + ?Sized,
{
    for attempt in 0..TRIES - 1 {
        match store.write(write.clone()).await {
            Err(error) if error.is_conflict() => {
                store.environment().pauses.pause(attempt).await;
            }
            result => return result,
        }
    }
    store.write(write.clone()).await
}
