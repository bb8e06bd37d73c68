//! The command line: its names, flags, documents and exit codes are a contract.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use program::Place;
use serde_json::{Value, json};

fn keys(document: &Value) -> Vec<&str> {
    document.as_object().unwrap().keys().map(String::as_str).collect()
}

fn states(tokens: &Value) -> Vec<&str> {
    let tokens = tokens["tokens"].as_array().unwrap();
    tokens
        .iter()
        .map(|token| token["state"].as_str().unwrap())
        .collect()
}

#[test]
fn org_create_answers_with_url_and_token() {
    let place = Place::new();
    let created = place.json(&["org", "create", "acme"]);
    assert_eq!(keys(&created), ["organization", "scim_url", "token"]);
    assert_eq!(created["organization"], "acme");
    assert_eq!(created["scim_url"], "http://127.0.0.1:8080/scim/acme/v2");
    let token = created["token"].as_str().unwrap();
    assert!(token.starts_with("scimp_") && token.len() == 56, "{token}");
    let shown = place.json(&["org", "show", "acme"]);
    assert_eq!(shown["enabled"], true);
    assert_eq!(states(&shown), ["active"]);
}

#[test]
fn a_token_is_visible_once_and_kept_only_as_a_hash() {
    // Feature row 6.
    let place = Place::new();
    let created = place.json(&["org", "create", "acme"]);
    let token = created["token"].as_str().unwrap();
    let shown = place.json(&["org", "show", "acme"]).to_string()
        + &place.json(&["token", "list", "acme"]).to_string();
    assert!(!shown.contains(token));
    let listed = place.json(&["token", "list", "acme"]);
    assert_eq!(listed["tokens"][0]["last_four"], token[52..]);
    assert_eq!(listed["tokens"][0]["prefix"], token[..10]);
    let folder = place.database().parent().unwrap().to_owned();
    for file in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        // Prefix and last four are kept; what is between them is not.
        let secret = &token.as_bytes()[10..52];
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
}

#[test]
fn a_new_organization_has_the_default_settings() {
    let place = Place::new();
    place.json(&["org", "create", "acme"]);
    let expected = json!({
        "idp": "other", "policy": "tolerant", "username": "email", "attributes": "all", "on_delete": "remove",
        "groups": "map", "assignment": "mapped-only", "existing_account": "refuse", "first_login": "invitation",
        "sso": "off", "unique_group_names": "off", "set_up": "token-first", "words": "threatlocker",
        "support_contact": "", "idp_initiated_saml": "off", "second_factor": "optional", "hold_escalations": "off",
        "history_days": 90, "audit_days": "for-ever", "failed_bodies": "on", "capture_bodies": "off", "mass_deactivations": 20, "mass_role_losses": 20, "mails_per_minute": 60,
    });
    assert_eq!(place.json(&["org", "show", "acme"])["settings"], expected);
}

#[test]
fn every_setting_has_a_flag() {
    let place = Place::new();
    place.json(&["org", "create", "acme"]);
    let cases: &[(&str, &[&str])] = &[
        (
            "idp",
            &[
                "okta",
                "entra",
                "jumpcloud",
                "onelogin",
                "google",
                "ping",
                "authentik",
                "other",
            ],
        ),
        ("policy", &["strict", "interop-profile", "tolerant"]),
        ("username", &["any", "email"]),
        ("attributes", &["mapped", "all"]),
        ("on-delete", &["deactivate", "remove"]),
        ("groups", &["mirror", "map"]),
        ("assignment", &["local-groups", "mapped-only"]),
        ("existing-account", &["adopt", "refuse"]),
        ("first-login", &["saml", "password-reset", "invitation"]),
        ("sso", &["off", "on"]),
        ("unique-group-names", &["on", "off"]),
        ("set-up", &["activate-first", "save-generates", "token-first"]),
        ("words", &["level-access", "third-platform", "threatlocker"]),
        ("support-contact", &["help@x.example", ""]),
        ("idp-initiated-saml", &["on", "off"]),
        ("second-factor", &["required", "optional"]),
        ("hold-escalations", &["off"]),
        ("history-days", &["1", "3650"]),
        ("mass-deactivations", &["1", "1000000"]),
        ("mass-role-losses", &["1", "1000000"]),
        ("mails-per-minute", &["1", "6000"]),
    ];
    // SAML is chosen where it works.
    place.execute(
        "INSERT INTO saml_provider (org, entity_id, sso_url, signed, tried)
         SELECT id, 'p', 'https://p.example/sso', 'assertion', 1 FROM organization",
    );
    for (setting, values) in cases {
        for value in *values {
            let set = place.json(&["org", "set", "acme", &format!("--{setting}"), value]);
            let now = &set["settings"][setting.replace('-', "_")];
            let now = now.as_str().map_or_else(|| now.to_string(), str::to_owned);
            assert_eq!(now, *value, "{setting}");
            assert_eq!(set["settings"], place.json(&["org", "show", "acme"])["settings"]);
        }
    }
}

/// Feature row 104: rights that a group gives do not wait yet, and no setting says that they do.
#[test]
fn a_setting_without_effect_cannot_be_chosen() {
    let place = Place::new();
    let new = place.refusal(&["org", "create", "new", "--hold-escalations", "on"]);
    place.json(&["org", "create", "acme"]);
    let set = place.refusal(&["org", "set", "acme", "--hold-escalations", "on"]);
    for (code, refusal) in [new, set] {
        assert_eq!((code, &refusal["error"]), (1, &json!("conflict")));
        let detail = refusal["detail"].as_str().unwrap();
        assert!(detail.contains("--hold-escalations off"), "{detail}");
    }
}

/// Feature row 84: a value beyond its bounds is refused with the bounds, and nothing is changed.
#[test]
fn a_number_beyond_its_bounds_is_refused() {
    let place = Place::new();
    place.json(&["org", "create", "acme"]);
    let before = place.json(&["org", "show", "acme"]);
    for (flag, value, bounds) in [
        ("--history-days", "0", "1 to 3650"),
        ("--mass-deactivations", "1000001", "1 to 1000000"),
        ("--mass-role-losses", "many", "1 to 1000000"),
        ("--mails-per-minute", "-1", "1 to 6000"),
    ] {
        let output = place.run(&["org", "set", "acme", &format!("{flag}={value}")]);
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(bounds), "{said}");
    }
    assert_eq!(place.json(&["org", "show", "acme"]), before);
}

/// Feature row 20: invitations without any address to go to are refused, and an organization that has them may change
/// everything else.
#[test]
fn invitations_without_addresses_are_refused() {
    let place = Place::new();
    let flags = ["--username", "any", "--attributes", "mapped"];
    let (_, refusal) = place.refusal(&[&["org", "create", "acme"][..], &flags].concat());
    assert_eq!(refusal["error"], "conflict");
    assert!(
        refusal["detail"]
            .as_str()
            .unwrap()
            .contains("no address to go to"),
        "{refusal}"
    );
    place.json(&["org", "create", "acme"]);
    let (_, refusal) = place.refusal(&[&["org", "set", "acme"][..], &flags].concat());
    assert!(
        refusal["detail"].as_str().unwrap().contains("--first-login"),
        "{refusal}"
    );
    let reset = [
        &["org", "set", "acme", "--first-login", "password-reset"][..],
        &flags,
    ]
    .concat();
    assert_eq!(place.json(&reset)["settings"]["username"], "any");
}

#[test]
fn like_takes_over_a_product_and_flags_come_on_top() {
    let place = Place::new();
    place.json(&[
        "org",
        "create",
        "acme",
        "--like",
        "third-platform",
        "--username",
        "email",
    ]);
    let settings = place.json(&["org", "show", "acme"])["settings"].clone();
    assert_eq!(settings["groups"], "mirror");
    assert_eq!(settings["on_delete"], "deactivate");
    assert_eq!(settings["username"], "email");
    let settings = place.json(&["org", "set", "acme", "--like", "threatlocker"])["settings"].clone();
    assert_eq!(settings["attributes"], "mapped");
    let settings = place.json(&["org", "set", "acme", "--like", "level-access"])["settings"].clone();
    assert_eq!(settings["assignment"], "local-groups");
    assert_eq!(settings["sso"], "on");
}

#[test]
fn organizations_are_listed_switched_and_deleted() {
    let place = Place::new();
    for name in ["zeta", "acme"] {
        place.json(&["org", "create", name, "--display", &format!("The {name} company")]);
    }
    let listed = place.json(&["org", "list"]);
    let names: Vec<&Value> = listed["organizations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| &o["organization"])
        .collect();
    assert_eq!(names, ["acme", "zeta"]);
    assert_eq!(listed["organizations"][0]["display"], "The acme company");
    assert_eq!(place.json(&["org", "disable", "acme"])["enabled"], false);
    assert_eq!(place.json(&["org", "enable", "acme"])["enabled"], true);
    assert_eq!(place.json(&["org", "delete", "acme"])["deleted"], true);
    assert_eq!(place.refusal(&["org", "show", "acme"]).1["error"], "not_found");
    // The name is free again, and what gets it is another organization.
    let old = listed["organizations"][0]["id"].clone();
    place.json(&["org", "create", "acme"]);
    assert_ne!(place.json(&["org", "show", "acme"])["id"], old);
}

#[test]
fn tokens_are_rotated_with_and_without_overlap() {
    // Feature rows 7 and 72.
    let place = Place::new();
    let first = place.json(&["org", "create", "acme"])["token"].clone();
    let second = place.json(&["token", "create", "acme"]);
    assert_ne!(second["token"], first);
    assert_eq!(
        states(&place.json(&["token", "list", "acme"])),
        ["revoked", "active"]
    );
    assert_eq!(second["revoked"].as_array().unwrap().len(), 1);

    let third = place.json(&["token", "rotate", "acme", "--overlap"]);
    assert_eq!(third["revoked"], json!([]));
    assert_eq!(
        states(&place.json(&["token", "list", "acme"])),
        ["revoked", "overlap", "active"]
    );
    let (code, refused) = place.refusal(&["token", "rotate", "acme", "--overlap"]);
    assert_eq!((code, &refused["error"]), (1, &json!("conflict")));

    let cancelled = place.json(&["token", "cancel", "acme"]);
    assert_eq!(cancelled["revoked"], json!([third["id"]]));
    assert_eq!(states(&cancelled), ["revoked", "active", "revoked"]);

    place.json(&["token", "rotate", "acme", "--overlap"]);
    let completed = place.json(&["token", "complete", "acme"]);
    assert_eq!(completed["revoked"], json!([second["id"]]));
    assert_eq!(states(&completed), ["revoked", "revoked", "revoked", "active"]);
    assert_eq!(place.refusal(&["token", "complete", "acme"]).0, 1);

    let revoked = place.json(&["token", "revoke", "acme"]);
    assert_eq!(states(&revoked), ["revoked"; 4]);
    assert_eq!(place.refusal(&["token", "revoke", "acme"]).0, 1);
    let (code, refused) = place.refusal(&["token", "rotate", "acme"]);
    assert_eq!(code, 1);
    assert!(refused["detail"].as_str().unwrap().contains("token create"));
}

#[test]
fn one_token_can_be_revoked_by_its_id() {
    let place = Place::new();
    place.json(&["org", "create", "acme"]);
    let id = place.json(&["token", "list", "acme"])["tokens"][0]["id"].clone();
    place.json(&["token", "rotate", "acme", "--overlap"]);
    let revoked = place.json(&["token", "revoke", "acme", id.as_str().unwrap()]);
    assert_eq!(states(&revoked), ["revoked", "active"]);
    let (code, refused) = place.refusal(&["token", "revoke", "acme", "00000000-0000-0000-0000-000000000000"]);
    assert_eq!((code, &refused["error"]), (1, &json!("not_found")));
}

#[test]
fn a_token_can_expire() {
    let place = Place::new();
    place.json(&["org", "create", "acme"]);
    let issued = place.json(&["token", "create", "acme", "--expires", "30"]);
    assert!(issued["expires"].as_str().unwrap().ends_with('Z'));
    assert_eq!(
        place.json(&["token", "list", "acme"])["tokens"][1]["expires"],
        issued["expires"]
    );
    assert_eq!(place.refusal(&["token", "create", "acme", "--expires", "0"]).0, 1);
}

#[test]
fn the_scim_url_is_under_the_public_url() {
    let place = Place::new();
    let created = place.json(&[
        "org",
        "create",
        "acme",
        "--public-url",
        "https://idp.example.com/",
    ]);
    assert_eq!(created["scim_url"], "https://idp.example.com/scim/acme/v2");
    let output = place.run_with(
        &[("PUBLIC_URL", "https://e.example")],
        &["org", "show", "acme", "--json"],
    );
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["scim_url"], "https://e.example/scim/acme/v2");
    assert_eq!(
        place
            .refusal(&["org", "show", "acme", "--public-url", "example.com"])
            .0,
        1
    );
}

#[test]
fn the_database_is_named_by_flag_or_environment() {
    let place = Place::new();
    place.json(&["org", "create", "acme", "--database", "sqlite://other/x.db"]);
    let output = place.run_with(
        &[("DATABASE_URL", "sqlite://other/x.db")],
        &["org", "show", "acme", "--json"],
    );
    assert!(output.status.success());
    let (code, refused) = place.refusal(&["org", "list"]);
    assert_eq!((code, &refused["error"]), (1, &json!("not_found")));
    assert!(
        !place.database().exists(),
        "a command that only looks makes no database"
    );
}

#[test]
fn another_engine_is_refused_in_a_sentence() {
    let place = Place::new();
    let (code, refused) = place.refusal(&["org", "list", "--database", "postgres://u:secret@h/db"]);
    assert_eq!((code, &refused["error"]), (1, &json!("invalid")));
    let detail = refused["detail"].as_str().unwrap();
    assert!(
        detail.contains("serves sqlite:// databases only") && !detail.contains("secret"),
        "{detail}"
    );
    assert_eq!(
        place
            .run(&["serve", "--database", "postgres://h/db"])
            .status
            .code(),
        Some(1)
    );
}

#[test]
fn what_cannot_be_done_is_said_with_exit_code_1() {
    let place = Place::new();
    place.json(&["org", "create", "acme"]);
    for (arguments, word) in [
        (&["org", "create", "acme"][..], "conflict"),
        (&["org", "show", "nobody"], "not_found"),
        (&["org", "set", "nobody", "--sso", "on"], "not_found"),
        (&["org", "set", "acme"], "invalid"),
        (&["org", "delete", "nobody"], "not_found"),
        (&["token", "create", "nobody"], "not_found"),
        (&["token", "cancel", "acme"], "conflict"),
    ] {
        let (code, refused) = place.refusal(arguments);
        assert_eq!((code, &refused["error"]), (1, &json!(word)), "{arguments:?}");
        assert!(refused["detail"].as_str().unwrap().ends_with('.'), "{refused}");
    }
    let output = place.run(&["org", "show", "nobody"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.starts_with("error: There is no organization \"nobody\""),
        "{text}"
    );
    let output = place.run(&["token", "revoke", "acme", "scimp_0s8t"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("A token is named by its id, which \"token list ORG\" shows."),
        "{text}"
    );
}

#[test]
fn what_is_not_understood_ends_with_exit_code_2() {
    let place = Place::new();
    for arguments in [
        &["org", "create"][..],
        &["org", "create", "Acme Inc"],
        &["org", "create", "acme", "--idp", "azure"],
        &["org", "create", "acme", "--display", " "],
        &["organisation", "list"],
        &["token", "revoke", "acme", "not-an-id"],
    ] {
        let (code, refused) = place.refusal(arguments);
        assert_eq!((code, &refused["error"]), (2, &json!("usage")), "{arguments:?}");
    }
    let (_, refused) = place.refusal(&["org", "create", "Acme Inc"]);
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("such as \"acme-inc\""),
        "{refused}"
    );
    assert_eq!(place.run(&["--help"]).status.code(), Some(0));
    assert_eq!(place.run(&["--version"]).status.code(), Some(0));
}

#[test]
fn a_script_without_json_gets_the_token_alone() {
    let place = Place::new();
    place.json(&["org", "create", "acme"]);
    for command in ["create", "rotate"] {
        let output = place.run(&["token", command, "acme"]);
        let token = String::from_utf8(output.stdout).unwrap();
        assert!(
            token.starts_with("scimp_") && token.trim_end().len() == 56,
            "{token}"
        );
    }
}

#[test]
fn people_are_told_in_sentences() {
    let place = Place::new();
    let output = place.run(&["org", "create", "acme"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("SCIM URL  http://127.0.0.1:8080/scim/acme/v2"),
        "{text}"
    );
    assert!(text.contains("shown this once"), "{text}");
    for arguments in [
        &["org", "list"][..],
        &["org", "show", "acme"],
        &["token", "list", "acme"],
    ] {
        let output = place.run(arguments);
        assert!(output.status.success());
        assert!(
            serde_json::from_slice::<Value>(&output.stdout).is_err(),
            "{arguments:?} is for people"
        );
    }
}

#[test]
fn of_several_processes_that_make_one_organization_exactly_one_succeeds() {
    let place = Place::new();
    let children: Vec<_> = (0..6)
        .map(|_| place.begin(&["org", "create", "acme", "--json"]))
        .collect();
    let codes: Vec<_> = children
        .into_iter()
        .map(|child| child.wait_with_output().unwrap())
        .map(|output| {
            (
                output.status.code(),
                String::from_utf8_lossy(&output.stderr).into_owned(),
            )
        })
        .collect();
    let successes = codes.iter().filter(|(code, _)| *code == Some(0)).count();
    assert_eq!(successes, 1, "{codes:?}");
    for (code, errors) in codes {
        assert!(code == Some(0) || errors.contains("\"conflict\""), "{errors}");
    }
}

/// F9: a command says why the database failed, because nothing else would.
#[test]
fn a_command_says_why_the_database_failed() {
    let place = Place::new();
    place.json(&["org", "create", "acme"]);
    place.execute("ALTER TABLE organization RENAME TO elsewhere");
    let (code, document) = place.refusal(&["org", "list"]);
    let detail = document["detail"].as_str().unwrap();
    assert_eq!(code, 1);
    assert!(
        detail.contains("no such table") && !detail.contains("in its log"),
        "{detail}"
    );
}
