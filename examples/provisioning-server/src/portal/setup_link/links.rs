//! The links of an organization: listed, made and taken back.

use askama::Template;
use axum::extract::RawPathParams;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;

use crate::actions::setup_link;
use crate::domain::setup_link::{SetupLink, State};
use crate::portal::confirm::Confirm;
use crate::portal::detour::Detour;
use crate::portal::frame::Frame;
use crate::portal::moment;
use crate::portal::path::id;
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// The paths of the pages.
const PAGE: &str = "integrations/scim/setup-link";
const NEW: &str = "integrations/scim/setup-link/new";

/// A link in the list.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Row {
    pub(in crate::portal) id: String,
    pub(in crate::portal) made: String,
    pub(in crate::portal) fate: String,
    pub(in crate::portal) state: State,
}

#[derive(Debug, Template)]
#[template(path = "setup-link/links.html")]
pub(in crate::portal) struct Links {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) shell: Shell,
    /// The link that was just made, and when it ends.
    pub(in crate::portal) made: Option<(String, String)>,
    pub(in crate::portal) rows: Vec<Row>,
    /// Whether they may make and take back links.
    pub(in crate::portal) may: bool,
}

impl Row {
    fn of(link: &SetupLink, now: Timestamp) -> Self {
        let state = link.state(now);
        let opened = match link.opened {
            Some(at) => format!("Opened on {}.", moment::minute(at)),
            None => "Not opened.".to_owned(),
        };
        let end = match (state, link.ended) {
            (State::Ended, Some(at)) => format!("Ended on {}.", moment::minute(at)),
            (State::Expired, _) => format!("Its time ended on {}.", moment::minute(link.expires)),
            _ => format!("Ends on {}.", moment::minute(link.expires)),
        };
        Self {
            id: link.id.to_string(),
            made: format!("Made on {} by {}", moment::minute(link.created), link.maker.name),
            fate: format!("{opened} {end}"),
            state,
        }
    }

    /// Returns whether it can be taken back.
    pub(in crate::portal) fn is_live(&self) -> bool {
        matches!(self.state, State::New | State::Opened)
    }
}

/// Shows the links.
pub(super) async fn get(visit: Visit) -> Result<Response, Detour> {
    show(&visit, None).await
}

async fn show(visit: &Visit, made: Option<(String, String)>) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Integrations, PAGE).await?;
    let organization = visit.organization()?;
    let all = setup_link::list(&visit.product, &administrator.actor, &organization.name).await?;
    let now = Timestamp::now();
    let shown = Links {
        frame: visit.frame.clone(),
        may: administrator.shell.may(&setup_link::CREATE.permission),
        shell: administrator.shell.clone(),
        made,
        rows: all.iter().map(|link| Row::of(link, now)).collect(),
    };
    Ok(administrator.answer(StatusCode::OK, &shown))
}

/// Asks whether to make a link.
pub(super) async fn get_new(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Integrations, NEW).await?;
    administrator
        .actor
        .demand(&setup_link::CREATE)
        .map_err(|fault| visit.detour(fault.into(), NEW))?;
    let asked = asked(&visit, administrator.shell.clone(), None);
    Ok(administrator.answer(StatusCode::OK, &asked))
}

fn asked(visit: &Visit, shell: Shell, trouble: Option<String>) -> Confirm {
    Confirm {
        frame: visit.frame.clone(),
        shell,
        question: "Share the set-up guide?".to_owned(),
        consequences: vec![
            "Whoever opens the link first sees the guide and the URL of this organization without an account, makes the token, \
             and sees whether the connection works. They see no names, no mappings and no login settings."
                .to_owned(),
            "It is good for 24 hours in that one browser. Making, opening and using it stands in the audit log, and you can take \
             it back at any time."
                .to_owned(),
        ],
        step: "Make the link".to_owned(),
        typed: None,
        hidden: Vec::new(),
        action: NEW.to_owned(),
        back: PAGE.to_owned(),
        trouble,
    }
}

/// Makes a link, and shows it this once.
pub(super) async fn post_new(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Integrations, NEW).await?;
    let organization = visit.organization()?;
    match setup_link::create(&visit.product, &administrator.actor, &organization.name).await {
        Ok(made) => {
            let path = visit.frame.path(&format!("setup/{}", made.secret.reveal()));
            let url = format!("{}{path}", visit.base);
            show(&visit, Some((url, moment::minute(made.link.expires)))).await
        }
        Err(fault) => {
            let trouble = visit.trouble(fault, NEW)?;
            let asked = asked(&visit, administrator.shell.clone(), Some(trouble));
            Ok(administrator.answer(StatusCode::UNPROCESSABLE_ENTITY, &asked))
        }
    }
}

/// Asks whether to take a link back.
pub(super) async fn get_revoke(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let page = format!("{PAGE}/{}/revoke", id(&path, "link")?);
    let administrator = visit.administrator(Section::Integrations, &page).await?;
    administrator.actor.demand(&setup_link::REVOKE)?;
    let asked = Confirm {
        frame: visit.frame.clone(),
        shell: administrator.shell.clone(),
        question: "Take the set-up link back?".to_owned(),
        consequences: vec![
            "Whoever has it sees nothing from the next request on. A token that was made by it stays: revoke it in the settings \
             if you want that, too."
                .to_owned(),
        ],
        step: "Take it back".to_owned(),
        typed: None,
        hidden: Vec::new(),
        action: page,
        back: PAGE.to_owned(),
        trouble: None,
    };
    Ok(administrator.answer(StatusCode::OK, &asked))
}

/// Takes a link back.
pub(super) async fn post_revoke(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let id = id(&path, "link")?;
    let administrator = visit.administrator(Section::Integrations, PAGE).await?;
    let organization = visit.organization()?;
    setup_link::revoke(&visit.product, &administrator.actor, &organization.name, id).await?;
    Ok(visit.done(PAGE, "The link is of no use any more."))
}
