//! What a record comes to, read from JSON alone: the model's own reading of files and records, shared with nobody.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use crate::world::{PRIYA, RAHUL};

/// The keys of an update that would be needed, each with what the record would show then.
pub(super) type Needs = BTreeMap<&'static str, Json>;

/// What a record must become, key by key, and what it is of that; a record that is not there has nothing.
pub(super) fn sides(wants: &Json, record: &Json) -> (Needs, Needs) {
    let (mut is, mut shall) = (Needs::new(), Needs::new());
    let mut side = |key, is_now: Json, is_wanted: Json| {
        is.insert(key, is_now);
        shall.insert(key, is_wanted);
    };
    let details = &record["profile"]["userDetails"];
    if let Some(status) = wants.get("status") {
        side("status", json!(record["status"].as_str()), status.clone());
    }
    if let Some(agent) = wants.get("agent").and_then(Json::as_str) {
        let id = match agent {
            "priya" => PRIYA,
            "rahul" => RAHUL,
            "none" => "",
            id => id,
        };
        side(
            "agentId",
            json!(record["_agentAssigned"].as_str().unwrap_or_default()),
            json!(id),
        );
    }
    if let Some(rule) = wants.get("tags") {
        let there = tags(&details["tags"]);
        let wanted = match rule.as_array() {
            Some(_) => tags(rule),
            None => &(&there | &tags(&rule["present"])) - &tags(&rule["absent"]),
        };
        side("tags", json!(there), json!(wanted));
    }
    if let Some(wanted) = wants.get("attributes").and_then(Json::as_object) {
        let value = |key: &String| {
            attributes(record)
                .iter()
                .rev()
                .find(|pair| pair["key"] == **key)
                .map(|pair| text(&pair["value"]))
        };
        side(
            "attributes",
            json!(wanted.keys().map(value).collect::<Vec<_>>()),
            json!(wanted.values().collect::<Vec<_>>()),
        );
    }
    let contact = &details["contact"];
    for (name, key, is, fresh) in [
        ("name", "name", &details["name"], "Asha Rao"),
        ("email", "email", &contact["email"], "asha@example.com"),
        ("phone", "phone", &contact["phone"]["number"], "9876543210"),
        ("dial_code", "dialCode", &contact["phone"]["prefix"], "49"),
        (
            "picture",
            "picture",
            &details["picture"],
            "https://example.com/p.png",
        ),
    ] {
        if wants["contact"].get(name).is_some() {
            side(key, is.clone(), json!(fresh));
        }
    }
    if let Some(wanted) = wants.get("notes").and_then(Json::as_array) {
        let there = notes(record);
        side(
            "notes",
            wanted
                .iter()
                .filter(|note| there.iter().any(|other| same(note, other)))
                .cloned()
                .collect(),
            json!(wanted),
        );
    }
    (is, shall)
}

/// The keys that are not as wanted.
pub(super) fn unmet(wants: &Json, record: &Json) -> BTreeSet<&'static str> {
    let (is, shall) = sides(wants, record);
    shall
        .into_iter()
        .filter(|(key, shall)| is[key] != *shall)
        .map(|(key, _)| key)
        .collect()
}

/// The record without all that the file manages and all that the inbox changes by itself.
pub(super) fn unmanaged(wants: Option<&Json>, record: &Json) -> Json {
    let mut rest = record.clone();
    take(&mut rest, &["lastSeenAt"]);
    let Some(wants) = wants else { return rest };
    for (name, path) in [
        ("status", &["status"][..]),
        ("agent", &["_agentAssigned"]),
        ("tags", &["profile", "userDetails", "tags"]),
    ] {
        if wants.get(name).is_some() {
            take(&mut rest, path);
        }
    }
    for (name, path) in [
        ("name", &["profile", "userDetails", "name"][..]),
        ("picture", &["profile", "userDetails", "picture"]),
        ("email", &["profile", "userDetails", "contact", "email"]),
        (
            "phone",
            &["profile", "userDetails", "contact", "phone", "number"],
        ),
        (
            "dial_code",
            &["profile", "userDetails", "contact", "phone", "prefix"],
        ),
    ] {
        if wants["contact"].get(name).is_some() {
            take(&mut rest, path);
        }
    }
    let others = |pair: &&Json| {
        pair["key"]
            .as_str()
            .is_none_or(|key| wants["attributes"].get(key).is_none())
    };
    let attributes: Vec<Json> = attributes(record).iter().filter(others).cloned().collect();
    rest["profile"]["userDetails"]["attributes"] = attributes.into();
    let asked = notes(wants);
    let others = |note: &&Json| !asked.iter().any(|other| same(note, other));
    let kept: Vec<Json> = notes(record).iter().filter(others).cloned().collect();
    rest["profile"]["notes"] = kept.into();
    rest
}

fn take(record: &mut Json, path: &[&str]) {
    let Some((last, above)) = path.split_last() else {
        return;
    };
    let object = above
        .iter()
        .try_fold(record, |json, key| json.get_mut(*key))
        .and_then(Json::as_object_mut);
    if let Some(object) = object {
        object.remove(*last);
    }
}

fn tags(json: &Json) -> BTreeSet<String> {
    match json {
        Json::String(text) => text
            .split(',')
            .map(str::trim)
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .collect(),
        json => json
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .map(str::to_owned)
            .collect(),
    }
}

fn attributes(record: &Json) -> &[Json] {
    record["profile"]["userDetails"]["attributes"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// Of a record, or of what a file says.
fn notes(json: &Json) -> &[Json] {
    let notes = json.get("notes").unwrap_or(&json["profile"]["notes"]);
    notes.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn same(one: &Json, other: &Json) -> bool {
    one["title"] == other["title"]
        && one["description"].as_str().unwrap_or_default()
            == other["description"].as_str().unwrap_or_default()
}

fn text(json: &Json) -> String {
    json.as_str()
        .map_or_else(|| json.to_string(), str::to_owned)
}
