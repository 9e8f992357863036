//! Replacing files: whole, or not at all.
//!
//! Given a file, the bytes that it was read with, and new ones; the new ones are written beside it and put in its place in one step,
//! with its permissions. A link stays a link: what it leads to is replaced. A file that is no longer what was read is left alone.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Why a file was not written. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// Somebody else wrote it.
    #[error("{} has changed while it was worked on; it was left as it is", .0.display())]
    Changed(PathBuf),
    /// It, or its folder, cannot be written.
    #[error("cannot write {}", .0.display())]
    Io(PathBuf, #[source] io::Error),
}

/// Puts `new` in the place of a file that held `old`.
///
/// # Errors
/// The file is not what it was, is read-only, or cannot be written.
pub fn replace(path: &Path, old: &[u8], new: &[u8]) -> Result<(), ReplaceError> {
    let failed = |source| ReplaceError::Io(path.to_owned(), source);
    let real = fs::canonicalize(path).map_err(failed)?;
    let meta = fs::metadata(&real).map_err(failed)?;
    if !meta.is_file() || meta.permissions().readonly() {
        return Err(failed(io::Error::from(io::ErrorKind::PermissionDenied)));
    }
    let file = beside(&real, new, Some(meta.permissions())).map_err(failed)?;
    keep_owner(file.path(), &meta);
    if fs::read(&real).map_err(failed)? != old {
        return Err(ReplaceError::Changed(path.to_owned()));
    }
    file.persist(&real).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Writes a file that is not there yet, and the folders above it.
///
/// # Errors
/// There is one by now, or it cannot be written.
pub fn create(path: &Path, bytes: &[u8]) -> Result<(), ReplaceError> {
    let failed = |source| ReplaceError::Io(path.to_owned(), source);
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let file = beside(path, bytes, None).map_err(failed)?;
    file.persist_noclobber(path).map_err(|error| failed(error.error))?;
    Ok(())
}

fn beside(path: &Path, bytes: &[u8], permissions: Option<Permissions>) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".convertalk-").permissions(usual()).tempfile_in(folder)?;
    file.write_all(bytes)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    Ok(file)
}

#[cfg(unix)]
fn usual() -> Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o644)
}

/// Where one user works on another's files, they stay the other's. Whoever may not give files away keeps them.
#[cfg(unix)]
fn keep_owner(path: &Path, meta: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, chown};
    let _not_ours_to_give = chown(path, Some(meta.uid()), Some(meta.gid()));
}
