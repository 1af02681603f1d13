"""Setting up: what was begun and failed does not stand in the way once its cause is mended."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# As on Debian without python3-venv: the folder is made, then ensurepip is missing.
HALF = f"""#!/bin/sh
[ "$1" = -m ] || exec {sys.executable} "$@"
{sys.executable} -m venv --without-pip "$3"
exit 1
"""


def test_an_environment_that_was_made_half_is_made_again(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    half = tmp_path / "half"
    half.write_text(HALF)
    half.chmod(0o755)
    command = ["make", ".venv/bin/python"]
    assert subprocess.run([*command, f"PYTHON={half}"], cwd=tmp_path, capture_output=True, check=False).returncode != 0
    subprocess.run([*command, f"PYTHON={sys.executable}"], cwd=tmp_path, capture_output=True, check=True)
    assert (tmp_path / ".venv/bin/pip").exists()
