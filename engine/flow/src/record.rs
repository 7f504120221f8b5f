//! Records: the typed bodies of events, and the table that describes them.
//!
//! The macro `records!` makes, from one definition, the struct, the compile-time proof that it fills the body exactly,
//! and its entry in [`crate::KINDS`]. The entry has everything that a reader of the bytes needs: the fields with their
//! meaning, which flags are columns, which record follows which, and the order of the columns of a row. Rows, the columns
//! of `tidegate schema`, the joins of two records into one row and the page of kinds are derived from it, so they
//! cannot differ from the code.

use crate::{Flags, Kind, Words};
use bytemuck::Pod;

/// One typed body. Implemented by `records!` only.
pub trait Record: Pod {
    /// The kind whose events carry this record.
    const KIND: Kind;
    /// The kind's name in rows, schemas and configurations.
    const NAME: &'static str;
    /// The fields in order of their offsets; reserved bytes are left out.
    const FIELDS: &'static [Field];
}

/// What a field's bytes mean and how a row shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// Price, i64 of 1e-9; shown as a decimal; `i64::MAX` = absent.
    Price,
    /// A price that is an average: as [`FieldType::Price`], shown with all nine decimals.
    Average,
    /// Quantity, u64 of the instrument's smallest unit; shown as an integer or, where the listing has a scale, a decimal.
    Qty,
    /// Nanoseconds since the Unix epoch, u64; `u64::MAX` = absent.
    TimeNs,
    /// Seconds, u32.
    Seconds,
    /// Seconds since the Unix epoch, u32; shown in nanoseconds.
    Start,
    /// Length of a bar in seconds, u32; shown as `1m`.
    Interval,
    /// Plain unsigned integer of the field's width.
    Uint,
    /// Plain signed integer of the field's width.
    Int,
    /// f64; NaN = absent.
    Float,
    /// ASCII, padded with NUL or spaces at the end.
    Text,
    /// A signed decimal of 1e-9 that is not a price.
    Nano,
    /// Money, a signed decimal of 1e-9; shown with two decimals or more.
    Money,
    /// Our id of an order: account, strategy and counter.
    OrderId,
    /// An account, u8.
    Account,
    /// A strategy, u16; shown by name.
    Strategy,
    /// A check of risk, u16; shown by name.
    Check,
    /// A user of the system, u32; `u32::MAX` = absent.
    Uid,
    /// Number of a kind; shown by name.
    Kind,
    /// Number of a variant; shown by name.
    Enum(Words),
    /// Number of a variant; shown as that number.
    Code(Words),
    /// The number that explains an anomaly; shown with what it is.
    Detail,
}

impl FieldType {
    /// The type as a follower's row of its own shows it: the number that stands in the record.
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
        matches!(self, FieldType::Price | FieldType::Average | FieldType::Int | FieldType::Nano | FieldType::Money)
    }
}

/// One field of a record.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Name in the record.
    pub name: &'static str,
    /// Name of its column.
    pub column: &'static str,
    /// Meaning of the bytes.
    pub ty: FieldType,
    /// Offset in the event, from its first byte.
    pub offset: usize,
    /// Width in bytes.
    pub size: usize,
    /// What it is, in one sentence.
    pub about: &'static str,
}

impl Field {
    /// The field's bytes in a body.
    pub fn bytes<'a>(&self, body: &'a [u8; 40]) -> &'a [u8] {
        &body[self.offset - 24..][..self.size]
    }

    /// The field's number in a body, as it stands there: without its sign, if it has one and is narrower than 8 bytes.
    pub fn number(&self, body: &[u8; 40]) -> u64 {
        let mut word = [0; 8];
        word[..self.size].copy_from_slice(self.bytes(body));
        u64::from_le_bytes(word)
    }

    /// The variants that it may have, where they are few enough for one line.
    pub fn words(&self) -> Option<Words> {
        match self.ty {
            FieldType::Enum(words) | FieldType::Code(words) if words.len() <= 8 => Some(words),
            _ => None,
        }
    }

    /// What it is, with the numbers of its variants.
    pub fn about_in_full(&self) -> String {
        let Some(words) = self.words() else {
            return self.about.to_owned();
        };
        let list: Vec<_> = words.iter().map(|(number, name)| format!("{number} {name}")).collect();
        format!("{}: {}", self.about, list.join(", "))
    }
}

/// A column that the flags in the header give.
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
    /// Whether it is an auction's print.
    Auction,
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
        }
    }

    /// What it is, in one sentence.
    pub const fn about(self) -> &'static str {
        match self {
            FlagColumn::Side => "side of the order or level",
            FlagColumn::Aggressor => "side that took liquidity",
            FlagColumn::Inferred => "whether the aggressor was inferred by a rule",
            FlagColumn::Displayed => "whether the resting interest was displayed",
            FlagColumn::Auction => "whether it is an auction's print",
        }
    }

    /// Whether these flags say so; `None` for a column that is a side.
    pub const fn is_set(self, flags: Flags) -> Option<bool> {
        match self {
            FlagColumn::Side | FlagColumn::Aggressor => None,
            FlagColumn::Inferred => Some(flags.has(Flags::INFERRED_AGGRESSOR)),
            FlagColumn::Displayed => Some(!flags.has(Flags::HIDDEN)),
            FlagColumn::Auction => Some(flags.has(Flags::AUCTION)),
        }
    }
}

/// What a record follows: together they are one row.
#[derive(Clone, Copy, Debug)]
pub struct Follows {
    /// The kind that it follows.
    pub first: Kind,
    /// The field of the first that holds the number of followers; one if there is none.
    pub times: Option<&'static str>,
}

/// A kind with everything that tables and rows need.
#[derive(Clone, Copy, Debug)]
pub struct KindInfo {
    /// The number.
    pub kind: Kind,
    /// Name in rows, schemas and configurations.
    pub name: &'static str,
    /// What it is, in one or two sentences.
    pub about: &'static str,
    /// Fields of the body.
    pub fields: &'static [Field],
    /// Bytes at the end of the body that are zero.
    pub reserved: usize,
    /// Flags that are columns.
    pub flags: &'static [FlagColumn],
    /// What it follows, if it follows another kind.
    pub follows: Option<Follows>,
    /// The columns of its row, in order, if that is not the order of the fields. Of a kind that follows several times: the
    /// fields that each gives to the list in the row of its first.
    pub row: &'static [&'static str],
}

impl KindInfo {
    /// The id of ours that its events are about: the first field, unless the record names account or strategy itself.
    pub fn order(&self) -> Option<&'static Field> {
        let names_owner = |f: &Field| matches!(f.ty, FieldType::Account | FieldType::Strategy);
        let first = self.fields.first().filter(|f| f.ty == FieldType::OrderId);
        first.filter(|_| !self.fields.iter().any(names_owner))
    }

    /// The fields as `name=value`, raw integers, for messages.
    pub fn debug_body(&self, body: &[u8; 40]) -> String {
        let show = |f: &Field| match f.ty {
            FieldType::Text => {
                format!("{}={:?}", f.name, String::from_utf8_lossy(f.bytes(body)).trim_end_matches(['\0', ' ']))
            }
            FieldType::Float => format!("{}={}", f.name, f64::from_bits(f.number(body))),
            ty if ty.is_signed() => format!("{}={}", f.name, f.number(body) as i64),
            _ => format!("{}={}", f.name, f.number(body)),
        };
        self.fields.iter().map(show).collect::<Vec<_>>().join(" ")
    }
}

/// Defines records:
///
/// ```text
/// Name = number "name" : sided {                            sided: the side in the flags is a column; so are other flags
///     field: RustType as FieldType "what it is",
///     field = "column": RustType as Enum(Tif) "what it is",   a column of another name; an enum that has numbers and names
/// } reserved bytes row [columns in their order]
/// Next = number "next" follows Name { … }                     its fields join the row of its first,
/// Next = number "next" follows Name times field { … }         as many as the first's field says
/// ```
macro_rules! records {
    ($( $(#[doc = $about:literal])+ $name:ident = $number:literal $text:literal
        $( : $($flag:ident)+ )? $( follows $first:ident $( times $times:ident )? )?
        { $( $field:ident $( = $column:literal )? : $ty:ty as $meaning:ident $( ( $of:ident ) )? $what:literal ),* $(,)? }
        $( reserved $left:literal )? $( row [ $($shown:ident),+ $(,)? ] )? )*) => {
        $(
            $(#[doc = $about])+
            #[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
            #[repr(C)]
            pub struct $name {
                $( #[doc = $what] pub $field: $ty, )*
                $( #[doc = "Reserved, zero."] pub reserved: [u8; $left], )?
            }
            const _: () = assert!(size_of::<$name>() == 40, concat!("the body of ", $text, " is not 40 bytes"));
            const _: () = assert!(align_of::<$name>() <= 8);
            impl $crate::Record for $name {
                const KIND: $crate::Kind = $crate::Kind($number);
                const NAME: &'static str = $text;
                const FIELDS: &'static [$crate::Field] = &[ $( $crate::Field {
                    name: stringify!($field),
                    column: $crate::record::first_of!($( $column, )? stringify!($field)),
                    ty: $crate::FieldType::$meaning $( ($crate::$of::WORDS) )?,
                    offset: 24 + std::mem::offset_of!($name, $field),
                    size: size_of::<$ty>(),
                    about: $what,
                } ),* ];
            }
            impl Default for $name {
                fn default() -> Self {
                    bytemuck::Zeroable::zeroed()
                }
            }
        )*
        pub(super) const INFOS: &[$crate::KindInfo] = &[ $( $crate::KindInfo {
            kind: <$name as $crate::Record>::KIND,
            name: $text,
            about: concat!($($about),+),
            fields: <$name as $crate::Record>::FIELDS,
            reserved: $crate::record::first_of!($( $left, )? 0),
            flags: &[ $( $( $crate::record::flag_column!($flag) ),+ )? ],
            follows: $crate::record::first_of!($( Some($crate::Follows {
                first: <$first as $crate::Record>::KIND,
                times: $crate::record::first_of!($( Some(stringify!($times)), )? None),
            }), )? None),
            row: &[ $( $( stringify!($shown) ),+ )? ],
        } ),* ];
        impl $crate::Kind {
            $( $crate::record::kind_const!($name, $number); )*
        }
    };
}
pub(crate) use records;

/// The first of one or two expressions: what was given, or else what stands for nothing.
macro_rules! first_of {
    ($given:expr $(, $otherwise:expr)?) => {
        $given
    };
}
pub(crate) use first_of;

/// The flag that a word of `records!` makes a column.
macro_rules! flag_column {
    (sided) => {
        $crate::FlagColumn::Side
    };
    (aggressor) => {
        $crate::FlagColumn::Aggressor
    };
    (inferred) => {
        $crate::FlagColumn::Inferred
    };
    (displayed) => {
        $crate::FlagColumn::Displayed
    };
    (auction) => {
        $crate::FlagColumn::Auction
    };
}
pub(crate) use flag_column;

/// The associated constant of a kind, named as its record: a macro cannot change case.
macro_rules! kind_const {
    ($name:ident, $number:literal) => {
        #[doc = concat!("Kind of [`", stringify!($name), "`].")]
        #[allow(non_upper_case_globals)]
        pub const $name: $crate::Kind = $crate::Kind($number);
    };
}
pub(crate) use kind_const;
