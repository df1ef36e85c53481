"""The words of one language in the order of their counts: what Step 1 (paper section 2.1) hands to Step 2."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, Dict, Iterable, Optional, Sequence, Tuple

import numpy as np

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks.word_pieces import MAX_PIECES

if TYPE_CHECKING:
    from crossinit_fairseq.ranks.rank_table import RankTable


@dataclass(frozen=True)
class RankedWords:
    """Words as sub-tokens of one dictionary, most frequent first. Rank 1 of the paper is position 0 here.

    tokens: int32 [sum of the words' lengths], the sub-tokens of all words, one word after the other.
    offsets: int64 [N + 1], word k is ``tokens[offsets[k]:offsets[k + 1]]``; no word is empty.
    counts: int64 [N], never increasing.
    """

    tokens: np.ndarray
    offsets: np.ndarray
    counts: np.ndarray

    def __len__(self) -> int:
        return len(self.counts)

    def word(self, position: int) -> np.ndarray:
        """The sub-tokens of the word at a position, int32 [its length]."""
        return self.tokens[self.offsets[position] : self.offsets[position + 1]]

    def coverage(self, ranks: int) -> float:
        """The share of all word occurrences that the first `ranks` words make up (paper section 3.3), 0 to 1."""
        return float(self.counts[:ranks].sum() / self.counts.sum())

    @classmethod
    def sort(cls, groups: Iterable[Tuple[np.ndarray, np.ndarray]]) -> "RankedWords":
        """Sort counted words by falling count; ties by fewer sub-tokens, then by the sub-tokens themselves.

        groups: pairs of (integer [m, l] words of l sub-tokens each, in lexicographic order; int64 [m] counts), by
        rising l.
        """
        groups = list(groups)
        tokens = np.concatenate([words.astype(np.int32).ravel() for words, _ in groups])
        counts = np.concatenate([count for _, count in groups])
        lengths = np.concatenate([np.full(len(words), words.shape[1], dtype=np.int64) for words, _ in groups])
        order = np.argsort(-counts, kind="stable")
        starts = np.cumsum(lengths) - lengths
        offsets = np.concatenate([[0], np.cumsum(lengths[order])])
        # position of every sub-token of the sorted words in the unsorted array
        gather = np.repeat(starts[order] - offsets[:-1], lengths[order]) + np.arange(offsets[-1])
        return cls(tokens[gather], offsets.astype(np.int64), counts[order])


def to_ranked_words(table: "RankTable", encode: Callable[[str], Optional[Sequence[int]]]) -> Tuple[RankedWords, int]:
    """What Step 2 needs of a rank table: its words as sub-tokens (paper section 2.3 averages their embeddings).

    table: RankTable; encode: takes a word, str, and returns its sub-tokens, a sequence of int, or None or an empty
    one for a word that cannot be encoded. These words are dropped, and so are words of more than MAX_PIECES
    sub-tokens. Words with the same sub-tokens become one; the words are ranked again by `RankedWords.sort`.
    Returns (RankedWords, int number of dropped words). Raises InputError when no word is left.
    """
    by_length: Dict[int, Dict[Tuple[int, ...], int]] = {}
    dropped = 0
    for word, count in zip(table.words, table.counts.tolist()):
        encoded = encode(word)
        tokens = () if encoded is None else tuple(int(token) for token in encoded)
        if 0 < len(tokens) <= MAX_PIECES:
            counts = by_length.setdefault(len(tokens), {})
            counts[tokens] = counts.get(tokens, 0) + count
        else:
            dropped += 1
    if not by_length:
        raise InputError(
            f"no word of the {table.language} rank table can be encoded: encode with the model of this language's text"
        )
    groups = []
    for length in sorted(by_length):
        words = sorted(by_length[length])
        numbers = [by_length[length][word] for word in words]
        groups.append((np.array(words, dtype=np.int64), np.array(numbers, dtype=np.int64)))
    return RankedWords.sort(groups), dropped
