"""crossinit_fairseq/preparation/downloads/sentences.py"""

import gzip
import lzma
import os

import pytest

pytest.importorskip("requests", reason="needs pip install mtdata, which brings requests")

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.preparation.downloads.sentences import to_sentences

from .conftest import parquet_of

pytest.importorskip("sentencex")


def convert(tmp_path, content, form, lang="en"):
    """The lines of the result, after a look at what is left beside it."""
    source, target = tmp_path / "download" / ("x." + form), tmp_path / "mono" / "x.txt.gz"
    source.parent.mkdir(exist_ok=True)
    source.write_bytes(content)
    lines = to_sentences(str(source), form, lang, str(target))
    assert os.listdir(str(source.parent)) == []
    text = gzip.decompress(target.read_bytes()).decode()
    assert text.count("\n") == lines
    return text.splitlines()


def test_news_crawl_stays_as_it_is(tmp_path):
    content = gzip.compress("A. B. C.\nşi Mr. D\n".encode())
    assert convert(tmp_path, content, "gz") == ["A. B. C.", "şi Mr. D"]
    assert (tmp_path / "mono" / "x.txt.gz").read_bytes() == content


def test_cc_100_paragraphs_are_split(tmp_path):
    text = "Mr. Smith paid $3.50. He left.\n\n  Next document!  \n".encode() + b"A \xff byte.\n"
    assert convert(tmp_path, lzma.compress(text), "xz") == [
        "Mr. Smith paid $3.50.",
        "He left.",
        "Next document!",
        "A \ufffd byte.",
    ]


def test_wikipedia_articles_are_split(tmp_path):
    content = parquet_of(["नेपाल देश हो। यहाँ हिमाल छन्।\n\nइतिहास", "", "के हो?\n"])
    assert convert(tmp_path, content, "parquet", "ne") == ["नेपाल देश हो।", "यहाँ हिमाल छन्।", "इतिहास", "के हो?"]


def test_the_same_text_gives_the_same_bytes(tmp_path):
    results = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        convert(tmp_path / name, lzma.compress(b"One. Two.\n"), "xz")
        results.append((tmp_path / name / "mono" / "x.txt.gz").read_bytes())
    assert results[0] == results[1]
    assert results[0][3:8] == bytes(5)  # gzip's header: no name, no time


FAULTS = [(form, fault) for form in ("gz", "xz") for fault in ("truncated", "changed", "another kind")]
# a parquet file has no CRC to notice a changed byte: the SHA-256 of Wikipedia's files is checked before
FAULTS += [("parquet", "truncated"), ("parquet", "another kind")]


@pytest.mark.parametrize("form, fault", FAULTS)
def test_a_broken_archive_is_deleted(tmp_path, form, fault):
    text = "".join(f"Line number {k * k}.\n" for k in range(3000))
    pack = {"gz": gzip.compress, "xz": lzma.compress, "parquet": lambda t: parquet_of([t.decode()])}[form]
    content = bytearray(pack(text.encode()))
    if fault == "truncated":
        del content[len(content) // 2 :]
    elif fault == "changed":
        content[len(content) // 3] ^= 0xFF
    else:
        content = b"<html>this is no archive</html>"
    with pytest.raises(InputError, match=f"x.{form} is broken .* was deleted"):
        convert(tmp_path, bytes(content), form)
    assert os.listdir(str(tmp_path / "download")) == [] and not (tmp_path / "mono" / "x.txt.gz").exists()
