//! The settings of a connection: address, ids, limits, and the formats that this platform accepts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::lead::FieldMask;
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
    /// The maximum number of open requests. Default: 8.
    pub concurrency: usize,
    /// The maximum number of requests per second. Default: no limit.
    pub rate: Option<f64>,
    /// The timeout of one request. Default: 30 seconds.
    pub timeout: Duration,
    /// The number of pages of one list after which a listing without an end is an error. Default: 10 000.
    pub page_cap: u32,
    /// The form in which tags are sent.
    pub tags: TagShape,
    /// Which notes are sent.
    pub notes: NotesSent,
    /// What is sent to unassign a lead; `None` is JSON's null. Default: an empty text.
    pub unassign: Option<String>,
    /// How requests sign in. Default: a token in a header of its own.
    pub auth: Auth,
    /// Headers that are sent with every request, in lower case. None of them is a secret.
    pub headers: BTreeMap<String, String>,
    /// The header with the read token. Default: `x-bot-token`.
    pub read_header: String,
    /// The header with the write token. Default: `x-bp-token`.
    pub write_header: String,
    /// Fields that this platform changes with a write of others.
    pub side_effects: FieldMask,
    /// The initial data of the sandbox, relative to the workspace's folder.
    pub seed: Option<PathBuf>,
}

impl ApiSettings {
    /// What decides where requests go and how they sign in, of which the two differ: the keys below `api`.
    pub fn target_differences(&self, other: &Self) -> Vec<&'static str> {
        let Self {
            endpoint,
            bot_id,
            customer_id,
            concurrency: _,
            rate: _,
            timeout: _,
            page_cap: _,
            tags: _,
            notes: _,
            unassign: _,
            auth,
            headers,
            read_header,
            write_header,
            side_effects: _,
            seed: _,
        } = self;
        let differ = [
            ("endpoint", *endpoint != other.endpoint),
            ("bot_id", *bot_id != other.bot_id),
            ("customer_id", *customer_id != other.customer_id),
            ("auth", *auth != other.auth),
            ("headers", *headers != other.headers),
            ("read_header", *read_header != other.read_header),
            ("write_header", *write_header != other.write_header),
        ];
        let differ = differ.into_iter().filter(|(_, differs)| *differs);
        differ.map(|(key, _)| key).collect()
    }
}

/// The address of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// The embedded API, with its state next to the workspace file.
    Sandbox,
    /// `https`, or `http` on loopback; without a `/` at the end.
    Url(url::Url),
}

/// How requests sign in: both ways are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Auth {
    /// The token in a header of its own: `read_header` for listing, `write_header` for updates.
    #[default]
    Token,
    /// `Authorization: Bearer TOKEN`, for listing and for updates.
    Bearer,
}

/// Which notes an update sends: platforms may replace a lead's notes with those sent, or add them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NotesSent {
    /// All notes, until one appears twice after a write; from then on only new ones.
    #[default]
    Auto,
    /// The existing notes and the new ones.
    All,
    /// The new ones only.
    New,
}
