//! Reads the text of a scrape.

use std::collections::BTreeMap;
use tidegate_tests::http;
use tidegate_tests::rig::{Life, Service};

/// Values by name with labels, as the text has them.
pub(crate) struct Page(BTreeMap<String, f64>);

impl Page {
    /// Reads a text.
    #[track_caller]
    pub(crate) fn read(text: &str) -> Page {
        let value = |line: &str| {
            let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value: {line}"));
            (name.to_owned(), value.parse().unwrap_or_else(|e| panic!("{line}: {e}")))
        };
        Page(text.lines().filter(|line| !line.starts_with('#')).map(value).collect())
    }

    /// A value, if it is there.
    pub(crate) fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// Those of a metric that has one label, by its value.
    pub(crate) fn by_label(&self, metric: &str) -> BTreeMap<String, f64> {
        let of = |(name, value): (&String, &f64)| {
            let label = name.strip_prefix(metric)?.strip_prefix('{')?.strip_suffix("\"}")?;
            Some((label.split_once("=\"")?.1.to_owned(), *value))
        };
        self.0.iter().filter_map(of).collect()
    }
}

/// Where a process says that its metrics are.
pub(crate) fn address(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("metrics   http://")?;
    Some(rest.split_once("/metrics")?.0.to_owned())
}

/// A service with metrics on a free port, once it says where.
pub(crate) fn started(service: &Service, speed: &str) -> (Life, String) {
    let mut life = service.start(speed);
    let output = life.output.clone();
    let at = move || address(&std::fs::read_to_string(&output).unwrap_or_default());
    life.until("the address", || at().is_some());
    let at = at().expect("it was there");
    (life, at)
}

/// The page at an address.
#[track_caller]
pub(crate) fn page(at: &str) -> Page {
    let (status, text) = http::get(at, "/metrics", "*/*").expect("it answers");
    assert_eq!(status, 200, "{text}");
    Page::read(&text)
}
