//! The page of a person.

use askama::Template;
use axum::extract::RawPathParams;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use uuid::Uuid;

use super::badge::Badge;
use super::list::{List, Segment, place};
use super::provider;
use super::why::Why;
use crate::actions::account::{self, Detail};
use crate::actions::people::{self, Around};
use crate::actions::sign_in::{self, SignIn};
use crate::actions::{adoption, erasure, history};
use crate::database::Product;
use crate::domain::account::{Account, AccountState, ManagedBy};
use crate::domain::actor::Actor;
use crate::domain::effective::Path;
use crate::domain::fault::Result as Outcome;
use crate::domain::grant::Origin;
use crate::domain::history::{HistoryEntry, HistoryFilter};
use crate::domain::keyword::Keyword;
use crate::domain::organization::{Name, Organization};
use crate::domain::permission::{Permission, Permissions};
use crate::domain::session::Session;
use crate::domain::settings::{Assignment, ExistingAccount, FirstLogin};
use crate::portal::administrator::Administrator;
use crate::portal::agent;
use crate::portal::detour::Detour;
use crate::portal::frame::Frame;
use crate::portal::moment::{self, Shown};
use crate::portal::path::id;
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// How many of the last requests are shown.
const REQUESTS: u32 = 5;

/// A lock of the sign-in, as the page tells of it.
#[derive(Debug, Clone)]
pub(in super::super) struct Lock {
    pub(in super::super) by: String,
    pub(in super::super) since: Shown,
    pub(in super::super) reason: String,
}

/// A role that somebody has.
#[derive(Debug, Clone)]
pub(in super::super) struct HeldRole {
    pub(in super::super) id: String,
    pub(in super::super) name: String,
    /// By what the person came to it.
    pub(in super::super) origins: Vec<String>,
    /// Whether it can be taken by hand.
    pub(in super::super) is_by_hand: bool,
}

/// A permission that somebody holds themselves.
#[derive(Debug, Clone)]
pub(in super::super) struct HeldPermission {
    pub(in super::super) permission: String,
    pub(in super::super) by: String,
    pub(in super::super) since: Shown,
    pub(in super::super) is_waiting: bool,
    pub(in super::super) is_by_hand: bool,
}

/// A thing that can be chosen: its id, and its name.
#[derive(Debug, Clone)]
pub(in super::super) struct Choice {
    pub(in super::super) id: String,
    pub(in super::super) name: String,
    pub(in super::super) is_chosen: bool,
}

impl Choice {
    pub(in super::super) fn new(id: &impl ToString, name: &str) -> Self {
        Self {
            id: id.to_string(),
            name: name.to_owned(),
            is_chosen: false,
        }
    }
}

/// A browser in which somebody is signed in.
#[derive(Debug, Clone)]
pub(in super::super) struct Browser {
    pub(in super::super) name: String,
    pub(in super::super) address: String,
    pub(in super::super) since: Shown,
    pub(in super::super) used: Shown,
}

/// How somebody signs in.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Entrance {
    /// The names of what there is, and its values.
    pub(in super::super) facts: Vec<(&'static str, String)>,
    pub(in super::super) browsers: Vec<Browser>,
    pub(in super::super) has_factor: bool,
    pub(in super::super) can_be_invited: bool,
    pub(in super::super) is_invited: bool,
}

/// A request of the identity provider about somebody.
#[derive(Debug, Clone)]
pub(in super::super) struct Request {
    pub(in super::super) meaning: String,
    pub(in super::super) when: Shown,
    pub(in super::super) has_failed: bool,
}

/// The things that whoever looks at the page can do to somebody on it.
#[derive(Debug, Clone, Copy, Default)]
pub(in super::super) struct Controls {
    pub(in super::super) write: bool,
    pub(in super::super) suspend: bool,
    pub(in super::super) resume: bool,
    pub(in super::super) edit: bool,
    pub(in super::super) enable: bool,
    pub(in super::super) disable: bool,
    pub(in super::super) adopt: bool,
    pub(in super::super) erase: bool,
}

#[derive(Debug, Clone, Template)]
#[template(path = "people/person.html")]
pub(in super::super) struct Person {
    pub(in super::super) frame: Frame,
    pub(in super::super) shell: Shell,
    pub(in super::super) trouble: Option<String>,
    pub(in super::super) place: &'static str,
    pub(in super::super) provider: &'static str,
    /// The path of the page within the realm.
    pub(in super::super) page: String,
    pub(in super::super) display: String,
    pub(in super::super) name: String,
    pub(in super::super) badges: Vec<Badge>,
    pub(in super::super) is_provisioned: bool,
    pub(in super::super) is_removed: bool,
    pub(in super::super) lock: Option<Lock>,
    /// Until when the provider may take the account over.
    pub(in super::super) adoption: Option<Shown>,
    /// When the provider was refused last because of the account.
    pub(in super::super) refused: Option<Shown>,
    /// The fields that describe the person: names and values.
    pub(in super::super) fields: Vec<(&'static str, String)>,
    pub(in super::super) id: String,
    pub(in super::super) scim_id: Option<String>,
    pub(in super::super) external_id: Option<String>,
    pub(in super::super) created: Shown,
    pub(in super::super) why: Why,
    pub(in super::super) without_access: String,
    /// The groups of which can be asked what would be lost without them.
    pub(in super::super) groups: Vec<Choice>,
    /// The answer to that.
    pub(in super::super) without: String,
    pub(in super::super) roles: Vec<HeldRole>,
    /// Whether the person has them now, and not only once they can sign in.
    pub(in super::super) has_effect: bool,
    pub(in super::super) offered_roles: Vec<Choice>,
    pub(in super::super) held: Vec<HeldPermission>,
    pub(in super::super) offered: Vec<String>,
    /// Whether any permission of an application can be given: who has none of their own gives none.
    pub(in super::super) gives_any: bool,
    /// Whether groups that are kept here give roles.
    pub(in super::super) has_local_groups: bool,
    pub(in super::super) local_groups: Vec<Choice>,
    pub(in super::super) offered_groups: Vec<Choice>,
    pub(in super::super) entrance: Entrance,
    /// None where the history is not theirs to see.
    pub(in super::super) requests: Option<Vec<Request>>,
    pub(in super::super) synchronised: Option<Shown>,
    pub(in super::super) controls: Controls,
    /// The list over which the person is shown in a panel, if it is not a page of its own.
    pub(in super::super) over: Option<List>,
}

/// Returns the path of the page of somebody.
pub(super) fn page(id: Uuid) -> String {
    format!("users/{id}")
}

/// Shows the page.
pub(in super::super) async fn get(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    show(&visit, id(&path, "user")?, StatusCode::OK, None).await
}

/// Shows the person in a panel over the list that the query asks for.
pub(in super::super) async fn get_panel(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let id = id(&path, "user")?;
    let administrator = visit.administrator(Section::Users, &page(id)).await?;
    let shown = Person {
        over: Some(List::load(&visit, &administrator).await?),
        shell: Shell {
            is_behind_panel: true,
            ..administrator.shell.clone()
        },
        ..load(&visit, &administrator, id).await?
    };
    Ok(administrator.answer(StatusCode::OK, &shown))
}

/// A person whom a form is about, and the administrator who has sent it.
pub(super) struct About<'v> {
    pub(super) visit: &'v Visit,
    pub(super) organization: &'v Organization,
    pub(super) administrator: Administrator,
    pub(super) id: Uuid,
    /// The id as a text, by which actions find the account.
    pub(super) user: String,
}

impl<'v> About<'v> {
    /// Reads whom a path is about; `step` is the last part of the path of a page of its own, or empty.
    pub(super) async fn read(visit: &'v Visit, path: &RawPathParams, step: &str) -> Result<Self, Detour> {
        let id = id(path, "user")?;
        let own = match step {
            "" => page(id),
            step => format!("{}/{step}", page(id)),
        };
        Ok(Self {
            administrator: visit.administrator(Section::Users, &own).await?,
            organization: visit.organization()?,
            visit,
            id,
            user: id.to_string(),
        })
    }

    pub(super) fn product(&self) -> &Product {
        &self.visit.product
    }

    pub(super) fn actor(&self) -> &Actor {
        &self.administrator.actor
    }

    pub(super) fn name(&self) -> &Name {
        &self.organization.name
    }

    /// Says that something was done, or shows the page of the person with the reason why it was not.
    pub(super) async fn answer<T>(
        &self,
        outcome: Outcome<T>,
        said: impl FnOnce(T) -> String,
    ) -> Result<Response, Detour> {
        match outcome {
            Ok(done) => Ok(self.visit.done(&page(self.id), &said(done))),
            Err(fault) => {
                let trouble = self.visit.trouble(fault, &page(self.id))?;
                show(
                    self.visit,
                    self.id,
                    StatusCode::UNPROCESSABLE_ENTITY,
                    Some(trouble),
                )
                .await
            }
        }
    }
}

pub(super) async fn show(
    visit: &Visit,
    id: Uuid,
    status: StatusCode,
    trouble: Option<String>,
) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Users, &page(id)).await?;
    let shown = Person {
        trouble,
        ..load(visit, &administrator, id).await?
    };
    Ok(administrator.answer(status, &shown))
}

/// Returns everything that is shown of somebody.
async fn load(visit: &Visit, administrator: &Administrator, id: Uuid) -> Result<Person, Detour> {
    let organization = visit.organization()?;
    let (product, actor, name) = (&visit.product, &administrator.actor, &organization.name);
    let detail = account::show(product, actor, name, &id.to_string()).await?;
    let entrance = sign_in::show(product, actor, name, &id.to_string()).await?;
    let around = people::around(product, actor, name, &detail.account).await?;
    let scim_id = detail.bindings.first().map(|binding| binding.scim_id.clone());
    let is_there = detail.bindings.iter().any(|binding| binding.until.is_none());
    let fields = match scim_id.as_deref().filter(|_| is_there) {
        Some(scim_id) => people::identity(product, actor, name, scim_id).await?,
        None => Vec::new(),
    };
    let requests = match &scim_id {
        Some(scim_id) if actor.demand(&history::LIST).is_ok() => {
            let filter = HistoryFilter {
                subject: Some(scim_id.clone()),
                ..HistoryFilter::default()
            };
            Some(history::list(product, actor, name, filter, None, REQUESTS).await?)
        }
        _ => None,
    };
    let seen = Seen {
        organization,
        administrator,
        detail,
        entrance,
        around,
        now: Timestamp::now(),
    };
    let fields = fields.into_iter().map(|(field, value)| (field.label(), value));
    Ok(Person {
        without: seen.lost_without(visit.query.text("without")),
        groups: seen.groups(visit.query.text("without")),
        requests: requests.map(|requests| {
            requests
                .iter()
                .map(|entry| Request::of(entry, seen.now))
                .collect()
        }),
        fields: match is_there {
            true => fields.collect(),
            false => seen.own_fields(),
        },
        ..seen.page(visit.frame.clone(), scim_id)
    })
}

impl Request {
    fn of(entry: &HistoryEntry, now: Timestamp) -> Self {
        Self {
            meaning: entry.meaning.clone(),
            when: moment::ago(now, entry.time),
            has_failed: entry.status >= 400,
        }
    }
}

/// Everything that the page is made of.
struct Seen<'a> {
    organization: &'a Organization,
    administrator: &'a Administrator,
    detail: Detail,
    entrance: SignIn,
    around: Around,
    now: Timestamp,
}

impl Seen<'_> {
    fn account(&self) -> &Account {
        &self.detail.account
    }

    fn is_removed(&self) -> bool {
        self.account().state == AccountState::Removed
    }

    fn page(&self, frame: Frame, scim_id: Option<String>) -> Person {
        let account = self.account();
        let is_provisioned = account.managed_by == ManagedBy::Scim;
        let provider = provider(self.organization);
        let is_new = self.entrance.entry.is_some_and(|entry| entry.first.is_none());
        let is_invited = is_new && self.entrance.invited_until.is_some();
        let mut badges = Badge::of_state(account, is_invited);
        badges.push(Badge::of_side(account.managed_by));
        if account.has_access() && self.detail.effective.permissions.is_empty() {
            badges.push(Badge::NoAccess);
        }
        Person {
            frame,
            shell: self.administrator.shell.clone(),
            trouble: None,
            place: place(self.organization.settings.words),
            provider,
            page: page(account.id),
            display: account.display.clone(),
            name: account.name.clone(),
            badges,
            is_provisioned,
            is_removed: self.is_removed(),
            lock: account.suspended.as_ref().map(|lock| Lock {
                by: lock.by.clone(),
                since: moment::ago(self.now, lock.since),
                reason: lock.reason.clone(),
            }),
            adoption: self
                .around
                .adoption
                .as_ref()
                .map(|adoption| moment::at_minute(adoption.until)),
            refused: self
                .around
                .refused
                .as_ref()
                .filter(|_| self.around.adoption.is_none())
                .map(|refused| moment::ago(self.now, refused.last)),
            fields: Vec::new(),
            id: account.id.to_string(),
            external_id: self
                .detail
                .bindings
                .first()
                .and_then(|binding| binding.external_id.clone()),
            scim_id,
            created: moment::on_day(account.created),
            why: Why::of(&self.detail, provider),
            without_access: self.without_access(provider),
            groups: Vec::new(),
            without: String::new(),
            roles: self.roles(),
            has_effect: account.has_access(),
            offered_roles: self.offered_roles(),
            held: self.held(),
            offered: self.offered(),
            gives_any: self.administrator.actor.is_of_instance(),
            has_local_groups: self.organization.settings.assignment == Assignment::LocalGroups,
            local_groups: self.local_groups(),
            offered_groups: self.offered_groups(),
            entrance: self.entrance(is_invited),
            requests: None,
            synchronised: self.around.synchronised.map(|time| moment::ago(self.now, time)),
            controls: self.controls(),
            over: None,
        }
    }

    /// Returns what is known of somebody whom no identity provider describes.
    fn own_fields(&self) -> Vec<(&'static str, String)> {
        let account = self.account();
        let mut fields = vec![
            ("Username", account.name.clone()),
            ("Name", account.display.clone()),
        ];
        fields.extend(account.address.clone().map(|address| ("E-mail", address)));
        fields
    }

    fn without_access(&self, provider: &str) -> String {
        let account = self.account();
        match account.state {
            AccountState::Removed => "The account is removed and has no access.".to_owned(),
            _ if account.suspended.is_some() => {
                "The sign-in is suspended: roles and permissions have no effect until that is lifted."
                    .to_owned()
            }
            AccountState::Disabled => match account.managed_by {
                ManagedBy::Scim => format!("The account is disabled: {provider} has said so."),
                ManagedBy::Hand => {
                    "The account is disabled: roles and permissions have no effect.".to_owned()
                }
            },
            AccountState::Active => match account.managed_by {
                ManagedBy::Scim => format!(
                    "None. No group of this person gives a role: put them into a mapped group at {provider}, or give single \
                     permissions below."
                ),
                ManagedBy::Hand => {
                    "None. Nobody has given this account a role or a permission yet.".to_owned()
                }
            },
        }
    }

    fn roles(&self) -> Vec<HeldRole> {
        let known = &self.detail.known;
        let mut roles: Vec<_> = self
            .detail
            .potential
            .roles
            .iter()
            .map(|(id, paths)| HeldRole {
                id: id.to_string(),
                name: known
                    .roles
                    .get(id)
                    .map(|role| role.name.clone())
                    .unwrap_or_default(),
                origins: paths.iter().map(|path| self.origin(*path)).collect(),
                is_by_hand: paths.contains(&Path::Held(Origin::Hand)),
            })
            .collect();
        roles.sort_by(|one, other| one.name.cmp(&other.name));
        roles
    }

    fn origin(&self, path: Path) -> String {
        let known = &self.detail.known;
        let group = |group| known.groups.get(&group).map_or("", |group| group.name.as_str());
        match path {
            Path::Mapping { group: of } => format!("through the group {}", group(of)),
            Path::MirroredGroup { group: of } => format!("mirrors the group {}", group(of)),
            Path::LocalGroup { group } => {
                let name = known
                    .local_groups
                    .get(&group)
                    .map_or("", |group| group.name.as_str());
                format!("through {name}, a group kept here")
            }
            Path::Held(Origin::BreakGlass) => "as owner".to_owned(),
            Path::Held(_) => "given by hand".to_owned(),
        }
    }

    /// Returns the roles that can be given: those within the permissions of whoever looks.
    fn offered_roles(&self) -> Vec<Choice> {
        let has = |id: &_| {
            let paths = self.detail.potential.roles.get(id);
            paths.is_some_and(|paths| paths.contains(&Path::Held(Origin::Hand)))
        };
        let roles = self.around.roles.iter();
        roles
            .filter(|role| !has(&role.id) && self.may_give(&role.permissions))
            .map(|role| Choice::new(&role.id, &role.name))
            .collect()
    }

    fn may_give(&self, permissions: &Permissions) -> bool {
        let actor = &self.administrator.actor;
        actor.demand_all(permissions, "This grant").is_ok()
    }

    fn held(&self) -> Vec<HeldPermission> {
        let held = self.detail.held.iter();
        held.map(|grant| HeldPermission {
            permission: grant.permission.to_string(),
            by: grant.by.clone(),
            since: moment::on_day(grant.created),
            is_waiting: grant.waiting,
            is_by_hand: grant.origin == Origin::Hand,
        })
        .collect()
    }

    /// Returns the permissions that can be given: whoever looks has them, and the person does not hold them.
    fn offered(&self) -> Vec<String> {
        let is_held = |permission: &&Permission| {
            let mut held = self.detail.held.iter();
            held.any(|grant| !grant.waiting && grant.permission == **permission)
        };
        let may_give =
            |permission: &&Permission| self.may_give(&Permissions::from_iter([(*permission).clone()]));
        let own = self.administrator.actor.permissions.iter();
        let own = own.filter(|permission| matches!(permission, Permission::Application(_)));
        let all = Permission::CATALOGUE.iter().chain(own);
        all.filter(|permission| !is_held(permission) && may_give(permission))
            .map(ToString::to_string)
            .collect()
    }

    fn local_groups(&self) -> Vec<Choice> {
        let groups = self.detail.local_groups.iter();
        groups.map(|group| Choice::new(&group.id, &group.name)).collect()
    }

    fn offered_groups(&self) -> Vec<Choice> {
        let is_in = |id: Uuid| self.detail.local_groups.iter().any(|group| group.id == id);
        let groups = self.around.local_groups.iter().filter(|group| !is_in(group.id));
        groups.map(|group| Choice::new(&group.id, &group.name)).collect()
    }

    fn entrance(&self, is_invited: bool) -> Entrance {
        let (account, found) = (self.account(), &self.entrance);
        let Some(entry) = found.entry.filter(|_| !self.is_removed()) else {
            return Entrance::default();
        };
        let by = match entry.by {
            FirstLogin::Invitation => "E-mail invitation",
            FirstLogin::Saml => "SAML, at the identity provider",
            FirstLogin::PasswordReset => "Forgotten password",
        };
        let day = |time: Option<Timestamp>| {
            time.map_or_else(
                || "None".to_owned(),
                |time| format!("Since {}", moment::day(time)),
            )
        };
        let mut facts = vec![
            ("First sign-in by", by.to_owned()),
            (
                "Signed in first",
                entry.first.map_or_else(|| "Never".to_owned(), moment::day),
            ),
        ];
        if let Some(until) = found.invited_until.filter(|_| is_invited) {
            facts.push(("Invitation ends", moment::minute(until)));
        }
        if entry.has_password() {
            facts.push(("Password", day(found.password)));
            facts.push(("Second factor", day(found.second_factor)));
        }
        if found.second_factor.is_some() {
            facts.push(("Recovery codes", format!("{} left", found.recovery_codes)));
        }
        Entrance {
            facts,
            browsers: found
                .sessions
                .iter()
                .map(|session| Browser::of(session, self.now))
                .collect(),
            has_factor: found.second_factor.is_some(),
            can_be_invited: account.has_access() && entry.has_password() && account.address.is_some(),
            is_invited: entry.first.is_none() && found.password.is_none(),
        }
    }

    fn controls(&self) -> Controls {
        let account = self.account();
        let may = |permission: &Permission| self.administrator.shell.may(permission);
        let write = may(&account::CHANGE.permission) && !self.is_removed();
        let manual = write && account.managed_by == ManagedBy::Hand;
        let is_active = account.state == AccountState::Active;
        let adopts = self.organization.settings.existing_account == ExistingAccount::Adopt;
        Controls {
            write,
            suspend: write && account.suspended.is_none(),
            resume: write && account.suspended.is_some(),
            edit: manual,
            enable: manual && !is_active,
            disable: manual && is_active,
            adopt: manual && is_active && adopts && may(&adoption::ADOPT.permission),
            erase: self.is_removed() && account.row.is_none() && may(&erasure::ERASE.permission),
        }
    }

    /// Returns the groups by which somebody has roles.
    fn groups(&self, chosen: &str) -> Vec<Choice> {
        let known = &self.detail.known;
        let provisioned = known
            .groups
            .values()
            .map(|group| Choice::new(&group.id, &group.name));
        let local = known
            .local_groups
            .values()
            .map(|group| Choice::new(&group.id, &group.name));
        let mut groups: Vec<_> = provisioned.chain(local).collect();
        groups.sort_by(|one, other| one.name.cmp(&other.name));
        for group in &mut groups {
            group.is_chosen = group.id == chosen;
        }
        groups
    }

    /// Returns what would be lost without a group, in a sentence.
    fn lost_without(&self, chosen: &str) -> String {
        let known = &self.detail.known;
        let is_chosen = |path: &Path| match path {
            Path::Mapping { group } | Path::MirroredGroup { group } => {
                known.groups.get(group).is_some_and(|group| group.id == chosen)
            }
            Path::LocalGroup { group } => group.to_string() == chosen,
            Path::Held(_) => false,
        };
        let Some(group) = self.groups(chosen).into_iter().find(|group| group.is_chosen) else {
            return String::new();
        };
        let (roles, permissions) = self.detail.effective.lost_without(is_chosen);
        let names = roles.iter().filter_map(|id| known.roles.get(id));
        let names: Vec<_> = names.map(|role| role.name.as_str()).collect();
        match (names.is_empty(), permissions.is_empty()) {
            (true, _) => format!("Nothing: every role of {} also comes by another way.", group.name),
            (false, true) => format!(
                "Without {}: {} would go, and no permission with it.",
                group.name,
                names.join(", ")
            ),
            (false, false) => format!(
                "Without {}: {} would go, and with it {permissions}.",
                group.name,
                names.join(", ")
            ),
        }
    }
}

impl Browser {
    fn of(session: &Session, now: Timestamp) -> Self {
        Self {
            name: agent::readable(session.agent.as_deref()),
            address: session.address.clone().unwrap_or_default(),
            since: moment::at_minute(session.created),
            used: moment::ago(now, session.used),
        }
    }
}
