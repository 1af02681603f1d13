"""Figures side by side: medians over rounds, and ratios to the bare loop of the same round. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles

from bench.uploads import Sample

_GIB = 1024**3
_LOOP = ["loop p50", "p99", "max ms"]


@dataclass
class Row:
    """What one way of sending came to. `size` is the bytes and `files` the files of one sample."""

    name: str
    size: int
    files: int
    samples: list[Sample] = field(default_factory=list)

    def each(self, figure: Figure) -> list[float]:
        return [figure(self, sample) for sample in self.samples]


Figure = Callable[[Row, Sample], float]


def speed(row: Row, sample: Sample) -> float:
    return row.size / sample.seconds / 1e6


def rate(row: Row, sample: Sample) -> float:
    return row.files / sample.seconds


def cpu_a_gib(row: Row, sample: Sample) -> float:
    return sample.cpu * _GIB / row.size


def cpu_a_file(row: Row, sample: Sample) -> float:
    return sample.cpu * 1000 / row.files


def large_table(title: str, rows: Sequence[Row]) -> str:
    head = [title, "MB/s", "/bare", "(worst best)", "CPU-s/GiB", "/bare", "peak MiB", "rise", *_LOOP]
    body = []
    for row in rows:
        memory = [f"{median(getattr(sample, what) for sample in row.samples):.1f}" for what in ("memory", "rise")]
        body.append([row.name, *compared(row, rows[0], speed, cpu_a_gib), *memory, *delays(row.samples)])
    return aligned([head, *body])


def small_table(title: str, rows: Sequence[Row]) -> str:
    head = [title, "files/s", "/bare", "(worst best)", "CPU-ms each", "/bare", *_LOOP]
    body = [[row.name, *compared(row, rows[0], rate, cpu_a_file), *delays(row.samples)] for row in rows]
    return aligned([head, *body])


def compared(row: Row, bare: Row, pace: Figure, cost: Figure) -> list[str]:
    paces = row.each(pace)
    span = f"({min(paces):.0f} {max(paces):.0f})"
    costs = [f"{median(row.each(cost)):.2f}", ratio(row, bare, cost)]
    return [f"{median(paces):.0f}", ratio(row, bare, pace), span, *costs]


def ratio(row: Row, bare: Row, figure: Figure) -> str:
    """The median of the rounds' own ratios: what the disk did to one it did to the other."""
    pairs = zip(row.each(figure), bare.each(figure), strict=True)
    return f"{median(mine / its if its else float('nan') for mine, its in pairs):.2f}"


def delays(samples: Sequence[Sample]) -> list[str]:
    """p50, p99 and the worst of each round, and of these the medians; dashes where there is no loop."""
    rounds = [summary(sample.delays) for sample in samples if sample.delays]
    if not rounds:
        return ["-"] * len(_LOOP)
    return [f"{median(each):.1f}" for each in zip(*rounds, strict=True)]


def summary(values: Sequence[float]) -> tuple[float, float, float]:
    """p50, p99, max."""
    cuts = quantiles(values, n=100, method="inclusive") if len(values) > 1 else list(values) * 99
    return cuts[49], cuts[98], max(values)


def aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rest = [[cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)] for line in lines]
    return "\n".join("  ".join([line[0].ljust(widths[0]), *cells]) for line, cells in zip(lines, rest, strict=True))
