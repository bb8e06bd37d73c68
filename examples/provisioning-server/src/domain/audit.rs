//! The record of every change that an administrator, an operator or a rule has made.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::keyword::keywords;
use super::{masked, redact};

keywords! {
    /// The kind of actor that has made a change.
    ActorKind {
        /// Somebody at the command line of the machine.
        Operator = "operator",
        /// Somebody with an account.
        Account = "account",
        /// An owner of the instance.
        Owner = "owner",
        /// An identity provider, by a token.
        Provider = "provider",
        /// Somebody with a link to the set-up guide, in the name of whoever has made it.
        SetupLink = "setup-link",
        /// The server itself, by a setting or a rule.
        Server = "server",
    }
}

/// One row of the audit log. No secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct AuditRow {
    #[serde(skip)]
    pub(crate) organization: Uuid,
    pub(crate) time: Timestamp,
    pub(crate) actor_kind: ActorKind,
    /// The name of the actor, as the reader of the log knows it.
    pub(crate) actor: String,
    /// The word for what was done, such as `role.create`.
    pub(crate) action: Cow<'static, str>,
    /// The kind of thing that it was done to, such as `role`.
    pub(crate) subject_type: Cow<'static, str>,
    /// The id of the thing.
    pub(crate) subject: String,
    /// The name of the thing at that time.
    pub(crate) subject_name: String,
    /// The changes, as JSON.
    pub(crate) detail: Value,
    /// The network address that the actor came from.
    pub(crate) address: Option<String>,
    /// The id of the HTTP request, if it was one.
    pub(crate) request_id: Option<String>,
}

impl AuditRow {
    /// Cuts every text, so that a row has a bounded size, and hides secrets: somebody may have typed one as anything.
    pub(super) fn hide(&mut self) {
        for text in [&mut self.actor, &mut self.subject, &mut self.subject_name] {
            redact::keep(text);
        }
        for text in [&mut self.address, &mut self.request_id].into_iter().flatten() {
            redact::keep(text);
        }
        masked::mask(&mut self.detail);
    }

    /// Returns the row as it may be kept.
    pub(crate) fn bounded(mut self) -> Self {
        self.hide();
        self
    }
}

/// A row as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct AuditEntry {
    /// The cursor to go on with.
    pub(crate) id: Uuid,
    #[serde(flatten)]
    pub(crate) row: AuditRow,
}

/// Which rows are looked for. Everything that is `Some` must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AuditFilter {
    pub(crate) by: Option<By>,
    pub(crate) since: Option<Timestamp>,
    /// Not included.
    pub(crate) until: Option<Timestamp>,
}

/// By what rows are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum By {
    /// The id of the thing that was changed.
    Subject(String),
    /// The name of the actor.
    Actor(String),
    /// The word for what was done.
    Action(String),
    /// The name of the actor, and the word for what they did.
    ActorAndAction(String, String),
}

impl By {
    /// Returns how rows are told apart by what was asked for: a thing alone, or an actor and an action.
    pub(crate) fn of(subject: Option<String>, actor: Option<String>, action: Option<String>) -> Option<Self> {
        match (subject, actor, action) {
            (Some(subject), ..) => Some(Self::Subject(subject)),
            (None, Some(actor), Some(action)) => Some(Self::ActorAndAction(actor, action)),
            (None, Some(actor), None) => Some(Self::Actor(actor)),
            (None, None, Some(action)) => Some(Self::Action(action)),
            (None, None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::secret::{Secret, SecretKind};

    /// Feature row 70: never the token.
    #[test]
    fn no_secret_is_kept_wherever_it_stands() {
        let token = Secret::from_random(SecretKind::Token, [5; 32]);
        let secret = token.reveal();
        let row = AuditRow {
            organization: Uuid::nil(),
            time: Timestamp::UNIX_EPOCH,
            actor_kind: ActorKind::Operator,
            actor: format!("root {secret}"),
            action: "token.create".into(),
            subject_type: "token".into(),
            subject: secret.to_owned(),
            subject_name: secret.to_owned(),
            detail: json!({ "list": [secret, { "password": "hunter2" }], secret: 1 }),
            address: Some(secret.to_owned()),
            request_id: Some(secret.to_owned()),
        };
        let kept = format!("{:?}", row.bounded());
        assert!(!kept.contains(&secret[6..]), "{kept}");
        assert!(!kept.contains("hunter2"), "{kept}");
    }
}
