//! Trades for the measures of flow, and the days that they fall on.

use crate::harness::INSTRUMENTS;
use crate::stream::listing;
use flow::records::Trade;
use flow::{BookKind, Event, Flags, InstrumentType, Kind, Listings, Ns, Px, Qty, Side};
use proptest::prelude::*;

/// 2026-01-12 04:59:30 UTC: half a minute before midnight in New York.
const START: u64 = 1_768_193_970;

/// Seconds until the next trade, what it is, instrument and quantity.
type Step = (u32, u8, u8, u8);

/// Random trades, of which a few do not count, over three days or so.
pub(crate) fn trades() -> impl Strategy<Value = Vec<Event>> {
    let gap = prop_oneof![10 => 0..4_u32, 2 => 0..2_000_u32, 1 => 0..60_000_u32];
    let step = (gap, any::<u8>(), any::<u8>(), any::<u8>());
    prop::collection::vec(step, 1..200).prop_map(|steps: Vec<Step>| {
        let mut ts = START;
        let event = |(gap, what, instrument, qty): Step| {
            ts += u64::from(gap);
            let side = [Side::Buy, Side::Sell, Side::Buy, Side::Sell, Side::None][usize::from(what) % 5];
            let flags = if what >= 250 { Flags::SNAPSHOT } else { Flags::NONE };
            let px = if what == 249 { Px::NONE } else { Px(100) };
            let qty = if qty < 250 { u64::from(qty) % 23 } else { 200 };
            // Now and then the instrument 0, which is none, or one past the end.
            let instrument = if instrument == 255 { INSTRUMENTS } else { u32::from(instrument) % 5 };
            let trade = Trade { px, qty: Qty(qty), ..Default::default() };
            Event::new(Ns(ts * Ns::SECOND), instrument, flags.with_side(side), &trade)
        };
        steps.into_iter().map(event).collect()
    })
}

/// A trade that counts, with the numbers that matter; `None` for others.
pub(crate) fn counted(event: &Event) -> Option<(u32, u64, Side)> {
    let trade = event.get::<Trade>()?;
    let news = trade.qty.0 > 0 && trade.px != Px::NONE && !event.flags.has(Flags::SNAPSHOT);
    (news && (1..INSTRUMENTS).contains(&event.instrument)).then_some((event.instrument, trade.qty.0, event.side()))
}

/// The day of a time, counted up. Even instruments are New York's, five hours behind in winter.
pub(crate) fn day(instrument: u32, ts: Ns) -> u64 {
    let shift = if instrument.is_multiple_of(2) { 5 * 3_600 } else { 0 };
    (ts.0 / Ns::SECOND - shift) / 86_400
}

/// Listings of the instruments.
pub(crate) fn opening() -> (Vec<Event>, Listings) {
    let mut listings = Listings::default();
    let all: Vec<Event> = (1..5).flat_map(|i| listing(i, BookKind::None, InstrumentType::Equity)).collect();
    all.iter().for_each(|event| listings.observe(event));
    (all.into_iter().filter(|e| e.kind == Kind::Listing).collect(), listings)
}

/// A trade.
pub(crate) fn trade(instrument: u32, side: Side, qty: u64) -> Event {
    let trade = Trade { px: Px(1), qty: Qty(qty), ..Default::default() };
    Event::new(Ns(START * Ns::SECOND), instrument, Flags::side_only(side), &trade)
}
