//! Recorded latency: measurements, interpolated over time.
//!
//! The rows are passed in at construction; reading the file is I/O and happens elsewhere. Between two rows both
//! latencies are interpolated linearly and rounded down; outside the rows the nearest row holds. The floor is the
//! smallest latency to the venue of all rows. Bound: O(log rows).

use super::model::Latency;
use flow::{EventId, Ns, ParamError, TextParam};

/// One measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When it was made.
    pub ts: Ns,
    /// Latency to the venue.
    pub order_ns: u64,
    /// Latency back.
    pub reply_ns: u64,
}

/// The model's name.
pub(super) const NAME: &str = "recorded";

/// Where the rows are; who builds the venue reads them.
pub(crate) const LATENCY_FILE: TextParam =
    TextParam::new("latency_file", "", "file of the recorded model: rows ts_ns,order_ns,reply_ns under that header");

/// The model.
pub(super) struct Recorded {
    rows: Box<[Sample]>,
    least: u64,
}

impl Recorded {
    /// From rows in time order.
    ///
    /// # Errors
    /// When there are no rows, or their times do not rise.
    pub(super) fn new(rows: Vec<Sample>) -> Result<Recorded, ParamError> {
        let refused =
            |found: String, valid: &str| ParamError { key: "sim.latency".to_owned(), found, valid: valid.to_owned() };
        let Some(least) = rows.iter().map(|r| r.order_ns).min() else {
            let valid =
                "valid: constant or rate; the recorded model needs rows of times: name their file in sim.latency_file";
            return Err(refused(NAME.to_owned(), valid));
        };
        if let Some(wrong) = rows.windows(2).find(|w| w[0].ts >= w[1].ts) {
            return Err(refused(format!("row at {}", wrong[1].ts.0), "valid: rows whose times rise"));
        }
        Ok(Recorded { rows: rows.into_boxed_slice(), least })
    }

    fn at(&self, now: Ns, of: impl Fn(&Sample) -> u64) -> u64 {
        let next = self.rows.partition_point(|r| r.ts <= now);
        let Some(before) = next.checked_sub(1) else { return of(&self.rows[0]) };
        let (left, Some(right)) = (&self.rows[before], self.rows.get(next)) else { return of(&self.rows[before]) };
        let (from, to) = (i128::from(of(left)), i128::from(of(right)));
        let (span, gone) = (i128::from(right.ts.0 - left.ts.0), i128::from(now.0 - left.ts.0));
        (from + ((to - from) * gone).div_euclid(span)) as u64
    }
}

impl Latency for Recorded {
    fn least(&self) -> u64 {
        self.least
    }

    fn order(&mut self, _id: EventId, ts: Ns) -> u64 {
        self.at(ts, |r| r.order_ns)
    }

    fn reply(&self, _cause: EventId, now: Ns) -> u64 {
        self.at(now, |r| r.reply_ns)
    }
}
