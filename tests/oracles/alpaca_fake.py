#!/usr/bin/env python3
"""Judges the fake of Alpaca's market data, and the feed that reads it, by Alpaca's own client.

`tidegate fake alpaca` is listened to at once by `alpaca-py` and by `tidegate run`. The client must take every message as one of its
own models; and what both have of the same stretch must be equal: each trade by its number, with price, size and time, each
quote, each halt, each price band, each bar and each bar that came again, each trade that was cancelled or corrected. It begins
shortly before the turn of a minute, since that is when bars come.

    alpaca_fake.py check --tidegate target/release/tidegate [--seconds 8]

Exit code: 0 equal, 1 not equal, 2 usage.
"""

import argparse
import asyncio
import collections
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

from alpaca.data.live import StockDataStream
from alpaca.data.models import Bar, Quote, Trade, TradeCancel, TradeCorrection, TradingStatus

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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["check"])
    parser.add_argument("--tidegate", required=True)
    parser.add_argument("--seconds", type=float, default=8)
    sys.exit(0 if check(parser.parse_args()) else 1)


if __name__ == "__main__":
    main()
