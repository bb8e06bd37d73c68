//! A store with a context, and the few words that the checks are written in.

use std::sync::Arc;

use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::Tenant;
use super::violation::Violation;
use crate::error::Error;
use crate::filter::{Filter, Resolve, ResolvedFilter};
use crate::limits::Limits;
use crate::patch::Patch;
use crate::policy::Policy;
use crate::projection::{Base, Projection, fill_holes, write_resource};
use crate::record::ScimResource;
use crate::store::{
    Answer, Document, Page, Precondition, Query, Reply, Store, Stored, Write, Written, load, submit,
};

/// A store and the tenant that it is asked for.
pub struct Kit<S> {
    store: Arc<S>,
    tenant: Arc<Tenant>,
}

impl<S> Clone for Kit<S> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            tenant: self.tenant.clone(),
        }
    }
}

/// A page as a client would see it.
#[derive(Debug)]
pub(super) struct List {
    pub(super) total: u64,
    pub(super) resources: Vec<Value>,
}

impl List {
    /// The ids in order.
    pub(super) fn ids(&self) -> Vec<String> {
        self.resources
            .iter()
            .map(|resource| text(resource, "/id"))
            .collect()
    }
}

/// The text at a JSON pointer; empty if there is none.
pub(super) fn text(value: &Value, pointer: &str) -> String {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

impl<S> Kit<S> {
    /// The store, asked for one tenant.
    pub fn new(store: Arc<S>) -> Self {
        Self {
            store,
            tenant: Arc::new(Tenant::new("acme")),
        }
    }

    /// The same store, asked for another tenant.
    #[must_use]
    pub fn of(&self, tenant: &str) -> Self {
        Self {
            store: self.store.clone(),
            tenant: Arc::new(Tenant::new(tenant)),
        }
    }

    /// Has the store carry out a write, as a service does.
    pub(super) async fn write<R: ScimResource>(
        &self,
        write: Write<R, Tenant>,
        precondition: &Precondition,
    ) -> Result<Written<R>, Error>
    where
        S: Store<R, Tenant>,
    {
        submit(&*self.store, write.precondition(precondition.clone())).await
    }

    pub(super) async fn try_create<R: ScimResource>(&self, resource: R) -> Result<Stored<R>, Error>
    where
        S: Store<R, Tenant>,
    {
        let written = self.post(resource).await?;
        self.written(written.id).await
    }

    /// A create with what it is answered with.
    pub(super) async fn post<R: ScimResource>(&self, resource: R) -> Result<Written<R>, Error>
    where
        S: Store<R, Tenant>,
    {
        let id = Store::<R, Tenant>::environment(&*self.store).ids.next_id();
        let write = Write::create(&self.tenant, &id, resource);
        self.write(write, &Precondition::None).await
    }

    /// The state that a write has left, if nobody has changed it since.
    async fn written<R: ScimResource>(&self, id: String) -> Result<Stored<R>, Error>
    where
        S: Store<R, Tenant>,
    {
        let stored = load(&*self.store, &self.tenant, &id).await?;
        stored.ok_or_else(|| Error::not_found(R::RESOURCE_TYPE.name, &id))
    }

    pub(super) async fn create<R: ScimResource>(&self, resource: R) -> Result<Stored<R>, Violation>
    where
        S: Store<R, Tenant>,
    {
        let created = self.try_create(resource).await;
        created.map_err(|error| Violation::of("create refused a resource that nothing is wrong with", &error))
    }

    pub(super) async fn load<R: ScimResource>(&self, id: &str) -> Result<Option<Stored<R>>, Violation>
    where
        S: Store<R, Tenant>,
    {
        let loaded = load(&*self.store, &self.tenant, id).await;
        loaded.map_err(|error| Violation::of("get failed for everything that is kept of a resource", &error))
    }

    pub(super) async fn state<R: ScimResource>(&self, id: &str) -> Result<Stored<R>, Violation>
    where
        S: Store<R, Tenant>,
    {
        let loaded = self.load(id).await?;
        loaded.ok_or_else(|| Violation::new("get did not find a resource that exists"))
    }

    pub(super) async fn get<R: ScimResource>(
        &self,
        id: &str,
        want: &Projection,
        precondition: &Precondition,
    ) -> Result<Answer<R>, Error>
    where
        S: Store<R, Tenant>,
    {
        self.store.get(&self.tenant, id, want, precondition).await
    }

    /// A resource as a client sees it that asks for nothing special.
    pub(super) async fn shown<R: ScimResource>(&self, id: &str) -> Result<Value, Violation>
    where
        S: Store<R, Tenant>,
    {
        let want = Projection::default_of(R::RESOURCE_TYPE);
        let answer = self.get::<R>(id, &want, &Precondition::None).await;
        let answer =
            answer.map_err(|error| Violation::of("get failed for a resource that exists", &error))?;
        document(answer, &want).await
    }

    pub(super) async fn replace<R: ScimResource>(
        &self,
        id: &str,
        resource: R,
        precondition: &Precondition,
    ) -> Result<Stored<R>, Error>
    where
        S: Store<R, Tenant>,
    {
        let write = Write::replace(&self.tenant, id, resource);
        let written = self.write(write, precondition).await?;
        self.written(written.id).await
    }

    /// A replace with what it is answered with.
    pub(super) async fn put<R: ScimResource>(&self, id: &str, resource: R) -> Result<Written<R>, Error>
    where
        S: Store<R, Tenant>,
    {
        let write = Write::replace(&self.tenant, id, resource);
        self.write(write, &Precondition::None).await
    }

    pub(super) async fn replaced<R: ScimResource>(
        &self,
        id: &str,
        resource: R,
    ) -> Result<Stored<R>, Violation>
    where
        S: Store<R, Tenant>,
    {
        let replaced = self.replace(id, resource, &Precondition::None).await;
        replaced
            .map_err(|error| Violation::of("replace refused a resource that nothing is wrong with", &error))
    }

    pub(super) async fn patch<R: ScimResource>(
        &self,
        id: &str,
        operations: &Value,
        precondition: &Precondition,
        reply: &Reply,
    ) -> Result<Written<R>, Error>
    where
        S: Store<R, Tenant>,
    {
        let write = Write::patch(&self.tenant, id, &patch_of::<R>(operations)?)?;
        self.write(write.answered(reply.clone()), precondition).await
    }

    pub(super) async fn try_patch<R: ScimResource>(
        &self,
        id: &str,
        operations: &Value,
    ) -> Result<Written<R>, Error>
    where
        S: Store<R, Tenant>,
    {
        self.patch(id, operations, &Precondition::None, &reply::<R>())
            .await
    }

    pub(super) async fn patched<R: ScimResource>(
        &self,
        id: &str,
        operations: &Value,
    ) -> Result<Written<R>, Violation>
    where
        S: Store<R, Tenant>,
    {
        let patched = self.try_patch(id, operations).await;
        patched.map_err(|error| Violation::of("patch refused operations that nothing is wrong with", &error))
    }

    /// A PATCH by a client that repeats it as long as the store is busy.
    pub(super) async fn patch_at_last<R: ScimResource>(
        &self,
        id: &str,
        operations: &Value,
    ) -> Result<(), Violation>
    where
        S: Store<R, Tenant>,
    {
        const TRIES: usize = 200;
        for _ in 0..TRIES {
            match self.try_patch::<R>(id, operations).await {
                Ok(_) => return Ok(()),
                Err(error) if error.status() == http::StatusCode::SERVICE_UNAVAILABLE => {
                    tokio::task::yield_now().await;
                }
                Err(error) => return Err(Violation::of("patch failed in the company of others", &error)),
            }
        }
        Err(Violation::new("patch was refused as busy 200 times in a row"))
    }

    pub(super) async fn delete<R: ScimResource>(
        &self,
        id: &str,
        precondition: &Precondition,
    ) -> Result<(), Error>
    where
        S: Store<R, Tenant>,
    {
        let write = Write::<R, _>::delete(&self.tenant, id);
        self.write(write, precondition).await.map(drop)
    }

    pub(super) async fn deleted<R: ScimResource>(&self, id: &str) -> Result<(), Violation>
    where
        S: Store<R, Tenant>,
    {
        let deleted = self.delete::<R>(id, &Precondition::None).await;
        deleted.map_err(|error| Violation::of("delete refused a resource that exists", &error))
    }

    pub(super) async fn page<R: ScimResource>(
        &self,
        query: &Query<R>,
        want: &Projection,
    ) -> Result<Page<R>, Error>
    where
        S: Store<R, Tenant>,
    {
        self.store.list(&self.tenant, query, want).await
    }

    pub(super) async fn list_of<R: ScimResource>(
        &self,
        query: &Query<R>,
        want: &Projection,
    ) -> Result<List, Violation>
    where
        S: Store<R, Tenant>,
    {
        let page = self.page(query, want).await;
        let page = page.map_err(|error| Violation::of("list failed", &error))?;
        let mut resources = Vec::new();
        for item in page.items {
            resources.push(document(item.answer, want).await?);
        }
        Ok(List {
            total: page.total,
            resources,
        })
    }

    pub(super) async fn list<R: ScimResource>(&self, query: &Query<R>) -> Result<List, Violation>
    where
        S: Store<R, Tenant>,
    {
        self.list_of(query, &Projection::default_of(R::RESOURCE_TYPE))
            .await
    }

    /// The ids of all that a filter selects.
    pub(super) async fn found<R: ScimResource>(&self, filter: &str) -> Result<Vec<String>, Violation>
    where
        S: Store<R, Tenant>,
    {
        let query = Query::<R>::all(1_000).matching(filter_of::<R>(filter)?);
        Ok(self.list(&query).await?.ids())
    }
}

/// The default projection, and nothing is too large to be shown.
pub(super) fn reply<R: ScimResource>() -> Reply {
    Reply {
        want: Projection::default_of(R::RESOURCE_TYPE),
        most_edges: None,
    }
}

pub(super) fn patch_of<R: ScimResource>(operations: &Value) -> Result<Patch<R>, Error> {
    let body =
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
    Patch::parse(
        body.to_string().as_bytes(),
        &Policy::tolerant(),
        &Limits::default(),
    )
}

pub(super) fn filter_of<R: ScimResource>(filter: &str) -> Result<ResolvedFilter, Violation> {
    let resolved = Filter::parse(filter, &Limits::default())
        .and_then(|filter| ResolvedFilter::resolve(&filter, R::RESOURCE_TYPE.schema, Resolve::default()));
    resolved.map_err(|error| Violation::of("a filter of the kit is wrong", &error))
}

pub(super) fn projection<R: ScimResource>(
    attributes: &[&str],
    excluded: &[&str],
) -> Result<Projection, Violation> {
    let projection = Projection::parse(R::RESOURCE_TYPE, attributes, excluded, false);
    projection.map_err(|error| Violation::of("a projection of the kit is wrong", &error))
}

/// What an answer shows, as a client reads it.
pub(super) async fn document<R: ScimResource>(
    answer: Answer<R>,
    want: &Projection,
) -> Result<Value, Violation> {
    let base = Base::Url("https://example.com/v2");
    let mut bytes = Vec::new();
    match answer {
        Answer::NotModified(_) => {
            return Err(Violation::new(
                "the answer was that nothing is new, where a document was asked for",
            ));
        }
        Answer::Typed(stored) => write_resource(&mut bytes, &stored.resource, want, base),
        Answer::Rendered(rendered) => match rendered.document {
            Document::Whole(whole) => fill_holes(&whole, base, &mut bytes),
            Document::Parts(body) => {
                let parts = body.collect().await;
                let parts = parts.map_err(|error| Violation::of("a document broke off", &error))?;
                fill_holes(&parts.to_bytes(), base, &mut bytes);
            }
        },
    }
    serde_json::from_slice(&bytes)
        .map_err(|error| Violation::new(format!("a rendered document is no JSON: {error}")))
}
