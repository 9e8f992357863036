//! A page of the listing, from the bytes of an answer.
//!
//! Of every record the few keys are read that each is looked at for; of a record that is wanted, the values that are wanted of
//! it. All else is stepped over by [`Frame`]. A page with anything odd in it is read by a strict reader instead, which takes
//! whatever can be taken and has the words for what cannot.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Deserialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::envelope::{Data, Envelope};
use super::frame::{Frame, Odd, Value, Walk};
use super::wire::{Shown, agent, observed};
use crate::lead::{AgentId, LeadId, Parts};
use crate::observe::{Keep, Key, Page, Record};

/// Room is made for so many records of a page at once.
const LIKELY_RECORDS: usize = 200;
/// A page with more of them is none: the largest answer has no room for so many that show a uuid, a status and a time each. Empty ones
/// would take many times the memory of their text.
const MOST_RECORDS: usize = 500_000;

/// Decodes a listing that was answered with success.
///
/// # Errors
/// Words for what the body is instead: not JSON, cut off, `success: false`, or data of another type.
pub(super) fn page(
    body: &[u8],
    envelope: Result<Envelope<'_>, String>,
    keep: &Keep,
) -> Result<Page, String> {
    match envelope {
        Ok(Envelope { data: None, .. }) => {
            return Ok(Page {
                is_end: true,
                ..Page::default()
            });
        }
        Ok(Envelope {
            data: Some(Data::Framed(frame, data)),
            ..
        }) => {
            if let Ok(page) = framed(&frame, data, keep) {
                return Ok(page);
            }
        }
        _ => {}
    }
    let body = String::from_utf8_lossy(body);
    let envelope =
        Envelope::parse(body.as_bytes()).and_then(|_| Envelope::strict(body.as_bytes()))?;
    let Some(Data::Strict(data)) = envelope.data else {
        return Ok(Page {
            is_end: true,
            ..Page::default()
        });
    };
    strict(data, keep)
}

fn framed(frame: &Frame<'_>, data: Value, keep: &Keep) -> Result<Page, Odd> {
    let (mut records, mut found) = (
        Vec::with_capacity(LIKELY_RECORDS),
        Vec::with_capacity(LIKELY_RECORDS),
    );
    let (mut signature, mut items, mut is_end) = (DefaultHasher::new(), frame.items(data)?, true);
    while items.item()? {
        is_end = false;
        if records.len() == MOST_RECORDS {
            return Err(Odd);
        }
        if let Some((record, rest)) = framed_record(frame, &mut items, &mut signature)? {
            records.push(record);
            found.push(rest);
        }
    }
    let keys: Vec<Option<Key>> = records.iter().map(|record| record.key).collect();
    for (at, parts) in keep.wanted(&keys) {
        let (
            record,
            Found {
                uuid,
                status,
                profile,
            },
        ) = (&mut records[at], &found[at]);
        let mut shown = shown(frame, *status, *profile, parts)?;
        shown.agent.clone_from(&record.agent);
        record.kept = Some((
            LeadId::new(uuid.as_ref()),
            Box::new(observed(shown, record.updated)),
        ));
    }
    Ok(Page {
        records,
        signature: signature.finish(),
        is_end,
        is_nowhere: false,
    })
}

fn strict(data: &RawValue, keep: &Keep) -> Result<Page, String> {
    let records: Vec<&RawValue> = serde_json::from_str(data.get())
        .map_err(|_| "`data` is not a list of records".to_owned())?;
    if records.len() > MOST_RECORDS {
        return Err(format!("`data` lists more than {MOST_RECORDS} records"));
    }
    let mut signature = DefaultHasher::new();
    let is_end = records.is_empty();
    let records = records
        .into_iter()
        .filter_map(|raw| strict_record(raw, keep, &mut signature))
        .collect();
    Ok(Page {
        records,
        signature: signature.finish(),
        is_end,
        is_nowhere: false,
    })
}

/// What a record shows, and is only decoded where it is wanted.
struct Found<'a> {
    uuid: Cow<'a, str>,
    status: Option<Value>,
    profile: Option<Value>,
}

/// The record that `items` has come to; goes over it.
fn framed_record<'a>(
    frame: &Frame<'a>,
    items: &mut Walk<'_, 'a>,
    signature: &mut DefaultHasher,
) -> Result<Option<(Record, Found<'a>)>, Odd> {
    let begin = items.begin();
    if !items.is_at_object() {
        let other = frame.slice(items.value()?);
        other.hash(signature);
        // A strict reader takes an array for an object without keys.
        return if other.first() == Some(&b'[') {
            Err(Odd)
        } else {
            Ok(None)
        };
    }
    let mut found = [None; 6];
    items.enter(b'{')?;
    while let Some(key) = items.member()? {
        let value = items.value()?;
        let place = match key.len() {
            4 if is(key, b"uuid") => 0,
            3 if is(key, b"_id") => 1,
            14 if is(key, b"_agentAssigned") => 2,
            9 if is(key, b"updatedAt") => 3,
            6 if is(key, b"status") => 4,
            7 if is(key, b"profile") => 5,
            _ => continue,
        };
        if found[place].replace(value).is_some() {
            return Err(Odd);
        }
    }
    let [uuid, id, agent, updated, status, profile] = found;
    let text = uuid
        .and_then(|uuid| text(frame.slice(uuid)))
        .filter(|uuid| !is_blank(uuid));
    let key = text.as_deref().map(Key::of);
    match key {
        Some(key) => signature.write_u64(key.number()),
        None => {
            let mut names = [uuid, id]
                .into_iter()
                .flatten()
                .filter(|name| frame.slice(*name) != b"null");
            let name = names.next().map_or_else(|| frame.complete(begin), Ok)?;
            frame.slice(name).hash(signature);
        }
    }
    let updated = updated.map_or(i64::MIN, |updated| milliseconds(frame.slice(updated)));
    let agent = agent.and_then(|agent| agent_of(frame.slice(agent)));
    let record = Record {
        key,
        updated,
        agent,
        kept: None,
    };
    Ok(Some((
        record,
        Found {
            uuid: text.unwrap_or_default(),
            status,
            profile,
        },
    )))
}

fn is_blank(text: &str) -> bool {
    !text
        .as_bytes()
        .first()
        .is_some_and(u8::is_ascii_alphanumeric)
        && text.trim().is_empty()
}

/// A comparison of known length, which is no call.
#[inline]
fn is<const N: usize>(key: &[u8], word: &[u8; N]) -> bool {
    key.first_chunk() == Some(word)
}

/// What the parts of a record show, but for its agent; all else is stepped over.
fn shown(
    frame: &Frame<'_>,
    status: Option<Value>,
    profile: Option<Value>,
    parts: Parts,
) -> Result<Shown, Odd> {
    let mut shown = Shown::default();
    if let Some(status) = status {
        shown.status = json(frame.slice(status))?;
    }
    let is_object = |value: &Value| frame.slice(*value).first() == Some(&b'{');
    let Some(profile) = profile.filter(is_object).filter(|_| parts != Parts::LEAST) else {
        return Ok(shown);
    };
    let (mut notes, mut details) = (None, None);
    let mut members = frame.members(profile)?;
    while let Some(key) = members.member()? {
        let value = members.value()?;
        let place = match key {
            b"notes" => &mut notes,
            b"userDetails" => &mut details,
            _ => continue,
        };
        if place.replace(value).is_some() {
            return Err(Odd);
        }
    }
    if let Some(notes) = notes.filter(|_| parts.has(Parts::NOTES)) {
        shown.notes = json(frame.slice(notes))?;
    }
    let Some(details) = details.filter(is_object) else {
        return Ok(shown);
    };
    let mut members = frame.members(details)?;
    while let Some(key) = members.member()? {
        let value = members.value()?;
        if let Some(place) = std::str::from_utf8(key)
            .ok()
            .and_then(|key| shown.detail(key, parts))
        {
            *place = json(frame.slice(value))?;
        }
    }
    Ok(shown)
}

fn json(bytes: &[u8]) -> Result<Json, Odd> {
    match bytes {
        // What most values are, without the detour.
        [b'"', text @ .., b'"'] if is_plain(text) => Ok(Json::String(lossy(text).into_owned())),
        _ => whole(&String::from_utf8_lossy(bytes)).ok_or(Odd),
    }
}

/// Whether a text stands for itself. Every byte is looked at, which is quicker than to look for the first one.
fn is_plain(text: &[u8]) -> bool {
    text.iter().fold(true, |plain, byte| {
        plain & (*byte != b'\\') & (*byte >= b' ')
    })
}

fn lossy(text: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(text).map_or_else(|_| String::from_utf8_lossy(text), Cow::Borrowed)
}

/// The few keys that every record is looked at for.
#[derive(Deserialize)]
struct Brief<'a> {
    #[serde(default, borrow)]
    uuid: Option<&'a RawValue>,
    #[serde(default, borrow, rename = "_id")]
    id: Option<&'a RawValue>,
    #[serde(default, borrow, rename = "_agentAssigned")]
    agent: Option<&'a RawValue>,
    #[serde(default, borrow, rename = "updatedAt")]
    updated: Option<&'a RawValue>,
}

fn strict_record(raw: &RawValue, keep: &Keep, signature: &mut DefaultHasher) -> Option<Record> {
    let Ok(brief) = serde_json::from_str::<Brief<'_>>(raw.get()) else {
        raw.get().as_bytes().hash(signature);
        return None;
    };
    let uuid = brief
        .uuid
        .and_then(|uuid| text(uuid.get().as_bytes()))
        .filter(|uuid| !is_blank(uuid));
    let key = uuid.as_deref().map(Key::of);
    match key {
        Some(key) => signature.write_u64(key.number()),
        None => brief
            .uuid
            .or(brief.id)
            .map_or(raw.get(), RawValue::get)
            .as_bytes()
            .hash(signature),
    }
    let updated = brief
        .updated
        .map_or(i64::MIN, |updated| milliseconds(updated.get().as_bytes()));
    let agent = brief
        .agent
        .and_then(|agent| agent_of(agent.get().as_bytes()));
    let kept = uuid.and_then(|uuid| {
        let (_, parts) = keep.wanted(&[key]).pop()?;
        let shown = Shown::of(whole(raw.get())?, parts);
        Some((LeadId::new(uuid), Box::new(observed(shown, updated))))
    });
    Some(Record {
        key,
        updated,
        agent,
        kept,
    })
}

/// A value, with what JavaScript gets wrong put right.
fn whole(json: &str) -> Option<Json> {
    serde_json::from_str(json)
        .or_else(|_| serde_json::from_str(&without_lone_surrogates(json)))
        .ok()
}

/// JavaScript cuts texts in the middle of an emoji and escapes the half that is left, which no strict reader takes.
fn without_lone_surrogates(json: &str) -> String {
    let unit = |at: usize| {
        json.get(at..at + 6)?
            .strip_prefix("\\u")
            .and_then(|digits| u16::from_str_radix(digits, 16).ok())
    };
    let mut whole = String::with_capacity(json.len());
    let mut at = 0;
    while let Some(found) = json[at..].find('\\') {
        let escape = at + found;
        whole.push_str(&json[at..escape]);
        let (text, length) = match (unit(escape), unit(escape + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => (&json[escape..escape + 12], 12),
            (Some(0xD800..=0xDFFF), _) => ("\\ufffd", 6),
            _ => {
                let length = 1 + json[escape + 1..].chars().next().map_or(0, char::len_utf8);
                (&json[escape..escape + length], length)
            }
        };
        whole.push_str(text);
        at = escape + length;
    }
    whole.push_str(&json[at..]);
    whole
}

/// A scalar as text, a number as it is written.
fn text(raw: &[u8]) -> Option<Cow<'_, str>> {
    match raw {
        [b'"', text @ .., b'"'] if is_plain(text) => Some(lossy(text)),
        _ => match serde_json::from_slice(raw).ok()? {
            Json::String(text) => Some(Cow::Owned(text)),
            Json::Number(number) => Some(Cow::Owned(number.to_string())),
            _ => None,
        },
    }
}

fn agent_of(raw: &[u8]) -> Option<AgentId> {
    match raw {
        b"null" => None,
        [b'"', id @ .., b'"'] if id.len() == 24 && is_plain(id) => {
            AgentId::parse(std::str::from_utf8(id).ok()?)
        }
        _ => agent(&serde_json::from_slice(raw).ok()?),
    }
}

fn milliseconds(raw: &[u8]) -> i64 {
    if let Some(at) = instant(raw) {
        return at;
    }
    match serde_json::from_slice(raw) {
        Ok(Json::String(text)) => text
            .trim()
            .parse()
            .map_or(i64::MIN, |at: jiff::Timestamp| at.as_millisecond()),
        Ok(Json::Number(number)) => number.as_i64().unwrap_or(i64::MIN),
        _ => i64::MIN,
    }
}

/// An instant as the platform writes it, `"2026-02-03T04:05:06.789Z"`; the last day of a February is left to the calendar.
fn instant(raw: &[u8]) -> Option<i64> {
    let [b'"', date @ .., b'"'] = raw else {
        return None;
    };
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        n1,
        n2,
        b':',
        s1,
        s2,
        b'.',
        f1,
        f2,
        f3,
        b'Z',
    ] = date
    else {
        return None;
    };
    let number = |digits: &[&u8]| {
        let digit = |number: Option<i64>, digit: &&u8| {
            Some(number? * 10 + i64::from(digit.is_ascii_digit().then(|| **digit - b'0')?))
        };
        digits.iter().fold(Some(0), digit)
    };
    let (year, month, day) = (
        number(&[y1, y2, y3, y4])?,
        number(&[m1, m2])?,
        number(&[d1, d2])?,
    );
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[n1, n2])?, number(&[s1, s2])?);
    let most =
        [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].get(usize::try_from(month - 1).ok()?)?;
    let fits = (1970..=9000).contains(&year) && (1..=*most).contains(&day);
    if !fits || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Years begin in March here, so that the day that comes and goes is the last one.
    let (years, months) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = years * 365 + years / 4 - years / 100 + years / 400 + (months * 153 + 2) / 5 + day
        - 1
        - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000 + number(&[f1, f2, f3])?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn instants_are_the_calendars(millis in 0_i64..200_000_000_000_000) {
            let text = format!("{:.3}", jiff::Timestamp::from_millisecond(millis).expect("a time"));
            let raw = format!("\"{text}\"");
            prop_assert!(instant(raw.as_bytes()).is_none_or(|at| at == millis), "{text}");
            prop_assert_eq!(milliseconds(raw.as_bytes()), millis);
        }
    }

    #[test]
    fn what_is_no_instant_is_left_to_the_calendar() {
        for text in [
            "2026-13-01T00:00:00.000Z",
            "2026-01-01T24:00:00.000Z",
            "2026-01-0xT00:00:00.000Z",
            "2026-01-01T00:00:00Z",
            "x",
        ] {
            assert_eq!(instant(format!("\"{text}\"").as_bytes()), None, "{text}");
        }
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

    proptest! {
        #[test]
        fn whatever_is_shown_is_read_in_one_way(records in records(), pretty in any::<bool>(), parts in 0_usize..3) {
            let data = if pretty { format!("{records:#}") } else { records.to_string() };
            let parts = [Parts::LEAST, Parts::TAGS.and(Parts::NOTES), Parts::ALL][parts];
            for keep in [Keep::All, Keep::only([(&LeadId::new("a"), parts), (&LeadId::new("7"), Parts::ALL)])] {
                // An array among the records is odd.
                if let (Ok(quick), strict) = both(&data, &keep) {
                    prop_assert_eq!(format!("{quick:?}"), format!("{strict:?}"));
                } else {
                    prop_assert!(records.as_array().is_some_and(|records| records.iter().any(Json::is_array)), "{}", data);
                }
            }
        }
    }

    fn both(data: &str, keep: &Keep) -> (Result<Page, Odd>, Page) {
        let body = format!("{{\"success\":true,\"data\":{data}}}");
        let Ok(Envelope {
            data: Some(Data::Framed(frame, data)),
            ..
        }) = Envelope::parse(body.as_bytes())
        else {
            panic!("not framed: {body}")
        };
        let raw: &RawValue = serde_json::from_slice(frame.slice(data)).expect("JSON");
        (
            framed(&frame, data, keep),
            strict(raw, keep).expect("a list"),
        )
    }

    #[test]
    fn a_text_of_empty_records_is_no_page() {
        let page = |records: usize| {
            let body = format!(
                "{{\"success\":true,\"data\":[{}{{}}]}}",
                "{},".repeat(records - 1)
            );
            super::page(
                body.as_bytes(),
                Envelope::parse(body.as_bytes()),
                &Keep::All,
            )
            .map(|page| page.records.len())
        };
        assert_eq!(page(MOST_RECORDS), Ok(MOST_RECORDS));
        assert_eq!(
            page(MOST_RECORDS + 1),
            Err("`data` lists more than 500000 records".to_owned())
        );
    }

    #[test]
    fn the_quick_way_reads_what_the_strict_one_reads() {
        let data = r#"[ null, 1, "x", {}, {"uuid":null}, {"uuid":7, "_agentAssigned":null}, {"uuid":" "}, {"uuid":"a\u0062"},
            {"uuid":"b","status":"OPEN","_agentAssigned":{"_id":"631AA793bcfa100487d13d0d"},"profile":{"userDetails":{"name":"N \ud83d\ude00",
            "tags":["x"," y ",5],"attributes":[{"key":"k","value":1.50},{"key":"l","value":"\ud800"}],"city":"P","gender":7,
            "contact":{"email":"a@b.c","phone":{"number":"98","prefix":"91"}},"picture":"p"},"notes":[{"title":"t","_id":"5"}]},
            "updatedAt":"2026-02-03T04:05:06.789Z"}, {"uuid":"c","profile":[],"status":5,"updatedAt":7},
            {"uuid":"d","profile":{"userDetails":[],"notes":{}},"updatedAt":"x"} ]"#;
        let (b, d) = (LeadId::new("b"), LeadId::new("d"));
        for keep in [
            Keep::All,
            Keep::only([(&b, Parts::TAGS.and(Parts::NOTES)), (&d, Parts::LEAST)]),
        ] {
            let (quick, strict) = both(data, &keep);
            let quick = quick.expect("nothing odd");
            assert_eq!(format!("{quick:?}"), format!("{strict:?}"));
            assert_eq!(
                quick
                    .records
                    .iter()
                    .filter(|record| record.kept.is_some())
                    .count(),
                if matches!(keep, Keep::All) { 5 } else { 2 }
            );
        }
    }
}
