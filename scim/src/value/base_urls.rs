//! The base URLs of a service, and which references lie below them (RFC 7643 sections 2.3.7 and 2.4).

use std::borrow::Cow;

use crate::value::reference;

/// The base URLs of a service, as a request knows them: the one that its answer shows in front of every reference to a
/// resource of the service, and others under which the service is reached.
///
/// References to the service are kept and compared without base URL. The version of the API, which a base URL may end
/// with, does not tell references apart (RFC 7643 section 2.4).
///
/// ```
/// use scim::value::BaseUrls;
///
/// let urls = BaseUrls::new("https://id.example.com/scim/v2/")
///     .and("http://10.0.0.7/scim/v2")
///     .with_endpoints(&["/Users"]);
/// assert_eq!(urls.shown(), "https://id.example.com/scim/v2");
/// for own in ["http://10.0.0.7/scim/v2/Users/2819", "https://id.example.com/scim/Users/2819", "Users/2819"] {
///     assert_eq!(urls.path_of(own).as_deref(), Some("Users/2819"));
/// }
/// assert_eq!(urls.path_of("https://elsewhere.example.com/scim/v2/Users/2819"), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrls<'a> {
    /// Without a slash at the end, like the other.
    shown: Cow<'a, str>,
    other: Option<Cow<'a, str>>,
    endpoints: Cow<'a, [&'static str]>,
}

impl<'a> BaseUrls<'a> {
    /// Takes the one base URL of a service.
    #[must_use]
    pub fn new(shown: &'a str) -> Self {
        Self {
            shown: shown.trim_end_matches('/').into(),
            other: None,
            endpoints: Cow::Borrowed(&[]),
        }
    }

    /// Says that the service is reached at `other`, too.
    #[must_use]
    pub fn and(mut self, other: &'a str) -> Self {
        self.other = Some(other.trim_end_matches('/').into());
        self
    }

    /// Says that the service has these endpoints, such as `/Users`. A URL that leads to one of them is the
    /// service's own whatever version of the API it names.
    #[must_use]
    pub fn with_endpoints(mut self, endpoints: &'a [&'static str]) -> Self {
        self.endpoints = endpoints.into();
        self
    }

    /// Returns the same, to be kept beyond the request.
    #[must_use]
    pub fn into_owned(self) -> BaseUrls<'static> {
        BaseUrls {
            shown: self.shown.into_owned().into(),
            other: self.other.map(|other| other.into_owned().into()),
            endpoints: self.endpoints.into_owned().into(),
        }
    }

    /// Returns the base URL that answers show, without a slash at its end.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Returns the path below the base, such as `Users/2819`, of a reference to this service; `None` for every other.
    #[must_use]
    pub fn path_of<'t>(&self, reference: &'t str) -> Option<Cow<'t, str>> {
        self.apply(reference, &|url| {
            self.path_to_endpoint(url).or_else(|| self.path_below(url))
        })
    }

    /// Returns the URL that is shown of a reference; any but those to this service are shown as they are. A relative one is to
    /// this service if it names an endpoint.
    pub(crate) fn shown_url<'t>(&self, reference: &'t str) -> Cow<'t, str> {
        match reference::scheme(reference) {
            Some(_) => self.shown_part(reference),
            None => self
                .apply(reference, &|url| self.path_to_endpoint(url))
                .map_or(Cow::Borrowed(reference), |path| Cow::Owned(self.url_of(&path))),
        }
    }

    /// Returns the same for what may be a part of a reference: a relative one is taken for any text.
    pub(crate) fn shown_part<'t>(&self, text: &'t str) -> Cow<'t, str> {
        reference::scheme(text)
            .and_then(|_| self.path_of(text))
            .map_or(Cow::Borrowed(text), |path| Cow::Owned(self.url_of(&path)))
    }

    /// Returns the complete URL of a path below the base.
    pub(crate) fn url_of(&self, path: &str) -> String {
        format!("{}/{path}", self.shown)
    }

    /// Applies `path` to the complete URL that a reference means.
    fn apply<'t>(&self, reference: &'t str, path: &dyn Fn(&str) -> Option<usize>) -> Option<Cow<'t, str>> {
        if reference::scheme(reference).is_some() {
            let start = path(reference)?;
            return reference.get(start..).map(Cow::Borrowed);
        }
        let url = self.resolve(reference)?;
        let start = path(&url)?;
        url.get(start..).map(|path| Cow::Owned(path.to_owned()))
    }

    /// Resolves a relative reference (RFC 3986 section 5.2) against the base without endpoint (RFC 7643 section 2.3.7).
    fn resolve(&self, relative: &str) -> Option<String> {
        let (origin, mut path) = split_origin(&self.shown);
        if relative.starts_with("//") {
            let scheme = reference::scheme(&self.shown)?;
            return Some(format!("{scheme}:{relative}"));
        }
        if relative.starts_with('/') {
            return Some(format!("{origin}{relative}"));
        }
        let mut rest = relative;
        loop {
            if let Some(behind) = rest.strip_prefix("./") {
                rest = behind;
            } else if let Some(behind) = rest.strip_prefix("../") {
                rest = behind;
                path = path.rsplit_once('/').map_or("", |(above, _)| above);
            } else {
                break;
            }
        }
        reference::is_path(rest).then(|| format!("{origin}{path}/{rest}"))
    }

    /// Returns the index in a complete URL at which the path to an endpoint begins, whatever version stands before it.
    fn path_to_endpoint(&self, url: &str) -> Option<usize> {
        self.bases().find_map(|base| {
            let rest = behind(without_version(base), url)?;
            let unversioned = rest
                .split_once('/')
                .filter(|(first, _)| is_api_version(first))
                .map_or(rest, |(_, behind)| behind);
            let leads_to = |endpoint: &&str| {
                let path = unversioned.strip_prefix(endpoint.trim_matches('/'));
                path.is_some_and(|path| path.starts_with('/'))
            };
            let found = self.endpoints.iter().any(leads_to);
            found.then_some(url.len() - unversioned.len())
        })
    }

    /// Returns the index in a complete URL at which a path below a base begins.
    fn path_below(&self, url: &str) -> Option<usize> {
        self.bases().find_map(|base| {
            let path = behind(base, url).filter(|path| reference::is_path(path))?;
            Some(url.len() - path.len())
        })
    }

    fn bases(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.shown).chain(self.other.as_deref())
    }
}

/// Returns the part of a URL that names a host, and its path.
fn split_origin(url: &str) -> (&str, &str) {
    let authority = url.find("://").map_or(0, |scheme| scheme + "://".len());
    let path = url.get(authority..).and_then(|rest| rest.find('/'));
    path.and_then(|path| url.split_at_checked(authority + path))
        .unwrap_or(if authority == 0 { ("", url) } else { (url, "") })
}

/// Returns a base URL without the version of the API at its end.
fn without_version(base: &str) -> &str {
    let (_, path) = split_origin(base);
    match path.rsplit_once('/') {
        Some((_, last)) if is_api_version(last) => base.get(..base.len() - last.len() - 1).unwrap_or(base),
        _ => base,
    }
}

/// Returns what follows a base URL and a slash. Hosts have no case (RFC 3986 section 6.2.2.1).
fn behind<'u>(base: &str, url: &'u str) -> Option<&'u str> {
    let (origin, path) = split_origin(base);
    let (start, rest) = url.split_at_checked(origin.len())?;
    let same_origin = start.eq_ignore_ascii_case(origin);
    rest.strip_prefix(path).filter(|_| same_origin)?.strip_prefix('/')
}

/// Returns whether a segment of a path names a version of the API: `v` and a number (RFC 7644 section 3.13).
pub(crate) fn is_api_version(segment: &str) -> bool {
    let mut characters = segment.chars();
    let marked = characters
        .next()
        .is_some_and(|first| first.eq_ignore_ascii_case(&'v'));
    let number = characters.as_str();
    marked
        && number.starts_with(|first: char| first.is_ascii_digit())
        && number
            .chars()
            .all(|character| character.is_ascii_digit() || character == '.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ENDPOINTS: &[&str] = &["/Users", "/hr/Badges"];

    fn urls(base: &str) -> BaseUrls<'_> {
        BaseUrls::new(base).with_endpoints(ENDPOINTS)
    }

    /// S-2.4-06 (RFC 7643 section 2.4): the version does not count, wherever the service is mounted.
    #[test]
    fn a_resource_is_found_below_every_version() {
        for base in [
            "https://h",
            "https://h/v2",
            "https://h/scim/acme",
            "https://h:8/scim/v2/",
            "/scim/v2",
            "",
        ] {
            let urls = urls(base);
            let root = without_version(urls.shown());
            for version in ["", "/v2", "/v2.0", "/V1"] {
                for path in ["Users/1", "hr/Badges/a%2Fb", "Users/", "Users/1?x=y"] {
                    let url = format!("{root}{version}/{path}");
                    assert_eq!(urls.path_of(&url).as_deref(), Some(path), "{url} below {base}");
                }
            }
            for elsewhere in [
                "/users/1",
                "x/Users/1",
                "/x/Users/1",
                "/vx/Users/1",
                "/v2/v2/Users/1",
            ] {
                let url = format!("{root}{elsewhere}");
                assert_eq!(urls.shown_url(&url), url, "{url}");
            }
        }
    }

    /// S-2.3.7-02 (RFC 7643 section 2.3.7).
    #[test]
    fn relative_references_are_resolved_below_the_base() {
        let urls = urls("https://h/scim/v2");
        for own in [
            "Users/1",
            "./Users/1",
            "../Users/1",
            "../v2/Users/1",
            "/scim/v2/Users/1",
            "/scim/Users/1",
            "//H/scim/v2/Users/1",
        ] {
            assert_eq!(urls.path_of(own).as_deref(), Some("Users/1"), "{own}");
        }
        for other in [
            "../../Users/1",
            "/Users/1",
            "//x/scim/v2/Users/1",
            "Users",
            "",
            "#Users/1",
            "?Users/1",
            "..",
        ] {
            assert_eq!(urls.path_of(other), None, "{other}");
        }
    }

    /// A path that does not belong to an endpoint is the service's own exactly below its base.
    #[test]
    fn other_paths_are_found_below_the_base_alone() {
        let urls = urls("https://h/v2").and("http://inside/v2");
        assert_eq!(urls.path_of("https://h/v2/photos/1").as_deref(), Some("photos/1"));
        assert_eq!(
            urls.path_of("http://INSIDE/v2/photos/1").as_deref(),
            Some("photos/1")
        );
        for other in [
            "https://h/photos/1",
            "https://h/v3/photos/1",
            "https://h/v2/photos",
            "https://h/v2x/photos/1",
            "https://v2/a/b",
        ] {
            assert_eq!(urls.path_of(other), None, "{other}");
        }
        assert_eq!(BaseUrls::new("https://v2").path_of("https:/a/b"), None);
    }

    proptest! {
        /// The URL that is shown for a path below the base is a reference to that path.
        #[test]
        fn what_is_shown_is_found(path in "[A-Za-z0-9%/:._~-]{0,12}", base in prop::sample::select(vec!["https://h", "https://h/x/v2", "http://h:1/v2/v2", ""])) {
            let urls = urls(base);
            let Some(path) = urls.path_of(&path) else { return Ok(()) };
            let shown = urls.url_of(&path);
            let found = urls.path_of(&shown);
            prop_assert_eq!(found.as_deref(), Some(&*path));
        }

        #[test]
        fn any_text_is_judged_without_a_panic(base in any::<String>(), text in any::<String>()) {
            _ = urls(&base).path_of(&text);
            _ = urls(&base).path_of(&format!("{base}/{text}"));
        }
    }
}
