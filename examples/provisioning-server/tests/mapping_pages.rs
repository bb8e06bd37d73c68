//! The tab Group Mapping.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use program::bench::Bench;
use program::entering::PASSWORD;
use program::person::Page;
use serde_json::json;

const MAPPING: &str = "/o/acme/integrations/scim/mapping";

/// Returns the id of a role.
fn role(bench: &Bench, name: &str) -> String {
    let shown = bench.run(&["role", "show", "acme", name]);
    shown["id"].as_str().unwrap().to_owned()
}

/// Counts the people who have a role.
fn people(bench: &Bench, name: &str) -> u64 {
    bench.run(&["role", "show", "acme", name])["people"]
        .as_u64()
        .unwrap()
}

/// Returns the names of the groups that can be chosen.
fn options(page: &Page) -> Vec<String> {
    let list = page.between("<select id=\"group\" name=\"group\">", "</select>");
    let options = list.split("<option value=\"").skip(2);
    options
        .map(|option| {
            let text = option.split_once('>').unwrap().1;
            text.split_once('<').unwrap().0.to_owned()
        })
        .collect()
}

/// Returns the draft that a page has in its form.
fn draft(page: &Page) -> Vec<String> {
    let parts = page.answer.text.split("name=\"draft\" value=\"").skip(1);
    parts
        .map(|part| part.split_once('"').unwrap().0.to_owned())
        .collect()
}

/// Feature rows 55, 56, 57, 58, 77: groups that have arrived can be chosen until they are added; adding and removing saves
/// nothing, the effect of all changes is said before, and saving does just that, all at once.
#[test]
fn mappings_are_drafted_foreseen_and_saved() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    assert!(ida.open(MAPPING).says("No group has arrived yet"));
    let ids: Vec<_> = (0..3)
        .map(|n| bench.user(&format!("p{n}@acme.example")))
        .collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let crew = bench.group("Crew", &ids);
    let night = bench.group("Night", &ids[..1]);
    let (operator, reader) = (role(&bench, "Operator"), role(&bench, "Read only"));
    assert_eq!(options(&ida.open(MAPPING)), ["Crew", "Night"]);
    let lacking = ida.submit(MAPPING, &[("do", "add"), ("group", &crew)]);
    assert_eq!(lacking.status(), 422);
    assert!(lacking.trouble().contains("at least one role"));
    let added = ida.submit(
        MAPPING,
        &[
            ("do", "add"),
            ("group", &crew),
            ("role", &operator),
            ("role", &reader),
        ],
    );
    assert_eq!(options(&added), ["Night"], "what is added has left the list");
    assert!(
        added.says("New, not saved") && added.says("3 people gain Operator"),
        "{}",
        added.answer.text
    );
    assert_eq!(draft(&ida.open(MAPPING)), [""; 0], "nothing is kept");
    assert_eq!(people(&bench, "Operator"), 0);
    let first = draft(&added);
    let taken = ida.submit(
        MAPPING,
        &[("draft", &first[0]), ("do", &format!("remove:{crew}"))],
    );
    assert_eq!(
        (draft(&taken), options(&taken)),
        (Vec::new(), vec!["Crew".to_owned(), "Night".to_owned()])
    );
    let saved = ida.submit(MAPPING, &[("draft", &first[0]), ("do", "save")]);
    assert!(saved.says("The mappings were saved. 3 people gain Operator, 3 people gain Read only."));
    assert_eq!((people(&bench, "Operator"), people(&bench, "Read only")), (3, 3));

    // Whoever leaves a role by one change and comes to it by another keeps it.
    let removed = ida.submit(MAPPING, &[("do", &format!("remove:{crew}"))]);
    assert!(removed.says("Removed when you save") && removed.says("3 people lose Operator"));
    assert_eq!(options(&removed), ["Crew", "Night"], "it is back");
    let both = ida.submit(
        MAPPING,
        &[
            ("draft", &draft(&removed)[0]),
            ("do", "add"),
            ("group", &night),
            ("role", &operator),
        ],
    );
    assert!(
        both.says("2 people lose Operator") && !both.says("gain Operator"),
        "{}",
        both.answer.text
    );
    let entries = draft(&both);
    let undone = ida.submit(
        MAPPING,
        &[
            ("draft", &entries[0]),
            ("draft", &entries[1]),
            ("do", &format!("undo:{crew}")),
        ],
    );
    assert_eq!(draft(&undone).len(), 1);
    ida.submit(
        MAPPING,
        &[("draft", &entries[0]), ("draft", &entries[1]), ("do", "save")],
    );
    assert_eq!((people(&bench, "Operator"), people(&bench, "Read only")), (1, 0));
    bench.is_sound();
}

/// Returns the names of people in the preview of a page, and whether each leads to a page.
fn named(page: &Page) -> Vec<String> {
    let preview = page.between("id=\"mapping-preview\"", "</section>");
    let links = preview.split("<a href=\"/o/acme/users/").skip(1);
    links
        .map(|link| {
            let text = link.split_once('>').unwrap().1;
            text.split_once('<').unwrap().0.to_owned()
        })
        .collect()
}

/// Feature rows 56, 57, 58, 77: each mapping says how many people its group has, and who has mapped it when; the preview names
/// the first ten people of each role by name, with links to their pages, and counts the others, for those who may see
/// people.
#[test]
fn a_mapping_and_its_preview_name_people() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    let ids: Vec<_> = (0..12)
        .rev()
        .map(|n| bench.user(&format!("p{n:02}@acme.example")))
        .collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let crew = bench.group("Crew", &ids);
    let night = bench.group("Night", &ids[11..]);
    let operator = role(&bench, "Operator");
    let add = [
        ("do", "add"),
        ("group", crew.as_str()),
        ("role", operator.as_str()),
    ];
    let added = ida.submit(MAPPING, &add);
    let names: Vec<_> = (0..10).map(|n| format!("p{n:02}@acme.example")).collect();
    assert_eq!(named(&added), names, "{}", added.answer.text);
    assert!(added.says("and 2 more") && added.says("<small>12 people</small>"));
    let page = added.between("<a href=\"/o/acme/users/", "\"").to_owned();
    assert!(
        ida.open(&format!("/o/acme/users/{page}"))
            .says("p00@acme.example")
    );
    assert!(!ida.open(MAPPING).says("by ida@acme.example"), "nothing is saved");
    let draft = draft(&added);
    let saved = ida.submit(MAPPING, &[("draft", &draft[0]), ("do", "save")]);
    assert!(saved.says("by ida@acme.example, <time"), "{}", saved.answer.text);
    assert!(saved.says("<small>12 people</small>"));

    // Of whom Operator would be lost by one change and gained by the other, nobody is named.
    let removed = format!("{crew}=");
    let moved = [
        ("draft", removed.as_str()),
        ("do", "add"),
        ("group", night.as_str()),
        ("role", operator.as_str()),
    ];
    let moved = ida.submit(MAPPING, &moved);
    assert_eq!(named(&moved)[0], "p01@acme.example");
    assert!(moved.says("11 people lose Operator") && moved.says("and 1 more"));
    assert!(moved.says("Removed when you save") && moved.says("<small>1 person</small>"));

    let preview = bench.run(&["mapping", "delete", "acme", "Crew", "--preview"]);
    let losing = preview["roles"][0]["losing"].as_array().unwrap();
    let said: Vec<_> = losing.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(said, names);
    let arguments = ["mapping", "delete", "acme", "Crew", "--preview"];
    let text = String::from_utf8(bench.place.run(&arguments).stdout).unwrap();
    assert!(
        text.contains("lose Operator: p00@acme.example, p01@") && text.contains("and 2 more"),
        "{text}"
    );
    let listed = bench.run(&["mapping", "list", "acme"]);
    assert_eq!(
        listed["mappings"][0]["mapped_by"], "ida@acme.example",
        "{listed:#}"
    );

    let look = [
        "integrations:read",
        "mappings:read",
        "mappings:write",
        "groups:read",
        "roles:read",
    ];
    let allowed: Vec<_> = look
        .iter()
        .flat_map(|permission| ["--allow", *permission])
        .collect();
    bench.run(&[&["role", "create", "acme", "Mapper"], &allowed[..]].concat());
    let mut mapper = bench.enter_as("max@acme.example", "Mapper");
    let blind = mapper.submit(MAPPING, &[("do", &format!("remove:{crew}"))]);
    assert!(
        blind.says("12 people lose Operator") && named(&blind).is_empty(),
        "{}",
        blind.answer.text
    );
}

/// Feature rows 59, 60, 61, 91: who joins and leaves a mapped group gains and loses its roles; a group that is deleted takes
/// its mapping along, which can be restored for the one that comes in its place, after its effect was said.
#[test]
fn a_lost_mapping_is_restored() {
    let bench = Bench::new(&[]);
    let ada = bench.user("ada@acme.example");
    let crew = bench.group("Crew", &[&ada]);
    bench.run(&["mapping", "set", "acme", "Crew", "Operator"]);
    let mut ida = bench.enter();
    bench.leave(&crew, &ada);
    assert_eq!(people(&bench, "Operator"), 0);
    bench.join(&crew, &ada);
    bench.delete(&format!("/Groups/{crew}"));
    let page = ida.open(MAPPING);
    assert!(
        page.says("Mapped groups that were deleted") && page.says("1 person: Operator."),
        "{}",
        page.answer.text
    );
    assert!(!page.says("mapping/restore/"), "nothing has come in its place");
    bench.group("Crew", &[&ada]);
    let page = ida.open(MAPPING);
    assert!(page.says("The group Crew has come in its place."));
    let path = format!("{MAPPING}/restore/{crew}");
    let asked = ida.open(&path);
    assert_eq!(asked.heading(), "Restore the mapping of Crew?");
    assert!(asked.says("1 person gains Operator."));
    assert_eq!(people(&bench, "Operator"), 0);
    assert!(ida.submit(&path, &[]).says("The mapping was restored."));
    assert_eq!(people(&bench, "Operator"), 1);
    bench.is_sound();
}

/// Feature rows 62, 62b: where groups are mirrored there is nothing to map; and two groups of one name are told apart by the
/// provider's id.
#[test]
fn mirrored_groups_and_groups_of_one_name() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    for id in ["x-1", "x-2"] {
        bench.make(
            "/Groups",
            &json!({ "schemas": [program::bench::GROUP], "displayName": "Desk", "externalId": id }),
        );
    }
    assert_eq!(options(&ida.open(MAPPING)), ["Desk (x-1)", "Desk (x-2)"]);
    bench.run(&["org", "set", "acme", "--groups", "mirror"]);
    let page = ida.open(MAPPING);
    assert!(page.says("Groups are mirrored as User Roles.") && page.says("Needs permissions"));
    assert!(!page.says("<select id=\"group\""));
    let refused = ida.submit(MAPPING, &[("draft", "x=y"), ("do", "save")]);
    assert!(refused.says("Groups are mirrored"), "{}", refused.answer.text);
}

/// Feature rows 14, 87: somebody who may only look has no editor, and nobody maps a group to more than they have.
#[test]
fn nobody_maps_beyond_their_own_permissions() {
    let bench = Bench::new(&[]);
    let crew = bench.group("Crew", &[]);
    let allow = |permissions: &[&'static str]| {
        let pairs = permissions.iter().flat_map(|permission| ["--allow", *permission]);
        pairs.collect::<Vec<_>>()
    };
    let look = ["integrations:read", "mappings:read", "groups:read", "roles:read"];
    bench.run(&[&["role", "create", "acme", "Looker"], &allow(&look)[..]].concat());
    let edit = [&look[..], &["mappings:write"]].concat();
    bench.run(&[&["role", "create", "acme", "Editor"], &allow(&edit)[..]].concat());
    let administrator = role(&bench, "Administrator");
    let draft = format!("{crew}={administrator}");
    let mut looker = bench.enter_as("loo@acme.example", "Looker");
    let page = looker.open(MAPPING);
    assert!(page.status() == 200 && !page.says("<select id=\"group\"") && !page.says(">Save<"));
    assert_eq!(
        looker
            .submit(MAPPING, &[("draft", &draft), ("do", "save")])
            .status(),
        403
    );
    let mut editor = bench.enter_as("edi@acme.example", "Editor");
    let refused = editor.submit(MAPPING, &[("draft", &draft), ("do", "save")]);
    assert_eq!(refused.status(), 422);
    assert!(
        refused.trouble().contains("This mapping"),
        "{}",
        refused.trouble()
    );
    assert!(refused.says(&draft), "the draft is still there");
    assert_eq!(bench.run(&["mapping", "list", "acme"])["mappings"], json!([]));
}

/// Feature rows 55, 56, 57, 58: a group is chosen in the drop-down, roles are ticked, the plus adds the row, and saving
/// applies it.
#[test]
fn a_group_is_mapped_in_a_browser() {
    let bench = Bench::new(&[]);
    let ada = bench.user("ada@acme.example");
    bench.group("Crew", &[&ada]);
    let mut browser = bench.open_browser();
    browser.goto(&bench.url("/o/acme/integrations/scim"));
    browser.click("#tab-mapping");
    browser.choose("Identity Provider Group", "Crew");
    assert_eq!(browser.text("#roles-label"), "Provisioning User Role");
    browser.press_in("#mapping-editor", "+ Add the mapping to the list");
    browser.wait("[role=alert]", "at least one role");
    browser.click("#roles summary");
    browser.tick("Operator Sees everything but the bodies of requests; changes people, groups and mappings.");
    browser.press("+ Add the mapping to the list");
    browser.wait("#mapping-preview", "1 person gains Operator");
    assert_eq!(browser.count("#group option"), 1);
    browser.press("Save");
    browser.wait(".toast", "The mappings were saved.");
    assert_eq!(people(&bench, "Operator"), 1);
    browser.press("Remove the mapping of Crew");
    browser.wait("#mapping-list", "Removed when you save");
    browser.press("Keep the mapping of Crew");
    assert_eq!(browser.count("#mapping-preview"), 0);
    browser.is_quiet();
}

/// Feature rows 58, 87, 90: saving asks for a confirmation that is ten minutes old at most; what is drafted is not lost by
/// that.
#[test]
fn a_draft_outlives_a_confirmation() {
    let bench = Bench::new(&[]);
    let ada = bench.user("ada@acme.example");
    let crew = bench.group("Crew", &[&ada]);
    let draft = format!("{crew}={}", role(&bench, "Operator"));
    let mut ida = bench.enter();
    bench.place.execute("UPDATE session SET proved = 0");
    assert!(
        ida.open(MAPPING)
            .says("Saving mappings asks you to confirm that it is you.")
    );
    let fields = [("draft", draft.as_str()), ("do", "save")];
    let asked = ida.submit(MAPPING, &fields);
    assert_eq!(asked.status(), 422);
    assert!(
        asked.says("Nothing is saved yet.") && asked.says(&draft),
        "{}",
        asked.answer.text
    );
    assert!(asked.says("/o/acme/step-up?to=integrations/scim/mapping"));
    assert_eq!(people(&bench, "Operator"), 0);
    let back = ida.submit(
        "/o/acme/step-up?to=integrations/scim/mapping",
        &[("password", PASSWORD)],
    );
    assert_eq!(back.path, MAPPING);
    assert!(ida.submit(MAPPING, &fields).says("The mappings were saved."));
    assert_eq!(people(&bench, "Operator"), 1);
}
