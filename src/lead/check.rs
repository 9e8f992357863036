//! What the table of fields says of texts: the form in which they are compared, and which are values of a field at all.

/// The text as it is.
pub(super) fn as_it_is(text: &str) -> String {
    text.to_owned()
}

/// Without white space around it.
pub(super) fn trimmed(text: &str) -> String {
    text.trim().to_owned()
}

/// Digits without what people put between them: `98765 43210` and `9876543210` are one number.
pub(super) fn phone_number(text: &str) -> String {
    text.trim()
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.' | '\u{a0}'))
        .collect()
}

/// With one `+` before it: `91` and `+91` are one code.
pub(super) fn dial_code_with_plus(text: &str) -> String {
    match text.trim().trim_start_matches('+').trim() {
        "" => String::new(),
        digits => format!("+{digits}"),
    }
}

/// Every text is a value.
pub(super) fn anything(_: &str) -> Option<&'static str> {
    None
}

/// The kind says enough.
pub(super) fn no_schema() -> Option<serde_json::Value> {
    None
}

pub(super) fn email(text: &str) -> Option<&'static str> {
    (!text.contains('@')).then_some("write an e-mail address: `name@example.com`")
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
