//! `convertalk.yaml` as written: raw values with places, of which only the structure has been checked.
//!
//! `schema/workspace.schema.json` is derived from these types. `read` makes them of a tree, and `valid` validates them.

use schemars::JsonSchema;

use super::rules::{RawFreeze, RawRule};
use super::schema;
use crate::yaml::decode::At;

/// The API, the agents, and the limits of a plan.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Convertalk workspace", deny_unknown_fields)]
pub struct Config<'t> {
    /// The version of this format: 1.
    #[schemars(schema_with = "schema::version")]
    pub version: (),
    /// The API that the leads are in.
    #[schemars(with = "Option<RawApi<'static>>")]
    pub api: RawApi<'t>,
    /// Globs of the lead files, relative to this file. Default: `leads/**/*.yaml`.
    #[schemars(schema_with = "schema::globs", default)]
    pub leads: Option<Vec<At<&'t str>>>,
    /// Names for agent ids, used in lead files and plans.
    #[schemars(schema_with = "schema::agents", default)]
    pub agents: Vec<(At<&'t str>, RawAgent<'t>)>,
    /// The limits of a plan. Every rule is optional.
    #[schemars(with = "Option<RawPolicy<'static>>")]
    pub policy: RawPolicy<'t>,
    /// Continuous reconciliation, by `convertalk watch`.
    #[schemars(with = "Option<RawWatch<'static>>")]
    pub watch: RawWatch<'t>,
    /// The names that cannot be trusted.
    #[schemars(skip)]
    pub doubt: Doubt,
}

/// The names of which some may be missing: there is an error in them, or in a key that may have been intended for them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Doubt {
    /// Those of agents.
    pub agents: bool,
    /// Those of tags.
    pub tags: bool,
}

/// The API. CONVERTALK_ENDPOINT, CONVERTALK_BOT_ID and CONVERTALK_CUSTOMER_ID take precedence.
#[derive(Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RawApi<'t> {
    /// `sandbox`, or the https address of the API.
    #[schemars(schema_with = "schema::endpoint", default)]
    pub endpoint: Option<At<&'t str>>,
    /// The bot's id: the first one in the embed script.
    #[schemars(schema_with = "schema::id", default)]
    pub bot_id: Option<At<&'t str>>,
    /// The customer's id: the second one in the embed script.
    #[schemars(schema_with = "schema::id", default)]
    pub customer_id: Option<At<&'t str>>,
    /// The maximum number of open requests. Default: 8.
    #[schemars(with = "Option<u32>", range(min = 1, max = 64), extend("type" = "integer"))]
    pub concurrency: Option<u32>,
    /// The maximum number of requests per second. Default: no limit.
    #[schemars(with = "Option<f64>", extend("type" = "number", "exclusiveMinimum" = 0))]
    pub rate: Option<f64>,
    /// The timeout of one request: seconds, or text such as `30s`, `500ms`, `2m`. Default: 30 seconds.
    #[schemars(schema_with = "schema::timeout", default)]
    pub timeout: Option<At<&'t str>>,
    /// The number of pages of one list after which a listing without an end is an error. Default: 10 000.
    #[schemars(with = "Option<u32>", range(min = 1, max = 4294967295u32), extend("type" = "integer"))]
    pub page_cap: Option<u32>,
    /// The form in which tags are sent. Default: `auto`.
    #[schemars(schema_with = "schema::tag_shape", default)]
    pub tags: Option<At<&'t str>>,
    /// Which notes are sent: `all` for a platform that replaces a lead's notes, `new` for one that adds to them. Default: `auto`,
    /// which sends all until a note appears twice after a write.
    #[schemars(schema_with = "schema::notes_sent", default)]
    pub notes: Option<At<&'t str>>,
    /// What is sent to unassign a lead: text or null. Default: an empty text.
    #[schemars(schema_with = "schema::unassign", default)]
    pub unassign: Option<Option<&'t str>>,
    /// How requests sign in: `token` sends each token in a header of its own, `bearer` sends `Authorization: Bearer TOKEN`. Default:
    /// `token`.
    #[schemars(schema_with = "schema::auth", default)]
    pub auth: Option<At<&'t str>>,
    /// Extra headers, sent with every request. Never a secret.
    #[schemars(schema_with = "schema::headers", default)]
    pub headers: Vec<(At<&'t str>, At<&'t str>)>,
    /// The header with the read token. Default: `x-bot-token`.
    #[schemars(schema_with = "schema::header", default)]
    pub read_header: Option<At<&'t str>>,
    /// The header with the write token. Default: `x-bp-token`.
    #[schemars(schema_with = "schema::header", default)]
    pub write_header: Option<At<&'t str>>,
    /// Fields that this platform changes with a write of others, such as the status where assigning opens a lead: a change of one is
    /// accepted, and a declared one is written once more.
    #[schemars(schema_with = "schema::side_effects", default)]
    pub side_effects: Option<Vec<At<&'t str>>>,
    /// The initial data of the sandbox, relative to this file.
    #[schemars(schema_with = "schema::filled", default)]
    pub seed: Option<At<&'t str>>,
}

/// The value of an agent's name.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Agent", deny_unknown_fields)]
pub struct RawAgent<'t> {
    /// The agent's id on the platform.
    #[schemars(schema_with = "schema::agent_id")]
    pub id: At<&'t str>,
    /// The maximum number of leads of the agent after a run.
    #[schemars(with = "Option<u32>", extend("type" = "integer"), range(max = 4294967295u32))]
    pub max_leads: Option<At<u32>>,
}

/// Continuous reconciliation, by `convertalk watch`.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Watch", deny_unknown_fields)]
pub struct RawWatch<'t> {
    /// While this is there, `watch` only observes; the text is the reason.
    #[schemars(schema_with = "schema::reason", default)]
    pub suspend: Option<At<&'t str>>,
}

/// The limits of a plan. Every rule is optional.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Policy", deny_unknown_fields)]
pub struct RawPolicy<'t> {
    /// The only tags that lead files may use.
    #[schemars(schema_with = "schema::tag_list", default)]
    pub tags: Option<At<Vec<At<&'t str>>>>,
    /// The maximum number of leads that one run may change: a number, or a percentage of the declared leads such as `20%`.
    #[schemars(schema_with = "schema::max_changes", default)]
    pub max_changes: Option<At<&'t str>>,
    /// Status transitions.
    #[schemars(with = "Transitions", default)]
    pub transitions: (Vec<At<&'t str>>, Vec<At<&'t str>>),
    /// Statuses in which a lead must have an agent.
    #[schemars(schema_with = "schema::statuses", default)]
    pub require_agent: Option<At<Vec<At<&'t str>>>>,
    /// Rules on changes, by the lead before and after.
    #[schemars(with = "Option<Vec<RawRule<'static>>>", extend("type" = "array"), default)]
    pub rules: Vec<RawRule<'t>>,
    /// Times in which nothing is written.
    #[schemars(with = "Option<Vec<RawFreeze<'static>>>", extend("type" = "array"), default)]
    pub freeze: Vec<RawFreeze<'t>>,
    /// What is done where the inbox changed and the file did not: `keep` (the default), `revert` or `fail`, for all fields or by field.
    #[schemars(schema_with = "schema::drift", default)]
    pub drift: Option<At<RawDrift<'t>>>,
}

/// What is written after `drift`.
#[derive(Debug)]
pub enum RawDrift<'t> {
    /// One word for all fields.
    All(At<&'t str>),
    /// A word for each of some fields.
    ByField(Vec<(&'t str, At<&'t str>)>),
}

/// Status transitions as `FROM -> TO`; `*` is any status.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct Transitions {
    /// Refused.
    #[schemars(schema_with = "schema::transitions", default)]
    deny: (),
    /// Allowed, with a warning.
    #[schemars(schema_with = "schema::transitions", default)]
    warn: (),
}
