//! The envelope of every answer: `{ success, message, code, data? }`, read tolerantly, and its words made fit to print.

use serde::Deserialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::frame::{Frame, Odd, Value};

/// The longest of the platform's words that a message repeats, in characters.
const WORDS: usize = 300;

/// An envelope whose data is not decoded yet.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    success: Option<Json>,
    message: Option<Json>,
    code: Option<Json>,
    pub(super) data: Option<Data<'a>>,
}

/// The data of an envelope.
#[derive(Debug)]
pub(super) enum Data<'a> {
    /// Its place in an answer that has been framed, and not been checked.
    Framed(Frame<'a>, Value),
    /// As a strict reader found it.
    Strict(&'a RawValue),
}

/// As a strict reader takes it.
#[derive(Deserialize)]
struct Strict<'a> {
    #[serde(default)]
    success: Option<Json>,
    #[serde(default)]
    message: Option<Json>,
    #[serde(default)]
    code: Option<Json>,
    #[serde(default, borrow)]
    data: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// Reads any envelope; what is in its data may be no JSON at all.
    ///
    /// # Errors
    /// Words for what the body is instead.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, String> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        match first {
            None => Err("the answer is empty".to_owned()),
            Some(b'{') => Self::framed(body).or_else(|Odd| Self::strict(body)),
            Some(b'<') => Err(
                "the answer is a web page, not JSON: something stands between here and the API"
                    .to_owned(),
            ),
            Some(_) => Err("the answer is not a JSON object".to_owned()),
        }
    }

    fn framed(body: &'a [u8]) -> Result<Self, Odd> {
        let frame = Frame::of(body)?;
        let mut found = [None, None, None, None];
        let mut members = frame.walk();
        members.enter(b'{')?;
        while let Some(key) = members.member()? {
            let value = members.value()?;
            let known = ["success", "message", "code", "data"]
                .iter()
                .position(|known| known.as_bytes() == key);
            if known.is_some_and(|known| found[known].replace(value).is_some()) {
                return Err(Odd);
            }
        }
        members.end()?;
        let [success, message, code, data] = found;
        let read = |value: Option<Value>| match value {
            Some(value) => {
                serde_json::from_slice::<Option<Json>>(frame.slice(value)).map_err(|_| Odd)
            }
            None => Ok(None),
        };
        let (success, message, code) = (read(success)?, read(message)?, read(code)?);
        let data = data.filter(|data| frame.slice(*data) != b"null");
        Ok(Self {
            success,
            message,
            code,
            data: data.map(|data| Data::Framed(frame, data)),
        })
    }

    /// Reads an envelope of which every byte is JSON.
    ///
    /// # Errors
    /// Words for what the body is instead.
    pub(super) fn strict(body: &'a [u8]) -> Result<Self, String> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let read: Result<Strict<'a>, _> = serde_json::from_slice(body);
        let Strict {
            success,
            message,
            code,
            data,
        } = read.map_err(|error| {
            if error.is_eof() {
                "the answer is cut off".to_owned()
            } else {
                "the answer is not valid JSON".to_owned()
            }
        })?;
        Ok(Self {
            success,
            message,
            code,
            data: data.map(Data::Strict),
        })
    }

    /// `success` is there and says no.
    pub(super) fn failed(&self) -> bool {
        match &self.success {
            Some(Json::Bool(success)) => !success,
            Some(Json::String(success)) => success == "false",
            _ => false,
        }
    }

    /// The status that the platform echoes in `code`.
    pub(super) fn code(&self) -> Option<u16> {
        match &self.code {
            Some(Json::Number(code)) => code.as_u64().and_then(|code| u16::try_from(code).ok()),
            Some(Json::String(code)) => code.parse().ok(),
            _ => None,
        }
    }

    /// Whether this is an envelope of the platform's at all, and not any JSON object.
    pub(super) fn is_platform(&self) -> bool {
        self.success.is_some() || self.code.is_some() || self.data.is_some()
    }

    /// The platform's own words: the message, and the reasons where `data` lists them.
    pub(super) fn words(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        let mut add = |json: &Json| match json {
            Json::String(text) if !text.trim().is_empty() => words.push(text.trim().to_owned()),
            _ => {}
        };
        match &self.message {
            Some(Json::Array(items)) => items.iter().for_each(&mut add),
            Some(message) => add(message),
            None => {}
        }
        let data = self.data.as_ref().map(|data| match data {
            Data::Framed(frame, value) => frame.slice(*value),
            Data::Strict(raw) => raw.get().as_bytes(),
        });
        match data.and_then(|data| serde_json::from_slice(data).ok()) {
            Some(Json::Array(reasons)) => reasons.iter().for_each(&mut add),
            Some(reason @ Json::String(_)) => add(&reason),
            _ => {}
        }
        if words.is_empty() {
            "(no message)".to_owned()
        } else {
            words.join("; ")
        }
    }
}

/// The words of an answer of any kind, as they are: they may hold anything.
pub(super) fn words(envelope: &Result<Envelope<'_>, String>) -> String {
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
