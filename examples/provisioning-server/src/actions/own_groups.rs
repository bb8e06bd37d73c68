//! The groups of whoever asks: they may know of their own, whatever else they may not.

use crate::database::effective::Members;
use crate::database::{Product, accounts, local_groups};
use crate::domain::account::Account;
use crate::domain::actor::{Actor, Who};
use crate::domain::fault::Result;
use crate::domain::organization::Organization;

/// How many groups of the identity provider are listed.
const MOST: u32 = 50;

/// The groups of somebody, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OwnGroups {
    pub(crate) names: Vec<String>,
    /// Whether they are in others, too.
    pub(crate) has_more: bool,
}

/// Returns the groups of whoever asks, of the identity provider and of those that are kept here.
///
/// # Errors
/// The database fails.
pub(crate) async fn list(product: &Product, actor: &Actor, organization: &Organization) -> Result<OwnGroups> {
    let Who::Account {
        organization: own,
        id,
        ..
    } = actor.who
    else {
        return Ok(OwnGroups::default());
    };
    let organization = organization.clone();
    product
        .look(move |reader| {
            let Some(account) = accounts::by_id(reader, own, id)?.filter(Account::has_access) else {
                return Ok(OwnGroups::default());
            };
            let members = Members::of(reader, &organization)?;
            let mut names = members.groups_of(reader, &account, MOST + 1)?;
            let has_more = names.len() > usize::try_from(MOST).unwrap_or(usize::MAX);
            names.truncate(usize::try_from(MOST).unwrap_or(usize::MAX));
            let local = local_groups::of_account(reader, own, id)?;
            names.extend(local.into_iter().map(|group| group.name));
            names.sort_unstable();
            Ok(OwnGroups { names, has_more })
        })
        .await
}
