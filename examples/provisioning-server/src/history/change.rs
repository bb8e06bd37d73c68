//! What a change means to the organization, in a few words.

use scim::Record;
use scim::schema::{Attribute, Mutability, Role};
use scim::store::Happened;
use scim::value::View;

use crate::domain::counted::counted;

/// How many attributes are named.
const NAMED: usize = 12;

/// Says what was done to a person or group: "created user a@x".
pub(crate) fn meaning(resource_type: &str, id: &str, happened: &Happened<'_>) -> String {
    match happened {
        Happened::Created { after, added } => {
            let subject = Subject::of(resource_type, id, *after);
            match added.len() {
                0 => format!("created {subject}"),
                members => format!("created {subject} with {}", members_text(members)),
            }
        }
        Happened::Deleted { before } => format!("deleted {}", Subject::of(resource_type, id, *before)),
        Happened::Changed {
            before,
            after,
            added,
            removed,
        } => changed(resource_type, id, *before, *after, added.len(), removed.len()),
    }
}

/// What people call the resource.
struct Subject {
    noun: String,
    name: String,
}

impl Subject {
    fn of(resource_type: &str, id: &str, record: &dyn Record) -> Self {
        let name = text(record, "userName").or_else(|| text(record, "displayName"));
        Self {
            noun: resource_type.to_lowercase(),
            name: name.unwrap_or_else(|| id.to_owned()),
        }
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.noun, self.name)
    }
}

fn changed(
    resource_type: &str,
    id: &str,
    before: &dyn Record,
    after: &dyn Record,
    added: usize,
    removed: usize,
) -> String {
    let (old, new) = (
        Subject::of(resource_type, id, before),
        Subject::of(resource_type, id, after),
    );
    let mut parts = Vec::new();
    if old.name != new.name {
        parts.push(format!("renamed {old} to {}", new.name));
    }
    match (is_active(before), is_active(after)) {
        (true, false) => parts.push(format!("deactivated {new}")),
        (false, true) => parts.push(format!("reactivated {new}")),
        _ => {}
    }
    if added > 0 {
        parts.push(format!("added {} to {}", members_text(added), new.name));
    }
    if removed > 0 {
        parts.push(format!("removed {} of {}", members_text(removed), new.name));
    }
    let said = |name: &str| match name {
        "userName" => true,
        "displayName" => resource_type == "Group",
        "active" => is_active(before) != is_active(after),
        _ => false,
    };
    let mut names = Vec::new();
    differences(before, after, "", &mut names);
    names.retain(|name| !said(name));
    let names = listed(names);
    match (parts.is_empty(), names.is_empty()) {
        (_, true) if !parts.is_empty() => parts.join("; "),
        (true, true) => format!("changed {new}"),
        (true, false) => format!("changed {new}: {names}"),
        (false, _) => format!("{}; changed {names}", parts.join("; ")),
    }
}

fn members_text(count: usize) -> String {
    counted(u64::try_from(count).unwrap_or(u64::MAX), "member", "members")
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

/// Only `false` disables (features.md row 32b).
fn is_active(record: &dyn Record) -> bool {
    !matches!(View::Complex(record).sub("active"), View::Bool(false))
}

fn text(record: &dyn Record, name: &str) -> Option<String> {
    match View::Complex(record).sub(name) {
        View::Str(text) if !text.is_empty() => Some(text.into_owned()),
        _ => None,
    }
}

/// The names of the attributes that are different, to one level below the resource and its extensions.
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

/// `id` and `meta`, which the service makes; `externalId` is the provider's.
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
    use scim::resources::{EnterpriseUser, Group, Name, User};

    use super::*;

    fn change(
        before: &dyn Record,
        after: &dyn Record,
        resource_type: &str,
        added: usize,
        removed: usize,
    ) -> String {
        let ids = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>();
        let (added, removed) = (ids(added), ids(removed));
        let happened = Happened::Changed {
            before,
            after,
            added: &added,
            removed: &removed,
        };
        meaning(resource_type, "1", &happened)
    }

    /// features.md row 75.
    #[test]
    fn a_change_of_a_person_is_said_in_words() {
        let before = User::new("a@x.example");
        assert_eq!(
            meaning(
                "User",
                "1",
                &Happened::Created {
                    after: &before,
                    added: &[]
                }
            ),
            "created user a@x.example"
        );
        assert_eq!(
            meaning("User", "1", &Happened::Deleted { before: &before }),
            "deleted user a@x.example"
        );
        let mut after = before.clone();
        after.title = Some("Tour guide".into());
        after.name = Some(Name {
            given_name: Some("Anna".into()),
            ..Name::default()
        });
        after.extensions.enterprise = Some(EnterpriseUser {
            department: Some("Sales".into()),
            ..EnterpriseUser::default()
        });
        let text = change(&before, &after, "User", 0, 0);
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
            change(&after, &married, "User", 0, 0),
            "changed user a@x.example: name.givenName"
        );
        married.user_name = "b@x.example".into();
        assert_eq!(
            change(&after, &married, "User", 0, 0),
            "renamed user a@x.example to b@x.example; changed name.givenName"
        );
    }

    /// features.md row 32b: only `false` disables.
    #[test]
    fn deactivation_is_said_as_such() {
        let present = User::new("a@x.example");
        let mut active = present.clone();
        active.active = Some(true);
        let mut inactive = present.clone();
        inactive.active = Some(false);
        assert_eq!(
            change(&present, &inactive, "User", 0, 0),
            "deactivated user a@x.example"
        );
        assert_eq!(
            change(&inactive, &active, "User", 0, 0),
            "reactivated user a@x.example"
        );
        assert_eq!(
            change(&inactive, &present, "User", 0, 0),
            "reactivated user a@x.example"
        );
        assert_eq!(
            change(&present, &active, "User", 0, 0),
            "changed user a@x.example: active"
        );
        inactive.title = Some("x".into());
        assert_eq!(
            change(&active, &inactive, "User", 0, 0),
            "deactivated user a@x.example; changed title"
        );
    }

    #[test]
    fn changes_of_a_group_are_counted() {
        let group = Group::new("G");
        let same = group.clone();
        assert_eq!(change(&group, &same, "Group", 3, 0), "added 3 members to G");
        assert_eq!(change(&group, &same, "Group", 0, 1), "removed 1 member of G");
        let renamed = Group::new("H");
        assert_eq!(
            change(&group, &renamed, "Group", 1, 2),
            "renamed group G to H; added 1 member to H; removed 2 members of H"
        );
        let created = Happened::Created {
            after: &same,
            added: &["1".to_owned(), "2".to_owned()],
        };
        assert_eq!(meaning("Group", "1", &created), "created group G with 2 members");
    }

    #[test]
    fn a_long_list_of_attributes_ends() {
        let names = listed((0..20).map(|n| n.to_string()).collect());
        assert!(names.ends_with("11 and 8 more"), "{names}");
    }
}
