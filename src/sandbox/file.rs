//! Seeds and states: one format, `{ lead: [records], non-lead: [records] }` or a sequence of leads, in YAML or, if the file name
//! ends in `.json`, JSON.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::atomic_file::{self, WriteError};

use super::choices::ChatKind;
use super::generate::Generator;
use super::record::Record;
use super::store::{StoredBody, text};

/// A seed or a state that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be read.
    #[error("cannot read {}", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// The folder of the file cannot be created.
    #[error("cannot create the folder {}", .0.display())]
    Folder(PathBuf, #[source] io::Error),
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The file is not YAML.
    #[error("{path} is not YAML: {1}", path = .0.display())]
    Yaml(PathBuf, serde_yaml::Error),
    /// The file is not JSON.
    #[error("{path} is not JSON: {1}", path = .0.display())]
    Json(PathBuf, serde_json::Error),
    /// The file does not contain records.
    #[error("{path}: {1}", path = .0.display())]
    Shape(PathBuf, String),
}

fn is_json(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("json"))
}

/// Reads the records of a file.
pub(super) fn read(path: &Path) -> Result<Vec<(ChatKind, Record)>, FileError> {
    let text =
        std::fs::read_to_string(path).map_err(|error| FileError::Read(path.to_owned(), error))?;
    let value = if is_json(path) {
        serde_json::from_str(&text).map_err(|error| FileError::Json(path.to_owned(), error))?
    } else {
        serde_yaml::from_str(&text).map_err(|error| FileError::Yaml(path.to_owned(), error))?
    };
    records(value).map_err(|problem| FileError::Shape(path.to_owned(), problem))
}

fn records(value: Value) -> Result<Vec<(ChatKind, Record)>, String> {
    let mut all = Vec::new();
    match value {
        Value::Null => {}
        Value::Array(_) => list(&mut all, ChatKind::Lead, value)?,
        Value::Object(lists) => {
            for (key, value) in lists {
                let kind = ChatKind::ALL.into_iter().find(|kind| kind.as_str() == key);
                let kind = kind.ok_or_else(|| format!("unknown chat type `{key}`; write `lead` or `non-lead`"))?;
                list(&mut all, kind, value)?;
            }
        }
        _ => return Err("expected `lead` and `non-lead` with a sequence of records each, or one sequence of leads".to_owned()),
    }
    Ok(all)
}

fn list(all: &mut Vec<(ChatKind, Record)>, kind: ChatKind, value: Value) -> Result<(), String> {
    let items = match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items,
        _ => return Err(format!("`{}` is not a sequence of records", kind.as_str())),
    };
    for (index, item) in items.into_iter().enumerate() {
        let place = || format!("record {} of `{}`", index + 1, kind.as_str());
        let Value::Object(record) = item else {
            return Err(format!("{} is not a mapping", place()));
        };
        if record.get("uuid").is_some_and(|uuid| !uuid.is_string()) {
            return Err(format!(
                "the uuid of {} is not text; put it in quotes",
                place()
            ));
        }
        all.push((kind, record));
    }
    Ok(())
}

/// Replaces the file atomically.
pub(super) fn write(
    path: &Path,
    lists: &[Vec<StoredBody>; 2],
    generator: &Generator,
) -> Result<(), FileError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|error| FileError::Folder(folder.to_owned(), error))?;
    }
    atomic_file::write(path, |out| {
        if is_json(path) {
            write_json(out, lists, generator)
        } else {
            write_yaml(out, lists, generator)
        }
    })?;
    Ok(())
}

fn write_json(
    out: &mut dyn Write,
    lists: &[Vec<StoredBody>; 2],
    generator: &Generator,
) -> io::Result<()> {
    out.write_all(b"{")?;
    for (kind, bodies) in ChatKind::ALL.into_iter().zip(lists) {
        write!(
            out,
            "{}\"{}\":[",
            if kind == ChatKind::Lead { "" } else { ",\n" },
            kind.as_str()
        )?;
        for (index, body) in bodies.iter().enumerate() {
            write!(
                out,
                "{}\n{}",
                if index == 0 { "" } else { "," },
                text(body, generator)
            )?;
        }
        out.write_all(b"\n]")?;
    }
    out.write_all(b"}\n")
}

fn write_yaml(
    out: &mut dyn Write,
    lists: &[Vec<StoredBody>; 2],
    generator: &Generator,
) -> io::Result<()> {
    for (kind, bodies) in ChatKind::ALL.into_iter().zip(lists) {
        let records: Result<Vec<Value>, _> = bodies
            .iter()
            .map(|body| serde_json::from_str(&text(body, generator)))
            .collect();
        let list = std::collections::BTreeMap::from([(kind.as_str(), records?)]);
        serde_yaml::to_writer(&mut *out, &list).map_err(io::Error::other)?;
    }
    Ok(())
}
