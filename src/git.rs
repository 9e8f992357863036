//! What git knows about a workspace: the files of other commits, and who last changed a line.

pub mod base;
mod batch;
pub mod blame;
mod commits;
pub mod fetch;
pub mod head;
pub mod history;
pub mod repository;
pub mod runner;
