"""Data sets that can be fetched: built-in ones conform, and each fault that the check is for is found and named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from translate import DataSet, Download
from translate.plugins import installed
from translate.testing import NonConforming, check_data_set

FILE = Download("ramps.zip", ("https://example.org/ramps.zip",), 1000, "0" * 64)
OTHER = replace(FILE, name="more.zip")
RAMPS = DataSet("Ramps", "https://example.org", "MIT", "Ramp: Ramps, 2026", ("up", "down"), (FILE,), checksums="our own")


@pytest.mark.parametrize("name", installed().data_sets)
def test_built_in_data_sets_conform(name):
    check_data_set(installed().data_sets[name], name=name)


@pytest.mark.parametrize(
    "good",
    [
        RAMPS,
        replace(RAMPS, inside="ramps/all"),
        replace(RAMPS, files=(FILE, OTHER), archive=False, folder="ramps/raw"),
        replace(RAMPS, files=(replace(FILE, sha256=None, size=None),), checksums=""),
        replace(RAMPS, files=(), terms="Write to the authors."),
    ],
)
def test_a_plain_data_set_conforms(good):
    check_data_set(good, name="ramps")


def with_file(**changes):
    return replace(RAMPS, files=(replace(FILE, **changes),))


@pytest.mark.parametrize(
    ("faulty", "advice"),
    [
        ({"title": "Ramps"}, r"Data set 'ramps' is a dict; register a translate.DataSet"),
        (replace(RAMPS, licence=" "), r"has an empty 'licence', which its users are shown"),
        (replace(RAMPS, citation=""), r"has an empty 'citation'"),
        (replace(RAMPS, domains=()), r"has the domains \(\); they must be different names"),
        (replace(RAMPS, domains=("up", "up")), r"they must be different names"),
        (replace(RAMPS, domains="up"), r"has the domains 'up'; they must be different names, in a tuple"),
        (replace(RAMPS, files=()), r"has no files, and 'terms' does not say"),
        (replace(RAMPS, files=(FILE, OTHER)), r"has 2 files and should be one archive; set archive=False"),
        (replace(RAMPS, files=(FILE, FILE), archive=False), r"has two files of one name among ramps.zip, ramps.zip"),
        (replace(RAMPS, inside="/ramps"), r"has inside='/ramps'; it must be a path below"),
        (replace(RAMPS, folder="../ramps"), r"has folder='../ramps'; it must be a path below"),
        (with_file(name="raw/ramps.zip"), r"File 'raw/ramps.zip' of Data set 'ramps' must have a plain name"),
        (with_file(name=".."), r"must have a plain name"),
        (with_file(urls=()), r"has the addresses \(\)"),
        (with_file(urls="https://example.org"), r"has the addresses 'https://example.org'; they must be a tuple"),
        (with_file(urls=("example.org/ramps.zip",)), r"has the address 'example.org/ramps.zip'; it must begin with https://"),
        (with_file(urls=("file:///etc/passwd",)), r"it must begin with https://"),
        (with_file(size=0), r"has the size 0; it must be a number of bytes"),
        (with_file(sha256="0" * 63), r"must be 64 lower-case hexadecimal digits"),
        (with_file(sha256="A" * 64), r"must be 64 lower-case hexadecimal digits"),
        (replace(RAMPS, checksums=""), r"has SHA-256 digests, and 'checksums' does not say whose word they are"),
    ],
)
def test_a_faulty_data_set_is_told_what_to_do(faulty, advice):
    with pytest.raises(NonConforming, match=advice):
        check_data_set(faulty, name="ramps")
