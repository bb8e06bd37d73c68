//! The traces of identity providers against a service in an axum router, over the store in memory: what a provider
//! meets, without the provisioning server around it.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use axum::Extension;
use http::StatusCode;
use http::request::Parts;
use scim::resources::{Group, User};
use scim::service::ScimService;
use scim::store::{HasTenant, Memory};
use scim_axum::{BearerLayer, Credentials, Verify, extract, mount};
use scim_tests::http::Client;
use scim_tests::replay::{Trace, replay};
use scim_tests::{Failure, check};

const TOKEN: &str = "a-token-of-the-test";

/// The one client that is let in.
#[derive(Clone)]
struct Tester;

struct OneToken;

impl Verify for OneToken {
    type Principal = Tester;

    async fn verify(&self, credentials: &Credentials, _: &mut Parts) -> scim::Result<Tester> {
        match credentials.token_or_bare()? {
            TOKEN => Ok(Tester),
            _ => Err(scim::Error::new(
                StatusCode::UNAUTHORIZED,
                "The token is not known.",
            )),
        }
    }
}

/// The context: who asks, and which tenant the path names.
#[derive(Debug)]
struct Context(String);

impl HasTenant for Context {
    fn tenant(&self) -> &str {
        &self.0
    }
}

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Context {
    type Rejection = axum::response::Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        use axum::response::IntoResponse;
        let Extension(Tester) = Extension::from_request_parts(parts, state)
            .await
            .map_err(IntoResponse::into_response)?;
        let axum::extract::Path(tenant) = axum::extract::Path::from_request_parts(parts, state)
            .await
            .map_err(IntoResponse::into_response)?;
        Ok(Self(tenant))
    }
}

/// A server on a port of its own, which ends with the runtime.
struct Served {
    base_url: String,
    _runtime: tokio::runtime::Runtime,
}

fn serve(tenant: &str) -> Result<Served, Failure> {
    let failure = |error: &dyn std::fmt::Display| Failure::new(error.to_string());
    let store = Arc::new(Memory::new().link(Group::paths().members(), User::paths().groups()));
    let service = ScimService::builder(extract::<Context>())
        .resource::<User, _>(store.clone())
        .resource::<Group, _>(store)
        .build()
        .map_err(|error| failure(&error))?;
    let app = mount("/scim/{tenant}/v2", service).layer(BearerLayer::new(OneToken));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| failure(&error))?;
    listener.set_nonblocking(true).map_err(|error| failure(&error))?;
    let address = listener.local_addr().map_err(|error| failure(&error))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| failure(&error))?;
    runtime.spawn(async move {
        if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
            _ = axum::serve(listener, app).await;
        }
    });
    Ok(Served {
        base_url: format!("http://{address}/scim/{tenant}/v2"),
        _runtime: runtime,
    })
}

fn play(name: &str) -> Result<(), Failure> {
    let trace: Trace = scim_tests::fixtures::read(&format!("traces/{name}.json"))?;
    let served = serve("acme")?;
    let mut client = Client::new(&served.base_url)?.with_token(TOKEN);
    let report = replay(&trace, &mut client, TOKEN)?;
    check(report.failed.is_empty(), || {
        let failed: Vec<_> = report.failed.iter().map(ToString::to_string).collect();
        format!("{} checks failed\n{}", failed.len(), failed.join("\n"))
    })?;
    check(report.passed > 0, || format!("{name}: no check held"))?;
    Ok(())
}

#[test]
fn every_trace_passes() -> Result<(), Failure> {
    let mut failures = Vec::new();
    for name in scim_tests::fixtures::names("traces")? {
        if let Err(failure) = play(&name) {
            failures.push(format!("{name}: {failure}"));
        }
    }
    check(failures.is_empty(), || failures.join("\n"))
}
