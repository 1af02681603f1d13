"""The bench runs, and prints a row for each way of sending. What it measures here means nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_a_quick_bench_ends_with_a_table(tmp_path: Path) -> None:
    tiny = ["--size=2MiB", "--files=8", "--watchers=5", f"--disk={tmp_path}"]
    command = [sys.executable, "-m", "bench", "--quick", *tiny]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=290, check=False)
    assert ran.returncode == 0, ran.stderr
    rows = [line.split("  ")[0] for line in ran.stdout.splitlines()]
    assert [row for row in rows if row in {"bare loop", "raw PUT", "multipart POST", "tus PATCH"}] == (
        2 * ["bare loop", "raw PUT", "multipart POST", "tus PATCH"] + 2 * ["bare loop", "raw PUT"]
    )
    assert "told to 5 WebSockets" in ran.stdout
    assert list(tmp_path.iterdir()) == []
