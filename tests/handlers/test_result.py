"""What the page after a plain form says, against the error table and what the page with JavaScript says."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.result import shown_error, shown_file, shown_size

STORED: dict[str, Any] = {"status": "completed", "uploadedBytes": 1536}
REFUSED: dict[str, Any] = {
    "status": "failed",
    "uploadedBytes": 0,
    "error": {"code": "UNSUPPORTED_FORMAT", "message": "不支持这种文件格式"},
}


# The same as in tests/js/format.test.mjs.
@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "0.98 KB"), (1536, "1.5 KB"), (10 * 1024**2, "10 MB"), (5 * 1024**3, "5 GB")],
)
def test_a_size_is_short(count: int, text: str) -> None:
    assert shown_size(count) == text.replace(" ", "\N{NO-BREAK SPACE}")


def test_a_failure_is_told_in_the_visitors_language_with_advice() -> None:
    assert shown_file(REFUSED, "en", "")["why"] == (
        "This kind of file is not accepted.",
        "Convert it to an accepted format.",
    )
    assert shown_file(REFUSED, "zh-CN", "")["why"][0] == "不支持这种文件格式"
    assert shown_file(STORED, "en", "")["why"] is None


def test_an_error_stands_once() -> None:
    refused, full = {"code": "UNSUPPORTED_FORMAT"}, {"code": "TOO_MANY_FILES"}
    assert shown_error(refused, [STORED, REFUSED]) is None
    assert shown_error(full, [STORED, REFUSED]) == full
    assert shown_error(None, [STORED]) is None
