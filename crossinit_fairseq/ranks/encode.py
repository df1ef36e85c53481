"""From words as strings to words as the sub-tokens of one dictionary."""

import numpy as np

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks.counting import MAX_PIECES
from crossinit_fairseq.ranks.ranked_words import RankedWords


def to_ranked_words(table, encode):
    """What Step 2 needs of a rank table: its words as sub-tokens (paper section 2.3 averages their embeddings).

    table: RankTable; encode: takes a word, str, and returns its sub-tokens, a sequence of int, or None or an empty
    one for a word that cannot be encoded. These words are dropped, and so are words of more than MAX_PIECES
    sub-tokens. Words with the same sub-tokens become one; the words are ranked again by `RankedWords.sort`.
    Returns (RankedWords, int number of dropped words). Raises InputError when no word is left.
    """
    by_length, dropped = {}, 0
    for word, count in zip(table.words, table.counts.tolist()):
        tokens = encode(word)
        tokens = () if tokens is None else tuple(int(token) for token in tokens)
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
        counts = [by_length[length][word] for word in words]
        groups.append((np.array(words, dtype=np.int64), np.array(counts, dtype=np.int64)))
    return RankedWords.sort(groups), dropped
