//! Lead files as people write them: each is laid out, takes live values, and is read by two other readers.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use convertalk::lead_file::edit::apply;
use convertalk::lead_file::layout_rules;
use convertalk::yaml::diagnostic::SourceFile;
use convertalk::yaml::format::layout;
use convertalk::yaml::scalar::{Scalar, resolve};
use convertalk::yaml::{NodeId, NodeKind, Tree, parse};
use serde_json::{Value as Json, json};

use crate::arbitrary::workspace;
use crate::edit::{edits_of, says};
use crate::world::{RAHUL, World};

mod bulk;

const FOLDER: &str = "tests/files/layouts";

/// Each layout with its name.
pub(crate) fn layouts() -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(FOLDER).expect("layouts");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let files = paths.filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    let read = |path: &Path| std::fs::read_to_string(path).expect("text");
    let name = |path: &Path| {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    files
        .map(|path| (name(&path).expect("a name"), read(&path)))
        .collect()
}

fn laid_out(text: &str) -> String {
    let made = layout(&Arc::from("leads/a.yaml"), text, &layout_rules()).expect("YAML");
    assert!(!made.left_alone, "left as it is:\n{text}");
    made.text
}

/// The comments of a file, sorted.
pub(crate) fn comments(text: &str) -> Vec<&str> {
    let lines = text.lines().filter(|line| !line.contains("&  #"));
    let mut all: Vec<&str> = lines
        .filter_map(|line| {
            let at = line.match_indices('#').map(|(at, _)| at);
            let mut at =
                at.filter(|at| line[..*at].ends_with([' ', '\t']) || line[..*at].trim().is_empty());
            at.next().map(|at| line[at..].trim_end())
        })
        .collect();
    all.sort_unstable();
    all
}

#[test]
fn each_layout_becomes_the_canonical_one_and_says_the_same() {
    let layouts = layouts();
    assert!(layouts.len() >= 80, "{} layouts", layouts.len());
    for (name, text) in layouts {
        let made = laid_out(&text);
        assert_eq!(laid_out(&made), made, "{name}: changes again");
        assert_eq!(
            says(&workspace(), &text),
            says(&workspace(), &made),
            "{name}"
        );
        assert_eq!(comments(&text), comments(&made), "{name}:\n{text}\n{made}");
        assert_eq!(text.contains("\r\n"), made.contains("\r\n"), "{name}");
        assert_eq!(
            text.starts_with('\u{feff}'),
            made.starts_with('\u{feff}'),
            "{name}"
        );
    }
}

/// What the inbox has, each value another than the files want.
fn record(uuid: &str) -> Json {
    let attribute = |key: &str, value: &str| json!({ "key": key, "value": value });
    json!({
        "uuid": uuid, "status": "CLOSED", "_agentAssigned": RAHUL,
        "profile": {
            "notes": [{ "title": "visit" }],
            "userDetails": {
                "name": "N. N.", "tags": ["new", "vip"],
                "attributes": [
                    attribute("tier", "two\nlines\n"), attribute("source", "a: b, c"), attribute("text", "x"),
                    attribute("more", "no"),
                ],
                "contact": { "phone": { "number": "0123", "prefix": "44" } }
            }
        }
    })
}

/// A workspace with these lead files, by name and text, and an inbox with other values of each lead.
pub(crate) fn world_of(files: &[(String, String)]) -> World {
    let texts = files.iter().map(|(_, text)| text);
    let ids = texts.flat_map(|text| says(&workspace(), text).into_keys());
    let records: Vec<Json> = ids.map(|id| record(id.as_str())).collect();
    let world = World::new(&records, "");
    for (name, text) in files {
        world.write(&format!("leads/{name}"), text);
    }
    world
}

#[test]
fn live_values_go_into_each_layout_and_then_the_plan_is_empty() {
    let layouts = layouts();
    let world = world_of(&layouts.clone().into_iter().collect::<Vec<_>>());
    let ran = world.run("pull --update").exits(0);
    assert!(!ran.err.contains("not written"), "{}", ran.err);
    world.run("plan --detailed-exitcode").exits(0);
    for (name, text) in &layouts {
        let now = std::fs::read_to_string(world.path(&format!("leads/{name}"))).expect("a file");
        let new: Vec<&str> = comments(&now)
            .into_iter()
            .filter(|comment| !comments(text).contains(comment))
            .collect();
        assert_eq!(new, [] as [&str; 0], "{name}: new comments");
        let bare = now.replace("\r\n", "").contains(['\n', '\r']);
        assert!(
            !(text.contains("\r\n") && bare),
            "{name}: a line break of its own"
        );
        if laid_out(text) == *text {
            assert_eq!(
                laid_out(&now),
                now,
                "{name}: canonical before, and not after"
            );
        }
    }
    let again = world.run("pull --update").exits(0);
    assert!(again.out.starts_with("Nothing to update"), "{}", again.out);
}

#[test]
fn a_comment_goes_with_its_item_and_with_no_other() {
    let text = &layouts()["list-comments-beside.yaml"];
    let world = World::new(
        &[record(
            &says(&workspace(), text)
                .into_keys()
                .next()
                .expect("a lead")
                .to_string(),
        )],
        "",
    );
    world.write("leads/a.yaml", text);
    world.run("pull --update").exits(0);
    let now = std::fs::read_to_string(world.path("leads/a.yaml")).expect("a file");
    assert!(
        now.contains("- vip # signed in May\n      - new\n"),
        "{now}"
    );
    assert!(!now.contains("GDPR"), "{now}");
}

/// What a file says, all scalars as text, nothing as the empty one, `<<` followed.
fn texts(tree: &Tree<'_>, id: NodeId) -> Json {
    match tree.kind(id) {
        NodeKind::Scalar(text, style) if resolve(text, *style) == Scalar::Null => "".into(),
        NodeKind::Scalar(text, _) => text.as_ref().into(),
        NodeKind::Sequence(_) => tree.children(id).map(|item| texts(tree, item)).collect(),
        NodeKind::Mapping { .. } => {
            let key = |id| texts(tree, id).as_str().unwrap_or_default().to_owned();
            let pairs = tree
                .pairs(id)
                .map(|(name, value)| (key(name), texts(tree, value)));
            Json::Object(pairs.collect())
        }
        NodeKind::Alias(_) => Json::Null,
    }
}

fn read(text: &str) -> Option<Json> {
    let text = text.trim_start_matches('\u{feff}');
    let source = SourceFile {
        file: Arc::from("a.yaml"),
        text,
    };
    let mut errors = Vec::new();
    let tree = parse(&source, &mut errors).filter(|tree| !tree.is_empty())?;
    errors.is_empty().then(|| texts(&tree, 0))
}

/// PyYAML and ruamel.yaml in one process. `YAML_READERS` is a Python that has both.
struct Readers {
    process: std::process::Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Readers {
    fn new() -> Self {
        let python = std::env::var("YAML_READERS").unwrap_or_else(|_| "python3".to_owned());
        let mut process = Command::new(python)
            .arg("tests/it/layouts/readers.py")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python runs");
        let answers = BufReader::new(process.stdout.take().expect("a pipe"));
        Self { process, answers }
    }

    /// What each of the two makes of a text: "same" where it reads what we read.
    fn ask(&mut self, text: &str) -> [String; 2] {
        let case = json!({ "text": text.trim_start_matches('\u{feff}'), "says": read(text) });
        let stdin = self.process.stdin.as_mut().expect("a pipe");
        writeln!(stdin, "{case}").expect("it reads");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer");
        serde_json::from_str(&line).expect("two answers")
    }
}

const SAME: [&str; 2] = ["same", "same"];

#[ignore = "needs PyYAML and ruamel.yaml: .ci/run has them"]
#[test]
fn other_readers_read_each_layout_as_we_do() {
    let mut readers = Readers::new();
    for (name, text) in layouts() {
        // PyYAML and ruamel.yaml refuse a tab before a comment, which YAML 1.2 takes.
        let is_readable = name != "aligned-comments-tabs.yaml";
        let found = readers.ask(&text);
        assert_eq!(found == SAME, is_readable, "{name}: {found:?}");
        assert_eq!(readers.ask(&laid_out(&text)), SAME, "{name} laid out");
        let text = if is_readable { text } else { laid_out(&text) };
        let edits = edits_of(&says(&workspace(), &text), 0x5a);
        let edited = apply(
            &Arc::from("leads/a.yaml"),
            &text,
            &edits,
            workspace().vocabulary(),
        );
        assert_eq!(edited.refused, [], "{name}");
        assert_eq!(
            readers.ask(&edited.text),
            SAME,
            "{name} edited:\n{}",
            edited.text
        );
    }
    bulk::each_assignment(|name, assignment, _, text| {
        // PyYAML and ruamel.yaml refuse the tabs that this one keeps.
        if name != "aligned-comments-tabs.yaml" {
            assert_eq!(readers.ask(text), SAME, "{assignment} of {name}:\n{text}");
        }
    });
}

/// Numbers that look random, the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % limit.max(1)
    }
}

/// A layout with some lines doubled, dropped, moved, indented or changed in a character.
fn mutated(layouts: &[String], dice: &mut Dice) -> String {
    let text = &layouts[dice.below(layouts.len())];
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    for _ in 0..=dice.below(3) {
        let at = dice.below(lines.len());
        match dice.below(8) {
            0 => lines.insert(at, lines[at].clone()),
            1 => drop(lines.remove(at)),
            2 => lines[at].insert_str(0, [" ", "  ", "\t"][dice.below(3)]),
            3 => lines[at] = lines[at].trim_start_matches(' ').to_owned(),
            4 => lines.insert(
                at,
                ["# a comment", "    # deeper", "", "      - new"][dice.below(4)].to_owned(),
            ),
            5 => lines[at].push_str([" # beside", "  ", " &anchor", "\r", ","][dice.below(5)]),
            6 => {
                let other = &layouts[dice.below(layouts.len())];
                let line = other.split('\n').nth(dice.below(12)).unwrap_or_default();
                lines.insert(at, line.to_owned());
            }
            _ => {
                let place = lines[at]
                    .char_indices()
                    .nth(dice.below(30))
                    .map(|(place, _)| place);
                let sign = [
                    "'", "\"", ":", "-", "[", "]", "{", "}", "|", ">", "#", "*", "!", "é",
                ][dice.below(14)];
                lines[at].insert_str(place.unwrap_or_default(), sign);
            }
        }
        if lines.is_empty() {
            lines.push(String::new());
        }
    }
    lines.join("\n")
}

/// `FUZZ_FILES` files, or as many as fit into a minute.
#[ignore = "takes a minute, and needs PyYAML and ruamel.yaml: .ci/run has them"]
#[test]
fn other_readers_read_mutated_and_edited_files_as_we_do() {
    let wanted = std::env::var("FUZZ_FILES")
        .ok()
        .and_then(|number| number.parse::<usize>().ok());
    let seed = std::env::var("FUZZ_SEED")
        .ok()
        .and_then(|number| number.parse().ok());
    let start = std::time::Instant::now();
    let layouts: Vec<String> = layouts().into_values().collect();
    let (mut dice, mut readers, workspace) = (Dice(seed.unwrap_or(7)), Readers::new(), workspace());
    let file: Arc<str> = Arc::from("leads/a.yaml");
    let (mut files, mut valid, mut edited_files, mut refused, mut left_alone) = (0, 0, 0, 0, 0);
    let (world, mut set_files) = (World::new(&[], ""), 0);
    while wanted.map_or_else(|| start.elapsed().as_secs() < 60, |wanted| files < wanted) {
        files += 1;
        let text = mutated(&layouts, &mut dice);
        let (desired, diagnostics) =
            convertalk::lead_file::desired_of(vec![(file.clone(), text.clone())], &workspace);
        if desired.is_empty()
            || diagnostics.iter().any(|made| made.is_error())
            || readers.ask(&text) != SAME
        {
            continue;
        }
        valid += 1;
        let before = says(&workspace, &text);
        let made = layout(&file, &text, &layout_rules()).expect("YAML");
        if made.left_alone {
            left_alone += 1;
        } else {
            assert_eq!(
                says(&workspace, &made.text),
                before,
                "laid out:\n{text}\n{}",
                made.text
            );
            let again = layout(&file, &made.text, &layout_rules()).expect("YAML");
            assert_eq!(again.text, made.text, "changes again:\n{text}");
            assert_eq!(
                readers.ask(&made.text),
                SAME,
                "laid out:\n{text}\n{}",
                made.text
            );
        }
        let edits = edits_of(&before, dice.below(256) as u8);
        let edited = apply(&file, &text, &edits, workspace.vocabulary());
        refused += edited.refused.len();
        if edited.text != text {
            edited_files += 1;
            assert_eq!(
                readers.ask(&edited.text),
                SAME,
                "edited:\n{text}\n{}",
                edited.text
            );
            let pairs = |text: &str| text.matches("\r\n").count() == text.matches('\n').count();
            assert!(
                !(text.contains('\r') && pairs(&text)) || pairs(&edited.text),
                "{text:?}\n{:?}",
                edited.text
            );
        }
        if dice.below(4) == 0 {
            let assignment = bulk::ASSIGNMENTS[dice.below(bulk::ASSIGNMENTS.len())];
            world.write("leads/a.yaml", &text);
            let ran = world.run(&format!("set --all {assignment}"));
            let set = std::fs::read_to_string(world.path("leads/a.yaml")).expect("a file");
            if ran.exit == 0 {
                set_files += 1;
                assert_eq!(readers.ask(&set), SAME, "{assignment}:\n{text}\n{set}");
                says(&workspace, &set);
            } else {
                assert_eq!(set, text, "{assignment} failed, and changed the file");
            }
        }
        let now = says(&workspace, &edited.text);
        for edit in edits
            .iter()
            .filter(|edit| !edited.refused.iter().any(|(other, _)| other == *edit))
        {
            let says = now[&edit.id]
                .iter()
                .any(|(field, value)| (field, value) == (&edit.field, &edit.value));
            assert!(
                says || edit.value.is_empty(),
                "{edit:?}\n{text}\n{}",
                edited.text
            );
        }
    }
    let figures = format!(
        "{files} files, {valid} valid, {left_alone} left alone, {edited_files} edited, {refused} edits refused, {set_files} set"
    );
    std::io::stdout()
        .write_all(
            format!(
                "{figures}
"
            )
            .as_bytes(),
        )
        .expect("stdout");
    assert!(valid > 0 && edited_files > 0 && set_files > 0);
}
