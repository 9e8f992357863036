//! The loop in a scripted world: a repository, a sandbox over HTTP, and a clock that jumps to whatever the loop waits for.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Parser;
use serde_json::json;

use super::*;
use crate::sandbox::{self, Sandbox};
use crate::watch::reconcile::{LookEnd, PassEnd};

const LEAD: &str = "7e88d192-9b20-4035-9b68-000000000001";

#[derive(Parser)]
struct WatchFlags {
    #[command(flatten)]
    args: WatchArgs,
}

/// What happens at a time.
type ScriptedEvent = (Duration, Box<dyn Fn()>);

/// A clock that is at once where the loop waits for, until its end.
struct JumpingClock {
    elapsed: Mutex<Duration>,
    end: Duration,
    events: Mutex<Vec<ScriptedEvent>>,
    stop: Cancellation,
}

impl Clock for JumpingClock {
    fn now(&self) -> Timestamp {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        start + self.elapsed()
    }

    fn elapsed(&self) -> Duration {
        *self.elapsed.lock().expect("no panic")
    }

    async fn sleep_until(&self, elapsed: Duration) {
        if elapsed > self.end {
            self.stop.ask(crate::cancel::Reason::Interrupted);
            std::future::pending().await
        }
        *self.elapsed.lock().expect("no panic") = elapsed;
        let mut events = self.events.lock().expect("no panic");
        for (_, event) in events.extract_if(.., |(at, _)| *at <= elapsed) {
            event();
        }
    }

    fn jitter(&self) -> f64 {
        0.0
    }
}

/// Counts the looks, and keeps what the passes came to with their times.
struct CountedReconciler<'a, R, C> {
    inner: R,
    clock: &'a C,
    looks: AtomicUsize,
    passes: Vec<(u64, &'static str)>,
}

impl<R: Reconciler, C: Clock> Reconciler for CountedReconciler<'_, R, C> {
    async fn look(&mut self) -> LookEnd {
        self.looks.fetch_add(1, Ordering::Relaxed);
        self.inner.look().await
    }

    async fn pass(&mut self) -> PassEnd {
        let end = self.inner.pass().await;
        let at = self.clock.elapsed().as_secs();
        self.passes.push((at, end.result.as_str()));
        end
    }

    fn target(&self) -> Option<crate::plan::Target> {
        self.inner.target()
    }
}

struct ScriptedWorld {
    folder: tempfile::TempDir,
    sandbox: Arc<Sandbox>,
}

/// What a loop did.
struct LoopRan {
    exit: Exit,
    looks: usize,
    passes: Vec<(u64, &'static str)>,
    status: Arc<WatchStatus>,
}

fn git(folder: &Path, words: &str) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=t", "-c", "user.email=t@example.com"]);
    let status = command.args(words.split(' ')).current_dir(folder).status();
    assert!(status.expect("git runs").success(), "git {words}");
}

impl ScriptedWorld {
    /// One lead that is OPEN in the inbox and in the files, as committed.
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let seed = folder.path().join("seed.json");
        let lead = json!([{ "uuid": LEAD, "status": "OPEN", "profile": { "userDetails": {} } }]);
        std::fs::write(&seed, lead.to_string()).expect("a seed");
        let options = sandbox::Options {
            listen: ([127, 0, 0, 1], 0).into(),
            seed: Some(seed),
            log: true,
            ..sandbox::Options::default()
        };
        let sandbox = Sandbox::start(options).await.expect("a sandbox");
        let config = format!(
            "version: 1\napi: {{ endpoint: \"{}\", bot_id: 63d9ffa77a8d152facbe2f00, customer_id: 631aa793bcfa100487d13d01 }}\n",
            sandbox.url()
        );
        std::fs::write(folder.path().join("convertalk.yaml"), config).expect("a file");
        git(folder.path(), "init -q .");
        let world = Self {
            folder,
            sandbox: Arc::new(sandbox),
        };
        declare(world.folder.path(), "OPEN");
        world
    }

    fn gets(&self) -> usize {
        let requests = self.sandbox.requests();
        let gets = requests.iter().filter(|request| request.method == "GET");
        gets.count()
    }

    async fn run(&self, words: &str, end: Duration, events: Vec<ScriptedEvent>) -> LoopRan {
        let words = ["watch"].into_iter().chain(words.split_whitespace());
        let WatchFlags { mut args } = WatchFlags::try_parse_from(words).expect("options of watch");
        args.scope.base = Some(APPLIED.to_owned());
        args.execution.unattended();
        let ui = Ui::new("watch", clap::ColorChoice::Never, true, 0, true);
        let root = self.folder.path().to_owned();
        let stop = Cancellation::default();
        let clock = JumpingClock {
            elapsed: Mutex::default(),
            end,
            events: Mutex::new(events),
            stop: stop.clone(),
        };
        let access = Access::with_token("token");
        let memory = MemoryFile::open(&root).expect("a memory");
        let target = crate::plan::Target {
            endpoint: String::new(),
            bot_id: String::new(),
            customer_id: String::new(),
        };
        let handle = WatchHandle::new(WatchStatus::before_first_pass(target, String::new()));
        let passes = Passes {
            args: &args,
            source: DesiredSource::new(root, None).expect("a source"),
            started: None,
            has_record: true,
            access: &access,
            memory: &memory,
            handle: &handle,
            clock: &clock,
            stop: &stop,
            last_shown: Mutex::default(),
            ui: &ui,
        };
        let mut counted = CountedReconciler {
            inner: passes,
            clock: &clock,
            looks: AtomicUsize::default(),
            passes: Vec::new(),
        };
        let around = Surroundings {
            clock: &clock,
            handle: &handle,
            stop: &stop,
            on_pass: &|_: &PassSummary| {},
            on_status: &|_: &WatchStatus| {},
        };
        let intervals = Intervals {
            every: args.every,
            poll: args.poll,
        };
        let exit = run(&mut counted, &around, intervals).await;
        LoopRan {
            exit,
            looks: counted.looks.into_inner(),
            passes: counted.passes,
            status: handle.status(),
        }
    }
}

/// A commit that asks for this status.
fn declare(folder: &Path, status: &str) {
    std::fs::create_dir_all(folder.join("leads")).expect("a folder");
    let text = format!("version: 1\nleads:\n  {LEAD}: {{ status: {status} }}\n");
    std::fs::write(folder.join("leads/a.yaml"), text).expect("a file");
    git(folder, "add convertalk.yaml leads");
    git(folder, "commit -qm files");
}

fn minutes(number: u64) -> Duration {
    Duration::from_secs(number * 60)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_hour_is_four_listings_and_sixty_looks() {
    let world = ScriptedWorld::new().await;
    world
        .run("--full --begin live", Duration::ZERO, Vec::new())
        .await;
    let one_listing = world.gets();
    assert!(one_listing > 0);
    // From the pass at the start, which is not idle, to a moment before the one after an hour.
    let hour = minutes(60) - Duration::from_secs(1);
    let ran = world.run("--full", hour, Vec::new()).await;
    assert_eq!(ran.passes.len(), 4, "{:?}", ran.passes);
    assert_eq!(ran.looks, 60);
    assert_eq!(world.gets(), 5 * one_listing);
    assert_eq!(ran.exit, Exit::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_is_applied_at_the_next_look() {
    let world = ScriptedWorld::new().await;
    let folder = world.folder.path().to_owned();
    let commit: ScriptedEvent = (minutes(2), Box::new(move || declare(&folder, "REVIEW")));
    let ran = world.run("--begin live", minutes(10), vec![commit]).await;
    assert_eq!(ran.passes, [(0, "ok"), (120, "changed")]);
    assert_eq!(ran.status.states.in_sync, 1);
    assert_eq!(ran.status.commit.applied, ran.status.commit.valid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_is_fought_for_three_times_a_day() {
    let world = ScriptedWorld::new().await;
    let edit = |hour: u64| -> ScriptedEvent {
        let sandbox = Arc::clone(&world.sandbox);
        let close = move || {
            sandbox.edit(LEAD, |record| record["status"] = "CLOSED".into());
        };
        (minutes(60 * hour - 1), Box::new(close))
    };
    let events = (1..=30).map(edit).collect();
    let words = "--begin live --drift revert --every 1h --poll 1h";
    let ran = world.run(words, minutes(60 * 28 + 5), events).await;
    let hours = ran.passes.iter().filter(|(_, result)| *result == "changed");
    let hours: Vec<u64> = hours.map(|(second, _)| second / 3600).collect();
    assert_eq!(hours, [1, 2, 3, 27, 28], "and again a day after the third");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_passes_leave_no_files() {
    let world = ScriptedWorld::new().await;
    let words = "--begin live --every 15m --poll 15m";
    world.run(words, Duration::ZERO, Vec::new()).await;
    let files = || {
        let folder = std::fs::read_dir(world.folder.path().join(".convertalk"));
        folder.expect("a folder").count()
    };
    let before = files();
    let ran = world
        .run("--every 15m --poll 15m", minutes(15 * 999), Vec::new())
        .await;
    let ok = ran.passes.iter().filter(|(_, result)| *result == "ok");
    assert_eq!(ok.count(), ran.passes.len());
    assert!(ran.passes.len() >= 990, "{}", ran.passes.len());
    assert_eq!(files(), before);
}
