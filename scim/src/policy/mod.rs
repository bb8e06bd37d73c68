//! Departures from the RFCs in both directions, named tolerances and restrictions, and policies made of them.
//!
//! Identity providers send things that the RFCs do not allow. Each departure that a service puts up with is one
//! [`Tolerance`] with a name, so that a history can say which ones a provider needs. Profiles of SCIM forbid things that the
//! RFCs allow: each is one [`Restriction`]. A service always *sends* what the RFCs say.

#[cfg(feature = "x509")]
mod certificate;
mod coercions;
mod formats;
mod kept;
mod restriction;
mod switch;
mod tolerance;

use std::borrow::Cow;
use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use crate::error::Result;
use crate::path::{AttrPath, Path};
use crate::policy::formats::Formats;
use crate::record::{Record, ScimResource};
use crate::schema::{Shape, Type};
use crate::value::json::Kind;
use crate::value::{Coerce, Coerced, Cx, Json, JsonBuf, Leniency, Prohibition};

pub use kept::{Extent, Kept};
pub use restriction::{
    ALL_RESTRICTIONS, ELEMENT_SELECTORS, OPERATIONS_WITHOUT_PATH, PARTIAL_REPLACES, PLAIN_JSON, Restriction,
    SEVERAL_ELEMENTS, UNKEPT_ATTRIBUTES, UNKNOWN_PATHS, VALUES_WITHOUT_LIST,
};
pub use tolerance::{
    ALL, BARE_VALUES, BOOLEAN_STRINGS, BOTH_PROJECTIONS, Coercion, ELEMENTS_WITHOUT_VALUE, EMPTIED_LISTS,
    EMPTY_PATHS, EXACT_INTEGERS, FREE_CERTIFICATES, FREE_FORMATS, JSON_IN_STRINGS, MEDIA_TYPES,
    MISSING_SCHEMAS, MISSING_SPACES, NEAR_NAMES, NO_VALUES, NUMBERED_OBJECTS, NUMBERS_FOR_STRINGS,
    NUMERIC_STRINGS, OTHER_ACCEPT, PATH_KEYS, REMOVE_LISTED_VALUES, SELECTED_ELEMENT_CREATED,
    SINGLE_RESOURCE_FILTERS, SINGLE_VALUES_SELECTED, SINGLE_VALUES_WITHOUT_ARRAY, Tolerance, UNKNOWN_NAMES,
    UNKNOWN_SORT, UNNAMED_EDGES, UNQUOTED_OPERANDS, VALUE_PATH_COMPARISONS, WRAPPED_VALUES,
};

/// A set of tolerances and restrictions. Cheap to clone.
///
/// [`Policy::tolerant`], the default, works with every provider we know at once; [`Policy::strict`] is the RFCs alone;
/// [`Policy::interop_profile`] is a profile of the RFCs that allows fewer ways to say the same.
///
/// ```
/// use scim::policy::{self, Policy};
///
/// let policy = Policy::tolerant().without(&policy::UNKNOWN_NAMES);
/// assert!(policy.allows(&policy::BOOLEAN_STRINGS));
/// assert!(!policy.allows(&policy::UNKNOWN_NAMES));
/// ```
#[derive(Clone)]
pub struct Policy {
    name: Cow<'static, str>,
    tolerances: Arc<[&'static Tolerance]>,
    restrictions: Arc<[&'static Restriction]>,
    kept: Arc<[Kept]>,
    /// Schemas and their attributes that absence never enables.
    switches: Arc<[(&'static str, AttrPath)]>,
}

impl Policy {
    /// Accepts everything that a provider is known to need today: all tolerances but [`UNQUOTED_OPERANDS`], which take
    /// what is malformed for a filter and must be asked for.
    #[must_use]
    pub fn tolerant() -> Self {
        let needed = ALL.iter().copied();
        Self {
            name: "tolerant".into(),
            tolerances: needed
                .filter(|tolerance| tolerance.name != UNQUOTED_OPERANDS.name)
                .collect(),
            restrictions: Arc::new([]),
            kept: Arc::new([]),
            switches: Arc::new([]),
        }
    }

    /// Returns [`tolerant`](Self::tolerant) by its former name.
    #[deprecated(note = "use `Policy::tolerant`")]
    #[must_use]
    pub fn interop() -> Self {
        Self::tolerant()
    }

    /// Follows the RFC's letter.
    #[must_use]
    pub fn strict() -> Self {
        Self {
            name: "strict".into(),
            tolerances: Arc::new([]),
            restrictions: Arc::new([]),
            kept: Arc::new([]),
            switches: Arc::new([]),
        }
    }

    /// Returns the policy of the SCIM 2.0 Interoperability Profile (draft-zollner-scim-interop-profile-02): the RFCs alone,
    /// every [`Restriction`], and of the tolerances [`REMOVE_LISTED_VALUES`]. Under it, and under no other,
    /// `/ServiceProviderConfig` says `interopProfileConformant: true`; see
    /// [`conforms_to_interop_profile`](Self::conforms_to_interop_profile).
    ///
    /// This is how a service meets what the profile asks of it:
    ///
    /// | | the profile asks | met by |
    /// |---|---|---|
    /// | IP-01 | the announcement `interopProfileConformant` | this policy; the attribute is in `/Schemas` then, too |
    /// | IP-02 | discovery, and `/Schemas` that says exactly what is implemented | every policy, and [`UNKEPT_ATTRIBUTES`]: what is not kept is neither listed nor accepted |
    /// | IP-03 | the `id` of a resource type is its `name` | every policy |
    /// | IP-04 | one case sensitivity for filters and uniqueness | every policy: both use the same keys |
    /// | IP-05 | attributes and schemas that are not defined are 400 `invalidSyntax` | no [`UNKNOWN_NAMES`]; [`UNKNOWN_PATHS`] |
    /// | IP-06 | `canonicalValues` for each `type` of a multi-valued attribute | the schemas of [`resources`](crate::resources); in resources of your own, `#[scim(canonical(…))]` |
    /// | IP-07 | one endpoint for a type, and `/{endpoint}/{id}` alone for a resource | every policy |
    /// | IP-08 | answers are `application/scim+json` | [`PLAIN_JSON`] |
    /// | IP-09 | filters with `eq` and `and`; unknown attributes are 400 `invalidFilter` | every policy |
    /// | IP-10 | pages by index; a `count` of 100 is honoured | every policy, if [`Limits::page_size_max`](crate::Limits::page_size_max) is 100 at least |
    /// | IP-11 | 100 resources without a `count` | [`Limits::page_size`](crate::Limits::page_size), unless changed |
    /// | IP-12 | PATCH; an operation without a path is 400 `invalidSyntax` | [`OPERATIONS_WITHOUT_PATH`] |
    /// | IP-13 | add and replace of a simple single value are the same | every policy |
    /// | IP-14 | replace of a whole complex value replaces all of it, add merges | [`PARTIAL_REPLACES`] |
    /// | IP-15 | replace of a multi-valued attribute replaces all values, add appends; the value is a list | [`VALUES_WITHOUT_LIST`] |
    /// | IP-16 | a filter in a PATCH path is followed by a sub-attribute, or 400 `invalidPath` | [`ELEMENT_SELECTORS`], of complex values |
    /// | IP-17 | a filter in a PATCH path that selects several elements is 400 `invalidFilter` | [`SEVERAL_ELEMENTS`] |
    /// | IP-18 | PATCH never deletes a resource, DELETE does | every policy; the rest is the store's contract |
    /// | IP-19 | unique values of a deleted resource are free at once | the store's contract |
    /// | IP-20 | conditional headers may be ignored or refused | neither: they are honoured under every policy |
    /// | IP-21 | a conflict is 409 `uniqueness` | every policy |
    /// | IP-22 | TLS | the server's affair: `provisioning-server` offers TLS 1.3 and 1.2 |
    ///
    /// IP-16 forbids the RFC's way to take one member out of a group, `members[value eq "…"]`, and the profile names no
    /// other. A `remove` with the path `members` and a list of members as its value is therefore accepted.
    ///
    /// ```
    /// use scim::policy::{OPERATIONS_WITHOUT_PATH, Policy, UNKNOWN_NAMES};
    ///
    /// let policy = Policy::interop_profile();
    /// assert!(policy.restricts(&OPERATIONS_WITHOUT_PATH));
    /// assert!(!policy.allows(&UNKNOWN_NAMES));
    /// ```
    #[must_use]
    pub fn interop_profile() -> Self {
        let strict = Self::strict()
            .named("interop-profile")
            .with(&REMOVE_LISTED_VALUES);
        ALL_RESTRICTIONS
            .iter()
            .fold(strict, |policy, restriction| policy.restricting(restriction))
    }

    /// Meets the needs of Okta, in both its dialects.
    #[must_use]
    pub fn okta() -> Self {
        Self::tolerant().named("okta").without(&JSON_IN_STRINGS)
    }

    /// Meets the needs of Microsoft Entra ID, in all its dialects.
    #[must_use]
    pub fn entra() -> Self {
        Self::tolerant().named("entra")
    }

    /// Meets the needs of JumpCloud.
    #[must_use]
    pub fn jumpcloud() -> Self {
        Self::tolerant().named("jumpcloud").without(&JSON_IN_STRINGS)
    }

    /// Meets the needs of OneLogin.
    #[must_use]
    pub fn onelogin() -> Self {
        Self::tolerant().named("onelogin").without(&JSON_IN_STRINGS)
    }

    /// Meets the needs of Google Workspace.
    #[must_use]
    pub fn google() -> Self {
        Self::tolerant().named("google").without(&JSON_IN_STRINGS)
    }

    /// Meets the needs of Ping Identity's products.
    #[must_use]
    pub fn ping() -> Self {
        Self::tolerant().named("ping").without(&JSON_IN_STRINGS)
    }

    /// Meets the needs of authentik.
    #[must_use]
    pub fn authentik() -> Self {
        Self::tolerant().named("authentik").without(&JSON_IN_STRINGS)
    }

    /// Returns the name under which the policy appears in logs.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Gives the policy another name.
    #[must_use]
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Adds one more tolerance. Those that come earlier have the first say.
    #[must_use]
    pub fn with(mut self, tolerance: &'static Tolerance) -> Self {
        if !self.allows(tolerance) {
            self.tolerances = self.tolerances.iter().copied().chain([tolerance]).collect();
        }
        self
    }

    /// Removes one tolerance.
    #[must_use]
    pub fn without(mut self, tolerance: &'static Tolerance) -> Self {
        self.tolerances = self
            .tolerances
            .iter()
            .copied()
            .filter(|known| known.name != tolerance.name)
            .collect();
        self
    }

    /// Adds a restriction.
    #[must_use]
    pub fn restricting(mut self, restriction: &'static Restriction) -> Self {
        if !self.restricts(restriction) {
            self.restrictions = self.restrictions.iter().copied().chain([restriction]).collect();
        }
        self
    }

    /// Returns whether the policy has this restriction.
    #[must_use]
    pub fn restricts(&self, restriction: &Restriction) -> bool {
        self.restrictions
            .iter()
            .any(|known| known.name == restriction.name)
    }

    /// Returns the restrictions of the policy.
    pub fn restrictions(&self) -> impl Iterator<Item = &'static Restriction> {
        self.restrictions.iter().copied()
    }

    /// Returns whether a service under this policy is what the SCIM 2.0 Interoperability Profile asks for: the policy
    /// has every restriction of [`interop_profile`](Self::interop_profile), and no further tolerance.
    #[must_use]
    pub fn conforms_to_interop_profile(&self) -> bool {
        ALL_RESTRICTIONS
            .iter()
            .all(|restriction| self.restricts(restriction))
            && self
                .tolerances()
                .all(|tolerance| tolerance.name == REMOVE_LISTED_VALUES.name)
    }

    /// Returns whether the policy has this tolerance.
    #[must_use]
    pub fn allows(&self, tolerance: &Tolerance) -> bool {
        self.tolerances.iter().any(|known| known.name == tolerance.name)
    }

    /// Returns the name of the tolerance if the policy has it: what is reported when it acts.
    #[must_use]
    pub fn grants(&self, tolerance: &Tolerance) -> Option<&'static str> {
        self.tolerances
            .iter()
            .find(|known| known.name == tolerance.name)
            .map(|known| known.name)
    }

    /// Returns the tolerances of the policy.
    pub fn tolerances(&self) -> impl Iterator<Item = &'static Tolerance> {
        self.tolerances.iter().copied()
    }

    /// Adapts the policy to an application that keeps only some attributes of a resource type.
    #[must_use]
    pub fn keeping(mut self, kept: Kept) -> Self {
        let schema = kept.schema();
        let others = self.kept.iter().filter(|known| known.schema() != schema).cloned();
        self.kept = others.chain(std::iter::once(kept)).collect();
        self
    }

    /// Returns the attributes that are kept of resources of this schema; `None` if all are.
    #[must_use]
    pub fn kept(&self, schema: &str) -> Option<&Kept> {
        self.kept.iter().find(|kept| kept.schema() == schema)
    }

    /// Returns the rules for the attributes that are kept, resource type by resource type.
    pub fn all_kept(&self) -> impl Iterator<Item = &Kept> {
        self.kept.iter()
    }

    /// Sees to it that absence never enables: once this attribute is `false`, a PUT or a PATCH makes it
    /// true by saying `true`, and not by leaving it out or setting it to `null`. A resource that never had the attribute
    /// is left alone.
    ///
    /// RFC 7644 section 3.5.1 lets a service clear what a PUT omits; where an absent `active` means that a person may
    /// sign in, that would let a disabled person in again.
    ///
    /// ```
    /// use scim::patch::Patch;
    /// use scim::policy::Policy;
    /// use scim::resources::User;
    /// use scim::{Limits, ScimResource};
    ///
    /// let policy = Policy::tolerant().absence_never_enables(User::paths().active());
    /// let disabled = User { active: Some(false), ..User::new("bjensen") };
    /// let body = br#"{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    ///     "Operations": [{"op": "remove", "path": "active"}]}"#;
    /// let patch = Patch::<User>::parse(body, &policy, &Limits::default())?;
    /// assert!(patch.apply(&disabled)?.resource.is_none(), "nothing has changed");
    /// # Ok::<(), scim::Error>(())
    /// ```
    #[must_use]
    pub fn absence_never_enables<R: ScimResource>(mut self, attribute: Path<R, bool>) -> Self {
        let switch = (R::RESOURCE_TYPE.schema.id, attribute.path());
        self.switches = self.switches.iter().copied().chain([switch]).collect();
        self
    }

    /// Applies [`absence_never_enables`](Self::absence_never_enables) to what a PUT or a PATCH has made of a resource of
    /// this schema.
    ///
    /// # Errors
    /// None that a derived record returns; those of its attribute handlers.
    pub fn keep_disabled(&self, schema: &str, before: &dyn Record, after: &mut dyn Record) -> Result<()> {
        for (_, path) in self.switches.iter().filter(|(owner, _)| *owner == schema) {
            switch::keep_disabled(path.steps(), before, after)?;
        }
        Ok(())
    }

    /// Takes what is not kept out of a record.
    ///
    /// # Errors
    /// Those of [`Kept::strip`].
    pub fn strip(&self, schema: &str, record: &mut dyn Record, cx: &mut Cx<'_>) -> Result<()> {
        self.kept(schema).map_or(Ok(()), |kept| kept.strip(record, cx))
    }

    /// Checks what no single attribute can: names that are blank, and formats where the policy asks for them.
    ///
    /// # Errors
    /// 400 `invalidValue`.
    pub fn check(&self, record: &dyn Record) -> Result<()> {
        let formats = Formats {
            texts: self.checks_formats(),
            certificates: !self.allows(&FREE_CERTIFICATES),
        };
        formats.check(record)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::tolerant()
    }
}

impl Debug for Policy {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("name", &self.name)
            .field("tolerances", &self.tolerances)
            .field("restrictions", &self.restrictions)
            .finish()
    }
}

impl Coerce for Policy {
    fn coerce(&self, json: Json<'_>, want: &Shape) -> Option<Coerced> {
        if fits(json.kind(), want) {
            return None;
        }
        let mut made: Option<JsonBuf> = None;
        let mut acted: Vec<&'static str> = Vec::new();
        // The result of one tolerance may need another: `["True"]` is unwrapped, and then it is a string. Each acts
        // once.
        loop {
            let current = made.as_ref().map_or(json, JsonBuf::as_json);
            if !acted.is_empty() && fits(current.kind(), want) {
                break;
            }
            let next = self.tolerances.iter().find_map(|tolerance| {
                let is_new = !acted.contains(&tolerance.name);
                let json = is_new.then(|| tolerance.coerce(current, want))??;
                Some((json, tolerance.name))
            });
            let Some((json, name)) = next else { break };
            made = Some(json);
            acted.push(name);
        }
        made.map(|json| Coerced {
            json,
            tolerances: acted,
        })
    }

    fn allows(&self, leniency: Leniency) -> Option<&'static str> {
        self.grants(match leniency {
            Leniency::UnknownNames => &UNKNOWN_NAMES,
            Leniency::MissingSchemas => &MISSING_SCHEMAS,
            Leniency::NoValues => &NO_VALUES,
            Leniency::EmptiedLists => &EMPTIED_LISTS,
            Leniency::ElementsWithoutValue => &ELEMENTS_WITHOUT_VALUE,
            Leniency::CreatesElements => &SELECTED_ELEMENT_CREATED,
            Leniency::NearNames => &NEAR_NAMES,
            Leniency::SingleValuesSelected => &SINGLE_VALUES_SELECTED,
        })
    }

    fn keeps(&self, schema: &str, attribute: AttrPath) -> bool {
        self.kept(schema)
            .is_none_or(|kept| kept.extent(attribute) != Extent::Nothing)
    }

    fn checks_formats(&self) -> bool {
        !Policy::allows(self, &FREE_FORMATS)
    }

    fn forbids(&self, prohibition: Prohibition) -> bool {
        self.restricts(match prohibition {
            Prohibition::UnkeptAttributes => &UNKEPT_ATTRIBUTES,
            Prohibition::PartialReplaces => &PARTIAL_REPLACES,
            Prohibition::ValuesWithoutList => &VALUES_WITHOUT_LIST,
            Prohibition::SeveralElements => &SEVERAL_ELEMENTS,
        })
    }
}

/// Returns whether nothing can have to be coerced, which is so of nearly all that is sent. Not of objects: one may hold
/// JSON in a string.
fn fits(sent: Kind, want: &Shape) -> bool {
    match sent {
        Kind::Array => want.multi_valued,
        _ if want.multi_valued => false,
        Kind::Bool => want.kind == Type::Boolean,
        Kind::String => matches!(
            want.kind,
            Type::String | Type::Reference | Type::DateTime | Type::Binary
        ),
        Kind::Null | Kind::Number | Kind::Object => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tolerance_and_restriction_has_a_name_of_its_own() {
        let tolerances = ALL.iter().map(|tolerance| tolerance.name);
        let restrictions = ALL_RESTRICTIONS.iter().map(|restriction| restriction.name);
        let mut names: Vec<_> = tolerances.chain(restrictions).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len() + ALL_RESTRICTIONS.len());
    }

    /// A value that fits without asking the tolerances is one that none of them bends.
    #[test]
    fn no_tolerance_bends_what_fits() {
        let kinds = [
            Type::String,
            Type::Boolean,
            Type::Decimal,
            Type::Integer,
            Type::DateTime,
            Type::Binary,
            Type::Reference,
            Type::Complex,
        ];
        let shapes = kinds.map(Shape::new);
        let texts = [
            r#""""#,
            r#""True""#,
            r#""{\"value\":\"7\"}""#,
            "true",
            "1.0",
            "null",
            "[]",
            r#"["True"]"#,
        ];
        for text in texts {
            let json = JsonBuf::parse(text.as_bytes(), &crate::Limits::default()).unwrap();
            for shape in shapes.iter().flat_map(|shape| [*shape, shape.multiple()]) {
                let bent = ALL
                    .iter()
                    .any(|tolerance| tolerance.coerce(json.as_json(), &shape).is_some());
                assert!(
                    !(bent && fits(json.as_json().kind(), &shape)),
                    "{text} for {shape:?}"
                );
            }
        }
    }

    /// IP-01: what is announced is true of the policy, whatever it is derived from.
    #[test]
    fn one_tolerance_more_or_one_restriction_less_is_not_the_profile() {
        let profile = Policy::interop_profile();
        assert!(profile.conforms_to_interop_profile());
        assert!(profile.clone().named("mine").conforms_to_interop_profile());
        assert!(
            profile
                .clone()
                .without(&REMOVE_LISTED_VALUES)
                .conforms_to_interop_profile()
        );
        for tolerance in ALL {
            let more = profile.clone().with(tolerance);
            assert_eq!(
                more.conforms_to_interop_profile(),
                profile.allows(tolerance),
                "{tolerance:?}"
            );
        }
        for policy in [Policy::tolerant(), Policy::strict()] {
            assert!(!policy.conforms_to_interop_profile());
            let all = ALL_RESTRICTIONS.iter().skip(1);
            let less = all.fold(policy, |policy, restriction| policy.restricting(restriction));
            assert!(!less.conforms_to_interop_profile());
        }
    }

    #[test]
    fn provider_presets_only_narrow_tolerant() {
        for policy in [
            Policy::okta(),
            Policy::entra(),
            Policy::jumpcloud(),
            Policy::onelogin(),
            Policy::google(),
            Policy::ping(),
            Policy::authentik(),
            Policy::strict(),
        ] {
            assert!(
                policy
                    .tolerances()
                    .all(|tolerance| Policy::tolerant().allows(tolerance)),
                "{policy:?}"
            );
        }
    }
}
