//! The marks of a text, 64 bytes at a time: its quotes, and its brackets outside of strings.

use fearless_simd::prelude::*;
use fearless_simd::{Simd, u8x64};

/// So many bytes are looked at together: a bit for each in a number.
pub(super) const BLOCK: usize = 64;

/// The marks of one block.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Marks {
    /// The quotes that begin or end a string.
    pub(super) quotes: u64,
    /// Outside of strings, the brackets that open.
    pub(super) opens: u64,
    /// Those that close.
    pub(super) closes: u64,
    /// Collections that are open where the block begins, and the fewest that can be in it.
    pub(super) depth: i32,
    pub(super) floor: i32,
}

/// What one block leaves to the next.
#[derive(Debug, Default)]
pub(super) struct Carry {
    /// The first byte is escaped by the last backslash.
    escaped: u64,
    /// All ones inside of a string.
    inside: u64,
    depth: i32,
    /// There was a backslash.
    pub(super) has_escapes: bool,
}

impl Carry {
    /// The marks of the next block. It is inlined, so that it is compiled for the processor that `simd` stands for.
    #[inline(always)]
    pub(super) fn marks<S: Simd>(&mut self, simd: S, block: &[u8; BLOCK]) -> Marks {
        let bytes = u8x64::simd_from(simd, *block);
        let is = |bytes: u8x64<S>, byte: u8| bytes.simd_eq(byte).to_bitmask();
        let backslashes = is(bytes, b'\\');
        let mut quotes = is(bytes, b'"');
        if backslashes | self.escaped != 0 {
            quotes &= !self.escapes(backslashes);
        }
        let inside = self.inside ^ parity(quotes);
        self.inside = 0_u64.wrapping_sub(inside >> 63);
        // With this bit set, both kinds of bracket are one.
        let curled = bytes | 0x20;
        let (opens, closes) = (is(curled, b'{') & !inside, is(curled, b'}') & !inside);
        let (depth, closed) = (self.depth, closes.count_ones() as i32);
        self.depth += opens.count_ones() as i32 - closed;
        Marks {
            quotes,
            opens,
            closes,
            depth,
            floor: depth - closed,
        }
    }

    /// Whether the text may end here: outside of strings, and with all closed that was opened.
    pub(super) fn is_settled(&self) -> bool {
        self.inside == 0 && self.depth == 0
    }

    /// The bytes that a backslash takes their meaning from.
    fn escapes(&mut self, backslashes: u64) -> u64 {
        self.has_escapes = true;
        let mut escaped = std::mem::take(&mut self.escaped);
        let mut left = backslashes & !escaped;
        while left != 0 {
            let at = left.trailing_zeros();
            if at == 63 {
                self.escaped = 1;
                break;
            }
            escaped |= 2 << at;
            left &= !(3 << at);
        }
        escaped
    }
}

/// Each bit: whether the bits up to it, itself included, are odd in number.
#[inline(always)]
fn parity(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}
