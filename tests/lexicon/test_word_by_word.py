"""crossinit_fairseq/lexicon/word_by_word.py"""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.lexicon import Lexicon, Pair
from crossinit_fairseq.lexicon.word_by_word import PieceTranslator, WordByWord, with_case_of, word_places
from crossinit_fairseq.lexicon.word_forms import WordForms, to_tokens
from crossinit_fairseq.ranks import WordPieces, rank_words
from tests.helpers import as_list, binarised, ranked_words

EOS, UNK = 2, 3
SYMBOLS = "<s> <pad> </s> <unk> \u2581a b \u2581c d \u2581x y \u2581z . \u2581 , \u2581( q".split()
A, B, C, D, X, Y, Z, DOT, LONE, COMMA, OPEN, Q = range(4, 16)
PIECES = WordPieces(SYMBOLS, special=[0, 1, EOS], unk=UNK)
# ab -> x, c -> xyz, cd -> z; q after an opening bracket -> d
TRANSLATOR = PieceTranslator(PIECES, {(A, B): (X,), (C,): (X, Y, Z), (C, D): (Z,), (Q,): (D,)})


def translate(*sentences, **options):
    return [got.tolist() for got in TRANSLATOR([np.array(s, dtype=np.int32) for s in sentences], **options)]


def test_hand_worked():
    assert translate(
        [A, B, C, DOT, EOS],  # "ab c." -> "x xyz."
        [A, C, D, COMMA, A, B, EOS],  # a alone has no translation; "cd" is not "c" and "d"
        [EOS],
        [OPEN, Q, LONE, DOT, EOS],  # "(q ." : the bracket ends a run, a lone mark is no word
        [A, B, UNK, C, EOS],  # ab<unk> is one word that nobody knows
    ) == [
        [X, X, Y, Z, DOT, EOS],
        [A, Z, COMMA, X, EOS],
        [EOS],
        [OPEN, D, LONE, DOT, EOS],
        [A, B, UNK, X, Y, Z, EOS],
    ]
    assert translate() == []


def test_a_lone_mark_makes_the_word_start_that_a_translation_lacks():
    translator = PieceTranslator(PIECES, {(C,): (B, D), (B,): (D,)})
    # "c c": else the second would be the end of the first; b after a comma needs none
    (got,) = translator([np.array([C, C, COMMA, B, EOS])])
    assert got.tolist() == [LONE, B, D, LONE, B, D, COMMA, D, EOS]


def test_subword_nmt_marks_the_end():
    pieces = WordPieces("<s> <pad> </s> <unk> a@@ b c@@ d .".split(), special=[0, 1, 2], unk=3)
    translator = PieceTranslator(pieces, {(4, 5): (7,), (5,): (6, 6, 7)})
    (got,) = translator([np.array([4, 5, 5, 8, 2])])
    assert got.tolist() == [7, 6, 6, 7, 8, 2]


def slow(sentence, translations):
    """Token by token: collect a run, look it up where it ends."""
    got, run = [], []

    def end():
        word = tuple(run)
        got.extend(run if UNK in word else translations.get(word, word))
        run.clear()

    for token in sentence:
        symbol = SYMBOLS[token]
        if symbol.startswith("\u2581"):
            end()
        if symbol in ("<s>", "<pad>", "</s>", ".", ",", "\u2581("):
            end()
            got.append(token)
        else:
            run.append(token)
    end()
    return got


SENTENCES = st.lists(st.lists(st.integers(3, len(SYMBOLS) - 1), max_size=12).map(lambda s: s + [EOS]), max_size=5)


@given(SENTENCES)
def test_like_the_slow_way_and_each_sentence_for_itself(sentences):
    expected = [slow(sentence, TRANSLATOR.translations) for sentence in sentences]
    assert translate(*sentences) == expected
    assert [translate(sentence)[0] for sentence in sentences] == expected


@given(SENTENCES.filter(len))
def test_words_are_those_that_are_ranked(sentences):
    tokens = np.concatenate([np.array(sentence) for sentence in sentences])
    begins, ends = word_places(tokens, PIECES)
    found = Counter(tuple(tokens[begin:end].tolist()) for begin, end in zip(begins, ends))
    try:
        ranked = {tuple(word): count for word, count in as_list(rank_words([binarised(sentences)], PIECES))}
    except InputError:  # no word at all
        ranked = {}
    assert found == ranked


def test_a_share_of_the_words():
    sentence = [A, B, C, D, A, DOT] * 1000 + [EOS]  # 2,000 words with a translation, 1,000 without
    (got,) = translate(sentence, share=0.3, rng=np.random.default_rng(0))
    # X and Z stand for translated words only; 3.7 standard deviations of 20.5
    assert abs(got.count(X) + got.count(Z) - 600) < 76 and got.count(A) == 3000 - 1000 - got.count(X)
    (again,) = translate(sentence, share=0.3, rng=np.random.default_rng(0))
    assert again == got
    assert translate(sentence, share=0.0, rng=np.random.default_rng(0)) == [sentence]


def lexicon(*pairs, lowercase=True, languages=("en", "ro")):
    return Lexicon(*languages, [Pair(*pair) for pair in pairs], {"lowercase": "yes" if lowercase else "no"})


def test_text_hand_worked():
    words = WordByWord(lexicon(("the", "lui"), ("dog", "c\u00e2ine"), ("don't", "nu"), ("dog", "javr\u0103", 0.5)))
    assert words.translate_line("The dog, don't!  (DOG) i\n") == "Lui c\u00e2ine, nu!  (C\u00c2INE) i\n"
    # what has no known word keeps its spelling, also one that counting would change; a known word is found in any
    assert words.translate_line("\u2019tis\u2019\tcat-like \u2019 don\u2019t") == "\u2019tis\u2019\tcat-like \u2019 nu"
    assert words.translate_line("") == "" and words.translate_line(" \n") == " \n"


def test_text_with_entities():
    words = WordByWord(lexicon(("dog", "c\u00e2ine"), ("quot", "wrong"), ("don't", "nu")))
    assert words.translate_line("&quot;dog&quot; don&apos;t\n") == '"c\u00e2ine" nu\n'


def test_text_with_its_case_kept():
    words = WordByWord(lexicon(("Dog", "C\u00e2ine"), lowercase=False))
    assert words.translate_line("Dog dog DOG") == "C\u00e2ine dog DOG"


def test_text_elided_articles_are_words():
    words = WordByWord(lexicon(("homme", "man"), ("l", "the"), ("d", "of"), ("un", "a"), languages=("fr", "en")))
    assert words.translate_line("L'homme d\u2019un d' un l'eau") == "The man of a of a the eau"
    # a word that is not known keeps its apostrophe; one that closes a quotation is no elision
    assert words.translate_line("s'un 'homme' l' homme'\n") == "s'a 'man' the man\n"
    # in English an apostrophe stands inside a word
    assert WordByWord(lexicon(("l", "x"), ("homme", "y"))).translate_line("l'homme dogs'") == "l'homme dogs'"


def test_text_of_languages_without_spaces():
    class Halves:
        def segment(self, runs):
            (run,) = runs
            return [run[:2], run[2:]], [0, 0]

    pairs = lexicon(("\u4f60\u597d", "hello"), ("\u4e16\u754c", "world"), languages=("zh", "en"))
    assert WordByWord(pairs, Halves()).translate_line("\u4f60\u597d\u4e16\u754c\u3002") == "hello world\u3002"
    with pytest.raises(InputError, match="segmenter"):
        WordByWord(pairs)


@pytest.mark.parametrize(
    "word, translation, language, expected",
    [
        ("dog", "hund", "de", "hund"),
        ("Dog", "hund", "de", "Hund"),
        ("DOG", "hund", "de", "HUND"),
        ("A", "ein", "de", "Ein"),  # one capital is a sentence's first word
        ("iPod", "ipod", "de", "ipod"),
        ("McDonald", "macdonald", "de", "Macdonald"),
        ("Dog", "it", "tr", "\u0130t"),
        ("Bear", "\u0131s\u0131", "tr", "Is\u0131"),
        ("BEAR", "i\u0131", "tr", "\u0130I"),
        ("Dog", "\u01c6ep", "hr", "\u01c5ep"),  # the digraph dz has a title case of its own
        ("Dog", "", "de", ""),
    ],
)
def test_case_is_put_back(word, translation, language, expected):
    assert with_case_of(word, translation, language) == expected


def test_a_marked_word_gets_a_marked_translation():
    """French writes homme after l' without SentencePiece's mark, and more often so than with it."""
    symbols = "<s> <pad> </s> <unk> homme \u2581homme \u2581Homme \u2581man man \u2581Man".split()
    french = WordForms(ranked_words([[4], [5], [6]]), symbols, "fr", True)
    english = WordForms(ranked_words([[7], [8], [9]]), symbols, "en", True)
    tokens = to_tokens(lexicon(("man", "homme"), languages=("en", "fr")), english, french)
    assert tokens.forward == {(7,): (5,), (8,): (4,), (9,): (6,)}
    assert tokens.backward == {(4,): (8,), (5,): (7,), (6,): (9,)}
