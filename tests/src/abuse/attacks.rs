//! Ways in which one organization's token takes the service from everybody else.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::export_file::id;
use crate::http::{Client, percent_encode};
use crate::server::{Organization, Server};
use crate::{Failure, random};

/// The bytes of the longest body.
const BODY: usize = 16 << 20;

/// One way, with as many connections as it takes.
#[derive(Debug)]
pub struct Attack {
    /// The name of what is done.
    pub name: &'static str,
    connections: usize,
    run: fn(&Attacker) -> Result<(), Failure>,
}

/// The name of the attack that uses nothing but what everybody may do, as often as it goes.
pub const FLOOD: &str = "writes as fast as they go";

/// All ways.
pub const ATTACKS: &[Attack] = &[
    Attack {
        name: "F1 lists that show a long name a thousand times",
        connections: 4,
        run: |attacker| attacker.get("/Users?count=1000"),
    },
    Attack {
        name: "F2 changes of a person with very many e-mails",
        connections: 2,
        run: |attacker| {
            let change = patch(&[json!({"op": "replace", "path": "title", "value": random::hex8()})]);
            attacker.change(&format!("/Users/{}", id('a', 0)), &change)
        },
    },
    Attack {
        name: "F2 100 operations that look at every member",
        connections: 2,
        run: |attacker| {
            let operation = json!({"op": "remove", "path": "members[display co \"nobody\"]"});
            attacker.change(&format!("/Groups/{}", id('c', 0)), &patch(&vec![operation; 100]))
        },
    },
    Attack {
        name: "F2 1,000 operations of 250 terms",
        connections: 2,
        run: |attacker| {
            let terms = any((0..250).map(|n| format!("display co \"nobody {n}\"")));
            let operation = json!({"op": "remove", "path": format!("members[{terms}]")});
            attacker.change(
                &format!("/Groups/{}", id('c', 0)),
                &patch(&vec![operation; 1_000]),
            )
        },
    },
    Attack {
        name: "F3 searches of 256 terms that no index serves",
        connections: 4,
        run: |attacker| attacker.search(&any((0..256).map(|n| format!("emails.value co \"nobody {n}\"")))),
    },
    Attack {
        name: "F3 searches over 256 whole indexes",
        connections: 4,
        run: |attacker| attacker.search(&any((0..256).map(|n| format!("userName gt \"{n:03}\"")))),
    },
    Attack {
        name: "F4 bodies at a byte a second",
        connections: 100,
        run: Attacker::trickle,
    },
    Attack {
        name: "F5 large groups that nobody reads",
        connections: 8,
        run: |attacker| attacker.stall(&format!("/Groups/{}", id('c', 0))),
    },
    Attack {
        name: FLOOD,
        connections: 64,
        run: |attacker| {
            let person = json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "userName": format!("{}@example.com", random::uuid()),
            });
            let answer = attacker.client()?.json("POST", "/Users", &person)?;
            attacker.note(answer.status);
            Ok(())
        },
    },
];

impl Attack {
    /// Begins the attack; it ends when the attacker is told so.
    pub fn begin(&'static self, organization: &Organization, done: &Arc<AtomicBool>) -> Statuses {
        let statuses = Statuses::default();
        for _ in 0..self.connections {
            let attacker = Attacker {
                organization: organization.clone(),
                done: Arc::clone(done),
                statuses: statuses.clone(),
            };
            // Not waited for: an answer may never come.
            thread::spawn(move || {
                while !attacker.is_done() {
                    if (self.run)(&attacker).is_err() {
                        thread::sleep(Duration::from_millis(20));
                    }
                }
            });
        }
        statuses
    }
}

/// How often each status came.
#[derive(Debug, Default, Clone)]
pub struct Statuses(Arc<Mutex<BTreeMap<u16, usize>>>);

impl Statuses {
    /// Returns them as text.
    #[must_use]
    pub fn text(&self) -> String {
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = counted.iter().map(|(status, count)| format!("{status}: {count}"));
        counted.collect::<Vec<_>>().join(", ")
    }
}

#[derive(Debug)]
struct Attacker {
    organization: Organization,
    done: Arc<AtomicBool>,
    statuses: Statuses,
}

impl Attacker {
    fn is_done(&self) -> bool {
        self.done.load(Ordering::Relaxed)
    }

    fn note(&self, status: u16) {
        let mut counted = self.statuses.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counted.entry(status).or_default() += 1;
    }

    fn client(&self) -> Result<Client, Failure> {
        self.organization.client()
    }

    fn change(&self, target: &str, change: &Value) -> Result<(), Failure> {
        let answer = self.client()?.json("PATCH", target, change)?;
        self.note(answer.status);
        Ok(())
    }

    fn search(&self, filter: &str) -> Result<(), Failure> {
        self.get(&format!("/Users?count=1&filter={}", percent_encode(filter)))
    }

    /// Reads an answer to its end, or until it is over, and keeps nothing of it.
    fn get(&self, target: &str) -> Result<(), Failure> {
        let mut stream = self.send("GET", target, "Connection: close\r\n")?;
        let mut buffer = vec![0; 256 << 10];
        let mut is_first = true;
        while !self.is_done() {
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) if is_first => {
                    is_first = false;
                    self.note(status(buffer.get(..read).unwrap_or_default()));
                }
                Ok(_) => {}
                Err(error) if is_silence(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Asks, and never reads.
    fn stall(&self, target: &str) -> Result<(), Failure> {
        let mut stream = self.send("GET", target, "Connection: close\r\n")?;
        let mut byte = [0; 16];
        self.note(match stream.read(&mut byte) {
            Ok(read) => status(byte.get(..read).unwrap_or_default()),
            Err(_) => 0,
        });
        for _ in 0..30 {
            if self.is_done() {
                break;
            }
            thread::sleep(Duration::from_secs(1));
        }
        Ok(())
    }

    /// Sends a body but for its last bytes, and those one a second; begins anew a second after it was refused.
    fn trickle(&self) -> Result<(), Failure> {
        let outcome = self.begin_body().and_then(|stream| self.prolong(stream));
        thread::sleep(Duration::from_secs(1));
        outcome
    }

    fn begin_body(&self) -> Result<TcpStream, Failure> {
        let length = format!("Content-Type: application/scim+json\r\nContent-Length: {BODY}\r\n");
        let mut stream = self.send("POST", "/Groups", &length)?;
        stream.set_write_timeout(Some(Duration::from_secs(5)))?;
        let piece = vec![b' '; 64 << 10];
        for _ in 0..BODY / piece.len() - 1 {
            stream.write_all(&piece)?;
        }
        Ok(stream)
    }

    fn prolong(&self, mut stream: TcpStream) -> Result<(), Failure> {
        let mut byte = [0; 16];
        while !self.is_done() {
            thread::sleep(Duration::from_secs(1));
            stream.write_all(b" ")?;
            match stream.read(&mut byte) {
                Ok(read) => {
                    self.note(status(byte.get(..read).unwrap_or_default()));
                    break;
                }
                Err(error) if is_silence(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Sends the head of a request.
    fn send(&self, method: &str, target: &str, headers: &str) -> Result<TcpStream, Failure> {
        let Organization { scim_url, token, .. } = &self.organization;
        let (host, path) = scim_url
            .strip_prefix("http://")
            .and_then(|rest| rest.split_once('/'))
            .ok_or_else(|| Failure::new(format!("{scim_url} is not a URL of a local server")))?;
        let mut stream = TcpStream::connect(host)?;
        stream.set_read_timeout(Some(Duration::from_millis(500)))?;
        write!(
            stream,
            "{method} /{path}{target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n{headers}\r\n"
        )?;
        Ok(stream)
    }
}

fn is_silence(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Returns the status in the first line of an answer; 0 without one.
fn status(head: &[u8]) -> u16 {
    let digits = head
        .get(9..12)
        .and_then(|digits| std::str::from_utf8(digits).ok());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn any(terms: impl Iterator<Item = String>) -> String {
    terms.collect::<Vec<_>>().join(" or ")
}

fn patch(operations: &[Value]) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": operations,
    })
}

/// Makes the organization that attacks, of people with two e-mails each and a group of all.
pub fn attacker(server: &Server, people: usize) -> Result<Organization, Failure> {
    let organization = server.organization("attacker", &super::FLAGS)?;
    server.import("attacker", |file| {
        for n in 0..people {
            let emails = format!(
                r#","emails":[{{"value":"user{n}@example.com","type":"work"}},{{"value":"user{n}@example.org","type":"home"}}]"#
            );
            file.person(&id('a', n), &format!("user{n}@example.com"), &emails)?;
        }
        file.group(&id('c', 0), "Everyone")?;
        file.members(&id('c', 0), (0..people).map(|n| id('a', n)))
    })?;
    Ok(organization)
}

/// Makes what the attacks need, as far as the server lets them: a group with the longest name that it takes, and a person
/// with as many e-mails.
pub fn prepare(organization: &Organization, people: usize) -> Result<String, Failure> {
    let mut client = organization.client()?;
    let name = longest_name(&mut client, people)?;
    let emails = most_emails(&mut client)?;
    Ok(format!(
        "a name of {name} bytes in a group of 1,000, and {emails} e-mails of one person"
    ))
}

fn longest_name(client: &mut Client, people: usize) -> Result<usize, Failure> {
    let members: Vec<_> = (0..people.min(1_000))
        .map(|n| json!({"value": id('a', n)}))
        .collect();
    let mut length = 4 << 20;
    while length > 0 {
        let group = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "displayName": "x".repeat(length),
            "members": members,
        });
        if client.json("POST", "/Groups", &group)?.status == 201 {
            break;
        }
        length /= 2;
    }
    Ok(length)
}

fn most_emails(client: &mut Client) -> Result<usize, Failure> {
    let mut emails = 0;
    let mut portion = 5_000;
    while portion > 0 && emails < 60_000 {
        let values: Vec<_> = (emails..emails + portion)
            .map(|n| json!({"value": format!("{n}@example.com")}))
            .collect();
        let change = patch(&[json!({"op": "add", "path": "emails", "value": values})]);
        let answer = client.json("PATCH", &format!("/Users/{}", id('a', 0)), &change)?;
        if answer.status < 300 {
            emails += portion;
        } else {
            portion /= 2;
        }
    }
    Ok(emails)
}
