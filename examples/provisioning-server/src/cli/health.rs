//! `health`: whether a server is ready, for those who have no curl, such as a container.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use axum::body::Bytes;
use clap::Args;
use http::{Request, Response, StatusCode};
use scim::client::{Exchange, over_https};
use serde_json::Value;

use super::documents::Healthy;
use super::output::Output;
use super::serve::{address, path, scheme};
use super::{Common, LISTEN, setting, trust};
use crate::domain::fault::{Fault, Result};
use crate::domain::public_url::PublicUrl;

/// How long the answer may take: the server's own patience with its database, and some.
const PATIENCE: Duration = Duration::from_secs(5);

/// An answer of more bytes is not the server's.
const LONGEST_ANSWER: usize = 64 << 10;

#[derive(Debug, Args)]
pub(super) struct Health {
    /// The URL of the server, such as `https://scim.example.com` [default: what "serve" with the same environment and
    /// configuration listens on, on this machine]
    #[arg(long, value_name = "URL", value_parser = PublicUrl::parse)]
    url: Option<PublicUrl>,
    /// A PEM file with the certificate of the authority to believe instead of the system's
    #[arg(long, value_name = "FILE", requires = "url")]
    ca: Option<PathBuf>,
}

impl Health {
    /// Succeeds if the server is ready.
    pub(super) async fn run(self, common: &Common, output: Output) -> Result<()> {
        let (base, trust) = match self.url {
            Some(url) => {
                let trust = trust::at(&url.to_string(), self.ca.as_deref())?;
                (url, trust)
            }
            None => (own_url(common)?, trust::whoever_answers()?),
        };
        let url = format!("{base}/readyz");
        let client =
            over_https(&base.to_string(), trust).map_err(|error| Fault::invalid(error.to_string()))?;
        let request = Request::get(&url)
            .body(Bytes::new().into())
            .map_err(|error| Fault::invalid(format!("{url} cannot be asked for: {error}.")))?;
        let answer = tokio::time::timeout(PATIENCE, client.service().exchange(request, LONGEST_ANSWER)).await;
        match answer {
            Ok(Ok(answer)) => judge(&answer, &url)?,
            Ok(Err(cause)) => return Err(no_answer(&url, cause)),
            Err(_) => {
                let seconds = PATIENCE.as_secs();
                return Err(Fault::conflict(format!(
                    "There is no answer from {url} within {seconds} seconds."
                )));
            }
        }
        let document = Healthy { url, status: "ready" };
        output.result(&document, |healthy| format!("{} says: ready", healthy.url));
        Ok(())
    }
}

/// Returns the URL at which a server that is started like this command listens.
fn own_url(common: &Common) -> Result<PublicUrl> {
    let mut settings = common.settings()?;
    let listen = settings.or_default(&setting::LISTEN, None, LISTEN, address)?;
    let certificate = settings.optional(&setting::TLS_CERT, None, path)?;
    Ok(PublicUrl::of_listener(scheme(certificate.is_some()), listen))
}

fn no_answer(url: &str, cause: Box<dyn Error + Send + Sync>) -> Fault {
    let fault = Fault::internal(format!("There is no answer from {url}."), cause);
    match trust::advice(&fault.with_causes()) {
        "" => fault,
        advice => Fault::internal(format!("There is no answer from {url}.{advice}"), fault),
    }
}

fn judge(answer: &Response<Bytes>, url: &str) -> Result<()> {
    if answer.status() == StatusCode::OK {
        return Ok(());
    }
    let document: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let status = answer.status().as_u16();
    Err(Fault::conflict(
        match document.get("reason").and_then(Value::as_str) {
            Some(reason) => format!("The server is not ready: {url} answers {status}, {reason}."),
            None => format!("The server is not ready: {url} answers {status}."),
        },
    ))
}
