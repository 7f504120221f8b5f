"""Days of the market for `exchange_oracle.py`: what the files say, decoded without the engine.

A day yields (ns, symbol, what, terms, whether a group closes). The names of `what` are those of the books there; prices are in
1e-9. The times never run backwards.
"""

import datetime
import re
import struct
import zoneinfo

import zstandard

import itch_oracle
import lobster_oracle

NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
SIDES = {b"B": "buy", b"S": "sell"}


def midnight_ns(day):
    return int(datetime.datetime.combine(day, datetime.time(), NEW_YORK).timestamp()) * 10**9


class ItchDay:
    """Every message is a group. Executions count at the price of the order, whatever the message says they paid."""

    feed, book, settings, beside = "itch", "order", [], []

    def __init__(self, path):
        self.path = path
        self.date = datetime.date(2020, 1, 30)
        self.options = ["--date", self.date.isoformat()]

    def events(self):
        midnight, last, symbols = midnight_ns(self.date), 0, {}
        for _, m in itch_oracle.messages(self.path):
            last = max(last, midnight + m.timestamp)
            if stock := getattr(m, "stock", None):
                symbols[m.stock_locate] = itch_oracle.text(stock)
            if event := self.event(m):
                if event == ("session", ("O",)):
                    yield last, None, "clear", (), True
                yield last, None if event[0] == "session" else symbols[m.stock_locate], *event, True

    @staticmethod
    def event(m):
        order = getattr(m, "order_reference_number", 0)
        match m.message_type:
            case b"S":
                return "session", (m.event_code.decode(),)
            case b"R":
                return "listed", ()
            case b"A" | b"F":
                return "add", (SIDES[m.buy_sell_indicator], order, m.price * 100_000, m.shares)
            case b"E":
                return "execution", (order, m.executed_shares, True)
            case b"C":
                return "execution", (order, m.executed_shares, m.printable == b"Y")
            case b"X":
                return "cancel", (order, m.cancelled_shares)
            case b"D":
                return "delete", (order,)
            case b"U":
                return "replace", (order, m.new_order_reference_number, m.price * 100_000, m.shares)
            case b"P":
                return "print", (None, m.price * 100_000, m.shares, True)
            case b"H":
                return "status", ("trading", m.trading_state.decode().strip())
            case b"h":
                return "status", ("operation", m.operational_halt_action.decode().strip())
        return None


class LobsterDay:
    """The book by level: messages change it, and the rows of the book file show what comes into sight and leaves it."""

    feed, book, settings, options, beside = "lobster", "level", [], [], []

    def __init__(self, path):
        self.sample = lobster_oracle.Sample(path)
        self.symbol = re.search(r"LOBSTER_SampleFile_([A-Z]+)_", path)[1]

    def events(self):
        for row in range(len(self.sample.messages)):
            ts = self.sample.midnight_ns + self.sample.messages[row].ns
            group = list(self.row(row))
            for at, event in enumerate(group, 1):
                yield ts, self.symbol, *event, at == len(group)

    def row(self, row):
        m, after = self.sample.messages[row], self.sample.sides(row)
        if row == 0:
            for side, levels in zip(("buy", "sell"), after):
                for px, qty in levels.items():
                    yield "level", (side, px * 100_000, qty, True)
            return
        expected = tuple(dict(side) for side in self.sample.sides(row - 1))
        side, px = ("buy" if m.direction == 1 else "sell"), m.px * 100_000
        if event := self.event(m, side, px):
            yield event
            here = expected[0 if m.direction == 1 else 1]
            if event[0] != "print":
                here[m.px] = here.get(m.px, 0) + (m.qty if m.type == lobster_oracle.SUBMISSION else -m.qty)
                if here[m.px] <= 0:
                    del here[m.px]
        for side, was, now in zip(("buy", "sell"), expected, after):
            for px in sorted(was.keys() | now.keys(), reverse=side == "buy"):
                if was.get(px) != now.get(px):
                    yield "level", (side, px * 100_000, now.get(px, 0), True)

    @staticmethod
    def event(m, side, px):
        match m.type:
            case lobster_oracle.SUBMISSION:
                return "add", (side, m.order, px, m.qty)
            case lobster_oracle.CANCELLATION:
                return "cancel", (m.order, m.qty, side, px)
            case lobster_oracle.DELETION:
                return "delete", (m.order, m.qty, side, px)
            case lobster_oracle.EXECUTION:
                return "execution", (m.order, m.qty, True, side, px)
            case lobster_oracle.HIDDEN:
                return "print", ({"buy": "sell", "sell": "buy"}[side], px, m.qty, True)
        return None


class DbnDay:
    """The MBO records of one instrument. The last of a group may be a record that changes no book: then the group closes
    with the last change before it."""

    feed, book, options = "dbn", "order", []
    RECORD = struct.Struct("<BBHIQQqIBBccQiI")
    MBO, LAST, SNAPSHOT, UNDEFINED = 0xA0, 0x80, 0x20, 2**64 - 1
    # The metadata up to its table of symbols, and how long a symbol is there by version.
    SYMBOLS_AT, SYMBOL_LENGTH = 112, {1: 22, 2: 71, 3: 71}

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = zstandard.ZstdDecompressor().stream_reader(file).read()
        symbol = self.data[self.SYMBOLS_AT + 4 :][: self.SYMBOL_LENGTH[self.data[3]]]
        self.symbol = symbol.rstrip(b"\0").decode()
        # The limits are for stocks.
        self.settings = ["risk.max_notional=100000000", "random.qty=1"]
        # The terms of the contract are in a file of their own.
        self.beside = [re.sub(r"_mbo_.*", "_definition.dbn.zst", path)]

    def events(self):
        events, change, last = [], None, 0
        at = 8 + int.from_bytes(self.data[4:8], "little")
        while at < len(self.data):
            length, kind, _, _, ts_event, order, px, qty, flags, _, action, side, ts_recv, _, _ = self.RECORD.unpack_from(
                self.data, at
            )
            at += 4 * length
            if kind != self.MBO:
                continue
            last = max(last, ts_recv if ts_event in (0, self.UNDEFINED) else ts_event)
            event = self.event(action, {b"A": "sell", b"B": "buy"}.get(side), order, px, qty, flags & self.SNAPSHOT > 0)
            if event:
                events.append([last, self.symbol, *event, False])
            if event and action != b"T":
                change = events[-1]
            if flags & self.LAST and change:
                change[-1] = True
        yield from events

    @staticmethod
    def event(action, side, order, px, qty, snapshot):
        match action:
            case b"A":
                return "add", (side, order, px, qty, snapshot)
            case b"C":
                return "cancel", (order, qty)
            case b"M":
                return "replace", (order, order, px, qty)
            case b"R":
                return "clear", ()
            case b"T":
                return "print", (side, px, qty, False)
        return None


def day_of(path):
    if path.endswith(".zip"):
        return LobsterDay(path)
    return DbnDay(path) if ".dbn" in path else ItchDay(path)
