//! The settings of an organization as fields of a form.

use crate::domain::fault::Fault;
use crate::domain::permission::Permission;
use crate::domain::settings::{Changes, Settings};
use crate::portal::form::Form;
use crate::portal::shell::Shell;

/// A setting, as the form asks for it.
#[derive(Debug)]
struct Asked {
    /// The name of the setting.
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    kind: Kind,
    /// The permission that a change needs.
    permission: Permission,
}

/// By what a setting is chosen.
#[derive(Debug)]
enum Kind {
    /// Values with their words.
    Choice(&'static [(&'static str, &'static str)]),
    Switch,
    Number,
    Text,
}

/// A field of the form.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Field {
    pub(in crate::portal) name: &'static str,
    pub(in crate::portal) label: &'static str,
    pub(in crate::portal) hint: &'static str,
    pub(in crate::portal) value: String,
    pub(in crate::portal) control: Control,
    /// Whether whoever looks may not change it.
    pub(in crate::portal) is_locked: bool,
    /// Why what was entered does not fit.
    pub(in crate::portal) error: Option<String>,
}

/// The control of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::portal) enum Control {
    Choice(&'static [(&'static str, &'static str)]),
    Switch,
    Number,
    Text,
}

use Permission as P;

/// The identity provider and the first sign-in stand in sections of their own.
const OWN_SECTIONS: [&str; 2] = ["idp", "first-login"];

const FIELDS: &[Asked] = &[
    Asked {
        name: "idp",
        label: "Identity provider",
        hint: "Determines which guide you see and how requests are interpreted.",
        kind: Kind::Choice(&[
            ("entra", "Microsoft Entra ID"),
            ("okta", "Okta"),
            ("jumpcloud", "JumpCloud"),
            ("onelogin", "OneLogin"),
            ("google", "Google Workspace"),
            ("ping", "Ping Identity"),
            ("authentik", "authentik"),
            ("other", "Other (any SCIM 2.0 provider)"),
        ]),
        permission: P::INTEGRATIONS_WRITE,
    },
    Asked {
        name: "first-login",
        label: "How will provisioned people sign in?",
        hint: "",
        kind: Kind::Choice(&[
            ("saml", "Create a SAML-enabled account"),
            ("invitation", "Send an e-mail invitation"),
            ("password-reset", "Let people set a password themselves"),
        ]),
        permission: P::LOGIN_WRITE,
    },
    Asked {
        name: "groups",
        label: "Groups become",
        hint: "Mappings and mirrored roles are kept while the other is in force.",
        kind: Kind::Choice(&[
            ("map", "Members of User Roles that you map"),
            ("mirror", "A User Role of the same name"),
        ]),
        permission: P::INTEGRATIONS_WRITE,
    },
    Asked {
        name: "assignment",
        label: "People get roles",
        hint: "",
        kind: Kind::Choice(&[
            ("mapped-only", "Through mapped groups only"),
            ("local-groups", "Also through groups that you keep here"),
        ]),
        permission: P::INTEGRATIONS_WRITE,
    },
    Asked {
        name: "on-delete",
        label: "When the provider deletes a person",
        hint: "Sign-in and sessions end at once in both cases; the history keeps the name.",
        kind: Kind::Choice(&[
            ("remove", "Hide the person"),
            ("deactivate", "List the person as disabled"),
        ]),
        permission: P::INTEGRATIONS_WRITE,
    },
    Asked {
        name: "username",
        label: "User name",
        hint: "",
        kind: Kind::Choice(&[("email", "Must be an e-mail address"), ("any", "Any text")]),
        permission: P::INTEGRATIONS_WRITE,
    },
    Asked {
        name: "attributes",
        label: "Attributes kept",
        hint: "What is not kept is accepted and ignored.",
        kind: Kind::Choice(&[
            ("all", "All that the schema knows"),
            ("mapped", "User name, given name, family name, status"),
        ]),
        permission: P::INTEGRATIONS_WRITE,
    },
    Asked {
        name: "existing-account",
        label: "A manual account has the same user name",
        hint: "",
        kind: Kind::Choice(&[
            ("refuse", "Refuse the provider’s account (409)"),
            ("adopt", "Ask an administrator to hand it over"),
        ]),
        permission: P::INTEGRATIONS_WRITE,
    },
    Asked {
        name: "policy",
        label: "Protocol",
        hint: "Strict follows the letter of the RFC and may refuse what your provider sends.",
        kind: Kind::Choice(&[
            ("tolerant", "Accepts what providers really send"),
            ("strict", "Strict"),
            ("interop-profile", "SCIM 2.0 Interoperability Profile"),
        ]),
        permission: P::INTEGRATIONS_WRITE,
    },
    Asked {
        name: "unique-group-names",
        label: "Refuse a second group of the same name",
        hint: "If off, names may repeat and the provider’s id tells them apart.",
        kind: Kind::Switch,
        permission: P::INTEGRATIONS_WRITE,
    },
    Asked {
        name: "mass-deactivations",
        label: "Alert after deactivations in an hour",
        hint: "More of them raise an alert by mail and on the overview. Nothing is held back.",
        kind: Kind::Number,
        permission: P::ORGANIZATION_WRITE,
    },
    Asked {
        name: "mass-role-losses",
        label: "Alert after role losses in an hour",
        hint: "",
        kind: Kind::Number,
        permission: P::ORGANIZATION_WRITE,
    },
    Asked {
        name: "history-days",
        label: "Keep API History for days",
        hint: "From 1 to 3650.",
        kind: Kind::Number,
        permission: P::ORGANIZATION_WRITE,
    },
    Asked {
        name: "audit-days",
        label: "Keep the audit log for days",
        hint: "A number of days, or “for-ever”.",
        kind: Kind::Text,
        permission: P::INTEGRATIONS_WRITE,
    },
    Asked {
        name: "failed-bodies",
        label: "Keep the bodies of failed requests for 24 hours",
        hint: "Names, addresses and secrets are masked.",
        kind: Kind::Switch,
        permission: P::INTEGRATIONS_WRITE,
    },
    Asked {
        name: "capture-bodies",
        label: "Capture all bodies",
        hint: "For troubleshooting: those of requests that succeed, too, masked, for 24 hours each.",
        kind: Kind::Switch,
        permission: P::INTEGRATIONS_WRITE,
    },
    Asked {
        name: "mails-per-minute",
        label: "Mails in a minute at most",
        hint: "From 1 to 6000. The rest waits.",
        kind: Kind::Number,
        permission: P::ORGANIZATION_WRITE,
    },
    Asked {
        name: "support-contact",
        label: "Support contact",
        hint: "Shown in guides and errors: an address, a URL or a sentence.",
        kind: Kind::Text,
        permission: P::ORGANIZATION_WRITE,
    },
    Asked {
        name: "set-up",
        label: "Order of set-up",
        hint: "",
        kind: Kind::Choice(&[
            ("token-first", "Make a token, then enable"),
            ("activate-first", "Activate, then make URL and key"),
            ("save-generates", "Choose the provider; saving makes the key"),
        ]),
        permission: P::INTEGRATIONS_WRITE,
    },
    Asked {
        name: "words",
        label: "Words of these pages",
        hint: "Which product’s names the pages use.",
        kind: Kind::Choice(&[
            ("threatlocker", "API Url, API Token"),
            ("level-access", "SCIM URL, SCIM API key"),
            ("third-platform", "SCIM URI, API Key"),
        ]),
        permission: P::ORGANIZATION_WRITE,
    },
];

/// All fields of the form.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Fields(Vec<Field>);

impl Fields {
    /// Creates the fields with the present values.
    pub(in crate::portal) fn of(settings: &Settings, shell: &Shell) -> Self {
        let entries = settings.entries();
        let value = |name: &str| {
            let found = entries.iter().find(|(entry, _)| *entry == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let field = |asked: &'static Asked| Field {
            name: asked.name,
            label: asked.label,
            hint: asked.hint,
            value: value(asked.name),
            control: match asked.kind {
                Kind::Choice(options) => Control::Choice(options),
                Kind::Switch => Control::Switch,
                Kind::Number => Control::Number,
                Kind::Text => Control::Text,
            },
            is_locked: !shell.may(&asked.permission),
            error: None,
        };
        Self(FIELDS.iter().map(field).collect())
    }

    /// Takes in what was entered, and returns the changes that it makes. Fields that were not sent stay as they are.
    pub(in crate::portal) fn enter(&mut self, form: &Form) -> Changes {
        let mut changes = Changes::default();
        for field in self.0.iter_mut().filter(|field| !field.is_locked) {
            // A switch sends "off" before "on".
            let Some(entered) = form.texts(field.name).last() else {
                continue;
            };
            if entered.trim() == field.value {
                continue;
            }
            entered.trim().clone_into(&mut field.value);
            let set = changes.set(field.name, &field.value);
            field.error = set.err().map(|fault: Fault| fault.to_string());
        }
        changes
    }

    /// Returns whether something that was entered does not fit.
    pub(super) fn have_errors(&self) -> bool {
        self.wrong().next().is_some()
    }

    /// Returns the fields whose values do not fit.
    pub(in crate::portal) fn wrong(&self) -> impl Iterator<Item = &Field> {
        self.0.iter().filter(|field| field.error.is_some())
    }

    /// Returns the field of the identity provider.
    pub(in crate::portal) fn provider(&self) -> Option<&Field> {
        self.0.iter().find(|field| field.name == "idp")
    }

    /// Returns the field of the first sign-in.
    pub(in crate::portal) fn first_login(&self) -> Option<&Field> {
        self.0.iter().find(|field| field.name == "first-login")
    }

    /// Returns the fields that have no section of their own.
    pub(in crate::portal) fn others(&self) -> impl Iterator<Item = &Field> {
        self.0.iter().filter(|field| !OWN_SECTIONS.contains(&field.name))
    }

    /// Returns whether somebody may change any.
    pub(in crate::portal) fn are_open(&self) -> bool {
        self.0.iter().any(|field| !field.is_locked)
    }

    /// Returns names and values of what can be changed, to be sent again.
    pub(super) fn values(&self) -> impl Iterator<Item = (&'static str, String)> {
        let open = self.0.iter().filter(|field| !field.is_locked);
        open.map(|field| (field.name, field.value.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::settings_change::Part;
    use crate::domain::settings_change::part_of;

    /// How people sign in stands in Login Settings, but for the first sign-in. Settings that this version refuses have no field.
    const ELSEWHERE: [&str; 4] = ["sso", "idp-initiated-saml", "second-factor", "hold-escalations"];

    /// Feature rows 11, 84: the panel has a field for each setting of an organization.
    #[test]
    fn the_panel_has_every_setting() {
        let entries = Settings::default().entries();
        let mut settings: Vec<_> = entries.iter().map(|(name, _)| *name).collect();
        settings.retain(|name| !ELSEWHERE.contains(name));
        settings.sort_unstable();
        let mut fields: Vec<_> = FIELDS.iter().map(|asked| asked.name).collect();
        fields.sort_unstable();
        assert_eq!(fields, settings);
    }

    /// Feature row 14: a field is open to those who may change its setting.
    #[test]
    fn a_field_asks_for_the_permission_of_its_setting() {
        for asked in FIELDS {
            let permission = match part_of(asked.name) {
                Part::Organization => Permission::ORGANIZATION_WRITE,
                Part::Integration => Permission::INTEGRATIONS_WRITE,
                Part::Login => Permission::LOGIN_WRITE,
            };
            assert_eq!(asked.permission, permission, "{}", asked.name);
        }
    }

    /// Feature row 11: each choice has the words that the setting has.
    #[test]
    fn a_choice_has_the_values_of_its_setting() {
        for asked in FIELDS {
            let Kind::Choice(options) = asked.kind else {
                continue;
            };
            for (value, _) in options {
                assert!(Changes::default().set(asked.name, value).is_ok(), "{value}");
            }
            let table = include_str!("../../../tests/fixtures/settings.md");
            let row = table
                .lines()
                .find(|line| line.starts_with(&format!("| `{}` ", asked.name)));
            let values = row.unwrap().split('|').nth(2).unwrap();
            assert_eq!(values.split(',').count(), options.len(), "{}", asked.name);
        }
    }
}
