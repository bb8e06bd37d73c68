//! The resources that the server must hold, and whether it holds them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::directory::{Directory, Key, Person};
use super::flatten::{Attributes, flatten};
use super::job::{Job, Trouble};
use super::ledger::Ledger;
use super::provider::{Provider, members};
use super::report::Fault;
use super::transport::Transport;

/// The resources that the server must hold, by id, and how often each was listed.
struct Model {
    endpoint: &'static str,
    resources: BTreeMap<String, (Subject, u32)>,
}

/// The person or the thing that stands behind a resource.
enum Subject {
    Person(Key),
    Group(Key),
    /// The resources that the provider has let go of, as it left them.
    Left(Value),
}

/// The state that one resource must have, and how people call it.
struct Expected {
    name: String,
    attributes: Attributes,
    members: Option<BTreeSet<String>>,
}

/// Reads everything and compares it with the model, whole: what is missing, what differs, and what nobody has sent.
///
/// Resources are compared page by page, so that a large directory is never held twice.
pub(super) async fn verify<P: Provider, T: Transport>(
    provider: &P,
    job: &mut Job<'_, T>,
    directory: &Directory,
    kept: Option<&[String]>,
    before: &BTreeSet<String>,
) -> Result<(), Trouble> {
    for mut model in [users(job, directory), groups(provider, job, directory)] {
        let mut next = Some(1);
        while let Some(start) = next {
            let (page, has_more) = job.page(model.endpoint, start).await?;
            for resource in &page {
                compare(provider, job, directory, &mut model, resource, (kept, before));
            }
            next = has_more.then_some(start + page.len());
        }
        let missing = model.resources.into_values().filter(|(_, listed)| *listed == 0);
        for (subject, _) in missing {
            let name = expected(provider, job, directory, &subject).name;
            job.report.differs(format!("{name} is missing on the server."));
        }
    }
    Ok(())
}

/// Returns the ids of what is on the server before the provider has done anything.
pub(super) async fn ids<T: Transport>(job: &mut Job<'_, T>) -> Result<BTreeSet<String>, Trouble> {
    let mut ids = BTreeSet::new();
    for endpoint in ["/Users", "/Groups"] {
        let mut next = Some(1);
        while let Some(start) = next {
            let (page, has_more) = job.page(endpoint, start).await?;
            ids.extend(page.iter().filter_map(|resource| id(resource).map(str::to_owned)));
            next = has_more.then_some(start + page.len());
        }
    }
    Ok(ids)
}

fn id(resource: &Value) -> Option<&str> {
    resource.get("id")?.as_str()
}

fn users<T: Transport>(job: &mut Job<'_, T>, directory: &Directory) -> Model {
    let mut resources: BTreeMap<_, _> = left(&job.ledger.left_people);
    for person in directory.people.values() {
        match job.ledger.accounts.get(&person.key) {
            Some(id) => _ = resources.insert(id.clone(), (Subject::Person(person.key), 0)),
            None if person.active => job.report.differs(format!("{} has no account.", name_of(person))),
            None => {}
        }
    }
    Model {
        endpoint: "/Users",
        resources,
    }
}

fn groups<P: Provider, T: Transport>(provider: &P, job: &mut Job<'_, T>, directory: &Directory) -> Model {
    let mut resources: BTreeMap<_, _> = left(&job.ledger.left_groups);
    for group in directory.groups.values() {
        match job.ledger.teams.get(&group.key) {
            Some(team) => _ = resources.insert(team.id.clone(), (Subject::Group(group.key), 0)),
            None if provider.creates_empty_groups()
                || !members(provider, &job.ledger, directory, group).is_empty() =>
            {
                job.report
                    .differs(format!("Group “{}” was not created.", group.name));
            }
            None => {}
        }
    }
    Model {
        endpoint: "/Groups",
        resources,
    }
}

fn left(documents: &BTreeMap<String, Value>) -> BTreeMap<String, (Subject, u32)> {
    let left = |document: &Value| (Subject::Left(document.clone()), 0);
    documents
        .iter()
        .map(|(id, document)| (id.clone(), left(document)))
        .collect()
}

fn name_of(person: &Person) -> String {
    format!("{} ({})", person.display(), person.login)
}

fn expected<P: Provider, T: Transport>(
    provider: &P,
    job: &Job<'_, T>,
    directory: &Directory,
    subject: &Subject,
) -> Expected {
    let (name, document, members) = match subject {
        Subject::Person(key) => match directory.people.get(key) {
            Some(person) => (name_of(person), provider.user(person, &job.ledger), None),
            None => (String::new(), Value::Null, None),
        },
        Subject::Group(key) => match directory.groups.get(key) {
            Some(group) => {
                let members = members(provider, &job.ledger, directory, group);
                let ids = members.into_iter().map(|member| member.id).collect();
                (group.name.clone(), provider.group(group), Some(ids))
            }
            None => (String::new(), Value::Null, None),
        },
        Subject::Left(document) if document.get("userName").is_some() => {
            let name = format!("{} (unassigned)", text(document, "userName"));
            (name, document.clone(), None)
        }
        Subject::Left(document) => {
            let name = format!("{} (unlinked)", text(document, "displayName"));
            (name, document.clone(), Some(BTreeSet::new()))
        }
    };
    Expected {
        name,
        attributes: flatten(&document),
        members,
    }
}

fn text(document: &Value, name: &str) -> String {
    document
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn compare<P: Provider, T: Transport>(
    provider: &P,
    job: &mut Job<'_, T>,
    directory: &Directory,
    model: &mut Model,
    resource: &Value,
    (kept, before): (Option<&[String]>, &BTreeSet<String>),
) {
    let endpoint = model.endpoint;
    let Some(id) = id(resource) else {
        job.report.fault(Fault::NoId, format!("GET {endpoint}"));
        return;
    };
    match model.resources.get_mut(id) {
        Some((subject, listed @ 0)) => {
            *listed += 1;
            let expected = expected(provider, job, directory, subject);
            compare_attributes(job, id, &expected, &flatten(resource), kept);
            compare_members(job, directory, id, &expected, resource);
        }
        Some(_) => job.report.differs(format!("{endpoint}/{id} is listed twice.")),
        None if before.contains(id) => {}
        None => {
            let name = text(resource, "userName") + &text(resource, "displayName");
            job.report.differs(format!(
                "{endpoint}/{id} ({name}) is on the server, and nobody has assigned it."
            ));
        }
    }
}

fn compare_attributes<T: Transport>(
    job: &mut Job<'_, T>,
    id: &str,
    expected: &Expected,
    held: &Attributes,
    kept: Option<&[String]>,
) {
    let wanted = &expected.attributes;
    let names: BTreeSet<_> = wanted.keys().chain(held.keys()).collect();
    let is_kept = |name: &&&String| kept.is_none_or(|kept| kept.contains(**name));
    for name in names.iter().filter(is_kept) {
        let (wants, has) = (wanted.get(*name), held.get(*name));
        if wants == has {
            continue;
        }
        let name_of = &expected.name;
        let difference = match (wants, has) {
            (Some(wants), None) => format!("{name_of} lacks {name}, which must be {wants}."),
            (Some(wants), Some(has)) => format!("{name_of} has {name} {has}, which must be {wants}."),
            (None, Some(has)) => format!("{name_of} has {name} {has}, which nobody has sent."),
            (None, None) => continue,
        };
        let made = (id.to_owned(), (*name).clone());
        if has.is_none() && job.ledger.made_by_path.contains(&made) {
            job.report.fault(Fault::ElementNotMade, &difference);
        }
        job.report.differs(difference);
    }
}

fn compare_members<T: Transport>(
    job: &mut Job<'_, T>,
    directory: &Directory,
    id: &str,
    expected: &Expected,
    group: &Value,
) {
    let Some(wanted) = &expected.members else {
        return;
    };
    let name = &expected.name;
    let held = member_ids(group);
    let unique: BTreeSet<&str> = held.iter().copied().collect();
    if let Some(difference) = doubles(name, &held, &unique) {
        job.report.fault(Fault::MemberTwice, &difference);
        job.report.differs(difference);
    }
    let missing: Vec<_> = wanted.iter().filter(|id| !unique.contains(id.as_str())).collect();
    if let Some(first) = missing.first() {
        let (count, all) = (missing.len(), wanted.len());
        let who = who(directory, &job.ledger, first);
        let difference = format!("Group “{name}” lacks {count} of {all} members, such as {who}.");
        if job.ledger.removed_by_value.contains(id) {
            job.report.fault(Fault::RemovesTooMuch, &difference);
        }
        job.report.differs(difference);
    }
    let surplus: Vec<&str> = unique.into_iter().filter(|id| !wanted.contains(*id)).collect();
    if let Some(first) = surplus.first() {
        let ledger = &job.ledger;
        let is_gone = |id: &&&str| ledger.owner_of(id).is_none() && !ledger.left_people.contains_key(**id);
        let gone = surplus.iter().find(is_gone);
        let count = surplus.len();
        let who = who(directory, ledger, gone.unwrap_or(first));
        let difference = format!("Group “{name}” has {count} too many in it, such as {who}.");
        if gone.is_some() {
            job.report.fault(Fault::DanglingMember, &difference);
        }
        job.report.differs(difference);
    }
}

/// Says how people call the account with this id.
fn who(directory: &Directory, ledger: &Ledger, id: &str) -> String {
    let person = ledger.owner_of(id).and_then(|key| directory.people.get(&key));
    match person {
        Some(person) => format!("{} ({id})", person.login),
        None if ledger.left_people.contains_key(id) => format!("an unassigned person ({id})"),
        None => format!("a deleted person ({id})"),
    }
}

fn member_ids(group: &Value) -> Vec<&str> {
    let members = group.get("members").and_then(Value::as_array);
    let members = members.into_iter().flatten();
    members
        .filter_map(|member| member.get("value")?.as_str())
        .collect()
}

fn doubles(name: &str, held: &[&str], unique: &BTreeSet<&str>) -> Option<String> {
    let twice = held.len() - unique.len();
    let people = if twice == 1 { "one person" } else { "people" };
    (twice > 0).then(|| format!("Group “{name}” holds {people} more than once: {twice} too many."))
}

/// Looks at what an administrator sees who opens the group after members were added who were there already.
pub(super) async fn look_for_doubles<T: Transport>(job: &mut Job<'_, T>, id: &str) {
    let Ok(group) = job.get(&format!("/Groups/{id}")).await else {
        return;
    };
    let held = member_ids(&group);
    let unique = held.iter().copied().collect();
    if let Some(difference) = doubles(&text(&group, "displayName"), &held, &unique) {
        job.report.fault(Fault::MemberTwice, difference);
    }
}
