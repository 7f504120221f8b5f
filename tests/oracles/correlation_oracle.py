#!/usr/bin/env python3
"""Judges correlations on bars of CSV files, row by row.

Reads the files itself and takes for every row all returns of the last times that the two instruments have in common, as
`engine/stages/docs/correlation.md` says; numpy makes the correlation of them. Which of a pair's two bars a row is of depends on the order of
inputs, so rows are compared as pairs.

    correlation_oracle.py check --tidegate target/release/tidegate [--bars 2000] CSV…
    correlation_oracle.py last [--bars 2000] CSV…      what the last bar of each pair comes to

The files are weeks of minutes of one symbol each, whose times are those of New York at the end of a bar. Exit code: 0 equal, 1 not equal,
2 usage.
"""

import argparse
import csv
import datetime
import itertools
import math
import os
import sys
import zoneinfo

import numpy

from rows import replay

NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
MINUTE = 60


def closes(path):
    """The closes of a file by the start of their bar, Unix time."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = [(row["datetime"], float(row["close"])) for row in csv.DictReader(file)]
    at = lambda text: datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=NEW_YORK)
    return {int(at(text).timestamp()) - MINUTE: close for text, close in rows}


def returns(paths):
    """Returns by symbol and start; none behind a gap."""
    of = {}
    for path in paths:
        series = closes(path)
        of[os.path.basename(path).split("_")[0]] = {
            start: math.log(close / series[start - MINUTE]) for start, close in series.items() if start - MINUTE in series
        }
    return of


def expected(paths, last, least):
    """Start, pair, returns in common, correlation, from the first time on."""
    of = returns(paths)
    starts = sorted(set(itertools.chain.from_iterable(of.values())))
    table = {symbol: numpy.array([series.get(start, math.nan) for start in starts]) for symbol, series in of.items()}
    known = {symbol: ~numpy.isnan(series) for symbol, series in table.items()}
    for at, start in enumerate(starts):
        window = slice(max(0, at + 1 - last), at + 1)
        for one, other in itertools.combinations(sorted(of), 2):
            if not (known[one][at] and known[other][at]):
                continue
            common = known[one][window] & known[other][window]
            x, y = table[one][window][common], table[other][window][common]
            correlation = None
            if len(x) >= least and x.std() > 1e-12 and y.std() > 1e-12:
                correlation = float(numpy.corrcoef(x, y)[0, 1])
            yield start, (one, other), len(x), correlation


def printed(options):
    """The same, as the engine prints it."""
    files = sorted(options.files)
    sets = ("pipeline.stages=correlation", f"correlation.bars={options.bars}", f"correlation.least={options.least}",
            "csv.zone=America/New_York", "csv.stamp=end")
    more = [word for setting in sets for word in ("--set", setting)]
    rows = list(replay(options.tidegate, "csv", files, "listing,correlation", "jsonl", *more))
    # Instruments are numbered as they are listed.
    symbols = dict(enumerate((row["symbol"] for row in rows if row["kind"] == "listing"), start=1))
    for row in rows:
        if row["kind"] == "correlation":
            pair = tuple(sorted((row["symbol"], symbols[row["other"]])))
            yield row["start_ns"] // 1_000_000_000, pair, row["common"], row["correlation"]


def check(options):
    by_pair = lambda row: row[:2]
    theirs = sorted(printed(options), key=by_pair)
    ours = sorted(expected(options.files, options.bars, options.least), key=by_pair)
    furthest = 0.0
    for at, (want, have) in enumerate(zip(ours, theirs)):
        if want[:3] != have[:3] or (want[3] is None) != (have[3] is None):
            print(f"correlations differ at {at}: {want} is {have}")
            return False
        if want[3] is not None:
            furthest = max(furthest, abs(want[3] - have[3]))
    print(f"correlations of {len(options.files)} files: {len(ours):,} rows, theirs {len(theirs):,}, the furthest apart by {furthest:.1e}")
    return len(ours) == len(theirs) > 0 and furthest < 1e-7


def last(options):
    found = {}
    for _, pair, common, correlation in expected(options.files, options.bars, options.least):
        found[pair] = (common, correlation)
    for pair, (common, correlation) in sorted(found.items()):
        print("/".join(pair), common, f"{correlation:.6f}")
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, run in (("check", check), ("last", last)):
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        command.add_argument("files", nargs="+")
        command.add_argument("--bars", type=int, default=120, help="times of the window")
        command.add_argument("--least", type=int, default=30, help="returns in common")
        if run is check:
            command.add_argument("--tidegate", required=True, help="the binary")
    options = parser.parse_args()
    sys.exit(0 if options.run(options) else 1)


if __name__ == "__main__":
    main()
