//! Tests that SQL selects what the evaluator matches.

use proptest::prelude::*;
use rusqlite::{Connection, params, params_from_iter};

use super::*;
use crate::filter::sample::{EMAIL, NAME, PERSON_SCHEMA, Row, Value, person};
use crate::filter::{Filter, Literal, Operator, Resolve, ResolvedFilter};
use crate::fold::Fold;
use crate::path::{AttrPath, AttributeName};
use crate::sort::{Sort, SortOrder};
use crate::value::{BaseUrls, Binary, DateTime};

/// A person as the application's tables hold it.
#[derive(Debug, Clone, Default)]
struct Person {
    external_id: Option<&'static str>,
    user_name: Option<&'static str>,
    title: Option<&'static str>,
    active: Option<bool>,
    age: Option<i64>,
    score: Option<f64>,
    certificate: Option<Vec<u8>>,
    manager: Option<&'static str>,
    modified: Option<i64>,
    family: Option<&'static str>,
    given: Option<&'static str>,
    emails: Vec<Email>,
    zones: Vec<&'static str>,
}

#[derive(Debug, Clone)]
struct Email {
    value: &'static str,
    kind: Option<&'static str>,
    primary: Option<bool>,
}

const WORDS: [&str; 14] = [
    "",
    "a",
    "A",
    "ab",
    "b",
    "B%",
    "_",
    "ß",
    "ss",
    "é",
    "e\u{301}",
    "\u{10ffff}",
    "\u{d7ff}",
    "日本",
];
const KINDS: [&str; 3] = ["work", "Work", "home"];
const PLACES: [&str; 3] = ["Users/1", "Users/2", "Groups/1"];
const URLS: [&str; 12] = [
    "Users/1",
    "https://h/v2/Users/1",
    "https://h/Users/1",
    "https://h/v2/Users/",
    "https://h/v2/Users/15",
    "https://h/v2/H",
    "https://h/v",
    "/Users/2",
    "2/",
    "1",
    "",
    "https://h/users/1",
];
const NUMBERS: [&str; 8] = ["0", "1", "1.0", "1.5", "-0.5", "2", "1e300", "-1e300"];
const TIMES: [&str; 4] = [
    "1970-01-01T00:00:00Z",
    "1970-01-01T00:00:00.000001Z",
    "1970-01-01T00:00:00.0000015Z",
    "1969-12-31T23:59:59.9999995Z",
];
const BYTES: [&str; 3] = ["", "AAAA", "//79"];

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&WORDS[..])
}

prop_compose! {
    fn email()(
        value in prop::sample::select(&WORDS[1..]),
        kind in prop::option::of(prop::sample::select(&KINDS[..])),
        primary in any::<Option<bool>>(),
    ) -> Email {
        Email { value, kind, primary }
    }
}

prop_compose! {
    fn someone()(
        texts in prop::array::uniform5(prop::option::of(word())),
        (active, age, score) in (
            any::<Option<bool>>(),
            prop::option::of(-1i64..3),
            prop::option::of((-2i32..5).prop_map(|halves| f64::from(halves) / 2.0)),
        ),
        certificate in prop::option::of(prop::sample::select(&BYTES[..])),
        manager in prop::option::of(prop::sample::select(&PLACES[..])),
        modified in prop::option::of(-2i64..3),
        emails in prop::collection::vec(email(), 0..3),
        zones in prop::collection::vec(prop::sample::select(&WORDS[1..]), 0..3),
    ) -> Person {
        let [external_id, user_name, title, family, given] = texts;
        let certificate = certificate.map(|text| Binary::parse(text).unwrap().into_bytes());
        Person {
            external_id, user_name, title, active, age, score, certificate, manager, modified, family, given,
            emails, zones,
        }
    }
}

/// Returns a value, or none.
fn value<T>(held: Option<T>, make: impl FnOnce(T) -> Value) -> Value {
    held.map_or(Value::Absent, make)
}

impl Person {
    fn resource(&self) -> Row {
        let text = |text: Option<&'static str>| value(text, Value::from);
        let meta = PERSON_SCHEMA.attributes[2].shape.sub_attributes;
        let emails: Vec<_> = self
            .emails
            .iter()
            .map(|email| {
                Row::new(EMAIL)
                    .with("value", email.value)
                    .with("type", text(email.kind))
                    .with("primary", value(email.primary, Value::Bool))
            })
            .collect();
        person()
            .with("externalId", text(self.external_id))
            .with("userName", text(self.user_name))
            .with("title", text(self.title))
            .with("active", value(self.active, Value::Bool))
            .with("age", value(self.age, Value::Int))
            .with("score", value(self.score, Value::Decimal))
            .with(
                "certificate",
                value(self.certificate.clone(), |bytes| {
                    Value::Binary(Binary::new(bytes))
                }),
            )
            .with(
                "manager",
                value(self.manager, |path| Value::Relative(path.to_owned())),
            )
            .with(
                "meta",
                Row::new(meta).with(
                    "lastModified",
                    value(self.modified, |micros| {
                        Value::Time(DateTime::from_unix_micros(micros))
                    }),
                ),
            )
            .with(
                "name",
                Row::new(NAME)
                    .with("familyName", text(self.family))
                    .with("givenName", text(self.given)),
            )
            .with("emails", emails)
            .with("zones", self.zones.clone())
    }
}

const TABLES: &str = "
    CREATE TABLE person (id INTEGER PRIMARY KEY, external_id TEXT, user_name TEXT, title TEXT, active INTEGER,
        age INTEGER, score REAL, certificate BLOB, manager TEXT, modified INTEGER, family TEXT, given TEXT);
    CREATE TABLE email (owner INTEGER, value TEXT, kind TEXT, is_primary INTEGER);
    CREATE TABLE zone (owner INTEGER, name TEXT);
";

fn database(people: &[Person]) -> Connection {
    let database = Connection::open_in_memory().unwrap();
    database.execute_batch(TABLES).unwrap();
    let fold = |text: Option<&str>| text.map(|text| Fold::CaseInsensitive.key(text).into_owned());
    for (id, person) in (0i64..).zip(people) {
        let user_name = person.user_name.map(|text| Fold::UserName.key(text).into_owned());
        let external_id = person.external_id.map(|text| Fold::Exact.key(text).into_owned());
        database
            .prepare_cached("INSERT INTO person VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .unwrap()
            .execute(params![
                id,
                external_id,
                user_name,
                fold(person.title),
                person.active,
                person.age,
                person.score,
                person.certificate,
                person.manager,
                person.modified,
                fold(person.family),
                fold(person.given)
            ])
            .unwrap();
        for email in &person.emails {
            database
                .prepare_cached("INSERT INTO email VALUES (?, ?, ?, ?)")
                .unwrap()
                .execute(params![
                    id,
                    fold(Some(email.value)),
                    fold(email.kind),
                    email.primary
                ])
                .unwrap();
        }
        for zone in &person.zones {
            database
                .prepare_cached("INSERT INTO zone VALUES (?, ?)")
                .unwrap()
                .execute(params![id, fold(Some(zone))])
                .unwrap();
        }
    }
    database
}

fn path(name: &str) -> AttrPath {
    AttrPath::resolve(&name.parse().unwrap(), &PERSON_SCHEMA).unwrap()
}

fn columns(dialect: Dialect) -> Columns {
    Columns::new(dialect)
        .column(path("externalId"), Column::text("external_id"))
        .column(path("userName"), Column::key("user_name"))
        .column(path("title"), Column::key("title"))
        .column(path("active"), Column::boolean("active"))
        .column(path("age"), Column::integer("age"))
        .column(path("score"), Column::real("score"))
        .column(path("certificate"), Column::binary("certificate"))
        .column(path("manager"), Column::reference("manager"))
        .column(path("meta.lastModified"), Column::micros("modified"))
        .column(path("name"), Column::boolean("(family <> '' OR given <> '')"))
        .column(path("name.familyName"), Column::key("family"))
        .column(path("name.givenName"), Column::key("given"))
        .rows(path("emails"), Rows::new("email", "email.owner = person.id"))
        .column(path("emails.value"), Column::key("email.value"))
        .column(path("emails.type"), Column::key("email.kind"))
        .column(path("emails.primary"), Column::boolean("email.is_primary"))
        .rows(path("zones"), Rows::new("zone", "zone.owner = person.id"))
        .column(path("zones"), Column::key("zone.name"))
}

fn resolve(filter: &Filter) -> ResolvedFilter {
    resolve_below(None, filter)
}

fn resolve_below(base_urls: Option<&BaseUrls<'_>>, filter: &Filter) -> ResolvedFilter {
    let options = Resolve {
        base_urls,
        ..Resolve::default()
    };
    ResolvedFilter::resolve(filter, &PERSON_SCHEMA, options)
        .unwrap_or_else(|error| panic!("{filter}: {error}"))
}

fn name(text: &str) -> AttributeName {
    text.parse().unwrap()
}

/// Generates a comparison of one of the attributes to one of the operands, with one of the operators; or the other tests that
/// every attribute has.
fn test_of(
    attributes: &'static [&'static str],
    operators: &'static [Operator],
    operands: impl Strategy<Value = Literal> + 'static,
) -> BoxedStrategy<Filter> {
    let attributes = prop::sample::select(attributes);
    let comparisons = (attributes.clone(), prop::sample::select(operators), operands)
        .prop_map(|(attribute, operator, operand)| Filter::compare(name(attribute), operator, operand));
    let others = (attributes, 0..3).prop_map(|(attribute, which)| match which {
        0 => Filter::present(name(attribute)),
        1 => Filter::compare(name(attribute), Operator::Eq, Literal::Null),
        _ => Filter::compare(name(attribute), Operator::Ne, Literal::Null),
    });
    prop_oneof![4 => comparisons, 1 => others].boxed()
}

const EQUALITY: &[Operator] = &[Operator::Eq, Operator::Ne];
const ORDER: &[Operator] = &[
    Operator::Eq,
    Operator::Ne,
    Operator::Gt,
    Operator::Ge,
    Operator::Lt,
    Operator::Le,
];

fn literal_in(texts: &'static [&'static str]) -> impl Strategy<Value = Literal> {
    prop::sample::select(texts).prop_map(Literal::from)
}

fn number() -> impl Strategy<Value = Literal> {
    prop::sample::select(&NUMBERS[..]).prop_map(|text| match format!("age eq {text}").parse() {
        Ok(Filter::Compare(comparison)) => comparison.value,
        other => panic!("{other:?}"),
    })
}

fn tree(leaf: BoxedStrategy<Filter>) -> BoxedStrategy<Filter> {
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a.and(b)),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a.or(b)),
            inner.prop_map(Filter::negate),
        ]
    })
    .boxed()
}

fn filter() -> BoxedStrategy<Filter> {
    let texts: &[&str] = &[
        "externalId",
        "userName",
        "title",
        "name.familyName",
        "emails.value",
        "emails",
        "zones",
    ];
    let in_email = prop_oneof![
        test_of(&["value"], &Operator::ALL, literal_in(&WORDS)),
        test_of(&["type"], EQUALITY, literal_in(&KINDS)),
        test_of(&["primary"], EQUALITY, any::<bool>().prop_map(Literal::Bool)),
    ];
    let in_name = test_of(&["familyName", "givenName"], &Operator::ALL, literal_in(&WORDS));
    let in_zone = test_of(&["value"], &Operator::ALL, literal_in(&WORDS));
    let leaf = prop_oneof![
        3 => test_of(texts, &Operator::ALL, literal_in(&WORDS)),
        1 => test_of(&["emails.type"], EQUALITY, literal_in(&KINDS)),
        1 => test_of(&["active", "emails.primary"], EQUALITY, any::<bool>().prop_map(Literal::Bool)),
        2 => test_of(&["age", "score"], ORDER, number()),
        1 => test_of(&["certificate"], EQUALITY, literal_in(&BYTES)),
        2 => test_of(&["manager"], &Operator::ALL, literal_in(&URLS)),
        1 => test_of(&["meta.lastModified"], ORDER, literal_in(&TIMES)),
        1 => prop::sample::select(&["emails", "zones", "name"][..]).prop_map(|attribute| Filter::present(name(attribute))),
        1 => literal_in(&["urn:example:2.0:Person", "urn:example:2.0:Car"]).prop_map(|urn| Filter::compare("schemas", Operator::Eq, urn)),
        2 => tree(in_email.boxed()).prop_map(|inner| Filter::value_path("emails", inner)),
        1 => tree(in_name).prop_map(|inner| Filter::value_path("name", inner)),
        1 => tree(in_zone).prop_map(|inner| Filter::value_path("zones", inner)),
    ];
    tree(leaf.boxed())
}

fn selected(database: &Connection, sql: &SqlFilter, order: &str) -> Vec<usize> {
    let statement = format!("SELECT id FROM person WHERE {} ORDER BY {order}", sql.condition);
    let mut statement = database
        .prepare(&statement)
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
    let rows = statement
        .query_map(params_from_iter(&sql.parameters), |row| row.get::<_, u32>(0))
        .unwrap();
    rows.map(|id| id.unwrap() as usize).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// P-3.4.2.2-02: what a store pushes down selects what the evaluator matches, whatever has no value.
    #[test]
    fn sql_selects_what_the_evaluator_matches(
        people in prop::collection::vec(someone(), 1..8),
        filters in prop::collection::vec(filter(), 8),
        below in any::<bool>(),
    ) {
        let urls = BaseUrls::new("https://h/v2").with_endpoints(&["/Users", "/Groups"]);
        let database = database(&people);
        let resources: Vec<_> = people.iter().map(Person::resource).collect();
        for filter in filters {
            let resolved = resolve_below(below.then_some(&urls), &filter);
            let sql = columns(Dialect::Sqlite).compile(resolved.expression()).unwrap();
            let matching: Vec<_> = (0..resources.len()).filter(|id| resolved.matches(&resources[*id])).collect();
            prop_assert_eq!(
                selected(&database, &sql, "id"),
                matching,
                "{} is {} with {:?}", filter, &sql.condition, &sql.parameters
            );
        }
    }

    /// P-3.4.2.3: ORDER BY is the order of the sort keys.
    #[test]
    fn sql_sorts_as_the_sort_keys_do(
        people in prop::collection::vec(someone(), 1..8),
        by in prop::sample::select(&["externalId", "userName", "title", "active", "age", "score", "name.familyName", "meta.lastModified"][..]),
        order in prop::sample::select(&[SortOrder::Ascending, SortOrder::Descending][..]),
    ) {
        let sort = Sort::resolve(&name(by), order, &PERSON_SCHEMA).unwrap();
        let keys: Vec<_> = people.iter().map(|person| sort.key(&person.resource())).collect();
        let mut expected: Vec<_> = (0..people.len()).collect();
        expected.sort_by(|a, b| sort.compare(&keys[*a], &keys[*b]));
        let everyone = SqlFilter { condition: "1 = 1".to_owned(), parameters: Vec::new() };
        let order = format!("{}, id", columns(Dialect::Sqlite).order_by(&sort).unwrap());
        prop_assert_eq!(selected(&database(&people), &everyone, &order), expected);
    }
}

fn compile(columns: &Columns, text: &str) -> Result<SqlFilter, NotTranslatable> {
    columns.compile(resolve(&text.parse().unwrap()).expression())
}

#[test]
fn parameters_carry_what_the_client_wrote() {
    let sql = compile(
        &columns(Dialect::Postgres).parameters_from(3),
        r#"title co "'; DROP" and emails[type eq "work" and value ew "%"] or not (age gt 1)"#,
    )
    .unwrap();
    assert_eq!(
        sql.condition,
        "(strpos(title, $3) > 0 AND EXISTS (SELECT 1 FROM email WHERE email.owner = person.id AND \
         (email.kind = $4 AND substr(email.value, length(email.value) - length($5) + 1) = $6))) OR (age > $7) IS NOT \
         TRUE"
    );
    let texts = ["'; drop", "work", "%", "%"].map(|text| SqlValue::Text(text.to_owned()));
    assert_eq!(
        sql.parameters,
        [texts.as_slice(), &[SqlValue::Integer(1)]].concat()
    );
}

/// Statements are prepared once: filters of one form are one text, whatever they compare to.
#[test]
fn no_value_of_a_filter_is_part_of_the_text() {
    let columns = columns(Dialect::Sqlite);
    let forms = Operator::ALL.map(|operator| format!("title {} ", operator.as_str()));
    let forms = forms
        .iter()
        .map(|form| (form.as_str(), [r#""a""#, r#""b%'é""#, r#""""#]));
    let others = [
        ("age gt ", ["1", "0", "9223372036854775807"]),
        ("age le ", ["1.5", "-0.5", "0.25"]),
        ("score lt ", ["1.5", "1e300", "-3"]),
        ("active eq ", ["true", "false", "true"]),
        ("certificate eq ", [r#""AAAA""#, r#""//79""#, r#""""#]),
    ];
    for (form, operands) in forms.chain(others) {
        // Every text starts with the empty one, which has no successor.
        let operands = operands
            .iter()
            .filter(|operand| form != "title sw " || **operand != r#""""#);
        let texts: Vec<_> = operands
            .map(|operand| compile(&columns, &format!("{form}{operand}")).unwrap().condition)
            .collect();
        assert!(texts.windows(2).all(|pair| pair[0] == pair[1]), "{texts:?}");
    }
}

/// Nothing is translated by halves: the application hears what it must evaluate itself.
#[test]
fn what_the_columns_cannot_answer_is_named() {
    let columns = columns(Dialect::Sqlite).column(path("id"), Column::integer("id"));
    for (text, refusal) in [
        (
            r#"title pr and badges.number eq 1"#,
            "attribute badges: no table holds its values",
        ),
        (
            r#"urn:example:2.0:Staff:department sw "a""#,
            "attribute department with sw: no column holds it",
        ),
        (
            "urn:example:2.0:Staff pr",
            "attribute urn:example:2.0:Staff: no column holds it",
        ),
        (
            r#"id eq "1""#,
            "attribute id with eq: its column holds another type",
        ),
        (
            r#"title co "\u0000""#,
            "attribute title with co: databases do not search for U+0000",
        ),
        (
            "score eq 9007199254740993",
            "attribute score with eq: no floating-point number is that integer",
        ),
    ] {
        assert_eq!(
            compile(&columns, text).unwrap_err().to_string(),
            refusal,
            "{text}"
        );
    }
    let as_written = Columns::new(Dialect::Sqlite).column(path("title"), Column::text("title"));
    let refusal = compile(&as_written, r#"title eq "x""#).unwrap_err();
    assert_eq!(
        (refusal.path, refusal.operator),
        (path("title"), Some(Operator::Eq))
    );
    assert!(compile(&as_written, "title pr").is_ok());
    for by in ["emails", "zones", "id"] {
        let sort = Sort::resolve(&name(by), SortOrder::Ascending, &PERSON_SCHEMA).unwrap();
        assert_eq!(columns.order_by(&sort).is_err(), by != "id", "{by}");
    }
    let sort = Sort::resolve(&name("emails"), SortOrder::Descending, &PERSON_SCHEMA).unwrap();
    let columns = columns.sorted_by(path("emails.value"), Column::key("main_email"));
    assert_eq!(
        columns.order_by(&sort).unwrap(),
        "(main_email IS NULL) DESC, main_email DESC"
    );
}
