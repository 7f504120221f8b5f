//! Pace: how many trades there were in the last minute, how large they were, and which side they took.
//!
//! Time is cut into pieces of a sixtieth of the window. A ring keeps what traded in each of the last sixty, so the window is the running
//! piece and the fifty-nine before it: it ends with the trade and begins where a piece begins.
//!
//! What leaves the window is taken out of its sums; only where the largest trade of all may have been in it are the pieces looked at anew.
//!
//! Bound: per instrument, 56 bytes and sixty pieces of 40. Worst case: a trade that begins a piece adds all of them up anew.

use super::piece::piece_of;
use super::{Context, Measure, MeasureState, Needs, counted, counted_before, take_out};
use crate::{Space, keyed};
use flow::{
    Event, GrowingTable, IntParam, Kind, Kinds, Ns, Param, ParamError, Params, Qty, Real, Seen, Side, StateError,
    StateReader, StateWriter, records,
};
use serde::{Deserialize, Serialize};

const WINDOW: IntParam<u16> = IntParam::new("window", (1, 3_600), "60", "length of the window").unit("seconds");

/// Parameters.
pub const PARAMS: &[Param] = &[WINDOW.param()];

/// Pieces of a window.
const PIECES: usize = 60;

/// The measure `pace`.
pub struct Pace {
    window_s: u16,
}

/// Trades of a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Piece {
    /// Unsigned, bought, sold: indexed by the side's number.
    sums: [u64; 3],
    largest: u64,
    trades: u32,
}

impl Piece {
    fn with(self, other: &Piece) -> Piece {
        let [unsigned, bought, sold] = other.sums;
        let [all_unsigned, all_bought, all_sold] = self.sums;
        Piece {
            sums: [
                all_unsigned.saturating_add(unsigned),
                all_bought.saturating_add(bought),
                all_sold.saturating_add(sold),
            ],
            largest: self.largest.max(other.largest),
            trades: self.trades.saturating_add(other.trades),
        }
    }

    /// What is left without a piece that it is a sum of; `None` where only the other pieces tell it: the largest trade was in this one, or a
    /// sum is at its limit and may have lost some.
    #[inline]
    fn less(self, piece: &Piece) -> Option<Piece> {
        let is_exact = self.trades != u32::MAX && !self.sums.contains(&u64::MAX);
        let keeps_largest = piece.largest < self.largest || piece.largest == 0;
        (is_exact && keeps_largest).then(|| Piece {
            sums: [0, 1, 2].map(|side| self.sums[side] - piece.sums[side]),
            largest: self.largest,
            trades: self.trades - piece.trades,
        })
    }

    #[inline]
    fn of(qty: Qty, side: Side) -> Piece {
        let mut sums = [0; 3];
        sums[side as usize] = qty.0;
        Piece { sums, largest: qty.0, trades: 1 }
    }

    /// What is left without a trade; the largest stays, since nobody knows the next.
    fn without(mut self, qty: Qty, side: Side) -> Piece {
        take_out(&mut self.sums[side as usize], qty.0);
        let trades = self.trades.saturating_sub(1);
        Piece { largest: if trades == 0 { 0 } else { self.largest }, trades, ..self }
    }
}

/// The window of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Window {
    /// Number of the running piece, from the Unix epoch.
    number: u64,
    /// The first trade that was seen; [`Ns::NONE`] before it.
    since: Ns,
    /// All pieces together.
    all: Piece,
}

impl Window {
    const NONE: Window = Window { number: 0, since: Ns::NONE, all: Piece { sums: [0; 3], largest: 0, trades: 0 } };
}

/// The windows of all instruments.
pub struct Windows {
    windows: GrowingTable<Window>,
    /// The pieces of each, by their number.
    pieces: GrowingTable<Piece>,
}

impl Windows {
    /// The window of an instrument and its pieces.
    #[inline]
    fn of(&mut self, instrument: u32) -> Option<(&mut Window, &mut [Piece])> {
        let at = instrument as usize;
        if at == 0 || at >= self.windows.bound() {
            return None;
        }
        let pieces = self.pieces.span_mut(at * PIECES, PIECES);
        Some((self.windows.get_mut(at)?, pieces))
    }
}

/// Where a piece lies.
#[inline]
fn slot(number: u64) -> usize {
    (number % PIECES as u64) as usize
}

impl Window {
    /// Goes on to a piece: what lies before its window is forgotten.
    #[cold]
    fn go_to(&mut self, number: u64, pieces: &mut [Piece]) {
        let gone = (number - self.number).min(PIECES as u64);
        let mut left = Some(self.all);
        for number in number - gone + 1..=number {
            let piece = std::mem::take(&mut pieces[slot(number)]);
            left = left.and_then(|all| all.less(&piece));
        }
        self.number = number;
        self.all = left.unwrap_or_else(|| pieces.iter().fold(Piece::default(), Piece::with));
    }
}

impl Pace {
    /// Length of a piece.
    #[inline]
    fn piece_ns(&self) -> u64 {
        u64::from(self.window_s) * Ns::SECOND / PIECES as u64
    }

    #[inline]
    fn record(&self, window: &Window, now: Ns) -> records::Pace {
        let Piece { sums: [unsigned, bought, sold], largest, trades } = window.all;
        let volume = unsigned.saturating_add(bought).saturating_add(sold);
        let delta = (i128::from(bought) - i128::from(sold)).clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        let length = u64::from(self.window_s) * Ns::SECOND;
        let is_whole = now.0.saturating_sub(window.since.0) >= length;
        records::Pace {
            volume: Qty(volume),
            delta,
            mean_qty: Real::of(volume as f64 / f64::from(trades)),
            largest_qty: Qty(largest),
            trades,
            window_s: self.window_s,
            whole: (if is_whole { Seen::Yes } else { Seen::No }).code(),
            ..records::Pace::default()
        }
    }

    #[cold]
    fn broken(&self, windows: &mut Windows, event: &Event) -> Option<records::Pace> {
        let trade = counted_before(event)?;
        let (window, pieces) = windows.of(event.instrument)?;
        let number_of = |ts: Ns| piece_of(ts, self.piece_ns(), window.number);
        let (number, broken) = (number_of(event.ts), number_of(trade.trade_ts));
        if window.since == Ns::NONE || broken + PIECES as u64 <= number || broken > number {
            return None;
        }
        if number > window.number {
            window.go_to(number, pieces);
        }
        pieces[slot(broken)] = pieces[slot(broken)].without(trade.qty, event.side());
        window.all = pieces.iter().fold(Piece::default(), Piece::with);
        Some(self.record(window, event.ts))
    }
}

impl Measure for Pace {
    type Records = records::Pace;
    type State = Windows;

    fn new(params: &Params, space: Space) -> Result<(Pace, Windows), ParamError> {
        let instruments = space.instruments as usize;
        let windows = GrowingTable::new(instruments, Window::NONE);
        let pieces = GrowingTable::new(instruments * PIECES, Piece::default());
        Ok((Pace { window_s: params.get(WINDOW) }, Windows { windows, pieces }))
    }

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const { Kinds::of(&[Kind::Trade, Kind::BrokenTrade]) }
    }

    fn needs(&self) -> Needs {
        Needs::NONE
    }

    fn terms(&self) -> Vec<u64> {
        vec![self.window_s.into()]
    }

    #[inline]
    fn on(&self, windows: &mut Windows, _: &Context, event: &Event) -> Option<records::Pace> {
        let Some(trade) = counted(event) else { return self.broken(windows, event) };
        let (window, pieces) = windows.of(event.instrument)?;
        let number = piece_of(event.ts, self.piece_ns(), window.number);
        if number > window.number {
            window.go_to(number, pieces);
        }
        if window.since == Ns::NONE {
            window.since = event.ts;
        }
        let one = Piece::of(trade.qty, event.side());
        let piece = &mut pieces[slot(window.number)];
        (*piece, window.all) = (piece.with(&one), window.all.with(&one));
        Some(self.record(window, event.ts))
    }
}

impl MeasureState for Windows {
    fn list(&mut self, instrument: u32) {
        let at = instrument as usize;
        self.windows.reach(at);
        if at < self.windows.bound() {
            self.pieces.reach((at + 1) * PIECES - 1);
        }
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        keyed::save(to, self.windows.values().len(), |at| {
            let window = Some(self.windows[at]).filter(|window| *window != Window::NONE)?;
            Some((window, (0..PIECES).map(|piece| self.pieces[at * PIECES + piece]).collect::<Vec<_>>()))
        });
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.windows.clear();
        self.pieces.clear();
        keyed::load(from, self.windows.bound(), |at, (window, pieces): (Window, Vec<Piece>)| {
            if pieces.len() != PIECES || pieces.iter().fold(Piece::default(), Piece::with) != window.all {
                return Err(StateError::Inconsistent("a window that is not the sum of its pieces"));
            }
            self.windows[at] = window;
            self.pieces.span_mut(at * PIECES, PIECES).copy_from_slice(&pieces);
            Ok(())
        })
    }
}
