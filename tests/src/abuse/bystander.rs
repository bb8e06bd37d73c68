//! The organization that does nothing out of the ordinary, and how long it waits.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::export_file::id;
use crate::http::{Client, Response};
use crate::server::{Organization, Server};
use crate::{Failure, random};

/// One kind of request, and how to send the next.
struct Kind {
    name: &'static str,
    send: fn(&Bystander, &mut Client, u64) -> Result<Response, Failure>,
}

const KINDS: [Kind; 3] = [
    Kind {
        name: "GET a person",
        send: |bystander, client, _| client.get(&format!("/Users/{}", bystander.person)),
    },
    Kind {
        name: "POST a person",
        send: |_, client, _| {
            let person = json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "userName": format!("{}@example.com", random::uuid()),
            });
            client.json("POST", "/Users", &person)
        },
    },
    Kind {
        name: "PATCH a member",
        send: |bystander, client, turn| {
            let person = &bystander.person;
            let operation = match turn.is_multiple_of(2) {
                true => json!({"op": "add", "path": "members", "value": [{"value": person}]}),
                false => json!({"op": "remove", "path": format!("members[value eq \"{person}\"]")}),
            };
            let change = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [operation],
            });
            client.json("PATCH", &format!("/Groups/{}", bystander.group), &change)
        },
    },
];

/// The outcome of the requests of one kind.
#[derive(Debug)]
pub struct Waits {
    /// The kind.
    pub name: &'static str,
    times: Vec<Duration>,
    /// How often each status came that is not a success.
    pub refused: BTreeMap<u16, usize>,
    /// Requests without an answer.
    pub unanswered: usize,
}

impl Waits {
    fn of(kind: &Kind) -> Self {
        Self {
            name: kind.name,
            times: Vec::new(),
            refused: BTreeMap::new(),
            unanswered: 0,
        }
    }

    /// Returns the time within which so many of a hundred were answered, in milliseconds.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> f64 {
        let index = (self.times.len() * percent / 100).min(self.times.len().saturating_sub(1));
        let time = self.times.get(index).copied().unwrap_or_default();
        time.as_secs_f64() * 1e3
    }

    /// Returns how many requests there were.
    #[must_use]
    pub fn count(&self) -> usize {
        self.times.len()
    }
}

/// An organization of a thousand people, and a group of a hundred of them.
#[derive(Debug)]
pub struct Bystander {
    organization: Organization,
    person: String,
    group: String,
}

impl Bystander {
    /// Makes the organization.
    pub fn new(server: &Server) -> Result<Self, Failure> {
        let organization = server.organization("bystander", &super::FLAGS)?;
        server.import("bystander", |file| {
            for n in 0..1_000 {
                file.person(&id('d', n), &format!("bystander{n}@example.com"), "")?;
            }
            file.group(&id('e', 0), "Colleagues")?;
            file.members(&id('e', 0), (0..100).map(|n| id('d', n)))
        })?;
        Ok(Self {
            organization,
            person: id('d', 999),
            group: id('e', 0),
        })
    }

    /// Sends so many requests of each kind, one after the other.
    pub fn send(&self, count: u64) -> Result<Vec<Waits>, Failure> {
        let waits = KINDS.iter().map(|kind| {
            let mut client = self.organization.client()?;
            let mut waits = Waits::of(kind);
            for turn in 0..count {
                self.ask(kind, &mut client, turn, &mut waits);
            }
            Ok(waits)
        });
        waits.collect()
    }

    /// Sends requests of each kind on a connection of its own for a time.
    pub fn measure(&self, duration: Duration) -> Result<Vec<Waits>, Failure> {
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let clients: Vec<_> = KINDS
                .iter()
                .map(|kind| scope.spawn(|| self.repeat(kind, &done)))
                .collect();
            thread::sleep(duration);
            done.store(true, Ordering::Relaxed);
            let ended = clients.into_iter().map(|client| {
                let ended = client.join();
                ended.map_err(|_| Failure::new("a client of the bystander ended"))?
            });
            ended.collect()
        })
    }

    fn repeat(&self, kind: &Kind, done: &AtomicBool) -> Result<Waits, Failure> {
        let mut client = self.organization.client()?;
        let mut waits = Waits::of(kind);
        for turn in 0.. {
            if done.load(Ordering::Relaxed) {
                break;
            }
            self.ask(kind, &mut client, turn, &mut waits);
            // As a provider does: one request after the other, and never as fast as it goes.
            thread::sleep(Duration::from_millis(1));
        }
        waits.times.sort_unstable();
        Ok(waits)
    }

    fn ask(&self, kind: &Kind, client: &mut Client, turn: u64, waits: &mut Waits) {
        let began = Instant::now();
        let answer = (kind.send)(self, client, turn);
        waits.times.push(began.elapsed());
        match answer {
            Ok(answer) if answer.status < 300 => {}
            Ok(answer) => *waits.refused.entry(answer.status).or_default() += 1,
            Err(_) => waits.unanswered += 1,
        }
    }
}
