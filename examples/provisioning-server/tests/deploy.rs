//! The files of `deploy/` fit the program: the unit, its configuration, the container.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod program;

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use program::Place;
use rcgen::generate_simple_self_signed;
use serde_json::Value;

const INSTALLED: &str = "/usr/local/bin/provisioning-server";

/// How much the unit may leave open, in tenths of the points of `systemd-analyze security`: 15 is 1.5 of 10.
const EXPOSURE: &str = "--threshold=15";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn deploy(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)).unwrap()
}

/// Returns the values of a key of the unit.
fn values<'u>(unit: &'u str, key: &str) -> Vec<&'u str> {
    unit.lines()
        .filter_map(|line| line.strip_prefix(key)?.strip_prefix('='))
        .collect()
}

/// Makes the unit with the binary of this build in place of the one that is installed.
fn unit(place: &Place) -> String {
    let built = env!("CARGO_BIN_EXE_provisioning-server");
    let text = deploy("provisioning-server.service");
    assert!(text.contains(INSTALLED));
    place.file("provisioning-server.service", &text.replace(INSTALLED, built))
}

fn systemd_analyze(arguments: &[&str]) -> Output {
    Command::new("systemd-analyze")
        .args(arguments)
        .output()
        .unwrap_or_else(|error| {
            panic!("systemd-analyze cannot be run ({error}): install it with `apt-get install systemd`")
        })
}

#[test]
fn the_unit_is_one_that_systemd_understands() {
    let place = Place::new();
    let output = systemd_analyze(&["verify", "--man=no", &unit(&place)]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
}

#[test]
fn the_unit_leaves_the_server_no_right_that_it_does_not_need() {
    let place = Place::new();
    let output = systemd_analyze(&[
        "security",
        "--offline=true",
        "--no-pager",
        EXPOSURE,
        &unit(&place),
    ]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Overall exposure level"), "{said}");
}

/// Makes `server.toml` with a certificate that exists, and returns what the check of the unit's own command says about it.
fn checked(place: &Place) -> Value {
    let pair = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = place.file("fullchain.pem", &pair.cert.pem());
    let key = place.file("privkey.pem", &pair.signing_key.serialize_pem());
    let text = deploy("server.toml");
    let folder = "/etc/provisioning-server/tls/";
    assert!(text.contains(folder));
    let text = text
        .replace(&format!("{folder}fullchain.pem"), &certificate)
        .replace(&format!("{folder}privkey.pem"), &key);
    let file = place.file("server.toml", &text);
    let unit = deploy("provisioning-server.service");
    let command = values(&unit, "ExecStart")[0];
    let words: Vec<&str> = command
        .split_whitespace()
        .map(|word| match word {
            "/etc/provisioning-server/server.toml" => file.as_str(),
            word => word,
        })
        .collect();
    assert_eq!(words[0], INSTALLED);
    assert!(words.contains(&file.as_str()), "{command}");
    place.json(&[&words[1..], &["--check-config"]].concat())
}

/// Finds a setting in what `--check-config` says.
fn setting<'c>(checked: &'c Value, name: &str) -> &'c Value {
    let settings = checked["settings"].as_array().unwrap();
    settings.iter().find(|setting| setting["name"] == name).unwrap()
}

#[test]
fn the_server_starts_with_the_command_of_the_unit_and_its_configuration() {
    let place = Place::new();
    let checked = checked(&place);
    let value = |name: &str| setting(&checked, name)["value"].as_str().unwrap().to_owned();
    assert_eq!(value("log-format"), "json");
    // The one folder that the unit lets it write to.
    let unit = deploy("provisioning-server.service");
    let folder = format!("sqlite:///var/lib/{}/", values(&unit, "StateDirectory")[0]);
    assert!(value("database").starts_with(&folder), "{checked:#}");
    // As long as the server goes on serving, and then 20 seconds for requests under way, and the database.
    let stop: u64 = values(&unit, "TimeoutStopSec")[0].parse().unwrap();
    let delay: u64 = value("drain-delay").parse().unwrap();
    assert!(stop >= delay + 20 + 10, "{stop} after {delay}");
}

/// The unit has `Type=notify`: systemd waits for the word that the server is ready.
#[test]
fn systemd_is_told_when_the_server_is_ready_and_when_it_ends() {
    let unit = deploy("provisioning-server.service");
    assert_eq!(values(&unit, "Type"), ["notify"]);
    let place = Place::new();
    let path = place.file("notify", "");
    fs::remove_file(&path).unwrap();
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let told = || {
        let mut word = [0; 64];
        let length = socket.recv(&mut word).unwrap();
        String::from_utf8_lossy(&word[..length]).trim_end().to_owned()
    };
    let server = place.serve_with(&["--listen", "127.0.0.1:0"], &[("NOTIFY_SOCKET", &path)]);
    assert_eq!(told(), "READY=1");
    server.terminate();
    assert_eq!(told(), "STOPPING=1");
}

/// Returns the words of an instruction of the container file that is a JSON array.
fn words(file: &str, instruction: &str) -> Vec<String> {
    let (_, rest) = file.rsplit_once(instruction).unwrap();
    serde_json::from_str(rest.lines().next().unwrap().trim()).unwrap()
}

fn instructions<'f>(file: &'f str, name: &str) -> Vec<&'f str> {
    file.lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        .collect()
}

#[test]
fn the_container_starts_the_server_and_asks_for_its_health() {
    let place = Place::new();
    let file = deploy("Containerfile");
    let entry = words(&file, "\nENTRYPOINT ");
    assert_eq!(entry, [INSTALLED]);
    assert!(
        instructions(&file, "COPY")
            .iter()
            .any(|copy| copy.ends_with(INSTALLED))
    );

    let variable = instructions(&file, "ENV")[0].split_once('=').unwrap();
    let serve: Vec<String> = words(&file, "\nCMD ");
    let mut arguments: Vec<&str> = serve.iter().map(String::as_str).collect();
    arguments.extend(["--check-config", "--json"]);
    let output = place.run_with(&[variable], &arguments);
    assert!(output.status.success(), "{output:?}");
    let checked: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(setting(&checked, "listen")["from"], variable.0);
    let port = variable.1.rsplit_once(':').unwrap().1;
    assert_eq!(instructions(&file, "EXPOSE"), [port]);

    let server = place.serve(&[]);
    // With a space before it, CMD is a part of HEALTHCHECK.
    let health = words(&file, " CMD ");
    assert_eq!(health[0], INSTALLED);
    let arguments: Vec<&str> = health[1..].iter().map(String::as_str).collect();
    let output = place.run_with(&[("LISTEN", server.address())], &arguments);
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn the_container_is_nobody_and_is_built_from_what_is_there() {
    let file = deploy("Containerfile");
    let user = instructions(&file, "USER")[0];
    for id in user.split(':') {
        assert!(id.parse::<u32>().unwrap() > 0, "{user}");
    }
    assert!(file.contains("cargo build --locked --release"));
    for copy in instructions(&file, "COPY") {
        let words: Vec<&str> = copy.split_whitespace().collect();
        if !copy.contains("--from=") {
            assert!(root().join(words[0]).exists(), "{copy}");
        }
    }
    // The default database is in the volume.
    assert_eq!(words(&file, "\nVOLUME "), ["/data"]);
    assert_eq!(instructions(&file, "WORKDIR").last(), Some(&"/"));
    let ignored = fs::read_to_string(root().join(".dockerignore")).unwrap();
    for folder in ["target", ".git", "data"] {
        assert!(ignored.lines().any(|line| line == folder), "{folder}");
    }
}
