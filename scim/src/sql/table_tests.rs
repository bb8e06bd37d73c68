//! The statements that columns write, and that what they write is what they read and find.

use proptest::prelude::*;
use rusqlite::{Connection, params_from_iter};

use super::*;
use crate::ScimResource;
use crate::filter::{Filter, Resolve, ResolvedFilter};
use crate::limits::Limits;
use crate::resources::{Email, Group, Name, User};
use crate::sort::{Sort, SortOrder};
use crate::value::{Cx, DateTime, Intent, ResourceId, Strict};

fn people(dialect: Dialect) -> Columns {
    let user = User::paths();
    Columns::table::<User>(dialect, "people", Column::numbered("id", "p"))
        .tenant("org")
        .version("version")
        .modified("modified")
        .column(user.user_name(), Column::folded("login", "login_key"))
        .column(user.name().family_name(), Column::text("family_name"))
        .column(user.active(), Column::boolean("active"))
        .one(
            user.emails(),
            Column::folded("email", "email_key"),
            &[("type", "work")],
        )
}

fn teams(people: &Columns) -> Columns {
    let group = Group::paths();
    Columns::table::<Group>(Dialect::Postgres, "teams", Column::numbered("id", "t"))
        .tenant("org")
        .column(group.display_name(), Column::folded("name", "name_key"))
        .edges(
            group.members(),
            EdgeTable::new("team_members", "team_id", "person_id", people),
        )
}

fn org() -> SqlValue {
    SqlValue::Text("acme".into())
}

fn content(record: &User) -> Content<'_> {
    Content {
        id: "p7",
        version: "3",
        created: None,
        modified: Some(DateTime::from_unix_micros(5)),
        record,
    }
}

/// Statements that run on PostgreSQL, where no test of this crate can: texts without values, a lock, and an id that comes back.
#[test]
fn statements_are_those_of_the_dialect() {
    let people = people(Dialect::Postgres);
    let user = User::new("BJensen");
    let columns = "login_key, login, family_name, active, email_key, email, version, modified";
    let find = people.find(&org(), "p7", true).unwrap().unwrap();
    assert_eq!(
        find.text,
        "SELECT id, version, modified, login, family_name, active, email FROM people WHERE org = $1 AND id = $2 FOR UPDATE"
    );
    assert_eq!(find.parameters, [org(), SqlValue::Integer(7)]);
    let insert = people.insert(&org(), &content(&user)).unwrap();
    assert_eq!(
        insert.text,
        format!(
            "INSERT INTO people (org, {columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id"
        )
    );
    assert_eq!(insert.parameters[1], SqlValue::Text("bjensen".into()));
    let update = people.update(&org(), &content(&user), "2").unwrap();
    assert!(
        update
            .text
            .starts_with("UPDATE people SET login_key = $1, login = $2, "),
        "{}",
        update.text
    );
    assert!(
        update
            .text
            .ends_with(" WHERE org = $9 AND id = $10 AND version = $11 RETURNING id"),
        "{}",
        update.text
    );
    assert_eq!(update.parameters[10], SqlValue::Integer(2));
    let delete = people.delete(&org(), "p7", "3").unwrap();
    assert_eq!(
        delete.text,
        "DELETE FROM people WHERE org = $1 AND id = $2 AND version = $3 RETURNING id"
    );
    let filter = User::paths().user_name().eq("x").resolve().unwrap();
    let condition = people.compile(filter.expression()).unwrap();
    let window = Window {
        condition: Some(&condition),
        order: Some("login_key"),
        offset: 20,
        count: 10,
    };
    let select = people.select(&org(), &window).unwrap();
    let from = " FROM people WHERE org = $1 AND (login_key = $2) ORDER BY login_key, id LIMIT $3 OFFSET $4";
    assert!(select.text.ends_with(from), "{}", select.text);
}

/// The other ends of edges are read by their table, and edges that come are not an error where they are already.
#[test]
fn edges_are_statements_about_their_table() {
    let people = people(Dialect::Postgres);
    let teams = teams(&people);
    let path = Group::paths().members().path();
    let table = teams.edge_tables(path).next().unwrap();
    let read = table
        .read(&teams, &org(), "t1", Some(&["p2", "x", "p3"]))
        .unwrap()
        .unwrap();
    assert_eq!(
        read.text,
        "SELECT reached.id, NULL FROM team_members edge JOIN people reached ON reached.id = edge.person_id WHERE \
         reached.org = $1 AND edge.team_id = $2 AND edge.person_id IN ($3, $4) ORDER BY edge.person_id"
    );
    assert_eq!(read.parameters[1..], [1, 2, 3].map(SqlValue::Integer));
    let owners = table.leading_to(&teams, &org(), "p2").unwrap().unwrap();
    assert!(
        owners
            .text
            .starts_with("SELECT reached.id, reached.name FROM team_members edge JOIN teams reached")
    );
    assert!(
        table.leading_to(&teams, &org(), "t2").unwrap().is_none(),
        "no edge leads to a team"
    );
    let changes = EdgeChanges {
        owner: "t1",
        targets: vec!["p2", "p3"],
    };
    let add = table.add(&teams, &changes).unwrap();
    let text =
        "INSERT INTO team_members (team_id, person_id) VALUES ($1, $2), ($3, $4) ON CONFLICT DO NOTHING";
    assert_eq!(
        add.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(),
        [text]
    );
    let filter = Group::paths()
        .members()
        .any(|member| member.value().eq("p2"))
        .resolve()
        .unwrap();
    assert_eq!(
        teams.compile(filter.expression()).unwrap().condition,
        "EXISTS (SELECT 1 FROM team_members WHERE team_members.team_id = teams.id AND team_members.person_id = $2)"
    );
}

/// Whoever forgets to say whose rows are asked for is told, and reaches nobody's.
#[test]
fn a_tenant_column_needs_a_tenant() {
    let error = people(Dialect::Sqlite)
        .find(&SqlValue::Null, "p1", false)
        .unwrap_err();
    assert!(error.to_string().contains("SqlTables::tenant"), "{error}");
}

const TABLE: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, org TEXT, version INTEGER, modified INTEGER, login TEXT, \
                     login_key TEXT, family_name TEXT, active BOOLEAN, email TEXT, email_key TEXT)";

const FILTERS: [&str; 14] = [
    "id eq \"p2\"",
    "id ne \"p2\"",
    "id sw \"p1\"",
    "id co \"1\" or id gt \"p3\"",
    "not (id pr)",
    "userName sw \"a\" and active eq true",
    "emails pr",
    "not (emails pr)",
    "emails[type eq \"work\"]",
    "emails[type eq \"home\" or value eq \"A@x\"]",
    "emails[not (type eq \"home\")]",
    "not (emails[type eq \"WORK\" and value sw \"a\"])",
    "emails.type ne \"work\"",
    "emails.value co \"x\"",
];

fn run(database: &Connection, statement: &Statement) -> Vec<Vec<SqlValue>> {
    let mut prepared = database.prepare(&statement.text).unwrap();
    let width = prepared.column_count();
    let rows = prepared.query_map(params_from_iter(&statement.parameters), |row| {
        (0..width).map(|column| row.get(column)).collect()
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

fn read(columns: &Columns, row: &[SqlValue]) -> User {
    let found = columns.read(row).unwrap();
    let limits = Limits::default();
    let mut cx = Cx::new(Intent::Stored, &Strict, &limits);
    let mut user = User::decode(found.resource.as_json(), &mut cx).unwrap();
    user.id = ResourceId::new(found.id);
    user
}

fn email((value, kind): (&str, Option<&str>)) -> Email {
    Email {
        value: Some(value.to_owned()),
        kind: kind.map(str::to_owned),
        ..Email::default()
    }
}

prop_compose! {
    fn someone()(
        name in "[aAbß]{1,3}",
        family in prop::option::of("[a-c]{1,2}"),
        active in any::<Option<bool>>(),
        emails in prop::collection::vec(
            (prop::sample::select(&["a@x", "A@x", "b@y"][..]), prop::sample::select(&[None, Some("work"), Some("Work"), Some("home")][..])),
            0..3,
        ),
    ) -> User {
        let mut user = User::new(name);
        user.name = family.map(|family| Name { family_name: Some(family), ..Name::default() });
        user.active = active;
        user.emails = emails.into_iter().map(email).collect();
        user
    }
}

/// Returns what is kept of a person: of several addresses, the first that is not said to be for something else.
fn kept(user: &User) -> User {
    let is_work = |email: &&Email| {
        email
            .kind
            .as_deref()
            .is_none_or(|kind| kind.eq_ignore_ascii_case("work"))
    };
    let mut kept = user.clone();
    let first = user.emails.iter().find(is_work);
    kept.emails = first
        .map(|first| email((first.value.as_deref().unwrap_or_default(), Some("work"))))
        .into_iter()
        .collect();
    kept
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// RFC 7644 section 3.4.2.2: a row is read as it was written, and found by what it shows.
    #[test]
    fn rows_are_read_and_found_as_they_were_written(users in prop::collection::vec(someone(), 1..14)) {
        let columns = people(Dialect::Sqlite);
        let database = Connection::open_in_memory().unwrap();
        database.execute_batch(TABLE).unwrap();
        let mut shown = Vec::new();
        for user in &users {
            let rows = run(&database, &columns.insert(&org(), &content(user)).unwrap());
            let id = columns.id_in(&rows[0]).unwrap();
            let rows = run(&database, &columns.find(&org(), &id, true).unwrap().unwrap());
            let mut expected = kept(user);
            expected.id = ResourceId::new(&id);
            shown.push(read(&columns, &rows[0]));
            prop_assert_eq!(shown.last(), Some(&expected));
        }
        for text in FILTERS {
            let filter = Filter::parse(text, &Limits::default()).unwrap();
            let filter = ResolvedFilter::resolve(&filter, User::RESOURCE_TYPE.schema, Resolve::default()).unwrap();
            let condition = columns.compile(filter.expression()).unwrap();
            let window = Window { condition: Some(&condition), order: None, offset: 0, count: 100 };
            let rows = run(&database, &columns.select(&org(), &window).unwrap());
            let found: Vec<_> = rows.iter().map(|row| columns.id_in(row).unwrap()).collect();
            let expected = shown.iter().filter(|user| filter.matches(*user));
            let expected: Vec<_> = expected.map(|user| user.id.to_string()).collect();
            prop_assert_eq!(found, expected, "{}", text);
        }
        let sort = Sort::resolve(&"id".parse().unwrap(), SortOrder::Descending, User::RESOURCE_TYPE.schema).unwrap();
        let order = columns.order_by(&sort).unwrap();
        let window = Window { condition: None, order: Some(&order), offset: 0, count: 100 };
        let rows = run(&database, &columns.select(&org(), &window).unwrap());
        let found: Vec<_> = rows.iter().map(|row| columns.id_in(row).unwrap()).collect();
        shown.sort_by(|a, b| sort.compare(&sort.key(a), &sort.key(b)));
        prop_assert_eq!(found, shown.iter().map(|user| user.id.to_string()).collect::<Vec<_>>());
    }
}
