"""What holds for every test of the conformance kit."""

from __future__ import annotations

import numpy as np
import pytest
import torch


@pytest.fixture(autouse=True)
def _callers_generators_are_left_alone(request):
    """No check, whatever it finds, moves a generator of random numbers that is the caller's."""
    before = torch.get_rng_state(), np.random.get_state()[2]
    yield
    if not any(word in request.node.name for word in ("Numpy", "numpy")):
        assert torch.equal(before[0], torch.get_rng_state())
        assert before[1] == np.random.get_state()[2]
