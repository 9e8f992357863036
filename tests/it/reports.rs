//! Reports: each class and mix of classes in each format, and Markdown before a real parser.

use std::collections::BTreeMap;
use std::sync::Arc;

use clap::ValueEnum;
use convertalk::config::{Overrides, Workspace, parse};
use convertalk::lead::desired::Desired;
use convertalk::lead::{AgentId, Field, Lead, LeadId, Note, Status, Value};
use convertalk::lead_file::desired_of;
use convertalk::observe::Live;
use convertalk::plan::{Base, DifferencePolicy, Input, Limits, Plan, Target, make};
use convertalk::report::{self, Audience, Format};

use crate::arbitrary::{CONFIG, live, observed};
use crate::world::{PRIYA, RAHUL, uuid};

mod markdown;
mod run;

/// The rules that the plans of these tests are held against.
const POLICY: &str = "policy:
  max_changes: 9
  transitions: { deny: [\"CLOSED -> *\"], warn: [\"REVIEW -> OPEN\"] }
";

fn workspace() -> Workspace {
    parse(
        std::path::Path::new("."),
        &format!("{CONFIG}{POLICY}"),
        &Overrides::default(),
    )
    .0
    .expect("a workspace")
}

fn files(leads: &str) -> Desired {
    let text = format!(
        "version: 1\nleads:{}\n{leads}",
        if leads.is_empty() { " {}" } else { "" }
    );
    let (desired, diagnostics) =
        desired_of(vec![(Arc::from("leads/all.yaml"), text)], &workspace());
    assert!(
        diagnostics.iter().all(|made| !made.is_error()),
        "{diagnostics:?}"
    );
    desired
}

fn inbox(leads: &[(usize, Lead)]) -> Live {
    live(
        leads
            .iter()
            .map(|(number, lead)| (LeadId::new(uuid(*number)), observed(lead.clone())))
            .collect::<BTreeMap<_, _>>(),
    )
}

fn open(agent: &str, tags: &[&str]) -> Lead {
    let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
    let agent = AgentId::parse(agent).map_or(Value::Absent, Value::Reference);
    Lead::new([
        (Field::STATUS, Value::Choice(Status::Open)),
        (Field::AGENT, agent),
        (Field::TAGS, Value::Set(tags)),
    ])
}

fn with(mut lead: Lead, field: Field, value: Value) -> Lead {
    lead.set(field, value);
    lead
}

fn in_status(status: Status, lead: Lead) -> Lead {
    with(lead, Field::STATUS, Value::Choice(status))
}

/// Files, what they said at the base, and the inbox, planned.
fn planned(head: &str, base: Option<&str>, live: &Live) -> Plan {
    let (workspace, desired, base) = (workspace(), files(head), base.map(files));
    let limits = Limits::new(&workspace.policy, &workspace.agents);
    let commit = Base {
        reference: "main".to_owned(),
        commit: "0123456789abcdef0123456789abcdef01234567".to_owned(),
    };
    make(Input {
        desired: &desired,
        all: &desired,
        live,
        agents: &workspace.agents,
        limits: &limits,
        target: Target {
            endpoint: "https://api.example.com".to_owned(),
            bot_id: "63d9ffa77a8d152facbe2f00".to_owned(),
            customer_id: "631aa793bcfa100487d13d01".to_owned(),
        },
        base: base.as_ref().map(|base| (commit, base)),
        whose: DifferencePolicy::default(),
        left_alone: &std::collections::BTreeSet::new(),
        created_at: "2026-01-02T03:04:05Z".to_owned(),
    })
}

fn one(number: usize, says: &str) -> String {
    format!("  {}: {{ {says} }}\n", uuid(number))
}

/// A plan for each class, and one for all of them, by name.
fn plans() -> Vec<(&'static str, Plan)> {
    let inbox_of_one = inbox(&[(1, open(PRIYA, &["web"]))]);
    let said = one(1, "status: OPEN");
    let closes = one(1, "label: Acme & Sons, status: CLOSED, tags: [web, vip]");
    let reviewed = inbox(&[(1, in_status(Status::Review, open(PRIYA, &["web"])))]);
    let closed = inbox(&[(1, in_status(Status::Closed, open(PRIYA, &[])))]);
    vec![
        ("nothing", planned(&said, None, &inbox_of_one)),
        ("change", planned(&closes, None, &inbox_of_one)),
        (
            "create",
            planned(
                &one(2, "status: OPEN, agent: priya, create: true"),
                None,
                &inbox_of_one,
            ),
        ),
        (
            "missing",
            planned(&one(2, "label: Gone, status: OPEN"), None, &inbox_of_one),
        ),
        ("refused", planned(&said, None, &closed)),
        ("warning", planned(&said, None, &reviewed)),
        ("intended", planned(&closes, Some(&said), &inbox_of_one)),
        ("drift", planned(&said, Some(&said), &reviewed)),
        ("conflict", planned(&closes, Some(&said), &reviewed)),
        ("released", planned("", Some(&said), &inbox_of_one)),
        ("every", every()),
        ("hostile", hostile(7)),
    ]
}

/// Every class at once, a roll-up, parts of tags, a long text, a contact value and notes.
fn every() -> Plan {
    let long = |word: &str| {
        format!(
            "A {word} office on the third floor, two rooms to the north, one lift, no parking, from May on"
        )
    };
    let email = "contact.email".parse().expect("a field");
    let mut leads: Vec<(usize, Lead)> = (1..=4)
        .map(|number| (number, open(RAHUL, &["web"])))
        .collect();
    leads.extend([
        (
            5,
            in_status(Status::Review, open(PRIYA, &["web", "agents-own"])),
        ),
        (6, in_status(Status::OnHold, open(PRIYA, &[]))),
        (7, in_status(Status::Closed, open(PRIYA, &[]))),
        (
            8,
            with(
                open(PRIYA, &[]),
                Field::attribute("office"),
                Value::Text(long("sunny")),
            ),
        ),
        (
            9,
            with(
                open(PRIYA, &[]),
                email,
                Value::Text("asha@old.example".to_owned()),
            ),
        ),
        (11, open(PRIYA, &[])),
    ]);
    let same: String = (1..=4)
        .map(|number| one(number, &format!("label: Lead {number}, agent: priya")))
        .collect();
    let before: String = (1..=4).map(|number| one(number, "agent: rahul")).collect();
    let head = [
        same,
        one(5, "label: Five, status: OPEN, tags: [web, vip]"),
        one(6, "label: Six, status: CLOSED"),
        one(7, "status: OPEN"),
        one(
            8,
            &format!("attributes: {{ office: \"{}\" }}", long("shady")),
        ),
        one(
            9,
            "contact: { email: asha@new.example }, notes: [{ title: Moved, description: Writes from a new address }]",
        ),
        one(10, "label: Ten, status: OPEN, create: true"),
        one(12, "label: Twelve, status: OPEN"),
    ];
    let base = [
        before,
        one(5, "status: OPEN, tags: [web]"),
        one(6, "status: OPEN"),
        one(11, "status: OPEN"),
    ];
    planned(&head.concat(), Some(&base.concat()), &inbox(&leads))
}

/// So many leads whose every text is meant to break out of where it stands.
fn hostile(number: usize) -> Plan {
    let texts = [
        "<img src=x onerror=alert(1)>",
        "a|b`c\\|d``e",
        "@everyone #1 !2 GH-3 org/repo#4 user@evil.example",
        "https://evil.example/x www.evil.example [l](http://evil.example) ![i](//evil.example/i.png)",
        "</code></details>--><script>alert(1)</script><!--",
        "line\n::error::two\r\n| a | b |\n|---|---|\n# head",
        "\u{202e}gpj.exe\u{200b}\u{7}\u{1b}[2J &amp; &#60;b&#62; $x$ ~~s~~ **b** __i__",
    ];
    let text = |at: usize| {
        format!(
            "{}{}",
            texts[at % texts.len()],
            if at < texts.len() {
                String::new()
            } else {
                at.to_string()
            }
        )
    };
    let quoted = |text: &str| serde_json::to_string(text).expect("a text");
    let lead = |at: usize| {
        let note = Note {
            title: text(at),
            description: text(at + 1),
        };
        let long = text(at + 3).repeat(4);
        Lead::new([
            (Field::TAGS, Value::Set([text(at), text(at + 1)].into())),
            (Field::attribute("key"), Value::Text(text(at + 2))),
            (Field::attribute("long"), Value::Text(long)),
            (Field::NOTES, Value::Notes(vec![note])),
            (Field::STATUS, Value::Choice(Status::Other(text(at).into()))),
        ])
    };
    let says = |at: usize| {
        let (label, tag, value) = (
            quoted(&text(at)),
            quoted(&text(at + 4).replace(convertalk::text::is_invisible, "?")),
            quoted(&text(at + 5)),
        );
        let (long, note) = (quoted(&text(at + 6).repeat(4)), quoted(&text(at + 2)));
        let attributes = format!(
            "key: {value}, {}: {value}, long: {long}",
            quoted(&text(at + 1))
        );
        one(
            at,
            &format!(
                "label: {label}, status: OPEN, tags: [{tag}], attributes: {{ {attributes} }}, notes: [{{ title: {note} }}]"
            ),
        )
    };
    let leads: Vec<(usize, Lead)> = (0..number).map(|at| (at, lead(at))).collect();
    planned(
        &(0..number).map(says).collect::<String>(),
        None,
        &inbox(&leads),
    )
}

fn told(plan: &Plan, format: Format) -> String {
    let text = report::plan(
        plan,
        format,
        Audience {
            prefix: "crm/",
            ..Audience::default()
        },
    );
    assert_eq!(
        text,
        report::plan(
            plan,
            format,
            Audience {
                prefix: "crm/",
                ..Audience::default()
            }
        )
    );
    text
}

#[test]
fn golden_plans_of_every_class() {
    for format in [
        Format::Text,
        Format::Markdown,
        Format::Html,
        Format::Github,
        Format::Sarif,
        Format::Json,
    ] {
        let name = format
            .to_possible_value()
            .expect("a name")
            .get_name()
            .to_owned();
        for (story, plan) in plans() {
            let text =
                without_assets(&anstream::adapter::strip_str(&told(&plan, format)).to_string());
            insta::with_settings!({ snapshot_path => "reports/golden", prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_snapshot!(format!("{story}.{name}"), text);
            });
        }
    }
}

/// The sizes of what is written to it.
#[derive(Default)]
struct Pieces(Vec<usize>);

impl std::io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.push(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A stream that takes nothing more after so many bytes.
struct Full(usize);

impl std::io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(bytes.len())
            .ok_or(std::io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn text_and_json_are_written_as_they_are_made() {
    let plan = crate::html::plans::plan(&crate::html::plans::big(2_000));
    let audience = Audience {
        all_leads: true,
        ..Audience::default()
    };
    for format in [Format::Text, Format::Json] {
        let mut pieces = Pieces::default();
        report::write_plan(&mut pieces, &plan, format, audience).expect("a report");
        let whole = report::plan(&plan, format, audience);
        assert_eq!(pieces.0.iter().sum::<usize>(), whole.len(), "{format:?}");
        let largest = pieces.0.iter().max().copied().unwrap_or_default();
        assert!(
            largest < 4_096 && whole.len() > 100_000,
            "{format:?}: {largest} of {} bytes at once",
            whole.len()
        );
        let full = report::write_plan(&mut Full(50_000), &plan, format, audience);
        let full = full.expect_err("the stream is full");
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull, "{format:?}");
    }
}

#[test]
fn golden_rows_of_every_class() {
    for (story, plan) in plans() {
        let text = report::plan_as_csv(&plan, Audience::default().names).expect("CSV");
        insta::with_settings!({ snapshot_path => "reports/golden", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(format!("{story}.csv"), text);
        });
    }
}

/// HTML without its style, its script and its policy, which are the same in each.
fn without_assets(text: &str) -> String {
    let mut text = text.to_owned();
    for (open, close) in [
        ("<style>", "</style>"),
        ("<script>", "</script>"),
        ("content=\"default-src", "\">"),
    ] {
        if let Some(start) = text.find(open).map(|at| at + open.len())
            && let Some(end) = text[start..].find(close)
        {
            text.replace_range(start..start + end, "…");
        }
    }
    text
}

#[test]
fn a_plan_with_nothing_to_do_is_one_line_for_people() {
    let (_, plan) = plans().swap_remove(0);
    for format in [Format::Text, Format::Markdown, Format::Github] {
        assert_eq!(told(&plan, format).lines().count(), 1, "{format:?}");
    }
}

/// A workflow command begins a line, and no text in it does.
#[test]
fn annotations_hold_no_command_but_their_own() {
    for (_, plan) in plans() {
        let text = told(&plan, Format::Github);
        let (verdict, commands) = text
            .trim_end()
            .rsplit_once('\n')
            .map_or((text.trim_end(), ""), |(rest, last)| (last, rest));
        assert!(!verdict.contains("::"), "{verdict}");
        for line in commands.lines() {
            assert_eq!(line.matches("::").count(), 2, "{line}");
            assert!(
                ["::error ", "::warning ", "::notice "]
                    .iter()
                    .any(|word| line.starts_with(word)),
                "{line}"
            );
            assert!(!line.contains(['\r', '\u{1b}', '\u{202e}']), "{line}");
        }
    }
}

#[test]
fn sarif_names_each_rule_and_place() {
    for (_, plan) in plans() {
        let log: serde_json::Value =
            serde_json::from_str(&told(&plan, Format::Sarif)).expect("JSON");
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
        for result in run["results"].as_array().expect("results") {
            let at = result["ruleIndex"].as_u64().expect("an index") as usize;
            assert_eq!(rules[at]["id"], result["ruleId"]);
            let place = &result["locations"][0]["physicalLocation"];
            assert!(
                place["artifactLocation"]["uri"]
                    .as_str()
                    .expect("a uri")
                    .starts_with("crm/"),
                "{place}"
            );
            assert!(place["region"]["startLine"].as_u64().expect("a line") >= 1);
        }
        let findings: usize = plan
            .refusals
            .iter()
            .chain(&plan.warnings)
            .map(|refusal| refusal.leads.len().max(1))
            .sum();
        assert_eq!(
            run["results"].as_array().expect("results").len(),
            findings + plan.missing.len()
        );
    }
}
