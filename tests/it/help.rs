//! Help: an example with each command, exit codes in the main one, a manual page for each.

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
    listed
        .filter_map(name)
        .filter(|name| name != "help")
        .collect()
}

#[test]
fn each_command_has_an_example_and_a_manual_page() {
    let commands = commands();
    assert!(commands.len() >= 12, "{commands:?}");
    for command in &commands {
        let help = run(&[command, "--help"]).exits(0).out;
        assert!(help.contains("Example"), "{command}: {help}");
        let page = run(&["man", command]).exits(0).out;
        assert!(
            page.contains(&format!("convertalk\\-{command}")) && page.contains("Example"),
            "{command}: {page}"
        );
    }
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
        "Exit codes",
        "  3  refused by a guard",
        "130  interrupted",
        "CONVERTALK_READ_TOKEN",
    ] {
        assert!(help.contains(words), "{words}: {help}");
    }
    assert!(run(&["man"]).exits(0).out.contains("130"));
}

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = run(&["completions", shell]).exits(0).out;
        for command in commands() {
            assert!(script.contains(&command), "{shell}: {command}");
        }
    }
}
