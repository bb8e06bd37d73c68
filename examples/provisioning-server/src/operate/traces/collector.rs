//! The HTTP client that carries batches of spans to a collector.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry_http::{HttpClient, HttpError};
use rustls::crypto::ring;
use tokio::runtime::Handle;
use url::Url;

use crate::domain::fault::{Fault, Result};

/// How often the log says that the collector is away.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// How much of an answer is read. It says how many spans were rejected, or nothing.
const ANSWER_MAX: usize = 64 * 1024;

type Pool = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// A collector. Batches are made up on a thread of their own; the exchange runs among the server's tasks.
#[derive(Debug)]
pub(super) struct Collector {
    pool: Pool,
    tasks: Handle,
    patience: Duration,
    trouble: Mutex<Trouble>,
}

/// Whether the collector is away, and since when the log says so.
#[derive(Debug, Default)]
struct Trouble {
    is_away: bool,
    said: Option<Instant>,
}

impl Collector {
    /// Makes the collector at a URL; an answer may take as long as `patience`.
    pub(super) fn new(url: &Url, patience: Duration) -> Result<Self> {
        let builder = HttpsConnectorBuilder::new();
        // The machine's certificates are only needed, and may only be missing, where TLS is spoken.
        let connector = if url.scheme() == "https" {
            let cause = "The certificates that this machine trusts cannot be read, so that no collector of traces can be \
                         reached with https: install them (Debian: apt-get install ca-certificates), or name a file \
                         with SSL_CERT_FILE.";
            builder
                .with_provider_and_native_roots(ring::default_provider())
                .map_err(|error| Fault::internal(cause, error))?
        } else {
            let nobody = rustls::ClientConfig::builder_with_provider(ring::default_provider().into())
                .with_safe_default_protocol_versions()
                .map_err(|error| Fault::internal("TLS cannot be set up.", error))?
                .with_root_certificates(rustls::RootCertStore::empty())
                .with_no_client_auth();
            builder.with_tls_config(nobody)
        };
        Ok(Self {
            pool: Client::builder(TokioExecutor::new())
                .build(connector.https_or_http().enable_http1().build()),
            tasks: Handle::current(),
            patience,
            trouble: Mutex::default(),
        })
    }

    /// Tells the operator that the collector is away, now and then, and that it is back.
    fn tell(&self, outcome: &Result<Response<Bytes>, HttpError>) {
        let why = match outcome {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("it answers with status {}", answer.status().as_u16())),
            Err(error) => Some(with_causes(error.as_ref())),
        };
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let was_away = std::mem::replace(&mut trouble.is_away, why.is_some());
        match why {
            Some(why) if trouble.said.is_none_or(|said| said.elapsed() >= COMPLAIN_EVERY) => {
                trouble.said = Some(Instant::now());
                tracing::warn!("The collector does not take traces: {why}.");
            }
            None if was_away => tracing::info!("The collector takes traces again."),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let exchange = exchange(self.pool.clone(), request);
        let patience = self.patience;
        let timed = self.tasks.spawn(async move {
            tokio::time::timeout(patience, exchange)
                .await
                .unwrap_or_else(|_| Err(format!("it took longer than {} ms", patience.as_millis()).into()))
        });
        let outcome = timed.await.unwrap_or_else(|error| Err(error.into()));
        self.tell(&outcome);
        outcome
    }
}

async fn exchange(pool: Pool, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let (head, body) = pool.request(request.map(Full::new)).await?.into_parts();
    let body = Limited::new(body, ANSWER_MAX).collect().await?.to_bytes();
    Ok(Response::from_parts(head, body))
}

fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
