//! What a run says of itself when it has ended, for people and as one JSON object.
//!
//! A report is plain values: it is made once from what the run leaves, and whoever prints it knows no pipeline.

mod busiest;
mod measures;
mod percentiles;
mod summary;
mod trading;

pub use busiest::{BarReport, SymbolReport};
pub use measures::MeasuresReport;
pub use percentiles::Percentiles;
pub(crate) use percentiles::latencies;
pub use summary::{InputReport, Report};
pub(crate) use summary::{Shape, input_report, reported};
pub use trading::{PnlReport, PositionReport};
