//! The form that makes an organization.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;

use super::organizations;
use crate::actions::organization::{self, Beginning, Draft};
use crate::domain::keyword::Keyword;
use crate::domain::organization::Name;
use crate::domain::settings::{Changes, IdentityProvider, Preset};
use crate::portal::detour::Detour;
use crate::portal::form::Form;
use crate::portal::frame::Frame;
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// The path of the page.
const PAGE: &str = "new-organization";

/// The page of a new organization on which its set-up goes on.
const NEXT: &str = "integrations/scim/wizard";

/// A value of a list, as the form sends it and as people read it.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Choice {
    pub(in crate::portal) word: &'static str,
    pub(in crate::portal) label: &'static str,
    pub(in crate::portal) is_chosen: bool,
}

#[derive(Debug, Template)]
#[template(path = "instance/new-organization.html")]
pub(in crate::portal) struct NewOrganization {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) shell: Shell,
    pub(in crate::portal) trouble: Option<String>,
    pub(in crate::portal) display: String,
    pub(in crate::portal) name: String,
    pub(in crate::portal) providers: Vec<Choice>,
    pub(in crate::portal) presets: Vec<Choice>,
}

impl NewOrganization {
    /// Makes the form with what was typed.
    pub(in crate::portal) fn with(frame: Frame, shell: Shell, form: &Form, trouble: Option<String>) -> Self {
        let provider = IdentityProvider::from_word(form.text("idp"));
        let preset = Preset::from_word(form.text("like"));
        let providers = IdentityProvider::ALL.iter().map(|idp| Choice {
            word: idp.word(),
            label: match idp {
                IdentityProvider::Other => "I decide later, or another one",
                known => known.display(),
            },
            is_chosen: provider.unwrap_or(IdentityProvider::Other) == *idp,
        });
        let usual = Choice {
            word: "",
            label: "The usual: groups map to roles, invitations, all attributes kept",
            is_chosen: preset.is_none(),
        };
        let products = Preset::ALL.iter().map(|product| Choice {
            word: product.word(),
            label: described(*product),
            is_chosen: preset == Some(*product),
        });
        Self {
            frame,
            shell,
            trouble,
            display: form.text("display").to_owned(),
            name: form.text("name").to_owned(),
            providers: providers.collect(),
            presets: [usual].into_iter().chain(products).collect(),
        }
    }
}

const fn described(preset: Preset) -> &'static str {
    match preset {
        Preset::ThreatLocker => "ThreatLocker: groups map to roles, invitations, names alone kept",
        Preset::LevelAccess => "Level Access: local groups, SAML",
        Preset::ThirdPlatform => "Third platform: groups become roles",
    }
}

/// Asks for the organization.
pub(super) async fn get(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Organizations, PAGE).await?;
    administrator
        .actor
        .demand(&organization::CREATE)
        .map_err(|fault| visit.detour(fault.into(), PAGE))?;
    let shell = administrator.shell.clone();
    let asked = NewOrganization::with(visit.frame.clone(), shell, &Form::parse(b""), None);
    Ok(administrator.answer(StatusCode::OK, &asked))
}

/// Makes the organization, and leads to its pages.
pub(super) async fn post(visit: Visit, form: Form) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Organizations, PAGE).await?;
    let made = match draft(&form) {
        Ok(draft) => {
            let name = draft.name.clone();
            let made = organization::create(&visit.product, &administrator.actor, draft).await;
            made.map(|_| name)
        }
        Err(fault) => Err(fault),
    };
    match made {
        Ok(name) => {
            let mut answer = Redirect::to(&format!("/o/{name}/{NEXT}")).into_response();
            visit.say(
                answer.headers_mut(),
                "The organization was made. Next, connect its identity provider.",
            );
            Ok(answer)
        }
        Err(fault) => {
            let trouble = visit.trouble(fault, PAGE)?;
            let shell = administrator.shell.clone();
            let asked = NewOrganization::with(visit.frame.clone(), shell, &form, Some(trouble));
            Ok(administrator.answer(StatusCode::UNPROCESSABLE_ENTITY, &asked))
        }
    }
}

/// Reads the form. Without a name in URLs, it follows from what people call the organization.
fn draft(form: &Form) -> crate::domain::fault::Result<Draft> {
    let display = form.text("display").trim();
    let name = match form.text("name").trim() {
        "" => Name::suggested(display).map_or_else(|| Name::parse(display), Ok)?,
        typed => Name::parse(typed)?,
    };
    let like = Preset::from_word(form.text("like"));
    Ok(Draft {
        name,
        display: Some(display.to_owned()).filter(|text| !text.is_empty()),
        settings: Changes {
            like,
            idp: IdentityProvider::from_word(form.text("idp")),
            ..Changes::default()
        },
        beginning: Beginning::Absent,
    })
}

/// The list, to which the form leads back.
pub(in crate::portal) const BACK: &str = organizations::PAGE;
