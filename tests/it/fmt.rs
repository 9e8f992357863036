//! `fmt`: one layout, nothing lost, and nothing that means another thing.

use std::sync::Arc;

use convertalk::yaml::format::layout;
use proptest::prelude::*;

use crate::arbitrary::workspace;
use crate::edit::says;
use crate::forms::file;
use crate::world::{Ran, program};

fn laid_out(text: &str) -> String {
    let made = layout(
        &Arc::from("leads/a.yaml"),
        text,
        &convertalk::lead_file::layout_rules(),
    )
    .expect("YAML");
    assert!(!made.left_alone, "left unchanged:\n{text}");
    made.text
}

/// Comments in order of their text, and for each that names a key, whether it stands beside or above it.
fn comments(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut made = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        if let Some((before, key)) = line.split_once("# t:") {
            assert!(
                before.contains(key.trim_end()),
                "a comment is no longer beside `{key}`:\n{text}"
            );
        }
        if let Some((_, key)) = line.split_once("# a:") {
            let below = lines[number..]
                .iter()
                .find(|line| !line.trim().is_empty() && !line.trim().starts_with('#'));
            let below = below.expect("a line below").trim_start();
            assert!(
                below.starts_with(key.trim_end()),
                "a comment is no longer above `{key}`:\n{text}"
            );
        }
        // What is behind a `#` in quotes is none.
        made.extend(
            line.rfind('#')
                .map(|at| line[at..].trim_end().to_owned())
                .filter(|text| !text.starts_with("# y")),
        );
    }
    made.sort();
    made
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn says_the_same_once_and_for_all(file in file()) {
        let made = laid_out(&file.text);
        prop_assert_eq!(&laid_out(&made), &made, "not settled:\n{}", file.text);
        prop_assert_eq!(says(&workspace(), &file.text), says(&workspace(), &made));
        prop_assert_eq!(comments(&file.text), comments(&made), "{}\n{}", file.text, made);
        prop_assert_eq!(file.text.contains("\r\n"), made.contains("\r\n"));
        prop_assert_eq!(file.text.starts_with('\u{feff}'), made.starts_with('\u{feff}'));
        prop_assert!(made.ends_with('\n') && !made.lines().any(|line| line.ends_with(['\t'])));
    }
}

const ROUGH: &str = "version: 1
leads:
    # about a
    a:   # the first
        agent:   none   # nobody
        status: OPEN


        tags: [ x,y ]
        # below a
    b: {agent: priya,status: OPEN}
    c:
     - not a lead, and still laid out
";
const EVEN: &str = "version: 1
leads:
  # about a
  a: # the first
    status: OPEN
    agent: none # nobody

    tags: [x, y]
    # below a

  b:
    status: OPEN
    agent: priya

  c:
    - not a lead, and still laid out
";

fn workspace_of(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("leads")).expect("a folder");
    std::fs::write(
        folder.path().join("convertalk.yaml"),
        "version: 1\napi: { endpoint: sandbox }\n",
    )
    .expect("a file");
    for (name, text) in files {
        std::fs::write(folder.path().join("leads").join(name), text).expect("a file");
    }
    folder
}

fn fmt(folder: &tempfile::TempDir, words: &str) -> Ran {
    let words: Vec<&str> = std::iter::once("fmt")
        .chain(words.split_whitespace())
        .collect();
    Ran::of(
        program(&words)
            .current_dir(folder.path())
            .output()
            .expect("the program runs"),
    )
}

fn read(folder: &tempfile::TempDir, name: &str) -> String {
    std::fs::read_to_string(folder.path().join("leads").join(name)).expect("a file")
}

#[test]
fn check_writes_nothing_and_names_each_file() {
    let folder = workspace_of(&[("rough.yaml", ROUGH), ("even.yaml", EVEN)]);
    let check = fmt(&folder, "--check").exits(1);
    assert_eq!(check.out, "leads/rough.yaml\n");
    assert_eq!(read(&folder, "rough.yaml"), ROUGH);
    let diff = fmt(&folder, "--check --diff").exits(1);
    assert!(
        diff.out.contains("\n-    b: {agent: priya,status: OPEN}\n")
            && diff.out.contains("\n+  b:\n"),
        "{}",
        diff.out
    );
    assert_eq!(fmt(&folder, "").exits(0).out, "leads/rough.yaml\n");
    assert_eq!(read(&folder, "rough.yaml"), EVEN);
    assert_eq!(fmt(&folder, "--check").exits(0).out, "");
}

#[test]
fn a_broken_file_is_told_with_its_place_and_the_others_are_laid_out() {
    let folder = workspace_of(&[
        ("broken.yaml", "version: 1\nleads: [\n"),
        ("rough.yaml", ROUGH),
        ("text.yaml", "a text\n"),
    ]);
    let ran = fmt(&folder, "").exits(1);
    assert_eq!(ran.out, "leads/rough.yaml\n");
    assert!(
        ran.err.contains("leads/broken.yaml:") && ran.err.contains("error[yaml-syntax]"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("leads/text.yaml: left unchanged"),
        "{}",
        ran.err
    );
    assert_eq!(
        (read(&folder, "rough.yaml"), read(&folder, "text.yaml")),
        (EVEN.to_owned(), "a text\n".to_owned())
    );
}

#[test]
fn an_id_of_an_agent_becomes_its_name() {
    let lead = |agent: &str| format!("version: 1\nleads:\n  a:\n    agent: {agent}\n");
    let folder = workspace_of(&[("one.yaml", &lead("\"631aa793bcfa100487d13d0d\""))]);
    let config =
        "version: 1\napi: { endpoint: sandbox }\nagents: { priya: 631aa793bcfa100487d13d0d }\n";
    std::fs::write(folder.path().join("convertalk.yaml"), config).expect("a file");
    fmt(&folder, "").exits(0);
    assert_eq!(read(&folder, "one.yaml"), lead("\"priya\""));
    fmt(&folder, "--check").exits(0);
}

#[test]
fn only_the_files_that_are_named() {
    let folder = workspace_of(&[("one.yaml", ROUGH), ("two.yaml", ROUGH)]);
    assert_eq!(
        fmt(&folder, "leads/one.yaml").exits(0).out,
        "leads/one.yaml\n"
    );
    assert_eq!(
        (read(&folder, "one.yaml"), read(&folder, "two.yaml")),
        (EVEN.to_owned(), ROUGH.to_owned())
    );
    assert!(
        fmt(&folder, "convertalk.yaml")
            .exits(1)
            .err
            .contains("is not a lead file")
    );
    assert!(
        fmt(&folder, "leads/three.yaml")
            .exits(1)
            .err
            .contains("cannot be read")
    );
}

#[test]
fn every_example_is_laid_out() {
    for example in std::fs::read_dir("examples").expect("examples") {
        let example = example.expect("an entry").path();
        if !example.join("convertalk.yaml").exists() {
            continue;
        }
        let words = [
            "fmt",
            "--check",
            "--diff",
            "-C",
            example.to_str().expect("a path"),
        ];
        Ran::of(program(&words).output().expect("the program runs")).exits(0);
    }
}

#[test]
fn odd_parts_stay_as_they_are() {
    let cases = [
        // Block scalars with an indentation indicator are moved as a whole.
        (
            "version: 1\nleads:\n    a:\n        ? status\n        : OPEN\n",
            "version: 1\nleads:\n  a:\n    status: OPEN\n",
        ),
        (
            "version: 1\nleads:\n a:\n  attributes:\n   k: |1\n      x\n     y\n  status: OPEN\n",
            "version: 1\nleads:\n  a:\n    status: OPEN\n    attributes:\n      k: |1\n         x\n        y\n",
        ),
        (
            "%YAML 1.2\n# first\n---   # second\nversion: 1\nleads: {}\n...\n# last\n",
            "%YAML 1.2\n# first\n---   # second\nversion: 1\nleads: {}\n...\n# last\n",
        ),
        (
            "version: 1\nleads:\n  a: &x\n      tags: &t [vip]\n  b: { <<: *x,tags: *t }\n",
            "version: 1\nleads:\n  a: &x\n    tags: &t [vip]\n\n  b:\n    <<: *x\n    tags: *t\n",
        ),
    ];
    for (before, after) in cases {
        assert_eq!(laid_out(before), after);
        assert_eq!(laid_out(after), after);
    }
    // An anchor must stay before its aliases: where the order of keys would part them, the keys stay as they are.
    let kept = "version: 1\nleads:\n  a:\n    tags: &t [x]\n    label: &l y\n    status: OPEN\n    attributes: { k: *l }\n";
    assert!(
        laid_out(kept).find("label").expect("a label")
            < laid_out(kept).find("status").expect("a status")
    );
    let kept = "version: 1\nleads:\n  a: { create: &t true, label: *t }\n";
    let after = "version: 1\nleads:\n  a:\n    create: &t true\n    label: *t\n";
    assert_eq!(laid_out(kept), after);
    let (before, after) = (
        "version: 1\nleads:\n  a: { tags: &t [x], status: OPEN }\n  b: { label: &l x, agent: *l }\n",
        "    status: OPEN\n    tags: &t [x]\n",
    );
    assert!(laid_out(before).contains(after));
}

#[test]
fn keys_are_sorted_before_a_last_line_that_has_no_end() {
    let text = "version: 1\nleads:\n  a:\n    # of notes\n    notes: [{ title: one }]\n    attributes:\n      from: |+";
    let once = laid_out(text);
    assert_eq!(
        once,
        "version: 1\nleads:\n  a:\n    attributes:\n      from: |+\n    # of notes\n    notes:\n      - title: one\n"
    );
    assert_eq!(laid_out(&once), once);
}

/// As PyYAML and ruamel read it: a break that is not there is no part of the value.
#[test]
fn a_block_at_the_end_of_a_file_without_a_line_break_gets_none_in_its_value() {
    for (header, after) in [("|", "|-"), ("|+ # c", "|- # c"), (">-", ">-"), (">", ">-")] {
        let text = format!("version: 1\nleads:\n  a:\n    label: {header}\n       b");
        let made = format!("version: 1\nleads:\n  a:\n    label: {after}\n      b\n");
        assert_eq!(laid_out(&text), made);
        assert_eq!(laid_out(&made), made);
    }
}
