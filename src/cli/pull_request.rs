//! What pipelines say of a pull request: the branch that it is to be merged into, and where its files are.

use std::path::Path;

use super::ui::Ui;
use crate::git::base::{self, BaseError};
use crate::git::repository::{path_below, prefix};

/// The merge base with the target branch, from the variables that GitHub and GitLab set.
///
/// Not `CI_MERGE_REQUEST_DIFF_BASE_SHA`: for merged results and merge trains, HEAD also holds what the target branch has changed
/// since, and that would count as the merge request's.
pub(super) fn merge_base(root: &Path) -> Result<String, BaseError> {
    let branch = target_branch().ok_or(BaseError::NoPullRequest)?;
    base::merge_base(root, &format!("origin/{branch}"))
}

fn target_branch() -> Option<String> {
    set("GITHUB_BASE_REF")
        .or_else(|| set("GITHUB_REF").as_deref().and_then(queued_for))
        .or_else(|| set("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"))
}

/// The way from the top of the repository to the workspace, with `/` at its end: annotations name their files from there.
///
/// A checkout that was downloaded without git has no `.git`; then it is where the pipeline says that it is.
/// `None` where neither is known: places are then relative to the workspace.
pub(super) fn prefix_of_places(root: &Path) -> Option<String> {
    let checkout = || {
        let folder = set("GITHUB_WORKSPACE").or_else(|| set("CI_PROJECT_DIR"))?;
        path_below(Path::new(&folder), root)
    };
    prefix(root).or_else(checkout)
}

/// Says why annotations may not be where their lines are.
pub(super) fn note_places(root: &Path, ui: &Ui) {
    if prefix_of_places(root).is_none() {
        ui.note("the workspace is in no git repository: the places of annotations are relative to its folder");
    }
}

fn set(name: &str) -> Option<String> {
    std::env::var(name)
        .ok()
        .filter(|text| !text.trim().is_empty())
}

/// The target of a merge queue's branch: `refs/heads/gh-readonly-queue/TARGET/pr-5-COMMIT`.
fn queued_for(reference: &str) -> Option<String> {
    let (branch, _) = reference
        .strip_prefix("refs/heads/gh-readonly-queue/")?
        .rsplit_once("/pr-")?;
    Some(branch.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merge_queue_names_its_target() {
        let queued = "refs/heads/gh-readonly-queue/release/1.x/pr-104-0123abcd";
        assert_eq!(queued_for(queued).as_deref(), Some("release/1.x"));
        assert_eq!(queued_for("refs/heads/main"), None);
    }
}
