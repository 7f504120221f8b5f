//! The gate against a slow checker written from its page.
//!
//! Random requests, many of them just at a limit, between markets, commands and a venue's answers. Both must give the same verdict
//! words: no order out that the checker refuses, none refused that it allows, and the same check, limit and value named. A
//! quarter of a run's way the stage is replaced by one that loads its state. Each check must be the first to refuse one request in a
//! thousand, and one in five must pass, or the traffic proves nothing. With tables of limits the same traffic must meet each limit of each
//! table first in one request of fifty thousand, and one in eight must pass.

mod checker;
mod traffic;

use checker::{Checker, Level, MOST, Money, Verdict};
use flow::records::{CommandOutcome, Order, Refused};
use flow::{
    Account, CommandResult, Currency, Event, Kind, Kinds, Listings, Out, Param, Params, Stage, StateReader,
    StateWriter, StrategyId,
};
use stages::risk::CHECKS;
use stages::{STAGES, Space, StageEntry};
use std::collections::{BTreeMap, BTreeSet};
use tidegate_tests::amount;
use traffic::{INSTRUMENTS, Traffic};

const WINDOW_MS: u64 = 40;
const SLOTS: usize = 26;
/// Collar, and messages beyond the limit, of orders that only reduce a position.
const OF_REDUCING: [i64; 2] = [600, 2];
const MAX_PAIRS: usize = 6;

/// Limits by check.
fn limits() -> BTreeMap<u16, i64> {
    MOST.iter().map(|(check, _)| *check).zip([4_000, 400_000, 500, 3_000, 24, 22, 5_000]).collect()
}

/// How far commands may raise each limit: every other one has a ceiling of its own.
fn ceilings() -> BTreeMap<u16, i64> {
    limits().into_iter().map(|(check, limit)| (check, if check % 2 == 0 { limit * 105 / 100 } else { limit })).collect()
}

/// The gate, behind the portfolio that books what it is told of fills.
struct Gate {
    portfolio: (Box<dyn Stage>, Out),
    risk: (Box<dyn Stage>, Out),
}

impl Gate {
    /// What the gate makes of an event, and of what the portfolio makes of it.
    fn on_event(&mut self, event: &Event) -> Vec<Event> {
        let (portfolio, told) = &mut self.portfolio;
        told.begin(event);
        if portfolio.reads().has(event.kind) {
            portfolio.on_event(event, told);
        }
        let (risk, out) = &mut self.risk;
        let (mut made, reads) = (Vec::new(), risk.reads());
        for event in [event].into_iter().chain(told.events()).filter(|event| reads.has(event.kind)) {
            out.begin(event);
            risk.on_event(event, out);
            assert!(out.events().len() <= risk.fan_out());
            made.extend_from_slice(out.events());
        }
        made
    }

    fn stages(&mut self) -> [&mut dyn Stage; 2] {
        [self.portfolio.0.as_mut(), self.risk.0.as_mut()]
    }

    fn save(&mut self, listings: &Listings) -> Vec<u8> {
        let mut writer = StateWriter::new(listings);
        self.stages().into_iter().for_each(|stage| stage.save(&mut writer));
        writer.into_bytes()
    }
}

/// Tables of limits, one at least of each kind of scope, most of them about what the traffic does.
fn levels() -> Vec<Level> {
    let limited = |limits: &[(u16, i64)]| Level { limits: limits.iter().copied().collect(), ..Level::default() };
    let (account, strategy) = (|n| Some(Account(n)), |n| Some(StrategyId(n)));
    let long = Some(("A-SYMBOL-OF-MORE-THAN-ONE-PIECE", None));
    let levels = vec![
        limited(&[(3, 3_900), (6, 4_000), (7, 9), (8, 11), (9, 4_900)]),
        Level { account: account(1), ..limited(&[(4, 300_000), (7, 8), (8, 10), (6, 2_900)]) },
        Level { strategy: strategy(2), ..limited(&[(5, 480), (6, 3_300), (7, 6), (8, 7), (3, 3_800)]) },
        Level { symbol: Some(("ALFA", None)), ..limited(&[(6, 2_700), (7, 5), (8, 7)]) },
        Level { symbol: Some(("ALFA", Some(b'B'))), ..limited(&[(6, 2_600), (7, 2), (5, 450)]) },
        Level { currency: Some("GBP"), ..limited(&[(6, 2_500), (7, 3), (8, 4)]) },
        Level { account: account(2), strategy: strategy(1), ..limited(&[(6, 2_800), (7, 5), (8, 7)]) },
        Level { account: account(1), strategy: strategy(2), symbol: long, ..limited(&[(6, 0)]) },
        Level { account: account(2), symbol: long, ..limited(&[(6, 90), (4, 1_900_000_000), (3, 50)]) },
        Level { strategy: strategy(1), currency: Some("USD"), ..limited(&[(6, 2_700), (7, 4)]) },
        Level {
            account: account(1),
            strategy: strategy(2),
            symbol: Some(("ALFA", Some(b'A'))),
            ..limited(&[(6, 2_000), (7, 2)])
        },
        Level { account: account(2), currency: Some("GBP"), ..limited(&[(4, 240)]) },
    ];
    let raised = |level: Level| {
        let own = level.limits.iter().filter(|(check, _)| *check % 2 == 0);
        Level { ceilings: own.map(|(check, limit)| (*check, limit * 105 / 100)).collect(), ..level }
    };
    levels.into_iter().map(raised).collect()
}

/// The limits of the tables as configured, by table and check.
fn configured() -> BTreeMap<(u16, u16), i64> {
    let of = |(table, level): (u16, Level)| level.limits.into_iter().map(move |(check, limit)| ((table, check), limit));
    (1..).zip(levels()).flat_map(of).collect()
}

/// A table of a configuration, from its keys.
fn table(keys: &[Param], values: impl IntoIterator<Item = (&'static str, String)>) -> Params {
    let mut table = Params::default();
    for (name, value) in values {
        let param = keys.iter().find(|param| param.name == name).unwrap();
        table.set(param, param.parse(name, &value).unwrap());
    }
    table
}

fn add_levels(params: &mut Params) {
    for level in levels() {
        let venue = |venue: Option<u8>| venue.map_or(String::new(), |letter| format!("@XTS{}", char::from(letter)));
        let account = level.account.map(|account| ("account", account.0.to_string()));
        let symbol = level.symbol.map(|(symbol, at)| ("symbol", format!("{symbol}{}", venue(at))));
        let currency = level.currency.map(|code| ("currency", code.to_owned()));
        let limits = level
            .limits
            .iter()
            .map(|(check, limit)| (stages::risk::check(*check).unwrap().limit.unwrap().name(), limit.to_string()));
        let own = level.ceilings.iter().map(|(check, most)| format!("{}={most}", stages::risk::check_name(*check)));
        let own: Vec<_> = own.collect();
        let ceilings = (!own.is_empty()).then(|| ("ceilings", own.join(",")));
        let values = account.into_iter().chain(symbol).chain(currency).chain(limits).chain(ceilings);
        let read = table(stages::risk::LIMIT_KEYS, values);
        let numbered = |StrategyId(n)| stages::risk::numbered(read.clone(), stages::risk::STRATEGY_NUMBER, n.into());
        params.add_table(stages::risk::LIMIT, level.strategy.map_or_else(|| read.clone(), numbered));
    }
    let paper = [("mode", "paper".to_owned()), ("currency", "GBP".to_owned())];
    let paper = table(stages::risk::ACCOUNT_KEYS, paper);
    let paper = stages::risk::numbered(paper, stages::risk::ACCOUNT_NUMBER, PAPER.into());
    params.add_table(stages::risk::ACCOUNT, paper);
    let Money { firm, pair: (instrument, base, quote), max_age_ms, .. } = money();
    let code = |text| Currency::parse(text).unwrap();
    params.add_table(stages::risk::PAIR, stages::risk::pair(traffic::symbol(instrument), code(base), code(quote)));
    for (name, value) in [("currency", firm.to_owned()), ("max_rate_age_ms", max_age_ms.to_string())] {
        let param = stages::risk::PARAMS.iter().find(|param| param.name == name).unwrap();
        params.set(param, param.parse(name, &value).unwrap());
    }
}

/// Dollars, but for the account on paper; a dollar costs as many pounds as the future does.
fn money() -> Money {
    let accounts = BTreeMap::from([(Account(PAPER), "GBP")]);
    Money { firm: "USD", accounts, pair: (3, "USD", "GBP"), max_age_ms: 1_500 }
}

/// The account that is not live.
const PAPER: u8 = 2;

fn gate(with_levels: bool) -> Gate {
    let entry = flow::find(STAGES, "risk").unwrap();
    let mut params = Params::defaults(entry.params);
    let mut set = |name: &str, value: i64| {
        let param = entry.params.iter().find(|p| p.name == name).unwrap();
        params.set(param, param.parse(name, &value.to_string()).unwrap());
    };
    for (check, limit) in limits() {
        set(stages::risk::check(check).unwrap().limit.unwrap().name(), limit);
    }
    set("throttle_window_ms", WINDOW_MS as i64);
    set("open_order_slots", SLOTS as i64);
    set("reduce_collar_bps", OF_REDUCING[0]);
    set("reduce_messages", OF_REDUCING[1]);
    set("max_pairs", MAX_PAIRS as i64);
    let own = ceilings().into_iter().filter(|(check, _)| check % 2 == 0);
    let own: Vec<_> = own.map(|(check, most)| format!("{}={most}", stages::risk::check_name(check))).collect();
    let param = stages::risk::CEILINGS.param();
    params.set(&param, param.parse("ceilings", &own.join(",")).unwrap());
    if with_levels {
        add_levels(&mut params);
    }
    let space = Space { instruments: INSTRUMENTS, fills: checker::FILLS, positions: 1_024 };
    let portfolio = flow::find(STAGES, "portfolio").unwrap();
    let built = |entry: &StageEntry, params: &Params| {
        ((entry.build)(params, space).unwrap(), Out::new(entry.position, Kinds::ALL))
    };
    Gate { portfolio: built(portfolio, &Params::defaults(portfolio.params)), risk: built(entry, &params) }
}

fn checker(with_levels: bool) -> Checker {
    Checker {
        levels: if with_levels { levels() } else { Vec::new() },
        configured: if with_levels { configured() } else { BTreeMap::new() },
        money: with_levels.then(money),
        paper: BTreeSet::from([Account(PAPER)]),
        limits: limits(),
        ceilings: ceilings(),
        of_reducing: OF_REDUCING,
        window_ms: WINDOW_MS,
        slots: SLOTS,
        max_pairs: MAX_PAIRS,
        ..Checker::default()
    }
}

fn verdict(event: &Event) -> Verdict {
    let (at, side) = (event.instrument, event.side());
    match event.kind {
        Kind::Order => Verdict::Order(at, side, *event.record::<Order>()),
        Kind::Refused => Verdict::Refused(at, side, *event.record::<Refused>()),
        _ => {
            let CommandOutcome { result, old, new, .. } = *event.record();
            Verdict::Commanded(result, old, new)
        }
    }
}

/// How many passed (0) and how many each check refused first.
#[derive(Default)]
struct Table {
    first: BTreeMap<u16, u64>,
    requests: u64,
    /// Commands by their result.
    commands: BTreeMap<u16, u64>,
}

impl Table {
    fn count(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Order(..) => *self.first.entry(0).or_default() += 1,
            Verdict::Refused(_, _, refused) => *self.first.entry(refused.check).or_default() += 1,
            Verdict::Commanded(result, ..) => *self.commands.entry(*result).or_default() += 1,
        }
        self.requests += u64::from(!matches!(verdict, Verdict::Commanded(..)));
    }
}

/// Feeds both until so many requests are judged; commands set the limits of tables too.
fn run(seed: u64, requests: u64, reference: Checker) -> Result<(Table, Checker), String> {
    run_with(seed, requests, reference, true)
}

fn run_with(seed: u64, requests: u64, mut reference: Checker, sets_tables: bool) -> Result<(Table, Checker), String> {
    let with_levels = !reference.levels.is_empty();
    let mut gate = gate(with_levels);
    let mut traffic = Traffic::new(seed, &limits());
    let mut table = Table::default();
    let mut listings = Listings::default();
    let mut events = traffic.opening();
    events.iter().for_each(|e| listings.observe(e));
    let (mut reload, none) = (requests / 4, Vec::new());
    while table.requests < requests {
        for event in &events {
            let ours: Vec<_> = gate.on_event(event).iter().map(verdict).collect();
            let theirs = reference.feed(event);
            if ours != theirs {
                return Err(format!(
                    "seed {seed}: after {event:?}\n the gate gives {ours:?}\n the page demands {theirs:?}"
                ));
            }
            for verdict in &ours {
                table.count(verdict);
                if let Verdict::Order(at, side, order) = verdict {
                    traffic.live.push((*at, *side, *order));
                }
            }
        }
        traffic.limits.clone_from(&reference.limits);
        traffic.levels.clone_from(if sets_tables { &reference.levels } else { &none });
        if table.requests >= reload {
            gate = reloaded(gate, &listings, with_levels);
            reload += requests / 4;
        }
        events = traffic.next();
    }
    Ok((table, reference))
}

fn reloaded(mut before: Gate, listings: &Listings, with_levels: bool) -> Gate {
    let (bytes, mut other) = (before.save(listings), gate(with_levels));
    let mut reader = StateReader::new(listings, &bytes);
    other.stages().into_iter().for_each(|stage| stage.load(&mut reader).unwrap());
    reader.finish().unwrap();
    assert!(other.save(listings) == bytes, "a state that was loaded is saved as another");
    other
}

#[test]
fn the_gate_says_what_its_page_says() {
    let requests = amount(60_000, 1_000_000);
    let (table, reference) =
        run(20_260_106, requests, checker(false)).unwrap_or_else(|difference| panic!("{difference}"));
    let share = |n: u64| n as f64 * 100.0 / table.requests as f64;
    println!("{:>2} {:<14} {:>9} {:>8} {:>10}", "", "", "first", "%", "for itself");
    println!("{:>2} {:<14} {:>9} {:>8.3}", "", "passed", table.first[&0], share(table.first[&0]));
    for entry in CHECKS {
        let of = |counts: &BTreeMap<u16, u64>| *counts.get(&entry.number).unwrap_or(&0);
        let (first, alone) = (of(&table.first), of(&reference.alone));
        println!("{:>2} {:<14} {first:>9} {:>8.3} {alone:>10}", entry.number, entry.name, share(first));
    }
    println!("{} requests, commands by result: {:?}", table.requests, table.commands);
    assert!(table.first[&0] * 5 >= table.requests, "too few pass");
    // Without currencies nothing is converted.
    for entry in CHECKS.iter().filter(|entry| entry.number != stages::risk::RATE) {
        assert!(table.first[&entry.number] * 1_000 >= table.requests, "{} refuses too few", entry.name);
    }
    // A flatten is not the gate's.
    for result in CommandResult::ALL.iter().filter(|result| **result != CommandResult::TooMany) {
        assert!(table.commands.contains_key(&result.code()), "no command came out {}", result.name());
    }
}

/// Each limit of each table must be the first to refuse one request in 50,000.
#[test]
fn the_gate_says_what_its_page_says_of_levels() {
    let requests = amount(60_000, 1_000_000);
    let (table, reference) =
        run(20_261_127, requests, checker(true)).unwrap_or_else(|difference| panic!("{difference}"));
    println!("passed {} of {}, without a rate {}", table.first[&0], table.requests, table.first[&stages::risk::RATE]);
    assert!(table.first[&stages::risk::RATE] * 1_000 >= table.requests, "too few have no rate");
    for (number, level) in (1..).zip(levels()) {
        for check in level.limits.keys() {
            let refused = *reference.at_levels.get(&(*check, number)).unwrap_or(&0);
            println!("table {number:>2} {:<14} {refused:>8}", stages::risk::check_name(*check));
        }
    }
    assert!(table.first[&0] * 8 >= table.requests, "too few pass");
    println!("commands by result: {:?}", table.commands);
    for (number, level) in (1..).zip(levels()) {
        for check in level.limits.keys() {
            let refused = *reference.at_levels.get(&(*check, number)).unwrap_or(&0);
            assert!(refused * 50_000 >= table.requests, "table {number} refuses too few by {check}: {refused}");
        }
    }
}

#[test]
fn other_seeds_say_the_same() {
    for seed in 1..=amount(10, 100) {
        for with_levels in [false, true] {
            run(seed, 3_000, checker(with_levels)).unwrap_or_else(|difference| panic!("{difference}"));
        }
    }
}

#[test]
fn a_gate_with_another_limit_of_a_table_is_found() {
    for (at, level) in levels().iter().enumerate() {
        for check in level.limits.keys() {
            let mut other = checker(true);
            *other.levels[at].limits.get_mut(check).unwrap() += 1;
            let found = (1..=4).any(|seed| run_with(seed, 60_000, other.clone(), false).is_err());
            assert!(found, "table {} with one more of check {check}", at + 1);
        }
    }
    assert!(run(1, 60_000, Checker { paper: BTreeSet::new(), ..checker(true) }).is_err(), "all accounts live");
}

#[test]
fn a_gate_that_sets_the_limits_of_tables_otherwise_is_found() {
    let mut higher = checker(true);
    higher.levels[1].ceilings.insert(4, 400_000);
    let mut other = checker(true);
    other.configured.insert((1, 3), 4_000);
    for wrong in [higher, other] {
        assert!((1..=4).any(|seed| run(seed, 60_000, wrong.clone()).is_err()));
    }
}

#[test]
fn a_gate_with_another_limit_is_found() {
    for (check, limit) in limits() {
        let mut other = checker(false);
        other.limits.insert(check, limit + 1);
        assert!(run(1, 20_000, other).is_err(), "check {check} with one more");
    }
    assert!(run(1, 20_000, Checker { window_ms: WINDOW_MS + 2, ..checker(false) }).is_err());
    assert!(run(1, 20_000, Checker { slots: SLOTS + 1, ..checker(false) }).is_err());
    assert!(run(1, 20_000, Checker { max_pairs: MAX_PAIRS + 1, ..checker(false) }).is_err());
}
