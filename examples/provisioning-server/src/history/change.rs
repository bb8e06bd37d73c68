//! The meaning of a change to the organization, in a few words.

use scim::Record;
use scim::schema::{Attribute, Mutability, Role};
use scim::store::{Event, MovedEdges, Transition};

use crate::domain::counted::counted;
use crate::domain::subject::Subject;

/// How many attributes are named.
const NAMED: usize = 12;

/// Says what was done to a person or group: "created user a@x".
pub(crate) fn meaning<R: Subject>(event: &Event<R>) -> String {
    let moved = |count: fn(&MovedEdges) -> u64| event.edges.iter().map(count).sum::<u64>();
    let (added, removed) = (moved(|edges| edges.added), moved(|edges| edges.removed));
    match &event.transition {
        Transition::Created { after } => {
            let subject = named(event, Some(after));
            match added {
                0 => format!("created {subject}"),
                _ => format!("created {subject} with {}", members_text(added)),
            }
        }
        Transition::Deleted { before } => format!("deleted {}", named(event, before.as_ref())),
        Transition::Changed { before, after } => {
            let mut parts = transitions(event, before.as_ref(), after.as_ref());
            let name = name(event, after.as_ref());
            if added > 0 {
                parts.push(format!("added {} to {name}", members_text(added)));
            }
            if removed > 0 {
                parts.push(format!("removed {} of {name}", members_text(removed)));
            }
            let attributes = match (before, after) {
                (Some(before), Some(after)) => unsaid_attributes(before, after),
                _ => String::new(),
            };
            match (parts.is_empty(), attributes.is_empty()) {
                (false, true) => parts.join("; "),
                (false, false) => format!("{}; changed {attributes}", parts.join("; ")),
                (true, true) => format!("changed {}", named(event, after.as_ref())),
                (true, false) => format!("changed {}: {attributes}", named(event, after.as_ref())),
            }
        }
    }
}

/// Returns the name by which people know the resource; its id if that is not known.
fn name<'a, R: Subject>(event: &'a Event<R>, state: Option<&'a R>) -> &'a str {
    let name = state.map(Subject::name).filter(|name| !name.is_empty());
    name.unwrap_or(&event.id)
}

fn named<R: Subject>(event: &Event<R>, state: Option<&R>) -> String {
    format!("{} {}", R::NOUN, name(event, state))
}

/// Tells of another name, and of what became of its being active.
fn transitions<R: Subject>(event: &Event<R>, before: Option<&R>, after: Option<&R>) -> Vec<String> {
    let mut parts = Vec::new();
    let (Some(before), Some(after)) = (before, after) else {
        return parts;
    };
    let (old, new) = (named(event, Some(before)), named(event, Some(after)));
    if before.name() != after.name() {
        parts.push(format!("renamed {old} to {}", after.name()));
    }
    match (before.is_active(), after.is_active()) {
        (true, false) => parts.push(format!("deactivated {new}")),
        (false, true) => parts.push(format!("reactivated {new}")),
        _ => {}
    }
    parts
}

/// Returns the names of the attributes that have changed, to one level below the resource and its extensions.
pub(crate) fn changed_attributes<R: Subject>(before: &R, after: &R) -> Vec<String> {
    let mut names = Vec::new();
    differences(before, after, "", &mut names);
    names
}

/// Returns the attributes that have changed beside what is said in other words.
fn unsaid_attributes<R: Subject>(before: &R, after: &R) -> String {
    let mut names = changed_attributes(before, after);
    let is_said =
        |name: &str| name == R::NAMED_BY || (name == "active" && before.is_active() != after.is_active());
    names.retain(|name| !is_said(name));
    listed(names)
}

fn members_text(count: u64) -> String {
    counted(count, "member", "members")
}

fn listed(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let mut text = names.join(", ");
    if more > 0 {
        text += &format!(" and {more} more");
    }
    text
}

/// Appends the names of the attributes that are different, to one level below the resource and its extensions.
fn differences(before: &dyn Record, after: &dyn Record, prefix: &str, names: &mut Vec<String>) {
    for (index, attribute) in after.attributes().iter().enumerate() {
        let (old, new) = (before.view(index), after.view(index));
        let own =
            attribute.shape.mutability == Mutability::ReadOnly || attribute.edges || is_common(attribute);
        if own || old.same(&new) {
            continue;
        }
        let name = format!("{prefix}{}", attribute.name);
        match (
            old.record(),
            new.record(),
            matches!(attribute.role, Role::Extension(_)),
        ) {
            (Some(old), Some(new), true) => differences(old, new, "", names),
            (Some(old), Some(new), false) if prefix.is_empty() => {
                differences(old, new, &format!("{name}."), names);
            }
            (Some(one), None, true) | (None, Some(one), true) => names.extend(present(one)),
            _ => names.push(name),
        }
    }
}

/// Returns whether it is `id` or `meta`, which the service makes; `externalId` is the provider's.
fn is_common(attribute: &Attribute) -> bool {
    matches!(attribute.role, Role::Common) && attribute.name != "externalId"
}

fn present(record: &dyn Record) -> impl Iterator<Item = String> {
    let attributes = record.attributes().iter().enumerate();
    attributes
        .filter(|(index, _)| record.view(*index).is_present())
        .map(|(_, attribute)| attribute.name.to_owned())
}

#[cfg(test)]
mod tests {
    use scim::ScimResource;
    use scim::limits::Limits;
    use scim::resources::{EnterpriseUser, Group, Name};
    use scim::store::{Cause, Version};
    use scim::value::{Cx, Intent, Json, Strict};

    use super::*;
    use crate::domain::user::User;

    fn user(user_name: &str) -> User {
        let text = format!(
            r#"{{"schemas":["{}"],"userName":"{user_name}"}}"#,
            User::RESOURCE_TYPE.schema.id
        );
        let limits = Limits::default();
        let json = Json::parse(text.as_bytes(), &limits).unwrap();
        User::decode(json, &mut Cx::new(Intent::Create, &Strict, &limits)).unwrap()
    }

    fn event<R>(transition: Transition<R>, added: u64, removed: u64) -> Event<R> {
        let edges = MovedEdges {
            attribute: "members",
            added,
            removed,
            ..MovedEdges::default()
        };
        Event::new("1", Version::from(2), transition, vec![edges], Cause::Write)
    }

    fn change<R: Subject>(before: &R, after: &R, added: u64, removed: u64) -> String {
        let transition = Transition::Changed {
            before: Some(before.clone()),
            after: Some(after.clone()),
        };
        meaning(&event(transition, added, removed))
    }

    /// A change is told in words.
    #[test]
    fn a_change_of_a_person_is_said_in_words() {
        let before = user("a@x.example");
        assert_eq!(
            meaning(&event(
                Transition::Created {
                    after: before.clone()
                },
                0,
                0
            )),
            "created user a@x.example"
        );
        assert_eq!(
            meaning(&event(
                Transition::Deleted {
                    before: Some(before.clone())
                },
                0,
                0
            )),
            "deleted user a@x.example"
        );
        let mut after = before.clone();
        after.title = Some("Tour guide".into());
        after.name = Some(Name {
            given_name: Some("Anna".into()),
            ..Name::default()
        });
        after.enterprise = Some(EnterpriseUser {
            department: Some("Sales".into()),
            ..EnterpriseUser::default()
        });
        let text = change(&before, &after, 0, 0);
        assert!(text.starts_with("changed user a@x.example: "), "{text}");
        for name in ["title", "name", "department"] {
            assert!(text.contains(name), "{text}");
        }
        let mut married = after.clone();
        married.name = Some(Name {
            given_name: Some("Ann".into()),
            ..Name::default()
        });
        assert_eq!(
            change(&after, &married, 0, 0),
            "changed user a@x.example: name.givenName"
        );
        married.user_name = "b@x.example".into();
        assert_eq!(
            change(&after, &married, 0, 0),
            "renamed user a@x.example to b@x.example; changed name.givenName"
        );
    }

    /// Only `false` disables.
    #[test]
    fn deactivation_is_said_as_such() {
        let present = user("a@x.example");
        let mut active = present.clone();
        active.active = Some(true);
        let mut inactive = present.clone();
        inactive.active = Some(false);
        assert_eq!(change(&present, &inactive, 0, 0), "deactivated user a@x.example");
        assert_eq!(change(&inactive, &active, 0, 0), "reactivated user a@x.example");
        assert_eq!(change(&inactive, &present, 0, 0), "reactivated user a@x.example");
        assert_eq!(
            change(&present, &active, 0, 0),
            "changed user a@x.example: active"
        );
        inactive.title = Some("x".into());
        assert_eq!(
            change(&active, &inactive, 0, 0),
            "deactivated user a@x.example; changed title"
        );
    }

    #[test]
    fn changes_of_a_group_are_counted() {
        let group = Group::new("G");
        let same = group.clone();
        assert_eq!(change(&group, &same, 3, 0), "added 3 members to G");
        assert_eq!(change(&group, &same, 0, 1), "removed 1 member of G");
        let renamed = Group::new("H");
        assert_eq!(
            change(&group, &renamed, 1, 2),
            "renamed group G to H; added 1 member to H; removed 2 members of H"
        );
        let created = Transition::Created { after: same };
        assert_eq!(meaning(&event(created, 2, 0)), "created group G with 2 members");
    }

    #[test]
    fn a_long_list_of_attributes_ends() {
        let names = listed((0..20).map(|n| n.to_string()).collect());
        assert!(names.ends_with("11 and 8 more"), "{names}");
    }
}
