"""Rows of the engine, and the verdict on them.

`replay` runs the binary and gives its rows one by one; `first_difference` compares two sequences without holding
either. Nothing here knows a feed.
"""

import csv
import itertools
import json
import subprocess
import sys
import tempfile

MISSING = object()
# Integers that JSON rows hold as text, since doubles would change them; so are times, which end in `_ns`.
LONG = {"order_id", "new_id", "replaces", "order_ref", "new_ref", "match_id", "cause", "venue_order", "handle"}


def parse(line):
    """A row from its line of JSON, every integer as one."""
    row = json.loads(line)
    for name, value in row.items():
        if isinstance(value, str) and (name in LONG or name.endswith("_ns")):
            row[name] = int(value)
    return row


def replay(binary, feed, inputs, emit, form, *more):
    """Rows of `tidegate replay` as dictionaries: texts from CSV, JSON values from JSON lines."""
    command = [binary, "replay", "--feed", feed]
    for path in inputs:
        command += ["--input", str(path)]
    command += ["--emit", emit, "--format", form, *more]
    # Its messages go to a file, so that neither of two pipes can wait for the other.
    with (
        tempfile.TemporaryFile("w+") as messages,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=messages, text=True) as run,
    ):
        if form == "csv":
            yield from csv.DictReader(run.stdout)
        else:
            yield from map(parse, run.stdout)
        if run.wait() != 0:
            messages.seek(0)
            sys.exit(f"{' '.join(command)}: exit code {run.returncode}\n{messages.read()}")


def first_difference(expected, found):
    """How many are equal from the start, and the first pair that differs, or None."""
    equal = 0
    for want, have in itertools.zip_longest(expected, found, fillvalue=MISSING):
        if want != have:
            show = lambda item: "nothing more" if item is MISSING else repr(item)
            return equal, (show(want), show(have))
        equal += 1
    return equal, None


def verdict(name, equal, difference):
    """Prints one line; whether they were equal and there was something to compare."""
    if difference:
        print(f"FAILED {name}: {equal:,} equal, then expected {difference[0]}, found {difference[1]}")
        return False
    if equal == 0:
        print(f"FAILED {name}: there was nothing to compare")
        return False
    print(f"ok {name}: {equal:,} equal")
    return True
