//! Tokens of the provider: made, rotated and taken back, each after its consequence was named.

use axum::extract::RawPathParams;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use uuid::Uuid;

use super::panel::SETTINGS;
use super::settings::{self, EXPIRIES, Entered};
use crate::actions::token::{self, New};
use crate::domain::actor::Action;
use crate::domain::fault::Fault;
use crate::domain::guide;
use crate::domain::settings::IdentityProvider;
use crate::domain::token::{Issue, Purpose, Token};
use crate::portal::administrator::Administrator;
use crate::portal::confirm::Confirm;
use crate::portal::detour::Detour;
use crate::portal::form::Form;
use crate::portal::problem::Problem;
use crate::portal::shell::Section;
use crate::portal::visit::Visit;

/// A step with tokens that is asked for by a page of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Generate,
    Overlap,
    Complete,
    Cancel,
}

impl Step {
    fn read(word: &str) -> Result<Self, Problem> {
        match word {
            "generate" => Ok(Self::Generate),
            "overlap" => Ok(Self::Overlap),
            "complete" => Ok(Self::Complete),
            "cancel" => Ok(Self::Cancel),
            _ => Err(Problem::NotFound),
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Overlap => "overlap",
            Self::Complete => "complete",
            Self::Cancel => "cancel",
        }
    }

    fn action(self) -> &'static Action {
        match self {
            Self::Generate => &token::CREATE,
            Self::Overlap => &token::ROTATE,
            Self::Complete => &token::COMPLETE,
            Self::Cancel => &token::CANCEL,
        }
    }
}

/// Whoever asks, and the live tokens, the newest last.
struct Asked {
    administrator: Administrator,
    idp: IdentityProvider,
    live: Vec<Token>,
}

async fn asked(visit: &Visit, page: &str, action: &Action) -> Result<Asked, Detour> {
    let administrator = visit.administrator(Section::Integrations, page).await?;
    let demanded = administrator.actor.demand(action);
    demanded.map_err(|fault| visit.detour(fault.into(), page))?;
    let organization = visit.organization()?;
    let now = Timestamp::now();
    let mut live = token::list(&visit.product, &administrator.actor, &organization.name).await?;
    live.retain(|token| token.purpose == Purpose::Scim && token.is_live(now));
    live.sort_by_key(|token| (token.created, token.id));
    Ok(Asked {
        administrator,
        idp: organization.settings.idp,
        live,
    })
}

/// Asks before a step.
pub(super) async fn get(visit: Visit, params: RawPathParams) -> Result<Response, Detour> {
    let step = Step::read(param(&params, "token"))?;
    let page = format!("{SETTINGS}/token/{}", step.word());
    let asked = asked(&visit, &page, step.action()).await?;
    let Some(newest) = asked.live.last() else {
        return Ok(visit.done(SETTINGS, "There is no token any more."));
    };
    let confirm = confirm(&visit, &asked, step, newest);
    Ok(asked.administrator.answer(StatusCode::OK, &confirm))
}

fn confirm(visit: &Visit, asked: &Asked, step: Step, newest: &Token) -> Confirm {
    let words = visit.frame.words();
    let called = guide::called(asked.idp);
    let last_fours = |tokens: &[Token]| {
        let names: Vec<_> = tokens.iter().map(|token| token.last_four.as_str()).collect();
        names.join(" and ")
    };
    let ending = last_fours(&asked.live);
    let older: Vec<_> = asked
        .live
        .iter()
        .filter(|token| token.id != newest.id)
        .cloned()
        .collect();
    let old = last_fours(&older);
    let (question, consequences, button) = match step {
        Step::Generate => (
            format!("Make a new {}?", words.token),
            vec![
                format!(
                    "The {} ending {ending} stops working at once. Until you enter the new one at {called}, nothing is \
                     provisioned and the connection test fails.",
                    words.token
                ),
                "To change without an interruption, cancel and choose “Rotate with overlap”.".to_owned(),
            ],
            format!("{} and revoke {ending}", words.again),
        ),
        Step::Overlap => (
            format!("Rotate the {} with an overlap?", words.token),
            vec![format!(
                "A new {} is made and shown once. The one ending {ending} goes on working until you complete the rotation; \
                 cancelling the rotation ends the new one.",
                words.token
            )],
            "Make the new one".to_owned(),
        ),
        Step::Complete => (
            "Complete the rotation?".to_owned(),
            vec![match newest.last_used {
                Some(_) => format!(
                    "The new {} ending {} is in use. The old one ending {old} stops working at once.",
                    words.token, newest.last_four
                ),
                None => format!(
                    "The new {} ending {} has not been used yet. If you complete now, nothing comes from {called} until \
                     you enter it there.",
                    words.token, newest.last_four
                ),
            }],
            format!("Revoke {old} now"),
        ),
        Step::Cancel => (
            "Cancel the rotation?".to_owned(),
            vec![format!(
                "The new {} ending {} stops working at once. The one ending {old} goes on working.",
                words.token, newest.last_four
            )],
            format!("Revoke {} now", newest.last_four),
        ),
    };
    Confirm {
        frame: visit.frame.clone(),
        shell: asked.administrator.shell.clone(),
        question,
        consequences,
        step: button,
        typed: None,
        hidden: vec![("how", step.word().to_owned()), ("newest", newest.id.to_string())],
        action: format!("{SETTINGS}/token"),
        back: SETTINGS.to_owned(),
        trouble: None,
    }
}

/// Takes a step. A token that it makes is shown in the answer, once.
pub(super) async fn post(visit: Visit, form: Form) -> Result<Response, Detour> {
    let step = Step::read(form.text("how"))?;
    let administrator = visit.administrator(Section::Integrations, SETTINGS).await?;
    let organization = &visit.organization()?.name;
    let (product, actor) = (&visit.product, &administrator.actor);
    let newest = Uuid::try_parse(form.text("newest")).ok();
    let how = match step {
        Step::Generate => Issue::Create,
        Step::Overlap => Issue::Overlap,
        Step::Complete => {
            let ended = token::complete(product, actor, organization, Purpose::Scim).await;
            return done(&visit, ended.map(drop), "The rotation was completed.");
        }
        Step::Cancel => {
            let ended = token::cancel(product, actor, organization, Purpose::Scim).await;
            return done(&visit, ended.map(drop), "The rotation was cancelled.");
        }
    };
    let days = EXPIRIES.iter().find(|(value, _)| *value == form.text("days"));
    let new = New {
        purpose: Purpose::Scim,
        how,
        days: days.and_then(|(value, _)| value.parse().ok()),
    };
    match token::issue_behind(product, actor, organization, new, newest).await {
        Ok(issued) => settings::show(&visit, StatusCode::OK, Entered::made(issued.secret)).await,
        Err(fault) => refused(&visit, fault).await,
    }
}

fn done(visit: &Visit, outcome: Result<(), Fault>, sentence: &str) -> Result<Response, Detour> {
    match outcome {
        Ok(()) => Ok(visit.done(SETTINGS, sentence)),
        Err(fault) => Err(visit.detour(fault.into(), SETTINGS)),
    }
}

async fn refused(visit: &Visit, fault: Fault) -> Result<Response, Detour> {
    let trouble = visit.trouble(fault, SETTINGS)?;
    settings::show(visit, StatusCode::UNPROCESSABLE_ENTITY, Entered::refused(trouble)).await
}

/// Finds the live token that a path names.
fn named(asked: &Asked, params: &RawPathParams) -> Result<Token, Problem> {
    let id = Uuid::try_parse(param(params, "token")).map_err(|_| Problem::NotFound)?;
    let found = asked.live.iter().find(|token| token.id == id);
    found.cloned().ok_or(Problem::NotFound)
}

fn param<'a>(params: &'a RawPathParams, name: &str) -> &'a str {
    let found = params.iter().find(|(found, _)| *found == name);
    found.map_or("", |(_, value)| value)
}

/// Asks before a token is taken back.
pub(super) async fn get_revoke(visit: Visit, params: RawPathParams) -> Result<Response, Detour> {
    let page = format!("{SETTINGS}/token/{}/revoke", param(&params, "token"));
    let asked = asked(&visit, &page, &token::REVOKE).await?;
    let token = named(&asked, &params)?;
    let words = visit.frame.words();
    let consequence = match asked.live.len() {
        1 => format!(
            "It stops working at once, and no other is left: nothing is provisioned until you make another {}.",
            words.token
        ),
        _ => "It stops working at once. The other one goes on working.".to_owned(),
    };
    let confirm = Confirm {
        frame: visit.frame.clone(),
        shell: asked.administrator.shell.clone(),
        question: format!("Revoke the {} ending {}?", words.token, token.last_four),
        consequences: vec![consequence],
        step: format!("Revoke {}", token.last_four),
        typed: None,
        hidden: Vec::new(),
        action: page,
        back: SETTINGS.to_owned(),
        trouble: None,
    };
    Ok(asked.administrator.answer(StatusCode::OK, &confirm))
}

/// Takes a token back.
pub(super) async fn post_revoke(visit: Visit, params: RawPathParams) -> Result<Response, Detour> {
    let asked = asked(&visit, SETTINGS, &token::REVOKE).await?;
    let token = named(&asked, &params)?;
    let organization = &visit.organization()?.name;
    let ended = token::revoke(
        &visit.product,
        &asked.administrator.actor,
        organization,
        Some(token.id),
    )
    .await;
    let sentence = format!("The token ending {} was revoked.", token.last_four);
    done(&visit, ended.map(drop), &sentence)
}

/// Asks before it is said of a token that it was not revoked since a backup was taken.
pub(super) async fn get_keep(visit: Visit, params: RawPathParams) -> Result<Response, Detour> {
    let page = format!("{SETTINGS}/token/{}/keep", param(&params, "token"));
    let asked = asked(&visit, &page, &token::CONFIRM).await?;
    let token = named(&asked, &params)?;
    let confirm = Confirm {
        frame: visit.frame.clone(),
        shell: asked.administrator.shell.clone(),
        question: format!("Keep the token ending {}?", token.last_four),
        consequences: vec![
            "A backup was restored that has it. If it was revoked after the backup was taken, whoever holds it gets in \
             again."
                .to_owned(),
        ],
        step: "It was not revoked".to_owned(),
        typed: None,
        hidden: Vec::new(),
        action: page,
        back: SETTINGS.to_owned(),
        trouble: None,
    };
    Ok(asked.administrator.answer(StatusCode::OK, &confirm))
}

/// Says of a token that it was not revoked since a backup was taken.
pub(super) async fn post_keep(visit: Visit, params: RawPathParams) -> Result<Response, Detour> {
    let asked = asked(&visit, SETTINGS, &token::CONFIRM).await?;
    let token = named(&asked, &params)?;
    let organization = &visit.organization()?.name;
    let kept = token::confirm(
        &visit.product,
        &asked.administrator.actor,
        organization,
        Some(token.id),
    )
    .await;
    let sentence = format!("The token ending {} stays.", token.last_four);
    done(&visit, kept.map(drop), &sentence)
}
