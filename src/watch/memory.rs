//! `.convertalk/watch.json`: what `watch` remembers from one process to the next.

use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fights::Fights;
use super::status::WatchStatus;
use crate::atomic_file;
use crate::instance::{Shape, check_version, parse, take};

static MEMORY: LazyLock<Shape> = LazyLock::new(Shape::derived::<WatchMemory>);

/// The version of the format of [`WatchMemory`].
const FORMAT_VERSION: u32 = 1;

/// The content of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WatchMemory {
    /// The version of this format: 1.
    format_version: u32,
    /// The fields that were written again of late.
    #[serde(default)]
    pub fights: Fights,
    /// The last status that was sent as a notification.
    #[serde(default)]
    pub notified: Option<WatchStatus>,
}

impl Default for WatchMemory {
    fn default() -> Self {
        Self {
            format_version: FORMAT_VERSION,
            fights: Fights::default(),
            notified: None,
        }
    }
}

/// The file and its content, for several tasks.
#[derive(Debug)]
pub struct MemoryFile {
    /// `None` where nothing is to be recorded.
    path: Option<PathBuf>,
    memory: Mutex<WatchMemory>,
}

impl MemoryFile {
    /// Reads the file of the workspace in `root`; empty where there is none.
    ///
    /// # Errors
    /// It cannot be read, or is not as this version writes it.
    pub fn open(root: &Path) -> std::io::Result<Self> {
        let path = root.join(".convertalk/watch.json");
        crate::state::refuse_links(root, &path)?;
        let memory = match std::fs::read(&path) {
            Ok(bytes) => parsed(&bytes)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => WatchMemory::default(),
            Err(error) => return Err(error),
        };
        Ok(Self {
            path: Some(path),
            memory: Mutex::new(memory),
        })
    }

    /// The same content, of which no change is written to the file.
    #[must_use]
    pub fn unsaved(self) -> Self {
        Self { path: None, ..self }
    }

    /// A copy of the content.
    pub fn read(&self) -> WatchMemory {
        self.memory
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Changes the content, and writes it to the file where that makes a difference.
    ///
    /// # Errors
    /// The file cannot be written; the content is changed nevertheless.
    pub fn update(&self, change: impl FnOnce(&mut WatchMemory)) -> std::io::Result<()> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let before = memory.clone();
        change(&mut memory);
        if *memory == before {
            return Ok(());
        }
        let Some(path) = &self.path else {
            return Ok(());
        };
        if let Some(root) = path.parent().and_then(Path::parent) {
            crate::state::folder(root)?;
        }
        atomic_file::write(path, |out| {
            serde_json::to_writer_pretty(&mut *out, &*memory)?;
            out.write_all(b"\n")
        })
        .map_err(std::io::Error::other)
    }
}

/// The content, which its schema takes.
fn parsed(bytes: &[u8]) -> std::io::Result<WatchMemory> {
    let text = String::from_utf8_lossy(bytes);
    let document = parse(&text).map_err(std::io::Error::other)?;
    check_version(&document, FORMAT_VERSION).map_err(std::io::Error::other)?;
    take(document, &text, &MEMORY).map_err(std::io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = MemoryFile::open(folder.path()).expect("no file yet");
        assert_eq!(file.read(), WatchMemory::default());
        let target = crate::plan::Target {
            endpoint: "sandbox".to_owned(),
            bot_id: "b".to_owned(),
            customer_id: "c".to_owned(),
        };
        let status = WatchStatus::before_first_pass(target, "2026-01-02T03:04:05Z".to_owned());
        file.update(|memory| memory.notified = Some(status))
            .expect("it is written");
        let again = MemoryFile::open(folder.path()).expect("it is read");
        assert_eq!(again.read(), file.read());
        assert!(again.read().notified.is_some());
    }

    #[test]
    fn a_file_that_is_not_as_its_schema_says_is_refused_with_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = crate::state::folder(folder.path()).expect("a folder");
        for (text, place) in [
            (
                "{\n\"format_version\":1,\n\"notified\":7}",
                "line 3: /notified: value is not",
            ),
            (
                "{\"notified\":null}",
                "line 1: /: \"format_version\" is a required property",
            ),
            ("{\"format_version\":1", "line 1: EOF while parsing"),
        ] {
            std::fs::write(state.join("watch.json"), text).expect("written");
            let error = MemoryFile::open(folder.path()).expect_err("it is refused");
            assert!(error.to_string().starts_with(place), "{error}");
        }
    }

    #[test]
    fn a_file_of_another_version_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = crate::state::folder(folder.path()).expect("a folder");
        std::fs::write(state.join("watch.json"), r#"{"format_version":2}"#).expect("written");
        assert!(MemoryFile::open(folder.path()).is_err());
    }
}
