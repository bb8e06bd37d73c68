//! Secrets at rest: the key file of the running program, and its rotation.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use program::bench::Bench;
use program::{Place, rows};
use scim::store::database::{Database, Options, Value as Cell};
use serde_json::json;

const KEY_FILE: &str = "data/provisioning.db.key";

/// Whoever a mail belongs to: the instance.
const INSTANCE: [u8; 16] = [0; 16];

fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Returns the id and the secret of the keys in a key file.
fn keys(place: &Place) -> Vec<(Vec<u8>, Vec<u8>)> {
    let text = fs::read_to_string(place.path(KEY_FILE)).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let words: Vec<_> = line.split(' ').collect();
            (unhex(words[0]), unhex(words[2]))
        })
        .collect()
}

/// Returns the text with which the link of a mail is authenticated.
fn place_of(id: &[u8]) -> Vec<u8> {
    let mut place = b"provisioning-server sealed value".to_vec();
    for part in [&b"mail"[..], b"sealed_link", &INSTANCE, id] {
        place.extend(u64::try_from(part.len()).unwrap().to_be_bytes());
        place.extend_from_slice(part);
    }
    place
}

/// Returns the secret of the link that a mail has.
fn link(number: u16) -> Vec<u8> {
    format!("/instance/link/hush{number}").into_bytes()
}

fn id(number: u16) -> [u8; 16] {
    u128::from(number).to_be_bytes()
}

/// Adds mails with links as the program seals them, by what is known of its form alone.
fn add_links(place: &Place, numbers: std::ops::Range<u16>) {
    let (key_id, secret) = keys(place).pop().unwrap();
    let cipher = XChaCha20Poly1305::new_from_slice(&secret).unwrap();
    let database = Database::open(place.database(), Options::default()).unwrap();
    let add = move |tx: &scim::store::database::Transaction<'_>| {
        for number in numbers.clone() {
            let id = id(number);
            let mut nonce = [9; 24];
            nonce[..2].copy_from_slice(&number.to_be_bytes());
            let payload = Payload {
                msg: &link(number),
                aad: &place_of(&id),
            };
            let sealed = cipher.encrypt(&XNonce::from(nonce), payload).unwrap();
            let sealed = [&key_id[..], &nonce, &sealed].concat();
            let params = json!({ "kind": "reset-link", "expires": "2030-01-01T00:00:00Z" }).to_string();
            tx.execute(
                "INSERT INTO mail (org, id, kind, recipient, state, attempts, until, created, message_id, params,
                                   sealed_link, link_ends)
                 VALUES (?1, ?2, 'reset-link', 'ann@x.example', 'kept', 0, 0, 0, '<1@localhost>', ?3, ?4, 1893456000000000)",
                &[(&INSTANCE).into(), (&id).into(), (&params).into(), (&sealed[..]).into()],
            )?;
        }
        Ok(())
    };
    database.blocking_write(add).unwrap();
}

/// Counts the links, and checks that all of them open with the newest key of the file.
fn open_links(place: &Place) -> usize {
    let (key_id, secret) = keys(place).pop().unwrap();
    let cipher = XChaCha20Poly1305::new_from_slice(&secret).unwrap();
    let found = rows(place, "SELECT id, sealed_link FROM mail ORDER BY id");
    for row in &found {
        let [Cell::Blob(id), Cell::Blob(sealed)] = &row[..] else {
            panic!("{row:?}");
        };
        assert_eq!(sealed[..8], key_id);
        let nonce = XNonce::try_from(&sealed[8..32]).unwrap();
        let payload = Payload {
            msg: &sealed[32..],
            aad: &place_of(id),
        };
        let number = u128::from_be_bytes(id[..].try_into().unwrap());
        assert_eq!(
            cipher.decrypt(&nonce, payload).unwrap(),
            link(u16::try_from(number).unwrap())
        );
    }
    found.len()
}

fn with_database() -> Place {
    let place = Place::new();
    place.json(&["org", "create", "acme"]);
    place
}

/// Feature row 94: the key file is made with the database, beside it or where it is wanted, for its owner alone.
#[test]
fn the_key_file_is_made_with_the_database() {
    let place = with_database();
    let mode = |file: &str| fs::metadata(place.path(file)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(KEY_FILE), 0o600);
    let shown = place.json(&["key", "show"]);
    assert_eq!(
        (
            &shown["keys"][0]["days"],
            &shown["in_rotation"],
            shown["keys"].as_array().unwrap().len()
        ),
        (&json!(0), &json!(false), 1)
    );
    let secret = fs::read_to_string(place.path(KEY_FILE)).unwrap();
    let secret = secret.split_whitespace().last().unwrap();
    assert!(!shown.to_string().contains(secret));
    let other = ["--database", "sqlite://other.db"];
    let made = place.run_with(
        &[("KEY_FILE", "kept.key")],
        &[&["org", "create", "acme"], &other[..]].concat(),
    );
    assert!(made.status.success(), "{made:?}");
    assert_eq!(mode("kept.key"), 0o600);
    assert!(!fs::exists(place.path("other.db.key")).unwrap());
    let (_, refused) = place.refusal(&[&["org", "list", "--key-file", KEY_FILE], &other[..]].concat());
    let said = refused["detail"].as_str().unwrap();
    assert!(
        said.contains("does not hold the key") && said.contains("--key-file"),
        "{said}"
    );
}

/// Feature row 94: with sealed values the program does not start without the right key file, and none that others may read.
#[test]
fn without_its_key_file_the_program_does_not_start() {
    let place = with_database();
    add_links(&place, 0..1);
    assert_eq!(place.json(&["check"])["sound"], true);
    let path = place.path(KEY_FILE);
    let refusal = || {
        let (code, said) = place.refusal(&["serve", "--listen", "127.0.0.1:0"]);
        assert_eq!(code, 1);
        said["detail"].as_str().unwrap().to_owned()
    };
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(refusal().contains("chmod 600"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let right = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(refusal().contains("is missing, and secrets"));
    let id = right.lines().last().unwrap().split(' ').next().unwrap();
    for (wrong, said) in [
        (right.replace(id, "0011223344556677"), "does not hold the key"),
        (
            format!("{id} 2026-01-01T00:00:00Z {}\n", "ab".repeat(32)),
            "holds another key",
        ),
        ("hush".to_owned(), "is not a valid key file"),
    ] {
        fs::write(&path, wrong).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let detail = refusal();
        assert!(detail.contains(said) && !detail.contains("hush"), "{detail}");
    }
    fs::write(&path, right).unwrap();
    assert_eq!(place.json(&["check"])["sound"], true);
}

/// Feature row 94: a ciphertext that was moved to another row, or changed, is found.
#[test]
fn what_was_moved_is_found() {
    let place = with_database();
    add_links(&place, 0..3);
    place.execute("UPDATE mail SET sealed_link = (SELECT m.sealed_link FROM mail m ORDER BY m.id LIMIT 1)");
    let checked = place.run(&["check", "--json"]);
    assert!(!checked.status.success());
    let text = String::from_utf8(checked.stdout).unwrap();
    assert!(
        text.contains("2 sealed values of mail.sealed_link do not open"),
        "{text}"
    );
}

/// Feature row 94: keys are rotated while a server runs and writes; every link opens with the new key, the old one is gone.
#[test]
fn keys_are_rotated_while_a_server_runs() {
    let bench = Bench::new(&[]);
    add_links(&bench.place, 0..900);
    let (old, _) = keys(&bench.place).remove(0);
    let rotating = bench.place.begin(&["key", "rotate", "--json"]);
    for number in 0..40 {
        bench.user(&format!("p{number}@x.example"));
    }
    let output = rotating.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(keys(&bench.place).len(), 1);
    assert_ne!(keys(&bench.place)[0].0, old);
    assert_eq!(open_links(&bench.place), 900);
    bench.is_sound();
    let audited = bench.run(&["audit", "list", "acme"]);
    assert!(audited.to_string().contains("instance.rotate-keys"), "{audited}");
}

/// Feature row 94: a rotation that is killed at any moment loses nothing, and is gone on with.
#[test]
fn a_rotation_that_is_killed_is_gone_on_with() {
    let place = with_database();
    add_links(&place, 0..3_000);
    for kills in 0..6 {
        let mut rotating = place.begin(&["key", "rotate"]);
        // The kill falls at another place each time, and whatever it has hit must be gone on with.
        while kills > 2 && keys(&place).len() == 1 && rotating.try_wait().unwrap().is_none() {}
        rotating.kill().unwrap();
        rotating.wait().unwrap();
        assert_eq!(place.json(&["check"])["sound"], true);
    }
    place.json(&["key", "rotate"]);
    assert_eq!(keys(&place).len(), 1);
    assert_eq!(open_links(&place), 3_000);
    assert_eq!(place.json(&["key", "show"])["in_rotation"], false);
}

/// Feature row 94: a backup holds no link in the clear, and is restored with its own key file alone.
#[test]
fn a_backup_is_of_no_use_without_its_key_file() {
    let place = with_database();
    add_links(&place, 0..5);
    let made = place.json(&["backup", "copy.db"]);
    assert!(
        made["key_file"]
            .as_str()
            .unwrap()
            .ends_with("provisioning.db.key")
    );
    let copy = fs::read(place.path("copy.db")).unwrap();
    assert!(!copy.windows(4).any(|bytes| bytes == b"hush"));
    let into = ["restore", "copy.db", "--database", "sqlite://new.db"];
    let (_, refused) = place.refusal(&into);
    assert!(
        refused["detail"].as_str().unwrap().contains("is missing"),
        "{refused}"
    );
    place.json(&["org", "create", "other", "--database", "sqlite://other.db"]);
    let (_, refused) = place.refusal(&[&into[..], &["--key-file", "other.db.key"]].concat());
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("does not hold the key"),
        "{refused}"
    );
    assert!(!fs::exists(place.path("new.db")).unwrap());
    place.json(&[&into[..], &["--key-file", KEY_FILE]].concat());
}
