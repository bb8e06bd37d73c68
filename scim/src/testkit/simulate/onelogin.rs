//! OneLogin: users are put whole, from a template that an administrator has written; groups are never deleted.

use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::console::Console;
use super::directory::{Group, Person};
use super::job::{Job, Trouble};
use super::ledger::{Ledger, Member, Roster, Team};
use super::provider::{GROUP, Provider, USER, headers, literal, percent, search_target};
use super::transport::Transport;

pub(super) struct OneLogin;

impl Provider for OneLogin {
    fn name(&self) -> &'static str {
        "OneLogin"
    }

    fn console(&self) -> Console {
        Console {
            test: "Configuration > API Connection > Enable",
            failures: "Users > Provisioning, state Failed",
            retry: "each waits there until somebody approves it again",
        }
    }

    fn headers(&self) -> HeaderMap {
        headers(&[
            ("user-agent", "OneLogin SCIM"),
            ("accept", "application/json"),
            ("content-type", "application/json; charset=utf-8"),
        ])
    }

    fn user_search(&self, login: &str) -> String {
        search_target("/Users", "userName", login, percent)
    }

    fn group_search(&self, name: &str) -> String {
        search_target("/Groups", "displayName", name, percent)
    }

    /// Fills in a template, which leaves nulls and empty strings where a person has no value.
    fn user(&self, person: &Person, _: &Ledger) -> Value {
        json!({
            "schemas": [USER],
            "userName": person.login,
            "displayName": person.display(),
            "externalId": person.login,
            "active": person.active,
            "name": {"givenName": person.given, "familyName": person.family, "formatted": person.display()},
            "emails": [{"value": person.login, "type": "work", "primary": true}],
            "title": person.title,
            "nickName": "",
            "preferredLanguage": null,
            "phoneNumbers": [{"type": "mobile", "value": person.mobile}],
        })
    }

    fn group(&self, group: &Group) -> Value {
        json!({"schemas": [GROUP], "displayName": group.name})
    }

    fn first_members(&self, _: &[Member]) -> Option<Value> {
        Some(json!([]))
    }

    /// Looks for somebody who is not there, and reads the groups from which rules are made.
    async fn connect<T: Transport>(&mut self, job: &mut Job<'_, T>) -> Result<(), Trouble> {
        let guid = job.guid();
        for path in [self.user_search(&guid), "/Groups".to_owned()] {
            let list = job.insist(Method::GET, &path, None).await?.body;
            job.resources(&path, &list)?;
        }
        Ok(())
    }

    async fn update<T: Transport>(
        &self,
        job: &mut Job<'_, T>,
        id: &str,
        person: &Person,
        _: Option<Value>,
    ) -> Result<(), Trouble> {
        let path = format!("/Users/{id}");
        job.get(&path).await?;
        let body = self.user(person, &job.ledger);
        job.put(&path, &body).await.map(|_| ())
    }

    async fn push<T: Transport>(
        &self,
        job: &mut Job<'_, T>,
        group: &Group,
        team: &Team,
        roster: &Roster,
    ) -> Result<(), Trouble> {
        let path = format!("/Groups/{}", team.id);
        let mut operations = Vec::new();
        if team.name.as_deref() != Some(group.name.as_str()) {
            job.ledger.confirm_name(group.key, None);
            operations.push(json!({"op": "replace", "path": "displayName", "value": group.name}));
        }
        if !roster.add.is_empty() {
            let values: Value = roster
                .add
                .iter()
                .map(|member| json!({"value": member.id}))
                .collect();
            operations.push(json!({"op": "add", "path": "members", "value": values}));
        }
        for (_, id) in &roster.remove {
            operations.push(json!({"op": "remove", "path": format!("members[value eq {}]", literal(id))}));
        }
        if operations.is_empty() {
            return Ok(());
        }
        job.ledger.doubt(group.key, roster);
        job.patch(&path, operations).await?;
        job.ledger.confirm(group.key, roster);
        job.ledger.confirm_name(group.key, Some(&group.name));
        Ok(())
    }

    /// Takes the people of a rule out of the group when the rule goes; the group stays.
    async fn dissolve<T: Transport>(
        &self,
        job: &mut Job<'_, T>,
        team: &Team,
    ) -> Result<Option<Value>, Trouble> {
        let path = format!("/Groups/{}", team.id);
        job.patch(&path, vec![json!({"op": "remove", "path": "members"})])
            .await?;
        let document = job.get(&path).await?;
        Ok(Some(json!({"displayName": document.get("displayName")})))
    }
}
