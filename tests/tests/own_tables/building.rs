//! The faults that `build()` finds before the first request.

use scim::resources::{Group, User};
use scim::service::{Protocol, ScimService};
use scim::sql::{Column, Columns, Dialect, SqlValue, Statement};
use scim::store::Memory;
use scim::store::table::{Failure, Purpose, SqlRows, SqlTables, Table, Tables};
use scim::testkit::Tenant;

use crate::directory::Directory;

fn refused(table: Table<Directory, Tenant>) -> String {
    let service = Protocol::builder()
        .resource::<User, _>(table.clone())
        .resource::<Group, _>(table)
        .build();
    service.map(drop).unwrap_err().to_string()
}

/// A type that the table was not given, and members that nobody links, fail at the start in words.
#[test]
fn what_is_missing_is_named() {
    let table = || Table::new(Directory::in_memory());
    let linked =
        |table: Table<Directory, Tenant>| table.link(Group::paths().members(), User::paths().groups());
    assert_eq!(
        refused(linked(table().resource::<Group>())),
        "The table was not given the resource type User: add .resource::<User>() to it."
    );
    assert_eq!(
        refused(linked(table().resource::<User>())),
        "User shows which Group has an edge to it, but the table was not given that type: add .resource::<Group>() to it."
    );
    let error = refused(table().resource::<User>().resource::<Group>());
    assert!(
        error.contains(".link(Group::paths().members(), User::paths().groups())"),
        "{error}"
    );
}

/// Tables that are never asked.
struct Nothing(Columns);

impl Tables<()> for Nothing {
    type Unit = ();

    async fn begin(&self, _: &(), _: &str, _: Purpose) -> Result<(), Failure> {
        Ok(())
    }

    async fn commit(&self, (): ()) -> Result<(), Failure> {
        Ok(())
    }
}

impl SqlTables<()> for Nothing {
    async fn run(&self, (): &mut (), _: &Statement) -> Result<Vec<Vec<SqlValue>>, Failure> {
        Ok(Vec::new())
    }
}

impl SqlRows<User, ()> for Nothing {
    fn columns(&self) -> &Columns {
        &self.0
    }
}

impl SqlRows<Group, ()> for Nothing {
    fn columns(&self) -> &Columns {
        &self.0
    }
}

/// Columns that cannot hold a resource are found, too: a required attribute without one, edges without a table, columns of
/// another type, and none at all.
#[test]
fn columns_that_cannot_hold_a_resource_are_named() {
    let user = |columns| {
        Protocol::builder()
            .resource::<User, _>(Table::new(Nothing(columns)).resource::<User>())
            .build()
    };
    let group = |columns| {
        let table = Table::new(Nothing(columns)).resource::<Group>();
        let people = Memory::new().link(Group::paths().members(), User::paths().groups());
        let service = Protocol::builder().resource::<User, _>(people);
        service.resource::<Group, _>(table).build()
    };
    let id = || Column::text("id");
    let people = Columns::table::<User>(Dialect::Postgres, "people", id());
    let error = user(people.clone()).map(drop).unwrap_err().to_string();
    assert!(
        error.contains("userName of User is required, but people does not hold it"),
        "{error}"
    );
    // A key cannot be read back.
    let key = people
        .clone()
        .column(User::paths().user_name(), Column::key("login_key"));
    assert!(user(key.clone()).is_err());
    assert!(user(key.more("more")).is_ok());
    let teams = Columns::table::<Group>(Dialect::Postgres, "teams", id());
    let teams = teams.column(Group::paths().display_name(), Column::folded("name", "name_key"));
    let error = group(teams).map(drop).unwrap_err().to_string();
    assert!(
        error.contains("members of Group is marked edges, but teams does not hold it"),
        "{error}"
    );
    let error = group(people).map(drop).unwrap_err().to_string();
    assert_eq!(error, "The columns of people were made for User, but hold Group.");
    let error = user(Columns::new(Dialect::Postgres))
        .map(drop)
        .unwrap_err()
        .to_string();
    assert!(error.contains("Columns::table"), "{error}");
}

/// A table serves as well where there is one tenant and contexts say nothing of it.
#[test]
fn one_tenant_needs_no_context() {
    let people = Columns::table::<User>(Dialect::Postgres, "people", Column::text("id"));
    let people = people.column(User::paths().user_name(), Column::folded("login", "login_key"));
    let table = Table::new(Nothing(people)).resource::<User>().single_tenant();
    let service = ScimService::builder(scim::service::NoContext);
    assert!(service.resource::<User, _>(table).build().is_ok());
}
