from __future__ import annotations

import os

import pytest

from translate.data import memory as module
from translate.data.memory import memory

MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
VERSION_2, VERSION_1 = "0::/jobs/mine\n", "9:name=systemd:/x\n8:memory:/jobs/mine\n7:cpu:/jobs\n"


@pytest.fixture
def system(tmp_path, monkeypatch):
    """Write the files in which Linux says the groups and their bounds."""
    monkeypatch.setattr(module, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(module, "MOUNTED", tmp_path / "mounted")

    def write(groups, bounds):
        (tmp_path / "groups").write_text(groups)
        for name, text in bounds.items():
            path = tmp_path / "mounted" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}\n")

    return write


def test_without_bounds_it_is_that_of_the_machine(system):
    assert memory() == MACHINE
    system(VERSION_2, {"jobs/mine/memory.max": "max", "memory.max": str(1 << 62)})
    assert memory() == MACHINE


@pytest.mark.parametrize(
    ("groups", "bounds", "expected"),
    [
        (VERSION_2, {"jobs/mine/memory.max": "1000"}, 1000),
        (VERSION_2, {"jobs/mine/memory.max": "1000", "jobs/memory.max": "900"}, 900),
        (VERSION_2, {"memory.max": "800"}, 800),
        (VERSION_2, {"jobs/other/memory.max": "700"}, MACHINE),
        (VERSION_1, {"memory/jobs/mine/memory.limit_in_bytes": "600"}, 600),
        (VERSION_1, {"memory/memory.limit_in_bytes": "500"}, 500),
        (VERSION_1, {"memory/memory.limit_in_bytes": "9223372036854771712"}, MACHINE),
        (VERSION_1, {"cpu/jobs/memory.limit_in_bytes": "400"}, MACHINE),
        ("", {"memory.max": "300"}, MACHINE),
    ],
)
def test_the_least_bound_around_the_process_counts(system, groups, bounds, expected):
    system(groups, bounds)
    assert memory() == expected
