//! From messages to inputs.
//!
//! A trade comes without its aggressor, which is inferred from the quote strictly before it ([`flow::SigningRule`]). A trade that is
//! taken back is a `break`; one that is corrected is a `break`, and the corrected trade as volume only, since its price was that of
//! an earlier moment. A trade is known by its exchange and its number there, which make its match number. A bar that comes again
//! corrects the first. What the pipeline has no kind for is counted and left out: indications, and the bar of a day that is not over.
//!
//! Bound: [`INSTRUMENTS`] symbols with a quote and a price each. Worst case: a symbol that is new, which is listed first.

use super::conditions::{self, Effect};
use super::message::{Message, Missing, Value};
use crate::bar::{self, Span};
use flow::records::{Bands, Bar, BarFlow, Break, Quote, Status, Trade, TradeVenue};
use flow::{
    BookKind, Count, Definition, Event, Flags, Inputs, InstrumentType, Mic, Ns, Px, Qty, Record, Signer, SigningRule,
    StatusKind,
};
use std::collections::BTreeMap;

/// Local instruments are below this.
pub(super) const INSTRUMENTS: u32 = 1 << 14;
/// Above this many bits of a trade's number stands the letter of its exchange.
const NUMBER_BITS: u32 = 56;
const MINUTE_S: u32 = 60;

/// What the numbers of a quote count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QuoteSizes {
    Shares,
    RoundLots,
}

/// How messages are translated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    pub(super) venue: Mic,
    pub(super) rule: SigningRule,
    pub(super) quote_sizes: QuoteSizes,
    pub(super) says_venues: bool,
}

struct Instrument {
    local: u32,
    signer: Signer,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    trades: u64,
    quotes: u64,
    bars: u64,
    corrected_bars: u64,
    statuses: u64,
    bands: u64,
    taken_back: u64,
    corrected: u64,
    volume_only: u64,
    repeated: u64,
    unknown_conditions: u64,
    left_out: u64,
    invalid: u64,
    over_bound: u64,
}

/// Translates the messages of one connection after the other.
pub(super) struct Translator {
    manner: Manner,
    instruments: BTreeMap<String, Instrument>,
    tally: Tally,
}

impl Translator {
    pub(super) fn new(manner: Manner) -> Translator {
        Translator { manner, instruments: BTreeMap::new(), tally: Tally::default() }
    }

    /// Lists a symbol, if it is not listed yet.
    pub(super) fn list(&mut self, symbol: &str, due: Ns, to: &mut Inputs) {
        let local = self.instruments.len() as u32 + 1;
        if self.instruments.contains_key(symbol) || local >= INSTRUMENTS {
            return;
        }
        self.instruments.insert(symbol.to_owned(), Instrument { local, signer: Signer::default() });
        self.definition(symbol).push(to, due, local, 0);
    }

    /// The symbol that was listed last is not: its definition had no room on its way.
    pub(super) fn unlist(&mut self, symbol: &str) {
        self.instruments.remove(symbol);
    }

    fn definition(&self, symbol: &str) -> Definition {
        Definition {
            symbol: symbol.to_owned(),
            venue: self.manner.venue,
            calendar: Mic(*b"XNYS"),
            currency: *b"USD\0",
            instrument_type: InstrumentType::Equity,
            book: BookKind::Quotes,
            tick_px: Px::from_scaled(1, 2),
            price_decimals: 4,
            multiplier: Px::ONE,
            ..Definition::default()
        }
    }

    /// The connection is a new one: what was quoted may have changed meanwhile.
    pub(super) fn forget_quotes(&mut self) {
        self.instruments.values_mut().for_each(|instrument| instrument.signer.quote(Px::NONE, Px::NONE));
    }

    /// The inputs of a message, which arrived at `due`.
    ///
    /// # Errors
    /// When a field is missing or is not what it should be; there are no inputs then.
    pub(super) fn message(&mut self, message: &Message<'_>, due: Ns, to: &mut Inputs) -> Result<(), Missing> {
        let Some(kind) = message.letter() else { return Ok(()) };
        if !matches!(kind, 't' | 'q' | 'b' | 'u' | 's' | 'l' | 'c' | 'x') {
            self.tally.left_out += 1;
            return Ok(());
        }
        let missing = |field| Missing { kind, field };
        let symbol = Some(message.symbol.text()).filter(|s| !s.is_empty()).ok_or(missing("S"))?;
        let exchange_ts = message.t.time().ok_or(missing("t"))?;
        self.list(symbol, due, to);
        let Translator { manner, instruments, tally } = self;
        let Some(instrument) = instruments.get_mut(symbol) else {
            tally.over_bound += 1;
            return Ok(());
        };
        let mut one = One { message, kind, at: [due, exchange_ts], instrument, to };
        let told = match kind {
            't' => one.trade(manner, tally),
            'q' => one.quote(manner, tally),
            'b' | 'u' => one.bar(tally),
            's' => one.status(tally),
            'l' => one.bands(tally),
            'c' => one.corrected(tally),
            _ => one.taken_back(tally),
        };
        tally.invalid += u64::from(told.is_err());
        told
    }

    /// What came.
    pub(super) fn counts(&self) -> Vec<Count> {
        let Tally { trades, quotes, bars, corrected_bars, statuses, bands, taken_back, corrected, .. } = self.tally;
        let Tally { volume_only, repeated, unknown_conditions, left_out, invalid, over_bound, .. } = self.tally;
        let named = [
            ("trades", trades),
            ("quotes", quotes),
            ("bars", bars),
            ("bars corrected", corrected_bars),
            ("statuses", statuses),
            ("price bands", bands),
            ("trades taken back", taken_back),
            ("trades corrected", corrected),
            ("trades that are volume only", volume_only),
            ("trades that repeat another", repeated),
            ("unknown conditions", unknown_conditions),
            ("messages of other types", left_out),
            ("messages with a fault", invalid),
            ("messages of symbols over the bound", over_bound),
        ];
        named.map(|(name, count)| Count { name: name.to_owned(), count }).into()
    }
}

/// A message of an instrument.
struct One<'m, 'a> {
    message: &'m Message<'a>,
    kind: char,
    at: [Ns; 2],
    instrument: &'m mut Instrument,
    to: &'m mut Inputs,
}

impl One<'_, '_> {
    fn push<R: Record>(&mut self, flags: Flags, record: &R) {
        self.to.push(Event::new(self.at[0], self.instrument.local, flags, record), 0);
    }

    fn missing(&self, field: &'static str) -> Missing {
        Missing { kind: self.kind, field }
    }

    fn px(&self, value: &Value<'_>, field: &'static str) -> Result<Px, Missing> {
        value.px().filter(|px| px.0 > 0).ok_or(self.missing(field))
    }

    fn qty(&self, value: &Value<'_>, field: &'static str) -> Result<Qty, Missing> {
        value.qty().ok_or(self.missing(field))
    }

    /// A trade's number: unique at its exchange, so the exchange is part of it. 0 if it has none that fits.
    fn match_id(&self, number: &Value<'_>) -> u64 {
        let exchange = self.message.x.text().bytes().next().unwrap_or(0);
        let number = number.whole().filter(|number| number >> NUMBER_BITS == 0);
        number.map_or(0, |number| u64::from(exchange) << NUMBER_BITS | number)
    }

    fn print(&self, conditions: &Value<'_>, tally: &mut Tally) -> conditions::Print {
        let Value::Conditions(codes) = conditions else {
            return conditions::Print { effect: Effect::Regular, unknown: 0 };
        };
        let print = conditions::print(self.message.tape(), codes);
        tally.unknown_conditions += u64::from(print.unknown);
        print
    }

    fn trade(&mut self, manner: &Manner, tally: &mut Tally) -> Result<(), Missing> {
        let (px, qty) = (self.px(&self.message.p, "p")?, self.qty(&self.message.s, "s")?);
        let print = self.print(&self.message.c, tally);
        if print.effect == Effect::Repeated {
            tally.repeated += 1;
            return Ok(());
        }
        tally.trades += 1;
        let mut flags = print.flags();
        // A print that makes no price is no price for the next one either, and an auction has no aggressor.
        if flags.has(Flags::VOLUME_ONLY) {
            tally.volume_only += 1;
        } else {
            let signed = self.instrument.signer.trade(px).flags(manner.rule);
            flags = if flags.has(Flags::AUCTION) { flags } else { flags.with(signed) };
        }
        let [_, exchange_ts] = self.at;
        let exchange = self.message.x.text();
        if manner.says_venues && !exchange.is_empty() && exchange.len() <= 24 {
            let mut said = TradeVenue { exchange_ts, ..TradeVenue::default() };
            said.venue[..exchange.len()].copy_from_slice(exchange.as_bytes());
            self.push(Flags::NONE, &said);
        }
        let match_id = self.match_id(&self.message.i);
        let trade = Trade { exchange_ts, px, qty, match_id, ..Trade::default() };
        self.push(flags.with(Flags::LAST_OF_GROUP), &trade);
        Ok(())
    }

    fn quote(&mut self, manner: &Manner, tally: &mut Tally) -> Result<(), Missing> {
        let unit = match manner.quote_sizes {
            QuoteSizes::Shares => 1,
            QuoteSizes::RoundLots => 100,
        };
        // A side without an order has the price 0.
        let side = |px: &Value<'_>, qty: &Value<'_>, field: &'static str| {
            let px = px.px().ok_or(self.missing(field))?;
            let qty = self.qty(qty, field)?;
            Ok(if px.0 > 0 { (px, Qty(qty.0 * unit)) } else { (Px::NONE, Qty(0)) })
        };
        let (bid_px, bid_qty) = side(&self.message.bp, &self.message.bs, "bp, bs")?;
        let (ask_px, ask_qty) = side(&self.message.ap, &self.message.as_, "ap, as")?;
        tally.quotes += 1;
        self.instrument.signer.quote(bid_px, ask_px);
        let quote = Quote { exchange_ts: self.at[1], bid_px, bid_qty, ask_px, ask_qty };
        self.push(Flags::LAST_OF_GROUP, &quote);
        Ok(())
    }

    /// A bar of a minute is known at its end, when it comes. It comes again, half a minute later, if trades of it came late.
    fn bar(&mut self, tally: &mut Tally) -> Result<(), Missing> {
        let Message { o, h, l, c, v, .. } = self.message;
        let (open, high, low, close) = (self.px(o, "o")?, self.px(h, "h")?, self.px(l, "l")?, self.px(c, "c")?);
        let volume = self.qty(v, "v")?;
        let start_s = i64::try_from(self.at[1].0 / Ns::SECOND).ok();
        let span = start_s.and_then(|start| Span::starting(start, MINUTE_S)).ok_or(self.missing("t"))?;
        let vwap = self.message.vw.px().filter(|px| px.0 > 0).unwrap_or(Px::NONE);
        let trades = self.message.n.whole().and_then(|n| u32::try_from(n).ok()).unwrap_or(BarFlow::UNKNOWN.trades);
        let flow = BarFlow { volume, vwap, trades, interval_s: span.interval_s, ..BarFlow::UNKNOWN };
        let bar = Bar { open, high, low, close, start_s: span.start_s, interval_s: span.interval_s };
        let is_again = self.kind == 'u';
        *if is_again { &mut tally.corrected_bars } else { &mut tally.bars } += 1;
        let push = if is_again { bar::push_corrected } else { bar::push };
        push(self.to, self.at[0], self.instrument.local, &bar, &flow, 0);
        Ok(())
    }

    /// A halt, by the letters of tape C; what tapes A and B say with digits is said with these letters.
    fn status(&mut self, tally: &mut Tally) -> Result<(), Missing> {
        let (what, letter) = match (self.message.tape(), self.message.sc.text()) {
            ('C' | 'O', code @ ("H" | "Q" | "T" | "P")) => (StatusKind::Trading, code),
            (_, "2") => (StatusKind::Trading, "H"),
            (_, "3") => (StatusKind::Trading, "T"),
            (_, "E") => (StatusKind::ShortSale, "E"),
            (_, "") => return Err(self.missing("sc")),
            _ => {
                tally.left_out += 1;
                return Ok(());
            }
        };
        tally.statuses += 1;
        let mut status = Status { exchange_ts: self.at[1], what: what.code(), ..Status::default() };
        status.code[..letter.len()].copy_from_slice(letter.as_bytes());
        let reason = self.message.rc.text().as_bytes();
        let kept = reason.len().min(status.reason.len());
        status.reason[..kept].copy_from_slice(&reason[..kept]);
        self.push(Flags::LAST_OF_GROUP, &status);
        Ok(())
    }

    /// Limit up and limit down. A side without a limit has the price 0.
    fn bands(&mut self, tally: &mut Tally) -> Result<(), Missing> {
        let side =
            |px: &Value<'_>, field| px.px().map(|px| if px.0 > 0 { px } else { Px::NONE }).ok_or(self.missing(field));
        let (limit_up_px, limit_down_px) = (side(&self.message.u, "u")?, side(&self.message.d, "d")?);
        tally.bands += 1;
        let mut bands = Bands { exchange_ts: self.at[1], limit_up_px, limit_down_px, ..Bands::default() };
        for (kept, said) in [(&mut bands.indicator, &self.message.i), (&mut bands.tape, &self.message.z)] {
            let text = said.text().as_bytes();
            let length = text.len().min(kept.len());
            kept[..length].copy_from_slice(&text[..length]);
        }
        self.push(Flags::LAST_OF_GROUP, &bands);
        Ok(())
    }

    fn taken_back(&mut self, tally: &mut Tally) -> Result<(), Missing> {
        let match_id = self.match_id(&self.message.i);
        if match_id == 0 {
            return Err(self.missing("i"));
        }
        tally.taken_back += 1;
        self.push(Flags::LAST_OF_GROUP, &Break { exchange_ts: self.at[1], match_id, ..Break::default() });
        Ok(())
    }

    fn corrected(&mut self, tally: &mut Tally) -> Result<(), Missing> {
        let old = self.match_id(&self.message.oi);
        if old == 0 {
            return Err(self.missing("oi"));
        }
        let (px, qty) = (self.px(&self.message.cp, "cp")?, self.qty(&self.message.cs, "cs")?);
        let exchange_ts = self.at[1];
        tally.corrected += 1;
        self.push(Flags::NONE, &Break { exchange_ts, match_id: old, ..Break::default() });
        let match_id = self.match_id(&self.message.ci);
        let trade = Trade { exchange_ts, px, qty, match_id, ..Trade::default() };
        self.push(Flags::VOLUME_ONLY.with(Flags::LAST_OF_GROUP), &trade);
        Ok(())
    }
}
