//! The vendor's own transcript of a session, and trades of its history.

use feeds::alpaca::Frames;
use flow::records::{Quote, Trade};
use flow::{Event, Flags, Kind, Ns, Px, Qty, Side};
use libtest_mimic::Trial;
use std::path::PathBuf;

const TRANSCRIPT: &str = "alpaca/real-time-stock-pricing-data.md";

pub(crate) fn trials() -> Vec<Trial> {
    vec![crate::trial("alpaca_the_vendors_transcript".to_owned(), TRANSCRIPT, transcript)]
}

/// The lines that the client received.
fn transcript(path: PathBuf) {
    let text = std::fs::read_to_string(path).expect("text");
    let mut frames = Frames::default();
    let (mut lines, mut all) = (0, Vec::<Event>::new());
    for line in text.lines().filter_map(|line| line.strip_prefix("< ")) {
        lines += 1;
        frames.read(line.as_bytes(), true, Ns(1), &mut |inputs| all.extend_from_slice(inputs)).expect("a frame");
    }
    assert_eq!(lines, 6, "three of control, three of data");
    let kinds: Vec<_> = all.iter().map(|event| event.kind).collect();
    let listed = [Kind::Name, Kind::Listing];
    let expected = [&listed[..], &[Kind::Quote], &listed[..], &[Kind::Trade; 3], &[Kind::Quote]].concat();
    assert_eq!(kinds, expected);
    let quote: Quote = *all[2].record();
    let exchange_ts = Ns(1_680_782_061_670_905_508);
    let (bid_px, ask_px) = (Px::from_scaled(9_195, 2), Px::from_scaled(9_198, 2));
    assert_eq!(quote, Quote { exchange_ts, bid_px, bid_qty: Qty(200), ask_px, ask_qty: Qty(100) });
    let trades: Vec<_> = all.iter().filter(|e| e.kind == Kind::Trade).map(|e| *e.record::<Trade>()).collect();
    assert_eq!(trades.iter().map(|t| t.qty.0).collect::<Vec<_>>(), [3, 3, 71]);
    assert_eq!(trades.iter().map(|t| t.px.0 / 10_000_000).collect::<Vec<_>>(), [16_292, 16_292, 16_291]);
    assert_eq!(trades[2].exchange_ts, Ns(1_680_782_066_839_159_730));
    assert_eq!(trades[2].match_id, u64::from(b'P') << 56 | 1_465);
    let last = all.iter().rfind(|e| e.kind == Kind::Trade).expect("a trade");
    assert_eq!(last.flags.side(), Side::Sell, "below the price before");
    assert!(last.flags.has(Flags::INFERRED_AGGRESSOR) && !last.flags.has(Flags::BY_QUOTE));
}
