//! Cases out of public bug reports of identity providers' clients, and what runs them.
//!
//! [`run`] needs only an [`Exchange`], as the vectors do: HTTP, or a service without a socket.

mod case;
mod matcher;
mod pointer;
mod saved;

use serde_json::Value;

use crate::http::percent_encode;
use crate::vectors::{Answer, Exchange, Policy};
use crate::{Failure, check, fixtures, random};

pub use case::{Case, Cases};
use case::{Expectation, Step};
use saved::Saved;

impl Cases {
    /// Reads the fixture.
    pub fn load() -> Result<Self, Failure> {
        fixtures::read("reports/cases.json")
    }
}

/// The results of a run of cases.
#[derive(Debug, Default)]
pub struct Report {
    /// Cases of which every step held.
    pub passed: usize,
    /// Those of which a step did not: the case's id and title, and the first thing amiss.
    pub failed: Vec<String>,
}

impl Report {
    /// Fails if any case has failed, or if none was run.
    pub fn all_passed(&self) -> Result<(), Failure> {
        check(self.failed.is_empty(), || {
            format!(
                "{} passed, {} failed\n{}",
                self.passed,
                self.failed.len(),
                self.failed.join("\n")
            )
        })?;
        check(self.passed > 0, || "no case was run".to_owned())
    }
}

/// Runs all cases of this policy, in an organization or service that has it.
pub fn run(peer: &mut impl Exchange, policy: Policy) -> Result<Report, Failure> {
    let mut report = Report::default();
    let cases = Cases::load()?.cases;
    for case in cases.iter().filter(|case| case.policy == policy) {
        match case.play(peer) {
            Ok(()) => report.passed += 1,
            Err(amiss) => report
                .failed
                .push(format!("{} ({}): {amiss}", case.id, case.title)),
        }
    }
    Ok(report)
}

impl Case {
    /// Plays the case from its first step on; fails with the first thing amiss.
    fn play(&self, peer: &mut impl Exchange) -> Result<(), Failure> {
        let mut saved = Saved::default();
        saved.set("uniq", format!("b{}", random::hex8()));
        for (step, number) in self.steps.iter().zip(1..) {
            let during = format!("step {number} ({} {})", step.method, step.path);
            step.play(peer, &mut saved)
                .map_err(|amiss| amiss.during(during))?;
        }
        Ok(())
    }
}

impl Step {
    fn play(&self, peer: &mut impl Exchange, saved: &mut Saved) -> Result<(), Failure> {
        let target = self.target(saved)?;
        let body = self.body.as_ref().map(|body| saved.fill(body)).transpose()?;
        let answer = peer.exchange(&self.method, &target, body.as_ref())?;
        self.expect.judge(&answer, saved)?;
        for (name, pointer) in &self.save {
            let found = pointer::find(&answer.body, pointer);
            let text = found.as_ref().and_then(Value::as_str).ok_or_else(|| {
                Failure::new(format!(
                    "no text stands at {pointer} of {} to be saved",
                    answer.body
                ))
            })?;
            saved.set(name, text.to_owned());
        }
        Ok(())
    }

    fn target(&self, saved: &Saved) -> Result<String, Failure> {
        let mut target = saved.fill_text(&self.path)?;
        for (index, (name, value)) in self.query.iter().enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            target.push_str(name);
            target.push('=');
            target.push_str(&percent_encode(&saved.fill_text(value)?));
        }
        Ok(target)
    }
}

impl Expectation {
    fn judge(&self, answer: &Answer, saved: &Saved) -> Result<(), Failure> {
        let body = &answer.body;
        check(self.status.contains(&answer.status), || {
            format!("wanted status {:?}, got {} {body}", self.status, answer.status)
        })?;
        for (pointer, wanted) in &self.json {
            let wanted = saved.fill(wanted)?;
            let found = pointer::find(body, pointer);
            check(matcher::fits(found.as_ref(), &wanted)?, || {
                let found = found.map_or("nothing".to_owned(), |found| found.to_string());
                format!("wanted {wanted} at {pointer}, found {found} in {body}")
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Answers every request alike.
    struct Stubborn(u16, Value);

    impl Exchange for Stubborn {
        fn exchange(&mut self, _: &str, _: &str, _: Option<&Value>) -> Result<Answer, Failure> {
            Ok(Answer {
                status: self.0,
                body: self.1.clone(),
            })
        }
    }

    #[test]
    fn a_server_that_always_fails_passes_no_case() {
        for policy in [Policy::Strict, Policy::Tolerant] {
            let report = run(&mut Stubborn(500, Value::Null), policy).unwrap();
            assert_eq!(report.passed, 0, "{policy:?}");
            assert!(!report.failed.is_empty() && report.all_passed().is_err());
        }
    }

    #[test]
    fn a_server_that_keeps_nothing_passes_only_what_asks_for_no_more_than_a_status() {
        let cases = Cases::load().unwrap().cases;
        for case in &cases {
            let mut peer = Stubborn(200, json!({"id": "1", "meta": {"version": "1"}}));
            let creates = case.steps.iter().any(|step| step.expect.status == [201]);
            assert!(!creates || case.play(&mut peer).is_err(), "{}", case.id);
        }
    }

    #[test]
    fn every_case_is_told_apart_and_says_why() {
        let cases = Cases::load().unwrap().cases;
        let mut ids: Vec<_> = cases.iter().map(|case| &case.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), cases.len());
        assert!(
            cases
                .iter()
                .all(|case| !case.why.is_empty() && !case.source.is_empty())
        );
    }
}
