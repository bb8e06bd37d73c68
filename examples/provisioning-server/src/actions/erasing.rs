//! The erasing of attributes that an organization does not keep any more, of all its people.
//!
//! A person who is written meanwhile has no such attribute: whoever was admitted under the old settings is refused.

use uuid::Uuid;

use super::of_product::{OfProduct, PAGE, store, write_all};
use crate::database::{Product, accounts, failed, organizations};
use crate::domain::fault::Result;
use crate::domain::integration::Attached;
use crate::domain::user::User;
use crate::scim_api::{Policies, events, rules};
use scim::store::Write;

/// Returns the organizations where it has begun and is not done.
pub(super) async fn begun(product: &Product) -> Result<Vec<Uuid>> {
    product.read(organizations::all_erasing).await
}

/// Goes on from where it has come to until it is done, if it has begun. `watch` is told how many people it has looked at.
pub(super) async fn erase(product: &Product, organization: Uuid, mut watch: impl FnMut(u64)) -> Result<()> {
    let begun = product
        .read(move |reader| {
            let behind = organizations::erasing(reader, organization)?;
            Ok(behind.zip(organizations::by_id(reader, organization)?))
        })
        .await?;
    let Some((mut behind, found)) = begun else {
        return Ok(());
    };
    let policies = Policies::new().map_err(failed)?;
    let (policy, patch) = (policies.of(&found.settings), Policies::erasing().map_err(failed)?);
    let store = store(product, |store| events::told(rules::in_transaction(store)))?;
    let cx = OfProduct::new(found, Attached::Detach);
    let mut seen = 0;
    loop {
        let page = product
            .read(move |reader| accounts::bound(reader, organization, behind, PAGE))
            .await?;
        let Some((last, _)) = page.last() else { break };
        behind = *last;
        let writes = page.iter().map(|(_, id)| Write::patch(&cx, id, &patch));
        let writes: scim::Result<Vec<Write<User, OfProduct>>> = writes.collect();
        let writes = writes.map_err(failed)?;
        seen += u64::try_from(writes.len()).unwrap_or(0);
        write_all(
            &store,
            writes.into_iter().map(|write| write.policy(policy.clone())),
        )
        .await?;
        note(product, organization, Some(behind)).await?;
        watch(seen);
    }
    note(product, organization, None).await
}

/// Notes how far it has come, unless the settings were changed back meanwhile.
async fn note(product: &Product, organization: Uuid, account: Option<Uuid>) -> Result<()> {
    product
        .transact(move |tx| {
            if organizations::erasing(tx, organization)?.is_some() {
                organizations::erased_up_to(tx, organization, account)?;
            }
            Ok(())
        })
        .await
}
