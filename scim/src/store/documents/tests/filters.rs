//! The indexes select what the evaluator matches, for every type of attribute.

use proptest::prelude::*;

use super::*;
use crate::value::{Binary, Meta, Reference, ResourceId};
use crate::{ScimComplex, ScimResource};

/// The content that is kept of a thing.
#[derive(Debug, Clone)]
struct Content {
    word: Option<String>,
    exact: Option<String>,
    plain: Option<String>,
    flag: Option<bool>,
    whole: Option<i64>,
    size: Option<f64>,
    at: Option<DateTime>,
    photo: Option<Binary>,
    link: Option<Reference>,
    holder: Option<Holder>,
    words: Vec<String>,
    numbers: Vec<i64>,
    times: Vec<DateTime>,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, ScimComplex)]
struct Holder {
    #[scim(indexed)]
    name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, ScimComplex)]
struct Part {
    #[scim(indexed)]
    value: Option<String>,
    #[scim(rename = "type")]
    kind: Option<String>,
    primary: Option<bool>,
}

/// A resource with these indexed attributes, of which the first four have key columns.
macro_rules! thing {
    ($name:ident, $schema:tt, $endpoint:tt, { $($field:ident: $value:ty,)* }) => {
        #[derive(Debug, Clone, PartialEq, ScimResource)]
        #[scim(schema = $schema, endpoint = $endpoint)]
        struct $name {
            id: ResourceId,
            meta: Meta,
            $(#[scim(indexed)] $field: Option<$value>,)*
            #[scim(indexed, case_exact)]
            exact: Option<String>,
            holder: Option<Holder>,
            plain: Option<String>,
            photo: Option<Binary>,
            link: Option<Reference>,
            #[scim(indexed)]
            words: Vec<String>,
            #[scim(indexed)]
            numbers: Vec<i64>,
            #[scim(indexed)]
            times: Vec<DateTime>,
            parts: Vec<Part>,
        }

        impl From<Content> for $name {
            fn from(content: Content) -> Self {
                Self {
                    id: ResourceId::default(),
                    meta: Meta::default(),
                    $($field: content.$field,)*
                    exact: content.exact,
                    holder: content.holder,
                    plain: content.plain,
                    photo: content.photo,
                    link: content.link,
                    words: content.words,
                    numbers: content.numbers,
                    times: content.times,
                    parts: content.parts,
                }
            }
        }
    };
}

thing!(Thing, "urn:example:scim:schemas:2.0:Thing", "/Things", {
    word: String, flag: bool, whole: i64, size: f64, at: DateTime,
});
thing!(Turned, "urn:example:scim:schemas:2.0:Turned", "/Turned", {
    at: DateTime, size: f64, whole: i64,
    flag: bool, word: String,
});

const WORDS: [&str; 15] = [
    "",
    "a",
    "\u{ad}",
    "A",
    "ab",
    "b",
    "B%",
    "\0",
    "a\0b",
    "ß",
    "ss",
    "é",
    "e\u{301}",
    "\u{10ffff}",
    "\u{d7ff}",
];
const KINDS: [&str; 4] = ["work", "Work", "home", ""];
const NUMBERS: [&str; 10] = [
    "0",
    "1",
    "1.0",
    "1.5",
    "-0.5",
    "2",
    "1e300",
    "-1e300",
    "9007199254740993",
    "-1e400",
];
const TIMES: [&str; 6] = [
    "1970-01-01T00:00:00Z",
    "1970-01-01T00:00:00.000001Z",
    "1970-01-01T00:00:00.0000013Z",
    "1970-01-01T00:00:00.0000015Z",
    "1970-01-01T00:00:00.000002Z",
    "1969-12-31T23:59:59.9999995Z",
];
const BYTES: [&str; 3] = ["", "AAAA", "//79"];
const IDS: [&str; 4] = [
    "a",
    "A",
    "0190d1f0-0000-7000-8000-00000000abcd",
    "0190D1F0-0000-7000-8000-00000000ABCD",
];
const LINKS: [&str; 4] = ["https://h/a", "https://h/A", "https://h/", "urn:x"];

fn owned<const N: usize>(texts: &'static [&'static str; N]) -> impl Strategy<Value = String> + Clone {
    prop::sample::select(&texts[..]).prop_map(str::to_owned)
}

fn maybe<T: std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    prop::option::weighted(0.8, value)
}

fn several<T: std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(value, 0..3)
}

fn time() -> impl Strategy<Value = DateTime> {
    owned(&TIMES).prop_map(|text| DateTime::parse(&text).unwrap())
}

prop_compose! {
    fn part()(value in maybe(owned(&WORDS)), kind in maybe(owned(&KINDS)), primary: Option<bool>) -> Part {
        Part { value, kind, primary }
    }
}

prop_compose! {
    fn content()(
        [word, exact, plain] in prop::array::uniform3(maybe(owned(&WORDS))),
        (flag, whole, size) in (
            any::<Option<bool>>(),
            maybe(prop_oneof![-1_i64..3, Just(i64::MAX)]),
            maybe((-2..5).prop_map(|halves| f64::from(halves) / 2.0)),
        ),
        at in maybe(time()),
        photo in maybe(owned(&BYTES)),
        link in maybe(owned(&LINKS)),
        holder in maybe(maybe(owned(&WORDS))),
        words in several(owned(&WORDS)),
        numbers in several(-1_i64..3),
        times in several(time()),
        parts in several(part()),
    ) -> Content {
        Content {
            word, exact, plain, flag, whole, size, at,
            photo: photo.map(|text| Binary::parse(&text).unwrap()),
            link: link.map(|text| text.parse().unwrap()),
            holder: holder.map(|name| Holder { name }),
            words, numbers, times, parts,
        }
    }
}

const TEXTUAL: &str = "eq ne co sw ew gt ge lt le";
const ORDERED: &str = "eq ne gt ge lt le";
const EQUAL: &str = "eq ne";

/// Makes tests of some attributes, with operators and operands that they know.
fn test_of(
    attributes: &'static str,
    operators: &'static str,
    operands: impl Strategy<Value = String> + 'static,
) -> BoxedStrategy<String> {
    let one_of = |words: &'static str| prop::sample::select(words.split(' ').collect::<Vec<_>>());
    let other = prop::sample::select(vec!["pr", "eq null", "ne null"]);
    prop_oneof![
        5 => (one_of(attributes), one_of(operators), operands)
            .prop_map(|(attribute, operator, operand)| format!("{attribute} {operator} {operand}")),
        1 => (one_of(attributes), other).prop_map(|(attribute, test)| format!("{attribute} {test}")),
    ]
    .boxed()
}

fn quoted<const N: usize>(texts: &'static [&'static str; N]) -> impl Strategy<Value = String> {
    owned(texts).prop_map(|text| serde_json::Value::from(text).to_string())
}

fn boolean() -> impl Strategy<Value = String> {
    any::<bool>().prop_map(|value| value.to_string())
}

fn location() -> impl Strategy<Value = String> {
    let segment = prop::sample::select(vec!["Things/", "Turned/", "Thing", "things/", ""]);
    (segment, owned(&IDS)).prop_map(|(segment, id)| format!("\"{segment}{id}\""))
}

fn tree(leaf: BoxedStrategy<String>) -> BoxedStrategy<String> {
    leaf.prop_recursive(3, 10, 3, |inner| {
        let some = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            2 => some.clone().prop_map(|all| format!("({})", all.join(" and "))),
            2 => some.prop_map(|any| format!("({})", any.join(" or "))),
            1 => inner.prop_map(|inner| format!("not ({inner})")),
        ]
    })
    .boxed()
}

fn filter() -> BoxedStrategy<String> {
    let in_part = prop_oneof![
        test_of("value", TEXTUAL, quoted(&WORDS)),
        test_of("type", TEXTUAL, quoted(&KINDS)),
        test_of("primary", EQUAL, boolean()),
    ];
    let leaf = prop_oneof![
        4 => test_of("word exact plain holder.name words parts.value", TEXTUAL, quoted(&WORDS)),
        1 => test_of("parts.type", TEXTUAL, quoted(&KINDS)),
        2 => test_of("flag parts.primary", EQUAL, boolean()),
        4 => test_of("whole size numbers", ORDERED, owned(&NUMBERS)),
        3 => test_of("at times meta.lastModified meta.created", ORDERED, quoted(&TIMES)),
        1 => test_of("photo", EQUAL, quoted(&BYTES)),
        1 => test_of("link", TEXTUAL, quoted(&LINKS)),
        1 => test_of("id", TEXTUAL, quoted(&IDS)),
        1 => test_of("meta.location", TEXTUAL, location()),
        1 => prop::sample::select(vec!["holder pr", "words pr", "parts pr", "numbers pr"]).prop_map(str::to_owned),
        3 => tree(in_part.boxed()).prop_map(|inner| format!("parts[{inner}]")),
    ];
    tree(leaf.boxed())
}

fn things() -> Bench {
    let hands = Hands::default();
    let database = Database::in_memory(Options {
        portable: true,
        ..Options::default()
    });
    let store = DocumentStore::on(database.unwrap())
        .resource::<Thing>()
        .resource::<Turned>()
        .environment(Environment {
            clock: Arc::new(hands.clone()),
            ..Environment::default()
        })
        .build()
        .unwrap();
    Bench {
        runtime: runtime(),
        store,
        hands,
        tenant: Arc::new(ACME.to_owned()),
    }
}

/// Creates things of a type in two tenants, and returns those of the first.
fn create<R: ScimResource + From<Content>>(bench: &Bench, contents: &[(Content, i64)]) -> Vec<R> {
    let other = Arc::new("globex".to_owned());
    let mut made = Vec::new();
    for ((content, micros), id) in contents.iter().zip(IDS) {
        bench.hands.0.store(*micros, Ordering::SeqCst);
        let resource = R::from(content.clone());
        bench.write(Write::create(&other, id, resource.clone())).unwrap();
        bench.write(Write::create(&bench.tenant, id, resource)).unwrap();
        made.push(bench.state(id));
    }
    made
}

fn agree<R: ScimResource>(bench: &Bench, things: &[R], filter: &str) -> Result<(), TestCaseError> {
    let resolved = filter_of::<R>(filter);
    let matching: Vec<_> = things.iter().filter(|thing| resolved.matches(*thing)).collect();
    let expected: Vec<_> = matching.iter().map(|thing| thing.id().as_str()).collect();
    let (total, items) = bench.query(&all::<R>().matching(resolved.clone())).unwrap();
    let found: Vec<_> = items.iter().filter_map(|item| item["id"].as_str()).collect();
    prop_assert_eq!(total, expected.len() as u64, "{}", filter);
    prop_assert_eq!(found, expected, "{}", filter);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// P-3.4.2.2-02: whatever the indexes select, and whatever is then asked of the documents, is what the evaluator
    /// matches, whether an attribute has a key column or none was left for it.
    #[test]
    fn the_store_selects_what_the_evaluator_matches(
        contents in prop::collection::vec((content(), -1_i64..3), 1..=IDS.len()),
        filters in prop::collection::vec(filter(), 40),
    ) {
        let bench = things();
        let (things, turned) = (create::<Thing>(&bench, &contents), create::<Turned>(&bench, &contents));
        for filter in &filters {
            agree(&bench, &things, filter)?;
            agree(&bench, &turned, filter)?;
        }
    }
}

/// Issue 2, section 7: an indexed attribute is found by an index, also where four others have taken the key columns; and
/// so is a number of another kind than the attribute.
#[test]
fn no_indexed_attribute_is_looked_for_in_every_row() {
    let bench = things();
    let plan = |filter: &str| {
        let query = all::<Thing>().matching(filter_of::<Thing>(filter));
        bench.block(bench.store.explain(ACME, &query)).unwrap().join("\n")
    };
    for (filter, index) in [
        ("whole gt 1.5", "scim_resource_k3"),
        ("whole lt 1e300", "scim_resource_k3"),
        ("size ge 1", "scim_resource_k4"),
        ("at ge \"2020-01-01T00:00:00Z\"", "SEARCH v USING PRIMARY KEY"),
        ("exact sw \"a\"", "SEARCH v USING PRIMARY KEY"),
        ("exact pr", "SEARCH v USING PRIMARY KEY"),
        ("holder.name eq \"a\"", "SEARCH v USING PRIMARY KEY"),
        ("numbers le 1.5", "SEARCH v USING PRIMARY KEY"),
    ] {
        assert!(plan(filter).contains(index), "{filter}:\n{}", plan(filter));
    }
}
