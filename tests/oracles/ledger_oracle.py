#!/usr/bin/env python3
"""Judges positions and money by a ledger of its own, kept from the fills alone.

For every seed `tidegate demo` trades; its rows `fill`, `position`, `order` and the words of the venue are read in their
order. The ledger follows the documentation: adding adds price x quantity to the cost, reducing takes the closed part's
share of it away, rounded once, half to even, at 1e-9, and realises the difference; crossing zero closes all and opens
anew. Every `position` row is compared with it to the 1e-9, and so is the summary of `--json`. Cash (what sales brought
less what purchases cost, less fees) must be the realised profit less the cost of what is open, less fees. Further: every
fill is of an order that risk let pass and of its side, never more than its quantity, never after its end.

    ledger_oracle.py check --tidegate target/release/tidegate [--seeds 20] [--strategies random,momentum]
    ledger_oracle.py currencies --tidegate target/release/tidegate [--seeds 5]
    ledger_oracle.py busts --tidegate target/release/tidegate --venue target/release/test-venue [--seeds 20] [--seconds 2]

`currencies` lets two accounts, one in dollars and one in pounds, trade what stands in dollars, euros, yen, pounds and pence, and three
pairs of them. The whole of each account is made from its own ledger: the realised profit, what is open at the last trade, and fees of
each currency, each converted at the mid of the last quote of both sides among the rows `book-top` of the pair, straight, inverse or over
dollars, pence made pounds first, every step rounded once, half to even, at 1e-9. The summary's `accounts` must say the same to the last
digit; and it must lie within a millionth of what the cash and the value of what is open are worth without any rounding.

`busts` lets the line trade with the test venue, which takes executions back and corrects them, and judges the journal: a bust strikes
a fill out and the position is counted again from all fills that stand, from the first on.

One line a seed. Exit code: 0 equal, 1 not equal, 2 usage.
"""

import argparse
import collections
import json
import pathlib
import subprocess
import sys
import tempfile
import time

from currencies import currencies
from ledger import NANO, Holding, Lots, nano, told
from rows import parse

LINES = {
    "random": ["pipeline.stages=book,bars,cvd,vpin,random,orders,risk,router", "random.every=5"],
    "momentum": [
        "pipeline.stages=book,bars,cvd,imbalance,vpin,momentum,orders,risk,router",
        "vpin.bucket_qty=1000",
        "bars.intervals=5s",
        "momentum.bar=5s",
        "momentum.atr_bars=2",
        "momentum.min_flow=0.05",
        "momentum.min_volume=1",
        "momentum.min_imbalance=-1",
        "momentum.max_vpin=1",
        "momentum.lookback=600",
        "momentum.max_age=3600000",
        "risk.max_data_age_ms=3600000",
        "momentum.cooldown=0",
    ],
}
KINDS = "fill,position,order,ack,cancelled,reject"


class Orders:
    """What risk let pass, and what became of it."""

    def __init__(self):
        self.terms, self.filled, self.over, self.faults = {}, collections.Counter(), {}, []

    def take(self, row):
        number = row["order_id"]
        kind = row["kind"]
        if kind == "order":
            self.terms[number] = row
        elif kind == "ack" and row["replaces"]:
            self.over[row["replaces"]] = "replaced"
            # What the predecessor executed counts in the quantity of the new order.
            self.filled[number] += self.filled[row["replaces"]]
            if self.filled[number] >= self.terms[number]["qty"]:
                self.over[number] = "filled before it was replaced"
        elif kind == "cancelled":
            self.end(number, "cancelled", row)
        elif kind == "reject" and row["action"] in (1, 3, "new", "replace"):
            self.end(number, "rejected", row)
        elif kind == "fill":
            self.fill(number, row)

    def end(self, number, why, row):
        if number not in self.terms or number in self.over:
            self.faults.append(f"seq {row['seq']}: order {number} is {why}, and was {self.over.get(number, 'unknown')}")
        self.over[number] = why

    def fill(self, number, row):
        order = self.terms.get(number)
        if order is None:
            return self.faults.append(f"seq {row['seq']}: a fill of {number}, which is no order")
        self.filled[number] += row["qty"]
        if number in self.over:
            self.faults.append(f"seq {row['seq']}: a fill of {number} after its end ({self.over[number]})")
        if self.filled[number] > order["qty"]:
            self.faults.append(f"seq {row['seq']}: {number} is filled {self.filled[number]} of {order['qty']}")
        if (row["side"], row["symbol"]) != (order["side"], order["symbol"]):
            self.faults.append(f"seq {row['seq']}: a fill of {number} on another side or symbol")
        if self.filled[number] == order["qty"]:
            self.over[number] = "filled"


def demo(options, strategy, seed, *more):
    command = [options.tidegate, "demo", "--seed", str(seed), "--events", str(options.events), "--symbols", "20"]
    for one in [*LINES[strategy], "outcomes.kinds=all"]:
        command += ["--set", one]
    run = subprocess.run([*command, *more], capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(f"{' '.join(command)}: exit code {run.returncode}\n{run.stderr}")
    return run.stdout


def judge(options, strategy, seed):
    """The first differences of a seed, and what was compared."""
    ledger, orders, faults, compared = collections.defaultdict(Holding), Orders(), [], collections.Counter()
    for line in demo(options, strategy, seed, "--emit", KINDS).splitlines():
        row = parse(line)
        compared[row["kind"]] += 1
        if row["kind"] in ("fill", "position"):
            holding = ledger[row["account"], row["strategy"], row["symbol"]]
        if row["kind"] == "fill":
            sign = {"buy": 1, "sell": -1}[row["side"]]
            holding.fill(sign * row["qty"], nano(row["px"]), nano(row["fee"]))
            if not holding.balances():
                faults.append(f"seq {row['seq']}: cash and profit of the ledger itself do not agree")
        if row["kind"] == "position" and told(row) != holding.row():
            faults.append(f"seq {row['seq']} {row['symbol']}: ledger {holding.row()}, row {told(row)}")
        elif row["kind"] != "position":
            orders.take(row)
    summary = json.loads(demo(options, strategy, seed, "--json"))
    found = {(p["account"], p["strategy"], p["symbol"]): told(p) for p in summary["positions"]}
    expected = {key: holding.row() for key, holding in ledger.items()}
    if found != expected:
        faults.append(f"the summary's positions: {sorted(set(found.items()) ^ set(expected.items()), key=str)[:4]}")
    if {sums["account"] for sums in summary["pnl"]} != {account for account, _, _ in ledger}:
        faults.append(f"the summary's accounts are {summary['pnl']}")
    for sums in summary["pnl"]:
        ours = [holding for (account, _, _), holding in ledger.items() if account == sums["account"]]
        for name in ("realised", "fees"):
            sum_of_ledger = sum(getattr(holding, name) for holding in ours)
            if nano(sums[name]) != sum_of_ledger:
                faults.append(f"the summary's {name}: ledger {sum_of_ledger}, summary {sums}")
        pnl = {name: nano(sums[name]) for name in ("net", "realised", "unrealised", "fees")}
        if pnl["net"] != pnl["realised"] + pnl["unrealised"] - pnl["fees"] or sums["currency"] != "USD":
            faults.append(f"the summary's net is not the sum of its parts, or no dollars: {sums}")
    counted = (summary["fills"], summary["orders"]), (compared["fill"], compared["order"])
    if counted[0] != counted[1] or compared["fill"] != compared["position"]:
        faults.append(f"rows {dict(compared)}, the summary counts fills and orders {counted[0]}")
    return faults + orders.faults, compared, ledger


DESK = """
[pipeline]
stages = ["book", "random", "orders", "risk", "router"]
clock = "wall"
[router]
venue = "wire"
[wire]
address = "127.0.0.1:{port}"
[random]
every = 40
seed = {seed}
max_position = 5000
[risk]
max_quantity = 5000
max_notional = 100000000
collar_bps = 5000
max_position = 6000
max_messages = 4000
throttle_window_ms = 100
max_data_age_ms = 60000
[[input]]
feed = "synthetic"
seed = {seed}
messages = 1000000000
symbols = 4
live_orders = 400
"""


def trade(options, seed, folder):
    """Lets the line trade with the test venue for a while; the journal."""
    config, journal = folder / "desk.toml", folder / "journal"
    with subprocess.Popen([options.venue, str(seed)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as venue:
        config.write_text(DESK.format(port=venue.stdout.readline().strip(), seed=seed))
        command = [options.tidegate, "run", str(config), "--journal", str(journal), "--speed", "max", "--json"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as run:
            time.sleep(options.seconds)
            venue.stdin.write("quiet\n")
            venue.stdin.flush()
            time.sleep(0.2)
            run.terminate()
            _, said = run.communicate()
        if run.returncode:
            sys.exit(f"{' '.join(command)}: exit code {run.returncode}\n{said}")
        venue.stdin.close()
    return journal


def judge_busts(options, seed):
    """The differences of a seed, and how many rows of each kind were compared."""
    with tempfile.TemporaryDirectory() as folder:
        journal = trade(options, seed, pathlib.Path(folder))
        command = [options.tidegate, "replay", "--journal", str(journal), "--emit", "fill,bust,position,anomaly"]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(f"{' '.join(command)}: exit code {run.returncode}\n{run.stderr}")
    ledger, faults, compared = collections.defaultdict(Lots), [], collections.Counter()
    for row in map(parse, run.stdout.splitlines()):
        compared[row["kind"]] += 1
        if row["kind"] == "anomaly":
            if row["what"] in ("unknown-fill", "repeated-bust", "bust-mismatch", "illegal-transition"):
                faults.append(f"seq {row['seq']}: {row['what']} {row['detail']}")
            continue
        lots = ledger[row["account"], row["strategy"], row["symbol"]]
        if row["kind"] == "fill":
            lots.fill(row)
        elif row["kind"] == "bust":
            faults += filter(None, [lots.bust(row)])
        elif told(row) != lots.row():
            faults.append(f"seq {row['seq']} {row['symbol']}: ledger {lots.row()}, row {told(row)}")
    if compared["position"] != compared["fill"] + compared["bust"]:
        faults.append(f"a position follows every fill and bust: {dict(compared)}")
    return faults, compared


def busts(options):
    passed, taken_back = True, 0
    for seed in range(1, options.seeds + 1):
        faults, compared = judge_busts(options, seed)
        counts = f"{compared['fill']:,} fills, {compared['bust']:,} of them taken back"
        print(f"{'FAILED' if faults else 'ok'} seed {seed}: {counts}")
        for fault in faults[:5]:
            print(f"   {fault}")
        passed &= not faults
        taken_back += compared["bust"]
    if taken_back == 0:
        print("FAILED: there was nothing to compare")
        passed = False
    print(f"{'equal' if passed else 'NOT EQUAL'}: {taken_back} busts, {options.seeds} seeds")
    return passed


def check(options):
    passed, all_fills = True, collections.Counter()
    for strategy in options.strategies.split(","):
        for seed in range(1, options.seeds + 1):
            faults, compared, ledger = judge(options, strategy, seed)
            cash = sum(holding.cash for holding in ledger.values())
            counts = f"{compared['fill']:,} fills of {compared['order']:,} orders, {len(ledger)} positions"
            what = f"{strategy} seed {seed}: {counts}"
            print(f"{'FAILED' if faults else 'ok'} {what}, cash {cash / NANO:,.2f}")
            for fault in faults[:5]:
                print(f"   {fault}")
            passed &= not faults
            all_fills[strategy] += compared["fill"]
        if all_fills[strategy] == 0:
            print(f"FAILED {strategy}: there was nothing to compare")
            passed = False
    print(f"{'equal' if passed else 'NOT EQUAL'}: {dict(all_fills)} fills, {options.seeds} seeds each")
    return passed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("check")
    command.set_defaults(run=check)
    command.add_argument("--tidegate", required=True, help="the binary")
    command.add_argument("--seeds", type=int, default=20)
    command.add_argument("--events", type=int, default=60_000)
    command.add_argument("--strategies", default=",".join(LINES))
    command = commands.add_parser("currencies")
    command.set_defaults(run=currencies)
    command.add_argument("--tidegate", required=True, help="the binary")
    command.add_argument("--seeds", type=int, default=5)
    command.add_argument("--events", type=int, default=60_000)
    command = commands.add_parser("busts")
    command.set_defaults(run=busts)
    command.add_argument("--tidegate", required=True, help="the binary")
    command.add_argument("--venue", required=True, help="the binary of the test venue")
    command.add_argument("--seeds", type=int, default=20)
    command.add_argument("--seconds", type=float, default=2)
    options = parser.parse_args()
    sys.exit(0 if options.run(options) else 1)


if __name__ == "__main__":
    main()
