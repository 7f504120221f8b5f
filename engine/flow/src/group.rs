//! Records that one event brings forth together.
//!
//! A wide result is several narrow records (`vpin` and `vpin-flow`). The type says which kinds they are and how many, so
//! what a stage emits and its bound follow from it; the last of them closes the group.

use crate::{Flags, Kind, Out, Record};

/// One record, or a tuple of up to five that belong together.
pub trait RecordGroup {
    /// Their kinds, in the order in which they are pushed.
    const KINDS: &'static [Kind];

    /// Pushes all of them with `flags`; the last is also the last of its group.
    fn push(&self, instrument: u32, flags: Flags, out: &mut Out);
}

impl<R: Record> RecordGroup for R {
    const KINDS: &'static [Kind] = &[R::KIND];

    #[inline]
    fn push(&self, instrument: u32, flags: Flags, out: &mut Out) {
        out.push(instrument, flags.with(Flags::LAST_OF_GROUP), self);
    }
}

macro_rules! tuple {
    ($($first:ident $at:tt),+; $last:ident $end:tt) => {
        impl<$($first: Record,)+ $last: Record> RecordGroup for ($($first,)+ $last) {
            const KINDS: &'static [Kind] = &[$($first::KIND,)+ $last::KIND];

            #[inline]
            fn push(&self, instrument: u32, flags: Flags, out: &mut Out) {
                $( out.push(instrument, flags, &self.$at); )+
                out.push(instrument, flags.with(Flags::LAST_OF_GROUP), &self.$end);
            }
        }
    };
}

tuple!(A 0; B 1);
tuple!(A 0, B 1; C 2);
tuple!(A 0, B 1, C 2; D 3);
tuple!(A 0, B 1, C 2, D 3; E 4);
