//! Python packages to compare with, in a virtual environment below `target/`; where they cannot be installed, rows are skipped.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::table::Table;

const PACKAGES: [&str; 3] = ["requests==2.34.2", "PyYAML==6.0.4", "octodns==1.22.0"];
const IMPORTS: &str = "import requests, yaml, octodns; yaml.CSafeLoader";

/// A virtual environment with the packages.
pub(crate) struct Venv(PathBuf);

impl Venv {
    /// For those of these rows that are asked for; where it cannot be made, they are skipped.
    pub(crate) fn for_rows(table: &mut Table, rows: &[&str]) -> Option<Self> {
        if !table.wants_any(rows) {
            return None;
        }
        let made = Self::make();
        if let Err(why) = &made {
            let wanted: Vec<&&str> = rows.iter().filter(|what| table.wants(what)).collect();
            wanted.iter().for_each(|what| table.skip(what, why));
        }
        made.ok()
    }

    fn make() -> Result<Self, String> {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("ratios-venv");
        let venv = Self(folder);
        if venv.has_packages() {
            return Ok(venv);
        }
        let mut create = Command::new("python3");
        create.args(["-m", "venv"]).arg(&venv.0);
        succeed(create, "python3 -m venv")?;
        let mut install = Command::new(venv.program("python"));
        install
            .args(["-m", "pip", "install", "--quiet"])
            .args(["--disable-pip-version-check", "--retries", "1"])
            .args(PACKAGES);
        succeed(install, "pip install")?;
        if venv.has_packages() {
            Ok(venv)
        } else {
            Err("the Python packages cannot be imported".to_owned())
        }
    }

    /// The path of one of its programs.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.0.join("bin").join(name)
    }

    fn has_packages(&self) -> bool {
        let mut import = Command::new(self.program("python"));
        import.args(["-c", IMPORTS]);
        succeed(import, "python").is_ok()
    }
}

fn succeed(mut command: Command, what: &str) -> Result<(), String> {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    match quiet.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{what}` failed: {status}")),
        Err(error) => Err(format!("`{what}` failed: {error}")),
    }
}
