//! The effects of a change of settings on what is there already: what is refused, what must be confirmed first, and what people
//! are told.

use super::counted::counted;
use super::fault::{Fault, Remedy, Result};
use super::organization::Name;
use super::saml::provider::Standing;
use super::settings::{
    Assignment, Attributes, Changes, ExistingAccount, FirstLogin, Groups, OnDelete, Settings, Switch,
    UserNames,
};

/// The contents of an organization whose settings change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Living {
    /// People of the identity provider, who can have attributes that are kept.
    pub(crate) people: u64,
    /// Groups of the identity provider, and those that are kept here.
    pub(crate) groups: u64,
    /// Requests in the history that are older than it would be kept for.
    pub(crate) outdated_requests: u64,
    /// Adoptions that are confirmed and have not happened yet.
    pub(crate) adoptions: u64,
    /// People who can sign in by SAML alone.
    pub(crate) by_saml_alone: u64,
    /// People who get another way to sign in.
    pub(crate) converted: u64,
}

/// The consequences of a change of settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Consequences {
    /// Changes that cannot be undone or keep people out: whoever makes them types the name of the organization first.
    pub(crate) typed: Vec<String>,
    /// Changes of people's access: whoever changes the settings is shown a preview first.
    pub(crate) previewed: Vec<&'static str>,
    /// Further things worth knowing.
    pub(crate) told: Vec<&'static str>,
}

impl Consequences {
    /// Returns what a change from one set of settings to another asks for.
    ///
    /// # Errors
    /// The settings would contradict each other, and did not before.
    pub(crate) fn of(before: &Settings, after: &Settings, living: Living) -> Result<Self> {
        demand_still_consistent(before, after)?;
        Ok(Self {
            typed: typed(before, after, living),
            previewed: previewed(before, after, living),
            told: told(before, after, living),
        })
    }

    /// Checks that whoever changes the settings has typed the name of the organization, if anything asks for it.
    ///
    /// # Errors
    /// Something cannot be undone, and the name was not typed.
    pub(crate) fn demand_typed(&self, organization: &Name, typed: Option<&str>) -> Result<()> {
        if self.typed.is_empty() || typed == Some(organization.as_str()) {
            return Ok(());
        }
        Err(Fault::conflict(format!(
            "{} Confirm it with the name of the organization, {:?}.",
            self.typed.join(" "),
            organization.as_str()
        )))
    }
}

/// A part of the settings that is changed under a permission of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// The organization itself: its words, its history, its thresholds.
    Organization,
    /// The data that the identity provider sends, and what becomes of it.
    Integration,
    /// How people sign in.
    Login,
}

/// A setting that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(crate) name: &'static str,
    pub(crate) part: Part,
    pub(crate) before: String,
    pub(crate) after: String,
}

/// Returns the settings that differ, in the order in which people see them.
pub(crate) fn changed(before: &Settings, after: &Settings) -> Vec<Changed> {
    let pairs = before.entries().into_iter().zip(after.entries());
    pairs
        .filter(|(before, after)| before != after)
        .map(|((name, before), (_, after))| Changed {
            name,
            part: part_of(name),
            before,
            after,
        })
        .collect()
}

/// Returns the part that a setting belongs to.
pub(crate) fn part_of(name: &str) -> Part {
    match name {
        "first-login" | "sso" | "idp-initiated-saml" | "second-factor" | "hold-escalations" => Part::Login,
        "words" | "support-contact" | "history-days" | "mass-deactivations" | "mass-role-losses"
        | "mails-per-minute" => Part::Organization,
        _ => Part::Integration,
    }
}

/// Checks settings that are chosen by name, against the identity provider that there is. Those of a product may be ahead of
/// it: they have no effect until it is there.
///
/// # Errors
/// SAML is chosen that is not configured, or single sign-on that no trial has shown to work.
pub(crate) fn demand_usable(changes: &Changes, before: &Settings, standing: Standing) -> Result<()> {
    let product = Changes {
        like: changes.like,
        ..Changes::default()
    };
    let (base, after) = (product.apply(before), changes.apply(before));
    let chooses_saml = after.first_login == FirstLogin::Saml && base.first_login != FirstLogin::Saml;
    if chooses_saml && standing == Standing::NotConfigured {
        return Err(
            Fault::conflict("SAML-enabled accounts need SAML, which is not configured").mended_by(Remedy {
                page: "give the metadata of the identity provider on the page of the SAML integration first.",
                command: "give the metadata of the identity provider first, with \"saml set ORG --metadata-url URL\".",
            }),
        );
    }
    if after.sso == Switch::On && base.sso == Switch::Off && standing != Standing::Tried {
        return Err(
            Fault::conflict("Single sign-on can be allowed once a trial sign-in has succeeded").mended_by(
                Remedy {
                    page: "test one on the page of the SAML integration.",
                    command: "make a link for one with \"saml trial ORG\".",
                },
            ),
        );
    }
    Ok(())
}

/// Checks that the settings of a new organization do not contradict each other.
///
/// # Errors
/// Invitations have no address to go to, or rights are to wait.
pub(crate) fn demand_consistent(settings: &Settings) -> Result<()> {
    RULES.iter().try_for_each(|rule| rule(settings))
}

/// The rules for the settings, each by itself.
const RULES: [fn(&Settings) -> Result<()>; 2] = [demand_address, demand_nothing_held];

fn demand_address(settings: &Settings) -> Result<()> {
    if settings.first_login != FirstLogin::Invitation || has_addresses(settings) {
        return Ok(());
    }
    Err(Fault::conflict("Invitations would have no address to go to").mended_by(Remedy {
        page: "no e-mail address is kept, and a userName need not be one. Keep all attributes, take e-mail addresses alone as \
               userName, or choose another first sign-in.",
        command: "with --attributes mapped no e-mail address is kept, and with --username any a userName need not be one. \
                  Set --username email, --attributes all, or another --first-login.",
    }))
}

fn demand_nothing_held(settings: &Settings) -> Result<()> {
    match settings.hold_escalations {
        Switch::Off => Ok(()),
        Switch::On => Err(Fault::conflict(
            "Rights that a group gives cannot be held back in this version, and whoever joins a mapped group has its roles \
             at once. Map groups to roles that may change the organization only where you trust whoever can change these \
             groups at the identity provider",
        )
        .mended_by(Remedy {
            page: "leave the holding of such rights off.",
            command: "set --hold-escalations off.",
        })),
    }
}

/// Checks that a change of settings does not make them contradict each other. Those that did before may stay as they are.
///
/// # Errors
/// Invitations have no address to go to any more, or rights are to wait from now on.
pub(crate) fn demand_still_consistent(before: &Settings, after: &Settings) -> Result<()> {
    let held = RULES.iter().filter(|rule| rule(before).is_ok());
    { held }.try_for_each(|rule| rule(after))
}

/// Returns whether a person can have an address: a `userName` that is one, or an attribute that is kept.
fn has_addresses(settings: &Settings) -> bool {
    settings.username == UserNames::Email || settings.attributes == Attributes::All
}

fn typed(before: &Settings, after: &Settings, living: Living) -> Vec<String> {
    let mut typed = Vec::new();
    let erases = before.attributes == Attributes::All && after.attributes == Attributes::Mapped;
    if erases && living.people > 0 {
        typed.push(format!(
            "Every attribute that is not mapped is erased at once, of {}. This cannot be undone.",
            counted(living.people, "person", "people")
        ));
    }
    if after.history_days < before.history_days && living.outdated_requests > 0 {
        typed.push(format!(
            "The history of {} is older than {} and is deleted. This cannot be undone.",
            counted(living.outdated_requests, "request", "requests"),
            counted(u64::from(after.history_days.get()), "day", "days")
        ));
    }
    if before.sso == Switch::On && after.sso == Switch::Off && living.by_saml_alone > 0 {
        typed.push(format!(
            "{} by SAML alone, and cannot any more until it is allowed again or they get another way.",
            counted(living.by_saml_alone, "person signs in", "people sign in")
        ));
    }
    if after.first_login == FirstLogin::Saml && living.converted > 0 {
        typed.push(format!(
            "{} at the identity provider alone from now on: passwords, second factors and sessions end at once. This cannot \
             be undone.",
            counted(living.converted, "person signs in", "people sign in")
        ));
    }
    typed
}

fn previewed(before: &Settings, after: &Settings, living: Living) -> Vec<&'static str> {
    if living.groups == 0 {
        return Vec::new();
    }
    let groups = match (before.groups, after.groups) {
        (Groups::Map, Groups::Mirror) => Some(
            "Each group becomes a role of its own, which permits nothing until you say what. Mappings are kept, and have \
             no effect until groups are mapped again.",
        ),
        (Groups::Mirror, Groups::Map) => Some(
            "Mappings decide again who has which role. Roles that mirror groups are kept, and have no effect until groups \
             are mirrored again.",
        ),
        _ => None,
    };
    let assignment = match (before.assignment, after.assignment) {
        (Assignment::LocalGroups, Assignment::MappedOnly) => Some(
            "Groups that are kept here have no effect any more: their members lose the roles that these gave.",
        ),
        (Assignment::MappedOnly, Assignment::LocalGroups) => {
            Some("Groups that are kept here give their roles to their members.")
        }
        _ => None,
    };
    groups.into_iter().chain(assignment).collect()
}

fn told(before: &Settings, after: &Settings, living: Living) -> Vec<&'static str> {
    let tightens = |is_now: bool, was: bool| is_now && !was && living.people > 0;
    let rows = [
        (
            tightens(
                after.username == UserNames::Email,
                before.username == UserNames::Email,
            ),
            "A userName must be an e-mail address from now on; those that are not stay until they change.",
        ),
        (
            before.attributes == Attributes::Mapped
                && after.attributes == Attributes::All
                && living.people > 0,
            "Attributes are kept from now on: those that were not kept come with the provider's next full synchronisation.",
        ),
        (
            after.unique_group_names == Switch::On
                && before.unique_group_names == Switch::Off
                && living.groups > 0,
            "Groups of one name that there are already stay; new ones are refused.",
        ),
        (
            after.on_delete != before.on_delete && living.people > 0,
            match after.on_delete {
                OnDelete::Remove => {
                    "People whom the provider deletes from now on are hidden; those it has deleted stay listed."
                }
                OnDelete::Deactivate => {
                    "People whom the provider deletes from now on are listed as disabled; those it has deleted stay hidden."
                }
            },
        ),
        (
            after.existing_account == ExistingAccount::Refuse
                && before.existing_account == ExistingAccount::Adopt
                && living.adoptions > 0,
            "Adoptions that are confirmed and have not happened yet are refused.",
        ),
        (
            after.first_login == FirstLogin::Invitation && living.converted > 0,
            "Everybody whom the identity provider has sent, and who has no password, is mailed a link to set one.",
        ),
        (
            after.first_login == FirstLogin::PasswordReset && living.converted > 0,
            "Everybody whom the identity provider has sent sets a password by \"Forgot password\"; nothing is mailed to them now.",
        ),
    ];
    rows.into_iter()
        .filter(|(applies, _)| *applies)
        .map(|(_, text)| text)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::domain::keyword::Keyword;
    use crate::domain::settings::{HistoryDays, Preset};

    const LIVING: Living = Living {
        people: 12,
        groups: 3,
        outdated_requests: 1,
        adoptions: 1,
        by_saml_alone: 5,
        converted: 0,
    };

    fn of(before: &Settings, after: &Settings) -> Consequences {
        Consequences::of(before, after, LIVING).unwrap()
    }

    /// Feature rows 32, 108: fewer attributes erase at once, after the name of the organization was typed.
    #[test]
    fn fewer_attributes_erase_after_a_typed_confirmation() {
        let before = Settings::default();
        let after = Settings {
            attributes: Attributes::Mapped,
            ..before.clone()
        };
        let consequences = of(&before, &after);
        let name = Name::parse("acme").unwrap();
        for typed in [None, Some(""), Some("ACME")] {
            let refused = consequences.demand_typed(&name, typed).unwrap_err().to_string();
            assert!(
                refused.contains("erased at once, of 12 people") && refused.contains("\"acme\""),
                "{refused}"
            );
        }
        assert!(consequences.demand_typed(&name, Some("acme")).is_ok());
        assert_eq!(of(&after, &before).typed, Vec::<String>::new());
        let nobody = Consequences::of(&before, &after, Living::default()).unwrap();
        assert!(nobody.demand_typed(&name, None).is_ok());
    }

    /// Feature rows 75, 108: a shorter history is deleted after the name of the organization was typed.
    #[test]
    fn a_shorter_history_is_deleted_after_a_typed_confirmation() {
        let before = Settings::default();
        let after = Settings {
            history_days: HistoryDays::nearest(1),
            ..before.clone()
        };
        let [sentence] = &of(&before, &after).typed[..] else {
            panic!("one sentence")
        };
        assert_eq!(
            sentence,
            "The history of 1 request is older than 1 day and is deleted. This cannot be undone."
        );
        assert!(of(&after, &before).typed.is_empty());
    }

    /// Feature row 20: invitations without any address are refused, whichever setting brings that about.
    #[test]
    fn invitations_need_an_address() {
        let good = Settings::default();
        let bad = Settings {
            username: UserNames::Any,
            attributes: Attributes::Mapped,
            ..good.clone()
        };
        let refused = Consequences::of(&good, &bad, Living::default())
            .unwrap_err()
            .to_string();
        assert!(refused.contains("no address to go to"), "{refused}");
        assert!(demand_consistent(&bad).is_err());
        for source in [
            Settings {
                username: UserNames::Email,
                ..bad.clone()
            },
            Settings {
                attributes: Attributes::All,
                ..bad.clone()
            },
        ] {
            assert!(demand_consistent(&source).is_ok(), "{source:?}");
        }
        let kept = Settings {
            idp: crate::domain::settings::IdentityProvider::Okta,
            ..bad.clone()
        };
        assert!(Consequences::of(&bad, &kept, Living::default()).is_ok());
        let reset = Settings {
            first_login: FirstLogin::PasswordReset,
            ..bad
        };
        assert!(demand_consistent(&reset).is_ok());
        assert!(Consequences::of(&good, &reset, Living::default()).is_ok());
    }

    /// Feature row 104: what a setting does not do is refused, so that nobody relies on it.
    #[test]
    fn rights_are_not_said_to_wait() {
        let off = Settings::default();
        let on = Settings {
            hold_escalations: Switch::On,
            ..off.clone()
        };
        let without_address = Settings {
            username: UserNames::Any,
            attributes: Attributes::Mapped,
            ..off.clone()
        };
        let both = Settings {
            hold_escalations: Switch::On,
            ..without_address.clone()
        };
        for (before, after) in [(&off, &on), (&without_address, &both)] {
            let refused = Consequences::of(before, after, Living::default()).unwrap_err();
            assert!(
                refused.with_causes().contains("--hold-escalations off"),
                "{refused}"
            );
        }
        assert!(demand_consistent(&on).is_err());
        assert!(Consequences::of(&on, &off, Living::default()).is_ok());
    }

    /// Feature row 62: a change of groups or of assignment is previewed, and says what sleeps.
    #[test]
    fn a_change_of_groups_is_previewed() {
        let before = Settings::default();
        let mirror = Settings {
            groups: Groups::Mirror,
            ..before.clone()
        };
        assert!(of(&before, &mirror).previewed[0].contains("Mappings are kept"));
        assert!(of(&mirror, &before).previewed[0].contains("Mappings decide again"));
        let local = Settings {
            assignment: Assignment::LocalGroups,
            ..before.clone()
        };
        assert!(of(&before, &local).previewed[0].contains("give their roles"));
        assert!(of(&local, &before).previewed[0].contains("no effect any more"));
        assert!(
            Consequences::of(&before, &mirror, Living::default())
                .unwrap()
                .previewed
                .is_empty()
        );
    }

    /// Feature rows 33, 46, 62b, 88: what holds from now on is said to.
    #[test]
    fn what_holds_from_now_on_is_said() {
        let before = Settings {
            username: UserNames::Any,
            attributes: Attributes::Mapped,
            existing_account: ExistingAccount::Adopt,
            first_login: FirstLogin::PasswordReset,
            ..Settings::default()
        };
        let after = Settings {
            username: UserNames::Email,
            attributes: Attributes::All,
            existing_account: ExistingAccount::Refuse,
            on_delete: OnDelete::Deactivate,
            unique_group_names: Switch::On,
            ..before.clone()
        };
        let told = of(&before, &after).told;
        for (sentence, part) in told.iter().zip([
            "stay until they change",
            "next full",
            "stay; new",
            "listed as",
            "refused",
        ]) {
            assert!(sentence.contains(part), "{sentence}");
        }
        assert_eq!(told.len(), 5);
    }

    /// Feature rows 19, 19b: what is chosen by name has to work; a product's settings may be ahead.
    #[test]
    fn saml_is_chosen_once_it_works() {
        let of = |changes: &Changes, standing| {
            let refused = demand_usable(changes, &Settings::default(), standing);
            refused.map_err(|fault| fault.to_string())
        };
        let first_login = Changes {
            first_login: Some(FirstLogin::Saml),
            ..Changes::default()
        };
        let without_sso = Changes {
            sso: Some(Switch::Off),
            ..first_login.clone()
        };
        let sso = Changes {
            sso: Some(Switch::On),
            ..Changes::default()
        };
        let product = Changes {
            like: Some(Preset::LevelAccess),
            ..Changes::default()
        };
        let (not_configured, untried) = ("not configured", "trial sign-in");
        for (changes, standing, why) in [
            (&first_login, Standing::NotConfigured, Some(not_configured)),
            (&first_login, Standing::Untried, Some(untried)),
            (&first_login, Standing::Tried, None),
            (&without_sso, Standing::NotConfigured, Some(not_configured)),
            (&without_sso, Standing::Untried, None),
            (&sso, Standing::NotConfigured, Some(untried)),
            (&sso, Standing::Untried, Some(untried)),
            (&sso, Standing::Tried, None),
            (&product, Standing::NotConfigured, None),
            (&Changes::default(), Standing::NotConfigured, None),
        ] {
            match (of(changes, standing), why) {
                (Ok(()), None) => {}
                (Err(said), Some(why)) => assert!(said.contains(why), "{said}"),
                (outcome, _) => panic!("{changes:?} {standing:?}: {outcome:?}"),
            }
        }
        // A setting that a product has made ahead may be said once more.
        let ahead = product.apply(&Settings::default());
        assert!(demand_usable(&first_login, &ahead, Standing::NotConfigured).is_ok());
    }

    /// Feature row 19b: single sign-on is switched off after a typed confirmation, where people have nothing else.
    #[test]
    fn people_who_have_saml_alone_are_not_locked_out_by_mistake() {
        let after = Settings::default();
        let before = Settings {
            sso: Switch::On,
            ..after.clone()
        };
        let [sentence] = &of(&before, &after).typed[..] else {
            panic!("one sentence")
        };
        assert!(
            sentence.starts_with("5 people sign in by SAML alone"),
            "{sentence}"
        );
        assert!(of(&after, &before).typed.is_empty());
        let nobody = Consequences::of(&before, &after, Living::default()).unwrap();
        assert!(nobody.typed.is_empty());
    }

    proptest! {
        /// Feature row 108: what does not change asks for nothing, and where there is nothing nothing is lost.
        #[test]
        fn no_change_asks_for_nothing(before in select(Preset::ALL), after in select(Preset::ALL)) {
            let (before, after) = (Settings::of(before), Settings::of(after));
            prop_assert_eq!(of(&before, &before), Consequences::default());
            let empty = Consequences::of(&before, &after, Living::default()).unwrap();
            prop_assert_eq!(empty, Consequences::default());
        }
    }
}
