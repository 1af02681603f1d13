"""How the machine is: its memory and processor, and what of them is ours. psutil lives only here."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

import psutil

MEAN_OF = 6  # readings: at one each ten seconds, the last minute


@dataclass(frozen=True, slots=True)
class Reading:
    """Shares in percent, `own_cpu` of one processor core; `own_memory` in bytes. None: the system does not tell."""

    memory: float | None = None
    cpu: float | None = None
    own_memory: int | None = None
    own_cpu: float | None = None


class Vitals:
    """`read` now and then; what it tells of processors is about the time since the last reading."""

    def __init__(self) -> None:
        self._process: psutil.Process | None = None
        self._busy: tuple[float, float] | None = None
        self._readings: deque[Reading] = deque(maxlen=MEAN_OF)
        self.latest = Reading()
        self._read()  # a first look at the processor tells nothing: there is no time before it

    def read(self) -> Reading:
        self.latest = self._read()
        self._readings.append(self.latest)
        return self.latest

    @property
    def memory(self) -> tuple[float | None, int]:
        """Percent of the machine's memory in use, the mean of the last minute, and of how many readings."""
        return _mean(reading.memory for reading in self._readings)

    @property
    def cpu(self) -> tuple[float | None, int]:
        """The same of its processors."""
        return _mean(reading.cpu for reading in self._readings)

    def _read(self) -> Reading:
        try:
            if self._process is None:
                self._process = psutil.Process()
            with self._process.oneshot():
                own_memory, own_cpu = self._process.memory_info().rss, self._process.cpu_percent(None)
            return Reading(psutil.virtual_memory().percent, self._cpu(), own_memory, own_cpu)
        except (psutil.Error, OSError, RuntimeError):  # a /proc that is hidden, or is none
            return Reading()

    def _cpu(self) -> float | None:
        # Not psutil.cpu_percent: it measures from its last caller, whoever that was.
        times = psutil.cpu_times()
        guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # counted as user time already
        whole = sum(times) - guests
        busy = whole - times.idle - getattr(times, "iowait", 0.0)
        before, self._busy = self._busy, (busy, whole)
        if before is None or whole <= before[1]:
            return None
        return min(100.0, max(0.0, 100 * (busy - before[0]) / (whole - before[1])))


def _mean(values: Iterable[float | None]) -> tuple[float | None, int]:
    known = [value for value in values if value is not None]
    return (fmean(known) if known else None), len(known)
