//! The end-to-end benchmark: the real program against the embedded API in a process of its own, each figure a ratio to what
//! cannot be avoided, measured in the same run, in turn, as a median.
//!
//! `cargo bench --bench ratios` prints one Markdown table. `-- --quick` does it with a tenth of the leads and three runs (the
//! limits are meant for the whole), `-- --check` exits with 1 where a limit does not hold, and `-- plan list` measures only the
//! rows whose name has one of these words.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark tells what it measured"
)]

mod bare;
mod bulk;
mod files;
mod hostile;
mod load;
mod measure;
mod network;
mod octodns;
mod script;
mod server;
mod table;
mod venv;
mod watch;
mod width;

use std::process::ExitCode;

use table::Table;

/// How much of everything, and how often.
pub(crate) struct Scale {
    pub(crate) live: u32,
    pub(crate) declared: usize,
    pub(crate) files: usize,
    pub(crate) writes: usize,
    pub(crate) runs: usize,
}

const FULL: Scale = Scale {
    live: 1_000_000,
    declared: 100_000,
    files: 100,
    writes: 10_000,
    runs: 5,
};
const QUICK: Scale = Scale {
    live: 100_000,
    declared: 10_000,
    files: 10,
    writes: 1_000,
    runs: 3,
};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        Some("launch") => return measure::launch(None, &words[1..]),
        Some("launch-for") => {
            let seconds = words[1].parse().expect("seconds");
            return measure::launch(Some(seconds), &words[2..]);
        }
        Some("bare") => return bare::main(&words[1..]),
        _ => {}
    }
    let has = |flag: &str| words.iter().any(|word| word == flag);
    let only = words.iter().filter(|word| !word.starts_with("--"));
    let only = only.cloned().collect();
    let scale = if has("--quick") { QUICK } else { FULL };
    let mut table = Table::new(only);
    load::rows(&scale, &mut table);
    bulk::rows(&scale, &mut table);
    network::rows(&scale, &mut table);
    hostile::rows(&scale, &mut table);
    script::rows(&scale, &mut table);
    octodns::rows(&scale, &mut table);
    width::rows(&mut table);
    watch::rows(&scale, &mut table);
    println!("{}", table.markdown());
    if has("--check") && !table.holds() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
