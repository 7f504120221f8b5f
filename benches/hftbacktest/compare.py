"""The same L2 rows through Tidegate and through hftbacktest, in rounds that alternate between them.

    python3 -m venv VENV && VENV/bin/pip install -r benches/hftbacktest/requirements.txt
    VENV/bin/python benches/hftbacktest/compare.py [--rounds 9] [--every 10] [--json FILE]

The program `l2` makes the rows and runs Tidegate's side, in a process of its own that answers when asked. Both sides hold
the rows in memory and have been run once before anything is timed. Both must end with the same best bid and ask.
Contenders of hftbacktest: `both` keeps the book twice, as it always does for a backtest (the exchange's and the local one);
`local` reads rows that are flagged for the local one alone. `each row` wakes its strategy after
all rows of one time, as near to each row as it goes; `by time` lets it sleep between its orders. What differs stands in benches/README.md.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numba
import numpy as np
from hftbacktest import BacktestAsset, HashMapMarketDepthBacktest, ROIVectorMarketDepthBacktest
from hftbacktest.order import FOK, GTC, IOC, LIMIT, MARKET
from hftbacktest.types import EXCH_EVENT, event_dtype

TICK = 0.01
ORDER_NS = REPLY_NS = 50_000
QTY = 100.0
MAX_OPEN = 20
MAX_POSITION = 1000.0
FOREVER = 1 << 62


class Tidegate:
    """The program `l2`, which answers a line of JSON to each word."""

    def __init__(self, folder):
        build = ["cargo", "bench", "-p", "tidegate-benches", "--bench", "l2", "--no-run", "--message-format=json"]
        built = subprocess.run(build, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
        messages = [json.loads(line) for line in built]
        program = [m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "l2"][-1]
        self.rows_file = os.path.join(folder, "rows")
        self.process = subprocess.Popen(
            [program, "--serve", self.rows_file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.about = self.answer()

    def answer(self):
        return json.loads(self.process.stdout.readline())

    def ask(self, what):
        self.process.stdin.write(what + "\n")
        return self.answer()


def backtest(kind, rows):
    """A backtest of one asset; the price range of the vector of levels is that of the rows.

    The exchange that fills in parts is not used: in 2.4.4 it ends these rows early with an error (InvalidOrderStatus) that
    others have reported, too.
    """
    asset = (
        BacktestAsset()
        .data(rows)
        .linear_asset(1.0)
        .constant_order_latency(ORDER_NS, REPLY_NS)
        .power_prob_queue_model(1.0)
        .no_partial_fill_exchange()
        .trading_value_fee_model(0.0, 0.0)
        .tick_size(TICK)
        .lot_size(1.0)
        .last_trades_capacity(0)
    )
    if kind == "vector":
        asset = asset.roi_lb(float(rows["px"].min()) - 1.0).roi_ub(float(rows["px"].max()) + 1.0)
        return ROIVectorMarketDepthBacktest([asset])
    return HashMapMarketDepthBacktest([asset])


@numba.njit
def to_the_end(hbt):
    """No strategy: one call that goes through all rows."""
    return hbt.elapse(np.uint64(FOREVER))


@numba.njit
def draw(state, n):
    """Splitmix64, a number below n."""
    state[0] = state[0] + np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.int64((z >> np.uint64(32)) * np.uint64(n) >> np.uint64(32))


@numba.njit
def order(hbt, number, buy, px, qty, tif, kind):
    if buy:
        hbt.submit_buy_order(0, number, px, qty, tif, kind, False)
    else:
        hbt.submit_sell_order(0, number, px, qty, tif, kind, False)


@numba.njit
def act(hbt, state, picked):
    """The mix of Tidegate's strategy `random`: state is the generator, the last order's number, what was sent."""
    depth = hbt.depth(0)
    bid, ask = depth.best_bid, depth.best_ask
    if np.isnan(bid) or np.isnan(ask) or bid >= ask:
        return
    hbt.clear_inactive_orders(0)
    opened = 0
    values = hbt.orders(0).values()
    while values.has_next():
        one = values.get()
        if one.cancellable and opened < len(picked):
            picked[opened] = one.order_id
            opened += 1
    dice = draw(state, 100)
    if opened > 0 and (opened >= MAX_OPEN or dice < 30):
        number = picked[draw(state, opened)]
        if opened >= MAX_OPEN or dice < 15:
            hbt.cancel(0, number, False)
        else:
            hbt.modify(0, number, bid if draw(state, 2) == 0 else ask, QTY, False)
        state[2] += np.uint64(1)
        return
    buy = draw(state, 2) == 0
    position = hbt.position(0)
    if abs(position) >= MAX_POSITION:
        buy = position < 0
    toward = TICK if buy else -TICK
    qty = QTY * (1 + draw(state, 3))
    away = toward * draw(state, 4)
    near, far = (bid, ask) if buy else (ask, bid)
    state[1] += np.uint64(1)
    state[2] += np.uint64(1)
    if 30 <= dice < 45:
        order(hbt, state[1], buy, far, qty, IOC, MARKET)
    elif 45 <= dice < 58:
        order(hbt, state[1], buy, far + away, qty, IOC, LIMIT)
    elif 58 <= dice < 68:
        order(hbt, state[1], buy, far, qty, FOK, LIMIT)
    elif 68 <= dice < 76:
        order(hbt, state[1], buy, far, QTY, IOC, LIMIT)
        state[1] += np.uint64(1)
        state[2] += np.uint64(1)
        order(hbt, state[1], not buy, near, QTY, IOC, LIMIT)
    else:
        order(hbt, state[1], buy, near - away, QTY, GTC, LIMIT)


@numba.njit
def each_row(hbt, every, state, picked):
    """Looks after every row and acts at every so many."""
    seen = 0
    while True:
        code = hbt.wait_next_feed(False, FOREVER)
        if code != 2:
            return code, seen
        seen += 1
        if seen % every == 0:
            act(hbt, state, picked)


@numba.njit
def by_time(hbt, pause, state, picked):
    """Sleeps between its orders."""
    seen = 0
    while True:
        code = hbt.elapse(np.uint64(pause))
        if code != 0:
            return code, seen
        seen += 1
        act(hbt, state, picked)


def theirs_book(kind, rows):
    hbt = backtest(kind, rows)
    start = time.perf_counter()
    to_the_end(hbt)
    seconds = time.perf_counter() - start
    depth = hbt.depth(0)
    # The vector's own best quantities are its best prices (hftbacktest 2.4.4), so both are asked by price.
    bid_qty, ask_qty = depth.bid_qty_at_tick(depth.best_bid_tick), depth.ask_qty_at_tick(depth.best_ask_tick)
    told = {"bid": round(depth.best_bid, 9), "ask": round(depth.best_ask, 9), "bid_qty": bid_qty, "ask_qty": ask_qty}
    hbt.close()
    return {"seconds": seconds, **told}


def theirs_line(kind, rows, strategy, step):
    hbt = backtest(kind, rows)
    state, picked = np.array([1, 0, 0], np.uint64), np.zeros(256, np.uint64)
    start = time.perf_counter()
    code, seen = strategy(hbt, step, state, picked)
    seconds = time.perf_counter() - start
    if code != 1:
        sys.exit(f"hftbacktest ended with error {code} before the rows did")
    told = {"looks": int(seen), "orders": int(state[2]), "fills": int(hbt.state_values(0).num_trades)}
    hbt.close()
    return {"seconds": seconds, **told}


def interval(values):
    """The median, and order statistics around it of about 95 %."""
    values, n = sorted(values), len(values)
    reach = int(0.98 * n**0.5 + 0.5)
    return statistics.median(values), values[max(0, n // 2 - reach)], values[min(n - 1, n // 2 + reach)]


def measure(group, contenders, rounds, rows):
    """Rounds that alternate; the first is the one that ratios are to."""
    first = {name: run() for name, run in contenders}
    times = {name: [] for name, _ in contenders}
    for round_number in range(rounds):
        turn = round_number % len(contenders)
        for name, run in contenders[turn:] + contenders[:turn]:
            times[name].append(run()["seconds"])
    base, table = times[contenders[0][0]], []
    for name, _ in contenders:
        rate, low, high = interval([rows / t / 1e6 for t in times[name]])
        ratio, ratio_low, ratio_high = interval([t / b for t, b in zip(times[name], base)])
        told = {k: v for k, v in first[name].items() if k != "seconds"}
        best = rows / min(times[name]) / 1e6
        figures = {"rows_per_s": rate * 1e6, "rows_per_s_low": low * 1e6, "rows_per_s_high": high * 1e6}
        if "events" in told:
            figures["events_per_s"] = rate * 1e6 * told["events"] / rows
        figures |= {"ratio": ratio, "ratio_low": ratio_low, "ratio_high": ratio_high}
        table.append({"group": group, "name": name, **{k: round(v, 3) for k, v in figures.items()}, **told})
        print(f"  {name:34} {rate:7.2f} M rows/s ({low:.2f} to {high:.2f}; best {best:.2f}), "
              f"takes {ratio:.2f} ({ratio_low:.2f} to {ratio_high:.2f}) times as long  {told}", flush=True)
    return table


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rounds", type=int, default=9)
    asked.add_argument("--every", type=int, default=10, help="an order for so many changes of the top and trades")
    asked.add_argument("--json", help="file for the figures, as the programs of benches/ write them")
    asked = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tidegate = Tidegate(folder)
        both = np.fromfile(tidegate.rows_file, event_dtype)
    rows = len(both)
    local = both.copy()
    local["ev"] &= np.uint64(~EXCH_EVENT & 0xFFFFFFFF)
    print(f"{rows} rows, {tidegate.about['trades']} of them trades; load {os.getloadavg()}")
    books = [("tidegate", lambda: tidegate.ask("book"))]
    for kind in ["hash map", "vector"]:
        books.append((f"hftbacktest {kind}, local", lambda kind=kind: theirs_book(kind, local)))
        books.append((f"hftbacktest {kind}, both", lambda kind=kind: theirs_book(kind, both)))
    print("the book alone")
    book = measure("the book alone", books, asked.rounds, rows)
    ends = {(round(b["bid"], 9), round(b["ask"], 9), float(b["bid_qty"]), float(b["ask_qty"])) for b in book}
    if len(ends) != 1:
        sys.exit(f"the books end differently: {ends}")
    print(f"  all end with {ends.pop()}")
    looks = theirs_line("hash map", both, each_row, FOREVER)["looks"]
    every = max(1, round(asked.every * looks / tidegate.about["chances"]))
    pause = int(both["local_ts"][-1] - both["local_ts"][0]) * every // looks
    lines = [("tidegate", lambda: tidegate.ask(f"pipeline {asked.every}"))]
    for kind in ["hash map", "vector"]:
        lines.append((f"hftbacktest {kind}, each row", lambda kind=kind: theirs_line(kind, both, each_row, every)))
        lines.append((f"hftbacktest {kind}, by time", lambda kind=kind: theirs_line(kind, both, by_time, pause)))
    print(f"with a strategy and a simulated venue; an order in {every} of {looks} looks, or each {pause} ns")
    line = measure("with a strategy and a simulated venue", lines, asked.rounds, rows)
    print(f"load {os.getloadavg()}")
    if asked.json:
        about = {**tidegate.about, "load": os.getloadavg()[0]}
        with open(asked.json, "w") as to:
            to.writelines(json.dumps(line) + "\n" for line in [about, *book, *line])


if __name__ == "__main__":
    main()
