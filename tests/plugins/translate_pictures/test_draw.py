"""The verb ``translate draw``."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from translate import UserError
from translate_pictures.domain import NAMES, DrawnDomain
from translate_pictures.draw import main


def _read(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_draw_writes_pictures_counterparts_and_masks(tmp_path, capsys):
    assert (
        main(["horse", "-n", "3", "--size", "32x40", "--split", "test", "--truth", "-o", str(tmp_path / "data" / "horse")]) == 0
    )
    domain = DrawnDomain("horse", "test", (32, 40))
    names = [f"horse-{i:05d}.png" for i in range(3)]
    for folder in ("horse", "horse-as-zebra", "horse-mask"):
        assert sorted(path.name for path in (tmp_path / "data" / folder).iterdir()) == names
    assert np.array_equal(_read(tmp_path / "data/horse" / names[1]), domain.read(1))
    assert np.array_equal(_read(tmp_path / "data/horse-as-zebra" / names[1]), domain.counterpart(1, "zebra"))
    assert np.array_equal(_read(tmp_path / "data/horse-mask" / names[1]) == 255, domain.mask(1))
    assert "3 drawings" in capsys.readouterr().out


def test_draw_writes_to_a_folder_of_its_name_by_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["digits", "-n", "2", "--size", "28"]) == 0
    assert _read(tmp_path / "digits" / "digits-00001.png").shape == (28, 28)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["zebraa"], "Did you mean 'zebra'"),
        (["zebra", "--split", "tests"], "no split 'tests'"),
        (["zebra", "--size", "big"], "--size big"),
        (["zebra", "--size", "1x2x3"], "--size 1x2x3"),
        (["zebra", "-n", "0"], "-n 0"),
        (["zebra", "-n", "1001"], "1 to 1000"),
        (["digits", "--truth"], "no counterpart"),
        (["bags", "--truth"], "'bags' has no counterpart"),
    ],
)
def test_draw_refuses_with_a_sentence(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message):
        main(arguments)
    assert not list(tmp_path.iterdir())


def test_draw_says_where_it_could_not_write(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(UserError, match="can't be written"):
        main(["zebra", "-n", "1", "--size", "32", "-o", str(tmp_path / "taken")])


def test_help_names_the_folders(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    said = capsys.readouterr().out
    assert "horse-as-zebra" in said
    assert "no counterparts: digits, bags, shoes." in said
    assert all(name in said for name in NAMES)
