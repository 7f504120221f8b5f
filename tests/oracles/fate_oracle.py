#!/usr/bin/env python3
"""Judges the measure `fate` by an account of its own, written from its page (engine/stages/docs/fate.md) alone.

Each file is read as two days: itself, and the same day once more a day later, so that the first session ends and all of it
is emitted for every symbol. The account keeps every order with all that became of it; every row must be equal, and in every
row what was displayed must add up to the share.

    fate_oracle.py check --tidegate target/release/tidegate FILE... [--every 60]

FILE is an ITCH 5.0 BinaryFILE, a LOBSTER sample as it is downloaded, or a DBN file of MBO records. Exit code: 0 equal,
1 not equal, 2 usage.
"""

import argparse
import collections
import datetime
import os
import re
import shutil
import sys
import tempfile
import zipfile
import zoneinfo

import lobster_oracle
import market_days
from rows import first_difference, replay, verdict

SECOND = 10**9
CENT, DOLLAR = SECOND // 100, SECOND
ORDER_MESSAGES = ("add", "execution", "cancel", "delete", "replace", "clear")
RANKS = ("before", "level-1", "level-2-3", "level-4-10", "level-behind")
DISTANCES = ("best", "tick-1", "tick-2-10", "tick-behind", "tick-unknown")
AGES = (("10ms", SECOND // 100), ("1s", SECOND), ("10s", 10 * SECOND), ("1m", 60 * SECOND), ("10m", 600 * SECOND), ("later", None))
SIDES = ("buy", "sell")


def of_rank(rank):
    return RANKS[1] if rank == 1 else RANKS[2] if rank <= 3 else RANKS[3] if rank <= 10 else RANKS[4]


def of_distance(distance, tick):
    if distance is None:
        return "tick-unknown"
    return "best" if distance <= 0 else "tick-1" if distance <= tick else "tick-2-10" if distance <= 10 * tick else "tick-behind"


def of_age(age):
    return next(name for name, end in AGES if end is None or age <= end)


class Order:
    def __init__(self, side, px, qty, shown, chain, rank, session):
        self.side, self.px, self.left, self.shown, self.chain, self.rank, self.session = side, px, qty, shown, chain, rank, session


class Account:
    """Of one symbol: its book, its orders, and the sums of the session."""

    def __init__(self, day):
        self.day, self.orders, self.shown = day, {}, {"buy": collections.Counter(), "sell": collections.Counter()}
        self.top, self.session, self.interval, self.changed, self.emptied = {"buy": None, "sell": None}, None, None, False, False
        self.displayed, self.ended = collections.Counter(), collections.Counter()
        self.unseen, self.lost, self.hidden = collections.Counter(), collections.Counter(), 0
        self.fills = collections.Counter()

    # --- The book ---

    def change(self, side, px, by):
        level = self.shown[side]
        level[px] += by
        if level[px] <= 0:
            del level[px]

    def best(self, side):
        return (max if side == "buy" else min)(self.shown[side], default=None)

    def close(self):
        self.top = {side: self.best(side) for side in SIDES}

    def rank(self, side, px):
        return 1 + sum(1 for other in self.shown[side] if (other > px if side == "buy" else other < px))

    # --- Time ---

    def enter(self, ts, every):
        """What comes before a message: the rows of an interval, or of a session, that has ended."""
        session, interval = self.day.session(ts), ts // (every * SECOND)
        if self.changed and (session != self.session or interval != self.interval):
            yield from self.rows()
            self.changed = False
        self.interval = interval
        if session != self.session:
            left = self.left()
            goes_on = not self.emptied and not self.day.by_level
            self.displayed.clear(), self.ended.clear(), self.unseen.clear(), self.lost.clear()
            self.hidden, self.session, self.changed, self.emptied = 0, session, False, False
            for (side, _), qty in left.items():
                if goes_on:
                    self.displayed[side, "before"] += qty
            if not goes_on:
                self.orders.clear()

    def clear(self, ts):
        """The feed empties the book. After the end of a session nothing is lost by it."""
        if self.day.session(ts) != self.session:
            # What it had is still to be said; it goes with the session.
            self.emptied = True
            return
        for key, qty in self.left().items():
            self.lost[key] += qty
        self.orders.clear()
        self.changed = True

    def part(self, order):
        return order.rank if order.session == self.session else "before"

    def left(self):
        """What is left of the orders, by side and rank."""
        left = collections.Counter()
        for order in self.orders.values():
            left[order.side, self.part(order)] += order.left
        return left

    # --- Rows ---

    def rows(self):
        left, veiled = self.left(), collections.Counter()
        for order in self.orders.values():
            if self.day.by_level and order.px not in self.shown[order.side]:
                veiled[order.side, self.part(order)] += order.left
        for side in (*SIDES, None):
            for part in RANKS:
                if displayed := self.displayed[side, part]:
                    taken, pulled, moved = (self.ended[side, "rank", part, how] for how in ("taken", "pulled", "moved"))
                    yield "fate", side, "rank", part, taken, pulled, moved, 0
                    rest = left[side, part]
                    hides = rest if part == "before" else veiled[side, part]
                    unknown, unseen = self.lost[side, part] + hides, self.unseen[side, part]
                    assert displayed == taken + pulled + moved + rest + self.lost[side, part] + unseen, (self.day, side, part)
                    yield "fate-shown", side, part, displayed, rest - hides, unknown, unseen
            for by, parts in (("distance", DISTANCES), ("age", [a for a, _ in AGES]), ("chain-age", [a for a, _ in AGES])):
                for part in parts:
                    sums = [self.ended[side, by, part, how] for how in ("taken", "pulled", "moved")]
                    if any(sums):
                        yield "fate", side, by, part, *sums, 0
        if self.hidden:
            yield "fate-apart", self.hidden, 0

    # --- Messages ---

    def display(self, ts, ref, side, px, qty, chain=None, snapshot=False):
        rank = "before" if snapshot else of_rank(self.rank(side, px))
        self.orders[ref] = Order(side, px, qty, ts, ts if chain is None else chain, rank, self.session)
        self.displayed[side, rank] += qty
        self.changed = True

    def unknown(self, side, how, qty):
        """A message about an order whose display was not seen."""
        if qty:
            self.displayed[side, "before"] += qty
            self.ended[side, "rank", "before", how] += qty
            self.changed = True

    def end(self, ts, ref, how, qty):
        order = self.orders[ref]
        if qty == 0:
            return
        part, best = self.part(order), self.top[order.side]
        self.ended[order.side, "rank", part, how] += qty
        if part != "before":
            distance = None if best is None else (best - order.px if order.side == "buy" else order.px - best)
            self.ended[order.side, "distance", of_distance(distance, self.day.tick_at(order.px)), how] += qty
            self.ended[order.side, "age", of_age(ts - order.shown), how] += qty
            if how != "moved":
                self.ended[order.side, "chain-age", of_age(ts - order.chain), how] += qty
        order.left -= qty
        if order.left == 0:
            del self.orders[ref]
        self.changed = True

    def cancel(self, ts, ref, qty):
        """Quantity leaves: taken as far as a fill was reported, else pulled."""
        taken = min(qty, self.fills.pop(ref, 0))
        self.end(ts, ref, "taken", taken)
        if qty > taken:
            self.end(ts, ref, "pulled", qty - taken)

    def execution(self, ts, ref, qty, side=None):
        if ref in self.orders:
            self.end(ts, ref, "taken", min(qty, self.orders[ref].left))
        else:
            self.unknown(side, "taken", qty)

    def cancelled(self, ts, ref, qty, side=None):
        if ref in self.orders:
            self.cancel(ts, ref, min(qty, self.orders[ref].left))
        else:
            self.unknown(side, "pulled", qty)

    def deleted(self, ts, ref, told=0, side=None):
        if ref not in self.orders:
            return self.unknown(side, "pulled", told)
        order = self.orders[ref]
        self.cancel(ts, ref, min(told or order.left, order.left))
        if ref in self.orders:
            self.unseen[order.side, self.part(order)] += order.left
            del self.orders[ref]

    def replace(self, ts, ref, new, px, qty):
        """What a replace does to the old order; the chain of the new one if it is displayed anew."""
        order = self.orders[ref]
        if qty == 0 or px is None or (new != ref and new in self.orders):
            return self.cancel(ts, ref, order.left)
        if px == order.px and qty <= order.left:
            self.cancel(ts, ref, order.left - qty)
            self.orders[new] = self.orders.pop(ref)
            return None
        self.end(ts, ref, "moved", order.left)
        return order.chain


class ByOrder:
    """A day of a feed by order: (ts, symbol, what, terms, whether the group closes) from `market_days`."""

    by_level = False

    def __init__(self, days, zone, tick, cents, shift_hours=0):
        self.days, self.zone, self.tick, self.cents, self.shift = days, zoneinfo.ZoneInfo(zone), tick, cents, shift_hours
        self.dates = {}

    def session(self, ts):
        second = ts // SECOND
        if second not in self.dates:
            at = datetime.datetime.fromtimestamp(second, self.zone) + datetime.timedelta(hours=self.shift)
            self.dates = {second: at.date()}
        return self.dates[second]

    def tick_at(self, px):
        return max(self.tick, CENT) if self.cents and px >= DOLLAR else self.tick

    def expected(self, every):
        accounts = {}
        for events in self.days:
            first = True
            for ts, symbol, what, terms, closes in events:
                if first or (symbol is None and what == "clear"):
                    # A file begins with empty books; so does a session of the venue.
                    for account in accounts.values():
                        account.clear(ts)
                        account.shown = {side: collections.Counter() for side in SIDES}
                        account.top = dict.fromkeys(SIDES)
                    first = False
                if symbol is None:
                    continue
                account = accounts.setdefault(symbol, Account(self))
                for row in self.message(account, ts, what, terms, every):
                    yield symbol, ts, *row
                if closes:
                    account.close()

    @staticmethod
    def message(account, ts, what, terms, every):
        if what == "clear":
            over = account.day.session(ts) != account.session
            if over:
                account.clear(ts)
            yield from account.enter(ts, every)
            if not over:
                account.clear(ts)
            account.shown = {side: collections.Counter() for side in SIDES}
        elif what == "print" and terms[3]:
            yield from account.enter(ts, every)
            account.hidden += terms[2]
            account.changed = True
        elif what == "fill":
            account.fills[terms[0]] += terms[1]
        elif what in ORDER_MESSAGES:
            yield from account.enter(ts, every)
            apply(account, ts, what, terms)


def apply(account, ts, what, terms):
    """A message by reference, in the account and in the book."""
    if what == "add":
        side, ref, px, qty, *snapshot = terms
        account.change(side, px, qty)
        account.display(ts, ref, side, px, qty, snapshot=any(snapshot))
        return
    ref, *more = terms
    order = account.orders.get(ref)
    before = (order.side, order.px, order.left) if order else None
    if what == "execution":
        account.execution(ts, ref, more[0])
    elif what == "cancel":
        account.cancelled(ts, ref, more[0])
    elif what == "delete":
        account.deleted(ts, ref)
    elif order:
        new, px, qty = more
        chain = account.replace(ts, ref, new, px, qty)
        if chain is not None:
            account.change(before[0], before[1], -before[2])
            account.change(before[0], px, qty)
            account.display(ts, new, before[0], px, qty, chain=chain)
            return
        ref = new
    if before:
        left = account.orders[ref].left if ref in account.orders else 0
        if left < before[2]:
            account.change(before[0], before[1], left - before[2])


class Lobster:
    """Days of LOBSTER. What is visible the rows of the book file say themselves."""

    by_level = True

    def __init__(self, days):
        self.days = days

    def session(self, ts):
        return next(day.sample.midnight_ns for day in reversed(self.days) if ts >= day.sample.midnight_ns)

    @staticmethod
    def tick_at(_):
        # A cent, in the unit of its files.
        return 100

    def expected(self, every):
        account = Account(self)
        for day in self.days:
            for row, m in enumerate(day.sample.messages):
                ts = day.sample.midnight_ns + m.ns
                if row == 0:
                    # A day begins with what the book then shows; its message is in it already.
                    account.clear(ts)
                    found = account.enter(ts, every)
                else:
                    found = self.message(account, ts, m, every)
                for what in found:
                    yield day.symbol, ts, *what
                account.shown = dict(zip(SIDES, day.sample.sides(row)))
                account.close()

    @staticmethod
    def message(account, ts, m, every):
        side = "buy" if m.direction == 1 else "sell"
        if m.type not in (1, 2, 3, 4, 5):
            return
        yield from account.enter(ts, every)
        if m.type == lobster_oracle.SUBMISSION:
            account.display(ts, m.order, side, m.px, m.qty)
        elif m.type == lobster_oracle.CANCELLATION:
            account.cancelled(ts, m.order, m.qty, side)
        elif m.type == lobster_oracle.DELETION:
            account.deleted(ts, m.order, m.qty, side)
        elif m.type == lobster_oracle.EXECUTION:
            account.execution(ts, m.order, m.qty, side)
        else:
            account.hidden += m.qty
            account.changed = True


class Fills(market_days.DbnDay):
    """MBO records with the fills of resting orders, which the engine infers from the trades."""

    def event(self, action, side, order, px, qty, snapshot):
        return ("fill", (order, qty)) if action == b"F" else market_days.DbnDay.event(action, side, order, px, qty, snapshot)

    def events(self):
        # A fill changes no book and closes no group; it is told apart from what does.
        for ts, symbol, what, terms, closes in super().events():
            yield ts, symbol, what, terms, closes and what != "fill"


# --- The same day once more, a day later ---

DAY = datetime.timedelta(days=1)


def lobster_days(path, folder):
    name = os.path.basename(path)
    date = re.search(r"\d{4}-\d\d-\d\d", name)[0]
    later = str(datetime.date.fromisoformat(date) + DAY)
    both, second = os.path.join(folder, "both.zip"), os.path.join(folder, name.replace(date, later))
    with zipfile.ZipFile(path) as was, zipfile.ZipFile(both, "w") as two, zipfile.ZipFile(second, "w") as one:
        for member in (m for m in was.namelist() if m.endswith(".csv")):
            two.writestr(member, was.read(member))
            for archive in (two, one):
                archive.writestr(member.replace(date, later), was.read(member))
    market = Lobster([market_days.LobsterDay(p) for p in (path, second)])
    market.second = market.days[1].sample.midnight_ns
    return market, "lobster", ["--input", both]


def itch_days(path, folder):
    names = [os.path.join(folder, f"day {date}.itch") for date in ("2020-01-30", "2020-01-31")]
    days = []
    for name in names:
        shutil.copyfile(path, name)
        day = market_days.ItchDay(name)
        day.date = datetime.date.fromisoformat(re.search(r"\d{4}-\d\d-\d\d", name)[0])
        days.append(day.events())
    market = ByOrder(days, "America/New_York", SECOND // 10_000, True)
    market.second = market_days.midnight_ns(day.date)
    return market, "itch", ["--input", *names]


def dbn_days(path, folder):
    date = re.search(r"\d{4}-\d\d-\d\d", os.path.basename(path))[0]
    # Its snapshot has the times at which orders were placed, days before; so the copy is a week later.
    first, later = Fills(path), str(datetime.date.fromisoformat(date) + 7 * DAY)
    data, at = bytearray(first.data), 8 + int.from_bytes(first.data[4:8], "little")
    first.start = first.RECORD.unpack_from(data, at)[4]
    number = lambda text: int(text.replace("-", "")).to_bytes(4, "little")
    # The dates between which symbols hold.
    for days in (1, 0):
        was, now = (str(datetime.date.fromisoformat(day) + days * DAY) for day in (date, later))
        data[:at] = bytes(data[:at]).replace(number(was), number(now))
    while at < len(data):
        record = list(first.RECORD.unpack_from(data, at))
        if record[1] == first.MBO:
            record[4], record[12] = (ts if ts == first.UNDEFINED else ts + 7 * 86_400 * SECOND for ts in (record[4], record[12]))
            first.RECORD.pack_into(data, at, *record)
        at += 4 * record[0]
    names = [os.path.join(folder, f"es_{when}.dbn") for when in (date, later)]
    second = Fills(path)
    second.data = bytes(data)
    for name, day in zip(names, (first, second)):
        with open(name, "wb") as file:
            file.write(day.data)
    market = ByOrder([first.events(), second.events()], "America/Chicago", SECOND // 4, False, shift_hours=7)
    market.second = first.start + 7 * 86_400 * SECOND
    return market, "dbn", ["--input", *names, "--input", *first.beside]


def days_of(path, folder):
    if path.endswith(".zip"):
        return lobster_days(path, folder)
    return dbn_days(path, folder) if ".dbn" in path else itch_days(path, folder)


def engine_rows(binary, feed, inputs, every):
    more = ["--set", "pipeline.stages=book,fate", "--set", f"fate.every={every}", *inputs]
    for row in replay(binary, feed, [], "fate,fate-shown,fate-apart", "jsonl", *more):
        at = (row["symbol"], row["ts_ns"], row["kind"])
        if row["kind"] == "fate":
            yield *at, row["side"], row["parts_by"], row["part"], row["taken"], row["pulled"], row["moved"], row["expired"]
        elif row["kind"] == "fate-shown":
            yield *at, row["side"], row["part"], row["displayed"], row["still"], row["unknown"], row["unseen"]
        else:
            yield *at, row["hidden"], row["left_out"]


def check(options):
    passed = True
    for path in options.files:
        with tempfile.TemporaryDirectory() as folder:
            market, feed, inputs = days_of(path, folder)
            every, counts = options.every, collections.Counter()
            found = list(engine_rows(options.tidegate, feed, inputs, every))
            symbols = {row[0] for row in found}
            equal = verdict(f"fate of {os.path.basename(path)}", *first_difference(market.expected(every), found))
            passed &= equal and adds_up(found)
            print(f"   {len(symbols):,} symbols; {totals(found, market.second)}")
    return passed


def adds_up(rows):
    """Whether in every row of ranks what was displayed is all that became of it."""
    ended = None
    for row in rows:
        if row[2] == "fate" and row[4] == "rank":
            ended = (*row[:2], row[3], row[5]), sum(row[6:])
        elif row[2] == "fate-shown":
            whose, sum_of = ended
            displayed, *left = row[5:]
            if whose != (*row[:2], row[3], row[4]) or displayed != sum_of + sum(left):
                print(f"FAILED {row}: {sum_of} ended")
                return False
    return True


def totals(rows, ends):
    """What the rows come to that end the first day of every symbol: the first rows after it."""
    last, sums = {}, collections.Counter()
    for row in rows:
        if row[1] >= ends and last.setdefault(row[0], row[1]) == row[1] and row[2] != "fate-apart":
            if row[2] == "fate-shown" or row[4] == "rank":
                names = ("taken", "pulled", "moved", "expired") if row[2] == "fate" else ("displayed", "still", "unknown", "unseen")
                at = 6 if row[2] == "fate" else 5
                for name, qty in zip(names, row[at:]):
                    sums[name, "before" if row[at - 1] == "before" else "in sight"] += qty
    return ", ".join(f"{name} {origin} {qty:,}" for (name, origin), qty in sorted(sums.items()) if qty)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command = parser.add_subparsers(required=True).add_parser("check")
    command.set_defaults(run=check)
    command.add_argument("files", nargs="+")
    command.add_argument("--tidegate", required=True, help="the binary")
    command.add_argument("--every", type=int, default=60, help="seconds of an interval")
    options = parser.parse_args()
    sys.exit(0 if options.run(options) else 1)


if __name__ == "__main__":
    main()
