//! Measures of books: numbers that follow from best bid and ask as they change.
//!
//! They are measures, like those of [`super::measures`].

use crate::Real;
use crate::record::records;

records! {
    /// How much the imbalance of a book varies; emitted at the first `book-top` of a later second.
    ImbalanceVariability = 224 "imbalance-variability" {
        variability: Real as Float "standard deviation of the imbalance at the touch over the samples, 0 to 1; absent with too few",
        mean: Real as Float "mean of the imbalance over the samples, -1 to 1; absent with too few",
        samples: u16 as Uint "seconds of the window at whose end both sides had quantity",
        window_s: u16 as Uint "length of the window, in seconds",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 19
}
