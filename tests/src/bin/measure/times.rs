//! Times as the tables show them.

use std::time::Duration;

/// Median and maximum in milliseconds.
pub(crate) fn spread(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let ms = |time: Option<&Duration>| time.map_or("–".to_owned(), |t| format!("{:.2}", t.as_secs_f64() * 1e3));
    format!("{:>9} {:>9}", ms(times.get(times.len() / 2)), ms(times.last()))
}
