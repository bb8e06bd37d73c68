//! What happens in the transaction of every change: the organization's rules, and the row of the history.

use scim::ScimResource;
use scim::resources::Group;
use scim::schema::ResourceType;
use scim::store::Happened;
use scim::store::sqlite::{Joined, Transaction};

use super::context::Context;
use super::rules;
use crate::database::attribute::text;
use crate::database::{history, organizations};
use crate::domain::user::User;
use crate::history::change;

/// Joins every change of a person or group.
#[derive(Debug)]
pub(super) struct Rules;

impl Joined<Context> for Rules {
    fn written(
        &self,
        tx: &Transaction<'_>,
        cx: &Context,
        resource_type: &'static ResourceType,
        id: &str,
        happened: &Happened<'_>,
    ) -> scim::Result<()> {
        cx.begin_commit();
        // The request may have been admitted a moment before the organization was deleted.
        if !organizations::exists(tx, cx.organization().id)? {
            return Err(scim::Error::new(
                http::StatusCode::NOT_FOUND,
                "The organization was deleted.",
            ));
        }
        if resource_type.name == User::RESOURCE_TYPE.name {
            rules::check_user(cx.organization(), happened)?;
        } else if resource_type.name == Group::RESOURCE_TYPE.name {
            rules::check_group(tx, cx.organization(), id, happened)?;
        }
        // Whoever is deleted leaves groups, which are told of, too: the request is about the one who is deleted.
        let is_consequence =
            cx.asked().method == http::Method::DELETE && matches!(happened, Happened::Changed { .. });
        if is_consequence {
            return Ok(());
        }
        let record = match happened {
            Happened::Created { after, .. } | Happened::Changed { after, .. } => *after,
            Happened::Deleted { before } => *before,
        };
        let mut row = cx.row();
        row.status = expected(happened);
        row.meaning = change::meaning(resource_type.name, id, happened);
        row.resource_type = Some(resource_type.name.to_owned());
        row.resource_id = Some(id.to_owned());
        row.external_id = text(record, "externalId");
        history::insert(tx, &row.bounded())?;
        cx.note(expected(happened));
        Ok(())
    }
}

/// The status that a change is answered with unless something goes wrong after it: then the row is corrected.
fn expected(happened: &Happened<'_>) -> u16 {
    match happened {
        Happened::Created { .. } => 201,
        Happened::Changed { .. } => 200,
        Happened::Deleted { .. } => 204,
    }
}
