//! A table-driven fast path for the frequent messages.
//!
//! Nearly all messages of a day add, execute, reduce, delete or replace an order, in a sequence that no branch predictor
//! can learn: a jump by type is mispredicted half the time and then costs more than the whole message. So these types
//! share one branch-free path: each word of an input's body is a word of the message at some offset, masked, scaled and
//! offset by a constant, as the type's row specifies. Any message that deviates from its row (length, time, stock, side)
//! is left to `translate`, which knows every message and every fault. Bound: messages of at most 40 bytes; 72 bytes are
//! read, whatever its length.

use super::wire::{
    AddOrder, AddOrderMpid, DAY_NS, DECIMALS, Head, Message, OrderCancel, OrderDelete, OrderExecuted, OrderReplace,
};
use flow::{Kind, Px};

/// Bytes read from the type byte on, whatever the message's length.
const REACH: usize = 72;

/// How a word of a body is computed: `(number & mask) * scale + constant`, or the raw bytes.
#[derive(Clone, Copy)]
struct Word {
    /// Offset of the eight bytes that are read, below 64.
    at: usize,
    mask: u64,
    scale: u64,
    constant: u64,
    /// Mask of the bytes that are copied unchanged.
    text: u64,
}

impl Word {
    /// A constant.
    const fn fixed(constant: u64) -> Word {
        Word { at: 0, mask: 0, scale: 0, constant, text: 0 }
    }

    /// The 64-bit number at `at`.
    const fn long(at: usize) -> Word {
        Word { at, mask: u64::MAX, scale: 1, constant: 0, text: 0 }
    }

    /// The 32-bit number at `at`.
    const fn int(at: usize) -> Word {
        Word { at: at - 4, mask: u32::MAX as u64, scale: 1, constant: 0, text: 0 }
    }

    /// The 32-bit price at `at`.
    const fn price(at: usize) -> Word {
        Word { scale: Px::from_scaled(1, DECIMALS as u32).0 as u64, ..Word::int(at) }
    }

    /// Four characters at `at`.
    const fn letters(at: usize) -> Word {
        Word { at, text: u32::MAX as u64, ..Word::fixed(0) }
    }

    /// Evaluates a word that has no text.
    #[inline(always)]
    fn scaled(&self, message: &[u8; REACH]) -> u64 {
        let raw = word(message, self.at & 63);
        (raw.swap_bytes() & self.mask) * self.scale + self.constant
    }

    /// Evaluates a word that has neither scale nor constant.
    #[inline(always)]
    fn plain(&self, message: &[u8; REACH]) -> u64 {
        let raw = word(message, self.at & 63);
        raw.swap_bytes() & self.mask | raw & self.text
    }
}

/// How a message type maps to a body.
struct Row {
    /// Length of the message.
    len: usize,
    /// Kind of the input.
    kind: Kind,
    /// Whether the message adds an order, and so has a side and names its stock.
    adds: bool,
    /// The last three words; the first two are always time and order reference.
    words: [Word; 3],
}

const NONE: Word = Word::fixed(Px::NONE.0 as u64);
const ZERO: Word = Word::fixed(0);

const fn row<M: Message>(kind: Kind, adds: bool, words: [Word; 3]) -> Row {
    Row { len: M::LEN, kind, adds, words }
}

/// Matches no message.
const NO_ROW: Row = Row { len: usize::MAX, kind: Kind::Delete, adds: false, words: [ZERO; 3] };

/// The rows. Row 0 is for all other types; the last one pads the table to a power of two.
static ROWS: [Row; 8] = [
    NO_ROW,
    row::<AddOrder>(Kind::Add, true, [Word::price(32), Word::int(20), ZERO]),
    row::<AddOrderMpid>(Kind::Add, true, [Word::price(32), Word::int(20), Word::letters(36)]),
    row::<OrderExecuted>(Kind::Exec, false, [NONE, Word::int(19), Word::long(23)]),
    row::<OrderCancel>(Kind::Cancel, false, [NONE, Word::int(19), ZERO]),
    row::<OrderDelete>(Kind::Delete, false, [NONE, ZERO, ZERO]),
    row::<OrderReplace>(Kind::Replace, false, [Word::long(19), Word::price(31), Word::int(27)]),
    NO_ROW,
];

/// Row number by type byte.
static ROW_OF: [u8; 256] = {
    let types = [
        AddOrder::TYPE,
        AddOrderMpid::TYPE,
        OrderExecuted::TYPE,
        OrderCancel::TYPE,
        OrderDelete::TYPE,
        OrderReplace::TYPE,
    ];
    let mut rows = [0; 256];
    let mut i = 0;
    while i < types.len() {
        rows[types[i] as usize] = i as u8 + 1;
        i += 1;
    }
    rows
};

/// A message that matches its row, with its common fields decoded.
pub(super) struct Frequent<'a> {
    message: &'a [u8; REACH],
    row: &'static Row,
    /// Nanoseconds since midnight.
    pub(super) timestamp: u64,
    /// The stock.
    pub(super) locate: u16,
    /// The side as flag bits; 0 = none.
    pub(super) side: u16,
}

impl<'a> Frequent<'a> {
    /// Reads the message of `len` bytes at the front of `message`; `None` if it must go to `translate`.
    #[inline(always)]
    pub(super) fn read(message: &'a [u8; REACH], len: usize) -> Option<Frequent<'a>> {
        let row = &ROWS[usize::from(ROW_OF[usize::from(message[0])]) & 7];
        let timestamp = word(message, 3).swap_bytes() & ((1 << 48) - 1);
        let locate = u16::from_be_bytes([message[1], message[2]]);
        let letter = message[Head::LEN + 8];
        let side = (u16::from(letter == b'B') | u16::from(letter == b'S') << 1) * u16::from(row.adds);
        let whole = (len == row.len) & (timestamp < DAY_NS) & (locate != 0) & (!row.adds | (side != 0));
        whole.then_some(Frequent { message, row, timestamp, locate, side })
    }

    /// The type byte.
    #[inline(always)]
    pub(super) fn code(&self) -> u8 {
        self.message[0]
    }

    /// Whether it names its stock, which then must already be defined.
    #[inline(always)]
    pub(super) fn names_stock(&self) -> bool {
        self.row.adds
    }

    #[inline(always)]
    pub(super) fn kind(&self) -> Kind {
        self.row.kind
    }

    /// The body of the input.
    #[inline(always)]
    pub(super) fn body(&self, exchange_ts: u64) -> [u64; 5] {
        let [third, fourth, fifth] = &self.row.words;
        let reference = word(self.message, Head::LEN).swap_bytes();
        [exchange_ts, reference, third.scaled(self.message), fourth.scaled(self.message), fifth.plain(self.message)]
    }
}

#[inline(always)]
fn word(message: &[u8; REACH], at: usize) -> u64 {
    u64::from_le_bytes(message[at..at + 8].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::super::translate::Translator;
    use super::*;
    use flow::{Event, Inputs};
    use proptest::prelude::*;

    /// The inputs of `messages` with and without the fast path, and how many messages took the fast path.
    fn both_ways(messages: &[(Vec<u8>, usize)]) -> ([Vec<(Event, u64)>; 2], usize) {
        let mut taken = 0;
        let made = [true, false].map(|by_table| {
            let mut translator = Translator::new(None);
            let mut to = Inputs::with_capacity(4_096);
            for (bytes, len) in messages {
                let framed = [&(*len as u16).to_be_bytes()[..], bytes].concat();
                let done = by_table && translator.frequent(&framed, &mut to) > 0;
                taken += usize::from(done);
                if !done {
                    translator.message(&bytes[..*len], &mut to);
                }
            }
            assert_eq!(translator.records(), messages.len() as u64);
            let counts = translator.counts();
            let mut made = Vec::new();
            while let Some((event, record)) = to.front() {
                made.push((*event, record));
                to.pop();
            }
            (made, counts)
        });
        let [(table, counted), (plain, counted_plain)] = made;
        assert_eq!(counted, counted_plain);
        ([table, plain], taken)
    }

    /// A message of one of these types, for one of three stocks or none, valid or slightly off.
    fn message() -> impl Strategy<Value = (Vec<u8>, usize)> {
        let types = prop::sample::select(b"AAAFEXDUCPS".to_vec());
        let odd = |n: u32, of: usize| prop::option::weighted(1.0 / f64::from(n), 0..of);
        (types, prop::collection::vec(any::<u8>(), REACH), 0..4u8, odd(20, 45), odd(20, 256), any::<bool>()).prop_map(
            |(code, mut bytes, locate, len, side, buys)| {
                (bytes[0], bytes[1], bytes[2]) = (code, 0, locate);
                bytes[5] %= 81;
                bytes[19] = side.map_or(if buys { b'B' } else { b'S' }, |s| s as u8);
                let whole = usize::from(super::super::wire::LENGTHS[usize::from(code)]);
                (bytes, len.map_or(whole, |l| l.max(1)))
            },
        )
    }

    proptest! {
        #[test]
        fn the_fast_path_equals_the_translator(messages in prop::collection::vec(message(), 1..60)) {
            let ([table, plain], _) = both_ways(&messages);
            prop_assert_eq!(table, plain);
        }
    }

    #[test]
    fn the_fast_path_takes_every_valid_frequent_message() {
        for code in *b"AFEXDU" {
            let mut bytes = vec![0; REACH];
            (bytes[0], bytes[2], bytes[19]) = (code, 7, b'S');
            let len = usize::from(super::super::wire::LENGTHS[usize::from(code)]);
            let define = code == b'A' || code == b'F';
            let (_, taken) = both_ways(&[(bytes.clone(), len), (bytes, len)]);
            assert_eq!(taken, if define { 1 } else { 2 }, "type {}", char::from(code));
        }
    }
}
