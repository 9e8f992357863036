use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::api::page_of;
use crate::lead::Status;

mod forms;

const AGENT: &str = "631aa793bcfa100487d13d0d";

fn body(data: &str) -> String {
    format!("{{\"success\":true,\"message\":\"ok\",\"code\":200,\"data\":{data}}}")
}

fn read(data: &str, projection: &Projection) -> Page {
    page_of(body(data).as_bytes(), projection).expect("a page")
}

fn only(uuid: &str, mask: FieldMask) -> Projection {
    Projection::only([(&LeadId::new(uuid), mask)])
}

/// The one lead of a list of one record, read whole.
fn lead(record: &str) -> crate::observe::Observed {
    let mut page = read(&format!("[{record}]"), &Projection::All);
    assert_eq!(page.unreadable, [], "{record}");
    assert_eq!(page.leads.len(), 1, "{record}");
    page.leads.remove(0).1
}

/// The reason why the one record of a list is unreadable.
fn reason(record: &str, mask: FieldMask) -> Option<String> {
    let page = read(&format!("[{record}]"), &only("a", mask));
    assert_eq!(page.sightings.len(), 1, "it is counted all the same");
    assert_eq!(page.leads.len() + page.unreadable.len(), 1);
    let unreadable = page.unreadable.into_iter().next()?;
    assert_eq!(unreadable.id.as_str(), "a");
    Some(unreadable.reason)
}

fn deep(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

#[test]
fn a_record_is_read_whole() {
    let mut page = read(
        &format!(
            r#"[{{"uuid":"b","status":"OPEN","_agentAssigned":{{"_id":"{AGENT}"}},"profile":{{"userDetails":{{"name":"N \ud83d\ude00",
            "tags":["x"," y ",5],"attributes":[{{"key":"k","value":1.50}},{{"key":"l","value":"\ud800"}}],"city":"P","gender":7,
            "contact":{{"email":"a@b.c","phone":{{"number":"98","prefix":"91"}}}},"picture":"p"}},"notes":[{{"title":"t","_id":"5"}}]}},
            "updatedAt":"2026-02-03T04:05:06.789Z"}}]"#
        ),
        &Projection::All,
    );
    for (_, observed) in &mut page.leads {
        // A hash, which may be another one with another compiler.
        observed.activity = 0;
    }
    insta::assert_debug_snapshot!((page.leads, page.unreadable, page.without_uuid));
}

#[test]
fn a_visit_and_a_message_are_activity() {
    let of = |members: Json| {
        let mut record = json!({ "uuid": "a", "status": "OPEN", "lastSeenAt": "1", "lastMessage": { "at": "1" } });
        let members = members.as_object().expect("an object").clone();
        record.as_object_mut().expect("an object").extend(members);
        lead(&record.to_string()).activity
    };
    let before = of(json!({}));
    assert_eq!(of(json!({ "status": "CLOSED", "updatedAt": "2" })), before);
    assert_ne!(of(json!({ "lastSeenAt": "2" })), before);
    assert_ne!(of(json!({ "lastMessage": { "at": "2" } })), before);
}

#[test]
fn an_agent_is_an_id_in_either_shape_and_anything_else_is_none() {
    for (shown, agent) in [
        (json!(AGENT), Some(AGENT)),
        (json!(format!(" {AGENT} ")), Some(AGENT)),
        (json!({ "_id": AGENT, "name": "Priya" }), Some(AGENT)),
        (json!({ "name": "Priya" }), None),
        (json!(null), None),
        (json!(""), None),
        (json!("priya"), None),
        (json!(7), None),
        (json!([]), None),
    ] {
        let record = json!({ "uuid": "a", "_agentAssigned": shown }).to_string();
        let read = lead(&record).lead.agent().cloned();
        assert_eq!(read, agent.and_then(AgentId::parse), "{record}");
    }
}

#[test]
fn half_of_a_surrogate_pair_hides_no_value() {
    let read = lead(&format!(
        r#"{{"uuid":"a","_agentAssigned":{{"_id":"{AGENT}","name":"\ud83d"}},"status":"OPEN","lastMessage":"\udc00",
        "profile":{{"\ud83d":1,"userDetails":{{"tags":["cut \ud83d","\ud83d\ude00"],"\ud800":7}}}}}}"#
    ));
    assert_eq!(read.lead.agent(), AgentId::parse(AGENT).as_ref());
    assert_eq!(read.lead.status(), Some(&Status::Open));
    let tags: Vec<&str> = read.lead.tags().iter().map(String::as_str).collect();
    assert_eq!(tags, ["cut \u{fffd}", "\u{1f600}"]);
}

#[test]
fn bytes_that_are_not_utf_8_are_replaced() {
    let body = [
        b"\xef\xbb\xbf ".as_slice(),
        br#"{"data":[{"uuid":"a","profile":{"userDetails":{"tags":["x"#,
        b"\xff",
        br#""]}}}]}"#,
    ]
    .concat();
    let page = page_of(&body, &Projection::All).expect("a page");
    assert!(page.leads[0].1.lead.tags().contains("x\u{fffd}"));
}

#[test]
fn the_time_of_an_update_is_an_instant_or_a_number() {
    for (shown, millis) in [
        (json!("2026-02-03T04:05:06.789Z"), 1_770_091_506_789),
        (json!("2026-02-03T04:05:06Z"), 1_770_091_506_000),
        (json!("2026-02-03T05:05:06.789+01:00"), 1_770_091_506_789),
        (json!(1_770_091_506_789_i64), 1_770_091_506_789),
        (json!("2026-02-30T04:05:06.789Z"), i64::MIN),
        (json!("yesterday"), i64::MIN),
        (json!(null), i64::MIN),
        (json!({}), i64::MIN),
    ] {
        let record = json!({ "uuid": "a", "updatedAt": shown }).to_string();
        assert_eq!(lead(&record).updated, millis, "{record}");
    }
}

#[test]
fn items_that_are_no_records_are_passed_over() {
    let page = read(
        r#"[null,1,-1,1.5,true,"x",[],[[1],{"uuid":"b"}],{"uuid":"a"}]"#,
        &Projection::All,
    );
    assert_eq!((page.records(), page.leads.len()), (1, 1));
    assert!(!page.is_end);
}

#[test]
fn a_record_without_a_uuid_is_counted() {
    for uuid in ["null", "\" \"", "\"\"", "true", "[]", "{}", "\"\\ud800\""] {
        let page = read(&format!("[{{\"uuid\":{uuid}}},{{}}]"), &Projection::All);
        assert_eq!((page.without_uuid, page.sightings.len()), (2, 0), "{uuid}");
    }
}

#[test]
fn a_uuid_may_be_escaped_or_a_number() {
    for (written, uuid) in [(r#""a\u0062""#, "ab"), ("7", "7")] {
        let page = read(
            &format!("[{{\"uuid\":{written}}}]"),
            &only(uuid, FieldMask::ALL),
        );
        assert_eq!(page.leads.len(), 1, "{written}");
        assert_eq!(page.sightings[0].key, Key::new(uuid));
    }
}

#[test]
fn a_value_that_is_nested_too_deeply_makes_its_lead_unreadable() {
    let deep = deep(10_000);
    for member in [
        format!("\"status\":{deep}"),
        format!("\"_agentAssigned\":{{\"_id\":{deep}}}"),
        format!("\"profile\":{{\"notes\":{deep}}}"),
        format!("\"profile\":{{\"userDetails\":{{\"tags\":[{deep}]}}}}"),
    ] {
        let record = format!("{{{member},\"uuid\":\"a\"}}");
        let reason = reason(&record, FieldMask::ALL).expect("unreadable");
        assert!(reason.contains("recursion limit"), "{reason}");
    }
}

#[test]
fn a_deeply_nested_value_that_is_not_asked_for_does_no_harm() {
    let deep = deep(100_000);
    let record = format!(
        r#"{{"uuid":"a","more":{deep},"profile":{{"more":{deep},"notes":{deep},"userDetails":{{"more":{deep},"tags":["x"]}}}}}}"#
    );
    assert_eq!(reason(&record, FieldMask::covering([&Field::TAGS])), None);
    assert!(reason(&record, FieldMask::covering([&Field::TAGS, &Field::NOTES])).is_some());
}

#[test]
fn a_member_that_is_there_twice_makes_its_lead_unreadable() {
    for record in [
        r#"{"uuid":"a","status":"OPEN","status":"CLOSED"}"#,
        r#"{"uuid":"b","uuid":"a"}"#,
        r#"{"uuid":"a","profile":{},"profile":null}"#,
    ] {
        assert!(reason(record, FieldMask::least()).is_some(), "{record}");
    }
}

#[test]
fn a_lead_that_is_not_kept_is_never_unreadable() {
    let record = format!(
        "[{{\"uuid\":\"a\",\"profile\":{{\"notes\":{}}}}}]",
        deep(1_000)
    );
    let page = read(&record, &only("b", FieldMask::ALL));
    assert_eq!((page.sightings.len(), page.unreadable), (1, vec![]));
}

#[test]
fn a_list_of_too_many_records_is_refused() {
    let page = |records: usize| {
        let records = vec!["{}"; records].join(",");
        page_of(body(&format!("[{records}]")).as_bytes(), &Projection::All)
    };
    let page_of_most = page(MAX_RECORDS).expect("a page");
    assert_eq!(page_of_most.records(), MAX_RECORDS);
    assert_eq!(
        page(MAX_RECORDS + 1).err().as_deref(),
        Some("`data` lists more than 500000 records")
    );
}

#[test]
fn data_that_is_missing_or_empty_is_the_end_and_any_other_is_refused() {
    for end in [r#"{"success":true}"#, r#"{"data":null}"#, r#"{"data":[]}"#] {
        assert!(page_of(end.as_bytes(), &Projection::All).is_ok_and(|page| page.is_end));
    }
    for other in ["{}", "7", "\"x\"", "true", "{\"uuid\":\"a\"}"] {
        assert_eq!(
            page_of(body(other).as_bytes(), &Projection::All)
                .err()
                .as_deref(),
            Some("`data` is not a list of records"),
            "{other}"
        );
    }
}

#[test]
fn what_is_not_an_envelope_is_described() {
    for (body, description) in [
        ("", "the answer is empty"),
        (" \n", "the answer is empty"),
        ("[]", "the answer is not a JSON object"),
        ("x", "the answer is not a JSON object"),
        ("{\"data\":[{\"uuid\":\"a\"", "the answer is cut off"),
        ("{\"data\":[}", "the answer is not valid JSON"),
        ("{\"data\":[]} x", "the answer is not valid JSON"),
        ("{\"data\":[],\"data\":[]}", "the answer is not valid JSON"),
    ] {
        assert_eq!(
            page_of(body.as_bytes(), &Projection::All).err().as_deref(),
            Some(description),
            "{body}"
        );
    }
    let page = page_of(b" <html>", &Projection::All);
    assert!(page.is_err_and(|words| words.contains("a web page")));
}

#[test]
fn pages_of_other_records_have_other_signatures() {
    let pages = [
        r#"[{"uuid":"a"},{"uuid":"b"}]"#,
        r#"[{"uuid":"b"},{"uuid":"a"}]"#,
        r#"[{"uuid":"a"}]"#,
        r#"[{"_id":"1"},{"_id":"2"}]"#,
        r#"[{"_id":"1"},{"_id":"3"}]"#,
        r#"[{"status":"OPEN"}]"#,
        r#"[{"status":"CLOSED"}]"#,
        r#"[null]"#,
    ];
    let signatures: std::collections::BTreeSet<u64> = pages
        .iter()
        .map(|page| read(page, &Projection::All).signature)
        .collect();
    assert_eq!(signatures.len(), pages.len());
}

/// Records such as no platform should send: any value under any key.
fn records() -> impl Strategy<Value = Json> {
    let keys = "uuid _id _agentAssigned updatedAt status profile userDetails notes tags attributes name contact phone number title";
    let keys = prop::sample::select(keys.split(' ').collect::<Vec<_>>());
    let texts = [
        "a",
        "b",
        "",
        " ",
        "OPEN",
        "x\"\\y\n",
        "[{",
        "631AA793bcfa100487d13d0d",
        "2026-02-03T04:05:06.789Z",
        "2026-02-30",
        "é",
    ];
    let leaf = prop_oneof![
        prop::sample::select(texts.to_vec()).prop_map(Json::from),
        prop::sample::select(vec![Json::Null, true.into(), 7.into(), (-1.5).into()]),
    ];
    let any = leaf.prop_recursive(4, 60, 8, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            3 => prop::collection::btree_map(keys.clone().prop_map(str::to_owned), inner, 0..9)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    });
    prop::collection::vec(any, 0..6).prop_map(Json::from)
}

/// The same JSON with every character of its texts escaped.
fn escaped(json: &Json) -> String {
    let text = |text: &str| {
        let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
        format!("\"{}\"", units.collect::<String>())
    };
    match json {
        Json::String(value) => text(value),
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(escaped).collect();
            format!("[{}]", items.join(","))
        }
        Json::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(key, value)| format!("{}:{}", text(key), escaped(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => json.to_string(),
    }
}

proptest! {
    #[test]
    fn however_it_is_written_a_page_is_read_alike(records in records()) {
        let named = |page: Page| format!("{:?}", (page.leads, page.unreadable, page.sightings, page.without_uuid));
        let compact = named(read(&records.to_string(), &Projection::All));
        prop_assert_eq!(&compact, &named(read(&format!("{records:#}"), &Projection::All)));
        prop_assert_eq!(&compact, &named(read(&escaped(&records), &Projection::All)));
    }

    #[test]
    fn every_record_is_counted_and_those_asked_for_are_kept(records in records(), mask in 0_usize..3) {
        let mask = [FieldMask::least(), FieldMask::covering([&Field::TAGS, &Field::NOTES]), FieldMask::ALL][mask];
        let uuids: Vec<String> = records
            .as_array()
            .into_iter()
            .flatten()
            .filter(|record| record.is_object())
            .map(|record| match &record["uuid"] {
                Json::String(uuid) if !uuid.trim().is_empty() => uuid.clone(),
                Json::Number(uuid) => uuid.to_string(),
                _ => String::new(),
            })
            .collect();
        let page = read(&records.to_string(), &only("a", mask));
        let named = uuids.iter().filter(|uuid| !uuid.is_empty()).count();
        prop_assert_eq!((page.sightings.len(), page.without_uuid), (named, uuids.len() - named));
        prop_assert_eq!(page.leads.len(), uuids.iter().filter(|uuid| *uuid == "a").count());
        prop_assert_eq!(page.unreadable, vec![]);
    }

    #[test]
    fn a_page_that_is_cut_off_is_refused(records in records(), cut in any::<prop::sample::Index>()) {
        let body = body(&records.to_string());
        let cut = &body.as_bytes()[..cut.index(body.len())];
        prop_assert!(page_of(cut, &Projection::All).is_err());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in "[\\[\\]{}:,\"\\\\ auid0]{0,200}") {
        let framed = body(&bytes);
        let is_json = serde_json::from_str::<IgnoredAny>(&framed).is_ok();
        let page = page_of(framed.as_bytes(), &Projection::All);
        prop_assert!(is_json || page.is_err(), "{}", framed);
    }
}
