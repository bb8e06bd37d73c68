//! An identity provider for single sign-on: pysaml2, whose metadata and answers share no code with the server.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tempfile::TempDir;

pub const ISSUER: &str = "https://provider.example/metadata";

/// A provider with keys that it keeps.
pub struct IdentityProvider {
    folder: TempDir,
    issuer: &'static str,
}

impl IdentityProvider {
    pub fn new() -> Self {
        Self::called(ISSUER)
    }

    /// Makes one with another entity id.
    pub fn called(issuer: &'static str) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            issuer,
        }
    }

    /// Makes its metadata, with these keys.
    pub fn metadata(&self, keys: &[&str]) -> String {
        let asked = json!({ "keys": keys, "url": "https://provider.example/sso" });
        self.make("metadata", &asked)["metadata"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Makes an answer, as the form field has it.
    pub fn answer(&self, case: &str, asked: &Value) -> String {
        self.make(case, asked)["response"].as_str().unwrap().to_owned()
    }

    /// Makes several answers at once: cases, each with what is other for it.
    pub fn answers(&self, asked: &Value, many: &[(&str, Value)]) -> Vec<String> {
        let mut asked = asked.clone();
        asked["many"] = json!(many);
        let made = self.make("many", &asked);
        let made = made.as_array().unwrap().iter();
        made.map(|made| made["response"].as_str().unwrap().to_owned())
            .collect()
    }

    fn make(&self, case: &str, changes: &Value) -> Value {
        let mut asked = json!({ "issuer": self.issuer, "folder": self.folder.path() });
        let all = asked.as_object_mut().unwrap();
        all.extend(changes.as_object().unwrap().clone());
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests");
        let environment = std::env::var_os("SCIM_TESTS_VENV").map_or_else(|| tests.join(".venv"), Into::into);
        let output = Command::new(environment.join("bin/python"))
            .arg(tests.join("python/identity_provider.py"))
            .args([case, &asked.to_string()])
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{case}: {errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// A place from which metadata are fetched, for as long as the test runs.
pub struct MetadataServer {
    content: Arc<Mutex<String>>,
    pub url: String,
}

impl MetadataServer {
    pub fn new(content: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/metadata", listener.local_addr().unwrap());
        let content = Arc::new(Mutex::new(content));
        let shown = Arc::clone(&content);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                _ = stream.read(&mut [0; 4_096]);
                let text = shown.lock().unwrap().clone();
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    text.len()
                );
                _ = stream.write_all((head + &text).as_bytes());
            }
        });
        Self { content, url }
    }

    /// Sets the answer from now on.
    pub fn set(&self, content: String) {
        *self.content.lock().unwrap() = content;
    }
}
