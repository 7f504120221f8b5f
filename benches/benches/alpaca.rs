//! Decoding Alpaca's stream: frames in memory to what the pipeline reads, beside structs that serde derives for the same bytes.
//!
//! JSON beside `serde_json`, MessagePack beside `rmp-serde`, of trades and quotes, which are all but a few of the messages. All must
//! agree on a sum over prices and sizes. What they do is not the same: ours finds the instrument, reads the time, looks at
//! the conditions, infers the aggressor and makes events of 64 bytes; the rivals fill a struct and leave text and time as they stand.
//! `by tag` is an enum with the letter of the type as its tag, as one would write it; `one struct` has the fields of all types,
//! which spares serde the buffer of a tagged enum: the floor.
//!
//! Interleaved rounds of frames of eight messages give the mean and the ratio. A message alone in its frame, as it comes when
//! little happens, gives the distribution, with what reading the clock costs in it.

use benches::report::Report;
use benches::rounds::{Contender, Run, compare, count};
use feeds::alpaca::Frames;
use feeds::alpaca::fake::{Body, Market, Sent};
use flow::records::{Quote, Trade};
use flow::{Event, Kind, Ns, Px};
use hdrhistogram::Histogram;
use quanta::Clock;
use serde::Deserialize;
use serde_json::json;
use std::hint::black_box;
use std::time::Instant;

const MESSAGES: usize = 100_000;
const A_FRAME: usize = 8;
const SYMBOLS: [&str; 4] = ["AAPL", "MSFT", "QQQ", "SPY"];
const AT: Ns = Ns(1_700_000_000_000_000_000);
const QUANTILES: [(&str, f64); 5] =
    [("p50_ns", 0.5), ("p90_ns", 0.9), ("p99_ns", 0.99), ("p999_ns", 0.999), ("max_ns", 1.0)];

#[derive(Deserialize)]
#[serde(tag = "T")]
enum Tagged<'a> {
    #[serde(rename = "t", borrow)]
    Trade(TradeMessage<'a>),
    #[serde(rename = "q", borrow)]
    Quote(QuoteMessage<'a>),
}

#[derive(Deserialize)]
struct TradeMessage<'a> {
    #[serde(rename = "S")]
    symbol: &'a str,
    #[serde(rename = "i")]
    id: u64,
    #[serde(rename = "x")]
    exchange: &'a str,
    #[serde(rename = "p")]
    px: f64,
    #[serde(rename = "s")]
    size: u64,
    #[serde(rename = "c", borrow)]
    conditions: Vec<&'a str>,
    #[serde(rename = "t")]
    time: &'a str,
    #[serde(rename = "z")]
    tape: &'a str,
}

#[derive(Deserialize)]
struct QuoteMessage<'a> {
    #[serde(rename = "S")]
    symbol: &'a str,
    #[serde(rename = "bp")]
    bid: f64,
    #[serde(rename = "bs")]
    bid_size: u64,
    #[serde(rename = "ap")]
    ask: f64,
    #[serde(rename = "as")]
    ask_size: u64,
    #[serde(rename = "t")]
    time: &'a str,
    #[serde(rename = "z")]
    tape: &'a str,
}

/// The fields of both types; `Time` is what the encoding has for one.
#[derive(Deserialize)]
struct One<'a, Time> {
    #[serde(rename = "T")]
    kind: &'a str,
    #[serde(rename = "S")]
    symbol: &'a str,
    #[serde(rename = "i", default)]
    id: u64,
    #[serde(rename = "x", default)]
    exchange: &'a str,
    #[serde(rename = "p", default)]
    px: f64,
    #[serde(rename = "s", default)]
    size: u64,
    #[serde(rename = "c", borrow, default)]
    conditions: Vec<&'a str>,
    #[serde(rename = "bp", default)]
    bid: f64,
    #[serde(rename = "bs", default)]
    bid_size: u64,
    #[serde(rename = "ap", default)]
    ask: f64,
    #[serde(rename = "as", default)]
    ask_size: u64,
    #[serde(rename = "t")]
    time: Time,
    #[serde(rename = "z")]
    tape: &'a str,
}

/// A time of MessagePack.
#[derive(Deserialize)]
#[serde(rename = "_ExtStruct")]
struct Stamp<'a>(#[serde(borrow)] (i8, &'a [u8]));

/// The sum that all must agree on.
#[derive(Default)]
struct Sum(u64);

impl Sum {
    fn add(&mut self, px: Px, size: u64) {
        self.0 = self.0.wrapping_add(px.0 as u64 ^ size << 40);
    }

    fn dollars(&mut self, px: f64, size: u64) {
        self.add(Px((px * Px::ONE as f64).round() as i64), size);
    }

    fn event(&mut self, event: &Event) {
        match event.kind {
            Kind::Trade => {
                let trade: &Trade = event.record();
                self.add(trade.px, trade.qty.0);
            }
            Kind::Quote => {
                let quote: &Quote = event.record();
                self.add(quote.bid_px, quote.bid_qty.0 / 100);
                self.add(quote.ask_px, quote.ask_qty.0 / 100);
            }
            _ => {}
        }
    }

    fn tagged(&mut self, message: &Tagged<'_>) {
        match message {
            Tagged::Trade(trade) => {
                black_box((trade.symbol, trade.id, trade.exchange, trade.time, trade.tape, &trade.conditions));
                self.dollars(trade.px, trade.size);
            }
            Tagged::Quote(quote) => {
                black_box((quote.symbol, quote.time, quote.tape));
                self.dollars(quote.bid, quote.bid_size);
                self.dollars(quote.ask, quote.ask_size);
            }
        }
    }

    fn one<T>(&mut self, of: &One<'_, T>) {
        black_box((of.symbol, of.id, of.exchange, &of.time, of.tape, &of.conditions));
        if of.kind == "q" {
            self.dollars(of.bid, of.bid_size);
            self.dollars(of.ask, of.ask_size);
        } else {
            self.dollars(of.px, of.size);
        }
    }
}

/// The frames of an encoding, or one of those who read them.
#[derive(Clone, Copy)]
enum Reader {
    Ours { is_text: bool },
    JsonByTag,
    JsonOneStruct,
    PackedOneStruct,
}

impl Reader {
    fn name(self) -> &'static str {
        match self {
            Reader::Ours { .. } => "tidegate",
            Reader::JsonByTag => "serde_json, by tag",
            Reader::JsonOneStruct => "serde_json, one struct",
            Reader::PackedOneStruct => "rmp-serde, one struct",
        }
    }

    fn read(self, frame: &[u8], ours: &mut Frames, sum: &mut Sum) {
        match self {
            Reader::Ours { is_text } => {
                let take = &mut |events: &[Event]| events.iter().for_each(|event| sum.event(event));
                ours.read(frame, is_text, AT, take).expect("the fake's own frames");
            }
            Reader::JsonByTag => {
                let all: Vec<Tagged<'_>> = serde_json::from_slice(frame).expect("JSON");
                all.iter().for_each(|message| sum.tagged(message));
            }
            Reader::JsonOneStruct => {
                let all: Vec<One<'_, &str>> = serde_json::from_slice(frame).expect("JSON");
                all.iter().for_each(|message| sum.one(message));
            }
            Reader::PackedOneStruct => {
                let all: Vec<One<'_, Stamp<'_>>> = rmp_serde::from_slice(frame).expect("MessagePack");
                all.iter().for_each(|message| {
                    black_box(message.time.0);
                    sum.one(message);
                });
            }
        }
    }

    fn run(self, frames: &[Vec<u8>]) -> Run {
        let (mut ours, mut sum) = (Frames::default(), Sum::default());
        let start = Instant::now();
        for frame in frames {
            self.read(black_box(frame), &mut ours, &mut sum);
        }
        Run { time: start.elapsed(), check: black_box(sum.0) }
    }
}

/// Trades and quotes of a made-up market. Prints that repeat another are no trades, so none is among them.
fn messages() -> Vec<Sent> {
    let mut market = Market::new(&SYMBOLS, 11);
    let told = (0..).flat_map(|n| market.next(Ns(AT.0 + n * 1_000_003)));
    told.filter(|sent| matches!(sent.body, Body::Trade { .. } | Body::Quote { .. })).take(MESSAGES).collect()
}

fn frames(messages: &[Sent], length: usize, is_text: bool) -> Vec<Vec<u8>> {
    let encoded = |chunk: &[Sent]| match is_text {
        true => serde_json::to_vec(chunk).expect("texts and numbers"),
        false => rmp_serde::to_vec_named(chunk).expect("texts and numbers"),
    };
    messages.chunks(length).map(encoded).collect()
}

/// The time of each message alone in its frame, in rounds in turn.
fn distribution(report: &mut Report, group: &str, readers: &[Reader], frames: &[Vec<u8>], rounds: usize) {
    let clock = Clock::new();
    let mut all: Vec<_> = readers.iter().map(|reader| (*reader, Frames::default(), histogram())).collect();
    for _ in 0..rounds {
        for (reader, ours, times) in &mut all {
            let mut sum = Sum::default();
            for frame in frames {
                let start = clock.raw();
                reader.read(black_box(frame), ours, &mut sum);
                times.saturating_record(clock.delta_as_nanos(start, clock.raw()).max(1));
            }
            black_box(sum.0);
        }
    }
    for (reader, _, times) in &all {
        let mut row = json!({ "group": group, "name": reader.name(), "messages": times.len() });
        for (name, quantile) in QUANTILES {
            row[name] = times.value_at_quantile(quantile).into();
        }
        row["mean_ns"] = ((times.mean() * 10.0).round() / 10.0).into();
        report.row(row);
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 1_000_000_000, 3).expect("bounds that are in order")
}

fn main() {
    let mut report = Report::new("alpaca");
    let messages = messages();
    let sets = [
        ("json", true, vec![Reader::Ours { is_text: true }, Reader::JsonOneStruct, Reader::JsonByTag]),
        ("msgpack", false, vec![Reader::Ours { is_text: false }, Reader::PackedOneStruct]),
    ];
    for (name, is_text, readers) in &sets {
        let many = frames(&messages, A_FRAME, *is_text);
        let bytes: usize = many.iter().map(Vec::len).sum();
        report.note(&format!("{name}: {} messages in {} frames, {bytes} bytes", messages.len(), many.len()));
        let mut contenders: Vec<_> =
            readers.iter().map(|reader| Contender::new(reader.name(), || reader.run(&many))).collect();
        compare(&mut report, &format!("alpaca {name}"), messages.len() as u64, count(41), &mut contenders);
        let alone = frames(&messages, 1, *is_text);
        distribution(&mut report, &format!("{name}, alone"), readers, &alone, count(21));
    }
}
