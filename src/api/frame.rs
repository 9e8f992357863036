//! The frame of a JSON text: where its strings and its collections begin and end.
//!
//! Given bytes; hands on a [`Walk`] over the members of its objects and the items of its arrays, each value a range of those
//! bytes. The text is gone over once, 64 bytes at a time, for quotes and for brackets outside of strings; from then on a
//! collection that nobody asks for costs a look at each 64 bytes of it. Whatever is not as it should be on the way is [`Odd`], and the
//! caller's to read by a strict reader. What is stepped over is not checked: only its strings end, and its brackets are as many.

mod marks;

use fearless_simd::{Level, Simd, dispatch};
use marks::{BLOCK, Carry, Marks};

/// Not what a plain text would have here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Odd;

/// A text, and what stands where in it.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    bytes: &'a [u8],
    blocks: Vec<Marks>,
    /// There is a backslash somewhere.
    has_escapes: bool,
}

/// A value: its place, and how many collections it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value {
    start: u32,
    end: u32,
    depth: i32,
}

impl<'a> Frame<'a> {
    /// Goes over the text once.
    pub(super) fn of(bytes: &'a [u8]) -> Result<Self, Odd> {
        dispatch!(Level::new(), simd => Self::by(simd, bytes))
    }

    #[inline(always)]
    fn by<S: Simd>(simd: S, bytes: &'a [u8]) -> Result<Self, Odd> {
        let (whole, rest) = bytes.as_chunks::<BLOCK>();
        let mut last = [b' '; BLOCK];
        last[..rest.len()].copy_from_slice(rest);
        let mut carry = Carry::default();
        let mut blocks = vec![Marks::default(); whole.len() + 1];
        for (block, marks) in whole.iter().chain([&last]).zip(&mut blocks) {
            *marks = carry.marks(simd, block);
        }
        if carry.is_settled() {
            Ok(Self {
                bytes,
                blocks,
                has_escapes: carry.has_escapes,
            })
        } else {
            Err(Odd)
        }
    }

    /// The bytes of a value.
    #[inline]
    pub(super) fn slice(&self, value: Value) -> &'a [u8] {
        self.bytes
            .get(value.start as usize..value.end as usize)
            .unwrap_or_default()
    }

    /// Text that stands in quotes and for itself, without an escape in it.
    #[inline]
    pub(super) fn plain(&self, value: Value) -> Option<&'a [u8]> {
        let [b'"', text @ .., b'"'] = self.slice(value) else {
            return None;
        };
        if self.has_escapes && text.contains(&b'\\') {
            None
        } else {
            Some(text)
        }
    }

    /// A walk that begins with the whole text.
    pub(super) fn walk(&self) -> Walk<'_, 'a> {
        Walk::new(self, 0, 0)
    }

    /// The whole of a value of which only the beginning is known.
    pub(super) fn complete(&self, begin: Value) -> Result<Value, Odd> {
        Walk::new(self, begin.start, begin.depth).value()
    }

    /// A walk over the members of a value that is an object.
    pub(super) fn members(&self, object: Value) -> Result<Walk<'_, 'a>, Odd> {
        self.within(object, b'{')
    }

    /// A walk over the items of a value that is an array.
    pub(super) fn items(&self, array: Value) -> Result<Walk<'_, 'a>, Odd> {
        self.within(array, b'[')
    }

    fn within(&self, value: Value, open: u8) -> Result<Walk<'_, 'a>, Odd> {
        let mut walk = Walk::new(self, value.start, value.depth);
        walk.enter(open)?;
        Ok(walk)
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

    /// The byte after the collection that opens at `start`, inside of so many others.
    fn close(&self, start: u32, depth: i32) -> Result<u32, Odd> {
        let mut block = start as usize / BLOCK;
        let mut marks = *self.blocks.get(block).ok_or(Odd)?;
        let ahead = u64::MAX << (start as usize % BLOCK);
        (marks.opens, marks.closes, marks.depth) =
            (marks.opens & ahead, marks.closes & ahead, depth);
        loop {
            while marks.closes != 0 {
                let bit = marks.closes & marks.closes.wrapping_neg();
                let before = marks.opens & (bit - 1);
                marks.depth += before.count_ones() as i32 - 1;
                if marks.depth == depth {
                    return Ok((block * BLOCK) as u32 + bit.trailing_zeros() + 1);
                }
                (marks.opens, marks.closes) = (marks.opens ^ before, marks.closes ^ bit);
            }
            // The blocks that cannot come down so far hold no end of it.
            let later = self.blocks.get(block + 1..).ok_or(Odd)?;
            let over = later
                .iter()
                .position(|marks| marks.floor <= depth)
                .ok_or(Odd)?;
            (block, marks) = (block + 1 + over, later[over]);
        }
    }
}

/// A place in a text, and the way on from it: into a collection, over a value, out of a collection.
#[derive(Debug)]
pub(super) struct Walk<'f, 'a> {
    frame: &'f Frame<'a>,
    at: u32,
    depth: i32,
    /// Nothing of the collection has been passed.
    first: bool,
    /// The quotes ahead of the block that was come to last.
    block: usize,
    quotes: u64,
}

impl<'f, 'a> Walk<'f, 'a> {
    fn new(frame: &'f Frame<'a>, at: u32, depth: i32) -> Self {
        let mut walk = Self {
            frame,
            at,
            depth,
            first: true,
            block: 0,
            quotes: 0,
        };
        walk.jump(at);
        walk
    }

    /// Goes to the first byte from `at` on that is no blank.
    #[inline(always)]
    fn jump(&mut self, at: u32) {
        self.at = self.frame.solid(at);
        self.block = self.at as usize / BLOCK;
        let ahead = u64::MAX << (self.at as usize % BLOCK);
        self.quotes = self
            .frame
            .blocks
            .get(self.block)
            .map_or(0, |marks| marks.quotes & ahead);
    }

    /// Goes over blanks; `at` is known to be beyond no quote.
    #[inline(always)]
    fn step(&mut self, at: u32) {
        self.at = self.frame.solid(at);
    }

    #[inline(always)]
    fn byte(&self) -> u8 {
        self.frame.at(self.at)
    }

    /// Whether an object begins here.
    #[inline(always)]
    pub(super) fn is_at_object(&self) -> bool {
        self.byte() == b'{'
    }

    /// The beginning of the value that begins here.
    #[inline(always)]
    pub(super) fn begin(&self) -> Value {
        Value {
            start: self.at,
            end: self.at,
            depth: self.depth,
        }
    }

    /// Into the collection that begins here with this bracket.
    #[inline(always)]
    pub(super) fn enter(&mut self, open: u8) -> Result<(), Odd> {
        if self.byte() != open {
            return Err(Odd);
        }
        self.step(self.at + 1);
        (self.depth, self.first) = (self.depth + 1, true);
        Ok(())
    }

    /// Whether there is one more item in the array; else it is left.
    #[inline(always)]
    pub(super) fn item(&mut self) -> Result<bool, Odd> {
        self.more(b']')
    }

    /// The key of the next member as it is written, without its quotes; its value comes next. At the end the object is left. A key
    /// with an escape in it is odd.
    #[inline(always)]
    pub(super) fn member(&mut self) -> Result<Option<&'a [u8]>, Odd> {
        if !self.more(b'}')? {
            return Ok(None);
        }
        let key = self.text()?;
        let key = self.frame.plain(key).ok_or(Odd)?;
        if self.byte() != b':' {
            return Err(Odd);
        }
        self.step(self.at + 1);
        Ok(Some(key))
    }

    /// The value that begins here; goes over it.
    #[inline(always)]
    pub(super) fn value(&mut self) -> Result<Value, Odd> {
        let (start, depth) = (self.at, self.depth);
        let end = match self.byte() {
            b'"' => return self.text(),
            open @ (b'{' | b'[') => {
                let end = self.frame.close(start, depth)?;
                // Of both kinds, the bracket that closes comes two after the one that opens.
                if self.frame.at(end - 1) != open + 2 {
                    return Err(Odd);
                }
                self.jump(end);
                end
            }
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                let rest = self.frame.bytes.get(start as usize..).unwrap_or_default();
                let word =
                    |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
                let end = start + rest.iter().take_while(|byte| word(byte)).count() as u32;
                self.step(end);
                end
            }
            _ => return Err(Odd),
        };
        Ok(Value { start, end, depth })
    }

    /// Nothing comes after this place.
    pub(super) fn end(&self) -> Result<(), Odd> {
        if self.at as usize == self.frame.bytes.len() {
            Ok(())
        } else {
            Err(Odd)
        }
    }

    /// Over the comma, or out of the collection.
    #[inline(always)]
    fn more(&mut self, close: u8) -> Result<bool, Odd> {
        let first = std::mem::take(&mut self.first);
        match self.byte() {
            byte if byte == close => {
                self.step(self.at + 1);
                self.depth -= 1;
                return Ok(false);
            }
            b',' if !first => self.step(self.at + 1),
            _ if first => {}
            _ => return Err(Odd),
        }
        Ok(true)
    }

    /// The string that begins here.
    #[inline(always)]
    fn text(&mut self) -> Result<Value, Odd> {
        let (start, end) = (self.quote()?, self.quote()? + 1);
        if start != self.at {
            return Err(Odd);
        }
        self.step(end);
        Ok(Value {
            start,
            end,
            depth: self.depth,
        })
    }

    /// The next quote.
    #[inline(always)]
    fn quote(&mut self) -> Result<u32, Odd> {
        while self.quotes == 0 {
            self.block += 1;
            self.quotes = self.frame.blocks.get(self.block).ok_or(Odd)?.quotes;
        }
        let at = (self.block * BLOCK) as u32 + self.quotes.trailing_zeros();
        self.quotes &= self.quotes - 1;
        Ok(at)
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
                prop::collection::btree_map("[a-c]{0,3}", inner, 0..6)
                    .prop_map(|map| Json::Object(map.into_iter().collect()))
            ]
        })
    }

    /// Reads by ranges alone what serde_json reads.
    fn read(frame: &Frame<'_>, range: Value) -> Result<Json, Odd> {
        match frame.slice(range).first() {
            Some(b'{') => {
                let (mut members, mut object) = (frame.members(range)?, serde_json::Map::new());
                while let Some(key) = members.member()? {
                    object.insert(
                        String::from_utf8_lossy(key).into_owned(),
                        read(frame, members.value()?)?,
                    );
                }
                Ok(Json::Object(object))
            }
            Some(b'[') => {
                let (mut items, mut array) = (frame.items(range)?, Vec::new());
                while items.item()? {
                    array.push(read(frame, items.value()?)?);
                }
                Ok(Json::Array(array))
            }
            _ => serde_json::from_slice(frame.slice(range)).map_err(|_| Odd),
        }
    }

    fn whole(text: &str) -> Result<Json, Odd> {
        let frame = Frame::of(text.as_bytes())?;
        let mut walk = frame.walk();
        let value = walk.value()?;
        walk.end()?;
        read(&frame, value)
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
            let cut = Frame::of(&text.as_bytes()[..cut.index(text.len())]).and_then(|frame| frame.walk().value());
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
        for odd in [
            "[1,]",
            "[,1]",
            "[1 2]",
            "{\"a\":1,}",
            "{,}",
            "{\"a\" 1}",
            "{1:2}",
            "[1]]",
            "[",
            "\"a",
            "",
            "[01",
            "{\"a\":}",
            "[1}",
            "{]",
            "{\"a\":[}]",
            "}{",
            "]",
            "[]]]][[[",
            "{\"a\":1]",
        ] {
            assert_eq!(whole(odd), Err(Odd), "{odd}");
        }
    }
}
