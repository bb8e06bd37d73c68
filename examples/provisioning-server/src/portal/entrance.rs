//! `/`: the way to an organization's sign-in.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, StatusCode, Uri};

use super::form::Form;
use super::frame::{Frame, Frames};
use super::page;
use super::problem::Problem;
use crate::database::Product;
use crate::domain::naming;
use crate::domain::organization::Organization;

#[derive(Debug, Template)]
#[template(path = "entrance.html")]
pub(super) struct Entrance {
    pub(super) frame: Frame,
    /// The name that was asked for.
    pub(super) asked: String,
    pub(super) is_unknown: bool,
}

/// Leads to the sign-in of the only organization, or of the one that is asked for by name.
pub(super) async fn get(
    State((product, frames)): State<(Arc<Product>, Frames)>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let organizations = product.organizations().await?;
    let query = Form::parse(uri.query().unwrap_or_default().as_bytes());
    let asked = query.text("organization").trim();
    let chosen = match organizations.as_slice() {
        [only] if asked.is_empty() => Some(only),
        several => several.iter().find(|found| is_called(found, asked)),
    };
    if let Some(organization) = chosen {
        let path = format!("/o/{}/sign-in", organization.name);
        return Ok(Redirect::to(&path).into_response());
    }
    let entrance = Entrance {
        frame: frames.of_server(&headers),
        asked: asked.to_owned(),
        is_unknown: !asked.is_empty(),
    };
    let status = match entrance.is_unknown {
        true => StatusCode::NOT_FOUND,
        false => StatusCode::OK,
    };
    Ok(page::answer(status, &entrance))
}

/// Returns whether people call an organization so: by its name in URLs, or by the one that its pages show.
fn is_called(organization: &Organization, asked: &str) -> bool {
    let asked = naming::key(asked);
    organization.name.as_str() == asked || naming::key(&organization.display) == asked
}
