#!/usr/bin/env python3
"""Judges the fake of Alpaca's market data, the feed that reads it and `tidegate fetch`, by Alpaca's own clients.

`tidegate fake alpaca` is listened to at once by `alpaca-py` and by `tidegate run`. The client must take every message as one of its
own models; and what both have of the same stretch must be equal: each trade by its number, with price, size and time, each
quote, each halt, each price band, each bar and each bar that came again, each trade that was cancelled or corrected. It begins
shortly before the turn of a minute, since that is when bars come.

The past: `StockHistoricalDataClient` asks the fake for bars, trades and quotes of several days, page by page, and so does `tidegate fetch
alpaca`, while requests go wrong. Each row must become one of the client's models, the pages together must be what one page of all is, and each
must be what `tidegate replay` gives of the fetched file.

    alpaca_fake.py check --tidegate target/release/tidegate [--seconds 8]
    alpaca_fake.py history --tidegate target/release/tidegate

Exit code: 0 equal, 1 not equal, 2 usage.
"""

import argparse
import asyncio
import collections
import contextlib
import datetime
import decimal
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

from alpaca.common.exceptions import APIError
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.live import StockDataStream
from alpaca.data.models import Bar, Quote, Trade, TradeCancel, TradeCorrection, TradingStatus
from alpaca.data.requests import StockBarsRequest, StockQuotesRequest, StockTradesRequest
from alpaca.data.timeframe import TimeFrame

from rows import first_difference, parse, verdict

SYMBOLS = ["AAPL", "MSFT", "SPY"]
NANO = 1_000_000_000
KINDS = "trade,quote,break,status,bands,bar,corrected-bar"
CONFIGURATION = """
[pipeline]
stages = ["book"]
clock = "wall"
[[input]]
feed = "alpaca"
address = "{address}"
key = "env:FAKE_KEY"
secret = "env:FAKE_SECRET"
channels = ["trades", "quotes", "statuses", "lulds", "bars", "updatedBars"]
watch = ["AAPL", "MSFT", "SPY"]
"""


def nano(price):
    return round(price * NANO)


def exact(t):
    """A time of MessagePack, which the client's models round to microseconds."""
    return t.seconds * NANO + t.nanoseconds


class Heard:
    """What `alpaca-py` has heard, as rows by symbol: raw for the figures, as models for the shape."""

    def __init__(self):
        self.rows = collections.defaultdict(list)
        self.kinds = collections.Counter()
        self.others = 0

    def take(self, model, message):
        symbol = message["S"]
        if isinstance(model, Trade):
            row = ("trade", exact(message["t"]), nano(message["p"]), message["s"], ord(message["x"]) << 56 | message["i"])
        elif isinstance(model, Quote):
            sides = [(message[p] and nano(message[p]), 100 * message[s]) for p, s in (("bp", "bs"), ("ap", "as"))]
            row = ("quote", exact(message["t"]), *sides[0], *sides[1])
        elif isinstance(model, TradeCancel):
            row = ("break", exact(message["t"]), ord(message["x"]) << 56 | message["i"])
        elif isinstance(model, TradeCorrection):
            at, x = exact(message["t"]), ord(message["x"]) << 56
            self.rows[symbol].append(("break", at, x | message["oi"]))
            row = ("trade", at, nano(message["cp"]), message["cs"], x | message["ci"])
        elif isinstance(model, TradingStatus):
            code = {"2": "H", "3": "T"}.get(message["sc"], message["sc"])
            row = ("status", exact(message["t"]), code, message["rc"])
        elif isinstance(model, Bar):
            kind = {"b": "bar", "u": "corrected-bar"}[message["T"]]
            prices = [nano(message[price]) for price in "ohlc"]
            row = (kind, exact(message["t"]), *prices, message["v"], message["n"], nano(message["vw"]))
        elif isinstance(model, dict) and message["T"] == "l":
            # The client has a channel for price bands, and no model.
            row = ("bands", exact(message["t"]), nano(message["u"]), nano(message["d"]), message["i"], message["z"])
        else:
            self.others += 1
            return
        self.kinds[{"u": "UpdatedBar", "l": "Luld"}.get(message["T"], type(model).__name__)] += 1
        self.rows[symbol].append(row)


class Both(StockDataStream):
    """The client; keeps each message before it becomes a model, which loses nanoseconds."""

    def __init__(self, heard, *args, **more):
        super().__init__(*args, **more)
        self.heard = heard

    def _cast(self, message):
        raw = dict(message)
        model = super()._cast(message)
        self.heard.take(model, raw)
        return model


def listen(address, heard, stop):
    stream = Both(heard, "fake-key", "fake-secret", url_override=f"{address}/v2/iex")

    async def take(_):
        pass

    stream.subscribe_trades(take, *SYMBOLS)
    stream.subscribe_quotes(take, *SYMBOLS)
    stream.subscribe_trading_statuses(take, *SYMBOLS)
    stream.subscribe_bars(take, *SYMBOLS)
    stream.subscribe_updated_bars(take, *SYMBOLS)
    stream._subscribe(take, SYMBOLS, stream._handlers["lulds"])
    stream.register_trade_corrections(take)
    stream.register_trade_cancels(take)

    async def until():
        running = asyncio.ensure_future(stream._run_forever())
        while not stop.is_set():
            await asyncio.sleep(0.05)
        await stream.stop_ws()
        await asyncio.wait([running], timeout=10)

    asyncio.run(until())


def of_tidegate(lines):
    """Rows by symbol of what `tidegate run` printed."""
    rows = collections.defaultdict(list)
    for line in lines:
        row = parse(line)
        kind, symbol = row["kind"], row.get("symbol")
        price = lambda name: row.get(name) and nano(float(row[name]))
        if kind == "trade":
            rows[symbol].append(("trade", row["exchange_ts_ns"], price("px"), row["qty"], row["match_id"]))
        elif kind == "quote":
            sides = [(price(f"{side}_px") or 0, row[f"{side}_qty"]) for side in ("bid", "ask")]
            rows[symbol].append(("quote", row["exchange_ts_ns"], *sides[0], *sides[1]))
        elif kind == "break":
            rows[symbol].append(("break", row["exchange_ts_ns"], row["match_id"]))
        elif kind == "status":
            rows[symbol].append(("status", row["exchange_ts_ns"], row["code"], row.get("reason") or ""))
        elif kind == "bands":
            sides = [price(f"limit_{side}_px") for side in ("up", "down")]
            rows[symbol].append(("bands", row["exchange_ts_ns"], *sides, row["indicator"], row["tape"]))
        elif kind in ("bar", "corrected-bar"):
            prices = [price(name) for name in ("open", "high", "low", "close")]
            rows[symbol].append((kind, row["start_ns"], *prices, row["volume"], row["trades"], price("vwap")))
    return rows


def stretch(one, other):
    """Both from the first to the last row that both have."""
    common = set(one) & set(other)
    cut = lambda rows: [i for i, row in enumerate(rows) if row in common]
    return [rows[(at := cut(rows))[0] : at[-1] + 1] if common else [] for rows in (one, other)]


def heard_and_found(args, folder):
    """What `alpaca-py` heard, and the rows of the journal of `tidegate run`, of the same fake."""
    fake = [args.tidegate, "fake", "alpaca", "--port", "0", "--symbols", ",".join(SYMBOLS), "--rate", "2000"]
    # The turn of the minute falls into what is heard, and so does what comes late of it.
    time.sleep((51 - time.time()) % 60)
    config, journal = os.path.join(folder, "desk.toml"), os.path.join(folder, "run")
    with subprocess.Popen(fake, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as fake:
        try:
            address = re.search(r"ws://\S+?(?=,)", fake.stderr.readline())[0]
            with open(config, "w") as file:
                file.write(CONFIGURATION.format(address=address))
            secrets = dict(os.environ, FAKE_KEY="fake-key", FAKE_SECRET="fake-secret")
            run = subprocess.Popen([args.tidegate, "run", config, "--journal", journal, "--json"], env=secrets)
            heard, stop = Heard(), threading.Event()
            client = threading.Thread(target=listen, args=(address, heard, stop), daemon=True)
            client.start()
            time.sleep(max(args.seconds, 64 - time.time() % 60 if time.time() % 60 > 30 else 0))
            stop.set()
            client.join(20)
            run.send_signal(signal.SIGTERM)
            if run.wait() != 0:
                sys.exit("tidegate run failed")
        finally:
            fake.send_signal(signal.SIGTERM)
        if fake.wait() != 0:
            sys.exit("tidegate fake failed")
    export = [args.tidegate, "journal", "export", journal, "--log", "inputs", "--emit", KINDS]
    rows = subprocess.run(export, stdout=subprocess.PIPE, text=True, check=True).stdout
    return heard, of_tidegate(rows.splitlines())


def check(args):
    with tempfile.TemporaryDirectory() as folder:
        heard, found = heard_and_found(args, folder)
    good = heard.others == 0
    print(", ".join(f"{count} {kind}" for kind, count in sorted(heard.kinds.items())))
    told = ["Trade", "Quote", "TradeCancel", "TradeCorrection", "TradingStatus", "Bar", "UpdatedBar", "Luld"]
    for kind in told:
        if heard.kinds[kind] == 0:
            print(f"no {kind} came")
            good = False
    for symbol in SYMBOLS:
        ours, theirs = stretch(found[symbol], heard.rows[symbol])
        good &= verdict(symbol, *first_difference(theirs, ours))
    return good


@contextlib.contextmanager
def faked(args, *more):
    """A running fake, and the address of its past."""
    fake = [args.tidegate, "fake", "alpaca", "--port", "0", "--symbols", ",".join(SYMBOLS), *more]
    with subprocess.Popen(fake, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as fake:
        try:
            yield re.search(r"http://[\d.:]+", fake.stderr.readline())[0]
        finally:
            fake.send_signal(signal.SIGTERM)


# Two days, a weekend, a day: whole days in New York.
DATES = ("2026-01-08", "2026-01-12")
RANGE = dict(
    start=datetime.datetime(2026, 1, 8, 5, tzinfo=datetime.timezone.utc),
    end=datetime.datetime(2026, 1, 13, 4, 59, 59, 999_999, tzinfo=datetime.timezone.utc),
)


def nanos_of(text):
    """RFC 3339 in UTC, exactly."""
    whole, _, part = text.rstrip("Z").partition(".")
    second = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc).timestamp()
    return int(second) * NANO + int(part.ljust(9, "0") or 0)


def exactly(number):
    return int(decimal.Decimal(repr(number)) * NANO)


def row_of(what, row):
    """A row of the past as ours prints it; `None` for a trade that was taken back."""
    at = nanos_of(row["t"])
    if what == "trades":
        if row.get("u") in ("canceled", "incorrect"):
            return None
        return ("trade", at, exactly(row["p"]), row["s"], ord(row["x"]) << 56 | row["i"])
    if what == "quotes":
        sides = [(exactly(row[p]), 100 * row[s]) for p, s in (("bp", "bs"), ("ap", "as"))]
        return ("quote", at, *sides[0], *sides[1])
    return ("bar", at, *(exactly(row[key]) for key in "ohlc"), row["v"], row["n"], exactly(row["vw"]))


REQUESTS = {
    "bars": (lambda **more: StockBarsRequest(timeframe=TimeFrame.Minute, **more), "get_stock_bars"),
    "trades": (StockTradesRequest, "get_stock_trades"),
    "quotes": (StockQuotesRequest, "get_stock_quotes"),
}


def asked(address, what, raw, limit=None):
    """What the client has of the past, by symbol; `limit` is that of all pages together."""
    client = StockHistoricalDataClient("fake-key", "fake-secret", raw_data=raw, url_override=address)
    request, method = REQUESTS[what]
    found = getattr(client, method)(request(symbol_or_symbols=SYMBOLS, feed="iex", limit=limit, **RANGE))
    return found if raw else found.data


def fetched(args, address, what, folder):
    out = os.path.join(folder, what)
    secrets = dict(os.environ, FAKE_KEY="fake-key", FAKE_SECRET="fake-secret")
    command = [args.tidegate, "fetch", "alpaca", "--symbols", ",".join(SYMBOLS), "--from", DATES[0], "--to", DATES[1]]
    command += ["--what", what, "--out", out, "--address", address, "--key", "env:FAKE_KEY", "--secret", "env:FAKE_SECRET"]
    subprocess.run([*command, "--page", "1500"], env=secrets, check=True, stderr=subprocess.DEVNULL)
    (name,) = os.listdir(out)
    emit = ["--emit", {"bars": "bar", "trades": "trade", "quotes": "quote"}[what]]
    replay = [args.tidegate, "replay", "--input", os.path.join(out, name), "--set", "pipeline.stages=book", *emit]
    rows = subprocess.run(replay, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
    return of_tidegate(rows.splitlines())


def history(args):
    good = True
    with faked(args, "--a-minute", "100000") as address, tempfile.TemporaryDirectory() as folder:
        for what in REQUESTS:
            raw, models = asked(address, what, raw=True), asked(address, what, raw=False)
            ours = fetched(args, address, what, folder)
            for symbol in SYMBOLS:
                rows = [row_of(what, row) for row in raw[symbol]]
                good &= len(models[symbol]) == len(rows) > 100
                theirs = [row for row in rows if row is not None]
                good &= verdict(f"{what} {symbol}, {len(rows)} rows", *first_difference(theirs, ours[symbol]))
        # The client asks for pages of as many rows as are still wanted: a few thousand rows of several symbols are several pages.
        few = asked(address, "quotes", raw=True, limit=12_345)
        whole = asked(address, "quotes", raw=True)
        joined = lambda found: [(symbol, row) for symbol in sorted(found) for row in found[symbol]]
        good &= verdict("12,345 quotes in pages", *first_difference(joined(whole)[:12_345], joined(few)))
        try:
            StockHistoricalDataClient("fake-key", "wrong", url_override=address).get_stock_bars(
                StockBarsRequest(symbol_or_symbols="SPY", timeframe=TimeFrame.Minute, feed="iex", **RANGE)
            )
            print("a wrong secret was taken")
            good = False
        except APIError as error:
            good &= error.status_code == 401
    with faked(args, "--trouble", "9", "--seed", "4", "--a-minute", "100000") as address, tempfile.TemporaryDirectory() as folder:
        troubled = fetched(args, address, "bars", folder)
    with faked(args, "--seed", "4", "--a-minute", "100000") as address, tempfile.TemporaryDirectory() as folder:
        calm = fetched(args, address, "bars", folder)
    for symbol in SYMBOLS:
        good &= verdict(f"bars {symbol} in trouble", *first_difference(calm[symbol], troubled[symbol]))
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["check", "history"])
    parser.add_argument("--tidegate", required=True)
    parser.add_argument("--seconds", type=float, default=8)
    args = parser.parse_args()
    sys.exit(0 if {"check": check, "history": history}[args.command](args) else 1)


if __name__ == "__main__":
    main()
