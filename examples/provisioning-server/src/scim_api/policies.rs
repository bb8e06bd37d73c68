//! The rules for what each organization's endpoint accepts and keeps.

use scim::patch::Patch;
use scim::path::AttrPath;
use scim::policy::{Extent, Kept, Policy};
use scim::schema::Schema;
use scim::{Limits, ScimResource};
use serde_json::json;

use crate::domain::keyword::Keyword;
use crate::domain::settings::{Attributes, IdentityProvider, Protocol, Settings};
use crate::domain::user::User;

/// The attributes of a person that are kept where attributes are mapped.
const MAPPED: &[&str] = &[
    "userName",
    "name.givenName",
    "name.familyName",
    "active",
    "externalId",
];

/// Every policy that settings can ask for, made once: a request only copies one.
#[derive(Debug)]
pub(crate) struct Policies {
    strict: ByAttributes,
    interop_profile: ByAttributes,
    tolerant: Vec<(IdentityProvider, ByAttributes)>,
    /// The tolerances of a provider that is not named.
    other: ByAttributes,
}

/// A policy, by which attributes are kept.
#[derive(Debug)]
struct ByAttributes {
    all: Policy,
    mapped: Policy,
}

impl Policies {
    pub(crate) fn new() -> scim::Result<Self> {
        let mapped = Kept::new(User::RESOURCE_TYPE, MAPPED)?;
        let by_attributes = |policy: Policy| ByAttributes::new(policy, &mapped);
        Ok(Self {
            strict: by_attributes(Policy::strict()),
            interop_profile: by_attributes(Policy::interop_profile()),
            tolerant: IdentityProvider::ALL
                .iter()
                .filter(|idp| **idp != IdentityProvider::Other)
                .map(|idp| (*idp, by_attributes(tolerances(*idp))))
                .collect(),
            other: by_attributes(tolerances(IdentityProvider::Other)),
        })
    }

    /// Makes the PATCH that removes every attribute of a person that is not kept if attributes are mapped.
    pub(crate) fn erasing() -> scim::Result<Patch<User>> {
        let kept = Kept::new(User::RESOURCE_TYPE, MAPPED)?;
        let operations: Vec<_> = not_kept(&kept, User::RESOURCE_TYPE.schema)
            .map(|path| json!({ "op": "remove", "path": path }))
            .collect();
        let message = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": operations,
        });
        Patch::parse(
            message.to_string().as_bytes(),
            &Policy::strict(),
            &Limits::default(),
        )
    }

    /// Returns the policy of an organization with these settings.
    pub(crate) fn of(&self, settings: &Settings) -> Policy {
        let policies = match settings.policy {
            Protocol::Strict => &self.strict,
            Protocol::InteropProfile => &self.interop_profile,
            Protocol::Tolerant => {
                let known = self.tolerant.iter().find(|(idp, _)| *idp == settings.idp);
                known.map_or(&self.other, |(_, policies)| policies)
            }
        };
        match settings.attributes {
            Attributes::All => policies.all.clone(),
            Attributes::Mapped => policies.mapped.clone(),
        }
    }
}

impl ByAttributes {
    fn new(policy: Policy, mapped: &Kept) -> Self {
        // A disabled person is enabled by `active: true` alone, under every policy: absence never lets anybody in.
        let all = policy.absence_never_enables(User::paths().active());
        Self {
            mapped: all.clone().keeping(mapped.clone()),
            all,
        }
    }
}

/// Returns the paths of what is not kept: of whole attributes, and of parts of those that are kept in part.
fn not_kept<'k>(kept: &'k Kept, schema: &'static Schema) -> impl Iterator<Item = String> + 'k {
    let resolved = |name: String| {
        let path = AttrPath::resolve(&name.parse().ok()?, schema)?;
        Some((name, kept.extent(path)))
    };
    schema.attributes.iter().flat_map(move |attribute| {
        let names = match resolved(attribute.name.to_owned()) {
            Some((name, Extent::Nothing)) => vec![name],
            Some((name, Extent::Part)) => {
                let parts = attribute.shape.sub_attributes.iter();
                let parts = parts.filter_map(|part| resolved(format!("{name}.{}", part.name)));
                let parts = parts.filter(|(_, extent)| *extent == Extent::Nothing);
                parts.map(|(part, _)| part).collect()
            }
            _ => Vec::new(),
        };
        names.into_iter()
    })
}

fn tolerances(idp: IdentityProvider) -> Policy {
    match idp {
        IdentityProvider::Okta => Policy::okta(),
        IdentityProvider::Entra => Policy::entra(),
        IdentityProvider::JumpCloud => Policy::jumpcloud(),
        IdentityProvider::OneLogin => Policy::onelogin(),
        IdentityProvider::Google => Policy::google(),
        IdentityProvider::Ping => Policy::ping(),
        IdentityProvider::Authentik => Policy::authentik(),
        IdentityProvider::Other => Policy::tolerant(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(idp: IdentityProvider, protocol: Protocol, attributes: Attributes) -> Policy {
        let settings = Settings {
            idp,
            policy: protocol,
            attributes,
            ..Settings::default()
        };
        Policies::new().unwrap().of(&settings)
    }

    #[test]
    fn strict_comes_before_the_provider() {
        for idp in IdentityProvider::ALL {
            let strict = policy(*idp, Protocol::Strict, Attributes::All);
            assert_eq!(strict.tolerances().count(), 0, "{idp:?}");
            let profile = policy(*idp, Protocol::InteropProfile, Attributes::All);
            assert!(profile.conforms_to_interop_profile(), "{idp:?}");
            let tolerant = policy(*idp, Protocol::Tolerant, Attributes::All);
            let expected = if *idp == IdentityProvider::Other {
                "tolerant"
            } else {
                idp.word()
            };
            assert_eq!(tolerant.name(), expected);
        }
    }

    #[test]
    fn mapped_keeps_what_the_guides_map() {
        let schema = User::RESOURCE_TYPE.schema;
        let policy = |attributes| policy(IdentityProvider::Entra, Protocol::Tolerant, attributes);
        assert!(policy(Attributes::All).kept(schema.id).is_none());
        let mapped = policy(Attributes::Mapped);
        for (name, extent) in [
            ("userName", Extent::Whole),
            ("externalId", Extent::Whole),
            ("name", Extent::Part),
            ("title", Extent::Nothing),
        ] {
            let path = AttrPath::resolve(&name.parse().unwrap(), schema).unwrap();
            assert_eq!(mapped.kept(schema.id).unwrap().extent(path), extent, "{name}");
        }
    }
}
