//! The tab API History: every request of the provider, a sentence first and the wire second.

use askama::Template;
use axum::body::Body;
use axum::extract::RawPathParams;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use url::form_urlencoded::Serializer;
use uuid::Uuid;

use super::list::List;
use super::panel::{self, HISTORY, Opened, Panel, Tab};
use crate::actions::{activity, history, token};
use crate::domain::activity::Span;
use crate::domain::counted::counted;
use crate::domain::endpoint::PathFilter;
use crate::domain::guide;
use crate::domain::history::{HistoryEntry, HistoryFilter};
use crate::domain::keyword::Keyword;
use crate::domain::permission::Permission;
use crate::domain::settings::IdentityProvider;
use crate::portal::chart::requests::RequestsOverTime;
use crate::portal::detour::Detour;
use crate::portal::form::Form;
use crate::portal::frame::Frame;
use crate::portal::moment;
use crate::portal::problem::Problem;
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;
use crate::transfer::rows::Format;

/// The word for requests with any outcome.
const ALL: &str = "all";

/// How many requests a page shows.
const ROWS: u32 = 50;
/// Up to how many newer ones are counted.
const NEWER: u32 = 100;

/// A request as a row shows it.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Row {
    pub(in crate::portal) id: String,
    /// The day, where another begins.
    pub(in crate::portal) day: Option<String>,
    pub(in crate::portal) time: moment::Shown,
    pub(in crate::portal) status: u16,
    pub(in crate::portal) tone: &'static str,
    pub(in crate::portal) sentence: String,
    pub(in crate::portal) wire: String,
    pub(in crate::portal) took: String,
    pub(in crate::portal) detail: Detail,
}

/// Everything that there is to know of a request.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Detail {
    pub(in crate::portal) error: Option<String>,
    /// The advice on what to do about it.
    pub(in crate::portal) advice: Option<String>,
    /// The page that helps, and its words.
    pub(in crate::portal) link: Option<(&'static str, &'static str)>,
    /// Names and values of what was on the wire.
    pub(in crate::portal) facts: Vec<(&'static str, String)>,
    /// The person or group that it was about, by our id and by the provider's.
    pub(in crate::portal) subject: Option<Subject>,
    pub(in crate::portal) external_id: Option<Subject>,
    /// The attributes that were sent and are not kept here.
    pub(in crate::portal) not_kept: Option<String>,
    /// Everything that was put up with.
    pub(in crate::portal) tolerated: Option<String>,
}

/// A person or group, and the page with all requests about them.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Subject {
    pub(in crate::portal) id: String,
    pub(in crate::portal) page: String,
}

impl Subject {
    /// Returns the person or group with an id.
    pub(in crate::portal) fn of(id: &str) -> Self {
        let filter = Filter {
            show: ALL,
            subject: id.to_owned(),
            ..Filter::default()
        };
        Self {
            id: id.to_owned(),
            page: filter.path(HISTORY, &[]),
        }
    }
}

/// Which requests are shown, as they stand in the form.
#[derive(Debug, Clone, Default)]
pub(in crate::portal) struct Filter {
    pub(in crate::portal) show: &'static str,
    pub(in crate::portal) subject: String,
    pub(in crate::portal) path: String,
    pub(in crate::portal) from: String,
    pub(in crate::portal) to: String,
}

#[derive(Debug, Template)]
#[template(path = "integrations/history.html")]
pub(in crate::portal) struct History {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) shell: Shell,
    pub(in crate::portal) list: List,
    pub(in crate::portal) panel: Panel,
    pub(in crate::portal) called_within: &'static str,
    /// Why a filter was not understood.
    pub(in crate::portal) trouble: Option<String>,
    pub(in crate::portal) filter: Filter,
    /// Whether no request has come at all.
    pub(in crate::portal) is_silent: bool,
    /// The requests of the days that are asked for.
    pub(in crate::portal) chart: Option<RequestsOverTime>,
    pub(in crate::portal) rows: Vec<Row>,
    /// The path that the list asks whether there is more, on its first page.
    pub(in crate::portal) live: Option<String>,
    /// How many newer ones there are, in words, and where they are shown.
    pub(in crate::portal) newer: Option<String>,
    /// The paths of this list from its beginning, of its next page, and of the exports.
    pub(in crate::portal) begin: String,
    pub(in crate::portal) first: Option<String>,
    pub(in crate::portal) next: Option<String>,
    pub(in crate::portal) exports: [(&'static str, String); 2],
    /// For how long rows are kept, and what is not listed.
    pub(in crate::portal) kept: String,
}

#[derive(Debug, Template)]
#[template(path = "integrations/request.html")]
pub(in crate::portal) struct Request {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) shell: Shell,
    pub(in crate::portal) list: List,
    pub(in crate::portal) panel: Panel,
    pub(in crate::portal) row: Row,
    /// The ids of people and groups that it was about, and how many more there were.
    pub(in crate::portal) subjects: Vec<Subject>,
    pub(in crate::portal) more: u64,
    pub(in crate::portal) may_see_body: bool,
    pub(in crate::portal) body: Option<String>,
}

impl Filter {
    fn read(query: &Form) -> Self {
        let text = |name: &str| query.text(name).trim().to_owned();
        Self {
            show: match query.text("show") {
                "success" => "success",
                "errors" => "errors",
                _ => ALL,
            },
            subject: text("subject"),
            path: text("path"),
            from: text("from"),
            to: text("to"),
        }
    }

    /// Returns whether nothing is filtered.
    fn is_open(&self) -> bool {
        self.show == ALL && self.query().is_empty()
    }

    /// Returns whether nothing is filtered but days.
    pub(in crate::portal) fn is_of_days_alone(&self) -> bool {
        self.show == ALL && self.subject.is_empty() && self.path.is_empty()
    }

    /// Returns the query that says so, without what is empty.
    fn query(&self) -> String {
        let mut query = Serializer::new(String::new());
        if self.show != ALL {
            query.append_pair("show", self.show);
        }
        let texts = [
            ("subject", &self.subject),
            ("path", &self.path),
            ("from", &self.from),
            ("to", &self.to),
        ];
        for (name, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
            query.append_pair(name, text);
        }
        query.finish()
    }

    /// Returns the path of a list, or of what belongs to one, with more in its query.
    fn path(&self, page: &str, more: &[(&str, &str)]) -> String {
        let mut query = Serializer::new(self.query());
        for (name, value) in more {
            query.append_pair(name, value);
        }
        match query.finish() {
            query if query.is_empty() => page.to_owned(),
            query => format!("{page}?{query}"),
        }
    }

    /// Returns the filter for the history, and a sentence if a date was not understood.
    fn filter(&self) -> (HistoryFilter, Option<String>) {
        let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let (since, from) = midnight(&self.from, 0);
        let (until, to) = midnight(&self.to, 1);
        let filter = HistoryFilter {
            failed: match self.show {
                "errors" => Some(true),
                "success" => Some(false),
                _ => None,
            },
            path: some(&self.path).map(|path| PathFilter::parse(&path)),
            subject: some(&self.subject),
            since,
            until,
        };
        (filter, from.or(to))
    }
}

/// Returns the beginning of a day in UTC, so many days later; a sentence if the text is not a date.
fn midnight(text: &str, later: i64) -> (Option<Timestamp>, Option<String>) {
    if text.is_empty() {
        return (None, None);
    }
    let day = text.parse::<Date>().and_then(|day| day.checked_add(later.days()));
    match day.and_then(|day| day.to_zoned(TimeZone::UTC)) {
        Ok(day) => (Some(day.timestamp()), None),
        Err(_) => (
            None,
            Some(format!(
                "{text:?} is not a valid date; expected one such as 2026-01-31."
            )),
        ),
    }
}

/// Shows requests, the newest first.
pub(super) async fn get(visit: Visit) -> Result<Response, Detour> {
    let opened = panel::open(&visit, Tab::History, HISTORY).await?;
    let filter = Filter::read(&visit.query);
    let before = Uuid::try_parse(visit.query.text("before")).ok();
    let (asked, trouble) = filter.filter();
    let (product, actor) = (&visit.product, &opened.administrator.actor);
    let organization = &opened.shown.organization.name;
    let limit = ROWS + 1;
    let mut found = history::list(product, actor, organization, asked.clone(), before, limit).await?;
    if found.is_empty() && before.is_none() && !filter.subject.is_empty() {
        // Somebody may look for a request by the id that the provider's log has.
        let shown = history::show(product, actor, organization, filter.subject.clone()).await;
        found.extend(shown.ok().map(|shown| shown.entry));
    }
    let most = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let has_more = found.len() > most;
    found.truncate(most);
    let names = token_names(&visit, &opened).await?;
    let newest = match Uuid::try_parse(visit.query.text("after")) {
        Ok(after) => after,
        Err(_) => found.first().map_or(Uuid::nil(), |entry| entry.id),
    };
    // Whoever only asks whether there is more sees no picture.
    let chart = match visit.query.text("after").is_empty() {
        true => chart(&visit, &opened, &asked).await?,
        false => None,
    };
    let newer = match before {
        Some(_) => 0,
        None => newer(&visit, &opened, asked, newest).await?,
    };
    let last = found.last().map(|entry| entry.id.to_string());
    let path = |more: &[(&str, &str)]| opened.frame.path(&filter.path(HISTORY, more));
    let export = |format| {
        opened
            .frame
            .path(&filter.path(&format!("{HISTORY}/export"), &[("format", format)]))
    };
    let page = History {
        called_within: guide::called(opened.shown.organization.settings.idp),
        is_silent: found.is_empty() && filter.is_open() && before.is_none(),
        chart,
        rows: rows(&found, &names, opened.now),
        live: before.is_none().then(|| path(&[("after", &newest.to_string())])),
        newer: (newer > 0).then(|| match newer {
            NEWER => format!("Show {NEWER} and more new requests"),
            _ => format!("Show {}", counted(newer.into(), "new request", "new requests")),
        }),
        begin: path(&[]),
        first: before.map(|_| path(&[])),
        next: last.filter(|_| has_more).map(|last| path(&[("before", &last)])),
        exports: [
            ("CSV", export(Format::Csv.word())),
            ("JSON lines", export(Format::JsonLines.word())),
        ],
        kept: kept(&opened),
        trouble,
        filter,
        frame: opened.frame.clone(),
        shell: opened.shell.clone(),
        list: opened.list.clone(),
        panel: opened.panel.clone(),
    };
    Ok(opened.administrator.answer(StatusCode::OK, &page))
}

/// Charts the requests of the days that a filter asks for, whatever else it asks; none if its end comes before its beginning.
async fn chart(
    visit: &Visit,
    opened: &Opened,
    filter: &HistoryFilter,
) -> Result<Option<RequestsOverTime>, Detour> {
    let Some(span) = Span::of(filter.since, filter.until, opened.now) else {
        return Ok(None);
    };
    let (actor, organization) = (&opened.administrator.actor, &opened.shown.organization.name);
    let parts = activity::requests(&visit.product, actor, organization, span).await?;
    Ok(Some(RequestsOverTime::of(&span, &parts)))
}

/// Counts the requests that the filter lets through and that have come after one.
async fn newer(visit: &Visit, opened: &Opened, filter: HistoryFilter, after: Uuid) -> Result<u32, Detour> {
    let since = after.get_timestamp().and_then(|time| {
        let (seconds, nanoseconds) = time.to_unix();
        let seconds = i64::try_from(seconds).ok()?;
        Timestamp::new(seconds, i32::try_from(nanoseconds).ok()?).ok()
    });
    let filter = HistoryFilter {
        since: since.max(filter.since),
        ..filter
    };
    let organization = &opened.shown.organization.name;
    let actor = &opened.administrator.actor;
    let found = history::list(&visit.product, actor, organization, filter, None, NEWER + 1).await?;
    let newer = found.iter().filter(|entry| entry.id > after).count();
    Ok(u32::try_from(newer).unwrap_or(NEWER).min(NEWER))
}

/// Returns the names of tokens by their ids, as far as whoever looks may see them.
async fn token_names(visit: &Visit, opened: &Opened) -> Result<Vec<(Uuid, String)>, Detour> {
    if !opened.shell.may(&Permission::TOKENS_READ) {
        return Ok(Vec::new());
    }
    let organization = &opened.shown.organization.name;
    let tokens = token::list(&visit.product, &opened.administrator.actor, organization).await?;
    let name =
        |token: crate::domain::token::Token| (token.id, format!("{}…{}", token.prefix, token.last_four));
    Ok(tokens.into_iter().map(name).collect())
}

fn kept(opened: &Opened) -> String {
    let days = u64::from(opened.shown.organization.settings.history_days.get());
    let mut text = format!("Rows are kept for {}.", counted(days, "day", "days"));
    let connection = &opened.panel.connection;
    if connection.unattributed > 0 {
        let requests = counted(connection.unattributed, "request", "requests");
        text += &format!(" Not listed: {requests} with unknown tokens.");
    }
    if connection.overflow > 0 {
        let rows = counted(connection.overflow, "row", "rows");
        text += &format!(" {rows} had to be dropped when too many came at once.");
    }
    text
}

fn rows(entries: &[HistoryEntry], names: &[(Uuid, String)], now: Timestamp) -> Vec<Row> {
    let mut last = String::new();
    let row = |entry: &HistoryEntry| {
        let day = moment::day(entry.time);
        let begins = (day != last).then(|| match day == moment::day(now) {
            true => format!("Today, {day} (times in UTC)"),
            false => format!("{day} (times in UTC)"),
        });
        last = day;
        Row {
            day: begins,
            ..Row::of(entry, names)
        }
    };
    entries.iter().map(row).collect()
}

impl Row {
    fn of(entry: &HistoryEntry, names: &[(Uuid, String)]) -> Self {
        Self {
            id: entry.id.to_string(),
            day: None,
            time: moment::second(entry.time),
            status: entry.status,
            tone: match entry.status {
                ..400 => "ok",
                429 => "warn",
                _ => "bad",
            },
            sentence: sentence(entry),
            wire: wire(entry),
            took: took(entry.duration_us),
            detail: Detail::of(entry, names),
        }
    }
}

/// Says what a request was, as a sentence. A refusal says why.
fn sentence(entry: &HistoryEntry) -> String {
    let text = match (entry.meaning.as_str(), &entry.error) {
        ("refused", Some(error)) => format!("refused: {error}"),
        (meaning, Some(error)) if entry.status >= 400 => format!("{meaning}: {error}"),
        (meaning, _) => meaning.to_owned(),
    };
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// Returns the line below it: method and path from the endpoint on, and the kind of error.
fn wire(entry: &HistoryEntry) -> String {
    let path = entry
        .path
        .split_once("/v2")
        .map_or(entry.path.as_str(), |(_, rest)| rest);
    let path = if path.is_empty() { "/" } else { path };
    let mut text = format!("{} {path}", entry.method);
    for more in entry.scim_type.iter().chain(&entry.notes) {
        text += &format!(" · {more}");
    }
    text
}

fn took(microseconds: i64) -> String {
    match microseconds {
        ..1_000 => "under 1 ms".to_owned(),
        1_000..10_000_000 => format!("{} ms", microseconds / 1_000),
        _ => format!("{} s", microseconds / 1_000_000),
    }
}

impl Detail {
    fn of(entry: &HistoryEntry, names: &[(Uuid, String)]) -> Self {
        let idp = IdentityProvider::from_word(&entry.idp);
        let (advice, link) = advice(entry, idp.unwrap_or(IdentityProvider::Other));
        let (not_kept, tolerated) = entry.notes.as_deref().map_or((None, None), told);
        let token = entry.token.map(|id| {
            let name = names.iter().find(|(token, _)| *token == id);
            name.map_or_else(|| id.to_string(), |(_, name)| name.clone())
        });
        let facts = [
            ("Request ID", Some(entry.request_id.clone())),
            ("scimType", entry.scim_type.clone()),
            ("Path", Some(entry.path.clone())),
            ("Token", token),
            ("Provider", idp.map(|idp| guide::name(idp).to_owned())),
        ];
        Self {
            error: entry.error.clone(),
            advice,
            link,
            facts: facts
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .collect(),
            subject: entry.resource_id.as_deref().map(Subject::of),
            external_id: entry.external_id.as_deref().map(Subject::of),
            not_kept,
            tolerated,
        }
    }
}

/// Returns the names of what a request has sent and what is not kept, and what else was put up with, as notes tell of both.
fn told(notes: &str) -> (Option<String>, Option<String>) {
    let (mut names, mut others) = (Vec::new(), Vec::new());
    for note in notes.split("; ") {
        let ignored = note.strip_prefix("ignored: ");
        match note.strip_prefix("not kept: ").or(ignored) {
            Some(kept) => names.push(kept.trim_end_matches(" (unknown-names)")),
            None => others.push(note),
        }
    }
    let joined = |texts: &[&str], by| (!texts.is_empty()).then(|| texts.join(by));
    (joined(&names, ", "), joined(&others, "; "))
}

/// Says what to do about a request that failed, and names the page that helps.
fn advice(
    entry: &HistoryEntry,
    idp: IdentityProvider,
) -> (Option<String>, Option<(&'static str, &'static str)>) {
    let provider = guide::called(idp);
    let settings = Some(("Open SCIM Settings", panel::SETTINGS));
    let conflicts = Some(("Open conflicts", "conflicts"));
    let (text, link) = match (entry.status, entry.scim_type.as_deref()) {
        (..400, _) => return (None, None),
        (401, _) => (
            format!("Enter the current token at {provider}. If it is lost, make another one here."),
            settings,
        ),
        (403, _) => (
            format!("Enable the integration once {provider} may connect."),
            settings,
        ),
        (404, _) => (
            format!(
                "{provider} asked for what is not here, or not any more. It mends that by itself with its next cycle."
            ),
            None,
        ),
        (409, _) => (
            format!("Decide what becomes of the account that is here, or change the name at {provider}."),
            conflicts,
        ),
        (400, Some("invalidValue")) => (
            format!("Change the attribute mapping at {provider}, and provision this person or group again."),
            None,
        ),
        (400, Some("invalidPath" | "noTarget" | "invalidFilter")) if entry.method == "PATCH" => (
            format!(
                "Correct the target attribute in the attribute mapping at {provider}, or delete this mapping there: the sentence \
                 above says what is wrong with its path."
            ),
            None,
        ),
        (429, _) => (
            format!("Nothing: {provider} tries again after the time that it was told."),
            None,
        ),
        (500.., _) => (
            "Nothing was stored. The operator finds the cause in the log, under the request ID.".to_owned(),
            None,
        ),
        _ => (
            format!("Compare what {provider} sends with the sentence above, and change it there."),
            None,
        ),
    };
    (Some(capital(text)), link)
}

fn capital(text: String) -> String {
    match text.strip_prefix("the identity") {
        Some(rest) => format!("The identity{rest}"),
        None => text,
    }
}

/// Shows one request: whom it was about, and what it sent, as long as that is kept.
pub(super) async fn get_request(visit: Visit, params: RawPathParams) -> Result<Response, Detour> {
    let id = params.iter().find(|(name, _)| *name == "request");
    let id = id.map(|(_, value)| value.to_owned()).ok_or(Problem::NotFound)?;
    let opened = panel::open(&visit, Tab::History, &format!("{HISTORY}/{}", id.to_lowercase())).await?;
    let (product, actor) = (&visit.product, &opened.administrator.actor);
    let shown = history::show(product, actor, &opened.shown.organization.name, id).await?;
    let names = token_names(&visit, &opened).await?;
    let page = Request {
        row: Row {
            day: Some(moment::minute(shown.entry.time)),
            ..Row::of(&shown.entry, &names)
        },
        subjects: shown.touched.subjects.iter().map(|id| Subject::of(id)).collect(),
        more: shown.touched.more,
        may_see_body: opened.shell.may(&history::SHOW_BODY.permission),
        body: shown.body,
        frame: opened.frame.clone(),
        shell: opened.shell.clone(),
        list: opened.list.clone(),
        panel: opened.panel.clone(),
    };
    Ok(opened.administrator.answer(StatusCode::OK, &page))
}

/// Streams what a filter lets through as a file.
pub(super) async fn export(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Integrations, HISTORY).await?;
    let organization = &visit.organization()?.name;
    let (filter, _) = Filter::read(&visit.query).filter();
    let format = Format::from_word(visit.query.text("format")).ok_or(Problem::NotFound)?;
    let stream = history::export(&visit.product, &administrator.actor, organization, filter, format).await?;
    let kind = match format {
        Format::Csv => "text/csv; charset=utf-8",
        Format::JsonLines => "application/x-ndjson",
    };
    let file = format!(
        "attachment; filename=\"{organization}-api-history.{}\"",
        format.word()
    );
    let headers = [(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, file)];
    Ok((headers, Body::new(stream)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feature rows 37, 52, 79: what was sent and is not kept is told apart from what was put up with.
    #[test]
    fn notes_are_told_apart() {
        let some = |text: &str| Some(text.to_owned());
        for (notes, expected) in [
            (
                "not kept: title, name.middleName",
                (some("title, name.middleName"), None),
            ),
            (
                "ignored: shoeSize, urn:x (unknown-names); read as a boolean: active (boolean-as-text); not kept: title",
                (
                    some("shoeSize, urn:x, title"),
                    some("read as a boolean: active (boolean-as-text)"),
                ),
            ),
            (
                "read as no path (empty-paths)",
                (None, some("read as no path (empty-paths)")),
            ),
        ] {
            assert_eq!(told(notes), expected);
        }
    }
}
