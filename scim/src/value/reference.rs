//! References to resources and to anything else that has a URI.

use std::borrow::Cow;
use std::fmt::{self, Debug, Display, Formatter, Write};
use std::net::Ipv6Addr;
use std::str::FromStr;

use crate::error::{Error, Result, quoted};

/// A URI, absolute or relative, as the attribute type `reference` has it (RFC 7643 section 2.3.7).
///
/// It is either text as a client gave it, which comes back unchanged, or the place of a resource of this service,
/// which becomes a URL when the base of the service is known: see [`resolve`](Self::resolve). A URL of the service itself
/// that a client sends becomes such a place where the attribute's `reference_types` name a resource type, so that no base
/// URL is kept. References are equal if they are the same kind and text; case counts.
///
/// | it | |
/// |---|---|
/// | is checked to be a URI reference | 400 `invalidValue` otherwise |
/// | comes back as it was sent | also where it is a URL of this service, whose base is that of the request |
/// | is *not* looked up | a reference to a resource that does not exist is kept, and one to a resource that is deleted stays. Whoever needs more marks the attribute with `edges`, whose ends every store checks, or asks a [rule](crate::store::Hooks::before_write) |
/// | names types in `#[scim(reference_types(…))]` | those are checked when the service is built: each is served, or `external`, or `uri` |
///
/// ```
/// use scim::value::Reference;
///
/// let manager = Reference::resource("Users", "26118915");
/// assert_eq!(manager.as_str(), "Users/26118915");
/// assert_eq!(manager.resolve("https://example.com/v2/"), "https://example.com/v2/Users/26118915");
///
/// let photo = Reference::parse("https://example.com/photo?id=7")?;
/// assert_eq!(photo.resolve("https://example.com/v2"), "https://example.com/photo?id=7");
/// # Ok::<(), scim::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference(Target);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Target {
    /// Text as it was given.
    External(Box<str>),
    /// A path below the base of the service, without slash in front.
    Resource(Box<str>),
}

impl Reference {
    /// Takes a URI reference (RFC 3986 section 4.1) as it is. Letters beyond ASCII pass, as in an IRI (RFC 3987).
    ///
    /// # Errors
    /// 400 `invalidValue` for any other text: spaces, control characters and other characters that a URI must encode, a
    /// `%` without two hexadecimal digits, a colon after something that is not a scheme, or an authority with a flaw
    /// (RFC 3986 section 3.2), such as a port that is not a number, or an `http` or `https` URL without a host.
    pub fn parse(text: &str) -> Result<Self> {
        match flaw(text) {
            None => Ok(Self(Target::External(text.into()))),
            Some(flaw) => Err(Error::invalid_value(format!(
                "is not a valid URI: {} {flaw}",
                quoted(text)
            ))),
        }
    }

    /// Takes a reference out of a document, a client's or a store's. A path below the base of the service is the place of
    /// a resource whoever wrote it, and clients get it as a complete URL: RFC 7643 section 2.3.7 resolves it so.
    ///
    /// # Errors
    /// Those of [`parse`](Self::parse).
    pub(crate) fn read(text: &str) -> Result<Self> {
        match flaw(text) {
            None => Ok(Self::read_stored(text)),
            Some(_) => Self::parse(text),
        }
    }

    /// Reads in the same way a text that was taken once, when the rules may have been others.
    pub(crate) fn read_stored(text: &str) -> Self {
        Self(if is_path(text) {
            Target::Resource(text.into())
        } else {
            Target::External(text.into())
        })
    }

    /// Makes a reference to a resource of this service from its endpoint, such as `Users` or `/Users`, and its id. It belongs
    /// into attributes whose `reference_types` name a resource type: elsewhere a client that sends it back sends a URL.
    #[must_use]
    pub fn resource(endpoint: &str, id: &str) -> Self {
        Self(Target::Resource(Self::path_of(endpoint, id).into()))
    }

    /// Returns the path of a resource below the base of the service: its endpoint without slashes around it, and its id as a
    /// segment.
    pub(crate) fn path_of(endpoint: &str, id: &str) -> String {
        let endpoint = endpoint.trim_matches('/');
        let mut path = String::with_capacity(endpoint.len() + 1 + id.len());
        path.push_str(endpoint);
        path.push('/');
        push_segment(&mut path, id);
        path
    }

    /// Returns the id in the path of a resource at `endpoint`, spelt as [`Reference::resource`] spells it. An id that has to
    /// be encoded is not read back.
    pub(crate) fn id_at<'p>(endpoint: &str, path: &'p str) -> Option<&'p str> {
        let id = path.strip_prefix(endpoint.trim_matches('/'))?.strip_prefix('/')?;
        (Self::path_of(endpoint, id) == path).then_some(id)
    }

    /// Returns the reference: the text as given, or the path below the base of the service.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Target::External(text) | Target::Resource(text) => text,
        }
    }

    /// Returns whether it names no scheme, and so needs a base to be found.
    #[must_use]
    pub fn is_relative(&self) -> bool {
        scheme(self.as_str()).is_none()
    }

    /// Returns whether it was made by [`Reference::resource`].
    #[must_use]
    pub fn is_resource(&self) -> bool {
        matches!(self.0, Target::Resource(_))
    }

    /// Returns the reference as a client should see it: a resource of this service below `base`, the URL of the service with
    /// or without slash at its end; any other as it was given.
    #[must_use]
    pub fn resolve(&self, base: &str) -> Cow<'_, str> {
        match &self.0 {
            Target::External(text) => Cow::Borrowed(text),
            Target::Resource(path) => Cow::Owned(format!("{}/{path}", base.trim_end_matches('/'))),
        }
    }
}

/// Returns whether a text reads as a path below a base: of two segments at least, and complete without another path before
/// it.
pub(super) fn is_path(text: &str) -> bool {
    !text.starts_with(['.', '/', '?', '#']) && text.contains('/') && scheme(text).is_none()
}

/// Returns the part before the first colon, if that colon can end a scheme.
pub(super) fn scheme(text: &str) -> Option<&str> {
    let end = text.find([':', '/', '?', '#'])?;
    let (before, after) = text.split_at_checked(end)?;
    after.starts_with(':').then_some(before)
}

/// Says what is wrong with a text that is not a URI reference, to follow the text in a sentence.
fn flaw(text: &str) -> Option<String> {
    if let Some(scheme) = scheme(text) {
        let starts_well = scheme.starts_with(|first: char| first.is_ascii_alphabetic());
        if !starts_well
            || !scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        {
            return Some("does not start with a scheme such as https".to_owned());
        }
    }
    let wrong = text.chars().find(|character| !may_stand_in_uri(*character));
    if let Some(wrong) = wrong {
        return Some(format!(
            "has the character {}, which must be encoded",
            quoted(wrong.encode_utf8(&mut [0; 4]))
        ));
    }
    if text.matches('#').count() > 1 {
        return Some("has more than one #".to_owned());
    }
    let encoded = |after: &str| {
        let digits = after.as_bytes().get(..2).unwrap_or_default();
        digits.len() == 2 && digits.iter().all(u8::is_ascii_hexdigit)
    };
    if !text.split('%').skip(1).all(encoded) {
        return Some("has a % without two hexadecimal digits".to_owned());
    }
    let authority = Authority::of(text)?;
    authority.flaw().map(str::to_owned)
}

/// The part of a URI between `//` and the path (RFC 3986 section 3.2).
struct Authority<'t> {
    text: &'t str,
    /// Whether the scheme is `http` or `https`, which need a host and a port of TCP (RFC 9110 section 4.2).
    is_http: bool,
}

impl<'t> Authority<'t> {
    fn of(uri: &'t str) -> Option<Self> {
        let scheme = scheme(uri);
        let rest = match scheme {
            Some(scheme) => uri.get(scheme.len() + 1..)?,
            None => uri,
        };
        let text = rest.strip_prefix("//");
        let is_http = scheme.is_some_and(|scheme| {
            ["http", "https"]
                .iter()
                .any(|http| scheme.eq_ignore_ascii_case(http))
        });
        // An http URL without an authority is one without a host.
        let text = text.or(is_http.then_some(""))?;
        let text = text.split(['/', '?', '#']).next().unwrap_or_default();
        Some(Self { text, is_http })
    }

    fn flaw(&self) -> Option<&'static str> {
        let (user_info, host_and_port) = self.text.rsplit_once('@').unwrap_or(("", self.text));
        if user_info.contains('@') {
            return Some("has more than one @ in front of its path; all but the last must be encoded as %40");
        }
        if user_info.contains(['[', ']']) {
            return Some("has a bracket in front of the @, which must be encoded");
        }
        let port = match host_and_port.strip_prefix('[') {
            Some(literal) => {
                let Some((literal, port)) = literal.split_once(']') else {
                    return Some("has a [ without a ] in its host");
                };
                if !is_ip_literal(literal) {
                    return Some("has something other than an IPv6 address in the brackets of its host");
                }
                port
            }
            None => {
                let (host, port) =
                    host_and_port.split_at_checked(host_and_port.find(':').unwrap_or(host_and_port.len()))?;
                if host.is_empty() && self.is_http {
                    return Some("has no host");
                }
                if host.contains(['[', ']']) {
                    return Some("has a bracket in its host that is not around an IPv6 address");
                }
                port
            }
        };
        let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(|port| self.takes_port(port));
        (!is_port).then_some("has a port that is not a number up to 65535")
    }

    /// Returns whether this is a port by RFC 3986 section 3.2.3: digits, as many as one likes, and none as well. A port of
    /// TCP has 16 bits.
    fn takes_port(&self, port: &str) -> bool {
        port.bytes().all(|byte| byte.is_ascii_digit())
            && (!self.is_http || port.is_empty() || port.parse::<u16>().is_ok())
    }
}

/// Returns whether this is the inside of the brackets of a host: an IPv6 address, or the form kept for later ones
/// (RFC 3986 section 3.2.2).
fn is_ip_literal(text: &str) -> bool {
    let Some(future) = text.strip_prefix(['v', 'V']) else {
        return text.parse::<Ipv6Addr>().is_ok();
    };
    future.split_once('.').is_some_and(|(version, address)| {
        let is_hexadecimal = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_hexdigit());
        let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:".contains(&byte);
        is_hexadecimal && !address.is_empty() && address.bytes().all(may_stand)
    })
}

/// Returns whether this is one of the characters of RFC 3986 section 2, or a letter or digit of any script. Brackets pass
/// outside of a host, too: browsers leave them in queries.
fn may_stand_in_uri(character: char) -> bool {
    character.is_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(character)
}

/// Appends a path segment; whatever would not stay one segment is percent-encoded (RFC 3986 section 3.3).
fn push_segment(out: &mut String, segment: &str) {
    if matches!(segment, "." | "..") {
        // A plain dot segment would be resolved away, and the reference would name something else.
        out.push_str(&segment.replace('.', "%2E"));
        return;
    }
    if segment.bytes().all(may_stand_in_segment) {
        out.push_str(segment);
        return;
    }
    for byte in segment.bytes() {
        if may_stand_in_segment(byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

fn may_stand_in_segment(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl AsRef<str> for Reference {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Display for Reference {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Debug for Reference {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Reference({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// S-2.3.7-01: RFC 7643 section 2.3.7.
    #[test]
    fn absolute_and_relative_uris_are_kept_as_they_are() {
        for (text, relative) in [
            ("https://example.com/v2/Users/2819c223?a=b#c", false),
            ("urn:ietf:params:scim:schemas:core:2.0:User", false),
            ("mailto:bjensen@example.com", false),
            ("data:image/png;base64,iVBORw0KGgo=", false),
            ("http://[::1]:8080/", false),
            ("http://[::ffff:192.0.2.1]", false),
            ("http://[vF.a:b]/", false),
            ("http://example.com:/", false),
            ("http://example.com:65535?a#b", false),
            ("http://user:pass:word@example.com/a@b:c", false),
            ("http://@example.com", false),
            ("http://%65xample.com/[x]?y[]=1", false),
            ("https://example.com/?a=http://x:y", false),
            ("file:///etc/hosts", false),
            ("ldap://:389/dc=example", false),
            ("x://example.com:100000", false),
            ("//example.com/photo", true),
            ("///photo", true),
            ("https://例え.jp/%E3%81%82", false),
            ("Users/2819", true),
            ("../Users/2819", true),
            ("/photo?size=1:2", true),
            ("", true),
        ] {
            let reference = Reference::parse(text).unwrap();
            assert_eq!(reference.as_str(), text);
            assert_eq!(reference.resolve("https://base.example"), text);
            assert_eq!(reference.is_relative(), relative, "{text}");
        }
    }

    #[test]
    fn what_is_no_uri_is_refused_and_the_flaw_named() {
        for (text, says) in [
            ("::not a uri::", "scheme"),
            ("1http://x", "scheme"),
            ("http://exa mple.com", r#"the character " ""#),
            ("http://x/\u{7}", "the character"),
            ("http://x/<>", r#"the character "<""#),
            ("http://x/{id}", r#"the character "{""#),
            ("http://x/%4", "hexadecimal"),
            ("http://x/%é0", "hexadecimal"),
            ("#a#b", "more than one #"),
            ("http://[::1", "a [ without a ]"),
            ("http://[::1/", "a [ without a ]"),
            ("//[::1", "a [ without a ]"),
            ("http://::1]/", "no host"),
            ("http://a]b/", "a bracket in its host"),
            ("http://[::1]]/", "a port that is not a number"),
            ("http://a[::1]/", "a bracket in its host"),
            ("http://[]/", "other than an IPv6 address"),
            ("http://[127.0.0.1]/", "other than an IPv6 address"),
            ("http://[::g]/", "other than an IPv6 address"),
            ("http://[[::1]]/", "other than an IPv6 address"),
            ("http://[v.x]/", "other than an IPv6 address"),
            ("http://[v1.]/", "other than an IPv6 address"),
            ("http://[fe80::1%25en0]/", "other than an IPv6 address"),
            ("http://[::1]80/", "a port that is not a number"),
            ("http://[::1]:x/", "a port that is not a number"),
            ("http://example.com:80a/", "a port that is not a number"),
            ("http://example.com:-1", "a port that is not a number"),
            ("http://example.com:8０/", "a port that is not a number"),
            ("http://example.com:1:2/", "a port that is not a number"),
            ("https://example.com:65536/", "a port that is not a number"),
            ("ldap://example.com:port", "a port that is not a number"),
            ("//example.com:port/", "a port that is not a number"),
            ("http://", "has no host"),
            ("HTTP:///path", "has no host"),
            ("https://?x", "has no host"),
            ("https:path", "has no host"),
            ("http://:80/", "has no host"),
            ("http://user@/", "has no host"),
            ("http://user@:80/", "has no host"),
            ("http://a@b@example.com/", "more than one @"),
            ("ftp://[x]@example.com/", "a bracket in front of the @"),
        ] {
            let error = Reference::parse(text).unwrap_err().at("profileUrl");
            assert_eq!(error.scim_type(), Some(crate::ScimType::InvalidValue));
            assert!(error.to_string().contains(says), "{text}: {error}");
        }
    }

    /// S-2.3.7-02: a resource stands below the base, without its endpoint.
    #[test]
    fn a_resource_is_found_below_the_base() {
        for base in [
            "https://example.com/scim/acme/v2",
            "https://example.com/scim/acme/v2/",
        ] {
            for endpoint in ["Users", "/Users"] {
                let reference = Reference::resource(endpoint, "2819");
                assert_eq!(
                    reference.resolve(base),
                    "https://example.com/scim/acme/v2/Users/2819"
                );
                assert!(reference.is_relative() && reference.is_resource());
            }
        }
    }

    #[test]
    fn an_id_stays_one_segment() {
        assert_eq!(
            Reference::resource("Users", "a/b?c#d é%").as_str(),
            "Users/a%2Fb%3Fc%23d%20%C3%A9%25"
        );
        assert_eq!(Reference::resource("Users", "..").as_str(), "Users/%2E%2E");
        assert_eq!(Reference::id_at("/Users", "Users/2819"), Some("2819"));
        for other in [
            "Users/a%2Fb",
            "Users/a/b",
            "Users/..",
            "Users",
            "Groups/1",
            "UsersX/1",
        ] {
            assert_eq!(Reference::id_at("/Users", other), None, "{other}");
        }
    }

    /// S-2.3.7-03: references are case-exact.
    #[test]
    fn references_that_differ_in_case_differ() {
        assert_ne!(
            Reference::parse("Users/a").unwrap(),
            Reference::parse("Users/A").unwrap()
        );
    }

    /// Texts with all that means something in an authority.
    const AUTHORITY: &str = r"(https?:|x:)?(//)?[a@:\[\]/v.1é%]{0,12}";

    proptest! {
        #[test]
        fn every_resource_has_a_uri(id in any::<String>()) {
            let reference = Reference::resource("Users", &id);
            prop_assert!(Reference::parse(reference.as_str()).is_ok());
            let url = reference.resolve("https://example.com/v2").into_owned();
            prop_assert!(!Reference::parse(&url).unwrap().is_relative());
        }

        #[test]
        fn any_text_is_judged_without_a_panic(text in any::<String>().boxed().prop_union(AUTHORITY.boxed())) {
            if let Ok(reference) = Reference::parse(&text) {
                prop_assert_eq!(reference.as_str(), text);
            }
        }
    }

    /// RFC 7643 section 2.3.7: a resource stays a resource, whatever the base of the service is tomorrow.
    #[test]
    fn a_kept_path_is_a_resource_again() {
        let kept = Reference::resource("Users", "a b");
        assert_eq!(Reference::read(kept.as_str()).unwrap(), kept);
        for text in [
            "https://example.com/Users/1",
            "../Users/1",
            "/Users/1",
            "#x",
            "?x/y",
            "photo.png",
            "mailto:a/b",
        ] {
            assert_eq!(
                Reference::read(text).unwrap(),
                Reference::parse(text).unwrap(),
                "{text}"
            );
        }
        assert!(Reference::read("a b/c").is_err());
    }

    /// A text that was kept under older rules can be read, and comes back as it was.
    #[test]
    fn a_kept_text_is_not_judged_again() {
        for text in ["http://[::1", "http://example.com:port/", "https:path"] {
            assert!(Reference::read(text).is_err());
            assert_eq!(Reference::read_stored(text).as_str(), text);
        }
    }
}
