//! The endpoints that requests go to, as a history tells them apart.

use uuid::Uuid;

use super::keyword::{Keyword, keywords};

keywords! {
    /// An endpoint of an organization.
    Endpoint {
        /// People.
        Users = "users",
        /// Groups.
        Groups = "groups",
        /// Whoever is signed in.
        Me = "me",
        /// Many requests in one.
        Bulk = "bulk",
        /// Searches over everything.
        Search = ".search",
        /// Discovery of schemas.
        Schemas = "schemas",
        /// Discovery of resource types.
        ResourceTypes = "resourcetypes",
        /// Discovery of what the service can do.
        ServiceProviderConfig = "serviceproviderconfig",
        /// Anything else, and what was not a request.
        Other = "other",
    }
}

impl Endpoint {
    /// Returns the endpoint that the path of a request names: `/scim/acme/v2/Users/1?filter`.
    pub(crate) fn of(path: &str) -> Self {
        let path = path.split('?').next().unwrap_or_default();
        let mut segments = path.split('/').filter(|segment| !segment.is_empty()).skip(2);
        let first = segments.next().filter(|segment| !is_version(segment));
        first.or_else(|| segments.next()).map_or(Self::Other, Self::named)
    }

    fn named(segment: &str) -> Self {
        Self::from_word(&segment.to_ascii_lowercase()).unwrap_or(Self::Other)
    }
}

fn is_version(segment: &str) -> bool {
    let digits = segment.strip_prefix(['v', 'V']);
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The target of a search by path: an endpoint, and perhaps one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathFilter {
    pub(crate) endpoint: Endpoint,
    /// The id of a resource.
    pub(crate) resource: Option<String>,
}

impl PathFilter {
    /// Reads `/Users`, `Users/01a2…` or a whole path as the history shows it.
    pub(crate) fn parse(text: &str) -> Self {
        let text = text.split('?').next().unwrap_or_default();
        let mut segments: Vec<&str> = text.split('/').filter(|segment| !segment.is_empty()).collect();
        if segments
            .first()
            .is_some_and(|first| first.eq_ignore_ascii_case("scim"))
        {
            segments.drain(..segments.len().min(2));
        }
        let mut rest = segments.into_iter().skip_while(|segment| is_version(segment));
        let endpoint = rest.next().map_or(Endpoint::Other, Endpoint::named);
        Self {
            endpoint,
            resource: rest.next().map(str::to_owned),
        }
    }
}

/// Returns the sequence that every request from `milliseconds` since 1970 on sorts after, or is.
pub(crate) fn first_sequence(milliseconds: i64) -> Uuid {
    let bounded = u128::try_from(milliseconds.max(0))
        .unwrap_or(0)
        .min((1 << 48) - 1);
    Uuid::from_u128(bounded << 80)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feature row 64: the filter by path.
    #[test]
    fn a_path_names_its_endpoint() {
        for (path, endpoint) in [
            ("/scim/acme/v2/Users", Endpoint::Users),
            ("/scim/acme/v2/Users/1?attributes", Endpoint::Users),
            ("/scim/acme/groups/1", Endpoint::Groups),
            ("/scim/acme/v2/.search", Endpoint::Search),
            (
                "/scim/acme/V2/ServiceProviderConfig/",
                Endpoint::ServiceProviderConfig,
            ),
            ("/scim/users/v2/Schemas/urn:x", Endpoint::Schemas),
            ("/scim/users/v2", Endpoint::Other),
            ("/scim/users", Endpoint::Other),
            ("", Endpoint::Other),
            ("/scim/acme/v2/Nothing", Endpoint::Other),
        ] {
            assert_eq!(Endpoint::of(path), endpoint, "{path}");
        }
        for (text, endpoint, resource) in [
            ("/Users", Endpoint::Users, None),
            ("users/1", Endpoint::Users, Some("1")),
            ("/v2/Groups/", Endpoint::Groups, None),
            ("/scim/acme/v2/Groups/7?x", Endpoint::Groups, Some("7")),
            ("", Endpoint::Other, None),
        ] {
            let expected = PathFilter {
                endpoint,
                resource: resource.map(str::to_owned),
            };
            assert_eq!(PathFilter::parse(text), expected, "{text}");
        }
    }

    /// A date is a range of keys.
    #[test]
    fn a_sequence_sorts_by_its_time() {
        let now = jiff::Timestamp::now().as_millisecond();
        let made = Uuid::now_v7();
        assert!(first_sequence(now) <= made && made < first_sequence(now + 60_000));
        assert_eq!(first_sequence(-1), Uuid::nil());
    }
}
