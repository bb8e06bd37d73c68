//! Small changes that keep coming: people join and leave groups, are renamed, deactivated and activated, come and go.

use std::collections::BTreeSet;
use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::dice::Dice;
use super::provider::Provider;
use crate::domain::fault::Result;

/// The pause between two changes.
const PAUSE: Duration = Duration::from_secs(3);

/// A group is not made smaller than this, so that its roles have people.
const SMALLEST: usize = 3;

/// So many people stay active of ten.
const ACTIVE_OF_TEN: usize = 9;

/// So many people come at most beyond those whom the story has left.
const GUESTS: usize = 20;

const FAMILIES: [&str; 8] = [
    "Abel", "Berg", "Castro", "Diaz", "Eriksen", "Fofana", "Gruber", "Haddad",
];

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Makes changes for ever. If the organization does not let the provider in, it tries again.
pub(super) async fn live(mut provider: Provider, seed: u64) {
    let mut dice = Dice::seeded(seed);
    let mut known = None;
    loop {
        tokio::time::sleep(PAUSE).await;
        let done = match &mut known {
            Some(known) => change(&mut provider, known, &mut dice).await,
            None => look(&mut provider).await.map(|found| {
                known = found;
                StatusCode::OK
            }),
        };
        // Somebody else may have changed what is there: it is looked at again.
        match done {
            Ok(status) if status.is_success() => {}
            Ok(status) => {
                tracing::info!(organization = %provider.organization(), %status, "the demonstration was refused");
                known = None;
            }
            Err(fault) => {
                tracing::warn!("the demonstration cannot go on: {}", fault.with_causes());
                known = None;
            }
        }
    }
}

/// The resources that the provider knows to be on the server.
#[derive(Debug)]
struct Known {
    people: Vec<Person>,
    groups: Vec<Group>,
    guests: usize,
}

#[derive(Debug)]
struct Person {
    id: String,
    is_active: bool,
    is_guest: bool,
}

#[derive(Debug)]
struct Group {
    id: String,
    members: BTreeSet<String>,
}

/// Looks at what there is; `None` where the provider is not let in.
async fn look(provider: &mut Provider) -> Result<Option<Known>> {
    let path = "/Users?count=200&attributes=active,externalId";
    let (status, users) = provider.ask(Method::GET, path, None).await?;
    if !status.is_success() {
        return Ok(None);
    }
    let (_, groups) = provider
        .ask(Method::GET, "/Groups?count=200&attributes=members", None)
        .await?;
    let people: Vec<_> = resources(&users).filter_map(person).collect();
    Ok(Some(Known {
        guests: people.iter().filter(|person| person.is_guest).count(),
        people,
        groups: resources(&groups).filter_map(group).collect(),
    }))
}

fn resources(list: &Value) -> impl Iterator<Item = &Value> {
    list.get("Resources")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn text<'v>(of: &'v Value, name: &str) -> Option<&'v str> {
    of.get(name).and_then(Value::as_str)
}

fn person(shown: &Value) -> Option<Person> {
    Some(Person {
        id: text(shown, "id")?.to_owned(),
        is_active: shown.get("active").and_then(Value::as_bool).unwrap_or(true),
        is_guest: text(shown, "externalId").is_some_and(|id| id.starts_with("guest-")),
    })
}

fn group(shown: &Value) -> Option<Group> {
    let members = shown
        .get("members")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    Some(Group {
        id: text(shown, "id")?.to_owned(),
        members: members
            .filter_map(|member| Some(text(member, "value")?.to_owned()))
            .collect(),
    })
}

/// Makes one change.
async fn change(provider: &mut Provider, known: &mut Known, dice: &mut Dice) -> Result<StatusCode> {
    match dice.below(100) {
        0..35 => join(provider, known, dice).await,
        35..60 => leave(provider, known, dice).await,
        60..74 => rename(provider, known, dice).await,
        74..82 => switch(provider, known, dice, false).await,
        82..90 => switch(provider, known, dice, true).await,
        90..96 => come(provider, known, dice).await,
        _ => go(provider, known).await,
    }
}

/// There was nothing to change.
const NOTHING: StatusCode = StatusCode::NO_CONTENT;

async fn join(provider: &mut Provider, known: &mut Known, dice: &mut Dice) -> Result<StatusCode> {
    let nth = dice.below(known.groups.len());
    let (Some(group), Some(person)) = (known.groups.get_mut(nth), dice.pick(&known.people)) else {
        return Ok(NOTHING);
    };
    group.members.insert(person.id.clone());
    let add = json!({ "op": "add", "path": "members", "value": [{ "value": person.id }] });
    patch(provider, &format!("/Groups/{}", group.id), add).await
}

async fn leave(provider: &mut Provider, known: &mut Known, dice: &mut Dice) -> Result<StatusCode> {
    let nth = dice.below(known.groups.len());
    let Some(group) = known
        .groups
        .get_mut(nth)
        .filter(|group| group.members.len() > SMALLEST)
    else {
        return Ok(NOTHING);
    };
    let nth = dice.below(group.members.len());
    let Some(member) = group.members.iter().nth(nth).cloned() else {
        return Ok(NOTHING);
    };
    group.members.remove(&member);
    let remove = json!({ "op": "remove", "path": format!("members[value eq \"{member}\"]") });
    patch(provider, &format!("/Groups/{}", group.id), remove).await
}

async fn rename(provider: &mut Provider, known: &Known, dice: &mut Dice) -> Result<StatusCode> {
    let (Some(person), Some(family)) = (dice.pick(&known.people), dice.pick(&FAMILIES)) else {
        return Ok(NOTHING);
    };
    let replace = json!({ "op": "replace", "path": "name.familyName", "value": family });
    patch(provider, &format!("/Users/{}", person.id), replace).await
}

/// Activates or deactivates somebody, so that most people stay active.
async fn switch(provider: &mut Provider, known: &mut Known, dice: &mut Dice, on: bool) -> Result<StatusCode> {
    let active = known.people.iter().filter(|person| person.is_active).count();
    let may = on || active * 10 > known.people.len() * ACTIVE_OF_TEN;
    let mut others: Vec<_> = known
        .people
        .iter_mut()
        .filter(|person| person.is_active != on)
        .collect();
    let nth = dice.below(others.len());
    let Some(person) = others.get_mut(nth).filter(|_| may) else {
        return Ok(NOTHING);
    };
    person.is_active = on;
    let replace = json!({ "op": "replace", "path": "active", "value": on });
    patch(provider, &format!("/Users/{}", person.id), replace).await
}

async fn come(provider: &mut Provider, known: &mut Known, dice: &mut Dice) -> Result<StatusCode> {
    if known.guests >= GUESTS {
        return Ok(NOTHING);
    }
    let Some(family) = dice.pick(&FAMILIES) else {
        return Ok(NOTHING);
    };
    let number = uuid::Uuid::now_v7().simple();
    let body = json!({
        "schemas": [USER],
        "userName": format!("{}.{number}@example.com", family.to_lowercase()),
        "externalId": format!("guest-{number}"),
        "name": { "givenName": "Guest", "familyName": family },
        "active": true,
    });
    let (status, made) = provider.ask(Method::POST, "/Users", Some(&body)).await?;
    if let Some(person) = person(&made).filter(|_| status == StatusCode::CREATED) {
        known.people.push(person);
        known.guests += 1;
    }
    Ok(status)
}

/// Removes a guest: those of the story stay.
async fn go(provider: &mut Provider, known: &mut Known) -> Result<StatusCode> {
    let Some(nth) = known.people.iter().position(|person| person.is_guest) else {
        return Ok(NOTHING);
    };
    let person = known.people.remove(nth);
    known.guests = known.guests.saturating_sub(1);
    for group in &mut known.groups {
        group.members.remove(&person.id);
    }
    let path = format!("/Users/{}", person.id);
    Ok(provider.ask(Method::DELETE, &path, None).await?.0)
}

async fn patch(provider: &mut Provider, path: &str, operation: Value) -> Result<StatusCode> {
    let body = json!({ "schemas": [PATCH], "Operations": [operation] });
    Ok(provider.ask(Method::PATCH, path, Some(&body)).await?.0)
}
