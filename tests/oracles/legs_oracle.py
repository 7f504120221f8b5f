#!/usr/bin/env python3
"""Judges legs, their nodes and pullbacks on days of LEAN ticks, row by row.

Reads the files of trades itself and follows `engine/stages/docs/legs.md`: it keeps every trade and looks at all of them again
whenever a leg is looked for or closed. What bars say, the rows `market-state`, `breakout` and `flow` of the same run, it takes as
given, since other oracles judge those. What it expects is compared with every row of legs that the engine prints; then it counts.

    legs_oracle.py check --tidegate target/release/tidegate [--set parts=20] ZIP…

The files are days of one symbol, in their order: trades, and quotes if sides should come from them. Needs nothing but Python.
Exit code: 0 equal, 1 not equal, 2 usage.
"""

import argparse
import bisect
import collections
import os
import sys
from fractions import Fraction

from profile_oracle import MOST_NODES, SECOND, TICK, nano, nodes, trades
from rows import first_difference, replay, verdict

GIVEN = ("market-state", "breakout", "flow")
ASKED = ("leg", "leg-node", "pullback")
SETTINGS = {
    "minutes": 60, "atr_times": 2, "closed": 25, "parts": 40, "prominence": 20, "band_rows": 2, "band_bps": 5,
    "least_retraced": 25, "most_retraced": 79, "hold": 300, "least_flow": 40, "published_least_flow": 70,
}


class Leg:
    """A leg: the numbers of its trades among those of the session, and which way it goes."""

    def __init__(self, what, up, start, extreme, poc):
        self.what, self.up, self.start, self.extreme, self.poc = what, up, start, extreme, poc
        self.closed, self.touches = False, []


class Day:
    """The trades of a session, what bars said last, and what follows."""

    def __init__(self, settings, counts):
        self.settings, self.counts = settings, counts
        self.ts, self.px, self.qty = [], [], []
        self.search = self.leg = None
        self.numbers = {"atr": None, "state": "unknown", "published_state": "unknown", "flow_start_ns": 0, "score": 0,
                        "flow_direction": "none", "published_score": 0, "published_direction": "none"}

    # Prices along a direction: larger is further.
    def along(self, up, px):
        return px if up else -px

    def minute(self, at):
        return self.ts[at] // (60 * SECOND)

    def size(self, leg):
        return abs(self.px[leg.extreme] - self.px[leg.start])

    def back(self, leg, px):
        """How much of the leg price has come back, in per cent, exactly."""
        return Fraction(100 * (self.along(leg.up, self.px[leg.extreme]) - self.along(leg.up, px)), self.size(leg))

    def told(self, leg, what, reason="none", row=None, node_count=0):
        between = range(leg.start, leg.extreme + 1)
        volume = sum(self.qty[at] for at in between)
        retraced = 100 * (self.along(leg.up, self.px[leg.extreme]) - self.along(leg.up, self.px[-1]))
        self.counts[leg.what, what] += 1
        return ("leg", self.now, what, reason, leg.what, "up" if leg.up else "down", self.px[leg.start], self.px[leg.extreme],
                self.size(leg), float(retraced) / float(self.size(leg)), self.ts[leg.start], self.ts[leg.extreme], volume, 0,
                row, node_count)

    def end(self, reason):
        if not self.leg:
            return
        leg, self.leg = self.leg, None
        yield self.told(leg, "ended", reason)
        yield from self.end_touches(leg, "leg-over")
        if leg.what == "reclaim":
            self.search = None

    def end_touches(self, leg, what):
        for touch in leg.touches:
            if touch["since"] is not None:
                yield self.pullback(leg, touch, what)
        leg.touches = []

    def close(self, leg):
        size, low = self.size(leg), min(self.px[leg.start], self.px[leg.extreme])
        high, height = low + size, max(1, size // (self.settings["parts"] * TICK)) * TICK
        first, last = low // height, high // height
        volumes = [0] * (last - first + 1)
        for at in range(leg.start, leg.extreme + 1):
            volumes[self.px[at] // height - first] += self.qty[at]
        found, maximum = nodes(volumes, self.settings["prominence"])
        kept = sorted(found[:MOST_NODES], key=lambda node: node[2])
        leg.closed, leg.row = True, height
        yield self.told(leg, "closed", "none", height, len(kept))
        self.counts["closed with low"] += any(not is_high for _, is_high, _ in kept)
        for index, (prominence, is_high, row) in enumerate(kept):
            px = (first + row) * height + (height - TICK) // 2
            yield ("leg-node", self.now, px, volumes[row], float(prominence) / float(maximum), len(found), index,
                   "high-volume" if is_high else "low-volume", leg.what, "up" if leg.up else "down")
            if not is_high:
                leg.touches.append({"px": px, "index": index, "near": False, "since": None, "with": [False, False]})

    def with_flow(self, leg):
        side, state = ("buy", "imbalance-up") if leg.up else ("sell", "imbalance-down")
        n, s = self.numbers, self.settings
        market = leg.what == "reclaim" or n["state"] == state, leg.what == "reclaim" or n["published_state"] == state
        return [market[0] and n["flow_direction"] == side and n["score"] >= s["least_flow"],
                market[1] and n["published_direction"] == side and n["published_score"] >= s["published_least_flow"]]

    def touch(self, leg):
        """What the last trade makes of the pullbacks to the nodes of a closed leg."""
        px, s = self.px[-1], self.settings
        back = self.back(leg, px)
        for touch in leg.touches:
            distance = self.along(leg.up, px) - self.along(leg.up, touch["px"])
            band = max(Fraction(s["band_rows"] * leg.row), Fraction(s["band_bps"] * touch["px"], 10_000))
            near = 0 <= distance <= band and s["least_retraced"] <= back <= s["most_retraced"]
            was_near, touch["near"] = touch["near"], near
            if touch["since"] is not None:
                gone = "expired" if self.now > touch["since"] + s["hold"] * SECOND else None
                gone = gone or ("passed" if back > s["most_retraced"] else None)
                if gone:
                    yield self.pullback(leg, touch, gone)
                    touch["since"], touch["with"] = None, [False, False]
            if touch["since"] is None:
                if near and not was_near:
                    touch["since"], touch["with"] = self.now, self.with_flow(leg)
                    self.counts["with tidegate"] += touch["with"][0]
                    self.counts["with published"] += touch["with"][1]
                    yield self.pullback(leg, touch, "touched")
            else:
                both = [a or b for a, b in zip(touch["with"], self.with_flow(leg))]
                if both != touch["with"]:
                    self.counts["with tidegate"] += both[0] - touch["with"][0]
                    self.counts["with published"] += both[1] - touch["with"][1]
                    touch["with"] = both
                    yield self.pullback(leg, touch, "with-flow")

    def pullback(self, leg, touch, what):
        px, yes = self.px[-1], lambda is_it: "yes" if is_it else "no"
        distance = 10_000 * (self.along(leg.up, px) - self.along(leg.up, touch["px"]))
        retraced = 100 * (self.along(leg.up, self.px[leg.extreme]) - self.along(leg.up, px))
        self.counts[what] += 1
        return ("pullback", self.now, what, leg.what, "up" if leg.up else "down", touch["index"], px, touch["px"],
                float(distance) / float(touch["px"]), float(retraced) / float(self.size(leg)), *map(yes, touch["with"]),
                self.px[leg.start], self.px[leg.extreme], tuple(self.numbers.values()))

    def reached(self, up, px, poc):
        return px >= poc[0] if up else px <= poc[1]

    def trade(self, ts, px, qty):
        self.now = ts
        self.ts.append(ts)
        self.px.append(px)
        self.qty.append(qty)
        here, leg = len(self.px) - 1, self.leg
        if leg:
            along = self.along(leg.up, px)
            if along < self.along(leg.up, self.px[leg.start]):
                yield from self.end("start")
            elif self.reached(leg.up == (leg.what == "reclaim"), px, leg.poc):
                yield from self.end("poc")
            elif along > self.along(leg.up, self.px[leg.extreme]):
                leg.extreme = here
                if leg.closed:
                    leg.closed = False
                    yield self.told(leg, "open-again")
                    yield from self.end_touches(leg, "leg-open")
            else:
                if not leg.closed and self.back(leg, px) >= self.settings["closed"]:
                    yield from self.close(leg)
                if leg.closed:
                    yield from self.touch(leg)
        elif self.search and self.search[0] == "reclaim":
            _, up, poc, start = self.search
            if self.along(up, px) < self.along(up, self.px[start]) or self.reached(up, px, poc):
                self.search = None

    def lowest(self, up, trades):
        """The last of the trades at the lowest price."""
        return max(trades, key=lambda at: (-self.along(up, self.px[at]), at))

    def highest(self, up, trades):
        """The first of the trades at the highest price."""
        return max(trades, key=lambda at: (self.along(up, self.px[at]), -at))

    def since(self, minute):
        return range(bisect.bisect_left(self.ts, minute * 60 * SECOND), len(self.ts))

    def breakout(self, row):
        step, up = row["what"], row["direction"] == "up"
        height = nano(row["row_px"])
        low = nano(row["poc"]) // height * height
        poc = low, low + height - 1
        if step == "out":
            yield from self.end("breakout")
            self.search = ("impulse", up, poc, None)
        elif step in ("failed", "returned"):
            yield from self.end("inside")
            self.search = None
            if step == "failed":
                of_breakout = self.since(row["since_ns"] // (60 * SECOND))
                start = self.lowest(not up, of_breakout)
                extreme = self.highest(not up, range(start, len(self.px)))
                if not self.reached(not up, self.px[extreme], poc):
                    self.search = ("reclaim", not up, poc, start)
        elif step == "ended":
            yield from self.end("session")
            self.search = None

    def look_back(self, poc):
        """The last minutes with trades, up to so many, from the one on that touched the point of control."""
        minutes = collections.OrderedDict()
        for at in reversed(range(len(self.px))):
            if self.minute(at) not in minutes and len(minutes) == self.settings["minutes"]:
                break
            low, high = minutes.get(self.minute(at), (self.px[at], self.px[at]))
            minutes[self.minute(at)] = min(low, self.px[at]), max(high, self.px[at])
        for minute, (low, high) in minutes.items():
            if low <= poc[1] and high >= poc[0]:
                return self.since(minute)
        return self.since(minute)

    def end_of_minute(self):
        """A leg is looked for."""
        if self.leg or not self.search or self.numbers["atr"] is None:
            return
        what, up, poc, start = self.search
        if what == "impulse":
            start = self.lowest(up, self.look_back(poc))
        elif len({self.minute(at) for at in range(start, len(self.px))}) > self.settings["minutes"]:
            self.search = None
            return
        extreme = self.highest(up, range(start, len(self.px)))
        size = abs(self.px[extreme] - self.px[start])
        if size > 0 and float(size) / 1e9 >= self.settings["atr_times"] * self.numbers["atr"]:
            self.leg = Leg(what, up, start, extreme, poc)
            yield self.told(self.leg, "counts")


def expected(days, given, settings, counts):
    """The rows of legs that the page promises, for days of trades and what bars said; `counts` gets what there was of each."""
    given = collections.deque(given)
    for found, (opens, closes) in days:
        counts.append(collections.Counter())
        day = Day(settings, counts[-1])

        def bars(until):
            while given and given[0]["ts_ns"] <= until:
                now = given[0]["ts_ns"]
                day.now = now
                group = []
                while given and given[0]["ts_ns"] == now:
                    group.append(given.popleft())
                for row in group:
                    if row["kind"] == "market-state":
                        day.numbers.update({name: row[name] for name in ("atr", "state", "published_state")})
                for row in group:
                    if row["kind"] == "breakout":
                        yield from day.breakout(row)
                if any(row["kind"] == "market-state" for row in group):
                    if now >= closes:
                        yield from day.end("session")
                        day.search = None
                    else:
                        yield from day.end_of_minute()
                for row in group:
                    if row["kind"] == "flow":
                        n = day.numbers
                        n["flow_start_ns"], n["score"], n["flow_direction"] = row["start_ns"], row["score"], row["direction"]
                        n["published_score"], n["published_direction"] = row["published_score"], row["published_direction"]

        for ts, px, qty, _ in found:
            if opens <= ts < closes:
                yield from bars(ts)
                yield from day.trade(ts, px, qty)
        yield from bars(closes)


def shown(row):
    """A row of the engine in the form of those that are expected."""
    kind, ts = row["kind"], row["ts_ns"]
    if kind == "leg":
        height = nano(row["row_px"]) if row.get("row_px") is not None else None
        return (kind, ts, row["what"], row["reason"], row["leg"], row["direction"], nano(row["start_px"]), nano(row["extreme_px"]),
                nano(row["size"]), row["retraced"], row["start_ns"], row["extreme_ns"], row["volume"], row["left_out"], height,
                row["nodes"])
    if kind == "leg-node":
        return (kind, ts, nano(row["px"]), row["volume"], row["prominence"], row["found"], row["index"], row["node"], row["leg"],
                row["direction"])
    numbers = ("atr", "state", "published_state", "flow_start_ns", "score", "flow_direction", "published_score",
               "published_direction")
    return (kind, ts, row["what"], row["leg"], row["direction"], row["index"], nano(row["px"]), nano(row["node_px"]),
            row["distance"], row["retraced"], row["with_flow"], row["published_with_flow"], nano(row["start_px"]),
            nano(row["extreme_px"]), tuple(row[name] for name in numbers))


def check(options):
    settings = dict(SETTINGS)
    more = ["--set", "pipeline.stages=book,bars,flow,profile,state,breakout,legs"]
    for text in options.set:
        name, _, value = text.partition("=")
        settings[name] = float(value) if name == "atr_times" else int(value)
        more += ["--set", f"legs.{text}"]
    rows = list(replay(options.tidegate, "lean", options.files, ",".join(GIVEN + ASKED), "jsonl", *more))
    given = [row for row in rows if row["kind"] in GIVEN]
    files = [path for path in options.files if path.endswith("_trade.zip")]
    days, counts = [trades(path, "by-conditions") for path in files], []
    promised = list(expected(days, given, settings, counts))
    names = " ".join(os.path.basename(os.path.dirname(path)) + "/" + os.path.basename(path) for path in options.files)
    fine = verdict(f"legs of {names} {' '.join(options.set)}",
                   *first_difference(promised, (shown(row) for row in rows if row["kind"] in ASKED)))
    for path, day in zip(files, counts):
        of = lambda what: f"{day['impulse', what]} + {day['reclaim', what]}"
        print(f"   {os.path.basename(path)[:8]}, impulse + reclaim: {of('counts')} legs, {of('closed')} closings ({day['closed with low']} with "
              f"a low-volume node), {of('open-again')} times open again; {day['touched']} pullbacks, with flow "
              f"{day['with tidegate']} by tidegate, {day['with published']} by published")
    return fine


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("check")
    command.set_defaults(run=check)
    command.add_argument("files", nargs="+")
    command.add_argument("--tidegate", required=True, help="the binary")
    command.add_argument("--set", action="append", default=[], help="a parameter of the measure")
    options = parser.parse_args()
    sys.exit(0 if options.run(options) else 1)


if __name__ == "__main__":
    main()
