//! The audit log.

use scim::store::database::Stream;
use uuid::Uuid;

use super::act::look;
use crate::database::{Product, audit};
use crate::domain::actor::{Action, Actor};
use crate::domain::audit::{AuditEntry, AuditFilter};
use crate::domain::fault::Result;
use crate::domain::permission::Permission;
use crate::domain::realm::{Realm, RealmName};
use crate::transfer::rows::{self, Format};

/// The most rows that are read at once.
pub(crate) const MOST: u32 = 1_000;

/// Looks for changes that administrators have made.
pub(crate) static LIST: Action = Action {
    name: "audit.list",
    permission: Permission::AUDIT_READ,
    fresh: false,
};

/// Takes the audit log out.
pub(crate) static EXPORT: Action = Action {
    name: "audit.export",
    permission: Permission::AUDIT_READ,
    fresh: false,
};

/// Returns the newest rows of an organization or of the instance that a filter lets through, or those before one of them.
pub(crate) async fn list(
    product: &Product,
    actor: &Actor,
    realm: impl Into<RealmName>,
    filter: AuditFilter,
    before: Option<Uuid>,
    limit: u32,
) -> Result<Vec<AuditEntry>> {
    let id = find(product, actor, &LIST, realm.into()).await?;
    product
        .read(move |reader| audit::page(reader, id, &filter, before, limit.min(MOST)))
        .await
}

/// Streams every row that a filter lets through, the newest first.
pub(crate) async fn export(
    product: &Product,
    actor: &Actor,
    realm: impl Into<RealmName>,
    filter: AuditFilter,
    format: Format,
) -> Result<Stream> {
    let id = find(product, actor, &EXPORT, realm.into()).await?;
    Ok(rows::stream(product, format, move |reader, before, limit| {
        audit::page(reader, id, &filter, before, limit)
    }))
}

/// Returns the id under which the rows of a realm are kept, for somebody who may read them.
async fn find(product: &Product, actor: &Actor, action: &'static Action, realm: RealmName) -> Result<Uuid> {
    match realm {
        RealmName::Organization(organization) => {
            look(product, actor, action, &organization, |view| {
                Ok(view.organization.id)
            })
            .await
        }
        RealmName::Instance => {
            actor.demand_instance(false)?;
            Ok(Realm::Instance.id())
        }
    }
}
