use super::*;
use crate::ScimType;
use crate::sort::{Sort, SortOrder};

fn changed(mut query: Query<User>, change: impl FnOnce(&mut Query<User>)) -> Query<User> {
    change(&mut query);
    query
}

fn window(start_index: u64, count: usize) -> Query<User> {
    changed(all::<User>(), |query| {
        (query.start_index, query.count) = (start_index, count);
    })
}

fn people(bench: &Bench) -> Vec<String> {
    let mut ids = Vec::new();
    for (number, name) in ["Anna", "bob", "Zoë", "carl"].into_iter().enumerate() {
        bench.hands.set(2_000 + number as i64);
        let mut user = User::new(name);
        user.external_id = Some(crate::value::ExternalId::new(format!("E{number}")));
        user.display_name = (number != 1).then(|| format!("{name} Smith"));
        user.active = [Some(true), Some(false), None, Some(true)][number];
        user.title = Some(["Guide", "Driver"][number % 2].into());
        user.emails = vec![
            email(&format!("{number}@Work.example"), "work"),
            email(&format!("{number}@home.example"), "home"),
        ];
        ids.push(id_of(&bench.create(user).unwrap()));
    }
    ids
}

#[test]
fn filters_find_the_same_by_index_and_by_document() {
    let bench = bench();
    let ids = people(&bench);
    let group = bench.group("Guides", &[&ids[0], &ids[2]]);
    let (a, b) = (&ids[0], &ids[1]);
    let cases: Vec<(String, &[&str])> = vec![
        ("userName eq \"ANNA\"".into(), &["Anna"]),
        ("userName sw \"b\"".into(), &["bob"]),
        ("userName gt \"bob\"".into(), &["Zoë", "carl"]),
        ("userName co \"a\"".into(), &["Anna", "carl"]),
        ("externalId eq \"E2\"".into(), &["Zoë"]),
        ("externalId eq \"e2\"".into(), &[]),
        ("displayName eq \"zoË smith\"".into(), &["Zoë"]),
        ("displayName pr".into(), &["Anna", "Zoë", "carl"]),
        ("not (displayName pr)".into(), &["bob"]),
        ("active eq true".into(), &["Anna", "carl"]),
        ("not (active eq true)".into(), &["bob", "Zoë"]),
        ("active eq false".into(), &["bob"]),
        ("active ne false".into(), &["Anna", "Zoë", "carl"]),
        ("emails.value eq \"2@work.example\"".into(), &["Zoë"]),
        ("emails eq \"2@work.example\"".into(), &["Zoë"]),
        ("emails[type eq \"work\" and value sw \"1@\"]".into(), &["bob"]),
        (
            "emails[type eq \"work\" and value eq \"1@home.example\"]".into(),
            &[],
        ),
        (
            "emails[type eq \"work\" and value eq \"1@work.example\" and display pr]".into(),
            &[],
        ),
        (
            "emails[value sw \"1@\" and not (type eq \"work\")]".into(),
            &["bob"],
        ),
        (format!("id eq \"{a}\""), &["Anna"]),
        (format!("id eq \"{}\"", a.to_uppercase()), &[]),
        (format!("meta.location eq \"Users/{a}\""), &["Anna"]),
        (format!("meta.location eq \"Groups/{a}\""), &[]),
        (format!("meta.location sw \"Users/{a}\""), &["Anna"]),
        (format!("groups.value eq \"{group}\""), &["Anna", "Zoë"]),
        (format!("groups.$ref eq \"Groups/{group}\""), &["Anna", "Zoë"]),
        (format!("groups.$ref eq \"Users/{group}\""), &[]),
        (format!("groups.$ref co \"s/{group}\""), &["Anna", "Zoë"]),
        (
            format!("groups[value eq \"{group}\" and type eq \"indirect\"]"),
            &[],
        ),
        (format!("not (groups.value eq \"{group}\")"), &["bob", "carl"]),
        ("groups.display eq \"guides\"".into(), &["Anna", "Zoë"]),
        ("groups.value eq \"nothing\"".into(), &[]),
        (
            "meta.lastModified gt \"1970-01-01T00:33:21Z\"".into(),
            &["Zoë", "carl"],
        ),
        (
            "meta.lastModified ge \"1970-01-01T00:33:21Z\"".into(),
            &["bob", "Zoë", "carl"],
        ),
        (
            "meta.lastModified le \"1970-01-01T00:33:20.0000005Z\"".into(),
            &["Anna"],
        ),
        ("meta.lastModified lt \"1970-01-01T00:33:20Z\"".into(), &[]),
        ("meta.created eq \"1970-01-01T00:33:21Z\"".into(), &["bob"]),
        (
            "userName eq \"anna\" or emails.value eq \"1@home.example\"".into(),
            &["Anna", "bob"],
        ),
        ("userName eq \"anna\" or externalId eq \"E0\"".into(), &["Anna"]),
        (
            "userName eq \"anna\" or title eq \"driver\"".into(),
            &["Anna", "bob", "carl"],
        ),
        ("active eq true and title eq \"guide\"".into(), &["Anna"]),
        (
            "active eq true and emails.value eq \"3@home.example\"".into(),
            &["carl"],
        ),
        (
            "emails.value sw \"3\" and emails.value sw \"3@w\"".into(),
            &["carl"],
        ),
        (
            format!("groups.value eq \"{group}\" and active eq true"),
            &["Anna"],
        ),
        (
            format!("active eq true and groups.value eq \"{group}\" and title pr"),
            &["Anna"],
        ),
        (
            format!("(userName eq \"bob\" or userName eq \"carl\") and not (id eq \"{b}\")"),
            &["carl"],
        ),
        (
            "not (userName eq \"anna\" and active eq true)".into(),
            &["bob", "Zoë", "carl"],
        ),
        (
            "title eq \"guide\" or (active eq false and userName pr)".into(),
            &["Anna", "bob", "Zoë"],
        ),
        ("title eq \"nothing\"".into(), &[]),
    ];
    for (filter, expected) in &cases {
        assert_eq!(bench.found::<User>(filter), *expected, "{filter}");
    }
    for (filter, expected) in [
        ("displayName eq \"GUIDES\"".to_owned(), vec!["Guides"]),
        (format!("members.value eq \"{a}\""), vec!["Guides"]),
        (format!("members[value eq \"{a}\"]"), vec!["Guides"]),
        (
            format!("members[value eq \"{a}\" and type eq \"User\"]"),
            vec!["Guides"],
        ),
        (format!("members[value eq \"{a}\" and type eq \"Group\"]"), vec![]),
        (format!("members.value eq \"{b}\""), vec![]),
        (format!("members.$ref eq \"Users/{a}\""), vec!["Guides"]),
        (format!("members.$ref eq \"Groups/{a}\""), vec![]),
        (
            format!("members[$ref eq \"Users/{a}\" and type eq \"User\"]"),
            vec!["Guides"],
        ),
        ("members pr".to_owned(), vec!["Guides"]),
        ("not (members pr)".to_owned(), vec![]),
        ("members.display sw \"Zo\"".to_owned(), vec!["Guides"]),
        (
            format!("members.value eq \"{b}\" or members[value eq \"{a}\" or value eq \"{b}\"]"),
            vec!["Guides"],
        ),
    ] {
        assert_eq!(bench.found::<Group>(&filter), expected, "{filter}");
    }
}

/// Issue 2, section 7: filters on these use an index.
#[test]
fn filters_on_indexed_attributes_visit_no_other_rows() {
    let bench = bench();
    let ids = people(&bench);
    let explain = |query: &Query<User>| bench.block(bench.store.explain(ACME, query)).unwrap();
    let by = |filter: &str| explain(&all::<User>().matching(filter_of::<User>(filter)));
    for (filter, index) in [
        ("userName eq \"x\"", "scim_resource_k2"),
        ("externalId eq \"x\"", "scim_resource_k1"),
        ("displayName eq \"x\"", "scim_resource_k3"),
        ("displayName sw \"x\"", "scim_resource_k3"),
        ("active eq true", "scim_resource_k4"),
        ("not (active eq true)", "scim_resource_k4"),
        ("emails.value eq \"x\"", "SEARCH v USING PRIMARY KEY"),
        (
            "emails[type eq \"work\" and value eq \"x\"]",
            "SEARCH v USING PRIMARY KEY",
        ),
        ("id eq \"x\"", "scim_resource_id"),
        ("meta.location eq \"Users/x\"", "scim_resource_id"),
        (
            "meta.lastModified gt \"2020-01-01T00:00:00Z\"",
            "scim_resource_modified",
        ),
        ("groups.value eq \"x\"", "SEARCH e USING PRIMARY KEY"),
        ("groups.$ref eq \"Groups/x\"", "SEARCH e USING PRIMARY KEY"),
        ("userName eq \"x\" or emails.value eq \"y\"", "scim_resource_k2"),
        ("userName eq \"x\" and active eq true", "scim_resource_k2"),
        (
            "active eq true and title eq \"guide\" and userName eq \"x\"",
            "scim_resource_k2",
        ),
    ] {
        let plan = by(filter);
        let lines = plan.join("\n");
        assert!(lines.contains(index), "{filter}:\n{lines}");
        assert_no_scan(&plan, filter);
    }
    let groups = |filter: &str| {
        bench
            .block(
                bench
                    .store
                    .explain(ACME, &all::<Group>().matching(filter_of::<Group>(filter))),
            )
            .unwrap()
    };
    for filter in [
        format!("members.value eq \"{}\"", ids[0]),
        format!("members[value eq \"{}\"]", ids[0]),
        format!("members.$ref eq \"Users/{}\"", ids[0]),
    ] {
        let plan = groups(&filter);
        assert!(plan.join("\n").contains("scim_edge_dst"), "{filter}: {plan:?}");
        assert_no_scan(&plan, &filter);
    }
    assert!(
        groups("displayName eq \"x\"")
            .join("\n")
            .contains("scim_resource_k2")
    );
    let list = explain(&all::<User>());
    assert!(
        list.join("\n").contains("scim_resource_list") && !list.join("\n").contains("TEMP B-TREE"),
        "{list:?}"
    );
    assert_eq!(by("title eq \"x\""), ["EVERY ROW"]);
}

fn assert_no_scan(plan: &[String], filter: &str) {
    let scans = |line: &&String| {
        line.starts_with("SCAN")
            && ["SCAN c", "SCAN (", "SCAN s"]
                .iter()
                .all(|derived| !line.starts_with(derived))
    };
    assert_eq!(plan.iter().find(scans), None, "{filter}: {plan:?}");
}

#[test]
fn an_indexed_order_is_read_from_the_index() {
    let bench = bench();
    people(&bench);
    let sorted = |by: &str, order: SortOrder| {
        let sort = Sort::resolve(&by.parse().unwrap(), order, User::RESOURCE_TYPE.schema).unwrap();
        changed(all::<User>(), |query| query.sort = Some(sort))
    };
    let names_by = |by: &str, order| names(&bench.query(&sorted(by, order)).unwrap().1);
    use SortOrder::{Ascending, Descending};
    assert_eq!(names_by("userName", Ascending), ["Anna", "bob", "carl", "Zoë"]);
    assert_eq!(names_by("userName", Descending), ["Zoë", "carl", "bob", "Anna"]);
    assert_eq!(
        names_by("displayName", Ascending),
        ["Anna", "carl", "Zoë", "bob"],
        "missing values come last"
    );
    assert_eq!(
        names_by("displayName", Descending),
        ["bob", "Zoë", "carl", "Anna"]
    );
    assert_eq!(
        names_by("title", Ascending),
        ["bob", "carl", "Anna", "Zoë"],
        "ties in the order of creation"
    );
    assert_eq!(names_by("active", Descending), ["Zoë", "Anna", "carl", "bob"]);
    assert_eq!(
        names_by("meta.lastModified", Descending),
        ["carl", "Zoë", "bob", "Anna"]
    );
    let filtered = changed(sorted("userName", Descending), |query| {
        (query.start_index, query.count) = (2, 1);
    })
    .matching(filter_of::<User>("active pr"));
    let (total, items) = bench.query(&filtered).unwrap();
    assert_eq!((total, names(&items)), (3, vec!["bob".to_owned()]));
    let plan = bench
        .block(bench.store.explain(ACME, &sorted("userName", Ascending)))
        .unwrap();
    assert!(
        plan.join("\n").contains("scim_resource_k2") && !plan.join("\n").contains("TEMP B-TREE"),
        "{plan:?}"
    );
    let page = bench
        .block(
            bench
                .store
                .list(&bench.tenant, &sorted("userName", Ascending), &only::<User>("id")),
        )
        .unwrap();
    assert!(page.items.iter().all(|item| item.sort_key.is_some()));
}

#[test]
fn pages_are_cut_after_the_filter_and_totals_are_exact() {
    let bench = bench();
    let names_of: Vec<_> = (0..25).map(|number| format!("user{number:02}")).collect();
    for (number, name) in names_of.iter().enumerate() {
        bench
            .create(User {
                title: Some(["A", "B"][number % 2].into()),
                ..User::new(name.as_str())
            })
            .unwrap();
    }
    let page = |start_index, filter: Option<&str>| {
        let mut query = window(start_index, 4);
        query.filter = filter.map(filter_of::<User>);
        let (total, items) = bench.query(&query).unwrap();
        (total, names(&items))
    };
    // Without a filter, in sequence and by jumps, forwards and backwards.
    for start in [1_u64, 5, 9, 13, 17, 21, 25, 29, 3, 5, 9, 24] {
        let (total, shown) = page(start, None);
        let expected: Vec<_> = names_of
            .iter()
            .skip(start as usize - 1)
            .take(4)
            .cloned()
            .collect();
        assert_eq!((total, shown), (25, expected), "{start}");
    }
    for filter in [
        "title eq \"b\"",
        "userName sw \"user\" and title eq \"b\"",
        "userName ge \"user\" and title eq \"B\"",
    ] {
        let expected: Vec<_> = names_of
            .iter()
            .skip(1)
            .step_by(2)
            .skip(4)
            .take(4)
            .cloned()
            .collect();
        assert_eq!(page(5, Some(filter)), (12, expected), "{filter}");
    }
    assert_eq!(
        page(3, Some("userName lt \"user05\"")),
        (5, names_of[2..5].to_vec())
    );
    let (total, items) = bench.query(&window(1, 0)).unwrap();
    assert_eq!((total, items.len()), (25, 0));
}

/// A page in sequence begins where the one before has ended, and is right after something was deleted too.
#[test]
fn a_deletion_between_two_pages_leaves_no_wrong_place_behind() {
    let bench = bench();
    let ids: Vec<_> = (0..10).map(|number| bench.user(&format!("u{number}"))).collect();
    let page = |start_index| names(&bench.query(&window(start_index, 3)).unwrap().1);
    assert_eq!(page(1), ["u0", "u1", "u2"]);
    assert_eq!(page(4), ["u3", "u4", "u5"]);
    bench.delete::<User>(&ids[0]).unwrap();
    assert_eq!(page(4), ["u4", "u5", "u6"]);
    bench.user("u10");
    assert_eq!(page(10), ["u10"]);
}

#[test]
fn a_filter_without_index_is_answered_whole_or_not_at_all() {
    let bench = bench();
    people(&bench);
    let query = |filter: &str, scanned_rows| {
        let query =
            changed(all::<User>(), |query| query.scanned_rows = scanned_rows)
                .matching(filter_of::<User>(filter));
        bench.query(&query).map(|(total, _)| total)
    };
    assert_eq!(query("title eq \"guide\"", 4).unwrap(), 2);
    assert_eq!(
        query("title eq \"guide\"", 3).unwrap_err().scim_type(),
        Some(ScimType::TooMany)
    );
    assert_eq!(query("userName sw \"a\" and title eq \"guide\"", 1).unwrap(), 1);
    assert_eq!(
        query("active pr and title eq \"guide\"", 2)
            .unwrap_err()
            .scim_type(),
        Some(ScimType::TooMany)
    );
    assert_eq!(
        query("userName eq \"anna\"", 0).unwrap(),
        1,
        "an index visits nothing else"
    );
    let sort = Sort::resolve(
        &"title".parse().unwrap(),
        SortOrder::Ascending,
        User::RESOURCE_TYPE.schema,
    )
    .unwrap();
    let sorted = changed(all::<User>(), |query| {
        (query.sort, query.scanned_rows) = (Some(sort), 3);
    });
    assert_eq!(
        bench.query(&sorted).unwrap_err().scim_type(),
        Some(ScimType::TooMany)
    );
}
