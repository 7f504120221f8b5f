#!/usr/bin/env python3
"""Judges the strategies `trend` and `reversion` on days of LEAN ticks, row by row.

Takes trades, states, flow, legs, pullbacks, breakouts and nodes from the rows of the engine, which other oracles judge, and follows
`engine/stages/docs/trend.md` and `reversion.md` with them: at every trade and at the end of every minute it asks all conditions anew. What
it expects is compared with every `signal`, its reasons, and every `setup` that the engine prints; then it counts the signals of each day.

    setups_oracle.py check --tidegate target/release/tidegate [--set trend.least_flow=70] ZIP…

The files are days of one symbol, in their order: trades, and quotes if sides should come from them. Both strategies are judged by both sets of
rules. Needs nothing but Python. Exit code: 0 equal, 1 not equal, 2 usage.
"""

import argparse
import collections
import datetime
import itertools
import math
import os
import sys

from profile_oracle import NEW_YORK, SECOND, TICK, nano
from rows import first_difference, replay, verdict

READ = "trade,market-state,flow,leg,leg-node,pullback,breakout,profile,profile-node"
SETTINGS = {
    "least_flow": 0, "least_reward": 1.5, "stop_rows": 1, "stop_atr": 1, "target_risk": 3, "in_balance": True,
    "session_start": "09:45", "session_end": "15:50",
}
STRATEGIES = {"trend": "impulse", "reversion": "reclaim"}


def instant(ts, clock):
    """A wall-clock time in New York of the day of an instant, in nanoseconds."""
    day = datetime.datetime.fromtimestamp(ts // SECOND, NEW_YORK)
    hour, minute = map(int, clock.split(":"))
    return int(day.replace(hour=hour, minute=minute, second=0).timestamp()) * SECOND


class Strategy:
    """One of the two, by one set of rules."""

    def __init__(self, name, rules, settings):
        self.name, self.rules, self.of = name, rules, settings
        self.least_flow = settings["least_flow"] or {"tidegate": 40, "published": 70}[rules]
        self.prefix = "published_" if rules == "published" else ""
        self.px = self.leg = self.poc = self.told = None
        self.state, self.momentum, self.threshold, self.atr = "unknown", None, None, None
        self.score, self.flow = 0, "none"
        self.high = []

    def take(self, row):
        """What a row of the engine says; gives what changed: nothing, a trade, the set-up, or a minute."""
        kind = row["kind"]
        if kind == "trade":
            if row["volume_only"] or row["px"] is None or not row["qty"]:
                return None
            self.px = nano(row["px"])
            if self.leg and not self.leg["closed"] and self.ahead(self.px, self.leg["extreme"]) > 0:
                self.leg["extreme"] = self.px
            return "trade"
        if kind == "market-state":
            self.state, self.momentum, self.atr = row[self.prefix + "state"], row["momentum"], row["atr"]
            self.threshold = row["threshold"] if self.rules == "tidegate" else None
            return "minute"
        if kind == "flow":
            self.score, self.flow = row[self.prefix + "score"], row[self.prefix + "direction"]
        elif kind == "breakout":
            self.poc = nano(row["poc"])
        elif kind == "profile" and row["of"] == "composite":
            self.high = []
        elif kind == "profile-node" and row["of"] == "composite" and row["node"] == "high-volume":
            self.high.append(nano(row["px"]))
        elif row.get("leg") == STRATEGIES[self.name]:
            return self.of_leg(kind, row)
        return None

    def of_leg(self, kind, row):
        if kind == "leg-node":
            if row["node"] == "low-volume":
                self.leg["nodes"][row["index"]] = [nano(row["px"]), False]
            return None
        if kind == "pullback":
            if row["index"] in self.leg["nodes"] if self.leg else False:
                self.leg["nodes"][row["index"]][1] = row["what"] in ("touched", "with-flow")
                return "set-up"
            return None
        if row["what"] == "ended":
            self.leg = None
            return "set-up"
        if row["what"] == "counts":
            self.leg = {"told": set()}
        closed = row["what"] == "closed"
        self.leg.update(up=row["direction"] == "up", start=nano(row["start_px"]), extreme=nano(row["extreme_px"]), closed=closed,
                        nodes={}, row=nano(row["row_px"]) if closed else None)
        return "set-up"

    def ahead(self, px, of):
        return px - of if self.leg["up"] else of - px

    def short(self, px):
        """Rounded to a cent against the way of the leg: a stop away from the entry, a target towards it."""
        return px // TICK * TICK if self.leg["up"] else -(-px // TICK) * TICK

    def acts(self):
        if self.name == "reversion":
            return self.state == "balance" or not self.of["in_balance"]
        way = {"imbalance-up": True, "imbalance-down": False}.get(self.state)
        return way is not None and (self.leg is None or self.leg["up"] == way)

    def prices(self, node):
        """Stop, target and what that is."""
        sign, leg = 1 if self.leg["up"] else -1, self.leg
        if self.name == "reversion":
            return self.short(leg["start"] - sign * self.of["stop_rows"] * leg["row"]), self.short(self.poc), "poc"
        beyond = max(self.of["stop_rows"] * leg["row"], math.ceil(self.atr * self.of["stop_atr"] * 1e9))
        stop = self.short(node - sign * beyond)
        further = [px for px in self.high if self.ahead(px, leg["extreme"]) > 0]
        if further:
            return stop, self.short(min(further, key=lambda px: self.ahead(px, leg["extreme"]))), "node"
        risk = self.ahead(self.px, stop)
        return stop, self.short(self.px + sign * int(risk * self.of["target_risk"])), "risk"

    def first_unmet(self, now):
        """The first condition that is not met, with value, threshold, node and target; or the entries that meet all."""
        start, end = (instant(now, self.of[name]) for name in ("session_start", "session_end"))
        if not start <= now < end:
            return ("hours", -(max(start - now, now - end) / SECOND) or 0.0, 0.0, None, "none"), []
        if not self.acts():
            return ("state", self.momentum, self.threshold, None, "none"), []
        leg = self.leg
        if not leg:
            return ("leg", None, None, None, "none"), []
        if not leg["closed"]:
            back, size = self.ahead(leg["extreme"], self.px), self.ahead(leg["extreme"], leg["start"])
            return ("leg-open", float(back) * 100.0 / float(size), None, None, "none"), []
        nodes = [leg["nodes"][index] for index in sorted(leg["nodes"])]
        if not nodes:
            return ("node", 0.0, 1.0, None, "none"), []
        touched = [px for px, is_touched in nodes if is_touched]
        if not touched:
            near = min((abs(self.px - px), px) for px, _ in nodes)
            return ("pullback", float(near[0]) * 10_000.0 / float(near[1]), None, near[1], "none"), []
        fresh = [px for px in touched if px not in leg["told"]]
        if not fresh:
            return ("signalled", None, None, touched[0], "none"), []
        score = {"none": 0, "buy" if leg["up"] else "sell": self.score}.get(self.flow, -self.score)
        if score < self.least_flow:
            return ("flow", float(score), float(self.least_flow), fresh[0], "none"), []
        refused, entries = None, []
        for node in fresh:
            stop, target, what = self.prices(node)
            risk, reward = self.ahead(self.px, stop), self.ahead(target, self.px)
            if risk <= 0:
                why = ("stop", self.px / 1e9, stop / 1e9, node, what)
            elif reward <= 0:
                why = ("target", self.px / 1e9, target / 1e9, node, what)
            elif reward / risk < self.of["least_reward"]:
                why = ("reward", reward / risk, self.of["least_reward"], node, what)
            else:
                entries.append((node, stop, target, what, reward / risk, score))
                continue
            refused = refused or why
        return (None, entries) if entries else (refused, [])

    def decide(self, now, changed):
        """The rows that follow from an input."""
        if changed == {"trade"} and not (self.leg and self.leg["closed"] and any(on for _, on in self.leg["nodes"].values())):
            return
        unmet, entries = self.first_unmet(now)
        if unmet:
            if "minute" in changed or (unmet[0], unmet[3]) != self.told:
                self.told = unmet[0], unmet[3]
                yield self.setup(now, *unmet)
        elif "trade" in changed:
            for node, stop, target, what, reward, score in entries:
                confidence = min(100.0, 50.0 + 0.25 * score + 5.0 * min(reward, 4.0)) / 100.0
                reasons = [("market-state", self.momentum), ("leg", self.leg["extreme"] / 1e9), ("pullback", self.px / 1e9),
                           ("flow", float(score))]
                yield ("signal", now, self.name, self.side(), self.px, stop, target, confidence, len(reasons), reasons)
                yield self.setup(now, "none", reward, float(self.of["least_reward"]), node, what)
                self.leg["told"].add(node)
                self.told = "none", node

    def side(self):
        return "none" if not self.leg else "buy" if self.leg["up"] else "sell"

    def setup(self, now, unmet, value, threshold, node, target):
        return ("setup", now, self.name, self.side(), unmet, value, threshold, self.px, node, target, self.rules)


def expected(rows, strategies):
    """The rows that the pages promise, in the order of the inputs."""
    for _, caused in itertools.groupby(rows, key=lambda row: row["seq"]):
        caused = list(caused)
        changes = [{strategy.take(row) for row in caused} - {None} for strategy in strategies]
        for strategy, changed in zip(strategies, changes):
            # A trade alone can only be an entry of a leg that there was.
            if changed and not (changed == {"trade"} and not strategy.leg):
                yield from strategy.decide(caused[0]["ts_ns"], changed)


def shown(row):
    """A row of the engine in the form of those that are expected."""
    px = lambda name: nano(row[name]) if row[name] is not None else None
    common = row["kind"], row["ts_ns"], row["strategy"], row["side"]
    if row["kind"] == "signal":
        reasons = [tuple(reason) for reason in row["reasons"]]
        return (*common, px("entry"), px("stop"), px("target"), row["confidence"], len(reasons), reasons)
    return (*common, row["unmet"], row["value"], row["threshold"], px("px"), px("node_px"), row["target"], row["rules"])


def judge(options, rules):
    settings = {name: dict(SETTINGS) for name in STRATEGIES}
    more = ["--set", "pipeline.stages=book,bars,flow,profile,state,breakout,legs,trend,reversion"]
    for name in STRATEGIES:
        more += ["--set", f"{name}.rules={rules}"]
    for text in options.set:
        name, _, value = text.partition("=")
        name, _, key = name.partition(".")
        if name in settings:
            old = settings[name][key]
            settings[name][key] = value == "true" if isinstance(old, bool) else value if isinstance(old, str) else float(value)
        more += ["--set", text]
    rows = list(replay(options.tidegate, "lean", options.files, READ + ",signal,setup", "jsonl", *more))
    strategies = [Strategy(name, rules, settings[name]) for name in STRATEGIES]
    promised = list(expected((row for row in rows if row["kind"] in READ.split(",")), strategies))
    found = [shown(row) for row in rows if row["kind"] in ("signal", "setup")]
    files = " ".join(os.path.basename(os.path.dirname(path)) + "/" + os.path.basename(path) for path in options.files)
    fine = True
    for name in STRATEGIES:
        of = lambda rows: (row for row in rows if row[2] == name)
        fine &= verdict(f"{name} by {rules} of {files} {' '.join(options.set)}", *first_difference(of(promised), of(found)))
    counts = collections.Counter()
    for row in promised:
        day = datetime.datetime.fromtimestamp(row[1] // SECOND, NEW_YORK).date()
        what = row[4] if row[0] == "setup" else "signal"
        counts[day, row[2], what] += 1
    for day in sorted({day for day, _, _ in counts}):
        for name in STRATEGIES:
            of = {what: n for (on, who, what), n in sorted(counts.items()) if (on, who) == (day, name) and what not in ("none",)}
            print(f"   {day} {name} by {rules}: {of.pop('signal', 0)} signals; {of}")
    for row in promised:
        if row[0] == "signal":
            print("      ", *row[2:])
    return fine


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("check")
    command.add_argument("files", nargs="+")
    command.add_argument("--tidegate", required=True, help="the binary")
    command.add_argument("--set", action="append", default=[], help="a parameter of the pipeline")
    options = parser.parse_args()
    sys.exit(0 if all([judge(options, rules) for rules in ("tidegate", "published")]) else 1)


if __name__ == "__main__":
    main()
