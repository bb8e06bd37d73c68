//! The pages of the product, for browsers. They hold no rule: what they show and do, `login` and `actions` decide.

mod account;
mod administrator;
mod agent;
mod assets;
mod chart;
mod components;
mod confirm;
mod cookies;
mod destination;
mod detour;
mod entrance;
mod first_run;
mod forgotten;
mod form;
mod frame;
#[cfg(test)]
mod gallery;
mod groups;
mod headers;
mod home;
mod instance;
mod integrations;
mod link;
mod logs;
mod moment;
mod overview;
mod page;
mod passwords;
mod path;
mod people;
mod person;
mod problem;
mod qr;
mod rhythm;
mod roles;
mod said;
mod second_factor;
mod settings;
mod setup_link;
mod shell;
mod sign_in;
mod sign_in_name;
mod single_sign_on;
mod step_up;
mod theme;
mod trouble;
mod upload;
mod visit;
mod wizard;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::{get, post};
use http::Uri;
use scim::message::ServiceProviderConfig;
use tower_http::csrf::CsrfLayer;

use self::cookies::Cookies;
use self::frame::Frames;
pub(crate) use self::single_sign_on::trial_path;
use self::visit::Pages;
use crate::database::Product;
use crate::domain::fault::{Fault, Result};
use crate::domain::network::Networks;
use crate::domain::public_url::PublicUrl;
use crate::fetch::Fetcher;
use crate::login::Login;

/// The state that the pages need.
pub(crate) struct Portal<'a> {
    pub(crate) product: &'a Arc<Product>,
    pub(crate) login: &'a Login,
    /// The client that fetches the metadata of identity providers.
    pub(crate) fetcher: &'a Fetcher,
    /// The name of the product.
    pub(crate) name: &'a str,
    /// How browsers reach the server.
    pub(crate) base: &'a PublicUrl,
    /// Whether links in mails have no address that others can reach.
    pub(crate) lacks_public_url: bool,
    /// The reverse proxies before the server.
    pub(crate) proxies: &'a Networks,
    /// The capabilities of the SCIM service.
    pub(crate) offered: ServiceProviderConfig,
    /// The organization of a demonstration to which the page of components leads; there is no such page otherwise.
    pub(crate) demonstration: Option<&'static str>,
}

/// Returns the routes of all pages.
///
/// # Errors
/// Internal if forms could not be told from those of other sites.
pub(crate) fn router(portal: &Portal<'_>) -> Result<Router> {
    let same_site = CsrfLayer::new()
        .add_trusted_origin(portal.base.origin())
        .map_err(|cause| Fault::internal("The public URL is not an origin that browsers name.", cause))?;
    let cookies = Cookies::new(portal.base.scheme());
    let frames = Frames::new(portal.name, cookies);
    let pages = Pages {
        product: Arc::clone(portal.product),
        frames: frames.clone(),
        login: portal.login.clone(),
        fetcher: portal.fetcher.clone(),
        cookies,
        base: portal.base.clone(),
        lacks_public_url: portal.lacks_public_url,
        proxies: portal.proxies.clone(),
        offered: Arc::new(portal.offered.clone()),
    };
    let components = portal.demonstration.map_or_else(Router::new, |organization| {
        let components = Router::new().route(components::PATH, get(components::get));
        components.with_state((pages.clone(), organization))
    });
    let assets = Router::new()
        .route("/{name}", get(assets::get))
        .fallback(problem::not_found);
    let router = Router::new()
        .route("/", get(entrance::get))
        .with_state((Arc::clone(portal.product), frames.clone()))
        .nest(assets::PREFIX, assets)
        .merge(components)
        .route("/o/{organization}", get(to_home))
        .nest(
            "/o/{organization}/",
            of_organization().merge(of_realm()).with_state(pages.clone()),
        )
        .route("/instance", get(to_home))
        .nest(
            "/instance/",
            of_instance().merge(of_realm()).with_state(pages.clone()),
        )
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(same_site)
        .merge(of_providers().with_state(pages))
        .layer(from_fn_with_state(frames, problem::pages))
        .layer(from_fn_with_state(portal.base.scheme(), headers::secure));
    Ok(router)
}

/// Returns the routes of the pages that organizations and the instance have alike.
fn of_realm() -> Router<Pages> {
    Router::new()
        .route("/", get(home::get))
        .route("/sign-in", get(sign_in::get).post(sign_in::post))
        .route(
            "/sign-in/second-factor",
            get(second_factor::get).post(second_factor::post),
        )
        .route("/sign-out", get(sign_in::get_out).post(sign_in::post_out))
        .route("/forgotten-password", get(forgotten::get).post(forgotten::post))
        .route("/link/{secret}", get(link::get).post(link::post))
        .route(
            "/second-factor/set-up",
            get(second_factor::get_set_up).post(second_factor::post_set_up),
        )
        .route(
            "/recovery-codes",
            get(second_factor::get_codes).post(second_factor::post_codes),
        )
        .route("/recovery-codes/kept", post(second_factor::post_kept))
        .route("/step-up", get(step_up::get).post(step_up::post))
        .route("/account", get(account::get))
        .route(
            "/account/password",
            get(account::get_password).post(account::post_password),
        )
        .route(
            "/account/second-factor/remove",
            get(account::get_remove).post(account::post_remove),
        )
        .route("/account/session/{session}/end", post(account::post_end))
        .route(
            "/account/sign-out-everywhere",
            post(account::post_sign_out_everywhere),
        )
        .route("/appearance", post(theme::post))
        .fallback(problem::not_found)
}

/// Returns the routes of the pages that organizations have alone.
fn of_organization() -> Router<Pages> {
    Router::new()
        .route("/saml/start", get(single_sign_on::start))
        .route("/saml/confirm", get(single_sign_on::confirm))
        .merge(integrations::routes())
        .merge(logs::routes())
        .merge(overview::routes())
        .merge(settings::routes())
        .merge(people::routes())
        .merge(groups::routes())
        .merge(roles::routes())
        .merge(wizard::routes())
        .merge(setup_link::routes())
}

/// Returns the routes that identity providers read, and those to which they send browsers with a form of theirs.
fn of_providers() -> Router<Pages> {
    Router::new()
        .route("/saml/{organization}", get(single_sign_on::metadata))
        .route(
            "/portalApi/{organization}/AuthenticationSAML/AssertionConsumerService",
            post(single_sign_on::answer),
        )
        .method_not_allowed_fallback(problem::method_not_allowed)
}

/// Returns the routes of the pages that the instance has alone.
fn of_instance() -> Router<Pages> {
    Router::new()
        .route("/set-up/{secret}", get(first_run::get).post(first_run::post))
        .merge(instance::routes())
        .merge(logs::routes_of_realm())
}

/// Leads to the first page of a realm, whose path ends with a slash.
async fn to_home(uri: Uri) -> Redirect {
    Redirect::to(&format!("{}/", uri.path()))
}
