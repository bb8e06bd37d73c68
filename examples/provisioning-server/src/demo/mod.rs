//! `serve --demo`: organizations that simulated identity providers have made, decisions of their administrators, and
//! small changes that keep coming.
//!
//! Everything that a provider does goes through the routes of the server, and everything that an administrator decides
//! is an action: nothing is written past them. Nothing leaves the process.

mod decisions;
mod dice;
mod life;
mod provider;
mod stories;

use axum::Router;

use self::provider::Provider;
use crate::database::{Address, Product};
use crate::domain::fault::Result;

/// The database of a demonstration unless another is named.
pub(crate) const DATABASE: &str = "sqlite://data/demo.db";

/// The organization of Entra ID, whose groups are mapped to roles.
pub(crate) const MAPPED: &str = "acme";

/// The organization of Okta, whose groups are roles.
const MIRRORED: &str = "beacon";

/// A demonstration that has been made and can go on.
#[derive(Debug)]
pub(crate) struct Demo {
    mapped: Provider,
    mirrored: Provider,
    /// The name of somebody whose access has several reasons.
    explained: String,
}

/// A database that is a demonstration's own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    /// Whether an earlier start has made everything.
    is_made: bool,
}

/// Makes sure that the database is a demonstration's own, before anything is written to it.
///
/// # Errors
/// It holds anything else.
pub(crate) async fn claim(product: &Product) -> Result<Claim> {
    let is_made = product.claim_for_demo().await?;
    Ok(Claim { is_made })
}

/// Makes the demonstration, or finds it as an earlier start has left it. `routes` are those of the server.
///
/// # Errors
/// The demonstration cannot be made.
pub(crate) async fn begin(product: &Product, claim: Claim, routes: &Router) -> Result<Demo> {
    let Claim { is_made } = claim;
    if !is_made {
        stories::clear(product).await?;
        stories::found(product).await?;
    }
    let mut mapped = Provider::connect(product, routes, MAPPED).await?;
    let mut mirrored = Provider::connect(product, routes, MIRRORED).await?;
    if !is_made {
        stories::tell(&mut mapped, &mut mirrored).await?;
        decisions::make(product).await?;
        stories::run_into_refusals(&mut mapped).await?;
        product.note_demo_made().await?;
    }
    Ok(Demo {
        mapped,
        mirrored,
        explained: decisions::whom_to_explain(product).await?,
    })
}

impl Demo {
    /// Commands that show what there is.
    pub(crate) fn commands(&self, program: &str, database: &Address) -> Vec<String> {
        let show = format!("user show {MAPPED} {}", self.explained);
        let commands = [
            format!("user list {MAPPED}"),
            show,
            format!("mapping list {MAPPED}"),
            format!("role list {MIRRORED}"),
            format!("history list {MAPPED}"),
            format!("event list {MAPPED}"),
            format!("conflict list {MAPPED}"),
            format!("alert list {MAPPED}"),
            format!("audit list {MAPPED}"),
        ];
        let whole = |command: String| format!("{program} {command} --database {database}");
        commands.into_iter().map(whole).collect()
    }

    /// Makes small changes for as long as the server runs.
    pub(crate) async fn live(self) {
        tokio::join!(life::live(self.mapped, 1), life::live(self.mirrored, 2));
    }
}
