//! Writing an organization.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use scim::ScimResource;
use scim::resources::Group;
use scim::store::documents::{DocumentStore, Tally};

use super::access_export::AccessLines;
use crate::database::{Product, failed};
use crate::domain::export_file::{Counts, Head, Tail};
use crate::domain::fault::{Fault, Result};
use crate::domain::organization::Organization;
use crate::domain::user::User;

/// Writes everything that an organization has, and tells `watch` how far it has come. Answers what was written.
pub(crate) async fn export(
    product: &Product,
    organization: &Organization,
    out: &mut (dyn Write + Send),
    mut watch: impl FnMut(Counts),
) -> Result<Counts> {
    let store: DocumentStore<String> = product.documents().build().map_err(failed)?;
    let id = organization.id;
    let count = Arc::new(AtomicU64::new(0));
    let (before, after) = (Arc::clone(&count), Arc::clone(&count));
    let mut export = store.export_between(
        &id.to_string(),
        move |reader, sender| AccessLines::new(reader, sender, id, before).accounts(),
        move |reader, sender| AccessLines::new(reader, sender, id, after).rights(),
    );
    write_line(out, &Head::of(organization))?;
    while let Some(chunk) = export.next().await {
        out.write_all(&chunk.map_err(failed)?).map_err(not_written)?;
        watch(counts(&export.tally(), &count));
    }
    let counts = counts(&export.tally(), &count);
    write_line(out, &Tail::of(counts, Timestamp::now()))?;
    out.flush().map_err(not_written)?;
    Ok(counts)
}

fn counts(tally: &Tally, access: &AtomicU64) -> Counts {
    let count = |name| tally.resources.get(name).copied().unwrap_or(0);
    Counts {
        people: count(User::RESOURCE_TYPE.name),
        groups: count(Group::RESOURCE_TYPE.name),
        members: tally.edges,
        access: access.load(Ordering::Relaxed),
    }
}

fn write_line(out: &mut (dyn Write + Send), line: &impl serde::Serialize) -> Result<()> {
    let mut text = serde_json::to_vec(line).map_err(|cause| not_written(cause.into()))?;
    text.push(b'\n');
    out.write_all(&text).map_err(not_written)
}

/// Returns the fault of an export that the machine refused to write.
pub(crate) fn not_written(cause: io::Error) -> Fault {
    Fault::internal("The export cannot be written.", cause)
}
