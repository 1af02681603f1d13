"""The wheel: what it carries, and that the station in it starts from any folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CARRIED = ("server.py", "handlers", "station", "static", "templates")
NOT_CARRIED = {"__pycache__"}


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(root: Path) -> set[str]:
    found = [file for place in CARRIED for file in (root / place, *(root / place).rglob("*"))]
    return {file.relative_to(root).as_posix() for file in found if file.is_file() and not NOT_CARRIED & set(file.parts)}


def test_the_wheel_carries_the_whole_station_and_runs_from_any_folder(tmp_path: Path) -> None:
    source, unpacked, elsewhere = tmp_path / "source", tmp_path / "unpacked", tmp_path / "elsewhere"
    elsewhere.mkdir()
    # From a copy: building writes into the folder that it builds from.
    for name in files(ROOT) | {"setup.cfg", "pyproject.toml", "README.md", "LICENSE"}:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", ".", "./source", cwd=tmp_path)
    (wheel,) = tmp_path.glob("upload_station-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    assert files(unpacked) == files(ROOT)
    start = "import sys; sys.path.insert(0, sys.argv.pop(1)); import server; print(server.__file__)"
    said = run(sys.executable, "-c", f"{start}; server.main()", str(unpacked), "--help", cwd=elsewhere)
    assert said.startswith(str(unpacked))
