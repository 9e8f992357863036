//! Desired: what the files say, valid and without places to look anything up.
//!
//! Made by `workspace` from the lead files alone; given to `diff`. Every value remembers the line that asks for it, because a
//! plan names that line.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::lead::{LeadId, Wanted};

/// A line of a file. The path is relative to the workspace's folder, with `/` between its parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// One value that is wanted, and the line that says so. With `defaults` in force, that is a line of `defaults`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// What is wanted.
    pub wanted: Wanted,
    /// The line, from 1, in the lead's own file.
    pub line: u32,
}

/// A lead as the files want it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredLead {
    /// Where its uuid stands.
    pub place: Place,
    /// For readers; never sent.
    pub label: Option<Box<str>>,
    /// Why it is held: it is never written, and no difference of it counts. `None` where it is not.
    pub hold: Option<Box<str>>,
    /// Whether it may be created where the API does not know it.
    pub create: bool,
    /// At most one for each field, in the fields' order.
    pub demands: Vec<Demand>,
}

/// All declared leads, by uuid.
pub type Desired = BTreeMap<LeadId, DesiredLead>;
