//! Conditional requests (RFC 7644 section 3.14, RFC 9110 section 13).

use http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};

use crate::error::{Error, Result};
use crate::store::{Precondition, Version};

/// The demands of the headers.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    Any,
    These(Vec<Version>),
}

impl Conditions {
    /// Reads the headers.
    ///
    /// # Errors
    /// 400 for a header that is not a list of entity tags: ignoring it would lose the update that it guards.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self> {
        Ok(Self {
            if_match: tags(headers, &IF_MATCH)?,
            if_none_match: tags(headers, &IF_NONE_MATCH)?,
        })
    }

    /// Returns the precondition of a write. Both headers count, If-Match first (RFC 9110 section 13.2.2).
    pub(super) fn for_write(&self) -> Precondition {
        match (&self.if_match, &self.if_none_match) {
            (_, Some(Tags::Any)) => Precondition::IfNoneMatchAny,
            (Some(Tags::These(wanted)), Some(Tags::These(unwanted))) => Precondition::IfMatch(
                wanted
                    .iter()
                    .filter(|version| !unwanted.contains(version))
                    .cloned()
                    .collect(),
            ),
            (Some(Tags::These(wanted)), None) => Precondition::IfMatch(wanted.clone()),
            (_, Some(Tags::These(unwanted))) => Precondition::IfNoneMatch(unwanted.clone()),
            (Some(Tags::Any), None) => Precondition::Any,
            (None, None) => Precondition::None,
        }
    }

    /// Returns the precondition of a read for the store. `never_fresh` leaves out what could be answered 304.
    pub(super) fn for_read(&self, never_fresh: bool) -> Precondition {
        match (&self.if_match, &self.if_none_match) {
            (Some(Tags::These(wanted)), _) => Precondition::IfMatch(wanted.clone()),
            (_, Some(_)) if never_fresh => Precondition::None,
            (_, Some(Tags::These(known))) => Precondition::IfNoneMatch(known.clone()),
            (_, Some(Tags::Any)) => Precondition::IfNoneMatchAny,
            (Some(Tags::Any), None) => Precondition::Any,
            (None, None) => Precondition::None,
        }
    }

    /// Returns whether If-None-Match is still to be checked on what a read has found: If-Match went first.
    pub(super) fn is_known(&self, version: &Version) -> bool {
        match &self.if_none_match {
            Some(Tags::Any) => true,
            Some(Tags::These(known)) => known.contains(version),
            None => false,
        }
    }
}

fn tags(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Tags>> {
    let mut versions = Vec::new();
    let mut any = false;
    for value in headers.get_all(name) {
        let malformed = || {
            let name = if *name == IF_MATCH {
                "If-Match"
            } else {
                "If-None-Match"
            };
            Error::new(
                StatusCode::BAD_REQUEST,
                format!("The header {name} must be a list of entity tags such as W/\"3\", or an asterisk."),
            )
        };
        let text = value.to_str().map_err(|_| malformed())?.trim();
        if text == "*" {
            any = true;
        } else {
            list(text, &mut versions).ok_or_else(malformed)?;
        }
    }
    Ok(if any {
        Some(Tags::Any)
    } else {
        headers.contains_key(name).then_some(Tags::These(versions))
    })
}

/// Appends the entity tags between commas to `versions` (RFC 9110 section 8.8.3). A comma may be part of a tag.
fn list(mut text: &str, versions: &mut Vec<Version>) -> Option<()> {
    let before = versions.len();
    loop {
        text = text.trim_start_matches([' ', '\t', ',']);
        if text.is_empty() {
            return (versions.len() > before).then_some(());
        }
        let opaque = text
            .strip_prefix("W/")
            .or_else(|| text.strip_prefix("w/"))
            .unwrap_or(text);
        let (tag, rest) = opaque.strip_prefix('"')?.split_once('"')?;
        if !rest.trim_start().is_empty() && !rest.trim_start().starts_with(',') {
            return None;
        }
        versions.push(Version::new(tag));
        text = rest;
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn conditions(pairs: &[(HeaderName, &'static str)]) -> Result<Conditions> {
        let headers = pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        Conditions::of(&headers.collect())
    }

    fn versions(texts: &[&str]) -> Vec<Version> {
        texts.iter().map(|text| Version::new(*text)).collect()
    }

    /// H-3.1-02 and H-3.2-01 (RFC 9110 section 13.1), A-10.
    #[test]
    fn lists_of_weak_and_strong_tags() {
        let conditions = conditions(&[(IF_MATCH, r#"W/"3", "4,5" ,w/"6""#)]).unwrap();
        assert_eq!(
            conditions.for_write(),
            Precondition::IfMatch(versions(&["3", "4,5", "6"]))
        );
    }

    #[test]
    fn a_malformed_header_is_400() {
        for text in ["3", "W/3", "\"3", "\"3\" \"4\"", "*, \"3\"", "", ","] {
            for name in [IF_MATCH, IF_NONE_MATCH] {
                assert_eq!(conditions(&[(name, text)]).unwrap_err().status(), 400, "{text:?}");
            }
        }
    }

    /// H-6-01 (RFC 9110 section 13.2.2).
    #[test]
    fn if_match_goes_before_if_none_match() {
        let both = conditions(&[(IF_MATCH, r#""1", "2""#), (IF_NONE_MATCH, r#""2""#)]).unwrap();
        assert_eq!(both.for_read(false), Precondition::IfMatch(versions(&["1", "2"])));
        assert!(both.is_known(&Version::new("2")) && !both.is_known(&Version::new("1")));
        assert_eq!(both.for_write(), Precondition::IfMatch(versions(&["1"])));
        let refused = conditions(&[(IF_MATCH, "*"), (IF_NONE_MATCH, "*")]).unwrap();
        assert_eq!(refused.for_write(), Precondition::IfNoneMatchAny);
    }

    #[test]
    fn an_answer_that_is_never_fresh_is_not_asked_for_freshness() {
        let known = conditions(&[(IF_NONE_MATCH, r#""2""#)]).unwrap();
        assert_eq!(known.for_read(true), Precondition::None);
        let stale = conditions(&[(IF_MATCH, r#""1""#), (IF_NONE_MATCH, r#""2""#)]).unwrap();
        assert_eq!(stale.for_read(true), Precondition::IfMatch(versions(&["1"])));
    }
}
