//! Writes of the product itself to people and groups: many of them, each a transaction of its own, so that others write in
//! between.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use scim::store::documents::{Builder, DocumentStore};
use scim::store::{HasTenant, Store, Write};
use scim::{Error, ScimResource};
use tokio::task::JoinSet;

use crate::database::{Product, failed};
use crate::domain::fault::{Fault, Result};
use crate::domain::integration::Attached;
use crate::domain::organization::Organization;
use crate::scim_api::rules::OfOrganization;

/// How many are written before it is noted how far it has come.
pub(super) const PAGE: u32 = 64;
/// How often one is tried while others write the same, or the database has too much to do.
const TRIES: u32 = 12;
/// How long to wait after another write came in between.
const PAUSE: Duration = Duration::from_millis(20);

/// The context of a write of the product itself.
#[derive(Debug)]
pub(super) struct OfProduct {
    organization: Organization,
    tenant: String,
    /// The fate of people whose integration was deleted.
    pub(super) attached: Attached,
}

impl OfProduct {
    pub(super) fn new(organization: Organization, attached: Attached) -> Arc<Self> {
        Arc::new(Self {
            tenant: organization.id.to_string(),
            organization,
            attached,
        })
    }
}

impl OfOrganization for OfProduct {
    fn organization(&self) -> &Organization {
        &self.organization
    }
}

impl HasTenant for OfProduct {
    fn tenant(&self) -> &str {
        &self.tenant
    }
}

/// Makes the store of people and groups, with what follows a write.
pub(super) fn store(
    product: &Product,
    following: impl FnOnce(Builder<OfProduct>) -> Builder<OfProduct>,
) -> Result<Arc<DocumentStore<OfProduct>>> {
    let store = following(product.documents()).build().map_err(failed)?;
    Ok(Arc::new(store))
}

/// Carries out writes at once: the database commits them together. Whatever is not there any more is left alone.
///
/// # Errors
/// The database fails, or others write the same all the time.
pub(super) async fn write_all<R: ScimResource>(
    store: &Arc<DocumentStore<OfProduct>>,
    writes: impl IntoIterator<Item = Write<R, OfProduct>>,
) -> Result<()> {
    let mut under_way = JoinSet::new();
    for write in writes {
        let store = Arc::clone(store);
        under_way.spawn(async move { persist(&store, &write).await });
    }
    while let Some(done) = under_way.join_next().await {
        done.map_err(|cause| Fault::internal("A part of the work has ended early.", cause))?
            .map_err(failed)?;
    }
    Ok(())
}

async fn persist<R: ScimResource>(
    store: &DocumentStore<OfProduct>,
    write: &Write<R, OfProduct>,
) -> scim::Result<()> {
    let mut tries = 0;
    loop {
        tries += 1;
        match store.write(write.clone()).await {
            Ok(_) => return Ok(()),
            Err(error) if error.status() == StatusCode::NOT_FOUND => return Ok(()),
            Err(error) => match pause(&error).filter(|_| tries < TRIES) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error),
            },
        }
    }
}

/// Returns how long to wait before another try, if one may succeed.
fn pause(error: &Error) -> Option<Duration> {
    match error.is_conflict() {
        true => Some(PAUSE),
        false => error.retry_after(),
    }
}
