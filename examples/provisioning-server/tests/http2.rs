//! The bounds of HTTP/2 (RFC 9113), which the server speaks over TLS: streams, resets, heads, and bodies that do not come.
//!
//! A client of the crate `h2` does what clients may do; frames that are written by hand do the rest.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use h2::{Reason, SendStream};
use http::{Method, Request, StatusCode};
use program::authority::Authority;
use program::{Place, Server};
use rustls::pki_types::ServerName;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Longer than any test takes: what waits for this long has failed.
const GENEROUS: Duration = Duration::from_secs(60);

/// A place with the organization "acme" and its token, and a server of it.
struct Bench {
    server: Server,
    token: String,
    authority: Authority,
    _place: Place,
}

impl Bench {
    fn new(flags: &[&str]) -> Self {
        let place = Place::new();
        let made = place.json(&["org", "create", "acme", "--username", "any"]);
        let authority = Authority::new();
        let pair = authority.issue().write(&place);
        let pair: Vec<_> = pair.iter().map(String::as_str).collect();
        Self {
            server: place.serve(&[&pair, flags].concat()),
            token: made["token"].as_str().unwrap().to_owned(),
            authority,
            _place: place,
        }
    }

    async fn connect(&self) -> TlsStream<TcpStream> {
        let config = self.authority.client(&["h2"], rustls::DEFAULT_VERSIONS);
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TcpStream::connect(self.server.address()).await.unwrap();
        TlsConnector::from(config).connect(name, stream).await.unwrap()
    }

    /// Makes a client that keeps to the protocol.
    async fn client(&self) -> SendRequest<Bytes> {
        let (client, connection) = h2::client::handshake(self.connect().await).await.unwrap();
        tokio::spawn(connection);
        client
    }

    fn request(&self, method: Method, path: &str) -> Request<()> {
        Request::builder()
            .method(method)
            .uri(format!("https://localhost/scim/acme/v2{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/scim+json")
            .body(())
            .unwrap()
    }

    /// Returns whether a client on another connection is answered.
    async fn serves(&self) -> bool {
        let mut client = self.client().await;
        self.gets(&mut client).await
    }

    async fn gets(&self, client: &mut SendRequest<Bytes>) -> bool {
        let request = self.request(Method::GET, "/ServiceProviderConfig");
        let (answer, _) = client.send_request(request, true).unwrap();
        timeout(GENEROUS, answer).await.unwrap().unwrap().status() == StatusCode::OK
    }
}

fn person() -> Bytes {
    let person = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "bob" });
    person.to_string().into()
}

async fn send(body: &mut SendStream<Bytes>, bytes: Bytes, is_last: bool) {
    body.send_data(bytes, is_last).unwrap();
    tokio::task::yield_now().await;
}

/// F4: while a body trickles on one stream, others of the same connection are answered, and so is it in the end.
#[tokio::test]
async fn a_body_that_trickles_holds_up_no_other_stream() {
    let bench = Bench::new(&[]);
    let mut client = bench.client().await;
    let (answer, mut body) = client
        .send_request(bench.request(Method::POST, "/Users"), false)
        .unwrap();
    let person = person();
    for at in 0..person.len() {
        send(&mut body, person.slice(at..=at), at + 1 == person.len()).await;
        if at % 10 == 0 && at + 1 < person.len() {
            assert!(bench.gets(&mut client).await);
        }
    }
    assert_eq!(timeout(GENEROUS, answer).await.unwrap().unwrap().status(), 201);
}

/// F4: a body that does not come is 408, and the connection serves its other streams.
#[tokio::test]
async fn a_body_that_does_not_come_ends_its_stream_alone() {
    let bench = Bench::new(&["--limit-body-time", "1s"]);
    let mut client = bench.client().await;
    let (answer, mut body) = client
        .send_request(bench.request(Method::POST, "/Users"), false)
        .unwrap();
    send(&mut body, Bytes::from_static(b"{"), false).await;
    assert_eq!(timeout(GENEROUS, answer).await.unwrap().unwrap().status(), 408);
    assert!(bench.gets(&mut client).await);
}

/// RFC 9113 section 10.5.1: a head that is too large is 431, and the connection serves its other streams.
#[tokio::test]
async fn a_head_that_is_too_large_is_431() {
    let bench = Bench::new(&[]);
    let mut client = bench.client().await;
    let mut request = bench.request(Method::GET, "/Users");
    for number in 0..20 {
        let name: http::HeaderName = format!("x-{number}").parse().unwrap();
        request
            .headers_mut()
            .insert(name, "x".repeat(8 << 10).parse().unwrap());
    }
    let (answer, _) = client.send_request(request, true).unwrap();
    assert_eq!(timeout(GENEROUS, answer).await.unwrap().unwrap().status(), 431);
    assert!(bench.gets(&mut client).await);
}

/// The kinds of frames that are written or looked for (RFC 9113 section 6).
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const LARGEST_WINDOW: [u8; 4] = (u32::MAX >> 1).to_be_bytes();

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Encodes a text without Huffman codes (RFC 7541 section 5.2), shorter than what a byte can say.
fn text(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    assert!(length < 127);
    [&[length], text.as_bytes()].concat()
}

/// A connection on which a test says what it likes.
struct Wire(TlsStream<TcpStream>);

/// The reasons that end a stream, or all of them.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Reset(u32, Reason),
    Connection(Reason),
    /// The connection is closed without a word.
    Silent,
}

impl Wire {
    async fn to(bench: &Bench) -> Self {
        let mut wire = Self(bench.connect().await);
        let settings = frame(SETTINGS, 0, 0, &[]);
        wire.send(&[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &*settings].concat())
            .await;
        wire
    }

    /// Sends what the server still takes.
    async fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).await.is_ok() && self.0.flush().await.is_ok()
    }

    /// Encodes the head of a POST to "acme", as literals that are not indexed (RFC 7541 section 6.2.2).
    fn head(bench: &Bench) -> Vec<u8> {
        let bearer = format!("Bearer {}", bench.token);
        let fields = [
            (":method", "POST"),
            (":scheme", "https"),
            (":authority", "localhost"),
            (":path", "/scim/acme/v2/Users"),
            ("content-type", "application/scim+json"),
            ("authorization", &bearer),
        ];
        fields
            .iter()
            .flat_map(|(name, value)| [vec![0], text(name), text(value)].concat())
            .collect()
    }

    /// Reads until a stream ends otherwise than by an answer, or the connection does.
    async fn end(&mut self) -> End {
        timeout(GENEROUS, async {
            loop {
                let mut head = [0; 9];
                if self.0.read_exact(&mut head).await.is_err() {
                    return End::Silent;
                }
                let number = |bytes: &[u8]| bytes.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
                let mut payload = vec![0; usize::try_from(number(&head[..3])).unwrap()];
                if self.0.read_exact(&mut payload).await.is_err() {
                    return End::Silent;
                }
                match head[3] {
                    RST_STREAM => return End::Reset(number(&head[5..]), number(&payload).into()),
                    GOAWAY => return End::Connection(number(&payload[4..8]).into()),
                    _ => {}
                }
            }
        })
        .await
        .unwrap()
    }
}

/// RFC 9113 section 5.1.2: of streams that never end, a connection has a hundred; the next is refused, and what there is
/// goes on.
#[tokio::test]
async fn streams_beyond_the_bound_are_refused() {
    let bench = Bench::new(&[]);
    let mut wire = Wire::to(&bench).await;
    let head = Wire::head(&bench);
    for number in 0..101 {
        assert!(
            wire.send(&frame(HEADERS, END_HEADERS, 2 * number + 1, &head))
                .await
        );
    }
    assert_eq!(wire.end().await, End::Reset(201, Reason::REFUSED_STREAM));
    assert!(bench.serves().await);
}

/// CVE-2023-44487: streams that are begun and reset again and again end the connection.
#[tokio::test]
async fn streams_that_are_reset_again_and_again_end_the_connection() {
    let bench = Bench::new(&[]);
    let mut wire = Wire::to(&bench).await;
    let head = Wire::head(&bench);
    let cancel = u32::from(Reason::CANCEL).to_be_bytes();
    let stream = |number| {
        let begin = frame(HEADERS, END_HEADERS | END_STREAM, number, &head);
        [begin, frame(RST_STREAM, 0, number, &cancel)].concat()
    };
    let streams: Vec<_> = (0..1_000).flat_map(|number| stream(2 * number + 1)).collect();
    wire.send(&streams).await;
    let end = wire.end().await;
    assert_eq!(end, End::Connection(Reason::ENHANCE_YOUR_CALM));
    assert!(bench.serves().await);
}

/// CVE-2025-8671: the same where the client has the server reset them, by a window that is too large (RFC 9113
/// section 6.9.1).
#[tokio::test]
async fn streams_that_the_server_must_reset_end_the_connection() {
    let bench = Bench::new(&[]);
    let mut wire = Wire::to(&bench).await;
    let head = Wire::head(&bench);
    let stream = |number| {
        let begin = frame(HEADERS, END_HEADERS, number, &head);
        [begin, frame(WINDOW_UPDATE, 0, number, &LARGEST_WINDOW)].concat()
    };
    let mut resets = 0;
    for number in 0..1_000 {
        if !wire.send(&stream(2 * number + 1)).await {
            break;
        }
        match wire.end().await {
            End::Reset(..) => resets += 1,
            end => {
                assert_eq!(end, End::Connection(Reason::ENHANCE_YOUR_CALM));
                break;
            }
        }
    }
    assert!((1..=300).contains(&resets), "{resets}");
    assert!(bench.serves().await);
}

/// CVE-2024-27316: a head that goes on without end ends the connection; nothing grows with it.
#[tokio::test]
async fn a_head_without_end_ends_the_connection() {
    let bench = Bench::new(&[]);
    let mut wire = Wire::to(&bench).await;
    wire.send(&frame(HEADERS, 0, 1, &Wire::head(&bench))).await;
    let field = [vec![0], text("x"), text(&"x".repeat(100))].concat();
    let fields = frame(CONTINUATION, 0, 1, &field.repeat(150));
    // Twenty times what a head may have, and its end is still to come.
    for _ in 0..200 {
        wire.send(&fields).await;
    }
    let end = wire.end().await;
    assert!(
        matches!(end, End::Connection(Reason::ENHANCE_YOUR_CALM) | End::Silent),
        "{end:?}"
    );
    assert!(bench.serves().await);
}
