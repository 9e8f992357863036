//! docs/codes.md: a section for each diagnostic and each guard, and every example in it gives its code.

use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

use crate::places::in_sarif;
use crate::world::{Ran, program};

const PAGE: &str = include_str!("../../docs/codes.md");

/// A section: its code, and its blocks with their languages.
struct Section<'a> {
    code: &'a str,
    blocks: Vec<(&'a str, &'a str)>,
}

fn sections(of: &str) -> Vec<Section<'static>> {
    let part = PAGE
        .split("\n# ")
        .find(|part| part.starts_with(of))
        .expect("a part");
    part.split("\n## ").skip(1).map(section).collect()
}

fn section(text: &'static str) -> Section<'static> {
    let code = text.lines().next().expect("a heading").trim_matches('`');
    let blocks = text.split("```").skip(1).step_by(2);
    let blocks = blocks.map(|block| block.split_once('\n').expect("a language"));
    Section {
        code,
        blocks: blocks.collect(),
    }
}

/// A workspace with one lead, and the files of an example: which is which shows in what they hold.
fn workspace(section: &Section<'_>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |file: &str, text: &str| {
        std::fs::write(folder.path().join(file), text).expect("a file");
    };
    std::fs::create_dir(folder.path().join("leads")).expect("a folder");
    write(
        "convertalk.yaml",
        "version: 1\napi: { endpoint: sandbox }\nagents: { priya: 631aa793bcfa100487d13d0d }\n",
    );
    for (language, text) in &section.blocks {
        match *language {
            "yaml" if text.contains("\napi:") => write("convertalk.yaml", text),
            "yaml" if text.starts_with("lead:") => write("seed.yaml", text),
            "yaml" if text.contains("\ntests:") => {
                std::fs::create_dir(folder.path().join("tests")).expect("a folder");
                write("tests/example.yaml", text);
            }
            "yaml" => write("leads/example.yaml", text),
            "console" if section.code == "target" => {}
            // Those of guards are typed once all files are there.
            "console" if text.contains("$ convertalk ") => {}
            "console" => shell(folder.path(), text),
            other => panic!("{}: a block of {other}", section.code),
        }
    }
    folder
}

fn shell(folder: &Path, text: &str) {
    let line = text.trim_start_matches("$ ");
    if line.starts_with("chmod") {
        std::fs::write(folder.join("leads/secret.yaml"), "version: 1\n").expect("a file");
    }
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).current_dir(folder);
    assert!(shell.status().expect("sh runs").success(), "{line}");
}

fn run(folder: &Path, words: &[&str]) -> Ran {
    let mut program = program(words);
    Ran::of(program.current_dir(folder).output().expect("it runs"))
}

fn codes(list: &Json) -> Vec<String> {
    let rules = list.as_array().expect("a list").iter();
    rules
        .map(|one| one["rule"].as_str().expect("a rule").to_owned())
        .collect()
}

#[cfg(unix)]
#[test]
fn each_example_of_a_diagnostic_gives_its_code() {
    let sections = sections("Diagnostics");
    assert!(sections.len() > 40);
    for section in &sections {
        assert!(
            !section.blocks.is_empty(),
            "{} has no example",
            section.code
        );
        let folder = workspace(section);
        if std::fs::read(folder.path().join("leads/secret.yaml")).is_ok() {
            continue; // root reads everything
        }
        if folder.path().join("tests").exists() {
            let json = run(folder.path(), &["test", "--format", "json"]).json();
            assert_eq!(json["errors"][0]["code"], section.code);
            continue;
        }
        let json = run(folder.path(), &["validate", "--format", "json"]).json();
        let found = codes(&json["diagnostics"]);
        assert!(
            found.iter().any(|code| code == section.code),
            "{}: {json:#}",
            section.code
        );
        let errors = json["diagnostics"].as_array().expect("a list").iter();
        let errors = errors.filter(|one| one["severity"] == "error").count();
        let says = section_text(section.code).contains("This is a warning.");
        assert_eq!(errors == 0, says, "{}: {json:#}", section.code);
    }
}

#[cfg(unix)]
#[test]
fn each_code_has_its_place_in_text_json_annotations_and_sarif() {
    for section in &sections("Diagnostics") {
        let code = section.code;
        let folder = workspace(section);
        let is_secret = std::fs::read(folder.path().join("leads/secret.yaml")).is_ok();
        if is_secret || folder.path().join("tests").exists() {
            continue; // root reads everything, and `test` has its own formats
        }
        let say = |format: &str| run(folder.path(), &["validate", "--format", format]);
        let json = say("json").json();
        let mut all = json["diagnostics"].as_array().expect("a list").iter();
        let one = all.find(|one| one["rule"] == code).expect("the code");
        let file = one["file"].as_str().expect("a file");
        let number = |key: &str| one[key].as_u64().expect("a number");
        let (line, column) = (number("line"), number("column"));
        let severity = one["severity"].as_str().expect("a severity");
        assert!(one["help"].is_string(), "{code} has no help");

        let text = say("text").err;
        let heading = format!("{severity}[{code}]");
        let from = text
            .find(&heading)
            .unwrap_or_else(|| panic!("no {heading}: {text}"));
        let shown = &text[from..];
        let is_whole = shown.contains(&format!("--> {file}\n"));
        let place = format!("{file}:{line}:{column}\n");
        assert!(is_whole || shown.contains(&place), "no {place}: {shown}");
        if !is_whole {
            let source = format!("\n{line} |");
            assert!(
                shown.contains(&source),
                "{code} has no source line: {shown}"
            );
        }

        let github = say("github").out;
        let command = format!("::{severity} file={file},line={line},col={column},");
        let title = format!("title=convertalk {code}::");
        let is_it = |line: &str| line.starts_with(&command) && line.contains(&title);
        assert!(github.lines().any(is_it), "{command}{title}: {github}");

        let sarif = say("sarif").json();
        let place = Some((file.to_owned(), line, column));
        assert_eq!(in_sarif(&sarif, code), place, "{code}");
    }
}

fn section_text(code: &str) -> &'static str {
    let start = PAGE.find(&format!("## `{code}`\n")).expect("a section");
    let rest = &PAGE[start..];
    let end = ["\n## ", "\n# "].map(|next| rest.find(next).unwrap_or(rest.len()));
    &rest[..end[0].min(end[1])]
}

#[test]
fn each_example_of_a_guard_is_refused_by_it() {
    for section in sections("Guards") {
        assert!(
            !section.blocks.is_empty(),
            "{} has no example",
            section.code
        );
        if section.code == "target" {
            continue; // Only a loop meets it: see the tests of `watch`.
        }
        let folder = workspace(&section);
        let mut console = section.blocks.iter();
        let console = console.find(|(language, _)| *language == "console");
        let lines = console.map_or("$ convertalk plan", |(_, lines)| lines);
        let lines: Vec<&str> = lines.lines().map(|line| &line[2..]).collect();
        let (last, first) = lines.split_last().expect("a command");
        for line in first {
            let ran = typed(folder.path(), line);
            assert_eq!(ran.exit, 0, "{line}: {}{}", ran.out, ran.err);
        }
        let ran = typed(folder.path(), &format!("{last} --format json"));
        let plan = ran.json();
        let warns =
            section_text(section.code).contains("This is a warning") || section.code == "freeze";
        let (list, exit) = if warns {
            ("warnings", 0)
        } else {
            ("refusals", 3)
        };
        let found = codes(&plan[list]);
        let kinds = found.iter().map(|guard| guard.split(':').next());
        assert_eq!(kinds.collect::<Vec<_>>(), [Some(section.code)], "{plan:#}");
        // In an empty inbox the lead is missing too.
        let exit = if section.code == "empty-listing" {
            1
        } else {
            exit
        };
        assert_eq!(ran.exit, exit, "{}", section.code);
    }
}

/// A line as one types it in a shell, where `convertalk` is this program.
fn typed(folder: &Path, line: &str) -> Ran {
    let program = env!("CARGO_BIN_EXE_convertalk");
    let folder_of_program = Path::new(program).parent().expect("a folder").display();
    let mut shell = Command::new("sh");
    let path = std::env::var("PATH").unwrap_or_default();
    shell
        .args(["-c", line])
        .current_dir(folder)
        .env_clear()
        .env("PATH", format!("{folder_of_program}:{path}"))
        .env("HOME", folder);
    for who in ["AUTHOR", "COMMITTER"] {
        shell.env(format!("GIT_{who}_NAME"), "Asha");
        shell.env(format!("GIT_{who}_EMAIL"), "asha@example.com");
    }
    Ran::of(shell.output().expect("sh runs"))
}

/// The guards of a fixed name are one list of names in one function; its text has them all.
#[test]
fn each_guard_has_a_section() {
    let list = include_str!("../../src/policy/guard.rs");
    let list = list.split_once("fn kind(").expect("the names").1;
    let list = list.split_once("\n    }\n").expect("an end").0;
    let names = list.lines().filter_map(|line| {
        let (_, name) = line.trim().strip_suffix("\",")?.split_once(" => \"")?;
        Some(name)
    });
    let mut named: Vec<&str> = names.collect();
    named.sort_unstable();
    let mut documented: Vec<&str> = sections("Guards").iter().map(|one| one.code).collect();
    documented.sort_unstable();
    assert!(named.len() >= 12, "{named:?}");
    assert_eq!(
        named, documented,
        "the guards in the code, and those in docs/codes.md"
    );
}

#[test]
fn help_shows_the_section_of_a_code() {
    let folder = tempfile::tempdir().expect("a folder");
    for code in ["unknown-status", "transition", "yaml-tag"] {
        let page = run(folder.path(), &["help", code]).exits(0).out;
        assert_eq!(page.trim_end(), section_text(code).trim_end());
    }
    let unknown = run(folder.path(), &["help", "no-such-code"]).exits(1);
    assert!(unknown.err.contains("docs/codes.md"), "{}", unknown.err);
    let plan = run(folder.path(), &["help", "plan"]).exits(0).out;
    assert_eq!(plan, run(folder.path(), &["plan", "--help"]).exits(0).out);
}

/// The list of codes is one macro; its text is the only place that has them all.
#[test]
fn each_code_has_a_section() {
    let list = include_str!("../../src/yaml/diagnostic/code.rs");
    let codes = list.lines().filter_map(|line| {
        let (_, code) = line.trim().strip_suffix("\",")?.split_once(" = \"")?;
        Some(code)
    });
    let mut seen = 0;
    for code in codes {
        let heading = format!("\n## `{code}`\n");
        assert!(
            PAGE.contains(&heading),
            "add a section to docs/codes.md: {code}"
        );
        seen += 1;
    }
    assert!(seen > 40, "{seen}");
}
