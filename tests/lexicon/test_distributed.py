"""Co-occurrence counted on a Dask cluster of two processes on this machine."""

import gzip

import pytest

pytest.importorskip("polars")
pytest.importorskip("dask.distributed")

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.lexicon.cooccurrence import count_text_cooccurrence
from crossinit_fairseq.lexicon.distributed import count_text_cooccurrence_distributed, open_cluster
from tests.lexicon.test_cooccurrence import all_bytes, make_text, write


@pytest.fixture(scope="module")
def client():
    with open_cluster("local", 2) as client:
        client.wait_for_workers(2)
        yield client


def test_the_same_as_here(client, tmp_path):
    (tmp_path / "more.gz").write_bytes(gzip.compress(make_text(50).encode("utf-8")))
    sources = [write(tmp_path, make_text(400)), str(tmp_path / "more.gz")]
    here = count_text_cooccurrence(sources, "ro", size=100, window=7)
    # the plain file alone makes more than three tasks
    there = count_text_cooccurrence_distributed(client, sources, "ro", size=100, window=7, part=6000)
    assert all_bytes(there) == all_bytes(here)


def test_bad_input_is_reported(client, tmp_path):
    with pytest.raises(InputError, match="a cluster cannot read standard input"):
        count_text_cooccurrence_distributed(client, "-", "en")
    with pytest.raises(InputError, match="holds no word"):
        count_text_cooccurrence_distributed(client, write(tmp_path, "...\n"), "en")
    with pytest.raises(InputError, match="window must be 1 or more"):
        count_text_cooccurrence_distributed(client, write(tmp_path, "a b\n"), "en", window=0)
