//! Plans and applies over loopback: against the bare fetch of the same pages, and against the least time that the writes can take.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::Scale;
use crate::files::{Shape, workspace};
use crate::measure::{Took, median, paired, program, run};
use crate::server::Server;
use crate::table::{Limit, Table};

/// Requests at a time, by default.
const WIDTH: usize = 8;
/// Requests at a time for writes: as many as may be allowed, so that the row takes seconds.
const WRITES_AT_A_TIME: usize = 64;
const WRITE_LATENCY: f64 = 0.050;

const WIRE: &str = "`plan --full`, a server that takes no time";
const SLOW_WIRE: &str = "`plan --full`, a server that takes 20 ms a page";
const MEMORY: &str = "`plan --full`, peak memory";
const FEW_MEMORY: &str = "`plan --full`, peak memory, few declared";
const GROWTH: &str = "`plan --full`, 10 times the live leads";
const GROWTH_MEMORY: &str = "`plan --full`, 10 times the live leads, memory";
const THREE: &str = "`plan` of three leads on page 1";
const AGAIN: &str = "`plan` of 50 leads, the second one";
const APPLY: &str = "`apply`, a server that takes 50 ms a request";

pub(crate) fn rows(scale: &Scale, table: &mut Table) {
    let large = Shape {
        declared: scale.declared,
        files: scale.files,
        every: 9,
        changed: 5,
        concurrency: WIDTH,
    };
    let few = Shape {
        declared: 1_000,
        files: 1,
        ..large
    };
    if table.wants_any(&[WIRE, MEMORY, FEW_MEMORY, GROWTH, GROWTH_MEMORY, THREE]) {
        let server = Server::start(scale.live, &[]);
        run(&server.fetch(WIDTH));
        fast(scale, table, &server, &large, &few);
    }
    if table.wants(SLOW_WIRE) {
        // The chats are the same on every server, and sooner read from one that takes no time.
        let folder = workspace(&Server::start(scale.live, &[]), &large);
        let server = Server::start(scale.live, &["--latency", "20ms"]);
        run(&server.fetch(64));
        against_the_wire(
            scale,
            table,
            SLOW_WIRE,
            Limit::AtMost(1.05),
            &server,
            &folder,
        );
    }
    if table.wants(AGAIN) {
        again(scale, table);
    }
    if table.wants(APPLY) {
        apply(scale, table);
    }
}

fn fast(scale: &Scale, table: &mut Table, server: &Server, large: &Shape, few: &Shape) {
    if table.wants(WIRE) || table.wants(MEMORY) {
        let folder = workspace(server, large);
        let peak = against_the_wire(scale, table, WIRE, Limit::None, server, &folder);
        table.add(
            MEMORY,
            peak,
            Limit::AtMost(200.0),
            " MiB",
            format!("{} live, {} declared", scale.live, scale.declared),
        );
    }
    let folder = workspace(server, few);
    let plans = |folder: &TempDir| -> Vec<Took> {
        (0..scale.runs)
            .map(|_| run(&plan(server, folder)))
            .collect()
    };
    if table.wants(FEW_MEMORY) {
        let peak = median(plans(&folder).iter().map(|took| took.peak));
        table.add(
            FEW_MEMORY,
            peak,
            Limit::AtMost(40.0),
            " MiB",
            format!("{} live, 1000 declared", scale.live),
        );
    }
    if table.wants(GROWTH) || table.wants(GROWTH_MEMORY) {
        let tenth = Server::start(scale.live / 10, &[]);
        run(&tenth.fetch(WIDTH));
        let same = workspace(&tenth, few);
        let (mut peaks, mut tenth_peaks) = (Vec::new(), Vec::new());
        let wall = |server: &Server, folder: &TempDir, peaks: &mut Vec<f64>| {
            let took = run(&plan(server, folder));
            peaks.push(took.peak);
            took.wall
        };
        let pairs: Vec<f64> = (0..scale.runs)
            .map(|_| wall(server, &folder, &mut peaks) / wall(&tenth, &same, &mut tenth_peaks))
            .collect();
        table.add(
            GROWTH,
            median(pairs),
            Limit::AtMost(10.5),
            "",
            "1000 declared".to_owned(),
        );
        let (one, other) = (median(peaks), median(tenth_peaks));
        table.add(
            GROWTH_MEMORY,
            one / other,
            Limit::AtMost(1.05),
            "",
            format!("{one:.1} MiB, a tenth {other:.1} MiB"),
        );
    }
    if table.wants(THREE) {
        let folder = workspace(
            server,
            &Shape {
                declared: 3,
                files: 1,
                every: 1,
                changed: 1,
                concurrency: WIDTH,
            },
        );
        let output = program()
            .args(["plan", "--format", "json", "-C"])
            .arg(folder.path())
            .output()
            .expect("a plan");
        let plan: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let pages = plan["listing"]["pages_read"].as_f64().expect("a number");
        table.add(
            THREE,
            pages,
            Limit::AtMost(2.0),
            "",
            "pages read".to_owned(),
        );
    }
}

fn plan(server: &Server, folder: &TempDir) -> Command {
    let mut command = program();
    command
        .env("CONVERTALK_ENDPOINT", &server.url)
        .args(["plan", "--full", "-C"])
        .arg(folder.path());
    command
}

/// The ratio of plan to the bare fetch as a row; gives the median of plan's peak memory.
fn against_the_wire(
    scale: &Scale,
    table: &mut Table,
    what: &str,
    limit: Limit,
    server: &Server,
    folder: &TempDir,
) -> f64 {
    let (mut peaks, mut cpus) = (Vec::new(), Vec::new());
    let mut planning = || {
        let took = run(&plan(server, folder));
        peaks.push(took.peak);
        cpus.push(took.cpu);
        took.wall
    };
    let (ratio, one, other) = paired(scale.runs, &mut planning, || run(&server.fetch(WIDTH)).wall);
    let cpu = median(cpus);
    let note =
        format!("{one:.2} s ({cpu:.2} s of CPU), the bare fetch {other:.2} s, {WIDTH} at a time");
    table.add(what, ratio, limit, "", note);
    median(peaks)
}

/// The requests of a plan that knows from an earlier one where the leads were.
fn again(scale: &Scale, table: &mut Table) {
    let log = tempfile::NamedTempFile::new().expect("a file");
    let path = log.path().to_str().expect("UTF-8");
    let server = Server::start(scale.live, &["--requests", path]);
    let declared = 50;
    let leads = scale.live / 10 * 9;
    let shape = Shape {
        declared,
        files: 1,
        every: leads as usize / declared,
        changed: 5,
        concurrency: WIDTH,
    };
    let folder = workspace(&server, &shape);
    let mut command = program();
    command.args(["plan", "-C"]).arg(folder.path());
    let mut seen = requests(log.path());
    let mut plan = || {
        run(&command);
        let before = std::mem::replace(&mut seen, requests(log.path()));
        seen - before
    };
    let (first, second) = (plan(), plan());
    let note = format!(
        "GETs, the first plan {first}; spread over {} live",
        scale.live
    );
    table.add(AGAIN, second as f64, Limit::AtMost(60.0), "", note);
}

fn requests(log: &Path) -> usize {
    let text = std::fs::read_to_string(log).expect("a log");
    text.lines().count()
}

fn apply(scale: &Scale, table: &mut Table) {
    let times = scale.writes.div_ceil(WRITES_AT_A_TIME);
    let ideal = times as f64 * WRITE_LATENCY;
    let ratios: Vec<f64> = (0..scale.runs)
        .map(|_| {
            let server = Server::start(
                scale.writes as u32 * 10 / 9 + 100,
                &["--latency", "50ms", "--sort", "created"],
            );
            let shape = Shape {
                declared: scale.writes,
                files: 10,
                every: 1,
                changed: 1,
                concurrency: WRITES_AT_A_TIME,
            };
            let folder = workspace(&server, &shape);
            let mut command = program();
            command.args(["apply", "--yes", "-C"]).arg(folder.path());
            run(&command).wall / ideal
        })
        .collect();
    let note = format!(
        "{} writes, {WRITES_AT_A_TIME} at a time, {ideal:.1} s; planning and reading back included",
        scale.writes
    );
    table.add(APPLY, median(ratios), Limit::AtMost(1.15), "", note);
}
