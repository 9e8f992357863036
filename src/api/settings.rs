//! The settings of a connection: address, ids, limits, and how this platform takes what it is sent.

use std::path::PathBuf;
use std::time::Duration;

use crate::observe::TagShape;

/// The API that the leads are in.
#[derive(Debug, Clone)]
pub struct ApiSettings {
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
    /// Which notes are sent.
    pub notes: NotesSent,
    /// What is sent to un-assign a lead; `None` is JSON's null. Empty text by default.
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

/// Which notes an update sends, because platforms may replace a lead's notes by what is sent, or add what is sent to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NotesSent {
    /// All of them, until one is seen twice after a write; from then on the new ones.
    #[default]
    Auto,
    /// The notes that are there, and the new ones.
    All,
    /// The new ones.
    New,
}
