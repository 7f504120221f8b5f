//! What a sink in a process of its own shows of itself.

use super::exposed::Exposed;
use super::scrape::Scrape;
use super::table::{SINK_COMMITS, SINK_COMMITTED, SINK_EVENTS, SINK_GAPS, SINK_RETRIES, SINK_SEQ, SINK_WAITING};
use sinks::tailer::{Counters, Counts};
use std::sync::Arc;

/// A sink: its counters.
pub struct SinkMetrics {
    name: String,
    counters: Arc<Counters>,
}

impl SinkMetrics {
    /// Of the follower of that name.
    pub fn new(name: String, counters: Arc<Counters>) -> SinkMetrics {
        SinkMetrics { name, counters }
    }

    fn waits(counts: &Counts) -> Option<String> {
        counts.trouble.as_ref().map(|error| format!("it waits after an error: {error}"))
    }
}

impl Exposed for SinkMetrics {
    fn ails(&self) -> Vec<String> {
        Vec::new()
    }

    fn lacks(&self) -> Vec<String> {
        let counts = self.counters.now();
        let begins = (counts.commits == 0).then(|| "nothing is committed yet".to_owned());
        SinkMetrics::waits(&counts).or(begins).into_iter().collect()
    }

    fn measure(&self, to: &mut Scrape) {
        let (counts, name) = (self.counters.now(), [self.name.as_str()]);
        to.count(&SINK_EVENTS, &name, counts.events);
        to.count(&SINK_COMMITS, &name, counts.commits);
        to.count(&SINK_RETRIES, &name, counts.retries);
        to.count(&SINK_GAPS, &name, counts.gaps);
        to.flag(&SINK_WAITING, &name, counts.trouble.is_some());
        if counts.seq > 0 {
            to.gauge(&SINK_SEQ, &name, counts.seq as f64);
            to.gauge_ns(&SINK_COMMITTED, &name, counts.at_ns);
        }
    }
}
