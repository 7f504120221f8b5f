#!/usr/bin/env python3
"""Judges what is emitted of where liquidity goes, row by row.

`check` finds every `exhaustion` and `absorption` anew from the rows of trades, orders, touches and bars, by the pages
`engine/stages/docs/footprint.md` and `absorption.md`: it keeps every trade of a session and looks back over all of them at each one, without sums
that go on. Hours are those of New York. `layering` decodes the file itself, keeps books of its own and finds every `layering` by the page
`layering.md`.

    liquidity_oracle.py check --tidegate target/release/tidegate --feed lean FILE… [--set absorption.times=2]
    liquidity_oracle.py layering --tidegate target/release/tidegate FILE [--set layering.times=2]

The files of `check` are those of one run, as the engine takes them; that of `layering` is an ITCH 5.0 BinaryFILE or a DBN file of MBO records.
Exit code: 0 equal, 1 not equal, 2 usage.
"""

import argparse
import collections
import datetime
import os
import sys
import zoneinfo

import fate_oracle
import market_days
from rows import first_difference, replay, verdict

NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
SECOND = 10**9
MINUTE = 60 * SECOND
SIDES = ("buy", "sell")
# What waits at once on a side, and how far from the first row of a minute rows are told apart.
WAITING, FIELD = 4, 256
DEFAULTS = {
    "absorption.window": 60,
    "absorption.times": 3.0,
    "absorption.after": 30,
    "absorption.row_ticks": 0,
    "absorption.max_orders": 131072,
    "footprint.exhaustion_bars": 20,
    "footprint.exhaustion_part": 10.0,
    "layering.least_levels": 3,
    "layering.times": 3.0,
    "layering.median": 300,
    "layering.least_samples": 15,
    "layering.grow_ms": 500,
    "layering.pulled_ms": 2000,
    "layering.pulled_part": 80.0,
    "layering.taken_part": 5.0,
    "layering.max_orders": 65536,
}
LEVELS, SAMPLES, PRICES = 10, 30, 16


def nano(text):
    """A price as an integer, in 1e-9."""
    sign, text = (-1, text[1:]) if text.startswith("-") else (1, text)
    whole, _, fraction = text.partition(".")
    return sign * int(whole + fraction.ljust(9, "0"))


def counts(trade):
    return not trade["volume_only"] and trade["qty"] and trade["px"] is not None


class Hours:
    """The market hours of the day of an instant."""

    def __init__(self, ts):
        day = datetime.datetime.fromtimestamp(ts // SECOND, NEW_YORK).date()
        at = lambda hour, minute, days=0: SECOND * int(
            datetime.datetime.combine(day + datetime.timedelta(days), datetime.time(hour, minute), NEW_YORK).timestamp()
        )
        self.end, self.opens, self.closes = at(0, 0, 1), at(9, 30), at(16, 0)

    def hold(self, ts):
        return self.opens <= ts < self.closes


# --- Exhaustion ---


class Exhaustion:
    """Of one symbol: the rows of its minutes, and the extremes of those that are over."""

    def __init__(self, tick, settings):
        self.tick, self.minutes, self.before, self.end = tick or 1, {}, [], 0
        self.bars, self.part = settings["footprint.exhaustion_bars"], settings["footprint.exhaustion_part"]

    def trade(self, ts, trade, sign=1):
        start = ts // MINUTE * MINUTE
        if sign > 0 or start in self.minutes:
            rows = self.minutes.setdefault(start, collections.defaultdict(collections.Counter))
            row = nano(trade["px"]) // self.tick
            rows[row][trade["aggressor"]] += sign * trade["qty"]
            if not any(rows[row].values()):
                del rows[row]

    def bar(self, start):
        """The bar that began there is over."""
        rows = self.minutes.pop(start, {})
        if not rows:
            return
        if start >= self.end:
            self.before, self.end = [], Hours(start).end
        low, high = min(rows), max(rows)
        known = self.before[-(self.bars - 1) :] if len(self.before) >= self.bars - 1 else None
        self.before.append((low, high))
        if known is None:
            return
        for side, edge, other in (("buy", high, max(high for _, high in known)), ("sell", low, min(low for low, _ in known))):
            qty, largest = rows[edge][side], max(sums[side] for sums in rows.values())
            beyond = edge > other if side == "buy" else edge < other
            if beyond and largest and qty * 100 <= self.part * largest:
                yield start, side, edge * self.tick, qty, largest, other * self.tick


def shown_exhaustion(row):
    return (row["symbol"], row["start_ns"], row["aggressor"], nano(row["row_px"]), row["qty"], row["largest_qty"], nano(row["before_px"]))


# --- Absorption ---


class Memory:
    """The orders that were displayed last, of all symbols."""

    def __init__(self, most):
        self.most, self.places, self.orders, self.forgotten, self.serial = most, collections.deque(), {}, 0, 0

    def show(self, symbol, ref, ts):
        if len(self.places) == self.most:
            whose, serial, self.forgotten = self.places.popleft()
            if self.orders.get(whose, (0, None))[1] == serial:
                del self.orders[whose]
        self.serial += 1
        self.orders[symbol, ref] = ts, self.serial
        self.places.append(((symbol, ref), self.serial, ts))

    def clear(self, symbol):
        for whose in [whose for whose in self.orders if symbol is None or whose[0] == symbol]:
            del self.orders[whose]


class Trade:
    def __init__(self, ts, row, side, qty, order):
        self.ts, self.row, self.side, self.qty, self.order, self.used = ts, row, side, qty, order, False

    def beyond(self, side, row):
        return self.row > row if side == "buy" else self.row < row


class Absorption:
    """Of one symbol: the trades of its session, and what waits."""

    def __init__(self, tick, by_order, memory, settings):
        self.tick, self.by_order, self.memory = tick or 1, by_order, memory
        self.window, self.after = (settings[f"absorption.{name}"] * SECOND for name in ("window", "after"))
        self.times, self.ticks = settings["absorption.times"], settings["absorption.row_ticks"]
        self.hours, self.waiting = None, []

    def begin(self, ts):
        self.hours, self.trades, self.waiting, self.height = Hours(ts), [], [], None
        self.minute, self.touched, self.volumes, self.rows = None, {}, collections.Counter(), 0

    def tell(self, ts):
        told = [one for one in self.waiting if one["due"] < ts]
        self.waiting = [one for one in self.waiting if one["due"] >= ts]
        for one in sorted(told, key=lambda one: SIDES.index(one["side"])):
            yield (one["side"], one["row"] * self.height, self.height, one["qty"], one["mean"], one["trades"], one["from"],
                   one["reached"], one["after"], one["stood"], one["came"])

    def touch(self, ts, row, qty):
        minute = ts // MINUTE
        if minute != self.minute:
            self.minute, self.touched = minute, {}
        first = next(iter(self.touched), row)
        self.touched[min(max(row, first - FIELD), first + FIELD - 1)] = True
        self.volumes[minute] += qty

    def order(self, ref):
        """(whether it is known when it was displayed, when or by when), or None where it is not known."""
        found = self.memory.orders.get((self.symbol, ref))
        if found:
            return True, found[0]
        return (False, self.memory.forgotten) if self.by_order else (False, None)

    def trade(self, ts, trade):
        if self.hours is None or ts >= self.hours.end:
            self.begin(ts)
        if not self.hours.hold(ts):
            return
        px, side, ref = nano(trade["px"]), trade["aggressor"], trade["order_ref"]
        if self.height is None:
            self.height = self.tick * (self.ticks or max(1, (px + 1000 * self.tick) // (2000 * self.tick)))
        if ts // MINUTE != self.minute and self.minute is not None:
            # Rows that the minute touched stay so, whatever is broken.
            self.rows += len(self.touched)
        one = Trade(ts, px // self.height, side, trade["qty"], self.order(ref) if ref else None)
        self.waiting = [w for w in self.waiting if not one.beyond(w["side"], w["row"])]
        self.touch(ts, one.row, one.qty)
        self.trades.append(one)
        if side not in SIDES:
            return
        waits = next((w for w in self.waiting if (w["side"], w["row"]) == (side, one.row)), None)
        if waits:
            waits["after"] += one.qty
            one.used = True
            return
        self.reach(one)

    def reach(self, last):
        volume = sum(qty for minute, qty in self.volumes.items() if minute != self.minute)
        if not self.rows or not volume or sum(w["side"] == last.side for w in self.waiting) == WAITING:
            return
        mean = volume / self.rows
        found = []
        for one in reversed(self.trades):
            if one.ts <= last.ts - self.window or one.beyond(last.side, last.row):
                break
            if (one.side, one.row) == (last.side, last.row) and not one.used:
                found.append(one)
        qty = sum(one.qty for one in found)
        if qty < self.times * mean:
            return
        first = found[-1].ts
        orders = [one for one in found if one.order]
        stood = sum(one.qty for one in orders if one.order[1] is not None and one.order[1] < first)
        came = sum(one.qty for one in orders if one.order[0] and one.order[1] >= first)
        for one in found:
            one.used = True
        self.waiting.append({
            "side": last.side, "row": last.row, "qty": qty, "mean": mean, "trades": len(found), "from": first, "reached": last.ts,
            "due": last.ts + self.after, "after": 0, "stood": stood if orders else None, "came": came if orders else None,
        })

    def broken(self, trade):
        ts, qty, side = int(trade["trade_ts"]), trade["qty"], trade["aggressor"]
        if self.hours is None or self.height is None or not self.hours.hold(ts):
            return
        row = nano(trade["px"]) // self.height
        self.volumes[ts // MINUTE] -= qty
        mine = (one for one in reversed(self.trades) if (one.ts, one.row, one.side, one.qty) == (ts, row, side, qty))
        if one := next(mine, None):
            # It was beyond whatever it was beyond, but it is part of nothing any more.
            one.qty, one.side = 0, None
        for waits in [w for w in self.waiting if (w["side"], w["row"]) == (side, row) and ts >= w["from"]]:
            if ts > waits["reached"]:
                waits["after"] -= qty
                continue
            waits["qty"] -= qty
            waits["trades"] -= 1
            waits["stood"] = waits["came"] = None
            if waits["qty"] < self.times * waits["mean"]:
                self.waiting.remove(waits)


def shown_absorption(row):
    return (row["symbol"], row["aggressor"], nano(row["row_px"]), nano(row["height_px"]), row["qty"], row["mean_qty"], row["trades"],
            row["first_ns"], row["reached_ns"], row["after_qty"], row["stood_qty"], row["came_qty"])


def settings_of(options, stages):
    settings, more = dict(DEFAULTS), ["--set", f"pipeline.stages={stages}"]
    for text in options.set:
        name, _, value = text.partition("=")
        settings[name] = type(settings[name])(value)
        more += ["--set", text]
    return settings, more


def check(options):
    settings, more = settings_of(options, "book,bars,footprint,absorption")
    if options.date:
        more += ["--date", options.date]
    kinds = "listing,trade,broken-trade,book-top,add,replace,clear,bar,exhaustion,absorption"
    memory, ticks, symbols = Memory(settings["absorption.max_orders"]), {}, {}
    expected, found = {"exhaustion": [], "absorption": []}, {"exhaustion": [], "absorption": []}

    def of(symbol):
        if symbol not in symbols:
            absorption = Absorption(ticks.get(symbol), options.feed == "itch", memory, settings)
            absorption.symbol = symbol
            symbols[symbol] = Exhaustion(ticks.get(symbol), settings), absorption
        return symbols[symbol]

    for row in replay(options.tidegate, options.feed, options.files, kinds, "jsonl", *more):
        kind, symbol, ts = row["kind"], row.get("symbol"), row["ts_ns"]
        if kind == "listing":
            ticks[symbol] = nano(row["tick_px"]) if row["tick_px"] is not None else 1
        elif kind == "exhaustion":
            found[kind].append(shown_exhaustion(row))
        elif kind == "absorption":
            found[kind].append((ts, *shown_absorption(row)))
        elif kind in ("add", "replace"):
            if ref := row["order_ref" if kind == "add" else "new_ref"]:
                memory.show(symbol, ref, ts)
        elif kind == "clear":
            memory.clear(symbol)
        elif kind == "bar":
            if row["interval"] == "1m":
                expected["exhaustion"] += ((symbol, *one) for one in of(symbol)[0].bar(row["start_ns"]))
        else:
            exhaustion, absorption = of(symbol)
            if absorption.hours:
                expected["absorption"] += ((ts, symbol, *one) for one in absorption.tell(ts))
            if kind == "trade" and counts(row):
                exhaustion.trade(ts, row)
                absorption.trade(ts, row)
            elif kind == "broken-trade" and counts(row):
                exhaustion.trade(int(row["trade_ts"]), row, sign=-1)
                absorption.broken(row)
    names = " ".join(os.path.basename(path) for path in options.files)
    passed = True
    for kind, rows in expected.items():
        sides = collections.Counter(row[2] for row in rows)
        passed &= verdict(f"{kind} of {names} {' '.join(options.set)} {dict(sides)}", *first_difference(rows, found[kind]))
    by_order = [row for row in expected["absorption"] if row[-1] is not None]
    taken, stood, came = (sum(row[at] for row in by_order) for at in (5, -2, -1))
    print(f"   by order: {len(by_order)} absorptions of {taken:,}, {stood:,} stood, {came:,} came")
    return passed


# --- Layering ---


class Growth:
    def __init__(self, px, ts):
        self.px, self.began, self.grown, self.orders, self.refs, self.wave = px, ts, None, 0, {}, None
        self.sums = collections.Counter()

    def left(self):
        return sum(self.refs.values())


class Side:
    """One side of a book by order, the samples of its levels, and its growths."""

    def __init__(self, is_bid, settings):
        self.is_bid, self.settings = is_bid, {name.removeprefix("layering."): value for name, value in settings.items()}
        self.levels, self.samples, self.growths, self.wave = collections.Counter(), [], [], None

    def best(self):
        return sorted(self.levels, reverse=self.is_bid)[:LEVELS]

    def change(self, px, by):
        self.levels[px] += by
        if self.levels[px] <= 0:
            del self.levels[px]

    def median(self, ts, best, rank):
        piece = ts // (self.settings["median"] * SECOND // SAMPLES)
        if not self.samples or self.samples[-1][0] != piece:
            sizes = [self.levels[px] for px in best]
            self.samples.append((piece, sizes + [0] * (LEVELS - len(sizes))))
        fresh = [sizes for at, sizes in self.samples if at > piece - SAMPLES]
        sizes = sorted(one[rank - 1] for one in fresh)
        return sizes[(len(sizes) - 1) // 2] if len(sizes) >= self.settings["least_samples"] else 0

    def display(self, ts, ref, px, qty, memory):
        """The level has the order already."""
        best = self.best()
        if px not in best:
            return
        median = self.median(ts, best, best.index(px) + 1)
        if not median:
            return
        grow = self.settings["grow_ms"] * 10**6
        if self.wave and ts > self.wave["until"]:
            self.end()
        self.growths = [g for g in self.growths if g.wave or ts - g.began <= grow]
        growth = next((g for g in self.growths if g.px == px), None)
        if growth is None:
            if len(self.growths) == PRICES:
                return
            growth = Growth(px, ts)
            self.growths.append(growth)
        elif ts - growth.began > grow:
            return
        growth.refs[ref] = qty
        growth.orders += 1
        memory.show(ref, growth, self)
        if growth.grown is not None:
            growth.sums["displayed"] += qty
            return
        least, level = self.settings["times"] * median, self.levels[px]
        if level >= least and level - growth.left() < least:
            growth.grown, growth.level, growth.median = ts, level, median
            growth.sums["displayed"] = growth.left()
            self.gather(ts, growth, grow)

    def gather(self, ts, growth, grow):
        until = ts + self.settings["pulled_ms"] * 10**6
        if self.wave:
            if ts - self.wave["began"] <= grow:
                growth.wave, self.wave["until"] = self.wave, until
            return
        grown = [g for g in self.growths if g.grown is not None]
        if len(grown) >= self.settings["least_levels"]:
            self.wave = {"began": min(g.began for g in grown), "until": until}
            for g in grown:
                g.wave = self.wave

    def end(self):
        self.growths = [g for g in self.growths if g.wave is not self.wave]
        self.wave = None

    def leave(self, ts, growth, ref, how, qty):
        """So much of an order leaves; the wave, if it is told by that."""
        qty = min(qty, growth.refs[ref])
        growth.refs[ref] -= qty
        if growth.grown is None or growth not in self.growths:
            return None
        growth.sums[how] += qty
        if how == "taken" or growth.wave is None or ts > self.wave["until"]:
            return None
        mine = [g for g in self.growths if g.wave]
        sums = sum((g.sums for g in mine), collections.Counter())
        displayed, pulled, taken = sums["displayed"], sums["pulled"], sums["taken"]
        if pulled * 100 < self.settings["pulled_part"] * displayed or taken * 100 > self.settings["taken_part"] * displayed:
            return None
        prices = sorted((g.px for g in mine), reverse=self.is_bid)
        row = ("buy" if self.is_bid else "sell", len(mine), sum(g.orders for g in mine), displayed, pulled, taken, prices[0], prices[-1],
               sum(g.level for g in mine), sum(g.median for g in mine), self.wave["began"], max(g.grown for g in mine))
        self.end()
        return row


class Followed:
    """The orders of growths that came last, of all symbols."""

    def __init__(self, most):
        self.most, self.places, self.orders = most, collections.deque(), {}

    def of(self, symbol):
        self.symbol = symbol
        return self

    def show(self, ref, growth, side):
        if len(self.places) == self.most:
            whose, old = self.places.popleft()
            if whose in self.orders and self.orders[whose][0] is old:
                del self.orders[whose]
        place = object()
        self.orders[self.symbol, ref] = place, growth, side
        self.places.append(((self.symbol, ref), place))

    def leave(self, ts, symbol, ref, how, qty):
        found = self.orders.get((symbol, ref))
        if not found:
            return None
        _, growth, side = found
        row = side.leave(ts, growth, ref, how, qty)
        if growth.refs[ref] == 0:
            del self.orders[symbol, ref]
        return row


def expected_layering(events, settings):
    """Rows as the engine tells them, from the messages of a day."""
    books, orders, followed, fills = {}, {}, Followed(settings["layering.max_orders"]), collections.Counter()
    new_book = lambda: {side: Side(side == "buy", settings) for side in SIDES}

    def empty(symbol):
        for whose in [whose for whose in orders if whose[0] == symbol]:
            del orders[whose]
        for whose in [whose for whose in followed.orders if whose[0] == symbol]:
            del followed.orders[whose]
        for side in books.get(symbol, {}).values():
            side.levels.clear()
            side.growths, side.wave = [], None

    def lose(ts, symbol, ref, qty, pulled=True):
        """Quantity leaves an order: taken as far as a fill was reported, else as the message says."""
        order = orders.get((symbol, ref))
        if not order:
            return
        qty = min(qty, order[2])
        taken = min(qty, fills.pop((symbol, ref), 0)) if pulled else qty
        order[2] -= qty
        books[symbol][order[0]].change(order[1], -qty)
        if not order[2]:
            del orders[symbol, ref]
        rows = [followed.leave(ts, symbol, ref, how, part) for how, part in (("taken", taken), ("pulled", qty - taken)) if part]
        yield from ((ts, symbol, *row) for row in rows if row)

    def display(ts, symbol, ref, side, px, qty, snapshot=False):
        orders[symbol, ref] = [side, px, qty]
        books[symbol][side].change(px, qty)
        if not snapshot:
            books[symbol][side].display(ts, ref, px, qty, followed.of(symbol))

    for ts, symbol, what, terms, _ in events:
        if what == "clear":
            for one in [symbol] if symbol else list(books):
                empty(one)
            continue
        if symbol is None:
            continue
        books.setdefault(symbol, None) or books.update({symbol: new_book()})
        if what == "add":
            side, ref, px, qty, *snapshot = terms
            display(ts, symbol, ref, side, px, qty, any(snapshot))
        elif what == "fill":
            fills[symbol, terms[0]] += terms[1]
        elif what == "execution":
            yield from lose(ts, symbol, terms[0], terms[1], pulled=False)
        elif what == "cancel":
            yield from lose(ts, symbol, terms[0], terms[1])
        elif what == "delete":
            yield from lose(ts, symbol, terms[0], float("inf"))
        elif what == "replace" and (symbol, terms[0]) in orders:
            ref, new, px, qty = terms
            side, old_px, left = orders[symbol, ref]
            # All of the old one leaves, and a new one is displayed; the level never lacks both.
            books[symbol][side].change(old_px, -left)
            rows = [followed.leave(ts, symbol, ref, how, part) for how, part in replaced(left, fills.pop((symbol, ref), 0)) if part]
            yield from ((ts, symbol, *row) for row in rows if row)
            del orders[symbol, ref]
            if qty:
                display(ts, symbol, new, side, px, qty)


def replaced(left, filled):
    taken = min(left, filled)
    return ("taken", taken), ("pulled", left - taken)


def shown_layering(row):
    return (row["ts_ns"], row["symbol"], row["side"], row["levels"], row["orders"], row["displayed_qty"], row["pulled_qty"], row["taken_qty"],
            nano(row["nearest_px"]), nano(row["furthest_px"]), row["level_qty"], row["median_qty"], row["began_ns"], row["grown_ns"])


def layering(options):
    settings, more = settings_of(options, "book,layering")
    day = fate_oracle.Fills(options.file) if ".dbn" in options.file else market_days.ItchDay(options.file)
    for text in day.settings:
        more += ["--set", text] if not text.startswith(("risk", "random")) else []
    files = [options.file, *day.beside]
    rows = map(shown_layering, replay(options.tidegate, day.feed, files, "layering", "jsonl", *more, *day.options))
    expected = list(expected_layering(day.events(), settings))
    sides = collections.Counter(row[2] for row in expected)
    name = f"layering of {os.path.basename(options.file)} {' '.join(options.set)} {dict(sides)}"
    return verdict(name, *first_difference(expected, rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, run in (("check", check), ("layering", layering)):
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        command.add_argument("--tidegate", required=True, help="the binary")
        command.add_argument("--set", action="append", default=[], help="a parameter of a measure")
    command.add_argument("file")
    command = commands.choices["check"]
    command.add_argument("--feed", required=True, help="lean, lobster or itch")
    command.add_argument("--date", help="the day of an ITCH file")
    command.add_argument("files", nargs="+")
    options = parser.parse_args()
    sys.exit(0 if options.run(options) else 1)


if __name__ == "__main__":
    main()
