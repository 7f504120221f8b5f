//! What `ctl status` says of a market that is not whole: a gap in the feed, a stock that is halted, positions being closed.
//!
//! The day is made here, so that its end is far away: two quiet stocks, one of which is halted for good, and a packet that is
//! missing.

use etherparse::PacketBuilder;
use feeds::itch::wire::{
    AddOrder, Head, Message, OrderDelete, OrderExecuted, StockDirectory, StockTradingAction, stock,
};
use rustix::process::Signal;
use serde_json::{Value, json};
use tidegate_tests::rig::Service;

const STOCKS: [&str; 2] = ["GOES", "HALT"];
/// Half past nine, in nanoseconds.
const OPEN: u64 = 34_200_000_000_000;
const SECOND: u64 = 1_000_000_000;
const MINUTES: u64 = 30;

/// Messages in packets, each with the number of its first one.
#[derive(Default)]
struct Day {
    file: Vec<u8>,
    next: u64,
    now: u64,
}

impl Day {
    fn head(&self, locate: u16) -> Head {
        Head { locate, tracking: 0, timestamp: OPEN + self.now }
    }

    /// A packet with one message.
    fn send(&mut self, message: &impl Message) {
        let mut block = Vec::new();
        message.put_framed(&mut block);
        self.next += 1;
        let payload = [&b"000010059B"[..], &self.next.to_be_bytes(), &1_u16.to_be_bytes(), &block].concat();
        let builder = PacketBuilder::ethernet2([2; 6], [1; 6]).ipv4([10, 0, 0, 1], [233, 54, 12, 111], 8);
        let mut frame = Vec::new();
        builder.udp(1, 26_477).write(&mut frame, &payload).expect("a vector takes every byte");
        let len = frame.len() as u32;
        let words = [1_580_394_600 + (self.now / SECOND) as u32, (self.now % SECOND / 1_000) as u32, len, len];
        self.file.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        self.file.extend(frame);
    }

    fn order(&mut self, locate: u16, side: u8, price: u32) -> u64 {
        let (order_ref, symbol) = (self.next + 1, stock(STOCKS[usize::from(locate) - 1]));
        self.send(&AddOrder { head: self.head(locate), order_ref, side, shares: 500, stock: symbol, price });
        order_ref
    }

    fn state(&mut self, locate: u16, state: u8) {
        let symbol = stock(STOCKS[usize::from(locate) - 1]);
        let head = self.head(locate);
        self.send(&StockTradingAction { head, stock: symbol, state, reserved: b' ', reason: *b"    " });
    }

    fn made() -> Vec<u8> {
        let head = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 0xffff, 1];
        let mut day = Day { file: head.iter().flat_map(|word| word.to_le_bytes()).collect(), ..Day::default() };
        let mut bids = [0; 2];
        for locate in 1..=2 {
            let directory = StockDirectory {
                stock: stock(STOCKS[usize::from(locate) - 1]),
                round_lot: 100,
                ..StockDirectory { head: day.head(locate), ..StockDirectory::default() }
            };
            day.send(&directory);
            day.state(locate, b'T');
            bids[usize::from(locate) - 1] = day.order(locate, b'B', 100_000);
            day.order(locate, b'S', 100_100);
        }
        let mut last = [0; 2];
        for tenth in 1..MINUTES * 600 {
            day.now = tenth * SECOND / 10;
            match tenth {
                15 => {
                    let (head, order_ref) = (day.head(1), bids[0]);
                    day.send(&OrderExecuted { head, order_ref, shares: 100, match_number: 1 });
                }
                20 => day.state(2, b'H'),
                30 => day.next += 1,
                _ => {}
            }
            for locate in 1..=2 {
                let at = usize::from(locate) - 1;
                if last[at] != 0 {
                    day.send(&OrderDelete { head: day.head(locate), order_ref: last[at] });
                }
                last[at] = day.order(locate, b'B', 99_000 + (tenth % 7) as u32);
            }
        }
        day.file
    }
}

/// The status, once `wanted` holds of its part about trading.
#[track_caller]
fn status(service: &Service, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..600 {
        last = service.status()["trading"].clone();
        if wanted(&last) {
            return last;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("it never says so: {last}");
}

#[test]
fn doubtful_instruments_and_an_unfinished_flatten_are_named() {
    let service = Service::new(
        "[pipeline]\nstages = [\"book\", \"buy-and-hold\", \"orders\", \"risk\", \"router\"]\n\
         [risk]\nmax_quantity = 1000\nmax_notional = 100000\nmax_position = 1000\n\
         [[input]]\nfeed = \"itch\"\nfiles = [\"day.pcap\"]\ndate = \"2020-01-30\"\n",
    );
    std::fs::write(service.path("day.pcap"), Day::made()).expect("the folder is writable");
    let mut life = service.start("10x");
    life.until("the control socket", || service.listens());
    let doubtful = status(&service, |t| t["doubtful"] == 2);
    assert_eq!(doubtful["doubtful_symbols"], json!(STOCKS));
    assert_eq!((&doubtful["held"], &doubtful["flatten"]), (&json!(2), &Value::Null));
    // 100 bought at 10.01; since then one has traded at 10.00.
    let profits = doubtful["positions"].as_array().expect("a list").iter().map(|p| (&p["symbol"], &p["unrealised"]));
    assert_eq!(profits.collect::<Vec<_>>(), [(&json!("GOES"), &json!("-1.00")), (&json!("HALT"), &json!("0.00"))]);
    assert_eq!(doubtful["pnl"][0]["unrealised"], "-1.00");
    let shown = |service: &Service| {
        let text = service.ctl(&["status"]).expect(0).stdout;
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let text = shown(&service);
    assert!(text.contains("data doubtful after lost messages, 2 instruments: GOES, HALT; no order"), "{text}");
    service.ctl(&["flatten", "--strategy", "buy-and-hold"]).expect(0);
    let waits = status(&service, |t| t["flatten"]["left"] == 1);
    let of = json!([{ "account": null, "strategy": "buy-and-hold", "symbol": null }]);
    let position = json!([{ "symbol": "HALT", "strategy": "buy-and-hold", "account": 1, "qty": 100, "waits_for": "halt",
        "refused": null }]);
    assert_eq!((&waits["flatten"]["of"], &waits["flatten"]["positions"]), (&of, &position));
    let text = shown(&service);
    assert!(text.contains("flatten buy-and-hold; positions left 1: 100 HALT (halted)"), "{text}");
    service.ctl(&["trust", "--symbol", "GOES"]).expect(0);
    assert_eq!(status(&service, |t| t["doubtful"] == 1)["doubtful_symbols"], json!(["HALT"]));
    service.ctl(&["trust"]).expect(0);
    status(&service, |t| t["doubtful"] == 0 && t["flatten"]["left"] == 1);
    let text = shown(&service);
    assert!(!text.contains("doubtful"), "{text}");
    life.stop(Signal::TERM);
}
