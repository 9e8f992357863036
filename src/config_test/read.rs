//! Reading a file of tests.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::{Case, Expect, LiveSource};
use crate::config::words::{place, read_version};
use crate::lead::{Field, LeadId, Value};
use crate::lead_file::Vocabulary;
use crate::lead_file::raw;
use crate::lead_file::valid::read_values;
use crate::policy::Guard;
use crate::yaml::decode::{Decoder, Keys};
use crate::yaml::diagnostic::{Code, Diagnostic, SourceFile};
use crate::yaml::excerpt::quoted;
use crate::yaml::{NodeId, parse};

const FILE: &[&str] = &["version", "tests"];
const TEST: &[&str] = &["name", "live", "live_file", "base", "now", "expect"];
const EXPECT: &[&str] = &["changes", "refused", "warned", "after"];

/// Reads the tests of a file, and all that is wrong with it. Tags are not limited to the policy's: an inbox has any.
pub fn read(
    file: &Arc<str>,
    text: &str,
    vocabulary: Vocabulary<'_>,
) -> (Vec<Case>, Vec<Diagnostic>) {
    let source = SourceFile {
        file: file.clone(),
        text,
    };
    let mut out = Vec::new();
    let Some(tree) = parse(&source, &mut out) else {
        return (Vec::new(), out);
    };
    let mut reader = Decoder {
        tree: &tree,
        source: &source,
        out,
    };
    let tests = if tree.is_empty() {
        Vec::new()
    } else {
        TestReader(Vocabulary {
            tags: None,
            ..vocabulary
        })
        .file(&mut reader)
    };
    (tests, reader.out)
}

struct TestReader<'w>(Vocabulary<'w>);

type InlineLeads = BTreeMap<LeadId, Vec<(Field, Value)>>;

impl TestReader<'_> {
    fn file(&self, reader: &mut Decoder<'_>) -> Vec<Case> {
        let help = "begin with `version: 1`, then `tests:`";
        let Some(pairs) = reader.mapping(0, "a file of tests", help) else {
            return Vec::new();
        };
        let (mut keys, mut has_version, mut cases) = (Keys::default(), false, Vec::new());
        for (key, value) in pairs {
            match reader.key(key, &mut keys) {
                Some("version") => {
                    has_version = true;
                    read_version(reader, value);
                }
                Some("tests") => {
                    let help = "write each test as `- name: …` with `live:` and `expect:` below";
                    let items = reader.list(value, "`tests`", help);
                    for item in items.into_iter().flatten() {
                        cases.extend(self.case(reader, item));
                    }
                }
                Some(other) => reader.unknown(key, other, "a file of tests", FILE),
                None => {}
            }
        }
        if !has_version {
            let (span, help) = (reader.span(0), "write `version: 1` on the first line");
            reader.error(Code::MissingVersion, span, "`version` is missing", help);
        }
        cases
    }

    fn case(&self, reader: &mut Decoder<'_>, id: NodeId) -> Option<Case> {
        let help = "write `name:`, `live:` and `expect:`";
        let pairs = reader.mapping(id, "a test", help)?;
        let place = place(reader, reader.span(id));
        let (mut keys, errors) = (Keys::default(), reader.out.len());
        let (mut name, mut inline, mut snapshot) = (None, None, None);
        let (mut base, mut now, mut expect) = (None, None, None);
        for (key, value) in pairs {
            match reader.key(key, &mut keys) {
                Some("name") => name = reader.filled(value, "a test's name"),
                Some("live") => inline = Some(self.leads(reader, value, "`live`")),
                Some("live_file") => snapshot = snapshot_file(reader, value),
                Some("base") => base = reader.filled(value, "`base`"),
                Some("now") => now = time(reader, value),
                Some("expect") => expect = Some(self.expect(reader, value)),
                Some(other) => reader.unknown(key, other, "a test", TEST),
                None => {}
            }
        }
        if reader.out.len() > errors {
            return None;
        }
        let live = match (inline, snapshot) {
            (Some(leads), None) => Some(LiveSource::Inline(leads)),
            (None, Some(file)) => Some(LiveSource::Snapshot(file)),
            (Some(_), Some(_)) | (None, None) => None,
        };
        let (Some(name), Some(live), Some(expect)) = (name, live, expect) else {
            let message = "a test has `name`, `expect`, and one of `live` and `live_file`";
            reader.error(Code::BadTest, reader.span(id), message, help);
            return None;
        };
        Some(Case {
            name: name.value.to_owned(),
            place,
            live,
            base: base.map(|base| base.value.to_owned()),
            now,
            expect,
        })
    }

    fn leads(&self, reader: &mut Decoder<'_>, id: NodeId, what: &str) -> InlineLeads {
        let mut leads = InlineLeads::new();
        let help = "write each lead as `uuid: { status: OPEN, agent: priya }`; `{}` for none";
        let Some(pairs) = reader.mapping(id, what, help) else {
            return leads;
        };
        let mut keys = Keys::default();
        for (key, value) in pairs {
            if reader.key(key, &mut keys).is_none() {
                continue;
            }
            let uuid = raw::uuid(reader, key);
            let values = read_values(reader, value, self.0);
            if let Some(uuid) = uuid {
                leads.insert(LeadId::new(uuid), values);
            }
        }
        leads
    }

    fn expect(&self, reader: &mut Decoder<'_>, id: NodeId) -> Expect {
        let mut expect = Expect::default();
        let help = "write what the plan comes to: `{ changes: 1, refused: [max-changes] }`";
        let Some(pairs) = reader.mapping(id, "`expect`", help) else {
            return expect;
        };
        let mut keys = Keys::default();
        for (key, value) in pairs {
            match reader.key(key, &mut keys) {
                Some("changes") => {
                    let number = reader.whole(value, "`changes`", 0, u32::MAX);
                    expect.changes = number.map(|number| number.value as usize);
                }
                Some("refused") => expect.refused = guards(reader, value, "`refused`"),
                Some("warned") => expect.warned = Some(guards(reader, value, "`warned`")),
                Some("after") => expect.after = self.leads(reader, value, "`after`"),
                Some(other) => reader.unknown(key, other, "`expect`", EXPECT),
                None => {}
            }
        }
        expect
    }
}

fn guards(reader: &mut Decoder<'_>, id: NodeId, what: &str) -> Vec<Guard> {
    let help = "write the guards as a list: `[max-changes, \"rule:vip keeps an agent\"]`";
    let Some(items) = reader.list(id, what, help) else {
        return Vec::new();
    };
    let mut guards = Vec::new();
    for item in items {
        let Some(text) = reader.filled(item, "a guard") else {
            continue;
        };
        match text.value.trim().parse() {
            Ok(guard) => guards.push(guard),
            Err(_) => {
                let message = format!("{} is not a guard", quoted(text.value));
                let help = "write its name as reports show it, `max-changes`, or `rule:NAME`";
                reader.error(Code::BadTest, text.span, message, help);
            }
        }
    }
    guards.sort();
    guards.dedup();
    guards
}

fn time(reader: &mut Decoder<'_>, id: NodeId) -> Option<jiff::Timestamp> {
    let text = reader.filled(id, "`now`")?;
    let made = text.value.trim().parse().ok();
    if made.is_none() {
        let message = format!("{} is not a time with its zone", quoted(text.value));
        reader.error(
            Code::BadTest,
            text.span,
            message,
            "write `2026-12-24T10:00:00Z`",
        );
    }
    made
}

fn snapshot_file(reader: &mut Decoder<'_>, id: NodeId) -> Option<PathBuf> {
    let text = reader.filled(id, "`live_file`")?;
    let path = Path::new(text.value);
    let is_inside = path
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !is_inside {
        let message = format!("{} leaves the workspace", quoted(text.value));
        let help = "write a path relative to convertalk.yaml that stays in its folder";
        reader.error(Code::BadPath, text.span, message, help);
    }
    is_inside.then(|| path.to_owned())
}
