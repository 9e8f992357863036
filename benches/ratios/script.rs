//! The script that a user would write instead, as ratios of CPU: with PyYAML as most use it, and with its C library.

use std::process::Command;

use crate::Scale;
use crate::files::{Shape, workspace};
use crate::measure::{paired, program, run};
use crate::server::Server;
use crate::table::{Limit, Table};
use crate::venv::Venv;

const SCRIPT: &str = "a script in Python, compared with `plan`";
const C_SCRIPT: &str = "a script in Python that reads YAML by C, compared with `plan`";

pub(crate) fn rows(scale: &Scale, table: &mut Table) {
    let Some(venv) = Venv::for_rows(table, &[SCRIPT, C_SCRIPT]) else {
        return;
    };
    // Python takes long: a twentieth of what the program is measured with alone.
    let declared = scale.declared / 20;
    let live = u32::try_from(10 * declared).expect("a number of leads");
    let server = Server::start(live, &[]);
    let shape = Shape {
        declared,
        files: scale.files / 2,
        every: 9,
        changed: 5,
        concurrency: 8,
    };
    let folder = workspace(&server, &shape);
    run(&server.fetch(8));
    let mut plan = program();
    plan.args(["plan", "--full", "-C"]).arg(folder.path());
    let rows = [
        (SCRIPT, None, Limit::AtLeast(10.0)),
        (C_SCRIPT, Some("--c-loader"), Limit::None),
    ];
    for (what, flag, limit) in rows {
        if !table.wants(what) {
            continue;
        }
        let mut script = Command::new(venv.program("python"));
        script
            .env("CONVERTALK_TOKEN", "bench")
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/benches/ratios/script.py"
            ))
            .arg(folder.path())
            .args(flag);
        let (ratio, one, other) = paired(scale.runs, || run(&script).cpu, || run(&plan).cpu);
        let note =
            format!("{one:.2} s of CPU, `plan` {other:.3} s; {live} live, {declared} declared");
        table.add(what, ratio, limit, " times", note);
    }
}
