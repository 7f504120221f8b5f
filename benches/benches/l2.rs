//! Pre-decoded L2 rows: through the book alone, and through a pipeline that trades at the simulated venue.
//!
//! The rows are what the book of one symbol of the synthetic exchange emits: every level that changed with its new total,
//! and every trade. They stand in memory as inputs of a listing whose book is kept by level, before anything is timed. The
//! rival is a program of another language: `--serve FILE` writes the same rows for it, 64 bytes each, then reads `book` or
//! `pipeline` a line from its input, runs that once and answers with a line of JSON. So `hftbacktest/compare.py` can alternate
//! between both. Bound: two million messages of the exchange, about 130 MB.

use benches::market::{Market, Numbering, decode, queue};
use benches::report::Report;
use benches::rounds::{Contender, Run, compare, count};
use feeds::itch::ItchDecoder;
use flow::records::{BookTop, Level, Listing, Trade};
use flow::{BookKind, Count, Event, FeedError, Inputs, Kind, Kinds, Out, Params, Polled, Px, Side, Source, Stage};
use serde_json::{Value, json};
use stages::Space;
use stages::book::{BookStage, PARAMS};
use std::fs::File;
use std::io::{BufRead, BufWriter, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tidegate::bench::pipeline::{End, Watch};
use tidegate::config::Settings;
use tidegate::run::{Options, execute_sources};
use tuning::Host;

/// That of the binary.
#[global_allocator]
static ALLOCATOR: tidegate::os::Allocator = tidegate::os::Allocator;

const MESSAGES: u64 = 2_000_000;
const LIVE_ORDERS: u32 = 2_000;
/// One order for so many changes of the top and trades.
const EVERY: u64 = 10;
/// Inputs that may come as the merge sees them: looked ahead at as far as a queue of the ingress holds.
const AHEAD: usize = 64;

/// What is measured on.
struct Rows {
    /// The inputs that define the listing.
    listing: Vec<Event>,
    /// Levels and trades, numbered.
    rows: Arc<Vec<Event>>,
}

impl Rows {
    /// What the book emits in a day of one symbol; auctions have no side, and stay out.
    fn new() -> Rows {
        let market = Market::new(MESSAGES, 1, LIVE_ORDERS);
        let mut told = Out::new(1, Kinds::of(&[Kind::Level, Kind::Trade]));
        let mut book = book();
        let (mut rows, mut listing) = (Vec::with_capacity(MESSAGES as usize + 100_000), Vec::new());
        let (mut decoder, mut numbering) = (ItchDecoder::new(None), Numbering::default());
        decode(&mut decoder, &mut market.window(), &mut queue(), |event, _| {
            let event = numbering.next(event);
            match event.kind {
                Kind::Name => listing.push(event),
                Kind::Listing => listing.push(by_level(event)),
                Kind::Trade => rows.extend((event.side() != Side::None).then_some(event)),
                _ => {}
            }
            told.begin(&event);
            book.on_event(&event, &mut told);
            rows.extend(told.events().iter().filter(|e| e.side() != Side::None));
        });
        let mut numbering = Numbering::default();
        listing.iter_mut().chain(&mut rows).for_each(|event| *event = numbering.next(event));
        Rows { listing, rows: Arc::new(rows) }
    }

    /// The rows as hftbacktest lays them out: kind, exchange's and local time, price, quantity, three fields unused here.
    fn write_to(&self, path: &str) -> std::io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        for row in self.rows.iter() {
            let (kind, px, qty) = match row.get::<Level>() {
                Some(level) => (1u64, level.px, level.qty),
                None => (2, row.record::<Trade>().px, row.record::<Trade>().qty),
            };
            let side = 1u64 << if row.side() == Side::Buy { 29 } else { 28 };
            let words =
                [kind | side | 3 << 30, row.ts.0, row.ts.0, decimal(px).to_bits(), (qty.0 as f64).to_bits(), 0, 0, 0];
            file.write_all(bytemuck::cast_slice(&words))?;
        }
        file.flush()
    }
}

fn decimal(px: Px) -> f64 {
    px.0 as f64 / Px::ONE as f64
}

fn by_level(mut listing: Event) -> Event {
    listing.record_mut::<Listing>().book = BookKind::ByLevel as u8;
    listing
}

fn book() -> BookStage {
    BookStage::new(&Params::defaults(PARAMS), Space { instruments: 16, fills: 16, positions: 64 })
}

/// What a pass ended with.
struct Ended {
    time: Duration,
    /// Changes of the top.
    tops: u64,
    last: BookTop,
}

/// Every row through the book, with the top emitted whenever a group changed it.
fn book_alone(day: &Rows) -> Ended {
    let (mut book, mut out) = (book(), Out::new(1, Kinds::of(&[Kind::BookTop])));
    for event in &day.listing {
        out.begin(event);
        book.on_event(event, &mut out);
    }
    let reads = book.reads();
    let mut ended = Ended { time: Duration::ZERO, tops: 0, last: BookTop::default() };
    let start = Instant::now();
    for row in day.rows.iter() {
        if reads.has(row.kind) {
            out.begin(row);
            book.on_event(row, &mut out);
            for told in out.events() {
                ended.tops += 1;
                ended.last = *told.record();
            }
        }
    }
    ended.time = start.elapsed();
    ended
}

/// The rows as a source.
struct Memory {
    rows: Arc<Vec<Event>>,
    listing: Vec<Event>,
    next: usize,
    watch: Watch,
}

impl Source for Memory {
    fn poll(&mut self, to: &mut Inputs) -> Result<Polled, FeedError> {
        self.watch.begin();
        for event in self.listing.drain(..) {
            to.push(event, 0);
        }
        let end = self.rows.len().min(self.next + AHEAD);
        for row in &self.rows[self.next..end] {
            self.next += 1;
            to.push(*row, self.next as u64);
        }
        Ok(if to.is_empty() { Polled::Ended } else { Polled::Ready })
    }

    fn instruments(&self) -> u32 {
        16
    }

    fn counts(&self) -> Vec<Count> {
        Vec::new()
    }
}

/// The whole pipeline on one core: ingress, book, a strategy that trades at random, orders, risk, router, tail, simulated venue.
fn trading(day: &Rows, every: u64) -> (Run, Value) {
    let mut settings = Settings::default();
    let every = format!("random.every={every}");
    for with in ["pipeline.preset=fused", "pipeline.stages=book,random,orders,risk,router", &every] {
        settings.set(with).expect("the assignment is valid");
    }
    let watch = Watch::default();
    let source = Memory { rows: Arc::clone(&day.rows), listing: day.listing.clone(), next: 0, watch: watch.clone() };
    let options = Options { sinks: vec![Box::new(End(watch.clone()))], ..Options::default() };
    let sources: Vec<(String, Box<dyn Source>)> = vec![("rows".to_owned(), Box::new(source))];
    let (report, error) = execute_sources(&settings, sources, options).expect("the pipeline can be built");
    assert!(error.is_none(), "the pipeline runs to its end: {error:?}");
    let check = u64::from_str_radix(&report.outcome_hash[..16], 16).expect("it is hexadecimal");
    let refused: u64 = report.refused.values().sum();
    let told = json!({ "events": report.events, "orders": report.orders, "fills": report.fills, "refused": refused, "outcome_hash": report.outcome_hash });
    (Run { time: watch.time().expect("it ran to its end"), check }, told)
}

/// Writes the rows, then runs what is asked for, once a line.
fn serve(day: &Rows, path: &str) -> std::io::Result<()> {
    day.write_to(path)?;
    let alone = book_alone(day);
    let trades = day.rows.iter().filter(|r| r.kind == Kind::Trade).count() as u64;
    let about = json!({ "bench": "l2", "host": Host::here(), "messages": day.rows.len(), "trades": trades, "chances": alone.tops + trades });
    println!("{about}");
    for asked in std::io::stdin().lock().lines() {
        let asked = asked?;
        let mut words = asked.split_whitespace();
        let answer = match (words.next(), words.next().and_then(|w| w.parse().ok())) {
            (Some("book"), _) => {
                let Ended { time, last, .. } = book_alone(day);
                let (bid, ask) = (decimal(last.bid_px), decimal(last.ask_px));
                json!({ "seconds": time.as_secs_f64(), "bid": bid, "ask": ask, "bid_qty": last.bid_qty.0, "ask_qty": last.ask_qty.0 })
            }
            (Some("pipeline"), every) => {
                let (run, mut told) = trading(day, every.unwrap_or(EVERY));
                told["seconds"] = json!(run.time.as_secs_f64());
                told
            }
            _ => json!({ "error": "ask for `book` or `pipeline EVERY`" }),
        };
        println!("{answer}");
    }
    Ok(())
}

fn main() -> std::io::Result<()> {
    let day = Rows::new();
    let mut arguments = std::env::args();
    if arguments.any(|a| a == "--serve") {
        return serve(&day, &arguments.next().expect("--serve FILE"));
    }
    let mut report = Report::new("l2");
    let units = day.rows.len() as u64;
    let mut alone = [Contender::new("book by level", || {
        let ended = book_alone(&day);
        Run { time: ended.time, check: ended.tops }
    })];
    compare(&mut report, "rows", units, count(21), &mut alone);
    let mut pipeline = [Contender::new("random, simulated venue", || trading(&day, EVERY).0)];
    compare(&mut report, "pipeline", units, count(5), &mut pipeline);
    Ok(())
}
