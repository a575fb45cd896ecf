"""Whether a plugin is light to import."""

from __future__ import annotations

import pytest

from translate.testing import NonConforming, check_import


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes modules that can be imported; a stub of torchvision among them, so that it takes no time."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "torchvision.py").write_text("")
    return lambda name, text: (tmp_path / f"{name}.py").write_text(text)


def test_a_plugin_must_be_light_to_import(module, tmp_path):
    module("light", "def later():\n    import torchvision\n")
    check_import("light")
    module("inner", "'''Doc.'''\n\nimport torchvision\n")
    module("heavy", "import inner\n")
    with pytest.raises(NonConforming) as error:
        check_import("heavy")
    assert str(error.value) == (
        f"Importing heavy imports torchvision at {tmp_path / 'inner.py'}:3, for which everybody waits who has the plugin installed; import "
        f"it where it is used: inside the function or the method."
    )
    module("broken", "import no_such_module\n")
    with pytest.raises(
        NonConforming, match=r"broken cannot be imported \(ModuleNotFoundError: No module named 'no_such_module'\)"
    ):
        check_import("broken")
