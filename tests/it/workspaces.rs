//! `convertalk workspaces`: the workspaces below a folder, which of them a commit changes, and their parts.

use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

use crate::world::{Ran, program};

const BOT: &str = "63d9ffa77a8d152facbe2f00";
const CONFIG: &str = "version: 1\napi: { endpoint: https://api.example.com, bot_id: 63d9ffa77a8d152facbe2f00, customer_id: 631aa793bcfa100487d13d01 }\n";

/// A folder with workspaces in it.
struct Fleet(tempfile::TempDir);

impl Fleet {
    fn new(dirs: &[&str]) -> Self {
        let fleet = Self(tempfile::tempdir().expect("a folder"));
        for dir in dirs {
            fleet.write(&format!("{dir}/convertalk.yaml"), CONFIG);
            fleet.write(&format!("{dir}/leads/all.yaml"), "version: 1\nleads: {}\n");
        }
        fleet
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file.trim_start_matches('/'));
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(path, text).expect("a file");
    }

    fn git(&self, words: &str) -> String {
        let mut command = Command::new("git");
        command.current_dir(self.path()).args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
        ]);
        let output = command.args(words.split(' ')).output().expect("git runs");
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {words}: {err}");
        String::from_utf8(output.stdout)
            .expect("text")
            .trim()
            .to_owned()
    }

    fn commit(&self) -> String {
        self.git("add --all");
        self.git("commit --quiet --message files");
        self.git("rev-parse HEAD")
    }

    fn repository(dirs: &[&str]) -> (Self, String) {
        let fleet = Self::new(dirs);
        fleet.git("init --quiet --initial-branch main .");
        let base = fleet.commit();
        (fleet, base)
    }

    fn run_with(&self, words: &str, env: &[(&str, &str)]) -> Ran {
        let words: Vec<&str> = ["workspaces"]
            .into_iter()
            .chain(words.split_whitespace())
            .collect();
        let mut command = program(&words);
        command.current_dir(self.path()).envs(env.iter().copied());
        Ran::of(command.output().expect("the program runs"))
    }

    fn run(&self, words: &str) -> Ran {
        self.run_with(words, &[])
    }

    fn listed(&self, words: &str) -> Vec<Json> {
        let json = self.run(&format!("{words} --format json")).exits(0).json();
        json["workspaces"].as_array().expect("a list").clone()
    }

    fn dirs(&self, words: &str) -> Vec<String> {
        let dir = |one: &Json| one["dir"].as_str().expect("a folder").to_owned();
        self.listed(words).iter().map(dir).collect()
    }

    fn changed(&self, base: &str) -> Vec<String> {
        self.dirs(&format!("--changed --base {base}"))
    }
}

#[test]
fn each_workspace_is_listed_in_order_with_its_name() {
    let fleet = Fleet::new(&["", "eu/berlin", "eu", "apac", ".hidden", "eu/.hidden/x"]);
    let listed = fleet.listed("");
    let pairs: Vec<(&str, &str)> = listed
        .iter()
        .filter_map(|one| Some((one["name"].as_str()?, one["dir"].as_str()?)))
        .collect();
    assert_eq!(
        pairs,
        [
            ("root", "."),
            ("apac", "apac"),
            ("eu", "eu"),
            ("eu-berlin", "eu/berlin")
        ]
    );
    assert_eq!(listed[0]["endpoint"], "https://api.example.com");
    assert_eq!(listed[0]["bot_id"], BOT);
    assert_eq!(fleet.dirs("-C eu"), [".", "berlin"]);
}

#[test]
fn the_list_is_as_its_schema_says() {
    let fleet = Fleet::new(&["a", "b"]);
    fleet.write(
        "b/convertalk.yaml",
        "version: 1\napi: { endpoint: ftp://x }\n",
    );
    let schema: Json = serde_json::from_str(
        &std::fs::read_to_string("schema/workspaces.schema.json").expect("a schema"),
    )
    .expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let json = fleet.run("--format json").exits(0).json();
    assert!(validator.is_valid(&json), "{json}");
}

#[cfg(unix)]
#[test]
fn linked_folders_are_skipped() {
    let fleet = Fleet::new(&["a"]);
    std::os::unix::fs::symlink(fleet.path().join("a"), fleet.path().join("b")).expect("a link");
    assert_eq!(fleet.dirs(""), ["a"]);
}

#[test]
fn a_broken_workspace_is_listed_with_its_error() {
    let fleet = Fleet::new(&["a", "b"]);
    fleet.write(
        "a/convertalk.yaml",
        "version: 1\napi:\n  endpoint: ftp://x\n",
    );
    let listed = fleet.listed("");
    let error = listed[0]["error"].as_str().expect("an error");
    assert!(error.starts_with("convertalk.yaml:3:13: "), "{error}");
    assert_eq!(listed[0]["endpoint"], Json::Null);
    assert_eq!(listed[1].get("error"), None);
    let text = fleet.run("").exits(0).out;
    assert!(
        text.contains("a     a    error: convertalk.yaml:3:13"),
        "{text}"
    );
}

#[test]
fn two_workspaces_of_one_name_are_an_error() {
    let fleet = Fleet::new(&["eu/berlin", "eu-berlin"]);
    let ran = fleet.run("").exits(1);
    let named = ran.err.contains("`eu-berlin` and `eu/berlin`");
    assert!(named, "{}", ran.err);
}

#[test]
fn a_matrix_is_one_line_and_says_whether_there_is_any() {
    let fleet = Fleet::new(&["a", "b\nc"]);
    let out = fleet.run("--format github").exits(0).out;
    let (matrix, any) = out.trim_end().split_once('\n').expect("two lines");
    let matrix: Json = serde_json::from_str(matrix.strip_prefix("matrix=").expect("a matrix"))
        .expect("JSON on one line");
    assert_eq!(matrix["include"][1]["dir"], "b\nc");
    assert_eq!(any, "any=true");
    let none = Fleet::new(&[]).run("--format github").exits(0).out;
    assert_eq!(none, "matrix={\"include\":[]}\nany=false\n");
}

#[test]
fn shards_are_parts_of_the_whole() {
    let dirs: Vec<String> = (0..20).map(|number| format!("team-{number:02}")).collect();
    let fleet = Fleet::new(&dirs.iter().map(String::as_str).collect::<Vec<_>>());
    let mut all: Vec<String> = (1..=3)
        .flat_map(|shard| fleet.dirs(&format!("--shard {shard}/3")))
        .collect();
    all.sort();
    assert_eq!(all, dirs);
    let second = fleet.dirs("--shard 2/3");
    fleet.write("another/convertalk.yaml", CONFIG);
    let after = fleet.dirs("--shard 2/3");
    assert!(second.iter().all(|dir| after.contains(dir)), "{after:?}");
    assert!(fleet.run("--shard 0/3").exits(1).err.contains("2/10"));
}

#[test]
fn a_workspace_file_a_lead_file_a_seed_and_a_test_count_as_changes() {
    let (fleet, base) = Fleet::repository(&["a", "b", "c", "d", "e"]);
    fleet.write("a/convertalk.yaml", &format!("{CONFIG}leads: []\n"));
    fleet.write("b/leads/new.yaml", "version: 1\nleads: {}\n");
    fleet.write("c/tests/policy.yaml", "version: 1\ntests: []\n");
    fleet.write("d/README.md", "about\n");
    fleet.write("e/seed.yaml", "[]\n");
    fleet.commit();
    assert_eq!(fleet.changed(&base), ["a", "b", "c"]);
}

#[test]
fn a_seed_changes_the_workspace_that_names_it() {
    let fleet = Fleet::new(&["a/inner"]);
    let seeded = CONFIG.replace("customer_id", "seed: ./inner/seed.yaml, customer_id");
    fleet.write("a/convertalk.yaml", &seeded);
    fleet.write("a/inner/seed.yaml", "[]\n");
    fleet.git("init --quiet --initial-branch main .");
    let base = fleet.commit();
    fleet.write("a/inner/seed.yaml", "[ ]\n");
    fleet.commit();
    assert_eq!(fleet.changed(&base), ["a"]);
}

#[test]
fn a_nested_workspace_owns_its_files() {
    let (fleet, base) = Fleet::repository(&["", "leads/nested"]);
    fleet.write("leads/nested/leads/all.yaml", "version: 1\nleads: { }\n");
    fleet.commit();
    assert_eq!(fleet.changed(&base), ["leads/nested"]);
}

#[test]
fn a_moved_file_changes_both_of_its_workspaces() {
    let (fleet, base) = Fleet::repository(&["a", "b", "c"]);
    fleet.git("mv a/leads/all.yaml b/leads/moved.yaml");
    fleet.git("mv c d");
    fleet.commit();
    assert_eq!(fleet.changed(&base), ["a", "b", "d"]);
}

#[test]
fn what_is_not_committed_is_no_change() {
    let (fleet, base) = Fleet::repository(&["a"]);
    fleet.write("a/leads/all.yaml", "version: 1\nleads: { }\n");
    assert!(fleet.changed(&base).is_empty());
}

#[cfg(unix)]
#[test]
fn files_behind_a_link_count_for_its_workspace() {
    let fleet = Fleet::new(&["b"]);
    fleet.write("a/convertalk.yaml", CONFIG);
    fleet.write("a/data/all.yaml", "version: 1\nleads: {}\n");
    std::os::unix::fs::symlink("data", fleet.path().join("a/leads")).expect("a link");
    fleet.git("init --quiet --initial-branch main .");
    let base = fleet.commit();
    fleet.write("a/data/all.yaml", "version: 1\nleads: { }\n");
    fleet.commit();
    assert_eq!(fleet.changed(&base), ["a"]);
}

#[test]
fn any_change_counts_in_a_broken_workspace() {
    let (fleet, base) = Fleet::repository(&["a"]);
    fleet.write("a/convertalk.yaml", "version: 2\n");
    let broken = fleet.commit();
    assert_eq!(fleet.changed(&base), ["a"]);
    fleet.write("a/other/leads.yaml", "version: 1\nleads: {}\n");
    fleet.commit();
    assert_eq!(fleet.changed(&broken), ["a"]);
}

#[test]
fn a_history_that_does_not_reach_the_base_is_an_error() {
    let (fleet, base) = Fleet::repository(&["a"]);
    fleet.write("a/leads/all.yaml", "version: 1\nleads: { }\n");
    fleet.commit();
    let origin = format!("file://{}", fleet.path().display());
    let shallow = Fleet(tempfile::tempdir().expect("a folder"));
    shallow.git(&format!("clone --quiet --depth 1 {origin} ."));
    let ran = shallow.run(&format!("--changed --base {base}")).exits(1);
    assert!(ran.err.contains("shallow"), "{}", ran.err);
    let outside = Fleet::new(&["a"]).run("--changed --base HEAD").exits(1);
    assert!(
        outside.err.contains("not in a git repository"),
        "{}",
        outside.err
    );
}

#[test]
fn changed_and_base_go_together() {
    let fleet = Fleet::new(&["a"]);
    assert!(fleet.run("--changed").exits(1).err.contains("--base"));
    assert!(fleet.run("--base HEAD").exits(1).err.contains("--changed"));
}

/// The target branch went on after the branch of the pull request began; the host merged both.
#[test]
fn auto_takes_the_merge_base_with_the_target() {
    let (fleet, _) = Fleet::repository(&["a", "b"]);
    fleet.git("checkout --quiet -b topic");
    fleet.write("a/leads/all.yaml", "version: 1\nleads: { }\n");
    fleet.commit();
    fleet.git("checkout --quiet main");
    fleet.write("b/leads/all.yaml", "version: 1\nleads: { }\n");
    let target = fleet.commit();
    fleet.git(&format!("update-ref refs/remotes/origin/main {target}"));
    fleet.git("merge --quiet --no-edit topic");
    let hosts: [&[(&str, &str)]; 3] = [
        &[("GITHUB_BASE_REF", "main")],
        &[("GITHUB_REF", "refs/heads/gh-readonly-queue/main/pr-5-0123")],
        &[
            ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
            ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "HEAD~1"),
        ],
    ];
    for env in hosts {
        let ran = fleet.run_with("--changed --base auto --format json", env);
        let json = ran.exits(0).json();
        let dirs: Vec<&Json> = json["workspaces"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| &one["dir"])
            .collect();
        assert_eq!(dirs, ["a"], "{env:?}");
    }
    let neither = fleet.run("--changed --base auto").exits(1);
    assert!(neither.err.contains("pull requests"), "{}", neither.err);
}

#[test]
fn a_submodule_that_differs_changes_the_workspaces_in_it_and_the_lead_files_behind_it() {
    let (inner, _) = Fleet::repository(&["", "berlin"]);
    let (fleet, _) = Fleet::repository(&["apac", "latam"]);
    let source = inner.path().display();
    for at in ["eu", "latam/leads/shared"] {
        fleet.git(&format!(
            "-c protocol.file.allow=always submodule --quiet add {source} {at}"
        ));
    }
    let base = fleet.commit();
    assert!(fleet.changed(&base).is_empty());
    inner.write("/leads/all.yaml", "version: 1\nleads: { }\n");
    inner.commit();
    fleet.git("-c protocol.file.allow=always submodule --quiet update --remote eu");
    let first = fleet.commit();
    assert_eq!(fleet.changed(&base), ["eu", "eu/berlin"]);
    fleet.git("-c protocol.file.allow=always submodule --quiet update --remote latam/leads/shared");
    fleet.commit();
    let changed = fleet.changed(&first);
    assert!(changed.contains(&"latam".to_owned()), "{changed:?}");
    let with = fleet.git("rev-parse HEAD");
    fleet.git("rm -rq latam/leads/shared");
    fleet.commit();
    assert_eq!(fleet.changed(&with), ["latam"]);
    assert!(!changed.contains(&"apac".to_owned()), "{changed:?}");
}

#[test]
fn a_workspace_that_comes_or_goes_changes_the_one_around_it() {
    let (fleet, base) = Fleet::repository(&["", "eu"]);
    fleet.write("/leads/nested/convertalk.yaml", CONFIG);
    fleet.write("/leads/nested/leads/a.yaml", "version: 1\nleads: {}\n");
    let with = fleet.commit();
    assert_eq!(fleet.changed(&base), [".", "leads/nested"]);
    fleet.write(
        "/leads/nested/convertalk.yaml",
        &CONFIG.replace("api.example", "api2.example"),
    );
    let edited = fleet.commit();
    assert_eq!(fleet.changed(&with), ["leads/nested"]);
    std::fs::remove_file(fleet.path().join("leads/nested/convertalk.yaml")).expect("a file");
    fleet.commit();
    assert_eq!(fleet.changed(&edited), ["."]);
}
