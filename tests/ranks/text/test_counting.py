"""Counting raw text: against plain Python, and the same for every number of workers and every cut of the text."""

import html
import itertools
import lzma
import re
import tempfile
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("polars")
pytest.importorskip("regex")

import regex

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks import TextWords, count_text
from crossinit_fairseq.ranks.text import tally
from crossinit_fairseq.ranks.text.words import MAX_CHARACTERS
from crossinit_fairseq.text_files import decode

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data"
# what makes trouble: marks that compose with letters and with symbols, joiners, apostrophes, odd spaces, case
ALPHABET = (
    "abA'’-=<. \n\t\r\u0338\u0301\u0327\u030csStTşţJjIİıΣσςक़\u095c\u094d\u200c\u200d"
    '\u00ad\u00a0\u2028\ufeff\u0387·1²٣𠮷𝒳\u05d0\u05d1"\u05f4\u0640\u2060\u200e\u02bc'
)


def reference(text, language, lowercase=False):
    """The slow, plain way: the whole text is normalised first, then cut, then counted."""
    rules = TextWords(language)
    text = html.unescape(text)
    text = "".join(character for character in text if character not in "\u00ad\u0640\u2060\ufeff\u200e")
    text = unicodedata.normalize("NFC", text.replace("\u2019", "'").replace("\u02bc", "'"))
    if language == "he":
        text = re.sub('(?<=[\u05d0-\u05ea])"(?=[\u05d0-\u05ea])', "\u05f4", text)
        text = re.sub("(?<=[\u05d0-\u05ea])'(?=[\u05d0-\u05ea])", "\u05f3", text)
    if language == "ro":
        text = text.translate(str.maketrans("şţŞŢ", "șțȘȚ"))
    counts = Counter(word for word in regex.findall(rules.pattern, text) if len(word) <= MAX_CHARACTERS)
    if lowercase:
        lower = Counter()
        for word, count in counts.items():
            word = word.translate(str.maketrans({"I": "ı", "İ": "i"})) if language == "tr" else word
            lower[unicodedata.normalize("NFC", word.lower())] += count
        counts = lower
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def listed(table):
    return list(zip(table.words, table.counts.tolist()))


def write(path, text):
    path.write_bytes(text.encode("utf-8"))
    return str(path)


def test_worked_by_hand(tmp_path):
    one = write(tmp_path / "one.txt", "नेपालको र, र\nb a don’t b!\n")
    two = write(tmp_path / "two.txt", "a c")
    table = count_text([one, two], "ne")
    assert listed(table) == [("a", 2), ("b", 2), ("र", 2), ("c", 1), ("don't", 1), ("नेपालको", 1)]
    assert (table.total, table.language) == (9, "ne")
    assert table.settings["lowercase"] == "no" and table.settings["left_out_words"] == "0"
    assert str(table.counts.dtype) == "int64"

    common = count_text([one, two], "ne", min_count=2)
    assert listed(common) == [("a", 2), ("b", 2), ("र", 2)]
    # coverage needs the whole text
    assert common.total == 9 and common.settings["left_out_words"] == "3"
    assert common.coverage(2) == 4 / 9


def test_ties_are_in_the_order_of_code_points(tmp_path):
    # UTF-16 would put the last two the other way round
    text = write(tmp_path / "t", "\U00010400 \uffa1 z Z é a 1")
    assert count_text(text, "en").words == ["1", "Z", "a", "z", "é", "\uffa1", "\U00010400"]


def test_overlong_words_are_skipped_and_said(tmp_path):
    table = count_text(write(tmp_path / "t", "ok {0} {0} {1}".format("x" * 101, "é" * 100)), "en")
    assert listed(table) == [("ok", 1), ("é" * 100, 1)]
    assert table.total == 2 and table.settings["skipped_long_words"] == "2"


@settings(max_examples=150, deadline=None)
@given(st.text(ALPHABET, max_size=60), st.sampled_from(["en", "ro", "tr", "fr", "ne", "he"]), st.booleans())
def test_as_plain_python(text, language, lowercase):
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "t", text)
        expected = reference(text, language, lowercase)
        if expected:
            table = count_text(path, language, lowercase)
            assert listed(table) == expected and table.total == sum(count for _, count in expected)
        else:
            with pytest.raises(InputError, match="holds no word"):
                count_text(path, language, lowercase)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(ALPHABET, max_size=40), min_size=1, max_size=3), st.integers(1, 9), st.integers(1, 3))
def test_the_same_however_it_is_cut(texts, block, workers):
    with tempfile.TemporaryDirectory() as folder:
        paths = [write(Path(folder) / str(number), "x " + text) for number, text in enumerate(texts)]
        whole = count_text(paths, "ro", lowercase=True)
        cut = count_text(paths, "ro", lowercase=True, block=block, workers=workers)
        assert (listed(cut), cut.total, cut.settings) == (listed(whole), whole.total, whole.settings)


@pytest.mark.parametrize("workers", [1, 3])
def test_the_same_when_words_go_to_disk(tmp_path, monkeypatch, workers):
    text = " ".join(f"w{number % 701} W{number % 1303}" for number in range(6000))
    paths = [write(tmp_path / name, text + "\n" + name) for name in "abc"]
    whole = count_text(paths, "en", lowercase=True)
    spills = []
    spill = tally.Tally.spill
    monkeypatch.setattr(tally.Tally, "spill", lambda tally: (spills.append(1), spill(tally)))
    monkeypatch.setattr(tally, "_SLICE", 64)
    on_disk = count_text(paths, "en", lowercase=True, workers=workers, block=8000, memory=1 << 12)
    assert len(spills) > 2 * workers
    assert (listed(on_disk), on_disk.settings) == (listed(whole), whole.settings)
    assert whole.total == 3 * 12001


def test_gershayim_as_people_type_it(tmp_path):
    text = '\u05e6\u05d4"\u05dc \u05e6\u05d4\u05f4\u05dc, "\u05dc" \u05d2\'\u05dc \u05d2\u05f3\u05dc\n'
    wanted = [("\u05d2\u05f3\u05dc", 2), ("\u05e6\u05d4\u05f4\u05dc", 2), ("\u05dc", 1)]
    assert listed(count_text(write(tmp_path / "t", text), "he")) == wanted == reference(text, "he")


def test_entities_count_as_what_they_stand_for(tmp_path):
    text = "he said &quot; the dog&apos;s gone &quot; &amp; left &nbsp; &eacute;t&#xE9; AT&T; &unknown;\n"
    table = count_text(write(tmp_path / "t", text + "&amp;quot;\n"), "en")
    wanted = "AT T dog's gone he left said the unknown \u00e9t\u00e9".split()
    assert sorted(listed(table)) == [(word, 1) for word in wanted]
    assert table.settings["entities"] == "8"
    assert "entities" not in count_text(write(tmp_path / "u", "AT&T"), "en").settings


@pytest.mark.parametrize(
    "text, what",
    [
        ("<mediawiki xml:lang='ne'><page><title>x</title>\n", "a dump of MediaWiki, not text: take the text out of it"),
        ('{"text": "a b"}\n', "JSON lines"),
        ("<!DOCTYPE html>\n<p>a</p>\n", "HTML"),
    ],
)
def test_files_that_are_no_text_yet(tmp_path, text, what):
    path = tmp_path / "t.xz"
    path.write_bytes(lzma.compress(text.encode("utf-8")))
    with pytest.raises(InputError, match="t.xz is " + what):
        count_text(str(path), "en")


def test_utf16_and_nul_bytes(tmp_path):
    text = "the cat sat\n" * 20
    for encoding, said in (
        ("utf-16", "is UTF-16: convert it"),
        ("utf-16-le", "NUL byte in line 1.*iconv -f utf-16le"),
        ("utf-16-be", "NUL byte in line 1.*iconv -f utf-16be"),
        ("utf-32", "is UTF-32: convert it, for example with `iconv -f utf-32"),
    ):
        (tmp_path / "t").write_bytes(text.encode(encoding))
        with pytest.raises(InputError, match=said):
            count_text(str(tmp_path / "t"), "en")
    # one in a large text ends a word, as any other character that is in none
    assert listed(count_text(write(tmp_path / "t", text + "a\0b"), "en"))[:3] == [("cat", 20), ("sat", 20), ("the", 20)]
    assert listed(count_text(str(tmp_path / "t"), "en"))[3:] == [("a", 1), ("b", 1)]


PACKED = {
    "zip": (b"PK\x03\x04\x14" + bytes(25) + b"a.txt", "a zip archive: unpack it, for example with `unzip`"),
    "docx": (b"PK\x03\x04\x14" + bytes(25) + b"[Content_Types].xml", "a document of .*`pandoc -t plain`"),
    "parquet": (b"PAR1\x15\x04\x15 the cat sat", "a table in Parquet: .*read_parquet"),
    "7z": (b"7z\xbc\xaf\x27\x1c\0\x04", "an archive of 7-Zip: unpack it, for example with `7z x`"),
    "rar": (b"Rar!\x1a\x07\x01\0", "a RAR archive"),
    "pdf": (b"%PDF-1.7\n% the cat sat\n", "a PDF: take its text out, for example with `pdftotext`"),
    "db": (b"SQLite format 3\0" + bytes(80), "a database of SQLite"),
    "tar": (b"a.txt" + bytes(252) + b"ustar" + bytes(250), "a tar archive: unpack it, for example with `tar xf`"),
}


@pytest.mark.parametrize("ending", sorted(PACKED))
def test_what_packs_its_text_is_named(ending, tmp_path):
    data, what = PACKED[ending]
    for path, written in (("t", data), ("t.xz", lzma.compress(data))):
        (tmp_path / path).write_bytes(written)
        with pytest.raises(InputError, match=f"{path} is {what}"):
            count_text(str(tmp_path / path), "en")
    with pytest.raises(InputError, match="t is " + what):
        decode(data + b"\xff\0", "t")
    # only the beginning of a file says so
    with pytest.raises(InputError, match="t (is not UTF-8|has a NUL byte) in line [2-9]"):
        decode(data[:257] + b"\xff", "t", line=2)


def test_a_table_is_counted_with_a_warning(tmp_path, caplog):
    rows = "id,text\n" + "1,the cat\n" * 6
    assert ("cat", 6) in listed(count_text(write(tmp_path / "t.csv", rows), "en"))
    (said,) = [record.getMessage() for record in caplog.records]
    assert "t.csv looks like a table (CSV), with `,` between its columns, of which all is taken for text: take" in said
    caplog.clear()
    count_text(write(tmp_path / "t", "the cat, the dog\n" * 20), "en")
    assert not caplog.records


def test_a_failure_in_one_worker_ends_all(tmp_path):
    good = write(tmp_path / "good", "a b c\n" * 5000)
    (tmp_path / "bad").write_bytes(b"a\nb \xff\n")
    with pytest.raises(InputError, match="bad is not UTF-8 in line 2"):
        count_text([good, str(tmp_path / "bad")], "en", workers=3, block=100)


def test_bad_options(tmp_path):
    path = write(tmp_path / "t", "a")
    with pytest.raises(InputError, match="workers and block must be 1 or more, not 0 and"):
        count_text(path, "en", workers=0)
    with pytest.raises(InputError, match="'e!' is no language code"):
        count_text(path, "e!")


@pytest.mark.parametrize("language", ["ne", "ro", "hi", "de"])
def test_real_text_as_plain_python(language, tmp_path):
    path = DATA / "mono" / f"general.{language}.txt.xz"
    if not path.is_file():
        pytest.skip("needs ../shared/data beside the repository")
    with lzma.open(str(path), "rt", encoding="utf-8") as stream:
        text = "".join(itertools.islice(stream, 20000))
    table = count_text(write(tmp_path / "t", text), language, lowercase=True, workers=2, block=100003)
    assert listed(table) == reference(text, language, lowercase=True)
