"""crossinit_fairseq/preparation/downloads/fetching.py"""

import errno
import hashlib
import os
import re
import socket
import threading

import pytest

requests = pytest.importorskip("requests", reason="needs pip install mtdata, which brings requests")

from crossinit_fairseq.errors import InputError  # noqa: E402
from crossinit_fairseq.preparation.downloads import fetching  # noqa: E402
from crossinit_fairseq.preparation.downloads.fetching import content_length, fetch, human, read_json  # noqa: E402

BODY = bytes(range(256)) * 40
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def url(server):
    server.files["/a.gz"] = BODY
    return server.root + "/a.gz"


def sound(path):
    with open(path, "rb") as file:
        return file.read() == BODY and sorted(os.listdir(os.path.dirname(path))) == ["a"]


def test_a_file(tmp_path, server, url):
    path = str(tmp_path / "new" / "a")
    assert content_length(url) == len(BODY) == 10240
    # labelled Content-Encoding: x-gzip, and kept as it is
    assert fetch(url, path, len(BODY), SHA256) == (len(BODY), SHA256)
    assert sound(path) and server.gets() == [("/a.gz", None)]


@pytest.mark.parametrize("urllib3_counts", [True, False])
def test_a_cut_connection_goes_on(tmp_path, server, url, monkeypatch, urllib3_counts):
    def get(*arguments, _get=requests.get, **options):
        answer = _get(*arguments, **options)
        answer.raw.enforce_content_length = urllib3_counts  # urllib3 1 does not notice a cut by itself
        return answer

    monkeypatch.setattr(requests, "get", get)
    # seven failures, never more than the allowed three without a byte between them
    server.cut["/a.gz"] = [1000, 0, 0, 500, 0, 0, 300]
    path = str(tmp_path / "a")
    fetch(url, path, len(BODY) if urllib3_counts else None, SHA256)
    assert sound(path)
    starts = [None] + [f"bytes={n}-" for n in (1000, 1000, 1000, 1500, 1500, 1500, 1800)]
    assert server.gets() == [("/a.gz", start) for start in starts]


def test_an_earlier_run_goes_on(tmp_path, server, url):
    path = tmp_path / "a"
    server.cut["/a.gz"] = [1000, 0, 0, 0]
    with pytest.raises(
        InputError, match=r"(?s)127.0.0.1.*(cut after 1.0 kB of 10.2 kB|IncompleteRead).*run the same command again"
    ):
        fetch(url, str(path))
    assert (tmp_path / "a.part").read_bytes() == BODY[:1000]
    server.gets()
    assert fetch(url, str(path)) == (len(BODY), SHA256)
    assert sound(str(path)) and server.gets() == [("/a.gz", "bytes=1000-")]


@pytest.mark.parametrize("name", ["a.part", "a.part.etag"])
def test_a_link_that_was_laid_there_is_not_followed(tmp_path, server, url, name):
    (tmp_path / "victim").write_bytes(b"mine")
    (tmp_path / name).symlink_to(tmp_path / "victim")
    with pytest.raises(InputError, match="a.part cannot be written: Too many levels of symbolic links"):
        fetch(url, str(tmp_path / "a"))
    assert (tmp_path / "victim").read_bytes() == b"mine"


@pytest.mark.parametrize("size", [None, len(BODY)])
def test_interrupted_between_the_last_byte_and_the_name(tmp_path, server, url, size):
    (tmp_path / "a.part").write_bytes(BODY)
    fetch(url, str(tmp_path / "a"), size)
    assert sound(str(tmp_path / "a"))


def test_too_much_from_an_earlier_run_starts_anew(tmp_path, server, url):
    (tmp_path / "a.part").write_bytes(BODY + b"more")
    fetch(url, str(tmp_path / "a"))
    assert sound(str(tmp_path / "a")) and server.gets() == [("/a.gz", "bytes=10244-"), ("/a.gz", None)]


def test_no_ranges_starts_anew(tmp_path, server, url):
    server.ranges, server.cut["/a.gz"] = False, [1000]
    fetch(url, str(tmp_path / "a"), len(BODY), SHA256)
    assert sound(str(tmp_path / "a"))


def test_two_versions_are_never_stitched(tmp_path, server, url):
    server.cut["/a.gz"] = [1000, 0, 0, 0]
    with pytest.raises(InputError):
        fetch(url, str(tmp_path / "a"))
    server.version, server.files["/a.gz"] = "two", b"z" * 5000
    fetch(url, str(tmp_path / "a"))
    assert (tmp_path / "a").read_bytes() == b"z" * 5000


def test_a_busy_server_is_asked_again(tmp_path, server, url):
    server.status["/a.gz"] = [503, 429, 500]
    fetch(url, str(tmp_path / "a"))
    assert sound(str(tmp_path / "a")) and len(server.gets()) == 4


@pytest.mark.parametrize("status, told", [(404, "HTTP 404 .it has no such file"), (403, "HTTP 403 .it refuses access")])
def test_a_refusal_is_final(tmp_path, server, url, status, told):
    for ask in (lambda: fetch(url, str(tmp_path / "a")), lambda: content_length(url), lambda: read_json(url)):
        server.status["/a.gz"], server.log[:] = [status] * 9, []
        with pytest.raises(InputError, match=told):
            ask()
        assert len(server.log) == 1
    assert not (tmp_path / "a.part").exists()


OK = b"HTTP/1.1 200 OK\r\n"
MOVED = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n"


@pytest.fixture
def answering(monkeypatch):
    """A function that takes the bytes of every answer, and returns the address of a server that gives them."""
    monkeypatch.setattr(fetching, "WAITS", (0, 0))
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(answer):
        def work():
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                with connection:
                    connection.recv(1 << 16)
                    connection.sendall(answer)

        threading.Thread(target=work, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/a"

    yield serve
    listener.close()


@pytest.mark.parametrize("length", ["abc", "\u00b2", "9" * 5000])
def test_a_length_that_is_none(tmp_path, answering, length):
    url = answering(OK + b"Content-Length: " + length.encode("latin-1") + b"\r\n\r\n" + BODY)
    assert content_length(url) is None and fetch(url, str(tmp_path / "a")) == (len(BODY), SHA256)


@pytest.mark.parametrize(
    "answer, told",
    [
        (MOVED + b"\r\n", "answers HTTP 302 .it sends no file."),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "answers HTTP 204 .it sends no file."),
        (MOVED + b"Location: http://[::bad\r\n\r\n", "leads to no address"),
        (MOVED + b"Location: file:///etc/passwd\r\n\r\n", "cannot be fetched"),
        (b"\0\1nonsense\r\n\r\n", "cannot be fetched"),
    ],
)
def test_an_answer_that_is_no_file(tmp_path, answering, answer, told):
    url = answering(answer)
    for ask in (lambda: fetch(url, str(tmp_path / "a")), lambda: content_length(url), lambda: read_json(url)):
        with pytest.raises(InputError, match=told):
            ask()
    assert not (tmp_path / "a").exists()


def test_json_that_is_too_deep(answering):
    with pytest.raises(InputError, match="it sent no JSON"):
        read_json(answering(OK + b"\r\n" + b"[" * 100000))


@pytest.mark.parametrize(
    "words", ["Connection refused", "Failed to resolve 'a' ([Errno -2] Name or service not known)"]
)
def test_no_network(tmp_path, monkeypatch, words):
    monkeypatch.setattr(fetching, "WAITS", (0, 0))

    def unreachable(*arguments, **options):
        raise requests.ConnectionError("Max retries exceeded: " + words)

    monkeypatch.setattr(requests, "get", unreachable)
    monkeypatch.setattr(requests, "head", unreachable)
    for ask in (lambda u: fetch(u, str(tmp_path / "a")), content_length, read_json):
        with pytest.raises(InputError, match=re.escape(f"from example.org ({words}): see to the network")):
            ask("https://example.org/a")


@pytest.mark.parametrize(
    "size, sha256, told",
    [(None, "00", "SHA-256 00 expected, " + SHA256), (10239, None, "10239 bytes expected, 10240 bytes found")],
)
def test_another_content_is_refused_and_deleted(tmp_path, url, size, sha256, told):
    with pytest.raises(InputError, match=told + " found; it was deleted" if sha256 else told):
        fetch(url, str(tmp_path / "a"), size, sha256)
    assert not (tmp_path / "a").exists() and not (tmp_path / "a.part").exists()


def test_no_space_left(tmp_path, monkeypatch, server, url):
    monkeypatch.setattr(fetching, "tqdm", FullDisk)
    with pytest.raises(InputError, match="no space is left for .*a.part after 10.2 kB: make room"):
        fetch(url, str(tmp_path / "a"))
    monkeypatch.undo()
    assert (tmp_path / "a.part").exists()


class FullDisk:
    """Stands for the disk that is full when the first block has come."""

    total = n = 0

    def __init__(self, **options):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        pass

    def update(self, count):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_what_servers_leave_out(tmp_path, server, url):
    server.lengths = False
    assert content_length(url) is None
    fetch(url, str(tmp_path / "a"))
    assert sound(str(tmp_path / "a"))


def test_no_json(server):
    server.files["/list"] = b"<html>"
    with pytest.raises(InputError, match="it sent no JSON"):
        read_json(server.root + "/list")


def test_human():
    assert [human(n) for n in (None, 0, 999, 1000, 41.26e9, 3e12)] == [
        "unknown",
        "0 bytes",
        "999 bytes",
        "1.0 kB",
        "41.3 GB",
        "3.0 TB",
    ]


def test_a_redirection_is_followed_and_a_cut_file_goes_on(tmp_path, server, url):
    server.moved["/old"] = url
    server.moved["/older"] = server.root + "/old"
    server.cut["/a.gz"] = [1000]
    path = str(tmp_path / "a")
    assert content_length(server.root + "/older") == len(BODY)
    assert fetch(server.root + "/older", path, len(BODY), SHA256) == (len(BODY), SHA256)
    assert sound(path) and [wanted for path, wanted in server.gets() if path == "/a.gz"] == [None, "bytes=1000-"]


def test_what_a_redirection_leads_to_must_have_the_checksum(tmp_path, server, url):
    server.files["/other"] = b"another file"
    server.moved["/a.gz"] = server.root + "/other"
    with pytest.raises(InputError, match="is not what it should be: SHA-256 .* found; it was deleted"):
        fetch(url, str(tmp_path / "a"), sha256=SHA256)
    assert os.listdir(str(tmp_path)) == ["a.part.etag"]


def test_redirections_without_end(tmp_path, server, url):
    server.moved["/a.gz"] = url
    for ask in (lambda: fetch(url, str(tmp_path / "a")), lambda: content_length(url), lambda: read_json(url)):
        with pytest.raises(InputError, match="a.gz leads from one address to the next without end"):
            ask()
    assert not (tmp_path / "a").exists()


def test_no_redirection_to_what_is_not_encrypted(tmp_path, server, url, monkeypatch):
    """The server on this machine has no certificate: what is asked for by https is sent there by http."""
    for name in ("get", "head"):
        ask = getattr(requests, name)
        monkeypatch.setattr(
            requests, name, lambda address, ask=ask, **more: ask(address.replace("https:", "http:"), **more)
        )
    server.files["/list"] = b"[]"
    url, listing = (address.replace("http:", "https:") for address in (url, server.root + "/list"))
    for call in (lambda: fetch(url, str(tmp_path / "a")), lambda: content_length(url), lambda: read_json(listing)):
        with pytest.raises(InputError, match="leads to http://127.0.0.1.*, which is not encrypted: it is not followed"):
            call()
    assert not (tmp_path / "a").exists() and not (tmp_path / "a.part").exists()
