//! Rows of history and audit log as a stream: CSV for spreadsheets, JSON lines for programs.

use scim::store::database::{Reader, Stream};
use serde::Serialize;
use uuid::Uuid;

use crate::database::Product;
use crate::domain::audit::AuditEntry;
use crate::domain::history::HistoryEntry;
use crate::domain::keyword::{Keyword, keywords};

keywords! {
    /// The format of an export.
    Format {
        /// Comma-separated values with a head (RFC 4180), for spreadsheets.
        Csv = "csv",
        /// One JSON object on each line.
        JsonLines = "jsonl",
    }
}

/// Rows that are read at once.
const PAGE: u32 = 500;

/// Bytes that are sent at once.
const CHUNK: usize = 32 << 10;

/// A row that can be written in both formats.
pub(crate) trait Exported: Serialize {
    /// The names of the columns.
    const COLUMNS: &'static [&'static str];

    /// Returns the place to go on after.
    fn id(&self) -> Uuid;

    /// Returns the texts of the columns.
    fn cells(&self) -> Vec<String>;
}

/// Streams every row that `page` finds, which is asked for those before the last one, again and again under one snapshot:
/// memory does not depend on how many there are.
pub(crate) fn stream<T: Exported>(
    product: &Product,
    format: Format,
    page: impl Fn(&Reader<'_>, Option<Uuid>, u32) -> scim::Result<Vec<T>> + Send + 'static,
) -> Stream {
    product.stream(move |reader, sender| {
        let mut buffer = head::<T>(format);
        let mut last = None;
        loop {
            let rows = page(reader, last, PAGE)?;
            let Some(end) = rows.last() else { break };
            last = Some(end.id());
            for row in &rows {
                write(&mut buffer, format, row)?;
                if buffer.len() >= CHUNK {
                    sender.renew();
                    sender.send(std::mem::take(&mut buffer))?;
                }
            }
        }
        sender.send(buffer)
    })
}

fn head<T: Exported>(format: Format) -> Vec<u8> {
    match format {
        Format::Csv => line(T::COLUMNS.iter().copied()),
        Format::JsonLines => Vec::new(),
    }
}

fn write<T: Exported>(buffer: &mut Vec<u8>, format: Format, row: &T) -> scim::Result<()> {
    match format {
        Format::Csv => buffer.extend(line(row.cells().iter().map(String::as_str))),
        Format::JsonLines => {
            serde_json::to_writer(&mut *buffer, row).map_err(scim::Error::internal)?;
            buffer.push(b'\n');
        }
    }
    Ok(())
}

fn line<'a>(cells: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let cells: Vec<_> = cells.map(cell).collect();
    (cells.join(",") + "\r\n").into_bytes()
}

/// Characters that a spreadsheet may take for the beginning of a formula.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Returns a cell in quotes. One that a spreadsheet would take for a formula begins with an apostrophe: others may have
/// named a person so.
fn cell(text: &str) -> String {
    let guard = match text.trim_start_matches(' ').starts_with(FORMULA) {
        true => "'",
        false => "",
    };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

impl Exported for HistoryEntry {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "time",
        "method",
        "path",
        "status",
        "scim_type",
        "duration_us",
        "meaning",
        "resource_type",
        "resource_id",
        "external_id",
        "token",
        "request_id",
        "idp",
        "notes",
        "error",
    ];

    fn id(&self) -> Uuid {
        self.id
    }

    fn cells(&self) -> Vec<String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        vec![
            self.id.to_string(),
            self.time.to_string(),
            self.method.clone(),
            self.path.clone(),
            self.status.to_string(),
            text(&self.scim_type),
            self.duration_us.to_string(),
            self.meaning.clone(),
            text(&self.resource_type),
            text(&self.resource_id),
            text(&self.external_id),
            text(&self.token.map(|token| token.to_string())),
            self.request_id.clone(),
            self.idp.clone(),
            text(&self.notes),
            text(&self.error),
        ]
    }
}

impl Exported for AuditEntry {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "time",
        "actor_kind",
        "actor",
        "action",
        "subject_type",
        "subject",
        "subject_name",
        "detail",
        "address",
        "request_id",
    ];

    fn id(&self) -> Uuid {
        self.id
    }

    fn cells(&self) -> Vec<String> {
        let row = &self.row;
        vec![
            self.id.to_string(),
            row.time.to_string(),
            row.actor_kind.word().to_owned(),
            row.actor.clone(),
            row.action.to_string(),
            row.subject_type.to_string(),
            row.subject.clone(),
            row.subject_name.clone(),
            row.detail.to_string(),
            row.address.clone().unwrap_or_default(),
            row.request_id.clone().unwrap_or_default(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads one line of CSV back as RFC 4180 says.
    fn read(line: &str) -> Vec<String> {
        let mut cells = vec![String::new()];
        let mut quoted = false;
        let mut characters = line.strip_suffix("\r\n").unwrap().chars().peekable();
        while let Some(c) = characters.next() {
            match (c, quoted) {
                ('"', true) if characters.peek() == Some(&'"') => {
                    characters.next();
                    cells.last_mut().unwrap().push('"');
                }
                ('"', _) => quoted = !quoted,
                (',', false) => cells.push(String::new()),
                (c, _) => cells.last_mut().unwrap().push(c),
            }
        }
        cells
    }

    proptest! {
        /// Feature row 81: a cell comes back as it was, and none begins as a formula does.
        #[test]
        fn no_cell_is_a_formula(texts in proptest::collection::vec("[ =+@\"',\r\n\ta-z-]{0,6}", 1..4)) {
            let written = String::from_utf8(line(texts.iter().map(String::as_str))).unwrap();
            let back = read(&written);
            prop_assert_eq!(back.len(), texts.len());
            for (cell, text) in back.iter().zip(&texts) {
                let guarded = cell.strip_prefix('\'').filter(|rest| rest == text);
                prop_assert!(guarded.is_some() || cell == text, "{:?} for {:?}", cell, text);
                prop_assert!(!cell.trim_start_matches(' ').starts_with(FORMULA), "{:?}", cell);
            }
        }
    }
}
