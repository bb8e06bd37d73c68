//! Requests with long bodies: they are answered beside the others, by threads that yield to theirs.
//!
//! To read a body of some megabytes, and to find out what it says, takes the time of hundreds of ordinary requests, in one
//! piece. A runtime of its own has as many threads as there are cores but one, at a lower priority.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::available_parallelism;

use axum::extract::Request;
use http::Response;
use http::header::CONTENT_LENGTH;
use http_body::Body as _;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tower::Service;
use tracing::Instrument as _;

/// The bytes of a body that is not long: what is done for it takes less than a millisecond.
const SHORT: u64 = 64 << 10;

/// The threads of long bodies.
#[derive(Debug, Clone)]
pub(super) struct LongBodies(Arc<Threads>);

/// `None` when it has ended.
#[derive(Debug)]
struct Threads(Option<Runtime>);

impl Drop for Threads {
    /// Ends the runtime in the background: one that is dropped by a task of another one must not wait for its threads.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl LongBodies {
    pub(super) fn begin() -> io::Result<Self> {
        let cores = available_parallelism().map_or(1, NonZeroUsize::get);
        let runtime = Builder::new_multi_thread()
            .worker_threads(cores.saturating_sub(1).max(1))
            .thread_name("long-bodies")
            .on_thread_start(yield_to_others)
            .enable_all()
            .build()?;
        Ok(Self(Arc::new(Threads(Some(runtime)))))
    }

    /// Runs a future on these threads; it ends when nobody waits for it.
    async fn run<T: Send + 'static>(self, future: impl Future<Output = T> + Send + 'static) -> T {
        let mut task = JoinSet::new();
        if let Some(runtime) = &self.0.0 {
            task.spawn_on(future, runtime.handle());
        }
        match task.join_next().await {
            Some(Ok(outcome)) => outcome,
            Some(Err(error)) if error.is_panic() => resume_unwind(error.into_panic()),
            // The threads are there for as long as `self` is: this does not happen, and nobody waits if it does.
            Some(Err(_)) | None => pending().await,
        }
    }
}

/// Has requests with long bodies answered by the threads for these.
#[derive(Debug, Clone)]
pub(super) struct Beside<S> {
    pub(super) service: S,
    pub(super) threads: LongBodies,
}

impl<S, B> Service<Request> for Beside<S>
where
    S: Service<Request, Response = Response<B>, Error = Infallible>,
    S::Future: Send + 'static,
    B: Send + 'static,
{
    type Response = Response<B>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let is_long = is_long(&request);
        let answer = self.service.call(request);
        match is_long {
            true => Box::pin(self.threads.clone().run(answer.in_current_span())),
            false => Box::pin(answer),
        }
    }
}

/// Returns whether a request may have a long body: one that does not say how long it is may have one.
fn is_long(request: &Request) -> bool {
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    let shortest = if request.body().is_end_stream() {
        0
    } else {
        u64::MAX
    };
    length.unwrap_or(shortest) > SHORT
}

/// The priority of a thread is lower by so much, as `nice` counts it: of a core that others want, it gets about a tenth.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Lowers the priority of this thread. Only Linux has priorities for single threads.
fn yield_to_others() {
    #[cfg(target_os = "linux")]
    {
        _ = rustix::process::nice(NICENESS);
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, Bytes};
    use http_body::Frame;

    use super::*;

    /// A body that does not say how long it is.
    struct Unknown;

    impl http_body::Body for Unknown {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(None)
        }
    }

    /// Issue 9: what takes long to read holds up no thread that answers others; who does not say how long its body is may
    /// send a long one.
    #[tokio::test]
    async fn long_bodies_have_threads_of_their_own() {
        let name = || std::thread::current().name().unwrap_or_default().to_owned();
        let inner = tower::service_fn(move |_: Request| async move { Ok(Response::new(name())) });
        let mut service = Beside {
            service: inner,
            threads: LongBodies::begin().unwrap(),
        };
        for (length, body, is_long) in [
            (None, Body::empty(), false),
            (None, Body::new(Unknown), true),
            (Some("65536"), Body::from("x"), false),
            (Some("65537"), Body::from("x"), true),
            (Some("99999999999999999999"), Body::from("x"), true),
        ] {
            let mut request = Request::new(body);
            if let Some(length) = length {
                request
                    .headers_mut()
                    .insert(CONTENT_LENGTH, length.parse().unwrap());
            }
            let Ok(answer) = service.call(request).await;
            assert_eq!(answer.body() == "long-bodies", is_long, "{length:?}");
        }
    }
}
