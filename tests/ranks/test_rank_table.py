"""The rank table, its file, and what is read off it; expected numbers worked by hand."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks import RankTable

SETTINGS = {"source": "text", "lowercase": "no", "min_count": "1"}


def table_of(counts, language="en", **more):
    return RankTable.sort(language, counts, **more)


def listed(table):
    return list(zip(table.words, table.counts.tolist()))


def write(path, text):
    path.write_bytes(text.encode("utf-8"))
    return str(path)


def test_order():
    table = table_of({"b": 2, "\uff21": 2, "\U00010400": 2, "Z": 2, "the": 5, "x": 1})
    assert table.words == ["the", "Z", "b", "\uff21", "\U00010400", "x"]
    assert table.counts.tolist() == [5, 2, 2, 2, 2, 1] and table.counts.dtype == np.int64
    assert (table.total, len(table)) == (14, 6)
    assert listed(table.limit(2)) == listed(table)[:5] and table.limit(2).total == 14


def test_coverage():
    table = table_of({"a": 6, "b": 3, "c": 1}, total=20)
    # 9 of the 20 words of the text
    assert table.coverage(2) == 9 / 20
    assert table.coverage(20000) == 10 / 20


@pytest.mark.parametrize("exponent", [0.5, 1, 2])
def test_zipf_fit_of_an_exact_law(exponent):
    counts = {f"w{rank}": 10**12 / rank**exponent for rank in range(1, 201)}
    fit = table_of({word: round(count) for word, count in counts.items()}).zipf_fit(200)
    assert fit.exponent == pytest.approx(exponent, rel=1e-6)
    assert fit.constant == pytest.approx(10**12, rel=1e-5)
    assert fit.r_squared == pytest.approx(1)


def test_zipf_fit_by_hand():
    # ranks 1 and 2, counts 8 and 2: a line through two points, 8 / rank ** 2; the third word is not asked for
    fit = table_of({"a": 8, "b": 2, "c": 2}).zipf_fit(2)
    assert fit.exponent == pytest.approx(2) and fit.constant == pytest.approx(8)
    # three words, weights 1, 1/2, 1/3 as numpy.polyfit has them (it squares its weights)
    fit = table_of({"a": 8, "b": 2, "c": 2}).zipf_fit(3)
    slope, constant = np.polyfit(np.log([1, 2, 3]), np.log([8, 2, 2]), 1, w=np.sqrt([1, 1 / 2, 1 / 3]))
    assert fit.exponent == pytest.approx(-slope) and fit.constant == pytest.approx(np.exp(constant))
    assert 0 < fit.r_squared < 1
    assert table_of({"a": 3, "b": 3}).zipf_fit(9).exponent == pytest.approx(0)
    with pytest.raises(InputError, match="cannot be fitted to fewer than 2 words of en"):
        table_of({"a": 1}).zipf_fit(100)


def test_file(tmp_path):
    from crossinit_fairseq import __version__

    path = str(tmp_path / "ne.tsv")
    table_of({"र": 3, "को": 5, "#x": 1}, "ne", total=12, settings=SETTINGS).save(path)
    assert Path(path).read_text(encoding="utf-8") == (
        "# language: ne\n# tokens: 12\n# words: 3\n# source: text\n# lowercase: no\n# min_count: 1\n"
        f"# tool: crossinit_fairseq {__version__}\nको\t5\nर\t3\n#x\t1\n"
    )
    table = RankTable.load(path)
    assert listed(table) == [("को", 5), ("र", 3), ("#x", 1)]
    assert (table.language, table.total, table.settings) == ("ne", 12, SETTINGS)
    assert [entry.name for entry in tmp_path.iterdir()] == ["ne.tsv"]
    with pytest.raises(InputError, match="cannot be written"):
        table.save(str(tmp_path / "no" / "ne.tsv"))


WORDS = st.text(st.characters(whitelist_categories=("L", "N")), min_size=1, max_size=8)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(WORDS, st.integers(1, 10**15), min_size=1, max_size=30), st.randoms())
def test_reading_gives_what_was_written_in_any_order(counts, random):
    import unicodedata

    counts = {unicodedata.normalize("NFC", word): count for word, count in counts.items()}
    table = table_of(counts, settings=SETTINGS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.tsv"
        table.save(str(path))
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
        random.shuffle(lines)
        path.write_bytes("\n".join(lines).encode("utf-8"))
        again = RankTable.load(str(path))
    assert (listed(again), again.total, again.settings) == (listed(table), table.total, table.settings)


def test_a_header_of_fewer_words_than_are_counted(tmp_path):
    # 5 + 3 + 1 = 9
    text = "# language: ro\n# tokens: {}\n# words: 3\nsi\t5\nla\t3\nde\t1\n"
    said = r"^line 2 of \S+t says that the text has 8 words, but the counts of those listed add up to 9: count the text"
    with pytest.raises(InputError, match=said):
        RankTable.load(write(tmp_path / "t", text.format(8)))
    assert RankTable.load(write(tmp_path / "t", text.format(9))).total == 9
    assert RankTable.load(write(tmp_path / "t", text.format(10))).total == 10
    assert RankTable.load(write(tmp_path / "t", text.replace("# tokens: {}\n", ""))).total == 9


def test_edited_by_hand(tmp_path):
    text = "\ufeff# language: ro\r\n# tokens: 7\r\n# my own remark\r\n\r\nsi\t1\r\n  s\u0326i \t 004\r\nși\t2\r\n"
    table = RankTable.load(write(tmp_path / "t", text))
    # NFC, sorted, duplicates summed
    assert listed(table) == [("și", 6), ("si", 1)]
    assert table.total == 7 and table.settings == {}


@pytest.mark.parametrize(
    "lines, message",
    [
        ("# language: en\na\t1\nb 2\n", "line 3 of .* is not a word, a tab and a count of 1 or more: 'b 2'"),
        ("# language: en\na\t1.5\n", "line 2 of "),
        ("# language: en\na\t0\n", "line 2 of "),
        ("# language: en\na\t-1\n", "line 2 of "),
        ("# language: en\na\t\u0665\n", "line 2 of "),
        ("# language: en\na\t1\t2\n", "line 2 of "),
        ("# language: en\n\t5\n", "line 2 of "),
        ("# language: en\na\t9999999999999999999\n", "line 2 of "),
        ("# language: en\na\t\u00b2\n", "line 2 of "),
        ("# language: en\na\t" + "9" * 5000 + "\n", "line 2 of "),
        ("# language: en\n" + "".join(f"{word}\t{10**18 - 1}\n" for word in "abcdefghij"), "add up to more than"),
        ("# languages: en ro\ncat\tpisic\u0103\t0.9\n", "is a lexicon, no rank table"),
        ("# language: e n\na\t1\n", "has no line `# language: CODE`"),
        ("# language: en\n# tokens: \u00b2\na\t1\n", "line `# tokens: \u00b2` says no whole number"),
        ("# language: en\n# skipped_long_words: x\na\t1\n", "line `# skipped_long_words: x` says no whole number"),
        ("# language: en\n# min_count: 1.5\na\t1\n", "line `# min_count: 1.5` says no whole number"),
        ("# language: en\n# words: 3\na\t1\nb\t1\n", "lists 2 words, but its line `# words:` says 3: the file is cut"),
        ("# language: en\n# words: " + "9" * 5000 + "\na\t1\n", "says no whole number"),
        ("# language: en\n", "holds no word: make it with `crossinit-ranks count`"),
        ("a\t1\n", "has no line `# language: CODE`"),
        ("# language: en\n# tokens: many\na\t1\n", "`# tokens: many` says no whole number"),
    ],
)
def test_malformed(lines, message, tmp_path):
    with pytest.raises(InputError, match=message):
        RankTable.load(write(tmp_path / "t", lines))


def test_two_tables_in_one_file(tmp_path):
    """As `cat` makes it: the second language would be that of all words."""
    (tmp_path / "t").write_text("# language: en\nthe\t8\n# language: ro\nde\t9\n")
    with pytest.raises(InputError, match="line 3 of .*t begins a second table: add up tables with `crossinit-ranks"):
        RankTable.load(str(tmp_path / "t"))


def test_of_the_language_that_is_asked_for(tmp_path):
    path = write(tmp_path / "ro.tsv", "# language: ro\na\t1\n")
    for code in ("ro", "ro_RO", "ron_Latn"):
        assert RankTable.load(path, code).language == "ro"
    with pytest.raises(InputError, match="ro.tsv is the rank table of ro, not of en"):
        RankTable.load(path, "en")


def test_unreadable(tmp_path):
    with pytest.raises(InputError, match="nothing cannot be read: No such file"):
        RankTable.load(str(tmp_path / "nothing"))
    (tmp_path / "t").write_bytes(b"# language: en\na\t1\n\xff\t2\n")
    with pytest.raises(InputError, match="is not UTF-8 in line 3"):
        RankTable.load(str(tmp_path / "t"))


def test_merge():
    first = table_of({"a": 1, "b": 2}, total=10, settings=dict(SETTINGS, skipped_long_words="2", left_out_words="4"))
    second = table_of({"a": 2, "c": 1}, settings=dict(SETTINGS, skipped_long_words="1"))
    merged = RankTable.merge([first, second])
    assert listed(merged) == [("a", 3), ("b", 2), ("c", 1)]
    assert merged.total == 13
    assert merged.settings == dict(SETTINGS, skipped_long_words="3")
    with pytest.raises(InputError, match="tables of language en and language ro cannot be merged"):
        RankTable.merge([first, table_of({"a": 1}, "ro", settings=SETTINGS)])
    with pytest.raises(InputError, match="tables of lowercase no and lowercase yes cannot be merged"):
        RankTable.merge([first, table_of({"a": 1}, settings=dict(SETTINGS, lowercase="yes"))])
    assert RankTable.merge([first, table_of({"a": 1}, "eng_Latn", settings=SETTINGS)]).language == "en"


def test_merging_tables_without_their_rare_words():
    # of a third text the words a, b occur 4 and 9 times: with a minimum of 5 a is left out, and b is ranked before it
    rare = [table_of({"a": 5, "b": 7}, settings=dict(SETTINGS, min_count="5")) for _ in range(2)]
    merged = RankTable.merge(rare)
    # each of the tables may lack up to 4 of a word, but one of the two has it
    assert listed(merged) == [("b", 14), ("a", 10)] and merged.settings["too_low_by"] == "4"
    assert RankTable.merge([merged, rare[0]]).settings["too_low_by"] == "8"
    with pytest.raises(InputError, match="tables of min_count 5 and min_count 1 cannot be merged"):
        RankTable.merge([rare[0], table_of({"a": 5}, settings=SETTINGS)])


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 9), min_size=1), min_size=1, max_size=4),
    st.randoms(),
)
def test_merging_knows_no_order(counts, random):
    tables = [table_of(one) for one in counts]
    merged = RankTable.merge(tables)
    random.shuffle(tables)
    assert listed(RankTable.merge(tables)) == listed(merged)
    assert merged.total == sum(sum(one.values()) for one in counts)


def test_a_table_without_counts():
    table = table_of({"the": 2, "of": 1}, settings={"counts": "order only"})
    for use in (lambda: table.coverage(1), lambda: table.zipf_fit(2), lambda: RankTable.merge([table, table])):
        with pytest.raises(InputError, match="the table of en holds only the order of its words, no counts"):
            use()
