//! The feed of events.

use super::act::look;
use crate::database::{Product, event};
use crate::domain::actor::{Action, Actor};
use crate::domain::event::{Cursor, Told, demand_whole};
use crate::domain::fault::Result;
use crate::domain::organization::Name;
use crate::domain::permission::Permission;

/// The most events that are read at once.
pub(crate) const MOST: u32 = 1_000;

/// Reads the feed.
pub(crate) static LIST: Action = Action {
    name: "event.list",
    permission: Permission::HISTORY_READ,
    fresh: false,
};

/// Returns the events after a cursor, or from the oldest one, in the order in which they happened.
pub(crate) async fn list(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    after: Option<Cursor>,
    limit: u32,
) -> Result<Vec<Told>> {
    look(product, actor, &LIST, organization, move |view| {
        let id = view.organization.id;
        demand_whole(after, event::purged(view.reader, id)?)?;
        Ok(event::list(view.reader, id, after, limit.min(MOST))?)
    })
    .await
}
