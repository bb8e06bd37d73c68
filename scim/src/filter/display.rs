//! Filters as text: canonical case and spacing, and parentheses only where the tree needs them.

use std::fmt::{self, Display, Formatter, Write};

use super::{Comparison, Filter, Literal, Number, Operator, PathExpression, ValuePath};

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(all) => chain(f, " and ", all, |term| matches!(term, Self::And(_) | Self::Or(_))),
            Self::Or(any) => chain(f, " or ", any, |term| matches!(term, Self::Or(_))),
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::Present(attribute) => write!(f, "{attribute} pr"),
            Self::Compare(comparison) => comparison.fmt(f),
            Self::ValuePath(path) => path.fmt(f),
        }
    }
}

fn chain(
    f: &mut Formatter<'_>,
    separator: &str,
    terms: &[Filter],
    needs_parentheses: impl Fn(&Filter) -> bool,
) -> fmt::Result {
    for (position, term) in terms.iter().enumerate() {
        if position > 0 {
            f.write_str(separator)?;
        }
        if needs_parentheses(term) {
            write!(f, "({term})")?;
        } else {
            term.fmt(f)?;
        }
    }
    Ok(())
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.attribute, self.operator, self.value)
    }
}

impl Display for ValuePath {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.attribute, self.filter)
    }
}

impl Display for Operator {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Display for Number {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::String(text) => json_string(f, text),
        }
    }
}

fn json_string(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                f.write_char('\\')?;
                f.write_char(character)?;
            }
            control if control < ' ' => write!(f, "\\u{:04x}", u32::from(control))?,
            other => f.write_char(other)?,
        }
    }
    f.write_char('"')
}

impl Display for PathExpression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.attribute.fmt(f)?;
        if let Some(filter) = &self.filter {
            write!(f, "[{filter}]")?;
        }
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Limits;
    use crate::path::AttributeName;

    fn word() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-zA-Z][a-zA-Z0-9_$-]{0,6}",
            "\\$[a-z]{1,4}",
            prop::sample::select(vec!["and", "or", "not", "pr", "eq", "null", "true"]).prop_map(String::from),
        ]
    }

    fn name() -> impl Strategy<Value = AttributeName> {
        let urn = prop::option::of("urn:[a-z]{1,4}(:[a-zA-Z0-9.]{1,5}){1,3}");
        (urn, word(), prop::option::of(word())).prop_map(|(urn, name, sub)| AttributeName { urn, name, sub })
    }

    fn bare_name() -> impl Strategy<Value = AttributeName> {
        word().prop_map(AttributeName::new)
    }

    fn literal() -> impl Strategy<Value = Literal> {
        prop_oneof![
            Just(Literal::Null),
            any::<bool>().prop_map(Literal::from),
            any::<i64>().prop_map(Literal::from),
            any::<f64>().prop_filter_map("finite", |value| Number::from_f64(value).map(Literal::from)),
            "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?"
                .prop_map(|text| Literal::Number(Number::from_json(&text))),
            any::<String>().prop_map(Literal::from),
            "[\"\\\\\u{0}-\u{1f}a😀]{0,8}".prop_map(Literal::from),
        ]
    }

    fn expression(
        name: impl Strategy<Value = AttributeName> + Clone + 'static,
    ) -> impl Strategy<Value = Filter> {
        prop_oneof![
            name.clone().prop_map(Filter::Present),
            (name, prop::sample::select(Operator::ALL.to_vec()), literal())
                .prop_map(|(name, operator, value)| Filter::compare(name, operator, value)),
        ]
    }

    fn combined(leaf: impl Strategy<Value = Filter> + 'static) -> impl Strategy<Value = Filter> {
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::And),
                prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::Or),
                inner.prop_map(Filter::negate),
            ]
        })
    }

    fn bracketed() -> BoxedStrategy<Filter> {
        combined(expression(bare_name().boxed())).boxed()
    }

    fn value_path() -> impl Strategy<Value = Filter> {
        (name(), bracketed())
            .prop_map(|(name, filter)| Filter::value_path(AttributeName { sub: None, ..name }, filter))
    }

    fn filter() -> impl Strategy<Value = Filter> {
        combined(prop_oneof![3 => expression(name().boxed()), 1 => value_path()])
    }

    fn path() -> impl Strategy<Value = PathExpression> {
        prop_oneof![
            name().prop_map(PathExpression::from),
            "urn:[a-z]{1,4}(:[a-zA-Z0-9.]{1,5}){1,2}:[0-9]\\.[0-9]"
                .prop_map(|urn| { PathExpression::from(AttributeName::new("").with_urn(urn)) }),
            (name(), bracketed(), prop::option::of(word())).prop_map(|(name, filter, sub)| PathExpression {
                attribute: AttributeName { sub: None, ..name },
                filter: Some(filter),
                sub,
            }),
        ]
    }

    fn boundless() -> Limits {
        Limits {
            filter_bytes: usize::MAX,
            filter_nodes: usize::MAX,
            ..Limits::default()
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_back_to_the_same_tree(filter in filter()) {
            let text = filter.to_string();
            let parsed = Filter::parse(&text, &boundless()).map_err(|error| error.to_string());
            // Names are compared ignoring case, so the text is compared too.
            prop_assert_eq!(parsed.as_ref().map(ToString::to_string), Ok(text));
            prop_assert_eq!(parsed, Ok(filter));
        }

        #[test]
        fn a_printed_path_parses_back_to_the_same_path(path in path()) {
            let text = path.to_string();
            let parsed = PathExpression::parse(&text, &boundless()).map_err(|error| error.to_string());
            prop_assert_eq!(parsed.as_ref().map(ToString::to_string), Ok(text));
            prop_assert_eq!(parsed, Ok(path));
        }

        #[test]
        fn no_text_makes_a_parser_panic(text in any::<String>()) {
            let _ = text.parse::<Filter>();
            let _ = text.parse::<PathExpression>();
            let _ = text.parse::<AttributeName>();
        }

        /// Texts of the right alphabet get deeper into the parser, and what is read must print and parse back.
        #[test]
        fn whatever_is_read_can_be_printed_and_read_again(
            words in prop::collection::vec(prop::sample::select(vec![
                "a", "emails", "not", "(", ")", "[", "]", " ", " and ", " or ", " pr", " eq ", "\"x\"", "\"\\u00", "\\",
                "\"", ".", ":", "urn:a:b:", "1", "-0.5e1", "true", "é", "😀", "a pr", "b eq 1",
            ]), 0..12)
        ) {
            let text = words.concat();
            if let Ok(filter) = text.parse::<Filter>() {
                let printed = filter.to_string();
                prop_assert_eq!(printed.parse::<Filter>().ok(), Some(filter), "{} -> {}", text, printed);
            }
            if let Ok(path) = text.parse::<PathExpression>() {
                let printed = path.to_string();
                prop_assert_eq!(printed.parse::<PathExpression>().ok(), Some(path), "{} -> {}", text, printed);
            }
        }
    }

    #[test]
    fn parentheses_stand_only_where_the_tree_needs_them() {
        for (written, printed) in [
            ("((a pr) and (b pr)) or (c pr)", "a pr and b pr or c pr"),
            (
                "(a pr or b pr) and (c pr and d pr)",
                "(a pr or b pr) and (c pr and d pr)",
            ),
            ("a pr or (b pr or c pr)", "a pr or (b pr or c pr)"),
            ("NOT((a pr or b pr))", "not (a pr or b pr)"),
            ("not (not (a pr)) and b pr", "not (not (a pr)) and b pr"),
            ("A[(b pr)]", "A[b pr]"),
        ] {
            assert_eq!(
                written
                    .parse::<Filter>()
                    .map(|filter| filter.to_string())
                    .ok()
                    .as_deref(),
                Some(printed)
            );
        }
    }
}
