#!/usr/bin/env python3
"""Judges the measure `untested` on days of LEAN ticks, row by row.

Reads the files of trades itself and follows `engine/stages/docs/untested.md`: a profile of every session, its point of control and its
extreme rows at the end, and then every trade of the days behind it against every price, without bounds that save looks. Sides are by
the tick rule, so give it files of trades alone.

    untested_oracle.py check --tidegate target/release/tidegate [--set untested.sessions=1] [--set profile.row_ticks=1] ZIP…

The files are days of one symbol, in their order. Needs nothing but Python. Exit code: 0 equal, 1 not equal, 2 usage.
"""

import argparse
import collections
import os
import sys

from profile_oracle import SECOND, TICK, Profile, control, nano, trades
from rows import first_difference, replay, verdict

SORTS = ("naked-poc", "unfinished-high", "unfinished-low")


def left_by(profile):
    """What a session leaves: its point of control, and the extremes where both sides traded."""
    low, volumes = profile.dense()
    rows = {"naked-poc": profile.middle(low + control(volumes))}
    for sort, row in (("unfinished-high", max(profile.rows)), ("unfinished-low", min(profile.rows))):
        _, bought, sold = profile.rows[row]
        if bought and sold:
            rows[sort] = profile.lowest(row)
    return rows


def is_touched(sort, px, row_px, before, trade):
    if sort == "naked-poc":
        return min(before, trade) <= px <= max(before, trade)
    return trade >= px + row_px if sort == "unfinished-high" else trade < px


def expected(days, row_ticks, sessions):
    """Rows as (ts, what, sort, px, row_px, trade, session, sessions)."""
    prices, past = [], None
    for found, hours in days:
        profile, before, begun = None, None, hours[0] // SECOND
        for ts, px, qty, sign in found:
            if not hours[0] <= ts < hours[1]:
                continue
            touched = [one for one in prices if is_touched(*one[:3], px if before is None else before, px)]
            if profile is None:
                ticks = row_ticks or max(1, (px + 1000 * TICK) // (2000 * TICK))
                profile = Profile(ticks * TICK)
                yield from ((ts, "touched", *one[:3], px, *one[3:]) for one in in_order(touched))
                prices = [one for one in prices if one not in touched]
                if past:
                    yield from ((ts, "forgotten", *one[:3], None, *one[3:]) for one in in_order(prices) if one[4] >= sessions)
                    prices = [(*one[:4], one[4] + 1) for one in prices if one[4] < sessions]
                    session, last = past
                    rows = left_by(last)
                    made = [(sort, rows[sort], last.height, session, 1) for sort in SORTS if sort in rows]
                    yield from ((ts, "made", *one[:3], None, *one[3:]) for one in made)
                    prices += made
                    touched = [one for one in made if is_touched(*one[:3], px, px)]
                else:
                    touched = []
            yield from ((ts, "touched", *one[:3], px, *one[3:]) for one in in_order(touched))
            prices = [one for one in prices if one not in touched]
            before = px
            profile.add(px // profile.height, qty, qty if sign > 0 else 0, qty if sign < 0 else 0)
        if profile:
            past = begun, profile


def in_order(prices):
    """By sort, and the oldest first."""
    return sorted(prices, key=lambda one: (SORTS.index(one[0]), -one[4]))


def shown(row):
    """A row of the engine in the form of those that are expected."""
    trade = row["trade_px"]
    return (row["ts_ns"], row["what"], row["of"], nano(row["px"]), nano(row["row_px"]), None if trade is None else nano(trade),
            row["session_ns"] // SECOND, row["sessions"])


def check(options):
    settings, more = {"profile.row_ticks": 0, "untested.sessions": 20}, ["--set", "pipeline.stages=profile,untested"]
    for text in options.set:
        name, _, value = text.partition("=")
        settings[name] = int(value)
        more += ["--set", text]
    days = (trades(path, "by-conditions") for path in options.files)
    promised = list(expected(days, settings["profile.row_ticks"], settings["untested.sessions"]))
    rows = map(shown, replay(options.tidegate, "lean", options.files, "untested", "jsonl", *more))
    print(dict(sorted(collections.Counter(f"{row[2]} {row[1]}" for row in promised).items())))
    names = " ".join(os.path.basename(path) for path in options.files)
    return verdict(f"untested prices of {names} {' '.join(options.set)}", *first_difference(promised, rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command = parser.add_subparsers(required=True).add_parser("check")
    command.set_defaults(run=check)
    command.add_argument("--tidegate", required=True, help="the binary")
    command.add_argument("--set", action="append", default=[], help="a parameter of a measure")
    command.add_argument("files", nargs="+")
    options = parser.parse_args()
    sys.exit(0 if options.run(options) else 1)


if __name__ == "__main__":
    main()
