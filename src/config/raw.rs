//! `convertalk.yaml` as written: raw values with places, of which only the structure has been checked.
//!
//! Takes a tree, and returns the types below, from which `schema/workspace.schema.json` is derived. `valid` validates them.

use schemars::JsonSchema;

use super::rules::{self, RawFreeze, RawRule};
use super::schema;
use crate::config::visible::warn_of_similar;
use crate::config::words::{read_tags, read_version};
use crate::lead::field::groups;
use crate::yaml::decode::{At, Decoder, Keys};
use crate::yaml::diagnostic::Code;
use crate::yaml::excerpt::quoted;
use crate::yaml::scalar;
use crate::yaml::{NodeId, NodeKind};

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
    /// There is an error in the names, or in a key that may have been intended for them.
    #[schemars(skip)]
    pub doubtful: bool,
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

const TOP: &[&str] = &["version", "api", "leads", "agents", "policy", "watch"];
const API: &[&str] = &[
    "endpoint",
    "bot_id",
    "customer_id",
    "concurrency",
    "rate",
    "timeout",
    "page_cap",
    "tags",
    "notes",
    "unassign",
    "auth",
    "headers",
    "read_header",
    "write_header",
    "side_effects",
    "seed",
];

/// Reads the file.
pub fn read<'t>(reader: &mut Decoder<'t>) -> Config<'t> {
    let mut made = Config::default();
    refuse_tokens(reader);
    let mut version = false;
    let mut elsewhere = 0;
    each(reader, 0, "convertalk.yaml", TOP, |reader, name, value| {
        let before = reader.out.len();
        match name {
            "version" => {
                version = true;
                read_version(reader, value);
            }
            _ if reader.is_null(value) => {}
            "api" => made.api = api(reader, value),
            "leads" => made.leads = globs(reader, value),
            "agents" => made.agents = agents(reader, value),
            "watch" => made.watch = watch(reader, value),
            _ => made.policy = policy(reader, value),
        }
        if matches!(name, "version" | "api" | "leads" | "watch") {
            elsewhere += reader.out.len() - before;
        }
    });
    made.doubtful = reader.out.len() > elsewhere;
    if !version {
        let help = "write `version: 1` on the first line";
        reader.error(
            Code::MissingVersion,
            reader.span(0),
            "`version` is missing",
            help,
        );
    }
    made
}

/// Whether a key's name suggests that its value is a token.
fn is_token(key: &str) -> bool {
    key.to_ascii_lowercase().contains("token")
}

fn refuse_tokens(reader: &mut Decoder<'_>) {
    for id in 0..reader.tree.len() as NodeId {
        if !matches!(reader.tree.node(id).kind, NodeKind::Mapping { .. }) {
            continue;
        }
        for (key, _) in reader.tree.pairs(id) {
            if let NodeKind::Scalar(text, _) = reader.tree.kind(key)
                && is_token(text)
            {
                let help = "delete the line, revoke the token if it was committed, and set CONVERTALK_READ_TOKEN and \
                            CONVERTALK_WRITE_TOKEN in the environment";
                reader.error(
                    Code::TokenInFile,
                    reader.span(key),
                    format!("a token in a file: {}", quoted(text)),
                    help,
                );
            }
        }
    }
}

/// Reads a mapping with known keys.
pub(super) fn each<'t>(
    reader: &mut Decoder<'t>,
    id: NodeId,
    what: &str,
    known: &[&str],
    mut entry: impl FnMut(&mut Decoder<'t>, &'t str, NodeId),
) {
    let help = format!("{what} has: {}", known.join(", "));
    let Some(pairs) = reader.mapping(id, what, &help) else {
        return;
    };
    let mut keys = Keys::default();
    for (key, value) in pairs {
        match reader.key(key, &mut keys) {
            Some(name) if known.contains(&name) => entry(reader, name, value),
            Some(name) if !is_token(name) => reader.unknown(key, name, what, known),
            _ => {}
        }
    }
}

fn api<'t>(reader: &mut Decoder<'t>, id: NodeId) -> RawApi<'t> {
    let mut made = RawApi::default();
    each(reader, id, "`api`", API, |reader, name, value| match name {
        "endpoint" => made.endpoint = reader.filled(value, "`endpoint`"),
        "bot_id" => made.bot_id = reader.filled(value, "`bot_id`"),
        "customer_id" => made.customer_id = reader.filled(value, "`customer_id`"),
        "concurrency" => {
            made.concurrency = reader
                .whole(value, "`concurrency`", 1, 64)
                .map(|number| number.value)
        }
        "page_cap" => {
            made.page_cap = reader
                .whole(value, "`page_cap`", 1, u32::MAX)
                .map(|number| number.value)
        }
        "rate" => {
            made.rate = reader.number(value).filter(|rate| *rate > 0.0);
            if made.rate.is_none() {
                reader.wrong(
                    value,
                    "`rate`",
                    "a number above 0",
                    "write the number of requests per second: `rate: 5`",
                );
            }
        }
        "timeout" => made.timeout = reader.filled(value, "`timeout`"),
        "tags" => made.tags = reader.filled(value, "`tags`"),
        "notes" => made.notes = reader.filled(value, "`notes`"),
        "unassign" if reader.is_null(value) => made.unassign = Some(None),
        "unassign" => {
            made.unassign = reader
                .text(value, "`unassign`")
                .map(|text| Some(text.value))
        }
        "auth" => made.auth = reader.filled(value, "`auth`"),
        "headers" => made.headers = headers(reader, value),
        "read_header" => made.read_header = reader.filled(value, "`read_header`"),
        "write_header" => made.write_header = reader.filled(value, "`write_header`"),
        "side_effects" => {
            let help = "write the fields as a list: `[status]`";
            made.side_effects = texts(reader, value, "`side_effects`", help);
        }
        _ => made.seed = reader.filled(value, "`seed`"),
    });
    made
}

fn headers<'t>(reader: &mut Decoder<'t>, id: NodeId) -> Vec<(At<&'t str>, At<&'t str>)> {
    let help = "write the name and the value of each: `headers: { authtype: Key }`";
    let Some(pairs) = reader.mapping(id, "`headers`", help) else {
        return Vec::new();
    };
    let mut made = Vec::new();
    let mut keys = Keys::default();
    for (key, value) in pairs {
        let name = reader.key(key, &mut keys).filter(|name| !is_token(name));
        let Some(name) = name else {
            continue;
        };
        let span = reader.tree.span(key);
        let value = reader.filled(value, "a header's value");
        made.extend(value.map(|value| (At { value: name, span }, value)));
    }
    made
}

fn globs<'t>(reader: &mut Decoder<'t>, id: NodeId) -> Option<Vec<At<&'t str>>> {
    if matches!(reader.tree.kind(id), NodeKind::Scalar(..)) {
        return reader.filled(id, "`leads`").map(|one| vec![one]);
    }
    texts(
        reader,
        id,
        "`leads`",
        "write a list of globs: `[\"leads/**/*.yaml\"]`",
    )
}

fn texts<'t>(
    reader: &mut Decoder<'t>,
    id: NodeId,
    what: &str,
    help: &str,
) -> Option<Vec<At<&'t str>>> {
    Some(
        reader
            .list(id, what, help)?
            .filter_map(|item| reader.filled(item, what))
            .collect(),
    )
}

fn agents<'t>(reader: &mut Decoder<'t>, id: NodeId) -> Vec<(At<&'t str>, RawAgent<'t>)> {
    let mut made = Vec::new();
    let help = "write `name: <24-hex id>`, or `name: { id: …, max_leads: 60 }`";
    let Some(pairs) = reader.mapping(id, "`agents`", help) else {
        return made;
    };
    let mut keys = Keys::default();
    for (key, value) in pairs {
        let Some(name) = reader.key(key, &mut keys).filter(|name| !is_token(name)) else {
            continue;
        };
        if let Some(agent) = agent(reader, value, help) {
            made.push((
                At {
                    value: name,
                    span: reader.tree.span(key),
                },
                agent,
            ));
        }
    }
    made
}

fn agent<'t>(reader: &mut Decoder<'t>, node: NodeId, help: &str) -> Option<RawAgent<'t>> {
    if !matches!(reader.tree.kind(node), NodeKind::Mapping { .. }) {
        return reader.filled(node, "an agent's id").map(|id| RawAgent {
            id,
            max_leads: None,
        });
    }
    let (mut id, mut max_leads, mut said) = (None, None, false);
    each(
        reader,
        node,
        "an agent",
        &["id", "max_leads"],
        |reader, name, value| match name {
            "id" => {
                said = true;
                id = reader.filled(value, "an agent's id");
            }
            _ => max_leads = reader.whole(value, "`max_leads`", 0, u32::MAX),
        },
    );
    if !said {
        reader.error(
            Code::MissingId,
            reader.span(node),
            "an agent needs an `id`",
            help,
        );
    }
    id.map(|id| RawAgent { id, max_leads })
}

fn watch<'t>(reader: &mut Decoder<'t>, id: NodeId) -> RawWatch<'t> {
    let mut made = RawWatch::default();
    each(reader, id, "`watch`", &["suspend"], |reader, _, value| {
        made.suspend = reader.filled(value, "`suspend`");
    });
    made
}

fn policy<'t>(reader: &mut Decoder<'t>, id: NodeId) -> RawPolicy<'t> {
    let mut made = RawPolicy::default();
    let known = [
        "tags",
        "max_changes",
        "transitions",
        "require_agent",
        "rules",
        "freeze",
        "drift",
    ];
    each(reader, id, "`policy`", &known, |reader, name, value| {
        let span = reader.span(value);
        match name {
            "tags" => {
                made.tags = read_tags(reader, value, "`tags`").map(|value| At { value, span });
                if let Some(tags) = &made.tags {
                    warn_of_similar(reader, &tags.value);
                }
            }
            "max_changes" => made.max_changes = reader.filled(value, "`max_changes`"),
            "require_agent" => {
                let list = texts(
                    reader,
                    value,
                    "`require_agent`",
                    "write the statuses as a list: `[INPROGRESS, REVIEW]`",
                );
                made.require_agent = list.map(|value| At { value, span });
            }
            "rules" => made.rules = rules::read_rules(reader, value),
            "freeze" => made.freeze = rules::read_freezes(reader, value),
            "drift" => made.drift = drift(reader, value).map(|value| At { value, span }),
            _ => made.transitions = transitions(reader, value),
        }
    });
    made
}

fn drift<'t>(reader: &mut Decoder<'t>, id: NodeId) -> Option<RawDrift<'t>> {
    if !matches!(reader.tree.kind(id), NodeKind::Mapping { .. }) {
        return reader.filled(id, "`drift`").map(RawDrift::All);
    }
    let known: Vec<&str> = groups().map(|(name, _)| name).collect();
    let mut made = Vec::new();
    each(reader, id, "`drift`", &known, |reader, name, value| {
        let word = reader.filled(value, "what is done about drift");
        made.extend(word.map(|word| (name, word)));
    });
    Some(RawDrift::ByField(made))
}

fn transitions<'t>(reader: &mut Decoder<'t>, id: NodeId) -> (Vec<At<&'t str>>, Vec<At<&'t str>>) {
    let (mut deny, mut warn) = (Vec::new(), Vec::new());
    each(
        reader,
        id,
        "`transitions`",
        &["deny", "warn"],
        |reader, name, value| {
            let list = texts(
                reader,
                value,
                "a transition",
                "write a list: `[\"CLOSED -> *\"]`",
            )
            .unwrap_or_default();
            if name == "deny" {
                deny = list
            } else {
                warn = list
            }
        },
    );
    (deny, warn)
}

/// Whether the file contains only comments.
pub(crate) fn is_blank(reader: &Decoder<'_>) -> bool {
    reader.tree.is_empty()
        || matches!(reader.tree.kind(0), NodeKind::Scalar(text, style) if scalar::resolve(text, *style) == scalar::Scalar::Null)
}
