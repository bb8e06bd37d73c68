//! Taking an organization in.

use std::collections::BTreeMap;
use std::io::{self, BufRead};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use scim::store::database::Transaction;
use scim::store::documents::{self, DocumentStore, ImportLine};
use serde_json::json;
use uuid::Uuid;

use super::access_import::Access;
use super::destination::Destination;
use super::lines::{LONGEST, Lines, Mark, Read};
use crate::database::{Product, audit, failed, history, imports, named, organizations};
use crate::domain::access_line::AccessLine;
use crate::domain::actor::Actor;
use crate::domain::audit::AuditRow;
use crate::domain::export_file::{Counts, Head, Position, Tail};
use crate::domain::fault::{Fault, Result};
use crate::domain::organization::Organization;
use crate::domain::request_row::RequestRow;
use crate::domain::user::User;
use crate::scim_api::Policies;
use crate::scim_api::events;
use crate::scim_api::rules::{self, OfOrganization};

/// Lines of one transaction. Others who write wait for it, a server among them.
const BATCH_LINES: usize = 500;
/// Bytes of its lines, and its edges, beyond which no further line joins it.
const BATCH_BYTES: usize = 1 << 20;
const BATCH_EDGES: usize = 2_000;
/// How often a batch is tried while another process holds the database. Each try waits for some seconds by itself.
const TRIES: u32 = 12;
/// Lines that are listed when they are left out; more are only counted.
const MOST_LISTED: usize = 100;

/// A line that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Skipped {
    pub(crate) line: u64,
    pub(crate) reason: String,
}

/// The work that an import has done.
#[derive(Debug, Clone, Default)]
pub(crate) struct Report {
    /// The counts of what is new by it.
    pub(crate) new: Counts,
    /// Lines that said only what was there.
    pub(crate) unchanged: u64,
    pub(crate) skipped_count: u64,
    /// The first of them.
    pub(crate) skipped: Vec<Skipped>,
    /// The number of the last line that was read.
    pub(crate) lines: u64,
    /// Whether the file was there to its end.
    pub(crate) is_complete: bool,
}

/// A file whose first line was read.
pub(crate) struct Opened<R> {
    pub(crate) head: Head,
    lines: Lines<R>,
}

/// An import that is under way.
pub(crate) struct Import<'p, R> {
    product: &'p Product,
    into: Destination,
    lines: Lines<R>,
    import: documents::Import<Destination>,
    /// Whether the file says who has access to what.
    carries_access: bool,
    /// Whether no other organization can have what the file has under the same ids.
    keeps_ids: bool,
    actor: Actor,
    skips_errors: bool,
    position: Position,
    report: Report,
    /// The row of the history that tells of this import.
    row: RequestRow,
}

/// A line that is ready to be applied, or why it cannot be.
struct Ready {
    number: u64,
    line: scim::Result<Parsed>,
    /// The position at its end.
    end: Mark,
}

/// The contents of a line.
enum Parsed {
    /// A person, a group, or members of one.
    Resource(ImportLine),
    /// The access of everybody.
    Access(AccessLine),
}

impl Parsed {
    /// Counts the rows that it writes beside its own, roughly.
    fn weight(&self) -> usize {
        match self {
            Self::Resource(line) => line.edges().unwrap_or(0),
            Self::Access(line) => line.weight(),
        }
    }

    /// Returns the id of the person or group that it makes, if there is none yet.
    fn made(&self) -> Option<String> {
        match self {
            Self::Resource(line) if line.edges().is_none() => Some(line.id().to_owned()),
            Self::Resource(_) | Self::Access(_) => None,
        }
    }

    /// Returns how many the file counts of what it says.
    fn size(&self) -> u64 {
        match self {
            Self::Resource(line) => line.edges().map_or(1, |edges| u64::try_from(edges).unwrap_or(0)),
            Self::Access(_) => 1,
        }
    }
}

/// The outcome of a batch.
struct Applied {
    position: Position,
    new: Counts,
    /// The people and groups that are new.
    made: Vec<String>,
    unchanged: u64,
    bad: Vec<Skipped>,
    /// The bad line at which it has stopped; what stood before it is written.
    stopped: Option<(Skipped, bool)>,
}

/// Why there is no further batch.
enum End {
    More,
    Tail(Tail),
    /// The file ends without its last line.
    Early,
}

impl<R: BufRead> Opened<R> {
    /// Reads the first line.
    pub(crate) fn new(input: R) -> Result<Self> {
        let mut lines = Lines::new(input);
        let line = match lines.next().map_err(not_read)? {
            Read::Line(line) => line,
            Read::TooLong | Read::Unfinished(_) | Read::End => Vec::new(),
        };
        let head = Head::parse(&line)?;
        Ok(Self { head, lines })
    }
}

impl<'p, R: BufRead> Import<'p, R> {
    /// Begins behind the first line.
    pub(crate) async fn new(
        product: &'p Product,
        actor: &Actor,
        organization: &Organization,
        opened: Opened<R>,
        skips_errors: bool,
    ) -> Result<Self> {
        let (id, source) = (organization.id, opened.head.organization.id);
        let is_elsewhere = product
            .read(move |reader| imports::is_elsewhere(reader, id, source))
            .await?;
        let store = events::told(rules::in_transaction(product.documents()));
        let store: DocumentStore<Destination> = store.build().map_err(failed)?;
        let policy = Policies::new().map_err(failed)?.of(&organization.settings);
        Ok(Self {
            product,
            import: store.import(&policy).hooks(rules::hooks()),
            carries_access: opened.head.carries_access(),
            keeps_ids: !is_elsewhere,
            actor: actor.clone(),
            position: Position::start(source),
            row: row(organization),
            report: Report::default(),
            into: Destination::new(organization),
            lines: opened.lines,
            skips_errors,
        })
    }

    /// Goes on where the import of this very file has ended. `false` if that was another file: then this one was read in
    /// vain, and must be opened anew.
    pub(crate) fn go_on(&mut self, position: &Position) -> Result<bool> {
        let is_behind = position.bytes >= self.lines.mark().bytes;
        let pass = |lines: &mut Lines<R>| lines.pass(position.bytes, &position.digest);
        if !is_behind || !pass(&mut self.lines).map_err(not_read)? {
            return Ok(false);
        }
        self.position = position.clone();
        Ok(true)
    }

    /// Reads to the end of the file, and tells `watch` how many bytes were read.
    pub(crate) async fn run(mut self, mut watch: impl FnMut(u64)) -> Result<Report> {
        loop {
            let (batch, end) = self.read_batch()?;
            self.apply(batch).await?;
            watch(self.lines.mark().bytes);
            match end {
                End::More => {}
                End::Tail(tail) => {
                    self.check_tail(&tail)?;
                    self.report.is_complete = true;
                    self.finish().await?;
                    break;
                }
                End::Early => break,
            }
        }
        self.report.lines = self.lines.mark().lines;
        Ok(self.report)
    }

    fn read_batch(&mut self) -> Result<(Vec<Ready>, End)> {
        let mut batch = Vec::new();
        let (mut bytes, mut edges) = (0, 0);
        while batch.len() < BATCH_LINES && bytes < BATCH_BYTES && edges < BATCH_EDGES {
            let line = match self.lines.next().map_err(not_read)? {
                Read::End => return Ok((batch, End::Early)),
                Read::Unfinished(text) => {
                    return Ok((batch, Tail::parse(&text).map_or(End::Early, End::Tail)));
                }
                Read::TooLong => Err(too_long()),
                Read::Line(text) => match Tail::parse(&text) {
                    Some(tail) => return Ok((batch, End::Tail(tail))),
                    None => {
                        bytes += text.len();
                        self.parse(&text)
                    }
                },
            };
            edges += line.as_ref().map_or(0, Parsed::weight);
            let end = self.lines.mark().clone();
            batch.push(Ready {
                number: end.lines,
                line,
                end,
            });
        }
        Ok((batch, End::More))
    }

    fn parse(&self, text: &[u8]) -> scim::Result<Parsed> {
        match AccessLine::parse(text).filter(|_| self.carries_access) {
            Some(line) => line.map(Parsed::Access).map_err(scim::Error::invalid_syntax),
            None => self.import.read(text).map(Parsed::Resource),
        }
    }

    async fn apply(&mut self, batch: Vec<Ready>) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let applied = self.commit(batch).await?;
        let Applied {
            position,
            new,
            made: _,
            unchanged,
            bad,
            stopped,
        } = applied;
        self.position = position;
        self.report.new = sum(self.report.new, new);
        self.report.unchanged += unchanged;
        self.report.skipped_count += u64::try_from(bad.len()).unwrap_or(u64::MAX);
        let room = MOST_LISTED.saturating_sub(self.report.skipped.len());
        self.report.skipped.extend(bad.into_iter().take(room));
        match stopped {
            None => Ok(()),
            Some((line, is_conflict)) => Err(self.stopped(&line, is_conflict)),
        }
    }

    /// Writes a batch and where it ends in one transaction.
    async fn commit(&self, batch: Vec<Ready>) -> Result<Applied> {
        let step = Arc::new(Step {
            batch,
            into: self.into.clone(),
            import: self.import.clone(),
            keeps_ids: self.keeps_ids,
            actor: self.actor.clone(),
            skips_errors: self.skips_errors,
            before: self.position.clone(),
            so_far: self.report.new,
            row: self.row.clone(),
        });
        let mut tries = 0;
        loop {
            let job = Arc::clone(&step);
            match self.product.import(move |tx| job.run(tx)).await {
                Ok(applied) => return Ok(applied),
                Err(error) if error.retry_after().is_some() && tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(error.retry_after().unwrap_or(Duration::ZERO)).await;
                }
                Err(error) if error.status() == http::StatusCode::NOT_FOUND => {
                    return Err(Fault::not_found(
                        "The organization was deleted during the import.",
                    ));
                }
                Err(error) => return Err(failed(error)),
            }
        }
    }

    fn stopped(&self, bad: &Skipped, is_conflict: bool) -> Fault {
        let sentence = format!(
            "Line {} cannot be imported: {} What stands before it is imported. Correct the line and run the command \
             again, which goes on there, or leave such lines out with --skip-errors.",
            bad.line, bad.reason
        );
        match is_conflict {
            true => Fault::conflict(sentence),
            false => Fault::invalid(sentence),
        }
    }

    /// Checks that everything is there that the last line speaks of, and nothing more.
    fn check_tail(&mut self, tail: &Tail) -> Result<()> {
        let number = self.lines.mark().lines;
        if !matches!(self.lines.next().map_err(not_read)?, Read::End) {
            return Err(Fault::invalid(format!(
                "Line {number} says that the file ends with it, but more follows: these are two files in one. What \
                 stands before it is imported."
            )));
        }
        // Of a line that was left out nobody knows what it was.
        if self.position.skipped == 0 && self.position.counts != tail.counts() {
            return Err(Fault::invalid(format!(
                "The last line says that the file has {}, but it has {}: lines are missing, or there twice. What was \
                 there is imported.",
                tail.counts().words(),
                self.position.counts.words()
            )));
        }
        Ok(())
    }

    async fn finish(&mut self) -> Result<()> {
        self.position.finished = true;
        let (organization, position) = (self.into.organization().id, self.position.clone());
        let job = move |tx: &Transaction<'_>| imports::put(tx, organization, &position);
        self.product.import(job).await.map_err(failed)
    }
}

/// A batch with everything that its transaction needs; it may have to be run several times.
struct Step {
    batch: Vec<Ready>,
    into: Destination,
    import: documents::Import<Destination>,
    keeps_ids: bool,
    actor: Actor,
    skips_errors: bool,
    before: Position,
    so_far: Counts,
    row: RequestRow,
}

impl Step {
    fn run(&self, tx: &Transaction<'_>) -> scim::Result<Applied> {
        let organization = self.into.organization();
        if !organizations::exists(tx, organization.id)? {
            return Err(scim::Error::new(
                http::StatusCode::NOT_FOUND,
                "The organization was deleted.",
            ));
        }
        let mut applied = Applied {
            position: self.before.clone(),
            new: Counts::default(),
            made: Vec::new(),
            unchanged: 0,
            bad: Vec::new(),
            stopped: None,
        };
        for ready in &self.batch {
            self.run_line(tx, ready, &mut applied)?;
            if applied.stopped.is_some() {
                break;
            }
        }
        if !applied.new.is_none() {
            let mut row = self.row.clone();
            row.sentence = Some(format!("imported {}", sum(self.so_far, applied.new).words()).into());
            let sequence = row.sequence;
            history::insert_so_far(tx, &row.bounded())?;
            let made = applied.made.iter().map(String::as_str);
            named::insert_made(tx, organization.id, sequence, made)?;
        }
        if applied.new.access > 0 {
            self.audit(tx)?;
        }
        imports::put(tx, organization.id, &applied.position)?;
        Ok(applied)
    }

    /// Notes which lines about access have changed anything here.
    fn audit(&self, tx: &Transaction<'_>) -> scim::Result<()> {
        let organization = self.into.organization();
        let mut lines: BTreeMap<&str, u64> = BTreeMap::new();
        for ready in &self.batch {
            if let Ok(Parsed::Access(line)) = &ready.line {
                *lines.entry(line.kind()).or_default() += 1;
            }
        }
        let row = AuditRow {
            organization: organization.id,
            time: Timestamp::now(),
            actor_kind: self.actor.who.kind(),
            actor: self.actor.name(),
            action: "organization.import".into(),
            subject_type: "organization".into(),
            subject: organization.id.to_string(),
            subject_name: organization.name.to_string(),
            detail: json!({ "source": self.before.source, "lines": lines }),
            address: None,
            request_id: None,
        };
        audit::insert(tx, &row).map(drop)
    }

    /// Answers how many of what a line says are new by it.
    fn apply(&self, tx: &Transaction<'_>, line: &Parsed) -> scim::Result<u64> {
        match line {
            Parsed::Resource(line) => self.import.apply(tx, &self.into, line),
            Parsed::Access(line) => {
                let access = Access {
                    tx,
                    organization: self.into.organization(),
                    keeps_ids: self.keeps_ids,
                    now: Timestamp::now(),
                };
                access.apply(line).map(u64::from)
            }
        }
    }

    fn run_line(&self, tx: &Transaction<'_>, ready: &Ready, applied: &mut Applied) -> scim::Result<()> {
        let refused;
        let outcome = match &ready.line {
            Ok(line) => match self.apply(tx, line) {
                Ok(new) => {
                    count(&mut applied.new, line, new);
                    applied.made.extend(line.made().filter(|_| new > 0));
                    applied.unchanged += u64::from(new == 0);
                    Ok(())
                }
                Err(error) if error.status().is_server_error() => return Err(error),
                Err(error) => {
                    refused = error;
                    Err(&refused)
                }
            },
            Err(error) => Err(error),
        };
        if let Err(error) = outcome {
            let bad = Skipped {
                line: ready.number,
                reason: error.to_string(),
            };
            if !self.skips_errors {
                applied.stopped = Some((bad, error.status() == http::StatusCode::CONFLICT));
                return Ok(());
            }
            applied.bad.push(bad);
            applied.position.skipped += 1;
        }
        let position = &mut applied.position;
        if let Ok(line) = &ready.line {
            count(&mut position.counts, line, line.size());
        }
        position.bytes = ready.end.bytes;
        position.lines = ready.end.lines;
        position.digest = ready.end.digest();
        Ok(())
    }
}

fn count(counts: &mut Counts, line: &Parsed, more: u64) {
    let Parsed::Resource(line) = line else {
        counts.access += more;
        return;
    };
    match line.edges() {
        Some(_) => counts.members += more,
        None if line.is_of::<User>() => counts.people += more,
        None => counts.groups += more,
    }
}

fn sum(a: Counts, b: Counts) -> Counts {
    Counts {
        people: a.people + b.people,
        groups: a.groups + b.groups,
        members: a.members + b.members,
        access: a.access + b.access,
    }
}

/// Makes the row of an import in the history. It is not a request: it has neither token nor path.
fn row(organization: &Organization) -> RequestRow {
    let id = Uuid::now_v7();
    RequestRow {
        organization: organization.id,
        sequence: id,
        time: Timestamp::now(),
        method: "IMPORT".into(),
        path: String::new(),
        status: 200,
        scim_type: None,
        duration_us: 0,
        operation: None,
        total: None,
        sentence: None,
        resource_type: None,
        resource_id: None,
        external_id: None,
        asked_for: None,
        token: None,
        request_id: id.to_string(),
        idp: organization.settings.idp,
        notes: None,
        error: None,
    }
}

fn too_long() -> scim::Error {
    let megabytes = LONGEST >> 20;
    scim::Error::invalid_syntax(format!("The line is longer than {megabytes} MiB."))
}

fn not_read(cause: io::Error) -> Fault {
    Fault::internal("The file cannot be read.", cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::product_of_test;
    use crate::domain::organization::Name;
    use crate::domain::settings::Settings;

    const PEOPLE: usize = 1_234;
    const EDGES: usize = 12_345;

    fn file(organization: &Organization) -> String {
        let mut text = serde_json::to_string(&Head::of(organization)).unwrap() + "\n";
        for number in 0..PEOPLE {
            let meta =
                r#"{"created":"2024-01-01T00:00:00Z","lastModified":"2024-01-01T00:00:00Z","version":"1"}"#;
            text += &format!(
                r#"{{"type":"User","resource":{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"u{number}","userName":"u{number}","meta":{meta}}}}}"#
            );
            text.push('\n');
        }
        let title = "x".repeat(BATCH_BYTES);
        text += &format!("{{\"type\":\"User\",\"resource\":{{\"title\":\"{title}\"}}}}\n").repeat(3);
        for _ in 0..EDGES / 1_000 {
            let add = serde_json::to_string(&vec!["u1"; 1_000]).unwrap();
            text += &format!("{{\"type\":\"Group\",\"id\":\"g\",\"attribute\":\"members\",\"add\":{add}}}\n");
        }
        text
    }

    /// Memory, and the time for which others wait, do not depend on the file.
    #[tokio::test]
    async fn a_batch_is_small_whatever_the_file_is() {
        let (product, _folder) = product_of_test().await;
        let name = Name::parse("acme").unwrap();
        let organization = Organization::new(
            Uuid::nil(),
            name,
            None,
            Settings::default(),
            Timestamp::UNIX_EPOCH,
        )
        .unwrap();
        let text = file(&organization);
        let opened = Opened::new(text.as_bytes()).unwrap();
        let actor = Actor::operator("root".to_owned());
        let mut import = Import::new(&product, &actor, &organization, opened, false)
            .await
            .unwrap();
        let mut batches = Vec::new();
        loop {
            let began = import.lines.mark().bytes;
            let (batch, end) = import.read_batch().unwrap();
            let edges: usize = batch
                .iter()
                .filter_map(|ready| Some(ready.line.as_ref().ok()?.weight()))
                .sum();
            batches.push((batch.len(), edges, import.lines.mark().bytes - began));
            if !matches!(end, End::More) {
                break;
            }
        }
        let lines: usize = batches.iter().map(|batch| batch.0).sum();
        assert_eq!(lines, PEOPLE + 3 + EDGES / 1_000, "{batches:?}");
        assert!(batches.iter().all(|batch| batch.0 <= BATCH_LINES), "{batches:?}");
        assert!(batches.iter().all(|batch| batch.1 <= BATCH_EDGES), "{batches:?}");
        assert!(
            batches.iter().all(|batch| batch.2 <= 2 * BATCH_BYTES as u64),
            "{batches:?}"
        );
        product.close().await;
    }
}
