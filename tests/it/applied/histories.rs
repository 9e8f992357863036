//! Histories: commits, reverts, rewinds, agents' edits, selections, kills and runs in any order, against an oracle that knows of each lead
//! only the value that it was last settled with.

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
}

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
        let world = World::new(&live, "--slow 40ms --fault slow@write=60%");
        git_init(&world);
        let mut history = Self {
            world,
            files: [0; LEADS],
            declared: BTreeMap::new(),
            branch: Vec::new(),
            settled: [0; LEADS],
            live: [0; LEADS],
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
        for lead in leads {
            let writes = match self.verdict(*lead) {
                Verdict::InSync | Verdict::Drift => false,
                Verdict::Intended => true,
                Verdict::Conflict => conflicts == Some(true),
            };
            if writes {
                self.live[*lead] = self.files[*lead];
            }
            self.settled[*lead] = self.files[*lead];
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
        cases: 12,
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
