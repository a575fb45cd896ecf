"""Nothing in the sources runs text, opens a pickle or imports what a file names; and short forms of the proofs about hostile files."""

from __future__ import annotations

import ast
import json
import random
import shutil
from pathlib import Path

import pytest
from forbidden import findings
from proofs import hostile_configs, hostile_files, mutants, small_run

from translate import Engine, UserError, checkpoint, weights

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for folder in ("translate", "plugins") for path in (ROOT / folder).rglob("*.py"))
#: The one file that opens pickles.
IMPORTER = "translate/foreign/pickles.py"
#: What is allowed, and for what reason.
ALLOWED = {
    (IMPORTER, "pickletools"): "reads a pickle without running it",
    (IMPORTER, "torch.load"): "with weights_only: see the test below",
    ("translate/foreign/exporting.py", "torch.save"): "for the users of other tools; it writes numbers alone",
    ("translate/cli/bench.py", "runpy"): "one of the repository's own benchmarks, by its name in their folder",
    ("translate/testing/imports.py", "subprocess"): "tells a plugin's author what the import of the plugin brings along",
    ("translate/__init__.py", "import_module of a name that is no literal"): "one of the library's own table of public names",
    ("translate/cli/__init__.py", "import_module of a name that is no literal"): "one of the library's own table of verbs",
    ("translate/cli/data/__init__.py", "import_module of a name that is no literal"): "one of the library's own table of verbs",
}


def found_in(path):
    """What is forbidden in a file, with its line."""
    return findings(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_forbidden(path):
    where = path.relative_to(ROOT).as_posix()
    assert [f"{where}:{line}: {what}" for line, what in found_in(path) if (where, what) not in ALLOWED] == []


def test_every_allowance_is_needed():
    for where, what in ALLOWED:
        assert what in {each for _, each in found_in(ROOT / where)}, (where, what)


def test_the_importer_opens_pickles_with_weights_only():
    tree = ast.parse((ROOT / IMPORTER).read_text(encoding="utf-8"))
    loads = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load"]
    assert len(loads) == 1
    assert any(each.arg == "weights_only" and each.value.value is True for each in loads[0].keywords)
    used = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert {each for each in used if each.startswith("pickle.")} <= {"pickle.UnpicklingError"}
    assert {each for each in used if each.startswith("pickletools.")} == {"pickletools.genops"}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import pickle as p",
        "from pickle import loads",
        "def f():\n    import dill",
        "import torch\ntorch.load('x', weights_only=True)",
        "import torch as t\nt.load('x')",
        "from torch import load",
        "from torch import load as read",
        "import torch\nread = torch.load",
        "import torch\ntorch.hub.load('a', 'b')",
        "from torch import hub",
        "import torch.hub",
        "from torch.hub import load_state_dict_from_url",
        "import torch\ntorch.jit.load('x')",
        "import torch\ntorch.save({}, 'x')",
        "eval('1')",
        "run = exec",
        "exec('1')",
        "__import__('os')",
        "import builtins",
        "import yaml",
        "from yaml import load",
        "import os\nos.system('x')",
        "from os import popen",
        "from subprocess import run",
        "import numpy as np\nnp.load('x', allow_pickle=True)",
        "import numpy as np\nnp.load('x', allow_pickle=wanted)",
        "read('x', weights_only=False)",
        "archive.extractall('x')",
        "from importlib import import_module\nimport_module(name)",
        "import importlib\nimportlib.import_module(f'plugins.{name}')",
        "import importlib\nimportlib.import_module(config['_target_'])",
        "from importlib import import_module as find\nfind(name)",
        "from importlib import import_module\nmodules = map(import_module, names)",
        "import importlib\nfind = importlib.import_module\nfind(name)",
        "from importlib.util import spec_from_file_location",
        "import pkgutil\npkgutil.resolve_name(text)",
        "import torch\nt = torch\nt.load('x')",
        "import torch\nt = torch\nu = t\nu.hub.load('x')",
        "import os\nrun: object = os.system\nrun('x')",
        "import os\n(o := os).popen('x')",
        "import torch\ngetattr(torch, 'load')('x')",
        "import torch\ngetattr(torch, name)('x')",
        "import os\nvars(os)['system']('x')",
        "from torch import *",
        "import os\nos.execvp('x', [])",
        "import subprocess as s",
        "import asyncio\nasyncio.create_subprocess_shell('x')",
        "__builtins__['eval']('1')",
        "import torch\ntorch.export.load('x')",
        "import torch\ntorch.ops.load_library('x')",
        "import logging.config",
        "import marshal",
        "import ctypes",
        "start('x', shell=True)",
        "from timm import create_model\ncreate_model('x', trust_remote_code=given)",
    ],
)
def test_what_is_forbidden_is_seen(source):
    assert findings(source)


@pytest.mark.parametrize(
    "source",
    [
        "network.eval()",
        "import re\nre.compile('x')",
        "import json\njson.load(file)",
        "import safetensors.torch\nsafetensors.torch.load(data)",
        "import numpy as np\nnp.load('x', allow_pickle=False)",
        "from importlib import import_module\nimport_module('albumentations')",
        "image.load()",
        "network.compile()",
        "import torch\ntorch.float32",
        "import torch\ngetattr(torch, 'float32')",
        "getattr(recipe, name)",
        "import ast\nast.literal_eval('1')",
        "entry.load()",
    ],
)
def test_what_is_harmless_is_left_alone(source):
    assert findings(source) == []


# Short forms of the proofs


@pytest.fixture
def saved(tmp_path):
    """A checkpoint of a small run."""
    data = small_run.draw_pictures(tmp_path / "data")
    domains, values = small_run.METHODS["cyclegan"]
    Engine("cyclegan", domains, data=str(data), out=tmp_path / "run", steps=1, device="cpu", **values).fit()
    return checkpoint.latest_checkpoint(tmp_path / "run")


@pytest.mark.parametrize("name", [checkpoint.MANIFEST_NAME, weights.WEIGHTS_NAME, checkpoint.TRAINING_NAME])
def test_flipped_bits_and_cut_files_are_refused(saved, name):
    path, chance = saved / name, random.Random(0)
    each = max(1, path.stat().st_size // 300)
    places, wrong = hostile_files.flipped(path, lambda: checkpoint.load_training(saved), chance, each)
    assert places >= 300
    assert wrong == []
    assert hostile_files.cut(path, lambda: checkpoint.load_training(saved), each)[1] == []


def test_mutated_weights_are_loaded_or_refused(saved, tmp_path):
    path, found = tmp_path / "mutant", set()
    source = mutants.unsealed((saved / weights.WEIGHTS_NAME).read_bytes())
    for number in range(200):
        path.write_bytes(mutants.mutant(number, [source]))
        became = hostile_files.outcome(lambda: Engine.load(path, device="cpu"))
        assert became in ("loaded", "refused"), f"mutant {number}: {became}"
        found.add(became)
    assert found == {"loaded", "refused"}


def test_a_header_of_many_tensors_is_refused_unread(tmp_path, monkeypatch):
    path = tmp_path / "many.safetensors"
    path.write_bytes(hostile_files.many_tensors(20_000))
    monkeypatch.setattr(json, "loads", lambda *_: pytest.fail("the header was parsed"))
    with pytest.raises(UserError, match="its header cannot be read"):
        checkpoint.load_weights(path)


@pytest.mark.parametrize("said", [2**20, 2**40])
def test_a_file_of_a_terabyte_is_refused_unread(said, tmp_path):
    path = tmp_path / "claims.safetensors"
    hostile_files.claims(path, size=2**40, said=said)
    with pytest.raises(UserError, match=r"claims\.safetensors has 1,099,5[\d,]+ bytes, and this machine has not the memory"):
        weights.read(path)


def test_hostile_configs_are_not_executed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = small_run.draw_pictures(tmp_path / "data")
    traps, mark = tmp_path / "traps", tmp_path / "mark"
    hostile_configs.make_traps(traps, mark)
    monkeypatch.syspath_prepend(str(traps))
    for number in (0, 1, 2, 5, 6, 7, 10, 11, 12, 15, 16, 17):  # those of configs and flags
        place = tmp_path / f"config-{number}"
        place.mkdir()
        hostile_configs.try_config(number, place, data, traps, mark)
        shutil.rmtree(place)
    assert not mark.exists()
