//! Files that are not YAML: every slip is found in one run, at its line, and so is what is wrong with the rest.

use std::collections::BTreeSet;
use std::sync::Arc;

use convertalk::lead_file::desired_of;
use convertalk::yaml::Diagnostic;
use proptest::prelude::*;

use crate::arbitrary::workspace;
use crate::layouts::layouts;
use crate::world::{World, uuid};

fn diagnostics(text: &str) -> Vec<Diagnostic> {
    let file = Arc::from("leads/a.yaml");
    desired_of(vec![(file, text.to_owned())], &workspace()).1
}

/// The lines and codes of all errors in a file whose leads are these.
fn found(leads: &str) -> Vec<(u32, &'static str)> {
    let text = format!("version: 1\nleads:\n{leads}");
    let errors = diagnostics(&text).into_iter();
    errors.map(|made| (made.line, made.code.as_str())).collect()
}

const SYNTAX: &str = "yaml-syntax";

#[test]
fn each_lead_and_each_field_has_its_own_error() {
    let leads = "  a:
    label: Acme: renewal
    tags: [vip
    status: OPEN
  b:
    label: \"not closed
  c:
    status: SHUT
  d:
    attributes:
      one: 1: 2
      two: 3: 4
  c:
    status: OPEN
";
    let errors = found(leads);
    let errors: Vec<(u32, &str)> = errors
        .into_iter()
        .filter(|(_, code)| *code != "odd-uuid")
        .collect();
    let expected = [
        (4, SYNTAX),
        (5, SYNTAX),
        (8, SYNTAX),
        (10, "unknown-status"),
        (13, SYNTAX),
        (14, SYNTAX),
        (15, "duplicate-lead"),
    ];
    assert_eq!(errors, expected);
}

/// What is said of a file, as one text.
fn said(text: &str) -> String {
    let lines = diagnostics(text).into_iter().filter(Diagnostic::is_error);
    let line = |made: Diagnostic| {
        let help = made.help.unwrap_or_default();
        format!("{}:{}: {} ({help})\n", made.line, made.column, made.message)
    };
    lines.map(line).collect()
}

#[test]
fn each_slip_is_named_where_it_is() {
    let id = uuid(1);
    for (lead, expected) in [
        (
            "    status: OPEN\n\tagent: priya\n\tlabel: x\n",
            vec!["5:1: a tab (U+0009) indents", "6:1: a tab"],
        ),
        (
            "    status: OPEN\n  \u{a0} agent: priya\n",
            vec!["5:3: the uuid `\\u{a0} agent` holds a no-break space (U+00A0)"],
        ),
        (
            "    status: OPEN\n  \u{a0}\u{a0}agent priya\n    label: x\n",
            vec!["5:3: a no-break space (U+00A0) indents"],
        ),
        (
            "    status:OPEN\n    label: x\n",
            vec!["4:11: no space follows the colon (write `status: OPEN`)"],
        ),
        (
            "    label: x\n    status:\u{a0}OPEN\n",
            vec!["5:11: a no-break space (U+00A0) follows the colon"],
        ),
        (
            "    tags:\n      - a\n      -\u{a0}b\n",
            vec!["6:7: a no-break space (U+00A0) follows the dash"],
        ),
        (
            "    label: Acme: x\n",
            vec!["4:12: a text with a colon is not in quotes"],
        ),
        (
            "    label: “Acme: x”\n",
            vec!["`label: \"Acme: x\"`; curly quotes do not quote"],
        ),
        (
            "    status: “OPEN”\n",
            vec!["write `OPEN`: curly quotes are part of the text"],
        ),
        (
            "    status: OPEN\n   agent: priya\n",
            vec!["5:4: this line is indented by 3 spaces, which fits nothing"],
        ),
        (
            "    status: OPEN\n      agent: priya\n",
            vec![
                "5:7: this line is indented further than the one above it, which has a value (indent it by 4 spaces",
            ],
        ),
        (
            "    status: OPEN\n    agent priya\n",
            vec!["5:5: there is no colon on this line (write `agent: priya`)"],
        ),
        (
            "    status: OPEN\n  00000000-0000-4000-8000-000000000002 # x\n    status: OPEN\n",
            vec![
                "5:3: there is no colon on this line (write `00000000-0000-4000-8000-000000000002:`)",
            ],
        ),
        (
            "    label: 'x\n",
            vec!["4:12: this is not YAML: unclosed quote"],
        ),
        (
            "    tags: [x, y\n    label: z\n",
            vec!["4:11: this is not YAML: unclosed bracket '['"],
        ),
        (
            "<<<<<<< HEAD\n    label: a: b\n||||||| base\n    label: x: y\n=======\n    label: c\n>>>>>>> other\n    status: SHUT\n",
            vec![
                "4:1: a merge conflict",
                "5:12: a text with a colon",
                "11:13: `SHUT` is not a status",
            ],
        ),
        (
            "    create: true\u{a0}\n",
            vec!["the text holds a no-break space (U+00A0)"],
        ),
    ] {
        let said = said(&format!("version: 1\nleads:\n  {id}:\n{lead}"));
        for words in &expected {
            assert!(said.contains(words), "{lead}: no `{words}` in\n{said}");
        }
        assert_eq!(said.lines().count(), expected.len(), "{lead}:\n{said}");
    }
}

#[test]
fn an_anchor_of_another_block_is_no_error() {
    let errors = found("  a: &a { status: OPEN }\n  b: *a\n  c:\n    label: x: y\n  d: *a\n");
    let errors = errors.iter().filter(|(_, code)| *code != "odd-uuid");
    assert_eq!(errors.collect::<Vec<_>>(), [&(6, SYNTAX)]);
}

#[test]
fn what_is_in_quotes_or_brackets_is_not_cut() {
    let leads = "  a:
    label: \"first
    second: x\"
    tags: [
    one, two
    ]
    status: OPEN
  b:
    label: x: y
";
    let errors = found(leads);
    let errors = errors.iter().filter(|(_, code)| *code != "odd-uuid");
    assert_eq!(errors.collect::<Vec<_>>(), [&(11, SYNTAX)]);
}

#[test]
fn the_workspace_file_reports_more_than_one_too() {
    let world = World::new(&[], "");
    world.write(
        "convertalk.yaml",
        "version: 1\napi: { endpoint: sandbox\nagents:\n  a: b: c\npolicy:\n\ttags: [vip]\n",
    );
    let json = world.run("validate --format json").exits(1).json();
    let all = json["diagnostics"].as_array().expect("a list").iter();
    let places: Vec<(String, u64)> = all
        .map(|one| {
            (
                one["rule"].to_string(),
                one["line"].as_u64().expect("a line"),
            )
        })
        .collect();
    let syntax = |line| (format!("\"{SYNTAX}\""), line);
    assert_eq!(places, [syntax(2), syntax(4), syntax(6)]);
}

/// The first error is on the first line, so that all else is read block by block.
#[test]
fn the_rest_of_each_layout_has_no_error() {
    let mut seen = 0;
    for (name, text) in layouts() {
        if text.starts_with('\u{feff}') || text.lines().any(|line| line.starts_with(['{', '-'])) {
            continue; // Nothing can be written before it.
        }
        seen += 1;
        let errors = diagnostics(&format!("odd: a: b\n{text}"));
        let errors: Vec<(u32, &str)> = errors
            .iter()
            .filter(|made| made.is_error())
            .map(|made| (made.line, made.code.as_str()))
            .collect();
        assert_eq!(errors, [(1, SYNTAX)], "{name}");
    }
    assert!(seen > 70, "{seen}");
}

/// Ways to spoil a lead whose fields are in lines of their own.
const SPOILS: [fn(&mut Vec<String>, usize); 8] = [
    |lines, at| lines[at] = lines[at].replacen("    ", "\t", 1),
    |lines, at| lines[at] += ": more",
    |lines, at| lines[at] = lines[at].replacen(": ", ": \"", 1),
    |lines, at| lines[at] = lines[at].replacen(": ", ": [", 1),
    |lines, at| lines[at] = lines[at].replacen(": ", ": {", 1),
    |lines, at| lines[at] = lines[at].replacen(": ", ": @", 1),
    |lines, at| lines.insert(at + 1, "   odd: x".to_owned()),
    |lines, at| lines[at] = lines[at].replacen(": ", ": 'x' ", 1),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// No error where nothing is spoilt, and one wherever something is.
    #[test]
    fn exactly_the_spoilt_leads_have_errors(spoils in prop::collection::vec((any::<bool>(), 0..SPOILS.len(), 0..3usize), 1..30)) {
        let mut text = "version: 1\nleads:\n".to_owned();
        let (mut spoilt, mut ranges) = (BTreeSet::new(), Vec::new());
        for (number, (is_spoilt, way, field)) in spoils.iter().enumerate() {
            let fields = ["    label: plain", "    status: OPEN", "    agent: priya"];
            let mut lines: Vec<String> = fields.map(str::to_owned).to_vec();
            if *is_spoilt {
                spoilt.insert(number);
                SPOILS[*way](&mut lines, *field);
            }
            let first = text.lines().count();
            text += &format!("  {}:\n{}\n", uuid(number + 1), lines.join("\n"));
            ranges.push(first + 1..=text.lines().count());
        }
        let found: BTreeSet<usize> = diagnostics(&text)
            .iter()
            .filter_map(|made| ranges.iter().position(|range| range.contains(&(made.line as usize))))
            .collect();
        prop_assert_eq!(found, spoilt, "{}", text);
    }
}
