//! The list of people.

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use url::form_urlencoded::Serializer;
use uuid::Uuid;

use super::badge::Badge;
use super::{counted, grouped, provider};
use crate::actions::account;
use crate::actions::people::{self, COUNTED, Counts, People};
use crate::database::accounts::Shown;
use crate::database::page::Page;
use crate::domain::account::{AccountState, ManagedBy};
use crate::domain::keyword::{Keyword, keywords};
use crate::domain::organization::Organization;
use crate::domain::role::RoleId;
use crate::domain::settings::{Assignment, Preset};
use crate::portal::administrator::Administrator;
use crate::portal::detour::Detour;
use crate::portal::form::Form;
use crate::portal::frame::Frame;
use crate::portal::moment;
use crate::portal::person;
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// How many people a page has.
const SIZE: u32 = 50;

keywords! {
    /// A part of all people.
    Segment {
        /// Everybody who is not removed.
        All = "all",
        /// Those who can sign in, unless they are suspended.
        Active = "active",
        /// Those who are listed and cannot sign in.
        Disabled = "disabled",
        /// People of the identity provider who have no role and are in no local group.
        Unassigned = "unassigned",
        /// Those whose sign-in is suspended.
        Suspended = "suspended",
        /// People whom no request with the newest token has named.
        Unconfirmed = "unconfirmed",
        /// Those who were removed.
        Removed = "removed",
    }
}

/// One choice of the segments.
#[derive(Debug, Clone)]
pub(in super::super) struct Choice {
    pub(in super::super) segment: Segment,
    pub(in super::super) label: &'static str,
    /// How many there are, if that is counted.
    pub(in super::super) count: Option<String>,
    /// Whether somebody should look at them.
    pub(in super::super) is_pressing: bool,
    pub(in super::super) path: String,
}

/// One person of the list.
#[derive(Debug, Clone)]
pub(in super::super) struct Row {
    pub(in super::super) id: String,
    pub(in super::super) initials: String,
    pub(in super::super) display: String,
    pub(in super::super) name: String,
    pub(in super::super) states: Vec<Badge>,
    pub(in super::super) side: Badge,
    /// The names of the roles.
    pub(in super::super) roles: String,
    /// Whether the person can sign in and do nothing.
    pub(in super::super) has_nothing: bool,
}

/// A role by which people can be listed.
#[derive(Debug, Clone)]
pub(in super::super) struct RoleChoice {
    pub(in super::super) id: String,
    pub(in super::super) name: String,
    pub(in super::super) is_chosen: bool,
}

#[derive(Debug, Template)]
#[template(path = "people/list.html")]
pub(in super::super) struct Users {
    pub(in super::super) frame: Frame,
    pub(in super::super) shell: Shell,
    pub(in super::super) list: List,
}

/// A page of people, and how it can be narrowed.
#[derive(Debug, Clone)]
pub(in super::super) struct List {
    /// The place of the list, in the words of the product that is followed; empty where it has no other name.
    pub(in super::super) place: &'static str,
    pub(in super::super) provider: &'static str,
    pub(in super::super) summary: String,
    pub(in super::super) synchronised: Option<moment::Shown>,
    pub(in super::super) choices: Vec<Choice>,
    pub(in super::super) segment: Segment,
    pub(in super::super) prefix: String,
    /// The side whose accounts are shown, as the form says it.
    pub(in super::super) source: String,
    pub(in super::super) roles: Vec<RoleChoice>,
    /// Whether only people with one role are shown.
    pub(in super::super) is_of_role: bool,
    pub(in super::super) people: Vec<Row>,
    /// The path of the list, which a panel over it leads back to; and the query in it, with its question mark.
    pub(in super::super) path: String,
    pub(in super::super) query: String,
    pub(in super::super) said: String,
    pub(in super::super) first: Option<String>,
    pub(in super::super) next: Option<String>,
    pub(in super::super) may_add: bool,
    /// Whether people whom the newest token has not named can be suspended together.
    pub(in super::super) may_suspend: bool,
    /// Whether people can be ticked, to do something to several at once.
    pub(in super::super) may_select: bool,
    /// Whether they can be put into groups that are kept here.
    pub(in super::super) may_join: bool,
}

/// A place in the order of names: a name and an id.
type Place = (String, String);

/// Everything that a list is asked for.
struct Asked {
    segment: Segment,
    managed_by: Option<ManagedBy>,
    role: Option<RoleId>,
    prefix: String,
    behind: Option<(String, Uuid)>,
}

impl Asked {
    fn read(query: &Form) -> Self {
        let id = Uuid::parse_str(query.text("behind")).ok();
        Self {
            segment: Segment::from_word(query.text("show")).unwrap_or(Segment::All),
            managed_by: ManagedBy::from_word(query.text("source")),
            role: Uuid::parse_str(query.text("role")).ok().map(RoleId),
            prefix: query.text("q").trim().to_owned(),
            behind: id.map(|id| (query.text("name").to_owned(), id)),
        }
    }

    /// Returns the name and the id behind which the page is.
    fn place(&self) -> Option<Place> {
        let behind = self.behind.as_ref();
        behind.map(|(name, id)| (name.clone(), id.to_string()))
    }

    fn shown(&self) -> Shown {
        let state = match self.segment {
            Segment::Active => Some(AccountState::Active),
            Segment::Disabled => Some(AccountState::Disabled),
            Segment::Removed => Some(AccountState::Removed),
            Segment::All | Segment::Unassigned | Segment::Suspended | Segment::Unconfirmed => None,
        };
        Shown {
            state,
            managed_by: self.managed_by,
            suspended: self.segment == Segment::Suspended,
            unassigned: self.segment == Segment::Unassigned,
            unconfirmed: self.segment == Segment::Unconfirmed,
            role: self.role,
        }
    }

    /// Returns the page that was asked for, as a path and a query of the organization.
    fn page(&self) -> String {
        format!("users{}", self.query(self.segment, self.place().as_ref()))
    }

    /// Returns the path of the list of a segment, behind somebody.
    fn path(&self, frame: &Frame, segment: Segment, behind: Option<&Place>) -> String {
        frame.path("users") + &self.query(segment, behind)
    }

    /// Returns the query of the list of a segment, behind somebody, with its question mark.
    fn query(&self, segment: Segment, behind: Option<&Place>) -> String {
        let mut query = Serializer::new(String::new());
        if segment != Segment::All {
            query.append_pair("show", segment.word());
        }
        if let Some(managed_by) = self.managed_by {
            query.append_pair("source", managed_by.word());
        }
        if let Some(role) = self.role {
            query.append_pair("role", &role.0.to_string());
        }
        if !self.prefix.is_empty() {
            query.append_pair("q", &self.prefix);
        }
        if let Some((name, id)) = behind {
            query.append_pair("name", name).append_pair("behind", id);
        }
        let query = query.finish();
        match query.is_empty() {
            true => query,
            false => format!("?{query}"),
        }
    }

    fn choices(&self, frame: &Frame, counts: &Counts, words: Preset) -> Vec<Choice> {
        let unassigned = match words {
            Preset::LevelAccess => "Unassigned users",
            Preset::ThreatLocker | Preset::ThirdPlatform => "Unassigned",
        };
        let choices = [
            (Segment::All, "All", Some(counts.all)),
            (Segment::Active, "Active", Some(counts.active)),
            (Segment::Disabled, "Disabled", Some(counts.disabled)),
            (Segment::Unassigned, unassigned, Some(counts.unassigned)),
            (Segment::Suspended, "Suspended", Some(counts.suspended)),
            (Segment::Unconfirmed, "Unconfirmed", None),
            (Segment::Removed, "Removed", None),
        ];
        let choice = |(segment, label, count): (Segment, &'static str, Option<u64>)| Choice {
            segment,
            label,
            count: count.map(|count| counted(count, COUNTED)),
            is_pressing: segment == Segment::Unassigned && count.is_some_and(|count| count > 0),
            path: self.path(frame, segment, None),
        };
        choices.into_iter().map(choice).collect()
    }
}

/// Returns the page of the list that a form was sent from, which names it by its query.
pub(super) fn page_of(query: &str) -> String {
    let query = query.strip_prefix('?').unwrap_or(query);
    Asked::read(&Form::parse(query.as_bytes())).page()
}

impl Row {
    fn of(listed: people::Listed) -> Self {
        let account = listed.account;
        Self {
            id: account.id.to_string(),
            initials: person::initials(&account.display),
            states: Badge::of_state(&account, listed.is_invited),
            side: Badge::of_side(account.managed_by),
            has_nothing: account.has_access() && !listed.has_anything,
            roles: listed.roles.join(", "),
            display: account.display,
            name: account.name,
        }
    }
}

/// Shows the list.
pub(in super::super) async fn get(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Users, "users").await?;
    let shown = Users {
        list: List::load(&visit, &administrator).await?,
        frame: visit.frame.clone(),
        shell: administrator.shell.clone(),
    };
    Ok(administrator.answer(StatusCode::OK, &shown))
}

impl List {
    /// Returns the list that a query asks for.
    pub(super) async fn load(visit: &Visit, administrator: &Administrator) -> Result<Self, Detour> {
        let organization = visit.organization()?;
        let asked = Asked::read(&visit.query);
        let page = Page {
            prefix: asked.prefix.clone(),
            behind: asked.behind.clone(),
            size: SIZE,
        };
        let found = people::list(
            &visit.product,
            &administrator.actor,
            &organization.name,
            asked.shown(),
            page,
        )
        .await?;
        Ok(Self::of(
            &visit.frame,
            &administrator.shell,
            organization,
            &asked,
            found,
        ))
    }

    fn of(frame: &Frame, shell: &Shell, organization: &Organization, asked: &Asked, found: People) -> Self {
        let may_select = shell.may(&account::SUSPEND.permission);
        let last = found.people.last().filter(|_| found.has_more);
        let next = last.map(|last| (last.account.name.clone(), last.account.id.to_string()));
        let provider = provider(organization);
        let here = asked.place();
        Self {
            place: place(organization.settings.words),
            provider,
            summary: summary(&found.counts, provider),
            synchronised: found.synchronised.map(|time| moment::ago(Timestamp::now(), time)),
            choices: asked.choices(frame, &found.counts, organization.settings.words),
            segment: asked.segment,
            source: asked.managed_by.map(Keyword::word).unwrap_or_default().to_owned(),
            path: asked.path(frame, asked.segment, here.as_ref()),
            query: asked.query(asked.segment, here.as_ref()),
            said: said(&found),
            roles: found
                .roles
                .iter()
                .map(|(id, name)| RoleChoice {
                    id: id.0.to_string(),
                    name: name.clone(),
                    is_chosen: asked.role == Some(*id),
                })
                .collect(),
            is_of_role: asked.role.is_some(),
            first: here.map(|_| asked.path(frame, asked.segment, None)),
            next: next.map(|place| asked.path(frame, asked.segment, Some(&place))),
            may_add: shell.may(&account::CREATE.permission),
            may_select: may_select && asked.segment != Segment::Removed,
            may_join: may_select && organization.settings.assignment == Assignment::LocalGroups,
            may_suspend: shell.may(&account::SUSPEND_UNCONFIRMED.permission),
            people: found.people.into_iter().map(Row::of).collect(),
            prefix: asked.prefix.clone(),
        }
    }
}

/// Returns where the product that is followed has its people.
pub(super) const fn place(words: Preset) -> &'static str {
    match words {
        Preset::LevelAccess => "Organization settings",
        Preset::ThreatLocker | Preset::ThirdPlatform => "",
    }
}

fn summary(counts: &Counts, provider: &str) -> String {
    let people = match counts.all {
        1 => "1 person.".to_owned(),
        all => format!("{} people.", counted(all, COUNTED)),
    };
    let provisioned = counts.all.saturating_sub(counts.manual);
    let from = match provisioned {
        0 => "Nobody has come from the identity provider yet.".to_owned(),
        1 => format!("1 of them comes from {provider} and is managed there."),
        many => format!(
            "{} of them come from {provider} and are managed there.",
            counted(many, COUNTED)
        ),
    };
    format!("{people} {from}")
}

/// Returns how many people a page shows of how many.
fn said(found: &People) -> String {
    let (shown, count) = (found.people.len(), grouped(found.count));
    match (found.is_cut, found.is_least, found.count) {
        (true, ..) => {
            format!("The first {shown} of at least {count} people: type more letters to find the others")
        }
        (_, true, _) => format!("{shown} of at least {count} people, by name"),
        (_, _, 1) => "1 person".to_owned(),
        _ => format!("{shown} of {count} people, by name"),
    }
}
