//! The requests of the demonstration's identity providers.

use http::Method;
use scim::testkit::simulate::{Dialect, Script};
use serde_json::{Value, json};
use uuid::Uuid;

use super::provider::Provider;
use super::{MAPPED, MIRRORED, decisions};
use crate::actions::account;
use crate::actions::organization::{self, Beginning, Draft};
use crate::database::Product;
use crate::domain::fault::{Kind, Result};
use crate::domain::organization::Name;
use crate::domain::settings::{Changes, Groups, IdentityProvider, Preset, Threshold};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Removes what a start has left that ended before all was made.
pub(super) async fn clear(product: &Product) -> Result<()> {
    for name in [MAPPED, MIRRORED] {
        match organization::delete(product, &decisions::actor(), &Name::parse(name)?, None).await {
            Err(fault) if fault.kind() != Kind::NotFound => return Err(fault),
            _ => {}
        }
    }
    Ok(())
}

/// Makes the organizations, and the manual account that one of their providers will run into.
pub(super) async fn found(product: &Product) -> Result<()> {
    let mapped = Changes {
        idp: Some(IdentityProvider::Entra),
        // Low, so that the story raises an alert.
        mass_deactivations: Some(Threshold::nearest(3)),
        ..Changes::default()
    };
    let mirrored = Changes {
        like: Some(Preset::ThirdPlatform),
        idp: Some(IdentityProvider::Okta),
        groups: Some(Groups::Mirror),
        ..Changes::default()
    };
    create(product, MAPPED, "Acme (Entra ID, groups are mapped)", mapped).await?;
    create(product, MIRRORED, "Beacon (Okta, groups are roles)", mirrored).await?;
    let (actor, mapped) = (decisions::actor(), Name::parse(MAPPED)?);
    account::create(product, &actor, &mapped, decisions::MANUAL, Some("Root")).await?;
    Ok(())
}

async fn create(product: &Product, name: &str, display: &str, settings: Changes) -> Result<()> {
    let draft = Draft {
        name: Name::parse(name)?,
        display: Some(display.to_owned()),
        settings,
        beginning: Beginning::Enabled,
    };
    organization::create(product, &decisions::actor(), draft).await?;
    Ok(())
}

/// Provisions people and groups, and what happened to them since.
pub(super) async fn tell(mapped: &mut Provider, mirrored: &mut Provider) -> Result<()> {
    let story = Script::seeded(41).people(132).groups(13).members(14).changes(40);
    mapped.simulate(Dialect::Entra, story).await?;
    let story = Script::seeded(7).people(24).groups(6).members(6).changes(12);
    mirrored.simulate(Dialect::Okta, story).await
}

/// Sends requests that are refused, each for another reason.
pub(super) async fn run_into_refusals(provider: &mut Provider) -> Result<()> {
    let user =
        |name: &str| json!({ "schemas": [USER], "userName": name, "externalId": format!("demo-{name}") });
    // A manual account has that name.
    ask(provider, Method::POST, "/Users", &user(decisions::MANUAL)).await?;
    // No e-mail address.
    ask(provider, Method::POST, "/Users", &user("jdoe")).await?;
    let (_, groups) = provider
        .ask(Method::GET, "/Groups?count=1&excludedAttributes=members", None)
        .await?;
    let Some(group) = groups.pointer("/Resources/0/id").and_then(Value::as_str) else {
        return Ok(());
    };
    let patch = |operation: Value| json!({ "schemas": [PATCH], "Operations": [operation] });
    let path = format!("/Groups/{group}");
    let unknown =
        json!({ "op": "add", "path": "members", "value": [{ "value": Uuid::now_v7().to_string() }] });
    ask(provider, Method::PATCH, &path, &patch(unknown)).await?;
    let broken = json!({ "op": "replace", "path": "members[value eq", "value": [] });
    ask(provider, Method::PATCH, &path, &patch(broken)).await
}

async fn ask(provider: &mut Provider, method: Method, path: &str, body: &Value) -> Result<()> {
    provider.ask(method, path, Some(body)).await.map(drop)
}
