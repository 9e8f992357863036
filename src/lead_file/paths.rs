//! The lead files of a workspace, for those who write them: which there are, what they hold, and where a new one goes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::config::{FILE, Overrides, Workspace, configure};
use crate::lead_file::discover as files;
use crate::policy::Agent;
use crate::yaml::diagnostic::{Code, Diagnostic};
use crate::yaml::file as load;

impl Workspace {
    /// Whether a path, relative to its folder, is one of a lead file, of this workspace or of one within it.
    pub fn takes(&self, path: &str) -> bool {
        files::matcher(&self.leads)(path)
    }

    /// Whether a path is one of a lead file of this workspace.
    pub fn owns(&self, path: &str) -> bool {
        let mut above = Path::new(path).ancestors().skip(1);
        let is_nested = above.any(|folder| {
            !folder.as_os_str().is_empty() && self.root.join(folder).join(FILE).is_file()
        });
        self.takes(path) && !is_nested
    }
}

/// The paths of the lead files of the workspace in `root`, in order, and what is wrong with its globs and folders. Whatever else is
/// wrong with `convertalk.yaml` does not matter here.
pub fn lead_files(root: &Path) -> (Vec<Arc<str>>, Vec<Diagnostic>) {
    let text = match load::text(root, &FILE.into()) {
        Ok(text) => text,
        Err(error) => return (Vec::new(), vec![*error]),
    };
    let (settings, mut diagnostics) = configure(root, &text, &Overrides::default());
    if settings.workspace.is_some() {
        diagnostics.retain(|made| made.code == Code::BadGlob);
    }
    let globs: Vec<String> = settings.globs.into_iter().map(|(glob, _)| glob).collect();
    let found = files::find(root, &globs);
    diagnostics.extend(found.diagnostics);
    (
        found.files.into_iter().map(Arc::from).collect(),
        diagnostics,
    )
}

/// The agents of the workspace in `root`; `None` where its file has an error.
pub fn agents(root: &Path) -> Option<BTreeMap<String, Agent>> {
    let text = load::text(root, &FILE.into()).ok()?;
    let (workspace, _) = crate::config::parse(root, &text, &Overrides::default());
    workspace.map(|workspace| workspace.agents)
}

/// Reads one file below a folder as text, or says why it is none.
///
/// # Errors
/// It is not there, no file, not UTF-8 or too large.
pub fn read_text(root: &Path, file: &Arc<str>) -> Result<String, Box<Diagnostic>> {
    load::text(root, file)
}
