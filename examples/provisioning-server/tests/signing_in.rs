//! Sign-in by the pages: with cookies, forms and redirects, as browsers do it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use program::bench::Bench;
use program::person::{Application, Page, Person, header, set_cookies};
use program::{Place, Server};

const OWNER: &str = "ida@halden.example";
const PASSWORD: &str = "seven herons over the grey fjord";
const OTHER: &str = "a lighthouse keeps no calendar";

/// Returns the path of a URL that the program has printed.
fn path(url: &str) -> String {
    let (_, rest) = url.split_once("://").unwrap();
    rest[rest.find('/').unwrap()..].to_owned()
}

/// Returns the path by which the first owner comes.
fn set_up_path(server: &Server) -> String {
    path(server.started["set_up_url"].as_str().unwrap())
}

/// Makes the first owner, who is signed in.
fn set_up<'s>(server: &'s Server) -> Person<'s> {
    let mut ida = Person::new(server);
    let sent = [("email", OWNER), ("new", PASSWORD), ("again", PASSWORD)];
    let page = ida.submit(&set_up_path(server), &sent);
    assert_eq!(page.heading(), "Set up your second factor");
    ida
}

/// Signs an owner in, up to a second factor.
fn sign_in(person: &mut Person<'_>, password: &str) -> Page {
    person.submit("/instance/sign-in", &[("name", OWNER), ("password", password)])
}

/// Sets a second factor up.
fn set_up_factor(person: &mut Person<'_>) -> (Application, Page) {
    let page = person.open("/instance/second-factor/set-up");
    assert_eq!(page.heading(), "Set up your second factor");
    let mut application = Application::scan(&page);
    let code = application.code();
    let page = person.submit("/instance/second-factor/set-up", &[("code", &code)]);
    assert_eq!(page.heading(), "Recovery codes");
    (application, page)
}

/// Feature row 89: as long as there is no owner, a start prints a link, which is used once, by its form alone.
#[test]
fn the_first_owner_comes_by_the_link_that_the_server_prints() {
    let place = Place::new();
    let server = place.serve(&[]);
    let link = set_up_path(&server);
    let mut ida = Person::new(&server);
    for _ in 0..2 {
        let page = ida.open(&link);
        assert_eq!((page.status(), page.heading()), (200, "Set up this server"));
    }
    let different = ida.submit(&link, &[("email", OWNER), ("new", PASSWORD), ("again", OTHER)]);
    assert_eq!(different.status(), 422);
    assert!(different.says("The two passwords are different."));
    assert!(different.says(&format!("value=\"{OWNER}\"")) && !different.says(PASSWORD));
    let short = ida.submit(&link, &[("email", OWNER), ("new", "short"), ("again", "short")]);
    assert!(
        short.says("The password has 5 characters"),
        "{}",
        short.answer.text
    );
    let nobody = ida.submit(&link, &[("email", "ida"), ("new", PASSWORD), ("again", PASSWORD)]);
    assert!(nobody.says("is not a valid address of an owner"));
    assert!(ida.cookies.is_empty());

    let made = ida.post(&link, &[("email", OWNER), ("new", PASSWORD), ("again", PASSWORD)]);
    assert_eq!(header(&made, "location"), Some("/instance/second-factor/set-up"));
    assert_eq!(ida.open("/instance").heading(), "Organizations");
    for page in [ida.open(&link), ida.submit(&link, &[("email", OWNER)])] {
        assert_eq!((page.status(), page.heading()), (410, "This link has expired"));
    }
    server.terminate();
    assert!(place.serve(&[]).started["set_up_url"].is_null());
}

/// Feature row 90: a password alone lets nobody in who has a second factor; each code is accepted once, and a recovery
/// code stands in for one.
#[test]
fn a_second_factor_completes_a_sign_in() {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut ida = set_up(&server);
    let (mut application, shown) = set_up_factor(&mut ida);
    let codes = shown.codes();
    assert_eq!(codes.len(), 10);
    assert_eq!(
        ida.submit("/instance/recovery-codes/kept", &[("kept", "on")])
            .heading(),
        "Organizations"
    );
    assert_eq!(
        ida.submit("/instance/sign-out", &[]).heading(),
        "You are signed out"
    );
    assert_eq!(ida.open("/instance/account").path, "/instance/sign-in?to=account");

    let page = sign_in(&mut ida, PASSWORD);
    assert_eq!(
        (page.path.as_str(), page.heading()),
        ("/instance/sign-in/second-factor", "Second factor")
    );
    for inside in [
        "/instance/",
        "/instance/account",
        "/instance/step-up",
        "/instance/recovery-codes",
    ] {
        assert_eq!(ida.open(inside).heading(), "Second factor", "{inside}");
    }
    let wrong = ida.submit("/instance/sign-in/second-factor", &[("code", "000000")]);
    assert_eq!(wrong.status(), 422);
    assert!(wrong.trouble().contains("This code is not right"));
    let code = application.code();
    assert_eq!(
        ida.submit("/instance/sign-in/second-factor", &[("code", &code)])
            .heading(),
        "Organizations"
    );

    let mut again = Person::elsewhere(&server);
    sign_in(&mut again, PASSWORD);
    let used = again.submit("/instance/sign-in/second-factor", &[("code", &code)]);
    assert_eq!(used.status(), 422);
    let recovery = [("recovery", codes[3].as_str())];
    assert_eq!(
        again
            .submit("/instance/sign-in/second-factor", &recovery)
            .heading(),
        "Organizations"
    );
    assert!(again.open("/instance/account").says("9 left"));
}

/// Feature row 24 and OWASP's cheat sheet on authentication: what is said does not tell whether there is an account.
#[test]
fn a_sign_in_that_fails_says_the_same_of_everybody() {
    let place = Place::new();
    let server = place.serve(&[]);
    set_up(&server);
    let mut guesser = Person::new(&server);
    let known = sign_in(&mut guesser, OTHER);
    let unknown = guesser.submit(
        "/instance/sign-in",
        &[("name", "nobody@halden.example"), ("password", OTHER)],
    );
    assert_eq!((known.status(), unknown.status()), (422, 422));
    assert_eq!(known.trouble(), unknown.trouble());
    assert!(
        known
            .trouble()
            .starts_with("The e-mail address or the password is wrong.")
    );
    let as_known = unknown.answer.text.replace("nobody@halden.example", OWNER);
    assert_eq!(as_known, known.answer.text);
    assert!(guesser.cookies.is_empty());
    for name in [OWNER, "nobody@halden.example"] {
        let sent = guesser.submit("/instance/forgotten-password", &[("name", name)]);
        assert_eq!((sent.status(), sent.heading()), (200, "Check your mailbox"));
    }
}

/// Feature row 90 and RFC 6585 section 4: whoever guesses waits, and the person whose browser is known does not.
#[test]
fn whoever_guesses_has_to_wait() {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut ida = set_up(&server);
    ida.submit("/instance/sign-out", &[]);
    let mut guesser = Person::elsewhere(&server);
    let mut last = sign_in(&mut guesser, "guess 0");
    for _ in 0..5 {
        last = sign_in(&mut guesser, "guess again");
    }
    assert_eq!(last.status(), 429, "{}", last.answer.text);
    assert!(
        last.trouble()
            .starts_with("Too many attempts have failed. Try again in "),
        "{}",
        last.trouble()
    );
    let seconds: u64 = header(&last.answer, "retry-after").unwrap().parse().unwrap();
    assert!((1..=900).contains(&seconds));
    assert_eq!(sign_in(&mut ida, PASSWORD).heading(), "Organizations");
}

/// OWASP's cheat sheet on session management: a cookie is out of reach of scripts, other sites and plain http, and a
/// sign-in gives another secret.
#[test]
fn the_cookie_of_a_session_is_well_guarded() {
    let place = Place::new();
    let server = place.serve(&["--public-url", "https://scim.example.com"]);
    let link = set_up_path(&server);
    let sent = [("email", OWNER), ("new", PASSWORD), ("again", PASSWORD)];
    let mut ida = Person::new(&server);
    let made = ida.post(&link, &sent);
    let cookies = set_cookies(&made);
    let session = cookies
        .iter()
        .find(|cookie| cookie.starts_with("__Host-instance="))
        .unwrap();
    assert!(
        session.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"),
        "{session}"
    );
    let device = cookies
        .iter()
        .find(|cookie| cookie.starts_with("__Host-device="))
        .unwrap();
    assert!(
        device.contains("; HttpOnly; SameSite=Lax; Secure; Max-Age=7776000"),
        "{device}"
    );

    let before = ida.cookies.clone();
    sign_in(&mut ida, PASSWORD);
    let value = |cookies: &[(String, String)]| {
        let found = cookies.iter().find(|(name, _)| name == "__Host-instance");
        found.unwrap().1.clone()
    };
    assert_ne!(value(&before), value(&ida.cookies));
    ida.submit("/instance/sign-out", &[]);
    let mut thief = Person::new(&server);
    thief.cookies = vec![("__Host-instance".to_owned(), value(&before))];
    assert_eq!(
        thief.open("/instance/account").heading(),
        "Sign-in and security",
        "an earlier session goes on"
    );
}

/// Whoever has to sign in first comes to the page that they have asked for, and nowhere else.
#[test]
fn a_sign_in_leads_to_the_page_that_was_asked_for() {
    let place = Place::new();
    let server = place.serve(&[]);
    set_up(&server);
    let mut ida = Person::new(&server);
    let asked = ida.open("/instance/account");
    assert_eq!(
        (asked.path.as_str(), asked.heading()),
        ("/instance/sign-in?to=account", "Sign in")
    );
    assert!(asked.says("action=\"/instance/sign-in?to=account\""));
    let sent = [("name", OWNER), ("password", PASSWORD)];
    assert_eq!(
        ida.submit("/instance/sign-in?to=account", &sent).path,
        "/instance/account"
    );
    assert_eq!(ida.open("/instance/sign-in").path, "/instance/organizations");
    for elsewhere in [
        "//evil.example",
        "https://evil.example",
        "%2F%2Fevil.example",
        "..%2F..%2F",
    ] {
        let answer = ida.post(&format!("/instance/sign-in?to={elsewhere}"), &sent);
        assert_eq!(header(&answer, "location"), Some("/instance/"), "{elsewhere}");
    }
}

/// Feature row 94: people see their sessions, and end them.
#[test]
fn somebody_sees_and_ends_their_sessions() {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut ida = set_up(&server);
    let mut elsewhere = Person::elsewhere(&server);
    assert_eq!(sign_in(&mut elsewhere, PASSWORD).heading(), "Organizations");
    let account = ida.open("/instance/account");
    assert!(
        account.says("Firefox on Linux") && account.says("Chrome on Windows"),
        "{}",
        account.answer.text
    );
    assert!(account.says("127.0.0.1, since "));
    let end = account.between("action=\"/instance/account/session/", "\"");
    let page = ida.submit(&format!("/instance/account/session/{end}"), &[]);
    assert!(page.path == "/instance/account" && !page.says("Chrome on Windows"));
    assert_eq!(elsewhere.open("/instance/").heading(), "Sign in");

    assert_eq!(sign_in(&mut elsewhere, PASSWORD).heading(), "Organizations");
    assert_eq!(
        elsewhere
            .submit("/instance/account/sign-out-everywhere", &[])
            .heading(),
        "You are signed out"
    );
    assert_eq!(ida.open("/instance/").heading(), "Sign in");
    assert_eq!(ida.open("/instance/sign-out").heading(), "You are signed out");
}

/// Feature row 93: behind a proxy that is trusted, the address is the client's; before any other, it is the connection's.
#[test]
fn a_session_shows_the_client_behind_a_trusted_proxy() {
    const CLIENT: &str = "203.0.113.9, 198.51.100.7, 127.0.0.2";
    for (flags, shown) in [
        (&["--trusted-proxies", "127.0.0.0/8"][..], "198.51.100.7, since "),
        (&[], "127.0.0.1, since "),
    ] {
        let place = Place::new();
        let server = place.serve(flags);
        set_up(&server);
        let mut ida = Person::elsewhere(&server);
        ida.forwarded_for = Some(CLIENT);
        sign_in(&mut ida, PASSWORD);
        let account = ida.open("/instance/account");
        assert!(account.says(shown), "{}", account.answer.text);
    }
}

/// Feature rows 90 and 94: a password is changed by whoever knows it, and ends all other sessions.
#[test]
fn a_changed_password_ends_other_sessions() {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut ida = set_up(&server);
    let mut elsewhere = Person::elsewhere(&server);
    sign_in(&mut elsewhere, PASSWORD);
    let change = |present, new, again| [("present", present), ("new", new), ("again", again)];
    let page = ida.submit("/instance/account/password", &change(OTHER, OTHER, OTHER));
    assert!(
        page.status() == 422 && page.says("This is not your password."),
        "{}",
        page.answer.text
    );
    let page = ida.submit("/instance/account/password", &change(PASSWORD, OTHER, PASSWORD));
    assert!(page.says("The two passwords are different."));
    let page = ida.submit(
        "/instance/account/password",
        &change(PASSWORD, "password1234", "password1234"),
    );
    assert!(page.says("The password is easy to guess"), "{}", page.answer.text);
    let page = ida.submit("/instance/account/password", &change(PASSWORD, OTHER, OTHER));
    assert_eq!(page.path, "/instance/account");
    assert_eq!(elsewhere.open("/instance/").heading(), "Sign in");
    assert_eq!(sign_in(&mut elsewhere, PASSWORD).status(), 422);
    assert_eq!(sign_in(&mut elsewhere, OTHER).heading(), "Organizations");
}

/// Feature row 90: a second factor is removed by whoever has just confirmed that it is they.
#[test]
fn a_second_factor_can_be_removed() {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut ida = set_up(&server);
    let (_, shown) = set_up_factor(&mut ida);
    let codes = ida.submit("/instance/recovery-codes", &[]).codes();
    assert!(codes.iter().all(|code| !shown.codes().contains(code)));
    let asked = ida.open("/instance/account/second-factor/remove");
    assert_eq!(asked.heading(), "Remove your second factor?");
    let account = ida.submit("/instance/account/second-factor/remove", &[]);
    assert!(account.path == "/instance/account" && account.says("Set up an authenticator app"));
    assert_eq!(ida.open("/instance/recovery-codes").status(), 404);
}

/// Feature row 90: a second factor that is asked for is exchanged, and the present one holds until the first code of the other.
#[test]
fn a_required_second_factor_can_be_exchanged() {
    const NOOR: &str = "noor@halden.example";
    let bench = Bench::new(&["--second-factor", "required"]);
    bench.run(&["user", "create", "acme", NOOR]);
    let link = bench.mailed("invitation", NOOR);
    let mut noor = Person::new(&bench.server);
    let page = noor.submit(&link, &[("new", PASSWORD), ("again", PASSWORD)]);
    let mut first = Application::scan(&page);
    let set_up = "/o/acme/second-factor/set-up";
    let codes = noor.submit(set_up, &[("code", &first.code())]).codes();
    let refused = noor.submit("/o/acme/account/second-factor/remove", &[]);
    assert!(
        refused.trouble().contains("set another up instead"),
        "{}",
        refused.trouble()
    );

    let offered = noor.open(set_up);
    assert!(offered.says("The app that you have now holds until this one is confirmed."));
    let mut second = Application::scan(&offered);
    let wrong = noor.submit(set_up, &[("code", &first.code())]);
    assert_eq!(wrong.status(), 422, "a code of the one that is to go");
    let mut elsewhere = Person::elsewhere(&bench.server);
    let asked = elsewhere.submit("/o/acme/sign-in", &[("name", NOOR), ("password", PASSWORD)]);
    assert_eq!(asked.heading(), "Second factor");
    let with = |person: &mut Person<'_>, code: &str| {
        let page = person.submit("/o/acme/sign-in/second-factor", &[("code", code)]);
        page.status()
    };
    assert_eq!(
        with(&mut elsewhere, &second.code()),
        422,
        "it is not in force yet"
    );
    assert_eq!(with(&mut elsewhere, &codes[0]), 200);

    let others = noor.submit(set_up, &[("code", &second.code())]).codes();
    assert!(others.len() == 10 && others.iter().all(|code| !codes.contains(code)));
    assert_eq!(
        elsewhere.open("/o/acme/account").heading(),
        "Sign in",
        "other sessions end"
    );
    elsewhere.submit("/o/acme/sign-in", &[("name", NOOR), ("password", PASSWORD)]);
    assert_eq!(with(&mut elsewhere, &first.code()), 422);
    assert_eq!(with(&mut elsewhere, &codes[1]), 422, "so do recovery codes");
    assert_eq!(with(&mut elsewhere, &others[0]), 200);
    bench.is_sound();
}

/// Makes all confirmations of factors eleven minutes old.
fn let_confirmations_age(place: &Place) {
    place.execute("UPDATE session SET proved = proved - 660000000");
}

/// Feature row 90: what changes how somebody signs in asks for a confirmation that is not older than ten minutes.
#[test]
fn what_matters_asks_for_a_fresh_confirmation() {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut ida = set_up(&server);
    let_confirmations_age(&place);
    for page in ["account/password", "second-factor/set-up"] {
        let asked = ida.open(&format!("/instance/{page}"));
        assert_eq!(asked.path, format!("/instance/step-up?to={page}"));
        assert!(asked.heading() == "Confirm that it is you" && asked.says("Your password"));
    }
    let wrong = ida.submit("/instance/step-up?to=account/password", &[("password", OTHER)]);
    assert!(wrong.status() == 422 && wrong.trouble().contains("This is not your password."));
    let page = ida.submit("/instance/step-up?to=account/password", &[("password", PASSWORD)]);
    assert_eq!(page.heading(), "Change your password");

    let (mut application, _) = set_up_factor(&mut ida);
    let_confirmations_age(&place);
    let asked = ida.open("/instance/recovery-codes");
    assert!(
        asked.says("Code from your authenticator app"),
        "{}",
        asked.answer.text
    );
    let refused = ida.submit("/instance/step-up?to=recovery-codes", &[("password", PASSWORD)]);
    assert_eq!(
        refused.status(),
        422,
        "a password is not enough for somebody who has a second factor"
    );
    let code = application.code();
    let page = ida.submit("/instance/step-up?to=recovery-codes", &[("code", &code)]);
    assert_eq!(page.heading(), "Make new recovery codes?");
    assert!(page.says("10 recovery codes are left"));
}

/// Feature row 89: an owner who was made or let back in at the command line comes by a link, which opening does not use.
#[test]
fn an_owner_comes_by_a_link_of_the_command_line() {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut ida = set_up(&server);
    set_up_factor(&mut ida);
    let made = place.json(&["admin", "create", "marek@halden.example"]);
    let link = path(made["url"].as_str().unwrap());
    let mut marek = Person::new(&server);
    for _ in 0..2 {
        let page = marek.open(&link);
        assert_eq!(
            (page.status(), page.heading()),
            (200, "Welcome, marek@halden.example")
        );
    }
    let page = marek.submit(&link, &[("new", OTHER), ("again", PASSWORD)]);
    assert!(page.status() == 422 && page.says("The two passwords are different."));
    let page = marek.submit(&link, &[("new", "password1234"), ("again", "password1234")]);
    assert!(
        page.status() == 422 && page.says("The password is easy to guess"),
        "{}",
        page.answer.text
    );
    assert_eq!(
        marek.submit(&link, &[("new", OTHER), ("again", OTHER)]).heading(),
        "Organizations"
    );
    assert_eq!(marek.open(&link).status(), 410);

    let made = place.json(&["admin", "recover", OWNER]);
    let link = path(made["url"].as_str().unwrap());
    let page = ida.open(&link);
    assert_eq!(page.heading(), "Choose a new password");
    assert!(page.says("Your second factor and your recovery codes are removed"));
    let page = ida.submit(&link, &[("new", OTHER), ("again", OTHER)]);
    assert_eq!(page.heading(), "Organizations");
    assert!(ida.open("/instance/account").says("Set up an authenticator app"));
}

/// A link that never was looks like one that is over, and an organization that is not there like a page that is not.
#[test]
fn what_was_never_there_looks_like_what_is_over() {
    let place = Place::new();
    place.json(&["org", "create", "acme"]);
    let server = place.serve(&[]);
    let mut person = Person::new(&server);
    for link in [
        "/o/acme/link/none",
        "/instance/link/none",
        "/instance/set-up/none",
    ] {
        assert_eq!(person.open(link).status(), 410, "{link}");
        assert_eq!(
            person.submit(link, &[("new", OTHER), ("again", OTHER)]).status(),
            410,
            "{link}"
        );
    }
    for path in [
        "/o/other/sign-in",
        "/o/Not%20A%20Name/sign-in",
        "/o/acme/set-up/none",
        "/o/other/link/none",
    ] {
        let page = person.open(path);
        assert_eq!(
            (page.status(), page.heading()),
            (404, "There is nothing here"),
            "{path}"
        );
    }
    assert_eq!(person.open("/o/acme").path, "/o/acme/sign-in");
}

/// OWASP's cheat sheet on denial of service: a form has a bound, and what is not a form is not read.
#[test]
fn a_form_has_a_bound() {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut person = Person::new(&server);
    let long = "x".repeat(65 * 1024);
    let page = person.submit("/instance/sign-in", &[("name", &long)]);
    assert_eq!((page.status(), page.heading()), (413, "This is too long"));
    assert_eq!(header(&page.answer, "connection"), Some("close"));
    let other = server.send("POST", "/instance/sign-in", &[], "{}");
    assert_eq!(other.status, 415);
}
