//! Reads measured latencies from a file, for the simulated venue.
//!
//! Comma-separated, with the header `ts_ns,order_ns,reply_ns`: time of the measurement, latency to the venue, latency
//! back. Bound: all rows are held in memory.

use crate::config::Fault;
use flow::{Ns, Params};
use serde::Deserialize;
use stages::exchange_sim::Sample;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    ts_ns: u64,
    order_ns: u64,
    reply_ns: u64,
}

/// The rows of the file that the venue's parameters name; none unless its latency is `recorded`.
pub(super) fn rows(params: &Params) -> Result<Vec<Sample>, Fault> {
    let Some(path) = stages::exchange_sim::latency_file(params).map(Path::new) else { return Ok(Vec::new()) };
    let wrong = |e: csv::Error| {
        let valid = "valid: a readable CSV file with the header ts_ns,order_ns,reply_ns";
        Fault::of_settings("sim.latency_file", &format!("{}: {e}", path.display()), valid)
    };
    let sample = |row: Row| Sample { ts: Ns(row.ts_ns), order_ns: row.order_ns, reply_ns: row.reply_ns };
    let mut reader = csv::Reader::from_path(path).map_err(wrong)?;
    reader.deserialize::<Row>().map(|row| row.map(sample).map_err(wrong)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Param;

    fn params(file: &Path) -> Params {
        let mut params = Params::defaults(stages::exchange_sim::PARAMS);
        for (name, text) in [("latency", "recorded"), ("latency_file", file.to_str().unwrap())] {
            let param: &Param = stages::exchange_sim::PARAMS.iter().find(|p| p.name == name).unwrap();
            params.set(param, param.parse(name, text).unwrap());
        }
        params
    }

    #[test]
    fn rows_are_read_and_a_bad_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("latency.csv");
        std::fs::write(&file, "ts_ns,order_ns,reply_ns\n1,20,30\n5,40,50\n").unwrap();
        let read = rows(&params(&file)).unwrap();
        assert_eq!(read[1], Sample { ts: Ns(5), order_ns: 40, reply_ns: 50 });
        std::fs::write(&file, "ts_ns,order_ns,reply_ns\n1,20,30\n5,fast,50\n").unwrap();
        let fault = rows(&params(&file)).unwrap_err().to_string();
        assert!(fault.contains("line: 3") && fault.contains("sim.latency_file"), "{fault}");
        assert!(rows(&params(&folder.path().join("none"))).unwrap_err().to_string().contains("No such file"));
    }
}
