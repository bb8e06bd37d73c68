//! The settings of one organization: each product that the server can stand in for is a set of them.

use serde::{Deserialize, Serialize};

use super::keyword::keywords;

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

keywords! {
    /// What a group of the identity provider becomes.
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
    /// What the portal makes of a person whom the identity provider deletes.
    OnDelete {
        /// The person is hidden.
        Remove = "remove",
        /// The person is listed as disabled.
        Deactivate = "deactivate",
    }
}

keywords! {
    /// What a `userName` may be.
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
    /// What happens when the identity provider creates a person who has a manual account.
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
    /// A product whose settings can be taken over as a whole.
    Preset {
        /// ThreatLocker.
        ThreatLocker = "threatlocker",
        /// Level Access Platform.
        LevelAccess = "level-access",
        /// The third product, which mirrors groups as roles.
        ThirdPlatform = "third-platform",
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
}

impl Default for Settings {
    /// ThreatLocker's settings, except that every attribute is kept.
    fn default() -> Self {
        Self {
            attributes: Attributes::All,
            ..Self::of(Preset::ThreatLocker)
        }
    }
}

impl Settings {
    /// The settings of a product, with no identity provider chosen.
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
        };
        match preset {
            Preset::ThreatLocker => threatlocker,
            Preset::LevelAccess => Self {
                username: UserNames::Any,
                attributes: Attributes::All,
                assignment: Assignment::LocalGroups,
                first_login: FirstLogin::Saml,
                sso: Switch::On,
                ..threatlocker
            },
            Preset::ThirdPlatform => Self {
                username: UserNames::Any,
                attributes: Attributes::All,
                on_delete: OnDelete::Deactivate,
                groups: Groups::Mirror,
                first_login: FirstLogin::PasswordReset,
                ..threatlocker
            },
        }
    }
}

/// Settings to change; whatever is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Take over a product's settings first; the changes below come on top. The identity provider stays.
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
}

impl Changes {
    /// Whether there is nothing to change.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The settings after the changes.
    ///
    /// Choosing SAML as first login allows single sign-on too, unless the same change says otherwise.
    pub(crate) fn apply(&self, settings: &Settings) -> Settings {
        let base = match self.like {
            Some(preset) => Settings {
                idp: settings.idp,
                ..Settings::of(preset)
            },
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::keyword::Keyword;

    fn column(settings: &Settings) -> String {
        let object = serde_json::to_value(settings).unwrap();
        [
            "groups",
            "assignment",
            "on_delete",
            "username",
            "attributes",
            "existing_account",
            "first_login",
            "sso",
            "policy",
            "unique_group_names",
        ]
        .map(|key| object[key].as_str().unwrap().to_owned())
        .join(" ")
    }

    #[test]
    fn each_preset_is_its_column_of_the_settings_table() {
        assert_eq!(
            column(&Settings::of(Preset::ThreatLocker)),
            "map mapped-only remove email mapped refuse invitation off tolerant off"
        );
        assert_eq!(
            column(&Settings::of(Preset::LevelAccess)),
            "map local-groups remove any all refuse saml on tolerant off"
        );
        assert_eq!(
            column(&Settings::of(Preset::ThirdPlatform)),
            "mirror mapped-only deactivate any all refuse password-reset off tolerant off"
        );
    }

    #[test]
    fn a_new_organization_is_threatlocker_except_that_all_attributes_are_kept() {
        assert_eq!(
            column(&Settings::default()),
            "map mapped-only remove email all refuse invitation off tolerant off"
        );
        assert_eq!(Settings::default().idp, IdentityProvider::Other);
    }

    #[test]
    fn flags_come_on_top_of_a_preset_and_the_identity_provider_stays() {
        let before = Settings {
            idp: IdentityProvider::Entra,
            unique_group_names: Switch::On,
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
            ..Settings::of(Preset::ThirdPlatform)
        };
        assert_eq!(after, expected);
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
