#!/usr/bin/env python3
"""Judges alerts on days of LEAN ticks, row by row.

Takes trades, bars, nodes, states and flow from the rows of the engine, which other oracles judge, and follows
`engine/stages/docs/lvn-alerts.md` and `market-alerts.md` with them, in fractions and without anything that is kept between two trades but
the nodes and whether they are armed.

    alerts_oracle.py check --tidegate target/release/tidegate [--set lvn-alerts.band_bps=20] ZIP…

The files are days of one symbol, in their order. Needs nothing but Python. Exit code: 0 equal, 1 not equal, 2 usage.
"""

import argparse
import collections
import datetime
import itertools
import os
import sys

from profile_oracle import NEW_YORK, SECOND, nano
from rows import first_difference, replay, verdict

SETTINGS = {"band_bps": 50, "rearm_bps": 75, "leg_rows": 2, "leg_bps": 5, "leg_rearm": 150}
SOURCES = ("previous", "composite", "impulse", "reclaim")
READ = "trade,bar,profile,profile-node,leg,leg-node,lvn-alert,nearest-lvn,market-state,flow,state-alert,flow-alert"
OWN = ("lvn-alert", "nearest-lvn", "state-alert", "flow-alert")


def in_hours(ts):
    """The date in New York, if market hours of a full day are on."""
    at = datetime.datetime.fromtimestamp(ts // SECOND, NEW_YORK)
    minutes = at.hour * 60 + at.minute
    return at.date() if 570 <= minutes < 960 else None


class Node:
    def __init__(self, px, armed):
        self.px, self.armed = px, armed


class Alerts:
    """What the page promises."""

    def __init__(self, settings):
        self.of, self.date = settings, None
        self.begin()

    def begin(self):
        self.nodes = {source: [] for source in SOURCES}
        self.old, self.leg, self.open = {}, {}, set()
        self.last = self.before = None

    def distances(self, source, node, px):
        """Whether a price fires at a node, and whether it arms it."""
        apart = abs(px - node.px)
        if source in ("previous", "composite"):
            return apart * 10_000 < self.of["band_bps"] * node.px, apart * 10_000 > self.of["rearm_bps"] * node.px
        way, row = self.leg[source]
        near = max(self.of["leg_rows"] * row * 10_000, self.of["leg_bps"] * node.px)
        is_towards = px >= node.px if way == "up" else px <= node.px
        return is_towards and apart * 10_000 <= near, apart * 1_000_000 > near * self.of["leg_rearm"]

    def trade(self, ts, px):
        date = in_hours(ts)
        if date is None:
            return
        if date != self.date:
            self.date = date
            self.begin()
        if px != self.last:
            self.before, self.last = self.last, px
        fired = collections.OrderedDict()
        for source in SOURCES:
            for node in self.nodes[source]:
                fires, arms = self.distances(source, node, px)
                node.armed = node.armed or arms
                if node.armed and fires and source not in self.open:
                    node.armed = False
                    fired.setdefault(node.px, set()).add(source)
        for node_px, sources in fired.items():
            side = self.before if px == node_px else px
            yield ("lvn-alert", ts, px, node_px, abs(px - node_px) * 100 / node_px, "up" if side < node_px else "down",
                   *("yes" if source in sources else "no" for source in SOURCES))

    def add(self, source, px):
        node = Node(px, True)
        old = [one.armed for one in self.old.get(source, ()) if one.px == px]
        if old:
            node.armed = old[0]
        elif self.last is not None:
            node.armed = not self.distances(source, node, self.last)[0]
        self.nodes[source].append(node)

    def a_leg(self, row):
        source = row["leg"]
        if row["what"] == "closed":
            self.old[source], self.nodes[source] = self.nodes[source], []
            self.leg[source] = row["direction"], nano(row["row_px"])
            self.open.discard(source)
        elif row["what"] == "open-again":
            self.open.add(source)
        else:
            self.old[source], self.nodes[source] = [], []
            self.open.discard(source)

    def bar(self, row):
        close, start = nano(row["close"]), row["start_ns"]
        live = [(node, source) for source in SOURCES if source not in self.open for node in self.nodes[source]]
        if row["interval"] != "1m" or in_hours(start) != self.date or self.date is None or not live:
            return
        px = min((abs(close - node.px), node.px) for node, _ in live)[1]
        of = {source for node, source in live if node.px == px}
        armed = any(node.armed for node, _ in live if node.px == px)
        yield ("nearest-lvn", start, close, px, abs(close - px) * 100 / px, "yes" if armed else "no",
               *("yes" if source in of else "no" for source in SOURCES))

    def take(self, row):
        """What a row of the engine lets expect."""
        kind = row["kind"]
        if kind == "trade" and not row["volume_only"] and row["px"] is not None and row["qty"]:
            yield from self.trade(row["ts_ns"], nano(row["px"]))
        elif kind == "bar":
            yield from self.bar(row)
        elif kind == "profile" and row["of"] in SOURCES:
            self.nodes[row["of"]] = []
        elif kind == "profile-node" and row["of"] in SOURCES and row["node"] == "low-volume":
            self.add(row["of"], nano(row["px"]))
        elif kind == "leg":
            self.a_leg(row)
        elif kind == "leg-node" and row["node"] == "low-volume":
            self.add(row["leg"], nano(row["px"]))


class MarketAlerts:
    """What the page of `market-alerts` promises, by the rules `tidegate`."""

    def __init__(self, least):
        self.least, self.state, self.bars, self.aggressive = least, "unknown", 0, None

    def take(self, row):
        start = row.get("start_ns")
        if row["kind"] == "market-state":
            before, bars, self.bars = self.state, self.bars, self.bars + 1
            if row["state"] != before:
                self.state, self.bars = row["state"], 1
                if row["state"] != "unknown" and (before, row["state"]) != ("unknown", "balance"):
                    yield ("state-alert", start, nano(row["close"]), row["momentum"], row["threshold"], bars,
                           row["state"], before)
        elif row["kind"] == "flow":
            goes = row["direction"] if row["score"] >= self.least and row["direction"] != "none" else None
            before, self.aggressive = self.aggressive, goes
            if goes and goes != before:
                yield ("flow-alert", start, row["change"], row["delta"], row["score"], goes)


def shown(row):
    """A row of the engine in the form of those that are expected."""
    if row["kind"] == "state-alert":
        return ("state-alert", row["start_ns"], nano(row["close"]), row["momentum"], row["threshold"], row["bars"],
                row["state"], row["state_before"])
    if row["kind"] == "flow-alert":
        return ("flow-alert", row["start_ns"], row["change"], row["delta"], row["score"], row["direction"])
    flags = (row[source] for source in SOURCES)
    if row["kind"] == "lvn-alert":
        return ("lvn-alert", row["ts_ns"], nano(row["px"]), nano(row["node_px"]), row["distance"], row["direction"], *flags)
    return ("nearest-lvn", row["start_ns"], nano(row["close"]), nano(row["node_px"]), row["distance"], row["armed"], *flags)


def check(options):
    settings, more = dict(SETTINGS), ["--set", "pipeline.stages=bars,flow,profile,state,breakout,legs,lvn-alerts,market-alerts"]
    for text in options.set:
        name, _, value = text.partition("=")
        settings[name.removeprefix("lvn-alerts.")] = int(value)
        more += ["--set", text]
    alerts, markets = Alerts(settings), MarketAlerts(40)
    found, promised, counts = [], [], collections.Counter()
    rows = replay(options.tidegate, "lean", options.files, READ, "jsonl", *more)
    for _, of_input in itertools.groupby(rows, key=lambda row: row["seq"]):
        # A bar comes first, whatever follows from it: a leg that ends with it has its nodes still.
        for row in sorted(of_input, key=lambda row: row["kind"] != "bar"):
            if row["kind"] in OWN:
                found.append(shown(row))
            else:
                promised.extend(itertools.chain(alerts.take(row), markets.take(row)))
    # Both measures say theirs of one input, each in its own order.
    found.sort(key=lambda row: row[0])
    promised.sort(key=lambda row: row[0])
    for row in promised:
        if row[0] in ("state-alert", "flow-alert"):
            counts[f"{in_hours(row[1])} {row[0]} {row[6] if row[0] == 'state-alert' else row[5]}"] += 1
        if row[0] == "lvn-alert":
            day = str(in_hours(row[1]))
            counts[f"{day} alerts"] += 1
            counts.update(f"{day} {source}" for source, flag in zip(SOURCES, row[6:]) if flag == "yes")
    names = " ".join(os.path.basename(path) for path in options.files)
    print(dict(counts))
    return verdict(f"alerts of {names} {' '.join(options.set)}", *first_difference(promised, found))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command = parser.add_subparsers(required=True).add_parser("check")
    command.set_defaults(run=check)
    command.add_argument("files", nargs="+")
    command.add_argument("--tidegate", required=True, help="the binary")
    command.add_argument("--set", action="append", default=[], help="a parameter of the measure")
    options = parser.parse_args()
    sys.exit(0 if options.run(options) else 1)


if __name__ == "__main__":
    main()
