//! A sheet as assignments by lead, or every error in it.

use std::collections::BTreeMap;

use csv::{ReaderBuilder, StringRecord};

use super::Column;
use super::cell::{self, Cell};
use crate::lead::{DesiredValue, Field, LeadId, TagRule};
use crate::lead_file::assign::{AssignError, Assignment, check_tags, value_of};
use crate::lead_file::raw::uuid_problem;
use crate::lead_file::valid::Vocabulary;
use crate::yaml::diagnostic::meant;
use crate::yaml::excerpt::quoted;

/// What a row of a sheet says of its lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetRow {
    /// Which row, the header being 1.
    pub number: u64,
    /// The lead.
    pub id: LeadId,
    /// In the order of the columns.
    pub assignments: Vec<Assignment>,
}

/// An error of a sheet, and its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("row {row}{}: {message}", place(column))]
pub struct SheetError {
    /// The row, the header being 1.
    pub row: u64,
    /// The name of the column; `None` where it is the whole row.
    pub column: Option<String>,
    /// The number of the column, from 1.
    pub number: usize,
    /// What is wrong.
    pub message: String,
}

fn place(column: &Option<String>) -> String {
    column
        .as_ref()
        .map_or_else(String::new, |name| format!(", column {}", quoted(name)))
}

/// The separators that spreadsheets write.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// Reads a sheet: UTF-8, with or without a byte order mark; `,`, `;` or tabs between the cells.
///
/// Returns its rows, and every error in it: a sheet with an error is not to be used.
pub fn read(bytes: &[u8], vocabulary: Vocabulary<'_>) -> (Vec<SheetRow>, Vec<SheetError>) {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let before = &bytes[..error.valid_up_to()];
            let row = 1 + before.iter().filter(|byte| **byte == b'\n').count() as u64;
            let error = whole(row, "not UTF-8; save the sheet as CSV UTF-8");
            return (Vec::new(), vec![error]);
        }
    };
    // A first row `sep=;` is for Excel.
    let named = match text.strip_prefix("sep=").map(str::as_bytes) {
        Some([named, b'\r' | b'\n', ..]) if SEPARATORS.contains(named) => Some(*named),
        Some(_) | None => None,
    };
    let separator = named.unwrap_or_else(|| separator(text));
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(text.as_bytes());
    let mut errors = Vec::new();
    let (mut rows, mut columns, mut number) = (Vec::new(), None, 0);
    let mut record = StringRecord::new();
    let mut last = Last::default();
    loop {
        let before = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                errors.push(whole(number + 1, &error.to_string()));
                break;
            }
        }
        number += 1 + blank_lines(reader.position().line() - before, &record);
        last = Last {
            start: record.position().map_or(0, csv::Position::byte),
            row: number,
            cells: record.len(),
        };
        match &columns {
            None if number == 1 && named.is_some() => {}
            None => columns = Some(header(&record, number, &mut errors)),
            Some(columns) if record.iter().any(|cell| !cell.trim().is_empty()) => {
                rows.extend(row(&record, number, columns, vocabulary, &mut errors));
            }
            Some(_) => {}
        }
    }
    if columns.is_none() {
        errors.push(whole(
            1,
            "the sheet is empty; its first row names the columns",
        ));
    }
    errors.extend(last.open_cell(text, separator, columns.as_ref()));
    let mut seen: BTreeMap<&LeadId, u64> = BTreeMap::new();
    for row in &rows {
        if let Some(first) = seen.insert(&row.id, row.number) {
            let lead = quoted(row.id.as_str());
            let message = format!("{lead} is in row {first} already");
            errors.push(SheetError {
                row: row.number,
                column: Some("uuid".to_owned()),
                number: 1,
                message,
            });
        }
    }
    errors.sort_by_key(|error| (error.row, error.number));
    (rows, errors)
}

fn whole(row: u64, message: &str) -> SheetError {
    SheetError {
        row,
        column: None,
        number: 0,
        message: message.to_owned(),
    }
}

/// The last row that was read.
#[derive(Default)]
struct Last {
    start: u64,
    row: u64,
    cells: usize,
}

impl Last {
    /// A cell whose quote is not closed takes all rows below into it. Another row after the end of the text shows whether there is one.
    fn open_cell(
        &self,
        text: &str,
        separator: u8,
        columns: Option<&Columns>,
    ) -> Option<SheetError> {
        let rest = text.get(usize::try_from(self.start).ok()?..)?;
        let longer = format!("{rest}\nend");
        let rows = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .from_reader(longer.as_bytes())
            .into_records()
            .count();
        let name = columns.and_then(|columns| columns.get(self.cells.checked_sub(1)?));
        (self.row > 0 && rows < 2).then(|| SheetError {
            row: self.row,
            column: name.map(|(name, _)| name.clone()),
            number: self.cells,
            message: "the quote that begins the cell is not closed".to_owned(),
        })
    }
}

/// The reader skips lines without a cell, and a spreadsheet counts them as rows.
fn blank_lines(lines: u64, record: &StringRecord) -> u64 {
    let within = record.iter().map(|cell| cell.matches('\n').count() as u64);
    lines.saturating_sub(1 + within.sum::<u64>())
}

/// The separator by which the first row has a `uuid` column, and the most cells.
fn separator(text: &str) -> u8 {
    let cells = |separator: u8| {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .delimiter(separator)
            .from_reader(text.as_bytes());
        let mut record = StringRecord::new();
        let is_read = reader.read_record(&mut record).unwrap_or_default();
        let has_uuid = record
            .iter()
            .any(|name| Column::parse(name) == Some(Column::Uuid));
        (is_read && has_uuid, record.len())
    };
    // The first of equals: `max_by_key` would take the last.
    SEPARATORS
        .into_iter()
        .rev()
        .max_by_key(|separator| cells(*separator))
        .unwrap_or(b',')
}

/// A column with its name; `None` where it is unknown.
type Columns = Vec<(String, Option<Column>)>;

fn header(record: &StringRecord, row: u64, errors: &mut Vec<SheetError>) -> Columns {
    let mut columns: Columns = Vec::with_capacity(record.len());
    for (at, name) in record.iter().enumerate() {
        let column = Column::parse(name);
        let name = name.trim();
        let error = |message: String| SheetError {
            row,
            column: Some(name.to_owned()),
            number: at + 1,
            message,
        };
        let known = [
            "uuid",
            "label",
            "status",
            "agent",
            "tags",
            "hold",
            "attributes.KEY",
            "contact.KEY",
        ];
        match &column {
            None if name.is_empty() => {}
            None => errors.push(error(match meant(name, known) {
                Some(near) => format!("unknown column; did you mean {}?", quoted(near)),
                None => format!("unknown column; one of {}", known.join(", ")),
            })),
            Some(Column::Live) => {}
            Some(_) if columns.iter().any(|(_, other)| *other == column) => {
                errors.push(error("the column is listed twice".to_owned()));
            }
            Some(_) => {}
        }
        columns.push((name.to_owned(), column));
    }
    if !columns
        .iter()
        .any(|(_, column)| *column == Some(Column::Uuid))
    {
        errors.push(whole(row, "the column `uuid` is missing"));
    }
    columns
}

fn row(
    record: &StringRecord,
    number: u64,
    columns: &Columns,
    vocabulary: Vocabulary<'_>,
    errors: &mut Vec<SheetError>,
) -> Option<SheetRow> {
    let mut id = None;
    let mut assignments = Vec::new();
    for (at, raw) in record.iter().enumerate() {
        let (name, column) = match columns.get(at) {
            Some((name, column)) => (name.as_str(), column.as_ref()),
            None => ("", None),
        };
        let mut error = |message: String| {
            errors.push(SheetError {
                row: number,
                column: Some(name.to_owned()).filter(|name| !name.is_empty()),
                number: at + 1,
                message,
            });
        };
        let cell = Cell::read(raw);
        match (column, &cell) {
            (None, Cell::Unsaid) | (Some(Column::Live), _) => {}
            (None, _) if name.is_empty() => error(format!("cell {} has no column", at + 1)),
            (None, _) => {}
            (Some(Column::Uuid), Cell::Text(text)) => match uuid_problem(text.trim()) {
                None => id = Some(LeadId::new(text.trim())),
                Some(problem) => error(problem.to_owned()),
            },
            (Some(Column::Uuid), _) => error("the uuid is missing".to_owned()),
            (Some(column), cell) => match assignment(column, cell, vocabulary) {
                Ok(made) => assignments.extend(made),
                Err(problem) => error(problem.to_string()),
            },
        }
    }
    let has_uuid = columns
        .iter()
        .position(|(_, column)| *column == Some(Column::Uuid));
    if has_uuid.is_some_and(|at| at >= record.len()) {
        errors.push(whole(number, "the uuid is missing"));
    }
    // `list --live` has rows of leads that no file declares, with nothing but what the inbox has.
    let is_live = |column: &(String, Option<Column>)| column.1 == Some(Column::Live);
    if assignments.is_empty() && columns.iter().any(is_live) {
        return None;
    }
    Some(SheetRow {
        number,
        id: id?,
        assignments,
    })
}

fn assignment(
    column: &Column,
    cell: &Cell<'_>,
    vocabulary: Vocabulary<'_>,
) -> Result<Option<Assignment>, AssignError> {
    let text = match cell {
        Cell::Unsaid => return Ok(None),
        Cell::Cleared => None,
        Cell::Text(text) => Some(*text),
    };
    Ok(match column {
        Column::Uuid | Column::Live => None,
        Column::Label => Some(Assignment::Label(text.map(str::to_owned))),
        Column::Hold => Some(Assignment::Hold(text.map(|text| text.trim().to_owned()))),
        Column::Field(field) => {
            if *field == Field::PHONE
                && let Some(text) = text.filter(|text| is_spoiled(text.trim()))
            {
                return Err(AssignError::Spreadsheet(text.to_owned()));
            }
            let value = match text {
                Some(text) if *field == Field::TAGS => tags(text, vocabulary)?,
                text => value_of(field, text, vocabulary)?,
            };
            Some(Assignment::Say(field.clone(), value))
        }
    })
}

/// Whether a text is a number as spreadsheets show one that has many digits or a fraction, or an error of theirs.
fn is_spoiled(text: &str) -> bool {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let has_exponent = text
        .split_once(['E', 'e'])
        .is_some_and(|(number, exponent)| {
            let (whole, part) = number.split_once(['.', ',']).unwrap_or((number, "0"));
            is_digits(whole)
                && is_digits(part)
                && is_digits(exponent.trim_start_matches(['+', '-']))
        });
    let has_fraction = text.strip_suffix(".0").is_some_and(is_digits);
    let is_error = text.strip_prefix('#').is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_uppercase()) || rest.bytes().all(|byte| byte == b'#')
    });
    has_exponent || has_fraction || is_error
}

fn tags(text: &str, vocabulary: Vocabulary<'_>) -> Result<DesiredValue, AssignError> {
    let rule = cell::tags(text)?;
    check_tags(rule.required(), vocabulary)?;
    if let TagRule::Patch { absent, .. } = &rule {
        check_tags(absent, vocabulary)?;
    }
    Ok(DesiredValue::Set(rule))
}
