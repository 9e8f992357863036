//! The marks of a text, 64 bytes at a time: its quotes, and its brackets outside of strings.

use wide::u8x16;

use super::Odd;

/// So many bytes are looked at together: a bit for each in a number.
pub(super) const BLOCK: usize = 64;
/// Collections inside one another, at the most: more are left to the strict reader, who has a limit, too.
const DEPTH: usize = 128;

#[derive(Debug, Clone, Copy)]
pub(super) struct Bracket {
    pub(super) at: u32,
    /// Of one that opens, the number of the one that closes it.
    pub(super) partner: u32,
}

/// Finds the partner of each bracket.
pub(super) struct Brackets {
    pub(super) found: Vec<Bracket>,
    /// The numbers of those that are open.
    pub(super) open: Vec<u32>,
}

impl Brackets {
    #[inline]
    pub(super) fn take(&mut self, base: u32, opens: u64, closes: u64) -> Result<(), Odd> {
        let mut left = opens | closes;
        while left != 0 {
            let bit = left & left.wrapping_neg();
            let number = self.found.len() as u32;
            self.found.push(Bracket { at: base + left.trailing_zeros(), partner: 0 });
            left ^= bit;
            if opens & bit != 0 {
                self.open.push(number);
            } else {
                let open = self.open.pop().ok_or(Odd)?;
                self.found[open as usize].partner = number;
            }
        }
        if self.open.len() > DEPTH { Err(Odd) } else { Ok(()) }
    }
}

/// What one block leaves to the next.
#[derive(Default)]
pub(super) struct Carry {
    /// The first byte is escaped by the last backslash.
    escaped: u64,
    /// All ones inside of a string.
    pub(super) inside: u64,
    /// There was a backslash.
    pub(super) has_escapes: bool,
}

impl Carry {
    /// The quotes of the next block that begin or end a string; and, outside of strings, the brackets that open and those that close.
    #[inline]
    pub(super) fn marks(&mut self, block: &[u8; BLOCK]) -> (u64, u64, u64) {
        let (mut quotes, mut backslashes, mut opens, mut closes) = (0, 0, 0, 0);
        let (parts, _) = block.as_chunks::<16>();
        for (number, part) in parts.iter().enumerate() {
            let part = u8x16::from(*part);
            let is = |part: u8x16, byte| u64::from(part.simd_eq(u8x16::splat(byte)).to_bitmask()) << (16 * number);
            // With this bit set, both kinds of bracket are one.
            let curled = part | u8x16::splat(0x20);
            quotes |= is(part, b'"');
            backslashes |= is(part, b'\\');
            opens |= is(curled, b'{');
            closes |= is(curled, b'}');
        }
        quotes &= !self.escapes(backslashes);
        let inside = self.inside ^ parity(quotes);
        self.inside = 0_u64.wrapping_sub(inside >> 63);
        (quotes, opens & !inside, closes & !inside)
    }

    /// The bytes that a backslash takes their meaning from.
    #[inline]
    fn escapes(&mut self, backslashes: u64) -> u64 {
        self.has_escapes |= backslashes != 0;
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
fn parity(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}
