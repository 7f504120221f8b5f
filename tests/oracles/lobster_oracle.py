#!/usr/bin/env python3
"""Judges LOBSTER decoding, books by level and trades by the data's own book file.

Row i of the orderbook file is the book after row i of the message file. Orders that existed before the first message
are in no message, so a book run on messages alone cannot know levels that enter the window: what is compared are the
prices visible in both row i-1 and row i. There the engine's depth after record i must be row i exactly.

    lobster_oracle.py check --tidegate target/release/tidegate ZIP  depth after every message; every trade and the totals
    lobster_oracle.py transitions ZIP                               the data against itself: message i on row i-1 gives row i
    lobster_oracle.py totals ZIP                                    executed volume, VWAP, buyers and sellers

ZIP is a LOBSTER sample as it is downloaded. Exit code: 0 equal, 1 not equal, 2 usage.
"""

import argparse
import collections
import datetime
import io
import json
import re
import sys
import zipfile
import zoneinfo

import numpy

from rows import first_difference, replay, verdict

NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
# A side of the book that has fewer levels than the window is filled up with this price.
EMPTY = 9999999999
SUBMISSION, CANCELLATION, DELETION, EXECUTION, HIDDEN = 1, 2, 3, 4, 5

Message = collections.namedtuple("Message", "ns type order qty px direction")


class Sample:
    """The two files of a download."""

    def __init__(self, path):
        self.path = path
        with zipfile.ZipFile(path) as archive:
            name = {part: next(n for n in archive.namelist() if f"_{part}_" in n) for part in ("message", "orderbook")}
            self.messages = [self.message(line) for line in io.TextIOWrapper(archive.open(name["message"]))]
            self.books = numpy.loadtxt(archive.open(name["orderbook"]), delimiter=",", dtype=numpy.int64)
        self.levels = self.books.shape[1] // 4
        day = datetime.date.fromisoformat(re.search(r"\d{4}-\d\d-\d\d", name["message"])[0])
        midnight = datetime.datetime.combine(day, datetime.time(), NEW_YORK)
        self.midnight_ns = int(midnight.timestamp()) * 1_000_000_000

    @staticmethod
    def message(line):
        time, kind, order, qty, px, direction = line.split(",")[:6]
        seconds, _, fraction = time.partition(".")
        ns = int(seconds) * 1_000_000_000 + int(fraction.ljust(9, "0")[:9])
        return Message(ns, int(kind), int(order), int(qty), int(px), int(direction))

    def sides(self, row):
        """Bids and asks of a row of the book file, price to quantity, best first."""
        values = self.books[row].tolist()
        pairs = list(zip(values[0::2], values[1::2]))
        keep = lambda side: {px: qty for px, qty in side if abs(px) != EMPTY}
        return keep(pairs[1::2]), keep(pairs[0::2])

    def visible(self, before, after):
        """The worst bid and ask down to which both rows see everything."""
        (bids_0, asks_0), (bids_1, asks_1) = before, after
        worst = lambda side, pick, none: pick(side) if len(side) == self.levels else none
        low = max(worst(bids_0, min, -EMPTY), worst(bids_1, min, -EMPTY))
        high = min(worst(asks_0, max, EMPTY), worst(asks_1, max, EMPTY))
        return low, high


def within(sides, low, high):
    """The levels from the best down to the bounds, as sorted pairs."""
    bids, asks = sides
    return sorted(l for l in bids.items() if l[0] >= low), sorted(l for l in asks.items() if l[0] <= high)


def expected_depths(sample):
    """(record, what is visible in both rows) from the second record on."""
    before = sample.sides(0)
    for row in range(1, len(sample.messages)):
        after = sample.sides(row)
        yield row + 1, within(after, *sample.visible(before, after))
        before = after


def units(text):
    """A price of at most four decimals as an integer."""
    whole, _, fraction = text.partition(".")
    if fraction[4:].strip("0"):
        sys.exit(f"{text} has more than four decimals")
    return int(whole) * 10000 + int(fraction[:4].ljust(4, "0"))


class Depths:
    """The engine's depth after each record, cut down to what is visible in both rows."""

    def __init__(self, binary, sample):
        self.sample = sample
        self.rows = replay(binary, "lobster", [sample.path], "depth", "jsonl", "--levels", str(sample.levels))
        self.whole = 0

    def __iter__(self):
        before, engine = self.sample.sides(0), ({}, {})
        row = next(self.rows, None)
        for index in range(len(self.sample.messages)):
            while row is not None and row["record"] <= index + 1:
                engine = tuple({units(px): qty for px, qty in row[side]} for side in ("bids", "asks"))
                row = next(self.rows, None)
            after = self.sample.sides(index)
            self.whole += engine == after
            if index > 0:
                yield index + 1, within(engine, *self.sample.visible(before, after))
            before = after
        if row is not None:
            yield row["record"], "a row past the last message"


def expected_trades(sample):
    """(record, ns, price, quantity, aggressor, displayed) of every execution."""
    for record, m in enumerate(sample.messages, 1):
        if m.type in (EXECUTION, HIDDEN):
            aggressor = "buy" if m.direction == -1 else "sell"
            yield record, sample.midnight_ns + m.ns, m.px, m.qty, aggressor, m.type == EXECUTION


def engine_trades(binary, sample):
    """The same, by the engine."""
    for row in replay(binary, "lobster", [sample.path], "trade", "jsonl"):
        terms = units(row["px"]), row["qty"], row["aggressor"], row["displayed"]
        yield row["record"], row["exchange_ts_ns"], *terms


def totals(trades):
    """Volume and VWAP, displayed, hidden and all; volume by aggressor."""
    shares, money = collections.Counter(), collections.Counter()
    for _, _, px, qty, aggressor, displayed in trades:
        for key in ("displayed" if displayed else "hidden", "all", aggressor):
            shares[key] += qty
            money[key] += px * qty
    vwap = lambda key: round(money[key] / 10000 / max(1, shares[key]), 6)
    sums = {key: {"shares": shares[key], "vwap": vwap(key)} for key in ("displayed", "hidden", "all")}
    return sums | {"bought_shares": shares["buy"], "sold_shares": shares["sell"]}


def check(options):
    sample = Sample(options.zip)
    depths = Depths(options.tidegate, sample)
    passed = verdict("depth where both rows see it", *first_difference(expected_depths(sample), depths))
    print(f"   the whole row was equal after {depths.whole:,} of {len(sample.messages):,} messages")
    trades = list(engine_trades(options.tidegate, sample))
    passed &= verdict("trades", *first_difference(expected_trades(sample), trades))
    print(f"   totals of the engine: {json.dumps(totals(trades))}")
    return passed


def transitions(options):
    sample = Sample(options.zip)

    def applied():
        before = sample.sides(0)
        for index in range(1, len(sample.messages)):
            after, m = sample.sides(index), sample.messages[index]
            book = tuple(dict(side) for side in before)
            side = book[0 if m.direction == 1 else 1]
            change = {SUBMISSION: m.qty, CANCELLATION: -m.qty, DELETION: -m.qty, EXECUTION: -m.qty}.get(m.type, 0)
            left = side.get(m.px, 0) + change
            if change and left:
                side[m.px] = left
            elif change:
                del side[m.px]
            yield index + 1, within(book, *sample.visible(before, after))
            before = after

    return verdict("transitions", *first_difference(expected_depths(sample), applied()))


def print_totals(options):
    print(json.dumps(totals(expected_trades(Sample(options.zip))), indent=1))
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, run in (("check", check), ("transitions", transitions), ("totals", print_totals)):
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        command.add_argument("zip")
        if name == "check":
            command.add_argument("--tidegate", required=True, help="the binary")
    options = parser.parse_args()
    sys.exit(0 if options.run(options) else 1)


if __name__ == "__main__":
    main()
