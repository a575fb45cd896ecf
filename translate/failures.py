"""What a step commonly fails of, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from translate.errors import UserError, brief

#: What the allocator of a CPU says, and oneDNN, where there is no memory.
SHORTAGES = ("can't allocate memory", "could not create a primitive")


@contextmanager
def explained_failures() -> Iterator[None]:
    """Inside, what a step commonly fails of is said in a sentence: a UserError."""
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise out_of_memory(error) from error
    except RuntimeError as error:
        if not any(each in str(error) for each in SHORTAGES):
            raise
        raise out_of_memory(error) from error
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise UserError("Batch normalisation needs more than one sample to compare; raise --batch.") from error


def out_of_memory(error: BaseException) -> UserError:
    """What to say where a step does not fit into memory."""
    return UserError(
        f"There is not enough memory for a step ({brief(error)[:120]}); lower --batch, with --accumulate for the same sum of gradients, or "
        f"--size, or stop other programs. Nothing but this step was lost."
    )
