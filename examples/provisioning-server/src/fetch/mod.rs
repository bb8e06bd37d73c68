//! Fetching from URLs that administrators have entered.
//!
//! A server inside a network could be led to what only its neighbours may reach. So a name is resolved once, every address
//! that it leads to is looked at, and the connection goes to one of these and no other; redirects are not followed; and of
//! an answer nothing is told but its status. Only the operator's configuration opens private networks.

use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http::header::{ACCEPT, USER_AGENT};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring;
use tower::Service;
use url::{Host, Url};

use crate::domain::fault::{Fault, Remedy, Result};
use crate::domain::network::{Networks, is_public};

/// How long an answer may take, to its last byte.
const PATIENCE: Duration = Duration::from_secs(10);

/// Fetches from the public internet, and from the networks that the operator has opened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fetcher {
    opened: Networks,
}

impl Fetcher {
    /// Creates one that reaches these networks, too.
    pub(crate) const fn new(opened: Networks) -> Self {
        Self { opened }
    }

    /// Returns the content at a URL, of at most so many bytes.
    ///
    /// # Errors
    /// Invalid for a URL that is not one to fetch from, or leads to where nobody may be sent; conflict if the answer is not
    /// a good one.
    pub(crate) async fn get(&self, url: &str, most: usize) -> Result<Bytes> {
        let url = self.checked(url)?;
        let fetching = tokio::time::timeout(PATIENCE, self.fetch(&url, most));
        fetching.await.unwrap_or_else(|_| {
            Err(unreachable_at(
                &url,
                &format!("there is no answer within {} seconds", PATIENCE.as_secs()),
            ))
        })
    }

    /// Checks a URL before its name is resolved.
    fn checked(&self, text: &str) -> Result<Url> {
        let refuse = |why: &str| Fault::invalid(format!("{text:?} is not a valid URL to fetch from: {why}."));
        let url = Url::parse(text.trim()).map_err(|_| refuse("expected an https URL"))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(refuse("expected an https URL"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("it has a user name or password"));
        }
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::from(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::from(address)),
            Some(Host::Domain(_)) => None,
            None => return Err(refuse("it names no host")),
        };
        let gate = self.gate(&url);
        match literal {
            Some(address) if !gate.lets_through(address) => Err(not_reached(&url, gate.refusal(address))),
            _ => Ok(url),
        }
    }

    fn gate(&self, url: &Url) -> Gate {
        Gate {
            opened: self.opened.clone(),
            is_encrypted: url.scheme() == "https",
        }
    }

    async fn fetch(&self, url: &Url, most: usize) -> Result<Bytes> {
        let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build(self.connector(url)?);
        let uri: Uri = url
            .as_str()
            .parse()
            .map_err(|_| Fault::invalid(format!("{:?} is not a valid URL to fetch from.", url.as_str())))?;
        let request = Request::get(uri)
            .header(ACCEPT, "*/*")
            .header(USER_AGENT, env!("CARGO_PKG_NAME"))
            .body(Body::empty())
            .map_err(|cause| Fault::internal("A request could not be made.", cause))?;
        let answer = client
            .request(request)
            .await
            .map_err(|error| no_answer(url, error))?;
        demand_success(url, answer.status())?;
        let body = Limited::new(answer.into_body(), most).collect().await;
        body.map(http_body_util::Collected::to_bytes).map_err(|_| {
            unreachable_at(
                url,
                &format!("its answer is longer than {most} bytes, or ends too early"),
            )
        })
    }

    fn connector(&self, url: &Url) -> Result<HttpsConnector<HttpConnector<Gate>>> {
        let gate = self.gate(url);
        let is_encrypted = gate.is_encrypted;
        let mut tcp = HttpConnector::new_with_resolver(gate);
        tcp.enforce_http(false);
        let builder = HttpsConnectorBuilder::new();
        let failed = "The certificates that this machine trusts cannot be read: install them (Debian: apt-get install \
                      ca-certificates), or name a file with SSL_CERT_FILE.";
        let builder = match is_encrypted {
            true => builder
                .with_provider_and_native_roots(ring::default_provider())
                .map_err(|cause| Fault::internal(failed, cause))?,
            false => {
                let nobody = rustls::ClientConfig::builder_with_provider(ring::default_provider().into())
                    .with_safe_default_protocol_versions()
                    .map_err(|cause| Fault::internal("TLS cannot be set up.", cause))?
                    .with_root_certificates(rustls::RootCertStore::empty())
                    .with_no_client_auth();
                builder.with_tls_config(nobody)
            }
        };
        Ok(builder.https_or_http().enable_http1().wrap_connector(tcp))
    }
}

fn demand_success(url: &Url, status: StatusCode) -> Result<()> {
    if status == StatusCode::OK {
        return Ok(());
    }
    let what = match status.is_redirection() {
        true => "which leads elsewhere: give the URL at its end",
        false => "and not 200",
    };
    Err(unreachable_at(
        url,
        &format!("it answers with status {}, {what}", status.as_u16()),
    ))
}

fn no_answer(url: &Url, error: hyper_util::client::legacy::Error) -> Fault {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(found) = cause {
        if let Some(refusal) = found.downcast_ref::<Refused>() {
            return not_reached(url, *refusal);
        }
        cause = found.source();
    }
    Fault::internal(format!("There is no answer from {url}."), error)
}

fn unreachable_at(url: &Url, why: &str) -> Fault {
    Fault::conflict(format!("Nothing can be fetched from {url}: {why}."))
}

fn not_reached(url: &Url, refusal: Refused) -> Fault {
    let fault = Fault::invalid(format!("Nothing is fetched from {url}, {refusal}"));
    fault.mended_by(refusal.remedy())
}

/// Resolves names, and lets only addresses through to which somebody may be sent.
#[derive(Debug, Clone)]
struct Gate {
    opened: Networks,
    /// Without encryption, only networks that the operator has opened are reached.
    is_encrypted: bool,
}

/// Why an address is not connected to.
#[derive(Debug, Clone, Copy)]
enum Refused {
    Private,
    NotEncrypted,
}

impl Display for Refused {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Private => "whose address is not one of the public internet",
            Self::NotEncrypted => "which is not encrypted",
        })
    }
}

impl std::error::Error for Refused {}

impl Refused {
    const fn remedy(self) -> Remedy {
        match self {
            Self::Private => Remedy {
                page: "ask whoever runs the server to open that network.",
                command: "the operator can open private networks with --fetch-from.",
            },
            Self::NotEncrypted => Remedy {
                page: "expected https.",
                command: "expected https.",
            },
        }
    }
}

impl Gate {
    fn lets_through(&self, address: IpAddr) -> bool {
        self.opened.contain(address) || (self.is_encrypted && is_public(address))
    }

    fn refusal(&self, address: IpAddr) -> Refused {
        match is_public(address) {
            true => Refused::NotEncrypted,
            false => Refused::Private,
        }
    }

    /// Lets all addresses of a name through, or none: one that also leads inside is a trick.
    fn pass(&self, found: Vec<SocketAddr>) -> Result<std::vec::IntoIter<SocketAddr>, Refused> {
        match found.iter().find(|address| !self.lets_through(address.ip())) {
            Some(address) => Err(self.refusal(address.ip())),
            None => Ok(found.into_iter()),
        }
    }
}

impl Service<Name> for Gate {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let gate = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(gate.pass(found.collect())?)
        })
    }
}

#[cfg(test)]
mod tests;
