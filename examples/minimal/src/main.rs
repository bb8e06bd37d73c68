//! One struct, kept in SQLite, as a complete SCIM endpoint: `cargo run -p minimal`.

use scim::ScimResource;
use scim::service::{NoContext, ScimService};
use scim::store::documents::DocumentStore;
use scim::value::{Meta, ResourceId};

/// A badge that opens doors.
#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:scim:schemas:2.0:Badge")]
struct Badge {
    id: ResourceId,
    meta: Meta,
    /// The number printed on the badge.
    #[scim(unique = "server", case_exact)]
    serial_number: String,
    /// The zones whose doors it opens.
    zones: Vec<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:3000".into());
    let file = arguments.next().unwrap_or_else(|| "badges.sqlite".into());

    let store = DocumentStore::open(file)?.resource::<Badge>().build()?;
    let service = ScimService::builder(NoContext)
        .resource::<Badge, _>(store)
        .build()?;

    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, scim_axum::mount("/scim/v2", service)).await?;
    Ok(())
}
