//! The schedule: when each message is meant to arrive.
//!
//! A steady rate, with bursts at a multiple of it. Within a span, messages are evenly spaced, so the figures show the
//! pipeline and not a random generator; clusters are the job of bursts. All times are nanoseconds from the first measured
//! message. Bound: one span per burst and per pause between bursts.

use serde::Serialize;
use std::str::FromStr;

/// A period at a multiple of the rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Burst {
    /// Multiple of the rate.
    pub factor: f64,
    /// Start, in seconds; bursts without one are spread evenly.
    pub start_s: Option<f64>,
    /// Duration, in seconds.
    pub seconds: f64,
}

impl FromStr for Burst {
    type Err = String;

    /// `10x,1s`, or `10x,1s@3s`.
    fn from_str(text: &str) -> Result<Burst, String> {
        let wrong = || {
            format!("{text:?} is not a burst; valid: FACTORx,TIME or FACTORx,TIME@START, such as 10x,1s or 5x,20ms@3s")
        };
        let (factor, rest) = text.split_once("x,").ok_or_else(wrong)?;
        let (long, start) = rest.split_once('@').map_or((rest, None), |(long, start)| (long, Some(start)));
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0);
        let time = |text: &str| match text.strip_suffix("ms") {
            Some(ms) => number(ms).map(|ms| ms / 1e3),
            None => number(text.strip_suffix('s').unwrap_or(text)),
        };
        let factor = number(factor).filter(|f| *f >= 1.0).ok_or_else(wrong)?;
        let seconds = time(long).filter(|s| *s > 0.0).ok_or_else(wrong)?;
        let start_s = start.map(|s| time(s).ok_or_else(wrong)).transpose()?;
        Ok(Burst { factor, start_s, seconds })
    }
}

/// A period at one rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// Start.
    pub start_ns: f64,
    /// End.
    pub end_ns: f64,
    /// Messages per nanosecond.
    pub per_ns: f64,
    /// Number of messages before it.
    pub before: f64,
    /// Multiple of the steady rate; 1 between bursts.
    pub factor: f64,
}

/// When each message is meant to arrive.
#[derive(Clone, Debug)]
pub struct Schedule {
    spans: Vec<Span>,
    messages: u64,
}

impl Schedule {
    /// `rate` messages per second for `seconds`, with bursts.
    ///
    /// # Errors
    /// When a burst overlaps another or does not fit into the run.
    pub fn new(rate: f64, seconds: f64, bursts: &[Burst]) -> Result<Schedule, String> {
        let mut placed: Vec<(f64, f64, f64)> = Vec::new();
        for (i, burst) in bursts.iter().enumerate() {
            let slot = seconds / (bursts.len() + 1) as f64;
            let start = burst.start_s.unwrap_or(slot * (i + 1) as f64);
            placed.push((start * 1e9, (start + burst.seconds) * 1e9, burst.factor));
        }
        placed.sort_by(|a, b| a.0.total_cmp(&b.0));
        let overlap = placed.windows(2).any(|pair| pair[0].1 > pair[1].0);
        if overlap || placed.last().is_some_and(|(_, end, _)| *end > seconds * 1e9) {
            return Err(format!(
                "the bursts overlap or last longer than the {seconds} s of the run; raise --seconds, or set the start of each (10x,1s@3s)"
            ));
        }
        let mut schedule = Schedule { spans: Vec::new(), messages: 0 };
        let mut at = 0.0;
        for (start, end, factor) in placed {
            schedule.span(at, start, rate, 1.0);
            schedule.span(start, end, rate * factor, factor);
            at = end;
        }
        schedule.span(at, seconds * 1e9, rate, 1.0);
        schedule.messages =
            schedule.spans.last().map_or(0.0, |s| s.before + (s.end_ns - s.start_ns) * s.per_ns).round() as u64;
        Ok(schedule)
    }

    fn span(&mut self, start_ns: f64, end_ns: f64, rate: f64, factor: f64) {
        if end_ns > start_ns {
            let before = self.spans.last().map_or(0.0, |s| s.before + (s.end_ns - s.start_ns) * s.per_ns);
            self.spans.push(Span { start_ns, end_ns, per_ns: rate / 1e9, before, factor });
        }
    }

    /// Total number of messages.
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// The spans, in order.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The end of the schedule.
    pub fn ends_ns(&self) -> u64 {
        self.spans.last().map_or(0, |s| s.end_ns as u64)
    }

    /// When each message is meant to arrive, in order.
    pub fn times(&self) -> impl Iterator<Item = u64> + '_ {
        let mut span = 0;
        (0..self.messages).map(move |message| {
            let message = message as f64;
            while self.spans.get(span + 1).is_some_and(|next| next.before <= message) {
                span += 1;
            }
            let Span { start_ns, per_ns, before, .. } = self.spans[span];
            (start_ns + (message - before) / per_ns) as u64
        })
    }

    /// Number of messages due by then.
    pub fn due(&self, ns: u64) -> u64 {
        let ns = ns as f64;
        let span = self.spans.iter().rev().find(|s| s.start_ns <= ns);
        let due = span.map_or(0.0, |s| s.before + (ns.min(s.end_ns) - s.start_ns) * s.per_ns);
        (due as u64 + 1).min(self.messages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_are_read() {
        let burst = |factor, seconds, start_s| Ok(Burst { factor, start_s, seconds });
        assert_eq!("10x,1s".parse(), burst(10.0, 1.0, None));
        assert_eq!("2.5x,20ms@0.5s".parse(), burst(2.5, 0.02, Some(0.5)));
        for wrong in ["", "10", "10x", "x,1s", "0.5x,1s", "10x,0s", "10x,-1s", "10x,1s@x", "NaNx,1s"] {
            assert!(wrong.parse::<Burst>().unwrap_err().contains("valid"), "{wrong}");
        }
    }

    #[test]
    fn times_follow_the_rate_and_its_bursts() {
        let bursts = ["10x,1s@1s".parse().unwrap()];
        let schedule = Schedule::new(100.0, 3.0, &bursts).unwrap();
        assert_eq!((schedule.messages(), schedule.ends_ns()), (1_200, 3_000_000_000));
        let times: Vec<u64> = schedule.times().collect();
        assert_eq!(times.len(), 1_200);
        assert!(times.is_sorted());
        assert_eq!((times[0], times[99], times[100], times[101]), (0, 990_000_000, 1_000_000_000, 1_001_000_000));
        assert_eq!((times[1_100], times[1_199]), (2_000_000_000, 2_990_000_000));
        for (n, time) in times.iter().enumerate() {
            assert_eq!(schedule.due(*time + 1), n as u64 + 1, "at {time}");
        }
        assert_eq!(schedule.due(u64::MAX), 1_200);
    }

    #[test]
    fn bursts_that_do_not_fit_are_refused() {
        let burst = |text: &str| text.parse::<Burst>().unwrap();
        assert!(Schedule::new(1e6, 1.0, &[burst("10x,1s")]).is_err());
        assert!(Schedule::new(1e6, 5.0, &[burst("10x,1s@1s"), burst("2x,1s@1.5s")]).is_err());
        let three = Schedule::new(1e6, 8.0, &[burst("10x,1s"), burst("2x,1s"), burst("3x,1s")]).unwrap();
        assert_eq!(three.spans().len(), 7);
        assert_eq!(three.messages(), 20_000_000);
    }
}
