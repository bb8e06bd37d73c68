//! Tokens: their life from the making to the end. A token itself is in no audit row and no event.

use jiff::Timestamp;
use scim::store::database::Transaction;
use serde_json::json;
use uuid::Uuid;

use super::act::{Act, Subject, carry_out, carry_out_in, look};
use super::{event_row, integration, setup_link, telling};
use crate::database::{Product, Stop, organizations, power, setup_links, tokens};
use crate::domain::actor::{Action, Actor};
use crate::domain::clock::later;
use crate::domain::escalation::Needs;
use crate::domain::event::EventKind;
use crate::domain::fault::{Fault, Result};
use crate::domain::integration::Step;
use crate::domain::keyword::Keyword;
use crate::domain::mail::Content;
use crate::domain::organization::Name;
use crate::domain::permission::Permission;
use crate::domain::secret::{Secret, SecretKind};
use crate::domain::token::{self, Issue, Purpose, Token};

/// Shows tokens, as far as they may be shown.
pub(crate) static LIST: Action = Action {
    name: "token.list",
    permission: Permission::TOKENS_READ,
    fresh: false,
};

/// Makes a token.
pub(crate) static CREATE: Action = Action {
    name: "token.create",
    permission: Permission::TOKENS_WRITE,
    fresh: true,
};

/// Makes a token in place of the present one.
pub(crate) static ROTATE: Action = Action {
    name: "token.rotate",
    permission: Permission::TOKENS_WRITE,
    fresh: true,
};

/// Ends a rotation: the old token is taken back.
pub(crate) static COMPLETE: Action = Action {
    name: "token.complete",
    permission: Permission::TOKENS_WRITE,
    fresh: true,
};

/// Undoes a rotation: the new token is taken back.
pub(crate) static CANCEL: Action = Action {
    name: "token.cancel",
    permission: Permission::TOKENS_WRITE,
    fresh: true,
};

/// Takes tokens back. It asks for no second factor: whoever has found a leak must not be held up.
pub(crate) static REVOKE: Action = Action {
    name: "token.revoke",
    permission: Permission::TOKENS_WRITE,
    fresh: false,
};

/// Says of tokens that they were not revoked since a backup was taken that was restored.
pub(crate) static CONFIRM: Action = Action {
    name: "token.confirm",
    permission: Permission::TOKENS_WRITE,
    fresh: true,
};

/// The kind of thing that the actions are done to.
const NOUN: &str = "token";

/// A token that is to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct New {
    pub(crate) purpose: Purpose,
    pub(crate) how: Issue,
    /// After how many days it expires.
    pub(crate) days: Option<u32>,
}

/// A token that was made.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) token: Token,
    /// To be shown this once.
    pub(crate) secret: Secret,
    /// The tokens that ended with it.
    pub(crate) revoked: Vec<Uuid>,
}

/// The tokens of an organization, after some were taken back.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) organization: Name,
    pub(crate) revoked: Vec<Uuid>,
    /// All of them, the oldest first.
    pub(crate) tokens: Vec<Token>,
}

/// Returns the tokens of an organization, the oldest first.
pub(crate) async fn list(product: &Product, actor: &Actor, organization: &Name) -> Result<Vec<Token>> {
    look(product, actor, &LIST, organization, |view| {
        Ok(tokens::all(view.reader, view.organization.id)?)
    })
    .await
}

/// Makes a token, and ends the ones before it as the way of making it says.
pub(crate) async fn issue(product: &Product, actor: &Actor, organization: &Name, new: New) -> Result<Issued> {
    issue_where(product, actor, organization, new, |_| true).await
}

/// Makes a token in the same way, if `newest` is still the newest token: a form that is sent twice makes one.
pub(crate) async fn issue_behind(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    new: New,
    newest: Option<Uuid>,
) -> Result<Issued> {
    issue_where(product, actor, organization, new, move |present| {
        present.map(|token| token.id) == newest
    })
    .await
}

async fn issue_where(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    new: New,
    stands: impl Fn(Option<&Token>) -> bool + Send + 'static,
) -> Result<Issued> {
    let action = match new.how {
        Issue::Create | Issue::CreateBeside => &CREATE,
        Issue::Rotate | Issue::Overlap => &ROTATE,
    };
    let secret = Secret::generate(SecretKind::Token)?;
    let (id, made) = (Uuid::now_v7(), secret.clone());
    let (token, revoked) = carry_out(product, actor, action, organization, move |act| {
        let expires = token::expiry(act.now, new.days)?;
        let token = Token::new(id, &made, new.purpose, act.now, expires);
        let all = tokens::all(act.tx, act.organization.id)?;
        if !stands(token::newest_live(&all, new.purpose, act.now)) {
            return Err(Fault::conflict(
                "Another token was made or revoked meanwhile: look at the tokens, and decide again.",
            )
            .into());
        }
        let revoked = token::issue(&all, new.purpose, new.how, act.now)?;
        if new.purpose == Purpose::Scim {
            demand_power_of_provider(act, "A credential of the identity provider")?;
            integration::take(act, &all, act.organization.settings.set_up, Step::MakeToken)?;
        }
        end(act, &all, &revoked)?;
        insert(act, &token)?;
        act.audit(&subject(&token, &id.to_string()), detail(&token, &revoked))?;
        Ok((token, revoked))
    })
    .await?;
    Ok(Issued {
        token,
        secret,
        revoked,
    })
}

/// Ends a rotation with overlap: only the new token stays.
pub(crate) async fn complete(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    purpose: Purpose,
) -> Result<Ended> {
    take_back(product, actor, &COMPLETE, organization, move |act, all| {
        token::complete(all, purpose, act.now)
    })
    .await
}

/// Undoes a rotation with overlap: only the old token stays.
pub(crate) async fn cancel(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    purpose: Purpose,
) -> Result<Ended> {
    take_back(product, actor, &CANCEL, organization, move |act, all| {
        token::cancel(all, purpose, act.now)
    })
    .await
}

/// Says of one token, or all of them, that they were not revoked since a backup was taken that was restored.
pub(crate) async fn confirm(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    which: Option<Uuid>,
) -> Result<Vec<Token>> {
    carry_out(product, actor, &CONFIRM, organization, move |act| {
        let all = tokens::all(act.tx, act.organization.id)?;
        let confirmed = token::confirm(&all, which, act.now)?;
        demand_power_of_provider(act, "A credential of the identity provider")?;
        for token in all.iter().filter(|token| confirmed.contains(&token.id)) {
            tokens::confirm(act.tx, act.organization.id, token.id)?;
            act.audit(&subject(token, &token.id.to_string()), detail(token, &[]))?;
        }
        Ok(tokens::all(act.tx, act.organization.id)?)
    })
    .await
}

/// Takes back one token, or all of them.
pub(crate) async fn revoke(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    which: Option<Uuid>,
) -> Result<Ended> {
    take_back(product, actor, &REVOKE, organization, move |act, all| {
        token::revoke(all, which, act.now)
    })
    .await
}

/// Takes back the token that a text is, wherever it was found and whichever organization it is of.
pub(crate) async fn revoke_by_value(product: &Product, actor: &Actor, text: &str) -> Result<Ended> {
    if let Some(link) = Secret::parse(SecretKind::SetupLink, text.trim()) {
        return end_link_by_value(product, actor, &link).await;
    }
    let secret = Secret::parse(SecretKind::Token, text.trim()).ok_or_else(|| {
        Fault::invalid(
            "What was given is not a token of this server, or was cut or mistyped; expected the whole token: \"scimp_\" \
             and 50 letters and digits.",
        )
    })?;
    let fingerprint = secret.fingerprint();
    carry_out_in(
        product,
        actor,
        &REVOKE,
        move |tx, actor| {
            let found = tokens::by_fingerprint(tx, &fingerprint)?;
            let known = found.filter(|(organization, _)| actor.knows(*organization));
            let organization = match known {
                Some((id, _)) => organizations::by_id(tx, id)?,
                None => None,
            };
            Ok(organization.ok_or_else(|| Fault::not_found("No organization has a token like this."))?)
        },
        move |act| {
            let found = tokens::by_fingerprint(act.tx, &fingerprint)?;
            let live = found.filter(|(_, token)| token.is_live(act.now));
            let (_, token) = live.ok_or_else(|| Fault::conflict("That token is not live any more."))?;
            let content = Content::TokenRevokedByValue {
                purpose: token.purpose,
                ends_in: token.last_four.clone(),
                at: act.now,
                by: act.actor.name(),
            };
            telling::tell(
                act.tx,
                act.organization,
                &Permission::TOKENS_WRITE,
                &content,
                act.now,
            )?;
            ended(act, vec![token.id])
        },
    )
    .await
}

/// Ends the set-up link that a text is, whichever organization it is of.
async fn end_link_by_value(product: &Product, actor: &Actor, secret: &Secret) -> Result<Ended> {
    let fingerprint = secret.fingerprint();
    carry_out_in(
        product,
        actor,
        &REVOKE,
        move |tx, actor| {
            let found = setup_links::by_fingerprint(tx, &fingerprint)?;
            let organization = match found.filter(|(organization, _)| actor.knows(*organization)) {
                Some((id, _)) => organizations::by_id(tx, id)?,
                None => None,
            };
            Ok(organization
                .ok_or_else(|| Fault::not_found("No organization has a set-up link like this."))?)
        },
        move |act| {
            let found = setup_links::by_fingerprint(act.tx, &fingerprint)?;
            let (_, link) =
                found.ok_or_else(|| Fault::not_found("No organization has a set-up link like this."))?;
            setup_link::end(act, &link)?;
            Ok(Ended {
                organization: act.organization.name.clone(),
                revoked: vec![link.id],
                tokens: tokens::all(act.tx, act.organization.id)?,
            })
        },
    )
    .await
}

async fn take_back(
    product: &Product,
    actor: &Actor,
    action: &'static Action,
    organization: &Name,
    which: impl Fn(&Act<'_>, &[Token]) -> Result<Vec<Uuid>> + Send + 'static,
) -> Result<Ended> {
    carry_out(product, actor, action, organization, move |act| {
        let all = tokens::all(act.tx, act.organization.id)?;
        ended(act, which(act, &all)?)
    })
    .await
}

/// Takes tokens back, each with an audit row.
fn ended(act: &Act<'_>, revoked: Vec<Uuid>) -> Result<Ended, Stop> {
    let before = tokens::all(act.tx, act.organization.id)?;
    end(act, &before, &revoked)?;
    for token in before.iter().filter(|token| revoked.contains(&token.id)) {
        act.audit(&subject(token, &token.id.to_string()), detail(token, &[]))?;
    }
    Ok(Ended {
        organization: act.organization.name.clone(),
        revoked,
        tokens: tokens::all(act.tx, act.organization.id)?,
    })
}

/// Mails administrators about tokens that end soon, 30, 7 and 1 days before. It is the server's own work, and nobody is
/// asked.
///
/// # Errors
/// The database fails.
pub(crate) async fn watch(product: &Product, now: Timestamp) -> Result<()> {
    let until = later(now, token::TOLD_FIRST);
    let ending = product
        .read(move |reader| tokens::ending(reader, now, until))
        .await?;
    for (organization, token, told) in ending {
        if let Some(days) = token.is_to_tell(told, now) {
            product
                .write(move |tx| Ok(Ok(tell_of_end(tx, organization, &token, days, now)?)))
                .await?;
        }
    }
    Ok(())
}

fn tell_of_end(
    tx: &Transaction<'_>,
    organization: Uuid,
    token: &Token,
    days: u32,
    now: Timestamp,
) -> scim::Result<()> {
    let Some(organization) = organizations::by_id(tx, organization)? else {
        return Ok(());
    };
    if !tokens::told(tx, organization.id, token.id, days)? {
        return Ok(());
    }
    let content = Content::TokenExpiry {
        purpose: token.purpose,
        ends_in: token.last_four.clone(),
        expires: token.expires.unwrap_or(now),
        days,
    };
    telling::tell(tx, &organization, &Permission::TOKENS_WRITE, &content, now)
}

/// Ends tokens, and tells of it.
pub(super) fn end(act: &Act<'_>, all: &[Token], revoked: &[Uuid]) -> scim::Result<()> {
    for token in all.iter().filter(|token| revoked.contains(&token.id)) {
        tokens::revoke(act.tx, act.organization.id, token.id, act.now)?;
        tell(act, EventKind::TokenRevoked, token)?;
    }
    Ok(())
}

/// Adds a token, and tells of it.
pub(super) fn insert(act: &Act<'_>, token: &Token) -> scim::Result<()> {
    tokens::insert(act.tx, act.organization.id, token)?;
    tell(act, EventKind::TokenCreated, token)
}

/// Checks that the actor may do whatever the identity provider can, since whoever has its credential can.
pub(super) fn demand_power_of_provider(act: &Act<'_>, what: &str) -> Result<(), Stop> {
    if act.actor.is_of_instance() {
        return Ok(());
    }
    let power = power::of_provider(act.tx, act.organization)?;
    Ok(Needs::of_provider(power).demand(act.actor, what)?)
}

pub(super) fn subject<'s>(token: &'s Token, id: &'s str) -> Subject<'s> {
    Subject {
        kind: NOUN,
        id: id.into(),
        name: &token.last_four,
    }
}

pub(super) fn detail(token: &Token, revoked: &[Uuid]) -> serde_json::Value {
    json!({
        "purpose": token.purpose.word(),
        "ends_in": token.last_four,
        "expires": token.expires.map(|at| at.to_string()),
        "revoked": revoked,
    })
}

fn tell(act: &Act<'_>, kind: EventKind, token: &Token) -> scim::Result<()> {
    let id = token.id.to_string();
    let data = json!({ "purpose": token.purpose.word(), "ends_in": token.last_four });
    act.tell(event_row(kind, &subject(token, &id), 0, data))
}
