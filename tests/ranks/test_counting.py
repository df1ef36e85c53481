"""crossinit_fairseq/ranks/counting.py, against a walk over the tokens one by one."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks import WordPieces, counting, rank_words
from crossinit_fairseq.ranks.word_pieces import MAX_PIECES
from tests.helpers import as_list, binarised

BOS, PAD, EOS, UNK = range(4)
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
SYMBOLS = {
    "sentencepiece": SPECIAL + ["▁", "▁a", "b", "▁c", "d", "7", ".", "▁-", "[en]", "<mask>"],
    "subword_nmt": SPECIAL + ["a", "b@@", "c", "d@@", "7", ".", "-@@", "@@", "[en]", "<mask>"],
    "none": SPECIAL + ["a", "b", "c.", "7", ".", "--", "[en]", "<mask>"],
}
NO_TEXT = {"<s>", "<pad>", "</s>", "[en]", "<mask>"}
PUNCTUATION = {".", "▁-", "-@@", "@@", "--"}


def pieces_of(style):
    symbols = SYMBOLS[style]
    special = [index for index, symbol in enumerate(symbols) if symbol in NO_TEXT]
    return WordPieces(symbols, special=special, unk=UNK, style=style)


def words_of(sentence, symbols, style):
    """Walk the tokens of one sentence; yield every run, the empty ones too."""
    word = []
    for token in sentence:
        symbol = symbols[token]
        if symbol in NO_TEXT or symbol in PUNCTUATION:
            yield word
            word = []
            continue
        if style == "none" or (style == "sentencepiece" and symbol.startswith("▁")):
            yield word
            word = []
        word.append(token)
        if style == "none" or (style == "subword_nmt" and not symbol.endswith("@@")):
            yield word
            word = []
    yield word


def rank_slowly(sentences, symbols, style):
    """[(word, count), ...] by falling count, then by fewer sub-tokens, then by the sub-tokens."""
    counts = Counter(tuple(word) for sentence in sentences for word in words_of(sentence, symbols, style))
    kept = {
        word: count
        for word, count in counts.items()
        if 0 < len(word) <= MAX_PIECES and UNK not in word and [symbols[token] for token in word] != ["▁"]
    }
    return [(list(w), c) for w, c in sorted(kept.items(), key=lambda pair: (-pair[1], len(pair[0]), pair[0]))]


def sentences_over(tokens):
    sentence = st.lists(tokens, max_size=12).map(lambda body: body + [EOS])
    return st.lists(sentence, min_size=1, max_size=8)


@pytest.mark.parametrize("style", sorted(SYMBOLS))
@given(data=st.data(), chunk=st.one_of(st.integers(1, 30), st.just(1 << 22)))
def test_equals_a_walk_over_the_tokens(style, data, chunk):
    sentences = data.draw(sentences_over(st.integers(0, len(SYMBOLS[style]) - 1)))
    expected = rank_slowly(sentences, SYMBOLS[style], style)
    if expected:
        assert as_list(rank_words([binarised(sentences)], pieces_of(style), chunk)) == expected
    else:
        with pytest.raises(InputError, match="no word"):
            rank_words([binarised(sentences)], pieces_of(style), chunk)


@given(first=sentences_over(st.integers(4, 9)), second=sentences_over(st.integers(4, 9)), chunk=st.integers(1, 20))
def test_shards_add_up(first, second, chunk):
    first = first + [[5, EOS]]  # "▁a", so that there is a word
    pieces = pieces_of("sentencepiece")
    shards = rank_words([binarised(first), binarised(second, dtype=np.int32)], pieces, chunk)
    assert as_list(shards) == as_list(rank_words([binarised(first + second)], pieces))


def test_hand_worked():
    # ▁a b . d ▁ 7 </s>: "▁a b", then, the run broken by the full stop, "d" without a mark, then "▁ 7"
    # ▁c <unk> ▁a b ▁ </s>: "▁c <unk>" is no word, "▁a b" again, the last ▁ starts nothing
    symbols = SYMBOLS["sentencepiece"]
    index = {symbol: i for i, symbol in enumerate(symbols)}
    sentences = ["▁a b . d ▁ 7 </s>", "▁c <unk> ▁a b ▁ </s>"]
    text = binarised([[index[symbol] for symbol in sentence.split()] for sentence in sentences])
    ranked = as_list(rank_words([text], pieces_of("sentencepiece")))
    named = [(" ".join(symbols[token] for token in word), count) for word, count in ranked]
    assert named == [("▁a b", 2), ("d", 1), ("▁ 7", 1)]


def test_a_word_is_copied_only_as_often_as_the_words_double(monkeypatch):
    """64 chunks of 50 words that none before has. Added to all words so far, one chunk after the other, they would be
    copied 50 * (2 + ... + 64) = 103,950 times."""
    symbols = SPECIAL + [f"▁{k}" for k in range(64)] + [str(k) for k in range(50)]
    sentences = [[token for second in range(50) for token in (4 + first, 68 + second)] + [EOS] for first in range(64)]
    copied, merge = [], counting.merge_counts
    monkeypatch.setattr(counting, "merge_counts", lambda keys, counts: copied.append(len(keys)) or merge(keys, counts))
    ranked = rank_words([binarised(sentences)], WordPieces(symbols, special=range(4), style="sentencepiece"), chunk=101)
    assert len(ranked) == 64 * 50 and set(ranked.counts.tolist()) == {1}
    # each word once on each of the 6 ways from 1 chunk to 64
    assert 0 < sum(copied) <= 6 * 64 * 50


def test_a_word_ends_with_its_sentence():
    # b@@ </s> a: the word of the first sentence is "b@@" alone, although its mark says that it goes on
    text = binarised([[5, EOS], [4, EOS]])
    assert as_list(rank_words([text], pieces_of("subword_nmt"))) == [([4], 1), ([5], 1)]


def test_empty_sentences_between():
    text = binarised([[], [5, EOS], [], [], [5, 6, EOS], []])
    for chunk in (1, 2, 3, 100):
        assert as_list(rank_words([text], pieces_of("sentencepiece"), chunk)) == [([5], 1), ([5, 6], 1)]


def test_ties_go_to_fewer_then_smaller_sub_tokens():
    # all once: ▁c d | ▁c | ▁a b b | ▁a d | ▁a
    text = binarised([[7, 8, 7, 5, 6, 6, 5, 8, 5, EOS]])
    words = [word for word, _ in as_list(rank_words([text], pieces_of("sentencepiece")))]
    assert words == [[5], [7], [5, 8], [7, 8], [5, 6, 6]]


@pytest.mark.parametrize("style", ["sentencepiece", "subword_nmt"])
def test_longest_word(style):
    symbols = SYMBOLS[style]
    goes_on, ends = (symbols.index(piece) for piece in (("b", "b") if style == "sentencepiece" else ("b@@", "a")))
    whole = [goes_on] * (MAX_PIECES - 1) + [ends]
    too_long = [goes_on] + whole
    text = binarised([whole + [EOS], too_long + [EOS], too_long + [EOS]])
    assert as_list(rank_words([text], pieces_of(style))) == [(whole, 1)]


LARGE = 40000  # 40,000 ** 4 fits into 63 bits, 40,000 ** 5 does not
LARGE_SYMBOLS = SPECIAL + [f"w{i}" for i in range(4, LARGE - 2)] + ["▁x", "▁y"]


@pytest.fixture(scope="module")
def large_pieces():
    return WordPieces(LARGE_SYMBOLS, special=[BOS, PAD, EOS], unk=UNK, style="sentencepiece")


# few tokens, so that words repeat; far apart, so that a number too small for them would mix them up
LARGE_TOKEN = st.sampled_from([4, 5, 6, 255, 256, 20000, LARGE - 3])
LARGE_WORD = st.tuples(st.sampled_from([LARGE - 2, LARGE - 1]), st.lists(LARGE_TOKEN, min_size=3, max_size=7))


@given(words=st.lists(LARGE_WORD, min_size=1, max_size=12), repeats=st.integers(1, 3), chunk=st.integers(1, 40))
def test_long_words_of_a_large_dictionary(large_pieces, words, repeats, chunk):
    sentences = [[first] + rest + [EOS] for first, rest in words] * repeats
    ranked = rank_words([binarised(sentences)], large_pieces, chunk)
    assert as_list(ranked) == rank_slowly(sentences, LARGE_SYMBOLS, "sentencepiece")


def test_five_sub_tokens_of_a_large_dictionary(large_pieces):
    # one word, five sub-tokens, too large for 63 bits
    word = [LARGE - 1, LARGE - 3, LARGE - 3, LARGE - 3, LARGE - 3]
    assert as_list(rank_words([binarised([word + [EOS]])], large_pieces)) == [(word, 1)]


def test_token_outside_the_dictionary():
    pieces = pieces_of("none")
    with pytest.raises(InputError, match=f"token {len(pieces)} .* {len(pieces)} symbols"):
        rank_words([binarised([[5, EOS], [len(pieces), EOS]])], pieces)


@pytest.mark.parametrize("sentence", [[EOS], [10, 11, EOS], [UNK, 10, EOS], [4, EOS], [4, 4, 10, EOS]])
def test_no_word(sentence):
    # </s> alone; ". ▁-"; "<unk> ."; a lone ▁; two lone ▁
    with pytest.raises(InputError, match="no word"):
        rank_words([binarised([sentence])], pieces_of("sentencepiece"))
