//! `user …`

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::Session;
use super::adoption::Adopt;
use super::documents::time;
use super::flags::{name, word};
use super::sign_in;
use crate::actions::account::{self, ByHand, Changes, Detail, Known};
use crate::actions::erasure;
use crate::database::accounts::Shown;
use crate::database::page::Page;
use crate::domain::account::{Account, AccountState, ManagedBy};
use crate::domain::counted::counted;
use crate::domain::effective::{Path, Reason};
use crate::domain::fault::{Fault, Result};
use crate::domain::grant::Origin;
use crate::domain::organization::Name;
use crate::domain::permission::Permission;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the people of an organization, by name
    List(List),
    /// Show one person: what they may do, and why
    Show(Which),
    /// Make an account that is managed by hand
    Create {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// The name under which the person signs in: an e-mail address, unless the organization takes any
        #[arg(value_name = "NAME")]
        user: String,
        /// The name of the person
        #[arg(long, value_name = "TEXT")]
        display: Option<String>,
    },
    /// Change an account that is managed by hand
    Set {
        #[command(flatten)]
        which: Which,
        /// Another name under which the person signs in
        #[arg(long, value_name = "NAME")]
        rename: Option<String>,
        /// The name of the person
        #[arg(long, value_name = "TEXT")]
        display: Option<String>,
    },
    /// Let the person of a manual account sign in
    Enable(Which),
    /// Keep the person of a manual account out
    Disable(Which),
    /// Remove a manual account; its name is free then
    Remove(Which),
    /// Lock the sign-in of any account at once, whatever the identity provider says
    Suspend {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// The name of the person, the id of the account, or the id over SCIM
        #[arg(value_name = "USER", required_unless_present = "unconfirmed")]
        user: Option<String>,
        /// All people of the identity provider whom no request with its newest token has named
        #[arg(long, conflicts_with = "user")]
        unconfirmed: bool,
        /// Why, for whoever looks at it later
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Replace everything by which a removed person is known by a pseudonym, in the history and the audit log too
    Erase {
        #[command(flatten)]
        which: Which,
        /// The name of the person once more: this cannot be undone
        #[arg(long, value_name = "NAME")]
        confirm: String,
    },
    /// Lift that lock
    Resume(Which),
    /// Show how a person signs in: invitation, password, second factor, sessions
    SignIn(Which),
    /// Send the invitation once more, or to somebody who was signed in before a link to set another password
    Invite(Which),
    /// End all sessions of a person
    SignOut(Which),
    /// Remove the second factor of a person who has lost it
    ResetSecondFactor(Which),
    /// Let the identity provider take over an account that is managed by hand
    Adopt(Adopt),
    /// Give permissions by hand, and roles to a manual account
    Grant {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        what: What,
    },
    /// Take permissions and roles that were given by hand
    Revoke {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        what: What,
    },
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// Which organization
    #[arg(value_name = "ORG", value_parser = name)]
    pub(super) name: Name,
    /// The name of the person, the id of the account, or the id over SCIM
    #[arg(value_name = "USER")]
    pub(super) user: String,
}

#[derive(Debug, Args)]
pub(super) struct What {
    /// A role; may be repeated
    #[arg(long, value_name = "ROLE")]
    role: Vec<String>,
    /// A permission, such as users:read or app:reports; may be repeated
    #[arg(long, value_name = "PERMISSION", value_parser = Permission::parse)]
    permission: Vec<Permission>,
}

impl What {
    fn into_by_hand(self) -> Result<ByHand> {
        if self.role.is_empty() && self.permission.is_empty() {
            return Err(Fault::invalid(
                "Nothing is named: name roles with --role, and permissions with --permission.",
            ));
        }
        Ok(ByHand {
            roles: self.role,
            permissions: self.permission.into_iter().collect(),
        })
    }
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Which organization
    #[arg(value_name = "ORG", value_parser = name)]
    name: Name,
    /// Only accounts in this state; without it, all but removed ones
    #[arg(long, value_name = "STATE", value_parser = word::<AccountState>())]
    state: Option<AccountState>,
    /// Only accounts that the identity provider (scim) or administrators (hand) look after
    #[arg(long, value_name = "SIDE", value_parser = word::<ManagedBy>())]
    managed_by: Option<ManagedBy>,
    /// Only accounts whose sign-in is suspended
    #[arg(long)]
    suspended: bool,
    /// Only people of the identity provider who have no role and are in no local group
    #[arg(long)]
    unassigned: bool,
    /// Only people of the identity provider whom no request with its newest token has named
    #[arg(long)]
    unconfirmed: bool,
    /// Only people who have this role now
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// Only people whose name, display name, family name or e-mail address begins like this
    #[arg(long, value_name = "TEXT", default_value = "")]
    search: String,
    /// Only accounts behind the one that an earlier list ended with: its name and id, as "next" had them
    #[arg(long, value_names = ["NAME", "ID"], num_args = 2)]
    after: Vec<String>,
    /// How many accounts at most
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
}

#[derive(Debug, Serialize)]
struct Listed {
    organization: String,
    /// How many there are, as far as they were counted.
    count: u64,
    /// Whether there may be more than that.
    at_least: bool,
    /// Whether a search has found too many to show more than the first.
    is_cut: bool,
    users: Vec<UserDocument>,
    /// The name and the id for --after, if there may be more.
    next: Option<[String; 2]>,
}

#[derive(Debug, Serialize)]
struct UserDocument {
    id: Uuid,
    name: String,
    display: String,
    address: Option<String>,
    state: AccountState,
    managed_by: ManagedBy,
    suspended: Option<SuspensionDocument>,
    created: Timestamp,
    changed: Timestamp,
}

#[derive(Debug, Serialize)]
struct SuspensionDocument {
    since: Timestamp,
    reason: String,
    by: String,
}

/// The answer of `user show`, and of every change of a person.
#[derive(Debug, Serialize)]
struct DetailDocument {
    organization: String,
    #[serde(flatten)]
    user: UserDocument,
    /// The person of SCIM, if there is one now.
    scim_id: Option<String>,
    external_id: Option<String>,
    roles: Vec<HeldRole>,
    permissions: Vec<HeldPermission>,
    local_groups: Vec<String>,
    /// Permissions that have no effect until an administrator decides.
    waiting: Vec<String>,
    /// The ids over SCIM that the account had before.
    former_scim_ids: Vec<String>,
}

#[derive(Debug, Serialize)]
struct HeldRole {
    role: String,
    why: Vec<Why>,
}

#[derive(Debug, Serialize)]
struct HeldPermission {
    permission: String,
    why: Vec<Why>,
}

/// One way to a role or permission.
#[derive(Debug, Serialize)]
struct Why {
    origin: Origin,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    /// The group of the provider, or the one kept here.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
}

impl Why {
    fn of_path(known: &Known, path: &Path, role: Option<String>) -> Self {
        let group = match path {
            Path::Mapping { group } | Path::MirroredGroup { group } => {
                known.groups.get(group).map(|group| group.name.clone())
            }
            Path::LocalGroup { group } => known.local_groups.get(group).map(|group| group.name.clone()),
            Path::Held(_) => None,
        };
        Self {
            origin: path.origin(),
            role,
            group,
        }
    }

    fn of_reason(known: &Known, reason: &Reason) -> Self {
        match reason {
            Reason::Held(origin) => Self {
                origin: *origin,
                role: None,
                group: None,
            },
            Reason::Role { role, path } => {
                let name = known.roles.get(role).map(|role| role.name.clone());
                Self::of_path(known, path, name)
            }
        }
    }

    fn sentence(&self) -> String {
        let group = self.group.as_deref().unwrap_or_default();
        let way = match self.origin {
            Origin::Mapping => format!("group {group:?} is mapped"),
            Origin::MirroredGroup => format!("mirrors group {group:?}"),
            Origin::LocalGroup => format!("local group {group:?}"),
            Origin::Hand => "given by hand".to_owned(),
            Origin::BreakGlass => "owner".to_owned(),
        };
        match &self.role {
            Some(role) => format!("role {role:?}: {way}"),
            None => way,
        }
    }
}

impl UserDocument {
    fn of(account: Account) -> Self {
        Self {
            id: account.id,
            name: account.name,
            display: account.display,
            address: account.address,
            state: account.state,
            managed_by: account.managed_by,
            suspended: account.suspended.map(|lock| SuspensionDocument {
                since: time(lock.since),
                reason: lock.reason,
                by: lock.by,
            }),
            created: time(account.created),
            changed: time(account.changed),
        }
    }
}

impl Command {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        let (product, actor) = (&session.product, &session.actor());
        let (organization, detail) = match self {
            Self::List(list) => return list.run(session).await,
            Self::Adopt(adopt) => return adopt.run(session).await,
            Self::Show(of) => (
                of.name.clone(),
                account::show(product, actor, &of.name, &of.user).await?,
            ),
            Self::Create { name, user, display } => {
                let made = account::create(product, actor, &name, &user, display.as_deref()).await?;
                (name, made)
            }
            Self::Set {
                which,
                rename,
                display,
            } => {
                let changes = Changes {
                    name: rename,
                    display,
                    state: None,
                };
                change(session, which, changes).await?
            }
            Self::Enable(which) => set(session, which, AccountState::Active).await?,
            Self::Disable(which) => set(session, which, AccountState::Disabled).await?,
            Self::Remove(which) => set(session, which, AccountState::Removed).await?,
            Self::Suspend {
                name,
                user: Some(user),
                reason,
                ..
            } => {
                let locked = account::suspend(product, actor, &name, &user, &reason).await?;
                (name, locked)
            }
            Self::Suspend { name, reason, .. } => {
                return suspend_unconfirmed(session, name, &reason).await;
            }
            Self::SignIn(which) => return sign_in::show(session, which).await,
            Self::Invite(which) => return sign_in::invite(session, which).await,
            Self::SignOut(which) => return sign_in::sign_out(session, which).await,
            Self::ResetSecondFactor(which) => return sign_in::reset_factor(session, which).await,
            Self::Erase { which, confirm } => return erase(session, which, &confirm).await,
            Self::Resume(of) => {
                let open = account::resume(product, actor, &of.name, &of.user).await?;
                (of.name, open)
            }
            Self::Grant { which: of, what } => {
                let given = account::grant(product, actor, &of.name, &of.user, what.into_by_hand()?).await?;
                (of.name, given)
            }
            Self::Revoke { which: of, what } => {
                let left = account::revoke(product, actor, &of.name, &of.user, what.into_by_hand()?).await?;
                (of.name, left)
            }
        };
        session.output.result(&document(&organization, detail), text);
        Ok(())
    }
}

/// The answer of `user suspend --unconfirmed`.
#[derive(Debug, Serialize)]
struct Unconfirmed {
    organization: String,
    suspended: u64,
    /// Those who may do more than whoever has asked, and are left alone.
    left: u64,
}

async fn suspend_unconfirmed(session: &Session, name: Name, reason: &str) -> Result<()> {
    let (product, actor) = (&session.product, &session.actor());
    let done = account::suspend_unconfirmed(product, actor, &name, reason).await?;
    let document = Unconfirmed {
        organization: name.to_string(),
        suspended: done.suspended,
        left: done.left,
    };
    session.output.result(&document, |done| {
        let people = counted(done.suspended, "person is", "people are");
        format!("{people} suspended whom no request with the newest token has named.")
    });
    Ok(())
}

/// The answer of `user erase`.
#[derive(Debug, Serialize)]
struct ErasedDocument {
    organization: String,
    id: Uuid,
    /// The text in the place of the name.
    pseudonym: String,
}

async fn erase(session: &Session, which: Which, confirm: &str) -> Result<()> {
    let (product, actor) = (&session.product, &session.actor());
    let erased = erasure::erase(product, actor, &which.name, &which.user, confirm).await?;
    let document = ErasedDocument {
        organization: which.name.to_string(),
        id: erased.account,
        pseudonym: erased.pseudonym,
    };
    session.output.result(&document, |erased| {
        format!(
            "The person is {:?} from now on, wherever the name stood.",
            erased.pseudonym
        )
    });
    Ok(())
}

async fn set(session: &Session, which: Which, state: AccountState) -> Result<(Name, Detail)> {
    let changes = Changes {
        state: Some(state),
        ..Changes::default()
    };
    change(session, which, changes).await
}

async fn change(session: &Session, which: Which, changes: Changes) -> Result<(Name, Detail)> {
    let actor = session.actor();
    let detail = account::change(&session.product, &actor, &which.name, &which.user, changes).await?;
    Ok((which.name, detail))
}

impl List {
    async fn run(self, session: &Session) -> Result<()> {
        let shown = Shown {
            state: self.state,
            managed_by: self.managed_by,
            suspended: self.suspended,
            unassigned: self.unassigned,
            unconfirmed: self.unconfirmed,
            role: None,
        };
        let page = Page {
            prefix: self.search,
            behind: behind(&self.after)?,
            size: self.limit,
        };
        let (product, actor, role) = (&session.product, &session.actor(), self.role.as_deref());
        let listed = account::list(product, actor, &self.name, shown, role, page).await?;
        let last = listed.accounts.last().filter(|_| listed.has_more);
        let document = Listed {
            organization: self.name.to_string(),
            count: listed.count,
            at_least: listed.is_least,
            is_cut: listed.is_cut,
            next: last.map(|account| [account.name.clone(), account.id.to_string()]),
            users: listed.accounts.into_iter().map(UserDocument::of).collect(),
        };
        session.output.result(&document, table);
        Ok(())
    }
}

fn behind(after: &[String]) -> Result<Option<(String, Uuid)>> {
    let [name, id] = after else { return Ok(None) };
    let id = Uuid::parse_str(id).map_err(|_| {
        Fault::invalid(format!(
            "{id:?} is not a valid place in a list; expected the name and the id that \"next\" had."
        ))
    })?;
    Ok(Some((name.clone(), id)))
}

fn document(organization: &Name, detail: Detail) -> DetailDocument {
    let known = &detail.known;
    let present = detail.bindings.iter().find(|binding| binding.until.is_none());
    let role = |id| {
        known
            .roles
            .get(id)
            .map(|role| role.name.clone())
            .unwrap_or_default()
    };
    let former = detail.bindings.iter().filter(|binding| binding.until.is_some());
    let waiting = detail.held.iter().filter(|grant| grant.waiting);
    DetailDocument {
        organization: organization.to_string(),
        scim_id: present.map(|binding| binding.scim_id.clone()),
        external_id: present.and_then(|binding| binding.external_id.clone()),
        roles: detail
            .effective
            .roles
            .iter()
            .map(|(id, paths)| HeldRole {
                role: role(id),
                why: paths.iter().map(|path| Why::of_path(known, path, None)).collect(),
            })
            .collect(),
        permissions: detail
            .effective
            .permissions
            .iter()
            .map(|(permission, reasons)| HeldPermission {
                permission: permission.to_string(),
                why: reasons
                    .iter()
                    .map(|reason| Why::of_reason(known, reason))
                    .collect(),
            })
            .collect(),
        local_groups: detail
            .local_groups
            .iter()
            .map(|group| group.name.clone())
            .collect(),
        waiting: waiting.map(|grant| grant.permission.to_string()).collect(),
        former_scim_ids: former.map(|binding| binding.scim_id.clone()).collect(),
        user: UserDocument::of(detail.account),
    }
}

fn state(user: &UserDocument) -> &'static str {
    use crate::domain::keyword::Keyword;
    match user.suspended {
        Some(_) => "suspended",
        None => user.state.word(),
    }
}

fn table(listed: &Listed) -> String {
    if listed.users.is_empty() {
        return "Nobody.".to_owned();
    }
    let line = |user: &UserDocument| {
        let by = match user.managed_by {
            ManagedBy::Scim => "SCIM",
            ManagedBy::Hand => "by hand",
        };
        format!(
            "{:<36} {:<28} {:<10} {by}\n",
            user.name,
            user.display,
            state(user)
        )
    };
    let lines: String = listed.users.iter().map(line).collect();
    match &listed.next {
        Some([name, id]) => format!("{lines}\nGo on with:  --after {name} {id}"),
        None if listed.is_cut => format!(
            "{lines}\nThese are the first of at least {} people: search for more letters to find the others.",
            listed.count
        ),
        None => lines,
    }
}

fn text(detail: &DetailDocument) -> String {
    let user = &detail.user;
    let mut text = format!("{} ({})\n", user.name, user.display);
    let managed = match user.managed_by {
        ManagedBy::Scim => "managed by SCIM",
        ManagedBy::Hand => "managed by hand",
    };
    text += &format!("  {}, {managed}\n", state(user));
    if let Some(lock) = &user.suspended {
        text += &format!(
            "  suspended by {} since {}: {}\n",
            lock.by, lock.since, lock.reason
        );
    }
    text += "\nRoles\n";
    if detail.roles.is_empty() {
        text += "  none\n";
    }
    for role in &detail.roles {
        text += &format!("  {:<24} {}\n", role.role, sentences(&role.why));
    }
    text += "\nPermissions\n";
    if detail.permissions.is_empty() {
        text += "  none\n";
    }
    for permission in &detail.permissions {
        text += &format!("  {:<24} {}\n", permission.permission, sentences(&permission.why));
    }
    if !detail.waiting.is_empty() {
        let waiting = detail.waiting.join(", ");
        text += &format!("\nWaiting for an administrator: {waiting}\n");
    }
    text
}

fn sentences(why: &[Why]) -> String {
    why.iter().map(Why::sentence).collect::<Vec<_>>().join("; ")
}
