"""The rules of conftest.py hold: a test that leaks, logs an error, or is skipped in CI does fail."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

SUBJECT = """
import asyncio, logging, os, threading, warnings
import pytest

def test_that_is_fine():
    pass

def test_that_leaks_a_descriptor():
    os.open(os.devnull, os.O_RDONLY)

def test_that_leaks_a_thread(request):
    threading.Thread(target=threading.Event().wait, daemon=True).start()

@pytest.mark.gen_test
async def test_that_leaks_a_task():
    test_that_leaks_a_task.kept = asyncio.get_running_loop().create_task(asyncio.Event().wait())

@pytest.mark.gen_test
async def test_that_leaves_a_task_to_end_soon():
    test_that_leaves_a_task_to_end_soon.kept = asyncio.get_running_loop().create_task(asyncio.sleep(0.05))

def test_that_logs_an_error():
    logging.getLogger("station").error("a fault")

@pytest.mark.expects_errors
def test_that_means_to_log_an_error():
    logging.getLogger("station").error("a fault")

def test_that_warns():
    warnings.warn("old", DeprecationWarning)

def test_that_is_skipped():
    pytest.skip("for a reason")

@pytest.mark.xfail(reason="for a reason")
def test_that_is_known_to_fail():
    assert False
"""


def outcomes(tmp_path: Path, *, ci: bool) -> dict[str, set[str]]:
    """Run the subject under the project's conftest and settings; what pytest said of each test."""
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    conftest = (ROOT / "tests" / "conftest.py").read_text(encoding="utf-8")
    patient = re.sub(r"^PATIENCE = [\d.]+", "PATIENCE = 0.5", conftest, flags=re.MULTILINE)
    assert patient != conftest
    (tmp_path / "tests" / "conftest.py").write_text(patient, encoding="utf-8")
    (tmp_path / "tests" / "test_subject.py").write_text(SUBJECT, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-v", "-rN", "-p", "no:cacheprovider", "--tb=no"]
    environment = {**os.environ, "CI": "true" if ci else ""}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    said: dict[str, set[str]] = {}
    for name, outcome in re.findall(r"::test_that_(\w+) (\w+)", run.stdout):
        said.setdefault(name, set()).add(outcome)
    assert said, run.stdout + run.stderr
    return said


def test_a_test_that_leaks_or_logs_errors_fails(tmp_path: Path) -> None:
    assert outcomes(tmp_path, ci=False) == {
        "is_fine": {"PASSED"},
        "leaks_a_descriptor": {"PASSED", "ERROR"},
        "leaks_a_thread": {"PASSED", "ERROR"},
        "leaks_a_task": {"PASSED", "ERROR"},
        "leaves_a_task_to_end_soon": {"PASSED"},
        "logs_an_error": {"PASSED", "ERROR"},
        "means_to_log_an_error": {"PASSED"},
        "warns": {"FAILED"},
        "is_skipped": {"SKIPPED"},
        "is_known_to_fail": {"XFAIL"},
    }


def test_a_test_that_is_skipped_in_ci_fails(tmp_path: Path) -> None:
    said = outcomes(tmp_path, ci=True)
    assert said["is_skipped"] == {"FAILED"}
    assert said["is_known_to_fail"] == {"XFAIL"}
    assert said["is_fine"] == {"PASSED"}
