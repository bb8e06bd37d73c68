//! The one error type: an HTTP status, a SCIM error type and a sentence for an administrator.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter, Write};
use std::time::Duration;

use http::StatusCode;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The SCIM detail error keywords (RFC 7644 table 9, RFC 9865 section 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScimType {
    /// The filter is malformed, or combines an attribute with an operator it does not support.
    InvalidFilter,
    /// The filter matches more than the service is willing to visit.
    TooMany,
    /// A value that must be unique is taken.
    Uniqueness,
    /// The change is not compatible with the attribute's mutability.
    Mutability,
    /// The body does not have the structure of the message.
    InvalidSyntax,
    /// The path of a PATCH operation or a `sortBy` is malformed or unknown.
    InvalidPath,
    /// The path of a PATCH operation did not select anything to operate on.
    NoTarget,
    /// A required value is missing, or a value does not fit its attribute.
    InvalidValue,
    /// The protocol version is not supported.
    InvalidVers,
    /// The request must not be made because the URL would hold personal data.
    Sensitive,
    /// The cursor is not one of ours.
    InvalidCursor,
    /// The cursor is one of ours, but too old.
    ExpiredCursor,
    /// `count` differs from the one the cursor was made with.
    InvalidCount,
}

impl ScimType {
    /// Returns the keyword as it stands in an error response.
    ///
    /// ```
    /// assert_eq!(scim::ScimType::NoTarget.as_str(), "noTarget");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::InvalidVers => "invalidVers",
            Self::Sensitive => "sensitive",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
        }
    }
}

impl ScimType {
    /// Every keyword.
    pub const ALL: [Self; 13] = [
        Self::InvalidFilter,
        Self::TooMany,
        Self::Uniqueness,
        Self::Mutability,
        Self::InvalidSyntax,
        Self::InvalidPath,
        Self::NoTarget,
        Self::InvalidValue,
        Self::InvalidVers,
        Self::Sensitive,
        Self::InvalidCursor,
        Self::ExpiredCursor,
        Self::InvalidCount,
    ];

    /// Returns the type with this keyword, in any case.
    #[must_use]
    pub fn of_keyword(keyword: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(keyword))
    }
}

impl Display for ScimType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error codes of bearer tokens (RFC 6750 section 3.1), which the header `WWW-Authenticate` of an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BearerError {
    /// 400: the request says in more than one way who sends it.
    InvalidRequest,
    /// 401: the token is malformed, unknown, expired or revoked.
    InvalidToken,
    /// 403: the token does not give the right to do this.
    InsufficientScope,
}

impl BearerError {
    /// Returns the code as it stands in the header.
    ///
    /// ```
    /// assert_eq!(scim::BearerError::InvalidToken.as_str(), "invalid_token");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
        }
    }

    /// Returns the HTTP status that belongs to the code.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::InvalidRequest => StatusCode::BAD_REQUEST,
            Self::InvalidToken => StatusCode::UNAUTHORIZED,
            Self::InsufficientScope => StatusCode::FORBIDDEN,
        }
    }
}

impl Display for BearerError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A failure, explained to the person who has to put it right.
///
/// An error knows its HTTP status, its [`ScimType`] where the RFC defines one, a sentence, the attribute it is about
/// and the index of the operation that caused it. It is one word wide. Its [`Display`] is the `detail` that the
/// client sees; the [`source`](std::error::Error::source) is for logs only.
///
/// ```
/// use scim::Error;
///
/// let error = Error::invalid_value("must be a string, but is the number 3").at("value").at_index(0).at("emails");
/// assert_eq!(error.status(), 400);
/// assert_eq!(error.to_string(), "Attribute emails[0].value must be a string, but is the number 3.");
/// ```
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    status: StatusCode,
    scim_type: Option<ScimType>,
    detail: Cow<'static, str>,
    /// Innermost segment first: an error gathers its path while it travels outwards.
    path: Vec<Segment>,
    operation: Option<usize>,
    retry_after: Option<Duration>,
    bearer: Option<BearerError>,
    conflict: bool,
    limit: Option<&'static str>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Name(Cow<'static, str>),
    Index(usize),
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $status:ident, $kind:ident;)*) => {
        $(
            $(#[$doc])*
            ///
            /// Takes a `detail` that completes the sentence "Attribute x …" where a path is added with [`Error::at`],
            /// and is a sentence of its own otherwise. A sentence that gets a path nevertheless stands behind a colon.
            #[must_use]
            pub fn $name(detail: impl Into<Cow<'static, str>>) -> Self {
                Self::new(StatusCode::$status, detail).with_type(ScimType::$kind)
            }
        )*
    };
}

impl Error {
    /// Makes an error with a status and a sentence, and no SCIM error type.
    #[must_use]
    pub fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            status,
            scim_type: None,
            detail: detail.into(),
            path: Vec::new(),
            operation: None,
            retry_after: None,
            bearer: None,
            conflict: false,
            limit: None,
            source: None,
        }))
    }

    constructors! {
        /// Makes the error 400 `invalidFilter` (RFC 7644 section 3.4.2.2).
        invalid_filter => BAD_REQUEST, InvalidFilter;
        /// Makes the error 400 `tooMany` (RFC 7644 section 3.4.2.1).
        too_many => BAD_REQUEST, TooMany;
        /// Makes the error 409 `uniqueness` (RFC 7644 section 3.3).
        uniqueness => CONFLICT, Uniqueness;
        /// Makes the error 400 `mutability` (RFC 7644 section 3.5.2).
        mutability => BAD_REQUEST, Mutability;
        /// Makes the error 400 `invalidSyntax` (RFC 7644 table 9).
        invalid_syntax => BAD_REQUEST, InvalidSyntax;
        /// Makes the error 400 `invalidPath` (RFC 7644 section 3.5.2).
        invalid_path => BAD_REQUEST, InvalidPath;
        /// Makes the error 400 `noTarget` (RFC 7644 section 3.5.2).
        no_target => BAD_REQUEST, NoTarget;
        /// Makes the error 400 `invalidValue` (RFC 7644 table 9).
        invalid_value => BAD_REQUEST, InvalidValue;
        /// Makes the error 400 `invalidVers` (RFC 7644 section 3.13).
        invalid_version => BAD_REQUEST, InvalidVers;
    }

    /// Makes an error about the token of a request, with the status that belongs to `code` (RFC 6750 section 3.1). The
    /// answer has the header `WWW-Authenticate` with the code.
    ///
    /// A request without any token is `Error::new(StatusCode::UNAUTHORIZED, …)`, for which RFC 6750 has no code.
    ///
    /// ```
    /// use scim::{BearerError, Error};
    ///
    /// let error = Error::bearer(BearerError::InsufficientScope, "The token is good for reading only.");
    /// assert_eq!(error.status(), 403);
    /// ```
    #[must_use]
    pub fn bearer(code: BearerError, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(code.status(), detail).with_bearer_error(code)
    }

    /// Makes the error 404: no resource has this id.
    #[must_use]
    pub fn not_found(resource_type: &str, id: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            format!("{resource_type} {} does not exist.", quoted(id)),
        )
    }

    /// Makes the error 412: the resource has changed since the version named in `If-Match` (RFC 7644 section 3.14).
    #[must_use]
    pub fn precondition_failed() -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "The resource has another version than the request expects: read it again and repeat the change.",
        )
    }

    /// Makes the error 503 with `Retry-After`: the service is busy, and the request may be repeated as it is.
    #[must_use]
    pub fn busy(retry_after: Duration) -> Self {
        let mut error = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "The service is busy: repeat the request.",
        );
        error.0.retry_after = Some(retry_after);
        error
    }

    /// Says when the request may be repeated: the header `Retry-After` (RFC 9110 section 10.2.3).
    #[must_use]
    pub fn with_retry_after(mut self, pause: Duration) -> Self {
        self.0.retry_after = Some(pause);
        self
    }

    /// Makes the error 503: another write came in between, and this one can be decided again.
    /// [`submit`](crate::store::submit) does so before a client hears of it.
    #[must_use]
    pub fn conflict() -> Self {
        let mut error = Self::busy(Duration::from_secs(1));
        error.0.conflict = true;
        error
    }

    /// Returns whether another write came in between: see [`Error::conflict`].
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.0.conflict
    }

    /// Makes the error 500 with a sentence for the programmer: what is put together does not fit together.
    pub(crate) fn misconfigured(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, sentence)
    }

    /// Makes the error 500: the fault is ours. The client is told nothing of `source`.
    #[must_use]
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let mut error = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The service failed to process the request. The operator finds the cause in its log.",
        );
        error.0.source = Some(source.into());
        error
    }

    /// Sets the SCIM error type.
    #[must_use]
    pub fn with_type(mut self, scim_type: ScimType) -> Self {
        self.0.scim_type = Some(scim_type);
        self
    }

    /// Adds the limit of [`Limits`](crate::Limits) that the error is about.
    #[must_use]
    pub(crate) fn with_limit(mut self, name: &'static str) -> Self {
        self.0.limit = Some(name);
        self
    }

    /// Returns the name of the limit that was exceeded, if the error is about one of
    /// [`Limits::table`](crate::Limits::table).
    #[must_use]
    pub fn limit(&self) -> Option<&'static str> {
        self.0.limit
    }

    /// Adds the code for `WWW-Authenticate`, unless the error has one, and leaves the status alone.
    #[must_use]
    pub fn with_bearer_error(mut self, code: BearerError) -> Self {
        self.0.bearer.get_or_insert(code);
        self
    }

    /// Adds the cause that a log should show.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Passes each text that the client would be shown through `edit`: the detail, and the names of the attribute. All
    /// else stays as it is: status, SCIM error type, operation and cause.
    ///
    /// ```
    /// use std::borrow::Cow;
    ///
    /// use scim::Error;
    ///
    /// let error = Error::invalid_value("must be a number, but is \"sesame\"").at("badge");
    /// let error = error.map_text(|text| Cow::Owned(text.replace("sesame", "…")));
    /// assert_eq!(error.to_string(), "Attribute badge must be a number, but is \"…\".");
    /// assert_eq!(error.scim_type(), Some(scim::ScimType::InvalidValue));
    /// ```
    #[must_use]
    pub fn map_text(mut self, edit: impl Fn(&str) -> Cow<'_, str>) -> Self {
        let names = self.0.path.iter_mut().filter_map(|segment| match segment {
            Segment::Name(name) => Some(name),
            Segment::Index(_) => None,
        });
        for text in names.chain([&mut self.0.detail]) {
            let edited = match edit(text) {
                Cow::Owned(edited) => edited,
                Cow::Borrowed(same) if same == text.as_ref() => continue,
                Cow::Borrowed(other) => other.to_owned(),
            };
            *text = Cow::Owned(edited);
        }
        self
    }

    /// Says which attribute the error is about; called from the inside out.
    #[must_use]
    pub fn at(mut self, attribute: impl Into<Cow<'static, str>>) -> Self {
        self.0.path.push(Segment::Name(attribute.into()));
        self
    }

    /// Says which element of a multi-valued attribute the error is about, counted from 0.
    #[must_use]
    pub fn at_index(mut self, index: usize) -> Self {
        self.0.path.push(Segment::Index(index));
        self
    }

    /// Says which operation of a PATCH or bulk request caused the error, counted from 0. The innermost wins.
    #[must_use]
    pub fn in_operation(mut self, index: usize) -> Self {
        self.0.operation.get_or_insert(index);
        self
    }

    /// Returns the HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Returns the SCIM error type, where the RFC defines one for this error.
    #[must_use]
    pub fn scim_type(&self) -> Option<ScimType> {
        self.0.scim_type
    }

    /// Returns the code of RFC 6750, if the error is about the token of a request.
    #[must_use]
    pub fn bearer_error(&self) -> Option<BearerError> {
        self.0.bearer
    }

    /// Returns the index of the PATCH or bulk operation that failed, counted from 0.
    #[must_use]
    pub fn operation(&self) -> Option<usize> {
        self.0.operation
    }

    /// Returns how long the client should wait before it repeats the request.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns the attribute the error is about, such as `emails[0].value`; `None` if it is about the whole request.
    #[must_use]
    pub fn attribute(&self) -> Option<String> {
        if self.0.path.is_empty() {
            return None;
        }
        let mut out = String::new();
        let mut after_urn = false;
        for segment in self.0.path.iter().rev() {
            match segment {
                Segment::Index(index) => _ = write!(out, "[{index}]"),
                Segment::Name(name) => {
                    if !out.is_empty() {
                        out.push(if after_urn { ':' } else { '.' });
                    }
                    out.push_str(name);
                    after_urn = name.starts_with("urn:");
                }
            }
        }
        Some(out)
    }
}

impl Error {
    /// Returns whether the detail says something by itself, so that it cannot complete another sentence.
    fn is_sentence(&self) -> bool {
        self.0.detail.starts_with(char::is_uppercase)
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(index) = self.0.operation {
            write!(f, "Operation {}: ", index + 1)?;
        }
        match self.attribute() {
            Some(path) if self.is_sentence() => write!(f, "Attribute {path}: {}", self.0.detail)?,
            Some(path) => write!(f, "Attribute {path} {}", self.0.detail)?,
            None => f.write_str(&self.0.detail)?,
        }
        if self.0.detail.ends_with(['.', '?', '!']) {
            Ok(())
        } else {
            f.write_char('.')
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// Quotes client text for an error, cut so that a hostile value cannot blow the message up, and with what cannot be
/// seen written as in JSON.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut out = String::with_capacity(text.len().min(LONGEST) + 4);
    out.push('"');
    for (position, character) in text.chars().enumerate() {
        if position == LONGEST {
            out.push('…');
            break;
        }
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Writing to a string cannot fail.
            _ if is_invisible(character) => _ = write!(out, "\\u{:04x}", u32::from(character)),
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

/// Returns whether a character takes no place of its own: controls, separators of lines, marks of direction and of
/// nothing.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Returns a name that a client made up, as a segment of the path of an error: as it is, or quoted if it does not look
/// like one.
pub(crate) fn named(name: &str) -> Cow<'static, str> {
    const LONGEST: usize = 120;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_$.:".contains(&byte);
    if !name.is_empty() && name.len() <= LONGEST && name.bytes().all(plain) {
        Cow::Owned(name.to_owned())
    } else {
        Cow::Owned(quoted(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_read_in_any_case() {
        for kind in ScimType::ALL {
            assert_eq!(ScimType::of_keyword(&kind.as_str().to_uppercase()), Some(kind));
        }
        assert_eq!(ScimType::of_keyword("teapot"), None);
    }

    #[test]
    fn an_error_is_one_word_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn the_path_is_built_from_the_inside_out() {
        let error = Error::invalid_value("is wrong")
            .at("value")
            .at_index(2)
            .at("emails")
            .in_operation(0);
        assert_eq!(error.attribute().as_deref(), Some("emails[2].value"));
        assert_eq!(
            error.to_string(),
            "Operation 1: Attribute emails[2].value is wrong."
        );
    }

    /// The sentence and the path may hold text that a client has sent; all else is the service's own.
    #[test]
    fn every_text_of_an_error_can_be_edited_and_nothing_else() {
        fn hide(text: &str) -> Cow<'_, str> {
            match text.contains("secret") {
                true => Cow::Owned(text.replace("secret", "…")),
                false => Cow::Borrowed(text.trim_start_matches('x')),
            }
        }
        let error = || {
            Error::invalid_value("must not be secret")
                .at("secret-name")
                .at_index(3)
                .in_operation(1)
                .with_bearer_error(BearerError::InvalidToken)
                .with_source("the secret cause")
        };
        assert_eq!(
            error().map_text(|text| text.into()).to_string(),
            error().to_string()
        );
        let edited = error().at("xy").map_text(hide);
        assert_eq!(
            edited.to_string(),
            "Operation 2: Attribute y[3].…-name must not be …."
        );
        assert_eq!(edited.status(), 400);
        assert_eq!(edited.scim_type(), Some(ScimType::InvalidValue));
        assert_eq!(edited.bearer_error(), Some(BearerError::InvalidToken));
        let source = std::error::Error::source(&edited).unwrap();
        assert_eq!(source.to_string(), "the secret cause");
    }

    #[test]
    fn an_extension_is_joined_to_its_attribute_by_a_colon() {
        let error = Error::invalid_value("is wrong")
            .at("value")
            .at("manager")
            .at("urn:example:User");
        assert_eq!(
            error.attribute().as_deref(),
            Some("urn:example:User:manager.value")
        );
    }

    #[test]
    fn a_sentence_stands_behind_a_colon() {
        let error = Error::invalid_value("Floors above 40 are not built.").at("floor");
        assert_eq!(
            error.to_string(),
            "Attribute floor: Floors above 40 are not built."
        );
    }

    #[test]
    fn client_text_is_cut_and_harmless() {
        let text = quoted(&"\u{7}x".repeat(1000));
        assert!(text.chars().count() < 350, "{text}");
        assert!(!text.contains('\u{7}'));
    }

    /// K20 of the rules for real clients: a reader sees what was there.
    #[test]
    fn what_cannot_be_seen_is_written_as_in_json() {
        for (text, shown) in [
            ("a\nb", r#""a\nb""#),
            ("\r\t", r#""\r\t""#),
            ("\0\u{7}\u{7f}\u{85}", r#""\u0000\u0007\u007f\u0085""#),
            ("a\u{202e}b\u{feff}", r#""a\u202eb\ufeff""#),
            ("ann's \u{fffd} é 日本", "\"ann's \u{fffd} é 日本\""),
        ] {
            assert_eq!(quoted(text), shown);
        }
    }

    #[test]
    fn internal_errors_say_nothing_of_their_cause() {
        let error = Error::internal("connection string with a password");
        assert!(!error.to_string().contains("password"));
        assert!(std::error::Error::source(&error).is_some());
    }
}
