//! The report of a finished run, for people and as one JSON object.
//!
//! A report holds plain values, made once from what a run leaves. Code that prints it needs no access to the pipeline.

mod accounts;
mod busiest;
mod difference;
mod measures;
mod percentiles;
mod summary;
mod trading;

pub use accounts::AccountReport;
pub(crate) use accounts::accounts;
pub use busiest::{BarReport, SymbolReport};
pub use difference::{Cause, Difference, FieldOnBoth, FromInput, Side};
pub(crate) use difference::{Naming, Placed, time};
pub use measures::MeasuresReport;
pub use percentiles::Percentiles;
pub(crate) use percentiles::latencies;
pub use summary::{InputReport, Report};
pub(crate) use summary::{Shape, input_report, reported};
pub use trading::{PnlReport, PositionReport};
pub(crate) use trading::{pnls, sums};
