//! Sizes at which a structure that is quadratic somewhere would not come to an end.

use flow::{BookKind, Px, Side};
use stages::book::{Books, Keeping, Limits, Place};

fn books(instruments: u32, orders: u32, levels: u32) -> Books {
    let mut books = Books::new(Limits { instruments: instruments + 1, books: instruments, orders, levels });
    let keeping = Keeping { kind: BookKind::ByOrder, source: 1, signed: false, own_references: false };
    (1..=instruments).for_each(|i| books.list(i, keeping).unwrap());
    books
}

fn add(books: &mut Books, instrument: u32, reference: u64, px: u64) {
    let Place::Book(book) = books.place(instrument) else { panic!("not listed") };
    let side = if reference.is_multiple_of(2) { Side::Buy } else { Side::Sell };
    books.add(book, reference, side, Px(1 + px as i64), 1 + reference % 100).unwrap();
}

fn delete(books: &mut Books, instrument: u32, reference: u64) {
    let Place::Book(book) = books.place(instrument) else { panic!("not listed") };
    books.delete(book, reference).unwrap();
}

/// A number that jumps about; odd multipliers permute the 2^`bits` numbers.
fn scattered(i: u64, bits: u32) -> u64 {
    i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - bits)
}

#[test]
fn a_hundred_thousand_levels_on_one_symbol() {
    const N: u64 = 100_000;
    let orders: [fn(u64) -> u64; 3] = [|i| i, |i| N - i, |i| scattered(i, 24)];
    for px_of in orders {
        let mut books = books(1, N as u32, N as u32);
        (0..N).for_each(|i| add(&mut books, 1, i, px_of(i)));
        assert!(books.live_levels() > 99_000);
        let depth: Vec<_> = books.book(1).unwrap().depth(Side::Buy).map(|l| l.px).collect();
        assert!(depth.windows(2).all(|w| w[0] > w[1]));
        (0..N).for_each(|i| delete(&mut books, 1, i * 7 % N));
        assert_eq!((books.live_levels(), books.live_orders()), (0, 0));
    }
}

#[test]
fn two_million_orders() {
    const N: u64 = 2_000_000;
    let mut books = books(500, N as u32, 100_000);
    for reference in 0..N {
        add(&mut books, 1 + (reference % 500) as u32, reference, scattered(reference, 6));
    }
    assert_eq!(books.live_orders(), N as usize);
    (0..N).step_by(2).for_each(|r| delete(&mut books, 1 + (r % 500) as u32, r));
    assert_eq!(books.live_orders(), N as usize / 2);
    books.clear_source(1);
    assert_eq!((books.live_levels(), books.live_orders()), (0, 0));
}

#[test]
fn one_queue_of_two_hundred_thousand_orders_emptied_from_within() {
    const N: u64 = 200_000;
    let mut books = books(1, N as u32, 16);
    (0..N).for_each(|i| add(&mut books, 1, i * 2, 5));
    (0..N).for_each(|i| delete(&mut books, 1, i * 7 % N * 2));
    assert_eq!((books.live_levels(), books.live_orders()), (0, 0));
}

#[test]
fn eight_thousand_symbols() {
    const N: u64 = 800_000;
    let mut books = books(8_000, 1 << 18, 1 << 18);
    for i in 0..N {
        add(&mut books, 1 + scattered(i, 20) as u32 % 8_000, i, scattered(i, 5));
        if let Some(old) = i.checked_sub(200_000) {
            delete(&mut books, 1 + scattered(old, 20) as u32 % 8_000, old);
        }
    }
    assert_eq!(books.live_orders(), 200_000);
}
