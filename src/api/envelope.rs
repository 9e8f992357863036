//! The envelope of every answer, `{ success, message, code, data? }`, read in one pass.
//!
//! Flow: the bytes of a body and a [`Records`] that takes the records of `data` as they are read go in; an [`Envelope`] comes
//! out. Only the platform's message is kept of the body. The library skips values that are not needed
//! without building them, so that neither their size nor their depth costs memory.
//!
//! Tolerated: a byte order mark, invalid UTF-8 (replaced by U+FFFD), halves of escaped surrogate pairs, members of any type.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The maximum length of the platform's message in ours, in characters.
const WORDS: usize = 300;
/// The number of texts kept of a message or of `data`: more than fit into [`WORDS`].
const MAX_TEXTS: usize = 32;

/// What an answer says about itself.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    /// `success` is present and false.
    pub(super) failed: bool,
    /// The status in `code`.
    pub(super) code: Option<u16>,
    /// The type of `data`.
    pub(super) data: Data,
    /// The message, then the reasons if `data` lists them.
    texts: Vec<String>,
}

/// The type of an envelope's `data`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Data {
    /// Missing or null.
    #[default]
    Absent,
    /// An array.
    List,
    /// Anything else.
    Other,
}

/// Takes the items of `data`.
pub(super) trait Records {
    /// Takes an item that is an object. All its members must be read.
    fn record<'de, A: MapAccess<'de>>(&mut self, members: A) -> Result<(), A::Error>;

    /// Takes an item of any other type.
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
    /// Reads a body and passes its records to `records`, which is returned.
    ///
    /// # Errors
    /// What is wrong with the body.
    pub(super) fn read<R: Records + Clone>(body: &[u8], records: R) -> Result<(Self, R), String> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
            None => return Err("the answer is empty".to_owned()),
            Some(b'{') => {}
            Some(b'<') => {
                return Err(
                    "the answer is a web page, not JSON: a proxy or a gateway may be in between"
                        .to_owned(),
                );
            }
            Some(_) => return Err("the answer is not a JSON object".to_owned()),
        }
        // One check of the whole body is faster than a check of each text.
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

    /// The platform's own message, and the reasons if `data` lists them.
    pub(super) fn words(&self) -> String {
        if self.texts.is_empty() {
            "(no message)".to_owned()
        } else {
            self.texts.join("; ")
        }
    }
}

/// The text of an answer of any kind, unescaped.
pub(super) fn words(envelope: &Result<Envelope, String>) -> String {
    match envelope {
        Ok(envelope) => envelope.words(),
        Err(instead) => instead.clone(),
    }
}

/// A text for a message: on one line and not too long.
pub(super) fn trimmed(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(WORDS) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// Reads JSON; if that fails, once more with halves of surrogate pairs replaced.
///
/// JavaScript may cut a text inside an emoji and escape the remaining half, which the library rejects.
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
        while let Some(member) = members.next_key_seed(key_of(EnvelopeMember::parse))? {
            match member {
                EnvelopeMember::Success => {
                    let success: &RawValue = members.next_value()?;
                    envelope.failed = matches!(success.get(), "false" | "\"false\"");
                }
                EnvelopeMember::Code => {
                    let code: &RawValue = members.next_value()?;
                    envelope.code = code.get().trim_matches('"').parse().ok();
                }
                EnvelopeMember::Message => {
                    let message: &RawValue = members.next_value()?;
                    envelope.texts = texts(message.get());
                }
                EnvelopeMember::Data if has_data => return Err(A::Error::custom("`data` twice")),
                EnvelopeMember::Data => {
                    has_data = true;
                    let items = Items {
                        records: &mut *self.0,
                        texts: &mut reasons,
                        is_item: false,
                    };
                    envelope.data = members.next_value_seed(items)?;
                }
                EnvelopeMember::Unknown => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        envelope.texts.append(&mut reasons);
        Ok(envelope)
    }
}

#[derive(Clone, Copy)]
enum EnvelopeMember {
    Success,
    Message,
    Code,
    Data,
    Unknown,
}

impl EnvelopeMember {
    fn parse(key: &str) -> Self {
        match key {
            "success" => Self::Success,
            "message" => Self::Message,
            "code" => Self::Code,
            "data" => Self::Data,
            _ => Self::Unknown,
        }
    }
}

/// Reads a key by a function, so that no text is allocated.
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

/// The texts of a message: one text or a list.
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

/// Reads a value of any type: `data`, a message, or one item of it.
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
            // Whole: half a token could not be found in it.
            self.texts.push(text.to_owned());
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
