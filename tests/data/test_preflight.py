from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from conftest import draw
from data.odd import noise, png
from data.test_duplicates import scene
from PIL import Image

from translate.data import findings, preflight
from translate.data.preflight import check
from translate.errors import NoDomain, UserError
from translate.options import Size
from translate.plugins import installed


@pytest.fixture(autouse=True)
def _enough(monkeypatch):
    monkeypatch.setattr(findings, "FEW", 2)


def run(root, *names, size=Size(16, 16)):
    return check(installed(), names, root, size)


def said(found):
    return {finding.kind: finding.text for finding in found.findings}


def paint(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(scene(seed)).save(path)
    return path


def test_pictures_that_are_well_have_no_findings_and_a_command(photos):
    done = []
    found = check(installed(), (), photos, Size(16, 16), progress=lambda *counts: done.append(counts))
    assert found.names == ("cat", "dog")
    assert found.works
    assert found.findings == ()
    assert found.command == f"translate run cyclegan --domains cat dog --data {photos} --size 16"
    assert found.summary.startswith("cat: 5 pictures in train")
    assert [(portion.name, portion.split, len(portion.looks)) for portion in found.portions] == [
        ("cat", "train", 5),
        ("dog", "train", 5),
        ("cat", "test", 2),
        ("dog", "test", 2),
    ]
    assert done == [(number, 14) for number in range(1, 15)]


def test_the_command_is_one_that_takes_so_many_domains(tmp_path):
    for name in ("a", "b", "c"):
        draw(tmp_path / name / "1.png", ord(name))
    assert run(tmp_path, "b").command == f"translate run dcgan --domains b --data {tmp_path} --size 16"
    assert run(tmp_path).command == f"translate run cyclegan --domains a b --data {tmp_path} --size 16"
    points = check(installed(), ("points:ring8",), None)
    assert points.command == "translate run vanilla --domains points:ring8"
    assert points.portions[0].looks == ()


@pytest.mark.parametrize(("device", "size"), [("cpu", 64), ("cuda", 256)])
def test_without_a_size_it_is_the_one_that_the_command_trains_at(photos, monkeypatch, device, size):
    """CycleGAN's presets: quick, 64 px, on a CPU, and paper, 256 px, on a GPU."""
    monkeypatch.setattr(preflight, "choose_device", lambda name: torch.device(device))
    found = run(photos, size=None)
    assert found.size == (size, size)
    assert f"smaller than the {size} px of the run" in said(found)["tiny"]
    assert found.command == f"translate run cyclegan --domains cat dog --data {photos}"


def test_everything_is_said_as_json(photos):
    (photos / "train" / "cat" / "notes.txt").write_text("x")
    shutil.copy(photos / "train" / "dog" / "0.png", photos / "test" / "dog" / "9.png")
    whole = json.loads(json.dumps(run(photos).as_dict()))
    assert whole["portions"][0]["left_out"] == [
        {"name": "train/cat/notes.txt", "reason": "cannot be read as a picture (its format is not known)"}
    ]
    assert whole["portions"][1]["formats"] == {"PNG": 5}
    assert whole["portions"][1]["sizes"] == {"smallest": "24x20", "median": "24x20", "largest": "24x20"}
    assert whole["duplicates"] == [{"exact": True, "pictures": ["train/dog/0.png", "test/dog/9.png"]}]
    assert [finding["kind"] for finding in whole["findings"]] == ["opening", "leak"]
    assert whole["size"] == [16, 16]


# What keeps training from working


def test_a_domain_that_is_missing_is_an_error_and_the_others_are_looked_at(photos):
    found = run(photos, "cat", "bird")
    assert not found.works
    assert found.command is None
    (finding,) = found.findings
    assert (finding.level, finding.kind) == ("error", "domain")
    assert "has no pictures of bird" in finding.text
    assert {portion.name for portion in found.portions} == {"cat"}


def test_channels_that_differ_within_a_domain_are_an_error(photos):
    from translate.data import tiff

    tiff.write(photos / "train" / "dog" / "scan.tif", noise((30, 30, 5)))
    found = run(photos)
    assert [finding.kind for finding in found.findings if finding.level == "error"] == ["domain"]
    assert "all pictures of a domain must have as many" in said(found)["domain"]


def test_a_domain_of_which_no_picture_can_be_decoded_is_an_error(photos):
    for path in (photos / "train" / "dog").iterdir():
        path.write_bytes(path.read_bytes()[:200])
    found = run(photos)
    assert not found.works
    (error,) = (finding for finding in found.findings if finding.level == "error")
    assert error.text.startswith("None of the 5 pictures of dog can be decoded: train/dog/0.png cannot be read as a picture (")
    assert len(error.names) == 5


def test_what_is_no_folder_and_names_that_nobody_has_are_refused(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        run(tmp_path / "nowhere")
    with pytest.raises(NoDomain, match="no pictures for the domains"):
        check(installed(), ("no-such-thing",), None)


# What does not, and is to be known


def test_one_damaged_picture_is_a_warning(photos):
    path = photos / "train" / "dog" / "3.png"
    path.write_bytes(path.read_bytes()[:200])
    found = run(photos)
    assert found.works
    assert said(found)["unreadable"].startswith(
        "dog: 1 of 5 pictures cannot be decoded: train/dog/3.png cannot be read as a picture ("
    )


def test_sizes_and_shapes_that_do_not_suit_the_run(photos, monkeypatch):
    monkeypatch.setattr(findings, "HUGE", 10_000)
    draw(photos / "train" / "cat" / "huge.png", 50, (101, 100))
    draw(photos / "train" / "cat" / "wide.png", 51, (30, 61))
    draw(photos / "train" / "cat" / "just.png", 52, (30, 60))
    draw(photos / "train" / "cat" / "small.png", 53, (40, 15))
    found = run(photos)
    names = {finding.kind: finding.names for finding in found.findings}
    assert names == {
        "huge": ("train/cat/huge.png",),
        "shape": ("train/cat/small.png", "train/cat/wide.png"),
        "tiny": ("train/cat/small.png",),
    }
    assert "down to 15 px" in said(found)["tiny"]
    assert "--fit crop" in said(found)["shape"]
    assert "tiny" not in said(run(photos, "cat", size=Size(20, 15)))


def test_few_and_unbalanced_pictures(tmp_path, monkeypatch):
    for name, count in (("a", 34), ("b", 3), ("c", 4)):
        for number in range(count):
            draw(tmp_path / name / f"{number}.png", 100 * ord(name) + number)
    assert "11 times" in said(run(tmp_path, "a", "b"))["unbalanced"]
    assert said(run(tmp_path, "a", "c")) == {}
    monkeypatch.setattr(findings, "FEW", 5)
    assert said(run(tmp_path, "a", "c"))["few"].startswith("Few pictures: c has 4 pictures. Below about 5, start from a run")


def test_grey_among_colour_and_domains_that_differ_in_channels(photos):
    draw(photos / "train" / "dog" / "grey.png", 60, mode="L")
    found = run(photos)
    assert said(found)["grey"].startswith(
        "dog: 1 of 6 pictures (train/dog/grey.png) has no colour among pictures that do (1 is stored as grey); leave it out"
    )
    assert list(said(found)) == ["grey"]
    for number, path in enumerate((photos / "train" / "cat").iterdir()):
        draw(path, 70 + number, mode="L")
    found = run(photos)
    assert "cat" not in said(found)["grey"]
    assert said(found)["channels"].startswith("The domains have 1 (cat) and 3 (dog) channels")


def test_depths_that_are_mixed_and_links_that_lead_out_are_said_as_a_run_says_them(photos, tmp_path):
    (photos / "train" / "dog" / "deep.png").write_bytes(png(noise((20, 24, 3), "uint16"), bits=16))
    (photos / "train" / "dog" / "link.png").symlink_to(draw(tmp_path / "elsewhere.png", 80))
    texts = [finding.text for finding in run(photos).findings if finding.kind == "opening"]
    assert any("16 and of 8 bits are mixed" in text for text in texts)
    assert sum("link(s) that lead out of the data (link.png)" in text for text in texts) == 1


def test_pictures_of_one_colour(photos):
    Image.fromarray(np.full((20, 20, 3), (9, 8, 7), np.uint8)).save(photos / "train" / "cat" / "blank.png")
    assert "blank" in said(run(photos))


def test_repeats_leaks_and_pictures_in_two_domains_are_told_apart(tmp_path):
    for name, seeds in {"train/a": (1, 2, 3, 4), "train/b": (5, 6, 7, 8), "test/a": (9, 10), "test/b": (11,)}.items():
        for seed in seeds:
            paint(tmp_path / name / f"{seed}.png", seed)
    assert said(run(tmp_path)) == {}
    assert run(tmp_path).groups == ()
    shutil.copy(tmp_path / "train/a/1.png", tmp_path / "train/a/again.png")
    Image.open(tmp_path / "train/a/2.png").save(tmp_path / "test/a/leaked.jpg", quality=60)
    Image.open(tmp_path / "train/a/3.png").resize((70, 70)).save(tmp_path / "train/b/shared.png")
    found = run(tmp_path)
    names = {finding.kind: finding.names for finding in found.findings}
    assert names == {
        "leak": ("test/a/leaked.jpg",),
        "shared": ("train/a/3.png", "train/b/shared.png"),
        "duplicates": ("train/a/again.png",),
    }
    assert [group.exact for group in found.groups] == [True, False, False]
    assert said(found)["duplicates"].startswith("a: 1 picture too many (train/a/again.png)")


def test_pairs_side_by_side_and_tables_are_looked_at_too(tmp_path):
    for number in range(3):
        draw(tmp_path / "maps" / "train" / f"{number}.png", number, (20, 40))
    found = run(tmp_path / "maps")
    assert [(portion.name, len(portion.looks)) for portion in found.portions] == [("A", 3), ("B", 3)]
    assert found.portions[0].looks[0].width == 20
    for number in range(2):
        draw(tmp_path / "faces" / f"{number}.png", 10 + number)
    (tmp_path / "faces" / "t.csv").write_text("file,young\n0.png,1\n1.png,0\n")
    found = run(tmp_path / "faces", "t.csv:young=1", "t.csv:young=0")
    assert [[look.name for look in portion.looks] for portion in found.portions] == [["0.png"], ["1.png"]]


def test_what_is_passed_over_where_nobody_named_the_domains_is_said(tmp_path):
    for name in ("img/1.png", "img/2.png"):
        draw(tmp_path / name, 1)
    (tmp_path / "leer").mkdir()
    (tmp_path / "t.csv").write_text("file,young\n1.png,1\n2.png,0\n")
    found = run(tmp_path)
    assert said(found)["empty"] == "leer/ holds no pictures and is left out; put some in, or delete it."
    assert said(found)["hint"] == (
        "There is a table, t.csv, whose rows can be domains; try --domains t.csv:young=1 t.csv:young=0."
    )
    (tmp_path / "notes").mkdir()
    assert said(run(tmp_path))["empty"].startswith("leer/ and notes/ hold no pictures and are left out; ")
    assert not {"empty", "hint"} & set(said(run(tmp_path, "img")))


def test_one_thing_is_said_as_of_one_and_several_as_of_several(photos):
    draw(photos / "train" / "dog" / "a.png", 60, mode="L")
    draw(photos / "train" / "dog" / "b.png", 61)
    assert "dog: 1 of 7 pictures (train/dog/a.png) has no colour" in said(run(photos))["grey"]
    Image.open(photos / "train" / "dog" / "a.png").convert("RGB").rotate(90).save(photos / "train" / "dog" / "c.png")
    assert said(run(photos))["grey"] == (
        "dog: 2 of 8 pictures (train/dog/a.png, train/dog/c.png) have no colour among pictures that do (1 is stored as grey); leave "
        "them out where colour matters."
    )
    for name in "ab":
        path = photos / "train" / "cat" / f"{name}.png"
        draw(path, 62).write_bytes(path.read_bytes()[:200])
    text = said(run(photos))["unreadable"]
    assert text.startswith("cat: 2 of 7 pictures cannot be decoded, such as train/cat/a.png, which cannot be read as a picture (")
    assert text.endswith("); others stand in for them, so delete or replace them.")
