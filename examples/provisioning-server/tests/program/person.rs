//! Somebody with a browser without scripts, who keeps cookies, follows redirects and fills in forms.

use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use totp_rs::{Builder, Secret};
use url::form_urlencoded::Serializer;

use super::{Answer, Server};

/// For how long a page is opened again until it says something.
const PATIENCE: Duration = Duration::from_secs(30);

/// Somebody in front of a browser.
pub struct Person<'s> {
    server: &'s Server,
    /// Names and values, as the browser keeps them.
    pub cookies: Vec<(String, String)>,
    agent: &'static str,
    /// The value of `X-Forwarded-For`, if there is one.
    pub forwarded_for: Option<&'static str>,
}

/// A page that somebody sees, and its path.
pub struct Page {
    pub path: String,
    pub answer: Answer,
}

impl Page {
    pub fn status(&self) -> u16 {
        self.answer.status
    }

    /// Returns the text between the first two of these.
    pub fn between(&self, before: &str, after: &str) -> &str {
        let found = self.answer.text.split_once(before);
        assert!(
            found.is_some(),
            "{before} is not on {}: {}",
            self.path,
            self.answer.text
        );
        found.unwrap().1.split_once(after).unwrap().0
    }

    pub fn heading(&self) -> &str {
        self.between("<h1>", "</h1>")
    }

    /// Returns the text of the banner of the page.
    pub fn trouble(&self) -> &str {
        let banner = self.between("role=\"alert\"", "</div>");
        banner.split_once("<p>").unwrap().1.split_once("</p>").unwrap().0
    }

    pub fn says(&self, text: &str) -> bool {
        self.answer.text.contains(text)
    }

    /// Returns the recovery codes that it shows.
    pub fn codes(&self) -> Vec<String> {
        let list = self.between("<ol class=\"codes", "</ol>");
        let items = list.split("<li>").skip(1);
        items
            .map(|item| item.split_once("</li>").unwrap().0.to_owned())
            .collect()
    }
}

/// Opens a page until it says something: what is written behind, or by another process, is there a moment later.
pub fn open_until(person: &mut Person<'_>, path: &str, says: &str) -> Page {
    let until = Instant::now() + PATIENCE;
    loop {
        let page = person.open(path);
        if page.says(says) {
            return page;
        }
        assert!(
            Instant::now() < until,
            "{path} never says {says:?}: {}",
            page.answer.text
        );
        sleep(Duration::from_millis(50));
    }
}

impl<'s> Person<'s> {
    pub fn new(server: &'s Server) -> Self {
        Self {
            server,
            cookies: Vec::new(),
            agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            forwarded_for: None,
        }
    }

    /// Makes somebody with another browser.
    pub fn elsewhere(server: &'s Server) -> Self {
        Self {
            agent: "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/148.0.0.0 Safari/537.36",
            ..Self::new(server)
        }
    }

    /// Opens a page, and follows where it leads.
    pub fn open(&mut self, path: &str) -> Page {
        let answer = self.send("GET", path, "");
        self.follow(path, answer)
    }

    /// Sends a form, and follows where it leads.
    pub fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let answer = self.post(path, fields);
        self.follow(path, answer)
    }

    /// Sends a form, and answers with what comes first.
    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send("POST", path, &body)
    }

    /// Opens a page, and answers with what comes first.
    pub fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, "")
    }

    /// Sends a form of another site, and answers with what comes first.
    pub fn post_across(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send_from("cross-site", "POST", path, &body)
    }

    fn follow(&mut self, path: &str, mut answer: Answer) -> Page {
        let mut path = path.to_owned();
        let mut followed = 0;
        while answer.status == 303 {
            path = header(&answer, "location").unwrap().to_owned();
            answer = self.send("GET", &path, "");
            followed += 1;
            assert!(followed < 6, "{path} leads in a circle");
        }
        Page { path, answer }
    }

    fn send(&mut self, method: &str, path: &str, body: &str) -> Answer {
        self.send_from("same-origin", method, path, body)
    }

    fn send_from(&mut self, site: &str, method: &str, path: &str, body: &str) -> Answer {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let cookies = cookies.join("; ");
        let mut headers = vec![("user-agent", self.agent), ("sec-fetch-site", site)];
        if !cookies.is_empty() {
            headers.push(("cookie", &cookies));
        }
        headers.extend(self.forwarded_for.map(|addresses| ("x-forwarded-for", addresses)));
        let answer = self.server.send_form(method, path, &headers, body);
        for cookie in set_cookies(&answer) {
            self.keep(&cookie);
        }
        answer
    }

    fn keep(&mut self, cookie: &str) {
        let (pair, attributes) = cookie.split_once(';').unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        self.cookies.retain(|(kept, _)| kept != name);
        if !attributes.contains("Max-Age=0") {
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
    }
}

/// Returns the value of the first header of this name, as it was sent.
pub fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    headers(answer, name).next()
}

/// Returns the cookies that an answer sets.
pub fn set_cookies(answer: &Answer) -> Vec<String> {
    headers(answer, "set-cookie").map(str::to_owned).collect()
}

fn headers<'a>(answer: &'a Answer, name: &str) -> impl Iterator<Item = &'a str> {
    answer.sent_head.lines().filter_map(move |line| {
        let (found, value) = line.split_once(": ")?;
        found.eq_ignore_ascii_case(name).then_some(value)
    })
}

/// An authenticator application.
pub struct Application {
    key: String,
    /// The step of time whose code comes next: each is accepted once.
    step: u64,
}

impl Application {
    /// Takes in the key as a page shows it.
    pub fn new(key: &str) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        Self {
            key: key.replace(' ', ""),
            step: now / 30,
        }
    }

    /// Takes in the key on the page that sets a second factor up.
    pub fn scan(page: &Page) -> Self {
        Self::new(page.between("<code class=\"value s\">", "</code>"))
    }

    /// Returns the key that it has taken in.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the next code. The server accepts that of the step to come, so that nobody waits: two in a row.
    pub fn code(&mut self) -> String {
        let totp = Builder::new()
            .with_secret(Secret::try_from_base32(&self.key).unwrap())
            .with_account_name("x")
            .build()
            .unwrap();
        let code = totp.generate(30 * self.step).to_string();
        self.step += 1;
        code
    }
}
