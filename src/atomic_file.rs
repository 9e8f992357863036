//! Atomic file writes: a reader sees the old file or the new one, never a part of either.
//!
//! The content goes to a temporary file in the same folder, is synced to disk, and is renamed into place; then the folder is synced.
//! A crash or a power cut leaves the old file or the new one. [`replace`] edits people's files: it keeps permissions and owner,
//! follows links, and refuses a file that no longer holds what was read. [`create`] refuses to overwrite. [`write()`] is for results,
//! which replace any file of that name.

use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// For results: plans, reports and snapshots hold people's data.
const PRIVATE: u32 = 0o600;
/// For files of a workspace, which git and editors share. The umask applies.
const SHARED: u32 = 0o644;

/// Why a file was not written. The file is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Another program wrote the file after it was read.
    #[error("{} was changed by another program; it was left unchanged", .0.display())]
    Changed(PathBuf),
    /// The file or its folder cannot be written.
    #[error("cannot write {}", .0.display())]
    Io(PathBuf, #[source] io::Error),
}

/// Replaces a file that held `old` by one that holds `new`.
///
/// # Errors
/// The file no longer holds `old`, is read-only, or cannot be written.
pub fn replace(path: &Path, old: &[u8], new: &[u8]) -> Result<(), WriteError> {
    let failed = |source| WriteError::Io(path.to_owned(), source);
    let real = fs::canonicalize(path).map_err(failed)?;
    let meta = fs::metadata(&real).map_err(failed)?;
    if !meta.is_file() || meta.permissions().readonly() {
        return Err(failed(io::Error::from(io::ErrorKind::PermissionDenied)));
    }
    let (file, ()) = temporary(&real, PRIVATE, |out| out.write_all(new)).map_err(failed)?;
    file.as_file()
        .set_permissions(meta.permissions())
        .map_err(failed)?;
    keep_owner(file.path(), &meta);
    file.as_file().sync_all().map_err(failed)?;
    // As late as possible, so that an edit made meanwhile is not lost.
    if fs::read(&real).map_err(failed)? != old {
        return Err(WriteError::Changed(path.to_owned()));
    }
    file.persist(&real).map_err(|error| failed(error.error))?;
    sync_folder(&real);
    Ok(())
}

/// Writes a file that does not exist yet, and creates the folders above it.
///
/// # Errors
/// The file exists, or it cannot be written.
pub fn create(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let failed = |source| WriteError::Io(path.to_owned(), source);
    fs::create_dir_all(folder(path)).map_err(failed)?;
    let (file, ()) = temporary(path, SHARED, |out| out.write_all(bytes)).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist_noclobber(path)
        .map_err(|error| failed(error.error))?;
    sync_folder(path);
    Ok(())
}

/// Writes a result that only its owner may read. A pipe or a device is written to directly, because it cannot be replaced.
///
/// # Errors
/// The folder does not exist, or the file cannot be written.
pub fn write<T>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> Result<T, WriteError> {
    let failed = |source| WriteError::Io(path.to_owned(), source);
    if !folder(path).is_dir() {
        return Err(failed(io::Error::other("the folder does not exist")));
    }
    if path.exists() && (!path.is_file() || is_open_file(path)) {
        return File::options()
            .write(true)
            .open(path)
            .and_then(|mut file| write(&mut file))
            .map_err(failed);
    }
    let (file, written) = temporary(path, PRIVATE, write).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    sync_folder(path);
    Ok(written)
}

/// Whether a path is the system's link to a file that a program has open.
fn is_open_file(path: &Path) -> bool {
    ["/dev/stderr", "/dev/fd", "/proc"]
        .iter()
        .any(|name| path.starts_with(name))
}

fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// A temporary file in the folder of `path`, so that the rename stays on one file system.
fn temporary<T>(
    path: &Path,
    mode: u32,
    write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> io::Result<(NamedTempFile, T)> {
    let file = tempfile::Builder::new()
        .prefix(".convertalk-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder(path))?;
    let mut out = BufWriter::new(file);
    let written = write(&mut out)?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok((file, written))
}

/// Makes the rename durable. A failure is not reported: the new file is in place, and some file systems cannot sync folders.
fn sync_folder(path: &Path) {
    if let Ok(folder) = File::open(folder(path)) {
        let _not_supported_everywhere = folder.sync_all();
    }
}

/// Keeps the owner where one user edits another's file. A user who may not give files away becomes the owner.
fn keep_owner(path: &Path, meta: &fs::Metadata) {
    let _not_ours_to_give = chown(path, Some(meta.uid()), Some(meta.gid()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| {
                let name = entry.expect("an entry").file_name();
                name.to_string_lossy().into_owned()
            })
            .collect()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("a file").permissions().mode() & 0o777
    }

    #[test]
    fn a_file_that_changed_since_it_was_read_is_not_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.yaml");
        fs::write(&path, "theirs").expect("a file");
        let error = replace(&path, b"as read", b"new").expect_err("refused");
        assert!(matches!(error, WriteError::Changed(_)), "{error}");
        assert_eq!(fs::read(&path).expect("a file"), b"theirs");
        assert_eq!(names(folder.path()), ["a.yaml"]);
    }

    #[test]
    fn a_file_that_was_deleted_since_it_was_read_is_not_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = replace(&folder.path().join("a.yaml"), b"as read", b"new");
        assert!(matches!(error, Err(WriteError::Io(..))), "{error:?}");
        assert_eq!(names(folder.path()), [""; 0]);
    }

    #[test]
    fn a_replaced_file_keeps_its_permissions() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.yaml");
        fs::write(&path, "old").expect("a file");
        fs::set_permissions(&path, Permissions::from_mode(0o664)).expect("permissions");
        replace(&path, b"old", b"new").expect("replaced");
        assert_eq!(mode(&path), 0o664);
        assert_eq!(fs::read(&path).expect("a file"), b"new");
    }

    #[test]
    fn a_file_that_exists_is_not_created_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new/folder/a.yaml");
        create(&path, b"first").expect("created");
        assert!(matches!(create(&path, b"second"), Err(WriteError::Io(..))));
        assert_eq!(fs::read(&path).expect("a file"), b"first");
        assert_eq!(names(&folder.path().join("new/folder")), ["a.yaml"]);
    }

    #[test]
    fn a_result_is_private_whatever_it_replaces() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("plan.json");
        fs::write(&path, "old").expect("a file");
        fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("permissions");
        write(&path, |out| out.write_all(b"new")).expect("written");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(fs::read(&path).expect("a file"), b"new");
    }

    #[test]
    fn a_result_that_fails_halfway_leaves_the_old_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("plan.json");
        fs::write(&path, "old").expect("a file");
        let failed = write(&path, |out| -> io::Result<()> {
            out.write_all(b"half")?;
            Err(io::Error::other("no more"))
        });
        assert!(matches!(failed, Err(WriteError::Io(..))));
        assert_eq!(fs::read(&path).expect("a file"), b"old");
        assert_eq!(names(folder.path()), ["plan.json"]);
    }
}
