//! Steps for several people at once: each is decided for themselves, with an audit row of their own.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::account::{self, LIST};
use super::act::look;
use super::local_group::{self, Assign};
use crate::database::{Product, accounts};
use crate::domain::account::Account;
use crate::domain::actor::Actor;
use crate::domain::fault::{Fault, Kind, Result};
use crate::domain::organization::Name;

/// The most people for whom a step is taken at once: those of one page.
pub(crate) const MOST: usize = 50;

/// The people for whom a step was taken, and those who were refused, each with the reason.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) done: Vec<Account>,
    pub(crate) refused: Vec<Refused>,
}

/// Somebody for whom a step was not taken.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The display name of the person; empty if the account is gone.
    pub(crate) display: String,
    pub(crate) reason: String,
    /// The id of the account, if the step would be taken once the administrator has confirmed that it is still they.
    pub(crate) asks_to_confirm: Option<Uuid>,
}

impl Outcome {
    /// Notes what has become of a step for somebody.
    ///
    /// # Errors
    /// The fault is nothing of this person alone: nobody else would fare better.
    fn note<T>(&mut self, account: Account, outcome: Result<T>) -> Result<()> {
        match outcome {
            Ok(_) => self.done.push(account),
            Err(fault) if is_of_one(fault.kind()) => {
                self.refused.push(Refused {
                    display: account.display,
                    reason: fault.to_string(),
                    asks_to_confirm: (fault.kind() == Kind::Stale).then_some(account.id),
                });
            }
            Err(fault) => return Err(fault),
        }
        Ok(())
    }

    /// Notes those of whom no account is left.
    fn note_missing(&mut self, count: usize) {
        let missing = || Refused {
            display: String::new(),
            reason: "The account does not exist any more.".to_owned(),
            asks_to_confirm: None,
        };
        self.refused.extend(std::iter::repeat_with(missing).take(count));
    }
}

/// Returns whether a fault of this kind is about one person: somebody else may fare better.
const fn is_of_one(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Conflict | Kind::Forbidden | Kind::NotFound | Kind::Stale
    )
}

/// Checks that some people are selected, and no more than a page has.
fn demand_some(people: &[Uuid]) -> Result<()> {
    match people.len() {
        0 => Err(Fault::invalid("Nobody is selected: tick the people on the list.")),
        1..=MOST => Ok(()),
        count => Err(Fault::invalid(format!(
            "{count} people are too many at once; expected {MOST} at most."
        ))),
    }
}

/// Returns the accounts of the people who are selected, in the order of their names.
pub(crate) async fn show(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    people: &[Uuid],
) -> Result<Vec<Account>> {
    demand_some(people)?;
    let people = people.to_vec();
    look(product, actor, &LIST, organization, move |view| {
        let found = accounts::by_ids(view.reader, view.organization.id, &people)?;
        let by_name: BTreeMap<_, _> = found
            .into_iter()
            .map(|account| ((account.name_key(), account.id), account))
            .collect();
        Ok(by_name.into_values().collect())
    })
    .await
}

/// Locks the sign-in of each of some people.
pub(crate) async fn suspend(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    people: &[Uuid],
    reason: &str,
) -> Result<Outcome> {
    actor.demand(&account::SUSPEND)?;
    let accounts = show(product, actor, organization, people).await?;
    let mut outcome = Outcome::default();
    outcome.note_missing(people.len().saturating_sub(accounts.len()));
    for account in accounts {
        let id = account.id.to_string();
        let suspended = account::suspend(product, actor, organization, &id, reason).await;
        outcome.note(account, suspended)?;
    }
    Ok(outcome)
}

/// Puts each of some people into a group that is kept here.
pub(crate) async fn join(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    people: &[Uuid],
    group: &str,
) -> Result<Outcome> {
    actor.demand(&local_group::ASSIGN)?;
    let accounts = show(product, actor, organization, people).await?;
    let mut outcome = Outcome::default();
    outcome.note_missing(people.len().saturating_sub(accounts.len()));
    for account in accounts {
        let people = vec![account.id.to_string()];
        let joined = local_group::assign(product, actor, organization, group, people, Assign::Join).await;
        outcome.note(account, joined)?;
    }
    Ok(outcome)
}
