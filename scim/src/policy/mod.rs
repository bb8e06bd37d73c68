//! What a service accepts beyond the RFC's letter: named tolerances, and policies made of them.
//!
//! Identity providers send things that the RFCs do not allow. Each departure that a service puts up with is one
//! [`Tolerance`] with a name, so that a history can say which ones a provider needs. What a service *sends* is always
//! the RFC's letter.

mod coercions;
mod formats;
mod kept;
mod switch;
mod tolerance;

use std::borrow::Cow;
use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use crate::error::Result;
use crate::path::{AttrPath, Path};
use crate::record::{Record, ScimResource};
use crate::schema::{Shape, Type};
use crate::value::json::Kind;
use crate::value::{Coerce, Coerced, Cx, Json, JsonBuf, Leniency};

pub use kept::{Extent, Kept};
pub use tolerance::{
    ALL, BARE_VALUES, BOOLEAN_STRINGS, BOTH_PROJECTIONS, Coercion, ELEMENTS_WITHOUT_VALUE, EMPTIED_LISTS,
    EMPTY_PATHS, EXACT_INTEGERS, FREE_FORMATS, JSON_IN_STRINGS, MEDIA_TYPES, MISSING_SCHEMAS, MISSING_SPACES,
    NEAR_NAMES, NO_VALUES, NUMBERED_OBJECTS, NUMBERS_FOR_STRINGS, NUMERIC_STRINGS, OTHER_ACCEPT, PATH_KEYS,
    REMOVE_LISTED_VALUES, SELECTED_ELEMENT_CREATED, SINGLE_RESOURCE_FILTERS, SINGLE_VALUES_SELECTED,
    SINGLE_VALUES_WITHOUT_ARRAY, Tolerance, UNKNOWN_NAMES, UNKNOWN_SORT, UNNAMED_EDGES, UNQUOTED_OPERANDS,
    VALUE_PATH_COMPARISONS, WRAPPED_VALUES,
};

/// A set of tolerances. Cheap to clone.
///
/// [`Policy::tolerant`], the default, works with every provider we know at once; [`Policy::strict`] is the RFC's letter.
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
    kept: Arc<[Kept]>,
    /// Schemas and their attributes that absence never enables.
    switches: Arc<[(&'static str, AttrPath)]>,
}

impl Policy {
    /// Everything that a provider is known to need today: all tolerances but [`UNQUOTED_OPERANDS`], which take what is
    /// malformed for a filter and must be asked for.
    #[must_use]
    pub fn tolerant() -> Self {
        let needed = ALL.iter().copied();
        Self {
            name: "tolerant".into(),
            tolerances: needed
                .filter(|tolerance| tolerance.name != UNQUOTED_OPERANDS.name)
                .collect(),
            kept: Arc::new([]),
            switches: Arc::new([]),
        }
    }

    /// [`tolerant`](Self::tolerant) by its former name.
    #[deprecated(note = "use `Policy::tolerant`")]
    #[must_use]
    pub fn interop() -> Self {
        Self::tolerant()
    }

    /// The RFC's letter.
    #[must_use]
    pub fn strict() -> Self {
        Self {
            name: "strict".into(),
            tolerances: Arc::new([]),
            kept: Arc::new([]),
            switches: Arc::new([]),
        }
    }

    /// What Okta needs, in both its dialects.
    #[must_use]
    pub fn okta() -> Self {
        Self::tolerant().named("okta").without(&JSON_IN_STRINGS)
    }

    /// What Microsoft Entra ID needs, in both its dialects.
    #[must_use]
    pub fn entra() -> Self {
        Self::tolerant().named("entra")
    }

    /// What JumpCloud needs.
    #[must_use]
    pub fn jumpcloud() -> Self {
        Self::tolerant().named("jumpcloud").without(&JSON_IN_STRINGS)
    }

    /// What OneLogin needs.
    #[must_use]
    pub fn onelogin() -> Self {
        Self::tolerant().named("onelogin").without(&JSON_IN_STRINGS)
    }

    /// What Google Workspace needs.
    #[must_use]
    pub fn google() -> Self {
        Self::tolerant().named("google").without(&JSON_IN_STRINGS)
    }

    /// What Ping Identity's products need.
    #[must_use]
    pub fn ping() -> Self {
        Self::tolerant().named("ping").without(&JSON_IN_STRINGS)
    }

    /// What authentik needs.
    #[must_use]
    pub fn authentik() -> Self {
        Self::tolerant().named("authentik").without(&JSON_IN_STRINGS)
    }

    /// The name under which the policy appears in logs.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same policy under another name.
    #[must_use]
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// The same policy with one more tolerance. Those that come earlier have the first say.
    #[must_use]
    pub fn with(mut self, tolerance: &'static Tolerance) -> Self {
        if !self.allows(tolerance) {
            self.tolerances = self.tolerances.iter().copied().chain([tolerance]).collect();
        }
        self
    }

    /// The same policy with one tolerance less.
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

    /// Whether the policy has this tolerance.
    #[must_use]
    pub fn allows(&self, tolerance: &Tolerance) -> bool {
        self.tolerances.iter().any(|known| known.name == tolerance.name)
    }

    /// The name of the tolerance if the policy has it: what is reported when it acts.
    #[must_use]
    pub fn grants(&self, tolerance: &Tolerance) -> Option<&'static str> {
        self.tolerances
            .iter()
            .find(|known| known.name == tolerance.name)
            .map(|known| known.name)
    }

    /// The tolerances of the policy.
    pub fn tolerances(&self) -> impl Iterator<Item = &'static Tolerance> {
        self.tolerances.iter().copied()
    }

    /// The same policy for an application that keeps only some attributes of a resource type.
    #[must_use]
    pub fn keeping(mut self, kept: Kept) -> Self {
        let schema = kept.schema();
        let others = self.kept.iter().filter(|known| known.schema() != schema).cloned();
        self.kept = others.chain(std::iter::once(kept)).collect();
        self
    }

    /// The attributes that are kept of resources of this schema; `None` if all are.
    #[must_use]
    pub fn kept(&self, schema: &str) -> Option<&Kept> {
        self.kept.iter().find(|kept| kept.schema() == schema)
    }

    /// What is said of the attributes that are kept, resource type by resource type.
    pub fn all_kept(&self) -> impl Iterator<Item = &Kept> {
        self.kept.iter()
    }

    /// The same policy, under which absence never enables: once this attribute is `false`, a PUT or a PATCH makes it
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
        formats::check(record, self.checks_formats())
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::tolerant()
    }
}

impl Debug for Policy {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.tolerances.iter().map(|tolerance| tolerance.name).collect();
        f.debug_struct("Policy")
            .field("name", &self.name)
            .field("tolerances", &names)
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
        // What one tolerance makes may need another: `["True"]` is unwrapped, and then it is a string. Each acts once.
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
}

/// Whether nothing can have to be coerced, which is so of nearly all that is sent. Not of objects: one may hold JSON in
/// a string.
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
    fn every_tolerance_has_a_name_of_its_own() {
        let mut names: Vec<_> = ALL.iter().map(|tolerance| tolerance.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }

    /// What is taken to fit without asking the tolerances is what none of them bends.
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
