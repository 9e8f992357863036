//! Many writes through faults of every kind: all are verified, and none is sent again without a cause.

use std::collections::BTreeMap;

use crate::world::{World, record, uuid};

/// One request in twenty goes wrong, in one of seven ways.
const FAULTS: &str = "--fault 429=0.72% --fault 500=0.72% --fault html=0.72% --fault truncated=0.72% --fault success-false=0.72% \
                      --fault drop-before=0.72% --fault drop-after=0.72% --retry-after 0";
const CONCURRENCY: usize = 16;

#[test]
fn ten_thousand_writes_through_faults() {
    let leads = 10_000;
    let live: Vec<_> = (1..=leads)
        .map(|number| record(number, "OPEN", None, &["web"]))
        .collect();
    let world = World::new(&live, &format!("--page-size 100 {FAULTS}"));
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    let setting = format!("endpoint: sandbox, concurrency: {CONCURRENCY}");
    world.write(
        "convertalk.yaml",
        &config.replace("endpoint: sandbox", &setting),
    );
    world.declare(
        &(1..=leads)
            .map(|number| format!("  {}: {{ status: CLOSED }}\n", uuid(number)))
            .collect::<String>(),
    );

    let ran = world.run("apply --yes --patience 60s").exits(0);
    assert!(
        ran.out
            .ends_with(&format!("Applied: {leads} leads: {leads} verified.\n")),
        "{}",
        ran.out
    );
    assert!(
        world
            .sandbox()
            .records()
            .values()
            .all(|record| record["status"] == "CLOSED")
    );
    assert!(
        world.sandbox().peak_in_flight() <= CONCURRENCY,
        "{} under way",
        world.sandbox().peak_in_flight()
    );

    let mut sent: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for put in world.puts() {
        let body = put.body.expect("a body");
        let (times, faults) = sent
            .entry(body["uuid"].as_str().expect("a uuid").to_owned())
            .or_default();
        assert_eq!(
            *times, *faults,
            "{} was sent again after an answer without a fault",
            body["uuid"]
        );
        *times += 1;
        *faults += usize::from(put.fault.is_some());
    }
    assert_eq!(sent.len(), leads);
    let faults: usize = sent.values().map(|(_, faults)| faults).sum();
    assert!(
        faults > leads / 40 && faults < leads / 10,
        "{faults} faults struck writes"
    );
    world.assert_settled();
}
