//! The things that a list or an answer is asked for: filter, order, window and attributes (RFC 7644 sections 3.4.2 and 3.9).

use super::outcome::Outcome;
use crate::error::Result;
use crate::filter::{Filter, Resolve, ResolvedFilter, Syntax, Unknown};
use crate::limits::Limits;
use crate::message::ListParameters;
use crate::path::{AttrPath, AttributeName};
use crate::policy::{BOTH_PROJECTIONS, NEAR_NAMES, Policy, UNKNOWN_SORT};
use crate::projection::Projection;
use crate::schema::ResourceType;
use crate::sort::{Sort, SortKey, SortOrder};
use crate::store::withdrawal::Grant;
use crate::store::{Budget, Document};
use crate::value::{BaseUrls, Fired};

/// A list as it was asked for, before anything is known of a type.
pub(super) struct Ask<'a> {
    pub(super) parameters: &'a ListParameters,
    pub(super) filter: Option<Filter>,
    pub(super) sort_by: Option<AttributeName>,
    pub(super) order: SortOrder,
    /// The rule for names that a type does not know.
    pub(super) unknown: Unknown,
    pub(super) start: u64,
    pub(super) count: usize,
    /// Whether nobody looks at the documents, but only at their sort keys.
    pub(super) keys_only: bool,
    pub(super) policy: &'a Policy,
    pub(super) limits: &'a Limits,
    /// The cost that the searches of all types may have together.
    pub(super) budget: Budget,
    pub(super) base_urls: &'a BaseUrls<'a>,
}

/// The same for one type.
pub(super) struct Resolved {
    pub(super) filter: Option<ResolvedFilter>,
    pub(super) sort: Option<Sort>,
    pub(super) want: Projection,
    pub(super) fired: Vec<Fired>,
}

/// A part of a page.
pub(super) struct Rows {
    pub(super) total: u64,
    pub(super) rows: Vec<Row>,
    pub(super) fired: Vec<Fired>,
}

/// One resource of a page.
pub(super) struct Row {
    /// With holes where the base URL goes.
    pub(super) document: Document,
    pub(super) key: Option<SortKey>,
}

impl Row {
    pub(super) fn is_in_parts(&self) -> bool {
        matches!(self.document, Document::Parts(_))
    }
}

impl<'a> Ask<'a> {
    /// Reads what a filter and a sort say, and how long a page may be.
    pub(super) fn new(
        parameters: &'a ListParameters,
        policy: &'a Policy,
        limits: &'a Limits,
        base_urls: &'a BaseUrls<'a>,
        grant: Option<Grant>,
        outcome: &mut Outcome,
    ) -> Result<Self> {
        let sort_by = parameters.sort_by.as_deref().map(str::parse).transpose()?;
        Ok(Self {
            filter: parse_filter(parameters, policy, limits, outcome)?,
            sort_by,
            order: parameters.sort_order,
            unknown: Unknown::Refuse,
            start: parameters.start_index.max(1),
            count: parameters
                .count
                .unwrap_or(limits.page_size)
                .min(limits.page_size_max),
            keys_only: false,
            parameters,
            policy,
            limits,
            budget: Budget::under(grant, limits.search_steps, limits.search_time),
            base_urls,
        })
    }

    /// Resolves the list for one type.
    pub(super) fn resolve(&self, resource_type: &'static ResourceType) -> Result<Resolved> {
        let mut outcome = Outcome::default();
        let schema = resource_type.schema;
        let options = Resolve {
            rules: self.policy,
            unknown: self.unknown,
            base_urls: Some(self.base_urls),
        };
        let filter = self
            .filter
            .as_ref()
            .map(|filter| ResolvedFilter::resolve(filter, schema, options))
            .transpose()?;
        let mut fired = filter
            .as_ref()
            .map(|filter| filter.fired().to_vec())
            .unwrap_or_default();
        let sort = match &self.sort_by {
            Some(name) => self.sort(name, resource_type, &mut outcome)?,
            None => None,
        };
        let mut want = projection(resource_type, self.parameters, self.policy, &mut outcome)?;
        if self.keys_only {
            want = Projection::parse(resource_type, &["id"], &[] as &[&str], false)?;
        }
        fired.append(&mut outcome.fired);
        Ok(Resolved {
            filter,
            sort,
            want,
            fired,
        })
    }

    fn sort(
        &self,
        name: &AttributeName,
        resource_type: &'static ResourceType,
        outcome: &mut Outcome,
    ) -> Result<Option<Sort>> {
        let near = near_name(name, resource_type, self.policy, outcome);
        let name = near.as_ref().unwrap_or(name);
        let is_known = AttrPath::resolve(name, resource_type.schema).is_some();
        if !is_known && self.unknown == Unknown::NoValue {
            return Ok(None);
        }
        match self.policy.grants(&UNKNOWN_SORT) {
            Some(tolerance) if !is_known => {
                outcome.fire(tolerance, &name.to_string());
                Ok(None)
            }
            _ => {
                let sort = Sort::resolve(name, self.order, resource_type.schema)?;
                Ok(Some(sort.with_base_url(self.base_urls.shown())))
            }
        }
    }

    /// Returns the same with another window.
    pub(super) fn page(&self, start: u64, count: usize) -> Self {
        Self {
            parameters: self.parameters,
            filter: self.filter.clone(),
            sort_by: self.sort_by.clone(),
            order: self.order,
            unknown: self.unknown,
            start,
            count,
            keys_only: self.keys_only,
            policy: self.policy,
            limits: self.limits,
            budget: self.budget.clone(),
            base_urls: self.base_urls,
        }
    }

    /// Returns the same with another window, of which nothing is shown but the order.
    pub(super) fn keys(&self, start: u64, count: usize) -> Self {
        Self {
            keys_only: true,
            ..self.page(start, count)
        }
    }
}

fn parse_filter(
    parameters: &ListParameters,
    policy: &Policy,
    limits: &Limits,
    outcome: &mut Outcome,
) -> Result<Option<Filter>> {
    let Some(text) = parameters.filter.as_deref() else {
        return Ok(None);
    };
    let (filter, departures) = Filter::parse_with(text, limits, Syntax::of(policy))?;
    for tolerance in departures.tolerances() {
        outcome.fire(tolerance.name, "filter");
    }
    Ok(Some(filter))
}

/// Returns what `attributes` and `excludedAttributes` leave of a type.
pub(super) fn projection(
    resource_type: &'static ResourceType,
    parameters: &ListParameters,
    policy: &Policy,
    outcome: &mut Outcome,
) -> Result<Projection> {
    let mut listed = |names: &[String]| right_names(names, resource_type, policy, outcome);
    let (attributes, excluded) = (
        listed(&parameters.attributes),
        listed(&parameters.excluded_attributes),
    );
    let both = policy.grants(&BOTH_PROJECTIONS);
    if let Some(tolerance) = both.filter(|_| !attributes.is_empty() && !excluded.is_empty()) {
        outcome.fire(tolerance, "attributes");
    }
    Projection::parse(resource_type, &attributes, &excluded, both.is_some())
}

/// Returns the names of a list as the schema has them, if they are nearly right and the policy takes them.
fn right_names(
    names: &[String],
    resource_type: &'static ResourceType,
    policy: &Policy,
    outcome: &mut Outcome,
) -> Vec<String> {
    let each = names.iter().flat_map(|list| list.split(','));
    each.map(|text| {
        let name = text.trim().parse().ok();
        let near = name.and_then(|name| near_name(&name, resource_type, policy, outcome));
        near.map_or_else(|| text.to_owned(), |name| name.to_string())
    })
    .collect()
}

/// Returns the name as the schema has it, if it is nearly right and the policy takes it.
fn near_name(
    name: &AttributeName,
    resource_type: &'static ResourceType,
    policy: &Policy,
    outcome: &mut Outcome,
) -> Option<AttributeName> {
    let tolerance = policy.grants(&NEAR_NAMES)?;
    let path = AttrPath::resolve_near(name, resource_type.schema)?;
    outcome.fire(tolerance, &name.to_string());
    path.name(resource_type.schema.attributes)
}
