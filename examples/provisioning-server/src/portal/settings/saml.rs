//! The SAML integration: the panel of the identity provider for single sign-on.

use askama::Template;
use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;

use crate::actions::saml::{self, Changes, Shown, Source};
use crate::domain::counted::counted;
use crate::domain::fault::Result as Outcome;
use crate::domain::keyword::Keyword;
use crate::domain::realm::Realm;
use crate::domain::saml::assertion::Signed;
use crate::domain::saml::metadata::METADATA_MAX;
use crate::domain::saml::provider::{Former, Provider, Standing, Trusted, stable_id_attribute};
use crate::domain::settings::Switch;
use crate::portal::administrator::Administrator;
use crate::portal::confirm::{Confirm, TYPED};
use crate::portal::detour::Detour;
use crate::portal::form::Form;
use crate::portal::frame::Frame;
use crate::portal::integrations::list::List;
use crate::portal::integrations::panel;
use crate::portal::moment;
use crate::portal::shell::{Section, Shell};
use crate::portal::single_sign_on::trial_path;
use crate::portal::visit::Visit;

/// The path of the page, and of the one that asks before a deletion.
pub(super) const SAML: &str = "integrations/saml";
const DELETE: &str = "integrations/saml/delete";

/// The fields of the form.
const SOURCE: &str = "source";
const URL: &str = "metadata-url";
const TEXT: &str = "metadata";
const FILE: &str = "metadata-file";
const SIGNED: &str = "signed";
const STABLE_ID: &str = "stable-id-attribute";
const END: &str = "end-former";

/// How many bytes the form may have: metadata, with characters that are escaped.
const FORM_MAX: usize = 3 * METADATA_MAX;

/// A certificate of the provider.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Certificate {
    pub(in crate::portal) fingerprint: String,
    pub(in crate::portal) expires: String,
    /// The tone and the words of its state.
    pub(in crate::portal) state: (&'static str, String),
}

impl Certificate {
    fn of(trusted: &Trusted, now: Timestamp) -> Self {
        Self {
            fingerprint: trusted.certificate.fingerprint().to_string(),
            expires: moment::day(trusted.certificate.expires),
            state: match trusted.until {
                Some(until) if now < until => ("warn", format!("Accepted until {}", moment::day(until))),
                Some(_) => ("", "Ended".to_owned()),
                None if trusted.certificate.expires < now => ("warn", "Accepted, though expired".to_owned()),
                None => ("ok", "Accepted".to_owned()),
            },
        }
    }
}

/// The facts that are known of the provider.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Known {
    pub(in crate::portal) entity_id: String,
    pub(in crate::portal) sso_url: String,
    /// When its metadata were read from their URL.
    pub(in crate::portal) read: Option<String>,
    pub(in crate::portal) tried: Option<String>,
    pub(in crate::portal) certificates: Vec<Certificate>,
}

impl Known {
    fn of(provider: &Provider, now: Timestamp) -> Self {
        Self {
            entity_id: provider.entity_id.clone(),
            sso_url: provider.sso_url.clone(),
            read: provider.read.map(moment::minute),
            tried: provider.tried.map(moment::minute),
            certificates: provider
                .certificates
                .iter()
                .map(|trusted| Certificate::of(trusted, now))
                .collect(),
        }
    }
}

/// The values that were typed, or are in force.
#[derive(Debug, Clone, Default)]
pub(in crate::portal) struct Typed {
    pub(in crate::portal) is_file: bool,
    pub(in crate::portal) url: String,
    pub(in crate::portal) text: String,
    /// The text of the file that was chosen, which no page shows again.
    pub(in crate::portal) file: String,
    pub(in crate::portal) is_response_alone: bool,
    pub(in crate::portal) stable_id_attribute: String,
}

impl Typed {
    fn of(provider: Option<&Provider>) -> Self {
        let Some(provider) = provider else {
            return Self::default();
        };
        Self {
            is_file: provider.metadata_url.is_none(),
            url: provider.metadata_url.clone().unwrap_or_default(),
            text: String::new(),
            file: String::new(),
            is_response_alone: provider.signed == Signed::Response,
            stable_id_attribute: provider.stable_id_attribute.clone().unwrap_or_default(),
        }
    }

    fn read(form: &Form) -> Self {
        let file = form.text(FILE).trim().to_owned();
        Self {
            // Nobody chooses a file in vain.
            is_file: form.text(SOURCE) == "file" || !file.is_empty(),
            url: form.text(URL).trim().to_owned(),
            text: form.text(TEXT).trim().to_owned(),
            file,
            is_response_alone: form.text(SIGNED) == Signed::Response.word(),
            stable_id_attribute: form.text(STABLE_ID).to_owned(),
        }
    }

    /// Returns what is to be other than with this provider.
    fn changes(&self, before: Option<&Provider>, ends_former: bool) -> Outcome<Changes> {
        let url = before.and_then(|before| before.metadata_url.as_deref());
        let metadata = match self.is_file {
            true => [&self.file, &self.text]
                .into_iter()
                .find(|text| !text.is_empty())
                .map(|text| Source::Text(text.clone())),
            false => Some(&self.url)
                .filter(|typed| !typed.is_empty() && url != Some(typed.as_str()))
                .map(|typed| Source::Url(typed.clone())),
        };
        let signed = match self.is_response_alone {
            true => Signed::Response,
            false => Signed::Assertion,
        };
        Ok(Changes {
            metadata,
            signed: Some(signed),
            stable_id_attribute: Some(stable_id_attribute(&self.stable_id_attribute)?),
            ends_former,
        })
    }
}

#[derive(Debug, Template)]
#[template(path = "settings/saml.html")]
pub(in crate::portal) struct Saml {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) shell: Shell,
    /// The list that the panel covers.
    pub(in crate::portal) list: List,
    pub(in crate::portal) trouble: Option<String>,
    /// The path of a link that tries a sign-in, which has just been made.
    pub(in crate::portal) trial: Option<String>,
    pub(in crate::portal) may_change: bool,
    pub(in crate::portal) is_stale: bool,
    pub(in crate::portal) acs_url: String,
    pub(in crate::portal) entity_id: String,
    /// The path of our own metadata.
    pub(in crate::portal) metadata: String,
    pub(in crate::portal) standing: Standing,
    pub(in crate::portal) is_allowed: bool,
    pub(in crate::portal) known: Option<Known>,
    pub(in crate::portal) typed: Typed,
}

impl Saml {
    /// Returns whether nothing can be entered now.
    pub(in crate::portal) fn is_locked(&self) -> bool {
        !self.may_change || self.is_stale
    }

    /// Returns the state as a badge shows it: its tone, and what it says.
    pub(in crate::portal) fn badge(&self) -> (&'static str, &'static str) {
        match (self.standing, self.is_allowed) {
            (Standing::NotConfigured, _) => ("", "Not configured"),
            (Standing::Untried, _) => ("warn", "Waiting for a trial sign-in"),
            (Standing::Tried, true) => ("ok", "People sign in through it"),
            (Standing::Tried, false) => ("info", "Configured, not allowed yet"),
        }
    }

    /// Returns the title of the panel.
    pub(in crate::portal) fn title(&self) -> &'static str {
        match self.known {
            Some(_) => "Edit SAML Integration",
            None => "Create SAML Integration",
        }
    }
}

/// Shows the panel.
pub(in crate::portal) async fn get(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Integrations, SAML).await?;
    show(&visit, &administrator, Said::default()).await
}

/// The things that the panel says beside what is in force.
#[derive(Debug, Default)]
struct Said {
    status: StatusCode,
    typed: Option<Typed>,
    trouble: Option<String>,
    trial: Option<String>,
}

impl Said {
    /// Says why something was not done.
    fn trouble(status: StatusCode, trouble: String) -> Self {
        Self {
            status,
            trouble: Some(trouble),
            ..Self::default()
        }
    }
}

async fn show(visit: &Visit, administrator: &Administrator, said: Said) -> Result<Response, Detour> {
    let name = &visit.organization()?.name;
    let shown = saml::show(&visit.product, &administrator.actor, name).await?;
    let entity_id = visit.base.saml_entity_id(shown.organization.id);
    let mut shell = administrator.shell.clone();
    shell.is_behind_panel = true;
    let panel = Saml {
        frame: visit.frame.clone(),
        list: panel::behind(visit, administrator).await?,
        trouble: said.trouble,
        trial: said.trial,
        may_change: shell.may(&saml::SET.permission),
        is_stale: administrator.actor.demand_fresh().is_err(),
        acs_url: visit.base.saml_acs(name),
        metadata: format!("/saml/{}", shown.organization.id),
        entity_id,
        standing: shown.standing(),
        is_allowed: shown.organization.settings.sso == Switch::On,
        known: shown
            .provider
            .as_ref()
            .map(|provider| Known::of(provider, Timestamp::now())),
        typed: said.typed.unwrap_or_else(|| Typed::of(shown.provider.as_ref())),
        shell,
    };
    Ok(administrator.answer(said.status, &panel))
}

/// Saves what is known of the provider, and what is accepted of it.
pub(in crate::portal) async fn post(visit: Visit, request: Request) -> Result<Response, Detour> {
    let form = Form::read_with_files(request, FORM_MAX).await?;
    let administrator = visit.administrator(Section::Integrations, SAML).await?;
    let (product, actor) = (&visit.product, &administrator.actor);
    let name = &visit.organization()?.name;
    let typed = Typed::read(&form);
    let before = saml::show(product, actor, name).await?;
    let changes = typed.changes(before.provider.as_ref(), !form.text(END).is_empty());
    let saved = match changes {
        Ok(changes) => saml::set(product, &visit.fetcher, actor, name, changes).await,
        Err(fault) => Err(fault),
    };
    match saved {
        Ok(shown) => Ok(visit.done(SAML, saved_sentence(&shown))),
        Err(fault) => {
            let trouble = visit.trouble(fault, SAML)?;
            let said = Said {
                typed: Some(typed),
                ..Said::trouble(StatusCode::UNPROCESSABLE_ENTITY, trouble)
            };
            show(&visit, &administrator, said).await
        }
    }
}

fn saved_sentence(shown: &Shown) -> &'static str {
    match shown.standing() {
        Standing::Tried => "The SAML integration was saved.",
        _ => {
            "The SAML integration was saved. Test the sign-in next: it can be allowed once that has succeeded."
        }
    }
}

/// Reads the metadata again.
pub(in crate::portal) async fn post_refresh(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Integrations, SAML).await?;
    let name = &visit.organization()?.name;
    let refreshed = saml::refresh(
        &visit.product,
        &visit.fetcher,
        &administrator.actor,
        name,
        Former::Overlap,
    )
    .await;
    match refreshed {
        Ok(_) => Ok(visit.done(SAML, "The metadata were read again.")),
        Err(fault) => {
            let trouble = visit.trouble(fault, SAML)?;
            show(
                &visit,
                &administrator,
                Said::trouble(StatusCode::CONFLICT, trouble),
            )
            .await
        }
    }
}

/// Makes a link that tries a sign-in and signs nobody in. It is followed as a link: no form of a page leads to another
/// site.
pub(in crate::portal) async fn post_trial(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Integrations, SAML).await?;
    let name = &visit.organization()?.name;
    match saml::try_out(&visit.product, &administrator.actor, name).await {
        Ok((organization, link)) => {
            let realm = Realm::Organization(Box::new(organization));
            let said = Said {
                trial: Some(trial_path(&realm, &link)),
                ..Said::default()
            };
            show(&visit, &administrator, said).await
        }
        Err(fault) => {
            let trouble = visit.trouble(fault, SAML)?;
            show(
                &visit,
                &administrator,
                Said::trouble(StatusCode::CONFLICT, trouble),
            )
            .await
        }
    }
}

/// Asks before the provider is removed.
pub(in crate::portal) async fn get_delete(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Integrations, DELETE).await?;
    let demanded = administrator.actor.demand(&saml::DELETE);
    demanded.map_err(|fault| visit.detour(fault.into(), DELETE))?;
    ask(&visit, &administrator, None).await
}

async fn ask(
    visit: &Visit,
    administrator: &Administrator,
    trouble: Option<String>,
) -> Result<Response, Detour> {
    let name = &visit.organization()?.name;
    let alone = saml::count_alone(&visit.product, &administrator.actor, name).await?;
    let status = match trouble {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let lost = match alone {
        0 => "Nobody signs in through it alone: people with a password go on with that.".to_owned(),
        alone => format!(
            "{} through it alone, and cannot any more until they have a password.",
            counted(alone, "person signs in", "people sign in")
        ),
    };
    let confirm = Confirm {
        frame: visit.frame.clone(),
        shell: administrator.shell.clone(),
        question: "Delete the SAML integration?".to_owned(),
        consequences: vec![
            lost,
            "What people are and may do here is kept. To come back, enter the metadata of the identity provider again."
                .to_owned(),
        ],
        step: "Delete integration".to_owned(),
        typed: (alone > 0).then(|| name.to_string()),
        hidden: Vec::new(),
        action: DELETE.to_owned(),
        back: SAML.to_owned(),
        trouble,
    };
    Ok(administrator.answer(status, &confirm))
}

/// Removes the provider.
pub(in crate::portal) async fn post_delete(visit: Visit, form: Form) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Integrations, DELETE).await?;
    let typed = Some(form.text(TYPED).trim().to_owned()).filter(|typed| !typed.is_empty());
    let name = &visit.organization()?.name;
    match saml::delete(&visit.product, &administrator.actor, name, typed).await {
        Ok(_) => Ok(visit.done(SAML, "The SAML integration was deleted.")),
        Err(fault) => {
            let trouble = visit.trouble(fault, DELETE)?;
            ask(&visit, &administrator, Some(trouble)).await
        }
    }
}
