//! Enums that records hold as numbers and rows show by name.
//!
//! Number and name of a variant are written once, where the enum is defined; records, rows, configuration and `KINDS.md` use
//! both. A number is part of the journal's format and is never reused.

/// Every variant of an enum: its number in records and its name in rows.
pub type Words = &'static [(u32, &'static str)];

/// The name of `number` among `words`.
pub fn name_of(words: Words, number: u64) -> Option<&'static str> {
    words.iter().find(|(n, _)| u64::from(*n) == number).map(|(_, name)| *name)
}

/// Defines enums: `Name: repr { Variant = number "name" }`.
macro_rules! words {
    ($( $(#[$about:meta])+ $name:ident : $repr:ty { $( $(#[$what:meta])+ $word:ident = $number:literal $text:literal ),* $(,)? } )*) => { $(
        $(#[$about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[repr($repr)]
        pub enum $name { $( $(#[$what])+ $word = $number ),* }

        impl $name {
            /// Every variant.
            pub const ALL: &'static [$name] = &[ $( $name::$word ),* ];
            /// Every variant's number and name.
            pub const WORDS: $crate::Words = &[ $( ($number, $text) ),* ];

            /// Every variant by its name, for a parameter.
            pub const CHOICES: $crate::Choices<$name> = $crate::choices! { $( $text => $name::$word ),* };

            /// Its number in records.
            #[inline]
            pub const fn code(self) -> $repr {
                self as $repr
            }

            /// The variant of that number.
            #[inline]
            pub const fn from_code(code: $repr) -> Option<$name> {
                match code { $( $number => Some($name::$word), )* _ => None }
            }

            /// Its name in rows.
            pub const fn name(self) -> &'static str {
                match self { $( $name::$word => $text ),* }
            }
        }
    )* };
}
pub(crate) use words;
