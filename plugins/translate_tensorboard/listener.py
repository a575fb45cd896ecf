"""Writes what TensorBoard shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from translate import Engine, Report, UserError, hookimpl, option


class TensorBoard:
    """Writes losses, learning rates and picture grids to RUN/tensorboard; look at them with ``tensorboard --logdir runs``."""

    @dataclass(frozen=True)
    class Options:
        """What a user may choose."""

        pictures: bool = option(True, "write the picture grids as well")
        flush: int = option(30, "seconds after which what was written can be seen", least=1)

    def __init__(self, options: Options) -> None:
        try:
            # Imported here because it takes seconds, and most runs do without it.
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise UserError(
                "Listener 'tensorboard' needs the package tensorboard; install it: pip install 'image-translate[tensorboard]'."
            ) from error
        self.options = options
        self._writer_class: Any = SummaryWriter
        self._writer: Any = None

    @hookimpl
    def run_started(self, engine: Engine) -> None:
        """Open the log; what a run that goes on wrote beyond its checkpoint is replaced."""
        if engine.out is None:
            raise UserError("Listener 'tensorboard' writes to the folder of a run; give the run one with --out DIR.")
        if self._writer is not None:  # the run was interrupted, and goes on in this process
            self._writer.close()
        self._writer = self._writer_class(
            str(engine.out / "tensorboard"), purge_step=engine.step + 1, flush_secs=self.options.flush
        )

    @hookimpl
    def step_reported(self, report: Report) -> None:
        """Write the means since the last report, and the rates."""
        for name, value in report.losses.items():
            self._writer.add_scalar(f"losses/{name}", value, report.step)
        for group, rate in report.rates.items():
            self._writer.add_scalar(f"rates/{group}", rate, report.step)

    @hookimpl
    def samples_saved(self, engine: Engine, path: Path) -> None:
        """Write the grid."""
        if self.options.pictures:
            import numpy as np
            from PIL import Image

            with Image.open(path) as image:
                self._writer.add_image("samples", np.asarray(image.convert("RGB")), engine.step, dataformats="HWC")

    @hookimpl
    def checkpoint_saved(self) -> None:
        """Bring what was written to the disk: it is as old as the checkpoint then."""
        if self._writer is not None:  # a run that begins from other weights is saved before it starts
            self._writer.flush()

    @hookimpl
    def run_finished(self) -> None:
        """Close the log."""
        self._writer.close()
