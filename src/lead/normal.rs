//! The normal form in which texts are compared, and explanations why a platform shows another text than the one sent. Pure.
//!
//! A platform may trim texts, end lines with CR LF and compose characters. None of that is a difference: [`text`] is equal
//! for both sides. What is sent is always the text as declared.

use super::TagSet;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::Note;

/// The normal form of a text.
pub type Compare = fn(&str) -> Cow<'_, str>;

/// Trimmed, lines ended by LF, characters composed (NFC).
///
/// ```
/// use convertalk::lead::normal::text;
///
/// assert_eq!(text(" two\r\nlines\n"), "two\nlines");
/// assert_eq!(text("e\u{301}"), "\u{e9}");
/// ```
pub fn text(text: &str) -> Cow<'_, str> {
    let trimmed = text.trim();
    let lines = if trimmed.contains("\r\n") {
        Cow::Owned(trimmed.replace("\r\n", "\n"))
    } else {
        Cow::Borrowed(trimmed)
    };
    if lines.is_ascii() || is_nfc(&lines) {
        lines
    } else {
        Cow::Owned(lines.nfc().collect())
    }
}

/// Like [`text`], and in lower case: letter case has no meaning in an email address.
pub fn email(address: &str) -> Cow<'_, str> {
    let address = text(address);
    if address.chars().any(char::is_uppercase) {
        Cow::Owned(address.to_lowercase())
    } else {
        address
    }
}

/// Whether both sets have the same members.
pub fn same_sets(one: &TagSet, other: &TagSet) -> bool {
    one == other || members(one) == members(other)
}

/// The members of a set in normal form.
pub fn members(set: &TagSet) -> BTreeSet<Cow<'_, str>> {
    set.iter().map(|member| text(member)).collect()
}

/// Whether two texts have the same form.
pub fn same(one: &str, other: &str) -> bool {
    one == other || text(one) == text(other)
}

/// Whether a text is among others, in whatever form. Most are there as they are written.
pub fn is_among(texts: &[String], one: &str) -> bool {
    texts.iter().any(|other| other == one) || texts.iter().any(|other| same(other, one))
}

/// Whether a note is among others, equal or normalized by the platform, and so must not be added again.
pub fn has_note(notes: &[Note], note: &Note) -> bool {
    notes.contains(note)
        || notes
            .iter()
            .any(|other| form_of_note(note, other).is_some())
}

/// How a platform normalized a note: the stronger one of the changes to its title and its text.
pub fn form_of_note(sent: &Note, shown: &Note) -> Option<Normalization> {
    let title = form(&sent.title, &shown.title)?;
    let description = form(&sent.description, &shown.description)?;
    Some(title.max(description))
}

/// What a platform changed in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Normalization {
    /// Nothing significant.
    Same,
    /// Inner white space.
    WhiteSpace,
    /// The Unicode form.
    Unicode,
    /// The letter case.
    LetterCase,
    /// HTML escapes were added.
    Html,
    /// The text was cut.
    Length,
}

impl Normalization {
    /// A description of the change.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Same => "spelling",
            Self::WhiteSpace => "white space",
            Self::Unicode => "Unicode form",
            Self::LetterCase => "letter case",
            Self::Html => "HTML escapes",
            Self::Length => "length",
        }
    }
}

/// A shorter text may be a different text, and not the start of one that was cut.
const SHORTEST_CUT: usize = 16;
/// Of a text that was not there before, fewer characters say that it was cut.
const SHORTEST_NEW_CUT: usize = 4;

/// The change that explains why a platform shows another text than the one sent; `None` if none does.
pub fn form(sent: &str, shown: &str) -> Option<Normalization> {
    if sent == shown {
        return Some(Normalization::Same);
    }
    let (sent, shown) = (text(sent), text(shown));
    if sent == shown {
        Some(Normalization::Same)
    } else if sent.split_whitespace().eq(shown.split_whitespace()) {
        Some(Normalization::WhiteSpace)
    } else if sent.nfkc().eq(shown.nfkc()) {
        Some(Normalization::Unicode)
    } else if sent.to_lowercase() == shown.to_lowercase() {
        Some(Normalization::LetterCase)
    } else if text(&unescaped(&shown)) == sent || is_escaped_again(&sent, &shown) {
        Some(Normalization::Html)
    } else if is_start(&shown, &sent, SHORTEST_CUT) {
        Some(Normalization::Length)
    } else {
        form_of_several(&sent, &shown, SHORTEST_CUT)
    }
}

/// As [`form`], for a text that was not there before it was sent: a shorter one may have been cut, too.
pub fn form_of_new(sent: &str, shown: &str) -> Option<Normalization> {
    form(sent, shown).or_else(|| {
        let (sent, shown) = (text(sent), text(shown));
        if is_start(&shown, &sent, SHORTEST_NEW_CUT) {
            Some(Normalization::Length)
        } else {
            form_of_several(&sent, &shown, SHORTEST_NEW_CUT)
        }
    })
}

fn is_start(shown: &str, sent: &str, shortest: usize) -> bool {
    shown.len() < sent.len() && shown.chars().count() >= shortest && sent.starts_with(shown)
}

/// Several changes at once.
fn form_of_several(sent: &str, shown: &str, shortest: usize) -> Option<Normalization> {
    let plain = |text: &str| {
        let text: String = unescaped(text).nfkc().collect();
        let words: Vec<&str> = text.split_whitespace().collect();
        words.join(" ").to_lowercase()
    };
    let (plain_sent, plain_shown) = (plain(sent), plain(shown));
    if plain_sent != plain_shown {
        let is_cut = is_start(&plain_shown, &plain_sent, shortest);
        return is_cut.then_some(Normalization::Length);
    }
    // Escapes that were taken away are another text.
    let escapes = |text: &str| match unescaped(text) == text {
        true => 0,
        false => text.matches(';').count(),
    };
    match escapes(shown).cmp(&escapes(sent)) {
        Ordering::Greater => Some(Normalization::Html),
        Ordering::Equal => Some(Normalization::LetterCase),
        Ordering::Less => None,
    }
}

/// What was read with escapes and is sent as it was read has more of them then.
fn is_escaped_again(sent: &str, shown: &str) -> bool {
    shown.len() > sent.len() && sent.contains('&') && unescaped(sent) == unescaped(shown)
}

/// Without HTML escapes, however many times they were applied.
fn unescaped(text: &str) -> String {
    let mut text = text.to_owned();
    while text.contains('&') {
        let next = [
            "&lt;", "&gt;", "&quot;", "&#34;", "&#39;", "&#x27;", "&apos;", "&nbsp;",
        ]
        .into_iter()
        .zip(["<", ">", "\"", "\"", "'", "'", "'", "\u{a0}"])
        .fold(text.clone(), |text, (escape, char)| {
            text.replace(escape, char)
        })
        .replace("&amp;", "&");
        if next == text {
            break;
        }
        text = next;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_named() {
        let long = "a text of more than sixteen characters";
        for (sent, shown, expected) in [
            ("a", "a", Some(Normalization::Same)),
            (" a\n", "a", Some(Normalization::Same)),
            ("a\nb", "a\r\nb", Some(Normalization::Same)),
            ("e\u{301}", "\u{e9}", Some(Normalization::Same)),
            ("a  b", "a b", Some(Normalization::WhiteSpace)),
            ("\u{fb01}n", "fin", Some(Normalization::Unicode)),
            ("VIP", "vip", Some(Normalization::LetterCase)),
            ("a < b & c", "a &lt; b &amp; c", Some(Normalization::Html)),
            ("a & b", "a &amp;amp; b", Some(Normalization::Html)),
            ("a &amp; b", "a &amp;amp; b", Some(Normalization::Html)),
            ("a &amp;amp; b", "a &amp; b", None),
            (long, &long[..20], Some(Normalization::Length)),
            ("a longer text", "a", None),
            ("Big  Deal", "big deal", Some(Normalization::LetterCase)),
            ("R&D Team", "r&amp;d team", Some(Normalization::Html)),
            ("R&amp;D Team", "r&d team", None),
            (
                &long.to_uppercase(),
                &long[..20],
                Some(Normalization::Length),
            ),
            ("vip", "cold", None),
            ("", "x", None),
        ] {
            assert_eq!(form(sent, shown), expected, "{sent:?} {shown:?}");
        }
    }

    #[test]
    fn a_new_text_may_have_been_cut_shorter() {
        for (sent, shown, expected) in [
            ("a longer text", "a lo", Some(Normalization::Length)),
            ("A Longer Text", "a long", Some(Normalization::Length)),
            ("a longer text", "a l", None),
            ("a longer text", "a shorter", None),
            ("VIP", "vip", Some(Normalization::LetterCase)),
        ] {
            assert_eq!(form_of_new(sent, shown), expected, "{sent:?} {shown:?}");
        }
    }

    #[test]
    fn letter_case_means_nothing_in_an_address_only() {
        assert_eq!(email("Ann@Example.com "), email("ann@example.com"));
        assert_ne!(text("Ann"), text("ann"));
    }

    #[test]
    fn a_note_in_another_form_is_the_same_note() {
        let note = |title: &str, description: &str| Note {
            title: title.to_owned(),
            description: description.to_owned(),
        };
        let there = [note("Call", "5 &lt; 6\r\nyes")];
        assert!(has_note(&there, &note("Call ", "5 < 6\nyes\n")));
        assert!(!has_note(&there, &note("Call", "5 < 6")));
    }
}
