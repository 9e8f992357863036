//! Uuids and tags that people cannot tell apart by looking at them: characters that cannot be seen, letter case, Unicode forms.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

use crate::text::{distinct, invisible_in, is_unusual_space, look_alike, name_of, outline};
use crate::yaml::decode::{At, Decoder};
use crate::yaml::diagnostic::{Code, Span};
use crate::yaml::excerpt::quoted;

/// Warns of a key that is not [canonical](is_canonical): it is compared letter by letter.
pub(crate) fn warn_of_odd_uuid(reader: &mut Decoder<'_>, span: Span, text: &str) {
    let digits = text.strip_prefix("urn:uuid:").unwrap_or(text);
    let digits = digits
        .trim_matches(['{', '}'])
        .replace('-', "")
        .to_ascii_lowercase();
    if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let message = format!("{} is not a uuid", quoted(text));
        let help =
            "write the whole uuid as the inbox shows it; a name for readers goes into `label`";
        reader.warning(Code::OddUuid, span, message, help);
        return;
    }
    let [a, b, c, d, e] = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
    let canonical = format!("{a}-{b}-{c}-{d}-{e}");
    if canonical != text {
        let message = format!("{} is not a canonical uuid", quoted(text));
        let help = format!(
            "uuids are compared letter by letter: write `{canonical}`, unless the inbox shows it so"
        );
        reader.warning(Code::OddUuid, span, message, help);
    }
}

/// Whether a text is a uuid as platforms write them: `8-4-4-4-12` hexadecimal digits in lower case.
pub(crate) fn is_canonical(text: &str) -> bool {
    let is_at_place = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    text.len() == 36 && text.bytes().enumerate().all(is_at_place)
}

/// Whether all of a tag can be seen; an error or a warning where not.
pub(crate) fn is_visible(reader: &mut Decoder<'_>, tag: At<&str>) -> bool {
    if let Some(c) = invisible_in(tag.value.trim()) {
        let message = format!("the tag {} holds {}", quoted(tag.value), name_of(c));
        let help = "delete the character; one cannot see that it is there";
        reader.error(Code::InvisibleCharacter, tag.span, message, help);
        return false;
    }
    if let Some(c) = tag.value.chars().find(|c| is_unusual_space(*c)) {
        let message = format!("the tag {} holds {}", quoted(tag.value), name_of(c));
        reader.warning(Code::OddSpace, tag.span, message, "write a plain space");
    }
    true
}

/// Whether tags are as most are: so few that each may be compared with each, of ASCII, and all different in more than letter case.
fn are_few_and_plain(tags: &[At<&str>]) -> bool {
    let is_other = |(at, tag): (usize, &At<&str>)| {
        let (tag, mut before) = (tag.value.trim(), tags[..at].iter());
        before.all(|other| !other.value.trim().eq_ignore_ascii_case(tag))
    };
    tags.len() <= 8
        && tags.iter().all(|tag| tag.value.is_ascii())
        && tags.iter().enumerate().all(is_other)
}

/// Warns of tags that differ only in letter case or Unicode form, or in letters of other scripts that look the same.
pub(crate) fn warn_of_similar(reader: &mut Decoder<'_>, tags: &[At<&str>]) {
    if are_few_and_plain(tags) {
        return;
    }
    let mut folded: HashMap<String, At<&str>> = HashMap::new();
    let mut drawn: HashMap<String, At<&str>> = HashMap::new();
    let is_ascii = tags.iter().all(|tag| tag.value.is_ascii());
    for tag in tags {
        let text = tag.value.trim();
        let like = folded.insert(text.nfc().collect::<String>().to_lowercase(), *tag);
        // Letters of ASCII look different, and other spaces have a warning of their own.
        let alike = (!is_ascii && !text.contains(is_unusual_space))
            .then(|| drawn.insert(outline(text), *tag))
            .flatten()
            .filter(|before| look_alike(before.value.trim(), text));
        let Some(before) = like.or(alike) else {
            continue;
        };
        let (one, other) = (before.value.trim(), text);
        if one == other {
            continue;
        }
        let (one_shown, other_shown) = distinct(one, other);
        let difference = if one.nfc().eq(other.nfc()) {
            "differ only in Unicode form: they count as one"
        } else if like.is_some() {
            "differ only in letter case"
        } else {
            "look the same"
        };
        let message = format!("the tags `{one_shown}` and `{other_shown}` {difference}");
        let warning = reader.source.warning(Code::SimilarTags, tag.span, message);
        let warning = warning.also(reader.source, before.span, "the other");
        reader.out.push(warning.help("keep one of the two"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canonical_uuid_has_its_digits_and_hyphens_in_place() {
        for (text, canonical) in [
            ("9f767c45-4164-4bde-a5bc-b0c1cb91ce37", true),
            ("9F767c45-4164-4bde-a5bc-b0c1cb91ce37", false),
            ("9f767c454-164-4bde-a5bc-b0c1cb91ce37", false),
            ("9f767c45-4164-4bde-a5bc-b0c1cb91ce3g", false),
            ("9f767c45-4164-4bde-a5bc-b0c1cb91ce3", false),
            ("", false),
        ] {
            assert_eq!(is_canonical(text), canonical, "{text}");
        }
    }
}
