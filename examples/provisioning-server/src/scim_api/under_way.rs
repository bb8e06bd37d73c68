//! Requests under way, by the token that let them in: they end when its access does.
//!
//! The directory says who may come in. Whoever is in already may be worked on for minutes, so a task looks from time to
//! time whether the tokens of such requests would still let them in.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use axum::extract::Request;
use http::Response;
use http_body::{Frame, SizeHint};
use jiff::Timestamp;
use scim::service::ScimService;
use tower::Service;
use uuid::Uuid;

use super::context::Context;
use crate::database::{Access, Product};

/// How often it is looked. With the age of the database's snapshots it stays below a second.
const INTERVAL: Duration = Duration::from_millis(300);

/// How often work is ended for one token: what was between two pieces of it the first time has begun the second by then.
const TIMES: u8 = 2;

/// The requests under way.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    by_token: Mutex<HashMap<Uuid, OfToken>>,
}

/// The requests that one token has let in.
#[derive(Debug)]
struct OfToken {
    /// The organization as it was when the first of them was admitted.
    access: Arc<Access>,
    requests: usize,
    /// Whether they were there when it was looked the last time: most requests never are.
    is_seen: bool,
    /// How often their work was ended since the token lost its access.
    ended: u8,
}

impl UnderWay {
    fn begin(self: &Arc<Self>, cx: &Context) -> Admitted {
        let token = cx.token();
        let mut by_token = self.by_token();
        let of_token = by_token.entry(token).or_insert_with(|| OfToken {
            access: Arc::clone(cx.access()),
            requests: 0,
            is_seen: false,
            ended: 0,
        });
        of_token.requests += 1;
        Admitted {
            under_way: Arc::clone(self),
            token,
        }
    }

    fn end(&self, token: Uuid) {
        let mut by_token = self.by_token();
        if let Some(of_token) = by_token.get_mut(&token) {
            of_token.requests = of_token.requests.saturating_sub(1);
            if of_token.requests == 0 {
                by_token.remove(&token);
            }
        }
    }

    /// Returns the tokens whose requests were there the last time, too.
    fn lasting(&self) -> Vec<(Uuid, Arc<Access>)> {
        let mut lasting = Vec::new();
        for (token, of_token) in self.by_token().iter_mut() {
            if std::mem::replace(&mut of_token.is_seen, true) {
                lasting.push((*token, Arc::clone(&of_token.access)));
            }
        }
        lasting
    }

    /// Notes whether a token would let its requests in now. Says whether their work is to end.
    fn judge(&self, token: Uuid, is_admitted: bool) -> bool {
        let mut by_token = self.by_token();
        let Some(of_token) = by_token.get_mut(&token) else {
            return false;
        };
        if is_admitted {
            of_token.ended = 0;
            return false;
        }
        let ends = of_token.ended < TIMES;
        of_token.ended = of_token.ended.saturating_add(1);
        ends
    }

    fn by_token(&self) -> MutexGuard<'_, HashMap<Uuid, OfToken>> {
        self.by_token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that was admitted, until it is answered to the last byte.
#[derive(Debug)]
struct Admitted {
    under_way: Arc<UnderWay>,
    token: Uuid,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.under_way.end(self.token);
    }
}

/// Counts the requests that it passes on.
#[derive(Debug, Clone)]
pub(super) struct Counting<S> {
    pub(super) service: S,
    pub(super) under_way: Arc<UnderWay>,
}

impl<S, B> Service<Request> for Counting<S>
where
    S: Service<Request, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = Response<Counted<B>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let cx = request.extensions().get::<Context>();
        let admitted = cx.map(|cx| self.under_way.begin(cx));
        let answer = self.service.call(request);
        Box::pin(async move {
            let counted = |body| Counted {
                body,
                _admitted: admitted,
            };
            Ok(answer.await?.map(counted))
        })
    }
}

/// The body of an answer. As long as it is sent, its request is under way.
#[derive(Debug)]
pub(super) struct Counted<B> {
    body: B,
    _admitted: Option<Admitted>,
}

impl<B: http_body::Body + Unpin> http_body::Body for Counted<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The task that ends work whose access is gone.
pub(crate) struct Watch {
    pub(super) under_way: Arc<UnderWay>,
    pub(super) product: Arc<Product>,
    pub(super) service: ScimService<Context>,
}

impl Watch {
    /// Looks from time to time, without end.
    pub(crate) async fn run(self) {
        loop {
            tokio::time::sleep(INTERVAL).await;
            self.look(Timestamp::now()).await;
        }
    }

    async fn look(&self, now: Timestamp) {
        let lasting = self.under_way.lasting();
        if lasting.is_empty() {
            return;
        }
        let names = lasting.iter().map(|(_, access)| access.organization.name.clone());
        // A database that does not answer takes nobody's access away.
        let Ok(found) = self.product.accesses(names.collect()).await else {
            return;
        };
        for ((token, access), found) in lasting.into_iter().zip(found) {
            let is_admitted = found.is_some_and(|found| is_admitted(&access, token, &found, now));
            if self.under_way.judge(token, is_admitted) {
                self.service.end_work_of(&access.tenant);
            }
        }
    }
}

/// Returns whether a token that has let requests into an organization would still do so.
fn is_admitted(admitted: &Access, token: Uuid, found: &Access, now: Timestamp) -> bool {
    let has_token = || {
        found
            .tokens
            .iter()
            .any(|known| known.id == token && known.is_live(now))
    };
    found.organization.id == admitted.organization.id && found.organization.is_enabled() && has_token()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::database::SNAPSHOT_AGE;
    use crate::domain::organization::{Name, Organization};
    use crate::domain::secret::{Secret, SecretKind};
    use crate::domain::settings::Settings;
    use crate::domain::token::{self, Purpose, Token};

    /// Work ends within a second.
    #[test]
    fn it_is_looked_often_enough() {
        // A request is looked at the second time that it is seen.
        assert!(2 * INTERVAL + SNAPSHOT_AGE < Duration::from_secs(1));
    }

    fn under_way(token: Uuid, access: &Arc<Access>) -> UnderWay {
        let of_token = OfToken {
            access: Arc::clone(access),
            requests: 1,
            is_seen: false,
            ended: 0,
        };
        UnderWay {
            by_token: Mutex::new(HashMap::from([(token, of_token)])),
        }
    }

    fn access() -> Arc<Access> {
        let now = Timestamp::now();
        let name = Name::parse("acme").unwrap();
        let organization = Organization::new(Uuid::now_v7(), name, None, Settings::default(), now).unwrap();
        let secret = Secret::from_random(SecretKind::Token, [5; 32]);
        let expires = token::expiry(now, Some(1)).unwrap();
        Arc::new(Access {
            tenant: organization.id.to_string(),
            organization,
            tokens: vec![Token::new(Uuid::now_v7(), &secret, Purpose::Scim, now, expires)],
        })
    }

    /// Issue 9: who would not be let in any more is not worked for any more, whatever the reason.
    #[test]
    fn a_token_admits_as_long_as_it_lives_in_an_organization_that_is_enabled() {
        let before = access();
        let token = before.tokens.first().unwrap().id;
        let now = Timestamp::now();
        let admits = |change: fn(&mut Access), now| {
            let mut found = Access::clone(&before);
            change(&mut found);
            is_admitted(&before, token, &found, now)
        };
        assert!(admits(|_| {}, now));
        assert!(!admits(|_| {}, now + SignedDuration::from_hours(25)), "expired");
        assert!(!admits(|found| found.organization.switch(false), now));
        assert!(!admits(|found| found.organization.id = Uuid::now_v7(), now));
        assert!(!admits(|found| found.tokens.clear(), now));
        let revoke = |found: &mut Access| {
            found
                .tokens
                .iter_mut()
                .for_each(|it| it.revoked = Some(it.created));
        };
        assert!(!admits(revoke, now));
    }

    /// Brief requests are never asked about, and work is not ended for ever.
    #[test]
    fn only_requests_that_last_are_looked_at_and_work_is_ended_twice() {
        let access = access();
        let token = access.tokens.first().unwrap().id;
        let under_way = under_way(token, &access);
        assert!(under_way.lasting().is_empty());
        assert_eq!(under_way.lasting().len(), 1);
        let ended =
            [true, false, false, false, true, false].map(|is_admitted| under_way.judge(token, is_admitted));
        assert_eq!(ended, [false, true, true, false, false, true]);
        under_way.end(token);
        assert!(under_way.by_token().is_empty() && !under_way.judge(token, false));
    }
}
