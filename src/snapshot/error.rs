//! Why a snapshot cannot be used.

use std::io;
use std::path::PathBuf;

use crate::instance::{OtherVersion, SchemaFault};

/// Why a snapshot cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// Another kind of file, or damaged.
    #[error("{}: not a snapshot: {fault}", path.display())]
    NotASnapshot {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        fault: SchemaFault,
    },
    /// Written by another version of this program.
    #[error("{}: the snapshot has {version}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: OtherVersion,
    },
    /// The last line is missing.
    #[error("{}: the snapshot is cut off: its last line is missing, or does not match the number of leads", path.display())]
    CutOff {
        /// The file.
        path: PathBuf,
    },
    /// The snapshot is for another inbox.
    #[error("{}: the snapshot is for another endpoint, bot or customer", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
}

impl SnapshotError {
    /// The hint.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } | Self::NotASnapshot { .. } | Self::CutOff { .. } => {
                "make one with `convertalk snapshot --out FILE`"
            }
            Self::Version { version, .. } if version.is_newer() => {
                "use a newer version of convertalk, or make a new snapshot"
            }
            Self::Version { .. } => "make a new snapshot",
            Self::Foreign { .. } => {
                "make it in this workspace, with the same environment variables"
            }
        }
    }
}
