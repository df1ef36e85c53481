"""crossinit_fairseq/preparation/downloads/recipe_text.py"""

import collections
import gzip
import json
import lzma
import os
import shutil
import socket
import subprocess
import sys

import pytest

pytest.importorskip("requests", reason="needs pip install mtdata, which brings requests")

from crossinit_fairseq.cli import prepare
from crossinit_fairseq.preparation.downloads import recipe_text
from crossinit_fairseq.preparation.downloads.fetching import human

from .conftest import SENTENCES

NE, RO = ["--recipe", "ne-en", "--yes"], ["--recipe", "ro-en", "--yes"]
CC_100 = "mono/ne/cc-100.txt.gz"


def run(tmp_path, options=NE, status=0):
    assert prepare.main(["download"] + options + ["--out", str(tmp_path / "text")]) == status
    return tmp_path / "text"


def texts(out):
    return {
        str(path.relative_to(out)): gzip.decompress(path.read_bytes()).decode() for path in sorted(out.glob("mono/*/*"))
    }


def wanted(*langs):
    return {name: text for name, text in SENTENCES.items() if name.split("/")[1] in langs}


def error(capsys):
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("crossinit-prepare: error: ")
    return lines[0]


def test_nepali(tmp_path, web, capsys):
    out = run(tmp_path)
    assert texts(out) == wanted("ne", "hi", "en")
    assert sorted(os.listdir(str(out))) == ["dev.en", "dev.ne", "mono", "sources.json", "test.en", "test.ne"]
    entry = json.loads((out / "sources.json").read_text())["files"][CC_100]
    assert entry["bytes"] == len(web.files["/cc-100/ne.txt.xz"]) and entry["lines"] == 3
    assert entry["url"] == web.root + "/cc-100/ne.txt.xz" and len(entry["sha256"]) == 64
    told = capsys.readouterr().out
    assert "5 files to get: " in told and "complete: 5 files" in told
    # what nobody published a checksum of is pinned by the first download, and that is said where it happens
    assert f"{CC_100}: 3 lines; pinned by this first download, SHA-256 {entry['sha256']} in sources.json\n" in told
    assert "mono/hi/wikipedia-00000.txt.gz: 2 lines; has its publisher's SHA-256\n" in told


def test_romanian(tmp_path, web, no_sacrebleu):
    out = run(tmp_path, RO)
    assert texts(out) == wanted("ro")
    assert (out / "test.ro").read_bytes() == b"x\n" * 3


def test_a_second_run_downloads_nothing(tmp_path, web):
    out = run(tmp_path)
    before = texts(out)
    del web.log[:]
    web.files.clear()
    run(tmp_path)
    assert web.log == [] and texts(out) == before


@pytest.mark.parametrize("damage", ["truncated", "deleted", "changed"])
def test_a_damaged_file_alone_is_fetched_again(tmp_path, web, damage, capsys):
    path = run(tmp_path) / CC_100
    if damage == "deleted":
        path.unlink()
    else:
        content, time = path.read_bytes(), path.stat().st_mtime_ns
        path.write_bytes(content[:-1] if damage == "truncated" else content[:-1] + b"!")
        time += damage == "changed"  # a truncated file is noticed by its size alone
        os.utime(str(path), ns=(time, time))
    web.gets()
    capsys.readouterr()
    assert texts(run(tmp_path)) == wanted("ne", "hi", "en")
    assert web.gets() == [("/cc-100/ne.txt.xz", None)]
    assert CC_100 + ": 3 lines; has the SHA-256 of the first download\n" in capsys.readouterr().out


def test_a_copied_file_with_another_time_is_kept(tmp_path, web):
    path = run(tmp_path) / CC_100
    os.utime(str(path), (1, 1))
    del web.log[:]
    run(tmp_path)
    assert web.log == []


def test_a_file_that_changed_on_the_server_is_refused(tmp_path, web, capsys):
    (run(tmp_path) / CC_100).unlink()
    web.files["/cc-100/ne.txt.xz"] = lzma.compress("अर्को।\n".encode())
    capsys.readouterr()
    out = run(tmp_path, status=1)
    told = error(capsys)
    assert "is not what it should be: SHA-256" in told and "the publisher has changed it" in told
    assert not (out / CC_100).exists() and len(texts(out)) == 4


def test_a_wrong_checksum_stops_the_run(tmp_path, web, capsys):
    (path,) = [path for path in web.files if path.endswith("20231101.hi/train-00000-of-00001.parquet")]
    good = web.files[path]
    web.files[path] = good[:-9] + b"x" + good[-8:]
    out = run(tmp_path, status=1)
    assert "SHA-256" in error(capsys) and texts(out) == wanted("ne")
    web.files[path] = good
    assert texts(run(tmp_path)) == wanted("ne", "hi", "en")


def test_cut_for_good_then_resumed(tmp_path, web, capsys):
    web.cut["/cc-100/ne.txt.xz"] = [40, 0, 0, 0]
    run(tmp_path, status=1)
    assert "it goes on where it stopped" in error(capsys)
    web.gets()
    assert texts(run(tmp_path)) == wanted("ne", "hi", "en")
    # the estimate counts what is there
    missing = [n for path, n in sizes(web).items() if ".ne/" not in path]
    assert f"4 files to get: {human(sum(missing) - 40)} to download" in capsys.readouterr().out
    gets = web.gets()
    assert ("/cc-100/ne.txt.xz", "bytes=40-") in gets and not any("20231101.ne" in path for path, _ in gets)


def test_interrupted(tmp_path, web, capsys, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(recipe_text, "to_sentences", interrupt)
        run(tmp_path, status=130)
    assert "stopped: run the same command again" in capsys.readouterr().err
    web.gets()
    assert texts(run(tmp_path)) == wanted("ne", "hi", "en")


def test_a_missing_file(tmp_path, web, capsys):
    del web.files["/cc-100/ne.txt.xz"]
    out = run(tmp_path, status=1)
    assert "HTTP 404 (it has no such file) to " + web.root + "/cc-100/ne.txt.xz" in error(capsys)
    assert not (out / "mono").exists()  # the sizes are asked for before anything is downloaded


def test_a_broken_archive(tmp_path, web, capsys):
    web.files["/cc-100/ne.txt.xz"] = web.files["/cc-100/ne.txt.xz"][:-30]
    run(tmp_path, status=1)
    assert "cc-100.txt.gz.xz is broken" in error(capsys)


def sizes(web):
    """Bytes of what the Nepali recipe downloads, without the aligned sets, by path."""
    return {
        path: len(content)
        for path, content in web.files.items()
        if path.endswith((".parquet", "ne.txt.xz")) and ".ro/" not in path and "00002-of" not in path
    }


Usage = collections.namedtuple("Usage", "total used free")


def test_no_space(tmp_path, web, capsys, monkeypatch):
    size = sizes(web)
    xz = size.pop("/cc-100/ne.txt.xz")
    english = sum(n for path, n in size.items() if ".en/" in path)
    # kept: 2.9 of the xz, 0.73 of English and 0.85 of other parquet; and the largest download beside it
    kept = xz * 2.9 + english * 0.73 + (sum(size.values()) - english) * 0.85
    need = kept + max(size.values())
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(1, 1, need - 10))
    out = run(tmp_path, status=1)
    told = error(capsys)
    assert "this needs 4." in told and "choose --size base or another --out" in told and str(out) in told
    assert not (out / "mono").exists() and not (out / "dev.ne").exists()
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(1, 1, need + 10))
    run(tmp_path)


def test_sizes_that_no_server_tells(tmp_path, web, capsys):
    web.lengths = False
    out = run(tmp_path)
    assert "1 files of unknown size come on top" in capsys.readouterr().out and texts(out) == wanted("ne", "hi", "en")


def test_the_question(tmp_path, web, capsys, monkeypatch):
    options = ["--recipe", "ne-en"]
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    out = run(tmp_path, options, status=1)
    assert "add --yes" in error(capsys)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda prompt: "n")
    run(tmp_path, options, status=1)
    assert "not started" in error(capsys) and not (out / "mono").exists()
    monkeypatch.setattr("builtins.input", lambda prompt: "y")
    assert len(texts(run(tmp_path, options))) == 5


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "[" * 100000,
        '{"files": {}}',
        '{"files": [1], "listings": {}}',
        '{"files": {"mono/ne/cc-100.txt.gz": {}}, "listings": {}}',
        '{"files": {"a": {"url": 1, "sha256": "x", "file": {}}}, "listings": {}}',
        '{"files": {"a": {"url": "u", "sha256": "x", "file": {"bytes": 1}}}, "listings": {}}',
    ],
)
def test_a_broken_manifest(tmp_path, web, capsys, content):
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "sources.json").write_text(content)
    run(tmp_path, status=1)
    assert "sources.json cannot be read: delete it" in error(capsys)


def test_a_folder_that_cannot_be_made(tmp_path, capsys):
    (tmp_path / "text").write_text("a file")
    run(tmp_path, status=1)
    assert "text cannot be made" in error(capsys)


@pytest.mark.parametrize("recipe", ["ro-en", "ne-en"])
def test_list_asks_no_network(capsys, monkeypatch, recipe):
    def unreachable(*arguments, **options):
        raise AssertionError("--list opened a connection")

    monkeypatch.setattr(socket, "socket", unreachable)
    assert prepare.main(["download", "--recipe", recipe, "--size", "paper", "--list"]) == 0
    table = capsys.readouterr().out
    assert "about 82 GB" in table and "CC BY-SA 3.0 and GFDL" in table and "SHA-256 of the first download" in table
    assert ("MD5 known to sacreBLEU" if recipe == "ro-en" else "SHA-256 known here") in table


def test_as_a_program(tmp_path):
    command = [sys.executable, "-m", "crossinit_fairseq.cli.prepare", "download", "--recipe", "ne-en"]
    done = subprocess.run(command + ["--list"], stdout=subprocess.PIPE, cwd=str(tmp_path), check=True)
    assert b"wikipedia" in done.stdout and not os.listdir(str(tmp_path))
    assert subprocess.run(command + ["--size", "all"], stderr=subprocess.PIPE).returncode == 2
