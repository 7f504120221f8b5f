//! Swing highs and lows of bars, and fractals: bars that reach beyond their neighbours on both sides.
//!
//! Nobody knows one before the bars to its right have closed, so it is emitted with the last of these, and says with which. A swing may have
//! equals on its right, of which it is then the first; a fractal, as Williams has it, stands alone.
//!
//! Bound: per instrument two rings of twice as many bars as are asked for on a side, and one. Worst case: a bar looks at all of them four
//! times and emits four events.

use super::any_bars::{AnyBars, EVENT_BARS, OF, WANTED};
use super::bar_hours::INTERVAL;
use super::{Context, Measure, MeasureState, PerInstrument, Rings, emit};
use crate::Space;
use flow::records::{self, Bar};
use flow::{
    Event, Flags, IntParam, Kind, Kinds, Out, Param, ParamError, Params, Px, StateError, StateReader, StateWriter,
    SwingExtreme, SwingType,
};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

const BARS: IntParam<u16> = IntParam::new("bars", (1, 250), "5", "bars on each side of a swing").unit("bars");
const FRACTAL_BARS: IntParam<u16> =
    IntParam::new("fractal_bars", (1, 250), "2", "bars on each side of a fractal").unit("bars");

/// Parameters.
pub const PARAMS: &[Param] = &[OF.param(), INTERVAL.param(), EVENT_BARS.param(), BARS.param(), FRACTAL_BARS.param()];

/// The measure `swings`.
pub struct Swings {
    bars_of: AnyBars,
    /// Bars on a side, of a swing and of a fractal.
    sides: [u16; 2],
}

/// How far a bar reaches, up and down.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    high: Px,
    low: Px,
    start_s: u32,
}

/// The last prices of an instrument: of highs and lows, each of swings and of fractals.
type LastPrices = [[Option<Px>; 2]; 2];

/// What is known of all instruments.
pub struct Turns {
    last: PerInstrument<LastPrices>,
    /// The last bars, for swings and for fractals.
    reaches: [Rings<Reach>; 2],
}

impl MeasureState for Turns {
    fn list(&mut self, instrument: u32) {
        self.last.list(instrument);
        self.reaches.iter_mut().for_each(|reaches| reaches.list(instrument));
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.last.save(to);
        self.reaches.iter().for_each(|reaches| reaches.save(to));
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.last.load(from)?;
        self.reaches.iter_mut().try_for_each(|reaches| reaches.load(from))
    }
}

impl Measure for Swings {
    type Records = records::Swing;
    type State = Turns;

    /// A bar may confirm a high and a low, each as a swing and as a fractal.
    const FAN_OUT: usize = 4;

    fn new(params: &Params, space: Space) -> Result<(Swings, Turns), ParamError> {
        let bars_of = AnyBars::new("swings", params)?;
        let sides = [params.get(BARS), params.get(FRACTAL_BARS)];
        let reaches = sides.map(|side| Rings::new(space, 2 * side + 1));
        Ok((Swings { bars_of, sides }, Turns { last: PerInstrument::new(space), reaches }))
    }

    const WANTS: &'static [&'static [Kind]] = WANTED;

    #[inline(always)]
    fn reads(&self) -> Kinds {
        self.bars_of.reads()
    }

    fn terms(&self) -> Vec<u64> {
        let [swing, fractal] = self.sides;
        let [interval_s, instance] = self.bars_of.terms();
        vec![interval_s, instance, swing.into(), fractal.into()]
    }

    #[inline]
    fn run(&self, turns: &mut Turns, _: &Context, event: &Event, out: &mut Out) {
        if let Some(bar) = self.bars_of.bar(event) {
            self.bar(turns, event, &bar, out);
        }
    }
}

/// Both lists, in the order in which they are kept.
const TYPES: [SwingType; 2] = [SwingType::Swing, SwingType::Fractal];

impl Swings {
    fn bar(&self, turns: &mut Turns, event: &Event, bar: &Bar, out: &mut Out) {
        let Some(last) = turns.last.get_mut(event.instrument) else { return };
        for (at, what) in TYPES.into_iter().enumerate() {
            let (bars, reaches) = (self.sides[at], &mut turns.reaches[at]);
            reaches.push(event.instrument, Reach { high: bar.high, low: bar.low, start_s: bar.start_s });
            let Some(reaches) = reaches.full(event.instrument) else { continue };
            for (before, extreme) in last[at].iter_mut().zip([SwingExtreme::High, SwingExtreme::Low]) {
                let Some(turn) = turn(reaches.clone(), bars, what, extreme) else { continue };
                let px = if extreme == SwingExtreme::High { turn.high } else { turn.low };
                let swing = records::Swing {
                    px,
                    before: before.replace(px).unwrap_or(Px::NONE),
                    start_s: turn.start_s,
                    confirmed_s: bar.start_s,
                    interval_s: bar.interval_s,
                    bars,
                    what: what.code(),
                    extreme: extreme.code(),
                    ..records::Swing::default()
                };
                emit(&swing, Flags::NONE, event, out);
            }
        }
    }
}

/// The bar in the middle, if it reaches beyond the `bars` to its left and to its right.
fn turn(
    reaches: impl Iterator<Item = Reach> + Clone,
    bars: u16,
    what: SwingType,
    extreme: SwingExtreme,
) -> Option<Reach> {
    let middle = reaches.clone().nth(bars.into())?;
    let beyond = |other: &Reach| match extreme {
        SwingExtreme::High => middle.high.cmp(&other.high),
        SwingExtreme::Low => other.low.cmp(&middle.low),
    };
    let is_turn = reaches.enumerate().all(|(at, other)| match at.cmp(&usize::from(bars)) {
        Ordering::Less => beyond(&other) == Ordering::Greater,
        Ordering::Equal => true,
        Ordering::Greater => match what {
            SwingType::Swing => beyond(&other) != Ordering::Less,
            SwingType::Fractal => beyond(&other) == Ordering::Greater,
        },
    });
    is_turn.then_some(middle)
}
