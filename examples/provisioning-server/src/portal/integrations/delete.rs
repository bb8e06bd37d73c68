//! The end of the integration.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use super::list;
use crate::actions::integration;
use crate::domain::integration::Attached;
use crate::domain::keyword::Keyword;
use crate::portal::administrator::Administrator;
use crate::portal::confirm::TYPED;
use crate::portal::detour::Detour;
use crate::portal::form::Form;
use crate::portal::frame::Frame;
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// The path of the page.
const PAGE: &str = "integrations/scim/delete";

#[derive(Debug, Template)]
#[template(path = "integrations/delete.html")]
pub(in crate::portal) struct Delete {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) shell: Shell,
    pub(in crate::portal) trouble: Option<String>,
    pub(in crate::portal) people: u64,
    pub(in crate::portal) groups: u64,
    /// The name of the organization, which is typed.
    pub(in crate::portal) name: String,
    pub(in crate::portal) url: &'static str,
    /// The choice that was made for the people.
    pub(in crate::portal) choice: &'static str,
}

/// Asks what becomes of people.
pub(super) async fn get(visit: Visit) -> Result<Response, Detour> {
    let administrator = administrator(&visit).await?;
    show(&visit, &administrator, StatusCode::OK, "disable", None).await
}

async fn administrator(visit: &Visit) -> Result<Administrator, Detour> {
    let administrator = visit.administrator(Section::Integrations, PAGE).await?;
    let demanded = administrator.actor.demand(&integration::DELETE);
    demanded.map_err(|fault| visit.detour(fault.into(), PAGE))?;
    Ok(administrator)
}

async fn show(
    visit: &Visit,
    administrator: &Administrator,
    status: StatusCode,
    choice: &'static str,
    trouble: Option<String>,
) -> Result<Response, Detour> {
    let organization = &visit.organization()?.name;
    let shown = integration::show(&visit.product, &administrator.actor, organization).await?;
    let page = Delete {
        frame: visit.frame.clone(),
        shell: administrator.shell.clone(),
        trouble,
        people: shown.active_people,
        groups: shown.groups,
        name: organization.as_str().to_owned(),
        url: visit.frame.words().url,
        choice,
    };
    Ok(administrator.answer(status, &page))
}

/// Deletes the integration.
pub(super) async fn post(visit: Visit, form: Form) -> Result<Response, Detour> {
    let administrator = administrator(&visit).await?;
    let organization = &visit.organization()?.name;
    let choice = Attached::from_word(form.text("people"));
    let kept = choice.map_or("disable", Attached::word);
    let deleted = integration::delete_typed(
        &visit.product,
        &administrator.actor,
        organization,
        choice,
        form.text(TYPED),
    )
    .await;
    match deleted {
        Ok(_) => Ok(visit.done(list::PAGE, "The SCIM integration was deleted.")),
        Err(fault) => {
            let trouble = visit.trouble(fault, PAGE)?;
            show(
                &visit,
                &administrator,
                StatusCode::UNPROCESSABLE_ENTITY,
                kept,
                Some(trouble),
            )
            .await
        }
    }
}
