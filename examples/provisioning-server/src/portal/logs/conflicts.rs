//! The conflict inbox: what the identity provider could not do because of something here.

use askama::Template;
use axum::extract::RawPathParams;
use axum::response::Response;
use http::StatusCode;
use uuid::Uuid;

use crate::actions::{adoption, conflict};
use crate::domain::conflict::{Conflict, ConflictKind, ConflictState, Cursor};
use crate::domain::counted::counted;
use crate::domain::keyword::Keyword;
use crate::domain::permission::Permission;
use crate::portal::detour::Detour;
use crate::portal::form;
use crate::portal::frame::Frame;
use crate::portal::moment;
use crate::portal::path::id;
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// The path of the page.
const CONFLICTS: &str = "conflicts";

/// Conflicts on a page.
const SIZE: u32 = 25;

const STATE: &str = "state";
const AFTER: &str = "after";

/// A conflict, as the inbox shows it.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Entry {
    pub(in crate::portal) id: String,
    /// The event.
    pub(in crate::portal) title: String,
    /// The answer that the provider got.
    pub(in crate::portal) detail: String,
    pub(in crate::portal) remedy: &'static str,
    pub(in crate::portal) seen: String,
    pub(in crate::portal) last: String,
    pub(in crate::portal) external_id: Option<String>,
    /// The page of the account that stands in the way, or that waits for a decision.
    pub(in crate::portal) account: Option<String>,
    /// The page that lets the provider have the account.
    pub(in crate::portal) adoption: Option<String>,
    pub(in crate::portal) can_be_ignored: bool,
    pub(in crate::portal) can_be_reopened: bool,
}

impl Entry {
    fn of(conflict: &Conflict, shell: &Shell) -> Self {
        let account = conflict.account.filter(|_| shell.may(&Permission::USERS_READ));
        let is_manual = conflict.kind == ConflictKind::ManualAccount;
        let may_release = is_manual && shell.may(&adoption::ADOPT.permission);
        let may_decide = shell.may(&conflict::IGNORE.permission);
        Self {
            id: conflict.id.to_string(),
            title: title(conflict),
            detail: conflict.detail.clone(),
            remedy: conflict.kind.remedy(),
            seen: format!(
                "{}, last on {}, first on {}",
                counted(conflict.count, "time", "times"),
                moment::minute(conflict.last),
                moment::minute(conflict.first)
            ),
            last: conflict.last.to_string(),
            external_id: conflict.external_id.clone(),
            account: account.map(|account| format!("users/{account}")),
            adoption: account
                .filter(|_| may_release && conflict.state != ConflictState::Resolved)
                .map(|account| format!("users/{account}/adopt")),
            can_be_ignored: may_decide && conflict.state == ConflictState::Open,
            can_be_reopened: may_decide && conflict.state == ConflictState::Ignored,
        }
    }
}

fn title(conflict: &Conflict) -> String {
    let name = &conflict.name;
    match conflict.kind {
        ConflictKind::ManualAccount => format!("A manual account has the name {name}"),
        ConflictKind::DuplicateName => format!("The name {name} is taken"),
        ConflictKind::UnknownMember => format!("The group {name} has a member who is not here"),
        ConflictKind::RefusedValue => format!("A value of {name} was refused"),
        ConflictKind::WaitingPermissions => format!("{name} is back, and permissions wait for a decision"),
    }
}

/// A choice of the list.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Choice {
    pub(in crate::portal) title: &'static str,
    pub(in crate::portal) url: String,
    pub(in crate::portal) is_chosen: bool,
}

#[derive(Debug, Template)]
#[template(path = "logs/conflicts.html")]
pub(in crate::portal) struct Inbox {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) shell: Shell,
    pub(in crate::portal) trouble: Option<String>,
    /// The URL of what is shown.
    pub(in crate::portal) here: String,
    pub(in crate::portal) choices: Vec<Choice>,
    pub(in crate::portal) is_open: bool,
    pub(in crate::portal) entries: Vec<Entry>,
    pub(in crate::portal) first: Option<String>,
    pub(in crate::portal) next: Option<String>,
}

const fn choice(state: ConflictState) -> &'static str {
    match state {
        ConflictState::Open => "Open",
        ConflictState::Ignored => "Ignored",
        ConflictState::Resolved => "Resolved",
    }
}

/// Shows conflicts, the last first.
pub(in crate::portal) async fn get(visit: Visit) -> Result<Response, Detour> {
    let state = ConflictState::from_word(visit.query.text(STATE)).unwrap_or(ConflictState::Open);
    show(&visit, state, StatusCode::OK, None).await
}

async fn show(
    visit: &Visit,
    state: ConflictState,
    status: StatusCode,
    trouble: Option<String>,
) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Conflicts, CONFLICTS).await?;
    let after = Cursor::parse(visit.query.text(AFTER)).ok();
    let organization = &visit.organization()?.name;
    let actor = &administrator.actor;
    let mut found = conflict::list(&visit.product, actor, organization, state, after, SIZE + 1).await?;
    let is_more = found.len() > SIZE as usize;
    found.truncate(SIZE as usize);
    let path = visit.frame.path(CONFLICTS);
    let url = |state: ConflictState, after: &str| {
        path.clone() + &form::query(&[(STATE, state.word()), (AFTER, after)])
    };
    let shell = administrator.shell.clone();
    let shown = Inbox {
        trouble,
        here: url(state, visit.query.text(AFTER)),
        choices: ConflictState::ALL
            .iter()
            .map(|chosen| Choice {
                title: choice(*chosen),
                url: url(*chosen, ""),
                is_chosen: *chosen == state,
            })
            .collect(),
        is_open: state == ConflictState::Open,
        entries: found.iter().map(|conflict| Entry::of(conflict, &shell)).collect(),
        first: after.map(|_| url(state, "")),
        next: found
            .last()
            .filter(|_| is_more)
            .map(|last| url(state, &last.cursor().to_string())),
        frame: visit.frame.clone(),
        shell,
    };
    Ok(administrator.answer(status, &shown))
}

/// Puts a conflict aside.
pub(in crate::portal) async fn post_ignore(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let (id, administrator) = (
        id(&path, "id")?,
        visit.administrator(Section::Conflicts, CONFLICTS).await?,
    );
    let organization = &visit.organization()?.name;
    let ignored = conflict::ignore(&visit.product, &administrator.actor, organization, id).await;
    decided(&visit, ignored, "is ignored").await
}

/// Opens a conflict again.
pub(in crate::portal) async fn post_reopen(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let (id, administrator): (Uuid, _) = (
        id(&path, "id")?,
        visit.administrator(Section::Conflicts, CONFLICTS).await?,
    );
    let organization = &visit.organization()?.name;
    let reopened = conflict::reopen(&visit.product, &administrator.actor, organization, id).await;
    decided(&visit, reopened, "is open again").await
}

async fn decided(
    visit: &Visit,
    outcome: crate::domain::fault::Result<Conflict>,
    what: &str,
) -> Result<Response, Detour> {
    match outcome {
        Ok(conflict) => Ok(visit.done(
            CONFLICTS,
            &format!("The conflict about {} {what}.", conflict.name),
        )),
        Err(fault) => {
            let trouble = visit.trouble(fault, CONFLICTS)?;
            show(visit, ConflictState::Open, StatusCode::CONFLICT, Some(trouble)).await
        }
    }
}
