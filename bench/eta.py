"""How far the station's forecast of the remaining time is off, beside the linear model, on simulated networks.

`python -m bench.eta` prints for each network the mean of |predicted - true| / true, asked every second.
"""

from __future__ import annotations

from statistics import fmean

from station.progress import Forecast
from tests.station.eta_profiles import CHANGING, STEADY, Linear, Profile, Quality, average

SEEDS = range(1000, 1012)
DURATIONS = (15.0, 60.0, 200.0, 600.0)


def row(name: str, linear: Quality, ours: Quality) -> str:
    errors = f"{linear.error:9.1%} {ours.error:9.1%} {ours.error - linear.error:+9.1%}"
    return f"{name:16} {errors}    {linear.jump:7.1%} {ours.jump:7.1%}"


def mean(qualities: list[Quality]) -> Quality:
    return Quality(fmean(q.error for q in qualities), fmean(q.jump for q in qualities))


def table(name: str, profiles: tuple[Profile, ...]) -> None:
    linear = [average(Linear, profile, SEEDS, DURATIONS) for profile in profiles]
    ours = [average(Forecast, profile, SEEDS, DURATIONS) for profile in profiles]
    for profile, theirs, own in zip(profiles, linear, ours, strict=True):
        print(row(profile.__name__, theirs, own))
    print(row(f"all {name}", mean(linear), mean(ours)), end="\n\n")


def main() -> None:
    print(f"{len(SEEDS)} uploads each of {', '.join(f'{d:.0f}' for d in DURATIONS)} s")
    print(f"{'':16} {'mean error':^29}    {'jump a second':^15}")
    print(f"{'':16} {'linear':>9} {'ours':>9} {'':9}    {'linear':>7} {'ours':>7}")
    table("steady", STEADY)
    table("changing", CHANGING)


if __name__ == "__main__":
    main()
