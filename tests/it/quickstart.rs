//! The quick start and the examples, run as a newcomer runs them.

use std::path::Path;

use crate::world::{Ran, program};

pub(crate) fn copied(example: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    copy(&Path::new("examples").join(example), folder.path());
    folder
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("an example") {
        let entry = entry.expect("an entry");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_name() == ".convertalk" {
            continue;
        }
        if from.is_dir() {
            copy(&from, &to)
        } else {
            let _bytes = std::fs::copy(&from, &to).expect("a copy");
        }
    }
}

pub(crate) fn run(folder: &Path, words: &str) -> Ran {
    let words: Vec<&str> = words.split_whitespace().collect();
    Ran::of(
        program(&words)
            .current_dir(folder)
            .output()
            .expect("the program runs"),
    )
}

#[test]
fn plan_apply_and_nothing_to_do() {
    let folder = copied("quickstart");
    let plan = run(folder.path(), "plan").exits(0);
    insta::assert_snapshot!("quickstart_plan", plan.out);
    let apply = run(folder.path(), "apply --yes").exits(0);
    assert!(
        apply.out.starts_with(plan.out.as_str()),
        "apply shows the plan that it carries out"
    );
    assert!(
        apply.out.ends_with("Applied: 10 leads: 10 verified.\n"),
        "{}",
        apply.out
    );
    let again = run(folder.path(), "plan --detailed-exitcode").exits(0);
    assert_eq!(
        again.out,
        "Nothing to do: 12 declared leads, all in sync.\n"
    );
}

#[test]
fn what_the_program_keeps_is_ignored_by_git() {
    let folder = copied("quickstart");
    run(folder.path(), "apply --yes").exits(0);
    assert_eq!(
        std::fs::read_to_string(folder.path().join(".convertalk/.gitignore")).expect("a file"),
        "*\n"
    );
}

#[test]
fn every_example_is_valid_plans_and_converges() {
    let mut examples: Vec<String> = Vec::new();
    for entry in std::fs::read_dir("examples").expect("examples") {
        let entry = entry.expect("an entry");
        if entry.path().join("convertalk.yaml").exists() {
            examples.push(entry.file_name().into_string().expect("a name"));
        }
    }
    assert!(examples.len() > 6, "{examples:?}");
    for example in examples {
        let folder = copied(&example);
        run(folder.path(), "validate").exits(0);
        run(folder.path(), "plan --detailed-exitcode").exits(2);
        run(folder.path(), "apply --yes").exits(0);
        run(folder.path(), "plan --detailed-exitcode").exits(0);
    }
}

#[test]
fn usage_errors_exit_with_one() {
    let folder = copied("quickstart");
    for words in [
        "plan --nonsense",
        "plan --format yaml",
        "frobnicate",
        "plan --max-changes many",
        "plan --only nothing=here",
        "",
    ] {
        let ran = run(folder.path(), words).exits(1);
        assert_eq!(ran.out, "", "{words}");
        assert!(!ran.err.is_empty(), "{words}");
    }
    run(folder.path(), "--version").exits(0);
    assert!(
        run(folder.path(), "plan --help")
            .exits(0)
            .out
            .contains("Examples:\n")
    );
    let apply = run(folder.path(), "apply").exits(1);
    assert!(apply.err.contains("add --yes"), "{}", apply.err);
}

#[test]
fn only_narrows_a_run() {
    let folder = copied("quickstart");
    let changes = |words: &str| {
        let plan = run(folder.path(), &format!("plan --format json {words}"))
            .exits(0)
            .json();
        plan["changes"].as_array().expect("changes").len()
    };
    assert_eq!(changes(""), 10);
    assert_eq!(changes("--only 1f0c6d0e"), 1);
    assert_eq!(changes("--only 1f0c6d0e-52a8-4c0b-9a51-3f4f6b1c0a01"), 1);
    assert_eq!(changes("--only file=leads/renewals.yaml"), 5);
    assert_eq!(changes("--only file=leads/**"), 10);
    assert_eq!(changes("--only status=CLOSED"), 1);
    assert_eq!(changes("--only agent=priya"), 3);
    assert_eq!(changes("--only agent=none"), 1);
    assert_eq!(changes("--only tag=vip --only tag=trial"), 2);
    assert_eq!(changes("--only status=closed"), 1);
    for wrong in [
        "status=Close",
        "agent=nobody",
        "ffff0000",
        "tag=unheard-of",
        "abc",
    ] {
        let ran = run(folder.path(), &format!("plan --only {wrong}")).exits(1);
        assert!(ran.err.contains(&format!("`{wrong}`")), "{}", ran.err);
    }
}

#[test]
fn contact_values_are_masked_in_every_sink() {
    let folder = copied("quickstart");
    let read = |file: &str| std::fs::read_to_string(folder.path().join(file)).expect("a file");
    let formats = ["text", "json", "markdown", "html", "github", "sarif"];
    let mut sinks = vec![
        run(
            folder.path(),
            "plan --out plan.json --report json=report.json",
        )
        .exits(0)
        .out,
    ];
    sinks.extend(["plan.json", "report.json"].map(read));
    sinks.extend(formats.map(|format| {
        run(folder.path(), &format!("plan --format {format}"))
            .exits(0)
            .out
    }));
    sinks.extend(formats.map(|format| {
        run(
            folder.path(),
            &format!("show plan.json --names full --format {format}"),
        )
        .exits(0)
        .out
    }));
    sinks.push(run(folder.path(), "explain a306b5dd").exits(0).out);
    run(folder.path(), "snapshot --out live.jsonl").exits(0);
    sinks.push(read("live.jsonl"));
    let full = run(folder.path(), "plan --names full").exits(0).out;
    for secret in ["office@jade", "jana@old", "Lena Brandt"] {
        assert!(
            full.contains(secret) && !sinks.iter().any(|sink| sink.contains(secret)),
            "{secret}"
        );
    }
    run(folder.path(), "apply plan.json --yes").exits(0);
    let runs: Vec<_> = std::fs::read_dir(folder.path().join(".convertalk/runs"))
        .expect("runs")
        .collect();
    assert_eq!(runs.len(), 1);
    for run in runs {
        let text = std::fs::read_to_string(run.expect("a run").path()).expect("a run file");
        assert!(!text.contains("office@jade") && !text.contains("Lena Brandt"));
    }
    run(folder.path(), "plan --detailed-exitcode").exits(0);
}

#[test]
fn the_error_in_the_docs_is_what_is_printed() {
    let page = std::fs::read_to_string("docs/files.md").expect("a page");
    let folder = copied("quickstart");
    let inbound = folder.path().join("leads/inbound.yaml");
    let text = std::fs::read_to_string(&inbound).expect("a lead file");
    std::fs::write(&inbound, text.replace("REVIEW", "Review")).expect("a lead file");
    let printed = run(folder.path(), "validate").exits(1).err;
    let shown = printed.split("error: 1 ").next().unwrap_or_default().trim();
    assert!(shown.contains("`Review`"), "{shown}");
    assert!(page.contains(shown), "{shown}");
}

/// Each command of the first five minutes, typed as it stands.
#[test]
fn the_first_five_minutes_of_the_readme() {
    let readme = std::fs::read_to_string("README.md").expect("a README");
    let (_, told) = readme
        .split_once("```console\n$ convertalk init crm\n")
        .expect("a transcript");
    let told = format!(
        "$ convertalk init crm\n{}",
        told.split("```").next().unwrap_or_default()
    );
    let folder = tempfile::tempdir().expect("a folder");
    let mut here = folder.path().to_owned();
    let mut shown = String::new();
    for line in told.lines().filter_map(|line| line.strip_prefix("$ ")) {
        shown.push_str(&format!("$ {line}\n"));
        match line.strip_prefix("convertalk ") {
            Some(words) => shown.push_str(&printed(words, &run(&here, words).exits(0).out)),
            None => here.push(line.strip_prefix("cd ").expect("cd")),
        }
    }
    let untimed = |text: &str| -> String {
        let timed = |line: &str| {
            line.split_once(" answers, ")
                .map_or(line.to_owned(), |(before, _)| before.to_owned())
        };
        text.lines().map(|line| timed(line) + "\n").collect()
    };
    assert_eq!(untimed(&shown), untimed(&told));
}

/// What the README shows of an output: of apply, what comes after the plan.
fn printed(words: &str, out: &str) -> String {
    match words.starts_with("apply") {
        true => format!("…\n{}\n", out.lines().last().expect("a summary")),
        false => out.to_owned(),
    }
}

#[test]
fn the_explanation_in_the_docs_is_what_is_printed() {
    let readme = std::fs::read_to_string("docs/plan.md").expect("a page");
    let (_, told) = readme
        .split_once("$ convertalk explain 7e88d192 --base HEAD\n")
        .expect("a transcript");
    let told: Vec<&str> = told.lines().take_while(|line| *line != "…").collect();
    let folder = tempfile::tempdir().expect("a folder");
    run(folder.path(), "init").exits(0);
    for words in [
        "init -q .",
        "add .",
        "commit -qm Declare --author=Asha<a@b.example>",
    ] {
        let mut git = std::process::Command::new("git");
        git.args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
            .args(words.split(' '))
            .current_dir(folder.path());
        assert!(git.status().expect("git runs").success(), "{words}");
    }
    let said = run(folder.path(), "explain 7e88d192 --base HEAD")
        .exits(0)
        .out;
    for (line, told) in said.lines().zip(&told) {
        match told.strip_prefix("  commit   ") {
            Some(_) => {
                assert!(
                    line.starts_with("  commit   ")
                        && line.contains(" Asha, ")
                        && line.ends_with(": Declare"),
                    "{line}"
                )
            }
            None => assert_eq!(line, *told),
        }
    }
    assert!(told.len() > 5 && said.lines().count() > told.len());
}

#[test]
fn the_files_in_the_docs_are_valid() {
    let pages = ["README.md", "docs/files.md", "docs/policy.md"];
    let readme = pages
        .map(|page| std::fs::read_to_string(page).expect("a page"))
        .concat();
    let blocks: Vec<&str> = readme
        .split("```yaml\n")
        .skip(1)
        .filter_map(|block| block.split("```").next())
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("leads")).expect("a folder");
    std::fs::write(folder.path().join("seed.yaml"), "[]").expect("a seed");
    let with_ids = |text: &str| {
        text.replace("bot_id: …", "bot_id: 63d9ffa77a8d152facbe2f00")
            .replace("customer_id: …", "customer_id: 631aa793bcfa100487d13d01")
    };
    let configs: Vec<&&str> = blocks
        .iter()
        .filter(|block| block.contains("api:"))
        .collect();
    assert!(!configs.is_empty(), "{blocks:?}");
    for block in configs {
        std::fs::write(folder.path().join("convertalk.yaml"), with_ids(block)).expect("a file");
        let leads = blocks
            .iter()
            .find(|block| block.contains("7e88d192"))
            .expect("a lead file");
        std::fs::write(folder.path().join("leads/first.yaml"), leads).expect("a file");
        let ran = run(folder.path(), "validate").exits(0);
        assert!(!ran.err.contains("warning"), "{}", ran.err);
    }
}
