//! The pipelines under `examples/ci`: each command in them is one of ours, and their scripts are run by bash, as a runner would.

mod action;
mod github;
mod gitlab;
mod runner;

use runner::{Step, jobs};

use crate::world::{Ran, program};

const FILES: [&str; 11] = [
    "examples/ci/github/.github/workflows/plan.yml",
    "examples/ci/github/.github/workflows/plan-fork.yml",
    "examples/ci/github/.github/workflows/apply.yml",
    "examples/ci/github/.github/workflows/undo.yml",
    "examples/ci/github/.github/workflows/drift.yml",
    "examples/ci/github/.github/workflows/pull.yml",
    "examples/ci/github/.github/workflows/snapshot.yml",
    "examples/ci/github/.github/workflows/fleet.yml",
    "examples/ci/gitlab/.gitlab-ci.yml",
    "examples/ci/gitlab/fleet.gitlab-ci.yml",
    "examples/ci/gitlab/workspace.gitlab-ci.yml",
];

/// The words of each `convertalk` command of a script, what bash would fill in left as it stands.
fn commands(script: &str) -> Vec<Vec<String>> {
    let script = script.replace("\\\n", " ");
    let mut found = Vec::new();
    for line in script.lines().map(str::trim) {
        let line = line.strip_prefix("exec ").unwrap_or(line);
        let Some(words) = line.strip_prefix("convertalk ") else {
            continue;
        };
        let words = words.replace("\"${options[@]}\"", "").replace('"', "");
        let end = |word: &&str| !["||", "|", ">", ">>"].contains(word);
        let words = words.split_whitespace().take_while(end);
        found.push(words.map(str::to_owned).collect());
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
            .exits(if words[0] == "workspaces" { 0 } else { 1 });
            assert!(
                !ran.err.contains("--help") && !ran.err.contains("Usage:"),
                "{file}: {words:?}: {}",
                ran.err
            );
            let reason = match words.get(1).copied() {
                _ if words[0] == "workspaces" => "",
                Some("-C") => "cannot open",
                _ if words[0] == "show" => "neither a file nor a run",
                _ => "convertalk.yaml",
            };
            assert!(ran.err.contains(reason), "{file}: {words:?}: {}", ran.err);
            seen.insert(words[0].to_owned());
        }
    }
    assert_eq!(
        seen.into_iter().collect::<Vec<_>>(),
        [
            "apply",
            "plan",
            "pull",
            "show",
            "snapshot",
            "test",
            "undo",
            "validate",
            "workspaces"
        ]
    );
}

/// The address of the repository and the version stand in Cargo.toml; whatever else names them agrees.
#[test]
fn addresses_and_versions_are_those_of_the_package() {
    let address = env!("CARGO_PKG_REPOSITORY");
    let name = address
        .strip_prefix("https://github.com/")
        .expect("an address");
    let version = env!("CARGO_PKG_VERSION");
    let (action, image) = (
        format!("uses: {name}@v{version} "),
        format!("ghcr.io/{name}:{version}"),
    );
    for file in FILES {
        let text = std::fs::read_to_string(file).expect("a pipeline");
        for line in text.lines().filter(|line| line.contains("/convertalk")) {
            assert!(
                line.contains(&action) || line.contains(&image),
                "{file}: {line}"
            );
        }
        assert!(text.contains(&action) || text.contains(&image), "{file}");
    }
    for file in [
        "README.md",
        "SECURITY.md",
        "CONTRIBUTING.md",
        "docs/pipelines.md",
    ] {
        let text = std::fs::read_to_string(file).expect("a page");
        for (at, _) in text.match_indices("github.com/") {
            let rest = &text[at + "github.com/".len()..];
            assert!(rest.starts_with(name), "{file}: {}", &rest[..40]);
        }
    }
}
