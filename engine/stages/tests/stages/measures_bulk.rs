//! VPIN by bars: the worked numbers, and a reference that keeps a probability for every share.

use crate::harness::{self, INSTRUMENTS, Pipeline};
use crate::measures_trades::{day, opening};
use flow::records::{Bar, BarFlow, Vpin, VpinFlow};
use flow::{Event, Flags, Ns, Px, Qty, Real};
use proptest::prelude::*;
use stages::Space;
use stages::measures::vpin::Vpin as VpinMeasure;
use stages::measures::{Host, One};

/// 2026-01-12 04:50:00 UTC: ten minutes before midnight in New York.
const START: u32 = 1_768_193_400;
/// A cent.
const CENT: i64 = 10_000_000;

fn pipeline(quantity: u64, window: u32, sigma_bars: usize) -> Pipeline<Host<One<VpinMeasure>>> {
    let (quantity, window, bars) = (quantity.to_string(), window.to_string(), sigma_bars.to_string());
    let set = [("mode", "bulk"), ("bucket_qty", &quantity), ("window", &window), ("sigma_bars", &bars)];
    let params = harness::params("vpin", &set);
    let mut pipeline =
        Pipeline::new(Host::alone(&params, Space { instruments: INSTRUMENTS, fills: 64, positions: 64 }).unwrap());
    opening().0.iter().for_each(|event| assert!(pipeline.feed(event).is_empty()));
    pipeline
}

/// A bar's two events.
fn bar(instrument: u32, start_s: u32, interval_s: u32, close: i64, volume: u64) -> [Event; 2] {
    let (bar, flow) = (Bar { close: Px(close), start_s, interval_s, ..Default::default() }, volume);
    let flow = BarFlow { volume: Qty(flow), interval_s, ..Default::default() };
    let ts = Ns(u64::from(start_s + interval_s) * Ns::SECOND);
    [Event::new(ts, instrument, Flags::NONE, &bar), Event::new(ts, instrument, Flags::LAST_OF_GROUP, &flow)]
}

/// Moves and volumes of the worked bars.
const WORKED: [(i64, u64); 5] = [(2, 1_000), (-1, 500), (0, 800), (3, 1_200), (-4, 1_500)];

/// Values measured for these bars. Sigma is over two moves; before each bar one without volume moves by four cents less than
/// it, so that it is 0.02 at every bar.
fn values(bars: &[(i64, u64)], quantity: u64, window: u32) -> Vec<f64> {
    let (mut pipeline, mut close, mut measured) = (pipeline(quantity, window, 2), 1_000 * CENT, Vec::new());
    let mut feed = |by: i64, volume: u64| {
        close += by * CENT;
        for event in bar(1, START, 60, close, volume) {
            measured.extend(pipeline.feed(&event).iter().filter_map(|s| s.0.get::<Vpin>()).map(|v| f64::from(v.vpin)));
        }
    };
    feed(0, 0);
    for (by, volume) in bars {
        feed(by - 4, 0);
        feed(*by, *volume);
    }
    measured
}

#[test]
fn the_worked_parts() {
    let bought = [841.344746, 154.268769, 400.0, 1_119.831358, 34.125198];
    for ((by, volume), bought) in WORKED.into_iter().zip(bought) {
        let value = values(&[(by, volume)], volume, 1)[0];
        let expected = (2.0 * bought - volume as f64).abs() / volume as f64;
        assert!((value - expected).abs() * volume as f64 <= 1.1e-6, "{by}: {value} {expected}");
    }
}

#[test]
fn the_worked_buckets() {
    let shown = |values: Vec<f64>, scale: f64| values.iter().map(|v| format!("{:.6}", v * scale)).collect::<Vec<_>>();
    // The last bar closes two buckets and reports the second; both where the window is two.
    let one = shown(values(&WORKED, 1_000, 1), 1_000.0);
    assert_eq!(one, ["682.689492", "191.462461", "606.469918", "954.499736"]);
    let two = values(&WORKED, 1_000, 2);
    assert_eq!(format!("{:.6}", two[3] * 2_000.0 - 954.499_736), "44.057069");
    let five = values(&WORKED, 1_000, 5);
    assert!(five[..3].iter().all(|v| v.is_nan()));
    assert_eq!(format!("{:.9}", five[3]), "0.495835735");
    // The last bar in two pieces, each with its move: every value over three buckets is measured.
    let pieces = [WORKED[0], WORKED[1], WORKED[2], WORKED[3], (-4, 500), (-4, 1_000)];
    let three: Vec<String> = values(&pieces, 1_000, 3)[2..].iter().map(|v| format!("{v:.9}")).collect();
    assert_eq!(three, ["0.493540624", "0.280663150", "0.535008908"]);
}

#[test]
fn no_spread_no_opinion() {
    let mut pipeline = pipeline(100, 1, 5);
    for at in 0..7 {
        for event in bar(1, START + 60 * at, 60, 5 * CENT, 100) {
            for emitted in pipeline.feed(&event) {
                if let Some(vpin) = emitted.0.get::<Vpin>() {
                    assert_eq!((vpin.vpin, vpin.mode), (Real::of(0.0), 2));
                } else {
                    let flow: &VpinFlow = emitted.0.record();
                    assert_eq!((flow.bucket_buy_qty, flow.bucket_sell_qty), (Qty(50), Qty(50)));
                }
            }
        }
    }
}

/// Z by Simpson's rule over the density.
fn normal(x: f64) -> f64 {
    let (x, steps) = (x.clamp(-10.0, 10.0), 2_000);
    let density = |t: f64| libm::exp(-t * t / 2.0) / (2.0 * std::f64::consts::PI).sqrt();
    let step = x / f64::from(steps);
    let inner: f64 = (1..steps).map(|i| f64::from(2 + 2 * (i % 2)) * density(step * f64::from(i))).sum();
    0.5 + step / 3.0 * (density(0.0) + inner + density(x))
}

/// The bars of one instrument and what was bought of every share.
#[derive(Default)]
struct Reference {
    closes: Vec<i64>,
    shares: Vec<f64>,
    /// Of the day.
    of_day: (u64, f64, u64),
}

impl Reference {
    fn part(&self, bars: usize) -> f64 {
        let moves: Vec<f64> = self.closes.windows(2).map(|w| (w[1] - w[0]) as f64).collect();
        let Some(last) = moves.last() else { return 0.5 };
        let of = &moves[moves.len().saturating_sub(bars)..];
        let mean = of.iter().sum::<f64>() / of.len() as f64;
        let sigma = (of.iter().map(|m| (m - mean) * (m - mean)).sum::<f64>() / of.len() as f64).sqrt();
        if sigma < 1e-3 { 0.5 } else { normal(last / sigma) }
    }
}

/// Minutes since the last bar, instrument, move in cents, volume, whether it has the length that counts.
type Step = (u32, u32, i64, u64, bool);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let minutes = prop_oneof![10 => 1..3_u32, 1 => 0..900_u32];
    let step = (minutes, 1..4_u32, -5..6_i64, 0..90_u64, prop::bool::weighted(0.8));
    prop::collection::vec(step, 1..120)
}

fn run(steps: &[Step], quantity: u64, window: u32, bars: usize) {
    let mut pipeline = pipeline(quantity, window, bars);
    let mut references: [Reference; 4] = Default::default();
    let (mut start, mut days) = (START, [0; 4]);
    for (minutes, instrument, by, volume, counts) in steps.iter().copied() {
        start += 60 * minutes;
        let reference = &mut references[instrument as usize];
        let close = reference.closes.last().copied().unwrap_or(500 * CENT) + if counts { by * CENT } else { 7 * CENT };
        let [first, second] = bar(instrument, start, if counts { 60 } else { 300 }, close, volume);
        assert!(pipeline.feed(&first).is_empty());
        let emitted = pipeline.feed(&second);
        if !counts {
            assert!(emitted.is_empty());
            continue;
        }
        reference.closes.push(close);
        let part = reference.part(bars);
        let (before, today) =
            (reference.shares.len() as u64 / quantity, day(instrument, Ns(u64::from(start) * Ns::SECOND)));
        if days[instrument as usize] != today {
            (days[instrument as usize], reference.of_day) = (today, (0, 0.0, before));
        }
        reference.shares.extend(std::iter::repeat_n(part, volume as usize));
        (reference.of_day.0, reference.of_day.1) =
            (reference.of_day.0 + volume, reference.of_day.1 + part * volume as f64);
        let closed = reference.shares.len() as u64 / quantity - before;
        assert_eq!(emitted.len(), if closed > 0 { 2 } else { 0 });
        if closed > 0 {
            compare(reference, emitted[0].0.record(), emitted[1].0.record(), closed);
        }
    }
}

/// Within what a part of 2^-32 of a share may do.
fn compare(reference: &Reference, vpin: &Vpin, flow: &VpinFlow, closed: u64) {
    let quantity = vpin.bucket_qty.0;
    let buckets: Vec<f64> = reference.shares.chunks_exact(quantity as usize).map(|b| b.iter().sum()).collect();
    let imbalances: Vec<f64> = buckets.iter().map(|b| (2.0 * b - quantity as f64).abs()).collect();
    let of = imbalances.len().checked_sub(vpin.window as usize).map(|from| &imbalances[from..]);
    let expected = of.map_or(f64::NAN, |i| i.iter().sum::<f64>() / (quantity * u64::from(vpin.window)) as f64);
    assert_eq!(vpin.vpin.known().is_none(), expected.is_nan());
    let near = |found: f64| (found - expected).abs() < 1e-8 && (0.0..=1.0).contains(&found);
    assert!(vpin.vpin.known().is_none_or(near), "{:?} for {expected}", vpin.vpin);
    let (volume, bought, before) = reference.of_day;
    assert_eq!((vpin.closed, vpin.buckets, vpin.mode), (closed as u32, buckets.len() as u64 - before, 2));
    assert_eq!((flow.buy_qty.0 + flow.sell_qty.0, flow.unsigned_qty.0), (volume, 0));
    let untold = bought - flow.buy_qty.0 as f64;
    assert!((-1e-6..1.0 + 1e-6).contains(&untold), "{untold} of a share");
    assert_eq!(flow.bucket_buy_qty.0 + flow.bucket_sell_qty.0, quantity);
    let last = buckets[buckets.len() - 1];
    assert!((flow.bucket_buy_qty.0 as f64 - last).abs() < 0.5 + 1e-6, "{flow:?} for {last}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn bulk_buckets_are_the_twins(steps in steps(), quantity in 1..80_u64, window in 1..6_u32, bars in 2..12_usize) {
        run(&steps, quantity, window, bars);
    }
}

#[test]
fn a_length_that_is_none_is_refused() {
    let params = harness::params("vpin", &[("bulk_bar", "7s")]);
    assert_eq!(
        Host::<One<VpinMeasure>>::alone(&params, Space { instruments: 4, fills: 64, positions: 64 }).err().unwrap().key,
        "vpin.bulk_bar"
    );
}
