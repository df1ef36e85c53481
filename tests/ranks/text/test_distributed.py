"""Counting on a Dask cluster of two processes on this machine."""

import gzip
import sys

import pytest

pytest.importorskip("polars")
pytest.importorskip("dask.distributed")

from crossinit_fairseq.cli.ranks import main
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks import count_text
from crossinit_fairseq.ranks.text.distributed import count_text_distributed, open_cluster


@pytest.fixture(scope="module")
def client():
    with open_cluster("local", 2) as client:
        client.wait_for_workers(2)
        assert len(client.nthreads()) == 2
        yield client


@pytest.fixture
def texts(tmp_path):
    text = "".join(
        "Linia {} are {} cuvinte şi {}\n".format(n, n % 7, "x" * 120 if n == 5 else n % 31) for n in range(3000)
    )
    (tmp_path / "a.txt").write_bytes(text.encode("utf-8"))
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(text[:4000].encode("utf-8")))
    return [str(tmp_path / "*.txt"), str(tmp_path / "b.txt.gz")]


def contents(table):
    return table.words, table.counts.tolist(), table.total, table.settings, table.language


@pytest.mark.parametrize("min_count", [1, 3])
def test_the_same_as_here(client, texts, min_count):
    here = count_text(texts, "ro", lowercase=True, min_count=min_count)
    # the plain file alone makes more than ten tasks
    there = count_text_distributed(client, texts, "ro", lowercase=True, min_count=min_count, part=10000)
    assert contents(there) == contents(here)
    assert here.settings["skipped_long_words"] == "2"


def test_bad_text_is_reported_with_its_line(client, tmp_path):
    lines = [b"line"] * 5000
    lines[4321] = b"na\xefve"
    (tmp_path / "t").write_bytes(b"\n".join(lines))
    with pytest.raises(InputError, match="t is not UTF-8 in line 4322"):
        count_text_distributed(client, str(tmp_path / "t"), "en", part=2000)


def test_standard_input_stays_here(client):
    with pytest.raises(InputError, match="a cluster cannot read standard input"):
        count_text_distributed(client, "-", "en")


def test_no_text(client, tmp_path):
    (tmp_path / "t").write_bytes(b"")
    with pytest.raises(InputError, match="holds no word"):
        count_text_distributed(client, str(tmp_path / "t"), "en")


def test_the_command(client, texts, tmp_path, capsys):
    here, there = str(tmp_path / "here.tsv"), str(tmp_path / "there.tsv")
    assert main(["count", "--lang", "ro"] + texts + ["-o", here]) == 0
    assert main(["count", "--lang", "ro"] + texts + ["-o", there, "--dask", client.scheduler.address]) == 0
    with open(here, "rb") as one, open(there, "rb") as other:
        assert one.read() == other.read()


def test_no_scheduler(monkeypatch):
    with pytest.raises(InputError, match="no Dask scheduler answers at nowhere"):
        with open_cluster("nowhere://x"):
            pass
    monkeypatch.setitem(sys.modules, "dask", None)
    monkeypatch.setitem(sys.modules, "dask.distributed", None)
    with pytest.raises(InputError, match="pip install 'crossinit_fairseq\\[distributed\\]'"):
        with open_cluster("local"):
            pass
