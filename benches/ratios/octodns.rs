//! octoDNS, which does for DNS records what this program does for leads: CPU an entry, without a network on either side.

use std::fmt::Write as _;
use std::process::Command;

use tempfile::TempDir;

use crate::Scale;
use crate::files::{Shape, workspace};
use crate::measure::{paired, program, run};
use crate::server::Server;
use crate::table::{Limit, Table};
use crate::venv::Venv;

const OCTODNS: &str = "octoDNS, compared with `plan --live`, CPU an entry";

/// Plans of as many entries on each side, both read from files: a zone of A records, and a snapshot.
pub(crate) fn rows(scale: &Scale, table: &mut Table) {
    let Some(venv) = Venv::for_rows(table, &[OCTODNS]) else {
        return;
    };
    // Python takes long: a twentieth of what the program is measured with alone.
    let declared = scale.declared / 20;
    let folder = zone(declared);
    let mut sync = Command::new(venv.program("octodns-sync"));
    sync.arg("--config-file")
        .arg(folder.path().join("sync.yaml"));

    let live = u32::try_from(declared.div_ceil(9) * 10).expect("a number of leads");
    let shape = Shape {
        declared,
        files: 1,
        every: 1,
        changed: 5,
        concurrency: 8,
    };
    let server = Server::start(live, &[]);
    let workspace = workspace(&server, &shape);
    let snapshot = workspace.path().join("inbox.jsonl");
    let mut keep = program();
    keep.args(["snapshot", "--out"])
        .arg(&snapshot)
        .arg("-C")
        .arg(workspace.path());
    run(&keep);
    let mut plan = program();
    plan.args(["plan", "--live"])
        .arg(&snapshot)
        .arg("-C")
        .arg(workspace.path());
    let (ratio, one, other) = paired(scale.runs, || run(&sync).cpu, || run(&plan).cpu);
    let each = 1e6 / declared as f64;
    let note = format!(
        "{:.0} µs an entry, `plan --live` {:.1} µs; {declared} entries, a fifth of them changed",
        one * each,
        other * each
    );
    table.add(OCTODNS, ratio, Limit::AtLeast(50.0), " times", note);
}

/// A zone, as it is wanted and as it is; every fifth record differs.
fn zone(records: usize) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = "providers:\n".to_owned();
    for side in ["wanted", "there"] {
        let directory = folder.path().join(side);
        let mut text = "---\n".to_owned();
        for number in 0..records {
            let last = if side == "there" && number % 5 == 0 {
                9
            } else {
                1
            };
            let (high, low) = (number / 250, number % 250);
            writeln!(
                text,
                "host-{number:06}:\n  ttl: 300\n  type: A\n  value: 10.{high}.{low}.{last}"
            )
            .expect("text");
        }
        std::fs::create_dir(&directory).expect("a folder");
        std::fs::write(directory.join("example.com.yaml"), text).expect("a file");
        writeln!(
            config,
            "  {side}: {{ class: octodns.provider.yaml.YamlProvider, directory: {} }}",
            directory.display()
        )
        .expect("text");
    }
    config += "zones:\n  example.com.: { sources: [wanted], targets: [there] }\n";
    std::fs::write(folder.path().join("sync.yaml"), config).expect("a file");
    folder
}
