//! One request and its answer, repeated where that is safe.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, DATE, ETAG, HeaderMap, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use tower::{Service, ServiceExt};

use crate::client::retry::{self, Repeat};
use crate::client::{Client, Error, Refusal, Result};
use crate::store::{Precondition, Version};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

const SCIM_JSON: HeaderValue = HeaderValue::from_static("application/scim+json");

/// The service through which a [`Client`] sends its requests: every tower service that can be cloned, takes requests
/// with a body of bytes and answers with any body.
pub trait Exchange: Clone + Send + Sync {
    /// Sends a request and reads the answer, of which at most `most` bytes are taken.
    fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        most: usize,
    ) -> impl Future<Output = Result<Response<Bytes>, BoxError>> + Send;
}

impl<S, B> Exchange for S
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + Sync,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: http_body::Body + Send,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        most: usize,
    ) -> impl Future<Output = Result<Response<Bytes>, BoxError>> + Send {
        let answer = self.clone().oneshot(request);
        async move {
            let (head, body) = answer.await.map_err(Into::into)?.into_parts();
            let body = Limited::new(body, most).collect().await?.to_bytes();
            Ok(Response::from_parts(head, body))
        }
    }
}

/// A request that may have to be sent more than once.
#[derive(Debug)]
pub(super) struct Plan {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Plan {
    pub(super) fn new(method: Method, path: String) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, SCIM_JSON);
        Self {
            method,
            path,
            headers,
            body: Bytes::new(),
        }
    }

    pub(super) fn with_body(mut self, body: Bytes) -> Self {
        self.headers.insert(CONTENT_TYPE, SCIM_JSON);
        self.body = body;
        self
    }

    pub(super) fn when(mut self, precondition: &Precondition) -> Result<Self> {
        let (name, tags) = match precondition {
            Precondition::None => return Ok(self),
            Precondition::Any => (IF_MATCH, "*".to_owned()),
            Precondition::IfMatch(versions) => (IF_MATCH, tags(versions)),
            Precondition::IfNoneMatch(versions) => (IF_NONE_MATCH, tags(versions)),
            Precondition::IfNoneMatchAny => (IF_NONE_MATCH, "*".to_owned()),
        };
        let value = HeaderValue::try_from(tags).map_err(|_| {
            Error::Request(crate::Error::invalid_version(
                "A version cannot stand in a header.",
            ))
        })?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Returns the fate of the request if nobody knows whether the server has got it: only what is done twice with the
    /// result of once is sent again. A precondition that the first try has made false would be taken for a conflict.
    fn repeat(&self) -> Repeat {
        let is_conditional = self.headers.contains_key(IF_MATCH);
        let is_idempotent = matches!(self.method, Method::GET | Method::PUT | Method::DELETE);
        if is_idempotent && !is_conditional {
            Repeat::Always
        } else {
            Repeat::IfNotTaken
        }
    }
}

fn tags(versions: &[Version]) -> String {
    let tags: Vec<_> = versions.iter().map(Version::entity_tag).collect();
    tags.join(", ")
}

/// The answer to a request.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let text = |name| self.headers.get(name)?.to_str().ok();
        retry::read_retry_after(text(http::header::RETRY_AFTER)?, text(DATE))
    }

    pub(super) fn entity_tag(&self) -> Option<String> {
        let tag = self.headers.get(ETAG)?.to_str().ok()?;
        Some(Version::of_entity_tag(tag).entity_tag())
    }

    fn is_success(&self) -> bool {
        self.status.is_success() || self.status == StatusCode::NOT_MODIFIED
    }
}

impl<S: Exchange> Client<S> {
    pub(super) async fn send(&self, plan: Plan) -> Result<Answer> {
        let mut tries = 1;
        let mut may_have_succeeded = false;
        loop {
            let outcome = self
                .service
                .exchange(self.request(&plan)?, self.limits.large_body)
                .await;
            let outcome = outcome.map(|response| {
                let (head, body) = response.into_parts();
                Answer {
                    status: head.status,
                    headers: head.headers,
                    body,
                }
            });
            let status = outcome.as_ref().ok().map(|answer| answer.status);
            let wait = self.backoff.wait(
                tries,
                plan.repeat(),
                status,
                outcome.as_ref().ok().and_then(Answer::retry_after),
                &self.jitter,
            );
            if let (Some(wait), Some(sleep)) = (wait, &self.sleep) {
                sleep.sleep(wait).await;
                may_have_succeeded |= retry::may_have_succeeded(status);
                tries += 1;
                continue;
            }
            let answer = outcome.map_err(Error::Unreachable)?;
            let is_gone = answer.status == StatusCode::NOT_FOUND && plan.method == Method::DELETE;
            if answer.is_success() || (is_gone && may_have_succeeded) {
                return Ok(answer);
            }
            return Err(Error::Refused(Box::new(Refusal::of(&answer))));
        }
    }

    fn request(&self, plan: &Plan) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(plan.method.clone())
            .uri(format!("{}{}", self.base, plan.path))
            .body(Full::new(plan.body.clone()))
            .map_err(|_| {
                Error::Request(crate::Error::invalid_value(format!(
                    "{} is no address on a server.",
                    crate::error::quoted(&plan.path)
                )))
            })?;
        let headers = request.headers_mut();
        headers.extend(plan.headers.clone());
        headers.extend(self.headers.clone());
        Ok(request)
    }
}
