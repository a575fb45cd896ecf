"""The U-Net with batch norm, whose pictures are compared with the public one's in tests/foreign/test_importing.py."""

from __future__ import annotations

import pytest
import torch
from third_party import one_sentence, spaces

from translate import UserError
from translate_foreign.pix2pix import BatchUNet


def test_it_has_the_published_number_of_parameters():
    with torch.device("meta"):
        network = BatchUNet(*spaces(3, 3, size=(256, 256)), BatchUNet.Options(downs=8))
    assert sum(each.numel() for each in network.parameters()) == 54_413_955


def test_it_says_what_is_too_small():
    with pytest.raises(UserError, match="at least 64 pixels a side, not 32x64; raise --size") as error:
        BatchUNet(*spaces(3, 3, size=(32, 64)), BatchUNet.Options(downs=6))
    one_sentence(error)
