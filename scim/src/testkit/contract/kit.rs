//! A store with a context, and the few words that the checks are written in.

use std::sync::Arc;

use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::violation::Seen;
use crate::error::{Error, ScimType};
use crate::filter::{Filter, Resolve, ResolvedFilter};
use crate::limits::Limits;
use crate::patch::Patch;
use crate::policy::Policy;
use crate::projection::{Base, Projection, fill_holes, write_resource};
use crate::record::ScimResource;
use crate::store::{
    Answer, Document, Page, Precondition, Query, Reply, Store, Stored, Write, Written, load, submit,
};

/// The base URL that documents are shown with.
pub(super) const BASE: &str = "https://example.com/v2";

/// An id that no store gives.
pub(super) const NOBODY: &str = "nobody";

/// A store, and the context that it is asked in.
pub(super) struct Kit<S, C> {
    pub(super) store: Arc<S>,
    pub(super) cx: Arc<C>,
    /// That of a service over the store.
    pub(super) policy: Policy,
}

impl<S, C> Clone for Kit<S, C> {
    fn clone(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            cx: Arc::clone(&self.cx),
            policy: self.policy.clone(),
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
    /// Returns the ids in order.
    pub(super) fn ids(&self) -> Vec<String> {
        let ids = self.resources.iter().map(|resource| text(resource, "/id"));
        ids.collect()
    }
}

/// Returns the text at a JSON pointer; empty if there is none.
pub(super) fn text(value: &Value, pointer: &str) -> String {
    let text = value.pointer(pointer).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

impl<S: 'static, C: Send + Sync + 'static> Kit<S, C> {
    /// Has the store carry out a write, as a service does.
    pub(super) async fn write<R: ScimResource>(&self, write: Write<R, C>) -> Result<Written<R>, Error>
    where
        S: Store<R, C>,
    {
        submit(&*self.store, write).await
    }

    /// Makes the create of a resource, with an id as a service makes it.
    pub(super) fn creation<R: ScimResource>(&self, resource: R) -> Write<R, C>
    where
        S: Store<R, C>,
    {
        let id = Store::<R, C>::environment(&*self.store).ids.next_id();
        Write::create(&self.cx, &id, resource)
    }

    /// Creates a resource, and returns what the write is answered with.
    pub(super) async fn post<R: ScimResource>(&self, resource: R) -> Result<Written<R>, Error>
    where
        S: Store<R, C>,
    {
        self.write(self.creation(resource)).await
    }

    pub(super) async fn create<R: ScimResource>(&self, resource: R) -> Result<Stored<R>, Seen>
    where
        S: Store<R, C>,
    {
        let created = self.post(resource).await;
        let created = created
            .map_err(|error| Seen::of("a create of a resource that nothing is wrong with failed", &error))?;
        self.state(&created.id).await
    }

    pub(super) async fn load<R: ScimResource>(&self, id: &str) -> Result<Option<Stored<R>>, Seen>
    where
        S: Store<R, C>,
    {
        let loaded = load(&*self.store, &self.cx, id).await;
        loaded.map_err(|error| Seen::of(&format!("a get of the whole state of {id:?} failed"), &error))
    }

    pub(super) async fn state<R: ScimResource>(&self, id: &str) -> Result<Stored<R>, Seen>
    where
        S: Store<R, C>,
    {
        let loaded = self.load(id).await?;
        loaded.ok_or_else(|| Seen::new(format!("a get did not find the resource {id:?}, which exists")))
    }

    pub(super) async fn get<R: ScimResource>(
        &self,
        id: &str,
        want: &Projection,
        precondition: &Precondition,
    ) -> Result<Answer<R>, Error>
    where
        S: Store<R, C>,
    {
        self.store.get(&self.cx, id, want, precondition).await
    }

    /// Returns the resource as a client sees it that asks for nothing special.
    pub(super) async fn shown<R: ScimResource>(&self, id: &str) -> Result<Value, Seen>
    where
        S: Store<R, C>,
    {
        self.shown_as::<R>(id, &Projection::default_of(R::RESOURCE_TYPE))
            .await
    }

    /// Returns the resource as a client sees it that asks for this.
    pub(super) async fn shown_as<R: ScimResource>(&self, id: &str, want: &Projection) -> Result<Value, Seen>
    where
        S: Store<R, C>,
    {
        let answer = self.get::<R>(id, want, &Precondition::None).await;
        let answer =
            answer.map_err(|error| Seen::of(&format!("a get of {id:?}, which exists, failed"), &error))?;
        document(answer, want).await
    }

    /// Replaces a resource, and returns what the write is answered with.
    pub(super) async fn put<R: ScimResource>(
        &self,
        id: &str,
        resource: R,
        precondition: &Precondition,
    ) -> Result<Written<R>, Error>
    where
        S: Store<R, C>,
    {
        let write = Write::replace(&self.cx, id, resource);
        self.write(write.precondition(precondition.clone())).await
    }

    pub(super) async fn try_replace<R: ScimResource>(
        &self,
        id: &str,
        resource: R,
    ) -> Result<Written<R>, Error>
    where
        S: Store<R, C>,
    {
        self.put(id, resource, &Precondition::None).await
    }

    pub(super) async fn replaced<R: ScimResource>(&self, id: &str, resource: R) -> Result<Written<R>, Seen>
    where
        S: Store<R, C>,
    {
        let replaced = self.try_replace(id, resource).await;
        replaced.map_err(|error| Seen::of("a replace that nothing is wrong with failed", &error))
    }

    pub(super) fn patch_write<R: ScimResource>(
        &self,
        id: &str,
        operations: &Value,
    ) -> Result<Write<R, C>, Error> {
        let body =
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
        let patch = Patch::<R>::parse(body.to_string().as_bytes(), &self.policy, &Limits::default())?;
        Write::patch(&self.cx, id, &patch)
    }

    pub(super) async fn patch<R: ScimResource>(
        &self,
        id: &str,
        operations: &Value,
        precondition: &Precondition,
        reply: &Reply,
    ) -> Result<Written<R>, Error>
    where
        S: Store<R, C>,
    {
        let write = self.patch_write(id, operations)?;
        let write = write.precondition(precondition.clone());
        self.write(write.answered(reply.clone())).await
    }

    pub(super) async fn try_patch<R: ScimResource>(
        &self,
        id: &str,
        operations: &Value,
    ) -> Result<Written<R>, Error>
    where
        S: Store<R, C>,
    {
        self.patch(id, operations, &Precondition::None, &reply::<R>())
            .await
    }

    pub(super) async fn patched<R: ScimResource>(
        &self,
        id: &str,
        operations: &Value,
    ) -> Result<Written<R>, Seen>
    where
        S: Store<R, C>,
    {
        let patched = self.try_patch(id, operations).await;
        patched.map_err(|error| Seen::of(&format!("the PATCH {operations}, which is valid, failed"), &error))
    }

    /// Sends a PATCH as a client does that repeats it as long as the store is busy.
    pub(super) async fn patch_at_last<R: ScimResource>(
        &self,
        id: &str,
        operations: &Value,
    ) -> Result<(), Seen>
    where
        S: Store<R, C>,
    {
        const TRIES: usize = 200;
        for _ in 0..TRIES {
            match self.try_patch::<R>(id, operations).await {
                Ok(_) => return Ok(()),
                Err(error) if error.status() == http::StatusCode::SERVICE_UNAVAILABLE => {
                    tokio::task::yield_now().await;
                }
                Err(error) => return Err(Seen::of("a PATCH beside others failed", &error)),
            }
        }
        Err(Seen::new(format!(
            "a PATCH was refused as busy {TRIES} times in a row"
        )))
    }

    pub(super) async fn delete<R: ScimResource>(
        &self,
        id: &str,
        precondition: &Precondition,
    ) -> Result<(), Error>
    where
        S: Store<R, C>,
    {
        let write = Write::<R, C>::delete(&self.cx, id);
        self.write(write.precondition(precondition.clone()))
            .await
            .map(drop)
    }

    pub(super) async fn deleted<R: ScimResource>(&self, id: &str) -> Result<(), Seen>
    where
        S: Store<R, C>,
    {
        let deleted = self.delete::<R>(id, &Precondition::None).await;
        deleted.map_err(|error| Seen::of("a delete of a resource that exists failed", &error))
    }

    pub(super) async fn page<R: ScimResource>(
        &self,
        query: &Query<R>,
        want: &Projection,
    ) -> Result<Page<R>, Error>
    where
        S: Store<R, C>,
    {
        self.store.list(&self.cx, query, want).await
    }

    pub(super) async fn list_of<R: ScimResource>(
        &self,
        query: &Query<R>,
        want: &Projection,
    ) -> Result<List, Seen>
    where
        S: Store<R, C>,
    {
        let page = self.page(query, want).await;
        let page = page.map_err(|error| Seen::of("a list failed", &error))?;
        let mut resources = Vec::new();
        for item in page.items {
            resources.push(document(item.answer, want).await?);
        }
        Ok(List {
            total: page.total,
            resources,
        })
    }

    pub(super) async fn list<R: ScimResource>(&self, query: &Query<R>) -> Result<List, Seen>
    where
        S: Store<R, C>,
    {
        self.list_of(query, &Projection::default_of(R::RESOURCE_TYPE))
            .await
    }

    /// Returns the ids of all that a filter selects, sorted.
    pub(super) async fn found<R: ScimResource>(&self, filter: &str) -> Result<Vec<String>, Seen>
    where
        S: Store<R, C>,
    {
        let query = Query::<R>::all(1_000).matching(filter_of::<R>(filter)?);
        let Seen(what) = match self.list(&query).await {
            Ok(list) => return Ok(sorted(list.ids())),
            Err(seen) => seen,
        };
        Err(Seen::new(format!("with the filter {filter}, {what}")))
    }
}

/// Returns the default projection, and nothing is too large to be shown.
pub(super) fn reply<R: ScimResource>() -> Reply {
    Reply {
        want: Projection::default_of(R::RESOURCE_TYPE),
        most_edges: None,
    }
}

pub(super) fn filter_of<R: ScimResource>(filter: &str) -> Result<ResolvedFilter, Seen> {
    let resolved = Filter::parse(filter, &Limits::default())
        .and_then(|filter| ResolvedFilter::resolve(&filter, R::RESOURCE_TYPE.schema, Resolve::default()));
    resolved.map_err(|error| {
        Seen::of(
            &format!("the contract has asked the wrong filter {filter}"),
            &error,
        )
    })
}

pub(super) fn projection<R: ScimResource>(
    attributes: &[&str],
    excluded: &[&str],
) -> Result<Projection, Seen> {
    let projection = Projection::parse(R::RESOURCE_TYPE, attributes, excluded, false);
    projection.map_err(|error| Seen::of("the contract has asked a wrong projection", &error))
}

/// Returns what an answer shows, as a client reads it.
pub(super) async fn document<R: ScimResource>(answer: Answer<R>, want: &Projection) -> Result<Value, Seen> {
    let base = Base::Url(BASE);
    let mut bytes = Vec::new();
    match answer {
        Answer::NotModified(_) => {
            return Err(Seen::new(
                "the answer was that nothing is new, where a document was asked for",
            ));
        }
        Answer::Typed(stored) => write_resource(&mut bytes, &stored.resource, want, base),
        Answer::Rendered(rendered) => match rendered.document {
            Document::Whole(whole) => fill_holes(&whole, base, &mut bytes),
            Document::Parts(body) => {
                let parts = body.collect().await;
                let parts = parts.map_err(|error| Seen::of("a document broke off", &error))?;
                fill_holes(&parts.to_bytes(), base, &mut bytes);
            }
        },
    }
    parsed(&bytes)
}

/// Returns what is to be shown of a state.
pub(super) fn rendered<R: ScimResource>(resource: &R, want: &Projection) -> Result<Value, Seen> {
    let mut bytes = Vec::new();
    write_resource(&mut bytes, resource, want, Base::Url(BASE));
    parsed(&bytes)
}

fn parsed(bytes: &[u8]) -> Result<Value, Seen> {
    serde_json::from_slice(bytes)
        .map_err(|error| Seen::new(format!("a rendered document is not valid JSON: {error}")))
}

/// Checks that an error has the status and the type that the RFC gives it.
pub(super) fn is_refused<T>(
    result: Result<T, Error>,
    status: u16,
    scim_type: Option<ScimType>,
    what: &str,
) -> Result<(), Seen> {
    match result {
        Ok(_) => Err(Seen::new(format!("{what} was accepted"))),
        Err(error) if error.status() == status && error.scim_type() == scim_type => Ok(()),
        Err(error) => {
            let expected = scim_type.map(|kind| format!(" {kind:?}")).unwrap_or_default();
            let got = error
                .scim_type()
                .map(|kind| format!(" {kind:?}"))
                .unwrap_or_default();
            Err(Seen::new(format!(
                "{what} was refused with {}{got} instead of {status}{expected}: {error}",
                error.status(),
            )))
        }
    }
}

/// Runs futures at once, on all threads of the runtime.
pub(super) async fn at_once<T, F>(futures: impl IntoIterator<Item = F>) -> Result<Vec<T>, Seen>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = futures.into_iter().map(tokio::spawn).collect();
    let mut results = Vec::new();
    for task in tasks {
        let result = task.await;
        results.push(result.map_err(|error| Seen::new(format!("the store panicked: {error}")))?);
    }
    Ok(results)
}

/// Returns ids in one order, to compare sets.
pub(super) fn sorted(ids: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    let mut ids: Vec<String> = ids.into_iter().map(Into::into).collect();
    ids.sort();
    ids
}
