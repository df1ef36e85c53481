"""Tokens of Hugging Face's models and symbols of fairseq's dictionaries."""

import pytest

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.export import find_counterparts


def pairs(tokens, symbols, kind, **options):
    ids, rows = find_counterparts({token: k for k, token in enumerate(tokens)}, symbols, kind, **options)
    assert len(set(ids)) == len(ids) and len(set(rows)) == len(rows)
    return {(tokens[k], symbols[row]) for k, row in zip(ids, rows)}


SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
EQUAL = {(symbol, symbol) for symbol in SPECIAL}


def test_pieces_and_languages_of_mbart():
    tokens = [
        "<unk>",
        "</s>",
        "<pad>",
        "<s>",
        "\u2581the",
        "the",
        "\u2581cat",
        "en_XX",
        "ro_RO",
        "ne_NP",
        "my_MM",
        "<mask>",
    ]
    symbols = SPECIAL + ["the", "\u2581the", "dog", "[en]", "[ro]", "[ro_RO]", "__my__", "<mask>"]
    assert pairs(tokens, symbols, "mbart") == EQUAL | {
        ("the", "the"),
        ("\u2581the", "\u2581the"),
        ("en_XX", "[en]"),
        ("ro_RO", "[ro_RO]"),
        ("my_MM", "__my__"),
        ("<mask>", "<mask>"),
    }
    # language codes are mBART's alone
    assert ("en_XX", "[en]") not in pairs(tokens, symbols, "xlm-roberta")


XLM = ["<s>", "</s>", "<pad>", "<unk>", "<special0>", "<special1>", "the</w>", "th", "e</w>", "the", "zebra</w>"]


@pytest.mark.parametrize(
    "words, wanted",
    [
        (["th@@", "the", "e", "@@", "th"], {("the</w>", "the"), ("th", "th@@"), ("e</w>", "e")}),
        (["\u2581the", "the", "th", "e", "\u2581"], {("the</w>", "\u2581the"), ("the", "the"), ("th", "th")}),
        (["the</w>", "th", "e", "x</w>"], {("the</w>", "the</w>"), ("th", "th")}),
        (["the", "cat"], {("the</w>", "the")}),
    ],
)
def test_pieces_of_xlm(words, wanted):
    assert pairs(XLM, SPECIAL + words + ["<mask>"], "xlm", mask=5) == EQUAL | wanted | {("<special1>", "<mask>")}
    assert pairs(XLM, SPECIAL + words + ["<mask>"], "xlm") == EQUAL | wanted


def test_nothing_in_common():
    with pytest.raises(InputError, match="nothing but special symbols in common"):
        pairs(SPECIAL + ["\u2581a", "en_XX", "<mask>"], SPECIAL + ["\u2581b", "<mask>"], "mbart")
    with pytest.raises(InputError, match="nothing but special symbols in common"):
        pairs(XLM, SPECIAL + ["cat", "<mask>"], "xlm", mask=5)
    with pytest.raises(InputError, match="is not of SentencePiece"):
        pairs(SPECIAL + ["the"], SPECIAL + ["the"], "xlm-roberta")
