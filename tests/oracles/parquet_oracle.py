#!/usr/bin/env python3
"""Judges the files of the sink `parquet` by two readers of Parquet that nobody here wrote: DuckDB and Polars.

Every value of every table, read by each of them, is what `tidegate journal export` prints of the same run; a sink that is
killed again and again leaves files with the same rows, each once. The binary must have the sink.

    parquet_oracle.py check --tidegate target/debug/tidegate [--kills 10] [--synthetic 30000] FILE...

FILE is anything that `tidegate replay` reads. Exit code: 0 equal, 1 not equal, 2 usage.
"""

import argparse
import decimal
import itertools
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

import duckdb
import polars

from rows import first_difference, verdict

STAGES = "pipeline.stages=book,bars,cvd,flow,footprint,pace,signing,event-bars,patterns,venues,absorption,layering,imbalance,fate,imbalance-variability,spread,ofi,price-impact,depth-slope,vpin,toxicity,profile,state,breakout,untested,legs"
STAGES += ",lvn-alerts,market-alerts,average,rsi,macd,atr,bollinger,donchian,vwap,pivots,swings,volatility,regime,correlation,random,trend,reversion,orders,risk,router"
# The tables, each with the kinds that `export` prints for it.
KINDS = {
    "instruments": ["listing", "contract"],
    "trades": ["trade"],
    "broken_trades": ["broken-trade"],
    "quotes": ["quote"],
    "price_bands": ["bands"],
    "book_top": ["book-top"],
    "bars": ["bar"],
    "corrected_bars": ["corrected-bar"],
    "order_flow": ["cvd", "imbalance"],
    "fates": ["fate", "fate-shown", "fate-apart"],
    "book_measures": ["imbalance-variability", "quoted-spread", "order-flow-imbalance", "price-impact", "depth-slope"],
    "bar_flow": ["flow"],
    "footprints": ["footprint-bar"],
    "footprint_rows": ["footprint"],
    "exhaustions": ["exhaustion"],
    "absorptions": ["absorption"],
    "layerings": ["layering"],
    "profiles": ["profile"],
    "profile_rows": ["profile-row"],
    "profile_nodes": ["profile-node"],
    "profile_letters": ["profile-letters"],
    "market_states": ["market-state"],
    "breakouts": ["breakout"],
    "untested": ["untested"],
    "legs": ["leg"],
    "leg_nodes": ["leg-node"],
    "pullbacks": ["pullback"],
    "lvn_alerts": ["lvn-alert", "nearest-lvn"],
    "market_alerts": ["state-alert", "flow-alert"],
    "averages": ["average"],
    "rsi": ["rsi"],
    "macd": ["macd"],
    "atr": ["atr"],
    "bollinger": ["bollinger"],
    "donchian": ["donchian"],
    "vwap": ["vwap"],
    "pivots": ["pivots"],
    "swings": ["swing"],
    "volatility": ["volatility"],
    "regimes": ["regime", "regime-change"],
    "correlations": ["correlation"],
    "event_bars": ["event-bar"],
    "pace": ["pace"],
    "signing": ["signing"],
    "toxicity": ["vpin"],
    "trade_patterns": ["trade-pattern"],
    "pattern_scores": ["pattern-score"],
    "venue_scores": ["venue-score"],
    "blended_toxicity": ["toxicity"],
    "signals": ["signal"],
    "setups": ["setup"],
    "orders": ["intent", "request", "cancel-request", "replace-request", "order", "route", "sent", "arrival", "ack"]
    + ["reject", "cancelled", "order-status"],
    "fills": ["fill", "bust", "booked", "drop-copy"],
    "positions": ["position"],
    "risk_events": ["refused", "halt", "gap", "data-state", "status", "session", "reconciled"],
    "commands": ["command", "command-outcome"],
}
# What `export` shows in other words or does not have.
NOT_COMPARED = {"kind", "input", "record", "reasons", "detail", "exchange_ts", "journal", "position", "ordinal"}
NOT_COMPARED |= {"instrument", "source", "day"}
IDS = {"order_id", "match_id", "order_ref", "cause", "replaces", "new_id", "venue_order", "number", "corrects"}
# Words that `export` prints as numbers.
CODES = {
    "weighting": ["", "equal", "harmonic", "exponential"],
    "book": ["none", "by-level", "by-order", "quotes"],
    "what": ["", "session", "trading", "operational-halt", "short-sale", "circuit-breaker"],
    "instrument_type": "unknown equity future call put crypto currency-pair index spread".split(),
}


def plain(value):
    """A value in one form: decimals without zeros at their end, integers as they are, floating point by its value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    text = format(value, "f") if isinstance(value, decimal.Decimal) else str(value)
    return text.rstrip("0").rstrip(".") if "." in text and text.lstrip("-").replace(".", "").isdigit() else text


def exported(binary, journal):
    """What `export` prints of a run: by kind, its columns, each a list of what is said of the rows; None is absent."""
    kinds = ",".join(kind for of in KINDS.values() for kind in of)
    command = [binary, "journal", "export", str(journal), "--emit", kinds]
    found = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as printed:
        for line in printed.stdout:
            row = json.loads(line)
            for name, values in found.setdefault(row["kind"], {name: [] for name in row}).items():
                values.append(row[name])
        if printed.wait() != 0:
            sys.exit(f"{' '.join(command)}: exit code {printed.returncode}")
    return {kind: in_words(columns) for kind, columns in found.items()}


def in_words(columns):
    """The columns of `export` in the words of the tables."""
    words = {}
    for name, values in columns.items():
        column = name.removesuffix("_ns")
        absent = {"", "none"} if name in ("side", "aggressor") else {"", "0"} if name in IDS else {""}
        if column not in NOT_COMPARED:
            texts = (None if value is None else plain(value) for value in values)
            words[column] = [None if text in absent else text for text in texts]
    return words


def of_duckdb(pattern):
    """Names and rows of a table in the order of their keys, times as nanoseconds."""
    table = f"read_parquet('{pattern}')"
    described = duckdb.sql(f"describe select * from {table}").fetchall()
    names = [name for name, *_ in described]
    times = {name for name, ty, *_ in described if ty.startswith("TIMESTAMP")}
    asked = ", ".join(f'epoch_ns("{name}")' if name in times else f'"{name}"' for name in names)
    return names, duckdb.sql(f"select {asked} from {table} order by seq, position, ordinal").fetchall()


def of_polars(pattern):
    """The same, by Polars."""
    table = polars.scan_parquet(pattern).sort("seq", "position", "ordinal")
    nanoseconds = polars.selectors.datetime().cast(polars.Int64)
    found = table.with_columns(nanoseconds).collect()
    return found.columns, found.rows()


READERS = {"DuckDB": of_duckdb, "Polars": of_polars}


def shown(names, rows, wanted):
    """The columns of the kinds that were exported, in the same words, as a table shows them."""
    columns = dict(zip(names, map(list, zip(*rows)))) if rows else {name: [] for name in names}
    words = {}
    for name in {name for of in wanted.values() for name in of}:
        texts = [None if value is None else plain(value) for value in columns.get(name, [None] * len(rows))]
        codes = {code: str(number) for number, code in enumerate(CODES.get(name, ()))}
        words[name] = [codes.get(text, text) for text in texts] if codes else texts
    kinds = columns.get("kind", [next(iter(wanted), None)] * len(rows))
    masks = {kind: [one == kind for one in kinds] for kind in wanted}
    chosen = lambda kind, name: list(itertools.compress(words[name], masks[kind]))
    return {kind: {name: chosen(kind, name) for name in of} for kind, of in wanted.items()}


def compare(name, out, kinds_exported):
    """Whether both readers find in the files what was exported."""
    good = True
    for reader, read in READERS.items():
        equal = 0
        for table, kinds in KINDS.items():
            wanted = {kind: kinds_exported[kind] for kind in kinds if kind in kinds_exported}
            has_files = (out / table).exists()
            found = shown(*read(f"{out}/{table}/**/*.parquet"), wanted) if has_files else {}
            for kind, columns in wanted.items():
                number = len(columns["seq"])
                if found.get(kind) == columns:
                    equal += number
                    continue
                # The order of rows of one input is nobody's word.
                order = sorted(columns)
                tuples = lambda of: sorted(zip(*(map(str, of[name]) for name in order)))
                same, difference = first_difference(tuples(columns), tuples(found[kind]) if kind in found else [])
                equal += same
                if difference:
                    good = verdict(f"{name} {reader} {table} {kind} {order}", equal, difference)
            if has_files and not wanted and table != "risk_events":
                good = verdict(f"{name} {reader} {table}", equal, ("no file", "files"))
        good = verdict(f"{name}, every value by {reader}, rows", equal, None) and good
    return good


def sink(binary, journal, out, *more):
    command = [binary, "sink", "parquet", "--journal", str(journal), "--set", f"dir={out}", *more]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def to_its_end(binary, journal, out, *more):
    """Runs the sink; how long it took."""
    begun = time.monotonic()
    running = sink(binary, journal, out, "--once", *more)
    said = running.communicate()[1]
    if running.returncode != 0 or " 0 gaps, tried again 0 times" not in said:
        sys.exit(f"the sink ended with {running.returncode}: {said}")
    return time.monotonic() - begun


def all_rows(out):
    """Rows by table, and whether each key is there once, as DuckDB sees them."""
    tables = {}
    for path in sorted(out.iterdir()):
        # A kill may leave a folder that has no file yet.
        if path.name not in ("_tidegate", "dead_letters") and any(path.glob("*/*.parquet")):
            table = f"read_parquet('{path}/**/*.parquet')"
            key = "journal, seq, position, ordinal"
            rows, keys = duckdb.sql(f"select count(*), count(distinct ({key})) from {table}").fetchall()[0]
            tables[path.name] = rows, rows == keys, digest(table)
    return tables


def digest(table):
    """What tells the rows of a table from any others, in any order of files."""
    return duckdb.sql(f"select sum(hash(columns_of)) from (select t as columns_of from {table} t)").fetchall()[0]


def kills(binary, journal, folder, wanted, took, count, seed):
    """Kills the sink so often at random moments; nothing is missing then, and nothing twice."""
    out, chance, done, attempts = folder / "killed", random.Random(seed), 0, 0
    small = ("--set", "rows_per_file=1500", "--set", "batch_rows=400")
    while done < count:
        if attempts % 4 == 0 and (attempts == 0 or chance.random() < 0.5):
            shutil.rmtree(out, ignore_errors=True)
            subprocess.run([binary, "journal", "forget", str(journal), "killed"], capture_output=True, check=False)
        attempts += 1
        running = sink(binary, journal, out, "--name", "killed", *small)
        time.sleep(chance.uniform(0.01, min(took * 1.2, 0.5)))
        running.kill()
        running.communicate()
        done += running.returncode == -9
        if out.exists():
            found = all_rows(out)
            if not all(once for _, once, _ in found.values()):
                return verdict(f"kill {done}: a row twice", done, ("each once", str(found)))
    to_its_end(binary, journal, out, "--name", "killed", *small)
    found = all_rows(out)
    return verdict(f"files after {count} kills as without, kills", count, None if found == wanted else (wanted, found))


def record(binary, folder, name, inputs, more):
    journal = folder / name
    command = [binary, "replay", "--set", STAGES, "--set", "outcomes.kinds=all", "--journal", str(journal), *more]
    for path in inputs:
        command += ["--input", str(path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return journal


def check(options):
    good = True
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        day = folder / "day.itch"
        synth = ["synth", "--out", str(day), "--messages", str(options.synthetic), "--symbols", "20", "--live-orders", "2000"]
        subprocess.run([options.tidegate, *synth], check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        more = ["--date", "2020-01-30", "--set", "random.every=40"]
        runs = [("a synthetic day", "synthetic", [day], more)]
        runs += [(os.path.basename(path), f"run-{at}", [path], []) for at, path in enumerate(options.files)]
        for at, (name, place, inputs, more) in enumerate(runs):
            journal = record(options.tidegate, folder, place, inputs, more)
            out = folder / f"{place}-files"
            took = to_its_end(options.tidegate, journal, out)
            total = all_rows(out)
            rows = sum(number for number, *_ in total.values())
            size = sum(path.stat().st_size for path in out.glob("*/**/*.parquet"))
            print(f"{name}: {rows:,} rows in {took:.2f} s, {size / max(rows, 1):.1f} bytes a row")
            good = compare(name, out, exported(options.tidegate, journal)) and good
            if at == 0:
                good = kills(options.tidegate, journal, folder, total, took, options.kills, options.seed) and good
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("check")
    command.add_argument("--tidegate", required=True, help="the binary")
    command.add_argument("--kills", type=int, default=10)
    command.add_argument("--seed", type=int, default=1)
    command.add_argument("--synthetic", type=int, default=30_000, help="messages of the synthetic day")
    command.add_argument("files", nargs="*")
    options = parser.parse_args()
    sys.exit(0 if check(options) else 1)


if __name__ == "__main__":
    main()
