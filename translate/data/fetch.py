"""Files from the web, which get their final name only when they are whole and verified.

What comes is kept in ``NAME.part``, and what is known of it in ``NAME.part.json``, so that a download that breaks off, in this process or
another, goes on where it was: where the server still has the very same file, by its ETag or its date, and otherwise from the beginning.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import shutil
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any
from urllib import error, request

from translate.errors import UserError, brief

#: Called with what is being done, how much of it is done and how much there is, in bytes; the last is None where it isn't known.
Progress = Callable[[str, int, int | None], None]

#: No file may be longer, in bytes, where its size isn't known beforehand.
MOST_BYTES = 64 << 30
#: What is read at once, in bytes.
CHUNK = 1 << 18
#: Failures are counted anew when so many more bytes have come.
GAIN = 1 << 20
#: Answers of a server that may be another one a little later.
PASSING = {408, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True)
class Patience:
    """How long a server is waited for, in seconds."""

    #: For a connection, and for each piece of an answer.
    timeout: float = 30.0
    #: In each such span at least ``least`` bytes must come.
    span: float = 60.0
    least: int = 1 << 16
    #: How often a server may fail in a row, and the first pause between two tries; each pause is twice the one before.
    tries: int = 5
    pause: float = 1.0


@dataclass(frozen=True)
class Part:
    """What is known of the bytes in a ``.part`` file: where they are from, of which version of the file, and how many it has."""

    url: str
    validator: str
    length: int | None


@dataclass(frozen=True)
class _Job:
    """One address, and the file that it is brought to."""

    url: str
    part: Path
    size: int | None
    progress: Progress
    patience: Patience


class _Failed(Exception):
    """This mirror won't do; the message follows its address in a sentence."""


class _Broken(Exception):
    """Another try may do; the message follows the address in a sentence."""


class _Redirects(request.HTTPRedirectHandler):
    """Redirects to http and https only, urllib follows some to ftp as well; and never from https to http, which anybody may answer."""

    def redirect_request(
        self, req: request.Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage, newurl: str
    ) -> request.Request | None:
        """The request to go on with."""
        if not is_url(newurl):
            fp.close()
            raise _Failed(f"leads to {newurl}, and only http and https are followed")
        if req.type == "https" and not newurl.lower().startswith("https:"):
            fp.close()
            raise _Failed(f"leads from https to {newurl}, where nobody vouches for what comes")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def is_url(text: str) -> bool:
    """Whether ``text`` is an address on the web rather than a path."""
    return text.lower().startswith(("http://", "https://"))


def amount(count: int) -> str:
    """Bytes for people.

    >>> amount(116_867_962), amount(4_542)
    ('116.9 MB', '4.5 kB')
    """
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} bytes"


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, in hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(
    urls: Sequence[str],
    final: Path,
    *,
    size: int | None = None,
    sha256: str | None = None,
    progress: Progress = lambda what, done, total: None,
    patience: Patience = Patience(),
) -> str:
    """Download ``final`` from the first of ``urls`` that has it, and return its SHA-256.

    One that an earlier call has brought from there is kept. Raises UserError where no address has it, or where the disk is full; then there
    is no file ``final``.
    """
    part = final.with_name(f"{final.name}.part")
    begun = _read_state(part)
    if final.exists():
        digest = digest_of(final)
        if digest == sha256 or (sha256 is None and begun is not None and begun.url in urls):
            return digest
        final.unlink()
    problems = []
    # What was begun is gone on with first: another mirror would begin anew.
    for url in sorted(urls, key=lambda url: begun is None or url != begun.url):
        try:
            _download(_Job(url, part, size, progress, patience))
            digest = digest_of(part)
            if sha256 not in (None, digest):
                _discard(part)
                raise _Failed(f"sent a file with the SHA-256 {digest}, expected {sha256}")
        except _Failed as problem:
            problems.append(f"{url} {problem}")
            continue
        part.replace(final)  # the state stays, and says where the file is from
        return digest
    raise UserError(
        f"{final.name} could not be fetched: {'; '.join(problems)}; try again later, or get it another way and give the file with --from."
    )


def _download(job: _Job) -> None:
    """Bring ``job.part`` to its full length, in as many tries as ``job.patience`` allows."""
    failures, best = 0, _length(job.part)
    while True:
        try:
            return _attempt(job)
        except _Broken as problem:
            reached = _length(job.part)
            failures = 1 if reached >= best + GAIN else failures + 1
            best = max(best, reached)
            if failures >= job.patience.tries:
                raise _Failed(f"{problem}, {failures} tries in a row") from None
            time.sleep(min(job.patience.pause * 2 ** (failures - 1), 30.0))


def _attempt(job: _Job) -> None:
    url, part, size = job.url, job.part, job.size
    state = _read_state(part)
    have = _length(part) if state and state.url == url and state.validator else 0
    if state and have and have == state.length:
        return  # whole; the process ended before it could be verified
    headers = {"User-Agent": "image-translate", "Accept-Encoding": "identity"}
    if state and have:
        headers |= {"Range": f"bytes={have}-", "If-Range": state.validator}
    with _answer(job, headers) as response:
        # A label such as "Content-Encoding: gzip" is ignored: it is often put on archives, whose bytes are wanted as they are.
        if response.headers.get_content_type() == "text/html":
            raise _Failed("answered with a web page instead of a file")
        if response.status == 206 and state and have:
            where = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
            length = int(where[2]) if where else None
            header = "ETag" if state.validator.startswith('"') else "Last-Modified"
            same = response.headers.get(header, state.validator) == state.validator and length == (state.length or length)
            if not where or int(where[1]) != have or not same:
                _discard(part)
                raise _Broken("went on with another file than it began")
        elif response.status == 200:
            said = response.headers.get("Content-Length", "")
            have, length = 0, int(said) if said.isdecimal() else None
            _discard(part)
            if size is not None and length not in (None, size):
                raise _Failed(f"offers {length} bytes, expected {size}")
            if length is not None and length > MOST_BYTES:
                raise _Failed(f"offers {amount(length)}, more than the {amount(MOST_BYTES)} that are taken")
            _write_state(part, Part(url, _validator(response), length))
        else:
            raise _Failed(f"answered {response.status} ({response.reason})")
        _check_room(part, (length or size or 0) - have)
        _copy(response, job, have, length)


def _answer(job: _Job, headers: dict[str, str]) -> http.client.HTTPResponse:
    if not is_url(job.url):
        raise _Failed("is no address that begins with http:// or https://")
    opener = request.OpenerDirector()
    # Not the default opener, which reads file: and ftp: as well.
    for handler in (
        request.ProxyHandler,
        request.HTTPHandler,
        request.HTTPSHandler,
        request.HTTPDefaultErrorHandler,
        request.HTTPErrorProcessor,
        _Redirects,
    ):
        opener.add_handler(handler())
    try:
        response: http.client.HTTPResponse = opener.open(request.Request(job.url, headers=headers), timeout=job.patience.timeout)
        return response
    except error.HTTPError as problem:
        problem.close()
        if problem.code == 416 and "Range" in headers:
            _discard(job.part)
            raise _Broken("has no more of the file that was begun") from None
        if 300 <= problem.code < 400:
            raise _Failed(f"redirects in a circle or to nowhere ({problem.code})") from None
        kind = _Broken if problem.code in PASSING else _Failed
        raise kind(f"answered {problem.code} ({problem.reason})") from None
    except error.URLError as problem:
        # A name that isn't known and a certificate that isn't valid won't be a second later.
        kind = _Failed if isinstance(problem.reason, socket.gaierror | ssl.SSLCertVerificationError) else _Broken
        raise kind(f"cannot be reached ({problem.reason})") from None
    except (http.client.InvalidURL, ValueError) as problem:
        raise _Failed(f"is no address ({problem})") from None
    except (OSError, http.client.HTTPException) as problem:
        raise _Broken(f"broke the connection ({brief(problem)})") from None


def _copy(response: http.client.HTTPResponse, job: _Job, have: int, length: int | None) -> None:
    """Add the rest of the ``length`` that was announced to the ``have`` bytes that are there."""
    most = job.size if job.size is not None else MOST_BYTES
    total = length if length is not None else job.size
    name = job.part.name.removesuffix(".part")
    since, then = time.monotonic(), have
    job.progress(name, have, total)
    with job.part.open("ab") as file:
        while True:
            try:
                piece = response.read1(CHUNK)
            except (OSError, http.client.HTTPException) as problem:
                raise _Broken(f"broke the connection ({brief(problem)})") from None
            if not piece:
                break
            have += len(piece)
            if have > most:
                _discard(job.part)
                raise _Failed(f"sent more than {most} bytes")
            try:
                file.write(piece)
                file.flush()
            except OSError as problem:
                raise UserError(
                    f"{job.part} cannot be written ({problem.strerror}); make room, and the same command goes on."
                ) from None
            now = time.monotonic()
            if now - since >= job.patience.span:
                if have - then < job.patience.least:
                    raise _Broken(f"sent only {have - then} bytes in {now - since:.0f} s")
                since, then = now, have
            job.progress(name, have, total)
    if total is not None and have < total:
        raise _Broken(f"broke off after {have} of {total} bytes")


def _check_room(part: Path, needed: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise UserError(
            f"{part.parent} has room for {amount(free)}, and {amount(needed)} are still to be fetched; make room or give another folder "
            f"with --to."
        )


def _validator(response: http.client.HTTPResponse) -> str:
    """What tells this version of the file from others: a strong ETag, or a date, or nothing."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


def _state_path(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _read_state(part: Path) -> Part | None:
    try:
        known: dict[str, Any] = json.loads(_state_path(part).read_text(encoding="utf-8"))
        return Part(str(known["url"]), str(known["validator"]), known["length"])
    except (OSError, ValueError, LookupError, TypeError):
        return None  # as good as none: the download begins anew


def _write_state(part: Path, state: Part) -> None:
    _state_path(part).write_text(json.dumps(asdict(state)), encoding="utf-8")


def _discard(part: Path) -> None:
    # The bytes go first: left alone with another file's state, they would be taken for its beginning.
    part.unlink(missing_ok=True)
    _state_path(part).unlink(missing_ok=True)


def _length(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0
