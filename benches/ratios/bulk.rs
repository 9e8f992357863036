//! Bulk work on the files: what `list` and `set` take of a large workspace, and their memory compared with that of `validate`.

use std::cell::Cell;
use std::path::Path;
use std::process::Command;

use crate::Scale;
use crate::files::{Shape, workspace};
use crate::measure::{Took, median, program, run};
use crate::server::Server;
use crate::table::{Limit, Table};

/// Edits every lead of every file, which reads each file anew for every check of the edit: it has no limit.
const ALL: &str = "`set --all`";

/// Each with the words that do it and, for an edit, those that take it back.
const JOBS: [(&str, &[&str], &[&str]); 5] = [
    ("`list`", &["list"], &[]),
    ("`list --format json`", &["list", "--format", "json"], &[]),
    ("`list --format csv`", &["list", "--format", "csv"], &[]),
    (
        "`set` of every fifth lead",
        &["set", "--only", "agent=priya", "tags+=bench"],
        &["set", "--only", "agent=priya", "tags-=bench"],
    ),
    (
        ALL,
        &["set", "--all", "tags+=bench"],
        &["set", "--all", "tags-=bench"],
    ),
];

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
    let of = format!("{declared} leads in {} files", scale.files);
    let validate = median((0..3).map(|_| run(&command(folder.path(), &["validate"])).peak));
    for (what, words, back) in jobs {
        let is_back = Cell::new(false);
        let took: Vec<Took> = (0..2 * scale.runs + 1)
            .map(|_| {
                let words = if is_back.get() { back } else { words };
                is_back.set(!is_back.get() && !back.is_empty());
                run(&command(folder.path(), words))
            })
            .collect();
        if is_back.get() {
            run(&command(folder.path(), back));
        }
        let cpu = median(took.iter().map(|took| took.cpu));
        let limit = |most: f64| match what {
            ALL => Limit::None,
            _ => Limit::AtMost(most),
        };
        table.add(what, cpu, limit(2.0), " s of CPU", of.clone());
        let peak = median(took.iter().map(|took| took.peak));
        let note = format!("{peak:.0} MiB, `validate` {validate:.0} MiB");
        let (what, ratio) = (format!("{what}, peak memory"), peak / validate);
        table.add(&what, ratio, limit(1.3), "", note);
    }
}

fn command(folder: &Path, words: &[&str]) -> Command {
    let mut command = program();
    command.args(words).arg("-C").arg(folder);
    command
}
