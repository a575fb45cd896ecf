"""The front door of the ``translate`` command.

The command's script imports this module and not ``translate``: the distribution ``translate``, a text tool, installs a module of that
name as well, and where it was installed last this module can still say so.
"""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command and return its exit code."""
    try:
        from translate.cli import main as run
    except ImportError as error:
        if getattr(error, "name", None) not in ("translate.cli", "translate") and "distribution 'translate'" not in str(error):
            raise
        print(
            "The distribution 'translate', a text tool, is installed beside 'image-translate', and both install a module named "
            "'translate'; uninstall one: pip uninstall translate && pip install --force-reinstall --no-deps image-translate.",
            file=sys.stderr,
        )
        return 1
    return run(sys.argv[1:])
