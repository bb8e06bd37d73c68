//! A small blocking HTTP/1.1 client for loopback that sends the bytes it is given.
//!
//! Clients in use normalise what they send: header names, the case of methods, `+` and `%20`, characters that do
//! not belong in a URL. The traces and the hostile tests need them untouched, so this one writes to the socket.

use std::fmt;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::{Failure, check};

/// Longest silence on a connection before the client gives up. A bound for a hanging server, never a measurement.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bodies longer than this are written beside the reading, since a server may refuse them before it has read them.
const LARGE_BODY: usize = 64 << 10;

/// One request, sent as it stands here.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The method, in the spelling to send.
    pub method: String,
    /// Path and query after the path of the base URL; any bytes.
    pub target: Vec<u8>,
    /// Headers in the order and spelling to send; `Host` and `Content-Length` are added.
    pub headers: Vec<(String, String)>,
    /// The body; `None` sends no `Content-Length`.
    pub body: Option<Vec<u8>>,
}

impl Request {
    /// Makes a request without headers and body.
    pub fn new(method: &str, target: impl Into<Vec<u8>>) -> Self {
        Self {
            method: method.to_owned(),
            target: target.into(),
            ..Self::default()
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the body, as `application/scim+json`.
    #[must_use]
    pub fn scim(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self.header("Content-Type", "application/scim+json")
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// Returns the first value of a header; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }

    /// Parses the body as JSON.
    pub fn json(&self) -> Result<Value, Failure> {
        serde_json::from_slice(&self.body).map_err(|e| Failure::from(e).during(self))
    }

    /// Returns this answer if it has the status, else a failure that shows it.
    pub fn expect(self, status: u16) -> Result<Self, Failure> {
        check(self.status == status, || {
            format!("wanted status {status}, got {self}")
        })?;
        Ok(self)
    }
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = String::from_utf8_lossy(&self.body);
        let start: String = body
            .chars()
            .take(400)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        write!(f, "{} {start}", self.status)
    }
}

/// A client of one base URL, with one connection that is kept open between requests.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    prefix: String,
    default_headers: Vec<(String, String)>,
    connection: Option<BufReader<TcpStream>>,
}

impl Client {
    /// Makes a client of `http://ADDRESS:PORT/path`; the address is numeric.
    pub fn new(base_url: &str) -> Result<Self, Failure> {
        let malformed = || {
            Failure::new(format!(
                "{base_url} is not of the form http://127.0.0.1:8080/path"
            ))
        };
        let rest = base_url.strip_prefix("http://").ok_or_else(malformed)?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        Ok(Self {
            address: authority.parse().map_err(|_| malformed())?,
            prefix: path.trim_end_matches('/').to_owned(),
            default_headers: Vec::new(),
            connection: None,
        })
    }

    /// Returns the same client, sending this bearer token with every request that has no `Authorization` of its own.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.default_headers
            .push(("Authorization".to_owned(), format!("Bearer {token}")));
        self
    }

    /// Returns the base URL.
    pub fn base_url(&self) -> String {
        format!("http://{}{}", self.address, self.prefix)
    }

    /// Sends a GET.
    pub fn get(&mut self, target: &str) -> Result<Response, Failure> {
        self.send(&Request::new("GET", target))
    }

    /// Sends a JSON body with the method given.
    pub fn json(&mut self, method: &str, target: &str, body: &Value) -> Result<Response, Failure> {
        self.send(&Request::new(method, target).scim(body.to_string()))
    }

    /// Sends a DELETE.
    pub fn delete(&mut self, target: &str) -> Result<Response, Failure> {
        self.send(&Request::new("DELETE", target))
    }

    /// Sends one request and reads the whole answer.
    ///
    /// If the server has closed the connection that was kept open, the request is sent once more on a new one.
    pub fn send(&mut self, request: &Request) -> Result<Response, Failure> {
        let what = || {
            format!(
                "{} {}",
                request.method,
                String::from_utf8_lossy(request.target.get(..200).unwrap_or(&request.target))
            )
        };
        if let Some(kept) = self.connection.take() {
            match self.exchange(kept, request) {
                Err(Broken::Unanswered(_)) => {}
                other => return other.map_err(|broken| broken.failure().during(what())),
            }
        }
        let stream = TcpStream::connect(self.address).map_err(|e| Failure::from(e).during(what()))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        self.exchange(BufReader::new(stream), request)
            .map_err(|broken| broken.failure().during(what()))
    }

    fn exchange(
        &mut self,
        mut connection: BufReader<TcpStream>,
        request: &Request,
    ) -> Result<Response, Broken> {
        let message = self.message(request);
        let (answer, written) = if message.len() > LARGE_BODY {
            write_beside_reading(&mut connection, &message, &request.method)
        } else {
            // A server that refuses early may have closed its side: what it said is still there to be read.
            let written = connection.get_mut().write_all(&message).is_ok();
            (read_answer(&mut connection, &request.method), written)
        };
        let (response, reusable) = answer?;
        if written && reusable {
            self.connection = Some(connection);
        }
        Ok(response)
    }

    fn message(&self, request: &Request) -> Vec<u8> {
        let mut message = Vec::with_capacity(512 + request.body.as_ref().map_or(0, Vec::len));
        message.extend_from_slice(format!("{} {}", request.method, self.prefix).as_bytes());
        message.extend_from_slice(&request.target);
        message.extend_from_slice(format!(" HTTP/1.1\r\nHost: {}\r\n", self.address).as_bytes());
        let own = |name: &str| {
            request
                .headers
                .iter()
                .any(|(found, _)| found.eq_ignore_ascii_case(name))
        };
        let defaults = self.default_headers.iter().filter(|(name, _)| !own(name));
        for (name, value) in defaults.chain(&request.headers) {
            message.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        if let Some(body) = &request.body {
            message.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
            message.extend_from_slice(body);
        } else {
            message.extend_from_slice(b"\r\n");
        }
        message
    }
}

/// Why an exchange ended without an answer.
enum Broken {
    /// Not one byte came back.
    Unanswered(Failure),
    /// The answer was cut short or is not HTTP.
    Malformed(Failure),
}

impl Broken {
    fn failure(self) -> Failure {
        match self {
            Self::Unanswered(failure) | Self::Malformed(failure) => failure,
        }
    }
}

impl From<std::io::Error> for Broken {
    fn from(error: std::io::Error) -> Self {
        Self::Malformed(error.into())
    }
}

type Answer = Result<(Response, bool), Broken>;

/// Writes a long message on a second thread while the answer is read, and stops writing once the answer is there.
fn write_beside_reading(
    connection: &mut BufReader<TcpStream>,
    message: &[u8],
    method: &str,
) -> (Answer, bool) {
    let mut writer = match connection.get_ref().try_clone() {
        Ok(writer) => writer,
        Err(error) => return (Err(error.into()), false),
    };
    thread::scope(|scope| {
        let writing = scope.spawn(move || writer.write_all(message).is_ok());
        let answer = read_answer(connection, method);
        if !writing.is_finished() {
            // Nobody reads the rest any more: let the blocked write end with an error.
            let _ = connection.get_ref().shutdown(Shutdown::Both);
        }
        (answer, writing.join().unwrap_or(false))
    })
}

/// Reads one answer; the flag says whether the connection can carry another request.
fn read_answer(reader: &mut BufReader<TcpStream>, method: &str) -> Answer {
    loop {
        let status = read_status(reader)?;
        let headers = read_headers(reader)?;
        if (100..200).contains(&status) {
            continue;
        }
        let mut response = Response {
            status,
            headers,
            body: Vec::new(),
        };
        let close = response
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let delimited = read_body(reader, method, &mut response)?;
        return Ok((response, delimited && !close));
    }
}

fn read_line(reader: &mut BufReader<TcpStream>) -> Result<String, Broken> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(Broken::Malformed(Failure::new(
            "the server closed the connection within its answer",
        )));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

fn read_status(reader: &mut BufReader<TcpStream>) -> Result<u16, Broken> {
    let unanswered = |why: String| Broken::Unanswered(Failure::new(format!("no answer: {why}")));
    match reader.fill_buf() {
        Ok([]) => return Err(unanswered("the server closed the connection".to_owned())),
        Ok(_) => {}
        Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            let failure = Failure::new(format!("no answer within {} seconds", PATIENCE.as_secs()));
            return Err(Broken::Malformed(failure));
        }
        Err(e) => return Err(unanswered(e.to_string())),
    }
    let line = read_line(reader)?;
    let code = line
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.get(2..5))
        .and_then(|code| code.parse().ok());
    code.ok_or_else(|| Broken::Malformed(Failure::new(format!("not a status line: {line:?}"))))
}

fn read_headers(reader: &mut BufReader<TcpStream>) -> Result<Vec<(String, String)>, Broken> {
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            return Ok(headers);
        }
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| Broken::Malformed(Failure::new(format!("not a header line: {line:?}"))))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

/// Reads the body; the flag says whether its end was marked.
fn read_body(
    reader: &mut BufReader<TcpStream>,
    method: &str,
    response: &mut Response,
) -> Result<bool, Broken> {
    if method == "HEAD" || matches!(response.status, 204 | 304) {
        return Ok(true);
    }
    let malformed = |what: &str| Broken::Malformed(Failure::new(format!("not a {what}")));
    if response
        .header("transfer-encoding")
        .is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
    {
        loop {
            let line = read_line(reader)?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| malformed("chunk size"))?;
            read_exactly(reader, size, &mut response.body)?;
            if size == 0 {
                read_headers(reader)?;
                return Ok(true);
            }
            read_line(reader)?;
        }
    }
    if let Some(length) = response.header("content-length") {
        let length = length.parse().map_err(|_| malformed("Content-Length"))?;
        read_exactly(reader, length, &mut response.body)?;
        return Ok(true);
    }
    reader.read_to_end(&mut response.body)?;
    Ok(false)
}

fn read_exactly(reader: &mut BufReader<TcpStream>, size: usize, into: &mut Vec<u8>) -> Result<(), Broken> {
    let read = reader.take(size as u64).read_to_end(into)?;
    if read == size {
        return Ok(());
    }
    Err(Broken::Malformed(Failure::new(
        "the server closed the connection within its body",
    )))
}

/// Percent-encodes every byte that is not unreserved (RFC 3986 section 2.3).
pub fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Answers each connection with the next of the given texts, after the head of the request; returns the heads.
    fn serve(answers: Vec<&'static str>) -> (String, thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/base", listener.local_addr().unwrap());
        let serving = thread::spawn(move || {
            let mut heads = Vec::new();
            for answer in answers {
                let (stream, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(stream);
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") {
                    assert_ne!(reader.read_line(&mut head).unwrap(), 0);
                }
                heads.push(head);
                reader.get_mut().write_all(answer.as_bytes()).unwrap();
            }
            heads
        });
        (base, serving)
    }

    #[test]
    fn target_and_header_names_are_sent_byte_for_byte() {
        let (base, serving) = serve(vec!["HTTP/1.1 204 No Content\r\n\r\n"]);
        let mut client = Client::new(&base).unwrap().with_token("t");
        let request = Request::new("GET", "/Users?filter=userName+eq+%22a%20b%22").header("X-oDd", "1");
        assert_eq!(client.send(&request).unwrap().status, 204);
        let head = serving.join().unwrap().remove(0);
        assert!(
            head.starts_with("GET /base/Users?filter=userName+eq+%22a%20b%22 HTTP/1.1\r\n"),
            "{head}"
        );
        assert!(
            head.contains("\r\nX-oDd: 1\r\n") && head.contains("\r\nAuthorization: Bearer t\r\n"),
            "{head}"
        );
    }

    #[test]
    fn chunked_and_unmarked_bodies_are_read_whole_and_a_closed_connection_is_opened_anew() {
        let chunked =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n4;x=y\r\n\":1}\r\n0\r\n\r\n";
        let (base, serving) = serve(vec![
            chunked,
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\n\r\n{\"a\":2}",
        ]);
        let mut client = Client::new(&base).unwrap();
        assert_eq!(client.get("/").unwrap().json().unwrap()["a"], 1);
        assert_eq!(client.get("/").unwrap().json().unwrap()["a"], 2);
        assert_eq!(serving.join().unwrap().len(), 2);
    }

    #[test]
    fn a_long_body_refused_unread_still_gives_the_answer() {
        let (base, serving) = serve(vec![
            "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
        ]);
        let mut client = Client::new(&base).unwrap();
        let request = Request::new("POST", "/").scim(vec![b' '; 8 << 20]);
        assert_eq!(client.send(&request).unwrap().status, 413);
        serving.join().unwrap();
    }

    #[test]
    fn an_answer_cut_short_is_a_failure() {
        let (base, serving) = serve(vec!["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"]);
        let failure = Client::new(&base).unwrap().get("/").unwrap_err();
        assert!(failure.to_string().contains("within its body"), "{failure}");
        serving.join().unwrap();
    }
}
