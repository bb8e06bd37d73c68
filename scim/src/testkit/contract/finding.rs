//! Lists: filters, pages, order, tenants.

use std::sync::Arc;

use serde_json::json;

use super::{Outcome, Subject, Violation, ensure, is_refused, sorted};
use crate::ScimType;
use crate::record::ScimResource;
use crate::resources::{Group, User};
use crate::sort::{Sort, SortOrder};
use crate::store::{Answer, Precondition, Query};
use crate::testkit::Kit;
use crate::testkit::kit::{document, filter_of, projection, text};
use crate::value::ExternalId;

/// RFC 7644 section 3.4.2: the filter selects, then the page is cut. The other way round, matches are missing and totals
/// are wrong.
pub(super) async fn filters_are_applied_before_pages<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    for n in 0..30 {
        let title = if n % 10 == 9 { "Chief" } else { "Guide" };
        kit.create(User {
            title: Some(title.to_owned()),
            ..User::new(format!("u{n}"))
        })
        .await?;
    }
    let mut query = Query::<User>::all(2).matching(filter_of::<User>("title eq \"chief\"")?);
    let mut names = Vec::new();
    for (start, expected) in [(1, 2), (3, 1)] {
        query.start_index = start;
        let list = kit.list(&query).await?;
        ensure!(
            list.total == 3,
            "a filter that 3 of 30 resources satisfy has a total of {}",
            list.total
        );
        ensure!(
            list.resources.len() == expected,
            "the page that starts at {start} of 3 matches has {} resources instead of {expected}",
            list.resources.len()
        );
        names.extend(list.resources.iter().map(|user| text(user, "/userName")));
    }
    ensure!(
        sorted(names.clone()) == ["u19", "u29", "u9"],
        "the pages of a filter show {names:?}"
    );
    Ok(())
}

/// RFC 7644 section 3.4.2.4: an identity provider that walks the pages meets everybody once.
pub(super) async fn pages_are_stable_and_complete<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let mut ids = Vec::new();
    for n in 0..23 {
        ids.push(
            kit.create(User::new(format!("u{n}")))
                .await?
                .resource
                .id
                .to_string(),
        );
    }
    let whole = kit.list(&Query::<User>::all(100)).await?.ids();
    let mut walked = Vec::new();
    let mut query = Query::<User>::all(5);
    for page in 0..5 {
        query.start_index = page * 5 + 1;
        let list = kit.list(&query).await?;
        ensure!(
            list.total == 23,
            "a page of 23 resources has the total {}",
            list.total
        );
        walked.extend(list.ids());
        if let Some(id) = walked.first() {
            // A change does not move anybody to another page.
            let title = json!([{"op": "replace", "path": "title", "value": page.to_string()}]);
            kit.patched::<User>(id, &title).await?;
        }
    }
    ensure!(
        sorted(walked.clone()) == sorted(ids),
        "5 pages of 23 resources show {} of them, or some twice",
        walked.len()
    );
    ensure!(walked == whole, "pages have another order than the whole list");
    Ok(())
}

/// RFC 7644 table 6: `count` 0 asks for the total; what starts behind the end is empty, and no error.
pub(super) async fn pages_may_be_empty<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let nothing = kit.list(&Query::<User>::all(10)).await?;
    ensure!(
        nothing.total == 0 && nothing.resources.is_empty(),
        "an empty store lists {nothing:?}"
    );
    for n in 0..3 {
        kit.create(User {
            title: Some("Guide".to_owned()),
            ..User::new(format!("u{n}"))
        })
        .await?;
    }
    let filter = || filter_of::<User>("title pr");
    for (start, count) in [(1, 0), (4, 10), (1_000_000_000, 10)] {
        for filtered in [false, true] {
            let mut query = Query::<User>::all(count);
            query.start_index = start;
            let query = if filtered {
                query.matching(filter()?)
            } else {
                query
            };
            let list = kit.list(&query).await?;
            ensure!(
                list.total == 3 && list.resources.is_empty(),
                "startIndex {start} and count {count} of 3 resources gave {} of {}",
                list.resources.len(),
                list.total
            );
        }
    }
    let mut query = Query::<User>::all(10);
    query.start_index = 0;
    let list = kit.list(&query).await?;
    ensure!(list.resources.len() == 3, "startIndex 0 is not taken for 1");
    Ok(())
}

/// RFC 7643 section 4.1.1: a provider asks for a userName before it creates it, in whatever case.
pub(super) async fn user_names_are_found_whatever_their_case<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let babs = kit
        .create(User::new("BJensen@example.com"))
        .await?
        .resource
        .id
        .to_string();
    kit.create(User::new("jsmith@example.com")).await?;
    for filter in [
        "userName eq \"bjensen@EXAMPLE.com\"",
        "username EQ \"BJENSEN@example.com\"",
        "userName eq \"ｂjensen@example.com\"",
        "userName sw \"BJEN\"",
        "not (userName eq \"JSMITH@example.com\")",
        "urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"bjensen@example.com\"",
    ] {
        let found = kit.found::<User>(filter).await?;
        ensure!(
            found == [babs.as_str()],
            "{filter} found {} resources instead of one",
            found.len()
        );
    }
    let found = kit.found::<User>("userName eq \"nobody\"").await?;
    ensure!(
        found.is_empty(),
        "a filter for nobody found {} resources",
        found.len()
    );
    let found = kit.found::<User>(&format!("id eq \"{babs}\"")).await?;
    ensure!(
        found == [babs.as_str()],
        "a filter by id found {} resources instead of one",
        found.len()
    );
    Ok(())
}

/// RFC 7643 section 3.1: externalId is caseExact.
pub(super) async fn external_ids_are_found_in_their_case_only<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let mut ids = Vec::new();
    for (name, external) in [("a", "abc"), ("b", "ABC")] {
        let user = User {
            external_id: Some(ExternalId::new(external)),
            ..User::new(name)
        };
        ids.push(kit.create(user).await?.resource.id.to_string());
    }
    for (external, wanted) in [
        ("abc", ids.get(..1)),
        ("ABC", ids.get(1..)),
        ("Abc", Some(&[][..])),
    ] {
        let found = kit
            .found::<User>(&format!("externalId eq \"{external}\""))
            .await?;
        ensure!(
            Some(found.as_slice()) == wanted,
            "externalId eq \"{external}\" found {} resources",
            found.len()
        );
    }
    Ok(())
}

/// RFC 7644 section 3.4.2.3: case is ignored, what has no value comes last and, descending, first; equal keys do not
/// change places between pages.
pub(super) async fn lists_are_sorted<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    for (n, title) in ["beta", "", "Alpha", "alpha", "Gamma", "", "ALPHA"]
        .into_iter()
        .enumerate()
    {
        let title = Some(title.to_owned()).filter(|title| !title.is_empty());
        kit.create(User {
            title,
            ..User::new(format!("u{n}"))
        })
        .await?;
    }
    for order in [SortOrder::Ascending, SortOrder::Descending] {
        let by = "title"
            .parse()
            .and_then(|by| Sort::resolve(&by, order, User::RESOURCE_TYPE.schema));
        let by = by.map_err(|error| Violation::of("a sort of the kit is wrong", &error))?;
        let mut query = Query::<User>::all(100);
        query.sort = Some(by);
        let whole = kit.list(&query).await?;
        let mut titles: Vec<_> = whole
            .resources
            .iter()
            .map(|user| text(user, "/title").to_lowercase())
            .collect();
        if order == SortOrder::Descending {
            titles.reverse();
        }
        ensure!(
            titles == ["alpha", "alpha", "alpha", "beta", "gamma", "", ""],
            "sorted by title ({order}), read in ascending order: {titles:?}"
        );
        let mut walked = Vec::new();
        for start in 1..=7 {
            query.start_index = start;
            query.count = 1;
            walked.extend(kit.list(&query).await?.ids());
        }
        ensure!(
            walked == whole.ids(),
            "sorted by title ({order}), pages of one have another order than the whole list"
        );
        let page = kit
            .page(
                &query,
                &crate::projection::Projection::default_of(User::RESOURCE_TYPE),
            )
            .await;
        let page = page.map_err(|error| Violation::of("query failed", &error))?;
        ensure!(
            page.items.iter().all(|item| item.sort_key.is_some()),
            "items of a sorted list have no sort key"
        );
    }
    Ok(())
}

/// RFC 7644 section 3.9: attributes and excludedAttributes shape lists and single answers alike.
pub(super) async fn lists_show_what_is_wanted<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let user = kit
        .create(User {
            title: Some("Guide".to_owned()),
            ..User::new("bjensen")
        })
        .await?;
    let id = user.resource.id.as_str();
    for (want, has_title) in [
        (projection::<User>(&["userName"], &[])?, false),
        (projection::<User>(&[], &["title"])?, false),
        (projection::<User>(&["title"], &[])?, true),
    ] {
        let list = kit.list_of(&Query::<User>::all(10), &want).await?;
        let answer = kit.get::<User>(id, &want, &Precondition::None).await;
        let answer = answer.map_err(|error| Violation::of("get failed", &error))?;
        let single = document(answer, &want).await?;
        ensure!(
            list.resources == [single.clone()],
            "list shows {:?} and get {single}",
            list.resources
        );
        ensure!(
            single.pointer("/title").is_some() == has_title,
            "title is shown, or is not, against what was asked: {single}"
        );
        ensure!(
            text(&single, "/id") == id,
            "id is not shown, and always must be: {single}"
        );
    }
    Ok(())
}

/// RFC 7644 section 3.4.2.1: a filter that would visit too much is refused. A partial list would be taken for the whole.
pub(super) async fn filters_are_refused_rather_than_cut_short<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    for n in 0..10 {
        kit.create(User {
            nick_name: Some(format!("nick{n}")),
            ..User::new(format!("u{n}"))
        })
        .await?;
    }
    let mut query = Query::<User>::all(100).matching(filter_of::<User>("nickName co \"NICK\"")?);
    query.scanned_rows = 10;
    let list = kit.list(&query).await?;
    ensure!(
        list.total == 10,
        "a filter within its budget found {} of 10",
        list.total
    );
    query.scanned_rows = 5;
    let want = crate::projection::Projection::default_of(User::RESOURCE_TYPE);
    match kit.page(&query, &want).await {
        // An index may have served it.
        Ok(page) => ensure!(
            page.total == 10,
            "a filter over 10 resources that may visit 5 was answered with {}",
            page.total
        ),
        refused => is_refused(
            refused,
            400,
            Some(ScimType::TooMany),
            "a filter beyond its budget",
        )?,
    }
    let mut indexed = Query::<User>::all(100).matching(filter_of::<User>("userName eq \"U7\"")?);
    indexed.scanned_rows = 1;
    let list = kit.list(&indexed).await?;
    ensure!(list.total == 1, "userName eq is not served by an index: {list:?}");
    Ok(())
}

/// A tenant is a world of its own: by id, in lists, in filters, in uniqueness, in references.
pub(super) async fn tenants_do_not_see_each_other<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let other = kit.of("globex");
    let ours = kit.create(User::new("bjensen")).await?;
    let id = ours.resource.id.as_str();
    let theirs = other
        .create(User {
            title: Some("theirs".to_owned()),
            ..User::new("bjensen")
        })
        .await?;
    ensure!(
        other.load::<User>(id).await?.is_none(),
        "get found a resource of another tenant"
    );
    let want = crate::projection::Projection::default_of(User::RESOURCE_TYPE);
    let read: Result<Answer<User>, _> = other.get(id, &want, &Precondition::None).await;
    is_refused(read, 404, None, "get of another tenant's resource")?;
    let changed = User {
        title: Some("stolen".to_owned()),
        ..User::new("x")
    };
    is_refused(
        other.replace(id, changed, &Precondition::None).await,
        404,
        None,
        "replace of another tenant's resource",
    )?;
    let operations = json!([{"op": "replace", "path": "title", "value": "stolen"}]);
    is_refused(
        other.try_patch::<User>(id, &operations).await,
        404,
        None,
        "patch of another tenant's resource",
    )?;
    is_refused(
        other.delete::<User>(id, &Precondition::None).await,
        404,
        None,
        "delete of another tenant's resource",
    )?;
    let kept = kit.state::<User>(id).await?;
    ensure!(kept == ours, "another tenant has changed a resource to {kept:?}");
    let their_id = theirs.resource.id.to_string();
    let list = other.list(&Query::<User>::all(10)).await?;
    ensure!(
        list.total == 1 && list.ids() == [their_id.as_str()],
        "a tenant with one user is shown a list of {}",
        list.total
    );
    for filter in [
        "userName eq \"bjensen\"",
        "userName sw \"b\"",
        &format!("id eq \"{id}\" or title pr"),
    ] {
        let found = other.found::<User>(filter).await?;
        ensure!(
            found == [their_id.as_str()],
            "{filter} found {} resources in a tenant that has one",
            found.len()
        );
    }
    other.create(Group::new("Tour Guides")).await?;
    let groups = kit.list(&Query::<Group>::all(10)).await?;
    ensure!(
        groups.total == 0,
        "a tenant without groups is shown {}",
        groups.total
    );
    other.deleted::<User>(&their_id).await?;
    ensure!(
        kit.list(&Query::<User>::all(10)).await?.total == 1,
        "a delete in one tenant has changed the list of another"
    );
    Ok(())
}
