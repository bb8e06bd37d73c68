//! The documents of discovery (RFC 7644 section 4).

use http::StatusCode;

use crate::error::{Error, Result, quoted};
use crate::message::{
    self, ServiceProviderConfig, schemas_of, write_list, write_resource_type, write_schema,
};
use crate::path::AttrPath;
use crate::policy::Policy;
use crate::projection::Base;
use crate::schema::{ResourceType, Schema};
use crate::service::route::Route;
use crate::value::Coerce;

/// Returns the document at `route`; `None` if the route is not one of discovery.
pub(super) fn document(
    route: &Route,
    config: &ServiceProviderConfig,
    types: &[&'static ResourceType],
    policy: &Policy,
    base: &str,
) -> Option<Result<Vec<u8>>> {
    let base = Base::Url(base);
    Some(match route {
        Route::ServiceProviderConfig => {
            let mut out = Vec::new();
            config.write(&mut out, policy, base);
            Ok(out)
        }
        Route::ResourceTypes => Ok(list(types, |resource_type, out| {
            write_resource_type(out, resource_type, &kept(resource_type, policy), base);
        })),
        Route::ResourceType(id) => {
            let known = types
                .iter()
                .find(|resource_type| resource_type.name.eq_ignore_ascii_case(id));
            known
                .map(|known| one(|out| write_resource_type(out, known, &kept(known, policy), base)))
                .ok_or_else(|| nothing("resource type", id))
        }
        Route::Schemas => Ok(list(&entries(types, policy), |entry, out| {
            entry.write(out, config, policy, base);
        })),
        Route::Schema(id) => {
            let entries = entries(types, policy);
            let known = entries
                .iter()
                .find(|entry| entry.schema.id.eq_ignore_ascii_case(id));
            known
                .map(|entry| one(|out| entry.write(out, config, policy, base)))
                .ok_or_else(|| nothing("schema", id))
        }
        _ => return None,
    })
}

/// Refuses a filter on documents that must be found by every client (RFC 7644 section 4). All other parameters are
/// ignored there.
pub(super) fn check_query(query: Option<&str>) -> Result<()> {
    let mut names = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).map(|(name, _)| name);
    if names.any(|name| name.eq_ignore_ascii_case("filter")) {
        return Err(Error::new(
            StatusCode::FORBIDDEN,
            "What the service says of itself cannot be filtered: leave the filter out.",
        ));
    }
    Ok(())
}

/// A schema, and where its attributes are in a resource.
struct Entry {
    schema: &'static Schema,
    root: AttrPath,
    /// The main schema of the resource.
    owner: Option<&'static str>,
}

impl Entry {
    fn write(&self, out: &mut Vec<u8>, config: &ServiceProviderConfig, policy: &Policy, base: Base<'_>) {
        let keep = |path: AttrPath| match self.owner {
            Some(owner) => policy.keeps(owner, path),
            None => !self.is_announcement(path) || config.conforms_to_interop_profile(policy),
        };
        write_schema(out, self.schema, self.root, &keep, base);
    }
}

impl Entry {
    /// Returns whether a path leads to the attribute that announces the Interoperability Profile.
    fn is_announcement(&self, path: AttrPath) -> bool {
        let attribute = path.attribute(self.schema.attributes);
        attribute.is_some_and(|attribute| attribute.name == message::INTEROP_PROFILE_CONFORMANT)
    }
}

/// Returns whether an attribute or an extension of a type is kept.
fn kept(resource_type: &'static ResourceType, policy: &Policy) -> impl Fn(AttrPath) -> bool {
    |path| policy.keeps(resource_type.schema.id, path)
}

/// Returns every schema once. An extension of which nothing is kept is left out.
fn entries(types: &[&'static ResourceType], policy: &Policy) -> Vec<Entry> {
    let of_types = types.iter().flat_map(|resource_type| {
        let owner = resource_type.schema.id;
        let schemas = schemas_of(resource_type).filter(move |(root, _)| policy.keeps(owner, *root));
        schemas.map(move |(root, schema)| (root, schema, Some(owner)))
    });
    let of_messages = [
        &message::SERVICE_PROVIDER_CONFIG,
        &message::RESOURCE_TYPE,
        &message::SCHEMA,
    ];
    let of_messages = of_messages
        .into_iter()
        .map(|schema| (AttrPath::ROOT, schema, None));
    let mut entries: Vec<Entry> = Vec::new();
    for (root, schema, owner) in of_types.chain(of_messages) {
        if !entries
            .iter()
            .any(|entry| entry.schema.id.eq_ignore_ascii_case(schema.id))
        {
            entries.push(Entry { schema, root, owner });
        }
    }
    entries
}

fn one(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

fn list<T>(items: &[T], mut write: impl FnMut(&T, &mut Vec<u8>)) -> Vec<u8> {
    let documents: Vec<_> = items.iter().map(|item| one(|out| write(item, out))).collect();
    one(|out| write_list(out, &documents))
}

fn nothing(what: &str, id: &str) -> Error {
    let id = quoted(id);
    Error::new(StatusCode::NOT_FOUND, format!("This service has no {what} {id}."))
}
