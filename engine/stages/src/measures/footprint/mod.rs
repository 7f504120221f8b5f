//! Footprints: the volume of a bar by price and side.
//!
//! Every trade changes one row, and that row is told. When the bar is over its rows are looked at once: where one side outweighs
//! the other, how many such rows stand in a line, which row is the busiest, what happened at the extremes.
//!
//! The trade that ends a bar is seen before the bar that it ends, since a stage passes an input on before it adds to it. So the bar that is over
//! waits with its rows until the pipeline has closed it: there are at most two bars an instrument.
//!
//! Bound: one pool of rows for all instruments. Who finds it full is left out of its row, counted, and its bar says so. Worst case:
//! a trade walks over the rows of its bar; a bar gives all its rows back.

mod bars;
mod ended;
mod rows;

use super::bar_hours::length_below_a_day;
use super::{Context, Measure, Needs, counted, counted_before};
use crate::Space;
use bars::{Bars, Place};
use ended::{Edge, Ended, Limits};
use flow::records::{self, Bar, BarFlow, Exhaustion, FootprintBar, FootprintRows, Listing};
use flow::{
    Event, Extremes, Flags, FloatParam, IntParam, Interval, Kind, Kinds, Ns, Out, Param, ParamError, Params, Px, Qty,
    RecordGroup, Seen, Side, TextParam,
};
use rows::{BarRows, Sums};

const INTERVAL: TextParam =
    TextParam::new("interval", "1m", "length of the bars, below a day, one that the pipeline provides");
const ROW_TICKS: IntParam<u32> = IntParam::new("row_ticks", (1, 1_000_000), "1", "height of a row").unit("ticks");
const RATIO: FloatParam =
    FloatParam::new("ratio", (1.0, 1e6), "3", "a row is imbalanced from this many times the other side on");
const LEAST_PART: FloatParam =
    FloatParam::new("least_part", (0.0, 100.0), "1", "and from this part of the bar's volume on").unit("per cent");
const STACK_ROWS: IntParam<u16> =
    IntParam::new("stack_rows", (2, 1_000), "3", "imbalanced rows in a line that are a stack, or more").unit("rows");
const EXHAUSTION_BARS: IntParam<u16> = IntParam::new(
    "exhaustion_bars",
    (2, 480),
    "20",
    "bars whose extreme a bar must make, itself among them; 16 bytes each per instrument",
)
.unit("bars");
const EXHAUSTION_PART: FloatParam = FloatParam::new(
    "exhaustion_part",
    (0.0, 100.0),
    "10",
    "an extreme is exhausted up to this part of the bar's largest row of the side",
)
.unit("per cent");
const MAX_ROWS: IntParam<u32> = IntParam::new(
    "max_rows",
    (64, 16_777_216),
    "262144",
    "rows of the open bars of all instruments; 40 bytes each, taken as they come",
)
.unit("rows");

/// Parameters.
pub const PARAMS: &[Param] = &[
    INTERVAL.param(),
    ROW_TICKS.param(),
    RATIO.param(),
    LEAST_PART.param(),
    STACK_ROWS.param(),
    EXHAUSTION_BARS.param(),
    EXHAUSTION_PART.param(),
    MAX_ROWS.param(),
];

/// The measure `footprint`.
pub struct Footprint {
    interval: Interval,
    row_ticks: u32,
    exhaustion_bars: u16,
    limits: Limits,
}

/// What it emits: a row that changed, or a bar that is over.
pub enum FootprintRecords {
    /// A row.
    Row(records::Footprint),
    /// A bar, what its rows come to, and its exhausted extremes: the high, the low.
    Bar(FootprintBar, FootprintRows, [Option<Exhaustion>; 2]),
}

impl RecordGroup for FootprintRecords {
    const KINDS: &'static [Kind] = &[Kind::Footprint, Kind::FootprintBar, Kind::FootprintRows, Kind::Exhaustion];

    #[inline]
    fn push(&self, instrument: u32, flags: Flags, out: &mut Out) {
        match self {
            FootprintRecords::Row(row) => row.push(instrument, flags, out),
            FootprintRecords::Bar(bar, rows, exhausted) => {
                (*bar, *rows).push(instrument, flags, out);
                for (one, aggressor) in exhausted.iter().zip([Side::Buy, Side::Sell]) {
                    one.iter().for_each(|one| one.push(instrument, flags.with_side(aggressor), out));
                }
            }
        }
    }
}

impl Measure for Footprint {
    type Records = FootprintRecords;
    type State = Bars;

    fn new(params: &Params, space: Space) -> Result<(Footprint, Bars), ParamError> {
        let interval = length_below_a_day("footprint.interval", params.get(INTERVAL))?;
        let limits = Limits {
            ratio: params.get(RATIO),
            least_part: params.get(LEAST_PART),
            stack_rows: params.get(STACK_ROWS),
            exhaustion_part: params.get(EXHAUSTION_PART),
        };
        let (row_ticks, exhaustion_bars) = (params.get(ROW_TICKS), params.get(EXHAUSTION_BARS));
        let bars = Bars::new(space, usize::from(exhaustion_bars) - 1, params.get(MAX_ROWS));
        Ok((Footprint { interval, row_ticks, exhaustion_bars, limits }, bars))
    }

    const WANTS: &'static [&'static [Kind]] = &[&[Kind::Bar]];

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const { Kinds::of(&[Kind::Listing, Kind::Trade, Kind::BrokenTrade, Kind::Bar, Kind::BarFlow]) }
    }

    #[inline(always)]
    fn needs(&self) -> Needs {
        Needs::SESSIONS
    }

    fn terms(&self) -> Vec<u64> {
        vec![self.interval.seconds().into(), self.row_ticks.into(), self.exhaustion_bars.into()]
    }

    #[inline]
    fn on(&self, bars: &mut Bars, context: &Context, event: &Event) -> Option<FootprintRecords> {
        match event.kind {
            Kind::Trade => self.trade(bars, event),
            Kind::BrokenTrade => self.broken(bars, event),
            Kind::Listing => {
                let tick = event.record::<Listing>().tick_px.0;
                bars.size(event.instrument, tick.max(0).saturating_mul(self.row_ticks.into()));
                None
            }
            _ if event.flags.has(Flags::SNAPSHOT) => None,
            Kind::Bar => {
                let bar: &Bar = event.record();
                if bar.interval_s == self.interval.seconds() {
                    bars.announce(event.instrument, bar.start_s);
                }
                None
            }
            _ => self.bar(bars, context, event),
        }
    }
}

impl Footprint {
    /// Start of the bar that an instant belongs to.
    #[inline]
    fn start_s(&self, ts: Ns) -> u32 {
        let (second, length) = (ts.0 / Ns::SECOND, u64::from(self.interval.seconds()));
        u32::try_from(second - second % length).unwrap_or(BarRows::NO_START - 1)
    }

    #[inline]
    fn trade(&self, bars: &mut Bars, event: &Event) -> Option<FootprintRecords> {
        let trade = counted(event)?;
        let start_s = self.start_s(event.ts);
        let (place, rows) = bars.place(event.instrument)?;
        if place.open.start_s != start_s {
            // One that the pipeline never closed: it has no bars of this length.
            rows.give(&place.over);
            place.over = std::mem::replace(&mut place.open, BarRows::at(start_s));
        }
        let index = place.index(trade.px);
        let sums = rows.add(&mut place.open, index, trade.qty, event.side());
        Some(self.row(start_s, place.px(index), sums))
    }

    #[cold]
    fn broken(&self, bars: &mut Bars, event: &Event) -> Option<FootprintRecords> {
        let trade = counted_before(event)?;
        let start_s = self.start_s(trade.trade_ts);
        let (place, rows) = bars.place(event.instrument)?;
        let index = place.index(trade.px);
        let bar = [&mut place.open, &mut place.over].into_iter().find(|bar| bar.start_s == start_s)?;
        let sums = rows.take_out(bar, index, trade.qty, event.side());
        Some(self.row(start_s, place.px(index), sums))
    }

    #[inline]
    fn row(&self, start_s: u32, row_px: Px, sums: Option<Sums>) -> FootprintRecords {
        let [unsigned_qty, buy_qty, sell_qty] = sums.map_or([Qty::NONE; 3], |sums| sums.map(Qty));
        let interval_s = self.interval.seconds() as u16;
        let row =
            records::Footprint { row_px, buy_qty, sell_qty, unsigned_qty, start_s, interval_s, ..Default::default() };
        FootprintRecords::Row(row)
    }

    #[cold]
    fn bar(&self, bars: &mut Bars, context: &Context, event: &Event) -> Option<FootprintRecords> {
        let closing: &BarFlow = event.record();
        if closing.interval_s != self.interval.seconds() {
            return None;
        }
        let bar = bars.close(event.instrument)?;
        let is_whole = bar.running.left_out == 0;
        let ended = Ended::of(bars.rows.of(&bar), &self.limits).filter(|_| is_whole);
        bars.rows.give(&bar);
        let start = Ns(u64::from(bar.start_s) * Ns::SECOND);
        let before =
            bars.extremes(event.instrument, start, ended.map(|ended| (ended.low.index, ended.high.index)), context);
        let (place, _) = bars.place(event.instrument)?;
        let px = |of: fn(&Ended) -> Option<i64>| ended.as_ref().and_then(of).map_or(Px::NONE, |index| place.px(index));
        let first = FootprintBar {
            delta: bar.running.delta,
            max_delta: bar.running.most,
            min_delta: bar.running.least,
            poc_px: px(|ended| Some(ended.busiest)),
            start_s: bar.start_s,
            interval_s: self.interval.seconds() as u16,
            whole: (if is_whole { Seen::Yes } else { Seen::No }).code(),
            ..FootprintBar::default()
        };
        let stack_px = [
            px(|ended| Some(ended.buys).filter(|buys| buys.stacks > 0).map(|buys| buys.from)),
            px(|ended| Some(ended.sells).filter(|sells| sells.stacks > 0).map(|sells| sells.from)),
        ];
        let exhaustion =
            ended.zip(before).map_or([None; 2], |(ended, before)| Footprint::exhaustion(place, &first, &ended, before));
        let exhausted = Extremes::of(exhaustion[0].is_some(), exhaustion[1].is_some());
        Some(FootprintRecords::Bar(first, rows_of(ended, stack_px, exhausted, bar.running.left_out), exhaustion))
    }

    /// The exhausted extremes of a bar that lie beyond those of the bars before: the high, the low.
    fn exhaustion(
        place: &Place,
        bar: &FootprintBar,
        ended: &Ended,
        (low, high): (i64, i64),
    ) -> [Option<Exhaustion>; 2] {
        let of = |edge: Edge, is_beyond: bool, before: i64| {
            (edge.is_thin && is_beyond).then(|| Exhaustion {
                row_px: place.px(edge.index),
                qty: Qty(edge.qty),
                largest_qty: Qty(edge.largest),
                before_px: place.px(before),
                start_s: bar.start_s,
                interval_s: bar.interval_s,
                ..Exhaustion::default()
            })
        };
        [of(ended.high, ended.high.index > high, high), of(ended.low, ended.low.index < low, low)]
    }
}

/// What the rows of a bar come to; nothing where some of its trades are in no row.
fn rows_of(ended: Option<Ended>, stack_px: [Px; 2], exhausted: Extremes, left_out: u64) -> FootprintRows {
    let [buy_stack_px, sell_stack_px] = stack_px;
    let (buys, sells) = ended.map_or_else(Default::default, |ended| (ended.buys, ended.sells));
    FootprintRows {
        buy_stack_px,
        sell_stack_px,
        left_out_qty: Qty(left_out),
        buy_imbalances: buys.rows,
        sell_imbalances: sells.rows,
        buy_stacks: buys.stacks,
        sell_stacks: sells.stacks,
        buy_stack_rows: buys.longest,
        sell_stack_rows: sells.longest,
        unfinished: ended.map_or(Extremes::None, |ended| ended.unfinished).code(),
        exhausted: exhausted.code(),
        ..FootprintRows::default()
    }
}
