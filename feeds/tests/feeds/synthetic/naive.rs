//! An independent decoder: parses framing and types by itself and keeps the books in plain maps.

use std::collections::{BTreeMap, HashMap};

/// Length of every message type.
const LENGTHS: [(u8, usize); 23] = [
    (b'S', 12),
    (b'R', 39),
    (b'H', 25),
    (b'Y', 20),
    (b'L', 26),
    (b'V', 35),
    (b'W', 12),
    (b'K', 28),
    (b'J', 35),
    (b'h', 21),
    (b'A', 36),
    (b'F', 40),
    (b'E', 31),
    (b'C', 36),
    (b'X', 23),
    (b'D', 19),
    (b'U', 35),
    (b'P', 44),
    (b'Q', 40),
    (b'B', 19),
    (b'I', 50),
    (b'N', 20),
    (b'O', 48),
];

/// A resting order.
#[derive(Clone, Copy)]
struct Order {
    locate: u16,
    buy: bool,
    price: u32,
    left: u32,
}

/// A trade against a resting order.
pub(crate) struct Trade {
    pub locate: u16,
    pub time: u64,
    pub buyer_initiated: bool,
    pub price: u32,
}

/// Best prices: bid, its quantity, ask, its quantity; 0 where a side is empty.
pub(crate) type Touch = (u32, u64, u32, u64);

/// Everything decoded from the bytes.
#[derive(Default)]
pub(crate) struct Naive {
    pub counts: BTreeMap<char, u64>,
    pub messages: u64,
    pub last_time: u64,
    pub by_locate: BTreeMap<u16, u64>,
    pub trades: Vec<Trade>,
    pub live_after: Vec<u32>,
    pub spreads: BTreeMap<u16, Vec<u32>>,
    orders: HashMap<u64, Order>,
    books: HashMap<(u16, bool), BTreeMap<u32, u64>>,
    highest_reference: u64,
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |n, b| n << 8 | u64::from(*b))
}

impl Naive {
    /// Decodes a whole file; `each` gets the locate and its best prices after every message.
    ///
    /// # Panics
    /// On any fault in the file.
    pub(crate) fn read(file: &[u8], mut each: impl FnMut(u64, u16, Touch)) -> Naive {
        let (mut naive, mut at) = (Naive::default(), 0);
        loop {
            let length = number(&file[at..at + 2]) as usize;
            at += 2;
            if length == 0 {
                assert_eq!(at, file.len(), "nothing follows the end of the session");
                return naive;
            }
            let locate = naive.message(&file[at..at + length]);
            at += length;
            each(naive.messages, locate, naive.touch(locate));
        }
    }

    /// Best prices of a symbol.
    pub(crate) fn touch(&self, locate: u16) -> Touch {
        let side = |buy| self.books.get(&(locate, buy));
        let bid = side(true).and_then(|b| b.last_key_value()).map_or((0, 0), |(p, q)| (*p, *q));
        let ask = side(false).and_then(|b| b.first_key_value()).map_or((0, 0), |(p, q)| (*p, *q));
        (bid.0, bid.1, ask.0, ask.1)
    }

    /// Resting orders.
    pub(crate) fn live(&self) -> usize {
        self.orders.len()
    }

    /// Quantity per price of a side.
    pub(crate) fn side(&self, locate: u16, buy: bool) -> Vec<(u32, u64)> {
        self.books.get(&(locate, buy)).map_or(Vec::new(), |b| b.iter().map(|(p, q)| (*p, *q)).collect())
    }

    fn message(&mut self, m: &[u8]) -> u16 {
        let expected = LENGTHS.iter().find(|(kind, _)| *kind == m[0]).map(|(_, length)| *length);
        assert_eq!(expected, Some(m.len()), "message {}: type {}", self.messages + 1, char::from(m[0]));
        let (locate, time) = (number(&m[1..3]) as u16, number(&m[5..11]));
        assert!(time >= self.last_time && time < 86_400_000_000_000, "time runs forward within the day");
        self.last_time = time;
        self.messages += 1;
        *self.counts.entry(char::from(m[0])).or_default() += 1;
        *self.by_locate.entry(locate).or_default() += 1;
        let reference = || number(&m[11..19]);
        match m[0] {
            b'A' | b'F' => {
                let (left, price) = (number(&m[20..24]) as u32, number(&m[32..36]) as u32);
                self.add(reference(), Order { locate, buy: m[19] == b'B', price, left });
            }
            b'E' => self.trade(reference(), locate, number(&m[19..23]) as u32, None),
            b'C' => {
                self.trade(reference(), locate, number(&m[19..23]) as u32, Some((m[31], number(&m[32..36]) as u32)))
            }
            b'X' => {
                let left = self.reduce(reference(), locate, number(&m[19..23]) as u32).left;
                assert!(left > 0, "a partial cancel leaves something");
            }
            b'D' => drop(self.remove(reference(), locate)),
            b'U' => {
                let old = self.remove(reference(), locate);
                let (left, price) = (number(&m[27..31]) as u32, number(&m[31..35]) as u32);
                self.add(number(&m[19..27]), Order { left, price, ..old });
            }
            _ => {}
        }
        self.check(locate);
        locate
    }

    fn check(&mut self, locate: u16) {
        let (bid, _, ask, _) = self.touch(locate);
        assert!(bid == 0 || ask == 0 || bid < ask, "message {}: {bid} meets {ask}", self.messages);
        self.live_after.push(self.orders.len() as u32);
        if bid > 0 && ask > 0 {
            self.spreads.entry(locate).or_default().push(ask - bid);
        }
    }

    fn add(&mut self, reference: u64, order: Order) {
        assert!(
            order.left > 0 && order.price > 0 && order.price.is_multiple_of(100),
            "a price on a cent, some quantity"
        );
        assert!(reference > self.highest_reference, "references are never used twice");
        assert!(
            reference < self.highest_reference + 10 || self.highest_reference == 0,
            "references leave no large gaps"
        );
        self.highest_reference = reference;
        *self.books.entry((order.locate, order.buy)).or_default().entry(order.price).or_default() +=
            u64::from(order.left);
        self.orders.insert(reference, order);
    }

    fn trade(&mut self, reference: u64, locate: u16, shares: u32, print: Option<(u8, u32)>) {
        let order = self.orders[&reference];
        let (bid, _, ask, _) = self.touch(locate);
        assert_eq!(order.price, if order.buy { bid } else { ask }, "executions take the best price first");
        self.reduce(reference, locate, shares);
        let price = print.map_or(order.price, |(_, price)| price);
        if print.is_none_or(|(printable, _)| printable == b'Y') {
            self.trades.push(Trade { locate, time: self.last_time, buyer_initiated: !order.buy, price });
        }
    }

    fn reduce(&mut self, reference: u64, locate: u16, shares: u32) -> Order {
        let order = self.orders.get_mut(&reference).expect("the reference names a live order");
        assert_eq!(order.locate, locate, "an order stays with its symbol");
        assert!(shares > 0 && shares <= order.left, "an order gives no more than it has");
        order.left -= shares;
        let order = *order;
        let side = self.books.get_mut(&(locate, order.buy)).expect("a side with the order");
        let level = side.get_mut(&order.price).expect("a level with the order");
        *level -= u64::from(shares);
        if *level == 0 {
            side.remove(&order.price);
        }
        if order.left == 0 {
            self.orders.remove(&reference);
        }
        order
    }

    fn remove(&mut self, reference: u64, locate: u16) -> Order {
        let left = self.orders[&reference].left;
        let order = self.orders[&reference];
        self.reduce(reference, locate, left);
        order
    }
}
