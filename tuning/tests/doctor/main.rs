//! What the checks find on six hosts, and that what they write can be taken back.
//!
//! A host is a text: its files with their contents. One was recorded, the others were made up by hand from the kernel's
//! documentation; each has the findings beside it that a person has looked at (written anew with `TIDEGATE_BLESS=1`).

mod change;
mod hosts;
