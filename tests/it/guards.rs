//! Guards: refused before the first write, with the number, the rule's place, and how to lift it.

use crate::world::{PRIYA, RAHUL, World, record, uuid};

const AGENTS: &str = "version: 1
api: { endpoint: sandbox, bot_id: 63d9ffa77a8d152facbe2f00, customer_id: 631aa793bcfa100487d13d01 }
agents:
  priya: { id: 631aa793bcfa100487d13d0d, max_leads: 2 }
  rahul: 631aa793bcfa100487d13d0e
policy:
";

fn world(policy: &str, leads: &str) -> World {
    let live = [
        record(1, "OPEN", Some(PRIYA), &[]),
        record(2, "CLOSED", None, &[]),
        record(3, "REVIEW", Some(RAHUL), &[]),
        record(4, "OPEN", Some(PRIYA), &[]),
        record(5, "OPEN", None, &[]),
    ];
    let world = World::new(&live, "--page-size 2");
    world.write("convertalk.yaml", &format!("{AGENTS}{policy}"));
    world.declare(leads);
    world
}

/// Refuses plan and apply, names all of `words`, writes nothing; and goes ahead with `lift`.
fn refuses(world: &World, words: &[&str], lift: &str) {
    let plan = world.run("plan").exits(3);
    let apply = world.run("apply --yes").exits(3);
    for word in words {
        assert!(
            plan.out.contains(word) && apply.out.contains(word),
            "{word} is not in\n{}",
            plan.out
        );
    }
    let refusals = world.run("plan --format json").exits(3).json()["refusals"].clone();
    assert!(
        refusals
            .as_array()
            .is_some_and(|refusals| !refusals.is_empty()),
        "{refusals}"
    );
    assert!(world.puts().is_empty(), "nothing is written");
    world.run(&format!("apply --yes {lift}")).exits(0);
    world.assert_settled();
}

#[test]
fn a_number_of_changes() {
    let world = world(
        "  max_changes: 1\n",
        &format!(
            "  {}: {{ status: ONHOLD }}\n  {}: {{ status: ONHOLD }}\n",
            uuid(1),
            uuid(5)
        ),
    );
    refuses(
        &world,
        &[
            "2 leads would change, and the limit is 1",
            "convertalk.yaml:7",
            "--max-changes 2",
        ],
        "--max-changes 2",
    );
}

#[test]
fn a_share_of_the_declared_leads() {
    let leads: String = [1, 4, 5]
        .map(|number| format!("  {}: {{ status: ONHOLD }}\n", uuid(number)))
        .concat();
    let world = world("  max_changes: 50%\n", &leads);
    refuses(
        &world,
        &[
            "3 leads would change",
            "50% of 3 declared leads, which is 1",
        ],
        "--max-changes 100%",
    );
}

#[test]
fn a_denied_move() {
    let world = world(
        "  transitions: { deny: [\"CLOSED -> *\"], warn: [\"REVIEW -> OPEN\"] }\n",
        &format!(
            "  {}: {{ status: OPEN }}\n  {}: {{ status: OPEN }}\n",
            uuid(2),
            uuid(3)
        ),
    );
    refuses(
        &world,
        &[
            "1 lead: CLOSED -> * is denied",
            "convertalk.yaml:7",
            "--allow transition",
            "REVIEW -> OPEN requires review",
        ],
        "--allow transition",
    );
}

#[test]
fn a_status_that_needs_an_agent() {
    let world = world(
        "  require_agent: [REVIEW, ONHOLD]\n",
        &format!(
            "  {}: {{ agent: none }}\n  {}: {{ status: ONHOLD }}\n  {}: {{ status: ONHOLD }}\n",
            uuid(3),
            uuid(5),
            uuid(1)
        ),
    );
    refuses(
        &world,
        &[
            "2 leads would be in REVIEW or ONHOLD without an agent",
            "convertalk.yaml:7",
        ],
        "--allow require-agent",
    );
}

#[test]
fn more_leads_than_an_agent_may_have() {
    let world = world(
        "  tags: [vip]\n",
        &format!("  {}: {{ agent: priya }}\n", uuid(5)),
    );
    refuses(
        &world,
        &[
            "priya would have 3 leads (2 now), and the limit is 2",
            "convertalk.yaml:4",
        ],
        "--allow max-leads",
    );
}

#[test]
fn an_inbox_that_lists_nothing() {
    let world = World::new(&[], "");
    world.declare(&format!(
        "  {}: {{ status: OPEN, create: true }}\n",
        uuid(1)
    ));
    refuses(
        &world,
        &["the inbox lists no chats, but 1 lead is declared"],
        "--allow empty-listing",
    );
}

#[test]
fn a_tag_outside_of_the_vocabulary_is_a_mistake_in_the_file() {
    let world = world(
        "  tags: [vip]\n",
        &format!("  {}: {{ tags: [vpi] }}\n", uuid(5)),
    );
    let ran = world.run("plan").exits(1);
    assert!(
        ran.err.contains("unknown-tag")
            && ran.err.contains("`vip`")
            && ran.err.contains("leads/all.yaml:3"),
        "{}",
        ran.err
    );
}

/// Which form a plan is told in changes nothing of what it comes to.
#[test]
fn exit_codes_are_the_same_in_every_format() {
    let world = World::new(&[record(1, "CLOSED", None, &[])], "");
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a workspace file");
    let formats = ["text", "json", "markdown", "html", "github", "sarif"];
    let exits = |words: &str, exit: i32| {
        for format in formats {
            let plan = world
                .run(&format!("plan --format {format} {words}"))
                .exits(exit);
            assert!(!plan.out.is_empty(), "{format} {words}");
            world
                .run(&format!("plan --report {format}=plan.out {words}"))
                .exits(exit);
        }
    };
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    exits("--detailed-exitcode", 0);
    world.declare(&format!("  {}: {{ status: OPEN }}\n", uuid(1)));
    exits("", 0);
    exits("--detailed-exitcode", 2);
    world.declare(&format!(
        "  {}: {{ status: OPEN }}\n  {}: {{ status: OPEN }}\n",
        uuid(1),
        uuid(2)
    ));
    exits("--detailed-exitcode", 1);
    exits("--detailed-exitcode --missing skip", 2);
    world.write(
        "convertalk.yaml",
        &format!("{config}policy: {{ transitions: {{ deny: [\"CLOSED -> *\"] }} }}\n"),
    );
    exits("--missing skip", 3);
    world.declare("  x: { status: NONE }\n");
    for format in formats {
        world.run(&format!("plan --format {format}")).exits(1);
    }
}

#[test]
fn skipped_leads_are_skipped_in_every_format_and_no_reason_not_to_apply() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    world.declare(&format!(
        "  {}: {{ status: CLOSED }}\n  {}: {{ status: CLOSED }}\n",
        uuid(1),
        uuid(2)
    ));
    let skipped = "1 lead not found (skipped), 1 to update, 0 in sync, of 2 declared leads";
    for (format, shown) in [
        ("text", format!("Plan: {skipped}")),
        ("text", "(searched twice), skipped".to_owned()),
        ("markdown", "### Plan: 1 lead not found".to_owned()),
        ("markdown", "(searched twice), skipped".to_owned()),
        ("html", "<span class=\"head\">Plan:</span>".to_owned()),
        ("html", "writes 1 lead in the inbox".to_owned()),
        ("html", ">Skipped<".to_owned()),
        (
            "github",
            "::warning file=leads/all.yaml,line=4,title=convertalk missing::".to_owned(),
        ),
        ("sarif", "\"level\": \"warning\"".to_owned()),
        ("json", "\"skips_missing\": true".to_owned()),
    ] {
        let plan = world
            .run(&format!("plan --missing skip --format {format}"))
            .exits(0);
        assert!(plan.out.contains(&shown), "{format}: {}", plan.out);
        assert!(!plan.out.contains("annot apply"), "{format}: {}", plan.out);
        let plan = world.run(&format!("plan --format {format}")).exits(1);
        assert!(!plan.out.contains(&shown), "{format}: {}", plan.out);
    }
    world.run("plan --out kept.plan --missing skip").exits(0);
    let ran = world.run("apply kept.plan --yes").exits(1);
    assert!(
        ran.out.contains("Cannot apply: 1 lead not found"),
        "{}",
        ran.out
    );
    let ran = world.run("apply kept.plan --yes --missing skip").exits(0);
    assert!(
        ran.out.contains("Plan: 1 lead not found (skipped)"),
        "{}",
        ran.out
    );
    let ran = world.run("plan --missing skip").exits(0);
    let idle = "Nothing to do: 2 declared leads, 1 lead not found (skipped), all others in sync.";
    assert!(ran.out.contains(idle), "{}", ran.out);
}
