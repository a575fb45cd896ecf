"""Whether a plugin is light to import: everybody who has it installed waits for it, whatever they run."""

from __future__ import annotations

import os
import subprocess
import sys

from translate.testing.common import NonConforming

#: What takes seconds to import, and has no place in the import of a plugin.
HEAVY = ("torchvision", "timm", "albumentations", "matplotlib", "tensorboard", "transformers")

#: Imports argv[1], and prints each heavy module that this asks for, with the line that does.
PROGRAM = """
import sys, traceback
from importlib import import_module

heavy, asked = set(sys.argv[2:]), {}

class Witness:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in heavy and name not in asked:
            frames = [each for each in traceback.extract_stack()[:-1] if not each.filename.startswith("<")]
            asked[name] = f"{frames[-1].filename}:{frames[-1].lineno}"
        return None

sys.meta_path.insert(0, Witness)
import_module(sys.argv[1])
for name in heavy & set(sys.modules):
    print(name, asked.get(name, "?"), sep="\\t")
"""


def check_import(module_name: str) -> None:
    """Raise NonConforming where importing ``module_name``, in a process of its own, fails or loads one of ``HEAVY``."""
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, module_name, *HEAVY],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)},
    )
    if result.returncode:
        said = (result.stderr.strip().splitlines() or [f"exit code {result.returncode}"])[-1]
        raise NonConforming(f"The module {module_name} cannot be imported ({said}); install what it needs, or mend it.")
    loaded = dict(line.split("\t") for line in sorted(result.stdout.splitlines()) if "\t" in line)
    if loaded:
        name, place = next(iter(loaded.items()))
        others = f", and so are {', '.join(list(loaded)[1:])}" if len(loaded) > 1 else ""
        raise NonConforming(
            f"Importing {module_name} imports {name} at {place}{others}, for which everybody waits who has the plugin installed; "
            f"import it where it is used: inside the function or the method."
        )
