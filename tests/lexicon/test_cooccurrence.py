"""crossinit_fairseq/lexicon/cooccurrence.py, against plain loops over the words."""

import gzip
import io
import os
import sys
from collections import Counter

import numpy as np
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("polars")

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.lexicon import counting_workers
from crossinit_fairseq.lexicon.cooccurrence import count_binarised_cooccurrence, count_text_cooccurrence
from crossinit_fairseq.lexicon.neighbour_counts import NeighbourCounter, Sentences
from crossinit_fairseq.lexicon.text_numbers import read_sentences
from crossinit_fairseq.ranks import TextWords, WordPieces, count_text
from crossinit_fairseq.ranks.text.sources import Source
from crossinit_fairseq.ranks.text.words import MAX_CHARACTERS
from tests.helpers import binarised


def cooccur_slowly(sentences, size, window):
    """(words, counts, window, left, place) of sentences, lists of words; None is a word without a name."""
    counted = Counter(word for sentence in sentences for word in sentence if word is not None)
    words = sorted(counted, key=lambda word: (-counted[word], word))[:size]
    ids = {word: number for number, word in enumerate(words)}
    near, left = np.zeros((len(words), len(words))), np.zeros((len(words), len(words)), dtype=np.int64)
    places = [[] for _ in words]
    for sentence in sentences:
        for at, word in enumerate(sentence):
            if word not in ids:
                continue
            places[ids[word]].append(at / (len(sentence) - 1) if len(sentence) > 1 else 0.5)
            for other in range(max(0, at - window), min(len(sentence), at + window + 1)):
                if other != at and sentence[other] in ids:
                    near[ids[word], ids[sentence[other]]] += 1 / abs(at - other)
            if at and sentence[at - 1] in ids:
                left[ids[word], ids[sentence[at - 1]]] += 1
    return words, [counted[word] for word in words], near, left, [np.mean(these) for these in places]


def assert_equals_slow(found, sentences, size, window):
    words, counts, near, left, place = cooccur_slowly(sentences, size, window)
    assert (found.words, found.counts.tolist()) == (words, counts)
    assert found.total == sum(word is not None for sentence in sentences for word in sentence)
    np.testing.assert_allclose(found.window.toarray(), near, rtol=1e-5, atol=1e-12)
    np.testing.assert_array_equal(found.left.toarray(), left)
    np.testing.assert_array_equal(found.right.toarray(), left.T)
    np.testing.assert_allclose(found.place, place, atol=1e-6)


def all_bytes(found):
    """Everything that a CoOccurrence holds, to the bit."""
    matrices = [part.tobytes() for m in (found.window, found.left) for part in (m.data, m.indices, m.indptr)]
    return found.language, found.words, found.total, found.counts.tobytes(), found.place.tobytes(), matrices


def write(folder, text, name="text"):
    path = folder / name
    path.write_bytes(text.encode("utf-8"))
    return str(path)


def test_worked_by_hand(tmp_path):
    # in order of count, ties by letters: the 3, dog 2, cat 1, saw 1; the vocabulary holds three of them
    found = count_text_cooccurrence(write(tmp_path, "The dog saw the cat.\n\nThe dog\n"), "en", size=3, window=2)
    assert (found.language, found.words, found.counts.tolist(), found.total) == (
        "en",
        ["the", "dog", "cat"],
        [3, 2, 1],
        7,
    )
    # first line: the-dog 1 apart, dog-the 2 apart (saw keeps its place), the-cat 1 apart; the-the and dog-cat are 3
    # apart; second line: the-dog 1 apart. No pair goes across the lines
    assert found.window.toarray().tolist() == [[0, 2.5, 1], [2.5, 0, 0], [1, 0, 0]]
    # before dog stood `the` twice, before cat once; before the second `the` stood saw, which is not in the vocabulary
    assert found.left.toarray().tolist() == [[0, 0, 0], [2, 0, 0], [1, 0, 0]]
    assert found.right.toarray().tolist() == [[0, 2, 1], [0, 0, 0], [0, 0, 0]]
    # the: 0, 3/4 and 0; dog: 1/4 and 1; cat: 1
    np.testing.assert_allclose(found.place, [0.25, 0.625, 1], atol=1e-6)
    assert found.window.dtype == np.float64 and found.left.dtype == found.counts.dtype == np.int64


def test_a_word_beside_itself_sees_itself_twice(tmp_path):
    # three pairs: two 1 apart, one 2 apart; each is seen from both of its words
    found = count_text_cooccurrence(write(tmp_path, "a a a"), "en")
    assert found.window.toarray().tolist() == [[2 * (1 + 1 + 0.5)]]
    assert found.left.toarray().tolist() == [[2]]
    assert found.place.tolist() == [0.5]


@given(data=st.data())
def test_equals_plain_loops(data):
    size, window = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 20))
    word = st.one_of(st.none(), st.sampled_from("abcdefgh"))
    sentences = data.draw(st.lists(st.lists(word, min_size=1, max_size=30), min_size=1, max_size=6))
    words, counts, near, left, place = cooccur_slowly(sentences, size, window)
    ids = {word: number for number, word in enumerate(words)}
    parts = []
    cut = data.draw(st.integers(0, len(sentences)))
    for some in (sentences[:cut], sentences[cut:]):
        numbers = np.array([ids.get(word, len(words)) for sentence in some for word in sentence], dtype=np.int32)
        parts.append(Sentences(numbers, np.array([len(sentence) for sentence in some], dtype=np.int64)))
    # the table holds all pairs, pairs with the first words, or none
    counter = NeighbourCounter(len(words), window, dense=data.draw(st.integers(0, 36)))
    for part in parts:
        counter.add(part)
    sums = counter.result()
    upper = sums.window.toarray() / 720720
    np.testing.assert_allclose(upper + upper.T, near, rtol=1e-5, atol=1e-12)
    np.testing.assert_array_equal(sums.left.toarray(), left)
    np.testing.assert_allclose(sums.places / np.maximum(sums.counts, 1) / 2**20, place, atol=1e-6)
    assert sums.counts.tolist() == counts and sums.window.has_sorted_indices and sums.left.has_sorted_indices


@pytest.mark.parametrize("block, pending", [(1, 1), (3, 5), (64, 1 << 22)])
def test_the_pieces_that_are_added_at_a_time_do_not_matter(monkeypatch, block, pending):
    random = np.random.default_rng(3)
    lengths = random.integers(1, 40, 60)
    ids = np.minimum(random.geometric(0.15, lengths.sum()) - 1, 20).astype(np.int32)

    def count(dense):
        counter = NeighbourCounter(20, 15, dense)
        counter.add(Sentences(ids, lengths))
        return counter.result()

    whole = count(10**6)
    monkeypatch.setattr("crossinit_fairseq.lexicon.neighbour_counts._BLOCK", block)
    monkeypatch.setattr("crossinit_fairseq.lexicon.neighbour_counts._PENDING", pending)
    cut = count(60)
    for one, other in ((whole.window, cut.window), (whole.left, cut.left)):
        assert one.dtype == other.dtype == np.int64
        assert [part.tobytes() for part in (one.data, one.indices, one.indptr)] == [
            part.tobytes() for part in (other.data, other.indices, other.indptr)
        ]


TEXTS = {
    "en": "It's the dog's “bone”, isn't it?\r\nThe DOG—the bone… a b_c 3.5 x/y\n\n!!!\nlast line of it",
    "ro": "Şi ţara și țara; fişier nou\nFişierul e în dosar, și-n ţară\n",
    "tr": "İyi Iyi ıyi iyi\nIRMAK ırmak\n",
    "hi": "यह एक पुस्तक है। वह भी एक किताब है।\nक्‍या यह है?\n",
    "fr": "l'homme et l’homme ; l\u00adhomme «à l'heure»\n",
}


@pytest.mark.parametrize("language", sorted(TEXTS))
@pytest.mark.parametrize("lowercase", [True, False])
def test_words_of_text_are_those_that_are_ranked(tmp_path, language, lowercase):
    text = TEXTS[language] + "\n" + "x" * (MAX_CHARACTERS + 1) + " " + TEXTS[language].split()[0]
    words = TextWords(language, lowercase)
    pattern = regex.compile(words.pattern)
    sentences = []
    for line in text.split("\n"):
        found = pattern.findall(words.normalise(line))
        found = [None if len(word) > MAX_CHARACTERS else words.lower(word) if lowercase else word for word in found]
        sentences.append(found)
    path = write(tmp_path, text)
    found = count_text_cooccurrence(path, language, lowercase, size=50, window=4)
    assert_equals_slow(found, sentences, 50, 4)
    table = count_text(path, language, lowercase)
    assert (found.words, found.counts.tolist(), found.total) == (table.words, table.counts.tolist(), table.total)


def test_a_segmenter_cuts_words_in_their_order(tmp_path):
    class InPairs:
        """Two letters a word."""

        def segment(self, runs):
            cut = [(run[at : at + 2], origin) for origin, run in enumerate(runs) for at in range(0, len(run), 2)]
            return [piece for piece, _ in cut], [origin for _, origin in cut]

    found = count_text_cooccurrence(write(tmp_path, "กขคงจฉ, กขจฉ\nคงกข"), "th", window=2, segmenter=InPairs())
    assert_equals_slow(found, [["กข", "คง", "จฉ", "กข", "จฉ"], ["คง", "กข"]], 9, 2)


def make_text(lines):
    random = np.random.default_rng(7)
    words = np.minimum(random.zipf(1.4, lines * 9), 400)
    return "".join(
        " ".join(f"W{word}" if word % 3 else f"w{word}, é{word}" for word in row) + ".\n"
        for row in words.reshape(lines, 9).tolist()
    )


def test_the_same_bytes_for_any_workers_and_blocks(tmp_path):
    paths = [write(tmp_path, make_text(500)), str(tmp_path / "more.gz")]
    (tmp_path / "more.gz").write_bytes(gzip.compress(make_text(70).encode("utf-8")))
    one = count_text_cooccurrence(paths, "en", size=100)
    assert one.window.nnz > 1000 and len(one) == 100
    for workers, block in ((1, 100), (1, 1 << 15), (2, 1 << 12)):
        assert all_bytes(count_text_cooccurrence(paths, "en", size=100, workers=workers, block=block)) == all_bytes(one)


def test_a_process_that_ends_early_is_reported():
    with pytest.raises(InputError, match="ended early, most often for want of memory"):
        counting_workers.count_parts(iter(range(100)), os._exit, 3, 2, workers=2)


@given(
    text=st.lists(st.sampled_from(["ab", "c", " ", "\n", "\n", "é"]), max_size=80).map("".join),
    line=st.integers(1, 30),
    blocks=st.tuples(st.integers(1, 20), st.integers(1, 200)),
)
def test_long_lines_are_cut_at_the_same_blanks_for_any_block(tmp_path_factory, text, line, blocks):
    path = write(tmp_path_factory.mktemp("long"), text)
    expected = []
    for one in text.encode("utf-8").split(b"\n"):
        while len(one) > line and one.find(b" ", line) >= 0:
            blank = one.find(b" ", line)
            expected.append(one[:blank])
            one = one[blank + 1 :]
        expected.append(one)
    for block in blocks:
        parts = list(read_sentences(Source(path), block, line))
        assert all(part.endswith(b"\n") for part in parts[:-1])
        assert b"".join(parts).rstrip(b"\n") == b"\n".join(expected).rstrip(b"\n")


def test_standard_input(tmp_path, monkeypatch):
    text = make_text(30)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode("utf-8"))))
    assert all_bytes(count_text_cooccurrence("-", "en")) == all_bytes(
        count_text_cooccurrence(write(tmp_path, text), "en")
    )


def test_bad_input_is_reported_in_one_sentence(tmp_path):
    with pytest.raises(InputError, match="holds no word"):
        count_text_cooccurrence(write(tmp_path, "... !\n"), "en")
    with pytest.raises(InputError, match="window must be 1 or more, not 0"):
        count_text_cooccurrence(write(tmp_path, "a b"), "en", window=0)
    with pytest.raises(InputError, match="size must be 1 or more, not -1"):
        count_text_cooccurrence(write(tmp_path, "a b"), "en", size=-1)
    (tmp_path / "latin1").write_bytes(b"a b\nna\xefve\n")
    with pytest.raises(InputError, match="latin1 is not UTF-8 in line 2"):
        count_text_cooccurrence(str(tmp_path / "latin1"), "en")


SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
UNK = 3
SYMBOLS = {
    "sentencepiece": SPECIAL + ["▁", "▁The", "▁the", "▁do", "g", "G", "7", ".", "▁cat"],
    "subword_nmt": SPECIAL + ["The", "the", "do@@", "g", "G", "cat", "ca@@", "t", "."],
    "none": SPECIAL + ["The", "the", "dog", "DOG", ".", "cat"],
}


def words_of(sentence, symbols, style, lowercase):
    """The words of tokens, one by one: strings, None for a run with <unk>."""
    words, parts = [], []

    def end():
        if parts and parts != ["▁"]:
            text = "".join(part[:-2] if part.endswith("@@") else part for part in parts).replace("▁", "")
            words.append(None if "<unk>" in parts else text.lower() if lowercase else text)
        parts.clear()

    for token in sentence:
        symbol = symbols[token]
        if symbol in ("<s>", "<pad>", "</s>", "."):
            end()
            continue
        if style == "none" or symbol.startswith("▁"):
            end()
        parts.append(symbol)
        if style == "none" or (style == "subword_nmt" and not symbol.endswith("@@")):
            end()
    end()
    return words


@pytest.mark.parametrize("style", sorted(SYMBOLS))
@given(
    data=st.data(),
    lowercase=st.booleans(),
    size=st.integers(1, 8),
    chunk=st.one_of(st.integers(1, 30), st.just(1 << 20)),
)
def test_binarised_equals_a_walk_over_the_tokens(style, data, lowercase, size, chunk):
    symbols = SYMBOLS[style]
    pieces = WordPieces(symbols, special=[0, 1, 2], unk=UNK, style=style)
    sentence = st.lists(st.integers(3, len(symbols) - 1), max_size=20).map(lambda body: body + [2])
    sentences = data.draw(st.lists(sentence, min_size=1, max_size=6))
    words = [words_of(sentence, symbols, style, lowercase) for sentence in sentences]
    cut = data.draw(st.integers(1, len(sentences)))
    texts = [binarised(some) for some in (sentences[:cut], sentences[cut:]) if some]
    if not any(word is not None for sentence in words for word in sentence):
        with pytest.raises(InputError, match="no word"):
            count_binarised_cooccurrence(texts, pieces, symbols, "en", lowercase, size, 3, chunk=chunk)
        return
    found = count_binarised_cooccurrence(texts, pieces, symbols, "en", lowercase, size, 3, chunk=chunk)
    assert_equals_slow(found, words, size, 3)


def test_binarised_words_are_folded_by_the_rules_of_their_language():
    # a letter with its accent apart in two pieces is the composed letter, as in text
    symbols = SPECIAL + ["I@@", "s", "\u0131s", "i@@", "e@@", "\u0301"]
    text = binarised([[4, 5, 6, 7, 5, 8, 9, 2]])
    pieces = WordPieces(symbols, special=[0, 1, 2], unk=UNK)
    assert count_binarised_cooccurrence([text], pieces, symbols, "tr").words == ["\u0131s", "is", "\u00e9"]
    assert count_binarised_cooccurrence([text], pieces, symbols, "en").words == ["is", "\u00e9", "\u0131s"]


def test_binarised_words_in_one_spelling():
    # bytes that spell an accent, entities, either apostrophe, a word that is not seen at all
    symbols = SPECIAL + ["\u2581e", "<0xCC>", "<0x81>", "\u2581\u00e9", "\u2581d\u2019a", "\u2581d'a", "\u2581\u0640"]
    text = binarised([[4, 5, 6, 7, 8, 9, 10, 2]])
    pieces = WordPieces(symbols, special=[0, 1, 2], unk=UNK)
    found = count_binarised_cooccurrence([text], pieces, symbols, "en", window=1)
    assert (found.words, found.counts.tolist()) == (["d'a", "\u00e9"], [2, 2])


def test_entities_in_text(tmp_path):
    found = count_text_cooccurrence(write(tmp_path, "the &quot;dog&apos;s\ncaf&eacute; the\n"), "en", window=1)
    assert found.words == ["the", "caf\u00e9", "dog's"]
    # `the` stands once before dog's, with only a quotation mark between them, and once after caf\u00e9
    assert found.left.toarray().tolist() == [[0, 1, 0], [0, 0, 0], [1, 0, 0]]


def test_binarised_and_text_agree(tmp_path):
    """The same words, whole or cut into many sub-tokens: more than fit into one number of 63 bits."""
    text = make_text(200).replace(",", " ,").replace(".", " .")
    lines = [line.split() for line in text.splitlines()]
    letters = sorted(set("".join(map("".join, lines))))
    symbols = SPECIAL + [letter + "@@" for letter in letters] + letters + [f"filler{n}" for n in range(70000)]
    index = {symbol: at for at, symbol in enumerate(symbols)}
    lines.append(["W123456789W"] * 2)
    sentences = [
        [index[part] for word in line for part in [letter + "@@" for letter in word[:-1]] + [word[-1]]] + [2]
        for line in lines
    ]
    pieces = WordPieces(symbols, special=[0, 1, 2], unk=UNK)
    from_tokens = count_binarised_cooccurrence([binarised(sentences, np.int32)], pieces, symbols, "en", size=400)
    from_text = count_text_cooccurrence(write(tmp_path, "\n".join(" ".join(line) for line in lines)), "en", size=400)
    assert all_bytes(from_tokens) == all_bytes(from_text)
    several = count_binarised_cooccurrence(
        [binarised(sentences, np.int32)], pieces, symbols, "en", size=400, workers=2, chunk=2000
    )
    assert all_bytes(several) == all_bytes(from_text)
