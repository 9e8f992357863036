//! Objects of a repository, read through one `git cat-file --batch` process, however many there are.
//!
//! Trees are read as objects, too, so that the files of any number of commits need one process. A tree that several commits share is
//! asked for once.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;

use super::base::BaseError;
use super::runner::{GitError, command, failure};
use crate::config::FILE;

/// An entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TreeEntry {
    /// Its name, from the folder that was walked, with `/` between the parts.
    pub(crate) path: String,
    /// The hash of its object, in hex digits.
    pub(crate) id: String,
    pub(crate) kind: EntryKind,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A link or a submodule: its content is elsewhere in the commit, or not in it.
    Link,
}

const WORDS: [&str; 3] = ["cat-file", "--batch", "--follow-symlinks"];

/// What the process answers.
enum BatchAnswer {
    Object {
        /// `HASH TYPE SIZE`
        head: String,
        content: Vec<u8>,
    },
    Missing,
    /// Something that is not of its protocol.
    Other(String),
}

/// A running process that answers with objects.
#[derive(Debug)]
pub(crate) struct Batch {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// What the process says on stderr, read so that it never waits for a reader.
    said: Option<JoinHandle<String>>,
    trees: HashMap<String, Arc<[TreeEntry]>>,
}

impl Batch {
    /// Starts the process.
    pub(crate) fn start(root: &Path) -> Result<Self, BaseError> {
        let mut child = command(root)
            .args(WORDS)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(GitError::NotStarted)?;
        let (requests, Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(BaseError::Answer("no pipes".to_owned()));
        };
        let errors = child.stderr.take();
        let said = std::thread::spawn(move || {
            let mut said = Vec::new();
            let _as_far_as_it_goes = errors.map(|mut errors| errors.read_to_end(&mut said));
            String::from_utf8_lossy(&said).into_owned()
        });
        Ok(Self {
            child,
            requests,
            answers: BufReader::new(answers),
            said: Some(said),
            trees: HashMap::new(),
        })
    }

    /// The content of an object; `None` where the repository does not have it.
    pub(crate) fn object(&mut self, name: &str) -> Result<Option<Vec<u8>>, BaseError> {
        match self.answer(name) {
            Ok(BatchAnswer::Object { content, .. }) => Ok(Some(content)),
            Ok(BatchAnswer::Missing) => Ok(None),
            Ok(BatchAnswer::Other(said)) => Err(BaseError::Answer(format!("{name}: {said}"))),
            // The process has ended, and said why.
            Err(_) => Err(self.end().into()),
        }
    }

    fn answer(&mut self, name: &str) -> io::Result<BatchAnswer> {
        let requests = self.requests.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        writeln!(requests, "{name}")?;
        requests.flush()?;
        let mut head = String::new();
        if self.answers.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let head = head.trim_end();
        if head.ends_with(" missing") {
            return Ok(BatchAnswer::Missing);
        }
        let size = head
            .rsplit(' ')
            .next()
            .and_then(|size| size.parse::<usize>().ok());
        let Some(size) = size else {
            return Ok(BatchAnswer::Other(head.to_owned()));
        };
        let mut content = vec![0; size + 1];
        self.answers.read_exact(&mut content)?;
        content.pop();
        Ok(BatchAnswer::Object {
            head: head.to_owned(),
            content,
        })
    }

    /// The file that a link of a commit leads to, by the path of the link from the top; `None` where it leads out of the commit,
    /// to nothing, or to a folder.
    pub(crate) fn behind(&mut self, commit: &str, path: &str) -> Result<Option<String>, BaseError> {
        // The process takes one name a line.
        if path.contains('\n') {
            return Ok(None);
        }
        let answer = self.answer(&format!("{commit}:{path}"));
        match answer.map_err(|_| self.end())? {
            BatchAnswer::Object { head, .. } => {
                let words: Vec<&str> = head.split(' ').collect();
                Ok(match words[..] {
                    [hash, "blob", _] => Some(hash.to_owned()),
                    _ => None,
                })
            }
            BatchAnswer::Missing | BatchAnswer::Other(_) => Ok(None),
        }
    }

    /// Why the process has ended.
    fn end(&mut self) -> GitError {
        drop(self.requests.take());
        let status = self.child.wait().ok().and_then(|status| status.code());
        let said = self.said.take().and_then(|said| said.join().ok());
        failure(&WORDS, status, &said.unwrap_or_default())
    }

    /// The content of an object that a tree names.
    pub(crate) fn content(&mut self, id: &str) -> Result<Vec<u8>, BaseError> {
        self.object(id)?
            .ok_or_else(|| BaseError::Answer(format!("no object {id}")))
    }

    /// The entries of the folder at `prefix`, which ends in `/` or is empty, of a commit. `None` where there is no such commit; no
    /// entries where it has no such folder.
    pub(crate) fn folder(
        &mut self,
        commit: &str,
        prefix: &str,
    ) -> Result<Option<Arc<[TreeEntry]>>, BaseError> {
        let name = format!("{commit}^{{tree}}");
        let Some(mut entries) = self.tree(&name, commit.len())? else {
            return Ok(None);
        };
        for part in prefix.split_terminator('/') {
            let folder = entries
                .iter()
                .find(|entry| entry.path == part && entry.kind == EntryKind::Folder);
            entries = match folder.map(|folder| folder.id.clone()) {
                Some(id) => self.tree(&id, id.len())?.unwrap_or_default(),
                None => return Ok(Some(Arc::default())),
            };
        }
        Ok(Some(entries))
    }

    /// All entries below some that are not folders, where `enters` says which folders may hold what is looked for. The files of a
    /// workspace within this one are its own.
    pub(crate) fn walk(
        &mut self,
        entries: &[TreeEntry],
        enters: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<TreeEntry>, BaseError> {
        let mut found = Vec::new();
        let mut open: Vec<(String, Arc<[TreeEntry]>)> = vec![(String::new(), entries.into())];
        while let Some((folder, entries)) = open.pop() {
            let is_config = |entry: &TreeEntry| entry.path == FILE && entry.kind == EntryKind::File;
            if !folder.is_empty() && entries.iter().any(is_config) {
                continue;
            }
            for entry in entries.iter() {
                let path = format!("{folder}{}", entry.path);
                match entry.kind {
                    EntryKind::Folder if enters(&path) => {
                        let below = self.tree(&entry.id, entry.id.len())?;
                        open.push((format!("{path}/"), below.unwrap_or_default()));
                    }
                    EntryKind::Folder => {}
                    EntryKind::File | EntryKind::Link => found.push(TreeEntry {
                        path,
                        ..entry.clone()
                    }),
                }
            }
        }
        found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(found)
    }

    fn tree(&mut self, name: &str, digits: usize) -> Result<Option<Arc<[TreeEntry]>>, BaseError> {
        if let Some(known) = self.trees.get(name) {
            return Ok(Some(known.clone()));
        }
        let Some(content) = self.object(name)? else {
            return Ok(None);
        };
        let entries: Arc<[TreeEntry]> = entries(&content, digits / 2)
            .ok_or_else(|| BaseError::Answer(format!("{name} is not a tree")))?
            .into();
        self.trees.insert(name.to_owned(), entries.clone());
        Ok(Some(entries))
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // The process ends at the end of its input.
        drop(self.requests.take());
        let _ended = self.child.wait();
    }
}

/// `MODE NAME<nul>HASH`, one after the other.
fn entries(mut content: &[u8], hash: usize) -> Option<Vec<TreeEntry>> {
    let mut all = Vec::new();
    while !content.is_empty() {
        let end = content.iter().position(|byte| *byte == 0)?;
        let (head, rest) = content.split_at(end);
        let head = String::from_utf8_lossy(head);
        let (mode, name) = head.split_once(' ')?;
        let id = rest.get(1..=hash)?;
        all.push(TreeEntry {
            path: name.to_owned(),
            id: id.iter().map(|byte| format!("{byte:02x}")).collect(),
            kind: match mode {
                "100644" | "100755" | "100664" => EntryKind::File,
                "40000" => EntryKind::Folder,
                _ => EntryKind::Link,
            },
        });
        content = &rest[hash + 1..];
    }
    Some(all)
}
