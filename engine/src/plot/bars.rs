//! The bars of a page, each with what was measured of it.
//!
//! Records are kept as they came, by the start of the bar. What has no bar of its own in its record (CVD, VPIN, the profile as it
//! stands) belongs to the bar of its time, and the last one of a bar stays.

use super::{MOST_BARS, MOST_ROWS};
use flow::records::{
    Bar, BarFlow, Cvd, Flow, FlowVolume, Footprint, FootprintBar, FootprintRows, MarketState, Profile, Vpin,
};
use flow::{BarDay, Event, Interval, Kind, Kinds, MarketBalance, Ns, Px, VolumeFrom, VpinMode};
use std::collections::BTreeMap;

/// What something was measured from: what comes with a bar comes at its end, which is the start of the next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MadeOf {
    Trades,
    Bars,
}

/// More than a page holds.
pub(super) struct Full;

/// What is known of one bar.
#[derive(Default)]
pub(super) struct OneBar {
    /// Its prices.
    pub(super) prices: Option<Bar>,
    /// Its volumes.
    pub(super) volumes: Option<BarFlow>,
    /// Bought, sold and unsigned quantity of each row, by the lowest price of the row.
    pub(super) footprint: BTreeMap<i64, [u64; 3]>,
    /// What the rows come to.
    pub(super) footprint_bar: Option<FootprintBar>,
    /// More of that.
    pub(super) footprint_rows: Option<FootprintRows>,
    /// The CVD after its last trade.
    pub(super) cvd: Option<i64>,
    /// The last VPIN of a bucket that closed in it.
    pub(super) vpin: Option<f64>,
    /// Its order flow.
    pub(super) flow: Option<Flow>,
    /// The volumes of that.
    pub(super) flow_volume: Option<FlowVolume>,
    /// The market state that it left.
    pub(super) state: Option<MarketBalance>,
    /// Point of control, VAH and VAL of the session that ran, as it left them.
    pub(super) levels: Option<[Px; 3]>,
}

/// The bars of one length, in their order.
pub(super) struct Bars {
    /// Length of a bar.
    pub(super) interval_s: u32,
    /// By their start, Unix time in seconds.
    pub(super) bars: BTreeMap<u32, OneBar>,
    /// Quantity of a bucket of VPIN; 0 = none has closed.
    pub(super) bucket_qty: u64,
    /// Bars of which trades are in no row.
    pub(super) not_whole: u32,
    rows: usize,
    /// The bar that the follower of a record is of.
    last: Option<u32>,
}

impl Bars {
    /// What is read.
    pub(super) const READS: Kinds = Kinds::of(&[
        Kind::Bar,
        Kind::BarFlow,
        Kind::Footprint,
        Kind::FootprintBar,
        Kind::FootprintRows,
        Kind::Cvd,
        Kind::Vpin,
        Kind::Flow,
        Kind::FlowVolume,
        Kind::MarketState,
    ]);

    /// No bar of this length yet.
    pub(super) fn new(interval_s: u32) -> Bars {
        Bars { interval_s, bars: BTreeMap::new(), bucket_qty: 0, not_whole: 0, rows: 0, last: None }
    }

    /// Bars that have prices.
    pub(super) fn closed(&self) -> impl Iterator<Item = (&u32, &OneBar)> {
        self.bars.iter().filter(|(_, bar)| bar.prices.is_some())
    }

    fn at(&mut self, start_s: u32) -> &mut OneBar {
        self.last = Some(start_s);
        self.bars.entry(start_s).or_default()
    }

    /// The bar of a time, or of what has just closed with it; `day` says of a time on which trade date it is.
    fn at_time(&mut self, ts: Ns, of: MadeOf, day: impl Fn(Ns) -> BarDay) -> &mut OneBar {
        let ts = if of == MadeOf::Bars { Ns(ts.0.saturating_sub(1)) } else { ts };
        let start = Interval::from_seconds(self.interval_s).map_or(ts, |length| length.bounds(ts, || day(ts)).0);
        self.bars.entry((start.0 / Ns::SECOND) as u32).or_default()
    }

    /// The profile of the session that runs, as it stands at a time.
    pub(super) fn stands(&mut self, profile: &Profile, ts: Ns, day: impl Fn(Ns) -> BarDay) {
        let of_trades = profile.volume_from == VolumeFrom::Trades.code();
        self.at_time(ts, if of_trades { MadeOf::Trades } else { MadeOf::Bars }, day).levels =
            Some([profile.poc, profile.vah, profile.val]);
    }

    /// Takes what was measured. Of several instances of a measure the plain one is shown.
    pub(super) fn take(&mut self, event: &Event, day: impl Fn(Ns) -> BarDay) -> Result<(), Full> {
        match event.kind {
            Kind::Bar | Kind::BarFlow | Kind::Flow | Kind::FlowVolume | Kind::MarketState => self.of_bar(event),
            Kind::Footprint | Kind::FootprintBar | Kind::FootprintRows => self.of_footprint(event),
            Kind::Cvd => {
                let Cvd { cvd, instance, .. } = *event.record();
                if instance == 0 {
                    self.at_time(event.ts, MadeOf::Trades, day).cvd = Some(cvd);
                }
            }
            Kind::Vpin => {
                let Vpin { vpin, bucket_qty, mode, instance, .. } = *event.record();
                let of = if mode == VpinMode::Exact.code() { MadeOf::Trades } else { MadeOf::Bars };
                if instance == 0 {
                    self.bucket_qty = bucket_qty.0;
                    self.at_time(event.ts, of, day).vpin = vpin.known();
                }
            }
            _ => {}
        }
        if self.bars.len() > MOST_BARS || self.rows > MOST_ROWS { Err(Full) } else { Ok(()) }
    }

    fn of_bar(&mut self, event: &Event) {
        let ours = |interval_s: u32, instance: u8, own: u32| interval_s == own && instance == 0;
        let own = self.interval_s;
        if let Some(bar) = event.get::<Bar>() {
            self.last = None;
            if bar.interval_s == own {
                self.at(bar.start_s).prices = Some(*bar);
            }
        } else if let Some(flow) = event.get::<Flow>() {
            self.last = None;
            if ours(flow.interval_s, flow.instance, own) {
                self.at(flow.start_s).flow = Some(*flow);
            }
        } else if let Some(state) = event.get::<MarketState>().filter(|state| state.instance == 0) {
            self.bars.entry(state.start_s).or_default().state = MarketBalance::from_code(state.state);
        } else if let Some(bar) = self.last.and_then(|start_s| self.bars.get_mut(&start_s)) {
            if let Some(volumes) = event.get::<BarFlow>().filter(|volumes| volumes.interval_s == own) {
                bar.volumes = Some(*volumes);
            } else if let Some(volumes) = event.get::<FlowVolume>() {
                bar.flow_volume = Some(*volumes);
            }
        }
    }

    fn of_footprint(&mut self, event: &Event) {
        let own = self.interval_s;
        if let Some(row) = event.get::<Footprint>() {
            if u32::from(row.interval_s) == own && row.instance == 0 {
                self.row(row);
            }
        } else if let Some(bar) = event.get::<FootprintBar>() {
            self.last = None;
            if u32::from(bar.interval_s) == own && bar.instance == 0 {
                self.not_whole += u32::from(bar.whole == 0);
                self.at(bar.start_s).footprint_bar = Some(*bar);
            }
        } else if let Some(rows) = event.get::<FootprintRows>()
            && let Some(bar) = self.last.and_then(|start_s| self.bars.get_mut(&start_s))
        {
            bar.footprint_rows = Some(*rows);
        }
    }

    /// A row as a trade left it: the last of each row stays, and one without volume is none.
    fn row(&mut self, row: &Footprint) {
        let [bought, sold, unsigned] = [row.buy_qty, row.sell_qty, row.unsigned_qty].map(|qty| qty.known());
        let (Some(bought), Some(sold), Some(unsigned)) = (bought, sold, unsigned) else { return };
        let rows = &mut self.bars.entry(row.start_s).or_default().footprint;
        let before = rows.len();
        if bought.0 == 0 && sold.0 == 0 && unsigned.0 == 0 {
            rows.remove(&row.row_px.0);
        } else {
            rows.insert(row.row_px.0, [bought.0, sold.0, unsigned.0]);
        }
        self.rows = self.rows + rows.len() - before;
    }
}
