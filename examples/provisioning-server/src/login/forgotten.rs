//! The forgotten password, which is also the first way in for people who were never given one.

use jiff::Timestamp;
use scim::store::database::Transaction;

use super::attempt::Attempt;
use super::person::Person;
use super::visitor::Visitor;
use super::{Login, Outcome};
use crate::database::entries;
use crate::domain::link::LinkKind;
use crate::domain::realm::Realm;

impl Login {
    /// Has a link sent to somebody by which they can set a password, if there is anybody of this name who may have one.
    /// The answer is the same in any case, and the link is made behind it.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) async fn forgotten(&self, realm: &Realm, name: &str, visitor: &Visitor) -> Outcome<()> {
        let (realm, name, visitor) = (realm.clone(), name.to_owned(), visitor.clone());
        let done = self.product.transact(move |tx: &Transaction<'_>| {
            let now = Timestamp::now();
            let person = Person::by_name(tx, &realm, &name)?;
            if Attempt::for_mail(&realm, &name, &visitor)
                .begin(tx, now)?
                .is_some()
            {
                return Ok(());
            }
            if let Some(person) = person.filter(|person| person.may_use_password()) {
                let due = Some(LinkKind::ResetLink).filter(|_| person.account.address.is_some());
                if due.is_some() {
                    entries::set_due(tx, realm.id(), person.account.id, due)?;
                }
            }
            Ok(())
        });
        done.await?;
        self.due.notify_one();
        Ok(())
    }
}
