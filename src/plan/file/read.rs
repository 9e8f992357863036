//! Reads a saved plan: the head as a whole, and the changes one by one, so that a large plan is not held in memory three times.

use std::sync::LazyLock;

use rayon::prelude::*;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Deserializer, Map, Value};

use super::PlanFileError;
use crate::instance::{RawEntries, SchemaFault, Shape, check_version, not_json, parse, take};
use crate::plan::{Change, FORMAT_VERSION, Plan};

static PLAN: LazyLock<Shape> = LazyLock::new(Shape::derived::<Plan>);
static CHANGE: LazyLock<Shape> = LazyLock::new(Shape::derived::<Change>);

/// The key of the list that grows with the plan.
const CHANGES: &str = "changes";

/// The key of the digest, which does not cover itself.
const DIGEST: &str = "digest";

/// A plan from its text, which its schema takes.
pub(super) fn plan(text: &str) -> Result<Plan, PlanFileError> {
    let RawEntries(entries) =
        serde_json::from_str(text).map_err(|error| PlanFileError::NotAPlan(not_json(&error)))?;
    let mut head = Map::new();
    let mut items: Vec<&RawValue> = Vec::new();
    for (key, value) in entries {
        let list = (key == CHANGES).then(|| serde_json::from_str(value.get()));
        let value = match list {
            Some(Ok(found)) => {
                items = found;
                Value::Array(Vec::new())
            }
            Some(Err(_)) | None => parse(value.get()).map_err(PlanFileError::NotAPlan)?,
        };
        head.insert(key, value);
    }
    let head = Value::Object(head);
    check_version(&head, FORMAT_VERSION).map_err(PlanFileError::Version)?;
    let mut plan: Plan = take(head, text, &PLAN).map_err(PlanFileError::NotAPlan)?;
    let changes: Result<Vec<Change>, SchemaFault> = items
        .par_iter()
        .enumerate()
        .map(|(at, item)| {
            let read = parse(item.get()).and_then(|document| take(document, item.get(), &CHANGE));
            read.map_err(|fault| fault.inside(text, item.get(), &format!("/{CHANGES}/{at}")))
        })
        .collect();
    plan.changes = changes.map_err(PlanFileError::NotAPlan)?;
    Ok(plan)
}

/// The digest of a document: SHA-256 of its canonical form, which has its keys in their order and no white space.
pub(super) fn digest(text: &str) -> Result<String, serde_json::Error> {
    let RawEntries(entries) = serde_json::from_str(text)?;
    let hash = crate::plan::hash_of(&Canonical(&entries))?;
    Ok(format!("sha256:{hash}"))
}

/// The keys of a document but the digest.
struct Canonical<'t>(&'t [(String, &'t RawValue)]);

impl Serialize for Canonical<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        for (key, value) in self.0.iter().filter(|(key, _)| key != DIGEST) {
            let mut reader = Deserializer::from_str(value.get());
            object.serialize_entry(key, &serde_transcode::Transcoder::new(&mut reader))?;
        }
        object.end()
    }
}
