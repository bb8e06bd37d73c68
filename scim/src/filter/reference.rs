//! The meaning of a comparison of complete URLs for the paths below the base URL.
//!
//! A reference to a resource of the service is kept as its path, and clients see it behind the base URL of their
//! request. The base is the same for all of them, so that a comparison of URLs can be reduced, once, to comparisons of
//! paths, which an index can answer.

use std::cmp::Ordering;

use super::evaluate::text_satisfies;
use super::{Operator, Resolve};
use crate::fold::Fold;
use crate::schema::Attribute;

/// The operand of a comparison of references.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceOperand {
    /// The key of the operand, for references to elsewhere, which are kept as complete texts: `fold.key(text)`.
    pub key: Box<str>,
    /// How the attribute makes its keys.
    pub fold: Fold,
    /// The same comparison for references to resources of the service, which are kept as paths below the base URL.
    pub paths: PathTest,
}

/// Which paths below the base URL satisfy a comparison of complete URLs.
#[derive(Debug, Clone, PartialEq)]
pub enum PathTest {
    /// Every path.
    All,
    /// The paths of which one of these comparisons to a key is true; none if there are none.
    Any(Vec<(Operator, Box<str>)>),
}

impl ReferenceOperand {
    pub(super) fn new(attribute: &Attribute, operator: Operator, text: &str, options: &Resolve<'_>) -> Self {
        let fold = attribute.fold();
        let paths = match options.base_urls {
            None => PathTest::reduced(operator, "", &fold.key(text)),
            Some(urls) => {
                let url = match operator {
                    Operator::Co | Operator::Sw | Operator::Ew => urls.shown_part(text),
                    _ => urls.shown_url(text),
                };
                PathTest::reduced(operator, &fold.key(&urls.url_of("")), &fold.key(&url))
            }
        };
        Self {
            key: fold.key(text).into(),
            fold,
            paths,
        }
    }
}

impl PathTest {
    /// Returns the one path that satisfies it, if there is one and the comparison asks for nothing else.
    pub(crate) fn one_path(&self) -> Option<&str> {
        match self {
            Self::Any(any) => match any.as_slice() {
                [(Operator::Eq, path)] => Some(path),
                _ => None,
            },
            Self::All => None,
        }
    }

    /// Returns whether a path satisfies it.
    pub(super) fn accepts(&self, path: &str, fold: Fold) -> bool {
        match self {
            Self::All => true,
            Self::Any(any) => any
                .iter()
                .any(|(operator, key)| text_satisfies(path, *operator, key, fold)),
        }
    }

    /// Makes the test that is true of a path if and only if the comparison is true of `base` and the path behind it.
    fn reduced(operator: Operator, base: &str, operand: &str) -> Self {
        let behind_base = operand.strip_prefix(base);
        let one = |operator, key: &str| Self::Any(vec![(operator, key.into())]);
        match operator {
            Operator::Ne => behind_base.map_or(Self::All, |path| one(operator, path)),
            Operator::Sw if base.starts_with(operand) => Self::All,
            Operator::Eq | Operator::Sw => {
                behind_base.map_or(Self::Any(Vec::new()), |path| one(operator, path))
            }
            Operator::Co if base.contains(operand) => Self::All,
            Operator::Co => Self::across(operator, Operator::Sw, base, operand),
            Operator::Ew => Self::across(operator, Operator::Eq, base, operand),
            Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le => match behind_base {
                Some(path) => one(operator, path),
                None => Self::by_base(operator, base.cmp(operand)),
            },
        }
    }

    /// Makes the test for an operand that stands in the path, or begins in the base: then the path has to go on with
    /// the rest of it.
    fn across(operator: Operator, rest_operator: Operator, base: &str, operand: &str) -> Self {
        let rests = operand
            .char_indices()
            .map(|(at, _)| at)
            .skip(1)
            .chain([operand.len()])
            .filter_map(|at| operand.split_at_checked(at))
            .filter(|(start, _)| base.ends_with(start))
            .map(|(_, rest)| (rest_operator, rest.into()));
        Self::Any([(operator, operand.into())].into_iter().chain(rests).collect())
    }

    /// Decides by the base. Base and operand differ before the path begins, or the operand ends there: no path changes
    /// the order.
    fn by_base(operator: Operator, base: Ordering) -> Self {
        let greater = matches!(operator, Operator::Gt | Operator::Ge);
        match base.is_gt() == greater {
            true => Self::All,
            false => Self::Any(Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OPERATORS: [Operator; 9] = [
        Operator::Eq,
        Operator::Ne,
        Operator::Co,
        Operator::Sw,
        Operator::Ew,
        Operator::Gt,
        Operator::Ge,
        Operator::Lt,
        Operator::Le,
    ];

    /// Compares by RFC 7644 table 3, word for word.
    fn naive(value: &str, operator: Operator, operand: &str) -> bool {
        match operator {
            Operator::Eq => value == operand,
            Operator::Ne => value != operand,
            Operator::Co => value.contains(operand),
            Operator::Sw => value.starts_with(operand),
            Operator::Ew => value.ends_with(operand),
            Operator::Gt => value > operand,
            Operator::Ge => value >= operand,
            Operator::Lt => value < operand,
            Operator::Le => value <= operand,
        }
    }

    /// Makes texts of few letters, which share parts more often than not.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof![4 => "[ab/]{0,6}", 1 => "[aé日/]{0,4}"]
    }

    fn operand() -> impl Strategy<Value = (String, String, String)> {
        (text(), text(), any::<[prop::sample::Index; 2]>(), "[ab/~]{0,1}").prop_map(
            |(base, path, ends, more)| {
                // Mostly a part of what is seen, or one that goes on in another way.
                let seen: Vec<char> = format!("{base}{path}").chars().collect();
                let [start, end] = ends.map(|end| end.index(seen.len() + 1));
                let part: String = seen
                    .get(start.min(end)..start.max(end))
                    .unwrap_or_default()
                    .iter()
                    .collect();
                (base, path, part + &more)
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_096, ..ProptestConfig::default() })]

        /// P-3.4.2.2-05 to -11 (RFC 7644 section 3.4.2.2): the reduced comparison says what the whole one says.
        #[test]
        fn paths_are_compared_as_the_urls_that_are_seen((base, path, operand) in operand()) {
            for operator in OPERATORS {
                let test = PathTest::reduced(operator, &base, &operand);
                let expected = naive(&format!("{base}{path}"), operator, &operand);
                prop_assert_eq!(test.accepts(&path, Fold::Exact), expected, "{:?} {}: {:?}", operator, operand, test);
            }
        }
    }
}
