//! The file: the same for the same seed, exactly as long as configured, and consistent with the exchange's own books.

use super::naive::Naive;
use super::{bytes_of, config};
use feeds::synthetic::{Synthetic, SyntheticConfig, TopOfBook};
use proptest::prelude::*;
use std::io::Read;
use std::sync::{Arc, Mutex};

#[test]
fn a_seed_produces_the_same_bytes_for_ever() {
    let bytes = bytes_of(&config(42, 50_000, 40, 2_000));
    let hash = blake3::hash(&bytes).to_hex();
    assert_eq!(
        hash.as_str(),
        "523efffbd20624c9fbf02cee37993b8dd3d9faec0c5338c379d4351850644399",
        "the synthetic day changed"
    );
    assert_ne!(bytes, bytes_of(&config(43, 50_000, 40, 2_000)));
}

#[test]
fn how_it_is_read_makes_no_difference() {
    let day = config(7, 20_000, 12, 500);
    let whole = bytes_of(&day);
    let (mut pieces, mut piece, mut size) = (Vec::new(), vec![0; 8_192], 1);
    let mut synthetic = Synthetic::new(&day).expect("valid");
    loop {
        let n = synthetic.read(&mut piece[..size]).expect("no IO");
        if n == 0 {
            break;
        }
        pieces.extend_from_slice(&piece[..n]);
        size = size * 7 % 8_191 + 1;
    }
    assert!(pieces == whole);
    let (mut written, mut told) = (Vec::new(), 0);
    let mut synthetic = Synthetic::new(&day).expect("valid");
    let bytes = synthetic.write_to(&mut written, |messages| told = messages).expect("no IO");
    assert!(written == whole && bytes == whole.len() as u64 && told == 20_000);
}

/// Reads a day twice, from its bytes and from the exchange's observer, and compares after every message.
fn agree(day: &SyntheticConfig) -> Naive {
    let told = Arc::new(Mutex::new(Vec::<TopOfBook>::new()));
    let to = Arc::clone(&told);
    let mut bytes = Vec::new();
    let mut synthetic = Synthetic::new(day).expect("valid").observe(move |t| to.lock().expect("whole").push(t));
    synthetic.read_to_end(&mut bytes).expect("no IO");
    let told = told.lock().expect("whole");
    assert_eq!(told.len() as u64, day.messages);
    let naive = Naive::read(&bytes, |number, locate, touch| {
        let t = told[number as usize - 1];
        let truth = (t.message_number, t.locate, (t.bid_px, t.bid_qty, t.ask_px, t.ask_qty));
        assert_eq!(truth, (number, locate, touch));
    });
    assert_eq!(naive.messages, day.messages, "exactly as many messages as asked for");
    assert_eq!(naive.live(), synthetic.live_orders() as usize);
    naive
}

#[test]
fn the_books_match_what_the_exchange_reports() {
    let naive = agree(&config(1, 200_000, 60, 5_000));
    assert_eq!(naive.counts.len(), 23, "every type of the protocol occurs: {:?}", naive.counts);
}

#[test]
fn many_symbols_and_many_orders() {
    let scale = if cfg!(debug_assertions) { 10 } else { 1 };
    let naive = agree(&config(5, 1_600_000 / scale, 8_000, 200_000 / scale as u32));
    assert_eq!(naive.by_locate.len(), 8_001);
    let live = naive.live() as f64 * scale as f64;
    assert!((190_000.0..210_000.0).contains(&live), "{live} orders rest at the end");
}

#[test]
fn the_shortest_day_of_any_size() {
    for symbols in [1, 2, 3, 50, 1_000] {
        agree(&config(2, SyntheticConfig::min_messages(symbols), symbols, 2 * symbols));
    }
}

#[test]
fn all_faults_are_rejected_at_once() {
    let refused = |c: SyntheticConfig| Synthetic::new(&c).err().expect("refused").to_string();
    assert!(refused(config(1, 10_000, 0, 100)).starts_with("symbols = 0: too few"));
    assert!(refused(config(1, 100_000, 8_001, 20_000)).contains("symbols = 8001: too many"));
    assert!(refused(config(1, 100_000, 10, 2_000_001)).contains("valid: 20 to 2000000"));
    assert!(refused(config(1, 1_000, 1_000, 5_000)).contains("messages = 1000: too few"));
    assert_eq!(refused(config(1, 0, 0, 0)).lines().count(), 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_configuration_is_a_valid_day(
        seed in any::<u64>(),
        symbols in 1u32..300,
        extra in 0u64..20_000,
        orders in 0u32..5_000,
    ) {
        let least = SyntheticConfig::min_messages(symbols);
        agree(&config(seed, least + extra, symbols, 2 * symbols + orders));
    }
}
