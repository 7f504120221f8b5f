//! What the bars and trades of an instrument come to.
//!
//! Sums of volumes are integers and are divided once. Returns and the realised volatility are those of the measures `regime` and
//! `volatility`: over sessions and gaps, the squares of a window added up anew at every bar. Bound: one pass over the bars, a window a
//! bar, and a sort of the values.

use super::correlations::{Correlations, correlations};
use super::gather::{Gathered, OneBar, Series};
use super::lookback::{LookBack, look_back};
use super::{BUCKETS_A_DAY, LEAST_RETURNS, LEAST_TRADES, SMALLEST};
use chrono::{DateTime, NaiveDate, Timelike};
use flow::{Calendar, Interval, Ns};
use stages::measures::volatility::log_ratio;
use std::collections::BTreeMap;

/// By which rules it is learned.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    /// Length of the bars.
    pub(crate) interval: Interval,
    /// Returns of a value of realised volatility, as `regime.bars`.
    pub(crate) bars: usize,
}

/// A bucket of VPIN.
#[derive(Debug, PartialEq)]
pub(crate) struct Bucket {
    /// Its size.
    pub(crate) qty: u64,
    /// A part of the average day, before it was compared with the trades.
    pub(crate) of_day: u64,
    /// The median trade; `None` = the input has no trades.
    pub(crate) median: Option<u64>,
}

/// Limits of the volatility regime.
#[derive(Debug, PartialEq)]
pub(crate) struct Limits {
    /// A third of the values is below it.
    pub(crate) low: f64,
    /// A third is above it.
    pub(crate) high: f64,
    /// How many values there are.
    pub(crate) values: usize,
}

/// What is learned of a symbol. What cannot be says in words why.
pub(crate) struct OneSymbol {
    /// Its name.
    pub(crate) symbol: String,
    /// The zone of its calendar.
    pub(crate) zone: String,
    /// How many bars it has.
    pub(crate) bars: usize,
    /// Bars that did not begin after the one before.
    pub(crate) left_out: u64,
    /// How many trades there were.
    pub(crate) trades: u64,
    /// The trade dates with bars.
    pub(crate) dates: Vec<NaiveDate>,
    /// Volume of all its bars.
    pub(crate) volume: u64,
    /// The bucket of VPIN.
    pub(crate) bucket: Result<Bucket, String>,
    /// The look-back.
    pub(crate) look_back: Result<LookBack, String>,
    /// The limits of the regime.
    pub(crate) limits: Result<Limits, String>,
    /// Volume by minute of the local day, of all days together.
    pub(crate) minutes: BTreeMap<u32, u64>,
}

/// What is learned of all.
pub(crate) struct Learned {
    /// By name.
    pub(crate) symbols: Vec<OneSymbol>,
    /// How alike their returns are.
    pub(crate) correlations: Correlations,
}

/// Learns from what was gathered.
pub(crate) fn learn(gathered: &Gathered, rules: Rules) -> Learned {
    let mut named: Vec<(String, Calendar, &Series)> = Vec::new();
    for (instrument, series) in &gathered.series {
        if let Some(listed) = gathered.listings.get(*instrument).filter(|_| !series.bars.is_empty()) {
            named.push((listed.symbol.clone(), Calendar::of(listed.calendar()), series));
        }
    }
    named.sort_by(|a, b| a.0.cmp(&b.0));
    let correlations =
        correlations(named.iter().map(|(symbol, _, series)| (symbol.as_str(), &series.bars[..])), rules.interval);
    let symbols = named.into_iter().map(|(symbol, calendar, series)| one(symbol, calendar, series, rules)).collect();
    Learned { symbols, correlations }
}

fn one(symbol: String, calendar: Calendar, series: &Series, rules: Rules) -> OneSymbol {
    let days = Days::of(&series.bars, calendar, rules.interval);
    OneSymbol {
        symbol,
        zone: calendar.zone().to_string(),
        bars: series.bars.len(),
        left_out: series.left_out,
        trades: series.sizes.values().sum(),
        bucket: bucket(&days, &series.sizes),
        look_back: look_back(&series.bars, rules.interval),
        limits: limits(&series.bars, rules.bars),
        dates: days.dates,
        volume: days.volume,
        minutes: days.minutes,
    }
}

/// The days of an instrument.
#[derive(Default)]
struct Days {
    dates: Vec<NaiveDate>,
    volume: u64,
    minutes: BTreeMap<u32, u64>,
}

impl Days {
    fn of(bars: &[OneBar], calendar: Calendar, interval: Interval) -> Days {
        let (mut days, zone, mut end) = (Days::default(), calendar.zone(), Ns(0));
        for bar in bars {
            let start = Ns(u64::from(bar.start_s) * Ns::SECOND);
            if start >= end {
                let day = calendar.trade_date(start);
                days.dates.push(day.date);
                end = day.end;
            }
            let volume = bar.volume.unwrap_or(0);
            days.volume = days.volume.saturating_add(volume);
            if volume > 0 && !interval.is_day() {
                let local = DateTime::from_timestamp(bar.start_s.into(), 0).unwrap_or_default().with_timezone(&zone);
                *days.minutes.entry(local.hour() * 60 + local.minute()).or_default() += volume;
            }
        }
        days
    }
}

fn bucket(days: &Days, sizes: &BTreeMap<u64, u64>) -> Result<Bucket, String> {
    if days.volume == 0 {
        return Err("no bar has a volume".to_owned());
    }
    let of_day = (days.volume / (days.dates.len() as u64 * BUCKETS_A_DAY)).max(1);
    let median = median(sizes);
    let least = median.map_or(1, |median| median.saturating_mul(LEAST_TRADES));
    Ok(Bucket { qty: of_day.max(least), of_day, median })
}

/// The smallest size that at least half of the trades do not exceed.
fn median(sizes: &BTreeMap<u64, u64>) -> Option<u64> {
    let all: u64 = sizes.values().sum();
    let mut below = 0;
    sizes.iter().find_map(|(size, trades)| {
        below += trades;
        (2 * below >= all).then_some(*size)
    })
}

/// The values of realised volatility, one for each full window of returns.
fn realised(bars: &[OneBar], window: usize) -> (usize, Vec<f64>) {
    let (mut returns, mut values, mut all) = (Vec::new(), Vec::new(), 0);
    for two in bars.windows(2) {
        match log_ratio(two[1].close, two[0].close) {
            Some(returned) => returns.push(returned),
            // Of such prices there is no return, and the window would have a gap.
            None => returns.clear(),
        }
        all += usize::from(!returns.is_empty());
        if let Some(last) = returns.len().checked_sub(window).map(|from| &returns[from..]) {
            values.push(last.iter().map(|returned| returned * returned).sum::<f64>().sqrt());
        }
    }
    (all, values)
}

fn limits(bars: &[OneBar], window: usize) -> Result<Limits, String> {
    let (returns, mut values) = realised(bars, window);
    if returns < LEAST_RETURNS || values.is_empty() {
        let least = LEAST_RETURNS.max(window);
        return Err(format!("{returns} returns, and it takes {least}"));
    }
    values.sort_unstable_by(f64::total_cmp);
    let [low, high] = [1.0 / 3.0, 2.0 / 3.0].map(|part| quantile(&values, part));
    // As it is written.
    if low < SMALLEST {
        Err("its prices hardly move".to_owned())
    } else {
        Ok(Limits { low, high, values: values.len() })
    }
}

/// The value at a part of the way through sorted ones, between two of them by proportion.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = (sorted.len() - 1) as f64 * part;
    let below = place.floor() as usize;
    let (one, next) = (sorted[below], sorted[(below + 1).min(sorted.len() - 1)]);
    one + (next - one) * (place - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Px;

    /// Bars of a minute, a close in cents and a volume each.
    pub(crate) fn bars(closes: impl IntoIterator<Item = i64>, volume: u64) -> Vec<OneBar> {
        let bar = |(at, close): (u32, i64)| OneBar {
            start_s: 1_550_154_600 + 60 * at,
            close: Px(close * 10_000_000),
            volume: Some(volume),
        };
        (0..).zip(closes).map(bar).collect()
    }

    #[test]
    fn a_bucket_is_a_fiftieth_of_a_day_and_many_trades() {
        let days = |volume, days: usize| Days { dates: vec![NaiveDate::MIN; days], volume, ..Days::default() };
        let sizes = |all: &[(u64, u64)]| all.iter().copied().collect::<BTreeMap<u64, u64>>();
        let bucket = |volume, days_of, all: &[(u64, u64)]| {
            bucket(&days(volume, days_of), &sizes(all)).map(|b| (b.qty, b.of_day, b.median))
        };
        assert_eq!(bucket(1_000_099, 2, &[]), Ok((10_000, 10_000, None)));
        assert_eq!(bucket(49, 1, &[]), Ok((1, 1, None)), "at least a share");
        assert_eq!(bucket(50_000, 1, &[(1, 3), (100, 3)]), Ok((1_000, 1_000, Some(1))), "half of them are one");
        assert_eq!(bucket(50_000, 1, &[(1, 3), (200, 4)]), Ok((2_000, 1_000, Some(200))), "raised");
        assert!(bucket(0, 1, &[(100, 1)]).is_err());
    }

    #[test]
    fn quantiles_lie_between_two_values_by_proportion() {
        let values = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(
            [0.0, 1.0 / 3.0, 0.5, 2.0 / 3.0, 1.0].map(|part| quantile(&values, part)),
            [1.0, 2.0, 3.0, 4.0, 8.0]
        );
        assert_eq!(quantile(&[3.0], 2.0 / 3.0), 3.0);
    }

    #[test]
    fn realised_volatility_is_that_of_the_measure_and_begins_anew_without_a_price() {
        let worked = [10_000, 10_100, 10_200, 10_150, 10_160, 10_160, 10_400];
        let (returns, values) = realised(&bars(worked, 1), 2);
        let expected = [0.014002743634, 0.011009781409, 0.005011711062, 0.000984736663, 0.023347363997];
        assert_eq!((returns, values.len()), (6, 5));
        assert!(values.iter().zip(expected).all(|(v, e)| (v - e).abs() < 1e-12), "{values:?}");
        assert_eq!(realised(&bars([100, 101, 100, 0, 100, 101, 100], 1), 2).1.len(), 2);
    }

    #[test]
    fn too_little_is_said_and_not_guessed() {
        assert_eq!(limits(&bars((0..100).map(|n| 10_000 + n % 3), 1), 60), Err("99 returns, and it takes 120".into()));
        assert_eq!(
            limits(&bars((0..130).map(|n| 10_000 + n % 3), 1), 900),
            Err("129 returns, and it takes 900".into())
        );
        assert_eq!(limits(&bars([100; 200], 1), 60), Err("its prices hardly move".into()));
        assert_eq!(limits(&bars((0..181).map(|n| 10_000 + n % 2), 1), 60).unwrap().values, 121);
    }

    #[test]
    fn a_day_is_a_trade_date_and_a_minute_one_of_its_clock() {
        // Friday 15 February 2019, 09:30 in New York, and the same on Monday.
        let mut all = bars([100; 2], 7);
        all.push(OneBar { start_s: all[0].start_s + 3 * 86_400, ..all[0] });
        let days = Days::of(&all, Calendar::UsEquities, "1m".parse().unwrap());
        assert_eq!((days.dates.len(), days.volume), (2, 21));
        assert_eq!(days.minutes.into_iter().collect::<Vec<_>>(), [(570, 14), (571, 7)]);
    }
}
