//! Plays the trace of an identity provider against a server and judges the answers.

mod pointer;
mod rule;
mod template;
mod trace;

use std::fmt;

use regex_lite::RegexBuilder;
use serde_json::Value;

use crate::Failure;
use crate::http::{Client, Request, Response, percent_encode};
use crate::random;

use template::{Blocked, Variables};
pub use trace::Trace;
use trace::{Auth, Expectation, Level, Step};

/// The results of a replay. One check is one status, header or JSON assertion.
#[derive(Debug, Default)]
pub struct Report {
    /// Checks that held.
    pub passed: usize,
    /// Checks of level `must` that did not hold, and steps that could not be played.
    pub failed: Vec<Finding>,
    /// Checks of level `should` that did not hold.
    pub warnings: Vec<Finding>,
}

/// A check that did not hold.
#[derive(Debug)]
pub struct Finding {
    /// The name of the trace.
    pub trace: String,
    /// The name of the step.
    pub step: String,
    /// A text that says what was wanted and what was found.
    pub message: String,
    /// Why the provider needs it, if the trace says so.
    pub why: Option<String>,
    /// The request line and the start of the answer.
    pub exchange: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}: {}", self.trace, self.step, self.message)?;
        if let Some(why) = &self.why {
            write!(f, "\n    why: {why}")?;
        }
        if self.exchange.is_empty() {
            Ok(())
        } else {
            write!(f, "\n    {}", self.exchange)
        }
    }
}

/// Plays a trace against the base URL of the client, with the token in the way each step asks for.
///
/// Fails only if the trace itself cannot be played (an unknown variable in its own declarations, a malformed
/// pattern); everything the server does wrong is in the report.
pub fn replay(trace: &Trace, client: &mut Client, token: &str) -> Result<Report, Failure> {
    let mut replay = Replay {
        trace,
        token,
        variables: declared(trace, client)?,
        report: Report::default(),
    };
    for step in &trace.steps {
        replay.step(step, client)?;
    }
    Ok(replay.report)
}

fn declared(trace: &Trace, client: &Client) -> Result<Variables, Failure> {
    let mut variables = Variables::default();
    variables.set("run", random::hex8());
    variables.set("rand_uuid", random::uuid());
    variables.set("base", client.base_url());
    for (name, value) in &trace.vars {
        let value = variables
            .fill(value, str::to_owned)
            .map_err(|blocked| Failure::new(blocked.to_string()))?;
        variables.set(name, value);
    }
    for step in &trace.steps {
        step.capture
            .keys()
            .chain(step.set.keys())
            .for_each(|name| variables.announce(name));
    }
    Ok(variables)
}

struct Replay<'t> {
    trace: &'t Trace,
    token: &'t str,
    variables: Variables,
    report: Report,
}

/// A step with its variables filled in.
struct Prepared {
    request: Request,
    expect: Expectation,
}

impl Replay<'_> {
    fn step(&mut self, step: &Step, client: &mut Client) -> Result<(), Failure> {
        if step
            .skip_if
            .as_ref()
            .is_some_and(|name| self.variables.get(name).is_some())
        {
            return Ok(());
        }
        let Prepared { request, expect } = match self.prepare(step) {
            Ok(prepared) => prepared,
            Err(blocked) => {
                self.fault(step, step.level, blocked.to_string(), String::new());
                return Ok(());
            }
        };
        match client.send(&request) {
            Ok(response) => self.judge(step, &request, &response, &expect),
            Err(failure) => {
                self.fault(step, step.level, failure.to_string(), String::new());
                Ok(())
            }
        }
    }

    fn prepare(&mut self, step: &Step) -> Result<Prepared, Blocked> {
        for (name, value) in &step.set {
            let value = self.variables.fill(value, str::to_owned)?;
            self.variables.set(name, value);
        }
        let body = self.body(step)?;
        let mut headers = self.headers(step, body.is_some());
        headers.extend(
            self.authorization(step.auth)
                .map(|value| ("Authorization".to_owned(), value)),
        );
        let target = self.variables.fill(&step.path, percent_encode)?.into_bytes();
        let request = Request {
            method: step.method.clone(),
            target,
            headers,
            body,
        };
        let mut expect = step.expect.clone();
        for rule in &mut expect.json {
            rule.path = self.variables.fill(&rule.path, str::to_owned)?;
            rule.value = rule
                .value
                .as_ref()
                .map(|value| self.variables.fill_value(value))
                .transpose()?;
        }
        for pattern in expect.headers.values_mut() {
            *pattern = self.variables.fill(pattern, regex_lite::escape)?;
        }
        Ok(Prepared { request, expect })
    }

    fn body(&self, step: &Step) -> Result<Option<Vec<u8>>, Blocked> {
        if let Some(text) = &step.raw_body {
            return self
                .variables
                .fill(text, str::to_owned)
                .map(|text| Some(text.into_bytes()));
        }
        if let Some(from) = &step.body_from {
            let captured = self
                .variables
                .get(&from.var)
                .ok_or_else(|| Blocked::missing(&from.var))?;
            let Ok(Value::Object(mut document)) = serde_json::from_str(captured) else {
                return Err(Blocked::not_an_object(&from.var));
            };
            document.retain(|name, _| !from.drop.contains(name));
            for (name, value) in &from.set {
                document.insert(
                    self.variables.fill(name, str::to_owned)?,
                    self.variables.fill_value(value)?,
                );
            }
            return Ok(Some(Value::Object(document).to_string().into_bytes()));
        }
        // Filled in as text, so that the order of members and the spelling of numbers stay as the provider sends them.
        step.body
            .as_ref()
            .map(|json| {
                self.variables
                    .fill(json.get(), template::json_escape)
                    .map(String::into_bytes)
            })
            .transpose()
    }

    fn headers(&self, step: &Step, has_body: bool) -> Vec<(String, String)> {
        let overridden = |name: &str| step.headers.keys().any(|own| own.eq_ignore_ascii_case(name));
        let defaults = self
            .trace
            .default_headers
            .iter()
            .filter(|(name, _)| !overridden(name));
        let own = step
            .headers
            .iter()
            .filter_map(|(name, value)| value.as_ref().map(|value| (name, value)));
        defaults
            .chain(own)
            .filter(|(name, _)| has_body || !name.eq_ignore_ascii_case("content-type"))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    fn authorization(&self, auth: Auth) -> Option<String> {
        match auth {
            Auth::Bearer => Some(format!("Bearer {}", self.token)),
            Auth::Lower => Some(format!("bearer {}", self.token)),
            Auth::Raw => Some(self.token.to_owned()),
            Auth::Bad => Some("Bearer not-a-valid-token".to_owned()),
            Auth::None => None,
        }
    }

    fn judge(
        &mut self,
        step: &Step,
        request: &Request,
        response: &Response,
        expect: &Expectation,
    ) -> Result<(), Failure> {
        let exchange = format!(
            "{} {} -> {response}",
            request.method,
            String::from_utf8_lossy(&request.target)
        );
        let wanted = expect.status.as_slice();
        if !wanted.is_empty() {
            let fits = wanted.contains(&response.status);
            let fault = (!fits).then(|| format!("status {}, wanted one of {wanted:?}", response.status));
            self.count(step, step.level, fault, &exchange);
            if !fits {
                return Ok(());
            }
        }
        for (name, pattern) in &expect.headers {
            let found = response.header(&name.to_ascii_lowercase()).unwrap_or_default();
            let regex = RegexBuilder::new(pattern).case_insensitive(true).build();
            let regex = regex.map_err(|e| Failure::new(format!("{pattern}: {e}")))?;
            let fault =
                (!regex.is_match(found)).then(|| format!("header {name} is {found:?}, wanted {pattern}"));
            self.count(step, step.level, fault, &exchange);
        }
        // Bodies are described for the status that has one; where 204 is allowed too, it has none.
        let bodiless = response.status == 204 && wanted.contains(&204);
        let document: Option<Value> = serde_json::from_slice(&response.body).ok();
        match &document {
            _ if expect.json.is_empty() || bodiless => {}
            None => self.fault(
                step,
                step.level,
                "the body of the answer is not JSON".to_owned(),
                exchange.clone(),
            ),
            Some(document) => {
                for rule in &expect.json {
                    let fault = rule.check(document)?;
                    self.count(step, rule.level.unwrap_or(step.level), fault, &exchange);
                }
            }
        }
        for (name, path) in &step.capture {
            match document
                .as_ref()
                .and_then(|document| pointer::lookup(document, path))
            {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) => self.variables.set(name, text.clone()),
                Some(other) => self.variables.set(name, other.to_string()),
            }
        }
        Ok(())
    }

    fn count(&mut self, step: &Step, level: Level, fault: Option<String>, exchange: &str) {
        match fault {
            None => self.report.passed += 1,
            Some(message) => self.fault(step, level, message, exchange.to_owned()),
        }
    }

    fn fault(&mut self, step: &Step, level: Level, message: String, exchange: String) {
        let trace = self.trace.name.clone();
        let finding = Finding {
            trace,
            step: step.name.clone(),
            message,
            why: step.why.clone(),
            exchange,
        };
        match level {
            Level::Must => self.report.failed.push(finding),
            Level::Should => self.report.warnings.push(finding),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use serde_json::json;

    use super::*;

    /// Answers every request of one connection with status 200 and a description of the request.
    fn echo() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let mut reader = BufReader::new(listener.accept().unwrap().0);
            let mut lines = Vec::new();
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 {
                    return;
                }
                if line != "\r\n" {
                    lines.push(line.trim_end().to_owned());
                    continue;
                }
                let length = lines
                    .iter()
                    .find_map(|line| line.strip_prefix("Content-Length: "));
                let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
                reader.read_exact(&mut body).unwrap();
                let body = String::from_utf8(body).unwrap();
                let seen = json!({"request": lines.remove(0), "headers": lines, "body": body}).to_string();
                lines.clear();
                let head = format!(
                    "HTTP/1.1 200 OK\r\nX-Kind: Echo\r\nContent-Length: {}\r\n\r\n",
                    seen.len()
                );
                reader.get_mut().write_all((head + &seen).as_bytes()).unwrap();
            }
        });
        format!("http://{address}/b")
    }

    fn play(vars: &Value, steps: &Value) -> Report {
        let trace = json!({"name": "t", "idp": "x", "confidence": "high", "sources": [], "vars": vars,
            "default_headers": {"Accept": "a/b", "Content-Type": "c/d"}, "steps": steps});
        let trace: Trace = serde_json::from_str(&trace.to_string()).unwrap();
        replay(&trace, &mut Client::new(&echo()).unwrap(), "tok").unwrap()
    }

    #[test]
    fn what_is_sent_is_what_the_step_says() {
        let held = |path: &str, op: &str, value: &str| json!({"path": path, "op": op, "value": value});
        let report = play(
            &json!({"name": "a \"b\""}),
            &json!([
                {"name": "default", "method": "GET", "path": "/U?q=%20+{name}{other}", "expect": {"status": 200, "headers": {"x-kind": "^echo$"}, "json": [
                    held("/request", "eq", "GET /b/U?q=%20+a%20%22b%22{other} HTTP/1.1"),
                    held("/headers", "contains", "Authorization: Bearer tok"),
                    held("/headers", "contains", "Accept: a/b"),
                    {"path": "/headers", "op": "len", "value": 3}]}},
                {"name": "own", "method": "POST", "path": "/U", "auth": "raw", "headers": {"accept": null, "X-One": "1"},
                    "body": {"z": "{name}", "a": 1.50}, "capture": {"seen": "/body"}, "expect": {"json": [
                    held("/body", "ieq", "{\"a\":1.5,\"z\":\"a \\\"b\\\"\"}"),
                    held("/headers", "contains", "Authorization: tok"),
                    held("/headers", "contains", "X-One: 1"),
                    held("/headers", "contains", "Content-Type: c/d"),
                    {"path": "/headers", "op": "len", "value": 5}]}},
                {"name": "known", "method": "GET", "path": "/never", "skip_if": "seen", "expect": {"status": 500}},
                {"name": "overlay", "method": "PUT", "path": "/U", "auth": "none",
                    "body_from": {"var": "seen", "set": {"n{run}": "{name}"}, "drop": ["z"]}, "capture": {"whole": "/"},
                    "expect": {"json": [held("/body", "contains", "{\"a\":1.5,\"n"), held("/body", "contains", "\\\"b\\\"\"}")]}},
                {"name": "raw", "method": "POST", "path": "/U", "raw_body": "{name", "set": {"later": "{name}!"},
                    "expect": {"json": [held("/body", "eq", "{name"), held("/body", "ne", "{later}")]}},
            ]),
        );
        assert!(
            report.failed.is_empty() && report.warnings.is_empty(),
            "{report:?}"
        );
        assert_eq!(report.passed, 6 + 5 + 2 + 2);
    }

    #[test]
    fn what_does_not_hold_is_a_failure_or_a_warning_by_its_level() {
        let rule = |level: &str| json!({"path": "/request", "op": "absent", "level": level});
        let report = play(
            &json!({}),
            &json!([
                {"name": "status", "method": "GET", "path": "/", "why": "because", "capture": {"x": "/request"},
                    "expect": {"status": [201, 204], "json": [rule("must")]}},
                {"name": "blocked", "method": "GET", "path": "/{x}"},
                {"name": "header", "method": "GET", "path": "/", "level": "should", "expect": {"headers": {"X-Kind": "^ech$"}}},
                {"name": "rules", "method": "GET", "path": "/", "expect": {"json": [rule("must"), rule("should")]}},
            ]),
        );
        let steps = |findings: &[Finding]| {
            findings
                .iter()
                .map(|finding| finding.step.clone())
                .collect::<Vec<_>>()
        };
        // A wrong status ends the step: nothing is captured from it, and its body is not judged.
        assert_eq!(steps(&report.failed), ["status", "blocked", "rules"]);
        assert_eq!(steps(&report.warnings), ["header", "rules"]);
        assert_eq!(report.passed, 0);
        let printed = report.failed[0].to_string();
        assert!(
            printed.contains("why: because") && printed.contains("GET / -> 200"),
            "{printed}"
        );
    }
}
