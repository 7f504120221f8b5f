#!/usr/bin/env python3
"""Judges patterns of trades, their score, the venue score and the blend of toxicity on a day of LEAN ticks, row by row.

Reads the files of trades and quotes itself and follows `engine/stages/docs/patterns.md`, `venues.md` and `toxicity.md`; it shares no
code with the engine. Sides and counted prints are found anew from the rows of the files; the values of VPIN and of the book are taken
from the run.

    toxicity_oracle.py check --tidegate target/release/tidegate [--set patterns.window=50] … TRADES QUOTES

Needs nothing but Python. Exit code: 0 equal, 1 not equal, 2 usage.
"""

import argparse
import collections
import datetime
import itertools
import pathlib
import sys
import zipfile
import zoneinfo
from fractions import Fraction

from rows import first_difference, replay, verdict

NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
SECOND, MS = 1_000_000_000, 1_000_000
STAGES = "pipeline.stages=book,patterns,venues,imbalance-variability,vpin,toxicity"
KINDS = "trade-pattern,pattern-score,venue-score,imbalance-variability,vpin,toxicity"
# Bits of a print's conditions: volume alone, and auctions.
VOLUME_ONLY = sum(1 << bit for bit in (9, 11, 14, 18, 20, 24, 25))
AUCTION = sum(1 << bit for bit in (6, 7, 8, 21, 26))
ROUND_LOT = 100
TIERS = ((250, 100), (1_000, 40), (10_000, 10))
LETTERS = dict(zip("ABCDHIJKLMNPQTUVWXYZ", (
    "AMEX BX NSX FINRA MIAX ISE EDGA EDGX LTSE CHX NYSE ARCA NSDQ NSDQ MEMX IEX CBSX PSX BYX BATS").split()))
WEIGHTS = {"venues": (0.5, 0.25, 0.2, 0.05), "no-venues": (0.7, 0.0, 0.25, 0.05)}
DEFAULTS = {
    "patterns.round_lots": "listing",
    "patterns.block_qty": "10000",
    "patterns.block_value": "200000",
    "patterns.sweep_prices": "3",
    "patterns.sweep_ms": "100",
    "patterns.odd_lot": "0.7",
    "patterns.sweep": "0.9",
    "patterns.block": "-0.5",
    "patterns.window": "500",
    "patterns.every": "1",
    "venues.values": "IEX=0.20,EDGX=0.80",
    "venues.window": "500",
    "venues.every": "1",
    "toxicity.weights": "venues",
    "toxicity.neutral_default": "false",
    "toxicity.toxic": "0.7",
    "toxicity.informed": "0.3",
}
# A price in the files is in ten-thousandths.
ONE = 10_000

Trade = collections.namedtuple("Trade", "ts px qty venue side is_auction inside touch_known")


def lines(path):
    """The rows of a file, and midnight of its day."""
    date = datetime.datetime.strptime(pathlib.Path(path).name[:8], "%Y%m%d").replace(tzinfo=NEW_YORK)
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as rows:
        for row in rows.read().decode().split():
            yield int(date.timestamp()) * SECOND, row.split(",")


def side_of_quote(px, bid, ask):
    if not bid or not ask or bid >= ask:
        return None
    twice = 2 * px - bid - ask
    return "buy" if twice > 0 else "sell" if twice < 0 else None


def trades(trade_file, quote_file):
    """The trades that count, each with the aggressor by Lee and Ready and the touch before it, quotes of its own millisecond left out."""
    found = [(m, r, False) for m, r in lines(trade_file)] + [(m, r, True) for m, r in lines(quote_file)]
    found.sort(key=lambda one: (one[0] + int(one[1][0]) * MS, one[2]))
    bid = ask = 0
    last, direction = None, None
    for midnight, row, is_quote in found:
        if row[-1] == "1":
            continue
        if is_quote:
            bid, ask = int(row[1]) or bid, int(row[3]) or ask
            continue
        px, qty, conditions = int(row[1]), int(row[2]), int(row[4] or "0", 16)
        if conditions & VOLUME_ONLY or not qty:
            continue
        if last is not None and px != last:
            direction = "buy" if px > last else "sell"
        last = px
        is_auction = bool(conditions & AUCTION)
        side = None if is_auction else side_of_quote(px, bid, ask) or direction
        known = bool(bid and ask)
        yield Trade(midnight + int(row[0]) * MS, px, qty, row[3], side, is_auction, known and bid < px < ask, known)


class Sweeps:
    """Every trade of the run of the last aggressor, as (price, time)."""

    def __init__(self, within_ns):
        self.within_ns, self.side, self.run = within_ns, None, []

    def prices(self, trade):
        """How many prices he has taken within the time, 16 at most; 0 without an aggressor."""
        if trade.side is None:
            return 0
        is_better = self.run and (trade.px < self.run[-1][0] if trade.side == "buy" else trade.px > self.run[-1][0])
        if trade.side != self.side or is_better:
            self.side, self.run = trade.side, []
        self.run.append((trade.px, trade.ts))
        fresh = itertools.takewhile(lambda one: one[1] >= trade.ts - self.within_ns, reversed(self.run))
        return min(16, len({px for px, _ in fresh}))


def shows(known):
    return {None: "unknown", False: "no", True: "yes"}[known]


class Due:
    """The first trade of every interval."""

    def __init__(self, seconds):
        self.seconds, self.last = seconds, None

    def at(self, ts):
        before, self.last = self.last, ts // (self.seconds * SECOND) if self.seconds else ts
        return not self.seconds or before != self.last


def mean(window):
    volume = sum(qty for qty, _ in window)
    return sum(qty * weight for qty, weight in window) / volume if volume else None


def rounded(number):
    return None if number is None else round(float(number), 12)


def patterns(all_trades, of):
    """Rows of patterns, and the scores, each with its time."""
    number = lambda key: int(of["patterns." + key])
    weights = [Fraction(of["patterns." + key]) for key in ("odd_lot", "sweep", "block")]
    sweeps, due = Sweeps(number("sweep_ms") * MS), Due(number("every"))
    window, marks = collections.deque(maxlen=number("window")), collections.deque(maxlen=number("window"))
    rows, scores = [], []
    for trade in all_trades:
        tier = next((lot for up_to, lot in TIERS if trade.px <= up_to * ONE), 1)
        lot = ROUND_LOT if of["patterns.round_lots"] == "listing" else tier
        levels = sweeps.prices(trade)
        is_block = trade.qty >= number("block_qty") or trade.px * trade.qty >= number("block_value") * ONE
        seen = (trade.qty < lot, bool(levels) and levels >= number("sweep_prices"), is_block)
        weight = max(-1, min(1, sum(weight for weight, is_seen in zip(weights, seen) if is_seen)))
        hidden = "inside" if trade.inside and not trade.is_auction else "no" if trade.touch_known or trade.is_auction else "unknown"
        if any(seen) or hidden == "inside":
            rows.append((trade.ts, trade.px, trade.qty, trade.side or "none", shows(seen[0]), shows(is_block),
                         shows(seen[1] if levels else None), levels, hidden, lot, rounded(weight)))
        window.append((trade.qty, weight))
        marks.append(seen)
        if due.at(trade.ts):
            score = max(0, min(1, Fraction(1, 2) + Fraction(mean(window)) / 2))
            counts = tuple(sum(one[at] for one in marks) for at in range(3))
            scores.append((trade.ts, rounded(score), sum(qty for qty, _ in window), len(window), *counts))
    return rows, scores


def venues(all_trades, of):
    """Scores of the venues, each with its time."""
    values = {name: Fraction(value) for name, value in (one.split("=") for one in of["venues.values"].split(","))}
    due, window = Due(int(of["venues.every"])), collections.deque(maxlen=int(of["venues.window"]))
    for trade in all_trades:
        window.append((trade.qty, values.get(trade.venue, values.get(LETTERS.get(trade.venue)))))
        if due.at(trade.ts):
            valued = [(qty, value) for qty, value in window if value is not None]
            volumes = (sum(qty for qty, _ in valued), sum(qty for qty, _ in window))
            yield trade.ts, rounded(mean(valued)), *volumes, len(valued), len(window)


def label(toxicity, of):
    if toxicity is None:
        return "unknown"
    if toxicity >= float(of["toxicity.toxic"]):
        return "toxic"
    return "informed" if toxicity <= float(of["toxicity.informed"]) else "neutral"


def blends(rows, of):
    """The blend at every row of VPIN, from the scores of earlier inputs."""
    weights, neutral = WEIGHTS[of["toxicity.weights"]], of["toxicity.neutral_default"] == "true"
    known, waiting = {}, {}
    for row in rows:
        if row["seq"] != waiting.get("seq"):
            known.update(waiting)
            waiting = {"seq": row["seq"]}
        if row["kind"] in ("pattern-score", "venue-score"):
            waiting[row["kind"]] = row["score"]
        elif row["kind"] == "imbalance-variability":
            waiting[row["kind"]] = row["variability"]
        elif row["kind"] == "vpin":
            names = ("venue-score", "pattern-score", "imbalance-variability")
            parts = (row["vpin"], *(known.get(name) for name in names))
            values = [0.5 if part is None and neutral else part for part in parts]
            taken = [0.0 if value is None else weight for weight, value in zip(weights, values)]
            weight = sum(taken)
            toxicity = sum(w * v for w, v in zip(taken, values) if v is not None) / weight if weight else None
            shares = tuple(rounded(w / weight if weight else 0) for w in taken)
            yield row["seq"], tuple(map(rounded, parts)), shares, rounded(toxicity), label(toxicity, of)


def px_of(text):
    whole, _, fraction = text.partition(".")
    return int(whole) * ONE + int(fraction.ljust(4, "0")[:4])


def check(options):
    of = {**DEFAULTS, **dict(one.split("=", 1) for one in options.set)}
    sets = [word for one in ("lean.venues=true", STAGES, *options.set) for word in ("--set", one)]
    found = list(replay(options.tidegate, "lean", options.inputs, KINDS, "jsonl", *sets))
    kinds = collections.defaultdict(list)
    for row in found:
        kinds[row["kind"]].append(row)
    all_trades = list(trades(*options.inputs))
    expected, scores = patterns(all_trades, of)
    rows = [(row["ts_ns"], px_of(row["px"]), row["qty"], row["aggressor"], row["odd_lot"], row["block"], row["sweep"], row["levels"],
             row["hidden"], row["round_lot"], rounded(row["weight"])) for row in kinds["trade-pattern"]]
    passed = verdict("patterns", *first_difference(expected, rows))
    counts = ("score", "volume", "trades", "odd_lots", "sweeps", "blocks")
    rows = [(row["ts_ns"], rounded(row["score"]), *(row[name] for name in counts[1:])) for row in kinds["pattern-score"]]
    passed &= verdict("pattern scores", *first_difference(scores, rows))
    counts = ("valued_volume", "volume", "valued", "trades")
    rows = [(row["ts_ns"], rounded(row["score"]), *(row[name] for name in counts)) for row in kinds["venue-score"]]
    passed &= verdict("venue scores", *first_difference(venues(all_trades, of), rows))
    names = ("vpin", "venue", "pattern", "book")
    parts = lambda row, end: tuple(rounded(row[name + end]) for name in names)
    rows = [(row["seq"], parts(row, ""), parts(row, "_weight"), rounded(row["toxicity"]), row["label"]) for row in kinds["toxicity"]]
    passed &= verdict("toxicity", *first_difference(blends(found, of), rows))
    return 0 if passed else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["check"])
    parser.add_argument("--tidegate", required=True)
    parser.add_argument("--set", action="append", default=[], help="a parameter of `patterns`, `venues`, `vpin` or `toxicity`")
    parser.add_argument("inputs", nargs=2, help="a file of trades and one of quotes")
    return check(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
