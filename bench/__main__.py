"""`python -m bench`: the station beside a bare loop from socket to the same disk, and many watchers told of one event.

Medians of several rounds are printed. docs/benchmarks.md tells how to read them.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.contest import MIB, Contest, Terms, contests, source
from bench.table import summary
from bench.watchers import Telling, tell
from station.options import size as bytes_of


def options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one small round: shows that it works, measures nothing")
    parser.add_argument("--rounds", type=int, help="how many rounds (3)")
    parser.add_argument("--size", type=bytes_of, help="of the large file; 8 of a quarter of it go at once (1GiB)")
    parser.add_argument("--files", type=int, help="how many small files, at most 1000 (500)")
    parser.add_argument("--watchers", type=int, help="how many WebSockets are told of one event (1000)")
    parser.add_argument("--disk", type=Path, default=Path("/var/tmp"), help="a folder on the disk to measure on")
    parser.add_argument("--option", action="append", default=[], help="an option for the station; may be repeated")
    given = parser.parse_args(arguments)
    usual = {"rounds": 3, "size": 1024 * MIB, "files": 500, "watchers": 1000}
    quick = {"rounds": 1, "size": 64 * MIB, "files": 50, "watchers": 100}
    for name, value in (quick if given.quick else usual).items():
        if getattr(given, name) is None:
            setattr(given, name, value)
    return given


def main(arguments: Sequence[str] | None = None) -> None:
    if sys.platform != "linux":
        sys.exit("The bench needs Linux: what a process has used is read from /proc.")
    given = options(sys.argv[1:] if arguments is None else arguments)
    terms = Terms(given.disk, given.size, given.files, given.option)
    begin = time.monotonic()
    with source(given.size) as file:
        played = contests(terms, file)
        for turn in range(given.rounds):
            note(f"round {turn + 1} of {given.rounds} ...")
            for contest in played:
                contest.take_turns(turn)
    note("watchers ...")
    with terms.station() as station:
        telling = tell(station, given.watchers, 2 if given.quick else 20)
    report(given, played, telling, time.monotonic() - begin)


def report(given: argparse.Namespace, played: list[Contest], telling: Telling, took: float) -> None:
    versions = f"Linux {platform.release()}, Python {platform.python_version()}"
    print(f"{os.cpu_count()} processors, {platform.machine()}, {versions}")
    print(
        f"{given.disk}, medians of {given.rounds}, load {os.getloadavg()[0]:.1f} at the end, {took:.0f} s", end="\n\n"
    )
    for contest in played:
        print(contest.table(), end="\n\n")
    samples = [sample for contest in played for row in contest.rows for sample in row.samples]
    rest = [summary(sample.rest) for sample in samples if sample.rest]
    p50, p99, worst = (median(each) for each in zip(*rest, strict=True))
    print(f"loop at rest: p50 {p50:.1f}, p99 {p99:.1f}, max {worst:.1f} ms", end="\n\n")
    print(
        f"one event told to {telling.watchers} WebSockets: first {telling.first:.1f}, p50 {telling.middle:.1f}, "
        f"last {telling.last:.1f} ms after the request, {telling.cpu:.0f} CPU-ms"
    )


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
