//! The operations on resources of one type, and the same with the type forgotten.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

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
use crate::store::{Answer, Document, Hooks, Query, Reply, Store, Version, Write, Written, submit};
use crate::value::{BaseUrls, Cx, Intent, Json, JsonBuf};

/// The input of an operation on one resource.
pub(super) struct Call<'a, C> {
    pub(super) cx: &'a Arc<C>,
    pub(super) hooks: &'a Hooks<C>,
    pub(super) policy: &'a Policy,
    pub(super) limits: &'a Arc<Limits>,
    pub(super) base_urls: &'a BaseUrls<'a>,
    pub(super) parameters: &'a ListParameters,
    pub(super) body: &'a [u8],
    pub(super) conditions: &'a Conditions,
    pub(super) most_edges: usize,
    pub(super) outcome: &'a mut Outcome,
}

/// The output of an operation on one resource.
pub(super) struct Shown {
    pub(super) status: StatusCode,
    pub(super) id: String,
    pub(super) version: Option<Version>,
    pub(super) body: Body,
}

/// The resources of one type, whatever type it is.
pub(super) trait Endpoint<C>: Send + Sync {
    fn resource_type(&self) -> &'static ResourceType;
    /// Checks that the store can serve the type beside the others that are served.
    fn check(&self, served: &[&'static ResourceType]) -> Result<()>;
    /// Returns the tenant of a request, if the store tells.
    fn tenant<'a>(&self, cx: &'a C) -> Option<Cow<'a, str>>;
    /// Has the store end the work of a tenant.
    fn end_work_of(&self, tenant: &str);
    fn create<'a>(&'a self, call: Call<'a, C>) -> Boxed<'a, Result<Shown>>;
    fn get<'a>(&'a self, id: &'a str, call: Call<'a, C>) -> Boxed<'a, Result<Shown>>;
    fn replace<'a>(&'a self, id: &'a str, call: Call<'a, C>) -> Boxed<'a, Result<Shown>>;
    fn patch<'a>(&'a self, id: &'a str, call: Call<'a, C>) -> Boxed<'a, Result<Shown>>;
    fn delete<'a>(&'a self, id: &'a str, call: Call<'a, C>) -> Boxed<'a, Result<Shown>>;
    fn query<'a>(&'a self, cx: &'a Arc<C>, ask: &'a Ask<'a>) -> Boxed<'a, Result<Rows>>;
}

/// Resources of type `R` in a store.
pub(super) struct Typed<R, S> {
    store: S,
    /// Whether any attribute is returned on request only.
    has_requested: bool,
    resource: PhantomData<fn() -> R>,
}

/// A resource as a client has sent it.
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

impl<R: ScimResource, S> Typed<R, S> {
    pub(super) fn new(store: S) -> Self {
        Self {
            store,
            has_requested: derived::has_requested(R::RESOURCE_TYPE.schema.attributes),
            resource: PhantomData,
        }
    }

    /// Returns the attributes that the client wants to see, where `asserted` is what its request has set.
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

    /// Has the store carry out a write, and shows what it answers.
    async fn write<C>(&self, call: Call<'_, C>, write: Write<R, C>, done: StatusCode) -> Result<Shown>
    where
        C: Send + Sync + 'static,
        S: Store<R, C>,
    {
        let write = write
            .precondition(call.conditions.for_write())
            .policy(call.policy.clone())
            .limits(call.limits)
            .tolerances(&call.outcome.fired)
            .hooks(call.hooks);
        let want = write.reply().want;
        let written = submit(&self.store, write.clone()).await;
        // Also what acted on values, which are read where the resource is.
        call.outcome.fired.extend(write.fired());
        let Written {
            id,
            version,
            changed,
            answer,
        } = written?;
        call.outcome.changed = changed;
        call.outcome.id = Some(id.clone());
        Ok(match answer {
            Some(answer) => Shown {
                status: done,
                ..Self::shown(answer, id, &want, call.base_urls.shown())
            },
            None => Shown {
                status: match done {
                    StatusCode::CREATED => done,
                    _ => StatusCode::NO_CONTENT,
                },
                id,
                version: Some(version),
                body: Body::empty(),
            },
        })
    }

    async fn create_in<C: Send + Sync + 'static>(&self, mut call: Call<'_, C>) -> Result<Shown>
    where
        S: Store<R, C>,
    {
        let Sent {
            resource, asserted, ..
        } = self.decode(&mut call, Intent::Create)?;
        let want = Self::projection(&mut call, &asserted)?;
        let id = self.store.environment().ids.next_id();
        let write = Write::create(call.cx, &id, resource).answered(Reply {
            want,
            most_edges: None,
        });
        self.write(call, write, StatusCode::CREATED).await
    }

    async fn get_in<C: Send + Sync + 'static>(&self, id: &str, mut call: Call<'_, C>) -> Result<Shown>
    where
        S: Store<R, C>,
    {
        let want = Self::projection(&mut call, &[])?;
        // Anything that is derived from other resources changes without a new version.
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

    async fn replace_in<C: Send + Sync + 'static>(&self, id: &str, mut call: Call<'_, C>) -> Result<Shown>
    where
        S: Store<R, C>,
    {
        let Sent {
            resource,
            asserted,
            unchanged,
        } = self.decode(&mut call, Intent::Replace)?;
        let want = Self::projection(&mut call, &asserted)?;
        let write = Write::replace(call.cx, id, resource)
            .leaving(unchanged)
            .answered(Reply {
                want,
                most_edges: None,
            });
        self.write(call, write, StatusCode::OK).await
    }

    async fn patch_in<C: Send + Sync + 'static>(&self, id: &str, mut call: Call<'_, C>) -> Result<Shown>
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
        let write = Write::patch(call.cx, id, &patch);
        if write.is_err() {
            call.outcome.fired.extend(patch.fired());
        }
        self.write(call, write?.answered(reply), StatusCode::OK).await
    }

    async fn delete_in<C: Send + Sync + 'static>(&self, id: &str, call: Call<'_, C>) -> Result<Shown>
    where
        S: Store<R, C>,
    {
        let write = Write::delete(call.cx, id);
        let deleted = self.write(call, write, StatusCode::NO_CONTENT).await?;
        Ok(Shown {
            version: None,
            ..deleted
        })
    }

    async fn query_in<C: Send + Sync + 'static>(&self, cx: &Arc<C>, ask: &Ask<'_>) -> Result<Rows>
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
        query.budget = ask.budget.clone();
        query.answer_bytes = ask.limits.answer_bytes;
        let page = self.store.list(cx, &query, &resolved.want).await?;
        let rows = page.items.into_iter().map(|item| {
            let document = match item.answer {
                Answer::Typed(stored) => {
                    Document::Whole(written(&stored.resource, &resolved.want, Base::Hole).into())
                }
                Answer::Rendered(rendered) => rendered.document,
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
    C: Send + Sync + 'static,
    S: Store<R, C>,
{
    fn resource_type(&self) -> &'static ResourceType {
        R::RESOURCE_TYPE
    }

    fn check(&self, served: &[&'static ResourceType]) -> Result<()> {
        self.store.check(served)
    }

    fn tenant<'a>(&self, cx: &'a C) -> Option<Cow<'a, str>> {
        self.store.tenant(cx)
    }

    fn end_work_of(&self, tenant: &str) {
        self.store.end_work_of(tenant);
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

    fn query<'a>(&'a self, cx: &'a Arc<C>, ask: &'a Ask<'a>) -> Boxed<'a, Result<Rows>> {
        Box::pin(self.query_in(cx, ask))
    }
}

/// Returns the document that is shown of a resource.
fn written<R: ScimResource>(resource: &R, want: &Projection, base: Base<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    write_resource(&mut out, resource, want, base);
    out
}
