//! The entries of the audit log in words.

use serde_json::Value;

use crate::domain::audit::{ActorKind, AuditRow};

/// The changes to one kind of thing.
#[derive(Debug)]
pub(in crate::portal) struct Topic {
    pub(in crate::portal) title: &'static str,
    /// The words of the log, and what they say.
    pub(in crate::portal) told: &'static [(&'static str, &'static str)],
}

/// Everything that stands in the log of an organization.
pub(in crate::portal) static TOPICS: &[Topic] = &[
    Topic {
        title: "People",
        told: &[
            ("user.create", "Account created"),
            ("user.change", "Account changed"),
            ("user.suspend", "Account suspended"),
            ("user.suspend-unconfirmed", "Unconfirmed account suspended"),
            ("user.resume", "Suspension ended"),
            ("user.grant", "Role or permission given"),
            ("user.revoke", "Role or permission taken away"),
            ("user.adopt", "Account released to the identity provider"),
            ("user.erase", "Personal data erased"),
            ("user.invite", "Link to sign in sent"),
            ("user.sign-out", "Signed out everywhere by somebody else"),
            (
                "user.reset-second-factor",
                "Second factor removed by somebody else",
            ),
        ],
    },
    Topic {
        title: "Groups and roles",
        told: &[
            ("role.create", "Role created"),
            ("role.change", "Role changed"),
            ("role.delete", "Role deleted"),
            ("mapping.set", "Mapping of a group changed"),
            ("local-group.create", "Local group created"),
            ("local-group.change", "Local group changed"),
            ("local-group.delete", "Local group deleted"),
            ("local-group.assign", "Members of a local group changed"),
        ],
    },
    Topic {
        title: "Tokens",
        told: &[
            ("token.create", "Token generated"),
            ("token.rotate", "Token rotated"),
            ("token.complete", "Rotation of a token completed"),
            ("token.cancel", "Rotation of a token cancelled"),
            ("token.revoke", "Token revoked"),
            ("token.confirm", "Token confirmed after a restored backup"),
            ("setup-link.create", "Set-up link made"),
            ("setup-link.open", "Set-up link opened"),
            ("setup-link.finish", "Set-up by a link finished"),
            ("setup-link.revoke", "Set-up link taken back"),
        ],
    },
    Topic {
        title: "Integration",
        told: &[
            ("integration.set", "SCIM settings changed"),
            ("integration.enable", "Integration enabled"),
            ("integration.disable", "Integration disabled"),
            ("integration.delete", "Integration deleted"),
            ("history.show-body", "Body of a request opened"),
            ("history.purge", "Requests deleted from the history"),
            ("conflict.ignore", "Conflict ignored"),
            ("conflict.reopen", "Conflict opened again"),
            ("alert.raise", "Alert raised: many losses at once"),
            ("alert.see", "Alerts acknowledged"),
        ],
    },
    Topic {
        title: "Login settings",
        told: &[
            ("login.set", "Login settings changed"),
            ("saml.set", "SAML integration changed"),
            ("saml.refresh", "SAML metadata read again"),
            ("saml.try", "Trial sign-in by SAML begun"),
            ("saml.delete", "SAML integration deleted"),
        ],
    },
    Topic {
        title: "Sign-in",
        told: &[
            ("session.begin", "Signed in"),
            ("session.end-all", "Signed out everywhere"),
            ("password.set", "Password set by a link"),
            ("password.change", "Password changed"),
            ("second-factor.add", "Second factor set up"),
            ("second-factor.remove", "Second factor removed"),
            ("recovery-codes.make", "Recovery codes made"),
            ("recovery-codes.use", "Recovery code used"),
            ("saml.confirm", "Sign-in by SAML confirmed"),
        ],
    },
    Topic {
        title: "Mails",
        told: &[
            ("mail.retry", "Mail sent once more"),
            ("mail.cancel", "Mail cancelled"),
            ("mail.show-link", "Link in a mail opened"),
        ],
    },
    Topic {
        title: "Organization and server",
        told: &[
            ("organization.create", "Organization created"),
            ("organization.set", "Organization changed"),
            ("organization.import", "Organization imported from a file"),
            ("organization.delete", "Organization deleted"),
            ("instance.restore", "Server restored from a backup"),
            ("instance.rotate-keys", "Encryption keys of the server rotated"),
            ("admin.set-up", "First owner of the server set up"),
            ("admin.create", "Owner of the server made"),
            ("admin.recover", "Owner of the server let back in"),
            ("admin.delete", "Owner of the server removed"),
        ],
    },
];

/// Returns what a word of the log says; a word of another version says itself.
pub(in crate::portal) fn sentence(action: &str) -> &str {
    let mut all = TOPICS.iter().flat_map(|topic| topic.told);
    all.find(|(word, _)| *word == action)
        .map_or(action, |(_, sentence)| sentence)
}

/// Returns the thing that it was done to, unless the sentence says so already.
pub(in crate::portal) fn thing(row: &AuditRow) -> Option<String> {
    let is_said = row.subject_type == "organization" || row.subject_name.is_empty();
    let is_own = row.subject_type == "account" && row.subject_name == row.actor;
    match row.subject_type.as_ref() {
        _ if is_said || is_own => None,
        "token" => Some(format!("…{}", row.subject_name)),
        _ => Some(row.subject_name.clone()),
    }
}

/// Returns who has done it.
pub(in crate::portal) fn actor(row: &AuditRow) -> String {
    match row.actor_kind {
        ActorKind::Operator => format!("Command line ({})", row.actor),
        ActorKind::Account => row.actor.clone(),
        ActorKind::Owner => format!("{}, owner of the server", row.actor),
        ActorKind::Provider => "The identity provider".to_owned(),
        ActorKind::SetupLink => format!("Somebody with a set-up link of {}", row.actor),
        ActorKind::Server => format!("The server ({})", row.actor),
    }
}

/// Returns what was changed: in the sentence that was kept of it, if there is one.
pub(in crate::portal) fn details(detail: &Value) -> String {
    if let Some(sentence) = detail.get("sentence").and_then(Value::as_str) {
        return sentence.to_owned();
    }
    let parts = detail.as_object().into_iter().flatten();
    let told: Vec<_> = parts.filter_map(|(name, value)| part(name, value)).collect();
    told.join("; ")
}

fn part(name: &str, value: &Value) -> Option<String> {
    let name = name.replace(['_', '-'], " ");
    let change = value
        .as_object()
        .filter(|pair| pair.contains_key("before") && pair.contains_key("after"));
    let (before, after) = match change {
        Some(pair) => (pair.get("before").map(text), pair.get("after").map(text)),
        None => (None, Some(text(value))),
    };
    let after = after.unwrap_or_default();
    match (before.filter(|before| !before.is_empty()), after.is_empty()) {
        (Some(before), false) => Some(format!("{name}: from “{before}” to “{after}”")),
        (Some(before), true) => Some(format!("{name}: no longer “{before}”")),
        (None, false) => Some(format!("{name}: {after}")),
        (None, true) => None,
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Object(parts) => {
            let part = |(name, value): (&String, &Value)| match text(value) {
                text if text.is_empty() => None,
                text => Some(format!("{} {text}", name.replace('_', " "))),
            };
            parts.iter().filter_map(part).collect::<Vec<_>>().join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::actions;

    /// Actions that only show something, and leave no row.
    const SHOWING: &[&str] = &[
        "activity.show",
        "alert.list",
        "audit.export",
        "audit.list",
        "conflict.list",
        "conflict.show",
        "connection.show",
        "event.list",
        "group.list",
        "history.export",
        "history.list",
        "history.show",
        "integration.show",
        "local-group.list",
        "mail.list",
        "mail.show",
        "mapping.list",
        "organization.list",
        "role.list",
        "saml.failures",
        "saml.show",
        "setup-link.list",
        "token.list",
        "user.list",
        "user.sign-in",
    ];

    /// Feature rows 70, 81: the log says of each action what was done, in words.
    #[test]
    fn each_action_has_a_sentence() {
        let told: BTreeSet<_> = TOPICS
            .iter()
            .flat_map(|topic| topic.told)
            .map(|told| told.0)
            .collect();
        for action in actions::ALL {
            let (is_told, is_shown) = (told.contains(action.name), SHOWING.contains(&action.name));
            assert!(
                is_told != is_shown,
                "{}: told or showing, one of both",
                action.name
            );
        }
        let sentences: Vec<_> = TOPICS
            .iter()
            .flat_map(|topic| topic.told)
            .map(|told| told.1)
            .collect();
        let different: BTreeSet<_> = sentences.iter().collect();
        assert_eq!(different.len(), sentences.len(), "no two say the same");
    }

    /// Feature row 81: what was changed reads as from and to.
    #[test]
    fn a_change_is_told_in_words() {
        let detail = json!({
            "first-login": { "before": "invitation", "after": "saml" },
            "gained": { "before": [], "after": ["users:read", "roles:read"] },
            "reason": { "before": "left", "after": null },
            "expires": null,
            "count": 2,
            "certificates": [{ "fingerprint": "4A", "until": null }],
        });
        assert_eq!(
            details(&detail),
            "certificates: fingerprint 4A; count: 2; first login: from “invitation” to “saml”; gained: users:read, \
             roles:read; reason: no longer “left”"
        );
        let alert = json!({ "kind": "role-loss", "people": 9, "sentence": "Nine people lost a role." });
        assert_eq!(details(&alert), "Nine people lost a role.");
    }
}
