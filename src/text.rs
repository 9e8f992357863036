//! Text for one line of a terminal: text from strangers with invisible and control characters escaped,
//! and errors with their causes.

use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

/// Text from a stranger for one line of a terminal: control, bidi, zero-width and no-break characters are escaped.
pub fn visible(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    text.chars().for_each(|c| push(&mut shown, c));
    shown
}

/// The same of a text with several lines.
pub fn visible_lines(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let words = line.trim_end_matches(['\r', '\n']);
        shown.push_str(&visible(words));
        shown.push_str(&line[words.len()..]);
    }
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
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Spaces that look like a space or like nothing: no-break, thin and wide ones.
pub fn is_unusual_space(c: char) -> bool {
    c.is_whitespace() && !matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// Two texts made distinguishable: where they would look the same, spaces that one cannot count become `·`, and what is not ASCII an escape
/// where that is not enough.
pub fn distinct(one: &str, other: &str) -> (String, String) {
    if !look_alike(one, other) {
        return (visible(one), visible(other));
    }
    let (one_shown, other_shown) = (with_dots(one), with_dots(other));
    if one_shown != other_shown && !look_alike(&one_shown, &other_shown) {
        return (one_shown, other_shown);
    }
    (escaped(&one_shown), escaped(&other_shown))
}

/// A text beside others: as it is, and made distinguishable from one that would look the same.
pub fn distinct_from<'o>(text: &str, others: impl IntoIterator<Item = &'o str>) -> String {
    let alike = others.into_iter().find(|other| look_alike(text, other));
    alike.map_or_else(|| visible(text), |other| distinct(text, other).0)
}

/// Whether two texts differ only in what one cannot see: characters that are invisible, spaces, Unicode forms, and letters of other scripts
/// that are drawn alike. Letters and digits of ASCII look different.
pub fn look_alike(one: &str, other: &str) -> bool {
    if one == other {
        return false;
    }
    if is_plain(one) && is_plain(other) {
        return words(one).eq(words(other));
    }
    let (one, other) = (seen(one), seen(other));
    one == other || (!(one.is_ascii() && other.is_ascii()) && skeleton(&one).eq(skeleton(&other)))
}

/// What a text is drawn like: equal for texts that may look alike.
pub(crate) fn outline(text: &str) -> String {
    skeleton(&seen(text)).collect()
}

/// What one sees of a text.
fn seen(text: &str) -> String {
    let spaced = |c: char| if is_unusual_space(c) { ' ' } else { c };
    let seen: String = text
        .chars()
        .filter(|c| !is_invisible(*c))
        .map(spaced)
        .collect();
    let words: Vec<&str> = words(&seen).collect();
    words.join(" ").nfc().collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|word| !word.is_empty())
}

/// A text with `·` for spaces at its ends and for those beside another.
fn with_dots(text: &str) -> String {
    let mut shown = String::new();
    let mut chars = text.chars().peekable();
    let mut before = None;
    while let Some(c) = chars.next() {
        let is_counted = |beside: Option<char>| beside.is_none_or(|beside| beside == ' ');
        if c == ' ' && (is_counted(before) || is_counted(chars.peek().copied())) {
            shown.push('·');
        } else {
            push(&mut shown, c);
        }
        before = Some(c);
    }
    shown
}

/// A text with escapes for what is not ASCII.
fn escaped(shown: &str) -> String {
    let mut made = String::new();
    for c in shown.chars() {
        match c {
            '·' => made.push(c),
            c if c.is_ascii() => made.push(c),
            c => made.extend(c.escape_unicode()),
        }
    }
    made
}

/// A word for a shell, in quotes where it needs them.
pub(crate) fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./-+=:,@%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// Whether a text is printable ASCII, which everyone sees.
pub fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// The first character that no one can see, or that moves what one sees. Those that join an emoji are not meant.
pub fn invisible_in(text: &str) -> Option<char> {
    // As most texts are.
    if is_plain(text) {
        return None;
    }
    let mut before = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let joins = match c {
            ZERO_WIDTH_JOINER => {
                let after = chars.peek().copied();
                before.is_some_and(is_joined) && after.is_some_and(is_joined)
            }
            '\u{fe0e}' | '\u{fe0f}' | '\u{e0020}'..='\u{e007f}' => {
                before.is_some_and(is_emoji_part)
            }
            _ => false,
        };
        if is_invisible(c) && !joins {
            return Some(c);
        }
        before = Some(c);
    }
    None
}

/// Between two emoji, it makes them one.
const ZERO_WIDTH_JOINER: char = '\u{200d}';

/// Whether a character may stand beside a [`ZERO_WIDTH_JOINER`]: an emoji, or what changes the one before it.
fn is_joined(c: char) -> bool {
    !c.is_ascii() && c != ZERO_WIDTH_JOINER && is_emoji_part(c)
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
        assert_eq!(distinct("a  b", "a b"), pair("a··b", "a b"));
        assert_eq!(distinct("v\u{456}p", "vip"), pair("v\\u{456}p", "vip"));
        assert_eq!(distinct("vip1", "vipl"), pair("vip1", "vipl"));
        assert_eq!(
            distinct("caf\u{e9} ", "caf\u{e9}"),
            pair("caf\u{e9}·", "caf\u{e9}")
        );
        assert_eq!(distinct("gold", "silver"), pair("gold", "silver"));
    }

    #[test]
    fn a_text_is_set_apart_from_one_that_looks_the_same() {
        let tags = ["vip", "v\u{456}p", "caf\u{e9}", "cafe\u{301}"];
        let shown = tags.map(|tag| distinct_from(tag, tags));
        let expected = ["vip", "v\\u{456}p", "caf\\u{e9}", "cafe\\u{301}"];
        assert_eq!(shown, expected);
    }

    #[test]
    fn only_emoji_may_have_joiners() {
        assert_eq!(
            invisible_in("👩\u{200d}💻 ❤\u{fe0f} 1\u{fe0f}\u{20e3}"),
            None
        );
        for text in [
            "vip\u{200d}",
            "👨\u{200d}",
            "👨\u{200d}a",
            "1\u{200d}2",
            "👨\u{200d}\u{200d}💻",
        ] {
            assert_eq!(invisible_in(text), Some('\u{200d}'), "{text:?}");
        }
        assert_eq!(invisible_in("vi\u{34f}p"), Some('\u{34f}'));
        let lines = "a\u{1b}[31m\tb\n\r\n\u{202e}c";
        assert_eq!(visible_lines(lines), "a\\u{1b}[31m\\tb\n\r\n\\u{202e}c");
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
