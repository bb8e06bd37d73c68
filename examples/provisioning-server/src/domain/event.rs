//! The events of an organization, which others are told in the order in which they happened.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::fault::{Fault, Result};
use super::keyword::keywords;
use super::{masked, redact};

/// How many members one change names in events; the others are counted.
pub(crate) const MOST_NAMED: usize = 1_000;

keywords! {
    /// The kind of an event.
    EventKind {
        /// A person was provisioned.
        UserCreated = "user.created",
        /// Attributes of a person have changed.
        UserUpdated = "user.updated",
        /// A person was disabled.
        UserDeactivated = "user.deactivated",
        /// A person was enabled again.
        UserReactivated = "user.reactivated",
        /// A person was removed.
        UserRemoved = "user.removed",
        /// A group was provisioned.
        GroupCreated = "group.created",
        /// Attributes of a group have changed, but for its name.
        GroupUpdated = "group.updated",
        /// A group has another name.
        GroupRenamed = "group.renamed",
        /// A group was removed, and its members with it.
        GroupRemoved = "group.removed",
        /// Somebody was added to a group.
        MemberAdded = "member.added",
        /// Somebody was removed from a group.
        MemberRemoved = "member.removed",
        /// Somebody was given or has lost roles or permissions directly.
        PersonRolesChanged = "person.roles_changed",
        /// The sign-in of somebody was suspended, or allowed again.
        PersonSuspended = "person.suspended",
        /// The roles of a group's members have changed.
        MappingChanged = "mapping.changed",
        /// A role was made.
        RoleCreated = "role.created",
        /// A role has other permissions or another name.
        RoleChanged = "role.changed",
        /// A role was removed.
        RoleRemoved = "role.removed",
        /// A group that is kept here has changed, or its roles or members have.
        LocalGroupChanged = "local-group.changed",
        /// Many people have lost something at once.
        AlertRaised = "alert.raised",
        /// Settings of the organization have changed.
        OrganizationChanged = "organization.changed",
        /// The identity provider is let in.
        IntegrationEnabled = "integration.enabled",
        /// The identity provider is kept out.
        IntegrationDisabled = "integration.disabled",
        /// The connection with the identity provider was removed.
        IntegrationDeleted = "integration.deleted",
        /// A token was made.
        TokenCreated = "token.created",
        /// A token was taken back.
        TokenRevoked = "token.revoked",
    }
}

/// One event, as the change that it tells of writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventRow {
    pub(crate) kind: EventKind,
    /// The kind of thing that it is about: `user`, `group`, `role`, …
    pub(crate) subject_type: Cow<'static, str>,
    /// The id of the thing. Events of one thing are in the order of its changes.
    pub(crate) subject: String,
    /// How many people it concerns.
    pub(crate) people: u64,
    /// Names and further ids, as a JSON object.
    pub(crate) data: Value,
}

impl EventRow {
    /// Returns the row as it may be kept: no secret is in it, and its size is bounded.
    pub(crate) fn bounded(mut self) -> Self {
        redact::keep(&mut self.subject);
        masked::mask(&mut self.data);
        self
    }
}

/// An event as it stands in the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) cursor: Cursor,
    pub(crate) time: Timestamp,
    pub(crate) event: EventRow,
}

/// A place in the feed of an organization: after the event that it was given with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cursor(Uuid);

impl Cursor {
    /// Returns the place after the event with this sequence.
    pub(crate) fn after(sequence: Uuid) -> Self {
        Self(sequence)
    }

    /// Returns the sequence of the event.
    pub(crate) fn sequence(self) -> Uuid {
        self.0
    }

    /// Reads a cursor that a reader of the feed has kept.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let is_ours = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let sequence = Uuid::try_parse(text).ok().filter(|_| is_ours);
        sequence.map(Self).ok_or_else(|| {
            Fault::invalid(format!(
                "{:?} is not a valid cursor; expected one that the feed of events has given, as it is.",
                redact::secrets(text)
            ))
        })
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.simple())
    }
}

/// Checks that a reader of the feed has missed nothing: everything after their cursor is still there.
///
/// # Errors
/// Events after the cursor were removed, up to `purged`.
pub(crate) fn demand_whole(after: Option<Cursor>, purged: Option<Cursor>) -> Result<()> {
    let (Some(after), Some(purged)) = (after, purged) else {
        return Ok(());
    };
    if purged <= after {
        return Ok(());
    }
    Err(Fault::gone(format!(
        "Events after this cursor are not kept any more: they are older than the history of the organization. Note the \
         cursor {purged}, read people, groups, roles and mappings anew, as they are now, and go on with events after it."
    )))
}

/// Returns the event of members that were added to a group or removed from it, if there are any: it names the first
/// [`MOST_NAMED`], and counts the others.
pub(crate) fn of_members(
    kind: EventKind,
    group: &str,
    name: &str,
    members: &[String],
    count: u64,
) -> Option<EventRow> {
    let named: Vec<&str> = members.iter().take(MOST_NAMED).map(String::as_str).collect();
    let others = count.saturating_sub(u64::try_from(named.len()).unwrap_or(u64::MAX));
    let mut data = json!({ "group": group, "name": name, "users": named });
    if others > 0
        && let Some(data) = data.as_object_mut()
    {
        data.insert("more".to_owned(), others.into());
    }
    (count > 0).then(|| EventRow {
        kind,
        subject_type: "group".into(),
        subject: group.to_owned(),
        people: count,
        data,
    })
}

/// How others are told that a person who was removed has left one more group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Left {
    /// By an event of its own.
    Named(EventRow),
    /// By the last event, which counts it.
    Counted(EventRow),
}

/// Returns how others are told that a removed person has left one more group, after the event `last`.
pub(crate) fn left(group: &str, name: &str, person: &str, last: Option<&EventRow>) -> Left {
    let number = |row: &EventRow, key: &str| {
        let is_same = row.kind == EventKind::MemberRemoved && row.data.get("users")?.as_array()? == &[person];
        row.data.get(key)?.as_u64().filter(|_| is_same)
    };
    let most = u64::try_from(MOST_NAMED).unwrap_or(u64::MAX);
    let removed = |subject_type: &'static str, subject: &str, data: Value| EventRow {
        kind: EventKind::MemberRemoved,
        subject_type: subject_type.into(),
        subject: subject.to_owned(),
        people: 1,
        data,
    };
    let counted = |more: u64| removed("user", person, json!({ "users": [person], "more": more }));
    if let Some(more) = last.and_then(|last| number(last, "more")) {
        return Left::Counted(counted(more.saturating_add(1)));
    }
    let before = last.and_then(|last| number(last, "left")).unwrap_or(0);
    Left::Named(match before < most {
        true => removed(
            "group",
            group,
            json!({ "group": group, "name": name, "users": [person], "left": before.saturating_add(1) }),
        ),
        false => counted(1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feature row 80: the cursor is opaque, and a wrong one is refused with a sentence.
    #[test]
    fn a_cursor_is_read_as_it_was_given() {
        let cursor = Cursor::after(Uuid::now_v7());
        assert_eq!(Cursor::parse(&cursor.to_string()).unwrap(), cursor);
        for bad in ["", "1", "0190-", &Uuid::nil().to_string(), &"g".repeat(32)] {
            let fault = Cursor::parse(bad).unwrap_err().to_string();
            assert!(fault.contains("is not a valid cursor; expected"), "{fault}");
        }
    }

    /// Feature row 80: members are named up to 1,000, and then counted.
    #[test]
    fn members_beyond_a_thousand_are_counted() {
        let members: Vec<_> = (0..=MOST_NAMED).map(|n| n.to_string()).collect();
        let told =
            |members: &[String], count| of_members(EventKind::MemberAdded, "g", "Crew", members, count);
        let one = told(&members[..1], 1).unwrap();
        assert_eq!(
            (one.people, one.data),
            (1, json!({ "group": "g", "name": "Crew", "users": ["0"] }))
        );
        let many = told(&members, 5_000).unwrap();
        assert_eq!((many.people, &many.data["more"]), (5_000, &json!(4_000)));
        assert_eq!(many.data["users"].as_array().unwrap().len(), MOST_NAMED);
        assert_eq!(told(&[], 0), None);
    }

    /// Feature row 80: a removed person leaves each group by an event, up to 1,000; the others are counted in one.
    #[test]
    fn groups_that_a_removed_person_leaves_are_named_and_then_counted() {
        let mut told: Vec<EventRow> = Vec::new();
        for person in ["ann", "bob"] {
            for group in 0..MOST_NAMED + 3 {
                match left(&group.to_string(), "Crew", person, told.last()) {
                    Left::Named(row) => told.push(row),
                    Left::Counted(row) => *told.last_mut().unwrap() = row,
                }
            }
        }
        assert_eq!(told.len(), 2 * (MOST_NAMED + 1));
        for of_one in told.chunks(MOST_NAMED + 1) {
            let (more, named) = of_one.split_last().unwrap();
            assert!(
                named
                    .iter()
                    .enumerate()
                    .all(|(n, row)| row.subject == n.to_string())
            );
            assert_eq!(more.data["more"], 3);
        }
    }
}
