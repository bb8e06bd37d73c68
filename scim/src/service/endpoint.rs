//! The operations on resources of one type, and the same with the type forgotten.

use std::marker::PhantomData;
use std::time::Duration;

use http::StatusCode;

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::message::ListParameters;
use crate::patch::{Patch, path_keys};
use crate::path::AttrPath;
use crate::policy::{Policy, UNNAMED_EDGES};
use crate::projection::{Base, Projection, write_resource};
use crate::record::{ScimResource, unload_edges};
use crate::schema::ResourceType;
use crate::service::ask::{Ask, Row, Rows, projection};
use crate::service::body::Body;
use crate::service::conditional::Conditions;
use crate::service::context::Boxed;
use crate::service::derived;
use crate::service::outcome::Outcome;
use crate::store::{
    Answer, Document, Extent, Precondition, Query, Reply, Store, Stored, Version, carry_over, not_found,
};
use crate::value::{BaseUrls, Cx, Intent, Json, JsonBuf};

/// What an operation on one resource is asked with.
pub(super) struct Call<'a, C> {
    pub(super) cx: &'a C,
    pub(super) policy: &'a Policy,
    pub(super) limits: &'a Limits,
    pub(super) base_urls: &'a BaseUrls<'a>,
    pub(super) parameters: &'a ListParameters,
    pub(super) body: &'a [u8],
    pub(super) conditions: &'a Conditions,
    pub(super) most_edges: usize,
    pub(super) outcome: &'a mut Outcome,
}

/// What an operation on one resource is answered with.
pub(super) struct Shown {
    pub(super) status: StatusCode,
    pub(super) id: String,
    pub(super) version: Option<Version>,
    pub(super) body: Body,
}

/// The resources of one type, whatever type it is.
pub(super) trait Endpoint<C>: Send + Sync {
    fn resource_type(&self) -> &'static ResourceType;
    fn create<'a>(&'a self, call: Call<'a, C>) -> Boxed<'a, Result<Shown>>;
    fn get<'a>(&'a self, id: &'a str, call: Call<'a, C>) -> Boxed<'a, Result<Shown>>;
    fn replace<'a>(&'a self, id: &'a str, call: Call<'a, C>) -> Boxed<'a, Result<Shown>>;
    fn patch<'a>(&'a self, id: &'a str, call: Call<'a, C>) -> Boxed<'a, Result<Shown>>;
    fn delete<'a>(&'a self, id: &'a str, call: Call<'a, C>) -> Boxed<'a, Result<Shown>>;
    fn query<'a>(&'a self, cx: &'a C, ask: &'a Ask<'a>) -> Boxed<'a, Result<Rows>>;
}

/// Resources of type `R` in a store.
pub(super) struct Typed<R, S> {
    store: S,
    /// Whether any attribute is returned on request only.
    has_requested: bool,
    resource: PhantomData<fn() -> R>,
}

/// What a client has sent of a resource.
struct Sent<R> {
    resource: R,
    /// The attributes it sets that are returned on request only.
    asserted: Vec<AttrPath>,
    /// The attributes of which it sent something that names nothing.
    unchanged: Vec<AttrPath>,
}

/// Leaves edges alone that a PUT omits, by tolerance, and those of which it sent something that names nothing.
fn leave_edges<R: ScimResource>(
    resource: &mut R,
    body: Json<'_>,
    policy: &Policy,
    unchanged: &[AttrPath],
    cx: &mut Cx<'_>,
) -> Result<()> {
    let table = R::RESOURCE_TYPE.schema.attributes.iter().zip(0..u16::MAX);
    for (attribute, index) in table.filter(|(attribute, _)| attribute.edges) {
        let omitted = policy
            .grants(&UNNAMED_EDGES)
            .filter(|_| body.get(attribute.name).is_none());
        if let Some(tolerance) = omitted {
            cx.fire(tolerance, attribute.name);
        }
        if omitted.is_some() || unchanged.contains(&AttrPath::ROOT.push(index)) {
            unload_edges(resource, &|other| other.name == attribute.name)?;
        }
    }
    Ok(())
}

/// How often a PUT is tried again when somebody else was faster.
const TRIES: usize = 5;

impl<R: ScimResource, S> Typed<R, S> {
    pub(super) fn new(store: S) -> Self {
        Self {
            store,
            has_requested: derived::has_requested(R::RESOURCE_TYPE.schema.attributes),
            resource: PhantomData,
        }
    }

    /// What the client wants to see, where `asserted` is what its request has set.
    fn projection<C>(call: &mut Call<'_, C>, asserted: &[AttrPath]) -> Result<Projection> {
        projection(R::RESOURCE_TYPE, call.parameters, call.policy, call.outcome)
            .map(|projection| projection.with_asserted(asserted))
    }

    /// Reads a resource from a body.
    fn decode<C>(&self, call: &mut Call<'_, C>, intent: Intent) -> Result<Sent<R>> {
        let mut cx = Cx::new(intent, call.policy, call.limits).with_base_urls(Some(call.base_urls));
        let result = self.decode_in(call.body, call.policy, &mut cx);
        call.outcome.fired.extend(cx.take_fired());
        result
    }

    fn decode_in(&self, body: &[u8], policy: &Policy, cx: &mut Cx<'_>) -> Result<Sent<R>> {
        let json = Json::parse(body, cx.limits())?;
        let expanded = path_keys::expand(json, R::RESOURCE_TYPE, policy, cx)?;
        let json = expanded.as_ref().map_or(json, JsonBuf::as_json);
        let mut resource = R::decode(json, cx)?;
        let unchanged = cx.take_unchanged();
        policy.strip(R::RESOURCE_TYPE.schema.id, &mut resource, cx)?;
        policy.check(&resource)?;
        let asserted = if self.has_requested {
            derived::requested_in(&resource)
        } else {
            Vec::new()
        };
        if cx.intent() == Intent::Replace {
            leave_edges(&mut resource, json, policy, &unchanged, cx)?;
        }
        Ok(Sent {
            resource,
            asserted,
            unchanged,
        })
    }

    fn shown(answer: Answer<R>, id: String, want: &Projection, base: &str) -> Shown {
        let version = answer.version().clone();
        let (status, body) = match answer {
            Answer::Typed(stored) => (
                StatusCode::OK,
                Body::whole(written(&stored.resource, want, Base::Url(base))),
            ),
            Answer::Rendered(rendered) => (StatusCode::OK, Body::of_document(rendered.document, base)),
            Answer::NotModified(_) => (StatusCode::NOT_MODIFIED, Body::empty()),
        };
        Shown {
            status,
            id,
            version: Some(version),
            body,
        }
    }

    /// A resource that was just written. What a store derives (members' names, groups) is only in what it shows.
    async fn after_write<C>(&self, cx: &C, stored: Stored<R>, want: &Projection, base: &str) -> Result<Shown>
    where
        C: Send + Sync,
        S: Store<R, C>,
    {
        let id = stored.resource.id().as_str().to_owned();
        let answer = if derived::is_shown(want) {
            self.store.get(cx, &id, want, &Precondition::None).await?
        } else {
            Answer::Typed(stored)
        };
        Ok(Self::shown(answer, id, want, base))
    }

    async fn create_in<C: Send + Sync>(&self, mut call: Call<'_, C>) -> Result<Shown>
    where
        S: Store<R, C>,
    {
        let Sent {
            resource, asserted, ..
        } = self.decode(&mut call, Intent::Create)?;
        let want = Self::projection(&mut call, &asserted)?;
        let has_edges = derived::holds_edges(&resource);
        let stored = self.store.create(call.cx, resource).await?;
        call.outcome.changed = true;
        call.outcome.id = Some(stored.resource.id().as_str().to_owned());
        // A new resource is in no group yet: only names of its own members are still to be found.
        let shown = if has_edges {
            self.after_write(call.cx, stored, &want, call.base_urls.shown())
                .await?
        } else {
            let id = stored.resource.id().as_str().to_owned();
            Self::shown(Answer::Typed(stored), id, &want, call.base_urls.shown())
        };
        Ok(Shown {
            status: StatusCode::CREATED,
            ..shown
        })
    }

    async fn get_in<C: Send + Sync>(&self, id: &str, mut call: Call<'_, C>) -> Result<Shown>
    where
        S: Store<R, C>,
    {
        let want = Self::projection(&mut call, &[])?;
        // What is derived from other resources changes without a new version.
        let never_fresh = derived::is_shown(&want);
        let precondition = call.conditions.for_read(never_fresh);
        let answer = self.store.get(call.cx, id, &want, &precondition).await?;
        let answer = match answer {
            Answer::NotModified(version) => Answer::NotModified(version),
            answer if !never_fresh && call.conditions.is_known(answer.version()) => {
                Answer::NotModified(answer.version().clone())
            }
            answer => answer,
        };
        Ok(Self::shown(answer, id.to_owned(), &want, call.base_urls.shown()))
    }

    async fn replace_in<C: Send + Sync>(&self, id: &str, mut call: Call<'_, C>) -> Result<Shown>
    where
        S: Store<R, C>,
    {
        let sent = self.decode(&mut call, Intent::Replace)?;
        let want = Self::projection(&mut call, &sent.asserted)?;
        let precondition = call.conditions.for_write();
        let retry = matches!(precondition, Precondition::None | Precondition::Any);
        for _ in 0..TRIES {
            let current = self.store.load(call.cx, id, Extent::WithoutEdges).await?;
            let current = current.ok_or_else(|| not_found::<R>(id))?;
            precondition.check_write(&current.version)?;
            let mut next = sent.resource.clone();
            carry_over(&current.resource, &mut next, &sent.unchanged)?;
            let schema = R::RESOURCE_TYPE.schema.id;
            call.policy.keep_disabled(schema, &current.resource, &mut next)?;
            let before = current.version.clone();
            let guard = Precondition::IfMatch(vec![current.version]);
            match self.store.replace(call.cx, id, next, &guard).await {
                Ok(stored) => {
                    call.outcome.changed = stored.version != before;
                    return self
                        .after_write(call.cx, stored, &want, call.base_urls.shown())
                        .await;
                }
                Err(error) if error.status() == StatusCode::PRECONDITION_FAILED && retry => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::busy(Duration::from_secs(1)))
    }

    async fn patch_in<C: Send + Sync>(&self, id: &str, mut call: Call<'_, C>) -> Result<Shown>
    where
        S: Store<R, C>,
    {
        let base_urls = Some(call.base_urls.clone());
        let patch = Patch::<R>::parse_at(base_urls, call.body, call.policy, call.limits)?;
        let asserted = if self.has_requested {
            patch
                .operations()
                .iter()
                .map(|operation| operation.target.path)
                .collect()
        } else {
            Vec::new()
        };
        let chooses =
            !call.parameters.attributes.is_empty() || !call.parameters.excluded_attributes.is_empty();
        let reply = Reply {
            want: Self::projection(&mut call, &asserted)?,
            most_edges: (!chooses).then_some(call.most_edges),
        };
        let precondition = call.conditions.for_write();
        let patched = self.store.patch(call.cx, id, &patch, &precondition, &reply).await;
        // Also what acted on values, which are read where the resource is.
        call.outcome.fired.extend(patch.fired());
        let patched = patched?;
        call.outcome.changed = patched.changed;
        Ok(match patched.answer {
            Some(answer) => Self::shown(answer, id.to_owned(), &reply.want, call.base_urls.shown()),
            None => Shown {
                status: StatusCode::NO_CONTENT,
                id: id.to_owned(),
                version: Some(patched.version),
                body: Body::empty(),
            },
        })
    }

    async fn delete_in<C: Send + Sync>(&self, id: &str, call: Call<'_, C>) -> Result<Shown>
    where
        S: Store<R, C>,
    {
        self.store
            .delete(call.cx, id, &call.conditions.for_write())
            .await?;
        call.outcome.changed = true;
        Ok(Shown {
            status: StatusCode::NO_CONTENT,
            id: id.to_owned(),
            version: None,
            body: Body::empty(),
        })
    }

    async fn query_in<C: Send + Sync>(&self, cx: &C, ask: &Ask<'_>) -> Result<Rows>
    where
        S: Store<R, C>,
    {
        let resource_type = R::RESOURCE_TYPE;
        let resolved = ask.resolve(resource_type)?;
        let mut query = Query::<R>::all(ask.count);
        query.filter = resolved.filter;
        query.sort = resolved.sort;
        query.start_index = ask.start;
        query.scanned_rows = ask.limits.scanned_rows;
        let page = self.store.query(cx, &query, &resolved.want).await?;
        let rows = page.items.into_iter().map(|item| {
            let document = match item.answer {
                Answer::Typed(stored) => written(&stored.resource, &resolved.want, Base::Hole).into(),
                Answer::Rendered(rendered) => match rendered.document {
                    Document::Whole(bytes) => bytes,
                    Document::Parts(_) => return Err(Error::internal("a store has put a stream on a page")),
                },
                Answer::NotModified(_) => return Err(Error::internal("a store has put nothing on a page")),
            };
            Ok(Row {
                document,
                key: item.sort_key,
            })
        });
        Ok(Rows {
            total: page.total,
            rows: rows.collect::<Result<_>>()?,
            fired: resolved.fired,
        })
    }
}

impl<R, C, S> Endpoint<C> for Typed<R, S>
where
    R: ScimResource,
    C: Send + Sync,
    S: Store<R, C>,
{
    fn resource_type(&self) -> &'static ResourceType {
        R::RESOURCE_TYPE
    }

    fn create<'a>(&'a self, call: Call<'a, C>) -> Boxed<'a, Result<Shown>> {
        Box::pin(self.create_in(call))
    }

    fn get<'a>(&'a self, id: &'a str, call: Call<'a, C>) -> Boxed<'a, Result<Shown>> {
        Box::pin(self.get_in(id, call))
    }

    fn replace<'a>(&'a self, id: &'a str, call: Call<'a, C>) -> Boxed<'a, Result<Shown>> {
        Box::pin(self.replace_in(id, call))
    }

    fn patch<'a>(&'a self, id: &'a str, call: Call<'a, C>) -> Boxed<'a, Result<Shown>> {
        Box::pin(self.patch_in(id, call))
    }

    fn delete<'a>(&'a self, id: &'a str, call: Call<'a, C>) -> Boxed<'a, Result<Shown>> {
        Box::pin(self.delete_in(id, call))
    }

    fn query<'a>(&'a self, cx: &'a C, ask: &'a Ask<'a>) -> Boxed<'a, Result<Rows>> {
        Box::pin(self.query_in(cx, ask))
    }
}

/// The document that is shown of a resource.
fn written<R: ScimResource>(resource: &R, want: &Projection, base: Base<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    write_resource(&mut out, resource, want, base);
    out
}
