"""Runs that are killed, stopped and out of room: short forms of the proofs, in a process of their own, which forks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SHORT = """
import sys
from proofs import full_disk, kills, stops
from proofs.whole_run import prove

sys.exit(
    prove(
        [
            ("killed", 20, lambda whole: kills.killed(whole, 2)),
            ("killed before operations on files", 2, lambda whole: kills.killed_at_operations(whole, 4)),
            ("stopped", 20, lambda whole: stops.stopped(whole, 2)),
            ("stopped at once", 20, lambda whole: stops.stopped_at_once(whole, 1)),
            ("files too large", 4, full_disk.files_too_large),
        ]
    )
)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes of this system cannot be forked")
def test_nothing_is_lost():
    here = str(Path(__file__).parent)
    settings = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([here, os.environ.get("PYTHONPATH", "")])}
    ended = subprocess.run([sys.executable, "-c", SHORT], capture_output=True, text=True, env=settings)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.endswith("as it should be\n")
