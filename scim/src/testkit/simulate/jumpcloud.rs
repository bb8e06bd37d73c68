//! JumpCloud, custom SCIM application: its test writes, and groups come into being with their first member.

use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::console::Console;
use super::directory::{Group, Person};
use super::flatten::flatten;
use super::job::{Job, Trouble};
use super::ledger::{Ledger, Member, Roster, Team};
use super::provider::{GROUP, Provider, USER, headers, id_of, literal, percent, search_target};
use super::transport::Transport;

pub(super) struct JumpCloud;

fn values(members: &[Member]) -> Value {
    members.iter().map(|member| json!({"value": member.id})).collect()
}

/// Creates something for the test, or finds what an unanswered try has left.
async fn make<T: Transport>(
    job: &mut Job<'_, T>,
    endpoint: &str,
    search: &str,
    attribute: &str,
    body: &Value,
) -> Result<String, Trouble> {
    let name = body.get(attribute).and_then(Value::as_str).unwrap_or_default();
    for _ in 0..20 {
        let list = job.insist(Method::GET, search, None).await?.body;
        if let Some(found) = job
            .resources(search, &list)?
            .iter()
            .find(|found| found.get(attribute) == body.get(attribute))
        {
            return id_of(found);
        }
        match job.create(endpoint, body).await {
            Err(Trouble::NoAnswer(_)) => {}
            Err(trouble) if matches!(trouble.status(), Some(409 | 429 | 503)) => {}
            answer => return answer,
        }
    }
    Err(Trouble::NoAnswer(format!(
        "{name} could not be created in 20 tries"
    )))
}

impl Provider for JumpCloud {
    fn name(&self) -> &'static str {
        "JumpCloud"
    }

    fn console(&self) -> Console {
        Console {
            test: "SSO Applications > Identity Management > Activate",
            failures: "Directory Insights, events of the application",
            retry: "each is tried again when the person or the group changes",
        }
    }

    fn headers(&self) -> HeaderMap {
        headers(&[
            ("accept", "application/scim+json, application/json"),
            ("content-type", "application/scim+json"),
        ])
    }

    fn user_search(&self, login: &str) -> String {
        search_target("/Users", "userName", login, percent)
    }

    fn group_search(&self, name: &str) -> String {
        search_target("/Groups", "displayName", name, percent)
    }

    fn creates_empty_groups(&self) -> bool {
        false
    }

    /// Returns the body of a person: without a schema extension, unless an administrator adds one.
    fn user(&self, person: &Person, _: &Ledger) -> Value {
        let of = |kind: &str, value: &str| json!({"type": kind, "value": value});
        json!({
            "schemas": [USER],
            "userName": person.login,
            "name": {"givenName": person.given, "familyName": person.family},
            "displayName": person.display(),
            "emails": [{"value": person.login, "type": "work", "primary": true}],
            "active": person.active,
            "externalId": person.external_id(),
            "title": person.title,
            "phoneNumbers": person.mobile.iter().map(|mobile| of("mobile", mobile)).collect::<Value>(),
            "addresses": person.city.iter().map(|city| json!({"type": "work", "locality": city})).collect::<Value>(),
        })
    }

    fn group(&self, group: &Group) -> Value {
        json!({"schemas": [GROUP], "displayName": group.name})
    }

    fn first_members(&self, all: &[Member]) -> Option<Value> {
        Some(values(all))
    }

    /// Reads the list, then makes a user and a group and takes both away again, as activation does.
    async fn connect<T: Transport>(&mut self, job: &mut Job<'_, T>) -> Result<(), Trouble> {
        let list = job.insist(Method::GET, "/Users", None).await?.body;
        job.resources("/Users", &list)?;
        let login = format!("jc.test.{}@example.com", job.guid());
        let user = json!({
            "schemas": [USER], "userName": login, "name": {"givenName": "Test", "familyName": "User"},
            "displayName": "Test User", "emails": [{"value": login, "type": "work", "primary": true}], "active": true,
        });
        let user = make(job, "/Users", &self.user_search(&login), "userName", &user).await?;
        let name = format!("jc-test-{}", job.guid());
        let group = json!({"schemas": [GROUP], "displayName": name, "members": [{"value": user}]});
        let group = make(job, "/Groups", &self.group_search(&name), "displayName", &group).await?;
        for path in [format!("/Groups/{group}"), format!("/Users/{user}")] {
            match job.insist(Method::DELETE, &path, None).await {
                Err(trouble) if trouble.status() == Some(404) => {}
                answer => _ = answer?,
            }
        }
        Ok(())
    }

    /// Sends one operation per attribute; lists whole.
    async fn update<T: Transport>(
        &self,
        job: &mut Job<'_, T>,
        id: &str,
        person: &Person,
        found: Option<Value>,
    ) -> Result<(), Trouble> {
        let path = format!("/Users/{id}");
        let held = match found {
            Some(found) => found,
            None => job.get(&path).await?,
        };
        let wanted = self.user(person, &job.ledger);
        let (held, wanted_attributes) = (flatten(&held), flatten(&wanted));
        let mut operations: Vec<Value> = Vec::new();
        for (name, value) in &wanted_attributes {
            if held.get(name) == Some(value) {
                continue;
            }
            let list = name.split_once('[').map(|(list, _)| list);
            let operation = match list {
                Some(list) => json!({"op": "replace", "path": list, "value": wanted.get(list)}),
                None => json!({"op": "replace", "path": name, "value": value}),
            };
            if !operations.contains(&operation) {
                operations.push(operation);
            }
        }
        if operations.is_empty() {
            return Ok(());
        }
        job.patch(&path, operations).await
    }

    /// Pushes a group. Members are added by value, removed by filter, and now and then put as a whole.
    async fn push<T: Transport>(
        &self,
        job: &mut Job<'_, T>,
        group: &Group,
        team: &Team,
        roster: &Roster,
    ) -> Result<(), Trouble> {
        let path = format!("/Groups/{}", team.id);
        if team.name.as_deref() != Some(group.name.as_str()) {
            job.ledger.confirm_name(group.key, None);
            let rename = json!({"op": "replace", "path": "displayName", "value": group.name});
            job.patch(&path, vec![rename]).await?;
            job.ledger.confirm_name(group.key, Some(&group.name));
        }
        if roster.is_settled() {
            return Ok(());
        }
        job.ledger.doubt(group.key, roster);
        if !roster.all.is_empty() && job.random.chance(200) {
            let whole = json!({"op": "replace", "path": "members", "value": values(&roster.all)});
            job.patch(&path, vec![whole]).await?;
        } else {
            if !roster.add.is_empty() {
                let add = json!({"op": "add", "path": "members", "value": values(&roster.add)});
                job.patch(&path, vec![add]).await?;
            }
            for (_, id) in &roster.remove {
                let remove = json!({"op": "remove", "path": format!("members[value eq {}]", literal(id))});
                job.patch(&path, vec![remove]).await?;
            }
        }
        job.ledger.confirm(group.key, roster);
        Ok(())
    }
}
