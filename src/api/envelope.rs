//! The envelope of every answer: `{ success, message, code, data? }`, read tolerantly, and its words made fit to print.

use serde::Deserialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;

/// The longest of the platform's words that a message repeats, in characters.
const WORDS: usize = 300;

/// An envelope whose data is not decoded yet.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope<'a> {
    #[serde(default)]
    success: Option<Json>,
    #[serde(default)]
    message: Option<Json>,
    #[serde(default)]
    code: Option<Json>,
    #[serde(default, borrow)]
    pub(super) data: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// Reads an envelope that tells of success.
    ///
    /// # Errors
    /// Words for what the body is instead.
    pub(super) fn read(body: &'a [u8]) -> Result<Self, String> {
        let envelope = Self::parse(body)?;
        if envelope.failed() { Err(format!("the platform says it failed: {}", envelope.words())) } else { Ok(envelope) }
    }

    /// Reads any envelope.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, String> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        match first {
            None => return Err("the answer is empty".to_owned()),
            Some(b'{') => {}
            Some(b'<') => return Err("the answer is a web page, not JSON: something stands between here and the API".to_owned()),
            Some(_) => return Err("the answer is not a JSON object".to_owned()),
        }
        serde_json::from_slice(body).map_err(|error| {
            if error.is_eof() { "the answer is cut off".to_owned() } else { "the answer is not valid JSON".to_owned() }
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
        match self.data.and_then(|data| serde_json::from_str(data.get()).ok()) {
            Some(Json::Array(reasons)) => reasons.iter().for_each(&mut add),
            Some(reason @ Json::String(_)) => add(&reason),
            _ => {}
        }
        if words.is_empty() { "(no message)".to_owned() } else { words.join("; ") }
    }
}

/// The words of a body of any kind, as they are: they may hold anything.
pub(super) fn words(body: &[u8]) -> String {
    match Envelope::parse(body) {
        Ok(envelope) => envelope.words(),
        Err(instead) => instead,
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
