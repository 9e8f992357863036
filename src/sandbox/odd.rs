//! Odd record formats that, according to api.md, may occur.

use serde_json::{Value, json};

use super::record::{AGENT, Record, agent_object, details, tags};

/// The number of oddities.
pub(super) const COUNT: u32 = 10;
/// Oddities below this index keep the meaning of a record, and may be applied to a seed.
const HARMLESS: u32 = 6;
/// The oddity of a record that no update can reach.
pub(super) const NO_UUID: u32 = 6;

/// Makes a generated record odd.
pub(super) fn make(record: &mut Record, oddity: u32) {
    match oddity {
        4 => drop(record.insert(AGENT.to_owned(), json!(""))),
        NO_UUID => drop(record.remove("uuid")),
        7 => drop(record.insert("status".to_owned(), json!("DELETED"))),
        8 => drop(record.remove("profile")),
        9 => {
            if let Some(details) = details(record) {
                details.insert("tags".to_owned(), Value::Null);
                details.insert(
                    "attributes".to_owned(),
                    json!([{ "key": "score", "value": 42 }, { "key": "ratio", "value": 0.5 }]),
                );
            }
        }
        harmless => dress(record, harmless),
    }
}

/// Makes a seeded record odd without changing its meaning; `index` chooses the oddity.
pub(super) fn sprinkle(record: &mut Record, index: usize) {
    dress(
        record,
        u32::try_from(index % HARMLESS as usize).unwrap_or_default(),
    );
}

fn dress(record: &mut Record, oddity: u32) {
    let agent = record
        .get(AGENT)
        .and_then(Value::as_str)
        .filter(|id| !id.is_empty())
        .map(str::to_owned);
    match (oddity, agent) {
        (0 | 1, _) => {
            if let Some(shown) = details(record).and_then(|details| details.get_mut("tags")) {
                let words = tags(Some(shown));
                *shown = if words.is_empty() {
                    Value::Null
                } else {
                    json!(words.join(", "))
                };
            }
        }
        (2 | 3, Some(id)) => drop(record.insert(AGENT.to_owned(), agent_object(&id))),
        (2, None) => drop(record.insert(AGENT.to_owned(), Value::Null)),
        (3 | 4, None) => drop(record.insert(AGENT.to_owned(), json!(""))),
        (5, _) => numbers(record),
        _ => {}
    }
}

/// Turns attribute values that read as whole numbers into numbers.
fn numbers(record: &mut Record) {
    let attributes = details(record)
        .and_then(|details| details.get_mut("attributes"))
        .and_then(Value::as_array_mut);
    for value in attributes
        .into_iter()
        .flatten()
        .filter_map(|attribute| attribute.get_mut("value"))
    {
        let number = value.as_str().and_then(|text| {
            text.parse::<u32>()
                .ok()
                .filter(|number| number.to_string() == text)
        });
        if let Some(number) = number {
            *value = json!(number);
        }
    }
}
