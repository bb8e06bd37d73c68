//! What the server must hold, and whether it does.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::directory::Directory;
use super::flatten::{Attributes, flatten};
use super::job::{Job, Trouble};
use super::provider::{Provider, members};
use super::report::Fault;
use super::transport::Transport;

/// What one resource must be, and how people call it.
struct Expected {
    name: String,
    attributes: Attributes,
    members: Option<BTreeSet<String>>,
}

type Model = BTreeMap<String, Expected>;

/// Reads everything and compares it with the model, whole: what is missing, what differs, and what nobody has sent.
pub(super) async fn verify<P: Provider, T: Transport>(
    provider: &P,
    job: &mut Job<'_, T>,
    directory: &Directory,
    kept: Option<&[String]>,
    before: &BTreeSet<String>,
) -> Result<(), Trouble> {
    for (endpoint, model) in [
        ("/Users", users(provider, job, directory)),
        ("/Groups", groups(provider, job, directory)),
    ] {
        let held = job.read_all(endpoint, 100).await?;
        compare(job, endpoint, model, &held, kept, before);
    }
    Ok(())
}

/// The ids of what is on the server before the provider has done anything.
pub(super) async fn ids<T: Transport>(job: &mut Job<'_, T>) -> Result<BTreeSet<String>, Trouble> {
    let mut ids = BTreeSet::new();
    for endpoint in ["/Users", "/Groups"] {
        let all = job.read_all(endpoint, 100).await?;
        ids.extend(all.iter().filter_map(|resource| id(resource).map(str::to_owned)));
    }
    Ok(ids)
}

fn id(resource: &Value) -> Option<&str> {
    resource.get("id")?.as_str()
}

fn users<P: Provider, T: Transport>(provider: &P, job: &mut Job<'_, T>, directory: &Directory) -> Model {
    let mut model = Model::new();
    for person in directory.people.values() {
        let name = format!("{} ({})", person.display(), person.login);
        match job.ledger.accounts.get(&person.key) {
            Some(id) => {
                let attributes = flatten(&provider.user(person, &job.ledger));
                let id = id.clone();
                model.insert(
                    id,
                    Expected {
                        name,
                        attributes,
                        members: None,
                    },
                );
            }
            None if person.active => job.report.differs(format!("{name} has no account.")),
            None => {}
        }
    }
    let left = job.ledger.left_people.iter();
    model.extend(left.map(|(id, document)| {
        let name = format!("{} (unassigned)", text(document, "userName"));
        let attributes = flatten(document);
        (
            id.clone(),
            Expected {
                name,
                attributes,
                members: None,
            },
        )
    }));
    model
}

fn groups<P: Provider, T: Transport>(provider: &P, job: &mut Job<'_, T>, directory: &Directory) -> Model {
    let mut model = Model::new();
    for group in directory.groups.values() {
        let members = members(provider, &job.ledger, directory, group);
        let Some(team) = job.ledger.teams.get(&group.key) else {
            if !members.is_empty() || provider.creates_empty_groups() {
                job.report
                    .differs(format!("Group “{}” was not created.", group.name));
            }
            continue;
        };
        let expected = Expected {
            name: group.name.clone(),
            attributes: flatten(&provider.group(group)),
            members: Some(members.into_iter().map(|member| member.id).collect()),
        };
        model.insert(team.id.clone(), expected);
    }
    let left = job.ledger.left_groups.iter();
    model.extend(left.map(|(id, document)| {
        let expected = Expected {
            name: format!("{} (unlinked)", text(document, "displayName")),
            attributes: flatten(document),
            members: Some(BTreeSet::new()),
        };
        (id.clone(), expected)
    }));
    model
}

fn text(document: &Value, name: &str) -> String {
    document
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn compare<T: Transport>(
    job: &mut Job<'_, T>,
    endpoint: &str,
    mut model: Model,
    held: &[Value],
    kept: Option<&[String]>,
    before: &BTreeSet<String>,
) {
    let mut seen = BTreeSet::new();
    for resource in held {
        let Some(id) = id(resource) else {
            job.report.fault(Fault::NoId, format!("GET {endpoint}"));
            continue;
        };
        if !seen.insert(id) {
            job.report.differs(format!("{endpoint}/{id} is listed twice."));
            continue;
        }
        match model.remove(id) {
            Some(expected) => {
                compare_attributes(job, id, &expected, &flatten(resource), kept);
                if let Some(members) = &expected.members {
                    compare_members(job, id, &expected.name, members, resource);
                }
            }
            None if before.contains(id) => {}
            None => {
                let name = text(resource, "userName") + &text(resource, "displayName");
                job.report.differs(format!(
                    "{endpoint}/{id} ({name}) is on the server, and nobody has assigned it."
                ));
            }
        }
    }
    for expected in model.values() {
        job.report
            .differs(format!("{} is missing on the server.", expected.name));
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
    id: &str,
    name: &str,
    wanted: &BTreeSet<String>,
    group: &Value,
) {
    let held = member_ids(group);
    let unique: BTreeSet<&str> = held.iter().copied().collect();
    if let Some(difference) = doubles(name, &held, &unique) {
        job.report.fault(Fault::MemberTwice, &difference);
        job.report.differs(difference);
    }
    let missing: Vec<_> = wanted.iter().filter(|id| !unique.contains(id.as_str())).collect();
    if let Some(first) = missing.first() {
        let count = missing.len();
        let difference = format!(
            "Group “{name}” lacks {count} of {} members, first {first}.",
            wanted.len()
        );
        if job.ledger.removed_by_value.contains(id) {
            job.report.fault(Fault::RemovesTooMuch, &difference);
        }
        job.report.differs(difference);
    }
    let surplus: Vec<_> = unique.iter().filter(|id| !wanted.contains(**id)).collect();
    if let Some(first) = surplus.first() {
        let count = surplus.len();
        let difference = format!("Group “{name}” has {count} members whom it must not have, first {first}.");
        let is_known = job
            .ledger
            .accounts
            .values()
            .any(|id| surplus.contains(&&id.as_str()));
        if !is_known && !job.ledger.left_people.contains_key(**first) {
            job.report.fault(Fault::DanglingMember, &difference);
        }
        job.report.differs(difference);
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
    (twice > 0).then(|| format!("Group “{name}” holds {twice} members more than once."))
}

/// What an administrator sees who opens the group after members were added who were there already.
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
