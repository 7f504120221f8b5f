//! Numbers and texts as the heads of segments and the end of a file hold them.
//!
//! A number is seven bits a byte, the lowest first, with the high bit where more follow; a text is its length and its bytes.
//! Bound: ten bytes a number. What is read may be any bytes: nothing here panics, and no length is believed before the bytes
//! are there.

/// Appends a number.
pub(super) fn put(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

/// Appends a text.
pub(super) fn put_text(to: &mut Vec<u8>, text: &str) {
    put(to, text.len() as u64);
    to.extend_from_slice(text.as_bytes());
}

/// Reads fields from the front of some bytes; `None` when they are not there.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(front)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N).and_then(|bytes| bytes.try_into().ok())
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            number |= bits << shift;
            if byte < 0x80 {
                return (bits << shift >> shift == bits).then_some(number);
            }
        }
        None
    }

    /// A number of things of at least `least` bytes each, which must all be there.
    pub(super) fn count(&mut self, least: usize) -> Option<usize> {
        let count = usize::try_from(self.number()?).ok()?;
        (count.checked_mul(least)? <= self.0.len()).then_some(count)
    }

    pub(super) fn text(&mut self) -> Option<String> {
        let len = self.count(1)?;
        String::from_utf8(self.take(len)?.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_come_back_and_what_is_cut_does_not() {
        let numbers = [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX - 1, u64::MAX];
        let mut bytes = Vec::new();
        numbers.iter().for_each(|n| put(&mut bytes, *n));
        put_text(&mut bytes, "BRK.B – è");
        let mut fields = Fields(&bytes);
        assert!(numbers.iter().all(|n| fields.number() == Some(*n)));
        assert_eq!((fields.text().as_deref(), fields.0.len()), (Some("BRK.B – è"), 0));
        for cut in 0..bytes.len() {
            let mut fields = Fields(&bytes[..cut]);
            assert!(numbers.iter().any(|_| fields.number().is_none()) || fields.text().is_none(), "{cut}");
        }
        assert_eq!(Fields(&[0xff; 11]).number(), None);
        assert_eq!(Fields(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]).number(), None);
        assert_eq!(Fields(&[200, 1, 0]).count(1), None, "there are not so many bytes");
    }
}
