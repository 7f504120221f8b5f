//! Fields: the meaning of a record's bytes, and of the header flags that are columns.
//!
//! A field has a type, an offset and a width, so its value is read from the body without the record's Rust type. Rows,
//! `tidegate schema`, `KINDS.md` and messages all read bytes this way.

use crate::{Flags, Words};

/// The meaning of a field's bytes, and how a row shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// Price, i64 in 1e-9; shown as a decimal; `i64::MAX` = absent.
    Price,
    /// An average price: like [`FieldType::Price`], shown with all nine decimals.
    Average,
    /// Quantity, u64 in the instrument's smallest unit; shown as an integer or, if the listing has a scale, as a decimal.
    Qty,
    /// A quantity that a feed may not report: like [`FieldType::Qty`]; `u64::MAX` = absent.
    Volume,
    /// A number of something that a feed may not report, u32; `u32::MAX` = absent.
    Count,
    /// Number of a message in its session, u64; `u64::MAX` = absent.
    Sequence,
    /// Nanoseconds since the Unix epoch, u64; `u64::MAX` = absent.
    TimeNs,
    /// Seconds, u32.
    Seconds,
    /// Seconds since the Unix epoch, u32; 0 = absent. Shown in nanoseconds.
    Start,
    /// Length of a bar in seconds, u32; shown as `1m`.
    Interval,
    /// A number that names something, u64: a reference, a match, an event.
    Id,
    /// Plain unsigned integer of the field's width.
    Uint,
    /// Plain signed integer of the field's width.
    Int,
    /// f64; NaN = absent.
    Float,
    /// ASCII, padded with NUL or spaces at the end.
    Text,
    /// A price step, i64 in 1e-9; shown as a decimal; 0 = not known.
    Step,
    /// A factor, i64 in 1e-9; shown as a decimal; 0 = not known.
    Factor,
    /// A signed decimal in 1e-9 that is not a price; `i64::MIN` = absent.
    Nano,
    /// Money, a signed decimal in 1e-9; shown with at least two decimals; `i64::MIN` = absent.
    Money,
    /// Our order id: account, strategy and counter.
    OrderId,
    /// An account, u8.
    Account,
    /// A strategy, u16; shown by name.
    Strategy,
    /// A risk check, u16; shown by name.
    Check,
    /// A table of limits, u16; shown as its scope; 0 = none.
    Limit,
    /// Number of an instance of a measure; 0 = the one that has the measure's own name.
    Instance,
    /// A user id of the operating system, u32; `u32::MAX` = absent.
    Uid,
    /// A kind's number; shown by name.
    Kind,
    /// A variant's number; shown by name.
    Enum(Words),
    /// A variant's number; shown as a number.
    Code(Words),
    /// The detail of an anomaly; shown with its meaning.
    Detail,
}

impl FieldType {
    /// The type in a follower's own row, which shows the number in the record.
    pub const fn raw(self) -> FieldType {
        match self {
            FieldType::Average => FieldType::Price,
            FieldType::Start | FieldType::Interval => FieldType::Seconds,
            FieldType::Money => FieldType::Nano,
            FieldType::Kind => FieldType::Uint,
            FieldType::Enum(words) => FieldType::Code(words),
            other => other,
        }
    }

    /// Whether the number has a sign.
    pub const fn is_signed(self) -> bool {
        matches!(
            self,
            FieldType::Price
                | FieldType::Average
                | FieldType::Step
                | FieldType::Factor
                | FieldType::Int
                | FieldType::Nano
                | FieldType::Money
        )
    }
}

/// One field of a record.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Name in the record.
    pub name: &'static str,
    /// Name of the column.
    pub column: &'static str,
    /// Meaning of the bytes.
    pub ty: FieldType,
    /// Offset from the first byte of the event.
    pub offset: usize,
    /// Width in bytes.
    pub size: usize,
    /// Description, in one sentence.
    pub about: &'static str,
}

impl Field {
    /// The field's bytes in a body.
    pub fn bytes<'a>(&self, body: &'a [u8; 40]) -> &'a [u8] {
        &body[self.offset - 24..][..self.size]
    }

    /// The field's raw number in a body. A signed field narrower than 8 bytes is not sign-extended.
    pub fn number(&self, body: &[u8; 40]) -> u64 {
        let mut word = [0; 8];
        word[..self.size].copy_from_slice(self.bytes(body));
        u64::from_le_bytes(word)
    }

    /// The variants of its enum, if there are few enough for one line of text.
    pub fn words(&self) -> Option<Words> {
        match self.ty {
            FieldType::Enum(words) | FieldType::Code(words) if words.len() <= 9 => Some(words),
            _ => None,
        }
    }

    /// The description, with the numbers of its variants.
    pub fn about_in_full(&self) -> String {
        let Some(words) = self.words() else {
            return self.about.to_owned();
        };
        let list: Vec<_> = words.iter().map(|(number, name)| format!("{number} {name}")).collect();
        format!("{}: {}", self.about, list.join(", "))
    }
}

/// A column read from the flags in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagColumn {
    /// Side of the order or level.
    Side,
    /// Side that took liquidity.
    Aggressor,
    /// Whether the aggressor was inferred.
    Inferred,
    /// Whether the resting interest was displayed.
    Displayed,
    /// Whether the trade is an auction print.
    Auction,
    /// Whether messages were missing, or the market would hardly have given the fill.
    Doubtful,
    /// Whether the trade makes no price.
    VolumeOnly,
    /// Whether the aggressor was inferred from the quote.
    ByQuote,
    /// Whether messages were missing before.
    AfterGap,
    /// Whether the touch was locked or crossed.
    Crossed,
}

impl FlagColumn {
    /// Name of the column.
    pub const fn name(self) -> &'static str {
        match self {
            FlagColumn::Side => "side",
            FlagColumn::Aggressor => "aggressor",
            FlagColumn::Inferred => "inferred",
            FlagColumn::Displayed => "displayed",
            FlagColumn::Auction => "auction",
            FlagColumn::Doubtful => "doubtful",
            FlagColumn::VolumeOnly => "volume_only",
            FlagColumn::ByQuote => "by_quote",
            FlagColumn::AfterGap => "after_gap",
            FlagColumn::Crossed => "crossed",
        }
    }

    /// Description, in one sentence.
    pub const fn about(self) -> &'static str {
        match self {
            FlagColumn::Side => "side of the order or level",
            FlagColumn::Aggressor => "side that took liquidity",
            FlagColumn::Inferred => "whether an aggressor was inferred by a rule, since the feed does not tell",
            FlagColumn::Displayed => "whether the resting interest was displayed",
            FlagColumn::Auction => "whether the trade is an auction print",
            FlagColumn::Doubtful => {
                "of a simulated fill: after the close, or on a locked or crossed book; else: made while messages were missing"
            }
            FlagColumn::VolumeOnly => "whether the trade counts as volume and makes no price",
            FlagColumn::ByQuote => {
                "whether the inferred aggressor follows from the quote before the trade, not from the price before"
            }
            FlagColumn::AfterGap => "whether messages were missing in the session before; of a bar, while it was open",
            FlagColumn::Crossed => "whether the bid stood at the ask or above it",
        }
    }

    /// Whether the column shows a side; else it shows whether a flag is set.
    pub const fn is_side(self) -> bool {
        matches!(self, FlagColumn::Side | FlagColumn::Aggressor)
    }

    /// Whether the flag is set; `None` for a column that shows a side.
    pub const fn is_set(self, flags: Flags) -> Option<bool> {
        match self {
            FlagColumn::Side | FlagColumn::Aggressor => None,
            FlagColumn::Inferred => Some(flags.has(Flags::INFERRED_AGGRESSOR)),
            FlagColumn::Displayed => Some(!flags.has(Flags::HIDDEN)),
            FlagColumn::Auction => Some(flags.has(Flags::AUCTION)),
            FlagColumn::Doubtful => Some(flags.has(Flags::DOUBTFUL)),
            FlagColumn::VolumeOnly => Some(flags.has(Flags::VOLUME_ONLY)),
            FlagColumn::ByQuote => Some(flags.has(Flags::BY_QUOTE)),
            FlagColumn::AfterGap => Some(flags.has(Flags::AFTER_GAP)),
            FlagColumn::Crossed => Some(flags.has(Flags::CROSSED)),
        }
    }
}
