//! Which files are lead files: globs walked below the workspace's folder, and nothing outside of it.
//!
//! Takes the folder and the globs, and returns paths in order, or why something that a glob matches is not a lead file. Real
//! folders are walked before links to folders, and each folder once, so that loops of links end and order does not matter. The files of a
//! workspace within this one are its own.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};

use crate::yaml::diagnostic::{Code, Diagnostic};

/// Folders that are never walked.
const NEVER: [&str; 4] = [".git", ".convertalk", "target", "node_modules"];

/// A glob in which `*` stays within a name and `**` does not.
pub(crate) fn glob(text: &str) -> Result<GlobMatcher, globset::Error> {
    Ok(GlobBuilder::new(text)
        .literal_separator(true)
        .build()?
        .compile_matcher())
}

struct Pattern {
    matcher: GlobMatcher,
    hidden: Vec<GlobMatcher>,
}

impl Pattern {
    fn new(text: &str) -> Option<Self> {
        let hidden = text
            .split('/')
            .filter(|part| part.starts_with('.'))
            .filter_map(|part| glob(part).ok())
            .collect();
        Some(Self {
            matcher: glob(text).ok()?,
            hidden,
        })
    }

    fn sees(&self, name: &str) -> bool {
        !name.starts_with('.') || self.hidden.iter().any(|glob| glob.is_match(name))
    }

    fn takes(&self, path: &str) -> bool {
        self.matcher.is_match(path) && path.split('/').all(|name| self.sees(name))
    }
}

/// Whether a path, of another commit say, is one that [`find`] would find, were it a file in the folder.
pub(crate) fn matcher(globs: &[String]) -> impl Fn(&str) -> bool {
    let patterns: Vec<Pattern> = globs.iter().filter_map(|glob| Pattern::new(glob)).collect();
    move |path| {
        !path.split('/').any(|part| NEVER.contains(&part))
            && patterns.iter().any(|pattern| pattern.takes(path))
    }
}

/// Whether what a path names could hold files that one of the globs takes.
pub(crate) fn may_hold(globs: &[String], path: &str) -> bool {
    let plain = globs.iter().map(|glob| base(glob));
    plain.into_iter().any(|base| {
        base.is_empty()
            || base == path
            || base.starts_with(&format!("{path}/"))
            || path.starts_with(&format!("{base}/"))
    })
}

/// What the globs found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Paths below the folder, with `/`; in order.
    pub(crate) files: Vec<String>,
    /// For each glob, whether it matched anything.
    pub(crate) hit: Vec<bool>,
    /// Files that would be lead files if their names ended in `.yaml` or `.yml`.
    pub(crate) other_endings: Vec<String>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

struct Walk {
    root: PathBuf,
    patterns: Vec<Pattern>,
    folders: BTreeSet<PathBuf>,
    links: VecDeque<(String, PathBuf)>,
    /// Real path → path as found; the first one stays.
    files: BTreeMap<PathBuf, String>,
    found: Found,
}

/// Walks.
pub(crate) fn find(root: &Path, globs: &[String]) -> Found {
    let patterns: Vec<Pattern> = globs.iter().filter_map(|glob| Pattern::new(glob)).collect();
    let found = Found {
        hit: vec![false; patterns.len()],
        ..Found::default()
    };
    let root = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    let mut walk = Walk {
        root,
        patterns,
        folders: BTreeSet::new(),
        links: VecDeque::new(),
        files: BTreeMap::new(),
        found,
    };
    for base in globs.iter().map(|glob| base(glob)).collect::<BTreeSet<_>>() {
        walk.entry(&base, true);
    }
    while let Some((path, real)) = walk.links.pop_front() {
        if let Ok(meta) = fs::metadata(&real) {
            walk.real(&path, real, &meta);
        }
    }
    let mut found = walk.found;
    found.files = walk.files.into_values().collect();
    found.files.sort();
    found
}

/// The part of a glob before the first name that is not plain; a glob without any is its own file.
pub(crate) fn base(glob: &str) -> String {
    let plain = |part: &&str| !part.contains(['*', '?', '[', '{']);
    glob.split('/')
        .take_while(plain)
        .filter(|part| !part.is_empty() && *part != ".")
        .collect::<Vec<_>>()
        .join("/")
}

/// Checks that a file is in the workspace, links followed. One that is not there is.
///
/// # Errors
/// A link leads out.
pub(crate) fn stays_inside(root: &Path, file: &Arc<str>) -> Result<(), Box<Diagnostic>> {
    let within = fs::canonicalize(root.join(&**file))
        .and_then(|real| Ok(real.starts_with(fs::canonicalize(root)?)));
    match within {
        Ok(true) | Err(_) => Ok(()),
        Ok(false) => {
            let message = "this link leads out of the workspace";
            let outside = Diagnostic::whole(Code::LinkOutside, file.clone(), message);
            Err(Box::new(outside.help("put the file itself in its place")))
        }
    }
}

impl Walk {
    fn tell(&mut self, code: Code, path: &str, message: &str, help: &str) {
        self.found
            .diagnostics
            .push(Diagnostic::whole(code, path, message).help(help));
    }

    fn matches(&mut self, path: &str) -> bool {
        let mut any = false;
        for (pattern, hit) in self.patterns.iter().zip(&mut self.found.hit) {
            let takes = pattern.takes(path);
            *hit |= takes;
            any |= takes;
        }
        any
    }

    fn entry(&mut self, path: &str, base: bool) {
        let full = self.root.join(path);
        let Ok(meta) = fs::symlink_metadata(&full) else {
            return;
        };
        let name = path.rsplit('/').next().unwrap_or(path);
        if NEVER.contains(&name)
            || (!base && !self.patterns.iter().any(|pattern| pattern.sees(name)))
        {
            return;
        }
        let link = meta.is_symlink() || (base && !path.is_empty());
        let real = if link {
            fs::canonicalize(&full)
        } else {
            Ok(full)
        };
        let (real, meta) = match real.and_then(|real| Ok((fs::metadata(&real)?, real))) {
            Ok((meta, real)) => (real, meta),
            Err(error) => {
                if self.matches(path) {
                    self.tell(
                        Code::BrokenLink,
                        path,
                        &format!("this link leads nowhere: {error}"),
                        "repair the link, or delete it",
                    );
                }
                return;
            }
        };
        if link && !real.starts_with(&self.root) {
            if meta.is_dir() || self.matches(path) {
                let help = "move the file into the workspace, or leave it out of `leads` in convertalk.yaml";
                self.tell(
                    Code::LinkOutside,
                    path,
                    "this link leads out of the workspace",
                    help,
                );
            }
            return;
        }
        if link && !base && (meta.is_file() || !self.is_above(&real, path)) {
            self.links.push_back((path.to_owned(), real));
        } else if !link || base {
            self.real(path, real, &meta);
        }
    }

    /// Whether the folder `real` holds the link at `path`: to follow it would be to walk in circles.
    fn is_above(&self, real: &Path, path: &str) -> bool {
        let link = self.root.join(path);
        link.parent()
            .and_then(|parent| fs::canonicalize(parent).ok())
            .is_none_or(|parent| parent.starts_with(real))
    }

    fn real(&mut self, path: &str, real: PathBuf, meta: &fs::Metadata) {
        if meta.is_dir() {
            if !path.is_empty() && self.matches(path) {
                let help = "rename the folder, or make the glob in convertalk.yaml narrower";
                self.tell(
                    Code::NotAFile,
                    path,
                    "a folder has the name of a lead file",
                    help,
                );
            }
            self.folder(path, real);
        } else if path != crate::config::FILE && real != self.root.join(crate::config::FILE) {
            self.file(path, real, meta.is_file());
        }
    }

    fn file(&mut self, path: &str, real: PathBuf, regular: bool) {
        if !self.matches(path) {
            self.note_ending(path);
            return;
        }
        if regular {
            self.files.entry(real).or_insert_with(|| path.to_owned());
        } else {
            self.tell(
                Code::NotAFile,
                path,
                "a pipe, socket or device has the name of a lead file",
                "delete it, or rename it",
            );
        }
    }

    /// Reports a file whose name is not UTF-8: no glob can take it.
    fn not_utf8(&mut self, folder: &str, name: &str) {
        let lower = name.to_ascii_lowercase();
        if lower.ends_with(".yaml") || lower.ends_with(".yml") {
            let path = format!("{folder}/{name}");
            let message = "the name of this file is not UTF-8, so it is not read";
            let warning = Diagnostic::whole(Code::NotUtf8, path, message).into_warning();
            let help = "rename it: `mv` takes the name with the shell's completion";
            self.found.diagnostics.push(warning.help(help));
        }
    }

    /// Notes a YAML file that only its ending keeps from being a lead file.
    fn note_ending(&mut self, path: &str) {
        let Some((stem, ending)) = path.rsplit_once('.') else {
            return;
        };
        let is_yaml = ending.eq_ignore_ascii_case("yaml") || ending.eq_ignore_ascii_case("yml");
        let would = |ending: &str| {
            let path = format!("{stem}.{ending}");
            self.patterns.iter().any(|pattern| pattern.takes(&path))
        };
        if is_yaml && (would("yaml") || would("yml")) {
            self.found.other_endings.push(path.to_owned());
        }
    }

    fn folder(&mut self, path: &str, real: PathBuf) {
        // A workspace within this one owns its files.
        let is_workspace = !path.is_empty() && real.join(crate::config::FILE).is_file();
        if is_workspace || !self.folders.insert(real.clone()) {
            return;
        }
        let entries = match fs::read_dir(&real) {
            Ok(entries) => entries,
            Err(error) => {
                self.tell(
                    Code::Unreadable,
                    path,
                    &format!("this folder cannot be read: {error}"),
                    "give yourself the right to read it",
                );
                return;
            }
        };
        let mut names: Vec<_> = entries
            .filter_map(Result::ok)
            .map(|entry| entry.file_name())
            .collect();
        names.sort();
        for name in names {
            let Some(name) = name.to_str() else {
                self.not_utf8(path, &name.to_string_lossy());
                continue;
            };
            let below = if path.is_empty() {
                name.to_owned()
            } else {
                format!("{path}/{name}")
            };
            self.entry(&below, false);
        }
    }
}
