//! Another way to sign in, for everybody whom the identity provider has sent: that of the settings.
//!
//! Some people at a time, each group of them in one transaction: whatever is left is gone on with.

use scim::store::database::Transaction;
use uuid::Uuid;

use super::of_product::PAGE;
use crate::database::{Product, Stop, accounts, credentials, entries, organizations, passwords};
use crate::domain::credential::Event;
use crate::domain::fault::Result;
use crate::domain::settings::FirstLogin;

/// Returns the organizations where it has begun and is not done.
pub(super) async fn begun(product: &Product) -> Result<Vec<Uuid>> {
    product.read(organizations::all_converting).await
}

/// Goes on from where it has come to until it is done, if it has begun.
pub(super) async fn convert(product: &Product, organization: Uuid) -> Result<()> {
    while product.transact(move |tx| step(tx, organization)).await? {}
    Ok(())
}

/// Converts the next people. Answers whether there are more.
fn step(tx: &Transaction<'_>, organization: Uuid) -> Result<bool, Stop> {
    let begun = organizations::converting(tx, organization)?;
    let Some((behind, found)) = begun.zip(organizations::by_id(tx, organization)?) else {
        return Ok(false);
    };
    let page = accounts::bound(tx, organization, behind, PAGE)?;
    for (account, _) in &page {
        convert_one(tx, organization, *account, found.settings.first_login)?;
    }
    let last = page.last().map(|(last, _)| *last);
    organizations::converted_up_to(tx, organization, last)?;
    Ok(last.is_some())
}

fn convert_one(
    tx: &Transaction<'_>,
    organization: Uuid,
    account: Uuid,
    setting: FirstLogin,
) -> scim::Result<()> {
    let entry = entries::find(tx, organization, account)?;
    let Some(entry) = entry.filter(|entry| entry.by != setting) else {
        return Ok(());
    };
    if setting == FirstLogin::Saml {
        credentials::apply(tx, organization, account, Event::ConversionToSaml)?;
    }
    let has_password = passwords::changed(tx, organization, account)?.is_some();
    entries::convert(tx, organization, account, &entry.converted(setting, has_password))
}
