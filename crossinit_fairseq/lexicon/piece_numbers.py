"""The running words of binarised text as numbers, sentence by sentence."""

from typing import Dict, Iterator, Sequence, Tuple

import numpy as np

from crossinit_fairseq.lexicon.neighbour_counts import Sentences
from crossinit_fairseq.ranks import BinarisedText, WordPieces
from crossinit_fairseq.ranks.counting import find_words, pack_words, sentence_chunks


class PieceNumbers:
    """Numbers the words of binarised text by their place in a vocabulary.

    pieces: WordPieces of the dictionary; words: for each length in sub-tokens, integer [m, length] words in
    lexicographic order and int32 [m] their numbers; size: N, words of the vocabulary.
    """

    def __init__(self, pieces: WordPieces, words: Dict[int, Tuple[np.ndarray, np.ndarray]], size: int):
        self._pieces, self._size = pieces, size
        self._single = np.full(len(pieces), size, dtype=np.int32)
        self._longer = {}
        for length, (tokens, ids) in words.items():
            if length == 1:
                self._single[tokens[:, 0]] = ids
            else:
                self._longer[length] = (pack_words(tokens, len(pieces)), ids)

    def __call__(self, text: BinarisedText) -> Sentences:
        """The words of whole sentences. A run of sub-tokens that holds `<unk>`, or is too long, keeps its place as a
        word outside the vocabulary."""
        tokens = text.tokens
        begins, lengths, known = find_words(tokens, self._pieces)
        if self._pieces.lone_start >= 0:
            words = (lengths > 1) | (tokens[begins] != self._pieces.lone_start)
            begins, lengths, known = begins[words], lengths[words], known[words]
        ids = np.full(len(begins), self._size, dtype=np.int32)
        single = known & (lengths == 1)
        ids[single] = self._single[tokens[begins[single]]]
        for length, (keys, numbers) in self._longer.items():
            where = np.flatnonzero(known & (lengths == length))
            found = pack_words(tokens[begins[where, None] + np.arange(length)], len(self._pieces))
            place = np.minimum(np.searchsorted(keys, found), len(keys) - 1)
            ids[where] = np.where(keys[place] == found, numbers[place], self._size)
        sentence = np.searchsorted(begins, np.cumsum(text.lengths, dtype=np.int64))
        in_sentence = np.diff(sentence, prepend=0)
        return Sentences(ids, in_sentence[in_sentence > 0])


def cut_binarised(texts: Sequence[BinarisedText], chunk: int) -> Iterator[BinarisedText]:
    """Yield parts of about `chunk` tokens, of whole sentences."""
    for text in texts:
        ends = np.cumsum(text.lengths, dtype=np.int64)
        first = at = 0
        for tokens in sentence_chunks(text, chunk):
            at += len(tokens)
            last = int(np.searchsorted(ends, at, side="right"))
            yield BinarisedText(tokens, text.lengths[first:last])
            first = last
