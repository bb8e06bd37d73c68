//! The client over HTTP/1.1.

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::client::{Client, Result};

/// Connections over TCP without TLS, pooled per server.
pub type Http1 = Pool<HttpConnector, Full<Bytes>>;

/// Makes a client over HTTP/1.1 without TLS, which waits with tokio's timer; for loopback, and for what stands behind a
/// proxy. With TLS there is `over_https`, of the feature `client-tls`.
///
/// # Errors
/// [`Error::Request`](crate::client::Error::Request) if `base` is no URL.
///
/// ```no_run
/// # async fn count() -> Result<(), scim::client::Error> {
/// use scim::resources::User;
///
/// let client = scim::client::over_http("http://127.0.0.1:8080/scim/v2")?.with_bearer_token("secret")?;
/// let active = User::paths().active().eq(true);
/// println!("{} people can sign in", client.list::<User>().filter(active).total().await?);
/// # Ok(())
/// # }
/// ```
pub fn over_http(base: &str) -> Result<Client<Http1>> {
    let pool = Pool::builder(TokioExecutor::new()).build(connector());
    Ok(Client::new(pool, base)?.with_sleep(tokio::time::sleep))
}

pub(super) fn connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    // Small requests should not wait for more to fill a packet.
    connector.set_nodelay(true);
    connector
}
