//! The server that is measured, and the people and groups in it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use scim_tests::http::{Client, percent_encode};
use scim_tests::server::Organization;
use scim_tests::{Failure, check};
use serde_json::{Value, json};

use crate::load::{Requests, Side};

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Members of each small group.
pub(super) const FEW: usize = 10;

/// The groups: one of all members, and small ones.
pub(super) const GROUPS: usize = 3;

/// An organization of a running server, filled.
pub(super) struct Directory {
    organization: Organization,
    address: SocketAddr,
    /// The path of the organization's base URL.
    prefix: String,
    /// The ids of people who are in all groups (the first few) or in the large one.
    members: Arc<[String]>,
    /// The ids of people who are in no group, one per connection.
    others: Arc<[String]>,
    /// The number of the next person to create.
    next: Arc<AtomicUsize>,
    pub(super) small: String,
    pub(super) large: String,
}

/// Returns the user name of a person; all of them are of one length, and so are the documents.
fn user_name(number: usize) -> String {
    format!("person-{number:08}@example.com")
}

/// Makes a person of about 600 bytes.
fn person(number: usize) -> String {
    scim_peers::samples::USER
        .replace("bjensen@example.com", &user_name(number))
        .replace("00u1a2b3c4d5e6f7g8h9", &format!("00u1a2b3c4d5{number:08}"))
}

impl Directory {
    /// Creates people over as many connections as are measured, groups of [`FEW`] and a group of `members`.
    pub(super) fn fill(
        organization: Organization,
        members: usize,
        connections: usize,
    ) -> Result<Self, Failure> {
        let rest = organization.scim_url.strip_prefix("http://");
        let (authority, path) = rest
            .and_then(|rest| rest.split_at_checked(rest.find('/')?))
            .ok_or_else(|| Failure::new(format!("{} is no base URL", organization.scim_url)))?;
        let address = authority
            .parse()
            .map_err(|_| Failure::new(format!("{authority} is no numeric address")))?;
        let prefix = path.trim_end_matches('/').to_owned();
        let next = Arc::new(AtomicUsize::new(0));
        let mut ids = create_people(&organization, &next, members + connections, connections)?;
        let others: Vec<String> = ids.split_off(members);
        let few = ids.get(..FEW).unwrap_or(&ids);
        for number in 2..GROUPS {
            create_group(&organization, &format!("Small {number}"), few)?;
        }
        let small = create_group(&organization, "Small", few)?;
        let large = create_group(&organization, "Large", &ids)?;
        Ok(Self {
            organization,
            address,
            prefix,
            members: ids.into(),
            others: others.into(),
            next,
            small,
            large,
        })
    }

    pub(super) fn token(&self) -> &str {
        &self.organization.token
    }

    /// Returns the body with which the server answers a GET.
    pub(super) fn body_of(&self, target: &str) -> Result<Vec<u8>, Failure> {
        Ok(self.organization.client()?.get(target)?.expect(200)?.body)
    }

    /// Returns the path of a person.
    pub(super) fn a_person(&self) -> Result<String, Failure> {
        let id = self.members.first();
        id.map(|id| format!("/Users/{id}"))
            .ok_or_else(|| Failure::new("nobody was created"))
    }

    /// Makes a search for the person of this number.
    pub(super) fn search(number: usize) -> String {
        let filter = format!("userName eq \"{}\"", user_name(number));
        format!("/Users?filter={}", percent_encode(&filter))
    }

    /// Directs these requests to the server.
    pub(super) fn side(&self, requests: Requests) -> Side {
        Side {
            address: self.address,
            requests,
        }
    }

    /// Makes GETs of people by id, of one after the other.
    pub(super) fn gets_by_id(&self) -> Requests {
        self.gets_of(&self.members, usize::MAX)
    }

    /// Makes GETs of the people who are in all groups.
    pub(super) fn gets_of_joiners(&self) -> Requests {
        self.gets_of(&self.members, FEW)
    }

    /// Makes GETs of people who are in no group, as many as the above.
    pub(super) fn gets_of_loners(&self) -> Requests {
        self.gets_of(&self.others, FEW)
    }

    /// Makes GETs of the first of these people, of one after the other.
    fn gets_of(&self, people: &Arc<[String]>, most: usize) -> Requests {
        let people = Arc::clone(people);
        self.rotating(people.len().min(most), move |number| {
            format!("/Users/{}", people.get(number).map_or("", String::as_str))
        })
    }

    /// Makes GETs of the list, of one page after the other: each connection goes through all of it.
    pub(super) fn pages(&self, count: usize) -> Requests {
        let pages: Vec<_> = (0..self.members.len() / count)
            .map(|page| {
                let start = page * count + 1;
                self.request("GET", &format!("/Users?startIndex={start}&count={count}"), "")
            })
            .collect();
        let next: Vec<_> = self.others.iter().map(|_| AtomicUsize::new(0)).collect();
        Arc::new(move |connection| {
            let page = next
                .get(connection)
                .map(|next| next.fetch_add(1, Ordering::Relaxed) % pages.len().max(1));
            page.and_then(|page| pages.get(page)).cloned().unwrap_or_default()
        })
    }

    /// Searches for people by userName, for one after the other.
    pub(super) fn searches(&self) -> Requests {
        self.rotating(self.members.len(), Self::search)
    }

    /// Makes GETs of the same target over and over.
    pub(super) fn gets(&self, target: &str) -> Requests {
        let request = self.request("GET", target, "");
        Arc::new(move |_| request.clone())
    }

    fn rotating(&self, number: usize, target: impl Fn(usize) -> String + Send + Sync + 'static) -> Requests {
        // The requests are made beforehand: their making must not cost time while others are measured.
        let requests: Vec<_> = (0..number.min(1_000))
            .map(|number| self.request("GET", &target(number), ""))
            .collect();
        let next = AtomicUsize::new(0);
        Arc::new(move |_| {
            let number = next.fetch_add(1, Ordering::Relaxed) % requests.len().max(1);
            requests.get(number).cloned().unwrap_or_default()
        })
    }

    /// Makes POSTs of people who are not there yet.
    pub(super) fn posts(&self) -> Requests {
        let next = Arc::clone(&self.next);
        let head = self.head("POST", "/Users");
        Arc::new(move |_| message(&head, &person(next.fetch_add(1, Ordering::Relaxed))))
    }

    /// Makes PATCHes of a group; each connection adds a person of its own and then removes that person again.
    pub(super) fn member_changes(&self, group: &str) -> Requests {
        let operation = |operation: Value| {
            let body = json!({"schemas": [PATCH_OP], "Operations": [operation]});
            // Without this, a small group is answered with its members and a large one is not.
            let target = format!("{group}?excludedAttributes=members");
            self.request("PATCH", &target, &body.to_string())
        };
        let pairs: Vec<_> = self
            .others
            .iter()
            .map(|id| {
                let add = json!({"op": "add", "path": "members", "value": [{"value": id}]});
                let remove = json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")});
                ([operation(add), operation(remove)], AtomicUsize::new(0))
            })
            .collect();
        Arc::new(move |connection| {
            let request = pairs
                .get(connection)
                .and_then(|(pair, sent)| pair.get(sent.fetch_add(1, Ordering::Relaxed) % 2));
            request.cloned().unwrap_or_default()
        })
    }

    fn request(&self, method: &str, target: &str, body: &str) -> Vec<u8> {
        message(&self.head(method, target), body)
    }

    fn head(&self, method: &str, target: &str) -> String {
        let Self { prefix, address, .. } = self;
        let token = self.token();
        format!(
            "{method} {prefix}{target} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Accept: application/scim+json\r\n"
        )
    }
}

fn message(head: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    match length {
        0 => format!("{head}\r\n"),
        _ => format!("{head}Content-Type: application/scim+json\r\nContent-Length: {length}\r\n\r\n{body}"),
    }
    .into_bytes()
}

fn create_people(
    organization: &Organization,
    next: &AtomicUsize,
    number: usize,
    connections: usize,
) -> Result<Vec<String>, Failure> {
    let create = || -> Result<Vec<(usize, String)>, Failure> {
        let mut client = organization.client()?;
        let mut made = Vec::new();
        loop {
            let person_number = next.fetch_add(1, Ordering::Relaxed);
            if person_number >= number {
                return Ok(made);
            }
            let body = serde_json::from_str(&person(person_number))?;
            made.push((person_number, create(&mut client, "/Users", &body)?));
        }
    };
    let made: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..connections).map(|_| scope.spawn(create)).collect();
        workers.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    let mut people = Vec::new();
    for some in made {
        people.append(&mut some.map_err(|_| Failure::new("a client panicked"))??);
    }
    people.sort_unstable();
    next.store(number, Ordering::Relaxed);
    check(people.len() == number, || "not everybody was created".to_owned())?;
    Ok(people.into_iter().map(|(_, id)| id).collect())
}

fn create_group(organization: &Organization, name: &str, members: &[String]) -> Result<String, Failure> {
    let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    let group = json!({"schemas": [GROUP], "displayName": name, "members": members});
    let id = create(
        &mut organization.client()?,
        "/Groups?excludedAttributes=members",
        &group,
    )?;
    Ok(format!("/Groups/{id}"))
}

fn create(client: &mut Client, target: &str, body: &Value) -> Result<String, Failure> {
    let made = client.json("POST", target, body)?.expect(201)?.json()?;
    let id = made.get("id").and_then(Value::as_str);
    id.map(str::to_owned)
        .ok_or_else(|| Failure::new(format!("no id in {made}")))
}
