//! Rules that concern several types of resources in one store.

use std::pin::Pin;
use std::sync::Arc;

use super::kit::Kit;
use super::violation::{Seen, ensure};
use super::{Context, Outcome};
use crate::record::ScimResource;
use crate::store::Store;

type Later<T> = Pin<Box<dyn Future<Output = Result<T, Seen>> + Send>>;
type Create<S, C> = dyn Fn(Kit<S, C>, usize) -> Later<String> + Send + Sync;
type Finds<S, C> = dyn Fn(Kit<S, C>, String) -> Later<bool> + Send + Sync;

/// A type of resources that a store is held to, whichever it is.
pub(super) struct Kind<S, C> {
    name: &'static str,
    /// Creates the n-th resource, and returns its id.
    create: Arc<Create<S, C>>,
    /// Whether there is a resource with an id.
    finds: Arc<Finds<S, C>>,
}

impl<S, C> Clone for Kind<S, C> {
    fn clone(&self) -> Self {
        Self {
            name: self.name,
            create: Arc::clone(&self.create),
            finds: Arc::clone(&self.finds),
        }
    }
}

impl<S, C: Context> Kind<S, C> {
    pub(super) fn of<R: ScimResource>(sample: super::Sample<R>) -> Self
    where
        S: Store<R, C>,
    {
        Self {
            name: R::RESOURCE_TYPE.name,
            create: Arc::new(move |kit, n| {
                let resource = sample.of(n);
                Box::pin(async move {
                    let created = kit.post(resource).await;
                    Ok(created.map_err(|error| Seen::of("a create failed", &error))?.id)
                })
            }),
            finds: Arc::new(|kit, id| Box::pin(async move { Ok(kit.load::<R>(&id).await?.is_some()) })),
        }
    }
}

/// Checks that ids are of one type. Two resources with one id are one to whoever refers to them: a group would have members that
/// nobody has added.
pub(super) async fn ids_are_of_one_type<S: Send + Sync + 'static, C: Context>(
    kit: Kit<S, C>,
    kinds: Vec<Kind<S, C>>,
) -> Outcome {
    let mut created: Vec<(usize, &str, String)> = Vec::new();
    for n in 0..5 {
        for (at, kind) in kinds.iter().enumerate() {
            let id = (kind.create)(kit.clone(), n).await?;
            let same = created.iter().find(|(_, _, other)| *other == id);
            ensure!(
                same.is_none(),
                "a {} was created with the id {id:?}, which a {} has",
                kind.name,
                same.map(|(_, name, _)| *name).unwrap_or_default()
            );
            created.push((at, kind.name, id));
        }
    }
    for (at, name, id) in created {
        for (other, kind) in kinds.iter().enumerate() {
            let is_found = (kind.finds)(kit.clone(), id.clone()).await?;
            ensure!(
                is_found == (at == other),
                "a get of the {} with the id {id:?}, which is that of a {name}, found it: {is_found}",
                kind.name
            );
        }
    }
    Ok(())
}
