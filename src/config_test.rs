//! Tests of a configuration: what the policy and the planner make of an inbox that a file describes. Offline, and pure.
//!
//! A test gives a live inbox, and what a plan against it comes to: how many leads are written, what is refused or reported, and how
//! leads look after. `read` reads a file of tests, [`differences`] compares one with the plan that was made for it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::Schema;
use serde_json::json;

use crate::lead::{AgentId, Field, LeadId, Place, Value};
use crate::observe::{Listing, Live, Observed};
use crate::plan::{Change, Plan, Refusal};
use crate::policy::Guard;

mod read;

pub use read::read;

/// One test.
#[derive(Debug)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// Where it is written.
    pub place: Place,
    /// The inbox.
    pub live: LiveSource,
    /// The commit that differences are explained with.
    pub base: Option<String>,
    /// The time that freeze windows are compared with; without it none counts.
    pub now: Option<Timestamp>,
    /// What the plan comes to.
    pub expect: Expect,
}

/// Where the live values come from.
#[derive(Debug)]
pub enum LiveSource {
    /// The test itself: these leads and no others.
    Inline(BTreeMap<LeadId, Vec<(Field, Value)>>),
    /// A snapshot, relative to the workspace.
    Snapshot(PathBuf),
}

/// What a plan is expected to come to. What is `None` or empty is not compared, but that nothing is refused is the default.
#[derive(Debug, Default)]
pub struct Expect {
    /// The number of leads that would be written.
    pub changes: Option<usize>,
    /// The guards that refuse, sorted.
    pub refused: Vec<Guard>,
    /// The guards that warn, sorted.
    pub warned: Option<Vec<Guard>>,
    /// Values of leads once the plan is applied.
    pub after: BTreeMap<LeadId, Vec<(Field, Value)>>,
}

/// A live inbox with these leads and no others.
pub fn inbox(leads: &BTreeMap<LeadId, Vec<(Field, Value)>>) -> Live {
    let mut live = Live::default();
    let mut workload: BTreeMap<AgentId, u64> = BTreeMap::new();
    for (id, values) in leads {
        let lead = crate::lead::Lead::new(values.iter().cloned());
        if let Some(agent) = lead.agent() {
            *workload.entry(agent.clone()).or_default() += 1;
        }
        let observed = Observed {
            lead,
            ..Observed::default()
        };
        live.leads.insert(id.clone(), Arc::new(observed));
    }
    live.listing = Listing {
        complete: true,
        leads_read: leads.len() as u64,
        pages_read: 2,
    };
    live.workload = Some(workload);
    live
}

/// The lines of a diff, `-` expected and `+` actual, with the lines that agree between them; empty where all agree.
pub fn differences(expect: &Expect, plan: &Plan, written: &[Change], live: &Live) -> Vec<String> {
    let mut lines = Diff::default();
    if let Some(changes) = expect.changes {
        lines.compare("changes", &changes, &written.len());
    }
    lines.compare(
        "refused",
        &list(&expect.refused),
        &list(&guards(&plan.refusals)),
    );
    let unexpected = plan.refusals.iter();
    lines.explain(unexpected.filter(|refusal| !expect.refused.contains(&refusal.rule)));
    if let Some(warned) = &expect.warned {
        lines.compare("warned", &list(warned), &list(&guards(&plan.warnings)));
        let unexpected = plan.warnings.iter();
        lines.explain(unexpected.filter(|warning| !warned.contains(&warning.rule)));
    }
    for (id, values) in &expect.after {
        let change = written.iter().find(|change| change.uuid == *id);
        let lead = live.get(id).map(|seen| &seen.lead);
        for (field, expected) in values {
            let planned = change.and_then(|change| {
                let mut fields = change.fields.iter();
                Some(fields.find(|other| other.field == *field)?.after.clone())
            });
            let actual = planned.unwrap_or_else(|| {
                lead.map(|lead| lead.value(field).into_owned())
                    .unwrap_or_else(|| Value::empty(field.kind()))
            });
            let agrees = actual.holds(expected, field.spec().compare);
            let actual = if agrees { expected } else { &actual };
            lines.compare(
                &format!("after.{id}.{field}"),
                &text(expected),
                &text(actual),
            );
        }
    }
    if lines.differs {
        lines.lines
    } else {
        Vec::new()
    }
}

#[derive(Default)]
struct Diff {
    lines: Vec<String>,
    differs: bool,
}

impl Diff {
    fn compare<T: PartialEq + std::fmt::Display>(&mut self, key: &str, expected: &T, actual: &T) {
        if expected == actual {
            self.lines.push(format!("  {key}: {expected}"));
            return;
        }
        self.differs = true;
        self.lines.push(format!("- {key}: {expected}"));
        self.lines.push(format!("+ {key}: {actual}"));
    }

    fn explain<'r>(&mut self, refusals: impl Iterator<Item = &'r Refusal>) {
        for Refusal {
            message, source, ..
        } in refusals
        {
            let place = source.as_ref().map(|source| format!(" ({source})"));
            self.lines
                .push(format!("    {message}{}", place.unwrap_or_default()));
        }
    }
}

fn guards(refusals: &[Refusal]) -> Vec<Guard> {
    let mut guards: Vec<Guard> = refusals
        .iter()
        .map(|refusal| refusal.rule.clone())
        .collect();
    guards.sort();
    guards.dedup();
    guards
}

fn list(guards: &[Guard]) -> String {
    let names: Vec<String> = guards.iter().map(Guard::to_string).collect();
    format!("[{}]", names.join(", "))
}

fn text(value: &Value) -> String {
    json!(value).to_string()
}

/// The schema of a file of tests.
pub fn schema() -> Schema {
    let leads = crate::lead_file::schema::leads();
    let definitions = leads.get("$defs").cloned().unwrap_or_default();
    let by_uuid = json!({ "type": "object", "additionalProperties": { "$ref": "#/$defs/Lead" } });
    let guards = json!({ "type": "array", "items": { "type": "string" }, "examples": [["max-changes", "rule:vip keeps an agent"]] });
    let expect = json!({
        "description": "What the plan comes to.",
        "type": "object",
        "properties": {
            "changes": { "description": "The number of leads that would be written.", "type": "integer", "minimum": 0 },
            "refused": { "description": "The guards that refuse; none where it is left out.", "allOf": [guards] },
            "warned": { "description": "The guards that warn; not compared where it is left out.", "allOf": [guards] },
            "after": { "description": "Values of leads once the plan is applied; a field that is left out is not compared.", "allOf": [by_uuid] },
        },
        "additionalProperties": false,
    });
    let test = json!({
        "type": "object",
        "properties": {
            "name": { "description": "What the test shows.", "type": ["string", "number", "boolean"], "pattern": "\\S" },
            "live": { "description": "The whole inbox: leads with their values, as in a lead file.", "allOf": [by_uuid] },
            "live_file": { "description": "A snapshot, relative to convertalk.yaml.", "type": "string" },
            "base": { "description": "The commit that differences are explained with.", "type": ["string", "number"] },
            "now": { "description": "The time that freeze windows are compared with.", "type": "string", "examples": ["2026-12-24T10:00:00Z"] },
            "expect": { "$ref": "#/$defs/Expect" },
        },
        "required": ["name", "expect"],
        "oneOf": [{ "required": ["live"] }, { "required": ["live_file"] }],
        "additionalProperties": false,
    });
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Convertalk tests",
        "description": "Tests of the policy and of what a plan comes to, for `convertalk test`.",
        "type": "object",
        "properties": {
            "version": { "description": "The version of this format: 1.", "const": 1 },
            "tests": { "type": "array", "items": test },
        },
        "required": ["version", "tests"],
        "additionalProperties": false,
        "$defs": definitions,
    });
    schema["$defs"]["Expect"] = expect;
    Schema::try_from(schema).unwrap_or_default()
}

/// The results, as JSON has them.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "Convertalk test results")]
pub struct Results {
    /// The tests that passed.
    pub passed: usize,
    /// The tests that failed.
    pub failed: usize,
    /// Every test, in the order of the files.
    pub tests: Vec<Tested>,
}

/// One test.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Tested {
    /// Its name.
    pub name: String,
    /// The file, relative to the workspace.
    pub file: String,
    /// The line of the test, from 1.
    pub line: u32,
    /// Whether everything is as expected.
    pub passed: bool,
    /// What is not, line by line: `-` expected, `+` actual.
    pub diff: Vec<String>,
}
