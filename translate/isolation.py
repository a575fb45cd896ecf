"""What happens in a run where a plugin fails that is asked for something."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from translate.errors import Interrupted, NotFinite, PluginError, PluginWarning, TranslateError, brief, capitalised
from translate.plugins import BLOCK, OnError

if TYPE_CHECKING:
    from pathlib import Path

    from translate.data.domain import Domain
    from translate.plugins import Plugins


class Guard:
    """Asks the ``plugins`` on behalf of one run, or ``what`` else, by its policy ``on_error``; ``used`` are those that it rests on."""

    def __init__(
        self, plugins: Plugins, on_error: OnError = "disable", used: Collection[str] = (), what: str = "the run"
    ) -> None:
        self.plugins, self.on_error, self.used, self.what = plugins, on_error, used, what
        #: The plugins that failed, and are asked for nothing more in this run.
        self.disabled: set[str] = set()

    def tell(self, event: str, **arguments: Any) -> None:
        """Call an event hook of every plugin, one by one, in the order of names."""
        for name, implementation in self.plugins.implementations(event):
            if name not in self.disabled:
                with self.asking(name, f"at {event}", self.used):
                    implementation(**arguments)

    def find_domain(
        self, name: str, root: Path | None, split: str, size: tuple[int, int] | None, domains: tuple[str, ...]
    ) -> tuple[str, Domain] | None:
        """The first plugin, in the order of names, that has the domain, and the domain; what plugins refuse on purpose is raised."""
        for owner, implementation in self.plugins.implementations("open_domain"):
            if owner in self.disabled:
                continue
            domain: Domain | None = None
            refusal: TranslateError | None = None
            with self.asking(owner, f"to open the domain '{name}'", self.used):
                try:
                    domain = implementation(name=name, root=root, split=split, size=size, domains=domains)
                except TranslateError as error:
                    refusal = error
            if refusal is not None:
                raise refusal
            if domain is not None:
                return owner, domain
        return None

    @contextmanager
    def asking(self, name: str, where: str, used: Collection[str] = ()) -> Iterator[None]:
        """Inside, what the plugin ``name`` raises is dealt with as the policy says; ``where`` says what it was asked for: "at run_started".

        Where the policy is ``fail``, or the plugin is ``used``, a PluginError is raised; otherwise there is a warning, and the plugin is
        disabled. Torch's gradient mode and random state on the CPU are as before afterwards.
        """
        gradients, state = torch.is_grad_enabled(), torch.get_rng_state()
        try:
            yield
        except (Interrupted, NotFinite):
            raise  # what ends a run ends it, whoever notices
        except (Exception, SystemExit) as error:  # whatever a stranger's code raises must not take a run with it
            said = capitalised(f"{self.plugins.origin(name)} failed {where} ({brief(error)})")
            if name in used:
                raise PluginError(
                    f"{said}, and {self.what} rests on it; {BLOCK}={name} keeps it out of one that does not."
                ) from error
            if self.on_error == "fail":
                raise PluginError(f"{said}; --on-plugin-error disable goes on without it.") from error
            warnings.warn(f"{said}; {self.what} goes on without it.", PluginWarning, stacklevel=4)
            self.disabled.add(name)
            self.plugins.note_failure(name, f"failed {where} ({brief(error)})")
        finally:
            torch.set_grad_enabled(gradients)
            torch.set_rng_state(state)
