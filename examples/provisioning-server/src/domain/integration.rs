//! The life of an organization's integration with its identity provider: absent, configured, enabled, and its end.

use jiff::Timestamp;

use super::account::{Account, ManagedBy};
use super::counted::counted;
use super::effective::Picture;
use super::fault::{Fault, Remedy, Result};
use super::grant::Holder;
use super::keyword::keywords;
use super::organization::Organization;
use super::settings::{OnDelete, SetUp};
use super::token::{Purpose, Token};

keywords! {
    /// The state of an integration.
    State {
        /// There is none.
        Absent = "absent",
        /// It is there, and the identity provider is not let in.
        Configured = "configured",
        /// The identity provider is let in.
        Enabled = "enabled",
    }
}

/// An integration, as far as its set-up goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Integration {
    Absent,
    Configured {
        /// Whether it is switched on.
        on: bool,
        /// Whether the provider has a token that is accepted.
        token: bool,
    },
}

/// A step of the set-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A token is made, the first or another.
    MakeToken,
    /// Every token is taken back.
    RevokeTokens,
    SwitchOn,
    SwitchOff,
    /// The settings are saved.
    Save,
    /// The integration is deleted.
    Delete,
}

/// The outcome of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct After {
    pub(crate) integration: Integration,
    /// Whether a token has to be made, and shown once.
    pub(crate) makes_token: bool,
}

impl Integration {
    /// The integration of an organization that the command line makes.
    pub(crate) const COMPLETE: Self = Self::Configured {
        on: true,
        token: true,
    };

    /// Returns the integration of an organization with these tokens.
    pub(crate) fn of(organization: &Organization, tokens: &[Token], now: Timestamp) -> Self {
        let is_good = |token: &Token| token.purpose == Purpose::Scim && token.is_live(now);
        match &organization.source {
            None => Self::Absent,
            Some(source) => Self::Configured {
                on: source.enabled,
                token: tokens.iter().any(is_good),
            },
        }
    }

    /// Returns whether it is switched on.
    pub(crate) const fn is_on(self) -> bool {
        matches!(self, Self::Configured { on: true, .. })
    }

    /// Returns the state. An integration without a token lets nobody in, so it is not enabled yet.
    pub(crate) const fn state(self) -> State {
        match self {
            Self::Absent => State::Absent,
            Self::Configured {
                on: true,
                token: true,
            } => State::Enabled,
            Self::Configured { .. } => State::Configured,
        }
    }

    /// Returns whether the switch is shown, which lets the provider in.
    pub(crate) const fn shows_switch(self, set_up: SetUp) -> bool {
        match (set_up, self) {
            (SetUp::ActivateFirst, _) => true,
            (SetUp::TokenFirst | SetUp::SaveGenerates, Self::Configured { token, .. }) => token,
            (SetUp::TokenFirst | SetUp::SaveGenerates, Self::Absent) => false,
        }
    }

    /// Returns the integration after a step, in the order of set-up that the organization has chosen.
    ///
    /// # Errors
    /// The step comes too early: another has to be done first.
    pub(crate) fn step(self, set_up: SetUp, step: Step) -> Result<After> {
        match step {
            Step::MakeToken => self.make_token(set_up),
            Step::SwitchOn => self.switch_on(set_up),
            Step::Save => Ok(self.save(set_up)),
            Step::RevokeTokens => self.configured(|on, _| Self::Configured { on, token: false }),
            Step::SwitchOff => self.configured(|_, token| Self::Configured { on: false, token }),
            Step::Delete => self.configured(|_, _| Self::Absent),
        }
    }

    fn make_token(self, set_up: SetUp) -> Result<After> {
        let on = match (self, set_up) {
            // Making another token never switches anything.
            (Self::Configured { on, .. }, _) => on,
            (Self::Absent, SetUp::TokenFirst) => false,
            (Self::Absent, SetUp::ActivateFirst) => {
                return Err(Fault::conflict(
                    "SCIM is not activated: activate it first, then make the URL and key.",
                ));
            }
            (Self::Absent, SetUp::SaveGenerates) => {
                return Err(Fault::conflict(
                    "There is no SCIM configuration: choose the identity provider and save, which makes the key.",
                ));
            }
        };
        Ok(After {
            integration: Self::Configured { on, token: true },
            makes_token: true,
        })
    }

    fn switch_on(self, set_up: SetUp) -> Result<After> {
        let token = matches!(self, Self::Configured { token: true, .. });
        if !token && set_up != SetUp::ActivateFirst {
            return Err(Fault::conflict(
                "The integration has no API token: make one first, then enable the integration.",
            ));
        }
        Ok(After::without_token(Self::Configured { on: true, token }))
    }

    /// Saves the integration. The first save makes the token if that is the order; later ones never do.
    fn save(self, set_up: SetUp) -> After {
        match (self, set_up) {
            (Self::Absent, SetUp::SaveGenerates) => After {
                integration: Self::Configured {
                    on: false,
                    token: true,
                },
                makes_token: true,
            },
            _ => After::without_token(self),
        }
    }

    fn configured(self, then: impl FnOnce(bool, bool) -> Self) -> Result<After> {
        match self {
            Self::Configured { on, token } => Ok(After::without_token(then(on, token))),
            Self::Absent => Err(Fault::conflict("The organization has no SCIM integration.")),
        }
    }
}

impl After {
    const fn without_token(integration: Integration) -> Self {
        Self {
            integration,
            makes_token: false,
        }
    }
}

keywords! {
    /// The fate of people when the integration is deleted that manages them.
    Attached {
        /// They are disabled, and listed.
        DisableAll = "disable",
        /// They become manual accounts: what groups gave goes, what they hold themselves stays.
        Detach = "detach",
    }
}

/// Checks that whoever deletes an integration has said what becomes of people who are still active.
///
/// # Errors
/// There are some, and nothing was said.
pub(crate) fn demand_choice(active: u64, choice: Option<Attached>) -> Result<Attached> {
    match choice {
        Some(choice) => Ok(choice),
        None if active == 0 => Ok(Attached::DisableAll),
        None => Err(Fault::conflict(format!(
            "{} still active and managed by this integration",
            counted(active, "person is", "people are")
        ))
        .mended_by(Remedy {
            page: "choose whether they are all disabled or kept as manual accounts, or cancel.",
            command: "say whether to disable them all (--people disable) or to keep them as manual accounts (--people \
                      detach), or cancel.",
        })),
    }
}

impl Account {
    /// Returns the account after the integration that manages it was deleted. People who were deleted before stay so.
    #[must_use]
    pub(crate) fn left_behind(&self, choice: Attached, now: Timestamp) -> Self {
        if self.managed_by != ManagedBy::Scim || self.is_deleted() {
            return self.clone();
        }
        match choice {
            Attached::DisableAll => self.deleted(OnDelete::Deactivate, now),
            Attached::Detach => Self {
                managed_by: ManagedBy::Hand,
                row: None,
                changed: now,
                ..self.clone()
            },
        }
    }
}

impl Picture {
    /// Returns the organization after its integration was deleted: groups, mappings and mirrored roles go.
    #[must_use]
    pub(crate) fn integration_deleted(&self, choice: Attached, now: Timestamp) -> Self {
        let mut after = self.clone();
        let provisioned = |holder: Holder| {
            let account = self.accounts.get(&holder.id());
            account.is_some_and(|account| account.managed_by == ManagedBy::Scim)
        };
        after.role_grants.retain(|grant| !provisioned(grant.holder));
        if choice == Attached::DisableAll {
            for group in after.local_groups.values_mut() {
                group.members.retain(|member| {
                    let account = self.accounts.get(member);
                    account.is_none_or(|account| account.managed_by != ManagedBy::Scim)
                });
            }
        }
        for account in after.accounts.values_mut() {
            *account = account.left_behind(choice, now);
        }
        after.groups.clear();
        after.mappings.clear();
        after.roles.retain(|_, role| role.mirrors.is_none());
        after
    }

    /// Returns how many people of the identity provider are active.
    pub(crate) fn attached(&self) -> u64 {
        let is_attached = |account: &&Account| {
            account.managed_by == ManagedBy::Scim && account.state == super::account::AccountState::Active
        };
        self.accounts.values().filter(is_attached).map(|_| 1).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::domain::account::AccountState;
    use crate::domain::effective::Path;
    use crate::domain::effective::tests::picture;
    use crate::domain::keyword::Keyword;

    fn run(set_up: SetUp, steps: &[Step]) -> Vec<&'static str> {
        let mut now = Integration::Absent;
        let walk = steps.iter().map(|step| {
            now = now.step(set_up, *step).unwrap().integration;
            now.state().word()
        });
        walk.collect()
    }

    /// Feature rows 9, 12, 13: each order of set-up leads from absent to enabled.
    #[test]
    fn each_order_leads_to_enabled() {
        use Step::{MakeToken, Save, SwitchOn};
        assert_eq!(
            run(SetUp::TokenFirst, &[MakeToken, SwitchOn]),
            ["configured", "enabled"]
        );
        assert_eq!(
            run(SetUp::ActivateFirst, &[SwitchOn, MakeToken]),
            ["configured", "enabled"]
        );
        assert_eq!(
            run(SetUp::SaveGenerates, &[Save, SwitchOn]),
            ["configured", "enabled"]
        );
        assert_eq!(Integration::COMPLETE.state(), State::Enabled);
    }

    /// Feature rows 9, 12, 13: a step that comes too early says what is missing.
    #[test]
    fn a_step_too_early_says_what_is_missing() {
        let early = |set_up, step| Integration::Absent.step(set_up, step).unwrap_err().to_string();
        assert!(early(SetUp::TokenFirst, Step::SwitchOn).contains("make one first"));
        assert!(early(SetUp::ActivateFirst, Step::MakeToken).contains("activate it first"));
        assert!(early(SetUp::SaveGenerates, Step::MakeToken).contains("save, which makes the key"));
        for set_up in SetUp::ALL {
            assert!(early(*set_up, Step::Delete).contains("no SCIM integration"));
        }
    }

    /// Feature row 63: whoever deletes an integration is asked about the people who are left.
    #[test]
    fn a_deletion_asks_about_those_who_are_left() {
        let asked = demand_choice(2, None).unwrap_err().with_causes();
        assert!(asked.starts_with("2 people are still active"), "{asked}");
        assert!(
            asked.contains("--people disable")
                && asked.contains("--people detach")
                && asked.contains("cancel"),
            "{asked}"
        );
        assert_eq!(demand_choice(0, None).unwrap(), Attached::DisableAll);
        assert_eq!(
            demand_choice(2, Some(Attached::Detach)).unwrap(),
            Attached::Detach
        );
    }

    fn step() -> impl Strategy<Value = Step> {
        use Step::{Delete, MakeToken, RevokeTokens, Save, SwitchOff, SwitchOn};
        select(&[MakeToken, RevokeTokens, SwitchOn, SwitchOff, Save, Delete])
    }

    proptest! {
        /// Feature rows 7, 9, 12, 13: in every order of set-up and every sequence of steps, the provider is let in only
        /// once somebody has switched it on and it has a token; a token switches nothing, and a save makes at most the
        /// first one.
        #[test]
        fn nothing_is_enabled_by_the_way(set_up in select(SetUp::ALL), steps in vec(step(), 0..20)) {
            let mut now = Integration::Absent;
            let (mut switched_on, mut has_token) = (false, false);
            for step in steps {
                let shows_switch = now.shows_switch(set_up);
                let Ok(after) = now.step(set_up, step) else { continue };
                match step {
                    Step::SwitchOn => {
                        prop_assert!(shows_switch);
                        switched_on = true;
                    }
                    Step::SwitchOff => switched_on = false,
                    Step::MakeToken => has_token = true,
                    Step::RevokeTokens => has_token = false,
                    Step::Save if after.makes_token => {
                        prop_assert!(set_up == SetUp::SaveGenerates && now == Integration::Absent);
                        has_token = true;
                    }
                    Step::Save => prop_assert_eq!(after.integration, now),
                    Step::Delete => (switched_on, has_token) = (false, false),
                }
                now = after.integration;
                prop_assert_eq!(now.state() == State::Enabled, switched_on && has_token);
                prop_assert_eq!(after.makes_token, matches!(step, Step::MakeToken) || (matches!(step, Step::Save) && after.makes_token));
            }
        }

        /// Feature row 63: without the integration nobody has what groups gave; whoever is detached keeps what they hold,
        /// and manual accounts notice nothing.
        #[test]
        fn with_the_integration_goes_what_it_gave(before in picture(), choice in select(Attached::ALL)) {
            let after = before.integration_deleted(choice, Timestamp::UNIX_EPOCH);
            prop_assert_eq!(after.attached(), 0);
            for (id, effective) in after.everybody() {
                let (was, is) = (&before.accounts[&id], &after.accounts[&id]);
                let had = before.effective(id);
                if was.managed_by == ManagedBy::Hand {
                    prop_assert_eq!(effective, had);
                    continue;
                }
                prop_assert!(is.row.is_none());
                if choice == Attached::DisableAll {
                    prop_assert!(effective.roles.is_empty() && effective.permissions.is_empty());
                    prop_assert!(is.state != AccountState::Active);
                    continue;
                }
                for (role, paths) in had.roles {
                    let kept = paths.iter().any(|path| matches!(path, Path::LocalGroup { .. }));
                    prop_assert_eq!(effective.roles.contains_key(&role), kept);
                }
                let is_local = |path: &Path| matches!(path, Path::LocalGroup { .. });
                prop_assert!(effective.roles.values().flatten().all(is_local));
                prop_assert_eq!(&before.permission_grants, &after.permission_grants);
            }
        }
    }
}
