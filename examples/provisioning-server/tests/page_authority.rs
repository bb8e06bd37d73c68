//! Every page and form of the product, as its routes are written in the program, against those who have no business there.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod program;

use std::fs::{read_dir, read_to_string};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use program::Answer;
use program::bench::Bench;
use program::person::{Person, header};

/// Nobody has this id.
const NOBODY: &str = "0191b2f0-0000-7000-8000-000000000001";

/// The pages that are there for people who have not signed in, and those that say so.
const PUBLIC: &[&str] = &[
    "/sign-in",
    "/sign-in/second-factor",
    "/sign-out",
    "/forgotten-password",
    "/link/{secret}",
    "/set-up/{secret}",
    "/appearance",
    "/saml/start",
    "/recovery-codes/kept",
];

/// The pages of one's own account, which are where one belongs.
const OWN: &[&str] = &["/account", "/second-factor", "/recovery-codes", "/saml/confirm"];

/// The operator's own, whom no page knows: links in mails let somebody else sign in.
const OF_OPERATOR: &[&str] = &["/mail/{id}/link"];

/// A page, with what its path has in braces, and whether it takes a form.
struct Route {
    path: String,
    takes_form: bool,
}

impl Route {
    fn is_public(&self) -> bool {
        PUBLIC.contains(&&*self.path)
    }

    fn is_own(&self) -> bool {
        OWN.iter().any(|own| self.path.starts_with(own))
    }

    /// Returns the path with an organization in the place of a name, and nobody's id in that of every other.
    fn filled(&self) -> String {
        let mut filled = String::new();
        for part in self.path.split_inclusive(['{', '}']) {
            match part.strip_suffix('}') {
                Some("name") => filled.push_str("acme"),
                Some(_) => filled.push_str(NOBODY),
                None => filled.push_str(part.trim_end_matches('{')),
            }
        }
        filled
    }
}

/// Returns every route that modules of the pages name, whichever realm it is of.
fn routes() -> Vec<Route> {
    let mut routes = Vec::new();
    read(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src/portal"),
        &mut routes,
    );
    routes.retain(|route| !route.path.starts_with("/portalApi") && route.path != "/saml/{organization}");
    routes.retain(|route| {
        !route.path.starts_with("/o/") && route.path != "/instance" && route.path != "/{name}"
    });
    assert!(routes.len() > 25, "the routes are not found");
    routes
}

fn read(folder: &Path, routes: &mut Vec<Route>) {
    for entry in read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, routes);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = read_to_string(&path).unwrap();
            routes.extend(text.split(".route(").skip(1).filter_map(route));
        }
    }
}

/// Reads the route that a call names: its path, and what serves it.
fn route(call: &str) -> Option<Route> {
    let (path, rest) = call.trim_start().strip_prefix('"')?.split_once('"')?;
    let mut open = 1_i32;
    let served = rest.chars().take_while(|character| {
        open += match character {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        open > 0
    });
    Some(Route {
        path: path.to_owned(),
        takes_form: served.collect::<String>().contains("post("),
    })
}

/// Checks that an answer shows nothing, and did nothing: it is not there, it is not theirs, or they are to sign in.
fn leads_nowhere(answer: &Answer, asked: &str) {
    match answer.status {
        403..=405 | 410 => {}
        303 => {
            let to = header(answer, "location").unwrap();
            assert!(to.contains("/sign-in"), "{asked} leads to {to}");
        }
        status => panic!("{asked} answers {status}: {}", answer.text),
    }
}

/// Asks for every page, and sends every form, at the beginning of a realm's paths.
fn leads_nowhere_at(person: &mut Person<'_>, root: &str) {
    for route in routes().iter().filter(|route| !route.is_public()) {
        let path = format!("{root}{}", route.filled());
        leads_nowhere(&person.get(&path), &format!("GET {path}"));
        if route.takes_form {
            leads_nowhere(&person.post(&path, &[("typed", "acme")]), &format!("POST {path}"));
        }
    }
}

/// Feature rows 15, 87, 89: an administrator of one organization, with every permission there, gets nowhere on the pages of
/// the instance and of another organization: neither to see nor to do anything.
#[test]
fn an_administrator_gets_nowhere_elsewhere() {
    let bench = Bench::new(&[]);
    bench.run(&["org", "create", "other"]);
    let mut administrator = bench.enter();
    let (_, secret) = administrator
        .cookies
        .iter()
        .find(|(name, _)| name == "o-acme")
        .unwrap()
        .clone();
    administrator.cookies.push(("o-other".to_owned(), secret.clone()));
    administrator.cookies.push(("instance".to_owned(), secret));
    let patience = Instant::now() + Duration::from_secs(10);
    while administrator.get("/o/other/sign-in").status == 404 {
        assert!(Instant::now() < patience);
        sleep(Duration::from_millis(50));
    }
    let before = bench.run(&["audit", "list", "other"]);
    for root in ["/instance", "/o/other"] {
        leads_nowhere_at(&mut administrator, root);
    }
    assert_eq!(bench.run(&["audit", "list", "other"]), before);
    assert_eq!(
        bench.run(&["org", "list"])["organizations"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    assert_eq!(
        administrator.open("/o/acme/").status(),
        200,
        "at home they are in"
    );
}

/// Feature row 89: an owner of the instance sees every page of an organization, and sends every form, with their own
/// session; after they have signed out, the cookie that somebody kept gets nowhere.
#[test]
fn an_owner_gets_everywhere_until_they_sign_out() {
    let bench = Bench::new(&[]);
    bench.user("ada@acme.example");
    let mut owner = bench.own();
    let cookies = owner.cookies.clone();
    for root in ["/instance", "/o/acme"] {
        for route in routes()
            .iter()
            .filter(|route| !route.is_public() && !route.is_own())
        {
            let path = format!("{root}{}", route.filled());
            is_let_in(&owner.get(&path), &format!("GET {path}"));
            let is_operators = OF_OPERATOR.contains(&&*route.path);
            if route.takes_form && !is_operators && !path.ends_with("/step-up") {
                is_let_in(&owner.post(&path, &[("some", "")]), &format!("POST {path}"));
            }
        }
    }
    assert_eq!(owner.open("/o/acme/").status(), 200);
    owner.submit("/instance/sign-out", &[]);
    let mut thief = Person::new(&bench.server);
    thief.cookies = cookies;
    for root in ["/instance", "/o/acme"] {
        leads_nowhere_at(&mut thief, root);
    }
}

/// Checks that an answer is not that of somebody who may not.
fn is_let_in(answer: &Answer, asked: &str) {
    assert!(
        answer.status != 403 && answer.status < 500,
        "{asked}: {}",
        answer.text
    );
    if answer.status == 303 {
        let to = header(answer, "location").unwrap();
        assert!(!to.contains("/sign-in"), "{asked} leads to {to}");
    }
}

/// Feature rows 87, 89: on a page of an organization, an owner of the instance confirms with their own factor that it is
/// they, and comes back to it.
#[test]
fn an_owner_confirms_in_an_organization() {
    let bench = Bench::new(&[]);
    let mut owner = bench.own();
    bench.place.execute("UPDATE session SET proved = 0");
    let patience = Instant::now() + Duration::from_secs(10);
    let page = loop {
        let page = owner.open("/o/acme/step-up?to=help");
        if page.path.contains("step-up") {
            break page;
        }
        assert!(Instant::now() < patience);
        sleep(Duration::from_millis(50));
    };
    assert_eq!(page.heading(), "Confirm that it is you");
    let wrong = owner.submit("/o/acme/step-up?to=help", &[("password", "another one entirely")]);
    assert_eq!(wrong.status(), 422);
    let sent = [("password", program::entering::PASSWORD)];
    let answer = owner.post("/o/acme/step-up?to=help", &sent);
    assert_eq!(header(&answer, "location"), Some("/o/acme/help"));
}

/// OWASP's cheat sheet on cross-site request forgery: no form of any page is taken from another site, whoever is signed in.
#[test]
fn no_form_is_taken_from_another_site() {
    let bench = Bench::new(&[]);
    let mut owner = bench.own();
    for root in ["/instance", "/o/acme"] {
        for route in routes().iter().filter(|route| route.takes_form) {
            let path = format!("{root}{}", route.filled());
            let answer = owner.post_across(&path, &[("typed", "acme")]);
            assert_eq!(answer.status, 403, "{path}");
        }
    }
    assert_eq!(
        owner.open("/instance/organizations").status(),
        200,
        "nobody was signed out"
    );
}
