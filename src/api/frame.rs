//! Where the values of a JSON text begin and end, found without reading them.
//!
//! Given bytes; hands on the members of its objects and the items of its arrays as ranges of those bytes. The text is gone over
//! once, 64 bytes at a time, for quotes and for brackets outside of strings; from then on a value that nobody asks for costs a
//! look at its brackets. Whatever is not as it should be on the way is [`Odd`], and the caller's to read by a strict reader. What
//! is stepped over is not checked: only its strings end, and its brackets are as many.

mod marks;

use marks::{BLOCK, Bracket, Brackets, Carry};

/// Not what a plain text would have here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Odd;

/// A text, and what stands where in it.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    bytes: &'a [u8],
    /// For each 64 bytes the quotes that begin or end a string, a bit for each byte.
    quotes: Vec<u64>,
    /// The brackets outside of strings, in order.
    brackets: Vec<Bracket>,
    /// There is a backslash somewhere.
    has_escapes: bool,
}

/// A value: its place, and of an object or an array the number of its first bracket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value {
    start: u32,
    end: u32,
    bracket: u32,
}

/// At the most one bracket in so many bytes, so that a text of brackets takes no more memory than any other.
const SPARSE: usize = 8;

impl<'a> Frame<'a> {
    /// Goes over the text once. Its first value is a collection.
    pub(super) fn of(bytes: &'a [u8]) -> Result<Self, Odd> {
        let mut quotes = Vec::with_capacity(bytes.len() / BLOCK + 1);
        let mut brackets = Brackets { found: Vec::with_capacity(bytes.len() / 32 + 4), open: Vec::with_capacity(16) };
        let mut carry = Carry::default();
        let most = bytes.len() / SPARSE + 1_000;
        let (whole, rest) = bytes.as_chunks::<BLOCK>();
        let mut last = [b' '; BLOCK];
        last[..rest.len()].copy_from_slice(rest);
        for (block, number) in whole.iter().chain([&last]).zip(0_u32..) {
            let (found, opens, closes) = carry.marks(block);
            quotes.push(found);
            brackets.take(number * BLOCK as u32, opens, closes)?;
            if brackets.found.len() > most {
                return Err(Odd);
            }
        }
        // The text ends outside of strings, and what was opened is closed.
        if carry.inside == 0 && brackets.open.is_empty() {
            Ok(Self { bytes, quotes, brackets: brackets.found, has_escapes: carry.has_escapes })
        } else {
            Err(Odd)
        }
    }

    /// The bytes of a value.
    #[inline]
    pub(super) fn slice(&self, value: Value) -> &'a [u8] {
        self.bytes.get(value.start as usize..value.end as usize).unwrap_or_default()
    }

    /// Whether this is an object.
    pub(super) fn is_object(&self, value: Value) -> bool {
        self.at(value.start) == b'{'
    }

    /// Text that stands in quotes and for itself, without an escape in it.
    #[inline]
    pub(super) fn plain(&self, value: Value) -> Option<&'a [u8]> {
        if self.at(value.start) != b'"' || self.is_escaped(value) {
            return None;
        }
        self.bytes.get(value.start as usize + 1..value.end as usize - 1)
    }

    /// The value that the whole text is.
    pub(super) fn root(&self) -> Result<Value, Odd> {
        let mut bracket = 0;
        let root = self.value(self.solid(0), &mut bracket)?;
        if self.solid(root.end) as usize == self.bytes.len() { Ok(root) } else { Err(Odd) }
    }

    /// The members of an object, in order.
    #[inline]
    pub(super) fn members(&self, object: Value) -> Result<Members<'_, 'a>, Odd> {
        if self.at(object.start) == b'{' { Ok(Members(self.parts(object, b'}')?)) } else { Err(Odd) }
    }

    /// The items of an array, in order.
    pub(super) fn items(&self, array: Value) -> Result<Items<'_, 'a>, Odd> {
        if self.at(array.start) == b'[' { Ok(Items(self.parts(array, b']')?)) } else { Err(Odd) }
    }

    #[inline]
    fn parts(&self, value: Value, close: u8) -> Result<Parts<'_, 'a>, Odd> {
        let last = value.end - 1;
        if self.at(last) != close {
            return Err(Odd);
        }
        Ok(Parts { frame: self, at: self.solid(value.start + 1), last, bracket: value.bracket + 1, first: true })
    }

    #[inline]
    fn at(&self, at: u32) -> u8 {
        self.bytes.get(at as usize).copied().unwrap_or_default()
    }

    /// The first byte from `at` on that is no blank.
    #[inline]
    fn solid(&self, mut at: u32) -> u32 {
        while self.at(at) <= b' ' && matches!(self.at(at), b' ' | b'\n' | b'\r' | b'\t') {
            at += 1;
        }
        at
    }

    /// The value that begins at `start`; `bracket` is the number of the next bracket, before it and then after it.
    #[inline]
    fn value(&self, start: u32, bracket: &mut u32) -> Result<Value, Odd> {
        let own = *bracket;
        let end = match self.at(start) {
            b'"' => self.quote(start + 1)?,
            b'{' | b'[' => {
                *bracket = self.brackets.get(own as usize).ok_or(Odd)?.partner + 1;
                self.brackets.get(*bracket as usize - 1).ok_or(Odd)?.at + 1
            }
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                let rest = self.bytes.get(start as usize..).unwrap_or_default();
                let word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
                start + rest.iter().take_while(|byte| word(byte)).count() as u32
            }
            _ => return Err(Odd),
        };
        Ok(Value { start, end, bracket: own })
    }

    /// The byte after the first quote from `from` on.
    #[inline]
    fn quote(&self, from: u32) -> Result<u32, Odd> {
        let mut word = from as usize / BLOCK;
        let mut left = self.quotes.get(word).ok_or(Odd)? & (u64::MAX << (from as usize % BLOCK));
        while left == 0 {
            word += 1;
            left = *self.quotes.get(word).ok_or(Odd)?;
        }
        Ok(word as u32 * BLOCK as u32 + left.trailing_zeros() + 1)
    }

    /// Whether there is a backslash in a value.
    #[inline]
    fn is_escaped(&self, value: Value) -> bool {
        self.has_escapes && self.slice(value).contains(&b'\\')
    }
}

struct Parts<'f, 'a> {
    frame: &'f Frame<'a>,
    at: u32,
    /// The closing bracket.
    last: u32,
    /// The number of the next bracket.
    bracket: u32,
    first: bool,
}

impl Parts<'_, '_> {
    /// Steps over the comma, or to the end.
    #[inline]
    fn more(&mut self) -> Result<bool, Odd> {
        if self.at == self.last {
            return Ok(false);
        }
        if !std::mem::take(&mut self.first) {
            if self.frame.at(self.at) != b',' {
                return Err(Odd);
            }
            self.at = self.frame.solid(self.at + 1);
        }
        Ok(true)
    }

    #[inline]
    fn value(&mut self) -> Result<Value, Odd> {
        let value = self.frame.value(self.at, &mut self.bracket)?;
        self.at = self.frame.solid(value.end);
        if self.at > self.last { Err(Odd) } else { Ok(value) }
    }
}

/// The members of an object.
pub(super) struct Members<'f, 'a>(Parts<'f, 'a>);

impl<'a> Members<'_, 'a> {
    /// A key as it is written, without its quotes, and its value. A key with an escape in it is odd.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<(&'a [u8], Value)>, Odd> {
        if !self.0.more()? {
            return Ok(None);
        }
        let key = self.0.value()?;
        let key = self.0.frame.plain(key).ok_or(Odd)?;
        if self.0.frame.at(self.0.at) != b':' {
            return Err(Odd);
        }
        self.0.at = self.0.frame.solid(self.0.at + 1);
        self.0.value().map(|value| Some((key, value)))
    }

    /// The value of a key; odd where the key stands twice.
    pub(super) fn find(mut self, wanted: &[u8]) -> Result<Option<Value>, Odd> {
        let mut found = None;
        while let Some((key, value)) = self.next()? {
            if key == wanted && found.replace(value).is_some() {
                return Err(Odd);
            }
        }
        Ok(found)
    }
}

/// The items of an array.
pub(super) struct Items<'f, 'a>(Parts<'f, 'a>);

impl Items<'_, '_> {
    /// The next item.
    pub(super) fn next(&mut self) -> Result<Option<Value>, Odd> {
        if self.0.more()? { self.0.value().map(Some) } else { Ok(None) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value as Json;

    use super::*;

    fn json() -> impl Strategy<Value = Json> {
        let text = prop_oneof!["[a-c\\\\\"\\[\\]{}:, é]{0,70}", "\\\\{60,70}"];
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i32>().prop_map(Json::from),
            text.prop_map(Json::from)
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
                prop::collection::btree_map("[a-c]{0,3}", inner, 0..6).prop_map(|map| Json::Object(map.into_iter().collect()))
            ]
        })
    }

    /// Reads by ranges alone what serde_json reads.
    fn read(frame: &Frame<'_>, range: Value) -> Result<Json, Odd> {
        match frame.slice(range).first() {
            Some(b'{') => {
                let (mut members, mut object) = (frame.members(range)?, serde_json::Map::new());
                while let Some((key, value)) = members.next()? {
                    object.insert(String::from_utf8_lossy(key).into_owned(), read(frame, value)?);
                }
                Ok(Json::Object(object))
            }
            Some(b'[') => {
                let (mut items, mut array) = (frame.items(range)?, Vec::new());
                while let Some(item) = items.next()? {
                    array.push(read(frame, item)?);
                }
                Ok(Json::Array(array))
            }
            _ => serde_json::from_slice(frame.slice(range)).map_err(|_| Odd),
        }
    }

    fn whole(text: &str) -> Result<Json, Odd> {
        let frame = Frame::of(text.as_bytes())?;
        read(&frame, frame.root()?)
    }

    proptest! {
        #[test]
        fn finds_what_a_reader_finds(json in json(), pretty in any::<bool>()) {
            let text = if pretty { format!("\n {json:#} ") } else { json.to_string() };
            prop_assert_eq!(whole(&text), Ok(json));
        }

        #[test]
        fn what_is_cut_off_is_odd(json in json(), cut in any::<prop::sample::Index>()) {
            let text = json!({ "data": [json] }).to_string();
            let cut = Frame::of(&text.as_bytes()[..cut.index(text.len())]).and_then(|frame| frame.root());
            prop_assert_eq!(cut, Err(Odd));
        }

        #[test]
        fn any_bytes_are_read_or_odd(bytes in "[\\[\\]{}:,\"\\\\ a0]{0,200}") {
            let framed = whole(&bytes);
            if let Ok(strict) = serde_json::from_str::<Json>(&bytes) {
                prop_assert!(framed == Ok(strict) || bytes.contains('\\') || framed.is_err());
            }
        }
    }

    use serde_json::json;

    #[test]
    fn commas_are_where_they_belong() {
        for odd in ["[1,]", "[,1]", "[1 2]", "{\"a\":1,}", "{,}", "{\"a\" 1}", "{1:2}", "[1]]", "[", "\"a", "", "[01", "{\"a\":}"]
        {
            assert_eq!(whole(odd), Err(Odd), "{odd}");
        }
    }
}
