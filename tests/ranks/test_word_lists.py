"""Rank tables from ready lists and from the package wordfreq."""

import sys
from pathlib import Path

import pytest

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks import read_word_list, wordfreq_table

FREQ = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "freq"


def listed(table):
    return list(zip(table.words, table.counts.tolist()))


def write(path, text):
    path.write_bytes(text.encode("utf-8"))
    return str(path)


def test_words_with_counts(tmp_path):
    one = write(tmp_path / "one", "Form\tFrequency\n\n# Corpus-Size: 9\nşi 3\nde\t7\r\n, 9\nnever 0\nNew  York 2\n")
    table = read_word_list([one, write(tmp_path / "two", "și 1\n")], "ro")
    # the cedilla is folded; the comma and the word that never occurs are skipped
    assert listed(table) == [("de", 7), ("și", 4), ("New York", 2)]
    assert table.total == 13 and table.has_counts
    assert table.settings == {"source": "list", "lowercase": "no", "min_count": "1", "skipped_entries": "2"}
    assert read_word_list(one, "ro", lowercase=True, min_count=3).words == ["de", "și"]


def test_words_alone(tmp_path):
    path = write(tmp_path / "t", "de\nDE\na\n—\n#tag\nde\n1\n")
    table = read_word_list(path, "ro", lowercase=True)
    # the first place counts; the made-up counts only say the order
    assert listed(table) == [("de", 4), ("a", 3), ("#tag", 2), ("1", 1)]
    assert not table.has_counts and table.settings["skipped_entries"] == "3"
    with pytest.raises(InputError, match="t has no counts, so no word can be too rare"):
        read_word_list(path, "ro", min_count=2)
    # a number at the end of some is none
    assert read_word_list(write(tmp_path / "u", "covid-19\n1:0\nthe\nkm/2\n"), "en").words[2] == "the"


@pytest.mark.parametrize(
    "text",
    [
        "the 54\nof 30\n1984 2\n",
        "the\t54\nof\t30\n1984\t2\n",
        # uniq -c
        "     54 the\n     30 of\n      2 1984\n",
        # Leipzig: an identifier first, and the word once more in some years
        "101\tthe\t54\n102\tof\t30\n103\t1984\t2\n",
        "101\tthe\tthe\t54\n102\tof\tof\t30\n103\t1984\t1984\t2\n",
        "1 the 54\n2 of 30\n3 1984 2\n",
        # CSV, with titles and quotes or without
        "the,54\nof,30\n1984,2\n",
        'word,count\n"the",54\n"of",30\n"1984",2\n',
        "the|54\nof|30\n1984|2\n",
        'Rank;Word;Freq\n1;"the";54\n2;"of";30\n3;"1984";2\n',
        "Word,FREQcount,CDcount\nthe,54,9\nof,30,8\n1984,2,7\n",
        # as R writes tables
        '"the"\t54\n"of"\t30\n"1984"\t2\n',
        '"the" 54\n"of" 30\n"1984" 2\n',
        "the\x1b[31m\x07\t54\nof\x9b31m\t30\n1984\t2\n".replace("[31m", "").replace("31m", ""),
        "\ufeffWord\tFrequency\r\n\r\nthe\t54\r\nof\t30\r\n# remark\r\n1984\t2\r\n",
    ],
)
def test_lists_of_many_layouts(text, tmp_path):
    table = read_word_list(write(tmp_path / "t", text), "en")
    assert listed(table) == [("the", 54), ("of", 30), ("1984", 2)] and table.has_counts


@pytest.mark.parametrize("text", ["1 the\n2 of\n3 1984\n", "1\tthe\n2\tof\n3\t1984\n", "0,the\n1,of\n2,1984\n"])
def test_ranks_without_counts(text, tmp_path):
    table = read_word_list(write(tmp_path / "t", text), "en")
    assert table.words == ["the", "of", "1984"] and not table.has_counts


def test_lines_beyond_the_sample_are_checked_too(tmp_path):
    text = "".join(f"w{number} {5000 - number}\n" for number in range(1500))
    assert len(read_word_list(write(tmp_path / "t", text), "en")) == 1500
    with pytest.raises(InputError, match="line 1501 of .* is not a word and a count, as the lines before it are: 'x'"):
        read_word_list(write(tmp_path / "t", text + "x\n"), "en")


@pytest.mark.parametrize(
    "text, message",
    [
        ("a 1\nb\n", "line 2 of .* is not a word and a count, as the lines before it are: 'b'"),
        ("a 1\nb two\n", "line 2 of "),
        ("a\nb 1\n", "line 2 of .* is not one word without white space, as the lines before it are: 'b 1'"),
        ("a b\nc\n", "line 1 of .* is not one word without white space"),
        ("the 54 DET\nof 30 ADP\n", "line 1 of .* is not a word and a count: 'the 54 DET'"),
        ("the,5,7\nof,4,6\n", "t has 3 columns, of which 2 may be the counts"),
        ("a,b\nc,d\n", "t has 2 columns, of which 0 may be the counts"),
        ("1,2\n3,4\n", "t has no column of words between its 2 columns of numbers"),
        ("a 1\nb \u00b2\n", "line 2 of "),
        ("a 1\nb " + "9" * 5000 + "\n", "line 2 of "),
        ("".join(f"{word} {10**18 - 1}\n" for word in "abcdefghijk"), "add up to more than"),
        # the first line of these is no title of columns
        ("the -5\nof 3\n", "line 1 of .* is not a word and a count: 'the -5'"),
        ("the 54.5\nof 3\n", "line 1 of "),
        ("the 1e6\nof 300000\n", "line 1 of "),
        ("the 54,321\nof 30,000\n", r"t has commas within its counts \('the 54,321'\): take them out"),
        ("the\t1,054,321\nof\t30,000\nto\t2\n", "t has commas within its counts"),
        ("word count\nthe 1,054,321\nof 300\n", "t has commas within its counts"),
        ("the:54\nof:30\n", r"t has word and count in one \('the:54'\): put a tab between them"),
        ("the=54\nof=30\n", "t has word and count in one"),
        ("a 1\0\n", "NUL byte in line 1"),
        ("", "holds no word"),
        ("- 3\n", "holds no word"),
    ],
)
def test_malformed(text, message, tmp_path):
    with pytest.raises(InputError, match=message):
        read_word_list(write(tmp_path / "t", text), "en")


def test_lists_of_two_kinds(tmp_path):
    with pytest.raises(InputError, match="one has counts and .*two has none: give lists of one kind"):
        read_word_list([write(tmp_path / "one", "a 1\n"), write(tmp_path / "two", "a\n")], "en")


def test_any_language_needs_no_segmenter(tmp_path):
    assert read_word_list(write(tmp_path / "t", "กิน 2\nข้าว 1\n"), "th").words == ["กิน", "ข้าว"]


def test_real_lists():
    if not FREQ.is_dir():
        pytest.skip("needs ../shared/data beside the repository")
    assert read_word_list(str(FREQ / "tesseract.de.txt"), "de").words[:4] == ["und", "der", "die", "in"]
    hindi = read_word_list(str(FREQ / "unilex.hi.txt"), "hi")
    assert hindi.has_counts and hindi.words[0] == "के" and len(hindi) > 50000


def test_wordfreq():
    wordfreq = pytest.importorskip("wordfreq")
    table = wordfreq_table("en_XX")
    assert table.words[:2] == ["the", "to"] and len(table) > 100000
    assert table.counts[0] == pytest.approx(wordfreq.word_frequency("the", "en") * 10**9, rel=0.01)
    assert table.total >= table.counts.sum()
    assert wordfreq_table("en", min_count=10**6).counts.min() >= 10**6
    with pytest.raises(InputError, match="wordfreq has no list for ne; it has ar, bg, bn"):
        wordfreq_table("ne")


def test_without_wordfreq(monkeypatch):
    monkeypatch.setitem(sys.modules, "wordfreq", None)
    with pytest.raises(InputError, match="needs a library: pip install 'crossinit_fairseq\\[wordfreq\\]'"):
        wordfreq_table("en")
