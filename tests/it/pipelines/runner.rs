//! A small runner of pipelines: takes the scripts of a job out of its file and runs them with bash, in a world with a repository.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value as Json;
use serde_yaml::Value as Yaml;

use crate::world::{Ran, TOKEN, World, record, uuid};

/// What both kinds of pipeline have as the token of a job.
const JOB_TOKEN: &str = "a-token-of-the-job";

/// A script of a job, and what it is given.
pub(super) struct Step {
    pub(super) name: String,
    pub(super) script: String,
    id: String,
    always: bool,
    env: BTreeMap<String, String>,
}

fn text(yaml: &Yaml, key: &str) -> String {
    yaml[key].as_str().unwrap_or_default().to_owned()
}

fn pairs(yaml: &Yaml) -> BTreeMap<String, String> {
    let Some(mapping) = yaml.as_mapping() else {
        return BTreeMap::new();
    };
    mapping
        .iter()
        .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value.as_str()?.to_owned())))
        .collect()
}

/// The jobs of a file with their scripts, by their names.
pub(super) fn jobs(file: &str) -> BTreeMap<String, Vec<Step>> {
    let read = std::fs::read_to_string(file).expect("a pipeline");
    let yaml: Yaml = serde_yaml::from_str(&read).expect("YAML");
    let mut jobs = BTreeMap::new();
    for (name, job) in yaml["jobs"].as_mapping().into_iter().flatten() {
        let step = |step: &Yaml| {
            let mut env = pairs(&yaml["env"]);
            env.extend(pairs(&step["env"]));
            let always = step["if"].as_str() == Some("always()");
            Step {
                name: text(step, "name"),
                script: text(step, "run"),
                id: text(step, "id"),
                always,
                env,
            }
        };
        let steps = job["steps"].as_sequence().expect("steps").iter().map(step);
        let steps = steps.filter(|step| !step.script.is_empty());
        jobs.insert(name.as_str().expect("a name").to_owned(), steps.collect());
    }
    for (name, job) in yaml.as_mapping().into_iter().flatten() {
        let Some(lines) = job.get("script").and_then(Yaml::as_sequence) else {
            continue;
        };
        let script: Vec<&str> = lines.iter().filter_map(Yaml::as_str).collect();
        let name = name.as_str().expect("a name").to_owned();
        let step = Step {
            name: name.clone(),
            script: script.join("\n"),
            id: String::new(),
            always: false,
            env: pairs(&yaml["variables"]),
        };
        jobs.insert(name, vec![step]);
    }
    jobs
}

/// A repository with a workspace, an inbox, and what a forge keeps.
pub(super) struct Forge {
    pub(super) world: World,
    kept: tempfile::TempDir,
}

/// What a job came to.
pub(super) struct Done {
    /// The exit code of the first script that failed, or 0.
    pub(super) exit: i32,
    pub(super) log: String,
}

impl Forge {
    /// Three open leads, and files that say so, committed and pushed to main. `None` where there is no jq to run the scripts with.
    pub(super) fn new() -> Option<Self> {
        Self::with(3, "")
    }

    /// The same with more open leads, of which the files declare three, and flags of the sandbox.
    #[allow(
        clippy::print_stderr,
        reason = "a person who runs the tests sees why some had nothing to do"
    )]
    pub(super) fn with(leads: usize, flags: &str) -> Option<Self> {
        if Command::new("jq").arg("--version").output().is_err() {
            assert!(
                std::env::var_os("CI").is_none(),
                "the pipelines' scripts need jq"
            );
            eprintln!("not run: the pipelines' scripts need jq");
            return None;
        }
        let world = World::new(
            &(1..=leads)
                .map(|number| record(number, "OPEN", None, &[]))
                .collect::<Vec<_>>(),
            flags,
        );
        let forge = Self {
            world,
            kept: tempfile::tempdir().expect("a folder"),
        };
        for list in [
            "comments",
            "issues",
            "runs",
            "notes",
            "deployments",
            "records",
        ] {
            forge.keep(list, &Json::Array(Vec::new()));
        }
        forge.git("init --quiet --initial-branch main .");
        forge.declare(["OPEN", "OPEN", "OPEN"]);
        let commit = forge.commit();
        forge.git(&format!("update-ref refs/remotes/origin/main {commit}"));
        Some(forge)
    }

    /// What the files say of the status of the leads 1, 2 and 3.
    pub(super) fn declare(&self, statuses: [&str; 3]) {
        let lead =
            |(at, status): (usize, &str)| format!("  {}: {{ status: {status} }}\n", uuid(at + 1));
        self.world.declare(
            &statuses
                .into_iter()
                .enumerate()
                .map(lead)
                .collect::<String>(),
        );
    }

    pub(super) fn status(&self, number: usize) -> Json {
        self.world.sandbox().records()[&uuid(number)]["status"].clone()
    }

    pub(super) fn git(&self, words: &str) -> String {
        let mut command = Command::new("git");
        command.current_dir(self.world.path(".")).args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
        ]);
        let output = command.args(words.split(' ')).output().expect("git runs");
        assert!(
            output.status.success(),
            "git {words}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout)
            .expect("text")
            .trim()
            .to_owned()
    }

    pub(super) fn commit(&self) -> String {
        self.git("add convertalk.yaml leads");
        self.git("commit --quiet --allow-empty --message files");
        self.git("rev-parse HEAD")
    }

    /// The outputs of the last step.
    pub(super) fn output(&self) -> PathBuf {
        self.list("output")
    }

    fn list(&self, name: &str) -> PathBuf {
        self.kept.path().join(name)
    }

    pub(super) fn keep(&self, list: &str, json: &Json) {
        std::fs::write(self.list(list), json.to_string()).expect("a file");
    }

    pub(super) fn kept(&self, list: &str) -> Vec<Json> {
        serde_json::from_slice(&std::fs::read(self.list(list)).expect("a file")).expect("a list")
    }

    /// The job's own folder, new for each.
    pub(super) fn temp(&self) -> PathBuf {
        self.list("temp")
    }

    pub(super) fn artifact(&self, run: u32, name: &str) -> PathBuf {
        let folder = self.list("artifacts").join(run.to_string()).join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    pub(super) fn summary(&self) -> String {
        std::fs::read_to_string(self.list("summary")).unwrap_or_default()
    }

    /// Runs a job as a runner does: step after step, until one fails, and from then on those that always run.
    pub(super) fn run(
        &self,
        file: &str,
        job: &str,
        context: &[(&str, &str)],
        env: &[(&str, &str)],
    ) -> Done {
        let _none_yet = std::fs::remove_dir_all(self.temp());
        let _none_yet = std::fs::remove_file(self.list("summary"));
        std::fs::create_dir(self.temp()).expect("a folder");
        let mut known: BTreeMap<String, String> = context
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        known.insert("github.token".to_owned(), JOB_TOKEN.to_owned());
        let mut done = Done {
            exit: 0,
            log: String::new(),
        };
        for step in jobs(file).remove(job).expect("a job") {
            if done.exit == 0 || step.always {
                let output = self.list("output");
                std::fs::write(&output, "").expect("a file");
                let ran = self.step(&step, &known, env);
                done.log
                    .push_str(&format!("== {}\n{}{}", step.name, ran.out, ran.err));
                done.exit = if done.exit == 0 { ran.exit } else { done.exit };
                for line in std::fs::read_to_string(&output).expect("a file").lines() {
                    let (key, value) = line.split_once('=').expect("an output");
                    known.insert(format!("steps.{}.outputs.{key}", step.id), value.to_owned());
                }
            }
        }
        done
    }

    fn step(&self, step: &Step, known: &BTreeMap<String, String>, env: &[(&str, &str)]) -> Ran {
        let mut command = self.command(step, known, env);
        self.world.ran(command.output().expect("bash runs"))
    }

    /// Cancels a step as soon as it has written to the inbox: as GitHub does, with a signal to the shell and to no other process.
    pub(super) fn cancelled(&self, file: &str, job: &str, name: &str, env: &[(&str, &str)]) -> Ran {
        std::fs::create_dir_all(self.temp().join("record")).expect("a folder");
        let steps = jobs(file).remove(job).expect("a job");
        let step = steps.into_iter().find(|step| step.name == name);
        let known = [READS, WRITES, ("inputs.begin", "files")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut command = self.command(&step.expect("a step"), &known.into(), env);
        command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        let mut shell = command.spawn().expect("bash runs");
        while self.world.puts().len() < 2 {
            let ended = shell.try_wait().expect("bash runs");
            assert_eq!(ended, None, "it ended before it wrote");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let signal = Command::new("kill")
            .args(["-INT", &shell.id().to_string()])
            .status();
        assert!(signal.expect("kill runs").success());
        self.world.ran(shell.wait_with_output().expect("bash ends"))
    }

    fn command(
        &self,
        step: &Step,
        known: &BTreeMap<String, String>,
        env: &[(&str, &str)],
    ) -> Command {
        let script = self.list("script.sh");
        std::fs::write(&script, &step.script).expect("a script");
        let ours = std::path::Path::new(env!("CARGO_BIN_EXE_convertalk"))
            .parent()
            .expect("a folder");
        let stands_in =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/pipelines/bin");
        let path = std::env::var("PATH").expect("a path");
        let mut command = Command::new("bash");
        command
            .args(["--noprofile", "--norc", "-eo", "pipefail"])
            .arg(&script)
            .current_dir(self.world.path("."));
        command.env_clear().env(
            "PATH",
            format!("{}:{}:{path}", stands_in.display(), ours.display()),
        );
        command
            .env("HOME", self.kept.path())
            .env("FORGE", self.kept.path())
            .env("RUNNER_TEMP", self.temp());
        command
            .env("GITHUB_OUTPUT", self.list("output"))
            .env("GITHUB_STEP_SUMMARY", self.list("summary"));
        command
            .env("GITHUB_REPOSITORY", "acme/leads")
            .env("GITHUB_WORKSPACE", self.world.path("."))
            .env("GITHUB_SERVER_URL", "https://github.example")
            .env("CI_PROJECT_DIR", self.world.path("."))
            .envs(env.iter().copied());
        for (name, value) in &step.env {
            let value = match value
                .strip_prefix("${{ ")
                .and_then(|value| value.strip_suffix(" }}"))
            {
                Some(expression) => known.get(expression).cloned().unwrap_or_default(),
                None => value.clone(),
            };
            command.env(name, value);
        }
        if let Some(endpoint) = step.env.get("CONVERTALK_ENDPOINT") {
            assert_eq!(endpoint, "https://api.v7.convertalk.com");
        }
        command
            .env("CONVERTALK_ENDPOINT", self.world.sandbox().url())
            .stdin(std::process::Stdio::null());
        command
    }
}

/// The secrets of the environment that may read.
pub(super) const READS: (&str, &str) = ("secrets.CONVERTALK_READ_TOKEN", TOKEN);
/// The secret of the environment that may write.
pub(super) const WRITES: (&str, &str) = ("secrets.CONVERTALK_WRITE_TOKEN", TOKEN);
