"""Example packages, as their entry points would bring them."""

from __future__ import annotations

import importlib
from contextlib import ExitStack

import pytest
from third_party import ROOT, project

import translate


@pytest.fixture
def use(monkeypatch):
    """Loads an example and registers it, for the time of a test, as its entry point would."""
    with ExitStack() as stack:

        def load(example: str):
            ((name, module),) = project(example)["project"]["entry-points"]["translate"].items()
            monkeypatch.syspath_prepend(ROOT / example)
            plugin = importlib.import_module(module)
            stack.enter_context(translate.plugin(plugin, name))
            return plugin

        yield load
