#!/usr/bin/env python3
"""Judges the score of the rules that infer an aggressor, from the trades and tops of the same replay.

The rules are written here from their page, in exact decimals: tick, quote, and Lee and Ready's. The last `signing` row of every
instrument and session must have the counters that they give, and the page must have the table that these make.

    signing_oracle.py check --tidegate target/release/tidegate --page engine/stages/docs/signing.md DATA
    signing_oracle.py table --tidegate target/release/tidegate DATA

DATA is the folder of recorded files. Exit code: 0 equal, 1 not equal, 2 usage.
"""

import argparse
import decimal
import pathlib
import sys

from rows import replay, verdict

# What the table shows: a name, the feed, the file, and which trades.
FILES = [
    ("LOBSTER GOOG, displayed", "lobster", "lobster/LOBSTER_SampleFile_GOOG_2012-06-21_10.zip", "displayed"),
    ("LOBSTER GOOG, hidden", "lobster", "lobster/LOBSTER_SampleFile_GOOG_2012-06-21_10.zip", "hidden"),
    ("LOBSTER AAPL, displayed", "lobster", "lobster/LOBSTER_SampleFile_AAPL_2012-06-21_1.zip", "displayed"),
    ("LOBSTER AAPL, hidden", "lobster", "lobster/LOBSTER_SampleFile_AAPL_2012-06-21_1.zip", "hidden"),
    ("Nasdaq ITCH, 10,000 messages", "itch", "nasdaq_itch/locate-13-10k.bin", "all"),
    ("DBN, ESU4 by MBP-1", "dbn", "databento/nautilus/futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02.dbn.zst", "all"),
    ("DBN, ESM4 by MBO", "dbn", "databento/nautilus/orderbooks_mbo_2024-05-08T00-00-00_2024-05-08T00-00-02.dbn.zst", "all"),
]
COUNTERS = ["trades", "tick_right", "tick_wrong", "quote_right", "quote_wrong", "lee_ready_right", "lee_ready_wrong"]


class Rules:
    """What the rules remember of an instrument, and how they did."""

    def __init__(self):
        self.last, self.tick, self.bid, self.ask = None, None, None, None
        self.score = dict.fromkeys(COUNTERS, 0)

    def quote(self, price):
        if self.bid is None or self.ask is None or self.bid >= self.ask or 2 * price == self.bid + self.ask:
            return None
        return "buy" if 2 * price > self.bid + self.ask else "sell"

    def trade(self, price, told):
        if self.last is not None and price != self.last:
            self.tick = "buy" if price > self.last else "sell"
        self.last = price
        if told is None:
            return
        by_quote = self.quote(price)
        said = {"tick": self.tick, "quote": by_quote, "lee_ready": by_quote or self.tick}
        self.score["trades"] += 1
        for rule, side in said.items():
            if side is not None:
                self.score[f"{rule}_{'right' if side == told else 'wrong'}"] += 1


def scores(binary, feed, path, judged):
    """The last score of every instrument by its own reckoning, and by the engine's rows. The files have one session each."""
    more = ["--set", "pipeline.stages=book,signing", "--set", f"signing.trades={judged}"]
    rules, found = {}, {}
    for row in replay(binary, feed, [path], "trade,book-top,signing", "jsonl", *more):
        instrument, kind = row["symbol"], row["kind"]
        of = rules.setdefault(instrument, Rules())
        number = lambda name: None if row[name] is None else decimal.Decimal(str(row[name]))
        if kind == "book-top":
            of.bid, of.ask = number("bid_px"), number("ask_px")
        elif kind == "signing":
            found[instrument] = {name: row[name] for name in COUNTERS}
        elif row["px"] is not None and row["qty"] and not row["volume_only"]:
            is_judged = judged == "all" or row["displayed"] == (judged == "displayed")
            is_told = row["aggressor"] != "none" and not row["inferred"]
            of.trade(number("px"), row["aggressor"] if is_judged and is_told else None)
    return {name: of.score for name, of in rules.items() if of.score["trades"]}, found


def table(all_scores):
    """The rows of the page's table."""
    yield "| trades of | told | tick right | silent | quote right | silent | lee-ready right | silent |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, by_instrument in all_scores:
        total = {counter: sum(score[counter] for score in by_instrument.values()) for counter in COUNTERS}
        cells = []
        for rule in ["tick", "quote", "lee_ready"]:
            right, wrong = total[f"{rule}_right"], total[f"{rule}_wrong"]
            share = lambda n: f"{100 * n / total['trades']:.1f} %"
            cells += [share(right), share(total["trades"] - right - wrong)]
        yield f"| {name} | {total['trades']:,} | " + " | ".join(cells) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["check", "table"])
    parser.add_argument("--tidegate", required=True)
    parser.add_argument("--page", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    args = parser.parse_args()
    good, all_scores = True, []
    for name, feed, path, judged in FILES:
        expected, found = scores(args.tidegate, feed, args.data / path, judged)
        difference = None if expected == found else (expected, found)
        good &= verdict(name, len(found), difference)
        all_scores.append((name, expected))
    lines = list(table(all_scores))
    if args.what == "table":
        print("\n".join(lines))
    else:
        missing = [line for line in lines if line not in args.page.read_text().splitlines()]
        good &= verdict("the table of the page", len(lines) - len(missing), missing and (missing[0], "no such line"))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
