//! The audit log.

use askama::Template;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use uuid::Uuid;

use super::told::{self, TOPICS, Topic};
use crate::actions::audit;
use crate::domain::audit::{AuditEntry, AuditFilter, By};
use crate::domain::fault::{Fault, Result};
use crate::domain::keyword::Keyword;
use crate::domain::realm::RealmName;
use crate::portal::detour::Detour;
use crate::portal::form::{self, Form};
use crate::portal::frame::Frame;
use crate::portal::moment;
use crate::portal::problem::Problem;
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;
use crate::transfer::rows::Format;

/// The path of the page.
const AUDIT: &str = "audit";
const EXPORT: &str = "audit/export";

/// Changes on a page.
const SIZE: u32 = 50;

/// The fields of the form, and of the query.
const WHO: &str = "who";
const WHAT: &str = "what";
const SUBJECT: &str = "subject";
const FROM: &str = "from";
const TO: &str = "to";
const BEFORE: &str = "before";

/// A change, as the log tells of it.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Change {
    /// The day, where one begins.
    pub(in crate::portal) day: Option<String>,
    pub(in crate::portal) clock: String,
    pub(in crate::portal) time: String,
    pub(in crate::portal) sentence: String,
    /// The thing that it was done to, and the query that shows all that was done to it.
    pub(in crate::portal) thing: Option<(String, String)>,
    /// The change, as a line.
    pub(in crate::portal) details: String,
    /// Whoever has done it, and the query that shows all that they have done.
    pub(in crate::portal) actor: (String, String),
    pub(in crate::portal) address: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "logs/audit.html")]
pub(in crate::portal) struct Audit {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) shell: Shell,
    pub(in crate::portal) asked: Asked,
    pub(in crate::portal) topics: &'static [Topic],
    pub(in crate::portal) changes: Vec<Change>,
    /// The URL of the first page, on any other.
    pub(in crate::portal) first: Option<String>,
    pub(in crate::portal) next: Option<String>,
}

/// The filter that was asked for, as it was typed.
#[derive(Debug, Clone, Default)]
pub(in crate::portal) struct Asked {
    pub(in crate::portal) who: String,
    pub(in crate::portal) what: String,
    pub(in crate::portal) subject: String,
    pub(in crate::portal) from: String,
    pub(in crate::portal) to: String,
}

impl Asked {
    fn read(query: &Form) -> Self {
        let text = |name| query.text(name).trim().to_owned();
        Self {
            who: text(WHO),
            what: text(WHAT),
            subject: text(SUBJECT),
            from: text(FROM),
            to: text(TO),
        }
    }

    fn filter(&self) -> Result<AuditFilter> {
        let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        Ok(AuditFilter {
            by: By::of(given(&self.subject), given(&self.who), given(&self.what)),
            since: midnight(&self.from, 0)?,
            until: midnight(&self.to, 1)?,
        })
    }

    /// Returns whether anything was asked for.
    pub(in crate::portal) fn is_any(&self) -> bool {
        let all = [&self.who, &self.what, &self.subject, &self.from, &self.to];
        all.iter().any(|text| !text.is_empty())
    }

    fn query(&self, more: (&str, &str)) -> String {
        form::query(&[
            (WHO, &self.who),
            (WHAT, &self.what),
            (SUBJECT, &self.subject),
            (FROM, &self.from),
            (TO, &self.to),
            more,
        ])
    }
}

/// Reads a day, and returns its beginning or that of a day behind it.
fn midnight(text: &str, behind: i64) -> Result<Option<Timestamp>> {
    if text.is_empty() {
        return Ok(None);
    }
    let day: Option<Date> = text.parse().ok();
    let day = day.and_then(|day| day.checked_add(behind.days()).ok());
    let begun = day.and_then(|day| day.to_zoned(TimeZone::UTC).ok());
    begun.map(|begun| Some(begun.timestamp())).ok_or_else(|| {
        Fault::invalid(format!(
            "{text:?} is not a valid date; expected a day such as 2026-01-31."
        ))
    })
}

impl Audit {
    /// Returns the URL of an export of what is shown.
    pub(in crate::portal) fn export(&self, format: &str) -> String {
        self.frame.path(EXPORT) + &self.asked.query(("format", format))
    }

    /// Returns what the foot of the list says.
    pub(in crate::portal) fn said(&self) -> &'static str {
        "Newest first, times in UTC"
    }
}

/// Shows changes, the newest first.
pub(in crate::portal) async fn get(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Audit, AUDIT).await?;
    let asked = Asked::read(&visit.query);
    let before = Uuid::parse_str(visit.query.text(BEFORE)).ok();
    let found = audit::list(
        &visit.product,
        &administrator.actor,
        &visit.realm,
        asked.filter()?,
        before,
        SIZE + 1,
    );
    let mut found = found.await?;
    let is_more = found.len() > SIZE as usize;
    found.truncate(SIZE as usize);
    let path = visit.frame.path(AUDIT);
    let next = found.last().filter(|_| is_more).map(|last| last.id.to_string());
    let shown = Audit {
        first: before.map(|_| path.clone() + &asked.query((BEFORE, ""))),
        next: next.map(|next| path + &asked.query((BEFORE, &next))),
        frame: visit.frame.clone(),
        shell: administrator.shell.clone(),
        asked,
        topics: TOPICS,
        changes: changes(&found),
    };
    Ok(administrator.answer(StatusCode::OK, &shown))
}

/// Returns changes as the log tells of them.
fn changes(found: &[AuditEntry]) -> Vec<Change> {
    let mut last = String::new();
    let mut change = |entry: &AuditEntry| {
        let row = &entry.row;
        let day = moment::weekday(row.time);
        let is_new = last != day;
        last.clone_from(&day);
        Change {
            day: Some(day).filter(|_| is_new),
            clock: moment::clock(row.time),
            time: row.time.to_string(),
            sentence: told::sentence(&row.action).to_owned(),
            thing: told::thing(row).map(|thing| (thing, form::query(&[(SUBJECT, &row.subject)]))),
            details: told::details(&row.detail),
            actor: (told::actor(row), form::query(&[(WHO, &row.actor)])),
            address: row.address.clone(),
        }
    };
    found.iter().map(&mut change).collect()
}

/// Sends all that is asked for as a file.
pub(in crate::portal) async fn get_export(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Audit, AUDIT).await?;
    let format = Format::from_word(visit.query.text("format")).ok_or(Problem::NotFound)?;
    let filter = Asked::read(&visit.query).filter()?;
    let stream = audit::export(&visit.product, &administrator.actor, &visit.realm, filter, format);
    let body = Body::new(stream.await?);
    let kind = match format {
        Format::Csv => "text/csv; charset=utf-8",
        Format::JsonLines => "application/jsonl",
    };
    let file = format!(
        "attachment; filename=\"{}-audit-{}.{}\"",
        RealmName::from(&visit.realm),
        Timestamp::now().strftime("%F"),
        format.word()
    );
    Ok(([(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, file.as_str())], body).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feature row 81: the last day counts whole.
    #[test]
    fn a_day_lasts_until_the_next_one() {
        let midnight = |text, behind| midnight(text, behind).map(|time| time.map(|time| time.to_string()));
        let from = midnight("2026-02-28", 0).unwrap();
        assert_eq!(from.as_deref(), Some("2026-02-28T00:00:00Z"));
        let to = midnight("2026-02-28", 1).unwrap();
        assert_eq!(to.as_deref(), Some("2026-03-01T00:00:00Z"));
        assert_eq!(midnight("", 1).unwrap(), None);
        for bad in ["yesterday", "2026-02-30", "9999-12-31"] {
            let fault = midnight(bad, 1).unwrap_err().to_string();
            assert!(fault.contains("is not a valid date"), "{fault}");
        }
    }
}
