"""crossinit_fairseq/ranks/word_pieces.py"""

import numpy as np
import pytest

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks import WordPieces, word_pieces

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]


def flags(symbol, style, **options):
    """(in_word, starts, ends) of one symbol of a dictionary."""
    pieces = WordPieces([symbol], style=style, **options)
    return bool(pieces.in_word[0]), bool(pieces.starts[0]), bool(pieces.ends[0])


@pytest.mark.parametrize(
    "style, symbol, in_word, starts, ends",
    [
        # SentencePiece marks where a word starts, never where it ends
        ("sentencepiece", "▁the", True, True, False),
        ("sentencepiece", "re", True, False, False),
        ("sentencepiece", "▁.", False, True, False),
        ("sentencepiece", ",", False, False, False),
        ("sentencepiece", "▁", True, True, False),  # carries the word start of the piece after it
        ("sentencepiece", "▁▁", False, True, False),  # two spaces carry nothing
        ("sentencepiece", "re@@", True, False, False),  # no mark of this style
        # subword-nmt marks where a word goes on; without the mark it ends
        ("subword_nmt", "th@@", True, False, False),
        ("subword_nmt", "e", True, False, True),
        ("subword_nmt", "...", False, False, True),
        ("subword_nmt", "-@@", False, False, False),
        ("subword_nmt", "@@", False, False, False),
        ("subword_nmt", "▁the", True, False, True),  # no mark of this style
        # each token is a word
        ("none", "the", True, True, True),
        ("none", "th@@", True, True, True),
        ("none", "?!", False, True, True),
    ],
)
def test_part_in_a_word(style, symbol, in_word, starts, ends):
    assert flags(symbol, style) == (in_word, starts, ends)


@pytest.mark.parametrize(
    "text, in_word",
    [
        ("\u0930", True),  # Devanagari letter ra
        ("\u093e", True),  # Devanagari vowel sign aa, a spacing mark (Mc)
        ("\u094d", True),  # Devanagari virama, a non-spacing mark (Mn)
        ("\u0301", True),  # combining acute accent
        ("\u0e34", True),  # Thai vowel sign i
        ("\u4e2d", True),
        ("\u0967", True),  # Devanagari digit one
        ("2024", True),
        ("½", True),
        ("l'", True),  # one letter is enough
        ("\u0964", False),  # danda, the Devanagari full stop
        ("—", False),
        ("€", False),
        ("\u200d", False),  # zero-width joiner, alone
        ("", False),
    ],
)
@pytest.mark.parametrize("style, form", [("sentencepiece", "▁{}x"), ("subword_nmt", "{}x@@"), ("none", "{}x")])
def test_letters_marks_and_digits_are_of_words(text, in_word, style, form):
    assert flags(text, "none")[0] is in_word
    symbol = form.format(text).replace("x", "")
    if symbol != "▁":
        assert flags(symbol, style)[0] is in_word


@pytest.mark.parametrize("style", ["sentencepiece", "subword_nmt", "none"])
def test_special_symbols_are_no_text(style):
    pieces = WordPieces(SPECIAL + ["a", "[en]", "<mask>"], special=[0, 1, 2, 3, 5, 6], unk=3, style=style)
    assert pieces.in_word.tolist() == [False, False, False, True, True, False, False]
    assert not pieces.starts[[0, 1, 2, 5, 6]].any() and not pieces.ends[[0, 1, 2, 5, 6]].any()


@pytest.mark.parametrize(
    "style, starts, ends",
    # in SentencePiece an unknown piece may be the inside of a word; elsewhere it carries no mark, so a word ends
    [("sentencepiece", False, False), ("subword_nmt", False, True), ("none", True, True)],
)
def test_unknown_piece_stands_in_a_word(style, starts, ends):
    for special in ([], [0, 1, 2, 3]):  # whether or not it is also called special
        pieces = WordPieces(SPECIAL, special=special, unk=3, style=style)
        assert (pieces.in_word[3], pieces.starts[3], pieces.ends[3]) == (True, starts, ends)
        assert pieces.unk == 3


def test_no_unknown_piece_no_lone_start():
    pieces = WordPieces(["▁a", "b"], style="sentencepiece")
    assert (pieces.unk, pieces.lone_start, len(pieces)) == (-1, -1, 2)


def test_lone_start():
    assert WordPieces(["b", "▁", "▁a"], style="sentencepiece").lone_start == 1
    assert WordPieces(["b", "▁", "c@@"], style="subword_nmt").lone_start == -1


@pytest.mark.parametrize(
    "symbols, style",
    [
        (["a", "▁b"], "sentencepiece"),
        (["a", "b@@"], "subword_nmt"),
        (["a", "b", "@@"], "none"),  # someone wrote @@, nothing goes on
        (["a", "b"], "none"),
        ([], "none"),
    ],
)
def test_auto_finds_the_marks(symbols, style):
    assert WordPieces(symbols, style="auto").style == style


def test_auto_looks_at_no_special_symbol():
    assert WordPieces(["▁special", "a@@"], special=[0]).style == "subword_nmt"


def test_unknown_style():
    with pytest.raises(InputError, match="'bpe'.*auto, sentencepiece, subword_nmt, none"):
        WordPieces(["a"], style="bpe")


def test_runs_of_bytes_that_are_remembered_have_a_limit(monkeypatch):
    """Text of a language that a model spells in bytes has as many runs as sentences."""
    monkeypatch.setattr(word_pieces, "_MOST_RUNS", 3)
    pieces = WordPieces([f"<0x{byte:02X}>" for byte in range(256)] + ["▁"], style="sentencepiece")
    for turn in range(2):
        for letter in "éßαя—":  # the last is no letter
            found = pieces.in_words(np.array([256] + list(letter.encode("utf-8"))))
            assert found.tolist() == [True] + [letter != "—"] * len(letter.encode("utf-8")), (turn, letter)
            assert len(pieces._word_bytes) <= 3
