//! Documents that are read back, compared with their schemas: where one is not as it should be.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use schemars::JsonSchema;
use serde_json::Value;

/// Why a document cannot be read as a `T`: the first place that its schema does not take, as a JSON pointer, or else what the reader
/// said of it. Of the value itself nothing is shown: it may be about people.
pub(crate) fn fault<T: JsonSchema>(text: &[u8], error: &serde_json::Error) -> String {
    place_of::<T>(text).unwrap_or_else(|| error.to_string())
}

fn place_of<T: JsonSchema>(text: &[u8]) -> Option<String> {
    let document: Value = serde_json::from_slice(text).ok()?;
    let schema = schemars::schema_for!(T);
    let validator = jsonschema::validator_for(schema.as_value()).ok()?;
    let error = validator.iter_errors(&document).next()?;
    let error = innermost(&error);
    let place = match error.instance_path().as_str() {
        "" => "/",
        place => place,
    };
    Some(format!("{place}: {}", error.masked()))
}

/// Of a choice, the error of the variant that the document's `type` names.
fn innermost<'e>(error: &'e ValidationError<'e>) -> &'e ValidationError<'e> {
    let (ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context }) =
        error.kind()
    else {
        return error;
    };
    let is_meant = |variant: &&Vec<ValidationError<'static>>| {
        !variant.is_empty()
            && variant
                .iter()
                .all(|error| error.instance_path().as_str() != "/type")
    };
    let variant = context.iter().find(is_meant);
    variant
        .and_then(|errors| errors.first())
        .map_or(error, innermost)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::journal::Line;
    use crate::plan::Plan;

    fn fault_of<T: JsonSchema + for<'d> serde::Deserialize<'d>>(text: &str) -> String {
        let Err(error) = serde_json::from_str::<T>(text) else {
            panic!("{text} is read");
        };
        fault::<T>(text.as_bytes(), &error)
    }

    #[test]
    fn the_place_is_a_pointer_and_the_value_is_not_shown() {
        let line = r#"{"type":"outcome","uuid":7,"outcome":"verified"}"#;
        assert_eq!(
            fault_of::<Line>(line),
            r#"/uuid: value is not of type "string""#
        );
        let summary = r#"{"type":"summary","finished_at":"x","exit":"secret","outcomes":{}}"#;
        assert!(fault_of::<Line>(summary).starts_with("/exit: value is not"));
        let plan = std::fs::read_to_string("tests/files/golden/0.1.0/plan.json").expect("a plan");
        let plan = plan.replacen("\"action\": \"update\"", "\"action\": \"destroy\"", 1);
        assert!(fault_of::<Plan>(&plan).starts_with("/changes/0/action: value is not"));
    }

    #[test]
    fn what_is_not_json_keeps_the_words_of_the_reader() {
        assert_eq!(
            fault_of::<Line>("{"),
            "EOF while parsing an object at line 1 column 1"
        );
    }
}
