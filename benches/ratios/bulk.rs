//! Bulk work on the files: what `fmt`, `list` and `set` take of a large workspace, compared with the bare scan of the YAML library over
//! the same bytes, and their memory compared with that of `validate`.

use std::path::Path;
use std::process::Command;

use crate::Scale;
use crate::files::{Shape, scan, texts, workspace};
use crate::measure::{Took, median, paired, program, run};
use crate::server::Server;
use crate::table::{Limit, Table};

/// A row, the words that do it and, for an edit, those that take it back.
type Job = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const JOBS: [Job; 6] = [
    ("`fmt --check`", &["fmt", "--check"], &[]),
    ("`list`", &["list"], &[]),
    ("`list --format json`", &["list", "--format", "json"], &[]),
    ("`list --format csv`", &["list", "--format", "csv"], &[]),
    (
        "`set` of every fifth lead",
        &["set", "--only", "agent=priya", "tags+=bench"],
        &["set", "--only", "agent=priya", "tags-=bench"],
    ),
    (
        "`set --all`",
        &["set", "--all", "tags+=bench"],
        &["set", "--all", "tags-=bench"],
    ),
];

/// Those that are compared with the bare scan.
const SCANNED: [&str; 3] = ["`fmt --check`", "`list`", "`set` of every fifth lead"];

pub(crate) fn rows(scale: &Scale, table: &mut Table) {
    let jobs = JOBS.into_iter().filter(|(what, ..)| table.wants(what));
    let jobs: Vec<_> = jobs.collect();
    if jobs.is_empty() {
        return;
    }
    let declared = scale.declared;
    let live = u32::try_from(2 * declared).expect("a number of leads");
    let server = Server::start(live, &[]);
    let shape = Shape {
        declared,
        files: scale.files,
        every: 1,
        changed: 5,
        concurrency: 8,
    };
    let folder = workspace(&server, &shape);
    let texts = texts(folder.path());
    let validate = median((0..3).map(|_| run(&command(folder.path(), &["validate"])).peak));
    for job in jobs {
        whole(scale, table, folder.path(), &job, validate);
        if SCANNED.contains(&job.0) {
            on_one_thread(scale, table, folder.path(), &job, &texts);
        }
    }
}

/// CPU and peak memory, on the threads that it takes.
fn whole(scale: &Scale, table: &mut Table, folder: &Path, job: &Job, validate: f64) {
    let what = job.0;
    let mut runs = Runs::new(folder, job);
    let took: Vec<Took> = (0..2 * scale.runs + 1).map(|_| runs.next(None)).collect();
    let of = format!("{} leads in {} files", scale.declared, scale.files);
    let cpu = median(took.iter().map(|took| took.cpu));
    table.add(what, cpu, Limit::AtMost(2.0), " s of CPU", of);
    let peak = median(took.iter().map(|took| took.peak));
    let note = format!("{peak:.0} MiB, `validate` {validate:.0} MiB");
    let (what, ratio) = (format!("{what}, peak memory"), peak / validate);
    table.add(&what, ratio, Limit::AtMost(1.3), "", note);
}

/// The time on one thread compared with the bare scan, and with that on two.
fn on_one_thread(scale: &Scale, table: &mut Table, folder: &Path, job: &Job, texts: &[String]) {
    // An edit and what takes it back: half of both.
    let steps = if job.2.is_empty() { 1 } else { 2 };
    let seconds = |threads| {
        let mut runs = Runs::new(folder, job);
        let walls = (0..steps).map(|_| runs.next(Some(threads)).wall);
        walls.sum::<f64>() / f64::from(steps)
    };
    let note = |one: f64, other: f64, what: &str| {
        format!("{:.0} ms, {what} {:.0} ms", one * 1_000.0, other * 1_000.0)
    };
    let (ratio, one, other) = paired(scale.runs, || seconds(1), || scan(texts));
    let what = format!("{}, one thread", job.0);
    let of = note(one, other, "the bare scan");
    table.add(&what, ratio, Limit::AtMost(1.6), "", of);
    let (ratio, one, other) = paired(scale.runs, || seconds(1), || seconds(2));
    let what = format!("{}, two threads", job.0);
    let of = note(one, other, "on two");
    table.add(&what, ratio, Limit::AtLeast(1.7), "", of);
}

/// Runs of a job; an edit is taken back by every second one, and by the end.
struct Runs<'a> {
    folder: &'a Path,
    words: &'a [&'a str],
    back: &'a [&'a str],
    is_done: bool,
}

impl<'a> Runs<'a> {
    fn new(folder: &'a Path, (_, words, back): &Job) -> Self {
        Self {
            folder,
            words,
            back,
            is_done: false,
        }
    }

    /// The next run, on `threads` threads, or as many as the program takes.
    fn next(&mut self, threads: Option<usize>) -> Took {
        let words = if self.is_done { self.back } else { self.words };
        self.is_done = !self.is_done && !self.back.is_empty();
        let mut command = command(self.folder, words);
        if let Some(threads) = threads {
            command.env("RAYON_NUM_THREADS", threads.to_string());
        }
        run(&command)
    }
}

impl Drop for Runs<'_> {
    fn drop(&mut self) {
        if self.is_done {
            run(&command(self.folder, self.back));
        }
    }
}

fn command(folder: &Path, words: &[&str]) -> Command {
    let mut command = program();
    command.args(words).arg("-C").arg(folder);
    command
}
