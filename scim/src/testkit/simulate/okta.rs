//! Okta: every change is a task of its own, nothing is ever deleted but groups.

use http::{HeaderMap, Method};
use serde_json::{Map, Value, json};

use super::console::Console;
use super::directory::{Group, Person};
use super::flatten::flatten;
use super::job::{Job, Trouble};
use super::ledger::{Ledger, Member, Roster, Team};
use super::provider::{ENTERPRISE, GROUP, Provider, USER, headers, literal, percent, search_target};
use super::transport::Transport;

/// How an application of Okta writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// A custom SCIM application, made in the wizard: users and groups are read and put back whole.
    Put,
    /// An application of the Okta Integration Network: activation and groups by PATCH, profiles by PUT.
    Patch,
}

pub(super) struct Okta(Style);

impl Okta {
    pub(super) fn custom() -> Self {
        Self(Style::Put)
    }

    pub(super) fn of_the_network() -> Self {
        Self(Style::Patch)
    }
}

const HEADERS: &[(&str, &str)] = &[
    ("user-agent", "Okta SCIM Client 1.0.0"),
    ("accept", "application/scim+json"),
    ("accept-charset", "utf-8"),
    ("content-type", "application/scim+json; charset=utf-8"),
];

/// Returns the body of a person. The password is random, comes with every creation and must never come back.
fn user(person: &Person) -> Value {
    json!({
        "schemas": [USER, ENTERPRISE],
        "userName": person.login,
        "name": {"givenName": person.given, "familyName": person.family},
        "emails": [{"primary": true, "value": person.login, "type": "work"}],
        "displayName": person.display(),
        "title": person.title,
        "locale": "en-US",
        "externalId": person.external_id(),
        "phoneNumbers": person.mobile.iter().map(|mobile| json!({"type": "mobile", "value": mobile})).collect::<Value>(),
        "groups": [],
        "password": format!("Ph4-{:08x}-xQz!", person.key.wrapping_mul(0x9e37_79b9)),
        "active": person.active,
        ENTERPRISE: {"department": person.department, "employeeNumber": person.employee_number()},
    })
}

/// Reads the document of the server, lays the own values over it and puts it back: with id, meta and whatever came.
async fn put_merged<T: Transport>(job: &mut Job<'_, T>, path: &str, own: &Value) -> Result<(), Trouble> {
    let mut document = job.get(path).await?;
    let Some(merged) = document.as_object_mut() else {
        return Err(Trouble::Strange(format!("GET {path} returned no resource")));
    };
    merged.extend(own.as_object().cloned().unwrap_or_default());
    job.put(path, &document).await.map(|_| ())
}

/// Returns what stays on the server of somebody whom Okta has let go: the same, inactive.
async fn left<T: Transport>(job: &mut Job<'_, T>, path: &str) -> Result<Option<Value>, Trouble> {
    job.get(path).await.map(|mut document| {
        document
            .as_object_mut()
            .map(|members: &mut Map<_, _>| members.insert("active".into(), json!(false)));
        Some(document)
    })
}

fn display(members: &[Member]) -> Value {
    members
        .iter()
        .map(|member| json!({"value": member.id, "display": member.login}))
        .collect()
}

impl Provider for Okta {
    fn name(&self) -> &'static str {
        match self.0 {
            Style::Put => "Okta, custom application (PUT)",
            Style::Patch => "Okta, integration network (PATCH)",
        }
    }

    fn console(&self) -> Console {
        Console {
            test: "Provisioning > Integration > Test API Credentials",
            failures: "Dashboard > Tasks",
            retry: "a task waits there until somebody presses Retry Selected",
        }
    }

    fn headers(&self) -> HeaderMap {
        headers(HEADERS)
    }

    fn user_search(&self, login: &str) -> String {
        let search = search_target("/Users", "userName", login, percent);
        format!("{search}&startIndex=1&count=100")
    }

    fn group_search(&self, name: &str) -> String {
        let search = search_target("/Groups", "displayName", name, percent);
        format!("{search}&startIndex=1&count=100")
    }

    /// Says that unassigned people leave the pushed groups.
    fn keeps_inactive_members(&self) -> bool {
        false
    }

    fn user(&self, person: &Person, _: &Ledger) -> Value {
        user(person)
    }

    fn group(&self, group: &Group) -> Value {
        json!({"schemas": [GROUP], "displayName": group.name})
    }

    fn first_members(&self, all: &[Member]) -> Option<Value> {
        Some(match self.0 {
            Style::Put => display(all),
            Style::Patch => json!([]),
        })
    }

    /// Makes the wizard's only call, and asks what it asks when groups are imported too.
    async fn connect<T: Transport>(&mut self, job: &mut Job<'_, T>) -> Result<(), Trouble> {
        for path in ["/Users?startIndex=1&count=2", "/Groups?startIndex=1&count=100"] {
            let list = job.insist(Method::GET, path, None).await?.body;
            job.resources(path, &list)?;
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
        match self.0 {
            Style::Put => put_merged(job, &format!("/Users/{id}"), &user(person)).await,
            Style::Patch => update_profile(job, id, person).await,
        }
    }

    async fn remove<T: Transport>(&self, job: &mut Job<'_, T>, id: &str) -> Result<Option<Value>, Trouble> {
        let path = format!("/Users/{id}");
        let left = left(job, &path).await?;
        let inactive = json!({"active": false});
        let done = match self.0 {
            Style::Put => put_merged(job, &path, &inactive).await,
            Style::Patch => {
                let deactivation = json!({"op": "replace", "value": inactive});
                job.patch(&path, vec![deactivation]).await
            }
        };
        done.map(|()| left)
    }

    async fn push<T: Transport>(
        &self,
        job: &mut Job<'_, T>,
        group: &Group,
        team: &Team,
        roster: &Roster,
    ) -> Result<(), Trouble> {
        match self.0 {
            Style::Put => push_whole(job, group, team, roster).await,
            Style::Patch => push_changes(job, group, team, roster).await,
        }
    }

    async fn on_demand<T: Transport>(
        &self,
        job: &mut Job<'_, T>,
        team: &Team,
        present: &[Member],
    ) -> Result<bool, Trouble> {
        match self.0 {
            Style::Put => Ok(false),
            Style::Patch => retry(job, team, present).await,
        }
    }
}

/// Pushes the whole membership every time. Whether it changed is not asked.
async fn push_whole<T: Transport>(
    job: &mut Job<'_, T>,
    group: &Group,
    team: &Team,
    roster: &Roster,
) -> Result<(), Trouble> {
    let path = format!("/Groups/{}", team.id);
    job.get(&path).await?;
    let body = json!({
        "schemas": [GROUP], "id": team.id, "displayName": group.name, "members": display(&roster.all),
    });
    job.put(&path, &body).await?;
    job.ledger.confirm(group.key, roster);
    Ok(())
}

/// Updates the profile. Activation is a PATCH of its own, a new password too; the profile is put as in the other dialect.
async fn update_profile<T: Transport>(
    job: &mut Job<'_, T>,
    id: &str,
    person: &Person,
) -> Result<(), Trouble> {
    let path = format!("/Users/{id}");
    let wanted = user(person);
    let mut held = flatten(&job.get(&path).await?);
    let active = held.insert("active".into(), json!(person.active));
    if active != Some(json!(person.active)) {
        let activation = json!({"op": "replace", "value": {"active": person.active}});
        job.patch(&path, vec![activation]).await?;
    }
    if held != flatten(&wanted) {
        put_merged(job, &path, &wanted).await?;
    }
    if job.random.chance(100) {
        let password = format!("Sync-{:x}-77!", job.random.next());
        job.patch(
            &path,
            vec![json!({"op": "replace", "value": {"password": password}})],
        )
        .await?;
    }
    Ok(())
}

/// Retries the failed task of a group, as an administrator does: sends again the members who are there already, by the
/// logins that they have now.
async fn retry<T: Transport>(job: &mut Job<'_, T>, team: &Team, present: &[Member]) -> Result<bool, Trouble> {
    if present.is_empty() {
        return Ok(false);
    }
    let add = json!({"op": "add", "path": "members", "value": display(present)});
    let path = format!("/Groups/{}", team.id);
    job.patch(&path, vec![add]).await.map(|()| true)
}

/// Pushes the changes of a group. The name is sent before every change of members, changed or not. Removals name one member each;
/// a group of which nothing is known is pushed whole.
async fn push_changes<T: Transport>(
    job: &mut Job<'_, T>,
    group: &Group,
    team: &Team,
    roster: &Roster,
) -> Result<(), Trouble> {
    let path = format!("/Groups/{}", team.id);
    let is_new = team.members.is_empty();
    if roster.is_settled() && team.name.as_deref() == Some(group.name.as_str()) {
        return Ok(());
    }
    job.ledger.confirm_name(group.key, None);
    job.ledger.doubt(group.key, roster);
    let name = json!({"op": "replace", "value": {"id": team.id, "displayName": group.name}});
    job.patch(&path, vec![name]).await?;
    job.ledger.confirm_name(group.key, Some(&group.name));
    let mut operations: Vec<_> = roster
        .remove
        .iter()
        .map(|(_, id)| json!({"op": "remove", "path": format!("members[value eq {}]", literal(id))}))
        .collect();
    if !roster.add.is_empty() {
        operations.push(json!({"op": "add", "path": "members", "value": display(&roster.add)}));
    }
    if is_new || roster.all.is_empty() {
        operations = vec![json!({"op": "replace", "path": "members", "value": display(&roster.all)})];
    }
    if !roster.is_settled() {
        job.patch(&path, operations).await?;
    }
    job.ledger.confirm(group.key, roster);
    Ok(())
}
