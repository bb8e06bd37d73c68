//! What all stores have in common when they write.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::patch::Patch;
use crate::path::AttrPath;
use crate::record::{Record, ScimResource, apply_to_record};
use crate::schema::{Attribute, Mutability, Returned};
use crate::store::{Extent, Patched, Precondition, Reply, Store, Stored, not_found};
use crate::value::{Action, Cx, Edit, Intent, JsonBuf, Strict};

/// What happened to a resource, for an application that joins the write with its own statements.
#[derive(Clone, Copy)]
pub enum Write<'a> {
    /// A resource was created.
    Created {
        /// The new state.
        after: &'a dyn Record,
    },
    /// A resource was changed.
    Changed {
        /// The state before, without edges.
        before: &'a dyn Record,
        /// The state after, without edges.
        after: &'a dyn Record,
        /// The ids of edges that were added.
        added: &'a [String],
        /// The ids of edges that were removed.
        removed: &'a [String],
    },
    /// A resource was deleted.
    Deleted {
        /// The last state, without edges.
        before: &'a dyn Record,
    },
}

/// How often a PATCH is tried again when somebody else was faster.
const TRIES: usize = 5;

/// The default of [`Store::patch`].
pub(super) async fn load_apply_replace<R: ScimResource, C: Sync, S: Store<R, C> + ?Sized>(
    store: &S,
    cx: &C,
    id: &str,
    patch: &Patch<R>,
    precondition: &Precondition,
    reply: &Reply,
) -> Result<Patched<R>> {
    let extent = if patch.touches_edges() {
        Extent::Whole
    } else {
        Extent::WithoutEdges
    };
    for _ in 0..TRIES {
        let current = store
            .load(cx, id, extent)
            .await?
            .ok_or_else(|| not_found::<R>(id))?;
        precondition.check_write(&current.version)?;
        let Some(changed) = patch.apply(&current.resource)?.resource else {
            return shown(store, cx, id, current, false, reply).await;
        };
        let unchanged = Precondition::IfMatch(vec![current.version.clone()]);
        match store.replace(cx, id, changed, &unchanged).await {
            Ok(stored) => {
                // What the store completes by itself, such as the type of a member, can make two states one.
                let changed = stored.version != current.version;
                return shown(store, cx, id, stored, changed, reply).await;
            }
            Err(error) if error.status() == http::StatusCode::PRECONDITION_FAILED => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::busy(Duration::from_secs(1)))
}

async fn shown<R: ScimResource, C: Sync, S: Store<R, C> + ?Sized>(
    store: &S,
    cx: &C,
    id: &str,
    stored: Stored<R>,
    changed: bool,
    reply: &Reply,
) -> Result<Patched<R>> {
    let version = stored.version;
    if let Some(most) = reply.most_edges
        && exceeds_edges(store, cx, id, most).await?
    {
        return Ok(Patched {
            answer: None,
            version,
            changed,
        });
    }
    let answer = store.get(cx, id, &reply.want, &Precondition::None).await?;
    Ok(Patched {
        answer: Some(answer),
        version,
        changed,
    })
}

/// Whether a resource has more edges than are to be shown. This reads them all: a store that can count them does better
/// with a `patch` of its own.
async fn exceeds_edges<R: ScimResource, C: Sync, S: Store<R, C> + ?Sized>(
    store: &S,
    cx: &C,
    id: &str,
    most: usize,
) -> Result<bool> {
    if !R::RESOURCE_TYPE
        .schema
        .attributes
        .iter()
        .any(|attribute| attribute.edges)
    {
        return Ok(false);
    }
    let whole = store.load(cx, id, Extent::Whole).await?;
    Ok(whole.is_some_and(|stored| has_more_edges(&stored.resource, most)))
}

fn has_more_edges(record: &dyn Record, most: usize) -> bool {
    record.attributes().iter().enumerate().any(|(index, attribute)| {
        attribute.edges
            && record
                .view(index)
                .values()
                .is_some_and(|values| values.len() > most)
    })
}

/// Takes out what is handed on and never kept (`#[scim(transient)]`), such as a password. Says whether there was any.
///
/// # Errors
/// 500 if such an attribute is required: a resource without it could not be.
pub(crate) fn clear_transient(record: &mut dyn Record) -> Result<bool> {
    let limits = Limits::default();
    let mut cx = Cx::new(Intent::Stored, &Strict, &limits);
    let mut paths = Vec::new();
    transient_paths(record.attributes(), AttrPath::ROOT, &mut paths);
    let mut found = false;
    for path in paths {
        let edit = Edit {
            action: Action::Remove,
            select: None,
            rest: path.steps(),
        };
        let removed = apply_to_record(record, edit, &mut cx);
        let removed = removed
            .map_err(|error| Error::internal(format!("a transient attribute is required: {error}")))?;
        found |= removed.is_done();
    }
    Ok(found)
}

fn transient_paths(table: &[Attribute], above: AttrPath, paths: &mut Vec<AttrPath>) {
    for (attribute, step) in table.iter().zip(0..u16::MAX) {
        let path = above.push(step);
        if attribute.transient {
            paths.push(path);
        } else if !attribute.edges {
            transient_paths(attribute.shape.sub_attributes, path, paths);
        }
    }
}

/// Carries into a PUT what it does not say and what it cannot change (RFC 7644 section 3.5.1): read-only attributes,
/// immutable, write-only and never returned ones that are missing, and those in `unchanged`, of which nothing is left of
/// what was sent.
///
/// # Errors
/// 400 `mutability` if an immutable attribute would change.
pub fn carry_over<R: ScimResource>(stored: &R, sent: &mut R, unchanged: &[AttrPath]) -> Result<()> {
    let mut kept = Vec::new();
    collect_kept(stored, Some(sent), AttrPath::ROOT, unchanged, &mut kept)?;
    let limits = Limits::default();
    let mut cx = Cx::new(Intent::Stored, &Strict, &limits);
    for (path, json) in kept {
        let edit = Edit {
            action: Action::Replace(json.as_json()),
            select: None,
            rest: path.steps(),
        };
        _ = apply_to_record(sent, edit, &mut cx)?;
    }
    Ok(())
}

/// Gathers what a PUT keeps of `was`. `now` is `None` inside a complex attribute that the PUT leaves out.
fn collect_kept(
    was: &dyn Record,
    now: Option<&dyn Record>,
    above: AttrPath,
    unchanged: &[AttrPath],
    kept: &mut Vec<(AttrPath, JsonBuf)>,
) -> Result<()> {
    for (index, attribute) in was.attributes().iter().enumerate() {
        let before = was.view(index);
        if attribute.edges || attribute.transient || !before.is_present() {
            continue;
        }
        let Ok(step) = u16::try_from(index) else { continue };
        let path = above.push(step);
        let after = now.map(|now| now.view(index)).unwrap_or_default();
        let missing = !after.is_present();
        let keep = match attribute.shape.mutability {
            Mutability::ReadOnly => now.is_some(),
            Mutability::Immutable if !missing && !before.same(&after) => {
                return Err(
                    Error::mutability("is immutable: once set, it cannot be changed").at(attribute.name)
                );
            }
            Mutability::Immutable | Mutability::WriteOnly => missing,
            Mutability::ReadWrite => {
                missing && (attribute.shape.returned == Returned::Never || unchanged.contains(&path))
            }
        };
        if keep {
            kept.push((path, before.to_json()));
        } else if let Some(inner) = before.record() {
            collect_kept(inner, after.record(), path, unchanged, kept)
                .map_err(|error| error.at(attribute.name))?;
        }
    }
    Ok(())
}
