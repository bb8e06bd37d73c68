//! A backup that is taken in the middle of a synchronization, and the provider that goes on after it was restored.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::process::Child;

use http::header::{AUTHORIZATION, HeaderValue};
use program::{Place, Server};
use scim::client::{Http1, over_http};
use scim::testkit::simulate::{Dialect, NoAnswer, Request, Response, Script, Simulation, Through, Transport};
use serde_json::Value;

/// How many people there are at the beginning; the initial cycle takes at least a request for each.
const PEOPLE: usize = 60;

/// A server that is backed up while a provider fills it, goes on for a while, and is then lost and restored.
struct Unlucky {
    place: Place,
    server: Option<Server>,
    line: Through<Http1>,
    sent: usize,
    backup: Option<Child>,
    restored: Option<Value>,
}

/// The number of the request before which the backup begins, and of the one before which the server is lost. Both are in
/// the initial cycle, which sends one or two requests for everybody.
const BACKUP: usize = PEOPLE / 2;
const LOSS: usize = PEOPLE - 5;

/// The request before which the backup is waited for, so that some come after it.
const BACKED_UP: usize = BACKUP + 10;

impl Unlucky {
    fn new() -> Self {
        let place = Place::new();
        let created = place.json(&["org", "create", "acme", "--idp", "other"]);
        let server = place.serve(&[]);
        let base = format!("http://{}/scim/acme/v2", server.address());
        let mut token =
            HeaderValue::try_from(format!("Bearer {}", created["token"].as_str().unwrap())).unwrap();
        token.set_sensitive(true);
        let client = over_http(&base).unwrap();
        let line = Through::new(client.service().clone(), &base).with_header(AUTHORIZATION, token);
        Self {
            place,
            server: Some(server),
            line,
            sent: 0,
            backup: None,
            restored: None,
        }
    }

    fn finish_backup(&mut self) {
        let backup = self.backup.take().unwrap().wait_with_output().unwrap();
        assert!(
            backup.status.success(),
            "{}",
            String::from_utf8_lossy(&backup.stderr)
        );
    }

    /// Loses everything since the backup.
    fn lose(&mut self) {
        let server = self.server.take().unwrap();
        let address = server.address().to_owned();
        drop(server);
        let before = self.place.json(&["check"]);
        let restored = self.place.json(&["restore", "middle.db", "--replace"]);
        let checked = self.place.json(&["check"]);
        assert_eq!(checked["sound"], true, "{checked:#}");
        assert!(
            count(&checked) > 0 && count(&checked) < count(&before),
            "{before:#}\n{checked:#}"
        );
        self.restored = Some(restored);
        self.server = Some(self.place.serve_with(&["--listen", &address], &[]));
    }
}

fn count(checked: &Value) -> u64 {
    checked["people"].as_u64().unwrap()
}

impl Transport for Unlucky {
    async fn send(&mut self, request: Request) -> Result<Response, NoAnswer> {
        self.sent += 1;
        match self.sent {
            BACKUP => self.backup = Some(self.place.begin(&["backup", "middle.db"])),
            BACKED_UP => self.finish_backup(),
            LOSS => self.lose(),
            _ => {}
        }
        self.line.send(request).await
    }
}

/// Checks that a backup taken in the middle of a synchronization restores to a state that `check` accepts and that the
/// provider's next cycle repairs.
async fn is_repaired(dialect: Dialect) {
    let mut server = Unlucky::new();
    let script = Script::seeded(3).people(PEOPLE).groups(8).changes(80);
    let report = Simulation::new(dialect, script)
        .beginning_anew()
        .run(&mut server)
        .await;
    assert!(server.restored.is_some(), "{report}");
    assert!(report.is_success(), "{report}");
    let checked = server.place.json(&["check"]);
    assert_eq!(checked["sound"], true, "{checked:#}");
}

macro_rules! dialects {
    ($($name:ident: $dialect:ident,)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                is_repaired(Dialect::$dialect).await;
            }
        )*

        #[test]
        fn every_dialect_is_tested() {
            assert_eq!([$(Dialect::$dialect),*], Dialect::ALL);
        }
    };
}

dialects! {
    okta: Okta,
    okta_oin: OktaOin,
    entra: Entra,
    entra_compliant: EntraCompliant,
    entra_patch2017: EntraPatch2017,
    entra_three_attributes: EntraThreeAttributes,
    jumpcloud: JumpCloud,
    onelogin: OneLogin,
    authentik: Authentik,
    scim_sdk: ScimSdk,
}
