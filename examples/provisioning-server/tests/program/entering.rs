//! An administrator who is signed in, in front of a browser with scripts or one without.

use serde_json::json;

use super::Server;
use super::bench::Bench;
use super::browser::Browser;
use super::person::Person;

/// The name under which they sign in, and their password.
pub const ADMINISTRATOR: &str = "ida@acme.example";
pub const PASSWORD: &str = "seven herons over the grey fjord";

impl Bench {
    /// Makes an administrator of "acme" who has a role, and signs them in by the link that is mailed to them.
    pub fn enter_as(&self, name: &str, role: &str) -> Person<'_> {
        self.run(&["user", "create", "acme", name]);
        self.run(&["user", "grant", "acme", name, "--role", role]);
        let mut person = Person::new(&self.server);
        person.submit("/o/acme/forgotten-password", &[("name", name)]);
        let link = self.mailed("reset-link", name);
        let page = person.submit(&link, &[("new", PASSWORD), ("again", PASSWORD)]);
        assert_eq!(page.path, "/o/acme/", "{}", page.answer.text);
        person
    }

    /// Makes an administrator in the same way, with every permission.
    pub fn enter(&self) -> Person<'_> {
        self.enter_as(ADMINISTRATOR, "Administrator")
    }

    /// Opens the same in a browser that runs scripts, which shows the first page.
    pub fn open_browser(&self) -> Browser {
        let mut browser = Browser::open();
        browser.continues(&self.enter(), self.server.address());
        browser.goto(&self.url("/o/acme/"));
        browser
    }

    /// Returns the URL of a page.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }
}

impl Browser {
    /// Goes on with the cookies of somebody who has signed in.
    pub fn continues(&mut self, person: &Person<'_>, address: &str) {
        for (name, value) in &person.cookies {
            let url = format!("http://{address}");
            self.ask(&json!({ "do": "cookie", "name": name, "value": value, "url": url }));
        }
    }
}

/// The name under which the first owner of the instance signs in.
pub const OWNER: &str = "odile@instance.example";

impl Bench {
    /// Makes the first owner of the instance, who is signed in.
    pub fn own(&self) -> Person<'_> {
        own(&self.server)
    }

    /// Opens the same in a browser that runs scripts, which shows the first page.
    pub fn open_as_owner(&self) -> Browser {
        let mut browser = Browser::open();
        browser.continues(&self.own(), self.server.address());
        browser.goto(&self.url("/instance/"));
        browser
    }
}

/// Makes the first owner of a server, who is signed in.
pub fn own(server: &Server) -> Person<'_> {
    let mut owner = Person::new(server);
    let (_, rest) = server.started["set_up_url"]
        .as_str()
        .unwrap()
        .split_once("://")
        .unwrap();
    let link = &rest[rest.find('/').unwrap()..];
    let sent = [("email", OWNER), ("new", PASSWORD), ("again", PASSWORD)];
    let page = owner.submit(link, &sent);
    assert_eq!(page.heading(), "Set up your second factor");
    owner
}
