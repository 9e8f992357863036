//! Turns the raw values of `convertalk.yaml` into a valid [`Workspace`], with the environment's overrides applied.
//!
//! Takes the raw [`Config`], and returns every valid part, so that lead files are checked against what is known even
//! if another part is invalid.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::policy::policy;
use super::words::place;
use crate::api::{ApiSettings, Endpoint, NotesSent};
use crate::config::endpoint::{self, ValueProblem};
use crate::config::raw::{Config, Doubt, RawAgent, RawApi};
use crate::config::{Overrides, Workspace};
use crate::lead::field_table::groups;
use crate::lead::{AgentId, FieldMask};
use crate::observe::TagShape;
use crate::policy::Agent;
use crate::yaml::decode::{At, Decoder};
use crate::yaml::diagnostic::{Code, Diagnostic, Span};
use crate::yaml::excerpt::quoted;

/// The default glob.
pub(crate) const DEFAULT_GLOB: &str = "leads/**/*.{yaml,yml}";
/// The id that the sandbox uses if none is given.
const SANDBOX_ID: &str = "000000000000000000000000";

/// The valid parts of the file.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) workspace: Option<Workspace>,
    /// The globs and their places; the default glob has none.
    pub(crate) globs: Vec<(String, Option<Span>)>,
    /// The names of agents and tags that may be incomplete.
    pub(crate) doubt: Doubt,
}

/// A value of the environment or of the file, and its source.
type Setting<'a> = (&'a str, Result<Span, &'static str>);

/// Validates the file's values. A workspace is returned, for its names, even if there are errors.
pub(crate) fn settle(
    reader: &mut Decoder<'_>,
    config: &Config<'_>,
    root: &Path,
    overrides: &Overrides,
) -> Settings {
    let globs = globs(reader, config);
    let api = api(reader, &config.api, overrides);
    let agents = agents(reader, &config.agents);
    let policy = policy(reader, &config.policy, &agents);
    let suspend = config.watch.suspend.and_then(|why| reason(reader, why));
    let leads = globs.iter().map(|(glob, _)| glob.clone()).collect();
    Settings {
        workspace: Some(Workspace {
            root: root.to_owned(),
            api,
            leads,
            agents,
            policy,
            suspend,
        }),
        globs,
        doubt: config.doubt,
    }
}

fn globs(reader: &mut Decoder<'_>, config: &Config<'_>) -> Vec<(String, Option<Span>)> {
    let Some(said) = &config.leads else {
        return vec![(DEFAULT_GLOB.to_owned(), None)];
    };
    let mut made = Vec::new();
    for glob in said {
        let path = glob.value.trim().trim_start_matches("./");
        let problem = if path.starts_with('/')
            || path.contains('\\')
            || path.as_bytes().get(1) == Some(&b':')
        {
            Some("is not relative to the workspace".to_owned())
        } else if path.split('/').any(|part| part == "..") {
            Some("leaves the workspace".to_owned())
        } else {
            crate::lead_file::discover::glob(path)
                .err()
                .map(|error| format!("is not a glob: {error}"))
        };
        match problem {
            None => made.push((path.to_owned(), Some(glob.span))),
            Some(problem) => {
                let message = format!("{} {problem}", quoted(glob.value));
                reader.error(
                    Code::BadGlob,
                    glob.span,
                    message,
                    "write a path inside the workspace with `/`: `leads/**/*.yaml`",
                );
            }
        }
    }
    made
}

fn said<'a>(
    over: Option<&'a String>,
    variable: &'static str,
    file: Option<At<&'a str>>,
) -> Option<Setting<'a>> {
    match over.filter(|text| !text.trim().is_empty()) {
        Some(text) => Some((text, Err(variable))),
        None => file.map(|at| (at.value, Ok(at.span))),
    }
}

fn tell(reader: &mut Decoder<'_>, place: Result<Span, &'static str>, problem: ValueProblem) {
    let made = match place {
        Ok(span) => reader.source.error(problem.code, span, problem.message),
        Err(variable) => Diagnostic::whole(
            problem.code,
            variable,
            format!("{variable}: {}", problem.message),
        ),
    };
    let made = made.help(problem.help);
    reader.out.push(if problem.warning {
        made.into_warning()
    } else {
        made
    });
}

fn api(reader: &mut Decoder<'_>, raw: &RawApi<'_>, overrides: &Overrides) -> ApiSettings {
    let here = reader.span(0);
    let endpoint = match said(
        overrides.endpoint.as_ref(),
        "CONVERTALK_ENDPOINT",
        raw.endpoint,
    ) {
        Some((text, place)) => endpoint::parse(text)
            .map_err(|problem| tell(reader, place, problem))
            .ok(),
        None => {
            let help = "write `api: { endpoint: https://api.v7.convertalk.com }` or `endpoint: sandbox`, or set CONVERTALK_ENDPOINT";
            reader.error(
                Code::MissingEndpoint,
                here,
                "`api.endpoint` is missing",
                help,
            );
            None
        }
    };
    let sandbox = endpoint
        .as_ref()
        .is_none_or(|endpoint| *endpoint == Endpoint::Sandbox);
    let mut id = |over: Option<&String>, variable, file, key: &str| match said(over, variable, file)
    {
        Some((text, place)) => {
            if let Some(problem) = endpoint::id_problem(text.trim(), key) {
                tell(reader, place, problem);
            }
            text.trim().to_owned()
        }
        None => {
            if !sandbox {
                let help = format!(
                    "write `{key}: …` under `api:` (see the embed script), or set {variable}"
                );
                reader.error(
                    Code::MissingId,
                    here,
                    format!("`api.{key}` is missing"),
                    help,
                );
            }
            SANDBOX_ID.to_owned()
        }
    };
    let bot_id = id(
        overrides.bot_id.as_ref(),
        "CONVERTALK_BOT_ID",
        raw.bot_id,
        "bot_id",
    );
    let customer_id = id(
        overrides.customer_id.as_ref(),
        "CONVERTALK_CUSTOMER_ID",
        raw.customer_id,
        "customer_id",
    );
    let sign_in = super::sign_in::read(reader, raw);
    ApiSettings {
        endpoint: endpoint.unwrap_or(Endpoint::Sandbox),
        bot_id,
        customer_id,
        concurrency: raw.concurrency.unwrap_or(8) as usize,
        rate: raw.rate,
        timeout: raw
            .timeout
            .and_then(|text| timeout(reader, text))
            .unwrap_or(Duration::from_secs(30)),
        page_cap: raw.page_cap.unwrap_or(10_000),
        tags: raw.tags.map(|text| shape(reader, text)).unwrap_or_default(),
        notes: raw
            .notes
            .map(|text| notes_sent(reader, text))
            .unwrap_or_default(),
        unassign: raw
            .unassign
            .map_or_else(|| Some(String::new()), |text| text.map(str::to_owned)),
        auth: sign_in.auth,
        headers: sign_in.headers,
        read_header: sign_in.read_header,
        write_header: sign_in.write_header,
        side_effects: side_effects(reader, raw.side_effects.as_deref().unwrap_or_default()),
        seed: raw.seed.and_then(|text| seed(reader, text)),
    }
}

/// A reason is text: a mere yes or no would be read as one.
fn reason(reader: &mut Decoder<'_>, text: At<&str>) -> Option<String> {
    let reason = text.value.trim();
    if ["true", "false"].contains(&reason.to_ascii_lowercase().as_str()) {
        reader.error(
            Code::BadValue,
            text.span,
            format!("{} is not a reason", quoted(text.value)),
            "write why, as text: `suspend: migration until Friday`; to go on, delete the line",
        );
        return None;
    }
    Some(reason.to_owned())
}

/// A timeout must be positive and at most a day.
fn timeout(reader: &mut Decoder<'_>, text: At<&str>) -> Option<Duration> {
    const LONGEST: Duration = Duration::from_secs(86_400);
    let message = match crate::duration::parse(text.value) {
        Ok(time) if time.is_zero() => format!("{} is zero", quoted(text.value)),
        Ok(time) if time > LONGEST => format!("{} is longer than a day", quoted(text.value)),
        Ok(time) => return Some(time),
        Err(_) => format!("{} is not a duration", quoted(text.value)),
    };
    let help = "write a number of seconds, `30`, or units: `500ms`, `30s`, `2m`; at most a day";
    reader.error(Code::BadTimeout, text.span, message, help);
    None
}

fn shape(reader: &mut Decoder<'_>, text: At<&str>) -> TagShape {
    match text.value {
        "auto" => TagShape::Auto,
        "array" => TagShape::Array,
        "string" => TagShape::String,
        other => {
            let help = "write `auto`, `array` or `string`";
            reader.error(
                Code::BadValue,
                text.span,
                format!("tags cannot be sent as {}", quoted(other)),
                help,
            );
            TagShape::Auto
        }
    }
}

fn notes_sent(reader: &mut Decoder<'_>, text: At<&str>) -> NotesSent {
    match text.value {
        "auto" => NotesSent::Auto,
        "all" => NotesSent::All,
        "new" => NotesSent::New,
        other => {
            let help = "write `auto`, `all` or `new`";
            reader.error(
                Code::BadValue,
                text.span,
                format!("notes cannot be sent as {}", quoted(other)),
                help,
            );
            NotesSent::Auto
        }
    }
}

/// The entries of the table that a list of fields names.
fn side_effects(reader: &mut Decoder<'_>, raw: &[At<&str>]) -> FieldMask {
    let mut made = FieldMask::default();
    for text in raw {
        match groups().find(|(name, _)| *name == text.value) {
            Some((_, members)) => made = members.iter().copied().fold(made, FieldMask::and),
            None => {
                let names: Vec<&str> = groups().map(|(name, _)| name).collect();
                reader.error(
                    Code::BadValue,
                    text.span,
                    format!("{} is not a field", quoted(text.value)),
                    format!("write one of {}", names.join(", ")),
                );
            }
        }
    }
    made
}

fn seed(reader: &mut Decoder<'_>, text: At<&str>) -> Option<PathBuf> {
    let path = Path::new(text.value);
    let inside = path
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !inside {
        let help = "write a path relative to convertalk.yaml that stays in its folder: `seed.json`";
        reader.error(
            Code::BadPath,
            text.span,
            format!("{} leaves the workspace", quoted(text.value)),
            help,
        );
    }
    inside.then(|| path.to_owned())
}

fn agents(reader: &mut Decoder<'_>, raw: &[(At<&str>, RawAgent<'_>)]) -> BTreeMap<String, Agent> {
    let mut made = BTreeMap::new();
    let mut owners: BTreeMap<AgentId, Span> = BTreeMap::new();
    for (name, agent) in raw {
        let reserved = match name.value.trim() {
            "" => Some("an agent's name is empty".to_owned()),
            "none" => Some("`none` stands for no agent".to_owned()),
            text if AgentId::parse(text).is_some() => {
                Some(format!("{} is an id, not a name", quoted(text)))
            }
            text if text != name.value => {
                Some(format!("{} has spaces around it", quoted(name.value)))
            }
            _ => None,
        };
        if let Some(message) = reserved {
            reader.error(
                Code::BadAgentName,
                name.span,
                message,
                "choose a name that readers recognize",
            );
        }
        let Some(id) = AgentId::parse(agent.id.value.trim()) else {
            let message = format!("{} is not an agent's id", quoted(agent.id.value));
            reader.error(
                Code::BadAgentId,
                agent.id.span,
                message,
                "an id is 24 hex digits, as in the address of the dashboard",
            );
            continue;
        };
        if let Some(first) = owners.insert(id.clone(), agent.id.span) {
            let error = reader.source.error(
                Code::DuplicateAgent,
                agent.id.span,
                "two names for one agent id",
            );
            let error = error
                .label("again")
                .also(reader.source, first, "first used here");
            reader
                .out
                .push(error.help("keep one of the names, and use it in the lead files"));
        }
        let span = agent.max_leads.map_or(name.span, |cap| cap.span);
        let max_leads = agent.max_leads.map(|cap| cap.value);
        made.insert(
            name.value.to_owned(),
            Agent {
                id,
                max_leads,
                place: place(reader, span),
            },
        );
    }
    made
}
