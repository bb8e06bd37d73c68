//! Everything that the store does with a resource whose type is not known where it is needed.

use super::document::{Documents, UntypedState};
use super::import_line::{ReadResource, Resource, read_resource};
use super::in_transaction::Telling;
use super::rows::StoredRow;
use crate::Result;
use crate::error::Error;
use crate::policy::Policy;
use crate::record::ScimResource;
use crate::store::hooks::{Consequences, Hooks};
use crate::store::{Cause, Event, MovedEdges, Proposed, Transition};

/// Reads the state, without edges, of a resource.
pub(super) type Decode = fn(&Documents) -> Result<UntypedState>;

/// Asks the rules of the application of what is imported.
type Ask<C> = fn(&Resource, &Hooks<C>, &C, &Policy) -> Result<Option<Resource>>;

/// A registered resource type: its functions, with the type forgotten.
pub(super) struct Kind<C> {
    pub(super) decode: Decode,
    /// Reads what is imported.
    pub(super) read: ReadResource,
    /// Asks the rules of the application of what is imported. `Some` if they have changed it.
    pub(super) ask: Ask<C>,
    /// Tells of a resource that was imported.
    pub(super) imported: fn(&Telling<'_, C>, &Resource) -> Result<()>,
    /// Tells of edges that came or went although the write was about another resource.
    pub(super) moved: fn(&Telling<'_, C>, ByOthers<'_>) -> Result<()>,
}

impl<C> Clone for Kind<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Kind<C> {}

/// A row whose edges have changed although the write was about another resource.
pub(super) struct ByOthers<'a> {
    pub(super) id: &'a str,
    pub(super) before: &'a StoredRow,
    pub(super) after: &'a StoredRow,
    pub(super) edges: Vec<MovedEdges>,
    pub(super) cause: &'a Cause,
    /// The place at which it is told after the commit, if anybody hears.
    pub(super) consequences: Option<&'a Consequences>,
}

impl<C: 'static> Kind<C> {
    pub(super) fn of<R: ScimResource>() -> Self {
        Self {
            decode: |documents| Ok(documents.state::<R>()?.untyped()),
            read: read_resource::<R>,
            ask: ask::<R, C>,
            imported: imported::<R, C>,
            moved: moved::<R, C>,
        }
    }
}

fn ask<R: ScimResource, C: 'static>(
    line: &Resource,
    hooks: &Hooks<C>,
    cx: &C,
    policy: &Policy,
) -> Result<Option<Resource>> {
    if !hooks.has_rules::<R>() {
        return Ok(None);
    }
    let sent = line.resource::<R>()?;
    let mut next = sent.clone();
    let mut proposed = Proposed {
        id: &line.id,
        before: None,
        after: Some(&mut next),
        edges: &[],
    };
    hooks.ask(cx, &mut proposed)?;
    if next == *sent {
        return Ok(None);
    }
    policy.check(&next)?;
    Resource::new(&line.layout, line.id.clone(), line.stamp, next).map(Some)
}

fn imported<R: ScimResource, C: 'static>(telling: &Telling<'_, C>, line: &Resource) -> Result<()> {
    telling.tell(|| {
        let after = line.resource::<R>()?.clone();
        let transition = Transition::Created { after };
        Ok(Event::new(
            &line.id,
            line.stamp.version(),
            transition,
            Vec::new(),
            Cause::Write,
        ))
    })
}

fn moved<R: ScimResource, C: 'static>(telling: &Telling<'_, C>, row: ByOthers<'_>) -> Result<()> {
    let hooks = telling.hooks.of::<R>();
    let heard = row.consequences.filter(|others| others.are_heard::<R>());
    if hooks.is_none() && heard.is_none() {
        return Ok(());
    }
    let transition = Transition::Changed {
        before: row.before.documents.state::<R>()?.fit(),
        after: row.after.documents.state::<R>()?.fit(),
    };
    let version = row.after.stamp.version();
    let event = Event::new(row.id, version, transition, row.edges, row.cause.clone());
    if let Some(hooks) = hooks {
        hooks.run(telling.tx, telling.cx, &event)?;
    }
    if let Some(heard) = heard {
        heard.push(event);
    }
    Ok(())
}

impl Resource {
    /// Returns the resource, as what it was read.
    ///
    /// # Errors
    /// A fault of the store: it is of another type.
    fn resource<R: ScimResource>(&self) -> Result<&R> {
        let resource = self.resource.downcast_ref();
        resource.ok_or_else(|| Error::internal("a line that was read as another type"))
    }
}
