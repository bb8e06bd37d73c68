//! How people are found on pages.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use program::bench::Bench;
use program::people::{crew, names, open_until, page_of, page_of_role, set_active};
use serde_json::json;
use url::form_urlencoded::byte_serialize;

/// The id of somebody's account.
fn id_of(bench: &Bench, name: &str) -> String {
    page_of(bench, name).rsplit('/').next().unwrap().to_owned()
}

/// Feature rows 50, 108: somebody is found by the beginning of the user name, the display name, the family name and the e-mail
/// address, in any case and Unicode form, and together with the other filters; the command line finds the same people.
#[test]
fn people_are_found_as_one_calls_them() {
    let bench = Bench::new(&["--username", "any"]);
    let mut ida = bench.enter();
    let ada = json!({
        "displayName": "Ada King LOVELACE", "emails": [{ "value": "Countess@x.example", "primary": true }],
    });
    let ada = bench.user_with("alove", &ada);
    bench.user_with(
        "zoe@x.example",
        &json!({ "name": { "givenName": "Zoë", "familyName": "O\u{308}zil" } }),
    );
    bench.run(&[
        "user",
        "create",
        "acme",
        "root@x.example",
        "--display",
        "Grace Lovell",
    ]);
    open_until(&mut ida, "/o/acme/users", "Grace Lovell");
    let (ada_name, zoe, grace) = ("Ada King LOVELACE", "Zoë O\u{308}zil", "Grace Lovell");
    for (text, expected) in [
        ("alo", vec![ada_name]),
        ("ada k", vec![ada_name]),
        ("Lovelace", vec![ada_name]),
        ("LOVEL", vec![ada_name, grace]),
        ("countess@", vec![ada_name]),
        ("zoe@", vec![zoe]),
        ("ZOË", vec![zoe]),
        ("özil", vec![zoe]),
        ("O\u{308}Z", vec![zoe]),
        ("ROOT@x", vec![grace]),
        ("ovelace", vec![]),
        ("x.example", vec![]),
    ] {
        let query: String = byte_serialize(text.as_bytes()).collect();
        let page = ida.open(&format!("/o/acme/users?q={query}"));
        assert_eq!(names(&page), expected, "{text}");
        let listed = bench.run(&["user", "list", "acme", "--search", text]);
        let found: Vec<_> = listed["users"]
            .as_array()
            .unwrap()
            .iter()
            .map(|user| user["display"].clone())
            .collect();
        assert_eq!(found, expected, "{text}");
        assert_eq!(listed["count"], expected.len());
    }
    let of_hand = ida.open("/o/acme/users?q=lovel&source=hand");
    assert_eq!(names(&of_hand), [grace]);
    assert!(of_hand.says("<span>1 person</span>"), "{}", of_hand.answer.text);
    set_active(&bench, &ada, false);
    open_until(&mut ida, "/o/acme/users?show=disabled", "LOVELACE");
    assert_eq!(names(&ida.open("/o/acme/users?q=lovel&show=active")), [grace]);
    // Another name, and nobody is found by the old one; nor is somebody who was erased.
    let married = json!([{ "op": "replace", "path": "displayName", "value": "Ada Byron" }]);
    assert_eq!(bench.patch(&format!("/Users/{ada}"), &married).status, 200);
    let page = open_until(&mut ida, "/o/acme/users?q=byron", "Ada Byron");
    assert_eq!(names(&page), ["Ada Byron"]);
    assert_eq!(names(&ida.open("/o/acme/users?q=lovel")), [grace]);
    let account = id_of(&bench, "alove");
    bench.delete(&format!("/Users/{ada}"));
    bench.run(&["user", "erase", "acme", &account, "--confirm", "alove"]);
    for text in ["byron", "ada", "alove", "countess"] {
        let page = ida.open(&format!("/o/acme/users?show=removed&q={text}"));
        assert_eq!(names(&page), [] as [&str; 0], "{text}");
    }
    bench.is_sound();
}

/// Feature rows 50, 86: the list shows who has a role now, whatever gives it, and the number of people of a role leads there.
#[test]
fn the_list_shows_who_has_a_role() {
    let bench = Bench::new(&["--assignment", "local-groups"]);
    let mut ida = bench.enter();
    let ann = bench.user_with("ann@x.example", &json!({ "displayName": "Ann" }));
    let bob = bench.user_with("bob@x.example", &json!({ "displayName": "Bob" }));
    bench.user_with("cid@x.example", &json!({ "displayName": "Cid" }));
    bench.user("dan@x.example");
    crew(&bench, &[&ann, &bob]);
    bench.run(&["local-group", "create", "acme", "Night"]);
    bench.run(&["local-group", "set", "acme", "Night", "--allow", "Desk"]);
    bench.run(&[
        "local-group",
        "add",
        "acme",
        "Night",
        "cid@x.example",
        "ann@x.example",
    ]);
    let desk = page_of_role(&bench, "Desk");
    let role = open_until(&mut ida, &desk, "3 people have it");
    let link = format!("/o/acme/users?role={}", desk.rsplit('/').next().unwrap());
    assert!(
        role.says(&format!("<a href=\"{link}\">3 people have it</a>")),
        "{}",
        role.answer.text
    );
    assert!(ida.open("/o/acme/roles").says(&format!("href=\"{link}\">3<")));
    let page = ida.open(&link);
    assert_eq!(names(&page), ["Ann", "Bob", "Cid"]);
    assert!(page.says(" selected>Desk</option>") && page.says("3 of 3 people, by name"));
    assert_eq!(names(&ida.open(&format!("{link}&q=b"))), ["Bob"]);
    assert_eq!(names(&ida.open(&format!("{link}&source=hand"))), [] as [&str; 0]);
    bench.run(&["user", "suspend", "acme", "bob@x.example", "--reason", "x"]);
    open_until(&mut ida, "/o/acme/users?show=suspended", "Bob");
    assert_eq!(names(&ida.open(&link)), ["Ann", "Cid"]);
    let listed = bench.run(&["user", "list", "acme", "--role", "desk"]);
    assert_eq!(
        (&listed["count"], &listed["users"][1]["display"]),
        (&json!(2), &json!("Cid"))
    );
    let nobody = page_of_role(&bench, "Operator");
    let nobody = format!("/o/acme/users?role={}", nobody.rsplit('/').next().unwrap());
    assert!(ida.open(&nobody).says("Nobody here has this role"));
    bench.refused(&["user", "list", "acme", "--role", "Nonsense"]);
}
