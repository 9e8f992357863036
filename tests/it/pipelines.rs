//! The pipelines under `examples/ci`: each command in them is one of ours, and their scripts are run by bash, as a runner would.

mod github;
mod gitlab;
mod runner;

use runner::{Step, jobs};

use crate::world::{Ran, program};

const FILES: [&str; 6] = [
    "examples/ci/github/.github/workflows/plan.yml",
    "examples/ci/github/.github/workflows/apply.yml",
    "examples/ci/github/.github/workflows/drift.yml",
    "examples/ci/github/.github/workflows/snapshot.yml",
    "examples/ci/github/.github/workflows/plan-fork.yml",
    "examples/ci/gitlab/.gitlab-ci.yml",
];

/// The words of each `convertalk` command of a script, what bash would fill in left as it stands.
fn commands(script: &str) -> Vec<Vec<String>> {
    let script = script.replace("\\\n", " ");
    let mut found = Vec::new();
    for line in script
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("convertalk "))
    {
        let line = line
            .replace("${BASE:+", "")
            .replace("${base:+", "")
            .replace(['}', '"'], "");
        let end = |word: &&str| !["||", "|", ">", ">>"].contains(word);
        found.push(
            line.split_whitespace()
                .skip(1)
                .take_while(end)
                .map(str::to_owned)
                .collect(),
        );
    }
    found
}

#[test]
fn every_command_is_one_of_ours() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut seen = std::collections::BTreeSet::new();
    for file in FILES {
        let steps: Vec<Step> = jobs(file).into_values().flatten().collect();
        let commands: Vec<Vec<String>> = steps
            .iter()
            .flat_map(|step| commands(&step.script))
            .collect();
        assert!(!commands.is_empty(), "{file} runs nothing");
        for words in commands {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let ran = Ran::of(
                program(&words)
                    .current_dir(folder.path())
                    .output()
                    .expect("the program runs"),
            )
            .exits(1);
            assert!(
                !ran.err.contains("--help") && !ran.err.contains("Usage:"),
                "{file}: {words:?}: {}",
                ran.err
            );
            let reason = match words[0] {
                "show" => "cannot read",
                _ => "convertalk.yaml",
            };
            assert!(ran.err.contains(reason), "{file}: {words:?}: {}", ran.err);
            seen.insert(words[0].to_owned());
        }
    }
    assert_eq!(
        seen.into_iter().collect::<Vec<_>>(),
        ["apply", "plan", "show", "snapshot", "validate"]
    );
}
