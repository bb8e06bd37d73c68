//! The settings of one organization: each product that the server can stand in for is a set of them.

use serde::{Deserialize, Serialize};

use super::bounded::Bounded;
use super::fault::{Fault, Result};
use super::keyword::{Keyword, keywords};
use super::retention::Retention;

/// The longest support contact, in characters.
const CONTACT_MAX: usize = 200;

keywords! {
    /// The identity provider that provisions the organization.
    IdentityProvider {
        /// Okta.
        Okta = "okta",
        /// Microsoft Entra ID.
        Entra = "entra",
        /// JumpCloud.
        JumpCloud = "jumpcloud",
        /// OneLogin.
        OneLogin = "onelogin",
        /// Google Workspace.
        Google = "google",
        /// PingOne and PingFederate.
        Ping = "ping",
        /// authentik.
        Authentik = "authentik",
        /// Any other SCIM 2.0 client.
        Other = "other",
    }
}

impl IdentityProvider {
    /// Returns the name by which people know it.
    pub(crate) const fn display(self) -> &'static str {
        match self {
            Self::Okta => "Okta",
            Self::Entra => "Microsoft Entra ID",
            Self::JumpCloud => "JumpCloud",
            Self::OneLogin => "OneLogin",
            Self::Google => "Google Workspace",
            Self::Ping => "Ping Identity",
            Self::Authentik => "authentik",
            Self::Other => "Other",
        }
    }
}

keywords! {
    /// The thing that a group of the identity provider becomes.
    Groups {
        /// Groups are mapped to roles that exist already.
        Map = "map",
        /// Each group becomes a role of its own.
        Mirror = "mirror",
    }
}

keywords! {
    /// How a provisioned person comes by roles.
    Assignment {
        /// Through mapped groups alone.
        MappedOnly = "mapped-only",
        /// Also through groups kept in the portal, which SCIM does not show.
        LocalGroups = "local-groups",
    }
}

keywords! {
    /// How the portal treats a person whom the identity provider deletes.
    OnDelete {
        /// The person is hidden.
        Remove = "remove",
        /// The person is listed as disabled.
        Deactivate = "deactivate",
    }
}

keywords! {
    /// The values that a `userName` may have.
    UserNames {
        /// An e-mail address.
        Email = "email",
        /// Anything.
        Any = "any",
    }
}

keywords! {
    /// Which attributes of a person are kept.
    Attributes {
        /// Every attribute of the registered schemas.
        All = "all",
        /// `userName`, given and family name, `active`, and `externalId` for correlation.
        Mapped = "mapped",
    }
}

keywords! {
    /// The outcome when the identity provider creates a person who has a manual account.
    ExistingAccount {
        /// The request is refused with 409.
        Refuse = "refuse",
        /// The account is taken over once an administrator confirms.
        Adopt = "adopt",
    }
}

keywords! {
    /// How a provisioned person signs in for the first time.
    FirstLogin {
        /// By a link that is sent to them.
        Invitation = "invitation",
        /// By SAML.
        Saml = "saml",
        /// By setting a password through "forgot password".
        PasswordReset = "password-reset",
    }
}

keywords! {
    /// A switch.
    Switch {
        /// On.
        On = "on",
        /// Off.
        Off = "off",
    }
}

keywords! {
    /// How literally requests are taken.
    Protocol {
        /// Works with what identity providers really send.
        Tolerant = "tolerant" ("interop"),
        /// RFC 7643 and RFC 7644 alone.
        Strict = "strict",
        /// The SCIM 2.0 Interoperability Profile (draft-zollner-scim-interop-profile-02).
        InteropProfile = "interop-profile",
    }
}

keywords! {
    /// The order in which an integration is set up.
    SetUp {
        /// A token is made, then the integration can be enabled.
        TokenFirst = "token-first",
        /// The integration is activated, then its URL and key are made.
        ActivateFirst = "activate-first",
        /// The identity provider is chosen, and the first save makes the key.
        SaveGenerates = "save-generates",
    }
}

keywords! {
    /// Whether people who sign in with a password need a second factor.
    SecondFactor {
        /// Everybody decides for themselves.
        Optional = "optional",
        /// Nobody gets in without one.
        Required = "required",
    }
}

keywords! {
    /// A product whose settings can be taken over as a whole, and whose words the screens can use.
    Preset {
        /// ThreatLocker.
        ThreatLocker = "threatlocker",
        /// Level Access Platform.
        LevelAccess = "level-access",
        /// The third product, which mirrors groups as roles.
        ThirdPlatform = "third-platform",
    }
}

/// The days for which the history of requests is kept.
pub(crate) type HistoryDays = Bounded<1, 3_650>;

/// How many people may lose something within an hour before an alert is raised.
pub(crate) type Threshold = Bounded<1, 1_000_000>;

/// How many mails are sent within a minute.
pub(crate) type MailPace = Bounded<1, 6_000>;

/// The place where people find help: an address, a URL or a sentence. Empty if there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Contact(String);

impl Contact {
    /// Reads a contact.
    ///
    /// # Errors
    /// The text is too long or has characters that cannot be seen.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.chars().count() <= CONTACT_MAX && !text.chars().any(char::is_control) {
            return Ok(Self(text.to_owned()));
        }
        Err(Fault::invalid(format!(
            "The support contact is not valid; expected {CONTACT_MAX} printable characters at most, or none to remove it."
        )))
    }

    /// Returns the text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Contact {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Every setting of one organization. Its JSON form names each setting as its flag does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) idp: IdentityProvider,
    pub(crate) policy: Protocol,
    pub(crate) username: UserNames,
    pub(crate) attributes: Attributes,
    pub(crate) on_delete: OnDelete,
    pub(crate) groups: Groups,
    pub(crate) assignment: Assignment,
    pub(crate) existing_account: ExistingAccount,
    pub(crate) first_login: FirstLogin,
    pub(crate) sso: Switch,
    pub(crate) unique_group_names: Switch,
    pub(crate) set_up: SetUp,
    /// The product whose words the screens use.
    pub(crate) words: Preset,
    pub(crate) support_contact: Contact,
    /// Whether a sign-in by SAML may begin at the identity provider.
    pub(crate) idp_initiated_saml: Switch,
    pub(crate) second_factor: SecondFactor,
    /// Whether rights to change the organization, given by a group, wait for an administrator.
    pub(crate) hold_escalations: Switch,
    pub(crate) history_days: HistoryDays,
    /// For how long the audit log is kept.
    pub(crate) audit_days: Retention,
    /// Whether bodies of requests that failed are kept for a day, masked.
    pub(crate) failed_bodies: Switch,
    /// Whether bodies of other requests are.
    pub(crate) capture_bodies: Switch,
    /// More deactivations within an hour raise an alert.
    pub(crate) mass_deactivations: Threshold,
    /// More losses of roles within an hour raise an alert.
    pub(crate) mass_role_losses: Threshold,
    pub(crate) mails_per_minute: MailPace,
}

impl Default for Settings {
    /// Returns ThreatLocker's settings, except that every attribute is kept.
    fn default() -> Self {
        Self {
            attributes: Attributes::All,
            ..Self::of(Preset::ThreatLocker)
        }
    }
}

impl Settings {
    /// Returns the settings of a product, with no identity provider chosen.
    pub(crate) fn of(preset: Preset) -> Self {
        let threatlocker = Self {
            idp: IdentityProvider::Other,
            policy: Protocol::Tolerant,
            username: UserNames::Email,
            attributes: Attributes::Mapped,
            on_delete: OnDelete::Remove,
            groups: Groups::Map,
            assignment: Assignment::MappedOnly,
            existing_account: ExistingAccount::Refuse,
            first_login: FirstLogin::Invitation,
            sso: Switch::Off,
            unique_group_names: Switch::Off,
            set_up: SetUp::TokenFirst,
            words: Preset::ThreatLocker,
            support_contact: Contact::default(),
            idp_initiated_saml: Switch::Off,
            second_factor: SecondFactor::Optional,
            hold_escalations: Switch::Off,
            history_days: HistoryDays::nearest(90),
            audit_days: Retention::ForEver,
            failed_bodies: Switch::On,
            capture_bodies: Switch::Off,
            mass_deactivations: Threshold::nearest(20),
            mass_role_losses: Threshold::nearest(20),
            mails_per_minute: MailPace::nearest(60),
        };
        match preset {
            Preset::ThreatLocker => threatlocker,
            Preset::LevelAccess => Self {
                username: UserNames::Any,
                attributes: Attributes::All,
                assignment: Assignment::LocalGroups,
                first_login: FirstLogin::Saml,
                sso: Switch::On,
                set_up: SetUp::ActivateFirst,
                words: Preset::LevelAccess,
                ..threatlocker
            },
            Preset::ThirdPlatform => Self {
                username: UserNames::Any,
                attributes: Attributes::All,
                on_delete: OnDelete::Deactivate,
                groups: Groups::Mirror,
                first_login: FirstLogin::PasswordReset,
                set_up: SetUp::SaveGenerates,
                words: Preset::ThirdPlatform,
                ..threatlocker
            },
        }
    }
}

impl Settings {
    /// Returns the settings with those of a product in place of the ones that products differ in or have as their own.
    /// The identity provider, the support contact, the retention, the thresholds and the pace of mails are this
    /// organization's, whatever product it is like; so is what makes it stricter.
    fn like(&self, preset: Preset) -> Self {
        Self {
            idp: self.idp,
            support_contact: self.support_contact.clone(),
            idp_initiated_saml: self.idp_initiated_saml,
            second_factor: self.second_factor,
            hold_escalations: self.hold_escalations,
            history_days: self.history_days,
            audit_days: self.audit_days,
            failed_bodies: self.failed_bodies,
            capture_bodies: self.capture_bodies,
            mass_deactivations: self.mass_deactivations,
            mass_role_losses: self.mass_role_losses,
            mails_per_minute: self.mails_per_minute,
            ..Self::of(preset)
        }
    }

    /// Returns each setting by the name of its flag, and its value, in the order in which people see them.
    pub(crate) fn entries(&self) -> Vec<(&'static str, String)> {
        let word = |word: &str| word.to_owned();
        vec![
            ("idp", word(self.idp.word())),
            ("policy", word(self.policy.word())),
            ("username", word(self.username.word())),
            ("attributes", word(self.attributes.word())),
            ("on-delete", word(self.on_delete.word())),
            ("groups", word(self.groups.word())),
            ("assignment", word(self.assignment.word())),
            ("existing-account", word(self.existing_account.word())),
            ("first-login", word(self.first_login.word())),
            ("sso", word(self.sso.word())),
            ("unique-group-names", word(self.unique_group_names.word())),
            ("set-up", word(self.set_up.word())),
            ("words", word(self.words.word())),
            ("support-contact", word(self.support_contact.as_str())),
            ("idp-initiated-saml", word(self.idp_initiated_saml.word())),
            ("second-factor", word(self.second_factor.word())),
            ("hold-escalations", word(self.hold_escalations.word())),
            ("history-days", self.history_days.to_string()),
            ("audit-days", self.audit_days.to_string()),
            ("failed-bodies", self.failed_bodies.word().to_owned()),
            ("capture-bodies", self.capture_bodies.word().to_owned()),
            ("mass-deactivations", self.mass_deactivations.to_string()),
            ("mass-role-losses", self.mass_role_losses.to_string()),
            ("mails-per-minute", self.mails_per_minute.to_string()),
        ]
    }
}

/// Settings to change; whatever is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Take over a product's settings first; the changes below come on top. Anything that no product says stays.
    pub(crate) like: Option<Preset>,
    pub(crate) idp: Option<IdentityProvider>,
    pub(crate) policy: Option<Protocol>,
    pub(crate) username: Option<UserNames>,
    pub(crate) attributes: Option<Attributes>,
    pub(crate) on_delete: Option<OnDelete>,
    pub(crate) groups: Option<Groups>,
    pub(crate) assignment: Option<Assignment>,
    pub(crate) existing_account: Option<ExistingAccount>,
    pub(crate) first_login: Option<FirstLogin>,
    pub(crate) sso: Option<Switch>,
    pub(crate) unique_group_names: Option<Switch>,
    pub(crate) set_up: Option<SetUp>,
    pub(crate) words: Option<Preset>,
    /// An empty one removes it.
    pub(crate) support_contact: Option<Contact>,
    pub(crate) idp_initiated_saml: Option<Switch>,
    pub(crate) second_factor: Option<SecondFactor>,
    pub(crate) hold_escalations: Option<Switch>,
    pub(crate) history_days: Option<HistoryDays>,
    pub(crate) audit_days: Option<Retention>,
    pub(crate) failed_bodies: Option<Switch>,
    pub(crate) capture_bodies: Option<Switch>,
    pub(crate) mass_deactivations: Option<Threshold>,
    pub(crate) mass_role_losses: Option<Threshold>,
    pub(crate) mails_per_minute: Option<MailPace>,
}

impl Changes {
    /// Returns whether there is nothing to change.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Changes the setting with this name, that of its flag.
    ///
    /// # Errors
    /// There is no such setting, or the text is not one of its values.
    pub(crate) fn set(&mut self, name: &str, text: &str) -> Result<()> {
        match name {
            "idp" => self.idp = Some(word(name, text)?),
            "policy" => self.policy = Some(word(name, text)?),
            "username" => self.username = Some(word(name, text)?),
            "attributes" => self.attributes = Some(word(name, text)?),
            "on-delete" => self.on_delete = Some(word(name, text)?),
            "groups" => self.groups = Some(word(name, text)?),
            "assignment" => self.assignment = Some(word(name, text)?),
            "existing-account" => self.existing_account = Some(word(name, text)?),
            "first-login" => self.first_login = Some(word(name, text)?),
            "sso" => self.sso = Some(word(name, text)?),
            "unique-group-names" => self.unique_group_names = Some(word(name, text)?),
            "set-up" => self.set_up = Some(word(name, text)?),
            "words" => self.words = Some(word(name, text)?),
            "support-contact" => self.support_contact = Some(Contact::parse(text)?),
            "idp-initiated-saml" => self.idp_initiated_saml = Some(word(name, text)?),
            "second-factor" => self.second_factor = Some(word(name, text)?),
            "hold-escalations" => self.hold_escalations = Some(word(name, text)?),
            "history-days" => self.history_days = Some(HistoryDays::parse(text)?),
            "audit-days" => self.audit_days = Some(Retention::parse(text)?),
            "failed-bodies" => self.failed_bodies = Some(word(name, text)?),
            "capture-bodies" => self.capture_bodies = Some(word(name, text)?),
            "mass-deactivations" => self.mass_deactivations = Some(Threshold::parse(text)?),
            "mass-role-losses" => self.mass_role_losses = Some(Threshold::parse(text)?),
            "mails-per-minute" => self.mails_per_minute = Some(MailPace::parse(text)?),
            _ => {
                return Err(Fault::invalid(format!(
                    "{name:?} is not a valid setting; expected the name of one."
                )));
            }
        }
        Ok(())
    }

    /// Returns the settings after the changes.
    ///
    /// Choosing SAML as first login allows single sign-on too, unless the same change says otherwise.
    pub(crate) fn apply(&self, settings: &Settings) -> Settings {
        let base = match self.like {
            Some(preset) => settings.like(preset),
            None => settings.clone(),
        };
        let implied_sso = (self.first_login == Some(FirstLogin::Saml)).then_some(Switch::On);
        Settings {
            idp: self.idp.unwrap_or(base.idp),
            policy: self.policy.unwrap_or(base.policy),
            username: self.username.unwrap_or(base.username),
            attributes: self.attributes.unwrap_or(base.attributes),
            on_delete: self.on_delete.unwrap_or(base.on_delete),
            groups: self.groups.unwrap_or(base.groups),
            assignment: self.assignment.unwrap_or(base.assignment),
            existing_account: self.existing_account.unwrap_or(base.existing_account),
            first_login: self.first_login.unwrap_or(base.first_login),
            sso: self.sso.or(implied_sso).unwrap_or(base.sso),
            unique_group_names: self.unique_group_names.unwrap_or(base.unique_group_names),
            set_up: self.set_up.unwrap_or(base.set_up),
            words: self.words.unwrap_or(base.words),
            support_contact: self.support_contact.clone().unwrap_or(base.support_contact),
            idp_initiated_saml: self.idp_initiated_saml.unwrap_or(base.idp_initiated_saml),
            second_factor: self.second_factor.unwrap_or(base.second_factor),
            hold_escalations: self.hold_escalations.unwrap_or(base.hold_escalations),
            history_days: self.history_days.unwrap_or(base.history_days),
            audit_days: self.audit_days.unwrap_or(base.audit_days),
            failed_bodies: self.failed_bodies.unwrap_or(base.failed_bodies),
            capture_bodies: self.capture_bodies.unwrap_or(base.capture_bodies),
            mass_deactivations: self.mass_deactivations.unwrap_or(base.mass_deactivations),
            mass_role_losses: self.mass_role_losses.unwrap_or(base.mass_role_losses),
            mails_per_minute: self.mails_per_minute.unwrap_or(base.mails_per_minute),
        }
    }
}

/// Reads one of the words of a choice.
fn word<K: Keyword>(name: &str, text: &str) -> Result<K> {
    K::from_word(text).ok_or_else(|| {
        let words: Vec<_> = K::ALL.iter().map(|value| value.word()).collect();
        Fault::invalid(format!(
            "{text:?} is not a valid {name}; expected {}.",
            words.join(" or ")
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feature row 84: each setting can be changed by its name, to what it is in another organization.
    #[test]
    fn each_setting_is_changed_by_its_name() {
        let before = Settings::of(Preset::ThreatLocker);
        let after = Settings {
            idp: IdentityProvider::Okta,
            support_contact: Contact::parse("help@x.example").unwrap(),
            ..Settings::of(Preset::ThirdPlatform)
        };
        let mut changes = Changes::default();
        for (name, value) in after.entries() {
            changes.set(name, &value).unwrap();
        }
        assert_eq!(changes.apply(&before), after);
        let refused = changes.set("groups", "melt").unwrap_err().to_string();
        assert_eq!(refused, "\"melt\" is not a valid groups; expected map or mirror.");
        assert!(changes.set("colour", "red").is_err());
    }

    #[test]
    fn flags_come_on_top_of_a_preset_and_the_identity_provider_stays() {
        let before = Settings {
            idp: IdentityProvider::Entra,
            unique_group_names: Switch::On,
            support_contact: Contact::parse("help@x.example").unwrap(),
            second_factor: SecondFactor::Required,
            history_days: HistoryDays::nearest(30),
            ..Settings::default()
        };
        let changes = Changes {
            like: Some(Preset::ThirdPlatform),
            groups: Some(Groups::Map),
            ..Changes::default()
        };
        let after = changes.apply(&before);
        let expected = Settings {
            idp: IdentityProvider::Entra,
            groups: Groups::Map,
            support_contact: before.support_contact,
            second_factor: SecondFactor::Required,
            history_days: HistoryDays::nearest(30),
            ..Settings::of(Preset::ThirdPlatform)
        };
        assert_eq!(after, expected);
    }

    /// Feature row 65: a support contact is a text that can be read, and an empty one removes it.
    #[test]
    fn a_support_contact_can_be_read() {
        let set = |text| Changes {
            support_contact: Some(Contact::parse(text).unwrap()),
            ..Changes::default()
        };
        let with = set(" help@x.example ").apply(&Settings::default());
        assert_eq!(with.support_contact.as_str(), "help@x.example");
        let json = serde_json::to_string(&with).unwrap();
        assert_eq!(serde_json::from_str::<Settings>(&json).unwrap(), with);
        assert_eq!(set("").apply(&with), Settings::default());
        assert!(Contact::parse("a\u{7}b").is_err());
        assert!(Contact::parse(&"x".repeat(201)).is_err());
        assert!(serde_json::from_str::<Settings>(r#"{"support_contact":"a\u0007b"}"#).is_err());
        assert!(serde_json::from_str::<Settings>(r#"{"history_days":0}"#).is_err());
    }

    #[test]
    fn no_change_changes_nothing() {
        for preset in Preset::ALL {
            let settings = Settings::of(*preset);
            assert_eq!(Changes::default().apply(&settings), settings);
        }
        assert!(Changes::default().is_empty());
    }

    #[test]
    fn saml_as_first_login_allows_single_sign_on_unless_told_otherwise() {
        let saml = Changes {
            first_login: Some(FirstLogin::Saml),
            ..Changes::default()
        };
        assert_eq!(saml.apply(&Settings::default()).sso, Switch::On);
        let without = Changes {
            sso: Some(Switch::Off),
            ..saml
        };
        assert_eq!(without.apply(&Settings::default()).sso, Switch::Off);
    }

    #[test]
    fn settings_stored_by_an_older_version_take_defaults_for_what_they_lack() {
        let settings: Settings = serde_json::from_str(r#"{"idp":"okta"}"#).unwrap();
        let expected = Settings {
            idp: IdentityProvider::Okta,
            ..Settings::default()
        };
        assert_eq!(settings, expected);
    }

    #[test]
    fn every_word_stands_for_its_value_and_no_other() {
        for provider in IdentityProvider::ALL {
            assert_eq!(IdentityProvider::from_word(provider.word()), Some(*provider));
        }
        assert_eq!(IdentityProvider::from_word("Okta"), None);
        assert!(serde_json::from_str::<Settings>(r#"{"policy":"lax"}"#).is_err());
    }

    /// Files that an older version has exported hold the former name of the policy.
    #[test]
    fn a_former_word_is_read_and_never_written() {
        let settings: Settings = serde_json::from_str(r#"{"policy":"interop"}"#).unwrap();
        assert_eq!(settings.policy, Protocol::Tolerant);
        let written = serde_json::to_value(&settings).unwrap();
        assert_eq!(written["policy"], "tolerant");
        assert_eq!(Protocol::from_former_word("interop"), Some(Protocol::Tolerant));
        assert_eq!(Protocol::from_former_word("tolerant"), None);
    }
}
