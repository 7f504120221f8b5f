//! The whole pipeline: decoding, merge, books, bars, tail; fused on one core, and split in two over each ring.
//!
//! The bytes are in memory and decoded by the ingress's own thread, so no reader stands before the pipeline; the tail hashes
//! the outcomes as always. Time runs from the first poll of the source until the end of input has reached the tail, so
//! the start and the end of threads are not in it. The fused pipeline and both split ones must give the same outcomes.
//!
//! Rivals: `by hand` calls the same stages in a plain loop, without merge, ids, meter, ticks and tail: what the pipeline
//! costs is the difference. `std collections` is the naive book and naive bars behind the same decoder, on one thread,
//! and with a bounded channel of crossbeam between decoding and books. Naive bars close by trades alone.
//!
//! `stages` lets the fused pipeline grow by one stage after the other; `cuts` puts a longer pipeline on one core and on two, cut
//! at one place or another, which is what a preset decides.

use benches::alone::settings;
use benches::fused::{self, INSTRUMENTS};
use benches::market::{Market, Numbering, decode, queue};
use benches::naive;
use benches::report::Report;
use benches::rounds::{Contender, Run, compare, count};
use feeds::itch::ItchDecoder;
use flow::{Event, Kind, Kinds, Out, Params, Stage};
use ring::thread::spawn_pinned;
use stages::{STAGES, Space};
use std::hint::black_box;
use std::time::{Duration, Instant};
use tidegate::config::Settings;

const MESSAGES: u64 = 1_000_000;

/// That of the binary.
#[global_allocator]
static ALLOCATOR: tidegate::os::Allocator = tidegate::os::Allocator;

/// Runs the pipeline once; the check is of the outcomes' hash.
fn pipeline(market: &Market, settings: &Settings) -> Run {
    fused::pipeline(Box::new(ItchDecoder::new(None)), market.window().into(), settings)
}

/// The same stages called one after the other, for the same kinds.
fn by_hand(market: &Market) -> Duration {
    let build = |name| {
        let entry = flow::find(STAGES, name).expect("it is registered");
        (entry.build)(
            &Params::defaults(entry.params),
            Space { instruments: INSTRUMENTS, fills: 65_536, positions: 16_384 },
        )
        .expect("the defaults are valid")
    };
    let (mut book, mut bars): (Box<dyn Stage>, Box<dyn Stage>) = (build("book"), build("bars"));
    let wanted = Kinds::of(&[Kind::Trade, Kind::BookTop, Kind::Bar, Kind::BarFlow, Kind::Anomaly]);
    let (mut from_book, mut from_bars) = (Out::new(1, wanted), Out::new(2, wanted));
    let (mut decoder, mut windows, mut queue) = (ItchDecoder::new(None), market.window(), queue());
    let (book_reads, bars_reads) = (book.reads(), bars.reads());
    let (mut numbering, mut emitted) = (Numbering::default(), 0u64);
    let start = Instant::now();
    decode(&mut decoder, &mut windows, &mut queue, |event, lookahead| {
        book.prefetch(lookahead);
        let event = numbering.next(event);
        from_book.begin(&event);
        if book_reads.has(event.kind) {
            book.on_event(&event, &mut from_book);
        }
        for event in std::iter::once(&event).chain(from_book.events()) {
            if bars_reads.has(event.kind) {
                from_bars.begin(event);
                bars.on_event(event, &mut from_bars);
                emitted += from_bars.events().len() as u64;
            }
        }
        emitted += from_book.events().len() as u64;
    });
    black_box(emitted);
    start.elapsed()
}

/// The naive book and bars; a sum over what they emit.
struct Naive {
    books: naive::Books,
    bars: naive::Bars,
    sum: u64,
}

impl Naive {
    fn new() -> Naive {
        Naive { books: naive::Books::default(), bars: naive::Bars::new(60), sum: 0 }
    }

    fn on_event(&mut self, event: &Event) {
        let emitted = self.books.on_event(event);
        if let Some((bid, ..)) = emitted.top {
            self.sum = self.sum.wrapping_add(bid.0 as u64);
        }
        if let Some((px, qty)) = emitted.trade {
            let closed = self.bars.trade(event.instrument, event.ts.0, px, qty);
            self.sum = self.sum.wrapping_add(closed.unwrap_or(0));
        }
    }
}

fn naively(market: &Market) -> Duration {
    let (mut decoder, mut windows, mut queue) = (ItchDecoder::new(None), market.window(), queue());
    let mut naive = Naive::new();
    let start = Instant::now();
    decode(&mut decoder, &mut windows, &mut queue, |event, _| naive.on_event(event));
    black_box(naive.sum);
    start.elapsed()
}

fn over_a_channel(market: &Market) -> Duration {
    let (sender, receiver) = crossbeam_channel::bounded::<Event>(16_384);
    let books = spawn_pinned("books", Some(1), move || {
        let mut naive = Naive::new();
        receiver.iter().for_each(|event| naive.on_event(&event));
        black_box(naive.sum);
        Instant::now()
    });
    let mut windows = market.window();
    let decoding = spawn_pinned("decoding", Some(0), move || {
        let (mut decoder, mut queue) = (ItchDecoder::new(None), queue());
        let start = Instant::now();
        decode(&mut decoder, &mut windows, &mut queue, |event, _| sender.send(*event).expect("the books listen"));
        start
    });
    let start = decoding.expect("the core exists").join().expect("it does not panic");
    books.expect("the core exists").join().expect("it does not panic") - start
}

/// The pipeline with one stage more each time.
const GROWING: [(&str, &str); 5] = [
    ("book", "book"),
    ("bars", "book,bars"),
    ("cvd", "book,bars,cvd"),
    ("vpin", "book,bars,cvd,vpin"),
    ("imbalance", "book,bars,cvd,vpin,imbalance"),
];

fn growing(report: &mut Report, market: &Market) {
    let pipelines = GROWING.map(|(name, stages)| {
        (name, settings(&["pipeline.preset=fused", "pipeline.cores=0", &format!("pipeline.stages={stages}")]))
    });
    let ran = |settings| Run { check: 0, ..pipeline(market, settings) };
    let mut contenders: Vec<_> = pipelines.iter().map(|(name, with)| Contender::new(name, || ran(with))).collect();
    compare(report, "stages, and", market.messages, count(11), &mut contenders);
}

/// Where the longest of them is cut; the name gives the number of cores.
const CUTS: [(&str, &str); 5] = [
    ("1 core, fused", ""),
    ("2 cores, cut before book", "book"),
    ("2 cores, cut before bars", "bars"),
    ("2 cores, cut before imbalance", "imbalance"),
    ("2 cores, cut before tail", "tail"),
];

fn cut(report: &mut Report, market: &Market) {
    let stages = format!("pipeline.stages={}", GROWING[GROWING.len() - 1].1);
    let pipelines = CUTS.map(|(name, cuts)| match cuts {
        "" => (name, settings(&["pipeline.preset=fused", "pipeline.cores=0", &stages])),
        cuts => {
            (name, settings(&["pipeline.preset=cuts", "pipeline.cores=0,1", &stages, &format!("pipeline.cuts={cuts}")]))
        }
    });
    let mut contenders: Vec<_> =
        pipelines.iter().map(|(name, with)| Contender::new(name, || pipeline(market, with))).collect();
    compare(report, "cuts", market.messages, count(11), &mut contenders);
}

fn main() {
    let market = Market::new(MESSAGES, 200, 20_000);
    let mut report = Report::new("pipeline");
    let fused = settings(&["pipeline.preset=fused", "pipeline.cores=0"]);
    let with_line = settings(&["pipeline.preset=split", "pipeline.ring=phase", "pipeline.cores=0,1"]);
    let with_disruptor = settings(&["pipeline.preset=split", "pipeline.ring=disruptor", "pipeline.cores=0,1"]);
    let check = pipeline(&market, &fused).check;
    let rival = |time| Run { time, check };
    let mut contenders = vec![
        Contender::new("fused", || pipeline(&market, &fused)),
        Contender::new("by hand", || rival(by_hand(&market))),
        Contender::new("std collections", || rival(naively(&market))),
    ];
    if ring::thread::cores().len() > 1 {
        contenders.push(Contender::new("split, pipeline", || pipeline(&market, &with_line)));
        contenders.push(Contender::new("split, disruptor", || pipeline(&market, &with_disruptor)));
        contenders.push(Contender::new("std collections, channel", || rival(over_a_channel(&market))));
    }
    compare(&mut report, "pipeline", market.messages, count(15), &mut contenders);
    drop(contenders);
    growing(&mut report, &market);
    if ring::thread::cores().len() > 1 {
        cut(&mut report, &market);
    }
}
