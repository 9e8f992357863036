//! Plans to look at: a small one with every class, and a big one.

use convertalk::plan::Plan;
use serde_json::{Value as Json, json};

/// Twelve changes of every class, a refusal, a warning, a missing lead and a released one.
pub(crate) fn every_class() -> Json {
    serde_json::from_str(include_str!("every_class.json")).expect("JSON")
}

/// So many changes of every kind, hardly two of them the same.
pub(crate) fn big(changes: usize) -> Json {
    let statuses = [
        "OPEN",
        "INPROGRESS",
        "REVIEW",
        "ONHOLD",
        "DEPENDANCY",
        "CLOSED",
    ];
    let agents: Vec<Json> = (0..8)
        .map(|agent| {
            let (before, after) = (600 + 37 * agent, 640 + 29 * agent);
            let cap = (agent % 3 == 0).then_some(800);
            json!({ "id": format!("{agent:024x}"), "name": format!("agent-{agent}"), "before": before, "after": after, "max_leads": cap })
        })
        .collect();
    let change = |number: usize| {
        let (from, to) = (
            statuses[number % 6],
            statuses[(number / 6 + number + 1) % 6],
        );
        let mut fields = json!({ "tags": { "before": ["cold"], "after": [format!("batch-{}", number / 2), "vip"], "line": 3 * number + 4 } });
        if from != to {
            fields["status"] = json!({ "before": from, "after": to, "line": 3 * number + 5 });
        }
        if number.is_multiple_of(3) {
            let id = |agent: usize| format!("{:024x}", agent % 8);
            fields["agent"] =
                json!({ "before": id(number), "after": id(number + 1), "line": 3 * number + 6 });
        }
        let class = ["intended", "intended", "drift", "intended"][number % 4];
        json!({
            "uuid": format!("{:08x}-9b20-4035-9b68-d4ac3d58a34f", 0x1000_0000 + number * 40_503), "label": format!("Lead number {number}"),
            "action": "update", "class": class, "fields": fields,
            "source": { "file": format!("leads/region-{}.yaml", number % 5), "line": 3 * number + 3 }
        })
    };
    let moves = (0..6).flat_map(|from| {
        let to = (0..6).filter(move |to| *to != from);
        to.map(move |to| json!({ "from": statuses[from], "to": statuses[to], "count": changes / 40 + 17 * from + 5 * to }))
    });
    let mut plan = every_class();
    let drift = changes / 4;
    plan["summary"] = json!({
        "declared": changes + 1200, "in_sync": 1200, "to_update": changes - drift, "to_create": 0, "missing": 0, "drift": drift,
        "conflicts": 0
    });
    plan["listing"] = json!({ "complete": true, "leads_read": changes + 1200, "pages_read": (changes + 1200) / 20 });
    plan["changes"] = (0..changes).map(change).collect();
    plan["transitions"] = moves.collect();
    plan["agents"] = agents.into();
    for gone in ["missing", "released", "refusals", "warnings"] {
        plan[gone] = json!([]);
    }
    plan
}

pub(crate) fn plan(json: &Json) -> Plan {
    serde_json::from_value(json.clone()).expect("a plan")
}
