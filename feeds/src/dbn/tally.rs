//! Statistics of a stream: records by type, orders by action, and flags that cast doubt on the data.

use dbn::{FlagSet, rtype};
use flow::Count;

/// Names of the record types, which are Databento's schema names.
const NAMES: &[(u8, &str)] = &[
    (rtype::MBO, "mbo"),
    (rtype::MBP_0, "trades"),
    (rtype::MBP_1, "mbp-1"),
    (rtype::MBP_10, "mbp-10"),
    (rtype::BBO_1S, "bbo-1s"),
    (rtype::BBO_1M, "bbo-1m"),
    (rtype::CMBP_1, "cmbp-1"),
    (rtype::TCBBO, "tcbbo"),
    (rtype::CBBO_1S, "cbbo-1s"),
    (rtype::CBBO_1M, "cbbo-1m"),
    (rtype::OHLCV_DEPRECATED, "ohlcv-deprecated"),
    (rtype::OHLCV_1S, "ohlcv-1s"),
    (rtype::OHLCV_1M, "ohlcv-1m"),
    (rtype::OHLCV_1H, "ohlcv-1h"),
    (rtype::OHLCV_1D, "ohlcv-1d"),
    (rtype::OHLCV_EOD, "ohlcv-eod"),
    (rtype::STATUS, "status"),
    (rtype::INSTRUMENT_DEF, "definition"),
    (rtype::IMBALANCE, "imbalance"),
    (rtype::STATISTICS, "statistics"),
    (rtype::SYMBOL_MAPPING, "symbol-mapping"),
    (rtype::SYSTEM, "system"),
    (rtype::ERROR, "error"),
];

/// Record types with market data that makes no input.
const WITHOUT_INPUT: &[u8] = &[rtype::IMBALANCE, rtype::STATISTICS];

/// Actions of an MBO record.
const ACTIONS: &[u8] = b"ACMRTFN";

/// The counters of one stream.
pub(super) struct Tally {
    records: [u64; 256],
    actions: [u64; 256],
    top_of_book: u64,
    bad_receive_time: u64,
    maybe_bad_book: u64,
    passed_over: u64,
}

impl Default for Tally {
    fn default() -> Tally {
        let (records, actions) = ([0; 256], [0; 256]);
        Tally { records, actions, top_of_book: 0, bad_receive_time: 0, maybe_bad_book: 0, passed_over: 0 }
    }
}

impl Tally {
    pub(super) fn count(&mut self, kind: u8) {
        self.records[usize::from(kind)] += 1;
    }

    pub(super) fn action(&mut self, action: u8) {
        self.actions[usize::from(action)] += 1;
    }

    /// Counts a book update or trade that is ignored because another record type supplies it.
    pub(super) fn passed_over(&mut self) {
        self.passed_over += 1;
    }

    pub(super) fn flags(&mut self, flags: FlagSet) {
        self.top_of_book += u64::from(flags.is_tob());
        self.bad_receive_time += u64::from(flags.is_bad_ts_recv());
        self.maybe_bad_book += u64::from(flags.is_maybe_bad_book());
    }

    /// A sentence about market data that makes no input.
    pub(super) fn without_input(&self) -> Option<String> {
        let name = |kind: u8| NAMES.iter().find(|(k, _)| *k == kind).map_or("", |(_, name)| *name);
        let count = |kind: &u8| (self.records[usize::from(*kind)], name(*kind));
        let some: Vec<_> = WITHOUT_INPUT.iter().map(count).filter(|(count, _)| *count > 0).collect();
        let listed = some.iter().map(|(count, name)| format!("{count} {name}")).collect::<Vec<_>>().join(" and ");
        (!some.is_empty()).then(|| format!("{listed} records were read; such records make no input"))
    }

    /// All counters that are not 0.
    pub(super) fn counts(&self) -> Vec<Count> {
        let known = NAMES.iter().map(|(kind, name)| ((*name).to_owned(), self.records[usize::from(*kind)]));
        let named = |kind: usize| NAMES.iter().any(|(k, _)| usize::from(*k) == kind);
        let unknown = (0..256).filter(|k| !named(*k)).map(|k| (format!("type-{k:#04x}"), self.records[k]));
        let action = |a: &u8| (format!("mbo {}", char::from(*a)), self.actions[usize::from(*a)]);
        let others = [
            ("flag-top-of-book", self.top_of_book),
            ("flag-bad-receive-time", self.bad_receive_time),
            ("flag-maybe-bad-book", self.maybe_bad_book),
            ("passed-over", self.passed_over),
        ];
        let others = others.map(|(name, count)| (name.to_owned(), count));
        let all = known.chain(unknown).chain(ACTIONS.iter().map(action)).chain(others);
        all.filter(|(_, count)| *count > 0).map(|(name, count)| Count { name, count }).collect()
    }
}
