//! Tells one story: plan, apply, the requests, what changed in the inbox, and that a second plan is empty.

use std::fmt::Write;
use std::path::Path;

use crate::world::{World, effects};

pub(crate) fn tell(name: &str) {
    let story = Path::new("tests/scenarios").join(name);
    let folder = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(&story).expect("a story") {
        let path = entry.expect("an entry").path();
        let file = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name");
        match file {
            "convertalk.yaml" | "live.yaml" => {
                std::fs::copy(&path, folder.path().join(file)).expect("a copy");
            }
            lead if lead.ends_with(".yaml") => {
                std::fs::create_dir_all(folder.path().join("leads")).expect("a folder");
                std::fs::copy(&path, folder.path().join("leads").join(lead)).expect("a copy");
            }
            _ => {}
        }
    }
    let live = folder.path().join("live.yaml");
    let world = World::with_seed(folder, &live, "");
    let before = world.sandbox().records();

    let plan = world.run("plan --names full").exits(0);
    assert_eq!(
        world.run("plan --names full").out,
        plan.out,
        "equal input, equal bytes"
    );
    let printed = plan
        .out
        .replace(&world.sandbox().url(), "http://127.0.0.1:PORT");
    let mut told = format!("$ convertalk plan --names full\n{printed}\n");
    let apply = world.run("apply --yes").exits(0);
    let summary = apply.out.lines().last().unwrap_or_default();
    writeln!(told, "$ convertalk apply --yes\n…\n{summary}\n\nPUT").expect("text");
    for (uuid, bodies) in world.sent() {
        bodies
            .iter()
            .for_each(|body| writeln!(told, "{uuid} {body}").expect("text"));
    }
    writeln!(told, "\nIN THE INBOX").expect("text");
    for effect in effects(&before, &world.sandbox().records()) {
        writeln!(told, "{effect}").expect("text");
    }
    world.assert_settled();
    insta::with_settings!({ snapshot_path => std::env::current_dir().expect("a folder").join(&story), prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("story", told);
    });
}
