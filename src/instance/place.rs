//! The line of a place in a JSON text.

use serde_json::value::RawValue;

use super::RawEntries;

/// The line at which the value of a JSON pointer begins; of the nearest value around it where there is none.
pub(super) fn line_of(text: &str, pointer: &str) -> u64 {
    let mut here = text;
    for key in pointer.split('/').skip(1) {
        let key = key.replace("~1", "/").replace("~0", "~");
        match member(here, &key) {
            Some(value) => here = value,
            None => break,
        }
    }
    line_at(text, here)
}

/// The value below a key or at an index.
fn member<'t>(value: &'t str, key: &str) -> Option<&'t str> {
    if let Ok(RawEntries(entries)) = serde_json::from_str(value) {
        let found = entries.into_iter().find(|(other, _)| other == key);
        return found.map(|(_, value)| value.get());
    }
    let items: Vec<&RawValue> = serde_json::from_str(value).ok()?;
    let index: usize = key.parse().ok()?;
    items.get(index).map(|item| item.get())
}

/// The line of a part of a text.
pub(super) fn line_at(text: &str, part: &str) -> u64 {
    let start = part.as_ptr() as usize - text.as_ptr() as usize;
    let part = text.get(..start).unwrap_or_default();
    part.bytes().filter(|byte| *byte == b'\n').count() as u64 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_leads_to_its_line() {
        let text = "{\n \"a/b\": [\n  1,\n  { \"c\": 2 }\n ],\n \"d\": {} }";
        for (pointer, line) in [
            ("", 1),
            ("/a~1b", 2),
            ("/a~1b/0", 3),
            ("/a~1b/1/c", 4),
            ("/a~1b/7", 2),
            ("/d/nothing", 6),
        ] {
            assert_eq!(line_of(text, pointer), line, "{pointer}");
        }
    }
}
