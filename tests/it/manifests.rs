//! The manifests for Kubernetes and the units of systemd: locked down, and one writer for each inbox.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

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
