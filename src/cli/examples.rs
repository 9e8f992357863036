//! The examples of each command's help and manual page, and the two tables that are the same for all: exit status and environment.

use std::fmt::Write;

use clap::CommandFactory;

/// What an example does, and the line to type.
pub(super) type Example = (&'static str, &'static str);

/// The exit codes.
pub(super) const EXIT_STATUS: &[(&str, &str)] = &[
    (
        "0",
        "done; a plan with changes too, without --detailed-exitcode",
    ),
    (
        "1",
        "error: usage, files, credentials, incomplete listing, missing leads",
    ),
    ("2", "plan --detailed-exitcode: apply would write something"),
    ("3", "refused by a guard; nothing written"),
    (
        "4",
        "stale: some leads had changed since the plan, and were not written",
    ),
    ("5", "partial: some writes failed or were not tried"),
    ("6", "written, but reading back disagrees"),
    ("130", "interrupted"),
];

/// The variables that the program reads.
pub(super) const ENVIRONMENT: &[(&str, &str)] = &[
    (
        "CONVERTALK_READ_TOKEN",
        "for listing; falls back to CONVERTALK_TOKEN",
    ),
    (
        "CONVERTALK_WRITE_TOKEN",
        "for updates; falls back to CONVERTALK_TOKEN",
    ),
    ("CONVERTALK_ENDPOINT", "wins over api.endpoint"),
    ("CONVERTALK_BOT_ID", "wins over api.bot_id"),
    ("CONVERTALK_CUSTOMER_ID", "wins over api.customer_id"),
    ("CONVERTALK_NOTIFY_URL", "default of watch --notify"),
    ("CONVERTALK_POLL_TOKEN", "for POST /poll of watch --listen"),
    (
        "HTTPS_PROXY, ALL_PROXY, NO_PROXY",
        "the proxy to use, and the hosts that need none",
    ),
    (
        "SSL_CERT_FILE, SSL_CERT_DIR",
        "certificates of a private authority, in PEM",
    ),
    (
        "NO_COLOR, CLICOLOR_FORCE",
        "no colors, or colors without a terminal",
    ),
];

/// The examples of a command; none where there is no such command.
pub(super) fn examples(command: &str) -> &'static [Example] {
    EXAMPLES
        .iter()
        .find(|(name, _)| *name == command)
        .map_or(&[], |(_, examples)| examples)
}

const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "convertalk",
        &[
            ("Start a workspace, and see its plan", "convertalk init crm"),
            (
                "Show what the files would change in the inbox",
                "convertalk plan -C crm",
            ),
        ],
    ),
    (
        "init",
        &[
            (
                "Start a workspace that talks to the sandbox",
                "convertalk init crm",
            ),
            (
                "Start one for a bot, with workflows for GitHub",
                "convertalk init --embed 63d9ffa77a8d152facbe2f00,631aa793bcfa100487d13d01 --ci github",
            ),
        ],
    ),
    (
        "doctor",
        &[
            (
                "Check the endpoint, the ids and the token",
                "convertalk doctor",
            ),
            ("The same, for a program", "convertalk doctor --format json"),
        ],
    ),
    (
        "validate",
        &[
            ("Check all files", "convertalk validate"),
            (
                "Show what is wrong with one of them",
                "convertalk validate leads/eu.yaml",
            ),
            (
                "Annotate the lines of a pull request",
                "convertalk validate --format github",
            ),
        ],
    ),
    (
        "test",
        &[
            ("Run the tests of tests/*.yaml", "convertalk test"),
            (
                "Report them to continuous integration",
                "convertalk test --report junit=tests.xml",
            ),
        ],
    ),
    (
        "fmt",
        &[
            ("Format all lead files", "convertalk fmt"),
            (
                "Show what would change, and fail if anything would",
                "convertalk fmt --check --diff",
            ),
        ],
    ),
    (
        "list",
        &[
            (
                "List the open leads of one agent",
                "convertalk list --only agent=priya,status!=CLOSED",
            ),
            (
                "Save a sheet that `set --from` reads",
                "convertalk list --format csv > leads.csv",
            ),
            (
                "Compare with the inbox, and list leads that no file declares",
                "convertalk list --live",
            ),
        ],
    ),
    (
        "set",
        &[
            (
                "Close everything that is tagged cold",
                "convertalk set --only tag=cold status=CLOSED",
            ),
            (
                "Distribute one agent's leads between two others",
                "convertalk set --only agent=priya --share rahul,asha",
            ),
            (
                "Show what a sheet would change, as a diff",
                "convertalk set --from leads.csv --dry-run",
            ),
        ],
    ),
    (
        "runs",
        &[
            ("List the runs", "convertalk runs"),
            ("The same for programs", "convertalk runs --format json"),
        ],
    ),
    (
        "plan",
        &[
            (
                "Plan the leads of one agent, and save the plan",
                "convertalk plan --only agent=priya --out plan.json",
            ),
            (
                "In a pull request: separate its changes from drift, and annotate the changed lines",
                "convertalk plan --base auto --format github --report markdown=plan.md",
            ),
        ],
    ),
    (
        "show",
        &[
            (
                "Show a saved plan as a page",
                "convertalk show plan.json --format html > plan.html",
            ),
            ("Show the last run", "convertalk show last"),
            (
                "Show a run as Markdown",
                "convertalk show run.jsonl --format markdown",
            ),
        ],
    ),
    (
        "watch",
        &[
            (
                "Keep the inbox in sync with main, from a clone that nobody edits",
                "convertalk watch --ref origin/main --listen 127.0.0.1:9464",
            ),
            (
                "One pass, for a timer; the first pass treats every difference as drift",
                "convertalk watch --once --begin live",
            ),
            (
                "See what it would do, without a write token",
                "convertalk watch --dry-run --once",
            ),
        ],
    ),
    (
        "apply",
        &[
            (
                "Write exactly what a saved plan shows",
                "convertalk apply plan.json",
            ),
            (
                "In a pipeline: write what the files changed since a commit",
                "convertalk apply --base v1.4 --yes --deadline 10m --run-file run.jsonl",
            ),
            (
                "Write the run's metrics for a textfile collector",
                "convertalk apply --yes --report openmetrics=/var/lib/node_exporter/convertalk.prom",
            ),
        ],
    ),
    (
        "explain",
        &[
            ("Explain a lead", "convertalk explain 7e88d192"),
            (
                "Also compare with the files at a commit",
                "convertalk explain 7e88d192 --base origin/main",
            ),
            (
                "Show the commits and runs that changed the lead with this label",
                "convertalk explain acme --history",
            ),
        ],
    ),
    (
        "snapshot",
        &[
            (
                "Save the live listing",
                "convertalk snapshot --out live.jsonl",
            ),
            (
                "Save it without names, for pull requests from forks",
                "convertalk snapshot --names none --out live.jsonl",
            ),
        ],
    ),
    (
        "undo",
        &[
            (
                "Write back what the last run replaced",
                "convertalk undo last",
            ),
            (
                "Only for some of its leads",
                "convertalk undo 20260301T0912 --only 7e88d192 --yes",
            ),
        ],
    ),
    (
        "pull",
        &[
            (
                "Write lead files, one for each agent",
                "convertalk pull --split-by agent",
            ),
            (
                "Update the files with what agents changed since a commit",
                "convertalk pull --update --only-drift --base HEAD",
            ),
        ],
    ),
    (
        "workspaces",
        &[
            (
                "List the workspaces that a pull request changes, as a matrix",
                "convertalk workspaces --changed --base auto --format github",
            ),
            (
                "List the second of ten parts",
                "convertalk workspaces --shard 2/10 --format json",
            ),
        ],
    ),
    (
        "schema",
        &[
            ("Print the schema of lead files", "convertalk schema leads"),
            (
                "Print it with this workspace's agents and tags",
                "convertalk schema leads --workspace > schema/leads.schema.json",
            ),
        ],
    ),
    (
        "sandbox",
        &[
            (
                "Serve an inbox of 200 leads",
                "convertalk sandbox --listen 127.0.0.1:8787 --leads 200",
            ),
            (
                "Serve one that lags and fails",
                "convertalk sandbox --leads 200 --lag 2s --fault 429=5%",
            ),
        ],
    ),
    (
        "completions",
        &[
            (
                "For bash",
                "convertalk completions bash > /etc/bash_completion.d/convertalk",
            ),
            (
                "For fish",
                "convertalk completions fish > ~/.config/fish/completions/convertalk.fish",
            ),
        ],
    ),
    (
        "man",
        &[
            (
                "Read the page of a command",
                "convertalk man plan | man -l -",
            ),
            (
                "Write all pages to a folder",
                "convertalk man --out /usr/local/share/man/man1",
            ),
        ],
    ),
    (
        "help",
        &[
            ("Show the help of a command", "convertalk help plan"),
            (
                "Explain a diagnostic or a guard",
                "convertalk help unknown-status",
            ),
        ],
    ),
];

/// The command line of the program, each command with its examples.
pub(super) fn command() -> clap::Command {
    let mut whole = super::Cli::command();
    for command in whole.get_subcommands_mut() {
        let examples = examples(command.get_name());
        if !examples.is_empty() {
            *command = command.clone().after_long_help(listed(examples));
        }
    }
    whole.after_long_help(format!(
        "{}\n\nExit status, the same in every command and format:\n{}\nEnvironment:\n{}",
        listed(examples("convertalk")),
        rows(EXIT_STATUS),
        rows(ENVIRONMENT).trim_end(),
    ))
}

fn listed(examples: &[Example]) -> String {
    let mut text = "Examples:".to_owned();
    for (what, line) in examples {
        // Writing into a String does not fail.
        let _ = write!(text, "\n  {what}:\n    {line}");
    }
    text
}

fn rows(table: &[(&str, &str)]) -> String {
    let width = table.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let rows = table
        .iter()
        .map(|(name, meaning)| format!("  {name:<width$}  {meaning}\n"));
    rows.collect()
}
