//! The things that a provider's dialect has to say, and those that all dialects have in common.

use http::HeaderMap;
use serde_json::{Value, json};

use super::console::Console;
use super::directory::{Directory, Group, Key, Object, Person};
use super::job::{Job, Trouble};
use super::ledger::{Ledger, Member, Roster, Team};
use super::report::Fault;
use super::transport::Transport;

pub(super) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(super) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub(super) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// When a provider stops trusting a server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quarantine {
    /// Failures of a hundred attempts, from `least` failures on.
    pub(super) percent: u64,
    pub(super) least: u64,
    /// Failures at most, whatever their share.
    pub(super) most: u64,
}

/// The dialect of one provider.
pub(super) trait Provider: Send + Sync {
    /// Returns its name in reports.
    fn name(&self) -> &'static str;

    /// Returns the place at which it shows what happened.
    fn console(&self) -> Console;

    /// Headers of every request.
    fn headers(&self) -> HeaderMap;

    /// Changes that are provisioned together; 1 where every change is an event.
    fn batch(&self) -> usize {
        1
    }

    /// Says how often a request is sent that the server is too busy for.
    fn patience(&self) -> u32 {
        10
    }

    fn quarantine(&self) -> Option<Quarantine> {
        None
    }

    /// Returns the URL that finds a person by login.
    fn user_search(&self, login: &str) -> String;

    /// Returns the URL that finds a group by name.
    fn group_search(&self, name: &str) -> String;

    /// Returns whether a person is created without being searched for first.
    fn creates_first(&self) -> bool {
        false
    }

    /// Returns whether the person is assigned: they have an account as long as this holds.
    fn is_assigned(&self, person: &Person) -> bool {
        _ = person;
        true
    }

    /// Returns whether an inactive person stays in the groups of the server.
    fn keeps_inactive_members(&self) -> bool {
        true
    }

    /// Returns whether a group exists on the server before it has members.
    fn creates_empty_groups(&self) -> bool {
        true
    }

    /// Returns the body with which the person is created: all that the server must hold.
    fn user(&self, person: &Person, ledger: &Ledger) -> Value;

    /// Returns the body with which the group is created, and what else the server must hold, but for its members.
    fn group(&self, group: &Group) -> Value;

    /// Returns the members with which a group is created.
    fn first_members(&self, all: &[Member]) -> Option<Value> {
        _ = all;
        None
    }

    /// Returns the body of a creation without one thing that servers are known to refuse, and the fault if that was it.
    fn simplified(&self, body: &Value) -> Option<(Fault, Value)> {
        _ = body;
        None
    }

    /// Tests the connection.
    fn connect<T: Transport>(
        &mut self,
        job: &mut Job<'_, T>,
    ) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// Makes an account that exists what `user` says. `found` is what a search returned.
    fn update<T: Transport>(
        &self,
        job: &mut Job<'_, T>,
        id: &str,
        person: &Person,
        found: Option<Value>,
    ) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// Lets go of an account. Returns what stays on the server.
    fn remove<T: Transport>(
        &self,
        job: &mut Job<'_, T>,
        id: &str,
    ) -> impl Future<Output = Result<Option<Value>, Trouble>> + Send {
        let path = format!("/Users/{id}");
        async move { job.delete(&path).await.map(|()| None) }
    }

    /// Makes a group that exists what the directory says.
    fn push<T: Transport>(
        &self,
        job: &mut Job<'_, T>,
        group: &Group,
        team: &Team,
        roster: &Roster,
    ) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// Lets go of a group. Returns what stays on the server.
    fn dissolve<T: Transport>(
        &self,
        job: &mut Job<'_, T>,
        team: &Team,
    ) -> impl Future<Output = Result<Option<Value>, Trouble>> + Send {
        let path = format!("/Groups/{}", team.id);
        async move { job.delete(&path).await.map(|()| None) }
    }

    /// Carries out the orders of an administrator for a group, besides the cycles: `present` are members whom the server has
    /// confirmed. Returns whether there was anything to do.
    fn on_demand<T: Transport>(
        &self,
        job: &mut Job<'_, T>,
        team: &Team,
        present: &[Member],
    ) -> impl Future<Output = Result<bool, Trouble>> + Send {
        _ = (job, team, present);
        std::future::ready(Ok(false))
    }
}

/// Whether there is more to do for an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Done,
    /// It needs something that is not on the server yet, or not yet gone from it.
    Waits,
}

/// Brings one object to the server.
pub(super) async fn provision<P: Provider, T: Transport>(
    provider: &P,
    job: &mut Job<'_, T>,
    directory: &Directory,
    object: Object,
) -> Result<Step, Trouble> {
    match object {
        Object::Person(key) => provision_person(provider, job, directory, key).await,
        Object::Group(key) => provision_group(provider, job, directory, key).await,
    }
}

async fn provision_person<P: Provider, T: Transport>(
    provider: &P,
    job: &mut Job<'_, T>,
    directory: &Directory,
    key: Key,
) -> Result<Step, Trouble> {
    // A creation without an answer comes first: the person may be there under a login that has changed since.
    if let Some(login) = job.ledger.attempted_people.get(&key).cloned() {
        let path = provider.user_search(&login);
        match job.find(&path, "userName", &login).await? {
            Some(found) => {
                let id = id_of(&found)?;
                if job.ledger.is_anothers(&id, key) {
                    return Ok(Step::Waits);
                }
                job.ledger.link(key, id);
            }
            None => _ = job.ledger.attempted_people.remove(&key),
        }
    }
    let person = directory
        .people
        .get(&key)
        .filter(|person| provider.is_assigned(person));
    let account = job.ledger.accounts.get(&key).cloned();
    let (Some(person), account) = (person, account.clone()) else {
        if let Some(id) = account {
            let left = what_is_left(provider.remove(job, &id).await)?;
            match left {
                Some(left) => {
                    job.ledger.unlink(key);
                    job.ledger.left_people.insert(id, left);
                }
                None => job.ledger.forget(key),
            }
        }
        return Ok(Step::Done);
    };
    match account {
        Some(id) => update(provider, job, &id, person, None).await?,
        None => match search(provider, job, person).await? {
            Some(found) => {
                let id = id_of(&found)?;
                if job.ledger.is_anothers(&id, key) {
                    return Ok(Step::Waits);
                }
                job.ledger.link(key, id.clone());
                update(provider, job, &id, person, Some(found)).await?;
            }
            None if person.active && create(provider, job, person).await? == Step::Waits => {
                return Ok(Step::Waits);
            }
            None => {}
        },
    }
    let waits = person.manager.is_some_and(|manager| {
        let boss = directory.people.get(&manager);
        boss.is_some_and(|boss| boss.active) && !job.ledger.accounts.contains_key(&manager)
    });
    Ok(if waits { Step::Waits } else { Step::Done })
}

/// Returns what stays on the server of what the provider lets go: nothing, if somebody else has deleted it.
fn what_is_left(left: Result<Option<Value>, Trouble>) -> Result<Option<Value>, Trouble> {
    match left {
        Err(trouble) if trouble.status() == Some(404) => Ok(None),
        left => left,
    }
}

async fn update<P: Provider, T: Transport>(
    provider: &P,
    job: &mut Job<'_, T>,
    id: &str,
    person: &Person,
    found: Option<Value>,
) -> Result<(), Trouble> {
    match provider.update(job, id, person, found).await {
        // Somebody has deleted the account on the server: the next cycle makes another.
        Err(trouble) if trouble.status() == Some(404) => {
            job.ledger.forget(person.key);
            Err(trouble)
        }
        answer => answer,
    }
}

async fn search<P: Provider, T: Transport>(
    provider: &P,
    job: &mut Job<'_, T>,
    person: &Person,
) -> Result<Option<Value>, Trouble> {
    if provider.creates_first() {
        return Ok(None);
    }
    job.find(&provider.user_search(&person.login), "userName", &person.login)
        .await
}

async fn create<P: Provider, T: Transport>(
    provider: &P,
    job: &mut Job<'_, T>,
    person: &Person,
) -> Result<Step, Trouble> {
    job.ledger
        .attempted_people
        .insert(person.key, person.login.clone());
    let body = provider.user(person, &job.ledger);
    match create_resource(provider, job, "/Users", &body).await {
        Ok(id) => job.ledger.link(person.key, id),
        Err(trouble) if trouble.status() == Some(409) && provider.creates_first() => {
            let path = provider.user_search(&person.login);
            let Some(found) = job.find(&path, "userName", &person.login).await? else {
                return Err(trouble);
            };
            let id = id_of(&found)?;
            if job.ledger.is_anothers(&id, person.key) {
                return Ok(Step::Waits);
            }
            job.ledger.link(person.key, id.clone());
            update(provider, job, &id, person, Some(found)).await?;
        }
        Err(trouble) => return Err(trouble),
    }
    Ok(Step::Done)
}

/// Creates a resource. Of a refusal the provider only says that there was one. To say why, the creation is tried without what the
/// server may not understand; if that succeeds, the simulation goes on, so that one fault does not hide the next.
async fn create_resource<P: Provider, T: Transport>(
    provider: &P,
    job: &mut Job<'_, T>,
    endpoint: &str,
    body: &Value,
) -> Result<String, Trouble> {
    let refused = match job.create(endpoint, body).await {
        Err(trouble) if trouble.status() == Some(400) => trouble,
        answer => return answer,
    };
    let Some((fault, simplified)) = provider.simplified(body) else {
        return Err(refused);
    };
    match job.create(endpoint, &simplified).await {
        Err(trouble) if trouble.is_refusal() => Err(refused),
        Err(trouble) => Err(trouble),
        Ok(id) => {
            job.report.fault(fault, refused.describe());
            job.report.refusal(refused.kind(), refused.describe());
            Ok(id)
        }
    }
}

async fn provision_group<P: Provider, T: Transport>(
    provider: &P,
    job: &mut Job<'_, T>,
    directory: &Directory,
    key: Key,
) -> Result<Step, Trouble> {
    if let Some(name) = job.ledger.attempted_groups.get(&key).cloned() {
        let path = provider.group_search(&name);
        match job.find(&path, "displayName", &name).await? {
            Some(found) => adopt_group(job, key, &found, &[])?,
            None => _ = job.ledger.attempted_groups.remove(&key),
        }
    }
    let Some(group) = directory.groups.get(&key) else {
        if let Some(team) = job.ledger.teams.get(&key).cloned() {
            let left = what_is_left(provider.dissolve(job, &team).await)?;
            job.ledger.teams.remove(&key);
            job.ledger.left_groups.extend(left.map(|left| (team.id, left)));
        }
        return Ok(Step::Done);
    };
    let all = members(provider, &job.ledger, directory, group);
    if !job.ledger.teams.contains_key(&key) {
        if all.is_empty() && !provider.creates_empty_groups() {
            return Ok(Step::Done);
        }
        match job
            .find(&provider.group_search(&group.name), "displayName", &group.name)
            .await?
        {
            Some(found) => adopt_group(job, key, &found, &all)?,
            None => create_group(provider, job, group, &all).await?,
        }
    }
    let roster = job.ledger.roster(key, all);
    let Some(team) = job.ledger.teams.get(&key).cloned() else {
        return Ok(Step::Done);
    };
    match provider.push(job, group, &team, &roster).await {
        Err(trouble) if trouble.status() == Some(404) => {
            job.ledger.teams.remove(&key);
            Err(trouble)
        }
        answer => answer.map(|()| Step::Done),
    }
}

/// Returns those of the group who have accounts.
pub(super) fn members<P: Provider>(
    provider: &P,
    ledger: &Ledger,
    directory: &Directory,
    group: &Group,
) -> Vec<Member> {
    let people = group.members.iter().filter_map(|key| directory.people.get(key));
    people
        .filter(|person| person.active || provider.keeps_inactive_members())
        .filter_map(|person| {
            Some(Member {
                key: person.key,
                id: ledger.accounts.get(&person.key)?.clone(),
                login: person.login.clone(),
            })
        })
        .collect()
}

/// Adopts a group that was found. Nobody knows its members: all of them are sent again.
fn adopt_group<T: Transport>(
    job: &mut Job<'_, T>,
    key: Key,
    found: &Value,
    all: &[Member],
) -> Result<(), Trouble> {
    let team = Team {
        id: id_of(found)?,
        doubtful: all.iter().map(|member| (member.key, member.id.clone())).collect(),
        ..Team::default()
    };
    job.ledger.link_group(key, team);
    Ok(())
}

async fn create_group<P: Provider, T: Transport>(
    provider: &P,
    job: &mut Job<'_, T>,
    group: &Group,
    all: &[Member],
) -> Result<(), Trouble> {
    job.ledger.attempted_groups.insert(group.key, group.name.clone());
    let mut body = provider.group(group);
    let first = provider.first_members(all);
    let has_members = first
        .as_ref()
        .and_then(Value::as_array)
        .is_some_and(|first| !first.is_empty());
    if let (Some(first), Some(body)) = (first, body.as_object_mut()) {
        body.insert("members".into(), first);
    }
    let id = create_resource(provider, job, "/Groups", &body).await?;
    let members = all.iter().filter(|_| has_members);
    let team = Team {
        id,
        name: Some(group.name.clone()),
        members: members.map(|member| (member.key, member.id.clone())).collect(),
        ..Team::default()
    };
    job.ledger.link_group(group.key, team);
    Ok(())
}

pub(super) fn id_of(document: &Value) -> Result<String, Trouble> {
    match document.get("id").and_then(Value::as_str) {
        Some(id) if !id.is_empty() => Ok(id.to_owned()),
        _ => Err(Trouble::Strange("a resource without an id was returned".into())),
    }
}

/// Writes a string literal of a filter (RFC 7644 figure 1), not yet encoded for a URL.
pub(super) fn literal(text: &str) -> String {
    json!(text).to_string()
}

/// Writes a search at `endpoint` for the resource whose `attribute` is `value`; `encoded` writes the filter as the provider does.
pub(super) fn search_target(
    endpoint: &str,
    attribute: &str,
    value: &str,
    encoded: fn(&str) -> String,
) -> String {
    let filter = encoded(&format!("{attribute} eq {}", literal(value)));
    format!("{endpoint}?filter={filter}")
}

/// Writes `text` as it stands in a query, with `%20` for spaces.
pub(super) fn percent(text: &str) -> String {
    plus(text).replace('+', "%20")
}

/// Writes `text` as it stands in a query, with `+` for spaces.
pub(super) fn plus(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Removes members whom the value names, not the path. A refusal is a fault of its own: nobody ever leaves a group.
pub(super) async fn remove_by_value<T: Transport>(
    job: &mut Job<'_, T>,
    team: &str,
    removal: Value,
) -> Result<(), Trouble> {
    job.ledger.removed_by_value.insert(team.to_owned());
    let answer = job.patch(&format!("/Groups/{team}"), vec![removal]).await;
    if let Err(trouble) = &answer
        && trouble.status() == Some(400)
    {
        job.report.fault(Fault::RemovalByValueRefused, trouble.describe());
    }
    answer
}

/// Headers from names and values that are known to be ones.
pub(super) fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (
                http::HeaderName::from_static(name),
                http::HeaderValue::from_static(value),
            )
        })
        .collect()
}
