//! The canonical layout before prettier and yamllint with their defaults: neither has anything to say.
//!
//! `PRETTIER` is the file `prettier.cjs` that node runs, and `YAMLLINT` the program.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use convertalk::lead_file::layout_rules;
use convertalk::yaml::format::layout;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::forms::file;
use crate::layouts::{layouts, world_of};
use crate::world::{Ran, program};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Linter {
    Prettier,
    Yamllint,
}

/// What `fmt` keeps as a person wrote it, and a linter would have otherwise.
const KEPT: [(&str, Linter); 3] = [
    // Aligned comments keep their column.
    ("aligned-comments.yaml", Linter::Prettier),
    // The blank lines at the end are a part of the last value.
    ("kept-breaks.yaml", Linter::Yamllint),
    ("crlf-lists.yaml", Linter::Yamllint),
];

/// Line breaks stay as a file has them, which is a setting of both linters.
const CRLF: &str = "{extends: default, rules: {new-lines: {type: dos}}}";

impl Linter {
    fn command(self, is_crlf: bool) -> Command {
        let set = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
        match self {
            Self::Prettier => {
                let mut command = Command::new("node");
                command.args([&set("PRETTIER"), "--check", "--end-of-line", "auto"]);
                command
            }
            Self::Yamllint => {
                let mut command = Command::new(set("YAMLLINT"));
                command.args(["--no-warnings", "--format", "parsable"]);
                if is_crlf {
                    command.args(["-d", CRLF]);
                }
                command
            }
        }
    }

    #[track_caller]
    fn accepts(self, folder: &Path, is_crlf: bool) {
        let path = std::env::current_dir().expect("a folder");
        let mut command = self.command(is_crlf);
        let what = match self {
            // The schemas are of another layout.
            Self::Prettier => folder.join("**/*.{yaml,yml}"),
            Self::Yamllint => folder.to_owned(),
        };
        // From the top of the repository, where the two programs are.
        let ran = command.arg(what).current_dir(path).output();
        let ran = Ran::of(ran.expect("the linter runs"));
        assert_eq!(ran.exit, 0, "{self:?}:\n{}{}", ran.out, ran.err);
    }
}

/// Has both linters look at these files, by name and text.
#[track_caller]
fn both_accept(files: &[(String, String)]) {
    for linter in [Linter::Prettier, Linter::Yamllint] {
        for is_crlf in [false, true] {
            let folder = tempfile::tempdir().expect("a folder");
            let is_asked = |name: &String| !KEPT.contains(&(name.as_str(), linter));
            let of_kind = files
                .iter()
                .filter(|(_, text)| text.contains('\r') == is_crlf);
            for (name, text) in of_kind.filter(|(name, _)| is_asked(name)) {
                std::fs::write(folder.path().join(name), text).expect("a file");
            }
            if std::fs::read_dir(folder.path()).expect("a folder").count() > 0 {
                linter.accepts(folder.path(), is_crlf);
            }
        }
    }
}

fn laid_out(text: &str) -> Option<String> {
    let made = layout(&Arc::from("leads/a.yaml"), text, &layout_rules()).expect("YAML");
    (!made.left_alone).then_some(made.text)
}

#[ignore = "needs prettier and yamllint: .ci/run has them"]
#[test]
fn each_layout_is_accepted_once_it_is_laid_out_and_after_live_values_went_into_it() {
    let canonical: Vec<(String, String)> = layouts()
        .into_iter()
        .map(|(name, text)| {
            let made = laid_out(&text).unwrap_or_else(|| panic!("{name} is left alone"));
            (name, made)
        })
        .collect();
    both_accept(&canonical);
    let world = world_of(&canonical);
    world.run("pull --update").exits(0);
    world.run("fmt --check").exits(0);
    let now = canonical.iter().map(|(name, _)| {
        let text = std::fs::read_to_string(world.path(&format!("leads/{name}"))).expect("a file");
        (name.clone(), text)
    });
    both_accept(&now.collect::<Vec<_>>());
}

/// Whether a file has aligned comments, which `fmt` keeps, or a comment between an anchor and what it names, which prettier moves.
fn is_kept(text: &str) -> bool {
    let is_aligned = |line: &str| line.trim_start().contains("   #");
    let mut lines = text.lines().zip(text.lines().skip(1));
    lines.any(|(line, next)| {
        let has_comment = line.contains('#') || next.trim_start().starts_with('#');
        is_aligned(line) || (line.contains(": &base") && has_comment)
    })
}

#[ignore = "needs prettier and yamllint: .ci/run has them"]
#[test]
fn files_of_any_form_are_accepted_once_they_are_laid_out() {
    let mut runner = TestRunner::deterministic();
    let forms = file();
    let texts = (0..400).filter_map(|_| {
        let mut text = forms.new_tree(&mut runner).expect("a file").current().text;
        // Aligned comments keep their column: here each is one space away.
        while let Some(at) = text.find("  # t:").or_else(|| text.find("  # item")) {
            text.remove(at);
        }
        laid_out(&text).filter(|text| !is_kept(text))
    });
    let files = texts
        .enumerate()
        .map(|(number, text)| (format!("{number}.yaml"), text));
    let files: Vec<(String, String)> = files.collect();
    assert!(files.len() > 200, "{}", files.len());
    both_accept(&files);
}

#[ignore = "needs prettier and yamllint: .ci/run has them"]
#[test]
fn what_prettier_writes_is_left_as_it_is() {
    let mut runner = TestRunner::deterministic();
    let forms = file();
    let made = (0..200).map(|number| {
        let text = forms.new_tree(&mut runner).expect("a file").current().text;
        (format!("{number}.yaml"), text)
    });
    let folder = tempfile::tempdir().expect("a folder");
    let mut files = Vec::new();
    for (name, text) in layouts().into_iter().chain(made) {
        // What the program writes, aligned comments included, and then prettier.
        let Some(text) = laid_out(&text) else {
            continue;
        };
        std::fs::write(folder.path().join(&name), &text).expect("a file");
        files.push((name, text));
    }
    let mut prettier = Linter::Prettier.command(false);
    let ran = prettier.args(["--write", "--log-level=warn"]);
    let ran = ran.arg(folder.path().join("**/*.{yaml,yml}")).output();
    Ran::of(ran.expect("the linter runs")).exits(0);
    let mut other = Vec::new();
    let mut rewritten = 0;
    for (name, ours) in &files {
        let text = std::fs::read_to_string(folder.path().join(name)).expect("a file");
        rewritten += usize::from(text != *ours);
        if laid_out(&text).as_ref() != Some(&text) {
            other.push(name);
        }
    }
    assert!(rewritten > 0, "none of {} files", files.len());
    assert_eq!(other, Vec::<&String>::new());
}

#[ignore = "needs prettier and yamllint: .ci/run has them"]
#[test]
fn the_examples_and_what_init_and_pull_write_are_accepted() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |words: &[&str]| {
        let ran = program(words).current_dir(folder.path()).output();
        Ran::of(ran.expect("it runs")).exits(0)
    };
    run(&["init", "sandbox"]);
    run(&[
        "init",
        "own",
        "--embed",
        "63d9ffa77a8d152facbe2f00,631aa793bcfa100487d13d01",
    ]);
    std::fs::remove_file(folder.path().join("sandbox/leads/leads.yaml")).ok();
    run(&[
        "-C",
        "sandbox",
        "pull",
        "--with",
        "attributes,contact,notes",
    ]);
    for linter in [Linter::Prettier, Linter::Yamllint] {
        linter.accepts(folder.path(), false);
    }
    // Their manifests and pipelines have the layouts of their own worlds: only prettier looks at them.
    Linter::Prettier.accepts(Path::new("examples"), false);
    let examples = std::fs::read_dir("examples").expect("examples");
    for example in examples.map(|entry| entry.expect("an entry").path()) {
        if example.join("convertalk.yaml").exists() {
            Linter::Yamllint.accepts(&example, false);
        }
    }
}
