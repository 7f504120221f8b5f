//! Where trading stands, as the status shows it: values in their units, symbols and names instead of numbers.

use crate::pipeline::{Answer, FeedState, HaltCause, HeldPosition, QuotedInstrument};
use crate::report::{AccountReport, PnlReport, accounts, pnls};
use flow::{
    Account, ClosingPosition, ClosingWait, FlattenState, FlattenTarget, LevelInForce, LimitInForce, Ns, Px, Side,
    StrategyId, WorkingOrder, amount, decimal,
};
use serde::{Deserialize, Serialize};
use stages::Instances;
use std::time::Duration;

/// Where trading stands, as the pipeline said it last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TradingStatus {
    /// Age of the answer: a pipeline that hangs gives no new one.
    pub age_ms: u64,
    /// The last input before it.
    pub seq: u64,
    /// Whether trading is halted; absent if the pipeline does not trade.
    pub halted: Option<bool>,
    /// What halted it.
    pub halt: Option<HaltCause>,
    /// How many instruments have doubtful data.
    pub doubtful: u64,
    /// Symbols of the first of them.
    pub doubtful_symbols: Vec<String>,
    /// What is closed by command, if anything is.
    pub flatten: Option<FlattenStatus>,
    /// The limits in force.
    pub limits: Vec<LimitStatus>,
    /// The tables of limits beside them, in their order.
    pub tables: Vec<TableStatus>,
    /// How many orders are open.
    pub open_orders: u64,
    /// The first of them.
    pub orders: Vec<OrderStatus>,
    /// How many positions are not flat.
    pub held: u64,
    /// The first of them.
    pub positions: Vec<PositionStatus>,
    /// Profit and loss by account and currency, at the last prices.
    pub pnl: Vec<PnlReport>,
    /// The whole of each account that has a currency and money in another one.
    pub accounts: Vec<AccountReport>,
    /// The feeds, in order.
    pub feeds: Vec<FeedStatus>,
}

/// Positions that are closed by command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlattenStatus {
    /// Whose positions, one for each command.
    pub of: Vec<FlattenOf>,
    /// Orders that have not ended: as long as there are any, nothing is closed.
    pub orders: u64,
    /// How many positions are not flat.
    pub left: u64,
    /// The first of them; those that wait for a halt, or were refused, before the others.
    pub positions: Vec<ClosingStatus>,
}

/// Whose positions are closed, and where; absent = all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlattenOf {
    /// Account.
    pub account: Option<u8>,
    /// Strategy.
    pub strategy: Option<String>,
    /// Symbol.
    pub symbol: Option<String>,
}

/// A position that is closed by command and not flat yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosingStatus {
    /// Symbol.
    pub symbol: String,
    /// Strategy.
    pub strategy: String,
    /// Account.
    pub account: u8,
    /// Signed quantity that is left.
    pub qty: i64,
    /// What it waits for: `halt` for the end of its halt, `fill` for its order, `turn` for its next order.
    pub waits_for: String,
    /// The check of the gate that refused its last order.
    pub refused: Option<String>,
}

/// A limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitStatus {
    /// The check.
    pub check: String,
    /// The limit in force, in the check's unit.
    pub limit: i64,
    /// The most that a command may set.
    pub ceiling: i64,
}

/// A table of limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableStatus {
    /// Its number, from 1, as in `level` of a refusal.
    pub table: u16,
    /// What it is for: `account 2, mom-fast, AAPL`.
    pub scope: String,
    /// Its limits.
    pub limits: Vec<LimitStatus>,
}

/// An open order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderStatus {
    /// Its id, in digits, since a double does not hold it.
    pub id: String,
    /// Symbol.
    pub symbol: String,
    /// `buy` or `sell`.
    pub side: String,
    /// Quantity that is open.
    pub left: u64,
    /// Quantity that is filled.
    pub filled: u64,
    /// Best bid now.
    pub bid_px: Option<String>,
    /// Best ask now.
    pub ask_px: Option<String>,
}

/// A position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PositionStatus {
    /// Symbol.
    pub symbol: String,
    /// Strategy.
    pub strategy: String,
    /// Account.
    pub account: u8,
    /// Signed quantity.
    pub qty: i64,
    /// Average entry price.
    pub avg_px: Option<String>,
    /// Best bid now.
    pub bid_px: Option<String>,
    /// Best ask now.
    pub ask_px: Option<String>,
    /// Realised profit before fees; absent without a multiplier.
    pub realised: Option<String>,
    /// Profit of the open quantity at the last price; absent without a multiplier.
    pub unrealised: Option<String>,
    /// Fees; absent if one of them is not known.
    pub fees: Option<String>,
}

/// A feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedStatus {
    /// Its name.
    pub name: String,
    /// Inputs so far.
    pub inputs: u64,
    /// Time since its last input: of the wall under the wall clock, else of the exchange up to the last input of all feeds.
    pub age_ms: Option<u64>,
    /// Whether that time is the exchange's: then a single feed is never old.
    pub exchange_time: bool,
    /// Whether it has ended.
    pub ended: bool,
    /// Why nothing more comes of a live one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

impl TradingStatus {
    /// An answer of the pipeline, `age` old.
    pub(crate) fn of(answer: &Answer, age: Duration, names: &Instances) -> TradingStatus {
        let Answer { head, stages, tail, .. } = answer;
        let quoted = |instrument: u32| tail.quotes.iter().find(|q| q.instrument == instrument);
        let now = head.clock.map_or(head.now, |clock| Ns(clock.0 + age.as_nanos() as u64));
        TradingStatus {
            age_ms: age.as_millis() as u64,
            seq: head.seq,
            halted: stages.halted,
            halt: tail.halt.clone().filter(|_| stages.halted == Some(true)),
            doubtful: stages.doubtful,
            doubtful_symbols: stages.doubtful_instruments.iter().map(|at| symbol(*at, quoted(*at))).collect(),
            flatten: stages.flatten.as_ref().map(|f| flatten(f, quoted, names)),
            limits: stages.limits.iter().map(limit).collect(),
            tables: stages.levels.chunk_by(|a, b| a.table == b.table).map(|of| table(of, names)).collect(),
            open_orders: stages.open_orders,
            orders: stages.orders.iter().map(|o| OrderStatus::of(o, quoted(o.instrument))).collect(),
            held: tail.held,
            positions: tail.positions.iter().map(|p| PositionStatus::of(p, quoted(p.instrument), names)).collect(),
            pnl: pnls(&tail.pnl),
            accounts: accounts(&tail.pnl, &stages.valuation),
            feeds: head.feeds.iter().map(|feed| feed_status(feed, now, head.clock.is_none())).collect(),
        }
    }
}

fn limit(limit: &LimitInForce) -> LimitStatus {
    let LimitInForce { check, limit, ceiling, .. } = *limit;
    LimitStatus { check: stages::risk::check_name(check).to_owned(), limit, ceiling }
}

/// A table of limits, which has one at least.
fn table(limits: &[LevelInForce], names: &Instances) -> TableStatus {
    let table = limits[0].table;
    let scope = names.limit(table).map_or_else(|| format!("table {table}"), str::to_owned);
    TableStatus { table, scope, limits: limits.iter().map(|level| limit(&level.of)).collect() }
}

fn flatten<'a>(
    state: &FlattenState,
    quoted: impl Fn(u32) -> Option<&'a QuotedInstrument>,
    names: &Instances,
) -> FlattenStatus {
    let symbol = |instrument: u32| symbol(instrument, quoted(instrument));
    let of = |of: &FlattenTarget| FlattenOf {
        account: Some(of.account.0).filter(|account| *account != Account::NONE.0),
        strategy: (of.strategy != StrategyId::NONE).then(|| names.strategy_name(of.strategy)),
        symbol: (of.instrument != 0).then(|| symbol(of.instrument)),
    };
    let position = |p: &ClosingPosition| {
        let (waits_for, check) = match p.waits {
            ClosingWait::Halt => ("halt", None),
            ClosingWait::Refused(check) => ("turn", Some(check)),
            ClosingWait::Fill => ("fill", None),
            ClosingWait::Turn => ("turn", None),
        };
        let (symbol, strategy) = (symbol(p.instrument), names.strategy_name(p.strategy));
        let refused = check.map(|check| stages::risk::check_name(check).to_owned());
        ClosingStatus { symbol, strategy, account: p.account.0, qty: p.qty, waits_for: waits_for.to_owned(), refused }
    };
    FlattenStatus {
        of: state.of.iter().map(of).collect(),
        orders: state.orders,
        left: state.left,
        positions: state.positions.iter().map(position).collect(),
    }
}

/// Best bid and ask of an instrument.
fn touch(quoted: Option<&QuotedInstrument>) -> [Option<String>; 2] {
    let Some(QuotedInstrument { decimals, top: Some(top), .. }) = quoted else { return [None, None] };
    [top.bid_px, top.ask_px].map(|px| px.known().map(|px| decimal(px.0.into(), 9, *decimals)))
}

fn symbol(instrument: u32, quoted: Option<&QuotedInstrument>) -> String {
    quoted.map_or_else(|| format!("#{instrument}"), |q| q.symbol.clone())
}

impl OrderStatus {
    /// An open order.
    pub(crate) fn of(order: &WorkingOrder, quoted: Option<&QuotedInstrument>) -> OrderStatus {
        let [bid_px, ask_px] = touch(quoted);
        let side = if order.side == Side::Sell { "sell" } else { "buy" }.to_owned();
        let WorkingOrder { id, left, filled, .. } = *order;
        OrderStatus {
            id: id.0.to_string(),
            symbol: symbol(order.instrument, quoted),
            side,
            left,
            filled,
            bid_px,
            ask_px,
        }
    }
}

impl PositionStatus {
    /// A position.
    pub(crate) fn of(held: &HeldPosition, quoted: Option<&QuotedInstrument>, names: &Instances) -> PositionStatus {
        let [bid_px, ask_px] = touch(quoted);
        let decimals = quoted.map_or(2, |q| q.decimals);
        PositionStatus {
            symbol: symbol(held.instrument, quoted),
            strategy: names.strategy_name(held.strategy),
            account: held.account.0,
            qty: held.position.qty,
            avg_px: Px::known(held.position.avg_px).map(|px| decimal(px.0.into(), 9, decimals)),
            bid_px,
            ask_px,
            realised: amount(held.money.realised, 2),
            unrealised: amount(held.money.unrealised, 2),
            fees: amount(held.money.fees, 2),
        }
    }
}

fn feed_status(feed: &FeedState, now: Ns, exchange_time: bool) -> FeedStatus {
    let age_ms = feed.last.known().map(|last| now.0.saturating_sub(last.0) / 1_000_000);
    let FeedState { name, inputs, ended, failed, .. } = feed.clone();
    FeedStatus { name, inputs, age_ms, exchange_time, ended, failed }
}
