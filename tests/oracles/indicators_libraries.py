#!/usr/bin/env python3
"""Compares the reference of the indicators with two libraries, `talipp` and TA-Lib, on bars of LEAN.

The engine is compared with the reference row by row (`indicators_oracle.py check`); this says that the reference means by a name what
others mean by it. TA-Lib begins MACD and the average true range in another way, so there the two only draw near each other.

    indicators_libraries.py [--interval 1d] [--set average.method=sma] ZIP…

Exit code: 0 they agree, 1 they do not, 2 usage.
"""

import argparse
import math
import sys

import numpy
import talib
import talipp.indicators as talipp
from talipp.ohlcv import OHLCV

from indicators_oracle import INDICATORS, SECOND, bars, parsed

# Where its numbers begin in a row of the reference, and whether they are in 1e-9.
NUMBERS = {
    "average": (3, False), "rsi": (3, False), "macd": (2, False), "atr": (3, False), "bollinger": (2, False),
    "donchian": (6, True),
}
# What TA-Lib begins in another way, so that only the last number is compared.
BEGINS_OTHERWISE = ("macd", "atr")


def by_talipp(name, all_bars, of):
    closes = [bar.close / SECOND for bar in all_bars]
    whole = [OHLCV(*(px / SECOND for px in (bar.open, bar.high, bar.low, bar.close)), bar.volume) for bar in all_bars]
    methods = {"ema": talipp.EMA, "sma": talipp.SMA}
    values, parts = {
        "average": lambda: (methods[of("method")](of("bars"), closes), None),
        "rsi": lambda: (talipp.RSI(of("bars"), closes), None),
        "macd": lambda: (talipp.MACD(of("fast"), of("slow"), of("signal"), closes), ("macd", "signal", "histogram")),
        "atr": lambda: (talipp.ATR(of("bars"), whole), None),
        "bollinger": lambda: (talipp.BB(of("bars"), of("times"), closes), ("cb", "ub", "lb")),
        "donchian": lambda: (talipp.DonchianChannels(of("bars"), whole), ("ub", "lb", "cb")),
    }[name]()
    if parts is None:
        return [(value,) for value in values]
    return [tuple(value and getattr(value, part) for part in parts) for value in values]


def by_ta_lib(name, all_bars, of):
    high, low, close = (numpy.array([getattr(bar, part) / SECOND for bar in all_bars]) for part in ("high", "low", "close"))
    columns = {
        "average": lambda: ({"ema": talib.EMA, "sma": talib.SMA}[of("method")](close, of("bars")),),
        "rsi": lambda: (talib.RSI(close, of("bars")),),
        "macd": lambda: talib.MACD(close, of("fast"), of("slow"), of("signal")),
        "atr": lambda: (talib.ATR(high, low, close, of("bars")),),
        "bollinger": lambda: [talib.BBANDS(close, of("bars"), of("times"), of("times"))[at] for at in (1, 0, 2)],
        "donchian": lambda: (talib.MAX(high, of("bars")), talib.MIN(low, of("bars"))),
    }[name]()
    return [tuple(None if math.isnan(value) else value for value in values) for values in zip(*columns)]


def agree(what, ours, theirs, begins_otherwise):
    """Whether numbers are those of a library: all of them, or the last where it begins in another way."""
    if len(ours) != len(theirs):
        print(f"{what}: {len(ours):,} rows, theirs {len(theirs):,}")
        return False
    apart, unknown = [], 0
    for at, (row, values) in enumerate(zip(ours, theirs)):
        for number, other in zip(row, values):
            unknown += number is None
            if number is not None and other is not None:
                apart.append(abs(number - other) / max(abs(other), 1e-3))
            elif (number is None) != (other is None) and not begins_otherwise:
                print(f"{what}: {number} is {other} there, at bar {at}")
                return False
    print(f"{what}: {len(ours):,} rows, {unknown} numbers unknown, the furthest apart by {max(apart):.1e}, the last by {apart[-1]:.1e}")
    return (apart[-1] if begins_otherwise else max(apart)) <= 1e-9


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--interval", default="1m", choices=("1m", "1d"), help="length of the bars of the files")
    parser.add_argument("--set", action="append", default=[], help="a parameter of an indicator")
    options = parser.parse_args()
    (settings, _), all_bars, all_agree = parsed(options), list(bars(options.files)), True
    for name, (first, is_nano) in NUMBERS.items():
        of = lambda key, name=name: settings[key if key == "interval" else f"{name}.{key}"]
        indicator, scale = INDICATORS[name](of), SECOND if is_nano else 1
        rows = [row[first:first + 3] for bar in all_bars for row in indicator.bar(bar)]
        ours = [tuple(number / scale if isinstance(number, (int, float)) else None for number in row) for row in rows]
        all_agree &= agree(f"{name}, talipp", ours, by_talipp(name, all_bars, of), False)
        all_agree &= agree(f"{name}, TA-Lib", ours, by_ta_lib(name, all_bars, of), name in BEGINS_OTHERWISE)
    sys.exit(0 if all_agree else 1)


if __name__ == "__main__":
    main()
