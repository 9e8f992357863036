//! Seeds and states: one format, `{ format_version: 1, lead: [records], non-lead: [records] }` or a sequence of leads, in YAML or, if
//! the file name ends in `.json`, JSON. A seed may leave the version out; a state names it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::atomic_file::{self, WriteError};
use crate::instance::{OtherVersion, SchemaFault, check_version};

use super::choices::ChatKind;
use super::generate::Generator;
use super::record::Record;
use super::store::{StoredBody, text};

mod shape;

use shape::is_json;
pub use shape::schema;

/// The version of the format.
pub(super) const FORMAT_VERSION: u32 = 1;

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
    /// The file is of another version.
    #[error("{path} has {1}", path = .0.display())]
    Version(PathBuf, OtherVersion),
    /// The file is not as its schema says.
    #[error("{path}: {1}", path = .0.display())]
    Shape(PathBuf, SchemaFault),
    /// Two records are of one chat.
    #[error("{path}: two records have the uuid `{1}`", path = .0.display())]
    Twice(PathBuf, String),
}

/// Reads the records of a file, which its schema takes.
pub(super) fn read(path: &Path) -> Result<Vec<(ChatKind, Record)>, FileError> {
    let text =
        std::fs::read_to_string(path).map_err(|error| FileError::Read(path.to_owned(), error))?;
    let value = if is_json(path) {
        serde_json::from_str(&text).map_err(|error| FileError::Json(path.to_owned(), error))?
    } else {
        serde_yaml::from_str(&text).map_err(|error| FileError::Yaml(path.to_owned(), error))?
    };
    check_version(&value, FORMAT_VERSION)
        .map_err(|version| FileError::Version(path.to_owned(), version))?;
    shape::check(&value, &text, is_json(path))
        .map_err(|fault| FileError::Shape(path.to_owned(), fault))?;
    Ok(records(value))
}

/// The records of a document that the schema takes.
fn records(document: Value) -> Vec<(ChatKind, Record)> {
    let lists = match document {
        Value::Object(lists) => lists,
        leads => Record::from_iter([(ChatKind::Lead.as_str().to_owned(), leads)]),
    };
    let mut all = Vec::new();
    for (key, list) in lists {
        let kind = ChatKind::ALL.into_iter().find(|kind| kind.as_str() == key);
        if let (Some(kind), Value::Array(items)) = (kind, list) {
            let records = items.into_iter().filter_map(|item| match item {
                Value::Object(record) => Some((kind, record)),
                _ => None,
            });
            all.extend(records);
        }
    }
    all
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
    write!(out, "{{\"format_version\":{FORMAT_VERSION}")?;
    for (kind, bodies) in ChatKind::ALL.into_iter().zip(lists) {
        write!(out, ",\n\"{}\":[", kind.as_str())?;
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
    writeln!(out, "format_version: {FORMAT_VERSION}")?;
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
