//! Documents that are read back: each is compared with its schema before anything is taken from it.
//!
//! # Flow
//! 1. The text is read as JSON.
//! 2. The version of its format, where it has one, is checked, so that a later document is not reported as a wrong one.
//! 3. Its schema, which is derived from the type that is read, decides whether it is as it should be.
//! 4. The type is read from it.
//!
//! A document that is not as its schema says is refused with a [`SchemaFault`]: the place as a JSON pointer, the line, and the schema's rule.
//! Of the value itself nothing is shown: it may be about people.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::text::visible;

mod entries;
mod place;

pub(crate) use entries::RawEntries;
use place::{line_at, line_of};

/// Where a document is not as its schema says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {}{problem}", words(place.as_deref()))]
pub struct SchemaFault {
    /// The line, from 1.
    pub line: u64,
    /// A JSON pointer, empty for the document itself; `None` where the text is not JSON.
    pub place: Option<String>,
    /// The rule that it breaks.
    pub problem: String,
}

fn words(place: Option<&str>) -> String {
    match place {
        None => String::new(),
        Some("") => "/: ".to_owned(),
        Some(place) => format!("{}: ", visible(place)),
    }
}

impl SchemaFault {
    /// A fault of a document as a whole.
    pub(crate) fn whole(problem: impl Into<String>) -> Self {
        Self {
            line: 1,
            place: Some(String::new()),
            problem: problem.into(),
        }
    }

    /// A fault of a part, as one of the text that has it below a pointer.
    pub(crate) fn inside(self, text: &str, part: &str, pointer: &str) -> Self {
        Self {
            line: line_at(text, part) + self.line - 1,
            place: self.place.map(|place| format!("{pointer}{place}")),
            problem: self.problem,
        }
    }

    /// A fault of a line of a file, which is a document of its own.
    pub(crate) fn on_line(self, line: u64) -> Self {
        Self { line, ..self }
    }
}

/// A document in another version of its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("format version {found}, which is {}: this program reads version {reads}", if self.is_newer() { "newer" } else { "older" })]
pub struct OtherVersion {
    /// The version of the document.
    pub found: u64,
    /// The version that this program reads.
    pub reads: u32,
}

impl OtherVersion {
    /// Whether a later version of this program wrote it.
    pub fn is_newer(self) -> bool {
        self.found > u64::from(self.reads)
    }
}

/// Checks the version of a document's format. A document without one is left to its schema.
///
/// # Errors
/// It is another one.
pub(crate) fn check_version(document: &Value, reads: u32) -> Result<(), OtherVersion> {
    let found = document.get("format_version").and_then(Value::as_u64);
    match found {
        Some(found) if found != u64::from(reads) => Err(OtherVersion { found, reads }),
        Some(_) | None => Ok(()),
    }
}

/// A schema, ready to compare documents with. Building one takes milliseconds: keep it in a static.
#[derive(Debug)]
pub(crate) struct Shape(Option<Validator>);

impl Shape {
    /// The schema that is derived from a type.
    pub(crate) fn derived<T: JsonSchema>() -> Self {
        Self::new(&schemars::schema_for!(T))
    }

    /// A schema.
    pub(crate) fn new(schema: &Schema) -> Self {
        Self(jsonschema::validator_for(schema.as_value()).ok())
    }

    /// Compares a document with the schema; `text` is its text.
    pub(crate) fn check(&self, document: &Value, text: &str) -> Result<(), SchemaFault> {
        let Some((place, problem)) = self.broken(document) else {
            return Ok(());
        };
        Err(SchemaFault {
            line: line_of(text, &place),
            place: Some(place),
            problem,
        })
    }

    /// The first rule that a document breaks, and the JSON pointer of the place.
    pub(crate) fn broken(&self, document: &Value) -> Option<(String, String)> {
        let validator = self.0.as_ref()?;
        if validator.is_valid(document) {
            return None;
        }
        let error = validator.iter_errors(document).next()?;
        let error = innermost(&error);
        let problem = error.masked().to_string();
        Some((error.instance_path().as_str().to_owned(), problem))
    }
}

/// The text as JSON.
pub(crate) fn parse(text: &str) -> Result<Value, SchemaFault> {
    serde_json::from_str(text).map_err(|error| not_json(&error))
}

/// What the reader of JSON says, as a fault.
pub(crate) fn not_json(error: &serde_json::Error) -> SchemaFault {
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    SchemaFault {
        line: error.line() as u64,
        place: None,
        problem: words.to_owned(),
    }
}

/// A document that its schema takes, as a type.
pub(crate) fn take<T: DeserializeOwned>(
    document: Value,
    text: &str,
    shape: &Shape,
) -> Result<T, SchemaFault> {
    shape.check(&document, text)?;
    take_checked(document)
}

/// A document that was compared with its schema, as a type.
pub(crate) fn take_checked<T: DeserializeOwned>(document: Value) -> Result<T, SchemaFault> {
    // What the schema takes and the type does not: a date that is none, say.
    serde_json::from_value(document).map_err(|error| SchemaFault::whole(error.to_string()))
}

/// Of a choice, the error of the variant that the document's `type` names, or that it fits best.
fn innermost<'e>(error: &'e ValidationError<'e>) -> &'e ValidationError<'e> {
    let (ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context }) =
        error.kind()
    else {
        return error;
    };
    let own = error.instance_path().as_str().len();
    let meant: Vec<&ValidationError<'static>> = context
        .iter()
        .filter(|variant| {
            let mut places = variant.iter().map(|error| error.instance_path().as_str());
            !places.any(|place| place.get(own..) == Some("/type"))
        })
        .filter_map(|variant| variant.first())
        .collect();
    match meant.as_slice() {
        [only] => innermost(only),
        // Without a `type`: the variant that fits but for something in it.
        several => {
            let deeper = several
                .iter()
                .find(|one| one.instance_path().as_str().len() > own);
            deeper.map_or(error, |one| innermost(one))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::journal::Line;

    fn fault_of(text: &str) -> String {
        let shape = Shape::derived::<Line>();
        let document = parse(text).expect("JSON");
        let read: Result<Line, SchemaFault> = take(document, text, &shape);
        read.expect_err("it is refused").to_string()
    }

    #[test]
    fn the_place_is_a_pointer_and_the_value_is_not_shown() {
        let line = "{\"type\":\"outcome\",\n\"uuid\":7,\"outcome\":\"verified\"}";
        assert_eq!(
            fault_of(line),
            r#"line 2: /uuid: value is not of type "string""#
        );
        let summary = r#"{"type":"summary","finished_at":"x","exit":"secret","outcomes":{}}"#;
        let fault = fault_of(summary);
        assert!(fault.starts_with("line 1: /exit: value is not"), "{fault}");
        assert!(!fault.contains("secret"));
    }

    #[test]
    fn what_is_not_json_keeps_the_words_of_the_reader() {
        let fault = parse("{\n").expect_err("it is cut off").to_string();
        assert_eq!(fault, "line 2: EOF while parsing an object");
    }

    #[test]
    fn versions_are_checked_both_ways() {
        let check = |found: u64| check_version(&serde_json::json!({ "format_version": found }), 2);
        assert_eq!(check(2), Ok(()));
        let words = |found| check(found).expect_err("another version").to_string();
        assert_eq!(
            words(1),
            "format version 1, which is older: this program reads version 2"
        );
        assert_eq!(
            words(3),
            "format version 3, which is newer: this program reads version 2"
        );
    }
}
