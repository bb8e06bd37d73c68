//! Stands before a server and keeps every byte that passes.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// The bytes of one direction of one connection.
type Bytes = Arc<Mutex<Vec<u8>>>;

/// A proxy on a free port of this machine.
pub struct Recorder {
    pub address: SocketAddr,
    /// The bytes that clients sent and servers answered, by connection.
    kept: Arc<Mutex<Vec<(Bytes, Bytes)>>>,
}

impl Recorder {
    /// Stands before the server at `upstream`, which is IP and port.
    pub fn before(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let kept = Arc::<Mutex<Vec<(Bytes, Bytes)>>>::default();
        let (upstream, keeper) = (upstream.to_owned(), Arc::clone(&kept));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(&upstream) else {
                    continue;
                };
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                let (sent, answered) = (Bytes::default(), Bytes::default());
                keeper
                    .lock()
                    .unwrap()
                    .push((Arc::clone(&sent), Arc::clone(&answered)));
                forward(client.try_clone().unwrap(), server.try_clone().unwrap(), sent);
                forward(server, client, answered);
            }
        });
        Self { address, kept }
    }

    /// Returns what clients sent, as far as it is whole.
    pub fn requests(&self) -> Vec<Message> {
        let kept = self.kept.lock().unwrap();
        let sent = kept.iter().map(|(sent, _)| sent.lock().unwrap().clone());
        sent.flat_map(|bytes| messages(&bytes)).collect()
    }

    /// Returns what the server answered, as far as it is whole.
    pub fn answers(&self) -> Vec<Message> {
        let kept = self.kept.lock().unwrap();
        let answered = kept.iter().map(|(_, answered)| answered.lock().unwrap().clone());
        answered.flat_map(|bytes| messages(&bytes)).collect()
    }

    /// Returns everything that clients sent.
    pub fn sent(&self) -> Vec<u8> {
        let kept = self.kept.lock().unwrap();
        kept.iter()
            .flat_map(|(sent, _)| sent.lock().unwrap().clone())
            .collect()
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, keeper: Bytes) {
    std::thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(length) = from.read(&mut buffer) {
            keeper.lock().unwrap().extend_from_slice(&buffer[..length]);
            if length == 0 || to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        _ = to.shutdown(Shutdown::Write);
    });
}

/// A message of HTTP/1.1.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its first line and its headers.
    pub head: String,
    pub body: Vec<u8>,
}

impl Message {
    /// Returns the status of an answer.
    pub fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Returns the target of a request.
    pub fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// Cuts a stream into messages; what is cut off at the end, and what is no HTTP, is left out.
fn messages(mut bytes: &[u8]) -> Vec<Message> {
    let mut found = Vec::new();
    while let Some(end) = find(bytes, b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut message = Message {
            head,
            body: Vec::new(),
        };
        bytes = &bytes[end + 4..];
        let chunked = message.header("transfer-encoding").is_some();
        let taken = if chunked {
            unchunk(bytes, &mut message.body)
        } else {
            let length = message
                .header("content-length")
                .and_then(|text| text.parse().ok());
            let length = length.unwrap_or(0).min(bytes.len());
            message.body = bytes[..length].to_vec();
            length
        };
        bytes = &bytes[taken..];
        found.push(message);
    }
    found
}

/// Puts chunks together; how many bytes they took.
fn unchunk(bytes: &[u8], body: &mut Vec<u8>) -> usize {
    let mut at = 0;
    while let Some(line) = find(&bytes[at..], b"\r\n") {
        let size = std::str::from_utf8(&bytes[at..at + line]).unwrap_or("0");
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        let begin = at + line + 2;
        let end = (begin + size).min(bytes.len());
        body.extend_from_slice(&bytes[begin..end]);
        at = (end + 2).min(bytes.len());
        if size == 0 {
            break;
        }
    }
    at
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
