"""ranks/sentencepiece_model.py, and what WordPieces and rank_words make of SentencePiece's variants."""

import re
import unicodedata
from collections import Counter

import numpy as np
import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.data.dictionary import WORD_START
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.lexicon.word_by_word import word_places
from crossinit_fairseq.lexicon.word_forms import word_text
from crossinit_fairseq.ranks import BinarisedText, WordPieces, rank_words
from crossinit_fairseq.ranks.sentencepiece_model import (
    check_dictionary,
    check_model,
    decode_bytes,
    is_symbol,
    join_pieces,
    load_model,
)
from crossinit_fairseq.ranks.text.segmenters import SubTokens
from tests.helpers import settings

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
LINES = ["the cat sat on the mat", "a dog sat there", "the dog and the cat ate a rat", "that hat on the cat"] * 20


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A function that trains a tiny model with options of its own, once for each; returns (path, processor)."""
    got = {}

    def train(vocab_size=45, **options):
        key = repr((vocab_size, sorted(options.items())))
        if key not in got:
            prefix = str(tmp_path_factory.mktemp("spm") / "m")
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(LINES),
                model_prefix=prefix,
                vocab_size=vocab_size,
                minloglevel=3,
                hard_vocab_limit=False,
                **options,
            )
            got[key] = prefix + ".model", load_model(prefix + ".model")
        return got[key]

    return train


def dictionary(model):
    """The symbols of dict.txt: fairseq's four, the model's pieces, what stands at the end."""
    pieces = [model.id_to_piece(row) for row in range(len(model))]
    return SPECIAL + [piece for piece in pieces if piece not in SPECIAL] + ["[en]", "<mask>"]


def word_pieces(symbols):
    return WordPieces(symbols, special=[0, 1, 2, 3, len(symbols) - 2, len(symbols) - 1], unk=3)


def binarised(model, symbols, lines):
    rows = {symbol: row for row, symbol in enumerate(symbols)}
    sentences = [[rows.get(piece, 3) for piece in model.encode(line, out_type=str)] + [2] for line in lines]
    return BinarisedText(np.array(sum(sentences, []), dtype=np.int32), np.array([len(s) for s in sentences], np.int32))


def counted(text, pieces, symbols):
    """{word as a string: its count} by rank_words, after seeing that word_places finds the same."""
    ranked = rank_words([text], pieces)
    found = Counter()
    for place in range(len(ranked)):
        found[word_text(symbols[token] for token in ranked.word(place))] += int(ranked.counts[place])
    walked = Counter()
    for begin, end in zip(*word_places(text.tokens, pieces)):
        walked[word_text(symbols[token] for token in text.tokens[begin:end])] += 1
    assert walked == found
    return found


def test_bytes_by_hand(trained):
    _, model = trained(300, byte_fallback=True)
    symbols = dictionary(model)
    # neither capital letter, dash, emoji nor e with an accent is in the training text
    lines = ["the cat \u2014 the \U0001f600 Kat", "caf\u00e9\u2014dog \u2764\ufe0f"]
    text = binarised(model, symbols, lines)
    assert sum("<0x" in symbols[token] for token in text.tokens) == 3 + 4 + 1 + 1 + 2 + 3 + 6
    wanted = {"the": 2, "cat": 1, "Kat": 1, "ca\u0066\u00e9": 1, "dog": 1}
    assert counted(text, word_pieces(symbols), symbols) == wanted


@settings(max_examples=60)
@given(st.lists(st.text("abct \u2014\U0001f600\u00e9K7\u0928\u093f", min_size=1, max_size=12), min_size=1, max_size=8))
def test_bytes_are_what_they_spell(trained, lines):
    """The slow reference: cut the text itself at all that is no letter, mark or digit."""
    _, model = trained(300, byte_fallback=True)
    symbols = dictionary(model)
    # SentencePiece writes text in NFKC; a combining mark at the beginning of a word is no word of ours
    lines = [unicodedata.normalize("NFKC", re.sub("(?<![\u0928t])\u093f", "", line)) for line in lines]
    wanted = Counter(re.findall("[a-zA-Z\u00e97\u0928\u093f]+", "\n".join(lines)))
    text = binarised(model, symbols, lines)
    if wanted:
        assert counted(text, word_pieces(symbols), symbols) == wanted
    else:
        with pytest.raises(InputError, match="holds no word"):
            rank_words([text], word_pieces(symbols))


def test_broken_bytes_are_no_word():
    symbols = SPECIAL + ["\u2581a", "<0xE2>", "<0x80>", "<0x41>", "[en]", "<mask>"]
    # E2 80 lacks its third byte; 80 alone begins nothing; 41 is A
    text = BinarisedText(np.array([4, 5, 6, 2, 4, 6, 7, 2, 4, 7, 2]), np.array([4, 4, 3]))
    assert counted(text, word_pieces(symbols), symbols) == {"a": 2, "A": 1, "aA": 1}


def test_byte_strings():
    assert decode_bytes("a <0xE2><0x80><0x94> b<0x4B>c") == "a \u2014 bKc"
    assert (
        decode_bytes("<0xE2><0x80> <0xFF>") == "\ufffd \ufffd"
        and decode_bytes("<0xe2> <0x1> <x>") == "<0xe2> <0x1> <x>"
    )
    joined = join_pieces("\u2581It \u2581rain s \u2581 <0xE2> <0x80> <0x94> \u2581x")
    assert joined == "It rains <0xE2><0x80><0x94> x" and decode_bytes(joined) == "It rains \u2014 x"
    assert [is_symbol(piece) for piece in ("<url>", "[en]", "<0xE2>", "<>", "a>", "\u2581<a", "(b)")] == [
        True,
        True,
        False,
        False,
        False,
        False,
        False,
    ]


def test_user_defined_symbols_are_no_words(trained):
    _, model = trained(48, user_defined_symbols=["<url>", "<num>", "[doc]"])
    symbols = dictionary(model)
    text = binarised(model, symbols, ["the <url> cat", "a<num>dog [doc]", "<url>the"])
    assert counted(text, word_pieces(symbols), symbols) == {"the": 2, "cat": 1, "a": 1, "dog": 1}


VARIANTS = {
    "ends of pieces": {"treat_whitespace_as_suffix": True},
    "belongs to several words": {"split_by_whitespace": False},
    "first word of a sentence": {"add_dummy_prefix": False},
}


@pytest.mark.parametrize("why", VARIANTS)
def test_variants_that_hide_where_words_begin_are_refused(trained, why):
    path, model = trained(60 if "several" in why else 45, **VARIANTS[why])
    with pytest.raises(InputError, match=why) as error:
        check_model(model, path)
    assert str(error.value).startswith(path + ": ") and "\n" not in str(error.value)
    symbols = dictionary(model)
    with pytest.raises(InputError, match=why):
        rank_words([binarised(model, symbols, LINES)], word_pieces(symbols))


def test_entities_in_pieces_are_said(trained, caplog):
    symbols = SPECIAL + ["\u2581&", "&", "quot", ";", "\u2581a", "\u2581quot", "[en]", "<mask>"]
    # 2 entities in 999 and in 1,000 words, the three quot among them
    entities = [4, 6, 7, 5, 6, 7]
    for words, said in ((996, True), (997, False), (2, True)):
        caplog.clear()
        text = BinarisedText(np.array(entities + [8] * words + [9, 2]), np.array([len(entities) + words + 2]))
        rank_words([text], word_pieces(symbols))
        assert (["2 entities such as &quot;" in message for message in caplog.messages] == [True]) == said


def test_usual_models_pass(trained):
    for options in (
        {},
        {"byte_fallback": True, "vocab_size": 300},
        {"user_defined_symbols": ["<url>", "\u2581\u2581"]},
    ):
        path, model = trained(**options)
        check_model(model, path)
        symbols = dictionary(model)
        assert counted(binarised(model, symbols, LINES), word_pieces(symbols), symbols)["the"] == 100


def test_text_that_was_cut_in_the_middle_of_words_is_allowed():
    symbols = SPECIAL + ["\u2581a", "b", "[en]", "<mask>"]
    pieces = word_pieces(symbols)
    for cut, refused in ((50, False), (51, True)):
        sentences = [[5, 4, 2]] * cut + [[4, 5, 2]] * (100 - cut)
        text = BinarisedText(np.array(sum(sentences, [])), np.full(100, 3, dtype=np.int32))
        if refused:
            with pytest.raises(InputError, match="add_dummy_prefix"):
                rank_words([text], pieces)
        else:
            rank_words([text], pieces)


def test_sub_tokens_of_bytes(trained):
    path, _ = trained(300, byte_fallback=True)
    pieces, origins = SubTokens(path).segment(["th\u00e9", "K\u0928\u093f", "the"])
    assert "".join(pieces) == "th\u00e9K\u0928\u093fthe" and not any("<0x" in piece for piece in pieces)
    assert [origins.count(run) > 0 for run in range(3)] == [True] * 3


def test_no_model(tmp_path):
    with pytest.raises(InputError, match="nothing does not exist: give the .model file"):
        load_model(str(tmp_path / "nothing"))
    for content in (b"", b"text\n", b"\x0a\x0f\x0a\x05"):
        (tmp_path / "m").write_bytes(content)
        with pytest.raises(InputError, match="m is no SentencePiece model"):
            load_model(str(tmp_path / "m"))


class Pieces:
    """What check_dictionary asks of a model. Row 0 is unknown."""

    def __init__(self, pieces):
        self.pieces = ["<unk>", *pieces]

    def __len__(self):
        return len(self.pieces)

    def id_to_piece(self, row):
        return self.pieces[row]

    def is_unknown(self, row):
        return row == 0

    def is_control(self, row):
        return False

    is_unused = is_control


def test_which_models_have_not_cut_the_text_of_a_dictionary(caplog):
    letters = [chr(ord("a") + k) for k in range(26)]
    learnt = [f"{WORD_START}{one}{other}" for one in letters[:10] for other in letters[:10]]  # 100 pieces
    model = Pieces([WORD_START, *letters, *learnt, "<0xE2>"])
    whole = SPECIAL + [WORD_START, *letters, *learnt]

    def check(symbols):
        check_dictionary(model, "spm.model", symbols, "dict.txt")

    check(whole + ["[en]", "<mask>", "madeupword0001"])
    # a text may do without letters, and without 5 of 100 pieces; what holds an unknown character is no sign
    check(SPECIAL + learnt[5:] + ["\u4e2d\u6587", "x\u4e2d"])
    assert not caplog.records
    # more is said: a dictionary that was counted from text has what a large model needed for it
    check(SPECIAL + learnt[6:])
    assert "6 of the 100 pieces of several letters of spm.model are missing in dict.txt (such as" in caplog.text
    check(SPECIAL + learnt[:10])
    with pytest.raises(InputError, match="90 of its 100 pieces of several letters are missing there .such as '.ba'"):
        check(SPECIAL + learnt[:10] + ["xyz"])
    check(whole + ["xyz"])  # 1 of 101 is less than 1 %
    with pytest.raises(InputError, match="and it lacks 2 of 100 there .such as 'xyz'.; give the one that cut it"):
        check(SPECIAL + [WORD_START, *letters, *learnt[2:], "xyz", "yyz"])
    # all of the model and more: of a larger one, or joined from two
    with pytest.raises(InputError, match="^spm.model has not cut all of .* 2 more of the same letters .such as 'xyz'."):
        check(whole + ["xyz", "yyz"])
    with pytest.raises(InputError, match="is not the SentencePiece model that the text of dict.txt was cut with"):
        check(SPECIAL + ["\u4e2d"])
