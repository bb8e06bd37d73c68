//! From a method and a path to what is asked for (RFC 7644 sections 3.2 and 3.13).

use http::{Method, StatusCode};

use super::percent;
use crate::error::{Error, Result, quoted};
use crate::value::base_urls::is_api_version;

/// The target of a path below the base URL. Numbers count the registered resource types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// All resources.
    Root,
    /// A search over all resources.
    RootSearch,
    ServiceProviderConfig,
    ResourceTypes,
    ResourceType(String),
    Schemas,
    Schema(String),
    Bulk,
    Me,
    /// The resources of one type.
    Collection(usize),
    /// A search over the resources of one type.
    Search(usize),
    /// One resource.
    Resource(usize, String),
}

impl Route {
    /// Returns the methods that are allowed there, for the header `Allow`.
    pub(super) fn allow(&self) -> &'static str {
        match self {
            Self::Root
            | Self::ServiceProviderConfig
            | Self::ResourceTypes
            | Self::ResourceType(_)
            | Self::Schemas
            | Self::Schema(_) => "GET, HEAD, OPTIONS",
            Self::RootSearch | Self::Search(_) => "POST, OPTIONS",
            Self::Collection(_) => "GET, HEAD, POST, OPTIONS",
            Self::Resource(..) => "GET, HEAD, PUT, PATCH, DELETE, OPTIONS",
            Self::Bulk | Self::Me => "OPTIONS",
        }
    }

    /// Returns whether `method` is among them.
    pub(super) fn allows(&self, method: &Method) -> bool {
        self.allow().split(", ").any(|allowed| allowed == method.as_str())
    }
}

/// A route, and the protocol version that the path states before it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Routed {
    pub(super) route: Route,
    /// The version segment, which belongs to the base URL.
    pub(super) version: Option<String>,
}

/// Finds the route of a path below the mount. `endpoints` are those of the resource types.
///
/// # Errors
/// 404, and 400 `invalidVers` for a version that is not spoken here (RFC 7644 section 3.13).
pub(super) fn find(path: &str, endpoints: &[&str]) -> Result<Routed> {
    let path = path.trim_start_matches('/');
    let path = path.strip_suffix('/').unwrap_or(path);
    if let Some(route) = below_version(path, endpoints)? {
        return Ok(Routed { route, version: None });
    }
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    if !is_api_version(first) {
        return Err(nothing_at(path));
    }
    if ![LATEST, "v2.0"]
        .iter()
        .any(|known| first.eq_ignore_ascii_case(known))
    {
        let version = quoted(first);
        return Err(Error::invalid_version(format!(
            "The protocol version {version} is not supported: this service speaks v2."
        )));
    }
    match below_version(rest, endpoints)? {
        Some(route) => Ok(Routed {
            route,
            version: Some(first.to_owned()),
        }),
        None => Err(nothing_at(path)),
    }
}

fn nothing_at(path: &str) -> Error {
    let path = quoted(&format!("/{path}"));
    Error::new(
        StatusCode::NOT_FOUND,
        format!("This service has nothing at {path}."),
    )
}

/// The segment of the latest version that is spoken here.
pub(super) const LATEST: &str = "v2";

fn below_version(path: &str, endpoints: &[&str]) -> Result<Option<Route>> {
    if path.is_empty() {
        return Ok(Some(Route::Root));
    }
    for (index, endpoint) in endpoints.iter().enumerate() {
        if let Some(rest) = below(path, endpoint.trim_matches('/')) {
            return match rest {
                "" => Ok(Some(Route::Collection(index))),
                ".search" => Ok(Some(Route::Search(index))),
                id if id.contains('/') => Ok(None),
                id => Ok(Some(Route::Resource(index, percent::decode(id)?))),
            };
        }
    }
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let named = |name: &str| first.eq_ignore_ascii_case(name);
    let route = if named(".search") {
        Route::RootSearch
    } else if named("ServiceProviderConfig") || named("ServiceProviderConfigs") {
        Route::ServiceProviderConfig
    } else if named("ResourceTypes") && rest.is_empty() {
        Route::ResourceTypes
    } else if named("ResourceTypes") {
        return one(rest, Route::ResourceType);
    } else if named("Schemas") && rest.is_empty() {
        Route::Schemas
    } else if named("Schemas") {
        return one(rest, Route::Schema);
    } else if named("Bulk") {
        Route::Bulk
    } else if named("Me") {
        return Ok(Some(Route::Me));
    } else {
        return Ok(None);
    };
    Ok(rest.is_empty().then_some(route))
}

fn one(rest: &str, route: impl FnOnce(String) -> Route) -> Result<Option<Route>> {
    if rest.contains('/') {
        return Ok(None);
    }
    Ok(Some(route(percent::decode(rest)?)))
}

/// Returns the rest after an endpoint, which is found whatever its case.
fn below<'p>(path: &'p str, endpoint: &str) -> Option<&'p str> {
    let (start, rest) = path.split_at_checked(endpoint.len())?;
    if !start.eq_ignore_ascii_case(endpoint) {
        return None;
    }
    if rest.is_empty() {
        Some("")
    } else {
        rest.strip_prefix('/')
    }
}

/// Returns whether a resource type may be registered at an endpoint: it is relative, and nothing else is found there.
pub(super) fn is_free(endpoint: &str) -> bool {
    const TAKEN: [&str; 7] = [
        "ServiceProviderConfig",
        "ServiceProviderConfigs",
        "ResourceTypes",
        "Schemas",
        "Bulk",
        "Me",
        ".search",
    ];
    let path = endpoint.trim_matches('/');
    let first = path.split('/').next().unwrap_or_default();
    !path.is_empty()
        && !path.contains(['?', '#', '%'])
        && path
            .split('/')
            .all(|segment| !segment.is_empty() && segment != "." && segment != "..")
        && !is_api_version(first)
        && !TAKEN.iter().any(|taken| taken.eq_ignore_ascii_case(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDPOINTS: &[&str] = &["/Users", "/Groups"];

    fn route(path: &str) -> Route {
        find(path, ENDPOINTS).unwrap().route
    }

    #[test]
    fn endpoints_of_rfc_7644_table_2() {
        for (path, wanted) in [
            ("", Route::Root),
            ("/", Route::Root),
            ("/.search", Route::RootSearch),
            ("/Users", Route::Collection(0)),
            ("/Groups/", Route::Collection(1)),
            ("/groups", Route::Collection(1)),
            ("/Users/.search", Route::Search(0)),
            ("/Users/2819", Route::Resource(0, "2819".into())),
            ("/Users/2819/", Route::Resource(0, "2819".into())),
            ("/Users/a%2Fb", Route::Resource(0, "a/b".into())),
            ("/ServiceProviderConfig", Route::ServiceProviderConfig),
            ("/ResourceTypes", Route::ResourceTypes),
            ("/ResourceTypes/User", Route::ResourceType("User".into())),
            ("/Schemas", Route::Schemas),
            ("/Schemas/urn:a:b", Route::Schema("urn:a:b".into())),
            ("/Bulk", Route::Bulk),
            ("/Me", Route::Me),
            ("/Me/anything", Route::Me),
        ] {
            assert_eq!(route(path), wanted, "{path}");
        }
        for path in [
            "/Nothing",
            "/Users/1/2",
            "/UsersX",
            "//Groups//1",
            "/Schemas/a/b",
            "/Bulk/1",
            "/.search/x",
        ] {
            assert_eq!(find(path, ENDPOINTS).unwrap_err().status(), 404, "{path}");
        }
    }

    /// P-3.13-02: RFC 7644 section 3.13.
    #[test]
    fn a_stated_version_is_honoured_or_refused() {
        let routed = find("/v2/Users/1", ENDPOINTS).unwrap();
        assert_eq!(routed.route, Route::Resource(0, "1".into()));
        assert_eq!(routed.version.as_deref(), Some("v2"));
        for path in ["/v9/Users", "/v1", "/V3/Users/1"] {
            let error = find(path, ENDPOINTS).unwrap_err();
            assert_eq!(error.scim_type(), Some(crate::ScimType::InvalidVers), "{path}");
        }
        assert_eq!(find("/vx/Users", ENDPOINTS).unwrap_err().status(), 404);
        assert_eq!(find("/v2/Nothing", ENDPOINTS).unwrap_err().status(), 404);
    }

    #[test]
    fn endpoints_of_the_protocol_are_not_free() {
        for endpoint in ["/Users", "/hr/Badges"] {
            assert!(is_free(endpoint), "{endpoint}");
        }
        for endpoint in ["", "/", "/schemas", "/Me", "/v2", "/Users?x", "/a//b", "/../x"] {
            assert!(!is_free(endpoint), "{endpoint}");
        }
    }
}
