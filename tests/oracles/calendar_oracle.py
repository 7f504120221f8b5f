"""The calendars of the build against those of other people: every date from 2000 on.

    calendar_oracle.py check --calendar target/release/calendar

Dates, opens and closes of New York and London come from exchange_calendars, their pre- and post-market from
pandas_market_calendars; the dates of CME from exchange_calendars (CMES), its hours from pandas_market_calendars
(CME_Equity). Where the two know different things, or one of them is known to be wrong, the difference stands in DIFFERENT
with its reason; one that is not there, or that has gone, fails.
"""

import argparse
import subprocess
import sys

import exchange_calendars
import pandas
import pandas_market_calendars

FIRST, LAST = "2000-01-01", "2027-12-31"
# The libraries know CME's calendar of today, and some of its past; before this date neither agrees with the other.
CME_FIRST = "2010-01-01"

PAYROLLS = "traded until 08:15, since the monthly report on employment came on Good Friday; exchange_calendars has a closure"
NO_PAYROLLS = "closed: the report on employment came another week; pandas_market_calendars has it on every such Friday"
SILENCE = "opened minutes or hours late on the floor of New York, for silence; other markets did not"
# (oracle, date): why we differ from it there.
DIFFERENT = {
    **{("CMES", date): PAYROLLS for date in
       ("2010-04-02", "2012-04-06", "2015-04-03", "2021-04-02", "2023-04-07", "2026-04-03")},
    **{("CME_Equity", date): NO_PAYROLLS for date in ("2024-03-29", "2025-04-18", "2027-03-26")},
    **{("NYSE", date): SILENCE for date in
       ("2001-09-17", "2001-10-08", "2002-09-11", "2003-03-20", "2004-06-07", "2006-12-27")},
    ("NYSE", "2005-06-01"): "a systems failure ended floor trading at 15:56; the close stayed at 16:00",
}  # fmt: skip


def ours(binary):
    days = {}
    for line in subprocess.run([binary], check=True, capture_output=True, text=True).stdout.splitlines():
        calendar, date, *times = line.split(",")
        days.setdefault(calendar, {})[date] = [int(time) for time in times]
    return days


def within(days, first):
    return {date: times for date, times in days.items() if first <= date <= LAST}


def ns(time):
    return time.as_unit("ns").value


def of_exchange_calendars(code, first=FIRST):
    schedule = exchange_calendars.get_calendar(code, start=first, end=LAST).schedule
    return {str(date.date()): [ns(row.open), ns(row.close)] for date, row in schedule.iterrows()}


def of_market_calendars(name, columns, first=FIRST):
    schedule = pandas_market_calendars.get_calendar(name).schedule(first, LAST, market_times="all")
    return {str(date.date()): [ns(row[column]) for column in columns] for date, row in schedule.iterrows()}


def compare(oracle, expected, found):
    """Prints the dates on which an oracle differs without a reason, and reasons without a difference."""
    dates = sorted(expected.keys() | found.keys())
    differ = [date for date in dates if expected.get(date) != found.get(date)]
    reasons = {date for name, date in DIFFERENT if name == oracle}
    for date in differ:
        if date not in reasons:
            shown = [[str(pandas.Timestamp(t, tz="UTC")) for t in side.get(date, [])] for side in (expected, found)]
            print(f"{oracle} {date}: {shown[0]}, we have {shown[1]}")
    gone = sorted(reasons - set(differ))
    for date in gone:
        print(f"{oracle} {date}: no difference any more, but a reason for one")
    unexplained = [date for date in differ if date not in reasons]
    print(f"{oracle}: {len(expected):,} sessions, {len(differ)} different, {len(unexplained)} without a reason")
    return not unexplained and not gone and len(expected) > 1_000


def check(binary):
    days = ours(binary)
    us, london, cme = within(days["XNYS"], FIRST), within(days["XLON"], FIRST), within(days["GLBX"], CME_FIRST)
    regular = lambda days: {date: times[1:3] for date, times in days.items()}
    dates = lambda days: {date: [] for date in days}
    hours = ["pre", "market_open", "market_close", "post"]
    return all(
        [
            compare("XNYS", of_exchange_calendars("XNYS"), regular(us)),
            compare("XLON", of_exchange_calendars("XLON"), regular(london)),
            compare("CMES", dates(of_exchange_calendars("CMES", CME_FIRST)), dates(cme)),
            compare("NYSE", of_market_calendars("NYSE", hours), us),
            compare("CME_Equity", of_market_calendars("CME_Equity", hours[1:3], CME_FIRST), regular(cme)),
        ]
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("check")
    command.add_argument("--calendar", required=True, help="the binary that prints the calendars")
    options = parser.parse_args()
    sys.exit(0 if check(options.calendar) else 1)


if __name__ == "__main__":
    main()
