#!/usr/bin/env python3
"""Judges the measures of the touch on LOBSTER samples, row by row.

Takes best bid and ask from the sample's own book file and trades from its message file, and computes from them what the pages of
`spread`, `ofi`, `depth-slope`, `price-impact` and `imbalance-variability` say, without sums that go on: each window is added up anew, in fractions.
Integers must be equal, numbers to a part of 1e-9.

    book_measures_oracle.py check --tidegate target/release/tidegate [--window 60] [--seconds 60] [--intervals 30] ZIP
    book_measures_oracle.py last ZIP               the last row of each: what a day comes to

ZIP is a LOBSTER sample as it is downloaded. Exit code: 0 equal, 1 not equal, 2 usage.
"""

import argparse
import collections
import csv
import datetime
import io
import itertools
import math
import re
import sys
import zipfile
import zoneinfo
from fractions import Fraction

from rows import replay

NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
# Types of messages that are trades: an execution of an order that was displayed, or of one that was not.
TRADES = {"4", "5"}

SECOND = 1_000_000_000
# The feed's prices are of 1e-4.
PX = 10_000
PIECES = 60
# A side that is empty is filled up with this price.
EMPTY = 9999999999
LEAST = 30
LEVELS = 5

Touch = collections.namedtuple("Touch", "bid bid_qty ask ask_qty")


class Sample:
    """What the two files of a download come to."""

    def __init__(self, path):
        with zipfile.ZipFile(path) as archive:
            name = {part: next(n for n in archive.namelist() if f"_{part}_" in n) for part in ("message", "orderbook")}
            read = lambda part: csv.reader(io.TextIOWrapper(archive.open(name[part])))
            day = datetime.date.fromisoformat(re.search(r"\d{4}-\d\d-\d\d", name["message"])[0])
            midnight = int(datetime.datetime.combine(day, datetime.time(), NEW_YORK).timestamp()) * SECOND
            # (time, record, touch) where the touch changes; (time, record, signed quantity) of trades, whose direction is that
            # of the order that rested.
            self.touches, self.trades = [], []
            # Bids and asks, best first, of each touch.
            self.depths = []
            self.has_depth = False
            before = Touch(None, 0, None, 0)
            for record, (message, book) in enumerate(zip(read("message"), read("orderbook"), strict=True), start=1):
                seconds, _, fraction = message[0].partition(".")
                time = midnight + int(seconds) * SECOND + int(fraction.ljust(9, "0")[:9])
                if message[1] in TRADES:
                    self.trades.append((time, record, -int(message[5]) * int(message[3])))
                ask, bid = self.side(book[:2]), self.side(book[2:4])
                if (touch := Touch(*bid, *ask)) != before:
                    self.touches.append((time, record, touch))
                    levels = [self.side(book[at : at + 2]) for at in range(0, len(book), 2)]
                    self.has_depth = len(book) > 4
                    self.depths.append([[one for one in side if one[0] is not None] for side in (levels[1::2], levels[0::2])])
                    before = touch

    @staticmethod
    def side(words):
        px, qty = map(int, words)
        return (None, 0) if abs(px) == EMPTY else (px, qty)


def spreads(sample, _):
    for _, record, touch in sample.touches:
        if touch.bid is None or touch.ask is None:
            yield record, "one-sided", None, None
        elif touch.ask <= touch.bid:
            yield record, "locked" if touch.ask == touch.bid else "crossed", None, None
        else:
            mid = Fraction(touch.ask + touch.bid, 2)
            yield record, "apart", Fraction(touch.ask - touch.bid, PX), (touch.ask - touch.bid) / mid * 10_000


def flow_of(before, now):
    """What a change of the touch adds, as the paper writes it."""
    bid = lambda touch: -math.inf if touch.bid is None else touch.bid
    ask = lambda touch: math.inf if touch.ask is None else touch.ask
    e = 0
    if bid(now) >= bid(before):
        e += now.bid_qty
    if bid(now) <= bid(before):
        e -= before.bid_qty
    if ask(now) <= ask(before):
        e -= now.ask_qty
    if ask(now) >= ask(before):
        e += before.ask_qty
    return e


def flows(sample, options):
    before, session, by_piece = None, 0, collections.Counter()
    for time, record, touch in sample.touches:
        if before is not None:
            e = flow_of(before, touch)
            piece = time // (options.window * SECOND // PIECES)
            session += e
            by_piece[piece] += e
            yield record, e, session, sum(by_piece[back] for back in range(piece - PIECES + 1, piece + 1))
        before = touch


def line(points):
    """Slope, intercept and share of least squares about the means, exact; None where there is none."""
    of = len(points)
    if of < 3:
        return None, None, None
    x, y = (sum(values) / Fraction(of) for values in zip(*points))
    xx = sum((p - x) ** 2 for p, _ in points)
    yy = sum((q - y) ** 2 for _, q in points)
    xy = sum((p - x) * (q - y) for p, q in points)
    if xx == 0:
        return None, None, None
    return xy / xx, y - xy / xx * x, xy**2 / (xx * yy) if yy else None


def slopes(sample, _):
    for (_, record, touch), sides in zip(sample.touches, sample.depths):
        row = [record]
        for side in sides:
            slope = None
            if touch.bid is not None and touch.ask is not None and len(side) > 1:
                mid = Fraction(touch.bid + touch.ask, 2)
                far = [abs(px - mid) / PX for px, _ in side[:LEVELS]]
                deep = list(itertools.accumulate(qty for _, qty in side[:LEVELS]))
                x, y = sum(far) / len(far), Fraction(sum(deep), len(deep))
                slope = sum((p - x) * (q - y) for p, q in zip(far, deep)) / sum((p - x) ** 2 for p in far)
            row.append(slope)
        yield row


def impacts(sample, options):
    """Rows of the first event after an interval has ended."""
    events = [(record, 1, time, touch) for time, record, touch in sample.touches]
    events += [(record, 0, time, signed) for time, record, signed in sample.trades]
    signed, mids = collections.Counter(), {}
    stood, running, first = None, None, None
    # A message's trade comes before the change of the book that it brings.
    for record, _, time, what in sorted(events, key=lambda event: event[:2]):
        number = time // (options.seconds * SECOND)
        if running is None:
            first = running = number
        if number > running:
            for ended in range(running, number):
                mids[ended] = stood
            running = number
            window = range(max(first + 1, number - options.intervals), number)
            known = [n for n in window if mids[n] is not None and mids[n - 1] is not None]
            points = [(Fraction(signed[n]), mids[n] - mids[n - 1]) for n in known]
            yield record, signed[number - 1], len(points), *line(points)
        if isinstance(what, Touch):
            both = what.bid is not None and what.ask is not None
            stood = Fraction(what.bid + what.ask, 2 * PX) if both else None
        else:
            signed[number] += what


def variabilities(sample, options):
    stood, samples, running = None, {}, None
    for time, record, touch in sample.touches:
        second = time // SECOND
        if running is None:
            running = second
        if second > running:
            for ended in range(running, second):
                samples[ended] = stood
            running = second
            found = [samples.get(back) for back in range(second - options.variability_window, second)]
            found = [one for one in found if one is not None]
            mean = deviation = None
            if len(found) >= LEAST:
                mean = math.fsum(found) / len(found)
                deviation = math.sqrt(math.fsum((one - mean) ** 2 for one in found) / len(found))
            yield record, len(found), mean, deviation
        both = touch.bid_qty > 0 and touch.ask_qty > 0
        stood = (touch.bid_qty - touch.ask_qty) / (touch.bid_qty + touch.ask_qty) if both else None


# By kind: what is expected, and the columns that hold it.
JUDGED = {
    "quoted-spread": (spreads, ["record", "touch", "spread", "bps"]),
    "order-flow-imbalance": (flows, ["record", "change", "session", "recent"]),
    "depth-slope": (slopes, ["record", "bid", "ask"]),
    "price-impact": (impacts, ["record", "signed_qty", "intervals", "slope", "intercept", "r2"]),
    "imbalance-variability": (variabilities, ["record", "samples", "mean", "variability"]),
}


def is_equal(want, have):
    if isinstance(want, (float, Fraction)) and have is not None:
        return math.isclose(float(want), float(have), rel_tol=1e-9, abs_tol=1e-11)
    return want == have


def check(options):
    sample = Sample(options.zip)
    sets = [
        "pipeline.stages=book,spread,ofi,depth-slope,price-impact,imbalance-variability",
        f"ofi.window={options.window}",
        f"price-impact.seconds={options.seconds}",
        f"price-impact.window={options.intervals}",
        f"imbalance-variability.window={options.variability_window}",
        f"imbalance-variability.least={LEAST}",
    ]
    more = [word for setting in sets for word in ("--set", setting)]
    found = {kind: [] for kind in JUDGED}
    for row in replay(options.tidegate, "lobster", [options.zip], ",".join(JUDGED), "jsonl", *more):
        found[row["kind"]].append([row[column] for column in JUDGED[row["kind"]][1]])
    is_right = True
    for kind, (expect, columns) in JUDGED.items():
        wanted = [list(row) for row in expect(sample, options)]
        pairs = zip(wanted, found[kind])
        wrong = next((n for n, two in enumerate(pairs) if not all(map(is_equal, *two))), None)
        known = sum(row[-1] is not None for row in wanted)
        # Of a sample with one level a side there is no slope.
        has_numbers = known > 0 or (kind == "depth-slope" and not sample.has_depth)
        if wrong is not None:
            print(f"FAILED {kind}: row {wrong}: {columns}: expected {list(map(str, wanted[wrong]))}, found {found[kind][wrong]}")
        elif len(wanted) != len(found[kind]) or not has_numbers:
            print(f"FAILED {kind}: {len(wanted):,} rows expected, {known:,} with numbers, found {len(found[kind]):,}")
        else:
            print(f"ok {kind}: {len(wanted):,} equal, {known:,} with numbers")
            continue
        is_right = False
    return is_right


def last(options):
    sample = Sample(options.zip)
    for kind, (expect, columns) in JUDGED.items():
        *_, row = expect(sample, options)
        numbers = (str(value) if isinstance(value, (int, str)) or value is None else f"{float(value):.9g}" for value in row)
        print(kind, *(f"{column} {number}" for column, number in zip(columns, numbers)))
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, run in (("check", check), ("last", last)):
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        command.add_argument("zip")
        command.add_argument("--window", type=int, default=60, help="seconds of recent flow")
        command.add_argument("--seconds", type=int, default=60, help="seconds of an interval of the impact")
        command.add_argument("--intervals", type=int, default=30, help="intervals of the fit")
        command.add_argument("--variability-window", type=int, default=300, help="seconds of samples")
        if run is check:
            command.add_argument("--tidegate", required=True, help="the binary")
    options = parser.parse_args()
    sys.exit(0 if options.run(options) else 1)


if __name__ == "__main__":
    main()
