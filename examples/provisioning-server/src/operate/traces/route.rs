//! The route of a request: a path without what names organizations and resources.

/// The beginning of every path of an organization.
macro_rules! mount {
    ($below:literal) => {
        concat!("/scim/{organization}/v2", $below)
    };
}

/// An endpoint: its name, its route, and the route of what is below it.
const ENDPOINTS: [(&str, &str, &str); 8] = [
    ("Users", mount!("/Users"), mount!("/Users/{id}")),
    ("Groups", mount!("/Groups"), mount!("/Groups/{id}")),
    (".search", mount!("/.search"), OTHER),
    ("ServiceProviderConfig", mount!("/ServiceProviderConfig"), OTHER),
    (
        "ResourceTypes",
        mount!("/ResourceTypes"),
        mount!("/ResourceTypes/{name}"),
    ),
    ("Schemas", mount!("/Schemas"), mount!("/Schemas/{uri}")),
    ("Bulk", mount!("/Bulk"), OTHER),
    ("Me", mount!("/Me"), OTHER),
];

/// Whatever else is below an organization.
const OTHER: &str = mount!("/{*resource}");

/// Returns the route of a path; one of a few, so that traces can be told apart by it. A path without a version has the route of
/// the same with it. `None` if nothing is served there.
pub(super) fn of(path: &str) -> Option<&'static str> {
    if path.starts_with("/api/v1/access/") {
        return Some("/api/v1/access/{userName}");
    }
    let path = path.strip_prefix("/scim/")?;
    let (organization, below) = path.split_once('/').unwrap_or((path, ""));
    if organization.is_empty() {
        return None;
    }
    let below = match below.split_once('/').unwrap_or((below, "")) {
        (version, rest) if version.eq_ignore_ascii_case("v2") => rest,
        _ => below,
    };
    let below = below.strip_suffix('/').unwrap_or(below);
    if below.is_empty() {
        return Some(mount!(""));
    }
    let (first, rest) = below.split_once('/').unwrap_or((below, ""));
    let endpoint = ENDPOINTS
        .iter()
        .find(|(name, ..)| first.eq_ignore_ascii_case(name));
    Some(match (endpoint, rest) {
        (None, _) => OTHER,
        (Some((_, alone, _)), "") => alone,
        (Some(("Users", ..)), ".search") => mount!("/Users/.search"),
        (Some(("Groups", ..)), ".search") => mount!("/Groups/.search"),
        (Some((.., one)), id) if !id.contains('/') => one,
        (Some(_), _) => OTHER,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_names_nobody() {
        for (path, route) in [
            ("/api/v1/access/ann@x.example", "/api/v1/access/{userName}"),
            ("/scim/acme/v2", "/scim/{organization}/v2"),
            ("/scim/acme/v2/", "/scim/{organization}/v2"),
            ("/scim/acme/v2/Users", "/scim/{organization}/v2/Users"),
            ("/scim/acme/v2/users/", "/scim/{organization}/v2/Users"),
            (
                "/scim/acme/v2/Users/bob@example.com",
                "/scim/{organization}/v2/Users/{id}",
            ),
            (
                "/scim/acme/v2/Users/.search",
                "/scim/{organization}/v2/Users/.search",
            ),
            ("/scim/acme/v2/Groups/7", "/scim/{organization}/v2/Groups/{id}"),
            (
                "/scim/acme/v2/Schemas/urn:x",
                "/scim/{organization}/v2/Schemas/{uri}",
            ),
            ("/scim/acme/v2/Users/1/bob", "/scim/{organization}/v2/{*resource}"),
            ("/scim/acme/v2/bob", "/scim/{organization}/v2/{*resource}"),
            ("/scim/acme/v2/Me/bob", "/scim/{organization}/v2/{*resource}"),
            ("/scim/acme", "/scim/{organization}/v2"),
            ("/scim/acme/", "/scim/{organization}/v2"),
            ("/scim/acme/Users/7", "/scim/{organization}/v2/Users/{id}"),
            ("/scim/acme/v3/Users", "/scim/{organization}/v2/{*resource}"),
        ] {
            assert_eq!(of(path), Some(route), "{path}");
        }
        for path in ["/", "/bob", "/scim", "/scim/", "/scim//v1", ""] {
            assert_eq!(of(path), None, "{path}");
        }
    }
}
