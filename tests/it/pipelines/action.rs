//! The script of action.yml, against a release in a folder.

use std::path::Path;
use std::process::Command;

use crate::world::Ran;

const NAME: &str = "convertalk-x86_64-unknown-linux-musl";

/// A release in a folder, and a runner that finds it by what stands in for curl and gh.
struct Runner(tempfile::TempDir);

impl Runner {
    fn new() -> Self {
        let runner = Self(tempfile::tempdir().expect("a folder"));
        runner.shell(&format!(
            "mkdir -p bin temp release/{NAME}
             printf '#!/bin/sh\\necho convertalk 0.1.0\\n' > release/{NAME}/convertalk
             printf '#!/bin/sh\\nfor word; do last=$word; done\\ncase $last in */v0.1.0/*) ;; *) exit 22 ;; esac\\ncp \"$RELEASE/${{last##*/}}\" .\\n' > bin/curl
             printf '#!/bin/sh\\necho \"$@\" > \"$RELEASE/gh\"\\n' > bin/gh
             chmod +x bin/* release/{NAME}/convertalk
             cd release && tar -czf {NAME}.tar.gz {NAME} && sha256sum {NAME}.tar.gz > SHA256SUMS"
        ));
        runner
    }

    fn shell(&self, script: &str) {
        let mut shell = Command::new("sh");
        shell.args(["-ec", script]).current_dir(self.0.path());
        assert!(shell.status().expect("sh runs").success(), "{script}");
    }

    fn install(&self, version: &str) -> Ran {
        let at = |file: &str| self.0.path().join(file);
        let path = std::env::var("PATH").expect("a path");
        let mut install = Command::new("bash");
        install
            .arg(".github/install.sh")
            .env("PATH", format!("{}:{path}", at("bin").display()))
            .env("RELEASE", at("release"))
            .env("RUNNER_TEMP", at("temp"))
            .env("GITHUB_PATH", at("path"))
            .env("GITHUB_OUTPUT", at("output"))
            .envs([("RUNNER_OS", "Linux"), ("RUNNER_ARCH", "X64")])
            .envs([("REPOSITORY", "convertalk/convertalk"), ("GH_TOKEN", "t")])
            .env("VERSION", version)
            .env("ACTION_PATH", env!("CARGO_MANIFEST_DIR"));
        Ran::of(install.output().expect("bash runs"))
    }

    fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.0.path().join(file)).unwrap_or_default()
    }
}

#[test]
fn a_release_is_verified_and_put_on_the_path() {
    let runner = Runner::new();
    runner.install("").exits(0);
    let path = runner.text("path");
    assert!(Path::new(path.trim()).join("convertalk").exists(), "{path}");
    assert_eq!(runner.text("output"), "version=0.1.0\n");
    let verified = runner.text("release/gh");
    assert!(verified.starts_with(&format!("attestation verify {NAME}.tar.gz --repo")));
}

#[test]
fn a_file_that_is_not_as_listed_is_not_installed() {
    let runner = Runner::new();
    runner.shell(&format!("echo more >> release/{NAME}.tar.gz"));
    let ran = runner.install("v0.1.0").exits(1);
    assert!(
        ran.out.contains("::error::") && ran.out.contains("SHA256SUMS"),
        "{}",
        ran.out
    );
    assert_eq!(runner.text("path"), "");
}

#[test]
fn a_file_whose_provenance_is_wrong_is_not_installed() {
    let runner = Runner::new();
    runner.shell("printf '#!/bin/sh\\nexit 1\\n' > bin/gh");
    let ran = runner.install("0.1.0").exits(1);
    assert!(ran.out.contains("provenance"), "{}", ran.out);
    assert_eq!(runner.text("path"), "");
}

#[test]
fn a_version_that_is_none_or_does_not_exist_is_an_error() {
    let runner = Runner::new();
    for version in ["latest", "0.1.0; touch owned", "../../x"] {
        let ran = runner.install(version).exits(1);
        assert!(ran.out.contains("is not a version"), "{}", ran.out);
    }
    assert!(
        runner
            .install("9.9.9")
            .exits(1)
            .out
            .contains("cannot be downloaded")
    );
}
