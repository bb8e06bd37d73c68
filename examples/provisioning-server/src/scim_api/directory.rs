//! Organizations and their tokens, remembered for a moment.
//!
//! Only a *yes* is taken from memory: every *no* that depends on what is stored is confirmed by the database. So an
//! organization, a token and the enabled switch are usable as soon as the command that made them returns, whichever
//! process it ran in, and a revocation is in force at the next request in this process and within a second in others.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use scim_axum::Credentials;
use uuid::Uuid;

use crate::database::{Access, Product};
use crate::domain::access::{Refusal, admit, may_be_good, unknown};
use crate::domain::fault::Result;
use crate::domain::organization::Name;

/// How old a remembered organization may be. With the age of the database's snapshots it stays below a second.
const AGE_MAX: Duration = Duration::from_millis(250);

/// The answer of an organization's endpoint to a request.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// No organization has this name, and the answer is that of one that does not know the credentials.
    NoOrganization(Refusal),
    /// The request is not admitted.
    Refused(Arc<Access>, Refusal),
    /// The request is admitted by this token.
    Admitted(Arc<Access>, Uuid),
}

/// Answers who may use which endpoint.
#[derive(Debug)]
pub(crate) struct Directory {
    product: Arc<Product>,
    remembered: RwLock<HashMap<Name, Entry>>,
    /// Held while the newest state is asked for.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone)]
struct Entry {
    access: Arc<Access>,
    read: Instant,
    /// The number of changes that this process had made before it was read.
    changes: u64,
    /// Whether it was the newest state when it was read, and not a reader's snapshot.
    newest: bool,
}

impl Directory {
    /// Makes a directory that remembers nothing yet.
    pub(crate) fn new(product: Arc<Product>) -> Self {
        Self {
            product,
            remembered: RwLock::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Decides about a request.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(crate) async fn decide(
        &self,
        name: &str,
        credentials: &Credentials,
        now: Timestamp,
    ) -> Result<Verdict> {
        let arrived = Instant::now();
        let Ok(name) = Name::parse(name) else {
            return Ok(judge(None, credentials, now));
        };
        let access = match self.recall(&name) {
            Some(access) => Some(access),
            None => self.read(&name).await?,
        };
        let verdict = judge(access, credentials, now);
        if verdict.stands(credentials) {
            return Ok(verdict);
        }
        let access = self.confirm(&name, arrived).await?;
        Ok(judge(access, credentials, now))
    }

    fn recall(&self, name: &Name) -> Option<Arc<Access>> {
        let remembered = self.remembered.read().unwrap_or_else(PoisonError::into_inner);
        let entry = remembered.get(name)?;
        let fresh = entry.read.elapsed() < AGE_MAX && entry.changes == self.product.changes();
        fresh.then(|| Arc::clone(&entry.access))
    }

    /// Reads an organization as a reader sees it, up to a snapshot's age old.
    async fn read(&self, name: &Name) -> Result<Option<Arc<Access>>> {
        // Taken before the read: what happens in between can only make the entry look too old.
        let (read, changes) = (Instant::now(), self.product.changes());
        let access = self.product.access(name).await?.map(Arc::new);
        self.remember(name, access.as_ref(), read, changes, false);
        Ok(access)
    }

    /// Reads an organization as it is now, once for everybody who waits: hostile requests cannot fill the writer's
    /// queue.
    async fn confirm(&self, name: &Name, arrived: Instant) -> Result<Option<Arc<Access>>> {
        let _turn = self.turn.lock().await;
        if let Some(access) = self.confirmed_since(name, arrived) {
            return Ok(Some(access));
        }
        let (read, changes) = (Instant::now(), self.product.changes());
        let access = self.product.access_now(name).await?.map(Arc::new);
        self.remember(name, access.as_ref(), read, changes, true);
        Ok(access)
    }

    fn confirmed_since(&self, name: &Name, arrived: Instant) -> Option<Arc<Access>> {
        let remembered = self.remembered.read().unwrap_or_else(PoisonError::into_inner);
        let entry = remembered.get(name)?;
        (entry.newest && entry.read >= arrived).then(|| Arc::clone(&entry.access))
    }

    /// Remembers only organizations that exist: a client cannot make the memory grow.
    fn remember(&self, name: &Name, access: Option<&Arc<Access>>, read: Instant, changes: u64, newest: bool) {
        let mut remembered = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
        let Some(access) = access else {
            remembered.remove(name);
            return;
        };
        if remembered
            .get(name)
            .is_some_and(|entry| entry.newest && entry.read > read)
        {
            return;
        }
        let entry = Entry {
            access: Arc::clone(access),
            read,
            changes,
            newest,
        };
        remembered.insert(name.clone(), entry);
    }
}

fn judge(access: Option<Arc<Access>>, credentials: &Credentials, now: Timestamp) -> Verdict {
    let Some(access) = access else {
        return Verdict::NoOrganization(unknown(credentials));
    };
    match admit(&access.organization, &access.tokens, credentials, now) {
        Ok(token) => Verdict::Admitted(access, token),
        Err(refusal) => Verdict::Refused(access, refusal),
    }
}

impl Verdict {
    /// Returns whether no newer state of the database could turn a *no* into a *yes*.
    fn stands(&self, credentials: &Credentials) -> bool {
        match self {
            Self::Admitted(..) => true,
            Self::Refused(_, refusal) => refusal.is_final(),
            Self::NoOrganization(_) => !may_be_good(credentials),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use scim::store::database::Transaction;

    use super::*;
    use crate::database::{SNAPSHOT_AGE, Stop, organizations, product_of_test, tokens};
    use crate::domain::organization::Organization;
    use crate::domain::secret::{Secret, SecretKind};
    use crate::domain::settings::Settings;
    use crate::domain::token::{self, Token};

    struct Bench {
        directory: Directory,
        product: Arc<Product>,
        name: Name,
        token: Uuid,
        credentials: Credentials,
        _folder: tempfile::TempDir,
    }

    /// Makes an organization with a token of one day.
    async fn bench() -> Bench {
        let (product, folder) = product_of_test().await;
        let product = Arc::new(product);
        let now = Timestamp::now();
        let name = Name::parse("acme").unwrap();
        let organization =
            Organization::new(Uuid::now_v7(), name.clone(), None, Settings::default(), now).unwrap();
        let secret = Secret::from_random(SecretKind::Token, [5; 32]);
        let expires = token::expiry(now, Some(1)).unwrap();
        let token = Token::new(Uuid::now_v7(), &secret, token::Purpose::Scim, now, expires);
        let id = token.id;
        product
            .transact(move |tx| organizations::create(tx, &organization, Some(&token)))
            .await
            .unwrap();
        Bench {
            directory: Directory::new(Arc::clone(&product)),
            product,
            name,
            token: id,
            credentials: Credentials::Bearer(secret.reveal().to_owned()),
            _folder: folder,
        }
    }

    impl Bench {
        /// Changes the organization.
        async fn change(&self, how: impl Fn(&Transaction<'_>, Uuid) -> Result<(), Stop> + Send + 'static) {
            let name = self.name.clone();
            let job = move |tx: &Transaction<'_>| how(tx, organizations::find(tx, &name)?.unwrap().id);
            self.product.transact(job).await.unwrap();
        }

        async fn switch(&self, enabled: bool) {
            let name = self.name.clone();
            let job = move |tx: &Transaction<'_>| {
                let mut organization = organizations::find(tx, &name)?.unwrap();
                organization.switch(enabled);
                Ok(organizations::update(tx, &organization)?)
            };
            self.product.transact(job).await.unwrap();
        }

        async fn refusal(&self, now: Timestamp) -> Option<Refusal> {
            match self
                .directory
                .decide("acme", &self.credentials, now)
                .await
                .unwrap()
            {
                Verdict::Refused(_, refusal) => Some(refusal),
                Verdict::Admitted(_, token) if token == self.token => None,
                other => panic!("{other:?}"),
            }
        }

        fn remembered(&self) -> usize {
            self.directory.remembered.read().unwrap().len()
        }
    }

    /// A revocation is in force within a second in every other process.
    #[test]
    fn what_is_remembered_is_younger_than_a_second() {
        assert!(AGE_MAX + SNAPSHOT_AGE < Duration::from_secs(1));
    }

    #[tokio::test]
    async fn a_change_is_in_force_at_the_next_request_of_the_same_process() {
        let bench = bench().await;
        let now = Timestamp::now();
        assert_eq!(bench.refusal(now).await, None);
        bench.switch(false).await;
        assert_eq!(
            bench.refusal(now).await,
            Some(Refusal::Disabled { token: bench.token })
        );
        bench.switch(true).await;
        assert_eq!(bench.refusal(now).await, None);
        let token = bench.token;
        let revoke = move |tx: &Transaction<'_>, id| Ok(tokens::revoke(tx, id, token, now)?);
        bench.change(revoke).await;
        assert!(matches!(bench.refusal(now).await, Some(Refusal::Revoked { .. })));
    }

    #[tokio::test]
    async fn a_remembered_token_expires_on_time() {
        let bench = bench().await;
        let now = Timestamp::now();
        assert_eq!(bench.refusal(now).await, None);
        let tomorrow = now + SignedDuration::from_hours(25);
        assert!(matches!(
            bench.refusal(tomorrow).await,
            Some(Refusal::Expired { .. })
        ));
    }

    #[tokio::test]
    async fn what_does_not_exist_is_not_remembered() {
        let bench = bench().await;
        let now = Timestamp::now();
        for n in 0..20 {
            let name = format!("nobody-{n}");
            let verdict = bench
                .directory
                .decide(&name, &bench.credentials, now)
                .await
                .unwrap();
            assert!(matches!(verdict, Verdict::NoOrganization(Refusal::Unknown)));
        }
        assert_eq!(bench.remembered(), 0);
        let unknown = Credentials::Bearer(
            Secret::from_random(SecretKind::Token, [6; 32])
                .reveal()
                .to_owned(),
        );
        let verdict = bench.directory.decide("acme", &unknown, now).await.unwrap();
        assert!(matches!(verdict, Verdict::Refused(_, Refusal::Unknown)));
        let delete = move |tx: &Transaction<'_>, id| Ok(organizations::delete(tx, id, now)?);
        bench.change(delete).await;
        let verdict = bench
            .directory
            .decide("acme", &bench.credentials, now)
            .await
            .unwrap();
        assert!(matches!(verdict, Verdict::NoOrganization(Refusal::Unknown)));
        assert_eq!(bench.remembered(), 0);
    }
}
