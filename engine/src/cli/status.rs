//! The screen of `ctl status`: whether trading is halted, what is held and open, and what it depends on; load and latency with
//! `--details`.

use super::depends::{disk, duration, feed, line, venue};
use super::limits::limits;
use super::meters;
use super::numbers::{decimal, grouped};
use super::table::{Align, Cell, Tone, column, table};
use super::trading::{halted_by, pnl};
use crate::control::{ClosingStatus, FlattenOf, FlattenStatus, OrderStatus, PositionStatus, Status, TradingStatus};

/// Most rows of a list without details.
const ROWS: usize = 8;
/// An answer of this age is late: the pipeline does not answer.
const LATE_MS: u64 = 1_000;
/// A group that has not completed a turn for this long is reported.
const LONG_NS: u64 = 100_000_000;

/// The status of a running engine.
pub(crate) fn status(status: &Status, details: bool) -> String {
    let mut text = match &status.trading {
        Some(trading) => trading_part(trading, details),
        None => line(Tone::Notice, "the pipeline has not answered yet: where trading stands is not known"),
    };
    if status.venues.iter().any(|venue| venue.closed) {
        let closed = "no new order leaves: a halt or cancel-all is in force at the gateway, and not stored yet";
        text.insert_str(0, &line(Tone::Notice, closed));
    }
    text += &status.venues.iter().map(|v| venue(v, status.venues.len())).collect::<String>();
    if let Some(trading) = &status.trading {
        text += &trading.feeds.iter().map(feed).collect::<String>();
    }
    text += &status.disk.as_ref().map_or_else(String::new, disk);
    let [admitted, finished, behind] =
        [status.admitted, status.finished, status.admitted - status.finished].map(grouped);
    text += &format!("inputs    {admitted} entered, {finished} finished, {behind} in flight\n");
    for group in status.load.iter().filter(|g| g.since_turn_ns > LONG_NS) {
        let ms = grouped(group.since_turn_ns / 1_000_000);
        text += &line(Tone::Notice, &format!("{} has not completed a turn for {ms} ms", group.group));
    }
    if details {
        text += &meters::groups(&status.groups);
        text += &meters::load(&status.load);
        text += &meters::rings(&status.rings);
        text += &meters::latency(&status.latency);
    }
    text
}

fn trading_part(trading: &TradingStatus, details: bool) -> String {
    let mut text = String::new();
    if trading.age_ms > LATE_MS {
        let age = duration(trading.age_ms);
        text += &line(Tone::Notice, &format!("the pipeline does not answer: what it said {age} ago follows"));
    }
    if trading.halted.is_none() {
        return text + &doubtful(trading, details);
    }
    text += &halt(trading);
    text += &trading.flatten.as_ref().map_or_else(String::new, |of| flatten(of, details));
    text += &doubtful(trading, details);
    text += &limits(&trading.limits, &trading.tables, details);
    text += &orders(trading, details);
    text += &positions(trading, details);
    text + &pnl(&trading.pnl, &trading.accounts)
}

/// Whether trading is halted, and by whom; nothing if the pipeline does not trade.
pub(super) fn halt(trading: &TradingStatus) -> String {
    match (trading.halted, &trading.halt) {
        (None, _) => String::new(),
        (Some(false), _) => line(Tone::Plain, "trading   goes on"),
        (Some(true), None) => line(Tone::Notice, "trading   HALTED"),
        (Some(true), Some(cause)) => line(Tone::Notice, &format!("trading   HALTED {}", halted_by(cause))),
    }
}

/// The first names of a list, and how many there are besides.
fn names(names: &[String], all: u64, details: bool) -> String {
    let shown = &names[..names.len().min(if details { usize::MAX } else { ROWS })];
    match all.saturating_sub(shown.len() as u64) {
        0 => shown.join(", "),
        n => format!("{} and {} more", shown.join(", "), grouped(n)),
    }
}

/// The instruments whose data are doubtful, and what ends that.
pub(super) fn doubtful(trading: &TradingStatus, details: bool) -> String {
    if trading.doubtful == 0 {
        return String::new();
    }
    let count = match trading.doubtful {
        1 => "1 instrument".to_owned(),
        n => format!("{} instruments", grouped(n)),
    };
    let which = names(&trading.doubtful_symbols, trading.doubtful, details);
    let ends = match trading.halted {
        Some(_) => "no order opens a position there until a snapshot, a new session, or `ctl JOURNAL trust`",
        None => "until a snapshot or a new session",
    };
    line(Tone::Notice, &format!("data      doubtful after lost messages, {count}: {which}; {ends}"))
}

/// What is closed by command, and what it waits for.
pub(super) fn flatten(flatten: &FlattenStatus, details: bool) -> String {
    let of: Vec<_> = flatten.of.iter().map(whose).collect();
    let of = names(&of, of.len() as u64, details);
    if flatten.orders > 0 {
        let orders = grouped(flatten.orders);
        return line(Tone::Notice, &format!("flatten   {of}: open orders have to end first, {orders} are left"));
    }
    let left: Vec<_> = flatten.positions.iter().map(closing).collect();
    let left = match flatten.left {
        0 => "all positions are flat".to_owned(),
        n => format!("positions left {}: {}", grouped(n), names(&left, n, details)),
    };
    line(Tone::Notice, &format!("flatten   {of}; {left}"))
}

fn whose(of: &FlattenOf) -> String {
    let account = of.account.map(|account| format!("account {account}"));
    let parts: Vec<_> = account.into_iter().chain(of.strategy.clone()).chain(of.symbol.clone()).collect();
    if parts.is_empty() { "everything".to_owned() } else { parts.join(" ") }
}

fn closing(p: &ClosingStatus) -> String {
    let waits = match (p.waits_for.as_str(), &p.refused) {
        ("halt", _) => "halted".to_owned(),
        ("fill", _) => "its order is on its way".to_owned(),
        (_, Some(check)) => format!("refused by {check}, tried again"),
        _ => "its order comes next".to_owned(),
    };
    format!("{} {} ({waits})", decimal(Some(&p.qty.to_string())), p.symbol)
}

/// A note for rows that are not shown.
pub(super) fn more(shown: usize, all: u64, what: &str) -> String {
    match all.saturating_sub(shown as u64) {
        0 => String::new(),
        n => format!("and {} more {what}\n", grouped(n)),
    }
}

fn orders(trading: &TradingStatus, details: bool) -> String {
    let shown = &trading.orders[..trading.orders.len().min(if details { usize::MAX } else { ROWS })];
    if shown.is_empty() {
        return format!("orders    {} open\n", grouped(trading.open_orders));
    }
    let columns = [
        column("open orders", Align::Left),
        column("symbol", Align::Left),
        column("side", Align::Left),
        column("open", Align::Right),
        column("filled", Align::Right).spare(),
        column("bid", Align::Point),
        column("ask", Align::Point),
    ];
    let row = |o: &OrderStatus| {
        let [left, filled] = [o.left, o.filled].map(grouped);
        let (bid, ask) = (decimal(o.bid_px.as_deref()), decimal(o.ask_px.as_deref()));
        [o.id.clone(), o.symbol.clone(), o.side.clone(), left, filled, bid, ask].map(Cell::from).to_vec()
    };
    table(&columns, &shown.iter().map(row).collect::<Vec<_>>()) + &more(shown.len(), trading.open_orders, "open orders")
}

fn positions(trading: &TradingStatus, details: bool) -> String {
    let shown = &trading.positions[..trading.positions.len().min(if details { usize::MAX } else { ROWS })];
    if shown.is_empty() {
        return "positions none\n".to_owned();
    }
    positions_table(shown) + &more(shown.len(), trading.held, "positions")
}

/// Positions with their money.
pub(super) fn positions_table(shown: &[PositionStatus]) -> String {
    let columns = [
        column("positions", Align::Left),
        column("strategy", Align::Left).spare(),
        column("account", Align::Right).spare(),
        column("qty", Align::Right),
        column("average", Align::Point),
        column("bid", Align::Point),
        column("ask", Align::Point),
        column("unrealised", Align::Point),
    ];
    let row = |p: &PositionStatus| {
        let unrealised = decimal(p.unrealised.as_deref());
        let tone = Tone::of_money(&unrealised);
        let [average, bid, ask] = [&p.avg_px, &p.bid_px, &p.ask_px].map(|px| decimal(px.as_deref()));
        let cells = [p.symbol.clone(), p.strategy.clone(), p.account.to_string(), decimal(Some(&p.qty.to_string()))];
        let cells = cells.into_iter().chain([average, bid, ask]).map(Cell::from);
        cells.chain([Cell::new(unrealised, tone)]).collect()
    };
    table(&columns, &shown.iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::screen::WIDTH;
    use crate::control::{FeedStatus, LimitStatus, ReconciledReport, VenueReport};
    use crate::pipeline::{GroupLoad, HaltCause};
    use crate::report::{AccountReport, PnlReport};
    use sinks::journal::DiskState;

    fn position(symbol: &str, qty: i64) -> PositionStatus {
        PositionStatus {
            symbol: symbol.to_owned(),
            strategy: "momentum".to_owned(),
            account: 1,
            qty,
            avg_px: Some("343.4250".to_owned()),
            bid_px: Some("343.4200".to_owned()),
            ask_px: None,
            realised: Some("1.00".to_owned()),
            unrealised: Some("-12.50".to_owned()),
            fees: Some("0.60".to_owned()),
        }
    }

    fn order(id: u64) -> OrderStatus {
        OrderStatus {
            id: id.to_string(),
            symbol: "AAAA".to_owned(),
            side: "buy".to_owned(),
            left: 100,
            filled: 20,
            bid_px: Some("343.4200".to_owned()),
            ask_px: Some("343.4300".to_owned()),
        }
    }

    fn halted() -> Status {
        let cause = HaltCause {
            reason: "operator".to_owned(),
            actor: "ada".to_owned(),
            uid: Some(1_000),
            asked_ts: Some("1795662012000000000".to_owned()),
            seq: 81_204,
        };
        let limit = |check: &str, limit, ceiling| LimitStatus { check: check.to_owned(), limit, ceiling };
        let feed = FeedStatus {
            name: "day.itch".to_owned(),
            inputs: 81_150,
            age_ms: Some(2_345),
            exchange_time: false,
            ended: false,
            failed: None,
        };
        let trading = TradingStatus {
            age_ms: 3,
            seq: 81_300,
            halted: Some(true),
            halt: Some(cause),
            doubtful: 0,
            doubtful_symbols: Vec::new(),
            flatten: None,
            tables: Vec::new(),
            limits: vec![limit("max-quantity", 1_000, 5_000), limit("max-notional", 250_000, 250_000)],
            open_orders: 10,
            orders: vec![order(72_057_594_037_927_937), order(72_057_594_037_927_938)],
            held: 1,
            positions: vec![position("AAAA", -1_500)],
            pnl: vec![sum(1, "USD")],
            accounts: Vec::new(),
            feeds: vec![feed],
        };
        let venue = VenueReport {
            venue: "wire".to_owned(),
            session: "open".to_owned(),
            closed: false,
            for_ms: Some(11_040_000),
            lost: 2,
            back: 2,
            heard_ms: Some(212),
            open_orders: 10,
            unanswered: 1,
            late: 0,
            reconciled: Some(ReconciledReport {
                asked: 12,
                made: 3,
                came: 2,
                unsolicited: 1,
                unexplained: 1,
                unknown: 0,
            }),
        };
        let disk = DiskState { behind: 8, limit: 8, waiting_ms: Some(2_345), waits: 3, no_room: None };
        let (trading, venues, disk) = (Some(trading), vec![venue], Some(disk));
        Status { admitted: 81_301, finished: 81_300, trading, venues, disk, ..Status::default() }
    }

    fn sum(account: u8, currency: &str) -> PnlReport {
        let money = |text: &str| text.to_owned();
        PnlReport {
            account,
            currency: Some(currency.to_owned()),
            realised: money("320.21"),
            unrealised: money("-12.50"),
            fees: money("72.79"),
            net: money("234.92"),
            without_multiplier: 0,
            without_fees: 0,
        }
    }

    #[test]
    fn money_of_two_accounts_or_currencies_is_no_sum() {
        let mut status = halted();
        status.trading.as_mut().unwrap().pnl = vec![sum(1, "EUR"), sum(1, "USD"), sum(2, "USD")];
        let text = console::strip_ansi_codes(&super::status(&status, false)).into_owned();
        let lines: Vec<_> = text.lines().filter(|line| line.starts_with("pnl")).collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[1].starts_with("pnl       account 1 USD net 234.92 = realised 320.21"), "{text}");
        assert_eq!(text.lines().find(|line| line.chars().count() > WIDTH), None, "{text}");
    }

    #[test]
    fn the_whole_of_an_account_is_told_in_its_currency_or_what_it_lacks() {
        let mut status = halted();
        let money = |text: &str| Some(text.to_owned());
        let whole = AccountReport {
            account: 2,
            currency: "USD".to_owned(),
            realised: money("1320.21"),
            unrealised: money("-12.500000001"),
            fees: money("72.79"),
            net: money("1234.919999999"),
            rates: [("EUR", "1.0843"), ("JPY", "0.006422607")].map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
            missing: std::collections::BTreeSet::new(),
            without_multiplier: 0,
            without_fees: 1,
        };
        let large = AccountReport { net: None, realised: None, ..whole.clone() };
        let missing = AccountReport { missing: [None, money("JPY")].into(), ..large.clone() };
        let trading = status.trading.as_mut().unwrap();
        (trading.pnl, trading.accounts) = (vec![sum(2, "EUR")], vec![whole, large, missing]);
        let text = console::strip_ansi_codes(&super::status(&status, false)).into_owned();
        let expected = "\
pnl       account 2 EUR net 234.92 = realised 320.21 + unrealised -12.50 - fees
          72.79
pnl       account 2 in USD net 1,234.919999999 = realised 1,320.21 + unrealised
          -12.500000001 - fees 72.79, EUR at 1.0843, JPY at 0.006422607, without
          unknown fees of 1 position
pnl       account 2 in USD net – = realised – + unrealised -12.500000001 - fees
          72.79, what is absent is too large, EUR at 1.0843, JPY at 0.006422607,
          without unknown fees of 1 position
pnl       account 2 in USD –: no rate from listings that state no currency, JPY
";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn the_screen_says_what_an_operator_asks_first() {
        let text = console::strip_ansi_codes(&status(&halted(), false)).into_owned();
        let expected = "\
trading   HALTED by operator ada (uid 1000) at 2026-11-26 03:00:12 UTC, input
          81,204
";
        assert!(text.starts_with(expected), "{text}");
        let parts = [
            "limits    max-quantity 1,000 (up to 5,000), max-notional 250,000\n",
            "72057594037927937",
            "and 8 more open orders\n",
            "-1,500",
            "\npnl       net 234.92 = realised 320.21 + unrealised -12.50 - fees 72.79\n",
            "venue     open for 3 h 4 min, heard 212 ms ago; lost 2, back 2\n",
            "          orders open there 10, routes unanswered 1, late so far 0\n",
            "          at its opening: orders asked for 12, answers made 3, executions 2\n",
            "          not explained 1, not known 0, sent by others 1\n",
            "feed      day.itch: 81,150 inputs, the last 2.3 s ago\n",
            "disk      8 of 8 segments behind: inputs have been waiting for 2.3 s\n",
            "inputs    81,301 entered, 81,300 finished, 1 in flight\n",
        ];
        for part in parts {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        assert_eq!(text.lines().find(|line| line.chars().count() > WIDTH), None, "{text}");
    }

    #[test]
    fn doubtful_data_and_a_flatten_are_told_with_what_ends_them() {
        let mut status = halted();
        let screen = |status: &Status, details: bool| {
            let text = console::strip_ansi_codes(&super::status(status, details)).into_owned();
            assert_eq!(text.lines().find(|line| line.chars().count() > WIDTH), None, "{text}");
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let trading = status.trading.as_mut().unwrap();
        (trading.doubtful, trading.doubtful_symbols) = (1_200, (1..65).map(|i| format!("S{i}")).collect());
        let of = FlattenOf { account: Some(2), strategy: Some("momentum".to_owned()), symbol: None };
        trading.flatten = Some(FlattenStatus { of: vec![of], orders: 1_003, left: 3, positions: Vec::new() });
        let text = screen(&status, false);
        assert!(text.contains("1,200 instruments: S1, S2, S3, S4, S5, S6, S7, S8 and 1,192 more; no order"), "{text}");
        assert!(text.contains("`ctl JOURNAL trust`"), "{text}");
        assert!(text.contains("flatten account 2 momentum: open orders have to end first, 1,003 are left"), "{text}");
        assert!(screen(&status, true).contains("S64 and 1,136 more"));
        let trading = status.trading.as_mut().unwrap();
        let closing = |symbol: &str, waits_for: &str, refused: Option<&str>| ClosingStatus {
            symbol: symbol.to_owned(),
            strategy: "momentum".to_owned(),
            account: 2,
            qty: -1_500,
            waits_for: waits_for.to_owned(),
            refused: refused.map(str::to_owned),
        };
        let positions = vec![closing("HALT", "halt", None), closing("NOPX", "turn", Some("collar"))];
        let of = FlattenOf { account: None, strategy: None, symbol: None };
        trading.flatten = Some(FlattenStatus { of: vec![of], orders: 0, left: 12, positions });
        (trading.doubtful, trading.doubtful_symbols) = (1, vec!["ONE".to_owned()]);
        let text = screen(&status, false);
        let waits = "positions left 12: -1,500 HALT (halted), -1,500 NOPX (refused by collar, tried again) and 10 more";
        assert!(text.contains(&format!("flatten everything; {waits}")), "{text}");
        assert!(text.contains("doubtful after lost messages, 1 instrument: ONE; no order opens"), "{text}");
    }

    #[test]
    fn a_pipeline_that_does_not_answer_is_said_and_fits_the_screen() {
        let mut hangs = halted();
        let large = i64::MAX / 1_000;
        if let Some(trading) = &mut hangs.trading {
            trading.age_ms = 7_654_321;
            trading.positions = (0..40).map(|_| position("A long symbol of some kind", -large)).collect();
            trading.orders = (0..40).map(|_| order(u64::MAX)).collect();
            trading.limits.iter_mut().for_each(|l| (l.limit, l.ceiling) = (large, i64::MAX));
        }
        let load = GroupLoad { group: "core0".to_owned(), since_turn_ns: 2_000_000_000, ..GroupLoad::default() };
        hangs.load = vec![load];
        let text = console::strip_ansi_codes(&status(&hangs, true)).into_owned();
        assert!(text.starts_with("the pipeline does not answer: what it said 2 h 7 min ago follows\n"), "{text}");
        assert!(text.contains("core0 has not completed a turn for 2,000 ms"), "{text}");
        assert_eq!(text.lines().find(|line| line.chars().count() > WIDTH), None, "{text}");
        let never = status(&Status::default(), false);
        assert!(never.contains("where trading stands is not known"), "{never}");
    }
}
