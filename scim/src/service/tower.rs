//! The service over HTTP.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::request::Parts;

use super::base_url::BaseUrl;
use super::body::Body;
use super::context::{Boxed, Source};
use super::outcome::Outcome;
use super::protocol::Protocol;
use super::receive::{Incoming, close, close_unread};
use super::request::Request;
use super::under_way::{Charge, UnderWay};
use crate::error::Result;
use crate::timer::Timer;

/// A SCIM service: a [`tower::Service`] for requests with any body. Cheap to clone.
///
/// Every answer is a SCIM message, errors included; the service itself never fails. `C` is the application's own
/// context of a request, made by a [`MakeContext`](super::MakeContext) before anything else is looked at.
///
/// ```
/// use http_body_util::Empty;
/// use scim::service::{NoContext, ScimService};
/// use tower::ServiceExt;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let service = ScimService::builder(NoContext).mount("/scim/v2").build()?;
/// let request = http::Request::get("http://id.example.com/scim/v2/Nobody").body(Empty::<bytes::Bytes>::new())?;
/// let response = service.oneshot(request).await?;
/// assert_eq!(response.status(), 404);
/// assert_eq!(response.headers()["content-type"], "application/scim+json");
/// # Ok(())
/// # }
/// ```
pub struct ScimService<C> {
    inner: Arc<Inner<C>>,
}

struct Inner<C> {
    protocol: Protocol<C>,
    source: Arc<dyn Source<C>>,
    base_url: BaseUrl<C>,
    timer: Arc<dyn Timer>,
    under_way: UnderWay,
}

impl<C> Clone for ScimService<C> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<C: Send + Sync + 'static> ScimService<C> {
    pub(super) fn new(
        protocol: Protocol<C>,
        source: Arc<dyn Source<C>>,
        base_url: BaseUrl<C>,
        timer: Arc<dyn Timer>,
    ) -> Self {
        let under_way = UnderWay::new(protocol.limits());
        Self {
            inner: Arc::new(Inner {
                protocol,
                source,
                base_url,
                timer,
                under_way,
            }),
        }
    }

    /// Returns the protocol without the network.
    #[must_use]
    pub fn protocol(&self) -> &Protocol<C> {
        &self.inner.protocol
    }

    /// Ends what a tenant has begun, because its access was withdrawn: bodies that come in, searches, streams and writes
    /// that have not begun end with 503 and `Retry-After`; a write that has begun may still be committed. Anything that it asks
    /// for from now on is done as ever: to keep it out is for whoever lets requests in.
    ///
    /// The tenant is the one that the store is asked for ([`HasTenant`](crate::store::HasTenant)). Work that a store does
    /// beside searches within their [budget](crate::store::Query::budget) ends where the store sees to it
    /// ([`Store::end_work_of`](crate::store::Store::end_work_of)), as that of feature `sqlite` does.
    ///
    /// ```
    /// # use scim::service::{NoContext, ScimService};
    /// # fn example(service: &ScimService<()>) {
    /// service.end_work_of("acme");
    /// # }
    /// ```
    pub fn end_work_of(&self, tenant: &str) {
        self.inner.protocol.end_work_of(tenant);
    }

    /// Answers a request. Errors become answers, too.
    pub async fn respond<B>(&self, request: http::Request<B>) -> http::Response<Body>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (mut parts, sent) = request.into_parts();
        let inner = &*self.inner;
        match inner.source.context(&mut parts).await {
            Ok(cx) => inner.answer(&Arc::new(cx), parts, sent).await,
            Err(error) => {
                let mut answer: http::Response<Body> =
                    inner.protocol.refuse(None, error, &parts.headers).into();
                close_unread(&parts, &sent, answer.headers_mut());
                answer
            }
        }
    }

    /// Answers a request in a context that the application has already, for instance from its own middleware.
    ///
    /// The service need not have another source of contexts: see [`GivenContext`](super::GivenContext).
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use http_body_util::Empty;
    /// use scim::service::{GivenContext, ScimService};
    ///
    /// struct Principal(String);
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let service = ScimService::<Principal>::builder(GivenContext).mount("/scim/v2").build()?;
    /// let cx = Arc::new(Principal("ali".to_owned()));
    /// let request = http::Request::get("/scim/v2/ResourceTypes").body(Empty::<bytes::Bytes>::new())?;
    /// assert_eq!(service.respond_in(&cx, request).await.status(), 200);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example()).unwrap();
    /// ```
    pub async fn respond_in<B>(&self, cx: &Arc<C>, request: http::Request<B>) -> http::Response<Body>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (parts, sent) = request.into_parts();
        self.inner.answer(cx, parts, sent).await
    }

    /// Answers a request, or returns the error: for applications that answer errors themselves.
    ///
    /// # Errors
    /// Every error that a client would otherwise have seen.
    pub async fn try_call<B>(&self, request: http::Request<B>) -> Result<http::Response<Body>>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (mut parts, sent) = request.into_parts();
        let inner = &*self.inner;
        let refused = |cx: Option<&C>, error| inner.protocol.refused(cx, error, &mut Outcome::default());
        let cx = match inner.source.context(&mut parts).await {
            Ok(cx) => Arc::new(cx),
            Err(error) => return Err(refused(None, error)),
        };
        let version = parts.version;
        let sent = pin!(sent);
        let mut sent = Incoming::new(sent, &parts.headers, inner.protocol.limits(), &*inner.timer);
        let mut charge = inner.charge(&cx, &mut sent);
        let answer = match inner.receive(&cx, &parts, &mut sent, &mut charge).await {
            Ok(received) => inner.protocol.try_handle(&cx, received.request(parts)).await,
            Err(error) => Err(refused(Some(&cx), error)),
        };
        drop(charge);
        sent.discard().await;
        let mut answer: http::Response<Body> = answer?.into();
        if !sent.is_read() {
            close(version, answer.headers_mut());
        }
        Ok(answer)
    }
}

impl<C: Send + Sync + 'static> Inner<C> {
    /// Answers a client that was let in.
    async fn answer<B>(&self, cx: &Arc<C>, parts: Parts, sent: B) -> http::Response<Body>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let version = parts.version;
        let sent = pin!(sent);
        let mut sent = Incoming::new(sent, &parts.headers, self.protocol.limits(), &*self.timer);
        let mut charge = self.charge(cx, &mut sent);
        let answer = match self.receive(cx, &parts, &mut sent, &mut charge).await {
            Ok(received) => self.protocol.handle(cx, received.request(parts)).await,
            Err(error) => self.protocol.refuse(Some(cx), error, &parts.headers),
        };
        drop(charge);
        sent.discard().await;
        let mut answer: http::Response<Body> = answer.into();
        if !sent.is_read() {
            close(version, answer.headers_mut());
        }
        answer
    }

    /// Begins to count the body of a request, if it has one, among those under way, for as long as its tenant has access.
    fn charge<B>(&self, cx: &C, sent: &mut Incoming<'_, B>) -> Charge<'_>
    where
        B: http_body::Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let tenant = match sent.is_read() {
            true => None,
            false => self.protocol.tenant(cx),
        };
        if tenant.is_some() {
            sent.end_with(self.protocol.grant(cx));
        }
        self.under_way.begin(tenant.as_deref())
    }

    /// Reads the body, within the limit of what the request is for.
    async fn receive<B>(
        &self,
        cx: &C,
        parts: &Parts,
        sent: &mut Incoming<'_, B>,
        charge: &mut Charge<'_>,
    ) -> Result<Received>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let path = self.base_url.path(parts)?.to_owned();
        let base_url = self.base_url.of(cx, parts)?;
        let reached_at = self.base_url.reached_at(cx, parts);
        let body = match self.protocol.limit_of_body(&parts.method, &path) {
            None => Bytes::new(),
            Some(most) => sent.read(most, charge).await?,
        };
        Ok(Received {
            path,
            body,
            base_url,
            reached_at,
        })
    }
}

/// A request whose body was read, without its head.
struct Received {
    path: String,
    body: Bytes,
    base_url: String,
    reached_at: Option<String>,
}

impl Received {
    fn request(self, head: Parts) -> Request {
        Request {
            method: head.method,
            path: self.path,
            query: head.uri.query().map(str::to_owned),
            headers: head.headers,
            body: self.body,
            base_url: self.base_url,
            reached_at: self.reached_at,
        }
    }
}

impl<C, B> tower::Service<http::Request<B>> for ScimService<C>
where
    C: Send + Sync + 'static,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Boxed<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.respond(request).await) })
    }
}
