//! The envelope of every answer, `{ success, message, code, data? }`, read in one pass.
//!
//! Flow: the bytes of a body go in, with a [`Records`] that takes the records of `data` as they are come to; an [`Envelope`] comes
//! out. Nothing of the body is kept but the platform's words. Values that are not asked for are passed over by the library without
//! being built, so that neither their size nor their depth costs memory.
//!
//! Tolerated: a byte order mark, bytes that are not UTF-8 (they become U+FFFD), halves of escaped surrogate pairs, members of any type.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The longest of the platform's words that a message repeats, in characters.
const WORDS: usize = 300;
/// Texts kept of a message or of `data`: more than [`WORDS`] has room for.
const MAX_TEXTS: usize = 32;

/// What an answer says of itself.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    /// `success` is there and false.
    pub(super) failed: bool,
    /// The status that the platform repeats in `code`.
    pub(super) code: Option<u16>,
    /// It has one of the platform's members, so it is not just any JSON object.
    pub(super) is_platform: bool,
    /// The type of `data`.
    pub(super) data: Data,
    /// The message, then the reasons where `data` lists them.
    texts: Vec<String>,
}

/// The type of an envelope's `data`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Data {
    /// It is missing or null.
    #[default]
    Absent,
    /// An array.
    List,
    /// Anything else.
    Other,
}

/// Takes the items of `data`.
pub(super) trait Records {
    /// Takes an item that is an object. All of its members have to be read.
    fn record<'de, A: MapAccess<'de>>(&mut self, members: A) -> Result<(), A::Error>;

    /// Takes an item that is anything else.
    fn other(&mut self);
}

/// For answers without records.
#[derive(Clone)]
pub(super) struct NoRecords;

impl Records for NoRecords {
    fn record<'de, A: MapAccess<'de>>(&mut self, mut members: A) -> Result<(), A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn other(&mut self) {}
}

impl Envelope {
    /// Reads a body and gives its records to `records`, which is returned.
    ///
    /// # Errors
    /// A description of what the body is instead.
    pub(super) fn read<R: Records + Clone>(body: &[u8], records: R) -> Result<(Self, R), String> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
            None => return Err("the answer is empty".to_owned()),
            Some(b'{') => {}
            Some(b'<') => {
                return Err(
                    "the answer is a web page, not JSON: something stands between here and the API"
                        .to_owned(),
                );
            }
            Some(_) => return Err("the answer is not a JSON object".to_owned()),
        }
        // Checked once as a whole, which is faster than text by text.
        let text =
            std::str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed);
        with_whole_surrogates(&text, |text| parse(text, records.clone())).map_err(|error| {
            if error.is_eof() {
                "the answer is cut off".to_owned()
            } else {
                "the answer is not valid JSON".to_owned()
            }
        })
    }

    /// The platform's own words: the message, and the reasons where `data` lists them.
    pub(super) fn words(&self) -> String {
        if self.texts.is_empty() {
            "(no message)".to_owned()
        } else {
            self.texts.join("; ")
        }
    }
}

/// The words of an answer of any kind, as they are: they may hold anything.
pub(super) fn words(envelope: &Result<Envelope, String>) -> String {
    match envelope {
        Ok(envelope) => envelope.words(),
        Err(instead) => instead.clone(),
    }
}

/// Words as a message repeats them: on one line, and not too long.
pub(super) fn trimmed(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(WORDS) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// Reads JSON, and once more with halves of surrogate pairs replaced where it cannot be read as it is.
///
/// JavaScript cuts texts in the middle of an emoji and escapes the half that is left. The library takes that for an error.
pub(super) fn with_whole_surrogates<T>(
    json: &str,
    mut read: impl FnMut(&str) -> serde_json::Result<T>,
) -> serde_json::Result<T> {
    read(json).or_else(|error| match without_lone_surrogates(json) {
        Cow::Borrowed(_) => Err(error),
        Cow::Owned(whole) => read(&whole),
    })
}

fn without_lone_surrogates(json: &str) -> Cow<'_, str> {
    let unit = |at: usize| {
        json.get(at..at + 6)?
            .strip_prefix("\\u")
            .and_then(|digits| u16::from_str_radix(digits, 16).ok())
    };
    let mut whole = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = json[at..].find('\\') {
        let escape = at + found;
        at = match (unit(escape), unit(escape + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => escape + 12,
            (Some(0xD800..=0xDFFF), _) => {
                whole.push_str(&json[copied..escape]);
                whole.push_str("\\ufffd");
                copied = escape + 6;
                copied
            }
            _ => escape + 1 + json[escape + 1..].chars().next().map_or(0, char::len_utf8),
        };
    }
    if whole.is_empty() {
        return Cow::Borrowed(json);
    }
    whole.push_str(&json[copied..]);
    Cow::Owned(whole)
}

fn parse<R: Records>(text: &str, mut records: R) -> serde_json::Result<(Envelope, R)> {
    let mut json = serde_json::Deserializer::from_str(text);
    let envelope = serde::Deserializer::deserialize_map(&mut json, Members(&mut records))?;
    json.end()?;
    Ok((envelope, records))
}

/// Reads the members of an envelope.
struct Members<'r, R>(&'r mut R);

impl<'de, R: Records> Visitor<'de> for Members<'_, R> {
    type Value = Envelope;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an envelope")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Envelope, A::Error> {
        let mut envelope = Envelope::default();
        let (mut reasons, mut has_data) = (Vec::new(), false);
        while let Some(member) = members.next_key_seed(key_of(Member::of))? {
            match member {
                Member::Success => {
                    let success: &RawValue = members.next_value()?;
                    envelope.failed = matches!(success.get(), "false" | "\"false\"");
                    envelope.is_platform |= success.get() != "null";
                }
                Member::Code => {
                    let code: &RawValue = members.next_value()?;
                    envelope.code = code.get().trim_matches('"').parse().ok();
                    envelope.is_platform |= code.get() != "null";
                }
                Member::Message => {
                    let message: &RawValue = members.next_value()?;
                    envelope.texts = texts(message.get());
                }
                Member::Data if has_data => return Err(A::Error::custom("`data` twice")),
                Member::Data => {
                    has_data = true;
                    let items = Items {
                        records: &mut *self.0,
                        texts: &mut reasons,
                        is_item: false,
                    };
                    envelope.data = members.next_value_seed(items)?;
                    envelope.is_platform |= envelope.data != Data::Absent;
                }
                Member::Unknown => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        envelope.texts.append(&mut reasons);
        Ok(envelope)
    }
}

#[derive(Clone, Copy)]
enum Member {
    Success,
    Message,
    Code,
    Data,
    Unknown,
}

impl Member {
    fn of(key: &str) -> Self {
        match key {
            "success" => Self::Success,
            "message" => Self::Message,
            "code" => Self::Code,
            "data" => Self::Data,
            _ => Self::Unknown,
        }
    }
}

/// Reads a key as what a function makes of it, so that no text is allocated.
pub(super) fn key_of<T, F: FnOnce(&str) -> T>(make: F) -> KeyOf<F> {
    KeyOf(make)
}

pub(super) struct KeyOf<F>(F);

impl<'de, T, F: FnOnce(&str) -> T> DeserializeSeed<'de> for KeyOf<F> {
    type Value = T;

    fn deserialize<D: serde::Deserializer<'de>>(self, key: D) -> Result<T, D::Error> {
        key.deserialize_identifier(self)
    }
}

impl<T, F: FnOnce(&str) -> T> Visitor<'_> for KeyOf<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<T, E> {
        Ok(self.0(key))
    }
}

/// The texts of a message: a text, or a list of some.
fn texts(json: &str) -> Vec<String> {
    let read = |json: &str| {
        let mut texts = Vec::new();
        let items = Items {
            records: &mut NoRecords,
            texts: &mut texts,
            is_item: false,
        };
        items.deserialize(&mut serde_json::Deserializer::from_str(json))?;
        Ok(texts)
    };
    with_whole_surrogates(json, read).unwrap_or_default()
}

/// Reads a value of any type: `data` or a message, or one item of it.
struct Items<'r, R> {
    records: &'r mut R,
    texts: &'r mut Vec<String>,
    is_item: bool,
}

impl<R: Records> Items<'_, R> {
    fn scalar(self) -> Data {
        if self.is_item {
            self.records.other();
        }
        Data::Other
    }
}

impl<'de, R: Records> DeserializeSeed<'de> for Items<'_, R> {
    type Value = Data;

    fn deserialize<D: serde::Deserializer<'de>>(self, value: D) -> Result<Data, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de, R: Records> Visitor<'de> for Items<'_, R> {
    type Value = Data;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Data, A::Error> {
        if self.is_item {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(self.scalar());
        }
        let Self { records, texts, .. } = self;
        loop {
            let item = Items {
                records: &mut *records,
                texts: &mut *texts,
                is_item: true,
            };
            if items.next_element_seed(item)?.is_none() {
                return Ok(Data::List);
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Data, A::Error> {
        if self.is_item {
            self.records.record(members)?;
        } else {
            NoRecords.record(members)?;
        }
        Ok(Data::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Data, E> {
        let text = text.trim();
        if self.texts.len() < MAX_TEXTS && !text.is_empty() {
            self.texts.push(text.chars().take(WORDS + 1).collect());
        }
        Ok(self.scalar())
    }

    fn visit_unit<E>(self) -> Result<Data, E> {
        self.scalar();
        Ok(Data::Absent)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Data, E> {
        Ok(self.scalar())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Data, E> {
        Ok(self.scalar())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Data, E> {
        Ok(self.scalar())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Data, E> {
        Ok(self.scalar())
    }
}
