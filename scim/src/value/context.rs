//! The knowledge that decoding and editing have of the request they serve.

use crate::error::{Error, Result};
use crate::limits::{Limits, Steps, exceeded};
use crate::path::AttrPath;
use crate::schema::{Attribute, Shape};
use crate::value::no_value::is_emptied_wrapping;
use crate::value::{BaseUrls, Json, JsonBuf, Meaning, NoValue, Position, reference};

/// Why a value is being decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// A client creates a resource.
    Create,
    /// A client replaces a resource.
    Replace,
    /// A client changes a resource.
    Patch,
    /// A store takes over what another has kept: checked as from a client, with what only a service sets.
    Import,
    /// A store reads what it has written: nothing is ignored, nothing is refused.
    Stored,
}

/// A departure from the RFCs that decoding and editing ask the policy for. Each is a tolerance with a name; see
/// [`policy`](crate::policy) for what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Leniency {
    /// Names that no schema knows are omitted rather than refused.
    UnknownNames,
    /// A body without `schemas` is taken for a resource of its endpoint's type.
    MissingSchemas,
    /// `""`, `[]` and `{}` mean no value, as `null` does.
    NoValues,
    /// A value of which nothing is left changes nothing.
    EmptiedLists,
    /// An element with nothing but `type`, `primary` and `display` is not a value.
    ElementsWithoutValue,
    /// A PATCH of `attribute[filter].sub` creates the element that it does not find.
    CreatesElements,
    /// Names of extensions' attributes that are nearly right are found.
    NearNames,
    /// A filter in brackets applies to a single complex value.
    SingleValuesSelected,
}

/// Something that the RFCs allow and a policy may forbid. Each is a restriction with a name; see
/// [`policy`](crate::policy) for what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Prohibition {
    /// An attribute is sent that the application does not keep: it is refused rather than omitted.
    UnkeptAttributes,
    /// A replace of a whole complex value leaves sub-attributes that it does not name: they are unassigned.
    PartialReplaces,
    /// A PATCH sends a value of a multi-valued attribute without a list around it.
    ValuesWithoutList,
    /// The filter in the path of an operation selects several elements.
    SeveralElements,
}

/// The seam through which a policy coerces input to the shape of an attribute, declared here and implemented above.
///
/// The default of every method is strict: the RFCs alone.
pub trait Coerce: Send + Sync {
    /// Offers another value for one that does not fit `want`, and says which tolerances made it.
    fn coerce(&self, json: Json<'_>, want: &Shape) -> Option<Coerced> {
        _ = (json, want);
        None
    }

    /// Returns the name of the tolerance if the policy is lenient in this respect.
    fn allows(&self, leniency: Leniency) -> Option<&'static str> {
        _ = leniency;
        None
    }

    /// Returns whether the application keeps this attribute of resources of this schema, or a part of it.
    fn keeps(&self, schema: &str, attribute: AttrPath) -> bool {
        _ = (schema, attribute);
        true
    }

    /// Returns whether formats that providers often break are checked: countries, languages, time zones.
    fn checks_formats(&self) -> bool {
        true
    }

    /// Returns whether the policy forbids what the RFCs allow.
    fn forbids(&self, prohibition: Prohibition) -> bool {
        _ = prohibition;
        false
    }
}

/// A value that tolerances offer instead of the one that was sent.
#[derive(Debug)]
pub struct Coerced {
    /// The value that fits.
    pub json: JsonBuf,
    /// The names of the tolerances, in the order in which they acted.
    pub tolerances: Vec<&'static str>,
}

/// The RFCs alone: nothing is coerced.
#[derive(Debug, Clone, Copy, Default)]
pub struct Strict;

impl Coerce for Strict {}

/// The name under which it is reported that an attribute was omitted because the application does not keep it.
pub const NOT_KEPT: &str = "not-kept";

/// A tolerance that acted on a request, for the history and for the administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fired {
    /// The name of the tolerance, or [`NOT_KEPT`].
    pub tolerance: &'static str,
    /// The name on which it acted, if one is known.
    pub subject: String,
}

/// The context of decoding and editing: why, under which policy, within which limits, where in the resource, and which
/// tolerances fired.
pub struct Cx<'a> {
    intent: Intent,
    rules: &'a dyn Coerce,
    limits: &'a Limits,
    base_urls: Option<&'a BaseUrls<'a>>,
    fired: Vec<Fired>,
    table: &'static [Attribute],
    at: AttrPath,
    /// How many lists the value at hand is inside of.
    lists: usize,
    /// Whether the value at hand is taken as it was sent: a secret is never coerced.
    is_literal: bool,
    unchanged: Vec<AttrPath>,
    steps: Steps,
    /// Bytes that were written to more than one element at once.
    copied: usize,
}

/// Tolerances that are reported for one request; more say nothing new.
const MOST_FIRED: usize = 32;

impl<'a> Cx<'a> {
    /// Makes a context for a request.
    #[must_use]
    pub fn new(intent: Intent, rules: &'a dyn Coerce, limits: &'a Limits) -> Self {
        Self {
            intent,
            rules,
            limits,
            base_urls: None,
            fired: Vec::new(),
            table: &[],
            at: AttrPath::ROOT,
            lists: 0,
            is_literal: false,
            unchanged: Vec::new(),
            steps: match intent {
                Intent::Stored => Steps::boundless(),
                _ => Steps::of(limits),
            },
            copied: 0,
        }
    }

    /// Sets another budget of steps.
    pub(crate) fn within_steps(mut self, steps: Steps) -> Self {
        self.steps = steps;
        self
    }

    /// Charges steps that are about to be taken.
    ///
    /// # Errors
    /// 413 naming [`Limits::patch_steps`] if there are too few left.
    pub fn spend(&mut self, steps: usize) -> Result<()> {
        self.steps.spend(steps)
    }

    /// Returns how many steps were charged so far.
    #[must_use]
    pub fn steps_spent(&self) -> usize {
        self.steps.spent()
    }

    /// Charges the bytes of a value that is written to yet another element of a list: one operation must not multiply
    /// what was sent beyond what a resource may hold.
    pub(crate) fn copy(&mut self, bytes: usize) -> Result<()> {
        let most = self.limits.resource_bytes.max(self.limits.large_body);
        self.copied = self.copied.saturating_add(bytes);
        match self.copied <= most || self.is_stored() {
            true => Ok(()),
            false => Err(exceeded::resource_bytes(self.limits.resource_bytes, None)),
        }
    }

    /// Says that the request is to a service at these URLs: references to its own resources are read without them.
    #[must_use]
    pub fn with_base_urls(mut self, urls: Option<&'a BaseUrls<'a>>) -> Self {
        self.base_urls = urls;
        self
    }

    /// Returns why the value is decoded.
    #[must_use]
    pub fn intent(&self) -> Intent {
        self.intent
    }

    /// Returns whether a store reads what it has written.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        self.intent == Intent::Stored
    }

    /// Returns whether read-only attributes are taken, as from a service, and not left out, as from a client.
    #[must_use]
    pub fn takes_read_only(&self) -> bool {
        matches!(self.intent, Intent::Import | Intent::Stored)
    }

    /// Returns the policy.
    #[must_use]
    pub fn rules(&self) -> &'a dyn Coerce {
        self.rules
    }

    /// Returns the limits.
    #[must_use]
    pub fn limits(&self) -> &'a Limits {
        self.limits
    }

    /// Starts at the root of a resource with this table, so that what follows can be named.
    pub(crate) fn start(&mut self, table: &'static [Attribute]) {
        self.table = table;
        self.at = AttrPath::ROOT;
    }

    /// Starts at an attribute of a resource with this table.
    pub(crate) fn start_at(&mut self, table: &'static [Attribute], at: AttrPath) {
        self.table = table;
        self.at = at;
    }

    /// Has `act` do something to the attribute at `index` of the record at hand.
    pub(crate) fn within<T>(
        &mut self,
        index: usize,
        attribute: &Attribute,
        act: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let (above, was_literal) = (self.at, self.is_literal);
        self.at = u16::try_from(index).map_or(above, |step| above.push(step));
        self.is_literal |= attribute.transient;
        let result = act(self);
        (self.at, self.is_literal) = (above, was_literal);
        result
    }

    /// Has `act` do something to an element of the list at hand.
    pub(crate) fn within_list<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> T {
        self.lists += 1;
        let result = act(self);
        self.lists -= 1;
        result
    }

    /// Returns the name of the attribute at hand, as history and administrators know it; empty at the root.
    fn subject(&self) -> String {
        let name = self.at.name(self.table);
        name.map(|name| name.to_string()).unwrap_or_default()
    }

    /// Returns the URLs of the service that the request was sent to, if one is known.
    #[must_use]
    pub fn base_urls(&self) -> Option<&'a BaseUrls<'a>> {
        self.base_urls
    }

    /// Returns a reference in the attribute at hand as it is kept, if that is not as it was sent.
    pub(super) fn kept_reference(&self, sent: &str) -> Option<KeptReference> {
        let urls = self.base_urls?;
        let attribute = self.at.attribute(self.table);
        let names = attribute.map_or(&[][..], |attribute| attribute.shape.reference_types);
        let refers_to_resources = names.iter().any(|name| !matches!(*name, "external" | "uri"));
        match refers_to_resources {
            true => urls
                .path_of(sent)
                .map(|path| KeptReference::Path(path.into_owned())),
            false => reference::is_path(sent).then(|| KeptReference::Url(urls.url_of(sent))),
        }
    }

    /// Notes that a tolerance acted.
    pub fn fire(&mut self, tolerance: &'static str, subject: impl Into<String>) {
        let fired = Fired {
            tolerance,
            subject: subject.into(),
        };
        if self.fired.len() < MOST_FIRED && !self.fired.contains(&fired) {
            self.fired.push(fired);
        }
    }

    /// Notes that a tolerance acted on the attribute at hand.
    pub fn fire_here(&mut self, tolerance: &'static str) {
        self.fire(tolerance, self.subject());
    }

    /// Returns the tolerances that acted so far.
    #[must_use]
    pub fn fired(&self) -> &[Fired] {
        &self.fired
    }

    /// Takes the tolerances that acted so far.
    #[must_use]
    pub fn take_fired(&mut self) -> Vec<Fired> {
        std::mem::take(&mut self.fired)
    }

    /// Returns the name of the tolerance if the policy is lenient in this respect, and the value comes from a client.
    #[must_use]
    pub fn allows(&self, leniency: Leniency) -> Option<&'static str> {
        if self.is_stored() {
            None
        } else {
            self.rules.allows(leniency)
        }
    }

    /// Returns whether the policy forbids this, and the value comes from a client.
    #[must_use]
    pub fn forbids(&self, prohibition: Prohibition) -> bool {
        !self.takes_read_only() && self.rules.forbids(prohibition)
    }

    /// Returns `json` as the shape wants it: itself, or what tolerances make of it.
    pub fn fit<'j>(&mut self, json: Json<'j>, want: &Shape) -> Fitted<'j> {
        if self.is_stored() || self.is_literal {
            return Fitted::Sent(json);
        }
        match self.rules.coerce(json, want) {
            Some(coerced) => {
                for tolerance in coerced.tolerances {
                    self.fire_here(tolerance);
                }
                Fitted::Made(coerced.json)
            }
            None => Fitted::Sent(json),
        }
    }

    /// Returns what a value means in its position: the table is [`NoValue::meaning`]. A wrapping of which nothing is left
    /// names nothing.
    pub fn meaning(&mut self, json: Json<'_>, position: Position, want: &Shape) -> Meaning {
        let Some(spelling) = NoValue::of(json) else {
            return match self.allows(Leniency::EmptiedLists) {
                Some(tolerance) if is_emptied_wrapping(json, want) => {
                    self.fire_here(tolerance);
                    Meaning::Nothing
                }
                _ => Meaning::Value,
            };
        };
        let strict = spelling.meaning(position, want.multi_valued, false);
        let Some(tolerance) = self.allows(Leniency::NoValues) else {
            return strict;
        };
        let meaning = spelling.meaning(position, want.multi_valued, true);
        if meaning != strict {
            self.fire_here(tolerance);
        }
        meaning
    }

    /// Notes that a value was sent of which nothing is left: what is stored of the attribute at hand stays as it is.
    /// Inside a list nothing can be noted: which element would stay?
    pub fn leave_unchanged(&mut self) {
        if self.lists == 0 && !self.unchanged.contains(&self.at) {
            self.unchanged.push(self.at);
        }
    }

    /// Takes the attributes of which nothing was left.
    #[must_use]
    pub fn take_unchanged(&mut self) -> Vec<AttrPath> {
        std::mem::take(&mut self.unchanged)
    }

    /// Omits a name that no schema knows, or refuses it.
    ///
    /// # Errors
    /// 400 `invalidSyntax` under a policy without that tolerance.
    pub fn unknown(&mut self, name: &str) -> Result<()> {
        if self.is_stored() {
            return Ok(());
        }
        let full = match self.subject() {
            above if above.is_empty() => name.to_owned(),
            above if self.at.attribute(self.table).is_some_and(Attribute::is_extension) => {
                format!("{above}:{name}")
            }
            above => format!("{above}.{name}"),
        };
        match self.rules.allows(Leniency::UnknownNames) {
            Some(tolerance) => {
                self.fire(tolerance, full);
                Ok(())
            }
            None => Err(unknown(name)),
        }
    }

    /// Omits an attribute that the application does not keep, and notes that.
    ///
    /// # Errors
    /// 400 `invalidSyntax` under a policy to which such an attribute is unknown.
    pub fn not_kept(&mut self, name: &str) -> Result<()> {
        if self.is_stored() {
            return Ok(());
        }
        if self.forbids(Prohibition::UnkeptAttributes) {
            return Err(unknown(name));
        }
        self.fire(NOT_KEPT, name);
        Ok(())
    }
}

fn unknown(name: &str) -> Error {
    Error::invalid_syntax("is not known to any schema of this resource type").at(crate::error::named(name))
}

/// How a reference is kept that was sent in another form.
pub(super) enum KeptReference {
    /// The place of a resource of the service, without its base URL.
    Path(String),
    /// The complete URL of something else, which was sent as a path below the base.
    Url(String),
}

/// JSON that is of the wanted shape as far as a policy could coerce it.
pub enum Fitted<'j> {
    /// The value that the client sent.
    Sent(Json<'j>),
    /// The value that tolerances made of it.
    Made(JsonBuf),
}

impl Fitted<'_> {
    /// Returns the value.
    #[must_use]
    pub fn json(&self) -> Json<'_> {
        match self {
            Self::Sent(json) => *json,
            Self::Made(json) => json.as_json(),
        }
    }
}
