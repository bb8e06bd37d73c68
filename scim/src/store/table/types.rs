//! A type that a table serves.

use std::any::TypeId;
use std::marker::PhantomData;

use super::lost::Lost;
use super::rows::{End, Rows};
use super::tables::Failure;
use super::work::{Pending, Served, Work};
use crate::error::Result;
use crate::path::AttrPath;
use crate::record::ScimResource;
use crate::schema::ResourceType;

/// The type `R`.
pub(super) struct Of<R>(pub(super) PhantomData<fn() -> R>);

impl<R, C, T> Served<T, C> for Of<R>
where
    R: ScimResource,
    C: Send + Sync + 'static,
    T: Rows<R, C>,
{
    fn resource_type(&self) -> &'static ResourceType {
        R::RESOURCE_TYPE
    }

    fn type_id(&self) -> TypeId {
        TypeId::of::<R>()
    }

    fn known<'a>(
        &'a self,
        tables: &'a T,
        unit: &'a mut T::Unit,
        ids: &'a [&'a str],
    ) -> Pending<'a, Result<Vec<String>, Failure>> {
        Box::pin(Rows::<R, C>::known(tables, unit, ids))
    }

    fn edges<'a>(
        &'a self,
        tables: &'a T,
        unit: &'a mut T::Unit,
        attribute: AttrPath,
        id: &'a str,
    ) -> Pending<'a, Result<Vec<End>, Failure>> {
        Box::pin(Rows::<R, C>::edges(tables, unit, attribute, id, None))
    }

    fn leading_to<'a>(
        &'a self,
        tables: &'a T,
        unit: &'a mut T::Unit,
        attribute: AttrPath,
        target: &'a str,
    ) -> Pending<'a, Result<Vec<End>, Failure>> {
        Box::pin(Rows::<R, C>::leading_to(tables, unit, attribute, target))
    }

    fn cut<'a>(
        &'a self,
        work: &'a mut Work<'_, T, C>,
        attribute: AttrPath,
        lost: &'a Lost<'a>,
    ) -> Pending<'a, Result<()>> {
        Box::pin(work.cut_in::<R>(attribute, lost))
    }
}
