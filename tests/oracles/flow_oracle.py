#!/usr/bin/env python3
"""Judges the measures of order flow: every row of `flow`, `footprint`, `footprint-bar` and `pace` is computed anew from the rows
of trades.

The pages of the measures are what this follows; it shares no code with the engine and needs no library. Bars are built
from the trades too, and the engine's bars must say the same of what was bought and sold.

    flow_oracle.py check --tidegate target/release/tidegate TRADES [QUOTES]   files of LEAN ticks of one day
    flow_oracle.py facts --tidegate target/release/tidegate TRADES [QUOTES]   how often each part of a score was on

Exit code: 0 equal, 1 not equal, 2 usage.
"""

import argparse
import collections
import datetime
import sys
import zoneinfo

from rows import first_difference, replay, verdict

NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
MINUTE = 60_000_000_000
LOOK_BACK, MEAN_BARS, LEAST_BARS = 5, 60, 15
STAGES = "pipeline.stages=book,bars,cvd,flow,footprint,pace"
# A cent, the price step of a US stock, in 1e-9.
STEP = 10_000_000
PIECES, PIECE = 60, 1_000_000_000


def replayed(options, emit):
    """The rows of these kinds, in order."""
    return replay(options.tidegate, "lean", options.inputs, emit, "jsonl", "--set", STAGES)


def nano(text):
    """A price as an integer, in 1e-9."""
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(9, "0"))


class Minute:
    """The trades of a minute that make a price."""

    def __init__(self):
        self.volume, self.sides, self.change = 0, collections.Counter(), None

    @property
    def delta(self):
        return self.sides["buy"] - self.sides["sell"]


def counted(trades):
    """Those that make a price."""
    return [t for t in trades if not t["volume_only"] and t["qty"] and t["px"] is not None]


def minutes_of(trades):
    """Minutes by their start, in order."""
    minutes = {}
    for trade in trades:
        start = trade["ts_ns"] // MINUTE * MINUTE
        minute = minutes.setdefault(start, Minute())
        minute.volume += trade["qty"]
        minute.sides[trade["aggressor"]] += trade["qty"]
    return minutes


def in_hours(start_ns):
    """Whether a minute is in the market hours of a full day."""
    at = datetime.datetime.fromtimestamp(start_ns // 1_000_000_000, NEW_YORK)
    return datetime.time(9, 30) <= at.time() < datetime.time(16)


def ratio(number, numbers):
    """A number in means of others, and whether there are enough; None without."""
    if len(numbers) < LEAST_BARS or sum(numbers) == 0:
        return None
    return number * len(numbers) / sum(numbers)


def per_cent(part, whole):
    return part * 100 / whole if whole else None


def above(number, limit):
    return number is not None and number > limit


def points(*parts):
    return sum(points for points, is_on in zip((30, 40, 30), parts) if is_on)


def flow_of(past, minute):
    """The row of a minute; `past` are those of the session before it."""
    recent = [*past[-LOOK_BACK + 1 :], minute]
    if len(recent) == LOOK_BACK:
        minute.change = sum(m.delta for m in recent)
    change = minute.change
    earlier = past[-LOOK_BACK].change if len(past) >= LOOK_BACK else None
    before = past[-MEAN_BARS:]
    changes = [abs(m.change) for m in before if m.change is not None]
    volume_ratio = ratio(minute.volume, [m.volume for m in before])
    side = {1: "buy", -1: "sell"}.get(change and change // abs(change))
    side_pressure = side and per_cent(sum(m.sides[side] for m in recent), sum(m.volume for m in recent))
    buy_pressure = per_cent(minute.sides["buy"], minute.volume)
    unusual = above(volume_ratio, 2)
    both = change is not None and earlier is not None
    large = change is not None and above(ratio(abs(change), changes), 2)
    published_large = change is not None and abs(change) / LOOK_BACK > 1000
    return {
        "volume": minute.volume,
        "delta": minute.delta,
        "change": change,
        "momentum": ratio(change - earlier, changes) if both else None,
        "buy_pressure": buy_pressure,
        "sell_pressure": per_cent(minute.sides["sell"], minute.volume),
        "side_pressure": side_pressure,
        "volume_ratio": volume_ratio,
        "unusual_volume": "yes" if unusual else "no",
        "accelerating": "yes" if both and change * earlier > 0 and abs(change) > abs(earlier) else "no",
        "score": points(unusual, large, above(side_pressure, 70)),
        "direction": side or "none",
        "published_score": points(unusual, published_large, above(buy_pressure, 70)),
        "published_direction": "none" if change is None else side or "sell",
    }


def expected_flow(minutes):
    """(start, row) of every minute in market hours."""
    past = []
    for start, minute in minutes.items():
        if in_hours(start):
            yield start, flow_of(past, minute)
            past.append(minute)


def shown(row, names):
    return {name: row[name] for name in names}


def compare_flow(rows, trades):
    minutes = minutes_of(trades)
    sides = lambda start, bought, sold: (start, bought, sold)
    built = (sides(start, m.sides["buy"], m.sides["sell"]) for start, m in minutes.items())
    bars = [sides(bar["start_ns"], bar["buy_volume"], bar["sell_volume"]) for bar in rows["bar"]]
    # The bar that is open when the file ends is not closed.
    passed = verdict("sides of bars", *first_difference(list(built)[: len(bars)], bars))
    expected = list(expected_flow(minutes))
    found = [(row["start_ns"], shown(row, expected[0][1])) for row in rows["flow"]]
    return passed & verdict("flow", *first_difference(expected, found))


def rows_by_kind(options, emit):
    rows = collections.defaultdict(list)
    for row in replayed(options, emit):
        rows[row["kind"]].append(row)
    return rows


class Footprint:
    """Rows of a minute: what was bought, sold and neither, by price in steps."""

    def __init__(self):
        self.rows, self.delta, self.deltas = {}, 0, []

    def add(self, trade):
        row, side = nano(trade["px"]) // STEP, trade["aggressor"]
        sums = self.rows.setdefault(row, collections.Counter())
        sums[side] += trade["qty"]
        self.delta += {"buy": trade["qty"], "sell": -trade["qty"]}.get(side, 0)
        self.deltas.append(self.delta)
        return row * STEP, sums["buy"], sums["sell"], sums["none"]

    def volume(self, row):
        return sum(self.rows[row].values()) if row in self.rows else 0

    def side(self, row, side):
        return self.rows[row][side] if row in self.rows else 0

    def imbalances(self, side, other, step):
        """Rows in which a side outweighs the other one a step away."""
        low, high, volume = min(self.rows), max(self.rows), sum(map(self.volume, self.rows))
        for row in range(low, high + 1):
            mine, theirs = self.side(row, side), self.side(row + step, other)
            if low <= row + step <= high and mine and mine * 100 >= volume and mine >= 3 * theirs:
                yield row

    def bar(self, before):
        """The row of the bar; `before` are the extremes of the bars before it in its day."""
        low, high = min(self.rows), max(self.rows)
        key = lambda row: (-self.volume(row), abs(2 * row - low - high), row)
        both = lambda row: self.side(row, "buy") and self.side(row, "sell")
        most = lambda side: max(sums[side] for sums in self.rows.values())
        thin = lambda row, side: most(side) > 0 and self.side(row, side) * 100 <= 10 * most(side)
        known = before[-19:] if len(before) >= 19 else None
        new_high = known is not None and high > max(high for _, high in known) and thin(high, "buy")
        new_low = known is not None and low < min(low for low, _ in known) and thin(low, "sell")
        words = lambda high, low: "both" if high and low else "high" if high else "low" if low else "none"
        row = {
            "delta": self.delta,
            "max_delta": max(self.deltas),
            "min_delta": min(self.deltas),
            "poc_px": min(self.rows, key=key) * STEP,
            "unfinished": words(both(high), both(low)),
            "exhausted": words(new_high, new_low),
            "whole": "yes",
            "left_out_qty": 0,
        }
        for side, rows in (("buy", [*self.imbalances("buy", "sell", -1)]), ("sell", [*self.imbalances("sell", "buy", 1)])):
            stacks = [line for line in lines(rows) if len(line) >= 3]
            longest = max(stacks, key=lambda line: (len(line), line[0]), default=[])
            row[f"{side}_imbalances"], row[f"{side}_stacks"] = len(rows), len(stacks)
            row[f"{side}_stack_rows"] = len(longest)
            row[f"{side}_stack_px"] = longest[0] * STEP if longest else None
        return row


def lines(rows):
    """Rising numbers in runs without a gap."""
    runs = []
    for row in rows:
        if runs and runs[-1][-1] == row - 1:
            runs[-1].append(row)
        else:
            runs.append([row])
    return runs


def compare_footprints(rows, trades):
    bars, expected = {}, []
    for trade in trades:
        start = trade["ts_ns"] // MINUTE * MINUTE
        expected.append((start, *bars.setdefault(start, Footprint()).add(trade)))
    quantities = ("buy_qty", "sell_qty", "unsigned_qty")
    found = [(r["start_ns"], nano(r["row_px"]), *(r[name] for name in quantities)) for r in rows["footprint"]]
    passed = verdict("footprint", *first_difference(expected, found))
    closed, before = [], []
    for start, bar in bars.items():
        closed.append((start, bar.bar(before)))
        before.append((min(bar.rows), max(bar.rows)))
    names = closed[0][1].keys()
    price = lambda name, value: nano(value) if name.endswith("_px") and value is not None else value
    found = [(r["start_ns"], {name: price(name, r[name]) for name in names}) for r in rows["footprint-bar"]]
    # The bar that is open when the file ends is not closed.
    return passed & verdict("footprint-bar", *first_difference(closed[: len(rows["bar"])], found))


def expected_pace(trades):
    """Number, volume, delta, largest and mean of the last sixty seconds, after each trade."""
    window, largest, volume, delta = collections.deque(), collections.deque(), 0, 0
    sign = {"buy": 1, "sell": -1, "none": 0}
    for trade in trades:
        window.append(trade)
        volume += trade["qty"]
        delta += sign[trade["aggressor"]] * trade["qty"]
        # Trades that are larger than all after them.
        while largest and largest[-1]["qty"] <= trade["qty"]:
            largest.pop()
        largest.append(trade)
        while window[0]["ts_ns"] // PIECE + PIECES <= trade["ts_ns"] // PIECE:
            gone = window.popleft()
            volume -= gone["qty"]
            delta -= sign[gone["aggressor"]] * gone["qty"]
            if largest[0] is gone:
                largest.popleft()
        whole = trade["ts_ns"] - trades[0]["ts_ns"] >= PIECES * PIECE
        yield len(window), volume, delta, largest[0]["qty"], volume / len(window), "yes" if whole else "no"


def compare_pace(rows, trades):
    names = ("trades", "volume", "delta", "largest_qty", "mean_qty", "whole")
    found = (tuple(row[name] for name in names) for row in rows["pace"])
    return verdict("pace", *first_difference(expected_pace(trades), found))


def check(options):
    rows = rows_by_kind(options, "trade,bar,flow,footprint,footprint-bar,pace")
    trades = counted(rows["trade"])
    passed = compare_flow(rows, trades)
    passed &= compare_footprints(rows, trades)
    return passed & compare_pace(rows, trades)


def facts(options):
    """How many minutes have a change, and in how many of these the score of the change was on."""
    flow = [row for row in replayed(options, "flow") if row["change"] is not None]
    published = sum(abs(row["change"]) / LOOK_BACK > 1000 for row in flow)
    by_score = collections.Counter(row["score"] for row in flow)
    print(f"{len(flow)} minutes with a change; by `published` it was large in {published}; scores of `tidegate`: "
          f"{dict(sorted(by_score.items()))}")
    return bool(flow)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, run in (("check", check), ("facts", facts)):
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        command.add_argument("inputs", nargs="+")
        command.add_argument("--tidegate", required=True, help="the binary")
    options = parser.parse_args()
    sys.exit(0 if options.run(options) else 1)


if __name__ == "__main__":
    main()
