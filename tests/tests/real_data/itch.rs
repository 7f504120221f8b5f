//! ITCH 5.0: the sample of AAPL, and captures of MoldUDP64.

use super::{Depth, Sum, Trade, each, replay, report, rows};
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;
use tidegate_tests::Case;

const SAMPLE: &str = "nasdaq_itch/locate-13-10k.bin";

/// File, its messages by type, and how many of them make inputs.
type Capture = (&'static str, &'static [(&'static str, u64)], u64);

/// Captures of single packets as they were sent, captures framed again with five packets each; then what each has:
/// its messages by type, and how many of them make inputs.
const CAPTURES: &[Capture] = &[
    ("moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0/AddOrderNoMpidAttributionMessage.pcap", &[("A", 1)], 1),
    ("moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0/MarketParticipantPositionMessage.pcap", &[("L", 1)], 1),
    (
        "moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0/Multiple.Packets.pcap",
        &[("A", 36), ("D", 1), ("F", 2), ("gaps", 1), ("packets", 2)],
        39,
    ),
    ("moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0/NetOrderImbalanceIndicatorMessage.pcap", &[("I", 1)], 1),
    ("moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0/OrderDeleteMessage.pcap", &[("D", 1)], 1),
    ("moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0/OrderExecutedMessage.pcap", &[("E", 1)], 1),
    ("moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0/OrderReplaceMessage.pcap", &[("U", 1)], 1),
    ("moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0/StockTradingActionMessage.pcap", &[("H", 1)], 1),
    ("moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0.20230822/AddOrderNoMPID.pcap", &[("A", 5)], 5),
    ("moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0.20230822/AddOrderWithMPID.pcap", &[("F", 5)], 5),
    ("moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0.20230822/CrossTrade.pcap", &[("Q", 5)], 5),
    ("moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0.20230822/LULDAuctionCollar.pcap", &[("J", 5)], 5),
    ("moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0.20230822/MarketParticipantPosition.pcap", &[("L", 5)], 5),
    ("moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0.20230822/NetOrderImbalanceIndicator.pcap", &[("I", 5)], 5),
    ("moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0.20230822/NonCrossTrade.pcap", &[("P", 5)], 5),
    ("moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0.20230822/OrderCancel.pcap", &[("X", 5)], 5),
    ("moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0.20230822/OrderDelete.pcap", &[("D", 5)], 5),
    ("moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0.20230822/OrderExecuted.pcap", &[("E", 5)], 5),
    ("moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0.20230822/OrderExecutedWithPrice.pcap", &[("C", 5)], 5),
    ("moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0.20230822/OrderReplace.pcap", &[("U", 5)], 5),
    ("moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0.20230822/RegSHORestriction.pcap", &[("Y", 5)], 5),
    ("moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0.20230822/StockTradingAction.pcap", &[("H", 5)], 5),
    ("moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0.20230822/SystemEvent.pcap", &[("S", 1)], 1),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new("itch::the_sample_is_counted", &[SAMPLE], |p| counted(&p[0])),
        Case::new("itch::the_orders_that_live_are_the_book", &[SAMPLE], |p| book(&p[0])),
        Case::new("itch::executions_of_the_sample", &[SAMPLE], |p| executions(&p[0])),
    ];
    for &(file, counts, records) in CAPTURES {
        let mut parts = file.trim_end_matches(".pcap").rsplit('/');
        let name = parts.next().unwrap_or(file);
        let group =
            if parts.next().is_some_and(|folder| folder.ends_with("20230822")) { "framed_again" } else { "sent" };
        cases.push(Case::new(format!("itch::{group}::{name}"), &[file], move |p| capture(&p[0], counts, records)));
    }
    cases
}

fn counted(file: &Path) {
    let report = report("itch", file);
    let input = &report["inputs"][0];
    assert_eq!((&input["records"], &report["anomalies"]), (&10_000.into(), &serde_json::json!({})));
    let known = [("A", 4758), ("D", 4083), ("E", 849), ("P", 240), ("L", 52), ("U", 7), ("X", 6), ("F", 2), ("R", 1)];
    for (kind, count) in known.into_iter().chain([("H", 1), ("Y", 1), ("S", 0), ("C", 0)]) {
        assert_eq!(input["counts"][kind], count, "{kind}");
    }
    let (busiest, top) = (&report["symbols"][0], ["bid_px", "bid_qty", "ask_px", "ask_qty"]);
    let top: Vec<_> = top.iter().map(|key| busiest[key].to_string()).collect();
    assert_eq!(top, ["\"320.1400\"", "25", "\"320.3000\"", "100"]);
}

/// The orders left over by naive accounting, and the levels that the book printed last, are one book.
fn book(file: &Path) {
    let mut live: HashMap<u64, (bool, u64, u64)> = HashMap::new();
    each(&replay("itch", file, "add,exec,cancel,delete,replace"), |row: Value| {
        let text = |key: &str| row[key].as_str().and_then(|text| text.parse().ok());
        let number = |key: &str| row[key].as_u64().or_else(|| text(key)).unwrap_or_else(|| panic!("{key} of {row}"));
        let px = || super::ten_thousandths(row["px"].as_str().expect("a price"));
        let reference = number("order_ref");
        match row["kind"].as_str().expect("a kind") {
            "add" => {
                let order = (row["side"] == "buy", px(), number("qty"));
                assert_eq!(live.insert(reference, order), None, "{row}");
            }
            "replace" => {
                let (bid, ..) = live.remove(&reference).expect("a known order");
                live.insert(number("new_ref"), (bid, px(), number("qty")));
            }
            "delete" => assert!(live.remove(&reference).is_some(), "{row}"),
            _ => {
                let order = live.get_mut(&reference).expect("a known order");
                order.2 = order.2.checked_sub(number("qty")).expect("no more than there is");
                if order.2 == 0 {
                    live.remove(&reference);
                }
            }
        }
    });
    assert_eq!(live.len(), 215);
    let mut arguments = replay("itch", file, "depth");
    arguments.extend(["--levels", "10000"]);
    let last: Depth = rows(&arguments).pop().expect("rows");
    assert_eq!(last.totals(), [(79, 10_103), (63, 8_211)]);
    assert_eq!(last.best(1), [["320.1400 x 25"], ["320.3000 x 100"]]);
    for (bids, side) in [(true, &last.bids), (false, &last.asks)] {
        for (px, qty) in side {
            let at = live.values().filter(|o| (o.0, o.1) == (bids, super::ten_thousandths(px)));
            assert_eq!(at.map(|o| o.2).sum::<u64>(), *qty, "at {px}");
        }
    }
}

fn executions(file: &Path) {
    let trades: Vec<Trade> = rows(&replay("itch", file, "trade"));
    let (displayed, hidden): (Vec<_>, Vec<_>) = trades.iter().partition(|t| t.displayed);
    let sums = [Sum::of(displayed.iter().copied()), Sum::of(hidden.iter().copied())];
    assert_eq!([displayed.len(), hidden.len()], [849, 240]);
    assert_eq!([sums[0].qty, sums[1].qty], [56_086, 25_470]);
    assert_eq!([sums[0].vwap(), sums[1].vwap()], ["321.073693", "321.121966"]);
    let by = |side| Sum::of(displayed.iter().copied().filter(|t| t.aggressor == side)).qty;
    assert_eq!([by("sell"), by("buy")], [30_223, 25_863], "against bids, against asks");
}

/// A capture decodes whole. Its messages are of orders added before, so the book may report them as unknown.
fn capture(file: &Path, counts: &[(&str, u64)], records: u64) {
    let report = report("itch", file);
    let input = &report["inputs"][0];
    assert_eq!(input["records"], records, "{input}");
    for (kind, count) in counts {
        assert_eq!(input["counts"][kind], *count, "{kind}");
    }
    let messages: u64 = input["counts"]
        .as_object()
        .expect("counts")
        .iter()
        .filter(|(k, _)| k.len() == 1)
        .map(|(_, n)| n.as_u64().expect("a number"))
        .sum();
    assert_eq!(messages, counts.iter().filter(|(k, _)| k.len() == 1).map(|(_, n)| n).sum::<u64>());
    let known = ["unknown-instrument", "sequence-gap"];
    let anomalies = report["anomalies"].as_object().expect("anomalies");
    assert!(anomalies.keys().all(|name| known.contains(&name.as_str())), "{anomalies:?}");
}
