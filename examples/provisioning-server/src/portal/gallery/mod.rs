//! Every page with sample data, in every state, held to what all pages promise in a real browser.

use std::net::SocketAddr;

use askama::Template;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::Html;
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use uuid::Uuid;

use self::browser::Browser;
use super::cookies::Cookies;
use super::frame::{Frame, Frames};
use super::person::Person;
use super::shell::{Section, Shell};
use super::{assets, headers};
use crate::domain::organization::{Name, Organization};
use crate::domain::permission::Permissions;
use crate::domain::public_url::Scheme;
use crate::domain::realm::Realm;
use crate::domain::settings::{Contact, Settings};

#[path = "../../../tests/program/browser.rs"]
#[allow(dead_code, unreachable_pub, reason = "tests of the program use the rest")]
mod browser;
mod entering;
mod groups;
mod instance;
mod logs;
mod overview;
mod people;
mod scim;
mod settings;
mod setup_link;
mod wizard;

/// A page and its name.
type Sample = (&'static str, String);

fn sample(name: &'static str, page: &impl Template) -> Sample {
    (name, page.render().unwrap())
}

fn frames() -> Frames {
    Frames::new("Provisioning Server", Cookies::new(Scheme::Http))
}

fn halden() -> Frame {
    let name = Name::parse("halden-freight").unwrap();
    let settings = Settings {
        support_contact: Contact::parse("helpdesk@haldenfreight.example").unwrap(),
        ..Settings::default()
    };
    let display = Some("Halden Freight".to_owned());
    let organization = Organization::new(Uuid::nil(), name, display, settings, Timestamp::UNIX_EPOCH);
    frames().of(
        &Realm::Organization(Box::new(organization.unwrap())),
        &HeaderMap::new(),
    )
}

const NOOR: &str = "noor.haddad@haldenfreight.example";

fn noor() -> Person {
    Person {
        display: "Noor Haddad".to_owned(),
        name: NOOR.to_owned(),
    }
}

/// The shell around a page of somebody with every permission.
fn shell(section: Section) -> Shell {
    Shell {
        person: noor(),
        permissions: Permissions::catalogue(),
        section,
        page: String::new(),
        is_behind_panel: false,
        is_owner_elsewhere: false,
        own: "/o/halden-freight/".to_owned(),
        said: None,
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// Serves the samples with the headers of the portal, and answers with where.
async fn serve(samples: &[Sample]) -> SocketAddr {
    let mut router = Router::new().route(&format!("{}{{name}}", assets::PREFIX), get(assets::get));
    for (name, page) in samples {
        let page = page.clone();
        router = router.route(&format!("/{name}"), get(|| async move { Html(page) }));
    }
    // A part that asks for itself again stays as it is.
    let router = router
        .fallback(|| async { StatusCode::NO_CONTENT })
        .layer(from_fn_with_state(Scheme::Http, headers::secure));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn hold_to_promises(samples: Vec<Sample>) {
    let address = serve(&samples).await;
    let inspecting = tokio::task::spawn_blocking(move || {
        let mut browser = Browser::open();
        for (name, _) in samples {
            browser.anew(true);
            browser.goto(&format!("http://{address}/{name}"));
            browser.inspect(name);
        }
    });
    inspecting.await.unwrap();
}
