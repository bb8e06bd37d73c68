//! The path of a PATCH operation (RFC 7644 section 3.5.2, figure 7, with erratum 7122).
//!
//! ```text
//! path = attr-path / value-path [ "." attr-name ] / attr-exp / urn
//! ```

use std::str::FromStr;

use super::Filter;
use super::parse::{Parser, Syntax, check_length, operator, word};
use crate::error::{Error, Result, ScimType};
use crate::limits::Limits;
use crate::path::AttributeName;
use crate::path::fault::Fault;
use crate::path::parse::{Parts, attribute_or_schema, sub_attribute};

/// The path of a PATCH operation as written, before any schema has been asked.
///
/// `name.givenName` is a sub-attribute of `attribute`; only what follows brackets is in `sub`. Whether a URN alone
/// means an extension's container is for the schema to say: see [`AttributeName::names_schema`]. The form
/// `members eq "x"` of erratum 7122 reads as `members[value eq "x"]`, and `emails.type eq "x"` as `emails[type eq "x"]`.
///
/// ```
/// use scim::{Limits, filter::PathExpression};
///
/// let path = PathExpression::parse(r#"emails[type eq "work"].value"#, &Limits::default())?;
/// assert_eq!(path.attribute.name, "emails");
/// assert_eq!(path.filter.map(|filter| filter.to_string()).as_deref(), Some(r#"type eq "work""#));
/// assert_eq!(path.sub.as_deref(), Some("value"));
/// # Ok::<(), scim::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PathExpression {
    /// The attribute.
    pub attribute: AttributeName,
    /// Which of its elements are meant. The names in it are bare sub-attributes.
    pub filter: Option<Filter>,
    /// The sub-attribute of those elements, behind the brackets.
    pub sub: Option<String>,
}

impl PathExpression {
    /// Parses a path.
    ///
    /// # Errors
    /// 400 `invalidPath` for a broken path and 400 `invalidFilter` for a broken filter in its brackets, with the byte
    /// position, what was found there and what was expected, or with the limit that the path exceeds.
    pub fn parse(text: &str, limits: &Limits) -> Result<Self> {
        Self::parse_with(text, limits, Syntax::default()).map(|(path, _)| path)
    }

    /// Parses a path whose filter may depart from the grammar, and returns with it the departures that it needed.
    ///
    /// A missing space before a string, `members[value eq"2819c223"]`, is always read and is not reported: RFC 7644 section
    /// 3.5.2.2 prints such paths.
    ///
    /// # Errors
    /// As [`PathExpression::parse`].
    pub fn parse_with(text: &str, limits: &Limits, syntax: Syntax) -> Result<(Self, Syntax)> {
        let syntax = Syntax {
            missing_spaces: true,
            ..syntax
        };
        let reported = |departures: Syntax| Syntax {
            missing_spaces: false,
            ..departures
        };
        check_length("Path", text, limits, ScimType::InvalidPath)?;
        let path = |fault: Fault<'_>| fault.into_error("Path", text, ScimType::InvalidPath);
        let filter = |fault: Fault<'_>| fault.into_error("Path", text, ScimType::InvalidFilter);

        let (rest, name) = attribute_or_schema(text).map_err(|fault| path(fault.into()))?;
        if rest.is_empty() {
            return Ok((Self::of(name.to_name()), Syntax::default()));
        }
        if let Some(inner) = rest
            .strip_prefix('[')
            // Behind a URN a dot may stand in the place of the colon: that is for the schema to say.
            .filter(|_| (name.sub.is_none() || name.urn.is_some()) && !name.name.is_empty())
        {
            let parser = Parser::new(inner, limits, syntax);
            let (rest, condition, departures) = parser.bracketed().map_err(filter)?;
            let sub = behind_brackets(rest).map_err(path)?;
            let path = Self {
                filter: Some(condition),
                sub: sub.map(str::to_owned),
                ..Self::of(name.to_name())
            };
            return Ok((path, reported(departures)));
        }
        if is_expression(name, rest) {
            let sub = name.sub.unwrap_or("value");
            let parser = Parser::new(rest, limits, syntax);
            let (condition, departures) = parser.comparison_of(sub).map_err(filter)?;
            let path = Self {
                filter: Some(condition),
                ..Self::of(Parts { sub: None, ..name }.to_name())
            };
            return Ok((path, reported(departures)));
        }
        Err(path(Fault::expected(
            rest,
            "the end of the path, or a filter in brackets",
        )))
    }

    /// Makes the path of a whole attribute.
    fn of(attribute: AttributeName) -> Self {
        Self {
            attribute,
            filter: None,
            sub: None,
        }
    }

    /// Returns the sub-attribute that the path ends with, whether brackets precede it or not.
    #[must_use]
    pub fn sub_attribute(&self) -> Option<&str> {
        self.sub.as_deref().or(self.attribute.sub.as_deref())
    }
}

/// Reads what may follow the closing bracket: nothing, or a dot and a sub-attribute.
fn behind_brackets(rest: &str) -> Result<Option<&str>, Fault<'_>> {
    const END: &str = "the end of the path";
    if rest.is_empty() {
        return Ok(None);
    }
    let Some(rest) = rest.strip_prefix('.') else {
        return Err(Fault::expected(
            rest,
            "the end of the path, or a dot and a sub-attribute",
        ));
    };
    match sub_attribute(rest)? {
        ("", sub) => Ok(Some(sub)),
        (rest, _) => Err(Fault::expected(rest, END)),
    }
}

/// Returns whether an operator follows the name, so that the path is an `attr-exp`.
fn is_expression(name: Parts<'_>, rest: &str) -> bool {
    let behind = rest.trim_start_matches([' ', '\t']);
    let word = word(behind).map_or("", |(_, word)| word);
    !name.name.is_empty()
        && behind.len() < rest.len()
        && (operator(word).is_some() || word.eq_ignore_ascii_case("pr"))
}

impl From<AttributeName> for PathExpression {
    fn from(attribute: AttributeName) -> Self {
        Self::of(attribute)
    }
}

impl FromStr for PathExpression {
    type Err = Error;

    /// Calls [`PathExpression::parse`] with the default limits.
    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text, &Limits::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> PathExpression {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn the_forms_of_figure_7_are_read() {
        let path = parsed("userName");
        assert_eq!(
            (path.attribute.to_string().as_str(), path.sub_attribute()),
            ("userName", None)
        );
        let path = parsed("name.familyName");
        assert_eq!(
            (path.attribute.to_string().as_str(), path.sub_attribute()),
            ("name.familyName", Some("familyName"))
        );
        let path = parsed("addresses[type eq \"work\"]");
        assert_eq!(
            (path.filter.map(|filter| filter.to_string()), path.sub),
            (Some("type eq \"work\"".into()), None)
        );
        let printed = "members[value eq\"2819c223\"].displayName";
        let path = parsed(printed);
        let (_, departures) =
            PathExpression::parse_with(printed, &Limits::default(), Syntax::default()).unwrap();
        assert_eq!(departures, Syntax::default());
        assert_eq!(path.sub_attribute(), Some("displayName"));
        let path = parsed("urn:example:2.0:User:emails[type eq \"work\" or not(primary eq true)].value");
        assert_eq!(
            path.attribute,
            AttributeName::new("emails").with_urn("urn:example:2.0:User")
        );
        assert_eq!(
            path.to_string(),
            "urn:example:2.0:User:emails[type eq \"work\" or not (primary eq true)].value"
        );
    }

    #[test]
    fn a_urn_alone_is_kept_as_written() {
        for urn in [
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            "urn:example:hr:1.0",
            "urn:x:y.z",
        ] {
            let path = parsed(urn);
            assert!(path.attribute.names_schema(urn) && path.filter.is_none(), "{urn}");
            assert_eq!(path.to_string(), urn);
        }
        assert_eq!(parsed("urn:example:hr:1.0").attribute.name, "");
    }

    /// Erratum 7122.
    #[test]
    fn an_expression_selects_elements_by_their_value() {
        assert_eq!(parsed("members eq \"x\""), parsed("members[value eq \"x\"]"));
        assert_eq!(parsed("emails.type EQ \"x\" "), parsed("emails[type eq \"x\"]"));
        assert_eq!(parsed("schemas  pr"), parsed("schemas[value pr]"));
        assert_eq!(parsed("urn:a:b:c eq 1"), parsed("urn:a:b:c[value eq 1]"));
    }

    #[test]
    fn an_error_blames_the_path_or_the_filter_in_it() {
        use ScimType::{InvalidFilter, InvalidPath};
        for (text, scim_type, message) in [
            (
                "",
                InvalidPath,
                "Path: at byte 0 found the end, expected an attribute name.",
            ),
            (
                "a..b",
                InvalidPath,
                "Path: at byte 2 found \".b\", expected the name of a sub-attribute.",
            ),
            (
                "a b",
                InvalidPath,
                "Path: at byte 1 found a space, expected the end of the path, or a filter in brackets.",
            ),
            (
                "a[b pr]x",
                InvalidPath,
                "Path: at byte 7 found \"x\", expected the end of the path, or a dot and a sub-attribute.",
            ),
            (
                "a[b pr].c.d",
                InvalidPath,
                "Path: at byte 9 found \".d\", expected the end of the path.",
            ),
            (
                "a[b pr].c pr",
                InvalidPath,
                "Path: at byte 9 found a space, expected the end of the path.",
            ),
            (
                "a.b[c pr]",
                InvalidPath,
                "Path: at byte 3 found \"[\", expected the end of the path, or a filter in brackets.",
            ),
            (
                "urn:a:1[c pr]",
                InvalidPath,
                "Path: at byte 7 found \"[\", expected the end of the path, or a filter in brackets.",
            ),
            (
                "a[]",
                InvalidFilter,
                "Path: at byte 2 found \"]\", expected an attribute name.",
            ),
            (
                "a[b.c pr]",
                InvalidFilter,
                "Path: at byte 2 found \"b.c\", expected the bare name of a sub-attribute, as in every pair of brackets.",
            ),
            (
                "a[b[c pr]]",
                InvalidFilter,
                "Path: at byte 3 found \"[\", expected an operator: brackets do not nest.",
            ),
            (
                "a[b pr",
                InvalidFilter,
                "Path: at byte 6 found the end, expected \" and \", \" or \" or \"]\".",
            ),
            (
                "a eq",
                InvalidFilter,
                "Path: at byte 4 found the end, expected a value (a string in double quotes, a number, true, false or null).",
            ),
            (
                "a eq 1 and b pr",
                InvalidFilter,
                "Path: at byte 7 found \"and\", expected the end of the path.",
            ),
        ] {
            let error = text.parse::<PathExpression>().expect_err(text);
            assert_eq!(
                (error.to_string().as_str(), error.scim_type()),
                (message, Some(scim_type)),
                "{text}"
            );
        }
    }

    #[test]
    fn the_limits_of_filters_hold_in_paths() {
        let limits = Limits {
            filter_bytes: usize::MAX,
            ..Limits::default()
        };
        let deep = format!("a[{}", "not (".repeat(100_000));
        let error = PathExpression::parse(&deep, &limits).expect_err("too deep");
        assert_eq!(error.scim_type(), Some(ScimType::InvalidFilter));
        assert!(error.to_string().contains("the limit of 64 levels"), "{error}");
        let error = PathExpression::parse(&"a".repeat(20_000), &Limits::default()).expect_err("too long");
        assert_eq!(error.scim_type(), Some(ScimType::InvalidPath));
        assert_eq!(
            error.to_string(),
            "Path: its 20000 bytes go beyond the limit of 16384 bytes (filter_bytes)."
        );
    }

    #[test]
    fn unquoted_strings_are_read_only_on_request() {
        let syntax = Syntax {
            unquoted_strings: true,
            ..Syntax::default()
        };
        let path = PathExpression::parse_with("members[value eq 2819c223]", &Limits::default(), syntax);
        let meant = parsed("members[value eq \"2819c223\"]");
        assert_eq!(path.ok(), Some((meant, syntax)));
        assert!("members[value eq 2819c223]".parse::<PathExpression>().is_err());
    }
}
