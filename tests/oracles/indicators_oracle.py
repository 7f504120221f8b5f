#!/usr/bin/env python3
"""Judges indicators on bars of LEAN, row by row.

Reads the files of minutes itself and follows the pages of the indicators in `engine/stages/docs`: prices are integers, every sum is
exact, and a number is divided as often as its page says. What it expects is compared with every row that the engine prints.

    indicators_oracle.py check --tidegate target/release/tidegate [--interval 1d] [--set average.bars=5] ZIP…
    indicators_oracle.py trades --tidegate target/release/tidegate [--set vwap.anchor=once] ZIP…    VWAP, of days of ticks
    indicators_oracle.py events --tidegate target/release/tidegate [--by volume --size 20000] ZIP…    of event bars, from days of ticks

The files are days of one symbol, in their order, or one of all its days. Needs nothing but Python. Exit code: 0 equal, 1 not equal, 2 usage.
"""

import argparse
import collections
import datetime
import fractions
import math
import os
import re
import sys
import zipfile
import zoneinfo

from event_bars_oracle import EventBars
from profile_oracle import nano, trades
from rows import first_difference, replay, verdict

NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
SECOND = 1_000_000_000
SETTINGS = {
    "average.method": "ema", "average.bars": 20, "rsi.bars": 14, "macd.fast": 12, "macd.slow": 26, "macd.signal": 9,
    "atr.bars": 14, "bollinger.bars": 20, "bollinger.times": 2.0, "donchian.bars": 20,
    "vwap.volume_from": "bars-typical", "vwap.anchor": "hours", "vwap.since_s": 0,
    "swings.bars": 5, "swings.fractal_bars": 2,
    "vwap.times": 2.0, "volatility.bars": 60, "volatility.bars_a_year": 0,
    "regime.bars": 60, "regime.history": 1950, "regime.least": 390, "regime.low": 20.0, "regime.high": 80.0, "regime.leave": 5.0,
}

Bar = collections.namedtuple("Bar", "start open high low close volume")


def midnight(date):
    """Where a date of New York begins."""
    return int(datetime.datetime.strptime(date, "%Y%m%d").replace(tzinfo=NEW_YORK).timestamp()) * SECOND


def bars(paths):
    """Bars of a minute, or of a day from a file without a date in its name; prices in 1e-9."""
    for path in paths:
        date = re.search(r"\d{8}", os.path.basename(path))
        with zipfile.ZipFile(path) as archive:
            lines = archive.read(archive.namelist()[0]).decode().splitlines()
        for line in lines:
            at, *prices, volume = line.split(",")
            start = midnight(date[0]) + int(at) * 1_000_000 if date else midnight(at.split()[0])
            yield Bar(start, *(int(px) * 100_000 for px in prices), int(volume))


def per_unit(value):
    return None if value is None else value / SECOND


class Gliding:
    """The mean of the first values, which each further one moves."""

    def __init__(self, of, step):
        self.of, self.step, self.seen, self.total, self.value = of, step, 0, 0, None

    def add(self, value):
        if self.value is not None:
            self.value = self.step(self.value, value)
            return self.value
        self.seen, self.total = self.seen + 1, self.total + value
        if self.seen == self.of:
            self.value = self.total / self.of
        return self.value


def exponential(of):
    return Gliding(of, lambda average, value: average + (value - average) * (2 / (of + 1)))


def wilder(of):
    return Gliding(of, lambda average, value: (average * (of - 1) + value) / of)


class Average:
    kinds = ("average",)

    def __init__(self, of):
        self.method, self.of, self.closes = of("method"), of("bars"), []
        self.gliding = exponential(self.of)

    def bar(self, bar):
        self.closes.append(bar.close)
        value = self.gliding.add(bar.close)
        if self.method == "sma":
            value = sum(self.closes[-self.of:]) / self.of if len(self.closes) >= self.of else None
        yield "average", bar.start, bar.close, per_unit(value), self.of, self.method

    @staticmethod
    def shown(row):
        return row["start_ns"], nano(row["close"]), row["average"], row["bars"], row["method"]


class Rsi:
    kinds = ("rsi",)

    def __init__(self, of):
        self.of, self.close = of("bars"), None
        self.gains, self.losses = wilder(self.of), wilder(self.of)

    def bar(self, bar):
        value = None
        if self.close is not None:
            change = bar.close - self.close
            gains, losses = self.gains.add(max(change, 0)), self.losses.add(max(-change, 0))
            if gains is not None:
                value = 100 * gains / (gains + losses) if gains + losses else 50.0
        self.close = bar.close
        yield "rsi", bar.start, bar.close, value, self.of

    @staticmethod
    def shown(row):
        return row["start_ns"], nano(row["close"]), row["rsi"], row["bars"]


class Macd:
    kinds = ("macd",)

    def __init__(self, of):
        self.lengths = of("fast"), of("slow"), of("signal")
        self.fast, self.slow, self.signal = map(exponential, self.lengths)

    def bar(self, bar):
        macd = signal = histogram = None
        fast, slow = self.fast.add(bar.close), self.slow.add(bar.close)
        if fast is not None and slow is not None:
            macd = fast - slow
            signal = self.signal.add(macd)
            histogram = None if signal is None else macd - signal
        yield "macd", bar.start, *map(per_unit, (macd, signal, histogram)), *self.lengths

    @staticmethod
    def shown(row):
        return row["start_ns"], row["macd"], row["signal"], row["histogram"], row["fast"], row["slow"], row["signal_bars"]


class Atr:
    kinds = ("atr",)

    def __init__(self, of):
        self.of, self.close, self.average = of("bars"), None, wilder(of("bars"))

    def bar(self, bar):
        reached = [bar.high, bar.low] + ([] if self.close is None else [self.close])
        self.close, true_range = bar.close, max(reached) - min(reached)
        yield "atr", bar.start, bar.close, per_unit(self.average.add(true_range)), true_range, self.of

    @staticmethod
    def shown(row):
        return row["start_ns"], nano(row["close"]), row["atr"], nano(row["true_range"]), row["bars"]


class Bollinger:
    kinds = ("bollinger",)

    def __init__(self, of):
        self.of, self.times, self.closes = of("bars"), of("times"), []

    def bar(self, bar):
        self.closes = self.closes[-self.of + 1:] + [bar.close]
        middle = upper = lower = None
        if len(self.closes) == self.of:
            total, squares = sum(self.closes), 0.0
            for close in self.closes:
                off = float(close * self.of - total)
                # A power may be rounded otherwise than a product.
                squares += off * off
            middle, deviation = total / self.of, math.sqrt(squares / self.of) / self.of
            upper, lower = middle + self.times * deviation, middle - self.times * deviation
        yield "bollinger", bar.start, *map(per_unit, (middle, upper, lower)), self.of

    @staticmethod
    def shown(row):
        return row["start_ns"], row["middle"], row["upper"], row["lower"], row["bars"]


class Donchian:
    kinds = ("donchian",)

    def __init__(self, of):
        self.of, self.bars = of("bars"), []

    def channel(self):
        if len(self.bars) < self.of:
            return None, None
        return max(bar.high for bar in self.bars), min(bar.low for bar in self.bars)

    def bar(self, bar):
        upper, lower = self.channel()
        self.bars = (self.bars + [bar])[-self.of:]
        now = self.channel()
        # Prices of files are whole cents and tenths of them, so the middle is exact.
        middle = None if now[0] is None else sum(now) // 2
        broke = "none" if upper is None else "up" if bar.close > upper else "down" if bar.close < lower else "none"
        yield "donchian", bar.start, bar.close, upper, lower, broke, *now, middle, self.of

    @staticmethod
    def shown(row):
        prices = (row[name] and nano(row[name]) for name in ("upper_now", "lower_now", "middle_now"))
        return (row["start_ns"], nano(row["close"]), row["upper"] and nano(row["upper"]), row["lower"] and nano(row["lower"]),
                row["broke"], *prices, row["bars"])


class Vwap:
    kinds = ("vwap",)

    def __init__(self, of):
        self.anchor, self.since_s, self.since, self.times = of("anchor"), of("since_s"), None, of("times")
        self.day = None
        self.begin()

    def begin(self):
        self.paid, self.off, self.squares, self.volume, self.count = 0, 0, 0, 0, 0

    def counts(self, ts):
        if self.anchor == "once":
            return ts >= self.since_s * SECOND
        at = datetime.datetime.fromtimestamp(ts // SECOND, NEW_YORK)
        span = at.date().isocalendar()[:2] if self.anchor == "week" else at.date()
        if span != self.day:
            self.day = span
            self.begin()
        return self.anchor in ("session", "week") or datetime.time(9, 30) <= at.time() < datetime.time(16)

    def add(self, ts, price, parts, px, qty, volume_from):
        """Of a price in parts of 1e-9."""
        if not self.counts(ts):
            return
        if self.count == 0:
            self.since, self.origin = ts // SECOND * SECOND, price
        away = price - self.origin
        self.paid, self.off, self.squares = self.paid + price * qty, self.off + away * qty, self.squares + away * away * qty
        self.volume, self.count = self.volume + qty, self.count + 1
        vwap = round(fractions.Fraction(self.paid, parts) / self.volume)
        off, squares, volume = map(float, (self.off, self.squares, self.volume))
        deviation = math.sqrt(max((squares - off * off / volume) / volume, 0.0)) / (parts * SECOND)
        upper, lower = (vwap / SECOND + times * deviation for times in (self.times, -self.times))
        yield "vwap", vwap, px, deviation, upper, lower, self.volume, self.count, self.since, volume_from, self.anchor

    def bar(self, bar):
        yield from self.add(bar.start, bar.high + bar.low + bar.close, 3, bar.close, bar.volume, "bars-typical")

    @staticmethod
    def shown(row):
        return (nano(row["vwap"]), nano(row["px"]), row["deviation"], row["upper"], row["lower"], row["volume"], row["trades"],
                row["since_ns"], row["volume_from"], row["anchor"])


class Pivots:
    """Of market hours, as the files have minutes before and after them, or of each bar of a day."""

    kinds = ("pivots",)

    def __init__(self, of):
        self.are_days, self.day, self.bars = of("interval") == "1d", None, []

    def bar(self, bar):
        at = datetime.datetime.fromtimestamp(bar.start // SECOND, NEW_YORK)
        ended = None
        if at.date() != self.day:
            self.day, ended, self.bars = at.date(), self.bars, []
        if self.are_days or datetime.time(9, 30) <= at.time() < datetime.time(16):
            self.bars.append(bar)
            if self.are_days or at.time() == datetime.time(15, 59):
                ended, self.bars = self.bars, []
        if ended:
            high, low, close = max(bar.high for bar in ended), min(bar.low for bar in ended), ended[-1].close
            pivot = fractions.Fraction(high + low + close, 3)
            levels = (pivot, 2 * pivot - low, 2 * pivot - high, pivot + high - low, pivot - high + low,
                      high + 2 * (pivot - low), low - 2 * (high - pivot))
            yield "pivots", bar.start, *map(round, levels), close, ended[0].start, len(ended)

    @staticmethod
    def shown(row):
        prices = (nano(row[name]) for name in ("pivot", "r1", "s1", "r2", "s2", "r3", "s3", "close"))
        return row["start_ns"], *prices, row["since_ns"], row["bars"]


class Swings:
    kinds = ("swing",)

    def __init__(self, of):
        self.lists = (("swing", of("bars")), ("fractal", of("fractal_bars")))
        self.bars, self.last = [], {}

    def bar(self, bar):
        self.bars.append(bar)
        for what, side in self.lists:
            window = self.bars[-2 * side - 1:]
            if len(window) <= 2 * side:
                continue
            for extreme, sign in (("high", 1), ("low", -1)):
                reach = [sign * getattr(one, extreme) for one in window]
                left, middle, right = max(reach[:side]), reach[side], max(reach[side + 1:])
                if left < middle and (right < middle or what == "swing" and right == middle):
                    px = getattr(window[side], extreme)
                    yield ("swing", window[side].start, what, extreme, px, self.last.get((what, extreme)), side, bar.start)
                    self.last[what, extreme] = px

    @staticmethod
    def shown(row):
        return (row["start_ns"], row["what"], row["extreme"], nano(row["px"]), row["before"] and nano(row["before"]),
                row["bars"], row["confirmed_ns"])


class Near(float):
    """A number from logarithms, whose last digits depend on the library."""

    def __eq__(self, other):
        return other is not None and math.isclose(self, other, rel_tol=1e-12, abs_tol=1e-18)

    def __ne__(self, other):
        return not self == other

    __hash__ = None


class Volatility:
    kinds = ("volatility",)

    def __init__(self, of):
        self.of, self.close, self.last = of("bars"), None, []
        self.year = of("bars_a_year") or (252 if of("interval") == "1d" else 252 * 390)

    def bar(self, bar):
        before, self.close = self.close, bar.close
        if before is not None:
            returned, (o, h, l, c) = math.log(bar.close / before), (bar.open, bar.high, bar.low, bar.close)
            reach, way = math.log(h / l), math.log(c / o)
            self.last = (self.last + [(returned, (
                reach ** 2 / (4 * math.log(2)),
                reach ** 2 / 2 - (2 * math.log(2) - 1) * way ** 2,
                math.log(h / c) * math.log(h / o) + math.log(l / c) * math.log(l / o),
            ))])[-self.of:]
        numbers = [None] * 6
        if len(self.last) == self.of:
            returns = [returned for returned, _ in self.last]
            squares, mean = math.fsum(r * r for r in returns), math.fsum(returns) / self.of
            variances = [math.fsum((r - mean) ** 2 for r in returns) / (self.of - 1), squares / self.of]
            variances += [math.fsum(ranges[at] for _, ranges in self.last) / self.of for at in range(3)]
            yearly = [None if variance < 0 else Near(math.sqrt(variance * self.year)) for variance in variances]
            numbers = yearly[:2] + [Near(squares)] + yearly[2:]
        yield "volatility", bar.start, *numbers, self.of, self.year

    @staticmethod
    def shown(row):
        names = ("start_ns", "volatility", "zero_mean", "realised_variance", "parkinson", "garman_klass",
                 "rogers_satchell", "bars", "bars_a_year")
        return tuple(row[name] for name in names)


class Regime:
    kinds = ("regime", "regime-change")

    def __init__(self, of):
        self.of, self.most, self.least = of("bars"), of("history"), of("least")
        self.low, self.high, self.leave = of("low"), of("high"), of("leave")
        self.close, self.returns, self.numbers, self.regime = None, [], [], "unknown"

    def bar(self, bar):
        before, self.close = self.close, bar.close
        if before is not None:
            self.returns = (self.returns + [math.log(bar.close / before)])[-self.of:]
        realised, percentile, among, was = None, None, 0, self.regime
        if len(self.returns) == self.of:
            squares = 0.0
            for returned in self.returns:
                squares += returned * returned
            number, among = math.sqrt(squares), len(self.numbers)
            if among >= self.least:
                lower, equal = (sum(map(is_so, self.numbers)) for is_so in (number.__gt__, number.__eq__))
                percentile = 100 * (lower + equal / 2) / among
                self.regime = self.next(percentile)
            realised, self.numbers = Near(number), (self.numbers + [number])[-self.most:]
        yield "regime", bar.start, realised, percentile, self.regime, among, self.of
        if was not in ("unknown", self.regime):
            yield "regime-change", bar.start, self.regime, was, realised, percentile

    def next(self, percentile):
        if percentile <= self.low:
            return "low"
        if percentile >= self.high:
            return "high"
        if self.regime == "low" and percentile < self.low + self.leave:
            return "low"
        if self.regime == "high" and percentile > self.high - self.leave:
            return "high"
        return "normal"

    @staticmethod
    def shown(row):
        if row["kind"] == "regime":
            return row["start_ns"], row["realised"], row["percentile"], row["regime"], row["among"], row["bars"]
        return row["start_ns"], row["regime"], row["was"], row["realised"], row["percentile"]


# In the order in which they run.
INDICATORS = {
    "average": Average, "rsi": Rsi, "macd": Macd, "atr": Atr, "bollinger": Bollinger, "donchian": Donchian, "vwap": Vwap,
    "pivots": Pivots, "swings": Swings, "volatility": Volatility, "regime": Regime,
}


def built(settings):
    of = lambda name: lambda key: settings[key if key == "interval" else f"{name}.{key}"]
    return [entry(of(name)) for name, entry in INDICATORS.items()]


def expected(settings, paths):
    # Volumes come behind the prices of a bar, and so does what follows from them.
    indicators = sorted(built(settings), key=lambda indicator: isinstance(indicator, Vwap))
    for bar in bars(paths):
        for indicator in indicators:
            yield from indicator.bar(bar)


def parsed(options):
    """The settings, and those that the engine has to be given."""
    settings, more = dict(SETTINGS, interval=options.interval), []
    for text in options.set:
        name, _, value = text.partition("=")
        settings[name] = type(settings[name])(value)
        more += ["--set", text]
    return settings, more


def check(options):
    settings, more = parsed(options)
    more += ["--set", f"pipeline.stages={','.join(INDICATORS)}", "--set", "vwap.volume_from=bars-typical"]
    more += [word for name in INDICATORS for word in ("--set", f"{name}.interval={options.interval}")]
    shown = {kind: entry.shown for entry in INDICATORS.values() for kind in entry.kinds}
    rows = replay(options.tidegate, "lean", options.files, ",".join(shown), "jsonl", *more)
    rows = ((row["kind"], *shown[row["kind"]](row)) for row in rows)
    names = " ".join(os.path.basename(path) for path in options.files)
    return verdict(f"indicators of {names} {' '.join(options.set)}", *first_difference(expected(settings, options.files), rows))


def of_trades(options):
    """VWAP after every trade that makes a price."""
    settings, more = parsed(options)
    more += ["--set", "pipeline.stages=vwap", "--set", "vwap.volume_from=trades"]
    vwap = Vwap(lambda key: settings[f"vwap.{key}"])
    found = (trade for path in options.files for trade in trades(path, "by-conditions")[0])
    promised = (row for ts, px, qty, _ in found for row in vwap.add(ts, px, 1, px, qty, "trades"))
    rows = (("vwap", *Vwap.shown(row)) for row in replay(options.tidegate, "lean", options.files, "vwap", "jsonl", *more))
    names = " ".join(os.path.basename(path) for path in options.files)
    return verdict(f"vwap of {names} {' '.join(options.set)}", *first_difference(promised, rows))


# Those that take bars that the clock does not end.
OF_EVENTS = ("average", "rsi", "macd", "atr", "bollinger", "donchian", "swings")


def of_events(options):
    """Indicators of event bars, those that a session leaves at its end among them."""
    settings, more = parsed(options)
    sets = [("pipeline.stages", ",".join(("event-bars", *OF_EVENTS))), ("event-bars.by", options.by), ("event-bars.size", options.size)]
    sets += [(f"{name}.of", "event-bars") for name in OF_EVENTS]
    more += [word for name, value in sets for word in ("--set", f"{name}={value}")]
    event_bars = EventBars(options.by, fractions.Fraction(options.size))
    indicators = [entry for entry in built(settings) if any(isinstance(entry, INDICATORS[name]) for name in OF_EVENTS)]

    def promised():
        for path in options.files:
            for trade in trades(path, "by-conditions")[0]:
                for start, _, _, opened, high, low, close, volume, *_ in event_bars.trade(*trade):
                    for indicator in indicators:
                        yield from indicator.bar(Bar(start, opened, high, low, close, volume))

    shown = {kind: INDICATORS[name].shown for name in OF_EVENTS for kind in INDICATORS[name].kinds}
    rows = replay(options.tidegate, "lean", options.files, ",".join(shown), "jsonl", *more)
    without_length = (row for row in rows if row["interval"] is None)
    found = ((row["kind"], *shown[row["kind"]](row)) for row in without_length)
    names = " ".join(os.path.basename(path) for path in options.files)
    return verdict(f"indicators of event bars of {names} by {options.by}, {options.size}", *first_difference(promised(), found))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, run in (("check", check), ("trades", of_trades), ("events", of_events)):
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        command.add_argument("files", nargs="+")
        command.add_argument("--interval", default="1m", choices=("1m", "1d"), help="length of the bars of the files")
        command.add_argument("--set", action="append", default=[], help="a parameter of an indicator")
        command.add_argument("--tidegate", required=True, help="the binary")
        command.add_argument("--by", default="trades", choices=("trades", "volume", "value", "range"), help="what ends event bars")
        command.add_argument("--size", default="100", help="of how much of it an event bar is")
    options = parser.parse_args()
    sys.exit(0 if options.run(options) else 1)


if __name__ == "__main__":
    main()
