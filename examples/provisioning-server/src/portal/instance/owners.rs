//! Owners of the instance.

use askama::Template;
use axum::extract::RawPathParams;
use axum::response::Response;
use http::StatusCode;

use crate::actions::instance_owner::{self, Mailed, WayIn};
use crate::domain::fault::Result as Outcome;
use crate::domain::instance_owner::InstanceOwner;
use crate::domain::link::LinkKind;
use crate::domain::realm::Realm;
use crate::portal::administrator::Administrator;
use crate::portal::confirm::Confirm;
use crate::portal::detour::Detour;
use crate::portal::form::Form;
use crate::portal::frame::Frame;
use crate::portal::moment;
use crate::portal::path::id;
use crate::portal::problem::Problem;
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// The paths of the pages.
const PAGE: &str = "owners";
const NEW: &str = "owners/new";

/// An owner in the list.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Row {
    pub(in crate::portal) id: String,
    pub(in crate::portal) address: String,
    pub(in crate::portal) since: String,
    pub(in crate::portal) is_self: bool,
}

#[derive(Debug, Template)]
#[template(path = "instance/owners.html")]
pub(in crate::portal) struct Owners {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) shell: Shell,
    pub(in crate::portal) rows: Vec<Row>,
}

#[derive(Debug, Template)]
#[template(path = "instance/new-owner.html")]
pub(in crate::portal) struct NewOwner {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) shell: Shell,
    pub(in crate::portal) email: String,
    pub(in crate::portal) trouble: Option<String>,
}

/// The link by which an owner comes, which is shown once.
#[derive(Debug, Template)]
#[template(path = "instance/way-in.html")]
pub(in crate::portal) struct WayInPage {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) shell: Shell,
    pub(in crate::portal) address: String,
    pub(in crate::portal) url: String,
    pub(in crate::portal) expires: String,
    /// Whether it lets somebody back in who was an owner already.
    pub(in crate::portal) is_back: bool,
    /// Whether it was sent to them as well.
    pub(in crate::portal) is_mailed: bool,
}

/// Shows all owners.
pub(super) async fn get(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Owners, PAGE).await?;
    let all = instance_owner::list(&visit.product, &administrator.actor).await?;
    let row = |owner: &InstanceOwner| Row {
        id: owner.id.to_string(),
        address: owner.address.clone(),
        since: moment::day(owner.created),
        is_self: administrator.shell.person.name == owner.address,
    };
    let shown = Owners {
        frame: visit.frame.clone(),
        shell: administrator.shell.clone(),
        rows: all.iter().map(row).collect(),
    };
    Ok(administrator.answer(StatusCode::OK, &shown))
}

/// Demands that whoever changes owners has confirmed that it is they, before a form asks for anything.
fn demand(visit: &Visit, administrator: &Administrator, page: &str) -> Result<(), Detour> {
    let demanded = administrator.actor.demand_instance(true);
    demanded.map_err(|fault| visit.detour(fault.into(), page))
}

/// Asks for the address of another owner.
pub(super) async fn get_new(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Owners, NEW).await?;
    demand(&visit, &administrator, NEW)?;
    let asked = NewOwner {
        frame: visit.frame.clone(),
        shell: administrator.shell.clone(),
        email: String::new(),
        trouble: None,
    };
    Ok(administrator.answer(StatusCode::OK, &asked))
}

/// Makes another owner, and shows the link by which they come.
pub(super) async fn post_new(visit: Visit, form: Form) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Owners, NEW).await?;
    let email = form.text("email").trim();
    let mailed = match form.text("mailed") {
        "" => Mailed::No,
        _ => Mailed::Yes,
    };
    let made = instance_owner::create(&visit.product, &administrator.actor, email, mailed).await;
    match made {
        Ok(made) => Ok(show(&visit, &administrator, &made, LinkKind::Invitation, mailed)),
        Err(fault) => {
            let asked = NewOwner {
                frame: visit.frame.clone(),
                shell: administrator.shell.clone(),
                email: email.to_owned(),
                trouble: Some(visit.trouble(fault, NEW)?),
            };
            Ok(administrator.answer(StatusCode::UNPROCESSABLE_ENTITY, &asked))
        }
    }
}

/// Shows a way in, this once.
fn show(
    visit: &Visit,
    administrator: &Administrator,
    made: &WayIn,
    kind: LinkKind,
    mailed: Mailed,
) -> Response {
    let path = format!("{}/link/{}", Realm::Instance.path(), made.link.reveal());
    let shown = WayInPage {
        frame: visit.frame.clone(),
        shell: administrator.shell.clone(),
        address: made.owner.address.clone(),
        url: format!("{}{path}", visit.base),
        expires: moment::minute(made.expires),
        is_back: kind == LinkKind::Recovery,
        is_mailed: mailed == Mailed::Yes,
    };
    administrator.answer(StatusCode::OK, &shown)
}

/// A request about one owner.
struct Asked {
    administrator: Administrator,
    owner: InstanceOwner,
    page: String,
}

impl Asked {
    async fn read(visit: &Visit, path: &RawPathParams, verb: &str) -> Result<Self, Detour> {
        let id = id(path, "owner")?;
        let page = format!("{PAGE}/{id}/{verb}");
        let administrator = visit.administrator(Section::Owners, &page).await?;
        let all = instance_owner::list(&visit.product, &administrator.actor).await?;
        let owner = all.into_iter().find(|owner| owner.id == id);
        let owner = owner.ok_or(Problem::NotFound)?;
        demand(visit, &administrator, &page)?;
        Ok(Self {
            administrator,
            owner,
            page,
        })
    }

    fn confirm(&self, visit: &Visit, question: String, consequences: &[&str], step: &str) -> Confirm {
        Confirm {
            frame: visit.frame.clone(),
            shell: self.administrator.shell.clone(),
            question,
            consequences: consequences.iter().map(|text| (*text).to_owned()).collect(),
            step: step.to_owned(),
            typed: None,
            hidden: Vec::new(),
            action: self.page.clone(),
            back: PAGE.to_owned(),
            trouble: None,
        }
    }

    fn to_recover(&self, visit: &Visit) -> Confirm {
        let question = format!("Let {} back in?", self.owner.address);
        let consequences = [
            "You get a link to hand over, which works once within 24 hours: whoever opens it sets a new password, and the \
             second factor is removed.",
            "All owners are told by mail, and it stands in the audit log of every organization.",
        ];
        self.confirm(visit, question, &consequences, "Make the link")
    }

    fn to_remove(&self, visit: &Visit) -> Confirm {
        let question = format!("Remove the owner {}?", self.owner.address);
        let consequences = [
            "Their sessions, password, second factor and links end at once. What they did stays in the audit log.",
        ];
        self.confirm(visit, question, &consequences, "Remove the owner")
    }

    /// Shows a question again, with why it was not done.
    fn again(&self, visit: &Visit, asked: Confirm, outcome: Outcome<()>) -> Result<Response, Detour> {
        let trouble = match outcome {
            Ok(()) => None,
            Err(fault) => Some(visit.trouble(fault, &self.page)?),
        };
        let status = match trouble {
            Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
            None => StatusCode::OK,
        };
        Ok(self.administrator.answer(status, &Confirm { trouble, ..asked }))
    }
}

/// Asks whether to let an owner back in.
pub(super) async fn get_recover(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let asked = Asked::read(&visit, &path, "recover").await?;
    asked.again(&visit, asked.to_recover(&visit), Ok(()))
}

/// Makes the link by which an owner comes back in, and shows it.
pub(super) async fn post_recover(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let asked = Asked::read(&visit, &path, "recover").await?;
    let actor = &asked.administrator.actor;
    match instance_owner::recover(&visit.product, actor, &asked.owner.address).await {
        Ok(made) => Ok(show(
            &visit,
            &asked.administrator,
            &made,
            LinkKind::Recovery,
            Mailed::No,
        )),
        Err(fault) => asked.again(&visit, asked.to_recover(&visit), Err(fault)),
    }
}

/// Asks whether to remove an owner.
pub(super) async fn get_remove(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let asked = Asked::read(&visit, &path, "remove").await?;
    asked.again(&visit, asked.to_remove(&visit), Ok(()))
}

/// Removes an owner, unless it is the last.
pub(super) async fn post_remove(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let asked = Asked::read(&visit, &path, "remove").await?;
    let actor = &asked.administrator.actor;
    match instance_owner::remove(&visit.product, actor, &asked.owner.address).await {
        Ok(removed) => Ok(visit.done(PAGE, &format!("{} is not an owner any more.", removed.address))),
        Err(fault) => asked.again(&visit, asked.to_remove(&visit), Err(fault)),
    }
}
