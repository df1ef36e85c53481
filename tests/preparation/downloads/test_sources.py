"""crossinit_fairseq/preparation/downloads/sources.py"""

import json
import pathlib

import pytest

pytest.importorskip("requests", reason="needs pip install mtdata, which brings requests")

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.preparation.downloads import sources
from crossinit_fairseq.preparation.downloads.sources import RECIPES, Source, files_of, table, with_size

from .conftest import fake_index


def test_news_crawl_by_mtdata(monkeypatch):
    # as mtdata 0.5.1 has it
    address = "https://data.statmt.org/news-crawl/ro/news.2015.ro.shuffled.deduped.gz"
    fake_index(monkeypatch, {("Statmt", "news_crawl", "2015", "ron"): address})
    (file,) = files_of(Source("news-crawl", "ro", 2015), {})
    assert (file.url, file.target, file.form) == (address, "mono/ro/news-crawl-2015.txt.gz", "gz")
    assert file.size is file.sha256 is None
    with pytest.raises(InputError, match="no News Crawl 1999 of ro: pip install mtdata"):
        files_of(Source("news-crawl", "ro", 1999), {})


def test_every_year_is_in_the_index_of_mtdata():
    mtdata = pytest.importorskip("mtdata")
    if not mtdata.cached_index_file.exists():
        pytest.skip("mtdata has made no index yet, which takes 15 seconds: run `mtdata list -l ro` once")
    for source in {s for recipe in RECIPES.values() for s in recipe if s.kind == "news-crawl"}:
        address = sources.news_crawl_address(source.lang, source.part)
        assert address.startswith("https://") and f"/{source.lang}/news.{source.part}.{source.lang}." in address


def test_wikipedia_files_in_order_with_their_checksums(web):
    listings = {}
    files = files_of(Source("wikipedia", "en", 2), listings)
    assert [file.target for file in files] == [f"mono/en/wikipedia-0000{k}.txt.gz" for k in (0, 1)]
    for number, file in enumerate(files):
        path = f"/datasets/wikipedia/resolve/20231101.en/train-0000{number}-of-00003.parquet"
        assert file.url == web.root + path and file.size == len(web.files[path]) and len(file.sha256) == 64
    assert len(files_of(Source("wikipedia", "en"), listings)) == 3
    # the revision is pinned, so its list is asked for once, and may go through JSON
    assert len(web.gets()) == 1
    assert files_of(Source("wikipedia", "en", 2), json.loads(json.dumps(listings))) == files and not web.gets()


@pytest.mark.parametrize(
    "answer, told",
    [
        ({"error": "x"}, "not known here"),
        ([{"path": "a.parquet"}], "not known here"),
        ([], "no parquet"),
        ([{"path": "\x1b[2Ja.parquet", "lfs": {"size": 1, "oid": "a"}}], "a strange name"),
    ],
)
def test_another_answer_of_hugging_face(web, answer, told):
    web.files["/api/datasets/wikipedia/tree/20231101.ne"] = json.dumps(answer).encode()
    with pytest.raises(InputError, match=told):
        files_of(Source("wikipedia", "ne"), {})


def test_sizes(web):
    (file,) = files_of(Source("cc-100", "ne"), {})
    size = len(web.files["/cc-100/ne.txt.xz"])
    assert file.size is None and with_size(file).size == size
    # Nepali grows by 2.9 from xz to gz
    assert with_size(file).kept_bytes() == int(size * 2.9) and file.kept_bytes() == 0


def test_the_paper_takes_what_the_paper_names():
    for recipe, langs in (("ro-en", {"ro", "en"}), ("ne-en", {"ne", "hi", "en"})):
        expected = {Source(kind, lang) for kind in ("wikipedia", "cc-100") for lang in langs}
        assert set(RECIPES[recipe, "paper"]) == expected
        assert {source.lang for source in RECIPES[recipe, "base"]} == langs


def test_every_source_is_in_the_table_and_the_readme():
    readme = (pathlib.Path(sources.__file__).parent / "README.md").read_text("utf-8")
    for recipe, size in RECIPES:
        rows = table(recipe, size)
        assert len(rows) == 1 + len(RECIPES[recipe, size]) and all(all(row) for row in rows)
        assert all(row[0].split(",")[0].split(" ")[0] in readme for row in rows[1:])
