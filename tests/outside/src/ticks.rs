//! A feed of files: lines of time in nanoseconds since 1970, price and quantity of a trade, such as `1579000000000000000 10.25 100`.
//!
//! Bound: one line. Worst case: a line longer than the window, which is an error.

use feeds::{Feed, Files, FindError, Open, OpenError, Opened, Request};
use flow::records::Trade;
use flow::{Count, Decoder, Definition, Event, FeedError, Flags, Inputs, Ns, Px, Qty, Step, TextParam, Window};
use std::fs::File;

const SYMBOL: TextParam = TextParam::new("symbol", "TICK", "Symbol of the trades");

/// The entry.
pub const FEED: Feed = Feed {
    name: "ticks",
    doc: "tests/outside/src/ticks.rs",
    about: "Trades as lines of text",
    params: &[SYMBOL.param()],
    open: Open::Bytes { files: Files::OneADay, recognise: |head| line(head).is_some(), find },
};

/// The first line, and its length with the line feed.
fn line(bytes: &[u8]) -> Option<(Trade, usize)> {
    let length = bytes.iter().position(|byte| *byte == b'\n')?;
    let text = std::str::from_utf8(&bytes[..length]).ok()?;
    let mut fields = text.split(' ');
    let (time, px, qty) = (fields.next()?.parse().ok()?, fields.next()?, fields.next()?.parse().ok()?);
    let (whole, cents) = px.split_once('.')?;
    let cents = whole.parse::<i64>().ok()? * 100 + cents.parse::<i64>().ok().filter(|_| cents.len() == 2)?;
    let trade = Trade { exchange_ts: Ns(time), px: Px::from_scaled(cents, 2), qty: Qty(qty), ..Trade::default() };
    fields.next().is_none().then_some((trade, length + 1))
}

fn find(request: &Request) -> Result<Opened, FindError> {
    let path = request.paths.first().expect("one file a day");
    let file = File::open(path).map_err(|error| OpenError {
        what: format!("{} cannot be opened: {error}", path.display()),
        next: "name a file that can be read".to_owned(),
    })?;
    let decoder = Box::new(Ticks { symbol: request.params.get(SYMBOL).to_owned(), records: 0 });
    let (name, streams) = (path.display().to_string(), vec![Box::new(file) as Box<dyn std::io::Read + Send>]);
    Ok(Opened { name, warnings: Vec::new(), decoder, streams, memory: 0, part: None })
}

struct Ticks {
    symbol: String,
    records: u64,
}

impl Decoder for Ticks {
    fn decode(&mut self, windows: &mut [Window], to: &mut Inputs) -> Result<Step, FeedError> {
        let [window] = windows else { unreachable!("it has one stream") };
        while to.has_room() {
            let Some((trade, length)) = line(window.bytes()) else {
                let wrong = window.bytes().contains(&b'\n') || window.ended() && !window.bytes().is_empty();
                if wrong {
                    let (what, next) = ("this is no trade".to_owned(), "write time, price and quantity");
                    return Err(FeedError { what, offset: window.offset(), record: self.records + 1, next });
                }
                return Ok(if window.ended() { Step::Ended } else { Step::Starved });
            };
            if self.records == 0 {
                let symbol = self.symbol.clone();
                let definition = Definition { symbol, multiplier: Px::ONE, tick_px: Px::from_scaled(1, 2), ..Definition::default() };
                definition.push(to, trade.exchange_ts, 1, 1);
            }
            window.consume(length);
            self.records += 1;
            to.push(Event::new(trade.exchange_ts, 1, Flags::LAST_OF_GROUP, &trade), self.records);
        }
        Ok(Step::Full)
    }

    fn instruments(&self) -> u32 {
        2
    }

    fn counts(&self) -> Vec<Count> {
        vec![Count { name: "trades".to_owned(), count: self.records }]
    }

    fn records(&self) -> u64 {
        self.records
    }
}
