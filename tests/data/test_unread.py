from __future__ import annotations

from pathlib import Path

import pytest

from translate.data import picture, unread
from translate.errors import UserError


@pytest.mark.parametrize(
    ("name", "content", "needed"),
    [
        ("IMG_1.HEIC", b"", "JPEG or PNG"),
        ("a.nef", b"", "JPEG or PNG"),
        ("slice.dcm", b"", "16-bit PNG or float TIFF, without annotations"),
        ("brain.nii.gz", b"", "16-bit PNG or float TIFF, without annotations"),
        ("IM0001", bytes(128) + b"DICM" + bytes(9), "16-bit PNG or float TIFF, without annotations"),
        ("1.2.840.113619.55", bytes(128) + b"DICM", "16-bit PNG or float TIFF, without annotations"),
        ("IM0001", bytes(128) + b"DIC", None),
        ("notes.txt", bytes(128) + b"DICM", None),
        ("a.gz", b"", None),
        ("a.png", b"", None),
    ],
)
def test_what_to_do_with_a_file(tmp_path, name, content, needed):
    (tmp_path / name).write_bytes(content)
    found = unread.needs(tmp_path / name)
    assert found is None if needed is None else found.startswith("must be exported") and needed in found


def test_a_file_that_is_gone_needs_nothing(tmp_path):
    assert unread.needs(tmp_path / "gone") is None


def test_reading_it_says_what_to_do(tmp_path):
    (tmp_path / "a.heic").write_bytes(b"x")
    with pytest.raises(UserError, match=r"a\.heic cannot be read as a picture \(it must be exported as JPEG or PNG to be read\)"):
        picture.read(tmp_path / "a.heic", 3, "uint8")


def test_no_ending_is_both_read_and_not():
    assert [ending for ending in picture.SUFFIXES if unread.needs(Path(f"a{ending}"))] == []
