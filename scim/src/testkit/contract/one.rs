//! The ground of the checks of one resource type.

use super::attributes::Leaf;
use super::kit::Kit;
use super::sample::Sample;
use super::violation::{Seen, ensure};
use crate::record::ScimResource;
use crate::store::{Store, Stored};

/// An empty store that is held to the rules for one type of resource.
pub(super) struct One<S, C, R> {
    pub(super) kit: Kit<S, C>,
    /// The same store, asked for another tenant; `None` where there is one tenant only.
    pub(super) other: Option<Kit<S, C>>,
    pub(super) sample: Sample<R>,
}

impl<S, C, R> Clone for One<S, C, R> {
    fn clone(&self) -> Self {
        Self {
            kit: self.kit.clone(),
            other: self.other.clone(),
            sample: self.sample.clone(),
        }
    }
}

impl<S, C, R> One<S, C, R>
where
    S: Store<R, C>,
    C: Send + Sync + 'static,
    R: ScimResource,
{
    /// Creates the n-th resource.
    pub(super) async fn create(&self, n: usize) -> Result<Stored<R>, Seen> {
        self.kit.create(self.sample.of(n)).await
    }

    /// Creates as many resources.
    pub(super) async fn create_all(&self, number: usize) -> Result<Vec<Stored<R>>, Seen> {
        let mut created = Vec::new();
        for n in 0..number {
            created.push(self.create(n).await?);
        }
        Ok(created)
    }

    /// Checks that a resource is in the state that it was in.
    pub(super) async fn is_unchanged(&self, before: &Stored<R>, by: &str) -> Result<(), Seen> {
        let after = self.kit.state(before.resource.id().as_str()).await?;
        ensure!(
            after.version == before.version,
            "{by} has moved the version from {} to {}",
            before.version,
            after.version
        );
        self.is_same(&before.resource, &after.resource, by)
    }

    /// Checks that what is kept of two states is the same, times included.
    pub(super) fn is_same(&self, before: &R, after: &R, by: &str) -> Result<(), Seen> {
        let (before, after) = (
            self.sample.stripped(before.clone()),
            self.sample.stripped(after.clone()),
        );
        ensure!(before == after, "{by} has made {after:?} of {before:?}");
        Ok(())
    }

    /// Returns the resource with another value of an attribute; `None` if its type does not take the value as it is.
    pub(super) fn with(&self, mut resource: R, leaf: &Leaf, value: &serde_json::Value) -> Option<R> {
        leaf.set(&mut resource, Some(value)).then_some(resource)
    }
}
