"""A page of the docs, taken apart: its blocks of code, its links, its headings."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+(?:\([^()]*\))?)\)")
_SPAN = re.compile(r"`[^`\n]+`")


def blocks(text: str) -> list[tuple[str, str]]:
    """Language and code of each block."""
    return _BLOCK.findall(text)


def prose(text: str) -> str:
    """All but the blocks."""
    return _BLOCK.sub("", text)


def links(text: str) -> list[str]:
    return _LINK.findall(_SPAN.sub("`x`", prose(text)))


def spans(text: str) -> list[str]:
    """What is set as code within the sentences."""
    return [span.strip("`") for span in _SPAN.findall(prose(text))]


def anchors(text: str) -> set[str]:
    """Where links may lead within a page, as GitHub makes them from headings."""
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} +(.+?)\s*$", prose(text), re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        number = 0
        while (name := slug if number == 0 else f"{slug}-{number}") in found:
            number += 1
        found.add(name)
    return found
