//! One process, measured by a small process of its own: its wall time, its CPU time and its peak memory.
//!
//! The system counts the memory of whoever starts a process as that process's own until it is replaced; so a launcher that
//! has next to none stands between.

use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4;

/// What one process took.
#[derive(Clone, Copy)]
pub(crate) struct Took {
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
    pub(crate) peak: f64,
}

/// This program, for its other roles.
pub(crate) fn this(role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    command.arg(role);
    command
}

/// The program that is measured, with nothing in its environment but tokens.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_convertalk"));
    command
        .env_clear()
        .env("CONVERTALK_TOKEN", "bench")
        .stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn run(command: &Command) -> Took {
    launched(command, this("launch"))
}

/// Runs a command that does not end, and ends it by SIGTERM.
pub(crate) fn run_for(seconds: f64, command: &Command) -> Took {
    let mut launcher = this("launch-for");
    launcher.arg(seconds.to_string());
    launched(command, launcher)
}

fn launched(command: &Command, mut launcher: Command) -> Took {
    launcher
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear();
    command.get_envs().for_each(|(name, value)| {
        launcher.env(name, value.unwrap_or_default());
    });
    let output = launcher
        .stderr(Stdio::inherit())
        .output()
        .expect("a launcher");
    assert!(output.status.success(), "{command:?} failed");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let mut numbers = text
        .split_whitespace()
        .map(|word| word.parse::<f64>().expect("a number"));
    let mut next = || numbers.next().expect("three numbers");
    Took {
        wall: next(),
        cpu: next(),
        peak: next(),
    }
}

/// The launcher's own role: `launch PROGRAM ARGUMENTS`, or `launch-for SECONDS PROGRAM ARGUMENTS`. What the program says on stdout is
/// read by nobody.
pub(crate) fn launch(seconds: Option<f64>, words: &[String]) -> ExitCode {
    let start = Instant::now();
    let child = Command::new(&words[0])
        .args(&words[1..])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a program");
    if let Some(seconds) = seconds {
        std::thread::sleep(Duration::from_secs_f64(seconds));
        let status = Command::new("/bin/kill")
            .arg(child.id().to_string())
            .status();
        assert!(status.expect("kill").success(), "it was still running");
    }
    let usage = child.wait4().expect("its usage");
    let seconds = |time: Duration| time.as_secs_f64();
    let cpu = seconds(usage.rusage.utime) + seconds(usage.rusage.stime);
    println!(
        "{} {cpu} {}",
        start.elapsed().as_secs_f64(),
        usage.rusage.maxrss as f64 / f64::from(1 << 20)
    );
    if usage.status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The middle of an odd number of figures.
pub(crate) fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Both in turn, `runs` times: the median of the ratios, and the medians of each.
pub(crate) fn paired(
    runs: usize,
    mut one: impl FnMut() -> f64,
    mut other: impl FnMut() -> f64,
) -> (f64, f64, f64) {
    let pairs: Vec<(f64, f64)> = (0..runs).map(|_| (one(), other())).collect();
    let ratio = median(pairs.iter().map(|(one, other)| one / other));
    (
        ratio,
        median(pairs.iter().map(|pair| pair.0)),
        median(pairs.iter().map(|pair| pair.1)),
    )
}
