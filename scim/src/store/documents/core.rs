//! Everything that the store knows at run time, apart from the database itself: jobs hold it, and so must not hold the
//! database.

use std::any::TypeId;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::in_transaction::InTransaction;
use super::kind::{Decode, Kind};
use super::layout::Layout;
use super::pages::Pages;
use super::row_key::RowKeys;
use super::tables;
use crate::Result;
use crate::error::Error;
use crate::record::ScimResource;
use crate::store::database::{Reader, Transaction};
use crate::store::tenant::tenant_of;
use crate::store::{Environment, Tenancy};
use crate::value::DateTime;

pub(super) struct Core<C> {
    pub(super) environment: Environment,
    pub(super) tenancy: Box<dyn Tenancy<C>>,
    pub(super) layouts: HashMap<TypeId, Arc<Layout>>,
    /// The same by number, with what is done with a type that is not known where it is needed.
    pub(super) numbered: HashMap<i64, (Arc<Layout>, Kind<C>)>,
    /// The same in the order of registration.
    pub(super) kinds: Vec<(Arc<Layout>, Kind<C>)>,
    pub(super) in_transaction: InTransaction<C>,
    pub(super) row_keys: RowKeys,
    pub(super) tenants: Mutex<HashMap<String, i64>>,
    pub(super) pages: Pages,
}

impl<C: 'static> Core<C> {
    pub(super) fn layout<R: ScimResource>(&self) -> Result<Arc<Layout>> {
        self.layouts.get(&TypeId::of::<R>()).cloned().ok_or_else(|| {
            let name = R::RESOURCE_TYPE.name;
            Error::misconfigured(format!(
                "The store was not given the resource type {name}: add .resource::<{name}>() where it is built."
            ))
        })
    }

    /// Returns the layouts in the order in which their types were registered.
    pub(super) fn in_order(&self) -> impl Iterator<Item = &Layout> {
        self.kinds.iter().map(|(layout, _)| &**layout)
    }

    /// Returns the functions for resources of a layout.
    pub(super) fn numbered(&self, layout: &Layout) -> Result<Kind<C>> {
        let kept = self.numbered.get(&layout.number).map(|(_, kind)| *kind);
        kept.ok_or_else(|| Error::internal("a layout that is not the store's"))
    }

    /// Returns how the documents of a type are read.
    pub(super) fn decode(&self, layout: &Layout) -> Result<Decode> {
        self.numbered(layout).map(|kind| kind.decode)
    }

    pub(super) fn now(&self) -> DateTime {
        self.environment.clock.now()
    }

    /// Returns the tenant of a request.
    ///
    /// # Errors
    /// 404 if it is for none.
    pub(super) fn tenant_of<'a>(&self, cx: &'a C) -> Result<Cow<'a, str>> {
        tenant_of(&*self.tenancy, cx)
    }

    fn known_tenants(&self) -> MutexGuard<'_, HashMap<String, i64>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of a tenant; `None` if it has never had anything.
    pub(super) fn tenant(&self, reader: &Reader<'_>, name: &str) -> Result<Option<i64>> {
        if let Some(number) = self.known_tenants().get(name) {
            return Ok(Some(*number));
        }
        let found = tables::tenant(reader, name)?;
        if let Some(number) = found {
            self.known_tenants().insert(name.to_owned(), number);
        }
        Ok(found)
    }

    /// Returns the number of a tenant for a write, which may be its first. Whatever a transaction finds may yet be
    /// undone, so it is not remembered here.
    pub(super) fn tenant_for_write(&self, tx: &Transaction<'_>, name: &str) -> Result<i64> {
        if let Some(number) = self.known_tenants().get(name) {
            return Ok(*number);
        }
        match tables::tenant(tx, name)? {
            Some(number) => Ok(number),
            None => tables::new_tenant(tx, name),
        }
    }
}
