//! The conflict inbox: what an identity provider could not do because of something here, and what to do about it.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::fault::{Fault, Result};
use super::keyword::{Keyword as _, keywords};
use super::redact;

keywords! {
    /// The kind of a conflict.
    ConflictKind {
        /// A manual account has the name.
        ManualAccount = "manual-account",
        /// Another person or group of the provider has the name.
        DuplicateName = "duplicate-name",
        /// A group names a member who does not exist here.
        UnknownMember = "unknown-member",
        /// A value does not fit the settings or the protocol.
        RefusedValue = "refused-value",
        /// Somebody came back, and permissions of theirs wait for a decision.
        WaitingPermissions = "waiting-permissions",
    }
}

keywords! {
    /// The state of a conflict.
    ConflictState {
        /// It is there.
        Open = "open",
        /// An administrator has decided that nothing is to be done.
        Ignored = "ignored",
        /// The provider came again and succeeded.
        Resolved = "resolved",
    }
}

impl ConflictKind {
    /// Returns the sentence that says what to do.
    pub(crate) const fn remedy(self) -> &'static str {
        match self {
            Self::ManualAccount => {
                "Rename or remove the manual account, or let the provider adopt it, and have the provider try again."
            }
            Self::DuplicateName => {
                "Rename one of the two at the provider, or remove the one that is here, and have the provider try again."
            }
            Self::UnknownMember => {
                "Assign the member to the application at the provider, so that it is provisioned before the group."
            }
            Self::RefusedValue => {
                "Correct the value or its mapping at the provider; the detail says what is expected."
            }
            Self::WaitingPermissions => "Give the permissions back, or take them away.",
        }
    }

    /// Returns the kind of conflict that a refusal tells of, if it is one: `attribute` is the one at fault. Whether it is a
    /// manual account that has a name, only the database knows.
    pub(crate) fn of_refusal(status: u16, scim_type: Option<&str>, attribute: Option<&str>) -> Option<Self> {
        let is_member = attribute.is_some_and(|name| name.to_ascii_lowercase().starts_with("members"));
        match (status, scim_type) {
            (409, Some("uniqueness")) => Some(Self::DuplicateName),
            (400, Some("invalidValue")) if is_member => Some(Self::UnknownMember),
            (400, Some("invalidValue" | "invalidSyntax" | "invalidPath" | "noTarget" | "mutability")) => {
                Some(Self::RefusedValue)
            }
            _ => None,
        }
    }
}

/// Something that went wrong, as it is noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConflictSeen {
    pub(crate) organization: Uuid,
    pub(crate) kind: ConflictKind,
    /// The subject: see [`subject`].
    pub(crate) subject: String,
    /// The name that the provider asked for.
    pub(crate) name: String,
    pub(crate) external_id: Option<String>,
    /// The answer that the provider got.
    pub(crate) detail: String,
    pub(crate) time: Timestamp,
    /// The sequence of the request, if it was one.
    pub(crate) request: Option<Uuid>,
}

impl ConflictSeen {
    /// Returns it as it may be kept: no secret is in it, and its size is bounded.
    pub(crate) fn bounded(mut self) -> Self {
        for text in [&mut self.subject, &mut self.name, &mut self.detail] {
            redact::keep(text);
        }
        if let Some(text) = &mut self.external_id {
            redact::keep(text);
        }
        self
    }
}

/// A conflict, as the inbox has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Conflict {
    pub(crate) id: Uuid,
    pub(crate) kind: ConflictKind,
    pub(crate) state: ConflictState,
    /// The id of the person or group, or what is known in place of it.
    pub(crate) subject: String,
    pub(crate) name: String,
    pub(crate) external_id: Option<String>,
    /// The account that stands in the way.
    pub(crate) account: Option<Uuid>,
    pub(crate) detail: String,
    /// When it was seen for the first time.
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    /// How often it was seen.
    pub(crate) count: u64,
    /// The id of the last request.
    pub(crate) request: Option<Uuid>,
}

impl Conflict {
    /// Returns the state after an administrator has decided that nothing is to be done.
    ///
    /// # Errors
    /// It is resolved: there is nothing to decide.
    pub(crate) fn ignored(&self) -> Result<ConflictState> {
        match self.state {
            ConflictState::Open | ConflictState::Ignored => Ok(ConflictState::Ignored),
            ConflictState::Resolved => Err(Fault::conflict(
                "The conflict is resolved already: it is open again if it comes again, and can be put aside then.",
            )),
        }
    }

    /// Returns the state after an administrator has taken that decision back.
    ///
    /// # Errors
    /// It was not put aside.
    pub(crate) fn reopened(&self) -> Result<ConflictState> {
        match self.state {
            ConflictState::Ignored => Ok(ConflictState::Open),
            ConflictState::Open | ConflictState::Resolved => Err(Fault::conflict(format!(
                "The conflict is {}: only one that was put aside is opened again.",
                self.state.word()
            ))),
        }
    }

    /// Returns the place of the list behind it.
    pub(crate) fn cursor(&self) -> Cursor {
        Cursor {
            last: self.last,
            id: self.id,
        }
    }
}

/// A place in the list of conflicts, the last first: behind the one that it was given with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) last: Timestamp,
    pub(crate) id: Uuid,
}

impl Cursor {
    /// The place before all conflicts.
    pub(crate) const START: Self = Self {
        last: Timestamp::MAX,
        id: Uuid::max(),
    };

    /// Reads a cursor that a list has ended with.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let read = || {
            let (last, id) = text.split_once('-')?;
            let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
            Some(Self {
                last: Timestamp::from_microsecond(last.parse().ok()?).ok()?,
                id: Uuid::try_parse(id).ok().filter(|_| is_id)?,
            })
        };
        read().ok_or_else(|| {
            Fault::invalid(format!(
                "{:?} is not a valid cursor; expected one that a list of conflicts has ended with, as it is.",
                redact::secrets(text)
            ))
        })
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.last.as_microsecond(), self.id.simple())
    }
}

/// Returns what a conflict about somebody is kept under: the id here, or else that of the provider, or else the name.
pub(crate) fn subject(id: Option<&str>, external_id: Option<&str>, name: &str) -> String {
    match (id, external_id) {
        (Some(id), _) => id.to_owned(),
        (None, Some(external_id)) => by_external_id(external_id),
        (None, None) => by_name(name),
    }
}

/// Returns everything that a conflict about somebody may be kept under, of whom all is known.
pub(crate) fn subjects(id: &str, external_id: Option<&str>, name: &str) -> Vec<String> {
    let mut subjects = vec![id.to_owned(), by_name(name)];
    subjects.extend(external_id.map(by_external_id));
    for subject in &mut subjects {
        redact::keep(subject);
    }
    subjects
}

fn by_external_id(external_id: &str) -> String {
    format!("external-id:{external_id}")
}

fn by_name(name: &str) -> String {
    format!("name:{}", scim::fold::user_name(name.trim()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::keyword::Keyword;

    /// Feature row 99: what is a conflict, and what is only a mistake of a request.
    #[test]
    fn a_refusal_is_a_conflict_if_somebody_here_can_do_something() {
        let kind = ConflictKind::of_refusal;
        assert_eq!(
            kind(409, Some("uniqueness"), Some("userName")),
            Some(ConflictKind::DuplicateName)
        );
        assert_eq!(
            kind(400, Some("invalidValue"), Some("members[0].value")),
            Some(ConflictKind::UnknownMember)
        );
        assert_eq!(
            kind(400, Some("invalidValue"), Some("userName")),
            Some(ConflictKind::RefusedValue)
        );
        for (status, scim_type) in [
            (404, None),
            (401, None),
            (400, Some("invalidFilter")),
            (412, None),
            (500, None),
        ] {
            assert_eq!(kind(status, scim_type, None), None);
        }
        for kind in ConflictKind::ALL {
            assert!(kind.remedy().ends_with('.'), "{kind:?}");
        }
    }

    fn conflict(state: ConflictState) -> Conflict {
        Conflict {
            id: Uuid::from_u128(7),
            kind: ConflictKind::DuplicateName,
            state,
            subject: "1".to_owned(),
            name: "ann".to_owned(),
            external_id: None,
            account: None,
            detail: String::new(),
            first: Timestamp::UNIX_EPOCH,
            last: Timestamp::UNIX_EPOCH,
            count: 1,
            request: None,
        }
    }

    /// Feature row 99: what is open can be put aside, and that can be taken back; nothing is decided of what is over.
    #[test]
    fn a_decision_can_be_taken_back() {
        let of = |rule: fn(&Conflict) -> Result<ConflictState>| {
            ConflictState::ALL
                .iter()
                .map(move |state| rule(&conflict(*state)).ok())
                .collect::<Vec<_>>()
        };
        let ignored = Some(ConflictState::Ignored);
        assert_eq!(of(Conflict::ignored), [ignored, ignored, None]);
        assert_eq!(of(Conflict::reopened), [None, Some(ConflictState::Open), None]);
    }

    proptest! {
        /// Feature row 99: a cursor is read as it was given, and nothing else is one.
        #[test]
        fn a_cursor_is_read_as_it_was_given(micros in -1_000_000_i64..i64::MAX / 100_000, id: u128, other in ".{0,30}") {
            let last = Timestamp::from_microsecond(micros).unwrap();
            let cursor = Cursor { last, id: Uuid::from_u128(id) };
            prop_assert_eq!(Cursor::parse(&cursor.to_string()).unwrap(), cursor);
            prop_assert!(Cursor::parse(&other).is_err());
        }

        /// Feature row 99: whatever a conflict is kept under, the success of the same person finds it.
        #[test]
        fn a_later_success_finds_what_a_conflict_is_kept_under(
            id in "[a-z0-9]{1,8}", external_id in proptest::option::of("[a-zA-Z0-9]{1,8}"), name in "[a-zA-Z@. ]{1,12}",
            has_id: bool,
        ) {
            let kept = subject(has_id.then_some(&*id), external_id.as_deref(), &name.to_uppercase());
            prop_assert!(subjects(&id, external_id.as_deref(), &name).contains(&kept));
        }
    }
}
