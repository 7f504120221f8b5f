#!/usr/bin/env python3
"""Judges the simulated exchange by an exchange of its own, written from its page (engine/stages/docs/venue.md) alone.

The strategy `random` trades a day on the engine. The market is decoded here from the file itself, the engine's rows
`route` are the orders that were sent, and every answer must be equal: kind, order, price, quantity, fee and time.

    exchange_oracle.py check --tidegate target/release/tidegate FILE... [--every 3] [--seeds 1] [--set KEY=VALUE]...

FILE is an ITCH 5.0 BinaryFILE, a LOBSTER sample as it is downloaded, or a DBN file of MBO records. One line a file and
seed. Exit code: 0 equal, 1 not equal, 2 usage.
"""

import argparse
import collections
import datetime
import fractions
import itertools
import sys
import zoneinfo

import market_days
from rows import first_difference, replay, verdict

NANO = 10**9
NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
STAGES = "pipeline.stages=book,random,orders,risk,router"
ANSWERS = ("ack", "fill", "cancelled", "reject")
OTHER = {"buy": "sell", "sell": "buy"}
STILL = {"H", "P", "Q", "8", "9", "10", "12", "15"}
DEFAULTS = {
    "sim.latency": "constant",
    "sim.order_latency_ns": "50000",
    "sim.reply_latency_ns": "50000",
    "sim.service_ns": "1000",
    "sim.queue_model": "pro-rata-behind",
    "sim.queue_power": "3",
    "sim.taker_fee_per_share_nano": "3000000",
    "sim.max_own_orders": "16384",
}


def nano(text):
    return int(fractions.Fraction(text) * NANO)


def reaches(side, limit, px):
    """Whether an order on that side with that limit can trade at px; a market order has no limit."""
    return limit is None or (px <= limit if side == "buy" else px >= limit)


class Ours:
    """An order of ours."""

    def __init__(self, number, symbol, side, px, qty):
        self.number, self.symbol, self.side, self.px, self.qty = number, symbol, side, px, qty
        self.filled, self.expires, self.since = 0, None, 0
        # Who is ahead: the orders themselves, or how many shares. Of those, what is known to have traded.
        self.orders_ahead, self.shares_ahead, self.traded = set(), 0, 0

    @property
    def open(self):
        return self.qty - self.filled


class Book:
    """What the market displays of one instrument, our orders beside it, and what we had of it."""

    def __init__(self):
        self.shown = {"buy": {}, "sell": {}}
        self.had = collections.Counter()
        self.ours, self.still, self.closed = [], set(), False

    def doubtful(self):
        """Whether the market would hardly have filled us now."""
        bid, ask = self.shown["buy"], self.shown["sell"]
        return self.closed or bool(bid and ask and max(bid) >= min(ask))

    def total(self, side, px):
        return self.shown[side].get(px, 0)

    def change(self, side, px, by):
        left = self.total(side, px) + by
        if left > 0:
            self.shown[side][px] = left
        else:
            self.shown[side].pop(px, None)

    def best_first(self, side):
        return sorted(self.shown[side], reverse=side == "buy")

    def offered(self, side, px):
        return max(0, self.total(side, px) - self.had[side, px])

    def no_more_than(self, side, px, shown):
        """Of a level that shows so much, no more than that was had; what is over."""
        over = max(0, self.had[side, px] - shown)
        self.had[side, px] -= over
        return over

    def standing(self, side):
        """Our orders on that side, by price, then time."""
        return sorted(
            (o for o in self.ours if o.side == side), key=lambda o: (-o.px if side == "buy" else o.px, o.since)
        )

    def at(self, side, px):
        return [o for o in self.standing(side) if o.px == px]

    def waits(self, order):
        return self.ahead(order) - order.traded

    def passes(self, order, qty, known):
        """Shares ahead of an order leave; known: they may be those that have traded."""
        if known:
            order.traded = max(0, order.traded - qty)


class BookByOrder(Book):
    """Every order of the market is known, so who is ahead of ours is known by name."""

    def __init__(self, options):
        super().__init__()
        self.orders = {}

    def ahead(self, order):
        return sum(self.orders[ref][2] for ref in order.orders_ahead)

    def joins(self, order):
        order.orders_ahead = {ref for ref, (side, px, _) in self.orders.items() if (side, px) == (order.side, order.px)}
        order.traded = 0

    def clear(self):
        self.orders.clear()
        self.shown = {"buy": {}, "sell": {}}
        for order in self.ours:
            order.orders_ahead, order.traded = set(), 0

    def add(self, side, ref, px, qty, restated=False):
        if ref in self.orders or qty == 0 or side is None or px is None or px <= 0:
            return
        if restated:
            here = {r for r, (s, p, _) in self.orders.items() if (s, p) == (side, px)}
            for order in self.at(side, px):
                if here <= order.orders_ahead:
                    order.orders_ahead.add(ref)
        else:
            self.no_more_than(side, px, self.total(side, px))
        self.orders[ref] = [side, px, qty]
        self.change(side, px, qty)

    def leave(self, ref, qty):
        """Shares of an order leave its level; its side, price, what left, who of ours it was ahead of, what is over."""
        side, px, has = self.orders[ref]
        qty = min(qty, has)
        self.change(side, px, -qty)
        over = self.no_more_than(side, px, self.total(side, px))
        before = [o for o in self.at(side, px) if ref in o.orders_ahead]
        if qty == has:
            del self.orders[ref]
            for order in before:
                order.orders_ahead.discard(ref)
        else:
            self.orders[ref][2] -= qty
        for order in before:
            order.traded = min(max(0, order.traded - qty), self.ahead(order))
        return side, px, qty, before, over

    def cancel(self, ref, qty, *_):
        if ref in self.orders:
            self.leave(ref, qty)

    def delete(self, ref, *_):
        if ref in self.orders:
            self.leave(ref, self.orders[ref][2])

    def replace(self, ref, new, px, qty):
        if ref not in self.orders:
            return
        side, old_px, has = self.orders[ref]
        if new == ref and px == old_px and 0 < qty <= has:
            self.leave(ref, has - qty)
            return
        *_, over = self.leave(ref, has)
        if new in self.orders or qty == 0 or px is None or px <= 0:
            return
        self.no_more_than(side, px, self.total(side, px))
        self.orders[new] = [side, px, qty]
        self.change(side, px, qty)
        self.had[side, px] += min(over, qty)

    def execution(self, ref, qty, counts, *_):
        """An execution; gives the trade that may be ours: side, price, quantity, what reaches an order at the price."""
        if ref not in self.orders:
            return None
        side, px, qty, before, _ = self.leave(ref, qty)
        reaching = lambda order: 0 if order in before or self.waits(order) else qty
        return (side, px, qty, reaching) if counts else None


class BookByLevel(Book):
    """Only totals are known; what is cancelled is divided between ahead and behind by a model."""

    def __init__(self, options):
        super().__init__()
        self.power = float(options["sim.queue_power"]) if options["sim.queue_model"] == "power" else None

    def ahead(self, order):
        return order.shares_ahead

    def joins(self, order):
        order.shares_ahead, order.traded = self.total(order.side, order.px), 0

    def divided(self, gone, ahead, behind):
        """How many of the cancelled shares were ahead."""
        if ahead == 0 or gone == 0:
            return 0
        if self.power is None or behind == 0:
            part = gone * ahead // (ahead + behind)
        else:
            part = int(gone / (1 + (behind / ahead) ** self.power))
        return min(max(part, gone - behind, 0), gone, ahead)

    def moved(self, side, px, before, after, whole):
        for order in self.at(side, px):
            gone = max(0, before - after)
            traded = order.traded if whole else min(order.traded, gone)
            order.shares_ahead -= traded
            order.traded -= traded
            gone, here = max(0, gone - traded), max(0, before - traded)
            order.shares_ahead -= self.divided(gone, order.shares_ahead, max(0, here - order.shares_ahead))
            order.shares_ahead = min(order.shares_ahead, after)
            order.traded = min(order.traded, order.shares_ahead)

    def level(self, side, px, qty, restated=False):
        before = self.total(side, px)
        self.change(side, px, qty - before)
        if not restated:
            self.no_more_than(side, px, min(before, qty))
        elif qty > 0:
            self.no_more_than(side, px, qty)
        if restated and before == 0:
            for order in self.at(side, px):
                order.shares_ahead, order.traded = qty, 0
        else:
            self.moved(side, px, before, qty, True)

    def add(self, side, _ref, px, qty, restated=False):
        self.no_more_than(side, px, self.total(side, px))
        self.change(side, px, qty)

    def cancel(self, _ref, qty, side, px):
        before = self.total(side, px)
        self.change(side, px, -qty)
        self.no_more_than(side, px, self.total(side, px))
        self.moved(side, px, before, self.total(side, px), False)

    def delete(self, ref, qty, side, px):
        self.cancel(ref, qty, side, px)

    def execution(self, _ref, qty, counts, side, px):
        self.change(side, px, -qty)
        after = self.total(side, px)
        self.no_more_than(side, px, after)
        reached = {}
        for order in self.at(side, px):
            reached[order.number] = max(0, qty - self.waits(order))
            order.shares_ahead = min(max(0, order.shares_ahead - qty), after)
            order.traded = min(order.traded, order.shares_ahead)
        return (side, px, qty, lambda order: reached[order.number]) if counts else None


class Exchange:
    """All books, our orders in them, and the session that carries messages there and answers back."""

    def __init__(self, options, kind):
        self.options, self.kind = options, kind
        self.books, self.live, self.done = {}, {}, collections.OrderedDict()
        self.answers, self.now, self.places = [], 0, {}
        self.acks = self.matches = self.entered = 0
        self.there = self.back = self.gateway = 0
        self.room = int(options["sim.max_own_orders"])

    def number(self, name):
        return int(self.options["sim." + name])

    # --- The session ---

    def arrival(self, sent):
        if self.options["sim.latency"] == "rate":
            self.gateway = max(self.gateway, sent) + self.number("service_ns")
            sent = self.gateway
        self.there = max(self.there, sent + self.number("order_latency_ns"))
        return self.there

    def answer(self, kind, *what):
        self.back = max(self.back, self.now + self.number("reply_latency_ns"))
        self.answers.append((kind, self.back, *what))

    def ack(self, order, replaces):
        self.acks += 1
        self.answer("ack", order.number, self.acks, replaces)

    def fill(self, order, px, qty, liquidity):
        self.matches += 1
        order.filled += qty
        fee = qty * self.number("taker_fee_per_share_nano") if liquidity == "removed" else 0
        doubtful = self.books[order.symbol].doubtful()
        self.answer("fill", order.number, order.side, px, qty, liquidity, fee, self.matches, doubtful)

    def cancelled(self, order, reason):
        self.answer("cancelled", order.number, order.open, reason)

    def remember(self, number):
        self.done[number] = True
        if len(self.done) > self.room:
            self.done.popitem(last=False)

    def end(self, order):
        self.books[order.symbol].ours.remove(order)
        del self.live[order.number]
        self.remember(order.number)

    # --- The market ---

    def market(self, ts, symbol, what, terms, closes):
        self.now = max(self.now, ts)
        if symbol is None:
            for book in self.books.values():
                getattr(self, what)(book, *terms)
            # The day orders that ended come back at once, by the order in which their instruments were listed.
            for symbol in sorted(self.books, key=lambda symbol: self.places.get(symbol, 0)):
                self.expire(self.books[symbol])
            return
        if what == "listed":
            self.places.setdefault(symbol, len(self.places))
            return
        book = self.books.setdefault(symbol, self.kind(self.options))
        self.expire(book)
        if what == "execution":
            if trade := book.execution(*terms):
                self.trade(book, *trade)
        elif what == "print":
            self.printed(book, *terms)
        elif what == "status":
            self.status(book, *terms)
        else:
            getattr(book, what)(*terms)
        if closes:
            self.crossed(book)

    def clear(self, book):
        book.clear()

    def session(self, book, code):
        book.closed = code == "M" or (book.closed and code not in "OSQ")
        for order in book.ours:
            if book.closed and order.expires is not None:
                order.expires = min(order.expires, self.now)

    def status(self, book, what, code):
        still = code in STILL if what == "trading" else code == "H"
        (book.still.add if still else book.still.discard)(what)

    def trade(self, book, side, px, qty, reaching, used=0):
        """A trade against a side fills ours there: better prices first; at the price, what reaches them."""
        for order in book.standing(side):
            if not reaches(side, order.px, px):
                break
            comes = reaching(order) if order.px == px else qty
            fill = min(max(0, comes - used), order.open)
            if fill:
                used += fill
                self.added(order, fill)
        return used

    def added(self, order, qty):
        self.fill(order, order.px, qty, "added")
        if order.open == 0:
            self.end(order)

    def printed(self, book, aggressor, px, qty, hidden):
        used = 0
        for side in ("buy", "sell"):
            had = 0 if hidden or aggressor else book.had[OTHER[side], px]
            if aggressor == side and not hidden:
                continue

            def reaching(order):
                waits = book.waits(order)
                if hidden:
                    return qty if aggressor != side and waits == 0 else 0
                order.traded += min(waits, qty)
                return max(0, qty - waits)

            used = self.trade(book, side, px, qty, reaching, used + had) - had

    def crossed(self, book):
        if book.still:
            return
        for side in ("buy", "sell"):
            for order in book.standing(side):
                qty = sum(q for _, q in self.take(book, order))
                if qty:
                    self.added(order, qty)

    def take(self, book, order):
        """Takes what the other side offers up to the order's limit."""
        other, left, taken = OTHER[order.side], order.open, []
        for px in book.best_first(other):
            if left == 0 or not reaches(order.side, order.px, px):
                break
            qty = min(left, book.offered(other, px))
            if qty:
                book.had[other, px] += qty
                left -= qty
                taken.append((px, qty))
        return taken

    def expire(self, book):
        for order in itertools.chain(book.standing("buy"), book.standing("sell")):
            if order.expires is not None and order.expires <= self.now:
                self.cancelled(order, "end-of-day")
                self.end(order)

    # --- Our messages ---

    def route(self, now, row):
        self.now = max(self.now, now)
        px = None if row["px"] is None else nano(row["px"])
        side = None if row["side"] == "none" else row["side"]
        order = Ours(row["order_id"], row["symbol"], side, px, row["qty"])
        {"new": self.enter, "cancel": self.cancel, "replace": self.replace, "cancel-all": self.cancel_all}[
            row["action"]
        ](order, row)

    def refusal(self, order, row):
        book = self.books.get(order.symbol)
        limit, rests = row["type"] == "limit", row["type"] == "limit" and row["tif"] in ("day", "gtc")
        if not order.number or not order.qty or order.side is None or row["type"] not in ("limit", "market"):
            return "bad-terms"
        if order.number in self.live or order.number in self.done:
            return "duplicate-id"
        if book is None:
            return "no-market"
        if limit and (order.px is None or order.px <= 0):
            return "bad-terms"
        if book.still:
            return "halted"
        if row["tif"] == "day" and book.closed:
            return "closed"
        if not limit and not book.shown[OTHER[order.side]]:
            return "no-market"
        if rests and len(self.live) >= self.room:
            return "too-many-orders"
        return None

    def enter(self, order, row):
        if reason := self.refusal(order, row):
            return self.answer("reject", order.number, reason, "new")
        book = self.books[order.symbol]
        self.expire(book)
        if row["type"] == "market":
            order.px = None
        self.ack(order, 0)
        other, tif = OTHER[order.side], row["tif"]
        there = sum(book.offered(other, px) for px in book.shown[other] if reaches(order.side, order.px, px))
        if tif != "fok" or there >= order.qty:
            self.walk(book, order)
        if tif in ("day", "gtc") and order.px is not None:
            order.expires = self.midnight() if tif == "day" else None
            return self.rest(book, order)
        if order.open:
            market = "no-liquidity" if row["type"] == "market" else "ioc"
            self.cancelled(order, "fok" if tif == "fok" else market)
        return self.remember(order.number)

    def walk(self, book, order):
        for px, qty in self.take(book, order):
            self.fill(order, px, qty, "removed")

    def rest(self, book, order):
        if order.open == 0:
            return self.remember(order.number)
        self.entered += 1
        order.since = self.entered
        book.joins(order)
        book.ours.append(order)
        self.live[order.number] = order

    def midnight(self):
        day = datetime.datetime.fromtimestamp(self.now // NANO, NEW_YORK).date() + datetime.timedelta(days=1)
        return int(datetime.datetime.combine(day, datetime.time(), NEW_YORK).timestamp()) * NANO

    def found(self, number):
        """The resting order of that number, or why there is none."""
        if number in self.live:
            self.expire(self.books[self.live[number].symbol])
        if number in self.live:
            return self.live[number], None
        return None, "too-late" if number in self.done else "unknown-order"

    def cancel(self, asked, _row):
        order, reason = self.found(asked.number)
        if reason:
            return self.answer("reject", asked.number, reason, "cancel")
        self.cancelled(order, "requested")
        return self.end(order)

    def cancel_all(self, asked, _row):
        for order in sorted(self.live.values(), key=lambda o: o.since):
            self.cancelled(order, "mass-cancel")
            self.end(order)

    def replace(self, asked, row):
        refuse = lambda reason: self.answer("reject", asked.number, reason, "replace")
        order, reason = self.found(row["replaces"])
        if reason:
            return refuse(reason)
        if not asked.number or not asked.qty or asked.px is None or asked.px <= 0:
            return refuse("bad-terms")
        if asked.number in self.live or asked.number in self.done:
            return refuse("duplicate-id")
        if asked.qty <= order.filled:
            return refuse("too-late")
        book = self.books[order.symbol]
        if book.still:
            return refuse("halted")
        self.ack(asked, row["replaces"])
        if asked.px == order.px and asked.qty <= order.qty:
            del self.live[order.number]
            self.remember(order.number)
            order.number, order.qty = asked.number, asked.qty
            self.live[order.number] = order
            return None
        self.end(order)
        asked.symbol, asked.side, asked.filled, asked.expires = order.symbol, order.side, order.filled, order.expires
        self.walk(book, asked)
        return self.rest(book, asked)


def expected(options, day, routes):
    """Every answer, from the market's day and the orders that were sent."""
    exchange = Exchange(options, {"order": BookByOrder, "level": BookByLevel}[day.book])
    arrivals = collections.deque((exchange.arrival(row["ts_ns"]), row) for row in routes)
    for ts, *event in day.events():
        # What arrives together with a market input comes first.
        while arrivals and arrivals[0][0] <= ts:
            exchange.route(*arrivals.popleft())
        exchange.market(ts, *event)
    for arrival in arrivals:
        exchange.route(*arrival)
    return exchange.answers


def answer_of(row):
    kind, ts, number = row["kind"], row["ts_ns"], row["order_id"]
    if kind == "ack":
        return kind, ts, number, row["venue_order"], row["replaces"]
    if kind == "fill":
        terms = row["side"], nano(row["px"]), row["qty"], row["liquidity"], nano(row["fee"]), row["match_id"]
        return kind, ts, number, *terms, row["doubtful"]
    if kind == "cancelled":
        return kind, ts, number, row["qty"], row["reason"]
    return kind, ts, number, row["reason"], row["action"]


def compare(options, path, seed):
    settings = dict(DEFAULTS)
    settings.update(one.split("=", 1) for one in options.set)
    day = market_days.day_of(path)
    more = [STAGES, "outcomes.kinds=all", f"random.every={options.every}", f"random.seed={seed}", *options.set]
    more = [word for one in more + day.settings for word in ("--set", one)]
    inputs, emit = [*day.beside, path], ",".join(("route", *ANSWERS))
    rows = list(replay(options.tidegate, day.feed, inputs, emit, "jsonl", *day.options, *more))
    routes = [row for row in rows if row["kind"] == "route"]
    found = [answer_of(row) for row in rows if row["kind"] in ANSWERS]
    answers = expected(settings, day, routes)
    kinds = collections.Counter(answer[0] for answer in found)
    fills = [answer for answer in found if answer[0] == "fill"]
    kinds.update(answer[6] for answer in fills)
    kinds["doubtful"] = sum(answer[9] for answer in fills)
    name = f"{path.rpartition('/')[2]} seed {seed}, {len(routes):,} messages of ours, {dict(kinds)}"
    return verdict(name, *first_difference(answers, found)) and kinds["added"] > 0 and kinds["removed"] > 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("check")
    command.add_argument("--tidegate", required=True, help="the binary")
    command.add_argument("--every", type=int, default=3)
    command.add_argument("--seeds", type=int, default=1)
    command.add_argument("--set", action="append", default=[], help="a parameter of the simulated exchange")
    command.add_argument("files", nargs="+")
    options = parser.parse_args()
    compared = [compare(options, path, seed) for path in options.files for seed in range(1, options.seeds + 1)]
    sys.exit(0 if all(compared) else 1)


if __name__ == "__main__":
    main()
