//! Limits at levels, worked by hand: one beyond is refused with the level named, and a cancel releases.

use crate::harness::Behind;
use flow::records::{
    Ack, BookTop, Bust, Cancelled, Command, CommandOutcome, Fill, Listing, Name, Order, Refused, ReplaceRequest,
    Request,
};
use flow::{
    Account, CommandAction, CommandResult, Event, EventId, Flags, Kind, Kinds, Listings, Ns, OrderId, Out, Params, Px,
    Qty, Record, Side, Stage, StateReader, StateWriter, StrategyId, TradingState,
};
use stages::Space;
use stages::risk::{self, PARAMS, RiskStage, check_name};

/// Check, number of the table, limit and value; none if it passed.
pub(crate) type Refusal = Option<(&'static str, u16, i64, i64)>;

/// Instruments 1 and 2 are A at two venues, 3 is B; 3 trades in pence.
pub(crate) struct Levelled {
    stage: Behind<RiskStage>,
    params: Params,
    listings: Listings,
    out: Out,
    seq: u64,
    counter: u64,
    pub(crate) ms: u64,
}

/// A table from `key=value` parts; a strategy is its number.
fn table(text: &str) -> Params {
    let mut table = Params::default();
    for part in text.split_whitespace() {
        let (key, value) = part.split_once('=').unwrap();
        if key == "strategy" {
            table = risk::numbered(table, risk::STRATEGY_NUMBER, value.parse().unwrap());
            continue;
        }
        let param = risk::LIMIT_KEYS.iter().find(|param| param.name == key).unwrap();
        table.set(param, param.parse(key, value).unwrap());
    }
    table
}

/// The table of an account.
pub(crate) fn account(number: u64, set: &[(&str, &str)]) -> Params {
    let mut table = Params::default();
    for (name, value) in set {
        let key = risk::ACCOUNT_KEYS.iter().find(|param| param.name == *name).unwrap();
        table.set(key, key.parse(name, value).unwrap());
    }
    risk::numbered(table, risk::ACCOUNT_NUMBER, number)
}

impl Levelled {
    fn new(tables: &[&str]) -> Levelled {
        Levelled::with(&[], tables, &[])
    }

    fn with(set: &[(&str, &str)], tables: &[&str], papers: &[u64]) -> Levelled {
        let paper = |number: &u64| (risk::ACCOUNT, account(*number, &[("mode", "paper")]));
        Levelled::beside(set, tables, papers.iter().map(paper))
    }

    /// With tables of limits, and other tables by name.
    pub(crate) fn beside(
        set: &[(&str, &str)],
        tables: &[&str],
        beside: impl IntoIterator<Item = (&'static str, Params)>,
    ) -> Levelled {
        let mut params = Params::defaults(PARAMS);
        for (name, value) in set {
            let param = PARAMS.iter().find(|param| param.name == *name).unwrap();
            params.set(param, param.parse(name, value).unwrap());
        }
        tables.iter().for_each(|text| params.add_table(risk::LIMIT, table(text)));
        beside.into_iter().for_each(|(name, table)| params.add_table(name, table));
        let stage = Behind::new(SPACE, RiskStage::new(&params, SPACE).unwrap());
        let (out, listings) = (Out::new(11, Kinds::ALL), Listings::default());
        let mut gate = Levelled { stage, params, listings, out, seq: 0, counter: 0, ms: 1_000 };
        for (at, symbol, venue, currency) in
            [(1, b'A', *b"XNAS", *b"USD\0"), (2, b'A', *b"XNYS", *b"USD\0"), (3, b'B', *b"XLON", *b"GBX\0")]
        {
            let mut name = Name { part: 0, parts: 1, len: 1, ..Name::default() };
            name.text[0] = symbol;
            gate.input(at, Side::None, &name);
            let terms = Listing { venue, currency, tick_px: Px(10_000_000), multiplier: Px::ONE, ..Listing::default() };
            gate.input(at, Side::None, &terms);
            gate.input(at, Side::None, &BookTop { bid_px: cents(9_999), ask_px: cents(10_001), ..BookTop::default() });
        }
        gate
    }

    pub(crate) fn input<R: Record>(&mut self, instrument: u32, side: Side, record: &R) -> Vec<Event> {
        self.seq += 1;
        self.event(0, instrument, side, record)
    }

    fn event<R: Record>(&mut self, position: u8, instrument: u32, side: Side, record: &R) -> Vec<Event> {
        let event = Event::new(Ns(self.ms * 1_000_000), instrument, Flags::side_only(side), record);
        let event = Event { id: EventId::new(self.seq, position, 0), ..event };
        self.listings.observe(&event);
        self.out.begin(&event);
        self.stage.on_event(&event, &mut self.out);
        self.out.events().to_vec()
    }

    fn terms(&mut self, (account, strategy): (u8, u16), qty: u64) -> Request {
        self.counter += 1;
        let order_id = OrderId::new(Account(account), StrategyId(strategy), self.counter).0;
        Request { order_id, px: cents(10_000), qty: Qty(qty), order_type: 1, tif: 1, ..Request::default() }
    }

    /// Account and strategy ask for so much of an instrument; returns the id of the order and what became of it.
    fn ask(&mut self, who: (u8, u16), instrument: u32, side: Side, qty: u64) -> (u64, Refusal) {
        let request = self.terms(who, qty);
        self.seq += 1;
        let events = self.event(9, instrument, side, &request);
        (request.order_id, outcome(&events[0]))
    }

    pub(crate) fn buy(&mut self, who: (u8, u16), instrument: u32, qty: u64) -> (u64, Refusal) {
        self.ask(who, instrument, Side::Buy, qty)
    }

    fn cancelled(&mut self, instrument: u32, order_id: u64) {
        self.input(instrument, Side::Buy, &Cancelled { order_id, ..Cancelled::default() });
    }

    fn filled(&mut self, instrument: u32, side: Side, order_id: u64, qty: u64) {
        let fill = Fill { order_id, match_id: order_id, px: cents(10_000), qty: Qty(qty), cause: 0 };
        self.input(instrument, side, &fill);
    }

    fn saved(&self) -> Vec<u8> {
        let mut writer = StateWriter::new(&self.listings);
        self.stage.save(&mut writer);
        writer.into_bytes()
    }

    /// Where trading stands.
    pub(crate) fn said(&self) -> TradingState {
        let mut said = TradingState::default();
        self.stage.trading_state(&mut said);
        said
    }

    /// Goes on with a stage that loaded this one's state.
    pub(crate) fn reload(&mut self) {
        let (bytes, mut stage) = (self.saved(), Behind::new(SPACE, RiskStage::new(&self.params, SPACE).unwrap()));
        let mut reader = StateReader::new(&self.listings, &bytes);
        stage.load(&mut reader).and_then(|()| reader.finish()).unwrap();
        self.stage = stage;
        assert!(self.saved() == bytes);
    }
}

const SPACE: Space = Space { instruments: 6, fills: 64, positions: 64 };

fn cents(n: i64) -> Px {
    Px(n * Px::ONE / 100)
}

fn outcome(event: &Event) -> Refusal {
    if event.kind == Kind::Order {
        let _: &Order = event.record();
        return None;
    }
    let Refused { check, level, limit, value, .. } = *event.record();
    Some((check_name(check), level, limit, value))
}

/// A scope, an order inside it, and one outside.
type Case = (&'static str, ((u8, u16), u32), ((u8, u16), u32));

/// At each kind of level: 100 are in, one more is not, outside it is; what is cancelled is free again.
#[test]
fn one_beyond_is_refused_at_every_kind_of_level_and_a_cancel_releases() {
    let cases: &[Case] = &[
        ("account=2", ((2, 7), 1), ((1, 7), 1)),
        ("strategy=7", ((2, 7), 1), ((2, 8), 1)),
        ("symbol=A", ((2, 7), 2), ((2, 7), 3)),
        ("symbol=A@XNAS", ((2, 7), 1), ((2, 7), 2)),
        ("currency=GBP", ((2, 7), 3), ((2, 7), 1)),
        ("account=2 strategy=7", ((2, 7), 1), ((2, 8), 1)),
        ("account=2 strategy=7 symbol=A currency=USD", ((2, 7), 1), ((2, 7), 3)),
    ];
    for (scope, (who, at), (other, elsewhere)) in cases {
        let mut gate = Levelled::new(&[&format!("{scope} max_position=100")]);
        let (first, passed) = gate.buy(*who, *at, 60);
        assert_eq!((passed, gate.buy(*who, *at, 40).1), (None, None), "{scope}");
        assert_eq!(gate.buy(*who, *at, 1).1, Some(("position", 1, 100, 101)), "{scope}");
        assert_eq!(gate.ask(*who, *at, Side::Sell, 100).1, None, "{scope}: each side for itself");
        assert_eq!(gate.buy(*other, *elsewhere, 101).1, None, "{scope}");
        gate.reload();
        assert_eq!(gate.buy(*who, *at, 1).1, Some(("position", 1, 100, 101)), "{scope}");
        gate.cancelled(*at, first);
        assert_eq!(gate.buy(*who, *at, 61).1, Some(("position", 1, 100, 101)), "{scope}");
        assert_eq!(gate.buy(*who, *at, 60).1, None, "{scope}");
        let mut gate = Levelled::new(&[&format!("{scope} max_open_orders=2")]);
        let (first, _) = gate.buy(*who, *at, 1);
        assert_eq!(gate.buy(*who, *at, 1).1, None, "{scope}");
        assert_eq!(gate.buy(*who, *at, 1).1, Some(("open-orders", 1, 2, 3)), "{scope}");
        assert_eq!(gate.buy(*other, *elsewhere, 1).1, None, "{scope}");
        gate.reload();
        gate.cancelled(*at, first);
        assert_eq!((gate.buy(*who, *at, 1).1, gate.buy(*who, *at, 1).1), (None, Some(("open-orders", 1, 2, 3))));
        let mut gate = Levelled::new(&[&format!("{scope} max_messages=2")]);
        gate.buy(*who, *at, 1);
        gate.ms += 999;
        assert_eq!(gate.buy(*who, *at, 1).1, None, "{scope}");
        gate.reload();
        assert_eq!(gate.buy(*who, *at, 1).1, Some(("throttle", 1, 2, 3)), "{scope}");
        assert_eq!(gate.buy(*other, *elsewhere, 1).1, None, "{scope}");
        gate.ms += 1;
        assert_eq!(gate.buy(*who, *at, 1).1, None, "{scope}: the first is a window old");
        let of_order = [
            ("max_quantity=5", "max-quantity", 5, 6),
            ("max_notional=500", "max-notional", 500, 600),
            ("collar_bps=0", "price-collar", 0, 0),
            ("max_data_age_ms=0", "stale-data", 0, 0),
        ];
        for (limit, check, most, value) in of_order {
            let mut gate = Levelled::new(&[&format!("{scope} {limit}")]);
            assert_eq!(gate.buy(*who, *at, 6).1, Some((check, 1, most, value)), "{scope}");
            assert_eq!(gate.buy(*other, *elsewhere, 6).1, None, "{scope}");
            assert_eq!(gate.buy(*who, *at, 5).1.is_some(), most == 0, "{scope}");
        }
    }
}

#[test]
fn the_most_specific_level_is_named_and_the_others_hold_too() {
    let tables = [
        "max_quantity=9",
        "account=2 max_quantity=8",
        "strategy=7 max_quantity=7",
        "account=2 strategy=7 max_quantity=6",
    ];
    let mut gate = Levelled::with(&[("max_quantity", "10")], &tables, &[]);
    let mut named = |who, qty| gate.buy(who, 1, qty).1.map(|(_, level, limit, _)| (level, limit));
    assert_eq!([6, 7, 11].map(|qty| named((2, 7), qty)), [None, Some((4, 6)), Some((4, 6))]);
    assert_eq!([8, 9, 11].map(|qty| named((2, 8), qty)), [None, Some((2, 8)), Some((2, 8))]);
    assert_eq!([7, 8].map(|qty| named((1, 7), qty)), [None, Some((3, 7))]);
    assert_eq!([9, 10].map(|qty| named((1, 8), qty)), [None, Some((1, 9))]);
    let mut gate =
        Levelled::with(&[("max_quantity", "10")], &["account=2 strategy=7 max_quantity=1000", "max_quantity=20"], &[]);
    assert_eq!(gate.buy((2, 7), 1, 11).1, Some(("max-quantity", 0, 10, 11)), "a level does not widen");
    let mut gate = Levelled::new(&["account=2 strategy=7 max_open_orders=1", "symbol=A max_position=5"]);
    assert_eq!(gate.buy((2, 7), 1, 5).1, None);
    assert_eq!(gate.buy((2, 7), 1, 1).1, Some(("position", 2, 5, 6)), "the checks keep their order");
}

#[test]
fn strategies_net_within_their_level_and_accounts_within_the_firm() {
    let mut gate = Levelled::new(&["strategy=7 max_position=100", "max_position=150"]);
    let (bought, _) = gate.buy((1, 7), 1, 80);
    gate.filled(1, Side::Buy, bought, 80);
    let (sold, _) = gate.ask((2, 8), 1, Side::Sell, 60);
    gate.filled(1, Side::Sell, sold, 60);
    assert_eq!(gate.buy((2, 7), 1, 21).1, Some(("position", 1, 100, 101)), "80 of the strategy in another account");
    assert_eq!(gate.buy((3, 9), 1, 131).1, Some(("position", 2, 150, 151)), "20 of all together");
    gate.reload();
    assert_eq!(gate.buy((3, 9), 1, 131).1, Some(("position", 2, 150, 151)));
    let bust = Bust { order_id: sold, match_id: sold, px: cents(10_000), qty: Qty(60), fee: 0 };
    gate.input(1, Side::Sell, &bust);
    assert_eq!(gate.buy((3, 9), 1, 71).1, Some(("position", 2, 150, 151)), "the bust gives 80 back");
    assert_eq!(gate.buy((3, 9), 1, 70).1, None);
}

#[test]
fn paper_and_live_never_net() {
    let mut gate = Levelled::with(&[], &["symbol=A max_position=100 max_open_orders=2 max_messages=3"], &[3, 4]);
    let (long, _) = gate.buy((3, 7), 1, 90);
    gate.filled(1, Side::Buy, long, 90);
    assert_eq!(gate.buy((4, 7), 1, 11).1, Some(("position", 1, 100, 101)), "both are paper");
    assert_eq!(
        gate.ask((1, 7), 1, Side::Sell, 101).1,
        Some(("position", 1, 100, 101)),
        "what is long on paper is not long"
    );
    let (short, passed) = gate.ask((1, 7), 1, Side::Sell, 100);
    assert_eq!(passed, None);
    gate.filled(1, Side::Sell, short, 100);
    assert_eq!(gate.ask((2, 7), 1, Side::Sell, 1).1, Some(("position", 1, 100, 101)), "both are live");
    gate.reload();
    assert_eq!(gate.buy((4, 7), 1, 11).1, Some(("position", 1, 100, 101)));
    let mut open = |account| gate.buy((account, 7), 1, 1).1.map(|(check, ..)| check);
    assert_eq!([4, 3, 4].map(&mut open), [None, None, Some("open-orders")]);
    assert_eq!([1, 2, 2].map(&mut open), [None, None, Some("open-orders")]);
    gate.ms += 999;
    assert_eq!(gate.buy((4, 7), 2, 1).1, Some(("open-orders", 1, 2, 3)), "over all instruments of the level");
}

#[test]
fn replaces_and_groups_give_back_what_they_took() {
    let mut gate = Levelled::new(&["account=2 max_position=100 max_open_orders=3 max_messages=6"]);
    let (first, _) = gate.buy((2, 7), 1, 60);
    gate.counter += 1;
    let new_id = OrderId::new(Account(2), StrategyId(7), gate.counter).0;
    let replace =
        |qty| ReplaceRequest { order_id: first, new_id, px: cents(10_000), qty: Qty(qty), ..Default::default() };
    gate.seq += 1;
    assert_eq!(outcome(&gate.event(9, 1, Side::Buy, &replace(101))[0]), Some(("position", 1, 100, 101)));
    assert_eq!(outcome(&gate.event(9, 1, Side::Buy, &replace(90))[0]), None);
    gate.reload();
    assert_eq!(gate.buy((2, 8), 1, 11).1, Some(("position", 1, 100, 101)), "the larger of the two counts");
    gate.input(1, Side::Buy, &Ack { order_id: new_id, replaces: first, ..Ack::default() });
    // Of three legs the last is one too many: none counts, nor do their messages.
    let legs: Vec<_> = [4, 4, 3].map(|qty| Request { group: 5, legs: 3, ..gate.terms((2, 8), qty) }).into();
    gate.seq += 1;
    let events: Vec<_> = legs.iter().flat_map(|leg| gate.event(9, 1, Side::Buy, leg)).collect();
    assert_eq!(outcome(&events[2]), Some(("position", 1, 100, 101)));
    assert_eq!(outcome(&events[0]), Some(("group", 0, 3, 2)));
    assert_eq!(gate.buy((2, 8), 1, 10).1, None);
    gate.cancelled(1, new_id);
    let legs: Vec<_> = [40, 50].map(|qty| Request { group: 6, legs: 2, ..gate.terms((2, 8), qty) }).into();
    gate.seq += 1;
    let events: Vec<_> = legs.iter().flat_map(|leg| gate.event(9, 1, Side::Buy, leg)).collect();
    assert_eq!(events.iter().map(outcome).collect::<Vec<_>>(), [None, None]);
    assert_eq!(gate.buy((2, 8), 3, 1).1, Some(("open-orders", 1, 3, 4)));
    gate.cancelled(1, legs[0].order_id);
    assert_eq!(gate.buy((2, 8), 3, 1).1, None, "the sixth message");
    gate.cancelled(1, legs[1].order_id);
    assert_eq!(gate.buy((2, 8), 3, 1).1, Some(("throttle", 1, 6, 7)));
}

/// What becomes of a command that sets a limit of a table: result, the value before, and the one in force.
fn set(gate: &mut Levelled, target: (u16, u16), old: i64, new: i64) -> (CommandResult, i64, i64) {
    let (action, target) =
        (CommandAction::SetLimit.code(), risk::LimitTarget { table: target.0, check: target.1 }.code());
    let events = gate.input(0, Side::None, &Command { action, target, old, new, ..Command::default() });
    let CommandOutcome { result, old, new, target: same, .. } = *events[0].record();
    assert_eq!(same, target);
    (CommandResult::from_code(result).unwrap(), old, new)
}

#[test]
fn a_limit_of_a_table_is_set_and_stays_set() {
    use CommandResult::{AboveCeiling, Applied, OutOfRange, UnknownTarget, WrongOld};
    let tables =
        ["account=2 max_position=100 max_messages=2 ceilings=position=150,throttle=4", "symbol=A max_quantity=50"];
    let mut gate = Levelled::new(&tables);
    assert_eq!(set(&mut gate, (1, 6), 99, 80), (WrongOld, 100, 100));
    assert_eq!(set(&mut gate, (1, 6), 100, 151), (AboveCeiling, 100, 100));
    assert_eq!(set(&mut gate, (1, 6), 100, -1), (OutOfRange, 100, 100));
    for nowhere in [(1, 3), (2, 6), (3, 6), (1, 11), (1, 80)] {
        assert_eq!(set(&mut gate, nowhere, 0, 1), (UnknownTarget, 0, 0), "{nowhere:?}");
    }
    assert_eq!(set(&mut gate, (2, 3), 50, 51), (AboveCeiling, 50, 50), "without a ceiling as far as it is configured");
    assert_eq!(set(&mut gate, (1, 6), 100, 150), (Applied, 100, 150));
    assert_eq!(set(&mut gate, (2, 3), 50, 40), (Applied, 50, 40));
    let said = |gate: &Levelled| {
        let of = |level: &flow::LevelInForce| {
            (level.table, level.of.check, level.of.limit, level.of.configured, level.of.ceiling)
        };
        gate.said().levels.iter().map(of).collect::<Vec<_>>()
    };
    let in_force = vec![(1, 6, 150, 100, 150), (1, 8, 2, 2, 4), (2, 3, 40, 50, 50)];
    assert_eq!(said(&gate), in_force);
    gate.reload();
    assert_eq!(said(&gate), in_force);
    assert_eq!(gate.buy((2, 7), 1, 41).1, Some(("max-quantity", 2, 40, 41)));
    assert_eq!(gate.buy((2, 7), 3, 151).1, Some(("position", 1, 150, 151)));
    assert_eq!(gate.buy((2, 7), 3, 150).1, None);
    // What passed while a throttle was higher counts when it is low again.
    assert_eq!(set(&mut gate, (1, 8), 2, 4), (Applied, 2, 4));
    assert_eq!([(); 3].map(|()| gate.buy((2, 7), 1, 1).1), [None; 3]);
    assert_eq!(gate.buy((2, 7), 1, 1).1, Some(("throttle", 1, 4, 5)));
    assert_eq!(set(&mut gate, (1, 8), 4, 0), (Applied, 4, 0));
    gate.reload();
    assert_eq!(gate.buy((2, 7), 1, 1).1, Some(("throttle", 1, 0, 5)));
}

#[test]
fn a_ceiling_of_a_table_is_for_a_limit_that_it_sets_and_not_below_it() {
    let faults = |text: &str| {
        let mut params = Params::defaults(PARAMS);
        params.add_table(risk::LIMIT, table(text));
        risk::limit_faults(&params)
            .into_iter()
            .map(|fault| format!("{}: {}", fault.key, fault.found))
            .collect::<Vec<_>>()
    };
    assert_eq!(faults("max_position=100 ceilings=position=100"), [""; 0]);
    let below = "limit[1].ceilings.position: 99 is below the configured limit 100";
    assert_eq!(faults("max_position=100 ceilings=position=99"), [below]);
    let absent = "limit[1].ceilings.throttle: the table sets no max_messages";
    assert_eq!(faults("max_position=100 ceilings=throttle=9"), [absent]);
}

/// An order that only reduces passes every level, and counts in it.
#[test]
fn an_order_that_only_reduces_is_counted_but_not_judged() {
    let mut gate = Levelled::new(&["account=2 max_position=100 max_open_orders=0 max_messages=1 max_quantity=1"]);
    let mut reducing = Request { reduces: 1, ..gate.terms((2, 7), 60) };
    for _ in 0..2 {
        gate.counter += 1;
        reducing.order_id = OrderId::new(Account(2), StrategyId(7), gate.counter).0;
        gate.seq += 1;
        assert_eq!(outcome(&gate.event(9, 1, Side::Sell, &reducing)[0]), None);
    }
    assert_eq!(gate.ask((2, 7), 1, Side::Sell, 1).1, Some(("position", 1, 100, 121)));
    assert_eq!(gate.buy((2, 7), 1, 1).1, Some(("open-orders", 1, 0, 3)));
}

/// What a listing says later moves what is held into its level.
#[test]
fn the_limits_of_the_tables_are_said_in_the_order_of_the_configuration() {
    let gate = Levelled::new(&[
        "max_quantity=7",
        "account=2 symbol=A max_open_orders=3 max_position=100",
        "account=2 collar_bps=9",
    ]);
    let said: Vec<_> = gate.said().levels.iter().map(|l| (l.table, check_name(l.of.check), l.of.limit)).collect();
    let expected = [(1, "max-quantity", 7), (2, "position", 100), (2, "open-orders", 3), (3, "price-collar", 9)];
    assert_eq!(said, expected);
    assert_eq!(Levelled::new(&[]).said().levels, []);
}

#[test]
fn a_currency_that_comes_later_counts_what_is_held() {
    let mut gate = Levelled::new(&["currency=EUR strategy=7 max_position=100 max_open_orders=3"]);
    let (held, _) = gate.buy((1, 7), 1, 90);
    gate.filled(1, Side::Buy, held, 90);
    let (open, _) = gate.buy((1, 7), 1, 5);
    assert_eq!(gate.buy((1, 7), 1, 90).1, None, "it trades in dollars");
    let terms = Listing { tick_px: Px(10_000_000), multiplier: Px::ONE, venue: *b"XNAS", ..Listing::default() };
    gate.input(1, Side::None, &Listing { currency: *b"EUR\0", ..terms });
    assert_eq!(gate.buy((1, 7), 1, 1).1, Some(("position", 1, 100, 186)));
    assert_eq!(gate.buy((1, 7), 1, 1).1, Some(("position", 1, 100, 186)));
    gate.reload();
    gate.cancelled(1, open);
    assert_eq!(gate.buy((1, 7), 1, 1).1, Some(("position", 1, 100, 181)));
    gate.input(1, Side::None, &Listing { currency: *b"USD\0", ..terms });
    assert_eq!(gate.buy((1, 7), 1, 1).1, None);
}

#[test]
fn without_room_for_a_holding_nothing_more_is_opened() {
    let mut gate = Levelled::with(&[("max_holdings", "2")], &["account=2 max_position=100"], &[]);
    let (first, _) = gate.buy((1, 7), 1, 1);
    assert_eq!((gate.buy((1, 8), 1, 1).1, gate.buy((1, 8), 1, 1).1), (None, None));
    assert_eq!(gate.buy((1, 9), 1, 1).1, Some(("position", 0, 2, i64::MAX)));
    gate.cancelled(1, first);
    assert_eq!(gate.buy((1, 9), 1, 1).1, None);
    gate.filled(3, Side::Buy, OrderId::new(Account(5), StrategyId(5), 1).0, 1);
    assert_eq!(gate.buy((1, 9), 1, 1).1, Some(("position", 0, 2, i64::MAX)), "whose sums are too low is not known");
    gate.reload();
    assert_eq!(gate.buy((1, 9), 1, 1).1, Some(("position", 0, 2, i64::MAX)));
}
