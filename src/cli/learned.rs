//! What runs learned about the platform, around a plan and a run.

use super::session::{now, target};
use super::ui::Ui;
use crate::apply::platform::{self, Knowledge, PlatformRecord};
use crate::config::Workspace;
use crate::plan::Change;
use crate::report::style::visible;

/// Keeps what was learned about the platform. A run that could not do so has done no less.
pub(super) fn keep(workspace: &Workspace, knowledge: &Knowledge, ui: &Ui) {
    let root = &workspace.root;
    let record = PlatformRecord {
        format_version: platform::FORMAT_VERSION,
        target: target(workspace),
        updated_at: now(),
        knowledge: knowledge.clone(),
    };
    let kept = crate::state::folder(root)
        .map_err(|error| error.to_string())
        .and_then(|_| platform::save(root, &record).map_err(|error| error.to_string()));
    if let Err(error) = kept {
        ui.warning(&format!(
            "what was learned about the platform is not kept: {error}"
        ));
    }
}

/// What earlier runs learned about this inbox. What of it these changes meet is noted.
pub(super) fn known(workspace: &Workspace, changes: &[Change], ui: &Ui) -> Knowledge {
    let known = platform::read(&workspace.root, &target(workspace)).unwrap_or_else(|why| {
        ui.note(&format!(
            "{} is ignored: {}",
            platform::path(&workspace.root).display(),
            visible(&why)
        ));
        Knowledge::default()
    });
    let fields = changes.iter().flat_map(|change| change.fields.iter());
    let groups = fields.map(|change| change.field.id().group()).collect();
    let lines = known.lines_about(&groups);
    if !lines.is_empty() {
        let lines = visible(&lines.join("; ")).to_string();
        ui.note(&format!(
            "earlier runs learned about this platform: {lines}"
        ));
    }
    known
}
