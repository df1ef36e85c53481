"""Reading raw text: compression, globs, standard input, and what is said about bad files."""

import bz2
import gzip
import io
import lzma
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks.text import sources
from crossinit_fairseq.ranks.text.sources import Source, find_sources, read_blocks, split_source

TEXT = "".join(f"ligne {number} é\n" for number in range(500)).encode("utf-8")


def zstd(data):
    zstandard = pytest.importorskip("zstandard")
    # two frames, as parallel compressors write them
    half = len(data) // 2
    return b"".join(zstandard.ZstdCompressor().compress(part) for part in (data[:half], data[half:]))


COMPRESSORS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstd}


def read(source, size=1000):
    return b"".join(block.data for block in read_blocks(source, size))


@pytest.mark.parametrize("kind", sorted(COMPRESSORS))
def test_compressed(kind, tmp_path):
    path = tmp_path / ("text." + kind)
    path.write_bytes(COMPRESSORS[kind](TEXT))
    assert read(Source(str(path))) == TEXT
    # it is the content that counts
    path.rename(tmp_path / "text")
    assert read(Source(str(tmp_path / "text"))) == TEXT


@pytest.mark.parametrize("kind", sorted(COMPRESSORS))
def test_cut_short(kind, tmp_path):
    path = tmp_path / "text"
    data = COMPRESSORS[kind](TEXT)
    path.write_bytes(data[:-9])
    with pytest.raises(InputError, match="text is damaged or cut short after line .*: get or compress it again"):
        read(Source(str(path)))
    path.write_bytes(data[:30] + b"#" * 20 + data[50:])
    with pytest.raises(InputError, match="is damaged or cut short"):
        read(Source(str(path)))


def test_standard_input(monkeypatch):
    for data in (TEXT, gzip.compress(TEXT)):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(data))))
        (source,) = find_sources("-")
        assert read(source) == TEXT and source.name == "standard input"


def test_blocks_end_after_lines_or_spaces(tmp_path):
    path = tmp_path / "t"
    path.write_bytes("ab é\ncdefgh ij\nk".encode("utf-8"))
    blocks = list(read_blocks(Source(str(path)), 7))
    assert [block.data.decode("utf-8") for block in blocks] == ["ab é\n", "cdefgh ", "ij\n", "k"]
    assert [block.line for block in blocks] == [0, 1, 1, 2]


def test_text_without_white_space(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "_MAX_UNBROKEN", 100)
    path = tmp_path / "t"
    path.write_bytes(b"a\n" + b"x" * 1000)
    with pytest.raises(InputError, match="has no white space in 256 MB after line 1: it is no text"):
        read(Source(str(path)), 10)


@settings(max_examples=60, deadline=None)
@given(st.text("aé\n ", max_size=60), st.integers(1, 20), st.integers(1, 20))
def test_the_parts_of_a_file_hold_each_line_once(text, part, block):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t"
        path.write_bytes(text.encode("utf-8"))
        parts = split_source(Source(str(path)), part)
        found = [read(source, block) for source in parts]
        assert b"".join(found) == text.encode("utf-8")
        # no line is cut: with the empty parts left out, all but the last end with a line
        full = [data for data in found if data]
        assert all(data.endswith(b"\n") for data in full[:-1])


def test_compressed_files_stay_whole(tmp_path):
    path = tmp_path / "t.gz"
    path.write_bytes(gzip.compress(TEXT))
    assert split_source(Source(str(path)), 10) == [Source(str(path))]


@pytest.mark.parametrize("begin", [0, 100])
def test_invalid_utf8_is_found_by_its_line(begin, tmp_path):
    path = tmp_path / "t"
    path.write_bytes(TEXT + b"good\nbad \xe9t\xe9\n")
    *_, last = read_blocks(Source(str(path), begin, path.stat().st_size), 1000)
    assert (
        str(last.invalid_utf8())
        == f"{path} is not UTF-8 in line 502: convert it, for example with `iconv -f latin1 -t utf-8`"
    )


def test_names(tmp_path):
    for name in ("b.txt", "a.txt", "c[1].txt"):
        (tmp_path / name).write_bytes(b"x")
    pattern = str(tmp_path / "?.txt")
    assert [Path(source.path).name for source in find_sources([pattern])] == ["a.txt", "b.txt"]
    # an existing name is no glob
    assert find_sources(tmp_path / "c[1].txt") == [Source(str(tmp_path / "c[1].txt"))]
    for names, message in (
        ([str(tmp_path / "no*")], "does not exist: give a text file"),
        ([str(tmp_path)], "is a folder: name the files in it"),
        ([pattern, str(tmp_path / "a.txt")], "a.txt is named twice"),
        ([], "no text is named"),
    ):
        with pytest.raises(InputError, match=message):
            find_sources(names)
