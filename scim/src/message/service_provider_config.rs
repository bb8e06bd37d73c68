//! The abilities of the service (RFC 7643 section 5, RFC 9865 section 4).

use serde::{Serialize, Serializer};

use crate::limits::Limits;
use crate::message::discovery::write_with_meta;
use crate::policy::Policy;
use crate::projection::Base;

/// The document of `/ServiceProviderConfig`. Whatever it says must be true: the service checks what it can at its
/// start.
///
/// ```
/// use scim::message::{AuthenticationScheme, ServiceProviderConfig};
/// use scim::{Limits, policy::Policy, projection::Base};
///
/// let mut config = ServiceProviderConfig::new(&Limits::default());
/// config.authentication_schemes.push(AuthenticationScheme::bearer_token());
/// let mut body = Vec::new();
/// config.write(&mut body, &Policy::strict(), Base::Url("https://example.com/v2"));
/// assert!(body.starts_with(br#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"]"#));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceProviderConfig {
    /// The complete URL of a page about the service for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documentation_uri: Option<String>,
    /// Whether resources can be changed with PATCH.
    #[serde(serialize_with = "supported")]
    pub patch: bool,
    /// Whether several operations can be sent in one request; `None` if they cannot.
    #[serde(serialize_with = "bulk")]
    pub bulk: Option<BulkSupport>,
    /// Resources on one page at most; `None` if filters are not supported.
    #[serde(serialize_with = "filter")]
    pub filter: Option<usize>,
    /// Whether clients can change a password.
    #[serde(serialize_with = "supported")]
    pub change_password: bool,
    /// Whether lists can be sorted.
    #[serde(serialize_with = "supported")]
    pub sort: bool,
    /// Whether resources have versions.
    #[serde(serialize_with = "supported")]
    pub etag: bool,
    /// How clients authenticate.
    pub authentication_schemes: Vec<AuthenticationScheme>,
    /// How lists are cut into pages; `None` if nothing is said of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pagination: Option<Pagination>,
}

/// The limits of a bulk request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BulkSupport {
    /// Operations in one request at most.
    pub max_operations: usize,
    /// Bytes of one request at most.
    pub max_payload_size: usize,
}

/// How lists are cut into pages (RFC 9865 section 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pagination {
    /// Whether pages can be asked for by a cursor.
    pub cursor: bool,
    /// Whether pages can be asked for by the index of their first resource.
    pub index: bool,
    /// The method that is meant by a request that names none: `index` or `cursor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_pagination_method: Option<String>,
    /// Resources on a page if the request does not say how many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_page_size: Option<usize>,
    /// Resources on a page whatever the request says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_page_size: Option<usize>,
    /// Seconds for which a cursor is good at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor_timeout: Option<u64>,
}

/// One way in which clients authenticate (RFC 7643 section 5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthenticationScheme {
    /// `oauth`, `oauth2`, `oauthbearertoken`, `httpbasic`, `httpdigest` or another keyword.
    #[serde(rename = "type")]
    pub kind: String,
    /// A name for people.
    pub name: String,
    /// A description for people.
    pub description: String,
    /// The specification: a complete URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec_uri: Option<String>,
    /// How to use it: a complete URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documentation_uri: Option<String>,
    /// Whether it is the preferred one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub primary: bool,
}

impl AuthenticationScheme {
    /// Describes a token in the header `Authorization: Bearer …` (RFC 6750), as the preferred scheme.
    #[must_use]
    pub fn bearer_token() -> Self {
        Self {
            kind: "oauthbearertoken".into(),
            name: "Bearer token".into(),
            description:
                "A token that the administrator of the service has issued, in the header Authorization."
                    .into(),
            spec_uri: Some("https://www.rfc-editor.org/info/rfc6750".into()),
            documentation_uri: None,
            primary: true,
        }
    }
}

impl ServiceProviderConfig {
    /// Describes the abilities of this crate's service within `limits`, without bulk, change of passwords and
    /// authentication.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            documentation_uri: None,
            patch: true,
            bulk: None,
            filter: Some(limits.page_size_max),
            change_password: false,
            sort: true,
            etag: true,
            authentication_schemes: Vec::new(),
            pagination: Some(Pagination {
                cursor: false,
                index: true,
                default_pagination_method: Some("index".into()),
                default_page_size: Some(limits.page_size.min(limits.page_size_max)),
                max_page_size: Some(limits.page_size_max),
                cursor_timeout: None,
            }),
        }
    }

    /// Returns whether the service is what the SCIM 2.0 Interoperability Profile asks for, under `policy`: PATCH and
    /// filters are supported, a page holds 100 resources, and the policy
    /// [conforms](crate::policy::Policy::conforms_to_interop_profile).
    #[must_use]
    pub fn conforms_to_interop_profile(&self, policy: &Policy) -> bool {
        const LEAST: usize = 100;
        self.patch && self.filter.is_some_and(|most| most >= LEAST) && policy.conforms_to_interop_profile()
    }

    /// Writes the document for requests under `policy`.
    pub fn write(&self, out: &mut Vec<u8>, policy: &Policy, base: Base<'_>) {
        let document = Document {
            schemas: [super::SERVICE_PROVIDER_CONFIG.id],
            config: self,
            interop_profile_conformant: self.conforms_to_interop_profile(policy),
        };
        write_with_meta(
            out,
            &document,
            "ServiceProviderConfig",
            "ServiceProviderConfig",
            base,
        );
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schemas: [&'static str; 1],
    #[serde(flatten)]
    config: &'a ServiceProviderConfig,
    #[serde(
        rename = "interopProfileConformant",
        skip_serializing_if = "std::ops::Not::not"
    )]
    interop_profile_conformant: bool,
}

#[derive(Serialize)]
struct Supported<T> {
    supported: bool,
    #[serde(flatten)]
    more: T,
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MaxResults {
    max_results: usize,
}

// The signatures of the following are serde's.

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn supported<S: Serializer>(supported: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    let supported = *supported;
    Supported {
        supported,
        more: Nothing {},
    }
    .serialize(serializer)
}

/// Writes the support of bulk. Whatever is not supported has limits too, for its members are required: nothing at all.
fn bulk<S: Serializer>(bulk: &Option<BulkSupport>, serializer: S) -> Result<S::Ok, S::Error> {
    let supported = bulk.is_some();
    let more = bulk.clone().unwrap_or(BulkSupport {
        max_operations: 0,
        max_payload_size: 0,
    });
    Supported { supported, more }.serialize(serializer)
}

fn filter<S: Serializer>(filter: &Option<usize>, serializer: S) -> Result<S::Ok, S::Error> {
    let supported = filter.is_some();
    let max_results = filter.unwrap_or(0);
    Supported {
        supported,
        more: MaxResults { max_results },
    }
    .serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(config: &ServiceProviderConfig) -> serde_json::Value {
        document_under(&Policy::strict(), config)
    }

    fn document_under(policy: &Policy, config: &ServiceProviderConfig) -> serde_json::Value {
        let mut out = Vec::new();
        config.write(&mut out, policy, Base::Url("https://example.com/v2/"));
        serde_json::from_slice(&out).unwrap()
    }

    /// IP-01: announced under that policy alone, and only if it is true.
    #[test]
    fn the_profile_is_announced_where_it_is_met() {
        let config = ServiceProviderConfig::new(&Limits::default());
        let announced = |policy: &Policy, config: &ServiceProviderConfig| {
            document_under(policy, config)
                .get("interopProfileConformant")
                .cloned()
        };
        let profile = Policy::interop_profile();
        assert_eq!(announced(&profile, &config), Some(true.into()));
        for policy in [Policy::tolerant(), Policy::strict()] {
            assert_eq!(announced(&policy, &config), None);
        }
        let mut less = config.clone();
        less.patch = false;
        assert_eq!(announced(&profile, &less), None);
        for filter in [None, Some(99)] {
            let less = ServiceProviderConfig {
                filter,
                ..config.clone()
            };
            assert_eq!(announced(&profile, &less), None);
        }
    }

    /// S-5-01, S-5-03, S-5-04: every member is there, also of what is not supported.
    #[test]
    fn every_required_member_is_there() {
        let limits = Limits {
            page_size: 50,
            page_size_max: 200,
            ..Limits::default()
        };
        assert_eq!(
            document(&ServiceProviderConfig::new(&limits)),
            serde_json::json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
                "patch": {"supported": true},
                "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
                "filter": {"supported": true, "maxResults": 200},
                "changePassword": {"supported": false},
                "sort": {"supported": true},
                "etag": {"supported": true},
                "authenticationSchemes": [],
                "pagination": {
                    "cursor": false, "index": true, "defaultPaginationMethod": "index",
                    "defaultPageSize": 50, "maxPageSize": 200,
                },
                "meta": {
                    "resourceType": "ServiceProviderConfig",
                    "location": "https://example.com/v2/ServiceProviderConfig",
                },
            })
        );
    }

    /// S-5-05, S-5-08, P-3.7-01.
    #[test]
    fn what_is_configured_is_shown() {
        let mut config = ServiceProviderConfig::new(&Limits::default());
        config.documentation_uri = Some("https://example.com/help".into());
        config.bulk = Some(BulkSupport {
            max_operations: 10,
            max_payload_size: 1000,
        });
        config.filter = None;
        config.pagination = None;
        config.authentication_schemes = vec![AuthenticationScheme::bearer_token()];
        let document = document(&config);
        assert_eq!(document["documentationUri"], "https://example.com/help");
        assert_eq!(
            document["bulk"],
            serde_json::json!({"supported": true, "maxOperations": 10, "maxPayloadSize": 1000})
        );
        assert_eq!(
            document["filter"],
            serde_json::json!({"supported": false, "maxResults": 0})
        );
        assert_eq!(document.get("pagination"), None);
        let scheme = &document["authenticationSchemes"][0];
        assert_eq!(
            (&scheme["type"], &scheme["primary"]),
            (&"oauthbearertoken".into(), &true.into())
        );
        for name in ["name", "description", "specUri"] {
            assert!(
                scheme[name].as_str().is_some_and(|text| !text.is_empty()),
                "{name}"
            );
        }
    }
}
