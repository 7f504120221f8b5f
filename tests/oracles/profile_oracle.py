#!/usr/bin/env python3
"""Judges volume profiles on days of LEAN ticks, row by row.

Reads the files of trades itself and follows `engine/stages/docs/profile.md`: sides by the tick rule (so give it files of trades
alone), one profile of the session and one of its last minutes after every trade, nodes whenever a minute has ended, the session
before and all past ones when a session begins. What it expects is compared with every row that the engine prints.

    profile_oracle.py check --tidegate target/release/tidegate [--set row_ticks=1] [--prints all] [--limit N] ZIP…
    profile_oracle.py facts [--prints all] ZIP…     the cent profile of each day: point of control, value area, largest rows

The files are days of one symbol, in their order. Needs nothing but Python. Exit code: 0 equal, 1 not equal, 2 usage.
"""

import argparse
import datetime
import itertools
import os
import re
import sys
import zipfile
import zoneinfo
from fractions import Fraction

from rows import first_difference, replay, verdict

NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
SECOND = 1_000_000_000
TICK = 10_000_000  # a cent, in 1e-9
# Conditions (bits) of prints that are volume alone, and of prints of an auction.
VOLUME_ONLY = sum(1 << bit for bit in (9, 11, 14, 18, 20, 24, 25))
AUCTION = sum(1 << bit for bit in (6, 7, 8, 21, 26))
WEIGHTS = {0: 1713449152, 1: 1039259446, 2: 231890127, 3: 19034701, 4: 574798}
MOST_NODES = 10


def trades(path, prints):
    """Trades that count, with their side, and the market hours of the day."""
    name = os.path.basename(path)
    day = datetime.datetime.strptime(re.search(r"\d{8}", name)[0], "%Y%m%d").replace(tzinfo=NEW_YORK)
    at = lambda hour, minute: int(day.replace(hour=hour, minute=minute).timestamp()) * SECOND
    midnight, hours = at(0, 0), (at(9, 30), at(16, 0))
    last, last_sign, latest, found = None, 0, 0, []
    with zipfile.ZipFile(path) as archive:
        lines = archive.read(archive.namelist()[0]).decode().split()
    for line in lines:
        ms, px, qty, _, conditions, suspicious = line.split(",")
        if suspicious not in ("0", ""):
            continue
        latest = max(latest, int(ms))
        px, qty, bits = int(px) * 100_000, int(qty), int(conditions or "0", 16)
        if prints == "by-conditions" and bits & VOLUME_ONLY:
            continue
        sign = last_sign if last is None or px == last else (1 if px > last else -1)
        last, last_sign = px, sign
        if bits & AUCTION:
            sign = 0
        if qty > 0:
            found.append((midnight + latest * 1_000_000, px, qty, sign))
    return found, hours


class Profile:
    """Volume by row: what was traded, bought and sold."""

    def __init__(self, height):
        self.height, self.rows = height, {}

    def add(self, row, volume, bought, sold):
        have = self.rows.setdefault(row, [0, 0, 0])
        for at, by in enumerate((volume, bought, sold)):
            have[at] += by
        if have[0] == 0:
            del self.rows[row]

    def dense(self):
        low, high = min(self.rows), max(self.rows)
        return low, [self.rows.get(row, (0,))[0] for row in range(low, high + 1)]

    def lowest(self, row):
        return row * self.height

    def highest(self, row):
        return row * self.height + self.height - TICK

    def middle(self, row):
        return row * self.height + (self.height - TICK) // 2


def control(volumes):
    most = max(volumes)
    centre = Fraction(len(volumes) - 1, 2)
    return min((at for at, v in enumerate(volumes) if v == most), key=lambda at: (abs(at - centre), at))


def area(volumes, poc, step, share):
    low = high = poc
    held, total, last = volumes[poc], sum(volumes), len(volumes) - 1
    while held * 100 < total * share:
        up, down = volumes[high + 1:high + 1 + step], volumes[max(0, low - step):low]
        if not down or (up and sum(up) >= sum(down)):
            high, held = min(last, high + step), held + sum(up)
        else:
            low, held = max(0, low - step), held + sum(down)
    return low, high


def smooth(volumes):
    n = len(volumes)

    def at(place):
        place %= 2 * n
        return volumes[place if place < n else 2 * n - 1 - place]

    return [sum(WEIGHTS[abs(k)] * at(row + k) for k in range(-4, 5)) for row in range(n)]


def peaks(heights):
    """Rows that are higher than both beside them, with their prominence, as its definition says."""
    for row in range(1, len(heights) - 1):
        top = heights[row]
        if top > heights[row - 1] and top > heights[row + 1]:
            bases = []
            for side in (reversed(heights[:row]), heights[row + 1:]):
                bases.append(min(itertools.takewhile(lambda h: h <= top, side)))
            yield row, top - max(bases)


def nodes(volumes, share):
    """All nodes, most prominent first; and the maximum that they are measured by."""
    smoothed = smooth(volumes)
    maximum = max(smoothed)
    found = [(prominence, True, row) for row, prominence in peaks(smoothed)]
    found += [(prominence, False, row) for row, prominence in peaks([maximum - h for h in smoothed])]
    found = [node for node in found if Fraction(node[0], maximum) >= Fraction(share, 100)]
    # Of equal ones high-volume nodes come first, and then the upper row.
    found.sort(key=lambda node: (-node[0], not node[1], -node[2]))
    return found, maximum


class Expected:
    """The rows that the page promises for days of trades."""

    def __init__(self, settings):
        self.settings = settings
        self.past, self.told = [], {}

    def prices(self, profile):
        low, volumes = profile.dense()
        poc, share = control(volumes), self.settings["value_area"]
        (val, vah), (val2, vah2) = (area(volumes, poc, step, share) for step in (1, 2))
        lowest, highest = (lambda at: profile.lowest(low + at)), (lambda at: profile.highest(low + at))
        return (profile.middle(low + poc), highest(vah), lowest(val), highest(vah2), lowest(val2)), volumes[poc]

    def profile(self, ts, of, profile, sessions=0, node_count=0):
        (poc, vah, val, vah2, val2), poc_qty = self.prices(profile)
        return ("profile", ts, of, poc, vah, val, vah2, val2, sum(row[0] for row in profile.rows.values()),
                max(profile.rows) - min(profile.rows) + 1, profile.height, sessions, node_count, poc_qty, 0)

    def with_nodes(self, ts, of, profile, sessions=0):
        low, volumes = profile.dense()
        found, maximum = nodes(volumes, self.settings["prominence"])
        kept = sorted(found[:MOST_NODES], key=lambda node: node[2])
        if sessions == 0:
            self.told[of] = self.prices(profile)[0], len(kept)
        yield self.profile(ts, of, profile, sessions, len(kept))
        for index, (prominence, is_high, row) in enumerate(kept):
            yield ("profile-node", ts, of, profile.middle(low + row), volumes[row], float(prominence) / float(maximum),
                   len(found), index, "high-volume" if is_high else "low-volume")

    def changes(self, ts, of, profile):
        prices, _ = self.prices(profile)
        before, count = self.told.get(of, (None, 0))
        if prices != before:
            self.told[of] = prices, count
            yield self.profile(ts, of, profile, 0, count)

    def begin(self, ts, px):
        ticks = self.settings["row_ticks"] or max(1, (px + 1000 * TICK) // (2000 * TICK))
        self.session, self.rolling, self.slices = Profile(ticks * TICK), Profile(ticks * TICK), {}
        self.told, self.minute, self.is_open = {}, 0, False
        if self.past:
            yield from self.with_nodes(ts, "previous", self.past[0], 1)
            together = Profile(ticks * TICK)
            for past in self.past:
                for row, sums in past.rows.items():
                    together.add(past.middle(row) // together.height, *sums)
            yield from self.with_nodes(ts, "composite", together, len(self.past))

    def day(self, found, hours):
        began = False
        for ts, px, qty, sign in found:
            minute = ts // (60 * SECOND)
            inside = hours[0] <= ts < hours[1]
            if inside and not began:
                began = True
                yield from self.begin(ts, px)
            elif began and self.is_open and minute > self.minute:
                self.is_open = False
                yield from self.with_nodes(ts, "session", self.session)
                yield from self.with_nodes(ts, "rolling", self.rolling)
            if not inside:
                continue
            self.minute, self.is_open = minute, True
            for old in [m for m in self.slices if m <= minute - self.settings["minutes"]]:
                for row, volume, bought, sold in self.slices.pop(old):
                    self.rolling.add(row, -volume, -bought, -sold)
            row = px // self.session.height
            part = (row, qty, qty if sign > 0 else 0, qty if sign < 0 else 0)
            self.slices.setdefault(minute, []).append(part)
            self.session.add(*part)
            self.rolling.add(*part)
            yield ("profile-row", ts, self.session.lowest(row), *self.session.rows[row])
            yield from self.changes(ts, "session", self.session)
            yield from self.changes(ts, "rolling", self.rolling)
        if began:
            self.past = [self.session, *self.past][: self.settings["sessions"]]


def nano(text):
    """A decimal as an integer of 1e-9."""
    whole, _, fraction = text.partition(".")
    sign = -1 if whole.startswith("-") else 1
    return int(whole) * SECOND + sign * int(fraction.ljust(9, "0"))


def shown(row):
    """A row of the engine in the form of those that are expected."""
    kind, ts = row["kind"], row["ts_ns"]
    if kind == "profile":
        prices = (nano(row[name]) for name in ("poc", "vah", "val", "vah2", "val2"))
        return (kind, ts, row["of"], *prices, row["volume"], row["rows"], nano(row["row_px"]), row["sessions"], row["nodes"],
                row["poc_qty"], row["left_out"])
    if kind == "profile-row":
        return (kind, ts, nano(row["px"]), row["volume"], row["buy_volume"], row["sell_volume"])
    return (kind, ts, row["of"], nano(row["px"]), row["volume"], row["prominence"], row["found"], row["index"], row["node"])


def check(options):
    settings = {"value_area": 70, "prominence": 20, "minutes": 60, "sessions": 20, "row_ticks": 0}
    more = ["--set", "pipeline.stages=book,profile", "--set", f"lean.prints={options.prints}"]
    for text in options.set:
        name, _, value = text.partition("=")
        settings[name] = int(value)
        more += ["--set", f"profile.{text}"]
    expected = Expected(settings)
    promised = itertools.chain.from_iterable(expected.day(*trades(path, options.prints)) for path in options.files)
    kinds = "profile,profile-row,profile-node"
    if options.limit:
        more += ["--limit", str(options.limit)]
        promised = itertools.islice(promised, options.limit)
    rows = map(shown, replay(options.tidegate, "lean", options.files, kinds, "jsonl", *more))
    names = " ".join(os.path.basename(path) for path in options.files)
    return verdict(f"profiles of {names} {' '.join(options.set)}", *first_difference(promised, rows))


def facts(options):
    for path in options.files:
        found, hours = trades(path, options.prints)
        profile = Profile(TICK)
        for ts, px, qty, _ in found:
            if hours[0] <= ts < hours[1]:
                profile.add(px // TICK, qty, 0, 0)
        low, volumes = profile.dense()
        poc = control(volumes)
        val, vah = area(volumes, poc, 1, 70)
        cents = lambda at: f"{(low + at) / 100:.2f}"
        largest = sorted(profile.rows.items(), key=lambda row: -row[1][0])[:3]
        print(f"{os.path.basename(path)}: {len(volumes)} rows, {sum(volumes):,} shares, point of control {cents(poc)}, value area "
              f"{cents(val)} to {cents(vah)} with {sum(volumes[val:vah + 1]):,}; largest "
              + ", ".join(f"{row / 100:.2f} ({sums[0]:,})" for row, sums in largest))
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, run in (("check", check), ("facts", facts)):
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        command.add_argument("--prints", default="by-conditions", choices=("by-conditions", "all"))
        command.add_argument("files", nargs="+")
        if name == "check":
            command.add_argument("--tidegate", required=True, help="the binary")
            command.add_argument("--set", action="append", default=[], help="a parameter of the measure")
            command.add_argument("--limit", type=int, help="compare so many rows")
    options = parser.parse_args()
    sys.exit(0 if options.run(options) else 1)


if __name__ == "__main__":
    main()
