//! Where a repository is, by its folders alone: known without git, and where git refuses to read it.

use std::path::{Path, PathBuf};

/// The top of the repository that contains a folder: the nearest one with `.git` in it.
pub fn top(folder: &Path) -> Option<PathBuf> {
    let folder = std::fs::canonicalize(folder).ok()?;
    let is_top = |folder: &&Path| {
        let git = folder.join(".git");
        // A file in a linked work tree and in a submodule.
        git.is_file() || git.join("HEAD").exists()
    };
    folder.ancestors().find(is_top).map(Path::to_owned)
}

/// The path from the top of the repository to a folder in it, with `/` at its end; empty at the top. `None` outside of a repository.
pub fn prefix(folder: &Path) -> Option<String> {
    path_below(&top(folder)?, folder)
}

/// The path from a folder to another one in it, with `/` at its end. `None` where that is not in it.
pub fn path_below(above: &Path, folder: &Path) -> Option<String> {
    let folder = std::fs::canonicalize(folder).ok()?;
    let below = folder
        .strip_prefix(std::fs::canonicalize(above).ok()?)
        .ok()?;
    let names = below
        .components()
        .map(|part| part.as_os_str().to_string_lossy());
    Some(names.map(|name| format!("{name}/")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_within_a_repository_needs_no_git() {
        let folder = tempfile::tempdir().expect("a folder");
        let inbox = folder.path().join("crm/eu");
        std::fs::create_dir_all(&inbox).expect("folders");
        assert_eq!(
            path_below(folder.path(), &inbox).as_deref(),
            Some("crm/eu/")
        );
        assert_eq!(path_below(&inbox, folder.path()), None);
        std::fs::create_dir(folder.path().join("crm/.git")).expect("a folder");
        std::fs::write(folder.path().join("crm/.git/HEAD"), "ref: x").expect("a file");
        assert_eq!(prefix(&inbox).as_deref(), Some("eu/"));
        assert_eq!(prefix(&folder.path().join("crm")).as_deref(), Some(""));
        std::fs::write(inbox.join(".git"), "gitdir: elsewhere").expect("a file");
        assert_eq!(prefix(&inbox).as_deref(), Some(""));
    }
}
