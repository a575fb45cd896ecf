"""Downloads from a loopback server that does everything wrong: whatever happens, nothing wrong gets the final name."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import signal
import subprocess
import sys
import time
from http.client import HTTPMessage
from types import SimpleNamespace
from urllib import request

import pytest
from flaky_server import Answer, serving

from translate.data import fetch as module
from translate.data.fetch import Patience, amount, fetch
from translate.errors import UserError

BODY = bytes(range(256)) * 200  # 51,200 bytes
SIZE, DIGEST = len(BODY), hashlib.sha256(BODY).hexdigest()
GOOD = Answer(BODY)
HASTE = Patience(timeout=0.2, span=0.2, least=1000, tries=2, pause=0.01)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server():
    with serving() as server:
        yield server


@pytest.fixture
def final(tmp_path):
    return tmp_path / "file.zip"


def get(server, final, *, size=SIZE, sha256=DIGEST, patience=HASTE, **more):
    return fetch([f"{server.url}/file.zip"], final, size=size, sha256=sha256, patience=patience, **more)


def then_it_comes(server, final, **known):
    """A second, good attempt succeeds."""
    server.script = [GOOD]
    assert get(server, final, **known) == DIGEST
    assert final.read_bytes() == BODY


def fails(server, final, *script, **known) -> str:
    """What is said when the server does this; there is no final file, and a good attempt succeeds afterwards."""
    server.script = list(script)
    with pytest.raises(UserError) as caught:
        get(server, final, **known)
    assert not final.exists()
    said = str(caught.value)
    assert "\n" not in said
    then_it_comes(server, final, **known)
    return said


# The six faults


FLIPPED = BODY[:1000] + bytes([BODY[1000] ^ 1]) + BODY[1001:]


def test_a_flipped_byte(server, final):
    said = fails(server, final, Answer(FLIPPED))
    came = hashlib.sha256(FLIPPED).hexdigest()
    assert said == (
        f"file.zip could not be fetched: {server.url}/file.zip sent a file with the SHA-256 {came}, expected {DIGEST}; try again later, "
        f"or get it another way and give the file with --from."
    )


def test_a_truncation(server, final):
    assert "offers 51100 bytes, expected 51200" in fails(server, final, Answer(BODY[:-100]))
    final.unlink()
    # Without a length, and without an ETag to go on with: only the known size tells.
    assert "broke off after 51100 of 51200 bytes, 2 tries" in fails(server, final, Answer(BODY[:-100], length=None, etag=None))


def test_a_truncation_that_only_the_announced_length_tells(server, final):
    said = fails(server, final, Answer(BODY, stop=500, etag=None), size=None, sha256=None)
    assert "broke off after 500 of 51200 bytes" in said


def test_a_longer_body(server, final):
    assert "offers 51201 bytes, expected 51200" in fails(server, final, Answer(BODY + b"!"))
    final.unlink()
    assert "sent more than 51200 bytes" in fails(server, final, Answer(BODY + b"!", length=None))


def test_a_longer_body_than_it_announced(server, final):
    """What comes after the announced length is no part of the answer."""
    server.script = [Answer(BODY + b"more", length=len(BODY))]
    assert get(server, final) == DIGEST
    assert final.read_bytes() == BODY


def test_a_page_that_says_not_found(server, final):
    page = {"Content-Type": "text/html; charset=utf-8"}
    assert "answered 404 (Not Found)" in fails(server, final, Answer(b"<html>", 404, page))
    final.unlink()
    assert "a web page instead of a file" in fails(server, final, Answer(b"<html>", headers=page), size=None, sha256=None)
    assert len(server.asked) == 4, "neither is worth a second try"


def test_a_server_that_says_nothing(server, final):
    server.script = [Answer(BODY, drip=0.5, stop=1)]
    began = time.monotonic()
    said = fails(server, final, *server.script)
    assert "timed out" in said
    assert time.monotonic() - began < 3


def test_a_slow_server(server, final):
    """It never stops sending, but at this pace it would take ten minutes."""
    said = fails(server, final, Answer(BODY, drip=0.012))
    assert "bytes in 0 s, 2 tries in a row" in said


def test_a_broken_connection_that_goes_on(server, final):
    server.script = [Answer(BODY, stop=20_000), Answer(BODY, stop=10_000), GOOD]
    steps = []
    patience = Patience(timeout=1, tries=3, pause=0.01)
    assert get(server, final, patience=patience, progress=lambda *step: steps.append(step)) == DIGEST
    assert [headers.get("Range") for _, headers in server.asked] == [None, "bytes=20000-", "bytes=30000-"]
    assert [headers.get("If-Range") for _, headers in server.asked] == [None, '"one"', '"one"']
    done = [step[1] for step in steps]
    assert done == sorted(done)
    assert steps[-1] == ("file.zip", len(BODY), len(BODY))


def test_another_call_goes_on_too(server, final):
    server.script = [Answer(BODY, stop=20_000), Answer(status=503)]
    with pytest.raises(UserError, match=r"answered 503 \(Service Unavailable\), 2 tries in a row"):
        get(server, final)
    assert not final.exists()
    assert final.with_name("file.zip.part").stat().st_size == 20_000
    then_it_comes(server, final)
    assert server.asked[-1][1]["Range"] == "bytes=20000-"


# Going on, and what can be wrong with it


def begun(server, final, **more):
    """20,000 bytes have come, and the server broke off."""
    server.script = [Answer(BODY, stop=20_000, **more), Answer(status=410)]
    with pytest.raises(UserError, match="410"):
        get(server, final)
    assert final.with_name("file.zip.part").stat().st_size == 20_000


def test_another_version_of_the_file_is_begun_anew(server, final):
    begun(server, final, etag='"zero"')
    then_it_comes(server, final, sha256=None)


def test_a_server_that_goes_on_with_another_version_is_not_believed(server, final):
    """It ignores If-Range and says so only in the ETag: without a known SHA-256, that is all that tells."""
    begun(server, final, etag='"zero"')
    tail = BODY[20_000:]
    ranged = {"Content-Range": f"bytes 20000-{len(BODY) - 1}/{len(BODY)}"}
    server.script = [Answer(tail, 206, ranged, etag='"other"'), GOOD]
    assert get(server, final, sha256=None) == DIGEST
    assert "Range" not in server.asked[-1][1]


def test_a_server_that_goes_on_at_another_place_is_not_believed(server, final):
    begun(server, final)
    server.script = [Answer(BODY[19_000:], 206, {"Content-Range": f"bytes 19000-{len(BODY) - 1}/{len(BODY)}"}), GOOD]
    assert get(server, final, sha256=None) == DIGEST


def test_a_server_without_ranges(server, final):
    begun(server, final)
    server.script = [Answer(BODY, ranges=False)]
    assert get(server, final) == DIGEST
    assert server.asked[-1][1]["Range"] == "bytes=20000-"


def test_without_an_etag_or_a_date_it_is_begun_anew(server, final):
    begun(server, final, etag=None)
    then_it_comes(server, final)
    assert "Range" not in server.asked[-1][1]


def test_a_weak_etag_tells_too_little_and_a_date_enough(server, final):
    date = {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
    begun(server, final, etag='W/"one"', headers=date)
    server.script = [Answer(BODY, etag=None, ranges=False, headers=date)]
    assert get(server, final) == DIGEST
    assert server.asked[-1][1]["If-Range"] == date["Last-Modified"]


def test_a_range_that_cannot_be_had(server, final):
    begun(server, final)
    server.script = [Answer(status=416), GOOD]
    assert get(server, final) == DIGEST
    assert [headers.get("Range") for _, headers in server.asked[-2:]] == ["bytes=20000-", None]


def test_a_state_that_cannot_be_read_is_none(server, final):
    begun(server, final)
    final.with_name("file.zip.part.json").write_text("{")
    then_it_comes(server, final)


def test_bytes_without_their_state_are_not_trusted(server, final):
    final.with_name("file.zip.part").write_bytes(b"x" * 20_000)
    then_it_comes(server, final, sha256=None)


def test_whole_bytes_are_verified_without_asking_again(server, final):
    """As a process leaves them that is killed between the last byte and the renaming."""
    url = f"{server.url}/file.zip"
    for content, asked in ((BODY, 0), (FLIPPED, 1)):
        final.unlink(missing_ok=True)
        final.with_name("file.zip.part").write_bytes(content)
        state = {"url": url, "validator": '"one"', "length": len(BODY)}
        final.with_name("file.zip.part.json").write_text(json.dumps(state))
        server.script = [GOOD]
        if asked:  # wrong bytes are thrown away, and the next call gets them anew
            with pytest.raises(UserError, match="SHA-256"):
                get(server, final)
        assert get(server, final) == DIGEST
        assert len(server.asked) == asked
    assert final.read_bytes() == BODY


def test_what_came_before_is_kept_when_it_is_from_there(server, final):
    then_it_comes(server, final, sha256=None)
    server.script = [Answer(status=404)]
    assert get(server, final, sha256=None) == DIGEST
    with pytest.raises(UserError, match="404"):
        fetch([f"{server.url}/other"], final, patience=HASTE)
    assert not final.exists(), "it was from another address"


def test_a_killed_process(server, final):
    server.script = [Answer(BODY, drip=0.0005)]
    code = (
        "import sys, pathlib; from translate.data.fetch import fetch; "
        "fetch([sys.argv[1]], pathlib.Path(sys.argv[2]), progress=lambda *a: print(flush=True))"
    )
    child = subprocess.Popen([sys.executable, "-c", code, f"{server.url}/file.zip", str(final)], stdout=subprocess.PIPE)
    try:
        for _ in range(200):
            child.stdout.readline()
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    have = final.with_name("file.zip.part").stat().st_size
    assert 0 < have < len(BODY)
    assert not final.exists()
    then_it_comes(server, final)
    assert server.asked[-1][1]["Range"] == f"bytes={have}-"


def test_ctrl_c_leaves_what_has_come(server, final):
    server.script = [GOOD]

    def stop(what, done, total):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get(server, final, progress=stop)
    assert not final.exists()
    assert final.with_name("file.zip.part").exists()
    then_it_comes(server, final)


# Where it leads


def test_redirects_are_followed(server, final):
    server.script = [Answer(status=302, headers={"Location": "/elsewhere"}), GOOD]
    assert get(server, final) == DIGEST
    assert [path for path, _ in server.asked] == ["/file.zip", "/elsewhere"]


def test_redirects_in_a_circle(server, final):
    said = fails(server, final, Answer(status=302, headers={"Location": "/file.zip"}))
    assert "redirects in a circle or to nowhere (302)" in said


@pytest.mark.parametrize("target", ["ftp://127.0.0.1/file.zip", "file:///etc/passwd"])
def test_redirects_to_something_else(server, final, target):
    said = fails(server, final, Answer(status=302, headers={"Location": target}))
    assert "only http and https" in said or "redirects" in said
    assert len(server.asked) == 2


def test_redirects_from_https_to_http_are_not_followed():
    old, new = request.Request("https://example.org/a.zip"), "http://example.org/a.zip"
    with pytest.raises(module._Failed, match="leads from https to http:"):
        module._Redirects().redirect_request(old, io.BytesIO(), 302, "Found", HTTPMessage(), new)
    for first, then in (("http", "https"), ("https", "https"), ("http", "http")):
        followed = module._Redirects().redirect_request(
            request.Request(f"{first}://example.org/a"), io.BytesIO(), 302, "Found", HTTPMessage(), f"{then}://example.org/b"
        )
        assert followed.full_url == f"{then}://example.org/b"


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "/etc/passwd", "http://", "http://[", "http://a b/"])
def test_what_is_no_address(final, url):
    with pytest.raises(UserError, match="could not be fetched"):
        fetch([url], final, patience=HASTE)
    assert not final.exists()


def test_the_next_mirror_is_tried(server, final):
    server.script = [lambda path: GOOD if path == "/second" else Answer(status=404)]
    assert fetch([f"{server.url}/first", f"{server.url}/second"], final, sha256=DIGEST, patience=HASTE) == DIGEST


def test_a_mirror_with_other_bytes_is_passed_over(server, final):
    server.script = [lambda path: GOOD if path == "/second" else Answer(FLIPPED)]
    fetch([f"{server.url}/first", f"{server.url}/second"], final, sha256=DIGEST, patience=HASTE)
    assert final.read_bytes() == BODY


def test_when_no_mirror_has_it_each_is_named_with_its_fault(server, final):
    server.script = [lambda path: Answer(status=404 if path == "/first" else 403)]
    with pytest.raises(
        UserError, match=r"/first answered 404 \(Not Found\); http\S+/second answered 403 \(Forbidden\); try again"
    ):
        fetch([f"{server.url}/first", f"{server.url}/second"], final, patience=HASTE)


def test_a_server_that_isn_t_there(final):
    with serving() as server:
        url = server.url
    with pytest.raises(UserError, match=r"cannot be reached \(.*refused.*\), 2 tries in a row"):
        fetch([url], final, patience=HASTE)


# What else


def test_packing_that_is_only_a_label_is_ignored(server, final):
    """Servers put it on .tar.gz files, whose bytes are wanted as they are."""
    body = gzip.compress(BODY)
    server.script = [Answer(body, headers={"Content-Encoding": "gzip"})]
    get(server, final, size=len(body), sha256=hashlib.sha256(body).hexdigest())
    assert final.read_bytes() == body
    assert server.asked[0][1]["Accept-Encoding"] == "identity"


def test_a_full_disk_is_seen_beforehand(server, final, monkeypatch):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    server.script = [GOOD]
    with pytest.raises(UserError, match=r"has room for 1\.0 kB, and 51\.2 kB are still to be fetched; make room"):
        get(server, final)
    assert not final.exists()


@pytest.mark.parametrize(
    ("answer", "said"), [(GOOD, r"more than the 10\.0 kB"), (Answer(BODY, length=None), "more than 10000 bytes")]
)
def test_no_file_is_endless(server, final, monkeypatch, answer, said):
    monkeypatch.setattr(module, "MOST_BYTES", 10_000)
    server.script = [answer]
    with pytest.raises(UserError, match=said):
        get(server, final, size=None)
    assert list(final.parent.iterdir()) == []


def test_progress_starts_failures_anew(server, final, monkeypatch):
    """A line that breaks again and again still gets there, as long as something comes each time."""
    monkeypatch.setattr(module, "GAIN", 5000)
    server.script = [*(Answer(BODY, stop=6000) for _ in range(8)), GOOD]
    assert get(server, final) == DIGEST


def test_amounts():
    assert [amount(count) for count in (999, 4542, 116_867_962, 1_476_754_427)] == ["999 bytes", "4.5 kB", "116.9 MB", "1.5 GB"]
