"""A server on this machine that answers as the real ones do, and can be told to fail; the downloads pointed at it."""

import gzip
import hashlib
import http.server
import io
import json
import lzma
import re
import sys
import threading
import types

import pytest

DOWNLOADS = "crossinit_fairseq.preparation.downloads."


class Server:
    """`files`: path to bytes. `status`: path to answers before the file, `cut`: path to bytes after which to hang up;
    `moved`: path to another address."""

    def __init__(self):
        self.files, self.status, self.cut, self.moved, self.log = {}, {}, {}, {}, []
        self.ranges = self.lengths = True
        self.version = "one"
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_HEAD(self):
                self.answer(False)

            def do_GET(self):
                self.answer(True)

            def log_message(self, *arguments):
                pass

            def answer(self, body):
                wanted, if_range = self.headers.get("Range"), self.headers.get("If-Range")
                server.log.append((self.command, self.path, wanted))
                if server.status.get(self.path):
                    return self.send_error(server.status[self.path].pop(0))
                if self.path in server.moved:
                    self.send_response(302)
                    self.send_header("Location", server.moved[self.path])
                    self.send_header("Content-Length", "0")
                    return self.end_headers()
                if self.path not in server.files:
                    return self.send_error(404)
                content, start, etag = server.files[self.path], 0, f'"{server.version}"'
                if wanted and server.ranges and if_range in (None, etag):
                    start = int(re.match(r"bytes=(\d+)-$", wanted).group(1))
                    if start >= len(content):
                        self.send_response(416)
                        self.send_header("Content-Range", f"bytes */{len(content)}")
                        self.send_header("Content-Length", "0")
                        return self.end_headers()
                    self.send_response(206)
                    span = f"bytes {start}-{len(content) - 1}/{len(content)}"
                    self.send_header("Content-Range", span)
                else:
                    self.send_response(200)
                if server.lengths:
                    self.send_header("Content-Length", str(len(content) - start))
                self.send_header("ETag", etag)
                if self.path.endswith(".gz"):
                    self.send_header("Content-Encoding", "x-gzip")  # as Apache labels such files
                self.end_headers()
                if body:
                    cuts = server.cut.get(self.path)
                    self.wfile.write(content[start : start + cuts.pop(0)] if cuts else content[start:])

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.root = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def gets(self):
        """[(path, Range)] of the downloads so far; forgets them."""
        gets = [(path, wanted) for command, path, wanted in self.log if command == "GET"]
        del self.log[:]
        return gets


@pytest.fixture
def server(monkeypatch):
    """A Server; no waits between tries, no proxy."""
    monkeypatch.setattr(DOWNLOADS + "fetching.WAITS", (0, 0, 0))
    monkeypatch.setenv("NO_PROXY", "*")
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


def parquet_of(articles):
    """A parquet file as wikimedia/wikipedia has them, as bytes."""
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    file = io.BytesIO()
    parquet.write_table(pyarrow.table({"title": ["t"] * len(articles), "text": articles}), file, compression="snappy")
    return file.getvalue()


ARTICLES = {
    "ne": [["नेपाल देश हो। यहाँ हिमाल छन्।\n\nइतिहास\nपुरानो छ।"]],
    "hi": [["भारत एक देश है। यह बड़ा है।"]],
    "en": [["A first one. And a second."], ["Third file, first article.", "Its second article."], ["Not in base."]],
    "ro": [["O frază. Încă una."]],
}
SENTENCES = {
    "mono/ne/wikipedia-00000.txt.gz": "नेपाल देश हो।\nयहाँ हिमाल छन्।\nइतिहास\nपुरानो छ।\n",
    "mono/ne/cc-100.txt.gz": "पहिलो वाक्य।\nदोस्रो वाक्य।\nअर्को लेख।\n",
    "mono/hi/wikipedia-00000.txt.gz": "भारत एक देश है।\nयह बड़ा है।\n",
    "mono/en/wikipedia-00000.txt.gz": "A first one.\nAnd a second.\n",
    "mono/en/wikipedia-00001.txt.gz": "Third file, first article.\nIts second article.\n",
    "mono/ro/wikipedia-00000.txt.gz": "O frază.\nÎncă una.\n",
    "mono/ro/news-crawl-2015.txt.gz": "Știri din 2015.\n",
}


@pytest.fixture
def web(server, monkeypatch):
    """The server with the small files of both recipes, and the modules pointed at it."""
    pytest.importorskip("sentencex")
    from crossinit_fairseq.preparation.downloads import sources

    monkeypatch.setattr(DOWNLOADS + "sources.CC_100", server.root + "/cc-100/{}.txt.xz")
    monkeypatch.setattr(DOWNLOADS + "sources.WIKIPEDIA", server.root + "/{}wikipedia/{}/20231101.{}")
    monkeypatch.setattr(sources, "news_crawl_address", lambda lang, year: f"{server.root}/news.{year}.{lang}.gz")
    monkeypatch.setitem(
        sources.RECIPES,
        ("ro-en", "base"),
        [sources.Source("news-crawl", "ro", 2015), sources.Source("wikipedia", "ro")],
    )
    monkeypatch.setitem(
        sources.RECIPES,
        ("ne-en", "base"),
        [sources.Source(kind, "ne") for kind in ("wikipedia", "cc-100")]
        + [sources.Source("wikipedia", "hi"), sources.Source("wikipedia", "en", 2)],
    )
    server.files["/news.2015.ro.gz"] = gzip.compress("Știri din 2015.\n".encode())
    text = "पहिलो वाक्य। दोस्रो वाक्य।\n\nअर्को लेख।\n"
    server.files["/cc-100/ne.txt.xz"] = lzma.compress(text.encode())
    for lang, files in ARTICLES.items():
        entries = [{"type": "directory", "path": f"20231101.{lang}/.git"}]
        for number, articles in enumerate(files):
            name = f"train-{number:05d}-of-{len(files):05d}.parquet"
            content = parquet_of(articles)
            server.files[f"/datasets/wikipedia/resolve/20231101.{lang}/{name}"] = content
            pointer = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}
            entries.append({"type": "file", "path": f"20231101.{lang}/{name}", "size": len(content), "lfs": pointer})
        # the order is no promise
        server.files["/api/datasets/wikipedia/tree/20231101." + lang] = json.dumps(entries[::-1]).encode()
    use_archive(server, monkeypatch, flores_archive())
    return server


def flores_archive():
    """A small archive laid out like FLoRes v1: 3 lines in dev, 2 in devtest."""
    import tarfile

    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for split, count in (("dev", 3), ("devtest", 2)):
            for lang in ("ne", "en"):
                content = "".join(f"{split} {lang} {k}\n" for k in range(count)).encode()
                member = tarfile.TarInfo(f"wikipedia_en_ne_si_test_sets/wikipedia.{split}.ne-en.{lang}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return file.getvalue()


def use_archive(server, monkeypatch, archive):
    """Serve an archive as FLoRes v1."""
    server.files["/flores.tgz"] = archive
    monkeypatch.setattr(DOWNLOADS + "aligned_sets.FLORES", server.root + "/flores.tgz")
    monkeypatch.setattr(DOWNLOADS + "aligned_sets.FLORES_BYTES", len(archive))
    monkeypatch.setattr(DOWNLOADS + "aligned_sets.FLORES_SHA256", hashlib.sha256(archive).hexdigest())
    monkeypatch.setattr(
        DOWNLOADS + "aligned_sets.LINES", {"ne-en": {"dev": 3, "test": 2}, "ro-en": {"dev": 2, "test": 3}}
    )


@pytest.fixture
def no_sacrebleu(monkeypatch):
    """aligned_sets._newstest without its download."""
    texts = {(s, lang): b"x\n" * n for s, n in (("dev", 2), ("test", 3)) for lang in ("ro", "en")}
    monkeypatch.setattr(DOWNLOADS + "aligned_sets._newstest", lambda folder: texts)


def fake_index(monkeypatch, entries):
    """mtdata's index with only these entries: {(group, name, version, language): address}."""
    DatasetId = pytest.importorskip("mtdata.entry").DatasetId
    index = types.SimpleNamespace(
        entries={DatasetId(*key[:3], (key[3],)): types.SimpleNamespace(url=url) for key, url in entries.items()}
    )
    monkeypatch.setitem(sys.modules, "mtdata.index", types.SimpleNamespace(INDEX=index))
