//! Depth, repetition and length, as an attacker sends them: the work grows with the input, not with its square.
//!
//! Work is the CPU time of the thread, so that other tests and a busy machine do not count.

use std::time::Duration;

use convertalk::api::page_of;
use convertalk::observe::Projection;
use rustix::time::{ClockId, clock_gettime};

use super::{lead_file, leads_folder, run_line, saved_plan, workspace_file};

/// Less than this says nothing about growth.
const TOO_SHORT: Duration = Duration::from_millis(2);

/// Repeated by the thousand, each of these has been slow in some parser.
const PIECES: [&str; 15] = [
    "[", "{", "- ", "? ", "{\"a\":", "!x ", "&a ", "'", "# ", "a: ", "\n", "\u{feff}", "%", "|",
    "> ",
];

/// Inputs of `n` pieces.
pub(super) fn monsters(n: usize) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, String)> = PIECES
        .iter()
        .map(|piece| (format!("{piece:?}"), piece.repeat(n)))
        .collect();
    all.push((
        "a key twice".to_owned(),
        format!("version: 1\nleads:\n{}", "  a: {}\n".repeat(n / 3)),
    ));
    all.push((
        "a long key".to_owned(),
        format!("version: 1\nleads:\n  {}: {{}}\n", "k".repeat(n * 16)),
    ));
    all.push((
        "a tag twice".to_owned(),
        format!(
            "version: 1\nleads: {{ a: {{ tags: [{}] }} }}\n",
            "t, ".repeat(n)
        ),
    ));
    all.into_iter()
        .map(|(name, text)| (name, text.into_bytes()))
        .collect()
}

fn cpu_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime)
        .try_into()
        .expect("a time since the start of the thread")
}

/// The least of three: whatever disturbs a measurement only adds to it.
fn work(run: impl Fn()) -> Duration {
    let once = |_| {
        let start = cpu_time();
        run();
        cpu_time() - start
    };
    (0..3).map(once).min().expect("three measurements")
}

/// Four times the input is at most nine times the work: between n, which is four, and n², which is sixteen.
fn assert_grows(name: &str, small: impl Fn(), large: impl Fn()) {
    let (small, large) = (work(small), work(large));
    assert!(
        large < 9 * small.max(TOO_SHORT),
        "{name}: {small:?}, and {large:?} for four times as much"
    );
}

/// Runs on a thread of its own, which does rayon's work too: else its clock would not show it.
fn alone(run: impl FnOnce() + Send) {
    let pooled = || {
        rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .use_current_thread()
            .build()
            .expect("a pool")
            .install(run);
    };
    std::thread::scope(|scope| scope.spawn(pooled).join().expect("no more work than that"));
}

/// Compares the work for `number` things and for four times as many.
pub(crate) fn assert_grows_with_the_number(number: usize, run: impl Fn(usize) + Sync) {
    alone(|| assert_grows("things", || run(number), || run(4 * number)));
}

fn assert_grows_with_the_input(run: impl Fn(&[u8]) + Sync) {
    alone(|| {
        for ((name, small), (_, large)) in monsters(1_500).into_iter().zip(monsters(6_000)) {
            assert_grows(&name, || run(&small), || run(&large));
        }
    });
}

#[test]
fn a_lead_file() {
    let folder = leads_folder();
    assert_grows_with_the_input(|bytes| lead_file(folder.path(), bytes));
}

#[test]
fn a_workspace_file() {
    assert_grows_with_the_input(workspace_file);
}

#[test]
fn a_saved_plan() {
    assert_grows_with_the_input(saved_plan);
}

#[test]
fn a_line_of_a_run_file() {
    assert_grows_with_the_input(run_line);
}

#[test]
fn a_page_of_the_listing() {
    assert_grows_with_the_input(|bytes| drop(page_of(bytes, &Projection::All)));
}

/// Without this, the others would pass whatever the parsers did.
#[test]
fn work_with_the_square_of_the_input_is_noticed() {
    let quadratic = |bytes: &[u8]| {
        let equal = |one: &u8| bytes.iter().filter(|other| *other == one).count();
        std::hint::black_box(bytes.iter().map(equal).max());
    };
    let noticed = std::panic::catch_unwind(|| assert_grows_with_the_input(quadratic));
    assert!(noticed.is_err());
}
