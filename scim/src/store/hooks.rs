//! The application's own rules before a write, and what it does after one.

use std::any::{Any, TypeId};
use std::collections::{HashMap, HashSet};
use std::fmt::{self, Debug, Formatter};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Result;
use crate::record::ScimResource;
use crate::schema::ResourceType;
use crate::store::edges::EdgeEdit;
use crate::store::event::{Event, MovedEdges, Transition};

/// The application's own rules before a write, and what it does after one, by type of resource. Cheap to clone.
///
/// They are given to a service with [`Builder::hooks`](crate::service::Builder::hooks), or to a single write with
/// [`Write::hooks`](crate::store::Write::hooks), and work with every store.
///
/// ```
/// use std::sync::Arc;
///
/// use scim::Error;
/// use scim::resources::User;
/// use scim::service::Protocol;
/// use scim::store::{Event, Hooks, Memory};
///
/// let hooks = Hooks::<()>::new()
///     .before_write::<User>(|_, proposed| {
///         let Some(user) = proposed.after_mut() else { return Ok(()) };
///         if !user.user_name.ends_with("@example.com") {
///             return Err(Error::invalid_value("must end with @example.com").at("userName"));
///         }
///         user.nick_name.get_or_insert_with(|| user.user_name.replace("@example.com", ""));
///         Ok(())
///     })
///     .after_commit(|_, event: Arc<Event<User>>| async move {
///         if let Some(user) = event.after().filter(|_| event.before().is_none()) {
///             println!("{} is new", user.user_name);
///         }
///     });
/// let protocol = Protocol::<()>::builder().resource::<User, _>(Memory::new()).hooks(hooks).build()?;
/// # Ok::<(), Error>(())
/// ```
pub struct Hooks<C> {
    types: HashMap<TypeId, Slot<C>>,
}

/// The hooks of one type.
struct Slot<C> {
    resource_type: &'static ResourceType,
    /// A [`Typed`].
    typed: Arc<dyn Any + Send + Sync>,
    /// Whether there are hooks after the commit.
    hears: bool,
    tell: Tell<C>,
}

impl<C> Clone for Slot<C> {
    fn clone(&self) -> Self {
        Self {
            resource_type: self.resource_type,
            typed: Arc::clone(&self.typed),
            hears: self.hears,
            tell: self.tell,
        }
    }
}

type Boxed = Pin<Box<dyn Future<Output = ()> + Send>>;
type Before<R, C> = dyn Fn(&C, &mut Proposed<'_, R>) -> Result<()> + Send + Sync;
type After<R, C> = dyn Fn(Arc<C>, Arc<Event<R>>) -> Boxed + Send + Sync;
/// Tells the hooks of a type, which it has as well, of an event of that type.
type Tell<C> = fn(&Arc<dyn Any + Send + Sync>, Arc<C>, Box<dyn Any + Send>) -> Boxed;

struct Typed<R, C> {
    before: Vec<Arc<Before<R, C>>>,
    after: Vec<Arc<After<R, C>>>,
}

impl<R, C> Clone for Typed<R, C> {
    fn clone(&self) -> Self {
        Self {
            before: self.before.clone(),
            after: self.after.clone(),
        }
    }
}

impl<C: Send + Sync + 'static> Hooks<C> {
    /// Makes a set without hooks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks `rule` before every create, replace, PATCH and delete of a resource of type `R`: after a PUT has been
    /// completed or a PATCH applied and the policy has acted, and before the result is checked and compared with what is
    /// there. It may change the next state, or refuse the write with an error, which is what the client is told.
    ///
    /// It runs on a thread of the store, perhaps while others wait: it must not block. It may run more than once for one
    /// write, and for one that then fails or turns out to change nothing; what is to follow from a write belongs into
    /// [`after_commit`](Self::after_commit). Rules are asked in the order in which they were given.
    #[must_use]
    pub fn before_write<R: ScimResource>(
        mut self,
        rule: impl Fn(&C, &mut Proposed<'_, R>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.edit::<R>(|typed| typed.before.push(Arc::new(rule)));
        self
    }

    /// Tells `hear` of every create, replace, PATCH and delete that has changed something, once it is committed. The
    /// client is answered when it has ended. The closure names the type (`event: Arc<Event<User>>`), or the call does:
    /// `after_commit::<User, _>(…)`.
    ///
    /// It is told at most once, and in no particular order across requests: if the process ends in between, never.
    /// Whatever must arrive needs a row that is written with the resource, in its transaction. It is also told of a
    /// resource that has changed because another was deleted, such as a group that has lost a member: see
    /// [`Event::cause`].
    #[must_use]
    pub fn after_commit<R: ScimResource, F>(
        mut self,
        hear: impl Fn(Arc<C>, Arc<Event<R>>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let hear = move |cx: Arc<C>, event: Arc<Event<R>>| -> Boxed { Box::pin(hear(cx, event)) };
        self.edit::<R>(|typed| typed.after.push(Arc::new(hear)));
        self
    }

    /// Returns the resource types that have hooks.
    pub(crate) fn resource_types(&self) -> impl Iterator<Item = &'static ResourceType> {
        self.types.values().map(|slot| slot.resource_type)
    }

    fn edit<R: ScimResource>(&mut self, edit: impl FnOnce(&mut Typed<R, C>)) {
        let none = || Typed {
            before: Vec::new(),
            after: Vec::new(),
        };
        let mut typed = self.typed::<R>().map_or_else(none, |typed| (*typed).clone());
        edit(&mut typed);
        let slot = Slot {
            resource_type: R::RESOURCE_TYPE,
            hears: !typed.after.is_empty(),
            typed: Arc::new(typed),
            tell: tell::<R, C>,
        };
        self.types.insert(TypeId::of::<R>(), slot);
    }

    /// Returns the hooks for a write of a type in a context; `None` if there are none. A deletion may change resources
    /// of other types.
    pub(super) fn bind<R: ScimResource>(&self, cx: &Arc<C>, is_delete: bool) -> Option<Arc<dyn Bound<R>>> {
        let own = self.typed::<R>();
        let others_hear = is_delete && self.types.values().any(|slot| slot.hears);
        (own.is_some() || others_hear).then(|| {
            let (all, cx) = (self.clone(), Arc::clone(cx));
            Arc::new(BoundTo {
                own,
                all,
                is_delete,
                cx,
            }) as Arc<dyn Bound<R>>
        })
    }

    /// Returns the types of which somebody wants to hear.
    fn heard(&self) -> HashSet<TypeId> {
        let types = self.types.iter().filter(|(_, slot)| slot.hears);
        types.map(|(type_id, _)| *type_id).collect()
    }

    /// Tells of an event whose type is known to its slot alone.
    fn tell(&self, cx: &Arc<C>, told: Consequence) -> Option<Boxed> {
        let slot = self.types.get(&told.type_id)?;
        Some((slot.tell)(&slot.typed, Arc::clone(cx), told.event))
    }
}

impl<C: 'static> Hooks<C> {
    fn typed<R: ScimResource>(&self) -> Option<Arc<Typed<R, C>>> {
        let slot = self.types.get(&TypeId::of::<R>())?;
        Arc::clone(&slot.typed).downcast().ok()
    }

    /// Returns whether there are rules for resources of type `R`.
    #[cfg(feature = "sqlite")]
    pub(super) fn has_rules<R: ScimResource>(&self) -> bool {
        self.typed::<R>().is_some_and(|typed| !typed.before.is_empty())
    }

    /// Asks the rules of `R` where there is no [`Write`](crate::store::Write).
    #[cfg(feature = "sqlite")]
    pub(super) fn ask<R: ScimResource>(&self, cx: &C, proposed: &mut Proposed<'_, R>) -> Result<()> {
        let typed = self.typed::<R>();
        typed.map_or(Ok(()), |typed| typed.ask(cx, proposed))
    }
}

fn tell<R: ScimResource, C: Send + Sync + 'static>(
    typed: &Arc<dyn Any + Send + Sync>,
    cx: Arc<C>,
    event: Box<dyn Any + Send>,
) -> Boxed {
    match (
        Arc::clone(typed).downcast::<Typed<R, C>>(),
        event.downcast::<Event<R>>(),
    ) {
        (Ok(typed), Ok(event)) => typed.tell(cx, *event),
        _ => Box::pin(async {}),
    }
}

impl<R, C> Typed<R, C> {
    fn ask(&self, cx: &C, proposed: &mut Proposed<'_, R>) -> Result<()> {
        self.before.iter().try_for_each(|rule| rule(cx, proposed))
    }
}

impl<R: ScimResource, C: Send + Sync + 'static> Typed<R, C> {
    fn tell(self: Arc<Self>, cx: Arc<C>, event: Event<R>) -> Boxed {
        let event = Arc::new(event);
        Box::pin(async move {
            for hear in &self.after {
                hear(Arc::clone(&cx), Arc::clone(&event)).await;
            }
        })
    }
}

impl<C> Default for Hooks<C> {
    fn default() -> Self {
        Self {
            types: HashMap::new(),
        }
    }
}

impl<C> Clone for Hooks<C> {
    fn clone(&self) -> Self {
        Self {
            types: self.types.clone(),
        }
    }
}

impl<C> Debug for Hooks<C> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let names = self.types.values().map(|slot| slot.resource_type.name);
        f.debug_set().entries(names).finish()
    }
}

/// A write as it is about to be made: what a rule sees, and may change.
pub struct Proposed<'a, R> {
    pub(super) id: &'a str,
    pub(super) before: Option<&'a R>,
    pub(super) after: Option<&'a mut R>,
    pub(super) edges: &'a [EdgeEdit],
}

impl<R> Proposed<'_, R> {
    /// Returns the id of the resource; of one that is created, the id that the store may give it.
    #[must_use]
    pub fn id(&self) -> &str {
        self.id
    }

    /// Returns the state that is there, without edges. `None` if the resource is new, or if that state does not fit the
    /// struct any more, which was changed since it was written.
    #[must_use]
    pub fn before(&self) -> Option<&R> {
        self.before
    }

    /// Returns the next state, without edges, but with values that are handed on and not kept, such as a password.
    /// `None` if the resource is to be deleted.
    #[must_use]
    pub fn after(&self) -> Option<&R> {
        self.after.as_deref()
    }

    /// Returns the same, to be changed. The id and `meta` are the service's, and edges are changed by requests alone:
    /// to set an attribute of edges here is a fault of the application, and answered with 500.
    pub fn after_mut(&mut self) -> Option<&mut R> {
        self.after.as_deref_mut()
    }

    /// Returns the edits of edges, such as the members of a group, as they were asked for: nobody has looked which of
    /// them are there.
    #[must_use]
    pub fn edges(&self) -> &[EdgeEdit] {
        self.edges
    }
}

impl<R> Debug for Proposed<'_, R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proposed")
            .field("id", &self.id)
            .field("is_new", &self.before.is_none())
            .field("is_deleted", &self.after.is_none())
            .finish_non_exhaustive()
    }
}

/// The hooks of a type in the context of a write, whatever context that is.
pub(super) trait Bound<R>: Send + Sync {
    fn before(&self, proposed: &mut Proposed<'_, R>) -> Result<()>;
    /// Returns whether the type has rules.
    fn is_asked(&self) -> bool;
    /// Returns whether anybody wants to hear of writes of the type.
    fn hears(&self) -> bool;
    /// Returns the record of what is seen of a write, if anybody wants to hear of it or of its consequences.
    fn seen(&self) -> Option<Seen<R>>;
    fn after(&self, event: Event<R>) -> Boxed;
    fn after_others(&self, others: &Consequences) -> Boxed;
}

struct BoundTo<R, C> {
    own: Option<Arc<Typed<R, C>>>,
    all: Hooks<C>,
    is_delete: bool,
    cx: Arc<C>,
}

impl<R: ScimResource, C: Send + Sync + 'static> Bound<R> for BoundTo<R, C> {
    fn before(&self, proposed: &mut Proposed<'_, R>) -> Result<()> {
        let own = self.own.as_ref();
        own.map_or(Ok(()), |own| own.ask(&self.cx, proposed))
    }

    fn is_asked(&self) -> bool {
        self.own.as_ref().is_some_and(|own| !own.before.is_empty())
    }

    fn hears(&self) -> bool {
        self.own.as_ref().is_some_and(|own| !own.after.is_empty())
    }

    fn seen(&self) -> Option<Seen<R>> {
        let heard = match self.is_delete {
            true => self.all.heard(),
            false => HashSet::new(),
        };
        (self.hears() || !heard.is_empty()).then(|| Seen {
            own: Mutex::new(None),
            others: Consequences {
                heard,
                told: Mutex::new(Vec::new()),
            },
        })
    }

    fn after(&self, event: Event<R>) -> Boxed {
        match &self.own {
            Some(own) => Arc::clone(own).tell(Arc::clone(&self.cx), event),
            None => Box::pin(async {}),
        }
    }

    fn after_others(&self, others: &Consequences) -> Boxed {
        let told = others.take().into_iter();
        let told: Vec<_> = told.filter_map(|told| self.all.tell(&self.cx, told)).collect();
        Box::pin(async move {
            for told in told {
                told.await;
            }
        })
    }
}

/// The effects of a write on resources of other types.
pub(super) struct Consequences {
    heard: HashSet<TypeId>,
    told: Mutex<Vec<Consequence>>,
}

/// An event of a type that is not known where it is kept.
struct Consequence {
    type_id: TypeId,
    event: Box<dyn Any + Send>,
}

impl Consequences {
    /// Returns whether anybody wants to hear of resources of type `Q`.
    pub(super) fn are_heard<Q: ScimResource>(&self) -> bool {
        self.heard.contains(&TypeId::of::<Q>())
    }

    pub(super) fn push<Q: ScimResource>(&self, event: Event<Q>) {
        if self.are_heard::<Q>() {
            self.lock().push(Consequence {
                type_id: TypeId::of::<Q>(),
                event: Box::new(event),
            });
        }
    }

    fn take(&self) -> Vec<Consequence> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Consequence>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The record of what is seen of a write while it is decided and carried out. The last time that it was decided counts.
pub(super) struct Seen<R> {
    own: Mutex<Option<(Transition<R>, Vec<MovedEdges>)>>,
    pub(super) others: Consequences,
}

impl<R> Seen<R> {
    fn lock(&self) -> MutexGuard<'_, Option<(Transition<R>, Vec<MovedEdges>)>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn decided(&self, transition: Option<Transition<R>>) {
        self.others.take();
        *self.lock() = transition.map(|transition| (transition, Vec::new()));
    }

    pub(super) fn moved(&self, edges: Vec<MovedEdges>) {
        if let Some((_, moved)) = &mut *self.lock() {
            *moved = edges;
            moved.retain(|edges| !edges.is_none());
        }
    }

    pub(super) fn take(&self) -> Option<(Transition<R>, Vec<MovedEdges>)> {
        self.lock().take()
    }
}
