//! Mails: sent behind by the operator's mail server, once, or kept in the mailbox of the product.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod program;

use std::time::Duration;

use program::bench::Bench;
use program::mail_server::{MailServer, Manner, Received};
use serde_json::{Value, json};

/// Makes the administrators who can disable the integration: each gets a mail of an alert.
fn administrators(bench: &Bench, count: usize) -> Vec<String> {
    let names: Vec<_> = (0..count).map(|n| format!("admin{n}@x.example")).collect();
    for name in &names {
        bench.administrator(name, "integrations:write");
    }
    names
}

/// Deactivates more people than are expected, and looks: each administrator is sent a mail.
fn raise_alert(bench: &Bench) {
    for n in 0..2 {
        let user = bench.user(&format!("p{n}@x.example"));
        let off = json!([{ "op": "replace", "path": "active", "value": false }]);
        assert_eq!(bench.patch(&format!("/Users/{user}"), &off).status, 200);
    }
    let listed = bench.run(&["alert", "list", "acme"]);
    assert_eq!(listed["alerts"].as_array().unwrap().len(), 1);
}

/// With an alert as soon as there are two, and without invitations to whoever comes.
const ALERTS: [&str; 4] = ["--mass-deactivations", "1", "--first-login", "password-reset"];

fn mails(bench: &Bench) -> Vec<Value> {
    bench.run(&["mail", "list", "acme"])["mails"]
        .as_array()
        .unwrap()
        .clone()
}

/// Waits until all mails are as asked, and returns them.
fn await_mails(bench: &Bench, are_so: impl Fn(&Value) -> bool) -> Vec<Value> {
    for _ in 0..600 {
        let found = mails(bench);
        if !found.is_empty() && found.iter().all(&are_so) {
            return found;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{:#?}", mails(bench));
}

fn has_state(state: &'static str) -> impl Fn(&Value) -> bool {
    move |mail| mail["state"] == state
}

fn gauge(bench: &Bench, name: &str) -> String {
    let page = bench.server.get("/metrics", &[]).text;
    let line = page.lines().find(|line| line.starts_with(&format!("{name} ")));
    line.unwrap().rsplit(' ').next().unwrap().to_owned()
}

/// Feature rows 91, 92: an alert goes to whoever can disable the integration, in both forms, and nothing in it is loaded from
/// elsewhere.
#[test]
fn an_alert_is_mailed_to_those_who_can_act() {
    let server = MailServer::new(Manner::Takes);
    let bench = Bench::serving(&ALERTS, &server.flags());
    let names = administrators(&bench, 1);
    bench.run(&["user", "create", "acme", "bystander@x.example"]);
    raise_alert(&bench);
    let mail = server.next();
    assert_eq!((&*mail.from, &mail.to), ("no-reply@server.example", &names[0]));
    assert_eq!(mail.field("From"), "Provisioning <no-reply@server.example>");
    assert_eq!(mail.field("Auto-Submitted"), "auto-generated");
    assert_eq!(
        mail.field("Subject"),
        "Alert: many people of acme were deactivated"
    );
    let parts = mail.parts();
    assert_eq!(parts.len(), 2, "{}", mail.data);
    for part in &parts {
        assert!(
            part.contains("2 people were deactivated within an hour"),
            "{part}"
        );
        for loaded in [
            "<img", "<script", "<link", "url(", "@import", "http://", "https://",
        ] {
            assert!(!part.contains(loaded), "{loaded}: {part}");
        }
    }
    assert!(parts[1].contains("<html"), "{}", parts[1]);
    let sent = await_mails(&bench, has_state("sent"));
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["message_id"], mail.field("Message-ID"));
    assert_eq!(sent[0]["subject"], mail.field("Subject"));
    assert!(server.is_empty(), "each is sent once");
    assert_eq!(gauge(&bench, "provisioning_mails_total{result=\"sent\"}"), "1");
    assert_eq!(gauge(&bench, "provisioning_mails_waiting"), "0");
    bench.is_sound();
}

/// Feature row 92: without a mail server, mails stay in the mailbox of the product, whose state says so.
#[test]
fn without_a_mail_server_mails_are_kept() {
    let bench = Bench::new(&ALERTS);
    administrators(&bench, 1);
    raise_alert(&bench);
    let listed = bench.run(&["mail", "list", "acme"]);
    assert_eq!(
        (&listed["sends"], &listed["trouble"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(listed["mails"][0]["state"], "kept");
    let id = listed["mails"][0]["id"].as_str().unwrap();
    let shown = bench.run(&["mail", "show", "acme", id]);
    assert!(
        shown["text"]
            .as_str()
            .unwrap()
            .contains("2 people were deactivated"),
        "{shown:#}"
    );
    assert!(
        bench
            .refused(&["mail", "show", "acme", id, "--link"])
            .contains("no link")
    );
    assert!(
        bench
            .refused(&["mail", "retry", "acme", id])
            .contains("--smtp-host")
    );
    let id = id.to_owned();
    let token = bench.token.clone();
    let place = bench.end();
    // A mail that was kept before there was a mail server is sent when somebody asks for it.
    let server = MailServer::new(Manner::Takes);
    let bench = Bench {
        server: place.serve(&server.flags()),
        token,
        place,
    };
    assert_eq!(mails(&bench)[0]["state"], "kept");
    bench.run(&["mail", "retry", "acme", &id]);
    server.next();
    await_mails(&bench, has_state("sent"));
    assert!(bench.refused(&["mail", "retry", "acme", &id]).contains("is sent"));
    assert!(
        bench
            .refused(&["mail", "cancel", "acme", &id])
            .contains("is sent")
    );
    let audit = bench.run(&["audit", "list", "acme"]);
    let entries = audit["changes"].as_array().unwrap();
    assert!(
        entries.iter().any(|entry| entry["action"] == "mail.retry"),
        "{audit:#}"
    );
    bench.is_sound();
}

/// Feature row 20: a mail server that is away changes no answer and loses no mail, and is told of.
#[test]
fn a_mail_server_that_is_away_loses_nothing() {
    let away = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = away.local_addr().unwrap().port().to_string();
    drop(away);
    let mut flags = MailServer::new(Manner::Takes).flags().map(str::to_owned);
    flags[3] = port;
    let flags = flags.each_ref().map(String::as_str);
    let bench = Bench::serving(&ALERTS, &flags);
    administrators(&bench, 2);
    raise_alert(&bench);
    let trouble = (0..600).find_map(|_| {
        std::thread::sleep(Duration::from_millis(100));
        bench.run(&["mail", "list", "acme"])["trouble"]
            .as_str()
            .map(str::to_owned)
    });
    assert!(trouble.unwrap().to_lowercase().contains("refused"));
    let waiting = mails(&bench);
    assert!(waiting.iter().all(has_state("queued")), "{waiting:#?}");
    assert!(
        waiting.iter().all(|mail| mail["attempts"] == 0),
        "it is no attempt at a mail"
    );
    assert_eq!(gauge(&bench, "provisioning_mail_server_up"), "0");
    assert_eq!(gauge(&bench, "provisioning_mails_waiting"), "2");
    let ready = bench.server.get("/readyz", &[]);
    assert_eq!((ready.status, &ready.body["mail"]), (200, &json!("waiting")));
    bench.user("meanwhile@x.example");
    // It comes back, under another server of the same database.
    let server = MailServer::new(Manner::Takes);
    let token = bench.token.clone();
    let place = bench.end();
    let bench = Bench {
        server: place.serve(&server.flags()),
        token,
        place,
    };
    let mut to = [server.next().to, server.next().to];
    to.sort();
    assert_eq!(to, ["admin0@x.example", "admin1@x.example"]);
    await_mails(&bench, has_state("sent"));
    assert_eq!(bench.run(&["mail", "list", "acme"])["trouble"], Value::Null);
}

/// Feature row 20: a mail server that never answers hinders neither requests nor the end of the server.
#[test]
fn a_mail_server_that_hangs_hinders_nobody() {
    let server = MailServer::new(Manner::SaysNothing);
    let bench = Bench::serving(&ALERTS, &server.flags());
    administrators(&bench, 1);
    raise_alert(&bench);
    server.await_connection();
    bench.user("meanwhile@x.example");
    assert_eq!(bench.server.get("/readyz", &[]).status, 200);
    let waiting = mails(&bench);
    assert_eq!(waiting[0]["state"], "queued");
    let place = bench.end();
    let kept = place.json(&["mail", "list", "acme"]);
    assert_eq!(kept["mails"][0]["state"], "queued");
}

/// Feature row 20: a refusal for now is tried again later, one for ever is not, and neither is the other mails'.
#[test]
fn refusals_for_now_and_for_ever_differ() {
    let server = MailServer::new(Manner::AnswersRecipient("451 4.7.1 greylisted"));
    let bench = Bench::serving(&ALERTS, &server.flags());
    administrators(&bench, 1);
    raise_alert(&bench);
    let later = await_mails(&bench, |mail| {
        mail["attempts"] == 1 && mail["error"] != Value::Null
    });
    assert_eq!(
        (&later[0]["state"], &later[0]["error"]),
        (&json!("queued"), &json!("451 4.7.1 greylisted"))
    );
    assert!(later[0]["next_try"].as_str() > later[0]["created"].as_str());
    assert_eq!(gauge(&bench, "provisioning_mail_server_up"), "1");
    server.behave(Manner::AnswersRecipient("550 5.1.1 no such user"));
    bench.place.execute("UPDATE mail SET due = 1");
    let failed = await_mails(&bench, has_state("failed"));
    assert_eq!(
        (
            &failed[0]["attempts"],
            &failed[0]["error"],
            &failed[0]["next_try"]
        ),
        (&json!(2), &json!("550 5.1.1 no such user"), &Value::Null)
    );
    let id = failed[0]["id"].as_str().unwrap();
    server.behave(Manner::Takes);
    bench.run(&["mail", "retry", "acme", id]);
    let mail = server.next();
    assert_eq!(failed[0]["message_id"], mail.field("Message-ID"));
    await_mails(&bench, has_state("sent"));
    bench.is_sound();
}

/// Feature row 20: what the mail server has against this server, such as its password, fails no mail.
#[test]
fn a_refusal_of_the_sender_fails_no_mail() {
    let server = MailServer::new(Manner::AnswersSender("530 5.7.0 sign in first"));
    let bench = Bench::serving(&ALERTS, &server.flags());
    administrators(&bench, 1);
    raise_alert(&bench);
    let later = await_mails(&bench, |mail| mail["error"] != Value::Null);
    assert_eq!(later[0]["state"], "queued");
    assert_eq!(gauge(&bench, "provisioning_mail_server_up"), "0");
    let id = later[0]["id"].as_str().unwrap();
    let cancelled = bench.run(&["mail", "cancel", "acme", id]);
    assert_eq!(cancelled["state"], "cancelled");
    bench.is_sound();
}

/// Feature row 20: a mail whose server was killed after it had handed the mail over, and before it could note so, is sent
/// once more as the same mail.
#[test]
fn after_a_crash_the_same_mail_is_sent_again() {
    let server = MailServer::new(Manner::HoldsBack);
    let bench = Bench::serving(&ALERTS, &server.flags());
    administrators(&bench, 1);
    raise_alert(&bench);
    let first = server.next();
    bench.server.signal("-KILL");
    let (token, place) = (bench.token.clone(), bench.place);
    drop(bench.server);
    assert_eq!(
        place.json(&["mail", "list", "acme"])["mails"][0]["state"],
        "queued"
    );
    // Time passes, until the mail is nobody's any more.
    place.execute("UPDATE mail SET due = 1");
    server.behave(Manner::Takes);
    let bench = Bench {
        server: place.serve(&server.flags()),
        token,
        place,
    };
    let second = server.next();
    let identity = |mail: &Received| ["Message-ID", "Date", "Subject", "To"].map(|name| mail.field(name));
    assert_eq!(identity(&first), identity(&second));
    assert_eq!(first.parts(), second.parts());
    await_mails(&bench, has_state("sent"));
    assert!(server.is_empty());
}

/// Feature row 20: two servers on one database send each mail once.
#[test]
fn two_servers_send_each_mail_once() {
    let server = MailServer::new(Manner::Takes);
    let bench = Bench::serving(&ALERTS, &server.flags());
    let other = bench.place.serve(&server.flags());
    let names = administrators(&bench, 20);
    raise_alert(&bench);
    let mut to: Vec<_> = (0..20).map(|_| server.next().to).collect();
    to.sort();
    let mut names = names;
    names.sort();
    assert_eq!(to, names);
    await_mails(&bench, has_state("sent"));
    assert!(server.is_empty());
    drop(other);
}

/// Feature row 20: mails are paced: no more are sent within a minute than the organization, and the operator, allow.
#[test]
fn mails_are_paced() {
    for (settings, flags) in [
        (["--mails-per-minute", "3"], [""; 2]),
        ([""; 2], ["--mails-per-minute", "3"]),
    ] {
        let server = MailServer::new(Manner::Takes);
        let of_organization: Vec<_> = ALERTS
            .into_iter()
            .chain(settings)
            .filter(|flag| !flag.is_empty())
            .collect();
        let of_server: Vec<_> = server
            .flags()
            .into_iter()
            .chain(flags)
            .filter(|flag| !flag.is_empty())
            .collect();
        let bench = Bench::serving(&of_organization, &of_server);
        administrators(&bench, 5);
        raise_alert(&bench);
        for _ in 0..3 {
            server.next();
        }
        await_mails(&bench, |mail| mail["state"] == "sent" || mail["attempts"] == 0);
        let sent = mails(&bench).into_iter().filter(has_state("sent")).count();
        assert_eq!(sent, 3);
        assert!(server.is_empty());
        // A minute later, the others are.
        bench
            .place
            .execute("UPDATE mail SET tried = 1 WHERE tried IS NOT NULL");
        for _ in 0..2 {
            server.next();
        }
    }
}

/// Feature row 92: an operator sees that mails arrive before anybody waits for one, and why they do not.
#[test]
fn an_operator_tries_the_mail_server_out() {
    let server = MailServer::new(Manner::Takes);
    let place = program::Place::new();
    let test = [&["mail", "test", "--to", "ann@x.example"][..], &server.flags()].concat();
    let tested = place.json(&test);
    assert_eq!(tested["to"], "ann@x.example");
    let mail = server.next();
    assert_eq!(
        (&*mail.to, mail.field("Subject")),
        ("ann@x.example", "Mails of Provisioning arrive".to_owned())
    );
    assert!(!place.database().exists(), "it is asked of no database");
    server.behave(Manner::AnswersRecipient("550 5.1.1 no such user"));
    let (code, said) = place.refusal(&test);
    assert_eq!(code, 1);
    assert!(
        said["detail"]
            .as_str()
            .unwrap()
            .contains("550 5.1.1 no such user"),
        "{said}"
    );
    let (_, said) = place.refusal(&["mail", "test", "--to", "ann@x.example"]);
    assert!(said["detail"].as_str().unwrap().contains("--smtp-host"), "{said}");
}

/// Feature row 73: administrators who can rotate a token are mailed 30, 7 and 1 days before it ends, once each.
#[test]
fn the_end_of_a_token_is_mailed_before() {
    let bench = Bench::new(&["--first-login", "password-reset"]);
    bench.administrator("ann@x.example", "tokens:write");
    bench.administrator("bob@x.example", "tokens:read");
    bench.run(&["token", "rotate", "acme", "--expires", "100"]);
    let token = bench.token.clone();
    let place = bench.end();
    place.execute("UPDATE token SET created = created - 86400 * 60 * 1000000 WHERE expires IS NOT NULL");
    let mut told = Vec::new();
    for (moved, is_told) in [
        (
            "UPDATE token SET expires = (unixepoch() + 86400 * 40) * 1000000 WHERE expires IS NOT NULL",
            false,
        ),
        (
            "UPDATE token SET expires = (unixepoch() + 86400 * 29) * 1000000 WHERE expires IS NOT NULL",
            true,
        ),
        (
            "UPDATE token SET expires = (unixepoch() + 86400 * 28) * 1000000 WHERE expires IS NOT NULL",
            false,
        ),
        (
            "UPDATE token SET expires = (unixepoch() + 86400 * 6) * 1000000 WHERE expires IS NOT NULL",
            true,
        ),
        (
            "UPDATE token SET expires = (unixepoch() + 80000) * 1000000 WHERE expires IS NOT NULL",
            true,
        ),
        (
            "UPDATE token SET expires = (unixepoch() - 1) * 1000000 WHERE expires IS NOT NULL",
            false,
        ),
    ] {
        place.execute(moved);
        place.json(&["token", "list", "acme"]);
        let before = told.len();
        let listed = place.json(&["mail", "list", "acme"]);
        told.clone_from(listed["mails"].as_array().unwrap());
        assert_eq!(told.len(), before + usize::from(is_told), "{moved}: {listed:#}");
    }
    let ends: Vec<_> = told
        .iter()
        .map(|mail| {
            assert_eq!(mail["recipient"], "ann@x.example");
            mail["subject"].as_str().unwrap().rsplit_once(" in ").unwrap().1
        })
        .collect();
    assert_eq!(ends, ["1 day", "7 days", "30 days"]);
    // A server looks by itself.
    place.execute(
        "UPDATE token SET told = NULL, expires = (unixepoch() + 80000) * 1000000 WHERE expires IS NOT NULL",
    );
    let bench = Bench::on(place, token);
    await_mails(&bench, |_| mails(&bench).len() == 4);
}

/// Feature row 106: administrators are mailed when somebody has found a token and revoked it by its value.
#[test]
fn a_token_that_was_found_is_mailed_about() {
    let bench = Bench::new(&["--first-login", "password-reset"]);
    bench.administrator("ann@x.example", "tokens:write");
    let mut revoking = bench
        .place
        .begin_with_input(&["token", "revoke", "--value-stdin"]);
    std::io::Write::write_all(revoking.stdin.as_mut().unwrap(), bench.token.as_bytes()).unwrap();
    assert!(revoking.wait_with_output().unwrap().status.success());
    let found = mails(&bench);
    let end = &bench.token[bench.token.len() - 4..];
    assert_eq!(found[0]["subject"], format!("The token ending {end} was revoked"));
    assert_eq!(found[0]["recipient"], "ann@x.example");
}
