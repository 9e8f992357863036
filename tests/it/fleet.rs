//! Two hundred workspaces in one repository, sharded as the Indexed Job does it, against one inbox with a rate limit: docs/fleets.md.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::base::git_in;
use crate::world::{BOT, CUSTOMER, TOKEN, World, record, uuid};

const WORKSPACES: usize = 200;
const SHARDS: usize = 4;
/// Requests a second that the platform takes.
const RATE: usize = 40;
const PAGE: usize = 50;

/// The script of the Indexed Job for one shard.
fn shard(work: &Path, origin: &Path, index: usize, endpoint: &str) -> Child {
    let ours = Path::new(env!("CARGO_BIN_EXE_convertalk")).parent();
    let path = std::env::var("PATH").expect("PATH");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/kubernetes/fleet/fleet.sh");
    let mut command = Command::new("bash");
    command
        .arg(script)
        .current_dir(work)
        .env_clear()
        .env(
            "PATH",
            format!("{}:{path}", ours.expect("a folder").display()),
        )
        .env("HOME", work)
        .env("REPOSITORY", origin)
        .env("REF", "origin/main")
        .env("SHARDS", SHARDS.to_string())
        .env("JOB_COMPLETION_INDEX", index.to_string())
        .env("CONVERTALK_ENDPOINT", endpoint)
        .env("CONVERTALK_TOKEN", TOKEN)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().expect("bash runs")
}

/// A pass of every workspace; what it took of the inbox, and its seconds.
fn passes(world: &World, work: &Path, origin: &Path) -> (usize, usize, f64) {
    let (reads, writes, start) = (world.reads(), world.puts().len(), Instant::now());
    let endpoint = world.sandbox().url();
    let shards: Vec<Child> = (0..SHARDS)
        .map(|index| shard(work, origin, index, &endpoint))
        .collect();
    for mut shard in shards {
        let status = shard.wait().expect("bash ends");
        assert_eq!(status.code(), Some(0));
    }
    let seconds = start.elapsed().as_secs_f64();
    (world.reads() - reads, world.puts().len() - writes, seconds)
}

/// For those who run it by hand.
fn show(figures: &str) {
    let written = std::io::stdout().write_all(format!("{figures}\n").as_bytes());
    written.expect("stdout");
}

#[ignore = "takes minutes"]
#[test]
fn two_hundred_workspaces_keep_within_the_arithmetic() {
    let live: Vec<_> = (1..=WORKSPACES)
        .map(|number| record(number, "OPEN", None, &[]))
        .collect();
    let world = World::new(&live, &format!("--page-size {PAGE} --rate {RATE}"));
    let folder = tempfile::tempdir().expect("a folder");
    let (origin, author, work) = (
        folder.path().join("origin.git"),
        folder.path().join("author"),
        folder.path().join("work"),
    );
    std::fs::create_dir(&work).expect("a folder");
    git_in(
        folder.path(),
        &["init", "-q", "--bare", "-b", "main", "origin.git"],
    );
    git_in(folder.path(), &["clone", "-q", "origin.git", "author"]);
    git_in(&author, &["checkout", "-q", "-b", "main"]);
    let push = |status: &str| {
        for number in 1..=WORKSPACES {
            let leads = author.join(format!("w{number:03}/leads"));
            std::fs::create_dir_all(&leads).expect("a folder");
            let text = format!(
                "version: 1\nleads:\n  {}: {{ status: {status} }}\n",
                uuid(number)
            );
            std::fs::write(leads.join("all.yaml"), text).expect("a file");
            let config = format!(
                "version: 1\napi: {{ endpoint: \"https://api.example.com\", bot_id: {BOT}, customer_id: {CUSTOMER}, rate: {} }}\n",
                RATE / SHARDS
            );
            std::fs::write(leads.join("../convertalk.yaml"), config).expect("a file");
        }
        git_in(&author, &["add", "."]);
        git_in(&author, &["commit", "-qm", status]);
        git_in(&author, &["push", "-q", "origin", "main"]);
    };
    push("OPEN");
    let (begun, none, _) = passes(&world, &work, &origin);
    assert_eq!(none, 0, "each record begins live");
    let pages = WORKSPACES / PAGE + 1;
    assert!(begun <= WORKSPACES * (pages + 2), "{begun} reads");

    let (idle, none, seconds) = passes(&world, &work, &origin);
    assert_eq!(none, 0);
    assert!(idle <= WORKSPACES * (pages + 2), "{idle} reads");
    show(&format!(
        "at rest: {idle} reads in {seconds:.0} s, {:.1} a pass",
        idle as f64 / WORKSPACES as f64
    ));

    push("CLOSED");
    let (reads, writes, seconds) = passes(&world, &work, &origin);
    let closed = world.sandbox().records();
    assert!(closed.values().all(|record| record["status"] == "CLOSED"));
    show(&format!(
        "with a write each: {reads} reads and {writes} writes in {seconds:.0} s"
    ));
    assert!(writes < WORKSPACES + WORKSPACES / 10, "{writes} writes");
}
