//! `policy.rules` and `policy.freeze`: raw, then valid.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::mapping::each;
use super::schema::filled;
use super::words::place;
use crate::policy::{Agent, ChangeRule, Freeze, Verdict, Window};
use crate::select::Selection;
use crate::yaml::decode::{At, Decoder};
use crate::yaml::diagnostic::{Code, Span};
use crate::yaml::excerpt::quoted;
use crate::yaml::{NodeId, NodeKind};

/// A rule on changes: it matches where the lead before matches all of `before` and the lead after it all of `after`.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Rule", deny_unknown_fields, extend("oneOf" = [
    { "required": ["deny"] }, { "required": ["warn"] }, { "required": ["max"] }
]))]
pub struct RawRule<'t> {
    /// The name, for `--allow rule:NAME`.
    #[schemars(schema_with = "filled")]
    pub name: At<&'t str>,
    /// Selectors that the lead matches as it is: `tag=vip`, `agent!=none`. A comma is *and*.
    #[schemars(schema_with = "selectors", default)]
    pub before: Vec<At<&'t str>>,
    /// Selectors that the lead matches as it would be.
    #[schemars(schema_with = "selectors", default)]
    pub after: Vec<At<&'t str>>,
    /// Refuses such a change: why.
    #[schemars(schema_with = "filled", default)]
    pub deny: Option<At<&'t str>>,
    /// Reports such a change, which goes ahead: why.
    #[schemars(schema_with = "filled", default)]
    pub warn: Option<At<&'t str>>,
    /// Refuses more such changes than this in one run.
    #[schemars(with = "Option<u32>", extend("type" = "integer"), range(max = 4294967295u32))]
    pub max: Option<At<u32>>,
}

/// A time in which nothing is written: two dates, or the same hours of each week.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Freeze", deny_unknown_fields, extend("oneOf" = [
    { "required": ["from", "to"] }, { "required": ["weekly"] }
], "dependentSchemas" = { "weekly": { "properties": { "from": false, "to": false } } }))]
pub struct RawFreeze<'t> {
    /// The first day.
    #[schemars(schema_with = "date", default)]
    pub from: Option<At<&'t str>>,
    /// The last day, included.
    #[schemars(schema_with = "date", default)]
    pub to: Option<At<&'t str>>,
    /// Two times of a week; the second is not included.
    #[schemars(schema_with = "weekly", default)]
    pub weekly: Option<At<&'t str>>,
    /// The IANA time zone of these times. UTC by default.
    #[schemars(schema_with = "zone", default)]
    pub zone: Option<At<&'t str>>,
    /// Why, for people.
    #[schemars(schema_with = "filled", default)]
    pub reason: Option<At<&'t str>>,
    #[schemars(skip)]
    span: Span,
}

fn selectors(generator: &mut SchemaGenerator) -> Schema {
    let one = filled(generator);
    json_schema!({ "anyOf": [one, { "type": "array", "items": one }], "examples": [["tag=vip"], "agent!=none"] })
}

fn date(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "examples": ["2026-12-23"] })
}

fn weekly(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": "^\\s*[A-Za-z]+\\s+[0-9]{1,2}:[0-9]{1,2}\\s*-\\s*[A-Za-z]+\\s+[0-9]{1,2}:[0-9]{1,2}\\s*$",
        "examples": ["Fri 16:00 - Mon 08:00"] })
}

fn zone(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "default": "UTC", "examples": ["Europe/Berlin"] })
}

const RULE: &[&str] = &["name", "before", "after", "deny", "warn", "max"];
const FREEZE: &[&str] = &["from", "to", "weekly", "zone", "reason"];

/// Reads `policy.rules`.
pub(super) fn read_rules<'t>(reader: &mut Decoder<'t>, id: NodeId) -> Vec<RawRule<'t>> {
    let help = "write a list: `- { name: …, before: [tag=vip], after: [agent=none], deny: … }`";
    let Some(items) = reader.list(id, "`rules`", help) else {
        return Vec::new();
    };
    items.filter_map(|item| read_rule(reader, item)).collect()
}

fn read_rule<'t>(reader: &mut Decoder<'t>, id: NodeId) -> Option<RawRule<'t>> {
    let (mut name, mut has_name) = (None, false);
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let (mut deny, mut warn, mut max) = (None, None, None);
    let mut verdicts = 0;
    let errors = reader.out.len();
    each(reader, id, "a rule", RULE, |reader, key, value| match key {
        "name" => {
            has_name = true;
            name = reader.filled(value, "a rule's name");
        }
        "before" => before = read_selectors(reader, value, "`before`"),
        "after" => after = read_selectors(reader, value, "`after`"),
        verdict => {
            verdicts += 1;
            match verdict {
                "deny" => deny = reader.filled(value, "`deny`"),
                "warn" => warn = reader.filled(value, "`warn`"),
                _ => max = reader.whole(value, "`max`", 0, u32::MAX),
            }
        }
    });
    if reader.out.len() > errors {
        return None;
    }
    let span = reader.span(id);
    if !has_name {
        let help = "write `name: …`, unique among the rules; --allow and reports use it";
        reader.error(Code::BadRule, span, "a rule has no `name`", help);
    }
    if verdicts != 1 {
        let message = "a rule has exactly one of `deny`, `warn` and `max`";
        let help = "write `deny: WHY`, `warn: WHY` or `max: N`";
        reader.error(Code::BadRule, span, message, help);
        return None;
    }
    Some(RawRule {
        name: name?,
        before,
        after,
        deny,
        warn,
        max,
    })
}

fn read_selectors<'t>(reader: &mut Decoder<'t>, id: NodeId, what: &str) -> Vec<At<&'t str>> {
    if matches!(reader.tree.kind(id), NodeKind::Scalar(..)) {
        return reader.filled(id, what).into_iter().collect();
    }
    let help = "write one selector, `tag=vip`, or a list of them: `[tag=vip, agent=none]`";
    match reader.list(id, what, help) {
        Some(items) => items.filter_map(|item| reader.filled(item, what)).collect(),
        None => Vec::new(),
    }
}

/// Reads `policy.freeze`.
pub(super) fn read_freezes<'t>(reader: &mut Decoder<'t>, id: NodeId) -> Vec<RawFreeze<'t>> {
    let help = "write a list: `- { from: 2026-12-23, to: 2027-01-03, reason: holidays }`";
    let Some(items) = reader.list(id, "`freeze`", help) else {
        return Vec::new();
    };
    items.filter_map(|item| read_freeze(reader, item)).collect()
}

fn read_freeze<'t>(reader: &mut Decoder<'t>, id: NodeId) -> Option<RawFreeze<'t>> {
    let mut made = RawFreeze {
        span: reader.span(id),
        ..RawFreeze::default()
    };
    let errors = reader.out.len();
    each(reader, id, "a freeze", FREEZE, |reader, key, value| {
        let (place, what) = match key {
            "from" => (&mut made.from, "`from`"),
            "to" => (&mut made.to, "`to`"),
            "weekly" => (&mut made.weekly, "`weekly`"),
            "zone" => (&mut made.zone, "`zone`"),
            _ => (&mut made.reason, "`reason`"),
        };
        *place = reader.filled(value, what);
    });
    (reader.out.len() == errors).then_some(made)
}

/// The rules that are valid; the others are errors.
pub(super) fn rules(
    reader: &mut Decoder<'_>,
    raw: &[RawRule<'_>],
    agents: &BTreeMap<String, Agent>,
) -> Vec<ChangeRule> {
    let mut made: Vec<ChangeRule> = Vec::new();
    let mut names: BTreeMap<&str, Span> = BTreeMap::new();
    for rule in raw {
        let name = rule.name.value.trim();
        if name.chars().any(char::is_control) {
            let message = format!("{} has a control character", quoted(name));
            reader.error(
                Code::BadRule,
                rule.name.span,
                message,
                "write a name of one line",
            );
        }
        if let Some(first) = names.insert(name, rule.name.span) {
            let message = format!("two rules are named {}", quoted(name));
            let error = reader
                .source
                .error(Code::DuplicateRule, rule.name.span, message);
            let error = error
                .label("again")
                .also(reader.source, first, "first here");
            reader
                .out
                .push(error.help("give each rule a name of its own"));
            continue;
        }
        let verdict = match (rule.deny, rule.warn, rule.max) {
            (Some(why), _, _) => Verdict::Deny(why.value.trim().to_owned()),
            (_, Some(why), _) => Verdict::Warn(why.value.trim().to_owned()),
            (_, _, Some(most)) => Verdict::Max(most.value),
            (None, None, None) => continue,
        };
        let before = selection(reader, &rule.before, agents);
        let after = selection(reader, &rule.after, agents);
        if let (Some(before), Some(after)) = (before, after) {
            made.push(ChangeRule {
                name: name.into(),
                before,
                after,
                verdict,
                place: place(reader, rule.name.span),
            });
        }
    }
    made
}

/// The selectors, of which all must match.
fn selection(
    reader: &mut Decoder<'_>,
    texts: &[At<&str>],
    agents: &BTreeMap<String, Agent>,
) -> Option<Selection> {
    let mut made = Some(Selection::default());
    for text in texts {
        match Selection::for_rules(text.value, agents) {
            Ok(selection) => made = made.map(|made| made.and(selection)),
            Err(problem) => {
                let message = format!("selector {}: {problem}", quoted(text.value));
                let help =
                    "a rule takes uuids, status=, agent=, tag= and attributes.KEY=, with != for =";
                reader.error(Code::BadSelector, text.span, message, help);
                made = None;
            }
        }
    }
    made
}

/// The freeze windows that are valid; the others are errors.
pub(super) fn freezes(reader: &mut Decoder<'_>, raw: &[RawFreeze<'_>]) -> Vec<Freeze> {
    let mut made = Vec::new();
    for freeze in raw {
        let (window, zone) = (window(reader, freeze), time_zone(reader, freeze.zone));
        if let (Some(window), Some(zone)) = (window, zone) {
            made.push(Freeze {
                window,
                zone,
                reason: freeze.reason.map(|reason| reason.value.trim().to_owned()),
                place: place(reader, freeze.span),
            });
        }
    }
    made
}

fn window(reader: &mut Decoder<'_>, raw: &RawFreeze<'_>) -> Option<Window> {
    match (raw.from, raw.to, raw.weekly) {
        (Some(first), Some(last), None) => {
            let (from, to) = (day(reader, first), day(reader, last));
            let (from, to) = (from?, to?);
            if from > to {
                let message = format!("{from} is after {to}");
                let help = "write the first day as `from`, the last as `to`";
                reader.error(Code::BadFreeze, first.span, message, help);
                return None;
            }
            Some(Window::Dates { from, to })
        }
        (None, None, Some(weekly)) => match Window::weekly(weekly.value) {
            Ok(window) => Some(window),
            Err(error) => {
                let message = format!("{} is not a weekly window: {error}", quoted(weekly.value));
                let help = "write `weekly: \"Fri 16:00 - Mon 08:00\"`";
                reader.error(Code::BadFreeze, weekly.span, message, help);
                None
            }
        },
        _ => {
            let message = "a freeze has either `from` and `to`, or `weekly`";
            let help = "write `from: 2026-12-23` and `to: 2027-01-03`, or `weekly: \"Fri 16:00 - Mon 08:00\"`";
            reader.error(Code::BadFreeze, raw.span, message, help);
            None
        }
    }
}

/// A date in full: jiff reads times too, which a day does not have.
fn day(reader: &mut Decoder<'_>, text: At<&str>) -> Option<Date> {
    let is_date = text.value.len() == "2026-12-23".len();
    let made = text.value.parse().ok().filter(|_| is_date);
    if made.is_none() {
        let message = format!("{} is not a date", quoted(text.value));
        reader.error(
            Code::BadFreeze,
            text.span,
            message,
            "write year, month and day: `2026-12-23`",
        );
    }
    made
}

fn time_zone(reader: &mut Decoder<'_>, name: Option<At<&str>>) -> Option<TimeZone> {
    let Some(name) = name else {
        return Some(TimeZone::UTC);
    };
    let made = TimeZone::get(name.value.trim()).ok();
    if made.is_none() {
        let message = format!("{} is not a time zone", quoted(name.value));
        let help = "write its IANA name: `Europe/Berlin`, `Asia/Kolkata`, `UTC`";
        reader.error(Code::BadFreeze, name.span, message, help);
    }
    made
}
