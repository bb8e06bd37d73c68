//! The ground of the checks of a link: two types of which one has edges to the other.

use serde_json::{Value, json};

use super::Context;
use super::attributes::{Leaf, set_edges};
use super::kit::{BASE, Kit, at_once, sorted};
use super::one::One;
use super::violation::{Seen, ensure};
use crate::record::ScimResource;
use crate::schema::Attribute;
use crate::store::{Link, LinkEnd, Store, Stored};

/// An empty store that is held to the rules for edges: `G` has them, as a group has members, and `U` shows them, as a
/// user shows groups.
pub(super) struct Linked<S, C, G, U> {
    pub(super) owners: One<S, C, G>,
    pub(super) targets: One<S, C, U>,
    pub(super) link: Link,
}

impl<S, C, G, U> Clone for Linked<S, C, G, U> {
    fn clone(&self) -> Self {
        Self {
            owners: self.owners.clone(),
            targets: self.targets.clone(),
            link: self.link,
        }
    }
}

/// Returns the attribute at an end of a link.
fn attribute(end: &LinkEnd) -> Result<&'static Attribute, Seen> {
    end.attribute()
        .ok_or_else(|| Seen::new("the link that was declared leads to no attribute"))
}

impl<S, C, G, U> Linked<S, C, G, U>
where
    S: Store<G, C> + Store<U, C>,
    C: Context,
    G: ScimResource,
    U: ScimResource,
{
    pub(super) fn kit(&self) -> &Kit<S, C> {
        &self.owners.kit
    }

    /// Returns the attribute that holds the edges.
    pub(super) fn edges(&self) -> Result<&'static Attribute, Seen> {
        attribute(self.link.edges())
    }

    /// Returns the attribute that mirrors them.
    pub(super) fn mirror(&self) -> Result<&'static Attribute, Seen> {
        attribute(self.link.derived())
    }

    /// Returns the sub-attribute by which edges are told apart.
    pub(super) fn key(&self) -> Result<&'static str, Seen> {
        let subs = self.edges()?.shape.sub_attributes;
        let key = subs.iter().find(|sub| sub.key);
        Ok(key.map_or("value", |key| key.name))
    }

    /// Returns edges to these resources, as a client sends them.
    pub(super) fn values(&self, ids: &[String]) -> Result<Value, Seen> {
        let key = self.key()?;
        Ok(ids.iter().map(|id| json!({key: id})).collect())
    }

    /// Makes an operation of a PATCH on the edges.
    pub(super) fn operation(&self, op: &str, ids: &[String]) -> Result<Value, Seen> {
        Ok(json!({"op": op, "path": self.edges()?.name, "value": self.values(ids)?}))
    }

    /// Returns the n-th resource that has edges, with edges to these resources.
    pub(super) fn owner_of(&self, n: usize, ids: &[String]) -> Result<G, Seen> {
        self.with_edges(self.owners.sample.of(n), ids)
    }

    /// Returns a resource with edges to these resources and no others.
    pub(super) fn with_edges(&self, mut owner: G, ids: &[String]) -> Result<G, Seen> {
        set_edges(&mut owner, self.link.edges().path(), &self.values(ids)?)?;
        Ok(owner)
    }

    /// Creates the n-th resource that has edges.
    pub(super) async fn owner(&self, n: usize, ids: &[String]) -> Result<Stored<G>, Seen> {
        self.kit().create(self.owner_of(n, ids)?).await
    }

    /// Creates as many resources that edges can lead to, and returns their ids.
    pub(super) async fn targets(&self, number: usize) -> Result<Vec<String>, Seen> {
        let mut ids = Vec::new();
        for n in 0..number {
            ids.push(self.targets.create(n).await?.resource.id().to_string());
        }
        Ok(ids)
    }

    /// Creates many such resources, a hundred at once.
    pub(super) async fn many_targets(
        &self,
        number: usize,
        make: impl Fn(usize) -> U,
    ) -> Result<Vec<String>, Seen> {
        let mut ids = Vec::new();
        for start in (0..number).step_by(100) {
            let create = |n: usize| {
                let (kit, sent) = (self.kit().clone(), make(n));
                async move { kit.post(sent).await.map(|written| written.id) }
            };
            for created in at_once((start..number.min(start + 100)).map(create)).await? {
                ids.push(created.map_err(|error| Seen::of("a create failed", &error))?);
            }
        }
        Ok(ids)
    }

    /// Returns the ids that the edges of a resource lead to in truth, sorted.
    pub(super) async fn held(&self, id: &str) -> Result<Vec<String>, Seen> {
        let state = self.kit().state::<G>(id).await?;
        let view = state.resource.view(self.link.edges().index());
        ensure!(
            view.values().is_some(),
            "a get of the whole state of {id:?} is without its edges"
        );
        let edges = serde_json::from_str(view.to_json().text()).unwrap_or_default();
        self.ids_in(Some(&edges))
    }

    /// Returns the ids that the edges of a document lead to, sorted.
    pub(super) fn listed(&self, document: &Value) -> Result<Vec<String>, Seen> {
        self.ids_in(document.get(self.edges()?.name))
    }

    fn ids_in(&self, edges: Option<&Value>) -> Result<Vec<String>, Seen> {
        let key = self.key()?;
        let edges = edges.and_then(Value::as_array).into_iter().flatten();
        Ok(sorted(edges.filter_map(|edge| edge.get(key)?.as_str())))
    }

    /// Returns the ids that a document shows in the mirror, sorted.
    pub(super) fn mirrored(&self, document: &Value) -> Result<Vec<String>, Seen> {
        let mirror = document.get(self.mirror()?.name).and_then(Value::as_array);
        let values = mirror.into_iter().flatten();
        Ok(sorted(values.filter_map(|value| value.get("value")?.as_str())))
    }

    /// Returns the `$ref` of a resource, where values of this attribute have one.
    pub(super) fn place<R: ScimResource>(attribute: &Attribute, id: &str) -> Option<Value> {
        attribute.sub_attribute("$ref")?;
        Some(format!("{BASE}/{}/{id}", R::RESOURCE_TYPE.segment()).into())
    }

    /// Returns whether resources that have edges can be at the other end, too.
    pub(super) fn is_nested(&self) -> bool {
        self.link.targets().contains(&G::RESOURCE_TYPE.name)
    }

    /// Returns what the edges are filtered by, if the store filters by it.
    pub(super) fn edge_filter(&self) -> Option<String> {
        let name = format!("{}.{}", self.edges().ok()?.name, self.key().ok()?);
        Some(name).filter(|name| self.owners.sample.filters_by(name))
    }

    /// Returns what the mirror is filtered by, if the store filters by it.
    pub(super) fn mirror_filter(&self) -> Option<String> {
        let name = format!("{}.value", self.mirror().ok()?.name);
        Some(name).filter(|name| self.targets.sample.filters_by(name))
    }

    /// Returns the attribute by whose value people know the resources that edges lead to; `None` if nothing shows it.
    pub(super) fn name_of_targets(&self) -> Option<Leaf> {
        let edges = self.edges().ok()?;
        edges.sub_attribute("display")?;
        let leaves = self.targets.sample.leaves();
        let named = |name: &Leaf| name.name.eq_ignore_ascii_case("displayName");
        leaves
            .into_iter()
            .find(|leaf| named(leaf) && leaf.is_changeable())
    }
}
