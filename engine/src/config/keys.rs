//! The engine's own parameters: the sections `pipeline`, `outcomes` and `metrics`.

use flow::{BoolParam, ChoiceParam, FileParam, IntParam, ListParam, Param, TextParam, choices};
use ring::Idle;

/// How the stages are divided into groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// One group on one core.
    Fused,
    /// A group per stage.
    Split,
    /// At the stages in [`CUTS`].
    Cuts,
}

/// Which clock gives the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockKind {
    /// Exchange time.
    Event,
    /// Wall time.
    Wall,
}

/// What becomes of open orders when a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtStop {
    /// They stay.
    Leave,
    /// They are cancelled.
    Cancel,
}

/// Names of the stages.
pub const STAGES: ListParam =
    ListParam::new("stages", "book,bars", "stages of the pipeline, in the order of the registry");
/// How the stages are divided into groups.
pub const PRESET: ChoiceParam<Preset> = ChoiceParam::new(
    "preset",
    choices! { "fused" => Preset::Fused, "split" => Preset::Split, "cuts" => Preset::Cuts },
    "fused",
    "fused: one group on one core; split: one group per stage; cuts: as set by `cuts`",
);
/// Where the pipeline is cut.
pub const CUTS: ListParam =
    ListParam::new("cuts", "", "cuts of the preset `cuts`: before each of these stages; `tail` is a valid name too");
/// Type of the ring at every cut.
pub const RING: ChoiceParam<ring::Kind> = ChoiceParam::new(
    "ring",
    choices! {
        ring::Kind::Phase.name() => ring::Kind::Phase,
        ring::Kind::Disruptor.name() => ring::Kind::Disruptor,
    },
    ring::Kind::Phase.name(),
    "type of the ring between two groups",
);
/// Slots of each ring.
pub const RING_CAPACITY: IntParam<usize> =
    IntParam::new("ring_capacity", (128, 1 << 24), "16384", "size of each ring").unit("events, a power of two");
/// Most events per turn.
pub const BATCH: IntParam<usize> =
    IntParam::new("batch", (1, 65_536), "64", "most events that a group takes per turn").unit("events");
/// What an idle group does; `None` = the plan decides.
pub const IDLE: ChoiceParam<Option<Idle>> = ChoiceParam::new(
    "idle",
    choices! {
        "auto" => None,
        Idle::Spin.name() => Some(Idle::Spin),
        Idle::SpinHint.name() => Some(Idle::SpinHint),
        Idle::UNMEASURED.name() => Some(Idle::UNMEASURED),
        Idle::Yield.name() => Some(Idle::Yield),
        Idle::Park.name() => Some(Idle::Park),
    },
    "auto",
    "what an idle group does; pauses: as hint, with 1 to 4 pauses as measured when the run begins; park: sleeps, up to 4 ms at a time; auto: park at a pace; if every group has its own core, pauses under the wall clock and hint under the clock of the exchange; else park and yield",
);
/// Capacity for instruments.
pub const MAX_INSTRUMENTS: IntParam<u32> = IntParam::new(
    "max_instruments",
    (1, 1 << 20),
    "16384",
    "most instruments, each a symbol at a venue, over all inputs and days; the data of one that comes later are left out",
)
.unit("instruments");
/// Capacity for returns to the head of the pipeline.
pub const MAX_RETURNS: IntParam<usize> = IntParam::new(
    "max_returns",
    (64, 1 << 22),
    "65536",
    "most orders, refusals and replies of the simulated venue that may be pending at once; more halt the run",
)
.unit("returns");
/// Capacity for fills that may be busted.
pub const MAX_FILLS: IntParam<u32> = IntParam::new(
    "max_fills",
    (1, 1 << 22),
    "65536",
    "most recent fills, over all accounts, that the venue can still bust; up to 300 bytes each, taken as they come",
)
.unit("fills");
/// Capacity for positions.
pub const MAX_POSITIONS: IntParam<usize> = IntParam::new(
    "max_positions",
    (1, 1 << 20),
    "16384",
    "most positions, one for each account, strategy and instrument; 400 to 800 bytes each, taken as they come",
)
.unit("positions");
/// Cores of the groups.
pub const CORES: ListParam = ListParam::new("cores", "", "cores of the groups, in pipeline order; empty: not pinned");
/// Which clock gives the time.
pub const CLOCK: ChoiceParam<ClockKind> = ChoiceParam::new(
    "clock",
    choices! { "event" => ClockKind::Event, "wall" => ClockKind::Wall },
    "event",
    "event: the time of the exchange; wall: the time of this host",
);
/// What becomes of open orders when a run ends; `None` = the venue decides.
pub const AT_STOP: ChoiceParam<Option<AtStop>> = ChoiceParam::new(
    "at_stop",
    choices! { "auto" => None, "leave" => Some(AtStop::Leave), "cancel" => Some(AtStop::Cancel) },
    "auto",
    "what becomes of open orders when a run stops or ends; auto: cancel at a venue outside the process, leave with the simulated exchange",
);
/// When a stalled pipeline halts trading.
pub const STALL_MS: IntParam = IntParam::new(
    "stall_ms",
    (0, 3_600_000),
    "5000",
    "a pipeline that finishes no pending input for this long, or whose head stands still, is reported; under the wall clock trading is halted too; 0: never",
)
.unit("ms");
/// How often a tick enters without anything else under wall time.
pub const HEARTBEAT_S: IntParam = IntParam::new(
    "heartbeat_s",
    (0, 3_600),
    "1",
    "under the wall clock: interval of a tick of no instrument, which lets time pass in the pipeline where nothing comes in; 0: none",
)
.unit("s");
/// Sessions that the build does not know.
pub const CALENDAR_FILE: FileParam = FileParam::new(
    "calendar_file",
    "file of sessions that this build does not know or has otherwise: lines of calendar, date and closed, open or the time of an early close (XNYS 2025-01-09 closed)",
);
/// Whether orders are timed.
pub const TIME_ORDERS: BoolParam = BoolParam::new(
    "time_orders",
    false,
    "measure the time from input to order, for every order; costs up to 25 ns per input",
);
/// How often latency is measured.
pub const SAMPLE_EVERY: IntParam =
    IntParam::new("sample_every", (0, 1 << 20), "128", "measure stage latency on one input in this many; 0: never")
        .unit("inputs");
/// Whether groups measure their load.
pub const METERS: BoolParam = BoolParam::new(
    "meters",
    true,
    "measure the busy, idle and stalled time of every group; reads the time stamp counter once per turn",
);

/// Whether groups rehearse.
pub const REHEARSE: BoolParam = BoolParam::new(
    "rehearse",
    true,
    "keep the way of orders warm: a group that has nothing to do has small copies of its stages act on a made-up occasion",
);

/// How the pipeline is cut and driven. Cuts change speed, never results.
pub const PIPELINE: &[Param] = &[
    STAGES.param(),
    PRESET.param(),
    CUTS.param(),
    RING.param(),
    RING_CAPACITY.param(),
    BATCH.param(),
    IDLE.param(),
    MAX_INSTRUMENTS.param(),
    MAX_RETURNS.param(),
    MAX_FILLS.param(),
    MAX_POSITIONS.param(),
    CORES.param(),
    CLOCK.param(),
    AT_STOP.param(),
    STALL_MS.param(),
    HEARTBEAT_S.param(),
    CALENDAR_FILE.param(),
    TIME_ORDERS.param(),
    SAMPLE_EVERY.param(),
    METERS.param(),
    REHEARSE.param(),
];

/// The key of the tables of single symbols in a section.
pub(super) const SYMBOL: &str = "symbol";

/// The list of the files that a configuration includes.
pub(super) const INCLUDE: &str = "include";

/// The table that names a venue.
pub(super) const VENUE: &str = "venue";

/// The section of the numbers of names that are gone; journals have it.
pub(super) const RETIRED: &str = "retired";

/// Kinds of outcomes.
pub const KINDS: ListParam = ListParam::new(
    "kinds",
    "all,-level,-pulse",
    "kinds of outcomes to log and hash: names, `all`, and `-name` to leave one out",
);

/// Where the metrics are.
pub const LISTEN: TextParam =
    TextParam::new("listen", "", "address and port at which metrics and health are answered over HTTP; empty: nowhere");

/// How many trades are kept by key.
pub const LAST_TRADES: IntParam =
    IntParam::new("last_trades", (0, 100_000), "1000", "trades of each instrument that are kept for `tidegate get`");

/// How many bars are kept by key.
pub const LAST_BARS: IntParam = IntParam::new(
    "last_bars",
    (0, 100_000),
    "100",
    "bars of each interval and instrument that are kept for `tidegate get`",
);

/// Whose books are kept by key.
pub const BOOKS: ListParam =
    ListParam::new("books", "", "symbols, or SYMBOL@MIC, whose books are kept for `tidegate get`");

/// When an instrument is stale.
pub const STALE_MS: IntParam = IntParam::new(
    "stale_ms",
    (0, 86_400_000),
    "5_000",
    "for how long an instrument may have no market data in market hours before it is stale; 0 = for ever",
)
.unit("ms");

/// What a process shows of itself. It is no part of what a journal records: another address makes no other run.
pub const METRICS: &[Param] =
    &[LISTEN.param(), LAST_TRADES.param(), LAST_BARS.param(), BOOKS.param(), STALE_MS.param()];

/// What the outcome log and the outcome hash contain.
pub const OUTCOMES: &[Param] = &[KINDS.param()];
