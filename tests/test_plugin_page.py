"""docs/how-to/write-a-plugin.md, from top to bottom: every command as it stands there, in an environment of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "how-to" / "write-a-plugin.md").read_text(encoding="utf-8")
#: Shell blocks, blocks that are files, and other Python, in the order of the page.
BLOCK = re.compile(
    r"(?:<!-- file: (?P<file>\S+) -->\n)?^```(?P<language>sh|python)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)


@pytest.fixture
def shell(tmp_path):
    """Runs lines in a fresh environment that sees the packages of this one; the folder stays that which ``cd`` led to."""
    home = tmp_path / "environment"
    venv.create(home, symlinks=True, with_pip=False)
    binaries = home / ("Scripts" if os.name == "nt" else "bin")
    site = next(home.rglob("site-packages"))
    # What is installed here is seen there as well, but what is installed there stays there.
    here = [sysconfig.get_paths()["purelib"], str(ROOT), str(ROOT / "plugins")]
    (site / "here.pth").write_text("\n".join(here) + "\n")
    scripts = {
        "pip": f'exec {binaries / "python"} -m pip --disable-pip-version-check "$@" --no-deps --no-build-isolation --quiet',
        "translate": f'exec {binaries / "python"} -m translate "$@"',
        "pytest": f'exec {binaries / "python"} -m pytest -q -p no:cacheprovider "$@"',
    }
    for name, line in scripts.items():
        script = binaries / name
        script.write_text(f"#!/bin/sh\n{line}\n")
        script.chmod(0o755)
    environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}", "PIP_NO_INDEX": "1"}
    environment.pop("PYTHONPATH", None)
    folder = [tmp_path]

    def run(code: str) -> str:
        done = subprocess.run(
            ["sh", "-e", "-c", f"{code}\npwd > '{tmp_path}/pwd'"],
            cwd=folder[0], env=environment, capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, f"{code}\n{done.stdout}{done.stderr}"
        folder[0] = Path((tmp_path / "pwd").read_text().strip())
        return done.stdout

    run.folder = folder
    return run


@pytest.mark.skipif(os.name == "nt", reason="the page's commands are a shell's")
def test_the_page_from_top_to_bottom(shell):
    said = []
    for block in BLOCK.finditer(PAGE):
        if block["file"]:
            path = shell.folder[0] / block["file"]
            assert path.is_file(), "the page changes a file that 'new' did not write"
            path.write_text(block["code"], encoding="utf-8")
        elif block["language"] == "sh":
            said.append(shell(block["code"]))
        else:
            (shell.folder[0] / "page.py").write_text(block["code"], encoding="utf-8")
            shell("python page.py")
    everything = "\n".join(said)
    assert "translate-smoothed" in said[0]
    assert "3 passed" in said[1]
    assert "adversarial loss smoothed" in said[2]
    assert "adversarial loss 'smoothed': ok" in said[3]
    assert "smoothed 0.1.0 (translate-smoothed): loaded" in said[3]
    assert "3 passed" in said[4]
    assert "smoothed 0.1.0 (translate-smoothed): blocked" in said[5]
    assert everything.count("Done: 4 steps") == 2
    assert (shell.folder[0] / "second" / "log.jsonl").is_file()


def test_the_pages_blocks_are_all_run():
    assert len(list(BLOCK.finditer(PAGE))) == PAGE.count("\n```sh\n") + PAGE.count("\n```python\n") >= 9
    assert sys.version_info >= (3, 11)
