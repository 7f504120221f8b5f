//! Recorded latency: measurements, interpolated over time.
//!
//! The rows are comma-separated, under the header `ts_ns,order_ns,reply_ns`: time of the measurement, latency to the venue,
//! latency back. They are part of the parameters, so a run never depends on a file that may have changed since. Between two
//! rows both latencies are interpolated linearly and rounded down; outside the rows the nearest row holds. The floor is the
//! smallest latency to the venue of all rows. Bound: O(log rows), all of them in memory.

use super::model::Latency;
use flow::{EventId, FileParam, Ns, ParamError, Params};

/// One measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sample {
    /// When it was made.
    ts: Ns,
    /// Latency to the venue.
    order_ns: u64,
    /// Latency back.
    reply_ns: u64,
}

impl Sample {
    /// The measurement of a row.
    fn parse(row: &str) -> Option<Sample> {
        let mut numbers = row.split(',').map(|number| number.trim().parse().ok());
        let mut next = || numbers.next().flatten();
        let sample = Sample { ts: Ns(next()?), order_ns: next()?, reply_ns: next()? };
        numbers.next().is_none().then_some(sample)
    }
}

/// The model's name.
pub(super) const NAME: &str = "recorded";

/// The first line.
const HEADER: &str = "ts_ns,order_ns,reply_ns";

/// The rows.
pub(crate) const LATENCY_FILE: FileParam =
    FileParam::new("latency_file", "file of the recorded model: rows ts_ns,order_ns,reply_ns under that header");

/// The model.
pub(super) struct Recorded {
    rows: Box<[Sample]>,
    least: u64,
}

impl Recorded {
    /// From the rows in `latency_file`.
    ///
    /// # Errors
    /// When there are no rows, one does not parse, or their times do not rise.
    pub(super) fn new(params: &Params) -> Result<Recorded, ParamError> {
        let refused = |key: &str, found: String, valid: &str| ParamError {
            key: format!("sim.{key}"),
            found,
            valid: valid.to_owned(),
        };
        let mut lines = (1..).zip(params.get(LATENCY_FILE).lines());
        let header = lines.next().map_or("", |(_, line)| line);
        if header.is_empty() {
            let valid =
                "valid: constant or rate; the recorded model needs rows of times: name their file in sim.latency_file";
            return Err(refused("latency", NAME.to_owned(), valid));
        }
        let wrong = |at: usize, line: &str, valid| refused("latency_file", format!("line {at}: {line}"), valid);
        if header != HEADER {
            return Err(wrong(
                1,
                header,
                "valid: the header ts_ns,order_ns,reply_ns, and rows of three integers under it",
            ));
        }
        let mut rows: Vec<Sample> = Vec::new();
        for (at, line) in lines.filter(|(_, line)| !line.is_empty()) {
            let row =
                Sample::parse(line).ok_or_else(|| wrong(at, line, "valid: three integers, ts_ns,order_ns,reply_ns"))?;
            if rows.last().is_some_and(|before| before.ts >= row.ts) {
                return Err(wrong(at, line, "valid: rows whose times rise"));
            }
            rows.push(row);
        }
        let least = rows.iter().map(|r| r.order_ns).min();
        let least = least.ok_or_else(|| wrong(1, header, "valid: at least one row under the header"))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Recorded, String> {
        let param = LATENCY_FILE.param();
        let mut params = Params::defaults(&[param]);
        params.set(&param, param.parse("sim.latency_file", text).expect("lines"));
        Recorded::new(&params).map_err(|e| e.to_string())
    }

    #[test]
    fn rows_are_read_and_a_bad_one_is_named() {
        let rows = read("ts_ns,order_ns,reply_ns\r\n1,20,30\r\n5, 40,50\n\n").unwrap().rows;
        assert_eq!(rows[1], Sample { ts: Ns(5), order_ns: 40, reply_ns: 50 });
        for (text, found) in [
            ("", "the recorded model needs rows"),
            ("when,there,back\n1,2,3\n", "line 1: when,there,back"),
            ("ts_ns,order_ns,reply_ns\n", "at least one row"),
            ("ts_ns,order_ns,reply_ns\n1,20,30\n5,fast,50\n", "line 3: 5,fast,50"),
            ("ts_ns,order_ns,reply_ns\n1,20,30,4\n", "line 2: 1,20,30,4"),
            ("ts_ns,order_ns,reply_ns\n1,20,30\n\n1,20,30\n", "line 4: 1,20,30"),
        ] {
            let fault = read(text).map(|_| ()).unwrap_err();
            assert!(fault.contains(found), "{fault}");
        }
    }
}
