//! The program's own files: `.convertalk/` next to the workspace file, ignored by a `.gitignore` of its own.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// The files in it that no command writes by another name, from the root of the workspace.
pub const FILES: &[&str] = &[
    ".convertalk/.gitignore",
    ".convertalk/applied.json",
    ".convertalk/listing.json",
    ".convertalk/lock",
    ".convertalk/platform.json",
    ".convertalk/sandbox.json",
    ".convertalk/watch.json",
];

/// Refuses a path in the folder that is a link, or goes through one: an author of the workspace could point it anywhere. A path elsewhere is
/// the user's own, and may be one.
///
/// # Errors
/// It is a link.
pub fn refuse_links(root: &Path, path: &Path) -> io::Result<()> {
    let Ok(within) = path.strip_prefix(root) else {
        return Ok(());
    };
    if !within.starts_with(".convertalk") {
        return Ok(());
    }
    let mut at = root.to_owned();
    for part in within {
        at.push(part);
        if fs::symlink_metadata(&at).is_ok_and(|meta| meta.is_symlink()) {
            let name = at.strip_prefix(root).unwrap_or(&at);
            let error = format!(
                "{} is a link, which may lead out of the workspace: remove it, and run this again",
                name.display()
            );
            return Err(io::Error::new(io::ErrorKind::NotADirectory, error));
        }
    }
    Ok(())
}

/// The folder, created if it does not exist. A link is refused.
///
/// # Errors
/// The folder cannot be created, or is not a folder.
pub fn folder(root: &Path) -> io::Result<PathBuf> {
    let folder = root.join(".convertalk");
    fs::create_dir_all(&folder)?;
    refuse_links(root, &folder)?;
    let ignore = folder.join(".gitignore");
    // A full disk may have left it empty.
    let is_missing =
        fs::symlink_metadata(&ignore).map_or(true, |meta| meta.is_file() && meta.len() == 0);
    if is_missing {
        fs::write(ignore, "*\n")?;
    }
    Ok(folder)
}

/// The default path of a run file: its name sorts by time.
///
/// # Errors
/// The folder cannot be created.
pub fn run_file(root: &Path, run_id: &str) -> io::Result<PathBuf> {
    let runs = folder(root)?.join("runs");
    fs::create_dir_all(&runs)?;
    refuse_links(root, &runs)?;
    Ok(runs.join(format!("{run_id}.jsonl")))
}

/// A lock that one run holds at a time and that ends with the process. `None` if another run holds it.
///
/// # Errors
/// The lock file cannot be created.
pub fn lock(root: &Path) -> io::Result<Option<File>> {
    let path = folder(root)?.join("lock");
    refuse_links(root, &path)?;
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(None)
}

/// A process that was just started (for example git) has a copy of a lock that is held or was just given up, until it runs its own program.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_ignored_by_git_again_where_its_file_was_left_empty() {
        let root = tempfile::tempdir().expect("a folder");
        let ignore = root.path().join(".convertalk/.gitignore");
        for before in [None, Some(""), Some("*\n!applied.json\n")] {
            if let Some(before) = before {
                fs::write(&ignore, before).expect("a file");
            }
            folder(root.path()).expect("a folder");
            let text = fs::read_to_string(&ignore).expect("a file");
            assert_eq!(
                text,
                before.filter(|text| !text.is_empty()).unwrap_or("*\n")
            );
        }
    }
}
