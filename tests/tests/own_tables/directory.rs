//! People and teams in tables with a column for what is searched, and a JSON column for all else.

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, params_from_iter};
use scim::resources::{Group, User};
use scim::sql::{Column, Columns, Dialect, EdgeTable, SqlValue, Statement};
use scim::store::table::{Failure, Purpose, Refusal, SqlRows, SqlTables, Table, Tables};
use scim::store::{Cause, Event};
use scim::testkit::Tenant;

const TABLES: &str = "
    CREATE TABLE people (
        id INTEGER PRIMARY KEY AUTOINCREMENT, org TEXT NOT NULL, login TEXT NOT NULL, login_key TEXT NOT NULL,
        external_id TEXT, display_name TEXT, active BOOLEAN, version INTEGER NOT NULL DEFAULT 0, created INTEGER, modified INTEGER, more TEXT NOT NULL, UNIQUE (org, login_key));
    CREATE TABLE teams (
        id INTEGER PRIMARY KEY AUTOINCREMENT, org TEXT NOT NULL, name TEXT NOT NULL, name_key TEXT NOT NULL,
        version INTEGER NOT NULL DEFAULT 0, created INTEGER, modified INTEGER, more TEXT NOT NULL);
    CREATE TABLE team_members (
        team INTEGER NOT NULL REFERENCES teams, person INTEGER NOT NULL REFERENCES people, PRIMARY KEY (team, person));
    CREATE TABLE team_children (
        team INTEGER NOT NULL REFERENCES teams, child INTEGER NOT NULL REFERENCES teams, PRIMARY KEY (team, child));
    CREATE TABLE history (line TEXT NOT NULL);
    CREATE INDEX teams_of ON team_members (person);
    CREATE INDEX parents_of ON team_children (child);";

/// The tables, and what has happened to them.
pub(crate) struct Directory {
    uri: String,
    /// A database in memory lives as long as one connection to it.
    _anchor: Mutex<Connection>,
    people: Columns,
    teams: Columns,
    pub(crate) reads: AtomicUsize,
    pub(crate) writes: AtomicUsize,
    pub(crate) statements: Mutex<Vec<String>>,
}

/// A transaction for a tenant. A connection that is dropped rolls back.
pub(crate) struct Unit {
    connection: Connection,
    org: String,
}

impl Directory {
    /// Makes a database of its own, in memory.
    pub(crate) fn in_memory() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self::at(format!("file:own-tables-{number}?mode=memory&cache=shared"))
    }

    /// Makes a database in a file.
    pub(crate) fn in_file(path: &Path) -> Self {
        Self::at(format!("file:{}", path.display()))
    }

    /// Makes one in memory in which nobody keeps versions and times.
    pub(crate) fn without_versions() -> Self {
        let mut directory = Self::in_memory();
        directory.people = searched_people();
        directory.teams = with_members(searched_teams(), &directory.people);
        directory
    }

    fn at(uri: String) -> Self {
        let anchor = Connection::open(&uri).unwrap();
        anchor.execute_batch("PRAGMA journal_mode = WAL").unwrap();
        anchor.execute_batch(TABLES).unwrap();
        let people = with_versions(searched_people());
        Self {
            teams: with_members(with_versions(searched_teams()), &people),
            people,
            uri,
            _anchor: Mutex::new(anchor),
            reads: AtomicUsize::new(0),
            writes: AtomicUsize::new(0),
            statements: Mutex::default(),
        }
    }

    /// Runs a statement past the store.
    pub(crate) fn behind<T>(&self, act: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> T {
        act(&Connection::open(&self.uri).unwrap()).unwrap()
    }
}

/// Returns the columns of people, but for versions and times.
fn searched_people() -> Columns {
    let user = User::paths();
    Columns::table::<User>(Dialect::Sqlite, "people", Column::numbered("id", "p"))
        .tenant("org")
        .column(user.user_name(), Column::folded("login", "login_key"))
        .column(user.external_id(), Column::text("external_id"))
        .column(user.display_name(), Column::text("display_name"))
        .column(user.active(), Column::boolean("active"))
        .more("more")
}

/// Returns the columns of teams, but for versions, times and members.
fn searched_teams() -> Columns {
    Columns::table::<Group>(Dialect::Sqlite, "teams", Column::numbered("id", "t"))
        .tenant("org")
        .column(Group::paths().display_name(), Column::folded("name", "name_key"))
        .more("more")
}

fn with_versions(columns: Columns) -> Columns {
    columns.version("version").created("created").modified("modified")
}

/// Adds the members, which are people and teams, in a table each.
fn with_members(teams: Columns, people: &Columns) -> Columns {
    let members = Group::paths().members();
    let nested = EdgeTable::new("team_children", "team", "child", &teams);
    teams
        .edges(members, EdgeTable::new("team_members", "team", "person", people))
        .edges(members, nested)
}

/// Makes a complete store of it.
pub(crate) fn store(directory: Directory, threads: usize) -> Table<Directory, Tenant> {
    Table::new(directory)
        .resource::<User>()
        .resource::<Group>()
        .link(Group::paths().members(), User::paths().groups())
        .on_threads(threads)
}

impl<C: Send + Sync + 'static> Tables<C> for Directory {
    type Unit = Unit;

    async fn begin(&self, _: &C, tenant: &str, purpose: Purpose) -> Result<Unit, Failure> {
        let connection = Connection::open(&self.uri)?;
        connection.execute_batch("PRAGMA foreign_keys = ON")?;
        let (begin, counter) = match purpose {
            Purpose::Read => ("BEGIN", &self.reads),
            Purpose::Write => ("BEGIN IMMEDIATE", &self.writes),
        };
        connection.execute_batch(begin)?;
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(Unit {
            connection,
            org: tenant.to_owned(),
        })
    }

    async fn commit(&self, unit: Unit) -> Result<(), Failure> {
        Ok(unit.connection.execute_batch("COMMIT")?)
    }

    fn refusal(&self, error: &(dyn Error + 'static)) -> Refusal {
        match error.downcast_ref::<rusqlite::Error>().map(ToString::to_string) {
            Some(text) if text.contains("people.login_key") => Refusal::taken(User::paths().user_name()),
            Some(text) if text.contains("FOREIGN KEY") => Refusal::Missing,
            _ => Refusal::Other,
        }
    }
}

impl<C: Send + Sync + 'static> SqlTables<C> for Directory {
    async fn run(&self, unit: &mut Unit, statement: &Statement) -> Result<Vec<Vec<SqlValue>>, Failure> {
        self.statements.lock().unwrap().push(statement.text.clone());
        let mut prepared = unit.connection.prepare(&statement.text)?;
        let width = prepared.column_count();
        let rows = prepared.query_map(params_from_iter(&statement.parameters), |row| {
            (0..width).map(|column| row.get(column)).collect()
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn tenant(&self, unit: &Unit) -> SqlValue {
        SqlValue::Text(unit.org.clone())
    }
}

impl<C: Send + Sync + 'static> SqlRows<User, C> for Directory {
    fn columns(&self) -> &Columns {
        &self.people
    }

    async fn record(&self, unit: &mut Unit, _: &Arc<C>, event: &Event<User>) -> Result<(), Failure> {
        if event.after().is_some_and(|user| user.user_name == "root") {
            return Err(scim::Error::invalid_value("must not be root")
                .at("userName")
                .into());
        }
        let password = event.after().and_then(|user| user.password.as_ref());
        let line = format!("{} {} {}", event.id, event.version, password.is_some());
        unit.connection
            .execute("INSERT INTO history (line) VALUES (?1)", [line])?;
        Ok(())
    }
}

impl<C: Send + Sync + 'static> SqlRows<Group, C> for Directory {
    fn columns(&self) -> &Columns {
        &self.teams
    }

    async fn record(&self, unit: &mut Unit, _: &Arc<C>, event: &Event<Group>) -> Result<(), Failure> {
        let moved: Vec<_> = event
            .edges
            .iter()
            .map(|edges| (edges.added, edges.removed))
            .collect();
        let line = format!("{} {} {moved:?} {}", event.id, event.version, cause(&event.cause));
        unit.connection
            .execute("INSERT INTO history (line) VALUES (?1)", [line])?;
        Ok(())
    }
}

fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Deletion { resource_type, id } => format!("without {resource_type} {id}"),
        _ => "by itself".to_owned(),
    }
}
