//! Inputs of every kind out of a few bytes: bodies are filled field by field from the table of kinds.

use super::play::{INSTRUMENTS, flags};
use flow::records::{Anomaly, Bust, Fill, Listing, Tick};
use flow::{
    Account, AnomalyKind, Definition, Event, Field, FieldType, Flags, Inputs, Kind, Mic, Ns, OrderId, Px,
    SOURCE_OPERATOR, SOURCE_RETURNS, Side, StrategyId, kind_info,
};

/// What a feed, a venue or an operator can bring; what comes often stands here more than once.
#[rustfmt::skip]
pub(crate) const INPUTS: &[Kind] = &[
    Kind::Add, Kind::Add, Kind::Add, Kind::Add, Kind::Add, Kind::Add, Kind::Add, Kind::Add,
    Kind::Exec, Kind::Exec, Kind::Exec, Kind::Cancel, Kind::Delete, Kind::Replace, Kind::Clear,
    Kind::Level, Kind::Level, Kind::Level, Kind::Quote, Kind::Trade, Kind::Trade, Kind::Trade, Kind::Break,
    Kind::Gap, Kind::Status, Kind::Tick, Kind::Tick, Kind::Listing, Kind::Contract, Kind::Name,
    Kind::Bar, Kind::BarFlow, Kind::Anomaly, Kind::EndOfInput, Kind::Command, Kind::Command, Kind::Halt,
    Kind::Refused, Kind::Sent, Kind::Ack, Kind::Fill, Kind::FillCost, Kind::Reject, Kind::Cancelled,
    Kind::Bust, Kind::Bust, Kind::Bust, Kind::DropCopy, Kind::OrderStatus,
];

/// Sixteen bytes that stand for an input.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    /// Its kind.
    pub(crate) what: u8,
    instrument: u8,
    time: u8,
    flags: [u8; 2],
    numbers: [u8; 11],
}

impl Step {
    /// The step of these bytes.
    pub(crate) fn of(bytes: &[u8; 16]) -> Step {
        let [what, instrument, time, low, high, numbers @ ..] = *bytes;
        Step { what, instrument, time, flags: [low, high], numbers }
    }

    /// How long after the one before: often not at all, sometimes for years.
    pub(crate) fn pause(self) -> u64 {
        match self.time {
            0..100 => 0,
            t @ 100..180 => u64::from(t) * 997,
            t @ 180..230 => u64::from(t) * 1_000_000,
            t @ 230..250 => u64::from(t - 229) * 3 * Ns::SECOND,
            250..254 => 86_400 * Ns::SECOND,
            254 => 400 * 86_400 * Ns::SECOND,
            255 => 40 * 366 * 86_400 * Ns::SECOND,
        }
    }

    fn instrument(self) -> u32 {
        match self.instrument {
            0 => 0,
            1 => 900,
            2 => INSTRUMENTS,
            3 => u32::MAX,
            n => 1 + u32::from(n) % if n < 40 { INSTRUMENTS - 1 } else { 3 },
        }
    }
}

/// What an input is made of.
pub(crate) struct Filling<'a> {
    /// The numbers.
    pub(crate) step: Step,
    /// Its kind.
    pub(crate) kind: Kind,
    /// Its time.
    pub(crate) now: Ns,
    /// Ids of orders of ours.
    pub(crate) ids: &'a [u64],
    /// The last fills of ours.
    pub(crate) fills: &'a [Event],
}

pub(crate) fn source_of(instrument: u32) -> u8 {
    1 + (instrument >= 4) as u8
}

/// The name and the listing of an instrument.
fn definition(instrument: u32, book: u8) -> Vec<Event> {
    let symbol = format!("S{instrument}");
    let (venue, calendar) = (Mic(*b"XTST"), Mic(*b"XNAS"));
    let definition = Definition { symbol, venue, calendar, multiplier: Px::ONE, ..Default::default() };
    let mut inputs = Inputs::with_capacity(0);
    definition.push(&mut inputs, Ns(1), instrument, 1);
    let mut events: Vec<_> = inputs.waiting().iter().map(|e| Event { source: source_of(instrument), ..*e }).collect();
    let listing = events.last_mut().expect("it ends with the listing").record_mut::<Listing>();
    (listing.book, listing.tick_px, listing.instrument_type) = (book, Px(Px::ONE / 100), 1);
    events
}

/// The listings that every sequence begins with.
pub(crate) fn opening(instrument: u32) -> Vec<Event> {
    definition(instrument, [2, 2, 1, 3][instrument as usize % 4])
}

/// The inputs of a step: one, or those that define a listing.
pub(crate) fn fill(filling: &Filling<'_>) -> Vec<Event> {
    let Filling { step, kind, .. } = *filling;
    let instrument = step.instrument();
    let book = step.numbers[0] % 4;
    match kind {
        Kind::Listing | Kind::Name if instrument == 0 => Vec::new(),
        // A name is of no use without its listing, and a listing comes after its name.
        Kind::Name => definition(instrument, book),
        Kind::Listing => {
            let mut events = definition(instrument, book);
            let listing = events.last_mut().expect("it ends with the listing");
            let (venue, underlying) = (listing.record::<Listing>().venue, 0);
            listing.body = body(filling);
            let record = listing.record_mut::<Listing>();
            (record.venue, record.underlying) = (venue, underlying);
            events
        }
        Kind::Tick => {
            let first = 1 + u32::from(step.numbers[0]) % (INSTRUMENTS - 1);
            let last = first + u32::from(step.numbers[1]) % (INSTRUMENTS - first);
            vec![Event::new(
                Ns(0),
                0,
                Flags::LAST_OF_GROUP,
                &Tick { first, last, interval_s: 60, ..Default::default() },
            )]
        }
        // They end what makes a sequence interesting: rarely.
        Kind::EndOfInput if step.numbers[0] != 1 => Vec::new(),
        Kind::Halt if step.numbers[0] > 9 => Vec::new(),
        Kind::Anomaly => {
            let mut event = plain(filling, instrument);
            let what = AnomalyKind::ALL[usize::from(step.numbers[10]) % AnomalyKind::ALL.len()];
            event.record_mut::<Anomaly>().what = what as u16;
            vec![event]
        }
        Kind::Bust => vec![bust(filling, instrument)],
        Kind::Fill if step.numbers[9] < 60 => vec![like(filling, instrument)],
        _ => vec![plain(filling, instrument)],
    }
}

/// One of the last fills.
fn one_of<'a>(filling: &Filling<'a>) -> Option<&'a Event> {
    filling.fills.iter().rev().nth(usize::from(filling.step.numbers[8] % 8))
}

/// A bust, mostly of one of the last fills.
fn bust(filling: &Filling<'_>, instrument: u32) -> Event {
    let plain = plain(filling, instrument);
    let Some(of) = one_of(filling).filter(|_| filling.step.numbers[9] < 230) else { return plain };
    let Fill { order_id, match_id, px, qty, .. } = *of.record();
    let record = Bust { order_id, match_id, px, qty, fee: plain.record::<Bust>().fee };
    Event { source: SOURCE_RETURNS, ..Event::new(Ns(0), of.instrument, of.flags, &record) }
}

/// A fill with the name of one of the last: its correction, if that was busted.
fn like(filling: &Filling<'_>, instrument: u32) -> Event {
    let mut plain = plain(filling, instrument);
    let Some(of) = one_of(filling) else { return plain };
    let Fill { order_id, match_id, .. } = *of.record();
    (plain.instrument, plain.flags) = (of.instrument, of.flags);
    let fill: &mut Fill = plain.record_mut();
    (fill.order_id, fill.match_id) = (order_id, match_id);
    plain
}

fn plain(filling: &Filling<'_>, instrument: u32) -> Event {
    let Filling { step, kind, .. } = *filling;
    let source = match kind {
        Kind::Command | Kind::Halt => SOURCE_OPERATOR,
        Kind::Refused
        | Kind::Sent
        | Kind::Ack
        | Kind::Fill
        | Kind::FillCost
        | Kind::Reject
        | Kind::Cancelled
        | Kind::Bust
        | Kind::DropCopy
        | Kind::OrderStatus => SOURCE_RETURNS,
        _ => source_of(instrument),
    };
    let blank = Event::new(Ns(0), instrument, flags(step.flags), &Tick::default());
    Event { kind, source, body: body(filling), ..blank }
}

fn body(filling: &Filling<'_>) -> [u8; 40] {
    let mut body = [0; 40];
    let fields = kind_info(filling.kind).expect("every input has a kind").fields;
    for (field, number) in fields.iter().zip(filling.step.numbers.iter().cycle()) {
        let word = word(filling, field, *number).to_le_bytes();
        let at = field.offset - 24;
        if field.size <= 8 {
            body[at..at + field.size].copy_from_slice(&word[..field.size]);
        }
    }
    body
}

fn id(account: u8, strategy: u16, counter: u64) -> u64 {
    OrderId::new(Account(account), StrategyId(strategy), counter).0
}

/// A field's content.
fn word(filling: &Filling<'_>, field: &Field, number: u8) -> u64 {
    let n = u64::from(number);
    match (field.ty, field.name) {
        (FieldType::Step, _) if number < 230 => Px::ONE as u64 / 100,
        (FieldType::Price | FieldType::Average, _) => px(number, filling.step.flags[0] & 3 == Side::Buy as u8) as u64,
        (FieldType::Qty, _) => match number {
            255 => u64::MAX,
            254 => 1 << 63,
            253 => 1 << 40,
            _ => n % 9 * 50,
        },
        (FieldType::TimeNs, _) => match number {
            255 => u64::MAX,
            0 => 0,
            _ => filling.now.0.saturating_sub(n % 3),
        },
        (FieldType::Text, "calendar") => text([*b"XNAS", *b"XCME", *b"----", *b"XXXX"][usize::from(number % 4)]),
        (FieldType::Text, _) => text([*b"H   ", *b"T   ", *b"2   ", *b"7   "][usize::from(number % 4)]),
        (FieldType::Float, _) => [0.5, -1.0, f64::NAN, f64::INFINITY][usize::from(number % 4)].to_bits(),
        (FieldType::Step | FieldType::Factor | FieldType::Nano | FieldType::Money | FieldType::Int, _) => {
            match number {
                255 => i64::MAX as u64,
                254 => i64::MIN as u64,
                253 => (-Px::ONE) as u64,
                0..40 => n,
                _ => Px::ONE as u64,
            }
        }
        (_, "order_id" | "replaces" | "new_id") => match number {
            0..60 => filling.ids.last().copied().unwrap_or_default(),
            250.. => [0, u64::MAX, id(1, 3, 1 << 30), id(9, 9, 1)][usize::from(number % 4)],
            _ => filling.ids.iter().rev().nth(usize::from(number % 8)).copied().unwrap_or_default(),
        },
        (_, "order_ref" | "new_ref") => n % 20,
        // Halts are rare, what ends them is not.
        (_, "action") if filling.kind == Kind::Command => [2, 3, 2, 4, 2, 5, 2, 6, 2, n][usize::from(number % 10)],
        _ if number == 255 => u64::MAX,
        _ if field.size == 1 => n % 6,
        _ => n % 12,
    }
}

/// A price: bids and offers overlap in one place.
fn px(number: u8, bid: bool) -> i64 {
    match number {
        0 => i64::MAX,
        1 => -5,
        2 => 0,
        3 => i64::MIN,
        4 => i64::MAX - 1,
        5 => 1,
        n => 100 * Px::ONE + (i64::from(n % 5) - if bid { 4 } else { 0 }) * Px::ONE / 100,
    }
}

fn text(four: [u8; 4]) -> u64 {
    u32::from_le_bytes(four).into()
}
