//! Records: what the 40 bytes of a body mean, and the table that says so.
//!
//! The macro `records!` makes, from one definition, the struct, the compile-time proof that it fills the body exactly,
//! and its entry in [`KINDS`]; schema, documentation and row output are derived from that table, so they cannot differ
//! from the code.

use crate::Kind;
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
    /// Quantity, u64 of the instrument's smallest unit; shown as an integer or, where the listing has a scale, a decimal.
    Qty,
    /// Nanoseconds since the Unix epoch, u64; `u64::MAX` = absent.
    TimeNs,
    /// Seconds, u32.
    Seconds,
    /// Plain unsigned integer of the field's width.
    Uint,
    /// A user of the system, u32; `u32::MAX` = absent.
    Uid,
    /// Plain signed integer of the field's width.
    Int,
    /// f64; NaN = absent.
    Float,
    /// ASCII, padded with NUL or spaces at the end.
    Text,
    /// A signed decimal of 1e-9 that is not a price (money, multiplier).
    Nano,
}

/// One field of a record.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Name in rows and schemas.
    pub name: &'static str,
    /// Meaning of the bytes.
    pub ty: FieldType,
    /// Offset in the event, from its first byte.
    pub offset: usize,
    /// Width in bytes.
    pub size: usize,
    /// What it is, in one sentence.
    pub about: &'static str,
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
}

impl KindInfo {
    /// The fields as `name=value`, raw integers, for messages.
    pub fn debug_body(&self, body: &[u8; 40]) -> String {
        let show = |f: &Field| {
            let at = f.offset - 24;
            let bytes = &body[at..at + f.size];
            match f.ty {
                FieldType::Text => {
                    format!("{}={:?}", f.name, String::from_utf8_lossy(bytes).trim_end_matches(['\0', ' ']))
                }
                _ => {
                    let mut word = [0; 8];
                    word[..f.size.min(8)].copy_from_slice(&bytes[..f.size.min(8)]);
                    match f.ty {
                        FieldType::Float => format!("{}={}", f.name, f64::from_le_bytes(word)),
                        FieldType::Price | FieldType::Nano | FieldType::Int => {
                            format!("{}={}", f.name, i64::from_le_bytes(word))
                        }
                        _ => format!("{}={}", f.name, u64::from_le_bytes(word)),
                    }
                }
            }
        };
        self.fields.iter().map(show).collect::<Vec<_>>().join(" ")
    }
}

/// Every kind, in the order of a trade's life.
pub const KINDS: &[KindInfo] = crate::records::TABLE;

/// The entry of a kind, if there is such a kind.
pub fn kind_info(kind: Kind) -> Option<&'static KindInfo> {
    KINDS.iter().find(|k| k.kind == kind)
}

/// The kind of that name.
pub fn kind_named(name: &str) -> Option<&'static KindInfo> {
    KINDS.iter().find(|k| k.name == name)
}

/// Defines records. Each field: `name: RustType as FieldType "what it is"`; bytes left over are `reserved`.
macro_rules! records {
    ($( $(#[doc = $about:literal])+ $name:ident = $number:literal $text:literal
        { $( $field:ident : $ty:ty as $meaning:ident $what:literal ),* $(,)? } $( reserved $left:literal )? )*) => {
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
                    ty: $crate::FieldType::$meaning,
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
        } ),* ];
        impl $crate::Kind {
            $( $crate::record::kind_const!($name, $number); )*
        }
    };
}
pub(crate) use records;

/// The associated constant of a kind, in the screaming case of its record: written out, since a macro cannot change case.
macro_rules! kind_const {
    ($name:ident, $number:literal) => {
        #[doc = concat!("Kind of [`", stringify!($name), "`].")]
        #[allow(non_upper_case_globals)]
        pub const $name: $crate::Kind = $crate::Kind($number);
    };
}
pub(crate) use kind_const;
