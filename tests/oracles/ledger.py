"""A ledger of positions and money, kept from the fills alone. Nothing here knows a run."""

import fractions

NANO = 10**9


def nano(text):
    """A decimal as an exact integer of 1e-9."""
    value = fractions.Fraction(text) * NANO
    if value.denominator != 1:
        raise ValueError(f"{text} is finer than 1e-9")
    return value.numerator


def half_even(numerator, denominator):
    """The quotient, rounded half to even: as Python rounds fractions."""
    return round(fractions.Fraction(numerator, denominator))


class Lots:
    """Every fill of one account, strategy and symbol, so that one can be struck out."""

    def __init__(self):
        self.fills, self.given_back = [], 0

    def fill(self, row):
        sign = {"buy": 1, "sell": -1}[row["side"]]
        self.fills.append([row, sign * row["qty"], nano(row["px"]), nano(row["fee"]), True])

    def bust(self, row):
        """Strikes the latest fill of that name out; the fault, if there is none such that stands."""
        name = row["order_id"], row["match_id"]
        for lot in reversed(self.fills):
            if (lot[0]["order_id"], lot[0]["match_id"]) == name:
                same = all(lot[0][key] == row[key] for key in ("px", "qty", "side", "symbol"))
                if not lot[4] or not same:
                    return f"seq {row['seq']}: a bust of a fill that does not stand or is another: {name}"
                lot[4] = False
                self.given_back += nano(row["fee"])
                return None
        return f"seq {row['seq']}: a bust of {name}, which no fill is"

    def row(self):
        """What a `position` row tells, counted out from the first fill."""
        holding = Holding()
        for _, signed, px, fee, stands in self.fills:
            if stands:
                holding.fill(signed, px, fee)
            else:
                holding.fees += fee
        holding.fees -= self.given_back
        return holding.row()


class Holding:
    """One account, strategy and symbol: quantities are whole shares, money is in 1e-9."""

    def __init__(self):
        self.qty = self.cost = self.realised = self.cash = self.fees = 0

    def fill(self, signed, px, fee):
        self.cash -= signed * px + fee
        self.fees += fee
        closing = 0 if self.qty * signed >= 0 else min(abs(signed), abs(self.qty))
        if closing:
            direction = 1 if self.qty > 0 else -1
            share = half_even(self.cost * closing, abs(self.qty))
            self.realised += direction * closing * px - share
            self.cost -= share
            self.qty -= direction * closing
            signed += direction * closing
        self.qty += signed
        self.cost += signed * px

    def row(self):
        """What a `position` row tells: quantity, average price, realised profit, fees."""
        average = half_even(self.cost, self.qty) if self.qty else None
        return self.qty, average, self.realised, self.fees

    def balances(self):
        return self.cash == self.realised - self.cost - self.fees


def told(row):
    """The same out of a row."""
    average = None if row["avg_px"] is None else nano(row["avg_px"])
    return int(row["qty"]), average, nano(row["realised"]), nano(row["fees"])
