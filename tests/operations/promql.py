"""The names in a PromQL expression: its metrics, each with the labels it is asked for, and what is grouped by."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_RANGE = re.compile(r"\[[^\]]*\]")
_METRIC = re.compile(r"(?<![\w:.])([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?(\s*\()?")
_LABEL = re.compile(r"([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)")
_WORDS = {"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "group_left", "group_right"}


@dataclass
class Names:
    """`metrics`: each with the labels in its braces. `grouped`: labels that results are grouped by."""

    metrics: dict[str, set[str]] = field(default_factory=dict)
    grouped: set[str] = field(default_factory=set)


def names_in(expression: str) -> Names:
    found = Names()
    bare = _RANGE.sub("", _STRING.sub("''", expression))
    for match in _GROUPING.finditer(bare):
        found.grouped |= {word.strip() for word in match[1].split(",") if word.strip()}
    for name, braces, call in _METRIC.findall(_GROUPING.sub("", bare)):
        if not call and name not in _WORDS:
            found.metrics.setdefault(name, set()).update(_LABEL.findall(braces))
    return found
