//! `check`

use std::process::ExitCode;

use clap::Args;

use super::Session;
use super::documents::{Checked, Counts};
use super::progress::bar;
use crate::database::check::Inspection;
use crate::domain::counted::counted;
use crate::domain::fault::Result;

/// Findings that are listed for people.
const LISTED: usize = 20;

#[derive(Debug, Args)]
pub(super) struct Check {}

impl Check {
    /// Looks at everything: a failure if anything is not as it must be.
    pub(super) async fn run(self, session: &Session) -> Result<ExitCode> {
        let size = session.product.size().await?;
        let bar = bar(Some(size), "{bar:30} {pos} of {len} people and groups, {elapsed}");
        let telling = bar.clone();
        let inspection = session
            .product
            .inspect(move |done| telling.set_position(done))
            .await;
        bar.finish_and_clear();
        let inspection = inspection?;
        let document = Checked {
            database: session.database.to_string(),
            sound: inspection.finding_count == 0,
            counts: counts(&inspection),
            finding_count: inspection.finding_count,
            findings: inspection.findings,
            under_way: inspection.under_way,
        };
        let sound = document.sound;
        session.output.result(&document, text);
        Ok(if sound {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

/// Returns the counts of what was looked at.
pub(super) fn counts(inspection: &Inspection) -> Counts {
    Counts {
        organizations: inspection.organizations,
        people: inspection.people,
        groups: inspection.groups,
        memberships: inspection.memberships,
        requests: inspection.requests,
    }
}

fn text(checked: &Checked) -> String {
    if checked.sound {
        let sound = format!("{} is sound: {}.", checked.database, checked.counts);
        return match checked.under_way.is_empty() {
            true => sound,
            false => format!(
                "{sound}\nUnder way: {}. The process that does it goes on, or the next server that starts.",
                checked.under_way.join(", ")
            ),
        };
    }
    let mut text = format!(
        "{} is NOT sound: {} in {}.\n",
        checked.database,
        counted(checked.finding_count, "finding", "findings"),
        checked.counts
    );
    for finding in checked.findings.iter().take(LISTED) {
        text += &format!("  {finding}\n");
    }
    let listed = u64::try_from(LISTED).unwrap_or(0);
    if checked.finding_count > listed {
        text += &format!(
            "  … and {} more, which --json lists\n",
            checked.finding_count - listed
        );
    }
    text + "Restore the last sound backup, and keep this file for whoever looks for the cause."
}
