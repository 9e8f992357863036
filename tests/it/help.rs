//! Help: examples with each command, exit codes in the main one, a manual page for each.

use crate::world::{Ran, program};

fn run(words: &[&str]) -> Ran {
    Ran::of(program(words).output().expect("the program runs"))
}

/// The commands, as the main help lists them.
fn commands() -> Vec<String> {
    let help = run(&["--help"]).exits(0).out;
    let listed = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    // A line that goes on with the words of the one before is indented further.
    let name = |line: &str| {
        line.strip_prefix("  ")?
            .split(' ')
            .next()
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
    };
    listed.filter_map(name).collect()
}

/// The lines to type of the examples in a help.
fn examples(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Examples:").skip(1);
    listed
        .take_while(|line| line.starts_with("  "))
        .filter_map(|line| line.strip_prefix("    convertalk "))
        .map(str::to_owned)
        .collect()
}

#[test]
fn each_help_has_two_examples() {
    let commands = commands();
    assert!(commands.len() >= 16, "{commands:?}");
    assert!(examples(&run(&["--help"]).exits(0).out).len() >= 2);
    for command in &commands {
        let help = run(&[command, "--help"]).exits(0).out;
        let examples = examples(&help);
        let own = examples
            .iter()
            .filter(|line| line.starts_with(command.as_str()));
        assert!(
            own.count() >= 2,
            "add examples to src/cli/examples.rs: {help}"
        );
    }
}

/// Clap says "Usage" where it does not take the words.
#[test]
fn each_example_is_a_command_line_that_is_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    for command in commands().iter().filter(|name| *name != "sandbox") {
        for line in examples(&run(&[command, "--help"]).exits(0).out) {
            let words: Vec<&str> = line
                .split_whitespace()
                .take_while(|word| !["|", ">"].contains(word))
                .map(|word| {
                    if word.starts_with("/usr") {
                        "man1"
                    } else {
                        word
                    }
                })
                .collect();
            let mut program = program(&words);
            let ran = Ran::of(
                program
                    .current_dir(folder.path())
                    .output()
                    .expect("it runs"),
            );
            assert!(!ran.err.contains("Usage:"), "{line}: {}", ran.err);
        }
    }
}

#[test]
fn each_command_has_a_manual_page_with_all_sections() {
    let folder = tempfile::tempdir().expect("a folder");
    let man1 = folder.path().join("share/man1");
    run(&["man", "--out", man1.to_str().expect("a path")]).exits(0);
    let sections = [
        "SYNOPSIS",
        "OPTIONS",
        "EXAMPLES",
        "\"EXIT STATUS\"",
        "ENVIRONMENT",
    ];
    for command in commands() {
        let page = std::fs::read_to_string(man1.join(format!("convertalk-{command}.1")));
        let page = page.expect("a page");
        for section in sections {
            assert!(
                page.contains(&format!(".SH {section}\n")),
                "{command}: {section}"
            );
        }
        assert_eq!(page, run(&["man", &command]).exits(0).out);
    }
    let main = std::fs::read_to_string(man1.join("convertalk.1")).expect("a page");
    assert!(main.contains("convertalk\\-plan(1)"), "{main}");
    assert!(
        run(&["man", "no-such"])
            .exits(1)
            .err
            .contains("not a command")
    );
}

#[test]
fn the_main_help_has_the_exit_codes_and_the_environment() {
    let help = run(&["--help"]).exits(0).out;
    for words in [
        "Exit status",
        "  3    refused by a guard",
        "130  interrupted",
        "CONVERTALK_READ_TOKEN",
    ] {
        assert!(help.contains(words), "{words}: {help}");
    }
    assert!(run(&["man"]).exits(0).out.contains("130"));
}

/// What a shell is offered for the last of these words.
fn offered(folder: &std::path::Path, words: &[&str]) -> String {
    let mut command = program(&["--", "convertalk"]);
    let output = command
        .args(words)
        .current_dir(folder)
        .env("CONVERTALK_COMPLETE", "fish")
        .output();
    Ran::of(output.expect("the program runs")).exits(0).out
}

#[test]
fn completions_know_commands_flags_and_the_workspace() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = run(&["completions", shell]).exits(0).out;
        assert!(script.contains("CONVERTALK_COMPLETE"), "{shell}: {script}");
    }
    let folder = std::path::Path::new("examples/quickstart");
    let all = offered(folder, &[""]);
    for command in commands() {
        assert!(
            all.lines().any(|line| line.starts_with(&command)),
            "{command}: {all}"
        );
    }
    for (words, one) in [
        (&["plan", "--only", "sta"][..], "status=REVIEW"),
        (&["plan", "--only", "tag=vip,ag"][..], "tag=vip,agent=priya"),
        (&["plan", "--only", "status!=R"][..], "status!=REVIEW"),
        (&["plan", "--only", "attributes.t"][..], "attributes.tier!="),
        (
            &["plan", "--only", "file!="][..],
            "file!=leads/inbound.yaml",
        ),
        (&["plan", "--only", "lab"][..], "label~"),
        (&["validate", "leads/in"][..], "leads/inbound.yaml"),
        (&["fmt", "leads/in"][..], "leads/inbound.yaml"),
        (&["list", "--format", "j"][..], "json"),
        (&["set", "tags+"][..], "tags+=vip"),
        (&["set", "--share", "pr"][..], "priya"),
        (&["set", "--share", "rahul,pr"][..], "rahul,priya"),
        (&["set", "--unset", "ta"][..], "tags"),
        (&["set", "--add-to", "leads/in"][..], "leads/inbound.yaml"),
        (
            &["pull", "--only", "status=OPEN,ag"][..],
            "status=OPEN,agent=priya",
        ),
        (&["plan", "--allow", "fr"][..], "freeze"),
        (&["apply", "--base", "ap"][..], "applied"),
        (
            &["explain", "1f0c"][..],
            "1f0c6d0e-52a8-4c0b-9a51-3f4f6b1c0a01\t",
        ),
    ] {
        let offered = offered(folder, words);
        assert!(offered.contains(one), "{words:?}: {offered}");
    }
    for words in [
        &["set", "--share", "rahul,"][..],
        &["set", "--share=rahul,"],
    ] {
        let offered = offered(folder, words);
        assert!(offered.contains("rahul,priya"), "{words:?}: {offered}");
        assert!(!offered.contains("rahul,rahul"), "{words:?}: {offered}");
    }
    assert_eq!(offered(std::path::Path::new("/"), &["explain", "1f0c"]), "");
}
