//! What the program keeps for itself: `.convertalk/` beside the workspace file, git-ignored by a `.gitignore` of its own.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The folder, made if need be. A link is refused: it may lead anywhere, and whoever wrote the workspace may have put it there.
///
/// # Errors
/// It cannot be made, or is no folder.
pub fn folder(root: &Path) -> io::Result<PathBuf> {
    let folder = root.join(".convertalk");
    fs::create_dir_all(&folder)?;
    if fs::symlink_metadata(&folder)?.is_symlink() {
        return Err(io::Error::new(
            io::ErrorKind::NotADirectory,
            ".convertalk is a link",
        ));
    }
    match File::options()
        .write(true)
        .create_new(true)
        .open(folder.join(".gitignore"))
    {
        Ok(mut ignore) => ignore.write_all(b"*\n")?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    Ok(folder)
}

/// Where run files go unless `--run-file` says otherwise: a name for each run that sorts by time.
///
/// # Errors
/// The folder cannot be made.
pub fn run_file(root: &Path, run_id: &str) -> io::Result<PathBuf> {
    let runs = folder(root)?.join("runs");
    fs::create_dir_all(&runs)?;
    if fs::symlink_metadata(&runs)?.is_symlink() {
        return Err(io::Error::new(
            io::ErrorKind::NotADirectory,
            ".convertalk/runs is a link",
        ));
    }
    Ok(runs.join(format!("{run_id}.jsonl")))
}

/// A lock that one run at a time holds, and that ends with the process however it ends. `None` where another holds it.
///
/// # Errors
/// The lock file cannot be made.
pub fn lock(root: &Path) -> io::Result<Option<File>> {
    let path = folder(root)?.join("lock");
    if fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_symlink()) {
        return Err(io::Error::other(".convertalk/lock is a link"));
    }
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
