//! Text for one line of a terminal: text from strangers with invisible and control characters escaped,
//! and errors with their causes.

use unicode_normalization::UnicodeNormalization;

/// Text from a stranger for one line of a terminal: control, bidi, zero-width and no-break characters are escaped.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    text.chars().for_each(|c| push(&mut shown, c));
    shown
}

/// One character of such a text.
pub fn push(shown: &mut String, c: char) {
    match c {
        '\n' => shown.push_str("\\n"),
        '\t' => shown.push_str("\\t"),
        c if is_invisible(c) || is_unusual_space(c) => shown.extend(c.escape_unicode()),
        c => shown.push(c),
    }
}

/// Characters that are invisible, or that move visible text.
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Spaces that look like a space or like nothing: no-break, thin and wide ones.
pub fn is_unusual_space(c: char) -> bool {
    c.is_whitespace() && !matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// Two texts made distinguishable: where they would look the same, spaces at the ends become `·` and what is not ASCII an escape.
pub fn distinct(one: &str, other: &str) -> (String, String) {
    if !look_alike(one, other) {
        return (visible(one), visible(other));
    }
    let has_one_form = one.nfc().eq(one.chars()) == other.nfc().eq(other.chars());
    (
        spelled_out(one, !has_one_form),
        spelled_out(other, !has_one_form),
    )
}

/// Whether two texts differ only in what one cannot see.
pub fn look_alike(one: &str, other: &str) -> bool {
    let looks = |text: &str| -> String {
        let spaced = |c: char| if is_unusual_space(c) { ' ' } else { c };
        let seen = text.chars().filter(|c| !is_invisible(*c)).map(spaced);
        seen.collect::<String>().trim().nfc().collect()
    };
    one != other && looks(one) == looks(other)
}

/// A text with the spaces at its ends as `·`, and with escapes for what is not ASCII where `escapes`.
fn spelled_out(text: &str, escapes: bool) -> String {
    let inner = text.trim_matches(' ');
    let start = text.len() - text.trim_start_matches(' ').len();
    let end = if inner.is_empty() {
        0
    } else {
        text.len() - start - inner.len()
    };
    let mut shown = "·".repeat(start);
    for c in inner.chars() {
        if escapes && !c.is_ascii() {
            shown.extend(c.escape_unicode());
        } else {
            push(&mut shown, c);
        }
    }
    shown + &"·".repeat(end)
}

/// The first character that no one can see, or that moves what one sees. Those that join an emoji are not meant.
pub fn invisible_in(text: &str) -> Option<char> {
    let mut before = None;
    for c in text.chars() {
        let joins = matches!(
            c,
            '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{e0020}'..='\u{e007f}'
        );
        if is_invisible(c) && !(joins && before.is_some_and(is_emoji_part)) {
            return Some(c);
        }
        before = Some(c);
    }
    None
}

/// Characters that emoji sequences are made of.
fn is_emoji_part(c: char) -> bool {
    matches!(c,
        '#' | '*' | '0'..='9' | '\u{a9}' | '\u{ae}' | '\u{200d}' | '\u{203c}' | '\u{2049}' | '\u{20e3}' | '\u{2122}'
        | '\u{2139}' | '\u{2190}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}' | '\u{fe0f}'
        | '\u{1f000}'..='\u{1faff}' | '\u{e0020}'..='\u{e007f}')
}

/// The first character of a text that looks like nothing or like a space and is neither, by its name.
pub fn odd_character(text: &str) -> Option<String> {
    let spaces = || text.chars().find(|c| is_unusual_space(*c));
    invisible_in(text).or_else(spaces).map(name_of)
}

/// What an invisible character is called, with its code point.
pub fn name_of(c: char) -> String {
    let name = match c {
        '\u{a0}' => "a no-break space",
        '\u{ad}' => "a soft hyphen",
        '\u{200b}' => "a zero-width space",
        '\u{200c}' => "a zero-width non-joiner",
        '\u{200d}' => "a zero-width joiner",
        '\u{200e}' | '\u{200f}' | '\u{61c}' => "a direction mark",
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => "a bidirectional control character",
        '\u{202f}' => "a narrow no-break space",
        '\u{3000}' => "an ideographic space",
        '\u{feff}' => "a byte order mark",
        '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => "a line break",
        '\t' => "a tab",
        c if c.is_control() => "a control character",
        c if c.is_whitespace() => "an unusual space",
        _ => "an invisible character",
    };
    format!("{name} (U+{:04X})", u32::from(c))
}

/// A text shortened to a number of characters.
pub fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// A number with its noun.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// An error and its causes in one line, without repetitions.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !words.ends_with(&text) {
            words.push_str(": ");
            words.push_str(&text);
        }
        cause = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_look_the_same_are_told_apart() {
        let distinct = |one, other| distinct(one, other);
        let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        assert_eq!(distinct("x", "x "), pair("x", "x·"));
        assert_eq!(
            distinct("caf\u{e9}", "cafe\u{301}"),
            pair("caf\\u{e9}", "cafe\\u{301}")
        );
        assert_eq!(distinct("a\u{a0}b", "a b"), pair("a\\u{a0}b", "a b"));
        assert_eq!(distinct("gold", "silver"), pair("gold", "silver"));
    }

    #[test]
    fn only_emoji_may_have_joiners() {
        assert_eq!(
            invisible_in("👩\u{200d}💻 ❤\u{fe0f} 1\u{fe0f}\u{20e3}"),
            None
        );
        assert_eq!(invisible_in("vip\u{200d}"), Some('\u{200d}'));
        assert_eq!(invisible_in("v\u{200b}ip"), Some('\u{200b}'));
        assert_eq!(
            name_of('\u{202e}'),
            "a bidirectional control character (U+202E)"
        );
    }

    #[test]
    fn strangers_cannot_move_the_cursor() {
        assert_eq!(visible("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(visible("evil\u{202e}txt"), "evil\\u{202e}txt");
        assert_eq!(visible("two\nlines\u{200b}"), "two\\nlines\\u{200b}");
        assert_eq!(visible("naïve 名前 🙂"), "naïve 名前 🙂");
    }
}
