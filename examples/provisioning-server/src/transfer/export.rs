//! Writing an organization.

use std::io::{self, Write};

use jiff::Timestamp;
use scim::ScimResource;
use scim::resources::Group;
use scim::store::documents::{DocumentStore, Tally};

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
    let mut export = store.export(&organization.id.to_string());
    write_line(out, &Head::of(organization))?;
    while let Some(chunk) = export.next().await {
        out.write_all(&chunk.map_err(failed)?).map_err(not_written)?;
        watch(counts(&export.tally()));
    }
    let counts = counts(&export.tally());
    write_line(out, &Tail::of(counts, Timestamp::now()))?;
    out.flush().map_err(not_written)?;
    Ok(counts)
}

fn counts(tally: &Tally) -> Counts {
    let count = |name| tally.resources.get(name).copied().unwrap_or(0);
    Counts {
        people: count(User::RESOURCE_TYPE.name),
        groups: count(Group::RESOURCE_TYPE.name),
        members: tally.edges,
    }
}

fn write_line(out: &mut (dyn Write + Send), line: &impl serde::Serialize) -> Result<()> {
    let mut text = serde_json::to_vec(line).map_err(|cause| not_written(cause.into()))?;
    text.push(b'\n');
    out.write_all(&text).map_err(not_written)
}

/// The machine refused.
pub(crate) fn not_written(cause: io::Error) -> Fault {
    Fault::internal("The export cannot be written.", cause)
}
