#!/usr/bin/env python3
"""Judges market states and breakouts on days of LEAN ticks, row by row.

Reads the files of trades itself and follows `engine/stages/docs/state.md` and `breakout.md`: bars of a minute in market hours, the
profile of the last hour as each bar leaves it, the session before, the true range. Trades, rows and value areas are those of
`profile_oracle.py`. What it expects is compared with every row that the engine prints, but for the time, which is that of the input
that closed the bar.

    state_oracle.py check --tidegate target/release/tidegate [--set state.look_back=5] [--limit N] ZIP…
    state_oracle.py facts ZIP…      the counts of each day

The files are days of one symbol, in their order. Needs nothing but Python. Exit code: 0 equal, 1 not equal, 2 usage.
"""

import argparse
import collections
import itertools
import math
import os
import sys

from profile_oracle import SECOND, TICK, Profile, area, control, nano, trades
from rows import first_difference, replay, verdict

MINUTE = 60 * SECOND
SETTINGS = {
    "state.look_back": 20, "state.atr_bars": 14, "state.atr_factor": 1.0, "state.published_momentum": 0.5,
    "breakout.atr_bars": 14, "breakout.atr_factor": 0.25, "breakout.failed_bars": 30, "breakout.accepted_bars": 60,
    "breakout.range_minutes": 60,
}
AREA, ROLLING = 70, 60


class TrueRange:
    """Wilder's average: the mean of the first true ranges, of which the first is high less low; then it glides."""

    def __init__(self, bars):
        self.bars, self.seen, self.close, self.value = bars, 0, None, 0.0

    def add(self, high, low, close):
        last = close if self.close is None else self.close
        true = max(high, last) - min(low, last) if self.seen else high - low
        self.close, self.seen = close, self.seen + 1
        if self.seen <= self.bars:
            self.value += true
            if self.seen == self.bars:
                self.value /= self.bars
        else:
            self.value = (self.value * (self.bars - 1) + true) / self.bars

    def known(self):
        return self.value if self.seen >= self.bars else None


def prices(profile):
    """Point of control, highest and lowest tick of the value area, height of a row."""
    low, volumes = profile.dense()
    poc = control(volumes)
    val, vah = area(volumes, poc, 1, AREA)
    return profile.middle(low + poc), profile.highest(low + vah), profile.lowest(low + val), profile.height


def minutes(found, hours):
    """The minutes of a session that have trades: start, high, low, close, and the profile of the last hour at their end."""
    inside = [(ts, px, qty) for ts, px, qty, _ in found if hours[0] <= ts < hours[1]]
    ticks = max(1, (inside[0][1] + 1000 * TICK) // (2000 * TICK))
    rolling, session, slices = Profile(ticks * TICK), Profile(ticks * TICK), collections.deque()
    for minute, prints in itertools.groupby(inside, key=lambda trade: trade[0] // MINUTE):
        prints = list(prints)
        while slices and slices[0][0] <= minute - ROLLING:
            for _, px, qty in slices.popleft()[1]:
                rolling.add(px // rolling.height, -qty, 0, 0)
        slices.append((minute, prints))
        for _, px, qty in prints:
            rolling.add(px // rolling.height, qty, 0, 0)
            session.add(px // session.height, qty, 0, 0)
        traded = [px for _, px, _ in prints]
        yield minute * MINUTE, max(traded), min(traded), traded[-1], prices(rolling), session


def per_unit(value):
    return None if value is None else value / SECOND


class State:
    """What the page of `state` promises of one session."""

    def __init__(self, settings):
        self.of = lambda name: settings[f"state.{name}"]
        self.closes, self.true_range = [], TrueRange(self.of("atr_bars"))
        self.before = ("unknown", "unknown")

    def bar(self, start, high, low, close, rolling):
        self.true_range.add(high, low, close)
        poc, vah, val, _ = rolling
        back, atr = self.of("look_back"), self.true_range.known()
        before = self.closes[-back] if len(self.closes) >= back else None
        self.closes.append(close)
        momentum = None if before is None else (close - before) * 100 / before
        threshold = None if atr is None else atr * self.of("atr_factor") * math.sqrt(back) / close * 100

        def state(limit):
            if momentum is None or limit is None:
                return "unknown"
            if momentum > limit and close > vah:
                return "imbalance-up"
            return "imbalance-down" if momentum < -limit and close < val else "balance"

        states = state(threshold), state(self.of("published_momentum"))
        changed = "yes" if states != self.before else "no"
        self.before = states
        return ("market-state", start, *states, changed, close, poc, vah, val, before, momentum, threshold,
                abs(close - poc) * 100 / poc, per_unit(atr))


class Breakouts:
    """What the page of `breakout` promises of one session."""

    def __init__(self, settings, hours, previous):
        self.of = lambda name: settings[f"breakout.{name}"]
        self.hours, self.previous = hours, previous
        self.true_range = TrueRange(self.of("atr_bars"))
        self.rolling = self.out = self.last = None
        self.index = -1

    def bar(self, start, high, low, close, rolling):
        self.true_range.add(high, low, close)
        self.index += 1
        self.last = start, close
        yield from self.judge(start, high, low, close)
        self.rolling = rolling
        if start + MINUTE >= self.hours[1]:
            yield from self.end()

    def judge(self, start, high, low, close):
        if self.out:
            of, what = self.out["range"], self.out["of"]
        elif self.previous:
            of, what = self.previous, "previous"
        elif self.rolling and start - self.hours[0] >= self.of("range_minutes") * MINUTE:
            of, what = self.rolling, "rolling"
        else:
            return
        _, vah, val, row = of
        atr = self.true_range.known()
        least = max(row, 0 if atr is None else math.ceil(atr * self.of("atr_factor")))
        way = "up" if close - vah >= least else "down" if val - close >= least else None
        old = self.out
        if way and (not old or old["way"] != way):
            self.out = {"range": of, "of": what, "way": way, "since": start, "index": self.index, "least": least,
                        "gap": "yes" if self.index == 0 else "no", "crossed": "yes" if old else "no",
                        "extreme": high if way == "up" else low}
            yield self.row("out")
            return
        if not old:
            return
        old["extreme"] = max(old["extreme"], high) if old["way"] == "up" else min(old["extreme"], low)
        old["least"] = least
        bars = self.index - old["index"]
        if val <= close <= vah:
            yield self.row("failed" if bars <= self.of("failed_bars") else "returned")
            self.out = None
        elif bars == self.of("accepted_bars"):
            yield self.row("accepted")

    def end(self):
        if self.out:
            yield self.row("ended")
            self.out = None

    def row(self, what):
        out, (start, close) = self.out, self.last
        poc, vah, val, row = out["range"]
        return ("breakout", start, what, out["way"], out["of"], out["gap"], out["crossed"], close, vah, val, poc, row,
                out["extreme"], out["least"], per_unit(self.true_range.known()), out["since"], self.index - out["index"])


def expected(settings, files):
    """Every row of every day, in the order in which bars close."""
    previous = None
    for path in files:
        found, hours = trades(path, "by-conditions")
        state, breakouts, session = State(settings), Breakouts(settings, hours, previous), None
        for start, high, low, close, rolling, session in minutes(found, hours):
            yield state.bar(start, high, low, close, rolling)
            yield from breakouts.bar(start, high, low, close, rolling)
        # Where the last minute had no trade.
        yield from breakouts.end()
        previous = prices(session) if session else previous


def shown(row):
    """A row of the engine in the form of those that are expected."""
    price = lambda name: None if row[name] is None else nano(row[name])
    if row["kind"] == "market-state":
        return ("market-state", row["start_ns"], row["state"], row["published_state"], row["changed"],
                *map(price, ("close", "poc", "vah", "val", "close_before")),
                *(row[name] for name in ("momentum", "threshold", "poc_distance", "atr")))
    return ("breakout", row["start_ns"], row["what"], row["direction"], row["range_of"], row["gap"], row["crossed"],
            *map(price, ("close", "vah", "val", "poc", "row_px", "extreme", "least_px")), row["atr"], row["since_ns"],
            row["bars"])


def check(options):
    settings, more = dict(SETTINGS), ["--set", "pipeline.stages=bars,profile,state,breakout"]
    for text in options.set:
        name, _, value = text.partition("=")
        settings[name] = type(settings[name])(value)
        more += ["--set", text]
    promised = expected(settings, options.files)
    if options.limit:
        more += ["--limit", str(options.limit)]
        promised = itertools.islice(promised, options.limit)
    rows = map(shown, replay(options.tidegate, "lean", options.files, "market-state,breakout", "jsonl", *more))
    names = " ".join(os.path.basename(path) for path in options.files)
    return verdict(f"states and breakouts of {names} {' '.join(options.set)}", *first_difference(promised, rows))


def facts(options):
    for at, path in enumerate(options.files):
        # Every day stands for itself and for the one before it, whose value area it needs.
        rows = list(expected(SETTINGS, options.files[max(0, at - 1):at + 1]))
        _, hours = trades(path, "by-conditions")
        rows = [row for row in rows if hours[0] <= row[1] < hours[1]]
        states = [row for row in rows if row[0] == "market-state"]
        for name, place in (("tidegate", 2), ("published", 3)):
            count = collections.Counter(row[place] for row in states)
            print(f"{os.path.basename(path)} {name}: {len(states)} bars, {dict(count)}")
        steps = collections.Counter(row[2] for row in rows if row[0] == "breakout")
        flags = {name: sum(row[place] == "yes" for row in rows if row[0] == "breakout" and row[2] == "out")
                 for name, place in (("gap", 5), ("crossed", 6))}
        print(f"{os.path.basename(path)} breakouts: {dict(steps)} {flags}")
        if options.rows:
            print("\n".join(repr(row) for row in rows if row[0] == "breakout"))
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, run in (("check", check), ("facts", facts)):
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        command.add_argument("files", nargs="+")
        if name == "check":
            command.add_argument("--tidegate", required=True, help="the binary")
            command.add_argument("--set", action="append", default=[], help="a parameter of a measure")
            command.add_argument("--limit", type=int, help="compare so many rows")
        else:
            command.add_argument("--rows", action="store_true", help="the breakouts themselves")
    options = parser.parse_args()
    sys.exit(0 if options.run(options) else 1)


if __name__ == "__main__":
    main()
