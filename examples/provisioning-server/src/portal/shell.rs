//! The shell around the pages of whoever is signed in: the bar at the top and the navigation.

use askama::filters::Safe;

use super::frame::Frame;
use super::person::Person;
use crate::actions::{account, audit, conflict, group, mail, role};
use crate::domain::permission::{Permission, Permissions};
use crate::login::Current;

/// A part of the portal that the navigation leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// One's own account, and what belongs to no section.
    Own,
    Overview,
    Users,
    Groups,
    Roles,
    Integrations,
    Conflicts,
    Mail,
    Login,
    Audit,
    Help,
    /// All organizations, which owners of the instance see.
    Organizations,
    Owners,
}

impl Section {
    /// Returns the permission without which the navigation does not lead there. Its pages ask for it by themselves.
    const fn permission(self) -> Option<&'static Permission> {
        match self {
            Self::Users => Some(&account::LIST.permission),
            Self::Groups => Some(&group::LIST.permission),
            Self::Roles => Some(&role::LIST.permission),
            Self::Integrations => Some(&Permission::INTEGRATIONS_READ),
            Self::Conflicts => Some(&conflict::LIST.permission),
            Self::Mail => Some(&mail::LIST.permission),
            Self::Login => Some(&Permission::LOGIN_READ),
            Self::Audit => Some(&audit::LIST.permission),
            Self::Own | Self::Overview | Self::Help | Self::Organizations | Self::Owners => None,
        }
    }
}

/// The shell around a page.
#[derive(Debug, Clone)]
pub(super) struct Shell {
    pub(super) person: Person,
    pub(super) permissions: Permissions,
    /// The section to which the page belongs.
    pub(super) section: Section,
    /// The path of the page, after the beginning that all pages of the realm have.
    pub(super) page: String,
    /// Whether a panel covers the page, which takes neither focus nor clicks meanwhile.
    pub(super) is_behind_panel: bool,
    /// Whether an owner of the instance looks at an organization.
    pub(super) is_owner_elsewhere: bool,
    /// The beginning of the paths of their own account, with a slash at its end.
    pub(super) own: String,
    /// How many conflicts are open, up to [`conflict::COUNTED`]; none for those who may not see them.
    pub(super) open_conflicts: u64,
    /// The message about what was done a moment ago.
    pub(super) said: Option<String>,
}

impl Shell {
    /// Creates the shell around a page of somebody's.
    pub(super) fn new(current: &Current, section: Section, page: &str) -> Self {
        Self {
            person: Person::of(current),
            permissions: current.permissions.clone(),
            section,
            page: page.to_owned(),
            is_behind_panel: false,
            is_owner_elsewhere: false,
            own: format!("{}/", current.realm.path()),
            open_conflicts: 0,
            said: None,
        }
    }

    /// Returns how many conflicts are open as the navigation says it: nothing if none is.
    pub(super) fn conflicts(&self) -> Option<String> {
        counted(self.open_conflicts, conflict::COUNTED)
    }

    /// Returns whether the navigation leads to a section.
    pub(super) fn leads_to(&self, section: Section) -> bool {
        section
            .permission()
            .is_none_or(|permission| self.permissions.has(permission))
    }

    /// Returns whether it leads to any of these.
    pub(super) fn leads_to_any(&self, sections: &[Section]) -> bool {
        sections.iter().any(|section| self.leads_to(*section))
    }

    /// Returns the attribute that marks the section of the page in the navigation.
    pub(super) fn mark(&self, section: Section) -> Safe<&'static str> {
        Safe(match self.section == section {
            true => " aria-current=\"page\"",
            false => "",
        })
    }

    /// Returns whether the page has an appearance; that of the system is called so.
    pub(super) fn is_theme(&self, frame: &Frame, name: &str) -> bool {
        frame
            .theme()
            .map_or(name == "system", |theme| theme.to_string() == name)
    }

    /// Returns whether a control that needs a permission is shown.
    pub(super) fn may(&self, permission: &Permission) -> bool {
        self.permissions.has(permission)
    }

    /// Returns the path of a page of their own account.
    pub(super) fn own(&self, page: &str) -> String {
        format!("{}{page}", self.own)
    }
}

/// Returns a number that was counted up to `most`: nothing of none, and a sign behind the last one that is sure.
fn counted(count: u64, most: u32) -> Option<String> {
    match count {
        0 => None,
        count if count < u64::from(most) => Some(count.to_string()),
        _ => Some(format!("{}+", most.saturating_sub(1))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feature row 99: the navigation says how many conflicts are open, and no more than it knows.
    #[test]
    fn open_conflicts_are_told_as_far_as_they_are_counted() {
        for (count, told) in [
            (0, None),
            (1, Some("1")),
            (99, Some("99")),
            (100, Some("99+")),
            (1_000, Some("99+")),
        ] {
            assert_eq!(counted(count, conflict::COUNTED).as_deref(), told);
        }
    }
}
