//! Everything that an administrator can do: one file a noun, one function an action.
//!
//! An action asks its [`Action`](crate::domain::actor::Action) of the actor first. Then it does everything in one
//! transaction: the rule, the change, its audit row and its events.

pub(crate) mod account;
mod act;
pub(crate) mod activity;
pub(crate) mod adoption;
pub(crate) mod alert;
pub(crate) mod audit;
pub(crate) mod conflict;
pub(crate) mod connection;
mod converting;
mod erasing;
pub(crate) mod erasure;
pub(crate) mod event;
pub(crate) mod group;
pub(crate) mod history;
pub(crate) mod instance_owner;
pub(crate) mod integration;
mod leaving;
pub(crate) mod local_group;
pub(crate) mod mail;
pub(crate) mod mapping;
mod of_product;
pub(crate) mod organization;
pub(crate) mod own_groups;
pub(crate) mod people;
pub(crate) mod role;
pub(crate) mod saml;
pub(crate) mod selected;
pub(crate) mod set_up;
pub(crate) mod setup_link;
pub(crate) mod sign_in;
mod telling;
pub(crate) mod token;

use serde_json::Value;

use self::act::Subject;
use crate::database::Product;
use crate::domain::event::{EventKind, EventRow};
use crate::domain::fault::Result;

/// Every action of the product.
#[cfg(test)]
pub(crate) static ALL: &[&crate::domain::actor::Action] = &[
    &account::CHANGE,
    &account::CREATE,
    &account::GRANT,
    &account::LIST,
    &account::RESUME,
    &account::REVOKE,
    &account::SUSPEND,
    &adoption::ADOPT,
    &account::SUSPEND_UNCONFIRMED,
    &activity::SHOW,
    &alert::LIST,
    &alert::SEE,
    &audit::EXPORT,
    &audit::LIST,
    &conflict::IGNORE,
    &conflict::LIST,
    &conflict::REOPEN,
    &conflict::SHOW,
    &connection::SHOW,
    &erasure::ERASE,
    &event::LIST,
    &group::LIST,
    &history::EXPORT,
    &history::LIST,
    &history::PURGE,
    &history::SHOW,
    &history::SHOW_BODY,
    &integration::DELETE,
    &integration::DISABLE,
    &integration::ENABLE,
    &integration::SHOW,
    &local_group::ASSIGN,
    &local_group::CHANGE,
    &local_group::CREATE,
    &local_group::DELETE,
    &local_group::LIST,
    &mail::CANCEL,
    &mail::LIST,
    &mail::RETRY,
    &mail::SHOW,
    &mail::SHOW_LINK,
    &mapping::LIST,
    &mapping::SET,
    &organization::CREATE,
    &organization::DELETE,
    &organization::LIST,
    &organization::SET,
    &organization::SET_INTEGRATION,
    &organization::SET_LOGIN,
    &role::CHANGE,
    &role::CREATE,
    &role::DELETE,
    &role::LIST,
    &saml::DELETE,
    &saml::FAILURES,
    &saml::REFRESH,
    &saml::SET,
    &saml::SHOW,
    &saml::TRY,
    &setup_link::CREATE,
    &setup_link::LIST,
    &setup_link::REVOKE,
    &sign_in::INVITE,
    &sign_in::RESET_FACTOR,
    &sign_in::SHOW,
    &sign_in::SIGN_OUT,
    &token::CANCEL,
    &token::COMPLETE,
    &token::CONFIRM,
    &token::CREATE,
    &token::LIST,
    &token::REVOKE,
    &token::ROTATE,
];

/// Returns whether a process has ended before it had done all work of an action that takes many transactions.
///
/// # Errors
/// The database fails.
pub(crate) async fn is_left(product: &Product) -> Result<bool> {
    Ok(!erasing::begun(product).await?.is_empty()
        || !converting::begun(product).await?.is_empty()
        || !leaving::begun(product).await?.is_empty()
        || !erasure::begun(product).await?.is_empty())
}

/// Goes on with work of actions that takes many transactions, where a process has ended before it was done.
///
/// # Errors
/// The database fails. Whatever is left is gone on with the next time.
pub(crate) async fn go_on(product: &Product) -> Result<()> {
    for organization in erasing::begun(product).await? {
        erasing::erase(product, organization, |_| {}).await?;
    }
    for organization in converting::begun(product).await? {
        converting::convert(product, organization).await?;
    }
    for organization in leaving::begun(product).await? {
        leaving::leave(product, organization, |_| {}).await?;
    }
    for (organization, account) in erasure::begun(product).await? {
        erasure::go_on(product, organization, account).await?;
    }
    Ok(())
}

/// Returns the event of something that was done to a thing.
fn event_row(kind: EventKind, subject: &Subject<'_>, people: u64, data: Value) -> EventRow {
    EventRow {
        kind,
        subject_type: subject.kind.into(),
        subject: subject.id.clone().into_owned(),
        people,
        data,
    }
}

#[cfg(test)]
mod tests;
