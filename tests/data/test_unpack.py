"""Archives, good ones and those of people who mean harm."""

from __future__ import annotations

import errno
import gzip
import io
import os
import random
import stat
import tarfile
import zipfile
from types import SimpleNamespace

import pytest

from translate.data import unpack as module
from translate.data.unpack import BadArchive, Limits, unpack
from translate.errors import UserError

FILES = {
    "set/trainA/1.jpg": b"one" * 500,
    "set/trainA/ünï cödé.jpg": b"two" * 700,
    "set/empty.txt": b"",
    "top.bin": os.urandom(3000),
}


def zipped(path, files, *, mode=None, **more):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            if mode is not None:
                entry.create_system, entry.external_attr = 3, mode << 16
            archive.writestr(entry, content, **more)
    return path


def tarred(path, entries, how="w:gz"):
    """``entries`` are contents by name, or members as they are."""
    with tarfile.open(path, how) as archive:
        for entry in entries.items() if isinstance(entries, dict) else entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
            else:
                member = tarfile.TarInfo(entry[0])
                member.size = len(entry[1])
                archive.addfile(member, io.BytesIO(entry[1]))
    return path


def tree(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(archive, **more) -> str:
    """What is said; nothing is left, neither in the target nor beside it."""
    target = archive.parent / "deep" / "target"
    target.parent.mkdir(exist_ok=True)
    before = sorted(archive.parent.rglob("*"))
    with pytest.raises(UserError) as caught:
        unpack(archive, target, **more)
    assert sorted(archive.parent.rglob("*")) == before
    assert isinstance(caught.value, BadArchive)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Good ones


@pytest.mark.parametrize("how", ["zip", "w", "w:gz", "w:bz2", "w:xz"])
def test_files_come_out_as_they_went_in(tmp_path, how):
    archive = zipped(tmp_path / "a", FILES) if how == "zip" else tarred(tmp_path / "a", FILES, how)
    assert unpack(archive, tmp_path / "out") == len(FILES)
    assert tree(tmp_path / "out") == FILES


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names(tmp_path, form):
    name = "/".join(["folder" * 20] * 3) + "/x.jpg"
    with tarfile.open(tmp_path / "a", "w:gz", format=form) as archive:
        member = tarfile.TarInfo(name)
        member.size = 3
        archive.addfile(member, io.BytesIO(b"abc"))
    unpack(tmp_path / "a", tmp_path / "out")
    assert tree(tmp_path / "out") == {name: b"abc"}


def test_folders_of_their_own_and_dots(tmp_path):
    folder = tarfile.TarInfo("./set")
    folder.type, folder.mode = tarfile.DIRTYPE, 0o000
    dot = tarfile.TarInfo(".")
    dot.type = tarfile.DIRTYPE
    unpack(tarred(tmp_path / "a", [dot, folder, ("./set/x", b"1"), folder]), tmp_path / "out")
    assert tree(tmp_path / "out") == {"set/x": b"1"}
    unpack(zipped(tmp_path / "b", {"set/": b"", "set/x": b"1", "set\\y": b"2"}), tmp_path / "more")
    assert tree(tmp_path / "more") == {"set/x": b"1", "set/y": b"2"}


def test_modes_are_not_taken_over(tmp_path):
    ordinary = tmp_path / "ordinary"
    ordinary.touch()
    member = tarfile.TarInfo("run.sh")
    member.mode = 0o6777
    for archive in (tarred(tmp_path / "a", [member]), zipped(tmp_path / "b", {"run.sh": b""}, mode=stat.S_IFREG | 0o6777)):
        unpack(archive, tmp_path / f"{archive.name}-out")
        assert (tmp_path / f"{archive.name}-out" / "run.sh").stat().st_mode == ordinary.stat().st_mode


def test_progress_counts_bytes(tmp_path):
    for archive in (zipped(tmp_path / "a", FILES), tarred(tmp_path / "b", FILES)):
        steps = []
        unpack(archive, tmp_path / f"{archive.name}-out", progress=lambda *step, steps=steps: steps.append(step))
        assert steps[-1][:2] == ("unpacking", sum(map(len, FILES.values())))
    assert steps[-1][2] is None


# Names that lead elsewhere


ESCAPES = [
    "../x", "a/../../x", "/etc/x", "..\\x", "\\x", "C:x", "c:\\x", "C:/x", "a/..", "//host/x", "a\nb", "a\x1b[31mb"
]  # fmt: skip


@pytest.mark.parametrize("name", ESCAPES)
@pytest.mark.parametrize("make", [zipped, tarred])
def test_names_that_lead_elsewhere(tmp_path, make, name):
    said = refused(make(tmp_path / "a", {"good.jpg": b"1", name: b"evil"}))
    assert "outside of the folder" in said
    assert repr(name) in said or make is tarred  # tarfile shortens some names before anybody sees them


def test_a_nul_in_a_name_ends_it(tmp_path):
    """zipfile cuts the name there, so that what is left is the name that is looked at."""
    data = zipped(tmp_path / "a", {"good.jpgX..": b"1"}).read_bytes().replace(b"good.jpgX", b"good.jpg\0")
    (tmp_path / "a").write_bytes(data)
    unpack(tmp_path / "a", tmp_path / "out")
    assert tree(tmp_path / "out") == {"good.jpg": b"1"}


# Things that are no files


KINDS = {
    "a symbolic link": (tarfile.SYMTYPE, "/etc/passwd"),
    "a link within": (tarfile.SYMTYPE, "good.jpg"),
    "a hard link": (tarfile.LNKTYPE, "good.jpg"),
    "a pipe": (tarfile.FIFOTYPE, ""),
    "a character device": (tarfile.CHRTYPE, ""),
    "a block device": (tarfile.BLKTYPE, ""),
    "holes": (tarfile.GNUTYPE_SPARSE, ""),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_tar_file_with(tmp_path, kind):
    member = tarfile.TarInfo("evil")
    member.type, member.linkname = KINDS[kind]
    assert "'evil' is a link, a device or a file with holes" in refused(tarred(tmp_path / "a", [("good.jpg", b"1"), member]))


def test_a_link_and_then_a_file_through_it(tmp_path):
    link = tarfile.TarInfo("way")
    link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
    refused(tarred(tmp_path / "a", [link, ("way/evil", b"1")]))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_a_zip_file_with_something_else_than_files(tmp_path, kind):
    assert "'evil' is a link or a device" in refused(zipped(tmp_path / "a", {"evil": b"/etc/passwd"}, mode=kind | 0o777))


def test_an_encrypted_zip_file(tmp_path):
    data = bytearray(zipped(tmp_path / "a", {"x": b"secret"}).read_bytes())
    data[6] |= 1  # the flags of the entry, and of its place in the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a").write_bytes(data)
    assert "'x' is encrypted" in refused(tmp_path / "a")


@pytest.mark.parametrize("make", [zipped, tarred])
def test_one_name_twice(tmp_path, make):
    if make is zipped:
        data = zipped(tmp_path / "a", {"x": b"1", "y": b"2"}).read_bytes()
        (tmp_path / "a").write_bytes(data.replace(b"y", b"x"))
    else:
        tarred(tmp_path / "a", [("x", b"1"), ("./x", b"2")])
    assert "twice" in refused(tmp_path / "a")


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.parametrize("names", [("x", "x/y"), ("x/y", "x")])
def test_one_name_as_a_file_and_as_a_folder(tmp_path, make, names):
    assert "twice" in refused(make(tmp_path / "a", dict.fromkeys(names, b"1")))


# Bombs


@pytest.mark.parametrize("make", [zipped, tarred])
def test_what_unpacks_to_far_too_much(tmp_path, make):
    archive = make(tmp_path / "a", {"zeros": bytes(40 << 20)})
    assert archive.stat().st_size < 100_000
    assert "16.8 MB" in refused(archive)


def test_headers_that_say_less_than_comes(tmp_path):
    """The directory of a zip file is a claim, and no more."""
    archive = zipped(tmp_path / "a", {"zeros": bytes(40 << 20)})
    data = bytearray(archive.read_bytes())
    place = data.index(b"PK\x01\x02")
    for at in (place + 24, 22):  # the length when unpacked, in both of its headers
        data[at : at + 4] = (1000).to_bytes(4, "little")
    archive.write_bytes(data)
    assert "damaged" in refused(archive)


def test_a_zip_file_that_uses_the_same_bytes_again_and_again(tmp_path):
    """Each entry of the directory is another name for one piece of data (Fifield, 2019)."""
    archive = zipped(tmp_path / "a", {f"{number:04d}": bytes(1 << 20) for number in range(100)})
    data = bytearray(archive.read_bytes())
    at = data.index(b"PK\x01\x02")
    while at != -1:
        data[at + 42 : at + 46] = bytes(4)
        at = data.find(b"PK\x01\x02", at + 4)
    archive.write_bytes(data)
    refused(archive)


def test_a_limit_on_bytes(tmp_path):
    for archive in (zipped(tmp_path / "a", FILES), tarred(tmp_path / "b", FILES)):
        assert "4.0 kB" in refused(archive, limits=Limits(size=4000))
        assert unpack(archive, tmp_path / f"{archive.name}-out", limits=Limits(size=sum(map(len, FILES.values())))) == 4


def test_a_limit_on_entries(tmp_path):
    for archive in (zipped(tmp_path / "a", FILES), tarred(tmp_path / "b", FILES)):
        assert "more than 3 entries" in refused(archive, limits=Limits(entries=3))


def test_a_header_that_would_fill_the_memory(tmp_path):
    """The long name of a tar file, here of 60 MB, is read at once: before any name can be looked at."""
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 60 << 20
    with gzip.open(tmp_path / "a", "wb") as file:
        file.write(header.tobuf(tarfile.GNU_FORMAT))
        file.write(b"x" * header.size)
    assert "one of its headers is 62.9 MB long" in refused(tmp_path / "a")


def test_many_small_headers_without_files(tmp_path):
    """Endless padding: a bomb whose files are all empty."""
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 8 << 20
    with gzip.open(tmp_path / "a", "wb") as file:
        for _ in range(10):
            file.write(header.tobuf(tarfile.PAX_FORMAT))
            file.write(b"\0" * header.size)
    refused(tmp_path / "a")


# Damage


@pytest.mark.parametrize("how", ["zip", "w", "w:gz", "w:bz2", "w:xz"])
def test_cut_anywhere_it_is_refused(tmp_path, how):
    whole = (zipped(tmp_path / "whole", FILES) if how == "zip" else tarred(tmp_path / "whole", FILES, how)).read_bytes()
    # The zeros at the end of a tar file are padding, of which only the first block is needed.
    end = len(whole) - (tarfile.RECORDSIZE if how == "w" else 1)
    for length in [*range(0, end, max(1, end // 40)), end]:
        (tmp_path / "a").write_bytes(whole[:length])
        refused(tmp_path / "a")


@pytest.mark.parametrize("how", ["zip", "w", "w:gz"])  # Python ignores what follows the end of the two others
def test_longer_than_it_should_be_it_is_refused(tmp_path, how):
    archive = zipped(tmp_path / "a", FILES) if how == "zip" else tarred(tmp_path / "a", FILES, how)
    archive.write_bytes(archive.read_bytes() + b"!" * 600)
    assert "damaged" in refused(archive)


def test_a_comment_at_the_end_of_a_zip_file_is_no_damage(tmp_path):
    with zipfile.ZipFile(zipped(tmp_path / "a", FILES), "a") as archive:
        archive.comment = b"made by hand"
    assert unpack(tmp_path / "a", tmp_path / "out") == len(FILES)


@pytest.mark.parametrize("how", ["zip", "w", "w:gz", "w:bz2", "w:xz"])
def test_mutated_it_is_refused_or_comes_out_whole(tmp_path, how):
    """A flipped bit in a packed file never changes what comes out; in a bare tar file, which has no checksum of its files, it may."""
    whole = (zipped(tmp_path / "whole", FILES) if how == "zip" else tarred(tmp_path / "whole", FILES, how)).read_bytes()
    folder = tmp_path / "deep"
    folder.mkdir()
    chance = random.Random(5)
    outcomes = {"refused": 0, "unpacked": 0}
    for turn in range(120):
        data = bytearray(whole)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        (tmp_path / "a").write_bytes(data)
        target = folder / str(turn)
        try:
            unpack(tmp_path / "a", target)
        except UserError:
            outcomes["refused"] += 1
            assert not target.exists()
        else:
            outcomes["unpacked"] += 1
            if how not in ("w", "zip"):  # names in zip files have no checksum either
                assert tree(target) == FILES
            elif how == "zip":
                assert sorted(tree(target).values()) == sorted(FILES.values())
    assert outcomes["refused"] > 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "deep", "whole"], "nothing came out beside it"
    assert all(path.name.isdecimal() for path in folder.iterdir())


def test_a_header_in_the_middle_that_cannot_be_read(tmp_path):
    """tarfile would take it for the end, and half a data set for a whole one."""
    data = bytearray(tarred(tmp_path / "a", FILES, "w").read_bytes())
    second = data.index(b"top.bin")
    data[second] ^= 1
    (tmp_path / "a").write_bytes(gzip.compress(data))
    assert "breaks off" in refused(tmp_path / "a")


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"PK\x03\x04", b"\x1f\x8b", b"x" * 10_000])
def test_what_is_no_archive(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    assert "neither a zip nor a tar file" in refused(tmp_path / "a")


def test_an_archive_without_files(tmp_path):
    (tmp_path / "a").write_bytes(bytes(10_240))
    assert "there are no files in it" in refused(tmp_path / "a")
    assert "there are no files in it" in refused(zipped(tmp_path / "b", {"set/": b""}))


def test_an_archive_that_asks_for_more_memory_than_there_is(tmp_path, monkeypatch):
    def asks(path):
        raise MemoryError

    monkeypatch.setitem(module.TAR_OPENERS, b"\xfd7zXZ\0", asks)
    assert "is damaged, or neither a zip nor a tar file (MemoryError); get it again." in refused(
        tarred(tmp_path / "a", FILES, "w:xz")
    )


def test_a_zip_file_at_the_end_of_a_tar_file_is_a_file_in_it(tmp_path):
    inner = zipped(tmp_path / "inner", {"x": b"1"}).read_bytes()
    unpack(tarred(tmp_path / "a", {"inner.zip": inner}, "w"), tmp_path / "out")
    assert tree(tmp_path / "out") == {"inner.zip": inner}


# The disk


def test_room_is_looked_for_beforehand(tmp_path, monkeypatch):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    for archive in (zipped(tmp_path / "a", FILES), tarred(tmp_path / "b", FILES)):
        with pytest.raises(UserError, match=r"has room for 1\.0 kB; make room or give another folder with --to\.$"):
            unpack(archive, tmp_path / "out")
        assert not (tmp_path / "out").exists()


def test_a_disk_that_fills_up(tmp_path, monkeypatch):
    def full(self, *arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module._Writer, "file", full)
    with pytest.raises(UserError, match=r"\(No space left on device\)\. Make room") as caught:
        unpack(zipped(tmp_path / "a", FILES), tmp_path / "out")
    assert not isinstance(caught.value, BadArchive), "the archive is good and must not be thrown away"
    assert not (tmp_path / "out").exists()
