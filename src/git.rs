//! What git knows of a workspace: the files of other commits, and who changed a line last.

pub mod base;
pub mod blame;
