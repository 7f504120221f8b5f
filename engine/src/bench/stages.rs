//! Decoding and the book, on a file in memory.
//!
//! [`decoding`] decodes the inputs and takes them from the queue as the merge does. [`book`] also numbers them and passes
//! them to the book stage, which emits `book-top`, `trade` and anomalies as in the default pipeline; decoding alone is
//! measured in the same rounds, so the difference is the book. Single messages are timed in a separate pass, because two
//! readings of the time stamp counter cost as much as the work between them; that cost is reported beside them. As in every
//! run a thread touches memory ahead of what grows.

use super::rounds::{Ratio, interleave, least, median};
use super::{Numbering, Recording, decode, queue};
use crate::ahead::Ahead;
use feeds::OpenError;
use flow::{Event, FeedError, Kind, Kinds, Listings, Out, Params, Px, Selection, Stage, StateWriter, decimal};
use hdrhistogram::Histogram;
use quanta::Clock;
use serde::Serialize;
use stages::Space;
use stages::book::BookStage;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Why a file could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The file no longer exists.
    #[error("{0}")]
    Open(#[from] OpenError),
    /// The file cannot be decoded to its end.
    #[error("{0}")]
    Feed(#[from] FeedError),
    /// The file has no messages.
    #[error("no complete message was read; use a file with messages, or a higher --mib")]
    Empty,
}

/// Cost per message.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct MessageCost {
    /// Number of messages decoded.
    pub messages: u64,
    /// Number of inputs that they produced.
    pub inputs: u64,
    /// Median of the rounds.
    pub ns_per_message: f64,
    /// Lower end of its interval.
    pub ns_per_message_low: f64,
    /// Upper end of its interval.
    pub ns_per_message_high: f64,
    /// Minimum over the rounds.
    pub least_ns_per_message: f64,
}

impl MessageCost {
    fn of(counted: Counted, times: &[Duration]) -> MessageCost {
        let per_message: Vec<f64> = times.iter().map(|t| t.as_nanos() as f64 / counted.messages as f64).collect();
        let (least, spread) = (least(&per_message), Ratio::spread(per_message));
        MessageCost {
            messages: counted.messages,
            inputs: counted.inputs,
            ns_per_message: spread.median,
            ns_per_message_low: spread.low,
            ns_per_message_high: spread.high,
            least_ns_per_message: least,
        }
    }
}

/// Number of messages and inputs.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    messages: u64,
    inputs: u64,
}

/// One pass of `on_event` over the recording, timed.
fn pass(recording: &Recording, on_event: impl FnMut(&Event, &[Event])) -> Result<(Counted, Duration), StageError> {
    pass_of(recording, &Selection::default(), on_event)
}

/// [`pass`], of which the decoder may leave out what is not of the selection.
fn pass_of(
    recording: &Recording,
    selection: &Selection,
    mut on_event: impl FnMut(&Event, &[Event]),
) -> Result<(Counted, Duration), StageError> {
    let (_, mut decoder) = recording.decoder()?;
    decoder.watch(selection);
    let (mut windows, mut queue) = (recording.windows(), queue());
    let mut inputs = 0;
    let start = Instant::now();
    decode(decoder.as_mut(), &mut windows, &mut queue, |event, lookahead| {
        inputs += 1;
        on_event(event, lookahead);
    })?;
    let time = start.elapsed();
    let messages = decoder.records();
    if messages == 0 { Err(StageError::Empty) } else { Ok((Counted { messages, inputs }, time)) }
}

fn decoded(recording: &Recording, selection: &Selection) -> Result<(Counted, Duration), StageError> {
    let mut sum = 0;
    let done = pass_of(recording, selection, |event, _| sum ^= u64::from(event.instrument));
    black_box(sum);
    done
}

/// Measures decoding alone, in `rounds` rounds after an untimed one: of everything, and of each selection in the same rounds.
///
/// # Errors
/// When the file cannot be decoded.
pub fn decoding(
    recording: &Recording,
    selections: &[Selection],
    rounds: usize,
    mut each: impl FnMut(),
) -> Result<Vec<MessageCost>, StageError> {
    let all: Vec<_> = std::iter::once(Selection::default()).chain(selections.iter().cloned()).collect();
    let counted = all.iter().map(|selection| decoded(recording, selection).map(|(counted, _)| counted));
    let counted = counted.collect::<Result<Vec<_>, _>>()?;
    let mut times = vec![Vec::new(); all.len()];
    for _ in 0..rounds {
        for (selection, times) in all.iter().zip(&mut times) {
            times.push(decoded(recording, selection)?.1);
            each();
        }
    }
    Ok(counted.into_iter().zip(&times).map(|(counted, times)| MessageCost::of(counted, times)).collect())
}

/// The number of the first source of a pipeline, as used in the keys of a saved state.
const SOURCE: u8 = 1;

/// The book stage, called as the pipeline calls it.
struct Shelf {
    stage: BookStage,
    reads: Kinds,
    out: Out,
    numbering: Numbering,
}

impl Shelf {
    fn new(instruments: u32, params: &Params) -> Shelf {
        let wanted = Kinds::of(&[Kind::BookTop, Kind::Trade, Kind::Anomaly]);
        let stage = BookStage::new(params, Space { instruments, fills: 0, positions: 64 });
        Shelf { reads: stage.reads(), stage, out: Out::new(1, wanted), numbering: Numbering::default() }
    }

    #[inline]
    fn take(&mut self, event: &Event, lookahead: &[Event]) {
        self.stage.prefetch(lookahead);
        let event = Event { source: SOURCE, ..self.numbering.next(event) };
        if !self.reads.has(event.kind) {
            return;
        }
        self.out.begin(&event);
        self.stage.on_event(&event, &mut self.out);
        black_box(self.out.events().len());
    }
}

/// Best bid and ask of an instrument at the end of the file.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Bbo {
    /// Symbol.
    pub symbol: String,
    /// Best bid.
    pub bid_px: Option<String>,
    /// Quantity at this price.
    pub bid_qty: u64,
    /// Best ask.
    pub ask_px: Option<String>,
    /// Quantity at this price.
    pub ask_qty: u64,
}

/// Times of single messages.
#[derive(Clone, Debug, Serialize)]
pub struct Single {
    /// Number of timed inputs.
    pub samples: u64,
    /// Cost of two clock readings with nothing between them, which is included in every figure below.
    pub clock_ns: f64,
    /// Median.
    pub p50_ns: u64,
    /// 90th percentile.
    pub p90_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// 99.9th percentile.
    pub p999_ns: u64,
    /// 99.99th percentile.
    pub p9999_ns: u64,
    /// Maximum.
    pub max_ns: u64,
}

/// The cost of the book, and its contents at the end.
#[derive(Clone, Debug, Serialize)]
pub struct BookCost {
    /// Decoding and book together.
    #[serde(flatten)]
    pub cost: MessageCost,
    /// Decoding alone, in the same rounds.
    pub decode_ns_per_message: f64,
    /// Resting orders at the end.
    pub live_orders: usize,
    /// Price levels at the end.
    pub live_levels: usize,
    /// BLAKE3 of the book's state, as `replay --set pipeline.stages=book` prints it.
    pub state_hash: String,
    /// Best bids and asks of the chosen symbols.
    pub bbo: Vec<Bbo>,
    /// Times of single messages.
    pub single: Single,
}

/// Measures decoding and the book, in `rounds` rounds. `symbols` are those whose best prices are reported; the busiest if
/// empty.
///
/// # Errors
/// When the file cannot be decoded.
pub fn book(
    recording: &Recording,
    params: &Params,
    symbols: &[String],
    rounds: usize,
    mut each: impl FnMut(),
) -> Result<BookCost, StageError> {
    let _ahead = Ahead::start(ring::Idle::Spin).ok();
    let instruments = recording.decoder()?.1.instruments();
    let mut shelf = Shelf::new(instruments, params);
    let (mut listings, mut activity) = (Listings::default(), BTreeMap::<u32, u64>::new());
    let (counted, _) = pass(recording, |event, lookahead| {
        listings.observe(&Event { source: SOURCE, ..*event });
        *activity.entry(event.instrument).or_default() += 1;
        shelf.take(event, lookahead);
    })?;
    let (mut whole, mut decode_times) = (Vec::new(), Vec::new());
    let mut failed = None;
    interleave(rounds, 2, |which| {
        let done = if which == 0 {
            let mut shelf = Shelf::new(instruments, params);
            pass(recording, |event, lookahead| shelf.take(event, lookahead)).map(|(_, time)| whole.push(time))
        } else {
            decoded(recording, &Selection::default()).map(|(_, time)| decode_times.push(time))
        };
        failed = failed.take().or(done.err());
        each();
    });
    if let Some(error) = failed {
        return Err(error);
    }
    let decoding: Vec<f64> = decode_times.iter().map(|t| t.as_nanos() as f64 / counted.messages as f64).collect();
    let mut writer = StateWriter::new(&listings);
    shelf.stage.save(&mut writer);
    Ok(BookCost {
        cost: MessageCost::of(counted, &whole),
        decode_ns_per_message: super::rounds::rounded(median(&decoding)),
        live_orders: shelf.stage.books().live_orders(),
        live_levels: shelf.stage.books().live_levels(),
        state_hash: writer.hash(),
        bbo: bbo(&shelf, &listings, &activity, symbols),
        single: singly(recording, Shelf::new(instruments, params))?,
    })
}

/// Number of symbols reported if none is chosen.
const BUSIEST: usize = 8;

fn bbo(shelf: &Shelf, listings: &Listings, activity: &BTreeMap<u32, u64>, symbols: &[String]) -> Vec<Bbo> {
    let mut chosen: Vec<_> = listings.iter().filter(|l| symbols.is_empty() || symbols.contains(&l.symbol)).collect();
    if symbols.is_empty() {
        chosen.sort_by_key(|l| (std::cmp::Reverse(activity.get(&l.instrument).copied().unwrap_or(0)), l.instrument));
        chosen.truncate(BUSIEST);
    }
    let best_prices = |listed: &&flow::Listed| {
        let top = shelf.stage.books().book(listed.instrument).map(|book| book.top());
        let px = |px: Px| px.known().map(|p| decimal(p.0.into(), 9, listed.price_decimals()));
        Bbo {
            symbol: listed.symbol.clone(),
            bid_px: top.and_then(|t| px(t.bid_px)),
            bid_qty: top.map_or(0, |t| t.bid_qty),
            ask_px: top.and_then(|t| px(t.ask_px)),
            ask_qty: top.map_or(0, |t| t.ask_qty),
        }
    };
    chosen.iter().map(best_prices).collect()
}

/// Cost of two clock readings: the minimum of a hundred means.
pub fn clock_cost(clock: &Clock) -> f64 {
    const READINGS: u32 = 1_000;
    let mean = || {
        let start = Instant::now();
        for _ in 0..READINGS {
            black_box((clock.raw(), clock.raw()));
        }
        start.elapsed().as_nanos() as f64 / f64::from(READINGS)
    };
    least(&(0..100).map(|_| mean()).collect::<Vec<_>>())
}

fn singly(recording: &Recording, mut shelf: Shelf) -> Result<Single, StageError> {
    let clock = Clock::new();
    let mut times: Histogram<u64> = crate::pipeline::histogram();
    pass(recording, |event, lookahead| {
        let start = clock.raw();
        shelf.take(event, lookahead);
        times.saturating_record(clock.delta_as_nanos(start, clock.raw()).max(1));
    })?;
    let at = |q| times.value_at_quantile(q);
    Ok(Single {
        samples: times.len(),
        clock_ns: clock_cost(&clock),
        p50_ns: at(0.5),
        p90_ns: at(0.9),
        p99_ns: at(0.99),
        p999_ns: at(0.999),
        p9999_ns: at(0.9999),
        max_ns: times.max(),
    })
}
