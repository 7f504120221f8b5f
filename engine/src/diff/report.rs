//! What was found, as plain values.
//!
//! Profit is counted alike on both sides: what the last event of a position says was realised and paid, and what is open at the
//! instrument's last price.

use super::cause::Class;
use super::mask::{Masks, owner};
use super::tally::{Listed as Difference, Tally};
use super::totals::Held;
use crate::rows::{Cell, fields};
use flow::{Account, Event, KINDS, Kinds, Listed, Listings, Px, StrategyId, amount, decimal, kind_info, known_money};
use serde::Serialize;
use stages::Instances;
use stages::portfolio::Terms;
use std::collections::BTreeMap;

/// A setting that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingChange {
    /// Its key.
    pub key: String,
    /// Its recorded value, as TOML writes it; of a value of several lines the first line that differs.
    pub before: String,
    /// Its value now.
    pub now: String,
}

/// How many outcomes and answers of a kind are the same, and how many are not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KindCount {
    /// Kind.
    pub kind: &'static str,
    /// On both sides, and equal but for numbers of orders, executions and inputs.
    pub same: u64,
    /// Recorded, and not made now.
    pub only_before: u64,
    /// Made now, and not recorded.
    pub only_now: u64,
    /// On both sides, and not equal.
    pub changed: u64,
}

/// What a strategy did for an account; each value recorded and now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StrategyRow {
    /// Strategy.
    pub strategy: String,
    /// Account.
    pub account: u8,
    /// Orders that risk approved.
    pub orders: [u64; 2],
    /// Requests that risk refused.
    pub refused: [u64; 2],
    /// Fills.
    pub fills: [u64; 2],
    /// Quantity filled, in the smallest units of the instruments.
    pub qty: [u64; 2],
    /// Profit less fees by currency (`-` where no listing states one), what is open at the last price; absent if not known.
    pub net: BTreeMap<String, [Option<String>; 2]>,
}

/// A position that is another one at the end; each value recorded and now, absent where it was never opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holding {
    /// Symbol.
    pub symbol: String,
    /// Strategy.
    pub strategy: String,
    /// Account.
    pub account: u8,
    /// Signed quantity.
    pub qty: [Option<i64>; 2],
    /// Realised profit before fees.
    pub realised: [Option<String>; 2],
    /// Profit of what is open, at the last price.
    pub unrealised: [Option<String>; 2],
    /// Fees.
    pub fees: [Option<String>; 2],
}

/// A field of a difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldChange {
    /// Its name, that of its column.
    pub field: String,
    /// Its unit; empty if it has none.
    pub unit: String,
    /// Recorded; absent if that side has no such field.
    pub before: Option<Cell>,
    /// Now.
    pub now: Option<Cell>,
}

/// One of the first differences.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DifferenceRow {
    /// When it happened, recorded and now, ns since 1970, in digits; absent where it did not.
    pub ts_ns: [Option<String>; 2],
    /// Kind.
    pub kind: &'static str,
    /// `only-before`, `only-now` or `changed`.
    pub what: &'static str,
    /// Symbol; absent if it is of no instrument.
    pub symbol: Option<String>,
    /// Strategy; absent if it is of none.
    pub strategy: Option<String>,
    /// Account; absent if it is of none.
    pub account: Option<u8>,
    /// The side of the order or signal; absent if it has none.
    pub side: Option<&'static str>,
    /// What differs; of what one side alone has, all fields.
    pub fields: Vec<FieldChange>,
    /// Class of its cause: `change`, `order`, `strategy`, `account`, `limit`, `exchange`, `answers`, `rest`.
    pub cause: &'static str,
    /// When the cause began to differ, ns since 1970, in digits; absent for the change and the rest.
    pub since_ns: Option<String>,
}

/// What became different.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DiffReport {
    /// The settings that were changed and can change a result.
    pub changed: Vec<SettingChange>,
    /// Venues outside the process to which orders went in the record: here their fills are simulated.
    pub fills_simulated: Vec<String>,
    /// Whether the record is under wall time, so that answers came as fast as its run was.
    pub wall_time: bool,
    /// Whether the record came to its true end.
    pub whole: bool,
    /// Whether orders were open when the record begins that the exchange does not know.
    pub open_before: bool,
    /// Outcomes that the record had to leave out may be counted as only now.
    pub gaps: bool,
    /// Kinds of outcomes that only one side has, and that are not compared.
    pub not_compared: Vec<&'static str>,
    /// Differences.
    pub differences: u64,
    /// Differences by class of cause.
    pub causes: BTreeMap<&'static str, u64>,
    /// Every kind of which there is something.
    pub kinds: Vec<KindCount>,
    /// Strategies by account and number.
    pub strategies: Vec<StrategyRow>,
    /// Positions that are others.
    pub positions: Vec<Holding>,
    /// The first differences in the order of time, at most 100: of each kind of market data and measures the first, and of an
    /// order that one side alone has the first.
    pub first: Vec<DifferenceRow>,
}

/// What a report is made with.
pub(crate) struct Shown<'a> {
    pub(crate) listings: &'a Listings,
    pub(crate) names: &'a Instances,
    pub(crate) prices: &'a [Px],
    /// Whether orders went elsewhere in the record.
    pub(crate) elsewhere: bool,
}

/// The report of what was found; what is known of record and settings is filled in by the caller.
pub(crate) fn reported(tally: &Tally, shown: &Shown<'_>) -> DiffReport {
    let causes: BTreeMap<_, _> =
        Class::ALL.into_iter().map(|class| (class.name(), tally.causes[class as usize])).collect();
    let mut first: Vec<_> = tally.listed.iter().collect();
    first.sort_by_key(|of| of.sides.iter().flatten().map(|event| event.ts).min());
    DiffReport {
        changed: Vec::new(),
        fills_simulated: Vec::new(),
        wall_time: false,
        whole: true,
        open_before: false,
        gaps: false,
        not_compared: Vec::new(),
        differences: tally.causes.iter().sum(),
        causes,
        kinds: kinds(tally),
        strategies: strategies(tally, shown),
        positions: positions(tally, shown),
        first: first.into_iter().map(|of| shown.difference(of)).collect(),
    }
}

/// The names of kinds.
pub(crate) fn named(kinds: Kinds) -> Vec<&'static str> {
    KINDS.iter().filter(|info| kinds.has(info.kind)).map(|info| info.name).collect()
}

fn kinds(tally: &Tally) -> Vec<KindCount> {
    let count = |info: &flow::KindInfo| {
        let count = tally.kinds[usize::from(info.kind.0)];
        let (same, only_before, only_now, changed) = (count.same, count.before, count.now, count.changed);
        let found = KindCount { kind: info.name, same, only_before, only_now, changed };
        (same + only_before + only_now + changed > 0).then_some(found)
    };
    KINDS.iter().filter_map(count).collect()
}

fn strategies(tally: &Tally, shown: &Shown<'_>) -> Vec<StrategyRow> {
    let mut net = BTreeMap::<(u8, u16), BTreeMap<String, [Option<i128>; 2]>>::new();
    for ((account, strategy, instrument), held) in &tally.totals.held {
        let currency = shown.currency(*instrument);
        let sums = net.entry((*account, *strategy)).or_default().entry(currency).or_insert([Some(0); 2]);
        for (sum, held) in sums.iter_mut().zip(held) {
            let Some(held) = held else { continue };
            *sum = sum.zip(shown.net(*instrument, held)).map(|(sum, net)| sum + net);
        }
    }
    let mut rows = tally.totals.done.clone();
    rows.extend(net.keys().filter(|key| !tally.totals.done.contains_key(key)).map(|key| (*key, Default::default())));
    let row = |((account, strategy), done): (&(u8, u16), &[super::totals::Done; 2])| StrategyRow {
        strategy: shown.names.strategy_name(StrategyId(*strategy)),
        account: *account,
        orders: done.map(|done| done.orders),
        refused: done.map(|done| done.refused),
        fills: done.map(|done| done.fills),
        qty: done.map(|done| done.qty),
        net: net.get(&(*account, *strategy)).map_or_else(BTreeMap::new, |sums| {
            sums.iter().map(|(currency, sums)| (currency.clone(), sums.map(|sum| sum.map(money)))).collect()
        }),
    };
    rows.iter().map(row).collect()
}

fn money(nano: i128) -> String {
    decimal(nano, 9, 2)
}

fn positions(tally: &Tally, shown: &Shown<'_>) -> Vec<Holding> {
    let differ = tally.totals.held.iter().filter(|(_, held)| held[0] != held[1]);
    let row = |((account, strategy, instrument), held): (&(u8, u16, u32), &[Option<Held>; 2])| Holding {
        symbol: shown.symbol(*instrument),
        strategy: shown.names.strategy_name(StrategyId(*strategy)),
        account: Account(*account).0,
        qty: held.map(|held| held.map(|(position, _)| position.qty)),
        realised: held.map(|held| held.and_then(|(_, money)| amount(money.realised, 2))),
        unrealised: held
            .map(|held| held.and_then(|held| shown.unrealised(*instrument, &held)).map(|n| money(n.into()))),
        fees: held.map(|held| held.and_then(|(_, money)| amount(money.fees, 2))),
    };
    differ.map(row).collect()
}

impl Shown<'_> {
    fn listed(&self, instrument: u32) -> Option<&Listed> {
        self.listings.get(instrument)
    }

    fn symbol(&self, instrument: u32) -> String {
        self.listed(instrument).map_or_else(|| format!("#{instrument}"), |listed| listed.symbol.clone())
    }

    fn currency(&self, instrument: u32) -> String {
        let code = self.listed(instrument).map_or([0; 4], |listed| listed.terms.currency);
        let text = String::from_utf8_lossy(&code).trim_matches(['\0', ' ']).to_owned();
        if text.is_empty() { "-".to_owned() } else { text }
    }

    /// Profit of what is open, at the last price or else what was said with the last fill.
    fn unrealised(&self, instrument: u32, (held, said): &Held) -> Option<i64> {
        let price = self.prices.get(instrument as usize).and_then(|px| px.known()).zip(held.avg_px.known());
        let at_last = price.zip(self.listed(instrument)).map(|((px, avg), listed)| {
            let product = (i128::from(px.0) - i128::from(avg.0)) * i128::from(held.qty);
            Terms::of(&listed.terms).money(product)
        });
        match held.qty {
            0 => known_money(said.realised).map(|_| 0),
            _ => known_money(at_last.unwrap_or(said.unrealised)),
        }
    }

    fn net(&self, instrument: u32, held: &Held) -> Option<i128> {
        let [realised, fees] = [held.1.realised, held.1.fees].map(|nano| known_money(nano).map(i128::from));
        Some(realised? + i128::from(self.unrealised(instrument, held)?) - fees?)
    }

    fn difference(&self, of: &Difference) -> DifferenceRow {
        let sides = [of.sides[0].as_ref(), of.sides[1].as_ref()];
        let event = sides[1].or(sides[0]).expect("a difference has a side");
        let (account, strategy) = owner(event);
        DifferenceRow {
            ts_ns: sides.map(|side| side.map(|event| event.ts.0.to_string())),
            kind: kind_info(event.kind).map_or("unknown", |info| info.name),
            what: match sides {
                [Some(_), Some(_)] => "changed",
                [Some(_), None] => "only-before",
                _ => "only-now",
            },
            symbol: (event.instrument != 0).then(|| self.symbol(event.instrument)),
            strategy: (strategy != 0).then(|| self.names.strategy_name(StrategyId(strategy))),
            account: (account != 0).then_some(account),
            side: match event.side() {
                flow::Side::Buy => Some("buy"),
                flow::Side::Sell => Some("sell"),
                flow::Side::None => None,
            },
            fields: self.fields(sides),
            cause: of.because.class.name(),
            since_ns: of.because.since.map(|since| since.0.to_string()),
        }
    }

    /// The fields that differ; where one side alone has it, all that are not absent.
    fn fields(&self, sides: [Option<&Event>; 2]) -> Vec<FieldChange> {
        let kind = sides.into_iter().flatten().map(|event| event.kind).next().expect("a difference has a side");
        let shown = |event: &Event| fields(event, self.listed(event.instrument), self.names);
        let [before, now] = sides.map(|side| side.map_or_else(Vec::new, shown));
        let of = |of: &[crate::rows::Shown], name: &str| of.iter().find(|f| f.name == name).map(|f| f.value.clone());
        let all = if now.is_empty() { &before } else { &now };
        let change = |field: &crate::rows::Shown| {
            let (before, now) = (of(&before, field.name), of(&now, field.name));
            let differs = before.as_ref().map(Cell::to_csv) != now.as_ref().map(Cell::to_csv);
            let says = [&before, &now].into_iter().flatten().any(|cell| *cell != Cell::Null);
            let (name, unit) = (field.name.to_owned(), field.unit.clone().into_owned());
            (differs && says).then_some(FieldChange { field: name, unit, before, now })
        };
        let told = all.iter().filter(|field| !Masks::leaves_out(kind, field.name, self.elsewhere));
        told.filter_map(change).collect()
    }
}
