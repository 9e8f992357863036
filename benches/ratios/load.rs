//! Reading files: against the bare scan of the YAML library over the same bytes, on one core and on two; and starting at all.

use std::time::Instant;

use convertalk::config::Overrides;
use convertalk::lead_file::load;

use crate::Scale;
use crate::files::{Shape, scan, texts, workspace};
use crate::measure::{median, paired, program, run};
use crate::server::Server;
use crate::table::{Limit, Table};

const SCAN: &str = "`validate`, one thread";
const CORES: &str = "`validate`, two threads";
const GROWTH: &str = "`validate`, 10 times the declared leads";
const START: [(&str, &[&str]); 2] = [
    ("start-up, `--version`", &["--version"]),
    (
        "start-up, `validate` of the quick start",
        &["validate", "-C", "examples/quickstart"],
    ),
];

pub(crate) fn rows(scale: &Scale, table: &mut Table) {
    for (what, words) in START {
        if table.wants(what) {
            let mut command = program();
            command.args(words);
            let cpu = median((0..2 * scale.runs + 1).map(|_| run(&command).cpu * 1_000.0));
            table.add(
                what,
                cpu,
                Limit::AtMost(10.0),
                " ms",
                "CPU, user and system".to_owned(),
            );
        }
    }
    if !table.wants_any(&[SCAN, CORES, GROWTH]) {
        return;
    }
    let server = Server::start(scale.live, &[]);
    let shape = Shape {
        declared: scale.declared,
        files: scale.files,
        every: 1,
        changed: 5,
        concurrency: 8,
    };
    let large = workspace(&server, &shape);
    let small = workspace(
        &server,
        &Shape {
            declared: scale.declared / 10,
            files: scale.files,
            ..shape
        },
    );
    let loading = |folder: &tempfile::TempDir, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("threads");
        let start = Instant::now();
        let loaded = pool.install(|| load(folder.path(), &Overrides::default()));
        let seconds = start.elapsed().as_secs_f64();
        assert!(loaded.desired.is_some(), "the files are valid");
        drop(loaded);
        seconds
    };
    let texts = texts(large.path());
    let runs = 2 * scale.runs + 1;
    let note = |one: f64, other: f64, what: &str| {
        format!("{:.0} ms, {what} {:.0} ms", one * 1_000.0, other * 1_000.0)
    };
    if table.wants(SCAN) {
        let (ratio, one, other) = paired(runs, || loading(&large, 1), || scan(&texts));
        table.add(
            SCAN,
            ratio,
            Limit::AtMost(1.6),
            "",
            note(one, other, "the bare scan"),
        );
    }
    if table.wants(CORES) {
        let (ratio, one, other) = paired(runs, || loading(&large, 1), || loading(&large, 2));
        table.add(
            CORES,
            ratio,
            Limit::AtLeast(1.7),
            "",
            note(one, other, "on two"),
        );
    }
    if table.wants(GROWTH) {
        let (ratio, one, other) = paired(runs, || loading(&large, 1), || loading(&small, 1));
        table.add(
            GROWTH,
            ratio,
            Limit::AtMost(10.5),
            "",
            note(one, other, "a tenth"),
        );
    }
}
