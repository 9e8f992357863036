//! convertalk makes lead state declarative: files say what a lead's status, tags and agent should be, `plan` shows what would
//! change in the live inbox, `apply` makes exactly those changes and proves by reading back that they took.
//!
//! # The pipeline
//!
//! ```text
//! load → validate → observe → diff → plan → report
//!  files   Desired    Live    Standing  Plan → apply → verify (observe and diff again)
//! ```
//!
//! Data flows one way. [`workspace`] turns files into [`desired`]; [`observe`] turns pages of a listing into
//! [`Live`](observe::Live); [`diff`] compares the two, field by field; [`plan`] holds the differences against the policy;
//! [`report`] tells the plan, [`apply`] carries it out. Both sides of every comparison speak the values of [`lead`].
//!
//! # Who may do what
//!
//! - [`lead`], [`desired`], [`diff`], [`plan`], [`redaction`] and [`report`] are pure: no I/O, no clock, no randomness, no
//!   environment. Equal input gives equal bytes.
//! - [`api`] alone reaches the network. It implements [`observe::Reader`] and, made with a write token, [`apply::Writer`];
//!   whoever is given a `Reader` cannot write, and that is how `plan` is safe.
//! - [`snapshot`] is a [`observe::Reader`] over a file: a plan without credentials.
//! - [`atomic_file`] writes files: the old content or the new one, also after a power cut.
//! - [`cli`] alone names them all, and alone reads the environment and the clock.
//! - [`sandbox`] is the other end of the wire: a small real server. It shares no type with the client, so that the tests hold
//!   two readings of the API's documents against each other.
//!
//! # The vocabulary
//!
//! *Desired* is what the files say, *live* what the API lists, *base* what the files said at an earlier commit. A *change* is a
//! difference that a plan would write; *drift* is a difference that the files did not make. *Verify* is reading back.
//!
//! # Adding a managed field
//!
//! An entry of the table in [`lead::field`]. Everything else loops over the table and matches on a field's kind only; a new kind is
//! a variant of [`lead::Kind`], and the compiler names every place that has to know it.

pub mod api;
pub mod apply;
pub mod atomic_file;
pub mod cancel;
pub mod cli;
pub mod config;
pub mod config_test;
pub mod diff;
pub mod duration;
pub mod error;
pub mod fleet;
pub mod git;
mod instance;
pub mod lead;
pub mod lead_file;
pub mod observe;
pub mod plan;
pub mod policy;

pub mod redaction;
pub mod report;
pub mod sandbox;
pub mod select;
pub mod snapshot;
pub mod state;

pub mod text;
pub mod yaml;
