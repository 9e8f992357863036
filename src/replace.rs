//! Writing files: whole, or not at all.
//!
//! What is written is written beside the file and put in its place in one step, so that whoever reads it sees the old one or the new
//! one. [`replace`] is for people's files: given the bytes that a file was read with, it keeps permissions and owner, follows a link to
//! what it leads to, and leaves alone what is no longer what was read. [`create`] is for files that are not to be there yet, and
//! [`write()`] for results, which take the place of whatever is there.

use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

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
    let (file, ()) =
        beside(&real, Some(meta.permissions()), |out| out.write_all(new)).map_err(failed)?;
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
    if let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let (file, ()) = beside(path, None, |out| out.write_all(bytes)).map_err(failed)?;
    file.persist_noclobber(path)
        .map_err(|error| failed(error.error))?;
    Ok(())
}

/// Writes a result. A pipe or a device is written to: there is nothing to replace.
///
/// # Errors
/// There is no such folder, or it cannot be written.
pub fn write<T>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> Result<T, ReplaceError> {
    let failed = |source| ReplaceError::Io(path.to_owned(), source);
    if !folder(path).is_dir() {
        return Err(failed(io::Error::other("there is no such folder")));
    }
    if path.exists() && !path.is_file() {
        return File::options()
            .write(true)
            .open(path)
            .and_then(|mut file| write(&mut file))
            .map_err(failed);
    }
    let (file, written) = beside(path, None, write).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(written)
}

fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn beside<T>(
    path: &Path,
    permissions: Option<Permissions>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> io::Result<(NamedTempFile, T)> {
    let file = tempfile::Builder::new()
        .prefix(".convertalk-")
        .permissions(usual())
        .tempfile_in(folder(path))?;
    let mut out = BufWriter::new(file);
    let written = write(&mut out)?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    Ok((file, written))
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
