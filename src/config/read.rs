//! Reads `convertalk.yaml`: from a tree to the raw values of [`super::raw`], reporting what the structure does not allow.

use super::mapping::{each, is_token};
use super::raw::{Config, RawAgent, RawApi, RawDrift, RawPolicy, RawWatch};
use super::rules;
use crate::config::visible::warn_of_similar;
use crate::config::words::{read_tags, read_version};
use crate::lead::field_table::groups;
use crate::yaml::decode::{At, Decoder, Keys};
use crate::yaml::diagnostic::Code;
use crate::yaml::excerpt::quoted;
use crate::yaml::scalar;
use crate::yaml::{NodeId, NodeKind};

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
pub(super) fn read<'t>(reader: &mut Decoder<'t>) -> Config<'t> {
    let mut made = Config::default();
    refuse_tokens(reader);
    let mut version = false;
    // An error outside of all values is one of a key.
    let (start, mut in_values) = (errors(reader), 0);
    each(reader, 0, "convertalk.yaml", TOP, |reader, name, value| {
        let before = errors(reader);
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
            _ => (made.policy, made.doubt.tags) = policy(reader, value),
        }
        let errors = errors(reader) - before;
        in_values += errors;
        made.doubt.agents |= name == "agents" && errors > 0;
    });
    let is_key_in_doubt = errors(reader) > start + in_values;
    made.doubt.agents |= is_key_in_doubt;
    made.doubt.tags |= is_key_in_doubt;
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

/// The number of errors until now. A warning puts no value in doubt.
fn errors(reader: &Decoder<'_>) -> usize {
    reader.out.iter().filter(|made| made.is_error()).count()
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

/// The policy, and whether some of its tags may be missing.
fn policy<'t>(reader: &mut Decoder<'t>, id: NodeId) -> (RawPolicy<'t>, bool) {
    let mut made = RawPolicy::default();
    let (start, mut in_others) = (errors(reader), 0);
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
        let before = errors(reader);
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
        if name != "tags" {
            in_others += errors(reader) - before;
        }
    });
    let is_doubtful = errors(reader) > start + in_others;
    (made, is_doubtful)
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
