//! What one scrape found, and its text.
//!
//! Values are collected by metric and shown in the order of the table, so a family stands together whoever found its parts. The
//! text is OpenMetrics, or the older format of Prometheus for whoever does not ask for that. Bound: one entry a value.

use super::table::{METRICS, Metric, PREFIX, Type};
use hdrhistogram::Histogram;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::fmt;

/// The upper bounds of the buckets of latencies, in nanoseconds: from 100 ns to 10 s.
const BOUNDS_NS: [u64; 24] = [
    100,
    250,
    500,
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    10_000_000_000,
];
const NS: f64 = 1e9;

/// A format of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// The text format 0.0.4 of Prometheus.
    Prometheus,
}

impl Format {
    /// The one that the header `Accept` of a request asks for.
    pub fn accepted(accept: &str) -> Format {
        if accept.contains("application/openmetrics-text") { Format::OpenMetrics } else { Format::Prometheus }
    }

    /// The type of its content.
    pub const fn content_type(self) -> &'static str {
        match self {
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Format::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

#[derive(Clone, Debug)]
enum Value {
    Count(u64),
    Number(f64),
    Times { sum: f64, count: u64, buckets: Vec<(f64, u64)> },
    Labels,
}

/// A value under its labels.
type Sample = (Vec<String>, Value);

/// What stands for a metric: two may differ in the unit alone.
type Key = (&'static str, &'static str);

/// What one scrape found.
#[derive(Clone, Debug, Default)]
pub struct Scrape(BTreeMap<Key, Vec<Sample>>);

fn key(metric: &Metric) -> Key {
    (metric.name, metric.unit)
}

impl Scrape {
    fn add(&mut self, metric: &Metric, labels: &[&str], value: Value) {
        debug_assert_eq!(labels.len(), metric.labels.len(), "{}", metric.name);
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        self.0.entry(key(metric)).or_default().push((labels, value));
    }

    /// A counter.
    pub(super) fn count(&mut self, metric: &Metric, labels: &[&str], count: u64) {
        debug_assert_eq!(metric.ty, Type::Counter, "{}", metric.name);
        self.add(metric, labels, Value::Count(count));
    }

    /// A counter of nanoseconds.
    pub(super) fn count_ns(&mut self, metric: &Metric, labels: &[&str], ns: u64) {
        debug_assert_eq!((metric.ty, metric.unit), (Type::Counter, "seconds"), "{}", metric.name);
        self.add(metric, labels, Value::Number(ns as f64 / NS));
    }

    /// A gauge.
    pub(super) fn gauge(&mut self, metric: &Metric, labels: &[&str], value: f64) {
        debug_assert_eq!(metric.ty, Type::Gauge, "{}", metric.name);
        self.add(metric, labels, Value::Number(value));
    }

    /// A gauge that is 1 or 0.
    pub(super) fn flag(&mut self, metric: &Metric, labels: &[&str], is_so: bool) {
        self.gauge(metric, labels, f64::from(u8::from(is_so)));
    }

    /// A gauge of nanoseconds.
    pub(super) fn gauge_ns(&mut self, metric: &Metric, labels: &[&str], ns: u64) {
        debug_assert_eq!(metric.unit, "seconds", "{}", metric.name);
        self.gauge(metric, labels, ns as f64 / NS);
    }

    /// Labels alone.
    pub(super) fn info(&mut self, metric: &Metric, labels: &[&str]) {
        debug_assert_eq!(metric.ty, Type::Info, "{}", metric.name);
        self.add(metric, labels, Value::Labels);
    }

    /// Times, in nanoseconds.
    pub(super) fn times(&mut self, metric: &Metric, labels: &[&str], times: &Histogram<u64>) {
        debug_assert_eq!(metric.ty, Type::Histogram, "{}", metric.name);
        let bounds = BOUNDS_NS.iter().map(|bound| *bound as f64 / NS).chain([f64::INFINITY]);
        let mut buckets: Vec<(f64, u64)> = bounds.map(|bound| (bound, 0)).collect();
        let mut sum = 0.0;
        for step in times.iter_recorded() {
            let (ns, count) = (step.value_iterated_to(), step.count_at_value());
            buckets[BOUNDS_NS.partition_point(|bound| *bound < ns)].1 += count;
            sum += ns as f64 / NS * count as f64;
        }
        self.add(metric, labels, Value::Times { sum, count: times.len(), buckets });
    }

    /// Its text.
    ///
    /// # Panics
    /// When a value cannot be written into memory, which does not happen.
    pub fn text(self, format: Format) -> String {
        let mut registry = Registry::with_prefix(PREFIX);
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        encode(&mut text, &registry).expect("a text in memory takes everything");
        match format {
            Format::OpenMetrics => text,
            Format::Prometheus => older(&text),
        }
    }
}

/// The same in the older format: it names a counter and an info as their samples are named, and knows neither units nor an end.
fn older(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for line in text.lines() {
        let Some(described) = line.strip_prefix("# ") else {
            written.extend([line, "\n"]);
            continue;
        };
        let (Some((what, rest)), false) = (described.split_once(' '), described == "EOF") else { continue };
        let (name, said) = rest.split_once(' ').unwrap_or((rest, ""));
        let metric = METRICS.iter().find(|metric| metric.full_name().strip_suffix(metric.ty.suffix()) == Some(name));
        let (full, is_info) = metric.map_or((name.to_owned(), false), |m| (m.full_name(), m.ty == Type::Info));
        match what {
            "HELP" => written.push_str(&format!("# HELP {full} {said}\n")),
            "TYPE" => written.push_str(&format!("# TYPE {full} {}\n", if is_info { "gauge" } else { said })),
            _ => {}
        }
    }
    written
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        for metric in METRICS {
            let Some(samples) = self.0.get(&key(metric)) else { continue };
            let unit = metric.unit();
            let mut family = encoder.encode_descriptor(metric.name, metric.help, unit.as_ref(), metric.ty.of())?;
            for (labels, value) in samples {
                let labels: Vec<(&str, &str)> =
                    metric.labels.iter().copied().zip(labels.iter().map(String::as_str)).collect();
                match value {
                    Value::Labels => family.encode_info(&labels)?,
                    _ if labels.is_empty() => write_value(&mut family, metric.ty, value)?,
                    _ => write_value(&mut family.encode_family(&labels)?, metric.ty, value)?,
                }
            }
        }
        Ok(())
    }
}

fn write_value(to: &mut MetricEncoder<'_>, ty: Type, value: &Value) -> Result<(), fmt::Error> {
    match (ty, value) {
        (Type::Counter, Value::Count(count)) => to.encode_counter::<NoLabelSet, _, u64>(count, None),
        (Type::Counter, Value::Number(number)) => to.encode_counter::<NoLabelSet, _, f64>(number, None),
        (_, Value::Number(number)) => to.encode_gauge(number),
        (_, Value::Times { sum, count, buckets }) => to.encode_histogram::<NoLabelSet>(*sum, *count, buckets, None),
        (_, Value::Count(_) | Value::Labels) => unreachable!("a value is added as its metric has it"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::{BUILD, GROUP_BUSY, GROUP_LATENCY, RING_EVENTS, RING_OCCUPANCY};
    use super::*;

    fn scrape() -> Scrape {
        let mut scrape = Scrape::default();
        scrape.count(&RING_EVENTS, &["core0 > core1"], u64::MAX - 1);
        scrape.info(&BUILD, &["0.1.0", "abc"]);
        scrape.gauge(&RING_OCCUPANCY, &["a\"b\\c"], 3.0);
        scrape.count_ns(&GROUP_BUSY, &["core0"], 1_500_000_000);
        let mut times = crate::pipeline::histogram();
        [100, 101, 1_000, 10_000_000_000].iter().for_each(|ns| times.record(*ns).unwrap());
        scrape.times(&GROUP_LATENCY, &["core0"], &times);
        scrape
    }

    #[test]
    fn both_formats_name_and_type_what_they_hold() {
        let text = scrape().text(Format::OpenMetrics);
        for line in [
            "# TYPE tidegate_ring_published_events counter",
            "# UNIT tidegate_ring_published_events events",
            "tidegate_ring_published_events_total{ring=\"core0 > core1\"} 18446744073709551614",
            "tidegate_build_info{version=\"0.1.0\",build=\"abc\"} 1",
            "tidegate_group_busy_seconds_total{group=\"core0\"} 1.5",
            "tidegate_group_latency_seconds_bucket{le=\"1e-7\",group=\"core0\"} 1",
            "tidegate_group_latency_seconds_bucket{le=\"2.5e-7\",group=\"core0\"} 2",
            "tidegate_group_latency_seconds_bucket{le=\"+Inf\",group=\"core0\"} 4",
            "tidegate_group_latency_seconds_count{group=\"core0\"} 4",
            "tidegate_ring_occupancy_events{ring=\"a\\\"b\\\\c\"} 3.0",
        ] {
            assert!(text.lines().any(|one| one == line), "no {line} in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"), "{text}");
        let text = scrape().text(Format::Prometheus);
        let named = "# TYPE tidegate_ring_published_events_total counter\n";
        assert!(text.contains(named) && text.contains("# TYPE tidegate_build_info gauge\n"), "{text}");
        assert!(!text.contains("# UNIT") && !text.contains("# EOF"), "{text}");
    }

    #[test]
    fn whoever_asks_for_open_metrics_gets_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(Format::accepted(prometheus), Format::OpenMetrics);
        assert_eq!(Format::accepted("*/*"), Format::Prometheus);
    }
}
