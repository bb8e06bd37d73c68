//! Connections: accepted, over TLS if there is a certificate, answered, and ended in good order.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::answering::Answering;
use super::lingering::Lingering;
use super::open::{Open, Place};
use super::peer::Peer;
use super::process;

/// How long requests under way may take once the server is asked to end.
pub(crate) const DRAIN: Duration = Duration::from_secs(20);

/// How long a client may take for the handshake of TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long a client may take until it has sent the head of its next request. Load balancers keep idle connections for
/// 60 seconds, and must be the first to let go.
const HEAD: Duration = Duration::from_secs(75);

/// How long a connection without requests may take to end when it is asked to.
const GOODBYE: Duration = Duration::from_secs(1);

/// How many bytes the head of a request may have, and how much of a body that nobody reads yet is taken off the network.
const HEAD_BYTES: usize = 128 << 10;

/// Requests that one connection of HTTP/2 may have under way.
const STREAMS: u32 = 100;

/// How much of the body of a request of HTTP/2 may come before somebody reads it, and of all of a connection.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;

/// Streams that a client may begin and reset before they are looked at, and those of whose reset it is told, until the
/// connection ends (CVE-2023-44487, CVE-2025-8671).
const RESETS: usize = 20;
const RESETS_OF_OURS: usize = 256;

/// Files that are not connections of clients, and the connections beyond the bound.
const OTHER_FILES: u64 = 192;

/// The pause after a connection could not be accepted, mostly because too many files are open.
const BREATH: Duration = Duration::from_secs(1);

/// The first byte of every TLS connection: a record of the handshake (RFC 8446 section 5.1).
const HANDSHAKE_RECORD: u8 = 22;

/// The answer to a client that speaks HTTP where TLS is spoken.
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

/// The routes that are served: all of them, and those beyond the bound of connections.
#[derive(Debug, Clone)]
pub(crate) struct Apps {
    pub(crate) everything: Router,
    pub(crate) operator: Router,
}

/// Answers requests on at most so many connections until `ended` completes, and then those that are under way, for a
/// limited time.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<ServerConfig>,
    apps: Apps,
    most: usize,
    ended: impl Future<Output = ()>,
) {
    let tls = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
    let open = Open::new(most.min(most_connections()));
    let (end, ending) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut ended = pin!(ended);
    loop {
        tokio::select! {
            () = &mut ended => break,
            Some(_) = connections.join_next() => {}
            stream = accept(&listener) => {
                // Whoever is not let in can connect again: everybody is at work.
                let Some(place) = open.enter() else { continue };
                let app = if place.is_reserved { &apps.operator } else { &apps.everything };
                let connection = Connection {
                    app: app.clone(),
                    place: Arc::new(place),
                    peer: None,
                    ending: ending.clone(),
                };
                connections.spawn(connection.run(stream, tls.clone()));
            }
        }
    }
    drop(listener);
    tracing::info!("Ending: requests under way are still answered.");
    end.send_replace(true);
    let all = async { while connections.join_next().await.is_some() {} };
    if timeout(DRAIN, all).await.is_err() {
        tracing::warn!(
            "Some requests took longer than {} seconds and were cut off.",
            DRAIN.as_secs()
        );
    }
}

/// Returns how many connections the system allows, with files left for everything else.
fn most_connections() -> usize {
    let files = process::most_files().unwrap_or(u64::MAX);
    usize::try_from(files.saturating_sub(OTHER_FILES).max(1)).unwrap_or(usize::MAX)
}

/// Accepts the next connection. A failure is waited out: a server does not end for want of a file descriptor.
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

/// Returns whether the client has gone before it was accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// Performs the handshake of TLS; `None` if the client does not, or not in time.
async fn shake_hands(tls: TlsAcceptor, mut stream: Tcp) -> Option<TlsStream<Tcp>> {
    let handshake = async {
        let mut first = [0];
        if stream.get_ref().peek(&mut first).await? == 1 && first != [HANDSHAKE_RECORD] {
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
async fn refuse(stream: &mut Tcp) -> io::Result<()> {
    let mut head = [0; 8 << 10];
    _ = stream.read(&mut head).await?;
    stream.write_all(NO_TLS).await?;
    stream.shutdown().await
}

/// Returns the version of HTTP that client and server have agreed on (RFC 7301).
fn agreed(stream: &TlsStream<Tcp>) -> Version {
    match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => Version::Http2,
        _ => Version::Http1,
    }
}

type Tcp = Lingering<TcpStream>;

/// A connection that was accepted.
struct Connection {
    app: Router,
    place: Arc<Place>,
    peer: Option<Peer>,
    /// Whether the server is to end.
    ending: watch::Receiver<bool>,
}

impl Connection {
    /// Performs the handshake, if there is one to do, and answers requests. It is done beside the accepting, so that a silent
    /// client holds up nobody, and not waited for in the end.
    async fn run(mut self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        // A connection that has ended already has no address any more, and no request.
        self.peer = stream.peer_addr().ok().map(|peer| Peer(peer.ip()));
        let stream = Lingering::new(stream, Arc::clone(self.place.used()));
        let Some(tls) = tls else {
            return self.answer(stream, Version::Http1).await;
        };
        let stream = tokio::select! {
            stream = shake_hands(tls, stream) => stream,
            () = self.asked_to_end() => None,
        };
        if let Some(stream) = stream {
            let version = agreed(&stream);
            self.answer(stream, version).await;
        }
    }

    async fn asked_to_end(&mut self) {
        tokio::select! {
            () = self.place.ended() => {}
            _ = self.ending.wait_for(|ending| *ending) => {}
        }
    }

    /// Answers the requests until the client closes the connection, or it is asked to end and no request is under way.
    async fn answer(
        mut self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        version: Version,
    ) {
        let service = TowerToHyperService::new(Answering {
            app: self.app.clone(),
            place: Arc::clone(&self.place),
            peer: self.peer,
        });
        let builder = builder(version);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let outcome = tokio::select! {
            outcome = connection.as_mut() => Some(outcome),
            () = self.asked_to_end() => None,
        };
        let outcome = match outcome {
            Some(outcome) => outcome,
            None => loop {
                connection.as_mut().graceful_shutdown();
                match timeout(GOODBYE, connection.as_mut()).await {
                    Ok(outcome) => break outcome,
                    Err(_) if self.place.used().is_idle() => return,
                    Err(_) => {}
                }
            },
        };
        if let Err(error) = outcome {
            tracing::trace!("A connection ended early: {error}.");
        }
    }
}

/// Makes the builder that speaks a version of HTTP. The version is known: to look at the first bytes for it would wait
/// for a silent client without end.
fn builder(version: Version) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEAD)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD_BYTES as u32)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(RESETS_OF_OURS);
    match version {
        Version::Http1 => builder.http1_only(),
        Version::Http2 => builder.http2_only(),
    }
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
