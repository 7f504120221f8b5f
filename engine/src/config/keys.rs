//! The engine's own parameters: sections `pipeline` and `outcomes`.

use flow::{BoolParam, ChoiceParam, IntParam, ListParam, Param, choices};
use ring::Idle;

/// How the stages are divided into groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// One group on one core.
    Fused,
    /// A group per stage.
    Split,
    /// As [`CUTS`] says.
    Cuts,
}

/// Whose time is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockKind {
    /// The exchange's.
    Event,
    /// The wall's.
    Wall,
}

/// Names of the stages.
pub const STAGES: ListParam =
    ListParam::new("stages", "book,bars", "stages of the pipeline, in the order of the registry");
/// How they are divided.
pub const PRESET: ChoiceParam<Preset> = ChoiceParam::new(
    "preset",
    choices! { "fused" => Preset::Fused, "split" => Preset::Split, "cuts" => Preset::Cuts },
    "fused",
    "fused: one group on one core; split: a group per stage; cuts: as `cuts` says",
);
/// Where they are divided.
pub const CUTS: ListParam =
    ListParam::new("cuts", "", "where to cut when the preset is `cuts`: before these stages, and before `tail`");
/// The ring of every cut.
pub const RING: ChoiceParam<ring::Kind> = ChoiceParam::new(
    "ring",
    choices! {
        ring::Kind::Phase.name() => ring::Kind::Phase,
        ring::Kind::Disruptor.name() => ring::Kind::Disruptor,
    },
    ring::Kind::Phase.name(),
    "ring that joins two groups",
);
/// Its size.
pub const RING_CAPACITY: IntParam<usize> =
    IntParam::new("ring_capacity", (128, 1 << 24), "16384", "size of each ring").unit("events, a power of two");
/// Most events of a turn.
pub const BATCH: IntParam<usize> =
    IntParam::new("batch", (1, 65_536), "64", "most events that a group takes in one turn").unit("events");
/// What a group does without work; `None` leaves it to the plan.
pub const IDLE: ChoiceParam<Option<Idle>> = ChoiceParam::new(
    "idle",
    choices! {
        "auto" => None,
        Idle::Spin.name() => Some(Idle::Spin),
        Idle::SpinHint.name() => Some(Idle::SpinHint),
        Idle::Yield.name() => Some(Idle::Yield),
    },
    "auto",
    "what a group does when it has nothing to do; auto: spin when every group has a core, else yield",
);
/// Room for what comes back.
pub const MAX_RETURNS: IntParam<usize> = IntParam::new(
    "max_returns",
    (64, 1 << 22),
    "65536",
    "orders, refusals and answers of the simulated venue that may wait for their time at once; more halt the run",
)
.unit("returns");
/// Room for fills that may be taken back.
pub const MAX_FILLS: IntParam<u32> = IntParam::new(
    "max_fills",
    (1, 1 << 22),
    "65536",
    "fills that the venue can still take back: the last ones, over all accounts; up to 300 bytes each, allocated at the start",
)
.unit("fills");
/// Cores of the groups.
pub const CORES: ListParam =
    ListParam::new("cores", "", "cores of the groups, in the order of the pipeline; empty: not pinned");
/// Whose time is now.
pub const CLOCK: ChoiceParam<ClockKind> = ChoiceParam::new(
    "clock",
    choices! { "event" => ClockKind::Event, "wall" => ClockKind::Wall },
    "event",
    "event: time is the exchange's; wall: time is now",
);
/// When a stalled pipeline halts trading.
pub const STALL_MS: IntParam = IntParam::new(
    "stall_ms",
    (0, 3_600_000),
    "5000",
    "trading halts when the pipeline has finished nothing for so long although inputs entered; 0: never",
)
.unit("ms");
/// Whether orders are timed.
pub const TIME_ORDERS: BoolParam = BoolParam::new(
    "time_orders",
    false,
    "measure every order from the input that caused it; costs up to 25 ns an input",
);
/// How often latency is measured.
pub const SAMPLE_EVERY: IntParam = IntParam::new(
    "sample_every",
    (0, 1 << 20),
    "128",
    "measure the latency of the stages on one input in so many; 0: never",
)
.unit("inputs");
/// Whether groups account for their time.
pub const METERS: BoolParam = BoolParam::new(
    "meters",
    true,
    "account for the time of every group: busy, idle, stalled; one reading of the time stamp counter a turn",
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
    MAX_RETURNS.param(),
    MAX_FILLS.param(),
    CORES.param(),
    CLOCK.param(),
    STALL_MS.param(),
    TIME_ORDERS.param(),
    SAMPLE_EVERY.param(),
    METERS.param(),
];

/// Kinds of outcomes.
pub const KINDS: ListParam = ListParam::new(
    "kinds",
    "all,-level",
    "kinds of outcomes that are logged and hashed: names, `all`, and `-name` to leave one out",
);

/// What the outcome log and the outcome hash hold.
pub const OUTCOMES: &[Param] = &[KINDS.param()];
