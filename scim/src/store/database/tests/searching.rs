//! Searches: bounded in steps and time, ended when nobody waits, and in nobody's way.

use super::*;
use crate::store::Budget;

/// A statement that gives no row before it has counted very far.
const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

pub(super) fn endless(reader: &Reader<'_>) -> Result<Option<i64>> {
    reader.query_one(ENDLESS, &[], |row| row.integer(0))
}

/// Starts searches of a tenant that do not end, and returns when they are at work.
pub(super) fn endless_searches(
    database: &Database,
    tenant: &'static str,
    count: usize,
) -> Vec<Started<'static, Result<Option<i64>>>> {
    let (begun, is_begun) = mpsc::channel();
    let searches = (0..count).map(|_| {
        let (database, begun) = (database.clone(), begun.clone());
        start(async move {
            let search = move |reader: &Reader<'_>| {
                begun.send(()).unwrap();
                endless(reader)
            };
            database
                .share_of(tenant)
                .search(Budget::unlimited(), search)
                .await
        })
    });
    let searches = searches.collect();
    for _ in 0..count {
        is_begun.recv_timeout(GENEROUS).unwrap();
    }
    searches
}

/// Issue 9, F3: a statement that gives no row for long ends when its steps are spent (RFC 7644 section 3.4.2.2), and the
/// connection serves the next search.
#[test]
fn a_search_ends_when_its_steps_are_spent() {
    let database = notes(options());
    for _ in 0..10 {
        let budget = Budget::new(100_000, Duration::MAX);
        let error = finish(database.search(budget.clone(), endless)).unwrap_err();
        assert_eq!(
            (error.status().as_u16(), error.limit()),
            (400, Some("search_steps"))
        );
        assert!(budget.spent() <= 102_000, "{}", budget.spent());
    }
    assert_eq!(finish(database.search(Budget::unlimited(), count)).unwrap(), 0);
}

/// The same for its time, and for work outside of the database.
#[test]
fn a_search_ends_when_its_time_is_over_or_its_job_has_charged_too_much() {
    let database = notes(options());
    let no_time = Budget::new(usize::MAX, Duration::ZERO);
    let error = finish(database.search(no_time, endless)).unwrap_err();
    assert_eq!(
        (error.status().as_u16(), error.limit()),
        (400, Some("search_time"))
    );
    let few = Budget::new(10, Duration::MAX);
    let evaluate = |reader: &Reader<'_>| -> Result<()> {
        loop {
            reader.charge(1)?;
        }
    };
    let error = finish(database.search(few.clone(), evaluate)).unwrap_err();
    assert_eq!(error.limit(), Some("search_steps"));
    assert_eq!(few.spent(), 11);
}

/// Issue 9, F3: a search whose client is gone ends.
#[test]
fn a_search_that_nobody_waits_for_ends() {
    let database = notes(Options {
        searches: 1,
        ..options()
    });
    drop(endless_searches(&database, "acme", 1));
    assert_eq!(finish(database.search(Budget::unlimited(), count)).unwrap(), 0);
}

/// Closing the database ends searches, streams and walks that would last.
#[test]
fn closing_ends_what_takes_long() {
    let database = notes(Options {
        tenant_searches: 2,
        ..options()
    });
    let searches = endless_searches(&database, "acme", 2);
    let mut stream = database.stream(|reader, _| endless(reader).map(drop));
    let walk = start(database.walk(endless));
    finish(database.close());
    for search in searches {
        assert_eq!(finish(search).unwrap_err().status(), 503);
    }
    assert_eq!(finish(stream.next()).unwrap().unwrap_err().status(), 503);
    assert_eq!(finish(walk).unwrap_err().status(), 503);
}

/// Issue 9, F3: look-ups, and the reads of the application by which it lets people in, find a connection while every
/// thread for searches is taken.
#[test]
fn a_brief_read_never_waits_for_a_search() {
    let database = notes(Options {
        readers: 1,
        searches: 3,
        tenant_searches: 3,
        ..options()
    });
    let searches = endless_searches(&database, "greedy", 3);
    let late = start(database.share_of("greedy").search(Budget::unlimited(), count));
    for _ in 0..10 {
        assert_eq!(finish(database.read(count)).unwrap(), 0);
        assert_eq!(finish(database.share_of("modest").look_up(count)).unwrap(), 0);
    }
    assert_eq!(database.statistics().searches, 0);
    drop(searches);
    assert_eq!(finish(late).unwrap(), 0);
}

/// A tenant has at most so many searches at work, so that threads are left for others.
#[test]
fn a_tenant_leaves_threads_for_searches_to_others() {
    let database = notes(Options {
        searches: 2,
        tenant_searches: 1,
        ..options()
    });
    let mut greedy = endless_searches(&database, "greedy", 1);
    let modest = database.share_of("greedy");
    let waiting: Vec<_> = (0..10)
        .map(|_| start(modest.search(Budget::unlimited(), count)))
        .collect();
    for _ in 0..10 {
        let modest = database.share_of("modest");
        assert_eq!(finish(modest.search(Budget::unlimited(), count)).unwrap(), 0);
    }
    // A search is counted when it has been answered.
    wait_until("all are counted", || database.statistics().searches >= 10);
    assert_eq!(
        database.statistics().searches,
        10,
        "none of the greedy one's has ended"
    );
    drop(greedy.pop());
    for search in waiting {
        assert_eq!(finish(search).unwrap(), 0);
    }
}

/// A look-up that turns out to be long is given up early.
#[test]
fn a_part_of_a_job_may_be_bounded_by_itself() {
    let database = notes(options());
    let outcome = database.blocking_read(|reader| {
        let found = reader.within(20_000, || endless(reader))?;
        Ok((found, reader.within(20_000, || count(reader))?, count(reader)?))
    });
    assert_eq!(outcome.unwrap(), (None, Some(0), 0));
}
