//! Users and groups in tables that an application has already: `people`, `teams` and `team_members`, with keys that the
//! database makes. It keeps seven attributes of a person; schema, filters and requests follow from its columns.
//!
//! The statements that the library writes run on PostgreSQL as well; here they run on SQLite, so that
//! `cargo run -p own-tables` needs no server. For authentication, see the example `multi-tenant`.

use std::error::Error;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::Path;
use rusqlite::{Connection, params_from_iter};
use scim::policy::Policy;
use scim::resources::{Group, User};
use scim::service::ScimService;
use scim::sql::{Column, Columns, Dialect, EdgeTable, SqlValue, Statement};
use scim::store::Event;
use scim::store::table::{Failure, Purpose, Refusal, SqlRows, SqlTables, Table, Tables};

/// The tables as they are. On PostgreSQL, the keys are BIGINT GENERATED ALWAYS AS IDENTITY.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS people (
        id INTEGER PRIMARY KEY AUTOINCREMENT, org TEXT NOT NULL, external_id TEXT, login TEXT NOT NULL,
        login_key TEXT NOT NULL, given_name TEXT, family_name TEXT, display_name TEXT, email TEXT,
        active BOOLEAN, version BIGINT NOT NULL, UNIQUE (org, login_key));
    CREATE TABLE IF NOT EXISTS teams (
        id INTEGER PRIMARY KEY AUTOINCREMENT, org TEXT NOT NULL, external_id TEXT, name TEXT NOT NULL,
        name_key TEXT NOT NULL, version BIGINT NOT NULL);
    CREATE TABLE IF NOT EXISTS team_members (
        team_id BIGINT NOT NULL REFERENCES teams, person_id BIGINT NOT NULL REFERENCES people,
        PRIMARY KEY (team_id, person_id));
    CREATE INDEX IF NOT EXISTS teams_of ON team_members (person_id);
    CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, org TEXT NOT NULL, event TEXT NOT NULL);";

/// Says which column holds which attribute. The letters keep the ids of people and teams apart.
fn people() -> Columns {
    let user = User::paths();
    Columns::table::<User>(Dialect::Sqlite, "people", Column::numbered("id", "p"))
        .tenant("org")
        .version("version")
        .column(user.external_id(), Column::text("external_id"))
        .column(user.user_name(), Column::folded("login", "login_key"))
        .column(user.name().given_name(), Column::text("given_name"))
        .column(user.name().family_name(), Column::text("family_name"))
        .column(user.display_name(), Column::text("display_name"))
        .column(user.active(), Column::boolean("active"))
        .one(user.emails(), Column::text("email"), &[("type", "work")])
}

fn teams(people: &Columns) -> Columns {
    let group = Group::paths();
    Columns::table::<Group>(Dialect::Sqlite, "teams", Column::numbered("id", "t"))
        .tenant("org")
        .version("version")
        .column(group.external_id(), Column::text("external_id"))
        .column(group.display_name(), Column::folded("name", "name_key"))
        .edges(
            group.members(),
            EdgeTable::new("team_members", "team_id", "person_id", people),
        )
}

/// The application's database: a small pool of connections.
struct Directory {
    file: PathBuf,
    idle: Mutex<Vec<Connection>>,
    people: Columns,
    teams: Columns,
}

/// A transaction for an organization. If it is dropped, so is its connection, and SQLite rolls back.
struct Unit {
    connection: Connection,
    org: String,
}

impl Directory {
    fn open(file: impl Into<PathBuf>) -> Result<Self, Box<dyn Error>> {
        let directory = Self {
            file: file.into(),
            idle: Mutex::default(),
            teams: teams(&people()),
            people: people(),
        };
        let connection = directory.connection()?;
        connection.execute_batch("PRAGMA journal_mode = WAL")?;
        connection.execute_batch(TABLES)?;
        Ok(directory)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connection(&self) -> rusqlite::Result<Connection> {
        let idle = self.idle().pop();
        if let Some(connection) = idle {
            return Ok(connection);
        }
        let connection = Connection::open(&self.file)?;
        connection.execute_batch("PRAGMA foreign_keys = ON")?;
        Ok(connection)
    }
}

impl<C: Send + Sync + 'static> Tables<C> for Directory {
    type Unit = Unit;

    async fn begin(&self, _: &C, tenant: &str, purpose: Purpose) -> Result<Unit, Failure> {
        let connection = self.connection()?;
        connection.execute_batch(match purpose {
            Purpose::Read => "BEGIN",
            Purpose::Write => "BEGIN IMMEDIATE",
        })?;
        let org = tenant.to_owned();
        Ok(Unit { connection, org })
    }

    async fn commit(&self, unit: Unit) -> Result<(), Failure> {
        unit.connection.execute_batch("COMMIT")?;
        self.idle().push(unit.connection);
        Ok(())
    }

    /// Constraints are known by name: on PostgreSQL, the error of the driver says it.
    fn refusal(&self, error: &(dyn Error + 'static)) -> Refusal {
        match error.to_string() {
            text if text.contains("people.login_key") => Refusal::taken(User::paths().user_name()),
            text if text.contains("FOREIGN KEY") => Refusal::Missing,
            text if text.contains("database is locked") => Refusal::Again,
            _ => Refusal::Other,
        }
    }
}

impl<C: Send + Sync + 'static> SqlTables<C> for Directory {
    async fn run(&self, unit: &mut Unit, statement: &Statement) -> Result<Vec<Vec<SqlValue>>, Failure> {
        let mut prepared = unit.connection.prepare_cached(&statement.text)?;
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

    /// Statements of the application in the same transaction: here, an outbox that something else will empty.
    async fn record(&self, unit: &mut Unit, _: &Arc<C>, event: &Event<User>) -> Result<(), Failure> {
        let line = format!("{} is at version {}", event.id, event.version);
        let insert = "INSERT INTO outbox (org, event) VALUES (?1, ?2)";
        unit.connection.execute(insert, [&unit.org, &line])?;
        Ok(())
    }
}

impl<C: Send + Sync + 'static> SqlRows<Group, C> for Directory {
    fn columns(&self) -> &Columns {
        &self.teams
    }
}

/// Makes a complete store of it. SQLite blocks, so it works on threads of its own.
fn table<C: Send + Sync + 'static>(directory: Directory) -> Table<Directory, C> {
    Table::new(directory)
        .resource::<User>()
        .resource::<Group>()
        .link(Group::paths().members(), User::paths().groups())
        .on_threads(4)
}

/// Mounts the service, which keeps what the columns hold: it lists no other attribute, and accepts others without keeping them.
fn app(directory: Directory) -> scim::Result<axum::Router> {
    let (people, teams) = (directory.people.kept::<User>(), directory.teams.kept::<Group>());
    let table = table(directory).tenant_by(|Path(org): &Path<String>| Some(org.into()));
    let service = ScimService::builder(scim_axum::extract::<Path<String>>())
        .resource::<User, _>(table.clone())
        .resource::<Group, _>(table)
        .policy(Policy::tolerant().keeping(people).keeping(teams))
        .build()?;
    Ok(scim_axum::mount("/scim/{org}/v2", service))
}

#[tokio::main]
#[allow(clippy::print_stdout, reason = "an example talks to the person who runs it")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:3000".into());
    let file = arguments.next().unwrap_or_else(|| "own-tables.sqlite".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("curl http://{}/scim/acme/v2/Schemas", listener.local_addr()?);
    axum::serve(listener, app(Directory::open(file)?)?).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
