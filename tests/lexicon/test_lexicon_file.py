"""The lexicon file: written, read, edited by hand, turned around, refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.lexicon import Lexicon, Pair, read_word_pairs
from tests import helpers  # noqa: F401  the profile of hypothesis

# no white space at their ends, in NFC; `#` begins a header line too
words = st.text(st.sampled_from("aéșनि'9-#"), min_size=1, max_size=4).filter(lambda word: word[0] != "-")
pairs = st.builds(
    Pair,
    words,
    words,
    st.integers(-20000, 20000).map(lambda number: number / 10000),
    st.tuples(st.integers(0, 10**12), st.integers(0, 10**12)),
    st.sampled_from(["mutual", "forward", "backward"]),
)


@given(st.lists(pairs, min_size=1, max_size=6))
def test_round_trip(tmp_path_factory, found):
    path = str(tmp_path_factory.mktemp("lexicon") / "lex.tsv")
    lexicon = Lexicon("en", "ro_RO", found, {"lowercase": "yes", "rank_weight": "0.2"})
    lexicon.save(path)
    assert Lexicon.load(path) == lexicon == Lexicon.load(path, ("en", "ro_RO"))
    assert Lexicon.load(path, ("ro_RO", "en")) == lexicon.reversed()
    assert lexicon.reversed().reversed() == lexicon


def test_the_file(tmp_path):
    lexicon = Lexicon("en", "ro", [Pair("file", "fișier", 0.51239, (30, 20)), Pair("a", "b", -1, (0, 3), "forward")])
    lexicon.save(str(tmp_path / "lex.tsv"))
    text = (tmp_path / "lex.tsv").read_text("utf-8")
    assert text.startswith("# languages: en ro\n# pairs: 2\n# tool: crossinit_fairseq ")
    assert text.endswith("found\nfile\tfișier\t0.5124\t30\t20\tmutual\na\tb\t-1.0000\t0\t3\tforward\n")
    assert not lexicon.lowercase and Lexicon("en", "ro", [], {"lowercase": "yes"}).lowercase


def test_edited_by_hand(tmp_path):
    path = tmp_path / "lex.tsv"
    # a byte order mark and Windows' line ends, as editors leave them; a decomposed e with acute; an empty line
    path.write_bytes(
        "\ufeff# languages: en fr\r\n# a remark\r\n\r\nsummer \te\u0301te\u0301\r\nis\test\t2.5\r\n".encode("utf-8")
    )
    lexicon = Lexicon.load(str(path))
    assert lexicon.pairs == [Pair("summer", "été", 1.0, (0, 0), "mutual"), Pair("is", "est", 2.5)]
    assert lexicon.settings == {}
    path.write_text("summer\tété\n", encoding="utf-8")
    assert Lexicon.load(str(path), ("en", "fr")) == Lexicon("en", "fr", [Pair("summer", "été")])


def test_words_that_begin_as_header_lines_do(tmp_path):
    # text of programs holds "issue #1": a lexicon of it was refused as one that is cut short
    found = [Pair("#1", "#1"), Pair("#", "nr", 0.5), Pair("#a:", "#b:"), Pair("a", "#")]
    path = tmp_path / "lex.tsv"
    Lexicon("en", "ro", found).save(str(path))
    with open(path, "a") as stream:
        stream.write("# house\tcasă\n#remark\n")
    assert Lexicon.load(str(path)).pairs == found
    assert read_word_pairs(str(path)) == [(pair.source, pair.target) for pair in found]


def test_translations():
    # b was only chosen by x, so it is no translation of it; equal scores: the first
    found = [
        ("x", "b", 9.0, "backward"),
        ("x", "a", 1.0, "mutual"),
        ("x", "c", 2.0, "forward"),
        ("x", "d", 2.0, "mutual"),
    ]
    lexicon = Lexicon("en", "ro", [Pair(s, t, score, (1, 1), how) for s, t, score, how in found])
    assert lexicon.translations() == {"x": "c"}
    assert lexicon.reversed().translations() == {"b": "x", "a": "x", "d": "x"}
    assert [pair.target for pair in lexicon.mutual()] == ["a", "d"] and len(lexicon) == 4


@pytest.mark.parametrize(
    "text, message",
    [
        ("file\n", "line 2 of .* is not `word<TAB>word`"),
        ("file fișier\n", "line 2 of .* is not `word<TAB>word`"),
        ("file\tfișier\thigh\n", "line 2 of .* is not `word<TAB>word`"),
        ("file\tfișier\tnan\n", "line 2 of .* is not `word<TAB>word`"),
        ("file\tfișier\t1\t30\n", "line 2 of .* is not `word<TAB>word`"),
        ("file\tfișier\t1\t-3\t2\n", "line 2 of .* is not `word<TAB>word`"),
        ("file\tfișier\t1\t3\t2\tboth\n", "one of mutual, forward, backward"),
        ("a\tb\nfile\t \n", "line 3 of .* is not `word<TAB>word`"),
        ("file\tfi\u0219ier\t1\t\u00b2\t2\n", "line 2 of .* is not `word<TAB>word`"),
        ("file\tfi\u0219ier\t1\t" + "9" * 5000 + "\t2\n", "line 2 of .* is not `word<TAB>word`"),
        ("# pairs: 3\na\tb\nc\td\n", "lists 2 pairs, but its line `# pairs:` says 3: the file is cut short"),
        ("# nothing\n", "holds no pair of words: make it with `crossinit-lexicon induce`"),
    ],
)
def test_refusals(text, message, tmp_path):
    path = tmp_path / "lex.tsv"
    path.write_text("# languages: en ro\n" + text, encoding="utf-8")
    with pytest.raises(InputError, match=message) as caught:
        Lexicon.load(str(path))
    assert "\n" not in str(caught.value)


def test_refused_languages(tmp_path):
    path = tmp_path / "lex.tsv"
    with pytest.raises(InputError, match="cannot be read: No such file"):
        Lexicon.load(str(path))
    path.write_text("file\tfișier\n", encoding="utf-8")
    with pytest.raises(InputError, match="has no line `# languages: CODE CODE`"):
        Lexicon.load(str(path))
    path.write_text("# languages: en\nfile\tfișier\n", encoding="utf-8")
    with pytest.raises(InputError, match="names 1 languages, not 2"):
        Lexicon.load(str(path))
    path.write_text("# languages: en ro\nfile\tfișier\n", encoding="utf-8")
    with pytest.raises(InputError, match="is a lexicon of en and ro, not of en and ne"):
        Lexicon.load(str(path), ("en", "ne"))
    path.write_text("# languages: ../x ro\nfile\tfi\u0219ier\n", encoding="utf-8")
    with pytest.raises(InputError, match="'../x' is no language code"):
        Lexicon.load(str(path))
    path.write_bytes(b"# languages: en ro\nna\xefve\tnaiv\n")
    with pytest.raises(InputError, match="is not UTF-8 in line 2"):
        Lexicon.load(str(path))


def test_a_rank_table_is_no_lexicon(tmp_path):
    # its counts would pass for words of the other language
    path = tmp_path / "ne.tsv"
    path.write_text("# language: ne\n# tokens: 9\nघर\t6\nपानी\t3\n", encoding="utf-8")
    for read in (lambda: Lexicon.load(str(path), ("ne", "hi")), lambda: read_word_pairs(str(path))):
        with pytest.raises(InputError, match="ne.tsv is the rank table of ne, not pairs of words"):
            read()
    path.write_text("# languages: ne hi\n# language: a remark\nघर\tमकान\n", encoding="utf-8")
    assert len(Lexicon.load(str(path))) == len(read_word_pairs(str(path))) == 1


def test_two_lexicons_in_one_file(tmp_path):
    (tmp_path / "t").write_text("# languages: en ro\nthe\tcel\n# languages: en de\nthe\tder\n")
    with pytest.raises(InputError, match="line 3 of .*t begins a second lexicon: give one file for each pair"):
        Lexicon.load(str(tmp_path / "t"))


def test_other_codes_of_the_same_languages(tmp_path):
    path = tmp_path / "lex.tsv"
    path.write_text("# languages: en ro\n# running words ro: 9\nfile\tfi\u0219ier\n", encoding="utf-8")
    found = Lexicon.load(str(path), ("ron_Latn", "en_GB"))
    assert (found.source, found.target) == ("ron_Latn", "en_GB") and found.pairs[0].target == "file"
    assert found.settings == {"running words ron_Latn": "9"}


def test_word_pairs(tmp_path):
    path = tmp_path / "en-ro.txt"
    path.write_text("penn\tpenn$\napproached abordat\n\napproached  abordată\n", encoding="utf-8")
    assert read_word_pairs(str(path)) == [("penn", "penn$"), ("approached", "abordat"), ("approached", "abordată")]
    Lexicon("en", "ro", [Pair("file", "fișier", 0.5, (3, 2))]).save(str(path))
    assert read_word_pairs(str(path)) == [("file", "fișier")]
    for text, message in [
        ("file\n", "line 1 of"),
        ("a b c\n", "is not two words"),
        ("a\t\n", "is not two"),
        ("", "no pair"),
    ]:
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=message):
            read_word_pairs(str(path))
