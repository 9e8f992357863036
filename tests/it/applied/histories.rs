//! Histories: commits, reverts, rewinds, agents' edits, selections, kills, faults, undos and runs in any order, against an oracle that knows
//! of each lead only the value that it was last settled with.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value as Json;

use super::{agent_sets, applied, commit_of, git_init, status};
use crate::base::git;
use crate::world::{RAHUL, World, record, uuid};

const LEADS: usize = 4;
const STATUSES: [&str; 4] = ["OPEN", "REVIEW", "ONHOLD", "CLOSED"];

/// What happens.
#[derive(Debug, Clone)]
enum Step {
    /// A commit that gives a lead a status.
    Commit(usize, usize),
    /// The commit before the last one comes back as a new one.
    Revert,
    /// The branch is set back by one commit.
    Rewind,
    /// An agent sets the status of a lead.
    Agent(usize, usize),
    /// A run, of one lead or of all.
    Apply(Option<usize>),
    /// A run that decides conflicts for the files.
    TakeFile,
    /// A run that decides conflicts for the inbox.
    TakeLive,
    /// A plan is saved, an agent sets a status, and the plan is applied.
    Saved(usize, usize),
    /// A run is killed after some milliseconds, and run again.
    Kill(u64),
    /// A run while the platform takes no write.
    Fault,
    /// The last run is undone.
    Undo,
}

/// A platform that is slow, and at times loses a request or an answer.
const FLAGS: &str =
    "--slow 40ms --fault slow@write=60% --fault 503@write:2,6,11 --fault drop-after@write:4,9";

fn step() -> impl Strategy<Value = Step> {
    let (lead, status) = (0..LEADS, 0..STATUSES.len());
    prop_oneof![
        5 => (lead.clone(), status.clone()).prop_map(|(lead, status)| Step::Commit(lead, status)),
        1 => Just(Step::Revert),
        1 => Just(Step::Rewind),
        4 => (lead.clone(), status.clone()).prop_map(|(lead, status)| Step::Agent(lead, status)),
        4 => Just(Step::Apply(None)),
        2 => lead.clone().prop_map(|lead| Step::Apply(Some(lead))),
        1 => Just(Step::TakeFile),
        1 => Just(Step::TakeLive),
        1 => (lead, status).prop_map(|(lead, status)| Step::Saved(lead, status)),
        1 => (0..250u64).prop_map(Step::Kill),
        1 => Just(Step::Fault),
        2 => Just(Step::Undo),
    ]
}

type Statuses = [usize; LEADS];

/// The world and what must be so in it.
struct History {
    world: World,
    files: Statuses,
    /// Every commit and what it declares, and the branch.
    declared: BTreeMap<String, Statuses>,
    branch: Vec<String>,
    /// The oracle: the value that each lead was last settled with, and what the inbox has.
    settled: Statuses,
    live: Statuses,
    /// What the last run wrote: each lead, and its values before and after. `None` where that is not known, or there was none.
    last_run: Option<Vec<(usize, usize, usize)>>,
}

/// What the oracle says of a lead.
#[derive(PartialEq)]
enum Verdict {
    InSync,
    Drift,
    Intended,
    Conflict,
}

impl History {
    fn new() -> Self {
        let live: Vec<Json> = (1..=LEADS)
            .map(|number| record(number, "OPEN", Some(RAHUL), &[]))
            .collect();
        let world = World::new(&live, FLAGS);
        git_init(&world);
        let mut history = Self {
            world,
            files: [0; LEADS],
            declared: BTreeMap::new(),
            branch: Vec::new(),
            settled: [0; LEADS],
            live: [0; LEADS],
            last_run: None,
        };
        history.commit([0; LEADS]);
        history
            .world
            .run("apply --yes --base applied --begin live")
            .exits(0);
        history
    }

    fn commit(&mut self, files: Statuses) {
        if self
            .branch
            .last()
            .and_then(|commit| self.declared.get(commit))
            == Some(&files)
        {
            return;
        }
        let words = files.map(|status| STATUSES[status]);
        let commit = commit_of(&self.world, &words);
        self.declared.insert(commit.clone(), files);
        self.branch.push(commit);
        self.files = files;
    }

    fn verdict(&self, lead: usize) -> Verdict {
        let (base, file, live) = (self.settled[lead], self.files[lead], self.live[lead]);
        if live == file {
            Verdict::InSync
        } else if base == file {
            Verdict::Drift
        } else if base == live {
            Verdict::Intended
        } else {
            Verdict::Conflict
        }
    }

    /// A run of some leads, and what it must come to.
    fn apply(&mut self, leads: &[usize], flags: &str, conflicts: Option<bool>) {
        let only: String = leads
            .iter()
            .filter(|_| leads.len() < LEADS)
            .map(|lead| format!(" --only {}", uuid(lead + 1)))
            .collect();
        let ran = self.world.run(&format!(
            "apply --yes --base applied --allow rewind{only}{flags}"
        ));
        let is_conflict = |lead: &&usize| self.verdict(**lead) == Verdict::Conflict;
        if conflicts.is_none() && leads.iter().any(|lead| is_conflict(&lead)) {
            ran.exits(3);
            return;
        }
        ran.exits(0);
        let mut written = Vec::new();
        for lead in leads {
            let writes = match self.verdict(*lead) {
                Verdict::InSync | Verdict::Drift => false,
                Verdict::Intended => true,
                Verdict::Conflict => conflicts == Some(true),
            };
            if writes {
                written.push((*lead, self.live[*lead], self.files[*lead]));
                self.live[*lead] = self.files[*lead];
            }
            self.settled[*lead] = self.files[*lead];
        }
        if !written.is_empty() {
            self.last_run = Some(written);
        }
    }

    /// A run that no write of succeeds: what is intended stays so.
    fn fault(&mut self) {
        self.world.becomes("--fault 503@write=100%");
        let words = "apply --yes --base applied --allow rewind --deadline 1s";
        let ran = self.world.run(words);
        self.world.becomes(FLAGS);
        let verdicts: Vec<Verdict> = (0..LEADS).map(|lead| self.verdict(lead)).collect();
        if verdicts.contains(&Verdict::Conflict) {
            ran.exits(3);
            return;
        }
        let has_intent = verdicts.contains(&Verdict::Intended);
        ran.exits(if has_intent { 5 } else { 0 });
        for (lead, verdict) in verdicts.iter().enumerate() {
            if *verdict != Verdict::Intended {
                self.settled[lead] = self.files[lead];
            }
        }
        if has_intent {
            self.last_run = None;
        }
    }

    /// What the last run wrote is as it was before, but where it has changed since. The record stays.
    fn undo(&mut self) {
        let Some(written) = self.last_run.take() else {
            return;
        };
        self.world.run("undo last --yes");
        for (lead, before, after) in written {
            if self.live[lead] == after {
                self.live[lead] = before;
            }
        }
    }

    fn agent(&mut self, lead: usize, status: usize) {
        agent_sets(&self.world, lead + 1, STATUSES[status]);
        self.live[lead] = status;
    }

    fn saved(&mut self, lead: usize, status: usize) {
        let all: Vec<usize> = (0..LEADS).collect();
        if all
            .iter()
            .any(|lead| self.verdict(*lead) == Verdict::Conflict)
        {
            return;
        }
        self.world
            .run("plan --base applied --allow rewind --out plan.json")
            .exits(0);
        let planned: Vec<Verdict> = all.iter().map(|lead| self.verdict(*lead)).collect();
        self.agent(lead, status);
        let ran = self.world.run("apply plan.json --yes --allow rewind");
        let mut is_stale = false;
        for (lead, planned) in planned.iter().enumerate() {
            let moved =
                self.live[lead] != self.settled[lead] && self.live[lead] != self.files[lead];
            if *planned == Verdict::Intended && moved {
                is_stale = true;
                continue;
            }
            if *planned == Verdict::Intended {
                self.live[lead] = self.files[lead];
            }
            self.settled[lead] = self.files[lead];
        }
        ran.exits(if is_stale { 4 } else { 0 });
        self.last_run = None;
    }

    /// A run that is killed. The next one, with nothing in between, ends as the first one would have.
    fn kill(&mut self, after: u64) {
        let all: Vec<usize> = (0..LEADS).collect();
        if all
            .iter()
            .any(|lead| self.verdict(*lead) == Verdict::Conflict)
        {
            return;
        }
        let words = ["apply", "--yes", "--base", "applied", "--allow", "rewind"];
        let mut child = self
            .world
            .command(&words)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        std::thread::sleep(Duration::from_millis(after));
        child.kill().expect("killed, or over");
        child.wait().expect("over");
        // What was sent before the kill may be done after it.
        std::thread::sleep(Duration::from_millis(80));
        self.apply(&all, "", None);
        self.last_run = None;
    }

    fn step(&mut self, step: &Step) {
        let all: Vec<usize> = (0..LEADS).collect();
        match *step {
            Step::Commit(lead, status) => {
                let mut files = self.files;
                files[lead] = status;
                self.commit(files);
            }
            Step::Revert => {
                if let Some(before) = self.branch.iter().rev().nth(1) {
                    self.commit(self.declared[before]);
                }
            }
            Step::Rewind => {
                if self.branch.len() > 1 {
                    git(&self.world, "reset -q --hard HEAD~1");
                    self.branch.pop();
                    self.files = self.declared[&self.branch[self.branch.len() - 1]];
                }
            }
            Step::Agent(lead, status) => self.agent(lead, status),
            Step::Apply(None) => self.apply(&all, "", None),
            Step::Apply(Some(lead)) => self.apply(&[lead], "", None),
            Step::TakeFile => self.apply(&all, " --conflicts take-file", Some(true)),
            Step::TakeLive => self.apply(&all, " --conflicts take-live", Some(false)),
            Step::Saved(lead, status) => self.saved(lead, status),
            Step::Kill(after) => self.kill(after),
            Step::Fault => self.fault(),
            Step::Undo => self.undo(),
        }
    }

    /// The inbox and the record are as the oracle says.
    fn agrees(&self) -> Result<(), TestCaseError> {
        let record = applied(&self.world);
        for lead in 0..LEADS {
            prop_assert_eq!(
                &status(&self.world, lead + 1),
                STATUSES[self.live[lead]],
                "the inbox, lead {}",
                lead
            );
            let behind = &record["behind"][uuid(lead + 1)];
            let commit = if behind.is_null() {
                &record["commit"]
            } else {
                &behind["commit"]
            };
            let commit = commit.as_str().expect("a commit");
            prop_assert_eq!(
                self.declared[commit][lead],
                self.settled[lead],
                "the record, lead {}",
                lead
            );
        }
        Ok(())
    }
}

#[test]
fn each_edit_is_written_once_and_no_agents_edit_to_a_settled_lead_is_lost() {
    let config = Config {
        cases: 16,
        failure_persistence: None,
        ..Config::default()
    };
    let steps = prop::collection::vec(step(), 4..14);
    TestRunner::new(config)
        .run(&steps, |steps| {
            let mut history = History::new();
            for step in &steps {
                history.step(step);
                history.agrees()?;
            }
            Ok(())
        })
        .expect("every history agrees with the oracle");
}
