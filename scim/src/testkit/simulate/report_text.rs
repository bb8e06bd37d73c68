//! The text that an administrator gets to read: where the provider shows it, what is wrong in plain words, and what to do.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::console::Console;
use super::network::NetworkCounts;
use super::report::{Health, Report, Tally};

/// Lines of one kind that people get to read; a script gets more.
const MOST_LINES: usize = 10;

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}\n", self.dialect, self.verdict())?;
        self.write_connection(f)?;
        if matches!(self.health, Health::NotConnected(_)) {
            return self.write_faults(f);
        }
        self.write_run(f)?;
        self.write_faults(f)?;
        self.write_failures(f)?;
        write_lines(f, "Not provisioned", &self.unfinished, self.unfinished_count)?;
        let title = "Where the server differs from the directory";
        write_lines(f, title, &self.differences, self.difference_count)
    }
}

impl Report {
    fn verdict(&self) -> String {
        if matches!(self.health, Health::NotConnected(_)) {
            return "not connected. Nothing was provisioned.".to_owned();
        }
        let counts = [
            (self.faults.len() as u64, "fault", "faults of the server"),
            (self.unfinished_count, "object", "objects not provisioned"),
            (self.difference_count, "difference", "differences"),
        ];
        let counts = counts.into_iter().filter(|(count, ..)| *count > 0);
        let found: Vec<_> = counts
            .map(|(count, one, many)| match (count, one) {
                (1, "fault") => "1 fault of the server".to_owned(),
                (1, "object") => "1 object not provisioned".to_owned(),
                (1, one) => format!("1 {one}"),
                (count, _) => format!("{count} {many}"),
            })
            .collect();
        let is_in_step = self.health == Health::Healthy && self.difference_count + self.unfinished_count == 0;
        let verdict = if is_in_step { "in step" } else { "NOT in step" };
        let found = if found.is_empty() {
            String::new()
        } else {
            format!(": {}", found.join(", "))
        };
        format!("the server is {verdict} with the directory{found}.")
    }
}

impl Report {
    fn write_connection(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Console { test, .. } = self.console;
        writeln!(f, "  connection: {}", self.health)?;
        match &self.health {
            Health::Healthy if self.quarantines > 0 => {
                writeln!(
                    f,
                    "              it was in quarantine {}",
                    times(self.quarantines)
                )?;
            }
            Health::NotConnected(_) => writeln!(f, "              seen at {test}")?,
            Health::Disabled(_) => writeln!(f, "              what the server holds was not compared")?,
            _ => {}
        }
        if self.advice.is_empty() {
            return Ok(());
        }
        writeln!(f, "  what to do: {}", self.advice)
    }

    fn write_run(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "  directory:  {} people and {} groups, after {} changes in {} cycles",
            self.people, self.groups, self.changes, self.cycles
        )?;
        let timing = self.timing;
        let total = timing.total();
        writeln!(
            f,
            "  time:       {}: initial cycle {}, changes {}, comparison {}",
            seconds(total),
            seconds(timing.initial_cycle),
            seconds(timing.changes),
            seconds(timing.comparison)
        )?;
        writeln!(
            f,
            "  requests:   {}, {:.0} a second",
            self.request_count(),
            self.requests_per_second()
        )?;
        for (what, count) in &self.requests {
            writeln!(f, "    {count:>8}  {what}")?;
        }
        let network = self.network;
        if network != NetworkCounts::default() {
            writeln!(
                f,
                "  network:    {} requests lost, {} answers lost, {} repeated, {} late, {} sent away",
                network.lost, network.unanswered, network.repeated, network.late, network.throttled
            )?;
        }
        Ok(())
    }

    fn write_faults(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.faults.is_empty() {
            writeln!(f, "\n  What is wrong with the server:")?;
        }
        for (fault, tally) in &self.faults {
            writeln!(f, "\n  * {fault} Seen {}.", times(tally.count))?;
            writeln!(f, "    What the server must do: {}", fault.advice())?;
            writeln!(f, "    Example: {}", tally.example)?;
        }
        Ok(())
    }

    fn write_failures(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Console { failures, retry, .. } = self.console;
        if !self.refusals.is_empty() {
            writeln!(f, "\n  What the administrator sees at {failures} ({retry}):")?;
        }
        for (what, Tally { count, example, .. }) in &self.refusals {
            writeln!(f, "    {what}, {}", times(*count))?;
            writeln!(f, "      Example: {example}")?;
        }
        Ok(())
    }
}

fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

fn write_lines(f: &mut Formatter<'_>, title: &str, lines: &[String], count: u64) -> fmt::Result {
    if count > 0 {
        writeln!(f, "\n  {title}: {count}")?;
    }
    let shown = lines.iter().take(MOST_LINES);
    shown.clone().try_for_each(|line| writeln!(f, "    {line}"))?;
    match count.saturating_sub(shown.count() as u64) {
        0 => Ok(()),
        more => writeln!(f, "    and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::simulate::Fault;

    fn first_line(report: &Report) -> String {
        report.to_string().lines().next().unwrap_or_default().to_owned()
    }

    #[test]
    fn the_first_line_says_how_it_went() {
        let mut report = Report {
            dialect: "Okta".into(),
            ..Report::default()
        };
        assert_eq!(
            first_line(&report),
            "Okta: the server is in step with the directory."
        );
        report.fault(Fault::PasswordShown, "GET /Users");
        assert_eq!(
            first_line(&report),
            "Okta: the server is in step with the directory: 1 fault of the server."
        );
        report.differs("one".into());
        report.differs("two".into());
        assert_eq!(
            first_line(&report),
            "Okta: the server is NOT in step with the directory: 1 fault of the server, 2 differences."
        );
        report.health = Health::NotConnected("no".into());
        assert_eq!(
            first_line(&report),
            "Okta: not connected. Nothing was provisioned."
        );
    }

    #[test]
    fn people_get_ten_lines_of_a_kind_and_the_number_of_the_others() {
        let mut report = Report::default();
        for number in 0..13 {
            report.differs(format!("difference {number}."));
        }
        let text = report.to_string();
        assert!(
            text.contains("difference 9.") && !text.contains("difference 10."),
            "{text}"
        );
        assert!(text.contains("and 3 more"), "{text}");
    }

    #[test]
    fn every_fault_says_what_to_do_about_it() {
        let mut report = Report::default();
        report.fault(Fault::MemberTwice, "Group “A”");
        let text = report.to_string();
        for part in [
            Fault::MemberTwice.to_string().as_str(),
            Fault::MemberTwice.advice(),
            "Group “A”",
            "Seen once",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}
