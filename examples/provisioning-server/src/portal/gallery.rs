//! Every page with sample data, in every state, held to what all pages promise in a real browser.

use std::net::SocketAddr;

use askama::Template;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::Html;
use axum::routing::get;
use jiff::Timestamp;
use uuid::Uuid;

use self::browser::Browser;
use super::account::{Account, Password, Session};
use super::destination::Destination;
use super::entrance::Entrance;
use super::first_run::FirstRun;
use super::forgotten::{Forgotten, Sent};
use super::frame::{Frame, Frames};
use super::home::{Home, NoAccess};
use super::link::{Invitation, LinkOver, ResetLink};
use super::passwords::Passwords;
use super::person::Person;
use super::problem::ProblemPage;
use super::qr::Picture;
use super::second_factor::{NewRecoveryCodes, RecoveryCodes, SecondFactor, SetUp};
use super::sign_in::{SignIn, SignOut, SignedOut};
use super::sign_in_name::Called;
use super::single_sign_on::{SamlError, SamlTried};
use super::step_up::{By, StepUp};
use super::{assets, headers};
use crate::domain::organization::{Name, Organization};
use crate::domain::public_url::Scheme;
use crate::domain::realm::Realm;
use crate::domain::settings::{Contact, Settings};

#[path = "../../tests/program/browser.rs"]
#[allow(dead_code, unreachable_pub, reason = "tests of the program use the rest")]
mod browser;

/// A page and its name.
type Sample = (&'static str, String);

fn sample(name: &'static str, page: &impl Template) -> Sample {
    (name, page.render().unwrap())
}

fn frames() -> Frames {
    Frames::new("Provisioning Server")
}

fn halden() -> Frame {
    let name = Name::parse("halden-freight").unwrap();
    let settings = Settings {
        support_contact: Contact::parse("helpdesk@haldenfreight.example").unwrap(),
        ..Settings::default()
    };
    let display = Some("Halden Freight".to_owned());
    let organization = Organization::new(Uuid::nil(), name, display, settings, Timestamp::UNIX_EPOCH);
    frames().of(&Realm::Organization(Box::new(organization.unwrap())))
}

const NOOR: &str = "noor.haddad@haldenfreight.example";

fn noor() -> Person {
    Person {
        display: "Noor Haddad".to_owned(),
        name: NOOR.to_owned(),
    }
}

fn passwords(label: &'static str) -> Passwords {
    Passwords {
        label,
        ..Passwords::default()
    }
}

fn refused(label: &'static str) -> Passwords {
    Passwords {
        label,
        new_error: Some(
            "The password has 7 characters; expected at least 12. A sentence is fine.".to_owned(),
        ),
        are_different: true,
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn at_the_door() -> Vec<Sample> {
    let sign_in = || SignIn {
        frame: halden(),
        called: Called::Address,
        destination: Destination::to("account"),
        has_single_sign_on: true,
        name: String::new(),
        trouble: None,
    };
    vec![
        sample(
            "entrance-found-nothing",
            &Entrance {
                frame: frames().of_server(),
                asked: "haldn".to_owned(),
                is_unknown: true,
            },
        ),
        sample("sign-in", &sign_in()),
        sample(
            "sign-in-wrong",
            &SignIn {
                name: NOOR.to_owned(),
                trouble: some(
                    "The e-mail address or the password is wrong. After 5 failed attempts you have to wait a while.",
                ),
                ..sign_in()
            },
        ),
        sample(
            "sign-in-slowed",
            &SignIn {
                called: Called::UserName,
                has_single_sign_on: false,
                trouble: some("Too many attempts have failed. Try again in 32 seconds."),
                ..sign_in()
            },
        ),
        sample("sign-out", &SignOut { frame: halden() }),
        sample("signed-out", &SignedOut { frame: halden() }),
        sample(
            "forgotten-password",
            &Forgotten {
                frame: halden(),
                called: Called::Address,
            },
        ),
        sample(
            "forgotten-password-sent",
            &Sent {
                frame: halden(),
                name: NOOR.to_owned(),
            },
        ),
        sample(
            "saml-error",
            &SamlError {
                frame: halden(),
                reference: Some("5c1e09aa".to_owned()),
            },
        ),
        sample(
            "saml-tried",
            &SamlTried {
                frame: halden(),
                name: "ida.sorensen@haldenfreight.example".to_owned(),
            },
        ),
    ]
}

fn by_link() -> Vec<Sample> {
    let expires = "1 December 2026, 10:41 UTC".to_owned();
    let first_run = |passwords, email_error| FirstRun {
        frame: frames().of(&Realm::Instance),
        email: "ida@".to_owned(),
        email_error,
        passwords,
        lacks_public_url: true,
    };
    vec![
        sample(
            "invitation",
            &Invitation {
                frame: halden(),
                display: "Noor Haddad".to_owned(),
                name: NOOR.to_owned(),
                expires: expires.clone(),
                passwords: refused("Password"),
            },
        ),
        sample(
            "reset-link",
            &ResetLink {
                frame: halden(),
                name: NOOR.to_owned(),
                expires: expires.clone(),
                removes_factor: false,
                passwords: passwords("New password"),
            },
        ),
        sample(
            "recovery-link",
            &ResetLink {
                frame: frames().of(&Realm::Instance),
                name: NOOR.to_owned(),
                expires,
                removes_factor: true,
                passwords: passwords("New password"),
            },
        ),
        sample("link-over", &LinkOver { frame: halden() }),
        sample(
            "link-over-instance",
            &LinkOver {
                frame: frames().of(&Realm::Instance),
            },
        ),
        sample("first-run", &first_run(passwords("Password"), None)),
        sample(
            "first-run-refused",
            &first_run(
                refused("Password"),
                some("\"ida@\" is not a valid address of an owner; expected an e-mail address."),
            ),
        ),
    ]
}

fn second_factors() -> Vec<Sample> {
    let url = "otpauth://totp/Halden%20Freight:noor.haddad%40haldenfreight.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
               &issuer=Halden%20Freight";
    let step_up = |by, trouble| StepUp {
        frame: halden(),
        by,
        name: NOOR.to_owned(),
        trouble,
    };
    let wrong = "This code is not right, or it was used before. Enter the one that is shown now.";
    let set_up = |is_required, trouble| SetUp {
        frame: halden(),
        trouble,
        picture: Picture::of(url).unwrap(),
        key: "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ".to_owned(),
        is_required,
    };
    vec![
        sample(
            "second-factor",
            &SecondFactor {
                frame: halden(),
                trouble: None,
                is_with_recovery_code: false,
            },
        ),
        sample(
            "second-factor-wrong",
            &SecondFactor {
                frame: frames().of(&Realm::Instance),
                trouble: some(wrong),
                is_with_recovery_code: true,
            },
        ),
        sample("second-factor-set-up", &set_up(true, None)),
        sample("second-factor-set-up-wrong", &set_up(false, some(wrong))),
        sample(
            "recovery-codes",
            &RecoveryCodes {
                frame: halden(),
                codes: (0..10).map(|n| format!("7mqd-x2fk-9hrt-b4w{n}")).collect(),
            },
        ),
        sample(
            "new-recovery-codes",
            &NewRecoveryCodes {
                frame: halden(),
                left: "6 of your recovery codes are left".to_owned(),
            },
        ),
        sample("step-up", &step_up(By::Code, None)),
        sample(
            "step-up-without-app",
            &step_up(By::Password, some("This is not your password.")),
        ),
        sample("step-up-single-sign-on", &step_up(By::SingleSignOn, None)),
    ]
}

fn signed_in() -> Vec<Sample> {
    let session = |browser: &str, place: &str, is_this| Session {
        id: "0191b2f0-0000-7000-8000-000000000000".to_owned(),
        browser: browser.to_owned(),
        place: place.to_owned(),
        is_this,
    };
    let account = || Account {
        frame: halden(),
        person: noor(),
        trouble: None,
        password: some("2 March 2026"),
        application: some("4 May 2026"),
        codes: "6 left".to_owned(),
        is_required: false,
        can_confirm_saml: true,
        sessions: vec![
            session(
                "Firefox on Linux",
                "203.0.113.24, since 29 November 2026, 08:03 UTC",
                true,
            ),
            session(
                "Chrome on Windows",
                "198.51.100.31, since 28 November 2026, 21:40 UTC",
                false,
            ),
        ],
    };
    vec![
        sample("account", &account()),
        sample(
            "account-required",
            &Account {
                is_required: true,
                trouble: some("Your organization asks for a second factor."),
                ..account()
            },
        ),
        sample(
            "account-single-sign-on",
            &Account {
                password: None,
                application: None,
                ..account()
            },
        ),
        sample(
            "password",
            &Password {
                frame: halden(),
                name: NOOR.to_owned(),
                is_wrong: true,
                passwords: passwords("New password"),
            },
        ),
        sample(
            "home",
            &Home {
                frame: halden(),
                person: noor(),
                permissions: [
                    "groups:read",
                    "history:read",
                    "integrations:read",
                    "integrations:write",
                ]
                .map(str::to_owned)
                .to_vec(),
            },
        ),
        sample(
            "home-instance",
            &Home {
                frame: frames().of(&Realm::Instance),
                person: noor(),
                permissions: vec!["organization:write".to_owned()],
            },
        ),
        sample(
            "no-access",
            &NoAccess {
                frame: halden(),
                person: noor(),
                is_provisioned: true,
            },
        ),
        sample(
            "no-access-by-hand",
            &NoAccess {
                frame: halden(),
                person: noor(),
                is_provisioned: false,
            },
        ),
    ]
}

fn problems() -> Vec<Sample> {
    let problem = |status, heading, sentence, request| ProblemPage {
        frame: frames().of_server(),
        status,
        heading,
        sentence,
        request,
    };
    vec![
        sample(
            "forbidden",
            &problem(
                403,
                "You do not have access to this page",
                "It needs the permission \"users:read\".",
                None,
            ),
        ),
        sample(
            "failed",
            &problem(
                500,
                "Something went wrong here",
                "Try again in a minute.",
                Some("0191b2f0-0000-7000-8000-000000000000"),
            ),
        ),
    ]
}

/// Serves the samples with the headers of the portal, and answers with where.
async fn serve(samples: &[Sample]) -> SocketAddr {
    let mut router = Router::new().route(&format!("{}{{name}}", assets::PREFIX), get(assets::get));
    for (name, page) in samples {
        let page = page.clone();
        router = router.route(&format!("/{name}"), get(|| async move { Html(page) }));
    }
    let router = router.layer(from_fn_with_state(Scheme::Http, headers::secure));
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

#[tokio::test]
async fn pages_before_sign_in_keep_what_all_pages_promise() {
    hold_to_promises(at_the_door()).await;
}

#[tokio::test]
async fn pages_of_links_keep_what_all_pages_promise() {
    hold_to_promises(by_link()).await;
}

#[tokio::test]
async fn pages_of_second_factors_keep_what_all_pages_promise() {
    hold_to_promises(second_factors()).await;
}

#[tokio::test]
async fn pages_after_sign_in_keep_what_all_pages_promise() {
    hold_to_promises(signed_in()).await;
}

#[tokio::test]
async fn pages_about_problems_keep_what_all_pages_promise() {
    hold_to_promises(problems()).await;
}
