//! The pages of what has happened: audit log, conflicts and outgoing mail.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod program;

use std::time::{Duration, Instant};

use program::bench::Bench;
use program::entering::ADMINISTRATOR;
use program::person::{Page, Person, header, open_until};
use serde_json::{Value, json};

/// Makes somebody with the permissions that are given, and signs them in.
fn enter_with<'s>(bench: &'s Bench, name: &str, allowed: &[&str]) -> Person<'s> {
    let flags: Vec<_> = allowed
        .iter()
        .flat_map(|permission| ["--allow", *permission])
        .collect();
    bench.run(&[&["role", "create", "acme", name], &flags[..]].concat());
    bench.enter_as(name, name)
}

/// Counts the rows of the list of the audit log.
fn rows(page: &Page) -> usize {
    page.answer.text.matches("<td class=\"nowrap\"><time").count()
}

/// Feature rows 70, 81: each change is told in words, with who has made it, and is found by whoever looks for it.
#[test]
fn a_change_is_told_and_found() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    bench.run(&["role", "create", "acme", "Auditor", "--allow", "audit:read"]);
    bench.run(&["org", "set", "acme", "--first-login", "password-reset"]);
    let page = open_until(&mut ida, "/o/acme/audit", "from “invitation” to “password-reset”");
    assert!(
        page.says("Role created: <a") && page.says(">Auditor</a>"),
        "{}",
        page.answer.text
    );
    assert!(page.says("Login settings changed") && page.says("Command line ("));
    assert!(page.says("Signed in") && page.says("127.0.0.1"), "from where");
    let all = rows(&page);
    let by_ida = ida.open(&format!(
        "/o/acme/audit?who={}",
        ADMINISTRATOR.replace('@', "%40")
    ));
    assert!(by_ida.says("Signed in") && !by_ida.says(">Auditor</a>"));
    let both = ida.open("/o/acme/audit?who=ida%40acme.example&what=session.begin");
    assert_eq!(rows(&both), 1, "{}", both.answer.text);
    assert!(both.says("<option value=\"session.begin\" selected>"));
    let created = ida.open("/o/acme/audit?what=role.create");
    let thing = created.between("Role created: <a href=\"", "\"");
    let auditor = ida.open(&thing.replace("&#38;", "&"));
    assert!(
        auditor.says("Role created") && rows(&auditor) == 1,
        "the history of one thing"
    );
    let yesterday = ida.open("/o/acme/audit?to=2020-01-01");
    assert!(yesterday.says("No such change") && rows(&yesterday) == 0);
    assert_eq!(
        rows(&ida.open("/o/acme/audit?from=2020-01-01&to=2120-01-01")),
        all
    );
    assert_eq!(ida.open("/o/acme/audit?from=yesterday").status(), 409);
}

/// Feature row 81: a long log comes page by page, and nothing is shown twice.
#[test]
fn a_long_log_has_pages() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    for number in 0..60 {
        bench.run(&["role", "create", "acme", &format!("Role {number}")]);
    }
    let path = "/o/acme/audit?what=role.create";
    let first = open_until(&mut ida, path, ">Role 59</a>");
    assert_eq!(rows(&first), 50);
    let (before, _) = first.answer.text.split_once("\" rel=\"next\"").unwrap();
    let next = before.rsplit('"').next().unwrap().replace("&#38;", "&");
    let second = ida.open(&next);
    assert_eq!(rows(&second), 10);
    assert!(second.says(">Role 9</a>") && !second.says(">Role 10</a>"));
    assert!(second.says(">First page</a>"));
}

/// Returns the lines of a file that comes in chunks, all of which begin with a character.
fn lines(text: &str, first: char) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with(first)).collect()
}

/// Feature row 81: the whole log is taken away as a file, for spreadsheets and for programs.
#[test]
fn the_log_is_taken_away_as_a_file() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    bench.run(&["role", "create", "acme", "=Auditor"]);
    let page = open_until(&mut ida, "/o/acme/audit?what=role.create", "Auditor");
    let csv = page
        .between("<a class=\"btn btn-s\" href=\"", "\" download")
        .replace("&#38;", "&");
    let file = ida.get(&csv);
    assert_eq!(header(&file, "content-type"), Some("text/csv; charset=utf-8"));
    let name = header(&file, "content-disposition").unwrap();
    assert!(
        name.starts_with("attachment; filename=\"acme-audit-") && name.ends_with(".csv\""),
        "{name}"
    );
    let csv = lines(&file.text, '"');
    assert_eq!(csv.len(), 2, "as filtered: {csv:?}");
    assert!(
        csv[0].starts_with("\"id\",\"time\"") && csv[1].contains("\"'=Auditor\""),
        "{csv:?}"
    );
    let file = ida.get("/o/acme/audit/export?format=jsonl");
    assert_eq!(header(&file, "content-type"), Some("application/jsonl"));
    assert_eq!(header(&file, "cache-control"), Some("no-store"));
    let rows = lines(&file.text, '{');
    let rows: Vec<Value> = rows
        .into_iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        rows.iter().any(|row| row["action"] == "session.begin"),
        "{rows:?}"
    );
    assert!(!file.text.contains("scim_"), "no secret");
    assert_eq!(ida.get("/o/acme/audit/export?format=pdf").status, 404);
}

/// Feature row 81: in a browser, the list follows the form.
#[test]
fn the_list_follows_the_form() {
    let bench = Bench::new(&[]);
    let mut browser = bench.open_browser();
    browser.press("Audit log");
    assert_eq!(browser.heading(), "Audit log");
    browser.wait("#audit-list", "Signed in");
    browser.choose("What", "Role created");
    browser.wait("#audit-list", "No such change");
    assert!(browser.path().contains("what=role.create"), "{}", browser.path());
    browser.press("Show all changes");
    browser.wait("#audit-list", "Signed in");
    browser.is_quiet();
}

/// Refuses the provider: a manual account has the name.
fn conflict(bench: &Bench) {
    bench.run(&["user", "create", "acme", "boss@acme.example"]);
    let body = json!({ "schemas": [program::bench::USER], "userName": "boss@acme.example" });
    let until = Instant::now() + Duration::from_secs(10);
    while bench.send("POST", "/Users", &body).status != 409 {
        assert!(Instant::now() < until, "the name is free");
    }
}

/// Feature row 99: what the provider could not do is listed with the remedy, is put aside and comes back.
#[test]
fn a_conflict_is_listed_put_aside_and_opened_again() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    let empty = ida.open("/o/acme/conflicts");
    assert!(empty.says("Nothing is in the way"), "{}", empty.answer.text);
    conflict(&bench);
    let page = open_until(
        &mut ida,
        "/o/acme/conflicts",
        "A manual account has the name boss@acme.example",
    );
    assert!(page.says("let the provider adopt it"), "the remedy");
    let counted = "Conflicts <span class=\"badge warn push\">1<span class=\"sr\"> open</span></span>";
    assert!(ida.open("/o/acme/users").says(counted), "on every page");
    let mut auditor = enter_with(&bench, "auditor@acme.example", &["audit:read"]);
    assert!(
        !auditor
            .open("/o/acme/audit")
            .says("<span class=\"sr\"> open</span>")
    );
    let shown = bench.run(&["user", "show", "acme", "boss@acme.example"]);
    let account = shown["id"].as_str().unwrap();
    assert!(
        page.says(&format!("/o/acme/users/{account}/adopt\"")),
        "{}",
        page.answer.text
    );
    let ignore = page.between("/o/acme/conflicts/", "/ignore\"").to_owned();
    let page = ida.submit(&format!("/o/acme/conflicts/{ignore}/ignore"), &[]);
    assert!(
        page.says("The conflict about boss@acme.example is ignored."),
        "{}",
        page.answer.text
    );
    assert!(page.says("Nothing is in the way") && !page.says(counted));
    let ignored = ida.open("/o/acme/conflicts?state=ignored");
    assert!(
        ignored.says("A manual account has the name"),
        "{}",
        ignored.answer.text
    );
    let page = ida.submit(&format!("/o/acme/conflicts/{ignore}/reopen"), &[]);
    assert!(page.says("is open again.") && page.says("A manual account has the name"));
    let page = ida.submit(&format!("/o/acme/conflicts/{ignore}/reopen"), &[]);
    assert_eq!(
        (
            page.status(),
            page.trouble().contains("only one that was put aside")
        ),
        (409, true)
    );
    assert_eq!(ida.submit("/o/acme/conflicts/7/ignore", &[]).status(), 404);
    let mut reader = enter_with(&bench, "reader@acme.example", &["users:read"]);
    let page = reader.open("/o/acme/conflicts");
    assert!(page.says("A manual account has the name"));
    assert!(
        !page.says("/ignore\"") && !page.says("/adopt\""),
        "no button without the permission"
    );
}

/// Feature row 99: a conflict that comes while somebody looks appears by itself.
#[test]
fn a_conflict_appears_by_itself() {
    let bench = Bench::new(&[]);
    let mut browser = bench.open_browser();
    browser.press("Conflicts");
    browser.wait("#inbox", "Nothing is in the way");
    conflict(&bench);
    browser.wait("#inbox", "A manual account has the name boss@acme.example");
    browser.press_in(
        "#inbox",
        "Ignore “A manual account has the name boss@acme.example”",
    );
    browser.wait("#toasts", "is ignored");
    browser.is_quiet();
}

/// Feature row 92: administrators see recipient, subject and state of a mail, and never its link.
#[test]
fn a_mail_is_shown_without_its_link() {
    const NOOR: &str = "noor@acme.example";
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    bench.user(NOOR);
    let link = bench.mailed("invitation", NOOR);
    let page = open_until(&mut ida, "/o/acme/mail", NOOR);
    assert!(
        page.says("This server has no mail server."),
        "{}",
        page.answer.text
    );
    assert!(
        page.says("Not sent") && !page.says("/retry\""),
        "nothing can be sent"
    );
    let id = bench.run(&["mail", "list", "acme"])["mails"]
        .as_array()
        .unwrap()
        .iter()
        .find(|mail| mail["recipient"] == NOOR)
        .map(|mail| mail["id"].as_str().unwrap().to_owned())
        .unwrap();
    let one = ida.open(&format!("/o/acme/mail/{id}"));
    assert!(one.says("(hidden)") && !one.says(&link), "{}", one.answer.text);
    assert!(!one.says("Show the link"), "it is the operator’s to see");
    assert_eq!(ida.submit(&format!("/o/acme/mail/{id}/link"), &[]).status(), 403);
    let retried = ida.submit(&format!("/o/acme/mail/{id}/retry"), &[]);
    assert!(
        retried.trouble().contains("has no mail server"),
        "{}",
        retried.answer.text
    );
    let page = ida.submit(&format!("/o/acme/mail/{id}/cancel"), &[]);
    assert!(
        page.says(&format!("The mail to {NOOR} was cancelled.")),
        "{}",
        page.answer.text
    );
    assert!(ida.open("/o/acme/mail?state=cancelled").says(NOOR));
    assert!(!ida.open("/o/acme/mail?state=kept").says(NOOR));
    assert_eq!(ida.open(&link).status(), 200, "the link itself is not taken back");
}

/// Feature row 92: in a demonstration the link is shown when somebody asks, and the audit log tells of it.
#[test]
fn a_demonstration_shows_links() {
    const NOOR: &str = "noor@acme.example";
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    bench.user(NOOR);
    let link = bench.mailed("invitation", NOOR);
    bench
        .place
        .execute("INSERT INTO instance (key, value) VALUES ('demo', 'made')");
    let page = open_until(&mut ida, "/o/acme/mail?state=kept", NOOR);
    let id = page.between("href=\"/o/acme/mail/", "\"").to_owned();
    let one = open_until(&mut ida, &format!("/o/acme/mail/{id}"), "Show the link");
    assert!(!one.says(&link));
    let shown = ida.submit(&format!("/o/acme/mail/{id}/link"), &[]);
    assert!(shown.says(&link), "{}", shown.answer.text);
    assert_eq!(header(&shown.answer, "cache-control"), Some("no-store"));
    let told = ida.open("/o/acme/audit?who=ida%40acme.example&what=mail.show-link");
    assert_eq!(rows(&told), 1);
}

/// Feature rows 70, 89: what concerns owners stands in a log of the instance, which they and the operator read.
#[test]
fn the_instance_has_an_audit_log_of_its_own() {
    let bench = Bench::new(&[]);
    let mut owner = bench.own();
    bench.run(&["admin", "create", "eve@instance.example"]);
    let listed = bench.run(&["audit", "list", "--instance"]);
    assert_eq!(listed["organization"], Value::Null);
    let newest = &listed["changes"][0];
    assert_eq!(
        (&newest["action"], &newest["subject_name"]),
        (&json!("admin.create"), &json!("eve@instance.example"))
    );
    let page = owner.open("/instance/audit");
    assert!(page.says("eve@instance.example"), "{}", page.answer.text);
    let file = owner.get("/instance/audit/export?format=csv");
    assert!(
        file.head.contains("instance-audit-") && file.text.contains("admin.create"),
        "{}",
        file.text
    );
    let mut ida = bench.enter();
    assert_ne!(ida.open("/instance/audit").heading(), "Audit log");
}

/// Feature rows 89, 92: mails to owners stand in a mailbox of the instance, which no organization sees.
#[test]
fn the_instance_has_a_mailbox_of_its_own() {
    let bench = Bench::new(&[]);
    let mut owner = bench.own();
    bench.run(&["admin", "create", "eve@instance.example"]);
    bench.run(&["admin", "recover", "eve@instance.example"]);
    open_until(&mut owner, "/instance/mail", "eve@instance.example");
    let page = owner.open("/instance/mail");
    let id = page.between("href=\"/instance/mail/", "\"").to_owned();
    let listed = bench.run(&["mail", "list", "--instance"]);
    assert!(
        listed["organization"].is_null() && listed["mails"][0]["id"] == *id,
        "{listed:#}"
    );
    assert_eq!(owner.open(&format!("/instance/mail/{id}")).status(), 200);
    let mut ida = bench.enter();
    for path in ["/o/acme/mail/", "/instance/mail/"] {
        let page = ida.open(&format!("{path}{id}"));
        assert!(
            page.status() == 404 || page.heading() == "Sign in",
            "{path}: {}",
            page.answer.text
        );
    }
    let page = owner.submit(&format!("/instance/mail/{id}/cancel"), &[]);
    assert!(
        page.says("@instance.example was cancelled."),
        "{}",
        page.answer.text
    );
    assert_eq!(
        owner.open("/o/acme/audit").status(),
        200,
        "an owner sees each organization"
    );
}

const PAGES: [(&str, &str, &str); 6] = [
    ("/audit", "audit:read", "Audit log"),
    ("/audit/export?format=csv", "audit:read", ""),
    ("/conflicts", "users:read", "Conflicts"),
    ("/mail", "users:read", "Outgoing mail"),
    ("/mail/0191b2f0-aaaa-7000-8000-000000000000", "users:read", ""),
    ("/mail?state=kept", "users:read", ""),
];

const FORMS: [&str; 5] = [
    "/conflicts/0191b2f0-aaaa-7000-8000-000000000000/ignore",
    "/conflicts/0191b2f0-aaaa-7000-8000-000000000000/reopen",
    "/mail/0191b2f0-aaaa-7000-8000-000000000000/retry",
    "/mail/0191b2f0-aaaa-7000-8000-000000000000/cancel",
    "/mail/0191b2f0-aaaa-7000-8000-000000000000/link",
];

/// Feature rows 14, 81, 92, 99: whoever lacks the permission has neither the page nor a way there, and who is of another
/// organization has to sign in.
#[test]
fn pages_are_for_those_who_may() {
    let bench = Bench::new(&[]);
    bench.run(&["org", "create", "other"]);
    let mut clerk = enter_with(&bench, "clerk@acme.example", &["groups:read"]);
    let start = clerk.open("/o/acme/");
    for (path, permission, name) in PAGES {
        let page = clerk.open(&format!("/o/acme{path}"));
        assert_eq!(page.status(), 403, "{path}");
        assert!(page.says(permission), "{path}: {}", page.answer.text);
        assert!(
            name.is_empty() || !start.says(&format!(" {name}</a>")),
            "no way to {path}"
        );
        let foreign = clerk.open(&format!("/o/other{path}"));
        assert_eq!(foreign.heading(), "Sign in", "{path}");
    }
    for path in FORMS {
        assert_eq!(clerk.post(&format!("/o/acme{path}"), &[]).status, 403, "{path}");
        assert_eq!(
            clerk.post_across(&format!("/o/acme{path}"), &[]).status,
            403,
            "{path}"
        );
        assert_eq!(
            clerk.submit(&format!("/o/other{path}"), &[]).heading(),
            "Sign in",
            "{path}"
        );
    }
}
