//! Whether a store is as it must be: every row that belongs to another is there, and all of them say the same.

mod resources;
mod rows;

use std::any::Any;
use std::collections::HashMap;
use std::fmt::{self, Display, Formatter};

use super::core::Core;
use super::store::DocumentStore;
use crate::Result;
use crate::error::quoted;
use crate::record::{Record, ScimResource};
use crate::schema::ResourceType;
use crate::store::database::Reader;
use crate::store::database::failure::is_damage;

/// Something that is not as it must be.
///
/// It names tenants, types and ids, and no value of a resource, so that it may stand in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The tenant, if it is about one.
    pub tenant: Option<String>,
    /// The resource type and the id, if it is about one resource.
    pub resource: Option<(&'static str, String)>,
    /// The fault, as a clause: "its version is not the one in its document".
    pub what: String,
}

impl Finding {
    /// Makes a finding about the whole.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            tenant: None,
            resource: None,
            what: what.into(),
        }
    }

    /// Returns the same finding, about a tenant.
    #[must_use]
    pub fn of_tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Returns the same finding, about a resource.
    #[must_use]
    pub fn about(mut self, resource_type: &'static str, id: impl Into<String>) -> Self {
        self.resource = Some((resource_type, id.into()));
        self
    }
}

impl Display for Finding {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(tenant) = self.tenant.as_deref().filter(|tenant| !tenant.is_empty()) {
            write!(f, "{tenant}: ")?;
        }
        if let Some((resource_type, id)) = &self.resource {
            write!(f, "{resource_type} {}: ", quoted(id))?;
        }
        f.write_str(&self.what)
    }
}

/// A resource that could be read, without its edges.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Inspected<'a> {
    /// Whose it is.
    pub tenant: &'a str,
    /// The kind of thing.
    pub resource_type: &'static ResourceType,
    /// Its identifier.
    pub id: &'a str,
    /// Its state, as far as its schema knows it.
    pub record: &'a dyn Record,
    state: &'a dyn Any,
}

impl<'a> Inspected<'a> {
    /// Returns whether it is a resource of type `R`.
    #[must_use]
    pub fn is_of<R: ScimResource>(&self) -> bool {
        self.resource_type.name == R::RESOURCE_TYPE.name
    }

    /// Returns its state as the struct; `None` if it is of another type, or does not fit the struct any more.
    #[must_use]
    pub fn state<R: ScimResource>(&self) -> Option<&'a R> {
        self.state.downcast_ref()
    }
}

/// An observer that follows a check.
pub trait Inspector {
    /// Hears of every resource that could be read, in whatever order: for what the application keeps beside it, and for
    /// those who show how far the check has come.
    ///
    /// # Errors
    /// An error ends the check, and is what it returns.
    fn resource(&mut self, resource: &Inspected<'_>) -> Result<()>;

    /// Hears of everything that is not as it must be. There may be very many.
    fn finding(&mut self, finding: Finding);
}

/// The counts of what a check has gone over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Checked {
    /// Resources, in all tenants.
    pub resources: u64,
    /// Edges, such as memberships.
    pub edges: u64,
}

impl<C: 'static> DocumentStore<C> {
    /// Goes over everything in the file and tells `inspector` what is not as it must be: the file itself, documents that
    /// cannot be read or do not fit their rows, comparison keys, edges, counters, and rows that belong to nothing. A
    /// file that SQLite calls damaged is not looked at any further.
    ///
    /// It takes a reader, so that an application can look at its own tables in the same snapshot;
    /// [`Database::walk`](crate::store::database::Database::walk) gives one that holds up nobody.
    ///
    /// ```
    /// use scim::resources::User;
    /// use scim::store::documents::{Finding, Inspected, Inspector, DocumentStore};
    ///
    /// /// Keeps what was found.
    /// #[derive(Default)]
    /// struct Notes(Vec<Finding>);
    ///
    /// impl Inspector for Notes {
    ///     fn resource(&mut self, _: &Inspected<'_>) -> scim::Result<()> {
    ///         Ok(())
    ///     }
    ///
    ///     fn finding(&mut self, finding: Finding) {
    ///         self.0.push(finding);
    ///     }
    /// }
    ///
    /// # fn main() -> scim::Result<()> {
    /// let store: DocumentStore = DocumentStore::in_memory()?.resource::<User>().build()?;
    /// let checking = store.clone();
    /// let notes = store.database().blocking_read(move |reader| {
    ///     let mut notes = Notes::default();
    ///     checking.check(reader, &mut notes)?;
    ///     Ok(notes)
    /// })?;
    /// assert!(notes.0.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The database cannot be read, or the inspector ends the check.
    pub fn check(&self, reader: &Reader<'_>, inspector: &mut dyn Inspector) -> Result<Checked> {
        let mut check = Check {
            reader,
            core: self.core(),
            inspector,
            tenants: HashMap::new(),
            checked: Checked::default(),
        };
        match check.run() {
            Err(error) if is_damage(&error) => check.finding(Finding::new(DAMAGED)),
            outcome => outcome?,
        }
        Ok(check.checked)
    }
}

struct Check<'c, C> {
    reader: &'c Reader<'c>,
    core: &'c Core<C>,
    inspector: &'c mut dyn Inspector,
    tenants: HashMap<i64, String>,
    checked: Checked,
}

/// Said where not even the question for what is damaged can be answered.
const DAMAGED: &str = "the file is damaged: it cannot be read to its end";

impl<C: 'static> Check<'_, C> {
    fn run(&mut self) -> Result<()> {
        if !self.file()? {
            return Ok(());
        }
        let tenants = self
            .reader
            .query_all("SELECT id, name FROM scim_tenant", &[], |row| {
                Ok((
                    row.integer(0)?,
                    String::from_utf8_lossy(row.blob(1)?).into_owned(),
                ))
            })?;
        self.tenants = tenants.into_iter().collect();
        self.resources()?;
        self.rows()
    }

    /// Checks whether SQLite finds the file sound enough to go on.
    fn file(&mut self) -> Result<bool> {
        let verdicts = self.reader.query_all("PRAGMA integrity_check", &[], |row| {
            row.text(0).map(str::to_owned)
        })?;
        let is_sound = verdicts.iter().all(|verdict| verdict == "ok");
        for verdict in verdicts.into_iter().filter(|verdict| verdict != "ok") {
            self.finding(Finding::new(format!("the file is damaged: {verdict}")));
        }
        let broken = self.reader.query_all("PRAGMA foreign_key_check", &[], |row| {
            Ok((row.text(0)?.to_owned(), row.text(2)?.to_owned()))
        })?;
        for (from, to) in broken {
            let what = format!("a row of the table {from} leads to a row of {to} that does not exist");
            self.finding(Finding::new(what));
        }
        Ok(is_sound)
    }

    fn finding(&mut self, finding: Finding) {
        self.inspector.finding(finding);
    }

    /// Makes a finding about a tenant by its number.
    fn of_tenant(&self, number: i64, what: impl Into<String>) -> Finding {
        let finding = Finding::new(what);
        match self.tenants.get(&number) {
            Some(name) => finding.of_tenant(name.clone()),
            None => finding,
        }
    }

    fn type_name(&self, number: i64) -> Option<&'static str> {
        let (layout, _) = self.core.numbered.get(&number)?;
        Some(layout.resource_type.name)
    }
}
