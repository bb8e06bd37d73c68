//! The pages of people, groups and roles.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::thread::sleep;
use std::time::{Duration, Instant};

use program::bench::{Bench, USER};
use program::entering::{ADMINISTRATOR, PASSWORD};
use program::people::{crew, names, page_of, page_of_role, set_active};
use program::person::{Application, Page, Person, open_until};
use serde_json::{Value, json};

/// Feature rows 46, 53, 108, 111: the list has a part for each state, says who manages whom, and when the provider came last.
#[test]
fn the_list_shows_people_by_their_state() {
    let bench = Bench::new(&["--idp", "entra", "--username", "any"]);
    let mut ida = bench.enter();
    let ann = bench.user_with("ann@x.example", &json!({ "displayName": "Ann Byron" }));
    let bob = bench.user("bob@x.example");
    bench.user("carl");
    crew(&bench, &[&ann]);
    set_active(&bench, &bob, false);
    bench.run(&[
        "user",
        "suspend",
        "acme",
        "ann@x.example",
        "--reason",
        "Laptop lost",
    ]);
    open_until(&mut ida, "/o/acme/users", "Suspended</span>");
    let page = open_until(&mut ida, "/o/acme/users", "Last synchronised <time");
    assert_eq!(
        names(&page),
        ["Ann Byron", "bob@x.example", "carl", ADMINISTRATOR]
    );
    for says in [
        "4 people. 3 of them come from Microsoft Entra ID and are managed there.",
        "Last synchronised <time",
        "Managed by SCIM",
        "Manual account",
        "No address",
        "Disabled",
    ] {
        assert!(page.says(says), "{says}: {}", page.answer.text);
    }
    for (query, expected) in [
        ("show=active", vec!["Ann Byron", "carl", ADMINISTRATOR]),
        ("show=disabled", vec!["bob@x.example"]),
        ("show=suspended", vec!["Ann Byron"]),
        ("show=removed", vec![]),
        ("source=hand", vec![ADMINISTRATOR]),
        ("source=scim&show=active", vec!["Ann Byron", "carl"]),
        ("q=b", vec!["Ann Byron", "bob@x.example"]),
        ("q=byr&source=scim", vec!["Ann Byron"]),
        ("q=zz", vec![]),
    ] {
        let page = ida.open(&format!("/o/acme/users?{query}"));
        assert_eq!(names(&page), expected, "{query}");
    }
    assert!(ida.open("/o/acme/users?q=zz").says("Nobody is called so here"));
}

/// Feature row 50: people without a role wait under "Unassigned users", are counted there, and leave with the first role.
#[test]
fn unassigned_people_wait_until_somebody_gives_them_a_role() {
    let bench = Bench::new(&["--like", "level-access"]);
    let mut ida = bench.enter();
    bench.user("ann@x.example");
    bench.user("bob@x.example");
    bench.run(&["local-group", "create", "acme", "Night"]);
    let page = open_until(
        &mut ida,
        "/o/acme/users?show=unassigned",
        "<span class=\"badge warn\">2</span>",
    );
    assert_eq!(names(&page), ["ann@x.example", "bob@x.example"]);
    assert!(page.says("Organization settings") && page.says("Unassigned users"));
    let ann = page_of(&bench, "ann@x.example");
    let group = bench.run(&["local-group", "show", "acme", "Night"])["id"].clone();
    let group = group.as_str().unwrap();
    let page = ida.submit(&format!("{ann}/groups/join"), &[("group", group)]);
    assert!(page.says("The person is in Night now."), "{}", page.answer.text);
    let page = ida.open("/o/acme/users?show=unassigned");
    assert_eq!(names(&page), ["bob@x.example"]);
    let page = ida.submit(&format!("{ann}/groups/leave"), &[("group", group)]);
    assert!(page.says("The person is not in Night any more."));
    assert_eq!(names(&ida.open("/o/acme/users?show=unassigned")).len(), 2);
    bench.is_sound();
}

/// Feature rows 42, 43, 44, 45, 96: somebody who is provisioned without a group has nothing; roles are not given by hand, nor
/// is there a control for it, while single permissions are, and outlive what the provider changes.
#[test]
fn permissions_are_given_on_the_page_and_roles_of_provisioned_people_are_not() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    let id = bench.user("ann@x.example");
    let ann = page_of(&bench, "ann@x.example");
    let page = open_until(&mut ida, &ann, "No access");
    assert!(
        page.says("cannot be added by hand") && !page.says("/roles/give"),
        "{}",
        page.answer.text
    );
    let refused = ida.submit(&format!("{ann}/roles/give"), &[("role", "Operator")]);
    assert_eq!(refused.status(), 422);
    assert!(refused.trouble().contains("its roles come by groups"));
    let refused = ida.submit(&format!("{ann}/roles/take"), &[("role", "Operator")]);
    assert!(refused.trouble().contains("its roles come by groups"));
    let given = [
        ("permission", "users:read"),
        ("permission", "audit:read"),
        ("permission", ""),
    ];
    let page = ida.submit(&format!("{ann}/permissions/give"), &given);
    assert!(
        page.says("Given: users:read, audit:read."),
        "{}",
        page.answer.text
    );
    let held = page.between("id=\"permissions\"", "</section>");
    assert!(held.contains("<code>audit:read</code>") && held.contains(&format!("Given by {ADMINISTRATOR}")));
    let wrong = ida.submit(&format!("{ann}/permissions/give"), &[("permission", "reports")]);
    assert_eq!(wrong.status(), 422);
    assert!(wrong.trouble().contains("is not a valid permission"));
    let body = json!({ "schemas": [USER], "userName": "ann@x.example", "title": "Cook" });
    assert_eq!(bench.send("PUT", &format!("/Users/{id}"), &body).status, 200);
    let page = open_until(&mut ida, &ann, "Cook");
    assert!(page.says("<code>audit:read</code>"));
    let page = ida.submit(
        &format!("{ann}/permissions/take"),
        &[("permission", "audit:read")],
    );
    let held = page.between("id=\"permissions\"", "</section>");
    assert!(
        !held.contains("grow\"><code>audit:read</code>") && held.contains("grow\"><code>users:read</code>")
    );
    bench.is_sound();
}

/// Feature rows 77, 96: each role is told with every way that leads to it, as a picture and in words, and what would be lost
/// without a group.
#[test]
fn access_is_explained() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    let ann = bench.user("ann@x.example");
    crew(&bench, &[&ann]);
    let night = bench.group("Night", &[&ann]);
    bench.run(&["role", "create", "acme", "Watch", "--allow", "history:read"]);
    bench.run(&["mapping", "set", "acme", "Night", "Desk", "Watch"]);
    bench.run(&[
        "user",
        "grant",
        "acme",
        "ann@x.example",
        "--permission",
        "app:keys",
    ]);
    let page = page_of(&bench, "ann@x.example");
    let page = open_until(&mut ida, &format!("{page}?without={night}"), "app:keys");
    let why = page.between("id=\"why\"", "</section>");
    assert!(why.contains("<svg viewBox=\"0 0 640 "), "{why}");
    let told = page.between("<desc id=\"why-desc\">", "</desc>");
    assert!(told.contains("Crew and Night: mapped to Desk."), "{told}");
    assert!(told.contains("Night: mapped to Watch.") && told.contains("Given individually: app:keys."));
    let roles = page.between("id=\"roles\"", "</section>");
    assert!(
        roles.contains("through the group Crew; through the group Night"),
        "{roles}"
    );
    assert!(
        why.contains("Without Night: Watch would go, and with it history:read."),
        "{why}"
    );
    bench.run(&["mapping", "delete", "acme", "Night"]);
    let page = open_until(&mut ida, &page.path, "mapped to Desk");
    assert!(!page.between("id=\"roles\"", "</section>").contains("Night"));
}

/// Feature rows 51, 53, 54, 76: what the provider says of a person is shown under its names, read-only, as it is now; and
/// the page leads to every request about the person.
#[test]
fn identity_comes_from_the_provider_and_is_read_only() {
    let bench = Bench::new(&["--idp", "okta"]);
    let mut ida = bench.enter();
    let person = json!({
        "externalId": "okta-7", "name": { "givenName": "Ann", "familyName": "Byron" }, "title": "Cook",
        "phoneNumbers": [{ "type": "mobile", "value": "+47 400" }],
        "addresses": [{ "type": "work", "locality": "Bergen", "country": "NO" }],
    });
    let id = bench.user_with("ann@x.example", &person);
    let ann = page_of(&bench, "ann@x.example");
    let page = open_until(&mut ida, &ann, "Bergen");
    let identity = page.between("id=\"identity\"", "</section>");
    for (name, value) in [
        ("Username", "ann@x.example"),
        ("First Name", "Ann"),
        ("Last Name", "Byron"),
        ("Mobile Number", "+47 400"),
        ("Position", "Cook"),
        ("City", "Bergen"),
        ("Country", "NO"),
    ] {
        let row = format!("<dt>{name}</dt><dd>{}</dd>", value.replace('+', "&#43;"));
        assert!(
            identity.contains(&row) || identity.contains(&format!("<dt>{name}</dt><dd>{value}</dd>")),
            "{name}: {identity}"
        );
    }
    assert!(identity.contains("Read-only") && identity.contains("These fields come from Okta"));
    assert!(!page.says("/edit\"") && !page.says("/disable\"") && !page.says("/remove\""));
    assert!(page.says(&format!("/o/acme/integrations/scim/history?subject={id}")));
    assert!(page.says("okta-7") && page.says("Only Okta can"));
    let renamed = json!([{ "op": "replace", "path": "name.givenName", "value": "Anna" }]);
    assert_eq!(bench.patch(&format!("/Users/{id}"), &renamed).status, 200);
    open_until(&mut ida, &ann, "<dd>Anna</dd>");
    for step in ["edit", "disable", "remove"] {
        let page = ida.submit(
            &format!("{ann}/{step}"),
            &[("name", "x@x.example"), ("display", "X")],
        );
        assert_eq!(page.status(), 422, "{step}");
        assert!(
            page.trouble().contains("managed by the identity provider"),
            "{step}"
        );
    }
}

/// Feature rows 46, 47, 48: who is deleted at the provider is hidden or listed as disabled, and permissions of somebody who
/// came back wait for an administrator.
#[test]
fn deleted_people_are_hidden_or_disabled_and_come_back() {
    let bench = Bench::new(&["--on-delete", "deactivate"]);
    let mut ida = bench.enter();
    let known = json!({ "externalId": "e-1" });
    let id = bench.user_with("ann@x.example", &known);
    bench.run(&[
        "user",
        "grant",
        "acme",
        "ann@x.example",
        "--permission",
        "audit:read",
    ]);
    let ann = page_of(&bench, &id);
    bench.delete(&format!("/Users/{id}"));
    let page = open_until(&mut ida, "/o/acme/users?show=disabled", "ann@x.example</a>");
    assert_eq!(names(&page), ["ann@x.example"]);
    bench.user_with("ann@x.example", &known);
    let page = open_until(&mut ida, &ann, "Waits for you");
    assert!(page.says("Give back"), "{}", page.answer.text);
    let page = ida.submit(
        &format!("{ann}/permissions/give"),
        &[("permission", "audit:read")],
    );
    assert!(!page.says("Waits for you") && page.says("<code>audit:read</code>"));
    bench.is_sound();
}

/// Feature rows 97, 111: a suspension asks for a reason, ends sessions at once, is shown with who and why, and is lifted here.
#[test]
fn a_suspension_locks_the_sign_in_with_a_reason() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    let mut noor = bench.enter_as("noor@acme.example", "Read only");
    let page = page_of(&bench, "noor@acme.example");
    let asked = ida.open(&format!("{page}/suspend"));
    assert!(asked.says("Every session ends at once") && asked.says("name=\"reason\""));
    let refused = ida.submit(&format!("{page}/suspend"), &[("reason", " ")]);
    assert_eq!(refused.status(), 422);
    assert!(refused.trouble().contains("a reason to suspend an account"));
    let done = ida.submit(&format!("{page}/suspend"), &[("reason", "Laptop lost")]);
    assert_eq!(done.path, page);
    let lock = done.between("id=\"lock\"", "</div>");
    assert!(
        lock.contains(ADMINISTRATOR) && lock.contains("Laptop lost"),
        "{lock}"
    );
    let roles = done.between("id=\"roles\"", "</section>");
    assert!(
        roles.contains("<strong>Read only") && roles.contains("no effect until"),
        "{roles}"
    );
    assert_eq!(noor.open("/o/acme/users").heading(), "Sign in");
    let lifted = ida.submit(&format!("{page}/resume"), &[]);
    assert!(lifted.says("can sign in again") && !lifted.says("id=\"lock\""));
    assert_eq!(
        noor.open("/o/acme/users").heading(),
        "Sign in",
        "a session never comes back"
    );
}

/// Feature row 111: people whom the newest token has not named are listed, and suspended together.
#[test]
fn unconfirmed_people_are_suspended_together() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    let ann = bench.user("ann@x.example");
    bench.user("bob@x.example");
    let token = bench.run(&["token", "create", "acme"])["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let page = open_until(&mut ida, "/o/acme/users?show=unconfirmed", "bob@x.example</a>");
    assert_eq!(names(&page), ["ann@x.example", "bob@x.example"]);
    let seen = bench.server.acme(
        &token,
        "PATCH",
        &format!("/Users/{ann}"),
        &json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "replace", "path": "title", "value": "Cook" }],
        }),
    );
    assert_eq!(seen.status, 200);
    let asked = open_until(
        &mut ida,
        "/o/acme/users/unconfirmed/suspend",
        "Suspend 1 unconfirmed person?",
    );
    assert!(asked.says("Whoever is named meanwhile"));
    let done = ida.submit(
        "/o/acme/users/unconfirmed/suspend",
        &[("reason", "Gone with the old provider")],
    );
    assert!(done.says("1 person was suspended."), "{}", done.answer.text);
    let page = ida.open("/o/acme/users?show=suspended");
    assert_eq!(names(&page), ["bob@x.example"]);
}

/// Feature rows 20, 94, 97: an invitation is sent again, sessions are listed and ended everywhere.
#[test]
fn invitations_and_sessions_are_looked_after_on_the_page() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    bench.user("ann@x.example");
    let first = bench.mailed("invitation", "ann@x.example");
    let ann = page_of(&bench, "ann@x.example");
    let page = open_until(&mut ida, &ann, "Invited");
    assert!(page.says("Send invitation again") && page.says("Nowhere signed in"));
    let page = ida.submit(&format!("{ann}/invite"), &[]);
    assert!(
        page.says("An invitation to ann@x.example is on its way."),
        "{}",
        page.answer.text
    );
    let until = Instant::now() + Duration::from_secs(20);
    let invitations = || {
        let listed = bench.run(&["mail", "list", "acme"]);
        let mails = listed["mails"].as_array().unwrap().iter();
        mails
            .filter(|mail| mail["kind"] == "invitation" && mail["recipient"] == "ann@x.example")
            .count()
    };
    while invitations() < 2 {
        assert!(Instant::now() < until, "no second invitation has come");
        sleep(Duration::from_millis(50));
    }
    let second = bench.mailed("invitation", "ann@x.example");
    assert_ne!(second, first);
    let mut person = Person::new(&bench.server);
    person.submit(&second, &[("new", PASSWORD), ("again", PASSWORD)]);
    let page = open_until(&mut ida, &ann, "Firefox on Linux");
    assert!(page.says("Sign out everywhere"));
    let asked = ida.open(&format!("{ann}/sign-out"));
    assert!(asked.says("1 session ends at once."), "{}", asked.answer.text);
    let done = ida.submit(&format!("{ann}/sign-out"), &[]);
    assert!(done.says("1 session of ann@x.example ended.") && done.says("Nowhere signed in"));
    assert_eq!(person.open("/o/acme/account").heading(), "Sign in");
}

/// Feature rows 90, 97: a lost second factor is reset on the page, by somebody with all permissions of the person.
#[test]
fn a_second_factor_is_reset_on_the_page() {
    let bench = Bench::new(&[]);
    let mut noor = bench.enter_as("noor@acme.example", "Read only");
    let set_up = noor.open("/o/acme/second-factor/set-up");
    let code = Application::scan(&set_up).code();
    noor.submit("/o/acme/second-factor/set-up", &[("code", &code)]);
    let mut ida = bench.enter();
    let page = page_of(&bench, "noor@acme.example");
    let shown = open_until(&mut ida, &page, "Reset second factor");
    assert!(
        shown.says("<dt>Recovery codes</dt><dd>10 left</dd>"),
        "{}",
        shown.answer.text
    );
    let asked = ida.open(&format!("{page}/reset-second-factor"));
    assert!(asked.says("The person is told by mail."));
    let done = ida.submit(&format!("{page}/reset-second-factor"), &[]);
    assert!(
        done.says("was removed.") && !done.says("Reset second factor"),
        "{}",
        done.answer.text
    );
    let again = ida.submit(&format!("{page}/reset-second-factor"), &[]);
    assert_eq!(again.status(), 422);
    assert!(again.trouble().contains("has no second factor"));
}

/// Feature rows 35, 49, 53, 103, 104, 112: manual accounts are made, changed, given roles and removed on pages.
#[test]
fn a_manual_account_has_a_life_of_its_own() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    bench.user("ann@x.example");
    let form = ida.open("/o/acme/users/new");
    assert!(form.says("SCIM neither sees nor changes manual accounts."));
    let taken = open_refused(&mut ida, "/o/acme/users/new", "Ann@x.example");
    assert!(taken.trouble().contains("is taken"), "{}", taken.trouble());
    assert!(taken.says("value=\"Ann@x.example\""), "what was typed stays");
    let wrong = open_refused(&mut ida, "/o/acme/users/new", "nobody");
    assert!(wrong.trouble().contains("expected an e-mail address"));
    let made = ida.submit(
        "/o/acme/users/new",
        &[("name", "root@x.example"), ("display", "Root")],
    );
    assert_eq!(made.heading(), "Root");
    let root = made.path;
    bench.mailed("invitation", "root@x.example");
    let operator = bench.run(&["role", "show", "acme", "Read only"])["id"].clone();
    let given = ida.submit(
        &format!("{root}/roles/give"),
        &[("role", operator.as_str().unwrap())],
    );
    let roles = given.between("id=\"roles\"", "</section>");
    assert!(
        roles.contains("Read only</strong>") && roles.contains("given by hand"),
        "{roles}"
    );
    let taken = ida.submit(
        &format!("{root}/roles/take"),
        &[("role", operator.as_str().unwrap())],
    );
    assert!(
        !taken
            .between("id=\"roles\"", "</section>")
            .contains("<strong>Read only")
    );
    let edited = ida.submit(
        &format!("{root}/edit"),
        &[("name", "owner@x.example"), ("display", "Owner")],
    );
    assert_eq!(edited.heading(), "Owner");
    assert!(edited.says("owner@x.example"));
    assert!(
        ida.open(&format!("{root}/disable"))
            .says("Roles, permissions and password are kept.")
    );
    assert!(
        ida.submit(&format!("{root}/disable"), &[])
            .says("Owner was disabled.")
    );
    assert!(
        ida.submit(&format!("{root}/enable"), &[])
            .says("Owner can sign in again.")
    );
    assert!(ida.open(&format!("{root}/remove")).says("the name becomes free"));
    let removed = ida.submit(&format!("{root}/remove"), &[]);
    assert!(removed.says("The account of Owner was removed.") && removed.says("Erase the person"));
    assert!(!names(&ida.open("/o/acme/users")).contains(&"Owner".to_owned()));
    bench.is_sound();
}

fn open_refused(person: &mut Person<'_>, path: &str, name: &str) -> Page {
    let page = person.submit(path, &[("name", name), ("display", "Somebody")]);
    assert_eq!(page.status(), 422, "{name}: {}", page.answer.text);
    page
}

/// Feature row 34: a name is one person's in every case and Unicode form, whoever manages them: the page that makes or renames
/// a manual account refuses it with a sentence, and so is the provider.
#[test]
fn a_name_is_taken_in_every_case_and_unicode_form() {
    let bench = Bench::new(&["--username", "any"]);
    let mut ida = bench.enter();
    bench.user("jörg@x.example");
    bench.user("Bob");
    let forms = [
        "jörg@x.example",
        "JÖRG@X.example",
        "jo\u{308}rg@x.example",
        "ＪÖrg@x.example",
    ];
    for name in forms.into_iter().chain(["bob", "ＢＯＢ", " Bob "]) {
        let refused = open_refused(&mut ida, "/o/acme/users/new", name);
        assert!(
            refused.trouble().contains("is taken in this organization"),
            "{name}: {}",
            refused.trouble()
        );
    }
    assert_eq!(names(&ida.open("/o/acme/users?source=hand")), [ADMINISTRATOR]);
    let made = ida.submit("/o/acme/users/new", &[("name", "Zoë"), ("display", "Zoë")]);
    assert_eq!(made.heading(), "Zoë");
    let renamed = open_refused(&mut ida, &format!("{}/edit", made.path), "JO\u{308}RG@x.example");
    assert!(renamed.trouble().contains("is taken in this organization"));
    for name in ["zoë", "ZOE\u{308}"] {
        let body = json!({ "schemas": [USER], "userName": name });
        let answer = bench.send("POST", "/Users", &body);
        assert_eq!(
            (answer.status, answer.body["scimType"].as_str()),
            (409, Some("uniqueness")),
            "{name}"
        );
    }
    let page = open_until(&mut ida, &made.path, "id=\"refused\"");
    assert!(page.says("sends a person of this name") && page.heading() == "Zoë");
    bench.is_sound();
}

/// Returns somebody of the provider who has chosen a password and is signed in.
fn signed_in<'b>(bench: &'b Bench, name: &str) -> Person<'b> {
    let link = bench.mailed("invitation", name);
    let mut person = Person::new(&bench.server);
    person.submit(&link, &[("new", PASSWORD), ("again", PASSWORD)]);
    assert_eq!(person.open("/o/acme/account").status(), 200);
    person
}

/// Checks that somebody has no session any more, and gets none by their password.
fn is_kept_out(person: &mut Person<'_>, name: &str) {
    assert_eq!(person.open("/o/acme/account").heading(), "Sign in");
    let tried = person.submit("/o/acme/sign-in", &[("name", name), ("password", PASSWORD)]);
    assert_eq!(tried.status(), 422, "{}", tried.answer.text);
}

/// Feature row 46: whom the provider deactivates is listed as Disabled and kept out until it activates them; whom it deletes is
/// hidden, or listed as Disabled, as the setting says, and kept out for good.
#[test]
fn the_provider_keeps_people_out() {
    for (on_delete, shows) in [("remove", "show=removed"), ("deactivate", "show=disabled")] {
        let bench = Bench::new(&["--on-delete", on_delete]);
        let mut ida = bench.enter();
        let id = bench.user("ann@x.example");
        let mut ann = signed_in(&bench, "ann@x.example");
        let page = page_of(&bench, "ann@x.example");
        set_active(&bench, &id, false);
        let listed = open_until(&mut ida, "/o/acme/users?show=disabled", "ann@x.example</a>");
        assert!(listed.between("<tbody>", "</tbody>").contains("Disabled"));
        assert!(names(&ida.open("/o/acme/users")).contains(&"ann@x.example".to_owned()));
        assert!(!names(&ida.open("/o/acme/users?show=active")).contains(&"ann@x.example".to_owned()));
        assert!(open_until(&mut ida, &page, "Disabled").says("The account is disabled: "));
        is_kept_out(&mut ann, "ann@x.example");
        set_active(&bench, &id, true);
        open_until(&mut ida, "/o/acme/users?show=active", "ann@x.example</a>");
        let back = ann.submit(
            "/o/acme/sign-in",
            &[("name", "ann@x.example"), ("password", PASSWORD)],
        );
        assert_eq!(back.path, "/o/acme/");
        bench.delete(&format!("/Users/{id}"));
        let listed = open_until(&mut ida, &format!("/o/acme/users?{shows}"), "ann@x.example</a>");
        assert_eq!(names(&listed), ["ann@x.example"]);
        let everybody = names(&ida.open("/o/acme/users"));
        assert_eq!(
            everybody.contains(&"ann@x.example".to_owned()),
            on_delete == "deactivate"
        );
        is_kept_out(&mut ann, "ann@x.example");
        assert!(
            !ida.open(&page).says("/enable\""),
            "only the provider can bring them back"
        );
        bench.is_sound();
    }
}

/// Feature row 104: a manual account is found, changed, put into a group and deleted by no request of the provider; its page
/// says who manages it, stays as it was, and tells that the provider was refused.
#[test]
fn a_manual_account_is_out_of_reach_of_the_provider() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    let made = ida.submit(
        "/o/acme/users/new",
        &[("name", "root@x.example"), ("display", "Root")],
    );
    let (page, id) = (
        made.path.clone(),
        made.path.rsplit('/').next().unwrap().to_owned(),
    );
    assert!(made.says("Manual account") && !made.says("id=\"refused\""));
    assert!(made.says("<dt>Username</dt><dd>root@x.example</dd>") && !made.says("<dt>SCIM id</dt>"));
    for filter in [
        "userName eq \"ROOT@x.example\"",
        "displayName eq \"Root\"",
        "id pr",
    ] {
        let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        assert_eq!(
            bench.get(&format!("/Users?filter={filter}")).body["totalResults"],
            0
        );
    }
    let patch = json!([{ "op": "replace", "path": "active", "value": false }]);
    assert_eq!(bench.patch(&format!("/Users/{id}"), &patch).status, 404);
    let put = json!({ "schemas": [USER], "userName": "other@x.example" });
    for (method, body) in [("PUT", &put), ("DELETE", &Value::Null), ("GET", &Value::Null)] {
        assert_eq!(
            bench.send(method, &format!("/Users/{id}"), body).status,
            404,
            "{method}"
        );
    }
    let group = bench.group("Crew", &[]);
    let member = json!([{ "op": "add", "path": "members", "value": [{ "value": id }] }]);
    assert_eq!(bench.patch(&format!("/Groups/{group}"), &member).status, 400);
    let same = json!({ "schemas": [USER], "userName": "Root@x.example", "active": false });
    assert_eq!(bench.send("POST", "/Users", &same).status, 409);
    let ann = bench.user("ann@x.example");
    let rename = json!([{ "op": "replace", "path": "userName", "value": "root@x.example" }]);
    assert_eq!(bench.patch(&format!("/Users/{ann}"), &rename).status, 409);
    let shown = open_until(&mut ida, &page, "id=\"refused\"");
    let refused = shown.between("id=\"refused\"", "</div>");
    assert!(
        refused.contains("is refused because of this account"),
        "{refused}"
    );
    assert_eq!(shown.heading(), "Root");
    let head = shown.between("<h1>", "</header>");
    assert!(head.contains("Active") && head.contains("Manual account") && !head.contains("Disabled"));
    assert!(shown.says("<dt>Username</dt><dd>root@x.example</dd>"));
    assert_eq!(
        names(&ida.open("/o/acme/users?source=hand")),
        [ADMINISTRATOR, "Root"]
    );
    bench.is_sound();
}

/// Feature row 104: the last owner is not lost by a form.
#[test]
fn the_last_owner_stays() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    let own = page_of(&bench, ADMINISTRATOR);
    for (step, fields) in [
        ("disable", &[][..]),
        ("remove", &[]),
        ("suspend", &[("reason", "x")]),
    ] {
        let page = ida.submit(&format!("{own}/{step}"), fields);
        assert_eq!(page.status(), 422, "{step}: {}", page.answer.text);
        assert!(
            page.trouble().contains("the last account"),
            "{step}: {}",
            page.trouble()
        );
    }
}

/// Feature row 88: an adoption is confirmed after a preview of what goes and what stays, and happens with the next request.
#[test]
fn the_provider_takes_an_account_over_once_that_is_confirmed() {
    let bench = Bench::new(&["--existing-account", "adopt"]);
    let mut ida = bench.enter();
    bench.run(&["user", "create", "acme", "elif@x.example", "--display", "Elif"]);
    bench.run(&["role", "create", "acme", "Desk", "--allow", "users:read"]);
    bench.run(&[
        "user",
        "grant",
        "acme",
        "elif@x.example",
        "--role",
        "Desk",
        "--permission",
        "audit:read",
    ]);
    let elif = page_of(&bench, "elif@x.example");
    let page = open_until(&mut ida, &elif, "/adopt\"");
    assert!(page.says("Let the identity provider take it over"));
    let body = json!({ "schemas": [USER], "userName": "elif@x.example", "externalId": "e-1" });
    assert_eq!(bench.send("POST", "/Users", &body).status, 409);
    let page = open_until(&mut ida, &elif, "id=\"refused\"");
    assert!(page.says("is refused because of this account"));
    let asked = ida.open(&format!("{elif}/adopt"));
    assert!(
        asked.says("value=\"e-1\""),
        "the id of the refused request stands there"
    );
    assert!(asked.between("id=\"goes\"", "</dd>").contains("Desk"));
    assert!(asked.between("id=\"stays\"", "</dd>").contains("audit:read"));
    let done = ida.submit(&format!("{elif}/adopt"), &[("external-id", "e-1")]);
    assert!(done.says("may take over the account of Elif"));
    assert!(done.says("id=\"adoption\""), "{}", done.answer.text);
    bench.user_with("elif@x.example", &json!({ "externalId": "e-1" }));
    let page = open_until(&mut ida, &elif, "Managed by SCIM");
    assert!(page.says("<code>audit:read</code>") && !page.says("given by hand"));
    let protected = page_of(&bench, ADMINISTRATOR);
    let refused = ida.submit(&format!("{protected}/adopt"), &[("external-id", "")]);
    assert_eq!(refused.status(), 422);
    assert!(refused.trouble().contains("is protected"));
}

/// Feature row 114: a removed person is erased after the name was typed, and a pseudonym stands in its place.
#[test]
fn a_removed_person_is_erased_once_the_name_is_typed() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    let id = bench.user("ann@x.example");
    let ann = page_of(&bench, "ann@x.example");
    let early = ida.submit(&format!("{ann}/erase"), &[("typed", "ann@x.example")]);
    assert_eq!(early.status(), 422);
    assert!(early.trouble().contains("is not removed"));
    bench.delete(&format!("/Users/{id}"));
    let page = open_until(&mut ida, "/o/acme/users?show=removed", "ann@x.example</a>");
    assert_eq!(names(&page), ["ann@x.example"]);
    let asked = ida.open(&format!("{ann}/erase"));
    assert!(asked.says("Type ann@x.example to confirm") && asked.says("This cannot be undone."));
    let wrong = ida.submit(&format!("{ann}/erase"), &[("typed", "bob@x.example")]);
    assert_eq!(wrong.status(), 422);
    assert!(wrong.trouble().contains("is not the name of this account"));
    let done = ida.submit(&format!("{ann}/erase"), &[("typed", "ann@x.example")]);
    assert!(
        done.heading().starts_with("erased person "),
        "{}",
        done.answer.text
    );
    assert!(!ida.open("/o/acme/users?show=removed").says("ann@x.example"));
    bench.is_sound();
}

/// Feature rows 62b, 103: groups of the provider are listed with their roles and people, told apart by the provider's id, and
/// nobody is put into one here.
#[test]
fn groups_of_the_provider_are_looked_at() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    let ann = bench.user("ann@x.example");
    let crew = crew(&bench, &[&ann]);
    for external_id in ["g-1", "g-2"] {
        let body = json!({
            "schemas": [program::bench::GROUP], "displayName": "Twins", "externalId": external_id,
        });
        bench.make("/Groups", &body);
    }
    open_until(&mut ida, "/o/acme/groups", "g-2");
    let page = open_until(&mut ida, "/o/acme/groups", "Last synchronised");
    assert_eq!(names(&page), ["Crew", "Twins", "Twins"]);
    assert!(page.says("3 groups come from "), "{}", page.answer.text);
    assert_eq!(
        names(&ida.open("/o/acme/groups?show=unmapped")),
        ["Twins", "Twins"]
    );
    assert_eq!(names(&ida.open("/o/acme/groups?q=cr")), ["Crew"]);
    let page = ida.open(&format!("/o/acme/groups/{crew}"));
    assert_eq!(names(&page), ["ann@x.example"]);
    assert!(page.between("id=\"roles\"", "</section>").contains("Desk"));
    assert!(page.says("Read-only") && page.says("1 person"));
    assert!(!page.says("members/add") && page.says(&format!("history?subject={crew}")));
    let renamed = json!([{ "op": "replace", "path": "displayName", "value": "Deck crew" }]);
    assert!((200..300).contains(&bench.patch(&format!("/Groups/{crew}"), &renamed).status));
    let page = open_until(&mut ida, &format!("/o/acme/groups/{crew}"), "Deck crew");
    assert!(
        page.between("id=\"roles\"", "</section>").contains("Desk"),
        "a mapping is of the group, not of its name"
    );
}

/// Feature row 50: groups that are kept here are made, renamed, described, given roles and people, and deleted on pages.
#[test]
fn groups_that_are_kept_here_are_looked_after() {
    let bench = Bench::new(&["--assignment", "local-groups"]);
    let mut ida = bench.enter();
    bench.user_with("ann@x.example", &json!({ "displayName": "Ann" }));
    let made = ida.submit(
        "/o/acme/groups/new",
        &[("name", "Night"), ("description", "On call")],
    );
    assert_eq!(made.heading(), "Night");
    let again = ida.submit("/o/acme/groups/new", &[("name", "night"), ("description", "")]);
    assert_eq!(again.status(), 422);
    assert!(again.trouble().contains("is kept here already"));
    let night = made.path;
    let reader = bench.run(&["role", "show", "acme", "Read only"])["id"].clone();
    let reader = reader.as_str().unwrap();
    let fields = [
        ("name", "Weekend"),
        ("description", "Friday to Monday"),
        ("role", reader),
    ];
    let saved = ida.submit(&night, &fields);
    assert_eq!(saved.heading(), "Weekend");
    assert!(
        saved.says("<p class=\"lede\">Friday to Monday</p>"),
        "{}",
        saved.answer.text
    );
    let told = bench.run(&["audit", "list", "acme", "--action", "local-group.change"])["changes"][0].clone();
    assert_eq!(
        (&told["detail"]["former_name"], &told["detail"]["description"]),
        (&json!("Night"), &json!("Friday to Monday")),
        "{told}"
    );
    let long = ida.submit(
        &night,
        &[
            ("name", "Weekend"),
            ("description", &"x".repeat(501)),
            ("role", reader),
        ],
    );
    assert!(long.trouble().contains("The description of a group is not valid"));
    let said = bench.run(&[
        "local-group",
        "set",
        "acme",
        "Weekend",
        "--description",
        "On call",
    ]);
    assert_eq!(
        (&said["description"], &said["roles"]),
        (&json!("On call"), &json!(["Read only"]))
    );
    open_until(&mut ida, &night, "<p class=\"lede\">On call</p>");
    let unknown = ida.submit(&format!("{night}/members/add"), &[("person", "zoe@x.example")]);
    assert_eq!(unknown.status(), 422);
    assert!(unknown.trouble().contains("Nobody here is called") && unknown.says("value=\"zoe@x.example\""));
    let added = ida.submit(&format!("{night}/members/add"), &[("person", "ann@x.example")]);
    assert_eq!(names(&added), ["Ann"]);
    let ann = page_of(&bench, "ann@x.example");
    let page = open_until(&mut ida, &ann, "through Weekend, a group kept here");
    assert!(page.says("<a href=\"/o/acme/groups/local/"));
    assert_eq!(names(&ida.open("/o/acme/groups?show=local")), ["Weekend"]);
    let asked = ida.open(&format!("{night}/delete"));
    assert!(
        asked.says("1 person loses Read only, unless another way gives it."),
        "{}",
        asked.answer.text
    );
    let id = ann.rsplit('/').next().unwrap();
    let removed = ida.submit(&format!("{night}/members/remove"), &[("person", id)]);
    assert!(removed.says("Nobody is in this group yet"));
    let unticked = ida.submit(&night, &[("name", "Weekend")]);
    assert!(
        !unticked
            .between("User Roles of its members", "</fieldset>")
            .contains(" checked")
    );
    let deleted = ida.submit(&format!("{night}/delete"), &[]);
    assert!(deleted.says("The group Weekend was deleted."));
    assert!(
        ida.open("/o/acme/groups?show=local")
            .says("No group is kept here yet")
    );
    bench.is_sound();
}

/// Feature rows 86, 112: roles are made, changed after a preview of who gains and loses what, and deleted with the names of
/// those who lose them.
#[test]
fn roles_are_changed_after_a_preview() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    let ann = bench.user_with("ann@x.example", &json!({ "displayName": "Ann" }));
    let page = ida.open("/o/acme/roles");
    assert_eq!(names(&page), ["Administrator", "Operator", "Read only"]);
    assert_eq!(
        ida.open("/o/acme/roles/new")
            .answer
            .text
            .matches("type=\"checkbox\"")
            .count(),
        24
    );
    let wrong = ida.submit(
        "/o/acme/roles/new",
        &[
            ("name", "Desk"),
            ("permission", "users:read"),
            ("permission", "tickets"),
        ],
    );
    assert_eq!(wrong.status(), 422);
    assert!(wrong.trouble().contains("is not a valid permission"));
    let fields = [
        ("name", "Desk"),
        ("description", "Helps"),
        ("permission", "users:read"),
        ("permission", "audit:read"),
    ];
    let made = ida.submit("/o/acme/roles/new", &fields);
    assert_eq!(made.heading(), "Desk");
    let desk = made.path;
    bench.group("Crew", &[&ann]);
    bench.run(&["mapping", "set", "acme", "Crew", "Desk"]);
    let page = open_until(&mut ida, &desk, "1 person has it");
    let holders = page.between("id=\"holders\"", "</section>");
    assert!(holders.contains("Crew") && holders.contains("Ann"), "{holders}");
    // Another description changes nobody's access, and asks nothing.
    let fields = [
        ("name", "Desk"),
        ("description", "Helps people"),
        ("permission", "users:read"),
        ("permission", "audit:read"),
    ];
    assert!(ida.submit(&desk, &fields).says("The role Desk was saved."));
    let fields = [
        ("name", "Front desk"),
        ("description", ""),
        ("permission", "users:read"),
        ("permission", "users:write"),
    ];
    let asked = ida.submit(&desk, &fields);
    assert!(
        asked.says("1 person has the role Desk at the moment."),
        "{}",
        asked.answer.text
    );
    assert!(asked.says("Gained with it: users:write.") && asked.says("Lost with it: audit:read"));
    assert_eq!(
        bench.run(&["role", "show", "acme", "Desk"])["name"],
        "Desk",
        "nothing is changed by asking"
    );
    let seen = [&fields[..], &[("seen", "yes")]].concat();
    let saved = ida.submit(&desk, &seen);
    assert_eq!(saved.heading(), "Front desk");
    let shown = bench.run(&["user", "show", "acme", "ann@x.example"]);
    assert!(
        shown["permissions"].to_string().contains("users:write"),
        "{shown}"
    );
    let asked = ida.open(&format!("{desk}/delete"));
    assert!(
        asked.says("1 person loses it at once: Ann."),
        "{}",
        asked.answer.text
    );
    assert!(asked.says("These groups are not mapped to it any more: Crew."));
    let deleted = ida.submit(&format!("{desk}/delete"), &[]);
    assert!(deleted.says("The role Front desk was deleted."));
    assert_eq!(ida.open(&desk).status(), 404);
    bench.is_sound();
}

/// Feature row 62: a mirrored group is a role without permissions until somebody ticks them; its name is the provider's.
#[test]
fn mirrored_roles_need_permissions() {
    let bench = Bench::new(&["--like", "third-platform", "--username", "any"]);
    let mut ida = bench.enter();
    let ann = bench.user("ann");
    bench.group("Finance", &[&ann]);
    let page = open_until(&mut ida, "/o/acme/roles?q=fin", "Needs permissions");
    assert_eq!(names(&page), ["Finance"]);
    let finance = page_of_role(&bench, "Finance");
    let shown = ida.open(&finance);
    assert!(shown.says("Mirrors a group") && !shown.says("Delete role"));
    let fields = [
        ("name", "Other"),
        ("description", ""),
        ("permission", "users:read"),
        ("seen", "yes"),
    ];
    let saved = ida.submit(&finance, &fields);
    assert_eq!(saved.heading(), "Finance");
    assert!(!ida.open("/o/acme/roles?q=fin").says("Needs permissions"));
    assert_eq!(ida.submit(&format!("{finance}/delete"), &[]).status(), 409);
    open_until(&mut ida, &page_of(&bench, "ann"), "mirrors the group Finance");
}

/// Feature row 85: a password that the provider sends is nobody's password: the page says that there is none.
#[test]
fn a_password_of_the_provider_is_none() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    bench.user_with("ann@x.example", &json!({ "password": PASSWORD }));
    let page = open_until(&mut ida, &page_of(&bench, "ann@x.example"), "Managed by SCIM");
    assert!(page.says("<dt>Password</dt><dd>None</dd>") && !page.says(PASSWORD));
}

/// Feature rows 86, 89: owners of the instance give permissions of applications, which nobody has at first.
#[test]
fn owners_of_the_instance_give_permissions_of_applications() {
    let bench = Bench::new(&[]);
    bench.user("ann@x.example");
    let mut odile = bench.own();
    let set_up = odile.open("/instance/second-factor/set-up");
    let code = Application::scan(&set_up).code();
    odile.submit("/instance/second-factor/set-up", &[("code", &code)]);
    let ann = page_of(&bench, "ann@x.example");
    let page = open_until(&mut odile, &ann, "Permission of your application");
    assert!(page.says("Managed by SCIM"));
    let page = odile.submit(
        &format!("{ann}/permissions/give"),
        &[("permission", "app:reports")],
    );
    assert!(page.says("<code>app:reports</code>"), "{}", page.answer.text);
    let fields = [
        ("name", "Desk"),
        ("permission", "app:tickets"),
        ("permission", ""),
    ];
    let made = odile.submit("/o/acme/roles/new", &fields);
    assert_eq!(made.heading(), "Desk");
    assert!(made.says("value=\"app:tickets\" checked"), "{}", made.answer.text);
}

/// Feature row 87: nobody gives what they do not have, whatever a form says; and what they cannot give is not offered.
#[test]
fn nobody_gives_more_than_they_have() {
    let bench = Bench::new(&[]);
    bench.run(&[
        "role",
        "create",
        "acme",
        "Helper",
        "--allow",
        "users:write",
        "--allow",
        "roles:write",
        "--allow",
        "groups:write",
    ]);
    bench.run(&["user", "create", "acme", "eve@x.example"]);
    bench.user("ann@x.example");
    let mut helper = bench.enter_as("helper@acme.example", "Helper");
    let (eve, ann) = (page_of(&bench, "eve@x.example"), page_of(&bench, "ann@x.example"));
    let page = open_until(&mut helper, &eve, "/roles/give");
    let offered = page.between("<select id=\"role\"", "</select>");
    assert!(
        !offered.contains("Administrator") && offered.contains("Helper"),
        "{offered}"
    );
    let offered = page.between("<fieldset class=\"perm-grid\">", "</fieldset>");
    assert!(!offered.contains("organization:write") && offered.contains("users:write"));
    assert!(
        !page.says("Permission of your application"),
        "who has none gives none"
    );
    let administrator = bench.run(&["role", "show", "acme", "Administrator"])["id"].clone();
    let administrator = administrator.as_str().unwrap();
    let role = page_of_role(&bench, "Read only");
    let own = page_of_role(&bench, "Helper");
    for (path, fields) in [
        (format!("{eve}/roles/give"), vec![("role", administrator)]),
        (
            format!("{eve}/permissions/give"),
            vec![("permission", "organization:write")],
        ),
        (
            format!("{ann}/permissions/give"),
            vec![("permission", "app:reports")],
        ),
        (
            "/o/acme/roles/new".to_owned(),
            vec![("name", "Mine"), ("permission", "organization:write")],
        ),
        (
            own,
            vec![
                ("name", "Helper"),
                ("permission", "organization:write"),
                ("seen", "yes"),
            ],
        ),
        (format!("{role}/delete"), vec![]),
    ] {
        let page = helper.submit(&path, &fields);
        assert_eq!(page.status(), 403, "{path}: {}", page.answer.text);
    }
    bench.enter();
    let owner = page_of(&bench, ADMINISTRATOR);
    for (step, fields) in [
        ("suspend", vec![("reason", "x")]),
        ("remove", vec![]),
        ("reset-second-factor", vec![]),
    ] {
        assert_eq!(
            helper.submit(&format!("{owner}/{step}"), &fields).status(),
            403,
            "{step}"
        );
    }
}

/// Returns every page of people, groups and roles of an organization, and every form.
fn routes(bench: &Bench) -> (Vec<String>, Vec<String>) {
    let ann = page_of(bench, "ann@x.example");
    let eve = page_of(bench, "eve@x.example");
    let role = page_of_role(bench, "Desk");
    let local = bench.run(&["local-group", "show", "acme", "Night"])["id"].clone();
    let local = format!("/o/acme/groups/local/{}", local.as_str().unwrap());
    let group = bench.run(&["group", "show", "acme", "Crew"])["id"].clone();
    let group = format!("/o/acme/groups/{}", group.as_str().unwrap());
    let pages = ["/o/acme/users", "/o/acme/groups", "/o/acme/roles"].map(str::to_owned);
    let pages = pages
        .into_iter()
        .chain([ann.clone(), role.clone(), local.clone(), group]);
    let mut forms = [
        "users/new",
        "users/unconfirmed/suspend",
        "groups/new",
        "roles/new",
    ]
    .map(|form| format!("/o/acme/{form}"))
    .to_vec();
    for step in ["suspend", "sign-out", "reset-second-factor"] {
        forms.push(format!("{ann}/{step}"));
    }
    for step in ["edit", "disable", "remove", "adopt"] {
        forms.push(format!("{eve}/{step}"));
    }
    forms.push(format!("{local}/delete"));
    forms.push(format!("{role}/delete"));
    (pages.collect(), forms)
}

/// Returns the forms that have no page of their own.
fn bare_forms(bench: &Bench) -> Vec<String> {
    let ann = page_of(bench, "ann@x.example");
    let local = bench.run(&["local-group", "show", "acme", "Night"])["id"].clone();
    let local = format!("/o/acme/groups/local/{}", local.as_str().unwrap());
    let of_ann = [
        "resume",
        "invite",
        "enable",
        "permissions/give",
        "permissions/take",
        "roles/give",
        "roles/take",
        "groups/join",
        "groups/leave",
    ];
    let of_ann = of_ann.map(|form| format!("{ann}/{form}"));
    let of_local = ["", "/members/add", "/members/remove"].map(|form| format!("{local}{form}"));
    of_ann
        .into_iter()
        .chain(of_local)
        .chain([page_of_role(bench, "Desk")])
        .collect()
}

/// Feature rows 14, 15, 86: every page and form of people, groups and roles asks for its permission, and belongs to its
/// organization.
#[test]
fn every_page_and_form_asks_for_its_permission() {
    let bench = Bench::new(&["--assignment", "local-groups", "--existing-account", "adopt"]);
    let ann = bench.user("ann@x.example");
    crew(&bench, &[&ann]);
    bench.run(&["user", "create", "acme", "eve@x.example"]);
    bench.run(&["local-group", "create", "acme", "Night"]);
    bench.run(&["role", "create", "acme", "Nothing much", "--allow", "audit:read"]);
    let (pages, forms) = routes(&bench);
    let all = [&forms[..], &bare_forms(&bench)].concat();
    let mut reader = bench.enter_as("reader@acme.example", "Read only");
    for page in &pages {
        let shown = reader.open(page);
        assert_eq!(shown.status(), 200, "{page}");
        for control in [
            "/suspend\"",
            "/new\"",
            "/delete\"",
            "/give\"",
            "type=\"submit\">Save",
        ] {
            assert!(!shown.says(control), "{page} has {control}");
        }
    }
    for form in &forms {
        assert_eq!(reader.open(form).status(), 403, "{form}");
    }
    for form in &all {
        let fields = [
            ("name", "x@x.example"),
            ("reason", "x"),
            ("permission", "users:read"),
            ("role", "Desk"),
        ];
        let fields = [
            &fields[..],
            &[("group", "Night"), ("person", "ann@x.example"), ("typed", "x")],
        ]
        .concat();
        assert_eq!(reader.submit(form, &fields).status(), 403, "{form}");
    }

    let mut auditor = bench.enter_as("auditor@acme.example", "Nothing much");
    let home = auditor.open("/o/acme/");
    for page in &pages {
        assert_eq!(auditor.open(page).status(), 403, "{page}");
    }
    for link in ["/o/acme/users\"", "/o/acme/groups\"", "/o/acme/roles\""] {
        assert!(!home.says(link), "{link}");
    }

    let mut nobody = Person::new(&bench.server);
    bench.run(&["org", "create", "other"]);
    for path in pages.iter().chain(&forms) {
        assert_eq!(nobody.open(path).heading(), "Sign in", "{path}");
        let elsewhere = path.replace("/o/acme/", "/o/other/");
        assert_eq!(reader.open(&elsewhere).heading(), "Sign in", "{elsewhere}");
    }
    for form in &all {
        assert_eq!(
            nobody.submit(form, &[("name", "x")]).heading(),
            "Sign in",
            "{form}"
        );
    }
}

/// Feature row 15: a thing of another organization is not there.
#[test]
fn things_of_other_organizations_are_not_there() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    bench.run(&["org", "create", "other"]);
    bench.run(&["user", "create", "other", "eve@x.example"]);
    let eve = bench.run(&["user", "show", "other", "eve@x.example"])["id"].clone();
    let role = bench.run(&["role", "show", "other", "Operator"])["id"].clone();
    for path in [
        format!("/o/acme/users/{}", eve.as_str().unwrap()),
        format!("/o/acme/users/{}/suspend", eve.as_str().unwrap()),
        format!("/o/acme/roles/{}", role.as_str().unwrap()),
        "/o/acme/users/nonsense".to_owned(),
        "/o/acme/groups/018f0000-0000-7000-8000-000000000000".to_owned(),
    ] {
        assert_eq!(ida.open(&path).status(), 404, "{path}");
    }
    let suspended = ida.submit(
        &format!("/o/acme/users/{}/suspend", eve.as_str().unwrap()),
        &[("reason", "x")],
    );
    assert_eq!(suspended.status(), 404);
    assert_eq!(
        bench.run(&["user", "show", "other", "eve@x.example"])["suspended"],
        Value::Null
    );
}

/// Feature rows 50, 77, 82, 112: in a browser with scripts the list filters while somebody types, the answer to "lost without"
/// comes by itself, and unsaved permissions are pointed out.
#[test]
fn the_pages_are_live_in_a_browser() {
    let bench = Bench::new(&[]);
    let ann = bench.user("ann@x.example");
    bench.user("bob@x.example");
    crew(&bench, &[&ann]);
    let page = page_of(&bench, "ann@x.example");
    let mut browser = bench.open_browser();
    browser.press("Users");
    assert_eq!(browser.heading(), "Users");
    browser.wait("#user-list", "bob@x.example");
    browser.type_into("Name or e-mail address begins with", "bo");
    browser.wait(".pager", "1 person");
    assert_eq!(browser.count("tbody tr"), 1);
    assert!(
        browser.path().ends_with("q=bo&source=&role="),
        "{}",
        browser.path()
    );
    browser.goto(&bench.url(&page));
    browser.choose("Lost without", "Crew");
    browser.wait(
        "#without-result",
        "Without Crew: Desk would go, and with it users:read.",
    );
    browser.press("Suspend sign-in");
    browser.fill("Reason", "Laptop lost");
    browser.press("Suspend sign-in");
    browser.wait("#toasts", "was suspended.");
    browser.goto(&bench.url(&page_of_role(&bench, "Desk")));
    browser.tick("Audit log: read");
    browser.wait(".savebar", "Unsaved changes");
    browser.press("Save role");
    assert_eq!(browser.heading(), "Desk");
    browser.is_quiet();
}
