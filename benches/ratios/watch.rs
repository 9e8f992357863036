//! `watch` while nothing changes: what an hour of it costs, from runs of some seconds in which it looks and passes far more often.

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::Scale;
use crate::files::{Shape, workspace};
use crate::measure::{Took, median, program, run, run_for};
use crate::server::Server;
use crate::table::{Limit, Table};

const CPU: &str = "`watch` at rest, CPU an hour";
const REQUESTS: &str = "`watch` at rest, requests an hour";
const MEMORY: &str = "`watch` at rest, peak memory";

/// By default.
const PASSES_AN_HOUR: f64 = 4.0;
const LOOKS_AN_HOUR: f64 = 60.0;

/// How often a run does the one thing that it measures, and how often the other.
const OFTEN: f64 = 0.1;
const NEVER: &str = "24h";

pub(crate) fn rows(scale: &Scale, table: &mut Table) {
    if !table.wants_any(&[CPU, REQUESTS, MEMORY]) {
        return;
    }
    let live = scale.live / 100;
    let server = Server::start(live, &[]);
    let declared = scale.declared / 100;
    let shape = Shape {
        declared,
        files: 10,
        every: 9,
        changed: usize::MAX,
        concurrency: 8,
    };
    let seconds = scale.runs as f64;
    let often = format!("{OFTEN}s");
    let runs: Vec<Hour> = (0..scale.runs)
        .map(|_| {
            let start = watched(&server, &shape, &["--once"], None);
            let looks = watched(
                &server,
                &shape,
                &["--every", NEVER, "--poll", &often],
                Some(seconds),
            );
            let passes = watched(
                &server,
                &shape,
                &["--every", &often, "--poll", NEVER],
                Some(seconds),
            );
            Hour::of(&start, &looks, &passes, seconds)
        })
        .collect();
    let middle = |of: fn(&Hour) -> f64| median(runs.iter().map(of));
    let inbox = format!("{live} live, {declared} declared in 10 files");
    let note = format!(
        "{inbox}; {LOOKS_AN_HOUR} looks of {:.1} ms, {PASSES_AN_HOUR} passes of {:.1} ms",
        middle(|hour| hour.look * 1_000.0),
        middle(|hour| hour.pass * 1_000.0)
    );
    let cpu = middle(|hour| LOOKS_AN_HOUR * hour.look + PASSES_AN_HOUR * hour.pass);
    table.add(CPU, cpu, Limit::AtMost(5.0), " s", note);
    let pages: u32 = server.pages.iter().sum();
    let most = PASSES_AN_HOUR * (f64::from(pages) * 1.1 + 4.0);
    let requests = middle(|hour| PASSES_AN_HOUR * hour.requests);
    let note = format!("{inbox}; {PASSES_AN_HOUR} listings of {pages} pages");
    table.add(REQUESTS, requests, Limit::AtMost(most.ceil()), "", note);
    table.add(
        MEMORY,
        middle(|hour| hour.peak),
        Limit::AtMost(40.0),
        " MiB",
        inbox,
    );
}

/// What is known of an hour: CPU seconds of a look and of a pass, requests of a pass, MiB.
struct Hour {
    look: f64,
    pass: f64,
    requests: f64,
    peak: f64,
}

impl Hour {
    fn of(start: &Watched, looks: &Watched, passes: &Watched, seconds: f64) -> Self {
        let more = passes.passes - start.passes;
        assert!(
            more >= 5.0 && looks.passes == 1.0,
            "passes are made as asked"
        );
        Self {
            look: (looks.took.cpu - start.took.cpu).max(0.0) / (seconds / OFTEN),
            pass: (passes.took.cpu - start.took.cpu) / more,
            requests: (passes.requests - start.requests) / more,
            peak: passes.took.peak,
        }
    }
}

struct Watched {
    took: Took,
    passes: f64,
    requests: f64,
}

/// A run in a repository of its own, until its end or for some seconds.
fn watched(server: &Server, shape: &Shape, words: &[&str], seconds: Option<f64>) -> Watched {
    let folder = workspace(server, shape);
    repository(&folder);
    let metrics = folder.path().join(".convertalk/metrics.txt");
    std::fs::create_dir_all(folder.path().join(".convertalk")).expect("a folder");
    let mut command = program();
    command
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .args(["watch", "--begin", "live"])
        .args(words)
        .arg("--report")
        .arg(format!("openmetrics={}", metrics.display()))
        .arg("-C")
        .arg(folder.path());
    let took = match seconds {
        None => run(&command),
        Some(seconds) => run_for(seconds, &command),
    };
    Watched {
        took,
        passes: total(&metrics, "convertalk_passes_total"),
        requests: total(&metrics, "convertalk_requests_total"),
    }
}

fn repository(folder: &TempDir) {
    for words in [
        "init --quiet",
        "add --all",
        "-c user.name=bench -c user.email=bench@example.com commit --quiet --message=leads",
    ] {
        let status = Command::new("git")
            .args(words.split(' '))
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .status();
        assert!(status.expect("git").success(), "git {words}");
    }
}

/// The sum of a metric's series.
fn total(metrics: &Path, name: &str) -> f64 {
    let text = std::fs::read_to_string(metrics).expect("metrics");
    let series = text.lines().filter(|line| line.starts_with(name));
    series
        .map(|line| line.rsplit(' ').next().expect("a figure"))
        .map(|figure| figure.parse::<f64>().expect("a number"))
        .sum()
}
