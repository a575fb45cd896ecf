"""``translate data list`` and ``translate data get``, with a server on the loopback in place of the web."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from flaky_server import Answer, serving

from translate.cli import main
from translate.cli.data import get
from translate.data import catalogue, obtain
from translate.data.published import DataSet, Download
from translate.isolation import Guard
from translate.plugins import installed

REAL = Path(__file__).parents[2].parent / "shared" / "data"
NAMES = [
    *("apple2orange", "celeba", "edges2shoes", "facades", "fashion-mnist", "horse2zebra"),
    *("maps", "mnist", "monet2photo", "summer2winter", "utkface"),
]
PICTURES = {
    f"cat2dog/{split}/{number}.jpg": f"{split}{number}".encode() * 90 for split in ("trainA", "trainB") for number in range(3)
}


def archived(files=PICTURES) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return kept.getvalue()


ARCHIVE = archived()
DIGEST = hashlib.sha256(ARCHIVE).hexdigest()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Data sets are fetched to a folder of this test, nothing asks a proxy, and what comes need be no pictures but where a test says so."""
    monkeypatch.setattr(get, "_check", lambda data_set, folder: None)
    monkeypatch.setattr(catalogue, "fetched_data", lambda: tmp_path / "fetched")
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "sync", lambda: None)  # everybody's writes are waited for, which takes its time
    return tmp_path / "fetched"


@pytest.fixture
def server():
    with serving() as server:
        server.script = [Answer(ARCHIVE)]
        yield server


@pytest.fixture
def known(monkeypatch, server):
    """The data sets of the plugins, and ``cat2dog``, ``secret`` and ``digits`` on the server; it can be changed."""
    sets = installed().data_sets
    cats = DataSet(
        "Cats and dogs",
        "https://example.org",
        "MIT",
        "Somebody 2020",
        ("cat", "dog"),
        (Download("cat2dog.zip", (f"{server.url}/cat2dog.zip",), len(ARCHIVE), DIGEST),),
        inside="cat2dog",
    )
    secret = replace(cats, files=(), terms="ask for it at https://example.org, and say 'translate data get secret --from FILE'.")
    digits = replace(
        cats,
        files=tuple(
            Download(name, (f"{server.url}/{name}",), len(name), hashlib.sha256(name.encode()).hexdigest())
            for name in ("a.gz", "b.gz")
        ),
        archive=False,
        inside="",
        folder="DIGITS/raw",
    )
    for name, each in {"cat2dog": cats, "secret": secret, "digits": digits}.items():
        monkeypatch.setitem(sets._factories, name, each)
        monkeypatch.setitem(sets._owners, name, "test")
    return sets._factories


def tree(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


WHOLE = {name.removeprefix("cat2dog/"): content for name, content in PICTURES.items()}


def fails(capsys, *arguments) -> str:
    assert main(["data", "get", *arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith("translate: ")
    assert said.count("\n") == 1
    return said


# The list


def test_the_catalogue(capsys):
    assert main(["data", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert sorted(rows) == NAMES
    for row in rows.values():
        assert row["licence"]
        assert row["citation"]
        assert row["homepage"].startswith("http")
        assert bool(row["files"]) != bool(row["terms"]), "either a program may fetch it, or it says how a person does"
        for file in row["files"]:
            assert file["urls"]
            assert (file["sha256"] is None) == (row["checksums"] == "")
            assert file["sha256"] is None or len(bytes.fromhex(file["sha256"])) == 32
    assert [name for name, row in rows.items() if row["files"] and not row["checksums"]] == ["edges2shoes"]
    assert rows["horse2zebra"]["files"][0]["urls"][0] == "https://efrosgans.eecs.berkeley.edu/cyclegan/datasets/horse2zebra.zip"
    assert rows["mnist"]["size"] == 9_912_422 + 28_881 + 1_648_877 + 4_542


def test_the_list_for_people(capsys, home):
    (home / "maps").mkdir(parents=True)
    assert main(["data", "list"]) == 0
    out = capsys.readouterr().out
    assert "\nhorse2zebra: Photographs of horses and of zebras\n  size: 116.9 MB to download\n" in out
    assert f"fetched, in {home / 'maps'}" in " ".join(out.split())
    assert "size: by hand" in out
    assert "checksum: none is known" in out


@pytest.mark.skipif(not (REAL / "MNIST").is_dir(), reason="the real files are not here")
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_the_real_files_are_what_the_catalogue_says(name, home, capsys):
    """And they land where the domain of that name looks for them, without ``--data``."""
    raw = REAL / installed().data_sets[name].folder
    assert main(["data", "get", name, "--from", str(raw)]) == 0
    assert "Everything that came was verified: SHA-256 of the published files" in capsys.readouterr().out
    found = catalogue.open_domains(Guard(installed()), (f"{name}:3",), None, None)
    assert found.root == home / name
    assert len(found.train[0]) > 5000


# Getting


def test_it_lands_verified_and_says_how_to_use_it(known, home, capsys):
    assert main(["data", "get", "cat2dog"]) == 0
    assert tree(home / "cat2dog") == WHOLE
    assert [each.name for each in home.iterdir()] == ["cat2dog"], "no archive is left"
    out = capsys.readouterr().out
    assert f"cat2dog: 6 files in {home / 'cat2dog'}." in out
    assert "Everything that came was verified by its SHA-256." in out
    assert "Licence: MIT.\nCite: Somebody 2020." in out
    assert f"Train on it: translate run cyclegan --domains cat dog --data {home / 'cat2dog'}" in out


def test_its_files_are_on_the_disk_before_it_has_its_name(known, home, monkeypatch):
    seen = []
    monkeypatch.setattr(os, "sync", lambda: seen.append((len(tree(home)) >= len(WHOLE), (home / "cat2dog").exists())))
    assert main(["data", "get", "cat2dog"]) == 0
    assert seen == [(True, False)]


def test_a_second_time_says_that_it_is_there(known, home, server, capsys):
    assert main(["data", "get", "cat2dog"]) == 0
    asked = len(server.asked)
    assert main(["data", "get", "cat2dog"]) == 0
    assert "is there already" in capsys.readouterr().out
    assert len(server.asked) == asked
    assert "is not empty; delete it" in fails(capsys, "cat2dog", "--from", f"{server.url}/again.zip")


def test_several_files_are_kept_as_they_are(known, home, server):
    server.script = [lambda path: Answer(path[1:].encode())]
    assert main(["data", "get", "digits"]) == 0
    assert tree(home / "digits") == {"DIGITS/raw/a.gz": b"a.gz", "DIGITS/raw/b.gz": b"b.gz"}
    assert main(["data", "get", "digits", "--to", str(home / "new"), "--from", f"{server.url}/mirror/"]) == 2, "its names differ"
    server.script = [lambda path: Answer(path.rpartition("/")[2].encode())]
    assert main(["data", "get", "digits", "--to", str(home / "new"), "--from", f"{server.url}/mirror/"]) == 0
    assert server.asked[-1][0] == "/mirror/b.gz"


def test_without_a_known_checksum_it_says_so_and_names_the_one_that_came(known, home, server, capsys):
    known["cat2dog"] = replace(known["cat2dog"], files=(replace(known["cat2dog"].files[0], size=None, sha256=None),))
    assert main(["data", "get", "cat2dog"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "No checksum is known for cat2dog: what came was not verified beyond its length and that it holds its domains." in out
    assert f"cat2dog.zip has the SHA-256 {DIGEST}, which --sha256 takes." in out
    assert "Everything that came was verified" not in out
    assert main(["data", "get", "cat2dog", "--to", str(home / "b"), "--sha256", DIGEST.upper()]) == 0
    assert "verified: SHA-256 as given with --sha256." in capsys.readouterr().out
    assert f"expected {'0' * 64}" in fails(capsys, "cat2dog", "--to", str(home / "c"), "--sha256", "0" * 64)
    assert not (home / "c").exists()


FLIPPED = bytearray(ARCHIVE)
FLIPPED[60] ^= 1
FAULTS = {
    "a flipped byte": Answer(bytes(FLIPPED)),
    "a truncation": Answer(ARCHIVE[:-1]),
    "a longer body": Answer(ARCHIVE + b"!", length=None),
    "a 404 page": Answer(b"<html>no</html>", 404, {"Content-Type": "text/html"}),
    "a page that is no 404": Answer(b"<html>no</html>", 200, {"Content-Type": "text/html"}),
    "another archive": Answer(archived({"x": b"1"})),
}


#: Without a checksum, nobody could tell another archive from the right one.
CASES = [(fault, checked) for fault in FAULTS for checked in (True, False) if checked or fault != "another archive"]


@pytest.mark.parametrize(("fault", "checked"), CASES)
def test_nothing_wrong_lands(known, home, server, capsys, fault, checked):
    if not checked:
        known["cat2dog"] = replace(known["cat2dog"], files=(replace(known["cat2dog"].files[0], size=None, sha256=None),))
    server.script = [FAULTS[fault]]
    said = fails(capsys, "cat2dog")
    assert "cat2dog.zip" in said
    assert "get it" in said
    assert not (home / "cat2dog").exists()
    server.script = [Answer(ARCHIVE)]
    assert main(["data", "get", "cat2dog"]) == 0
    assert tree(home / "cat2dog") == WHOLE


def test_a_dangerous_archive_lands_nothing(known, home, server, capsys, tmp_path):
    evil = archived({**PICTURES, "../../evil.txt": b"evil"})
    server.script = [Answer(evil)]
    said = fails(capsys, "cat2dog", "--sha256", hashlib.sha256(evil).hexdigest())
    assert "outside of the folder" in said
    assert not list(tmp_path.rglob("evil.txt"))
    assert list(home.iterdir()) == []
    server.script = [Answer(ARCHIVE)]
    assert main(["data", "get", "cat2dog"]) == 0
    assert list(home.iterdir()) == [home / "cat2dog"]


def test_a_broken_connection_goes_on_in_the_next_call(known, home, server, capsys, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    server.script = [Answer(ARCHIVE, stop=300), Answer(status=404)]
    assert "answered 404" in fails(capsys, "cat2dog")
    server.script = [Answer(ARCHIVE)]
    assert main(["data", "get", "cat2dog"]) == 0
    assert server.asked[-1][1]["Range"] == "bytes=300-"
    assert tree(home / "cat2dog") == WHOLE


def test_a_killed_process_leaves_nothing_that_is_believed(known, home, server):
    """It is killed when half of the files are unpacked; the next call throws those away and asks for nothing anew."""
    code = (
        "import os, sys, pathlib\n"
        "from translate.data import unpack\n"
        "from translate.data.obtain import obtain\n"
        "from translate.data.published import DataSet, Download\n"
        "url, final = sys.argv[1:]\n"
        "write, count = unpack._Writer.file, []\n"
        "def file(self, *arguments):\n"
        "    write(self, *arguments)\n"
        "    count.append(1)\n"
        "    if len(count) == 3: os.kill(os.getpid(), 9)\n"
        "unpack._Writer.file = file\n"
        "obtain('cat2dog', DataSet('', '', '', '', (), (Download('cat2dog.zip', (url,)),)), pathlib.Path(final))\n"
    )
    url = f"{server.url}/cat2dog.zip"
    assert subprocess.run([sys.executable, "-c", code, url, str(home / "cat2dog")], check=False).returncode == -9
    assert not (home / "cat2dog").exists()
    assert len(tree(home / ".cat2dog.part" / "unpacked")) == 3
    with pytest.raises(Exception, match="pictures"):
        catalogue.open_domains(Guard(installed()), ("cat2dog",), None, None)
    known["cat2dog"] = replace(known["cat2dog"], files=(Download("cat2dog.zip", (url,)),))
    assert main(["data", "get", "cat2dog"]) == 0
    assert tree(home / "cat2dog") == WHOLE
    assert list(home.iterdir()) == [home / "cat2dog"]
    assert len(server.asked) == 1


def test_ctrl_c(known, home, server, capsys, monkeypatch):
    def interrupted(*arguments, **more):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(obtain, "unpack", interrupted)
        assert main(["data", "get", "cat2dog"]) == 130
    assert "the same command goes on with it" in capsys.readouterr().err
    assert not (home / "cat2dog").exists()
    assert main(["data", "get", "cat2dog"]) == 0
    assert len(server.asked) == 1


def test_two_at_once(known, home, capsys):
    work = home / ".cat2dog.part"
    work.mkdir(parents=True)
    with obtain._only_one(work, "cat2dog"):
        assert "Another process is fetching cat2dog" in fails(capsys, "cat2dog")
    assert main(["data", "get", "cat2dog"]) == 0


# From elsewhere


def test_from_a_file(known, home, tmp_path, server, capsys):
    (tmp_path / "mine.zip").write_bytes(ARCHIVE)
    assert main(["data", "get", "cat2dog", "--from", str(tmp_path / "mine.zip")]) == 0
    assert tree(home / "cat2dog") == WHOLE
    assert server.asked == []
    assert (tmp_path / "mine.zip").exists()
    other = archived({"cat2dog/x.jpg": b"1"})
    (tmp_path / "mine.zip").write_bytes(other)
    digest = hashlib.sha256(other).hexdigest()
    to = ["--to", str(tmp_path / "new"), "--from", str(tmp_path / "mine.zip")]
    said = fails(capsys, "cat2dog", *to)
    assert (
        f"has {len(other)} bytes, expected {len(ARCHIVE)}; get it again, or, if you trust it as it is, add --sha256 {digest}."
        in said
    )
    assert main(["data", "get", "cat2dog", *to, "--sha256", digest]) == 0
    assert tree(tmp_path / "new") == {"x.jpg": b"1"}


@pytest.mark.parametrize("fault", ["cut", "flipped", "cut, of a length that nobody knows"])
def test_a_broken_file_is_not_offered_to_be_trusted(known, home, tmp_path, capsys, fault):
    if fault.endswith("nobody knows"):
        known["cat2dog"] = replace(known["cat2dog"], files=(replace(known["cat2dog"].files[0], size=None),))
    (tmp_path / "mine.zip").write_bytes(bytes(FLIPPED) if fault == "flipped" else ARCHIVE[:-40])
    said = fails(capsys, "cat2dog", "--from", str(tmp_path / "mine.zip"))
    assert f"{tmp_path / 'mine.zip'} is damaged" in said
    assert "--sha256" not in said
    assert (f"It has {len(ARCHIVE) - 40} bytes, expected {len(ARCHIVE)}." in said) == (fault == "cut")
    assert not home.exists() or not list(home.iterdir())


def test_another_file_of_the_same_length_is_told_by_its_content(known, tmp_path, capsys):
    same = archived({name: bytes(reversed(content)) for name, content in PICTURES.items()})
    assert len(same) == len(ARCHIVE)
    (tmp_path / "mine.zip").write_bytes(same)
    said = fails(capsys, "cat2dog", "--from", str(tmp_path / "mine.zip"))
    assert f"has the SHA-256 {hashlib.sha256(same).hexdigest()}, expected {DIGEST}; get it again, or" in said


def test_from_a_folder(known, home, tmp_path, capsys):
    for name, content in WHOLE.items():
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_bytes(content)
    os.symlink(tmp_path / "nowhere", tmp_path / "mine" / "dangling")
    assert main(["data", "get", "cat2dog", "--from", str(tmp_path / "mine")]) == 0
    assert tree(home / "cat2dog") == WHOLE
    assert "copied as it is: nothing in it was verified" in capsys.readouterr().out
    assert "cannot be copied into itself" in fails(capsys, "cat2dog", "--from", str(tmp_path), "--to", str(home / "b"))
    (tmp_path / "loop").mkdir()
    os.symlink(tmp_path / "loop", tmp_path / "loop" / "round")
    assert "There are no files in" in fails(capsys, "cat2dog", "--from", str(tmp_path / "loop"), "--to", str(home / "b"))
    (tmp_path / "empty").mkdir()
    assert "There are no files in" in fails(capsys, "cat2dog", "--from", str(tmp_path / "empty"), "--to", str(home / "b"))
    assert sorted(each.name for each in home.iterdir()) == ["cat2dog"]


def test_several_files_from_a_folder_are_verified(known, home, tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.gz").write_bytes(b"a.gz")
    assert "lacks b.gz" in fails(capsys, "digits", "--from", str(tmp_path / "mine"))
    (tmp_path / "mine" / "b.gz").write_bytes(b"c.gz")
    assert f"{tmp_path / 'mine' / 'b.gz'} has the SHA-256" in fails(capsys, "digits", "--from", str(tmp_path / "mine"))
    (tmp_path / "mine" / "b.gz").write_bytes(b"b.gz")
    assert main(["data", "get", "digits", "--from", str(tmp_path / "mine")]) == 0
    assert main(["data", "get", "digits", "--from", str(home / "digits"), "--to", str(home / "again")]) == 0
    assert tree(home / "again") == {"DIGITS/raw/a.gz": b"a.gz", "DIGITS/raw/b.gz": b"b.gz"}


def test_from_another_address(known, home, server):
    assert main(["data", "get", "cat2dog", "--from", f"{server.url}/mirror/x.zip"]) == 0
    assert [path for path, _ in server.asked] == ["/mirror/x.zip"]
    assert tree(home / "cat2dog") == WHOLE


def test_what_no_program_may_fetch(known, home, tmp_path, server, capsys):
    assert "secret cannot be fetched by a program: ask for it at https://example.org" in fails(capsys, "secret")
    assert not home.exists()
    (tmp_path / "mine.zip").write_bytes(ARCHIVE)
    assert main(["data", "get", "secret", "--from", str(tmp_path / "mine.zip")]) == 0
    assert tree(home / "secret") == WHOLE
    assert f"mine.zip has the SHA-256 {DIGEST}" in capsys.readouterr().out
    shutil.rmtree(home / "secret")
    assert main(["data", "get", "secret", "--from", f"{server.url}/x"]) == 0


# Wrong words


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["hors2zebra"], "There is no data set named 'hors2zebra'. Did you mean 'horse2zebra'?"),
        (["cat2dog", "--from", "nothing.zip"], "There is no file or folder nothing.zip; give --from"),
        (["cat2dog", "--from", "ftp://127.0.0.1/x"], "There is no file or folder ftp:/127.0.0.1/x"),
        (["cat2dog", "--sha256", "abc"], "--sha256 takes the 64 hexadecimal digits of a SHA-256, not 'abc'."),
        (["digits", "--sha256", "0" * 64], "--sha256 is for one archive, and digits comes as several files."),
        (["cat2dog", "--sha256", "0" * 64, "--from", "."], "--sha256 is for one archive, and cat2dog comes as a folder."),
        (["digits", "--from", __file__], "digits is no archive but several files; give --from the folder"),
        (
            ["cat2dog", "--from", __file__],
            f"get it again. It has {Path(__file__).stat().st_size} bytes, expected {len(ARCHIVE)}.",
        ),
        (["cat2dog", "--to", __file__], "is a file; give --to a new folder."),
        (["cat2dog", "--to", "."], "is not empty"),
        (["cat2dog", "--to", f"{__file__}/below"], "cannot be made (Not a directory); give another with --to."),
    ],
)
def test_wrong_words(known, home, capsys, monkeypatch, tmp_path, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "something").touch()
    assert said in fails(capsys, *arguments)
    assert not (home / "cat2dog").exists()


def test_a_data_set_says_what_it_is_in_lists_and_when_it_is_shown(capsys):
    assert main(["list", "data-sets"]) == 0
    assert "  utkface          Faces whose file names begin with the age\n" in capsys.readouterr().out
    assert main(["show", "utkface"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("data set utkface\n  plugin: datasets\n")
    assert "terms: read the terms on https://susanqq.github.io/UTKFace/" in shown
