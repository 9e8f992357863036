//! JSON as this program writes it: control, bidi and zero-width characters are escapes, so that no text from strangers moves what a reader
//! of the file sees. A reader of JSON gets the same text.

use std::io;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use crate::text::is_invisible;

/// Writes a document over several lines, with a line break at its end.
pub(crate) fn write(out: &mut dyn io::Write, value: &impl Serialize) -> io::Result<()> {
    let layout = Escaping(PrettyFormatter::new());
    value.serialize(&mut Serializer::with_formatter(&mut *out, layout))?;
    out.write_all(b"\n")
}

/// A document over several lines, with a line break at its end.
pub(crate) fn pretty(value: &impl Serialize) -> Result<String, serde_json::Error> {
    with_layout(value, PrettyFormatter::new()).map(|text| text + "\n")
}

/// A document in one line, without a line break.
pub(crate) fn line(value: &impl Serialize) -> Result<String, serde_json::Error> {
    with_layout(value, CompactFormatter)
}

fn with_layout(
    value: &impl Serialize,
    layout: impl Formatter,
) -> Result<String, serde_json::Error> {
    let mut out = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut out, Escaping(layout)))?;
    String::from_utf8(out).map_err(serde::ser::Error::custom)
}

/// A layout in which what cannot be seen is an escape.
struct Escaping<F>(F);

/// Methods of a layout that are those of the layout inside.
macro_rules! inside {
    ($($name:ident($($first:ident)?),)*) => {
        $(fn $name<W: ?Sized + io::Write>(&mut self, out: &mut W $(, $first: bool)?) -> io::Result<()> {
            self.0.$name(out $(, $first)?)
        })*
    };
}

impl<F: Formatter> Formatter for Escaping<F> {
    inside! {
        begin_array(),
        end_array(),
        begin_array_value(first),
        end_array_value(),
        begin_object(),
        end_object(),
        begin_object_key(first),
        end_object_key(),
        begin_object_value(),
        end_object_value(),
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if crate::text::is_plain(fragment) {
            return out.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some(at) = rest.find(is_invisible) {
            let (shown, from) = rest.split_at(at);
            out.write_all(shown.as_bytes())?;
            let mut chars = from.chars();
            for c in chars.by_ref().take(1) {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
            rest = chars.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_an_escape_and_reads_back_the_same() {
        let text = "a\u{202e}b\u{200b}\u{85}\u{7f}\u{e0001}é😀\n";
        let made = line(&text).expect("JSON");
        assert_eq!(made, r#""a\u202eb\u200b\u0085\u007f\udb40\udc01é😀\n""#);
        assert_eq!(serde_json::from_str::<String>(&made).expect("JSON"), text);
        let pretty = pretty(&[text]).expect("JSON");
        let mut written = Vec::new();
        write(&mut written, &[text]).expect("JSON");
        assert_eq!(String::from_utf8(written).expect("text"), pretty);
        assert_eq!(pretty.lines().count(), 3);
        assert!(!pretty.chars().any(|c| c != '\n' && is_invisible(c)));
    }
}
