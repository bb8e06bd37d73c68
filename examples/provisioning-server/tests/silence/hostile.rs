//! Requests as they must not be: mistaken, hostile, cut off. Each holds something that nobody may write down.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

/// Sends requests to an organization.
pub(crate) struct Client<'c> {
    pub(crate) address: SocketAddr,
    pub(crate) organization: &'c str,
    pub(crate) token: &'c str,
}

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

impl Client<'_> {
    /// Sends bytes, and waits for the end of the answer.
    pub(crate) fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        // Whoever is refused early reads no further.
        _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Sends a request with a token of one's choice, and answers with the status.
    pub(crate) fn send_as(&self, authorization: &str, method: &str, path: &str, body: &str) -> u16 {
        let request = format!(
            "{method} /scim/{}/v2{path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\nauthorization: \
             {authorization}\r\nx-forwarded-for: 203.0.113.77\r\nuser-agent: zqx-agent\r\ncontent-type: \
             application/scim+json\r\ncontent-length: {}\r\n\r\n{body}",
            self.organization,
            self.address,
            body.len()
        );
        let answer = self.raw(request.as_bytes());
        answer
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .unwrap_or(0)
    }

    pub(crate) fn send(&self, method: &str, path: &str, body: &str) -> u16 {
        self.send_as(&format!("Bearer {}", self.token), method, path, body)
    }

    fn json(&self, method: &str, path: &str, body: &Value) -> u16 {
        self.send(method, path, &body.to_string())
    }

    /// Creates a person; the id is not needed, because a filter finds it.
    fn person(&self) -> String {
        let mut user = json!({
            "schemas": [USER],
            "userName": "zqx-ursula@zqx.example",
            "externalId": "zqx-external",
            "name": { "givenName": "Zqxursula", "familyName": "Zqxmeier" },
            "title": "Zqx-Kanzlerin",
            "password": "zqxpw-first",
            "emails": [{ "value": "zqx-mail@zqx.example", "type": "work" }],
            "phoneNumbers": [{ "value": "+49 zqx 555", "type": "work" }],
        });
        let filter = "/Users?filter=userName%20eq%20%22zqx-ursula@zqx.example%22";
        // No schema has a password: strict refuses it, and tolerant omits it.
        if self.json("POST", "/Users", &user) == 400 {
            user.as_object_mut().unwrap().remove("password");
            assert_eq!(self.json("POST", "/Users", &user), 201);
        }
        assert_eq!(self.json("POST", "/Users", &user), 409, "the same again");
        let found = self.raw(
            format!(
                "GET /scim/{}/v2{filter} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {}\r\n\r\n",
                self.organization, self.token
            )
            .as_bytes(),
        );
        let id = found
            .split("\"id\":\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        format!("/Users/{id}")
    }

    /// Makes every mistake that can be made with a good token.
    pub(crate) fn mistakes(&self, other_token: &str) {
        let person = self.person();
        self.bodies(&person);
        self.patches(&person);
        self.queries(&person);
        self.wrong_tokens(other_token);
        self.cut_off();
    }

    fn bodies(&self, person: &str) {
        let path = format!("/Users/{}", &person[7..]);
        for body in [
            "{\"userName\": \"zqx-1@zqx.example\", \"password\": \"zqxpw-1\"",
            "{\"userName\": \"zqx-2@zqx.example\", \"password\": zqxpw-2}",
            "{'userName': 'zqx-3', 'password': 'zqxpw-3'}",
            // A document that was written as JSON twice.
            "\"{\\\"userName\\\": \\\"zqx-4\\\", \\\"password\\\": \\\"zqxpw-4\\\"}\"",
            "[\"zqx-5\"]",
            "zqx-6",
            "{\"password\": \"zqxpw-7\", \"password\": \"zqxpw-8\"}",
            "{\"userName\": \"zqx\\ud800\", \"password\": \"zqxpw-9\"}",
            "{\"userName\": 1e999, \"password\": \"zqxpw-10\"}",
        ] {
            for (method, path) in [
                ("POST", "/Users"),
                ("PUT", &path),
                ("PATCH", &path),
                ("POST", "/Users/.search"),
            ] {
                let status = self.send(method, path, body);
                assert!((400..500).contains(&status), "{status} for {body}");
            }
        }
        for user in [
            json!({ "schemas": [USER], "userName": ["zqx-list"], "password": "zqxpw-11" }),
            json!({ "schemas": [USER], "userName": "zqx-a@zqx.example", "password": ["zqxpw-12"] }),
            json!({ "schemas": [USER], "userName": "zqx-b@zqx.example", "password": { "value": "zqxpw-13" } }),
            json!({ "schemas": [USER], "userName": "zqx-c@zqx.example", "active": "zqx-14" }),
            json!({ "schemas": [USER], "userName": "zqx-d@zqx.example", "emails": "zqx-e@zqx.example" }),
            json!({ "schemas": [USER], "userName": "zqx-e@zqx.example", "emails": [{ "value": 7, "primary": "zqx" }] }),
            json!({ "schemas": [USER], "userName": "", "nickName": "zqx-nick" }),
            json!({ "schemas": [USER], "userName": "zqx no e-mail" }),
            json!({ "schemas": [USER], "userName": null, "displayName": "zqx-display" }),
            json!({ "schemas": ["urn:zqx:unknown"], "userName": "zqx-f@zqx.example" }),
            json!({ "schemas": [USER], "userName": "zqx-g@zqx.example", "passwort": "zqxpw-15", "zqxColour": "zqx-red" }),
            json!({ "schemas": [USER], "userName": "zqx-h@zqx.example", "urn:zqx:2.0:User": { "secret": "zqx-16" } }),
            json!({ "schemas": [USER], "userName": self.token, "displayName": self.token }),
            json!({ "schemas": [USER], "userName": "zqx-i@zqx.example", "x509Certificates": [{ "value": "zqx!!" }] }),
            json!({ "schemas": [USER], "userName": "zqx-j@zqx.example", "profileUrl": "not zqx a url", "timezone": "zqx" }),
        ] {
            self.json("POST", "/Users", &user);
            self.json("PUT", &path, &user);
        }
        let group = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "displayName": "zqx-group",
            "members": [{ "value": "zqx-nobody" }],
        });
        assert_eq!(self.json("POST", "/Groups", &group), 400);
        let huge = format!("{{\"userName\": \"{}\"}}", "zqx-huge ".repeat(200_000));
        assert_eq!(self.send("POST", "/Users", &huge), 413);
        let deep = format!("{}\"zqx-deep\"{}", "[".repeat(100), "]".repeat(100));
        assert_eq!(self.send("POST", "/Users", &deep), 400);
    }

    fn patches(&self, person: &str) {
        let token = self.token;
        let patches = [
            json!([{ "op": "replace", "path": "password", "value": { "new": "zqxpw-17" } }]),
            json!([{ "op": "replace", "path": "password", "value": "zqxpw-18" }]),
            json!([{ "op": "replace", "value": { "password": ["zqxpw-19"], "active": "zqx-maybe" } }]),
            json!([{ "op": "replace", "value": "{\"password\": \"zqxpw-70\"}" }]),
            json!(["{\"op\": \"add\", \"value\": {\"password\": \"zqxpw-71\"}}"]),
            json!([{ "op": "replace", "path": "name", "value": "{\"password\": \"zqxpw-72\"}" }]),
            json!([{ "op": "add", "path": "emails", "value": "{\"password\": \"zqxpw-73\"}" }]),
            json!([{ "op": "replace", "path": "password eq \"zqxpw-20\"", "value": "zqx" }]),
            json!([{ "op": "replace", "path": "emails[value eq \"zqx-21", "value": "zqx" }]),
            json!([{ "op": "replace", "path": "emails[value eq \"zqx-22\"].zqx", "value": "zqx" }]),
            json!([{ "op": "remove", "path": "members[value eq \"zqx-23\"]" }]),
            json!([{ "op": "zqx-op", "path": "userName", "value": "zqx-24" }]),
            json!([{ "op": "replace", "path": format!("emails[value eq \"{token}\"].value"), "value": 7 }]),
            json!([{ "op": "replace", "path": token, "value": token }]),
            json!([{ "op": "add", "path": "userName", "value": { "zqx": "zqx-25" } }]),
            json!([{ "op": "replace", "path": "userName", "value": "zqx no e-mail" }]),
            json!([{ "op": "replace", "path": 7, "value": "zqx-26" }]),
            json!([{ "op": "replace", "path": "name.givenName", "value": "Zqxulla" }]),
            json!([{ "op": "replace", "path": "meta.created", "value": "zqx-27" }]),
            json!("zqx-28"),
        ];
        for operations in patches {
            self.json(
                "PATCH",
                person,
                &json!({ "schemas": [PATCH], "Operations": operations }),
            );
        }
    }

    fn queries(&self, person: &str) {
        let token = self.token;
        for query in [
            "filter=userName%20eq%20%22zqx-ursula@zqx.example".to_owned(),
            "filter=password%20eq%20%22zqxpw-29%22".to_owned(),
            "filter=passwort%20eq%20%22zqxpw-30%22".to_owned(),
            "filter=userName%20zqx%20%22zqx-31%22".to_owned(),
            "filter=active%20eq%20%22zqx-32%22".to_owned(),
            "filter=userName%20co%20zqx-33".to_owned(),
            format!("filter=userName%20eq%20%22{token}%22%20and"),
            format!("token={token}&filter=%ff%22zqx"),
            "sortBy=zqx-34&attributes=zqx,zqx-35".to_owned(),
            "startIndex=zqx-36".to_owned(),
            "count=zqx-37".to_owned(),
            format!("filter={}", "zqx%20".repeat(6_000)),
        ] {
            for path in ["/Users", "/Groups", ""] {
                self.send("GET", &format!("{path}?{query}"), "");
            }
        }
        let search = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
            "filter": "userName eq \"zqx-38", "attributes": ["zqx-39"] });
        self.json("POST", "/Users/.search", &search);
        for path in [
            format!("/{token}"),
            format!("/Users/{token}"),
            format!("/Users/{token}/zqx"),
            format!("/Users/scimp%5F{}", &token[6..]),
            format!("/Schemas/{token}"),
            format!("/ResourceTypes/{token}"),
            "/Users/zqx%2Fursula".to_owned(),
            "/Users/%00zqx".to_owned(),
            "/Users/%ffzqx".to_owned(),
            "/v7/zqx".to_owned(),
            "/Me".to_owned(),
        ] {
            for method in ["GET", "PUT", "DELETE", "ZQX"] {
                self.send(method, &path, "");
            }
        }
        self.raw(
            format!(
                "PATCH /scim/{}/v2{person} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer \
                 {token}\r\nif-match: \"zqx\"\r\naccept: application/zqx\r\ncontent-type: text/zqx\r\ncontent-length: \
                 9\r\n\r\nzqxpw-40!",
                self.organization
            )
            .as_bytes(),
        );
    }

    fn wrong_tokens(&self, other: &str) {
        let own = self.token;
        let last = if own.ends_with('0') { "1" } else { "0" };
        let typo = format!("{}{last}", &own[..own.len() - 1]);
        for authorization in [
            "Bearer scimp_zqxwrongtoken".to_owned(),
            format!("Bearer {other}"),
            format!("Bearer {typo}"),
            format!("Bearer {own}{own}"),
            format!("Basic {own}"),
            format!("Basic enF4cHc6{}", "enF4cHc6"),
            format!("Token {own}"),
            other.to_owned(),
            format!("Bearer {own}, Bearer {other}"),
        ] {
            assert_eq!(
                self.send_as(&authorization, "GET", "/Users/zqx-id", ""),
                401,
                "{authorization}"
            );
        }
        for target in [
            format!("/scim/{own}/v2/Users"),
            format!("/scim/zqx-nobody/v2/Users?access_token={own}"),
            format!("/{own}"),
            format!("/scim/{}/v2/Users?token={other}", self.organization),
            format!("/healthz?{own}"),
            format!("/metrics/{own}"),
        ] {
            self.raw(
                format!(
                    "GET {target} HTTP/1.1\r\nhost: {own}\r\nconnection: close\r\nx-request-id: {own}\r\n\r\n"
                )
                .as_bytes(),
            );
        }
    }

    /// Sends requests that end before they are whole, and what is not HTTP at all.
    fn cut_off(&self) {
        let head = format!(
            "POST /scim/{}/v2/Users HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: \
             application/scim+json\r\n",
            self.organization, self.token
        );
        for rest in [
            "content-length: 1000\r\n\r\n{\"userName\": \"zqx-cut@zqx.example\", \"password\": \"zqxpw-41",
            "transfer-encoding: chunked\r\n\r\n20\r\n{\"password\": \"zqxpw-42\"",
            "transfer-encoding: chunked\r\n\r\nzqx\r\n{\"password\": \"zqxpw-43\"}\r\n",
            "content-length: zqx\r\n\r\n{\"password\": \"zqxpw-44\"}",
            "zqx header without a colon\r\n\r\n",
        ] {
            let mut stream = TcpStream::connect(self.address).unwrap();
            stream.write_all(format!("{head}{rest}").as_bytes()).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            _ = stream.read_to_end(&mut Vec::new());
        }
        self.raw(format!("{} zqx\r\n\r\n", self.token).as_bytes());
        self.raw(b"\x16\x03\x01\x02\x00\x01\x00zqx\r\n\r\n");
    }
}
