//! The product's own tables, beside those of the library's store and in the same database.

pub(crate) mod accounts;
pub(crate) mod activity;
mod address;
pub(crate) mod adoptions;
pub(crate) mod attempts;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod bindings;
mod carry_over;
pub(crate) mod check;
pub(crate) mod conflict;
pub(crate) mod connection;
pub(crate) mod credentials;
pub(crate) mod delivery;
pub(crate) mod demonstration;
pub(crate) mod devices;
pub(crate) mod effective;
pub(crate) mod entries;
pub(crate) mod erasure;
pub(crate) mod event;
pub(crate) mod grants;
pub(crate) mod groups;
pub(crate) mod held;
pub(crate) mod history;
pub(crate) mod imports;
pub(crate) mod instance_owners;
mod key_file;
pub(crate) mod keys;
pub(crate) mod links;
pub(crate) mod living;
pub(crate) mod local_groups;
mod lock;
pub(crate) mod losses;
pub(crate) mod mail;
pub(crate) mod mappings;
mod migrations;
pub(crate) mod named;
pub(crate) mod organizations;
pub(crate) mod page;
pub(crate) mod passwords;
#[cfg(test)]
mod plans;
pub(crate) mod power;
mod purge;
pub(crate) mod recovery_codes;
pub(crate) mod request_body;
mod retention;
pub(crate) mod roles;
mod rotation;
pub(crate) mod saml;
pub(crate) mod sealed_columns;
pub(crate) mod search;
mod search_keys;
pub(crate) mod second_factors;
mod sequence;
pub(crate) mod sessions;
pub(crate) mod setup_links;
pub(crate) mod sign_in_names;
pub(crate) mod sources;
mod stop;
pub(crate) mod subject_names;
pub(crate) mod tokens;
pub(crate) mod tolerance_use;
pub(crate) mod waiting;

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use scim::resources::Group;
use scim::store::database::{Database, Options, Param, Reader, Sender, Stream, Transaction};
pub(crate) use scim::store::database::{Health, Statistics};
use scim::store::documents::{Builder, DocumentStore};
use uuid::Uuid;

pub(crate) use self::address::Address;
use self::keys::Keys;
use self::lock::Use;
pub(crate) use self::stop::Stop;
use crate::domain::batch::Batch;
use crate::domain::export_file::Position;
use crate::domain::fault::{Fault, Remedy, Result};
use crate::domain::organization::{Name, Organization};
use crate::domain::token::Token;
use crate::domain::user::User;

/// How old a reader's snapshot may get. Whatever is remembered of it on top must stay below a second in all.
pub(crate) const SNAPSHOT_AGE: Duration = Duration::from_millis(250);

/// How long a command waits until a server that is writing lets it write, too.
const PATIENCE: Duration = Duration::from_secs(60);

/// The purpose for which a database is opened.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// Many requests at once, within these limits.
    Serve(Box<Options>),
    /// One command.
    Command,
}

/// An organization and those of its tokens that can still be told from unknown ones.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) organization: Organization,
    /// Its id, as the store tells tenants apart.
    pub(crate) tenant: String,
    pub(crate) tokens: Vec<Token>,
}

/// Everything that the product keeps.
pub(crate) struct Product {
    database: Database,
    address: Address,
    keys: Keys,
    /// People and groups, once somebody has asked for them.
    people: OnceLock<DocumentStore<String>>,
    /// Changes of organizations and tokens made through this handle: whoever remembers them compares it.
    changes: AtomicU64,
    /// So that nobody puts another database in its place meanwhile.
    _use: Use,
}

impl fmt::Debug for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Product")
            .field("changes", &self.changes)
            .finish_non_exhaustive()
    }
}

impl Product {
    /// Opens the database, makes it if there is none, and brings its tables up to date.
    pub(crate) async fn open(address: &Address, purpose: Purpose) -> Result<Self> {
        address.prepare()?;
        let shared = Use::shared(address)?;
        let options = match purpose {
            Purpose::Serve(options) => *options,
            Purpose::Command => Options {
                readers: 1,
                searches: 1,
                streams: 1,
                busy_timeout: PATIENCE,
                ..Options::default()
            },
        };
        let options = Options {
            snapshot_age: SNAPSHOT_AGE,
            portable: true,
            ..options
        };
        let database = Database::open(address.path(), options).map_err(|cause| {
            Fault::internal(
                format!("The database {address} cannot be opened: check the path and its permissions."),
                cause,
            )
        })?;
        let product = Self {
            database,
            keys: Keys::of_file(address.key_file().to_owned()),
            people: OnceLock::new(),
            address: address.clone(),
            changes: AtomicU64::new(0),
            _use: shared,
        };
        // A command that only looks need not wait for a server that is writing.
        let is_ready = |reader: &Reader<'_>| migrations::are_done(reader) && carry_over::is_done(reader);
        if !product.read(move |reader| Ok(is_ready(reader))).await? {
            let store = product.documents::<String>().build().map_err(failed)?;
            let prepare = move |tx: &Transaction<'_>| {
                let now = Timestamp::now();
                if let Err(fault) = migrations::run(tx, now)? {
                    return Ok(Err(fault));
                }
                carry_over::run(tx, &store, now)?;
                search_keys::renew(tx)?;
                // Readers see what they were told to have been done, whoever did it.
                carry_over::note(tx, now).map(Ok)
            };
            product.write(prepare).await?;
        }
        product.unlock().await?;
        Ok(product)
    }

    /// Returns how often this process has changed an organization or a token.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Returns whether this is the first time that somebody asks, for as long as the database exists.
    pub(crate) async fn is_first_start(&self) -> Result<bool> {
        self.write(|tx| {
            let made = tx.execute(
                "INSERT INTO instance(key, value) VALUES ('started', ?1) ON CONFLICT (key) DO NOTHING",
                &[Timestamp::now().as_microsecond().to_string().as_str().into()],
            )?;
            Ok(Ok(made > 0))
        })
        .await
    }

    /// Notes where the server is reached, for commands that run beside it.
    pub(crate) async fn set_origin(&self, origin: &str) -> Result<()> {
        self.note("origin", origin.to_owned()).await
    }

    /// Returns where the server that started last on this database is reached.
    pub(crate) async fn origin(&self) -> Result<Option<String>> {
        self.noted("origin").await
    }

    /// Notes what the product is called.
    pub(crate) async fn set_product_name(&self, name: &str) -> Result<()> {
        self.note("product_name", name.to_owned()).await
    }

    /// Returns the name of the product, as the server that started last on this database has it.
    pub(crate) async fn product_name(&self) -> Result<Option<String>> {
        self.noted("product_name").await
    }

    /// Keeps a value of the instance as a whole.
    async fn note(&self, key: &'static str, value: String) -> Result<()> {
        self.write(move |tx| {
            tx.execute(
                "INSERT INTO instance(key, value) VALUES (?1, ?2)
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                &[key.into(), (&value).into()],
            )?;
            Ok(Ok(()))
        })
        .await
    }

    async fn noted(&self, key: &'static str) -> Result<Option<String>> {
        self.read(move |reader| {
            let sql = "SELECT value FROM instance WHERE key = ?1";
            reader.query_one(sql, &[key.into()], |row| Ok(row.text(0)?.to_owned()))
        })
        .await
    }

    /// Adds an organization that an import is to fill, without a token; without roles, if the file carries them.
    pub(crate) async fn create_for_import(
        &self,
        organization: Organization,
        start: Position,
        carries_roles: bool,
    ) -> Result<()> {
        self.transact(move |tx| {
            match carries_roles {
                true => organizations::create_empty(tx, &organization)?,
                false => organizations::create(tx, &organization, None)?,
            }
            imports::put(tx, organization.id, &start)?;
            Ok(())
        })
        .await
    }

    /// Returns how far the last import into an organization has come.
    pub(crate) async fn import_position(&self, organization: Uuid) -> Result<Option<Position>> {
        self.read(move |reader| imports::find(reader, organization)).await
    }

    /// Runs a part of an import as a transaction. A failure is told as the store tells it.
    pub(crate) async fn import<T: Send + 'static>(
        &self,
        job: impl Fn(&Transaction<'_>) -> scim::Result<T> + Send + 'static,
    ) -> scim::Result<T> {
        self.database.write(job).await
    }

    /// Returns every organization, by name.
    pub(crate) async fn organizations(&self) -> Result<Vec<Organization>> {
        self.read(organizations::all).await
    }

    /// Returns one organization and its tokens, the oldest token first.
    pub(crate) async fn organization(&self, name: &Name) -> Result<Access> {
        let name = name.clone();
        self.read(move |reader| Ok(access(reader, &name)?.ok_or_else(|| unknown(&name))))
            .await?
    }

    /// Removes what deleted organizations have left behind, where a process ended before it had removed it all.
    pub(crate) async fn purge_deleted(&self, now: Timestamp) -> Result<()> {
        for organization in self.read(organizations::to_purge).await? {
            self.purge(organization, now).await?;
        }
        Ok(())
    }

    /// Removes people and groups of a deleted organization, where no change can follow.
    pub(crate) async fn purge(&self, organization: Uuid, now: Timestamp) -> Result<()> {
        let documents = self.documents::<String>().build().map_err(failed)?;
        documents
            .delete_tenant(&organization.to_string())
            .await
            .map_err(failed)?;
        while self
            .write(move |tx| Ok(Ok(purge::step(tx, organization)?)))
            .await?
        {}
        self.write(move |tx| Ok(Ok(organizations::purged(tx, organization, now)?)))
            .await
    }

    /// Returns what decides about requests to an organization, as a reader sees it: up to a moment old.
    pub(crate) async fn access(&self, name: &Name) -> Result<Option<Access>> {
        let name = name.clone();
        self.read(move |reader| access(reader, &name)).await
    }

    /// Returns the same as it is now, also if another process has changed it: asked of the writer, who sees the newest state.
    pub(crate) async fn access_now(&self, name: &Name) -> Result<Option<Access>> {
        let name = name.clone();
        self.write(move |tx| Ok(Ok(access(tx, &name)?))).await
    }

    /// Returns [`Product::access`] of many organizations, in their order.
    pub(crate) async fn accesses(&self, names: Vec<Name>) -> Result<Vec<Option<Access>>> {
        self.read(move |reader| names.iter().map(|name| access(reader, name)).collect())
            .await
    }

    /// Prepares the store of people and groups, in the same database; tenants are the ids of organizations.
    pub(crate) fn documents<C: 'static>(&self) -> Builder<C> {
        DocumentStore::on(self.database.clone())
            .resource::<User>()
            .resource::<Group>()
            .link(Group::paths().members(), User::paths().groups())
    }

    /// Returns the store of people and groups as they are read, by the id of an organization as a text.
    ///
    /// # Errors
    /// Internal if the database fails.
    pub(crate) fn store(&self) -> Result<&DocumentStore<String>> {
        match self.people.get() {
            Some(store) => Ok(store),
            None => {
                let store = self.documents().build().map_err(failed)?;
                Ok(self.people.get_or_init(|| store))
            }
        }
    }

    /// Writes what the history gathered.
    ///
    /// The rows of busy moments are written some at a time, so that others write in between. If it fails, the whole batch may
    /// be written again.
    pub(crate) async fn append_history(&self, batch: Arc<Batch>) -> Result<()> {
        let (slices, last) = history::slices(batch.rows.len());
        for slice in slices {
            let batch = Arc::clone(&batch);
            self.append(move |tx| history::append_rows(tx, &batch, slice.clone()))
                .await?;
        }
        self.append(move |tx| history::append(tx, &batch, last.clone()))
            .await
    }

    /// Checks whether the database answers with what is ours.
    pub(crate) async fn ping(&self) -> Result<()> {
        let look = |reader: &Reader<'_>| {
            reader
                .query_one("SELECT 1 FROM instance LIMIT 1", &[], |_| Ok(()))
                .map(|_| ())
        };
        self.database.look_up(look).await.map_err(failed)
    }

    /// Tells whether the database can do its work, as far as that has shown: nobody is asked.
    pub(crate) fn health(&self) -> Health {
        self.database.health()
    }

    /// Returns what the database has done since it was opened.
    pub(crate) fn statistics(&self) -> Statistics {
        self.database.statistics()
    }

    /// Returns the files of the database that there are, and their sizes in bytes.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let main = self.address.path();
        let mut log = main.as_os_str().to_owned();
        log.push("-wal");
        [("database", main.into()), ("wal", PathBuf::from(log))]
            .into_iter()
            .filter_map(|(name, path)| Some((name, std::fs::metadata(path).ok()?.len())))
    }

    /// Returns when the next token of an enabled organization expires.
    pub(crate) async fn next_expiry(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        self.read(move |reader| tokens::next_expiry(reader, now)).await
    }

    /// Ends what waits and closes the file.
    pub(crate) async fn close(&self) {
        self.database.close().await;
    }

    /// Reads what is committed, up to a moment old.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        job: impl Fn(&Reader<'_>) -> scim::Result<T> + Send + 'static,
    ) -> Result<T> {
        self.database.read(job).await.map_err(failed)
    }

    /// Has whatever is read from now on show everything that is committed, by other processes too.
    pub(crate) fn catch_up(&self) {
        self.database.catch_up();
    }

    /// Streams what a job finds under one snapshot, while somebody takes it.
    pub(crate) fn stream(
        &self,
        job: impl FnOnce(&Reader<'_>, &mut Sender) -> scim::Result<()> + Send + 'static,
    ) -> Stream {
        self.database.stream(job)
    }

    /// Runs a job that writes. It answers `Err` if the database fails, and `Ok(Err)` if a rule forbids it, before it
    /// has changed anything.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        job: impl Fn(&Transaction<'_>) -> scim::Result<Result<T>> + Send + 'static,
    ) -> Result<T> {
        self.database.write(job).await.map_err(failed)?
    }

    /// Writes what no look-up of people and groups asks for.
    async fn append(
        &self,
        job: impl Fn(&Transaction<'_>) -> scim::Result<()> + Send + 'static,
    ) -> Result<()> {
        self.database.append(job).await.map_err(failed)
    }

    /// Notes that this process has changed what others remember.
    fn changed(&self) {
        self.changes.fetch_add(1, Ordering::Release);
    }
}

fn access(reader: &Reader<'_>, name: &Name) -> scim::Result<Option<Access>> {
    let Some(organization) = organizations::find(reader, name)? else {
        return Ok(None);
    };
    let tokens = tokens::all(reader, organization.id)?;
    Ok(Some(Access {
        tenant: organization.id.to_string(),
        organization,
        tokens,
    }))
}

/// Returns the fault of naming an organization that does not exist.
pub(crate) fn unknown(name: &Name) -> Fault {
    Fault::not_found(format!("There is no organization {:?}", name.as_str())).mended_by(Remedy {
        page: "the page Organizations lists them all.",
        command: "\"org list\" shows them all.",
    })
}

/// Makes the fault that says that the database has failed. Its cause is for the operator: a command prints it, a server logs it.
pub(crate) fn failed(cause: scim::Error) -> Fault {
    let sentence = match cause.status() {
        StatusCode::SERVICE_UNAVAILABLE => {
            "The database was busy with other work for too long: repeat this later."
        }
        _ => "The database failed.",
    };
    Fault::internal(sentence, cause)
}

/// Opens a new database in a folder that lasts as long as the test holds it.
#[cfg(test)]
pub(crate) async fn product_of_test() -> (Product, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("sqlite://{}", folder.path().join("x.db").display());
    let address = Address::parse(&address).unwrap();
    (Product::open(&address, Purpose::Command).await.unwrap(), folder)
}

/// Returns the number that a statement counts.
fn count(reader: &Reader<'_>, sql: &str, params: &[Param<'_>]) -> scim::Result<u64> {
    let count = reader.query_one(sql, params, |row| row.integer(0))?;
    Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}

/// Returns so many parameters of a list, from the one with this number on.
fn placeholders(first: usize, count: usize) -> String {
    let numbers = (first..first + count).map(|number| format!("?{number}"));
    numbers.collect::<Vec<_>>().join(", ")
}

/// Reads an id as it is stored: 16 bytes.
fn read_id(bytes: &[u8]) -> scim::Result<Uuid> {
    Uuid::from_slice(bytes).map_err(scim::Error::internal)
}

/// Reads a time as it is stored: microseconds since 1970.
fn read_time(microseconds: i64) -> scim::Result<Timestamp> {
    Timestamp::from_microsecond(microseconds).map_err(scim::Error::internal)
}
