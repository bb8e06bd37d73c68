//! How the database serves lists, searches and previews: by indexes, whatever the organization has.

use jiff::Timestamp;
use scim::resources::Group;
use scim::store::database::{Database, Options, Param, Reader, Transaction};
use scim::store::documents::DocumentStore;
use uuid::Uuid;

use super::accounts::Shown;
use super::effective::Members;
use super::page::Page;
use super::{
    accounts, activity, adoptions, bindings, check, conflict, connection, delivery, grants, groups, held,
    local_groups, losses, mail, mappings, migrations, roles, search, setup_links, sign_in_names, tokens,
};
use crate::domain::account::{Account, AccountState, ManagedBy, Person};
use crate::domain::activity::Span;
use crate::domain::grant::Holder;
use crate::domain::keyword::Keyword;
use crate::domain::mail::{Kind, State};
use crate::domain::mass_change::LossKind;
use crate::domain::organization::{Name, Organization};
use crate::domain::permission::Permission;
use crate::domain::role::RoleId;
use crate::domain::secret::{Secret, SecretKind};
use crate::domain::settings::{Assignment, Groups, Settings};
use crate::domain::user::User;

const NOBODY: Uuid = Uuid::from_u128(1);

/// Steps that are allowed although they go through, or sort, what a statement has found: what they go through is bounded
/// by something else than people, groups, grants and requests. The beginning of the statement, and of the step.
const BOUNDED: &[(&str, &str)] = &[
    // An hour has at most a thousand rows a cause.
    ("SELECT max(time), kind, cause", "USE TEMP B-TREE FOR GROUP BY"),
    // Alerts that nobody has seen, of all organizations.
    (
        "SELECT count(*) FROM alert",
        "SCAN alert USING INDEX alert_unseen",
    ),
    // Roles of one group, permissions of one role, what one account holds.
    (
        "SELECT g.row, g.id, g.name",
        "USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY",
    ),
    (
        "SELECT g.id, g.name, g.description",
        "USE TEMP B-TREE FOR ORDER BY",
    ),
    // A thousand events at most.
    ("SELECT kind, count(*) FROM (", "USE TEMP B-TREE FOR GROUP BY"),
    ("SELECT kind, count(*) FROM (", "SCAN (subquery"),
    // The bare statement of a count goes over whom it counts, each once.
    ("SELECT count(*) FROM (", "USE TEMP B-TREE"),
    ("SELECT count(*) FROM (", "SCAN (subquery"),
    // So many of the newest people as are looked at.
    ("SELECT count(*) FROM (SELECT 1 FROM (", "SCAN a"),
    // Mails that wait are counted, up to a bound, and the first of them is found by its index.
    (
        "SELECT count(*) FROM (SELECT 1 FROM mail",
        "SCAN mail USING COVERING INDEX",
    ),
    (
        "SELECT org, id, due FROM mail",
        "SCAN mail USING COVERING INDEX mail_due",
    ),
    (
        "UPDATE mail SET state = 'kept'",
        "SCAN mail USING COVERING INDEX mail_until",
    ),
    // Tokens, groups that are kept here and roles that are made by hand are few.
    ("", "SEARCH t USING PRIMARY KEY (org=?)"),
    ("SELECT count(*) FROM local_group", "SEARCH local_group"),
    (
        "SELECT id, name, description, created FROM local_group",
        "SEARCH local_group",
    ),
    (
        "SELECT r.id, coalesce(g.name, r.name)",
        "SEARCH r USING INDEX role_name (org=?)",
    ),
    // The newest of them, up to a bound.
    (
        "SELECT id, maker_kind",
        "SEARCH setup_link USING PRIMARY KEY (org=?)",
    ),
    (
        "SELECT id, time, kind, people",
        "SEARCH alert USING PRIMARY KEY (org=?)",
    ),
    (
        "SELECT count(*) FROM (SELECT 1 FROM (",
        "SEARCH n USING PRIMARY KEY (org=?)",
    ),
    // Until so many are found: those who are searched for are most people, or the one list of them all is asked for.
    ("SELECT count(*) FROM (SELECT 1 FROM account a", "SEARCH a USING"),
    (
        "SELECT a.id, a.name, a.display FROM account a",
        "SEARCH a USING INDEX account_name",
    ),
    // All mappings, in the order of the groups' names.
    (
        "SELECT g.row, g.id, g.name, g.external_id, g.created, m.role",
        "SEARCH g USING INDEX provisioned_group_name",
    ),
    ("SELECT grp, group_name", "SEARCH lost_mapping"),
    // So many of the newest as are kept.
    ("SELECT begun FROM synchronisation", "SEARCH synchronisation"),
    // The first roles in the order of their names.
    (
        "SELECT r.id, r.name FROM role r",
        "SEARCH r USING INDEX role_name",
    ),
    (
        "SELECT r.id, g.name FROM provisioned_group g",
        "SEARCH g USING INDEX provisioned_group_name",
    ),
    // So many people of one index, or with one role, as a search goes through.
    ("SELECT a.id, a.name_key, CASE WHEN", "SCAN w"),
    // Those who hold permission by hand are few, and are counted.
    ("SELECT held.role", "SCAN held"),
    ("SELECT held.role", "SCAN (subquery"),
];

/// Runs every list, search and preview that is about people, groups, roles and what they have.
fn everything(reader: &Transaction<'_>, organization: &Organization) -> scim::Result<()> {
    let id = organization.id;
    let members = Members::of(reader, organization)?;
    of_accounts(reader, &members, id)?;
    of_groups(reader, id)?;
    let role = RoleId(NOBODY);
    members.count_moved(reader, 7, &[role, RoleId(Uuid::nil())])?;
    members.count_remapped(reader, role, &[7, 8], &[9])?;
    members.first_remapped(reader, role, &[7, 8], &[9], 10)?;
    members.walk_remapped(reader, role, &[7, 8], &[9], 10)?;
    members.count_holding(reader, role)?;
    members.holding(reader, role, 10)?;
    members.first_holding(reader, role, 10)?;
    members.count_manual(reader, &Permission::ROLES_WRITE)?;
    members.reached(reader, &Permission::ROLES_WRITE, 10)?;
    members.has_lost(reader, "7", &[role])?;
    members.count_in(reader, 7)?;
    members.first_in(reader, 7, 10)?;
    members.count_in_up_to(reader, 7, 10)?;
    members.count_holding_up_to(reader, role, 10)?;
    accounts::in_group(reader, &members, 7, 1, 10)?;
    accounts::count_unassigned(reader, &members, 10)?;
    for managed_by in ManagedBy::ALL {
        let person = Person {
            name: "a".to_owned(),
            display: "a".to_owned(),
            address: None,
            active: None,
        };
        let account = Account {
            managed_by: *managed_by,
            ..Account::provisioned(NOBODY, 7, person, Timestamp::UNIX_EPOCH)
        };
        members.effective(reader, &account)?;
        members.groups_of(reader, &account, 10)?;
    }
    roles::by_id(reader, id, role)?;
    roles::by_name(reader, id, "a")?;
    roles::mirroring(reader, id, 7)?;
    roles::list(reader, id)?;
    roles::names(reader, id, true, 10)?;
    let two = [NOBODY, Uuid::nil()];
    held::roles(reader, &members, &two)?;
    held::role_names(reader, id, &two.map(RoleId).into())?;
    held::with_permissions(reader, id, &two)?;
    held::invited(reader, id, &two, Timestamp::UNIX_EPOCH)?;
    held::roles_of_groups(reader, &members, &[7, 8])?;
    held::roles_of_local_groups(reader, id, &two)?;
    roles::list_mirrored(reader, id, &Page::default())?;
    mappings::roles_of(reader, id, 7)?;
    mappings::of_group(reader, id, 7)?;
    mappings::groups_of(reader, id, role, 10)?;
    mappings::list(reader, id)?;
    mappings::behind(reader, id, None, 10)?;
    mappings::lost(reader, id)?;
    local_groups::by_name(reader, id, "a")?;
    local_groups::by_id(reader, id, NOBODY)?;
    local_groups::list(reader, id)?;
    local_groups::count_all(reader, id)?;
    for behind in [None, Some(("a".to_owned(), ()))] {
        let page = Page {
            prefix: "a".to_owned(),
            behind,
            size: 10,
        };
        local_groups::page(reader, id, &page)?;
    }
    local_groups::of_account(reader, id, NOBODY)?;
    local_groups::members(reader, id, NOBODY, None, 10)?;
    local_groups::count(reader, id, NOBODY)?;
    grants::roles_of(reader, id, Holder::Account(NOBODY))?;
    grants::permissions_of(reader, id, NOBODY)?;
    grants::is_break_glass(reader, id, NOBODY)?;
    grants::role_holders(reader, id, NOBODY, 10)?;
    grants::permission_holders(reader, id, NOBODY, 10)?;
    losses::since(reader, id, Timestamp::UNIX_EPOCH)?;
    losses::organizations_since(reader, Timestamp::UNIX_EPOCH)?;
    losses::last_raised(reader, id, LossKind::RoleLoss)?;
    losses::alerts(reader, id, 10)?;
    losses::unseen(reader)?;
    of_setup_links(reader, id)?;
    activity::count(reader, id, Timestamp::UNIX_EPOCH, Timestamp::MAX)?;
    let span = Span::of(None, None, Timestamp::UNIX_EPOCH).unwrap();
    activity::requests(reader, id, &span)?;
    connection::synchronisations(reader, id)?;
    conflict::count_open(reader, id, 10)?;
    of_mails(reader, id)
}

fn of_setup_links(tx: &Transaction<'_>, id: Uuid) -> scim::Result<()> {
    let secret = Secret::from_random(SecretKind::SetupLink, [0; 32]);
    setup_links::list(tx, id, 10)?;
    setup_links::by_id(tx, id, NOBODY)?;
    setup_links::by_fingerprint(tx, &secret.fingerprint())?;
    setup_links::by_browser(tx, id, &secret.fingerprint())?;
    setup_links::end(tx, id, NOBODY, Timestamp::UNIX_EPOCH)?;
    setup_links::end_all_of(tx, NOBODY)?;
    setup_links::purge(tx, id, Timestamp::UNIX_EPOCH, 10)?;
    Ok(())
}

fn of_mails(tx: &Transaction<'_>, id: Uuid) -> scim::Result<()> {
    let now = Timestamp::UNIX_EPOCH;
    mail::find(tx, id, NOBODY)?;
    for state in State::ALL.iter().copied().map(Some).chain([None]) {
        mail::list(tx, id, state, Some(NOBODY), 10)?;
    }
    mail::purge(tx, id, NOBODY, 10)?;
    mail::cancel(tx, id, NOBODY, Kind::Invitation)?;
    mail::cancel_all_to(tx, id, NOBODY)?;
    mail::cancel_waiting(tx, id)?;
    tokens::told(tx, id, NOBODY, 7)?;
    delivery::next(tx, NOBODY, 10, now)?;
    delivery::keep(tx)?;
    delivery::is_any_over(tx, now)?;
    delivery::end(tx, now)?;
    delivery::waiting(tx)?;
    Ok(())
}

fn of_accounts(reader: &Reader<'_>, members: &Members<'_>, id: Uuid) -> scim::Result<()> {
    accounts::by_id(reader, id, NOBODY)?;
    accounts::by_name(reader, id, "a")?;
    accounts::by_scim_id(reader, id, "7")?;
    accounts::former(reader, id, "a", "7")?;
    accounts::behind(reader, id, NOBODY, 10)?;
    accounts::by_ids(reader, id, &[NOBODY, Uuid::nil()])?;
    sign_in_names::find(reader, id, "a")?;
    adoptions::find(reader, id, "a")?;
    bindings::of_account(reader, id, NOBODY)?;
    for shown in shown() {
        for (prefix, behind) in [("", None), ("a", None), ("", Some(("a".to_owned(), NOBODY)))] {
            let page = Page {
                prefix: prefix.to_owned(),
                behind,
                size: 10,
            };
            accounts::list(reader, members, shown, &page)?;
            search::people(reader, members, shown, &page, 10)?;
        }
        accounts::count(reader, members, shown, 10)?;
    }
    Ok(())
}

/// Returns every list of accounts that can be asked for.
fn shown() -> Vec<Shown> {
    let states = AccountState::ALL.iter().copied().map(Some).chain([None]);
    let sides = || ManagedBy::ALL.iter().copied().map(Some).chain([None]);
    let flags = || {
        [
            (false, false, false),
            (true, false, false),
            (false, true, false),
            (false, false, true),
        ]
    };
    states
        .flat_map(|state| sides().map(move |managed_by| (state, managed_by)))
        .flat_map(|(state, managed_by)| {
            flags().map(move |(suspended, unassigned, unconfirmed)| Shown {
                state,
                managed_by,
                suspended,
                unassigned,
                unconfirmed,
                role: None,
            })
        })
        .flat_map(|shown| [None, Some(RoleId(NOBODY))].map(|role| Shown { role, ..shown }))
        .collect()
}

fn of_groups(reader: &Transaction<'_>, id: Uuid) -> scim::Result<()> {
    groups::by_id(reader, id, "7")?;
    groups::by_row(reader, id, 7)?;
    groups::by_name(reader, id, "a")?;
    groups::by_external_id(reader, id, "7")?;
    groups::is_taken(reader, id, "a", "7")?;
    let page = Page {
        prefix: "a".to_owned(),
        behind: Some(("a".to_owned(), 7)),
        size: 10,
    };
    groups::list(reader, id, &page)?;
    groups::list_unmapped(reader, id, &page)?;
    groups::list_mapped(reader, id, &page)?;
    Ok(())
}

fn database() -> Database {
    let options = Options {
        portable: true,
        ..Options::default()
    };
    let database = Database::in_memory(options).unwrap();
    database
        .blocking_write(|tx| migrations::run(tx, Timestamp::UNIX_EPOCH))
        .unwrap()
        .unwrap();
    let store = DocumentStore::on(database.clone())
        .resource::<User>()
        .resource::<Group>()
        .link(Group::paths().members(), User::paths().groups());
    let store: DocumentStore<String> = store.build().unwrap();
    drop(store);
    database
}

/// Returns the steps of a statement's plan that go through a table, or sort, without a bound.
fn unbounded(reader: &Reader<'_>, sql: &str) -> scim::Result<Vec<String>> {
    let last = (1..=99).rev().find(|number| {
        let parameter = format!("?{number}");
        sql.match_indices(&parameter)
            .any(|(at, _)| !sql[at + parameter.len()..].starts_with(|c: char| c.is_ascii_digit()))
    });
    let nothing = vec![Param::Null; last.unwrap_or(0)];
    let plan = reader.query_all(&format!("EXPLAIN QUERY PLAN {sql}"), &nothing, |row| {
        Ok(row.text(3)?.to_owned())
    })?;
    let is_bounded = |step: &String| {
        let known = BOUNDED
            .iter()
            .any(|(statement, bounded)| sql.trim_start().starts_with(statement) && step.starts_with(bounded));
        let goes_through =
            step.starts_with("SCAN") || step.contains("TEMP B-TREE") || step.contains("AUTOMATIC");
        // All that an organization has is as much as all.
        let goes_through_organization = step.ends_with("(org=?)") || step.ends_with("(tenant=?)");
        known || !(goes_through || goes_through_organization) || step == "SCAN CONSTANT ROW"
    };
    Ok(plan.into_iter().filter(|step| !is_bounded(step)).collect())
}

/// Feature rows 50, 55, 58, 77: lists, searches and previews are served by indexes, by the statements that are really used:
/// none goes through a table that grows, and none sorts more than a page.
#[test]
fn no_list_goes_through_what_it_does_not_show() {
    let database = database();
    for (become_roles, assignment) in [
        (Groups::Map, Assignment::LocalGroups),
        (Groups::Map, Assignment::MappedOnly),
        (Groups::Mirror, Assignment::LocalGroups),
    ] {
        let settings = Settings {
            groups: become_roles,
            assignment,
            ..Settings::default()
        };
        let name = Name::parse("acme").unwrap();
        let organization =
            Organization::new(Uuid::from_u128(77), name, None, settings, Timestamp::UNIX_EPOCH).unwrap();
        let found = database.blocking_write(move |tx| {
            let (outcome, mut texts) = tx.recorded(|| everything(tx, &organization));
            outcome?;
            texts.sort_unstable();
            texts.dedup();
            assert!(texts.len() > 60, "{} statements", texts.len());
            let mut found = Vec::new();
            for sql in texts {
                let steps = unbounded(tx, &sql)?;
                if !steps.is_empty() {
                    found.push(format!("{steps:?}\n  {sql}"));
                }
            }
            Ok(found)
        });
        let found = found.unwrap();
        assert!(found.is_empty(), "{}", found.join("\n\n"));
    }
}

/// A step of a plan: its number, that of the step around it, and what it does.
type Step = (i64, i64, String);

/// Returns the steps that go through a table, or through all that an organization has of it, once for each row of another.
fn repeated(steps: &[Step]) -> Vec<&str> {
    let is_correlated = |step: &Step| {
        let mut around = step.1;
        while let Some(outer) = steps.iter().find(|(number, ..)| *number == around) {
            if outer.2.contains("CORRELATED") {
                return true;
            }
            around = outer.1;
        }
        false
    };
    let goes = |step: &&Step| step.2.starts_with("SCAN") || step.2.starts_with("SEARCH");
    let is_wide = |step: &&Step| step.2.starts_with("SCAN") || step.2.ends_with("(org=?)");
    let is_inner = |step: &&Step| {
        let first = steps.iter().filter(goes).find(|(_, around, _)| *around == step.1);
        first.is_some_and(|(number, ..)| *number != step.0)
    };
    let found = steps.iter().filter(goes).filter(is_wide);
    found
        .filter(|step| is_inner(step) || is_correlated(step))
        .map(|step| &*step.2)
        .collect()
}

/// A check of everything asks for each row once: that of 100,000 people took hours while it went through all bindings of an
/// organization for each of its people.
#[test]
fn a_check_goes_through_no_table_for_each_row_of_another() {
    let found = database().blocking_read(|reader| {
        let mut found = Vec::new();
        for sql in check::statements() {
            let plan = format!("EXPLAIN QUERY PLAN {sql}");
            let steps: Vec<Step> = reader.query_all(&plan, &[], |row| {
                Ok((row.integer(0)?, row.integer(1)?, row.text(3)?.to_owned()))
            })?;
            let repeated = repeated(&steps);
            if !repeated.is_empty() {
                found.push(format!("{repeated:?}\n  {sql}"));
            }
        }
        Ok(found)
    });
    let found = found.unwrap();
    assert!(found.is_empty(), "{}", found.join("\n\n"));
}

/// Feature row 50: who is an exception is found without a walk through those who are not.
#[test]
fn exceptions_have_indexes_of_their_own() {
    let name = Name::parse("acme").unwrap();
    let organization = Organization::new(
        Uuid::from_u128(77),
        name,
        None,
        Settings::default(),
        Timestamp::UNIX_EPOCH,
    )
    .unwrap();
    let all = Shown::default();
    for (shown, index) in [
        (
            Shown {
                suspended: true,
                ..all
            },
            "account_suspended",
        ),
        (
            Shown {
                managed_by: Some(ManagedBy::Hand),
                ..all
            },
            "account_by_hand",
        ),
        (
            Shown {
                state: Some(AccountState::Disabled),
                ..all
            },
            "account_not_active",
        ),
        (all, "account_name"),
    ] {
        let organization = organization.clone();
        let plan = database().blocking_write(move |tx| {
            let page = Page {
                size: 10,
                ..Page::default()
            };
            let members = Members::of(tx, &organization)?;
            let (listed, texts) = tx.recorded(|| accounts::list(tx, &members, shown, &page));
            listed?;
            let (counted, more) = tx.recorded(|| accounts::count(tx, &members, shown, 10));
            counted?;
            let sql = format!("EXPLAIN QUERY PLAN {}", texts.first().unwrap());
            let mut plan = tx.query_all(&sql, &[Param::Null; 8], |row| Ok(row.text(3)?.to_owned()))?;
            if shown.suspended {
                let sql = format!("EXPLAIN QUERY PLAN {}", more.first().unwrap());
                plan = tx.query_all(&sql, &[Param::Null; 4], |row| Ok(row.text(3)?.to_owned()))?;
            }
            Ok(plan)
        });
        let plan = plan.unwrap();
        assert!(plan.iter().any(|step| step.contains(index)), "{index}: {plan:?}");
    }
}
