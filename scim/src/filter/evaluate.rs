//! Whether a resource, or an element of a multi-valued attribute, satisfies a resolved filter.

use std::cmp::Ordering;
use std::ops::ControlFlow;

use super::{Compare, Expression, Numeric, Operand, Operator, ResolvedFilter};
use crate::fold::Fold;
use crate::record::Record;
use crate::value::{JsonBuf, Select, View};

impl ResolvedFilter {
    /// Returns whether a resource satisfies the filter. `record` must have the table that the filter was resolved
    /// against.
    #[must_use]
    pub fn matches(&self, record: &dyn Record) -> bool {
        self.matches_counted(record).0
    }

    /// Returns the same, with the work that was done: how many expressions were evaluated and values visited.
    #[must_use]
    pub fn matches_counted(&self, record: &dyn Record) -> (bool, u64) {
        let mut work = 0;
        let matches = evaluate(self.expression(), &View::Complex(record), &mut work);
        (matches, work)
    }
}

impl Select for ResolvedFilter {
    fn matches(&self, element: &View<'_>) -> bool {
        evaluate(self.expression(), element, &mut 0)
    }

    fn terms(&self) -> usize {
        self.expression().terms()
    }

    fn template(&self) -> Option<Vec<(u16, JsonBuf)>> {
        self.template.clone()
    }
}

impl Expression {
    /// Returns whether the expression is true of a value, from which its paths start.
    pub(crate) fn holds_for(&self, value: &View<'_>) -> bool {
        evaluate(self, value, &mut 0)
    }

    /// Counts the expressions.
    fn terms(&self) -> usize {
        match self {
            Self::And(all) | Self::Or(all) => all.iter().fold(1, |sum, one| sum + one.terms()),
            Self::Not(inner) | Self::Any { inner, .. } => 1 + inner.terms(),
            Self::Always | Self::Never | Self::Present { .. } | Self::Compare(_) => 1,
        }
    }
}

fn evaluate(expression: &Expression, scope: &View<'_>, work: &mut u64) -> bool {
    *work += 1;
    match expression {
        Expression::Always => true,
        Expression::Never => false,
        Expression::And(all) => all.iter().all(|one| evaluate(one, scope, work)),
        Expression::Or(any) => any.iter().any(|one| evaluate(one, scope, work)),
        Expression::Not(inner) => !evaluate(inner, scope, work),
        Expression::Present { path, .. } => at(scope, path.steps(), &mut |value| value.is_present()),
        Expression::Compare(compare) => at(scope, compare.path.steps(), &mut |value| compare.test(value)),
        Expression::Any { path, inner, .. } => at(scope, path.steps(), &mut |value| any(inner, value, work)),
    }
}

/// Checks the value at the end of the steps; false where the way ends early. No test here is true of nothing.
fn at(scope: &View<'_>, steps: &[u16], test: &mut dyn FnMut(&View<'_>) -> bool) -> bool {
    let [step, rest @ ..] = steps else {
        return test(scope);
    };
    scope
        .record()
        .is_some_and(|record| at(&record.view(usize::from(*step)), rest, test))
}

fn any(inner: &Expression, value: &View<'_>, work: &mut u64) -> bool {
    match value.values() {
        Some(values) => values
            .try_for_each(&mut |element| match evaluate(inner, &element, work) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            })
            .is_break(),
        None if value.is_present() => evaluate(inner, value, work),
        // Of a complex value that holds nothing but empty strings only that is true which needs a value to be true.
        None => value.record().is_some() && !inner.holds_for(&View::Absent) && evaluate(inner, value, work),
    }
}

impl Compare {
    fn test(&self, value: &View<'_>) -> bool {
        let ordering = match (&self.operand, value) {
            (Operand::Text { key, fold }, View::Str(text) | View::Relative(text)) => {
                return text_satisfies(text, self.operator, key, *fold);
            }
            (Operand::Reference(operand), View::Str(text)) => {
                return text_satisfies(text, self.operator, &operand.key, operand.fold);
            }
            (Operand::Reference(operand), View::Relative(path)) => {
                return operand.paths.accepts(path, operand.fold);
            }
            (Operand::Bool(operand), View::Bool(value)) => value.cmp(operand),
            (Operand::Number(operand), View::Int(value)) => Numeric::Integer(*value).cmp(operand),
            (Operand::Number(operand), View::Decimal(value)) => Numeric::Decimal(*value).cmp(operand),
            (Operand::Time(operand), View::Time(value)) => value.cmp(operand),
            (Operand::Binary(operand), View::Binary(value)) => value.as_ref().cmp(operand.as_ref()),
            _ => return false,
        };
        accepts(self.operator, ordering)
    }
}

/// Returns whether an operator that compares is satisfied by how the value stands to the operand.
fn accepts(operator: Operator, ordering: Ordering) -> bool {
    match operator {
        Operator::Eq => ordering.is_eq(),
        Operator::Ne => ordering.is_ne(),
        Operator::Gt => ordering.is_gt(),
        Operator::Ge => ordering.is_ge(),
        Operator::Lt => ordering.is_lt(),
        Operator::Le => ordering.is_le(),
        Operator::Co | Operator::Sw | Operator::Ew => false,
    }
}

/// Compares a text to a key. The commonest case, ASCII text of any case, needs no key of its own.
pub(super) fn text_satisfies(text: &str, operator: Operator, key: &str, fold: Fold) -> bool {
    let text = fold.trimmed(text);
    if fold == Fold::Exact || operator == Operator::Co || !text.is_ascii() {
        return key_satisfies(&fold.key(text), operator, key);
    }
    let (text, key) = (text.as_bytes(), key.as_bytes());
    let same = |part: Option<&[u8]>| part.is_some_and(|part| part.eq_ignore_ascii_case(key));
    match operator {
        Operator::Eq => same(Some(text)),
        Operator::Sw => same(text.get(..key.len())),
        Operator::Ew => same(
            text.len()
                .checked_sub(key.len())
                .and_then(|start| text.get(start..)),
        ),
        _ => accepts(
            operator,
            text.iter().map(u8::to_ascii_lowercase).cmp(key.iter().copied()),
        ),
    }
}

/// Returns whether a text satisfies the comparison with a key. Code points are in the order of their UTF-8 bytes.
fn key_satisfies(text: &str, operator: Operator, key: &str) -> bool {
    match operator {
        Operator::Co => text.contains(key),
        Operator::Sw => text.starts_with(key),
        Operator::Ew => text.ends_with(key),
        _ => accepts(operator, text.cmp(key)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::sample::{BADGE, EMAIL, NAME, PERSON_SCHEMA, Row, STAFF, Value, email, person, time};
    use crate::filter::{Filter, Resolve};
    use crate::value::{BaseUrls, Binary};

    fn resolved(text: &str) -> ResolvedFilter {
        let filter: Filter = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        ResolvedFilter::resolve(&filter, &PERSON_SCHEMA, Resolve::default())
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[track_caller]
    fn holds(person: &Row, filters: &[&str]) {
        for text in filters {
            assert!(resolved(text).matches(person), "{text}");
        }
    }

    #[track_caller]
    fn fails(person: &Row, filters: &[&str]) {
        for text in filters {
            assert!(!resolved(text).matches(person), "{text}");
        }
    }

    fn anna() -> Row {
        person()
            .with("id", "a-1")
            .with("externalId", "Ext-1")
            .with("userName", "Anna.B@Example.com")
            .with("title", "Straße%_Ä")
            .with("active", false)
            .with("age", 42)
            .with("score", Value::Decimal(1.5))
            .with("name", Row::new(NAME).with("familyName", "Berg"))
            .with(
                "emails",
                vec![
                    email("anna@work.example", "work").with("primary", true),
                    email("a@home.example", "home"),
                ],
            )
            .with("zones", vec!["north", "South"])
    }

    /// P-3.4.2.2-05, -07, -08, -09, -25: RFC 7644 section 3.4.2.2.
    #[test]
    fn text_is_compared_by_the_rule_of_its_attribute() {
        holds(
            &anna(),
            &[
                r#"userName eq "ANNA.B@EXAMPLE.COM""#,
                r#"USERNAME SW "anna""#,
                r#"userName ew "EXAMPLE.com""#,
                r#"userName co ".b@""#,
                r#"userName sw "anna.b@example.com""#,
                r#"userName ew "anna.b@example.com""#,
                r#"title eq "STRASSE%_ä""#,
                r#"title co "%_""#,
                r#"externalId eq "Ext-1""#,
                r#"externalId co "xt-""#,
                r#"title co """#,
            ],
        );
        fails(
            &anna(),
            &[
                r#"externalId eq "ext-1""#,
                r#"externalId sw "ext""#,
                r#"title co "%x_""#,
                r#"userName sw "anna.b@example.com.""#,
                r#"userName ew "x.anna.b@example.com""#,
            ],
        );
    }

    /// P-3.4.2.2-11: text by code point after preparation, numbers by value.
    #[test]
    fn ordering_follows_the_type() {
        holds(
            &anna(),
            &[
                r#"userName gt "ANNA""#,
                r#"userName lt "b""#,
                r#"externalId lt "ext""#,
                "age gt 9",
                "age ge 42.0",
                "age lt 42.5",
                "score gt 1",
                "score le 1.50",
                "age eq 4.2e1",
                "age ne 42.00001",
            ],
        );
        fails(
            &anna(),
            &[
                "age gt 42",
                "age eq 42.5",
                "score eq 1",
                r#"userName ge "anna.c""#,
            ],
        );
    }

    /// P-3.4.2.2-27 and A-11: nothing is true of nothing, but for `ne` and `eq null`.
    #[test]
    fn an_unassigned_attribute_satisfies_only_negations() {
        let nobody = person();
        for attribute in [
            "userName",
            "externalId",
            "name.givenName",
            "emails.value",
            "emails",
            "zones",
            "manager",
        ] {
            for operator in ["eq", "co", "sw", "ew", "gt", "ge", "lt", "le"] {
                let text = format!("{attribute} {operator} \"\"");
                assert!(!resolved(&text).matches(&nobody), "{text}");
                assert!(resolved(&format!("not ({text})")).matches(&nobody), "not {text}");
            }
            holds(
                &nobody,
                &[&format!("{attribute} ne \"x\""), &format!("{attribute} eq null")],
            );
            fails(
                &nobody,
                &[&format!("{attribute} pr"), &format!("{attribute} ne null")],
            );
        }
        fails(
            &nobody,
            &[
                "active eq false",
                "active eq true",
                "age le 1",
                "score ge 1",
                "name pr",
                "meta pr",
            ],
        );
        holds(&nobody, &["active ne false", "age ne 1", "active eq null"]);
    }

    /// P-3.4.2.2-10: RFC 7644 table 3.
    #[test]
    fn empty_text_lists_and_sets_are_not_present() {
        let empty = person()
            .with("title", "")
            .with("zones", Vec::<&str>::new())
            .with("name", Row::new(NAME))
            .with("urn:example:2.0:Staff", Row::new(STAFF));
        fails(
            &empty,
            &[
                "title pr",
                "zones pr",
                "name pr",
                "name[not (familyName pr)]",
                "urn:example:2.0:Staff pr",
            ],
        );
        holds(
            &anna(),
            &[
                "active pr",
                "name pr",
                "emails pr",
                "emails.primary pr",
                "name.familyName ne null",
            ],
        );
        fails(
            &anna(),
            &[
                "name.givenName pr",
                "emails[primary eq true and type eq \"home\"]",
            ],
        );
    }

    /// P-3.4.2.2-15 and -20: any value, but one and the same in brackets. A-11: `ne` is the negation of `eq`.
    #[test]
    fn many_values() {
        holds(
            &anna(),
            &[
                r#"emails.type eq "home""#,
                r#"emails.type eq "work" and emails.value sw "a@home""#,
                r#"emails[type eq "work" and value co "@work"]"#,
                r#"emails co "@HOME""#,
                r#"zones eq "south""#,
                r#"zones[value eq "north"]"#,
                r#"zones ne "west""#,
                r#"emails[type ne "work"]"#,
                r#"emails[not (type eq "work")]"#,
                r#"name[familyName eq "berg"]"#,
            ],
        );
        fails(
            &anna(),
            &[
                r#"emails[type eq "work" and value sw "a@home"]"#,
                r#"emails.type ne "work""#,
                r#"zones ne "north""#,
                r#"not (emails[type eq "work"])"#,
                r#"name[familyName eq "berg" and givenName pr]"#,
            ],
        );
    }

    /// A-24: RFC 7643 section 2.4.
    #[test]
    fn primary_is_false_where_it_is_absent() {
        holds(
            &anna(),
            &[
                "emails.primary eq false",
                r#"emails[type eq "home" and primary eq false]"#,
            ],
        );
        fails(
            &anna(),
            &[
                r#"emails[type eq "work" and primary eq false]"#,
                r#"emails[type eq "home" and primary pr]"#,
            ],
        );
        fails(&person(), &["emails.primary eq false"]);
        holds(&person(), &["emails.primary ne false", "emails.primary ne true"]);
    }

    /// A-27: instants, whatever the offset; no offset is UTC.
    #[test]
    fn times_are_instants() {
        let modified = |text: &str| {
            let table = PERSON_SCHEMA.attributes[2].shape.sub_attributes;
            person().with("meta", Row::new(table).with("lastModified", time(text)))
        };
        let person = modified("2011-05-13T04:42:34.5Z");
        holds(
            &person,
            &[
                r#"meta.lastModified eq "2011-05-13T06:42:34.500+02:00""#,
                r#"meta.lastModified eq "2011-05-13T04:42:34.5""#,
                r#"meta.lastModified gt "2011-05-13T04:42:34Z""#,
                r#"meta.lastModified le "2011-05-13T04:42:34.5Z""#,
            ],
        );
        fails(&person, &[r#"meta.lastModified lt "2011-05-13T05:42:34+01:00""#]);
    }

    #[test]
    fn binary_is_compared_by_its_bytes() {
        let person = person().with("certificate", Value::Binary(Binary::new(*b"\xff\xfe\xfd")));
        holds(
            &person,
            &[
                r#"certificate eq "//79""#,
                "certificate pr",
                r#"certificate ne "AAAA""#,
            ],
        );
        fails(&person, &[r#"certificate eq "AAAA""#]);
    }

    /// S-2.4-06 (RFC 7643 section 2.4), and RFC 7644 table 3 on the URL that a client sees.
    #[test]
    fn a_reference_to_the_service_is_compared_as_it_is_seen() {
        let urls = BaseUrls::new("https://example.com/scim/v2").with_endpoints(&["/Users", "/Groups"]);
        let options = Resolve {
            base_urls: Some(&urls),
            ..Resolve::default()
        };
        let matches = |person: &Row, text: &str| {
            let filter: Filter = text.parse().unwrap();
            let filter = ResolvedFilter::resolve(&filter, &PERSON_SCHEMA, options).unwrap();
            filter.matches(person)
        };
        let ours = person().with("manager", Value::Relative("Users/2819".to_owned()));
        let theirs = person().with("manager", "https://elsewhere.example.com/Users/2819");
        for text in [
            r#"manager eq "https://example.com/scim/v2/Users/2819""#,
            r#"manager eq "https://example.com/scim/Users/2819""#,
            r#"manager eq "Users/2819""#,
            r#"manager eq "/scim/v2/Users/2819""#,
            r#"manager eq "../Users/2819""#,
            r#"manager ne "https://elsewhere.example.com/Users/2819""#,
            r#"manager sw "https://example.com/scim/v2/Users/""#,
            r#"manager sw "https://example.com/scim/v""#,
            r#"manager sw "https://example.com/scim/Users/2819""#,
            r#"manager co "/v2/Users/28""#,
            r#"manager ew "2/Users/2819""#,
            r#"manager ew "2819""#,
            r#"manager ge "https://example.com/scim/v1/Users/2819""#,
            r#"manager gt "https://example.com/scim/v2/Groups/1""#,
            r#"manager gt "Groups/1""#,
        ] {
            assert!(matches(&ours, text), "{text}");
        }
        for text in [
            r#"manager eq "2819""#,
            r#"manager eq "https://example.com/scim/v2/XUsers/2819""#,
            r#"manager eq "https://example.com/scim/v2/users/2819""#,
            r#"manager eq "https://elsewhere.example.com/scim/v2/Users/2819""#,
            r#"manager sw "Users/""#,
            r#"manager sw "https://example.com/scim/v2/Groups/""#,
            r#"manager eq """#,
            r#"manager gt "https://example.com/scim/v2/Users/2819""#,
        ] {
            assert!(!matches(&ours, text), "{text}");
        }
        assert!(matches(
            &theirs,
            r#"manager eq "https://elsewhere.example.com/Users/2819""#
        ));
        assert!(!matches(&theirs, r#"manager eq "Users/2819""#));
        // If nobody knows a base URL, the path is all there is to compare.
        holds(&ours, &[r#"manager eq "Users/2819""#, r#"manager sw "Users/""#]);
        fails(&ours, &[r#"manager eq "https://example.com/scim/v2/Users/2819""#]);
    }

    /// P-3.4.2.2-26: the schema of the resource, and the extensions it holds anything of.
    #[test]
    fn schemas_are_computed() {
        let staff = person().with(
            "urn:example:2.0:Staff",
            Row::new(STAFF).with("department", "Sales"),
        );
        for person in [&staff, &person()] {
            holds(
                person,
                &[
                    r#"schemas eq "URN:example:2.0:person""#,
                    "schemas pr",
                    r#"schemas sw "urn:""#,
                ],
            );
            fails(
                person,
                &[
                    r#"schemas eq "urn:example:2.0:Car""#,
                    r#"schemas ne "urn:example:2.0:Person""#,
                ],
            );
        }
        holds(
            &staff,
            &[
                r#"schemas eq "urn:example:2.0:staff""#,
                r#"schemas co "staff""#,
                "urn:example:2.0:Staff pr",
            ],
        );
        fails(
            &person(),
            &[r#"schemas eq "urn:example:2.0:Staff""#, r#"schemas co "staff""#],
        );
    }

    /// P-3.4.2.2-19.
    #[test]
    fn names_may_carry_their_schema() {
        let staff = Row::new(STAFF).with("department", "Sales").with(
            "badges",
            vec![Row::new(BADGE).with("number", 7).with("label", "x")],
        );
        let person = person()
            .with("title", "Boss")
            .with("urn:example:2.0:Staff", staff);
        holds(
            &person,
            &[
                r#"urn:example:2.0:person:TITLE eq "boss""#,
                r#"urn:example:2.0:Staff:department eq "sales""#,
                r#"urn:example:2.0:Staff:badges[number eq 7 and label eq "X"]"#,
                "urn:example:2.0:Staff:badges.number ge 7",
                r#"not (badges.label eq "x")"#,
            ],
        );
    }

    /// The filter of a PATCH path sees one element.
    #[test]
    fn elements_are_selected() {
        let emails = &PERSON_SCHEMA.attributes[11];
        let select = |text: &str| {
            let filter: Filter = text.parse().unwrap();
            ResolvedFilter::resolve_element(&filter, emails, Resolve::default()).unwrap()
        };
        let work = email("Anna@work.example", "work").with("primary", true);
        let filter = select(r#"type eq "WORK" and value eq "anna@work.example""#);
        assert!(Select::matches(&filter, &View::Complex(&work)));
        assert!(!Select::matches(&filter, &View::Complex(&Row::new(EMAIL))));
        let template = filter.template().unwrap();
        let told: Vec<_> = template
            .iter()
            .map(|(index, json)| (*index, json.text()))
            .collect();
        assert_eq!(
            told,
            [(1, r#""WORK""#), (0, r#""anna@work.example""#)],
            "as written, not as folded"
        );
        for silent in [
            r#"type eq "work" or value pr"#,
            r#"type ne "work""#,
            "type pr",
            r#"type sw "w""#,
        ] {
            assert!(select(silent).template().is_none(), "{silent}");
        }
        assert!(
            select(r#"type eq "a" and type eq "b""#).template().is_none(),
            "no element can be both"
        );
        let zones = ResolvedFilter::resolve_element(
            &r#"value eq "north""#.parse().unwrap(),
            &PERSON_SCHEMA.attributes[12],
            Resolve::default(),
        )
        .unwrap();
        assert!(Select::matches(&zones, &View::text("NORTH")));
    }

    #[test]
    fn evaluation_ends_when_the_answer_is_known() {
        let filter = resolved(r#"userName eq "nobody" and emails[value co "x"]"#);
        assert_eq!(filter.matches_counted(&anna()), (false, 2));
        let filter = resolved(r#"emails[type eq "work"]"#);
        assert_eq!(
            filter.matches_counted(&anna()),
            (true, 2),
            "the second element is not visited"
        );
    }

    /// The stack of a blocking thread of a server, and the deepest tree that the parser lets through.
    #[test]
    fn the_deepest_tree_is_evaluated_on_a_small_stack() {
        let work = || {
            let levels = 127;
            let text = format!(
                "{}userName pr{}",
                "not (title pr and (age pr or ".repeat(levels),
                "))".repeat(levels)
            );
            let limits = crate::Limits {
                filter_depth: 256,
                filter_nodes: 4_096,
                ..crate::Limits::default()
            };
            let filter = Filter::parse(&text, &limits).unwrap();
            let filter = ResolvedFilter::resolve(&filter, &PERSON_SCHEMA, Resolve::default()).unwrap();
            let titled = person().with("title", "x").with("userName", "x");
            assert!(!filter.matches(&titled), "an odd number of negations");
            assert!(filter.matches_counted(&titled).1 > 4 * levels as u64);
        };
        let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(work);
        thread.unwrap().join().unwrap();
    }
}
