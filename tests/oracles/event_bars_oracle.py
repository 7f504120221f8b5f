#!/usr/bin/env python3
"""Judges bars that the clock does not end, on ticks of LEAN, row by row.

Reads the files itself and follows `engine/stages/docs/event-bars.md`: a bar is a list of trades, and all that is said of it is added up
from them when it ends.

    event_bars_oracle.py check --tidegate target/release/tidegate --by volume --size 100000 ZIP…

The files are days of one symbol, in their order. Needs nothing but Python. Exit code: 0 equal, 1 not equal, 2 usage.
"""

import argparse
import datetime
import fractions
import os
import sys
import zoneinfo

from profile_oracle import nano, trades
from rows import first_difference, replay, verdict

NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
SECOND = 1_000_000_000


class EventBars:
    def __init__(self, by, size):
        self.by, self.size = by, size if by in ("trades", "volume") else size * SECOND
        self.day, self.trades = None, []

    def trade(self, ts, px, qty, sign):
        day = datetime.datetime.fromtimestamp(ts // SECOND, NEW_YORK).date()
        if day != self.day:
            if self.trades:
                yield self.closed("no")
            self.day = day
        self.trades.append((ts, px, qty, sign))
        pxs = [px for _, px, _, _ in self.trades] if self.by == "range" else []
        has = {
            "trades": lambda: len(self.trades), "volume": lambda: sum(qty for _, _, qty, _ in self.trades),
            "value": lambda: sum(px * qty for _, px, qty, _ in self.trades), "range": lambda: max(pxs) - min(pxs),
        }
        if has[self.by]() >= self.size:
            yield self.closed("yes")

    def closed(self, whole):
        ended, self.trades = self.trades, []
        pxs, volume = [px for _, px, _, _ in ended], sum(qty for _, _, qty, _ in ended)
        vwap = round(fractions.Fraction(sum(px * qty for _, px, qty, _ in ended), volume))
        bought, sold = (sum(qty for _, _, qty, sign in ended if sign == side) for side in (1, -1))
        first, last = (at // SECOND * SECOND for at in (ended[0][0], ended[-1][0]))
        return first, last, self.by, pxs[0], max(pxs), min(pxs), pxs[-1], volume, vwap, bought, sold, len(ended), whole, "no"

    @staticmethod
    def shown(row):
        prices = (nano(row[name]) for name in ("open", "high", "low", "close"))
        return (row["start_ns"], row["last_ns"], row["by"], *prices, row["volume"], nano(row["vwap"]), row["buy_volume"],
                row["sell_volume"], row["trades"], row["whole"], row["doubtful"])


def check(options):
    bars = EventBars(options.by, fractions.Fraction(options.size))
    found = (trade for path in options.files for trade in trades(path, "by-conditions")[0])
    promised = (row for trade in found for row in bars.trade(*trade))
    sets = (f"{name}={value}" for name, value in (
        ("pipeline.stages", "event-bars"), ("event-bars.by", options.by), ("event-bars.size", options.size)))
    more = (word for setting in sets for word in ("--set", setting))
    rows = map(EventBars.shown, replay(options.tidegate, "lean", options.files, "event-bar", "jsonl", *more))
    names = " ".join(os.path.basename(path) for path in options.files)
    return verdict(f"event bars of {names} by {options.by}, {options.size}", *first_difference(promised, rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command = parser.add_subparsers(required=True).add_parser("check")
    command.add_argument("files", nargs="+")
    command.add_argument("--tidegate", required=True, help="the binary")
    command.add_argument("--by", default="trades", choices=("trades", "volume", "value", "range"))
    command.add_argument("--size", default="1000")
    sys.exit(0 if check(parser.parse_args()) else 1)


if __name__ == "__main__":
    main()
