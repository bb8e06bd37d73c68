//! A provider at work: it asks, waits, asks again, and looks at the answers as the provider does.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::ledger::Ledger;
use super::network::{Network, NotTheServers};
use super::random::Random;
use super::report::{Fault, Report};
use super::transport::{Request, Response, Transport};
use crate::message::{ERROR, LIST_RESPONSE};

/// Why a step did not succeed.
#[derive(Debug, Clone)]
pub(super) enum Trouble {
    /// Nobody knows what the server did.
    NoAnswer(String),
    /// The server said no.
    Refused(Refusal),
    /// The server said something that the provider does not understand.
    Strange(String),
}

#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) what: String,
    pub(super) status: u16,
    pub(super) keyword: String,
    pub(super) detail: String,
}

impl Trouble {
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(refusal) => Some(refusal.status),
            _ => None,
        }
    }

    pub(super) fn is_refusal(&self) -> bool {
        !matches!(self, Self::NoAnswer(_))
    }

    /// Refusals of one kind: the same method at the same endpoint with the same answer.
    pub(super) fn kind(&self) -> String {
        match self {
            Self::Refused(refusal) => {
                let (method, path) = refusal.what.split_once(' ').unwrap_or_default();
                let endpoint = endpoint(path);
                let what = format!(
                    "{} fails with {} {}",
                    deed(method, endpoint),
                    refusal.status,
                    refusal.keyword
                );
                format!("{} ({method} {endpoint})", what.trim_end())
            }
            Self::Strange(_) => "an answer that the provider does not understand".to_owned(),
            Self::NoAnswer(_) => "no answer".to_owned(),
        }
    }

    /// Returns the remedy if nothing works.
    pub(super) fn advice(&self) -> &'static str {
        match self {
            Self::NoAnswer(_) => "see that the server runs, and that its URL can be reached from here.",
            Self::Refused(refusal) if matches!(refusal.status, 401 | 403) => {
                "the server does not accept the token: make a new one for this organization and enter it."
            }
            Self::Refused(refusal) if refusal.status == 404 => {
                "check the URL: it must be what stands before /Users and /Groups, such as https://example.com/scim/v2."
            }
            Self::Refused(refusal) if refusal.status >= 500 => {
                "look into the log of the server: it is at fault."
            }
            Self::Refused(_) | Self::Strange(_) => {
                "check that the URL is that of a SCIM server, and what the server says above."
            }
        }
    }

    pub(super) fn describe(&self) -> String {
        match self {
            Self::NoAnswer(why) => format!("no answer: {why}"),
            Self::Strange(why) => why.clone(),
            Self::Refused(refusal) => refusal.to_string(),
        }
    }
}

impl Display for Refusal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            status,
            keyword,
            detail,
        } = self;
        write!(f, "{what} was refused with {status}")?;
        if !keyword.is_empty() {
            write!(f, " {keyword}")?;
        }
        if detail.is_empty() {
            return f.write_str(" and no reason");
        }
        write!(f, ": “{}”", one_line(detail))
    }
}

/// Says what was tried, in plain words.
fn deed(method: &str, endpoint: &str) -> String {
    let what = match endpoint {
        "/Users" => "a person",
        "/Groups" => "a group",
        other => other,
    };
    let deed = match method {
        "POST" => "creating",
        "PUT" | "PATCH" => "changing",
        "DELETE" => "deleting",
        _ => "looking up",
    };
    format!("{deed} {what}")
}

/// Cuts a text to one line: some servers say more than a line of a report can hold.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 200;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// An answer that is not a refusal.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Value,
}

pub(super) struct Job<'t, T> {
    pub(super) network: Network<'t, T>,
    pub(super) ledger: Ledger,
    pub(super) report: Report,
    pub(super) random: Random,
    headers: HeaderMap,
    patience: u32,
}

impl<'t, T: Transport> Job<'t, T> {
    pub(super) fn new(network: Network<'t, T>, headers: HeaderMap, patience: u32, random: Random) -> Self {
        Self {
            network,
            ledger: Ledger::default(),
            report: Report::default(),
            random,
            headers,
            patience,
        }
    }

    /// Turns to another object, of which this is known, with chances that are that object's own.
    pub(super) fn turn_to(&mut self, ledger: Ledger, mut random: Random) {
        self.ledger = ledger;
        self.network.turn_to(random.fork());
        self.random = random;
    }

    /// Sends a request, as often as the server asks for patience and the provider has some.
    pub(super) async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Reply, Trouble> {
        let mut wait = Duration::from_secs(1);
        for attempt in 1.. {
            let response = self.deliver(&method, path, body).await?;
            let status = response.status();
            let is_busy = matches!(
                status,
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
            );
            if !is_busy || attempt >= self.patience {
                return self.read(&method, path, &response);
            }
            // No provider is known to read dates here.
            let asked = response
                .headers()
                .get(RETRY_AFTER)
                .and_then(|value| value.to_str().ok()?.parse().ok());
            let pause = asked.map_or(wait, Duration::from_secs);
            self.report.clock += pause;
            self.network.pause(pause).await;
            wait = wait.saturating_mul(2);
        }
        Err(Trouble::Strange("the provider has no patience at all".into()))
    }

    async fn deliver(
        &mut self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response, Trouble> {
        let bytes = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let mut request = Request::new(bytes);
        *request.method_mut() = method.clone();
        *request.uri_mut() = path
            .parse()
            .map_err(|error: http::uri::InvalidUri| Trouble::Strange(error.to_string()))?;
        *request.headers_mut() = self.headers.clone();
        if body.is_none() {
            request.headers_mut().remove(CONTENT_TYPE);
        }
        let kind = format!("{method} {}", endpoint(path));
        *self.report.requests.entry(kind).or_default() += 1;
        let answer = self.network.send(request).await;
        answer.map_err(|no_answer| Trouble::NoAnswer(no_answer.0))
    }

    fn read(&mut self, method: &Method, path: &str, response: &Response) -> Result<Reply, Trouble> {
        let status = response.status();
        let what = format!("{method} {path}");
        let text = response.body();
        let is_the_servers = response.extensions().get::<NotTheServers>().is_none();
        if is_the_servers && !text.is_empty() && !self.is_scim_json(response) {
            self.report.fault(Fault::NotScimJson, &what);
        }
        let body: Value = match serde_json::from_slice(text) {
            Ok(body) => body,
            Err(_) if text.is_empty() || !status.is_success() => Value::Null,
            Err(error) => {
                return Err(Trouble::Strange(format!(
                    "the answer to {what} is no JSON: {error}"
                )));
            }
        };
        if status.is_success() {
            if body.get("password").is_some() {
                self.report.fault(Fault::PasswordShown, &what);
            }
            return Ok(Reply {
                status: status.as_u16(),
                body,
            });
        }
        if is_the_servers && !is_error(&body, status) {
            self.report
                .fault(Fault::ErrorMalformed, format!("{what}: {}", status.as_u16()));
        }
        let member = |name| {
            body.get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        Err(Trouble::Refused(Refusal {
            what,
            status: status.as_u16(),
            keyword: member("scimType"),
            detail: member("detail"),
        }))
    }

    /// Returns whether the answer is of the type that the provider wants: plain JSON will do for those who ask for no other.
    fn is_scim_json(&self, response: &Response) -> bool {
        let text = |headers: &HeaderMap, name| -> String {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_ascii_lowercase()
        };
        let kind = text(response.headers(), CONTENT_TYPE);
        let wants_scim = text(&self.headers, ACCEPT).contains("application/scim+json");
        kind.starts_with("application/scim+json") || (!wants_scim && kind.starts_with("application/json"))
    }

    pub(super) async fn get(&mut self, path: &str) -> Result<Value, Trouble> {
        Ok(self.send(Method::GET, path, None).await?.body)
    }

    pub(super) async fn put(&mut self, path: &str, body: &Value) -> Result<Value, Trouble> {
        Ok(self.send(Method::PUT, path, Some(body)).await?.body)
    }

    pub(super) async fn patch(&mut self, path: &str, operations: Vec<Value>) -> Result<(), Trouble> {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": operations,
        });
        self.send(Method::PATCH, path, Some(&body)).await.map(|_| ())
    }

    /// Deletes what is at `path`. If there is nothing, that is not a trouble.
    pub(super) async fn delete(&mut self, path: &str) -> Result<(), Trouble> {
        match self.send(Method::DELETE, path, None).await {
            Err(trouble) if trouble.status() == Some(404) => Ok(()),
            answer => answer.map(|_| ()),
        }
    }

    /// Creates, and returns the id and the document.
    pub(super) async fn create(&mut self, endpoint: &str, body: &Value) -> Result<String, Trouble> {
        let reply = self.send(Method::POST, endpoint, Some(body)).await?;
        match reply.body.get("id").and_then(Value::as_str) {
            Some(id) if !id.is_empty() && reply.status == 201 => Ok(id.to_owned()),
            _ => {
                self.report
                    .fault(Fault::NoId, format!("POST {endpoint}: {}", reply.status));
                Err(Trouble::Strange(format!(
                    "POST {endpoint} was answered with {} and no id",
                    reply.status
                )))
            }
        }
    }

    /// Searches for the one resource whose `attribute` is `value`.
    pub(super) async fn find(
        &mut self,
        path: &str,
        attribute: &str,
        value: &str,
    ) -> Result<Option<Value>, Trouble> {
        let list = match self.get(path).await {
            Err(trouble) if trouble.status() == Some(404) => {
                self.report.fault(Fault::EmptySearchRefused, trouble.describe());
                return Err(trouble);
            }
            list => list?,
        };
        let resources = self.resources(path, &list)?;
        for resource in resources {
            match resource.get(attribute) {
                Some(found) if found.as_str().is_some_and(|found| is_same(found, value)) => {
                    return Ok(Some(resource.clone()));
                }
                other => {
                    self.report.fault(
                        Fault::WrongMatch,
                        format!("GET {path} returned {}", other.unwrap_or(&Value::Null)),
                    );
                }
            }
        }
        Ok(None)
    }

    /// Returns the resources in an answer that must be a list.
    pub(super) fn resources<'v>(&mut self, path: &str, list: &'v Value) -> Result<&'v [Value], Trouble> {
        let is_list = list
            .get("schemas")
            .and_then(Value::as_array)
            .is_some_and(|schemas| schemas.iter().any(|urn| urn == LIST_RESPONSE));
        let total = list.get("totalResults").and_then(Value::as_u64);
        let resources = match list.get("Resources") {
            Some(Value::Array(resources)) => resources.as_slice(),
            _ => &[],
        };
        if !is_list || total.is_none_or(|total| total < resources.len() as u64) {
            self.report.fault(Fault::ListMalformed, format!("GET {path}"));
            return Err(Trouble::Strange(format!(
                "GET {path} is not answered with a list"
            )));
        }
        let items = list.get("itemsPerPage");
        if items.is_some_and(|items| items.as_u64() != Some(resources.len() as u64)) {
            self.report.fault(Fault::PageCountWrong, format!("GET {path}"));
        }
        Ok(resources)
    }

    /// Reads a page of a list, from the resource of this number on. Returns whether there are more. Groups come in
    /// smaller pages: each may have many members.
    pub(super) async fn page(&mut self, endpoint: &str, start: usize) -> Result<(Vec<Value>, bool), Trouble> {
        let count = if endpoint == "/Groups" { 20 } else { 100 };
        let path = format!("{endpoint}?startIndex={start}&count={count}");
        let mut list = self.get(&path).await?;
        let read = self.resources(&path, &list)?.len();
        let total = list.get("totalResults").and_then(Value::as_u64).unwrap_or(0);
        let has_more = read > 0 && ((start - 1 + read) as u64) < total;
        Ok(match list.get_mut("Resources").map(Value::take) {
            Some(Value::Array(page)) => (page, has_more),
            _ => (Vec::new(), false),
        })
    }

    /// Repeats a step of a test until the network lets it through, as an administrator simply would.
    pub(super) async fn insist(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Reply, Trouble> {
        for _ in 0..20 {
            match self.send(method.clone(), path, body).await {
                Err(Trouble::NoAnswer(_)) => {}
                Err(trouble) if matches!(trouble.status(), Some(429 | 503)) => {}
                answer => return answer,
            }
        }
        Err(Trouble::NoAnswer(format!("{method} {path} was tried 20 times")))
    }

    /// Makes a GUID that no resource knows of.
    pub(super) fn guid(&mut self) -> String {
        let (high, low) = (self.random.next(), self.random.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            high >> 32,
            high & 0xffff,
            (high >> 16) & 0xfff,
            low >> 52,
            low & 0xffff_ffff_ffff
        )
    }
}

fn is_same(found: &str, wanted: &str) -> bool {
    found.to_lowercase() == wanted.to_lowercase()
}

fn endpoint(path: &str) -> &str {
    let end = path
        .char_indices()
        .skip(1)
        .find(|(_, character)| matches!(character, '/' | '?'));
    path.get(..end.map_or(path.len(), |(end, _)| end)).unwrap_or(path)
}

fn is_error(body: &Value, status: StatusCode) -> bool {
    let has_schema = body
        .get("schemas")
        .and_then(Value::as_array)
        .is_some_and(|schemas| schemas.iter().any(|urn| urn == ERROR));
    has_schema && body.get("status").and_then(Value::as_str) == Some(status.as_str())
}
