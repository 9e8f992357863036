//! The fleet: the workspaces below a folder, for one job each.
//!
//! [`find`] walks the folder and reads each `convertalk.yaml`; [`changed`] says in which of them a commit changed something;
//! [`Shard`] divides them by their names. No lead file is read: a thousand workspaces are listed in milliseconds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::config::{self, Overrides, Workspace};
use crate::lead_file::discover;
use crate::yaml::Diagnostic;
use crate::yaml::diagnostic::Code;
use crate::yaml::file;

/// The workspaces below a folder, sorted by their folders.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Workspaces {
    /// The workspaces.
    pub workspaces: Vec<Listed>,
}

/// One workspace of a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Listed {
    /// The folder with `-` for `/`; `root` for the folder that was searched.
    pub name: String,
    /// The folder, relative to the one that was searched; `.` for that folder itself.
    pub dir: String,
    /// The address of its API, or `sandbox`; null where the workspace is broken.
    pub endpoint: Option<String>,
    /// Its bot; null where the workspace is broken.
    pub bot_id: Option<String>,
    /// Its customer; null where the workspace is broken.
    pub customer_id: Option<String>,
    /// Why the workspace cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Why the workspaces cannot be listed.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// A folder cannot be read, and might hold workspaces.
    #[error("cannot read the folder `{0}`")]
    Unreadable(PathBuf, #[source] io::Error),
    /// Two folders give one name.
    #[error("the workspaces in `{first}` and `{second}` have the same name, `{name}`")]
    SameName {
        /// The name.
        name: String,
        /// The folder that comes first.
        first: String,
        /// The other folder.
        second: String,
    },
}

impl FleetError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable(..) => "make the folder readable, or choose another one with -C",
            Self::SameName { .. } => "rename one of the folders: `/` becomes `-` in a name",
        }
    }
}

/// A workspace as it was found.
#[derive(Debug)]
pub struct FoundWorkspace {
    /// Its folder, relative to the one that was searched, with `/`; empty for that folder itself.
    pub dir: String,
    /// Its valid settings, or the first error in its `convertalk.yaml`.
    pub workspace: Result<Workspace, Box<Diagnostic>>,
}

impl FoundWorkspace {
    /// The name of its job.
    pub fn name(&self) -> String {
        if self.dir.is_empty() {
            "root".to_owned()
        } else {
            self.dir.replace('/', "-")
        }
    }
}

/// Finds every workspace in `root` and below it, sorted by folder. Hidden and linked folders are skipped.
///
/// # Errors
/// A folder cannot be read, or two workspaces have the same name.
pub fn find(root: &Path, overrides: &Overrides) -> Result<Vec<FoundWorkspace>, FleetError> {
    let mut folders = folders(root)?;
    folders.sort();
    let found: Vec<FoundWorkspace> = folders
        .into_par_iter()
        .map(|(dir, path)| FoundWorkspace {
            workspace: read(&path, overrides),
            dir,
        })
        .collect();
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    for one in &found {
        if let Some(first) = names.insert(one.name(), &one.dir) {
            return Err(FleetError::SameName {
                name: one.name(),
                first: shown(first).to_owned(),
                second: one.dir.clone(),
            });
        }
    }
    Ok(found)
}

/// A workspace's folder as readers see it.
pub fn shown(dir: &str) -> &str {
    if dir.is_empty() { "." } else { dir }
}

/// The folders that hold a workspace file: the path with `/` relative to `root`, and the path to open.
fn folders(root: &Path) -> Result<Vec<(String, PathBuf)>, FleetError> {
    let mut holding = Vec::new();
    let mut open = vec![(String::new(), root.to_owned())];
    while let Some((dir, path)) = open.pop() {
        let unreadable = |error| FleetError::Unreadable(path.clone(), error);
        for entry in fs::read_dir(&path).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name();
            if name == config::FILE {
                holding.push((dir.clone(), path.clone()));
            } else if entry.file_type().map_err(unreadable)?.is_dir() {
                let name = name.to_string_lossy();
                if !name.starts_with('.') {
                    let below = if dir.is_empty() {
                        name.into_owned()
                    } else {
                        format!("{dir}/{name}")
                    };
                    open.push((below, entry.path()));
                }
            }
        }
    }
    Ok(holding)
}

fn read(folder: &Path, overrides: &Overrides) -> Result<Workspace, Box<Diagnostic>> {
    let text = file::text(folder, &config::FILE.into())?;
    let (workspace, diagnostics) = config::parse(folder, &text, overrides);
    workspace.ok_or_else(|| {
        let first = diagnostics.into_iter().find(Diagnostic::is_error);
        Box::new(first.unwrap_or_else(|| {
            Diagnostic::whole(Code::Unreadable, config::FILE, "this file cannot be used")
        }))
    })
}

/// What differs between two commits, by paths from the top of the repository.
#[derive(Debug)]
pub struct Difference {
    /// The way from the top to the folder that was searched, with `/` at its end; empty for the top.
    pub prefix: String,
    /// The paths that differ: of a moved file, the old one and the new one.
    pub paths: BTreeSet<String>,
    /// Those of them that only one of the commits has.
    pub came_or_went: BTreeSet<String>,
    /// The paths that are links or submodules in the newer commit, or were and differ.
    pub links: BTreeSet<String>,
}

/// For each workspace, whether its workspace file, a lead file, its seed or a test differs.
///
/// A file belongs to the nearest workspace above it. Where lead files may lie behind a link, any change in the workspace counts,
/// and so it does in a broken one: its globs are not known. A submodule that differs counts for every workspace in it, and a workspace
/// file that came or went for the workspace around it, too, whose files those are or were.
pub fn changed(found: &[FoundWorkspace], difference: &Difference) -> Vec<bool> {
    let by_dir: BTreeMap<&str, usize> = found
        .iter()
        .enumerate()
        .map(|(at, one)| (one.dir.as_str(), at))
        .collect();
    let takes: Vec<_> = found.iter().map(|one| own_files(one)).collect();
    let mut behind_links = vec![false; found.len()];
    for link in &difference.links {
        if let Some((at, within)) = owner(&by_dir, &difference.prefix, link)
            && let Ok(workspace) = &found[at].workspace
        {
            behind_links[at] |= discover::may_hold(&workspace.leads, within);
        }
    }
    let mut changed: Vec<bool> = found
        .iter()
        .map(|one| {
            seed(one, &difference.prefix).is_some_and(|seed| difference.paths.contains(&seed))
        })
        .collect();
    for path in &difference.paths {
        if let Some((at, within)) = owner(&by_dir, &difference.prefix, path) {
            changed[at] |= behind_links[at] || takes[at](within);
        }
    }
    for path in &difference.came_or_went {
        if let Some((dir, config::FILE)) = path.rsplit_once('/')
            && let Some((around, _)) = owner(&by_dir, &difference.prefix, dir)
        {
            changed[around] = true;
        }
    }
    for (at, one) in found.iter().enumerate() {
        let dir = format!("{}{}", difference.prefix, one.dir);
        changed[at] |= above(&dir).any(|path| difference.paths.contains(path));
    }
    changed
}

/// A folder, and those above it. No file can have such a path: one that differs is a submodule.
fn above(dir: &str) -> impl Iterator<Item = &str> {
    let dir = dir.trim_end_matches('/');
    std::iter::successors(Some(dir), |dir| Some(dir.rsplit_once('/')?.0))
}

/// The nearest workspace above a path, and the path within it.
fn owner<'p>(
    by_dir: &BTreeMap<&str, usize>,
    prefix: &str,
    path: &'p str,
) -> Option<(usize, &'p str)> {
    let path = path.strip_prefix(prefix)?;
    let mut dir = path;
    while let Some((above, _)) = dir.rsplit_once('/') {
        if let Some(at) = by_dir.get(above) {
            return Some((*at, &path[above.len() + 1..]));
        }
        dir = above;
    }
    by_dir.get("").map(|at| (*at, path))
}

/// Whether a path within a workspace is one of the files that make it up.
fn own_files(found: &FoundWorkspace) -> Box<dyn Fn(&str) -> bool + '_> {
    match &found.workspace {
        Err(_) => Box::new(|_| true),
        Ok(workspace) => {
            let takes = discover::matcher(&workspace.leads);
            Box::new(move |path| path == config::FILE || takes(path) || is_test(path))
        }
    }
}

/// `tests/NAME.yaml`
fn is_test(path: &str) -> bool {
    path.strip_prefix("tests/")
        .is_some_and(|name| name.ends_with(".yaml") && !name.contains('/'))
}

/// The path of a workspace's seed from the top of the repository.
fn seed(found: &FoundWorkspace, prefix: &str) -> Option<String> {
    let seed = found.workspace.as_ref().ok()?.api.seed.as_ref()?;
    let parts: Vec<_> = Path::new(prefix)
        .join(&found.dir)
        .components()
        .chain(seed.components())
        .filter(|part| *part != Component::CurDir)
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    Some(parts.join("/"))
}

/// One of several parts of a fleet: `2/10`, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u64,
    count: u64,
}

impl Shard {
    /// Whether a workspace of this name is in this part. It depends on the name alone, so that a new workspace moves no other.
    pub fn holds(self, name: &str) -> bool {
        let hash = Sha256::digest(name.as_bytes());
        let first = hash.iter().take(8);
        let number = first.fold(0, |number: u64, byte| (number << 8) | u64::from(*byte));
        number % self.count == self.index - 1
    }
}

impl FromStr for Shard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('/');
        let numbers = parts.and_then(|(index, count)| {
            Some((index.trim().parse().ok()?, count.trim().parse().ok()?))
        });
        match numbers {
            Some((index, count)) if (1..=count).contains(&index) => Ok(Self { index, count }),
            _ => Err("write I/N, counted from 1, such as 2/10"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_hold_each_name_once_and_a_new_one_moves_no_other() {
        let names: Vec<String> = (0..200).map(|number| format!("team-{number}")).collect();
        let shards: Vec<Shard> = (1..=7).map(|index| Shard { index, count: 7 }).collect();
        for name in &names {
            assert_eq!(shards.iter().filter(|shard| shard.holds(name)).count(), 1);
        }
        for shard in &shards {
            let held = names.iter().filter(|name| shard.holds(name)).count();
            assert!((10..=50).contains(&held), "{shard:?} holds {held}");
        }
        assert!("1/1".parse::<Shard>().is_ok_and(|shard| shard.holds("x")));
    }

    #[test]
    fn shards_that_do_not_exist_are_errors() {
        for text in ["0/3", "4/3", "1/0", "1", "a/b", "-1/2", ""] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }

    #[test]
    fn tests_are_the_yaml_files_of_one_folder() {
        assert!(is_test("tests/policy.yaml"));
        assert!(!is_test("tests/deep/policy.yaml"));
        assert!(!is_test("leads/tests.yaml"));
    }
}
