//! Rules on changes and freeze windows: what they refuse or report, at their lines, and how they are overridden.

use std::collections::BTreeSet;

use crate::world::{PRIYA, RAHUL, Ran, World, record, uuid};

const HEAD: &str = "version: 1
api: { endpoint: sandbox, bot_id: 63d9ffa77a8d152facbe2f00, customer_id: 631aa793bcfa100487d13d01 }
agents:
  priya: 631aa793bcfa100487d13d0d
  rahul: 631aa793bcfa100487d13d0e
policy:
";
/// The line of the first entry below `rules:` or `freeze:`.
const LINE: &str = "convertalk.yaml:8";

fn live() -> Vec<serde_json::Value> {
    let mut won = record(9, "REVIEW", Some(RAHUL), &["won"]);
    won["profile"]["userDetails"]["attributes"] =
        serde_json::json!([{ "key": "tier", "value": "gold" }]);
    vec![
        record(1, "OPEN", Some(PRIYA), &["vip"]),
        record(2, "CLOSED", None, &[]),
        record(3, "REVIEW", Some(RAHUL), &["cold"]),
        record(4, "OPEN", None, &[]),
        record(5, "OPEN", None, &[]),
        record(6, "OPEN", None, &["legal-hold", "vip"]),
        won,
    ]
}

fn world(policy: &str, leads: &str) -> World {
    let world = World::new(&live(), "--page-size 3");
    world.write("convertalk.yaml", &format!("{HEAD}{policy}"));
    world.declare(leads);
    world
}

fn lead(number: usize, says: &str) -> String {
    format!("  {}: {{ {says} }}\n", uuid(number))
}

fn names(ran: &Ran, key: &str) -> BTreeSet<String> {
    let rules = ran.json()[key].as_array().cloned().unwrap_or_default();
    let names = rules
        .iter()
        .map(|refusal| refusal["rule"].as_str().expect("a rule").to_owned());
    names.collect()
}

/// A rule that teams ask for, leads that break it, and leads that do not.
struct Asked {
    rule: &'static str,
    breaks: &'static [(usize, &'static str)],
    keeps: &'static [(usize, &'static str)],
}

const ASKED: [Asked; 12] = [
    Asked {
        rule: "{ name: an agent for every vip, after: [tag=vip, agent=none], deny: assign it first }",
        breaks: &[(1, "agent: none")],
        keeps: &[(1, "agent: rahul"), (4, "agent: none, tags: [trial]")],
    },
    Asked {
        rule: "{ name: closed stays closed, before: status=closed, after: status!=CLOSED, deny: ask Asha first }",
        breaks: &[(2, "status: OPEN")],
        keeps: &[(2, "tags: [lost]"), (1, "status: CLOSED")],
    },
    Asked {
        rule: "{ name: at most two to priya, before: [agent!=priya], after: [agent=priya], max: 2 }",
        breaks: &[
            (3, "agent: priya"),
            (4, "agent: priya"),
            (5, "agent: priya"),
        ],
        keeps: &[
            (1, "status: REVIEW"),
            (4, "agent: priya"),
            (5, "agent: priya"),
        ],
    },
    Asked {
        rule: "{ name: no tag removed and status closed at once, before: [tag=cold, status!=CLOSED], after: [tag!=cold, status=CLOSED], deny: do one of the two }",
        breaks: &[(3, "status: CLOSED, tags: []")],
        keeps: &[(3, "status: CLOSED"), (1, "status: CLOSED, tags: []")],
    },
    Asked {
        rule: "{ name: legal hold is for legal, before: [tag=legal-hold], after: [tag!=legal-hold], deny: legal removes it in the inbox }",
        breaks: &[(6, "tags: { absent: [legal-hold] }")],
        keeps: &[(6, "tags: { absent: [vip] }")],
    },
    Asked {
        rule: "{ name: nothing under legal hold changes, before: [tag=legal-hold], deny: it is under legal hold }",
        breaks: &[(6, "status: CLOSED")],
        keeps: &[(5, "status: CLOSED")],
    },
    Asked {
        rule: "{ name: gold leads are not closed unassigned, after: [attributes.tier=gold, status=CLOSED, agent=none], deny: gold leads have an owner }",
        breaks: &[(9, "status: CLOSED, agent: none")],
        keeps: &[(9, "status: CLOSED")],
    },
    Asked {
        rule: "{ name: won needs review first, before: [status!=REVIEW], after: [tag=won], deny: review it first }",
        breaks: &[(1, "tags: [won]")],
        keeps: &[(3, "tags: [won]")],
    },
    Asked {
        rule: "{ name: rahul gives nothing away, before: [agent=rahul], after: [agent!=rahul], deny: ask Rahul }",
        breaks: &[(3, "agent: priya")],
        keeps: &[(3, "status: OPEN"), (1, "agent: rahul")],
    },
    Asked {
        rule: "{ name: one lead is Asha's own, before: [7e88d192-9b20-4035-9b68-000000000004], deny: leave it }",
        breaks: &[(4, "status: CLOSED")],
        keeps: &[(5, "status: CLOSED")],
    },
    Asked {
        rule: "{ name: new leads start open, before: [\"status!=OPEN,status!=CLOSED,status!=REVIEW\"], after: [status!=OPEN], deny: start it OPEN }",
        breaks: &[(7, "create: true, status: REVIEW")],
        keeps: &[(7, "create: true, status: OPEN"), (1, "status: REVIEW")],
    },
    Asked {
        rule: "{ name: at most one closed in a run, before: [status!=CLOSED], after: [status=CLOSED], max: 1 }",
        breaks: &[(1, "status: CLOSED"), (4, "status: CLOSED")],
        keeps: &[(1, "status: CLOSED"), (2, "status: CLOSED")],
    },
];

fn declared(leads: &[(usize, &str)]) -> String {
    leads
        .iter()
        .map(|(number, says)| lead(*number, says))
        .collect()
}

#[test]
fn twelve_rules_that_teams_ask_for() {
    for Asked {
        rule,
        breaks,
        keeps,
    } in ASKED
    {
        let world = world(&format!("  rules:\n    - {rule}\n"), &declared(keeps));
        let plan = world.run("plan --format json").exits(0);
        assert!(names(&plan, "refusals").is_empty(), "{rule}: {}", plan.out);

        world.declare(&declared(breaks));
        let plan = world.run("plan --format json").exits(3);
        let name = rule["{ name: ".len()..].split(',').next().expect("a name");
        let guard = format!("rule:{name}");
        assert_eq!(names(&plan, "refusals"), [guard.clone()].into(), "{rule}");
        let refusal = plan.json()["refusals"][0].clone();
        assert_eq!(
            (
                refusal["source"]["line"].as_u64(),
                refusal["source"]["file"].as_str()
            ),
            (Some(8), Some("convertalk.yaml"))
        );
        let leads: Vec<String> = breaks.iter().map(|(number, _)| uuid(*number)).collect();
        assert_eq!(refusal["leads"], serde_json::json!(leads), "{rule}");

        world.run("apply --yes").exits(3);
        assert!(world.puts().is_empty(), "{rule}: nothing is written");
        let allowed = world.command(&["apply", "--yes", "--allow", &guard]);
        world
            .ran({ allowed }.output().expect("the program runs"))
            .exits(0);
        world.assert_settled();
    }
}

#[test]
fn each_verdict_has_its_line_and_the_leads_in_every_format() {
    let rules = "  rules:
    - { name: vip keeps its owner, before: [tag=vip], after: [agent=none], deny: ask Asha first }
    - name: cold is looked at
      before: [tag=cold]
      warn: check that it is cold
";
    let leads = lead(1, "agent: none") + &lead(3, "status: OPEN");
    let world = world(rules, &leads);
    for (format, places) in [
        (
            "text",
            [
                LINE,
                "convertalk.yaml:9",
                "leads/all.yaml:3",
                "leads/all.yaml:4",
            ],
        ),
        (
            "markdown",
            [
                LINE,
                "convertalk.yaml:9",
                "leads/all.yaml:3",
                "leads/all.yaml:4",
            ],
        ),
        (
            "html",
            [
                LINE,
                "convertalk.yaml:9",
                "leads/all.yaml:3",
                "leads/all.yaml:4",
            ],
        ),
        (
            "github",
            [
                LINE,
                "convertalk.yaml:9",
                "file=leads/all.yaml,line=3,title=convertalk rule%3Avip keeps its owner",
                "file=leads/all.yaml,line=4,title=convertalk rule%3Acold is looked at",
            ],
        ),
    ] {
        let plan = world.run(&format!("plan --format {format}")).exits(3);
        for place in places {
            assert!(
                plan.out.contains(place),
                "{place} in {format}:\n{}",
                plan.out
            );
        }
        for why in ["ask Asha first", "check that it is cold"] {
            assert!(plan.out.contains(why), "{why} in {format}");
        }
    }
    let plan = world.run("plan --format json").exits(3);
    assert_eq!(
        names(&plan, "warnings"),
        ["rule:cold is looked at".to_owned()].into()
    );
    let sarif = world.run("plan --format sarif").exits(3).json();
    let results = &sarif["runs"][0]["results"];
    let region = |at: usize, key: &str| {
        let place = &results[at][key][0]["physicalLocation"];
        (
            place["artifactLocation"]["uri"].clone(),
            place["region"]["startLine"].clone(),
        )
    };
    assert_eq!(results[0]["ruleId"], "rule:vip keeps its owner");
    assert_eq!(region(0, "locations"), ("leads/all.yaml".into(), 3.into()));
    assert_eq!(
        region(0, "relatedLocations"),
        ("convertalk.yaml".into(), 8.into())
    );
    assert_eq!(results[1]["ruleId"], "rule:cold is looked at");
    assert_eq!(
        region(1, "relatedLocations"),
        ("convertalk.yaml".into(), 9.into())
    );
}

#[test]
fn a_warning_goes_ahead() {
    let rules = "  rules:\n    - { name: look, before: [tag=cold], warn: is it cold? }\n";
    let world = world(rules, &lead(3, "status: OPEN"));
    let apply = world.run("apply --yes").exits(0);
    assert!(
        apply.out.contains("look: 1 lead: is it cold?"),
        "{}",
        apply.out
    );
}

#[test]
fn help_quotes_a_name_for_the_shell() {
    let rules = "  rules:\n    - { name: \"it's $(reboot)\", before: [tag=cold], deny: no }\n";
    let world = world(rules, &lead(3, "status: OPEN"));
    let plan = world.run("plan").exits(3);
    assert!(
        plan.out.contains(r"--allow 'rule:it'\''s $(reboot)'"),
        "{}",
        plan.out
    );
}

#[test]
fn an_unknown_rule_in_allow_is_an_error_that_names_the_rules() {
    let rules = "  rules:\n    - { name: look, before: [tag=cold], deny: no }\n";
    let world = world(rules, &lead(3, "status: OPEN"));
    for command in ["plan --allow rule:lok", "apply --yes --allow rule:lok"] {
        let ran = world.run(command).exits(1);
        assert!(
            ran.err
                .contains("unknown rule `lok`; the workspace has: look"),
            "{}",
            ran.err
        );
    }
    let ran = world.run("plan --allow max-changes").exits(1);
    assert!(ran.err.contains("use --max-changes N"), "{}", ran.err);
    let ran = world.run("plan --allow everything").exits(1);
    assert!(
        ran.err
            .contains("`everything` is not a guard; one of transition"),
        "{}",
        ran.err
    );
    assert!(world.puts().is_empty());
}

#[test]
fn a_saved_plan_is_judged_by_the_rules_of_now() {
    let world = world("  max_changes: 9\n", &lead(1, "agent: none"));
    world.run("plan --out plan.json").exits(0);
    let rules = "  rules:\n    - { name: vip, before: [tag=vip], after: [agent=none], deny: no }\n";
    world.write("convertalk.yaml", &format!("{HEAD}{rules}"));
    world.run("apply plan.json --yes").exits(3);
    assert!(world.puts().is_empty());
    world.run("apply plan.json --yes --allow rule:vip").exits(0);
}

#[test]
fn a_snapshot_holds_what_rules_look_at() {
    let rules = "  rules:\n    - { name: gold, before: [attributes.tier=gold], after: [status=CLOSED], deny: no }\n";
    let world = world(rules, &lead(9, "status: CLOSED"));
    world.run("snapshot --out live.jsonl").exits(0);
    let plan = world.run("plan --live live.jsonl --format json").exits(3);
    assert_eq!(names(&plan, "refusals"), ["rule:gold".to_owned()].into());
}

/// A window around now, a day to each side: the test may run at midnight.
fn around_now() -> String {
    let today = jiff::Zoned::now()
        .with_time_zone(jiff::tz::TimeZone::UTC)
        .date();
    let (from, to) = (
        today.yesterday().expect("a day"),
        today.tomorrow().expect("a day"),
    );
    format!(
        "  freeze:\n    - {{ from: {from}, to: {to}, zone: Europe/Berlin, reason: holidays }}\n"
    )
}

#[test]
fn a_freeze_refuses_what_writes_and_warns_what_plans() {
    let world = world("  max_changes: 9\n", &lead(1, "status: CLOSED"));
    world.run("apply --yes").exits(0);
    let written = world.puts().len();
    world.write("convertalk.yaml", &format!("{HEAD}{}", around_now()));

    let apply = world.run("apply --yes").exits(0);
    assert!(
        apply.out.starts_with("Nothing to do"),
        "there is nothing to refuse: {}",
        apply.out
    );

    let runs = std::fs::read_dir(world.path(".convertalk/runs")).expect("runs");
    let run = runs
        .map(|run| run.expect("a run").path())
        .next()
        .expect("a run");
    let undo = format!("undo {} --yes", run.display());
    let refused = world.run(&undo).exits(3);
    for word in [
        "nothing is written in the freeze",
        "(Europe/Berlin): holidays",
        LINE,
        "--allow freeze",
    ] {
        assert!(refused.out.contains(word), "{word}: {}", refused.out);
    }

    world.declare(&lead(1, "status: REVIEW"));
    let plan = world.run("plan --format json").exits(0);
    assert_eq!(names(&plan, "warnings"), ["freeze".to_owned()].into());
    world.run("plan --out plan.json").exits(0);
    world.run("apply --yes").exits(3);
    world.run("apply plan.json --yes").exits(3);
    assert_eq!(
        world.puts().len(),
        written,
        "nothing is written in a freeze"
    );
    world.run("apply plan.json --yes --allow freeze").exits(0);
    world.run(&format!("{undo} --allow freeze")).exits(4);
}

#[test]
fn a_freeze_of_another_time_is_silent() {
    let world = world(
        "  freeze:\n    - { from: 2020-01-01, to: 2020-01-02 }\n",
        &lead(1, "status: CLOSED"),
    );
    let plan = world.run("plan --format json").exits(0);
    assert!(names(&plan, "warnings").is_empty());
    world.run("apply --yes").exits(0);
}

#[test]
fn what_is_wrong_with_rules_and_freezes_is_reported_at_its_line() {
    let policy = "  rules:
    - { name: a, before: [tag=vip], deny: x, warn: y }
    - { name: b, before: [tag=vip] }
    - { before: [tag=vip], deny: x }
    - { name: d, before: [file=leads/**], deny: x }
    - { name: e, before: [agent=nobody-here], deny: x }
    - { name: f, after: [status=SHUT], max: 1 }
    - { name: f, deny: x }
  freeze:
    - { from: 2027-02-29, to: 2027-03-01 }
    - { from: 2027-02-02, to: 2027-02-01 }
    - { from: 2027-02-02 }
    - { weekly: \"Fri 16:00\" }
    - { from: 2027-02-02, to: 2027-02-03, zone: Mars/Olympus }
";
    let world = world(policy, &lead(1, "status: CLOSED"));
    let errors = world.run("validate --format json").exits(1).json();
    let found: Vec<(u64, String)> = errors["diagnostics"]
        .as_array()
        .expect("diagnostics")
        .iter()
        .map(|made| {
            (
                made["line"].as_u64().expect("a line"),
                made["rule"].as_str().expect("a code").to_owned(),
            )
        })
        .collect();
    let expected = [
        (8, "bad-rule"),
        (9, "bad-rule"),
        (10, "bad-rule"),
        (11, "bad-selector"),
        (12, "bad-selector"),
        (13, "bad-selector"),
        (14, "duplicate-rule"),
        (16, "bad-freeze"),
        (17, "bad-freeze"),
        (18, "bad-freeze"),
        (19, "bad-freeze"),
        (20, "bad-freeze"),
    ];
    assert_eq!(found, expected.map(|(line, code)| (line, code.to_owned())));
}
