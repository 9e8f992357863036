//! convertalk makes lead state declarative: files declare each lead's status, tags and agent, `plan` shows what would
//! change in the live inbox, and `apply` makes exactly those changes and verifies them by reading them back.
//!
//! # The pipeline
//!
//! ```text
//! load → validate → observe → diff → plan → report
//!  files   Desired    Live     Diff   Plan → apply → verify (observe and diff again)
//! ```
//!
//! Data flows one way. [`config`] and [`lead_file`] turn files into [`Desired`](lead::desired::Desired); [`observe`] turns pages of
//! a listing into [`Live`](observe::Live); [`diff`] compares the two field by field; [`plan`] checks the differences against the
//! [`policy`]; [`report`] renders the plan and [`apply`] executes it. Both sides of every comparison use the values of [`lead`].
//!
//! Two steps of the diagram are not modules. *Load* is [`lead_file::load`]: it reads `convertalk.yaml` by [`config`] and all lead files by
//! `lead_file::discover` and [`yaml`]. *Validate* is `config::valid`, `lead_file::raw` and `lead_file::valid`, which [`lead_file::load`]
//! calls.
//!
//! # From a command to the PUT
//!
//! - `plan`: `cli::plan` → `cli::compared::plan` → [`plan::make()`].
//! - `apply`: `cli::apply` plans in the same way (or takes a saved plan), then `cli::execution::Execution::carry_out` →
//!   [`apply::run()`] → `apply::verify::write_and_verify` → `apply::write::write` → `apply::write::attempt::write_one` →
//!   [`apply::Writer::update`] → `api::Client`, which makes the body with `api::wire::update` and sends it with
//!   `api::http::Transport::attempt`.
//!
//! # Access
//!
//! - [`lead`], [`diff`], [`plan`], [`policy`], [`redaction`] and [`report`] are pure: no I/O, no clock, no randomness, no
//!   environment. Equal input gives equal bytes.
//! - Only [`api`] reaches the network; [`watch`] answers requests where it is asked to. `api` implements [`observe::Reader`] and, with a
//!   write token, [`apply::Writer`]. The holder of a `Reader` cannot write, which makes `plan` read-only by construction.
//! - [`snapshot`] is an [`observe::Reader`] over a file: a plan without credentials.
//! - [`hints`] keeps where leads were listed, so that the next plan looks there first.
//! - [`atomic_file`] replaces files atomically, even if the power fails.
//! - Only [`cli`] depends on every module, and only [`cli`] reads the environment and the clock.
//! - [`sandbox`] is the other end of the connection: a small HTTP server. It shares no type with the client, so that the tests compare
//!   two independent implementations of the API's documentation.
//!
//! # Other modules
//!
//! - [`cancel`]: stops a run, set by a signal, a deadline or a failure.
//! - [`config_test`]: the tests in `tests/*.yaml` of a workspace.
//! - [`duration`]: durations as people write them.
//! - [`error`]: why a command fails, with codes and hints, and the exit codes.
//! - [`fleet`]: finds the workspaces below a folder.
//! - [`git`]: the files of other commits, and who last changed a line.
//! - `instance`: compares documents that are read back (plans, run files, records) with their schemas.
//! - `json`: writes JSON with control, bidi and zero-width characters escaped.
//! - `loopback`: keeps pages of other sites away from servers on loopback.
//! - [`select`]: selectors, as in `--only` and in policy rules.
//! - [`state`]: the program's own files in `.convertalk/`.
//! - [`text`]: text for one line of a terminal, with what is invisible escaped.
//! - [`yaml`]: YAML with places, read and edited in place.
//!
//! # Terms
//!
//! *Desired* is what the files declare, *live* what the API lists, *base* what the files declared at an earlier commit. A *change* is
//! a difference that a plan would write; *drift* is a difference that the files did not make. To *verify* is to read back.
//!
//! # Adding a managed field
//!
//! Add an entry to the table in [`lead::field_table`]. Everything else loops over the table and matches on a field's kind only; a new kind is
//! a variant of [`lead::Kind`], and the compiler reports every place that must handle it.

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
pub mod hints;
mod instance;
mod json;
pub mod lead;
pub mod lead_file;
mod loopback;
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
pub mod watch;
pub mod yaml;
