"""Downloading one file so that nothing is lost: resumed, tried again, and checked.

mtdata and sacreBLEU start a file anew when the connection breaks, and mtdata checks nothing; hence this file.
"""

import errno
import hashlib
import os
import time
from typing import Any, Callable, Optional, Tuple, TypeVar

import requests
import urllib3
from tqdm import tqdm

from crossinit_fairseq.errors import InputError, first_line

WAITS = (1, 2, 4, 8, 16, 32)  # seconds before trying again; from the first one after bytes have come
TIMEOUT = (10, 60)  # seconds for the connection, and without a byte
BLOCK = 1 << 20
HEADERS = {"User-Agent": "crossinit-prepare download", "Accept-Encoding": "identity"}  # bytes as they are stored
BROKEN = (requests.RequestException, urllib3.exceptions.HTTPError)


Answer = TypeVar("Answer")


class TryAgain(Exception):
    """The server is busy, or the connection was cut."""


def fetch(url: str, path: str, size: Optional[int] = None, sha256: Optional[str] = None) -> Tuple[int, str]:
    """Download to `path`, or go on with `path`.part of an earlier run. Returns (bytes, SHA-256 in hexadecimal).

    size, sha256: what they must be, or None if not known. Raises InputError; a part that is sound so far is kept.
    """
    part, name = path + ".part", os.path.basename(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tqdm(total=size, desc=name, unit="B", unit_scale=True, disable=None) as bar:
        try:
            _retrying(url, lambda: _go_on(url, part, size, bar), lambda: _length(part))
        except OSError as error:
            raise _disk(error, part) from None
    got = _length(part)
    digest = sha256_of(part)
    if size not in (None, got) or sha256 not in (None, digest):
        _remove(part)
        expected, found = f"SHA-256 {sha256}", digest
        if size not in (None, got):
            expected, found = f"{size} bytes", f"{got} bytes"
        raise InputError(
            f"{url} is not what it should be: {expected} expected, {found} found; it was deleted: run the same command "
            "again, and if that does not help, the publisher has changed it"
        )
    os.replace(part, path)
    _remove(part + ".etag")
    return got, digest


def content_length(url: str) -> Optional[int]:
    """The size of a file on a server in bytes, or None if the server does not say. Raises InputError."""

    def ask() -> Optional[str]:
        with requests.head(url, headers=HEADERS, timeout=TIMEOUT, allow_redirects=True) as answer:
            _check_status(answer, url)
            return answer.headers.get("Content-Length")

    return _number(_retrying(url, ask, waits=WAITS[:2]))


def _number(text: Optional[str]) -> Optional[int]:
    """Of a header; None where there is none, or nonsense."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def read_json(url: str) -> Any:
    """What a server answers, decoded. Raises InputError."""

    def ask() -> Any:
        with requests.get(url, headers=HEADERS, timeout=TIMEOUT) as answer:
            _check_status(answer, url)
            try:
                return answer.json()
            except (ValueError, RecursionError):
                raise TryAgain("it sent no JSON") from None

    return _retrying(url, ask, waits=WAITS[:2])


def sha256_of(path: str) -> str:
    """The SHA-256 of a file in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file, tqdm(
        total=os.path.getsize(path), desc="checking", unit="B", unit_scale=True, leave=False, delay=2, disable=None
    ) as bar:
        for block in iter(lambda: file.read(BLOCK), b""):
            digest.update(block)
            bar.update(len(block))
    return digest.hexdigest()


def _go_on(url: str, part: str, size: Optional[int], bar: Any) -> None:
    """Ask for what is missing of `part` and append it."""
    have = _length(part)
    if size is not None and have == size:
        return
    headers, etag = dict(HEADERS), _read(part + ".etag")
    if have:
        headers["Range"] = f"bytes={have}-"
        if etag:
            headers["If-Range"] = etag  # another version of the file comes from its beginning
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if (
            answer.status_code == 416
        ):  # nothing lies behind what is there: complete if the size is not known, else too long
            if size is None and answer.headers.get("Content-Range") == f"bytes */{have}":
                return
            _remove(part)
            raise TryAgain("it has less than was downloaded")
        _check_status(answer, url)
        going_on = answer.status_code == 206
        if going_on and not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            _remove(part)
            raise TryAgain("it sent another range than asked for")
        etag = answer.headers.get("ETag", "")
        with open(part + ".etag", "w", encoding="utf-8", opener=_no_link) as file:
            file.write("" if etag.startswith("W/") else etag)
        length = _number(answer.headers.get("Content-Length"))
        total = None if length is None else length + (have if going_on else 0)
        bar.total, bar.n = total or size, have if going_on else 0
        with open(part, "ab" if going_on else "wb", opener=_no_link) as file:
            # the raw stream: requests would unpack what a server labels as compressed on the way
            for block in answer.raw.stream(BLOCK, decode_content=False):
                file.write(block)
                bar.update(len(block))
    if total is not None and _length(part) != total:
        raise TryAgain(f"the connection was cut after {human(_length(part))} of {human(total)}")


def _retrying(
    url: str,
    action: Callable[[], Answer],
    progress: Callable[[], int] = lambda: 0,
    waits: Optional[Tuple[int, ...]] = None,
) -> Answer:
    """Call until it works; give up when every wait has passed without progress."""
    waits = WAITS if waits is None else waits
    tries = 0
    while True:
        before = progress()
        try:
            return action()
        except requests.TooManyRedirects:
            raise InputError(f"{url} leads from one address to the next without end: has the file moved?") from None
        except InputError:
            raise
        except BROKEN + (TryAgain,) as error:
            tries = 0 if progress() > before else tries
            if tries == len(waits):
                host = urllib3.util.parse_url(url).host
                raise InputError(
                    f"{url.split('?')[0]} cannot be fetched from {host} ({_reason(error)}): see to the network "
                    "connection and run the same command again, it goes on where it stopped"
                ) from None
        except ValueError as error:  # of the address that it leads to
            raise InputError(f"{url} leads to no address ({first_line(error)}): has the file moved?") from None
        time.sleep(waits[tries])
        tries += 1


def _check_status(answer: requests.Response, url: str) -> None:
    """Raises InputError for an answer that is final, TryAgain for one that may be better next time."""
    if url.startswith("https:") and not answer.url.startswith("https:"):
        raise InputError(
            f"{url} leads to {answer.url}, which is not encrypted: it is not followed; has the file moved?"
        )
    status = answer.status_code
    if status == 429 or status >= 500:
        raise TryAgain(f"HTTP {status}")
    if status not in (200, 206):  # a redirection to nowhere, or no content, is no file either
        meaning = {403: "it refuses access", 404: "it has no such file", 410: "the file is gone"}.get(
            status, "it refuses" if status >= 400 else "it sends no file"
        )
        raise InputError(f"the server answers HTTP {status} ({meaning}) to {url}: has the file moved?")


def _reason(error: Any) -> str:
    """The innermost words of an error of requests."""
    while getattr(error, "args", None) and isinstance(error.args[0], Exception):
        error = error.args[0]
    words = str(getattr(error, "reason", error)).split(": ", 1)[-1].strip()
    if words.count("(") != words.count(")"):  # one was cut off with what stood before
        words = words.strip("() ")
    return words or type(error).__name__


def human(count: Optional[float]) -> str:
    """Bytes in words: 41.3 GB (decimal units, as disks and web pages count); None: unknown."""
    if count is None:
        return "unknown"
    units = ["bytes", "kB", "MB", "GB", "TB"]
    while count >= 1000 and len(units) > 1:
        count /= 1000
        del units[0]
    return f"{count:.0f} bytes" if units[0] == "bytes" else f"{count:.1f} {units[0]}"


def _disk(error: OSError, part: str) -> InputError:
    if error.errno == errno.ENOSPC:
        return InputError(
            f"no space is left for {part} after {human(_length(part))}: make room and run the same command again, it "
            "goes on where it stopped"
        )
    return InputError(f"{part} cannot be written: {error.strerror or error}")


def _no_link(path: str, flags: int) -> int:
    """Opens a file whose name can be guessed, as a later run must find it; a link that somebody laid there, not."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o666)


def _length(path: str) -> int:
    return os.path.getsize(path) if os.path.exists(path) else 0


def _read(path: str) -> str:
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as file:
        return file.read()


def _remove(path: str) -> None:
    if os.path.exists(path):
        os.remove(path)
