//! Records: the typed bodies of events, and the table that describes them.
//!
//! From one definition, the macro `records!` makes the struct, a compile-time proof that it fills the body exactly, and
//! its entry in [`crate::KINDS`]. The entry holds everything a reader of the bytes needs: the fields with their meaning,
//! which flags are columns, which record follows which, and the column order of a row. Rows, `tidegate schema`, the
//! joins of two records into one row and the page of kinds are derived from it, so they cannot differ from the code.

use crate::{Account, Field, FieldType, FlagColumn, Kind, Ns, Px, Qty, Real, StrategyId};
use bytemuck::Pod;

/// One typed body. Implemented by `records!` only.
pub trait Record: Pod {
    /// The kind whose events carry this record.
    const KIND: Kind;
    /// The kind's name in rows, schemas and configurations.
    const NAME: &'static str;
    /// The fields in order of their offsets; reserved bytes are left out.
    const FIELDS: &'static [Field];
    /// Where its body says which instance of a measure it is of.
    const INSTANCE: Option<usize> = instance_in(Self::FIELDS);
}

const fn instance_in(fields: &[Field]) -> Option<usize> {
    let mut at = 0;
    while at < fields.len() {
        if let FieldType::Instance = fields[at].ty {
            return Some(fields[at].offset - 24);
        }
        at += 1;
    }
    None
}

/// A type that a field may have. f64 is none of them: see [`Real`].
pub(crate) trait InRecord: Pod {
    /// Whether the field is a [`FieldType::Float`].
    const IS_FLOAT: bool = false;
}

macro_rules! in_record {
    ($($ty:ty),*) => {
        $( impl InRecord for $ty {} )*
    };
}

in_record!(u8, u16, u32, u64, i64, Px, Qty, Ns, Account, StrategyId);

impl<const N: usize> InRecord for [u8; N] where [u8; N]: Pod {}

impl InRecord for Real {
    const IS_FLOAT: bool = true;
}

/// The record that this one follows; the two make one row.
#[derive(Clone, Copy, Debug)]
pub struct Follows {
    /// The kind that comes first.
    pub first: Kind,
    /// The field of the first record that holds the number of followers; `None` = exactly one.
    pub times: Option<&'static str>,
}

/// A kind, with everything that tables and rows need.
#[derive(Clone, Copy, Debug)]
pub struct KindInfo {
    /// The number.
    pub kind: Kind,
    /// Name in rows, schemas and configurations.
    pub name: &'static str,
    /// Description, in one or two sentences.
    pub about: &'static str,
    /// Fields of the body.
    pub fields: &'static [Field],
    /// Reserved bytes at the end of the body, always zero.
    pub reserved: usize,
    /// Header flags shown as columns.
    pub flags: &'static [FlagColumn],
    /// The kind that it follows, if any.
    pub follows: Option<Follows>,
    /// The columns of its row, in order; empty = the order of the fields. For a kind that follows several times: the
    /// fields that each follower adds to the list in the row of the first.
    pub row: &'static [&'static str],
}

impl KindInfo {
    /// The order id that its events refer to: the first field, unless the record has its own account or strategy field.
    pub fn order(&self) -> Option<&'static Field> {
        let names_owner = |f: &Field| matches!(f.ty, FieldType::Account | FieldType::Strategy);
        let first = self.fields.first().filter(|f| f.ty == FieldType::OrderId);
        first.filter(|_| !self.fields.iter().any(names_owner))
    }

    /// The fields as `name=value`, in raw integers, for messages.
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
///     field: RustType as FieldType "description",
///     field = "column": RustType as Enum(Tif) "description",  a column with another name; an enum with numbers and names
/// } reserved bytes row [columns in their order]
/// Next = number "next" follows Name { … }                     its fields join the row of the first record
/// Next = number "next" follows Name times field { … }         as many followers as that field of the first holds
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
            $( const _: () = assert!(
                <$ty as $crate::record::InRecord>::IS_FLOAT
                    == matches!($crate::FieldType::$meaning $( ($crate::$of::WORDS) )?, $crate::FieldType::Float),
                "a float in a record is a Real, and a Real is a float"
            ); )*
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

/// The first of one or two expressions: the given one, or else the default.
macro_rules! first_of {
    ($given:expr $(, $otherwise:expr)?) => {
        $given
    };
}
pub(crate) use first_of;

/// The flag column for a keyword of `records!`.
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
    (doubtful) => {
        $crate::FlagColumn::Doubtful
    };
    (volume_only) => {
        $crate::FlagColumn::VolumeOnly
    };
    (by_quote) => {
        $crate::FlagColumn::ByQuote
    };
    (after_gap) => {
        $crate::FlagColumn::AfterGap
    };
    (crossed) => {
        $crate::FlagColumn::Crossed
    };
}
pub(crate) use flag_column;

/// The associated constant of a kind, named like its record, because a macro cannot change case.
macro_rules! kind_const {
    ($name:ident, $number:literal) => {
        #[doc = concat!("Kind of [`", stringify!($name), "`].")]
        #[allow(non_upper_case_globals)]
        pub const $name: $crate::Kind = $crate::Kind($number);
    };
}
pub(crate) use kind_const;
