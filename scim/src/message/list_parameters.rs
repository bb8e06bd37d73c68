//! The parameters that a client may give for a list, in a URL or in the body of a search (RFC 7644 sections 3.4.2 and
//! 3.4.3).

use std::num::IntErrorKind;

use crate::error::{Error, Result, quoted};
use crate::limits::{Limits, exceeded};
use crate::schema::{Shape, Type};
use crate::sort::SortOrder as Order;
use crate::value::json::Kind;
use crate::value::{Cx, Json, check_message};

/// The parameters of a query, of a search, and (the two lists) of every other request that is answered with a resource.
///
/// Filters and names are kept as they were written; what they mean depends on the resource type.
///
/// ```
/// use scim::{Limits, message::ListParameters};
///
/// let parameters = ListParameters::parse_query("filter=active+eq+true&startIndex=0&count=5", &Limits::default())?;
/// assert_eq!(parameters.filter.as_deref(), Some("active eq true"));
/// assert_eq!((parameters.start_index, parameters.count), (1, Some(5)));
/// # Ok::<(), scim::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListParameters {
    /// Which resources.
    pub filter: Option<String>,
    /// By which attribute they are sorted.
    pub sort_by: Option<String>,
    /// In which direction.
    pub sort_order: Order,
    /// The first resource of the page, counted from 1, at most 2^63-1: an answer repeats it, and clients read it as a
    /// signed number of 64 bits. A greater number counts as that, as one below 1 counts as 1.
    pub start_index: u64,
    /// How many resources at most; 0 asks for the total alone.
    pub count: Option<usize>,
    /// The attributes to show. An item may be a list separated by commas.
    pub attributes: Vec<String>,
    /// The attributes not to show. An item may be a list separated by commas.
    pub excluded_attributes: Vec<String>,
}

impl Default for ListParameters {
    fn default() -> Self {
        Self {
            filter: None,
            sort_by: None,
            sort_order: Order::Ascending,
            start_index: 1,
            count: None,
            attributes: Vec::new(),
            excluded_attributes: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parameter {
    Filter,
    SortBy,
    SortOrder,
    StartIndex,
    Count,
    Attributes,
    ExcludedAttributes,
}

use Parameter::{Attributes, Count, ExcludedAttributes, Filter, SortBy, SortOrder, StartIndex};

impl Parameter {
    const ALL: [Self; 7] = [
        Filter,
        SortBy,
        SortOrder,
        StartIndex,
        Count,
        Attributes,
        ExcludedAttributes,
    ];

    const fn name(self) -> &'static str {
        match self {
            Filter => "filter",
            SortBy => "sortBy",
            SortOrder => "sortOrder",
            StartIndex => "startIndex",
            Count => "count",
            Attributes => "attributes",
            ExcludedAttributes => "excludedAttributes",
        }
    }

    fn find(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|parameter| parameter.name().eq_ignore_ascii_case(name))
    }

    fn refuse(self, why: &str) -> Error {
        Error::invalid_value(format!("The parameter {} {why}.", self.name()))
    }

    fn wrong_type(self, want: &str, json: Json<'_>) -> Error {
        self.refuse(&format!("must be {want}, but is {}", json.describe()))
    }

    const fn is_list(self) -> bool {
        matches!(self, Attributes | ExcludedAttributes)
    }
}

impl ListParameters {
    /// Reads the query string of a URL, without its question mark: form encoded, so that `+` is a space.
    ///
    /// Names are compared without regard to case, unknown ones are ignored. Both lists of attributes may be given
    /// piece by piece; any other parameter only once, because no rule says which of two would count.
    ///
    /// # Errors
    /// 414 if the string is longer than [`Limits::query_bytes`]; 400 `invalidValue` if a parameter is given twice, is no
    /// UTF-8, or is not a number or a sort order where it must be one; 400 `invalidPath` for an empty `sortBy`.
    pub fn parse_query(query: &str, limits: &Limits) -> Result<Self> {
        if query.len() > limits.query_bytes {
            return Err(exceeded::query_bytes(limits.query_bytes, Some(query.len())));
        }
        let mut parameters = Self::default();
        let mut seen = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let Some(parameter) = Parameter::find(&name) else {
                continue;
            };
            if value.contains(char::REPLACEMENT_CHARACTER) && !writes_replacement_character(query) {
                return Err(parameter.refuse("is not UTF-8"));
            }
            if seen.contains(&parameter) && !parameter.is_list() {
                return Err(parameter.refuse("is given twice"));
            }
            seen.push(parameter);
            parameters.set(parameter, &value)?;
        }
        Ok(parameters)
    }

    /// Reads the body of a search by POST. Names are compared without regard to case, unknown ones are ignored.
    ///
    /// # Errors
    /// 400 `invalidSyntax` if the body is not an object or not a search request (a tolerance reads other `schemas`, and
    /// none), 400 `invalidValue` if a parameter is of the wrong type, and those of [`parse_query`](Self::parse_query).
    pub fn decode_search(json: Json<'_>, cx: &mut Cx<'_>) -> Result<Self> {
        if !json.is_object() {
            return Err(Error::invalid_syntax(format!(
                "The body of a search must be a JSON object, but is {}.",
                json.describe_shape()
            )));
        }
        check_message(json.get("schemas"), super::SEARCH_REQUEST, cx)?;
        let mut parameters = Self::default();
        for (name, value) in json.members() {
            let Some(parameter) = Parameter::find(&name) else {
                continue;
            };
            if value.is_null() {
                continue;
            }
            parameters.decode(parameter, value, cx)?;
        }
        Ok(parameters)
    }

    fn decode(&mut self, parameter: Parameter, json: Json<'_>, cx: &mut Cx<'_>) -> Result<()> {
        if parameter.is_list() {
            let fitted = cx.fit(json, &Shape::new(Type::String).multiple());
            let json = fitted.json();
            if !json.is_array() {
                return Err(parameter.wrong_type("a list of attribute names", json));
            }
            for element in json.elements() {
                let name = element
                    .as_str()
                    .ok_or_else(|| parameter.wrong_type("a list of attribute names", json))?;
                self.set(parameter, &name)?;
            }
            return Ok(());
        }
        if matches!(parameter, StartIndex | Count) {
            let fitted = cx.fit(json, &Shape::new(Type::Integer));
            let json = fitted.json();
            if json.kind() != Kind::Number {
                return Err(parameter.wrong_type("an integer", json));
            }
            return self.set(parameter, json.text());
        }
        let text = json
            .as_str()
            .ok_or_else(|| parameter.wrong_type("a string", json))?;
        self.set(parameter, &text)
    }

    fn set(&mut self, parameter: Parameter, text: &str) -> Result<()> {
        match parameter {
            Filter => self.filter = Some(text.to_owned()),
            SortBy => self.sort_by = Some(text.trim().to_owned()),
            SortOrder => self.sort_order = text.trim().parse()?,
            StartIndex => self.start_index = integer(parameter, text)?.max(1),
            Count => self.count = Some(usize::try_from(integer(parameter, text)?).unwrap_or(usize::MAX)),
            Attributes => self.attributes.push(text.to_owned()),
            ExcludedAttributes => self.excluded_attributes.push(text.to_owned()),
        }
        Ok(())
    }
}

/// Returns whether the query itself holds U+FFFD, which otherwise shows that bytes were no UTF-8.
fn writes_replacement_character(query: &str) -> bool {
    query.contains(char::REPLACEMENT_CHARACTER) || query.to_ascii_lowercase().contains("%ef%bf%bd")
}

/// The greatest number that a signed reader of 64 bits understands.
const GREATEST: u64 = i64::MAX as u64;

/// Reads an integer of any size: below 0 counts as 0 (RFC 7644 section 3.4.2.4), beyond the greatest as the greatest.
fn integer(parameter: Parameter, text: &str) -> Result<u64> {
    match text.trim().parse::<i64>() {
        Ok(value) => Ok(u64::try_from(value).unwrap_or(0)),
        Err(error) => match error.kind() {
            IntErrorKind::PosOverflow => Ok(GREATEST),
            IntErrorKind::NegOverflow => Ok(0),
            _ => Err(parameter.refuse(&format!("must be an integer, but is {}", quoted(text)))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScimType;
    use crate::policy::Policy;
    use crate::value::{Intent, JsonBuf};

    fn query(text: &str) -> Result<ListParameters> {
        ListParameters::parse_query(text, &Limits::default())
    }

    fn search(body: &str, policy: &Policy) -> Result<ListParameters> {
        let limits = Limits::default();
        let json = JsonBuf::parse(body.as_bytes(), &limits).unwrap();
        let mut cx = Cx::new(Intent::Create, policy, &limits);
        ListParameters::decode_search(json.as_json(), &mut cx)
    }

    /// Reads a search under `tolerant`; also which tolerances that took.
    fn tolerated(body: &str) -> (ListParameters, Vec<&'static str>) {
        let (limits, tolerant) = (Limits::default(), Policy::tolerant());
        let json = JsonBuf::parse(body.as_bytes(), &limits).unwrap();
        let mut cx = Cx::new(Intent::Create, &tolerant, &limits);
        let parameters = ListParameters::decode_search(json.as_json(), &mut cx).unwrap();
        let fired = cx.take_fired();
        (parameters, fired.iter().map(|fired| fired.tolerance).collect())
    }

    fn kind(result: Result<ListParameters>) -> (u16, Option<ScimType>) {
        let error = result.unwrap_err();
        (error.status().as_u16(), error.scim_type())
    }

    fn search_body(members: &str) -> String {
        format!(r#"{{"schemas":["{}"]{members}}}"#, super::super::SEARCH_REQUEST)
    }

    /// P-3.4.2.4-01, P-3.4.2.4-02, P-3.4.3-06: also of any size, and never of more than a signed reader of 64 bits takes.
    #[test]
    fn numbers_are_brought_into_range() {
        let most = usize::try_from(i64::MAX).ok();
        for (text, start_index, count) in [
            ("0", 1, Some(0)),
            ("-5", 1, Some(0)),
            ("7", 7, Some(7)),
            ("1000000000", 1_000_000_000, Some(1_000_000_000)),
            ("9223372036854775807", GREATEST, most),
            ("9223372036854775808", GREATEST, most),
            ("99999999999999999999", GREATEST, most),
            ("-99999999999999999999", 1, Some(0)),
        ] {
            let from_url = query(&format!("startIndex={text}&count={text}")).unwrap();
            assert_eq!(
                (from_url.start_index, from_url.count),
                (start_index, count),
                "{text}"
            );
            let body = search_body(&format!(r#","startIndex":{text},"count":{text}"#));
            assert_eq!(search(&body, &Policy::strict()).unwrap(), from_url, "{text}");
        }
    }

    /// P-3.4.2.4-08.
    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["startIndex=abc", "count=", "count=1.5", "count=1e9", "count=0x10"] {
            assert_eq!(kind(query(text)), (400, Some(ScimType::InvalidValue)), "{text}");
        }
        for members in [
            r#","count":"5""#,
            r#","count":1.5"#,
            r#","startIndex":true"#,
            r#","filter":5"#,
        ] {
            let result = search(&search_body(members), &Policy::strict());
            assert_eq!(kind(result), (400, Some(ScimType::InvalidValue)), "{members}");
        }
    }

    /// A-58.
    #[test]
    fn plus_and_percent_encoding_are_decoded() {
        let want = Some(r#"userName eq "a+b #&'[é""#);
        for text in [
            "filter=userName+eq+%22a%2Bb+%23%26%27%5B%C3%A9%22",
            "filter=userName%20eq%20%22a%2bb%20%23%26'[%c3%a9%22&",
        ] {
            assert_eq!(query(text).unwrap().filter.as_deref(), want, "{text}");
        }
        assert_eq!(kind(query("filter=%ff")), (400, Some(ScimType::InvalidValue)));
        assert_eq!(
            query("filter=%EF%BF%BD").unwrap().filter.as_deref(),
            Some("\u{fffd}")
        );
    }

    /// P-3.4.2-02, A-01.
    #[test]
    fn unknown_parameters_are_ignored_and_names_have_no_case() {
        let parameters = query("foo=bar&STARTINDEX=2&cursor&sortby=userName&sortorder=Descending").unwrap();
        assert_eq!(
            (parameters.start_index, parameters.sort_order),
            (2, Order::Descending)
        );
        assert_eq!(parameters.sort_by.as_deref(), Some("userName"));
        assert_eq!(query("").unwrap(), ListParameters::default());
    }

    #[test]
    fn lists_may_be_given_in_pieces_and_nothing_else_twice() {
        let parameters = query("attributes=a,b&attributes=c&excludedAttributes=d").unwrap();
        assert_eq!(parameters.attributes, ["a,b", "c"]);
        assert_eq!(parameters.excluded_attributes, ["d"]);
        for text in ["filter=a&filter=b", "count=1&Count=1"] {
            assert_eq!(kind(query(text)), (400, Some(ScimType::InvalidValue)), "{text}");
        }
    }

    /// P-3.4.2.3-06.
    #[test]
    fn only_two_sort_orders_exist() {
        for text in ["up", "", "%20", "ascending,descending"] {
            let refused = (400, Some(ScimType::InvalidValue));
            assert_eq!(kind(query(&format!("sortOrder={text}"))), refused, "{text}");
            let body = search_body(&format!(r#","sortOrder":"{}""#, text.replace("%20", " ")));
            for policy in [Policy::strict(), Policy::tolerant()] {
                assert_eq!(kind(search(&body, &policy)), refused, "{text}");
            }
        }
    }

    #[test]
    fn a_query_beyond_the_limit_is_not_read() {
        let limits = Limits {
            query_bytes: 16,
            ..Limits::default()
        };
        assert!(ListParameters::parse_query("filter=123456789", &limits).is_ok());
        assert_eq!(
            kind(ListParameters::parse_query("filter=1234567890", &limits)),
            (414, None)
        );
    }

    /// P-3.4.3-02, A-03.
    #[test]
    fn a_search_names_its_schema() {
        let strict = Policy::strict();
        let refused = (400, Some(ScimType::InvalidSyntax));
        for body in ["[]", "5"] {
            for policy in [Policy::strict(), Policy::tolerant()] {
                assert_eq!(kind(search(body, &policy)), refused, "{body}");
            }
        }
        assert!(search(&search_body("").to_lowercase(), &strict).is_ok());

        // The envelope of a search is as tolerant as that of a PATCH.
        let urn = super::super::SEARCH_REQUEST;
        for schemas in [
            String::new(),
            r#""schemas":null,"#.to_owned(),
            r#""schemas":[],"#.to_owned(),
            r#""schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"#.to_owned(),
        ] {
            let body = format!(r#"{{{schemas}"count":3}}"#);
            assert_eq!(kind(search(&body, &strict)), refused, "{body}");
            let (parameters, fired) = tolerated(&body);
            assert_eq!(parameters.count, Some(3), "{body}");
            assert_eq!(fired, ["missing-schemas"], "{body}");
        }
        let (_, fired) = tolerated(&format!(r#"{{"schemas":"{urn}"}}"#));
        assert_eq!(fired, ["single-values-without-array"]);
        for schemas in ["5", "[5]", "true"] {
            let body = format!(r#"{{"schemas":{schemas}}}"#);
            for policy in [&strict, &Policy::tolerant()] {
                assert_eq!(kind(search(&body, policy)), refused, "{body}");
            }
        }
    }

    /// K9 and K15 of the rules for real clients: numbers as numerals and with a fraction, one name without a list.
    #[test]
    fn a_search_forgives_what_a_post_forgives() {
        for (members, tolerance) in [
            (r#","startIndex":"7""#, "numeric-strings"),
            (r#","startIndex":"7.0""#, "numeric-strings"),
            (r#","startIndex":7.0"#, "exact-integers"),
            (
                r#","startIndex":7,"attributes":"userName""#,
                "single-values-without-array",
            ),
        ] {
            let body = search_body(members);
            let (parameters, fired) = tolerated(&body);
            assert_eq!((parameters.start_index, fired), (7, vec![tolerance]), "{members}");
            assert!(search(&body, &Policy::strict()).is_err(), "{members}");
        }
        let (parameters, _) = tolerated(&search_body(r#","startIndex":"99999999999999999999""#));
        assert_eq!(parameters.start_index, GREATEST);
        for members in [
            r#","count":"many""#,
            r#","startIndex":[7,8]"#,
            r#","startIndex":"1.5""#,
        ] {
            let result = search(&search_body(members), &Policy::tolerant());
            assert_eq!(kind(result), (400, Some(ScimType::InvalidValue)), "{members}");
        }
    }

    /// P-3.4.3-03.
    #[test]
    fn a_search_takes_every_parameter() {
        let body = search_body(
            r#","Attributes":["a","b.c"],"excludedAttributes":["d"],"filter":"x pr","sortBy":"y","sortOrder":"descending","startIndex":3,"count":null,"more":1"#,
        );
        let want = ListParameters {
            filter: Some("x pr".into()),
            sort_by: Some("y".into()),
            sort_order: Order::Descending,
            start_index: 3,
            count: None,
            attributes: vec!["a".into(), "b.c".into()],
            excluded_attributes: vec!["d".into()],
        };
        assert_eq!(search(&body, &Policy::strict()).unwrap(), want);
        for members in [r#","attributes":"a""#, r#","attributes":[1]"#] {
            let result = search(&search_body(members), &Policy::strict());
            assert_eq!(kind(result), (400, Some(ScimType::InvalidValue)), "{members}");
        }
    }
}
