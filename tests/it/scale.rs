//! An inbox of a usual size: 700 leads in 35 pages, 120 declared, half of them in sync.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::world::{PRIYA, RAHUL, World, record, uuid};

#[test]
fn the_plan_is_the_oracles_and_each_put_has_just_what_differs() {
    let live: Vec<Json> = (0..700)
        .map(|number| {
            record(
                number,
                ["OPEN", "REVIEW"][number % 2],
                [None, Some(PRIYA), Some(RAHUL)][number % 3],
                &["web"],
            )
        })
        .collect();
    let world = World::new(&live, "--page-size 20");
    let mut leads = String::new();
    let mut oracle: BTreeMap<String, Json> = BTreeMap::new();
    for (at, number) in (0..700).step_by(7).chain((3..700).step_by(35)).enumerate() {
        let is = (
            ["OPEN", "REVIEW"][number % 2],
            [None, Some(PRIYA), Some(RAHUL)][number % 3],
        );
        let (status, agent) = if at % 2 == 0 {
            is
        } else {
            ("CLOSED", if at % 4 == 1 { Some(PRIYA) } else { is.1 })
        };
        leads += &format!(
            "  {}: {{ status: {status}, agent: {}, tags: {{ present: [{}] }} }}\n",
            uuid(number),
            agent.unwrap_or("none"),
            if at % 8 == 7 { "vip" } else { "web" }
        );
        let mut body = json!({});
        if status != is.0 {
            body["status"] = status.into();
        }
        if agent != is.1 {
            body["agentId"] = agent.unwrap_or_default().into();
        }
        if at % 8 == 7 {
            body["tags"] = json!(["vip", "web"]);
        }
        if body != json!({}) {
            oracle.insert(uuid(number), body);
        }
    }
    assert_eq!((leads.lines().count(), oracle.len()), (120, 60));
    world.declare(&leads);

    let plan = world.run("plan --format json --full").exits(0).json();
    assert_eq!(
        plan["summary"],
        json!({ "declared": 120, "in_sync": 60, "to_update": 60, "to_create": 0, "missing": 0, "drift": 0, "conflicts": 0, "held": 0 })
    );
    assert_eq!(plan["listing"]["leads_read"], 700);
    let planned: Vec<&str> = plan["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .filter_map(|change| change["uuid"].as_str())
        .collect();
    assert_eq!(
        planned,
        oracle.keys().map(String::as_str).collect::<Vec<_>>()
    );

    let ran = world.run("apply --yes").exits(0);
    assert!(
        ran.out.ends_with("Applied: 60 leads: 60 verified.\n"),
        "{}",
        ran.out
    );
    let sent: BTreeMap<String, Json> = world
        .sent()
        .into_iter()
        .map(|(id, bodies)| (id, Json::Array(bodies)))
        .collect();
    let wanted: BTreeMap<String, Json> = oracle
        .into_iter()
        .map(|(id, body)| (id, json!([body])))
        .collect();
    assert_eq!(sent, wanted);
    assert!(
        world.sandbox().peak_in_flight() <= 8,
        "never more under way than api.concurrency"
    );
    world.assert_settled();
}
