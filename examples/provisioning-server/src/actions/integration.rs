//! The integration of an organization with its identity provider: its set-up, its switch and its end.

use serde_json::json;
use uuid::Uuid;

use super::act::{Act, carry_out, look};
use super::{event_row, leaving, organization, token};
use crate::database::{Product, Stop, accounts, groups, sources, tokens};
use crate::domain::actor::{Action, Actor};
use crate::domain::event::EventKind;
use crate::domain::fault::{Fault, Result};
use crate::domain::integration::{After, Attached, Integration, State, Step, demand_choice};
use crate::domain::keyword::Keyword;
use crate::domain::organization::{Name, Organization, Source};
use crate::domain::permission::Permission;
use crate::domain::settings::SetUp;
use crate::domain::token::{Purpose, Token};

/// Shows the integration.
pub(crate) static SHOW: Action = Action {
    name: "integration.show",
    permission: Permission::INTEGRATIONS_READ,
    fresh: false,
};

/// Lets the identity provider in.
pub(crate) static ENABLE: Action = Action {
    name: "integration.enable",
    permission: Permission::INTEGRATIONS_WRITE,
    fresh: false,
};

/// Keeps the identity provider out.
pub(crate) static DISABLE: Action = Action {
    name: "integration.disable",
    permission: Permission::INTEGRATIONS_WRITE,
    fresh: false,
};

/// Removes the integration, with groups, mappings and tokens.
pub(crate) static DELETE: Action = Action {
    name: "integration.delete",
    permission: Permission::INTEGRATIONS_WRITE,
    fresh: true,
};

/// An integration, as it is shown.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) organization: Organization,
    pub(crate) state: State,
    /// Whether the switch is shown that lets the provider in.
    pub(crate) shows_switch: bool,
    pub(crate) has_token: bool,
    /// People of the provider who are active, and its groups.
    pub(crate) active_people: u64,
    pub(crate) groups: u64,
    /// The fate of the people of an integration that was deleted, while that goes on.
    pub(crate) ending: Option<Attached>,
}

/// The result of an integration's end for people and groups.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deleted {
    pub(crate) attached: Attached,
    /// People of the provider who were active.
    pub(crate) active_people: u64,
    pub(crate) groups: u64,
}

/// Returns the integration of an organization.
pub(crate) async fn show(product: &Product, actor: &Actor, organization: &Name) -> Result<Shown> {
    look(product, actor, &SHOW, organization, |view| {
        let (reader, organization) = (view.reader, view.organization);
        let all = tokens::all(reader, organization.id)?;
        let integration = Integration::of(organization, &all, jiff::Timestamp::now());
        let ending = sources::ending(reader, organization.id)?;
        Ok(Shown {
            state: integration.state(),
            shows_switch: integration.shows_switch(organization.settings.set_up),
            has_token: matches!(integration, Integration::Configured { token: true, .. }),
            active_people: accounts::count_attached(reader, organization.id)?,
            groups: groups::count(reader, organization.id)?,
            ending: ending.map(|ending| ending.attached),
            organization: organization.clone(),
        })
    })
    .await
}

/// Lets the identity provider in, or keeps it out; nothing is lost.
pub(crate) async fn switch(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    on: bool,
) -> Result<Organization> {
    let (action, step, kind) = match on {
        true => (&ENABLE, Step::SwitchOn, EventKind::IntegrationEnabled),
        false => (&DISABLE, Step::SwitchOff, EventKind::IntegrationDisabled),
    };
    carry_out(product, actor, action, organization, move |act| {
        let all = tokens::all(act.tx, act.organization.id)?;
        take(act, &all, act.organization.settings.set_up, step)?;
        let now = crate::database::organizations::by_id(act.tx, act.organization.id)?;
        let after = now.unwrap_or_else(|| act.organization.clone());
        if after.source != act.organization.source {
            let subject = organization::subject(act.organization);
            act.audit(&subject, json!({}))?;
            act.tell(event_row(kind, &subject, 0, json!({})))?;
        }
        Ok(after)
    })
    .await
}

/// Removes the integration: its URL and tokens end at once, its groups and mappings go, and its people become what was
/// chosen. It returns when that is done; `watch` is told of how many.
pub(crate) async fn delete(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    choice: Option<Attached>,
    watch: impl FnMut(u64),
) -> Result<Deleted> {
    let (id, deleted) = carry_out(product, actor, &DELETE, organization, move |act| {
        let id = act.organization.id;
        let all = tokens::all(act.tx, id)?;
        let before = Integration::of(act.organization, &all, act.now);
        before.step(act.organization.settings.set_up, Step::Delete)?;
        let active_people = accounts::count_attached(act.tx, id)?;
        let attached = demand_choice(active_people, choice)?;
        let deleted = Deleted {
            attached,
            active_people,
            groups: groups::count(act.tx, id)?,
        };
        let is_good = |token: &&Token| token.purpose == Purpose::Scim && token.is_live(act.now);
        let revoked: Vec<Uuid> = all.iter().filter(is_good).map(|token| token.id).collect();
        token::end(act, &all, &revoked)?;
        sources::detach(act.tx, id, attached, act.now)?;
        told(act, &deleted)?;
        Ok((id, deleted))
    })
    .await?;
    leaving::leave(product, id, watch).await?;
    Ok(deleted)
}

/// Deletes the integration in the same way, once whoever deletes it has typed the name of the organization.
pub(crate) async fn delete_typed(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    choice: Option<Attached>,
    typed: &str,
) -> Result<Deleted> {
    actor.demand(&DELETE)?;
    if typed != organization.as_str() {
        return Err(Fault::conflict(format!(
            "The integration is deleted with its groups, mappings and tokens, which cannot be undone: confirm it with the \
             name of the organization, {:?}.",
            organization.as_str()
        )));
    }
    delete(product, actor, organization, choice, |_| {}).await
}

/// Takes a step of the set-up, in this order, and writes what comes of it.
pub(super) fn take(act: &Act<'_>, tokens: &[Token], set_up: SetUp, step: Step) -> Result<After, Stop> {
    let before = Integration::of(act.organization, tokens, act.now);
    let after = before.step(set_up, step)?;
    match (&act.organization.source, after.integration) {
        (None, Integration::Configured { on, .. }) => begin(act, on)?,
        (Some(_), Integration::Configured { on, .. }) if on != before.is_on() => {
            let mut organization = act.organization.clone();
            organization.switch(on);
            sources::update(act.tx, &organization)?;
        }
        _ => {}
    }
    Ok(after)
}

/// Begins another connection.
fn begin(act: &Act<'_>, enabled: bool) -> Result<(), Stop> {
    let id = act.organization.id;
    if sources::ending(act.tx, id)?.is_some() {
        return Err(Fault::conflict(
            "The integration that was deleted is still being cleared: repeat this in a moment. If the server or command that \
             did it has ended, start the server, which goes on with it.",
        )
        .into());
    }
    let source = Source {
        id: Uuid::now_v7(),
        enabled,
        created: act.now,
    };
    Ok(sources::insert(act.tx, id, &source)?)
}

fn told(act: &Act<'_>, deleted: &Deleted) -> scim::Result<()> {
    let detail = json!({
        "people": deleted.attached.word(),
        "active_people": deleted.active_people,
        "groups": deleted.groups,
    });
    let subject = organization::subject(act.organization);
    act.audit(&subject, detail.clone())?;
    let kind = EventKind::IntegrationDeleted;
    act.tell(event_row(kind, &subject, deleted.active_people, detail))
}
