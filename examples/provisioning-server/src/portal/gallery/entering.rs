//! Pages of sign-in, and of one's own account.

use super::{NOOR, Sample, frames, halden, hold_to_promises, sample, shell, some};
use crate::actions::own_groups::OwnGroups;
use crate::domain::realm::Realm;
use crate::portal::account::{Account, Password, Session};
use crate::portal::destination::Destination;
use crate::portal::entrance::Entrance;
use crate::portal::first_run::FirstRun;
use crate::portal::forgotten::{Forgotten, Sent};
use crate::portal::home::NoAccess;
use crate::portal::link::{Invitation, LinkOver, ResetLink};
use crate::portal::passwords::Passwords;
use crate::portal::problem::ProblemPage;
use crate::portal::qr::Picture;
use crate::portal::second_factor::{NewRecoveryCodes, RecoveryCodes, SecondFactor, SetUp};
use crate::portal::shell::Section;
use crate::portal::sign_in::{SignIn, SignOut, SignedOut};
use crate::portal::sign_in_name::Called;
use crate::portal::single_sign_on::{SamlError, SamlTried};
use crate::portal::step_up::{By, StepUp};
use http::HeaderMap;

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
                frame: frames().of_server(&HeaderMap::new()),
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
        frame: frames().of(&Realm::Instance, &HeaderMap::new()),
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
                frame: frames().of(&Realm::Instance, &HeaderMap::new()),
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
                frame: frames().of(&Realm::Instance, &HeaderMap::new()),
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
        is_exchange: !is_required,
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
                frame: frames().of(&Realm::Instance, &HeaderMap::new()),
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
        shell: shell(Section::Own),
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
            "no-access",
            &NoAccess {
                frame: halden(),
                shell: shell(Section::Own),
                is_provisioned: true,
                groups: OwnGroups {
                    names: vec!["All staff".to_owned(), "Warehouse Night Shift".to_owned()],
                    has_more: true,
                },
            },
        ),
        sample(
            "no-access-by-hand",
            &NoAccess {
                frame: halden(),
                shell: shell(Section::Own),
                is_provisioned: false,
                groups: OwnGroups::default(),
            },
        ),
    ]
}

fn problems() -> Vec<Sample> {
    let problem = |status, heading, sentence, request| ProblemPage {
        frame: frames().of_server(&HeaderMap::new()),
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
