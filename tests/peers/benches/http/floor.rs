//! The floor: an axum handler that checks the token and hands out bytes that it already has.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, RwLock};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::any;
use bytes::Bytes;
use scim_tests::Failure;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

/// A running floor; it ends when dropped.
pub(super) struct Floor {
    state: Arc<Shared>,
    address: SocketAddr,
    _runtime: Runtime,
}

struct Shared {
    /// The owners of tokens, by the hash of the token.
    tokens: HashMap<[u8; 32], u64>,
    answer: RwLock<(StatusCode, Bytes)>,
}

impl Floor {
    /// Listens on a free port, on as many threads as the machine has cores.
    pub(super) fn start(token: &str) -> Result<Self, Failure> {
        let runtime = Builder::new_multi_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let state = Arc::new(Shared {
            tokens: HashMap::from([(Sha256::digest(token).into(), 1)]),
            answer: RwLock::new((StatusCode::NO_CONTENT, Bytes::new())),
        });
        let router = Router::new()
            .route("/{*path}", any(answer))
            .with_state(Arc::clone(&state));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self {
            state,
            address,
            _runtime: runtime,
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers every request with this from now on.
    pub(super) fn serve(&self, status: u16, body: Vec<u8>) -> Result<(), Failure> {
        let status = StatusCode::from_u16(status).map_err(|e| Failure::new(e.to_string()))?;
        let answer = self.state.answer.write();
        *answer.map_err(|e| Failure::new(e.to_string()))? = (status, body.into());
        Ok(())
    }
}

/// Takes the whole body first, as a server has to that does something with it.
async fn answer(State(state): State<Arc<Shared>>, headers: HeaderMap, _body: Bytes) -> impl IntoResponse {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let known = token.is_some_and(|token| {
        let hash: [u8; 32] = Sha256::digest(token).into();
        state.tokens.contains_key(&hash)
    });
    let (status, body) = match state.answer.read() {
        Ok(answer) if known => answer.clone(),
        _ => (StatusCode::UNAUTHORIZED, Bytes::new()),
    };
    (status, [(header::CONTENT_TYPE, "application/scim+json")], body)
}
