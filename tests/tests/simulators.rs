//! The identity providers, simulated, against the service in this process over the store in memory: every dialect ends
//! with the server equal to its model, also when the network misbehaves. And against a server with known faults, which
//! they must find.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::result_large_err,
    reason = "what fails here fails the test"
)]

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, StatusCode};
use scim::policy::{self, Policy};
use scim::resources::{Group, User};
use scim::service::{NoContext, ScimService};
use scim::store::Memory;
use scim::testkit::simulate::{
    Dialect, Fault, Health, Misbehaviour, NoAnswer, Report, Request, Response, Script, Simulation, Through,
    Transport,
};
use serde_json::{Value, json};

fn server() -> Through<ScimService<()>> {
    server_with(Policy::tolerant())
}

fn server_with(policy: Policy) -> Through<ScimService<()>> {
    let store = Arc::new(Memory::new().link(Group::paths().members(), User::paths().groups()));
    let service = ScimService::builder(NoContext)
        .resource::<User, _>(store.clone())
        .resource::<Group, _>(store)
        .policy(policy)
        .build()
        .unwrap();
    Through::new(service, "http://id.example.com")
}

fn script(seed: u64) -> Script {
    Script::seeded(seed).people(300).groups(30).changes(1_000)
}

async fn is_in_step(dialect: Dialect) {
    for seed in [1, 2, 3] {
        for network in [Misbehaviour::none(), Misbehaviour::rough()] {
            let report = Simulation::new(dialect, script(seed))
                .over(network)
                .run(&mut server())
                .await;
            assert!(report.is_success(), "seed {seed}, {network:?}\n{report}");
            assert!(report.request_count() > 1_000, "{report}");
            if network == Misbehaviour::none() {
                assert!(report.refusals.is_empty(), "seed {seed}\n{report}");
                assert_eq!(report.network, Default::default());
            } else {
                assert!(
                    report.network.unanswered > 10 && report.network.late > 10,
                    "{report}"
                );
            }
        }
    }
}

macro_rules! dialects {
    ($($name:ident: $dialect:ident,)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                is_in_step(Dialect::$dialect).await;
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

#[tokio::test]
async fn the_same_seed_sends_the_same_requests() {
    let run = |seed| async move {
        let simulation = Simulation::new(
            Dialect::Entra,
            Script::seeded(seed).people(40).groups(6).changes(200),
        );
        simulation.over(Misbehaviour::rough()).run(&mut server()).await
    };
    let first = run(5).await;
    assert_eq!(first.requests, run(5).await.requests);
    assert_ne!(first.requests, run(6).await.requests);
}

/// Notes what is asked, and how many requests are under way at once.
#[derive(Clone)]
struct Watched {
    server: Through<ScimService<()>>,
    log: Arc<Mutex<Log>>,
}

#[derive(Default)]
struct Log {
    requests: Vec<String>,
    under_way: usize,
    most: usize,
}

impl Transport for Watched {
    async fn send(&mut self, request: Request) -> Result<Response, NoAnswer> {
        {
            let mut log = self.log.lock().unwrap();
            let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
            let path = request.uri().path();
            // Ids are another in every run.
            let path = &path[..path[1..].find('/').map_or(path.len(), |end| end + 1)];
            let query = request.uri().query();
            let name = (&body["userName"], &body["displayName"]);
            log.requests
                .push(format!("{} {path} {query:?} {name:?}", request.method()));
            log.under_way += 1;
            log.most = log.most.max(log.under_way);
        }
        tokio::task::yield_now().await;
        let answer = self.server.send(request).await;
        self.log.lock().unwrap().under_way -= 1;
        answer
    }
}

#[tokio::test]
async fn the_same_is_sent_over_any_number_of_connections() {
    let run = |dialect, connections| async move {
        let (server, log) = (server(), Arc::default());
        let mut connections = vec![
            Watched {
                server,
                log: Arc::clone(&log)
            };
            connections
        ];
        let script = Script::seeded(9).people(120).groups(12).members(30).changes(80);
        let report = Simulation::new(dialect, script)
            .over(Misbehaviour::rough())
            .run_abreast(&mut connections)
            .await;
        assert!(report.is_success(), "{report}");
        assert!(report.network.unanswered > 0, "{report}");
        let Log {
            mut requests, most, ..
        } = std::mem::take(&mut *log.lock().unwrap());
        requests.sort_unstable();
        (requests, report.network, most)
    };
    for dialect in Dialect::ALL {
        let (one_by_one, network, most) = run(dialect, 1).await;
        assert_eq!(most, 1);
        let (abreast, network_abreast, most) = run(dialect, 7).await;
        assert_eq!(most, 7, "{dialect}");
        assert_eq!(one_by_one, abreast, "{dialect}");
        assert_eq!(network, network_abreast, "{dialect}");
    }
}

#[tokio::test]
async fn without_a_connection_nothing_is_provisioned() {
    let none: &mut [Through<ScimService<()>>] = &mut [];
    let report = Simulation::new(Dialect::Okta, script(1)).run_abreast(none).await;
    assert!(matches!(report.health, Health::NotConnected(_)), "{report}");
}

/// A server with the faults of several peers. `python_server.rs` has a real one; this one has what that lacks, such as
/// removing everybody where one is to be removed.
struct Faulty(Through<ScimService<()>>, Vec<(String, Value)>);

impl Transport for Faulty {
    async fn send(&mut self, mut request: Request) -> Result<Response, NoAnswer> {
        let path = request.uri().path().to_owned();
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let manager = body.pointer("/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/manager");
        if manager.is_some_and(Value::is_string) {
            return Ok(bad_request(
                "invalidValue",
                "manager: Input should be a valid dictionary",
            ));
        }
        if request.method() == Method::PATCH {
            let held = self.look(&path).await?;
            match self.distort(&path, body, &held) {
                Ok(body) => *request.body_mut() = Bytes::from(body.to_string()),
                Err(refusal) => return Ok(refusal),
            }
        }
        let response = self.0.send(request).await?;
        Ok(self.double(response))
    }
}

impl Faulty {
    async fn look(&mut self, path: &str) -> Result<Value, NoAnswer> {
        let request = http::Request::get(path).body(Bytes::new()).unwrap();
        let response = self.0.send(request).await?;
        Ok(serde_json::from_slice(response.body()).unwrap_or_default())
    }

    /// Turns a PATCH into what the faulty server understands of it.
    fn distort(&mut self, path: &str, mut body: Value, held: &Value) -> Result<Value, Response> {
        for operation in body["Operations"].as_array_mut().unwrap() {
            let target = operation["path"].as_str().unwrap_or_default().to_owned();
            let op = operation["op"].as_str().unwrap().to_ascii_lowercase();
            if let Some((list, _)) = target.split_once('[')
                && target.contains("].")
                && !has_element(held, list, &target)
            {
                return Err(bad_request(
                    "noTarget",
                    "The specified path did not yield a target.",
                ));
            }
            if target.ends_with(":manager") && operation["value"].is_string() {
                return Err(bad_request(
                    "invalidValue",
                    "manager: Input should be a valid dictionary",
                ));
            }
            if op == "remove" && target == "members" {
                operation.as_object_mut().unwrap().remove("value");
            }
            if op == "add" && target == "members" {
                for member in operation["value"].as_array().unwrap() {
                    let is_held = held["members"]
                        .as_array()
                        .is_some_and(|members| members.iter().any(|held| held["value"] == member["value"]));
                    if is_held {
                        self.1.push((path.to_owned(), member["value"].clone()));
                    }
                }
            }
        }
        Ok(body)
    }

    /// Shows members twice who were added twice.
    fn double(&self, response: Response) -> Response {
        let (head, body) = response.into_parts();
        let Ok(mut document) = serde_json::from_slice::<Value>(&body) else {
            return Response::from_parts(head, body);
        };
        let twice = &self.1;
        let double = |group: &mut Value| {
            let path = format!("/Groups/{}", group["id"].as_str().unwrap_or_default());
            if let Some(members) = group.get_mut("members").and_then(Value::as_array_mut) {
                let again = twice.iter().filter(|(group, _)| *group == path);
                let again: Vec<_> = again
                    .filter(|(_, id)| members.iter().any(|member| member["value"] == *id))
                    .map(|(_, id)| json!({"value": id}))
                    .collect();
                members.extend(again);
            }
        };
        match document.get_mut("Resources").and_then(Value::as_array_mut) {
            Some(resources) => resources.iter_mut().for_each(double),
            None => double(&mut document),
        }
        Response::from_parts(head, Bytes::from(document.to_string()))
    }
}

fn has_element(held: &Value, list: &str, target: &str) -> bool {
    let elements = held[list].as_array().map(Vec::as_slice).unwrap_or_default();
    elements.iter().any(|element| {
        let kind = element["type"].as_str().unwrap_or("-");
        target.contains(&format!("\"{kind}\"")) || (target.contains("primary") && element["primary"] == true)
    })
}

fn bad_request(keyword: &str, detail: &str) -> Response {
    refusal(StatusCode::BAD_REQUEST, keyword, detail)
}

fn refusal(status: StatusCode, keyword: &str, detail: &str) -> Response {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": status.as_str(), "scimType": keyword,
        "detail": detail,
    });
    http::Response::builder()
        .status(status)
        .header("content-type", "application/scim+json")
        .body(Bytes::from(body.to_string()))
        .unwrap()
}

/// A simulator that finds no faults proves nothing.
#[tokio::test]
async fn the_known_faults_of_a_peer_are_named() {
    let mut server = Faulty(server(), Vec::new());
    let report = Simulation::new(
        Dialect::Entra,
        Script::seeded(1).people(100).groups(8).changes(600),
    )
    .run(&mut server)
    .await;
    assert!(!report.is_success());
    for fault in [
        Fault::ElementNotMade,
        Fault::RemovesTooMuch,
        Fault::ManagerRefused,
        Fault::MemberTwice,
    ] {
        assert!(
            report.faults.contains_key(&fault),
            "{fault:?} was not found\n{report}"
        );
        assert!(report.to_string().contains(&fault.to_string()), "{report}");
    }
}

/// A server that takes values as RFC 7644 section 3.5.2 writes them alone: the dialects with older ones say what it
/// lacks, and nobody else notices.
#[tokio::test]
async fn wrapped_values_that_are_refused_are_named() {
    for dialect in [
        Dialect::EntraPatch2017,
        Dialect::ScimSdk,
        Dialect::Entra,
        Dialect::JumpCloud,
    ] {
        let is_older = matches!(dialect, Dialect::EntraPatch2017 | Dialect::ScimSdk);
        let policy = Policy::tolerant().without(&policy::WRAPPED_VALUES);
        let script = Script::seeded(1).people(20).groups(3).changes(60);
        let report = Simulation::new(dialect, script)
            .run(&mut server_with(policy))
            .await;
        let names_it = report.faults.contains_key(&Fault::WrappedValueRefused);
        assert_eq!(names_it, is_older, "{dialect}\n{report}");
        assert_eq!(report.is_success(), !is_older, "{dialect}\n{report}");
        if is_older {
            assert!(
                report.to_string().contains(Fault::WrappedValueRefused.advice()),
                "{report}"
            );
        }
    }
}

/// A server that gives the same answer to everything.
struct Stubborn(u16, &'static str);

impl Transport for Stubborn {
    async fn send(&mut self, _: Request) -> Result<Response, NoAnswer> {
        Ok(http::Response::builder()
            .status(self.0)
            .body(Bytes::from(self.1))
            .unwrap())
    }
}

async fn refused_by(mut server: Stubborn) -> Report {
    let report = Simulation::new(Dialect::Entra, Script::seeded(1).people(5).groups(1).changes(0))
        .run(&mut server)
        .await;
    assert!(matches!(report.health, Health::NotConnected(_)), "{report}");
    assert!(!report.is_success());
    report
}

#[tokio::test]
async fn what_is_no_scim_server_fails_the_test_of_the_connection() {
    let report = refused_by(Stubborn(404, "")).await;
    assert!(report.faults.contains_key(&Fault::EmptySearchRefused), "{report}");
    let report = refused_by(Stubborn(200, "<html>")).await;
    assert!(report.faults.contains_key(&Fault::NotScimJson), "{report}");
    let report = refused_by(Stubborn(200, "{}")).await;
    assert!(report.faults.contains_key(&Fault::ListMalformed), "{report}");
    refused_by(Stubborn(401, "{}")).await;
}

/// A server whose token is revoked in the middle, for some time.
struct Revoked {
    server: Through<ScimService<()>>,
    requests: u32,
    from: u32,
    until: u32,
}

impl Transport for Revoked {
    async fn send(&mut self, request: Request) -> Result<Response, NoAnswer> {
        self.requests += 1;
        if (self.from..self.until).contains(&self.requests) {
            return Ok(refusal(StatusCode::UNAUTHORIZED, "", "The token is not known."));
        }
        self.server.send(request).await
    }
}

#[tokio::test]
async fn entra_goes_into_quarantine_and_comes_back_and_repairs_everything() {
    let run = |until| async move {
        let mut server = Revoked {
            server: server(),
            requests: 0,
            from: 300,
            until,
        };
        let script = Script::seeded(2).people(60).groups(5).changes(100);
        Simulation::new(Dialect::Entra, script).run(&mut server).await
    };
    let report = run(303).await;
    assert!(report.is_success() && report.quarantines == 1, "{report}");
    let hours = report.clock.as_secs() / 3_600;
    assert!(hours >= 6 + 12, "{report}");
    let report = run(u32::MAX).await;
    assert!(matches!(report.health, Health::Disabled(_)), "{report}");
    assert!(report.clock.as_secs() / 86_400 >= 27, "{report}");
}

#[tokio::test]
async fn a_server_that_forgets_is_found_out() {
    /// Loses every tenth change of a user.
    struct Forgetful(Through<ScimService<()>>, u32);

    impl Transport for Forgetful {
        async fn send(&mut self, request: Request) -> Result<Response, NoAnswer> {
            let is_change = *request.method() == Method::PUT && request.uri().path().starts_with("/Users/");
            self.1 += u32::from(is_change);
            if is_change && self.1.is_multiple_of(10) {
                let request = http::Request::get(request.uri().path())
                    .body(Bytes::new())
                    .unwrap();
                return self.0.send(request).await;
            }
            self.0.send(request).await
        }
    }

    let report = Simulation::new(Dialect::Okta, Script::seeded(3).people(60).groups(5).changes(200))
        .run(&mut Forgetful(server(), 0))
        .await;
    assert!(report.difference_count > 0, "{report}");
    assert!(
        report
            .differences
            .iter()
            .any(|difference| difference.contains("which must be")),
        "{report}"
    );
}

#[tokio::test]
async fn only_what_is_kept_is_compared_and_progress_is_told() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = told.clone();
    let report = Simulation::new(
        Dialect::OneLogin,
        Script::seeded(4).people(20).groups(2).changes(30),
    )
    .keeping(["userName", "name.givenName", "name.familyName", "displayName"])
    .observed_by(move |progress| telling.lock().unwrap().push((progress.done, progress.total)))
    .run(&mut server())
    .await;
    assert!(report.is_success(), "{report}");
    let told = told.lock().unwrap();
    assert_eq!(told.last(), Some(&(52, 52)));
    assert!(told.windows(2).all(|pair| pair[0].0 < pair[1].0));
}

#[tokio::test]
async fn a_simulation_can_be_spawned() {
    let run = tokio::spawn(async {
        let script = Script::seeded(1).people(3).groups(1).changes(1);
        Simulation::new(Dialect::Authentik, script)
            .run(&mut server())
            .await
    });
    assert!(run.await.unwrap().is_success());
}
