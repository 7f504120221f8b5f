#!/usr/bin/env python3
"""Judges what `tidegate discover` learns from bars of CSV files, number by number.

Reads the files itself and computes every number as `engine/docs/discover.md` says, with numpy where that has it; then reads the comments and
values of the file that the engine writes, and compares all of them.

    discover_oracle.py check --tidegate target/release/tidegate [--calendar XNYS] CSV…

The files are of minutes of one symbol each, whose times are those of New York at the end of a bar. Exit code: 0 equal, 1 not equal, 2 usage.
"""

import argparse
import collections
import csv
import datetime
import itertools
import math
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import zoneinfo

import numpy

NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
UTC = zoneinfo.ZoneInfo("UTC")
MINUTE, WINDOW, LAGS, LEAST, COMMON = 60, 60, 60, 120, 30


def bars(path):
    """Start, close and volume of the bars of a file, in the order of time."""
    at = lambda text: datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=NEW_YORK)
    with open(path, newline="", encoding="utf-8") as file:
        rows = [(int(at(row["datetime"]).timestamp()) - MINUTE, float(row["close"]), float(row["volume"] or 0)) for row in csv.DictReader(file)]
    return sorted(rows)


def following(series):
    """Returns by minute, of bars that begin where the one before ended."""
    closes = {start: close for start, close, _ in series}
    return {
        start // MINUTE: math.log(close / closes[start - MINUTE]) for start, close in closes.items() if start - MINUTE in closes
    }


class Symbol:
    """What one symbol comes to; None is what the file leaves out."""

    def __init__(self, series, zone):
        local = [datetime.datetime.fromtimestamp(start, zone) for start, _, _ in series]
        self.days = sorted({time.date() for time in local})
        self.bars, self.volume = len(series), int(sum(volume for _, _, volume in series))
        self.bucket = max(self.volume // (len(self.days) * 50), 1) if self.volume else None
        closes = numpy.array([close for _, close, _ in series])
        returned = numpy.diff(numpy.log(closes))
        self.low = self.high = None
        self.values = max(len(returned) - WINDOW + 1, 0)
        if len(returned) >= LEAST and self.values:
            windows = numpy.lib.stride_tricks.sliding_window_view(returned, WINDOW)
            realised = numpy.sqrt((windows**2).sum(axis=1))
            low, high = numpy.quantile(realised, [1 / 3, 2 / 3])
            if low >= 1e-9:
                self.low, self.high = low, high
        self.following = following(series)
        self.lags = self.bound = None
        if len(self.following) >= LEAST and len(set(self.following.values())) > 1:
            self.bound, self.lags = self.autocorrelations()
        self.minutes = collections.Counter()
        for time, (_, _, volume) in zip(local, series):
            if volume:
                self.minutes[time.hour * 60 + time.minute] += int(volume)

    def autocorrelations(self):
        first, last = min(self.following), max(self.following)
        dense = numpy.full(last - first + 1, numpy.nan)
        for place, returned in self.following.items():
            dense[place - first] = returned
        dense -= numpy.nanmean(dense)
        dense = numpy.nan_to_num(dense)
        bound = 1.96 / math.sqrt(len(self.following))
        all_lags = {lag: float((dense[:-lag] * dense[lag:]).sum() / (dense**2).sum()) for lag in range(1, LAGS + 1)}
        return bound, {lag: r for lag, r in all_lags.items() if abs(r) > bound}


def correlation(one, other):
    """Returns in common, and the correlation over them."""
    times = sorted(one.following.keys() & other.following.keys())
    x, y = (numpy.array([of.following[time] for time in times]) for of in (one, other))
    if len(times) < COMMON or x.std() < 1e-12 or y.std() < 1e-12:
        return len(times), None
    return len(times), float(numpy.corrcoef(x, y)[0, 1])


class Written:
    """The file, taken apart."""

    def __init__(self, text):
        self.values = tomllib.loads(text)
        self.head = dict(re.findall(r"^# (rows|days): (.*)$", text, re.M))
        self.inputs = re.findall(r"^# input: (.*)$", text, re.M)
        self.version = re.match(r"# Learned by tidegate discover (\S+)\.\n", text)
        self.pairs, self.symbols, symbol = {}, {}, None
        for line in text.splitlines():
            if found := re.fullmatch(r"# (\S+): (\d+) bars, (\d+) days, (\d+) trades", line):
                symbol = self.symbols[found[1]] = {"bars": int(found[2]), "days": int(found[3]), "lags": {}, "minutes": {}}
            elif found := re.fullmatch(r"#   (\S+) (\S+) (-?\d\.\d{6}|-) (\d+)", line):
                self.pairs[found[1], found[2]] = int(found[4]), None if found[3] == "-" else float(found[3])
            elif found := re.fullmatch(r"# volume (\d+) in (\d+) days, 50 buckets a day", line):
                symbol["volume"] = int(found[1])
            elif found := re.fullmatch(r"# thirds of (\d+) values", line):
                symbol["values"] = int(found[1])
            elif found := re.fullmatch(r"# look-back: (\d+) bars, the last lag beyond (\S+), (\d+) returns", line):
                symbol |= {"look_back": int(found[1]), "bound": float(found[2]), "returns": int(found[3])}
            elif found := re.fullmatch(r"# no look-back: no lag to 60 beyond (\S+), (\d+) returns", line):
                symbol |= {"look_back": None, "bound": float(found[1]), "returns": int(found[2])}
            elif found := re.fullmatch(r"#   lag (\d+) (\S+)", line):
                symbol["lags"][int(found[1])] = float(found[2])
            elif found := re.fullmatch(r"#   (\d\d):(\d\d)((?: (?:-|\d+\.\d)){10})", line):
                first = int(found[1]) * 60 + int(found[2])
                symbol["minutes"] |= {first + at: float(v) for at, v in enumerate(found[3].split()) if v != "-"}

    def value(self, section, symbol, name):
        return self.values.get(section, {}).get("symbol", {}).get(symbol, {}).get(name)


class Judge:
    def __init__(self):
        self.equal, self.wrong = 0, []

    def same(self, what, want, have, within=0.0):
        both = want is not None and have is not None
        if (want is None and have is None) or (both and (want == have or (within and abs(want - have) <= within))):
            self.equal += 1
        else:
            self.wrong.append(f"{what}: expected {want}, found {have}")


def judge_symbol(judge, name, ours, written):
    theirs = written.symbols.get(name, {})
    judge.same(f"{name} bars", ours.bars, theirs.get("bars"))
    judge.same(f"{name} days", len(ours.days), theirs.get("days"))
    judge.same(f"{name} volume", ours.volume if ours.bucket else None, theirs.get("volume"))
    judge.same(f"{name} bucket", ours.bucket, written.value("vpin", name, "bucket_qty"))
    judge.same(f"{name} low", ours.low, written.value("regime", name, "low_volatility"), 1e-9)
    judge.same(f"{name} high", ours.high, written.value("regime", name, "high_volatility"), 1e-9)
    judge.same(f"{name} values", ours.values if ours.low else None, theirs.get("values"))
    judge.same(f"{name} returns", len(ours.following) if ours.lags is not None else None, theirs.get("returns"))
    judge.same(f"{name} bound", ours.bound, theirs.get("bound"), 1e-6)
    judge.same(f"{name} look-back", max(ours.lags) if ours.lags else None, theirs.get("look_back"))
    lags = theirs.get("lags", {})
    for lag in sorted((ours.lags or {}).keys() | lags.keys()):
        judge.same(f"{name} lag {lag}", (ours.lags or {}).get(lag), lags.get(lag), 1e-6)
    minutes = theirs.get("minutes", {})
    for minute in sorted(ours.minutes.keys() | minutes.keys()):
        mean = ours.minutes[minute] / len(ours.days) if minute in ours.minutes else None
        judge.same(f"{name} minute {minute}", mean, minutes.get(minute), 0.0500001)


def check(options):
    ours = {os.path.basename(path).split("_")[0]: Symbol(bars(path), NEW_YORK if options.calendar else UTC) for path in options.files}
    command = [options.tidegate, "discover", "--set", "csv.zone=America/New_York", "--set", "csv.stamp=end"]
    if options.calendar:
        command += ["--set", f"csv.calendar={options.calendar}"]
    command += ["--input", *options.files]
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "learned.toml")
        run = subprocess.run([*command, "--out", out], capture_output=True, text=True)
        if run.returncode != 0:
            sys.exit(f"{' '.join(command)}: exit code {run.returncode}\n{run.stderr}")
        with open(out, encoding="utf-8") as file:
            text = file.read()
        again = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    written, judge = Written(text), Judge()
    judge.same("bytes of a second run", text, again)
    judge.same("version", True, written.version is not None)
    judge.same("inputs", list(options.files), written.inputs)
    days = sorted(set().union(*(one.days for one in ours.values())))
    judge.same("days", f"{len(days)}, {days[0]} to {days[-1]}", written.head.get("days"))
    rows = sum(one.bars for one in ours.values())
    judge.same("rows", f"{rows} bars of 1m, 0 trades, {len(ours)} symbols", written.head.get("rows"))
    judge.same("symbols", sorted(ours), list(written.symbols))
    judge.same("bars of a value", WINDOW, written.values["regime"]["bars"])
    for name, one in sorted(ours.items()):
        judge_symbol(judge, name, one, written)
    pairs = {(one, other): correlation(ours[one], ours[other]) for one, other in itertools.combinations(sorted(ours), 2)}
    judge.same("pairs", list(pairs), list(written.pairs))
    for pair, (common, number) in pairs.items():
        judge.same(f"{pair} common", common, written.pairs.get(pair, (None, None))[0])
        judge.same(f"{pair} correlation", number, written.pairs.get(pair, (None, None))[1], 1e-6)
    for wrong in judge.wrong[:20]:
        print(f"FAILED {wrong}")
    print(run.stderr.rstrip().splitlines()[-1])
    print(f"{'FAILED' if judge.wrong else 'ok'} discover: {len(ours)} symbols, {judge.equal:,} numbers equal, {len(judge.wrong)} not")
    return not judge.wrong and judge.equal > 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("check")
    command.add_argument("--tidegate", required=True, help="the binary")
    command.add_argument("--calendar", choices=["XNYS"], help="days and minutes of New York; without it those of UTC")
    command.add_argument("files", nargs="+")
    sys.exit(0 if check(parser.parse_args()) else 1)


if __name__ == "__main__":
    main()
