//! The product's tables, as numbered steps that run themselves once.
//!
//! Every key begins with the organization. Ids are made by the application; times are microseconds since 1970.

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};

use crate::domain::fault::{Fault, Result};

/// A step is never changed once it is released: what comes later is a step of its own.
const STEPS: &[&str] = &[
    "
CREATE TABLE instance (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE organization (
    id       BLOB    NOT NULL PRIMARY KEY,
    name     TEXT    NOT NULL,
    display  TEXT    NOT NULL,
    enabled  INTEGER NOT NULL,
    settings TEXT    NOT NULL,
    created  INTEGER NOT NULL,
    deleted  INTEGER,
    purged   INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX organization_name ON organization (name) WHERE deleted IS NULL;

CREATE TABLE token (
    org         BLOB    NOT NULL REFERENCES organization (id),
    id          BLOB    NOT NULL,
    fingerprint BLOB    NOT NULL,
    prefix      TEXT    NOT NULL,
    last_four   TEXT    NOT NULL,
    created     INTEGER NOT NULL,
    expires     INTEGER,
    revoked     INTEGER,
    last_used   INTEGER,
    PRIMARY KEY (org, id),
    UNIQUE (org, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE TABLE history (
    org           BLOB    NOT NULL,
    sequence      BLOB    NOT NULL,
    time          INTEGER NOT NULL,
    method        TEXT    NOT NULL,
    path          TEXT    NOT NULL,
    status        INTEGER NOT NULL,
    scim_type     TEXT,
    duration_us   INTEGER NOT NULL,
    meaning       TEXT    NOT NULL,
    resource_type TEXT,
    resource_id   TEXT,
    external_id   TEXT,
    token         BLOB,
    request_id    TEXT    NOT NULL,
    idp           TEXT    NOT NULL,
    notes         TEXT,
    error         TEXT,
    PRIMARY KEY (org, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE history_count (
    org          BLOB    NOT NULL PRIMARY KEY,
    unattributed INTEGER NOT NULL,
    overflow     INTEGER NOT NULL,
    last         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE group_name (
    org  BLOB NOT NULL,
    name TEXT NOT NULL,
    id   TEXT NOT NULL,
    PRIMARY KEY (org, name, id)
) STRICT, WITHOUT ROWID;
",
    "
CREATE TABLE import_position (
    org      BLOB    NOT NULL PRIMARY KEY,
    source   BLOB    NOT NULL,
    bytes    INTEGER NOT NULL,
    lines    INTEGER NOT NULL,
    digest   BLOB    NOT NULL,
    people   INTEGER NOT NULL,
    groups   INTEGER NOT NULL,
    members  INTEGER NOT NULL,
    skipped  INTEGER NOT NULL,
    finished INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
",
    // The policy `tolerant` was called `interop`.
    r#"
UPDATE organization SET settings = replace(settings, '"policy":"interop"', '"policy":"tolerant"');
"#,
    // Names of groups are compared without white space at their ends.
    "
UPDATE OR REPLACE group_name SET name = trim(name, char(9, 10, 11, 12, 13, 32, 133, 160, 8195, 12288));
",
    // A request that changed nothing is kept as codes, and its sentence is made when it is shown. Rows that have a
    // sentence keep it.
    "
ALTER TABLE history RENAME TO request;
ALTER TABLE request RENAME COLUMN meaning TO sentence;
ALTER TABLE request ADD COLUMN operation TEXT;
ALTER TABLE request ADD COLUMN total INTEGER;

CREATE VIEW history AS
WITH told AS (
    SELECT *, lower(coalesce(resource_type, 'resource')) AS noun FROM request
), tried AS (
    SELECT *, CASE operation
        WHEN 'create' THEN 'create a ' || noun
        WHEN 'get' THEN 'read a ' || noun
        WHEN 'query' THEN 'look for ' || noun || 's'
        WHEN 'query-all' THEN 'look for ' || noun || 's'
        WHEN 'replace' THEN 'replace a ' || noun
        WHEN 'patch' THEN 'change a ' || noun
        WHEN 'delete' THEN 'delete a ' || noun
        WHEN 'discover' THEN 'read what the service can do'
        WHEN 'options' THEN 'ask what can be done'
        ELSE 'unknown request'
    END AS attempt FROM told
)
SELECT org, sequence, time, method, path, status, scim_type, duration_us,
    CASE
        WHEN sentence <> '' THEN sentence
        WHEN status = 404 THEN 'not found: ' || attempt
        WHEN status = 501 THEN 'not supported: ' || attempt
        WHEN status >= 500 THEN 'failed: ' || attempt
        WHEN status >= 400 THEN 'rejected: ' || attempt
        WHEN total IS NOT NULL THEN 'looked for ' || noun || 's: ' || total || ' found'
        WHEN operation IN ('create', 'replace', 'patch') THEN 'changed nothing: the ' || noun || ' was like that already'
        ELSE attempt
    END AS meaning,
    resource_type, resource_id, external_id, token, request_id, idp, notes, error
FROM tried;
",
    include_str!("migrations/access.sql"),
    include_str!("migrations/history.sql"),
    include_str!("migrations/sealing.sql"),
    include_str!("migrations/mail.sql"),
    include_str!("migrations/saml.sql"),
    include_str!("migrations/sign_in.sql"),
    "ALTER TABLE second_factor ADD COLUMN sealed_offer BLOB",
    // An index for what one person has done of one kind.
    "
CREATE INDEX audit_actor_action ON audit (org, actor, action, sequence);
",
    // While everybody gets another way to sign in: the account up to which that is done.
    "
ALTER TABLE organization ADD COLUMN converting BLOB;
",
    include_str!("migrations/setup_link.sql"),
    include_str!("migrations/activity.sql"),
    include_str!("migrations/search.sql"),
    include_str!("migrations/request_links.sql"),
];

/// Runs the steps that have not run yet, inside one transaction.
pub(super) fn run(tx: &Transaction<'_>, now: Timestamp) -> scim::Result<Result<()>> {
    run_steps(tx, STEPS, now)
}

fn run_steps(tx: &Transaction<'_>, steps: &[&str], now: Timestamp) -> scim::Result<Result<()>> {
    tx.execute_batch(
        "CREATE TABLE IF NOT EXISTS product_migration (
            step INTEGER NOT NULL PRIMARY KEY,
            time INTEGER NOT NULL
        ) STRICT",
    )?;
    let done = tx
        .query_one(
            "SELECT COALESCE(MAX(step), 0) FROM product_migration",
            &[],
            |row| row.integer(0),
        )?
        .and_then(|step| usize::try_from(step).ok())
        .unwrap_or(0);
    if done > steps.len() {
        return Ok(Err(Fault::conflict(
            "The database was made by a newer version of this server: run that version, or a newer one.",
        )));
    }
    if done < steps.len() {
        run_from(tx, steps, done, now)?;
        // A key begins with the organization, which may have a million people.
        tx.expect_large_tenants("org")?;
    }
    Ok(Ok(()))
}

fn run_from(tx: &Transaction<'_>, steps: &[&str], done: usize, now: Timestamp) -> scim::Result<()> {
    for (number, step) in (1_u32..).zip(steps).skip(done) {
        tx.execute_batch(step)?;
        tx.execute(
            "INSERT INTO product_migration (step, time) VALUES (?1, ?2)",
            &[number.into(), now.as_microsecond().into()],
        )?;
    }
    Ok(())
}

/// Returns whether all steps were done, so that nothing need be written. A database without our tables has none.
pub(super) fn are_done(reader: &Reader<'_>) -> bool {
    let sql = "SELECT COALESCE(MAX(step), 0) FROM product_migration";
    let done = reader.query_one(sql, &[], |row| row.integer(0));
    done.is_ok_and(|step| step == i64::try_from(STEPS.len()).ok())
}

#[cfg(test)]
mod tests {
    use scim::store::database::{Database, Options};

    use super::*;

    fn run_on(database: &Database, steps: &'static [&'static str]) -> scim::Result<Result<()>> {
        database.blocking_write(move |tx| run_steps(tx, steps, Timestamp::UNIX_EPOCH))
    }

    #[test]
    fn each_step_runs_once() {
        let database = Database::in_memory(Options::default()).unwrap();
        run_on(&database, &["CREATE TABLE a (x INTEGER) STRICT"])
            .unwrap()
            .unwrap();
        let two = &[
            "CREATE TABLE a (x INTEGER) STRICT",
            "CREATE TABLE b (x INTEGER) STRICT",
        ];
        run_on(&database, two).unwrap().unwrap();
        run_on(&database, two).unwrap().unwrap();
        database
            .blocking_write(|tx| tx.execute("INSERT INTO b VALUES (1)", &[]))
            .unwrap();
    }

    #[test]
    fn a_step_that_fails_leaves_nothing_behind() {
        let database = Database::in_memory(Options::default()).unwrap();
        assert!(
            run_on(
                &database,
                &["CREATE TABLE a (x INTEGER) STRICT", "CREATE NONSENSE"]
            )
            .is_err()
        );
        run_on(&database, &["CREATE TABLE a (x INTEGER) STRICT"])
            .unwrap()
            .unwrap();
    }

    #[test]
    fn a_database_of_a_newer_version_is_left_alone() {
        let database = Database::in_memory(Options::default()).unwrap();
        let two = &[
            "CREATE TABLE a (x INTEGER) STRICT",
            "CREATE TABLE b (x INTEGER) STRICT",
        ];
        run_on(&database, two).unwrap().unwrap();
        let fault = run_on(&database, &["CREATE TABLE a (x INTEGER) STRICT"])
            .unwrap()
            .unwrap_err();
        assert!(fault.to_string().contains("newer version"), "{fault}");
    }

    /// Feature row 76: what a database says of requests before they have links of their own is found afterwards.
    #[test]
    fn requests_keep_what_they_were_about() {
        let links = include_str!("migrations/request_links.sql");
        let before = STEPS.iter().position(|step| *step == links).unwrap();
        let database = Database::in_memory(Options::default()).unwrap();
        run_on(&database, STEPS.get(..before).unwrap()).unwrap().unwrap();
        let found = database.blocking_write(|tx| {
            tx.execute_batch(
                "INSERT INTO request (org, sequence, time, method, path, status, duration_us, sentence, resource_id,
                                      request_id, idp)
                     VALUES (x'01', x'0a', 1, 'GET', '/', 200, 1, '', 'ann', '', 'okta'),
                            (x'01', x'0b', 1, 'POST', '/', 409, 1, '', NULL, '', 'okta'),
                            (x'02', x'0c', 1, 'GET', '/', 200, 1, '', NULL, '', 'okta');
                 INSERT INTO touched VALUES (x'01', 'ann', x'0a'), (x'01', 'name:bob', x'0b')",
            )?;
            run_steps(tx, STEPS, Timestamp::UNIX_EPOCH)?.unwrap();
            let sql = "SELECT resource_id, asked_for, number, period FROM request ORDER BY sequence";
            tx.query_all(sql, &[], |row| {
                let text = |column| row.optional_text(column).map(|text| text.map(str::to_owned));
                Ok((text(0)?, text(1)?, row.integer(2)?, row.integer(3)?))
            })
        });
        let text = |text: &str| Some(text.to_owned());
        let expected = [
            (text("ann"), None, 1, 0),
            (None, text("name:bob"), 2, 0),
            (None, None, 1, 0),
        ];
        assert_eq!(found.unwrap(), expected);
    }
}
