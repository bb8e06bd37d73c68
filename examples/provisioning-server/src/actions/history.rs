//! The API history.

use jiff::Timestamp;
use scim::store::database::Stream;
use serde_json::json;
use uuid::Uuid;

use super::act::{Subject, carry_out, look};
use crate::database::{Product, history, request_body};
use crate::domain::actor::{Action, Actor};
use crate::domain::fault::{Fault, Remedy, Result};
use crate::domain::history::{HistoryEntry, HistoryFilter, Touched};
use crate::domain::organization::Name;
use crate::domain::permission::Permission;
use crate::domain::retention::Purged;
use crate::transfer::rows::{self, Format};

/// The most entries that are read at once.
pub(crate) const MOST: u32 = 1_000;

/// Looks for requests.
pub(crate) static LIST: Action = Action {
    name: "history.list",
    permission: Permission::HISTORY_READ,
    fresh: false,
};

/// Looks at one request.
pub(crate) static SHOW: Action = Action {
    name: "history.show",
    permission: Permission::HISTORY_READ,
    fresh: false,
};

/// Looks at what a request has sent.
pub(crate) static SHOW_BODY: Action = Action {
    name: "history.show-body",
    permission: Permission::HISTORY_BODIES_READ,
    fresh: false,
};

/// Takes the history out.
pub(crate) static EXPORT: Action = Action {
    name: "history.export",
    permission: Permission::HISTORY_READ,
    fresh: false,
};

/// Removes what is older than it is kept.
pub(crate) static PURGE: Action = Action {
    name: "history.purge",
    permission: Permission::HISTORY_WRITE,
    fresh: false,
};

/// Returns the newest requests that a filter lets through, or those before one of them.
pub(crate) async fn list(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    filter: HistoryFilter,
    before: Option<Uuid>,
    limit: u32,
) -> Result<Vec<HistoryEntry>> {
    look(product, actor, &LIST, organization, move |view| {
        let id = view.organization.id;
        Ok(history::page(view.reader, id, &filter, before, limit.min(MOST))?)
    })
    .await
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) entry: HistoryEntry,
    pub(crate) touched: Touched,
    /// The body that was sent, masked: as long as it is kept, and to those who may see it.
    pub(crate) body: Option<String>,
}

/// Returns a request by its id, or by the id that the client has given it.
pub(crate) async fn show(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    request: String,
) -> Result<Shown> {
    let may_see_body = actor.demand(&SHOW_BODY).is_ok();
    look(product, actor, &SHOW, organization, move |view| {
        let (reader, id) = (view.reader, view.organization.id);
        let entry = history::find(reader, id, &request)?.ok_or_else(|| unknown(&request))?;
        let body = match may_see_body {
            true => request_body::find(reader, id, entry.id)?,
            false => None,
        };
        Ok(Shown {
            touched: history::touched(reader, id, entry.id)?,
            entry,
            body,
        })
    })
    .await
}

fn unknown(request: &str) -> Fault {
    Fault::not_found(format!("There is no request {request:?} in the history")).mended_by(Remedy {
        page: "API History lists them, as long as they are kept.",
        command: "\"history list\" shows them, as long as they are kept.",
    })
}

/// Streams every request that a filter lets through, the newest first.
pub(crate) async fn export(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    filter: HistoryFilter,
    format: Format,
) -> Result<Stream> {
    let id = look(product, actor, &EXPORT, organization, |view| {
        Ok(view.organization.id)
    })
    .await?;
    Ok(rows::stream(product, format, move |reader, before, limit| {
        history::page(reader, id, &filter, before, limit)
    }))
}

/// Removes what is older than the organization keeps it.
pub(crate) async fn purge(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    now: Timestamp,
) -> Result<Purged> {
    let found = look(product, actor, &PURGE, organization, |view| {
        Ok((view.organization.id, view.organization.settings.clone()))
    });
    let (id, settings) = found.await?;
    let purged = product.purge_history(id, &settings, now).await?;
    let name = organization.clone();
    carry_out(product, actor, &PURGE, organization, move |act| {
        let subject = Subject {
            kind: "organization",
            id: id.to_string().into(),
            name: name.as_str(),
        };
        Ok(act.audit(&subject, json!(purged))?)
    })
    .await?;
    Ok(purged)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::database::{organizations, product_of_test};
    use crate::domain::actor::Who;
    use crate::domain::batch::{Batch, RequestBody};
    use crate::domain::fault::Kind;
    use crate::domain::organization::Organization;
    use crate::domain::permission::Permissions;
    use crate::domain::request_row::RequestRow;
    use crate::domain::settings::{IdentityProvider, Settings};

    fn row(organization: Uuid, sequence: Uuid) -> RequestRow {
        RequestRow {
            organization,
            sequence,
            time: Timestamp::now(),
            method: "POST".into(),
            path: "/scim/acme/v2/Users".to_owned(),
            status: 409,
            scim_type: Some("uniqueness"),
            duration_us: 1,
            operation: Some("create"),
            total: None,
            sentence: None,
            resource_type: Some("User"),
            resource_id: None,
            external_id: None,
            asked_for: Some("ann@x.example".to_owned()),
            token: None,
            request_id: "r".to_owned(),
            idp: IdentityProvider::Other,
            notes: None,
            error: None,
        }
    }

    fn administrator(organization: Uuid, permissions: &[Permission]) -> Actor {
        Actor {
            who: Who::Account {
                organization,
                id: Uuid::nil(),
                name: "ada@x.example".to_owned(),
            },
            permissions: Permissions::from_iter(permissions.iter().cloned()),
            fresh: false,
            address: None,
        }
    }

    /// Feature rows 15, 64, 75: the history is for those of the organization who may read it, bodies for fewer of them.
    #[tokio::test]
    async fn the_history_and_its_bodies_ask_for_permissions() {
        let (product, _folder) = product_of_test().await;
        let (id, name) = (Uuid::now_v7(), Name::parse("acme").unwrap());
        let made = Organization::new(id, name.clone(), None, Settings::default(), Timestamp::now());
        let made = made.unwrap();
        let create = product.transact(move |tx| organizations::create(tx, &made, None));
        create.await.unwrap();
        let sequence = Uuid::now_v7();
        let mut batch = Batch::default();
        batch.add_row(row(id, sequence));
        batch.add_body(RequestBody {
            organization: id,
            sequence,
            text: "{}".to_owned(),
        });
        product.append_history(Arc::new(batch)).await.unwrap();

        let show = async |actor: Actor| show(&product, &actor, &name, sequence.to_string()).await;
        let reader = [Permission::HISTORY_READ];
        let body_reader = [Permission::HISTORY_READ, Permission::HISTORY_BODIES_READ];
        assert_eq!(show(administrator(id, &reader)).await.unwrap().body, None);
        let shown = show(administrator(id, &body_reader)).await.unwrap();
        assert_eq!(shown.body.as_deref(), Some("{}"));
        assert_eq!(shown.touched.subjects, ["name:ann@x.example"]);
        for (actor, kind) in [
            (
                administrator(id, &[Permission::HISTORY_BODIES_READ]),
                Kind::Forbidden,
            ),
            (administrator(Uuid::now_v7(), &body_reader), Kind::NotFound),
        ] {
            assert_eq!(show(actor).await.unwrap_err().kind(), kind);
        }
        let purge = async |actor: Actor| purge(&product, &actor, &name, Timestamp::now()).await;
        let refused = purge(administrator(id, &body_reader)).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Forbidden);
        purge(administrator(id, &[Permission::HISTORY_WRITE]))
            .await
            .unwrap();
        product.close().await;
    }
}
