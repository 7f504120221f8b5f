//! The engine's own parameters: sections `pipeline` and `outcomes`.

use flow::{Effective, Param, ParamType};

const fn restart(name: &'static str, ty: ParamType, default: &'static str, about: &'static str) -> Param {
    Param { name, ty, unit: "", default, effective: Effective::Restart, about }
}

/// How the pipeline is cut and driven. Cuts change speed, never results.
pub const PIPELINE: &[Param] = &[
    restart("stages", ParamType::List, "book,bars", "stages of the pipeline, in the order of the registry"),
    restart(
        "preset",
        ParamType::Choice(&["fused", "split", "cuts"]),
        "fused",
        "fused: one group on one core; split: a group per stage; cuts: as `cuts` says",
    ),
    restart(
        "cuts",
        ParamType::List,
        "",
        "where to cut when the preset is `cuts`: before these stages, and before `tail`",
    ),
    restart("ring", ParamType::Choice(&["phase", "disruptor"]), "phase", "ring that joins two groups"),
    Param {
        unit: "events, a power of two",
        ..restart("ring_capacity", ParamType::Int(128, 1 << 24), "16384", "size of each ring")
    },
    Param {
        unit: "events",
        ..restart("batch", ParamType::Int(1, 65_536), "64", "most events that a group takes in one turn")
    },
    restart(
        "idle",
        ParamType::Choice(&["auto", "spin", "hint", "yield"]),
        "auto",
        "what a group does when it has nothing to do; auto: spin when every group has a core, else yield",
    ),
    Param {
        unit: "returns",
        ..restart(
            "max_returns",
            ParamType::Int(64, 1 << 22),
            "65536",
            "orders, refusals and answers of the simulated venue that may wait for their time at once; more halt the run",
        )
    },
    Param {
        unit: "fills",
        ..restart(
            "max_fills",
            ParamType::Int(1, 1 << 22),
            "65536",
            "fills that the venue can still take back: the last ones, over all accounts; up to 300 bytes each, allocated at the start",
        )
    },
    restart("cores", ParamType::List, "", "cores of the groups, in the order of the pipeline; empty: not pinned"),
    restart(
        "clock",
        ParamType::Choice(&["event", "wall"]),
        "event",
        "event: time is the exchange's; wall: time is now",
    ),
    Param {
        unit: "ms",
        ..restart(
            "stall_ms",
            ParamType::Int(0, 3_600_000),
            "5000",
            "trading halts when the pipeline has finished nothing for so long although inputs entered; 0: never",
        )
    },
    restart(
        "time_orders",
        ParamType::Bool,
        "false",
        "measure every order from the input that caused it; costs up to 25 ns an input",
    ),
    Param {
        unit: "inputs",
        ..restart(
            "sample_every",
            ParamType::Int(0, 1 << 20),
            "128",
            "measure the latency of the stages on one input in so many; 0: never",
        )
    },
    restart(
        "meters",
        ParamType::Bool,
        "true",
        "account for the time of every group: busy, idle, stalled; one reading of the time stamp counter a turn",
    ),
];

/// What the outcome log and the outcome hash hold.
pub const OUTCOMES: &[Param] = &[restart(
    "kinds",
    ParamType::List,
    "all,-level",
    "kinds of outcomes that are logged and hashed: names, `all`, and `-name` to leave one out",
)];
