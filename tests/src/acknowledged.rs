//! Writers that remember what a server has acknowledged, so that it can be looked for after the server was killed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::http::{Client, Response};
use crate::server::Organization;
use crate::{Failure, check, random};

/// One change that a server has acknowledged. People and groups are named by their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A person was created under a name.
    Created {
        /// The id.
        user: String,
        /// The credential that they sign in with.
        name: String,
    },
    /// A person has another title.
    Changed {
        /// The id.
        user: String,
    },
    /// A person has joined a group.
    Joined {
        /// The id of the group.
        group: String,
        /// The id of the person.
        user: String,
    },
    /// A person was deleted.
    Deleted {
        /// The id.
        user: String,
        /// The credential that they signed in with.
        name: String,
    },
}

/// The state that one person must be in.
#[derive(Debug)]
struct Person {
    id: String,
    name: String,
    /// The title that was acknowledged last.
    title: String,
    /// Titles that were sent since and not answered: the person may have any of them.
    titles_sent: Vec<String>,
    is_member: Fact,
    is_deleted: Fact,
}

/// Our knowledge of something that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fact {
    Yes,
    No,
    /// Asked for, and not answered.
    Open,
}

impl Fact {
    fn fits(self, found: bool) -> bool {
        match self {
            Self::Yes => found,
            Self::No => !found,
            Self::Open => true,
        }
    }

    fn of(found: bool) -> Self {
        if found { Self::Yes } else { Self::No }
    }
}

/// One client that creates, changes and deletes people of its own, and puts them into a group.
#[derive(Debug)]
struct Writer {
    organization: Organization,
    group: String,
    people: Vec<Person>,
    acknowledged: Vec<Change>,
    /// Ends the work: the server was killed.
    broken: Option<Failure>,
}

/// Several clients of one organization, and everything that they were told.
#[derive(Debug)]
pub struct Writers(Vec<Writer>);

impl Writers {
    /// Makes so many clients, each with a group of its own.
    pub fn of(organization: &Organization, count: usize) -> Result<Self, Failure> {
        let mut writers = Vec::new();
        for _ in 0..count {
            let name = format!("Group {}", random::hex8());
            let made = organization
                .client()?
                .json("POST", "/Groups", &group(&name))?
                .expect(201)?;
            writers.push(Writer {
                organization: organization.clone(),
                group: id_of(&made)?,
                people: Vec::new(),
                acknowledged: Vec::new(),
                broken: None,
            });
        }
        Ok(Self(writers))
    }

    /// Writes with all clients for a time, then runs `kill`, and waits for the last answers.
    ///
    /// # Errors
    /// A request was answered with something that it must not be answered with, or `kill` fails.
    pub fn work(
        &mut self,
        duration: Duration,
        kill: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let done = AtomicBool::new(false);
        let killed = thread::scope(|scope| {
            for writer in &mut self.0 {
                scope.spawn(|| writer.run(&done));
            }
            thread::sleep(duration);
            let killed = kill();
            done.store(true, Ordering::Relaxed);
            killed
        });
        for writer in &mut self.0 {
            writer.take_broken()?;
        }
        killed
    }

    /// Returns the writes that were acknowledged so far.
    pub fn acknowledged(&self) -> impl Iterator<Item = &Change> {
        self.0.iter().flat_map(|writer| &writer.acknowledged)
    }

    /// Returns the ids of the groups.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|writer| writer.group.as_str())
    }

    /// Returns how many people are members of the groups, once that was [verified](Self::verify).
    pub fn member_count(&self) -> usize {
        let people = self.0.iter().flat_map(|writer| &writer.people);
        people.filter(|person| person.is_member == Fact::Yes).count()
    }

    /// Compares everything that was acknowledged with what the server shows. Whatever was open is known afterwards.
    ///
    /// # Errors
    /// Something that was acknowledged is not there, or not like that.
    pub fn verify(&mut self) -> Result<(), Failure> {
        self.0.iter_mut().try_for_each(Writer::verify)
    }
}

/// The words of a failure that a server's answer has caused; the others are those of a broken connection.
const WRONG: &str = "wrong answer";

impl Writer {
    fn run(&mut self, done: &AtomicBool) {
        let mut client = match self.organization.client() {
            Ok(client) => client,
            Err(failure) => {
                self.broken = Some(failure.during(WRONG));
                return;
            }
        };
        while !done.load(Ordering::Relaxed) {
            match self.step(&mut client) {
                Ok(change) => self.acknowledged.push(change),
                Err(failure) => {
                    self.broken = Some(failure);
                    return;
                }
            }
        }
    }

    /// Takes the failure, and returns it unless a connection broke: that is what a kill looks like.
    fn take_broken(&mut self) -> Result<(), Failure> {
        match self.broken.take() {
            Some(failure) if failure.to_string().contains(WRONG) => Err(failure),
            _ => Ok(()),
        }
    }

    fn step(&mut self, client: &mut Client) -> Result<Change, Failure> {
        let chosen = usize::try_from(random::bits() >> 8).unwrap_or_default();
        let count = self.people.len();
        let group = self.group.clone();
        let Some(person) = self.people.get_mut(chosen % count.max(1)) else {
            return self.create(client);
        };
        let is_gone = person.is_deleted != Fact::No;
        match random::bits() % 8 {
            0..=2 => self.create(client),
            _ if is_gone => self.create(client),
            3..=5 => person.rename(client),
            6 => person.join(client, &group),
            _ => person.leave(client),
        }
    }

    fn create(&mut self, client: &mut Client) -> Result<Change, Failure> {
        let name = format!("{}@example.com", random::uuid());
        let person = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": name,
            "title": "new",
        });
        let made = answered(client.json("POST", "/Users", &person)?, &[201])?;
        let user = id_of(&made)?;
        self.people.push(Person {
            id: user.clone(),
            name: name.clone(),
            title: "new".to_owned(),
            titles_sent: Vec::new(),
            is_member: Fact::No,
            is_deleted: Fact::No,
        });
        Ok(Change::Created { user, name })
    }

    fn verify(&mut self) -> Result<(), Failure> {
        let mut client = self.organization.client()?;
        for person in &mut self.people {
            person
                .verify(&mut client, &self.group)
                .map_err(|failure| failure.during(format!("person {}", person.id)))?;
        }
        // Those who are gone stay gone: looking once is enough.
        self.people.retain(|person| person.is_deleted != Fact::Yes);
        Ok(())
    }
}

impl Person {
    fn rename(&mut self, client: &mut Client) -> Result<Change, Failure> {
        let title = random::hex8();
        self.titles_sent.push(title.clone());
        let change = patch(&json!([{"op": "replace", "path": "title", "value": title}]));
        answered(
            client.json("PATCH", &format!("/Users/{}", self.id), &change)?,
            &[200, 204],
        )?;
        self.title = title;
        self.titles_sent.clear();
        let user = self.id.clone();
        Ok(Change::Changed { user })
    }

    fn join(&mut self, client: &mut Client, group: &str) -> Result<Change, Failure> {
        self.is_member = Fact::Open;
        let change = patch(&json!([{"op": "add", "path": "members", "value": [{"value": self.id}]}]));
        answered(
            client.json("PATCH", &format!("/Groups/{group}"), &change)?,
            &[200, 204],
        )?;
        self.is_member = Fact::Yes;
        let (group, user) = (group.to_owned(), self.id.clone());
        Ok(Change::Joined { group, user })
    }

    fn leave(&mut self, client: &mut Client) -> Result<Change, Failure> {
        self.is_deleted = Fact::Open;
        answered(client.delete(&format!("/Users/{}", self.id))?, &[204])?;
        self.is_deleted = Fact::Yes;
        let (user, name) = (self.id.clone(), self.name.clone());
        Ok(Change::Deleted { user, name })
    }

    fn verify(&mut self, client: &mut Client, group: &str) -> Result<(), Failure> {
        let answer = client.get(&format!("/Users/{}", self.id))?;
        check(matches!(answer.status, 200 | 404), || answer.to_string())?;
        let is_deleted = answer.status == 404;
        check(self.is_deleted.fits(is_deleted), || {
            format!("deleted: {:?}, but the answer is {answer}", self.is_deleted)
        })?;
        self.is_deleted = Fact::of(is_deleted);
        if is_deleted {
            return Ok(());
        }
        let found = answer.json()?;
        let title = found["title"].as_str().unwrap_or_default().to_owned();
        let sent = std::mem::take(&mut self.titles_sent);
        check(title == self.title || sent.contains(&title), || {
            format!(
                "the title {:?} was acknowledged and {sent:?} were sent, but it is {title:?}",
                self.title
            )
        })?;
        self.title = title;
        let groups = found["groups"].as_array().map_or(&[][..], Vec::as_slice);
        let is_member = groups.iter().any(|shown| shown["value"] == *group);
        check(self.is_member.fits(is_member), || {
            format!("member: {:?}, but it shows {groups:?}", self.is_member)
        })?;
        self.is_member = Fact::of(is_member);
        Ok(())
    }
}

fn answered(answer: Response, wanted: &[u16]) -> Result<Response, Failure> {
    check(wanted.contains(&answer.status), || {
        format!("{WRONG}: wanted {wanted:?}, got {answer}")
    })?;
    Ok(answer)
}

fn group(name: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": name,
    })
}

fn patch(operations: &Value) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": operations,
    })
}

fn id_of(answer: &Response) -> Result<String, Failure> {
    let id = answer.json()?["id"].as_str().map(str::to_owned);
    id.ok_or_else(|| Failure::new(format!("{WRONG}: no id in {answer}")))
}
