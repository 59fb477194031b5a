"""A kill at any moment leaves the last whole run as it was, and the next call finishes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "kill_stages.py"
KILLS = os.environ.get("COPUB_KILLS", "3")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is not known there")
def test_after_random_kills_the_last_run_is_whole_and_the_next_call_gives_the_same_tables() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "--kills", KILLS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{2 * int(KILLS)} of {2 * int(KILLS)} checks" in done.stdout
