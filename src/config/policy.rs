//! The policy of `convertalk.yaml`: tags, limits, transitions and drift; rules and freeze windows are in [`super::rules`].

use std::collections::BTreeMap;

use super::raw::{RawDrift, RawPolicy};
use super::words::{place, read_status};
use crate::lead::Status;
use crate::policy::{Agent, DriftPolicies, DriftPolicy, MaxChanges, Policy, Rule, Transition};
use crate::yaml::decode::{At, Decoder};
use crate::yaml::diagnostic::{Code, Span};
use crate::yaml::excerpt::quoted;

fn rule<T>(reader: &Decoder<'_>, span: Span, value: T) -> Rule<T> {
    Rule {
        value,
        place: place(reader, span),
    }
}

pub(super) fn policy(
    reader: &mut Decoder<'_>,
    raw: &RawPolicy<'_>,
    agents: &BTreeMap<String, Agent>,
) -> Policy {
    let tags = raw.tags.as_ref().map(|tags| {
        let names = tags
            .value
            .iter()
            .filter_map(|tag| crate::lead::tag(tag.value))
            .collect();
        rule(reader, tags.span, names)
    });
    let max_changes = raw
        .max_changes
        .and_then(|text| max_changes(reader, text).map(|most| rule(reader, text.span, most)));
    let mut moves = |list: &[At<&str>]| {
        list.iter()
            .filter_map(|text| transition(reader, *text).map(|made| rule(reader, text.span, made)))
            .collect()
    };
    let (deny, warn) = (moves(&raw.transitions.0), moves(&raw.transitions.1));
    let require_agent = raw.require_agent.as_ref().map(|list| {
        let statuses = list
            .value
            .iter()
            .filter_map(|text| read_status(reader, *text))
            .collect();
        rule(reader, list.span, statuses)
    });
    Policy {
        tags,
        max_changes,
        deny,
        warn,
        require_agent,
        rules: super::rules::rules(reader, &raw.rules, agents),
        freeze: super::rules::freezes(reader, &raw.freeze),
        drift: raw.drift.as_ref().map(|raw| {
            let drift = drift(reader, &raw.value);
            rule(reader, raw.span, drift)
        }),
    }
}

fn drift(reader: &mut Decoder<'_>, raw: &RawDrift<'_>) -> DriftPolicies {
    match raw {
        RawDrift::All(word) => DriftPolicies::all(drift_policy(reader, *word).unwrap_or_default()),
        RawDrift::ByField(fields) => {
            let mut made = DriftPolicies::default();
            for (group, word) in fields {
                if let Some(policy) = drift_policy(reader, *word) {
                    made = made.with_group(group, policy);
                }
            }
            made
        }
    }
}

fn drift_policy(reader: &mut Decoder<'_>, text: At<&str>) -> Option<DriftPolicy> {
    let known = DriftPolicy::WORDS
        .iter()
        .find(|(word, _)| *word == text.value);
    if known.is_none() {
        reader.error(
            Code::BadValue,
            text.span,
            format!("{} is not a drift policy", quoted(text.value)),
            "write `keep`, `revert` or `fail`",
        );
    }
    known.map(|(_, policy)| *policy)
}

fn max_changes(reader: &mut Decoder<'_>, text: At<&str>) -> Option<MaxChanges> {
    let made = text.value.parse().ok();
    if made.is_none() {
        let help = "write a number of leads, `50`, or a percentage of the declared leads, \"20%\"";
        reader.error(
            Code::BadMaxChanges,
            text.span,
            format!("{} is not a number of changes", quoted(text.value)),
            help,
        );
    }
    made
}

fn transition(reader: &mut Decoder<'_>, text: At<&str>) -> Option<Transition> {
    let Some((from, to)) = text.value.split_once("->") else {
        let help = "write `CLOSED -> *`: from, an arrow, to";
        reader.error(
            Code::BadTransition,
            text.span,
            format!("{} is not a transition", quoted(text.value)),
            help,
        );
        return None;
    };
    let mut side = |word: &str| -> Option<Option<Status>> {
        match word.trim() {
            "*" => Some(None),
            word => read_status(
                reader,
                At {
                    value: word,
                    span: text.span,
                },
            )
            .map(Some),
        }
    };
    let (from, to) = (side(from), side(to));
    Some(Transition {
        from: from?,
        to: to?,
    })
}
