//! The library alone: people and groups in memory, mounted by `scim-axum` behind its bearer layer.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use http::StatusCode;
use http::request::Parts;
use scim::Error;
use scim::resources::{Group, User};
use scim::service::ScimService;
use scim::store::Memory;
use scim_axum::{BearerLayer, Credentials, Verify, mount, principal};
use scim_tests::Failure;
use scim_tests::server::Organization;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tower::Layer as _;

/// The path below which the library is mounted.
const PREFIX: &str = "/scim/v2";

/// A running endpoint; it ends when dropped.
pub(super) struct Library {
    address: SocketAddr,
    token: String,
    _runtime: Runtime,
}

impl Library {
    /// Listens on a free port, on as many threads as the machine has cores.
    pub(super) fn start(token: &str) -> Result<Self, Failure> {
        let runtime = Builder::new_multi_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let store = Memory::new().link(Group::paths().members(), User::paths().groups());
        let store = Arc::new(store.single_tenant());
        let service = ScimService::<u64>::builder(principal())
            .resource::<User, _>(Arc::clone(&store))
            .resource::<Group, _>(store)
            .build()
            .map_err(|error| Failure::new(error.to_string()))?;
        let tokens = Tokens(HashMap::from([(Sha256::digest(token).into(), 1)]));
        let router = mount(PREFIX, BearerLayer::new(tokens).layer(service));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self {
            address,
            token: token.to_owned(),
            _runtime: runtime,
        })
    }

    /// Returns the endpoint as an organization of a server.
    pub(super) fn organization(&self) -> Organization {
        Organization {
            organization: "library".to_owned(),
            scim_url: format!("http://{}{PREFIX}", self.address),
            token: self.token.clone(),
        }
    }
}

/// The owners of tokens, by the hash of the token.
struct Tokens(HashMap<[u8; 32], u64>);

impl Verify for Tokens {
    type Principal = u64;

    async fn verify(&self, credentials: &Credentials, _: &mut Parts) -> scim::Result<u64> {
        let hash: [u8; 32] = Sha256::digest(credentials.token()?).into();
        let known = self.0.get(&hash).copied();
        known.ok_or_else(|| Error::new(StatusCode::UNAUTHORIZED, "The token is not known."))
    }
}
