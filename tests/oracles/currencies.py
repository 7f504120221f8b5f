"""Judges each account's whole in its own currency: see `ledger_oracle.py currencies`."""

import collections
import fractions
import json
import math
import subprocess
import sys
import tempfile

from ledger import NANO, Holding, nano
from rows import parse

CURRENCIES = """
[pipeline]
stages = ["book", "alpha", "beta", "orders", "risk", "router"]
[[strategy]]
name = "alpha"
use = "random"
account = 1
every = 5
seed = {seed}
[[strategy]]
name = "beta"
use = "random"
account = 2
every = 7
seed = {seed}
[risk]
currency = "USD"
max_notional = 1000000000000
max_rate_age_ms = 86400000
max_data_age_ms = 86400000
[account.2]
currency = "GBP"
[[input]]
feed = "synthetic"
seed = {seed}
messages = {events}
symbols = 9
live_orders = 40
"""
ACCOUNTS = {1: "USD", 2: "GBP"}
# What the symbols are, in the order in which they are listed: pairs with their price currency, then what trades in a currency.
PAIRS = [("EUR", "USD"), ("GBP", "USD"), ("USD", "JPY")]
TRADES_IN = ["EUR", "JPY", "GBX", "GBP"]
WHOLE = {"GBX": ("GBP", 100)}


def replayed(options, config, *more):
    """What `tidegate replay` prints of a configuration."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(config)
        file.flush()
        command = [options.tidegate, "replay", file.name, *more]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(f"{' '.join(command)}: exit code {run.returncode}\n{run.stderr}")
    return run.stdout


def with_currencies(options, seed):
    """The configuration of a seed, the currency of each symbol, and which symbols are pairs."""
    plain = CURRENCIES.format(seed=seed, events=options.events)
    short = CURRENCIES.format(seed=seed, events=1_000)
    symbols = [parse(line)["symbol"] for line in replayed(options, short, "--emit", "listing").splitlines()]
    pairs = dict(zip(symbols, PAIRS))
    stated = dict(zip(symbols, [quote for _, quote in PAIRS] + TRADES_IN))
    for symbol, code in stated.items():
        plain += f'[instrument."{symbol}"]\ncurrency = "{code}"\n'
        if symbol in pairs:
            plain += f"pair = {json.dumps(pairs[symbol])}\n"
    return plain, {symbol: stated.get(symbol, "USD") for symbol in symbols}, pairs


def steps(code, to, mids):
    """The factors from one currency to another."""
    whole, parts = WHOLE.get(code, (code, 1))
    path = [fractions.Fraction(1, parts)] if parts > 1 else []

    def over(a, b):
        return mids[a, b] if (a, b) in mids else 1 / mids[b, a] if (b, a) in mids else None

    if whole == to:
        return path
    straight = over(whole, to)
    return path + ([straight] if straight else [over(whole, "USD"), over("USD", to)])


def converted(amount, factors):
    """An amount of 1e-9 over factors, rounded half to even after each."""
    for factor in factors:
        amount = round(amount * factor)
    return amount


def judge_currencies(options, seed):
    """The differences of a seed, and what was compared."""
    config, currency, pairs = with_currencies(options, seed)
    ledger, last, mids = collections.defaultdict(Holding), {}, {}
    for line in replayed(options, config, "--emit", "fill,trade,book-top").splitlines():
        row = parse(line)
        symbol = row["symbol"]
        if row["kind"] == "fill":
            sign = {"buy": 1, "sell": -1}[row["side"]]
            ledger[row["account"], row["strategy"], symbol].fill(sign * row["qty"], nano(row["px"]), nano(row["fee"]))
        elif row["kind"] == "trade":
            last[symbol] = nano(row["px"])
        elif symbol in pairs and row["bid_px"] is not None and row["ask_px"] is not None:
            mids[pairs[symbol]] = (fractions.Fraction(row["bid_px"]) + fractions.Fraction(row["ask_px"])) / 2
    summary = json.loads(replayed(options, config, "--json"))
    faults, purses = [], collections.defaultdict(lambda: [0, 0, 0, 0])
    for (account, _, symbol), held in ledger.items():
        value = held.qty * last[symbol]
        for at, amount in enumerate((held.realised, value - held.cost, held.fees, held.cash + value)):
            purses[account, currency[symbol]][at] += amount
    found = {row["account"]: row for row in summary["accounts"]}
    if set(found) != set(ACCOUNTS) or set(mids) != set(PAIRS):
        return [f"accounts {sorted(found)} and pairs {sorted(mids)}: not what was to be compared"], 0, found
    for account, to in ACCOUNTS.items():
        parts = {code: (steps(code, to, mids), sums) for (owner, code), sums in purses.items() if owner == account}
        ours = [sum(converted(sums[at], factors) for factors, sums in parts.values()) for at in range(3)]
        rates = {code: converted(NANO, factors) for code, (factors, _) in parts.items() if code != to}
        row = found[account]
        theirs = [nano(row[name]) for name in ("realised", "unrealised", "fees", "net")]
        if theirs != [*ours, ours[0] + ours[1] - ours[2]] or row["currency"] != to or row["missing"]:
            faults.append(f"account {account}: ledger {ours}, summary {row}")
        if {code: nano(rate) for code, rate in row["rates"].items()} != rates or len(rates) < 4:
            faults.append(f"account {account}: rates {rates}, summary {row['rates']}")
        exact = sum(sums[3] * fractions.Fraction(math.prod(factors)) for factors, sums in parts.values())
        if abs(exact - theirs[3]) > NANO // 1_000_000:
            faults.append(f"account {account}: cash and value are worth {float(exact)}, the summary's net {theirs[3]}")
    return faults, len(purses), found


def currencies(options):
    passed = True
    for seed in range(1, options.seeds + 1):
        faults, sums, found = judge_currencies(options, seed)
        nets = ", ".join(f"account {row['account']} {row['net']} {row['currency']}" for row in found.values())
        print(f"{'FAILED' if faults else 'ok'} seed {seed}: {sums} sums of accounts and currencies, {nets}")
        for fault in faults[:5]:
            print(f"   {fault}")
        passed &= not faults
    print(f"{'equal' if passed else 'NOT EQUAL'}: {options.seeds} seeds")
    return passed
