//! Every page with sample data, in every state, held to what all pages promise in a real browser.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::{Html, IntoResponse, Response};
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
mod components;
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

/// Returns the shell around a page of somebody with every permission.
fn shell(section: Section) -> Shell {
    Shell {
        person: noor(),
        permissions: Permissions::catalogue(),
        section,
        page: String::new(),
        is_behind_panel: false,
        is_owner_elsewhere: false,
        own: "/o/halden-freight/".to_owned(),
        open_conflicts: 3,
        said: None,
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// The window of a phone.
const NARROW: u32 = 360;

/// Answers a part that asks for itself again with the page on which it is.
fn again(samples: &BTreeMap<&'static str, String>, asked: &HeaderMap) -> Response {
    let page = asked.get("hx-current-url").and_then(|url| url.to_str().ok());
    let name = page.and_then(|url| url.rsplit('/').next());
    match name.and_then(|name| samples.get(name)) {
        Some(page) => Html(page.clone()).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

/// Serves the samples with the headers of the portal, and answers with where.
async fn serve(samples: &[Sample]) -> SocketAddr {
    let mut router = Router::new().route(&format!("{}{{name}}", assets::PREFIX), get(assets::get));
    for (name, page) in samples {
        let page = page.clone();
        router = router.route(&format!("/{name}"), get(|| async move { Html(page) }));
    }
    let samples: Arc<BTreeMap<_, _>> = Arc::new(samples.iter().cloned().collect());
    let router = router
        .fallback(move |asked: HeaderMap| {
            let samples = Arc::clone(&samples);
            async move { again(&samples, &asked) }
        })
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
            let url = format!("http://{address}/{name}");
            browser.anew(true);
            browser.hold();
            browser.goto(&url);
            browser.inspect(name);
            browser.anew(true);
            browser.hold();
            browser.resize(NARROW);
            browser.goto(&url);
            assert_eq!(browser.moved(), [""; 0], "{name}, {NARROW} px");
        }
    });
    inspecting.await.unwrap();
}

/// Serves a page with a button that waits for the script, in a style or in none, and returns what has moved on it.
async fn moved(style: &str) -> Vec<String> {
    let script = assets::SCRIPT.path();
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><title>Moving</title>{style}<script src=\"{script}\" defer></script>\
         <div><button class=\"btn\" data-copy=\"below\" hidden>Copy</button></div><p id=\"below\">Below</p>"
    );
    let address = serve(&[("moving", page)]).await;
    let looking = tokio::task::spawn_blocking(move || {
        let mut browser = Browser::open();
        browser.hold();
        browser.goto(&format!("http://{address}/moving"));
        browser.moved()
    });
    looking.await.unwrap()
}

/// Guards against pages that move under the pointer while they load: what a button pushes down that a script shows late is
/// found, and in the style of the portal the button has its place before.
#[tokio::test]
async fn a_part_that_moves_by_itself_is_found() {
    assert_ne!(moved("").await, [""; 0]);
    let style = format!("<link rel=\"stylesheet\" href=\"{}\">", assets::STYLE.path());
    assert_eq!(moved(&style).await, [""; 0]);
}
