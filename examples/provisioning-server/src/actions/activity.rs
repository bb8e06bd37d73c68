//! The activity of an identity provider in the last days.

use jiff::Timestamp;

use super::act::look;
use crate::database::{Product, activity};
use crate::domain::activity::{Part, Quarter, Span, quarters};
use crate::domain::actor::{Action, Actor};
use crate::domain::fault::Result;
use crate::domain::organization::Name;
use crate::domain::permission::Permission;

/// Looks at how much has happened.
pub(crate) static SHOW: Action = Action {
    name: "activity.show",
    permission: Permission::HISTORY_READ,
    fresh: false,
};

/// Returns how much has happened in each quarter of the last seven days, the oldest first.
pub(crate) async fn show(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    now: Timestamp,
) -> Result<Vec<Quarter>> {
    look(product, actor, &SHOW, organization, move |view| {
        let times = quarters(now);
        let pairs = times.iter().zip(times.iter().skip(1));
        let counted = pairs.map(|(begin, end)| {
            Ok(Quarter {
                begin: *begin,
                counts: activity::count(view.reader, view.organization.id, *begin, *end)?,
            })
        });
        counted.collect()
    })
    .await
}

/// Returns how many requests came in each part of a span, the oldest first.
pub(crate) async fn requests(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    span: Span,
) -> Result<Vec<Part>> {
    look(product, actor, &SHOW, organization, move |view| {
        let counted = activity::requests(view.reader, view.organization.id, &span)?;
        Ok(span.filled(counted))
    })
    .await
}
