//! The work of each page: how many statements it runs, whatever the organization has.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::collections::BTreeMap;

use program::bench::Bench;
use program::person::Person;

/// The pages that show one thing are found by a link on the list of their kind.
const LISTS: [&str; 3] = ["users", "groups", "roles"];

const PAGES: [&str; 17] = [
    "",
    "users",
    "users?q=a",
    "users/new",
    "groups",
    "roles",
    "integrations",
    "integrations/scim",
    "integrations/scim/mapping",
    "integrations/scim/history",
    "integrations/scim/wizard",
    "integrations/saml",
    "integrations/saml/failures",
    "conflicts",
    "mail",
    "login-settings",
    "audit",
];

/// No page runs more statements than this, sign-in included.
const MOST: u64 = 150;

/// Of the lists, what is said of each row is fetched for the whole page: only the people of each group are counted one by one.
const MOST_OF_LISTS: [(&str, u64); 4] = [("users", 40), ("users?q=a", 40), ("groups", 80), ("roles", 40)];

/// By how much two sizes may differ: people at the edge of a page have more roles or fewer.
const SLACK: u64 = 8;

/// Makes an organization that a simulated provider has filled, with a conflict, a local group and mapped groups.
fn filled(users: &str, groups: &str) -> Bench {
    let bench = Bench::new(&["--assignment", "local-groups", "--idp", "okta"]);
    let url = format!("http://{}/scim/acme/v2", bench.server.address());
    let sent = ["simulate", "okta", "--url", &url, "--token", &bench.token];
    let size = [
        "--users",
        users,
        "--groups",
        groups,
        "--members",
        "5",
        "--changes",
        "0",
    ];
    bench.run(&[&sent[..], &size].concat());
    let listed = bench.run(&["group", "list", "acme", "--limit", "200"]);
    for group in listed["groups"].as_array().unwrap() {
        bench.run(&[
            "mapping",
            "set",
            "acme",
            group["name"].as_str().unwrap(),
            "Operator",
        ]);
    }
    bench
}

/// Returns the number of statements that the server has run.
fn statements(bench: &Bench) -> u64 {
    let text = bench.server.get("/metrics", &[]).text;
    let mut lines = text.lines();
    let count = lines.find_map(|line| line.strip_prefix("scim_database_statements_total "));
    count.unwrap().parse().unwrap()
}

/// Counts the statements that a page runs: the least of several times, because the server does other work meanwhile.
fn cost(bench: &Bench, person: &mut Person<'_>, path: &str) -> u64 {
    let mut once = || {
        let before = statements(bench);
        let between = statements(bench);
        let page = person.get(path);
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        (statements(bench) - between).saturating_sub(between - before)
    };
    (0..5).map(|_| once()).min().unwrap()
}

/// Returns the path of the last thing that a list leads to.
fn of_one(person: &mut Person<'_>, list: &str) -> String {
    let page = person.open(&format!("/o/acme/{list}"));
    let begin = format!("href=\"/o/acme/{list}/");
    let paths = page
        .answer
        .text
        .split(&begin)
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap());
    let is_id = |path: &&str| path.len() == 36 && path.matches('-').count() == 4;
    format!("{list}/{}", paths.filter(is_id).last().unwrap())
}

/// Returns what each page costs.
fn costs(bench: &Bench) -> BTreeMap<String, u64> {
    let mut ida = bench.enter();
    let mut costs = BTreeMap::new();
    for page in PAGES {
        costs.insert(page.to_owned(), cost(bench, &mut ida, &format!("/o/acme/{page}")));
    }
    for list in LISTS {
        let path = of_one(&mut ida, list);
        if list == "users" {
            let panel = format!("/o/acme/{path}/panel");
            costs.insert("users/…/panel".to_owned(), cost(bench, &mut ida, &panel));
        }
        costs.insert(
            format!("{list}/…"),
            cost(bench, &mut ida, &format!("/o/acme/{path}")),
        );
    }
    costs
}

/// Feature rows 1, 42, 60, 75, 81: a list that fills its page runs as many statements however many people, groups and requests
/// follow, and each page runs few.
#[test]
fn a_page_asks_as_little_of_a_large_organization_as_of_a_small_one() {
    let small = costs(&filled("60", "55"));
    let large = costs(&filled("240", "110"));
    let mut dear = Vec::new();
    for (page, cost) in &large {
        let of_list = MOST_OF_LISTS.iter().find(|(list, _)| list == page);
        let most = of_list.map_or(MOST, |(_, most)| *most);
        if *cost > most || *cost > small[page] + SLACK {
            dear.push(format!(
                "/{page}: {} of a small organization, {cost} of a large one",
                small[page]
            ));
        }
    }
    assert!(dear.is_empty(), "{dear:#?}\n{large:#?}");
}
