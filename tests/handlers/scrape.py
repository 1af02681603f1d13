"""What a collector reads from `/metrics`, by the client library's own parsers: all values, by name and labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from prometheus_client import Metric
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from tests.handlers.site import Box

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@dataclass
class Scrape:
    """`types`: of each metric; `labels`: that each sample's name bears."""

    text: str
    types: dict[str, str] = field(default_factory=dict)
    help: dict[str, str] = field(default_factory=dict)
    labels: dict[str, set[str]] = field(default_factory=dict)
    values: dict[tuple[str, frozenset[tuple[str, str]]], float] = field(default_factory=dict)

    def __call__(self, name: str, **labels: str) -> float:
        return self.values[name, frozenset(labels.items())]

    def sum(self, name: str, **labels: str) -> float:
        """Over all series of this name that bear at least these labels."""
        return sum(
            value for (each, borne), value in self.values.items() if each == name and labels.items() <= set(borne)
        )


def families(text: str, kind: str) -> Iterator[Metric]:
    parse = openmetrics.text_string_to_metric_families if "openmetrics" in kind else text_string_to_metric_families
    yield from parse(text)


def read(text: str, kind: str = "text/plain") -> Scrape:
    found = Scrape(text)
    for family in families(text, kind):
        found.types[family.name], found.help[family.name] = family.type, family.documentation
        for sample in family.samples:
            found.labels.setdefault(sample.name, set()).update(sample.labels)
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found.values, f"told twice: {key}"
            found.values[key] = sample.value
    return found


async def scrape(box: Box, accept: str = "") -> Scrape:
    box.clock.ahead += 1.0  # what was told less than a second ago would be told again
    answer = await box.get("/metrics", {"Accept": accept})
    assert answer.status == 200, answer.body
    return read(answer.body.decode(), answer.headers["Content-Type"])
