//! Checks and normal forms of texts that the table of fields refers to.

/// The text as it is.
pub(super) fn as_it_is(text: &str) -> String {
    text.to_owned()
}

/// Trimmed.
pub(super) fn trimmed(text: &str) -> String {
    text.trim().to_owned()
}

/// Digits without the separators that people use: `98765 43210` and `9876543210` are the same number.
pub(super) fn phone_number(text: &str) -> String {
    text.trim()
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.' | '\u{a0}'))
        .collect()
}

/// With exactly one `+` in front: `91` and `+91` are the same code.
pub(super) fn dial_code_with_plus(text: &str) -> String {
    match text.trim().trim_start_matches('+').trim() {
        "" => String::new(),
        digits => format!("+{digits}"),
    }
}

/// Accepts every text.
pub(super) fn anything(_: &str) -> Option<&'static str> {
    None
}

/// Accepts what the kind accepts.
pub(super) fn no_schema() -> Option<serde_json::Value> {
    None
}

pub(super) fn email(text: &str) -> Option<&'static str> {
    (!text.contains('@')).then_some("write an email address: `name@example.com`")
}

pub(super) fn phone(text: &str) -> Option<&'static str> {
    let is_filler = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '.' | '-');
    text.chars()
        .all(is_filler)
        .then_some("write the number, or leave it out")
}

pub(super) fn dial_code(text: &str) -> Option<&'static str> {
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    (!has_digit).then_some("write the country code: `\"+91\"`")
}

pub(super) fn picture(text: &str) -> Option<&'static str> {
    let is_http = text.starts_with("http://") || text.starts_with("https://");
    (!is_http).then_some("write an address that begins with https://")
}
