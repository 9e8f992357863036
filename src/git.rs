//! What git knows of a workspace: the files of other commits, and who changed a line last.

pub mod base;
mod batch;
pub mod blame;
pub mod head;
pub mod history;
