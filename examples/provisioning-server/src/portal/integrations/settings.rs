//! The tab SCIM Settings.

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use super::fields::{Control, Fields};
use super::list::List;
use super::panel::{self, Opened, Panel, SETTINGS, Tab};
use crate::actions::organization::{self, Change};
use crate::actions::{integration, saml, token};
use crate::domain::clock::later;
use crate::domain::fault::{Fault, Kind};
use crate::domain::guide;
use crate::domain::permission::Permission;
use crate::domain::saml::provider::Standing;
use crate::domain::secret::Secret;
use crate::domain::settings::{Changes, SetUp};
use crate::domain::token::{Purpose, State, Token, newest_live};
use crate::portal::confirm::{Confirm, TYPED};
use crate::portal::detour::Detour;
use crate::portal::form::Form;
use crate::portal::frame::Frame;
use crate::portal::moment;
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// After how many days a token can expire, in words.
pub(super) const EXPIRIES: [(&str, &str); 4] = [
    ("", "Never"),
    ("90", "In 90 days"),
    ("180", "In 180 days"),
    ("365", "In a year"),
];

/// From how long before its end on a token is said to end soon.
const SOON: SignedDuration = SignedDuration::from_hours(24 * 30);

/// A part of the form, in the order of the set-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::portal) enum Part {
    Url,
    Token,
    Switch,
    Provider,
}

/// How a token is made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::portal) enum Make {
    First,
    Another,
    /// The first save does.
    BySaving,
    /// Once the integration is activated.
    AfterActivation,
    /// Whoever looks may not.
    Not,
}

/// A token as the page shows it.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Shown {
    pub(in crate::portal) id: String,
    pub(in crate::portal) name: String,
    pub(in crate::portal) tone: &'static str,
    pub(in crate::portal) state: &'static str,
    pub(in crate::portal) is_awaited: bool,
    pub(in crate::portal) is_live: bool,
    pub(in crate::portal) is_newest: bool,
    pub(in crate::portal) created: String,
    pub(in crate::portal) used: String,
    pub(in crate::portal) end: Option<String>,
    pub(in crate::portal) ends_soon: bool,
    pub(in crate::portal) is_doubted: bool,
}

#[derive(Debug, Template)]
#[template(path = "integrations/settings.html")]
pub(in crate::portal) struct Settings {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) shell: Shell,
    pub(in crate::portal) list: List,
    pub(in crate::portal) panel: Panel,
    pub(in crate::portal) trouble: Option<String>,
    /// Whether it was tried to save what asks for a fresh confirmation.
    pub(in crate::portal) asks_first: bool,
    pub(in crate::portal) parts: Vec<Part>,
    pub(in crate::portal) url: String,
    pub(in crate::portal) named: Option<guide::Fields>,
    pub(in crate::portal) called: &'static str,
    pub(in crate::portal) called_within: &'static str,
    pub(in crate::portal) is_on: bool,
    pub(in crate::portal) may_switch: bool,
    /// The token that was made this moment.
    pub(in crate::portal) secret: Option<String>,
    pub(in crate::portal) tokens: Vec<Shown>,
    /// The id of the newest token.
    pub(in crate::portal) newest: String,
    pub(in crate::portal) is_rotating: bool,
    pub(in crate::portal) may_tokens: bool,
    pub(in crate::portal) make: Make,
    pub(in crate::portal) fields: Fields,
    pub(in crate::portal) lacks_saml: bool,
    /// How many active people the integration manages, for whoever may delete it.
    pub(in crate::portal) may_delete: Option<u64>,
}

/// The input, and what came of it.
#[derive(Default)]
pub(super) struct Entered {
    fields: Option<Fields>,
    is_on: Option<bool>,
    trouble: Option<String>,
    asks_first: bool,
    secret: Option<Secret>,
}

impl Entered {
    /// Says why something was not done.
    pub(super) fn refused(trouble: String) -> Self {
        Self {
            trouble: Some(trouble),
            ..Self::default()
        }
    }

    /// Shows a token that was made.
    pub(super) fn made(secret: Secret) -> Self {
        Self {
            secret: Some(secret),
            ..Self::default()
        }
    }
}

/// Shows the settings.
pub(super) async fn get(visit: Visit) -> Result<Response, Detour> {
    show(&visit, StatusCode::OK, Entered::default()).await
}

/// Shows the settings with what was entered.
pub(super) async fn show(visit: &Visit, status: StatusCode, entered: Entered) -> Result<Response, Detour> {
    let opened = panel::open(visit, Tab::Settings, SETTINGS).await?;
    let tokens = tokens(visit, &opened).await?;
    let lacks_saml = lacks_saml(visit, &opened).await?;
    let page = page(visit, &opened, &tokens, lacks_saml, entered);
    Ok(opened.administrator.answer(status, &page))
}

/// Returns the tokens of the provider; none for whoever may not see them.
async fn tokens(visit: &Visit, opened: &Opened) -> Result<Vec<Token>, Detour> {
    if !opened.shell.may(&Permission::TOKENS_READ) {
        return Ok(Vec::new());
    }
    let organization = &opened.shown.organization.name;
    let mut found = token::list(&visit.product, &opened.administrator.actor, organization).await?;
    found.retain(|token| token.purpose == Purpose::Scim && token.revoked.is_none());
    Ok(found)
}

async fn lacks_saml(visit: &Visit, opened: &Opened) -> Result<bool, Detour> {
    if !opened.shell.may(&Permission::LOGIN_READ) {
        return Ok(false);
    }
    let organization = &opened.shown.organization.name;
    let shown = saml::show(&visit.product, &opened.administrator.actor, organization).await?;
    Ok(shown.standing() == Standing::NotConfigured)
}

fn page(visit: &Visit, opened: &Opened, tokens: &[Token], lacks_saml: bool, entered: Entered) -> Settings {
    let (shell, now) = (opened.shell.clone(), opened.now);
    let organization = &opened.shown.organization;
    let settings = &organization.settings;
    let newest = newest_live(tokens, Purpose::Scim, now).map(|token| token.id);
    let is_rotating = tokens.iter().filter(|token| token.is_live(now)).count() > 1;
    let may_tokens = shell.may(&Permission::TOKENS_WRITE) && shell.may(&Permission::TOKENS_READ);
    let may_write = shell.may(&Permission::INTEGRATIONS_WRITE);
    Settings {
        url: visit.base.scim(&organization.name),
        parts: parts(opened),
        named: guide::fields(settings.idp),
        called: guide::called_first(settings.idp),
        called_within: guide::called(settings.idp),
        is_on: entered.is_on.unwrap_or(organization.is_enabled()),
        may_switch: may_write,
        secret: entered.secret.map(|secret| secret.reveal().to_owned()),
        tokens: tokens.iter().map(|token| shown(token, tokens, now)).collect(),
        newest: newest.map(|id| id.to_string()).unwrap_or_default(),
        is_rotating,
        may_tokens,
        make: make(opened, may_tokens),
        fields: entered.fields.unwrap_or_else(|| Fields::of(settings, &shell)),
        lacks_saml,
        may_delete: Some(opened.shown.active_people).filter(|_| may_write && organization.source.is_some()),
        trouble: entered.trouble,
        asks_first: entered.asks_first,
        frame: opened.frame.clone(),
        list: opened.list.clone(),
        panel: opened.panel.clone(),
        shell,
    }
}

/// Returns the parts of the form in the order of the set-up, as far as it has come.
fn parts(opened: &Opened) -> Vec<Part> {
    let order = match opened.shown.organization.settings.set_up {
        SetUp::TokenFirst => [Part::Url, Part::Token, Part::Switch, Part::Provider],
        SetUp::ActivateFirst => [Part::Switch, Part::Url, Part::Token, Part::Provider],
        SetUp::SaveGenerates => [Part::Provider, Part::Url, Part::Token, Part::Switch],
    };
    let has_url = opened.shown.organization.settings.set_up == SetUp::TokenFirst || opened.shown.has_token;
    let is_there = |part: &Part| match part {
        Part::Url => has_url,
        Part::Switch => opened.shown.shows_switch,
        Part::Token => make(opened, true) != Make::AfterActivation,
        Part::Provider => true,
    };
    order.into_iter().filter(is_there).collect()
}

fn make(opened: &Opened, may_tokens: bool) -> Make {
    let shown = &opened.shown;
    match (shown.organization.settings.set_up, &shown.organization.source) {
        (SetUp::SaveGenerates, None) => Make::BySaving,
        (SetUp::ActivateFirst, None) => Make::AfterActivation,
        _ if !may_tokens => Make::Not,
        _ if shown.has_token => Make::Another,
        _ => Make::First,
    }
}

fn shown(token: &Token, all: &[Token], now: Timestamp) -> Shown {
    let (tone, state) = match token.state(all, now) {
        State::Revoked => ("bad", "Revoked"),
        State::Expired => ("bad", "Expired"),
        State::Overlap => ("ok", "Until the rotation is completed"),
        State::Active if token.last_used.is_none() => ("info", "Waiting for first use"),
        State::Active => ("ok", "In use"),
    };
    let is_newest = newest_live(all, Purpose::Scim, now).is_some_and(|newest| newest.id == token.id);
    Shown {
        id: token.id.to_string(),
        name: format!("{}…{}", token.prefix, token.last_four),
        tone,
        state,
        is_awaited: token.is_live(now) && token.last_used.is_none(),
        is_live: token.is_live(now),
        is_newest,
        created: moment::minute(token.created),
        used: match token.last_used {
            Some(at) => format!("Last used {}.", moment::ago(now, at).text),
            None => "Not used yet.".to_owned(),
        },
        end: token.expires.map(|end| match token.is_expired(now) {
            true => format!("Expired on {}.", moment::day(end)),
            false => format!("Expires on {}.", moment::day(end)),
        }),
        ends_soon: token.expires.is_some_and(|end| end <= later(now, SOON)),
        is_doubted: token.doubted.is_some(),
    }
}

/// The field that says that the consequences were shown.
const CONFIRMED: &str = "confirmed";

/// Saves the settings; asks first where that has consequences.
pub(super) async fn post(visit: Visit, form: Form) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Integrations, SETTINGS).await?;
    let actor = &administrator.actor;
    let organization = visit.organization()?;
    let mut fields = Fields::of(&organization.settings, &administrator.shell);
    if !fields.are_open() {
        actor.demand(&organization::SET_INTEGRATION)?;
    }
    let change = Change {
        settings: fields.enter(&form),
        display: None,
        for_all: false,
        typed: Some(form.text(TYPED).to_owned()).filter(|typed| !typed.is_empty()),
    };
    let entered = Entered {
        is_on: (form.text("has-switch") == "yes").then(|| form.text("enabled") == "on"),
        ..Entered::default()
    };
    if fields.have_errors() {
        let trouble = "Nothing was saved. What is marked below needs a correction.".to_owned();
        let entered = with(entered, fields, trouble);
        return show(&visit, StatusCode::UNPROCESSABLE_ENTITY, entered).await;
    }
    let is_confirmed = form.text(CONFIRMED) == "yes";
    if !is_confirmed && !change.settings.is_empty() {
        let preview = organization::preview(&visit.product, actor, &organization.name, change.clone()).await;
        match preview {
            Ok(preview) => {
                let consequences = consequences(&preview);
                if !consequences.is_empty() {
                    let asked = ask(
                        &visit,
                        &administrator.shell,
                        &preview,
                        consequences,
                        &fields,
                        entered.is_on,
                    );
                    return Ok(administrator.answer(StatusCode::OK, &asked));
                }
            }
            Err(fault) => return again(&visit, fault, entered, fields).await,
        }
    }
    match save(&visit, actor, change.clone(), entered.is_on).await {
        Ok(Some(secret)) => show(&visit, StatusCode::OK, Entered::made(secret)).await,
        Ok(None) => Ok(visit.done(SETTINGS, "The settings were saved.")),
        Err(fault) if is_confirmed && fault.kind() == Kind::Conflict => {
            let preview = organization::preview(&visit.product, actor, &organization.name, change).await?;
            let consequences = consequences(&preview);
            let asked = Confirm {
                trouble: Some(fault.to_string()),
                ..ask(
                    &visit,
                    &administrator.shell,
                    &preview,
                    consequences,
                    &fields,
                    entered.is_on,
                )
            };
            Ok(administrator.answer(StatusCode::UNPROCESSABLE_ENTITY, &asked))
        }
        Err(fault) => again(&visit, fault, entered, fields).await,
    }
}

fn with(entered: Entered, fields: Fields, trouble: String) -> Entered {
    Entered {
        fields: Some(fields),
        trouble: Some(trouble),
        ..entered
    }
}

/// Shows the form again with what was entered, and says why nothing was saved.
async fn again(visit: &Visit, fault: Fault, entered: Entered, fields: Fields) -> Result<Response, Detour> {
    let entered = match fault.kind() {
        Kind::Stale => Entered {
            fields: Some(fields),
            asks_first: true,
            ..entered
        },
        _ => with(entered, fields, visit.trouble(fault, SETTINGS)?),
    };
    show(visit, StatusCode::UNPROCESSABLE_ENTITY, entered).await
}

/// Saves settings and the switch. Answers with the token that the first save has made.
async fn save(
    visit: &Visit,
    actor: &crate::domain::actor::Actor,
    change: Change,
    is_on: Option<bool>,
) -> Result<Option<Secret>, Fault> {
    let name = match visit.organization() {
        Ok(organization) => organization.name.clone(),
        Err(_) => return Err(Fault::not_found("There is no such organization.")),
    };
    let before = integration::show(&visit.product, actor, &name).await?;
    let makes = before.organization.source.is_none()
        && change.settings.apply(&before.organization.settings).set_up == SetUp::SaveGenerates;
    let mut secret = None;
    if makes || change.settings != Changes::default() {
        secret = organization::set(&visit.product, actor, &name, change, |_| {})
            .await?
            .secret;
    }
    let wanted = is_on.filter(|on| *on != before.organization.is_enabled());
    if let Some(on) = wanted {
        integration::switch(&visit.product, actor, &name, on).await?;
    }
    Ok(secret)
}

/// Returns the sentences on what a change does to what is there.
fn consequences(preview: &organization::Preview) -> Vec<String> {
    let found = &preview.consequences;
    let mut sentences = found.typed.clone();
    sentences.extend(found.previewed.iter().map(|text| (*text).to_owned()));
    let (before, after) = preview.people_with_roles;
    if !found.previewed.is_empty() {
        sentences.push(format!("People with roles: {before} now, {after} afterwards."));
    }
    sentences.extend(found.told.iter().map(|text| (*text).to_owned()));
    sentences
}

fn ask(
    visit: &Visit,
    shell: &Shell,
    preview: &organization::Preview,
    consequences: Vec<String>,
    fields: &Fields,
    is_on: Option<bool>,
) -> Confirm {
    let mut hidden: Vec<_> = fields.values().collect();
    hidden.push((CONFIRMED, "yes".to_owned()));
    if let Some(on) = is_on {
        hidden.push(("has-switch", "yes".to_owned()));
        hidden.push(("enabled", if on { "on" } else { "off" }.to_owned()));
    }
    let name = preview.after.name.as_str().to_owned();
    Confirm {
        frame: visit.frame.clone(),
        shell: shell.clone(),
        question: "Save these settings?".to_owned(),
        consequences,
        step: "Save the settings".to_owned(),
        typed: Some(name).filter(|_| !preview.consequences.typed.is_empty()),
        hidden,
        action: SETTINGS.to_owned(),
        back: SETTINGS.to_owned(),
        trouble: None,
    }
}
