"""The dictionary that text adds nothing to, and that fairseq's last line is counted with all the same."""

import pytest
from fairseq.data import Dictionary

from crossinit_fairseq.data.datasets.fixed_dictionary import FixedDictionary

SYMBOLS = ["\u2581a", "b", "<mask>"]
LINES = ["\u2581a b c", "c \u2581a d d", "<unk> <<unk>> c"]


@pytest.fixture
def dictionary():
    got = FixedDictionary()
    for symbol in SYMBOLS:
        got.add_symbol(symbol)
    return got


def test_an_unknown_word_is_unk_and_adds_nothing(dictionary):
    for _ in range(2):
        assert dictionary.encode_line("\u2581a b c").tolist() == [4, 5, 3, 2]
    assert len(dictionary) == 7


def test_unknown_words_are_told_apart_where_that_is_asked_for(dictionary):
    """Numbers 4 to 6 are taken: c is 7, d is 8, <<unk>> is 9; <unk> is known."""
    got = [dictionary.encode_line(line, add_if_not_exist=True).tolist() for line in LINES]
    assert got == [[4, 5, 7, 2], [7, 4, 8, 8, 2], [3, 9, 7, 2]]
    assert len(dictionary) == 7 and dictionary.encode_line("c d").tolist() == [3, 3, 2]
    assert dictionary.encode_line("c \u2581a", str.split, True, None, False, True).tolist() == [4, 7]


def test_whom_encoding_tells_of_each_word(dictionary):
    seen = []
    dictionary.encode_line("b x", consumer=lambda word, index: seen.append((word, index)))
    assert seen == [("b", 5), ("x", 3)]


def test_words_are_equal_where_those_of_fairseqs_own_are(dictionary):
    own = Dictionary()
    for symbol in SYMBOLS:
        own.add_symbol(symbol)
    got = [number for line in LINES for number in dictionary.encode_line(line, add_if_not_exist=True).tolist()]
    theirs = [number for line in LINES for number in own.encode_line(line, add_if_not_exist=True).tolist()]
    assert [got.index(number) for number in got] == [theirs.index(number) for number in theirs]
