//! The application's own statements in the transaction of a write.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

use crate::Result;
use crate::record::ScimResource;
use crate::store::Event;
use crate::store::database::Transaction;

type Statements<R, C> = dyn Fn(&Transaction<'_>, &C, &Event<R>) -> Result<()> + Send + Sync;

/// The hooks of one type, in the order in which they were given.
pub(super) struct Typed<R, C>(Vec<Box<Statements<R, C>>>);

/// The hooks in the transaction, by type of resource.
pub(super) struct InTransaction<C> {
    /// Values are `Arc<Typed<R, C>>`.
    types: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    context: std::marker::PhantomData<fn(&C)>,
}

impl<C> Default for InTransaction<C> {
    fn default() -> Self {
        Self {
            types: HashMap::new(),
            context: std::marker::PhantomData,
        }
    }
}

impl<C: 'static> InTransaction<C> {
    pub(super) fn add<R: ScimResource>(
        &mut self,
        statements: impl Fn(&Transaction<'_>, &C, &Event<R>) -> Result<()> + Send + Sync + 'static,
    ) {
        let none = || -> Arc<dyn Any + Send + Sync> { Arc::new(Typed::<R, C>(Vec::new())) };
        let slot = self.types.entry(TypeId::of::<R>()).or_insert_with(none);
        // Nobody else holds it before the store is built.
        if let Some(typed) = Arc::get_mut(slot).and_then(|slot| slot.downcast_mut::<Typed<R, C>>()) {
            typed.0.push(Box::new(statements));
        }
    }

    /// Returns the types that have hooks.
    pub(super) fn types(&self) -> impl Iterator<Item = TypeId> {
        self.types.keys().copied()
    }

    /// Returns the hooks of a type, if it has any.
    pub(super) fn of<R: ScimResource>(&self) -> Option<&Typed<R, C>> {
        self.types.get(&TypeId::of::<R>())?.downcast_ref()
    }
}

/// A transaction in which the application's own statements are run.
pub(super) struct Telling<'t, C> {
    pub(super) tx: &'t Transaction<'t>,
    pub(super) cx: &'t C,
    pub(super) hooks: &'t InTransaction<C>,
}

impl<C: 'static> Telling<'_, C> {
    /// Runs the statements for a type, where there are some.
    pub(super) fn tell<R: ScimResource>(&self, event: impl FnOnce() -> Result<Event<R>>) -> Result<()> {
        match self.hooks.of::<R>() {
            Some(hooks) => hooks.run(self.tx, self.cx, &event()?),
            None => Ok(()),
        }
    }
}

impl<R, C> Typed<R, C> {
    /// Runs all statements; the first error ends it.
    pub(super) fn run(&self, tx: &Transaction<'_>, cx: &C, event: &Event<R>) -> Result<()> {
        self.0.iter().try_for_each(|statements| statements(tx, cx, event))
    }
}
