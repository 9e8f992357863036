//! The manifests for Kubernetes and the units of systemd: locked down, and one writer for each inbox.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::base::git_in;
use crate::world::{BOT, CUSTOMER, program, record, uuid};

fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(path)
}

fn manifest(path: &str) -> Json {
    let path = example("kubernetes").join(path);
    let text = std::fs::read_to_string(&path).expect("a manifest");
    serde_yaml::from_str(&text).expect("YAML")
}

/// Each workload with its pod.
fn pods() -> Vec<(&'static str, Json)> {
    let places = [
        ("watch/deployment.yaml", "/spec/template/spec"),
        ("once/cronjob.yaml", "/spec/jobTemplate/spec/template/spec"),
        ("fleet/job.yaml", "/spec/template/spec"),
    ];
    let pod = |(file, place): (&'static str, &str)| {
        let pod = manifest(file).pointer(place).cloned();
        (file, pod.expect("a pod"))
    };
    places.into_iter().map(pod).collect()
}

fn containers(pod: &Json) -> Vec<&Json> {
    let lists = ["initContainers", "containers"]
        .iter()
        .filter_map(|key| pod[*key].as_array());
    lists.flatten().collect()
}

#[test]
fn every_container_is_locked_down_as_the_restricted_standard_asks() {
    for (file, pod) in pods() {
        assert_eq!(pod["automountServiceAccountToken"], false, "{file}");
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{file}");
        assert_eq!(
            pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault",
            "{file}"
        );
        let containers = containers(&pod);
        assert!(!containers.is_empty(), "{file}");
        for container in containers {
            let rights = &container["securityContext"];
            assert_eq!(rights["allowPrivilegeEscalation"], false, "{file}");
            assert_eq!(rights["readOnlyRootFilesystem"], true, "{file}");
            assert_eq!(
                rights["capabilities"]["drop"],
                serde_json::json!(["ALL"]),
                "{file}"
            );
            assert!(
                container["resources"]["limits"]["memory"].is_string(),
                "{file}"
            );
        }
    }
}

#[test]
fn every_mount_is_of_a_volume_that_is_there_and_the_work_is_kept() {
    for (file, pod) in pods() {
        let volumes = pod["volumes"].as_array().expect("volumes");
        for container in containers(&pod) {
            for mount in container["volumeMounts"].as_array().expect("mounts") {
                let has = volumes.iter().any(|volume| volume["name"] == mount["name"]);
                assert!(has, "{file}: {mount}");
            }
        }
        let work = volumes.iter().find(|volume| volume["name"] == "work");
        let claim = &work.expect("a volume")["persistentVolumeClaim"]["claimName"];
        let folder = Path::new(file).parent().expect("a folder");
        let volume = manifest(folder.join("volume.yaml").to_str().expect("UTF-8"));
        assert_eq!(*claim, volume["metadata"]["name"], "{file}");
    }
}

#[test]
fn an_inbox_has_one_writer() {
    let deployment = manifest("watch/deployment.yaml");
    assert_eq!(deployment["spec"]["replicas"], 1);
    assert_eq!(deployment["spec"]["strategy"]["type"], "Recreate");
    assert_eq!(
        manifest("once/cronjob.yaml")["spec"]["concurrencyPolicy"],
        "Forbid"
    );
    let job = manifest("fleet/job.yaml");
    assert_eq!(job["spec"]["completionMode"], "Indexed");
    let shards = job
        .pointer("/spec/template/spec/containers/0/env")
        .and_then(Json::as_array);
    let shards = shards
        .expect("variables")
        .iter()
        .find(|variable| variable["name"] == "SHARDS");
    let shards = shards
        .and_then(|shards| shards["value"].as_str())
        .expect("a number");
    assert_eq!(job["spec"]["completions"].to_string(), shards);
    let unit = |name: &str| std::fs::read_to_string(example("systemd").join(name)).expect("a unit");
    assert!(unit("convertalk-watch@.service").contains("\nConflicts=convertalk-once@%i.service"));
    assert!(unit("convertalk-once@.service").contains("\nConflicts=convertalk-watch@%i.service"));
}

#[test]
fn probes_ask_the_port_that_the_loop_listens_on() {
    let deployment = manifest("watch/deployment.yaml");
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    let port = &container["ports"][0];
    let args = container["args"].as_array().expect("arguments");
    let listens = args
        .iter()
        .filter_map(Json::as_str)
        .find_map(|word| word.strip_prefix("--listen=0.0.0.0:"));
    assert_eq!(listens, Some(port["containerPort"].to_string().as_str()));
    assert_eq!(container["livenessProbe"]["httpGet"]["path"], "/healthz");
    assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/readyz");
    for probe in ["livenessProbe", "readinessProbe"] {
        assert_eq!(container[probe]["httpGet"]["port"], port["name"], "{probe}");
    }
}

/// The arguments that containers and units give to the program.
fn command_lines() -> Vec<Vec<String>> {
    let mut lines = Vec::new();
    for (_, pod) in pods() {
        for container in containers(&pod) {
            if container["command"].is_null() {
                let args = container["args"].as_array().expect("arguments").iter();
                lines.push(
                    args.map(|word| word.as_str().expect("text").to_owned())
                        .collect(),
                );
            }
        }
    }
    for unit in ["convertalk-watch@.service", "convertalk-once@.service"] {
        let text = std::fs::read_to_string(example("systemd").join(unit)).expect("a unit");
        let start = text
            .lines()
            .find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/convertalk "));
        let words = start.expect("a command").split(' ');
        lines.push(words.map(str::to_owned).collect());
    }
    lines
}

#[test]
fn the_program_takes_every_command_line() {
    let lines = command_lines();
    assert_eq!(lines.len(), 4);
    for line in &lines {
        let mut words: Vec<&str> = line.iter().map(String::as_str).collect();
        words.push("--help");
        let output = program(&words).output().expect("the program runs");
        assert!(
            output.status.success(),
            "{line:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let wrong = program(&["watch", "--evry=15m", "--help"])
        .output()
        .expect("the program runs");
    assert!(
        !wrong.status.success(),
        "--help does not hide an unknown flag"
    );
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    std::fs::write(path, text).expect("a file");
}

/// Runs the script of the Indexed Job as the first of one shard; its exit code and what it printed.
fn fleet(work: &Path, repository: &Path) -> (i32, String) {
    let ours = Path::new(env!("CARGO_BIN_EXE_convertalk"))
        .parent()
        .expect("a folder");
    let path = format!(
        "{}:{}",
        ours.display(),
        std::env::var("PATH").expect("PATH")
    );
    let output = std::process::Command::new("bash")
        .arg(example("kubernetes/fleet/fleet.sh"))
        .current_dir(work)
        .env_clear()
        .env("PATH", path)
        .env("HOME", work)
        .env("REPOSITORY", repository)
        .env("REF", "origin/main")
        .env("SHARDS", "1")
        .env("JOB_COMPLETION_INDEX", "0")
        .output()
        .expect("bash runs");
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap_or(-1), text.into_owned())
}

#[test]
fn the_indexed_job_makes_a_pass_of_each_workspace_and_ends_with_the_worst() {
    if std::process::Command::new("jq")
        .arg("--version")
        .output()
        .is_err()
    {
        assert!(std::env::var_os("CI").is_none(), "the script needs jq");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (origin, clone, work) = (
        folder.path().join("origin.git"),
        folder.path().join("clone"),
        folder.path().join("work"),
    );
    std::fs::create_dir(&work).expect("a folder");
    git_in(
        folder.path(),
        &["init", "-q", "--bare", "-b", "main", "origin.git"],
    );
    git_in(folder.path(), &["clone", "-q", "origin.git", "clone"]);
    git_in(&clone, &["checkout", "-q", "-b", "main"]);
    let config = |workspace: &str, more: &str| {
        let text = format!(
            "version: 1\napi: {{ endpoint: sandbox, bot_id: {BOT}, customer_id: {CUSTOMER}, seed: seed.json }}\n{more}"
        );
        write(&clone.join(workspace).join("convertalk.yaml"), &text);
    };
    let declare = |workspace: &str, status: &str| {
        let text = format!(
            "version: 1\nleads:\n  {}: {{ status: {status} }}\n",
            uuid(1)
        );
        write(&clone.join(workspace).join("leads/all.yaml"), &text);
    };
    let push = |message: &str| {
        git_in(&clone, &["add", "."]);
        git_in(&clone, &["commit", "-q", "-m", message]);
        git_in(&clone, &["push", "-q", "origin", "main"]);
    };
    for workspace in ["eu", "us"] {
        config(workspace, "");
        declare(workspace, "OPEN");
        let seed = serde_json::to_string(&[record(1, "OPEN", None, &[])]).expect("JSON");
        write(&clone.join(workspace).join("seed.json"), &seed);
    }
    push("both");
    let (code, text) = fleet(&work, &origin);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("== eu\n") && text.contains("== us\n"),
        "{text}"
    );

    declare("eu", "CLOSED");
    declare("us", "CLOSED");
    config("us", "policy: { max_changes: 0 }\n");
    push("close");
    let (code, text) = fleet(&work, &origin);
    assert_eq!(code, 3, "{text}");
    let runs = |workspace: &str| {
        let runs = work
            .join("shard-0")
            .join(workspace)
            .join(".convertalk/runs");
        std::fs::read_dir(runs).map_or(0, Iterator::count)
    };
    assert_eq!((runs("eu"), runs("us")), (1, 0), "{text}");
    let (code, text) = fleet(&work, &work.join("nowhere"));
    assert_eq!(code, 3, "the clone is used again: {text}");
}
