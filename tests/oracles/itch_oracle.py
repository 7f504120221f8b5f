#!/usr/bin/env python3
"""Judges ITCH 5.0 decoding and books by two independent libraries.

`itchfeed` decodes every message; `meatpy` rebuilds the book of every symbol from them. What they say is compared with
the engine's rows, record by record: the order messages and trades field by field, and the best bid and ask after every
message that changed them.

    itch_oracle.py check --tidegate target/release/tidegate FILE    both comparisons
    itch_oracle.py messages FILE                                    itchfeed's messages, canonical, one a line
    itch_oracle.py tops FILE                                        meatpy's best bid and ask on change, as CSV
    itch_oracle.py summary FILE                                     counts, executed volume, state of the books at the end

FILE is a BinaryFILE (two bytes of length before each message), plain or gzip. Exit code: 0 equal, 1 not equal, 2 usage.
"""

import argparse
import collections
import datetime
import gzip
import json
import sys

from itch.parser import MessageParser
from meatpy.itch50 import ITCH50MarketProcessor
from meatpy.itch50.itch50_market_message import ITCH50MarketMessage

from rows import first_difference, replay, verdict

# What changes a book, and what only says that something traded.
ORDERS = b"AFECXDU"
DATE = datetime.datetime(2000, 1, 3)


def frames(path):
    """(record, bytes) of every message; the end is a length of zero or the end of the file."""
    opened = gzip.open(path) if open(path, "rb").read(2) == b"\x1f\x8b" else open(path, "rb")
    with opened as file:
        record = 0
        while prefix := file.read(2):
            length = int.from_bytes(prefix, "big")
            if length == 0:
                return
            message = file.read(length)
            if len(message) < length:
                sys.exit(f"{path}: record {record + 1} is cut short")
            record += 1
            yield record, message


def messages(path):
    """(record, message) as itchfeed decodes them."""
    parse = MessageParser().get_message_type
    for record, raw in frames(path):
        message = parse(raw)
        if len(raw) != message.message_size:
            sys.exit(f"{path}: record {record} has {len(raw)} bytes, itchfeed expects {message.message_size}")
        yield record, message


def price(value):
    """A price of four decimals, exact."""
    return f"{value // 10000}.{value % 10000:04}"


def text(padded):
    return padded.decode("ascii").rstrip()


class Canonical:
    """Order messages and trades in the form of the engine's rows.

    Executions name no price: it is that of the resting order, whose side is also the aggressor's opposite; so the live
    orders are followed, by reference alone. A trade that the tape prints elsewhere (`C`, not printable) is no volume
    and is left out.
    """

    def __init__(self):
        self.live = {}

    def rows(self, record, message):
        """The rows of one message: (record, kind, fields)."""
        order = getattr(message, "order_reference_number", 0)
        match message.message_type:
            case b"A" | b"F":
                side = "buy" if message.buy_sell_indicator == b"B" else "sell"
                self.live[order] = (side, message.price)
                attribution = text(getattr(message, "attribution", b""))
                yield record, "add", (side, order, price(message.price), message.shares, attribution)
            case b"E":
                yield record, "exec", (order, None, message.executed_shares, message.match_number)
                yield from self.trade(record, order, message, None)
            case b"C":
                paid = price(message.execution_price)
                yield record, "exec", (order, paid, message.executed_shares, message.match_number)
                if message.printable == b"Y":
                    yield from self.trade(record, order, message, paid)
            case b"X":
                yield record, "cancel", (order, message.cancelled_shares)
            case b"D":
                self.live.pop(order)
                yield record, "delete", (order,)
            case b"U":
                self.live[message.new_order_reference_number] = (self.live.pop(order)[0], message.price)
                fresh = message.new_order_reference_number
                yield record, "replace", (order, fresh, price(message.price), message.shares)
            case b"P":
                yield record, "trade", (price(message.price), message.shares, None, False, message.match_number)
            case b"Q" if message.shares > 0:
                yield record, "trade", (price(message.cross_price), message.shares, None, None, message.match_number)
            case b"B":
                yield record, "break", (message.match_number,)

    def trade(self, record, order, message, paid):
        side, resting = self.live[order]
        aggressor = "sell" if side == "buy" else "buy"
        fields = (paid or price(resting), message.executed_shares, aggressor, True, message.match_number)
        yield record, "trade", fields


# Columns of the engine's rows that are compared, by kind.
COLUMNS = {
    "add": ("side", "order_ref", "px", "qty", "attribution"),
    "exec": ("order_ref", "px", "qty", "match_id"),
    "cancel": ("order_ref", "qty"),
    "delete": ("order_ref",),
    "replace": ("order_ref", "new_ref", "px", "qty"),
    "trade": ("px", "qty", "aggressor", "displayed", "match_id"),
    "break": ("match_id",),
}


def expected_rows(path):
    """What itchfeed expects, sorted within a record by kind: (record, kind, ns since midnight, fields)."""
    canonical = Canonical()
    for record, message in messages(path):
        for row in sorted(canonical.rows(record, message), key=lambda r: r[1]):
            yield (*row[:2], message.timestamp, row[2])


def engine_rows(binary, path, silent):
    """The engine's rows in the same form; `silent` holds the records whose trade is printed elsewhere."""
    rows = replay(binary, "itch", [path], ",".join(COLUMNS), "jsonl")
    midnight, waiting = None, []
    for row in rows:
        if row["kind"] == "trade" and row["record"] in silent:
            continue
        if midnight is None:
            midnight = row["exchange_ts_ns"]
            first = next(m for r, m in messages(path) if r == row["record"])
            midnight -= first.timestamp
        fields = [row[c] for c in COLUMNS[row["kind"]]]
        if row["kind"] == "trade" and (row["auction"] or not row["displayed"]):
            # No aggressor is known; for an auction no resting order either.
            fields[2:4] = [None, None if row["auction"] else False]
        item = (row["record"], row["kind"], row["exchange_ts_ns"] - midnight, tuple(fields))
        if waiting and waiting[0][0] != item[0]:
            yield from sorted(waiting, key=lambda r: r[1])
            waiting = []
        waiting.append(item)
    yield from sorted(waiting, key=lambda r: r[1])


class Books:
    """One meatpy book for every locate, and its best bid and ask."""

    def __init__(self):
        self.books = {}
        self.symbols = {}
        self.tops = {}

    def apply(self, raw):
        """Applies a message; the symbol and the new best bid and ask if they changed, else None."""
        if raw[:1] not in (b"R", b"H") and raw[0] not in ORDERS:
            return None
        message = ITCH50MarketMessage.from_bytes(raw)
        locate = int.from_bytes(raw[1:3], "big")
        if locate not in self.books:
            if not hasattr(message, "stock"):
                sys.exit(f"locate {locate} is used before its symbol is known")
            self.books[locate] = ITCH50MarketProcessor(message.stock, DATE)
            self.symbols[locate] = text(message.stock)
            self.tops[locate] = ("", 0, "", 0)
        self.books[locate].process_message(message)
        top = self.top(locate)
        if top == self.tops[locate]:
            return None
        self.tops[locate] = top
        return self.symbols[locate], top

    def top(self, locate):
        lob = self.books[locate].current_lob
        best = lambda levels: (price(levels[0].price), levels[0].volume) if levels else ("", 0)
        return (*best(lob.bid_levels), *best(lob.ask_levels)) if lob else ("", 0, "", 0)


def expected_tops(path):
    """(record, symbol, best bid and ask) on change, by meatpy."""
    books = Books()
    for record, raw in frames(path):
        if changed := books.apply(raw):
            yield (record, changed[0], *changed[1])


def engine_tops(binary, path):
    """The same, by the engine."""
    for row in replay(binary, "itch", [path], "book-top", "csv"):
        qty = lambda side: int(row[f"{side}_qty"] or 0) if row[f"{side}_px"] else 0
        yield int(row["record"]), row["symbol"], row["bid_px"], qty("bid"), row["ask_px"], qty("ask")


def check(options):
    path = options.file
    silent = {r for r, m in messages(path) if m.message_type == b"C" and m.printable != b"Y"}
    passed = verdict("messages", *first_difference(expected_rows(path), engine_rows(options.tidegate, path, silent)))
    return verdict("best bid and ask", *first_difference(expected_tops(path), engine_tops(options.tidegate, path))) and passed


def summary(options):
    """Counts and final books, to hold against other sources."""
    kinds, executed, books = collections.Counter(), collections.Counter(), Books()
    canonical, changes = Canonical(), 0
    for (record, message), (_, raw) in zip(messages(options.file), frames(options.file)):
        kinds[text(message.message_type)] += 1
        for _, kind, fields in canonical.rows(record, message):
            if kind == "trade" and message.message_type in b"EC":
                executed["shares"] += fields[1]
                executed["money"] += round(float(fields[0]) * 10000) * fields[1]
                executed[fields[2]] += fields[1]
        changes += books.apply(raw) is not None
    lobs = [b.current_lob for b in books.books.values() if b.current_lob]
    sides = [[level for lob in lobs for level in levels(lob)] for levels in (lambda b: b.bid_levels, lambda b: b.ask_levels)]
    print(json.dumps({
        "messages": sum(kinds.values()),
        "types": dict(sorted(kinds.items())),
        "executed_shares": executed["shares"],
        "executed_vwap": round(executed["money"] / 10000 / max(1, executed["shares"]), 6),
        "bought_shares": executed["buy"],
        "sold_shares": executed["sell"],
        "symbols": len(books.books),
        "top_changes": changes,
        "live_orders": sum(level.n_orders for side in sides for level in side),
        "levels": [len(side) for side in sides],
        "shares": [sum(level.volume for level in side) for side in sides],
        "tops": {books.symbols[locate]: top for locate, top in list(books.tops.items())[: options.symbols]},
    }, indent=1))
    return True


def print_messages(options):
    for row in expected_rows(options.file):
        print(json.dumps(row))
    return True


def print_tops(options):
    print("record,symbol,bid_px,bid_qty,ask_px,ask_qty")
    for row in expected_tops(options.file):
        print(*row, sep=",")
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, run in (("check", check), ("summary", summary), ("messages", print_messages), ("tops", print_tops)):
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        command.add_argument("file")
        if name == "check":
            command.add_argument("--tidegate", required=True, help="the binary")
        if name == "summary":
            command.add_argument("--symbols", type=int, default=5, help="final best bid and ask of so many symbols")
    options = parser.parse_args()
    sys.exit(0 if options.run(options) else 1)


if __name__ == "__main__":
    main()
