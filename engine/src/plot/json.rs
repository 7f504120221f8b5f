//! A day as the JSON of its page.
//!
//! Bars are columns of equal length, since a key for every value would make the page four times as large. Prices are plain
//! numbers: the double next to a price of 1e-9 has its decimals again up to nine million. What is not known is null.

use super::Imbalance;
use super::badges::{Badge, badges};
use super::bars::OneBar;
use super::sessions::{Area, OneSession};
use super::sink::Day;
use flow::{FlowDirection, Listed, Ns, ProfileNodeType, Px, Qty};
use serde::Serialize;
use serde_json::{Map, Number, Value};

/// The day of a page. The times of bars and sessions are Unix seconds.
#[derive(Serialize)]
struct Page<'a> {
    symbol: &'a str,
    venue: &'a str,
    zone: &'static str,
    interval_s: u32,
    /// Decimals of a price, and the least step of one.
    decimals: u32,
    tick: Option<f64>,
    /// Height of a row of the footprints.
    row: f64,
    imbalance: Imbalance,
    /// Quantity of a bucket of VPIN.
    bucket: Option<Number>,
    badges: Vec<Badge>,
    #[serde(flatten)]
    columns: Columns,
    sessions: Vec<SessionOf>,
    marks: &'a [Map<String, Value>],
}

/// The bars, a column for everything that is known of them.
#[derive(Default, Serialize)]
struct Columns {
    time: Vec<u32>,
    open: Vec<Option<f64>>,
    high: Vec<Option<f64>>,
    low: Vec<Option<f64>>,
    close: Vec<Option<f64>>,
    volume: Vec<Option<Number>>,
    trades: Vec<Option<u32>>,
    /// Rows of the footprint from the lowest up: price, bought, sold, unsigned, price …
    foot: Vec<Vec<Number>>,
    foot_poc: Vec<Option<f64>>,
    /// Lowest price and number of rows of the longest stack.
    buy_stack: Vec<Option<(f64, u16)>>,
    sell_stack: Vec<Option<(f64, u16)>>,
    delta: Vec<Option<Number>>,
    delta_max: Vec<Option<Number>>,
    delta_min: Vec<Option<Number>>,
    cvd: Vec<Option<Number>>,
    buy_pressure: Vec<Option<f64>>,
    sell_pressure: Vec<Option<f64>>,
    volume_ratio: Vec<Option<f64>>,
    score: Vec<Option<u8>>,
    flow: Vec<Option<&'static str>>,
    vpin: Vec<Option<f64>>,
    state: Vec<Option<&'static str>>,
    poc: Vec<Option<f64>>,
    vah: Vec<Option<f64>>,
    val: Vec<Option<f64>>,
}

/// A session with its profiles.
#[derive(Serialize)]
struct SessionOf {
    date: u32,
    start: u32,
    end: u32,
    open: Option<u64>,
    close: Option<u64>,
    /// Rows from the lowest up: lowest price, volume, bought, sold.
    rows: Vec<(f64, Number, Number, Number)>,
    /// Height of a row.
    row: Option<f64>,
    #[serde(flatten)]
    own: AreaOf,
    previous: Option<AreaOf>,
    composite: Option<AreaOf>,
}

/// A profile: point of control, value area, and nodes as (price, whether of high volume, prominence).
#[derive(Default, Serialize)]
struct AreaOf {
    poc: Option<f64>,
    vah: Option<f64>,
    val: Option<f64>,
    nodes: Vec<(f64, bool, Option<f64>)>,
}

fn px(px: Px) -> Option<f64> {
    px.known().map(|px| px.0 as f64 / Px::ONE as f64)
}

/// Quantities in instruments: whole numbers where the listing's smallest unit is one.
#[derive(Clone, Copy)]
struct Scale(u32);

impl Scale {
    fn signed(self, smallest: i64) -> Number {
        match self.0 {
            0 => smallest.into(),
            decimals => Number::from_f64(smallest as f64 / 10f64.powi(decimals as i32)).unwrap_or_else(|| 0.into()),
        }
    }

    fn qty(self, qty: u64) -> Number {
        self.signed(i64::try_from(qty).unwrap_or(i64::MAX))
    }

    fn known(self, qty: Qty) -> Option<Number> {
        qty.known().map(|qty| self.qty(qty.0))
    }
}

impl Columns {
    fn push(&mut self, start_s: u32, bar: &OneBar, scale: Scale) {
        self.time.push(start_s);
        let prices = bar.prices.as_ref();
        self.open.push(prices.and_then(|bar| px(bar.open)));
        self.high.push(prices.and_then(|bar| px(bar.high)));
        self.low.push(prices.and_then(|bar| px(bar.low)));
        self.close.push(prices.and_then(|bar| px(bar.close)));
        self.volume.push(bar.volumes.and_then(|volumes| scale.known(volumes.volume)));
        self.trades.push(bar.volumes.map(|volumes| volumes.trades).filter(|trades| *trades != u32::MAX));
        self.cvd.push(bar.cvd.map(|cvd| scale.signed(cvd)));
        self.vpin.push(bar.vpin);
        self.state.push(bar.state.map(|state| state.name()));
        let [poc, vah, val] = bar.levels.map_or([None; 3], |levels| levels.map(px));
        self.poc.push(poc);
        self.vah.push(vah);
        self.val.push(val);
        self.footprint(bar, scale);
        let flow = bar.flow.as_ref();
        self.score.push(flow.map(|flow| flow.score));
        self.flow.push(flow.and_then(|flow| FlowDirection::from_code(flow.direction)).map(FlowDirection::name));
        let volume = bar.flow_volume.as_ref();
        self.buy_pressure.push(volume.and_then(|volume| volume.buy_pressure.known()));
        self.sell_pressure.push(volume.and_then(|volume| volume.sell_pressure.known()));
        self.volume_ratio.push(volume.and_then(|volume| volume.volume_ratio.known()));
    }

    fn footprint(&mut self, bar: &OneBar, scale: Scale) {
        let price = |row: i64| px(Px(row)).and_then(Number::from_f64).unwrap_or_else(|| 0.into());
        let flat = bar.footprint.iter().flat_map(|(row, [bought, sold, unsigned])| {
            [price(*row), scale.qty(*bought), scale.qty(*sold), scale.qty(*unsigned)]
        });
        self.foot.push(flat.collect());
        let of_bar = bar.footprint_bar.as_ref();
        self.foot_poc.push(of_bar.and_then(|of| px(of.poc_px)));
        self.delta.push(of_bar.map(|of| scale.signed(of.delta)));
        self.delta_max.push(of_bar.map(|of| scale.signed(of.max_delta)));
        self.delta_min.push(of_bar.map(|of| scale.signed(of.min_delta)));
        let stack = |price: Px, rows: u16| px(price).map(|price| (price, rows));
        self.buy_stack.push(bar.footprint_rows.and_then(|rows| stack(rows.buy_stack_px, rows.buy_stack_rows)));
        self.sell_stack.push(bar.footprint_rows.and_then(|rows| stack(rows.sell_stack_px, rows.sell_stack_rows)));
    }
}

fn area(area: &Area) -> AreaOf {
    let nodes = area.nodes.iter().filter_map(|node| {
        let is_high = node.node == ProfileNodeType::High.code();
        Some((px(node.px)?, is_high, node.prominence.known()))
    });
    let [poc, vah, val] = [area.profile.poc, area.profile.vah, area.profile.val].map(px);
    AreaOf { poc, vah, val, nodes: nodes.collect() }
}

fn session(session: &OneSession, scale: Scale) -> SessionOf {
    let seconds = |ts: Ns| ts.known().map(|ts| ts.0 / Ns::SECOND);
    let rows = session.rows.iter().filter_map(|(row, [volume, bought, sold])| {
        Some((px(Px(*row))?, scale.qty(*volume), scale.qty(*bought), scale.qty(*sold)))
    });
    SessionOf {
        date: session.hours.date,
        start: session.hours.start_s,
        end: session.hours.end_s,
        open: seconds(session.hours.open_ts),
        close: seconds(session.hours.close_ts),
        rows: rows.collect(),
        row: session.own.as_ref().and_then(|own| own.row_px).and_then(px),
        own: session.own.as_ref().map(area).unwrap_or_default(),
        previous: session.previous.as_ref().map(area),
        composite: session.composite.as_ref().map(area),
    }
}

/// Decimals of the prices of a listing: those of its step, or what it prints.
fn decimals(listed: &Listed) -> u32 {
    let step = listed.terms.tick_px.0;
    match (1..=9).find(|n| step > 0 && step % 10i64.pow(9 - n) == 0) {
        Some(_) if step % Px::ONE == 0 => 0,
        Some(decimals) => decimals,
        None => listed.price_decimals(),
    }
}

impl Day {
    /// The day as JSON; `row_ticks` is the height of a row of its footprints.
    pub(super) fn json(&self, imbalance: Imbalance, row_ticks: u64) -> String {
        let listed = self.listed.as_ref().expect("a page is made of a listed instrument");
        let scale = Scale(u32::from(listed.terms.qty_decimals));
        let tick = Some(listed.terms.tick_px).filter(|tick| tick.0 > 0);
        let mut columns = Columns::default();
        self.bars.closed().for_each(|(start_s, bar)| columns.push(*start_s, bar, scale));
        let has_bar = |session: &&OneSession| {
            let dates = session.hours.start_s..session.hours.end_s;
            columns.time.iter().any(|start_s| dates.contains(start_s))
        };
        let calendar = self.calendar();
        let sessions = self.sessions.of(calendar.code()).filter(has_bar).map(|of| session(of, scale)).collect();
        let venue = listed.venue();
        let page = Page {
            symbol: &listed.symbol,
            venue: venue.as_str(),
            zone: calendar.zone().name(),
            interval_s: self.bars.interval_s,
            decimals: decimals(listed),
            tick: tick.and_then(px),
            row: tick.map_or(1e-9, |tick| tick.0 as f64 * row_ticks as f64 / Px::ONE as f64),
            imbalance,
            bucket: Some(self.bars.bucket_qty).filter(|qty| *qty > 0).map(|qty| scale.qty(qty)),
            badges: badges(self),
            columns,
            sessions,
            marks: &self.marks.marks,
        };
        serde_json::to_string(&page).expect("a page is plain values")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::records::Listing;

    #[test]
    fn prices_have_the_decimals_of_their_step() {
        let listed = |step: i64, printed: u8| {
            let terms = Listing { tick_px: Px(step), price_decimals: printed, ..Listing::default() };
            decimals(&Listed { instrument: 1, source: 1, symbol: String::new(), terms })
        };
        let cases =
            [(10_000_000, 4, 2), (250_000_000, 9, 2), (100_000, 4, 4), (5 * Px::ONE, 2, 0), (0, 3, 3), (1, 2, 9)];
        for (step, printed, want) in cases {
            assert_eq!(listed(step, printed), want, "step {step}");
        }
    }

    #[test]
    fn a_price_has_its_own_decimals_again() {
        for (nano, text) in
            [(165_410_000_000, "165.41"), (166_035_000_000, "166.035"), (-37_630_000_000, "-37.63"), (1, "1e-9")]
        {
            assert_eq!(serde_json::to_string(&px(Px(nano))).unwrap(), text);
        }
        let largest = serde_json::to_string(&px(Px(9_000_000_123_456_789))).unwrap();
        let read = [largest.as_str(), "9000000.123456789"].map(|text| text.parse::<f64>().unwrap());
        assert_eq!(read[0], read[1], "the number that a script reads; its text may be shorter");
        assert_eq!(px(Px::NONE), None);
    }

    #[test]
    fn quantities_are_whole_where_the_smallest_unit_is_one() {
        assert_eq!(
            serde_json::to_string(&[Scale(0).signed(-3), Scale(0).qty(1 << 60), Scale(8).qty(150_000_000)]).unwrap(),
            "[-3,1152921504606846976,1.5]"
        );
        assert_eq!(Scale(0).known(Qty::NONE), None);
    }
}
