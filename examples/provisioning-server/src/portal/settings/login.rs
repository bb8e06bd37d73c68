//! Login Settings: how people get in, and how long they stay.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use crate::actions::organization::{self, Change};
use crate::actions::saml;
use crate::domain::attempts::LONGEST;
use crate::domain::entry::Whom;
use crate::domain::keyword::Keyword;
use crate::domain::organization::Organization;
use crate::domain::password::CHARACTERS;
use crate::domain::saml::provider::Standing;
use crate::domain::session::{ABSOLUTE, FRESH, IDLE};
use crate::domain::settings::{Changes, FirstLogin, SecondFactor, Settings, Switch};
use crate::portal::administrator::Administrator;
use crate::portal::confirm::{Confirm, TYPED};
use crate::portal::detour::Detour;
use crate::portal::form::Form;
use crate::portal::frame::Frame;
use crate::portal::moment;
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// The path of the page.
pub(super) const LOGIN: &str = "login-settings";

/// The fields of the form.
const SSO: &str = "sso";
const FIRST_LOGIN: &str = "first-login";
const FOR: &str = "for";
const IDP_INITIATED: &str = "idp-initiated-saml";
const SECOND_FACTOR: &str = "second-factor";

/// Sent with a form whose consequences were read.
const CONFIRMED: &str = "confirmed";

/// A way in which new people come.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Way {
    pub(in crate::portal) word: &'static str,
    pub(in crate::portal) title: &'static str,
    pub(in crate::portal) hint: &'static str,
    pub(in crate::portal) is_chosen: bool,
    pub(in crate::portal) can_be_chosen: bool,
}

#[derive(Debug, Template)]
#[template(path = "settings/login.html")]
pub(in crate::portal) struct LoginSettings {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) shell: Shell,
    pub(in crate::portal) trouble: Option<String>,
    /// Whether somebody may change anything here, and whether they have to confirm first that it is they.
    pub(in crate::portal) may_change: bool,
    pub(in crate::portal) is_stale: bool,
    pub(in crate::portal) sign_in_url: String,
    pub(in crate::portal) standing: Standing,
    pub(in crate::portal) sso: Switch,
    pub(in crate::portal) idp_initiated: Switch,
    pub(in crate::portal) second_factor: SecondFactor,
    pub(in crate::portal) ways: Vec<Way>,
    pub(in crate::portal) is_for_all: bool,
}

impl LoginSettings {
    /// Returns whether nothing can be entered now.
    pub(in crate::portal) fn is_locked(&self) -> bool {
        !self.may_change || self.is_stale
    }

    /// Returns whether single sign-on can be switched on or off.
    pub(in crate::portal) fn can_switch(&self) -> bool {
        self.standing == Standing::Tried || self.sso == Switch::On
    }

    /// Returns the state of single sign-on as a badge shows it: its tone, and what it says.
    pub(in crate::portal) fn badge(&self) -> (&'static str, &'static str) {
        match (self.standing, self.sso) {
            (Standing::NotConfigured, _) => ("", "SAML is not configured"),
            (Standing::Untried, _) => ("warn", "Waiting for a trial sign-in"),
            (Standing::Tried, Switch::On) => ("ok", "In force"),
            (Standing::Tried, Switch::Off) => ("", "Off"),
        }
    }

    pub(in crate::portal) fn is_on(&self, switch: &Switch) -> bool {
        *switch == Switch::On
    }

    pub(in crate::portal) fn is_required(&self) -> bool {
        self.second_factor == SecondFactor::Required
    }

    /// Returns what is in force whatever is chosen here.
    pub(in crate::portal) fn always(&self) -> [String; 5] {
        [
            format!(
                "A password has {} characters or more, and is not easy to guess.",
                CHARACTERS.start()
            ),
            format!(
                "Attempts that fail are slowed down, longer each time, up to {}; nobody is locked out for ever.",
                moment::length(LONGEST)
            ),
            format!(
                "Tokens, mappings, SAML and these settings are changed after a confirmation that is at most {} old.",
                moment::length(FRESH)
            ),
            format!(
                "A session ends after {} without use, and after {} in any case.",
                moment::length(IDLE),
                moment::length(ABSOLUTE)
            ),
            "Manual accounts sign in with a password even if the identity provider is away.".to_owned(),
        ]
    }
}

/// Returns the ways in which new people can come.
pub(in crate::portal) fn ways(chosen: FirstLogin, standing: Standing) -> Vec<Way> {
    let way = |way: FirstLogin| {
        let (title, hint) = match way {
            FirstLogin::Saml => (
                "Create a SAML-enabled account",
                "They sign in at the identity provider, and have no password here.",
            ),
            FirstLogin::Invitation => (
                "Send an e-mail invitation",
                "Each new person is mailed one link, once, and sets a password with it.",
            ),
            FirstLogin::PasswordReset => (
                "Nothing is sent",
                "They set their first password by “Forgot password” on the sign-in page.",
            ),
        };
        Way {
            word: way.word(),
            title,
            hint,
            is_chosen: way == chosen,
            can_be_chosen: way != FirstLogin::Saml || way == chosen || standing != Standing::NotConfigured,
        }
    };
    [
        FirstLogin::Saml,
        FirstLogin::Invitation,
        FirstLogin::PasswordReset,
    ]
    .map(way)
    .into()
}

/// The settings that the form asks for.
#[derive(Debug, Clone)]
struct Asked {
    settings: Settings,
    changes: Changes,
    for_all: bool,
}

impl Asked {
    /// Reads a form; whatever it does not say stays as it is.
    fn read(form: &Form, before: &Settings) -> Self {
        let switch = |name| match form.text(name) {
            "on" => Switch::On,
            _ => Switch::Off,
        };
        let changes = Changes {
            sso: Some(switch(SSO)),
            idp_initiated_saml: Some(switch(IDP_INITIATED)),
            first_login: FirstLogin::from_word(form.text(FIRST_LOGIN)),
            second_factor: SecondFactor::from_word(form.text(SECOND_FACTOR)),
            ..Changes::default()
        };
        Self {
            settings: changes.apply(before),
            changes,
            for_all: form.text(FOR) == Whom::All.word(),
        }
    }

    /// Returns the fields that say the same once more.
    fn hidden(&self) -> Vec<(&'static str, String)> {
        let whom = if self.for_all { Whom::All } else { Whom::New };
        vec![
            (SSO, self.settings.sso.word().to_owned()),
            (IDP_INITIATED, self.settings.idp_initiated_saml.word().to_owned()),
            (FIRST_LOGIN, self.settings.first_login.word().to_owned()),
            (SECOND_FACTOR, self.settings.second_factor.word().to_owned()),
            (FOR, whom.word().to_owned()),
            (CONFIRMED, "yes".to_owned()),
        ]
    }
}

/// Shows the settings.
pub(in crate::portal) async fn get(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Login, LOGIN).await?;
    show(&visit, &administrator, StatusCode::OK, None, None).await
}

async fn show(
    visit: &Visit,
    administrator: &Administrator,
    status: StatusCode,
    asked: Option<&Asked>,
    trouble: Option<String>,
) -> Result<Response, Detour> {
    let name = &visit.organization()?.name;
    let shown = saml::show(&visit.product, &administrator.actor, name).await?;
    let standing = shown.standing();
    let settings = asked.map_or(&shown.organization.settings, |asked| &asked.settings);
    let shell = administrator.shell.clone();
    let answer = LoginSettings {
        frame: visit.frame.clone(),
        trouble,
        may_change: shell.may(&organization::SET_LOGIN.permission),
        is_stale: administrator.actor.demand_fresh().is_err(),
        sign_in_url: format!("{}{}", visit.base, visit.frame.path("sign-in")),
        standing,
        sso: settings.sso,
        idp_initiated: settings.idp_initiated_saml,
        second_factor: settings.second_factor,
        ways: ways(settings.first_login, standing),
        is_for_all: asked.is_some_and(|asked| asked.for_all),
        shell,
    };
    Ok(administrator.answer(status, &answer))
}

/// Changes the settings; what people feel is asked about first.
pub(in crate::portal) async fn post(visit: Visit, form: Form) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Login, LOGIN).await?;
    let (product, actor) = (&visit.product, &administrator.actor);
    let before = visit.organization()?;
    let asked = Asked::read(&form, &before.settings);
    let change = Change {
        settings: asked.changes.clone(),
        for_all: asked.for_all,
        typed: Some(form.text(TYPED).trim().to_owned()).filter(|typed| !typed.is_empty()),
        ..Change::default()
    };
    if asked.settings == before.settings && !asked.for_all {
        return Ok(visit.done(LOGIN, "Nothing was changed."));
    }
    let refuse = |fault| visit.trouble(fault, LOGIN);
    // Whoever may not is told so before they read about consequences.
    actor
        .demand(&organization::SET_LOGIN)
        .or_else(|fault| refuse(fault).map(drop))?;
    let preview = match organization::preview(product, actor, &before.name, change.clone()).await {
        Ok(preview) => preview,
        Err(fault) => {
            let trouble = refuse(fault)?;
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return show(&visit, &administrator, status, Some(&asked), Some(trouble)).await;
        }
    };
    let consequences = &preview.consequences;
    let is_felt = !consequences.typed.is_empty() || asked.for_all;
    if is_felt && form.text(CONFIRMED).is_empty() {
        return Ok(ask(&visit, &administrator, &asked, &preview, None));
    }
    match organization::set(product, actor, &before.name, change, |_| {}).await {
        Ok(_) => Ok(visit.done(LOGIN, "Login settings were saved.")),
        Err(fault) if is_felt => {
            let trouble = refuse(fault)?;
            Ok(ask(&visit, &administrator, &asked, &preview, Some(trouble)))
        }
        Err(fault) => {
            let trouble = refuse(fault)?;
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            show(&visit, &administrator, status, Some(&asked), Some(trouble)).await
        }
    }
}

fn ask(
    visit: &Visit,
    administrator: &Administrator,
    asked: &Asked,
    preview: &organization::Preview,
    trouble: Option<String>,
) -> Response {
    let status = match trouble {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let Organization { name, .. } = &preview.after;
    let consequences = &preview.consequences;
    let told = consequences.told.iter().map(|told| (*told).to_owned());
    let mut all: Vec<String> = consequences.typed.iter().cloned().chain(told).collect();
    if all.is_empty() {
        all.push("Everybody whom the identity provider has sent comes in this way already.".to_owned());
    }
    let confirm = Confirm {
        frame: visit.frame.clone(),
        shell: administrator.shell.clone(),
        question: "Change how people sign in?".to_owned(),
        consequences: all,
        step: "Change how people sign in".to_owned(),
        typed: (!consequences.typed.is_empty()).then(|| name.to_string()),
        hidden: asked.hidden(),
        action: LOGIN.to_owned(),
        back: LOGIN.to_owned(),
        trouble,
    };
    administrator.answer(status, &confirm)
}
