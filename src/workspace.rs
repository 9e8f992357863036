//! The workspace: a folder with `convertalk.yaml`, found, read, and handed on as valid values.
//!
//! Owns where the files are, whom to talk to and within which limits. Gives [`Workspace`] and, from its lead files, a
//! [`Desired`](crate::desired::Desired); or every mistake in every file at once, as diagnostics.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::desired::Place;
use crate::lead::{AgentId, Status};

/// A valid `convertalk.yaml`, the environment's overrides applied.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The folder that holds `convertalk.yaml`; every path in a message or a plan is relative to it.
    pub root: PathBuf,
    /// Whom to talk to, and how.
    pub api: Api,
    /// Globs of the lead files, relative to `root`.
    pub leads: Vec<String>,
    /// Agents by the name that readers know.
    pub agents: BTreeMap<String, Agent>,
    /// What a plan may not do.
    pub policy: Policy,
}

/// The API that the leads are in.
#[derive(Debug, Clone)]
pub struct Api {
    /// The host, or the sandbox.
    pub endpoint: Endpoint,
    /// 24 hex digits in every sample.
    pub bot_id: String,
    /// 24 hex digits in every sample.
    pub customer_id: String,
    /// Requests under way at a time, at the most. 8 unless said.
    pub concurrency: usize,
    /// Requests a second, at the most. No limit unless said.
    pub rate: Option<f64>,
    /// For one request. 30 seconds unless said.
    pub timeout: Duration,
    /// Pages of one type, after which a listing that has not ended is an error. 10 000 unless said.
    pub page_cap: u32,
    /// The shape in which tags are sent.
    pub tags: TagShape,
    /// What is sent as the agent of a lead that nobody is to have; `None` is JSON's null. The empty text unless said.
    pub unassign: Option<String>,
    /// The header that carries the read token. `x-bot-token` unless said.
    pub read_header: String,
    /// The header that carries the write token. `x-bp-token` unless said.
    pub write_header: String,
    /// The sandbox's first data, relative to the workspace's folder.
    pub seed: Option<PathBuf>,
}

/// Where the API answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// The embedded API, its state beside the workspace file.
    Sandbox,
    /// `https`, or `http` on loopback; without a `/` at the end.
    Url(url::Url),
}

/// The shape in which tags are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TagShape {
    /// As the listing shows them: text where it shows text, else an array.
    #[default]
    Auto,
    /// An array of strings.
    Array,
    /// One string, with commas.
    String,
}

/// An agent that has a name here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// The platform's id.
    pub id: AgentId,
    /// How many leads the agent may have after a run.
    pub max_leads: Option<u32>,
    /// Where the cap, or else the name, stands.
    pub place: Place,
}

/// A value of the policy and the line that says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule<T> {
    /// What it says.
    pub value: T,
    /// Where.
    pub place: Place,
}

/// What a plan may not do. Every rule is optional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The only tags that lead files may ask for.
    pub tags: Option<Rule<Vec<String>>>,
    /// How many leads one run may change.
    pub max_changes: Option<Rule<MaxChanges>>,
    /// Refused moves of the status.
    pub deny: Vec<Rule<Transition>>,
    /// Moves of the status that are told, and go ahead.
    pub warn: Vec<Rule<Transition>>,
    /// Statuses in which a lead must have an agent.
    pub require_agent: Option<Rule<Vec<Status>>>,
}

/// A number of leads, or a share of the declared ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxChanges {
    /// So many leads.
    Leads(u32),
    /// So many of a hundred declared leads.
    Percent(u8),
}

/// A move from one status to another; `None` stands for `*`, any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// From this.
    pub from: Option<Status>,
    /// To this.
    pub to: Option<Status>,
}
