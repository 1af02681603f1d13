"""Bars on a terminal: one for each file that is being sent, and one for all, as far as the station has stored them."""

from __future__ import annotations

from typing import Any, TextIO

from tqdm import tqdm

from client.shown import fitted, printable

_NAME = 24  # cells
_FORMAT = "{desc} {percentage:3.0f}% |{bar}| {n_fmt}/{total_fmt} {rate_fmt} {remaining}"


class _Bar(tqdm):  # type: ignore[type-arg]
    monitor_interval = 0  # no thread


class Bars:
    def __init__(self, stream: TextIO, caption: str, total: int) -> None:
        """`total`: bytes of all files."""
        self._stream = stream
        self._files: dict[str, _Bar] = {}
        self._stored: dict[str, int] = {}
        self._all = self._bar(caption, total) if total else None

    def begin(self, key: str, name: str, size: int) -> None:
        if size and key not in self._files:
            self._files[key] = self._bar(name, size)

    def show(self, key: str, stored: int) -> None:
        """So many bytes of it are stored; fewer than before, if it began anew."""
        self._stored[key] = stored
        if key in self._files:
            _set(self._files[key], stored)
        if self._all is not None:
            _set(self._all, sum(self._stored.values()))

    def end(self, key: str) -> None:
        if (bar := self._files.pop(key, None)) is not None:
            bar.close()

    def write(self, line: str, stream: TextIO) -> None:
        """A line above the bars."""
        tqdm.write(line, file=stream)
        stream.flush()

    def close(self) -> None:
        for key in tuple(self._files):
            self.end(key)
        if self._all is not None:
            self._all.close()

    def _bar(self, name: str, total: int) -> _Bar:
        options: dict[str, Any] = {"unit": "B", "unit_scale": True, "unit_divisor": 1024, "bar_format": _FORMAT}
        caption = fitted(printable(name), _NAME)
        return _Bar(total=total, desc=caption, file=self._stream, leave=False, dynamic_ncols=True, **options)


def _set(bar: _Bar, stored: int) -> None:
    stored = min(stored, int(bar.total or 0))
    if stored >= bar.n:
        bar.update(stored - bar.n)
    else:
        bar.reset()
        bar.update(stored)
