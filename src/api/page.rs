//! A page of the listing, from the bytes of an answer.
//!
//! Of every record the few keys are read that each is looked at for; of a record that is wanted, the values that are wanted of
//! it. All else is stepped over by [`Frame`]. A page with anything odd in it is read by a strict reader instead, which takes
//! whatever can be taken and has the words for what cannot.

use std::borrow::Cow;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;

use foldhash::quality::RandomState;
use serde::Deserialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::envelope::{Data, Envelope};
use super::frame::{Frame, Odd, Value};
use super::wire::{Shown, agent, observed};
use crate::lead::{AgentId, LeadId, Parts};
use crate::observe::{Keep, Page, Record};

/// Room is made for so many records of a page at once.
const LIKELY_RECORDS: usize = 200;

/// Decodes a listing that was answered with success.
///
/// # Errors
/// Words for what the body is instead: not JSON, cut off, `success: false`, or data of another type.
pub(super) fn page(body: &[u8], envelope: Result<Envelope<'_>, String>, keep: &Keep) -> Result<Page, String> {
    match envelope {
        Ok(Envelope { data: None, .. }) => return Ok(Page { is_end: true, ..Page::default() }),
        Ok(Envelope { data: Some(Data::Framed(frame, data)), .. }) => {
            if let Ok(page) = framed(&frame, data, keep) {
                return Ok(page);
            }
        }
        _ => {}
    }
    let body = String::from_utf8_lossy(body);
    let envelope = Envelope::parse(body.as_bytes()).and_then(|_| Envelope::strict(body.as_bytes()))?;
    let Some(Data::Strict(data)) = envelope.data else { return Ok(Page { is_end: true, ..Page::default() }) };
    strict(data, keep)
}

fn framed(frame: &Frame<'_>, data: Value, keep: &Keep) -> Result<Page, Odd> {
    let mut signature = DefaultHasher::new();
    let (mut items, mut records, mut is_end) = (frame.items(data)?, Vec::with_capacity(LIKELY_RECORDS), true);
    while let Some(item) = items.next()? {
        is_end = false;
        records.extend(framed_record(frame, item, keep, &mut signature)?);
    }
    Ok(Page { records, signature: signature.finish(), is_end, is_nowhere: false })
}

fn strict(data: &RawValue, keep: &Keep) -> Result<Page, String> {
    let records: Vec<&RawValue> = serde_json::from_str(data.get()).map_err(|_| "`data` is not a list of records".to_owned())?;
    let mut signature = DefaultHasher::new();
    let is_end = records.is_empty();
    let records = records.into_iter().filter_map(|raw| strict_record(raw, keep, &mut signature)).collect();
    Ok(Page { records, signature: signature.finish(), is_end, is_nowhere: false })
}

fn framed_record(frame: &Frame<'_>, record: Value, keep: &Keep, signature: &mut DefaultHasher) -> Result<Option<Record>, Odd> {
    if !frame.is_object(record) {
        frame.slice(record).hash(signature);
        // A strict reader takes an array for an object without keys.
        return if frame.slice(record).first() == Some(&b'[') { Err(Odd) } else { Ok(None) };
    }
    let mut found = [None; 6];
    let mut members = frame.members(record)?;
    while let Some((key, value)) = members.next()? {
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
    let [uuid, id, agent, updated, status, profile] = found.map(|found| found.filter(|value| frame.slice(*value) != b"null"));
    let named = uuid.or(id).unwrap_or(record);
    let uuid = uuid.and_then(|uuid| match frame.plain(uuid).map(std::str::from_utf8) {
        Some(Ok(text)) => Some(Cow::Borrowed(text)),
        _ => text(frame.slice(uuid)),
    });
    let uuid = uuid.filter(|uuid| uuid.starts_with(|first: char| first.is_ascii_alphanumeric()) || !uuid.trim().is_empty());
    let key = uuid.as_deref().map(hash);
    match key {
        Some(key) => signature.write_u64(key),
        None => frame.slice(named).hash(signature),
    }
    let updated = updated.map_or(i64::MIN, |updated| milliseconds(frame.slice(updated)));
    let assigned = agent.and_then(|agent| agent_of(frame.slice(agent)));
    let parts = uuid.as_deref().and_then(|uuid| keep.parts(uuid));
    let kept = match (uuid, parts) {
        (Some(uuid), Some(parts)) => {
            let mut shown = shown(frame, status, profile, parts)?;
            shown.agent.clone_from(&assigned);
            Some((LeadId::new(uuid), Box::new(observed(shown, updated))))
        }
        _ => None,
    };
    Ok(Some(Record { key, updated, agent: assigned, kept }))
}

/// A comparison of known length, which is no call.
#[inline]
fn is<const N: usize>(key: &[u8], word: &[u8; N]) -> bool {
    key.first_chunk() == Some(word)
}

/// What the parts of a record show, but for its agent; all else is stepped over.
fn shown(frame: &Frame<'_>, status: Option<Value>, profile: Option<Value>, parts: Parts) -> Result<Shown, Odd> {
    let mut shown = Shown::default();
    if let Some(status) = status {
        shown.status = json(frame.slice(status))?;
    }
    let is_object = |value: &Value| frame.is_object(*value);
    let Some(profile) = profile.filter(is_object).filter(|_| parts != Parts::LEAST) else { return Ok(shown) };
    if parts.has(Parts::NOTES)
        && let Some(notes) = frame.members(profile)?.find(b"notes")?
    {
        shown.notes = json(frame.slice(notes))?;
    }
    let details = frame.members(profile)?.find(b"userDetails")?;
    let Some(details) = details.filter(is_object) else { return Ok(shown) };
    let mut members = frame.members(details)?;
    while let Some((key, value)) = members.next()? {
        if let Some(place) = std::str::from_utf8(key).ok().and_then(|key| shown.detail(key, parts)) {
            *place = json(frame.slice(value))?;
        }
    }
    Ok(shown)
}

fn json(bytes: &[u8]) -> Result<Json, Odd> {
    match bytes {
        // What most values are, without the detour.
        [b'"', text @ .., b'"'] if is_plain(text) => Ok(Json::String(String::from_utf8_lossy(text).into_owned())),
        _ => whole(&String::from_utf8_lossy(bytes)).ok_or(Odd),
    }
}

/// Whether a text stands for itself.
fn is_plain(text: &[u8]) -> bool {
    text.iter().all(|byte| *byte != b'\\' && *byte >= b' ')
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
    let uuid = brief.uuid.and_then(|uuid| text(uuid.get().as_bytes())).filter(|uuid| !uuid.trim().is_empty());
    let key = uuid.as_deref().map(hash);
    match key {
        Some(key) => signature.write_u64(key),
        None => brief.uuid.or(brief.id).map_or(raw.get(), RawValue::get).as_bytes().hash(signature),
    }
    let updated = brief.updated.map_or(i64::MIN, |updated| milliseconds(updated.get().as_bytes()));
    let agent = brief.agent.and_then(|agent| agent_of(agent.get().as_bytes()));
    let kept = uuid.and_then(|uuid| {
        let parts = keep.parts(&uuid)?;
        let shown = Shown::of(whole(raw.get())?, parts);
        Some((LeadId::new(uuid), Box::new(observed(shown, updated))))
    });
    Some(Record { key, updated, agent, kept })
}

/// A value, with what JavaScript gets wrong put right.
fn whole(json: &str) -> Option<Json> {
    serde_json::from_str(json).or_else(|_| serde_json::from_str(&without_lone_surrogates(json))).ok()
}

/// JavaScript cuts texts in the middle of an emoji and escapes the half that is left, which no strict reader takes.
fn without_lone_surrogates(json: &str) -> String {
    let unit = |at: usize| json.get(at..at + 6)?.strip_prefix("\\u").and_then(|digits| u16::from_str_radix(digits, 16).ok());
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

fn hash(uuid: &str) -> u64 {
    static KEYS: OnceLock<RandomState> = OnceLock::new();
    KEYS.get_or_init(RandomState::default).hash_one(uuid)
}

/// A scalar as text, a number as it is written.
fn text(raw: &[u8]) -> Option<Cow<'_, str>> {
    match raw {
        [b'"', text @ .., b'"'] if is_plain(text) => Some(String::from_utf8_lossy(text)),
        _ => match serde_json::from_slice(raw).ok()? {
            Json::String(text) => Some(Cow::Owned(text)),
            Json::Number(number) => Some(Cow::Owned(number.to_string())),
            _ => None,
        },
    }
}

fn agent_of(raw: &[u8]) -> Option<AgentId> {
    match raw {
        [b'"', id @ .., b'"'] if id.len() == 24 && is_plain(id) => AgentId::parse(std::str::from_utf8(id).ok()?),
        _ => agent(&serde_json::from_slice(raw).ok()?),
    }
}

fn milliseconds(raw: &[u8]) -> i64 {
    if let Some(at) = instant(raw) {
        return at;
    }
    match serde_json::from_slice(raw) {
        Ok(Json::String(text)) => text.trim().parse().map_or(i64::MIN, |at: jiff::Timestamp| at.as_millisecond()),
        Ok(Json::Number(number)) => number.as_i64().unwrap_or(i64::MIN),
        _ => i64::MIN,
    }
}

/// An instant as the platform writes it, `"2026-02-03T04:05:06.789Z"`; the last days of a month are left to the calendar.
fn instant(raw: &[u8]) -> Option<i64> {
    let [b'"', date @ .., b'"'] = raw else { return None };
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2, b'.', f1, f2, f3, b'Z'] = date
    else {
        return None;
    };
    let number = |digits: &[&u8]| {
        let digit =
            |number: Option<i64>, digit: &&u8| Some(number? * 10 + i64::from(digit.is_ascii_digit().then(|| **digit - b'0')?));
        digits.iter().fold(Some(0), digit)
    };
    let (year, month, day) = (number(&[y1, y2, y3, y4])?, number(&[m1, m2])?, number(&[d1, d2])?);
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[n1, n2])?, number(&[s1, s2])?);
    let fits = (1970..=9000).contains(&year) && (1..=12).contains(&month) && (1..=28).contains(&day);
    if !fits || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Years begin in March here, so that the day that comes and goes is the last one.
    let (years, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = years * 365 + years / 4 - years / 100 + years / 400 + (months * 153 + 2) / 5 + day - 1 - 719_468;
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
        for text in
            ["2026-13-01T00:00:00.000Z", "2026-01-01T24:00:00.000Z", "2026-01-0xT00:00:00.000Z", "2026-01-01T00:00:00Z", "x"]
        {
            assert_eq!(instant(format!("\"{text}\"").as_bytes()), None, "{text}");
        }
    }

    fn both(data: &str, keep: &Keep) -> (Page, Page) {
        let body = format!("{{\"success\":true,\"data\":{data}}}");
        let frame = Frame::of(body.as_bytes()).expect("framed");
        let data = frame.members(frame.root().expect("framed")).and_then(|members| members.find(b"data")).expect("framed");
        let data = data.expect("data");
        let raw: &RawValue = serde_json::from_slice(frame.slice(data)).expect("JSON");
        (framed(&frame, data, keep).expect("nothing odd"), strict(raw, keep).expect("a list"))
    }

    #[test]
    fn the_quick_way_reads_what_the_strict_one_reads() {
        let data = r#"[ null, 1, "x", {}, {"uuid":null}, {"uuid":7, "_agentAssigned":null}, {"uuid":" "}, {"uuid":"a\u0062"},
            {"uuid":"b","status":"OPEN","_agentAssigned":{"_id":"631AA793bcfa100487d13d0d"},"profile":{"userDetails":{"name":"N \ud83d\ude00",
            "tags":["x"," y ",5],"attributes":[{"key":"k","value":1.50},{"key":"l","value":"\ud800"}],"city":"P","gender":7,
            "contact":{"email":"a@b.c","phone":{"number":"98","prefix":"91"}},"picture":"p"},"notes":[{"title":"t","_id":"5"}]},
            "updatedAt":"2026-02-03T04:05:06.789Z"}, {"uuid":"c","profile":[],"status":5,"updatedAt":7},
            {"uuid":"d","profile":{"userDetails":[],"notes":{}},"updatedAt":"x"} ]"#;
        for keep in [Keep::All, Keep::only([(LeadId::new("b"), Parts::TAGS.and(Parts::NOTES)), (LeadId::new("d"), Parts::LEAST)])]
        {
            let (quick, strict) = both(data, &keep);
            assert_eq!(format!("{quick:?}"), format!("{strict:?}"));
            assert_eq!(
                quick.records.iter().filter(|record| record.kept.is_some()).count(),
                if matches!(keep, Keep::All) { 5 } else { 2 }
            );
        }
    }
}
