//! Connections: accepted, over TLS if there is a certificate, answered, and ended in good order.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long requests under way may take once the server is asked to end.
pub(crate) const DRAIN: Duration = Duration::from_secs(20);

/// How long a client may take for the handshake of TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long a client may take until it has sent the head of its next request. Load balancers keep idle connections for
/// 60 seconds, and must be the first to let go.
const HEAD: Duration = Duration::from_secs(75);

/// The pause after a connection could not be accepted, mostly because too many files are open.
const BREATH: Duration = Duration::from_secs(1);

/// The first byte of every TLS connection: a record of the handshake (RFC 8446 section 5.1).
const HANDSHAKE_RECORD: u8 = 22;

/// What a client gets that speaks HTTP where TLS is spoken.
const NO_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\
    content-type: text/plain; charset=utf-8\r\n\
    content-length: 61\r\n\
    connection: close\r\n\r\n\
    This server speaks HTTPS here: use https:// instead of http.\n";

#[derive(Debug, Clone, Copy)]
enum Version {
    Http1,
    Http2,
}

/// Answers requests until `ended` completes, and then those that are under way, for a limited time.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<ServerConfig>,
    app: Router,
    ended: impl Future<Output = ()>,
) {
    let tls = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
    let connections = GracefulShutdown::new();
    // Handshakes are not waited for, neither by other clients nor in the end.
    let mut handshakes = JoinSet::new();
    let mut ended = pin!(ended);
    loop {
        tokio::select! {
            () = &mut ended => break,
            Some(done) = handshakes.join_next() => {
                if let Ok(Some(stream)) = done {
                    let version = agreed(&stream);
                    answer(stream, version, &app, &connections);
                }
            }
            stream = accept(&listener) => match &tls {
                Some(tls) => _ = handshakes.spawn(shake_hands(tls.clone(), stream)),
                None => answer(stream, Version::Http1, &app, &connections),
            },
        }
    }
    drop((listener, handshakes));
    tracing::info!("Ending: requests under way are still answered.");
    if timeout(DRAIN, connections.shutdown()).await.is_err() {
        tracing::warn!(
            "Some requests took longer than {} seconds and were cut off.",
            DRAIN.as_secs()
        );
    }
}

/// The next connection. What fails is waited out: a server does not end for want of a file descriptor.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Small answers should not wait for more to fill a packet.
                _ = stream.set_nodelay(true);
                return stream;
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!("A connection cannot be accepted: {error}.");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

/// Whether the client has gone before it was accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// Does the handshake of TLS; `None` if the client does not, or not in time.
async fn shake_hands(tls: TlsAcceptor, mut stream: TcpStream) -> Option<TlsStream<TcpStream>> {
    let handshake = async {
        let mut first = [0];
        if stream.peek(&mut first).await? == 1 && first != [HANDSHAKE_RECORD] {
            return refuse(&mut stream).await.map(|()| None);
        }
        tls.accept(stream).await.map(Some)
    };
    match timeout(HANDSHAKE, handshake).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::debug!("A client did not get through the handshake of TLS: {error}.");
            None
        }
        Err(_) => {
            tracing::debug!("A client took too long for the handshake of TLS.");
            None
        }
    }
}

/// Tells a client in its own words that it must speak TLS.
async fn refuse(stream: &mut TcpStream) -> io::Result<()> {
    // What is not read when a connection is closed makes the answer get lost.
    let mut head = [0; 8 << 10];
    _ = stream.read(&mut head).await?;
    stream.write_all(NO_TLS).await?;
    stream.shutdown().await
}

/// The version of HTTP that client and server have agreed on (RFC 7301).
fn agreed(stream: &TlsStream<TcpStream>) -> Version {
    match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => Version::Http2,
        _ => Version::Http1,
    }
}

/// Answers the requests of one connection, in a task of its own.
fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    version: Version,
    app: &Router,
    connections: &GracefulShutdown,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(HEAD);
    // The version is known. To look at the first bytes for it would wait for a silent client without end.
    let builder = match version {
        Version::Http1 => builder.http1_only(),
        Version::Http2 => builder.http2_only(),
    };
    let service = TowerToHyperService::new(app.clone());
    let connection = builder
        .serve_connection(TokioIo::new(stream), service)
        .into_owned();
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::trace!("A connection ended early: {error}.");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9112 section 6.3: a client reads as much as the length says.
    #[test]
    fn the_answer_to_http_is_as_long_as_it_says() {
        let text = str::from_utf8(NO_TLS).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let length = format!("content-length: {}", body.len());
        assert!(head.lines().any(|line| line == length), "{length}\n{text}");
    }
}
